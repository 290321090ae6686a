"""What an explorer is asked to show: words, and values that fields must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmos_nb.errors import SettingsError

__all__ = ["Query"]


class Query:
    """Passes rows by ``fields`` and by words; all of them until :meth:`ask` says what is wanted."""

    def __init__(self, what: str, fields: tuple[str, ...], example: str) -> None:
        self._what, self._fields, self._example = what, fields, example
        #: What was asked for: ``text`` and values by field, without those that are empty.
        self.asked: dict[str, str] = {}

    def ask(self, text: str, equal: Mapping[str, str]) -> None:
        """Want all words of ``text``, in any order and case, and these values; empty for any.

        Raises:
            SettingsError: there is no such field, or something is no text.
        """
        unknown = [name for name in equal if name not in self._fields]
        if unknown:
            raise SettingsError(
                f"{self._what} cannot be filtered by {', '.join(unknown)}.",
                remedy=f"Use text, {', '.join(self._fields)}.",
            )
        given = {"text": text, **equal}
        if any(not isinstance(value, str) for value in given.values()):
            raise SettingsError("A filter is text.", remedy=f"Say {self._example}, for example.")
        self.asked = {name: value for name, value in given.items() if value}

    def passing(self, rows: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        """The rows that have it all; each comes with its text, in small letters, that is searched for the words."""
        words = self.asked.get("text", "").casefold().split()
        equal = [(name, value) for name, value in self.asked.items() if name != "text"]
        return [
            row
            for text, row in rows
            if all(row[name] == value for name, value in equal) and all(word in text for word in words)
        ]

    def nothing(self, rows: Sequence[Mapping[str, Any]], unused: str) -> str:
        """What is said where none of all ``rows`` passes: of a value that none of them has, which ones there are;
        ``unused`` where there are no rows at all."""
        if not rows:
            return unused
        for name, value in self.asked.items():
            there = sorted({row[name] for row in rows if row[name]}) if name != "text" else []
            if name != "text" and value not in there:
                return f"none has the {name} {value!r}; there {_are(there)}"
        return "none of them"

    def __str__(self) -> str:
        return ", ".join(f"{name} {value!r}" for name, value in self.asked.items())


def _are(values: Sequence[str]) -> str:
    if not values:
        return "is no other either"
    return f"{'is' if len(values) == 1 else 'are'} {', '.join(values[:20])}"
