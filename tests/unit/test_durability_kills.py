"""A slice of ``tests/bench/bench_durability.py``: some kills and some power cuts, of the operations that matter most."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform != "linux", reason="forks, and reads strace")


def run(module: str, *arguments: str) -> str:
    """A module's report, from a process of its own: what is forked from it must have no threads."""
    command = [sys.executable, "-W", "ignore", "-m", f"tests.bench.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kills_at_random_moments_lose_and_tear_nothing() -> None:
    names = ["trace added", "model call booked", "agent changed"]
    lines = run("kills", "4", *names).splitlines()
    assert len(lines) == len(names)
    for line in lines:
        assert "kills=4" in line and "wrong=[]" in line and line.endswith("left_after=0)"), line


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_power_cuts_lose_and_tear_nothing() -> None:
    names = ["trace added", "model call booked"]
    lines = run("unsynced", "5", *names).splitlines()
    assert len(lines) == len(names)
    for line in lines:
        assert "cuts=5" in line and "wrong=[]" in line, line
