"""The audit hook: put in place once, idle but for agents' code, and closed where it fails."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from llmos_nb.errors import ActRefused
from llmos_nb.guard.audit.callers import ours_is_nearer
from llmos_nb.guard.audit.files import FILES, LOOKS_SECRET, WRITING, watch_databases
from llmos_nb.guard.audit.intact import Picture
from llmos_nb.guard.audit.interpreter import INTERPRETING
from llmos_nb.guard.audit.network import NETWORK
from llmos_nb.guard.audit.programs import PROGRAMS
from llmos_nb.guard.audit.watch import Watch
from llmos_nb.guard.judging import judging
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.whose import agents_turn, in_agents_cell, is_own_work, own_work

__all__ = ["judged"]

Judge = Callable[[Watch, tuple[Any, ...], FrameType], Verdict | None]

#: Nothing was ever set: neither by :func:`judged` nor by code that would rather not be judged.
_NEVER: Final = object()
_watch: Final[contextvars.ContextVar[object]] = contextvars.ContextVar("llmos_watch", default=_NEVER)
#: What holds for agents' code that runs outside its cell: its threads, and what it left behind.
_latest: list[Watch] = []
_installed = False


@contextmanager
def judged(watch: Watch) -> Iterator[Watch]:
    """Judge what agents' code does in the block, and from now on what it leaves behind. What is refused raises ActRefused
    in that code and is noted in ``watch``."""
    global _installed
    if not _installed:
        watch_databases()
        sys.addaudithook(_hook())  # cannot be taken away again
        _installed = True
    _latest[:] = [watch]
    watch.picture = picture = Picture()
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)
        with own_work():
            if changed := picture.put_back():
                watch.refused.append(hit("py-guard", f"{', '.join(changed[:5])}; put back"))


def _hook() -> Callable[[str, tuple[Any, ...]], None]:
    """The hook, which keeps hold of all that it works with: a module's name that is bound anew changes nothing."""
    judges: dict[str, Judge] = {**FILES, **PROGRAMS, **NETWORK, **INTERPRETING}
    busy = threading.local()
    get_watch, latest, frame_of, never, inside = _watch.get, _latest, sys._getframe, _NEVER, in_agents_cell
    agents, own, ours, writing, refuse = agents_turn, is_own_work, ours_is_nearer, WRITING, _refuse
    judge_of, secret = judges.get, LOOKS_SECRET.search

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        judge = judge_of(event)
        if judge is None or getattr(busy, "now", False):
            return
        watch = get_watch()
        if not isinstance(watch, Watch):
            if not latest or (watch is never and inside()):  # a tool's code, which others judge
                return
            # Outside of agents' cells: only what their threads and their left-behind code change is looked at.
            if (
                event == "open"
                and not (isinstance(arguments[2], int) and arguments[2] & writing)
                and not (isinstance(arguments[0], str) and secret(arguments[0]))
            ):
                return
            watch = latest[0]
        busy.now = True
        try:
            if not agents():
                return
            frame = frame_of(1)
            if own() and ours(frame):
                return
            try:
                changes = event != "open" or not isinstance(arguments[2], int) or arguments[2] & writing
                if changes and watch.picture is not None and (changed := watch.picture.judging()):
                    verdict: Verdict | None = hit("py-guard", f"{changed} is another one now")
                else:
                    with judging(watch.words):
                        verdict = judge(watch, arguments, frame)
            except Exception as error:  # noqa: BLE001 - a guard that fails must refuse, whatever failed
                verdict = hit("guard-error", f"{type(error).__name__} while judging {event}: {error}")
            if verdict is not None and verdict.decision != "allow":
                refuse(watch, verdict)
        finally:
            busy.now = False

    return hook


def _refuse(watch: Watch, verdict: Verdict) -> None:
    if verdict.decision == "ask" and watch.approved:
        return
    watch.refused.append(verdict)
    asks = verdict.decision == "ask"
    raise ActRefused(
        f"The guard refused this while it ran ({verdict.rule}): {verdict.reason}.",
        rule=verdict.rule,
        remedy="Write it out in the code, with its literal path, command or address: then a person can be asked beforehand."
        if asks
        else "Work inside the workspace, or tell the person what you would need.",
    )
