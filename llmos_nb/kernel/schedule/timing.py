"""When something is due: once, every so often, or by a cron line in a time zone.

Cron lines mean what they mean to Debian's cron, also where clocks are put forward or back; cronsim computes them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from llmos_nb.errors import ScheduleError

__all__ = ["Timing", "local_zone", "read_timing", "zone_named"]

#: The shortest interval, in seconds; a goal takes longer than that.
SHORTEST_S: Final = 1.0
#: The longest: a hundred years.
LONGEST_S: Final = 100 * 366 * 86400.0
#: Characters of a cron line.
CRON_LIMIT: Final = 200
#: How many missed occurrences are counted one by one.
COUNT_LIMIT: Final = 10_000
_ALIASES: Final = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_UNITS: Final = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400, "w": 604800, "week": 604800,
    "weeks": 604800,
}  # fmt: skip
_EVERY: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def local_zone() -> str:
    """The name of the user's time zone, ``UTC`` where the machine does not say."""
    from tzlocal import get_localzone_name

    try:
        name = get_localzone_name()
        ZoneInfo(name)
    except (LookupError, ValueError, TypeError, OSError):
        return "UTC"
    return str(name)


def zone_named(name: Any) -> ZoneInfo:
    """The time zone called ``name``.

    Raises:
        ScheduleError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, TypeError, OSError) as error:
        raise ScheduleError(
            f"timezone {name!r}: there is no such time zone.", remedy="Name one such as 'Europe/Berlin' or 'UTC'."
        ) from error


@dataclass(frozen=True, slots=True)
class Timing:
    """Exactly one of ``at`` (a moment), ``every_s`` (seconds, counted from ``start``) and ``cron`` is set."""

    zone: str
    at: datetime | None = None
    every_s: float | None = None
    cron: str = ""
    start: datetime | None = None

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every moment after ``moment`` at which it is due, in order, in its own time zone."""
        zone = zone_named(self.zone)
        if self.at is not None:
            if self.at > moment:
                yield self.at.astimezone(zone)
        elif self.every_s is not None:
            start = self.start or moment
            number = max(1, math.floor((moment - start).total_seconds() / self.every_s) + 1)
            while True:
                due = start + timedelta(seconds=number * self.every_s)
                if due > moment:
                    yield due.astimezone(zone)
                number += 1
        else:
            yield from _cron_times(self.cron, moment, zone)

    def next_after(self, moment: datetime) -> datetime | None:
        """The next moment at which it is due; None if it never is again."""
        return next(self.after(moment), None)

    def between(self, after: datetime, until: datetime) -> tuple[int, datetime | None]:
        """How often it was due after ``after`` and up to ``until``, and the last such moment.

        At most :data:`COUNT_LIMIT` are counted by the calendar; intervals are counted exactly.
        """
        if self.every_s is not None and self.start is not None:
            first = max(0, math.floor((after - self.start).total_seconds() / self.every_s))
            last = math.floor((until - self.start).total_seconds() / self.every_s)
            if last <= first:
                return 0, None
            return last - first, self.start + timedelta(seconds=last * self.every_s)
        count, found = 0, None
        for due in self.after(after):
            if due > until or count >= COUNT_LIMIT:
                break
            count, found = count + 1, due
        return count, found

    def __str__(self) -> str:
        if self.at is not None:
            return f"at {self.at.astimezone(zone_named(self.zone)):%Y-%m-%d %H:%M:%S} {self.zone}"
        if self.every_s is not None:
            return f"every {_in_words(self.every_s)}"
        return f"cron {self.cron} {self.zone}"


def _cron_times(line: str, moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    from cronsim import CronSim

    last = moment
    # From a little before: where the clock is put back, the wall's time says less than the moment itself.
    for due in CronSim(line, (moment - timedelta(hours=3)).astimezone(zone)):
        if due.astimezone(UTC) > last.astimezone(UTC):
            last = due
            yield due


def _in_words(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("min", 60)):
        if seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 and unit != 'min' else ''}"
    return f"{seconds:g} s"


