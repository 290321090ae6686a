"""Who is about to act: an agent's code itself, or a library for its own purposes."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from types import FrameType
from typing import Final

from llmos_nb.kernel.authored import is_agents

__all__ = ["BETWEEN", "INTERPRETER", "called_from", "is_direct", "is_installed", "ours_is_nearer"]


def _below(*names: str) -> tuple[str, ...]:
    paths = {sysconfig.get_path(name) for name in names}
    return tuple(path + os.sep for one in paths if one for path in {os.path.abspath(one), os.path.realpath(one)})


_PACKAGES: Final = _below("purelib", "platlib")
#: Where Python and what is installed for it lie.
INTERPRETER: Final = (*_below("stdlib", "platstdlib"), *_PACKAGES)
_PACKAGE: Final = str(Path(__file__).parents[2]) + os.sep
#: Parts of this package that stand between code and what it calls, and do nothing of their own.
BETWEEN: Final = (str(Path(__file__).parent) + os.sep, f"{_PACKAGE}kernel{os.sep}whose.py")
_DOMAINS: Final = f"{_PACKAGE}domains{os.sep}"


def is_installed(name: str) -> bool:
    """Whether the file of some code belongs to an installed package, this one included."""
    return (
        name.startswith((*_PACKAGES, _PACKAGE)) or f"{os.sep}site-packages{os.sep}" in name or "dist-packages" in name
    )


def _of_python(name: str) -> bool:
    return name.startswith("<frozen") or (name.startswith(INTERPRETER) and not is_installed(name))


def is_direct(frame: FrameType | None) -> bool:
    """Whether it is an agent's own code that acts, through the standard library perhaps, rather than a library."""
    while frame is not None:
        code = frame.f_code
        if is_agents(code) or frame.f_globals.get("__name__") == "__main__":
            return True
        name = code.co_filename
        if is_installed(name):
            return False
        if not _of_python(name) and not name.startswith("<"):
            return True  # a module beside the notebook
        frame = frame.f_back
    return True


def called_from(frame: FrameType | None, parts: tuple[str, ...]) -> bool:
    """Whether a file whose path contains one of ``parts`` is at work between the act and an agent's own code."""
    while frame is not None and not is_agents(frame.f_code):
        name = frame.f_code.co_filename
        if (name.startswith(("<frozen", *INTERPRETER)) or is_installed(name)) and any(part in name for part in parts):
            return True
        frame = frame.f_back
    return False


def ours_is_nearer(frame: FrameType | None) -> bool:
    """Whether a part of this package, and no pack, is nearer to the act than any code of an agent's."""
    while frame is not None and not is_agents(frame.f_code):
        name = frame.f_code.co_filename
        if name.startswith(_DOMAINS):
            return False
        if name.startswith(_PACKAGE) and not name.startswith(BETWEEN):
            return True
        frame = frame.f_back
    return False
