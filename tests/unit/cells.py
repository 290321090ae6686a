"""Cells that a test runs in a real shell, as a person does."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import ExecutionResult

__all__ = ["run"]


def run(shell: Any, cell: str) -> Any:
    """Run a cell; returns the value of its last expression, or raises what it raised."""
    done: ExecutionResult = shell.run_cell(cell, store_history=False)
    done.raise_error()
    return done.result
