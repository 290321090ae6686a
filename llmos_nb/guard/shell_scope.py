"""What is known while a command line is followed: variables, functions, the folder, files written, findings so far.

A value that can be several things is a tuple of alternatives; what is only known when the command runs is the marker
:data:`UNKNOWN`, which no real command can hold because it is a private-use character.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tree_sitter import Node

from llmos_nb.guard.paths import Zone, resolve, zone_of
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import Verdict

__all__ = [
    "FETCHED", "MAX_ALTERNATIVES", "MAX_DEPTH", "MAX_JUDGED", "NOTHING", "UNKNOWN", "Arg", "Call", "Feed", "Findings",
    "Scope", "State", "TooMuch", "unknown",
]  # fmt: skip

#: Stands in a text for a part that is only known at run time.
UNKNOWN: Final = "\ue000"
#: Added to an unknown part that came from the network.
FETCHED: Final = "\ue001"
#: How many values one word or variable is followed through; beyond that it is unknown.
MAX_ALTERNATIVES: Final = 12
#: How many nested texts (eval, ``bash -c``, functions) are followed.
MAX_DEPTH: Final = 8
#: How many simple commands are judged before the whole is called too long. Loops of alternatives count each time.
MAX_JUDGED: Final = 400
#: How many nodes are walked before that. Nested loops and functions can otherwise be followed for hours.
MAX_STEPS: Final = 6_000


@dataclass(frozen=True, slots=True)
class Arg:
    """One word of a command after expansion; ``glob`` says that the shell would look for files that match it."""

    text: str
    glob: bool = False

    @property
    def unknown(self) -> bool:
        """Whether any part is only known at run time."""
        return UNKNOWN in self.text


@dataclass(frozen=True, slots=True)
class Feed:
    """What flows into or out of a command. ``text`` is None where there is nothing, UNKNOWN where nobody can tell."""

    text: str | None = None
    network: bool = False


NOTHING: Final = Feed()


def unknown(feed: Feed = NOTHING) -> Feed:
    """A feed of unknown text that came from where ``feed`` came from."""
    return Feed(UNKNOWN, feed.network)


class TooMuch(Exception):
    """The command line cannot be followed to its end within :data:`MAX_STEPS`."""


class Findings:
    """The verdicts collected over one command line, and how much work that was."""

    def __init__(self, parent: Findings | None = None) -> None:
        self.verdicts: list[Verdict] = []
        self._work: Counter[str] = Counter() if parent is None else parent._work

    def spend(self, kind: str, limit: int) -> bool:
        """Count one unit of work; False beyond ``limit``. Findings made from a parent share its count."""
        self._work[kind] += 1
        return self._work[kind] <= limit

    def step(self) -> None:
        """Count a node. Raises ``TooMuch`` at the limit."""
        if not self.spend("steps", MAX_STEPS):
            raise TooMuch

    def add(self, rule: str, detail: str) -> None:
        """Note that ``rule`` objects to ``detail``."""
        self.verdicts.append(hit(rule, detail.replace(FETCHED, "").replace(UNKNOWN, "...")))


@dataclass(frozen=True, slots=True)
class State:
    """The part of a scope that differs from one branch of a program to another."""

    variables: dict[str, tuple[str, ...]]
    arrays: dict[str, tuple[str, ...]]
    folders: tuple[str | None, ...]


@dataclass(slots=True)
class Scope:
    """One shell's knowledge. Children (subshells, nested shells) start as copies and share the findings."""

    workspace: Path
    roots: tuple[Path, ...]
    folders: tuple[str | None, ...]
    findings: Findings
    run: Callable[[str, Scope, Feed], Feed]
    invoke: Callable[[tuple[Arg, ...], Scope, Feed], Feed]
    variables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    arrays: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: dict[str, tuple[Node, bytes]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    params: tuple[str, ...] | None = None
    calling: tuple[str, ...] = ()
    depth: int = 0
    background: bool = False

    def child(self) -> Scope:
        """A copy whose changes stay its own; files written are seen by all."""
        return replace(
            self, variables=dict(self.variables), arrays=dict(self.arrays), functions=dict(self.functions),
            aliases=dict(self.aliases),
        )  # fmt: skip

    def save(self) -> State:
        """What is known now, to come back to or to join later."""
        return State(dict(self.variables), dict(self.arrays), self.folders)

    def restore(self, states: Sequence[State]) -> None:
        """Continue where any of ``states`` may hold: the alternatives of all of them are possible."""
        if len(states) == 1:
            only = states[0]
            self.variables, self.arrays, self.folders = dict(only.variables), dict(only.arrays), only.folders
            return
        joined: dict[str, tuple[str, ...]] = {}
        for name in dict.fromkeys(name for state in states for name in state.variables):
            values = dict.fromkeys(v for state in states for v in state.variables.get(name, (UNKNOWN,)))
            joined[name] = tuple(values) if len(values) <= MAX_ALTERNATIVES else (UNKNOWN,)
        arrays = states[0].arrays
        self.arrays = {n: items for n, items in arrays.items() if all(s.arrays.get(n) == items for s in states)}
        self.variables = joined
        folders = dict.fromkeys(folder for state in states for folder in state.folders)
        self.folders = tuple(folders) if len(folders) <= MAX_ALTERNATIVES else (None,)

    def value(self, name: str) -> tuple[str, ...]:
        """The possible values of a variable; ``(UNKNOWN,)`` if it was not set here."""
        if name in self.variables:
            return self.variables[name]
        if name in ("PWD", "OLDPWD"):
            return tuple(UNKNOWN if folder is None else folder for folder in self.folders)
        if name == "HOME":
            return (str(Path.home()),)
        if name == "TMPDIR":
            return (os.environ.get("TMPDIR", ""),)
        known = {"IFS": " ", "BASH": "/bin/bash", "SHELL": "/bin/sh", "0": "bash", "?": "0", "#": "0", "-": "h"}
        return (known.get(name, UNKNOWN),)

    def assign(self, name: str, values: Iterable[str]) -> None:
        """Set a variable to one of ``values``."""
        fresh = tuple(dict.fromkeys(values))
        self.variables[name] = fresh if 0 < len(fresh) <= MAX_ALTERNATIVES else (UNKNOWN,)
        self.arrays.pop(name, None)

    def forget(self) -> None:
        """Anything may have been set by code that cannot be read."""
        self.variables = dict.fromkeys(self.variables, (UNKNOWN,))
        self.arrays.clear()

    def enter(self, folder: Arg) -> None:
        """``cd``: where relative paths start from now on."""
        found: list[str | None] = []
        for base in self.folders:
            if folder.unknown or folder.glob or folder.text == "-":
                found.append(None)
            elif base is not None or folder.text.startswith(("/", "~")):
                try:
                    found.append(str(resolve(folder.text, cwd=base or "/", workspace=self.workspace)))
                except ValueError:
                    found.append(None)
            else:
                found.append(None)
        self.folders = tuple(dict.fromkeys(found))[:MAX_ALTERNATIVES]

    def places(self, text: str) -> tuple[Path | None, ...]:
        """Where a path may lead, one entry for each folder the shell may be in; None where that is unknown."""
        if UNKNOWN in text:
            return (None,)
        found: list[Path | None] = []
        for folder in self.folders:
            if folder is None and not text.startswith(("/", "~")):
                found.append(None)
                continue
            try:
                found.append(resolve(text, cwd=folder or "/", workspace=self.workspace))
            except ValueError:
                found.append(None)
        return tuple(dict.fromkeys(found))

    def zone(self, path: Path) -> Zone:
        """What kind of place a resolved path is for this workspace."""
        return zone_of(path, workspace=self.workspace, roots=self.roots)


@dataclass(frozen=True, slots=True)
class Call:
    """A simple command, ready to be judged: its words after expansion and the shell it runs in."""

    name: str
    args: tuple[Arg, ...]
    scope: Scope
    feed: Feed = NOTHING

    @property
    def text(self) -> str:
        """The command as one line, for a reason."""
        return " ".join((self.name, *(arg.text for arg in self.args)))

    @property
    def words(self) -> list[str]:
        """The arguments as plain texts."""
        return [arg.text for arg in self.args]

    def object(self, rule: str, detail: str = "") -> None:
        """Note that ``rule`` objects to this command."""
        self.scope.findings.add(rule, detail or self.text)
