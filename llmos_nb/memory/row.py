"""The row that the index keeps of one file."""

from __future__ import annotations

import functools
import json
import zlib
from typing import Any

from llmos_nb.memory.key import goal_key
from llmos_nb.memory.seal import is_edited
from llmos_nb.memory.signature import Signature, hash63
from llmos_nb.memory.trace import Trace, as_record, from_record

__all__ = ["key_digest", "row_of", "unpacked"]


@functools.lru_cache(maxsize=256)
def key_digest(goal: str) -> int:
    """The key of a goal as a number that every database can index; see :func:`~llmos_nb.memory.signature.hash63`."""
    return hash63(goal_key(goal))


def _storable(text: str) -> str:
    """``text`` without what databases refuse (NUL, halves of characters); for showing, not for comparing."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _packed(trace: Trace, digest: str) -> str:
    """A trace as its row has it: a checksum of it and of its file's digest, and the trace itself."""
    text = json.dumps(as_record(trace))
    return f"{_checksum(text, digest)}{text}"


def unpacked(packed: str, digest: str) -> Trace | None:
    """The trace of a row; None where the row was damaged: SQLite does not notice when a disk changes what it holds."""
    text = packed[8:]
    return from_record(json.loads(text)) if packed[:8] == _checksum(text, digest) else None


def _checksum(text: str, digest: str) -> str:
    return f"{zlib.crc32(text.encode(), zlib.crc32(digest.encode())):08x}"


def row_of(
    path: str,
    id: str,
    mtime_ns: int,
    size: int,
    digest: str,
    trace: Trace | None,
    problem: str = "",
    *,
    signature: Signature | None = None,
) -> dict[str, Any]:
    """The row of one file: of its trace, or of the problem that it has instead of one.

    Without a ``signature`` the trace is found by its exact key alone.
    """
    row: dict[str, Any] = {"path": path, "id": _storable(id), "mtime_ns": mtime_ns, "size": size, "digest": digest}
    row |= {"problem": _storable(problem)}
    if trace is None:
        empty = dict.fromkeys(
            ("status", "wrong", "mode", "agent", "project", "model", "created_at", "goal", "payload"), ""
        )
        return (
            row
            | empty
            | _signed(Signature())
            | {"replayable": False, "edited": False, "cost_usd": None, "duration_s": 0.0}
        )
    row |= {
        name: _storable(getattr(trace, name))
        for name in ("status", "mode", "agent", "project", "model", "created_at", "goal")
    }
    row |= _signed(signature if signature is not None else Signature(key=key_digest(trace.goal)))
    row |= {"replayable": trace.replayable, "edited": is_edited(trace), "payload": _packed(trace, digest)}
    wrong = getattr(trace, "wrong", None) or trace.extra.get("wrong") or ""
    return row | {"cost_usd": trace.cost_usd, "duration_s": trace.duration_s, "wrong": _storable(str(wrong))}


def _signed(signature: Signature) -> dict[str, Any]:
    hashes = {name: getattr(signature, name) for name in ("key", "template", "words", "slots", "shape")}
    return hashes | {"bits": signature.bits, "text": _storable(signature.text)}
