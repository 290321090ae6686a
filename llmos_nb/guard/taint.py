"""What a session has read that its person did not write: from then on, what leaves the workspace asks.

Text from outside may hold instructions, and a model may follow them. No reading of the text can tell; so it is noted
where it came from, and what an obedient model could then do harm with waits for a person's word.

There are two levels. ``foreign`` is content of strangers: pages of the web, tools of other MCP servers, files that no
run of this session made and that the person did not name, and whatever an earlier run kept that had read such content.
Then everything that leaves the workspace, carries secrets or outlives the run asks. ``named`` is a person's own data:
files and folders that they named in a goal or a cell, and variables of theirs that hold text. It can carry somebody
else's words all the same, so nothing is sent to a place that the person did not name; all else goes on unasked.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Final, Literal
from urllib.parse import urlsplit

__all__ = [
    "FOREIGN", "NAMED", "TAINT_RULES", "Level", "Mark", "Taint", "TaintRule", "host_of", "hosts_in", "urls_in",
]  # fmt: skip

Level = Literal["", "named", "foreign"]
NAMED: Final = "named"
FOREIGN: Final = "foreign"
_RANK: Final[dict[str, int]] = {"": 0, NAMED: 1, FOREIGN: 2}

#: Marks of a session that are kept; what comes after them changes nothing.
MARKS: Final = 200
#: Addresses that content named and that may be fetched as they stand, and how often from one host: by choosing among
#: addresses that a stranger wrote down, a model could still spell something.
URLS: Final = 2_000
FOLLOWED: Final = 3
_URL: Final = re.compile(r"\b(?:https?|ftp|wss?)://[^\s<>\"'`\\)\]}|^]+", re.IGNORECASE)
#: A host that is written without a scheme.
_BARE: Final = re.compile(
    r"(?<![\w./@-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|org|net|edu|gov|int|eu|info|io)(?![\w-])",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[^\W_]+")
#: Letters of a file's name before its ending that make it named by a word of a goal.
STEM: Final = 4


@dataclass(frozen=True, slots=True)
class TaintRule:
    """A rule that holds once something from outside was read; ``levels`` are those of the session at which it does."""

    id: str
    levels: tuple[str, ...]
    what: str
    why: str


_BOTH: Final = (NAMED, FOREIGN)
_TABLE: Final = (
    TaintRule("taint-send", _BOTH, "reaching a place outside this machine that you did not name",
              "what was read may ask for data to be sent there"),
    TaintRule("taint-program", _BOTH, "running a program that is not known to stay on this machine",
              "what was read may ask for it, and it may send data anywhere"),
    TaintRule("taint-page", _BOTH, "writing a page that runs scripts or loads something from elsewhere",
              "whoever opens it may send data without knowing"),
    TaintRule("taint-secret", (FOREIGN,), "reading what holds keys or passwords",
              "what was read may ask for them"),
    TaintRule("taint-lasting", (FOREIGN,), "changing agents, facts or what runs by itself later",
              "words of strangers would go on working after this run"),
)  # fmt: skip
#: Every rule by its id.
TAINT_RULES: Final[dict[str, TaintRule]] = {rule.id: rule for rule in _TABLE}


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that came in: ``kind`` is ``web``, ``file``, ``tool``, ``fact``, ``agent``, ``trace`` or ``variable``.

    ``at`` is ISO 8601 in UTC.
    """

    level: Level
    kind: str
    what: str
    run_id: str = ""
    at: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.kind}, {self.at[11:16]} UTC)" if self.at else f"{self.what} ({self.kind})"


