"""What an explorer is asked to show: words, and values that fields must have."""

from __future__ import annotations

from collections.abc import Mapping
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

    def __str__(self) -> str:
        return ", ".join(f"{name} {value!r}" for name, value in self.asked.items())
