from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from llmos_nb.kernel.events import Event, EventBus, ModeDecided, Notice, RunStarted, as_record
from llmos_nb.kernel.subscription import RAISE_LIMIT


def notice(text: str = "x") -> Notice:
    return Notice(run_id="r", text=text)


def test_every_subscriber_sees_every_event_in_order() -> None:
    bus = EventBus()
    one: list[Event] = []
    two: list[Event] = []
    bus.subscribe(one.append, name="one")
    bus.subscribe(two.append, name="two")
    sent = [notice(str(number)) for number in range(1000)]
    for event in sent:
        bus.publish(event)
    assert bus.flush(60)
    assert one == two == sent
    assert bus.problems == {}


def test_a_record_is_plain_data() -> None:
    started = RunStarted(run_id="r", at=1.5, goal="g", agent="a", endpoint="scripted")
    assert as_record(started) == {
        "event": "RunStarted", "run_id": "r", "at": 1.5, "goal": "g", "agent": "a", "endpoint": "scripted",
        "forced_mode": "auto", "project": "", "parent_run_id": "", "scheduled_by": "", "background": False,
    }  # fmt: skip
    assert as_record(ModeDecided(run_id="r", mode="learner", reason="x"))["trace_id"] is None


def test_publishing_waits_for_nobody() -> None:
    bus = EventBus()
    gate = threading.Event()
    seen: list[Event] = []

    def slow(event: Event) -> None:
        gate.wait(30)
        seen.append(event)

    bus.subscribe(slow, name="slow")
    for _ in range(5):
        bus.publish(notice())
    assert seen == []
    assert not bus.flush(0.02)
    gate.set()
    assert bus.flush(60)
    assert len(seen) == 5


def test_a_subscriber_that_raises_now_and_then_stays() -> None:
    bus = EventBus()
    seen: list[Event] = []

    def clumsy(event: Event) -> None:
        seen.append(event)
        if len(seen) == 1:
            raise ValueError("oops")

    bus.subscribe(clumsy, name="clumsy")
    bus.publish(notice())
    bus.publish(notice())
    assert bus.flush(60)
    assert len(seen) == 2
    assert bus.lost == {}
    assert bus.problems == {"clumsy": "raised ValueError: oops"}


@pytest.mark.parametrize("error", [ValueError("oops"), SystemExit("oops"), asyncio.CancelledError("oops")])
def test_a_subscriber_that_keeps_raising_is_let_go_at_once_and_named(error: BaseException) -> None:
    bus = EventBus()
    seen: list[Event] = []

    def broken(event: Event) -> None:
        raise error

    bus.subscribe(broken, name="broken")
    bus.subscribe(seen.append, name="sound")
    for _ in range(RAISE_LIMIT):
        bus.publish(notice())
    assert bus.flush(60)
    assert bus.lost == {"broken": f"raised {type(error).__name__}: oops"}
    bus.publish(notice())
    assert bus.flush(60)
    told = [event.text for event in seen if isinstance(event, Notice) and event.text != "x"]
    assert told == [f"the subscriber 'broken' was let go: it raised {type(error).__name__}: oops"]
    assert len(seen) == RAISE_LIMIT + 2
    assert list(bus.lost) == list(bus.problems) == ["broken"]


def test_a_subscriber_that_falls_too_far_behind_is_let_go() -> None:
    bus = EventBus()
    gate = threading.Event()
    bus.subscribe(lambda event: bool(gate.wait(30)), name="stuck", limit=3)
    for _ in range(10):
        bus.publish(notice())
    assert bus.lost == {"stuck": "fell 3 events behind"}
    assert bus.flush(0)
    gate.set()


def test_publishing_does_not_raise_when_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    bus = EventBus()
    bus.subscribe(print, name="threadless")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    bus.publish(notice())
    assert bus.lost == {"threadless": "has no thread (can't start new thread)"}


def test_unsubscribing_ends_it_and_loses_nobody() -> None:
    bus = EventBus()
    seen: list[Event] = []
    end = bus.subscribe(seen.append, name="one")
    bus.publish(notice("a"))
    assert bus.flush(60)
    end()
    end()
    bus.publish(notice("b"))
    assert bus.flush(60)
    assert [event.text for event in seen if isinstance(event, Notice)] == ["a"]
    assert bus.lost == {}


def test_a_subscriber_may_publish_and_flush_without_hanging() -> None:
    bus = EventBus()
    seen: list[str] = []
    answers: list[bool] = []

    def echo(event: Event) -> None:
        assert isinstance(event, Notice)
        seen.append(event.text)
        if event.text == "ping":
            bus.publish(notice("pong"))
            answers.append(bus.flush(30))

    bus.subscribe(echo, name="echo")
    bus.publish(notice("ping"))
    assert bus.flush(60)
    assert seen == ["ping", "pong"]
    assert answers == [False]


