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
    "FETCHED", "MAX_ALTERNATIVES", "MAX_DEPTH", "MAX_JUDGED", "MAX_TEXT", "NOTHING", "UNKNOWN", "Arg", "Call", "Feed",
    "Findings", "Scope", "State", "TooMuch", "blurred", "unknown",
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
#: Characters of a value that are followed; a longer one is unknown. ``x=$x$x`` doubles it each time.
MAX_TEXT: Final = 10_000
#: Words of one command, and of all that a command line comes to; each path among them is looked up.
MAX_WORDS: Final = 600
MAX_ALL_WORDS: Final = 1_500
#: Characters that a command line's words may expand to, and bytes of code that are parsed, all in all.
MAX_EXPANDED: Final = 100_000
MAX_PARSED: Final = 60_000
#: Bytes of texts that cannot be parsed, beyond which texts inside of them are not looked at: the parser takes ten times as
#: long for them.
MAX_BROKEN: Final = 6_000
#: Characters of a command that a reason needs.
SHOWN: Final = 300
#: How many nodes are walked before that. Nested loops and functions can otherwise be followed for hours.
MAX_STEPS: Final = 2_500


@dataclass(frozen=True, slots=True)
class Arg:
    """One word of a command after expansion; ``glob`` says that the shell would look for files that match it."""

    text: str
    glob: bool = False

    @property
    def unknown(self) -> bool:
        """Whether any part is only known at run time."""
        return UNKNOWN in self.text


def blurred(text: str) -> str:
    """The text, or what stands for it where it is too long to be followed."""
    if len(text) <= MAX_TEXT:
        return text
    return UNKNOWN + (FETCHED if FETCHED in text else "")


@dataclass(frozen=True, slots=True)
class Feed:
    """What flows into or out of a command. ``text`` is None where there is nothing, UNKNOWN where nobody can tell."""

    text: str | None = None
    network: bool = False

    def __post_init__(self) -> None:
        if self.text is not None and len(self.text) > MAX_TEXT:
            object.__setattr__(self, "text", blurred(self.text))


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
        #: The kinds of places that were met; the workspace and its roots are the same for a whole command line.
        self.zones: dict[Path, Zone] = {} if parent is None else parent.zones
        #: Where paths lead, which are asked for more than once.
        self.places: dict[tuple[str, tuple[str | None, ...]], tuple[Path | None, ...]] = (
            {} if parent is None else parent.places
        )

    def spend(self, kind: str, limit: int, amount: int = 1) -> bool:
        """Count work; False beyond ``limit``. Findings made from a parent share its count."""
        self._work[kind] += amount
        return self._work[kind] <= limit

    def readable(self, size: int) -> bool:
        """Whether a text of ``size`` bytes is parsed at all, after what was and what could not be parsed so far."""
        broken = self._work["broken"]
        if self.spend("parsed", MAX_PARSED, size) and (not broken or broken + size <= MAX_BROKEN):
            return True
        self.left_out()
        return False

    def left_out(self) -> None:
        """Note that a text was not looked at, which asks in the end, whatever else is found."""
        self._work["left out"] += 1

    def words(self, count: int, size: int) -> None:
        """Count the words of a command, which have ``size`` characters. Raises ``TooMuch`` at the limit."""
        if not (
            count <= MAX_WORDS
            and self.spend("words", MAX_ALL_WORDS, count)
            and self.spend("expanded", MAX_EXPANDED, size)
        ):
            raise TooMuch

    def unreadable(self, size: int) -> None:
        """Count a text of ``size`` bytes that could not be parsed."""
        self._work["broken"] += size

    @property
    def whole(self) -> bool:
        """Whether every text was looked at, in whatever findings."""
        return not self._work["left out"]

    def hurry(self, judged: int, limit: int) -> None:
        """Leave at most ``judged`` simple commands to be judged: the whole is too long as it is."""
        self._work["judged"] = max(self._work["judged"], limit - judged)

    def step(self) -> None:
        """Count a node. Raises ``TooMuch`` at the limit."""
        if not self.spend("steps", MAX_STEPS):
            raise TooMuch

    def add(self, rule: str, detail: str, place: Path | None = None) -> None:
        """Note that ``rule`` objects to ``detail``; ``place`` is the file that it is about."""
        self.verdicts.append(hit(rule, detail.replace(FETCHED, "").replace(UNKNOWN, "..."), place=place))


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
    #: Folders that came from the network with this command line.
    fetched: list[Path] = field(default_factory=list)
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
        fresh = tuple(dict.fromkeys(map(blurred, values)))
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
        known = self.findings.places.get((text, self.folders))
        if known is None:
            known = self.findings.places[text, self.folders] = self._resolved(text)
        return known

    def _resolved(self, text: str) -> tuple[Path | None, ...]:
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

    def holds(self, path: Path) -> bool:
        """Whether a path is one of the folders that may be written in, or in one."""
        return any(root == path or root in path.parents for root in self.roots)

    def just_fetched(self, path: Path) -> bool:
        """Whether a file is in a folder that came from the network with this command line."""
        return any(folder == path or folder in path.parents for folder in self.fetched)

    def zone(self, path: Path) -> Zone:
        """What kind of place a resolved path is for this workspace."""
        zone = self.findings.zones.get(path)
        if zone is None:
            zone = self.findings.zones[path] = zone_of(path, workspace=self.workspace, roots=self.roots)
        return zone


@dataclass(frozen=True, slots=True)
class Call:
    """A simple command, ready to be judged: its words after expansion and the shell it runs in."""

    name: str
    args: tuple[Arg, ...]
    scope: Scope
    feed: Feed = NOTHING
    _line: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The command as one line, for a reason: its beginning, where it is long."""
        if not self._line:
            line = self.name
            for arg in self.args:
                line = f"{line} {arg.text}"
                if len(line) > SHOWN:
                    break
            self._line.append(line[: SHOWN + 1])
        return self._line[0]

    @property
    def words(self) -> list[str]:
        """The arguments as plain texts."""
        return [arg.text for arg in self.args]

    def object(self, rule: str, detail: str = "") -> None:
        """Note that ``rule`` objects to this command."""
        self.scope.findings.add(rule, detail or self.text)
