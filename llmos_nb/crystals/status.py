"""What a workspace knows of its crystals beyond their files: how their tests went, and which must not be used.

A file each, so that every kernel sees what another wrote a moment ago. They are derived or private (``.llmos/``): where
they are missing, a crystal counts as not tested and is not used before it is.
"""

from __future__ import annotations

import datetime
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.crystals.report import Report
from llmos_nb.kernel.files import atomic_write

__all__ = ["Off", "StatusFolder"]

#: Who or what took a crystal out of use.
_BY: Final = ("person", "failure", "removed", "wrong")
#: Nanoseconds for which a file that was just written is read again: its times tell moments no finer apart. These files
#: are replaced, never written into, so that its number tells as well.
RACY_NS: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Off:
    """Out of use: ``by`` a person, a failure in use, because it was removed, or because a trace that it was made of was
    called wrong. ``digest`` is of the code it was said of (``Module.code_digest``)."""

    by: str
    reason: str
    digest: str
    at: str = ""


class StatusFolder:
    """Reports and refusals, one file each, named after the crystal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Records as they were read last, each with what tells its file from what it was before.
        self._records: dict[str, tuple[tuple[int, int, int], dict[str, Any] | None]] = {}
        #: Reports by the crystal's name, each with the record that it was made of.
        self._reports: dict[str, tuple[dict[str, Any], Report]] = {}

    def report(self, name: str) -> Report | None:
        """How the tests went last; None where they were not run, or the record cannot be read."""
        record = self._read(f"{name}.tests.json")
        if record is None:
            return None
        kept = self._reports.get(name)
        if kept is None or kept[0] is not record:
            try:
                kept = record, Report.from_record(record)
            except (KeyError, TypeError, ValueError):
                return None  # counts as not tested
            self._reports[name] = kept
        return kept[1]

    def off(self, name: str) -> Off | None:
        """Why it is out of use; None while it is in use. A record that cannot be read counts as a refusal."""
        file = f"{name}.off.json"
        record = self._read(file)
        if record is None:
            unreadable = os.path.exists(f"{self.folder}{os.sep}{file}")
            return Off("failure", "its record cannot be read", "") if unreadable else None
        values = [record.get(key, "") for key in ("by", "reason", "digest", "at")]
        if not all(isinstance(value, str) for value in values) or values[0] not in _BY:
            return Off("failure", "its record cannot be read", "")
        return Off(*values)

    def mark(self, name: str) -> str:
        """The mark that its text was made here; empty where there is none."""
        record = self._read(f"{name}.trust.json")
        return str(record.get("mark", "")) if record is not None else ""

    def write_mark(self, name: str, mark: str) -> None:
        """Keep that mark.

        Raises:
            StoreError: the folder cannot be written.
        """
        self._write(f"{name}.trust.json", {"mark": mark, "at": _now()})

    def write_report(self, name: str, report: Report) -> None:
        """Keep how the tests went.

        Raises:
            StoreError: the folder cannot be written.
        """
        self._write(f"{name}.tests.json", report.as_record())

    def write_off(self, name: str, off: Off) -> None:
        """Take out of use, for every kernel.

        Raises:
            StoreError: the folder cannot be written.
        """
        self._write(f"{name}.off.json", {"by": off.by, "reason": off.reason, "digest": off.digest, "at": _now()})

    def clear_off(self, name: str) -> None:
        """Back in use."""
        (self.folder / f"{name}.off.json").unlink(missing_ok=True)

    def clear_report(self, name: str) -> None:
        """As if it had not been tested."""
        (self.folder / f"{name}.tests.json").unlink(missing_ok=True)

    def _read(self, name: str) -> dict[str, Any] | None:
        path = f"{self.folder}{os.sep}{name}"
        try:
            found = os.stat(path)
            stamp = found.st_mtime_ns, found.st_size, found.st_ino
            kept = self._records.get(name)
            if kept is not None and kept[0] == stamp:
                return kept[1]
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, ValueError):
            return None
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            record = None
        record = record if isinstance(record, dict) else None
        if time.time_ns() - found.st_mtime_ns > RACY_NS:
            self._records[name] = stamp, record
        return record

    def _write(self, name: str, record: dict[str, Any]) -> None:
        atomic_write(self.folder / name, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
