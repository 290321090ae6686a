"""Notebook tasks end to end: learned from two value sets, asked for with three others, each compared with a fresh run.

    python tests/bench/bench_tasks.py [--field NAME] [--task NAME] [--show] [--reasons]

``again`` counts goals that were learned, ``new`` those with other values; a replay that found out by itself and put
everything back is ``stopped``. The tasks under *limits* cannot be told from two examples and count on their own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from surroundings import clean, row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sets"))

from harness import Outcome, outcomes
from tasks import LIMITS, TASKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--field", help="only the tasks of one field, or limits")
    parser.add_argument("--task", help="only tasks with this in their name")
    parser.add_argument("--show", action="store_true", help="print what was served wrong")
    parser.add_argument("--reasons", action="store_true", help="print why goals were not served")
    options = parser.parse_args()
    clean()
    fields = {**TASKS, "limits": LIMITS}
    every: list[Outcome] = []
    limits: list[Outcome] = []
    wrong: list[Outcome] = []
    print(f"  {'task':38} {'again':>7} {'right':>6} {'WRONG':>6} {'stopped':>8} {'passed':>7}   most frequent reason")
    for field, tasks in fields.items():
        if options.field not in (None, field):
            continue
        for task in tasks:
            if options.task and options.task not in task.name:
                continue
            with tempfile.TemporaryDirectory() as folder:
                found = outcomes(task, Path(folder) / "task")
            (limits if field == "limits" else every).extend(found)
            wrong += [one for one in found if one.end == "wrong"]
            _line(f"{field}: {task.name}", found)
            if options.reasons:
                _reasons(found)
    print()
    _sum("all tasks", every, "aim 0")
    for lesson in sorted({one.lesson for one in every}):
        _sum(f"learned in {lesson}", [one for one in every if one.lesson == lesson])
    _sum("limits, which two examples cannot show", limits)
    for one in wrong if options.show else ():
        print(
            f"\n  WRONG {one.task} ({one.lesson}, confidence {one.confidence:.3f})\n    {one.goal}\n    {one.reason}"
        )


def _ends(found: Sequence[Outcome]) -> Counter[str]:
    return Counter(one.end for one in found)


def _line(name: str, found: Sequence[Outcome]) -> None:
    again = [one for one in found if one.values < 2]
    new = [one for one in found if one.values > 1]
    ends = _ends(new)
    reasons = Counter(one.reason for one in new if one.reason).most_common(1)
    right = f"{_ends(again)['right']}/{len(again)}"
    counts = f"{ends['right']:6} {ends['wrong']:6} {ends['stopped']:8} {ends['passed']:7}"
    print(f"  {name:38} {right:>7} {counts}   {reasons[0][0][:60] if reasons else ''}", flush=True)


def _reasons(found: Sequence[Outcome]) -> None:
    for one in found:
        if one.end in ("passed", "stopped"):
            print(f"      {one.end:8} {one.goal[:70]:70} {one.reason[:110]}")


def _sum(label: str, found: Sequence[Outcome], aim: str = "") -> None:
    new = [one for one in found if one.values > 1]
    if new:
        ends, again = _ends(new), _ends([one for one in found if one not in new])
        row(f"{label}: goals with new values", str(len(new)))
        row("  served right", f"{ends['right'] / len(new):.1%} ({ends['right']})")
        row("  served wrong, new and learned", str(ends["wrong"] + again["wrong"]), aim)
        row("  stopped by the replay itself", str(ends["stopped"]))


if __name__ == "__main__":
    main()
