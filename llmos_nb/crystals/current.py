"""Which workspace's crystals ``from llmos_nb.crystals import NAME`` means."""

from __future__ import annotations

import functools
import threading
from pathlib import Path

from llmos_nb.crystals.crystal import Crystal
from llmos_nb.crystals.shelf import CrystalShelf
from llmos_nb.kernel.trust import Trust
from llmos_nb.settings import load_settings

__all__ = ["current", "imported", "on_shelf", "use"]

_lock = threading.Lock()
_chosen: CrystalShelf | None = None


def use(shelf: CrystalShelf | Path | str | None) -> CrystalShelf:
    """Import from this shelf, or this folder, from now on; None: from the workspace that the settings name."""
    global _chosen
    with _lock:
        _chosen = shelf if isinstance(shelf, CrystalShelf) or shelf is None else _shelf(Path(shelf).absolute())
    return current()


def current() -> CrystalShelf:
    """The shelf that is imported from: the one in use, else that of the workspace ``LLMOS_WORKSPACE`` names.

    Raises:
        SettingsError: no shelf is in use, and the settings cannot be read.
    """
    return _chosen if _chosen is not None else _shelf(load_settings().workspace.absolute() / "crystals")


def on_shelf(folder: str, name: str) -> Crystal:
    """The crystal ``name`` of a folder: how one comes back from a pickle."""
    return _shelf(Path(folder)).get(name)


def imported(name: str, *, importing: bool) -> Crystal:
    """What ``from llmos_nb.crystals import name`` gives.

    Raises:
        UnknownCrystal, CrystalError: there is none, or its file cannot be used.
        AttributeError: there is none, and this is no import.
    """
    shelf = None if name.startswith("__") else current()
    if shelf is not None and shelf.exists(name):
        crystal = shelf.get(name)
        crystal.function  # noqa: B018  # a file that cannot be used is told of now
        return crystal
    if shelf is None or not importing:
        raise AttributeError(f"module 'llmos_nb.crystals' has no attribute {name!r}")
    raise shelf.unknown(name)


@functools.lru_cache(maxsize=16)
def _shelf(folder: Path) -> CrystalShelf:
    return CrystalShelf(folder, trust=Trust.here(folder.parent / ".llmos"))
