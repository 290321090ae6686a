"""``state/history.md``: one line for every run of a project, in the order they ended. Lines are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llmos_nb.errors import StoreError
from llmos_nb.kernel.files import append_line, make_folder
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.folder import locked

__all__ = ["PATIENCE_S", "PastRun", "add_line", "read_lines"]

#: Seconds to wait for another kernel that writes.
PATIENCE_S: Final = 10.0
#: Characters of a goal that a line has.
GOAL_SHOWN: Final = 300
_BETWEEN: Final = " · "


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run of a project. ``cost`` is in words, ``at`` ISO 8601 in UTC."""

    at: str
    status: str
    mode: str
    cost: str
    run_id: str
    goal: str

    def line(self) -> str:
        """The line of the file, without its end."""
        goal = " ".join(self.goal.split())
        goal = goal if len(goal) <= GOAL_SHOWN else f"{goal[: GOAL_SHOWN - 1]}…"
        goal = goal.encode("utf-8", "replace").decode("utf-8")
        return "- " + _BETWEEN.join((self.at, self.status, self.mode, self.cost, self.run_id, goal))


def add_line(path: Path, run: PastRun) -> None:
    """Add one line, whole or not at all; kernels that add at the same time wait for each other.

    Raises:
        StoreError: the file cannot be written, or is a link.
    """
    try:
        make_folder(path.parent)
        with locked(path.parent, PATIENCE_S):
            append_line(path, run.line().encode("utf-8"))
    except OSError as error:
        raise StoreError(
            f"{spelled(path)}: cannot be written ({error.strerror or error}).",
            remedy="Free some space, or make it an ordinary file again.",
        ) from error


def read_lines(path: Path) -> tuple[PastRun, ...]:
    """The runs in the file, the oldest first; what a person wrote between the lines is left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StoreError(
            f"{spelled(path)}: cannot be read ({error.strerror or error}).", remedy="Correct it."
        ) from error
    runs = []
    for line in text.splitlines():
        parts = line.removeprefix("- ").split(_BETWEEN, 5)
        if line.startswith("- ") and len(parts) == 6:
            runs.append(PastRun(*parts))
    return tuple(runs)
