"""When something is due: intervals, cron lines across changes of the clocks, moments; and nonsense in clear words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.errors import ScheduleError
from llmos_nb.kernel.schedule import Timing, read_timing
from llmos_nb.kernel.schedule.timing import COUNT_LIMIT

START = datetime(2026, 3, 1, tzinfo=UTC)


def due(timing: Timing, after: datetime, count: int) -> list[str]:
    return [f"{moment:%m-%d %H:%M %z}" for moment in islice(timing.after(after), count)]


@pytest.mark.parametrize(
    ("every", "seconds"),
    [(5, 5), (1.5, 1.5), ("10min", 600), ("10 min", 600), ("2 Hours", 7200), ("day", 86400), ("0.5h", 1800),
     (timedelta(minutes=3), 180), ("1 w", 604800)],
)  # fmt: skip
def test_intervals(every: Any, seconds: float) -> None:
    timing = read_timing(every=every, timezone="UTC", start=START)
    assert timing.every_s == seconds
    assert timing.next_after(START) == START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cron": "nonsense"}, "has 1 fields, not five"),
        ({"cron": "* * * *"}, "has 4 fields"),
        ({"cron": "* * * * * *"}, "has 6 fields"),
        ({"cron": "61 * * * *"}, "Bad minute"),
        ({"cron": "0 25 * * *"}, "Bad hour"),
        ({"cron": "0 0 31 2 *"}, "day-of-month"),
        ({"cron": "0 0 * * funday"}, "day-of-week"),
        ({"cron": "*/0 * * * *"}, "Bad minute"),
        ({"cron": "5-1 * * * *"}, "Bad minute"),
        ({"cron": "a\x00b * * * *"}, "Bad minute"),
        ({"cron": ""}, "no cron line"),
        ({"cron": 5}, "no cron line"),
        ({"cron": "* " * 5000}, "fields"),
        ({"cron": "1," * 150 + "1 * * * *"}, "fields"),
        ({"cron": "0 0 * * *", "timezone": "Mars/Base"}, "no such time zone"),
        ({"at": "18:00", "timezone": "../../etc/passwd"}, "no such time zone"),
        ({"at": "later"}, "no moment"),
        ({"at": 5}, "no moment"),
        ({"at": "25:00"}, "no moment"),
        ({"every": "soon"}, "no interval"),
        ({"every": 0}, "at least 1 s"),
        ({"every": -5}, "at least 1 s"),
        ({"every": float("nan")}, "no interval"),
        ({"every": float("inf")}, "no interval"),
        ({"every": True}, "no interval"),
        ({"every": "1e9 days"}, "no interval"),
        ({"every": "99999999 days"}, "a hundred years"),
        ({}, "exactly one of"),
        ({"at": "18:00", "every": 5}, "at and every given"),
    ],
)
def test_nonsense_is_refused_with_what_to_do(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ScheduleError, match=words) as refused:
        read_timing(**{"timezone": "UTC", **given})
    assert refused.value.remedy


def test_a_cron_line_where_clocks_are_put_forward_and_back() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    half_past_two = read_timing(cron="30 2 * * *", timezone="Europe/Berlin")
    assert due(half_past_two, datetime(2026, 3, 28, tzinfo=berlin), 3) == [
        "03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200",
    ]  # fmt: skip
    assert due(half_past_two, datetime(2026, 10, 24, 12, tzinfo=berlin), 2) == [
        "10-25 02:30 +0200", "10-26 02:30 +0100",
    ]  # fmt: skip
    every_half_hour = read_timing(cron="*/30 * * * *", timezone="Europe/Berlin")
    moments = list(islice(every_half_hour.after(datetime(2026, 10, 25, 1, 0, tzinfo=berlin)), 8))
    gaps = {(b.astimezone(UTC) - a.astimezone(UTC)).total_seconds() for a, b in pairwise(moments)}
    assert gaps == {1800.0}


def test_aliases_and_names_of_days() -> None:
    assert read_timing(cron="@daily", timezone="UTC").cron == "0 0 * * *"
    friday = read_timing(cron="0 9 * * mon-fri", timezone="UTC")
    assert due(friday, datetime(2026, 11, 27, 12, tzinfo=UTC), 1) == ["11-30 09:00 +0000"]


def test_a_clock_time_is_the_next_one() -> None:
    moment = read_timing(at="18:00", timezone="Europe/Berlin").at
    assert moment is not None and moment > datetime.now(UTC) and moment - datetime.now(UTC) <= timedelta(days=1)
    assert (moment.hour, moment.minute) == (18, 0)


def test_a_moment_without_a_zone_is_the_named_ones() -> None:
    timing = read_timing(at="2026-12-24T18:00", timezone="Europe/Berlin")
    assert timing.at == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert str(timing) == "at 2026-12-24 18:00:00 Europe/Berlin"


def test_what_was_due_in_a_hundred_years_is_counted_at_once() -> None:
    every = read_timing(every=1, timezone="UTC", start=START)
    count, last = every.between(START, START + timedelta(days=36500, seconds=0.5))
    assert count == 36500 * 86400 and last == START + timedelta(days=36500)
    cron = read_timing(cron="* * * * *", timezone="UTC")
    assert cron.between(START, START + timedelta(days=3650))[0] == COUNT_LIMIT


@given(
    every=st.integers(1, 10**6),
    first=st.integers(0, 10**7),
    length=st.integers(0, 10**5),
)
def test_an_interval_is_due_as_often_as_it_says(every: int, first: int, length: int) -> None:
    timing = read_timing(every=every, timezone="UTC", start=START)
    after = START + timedelta(seconds=first)
    until = after + timedelta(seconds=length)
    count, last = timing.between(after, until)
    assert count == (first + length) // every - first // every
    assert (last is None) == (count == 0)
    upcoming = timing.next_after(until)
    assert upcoming is not None and until < upcoming <= until + timedelta(seconds=every)
    if last is not None:
        assert after < last <= until
