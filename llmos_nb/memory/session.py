"""The session log (L2): every event of a session as one JSON line, appended as it happens and never rewritten.

A kill can tear the last line at most, and a power cut may leave holes in what was not synced; the reader skips those and
reports any other line that it cannot read.
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import SettingsError, StoreError
from llmos_nb.kernel.events import Event, ModelBusy, RunEnded, RunStarted, TextDelta, as_record
from llmos_nb.kernel.files import make_folder, sync_folder
from llmos_nb.kernel.secrets import redacted

__all__ = ["SESSION_ID", "SessionLog", "in_use", "new_session_id", "parsed_event", "read_events"]

#: Characters of one text that are kept; the rest is cut off with a note.
TEXT_LIMIT: Final = 100_000
#: Characters beyond it that are looked at, lest the cut makes a secret unknowable.
MARGIN: Final = 10_000
#: Levels of lists and dictionaries that are kept as such; what is deeper becomes its ``repr`` text.
DEPTH_LIMIT: Final = 20
#: A session id is a file's stem: no separators, no leading dot.
SESSION_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: Moments that a log may hold, in seconds since the epoch: from 1970 up to the last one that datetime64[ns] can say.
LAST_MOMENT: Final = 9_223_372_036


def new_session_id() -> str:
    """The UTC time to the second and four random hexadecimal digits: ``20261122-074103-3f2a``."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"


class SessionLog:
    """A subscriber of the event bus that appends to ``folder/<session_id>.jsonl``.

    The file is made with the first event. Every event is with the operating system when the call returns; the end of
    a run is on the disk. Pieces of streaming text are left out, since the whole message follows.

    Raises:
        SettingsError: ``session_id`` cannot be a file's name.
    """

    def __init__(self, folder: Path | str, session_id: str | None = None) -> None:
        if session_id is not None and SESSION_ID.fullmatch(session_id) is None:
            raise SettingsError(
                f"{session_id!r} cannot be a session id.",
                remedy="Use letters, digits, '.', '_' and '-', beginning with a letter or digit.",
            )
        self.session_id: Final = session_id or new_session_id()
        self.path: Final = Path(folder) / f"{self.session_id}.jsonl"
        self._descriptor: int | None = None
        #: Whether the file's name is on the disk.
        self._named = False
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Append one event.

        Raises:
            StoreError: the file cannot be written; nothing of the event is in it then.
        """
        if isinstance(event, TextDelta | ModelBusy):
            return
        text = json.dumps(_plain(as_record(event)), ensure_ascii=False, separators=(",", ":"))
        line = text.encode("utf-8", errors="replace") + b"\n"
        with self._lock:
            try:
                if self._descriptor is not None and isinstance(event, RunStarted) and _is_deleted(self._descriptor):
                    os.close(self._descriptor)
                    self._descriptor, self._named = None, False
                if self._descriptor is None:
                    self._descriptor = _open_to_append(self.path)
                _append(self._descriptor, line)
                if isinstance(event, RunEnded):
                    os.fsync(self._descriptor)
                    if not self._named:
                        sync_folder(self.path.parent)
                        self._named = True
            except OSError as error:
                raise StoreError(
                    f"{self.path}: the session log cannot be written ({error.strerror or error}).",
                    remedy="Free some space, or choose a workspace folder that you can write to.",
                ) from error

    def close(self) -> None:
        """Let go of the file; a later event opens it again."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None


