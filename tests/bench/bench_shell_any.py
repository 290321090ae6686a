"""Whatever the text, does the guard answer with a verdict, and in time? 10,000 made-up commands, cells, paths, rule files.

python tests/bench/bench_shell_any.py [EXAMPLES [KIND ...]], with kinds of: shell, cells, python, paths, "rule file"

Times are of the processor; what takes more than 50 ms is judged again, and what counts is the shortest of four.
"""

from __future__ import annotations

import collections
import contextlib
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from llmos_nb.errors import GuardFileError
from llmos_nb.guard import Verdict, check_path, check_python, check_shell
from llmos_nb.guard.overrides import parse_overrides
from tests.bench.shell_commands import commands
from tests.property.test_guard import COMMANDS as TOKENS
from tests.property.test_guard import LINES as RULE_LINES
from tests.property.test_guard import PIECES
from tests.property.test_guard_python import BASE, CELLS, LINES, PATHS, setup_module

EXAMPLES = 10_000
#: Real commands, cut and joined anywhere.
CUT = st.builds(
    lambda one, two, sign, at: one[: at % (len(one) + 1)] + sign + two[at % (len(two) + 1) :],
    st.sampled_from([command.text for command in commands("shell_attacks")]),
    st.sampled_from([command.text for command in commands("shell_everyday")]),
    st.sampled_from([" ", ";", "|", "$(", "`", "'", '"', "\n", " <<X\n", "{", "&&", "\\", "((", "\0"]),
    st.integers(0, 400),
)
SHELL = st.one_of(st.text(max_size=200), TOKENS, CUT, st.builds(lambda text, n: text * n, CUT, st.integers(1, 300)))
PYTHON = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join))
CODE = st.one_of(CELLS, st.builds(lambda line, n: f"{line}\n" * n, LINES, st.integers(1, 300)), PYTHON)
FILES = st.one_of(st.text(max_size=200), st.lists(RULE_LINES, max_size=20).map("\n".join))


def parsed(text: str) -> None:
    """A rule file is read, or told to be wrong."""
    with contextlib.suppress(GuardFileError):
        parse_overrides(text, "llmos.toml")


def main(examples: int, chosen: list[str]) -> int:
    """Judge, and print the slowest; how many kinds were not as they should be."""
    workspace = tempfile.mkdtemp()
    setup_module()  # the folder with links in it

    def shell(text: str) -> Verdict:
        return check_shell(text, cwd=workspace, workspace=workspace)

    def python(text: str) -> Verdict:
        return check_python(text, cwd=workspace, workspace=workspace)

    def path(text: str) -> Verdict:
        check_path(text, "read", workspace=BASE / "workspace", cwd=BASE)
        return check_path(text, "write", workspace=BASE / "workspace", cwd=BASE)

    kinds: dict[str, tuple[Callable[[str], Any], st.SearchStrategy[str]]] = {
        "shell": (shell, SHELL), "cells": (python, CODE), "python": (python, PYTHON),
        "paths": (path, st.one_of(PATHS, st.builds(lambda part, n: part * n, PATHS, st.integers(1, 2_000)))),
        "rule file": (parsed, FILES),
    }  # fmt: skip
    return sum(not measure(what, *kinds[what], examples) for what in chosen or kinds)


def took_s(judge: Callable[[str], Any], text: str) -> float:
    """Seconds of the processor."""
    started = time.process_time()
    with contextlib.suppress(Exception):
        judge(text)
    return time.process_time() - started


def measure(what: str, judge: Callable[[str], Any], texts: st.SearchStrategy[str], examples: int) -> bool:
    """One kind: whether nothing was raised, no judge failed, and none took long."""
    times: list[tuple[float, str]] = []
    said: collections.Counter[str] = collections.Counter()
    faults: dict[str, str] = {}

    @settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None,
        phases=[Phase.generate],
    )  # fmt: skip
    @given(texts)
    def one(text: str) -> None:
        started = time.process_time()
        try:
            verdict = judge(text)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            faults.setdefault(f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}", text)
            return
        took = time.process_time() - started
        if took > 0.05:  # Python may have cleared up meanwhile: what the text itself takes, it takes again
            took = min(took, *(took_s(judge, text) for _ in range(3)))
        times.append((took, text))
        if isinstance(verdict, Verdict):
            said[verdict.decision] += 1
            if verdict.rule == "guard-error":
                faults.setdefault(f"guard-error: {verdict.reason}", text)

    one()
    times.sort(reverse=True)
    slow = sum(took > 0.05 for took, _ in times)
    print(
        f"{what}: {len(times)} texts ({dict(said) or 'read'}), {len(faults)} undocumented errors, "
        f"median {times[len(times) // 2][0] * 1e3:.2f} ms, p99.9 {times[len(times) // 1000][0] * 1e3:.1f} ms, "
        f"slowest {times[0][0] * 1e3:.1f} ms, over 50 ms: {slow}",
        flush=True,
    )
    for reason, text in list(faults.items())[:5]:
        print(f"  {reason}: {text[:200]!r}")
    for took, text in times[:3]:
        print(f"  {took * 1e3:.1f} ms: {text[:100]!r} ({len(text)} characters)", flush=True)
    return not slow and not faults


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES, sys.argv[2:]) else 0)
