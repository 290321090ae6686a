"""What of a workspace is not in force because nobody has trusted it, as a person looks at it before they do."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

from llmos_nb.guard.overrides import Override
from llmos_nb.guard.rules import RULES
from llmos_nb.guard.scripts import ForeignScript
from llmos_nb.settings import FileOption

__all__ = ["Waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What would be looser if the file were trusted; false where nothing would. ``shown`` stands for its very content.

    ``rules`` and ``options`` are in the file; ``gone`` are rules that were taken out of it and still hold. ``scripts`` are
    not in it: files that the scripted endpoint would play.
    """

    rules: tuple[Override, ...]
    gone: tuple[Override, ...]
    options: tuple[FileOption, ...]
    shown: str
    scripts: tuple[ForeignScript, ...] = ()
    #: What stands for the settings alone.
    settings_shown: str = ""

    def __bool__(self) -> bool:
        return bool(self.settings or self.scripts)

    @property
    def settings(self) -> bool:
        """Whether any of it is in llmos.toml."""
        return bool(self.rules or self.gone or self.options)

    def with_scripts(self, scripts: tuple[ForeignScript, ...]) -> Waiting:
        """The same with ``scripts``, for which ``shown`` stands, too."""
        if not scripts:
            return self
        told = "\n".join([self.shown, *(f"{one.digest} {one.name}" for one in scripts)])
        shown = hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[: len(self.shown)]
        return dataclasses.replace(self, shown=shown, scripts=scripts, settings_shown=self.shown)

    @property
    def line(self) -> int:
        """Where in the file the first of it stands."""
        return min([*(one.line for one in self.rules), *(one.line for one in self.options)], default=1)

    @property
    def count(self) -> str:
        """How much it is, in words."""
        found = [
            (len(self.options), "option"), (len(self.rules), "rule"), (len(self.gone), "rule taken out"),
            (len(self.scripts), "script"),
        ]  # fmt: skip
        told = [
            f"{number} {what}" if number == 1 else f"{number} {_plural(what)}" for number, what in found if number
        ]
        return " and ".join(told)

    def _lines(self) -> list[str]:
        if not self:
            return ["Nothing in llmos.toml waits to be trusted: all of it is in force."]
        told: list[str] = []
        if self.settings:
            told += ["llmos.toml would loosen this, and does not yet, since it may be somebody else's:", ""]
        told += [f"- line {one.line}: {_flat(str(one))}" for one in self.options]
        told += [
            f"- line {one.line}: {_flat(str(one))} (by itself: {RULES[one.rule].decision})" for one in self.rules
        ]
        told += [f"- no longer in the file, and still in force: {_flat(str(one))}" for one in self.gone]
        if self.scripts:
            told += [""] if told else []
            told += [
                "The scripted endpoint would play these scripts, and does not yet, since they may be somebody else's."
            ]
            told += ["What they say as tool calls runs in your kernel, under the guard:"]
        for one in self.scripts:
            from llmos_nb.kernel.fenced import fenced

            shown = "".join(c if c.isprintable() or c in "\n\t" else "?" for c in one.text.rstrip())
            told += ["", f"scripts/{_flat(one.name)}:", "", fenced("markdown", shown)]
        return [*told, "", f"`%guard trust {self.shown}` puts it into force, just as it stands here."]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        return "\n".join(self._lines())


def _plural(what: str) -> str:
    return what.replace("option", "options").replace("rule", "rules").replace("script", "scripts")


def _flat(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else "?" for c in text).replace("<", "&lt;").split())[:300]
