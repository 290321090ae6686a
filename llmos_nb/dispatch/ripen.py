"""Used often and well, a task becomes a function: made, tested apart and put on the shelf, beside the notebook's work."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_nb.crystals import CrystalShelf, Report
from llmos_nb.crystals.load import Module
from llmos_nb.dispatch.belonging import places
from llmos_nb.errors import CrystalError, LlmosError
from llmos_nb.learning.crystal_check import retest
from llmos_nb.learning.crystal_make import make_crystal
from llmos_nb.learning.crystallize import due
from llmos_nb.memory import Trace, TraceStore
from llmos_nb.memory.programs import Generalization
from llmos_nb.memory.slots import Vocabulary
from llmos_nb.settings import Settings

__all__ = ["Ripening", "Settled", "retested"]


@dataclass(frozen=True, slots=True)
class _Use:
    """A use of a trace that went well, and what its program may need to be made again."""

    trace_id: str
    vocabulary: Vocabulary | None
    names: Mapping[str, Any]
    cwd: Callable[[Trace], Path]
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settled:
    """Whether nothing is being made any more, and what became of tasks that were used often, in this session."""

    done: bool
    told: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.done

    def __str__(self) -> str:
        lines = list(self.told) or ["No task became a function yet."]
        return "\n".join(lines if self.done else [*lines, "Something is still being made."])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


class Ripening:
    """Makes crystals on a thread of its own, one at a time. What fails is told and costs nothing but itself."""

    def __init__(self, store: TraceStore, shelf: CrystalShelf, settings: Settings) -> None:
        self._store, self._shelf, self._settings = store, shelf, settings
        self._uses: queue.SimpleQueue[_Use | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._pending = 0
        self._idle = threading.Condition()
        #: Families that cannot become functions, with their number of traces then: asked again when there are more.
        self._refused: dict[tuple[str, ...], str] = {}
        self._told: list[str] = []

    def configure(self, settings: Settings) -> None:
        """Other thresholds from now on."""
        self._settings = settings

    def used(
        self,
        trace_id: str,
        *,
        vocabulary: Vocabulary | None,
        names: Mapping[str, Any],
        cwd: Callable[[Trace], Path],
        tell: Callable[[str], None],
    ) -> None:
        """A trace was replayed with success; ``tell`` is called with what comes of it, if anything does. ``cwd`` tells
        where the input files of a trace are."""
        with self._idle:
            self._pending += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="llmos ripening", daemon=True)
                self._thread.start()
        self._uses.put(_Use(trace_id, vocabulary, dict(names), cwd, tell))

    def wait(self, timeout_s: float | None = None) -> Settled:
        """Wait until nothing is being made, at most ``timeout_s`` seconds; says what became of everything so far."""
        with self._idle:
            done = self._idle.wait_for(lambda: not self._pending, timeout_s)
            return Settled(done, tuple(self._told))

    def close(self) -> None:
        """End the thread when the crystal at work is done."""
        if self._thread is not None:
            self._uses.put(None)
            self._thread.join(timeout=30)
            self._thread = None

    def _work(self) -> None:
        while (use := self._uses.get()) is not None:
            try:
                self._ripen(use)
            except LlmosError as error:
                self._tell(use, f"no crystal was made: {error}")
            except Exception as error:  # noqa: BLE001 - told; the notebook goes on
                self._tell(use, f"no crystal was made: {type(error).__name__}: {error}")
            finally:
                with self._idle:
                    self._pending -= 1
                    self._idle.notify_all()

    def _ripen(self, use: _Use) -> None:
        general = self._store.generalization(use.trace_id, vocabulary=use.vocabulary)
        members = general.members(use.trace_id)
        present = [name for name in self._shelf.names() if self._made_of(name, members)]
        for name in present:
            if self._shelf.due(name):  # edited, or brought here: nothing but its tests keeps it from being used
                report = self._shelf.test(name)
                self._tell(use, f"{name}: its tests {'passed' if report.passed else f'failed: {report.reason}'}")
        if present or members in self._refused:
            return
        records = [self._store.uses(member) for member in members]
        uses, successes = sum(r.uses for r in records), sum(r.successes for r in records)
        confirmed = any(parameter.confirmed for parameter in general.family(use.trace_id))
        if not due(uses, successes, confirmed, self._settings):
            return
        made = make_crystal(
            general, self._shelf, uses=uses, successes=successes, cwd=use.cwd, names=use.names, like=use.trace_id
        )
        if made.crystal is None:
            self._refused[members] = made.reason
            self._tell(
                use, f"{_named(general, use)} was used {uses} times, but did not become a function: {made.reason}"
            )
            return
        self._tell(
            use,
            f"{_named(general, use)} was used {uses} times with {successes} successes, and is a function now: "
            f"from llmos_nb.crystals import {made.crystal.name}",
        )

    def _tell(self, use: _Use, text: str) -> None:
        self._told.append(text)
        use.tell(text)

    def _made_of(self, name: str, traces: tuple[str, ...]) -> bool:
        with contextlib.suppress(CrystalError):
            return not set(traces).isdisjoint(self._shelf.module(name).facts.traces)
        return False


def _named(general: Generalization, use: _Use) -> str:
    goal = next(example.trace.goal for example in general.examples if example.trace.id == use.trace_id)
    return repr(goal if len(goal) <= 80 else f"{goal[:79]}…")


def retested(module: Module, store: TraceStore, projects: Path | None, cwd: Path, names: Mapping[str, Any]) -> Report:
    """The tests of a crystal that is there already, made again in a process of its own."""
    return retest(module, store, cwd=places(projects, cwd), names=names)
