"""One person's lesson: which is open, and what its checks said in this session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import LessonError
from llmos_nb.kernel.whose import persons_only
from llmos_nb.teaching.checked import Checked, checked
from llmos_nb.teaching.lesson import Exercise, Lesson, read_lesson
from llmos_nb.teaching.progress import keep

__all__ = ["Pupil"]

#: Where lessons usually lie, seen from the working folder, and how many are named.
_PLACES: Final = ("lessons", "notebooks/lessons", "../lessons")
_NAMED: Final = 5


class Pupil:
    """``names`` gives the variables now, ``last`` what checks know as ``last``: the last goal's result."""

    def __init__(
        self, workspace: Callable[[], Path], names: Callable[[], Mapping[str, Any]], last: Callable[[], Any]
    ) -> None:
        self._workspace, self._names, self._last = workspace, names, last
        self._lesson: Lesson | None = None
        self._failures: dict[str, int] = {}

    def lesson(self, path: Path | str | None = None) -> Lesson:
        """Open a lesson; the one that is open if None.

        Raises:
            LessonError: none is open, or it cannot be used.
        """
        if path is not None:
            self._lesson, self._failures = read_lesson(path), {}
        if self._lesson is None:
            here = [path.as_posix() for place in _PLACES for path in sorted(Path(place).glob("*.md"))][:_NAMED]
            there = f": {', '.join(here)} are here" if len(here) > 1 else f", e.g. {here[0]}" if here else ""
            raise LessonError("No lesson is open.", remedy=f"Say %lesson FILE{there}.")
        return self._lesson

    def exercise(self, name: str) -> Exercise:
        """An exercise of the open lesson."""
        return self.lesson().exercise(name)

    def check(self, name: str) -> Checked:
        """Look at the answer to an exercise as it is now, and note what came of it."""
        persons_only("do exercises")
        lesson, exercise = self.lesson(), self.exercise(name)
        names = {**self._names(), "last": self._last()}
        found = checked(lesson, exercise, names, Path.cwd(), self._failures.get(name, 0))
        self._note(name, found.passed, found.said)
        return found

    def note_try(self, name: str, said: str) -> None:
        """Note an answer that could not even be run."""
        self._note(name, False, said)

    def _note(self, name: str, passed: bool, said: str) -> None:
        if not passed:
            self._failures[name] = self._failures.get(name, 0) + 1
        keep(self._workspace(), self.lesson().name, name, passed, said)
