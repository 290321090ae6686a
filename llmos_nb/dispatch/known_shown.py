"""What can be asked for free, as it is shown: each heading with its number and one goal, or all that has the words."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from llmos_nb.dispatch.known import Known, KnownTask

__all__ = ["as_html", "as_markdown", "as_text"]

#: How to see more, below the headings.
_MORE: Final = (
    "%llmos --known WORD lists all goals with that word or under that heading, such as %llmos --known {group}."
)


def _is_short(known: Known) -> bool:
    """Whether only the headings are shown: nobody asked for some of the goals."""
    return not known.words and len(known.tasks) > len(known.groups())


def _number(tasks: list[KnownTask]) -> int:
    """The goals under a heading that can be typed as they stand, or all where none can."""
    return sum(one.served for one in tasks) or len(tasks)


def _hint(known: Known) -> str:
    groups = known.groups()
    return _MORE.format(group=next((group for group in groups if group == "filter"), next(iter(groups))))


def as_text(known: Known) -> str:
    """For a terminal."""
    groups = known.groups()
    lines = [known.summary, ""]
    if _is_short(known):
        wide = max(map(len, groups))
        lines += [f"  {group:{wide}}  {_number(tasks):3}  {tasks[0].goal}" for group, tasks in groups.items()]
        return "\n".join([*lines, "", _hint(known)])
    for group, tasks in groups.items():
        lines += [group, *(f"  {one.goal}" for one in tasks), ""]
    return "\n".join(lines).rstrip()


def as_markdown(known: Known) -> str:
    """For a notebook that shows no HTML."""
    groups = known.groups()
    lines = [known.summary, ""]
    if _is_short(known):
        lines += [f"- **{group}** ({_number(tasks)}): `{tasks[0].goal}`" for group, tasks in groups.items()]
        return "\n".join([*lines, "", _hint(known)])
    for group, tasks in groups.items():
        lines += [f"**{group}**", "", *(f"- `{one.goal}`" for one in tasks), ""]
    return "\n".join(lines).rstrip()


def as_html(known: Known) -> str:
    """For a page: headings that unfold, closed where there are many."""
    short = _is_short(known)
    parts = [f"<div>{html.escape(known.summary)}</div>"]
    for group, tasks in known.groups().items():
        goals = "".join(f"<li><code>{html.escape(one.goal)}</code></li>" for one in tasks)
        such = f" ({_number(tasks)}), such as <code>{html.escape(tasks[0].goal)}</code>" if short else ""
        unfolded = "" if short else " open"
        parts.append(
            f"<details{unfolded}><summary><b>{html.escape(group)}</b>{such}</summary><ul>{goals}</ul></details>"
        )
    if short:
        parts.append(f"<div>{html.escape(_hint(known))}</div>")
    return "".join(parts)
