"""What became of exercises: lines appended to ``memory/lessons.jsonl`` of a workspace, which agents' code cannot write."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import StoreError
from llmos_nb.guard.effects import unwatched
from llmos_nb.kernel.files import append_line, make_folder
from llmos_nb.kernel.whose import persons_only
from llmos_nb.mind.folder import locked

__all__ = ["Progress", "keep", "progress_of"]

#: Characters of what was said that are kept.
SAID: Final = 300
#: Seconds to wait for another kernel that writes.
PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How an exercise stands: how often it was tried, and whether it was ever right; times in seconds since 1970."""

    lesson: str
    exercise: str
    tries: int
    solved: bool
    last_said: str
    last_at: float


def keep(workspace: Path, lesson: str, exercise: str, passed: bool, said: str) -> None:
    """Append one try.

    Raises:
        GuardDenied: an agent's code asks: exercises are a person's.
        StoreError: the workspace cannot be written.
    """
    persons_only("do exercises")
    path = workspace / "memory" / "lessons.jsonl"
    row = {"lesson": lesson, "exercise": exercise, "passed": passed, "said": said[:SAID], "at": round(time.time(), 3)}
    try:
        with unwatched():
            make_folder(path.parent)
            with locked(path.parent, PATIENCE_S):
                append_line(path, json.dumps(row, ensure_ascii=False).encode("utf-8"))
    except OSError as error:
        raise StoreError(
            f"{path}: the exercise cannot be noted ({error.strerror or error}).",
            remedy="Choose a workspace that you can write to.",
        ) from error


def progress_of(workspace: Path) -> tuple[list[Progress], list[str]]:
    """Every exercise that was tried, in the order of the first try, and what could not be read."""
    path = workspace / "memory" / "lessons.jsonl"
    found: dict[tuple[str, str], Progress] = {}
    problems: list[str] = []
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [f"{path.name}: cannot be read ({error.strerror or error})"]
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
            lesson, exercise, passed = str(row["lesson"]), str(row["exercise"]), row["passed"] is True
            said, at = str(row.get("said", "")), float(row["at"])
        except (ValueError, KeyError, TypeError, RecursionError):
            problems.append(f"{path.name}:{number}: no line of an exercise")
            continue
        old = found.get((lesson, exercise))
        tries, solved = (old.tries, old.solved) if old else (0, False)
        found[lesson, exercise] = Progress(lesson, exercise, tries + 1, solved or passed, said, at)
    return list(found.values()), problems
