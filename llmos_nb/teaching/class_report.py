"""A teacher's view of a class: one row a workspace. Nothing is written into any of them, and a damaged one is told of."""

from __future__ import annotations

import contextlib
import html
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import LlmosError, StoreError
from llmos_nb.frames.rows import Report, Row, lost_ledger, run_rows
from llmos_nb.frames.schema import Column
from llmos_nb.frames.tables import frame_of
from llmos_nb.kernel.ledger_copy import copied_rows
from llmos_nb.teaching.progress import progress_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "ClassReport", "report"]

#: How deep workspaces are looked for below a folder, and how many are taken.
DEPTH: Final = 4
MOST: Final = 2_000
#: Bytes of a state database that is looked into.
STATE_LIMIT: Final = 500_000_000
#: What a folder has that is a workspace.
_MARKS: Final = (".llmos", "memory/sessions", "memory/traces", "memory/lessons.jsonl")
_MODES: Final = ("learner", "mixed", "follower", "crystallized", "orchestrator")
#: Folders that no workspace lies in.
_SKIPPED: Final = frozenset({"node_modules", "venv", "__pycache__", "site-packages"})

#: Whether it is play money, nano-dollars spent and saved, and how many costs are not known.
_Sums = tuple[bool, int, int, int]

COLUMNS: Final = [
    Column("student", "string", "whose workspace it is: the name of its folder, or of the one that folder lies in"),
    Column("goals", "Int64", "goals that a person asked for"),
    Column("successes", "Int64", "those that were reached"),
    *(Column(mode, "Int64", f"those that ran in the mode {mode}") for mode in _MODES),
    Column("exercises", "Int64", "exercises solved"),
    Column("tried", "Int64", "exercises tried, the solved ones among them"),
    Column("solved", "string", "which were solved: lesson/exercise, …"),
    Column("stuck_on", "string", "the last exercise that was tried and never solved, and what was wrong"),
    Column("spent_usd", "Float64", "real US dollars spent; <NA>: not known"),
    Column("play_usd", "Float64", "play money spent on the scripted endpoint"),
    Column("saved_usd", "Float64", "US dollars, real or play, that free modes saved"),
    Column("agents", "Int64", "agents of its own"),
    Column("traces", "Int64", "traces recorded"),
    Column("crystals", "Int64", "functions made of what was used often"),
    Column("last_activity", "datetime64[ns, UTC]", "when a goal began or an exercise was tried last"),
    Column("problems", "string", "what could not be read; empty: nothing"),
    Column("workspace", "string", "the folder"),
]


_NONE: Final = (
    "No workspace was found. Name the folder that holds the students' folders, each with a workspace in it."
)


