"""Which trace files are there, and which changed since the last look.

A full look stats every file. A quick one stats the folders alone and lists those whose time has changed: adding,
removing or replacing a file changes its folder's time, writing into a file does not. A folder that changed a moment
ago is listed again at the next look, since a second change within one tick of the file system's clock would not show.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from llmos_nb.errors import StoreError

__all__ = ["Shelf", "Stamp"]

#: ``(mtime_ns, size)`` of a file.
Stamp = tuple[int, int]

#: A clock of the file system ticks at least this often: 10 ms kernel ticks with room to spare.
_TICK_NS: Final = 100_000_000
#: The same for file systems that keep whole seconds (FAT ticks every two).
_COARSE_TICK_NS: Final = 3_000_000_000
#: Files of a folder from which they are kept packed.
_MANY: Final = 4096


class _Listing:
    """One folder at the time it was last listed.

    Many files are kept packed: a million of them take 80 MB, where a dictionary takes 200.
    """

    __slots__ = ("_names", "_sizes", "_some", "_times", "mtime_ns", "own", "settled")

    def __init__(self, mtime_ns: int = -1, settled: bool = False, files: Mapping[str, Stamp] | None = None) -> None:
        self.mtime_ns, self.settled = mtime_ns, settled
        #: A file was added by this process: the folder's next change may be no more than that.
        self.own = False
        files = files or {}
        many = len(files) > _MANY
        self._names = "\0".join(files) if many else ""
        self._times = array("q", (stamp[0] for stamp in files.values()) if many else ())
        self._sizes = array("q", (stamp[1] for stamp in files.values()) if many else ())
        #: All of them where they are few, else those that were added since.
        self._some: dict[str, Stamp] = {} if many else dict(files)

    @property
    def files(self) -> dict[str, Stamp]:
        """Its files with their stamps. Made anew where they are many."""
        if not self._names:
            return self._some
        stamps = zip(self._times, self._sizes, strict=True)
        return dict(zip(self._names.split("\0"), stamps, strict=True)) | self._some

    def add(self, file: str, stamp: Stamp) -> None:
        """This process has added a file."""
        self._some = {**self._some, file: stamp}
        self.own = True


class Shelf:
    """The ``.md`` files of a folder and of its subfolders; links, hidden names and ``README.md`` do not count.

    Paths are relative with forward slashes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listings: dict[str, _Listing] = {}

    def scan(self) -> dict[str, Stamp]:
        """Every file with its stamp."""
        self._listings = {"": _Listing()}
        for name in (*self._subfolders(), ""):
            self._listings[name] = _Listing()
            self._look(name, every=True)
        return {
            _join(name, file): stamp
            for name, listing in self._listings.items()
            for file, stamp in listing.files.items()
        }

    def changes(self) -> tuple[dict[str, Stamp], list[str]]:
        """What a quick look finds: files that are new or changed, and paths that are gone."""
        new: dict[str, Stamp] = {}
        gone: list[str] = []
        root = self._listings.get("")
        if root is None:
            root = self._listings[""] = _Listing()
        if not root.settled or self._mtime("") != root.mtime_ns:
            for name in self._subfolders():
                self._listings.setdefault(name, _Listing())
        for name in tuple(self._listings):
            listing = self._listings[name]
            if self._look(name):
                before, files = listing.files, self._listings[name].files if name in self._listings else {}
                new |= {_join(name, file): stamp for file, stamp in files.items() if before.get(file) != stamp}
                gone += [_join(name, file) for file in before if file not in files]
        return new, gone

    def wrote(self, path: str, stamp: Stamp) -> None:
        """This process has added a file and indexed it."""
        name, _, file = path.rpartition("/")
        self._listings.setdefault(name, _Listing()).add(file, stamp)

    def _mtime(self, name: str) -> int:
        try:
            return os.stat(f"{self.folder}/{name}").st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            return -1

    def _look(self, name: str, *, every: bool = False) -> bool:
        """List one folder again if it may have changed; False if it has not."""
        listing = self._listings[name]
        mtime_ns = self._mtime(name)
        if mtime_ns < 0:
            self._listings.pop(name)
            return True
        if listing.settled and mtime_ns == listing.mtime_ns:
            return False
        tick = _TICK_NS if mtime_ns % 1_000_000_000 else _COARSE_TICK_NS
        settled = time.time_ns() - mtime_ns > tick
        names = set() if every else set(self._names(name))
        before = {} if every else listing.files
        if every or (names == before.keys() and not listing.own and mtime_ns != listing.mtime_ns):
            files = dict(self._stamps(name, None))  # a replaced file keeps its name
        else:
            files = {file: stamp for file, stamp in before.items() if file in names}
            files |= self._stamps(name, names - files.keys())
        self._listings[name] = _Listing(mtime_ns, settled, files)
        return True

    def _names(self, name: str) -> Iterator[str]:
        return (file for file in self._entries(name) if _counts(file))

    def _entries(self, name: str) -> list[str]:
        try:
            return os.listdir(self.folder / name)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"{self.folder / name}: cannot be listed ({error.strerror}).",
                remedy="Check the folder's permissions.",
            ) from error

    def _stamps(self, name: str, only: set[str] | None) -> Iterator[tuple[str, Stamp]]:
        """The regular files among ``only`` (None: all) with their stamps."""
        folder = os.path.join(self.folder, name)
        for file in self._names(name) if only is None else only:
            try:
                found = os.lstat(os.path.join(folder, file))
            except FileNotFoundError:
                continue
            if found.st_mode & 0o170000 == 0o100000:
                yield file, (found.st_mtime_ns, found.st_size)

    def _subfolders(self) -> list[str]:
        return [
            name
            for name in self._entries("")
            if not name.startswith(".") and _encodable(name) and os.path.isdir(path := self.folder / name)
            and not os.path.islink(path)
        ]  # fmt: skip


def _join(name: str, file: str) -> str:
    return f"{name}/{file}" if name else file


def _counts(file: str) -> bool:
    return file.endswith(".md") and not file.startswith(".") and file.lower() != "readme.md" and _encodable(file)


def _encodable(name: str) -> bool:
    """It can be a key in a database: a name that is not UTF-8 cannot."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)
