"""What a run changed, kept so that it can be put back: files as they were, names of the namespace with their values."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.kernel.files import atomic_write

__all__ = ["Undo"]

#: Bytes of one file, or of one array, that are kept for putting back. Larger ones are named as not restorable.
KEEP_LIMIT: Final = 256 * 1024 * 1024

#: Elements up to which a list, dict or set is copied with everything in it; longer ones keep their elements.
DEEP_LIMIT: Final = 10_000

_IMMUTABLE: Final = (int, float, complex, bool, str, bytes, frozenset, tuple, type(None), type, range)
_ABSENT: Final = object()


@dataclass(slots=True)
class _OldFile:
    content: bytes | None
    mode: int = 0o644


@dataclass(slots=True)
class Undo:
    """Collects what was there before, and puts it back. One for each run."""

    files: dict[Path, _OldFile] = field(default_factory=dict)
    names: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    #: Files and names that could not be kept, with the reason.
    not_kept: dict[str, str] = field(default_factory=dict)

    def keep_file(self, path: Path) -> None:
        """Remember ``path`` as it is now, unless it is remembered already."""
        if path in self.files or str(path) in self.not_kept:
            return
        try:
            status = path.lstat()
            if path.is_dir():
                return
            if status.st_size > KEEP_LIMIT:
                self.not_kept[str(path)] = f"larger than {KEEP_LIMIT // 2**20} MB"
                return
            self.files[path] = _OldFile(path.read_bytes(), status.st_mode & 0o7777)
        except (FileNotFoundError, NotADirectoryError):
            self.files[path] = _OldFile(None)
        except OSError as error:
            self.not_kept[str(path)] = error.strerror or str(error)

    def keep_names(self, namespace: MutableMapping[str, Any], names: Iterable[str]) -> None:
        """Remember what ``names`` stand for now; mutable values are copied, since code may change them in place.

        Every other name of the same object is remembered with it, so that aliases stay aliases.
        """
        wanted = {name for name in names if name not in self.names}
        objects = {id(namespace[name]) for name in wanted if name in namespace}
        wanted |= {name for name, value in namespace.items() if id(value) in objects and name not in self.names}
        copies: dict[int, Any] = {}
        for name in wanted:
            value = namespace.get(name, _ABSENT)
            if value is _ABSENT or isinstance(value, _IMMUTABLE):
                self.names[name] = (value, value)
                continue
            if id(value) not in copies:
                copies[id(value)] = self._copy(name, value)
            self.names[name] = (value, copies[id(value)])

    def keep_new_names(self, names: Iterable[str]) -> None:
        """Remember that ``names`` did not exist before: putting back removes them."""
        for name in names:
            self.names.setdefault(name, (_ABSENT, _ABSENT))

    def _copy(self, name: str, value: Any) -> Any:
        size = getattr(value, "nbytes", 0)
        if isinstance(size, int) and size > KEEP_LIMIT:
            self.not_kept[name] = f"larger than {KEEP_LIMIT // 2**20} MB"
            return value
        module = type(value).__module__.partition(".")[0]
        try:
            if module == "pandas" and hasattr(value, "copy"):
                return value.copy(deep=not _copies_on_write())
            if module == "numpy" and hasattr(value, "copy"):
                return value.copy()
            if isinstance(value, dict | list | set | bytearray):
                return copy.deepcopy(value) if len(value) <= DEEP_LIMIT else copy.copy(value)
        except Exception as error:  # noqa: BLE001 - a value that cannot be copied is told, whatever it raises
            self.not_kept[name] = f"{type(error).__name__}: {error}"
        return value  # modules, functions, objects: rebinding is undone, changes inside them are not seen

    def put_back(self, namespace: MutableMapping[str, Any]) -> list[str]:
        """Restore every kept file and name. Returns what could not be put back, with the reason."""
        failed = []
        for path, old in self.files.items():
            try:
                if old.content is None:
                    path.unlink(missing_ok=True)
                elif not path.exists() or path.read_bytes() != old.content:
                    atomic_write(path, old.content)
                    os.chmod(path, old.mode)
            except Exception as error:  # noqa: BLE001 - the others must still be put back
                failed.append(f"{path}: {error}")
        for name, (value, kept) in self.names.items():
            if value is _ABSENT:
                namespace.pop(name, None)
            elif kept is value or _unchanged(value, kept):
                namespace[name] = value
            else:
                namespace[name] = kept
        failed.extend(f"{name}: {reason}" for name, reason in self.not_kept.items())
        return failed


def _copies_on_write() -> bool:
    """Whether pandas makes a shallow copy safe against changes in place (always since version 3)."""
    return int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3


def _unchanged(value: Any, kept: Any) -> bool:
    """Whether a value still equals its copy, so that the original object can stay in place."""
    try:
        if hasattr(value, "equals"):
            return bool(value.equals(kept))
        if type(value).__module__ == "numpy":
            return bool(value.shape == kept.shape and (value == kept).all())
        return bool(value == kept)
    except Exception:  # noqa: BLE001 - a comparison that raises answers nothing
        return False
