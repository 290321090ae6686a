"""Executes a tutorial notebook from a terminal, and says what each goal in it cost in which mode."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from llmos_nb.errors import LlmosError

__all__ = ["play"]


def play(notebook: Path, out: Path) -> int:
    """Execute ``notebook`` on the scripted endpoint in a playground of its own; write it to ``out`` as a page.

    Returns the exit code: 0 when every cell ran.

    Raises:
        LlmosError: there is no such notebook.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbconvert import HTMLExporter

    from llmos_nb.frames import runs_df

    if not notebook.is_file():
        raise LlmosError(f"{notebook}: there is no such notebook.", remedy="Name one of notebooks/*.ipynb.")
    try:
        document = nbformat.read(notebook, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise LlmosError(f"{notebook}: is no notebook.", remedy="Name one of notebooks/*.ipynb.") from error
    playground = out.resolve() / "playground"
    shutil.rmtree(playground, ignore_errors=True)
    playground.mkdir(parents=True)
    os.environ["PLAYGROUND"] = str(playground)  # where the notebook works; see its first cell
    os.environ["LLMOS_ENDPOINT"] = "scripted"
    print(f"Running {notebook} on the scripted endpoint, in {playground}")

    def progress(cell: object, cell_index: int) -> None:
        if sys.stdout.isatty():
            print(f"\r  cell {cell_index + 1} of {len(document.cells)}", end="", flush=True)

    client = NotebookClient(
        document,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(notebook.resolve().parent)}},
        on_cell_start=progress,
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors; the page shows the rest
    )
    failed = ""
    try:
        client.execute()
    except CellExecutionError as error:
        failed = str(error)
    print()
    page = out.resolve() / f"{notebook.stem}.html"
    nbformat.write(document, page.with_suffix(".ipynb"))
    page.write_text(HTMLExporter().from_notebook_node(document)[0], encoding="utf-8")
    runs = runs_df(playground / "workspace")
    rows = runs[["goal", "mode", "status", "cost_usd", "saved_usd"]].to_dict("records")
    width = min(60, max((len(row["goal"]) for row in rows), default=10))
    print(f"\n  {'goal':{width}}  {'mode':9}  {'status':8}  {'cost':>8}  {'saved':>8}   (play money)")
    for row in rows:
        goal = row["goal"] if len(row["goal"]) <= width else f"{row['goal'][: width - 1]}…"
        print(
            f"  {goal:{width}}  {row['mode']:9}  {row['status']:8}  "
            f"{_dollars(row['cost_usd']):>8}  {_dollars(row['saved_usd']):>8}"
        )
    print(f"\n  The executed page: {page}")
    if failed:
        print(f"\n{failed}", file=sys.stderr)
        return 1
    return 0


def _dollars(amount: Any) -> str:
    return f"${amount:.4f}" if isinstance(amount, float) else "unknown"
