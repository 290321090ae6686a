"""Every notebook by papermill, twice in one workspace: the second run has learned, so it must be cheaper.

Also the most memory that a notebook's kernel and its model client hold together (PSS, which counts shared pages once).
``python -m tests.bench notebooks`` runs all; ``python tests/bench/bench_notebooks.py 01 09`` those alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from llmos_nb.frames import runs_df

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
#: A Binder gives 2 GB to everything; kernel and client may take this of it.
MEMORY_MB = 1500


@dataclass(frozen=True, slots=True)
class Played:
    """One run of a notebook. ``cost_usd`` is play money, ``error`` what stopped it."""

    seconds: float
    cost_usd: float
    peak_mb: float
    goals: int
    free: int
    error: str = ""


def play(notebook: Path, playground: Path) -> Played:
    """Run a notebook by papermill in a playground; what is in there already is what was learned."""
    import papermill

    out = playground / f"{notebook.stem}.out.ipynb"
    before = set() if not (playground / "workspace").is_dir() else set(runs_df(playground / "workspace")["run_id"])
    peak, over, error = [0.0], threading.Event(), ""
    watcher = threading.Thread(target=_watch, args=(peak, over), daemon=True)
    watcher.start()
    began = time.perf_counter()
    surroundings = {"PLAYGROUND": str(playground), "LLMOS_ENDPOINT": "scripted"}
    kept = {name: os.environ.get(name) for name in surroundings}
    os.environ.update(surroundings)
    try:
        papermill.execute_notebook(
            notebook, out, cwd=notebook.parent, progress_bar=False, log_output=False, kernel_name="python3",
            request_save_on_cell_execute=False, extra_arguments=["--IPKernelApp.log_level=40"],
        )  # fmt: skip
    except papermill.PapermillExecutionError:
        error = _first_error(out)
    finally:
        over.set()
        watcher.join()
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    took = time.perf_counter() - began
    runs = runs_df(playground / "workspace", strict=False)[0]
    mine = runs[~runs["run_id"].isin(before)]
    free = int(mine["mode"].isin(["follower", "crystallized"]).sum())
    return Played(took, float(mine["cost_usd"].fillna(0).sum()), peak[0] / 1e6, len(mine), free, error)


def _first_error(executed: Path) -> str:
    """The first error of a cell that is not meant to raise one; papermill itself knows of no such cells."""
    import nbformat

    for number, cell in enumerate(nbformat.read(executed, as_version=4).cells):
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if output.output_type == "error":
                    return f"cell {number}: {output.ename}: {output.evalue}"
    return ""


def _watch(peak: list[float], over: threading.Event) -> None:
    while not over.wait(0.1):
        total = 0
        for process in psutil.Process().children(recursive=True):
            try:
                total += process.memory_full_info().pss
            except (psutil.Error, AttributeError):
                continue
        peak[0] = max(peak[0], total)


def main(chosen: list[str]) -> int:
    """Print the table; the exit code is 1 where a cell failed, a second run was not cheaper, or memory was too large."""
    wrong = []
    print(f"{'notebook':24} {'first':>7} {'cost':>8} {'second':>7} {'cost':>8} {'free':>9} {'peak MB':>8}")
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        if chosen and not any(notebook.name.startswith(one) for one in chosen):
            continue
        with tempfile.TemporaryDirectory(prefix="llmos-notebooks-") as place:
            one, two = play(notebook, Path(place)), play(notebook, Path(place))
        print(
            f"{notebook.stem[:24]:24} {one.seconds:6.0f}s ${one.cost_usd:7.4f} {two.seconds:6.0f}s ${two.cost_usd:7.4f} "
            f"{two.free:3} of {two.goals:2} {max(one.peak_mb, two.peak_mb):8.0f}",
            flush=True,
        )
        for which, played in (("first", one), ("second", two)):
            wrong += [f"{notebook.stem}, {which} run: {played.error}"] if played.error else []
        wrong += [f"{notebook.stem}: the second run is not cheaper"] if not two.cost_usd < one.cost_usd else []
        wrong += [f"{notebook.stem}: {one.peak_mb:.0f} MB"] if max(one.peak_mb, two.peak_mb) > MEMORY_MB else []
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
