"""What a goal came to, with a display that says the same everywhere and nothing that varies from run to run."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

from llmos_nb.cortex.context import ContextUse
from llmos_nb.dispatch.changes import Changes
from llmos_nb.dispatch.diffs import coloured_blocks
from llmos_nb.dispatch.orchestrator.node_result import NodeResult
from llmos_nb.dispatch.orchestrator.picture import ended_looks, image
from llmos_nb.dispatch.orchestrator.plan import Plan
from llmos_nb.dispatch.prose import PROSE
from llmos_nb.dispatch.seen import Seen
from llmos_nb.kernel.fenced import fenced
from llmos_nb.tools.namespace import Output
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.sandboxed import Offered

__all__ = ["STOPPED", "RunResult", "ShownStep"]

#: Why a run ended that a person stopped.
STOPPED: Final = "stopped by a person"

_BADGES: Final = {
    "crystallized": ("#6f42c1", "crystallized"),
    "follower": ("#1a7f37", "replayed, verified"),
    "mixed": ("#9a6700", "guided by a trace"),
    "learner": ("#0969da", "learned"),
    "orchestrator": ("#bf3989", "orchestrated"),
}
#: How often an answer is looked through for HTML before every ``<`` in it is taken for one.
ROUNDS: Final = 8
#: Characters of one step, and of all, that are shown: what a notebook keeps of 500 steps stays small. Of what is beyond,
#: a first line is.
STEP_SHOWN: Final = 8_000
STEPS_SHOWN: Final = 80_000
LINE_SHOWN: Final = 100
#: The modes in which an agent works.
_WORKED: Final = ("learner", "mixed", "orchestrator")
#: Of a run that is neither a success nor an error.
_GREY: Final = "#57606a"
_NOTE: Final = "Note: "
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
    project: str = ""
    endpoint: str = ""
    simulated: bool = False
    stale: bool = False
    mode_reason: str = ""
    #: Why a recorded run of this very goal was not replayed although it is there, and what to do about it.
    passed_over: str = ""
    #: Of the match that the mode rests on, 0 to 1; None where there was none.
    confidence: float | None = None
    remedy: str = ""
    duration_s: float = 0.0
    tokens: dict[str, int] = field(default_factory=dict)
    steps: tuple[ShownStep, ...] = ()
    #: What the cells of a scheduled run showed, which appeared nowhere; empty for a run in a cell.
    outputs: tuple[Output, ...] = ()
    #: What its cells showed in the cell that waited for it; see :attr:`LLMOS.last`.
    shown: tuple[Output, ...] = field(default=(), repr=False, compare=False)
    #: How full the model's context was at its last call; None where no model was asked.
    context: ContextUse | None = None
    #: All that the agent was given when it began; None where none was asked.
    seen: Seen | None = field(default=None, repr=False, compare=False)
    #: Remembered facts that the model was given beside the goal, each with why.
    recalled: tuple[str, ...] = ()
    #: How each node of the plan ended, in the plan's order; empty where no plan was run.
    nodes: tuple[NodeResult, ...] = ()
    #: What a person should know beside the answer, such as an agent's file that is broken.
    notices: tuple[str, ...] = ()
    #: Unified diffs of the agents that were created or changed.
    diffs: tuple[str, ...] = ()
    #: What it changed: names and files, before and after. ``%undo`` takes it back.
    changes: Changes = field(default_factory=Changes)
    #: The plan that was run, None where none was.
    plan: Plan | None = None
    #: The fence of the sandbox that its tools worked in; empty where they worked in the kernel.
    sandbox: str = ""
    #: The folder that it worked on; only of a sandboxed goal.
    folder: str = field(default="", repr=False, compare=False)
    #: What it made there: ``result.offered["name"]`` is a value, and :meth:`LLMOS.take` binds it.
    offered: Offered = field(default_factory=Offered, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the goal was reached."""
        return self.status == "success"

    @property
    def interrupted(self) -> bool:
        """Whether a person's interrupt (Ctrl-C, the notebook's stop button) ended it."""
        return self.status == "stopped" and self.reason.startswith("interrupted")

    @property
    def by_person(self) -> bool:
        """Whether a person ended it, by Stop or an interrupt: that is no error."""
        return self.interrupted or (self.status == "stopped" and self.reason.startswith(STOPPED))

    @property
    def label(self) -> str:
        """The run in a few words: how the goal was reached, or how it ended otherwise."""
        if not self.ok:
            return self.status.replace("_", " ")
        return "replayed, new outputs" if self.stale else _BADGES.get(self.mode, ("", self.mode))[1]

    @property
    def summary(self) -> str:
        """One line: the label, what it cost, in which project, how many steps."""
        parts = [self.label, self.price]
        if self.agent and self.mode in _WORKED:
            parts.append(f"agent {self.agent}")
        if self.project:
            parts.append(f"project {self.project}")
        if self.sandbox:
            parts.append("in a sandbox")
        if self.nodes:
            parts.append(f"{sum(node.ok for node in self.nodes)} of {len(self.nodes)} goals")
        if self.steps:
            parts.append(f"{len(self.steps)} step{'s' if len(self.steps) > 1 else ''}")
        if self.recalled:
            parts.append(f"{len(self.recalled)} fact{'s' if len(self.recalled) > 1 else ''} from memory")
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
            why = f"*{self.mode_reason}*" if self.mode == "mixed" and self.mode_reason else ""
            idle = f"*{self.passed_over}*" if self.passed_over else ""
            told = (why, idle, *self._shown_notices(), self.text, *self._shown_diffs(), self._shown_offers())
            return "\n\n".join(part for part in told if part)
        parts = [f"**{self.reason}**", self.remedy, self.passed_over, *self._shown_notices()]
        if self.text and self.text not in self.reason:
            parts.append(self.text)
        parts += self._shown_diffs()
        return "\n\n".join(part for part in parts if part)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """The nodes as a table's rows: what, how, at what cost, and why not."""
        play = " play money" if self.simulated else ""
        rows = []
        for node in self.nodes:
            cost = (
                "cost unknown"
                if node.cost_usd is None
                else f"${node.cost_usd:.4f}{play}"
                if node.cost_usd
                else "free"
            )
            why = "" if node.ok else node.reason
            rows.append((node.id, node.how, "" if node.status == "skipped" else cost, why))
        return rows

    def _shown_notices(self) -> list[str]:
        return [fenced("text", f"{_NOTE}{notice}") for notice in self.notices]

    def _shown_offers(self) -> str:
        """What a sandboxed goal made, and how it is taken."""
        if not self.offered:
            return ""
        first = next(iter((*self.offered.values, *self.offered.files)), "")
        how = f"; %llmos_take {first} takes one of them, %llmos_take all everything" if first else ""
        head = f"Made in the sandbox, and not in your kernel{how}:"
        return f"{head}\n\n{fenced('text', str(self.offered))}"

    def _shown_diffs(self) -> list[str]:
        """What was changed about agents, unless the text shows it itself."""
        return [fenced("diff", diff) for diff in self.diffs if diff not in self.text]

    def __str__(self) -> str:
        rows = ["  ".join(part for part in row if part) for row in self._rows()]
        table = "\n\n" + "\n".join(rows) if rows else ""
        given = "".join(f"\n- {fact}" for fact in self.recalled)
        memory = f"\n\nFrom memory:{given}" if given else ""
        changed = f"\n\n{self.changes.short()}" if self.changes else ""
        why = f"\n\n{self._why}" if self._why else ""
        return f"llmos · {self.summary}\n\n{self._body()}".rstrip() + table + memory + changed + why

    @property
    def _why(self) -> str:
        """Why the mode was taken, where the answer does not begin with it."""
        if not self.mode_reason or (self.ok and self.mode == "mixed"):
            return ""
        return f"Mode {self.mode}: {self.mode_reason}"

    @property
    def _told(self) -> str:
        """What is folded away below the answer."""
        return "the steps" if self.steps else "the mode"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Jupyter's display: the same content as plain text, Markdown and HTML."""
        return {"text/plain": str(self), "text/markdown": self._markdown(), "text/html": self._html()}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _markdown(self) -> str:
        parts = [_without_markup(self._why), *(_fenced(step) for step in _cut(self.steps) if step.text)]
        code = "\n\n".join(part for part in parts if part)
        folded = f"\n\n<details><summary>{self._told}</summary>\n\n{code}\n\n</details>" if code else ""
        if self.recalled:
            facts = fenced("text", "\n".join(" ".join(fact.split()) for fact in self.recalled))
            folded += f"\n\n<details><summary>from memory</summary>\n\n{facts}\n\n</details>"
        if self.changes:
            what = f"changed: {self.changes.summary}"
            folded += f"\n\n<details><summary>{what}</summary>\n\n{self.changes.markdown()}\n\n</details>"
        rows = "".join(f"\n| {' | '.join(_cell(part) for part in row)} |" for row in self._rows())
        table = f"\n\n| goal | how | cost | |\n|---|---|---|---|{rows}" if rows else ""
        return f"**llmos** · {self.summary.replace('<', '&lt;')}\n\n{_without_markup(self._body())}{table}{folded}"

    def _html(self) -> str:
        from markdown_it import MarkdownIt  # only for a display that wants it

        render = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render
        color = _BADGES.get(self.mode, (_GREY, ""))[0] if self.ok else _GREY if self.by_person else "#cf222e"
        rendered = coloured_blocks(render(self._body())).replace("<pre>", '<pre style="margin:.4em 0 .9em">')
        rendered = rendered.replace(f'em"><code class="language-text">{_NOTE}', f'em;{PROSE}"><code>{_NOTE}')
        rest = " · ".join(self.summary.split(" · ")[1:])
        steps = "".join(
            f"<li><code>{html.escape(step.tool)}</code>"
            f"{'' if step.status == 'ok' else f' <b>{html.escape(step.status)}</b>'}"
            f'<pre style="margin:.3em 0 .8em;white-space:pre-wrap">{html.escape(step.text)}</pre></li>'
            for step in _cut(self.steps)
        )
        steps = f'<ol style="margin:.4em 0">{steps}</ol>' if steps else ""
        why = f'<div style="opacity:.75;margin:.3em 0">{html.escape(self._why)}</div>' if self._why else ""
        folded = (
            f'<details style="margin-top:.4em"><summary style="cursor:pointer;opacity:.75">{self._told}</summary>'
            f"{why}{steps}</details>"
            if steps or why
            else ""
        )
        if self.recalled:
            facts = "".join(f"<li>{html.escape(fact)}</li>" for fact in self.recalled)
            folded += (
                f'<details style="margin-top:.4em"><summary style="cursor:pointer;opacity:.75">from memory</summary>'
                f'<ul style="margin:.4em 0">{facts}</ul></details>'
            )
        folded += self.changes.html()
        return (
            f'<div style="border-left:3px solid {color};padding:.1em 0 .1em .9em;margin:.3em 0">'
            f'<div style="font-size:90%"><span style="background:{color};color:#fff;border-radius:3px;'
            f'padding:.1em .5em">{html.escape(self.label)}</span> '
            f'<span style="opacity:.75">{html.escape(rest)}</span></div>'
            f"<div>{rendered}</div>{self._nodes_html()}{folded}</div>"
        )

    def _nodes_html(self) -> str:
        if not self.nodes:
            return ""
        cell = "td style='text-align:left'"
        rows = "".join(
            f"<tr>{''.join(f'<{cell}>{html.escape(part)}</td>' for part in row)}</tr>" for row in self._rows()
        )
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("goal", "how", "cost", ""))
        drawn = image(self.plan, ended_looks({node.id: node for node in self.nodes})) if self.plan else ""
        return f'{drawn}<table style="margin:.4em 0"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _cut(steps: tuple[ShownStep, ...]) -> list[ShownStep]:
    """The steps as they are shown: long ones, and those that come after much was shown, in part."""
    shown, left = [], STEPS_SHOWN
    for step in steps:
        text, limit = step.text, min(STEP_SHOWN, max(left, LINE_SHOWN))
        if len(text) > limit:
            text = text[:limit] if limit > LINE_SHOWN else text.strip().split("\n", 1)[0][:LINE_SHOWN]
            text = f"{text}\n… and {len(step.text) - len(text):,} characters more"
        left -= len(text)
        shown.append(replace(step, text=text))
    return shown


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


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