def test_threads_publish_at_once_without_losing_events() -> None:
    bus = EventBus()
    seen: list[Event] = []
    bus.subscribe(seen.append, name="all")

    def publish() -> None:
        for _ in range(500):
            bus.publish(notice())

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bus.flush(60)
    assert len(seen) == 2000


def test_an_ended_subscription_leaves_no_thread() -> None:
    bus = EventBus()
    end = bus.subscribe(lambda event: None, name="short-lived")
    bus.publish(notice())
    assert bus.flush(60)

    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "llmos-short-lived"]

    assert threads()
    end()
    wait_until(lambda: not threads())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60  # only a hang comes near it
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_subscriber_that_falls_behind_is_told_of_to_the_others() -> None:
    bus = EventBus()
    seen: list[Event] = []
    gate = threading.Event()
    bus.subscribe(lambda event: bool(gate.wait(30)), name="stuck", limit=3)
    bus.subscribe(seen.append, name="sound")
    for _ in range(10):
        bus.publish(notice())
    assert bus.flush(60)
    told = [event for event in seen if isinstance(event, Notice) and event.text != "x"]
    assert [event.text for event in told] == ["the subscriber 'stuck' was let go: it fell 3 events behind"]
    assert told[0].run_id == "r"
    assert len(seen) == 11
    gate.set()


def test_a_burst_that_a_fast_subscriber_can_take_loses_it_nothing() -> None:
    bus = EventBus()
    seen: list[Event] = []
    gate = threading.Event()

    def fast_but_held_up_once(event: Event) -> None:
        seen.append(event)
        if len(seen) == 1000:
            gate.wait(30)

    bus.subscribe(fast_but_held_up_once, name="fast", limit=300)
    for number in range(1000):
        bus.publish(notice())
        if number % 100 == 99 and number < 900:
            assert bus.flush(60)
    wait_until(lambda: len(seen) == 1000)
    for _ in range(1000):
        bus.publish(notice())
    assert bus.lost == {}
    gate.set()
    assert bus.flush(60)
    assert len(seen) == 2000


def test_a_burst_after_an_idle_hour_is_not_taken_for_slowness(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.kernel import subscription

    hours = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600 * hours[0])
    monkeypatch.setattr(subscription, "time", clock)
    bus = EventBus()
    seen: list[Event] = []
    gate = threading.Event()

    def fast_but_held_up_once(event: Event) -> None:
        seen.append(event)
        if len(seen) == 1000:
            gate.wait(30)

    bus.subscribe(fast_but_held_up_once, name="fast", limit=300)
    bus.publish(notice())
    assert bus.flush(60)
    wait_until(lambda: bus._subscriptions[0].asleep)
    hours[0] += 1
    for number in range(999):
        bus.publish(notice())
        if number % 100 == 99 and number < 900:
            assert bus.flush(60)
    wait_until(lambda: len(seen) == 1000)
    for _ in range(1000):
        bus.publish(notice())
    assert bus.lost == {}
    gate.set()
    assert bus.flush(60)


def test_many_events_arrive_whole_beside_subscribers_in_trouble() -> None:
    bus = EventBus()
    gate = threading.Event()
    seen: list[int] = []

    def broken(event: Event) -> None:
        raise ValueError("oops")

    bus.subscribe(lambda event: seen.append(len(seen)), name="healthy")
    bus.subscribe(lambda event: time.sleep(0.01), name="slow", limit=5000)
    bus.subscribe(broken, name="raising")
    bus.subscribe(lambda event: bool(gate.wait(30)), name="dead", limit=5000)
    for _ in range(20_000):
        bus.publish(notice())
    wait_until(lambda: len(seen) == 20_003)
    assert sorted(bus.lost) == ["dead", "raising", "slow"]
    gate.set()


def test_names_that_are_taken_get_a_number() -> None:
    bus = EventBus()
    gate = threading.Event()
    for _ in range(2):
        bus.subscribe(lambda event: bool(gate.wait(30)), name="same", limit=1)
    for _ in range(5):
        bus.publish(notice())
    assert sorted(bus.lost) == ["same", "same (2)"]
    gate.set()


def test_a_subscriber_sees_only_what_comes_after_it() -> None:
    bus = EventBus()
    for _ in range(3000):
        bus.publish(notice("before"))
    seen: list[Event] = []
    bus.subscribe(seen.append, name="late")
    bus.publish(notice("after"))
    assert bus.flush(60)
    assert [event.text for event in seen if isinstance(event, Notice)] == ["after"]
    time.sleep(0.05)  # its thread sleeps by now, and must be woken
    bus.publish(notice("later"))
    assert bus.flush(60)
    assert len(seen) == 2
