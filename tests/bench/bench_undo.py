"""What it costs that a run can be taken back: on an ordinary replay, and on a gigabyte of tables that a cell reads,
changes in one column, and makes anew. Each figure beside the cell itself, in one process.
"""

from __future__ import annotations

import time
from typing import Any

from surroundings import clean, median_ms, row

folder = clean()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import psutil  # noqa: E402

from llmos_nb import LLMOS  # noqa: E402
from llmos_nb.dispatch.undo_history import EndedRun, UndoHistory  # noqa: E402
from llmos_nb.guard.undo import Undo  # noqa: E402
from llmos_nb.tools.cell import mentioned_names  # noqa: E402

GOAL = "Load penguins.csv, drop incomplete rows and plot bill length against depth by species"
REPLAYS = 15


def resident_bytes() -> int:
    """What this process holds."""
    return int(psutil.Process().memory_info().rss)


def replays() -> None:
    """An ordinary goal, replayed: the part of it that goes into what was changed."""
    spent: list[float] = []
    note = UndoHistory.note

    def timed(self: UndoHistory, *args: Any) -> Any:
        started = time.perf_counter()
        try:
            return note(self, *args)
        finally:
            spent.append(time.perf_counter() - started)

    UndoHistory.note = timed  # type: ignore[method-assign]
    wholes: list[float] = []
    with LLMOS(workspace="workspace", endpoint="scripted") as llmos:
        llmos.run(GOAL)
        spent.clear()
        for _ in range(REPLAYS):
            started = time.perf_counter()
            llmos.run(GOAL)
            wholes.append(time.perf_counter() - started)
    UndoHistory.note = note  # type: ignore[method-assign]
    share = median_ms(spent) / median_ms(wholes)
    row("a replay, median", f"{median_ms(wholes):.1f} ms")
    row("of it, what was changed", f"{median_ms(spent):.2f} ms ({share:.1%})")


def cell(what: str, code: str, names: dict[str, Any]) -> None:
    """One cell, without and with everything kept; and what is held afterwards."""
    alone = dict(names)
    alone["df"] = names["df"].copy(deep=True)
    started = time.perf_counter()
    exec(code, alone)
    plain = time.perf_counter() - started
    del alone

    held, history = resident_bytes(), UndoHistory(megabytes=4096)
    old, bound = Undo(), dict(names)
    started = time.perf_counter()
    old.keep_names(names, mentioned_names(code))
    before = time.perf_counter() - started
    started = time.perf_counter()
    exec(code, names)
    ran = time.perf_counter() - started
    started = time.perf_counter()
    old.keep_bindings(bound, names)
    history.note(EndedRun(run_id="run", goal=what, cwd=folder), [old], names)
    after = time.perf_counter() - started
    del bound, old
    more = (resident_bytes() - held) / 2**20
    row(
        what,
        f"alone {plain:.3f} s, kept {before + ran + after:.3f} s "
        f"(x{(before + ran + after) / plain:.2f}; before {before:.3f}, after {after:.3f}), {more:+.0f} MB",
    )
    if history.undoable(names):
        started = time.perf_counter()
        history.take_back("run", names)
        row("  taking it back", f"{time.perf_counter() - started:.3f} s")


def main() -> None:
    """All of it."""
    replays()
    values = np.random.default_rng(1).random((6_250_000, 20))
    names: dict[str, Any] = {"df": pd.DataFrame({f"c{n}": values[:, n] for n in range(20)}), "pd": pd}
    del values
    row("the table", f"{names['df'].memory_usage().sum() / 2**30:.2f} GB")
    cell("read all of it", "total = float(df.sum().sum())", names)
    cell("change one column", "df['c0'] = df['c0'] * 2", names)
    cell("change cells in place", "df.loc[0, 'c1'] = 5.0", names)
    cell("make it anew", "df = df * 2", names)


if __name__ == "__main__":
    main()
