"""What agent code does to files, seen through Python's audit events, with each file kept as it was before its first change.

An audit event fires *before* the file is opened for writing, renamed or removed, so the copy taken then is the old
content. Where agent code starts a program, the folders are compared before and after. What C libraries do by
themselves, and what other threads do, is not seen.
"""

from __future__ import annotations

import errno
import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.audit.callers import BETWEEN
from llmos_nb.guard.paths import project_zone
from llmos_nb.guard.snapshot import Snapshot
from llmos_nb.guard.undo import Undo
from llmos_nb.kernel.whose import agents_code, is_own_work, own_work

__all__ = ["FileEffects", "is_below", "is_watched", "unwatched", "watching"]

_WRITE_FLAGS: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: Audit events that tell of a change, with the positions of their arguments that name what is changed, and the
#: position of the descriptor of the folder that a relative name starts at (None: the working folder).
_CHANGES: Final[dict[str, tuple[tuple[int, int | None], ...]]] = {
    "os.chmod": ((0, 2),),
    "os.link": ((1, 3),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "shutil.rmtree": ((0, 1),),
    "sqlite3.connect": ((0, None),),
}
#: What SQLite puts beside a database: a change may be in these alone.
_BESIDE_A_DATABASE: Final = ("-wal", "-shm", "-journal")
#: Those of them that take everything below with them.
_WHOLE_FOLDERS: Final = frozenset({"os.rename", "shutil.rmtree"})
#: Audit events of a program that is about to start.
_PROGRAMS: Final = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"})


class FileEffects:
    """Files read and changed by one piece of agent code, as absolute paths; what changes is kept in ``undo`` first.

    ``said`` is the code itself. In the files and folders ``guarded`` nothing can be changed: the attempt raises
    PermissionError in the code; in those that are ``private`` only by the system itself, when the code asks it for
    something. So does one in the folder ``projects`` to change a project's limits or, from within a project, another one.
    """

    def __init__(
        self,
        roots: tuple[Path, ...],
        undo: Undo,
        *,
        guarded: tuple[Path, ...] = (),
        private: tuple[Path, ...] = (),
        projects: Path | None = None,
        said: str = "",
    ) -> None:
        self.read: set[Path] = set()
        self.changed: set[Path] = set()
        self._undo = undo
        self._folders = roots
        real: dict[str, str] = {}
        self._guarded = tuple({path for place in guarded for path in _spellings(place, real)})
        self._private = tuple({path for place in private for path in _spellings(place, real)})
        self._spelled = tuple({path for root in roots for path in _spellings(root, real)})
        self._projects = () if projects is None else tuple(set(_spellings(projects, real)))
        self._snapshot: Snapshot | None = None
        self._apart, self._said = guarded, said
        self._roots = tuple(str(path) + os.sep for path in self._spelled)
        self._thread = threading.get_ident()
        self._inside = False

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of one audit event of the watched thread."""
        if self._inside or is_own_work() or threading.get_ident() != self._thread:
            return
        self._inside = True  # the copying below opens files itself
        try:
            if event == "open":
                path, _, flags = (*arguments, None, None)[:3]
                writes = isinstance(flags, int) and bool(flags & _WRITE_FLAGS)
                if writes:
                    self._refuse_private(path, None)
                name = self._relevant(path, None)
                if name is None:
                    return
                if writes:
                    self._refuse_guarded(name)
                    self._note_change(name)
                else:
                    self.read.add(name)
                return
            if event in _PROGRAMS:
                self._snapshot = self._snapshot or Snapshot.of(self._folders, self._apart)
                return
            named = [_named(arguments, *place) for place in _CHANGES[event]]
            for one in named:
                self._refuse_private(*one)
            names = [self._relevant(*one) for one in named]
            for name in names:
                if name is not None:
                    self._refuse_guarded(name, whole=event in _WHOLE_FOLDERS)
            if event == "os.rename" and names[0] is not None and names[0].is_dir():
                self._note_moved_folder(names[0], names[1])
            elif event == "shutil.rmtree" and names[0] is not None:
                self.changed.update(self._undo.keep_tree(names[0]))
            for name in names:
                if name is not None:
                    self._note_change(name)
                    if event == "sqlite3.connect":
                        for suffix in _BESIDE_A_DATABASE:
                            self._undo.keep_file(name.with_name(name.name + suffix))
        finally:
            self._inside = False

    def _refuse_private(self, path: object, folder: int | None) -> None:
        """Let only the system itself write its ledger, its histories and its other private files."""
        if is_below(path, folder, self._private) and not _asked_for_by_the_system():
            raise PermissionError(errno.EACCES, "a cell must not change the system's own files", str(path))

    def _refuse_guarded(self, path: Path, *, whole: bool = False) -> None:
        """Let nothing be changed that has tools of its own, however the code came to its name."""
        for guarded in self._guarded:
            if path == guarded or guarded in path.parents or (whole and path in guarded.parents):
                what = "a cell must not change agents, memory and settings: they have tools of their own"
                raise PermissionError(errno.EACCES, what, str(path))

        for projects in self._projects:
            if project_zone(path, projects, self._spelled) is not None:
                what = "a cell must not change what is kept about a project, its limits, or another project"
                raise PermissionError(errno.EACCES, what, str(path))

    def written(self) -> set[Path]:
        """Files that are there now, or were before, out of those that were touched: no passing ones, no folders."""
        if self._snapshot is not None:
            self.changed.update(self._snapshot.changes(self._undo, self._said))
            self._snapshot = None
        return {path for path in self.changed if path.is_file() or self._undo.existed(path)}

    def _note_change(self, path: Path) -> None:
        if path not in self.changed:
            self._undo.keep_file(path)
            self.changed.add(path)

    def _note_moved_folder(self, source: Path, target: Path | None) -> None:
        for path in self._undo.keep_tree(source):
            self.changed.add(path)
            if target is not None:
                self._note_change(target / path.relative_to(source))

    def _relevant(self, path: object, folder: int | None) -> Path | None:
        """The absolute path where it is the user's data: not the interpreter's, a cache's or the system's own files."""
        name = _absolute(path, folder)
        if name is None:
            return None
        parts = set(name.split(os.sep))
        if parts & _CACHES or name.startswith(_INTERPRETER):
            return None
        ours = name.startswith(self._roots)
        return Path(name) if ours or not name.startswith((*_SYSTEM, *_SCRATCH)) else None


def is_below(path: object, folder: int | None, private: tuple[Path, ...]) -> bool:
    """Whether what an audit event names is one of the system's ``private`` places or in one."""
    name = _absolute(path, folder)
    if name is None or ".llmos" not in name:
        return False
    place = Path(name)
    return any(place == one or one in place.parents for one in private)


def _spellings(place: Path, real: dict[str, str]) -> tuple[Path, Path]:
    """The absolute path as it is spelled, and resolved. ``real`` keeps where folders led a moment ago."""
    spelled = place if place.is_absolute() else place.absolute()
    folder, name = os.path.split(str(spelled))
    if name in ("", ".", ".."):
        return spelled, place.resolve()
    if folder not in real:
        real[folder] = os.path.realpath(folder)
    full = os.path.join(real[folder], name)
    if os.path.islink(full):
        return spelled, Path(os.path.realpath(full))
    return spelled, spelled if real[folder] == folder else Path(full)


def _absolute(path: object, folder: int | None) -> str | None:
    """The absolute path of a name as an audit event tells it; None where that cannot be known."""
    if not isinstance(path, str | bytes | os.PathLike):
        return None
    name = os.fsdecode(path)
    if folder is not None and folder >= 0 and not os.path.isabs(name):
        try:
            name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
        except OSError:
            return None
    return os.path.abspath(name)


def _asked_for_by_the_system() -> bool:
    """Whether it is a part of this package that works on a file, through libraries perhaps."""
    frame, asked = sys._getframe(1), False
    while frame is not None:
        name = frame.f_code.co_filename
        if name != __file__ and not name.startswith(("<frozen", *BETWEEN)):
            if name.startswith(_DOMAINS):
                return False  # a pack's functions are anybody's, who lets the system's parts write through them
            if name.startswith(_PACKAGE):
                asked = True
            elif asked or not name.startswith(_INTERPRETER):
                return asked
        frame = frame.f_back  # type: ignore[assignment]
    return asked


def _named(arguments: tuple[Any, ...], name: int, folder: int | None) -> tuple[Any, int | None]:
    """A path among an audit event's arguments, and the descriptor of the folder it starts at."""
    start = arguments[folder] if folder is not None and folder < len(arguments) else None
    return arguments[name] if name < len(arguments) else None, start if isinstance(start, int) else None


def _folders(*paths: str | None) -> tuple[str, ...]:
    return tuple({os.path.abspath(path) + os.sep for path in paths if path})


_CACHES: Final = frozenset({"__pycache__", ".llmos", ".ipynb_checkpoints", "site-packages", "dist-packages"})
_INTERPRETER: Final = _folders(*(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")))
_PACKAGE: Final = str(Path(__file__).parents[1]) + os.sep
_DOMAINS: Final = f"{_PACKAGE}domains{os.sep}"
_SYSTEM: Final = _folders("/proc", "/sys", "/dev", "/etc", "/usr/lib", "/usr/share", *sys.path[1:])
_SCRATCH: Final = _folders(
    tempfile.gettempdir(),
    *(str(Path.home() / name) for name in (".cache", ".config", ".ipython", ".jupyter", ".local", ".matplotlib")),
)

_active: FileEffects | None = None
#: Around work on files by the system itself, on behalf of a tool that agent code may be waiting for.
unwatched = own_work
_installed = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _active is not None and (event == "open" or event in _CHANGES or event in _PROGRAMS):
        _active.audit(event, arguments)


def is_watched() -> bool:
    """Whether agent code is being watched now: what it calls has to answer to the guard, too."""
    return _active is not None


@contextmanager
def watching(effects: FileEffects) -> Iterator[FileEffects]:
    """Note file effects of this thread until the block ends. Blocks nest; the innermost one notes."""
    global _active, _installed
    if not _installed:
        sys.addaudithook(_audit)  # cannot be taken away again; idle it costs one comparison an event
        _installed = True
    before, _active = _active, effects
    try:
        with agents_code():
            yield effects
    finally:
        _active = before
