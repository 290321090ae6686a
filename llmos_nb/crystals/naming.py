"""What a crystal can be called, and which two are of one family."""

from __future__ import annotations

import keyword
import re
from typing import Final

from llmos_nb.crystals.facts import Facts
from llmos_nb.errors import CrystalError

__all__ = ["NAME", "RESERVED", "checked_name", "is_family"]

#: What a crystal can be called.
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
#: What ``llmos_nb.crystals`` itself has: a crystal of that name could not be imported.
RESERVED: Final = frozenset(
    {
        "Check", "Crystal", "CrystalShelf", "Report", "TYPE_CHECKING", "Any", "annotations", "crystal", "current",
        "facts", "files", "importlib", "inlined", "judged", "load", "naming", "offered", "report", "shelf", "status", "sys",
        "use",
    }
)  # fmt: skip


def checked_name(name: str) -> str:
    """``name``, if a crystal can be called that.

    Raises:
        CrystalError: it cannot.
    """
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name in RESERVED:
        raise CrystalError(f"{name!r} cannot name a crystal.", remedy="Use a-z, 0-9 and _, and no word of Python's.")
    return name


def is_family(one: Facts, other: Facts) -> bool:
    """Whether two crystals are of one program: the same shape, and a goal or a recorded run in common."""
    return one.shape == other.shape and (one.template == other.template or bool({*one.traces} & {*other.traces}))