@dataclass(frozen=True, slots=True)
class ClassReport:
    """``df`` has one row a workspace; in a notebook the report shows itself, as text, HTML and Markdown.

    ``without`` names the folders of the class in which there is no workspace: of students who have not begun, or of
    nobody.
    """

    df: pd.DataFrame
    without: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.df)

    @property
    def problems(self) -> list[str]:
        """What could not be read, one line a workspace."""
        return [f"{row['student']}: {row['problems']}" for row in self._records() if row["problems"]]

    def _records(self) -> list[dict[str, Any]]:
        return [{str(name): value for name, value in row.items()} for row in self.df.to_dict("records")]

    def _rows(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        head = (
            "student",
            "goals",
            "reached",
            "free",
            "exercises",
            "stuck on",
            "spent",
            "play money",
            "saved",
            "agents",
        )
        body: list[tuple[str, ...]] = []
        for row in self._records():
            body.append(
                (
                    str(row["student"]),
                    str(row["goals"]),
                    str(row["successes"]),
                    str(row["follower"] + row["crystallized"]),
                    f"{row['exercises']} of {row['tried']} tried",
                    str(row["stuck_on"]),
                    _usd(row["spent_usd"]),
                    _usd(row["play_usd"]),
                    _usd(row["saved_usd"]),
                    str(row["agents"]),
                )
            )
        return head, body

    def __str__(self) -> str:
        if not len(self.df):
            return _NONE
        head, body = self._rows()
        widths = [min(48, max(len(row[i]) for row in (head, *body))) for i in range(len(head))]
        lines = [
            "  ".join(cell[:width].ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (head, *body)
        ]
        wrong = ["Could not be read:", *self.problems] if self.problems else []
        return "\n".join([*lines, *wrong, *([self._without] if self.without else [])])

    @property
    def _without(self) -> str:
        return f"No workspace yet in: {', '.join(self.without)}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not len(self.df):
            return f"<em>{html.escape(_NONE)}</em>"
        head, body = self._rows()
        left = 'style="text-align:left;vertical-align:top"'
        top = "".join(f"<th {left}>{html.escape(name)}</th>" for name in head)
        rows = "".join(
            "<tr>" + "".join(f"<td {left}>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in body
        )
        wrong = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems)
        told = f"<p>Could not be read:</p><ul>{wrong}</ul>" if wrong else ""
        told += f"<p>{html.escape(self._without)}</p>" if self.without else ""
        return f"<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>{told}"

    def plot(self, ax: Any = None) -> Any:
        """Exercises solved and goals by mode, a bar a student; gives matplotlib axes.

        Raises:
            PlotError: matplotlib is not installed.
        """
        from llmos_nb.teaching.class_plot import class_plot

        return class_plot(self.df, ax)


def report(workspaces: Path | str | Iterable[Path | str]) -> ClassReport:
    """What a class did: one row a workspace, by student.

    Args:
        workspaces: a folder that holds the workspaces (up to four levels below it), a workspace, or a list of folders.

    A folder called ``workspace`` in which nothing was done yet has a row of zeros; folders of the class without one are
    named in ``without``. What is damaged is told in the column ``problems``, and the rest is counted. Nothing is written
    into a workspace.

    Raises:
        StoreError: there is no such folder.
    """
    given = [workspaces] if isinstance(workspaces, str | os.PathLike) else list(workspaces)
    folders: dict[Path, None] = {}
    rows: list[Row] = []
    without: list[str] = []
    for one in given:
        place = Path(one).expanduser()
        if not place.is_dir():
            if isinstance(workspaces, str | os.PathLike):
                raise StoreError(f"{place}: there is no such folder.", remedy="Name the folder with the workspaces.")
            rows.append({**_empty(place), "problems": "there is no such folder"})
            continue
        found = list(_below(place, 0))
        if not found and not isinstance(workspaces, str | os.PathLike):
            rows.append({**_empty(place), "problems": "there is no workspace in this folder"})
        without += _begun_by_nobody(place, found)
        folders |= dict.fromkeys(path.resolve() for path in found)
    rows += [_row(folder) for folder in list(folders)[:MOST]]
    named = _apart(rows)
    ordered = sorted(named, key=lambda row: (row["student"].casefold(), row["workspace"]))
    return ClassReport(frame_of(COLUMNS, ordered), tuple(without))


def _begun_by_nobody(folder: Path, found: Iterable[Path]) -> list[str]:
    """The names of the folders in it that hold none of the workspaces that were found; none where it is one itself."""
    holding = {path.relative_to(folder).parts[:1] for path in found}
    if not holding or () in holding:
        return []
    return [entry.name for entry in _folders(folder) if (entry.name,) not in holding]


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    """The folders in a folder that workspaces may lie in, by name; no hidden ones, none of one that cannot be read."""
    try:
        inside = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    seen = (entry for entry in inside if entry.name not in _SKIPPED and not entry.name.startswith("."))
    return sorted(seen, key=lambda entry: entry.name)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """The workspaces in a folder, itself among them; links are not followed."""
    if folder.name == "workspace" or any((folder / mark).exists() for mark in _MARKS):
        yield folder
        return
    if depth >= DEPTH:
        return
    for entry in _folders(folder):
        yield from _below(Path(entry.path), depth + 1)


def _empty(folder: Path) -> Row:
    name = folder.parent.name if folder.name == "workspace" and folder.parent.name else folder.name
    counts = [column.name for column in COLUMNS if column.dtype == "Int64"]
    return {
        "student": name or str(folder),
        "workspace": str(folder),
        "solved": "",
        "stuck_on": "",
        "problems": "",
        **dict.fromkeys(counts, 0),
        **dict.fromkeys(("spent_usd", "play_usd", "saved_usd"), 0.0),
    }


def _apart(rows: list[Row]) -> list[Row]:
    """Rows whose students have the same name get their folder's name before it."""
    for row in rows:
        if sum(other["student"] == row["student"] for other in rows) > 1:
            parts = [part for part in Path(row["workspace"]).parts if part != "workspace"]
            row["shown"] = "/".join(parts[-2:])
    for row in rows:
        row["student"] = row.pop("shown", row["student"])
    return rows


def _row(folder: Path) -> Row:
    row = _empty(folder)
    problems: list[str] = []
    moments: list[float] = []
    _runs(folder, row, moments, lambda error: problems.append(error.message))
    _money(folder, row, problems)
    tried, wrong = progress_of(folder)
    problems += wrong
    row["exercises"], row["tried"] = sum(one.solved for one in tried), len(tried)
    row["solved"] = ", ".join(f"{one.lesson}/{one.exercise}" for one in tried if one.solved)
    stuck = [one for one in tried if not one.solved]
    if stuck:
        last = max(stuck, key=lambda one: one.last_at)
        often = f"{last.tries} {'try' if last.tries == 1 else 'tries'}"
        row["stuck_on"] = f"{last.exercise} ({often}): {' '.join(last.last_said.split())[:160]}"
    moments += [one.last_at for one in tried]
    for name, pattern in (
        ("agents", "agents/*.md"),
        ("traces", "memory/traces/**/*.md"),
        ("crystals", "crystals/*.py"),
    ):
        with contextlib.suppress(OSError):
            row[name] = sum(1 for path in folder.glob(pattern) if path.name != "__init__.py")
    row["last_activity"] = max(moments, default=None)
    row["problems"] = _told(problems)
    return row


def _told(problems: list[str]) -> str:
    first = "; ".join(" ".join(problem.split())[:200] for problem in problems[:3])
    return f"{first}; and {len(problems) - 3} more" if len(problems) > 3 else first


def _runs(folder: Path, row: Row, moments: list[float], note: Report) -> None:
    if not (folder / "memory" / "sessions").is_dir():
        return
    try:
        for run in run_rows(folder, note):
            if run.get("parent_run_id") or run.get("scheduled_by"):
                continue
            row["goals"] += 1
            row["successes"] += run.get("status") == "success"
            mode = run.get("mode")
            if mode in _MODES:
                row[mode] += 1
            if isinstance(run.get("started_at"), int | float) and not isinstance(run.get("started_at"), bool):
                moments.append(float(run["started_at"]))
    except (OSError, LlmosError) as error:
        remedy = "See that the folder's files can be read."
        note(error if isinstance(error, LlmosError) else StoreError(str(error), remedy=remedy))


def _money(folder: Path, row: Row, problems: list[str]) -> None:
    """What the ledger says, read from a copy: opening the database itself would write beside it."""
    state = folder / ".llmos" / "state.db"
    try:
        if not state.is_file():
            found = _copied(state)
            if not found and lost_ledger(folder):
                row.update(spent_usd=None, play_usd=None, saved_usd=None)
                problems.append("state.db: is not there, so what was spent is not known")
            _add_up(row, found)
            return
        if state.stat().st_size > STATE_LIMIT:
            raise OSError(f"larger than {STATE_LIMIT // 1_000_000} MB")
        with tempfile.TemporaryDirectory(prefix="llmos-report-") as place:
            for name in ("state.db", "state.db-wal"):
                if (state.parent / name).is_file():
                    shutil.copyfile(state.parent / name, Path(place) / name)
            with contextlib.closing(sqlite3.connect(Path(place) / "state.db")) as connection:
                found = connection.execute(
                    "SELECT simulated, SUM(cost), SUM(saved), SUM(cost IS NULL) FROM ledger GROUP BY simulated"
                ).fetchall()
        _add_up(row, found)
    except (OSError, sqlite3.Error, TypeError, ValueError, KeyError) as error:
        row.update(spent_usd=None, play_usd=None, saved_usd=None)
        problems.append(f"state.db: cannot be read ({error})")


def _copied(state: Path) -> list[_Sums]:
    """The sums of the copy in plain text that lies beside a state database, which itself was lost or left behind."""
    rows, _ = copied_rows(state)
    kinds = [[row for row in rows if bool(row["simulated"]) is simulated] for simulated in (False, True)]
    return [
        (
            bool(kind[0]["simulated"]),
            sum(row["cost"] or 0 for row in kind),
            sum(row["saved"] for row in kind),
            sum(row["cost"] is None for row in kind),
        )
        for kind in kinds
        if kind
    ]


def _add_up(row: Row, found: Iterable[_Sums]) -> None:
    from llmos_nb.kernel.ledger import to_usd

    for simulated, cost, saved, unknown in found:
        name = "play_usd" if simulated else "spent_usd"
        row[name] = None if unknown and not simulated else round(to_usd(cost or 0), 9)
        row["saved_usd"] = round(row["saved_usd"] + to_usd(saved or 0), 9)


def _usd(value: Any) -> str:
    try:
        return f"${float(value):.4f}"
    except (TypeError, ValueError):
        return "unknown"
