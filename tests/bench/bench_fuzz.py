"""10,000 damaged texts for every reader: only documented errors, and none takes long.

python -m tests.bench fuzz            all of them; FUZZ=trace,agent chooses, FUZZ_EXAMPLES=1000 makes it shorter

Times are of the processor, so that what else the machine does is none of it. Aim: below 50 ms each.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

sys.path.insert(0, str(Path(__file__).parents[1] / "property"))
from readers import READERS, Reader, damaged

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10000"))


def again(reader: Reader, text: str) -> float:
    """Seconds of the processor that reading a text takes."""
    started = time.process_time()
    with contextlib.suppress(Exception):
        reader.read(text)
    return time.process_time() - started


def looked_at(name: str, reader: Reader) -> bool:
    """Read damaged texts, and print how many were refused, what else was raised, and the longest times."""
    took: list[tuple[float, str]] = []
    refused, failed = 0, {}

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(damaged(reader.documents))
    def look(text: str) -> None:
        nonlocal refused
        started = time.process_time()
        try:
            reader.read(text)
        except reader.errors as error:
            refused += 1
            assert error.remedy  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            failed.setdefault(
                f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}", (text, str(error))
            )
        seconds = time.process_time() - started
        if seconds > 0.05:  # Python may have cleared up meanwhile: what the text itself takes, it takes again
            seconds = min(seconds, *(again(reader, text) for _ in range(3)))
        took.append((seconds, text))

    look()
    took.sort(key=lambda one: one[0])
    slow = sum(seconds > 0.05 for seconds, _ in took)
    print(
        f"{name:12} {len(took):6} read, {refused:6} refused, {len(failed)} undocumented   median "
        f"{took[len(took) // 2][0] * 1e3:6.2f} ms, p99.9 {took[int(len(took) * 0.999)][0] * 1e3:6.1f} ms, "
        f"longest {took[-1][0] * 1e3:6.1f} ms, above 50 ms: {slow}",
        flush=True,
    )
    for where, (text, said) in failed.items():
        print(f"    {where}: {said[:100]}: {text[:300]!r}")
    if slow:
        print(f"    longest: {took[-1][1][:400]!r} ({len(took[-1][1])} characters)")
    return not failed and not slow


chosen = os.environ.get("FUZZ", "").split(",") if os.environ.get("FUZZ") else list(READERS)
good = [looked_at(name, READERS[name]) for name in chosen]
sys.exit(0 if all(good) else 1)
