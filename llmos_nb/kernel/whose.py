"""Whose code runs now: a person's or an agent's. What only a person may decide asks here before it does anything.

Reading a program cannot tell all that it will call. So the calls that would widen what agents may do, or start goals in
another agent's name, look at who makes them.
"""

from __future__ import annotations

import _thread
import atexit
import contextvars
import functools
import itertools
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from llmos_nb.errors import GuardDenied
from llmos_nb.kernel.authored import is_agents, left_behind

__all__ = [
    "agents_code",
    "agents_turn",
    "by_agent",
    "cell_begins",
    "in_agents_cell",
    "is_own_work",
    "of_another_cell",
    "own_work",
    "persons_only",
    "this_cell",
]

#: Where nothing was ever set; code that sets the variable itself, to whatever, does not get out that way.
_OUTSIDE: Final = object()
_inside: Final[contextvars.ContextVar[object]] = contextvars.ContextVar("llmos_agents_code", default=_OUTSIDE)
_own: Final = contextvars.ContextVar("llmos_own_work", default=False)
#: Threads that agents' code started: a context does not go with them.
_threads: Final[weakref.WeakSet[threading.Thread]] = weakref.WeakSet()
_noting = False
#: Which cell of a person's this code belongs to; 0 where nobody tells of cells.
_cell: Final = contextvars.ContextVar("llmos_cell", default=0)
_cells: Final = itertools.count(1)


@contextmanager
def agents_code() -> Iterator[None]:
    """What the block runs is an agent's, and so are the tasks and threads that it starts."""
    _note_threads()
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


@contextmanager
def own_work() -> Iterator[None]:
    """What the block does is the system's own work, which has answered to the guard already.

    Raises:
        GuardDenied: it is an agent's own code that says so.
    """
    asking = sys._getframe(1)
    while asking is not None and asking.f_globals.get("__name__") == "contextlib":
        asking = asking.f_back  # type: ignore[assignment]
    if asking is not None and is_agents(asking.f_code):
        raise GuardDenied(
            "Code that an agent runs is not the system's own work.",
            rule="py-guard",
            remedy="Do it yourself in a cell.",
        )
    token = _own.set(True)
    try:
        yield
    finally:
        _own.reset(token)


def in_agents_cell() -> bool:
    """Whether this very context is that of an agent's code: not so in its threads, and in what it left behind."""
    return _inside.get() is not _OUTSIDE


def is_own_work() -> bool:
    """Whether the system itself is at work here."""
    return _own.get()


def by_agent() -> bool:
    """Whether it is an agent's code that asks."""
    return not _own.get() and agents_turn()


def agents_turn() -> bool:
    """Whether it is an agent's code that runs, the system's own work on its behalf included."""
    return _inside.get() is not _OUTSIDE or threading.current_thread() in _threads or left_behind(sys._getframe(1))


def persons_only(what: str) -> None:
    """Refuse what an agent's code must not do, whatever it was granted.

    Raises:
        GuardDenied: an agent's code asks.
    """
    if by_agent():
        raise GuardDenied(
            f"Code that an agent runs must not {what}: that is for a person.",
            rule="py-system",
            remedy="Do it yourself in a cell.",
        )


def cell_begins() -> None:
    """A cell of a person's begins; what it awaits and starts belongs to it. In an agent's code this says nothing."""
    if not by_agent():
        _cell.set(next(_cells))


def this_cell() -> int:
    """The cell of a person's that this code belongs to: the one that runs, or that started this; 0 if nobody knows."""
    return _cell.get()


def of_another_cell(cell: int) -> bool:
    """Whether this code belongs to a person's cell, and that is not ``cell``."""
    return _cell.get() not in (0, cell)


def _note_threads() -> None:
    """From the first agent's code on, see who starts a thread, and who has something done later: a context does not go
    with that, and Python tells of it in no other way."""
    global _noting
    if _noting:
        return
    _noting = True
    from concurrent.futures import ThreadPoolExecutor
    from concurrent.futures.thread import _worker

    start = threading.Thread.start

    @functools.wraps(start)
    def noted(thread: threading.Thread) -> None:
        # A pool's threads are nobody's: whose the work is that they do, its caller knows.
        if getattr(thread, "_target", None) is not _worker and by_agent():
            _threads.add(thread)
        start(thread)

    submit: Any = ThreadPoolExecutor.submit

    @functools.wraps(submit)
    def submitted(pool: Any, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return submit(pool, _AsAgents(work) if by_agent() else work, *args, **kwargs)

    register: Any = atexit.register

    @functools.wraps(register)
    def registered(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        register(_AsAgents(work) if by_agent() else work, *args, **kwargs)
        return work

    finalize = weakref.finalize.__init__

    @functools.wraps(finalize)
    def finalized(self: Any, value: Any, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        finalize(self, value, _AsAgents(work) if by_agent() else work, *args, **kwargs)

    begin = _thread.start_new_thread

    @functools.wraps(begin)
    def begun(work: Callable[..., Any], args: Any, /, *kwargs: Any) -> int:
        return begin(_AsAgents(work) if by_agent() else work, args, *kwargs)

    _thread.start_new_thread = begun  # threading has its own name for it
    threading.Thread.start = noted  # type: ignore[assignment, method-assign]
    ThreadPoolExecutor.submit = submitted  # type: ignore[method-assign]
    setattr(atexit, "register", registered)  # noqa: B010 - its type has type variables
    weakref.finalize.__init__ = finalized  # type: ignore[method-assign]


class _AsAgents:
    """What an agent's code has called later: an agent's code then, too. Equal to what it calls, which may be taken back."""

    __slots__ = ("_context", "_work")

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work, self._context = work, contextvars.copy_context()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._context.copy().run(self._as_agents, *args, **kwargs)

    def _as_agents(self, *args: Any, **kwargs: Any) -> Any:
        with agents_code():
            return self._work(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return self._work == (other._work if isinstance(other, _AsAgents) else other)

    def __hash__(self) -> int:
        return hash(self._work)
