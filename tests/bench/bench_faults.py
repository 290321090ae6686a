"""Everything that can go wrong between a goal and the model, one row each: how the run ended, and what was wrong with it.

python -m tests.bench faults, or with words that the rows' names must have: python tests/bench/bench_faults.py silent
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

from surroundings import clean


async def main(words: list[str]) -> int:
    from faults import CASES, Place, met

    problems = rows = 0
    own = Path(tempfile.mkdtemp(prefix="llmos-temporary-"))
    tempfile.tempdir = os.environ["TMPDIR"] = str(own)
    for group, cases in CASES.items():
        chosen = [case for case in cases if all(word in f"{group}: {case.name}" for word in words)]
        if not chosen:
            continue
        print(f"  {group}")
        place = Place(Path(tempfile.mkdtemp(prefix="faults-")), altered=group == "between")
        with contextlib.redirect_stdout(io.StringIO()):
            await place.warmed()
        for case in chosen:
            began, shown = time.monotonic(), io.StringIO()
            with contextlib.redirect_stdout(shown):
                result, wrong = await met(case, place)
            rows += 1
            problems += bool(wrong)
            ended = f"{result.status:11} {result.duration_s:5.1f} s" if result else "-"
            said = (f"{result.reason} | {result.remedy}" if result else "").replace("\n", " ")
            print(f"    {case.name:44} {ended}  {'' if not wrong else 'WRONG '}{said[:150]}", flush=True)
            for one in wrong:
                print(f"      !! {one}   ({time.monotonic() - began:.1f} s)", flush=True)
        place.close()
    left = [path.name for path in own.iterdir() if not path.name.startswith("faults-")]
    print(f"  {rows} rows, {problems} wrong; temporary files left: {len(left)} {left[:5]}")
    return problems


clean()
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
sys.exit(1 if asyncio.run(main(sys.argv[1:])) else 0)
