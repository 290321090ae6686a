"""What an answer must be, in lines that know what to say when it is something else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["Expecting", "Wrong"]

#: Characters of a value that are shown.
SHOWN: Final = 80
_KINDS: Final[Mapping[str, str]] = {
    "number": "a number",
    "text": "text",
    "table": "a DataFrame",
    "list": "a list",
    "function": "a function",
}


class Wrong(Exception):
    """What is wrong with an answer, in a sentence for the one who gave it."""


class Expecting:
    """``expect("answer")`` looks at a variable; ``expect.value(x, "the mode")`` at a value, ``expect.file(path)`` at a
    file's text. What follows is asked in order, and the first that does not hold is told::

        expect("answer").a("number").close_to(4201.75, within=0.01, unless={4207.06: "That leaves out more rows."})
        expect("table").a("table").has_columns("species", "mass").has_rows(344)
        expect.value(last.mode, "the mode of your last goal").equals("follower")
    """

    def __init__(self, names: Mapping[str, Any], folder: Path) -> None:
        self._names, self._folder = names, folder

    def __call__(self, name: str) -> Answer:
        """The variable called ``name``."""
        if name not in self._names:
            near = next((other for other in self._names if other.casefold() == name.casefold()), "")
            hint = (
                f"You have {near}: names are told apart by their capital letters."
                if near
                else "Assign your answer to it."
            )
            raise Wrong(f"There is no variable {name} yet. {hint}")
        return Answer(self._names[name], name)

    def value(self, value: Any, called: str) -> Answer:
        """A value, by what to call it."""
        return Answer(value, called)

    def file(self, name: str) -> Answer:
        """The text of a file in the working folder."""
        path = self._folder / name
        if not path.is_file():
            raise Wrong(f"There is no file {name} here.")
        return Answer(path.read_text(encoding="utf-8", errors="replace"), name)


class Answer:
    """A value that was given, and what to call it."""

    def __init__(self, value: Any, called: str) -> None:
        self.value, self.called = value, called

    def a(self, kind: str | type) -> Answer:
        """It is of this kind: ``number``, ``text``, ``table``, ``list``, ``function``, or a type."""
        if _is_a(self.value, kind):
            return self
        wanted = _KINDS.get(kind, kind) if isinstance(kind, str) else f"a {kind.__name__}"
        more = ""
        if kind == "number" and isinstance(self.value, str):
            more = " It stands in quotation marks." if _number(self.value) else ""
        elif kind == "table" and type(self.value).__name__ == "Series":
            more = " A Series is one column: reset_index() makes a table of it, and df[['name']] stays one."
        elif callable(self.value) and kind != "function":
            more = f" Perhaps it wants to be called: {self.called}()."
        given = type(self.value).__name__
        article = "an" if given[0].lower() in "aeiou" else "a"
        raise Wrong(f"{self.called} is {_shown(self.value)}, {article} {given}, and must be {wanted}.{more}")

    def equals(self, right: Any, unless: Mapping[Any, str] | None = None) -> Answer:
        """It is this value; ``unless`` says what to tell of others."""
        if _same(self.value, right):
            return self
        for other, said in (unless or {}).items():
            if _same(self.value, other):
                raise Wrong(said)
        if (
            isinstance(self.value, str)
            and isinstance(right, str)
            and self.value.strip().casefold() == right.casefold()
        ):
            raise Wrong(f"{self.called} is right but for capital letters or spaces at its ends: {self.value!r}.")
        raise Wrong(f"{self.called} is {_shown(self.value)}, which is not right.")

    def close_to(self, right: float, within: float = 1e-6, unless: Mapping[float, str] | None = None) -> Answer:
        """It is a number no further than ``within`` from this one; ``unless`` says what to tell of others."""
        self.a("number")
        value = float(self.value)
        if abs(value - right) <= within:
            return self
        for other, said in (unless or {}).items():
            if abs(value - other) <= within:
                raise Wrong(said)
        if math.isnan(value):
            raise Wrong(f"{self.called} is not a number (nan): something that is missing went into it.")
        if right and abs(value + right) <= within:
            raise Wrong(f"{self.called} has the wrong sign.")
        for factor in (10, 100, 1000):
            if abs(value - right * factor) <= within * factor or abs(value - right / factor) <= within / factor:
                raise Wrong(f"{self.called} is off by a factor of {factor}: look at the units.")
        if right and abs(value - right) < 0.02 * abs(right):
            raise Wrong(
                f"{self.called} is close, but too {'large' if value > right else 'small'}: {_shown(self.value)}."
            )
        raise Wrong(f"{self.called} is {_shown(self.value)}, too {'large' if value > right else 'small'}.")

    def contains(self, part: Any, say: str = "") -> Answer:
        """This is in it."""
        try:
            inside = part in self.value
        except TypeError:
            inside = False
        if not inside:
            raise Wrong(say or f"{self.called} does not have {_shown(part)} in it.")
        return self

    def has_columns(self, *names: str) -> Answer:
        """A table with these columns, perhaps among others."""
        self.a("table")
        missing = [name for name in names if name not in list(self.value.columns)]
        if missing:
            there = ", ".join(map(str, list(self.value.columns)[:12]))
            raise Wrong(f"{self.called} has no column {', '.join(missing)}; it has {there}.")
        return self

    def has_rows(self, count: int, unless: Mapping[int, str] | None = None) -> Answer:
        """A table of so many rows."""
        found = len(self.value)
        if found == count:
            return self
        if unless and found in unless:
            raise Wrong(unless[found])
        raise Wrong(
            f"{self.called} has {found} rows, {abs(found - count)} {'more' if found > count else 'fewer'} than it should."
        )

    def that(self, holds: Callable[[Any], Any], say: str) -> Answer:
        """``holds(value)`` is true; ``say`` is what to tell otherwise."""
        if not holds(self.value):
            raise Wrong(say)
        return self


def _is_a(value: Any, kind: str | type) -> bool:
    if not isinstance(kind, str):
        return isinstance(value, kind)
    match kind:
        case "number":
            return _plain_number(value)
        case "text":
            return isinstance(value, str)
        case "table":
            return type(value).__name__ == "DataFrame" and hasattr(value, "columns")
        case "list":
            return isinstance(value, list | tuple)
        case "function":
            return callable(value)
    raise ValueError(f"{kind!r} is no kind; there are {', '.join(_KINDS)}, and types")


def _plain_number(value: Any) -> bool:
    if isinstance(value, bool | str | bytes) or getattr(value, "shape", ()) != ():
        return False
    return hasattr(value, "__float__")


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, bool) is not isinstance(two, bool):
        return False
    if type(one).__name__ in ("DataFrame", "Series", "ndarray"):
        return type(one) is type(two) and bool((one == two).all(axis=None))
    try:
        return bool(one == two)
    except (TypeError, ValueError):
        return False


def _shown(value: Any) -> str:
    if type(value).__name__ in ("DataFrame", "Series", "ndarray"):
        return f"of the shape {value.shape}"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
