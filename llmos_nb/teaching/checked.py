"""An answer looked at: is it right, what is wrong with it, and what might help."""

from __future__ import annotations

import html
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_nb.teaching.expect import Expecting, Wrong
from llmos_nb.teaching.lesson import Exercise, Lesson

__all__ = ["Checked", "checked"]


@dataclass(frozen=True, slots=True)
class Checked:
    """``said`` is what is wrong, or what there is to say when it is right; ``hint`` may be empty."""

    lesson: str
    exercise: str
    passed: bool
    said: str
    hint: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        lines = [f"{'✔' if self.passed else '✘'} {self.exercise}: {self.said}"]
        return "\n".join([*lines, *([f"Hint: {self.hint}"] if self.hint else [])])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        told = f"{'✔' if self.passed else '✘'} **{self.exercise}**: {_escaped(self.said)}"
        return f"{told}\n\n*Hint: {_escaped(self.hint)}*" if self.hint else told

    def _repr_html_(self) -> str:
        color = "#1a7f37" if self.passed else "#9a6700"
        hint = (
            f'<div style="opacity:.85;margin-top:.3em"><i>Hint: {html.escape(self.hint)}</i></div>'
            if self.hint
            else ""
        )
        return (
            f'<div style="border-left:4px solid {color};padding:.3em .8em">{"✔" if self.passed else "✘"} '
            f"<b>{html.escape(self.exercise)}</b>: {html.escape(self.said)}{hint}</div>"
        )


def checked(lesson: Lesson, exercise: Exercise, names: Mapping[str, Any], folder: Path, failures: int = 0) -> Checked:
    """Look at an answer. ``names`` are the variables, ``failures`` how often it was wrong before: which hint is due.

    The check works on a copy of the names and binds nothing.
    """
    space = {**names, "expect": Expecting(names, folder), "__name__": "__check__"}
    code = compile("\n" * (exercise.line - 1) + exercise.check, str(lesson.path), "exec", dont_inherit=True)
    try:
        exec(code, space)
        said = ""
    except Wrong as wrong:
        said = str(wrong)
    except AssertionError as error:
        said = str(error) or f"This does not hold: {_line_of(error, exercise)}"
    except NameError as error:
        said = f"There is no variable {error.name} yet. Assign your answer to it."
    except Exception as error:  # noqa: BLE001 - whatever an answer makes a check raise is told
        said = f"Your answer could not be looked at: {type(error).__name__}: {error} (in {_line_of(error, exercise)})"
    if not said:
        return Checked(lesson.name, exercise.name, True, exercise.solved or "Right.")
    hint = exercise.hints[min(failures, len(exercise.hints) - 1)] if exercise.hints else ""
    return Checked(lesson.name, exercise.name, False, said, hint)


def _line_of(error: BaseException, exercise: Exercise) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.name == "<module>"]
    number = (frames[-1].lineno or exercise.line) - exercise.line if frames else 0
    lines = exercise.check.split("\n")
    return lines[number].strip() if 0 <= number < len(lines) else "the check"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
