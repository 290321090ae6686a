"""How fast the trace store is: ``python tests/bench/bench_store.py [traces]`` prints a small table.

It makes a folder of traces of about 2 KB, spread over a year, and measures opening it, rebuilding its index, a
look-up and an addition. Targets: warm open 200 ms, rebuild 2,000 files/s, look-up 2 ms, all at 10,000 traces.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from llmos_nb.memory import Expectation, Step, Trace, TraceStore
from llmos_nb.memory.codec import dump

CODE = """import pandas as pd

penguins = pd.read_csv("penguins-{n}.csv")
complete = penguins.dropna()
by_species = complete.groupby("species")[["bill_length_mm", "bill_depth_mm"]].mean().round({n})
print(f"{{len(complete)}} of {{len(penguins)}} rows are complete")
by_species
"""


def trace(n: int) -> Trace:
    """A trace of two steps, about 2 KB as a file."""
    load = Step(
        "run_cell",
        {"code": CODE.format(n=n)},
        Expectation(
            defines={"pd": "module", "penguins": "DataFrame", "complete": "DataFrame", "by_species": "DataFrame"},
            columns={"penguins": ("species", "island", "bill_length_mm", "bill_depth_mm", "body_mass_g")},
            outputs=("stream", "text/html"),
            digest="5f2b9c0d1e",
        ),
        "333 of 344 rows are complete\n" + "\n".join(f"species-{i}  38.{i}  18.{i}" for i in range(12)),
        0.21,
    )
    save = Step(
        "write_file", {"path": f"out-{n}.md", "content": f"# Penguins\n\nRun {n}.\n"}, Expectation(files=("o",))
    )
    created = f"2026-{n % 12 + 1:02d}-{n // 12 % 28 + 1:02d}T07:41:03Z"
    return Trace(
        f"Load penguins-{n}.csv, drop incomplete rows and show the mean bill by species", [load, save], cost_usd=0.0512,
        id=f"{created[:10].replace('-', '')}-074103-penguins-{n:05x}", agent="data-analyst", model="claude-sonnet-4-5",
        created_at=created, duration_s=12.4, environment={"python": "3.11.7", "packages": {"pandas": "2.2.3"}},
        tokens={"input": 5210, "output": 811, "cache_read": 0, "cache_write": 0},
        answer="The mean bill length is largest for Chinstrap penguins. " * 5,
    )  # fmt: skip


def timed(count: int, action: object) -> list[float]:
    """Milliseconds of each call of ``action(i)``."""
    taken = []
    for i in range(count):
        start = time.perf_counter()
        action(i)  # type: ignore[operator]
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = 0
        for n in range(count):
            made = trace(n)
            path = folder / made.created_at[:7] / f"{made.id}.md"
            path.parent.mkdir(exist_ok=True)
            size += path.write_bytes(dump(made).encode())
        start = time.perf_counter()
        TraceStore(folder).close()
        rebuild = count / (time.perf_counter() - start)
        warm = statistics.median(timed(5, lambda i: TraceStore(folder).close()))
        time.sleep(0.2)
        with TraceStore(folder) as store:
            goals = [trace(i * 7919 % count).goal for i in range(500)]
            found = timed(500, lambda i: store.match(goals[i]))
            missed = timed(200, lambda i: store.match(f"something else {i}"))
            assert store.match(goals[0]).verdict == "replay"
            new = [Trace(f"a new goal {i}", trace(i).steps, cost_usd=0.05) for i in range(60)]
            added = timed(60, lambda i: store.add(new[i]))
            after = timed(30, lambda i: (store.add(new[i]), store.match(new[i].goal)))
    print(f"{count} traces of {size // count} bytes")
    print(f"open, warm             {warm:8.1f} ms")
    print(f"rebuild                {rebuild:8.0f} files/s")
    for label, times in (("match, found", found), ("match, none", missed), ("add", added), ("add and match", after)):
        p99 = statistics.quantiles(times, n=100)[98]
        print(f"{label:<22} {statistics.median(times):8.2f} ms p50 {p99:8.2f} ms p99")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
