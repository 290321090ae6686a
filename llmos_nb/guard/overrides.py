"""A person's own decisions on named rules, as ``[[guard]]`` tables in ``llmos.toml``: read, checked, and applied.

    [[guard]]
    rule = "install"
    decision = "allow"            # allow, ask or deny
    command = "pip install polars"  # only for exactly this command or code, or:
    starts = "pip install"          # only for one plain command that begins with these words
    path = "~/data"               # only for files in this folder
    folder = "."                  # only while working in this folder

A rule without limits holds everywhere. Of several that fit, the last one decides.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from llmos_nb.errors import GuardFileError
from llmos_nb.guard.rules import RULES
from llmos_nb.guard.verdict import Decision

__all__ = [
    "FIXED", "Judged", "Override", "fields_of", "from_fields", "parse_overrides", "plain_words", "stricter", "toml_of",
    "without_lines",
]  # fmt: skip

#: Rules that no file can loosen: they keep agents from what loosens rules, and judge what cannot be judged.
FIXED: Final = frozenset(
    {"guarded", "guard-error", "path-guarded", "path-invalid", "py-guard", "py-system", "py-hooks", "py-control",
     "shell-control"}
)  # fmt: skip
_KEYS: Final = ("rule", "decision", "command", "starts", "path", "folder", "note")
_DECISIONS: Final = ("allow", "ask", "deny")
#: Rules that know which file they are about, so that ``path`` can limit them.
PLACED: Final = frozenset(
    {"write-outside", "delete-outside", "write-system", "raw-device", "secret", "persistence", "delete-root",
     "path-outside", "path-link", "path-secret", "path-device", "path-persistence", "unknown-outside",
     "delete-scratch", "git-history",
     "delete-broad"}
)  # fmt: skip
#: Signs that make a command line more than one plain command.
_NOT_PLAIN: Final = re.compile(r"[;&|<>()`$\n\\{}*?\[\]#!]")


@dataclass(frozen=True, slots=True)
class Override:
    """One ``[[guard]]`` table. ``line`` is where it begins in its file, 0 where it is in none; one that ``waits`` to be
    trusted counts only where it is stricter than what holds without it."""

    rule: str
    decision: Decision
    command: str = ""
    starts: str = ""
    path: str = ""
    folder: str = ""
    note: str = ""
    line: int = 0
    waits: bool = False

    @property
    def loosens(self) -> bool:
        """Whether it lets pass, or asks about, what the rule itself treats more strictly."""
        return stricter(RULES[self.rule].decision, self.decision)

    @property
    def limits(self) -> str:
        """What it is limited to, in words; empty where it holds everywhere."""
        said = [f"exactly {self.command!r}"] if self.command else []
        said += [f"a plain command that begins with {self.starts!r}"] if self.starts else []
        said += [f"files in {self.path}"] if self.path else []
        said += [f"work in {self.folder}"] if self.folder else []
        return ", ".join(said)

    def __str__(self) -> str:
        limits = self.limits
        return f"{self.rule}: {self.decision}" + (f", for {limits}" if limits else "")


def stricter(one: Decision, other: Decision) -> bool:
    """Whether a decision lets less pass than another."""
    return _DECISIONS.index(one) > _DECISIONS.index(other)


def fields_of(override: Override) -> dict[str, str]:
    """What a table says, without where it stands."""
    return {key: value for key in _KEYS if (value := getattr(override, key))}


def from_fields(fields: Mapping[str, str]) -> Override:
    """The decision that :func:`fields_of` told."""
    return Override(**{key: fields[key] for key in _KEYS if key in fields})  # type: ignore[arg-type]


def plain_words(command: str) -> list[str] | None:
    """The words of one plain command; None for a list, a pipe, a redirection, a substitution, a wildcard."""
    return None if _NOT_PLAIN.search(command) else command.split()


@dataclass(frozen=True, slots=True)
class Judged:
    """One call that is judged: its ``text`` (command or code), the folder it works in, and a person's decisions."""

    overrides: Sequence[Override]
    workspace: Path
    text: str
    cwd: Path

    def on(self, rule: str, place: Path | None, own: Decision) -> tuple[Decision, str] | None:
        """What the last decision that fits says; see :class:`~llmos_nb.guard.judging.Words`."""
        fit = [one for one in self.overrides if one.rule == rule and self._fits(one, place)]
        found = next((one for one in reversed(fit) if not one.waits), None)
        for waiting in fit:
            if waiting.waits and stricter(waiting.decision, found.decision if found is not None else own):
                found = waiting
        if found is None:
            return None
        return found.decision, f"llmos.toml:{found.line}" if found.line else "your decision"

    def _fits(self, override: Override, place: Path | None) -> bool:
        if override.command and self.text.strip() != override.command.strip():
            return False
        if override.starts:
            words, start = plain_words(self.text), override.starts.split()
            if words is None or words[: len(start)] != start:
                return False
        if override.folder and self._at(override.folder) != self.cwd.resolve():
            return False
        if override.path:
            if place is None:
                return False
            folder, real = self._at(override.path), place.resolve()
            return real == folder or folder in real.parents
        return True

    def _at(self, folder: str) -> Path:
        return (self.workspace / Path(folder).expanduser()).resolve()


