"""The modules of a folder: read when they are wanted, and again whenever a file changed.

The files are the truth, and anybody may write them: another kernel, an editor, git. So every use looks at the file
first.
"""

from __future__ import annotations

import difflib
import os
import threading
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.crystals.judged import judge_text
from llmos_nb.crystals.load import Module, load, read
from llmos_nb.crystals.naming import NAME
from llmos_nb.errors import CrystalError, UnknownCrystal

__all__ = ["Loaded", "ModuleFolder"]

#: Nanoseconds for which a file that was just written is looked at twice: its times tell moments no finer apart.
_RACY_NS: Final = 100_000_000
#: Bytes of a module.
SIZE_LIMIT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A module that runs: its function, and the twin that returns ``(value, names)``."""

    module: Module
    loaded: types.ModuleType
    function: Callable[..., Any]
    twin: Callable[..., Any]


class ModuleFolder:
    """The modules in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Says why a module's text must not run at all; empty where it may.
        self.stranger: Callable[[Module], str] = lambda module: ""
        self._lock = threading.RLock()
        self._modules: dict[str, tuple[tuple[int, ...], Module]] = {}
        self._loaded: dict[str, Loaded] = {}

    def names(self) -> list[str]:
        """The crystals' names in order."""
        return sorted(path.stem for path in self.folder.glob("*.py") if NAME.fullmatch(path.stem))

    def path(self, name: str) -> Path:
        """The file of the crystal ``name``."""
        return self.folder / f"{name}.py"

    def exists(self, name: str) -> bool:
        """Whether there is a crystal of this name."""
        return isinstance(name, str) and bool(NAME.fullmatch(name)) and self.path(name).is_file()

    def unknown(self, name: str) -> UnknownCrystal:
        """The error for a crystal that is not there, with those that are."""
        names = self.names()
        close = difflib.get_close_matches(name, names, 3)
        there = (
            f"There are {', '.join(names[:20])}." if names else "There are none yet: a goal used often becomes one."
        )
        return UnknownCrystal(
            f"There is no crystal {name!r} in {self.folder}.",
            remedy=f"Did you mean {' or '.join(close)}? {there}" if close else there,
        )

    def module(self, name: str) -> Module:
        """The module of a crystal, parsed but not run, as its file says it now.

        Raises:
            UnknownCrystal: there is none.
            CrystalError: its file cannot be used.
        """
        path = f"{self.folder}{os.sep}{name}.py"
        with self._lock:
            try:
                found = os.stat(path)
                stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
                cached = self._modules.get(name)
                racy = time.time_ns() - found.st_mtime_ns < _RACY_NS
                if cached is not None and cached[0] == stamp and not racy:
                    return cached[1]
                if found.st_size > SIZE_LIMIT:
                    raise CrystalError(f"{path}: more than {SIZE_LIMIT} bytes.", remedy="Shorten it.")
                text = Path(path).read_bytes().decode("utf-8")
            except FileNotFoundError:
                self._modules.pop(name, None)
                self._loaded.pop(name, None)
                raise self.unknown(name) from None
            except (OSError, UnicodeDecodeError) as error:
                raise CrystalError(f"{path}: cannot be read ({error}).", remedy="Check the file.") from error
            if cached is not None and cached[1].text == text:
                self._modules[name] = (stamp, cached[1])
                return cached[1]
            module = read(text, path, name)
            self._modules[name] = (stamp, module)
            return module

    def load(self, name: str) -> Loaded:
        """The crystal's functions, loaded anew when its file changed.

        Raises:
            UnknownCrystal, CrystalError: there is none, or its file cannot be used; the guard may refuse it, too.
        """
        with self._lock:
            module = self.module(name)
            loaded = self._loaded.get(name)
            if why := self.stranger(module):
                raise CrystalError(f"{module.path}: {why}.", remedy=f"%crystals trust {name} shows what it does.")
            if loaded is None or loaded.module.text != module.text:
                verdict = judge_text(module, cwd=Path.cwd(), workspace=self.folder.parent)
                if verdict.decision != "allow":
                    raise CrystalError(
                        f"{module.path}: the guard refuses it: {verdict.reason}.", remedy="Change or remove the file."
                    )
                loaded = Loaded(module, *load(module, f"llmos_nb.crystals.{name}"))
                self._loaded[name] = loaded
            return loaded

    def forget(self, name: str) -> None:
        """Let go of what is kept of a module."""
        with self._lock:
            self._modules.pop(name, None)
            self._loaded.pop(name, None)
