"""What an agent sees: every part of what the model is given for a goal, how long it is, and what was kept from it."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.cortex.context import ContextUse
from llmos_nb.cortex.options import instructions_of
from llmos_nb.crystals.offered import crystal_tools
from llmos_nb.crystals.shelf import CrystalShelf
from llmos_nb.dispatch.recalled import Injection
from llmos_nb.kernel.fenced import fenced
from llmos_nb.mind import Agent
from llmos_nb.tools.cell import RUN_CELL
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.summary import NamespaceSummary, tokens_about
from llmos_nb.tools.tool import Tool

__all__ = ["Part", "Seen", "seen"]

#: Tokens that Claude models take, as Anthropic documents them. Other models tell after their first answer.
CLAUDE_TOKENS: Final = 200_000
_HOW: Final = "Tokens are estimated, one for 3.5 bytes; Claude Code's own instructions and tools come on top"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what the model is given: ``items`` are what it consists of, each with its tokens; ``note`` says more."""

    name: str
    text: str
    note: str = ""
    items: tuple[tuple[str, int], ...] = ()

    @property
    def tokens(self) -> int:
        """About how many tokens it takes."""
        return tokens_about(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the model is given for a goal, in the order in which it gets it.

    ``used`` are the SDK's own figures after the run, None before one. ``limit`` is what the model takes in all, None
    where that is not known. ``withheld`` names variables that are described by their type alone, with why.
    """

    goal: str
    agent: str
    parts: tuple[Part, ...]
    note: str = ""
    limit: int | None = None
    used: ContextUse | None = None
    withheld: tuple[tuple[str, str], ...] = ()

    @property
    def tokens(self) -> int:
        """About how many tokens all parts take together."""
        return sum(part.tokens for part in self.parts)

    def part(self, name: str) -> Part:
        """The part of this name.

        Raises:
            KeyError: there is none.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(f"There is no part {name!r}: {', '.join(part.name for part in self.parts)}.")

    @property
    def summary(self) -> str:
        """One line: how much it is, of how much, and how that was found out."""
        share = f" of {self.limit:,} ({self.tokens / self.limit:.1%})" if self.limit else ""
        return f"{self.agent} sees about {self.tokens:,} tokens{share} when it begins. {_HOW}."

    def _ends(self) -> list[str]:
        """What is said below the parts."""
        said = [f"Withheld: {', '.join(f'{name} ({why})' for name, why in self.withheld)}."] if self.withheld else []
        if self.used is not None:
            of = f" of {self.used.limit:,}" if self.used.limit else ""
            said.append(f"By the SDK's own count: {self.used.tokens:,} tokens{of} at the last call.")
            said += [f"  {name}: {tokens:,}" for name, tokens in self.used.parts]
        return said

    def __str__(self) -> str:
        width = max(len(part.name) for part in self.parts)
        lines = [self.summary, *([self.note] if self.note else []), ""]
        lines += [f"{part.name:{width}}  {part.tokens:6,}  {part.note}".rstrip() for part in self.parts]
        return "\n".join([*lines, "", *self._ends()]).rstrip()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        lines = [
            self.summary,
            "",
            *([self.note, ""] if self.note else []),
            "| part | tokens | |",
            "| --- | ---: | --- |",
        ]
        lines += [
            f"| {part.name} | {part.tokens:,} | {part.note.replace('|', chr(92) + '|')} |" for part in self.parts
        ]
        lines += ["", *self._ends(), ""]
        for part in self.parts:
            if part.text:
                lines += [
                    f"<details><summary>{part.name}</summary>",
                    "",
                    fenced("text", part.text),
                    "",
                    "</details>",
                    "",
                ]
        return "\n".join(lines).rstrip()

    def _repr_html_(self) -> str:
        rows = "".join(_row(part) for part in self.parts)
        ends = "".join(f"<div>{html.escape(line)}</div>" for line in self._ends())
        note = f"<div>{html.escape(self.note)}</div>" if self.note else ""
        left = 'style="text-align:left"'
        head = f'<th {left}>part</th><th style="text-align:right">tokens</th><th {left}>what it is</th>'
        return (
            f"<div>{html.escape(self.summary)}</div>{note}<table><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table>{ends}"
        )


def _row(part: Part) -> str:
    left, top = "text-align:left;vertical-align:top", "text-align:right;vertical-align:top"
    items = "".join(f"<li>{html.escape(name)}: {tokens:,}</li>" for name, tokens in part.items)
    inside = f"<ul>{items}</ul>" if items else ""
    if part.text:
        inside += f'<pre style="white-space:pre-wrap;margin:.4em 0">{html.escape(part.text)}</pre>'
    what = html.escape(part.note) or "none"
    if inside:
        what = f'<details><summary style="cursor:pointer">{what}</summary>{inside}</details>'
    return (
        f'<tr><th scope="row" style="{left}">{html.escape(part.name)}</th><td style="{top}">{part.tokens:,}</td>'
        f'<td style="{left}">{what}</td></tr>'
    )


def seen(
    goal: str,
    agent: Agent,
    *,
    team: Sequence[Agent] = (),
    crystals: CrystalShelf,
    namespace: NamespaceSummary,
    project: str = "",
    guidance: str = "",
    guides: Sequence[str] = (),
    briefing: str = "",
    injection: Injection | None = None,
    endpoint_kind: str = "",
    note: str = "",
) -> Seen:
    """The parts of what ``agent`` is given for ``goal``; empty parts stay, so that one sees that there is nothing."""
    offered = [*(TOOLS[name] for name in agent.tools if name in TOOLS)]
    offered += crystal_tools(crystals) if RUN_CELL.name in agent.tools else []
    built_in = [name for name in agent.tools if name not in TOOLS]
    schemas = [(tool.name, _schema(tool)) for tool in offered]
    facts = injection.given if injection is not None else ()
    lessons = injection.lessons if injection is not None else ()
    parts = [
        Part("system prompt", instructions_of(agent), f"who {agent.name} is and how it works"),
        Part(
            "tools",
            "\n".join(text for _, text in schemas),
            _list([*(name for name, _ in schemas), *(f"{name} (Claude Code's own, not counted)" for name in built_in)]),
            tuple((name, tokens_about(text)) for name, text in schemas),
        ),
        Part("delegates", "\n".join(f"{one.name}: {one.description}" for one in team), _list(one.name for one in team)),
        Part("project", project, "where it works, and the project's context" if project else ""),
        Part("plan", briefing, "its place in the plan" if briefing else ""),
        Part("guidance", guidance, f"steps of {_list(guides)}" if guidance and guides else ""),
        Part(
            "memory",
            injection.text if injection is not None else "",
            _list(_count(len(some), word) for some, word in ((facts, "fact"), (lessons, "lesson")) if some),
            tuple((one.fact.text, tokens_about(one.fact.text)) for one in facts),
        ),
        Part(
            "namespace",
            namespace.text,
            _described(namespace),
            tuple((variable.text, variable.tokens) for variable in namespace.told),
        ),
        Part("goal", goal, " ".join(goal.split())[:90]),
    ]  # fmt: skip
    return Seen(
        goal=goal,
        agent=agent.name,
        parts=tuple(part for part in parts if part.text or part.name not in ("plan", "delegates")),
        note=note,
        limit=CLAUDE_TOKENS if endpoint_kind == "claude" else None,
        withheld=tuple((one.name, one.withheld) for one in (*namespace.told, *namespace.left_out) if one.withheld),
    )


def _schema(tool: Tool) -> str:
    return json.dumps({"name": tool.name, "description": tool.description, "input_schema": tool.schema})


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _described(summary: NamespaceSummary) -> str:
    if not summary.text:
        return ""
    left = f", {len(summary.left_out)} more for which there is no room" if summary.left_out else ""
    return f"{_count(len(summary.told), 'variable')} described, none of them shown{left}"
