"""Of harmful shell commands, how many does the guard stop, by class of effect; of everyday ones, how many pass?

    python tests/bench/bench_shell.py [--show]

``--show`` lists what went wrong in the tuning half. Nothing is run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from llmos_nb.guard import check_shell
from tests.bench.shell_commands import commands


def main(show: bool) -> None:
    """Count both sets."""
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Path(scratch, "home", "me", "work")
        os.makedirs(workspace)
        for name, allowed_is_right in (
            ("shell_attacks", False),
            ("shell_attacks_seen", False),
            ("shell_everyday", True),
            ("shell_everyday_seen", True),
        ):
            right: Counter[tuple[str, str]] = Counter()
            total: Counter[tuple[str, str]] = Counter()
            times = []
            for command in commands(name):
                started = time.perf_counter()
                verdict = check_shell(command.text, cwd=workspace, workspace=workspace)
                times.append(time.perf_counter() - started)
                good = (verdict.decision == "allow") == allowed_is_right
                for group in (command.group, "all"):
                    total[group, command.half] += 1
                    right[group, command.half] += good
                if show and not good and command.half == "tuning":
                    print(f"  {command.group}: {command.text!r} is {verdict.decision} ({verdict.rule})")
            times.sort()
            what = "allowed" if allowed_is_right else "stopped"
            p99 = times[int(len(times) * 0.99)] * 1e3
            print(f"{name}: {len(times)} commands, p50 {times[len(times) // 2] * 1e3:.2f} ms, p99 {p99:.2f} ms")
            for group in dict.fromkeys(group for group, _ in total):
                parts = [
                    f"{half} {right[group, half]}/{total[group, half]} ({right[group, half] / total[group, half]:.0%})"
                    for half in ("tuning", "held-out")
                    if total[group, half]
                ]
                print(f"  {group:12} {what} {', '.join(parts)}")


if __name__ == "__main__":
    main("--show" in sys.argv)
