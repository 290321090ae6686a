"""How long a stop takes, in every phase of a run and each way: the aim is one second."""

from __future__ import annotations

import asyncio
import contextlib
import io
import statistics
import sys
import tempfile
import threading
from pathlib import Path

from surroundings import clean

ROUNDS = 3


async def measured(names: list[str]) -> None:
    from phases import PHASES, SCRIPTS, left_over, stopped
    from rig import Rig

    print(f"  {'':28} {'llmos.stop()':>16} {'interrupt':>16}   median / worst of {ROUNDS}, aim 1000 ms")
    for phase in PHASES:
        if names and not any(name in phase.name for name in names):
            continue
        cells = []
        for way in ("stop", "interrupt"):
            times, problems = [], set()
            for _ in range(ROUNDS):
                rig = Rig(Path(tempfile.mkdtemp(prefix="llmos-stop-")), SCRIPTS, **phase.options)
                try:
                    with contextlib.redirect_stdout(io.StringIO()):
                        took, _ = await stopped(phase, rig, way)
                    times.append(took)
                    problems.add(left_over(rig))
                finally:
                    rig.close()
            cells.append(f"{statistics.median(times) * 1e3:.0f} / {max(times) * 1e3:.0f}")
            if problems - {""}:
                print(f"  {phase.name}, {way}: {problems - {''}}")
        print(f"  {phase.name:28} {cells[0]:>16} {cells[1]:>16}", flush=True)


clean()
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
assert threading.current_thread() is threading.main_thread()
asyncio.run(measured(sys.argv[1:]))
