"""What is known of the agents folder: each file's last good version, what is wrong with it now, and when to look again.

Nothing here trusts a notification. One look at the folder (its own time stamp says whether files came, went or were
replaced) and one at the file that is asked for tell in microseconds whether what is known still holds, whoever wrote:
this process, a person's editor, git, another kernel, or one on the far side of a network file system.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llmos_nb.errors import AgentFileError
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.agent import Agent, name_problem, printable, skeleton
from llmos_nb.mind.agent_file import agent_of, read_bytes
from llmos_nb.mind.folder import file_names

__all__ = ["Entry", "LoadedFolder"]

#: Nanoseconds in which a second write can have the time stamp of the first: a tick of the clock that file systems
#: use, and for those that stamp whole seconds (or even ones) more than that.
TICK_NS: Final = 50_000_000
COARSE_TICK_NS: Final = 2_100_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: the state of the disk it was read at, its last good version, and what is wrong with it now.

    ``digest`` is of the bytes that were read; ``settled`` says that a later write must show in ``signature``.
    """

    signature: tuple[int, ...]
    digest: bytes
    settled: bool
    agent: Agent | None
    error: AgentFileError | None


def _signature(path: str | Path) -> tuple[int, ...]:
    """What changes when a file does; empty where there is none."""
    try:
        s = os.lstat(path)
    except (OSError, ValueError):
        return ()
    return (s.st_mtime_ns, s.st_ctime_ns, s.st_size, s.st_ino, s.st_dev, s.st_mode, s.st_nlink)


def _settled(signature: tuple[int, ...], now_ns: int) -> bool:
    """Whether a write after ``now_ns`` would have a time stamp other than that of ``signature``."""
    if not signature:
        return True
    stamp = max(signature[:2])
    tick = COARSE_TICK_NS if stamp % 1_000_000_000 == 0 else TICK_NS
    return now_ns - stamp > tick


class LoadedFolder:
    """The files of one agents folder. Not safe for threads by itself.

    ``reserved`` are names that count as taken before any file is looked at: those of the packaged agents.
    """

    def __init__(self, folder: Path, reserved: Iterable[str]) -> None:
        self.folder = folder
        #: By file name. A file that is gone is not in it.
        self.entries: dict[str, Entry] = {}
        #: What is wrong with the folder itself.
        self.error: AgentFileError | None = None
        self._reserved = {skeleton(name): f"{name}.md" for name in reserved}
        #: File name -> the file or packaged agent that it looks like, or an empty text.
        self._look_alikes: dict[str, str] = {}
        self._prefix = os.fspath(folder) + os.sep
        self._listed: tuple[int, ...] | None = None
        self._listing_settled = False

    def refresh(self) -> None:
        """Bring every entry up to date. Problems become entries, never exceptions."""
        if not self._list():
            return
        known, folder = self.entries.get, self._prefix
        for name in self._look_alikes:
            entry = known(name)
            if entry is None or not entry.settled or entry.signature != _signature(folder + name) or _of_name(entry):
                self._look(name)

    def refresh_one(self, name: str, *, anew: bool = False) -> Entry | None:
        """The entry of the file ``name``, up to date, or None if there is no such file; ``anew`` reads it in any case."""
        if not self._list(anew=anew) or name not in self._look_alikes:
            return self.entries.get(name)
        return self._look(name, anew=anew)

    def _list(self, *, anew: bool = False) -> bool:
        """Bring the names up to date; False when the folder cannot be read, and what was known stays."""
        now_ns = time.time_ns()
        signature = _signature(self._prefix)
        if not anew and signature == self._listed and self._listing_settled and self.error is None:
            return True
        try:
            names = file_names(self.folder)
        except AgentFileError as error:
            self.error = error
            return False
        self.error = None
        self._listed, self._listing_settled = signature, _settled(signature, now_ns)
        if self._look_alikes.keys() != set(names):
            self._compare(names)
        return True

    def _compare(self, names: list[str]) -> None:
        """Find the files that look alike, and forget those that are gone."""

        def precedence(name: str) -> tuple[bool, bool, str]:
            """Of two look-alikes the one in use stays; else the one that is written plainly."""
            known = self.entries.get(name)
            stem = name[: -len(".md")]
            return (known is None or known.agent is None, stem != skeleton(stem), name)

        taken = dict(self._reserved)
        self._look_alikes = {}
        for name in sorted(names, key=precedence):
            first = taken.setdefault(skeleton(name[: -len(".md")]), name)
            self._look_alikes[name] = first if first != name else ""
        self.entries = {name: entry for name, entry in self.entries.items() if name in self._look_alikes}

    def _look(self, name: str, *, anew: bool = False) -> Entry:
        old = self.entries.get(name)
        now_ns = time.time_ns()
        signature = _signature(self._prefix + name)
        # Signatures do not tell what a file looks like beside others: that may have changed with the listing.
        refused = self._refusal(name) if old is None or anew or self._look_alikes[name] or _of_name(old) else None
        same = old is not None and signature and old.signature == signature and old.settled and not anew
        if same and refused is None and old is not None and not _of_name(old):
            return old
        path = self.folder / name
        agent = old.agent if old is not None else None
        digest = b""
        error = refused
        if error is None:
            try:
                data = read_bytes(path)
                digest = hashlib.blake2b(data, digest_size=16).digest()
                if old is None or digest != old.digest or old.error is not None:
                    agent = agent_of(data, path)
            except AgentFileError as problem:
                error = self._linked(path, signature) or problem
        entry = Entry(signature, digest, _settled(signature, now_ns), agent, error)
        self.entries[name] = entry
        return entry

    def _refusal(self, name: str) -> AgentFileError | None:
        """Why a file of this name is not even read."""
        if look_alike := self._look_alikes.get(name, ""):
            return _NameError(
                f"{printable(spelled(self.folder / name))}:1: looks like {printable(look_alike)!r}.",
                remedy="Rename or remove one of the two.",
            )
        if problem := _stem_problem(name):
            return _NameError(f"{printable(spelled(self.folder / name))}:1: {problem}.", remedy="Rename the file.")
        return None

    def _linked(self, path: Path, signature: tuple[int, ...]) -> AgentFileError | None:
        """A clearer reason for a bad file that is another agent's by a second name."""
        if not signature or signature[-1] < 2:
            return None
        for other in self._look_alikes:
            if other != path.name and _signature(self.folder / other)[3:5] == signature[3:5]:
                return AgentFileError(
                    f"{printable(spelled(path))}:1: is a hard link to {printable(other)!r}.",
                    remedy="Copy the text into a file of its own, with its own name.",
                )
        return None


class _NameError(AgentFileError):
    """A file that is refused for its name alone."""


def _of_name(entry: Entry) -> bool:
    return isinstance(entry.error, _NameError)


def _stem_problem(name: str) -> str:
    return name_problem(name[: -len(".md")]) or ("" if name.endswith(".md") else "the ending must be '.md'")
