"""The commands that the guard's bench and its slice in the tests go by: harmful and everyday ones, each in two halves.

The rules were made with the ``tuning`` half in sight; the ``held-out`` half was only counted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Command", "commands"]

HERE = Path(__file__).parent


class Command(NamedTuple):
    """One command, its class, and the half that it is in."""

    group: str
    text: str
    half: str
    number: int


def commands(name: str) -> Iterator[Command]:
    """Those of ``shell_attacks`` or ``shell_everyday``; with ``_seen`` those that have no half that was held out."""
    group = ""
    for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            group = line[3:]
        elif line and not line.startswith("# "):
            text = line.replace("⏎", "\n")
            number = zlib.crc32(text.encode())
            held_out = not number & 1 and not name.endswith("_seen")
            yield Command(group, text, "held-out" if held_out else "tuning", number)
