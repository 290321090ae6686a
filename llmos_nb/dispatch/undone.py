"""What came of taking a run back, and the list of runs that can be, as people see them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llmos_nb.dispatch.changes import FileChange, NameChange
from llmos_nb.dispatch.prose import PROSE

__all__ = ["Undoable", "Undone"]

_COLUMNS: Final = ("run", "goal", "it changed", "can be taken back")
_NONE: Final = "no run of this kernel changed anything yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A run that was taken back.

    ``names`` and ``files`` are what the run had done to them; they are as before it now. ``left`` is what was left
    alone, with the reason, ``failed`` what could not be put back, ``notes`` what an undo never takes back. ``values``
    has what the names stood for until then: nothing that was in a variable is lost.
    """

    run_id: str
    goal: str
    names: tuple[NameChange, ...] = ()
    files: tuple[FileChange, ...] = ()
    environment: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """Whether everything is as it was before the run."""
        return not self.left and not self.failed

    def lines(self) -> list[str]:
        """What is as before now, one line a thing."""
        said = {"created": "is gone", "changed": "is {before} again", "deleted": "is back: {before}"}
        found = [
            f"{what} {said[kind].format(before=before)}"
            for what, kind, before in (
                *((one.name, one.kind, one.before) for one in self.names),
                *((one.path, one.kind, one.before) for one in self.files),
            )
        ]
        found += [f"{name} is as before" for name in self.environment]
        return found

    def __str__(self) -> str:
        goal = " ".join(self.goal.split())
        title = f"“{goal[:80]}{'…' if len(goal) > 80 else ''}”"
        lines = self.lines()
        parts = [f"Taken back: {title}" if lines else f"Nothing was taken back of {title}"]
        parts += [f"- {line}" for line in lines]
        if self.failed:
            parts += ["Could not be put back:", *(f"- {line}" for line in self.failed)]
        if self.left:
            parts += ["Left as it is:", *(f"- {line}" for line in self.left)]
        return "\n".join([*parts, *self.notes])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        return str(self).replace("<", "&lt;").replace("\n", "  \n")

    def _repr_html_(self) -> str:
        return f'<pre style="{PROSE}">{html.escape(str(self))}</pre>'


@dataclass(frozen=True, slots=True)
class Undoable:
    """The runs of this kernel that changed something: id, goal, what it changed, and whether it can be taken back."""

    rows: tuple[tuple[str, str, str, str], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __str__(self) -> str:
        if not self.rows:
            return _NONE
        table = [_COLUMNS, *self.rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(_COLUMNS))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<em>{_NONE}</em>"
        left = 'style="text-align:left;vertical-align:top"'
        head = "".join(f"<th {left}>{name}</th>" for name in _COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td {left}>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    @property
    def ids(self) -> list[str]:
        """The runs that can be taken back whole, the newest first."""
        return [row[0] for row in self.rows if row[3] == "yes"]
