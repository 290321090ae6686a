r"""A plan as Markdown that people read and edit, and back.

````markdown
# Plan

Research the notes on penguins and write a report.

- answer: report

## counts

- agent: data-analyst
- produces: variable counts: penguins by species

Count the penguins by species in penguins.csv and keep the table in the variable counts.

## report

- needs: counts
- produces: file report.md
- share: 0.5

Write a report on the variable counts to report.md.
````

The first part is the goal of the whole; every ``##`` is a node: its properties as a list, then its goal. A line of a
goal that would be read as something else begins with a backslash; so does a goal that begins like a property.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import PlanError

if TYPE_CHECKING:
    from llmos_nb.dispatch.orchestrator.plan import Plan

__all__ = ["read", "written"]

_NAMES: Final = ("agent", "needs", "produces", "share", "answer")
#: How alike a word and a property's name are (difflib's ratio) where, within a goal, it is taken for a slip of the pen.
NEAR: Final = 0.8
_PROPERTY: Final = re.compile(r"-\s+(agent|needs|produces|share|answer)\s*:\s*(.*)")
#: What a line of a goal must not begin with as it is.
_SPECIAL: Final = re.compile(r"\\|#{1,2}(?:\s|$)|-\s+(?:agent|needs|produces|share|answer)\s*:")
#: What is taken for a property where one may stand.
_LIKE_A_PROPERTY: Final = re.compile(r"\s*[-*+]\s*`?([A-Za-z_]+)`?\s*[:=]")
_PRODUCT: Final = re.compile(r"(variable|file)\s+`?([^:`]+?)`?\s*(?::\s*(.*))?")


def written(plan: Plan) -> str:
    """``plan`` as Markdown."""
    lines = ["# Plan", "", *_goal_lines(plan.goal), ""]
    if plan.answer:
        lines += [f"- answer: {', '.join(plan.answer)}", ""]
    for node in plan.nodes:
        lines += [f"## {node.id}", ""]
        properties = [f"- agent: {node.agent}"] if node.agent else []
        if node.needs:
            properties.append(f"- needs: {', '.join(node.needs)}")
        for product in node.produces:
            properties.append(f"- produces: {product}" + (f": {product.meaning}" if product.meaning else ""))
        if node.share is not None:
            properties.append(f"- share: {node.share!r}")
        lines += [*properties, ""] if properties else []
        lines += [*_goal_lines(node.goal), ""]
    return "\n".join(lines).rstrip() + "\n"


def _misspelt(line: str, names: Sequence[str]) -> str:
    """The property that a line within a goal is most likely meant to be; empty where it is just a line."""
    found = _LIKE_A_PROPERTY.match(line)
    near = difflib.get_close_matches(found[1].lower(), names, n=1, cutoff=NEAR) if found is not None else []
    return near[0] if near else ""


def _goal_lines(goal: str) -> list[str]:
    lines, begun = [], False
    for line in goal.split("\n"):
        special = _SPECIAL.match(line) or (_misspelt(line, _NAMES) if begun else _LIKE_A_PROPERTY.match(line))
        lines.append(f"\\{line}" if special else line)
        begun = begun or bool(line.strip())
    return lines


def read(text: str) -> Plan:
    """The plan that ``text`` says.

    Raises:
        PlanError: it is none; the message starts with the line.
    """
    from llmos_nb.dispatch.orchestrator.plan import plan_from

    head, *sections = _sections(text)
    goal, properties = _parts(head[2], allowed=("answer",))
    if not sections:
        raise _wrong(
            head[2][-1][0] if head[2] else 1, "the plan has no node", "Write '## counts', and its goal below."
        )
    nodes = []
    for name, line, lines in sections:
        if not name:
            raise _wrong(line, "a node needs an id", "Write '## counts', say.")
        node_goal, found = _parts(lines, allowed=("agent", "needs", "produces", "share"))
        nodes.append({"id": name, "goal": node_goal, **found})
    return plan_from({"nodes": nodes, "answer": properties.get("answer", [])}, goal, "person")


_Lines = list[tuple[int, str]]


def _sections(text: str) -> Iterator[tuple[str, int, _Lines]]:
    """The part before the first node, then each node: its name, its line's number and its lines."""
    name, start, lines = "", 1, _Lines()
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), start=1):
        if re.match(r"##(?:\s|$)", line):
            yield name, start, lines
            name, start, lines = line[2:].strip().strip("`"), number, []
        elif re.match(r"#(?:\s|$)", line):
            if start != 1 or name or any(other.strip() for _, other in lines):
                raise _wrong(number, "only the first line may be '# Plan'", "Put a backslash before the #.")
        else:
            lines.append((number, line))
    yield name, start, lines


def _parts(lines: _Lines, allowed: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """A section's goal, and its properties."""
    found: dict[str, Any] = {}
    goal: list[str] = []
    for number, line in lines:
        property_ = _PROPERTY.fullmatch(line.rstrip())
        if property_ is None:
            if not any(other.strip() for other in goal):
                _check_spelling(line, number, allowed)
            elif meant := _misspelt(line, allowed):
                raise _wrong(
                    number,
                    f"{line.strip()[:60]!r} looks like the property {meant}",
                    f"Write '- {meant}: …'; where the line is the goal's own, put a backslash before it.",
                )
            goal.append(line[1:] if line.startswith("\\") else line)
            continue
        name, value = property_[1], property_[2].strip()
        if name not in allowed:
            raise _wrong(number, f"{name} does not belong here", f"Here stand {', '.join(allowed)}.")
        if name == "produces":
            found.setdefault("produces", []).append(_product(value, number))
        elif name in found:
            raise _wrong(number, f"{name} is given twice", "Keep one of the two.")
        elif name in ("needs", "answer"):
            found[name] = [part.strip().strip("`") for part in value.split(",") if part.strip()]
        else:
            found[name] = _share(value, number) if name == "share" else value.strip("`")
    return "\n".join(goal).strip(), found


def _check_spelling(line: str, number: int, allowed: tuple[str, ...]) -> None:
    """A property before the goal that has no known name is a mistake, not the goal's first line."""
    found = _LIKE_A_PROPERTY.match(line)
    if found is None:
        return
    if found[1].lower() in allowed:
        raise _wrong(number, f"{line.strip()[:60]!r} is no property", f"Write '- {found[1].lower()}: …'.")
    near = difflib.get_close_matches(found[1].lower(), allowed, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise _wrong(
        number,
        f"{found[1]!r} is no property of {'a node' if 'needs' in allowed else 'a plan'}",
        f"{hint}Here stand {', '.join(allowed)}; where the line is the goal's own, put a backslash before it.",
    )


def _product(value: str, line: int) -> dict[str, str]:
    product = _PRODUCT.fullmatch(value)
    if product is None:
        raise _wrong(line, f"{value[:60]!r} is nothing that can be produced", "Write 'variable counts: what it is'.")
    return {"kind": product[1], "name": product[2], "meaning": product[3] or ""}


def _share(value: str, line: int) -> float:
    try:
        return float(value)
    except ValueError:
        raise _wrong(line, f"share must be a number, got {value[:40]!r}", "Write 'share: 0.25'.") from None


def _wrong(line: int, what: str, remedy: str) -> PlanError:
    return PlanError(f"line {line}: {what}.", remedy=remedy)
