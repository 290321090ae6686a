"""What a goal came to, with a display that says the same everywhere and nothing that varies from run to run."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any, Final

from llmos_nb.memory.blocks import fenced
from llmos_nb.tools.registry import TOOLS

__all__ = ["RunResult", "ShownStep"]

_BADGES: Final = {
    "crystallized": ("#6f42c1", "crystallized"),
    "follower": ("#1a7f37", "replayed, verified"),
    "mixed": ("#9a6700", "guided by a trace"),
    "learner": ("#0969da", "learned"),
    "orchestrator": ("#bf3989", "orchestrated"),
}
#: How often an answer is looked through for HTML before every ``<`` in it is taken for one.
ROUNDS: Final = 8
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One tool call as a result shows it: its tool, the argument people read, and how it ended."""

    tool: str
    text: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The end of a run.

    ``status`` is one of the six end states, ``reason`` says why, ``text`` is the answer (Markdown). ``cost_usd`` is
    None where the endpoint's price is unknown; with ``simulated`` the dollars are the tutorial's play money.
    ``mode_reason`` says why the mode was taken. ``stale`` marks a replay whose outputs changed, so that the recorded
    answer is not repeated.
    """

    run_id: str
    goal: str
    status: str
    mode: str
    text: str
    reason: str
    cost_usd: float | None = 0.0
    saved_usd: float = 0.0
    trace_id: str | None = None
    agent: str = ""
    endpoint: str = ""
    simulated: bool = False
    stale: bool = False
    mode_reason: str = ""
    remedy: str = ""
    duration_s: float = 0.0
    tokens: dict[str, int] = field(default_factory=dict)
    steps: tuple[ShownStep, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the goal was reached."""
        return self.status == "success"

    @property
    def interrupted(self) -> bool:
        """Whether a person's interrupt (Ctrl-C, the notebook's stop button) ended it."""
        return self.status == "stopped" and self.reason.startswith("interrupted")

    @property
    def label(self) -> str:
        """The run in a few words: how the goal was reached, or how it ended otherwise."""
        if not self.ok:
            return self.status.replace("_", " ")
        return "replayed, new outputs" if self.stale else _BADGES.get(self.mode, ("", self.mode))[1]

    @property
    def summary(self) -> str:
        """One line: the label, what it cost, how many steps."""
        parts = [self.label, self.price]
        if self.steps:
            parts.append(f"{len(self.steps)} step{'s' if len(self.steps) > 1 else ''}")
        return " · ".join(parts)

    @property
    def price(self) -> str:
        """What it cost and saved, in words; play money is always called so."""
        play = " play money" if self.simulated else ""
        if self.cost_usd is None:
            return "cost unknown"
        if self.cost_usd > 0:
            return f"${self.cost_usd:.4f}{play}"
        return f"free, saved ${self.saved_usd:.4f}{play}" if self.saved_usd > 0 else "free"

    def _body(self) -> str:
        """The answer, and for a run that failed what happened and what to do."""
        if self.ok:
            # Why a guided run was not simply replayed is part of the story.
            why = f"*{self.mode_reason}*\n\n" if self.mode == "mixed" and self.mode_reason else ""
            return why + self.text
        parts = [f"**{self.reason}**", self.remedy]
        if self.text and self.text not in self.reason:
            parts.append(self.text)
        return "\n\n".join(part for part in parts if part)

    def __str__(self) -> str:
        return f"llmos · {self.summary}\n\n{self._body()}".rstrip()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Jupyter's display: the same content as plain text, Markdown and HTML."""
        return {"text/plain": str(self), "text/markdown": self._markdown(), "text/html": self._html()}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _markdown(self) -> str:
        code = "\n\n".join(_fenced(step) for step in self.steps if step.text)
        folded = f"\n\n<details><summary>the steps</summary>\n\n{code}\n\n</details>" if code else ""
        return f"**llmos** · {self.summary}\n\n{_without_markup(self._body())}{folded}"

    def _html(self) -> str:
        from markdown_it import MarkdownIt  # only for a display that wants it

        render = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render
        color = _BADGES.get(self.mode, ("#57606a", ""))[0] if self.ok else "#cf222e"
        rendered = render(self._body()).replace("<pre>", '<pre style="margin:.4em 0 .9em">')
        rest = " · ".join(self.summary.split(" · ")[1:])
        steps = "".join(
            f"<li><code>{html.escape(step.tool)}</code>"
            f"{'' if step.status == 'ok' else f' <b>{html.escape(step.status)}</b>'}"
            f'<pre style="margin:.3em 0 .8em;white-space:pre-wrap">{html.escape(step.text)}</pre></li>'
            for step in self.steps
        )
        folded = (
            f'<details style="margin-top:.4em"><summary style="cursor:pointer;opacity:.75">the steps</summary>'
            f'<ol style="margin:.4em 0">{steps}</ol></details>'
            if steps
            else ""
        )
        return (
            f'<div style="border-left:3px solid {color};padding:.1em 0 .1em .9em;margin:.3em 0">'
            f'<div style="font-size:90%"><span style="background:{color};color:#fff;border-radius:3px;'
            f'padding:.1em .5em">{html.escape(self.label)}</span> '
            f'<span style="opacity:.75">{html.escape(rest)}</span></div>'
            f"<div>{rendered}</div>{folded}</div>"
        )


def _without_markup(markdown: str) -> str:
    """Markdown whose HTML is text. Paragraphs without any, and blocks of code, stay as they are."""
    from markdown_it import MarkdownIt  # only for a display that wants it

    parse = MarkdownIt("commonmark").enable("table").parse
    lines = re.split(r"\r\n|\r|\n", markdown)
    for _ in range(ROUNDS):
        found = [
            token.map
            for token in parse("\n".join(lines))
            if token.type == "html_block" or any(child.type == "html_inline" for child in token.children or ())
        ]
        if not found:
            return "\n".join(lines)
        for start, end in filter(None, found):  # what follows may be read otherwise then, hence the next round
            lines[start:end] = [_TAG.sub("&lt;", line) for line in lines[start:end]]
    return "\n".join(line.replace("<", "&lt;") for line in lines)


def _fenced(step: ShownStep) -> str:
    """A step's text as a fenced block that its own backticks cannot close."""
    language = TOOLS[step.tool].language if step.tool in TOOLS else ""
    return fenced(language or "text", step.text)
