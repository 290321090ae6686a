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
    longest, used = 0.0, time.thread_time()
    started = time.perf_counter()
    if work:
        for _ in range(EVENTS):
            event = TextDelta(run_id="r", text=json.loads(PIECE)["delta"]["text"])
            before = time.perf_counter()
            bus.publish(event)
            longest = max(longest, time.perf_counter() - before)
    else:
        for _ in range(EVENTS):
            bus.publish(TextDelta(run_id="r", text="Word after word."))
    took, used = time.perf_counter() - started, time.thread_time() - used
    deadline = time.monotonic() + 60
    while seen[0] < EVENTS and "healthy" not in bus.lost and time.monotonic() < deadline:
        time.sleep(0.01)
    print(json.dumps([took, longest, seen[0], bus.lost, used]))


def played(troubled: bool, work: bool) -> list[object]:
    mode = ["troubled" if troubled else "alone", "work" if work else "bare"]
    done = subprocess.run([sys.executable, __file__, *mode], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def main() -> None:
    clean()
    for work, what in ((True, "reading a stream"), (False, "publishing and nothing else")):
        rounds = [(played(False, work), played(True, work)) for _ in range(ROUNDS)]
        # The best of the rounds: whatever else the machine does only ever adds.
        alone = min(float(one[0]) for one, _ in rounds)  # type: ignore[arg-type]
        troubled = min(float(two[0]) for _, two in rounds)  # type: ignore[arg-type]
        own = min(float(two[4]) for _, two in rounds) / min(float(one[4]) for one, _ in rounds)  # type: ignore[arg-type]
        seen = min(int(two[2]) for _, two in rounds)  # type: ignore[call-overload]
        row(f"{what}: 1,000,000 events, one healthy subscriber", f"{alone:.2f} s")
        row("  with a slow, a raising and a dead one beside it", f"{troubled:.2f} s")
        row("  slowed by, best of rounds", f"{(troubled / alone - 1) * 100:+.1f} %", "aim <= 5 %")
        row("  processor time of the publishing thread", f"{(own - 1) * 100:+.1f} %", "aim <= 5 %")
        row("  events the healthy one saw then", f"{seen:,}", "aim 1,000,000")
        if work:
            row("  longest publish", f"{max(float(two[1]) for _, two in rounds) * 1e3:.1f} ms")  # type: ignore[arg-type]
        row("  let go and named", ", ".join(sorted(rounds[-1][1][3])))  # type: ignore[call-overload]


if len(sys.argv) > 1:
    play(sys.argv[1] == "troubled", sys.argv[2] == "work")
else:
    main()