def _open_to_append(path: Path) -> int:
    make_folder(path.parent)
    flags = os.O_APPEND | os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    size = os.fstat(descriptor).st_size
    if size:
        os.lseek(descriptor, size - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":  # a kill tore the line before: begin a new one
            os.write(descriptor, b"\n")
    _hold(descriptor, shared=True)
    return descriptor


def _is_deleted(descriptor: int) -> bool:
    """Whether the open file has no name any more: somebody deleted it, or the workspace that it lay in."""
    return os.fstat(descriptor).st_nlink == 0


def _hold(descriptor: int, *, shared: bool) -> bool:
    """Lock the log for as long as it is open: a shared lock tells others that its session lives. False: somebody's
    lock forbids it."""
    try:
        import fcntl
    except ImportError:  # Windows: a session that was cut off cannot be told from one that is open
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def in_use(path: Path) -> bool:
    """Whether a living process, this one included, has the log at ``path`` open to write it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _hold(descriptor, shared=False)
    finally:
        os.close(descriptor)


def _append(descriptor: int, line: bytes) -> None:
    """All of ``line`` in one write, or nothing of it."""
    written = os.write(descriptor, line)
    if written < len(line):  # the disk filled up
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
        raise OSError("only part of a line fitted on the disk")


def _plain(value: Any, depth: int = 0) -> Any:
    """``value`` as JSON can hold it; whatever JSON cannot hold becomes its ``repr`` text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _cut(str(value))
    if isinstance(value, int):
        return int(value) if value.bit_length() <= 64 else _cut(hex(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if depth < DEPTH_LIMIT:
        if isinstance(value, dict):
            return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [_plain(item, depth + 1) for item in value]
    try:
        return _cut(repr(value))
    except Exception as error:  # noqa: BLE001 - a foreign repr may raise anything; the event is kept
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"


def _key(key: Any) -> str:
    plain = _plain(key, DEPTH_LIMIT)
    return plain if isinstance(plain, str) else str(plain)


def _cut(text: str) -> str:
    """``text`` as a log holds it: not too long, and without secrets."""
    if len(text) <= TEXT_LIMIT:
        return redacted(text)
    kept = redacted(text[: TEXT_LIMIT + MARGIN])[:TEXT_LIMIT]
    return f"{kept} [cut: {TEXT_LIMIT:,} of {len(text):,} characters kept]"


def read_events(folder: Path | str, errors: list[StoreError] | None = None) -> Iterator[dict[str, Any]]:
    """Every event of every session in ``folder``, session by session, as :func:`as_record` makes them.

    Each also says where it was found: ``session_id`` and ``where`` (``path:line``). A torn last line is skipped. Any
    other line that is no event is appended to ``errors`` as ``path:line: reason``, and reading goes on.

    Raises:
        StoreError: a line or file cannot be read and ``errors`` is None.
    """
    for path in sorted(Path(folder).glob("*.jsonl")):
        session_id, shown = path.stem, str(path)
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    record = parsed_event(line)
                    if isinstance(record, dict):
                        record["session_id"] = session_id
                        record["where"] = f"{shown}:{number}"
                        yield record
                    elif line.endswith(b"\n") and line.strip() and b"\0" not in line:  # a power cut leaves holes
                        _report(f"{path}:{number}: {record}.", errors)
        except OSError as error:
            _report(f"{path}: cannot be read ({error.strerror or error}).", errors)


def parsed_event(line: bytes) -> dict[str, Any] | str:
    """The event of a line, or why it is none."""
    try:
        record = json.loads(line.decode("utf-8"))
        # Halves of a surrogate pair that stand alone fit no text file and no column.
        if b"\\u" in line and b"\\ud" in line.lower():
            record = json.loads(json.dumps(record, ensure_ascii=False).encode("utf-8", errors="replace"))
    except (ValueError, RecursionError) as error:
        return f"not JSON ({error})"
    if not isinstance(record, dict):
        return f"an event must be an object, got {type(record).__name__}"
    for key in ("event", "run_id"):
        if not isinstance(record.get(key), str):
            return f"{key} must be text, got {record.get(key)!r:.80}"
    at = record.get("at")
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not 0 <= at < LAST_MOMENT:
        return f"at must be seconds since 1970, got {at!r:.80}"
    return record


def _report(message: str, errors: list[StoreError] | None) -> None:
    error = StoreError(message, remedy="Repair or remove it; strict=False reads the rest.")
    if errors is None:
        raise error
    errors.append(error)
