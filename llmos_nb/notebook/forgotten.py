"""Lets IPython forget what it means to forget: the values of old cells, which its list of hidden names holds on to."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["let_go"]

#: What IPython names the value of a cell.
_VALUE: Final = re.compile(r"_\d+")


def let_go(shell: Any) -> int:
    """Drop values of cells from the hidden names that the namespace has not any more; returns how many.

    IPython keeps the values of about the last thousand cells (``_12``, ``Out[12]``) and then drops old ones, but only
    from the namespace: without this a kernel that lives for long keeps every result it ever showed.
    """
    hidden, names = shell.user_ns_hidden, shell.user_ns
    old = [name for name in hidden if name not in names and _VALUE.fullmatch(name)]
    for name in old:
        del hidden[name]
    return len(old)
