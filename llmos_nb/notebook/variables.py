"""A run or trace that a magic is given by the name of a variable: magics take their line as it is, so ``$name`` is not
replaced by IPython."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmos_nb.errors import SettingsError

__all__ = ["named"]


def named(word: str, names: Mapping[str, Any], what: str) -> str:
    """The id that ``word`` stands for: itself, or where it is a variable (``tid``, ``$tid``, ``{tid}``) its value, or that
    value's ``what`` (``run_id`` or ``trace_id``).

    Raises:
        SettingsError: it is an option, or a variable that holds no such thing.
    """
    if word.startswith("-") and word != "--":
        raise SettingsError(f"There is no option {word} here.", remedy="Give an id, or a variable that holds one.")
    plain = word.removeprefix("$").removeprefix("{").removesuffix("}")
    meant = plain != word
    if not plain.isidentifier() or plain not in names:
        if meant:
            raise SettingsError(f"{word}: there is no variable {plain}.", remedy="Give an id, or a variable's name.")
        return word
    value = names[plain]
    if isinstance(value, str):
        return value
    for candidate in (value, getattr(value, "result", None)):  # a goal in the background has its result
        found = getattr(candidate, what, None) or getattr(candidate, "id", None)
        if isinstance(found, str) and found:
            return found
    if isinstance(getattr(value, "run_id", None), str):
        raise SettingsError(f"{plain} has no {what.replace('_', ' ')}: it left no trace.", remedy="Name another one.")
    if meant:
        raise SettingsError(f"{plain} is no run, result or id, but {type(value).__name__}.", remedy="Give an id.")
    return word
