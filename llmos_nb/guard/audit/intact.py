"""Whether the guard, and what it stands on, is what it was: functions, classes and tables, compared by identity.

Binding a name anew raises no audit event. So a picture is taken when agents' code begins; what the judging rests on is
compared with it before each act that is judged, all of it when the code is done, and what was changed is put back.
A place is looked at where its stamp tells that something was written there since it was looked at last.
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

from llmos_nb.guard.audit.stamps import Stamps, dict_of

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
_PARTS: Final = (FunctionType, type, BuiltinFunctionType, property, staticmethod, classmethod)


class _Place:
    """Names that are compared, and what they stand for: some of a module or a class, or all of a table."""

    __slots__ = ("_content", "_names", "_owner", "_size", "names")

    def __init__(self, names: Mapping[str, Any], content: Mapping[str, Any], owner: Any = None) -> None:
        """``owner`` is the module or class whose names they are; None for a table."""
        self.names, self._content, self._owner = dict_of(names), content, owner
        self._size = len(self.names)

    def holds(self) -> bool:
        """Whether all is as it was, and no name has come."""
        return len(self.names) == self._size and not self.changed()

    def changed(self) -> str:
        """The first name that stands for something else; empty where none does."""
        if self._owner is None:
            return "" if self.names == self._content else "a table of the guard"
        get = self.names.get
        for name, value in self._content.items():
            if get(name, _GONE) is not value:
                return f"{getattr(self._owner, '__name__', self._owner)}.{name}"
        return ""

    def put_back(self) -> list[str]:
        """Put back what was changed, and say what that was."""
        if not (first := self.changed()):
            return []
        if self._owner is None:
            self.names.clear()
            self.names.update(self._content)
            return [first]
        changed = [name for name, value in self._content.items() if self.names.get(name, _GONE) is not value]
        for name in changed:
            setattr(self._owner, name, self._content[name])
        return [f"{getattr(self._owner, '__name__', self._owner)}.{name}" for name in changed]


class _Parts:
    """All parts as they are, for as long as they are: looking at thousands of them takes milliseconds."""

    __slots__ = ("_judging", "_judging_now", "_modules", "_now", "_places", "_seen")

    def __init__(self) -> None:
        self._modules = _ours()
        python = [
            _Place(vars(owner), {name: vars(owner)[name] for name in names.split() if name in vars(owner)}, owner)
            for owner, names in _PYTHON
        ]
        found = {id(place.names): place for module in self._modules.values() for place in _places(module)}
        judging = {id(vars(module)) for name, module in self._modules.items() if name.startswith(_JUDGING)}
        tables = {
            id(value): _Place(value, dict(value))
            for name, module in self._modules.items()
            if name.startswith("llmos_nb.guard") or name.endswith("tools.registry")
            for key, value in vars(module).items()
            if isinstance(value, dict) and key.strip("_").isupper()
        }
        self._places = [*python, *found.values(), *tables.values()]
        self._judging = [at for at, one in enumerate(self._places) if at < len(python) or id(one.names) in judging]
        # Their methods are kept, not looked up: a class that is changed changes nothing here.
        self._now = Stamps([sys.modules, *(place.names for place in self._places)]).now
        self._judging_now = Stamps([self._places[at].names for at in self._judging]).now
        #: The stamps when each place was last seen to hold; none is known yet.
        self._seen: list[int | None] = [None] * (len(self._places) + 1)

    def hold(self) -> bool:
        """Whether others taken now would show the same."""
        now, seen = self._now(), self._seen
        if now == seen:
            return True
        if now[0] != seen[0]:
            ours = _ours()
            if len(ours) != len(self._modules) or any(
                ours.get(name) is not one for name, one in self._modules.items()
            ):
                return False
        written = [one for one, at, before in zip(self._places, now[1:], seen[1:], strict=True) if at != before]
        if not all(place.holds() for place in written):
            return False
        self._seen = list(now)
        return True

    def judging(self) -> str:
        """What the judging rests on and is another one now; empty where nothing is."""
        seen, places = self._seen, self._places
        for at, now in zip(self._judging, self._judging_now(), strict=True):
            if now != seen[at + 1] and (changed := places[at].changed()):
                return changed
        return ""

    def put_back(self) -> list[str]:
        """Put back what was changed, and say what that was."""
        now, seen = self._now(), self._seen
        found: list[str] = []
        if now[0] != seen[0]:
            for name, module in self._modules.items():
                if sys.modules.get(name) is not module:
                    sys.modules[name] = module
                    found.append(f"sys.modules[{name!r}]")
        for place, at, before in zip(self._places, now[1:], seen[1:], strict=True):
            if at != before:
                found += place.put_back()
        return found


def _ours() -> dict[str, ModuleType]:
    return {
        name: module
        for name, module in list(sys.modules.items())
        if name.startswith(_OURS) and isinstance(module, ModuleType)
    }


def _taker() -> Callable[[], _Parts]:
    """What gives the parts as they are now, the ones it gave last if they still are; nobody else gets at these."""
    latest: list[_Parts] = []

    def parts_now() -> _Parts:
        if not latest or not latest[0].hold():
            latest[:] = [_Parts()]
            latest[0].hold()  # what it sees now need not be looked at again
        return latest[0]

    return parts_now


_parts_now: Final = _taker()


class Picture:
    """The parts as they are when it is taken. :meth:`judging` looks at some of them, :meth:`put_back` at all."""

    __slots__ = ("_hooks", "_parts")

    def __init__(self) -> None:
        self._parts = _parts_now()
        self._hooks = sys.gettrace(), sys.getprofile()

    def judging(self) -> str:
        """What the judging rests on and is another one now; empty where nothing is."""
        return self._parts.judging()

    def put_back(self) -> list[str]:
        """Put back what was changed, and say what that was."""
        found = self._parts.put_back()
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


def _places(module: ModuleType) -> Iterator[_Place]:
    """The functions and classes that a module's names stand for, and those of its own classes."""
    parts = {name: value for name, value in list(vars(module).items()) if isinstance(value, _PARTS)}
    yield _Place(vars(module), parts, module)
    for value in parts.values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            inside = {key: part for key, part in list(vars(value).items()) if isinstance(part, _PARTS)}
            yield _Place(vars(value), inside, value)
