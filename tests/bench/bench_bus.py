"""The event bus under a million events: what a slow, a raising and a dead subscriber cost the run that publishes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

from surroundings import clean, row

EVENTS = 1_000_000
ROUNDS = 7
#: Parts that are measured by themselves.
PARTS = 50
#: A piece of a model's stream as it arrives; reading it is the work that a run does for each event.
PIECE = json.dumps(
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Word after word."}}
)


def play(troubled: bool, work: bool) -> None:
    """Publish every event beside one healthy subscriber, in this process; prints what was seen."""
    from llmos_nb.kernel.events import EventBus, TextDelta

    bus = EventBus()
    seen = [0]

    def healthy(event: object) -> None:
        seen[0] += 1

    def raising(event: object) -> None:
        raise ValueError("broken")

    bus.subscribe(healthy, name="healthy")
    if troubled:
        bus.subscribe(lambda event: time.sleep(0.001), name="slow")
        bus.subscribe(raising, name="raising")
        bus.subscribe(lambda event: bool(threading.Event().wait()), name="dead")
    longest, parts = 0.0, []
    for _ in range(PARTS):
        started, used = time.perf_counter(), time.thread_time()
        if work:
            for _ in range(EVENTS // PARTS):
                event = TextDelta(run_id="r", text=json.loads(PIECE)["delta"]["text"])
                before = time.perf_counter()
                bus.publish(event)
                longest = max(longest, time.perf_counter() - before)
        else:
            for _ in range(EVENTS // PARTS):
                bus.publish(TextDelta(run_id="r", text="Word after word."))
        parts.append((time.perf_counter() - started, time.thread_time() - used))
    deadline = time.monotonic() + 60
    while seen[0] < EVENTS and "healthy" not in bus.lost and time.monotonic() < deadline:
        time.sleep(0.01)
    print(json.dumps([parts, longest, seen[0], bus.lost]))


def played(troubled: bool, work: bool) -> tuple[list[tuple[float, float]], float, int, dict[str, str]]:
    """Seconds and processor seconds of each part, the longest publish, what the healthy one saw, and who was let go."""
    mode = ["troubled" if troubled else "alone", "work" if work else "bare"]
    done = subprocess.run([sys.executable, __file__, *mode], capture_output=True, text=True, check=True)
    parts, longest, seen, lost = json.loads(done.stdout)
    return parts, longest, seen, lost


def best(rounds: list[list[tuple[float, float]]], which: int) -> float:
    """The best of the rounds for each part, added up: whatever else the machine does only ever adds."""
    return sum(min(part[which] for part in parts) for parts in zip(*rounds, strict=True))


def main() -> None:
    clean()
    for work, what in ((True, "reading a stream"), (False, "publishing and nothing else")):
        rounds = [(played(False, work), played(True, work)) for _ in range(ROUNDS)]
        alone, troubled = [one[0] for one, _ in rounds], [two[0] for _, two in rounds]
        row(f"{what}: 1,000,000 events, one healthy subscriber", f"{best(alone, 0):.2f} s")
        row("  with a slow, a raising and a dead one beside it", f"{best(troubled, 0):.2f} s")
        row("  slowed by, best of rounds", f"{(best(troubled, 0) / best(alone, 0) - 1) * 100:+.1f} %", "aim <= 5 %")
        more = best(troubled, 1) / best(alone, 1) - 1
        row("  processor time of the publishing thread", f"{more * 100:+.1f} %", "aim <= 5 %")
        row("  events the healthy one saw then", f"{min(two[2] for _, two in rounds):,}", "aim 1,000,000")
        if work:
            row("  longest publish", f"{max(two[1] for _, two in rounds) * 1e3:.1f} ms")
        row("  let go and named", ", ".join(sorted(rounds[-1][1][3])))


if len(sys.argv) > 1:
    play(sys.argv[1] == "troubled", sys.argv[2] == "work")
else:
    main()
