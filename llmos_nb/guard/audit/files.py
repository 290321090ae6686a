"""Acts on files: where the path really leads decides, links and folders' descriptors followed."""

from __future__ import annotations

import functools
import os
import re
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

from llmos_nb.guard.audit.callers import INTERPRETER, called_from, is_direct, ours_is_nearer
from llmos_nb.guard.audit.watch import Watch
from llmos_nb.guard.paths import zone_of
from llmos_nb.guard.places import is_secret
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.whose import agents_turn

__all__ = ["FILES", "LOOKS_SECRET", "WRITING", "is_written", "judge_open", "watch_databases"]

WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: What a path that may be a secret has in its name: a quick look, before whose code opens it is found out.
LOOKS_SECRET: Final = re.compile(
    r"(?i)secret|credential|shadow|passw|token|wallet|keyring|keystore|\.(ssh|aws|gnupg|azure|kube|claude|codex|env|netrc|npmrc"
    r"|pypirc|pgpass|docker|mozilla|oci|vault|pem|key|p12|pfx|jks|kdbx)|id_(rsa|dsa|ecdsa|ed25519)|/(environ|mem)$"
)
#: Files that agents' code opened for writing in this process, the latest ones.
_written: Final[dict[str, None]] = {}
_WRITTEN_LIMIT: Final = 10_000


def is_written(path: str) -> bool:
    """Whether agents' code wrote the file, as far as is known."""
    return os.path.realpath(path) in _written


#: What libraries keep below the home folder without being asked: caches, downloaded examples, their settings.
_OF_LIBRARIES: Final = (
    ".cache", ".config/matplotlib", ".config/pandas", ".matplotlib", ".ipython", ".local/share", ".keras", ".dask",
    ".config/dask", "scikit_learn_data", "seaborn-data", "nltk_data", "statsmodels_data", ".astropy", ".plotly",
    "tensorflow_datasets", ".config/yfinance", ".numba_cache", ".theano", ".streamlit", ".qiskit", ".skdata",
    "Library/Caches",
)  # fmt: skip
#: Libraries that read credentials to use them, and not to show them.
_USERS_OF_SECRETS: Final = (
    "netrc.py", "botocore", "google/auth", "azure", "docker", "kubernetes", "huggingface_hub", "ssl.py", "certifi",
    "urllib3", "snowflake", "kaggle", "pip/",
)  # fmt: skip
_RULES: Final = {
    "guarded": "path-guarded", "secret": "py-secret", "persistence": "path-persistence", "device": "path-device",
}  # fmt: skip
_TEMPORARY: Final = os.path.realpath(tempfile.gettempdir()) + os.sep

Judge = Callable[[Watch, tuple[Any, ...], FrameType], Verdict | None]


def _name_of(path: object, folder: object) -> str | None:
    """The absolute name of what an event tells of, unresolved; None where it is no name, such as an open file."""
    if isinstance(path, int):
        try:
            return os.readlink(f"/proc/self/fd/{path}") if path >= 0 else None
        except OSError:
            return None
    if not isinstance(path, str | bytes | os.PathLike):
        return None
    name = os.fsdecode(path)
    if isinstance(folder, int) and folder >= 0 and not os.path.isabs(name):
        name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
    return os.path.join(os.getcwd(), name)


def _real(name: str, *, itself: bool) -> Path:
    """Where a name leads; ``itself`` is for acts on a link rather than on what it leads to."""
    if itself and os.path.basename(name) not in ("", ".", ".."):
        return Path(os.path.realpath(os.path.dirname(name)), os.path.basename(name))
    return Path(os.path.realpath(name))


def _judge_change(watch: Watch, name: str | None, effect: str, frame: FrameType, *, itself: bool) -> Verdict | None:
    if name is None or ":[" in name:  # a pipe, a socket
        return None
    path = _real(name, itself=itself)
    zone = zone_of(path, workspace=watch.workspace, roots=watch.roots)
    text = str(path)
    if effect == "write":
        _written[text] = None
        if len(_written) > _WRITTEN_LIMIT:
            del _written[next(iter(_written))]
    if zone in ("inside", "scratch", "stream") or ":[" in path.name:
        return None
    if zone in ("outside", "system"):
        if text.startswith(_TEMPORARY) and _TEMPORARY.count(os.sep) > 2:
            return None
        if "__pycache__" in path.parts and not is_direct(frame):
            return None
        if text.endswith(_COMPILED) and called_from(frame, ("<frozen importlib", "py_compile.py")):
            return None
        if (_is_librarys(path) or (effect == "folder" and _leads_to_librarys(path))) and not is_direct(frame):
            return None
        if effect in ("write", "folder"):
            return hit("py-write", text, "deny" if zone == "system" else None)
        return hit("py-delete", text)
    if zone == "root":
        return hit("py-delete", text) if effect == "delete" else None
    if zone in ("guarded", "persistence") and ours_is_nearer(frame):
        return None  # a tool of the system's, which answers for it
    if zone == "persistence" and _is_librarys(path) and not is_direct(frame):
        return None
    return hit(_RULES[zone], text)


_COMPILED: Final = (".pyc", ".nbi", ".nbc")


