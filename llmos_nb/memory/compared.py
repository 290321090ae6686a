"""Two traces side by side: what is the same in goal, steps and answer, and what is not."""

from __future__ import annotations

import difflib
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from llmos_nb.memory.trace import Step, Trace

__all__ = ["Comparison", "Line", "Section", "compared", "step_text"]

#: Of a step's arguments, the one that people read; the first that is there is taken.
_READ: Final = ("code", "command", "content", "new_string", "text", "prompt")
_SIGNS: Final = {"same": " ", "changed": "~", "left": "-", "right": "+"}
_COLORS: Final = {"changed": "rgba(191,135,0,.16)", "left": "rgba(207,34,46,.13)", "right": "rgba(26,127,55,.14)"}


class Line(NamedTuple):
    """One line of each side; ``left`` and ``right`` alone have only one of them, and the other is empty."""

    kind: Literal["same", "changed", "left", "right"]
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Section:
    """One part of both traces: the goal, a step, the answer."""

    name: str
    lines: tuple[Line, ...]

    @property
    def same(self) -> bool:
        """Whether both sides say the same."""
        return all(line.kind == "same" for line in self.lines)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two traces have in common, part by part. Shows itself as text, Markdown and HTML."""

    left: str
    right: str
    sections: tuple[Section, ...]

    @property
    def same(self) -> bool:
        """Whether goal, steps and answer are the same."""
        return all(section.same for section in self.sections)

    @property
    def differences(self) -> tuple[str, ...]:
        """The names of the parts that differ."""
        return tuple(section.name for section in self.sections if not section.same)

    @property
    def summary(self) -> str:
        """One sentence."""
        if self.same:
            return "Goal, steps and answer are the same."
        return f"Different: {', '.join(self.differences)}."

    def __str__(self) -> str:
        lines = [f"--- {self.left}", f"+++ {self.right}", self.summary]
        for section in self.sections:
            lines += ["", f"@@ {section.name}{' (the same)' if section.same else ''}", *_unified(section)]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/markdown": self._markdown(), "text/html": self._html()}

    def _markdown(self) -> str:
        from llmos_nb.kernel.fenced import fenced

        return fenced("diff", str(self))

    def _html(self) -> str:
        cell = "text-align:left;vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere;font-family:monospace"
        rows = []
        for section in self.sections:
            same = ' <span style="opacity:.75">(the same)</span>' if section.same else ""
            rows.append(f'<tr><th colspan="2" style="text-align:left">{html.escape(section.name)}{same}</th></tr>')
            for line in section.lines:
                sides = []
                for text, kind in ((line.left, "left"), (line.right, "right")):
                    there = line.kind in ("same", "changed", kind)
                    color = _COLORS.get(line.kind, "") if there else ""
                    sign = f"{_SIGNS[line.kind if line.kind != 'changed' else kind]} " if there else ""
                    style = f"{cell};background:{color}" if color else cell
                    sides.append(f'<td style="{style};width:50%">{html.escape(sign + text)}</td>')
                rows.append(f"<tr>{''.join(sides)}</tr>")
        head = "".join(f'<th style="text-align:left">{html.escape(id)}</th>' for id in (self.left, self.right))
        return (
            f"<div>{html.escape(self.summary)}</div><table style='width:100%;table-layout:fixed'>"
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


def compared(left: Trace, right: Trace) -> Comparison:
    """What is the same in two traces. Steps are put side by side where they are alike; numbers count those of each."""
    sections = [Section("goal", _lines(left.goal, right.goal)), *_steps(left.steps, right.steps)]
    sections.append(Section("answer", _lines(left.answer, right.answer)))
    if left.status != right.status or left.reason != right.reason:
        ends = (f"{trace.status} {trace.reason}".strip() for trace in (left, right))
        sections.insert(1, Section("how it ended", _lines(*ends)))
    return Comparison(left.id, right.id, tuple(sections))


def step_text(step: Step) -> str:
    """What people read of a step: its program, command or text, else its arguments."""
    read = [step.arguments[name] for name in _READ if isinstance(step.arguments.get(name), str)]
    rest = {name: value for name, value in step.arguments.items() if value not in read[:1]}
    if not read:
        return json.dumps(dict(step.arguments), ensure_ascii=False, indent=2, default=str) if step.arguments else ""
    named = "\n".join(f"# {name}: {value}" for name, value in rest.items())
    return f"{named}\n{read[0]}" if named else str(read[0])


def _steps(left: Sequence[Step], right: Sequence[Step]) -> Iterator[Section]:
    for one, two in _pairs(left, right):
        at = one if one is not None else two
        assert at is not None
        step = left[one] if one is not None else right[at]
        if one is None or two is None:
            name = f"step {at + 1} {'left' if two is None else 'right'} only: {step.tool}"
        elif left[one].tool != right[two].tool:
            name = f"step {one + 1}: {left[one].tool}, {right[two].tool}"
        else:
            name = f"step {one + 1}: {step.tool}" + (f" (step {two + 1} right)" if one != two else "")
        sides = (_told(left, one), _told(right, two))
        yield Section(name, _lines(*sides))


def _told(steps: Sequence[Step], at: int | None) -> str | None:
    if at is None:
        return None
    output = steps[at].output.rstrip()
    return f"{step_text(steps[at]).rstrip()}\n=> {output}" if output else step_text(steps[at]).rstrip()


def _pairs(left: Sequence[Step], right: Sequence[Step]) -> Iterator[tuple[int | None, int | None]]:
    """Which step stands beside which: the same ones first, and what lies between them in order."""
    one, two = ([(step.tool, step_text(step)) for step in steps] for steps in (left, right))
    for _, a, b, c, d in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        for at in range(max(b - a, d - c)):
            yield (a + at if a + at < b else None), (c + at if c + at < d else None)


def _lines(left: str | None, right: str | None) -> tuple[Line, ...]:
    """Both texts line by line; None: that side has no such part."""
    one, two = ([] if text is None else text.splitlines() for text in (left, right))
    found: list[Line] = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        for at in range(max(b - a, d - c)):
            before = one[a + at] if a + at < b else None
            after = two[c + at] if c + at < d else None
            if before is None or after is None:
                found.append(Line("left" if after is None else "right", before or "", after or ""))
            else:
                found.append(Line("same" if what == "equal" else "changed", before, after))
    return tuple(found)


def _unified(section: Section) -> Iterator[str]:
    for line in section.lines:
        if line.kind == "same":
            yield f" {line.left}"
        if line.kind in ("changed", "left"):
            yield f"-{line.left}"
        if line.kind in ("changed", "right"):
            yield f"+{line.right}"
