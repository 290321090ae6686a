"""A clean place for a bench: none of the machine's keys, a home and a working folder of its own."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

__all__ = ["PENGUINS", "clean", "median_ms", "row", "timed"]

PENGUINS = Path(__file__).resolve().parents[2] / "notebooks" / "data" / "penguins.csv"


def clean() -> Path:
    """Scrub the environment, move to a new folder with the penguins table, and return it."""
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE_", "LLMOS_"))]:
        del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="llmos-bench-"))
    os.environ["HOME"] = str(folder / "home")
    os.environ["CLAUDE_CONFIG_DIR"] = str(folder / "home" / "claude")
    os.environ["LLMOSNB_TRUST_SCRIPTS"] = str(folder)
    (folder / "home").mkdir()
    (folder / "penguins.csv").write_bytes(PENGUINS.read_bytes())
    os.chdir(folder)
    return folder


def median_ms(seconds: list[float]) -> float:
    """The median in milliseconds."""
    return statistics.median(seconds) * 1e3


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds that an awaitable takes."""
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


def row(what: str, figure: str, aim: str = "") -> None:
    """One line of the table."""
    print(f"  {what:62} {figure:>14}   {aim}")
