"""Trace files: their names, their bytes, and what the index gets to know of them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import TraceFileError, UnknownTrace
from llmos_nb.memory.codec import parse
from llmos_nb.memory.forms import signature_of
from llmos_nb.memory.index import row_of
from llmos_nb.memory.seal import is_edited
from llmos_nb.memory.shelf import Shelf, Stamp
from llmos_nb.memory.trace import Trace

__all__ = ["SIZE_LIMIT", "SLUG_LETTERS", "checked_id", "digest_of", "new_id", "read", "read_traces", "row_of_file"]

#: Bytes of the largest file that is written or read.
SIZE_LIMIT: Final = 16 * 1024 * 1024
#: Letters of the goal that a file's name shows.
SLUG_LETTERS: Final = 40

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
#: Bytes read at once; most traces are smaller.
_PIECE: Final = 64 * 1024
#: Links are not followed, a pipe does not block, and Windows leaves line ends alone.
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


def new_id(goal: str, created_at: str) -> str:
    """An id for a trace: its time, some letters of its goal, and chance."""
    letters = unicodedata.normalize("NFKD", goal).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:SLUG_LETTERS].strip("-") or "goal"
    time = re.sub(r"[^0-9]", "", created_at)
    return f"{time[:8]}-{time[8:14]}-{slug}-{secrets.token_hex(2)}"


def checked_id(trace_id: str) -> str:
    """The id, if it is one and not a path.

    Raises:
        UnknownTrace: it could not be the name of a trace.
    """
    if not isinstance(trace_id, str) or not _ID.fullmatch(trace_id):
        raise UnknownTrace(
            f"{trace_id!r} is not the id of a trace.", remedy="Ids have letters, digits, '-', '_' and '.'."
        )
    return trace_id


def digest_of(data: bytes) -> str:
    """What tells one content from another."""
    return hashlib.sha256(data).hexdigest()


def read(folder: Path, path: str) -> bytes | None:
    """The content of a file (one byte more than allowed of a larger one); None if it is not there to be read."""
    try:
        descriptor = os.open(f"{folder}/{path}", _FLAGS)
    except OSError:
        return None
    try:
        pieces = []
        left = SIZE_LIMIT + 1
        while left > 0 and (piece := os.read(descriptor, min(left, _PIECE))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def row_of_file(path: str, stamp: Stamp, data: bytes) -> tuple[dict[str, Any], Trace | None]:
    """The index row and the trace of a file with this content; no trace where it cannot be read as one."""
    stem = _stem(path)
    try:
        trace = _parsed(path, data)
    except TraceFileError as error:
        return row_of(path, stem, *stamp, digest_of(data), None, str(error)), None
    return row_of(path, stem, *stamp, digest_of(data), trace, signature=signature_of(trace)), trace


def read_traces(folder: Path, errors: list[TraceFileError]) -> Iterator[tuple[str, Trace, bool]]:
    """Every trace of a folder with its path, by path, and whether it was edited since it was recorded or vouched for.

    The files alone are read: no index is asked or made. What cannot be read is added to ``errors``.
    """
    for path in sorted(Shelf(folder).scan()) if folder.is_dir() else ():
        data = read(folder, path)
        if data is None:  # taken away meanwhile
            continue
        try:
            trace = _parsed(path, data)
        except TraceFileError as error:
            errors.append(error)
            continue
        yield path, trace, is_edited(trace)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")


def _parsed(path: str, data: bytes) -> Trace:
    stem = _stem(path)
    if len(data) > SIZE_LIMIT:
        raise TraceFileError(f"{path}:1: larger than {SIZE_LIMIT} bytes.", remedy="Shorten the outputs.")
    if not _ID.fullmatch(stem):
        raise TraceFileError(f"{path}:1: no name for a trace.", remedy="Use letters, digits, '-', '_' and '.'.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TraceFileError(f"{path}:{line}: not UTF-8 text.", remedy="Save the file as UTF-8.") from error
    trace = parse(text, path)
    if trace.id not in ("", stem):
        raise TraceFileError(f"{path}:1: its id is {trace.id!r}.", remedy="Give the file the name of its trace.")
    return trace if trace.id else dataclasses.replace(trace, id=stem)
