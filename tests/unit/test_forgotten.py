"""Values of old cells are let go when IPython drops them, and nothing else is."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace

from IPython.core.interactiveshell import InteractiveShell

from llmos_nb.notebook.forgotten import let_go


class Value:
    """Something that a cell shows."""


def test_a_value_that_ipython_dropped_is_not_kept() -> None:
    shell = InteractiveShell.instance()
    shell.displayhook.cache_size, usual = 4, shell.displayhook.cache_size
    try:
        shell.user_ns["Value"] = Value
        shell.run_cell("kept = Value()\nkept", store_history=True)
        kept = weakref.ref(shell.user_ns["kept"])
        first = None
        for number in range(12):
            shell.run_cell("Value()", store_history=True)
            first = first or weakref.ref(shell.user_ns["_"])
            if number > 8:
                let_go(shell)
        gc.collect()
        assert first is not None and first() is None, "an old cell's value"
        assert kept() is not None, "a variable of the person's"
        assert shell.user_ns["_"] is not None
    finally:
        shell.displayhook.cache_size = usual


def test_names_that_are_still_there_or_no_cells_stay() -> None:
    shell = SimpleNamespace(
        user_ns={"_1": 1, "a": 2}, user_ns_hidden={"_1": 1, "_2": 2, "_own": 3, "quit": 4, "_": 5}
    )
    assert let_go(shell) == 1
    assert shell.user_ns_hidden == {"_1": 1, "_own": 3, "quit": 4, "_": 5}