def _is_librarys(path: Path) -> bool:
    home = os.path.realpath(Path.home())
    return any(str(path).startswith(os.path.join(home, one)) for one in _OF_LIBRARIES)


def _leads_to_librarys(path: Path) -> bool:
    """Whether it is a folder that such places lie in, as ``~/.config``: a new account has none."""
    home = os.path.realpath(Path.home())
    return any(os.path.join(home, one).startswith(f"{path}{os.sep}") for one in _OF_LIBRARIES)


def judge_open(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """``open(path, mode, flags)``. An opened folder outside is refused, too: names start there that no event tells."""
    path, mode, flags = (*arguments, None, None)[:3]
    if isinstance(path, int):
        return None
    flags = flags if isinstance(flags, int) else 0
    if flags & WRITING:
        return _judge_change(watch, _name_of(path, None), "write", frame, itself=False)
    name = _name_of(path, None)
    if name is None or name.startswith(INTERPRETER):
        return None
    text = os.path.realpath(name)
    if LOOKS_SECRET.search(text) or LOOKS_SECRET.search(name):
        secret = is_secret(Path(text)) or is_secret(Path(name))
        if secret and not called_from(frame, _USERS_OF_SECRETS):
            return hit("py-secret", name)
    # What opens a file for Python's own reading has a mode; a folder is opened without.
    if mode is None and (flags & os.O_DIRECTORY or (os.path.isdir(text) and is_direct(frame))):
        zone = zone_of(Path(text), workspace=watch.workspace, roots=watch.roots)
        if zone not in ("inside", "root", "scratch", "guarded", "stream") and not called_from(frame, ("shutil.py",)):
            return hit("py-write", f"the folder {name}, opened")
    return None


def _change(*places: tuple[int, int | None, str], itself: bool) -> Judge:
    """A judge of an event whose arguments name paths: position, position of the folder's descriptor, effect."""

    def judge(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
        for place, folder, effect in places:
            start = arguments[folder] if folder is not None and folder < len(arguments) else None
            name = _name_of(arguments[place], start) if place < len(arguments) else None
            if (found := _judge_change(watch, name, effect, frame, itself=itself)) is not None:
                return found
        return None

    return judge


def _database(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    name = arguments[0] if arguments else None
    if isinstance(name, str | bytes):
        text = os.fsdecode(name)
        if text in ("", ":memory:") or text.startswith("file::memory:"):
            return None
        if text.startswith("file:"):
            from urllib.parse import unquote, urlsplit

            parts = urlsplit(text)
            if "mode=ro" in parts.query or "mode=memory" in parts.query or "immutable=1" in parts.query:
                return None
            name = unquote(parts.path)
    elif isinstance(name, int):
        return None
    found = _judge_change(watch, _name_of(name, None), "write", frame, itself=False)
    # A library's own store, and one that is there to be read only.
    return None if found is not None and found.rule == "py-write" and _read_only(name) else found


def watch_databases() -> None:
    """From now on, see which other files the statements of agents' connections name: no audit event tells of these."""
    connect: Any = sqlite3.connect

    @functools.wraps(connect)
    def connected(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        if agents_turn() and not ours_is_nearer(sys._getframe(1)):
            connection.set_authorizer(_statement)
        return connection

    connected.__module__, connected.__qualname__ = "sqlite3", "connect"  # pickled by its name, as ever
    for module in (sqlite3, sqlite3.dbapi2):
        vars(module)["connect"] = connected


def _statement(action: int, first: str | None, *_: str | None) -> int:
    if action == _ATTACH and first:
        sys.audit("llmos.attach", first)
    return sqlite3.SQLITE_OK


#: SQLite's number of ATTACH, which VACUUM INTO counts as, too.
_ATTACH: Final = 24


def _read_only(name: object) -> bool:
    return isinstance(name, str) and os.path.exists(name) and not os.access(name, os.W_OK)


#: Events that tell of a change to files, and who judges them.
FILES: Final[dict[str, Judge]] = {
    "open": judge_open,
    "os.chflags": _change((0, None, "delete"), itself=False),
    "os.chmod": _change((0, 2, "delete"), itself=False),
    "os.chown": _change((0, 3, "delete"), itself=False),
    "os.link": _change((0, 2, "delete"), (1, 3, "write"), itself=True),
    "os.mkdir": _change((0, 2, "folder"), itself=True),
    "os.remove": _change((0, 1, "delete"), itself=True),
    "os.removexattr": _change((0, None, "delete"), itself=False),
    "os.rename": _change((0, 2, "delete"), (1, 3, "write"), itself=True),
    "os.rmdir": _change((0, 1, "delete"), itself=True),
    "os.setxattr": _change((0, None, "delete"), itself=False),
    "os.symlink": _change((1, 2, "write"), itself=True),
    "os.truncate": _change((0, None, "delete"), itself=False),
    "os.utime": _change((0, 3, "delete"), itself=False),
    "shutil.chown": _change((0, None, "delete"), itself=False),
    "shutil.rmtree": _change((0, 1, "delete"), itself=True),
    "sqlite3.connect": _database,
    "llmos.attach": _database,
}
