"""A job of the schedule and its file: TOML that a person can read, write and keep in git."""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import ScheduleError
from llmos_nb.kernel.schedule.timing import Timing, read_timing

__all__ = ["NAME", "ScheduledJob", "dump_job", "name_from", "parse_job", "with_pause"]

#: Bytes of a job's file.
FILE_LIMIT: Final = 64 * 1024
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_KEYS: Final = frozenset(
    {
        "goal",
        "at",
        "every",
        "cron",
        "timezone",
        "budget_usd",
        "agent",
        "mode",
        "project",
        "catch_up",
        "paused",
        "sandbox",
        "start",
    }
)
_PAUSED: Final = re.compile(r"^[ \t]*paused[ \t]*=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledJob:
    """A goal and when it is due. Empty and None: as for any goal that says nothing of it."""

    name: str
    goal: str
    timing: Timing
    budget_usd: float | None = None
    agent: str = ""
    mode: str = ""
    project: str = ""
    #: Whether an occurrence that was missed because nobody was there is made up for, once.
    catch_up: bool = False
    paused: bool = False
    #: Whether it works in a sandbox; where not, an agent, a project or the settings may still want one.
    sandbox: bool = False


def check_name(name: Any) -> str:
    """``name`` if a job may be called so.

    Raises:
        ScheduleError: it may not.
    """
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise ScheduleError(
            f"{name!r} cannot be a job's name.",
            remedy="Use lower-case letters, digits and '-', beginning with a letter, at most 63.",
        )
    return name


def name_from(goal: str, taken: Mapping[str, Any] | set[str]) -> str:
    """A free name made of the goal's first words."""
    plain = unicodedata.normalize("NFKD", goal).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)[:5]
    stem = re.sub(r"^[^a-z]+", "", "-".join(words))[:50].strip("-") or "job"
    return next(name for name in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


def parse_job(text: str, name: str, where: str, first_seen: datetime) -> ScheduledJob:
    """Read a job's file; ``where`` begins messages. Intervals without a ``start`` count from ``first_seen``.

    Raises:
        ScheduleError: the text is no job.
    """
    check_name(name)
    if len(text.encode("utf-8", "replace")) > FILE_LIMIT:
        raise ScheduleError(f"{where}: more than {FILE_LIMIT} bytes.", remedy="Shorten it.")
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScheduleError(f"{where}: is not TOML ({error}).", remedy="Correct it; see https://toml.io.") from error
    for key in table:
        if key not in _KEYS:
            raise ScheduleError(f"{where}: there is no key {key!r}.", remedy=f"Keys: {', '.join(sorted(_KEYS))}.")
    _check(table, where)
    try:
        timing = read_timing(
            at=table.get("at"),
            every=table.get("every"),
            cron=table.get("cron"),
            timezone=table.get("timezone"),
            start=_aware(table.get("start")) or first_seen,
        )
    except ScheduleError as error:
        raise ScheduleError(f"{where}: {error.message}", remedy=error.remedy) from error
    return ScheduledJob(
        name=name,
        goal=table["goal"].strip(),
        timing=timing,
        budget_usd=None if table.get("budget_usd") is None else float(table["budget_usd"]),
        agent=table.get("agent", ""),
        mode=table.get("mode", ""),
        project=table.get("project", ""),
        catch_up=table.get("catch_up", False),
        paused=table.get("paused", False),
        sandbox=table.get("sandbox", False),
    )


def _check(table: Mapping[str, Any], where: str) -> None:
    goal = table.get("goal")
    if not isinstance(goal, str) or not goal.strip():
        raise ScheduleError(f"{where}: goal must be text, got {goal!r:.60}.", remedy="Say what is wanted, in words.")
    for key in ("agent", "mode", "project"):
        if not isinstance(table.get(key, ""), str):
            raise ScheduleError(f"{where}: {key} must be text, got {table[key]!r:.60}.", remedy="Put it in quotes.")
    for key in ("catch_up", "paused", "sandbox"):
        if not isinstance(table.get(key, False), bool):
            raise ScheduleError(f"{where}: {key} must be true or false.", remedy=f"Write {key} = true.")
    usd = table.get("budget_usd", 0.0)
    if isinstance(usd, bool) or not isinstance(usd, int | float) or not 0 <= usd < float("inf"):
        raise ScheduleError(
            f"{where}: budget_usd must be an amount in US dollars, got {usd!r:.60}.", remedy="Write budget_usd = 0.5."
        )
    if "start" in table and not isinstance(table["start"], datetime):
        raise ScheduleError(f"{where}: start must be a date and time.", remedy="Write start = 2026-12-24T18:00:00Z.")


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def dump_job(job: ScheduledJob) -> str:
    """The text of a job's file; :func:`parse_job` reads the same job from it."""
    timing = job.timing
    lines = [f"goal = {_text(job.goal)}"]
    if timing.at is not None:
        lines.append(f"at = {_moment(timing.at)}")
    elif timing.every_s is not None:
        whole = timing.every_s == int(timing.every_s)
        lines.append(f"every = {int(timing.every_s) if whole else timing.every_s!r}")
        if timing.start is not None:
            lines.append(f"start = {_moment(timing.start)}")
    else:
        lines.append(f"cron = {_text(timing.cron)}")
    lines.append(f"timezone = {_text(timing.zone)}")
    if job.budget_usd is not None:
        lines.append(f"budget_usd = {job.budget_usd!r}")
    lines += [f"{key} = {_text(value)}" for key in ("agent", "mode", "project") if (value := getattr(job, key))]
    lines += [f"{key} = true" for key in ("catch_up", "paused", "sandbox") if getattr(job, key)]
    return "\n".join(lines) + "\n"


def with_pause(text: str, paused: bool) -> str:
    """A job's file with ``paused`` set and everything else, comments too, as a person wrote it."""
    line = f"paused = {'true' if paused else 'false'}"
    if _PAUSED.search(text):
        return _PAUSED.sub(line, text, count=1)
    return f"{line}\n{text}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _moment(moment: datetime) -> str:
    return (moment - timedelta(microseconds=moment.microsecond)).isoformat()


def write_path(folder: Path, name: str) -> Path:
    """Where the job called ``name`` lies."""
    return folder / f"{check_name(name)}.toml"
