"""What a traceback tells an agent: its own code whole, and of libraries the places where they were entered and left.

The source of the library frames between is most of a traceback's text (680 of 820 tokens where pandas misses a file),
tells the folders of the machine, and says nothing that the exception does not.
"""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

__all__ = ["library_place", "plain_frames", "shell_frames"]

#: What the folders of installed packages are called.
_INSTALLED: Final = re.compile(r".*[\\/](?:site|dist)-packages[\\/]", re.DOTALL)
#: How Cython's sources end, which are named relative to their package.
_COMPILED: Final = (".pyx", ".pxd", ".pxi")
#: A frame as IPython writes it; the path is whole, or begins with the home folder's sign.
_FRAME: Final = re.compile(r" *File (?P<path>[^\n]+?):(?P<line>\d+)(?:,? in (?P<name>[^\n(]+))?")

_STANDARD: Final = tuple(
    f"{os.path.realpath(folder)}{os.sep}"
    for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    if folder
)
_OWN: Final = f"{Path(__file__).resolve().parents[2]}{os.sep}"
_PACKAGE: Final = f"{Path(__file__).resolve().parents[1]}{os.sep}"


def library_place(path: str) -> str | None:
    """Where in a library a source file lies (``pandas/io/common.py``), None for a file that is the user's own.

    Installed packages, Python's standard library and this package are libraries.
    """
    if path.startswith("<frozen ") or path.endswith(_COMPILED):
        return path
    whole = os.path.expanduser(path)
    if found := _INSTALLED.match(whole):
        return whole[found.end() :]
    real = os.path.realpath(whole)
    if real.startswith(_PACKAGE):
        return real.removeprefix(_OWN)
    return next((real.removeprefix(root) for root in _STANDARD if real.startswith(root)), None)


def shell_frames(parts: Iterable[str]) -> list[str]:
    """The parts of a traceback as IPython gives them, in plain text: of each run of library frames the ends, in short."""
    told = []
    shortened = ((part, _in_short(part)) for part in parts)
    for in_library, group in groupby(shortened, key=lambda pair: pair[1] is not None):
        if in_library:
            told.append("".join(_ends([str(short) for _, short in group])))
        else:
            told += [part for part, _ in group]
    return told


def plain_frames(frames: Iterable[traceback.FrameSummary]) -> list[str]:
    """The same of the frames of a traceback without IPython, as :mod:`traceback` writes them."""
    told = []
    for in_library, group in groupby(frames, key=lambda frame: library_place(frame.filename) is not None):
        if in_library:
            told += _ends(
                [f'  File "{library_place(one.filename)}", line {one.lineno}, in {one.name}\n' for one in group]
            )
        else:
            told += traceback.StackSummary.from_list(group).format()
    return told


def _ends(places: list[str]) -> list[str]:
    between = len(places) - 2
    if between < 1:
        return places
    return [places[0], f"    [... {between} more {'frame' if between == 1 else 'frames'} of libraries]\n", places[-1]]


def _in_short(part: str) -> str | None:
    """A frame as IPython writes it, without source and arguments; None where it is none of a library."""
    found = _FRAME.match(part)
    place = library_place(found["path"]) if found else None
    if found is None or place is None:
        return None
    name = f", in {found['name']}" if found["name"] else ""
    return f"File {place}:{found['line']}{name}\n"
