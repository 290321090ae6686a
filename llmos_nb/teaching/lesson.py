"""A lesson: one Markdown file of exercises, each with its text, its check, and what to say.

The first line is its title, ``# Title``. An exercise begins with ``## name: What it is about`` and has, beside its text,
one fenced block ```` ```python check ```` whose ``expect(…)`` lines say what an answer must be (see
:class:`~llmos_nb.teaching.Expecting`), blocks ```` ```text hint ````, the first of which is given after the first answer
that is wrong, the next after the second, and perhaps a block ```` ```text solved ```` with what to say then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import LessonError

__all__ = ["Exercise", "Lesson", "read_lesson"]

#: Bytes of a lesson, and exercises in one.
FILE_LIMIT: Final = 256_000
MOST: Final = 100
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)")
_ROLES: Final = {"python check": "check", "text hint": "hint", "text solved": "solved"}


@dataclass(frozen=True, slots=True)
class Exercise:
    """``text`` is Markdown, ``check`` is Python; ``line`` is where the check begins in the file."""

    name: str
    title: str
    text: str
    check: str
    line: int
    hints: tuple[str, ...] = ()
    solved: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """The exercises of a file, in order. ``name`` is the file's stem."""

    name: str
    title: str
    path: Path
    exercises: tuple[Exercise, ...]

    def exercise(self, name: str) -> Exercise:
        """The exercise of this name.

        Raises:
            LessonError: there is none.
        """
        for one in self.exercises:
            if one.name == name:
                return one
        raise LessonError(
            f"The lesson {self.name} has no exercise {name!r}." if name else "Which exercise is to be checked?",
            remedy=f"It has {', '.join(one.name for one in self.exercises)}.",
        )

    def __str__(self) -> str:
        parts = [f"{self.title}", *(f"{one.name}: {one.title}" if one.title else one.name for one in self.exercises)]
        return "\n".join(parts)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        listed = [f"{n}. **{one.name}**: {one.title}" for n, one in enumerate(self.exercises, start=1)]
        return "\n".join([f"### {self.title}", "", *listed])


def read_lesson(path: Path | str) -> Lesson:
    """The lesson in a file.

    Raises:
        LessonError: it cannot be read, or is no lesson; the message starts with ``path:line``.
    """
    path = Path(path).expanduser()
    if not path.suffix:
        path = path.with_suffix(".md")
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LessonError(f"{path}:{line}: not UTF-8 text.", remedy="Save the file as UTF-8.") from error
    except OSError as error:
        near = (
            ", ".join(sorted(other.name for other in path.parent.glob("*.md"))[:10]) if path.parent.is_dir() else ""
        )
        raise LessonError(
            f"{path}: cannot be read ({error.strerror or error}).",
            remedy=f"The folder holds {near}." if near else "Name the lesson's file.",
        ) from error
    if len(data) > FILE_LIMIT:
        raise LessonError(f"{path}:1: the file is larger than {FILE_LIMIT} bytes.", remedy="Make two lessons of it.")
    return _parsed(text, path)


def _parsed(text: str, path: Path) -> Lesson:
    def wrong(line: int, what: str, remedy: str) -> LessonError:
        return LessonError(f"{path}:{line}: {what}.", remedy=remedy)

    if not _NAME.fullmatch(path.stem):
        raise wrong(1, f"{path.stem!r} cannot be a lesson's name", "Name the file with a-z, 0-9 and '-'.")
    lines = text.split("\n")
    if not lines[0].startswith("# "):
        raise wrong(1, "the first line is no title", "Begin with '# Title'.")
    exercises: list[Exercise] = []
    sections = _sections(lines)
    for at, heading, body in sections:
        name, _, title = heading.partition(":")
        if not _NAME.fullmatch(name.strip()):
            raise wrong(at, f"{name.strip()!r} cannot be an exercise's name", "Write '## mean-mass: The mean mass'.")
        if any(one.name == name.strip() for one in exercises):
            raise wrong(at, f"there is another exercise {name.strip()!r}", "Give it another name.")
        exercises.append(_exercise(name.strip(), title.strip(), at, body, path))
    if not exercises or len(exercises) > MOST:
        raise wrong(
            1, f"it has {len(exercises)} exercises", f"Write 1 to {MOST}, each under '## name: What it is about'."
        )
    return Lesson(path.stem, lines[0][2:].strip(), path, tuple(exercises))


def _sections(lines: list[str]) -> list[tuple[int, str, list[tuple[int, str]]]]:
    found: list[tuple[int, str, list[tuple[int, str]]]] = []
    fence = ""
    for number, line in enumerate(lines[1:], start=2):
        fence = _after(line, fence)
        if not fence and line.startswith("## "):
            found.append((number, line[3:].strip(), []))
        elif found:
            found[-1][2].append((number, line))
    return found


def _after(line: str, fence: str) -> str:
    """The fence that is open after a line."""
    found = _FENCE.fullmatch(line.rstrip())
    if not fence:
        return found[1] if found else ""
    closes = found is not None and not found[2] and found[1][0] == fence[0] and len(found[1]) >= len(fence)
    return "" if closes else fence


def _exercise(name: str, title: str, at: int, body: list[tuple[int, str]], path: Path) -> Exercise:
    kept: list[str] = []
    blocks: dict[str, list[tuple[int, str]]] = {"check": [], "hint": [], "solved": []}
    fence, role, begun, inside = "", "", at, list[str]()
    for number, line in body:
        before, fence = fence, _after(line, fence)
        if fence and not before:
            found = _FENCE.fullmatch(line.rstrip())
            role = _ROLES.get(" ".join(found[2].split()) if found else "", "")
            begun, inside = number + 1, []
            if not role:
                kept.append(line)
        elif before and not fence:
            if role:
                blocks[role].append((begun, "\n".join(inside)))
            else:
                kept.append(line)
        elif before and role:
            inside.append(line)
        else:
            kept.append(line)
    if fence:
        raise LessonError(f"{path}:{begun - 1}: a fenced block is not closed.", remedy=f"Close it with {fence}.")
    if len(blocks["check"]) != 1 or len(blocks["solved"]) > 1:
        raise LessonError(
            f"{path}:{at}: the exercise {name} has {len(blocks['check'])} checks.",
            remedy="Give it one block ```python check, and at most one ```text solved.",
        )
    first, check = blocks["check"][0]
    try:
        compile(check, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = first + (getattr(error, "lineno", 1) or 1) - 1
        raise LessonError(
            f"{path}:{where}: the check of {name} is no Python ({error}).", remedy="Correct it."
        ) from error
    solved = blocks["solved"][0][1].strip() if blocks["solved"] else ""
    hints = tuple(hint.strip() for _, hint in blocks["hint"])
    return Exercise(name, title, "\n".join(kept).strip(), check, first, hints, solved)
