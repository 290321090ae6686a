"""What the first goal of a kernel needs, loaded while a person still types it."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from llmos_nb.system import LLMOS

__all__ = ["warm"]

#: What shows a run, the ledger's database, the dispatcher, and what shows code and Markdown; never the SDK, which takes
#: seconds.
_MODULES: Final = (
    "llmos_nb.notebook.run_view.view", "llmos_nb.kernel.ledger", "llmos_nb.dispatch.allowance",
    "llmos_nb.dispatch.dispatcher", "llmos_nb.memory.lookup",
    "pygments.lexers.python", "pygments.formatters.html", "markdown_it",
)  # fmt: skip
#: Seconds after which what loads lets a cell go on that wants to; Python's own 5 ms, each time that a cell waits for
#: anything, make a goal's first sign of life late.
_TURN_S: Final = 0.0005


def warm(shell: Any, system: LLMOS) -> None:
    """Load it on a thread, where somebody sits before the notebook; what is missing is told when it is needed."""
    if getattr(getattr(shell, "kernel", None), "_allow_stdin", False):
        threading.Thread(target=_load, args=(system,), name="llmos-warm", daemon=True).start()


def _load(system: LLMOS) -> None:
    with _short_turns():
        steps: list[Callable[[], object]] = [_spare]
        steps += [functools.partial(importlib.import_module, name) for name in _MODULES]
        steps += [_packs, _words, functools.partial(_library, system), functools.partial(_scripts, system)]
        for step in steps:
            with contextlib.suppress(Exception):
                step()


def _spare() -> None:
    from llmos_nb.notebook.run_view.spare import prepare_spare

    prepare_spare()


def _packs() -> None:
    from llmos_nb.tools.pack_agents import pack_agents

    pack_agents()


def _words() -> None:
    from llmos_nb.memory.embedding import embed

    embed("a goal")


def _library(system: LLMOS) -> None:
    if system.settings.library != "never":
        system.library.match("a goal", None)


def _scripts(system: LLMOS) -> None:
    if system.endpoint.kind == "scripted":
        from llmos_nb.cortex.scripted.library import load_scripts

        load_scripts(packs=True)


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    """The interpreter changes between threads more often than by itself."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    set_to = sys.getswitchinterval()
    try:
        yield
    finally:
        if sys.getswitchinterval() == set_to:  # else somebody wants it otherwise
            sys.setswitchinterval(before)
