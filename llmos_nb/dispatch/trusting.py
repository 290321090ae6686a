"""What a trace from elsewhere would do, shown before anybody trusts it: its steps, the guard's word, files and hosts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.dispatch.let_in import TAINTED
from llmos_nb.dispatch.wrong import vouch
from llmos_nb.errors import StoreError
from llmos_nb.guard.exits import exits
from llmos_nb.guard.policy import judge_tool, kind_of
from llmos_nb.guard.taint import FOREIGN, Taint, hosts_in
from llmos_nb.kernel.fenced import fenced
from llmos_nb.memory import Trace, TraceStore
from llmos_nb.memory.codec import dump
from llmos_nb.memory.seal import is_edited
from llmos_nb.tools.registry import TOOLS

__all__ = ["TracePreview", "preview_of", "shown_of", "trust_as_shown"]

#: Letters of the digest that says which content a person has seen.
SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class PreviewedStep:
    """One step: what it would run, and what the guard says; ``leaves`` is what of it leads out of the workspace."""

    tool: str
    text: str
    language: str
    verdict: str
    leaves: str


@dataclass(frozen=True, slots=True)
class TracePreview:
    """A trace before it is trusted. ``shown`` stands for the very content that was looked at."""

    trace_id: str
    goal: str
    standing: str
    steps: tuple[PreviewedStep, ...]
    writes: tuple[str, ...]
    reads: tuple[str, ...]
    hosts: tuple[str, ...]
    came_in: tuple[str, ...]
    shown: str

    def _lines(self) -> list[str]:
        told = [f"**{self.trace_id}** {self.standing}. Its goal: {_flat(self.goal)}", ""]
        named = (
            ("writes", self.writes),
            ("reads", self.reads),
            ("names hosts", self.hosts),
            ("rests on", self.came_in),
        )
        told += [f"- {what}: {', '.join(map(_flat, found))}" for what, found in named if found]
        for number, step in enumerate(self.steps, start=1):
            told += ["", f"Step {number}: {step.tool}. The guard: {step.verdict}."]
            told += [f"It may lead out of the workspace: {step.leaves}."] if step.leaves else []
            told += ["", fenced(step.language or "text", step.text)]
        return [*told, "", f"`%trace trust {self.trace_id} {self.shown}` puts it into use, just as it stands here."]

    def __str__(self) -> str:
        return "\n".join(self._lines()).replace("**", "")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        return "\n".join(self._lines())


def _flat(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else "?" for c in text).replace("<", "&lt;").split())[:300]


def preview_of(store: TraceStore, trace_id: str, cwd: Path, workspace: Path) -> TracePreview:
    """What a trace would do; nothing of it is run.

    Raises:
        UnknownTrace, TraceFileError: there is no such trace, or its file cannot be read.
    """
    trace = store.get(trace_id)
    steps = tuple(_previewed(step.tool, step.arguments, cwd, workspace) for step in trace.replayable_steps)
    texts = [str(value) for step in trace.replayable_steps for value in step.arguments.values()]
    told = trace.extra.get(TAINTED)
    return TracePreview(
        trace_id=trace.id,
        goal=trace.goal,
        standing=_standing(store, trace),
        steps=steps,
        writes=tuple(dict.fromkeys(name for step in trace.replayable_steps for name in step.expect.files)),
        reads=tuple(trace.inputs),
        hosts=tuple(sorted({host for text in texts for host in hosts_in(text)})),
        came_in=tuple(map(str, told)) if isinstance(told, list | tuple) else (),
        shown=shown_of(trace),
    )


def _standing(store: TraceStore, trace: Trace) -> str:
    if not store.is_own(trace):
        return "was not recorded here" + (", and was edited since it was" if is_edited(trace) else "")
    if is_edited(trace):
        return "was edited after it was recorded"
    return "was called wrong" if trace.wrong else "was recorded here, and is in use"


def _previewed(tool: str, arguments: Mapping[str, Any], cwd: Path, workspace: Path) -> PreviewedStep:
    known = TOOLS.get(tool)
    text = str(arguments.get(known.main, "")) if known is not None else ""
    verdict = judge_tool(tool, arguments, grant=(tool,), cwd=cwd, workspace=workspace, checked=known is not None)
    outside = Taint()
    outside.mark(FOREIGN, "trace", "this trace")
    leads = exits(tool, arguments, outside, kind=kind_of(tool))
    said = verdict.decision if verdict.decision == "allow" else f"{verdict.decision}: {_flat(verdict.reason)}"
    rest = text or "\n".join(f"{name}: {value}" for name, value in arguments.items())
    leaves = "" if leads.decision == "allow" else _flat(leads.reason.partition(": ")[0])
    return PreviewedStep(tool, rest, known.language if known is not None else "", said, leaves)


def shown_of(trace: Trace) -> str:
    """What stands for a trace as it is now: whoever vouches for it tells by it what they have seen."""
    return hashlib.sha256(dump(trace).encode("utf-8", "surrogatepass")).hexdigest()[:SHOWN]


def trust_as_shown(store: TraceStore, trace_id: str, shown: str) -> str:
    """Vouch for a trace whose file still is what was looked at, which ``shown`` stands for. Says so.

    Raises:
        UnknownTrace: there is no such trace.
        StoreError: the file has changed since, or cannot be written.
    """
    trace = store.get(trace_id)
    if shown != shown_of(trace):
        raise StoreError(
            f"{trace_id}: its file is not what was shown ({shown!r:.40}).",
            remedy=f"%trace trust {trace_id} shows it as it is now.",
        )
    return vouch(store, trace_id, trace)
