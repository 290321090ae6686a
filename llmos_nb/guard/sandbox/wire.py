"""Messages between a kernel and what runs in a sandbox: JSON with a length before it, and bytes behind it.

What comes out of a sandbox is a stranger's: a message that is too long, too deep, or no message at all is an error, and
nothing of it is ever unpickled, imported or evaluated.
"""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Sequence
from typing import Any, Final

from llmos_nb.errors import SandboxFailed

__all__ = ["BYTES_LIMIT", "JSON_LIMIT", "Wire", "plain_json"]

#: Bytes of the JSON of one message, of all bytes behind it, and how many pieces those may be.
JSON_LIMIT: Final = 32 * 2**20
BYTES_LIMIT: Final = 512 * 2**20
PIECES: Final = 10_000
#: How deep a message may be nested, and characters of a number in it.
DEPTH: Final = 200
DIGITS: Final = 400

_HEAD: Final = struct.Struct(">II")


class Wire:
    """Two pipes: ``reads`` and ``writes`` are their descriptors. Writing is safe from several threads."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes
        self._writing = threading.Lock()

    def send(self, message: dict[str, Any], pieces: Sequence[bytes] = ()) -> None:
        """Write one message.

        Raises:
            OSError: nobody reads any more.
        """
        text = json.dumps(message).encode("ascii")
        sizes = struct.pack(f">{len(pieces)}Q", *map(len, pieces))
        with self._writing:
            for part in (_HEAD.pack(len(text), len(pieces)), text, sizes, *pieces):
                view = memoryview(part)
                while view:
                    view = view[os.write(self._writes, view) :]

    def receive(self) -> tuple[dict[str, Any], list[bytes]] | None:
        """Read one message; None where the other side has ended.

        Raises:
            SandboxFailed: what came is no message.
        """
        head = self._read(_HEAD.size)
        if head is None:
            return None
        length, count = _HEAD.unpack(head)
        if length > JSON_LIMIT or count > PIECES:
            raise _refused("a message that is too long")
        text, packed = self._read(length), self._read(8 * count)
        if text is None or packed is None:
            return None
        sizes = struct.unpack(f">{count}Q", packed)
        if sum(sizes) > BYTES_LIMIT:
            raise _refused("more bytes than a message may have")
        message = plain_json(text)
        if not isinstance(message, dict):
            raise _refused("something that is no message")
        pieces: list[bytes] = []
        for size in sizes:
            piece = self._read(size)
            if piece is None:
                return None
            pieces.append(piece)
        return message, pieces

    def _read(self, size: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < size:
            try:
                more = os.read(self._reads, min(size - len(parts), 2**20))
            except OSError:
                return None
            if not more:
                return None
            parts += more
        return bytes(parts)

    def close(self) -> None:
        """Close both ends."""
        for one in (self._reads, self._writes):
            try:
                os.close(one)
            except OSError:
                continue


def plain_json(text: bytes) -> Any:
    """JSON of a stranger's: numbers of a usual length, no NaN, not too deep.

    Raises:
        SandboxFailed: it is none.
    """
    try:
        found = json.loads(text.decode("utf-8"), parse_int=_whole, parse_float=_number, parse_constant=_none)
    except (ValueError, RecursionError, MemoryError) as error:
        raise _refused(f"something that is no JSON ({type(error).__name__})") from error
    _check_depth(found)
    return found


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise ValueError("a number of too many digits")
    return int(text)


def _number(text: str) -> float:
    if len(text) > DIGITS:
        raise ValueError("a number of too many digits")
    return float(text)


def _none(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH):
        if not level:
            return
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    raise _refused("a message that is nested too deep")


def _refused(what: str) -> SandboxFailed:
    return SandboxFailed(
        f"The sandbox answered with {what}; it was ended.", remedy="Its code got at the answers: do not trust it."
    )
