"""The jobs of a workspace: their files, which a person may edit, and beside them what became of each.

A job runs only once a person of this workspace has vouched for its file as it is: by adding it here, or by ``resume``. A
file that came with a repository, or was edited, waits.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from llmos_nb.errors import ScheduleError, StoreError
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.schedule.job import (
    FILE_LIMIT,
    NAME,
    ScheduledJob,
    check_name,
    dump_job,
    name_from,
    parse_job,
    with_pause,
)
from llmos_nb.kernel.schedule.record import JobRecord, read_record, write_record
from llmos_nb.kernel.schedule.timing import Timing

__all__ = ["JobShelf"]

#: Jobs of one workspace.
COUNT_LIMIT = 1_000
#: How far the clock may go back before what was accounted for is taken as nonsense.
CLOCK_BACK = timedelta(hours=2)


class JobShelf:
    """``folder`` holds ``NAME.toml``, ``kept`` what belongs to this machine. Callable from any thread."""

    def __init__(self, folder: Path, kept: Path, clock: Callable[[], datetime]) -> None:
        self._folder, self._kept, self._clock = folder, kept, clock
        self._lock = threading.RLock()
        self._read: dict[str, tuple[tuple[int, int, int], str, ScheduledJob | str]] = {}
        self._records: dict[str, tuple[tuple[int, int, int], JobRecord]] = {}
        #: Up to when a job's occurrences count for nothing, because it rested or nobody vouched for it.
        self._skipped: dict[str, datetime] = {}

    def load(self) -> tuple[dict[str, ScheduledJob], dict[str, str]]:
        """The jobs by name, and what is wrong with files that cannot be used. Unchanged files are not read again."""
        with self._lock:
            try:
                paths = sorted(path for path in self._folder.iterdir() if path.suffix == ".toml")
            except OSError:
                paths = []
            names = {path.stem for path in paths}
            for gone in set(self._read) - names:
                del self._read[gone]
            jobs: dict[str, ScheduledJob] = {}
            problems: dict[str, str] = {}
            for number, path in enumerate(paths):
                found = self._job(path) if number < COUNT_LIMIT else f"more than {COUNT_LIMIT} jobs"
                if isinstance(found, ScheduledJob):
                    jobs[path.stem] = found
                else:
                    problems[path.stem] = found
            return jobs, problems

    def _job(self, path: Path) -> ScheduledJob | str:
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._read.get(path.stem)
            if known is not None and known[0] == stamp:
                return known[2]
            if status.st_size > FILE_LIMIT:
                raise ScheduleError(f"{path}: more than {FILE_LIMIT} bytes.", remedy="Shorten it.")
            data = path.read_bytes()
            first_seen = self.record(path.stem).accounted if NAME.fullmatch(path.stem) else self._clock()
            job: ScheduledJob | str = parse_job(_text(data), path.stem, str(path), first_seen)
        except (OSError, UnicodeDecodeError) as error:
            return f"{path}: cannot be read ({error})."
        except ScheduleError as error:
            data, job = b"", str(error)
        self._read[path.stem] = (stamp, hashlib.sha256(data).hexdigest(), job)
        return job

    def check(self, name: str) -> None:
        """Raise where there is no job of that name.

        Raises:
            ScheduleError: there is none.
        """
        if not self._path(name).is_file():
            jobs, problems = self.load()
            names = ", ".join([*jobs, *problems]) or "none yet"
            raise ScheduleError(f"There is no scheduled job {name!r}.", remedy=f"Jobs: {names}.")

    def _path(self, name: str) -> Path:
        return self._folder / f"{check_name(name)}.toml"

    def make(self, goal: str, timing: Timing, *, name: str | None, **options: Any) -> ScheduledJob:
        """A job, checked but not kept.

        Raises:
            ScheduleError: something about it is unusable.
        """
        jobs, problems = self.load()
        if len(jobs) + len(problems) >= COUNT_LIMIT:
            raise ScheduleError(f"There are {COUNT_LIMIT} jobs already.", remedy="Remove some.")
        taken = {*jobs, *problems}
        chosen = check_name(name) if name is not None else name_from(goal if isinstance(goal, str) else "", taken)
        job = ScheduledJob(name=chosen, goal=goal, timing=timing, **options)
        # What is written must read back as it is, so everything is checked as a file is.
        return parse_job(dump_job(job) if isinstance(goal, str) else "", chosen, chosen, self._clock())

    def add(self, job: ScheduledJob) -> None:
        """Write a job's file and vouch for it.

        Raises:
            ScheduleError: the name is taken.
            StoreError: the file cannot be written.
        """
        data = dump_job(job).encode("utf-8", "replace")
        with self._lock:
            try:
                atomic_write(self._path(job.name), data, exclusive=True)
            except FileExistsError:
                raise ScheduleError(
                    f"There is a scheduled job {job.name!r} already.", remedy="Remove it first, or choose a name."
                ) from None
            now = self._clock()
            self.keep(job.name, JobRecord(accounted=now if job.timing.every_s is None else job.timing.start or now))
            self._vouch(job.name, data)

    def remove(self, name: str) -> None:
        """Delete a job's file and what is kept of it.

        Raises:
            ScheduleError: there is none.
        """
        with self._lock:
            self.check(name)
            try:
                self._path(name).unlink()
            except OSError as error:
                raise StoreError(
                    f"{self._path(name)}: cannot be removed ({error.strerror or error}).", remedy="Check the folder."
                ) from error
            self._records.pop(name, None)
            self._skipped.pop(name, None)
            for suffix in (".json", ".vouched"):
                (self._kept / f"{name}{suffix}").unlink(missing_ok=True)

    def pause(self, name: str, paused: bool) -> None:
        """Set whether a job rests. Going on vouches for the file as it is, and what was due before is not missed.

        Raises:
            ScheduleError: there is no such job, or its file cannot be used.
        """
        with self._lock:
            self.check(name)
            _, problems = self.load()
            if name in problems:
                raise ScheduleError(problems[name], remedy="Correct the file, then say it again.")
            path, vouched = self._path(name), self.trusted(name)
            before = path.read_bytes()
            text = _text(before)
            job, _ = self.load()
            data = before if job[name].paused == paused else with_pause(text, paused).encode()
            if data != before:
                atomic_write(path, data)
            if not paused:
                self.keep(name, replace(self.record(name), accounted=self._clock()))
            if vouched or not paused:
                self._vouch(name, data)

    def trusted(self, name: str) -> bool:
        """Whether a person of this workspace vouched for the file as :meth:`load` found it."""
        with self._lock:
            known = self._read.get(name)
            try:
                return known is not None and (self._kept / f"{name}.vouched").read_text("ascii").strip() == known[1]
            except (OSError, ValueError):
                return False

    def _vouch(self, name: str, data: bytes) -> None:
        atomic_write(self._kept / f"{name}.vouched", hashlib.sha256(data).hexdigest().encode())

    # -- what became of them

    def record(self, name: str) -> JobRecord:
        """What became of a job so far, whoever ran it. A job that is seen for the first time missed nothing."""
        with self._lock:
            now = self._clock()
            path = self._kept / f"{name}.json"
            record = self._record(path, name, now)
            record = replace(record, accounted=max(record.accounted, self._skipped.get(name, record.accounted)))
            if record.accounted > now + CLOCK_BACK:
                self._skipped.pop(name, None)
                record = replace(record, accounted=now)
                self.keep(name, record)
            return record

    def _record(self, path: Path, name: str, now: datetime) -> JobRecord:
        stamp = _stamp(path)
        known = self._records.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        record = read_record(path, lambda: JobRecord(accounted=now))
        if stamp is None and self._path(name).is_file():
            write_record(path, record)
            stamp = _stamp(path)
        if stamp is not None:
            self._records[name] = stamp, record
        return record

    def keep(self, name: str, record: JobRecord) -> None:
        """Keep what became of a job, unless it was removed.

        Raises:
            StoreError: it cannot be written.
        """
        with self._lock:
            if self._path(name).is_file():
                write_record(self._kept / f"{name}.json", record)

    def skip(self, name: str, now: datetime) -> None:
        """Take occurrences up to ``now`` as neither run nor missed."""
        with self._lock:
            self._skipped[name] = now


def _text(data: bytes) -> str:
    """A file's text, without the mark that editors on Windows put at its beginning."""
    return data.decode("utf-8").removeprefix("\ufeff")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
