"""Whether the guard, and what it stands on, is what it was: functions, classes and tables, compared by identity.

Binding a name anew raises no audit event. So a picture is taken when agents' code begins; what the judging rests on is
compared with it before each act that is judged, all of it when the code is done, and what was changed is put back.
"""

from __future__ import annotations

import builtins
import genericpath
import os
import pathlib
import posixpath
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

__all__ = ["Picture"]

_GONE: Final = object()
#: Modules whose parts are compared: what judges, and what asks the judges.
_OURS: Final = (
    "llmos_nb.guard", "llmos_nb.kernel", "llmos_nb.tools", "llmos_nb.dispatch", "llmos_nb.cortex", "llmos_nb.settings",
    "llmos_nb.system", "llmos_nb.mind", "llmos_nb.crystals",
)  # fmt: skip
#: Those that a verdict on an act rests on.
_JUDGING: Final = (
    "llmos_nb.guard.audit", "llmos_nb.guard.paths", "llmos_nb.guard.places", "llmos_nb.guard.rules",
    "llmos_nb.guard.verdict", "llmos_nb.guard.shell", "llmos_nb.kernel.whose", "llmos_nb.kernel.authored",
)  # fmt: skip
#: What the judging uses of Python.
_PYTHON: Final[tuple[tuple[Any, str], ...]] = (
    (builtins, "isinstance any all len str int tuple getattr sorted next bytes bool type super object __build_class__"),
    (os, "fsdecode fspath getcwd getpid lstat stat readlink path sep environ getpgrp"),
    (posixpath, "realpath _joinrealpath abspath normpath join isabs split dirname basename expanduser islink exists isdir"),
    (genericpath, "exists isdir isfile"),
    (stat, "S_ISLNK S_ISDIR"),
    (pathlib.PurePath, "parts parent parents name __new__ __fspath__ __str__ __truediv__ joinpath _parse_args "
     "_from_parsed_parts _from_parts"),
    (pathlib.Path, "__new__ home is_dir stat absolute"),
    (threading, "current_thread get_ident local"),
    (sys, "_getframe addaudithook modules"),
    (signal, "signal pthread_kill"),
)  # fmt: skip
Entry = tuple[Mapping[str, Any], str, Any, Any]
_PARTS: Final = (FunctionType, type, BuiltinFunctionType, property, staticmethod, classmethod)


class _Parts:
    """All parts as they are, for as long as they are: taking a picture of thousands of them takes milliseconds."""

    __slots__ = ("_known", "_sizes", "entries", "judging", "modules", "tables")

    def __init__(self) -> None:
        self._known = _last_of(sys.modules)
        self.modules = {
            name: module
            for name, module in list(sys.modules.items())
            if name.startswith(_OURS) and isinstance(module, ModuleType)
        }
        python = [
            (vars(owner), name, vars(owner)[name], owner)
            for owner, names in _PYTHON
            for name in names.split()
            if name in vars(owner)
        ]
        self.entries = [*python, *(entry for module in self.modules.values() for entry in _entries(module))]
        judging = [vars(module) for name, module in self.modules.items() if name.startswith(_JUDGING)]
        wanted = {id(one) for one in judging}
        self.judging = [*python, *(entry for entry in self.entries if id(entry[0]) in wanted)]
        self.tables = [
            (value, dict(value))
            for name, module in self.modules.items()
            if name.startswith("llmos_nb.guard") or name.endswith("tools.registry")
            for key, value in vars(module).items()
            if isinstance(value, dict) and key.strip("_").isupper()
        ]
        places = [*map(vars, self.modules.values()), *(entry[0] for entry in self.entries)]
        self._sizes = [(place, len(place)) for place in {id(place): place for place in places}.values()]

    def hold(self) -> bool:
        """Whether others taken now would show the same."""
        return (
            self._known == _last_of(sys.modules)
            and all(sys.modules.get(name) is module for name, module in self.modules.items())
            and all(len(place) == size for place, size in self._sizes)
            and all(names.get(name, _GONE) is value for names, name, value, _ in self.entries)
            and all(table == content for table, content in self.tables)
        )


def _last_of(names: dict[str, Any]) -> tuple[int, str]:
    return len(names), next(reversed(names), "")


def _taker() -> Callable[[], _Parts]:
    """What gives the parts as they are now, the ones it gave last if they still are; nobody else gets at these."""
    latest: list[_Parts] = []

    def parts_now() -> _Parts:
        if not latest or not latest[0].hold():
            latest[:] = [_Parts()]
        return latest[0]

    return parts_now


_parts_now: Final = _taker()


class Picture:
    """The parts as they are when it is taken. :meth:`judging` is quick, :meth:`put_back` looks at everything."""

    __slots__ = ("_hooks", "_parts")

    def __init__(self) -> None:
        self._parts = _parts_now()
        self._hooks = sys.gettrace(), sys.getprofile()

    def judging(self) -> str:
        """What the judging rests on and is another one now; empty where nothing is."""
        for names, name, value, owner in self._parts.judging:
            if names.get(name, _GONE) is not value:
                return f"{getattr(owner, '__name__', owner)}.{name}"
        return ""

    def put_back(self) -> list[str]:
        """Put back what was changed, and say what that was."""
        found: list[str] = []
        for name, module in self._parts.modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                found.append(f"sys.modules[{name!r}]")
        for names, name, value, owner in self._parts.entries:
            if names.get(name, _GONE) is not value:
                setattr(owner, name, value)
                found.append(f"{getattr(owner, '__name__', owner)}.{name}")
        for table, content in self._parts.tables:
            if table != content:
                table.clear()
                table.update(content)
                found.append("a table of the guard")
        for now, before, put, what in (
            (sys.gettrace(), self._hooks[0], sys.settrace, "sys.settrace"),
            (sys.getprofile(), self._hooks[1], sys.setprofile, "sys.setprofile"),
        ):
            if now is not before:
                _put(put, before)
                found.append(what)
        return found


def _put(put: Callable[[Any], None], value: Any) -> None:
    put(value)


def _entries(module: ModuleType) -> Iterator[Entry]:
    """The functions and classes that a module's names stand for, and those of its own classes."""
    names = vars(module)
    for name, value in list(names.items()):
        if not isinstance(value, _PARTS):
            continue
        yield names, name, value, module
        if isinstance(value, type) and value.__module__ == module.__name__:
            inside = vars(value)
            for key, part in list(inside.items()):
                if isinstance(part, _PARTS):
                    yield inside, key, part, value
