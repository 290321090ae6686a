"""How fast the explorer of traces answers: ``python tests/bench/bench_explore.py [traces]`` prints a small table.

It makes a workspace of traces of about 2 KB and asks as the widget does: a first page, the next page, a search, a filter,
a sort, one trace, two side by side, and a page right after a trace came. Each row has the median and the worst of 30
questions in milliseconds, and how large the answer is.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_store import trace

from llmos_nb import LLMOS
from llmos_nb.memory.codec import dump

TIMES = 30


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "memory" / "traces"
        for n in range(count):
            made = trace(n)
            path = folder / made.created_at[:7] / f"{made.id}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(dump(made).encode())
        with LLMOS(name, endpoint="scripted") as system:
            explorer = system.explore("traces")
            one, two = trace(1).id, trace(2).id

            def added(i: int) -> dict[str, Any]:
                system.traces.record_use(one, True)  # whatever is written to the index has it read again
                return {"offset": 0}

            questions: dict[str, tuple[str, Any]] = {
                "first page": ("page", lambda i: {"query": {}, "offset": 0}),
                "a page": ("page", lambda i: {"offset": i * 50}),
                "search": ("page", lambda i: {"query": {"text": f"penguins-{i} bill"}}),
                "filter": ("page", lambda i: {"query": {"agent": "data-analyst", "status": "success"}}),
                "sort by cost": ("page", lambda i: {"query": {}, "sort": "cost_usd"}),
                "one trace": ("open", lambda i: {"id": trace(i * 7919 % count).id}),
                "two side by side": ("compare", lambda i: {"left": one, "right": two}),
                "after a write": ("page", added),
            }
            print(f"{count} traces")
            print(f"{'question':18}{'median ms':>11}{'worst ms':>10}{'KB':>7}")
            for what, (action, arguments) in questions.items():
                taken, size = [], 0
                for i in range(TIMES):
                    given, heard = arguments(i), []
                    start = time.perf_counter()
                    explorer.take({"id": i, "do": action, "with": given}, heard.append)
                    size = len(json.dumps(heard[0]))
                    taken.append((time.perf_counter() - start) * 1000)
                    assert "data" in heard[0], heard
                print(f"{what:18}{statistics.median(taken):11.1f}{max(taken):10.1f}{size / 1024:7.1f}")
            start = time.perf_counter()
            size = sum(map(len, explorer._repr_mimebundle_().values()))
            print(f"{'static twin':18}{(time.perf_counter() - start) * 1000:11.1f}{'':10}{size / 1024:7.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