def parse_overrides(text: str, name: str) -> tuple[Override, ...]:
    """The ``[[guard]]`` tables of a settings file; ``name`` is how messages call the file.

    Raises:
        GuardFileError: it is not TOML, or a table is wrong; the message has the line.
    """
    try:
        tables = tomllib.loads(text).get("guard", [])
    except (ValueError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found.group(1)) if found else 1
        raise GuardFileError(name, line, f"it is not TOML ({error})") from error
    lines = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*[\"']?guard\b", line)]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        where = next(
            (n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[?\s*[\"']?guard\b", line)), 1
        )
        raise GuardFileError(name, where, "rules of the guard are tables that begin with [[guard]]")
    lines += [1] * (len(tables) - len(lines))
    written = text.splitlines()
    return tuple(_override(table, name, lines[i], written) for i, table in enumerate(tables))


def _line_of(key: str, begin: int, written: Sequence[str]) -> int:
    """The line of a key of the table that begins at the line ``begin``; that of the table where it is not found."""
    for number, line in enumerate(written[begin:], begin + 1):
        if re.match(r"\s*\[", line):
            break
        if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return begin


def _override(table: Mapping[str, Any], name: str, begin: int, written: Sequence[str]) -> Override:
    for key, value in table.items():
        line = _line_of(key, begin, written)
        if key not in _KEYS:
            raise GuardFileError(name, line, f"there is no {key!r}; a rule has {', '.join(_KEYS)}")
        if not isinstance(value, str) or not value.strip():
            raise GuardFileError(name, line, f"{key} must be text in quotes, got {value!r}")
        if "\0" in value or len(value) > 5_000:
            raise GuardFileError(name, line, f"{key} is too long or holds a NUL")
    rule, decision = table.get("rule", ""), table.get("decision", "")
    if rule not in RULES:
        line = _line_of("rule", begin, written)
        raise GuardFileError(name, line, f"there is no rule {rule!r}; %guard rules lists them")
    line = _line_of("decision", begin, written)
    if decision not in _DECISIONS:
        raise GuardFileError(name, line, f"decision must be allow, ask or deny, got {decision!r}")
    found = Override(**{**table, "decision": cast("Decision", decision), "line": begin})
    line = _line_of("starts", begin, written)
    if found.command and found.starts:
        raise GuardFileError(name, line, "command is the whole command, starts its beginning: give one of them")
    if found.starts and plain_words(found.starts) is None:
        raise GuardFileError(name, line, f"starts must be plain words, got {found.starts!r}")
    if found.path and rule not in PLACED:
        line = _line_of("path", begin, written)
        raise GuardFileError(name, line, f"path limits rules about files, and {rule} is about none")
    if rule in FIXED and found.loosens:
        line = _line_of("decision", begin, written)
        raise GuardFileError(name, line, f"the rule {rule} can be loosened by nobody: it guards the guard")
    return found


def toml_of(override: Override) -> str:
    """The override as a ``[[guard]]`` table."""
    lines = ["[[guard]]"]
    for key in _KEYS:
        if value := getattr(override, key):
            lines.append(f"{key} = {_quoted(value)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string."""
    signs = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(signs.get(c, c if c.isprintable() else f"\\U{ord(c):08X}") for c in text) + '"'


def without_lines(overrides: Sequence[Override]) -> tuple[Override, ...]:
    """The same decisions, wherever in the file they are."""
    return tuple(replace(override, line=0, waits=False) for override in overrides)