class Taint:
    """The marks of one session, shared by its goals, their subagents and what works in the background."""

    def __init__(self) -> None:
        self._marks: list[Mark] = []
        self._lock = threading.Lock()
        self._said: list[str] = []
        self._hosts: set[str] = set()
        self._urls: set[str] = set()
        self._followed: Counter[str] = Counter()
        #: Files that runs of this session wrote, absolute.
        self.made: set[str] = set()

    def __repr__(self) -> str:
        return f"Taint({self.level or 'nothing came in'}, marks: {len(self._marks)}; %taint shows them)"

    @property
    def level(self) -> Level:
        """The highest level so far; empty where nothing came in."""
        return max((mark.level for mark in tuple(self._marks)), key=lambda level: _RANK[level], default="")

    @property
    def rules(self) -> tuple[TaintRule, ...]:
        """The rules that hold at this level."""
        level = self.level
        return tuple(rule for rule in TAINT_RULES.values() if level in rule.levels)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What came in, in that order."""
        return tuple(self._marks)

    def mark(self, level: Level, kind: str, what: str, run_id: str = "", at: str = "") -> Mark | None:
        """Note that something came in; None where that is known already."""
        shown = "".join(c if c.isprintable() else "?" for c in " ".join(what.split()))[:200]
        with self._lock:
            known = any(m.kind == kind and m.what == shown and _RANK[m.level] >= _RANK[level] for m in self._marks)
            if not level or known or (len(self._marks) >= MARKS and self.level == FOREIGN):
                return None
            made = Mark(level, kind, shown, run_id, at or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
            self._marks.append(made)
            return made

    def of_run(self, run_id: str) -> tuple[Mark, ...]:
        """What came in by one run."""
        return tuple(mark for mark in self.marks if mark.run_id == run_id)

    def lift(self, mark: Mark) -> None:
        """Forget one mark: what it stands for has been looked at."""
        with self._lock:
            self._marks = [one for one in self._marks if one != mark]

    def clear(self) -> None:
        """Forget the marks: a person has looked at what came in."""
        with self._lock:
            self._marks.clear()
            self._urls.clear()
            self._followed.clear()

    # -- what the person said

    def hear(self, goal: str) -> None:
        """A person's goal: what it names is theirs."""
        with self._lock:
            self._said.append(goal.casefold())
            self._hosts.update(hosts_in(goal))

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that the person named."""
        return frozenset(self._hosts)

    def is_named(self, path: str | Path, cells: Iterable[str] = ()) -> bool:
        """Whether the person named a file, or a folder that it is in: in a goal, or in ``cells`` of theirs."""
        said = [*self._said, *(cell.casefold() for cell in cells)]
        place = PurePath(str(path).casefold())
        words = {word for text in said for word in _WORDS.findall(text)}
        if any(place.name in text for text in said):
            return True
        stem = _WORDS.findall(place.stem)
        if len(place.stem) >= STEM and stem and all(part in words for part in stem):
            return True
        return any(
            part in words for part in place.parts[:-1] if len(part) >= STEM and not place.is_absolute()
        ) or any(f"{part}/" in text for part in place.parts[:-1] for text in said if part not in ("/", "..", "."))

    # -- what the content said

    def learn(self, text: str) -> None:
        """Addresses that content from outside names: fetching one as it stands tells its author nothing new."""
        found = urls_in(text)
        with self._lock:
            self._urls.update(found[: max(0, URLS - len(self._urls))])

    def may_follow(self, url: str) -> bool:
        """Whether an address may be fetched without asking: the person named its host, or content wrote it down just so."""
        host = host_of(url)
        return bool(host) and (
            host in self._hosts or (_trimmed(url) in self._urls and self._followed[host] < FOLLOWED)
        )

    def followed(self, url: str) -> None:
        """An address was fetched."""
        with self._lock:
            self._followed[host_of(url)] += 1


def urls_in(text: str) -> list[str]:
    """The addresses that a text holds, as they stand."""
    return [_trimmed(found) for found in _URL.findall(text[:2_000_000])]


def hosts_in(text: str) -> set[str]:
    """The hosts that a person's words name."""
    hosts = {host_of(url) for url in urls_in(text)} | {found.casefold() for found in _BARE.findall(text)}
    return hosts - {""}


def host_of(url: str) -> str:
    """The host of an address, with its port where that is not the usual one; empty where there is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").casefold().rstrip(".")
    return host if port in (None, 80, 443, 21) else f"{host}:{port}"


def _trimmed(url: str) -> str:
    return url.strip().rstrip(".,;:!?)*_")