def read_timing(
    *, at: Any = None, every: Any = None, cron: Any = None, timezone: Any = None, start: datetime | None = None
) -> Timing:
    """The timing that exactly one of ``at``, ``every`` and ``cron`` says.

    Args:
        at: a moment: a datetime, ISO text such as ``2026-12-24T18:00`` (in ``timezone`` where it names none), or
            ``18:00``, which is the next one.
        every: seconds, a timedelta, or text such as ``10 min``, ``2 hours``, ``1 day``.
        cron: five fields, as in a crontab, or ``@hourly``, ``@daily``, ``@weekly``, ``@monthly``, ``@yearly``.
        timezone: the zone's name; the machine's own if None.
        start: what intervals are counted from.

    Raises:
        ScheduleError: nothing or more than one of them was given, or it makes no sense.
    """
    given = [name for name, value in (("at", at), ("every", every), ("cron", cron)) if value is not None]
    if len(given) != 1:
        raise ScheduleError(
            f"{' and '.join(given) or 'nothing'} given: a job needs exactly one of at, every and cron.",
            remedy="Say at='18:00', every='1 hour' or cron='0 7 * * mon-fri'.",
        )
    zone = local_zone() if timezone is None else timezone
    zone_named(zone)
    if at is not None:
        return Timing(zone, at=_moment(at, zone))
    if every is not None:
        return Timing(zone, every_s=_seconds(every), start=start)
    return Timing(zone, cron=_cron(cron, zone))


def _moment(at: Any, zone: str) -> datetime:
    moment = at
    if isinstance(at, str):
        clock = _CLOCK.fullmatch(at.strip())
        if clock:
            now = datetime.now(zone_named(zone))
            moment = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
            return moment if moment > now else moment + timedelta(days=1)
        try:
            moment = datetime.fromisoformat(at.strip())
        except ValueError:
            moment = None
    if not isinstance(moment, datetime):
        raise ScheduleError(f"at {at!r}: is no moment.", remedy="Write 2026-12-24T18:00, or 18:00 for the next one.")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone_named(zone))


def _seconds(every: Any) -> float:
    seconds: float | None = None
    if isinstance(every, timedelta):
        seconds = every.total_seconds()
    elif isinstance(every, int | float) and not isinstance(every, bool):
        seconds = float(every)
    elif isinstance(every, str):
        text = every.strip().lower()
        match = _EVERY.fullmatch(text)
        if match and match[2] in _UNITS:
            seconds = float(match[1]) * _UNITS[match[2]]
        elif text in _UNITS:
            seconds = float(_UNITS[text])
    if seconds is None or not math.isfinite(seconds):
        raise ScheduleError(
            f"every {every!r}: is no interval.", remedy="Write '10 min', '2 hours', '1 day' or seconds."
        )
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise ScheduleError(
            f"every {every!r}: an interval must be at least {SHORTEST_S:g} s, and at most a hundred years.",
            remedy="Write '10 min', '2 hours' or '1 day'.",
        )
    return seconds


def _cron(line: Any, zone: str) -> str:
    from cronsim import CronSim, CronSimError

    remedy = "Five fields: minute hour day month weekday, e.g. '0 7 * * mon-fri'; or @daily."
    if not isinstance(line, str) or not line.strip():
        raise ScheduleError(f"cron {line!r}: is no cron line.", remedy=remedy)
    text = " ".join(_ALIASES.get(line.strip().lower(), line).split())
    fields = text.split()
    if len(text) > CRON_LIMIT or len(fields) != 5:
        raise ScheduleError(f"cron {line!r:.80}: has {len(fields)} fields, not five.", remedy=remedy)
    try:
        due = next(CronSim(text, datetime.now(zone_named(zone))), None)
    except (CronSimError, ValueError, OverflowError) as error:
        raise ScheduleError(f"cron {line!r}: {error}.", remedy=remedy) from error
    if due is None:
        raise ScheduleError(f"cron {line!r}: is never due in the next fifty years.", remedy=remedy)
    return text
