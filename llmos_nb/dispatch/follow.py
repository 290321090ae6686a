"""FOLLOWER and CRYSTALLIZED: recorded steps run again, or the function made of them, verified, without a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import ModuleType
from typing import Any, Final

from llmos_nb.crystals import Crystal
from llmos_nb.dispatch.propose import approved
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Run
from llmos_nb.errors import LlmosError
from llmos_nb.learning.crystal_names import CUSTOMARY
from llmos_nb.learning.crystal_run import CrystalRun, run_crystal
from llmos_nb.learning.replay import Replay, replay
from llmos_nb.memory import Match, Trace
from llmos_nb.memory.library import task_of
from llmos_nb.memory.programs import program_of
from llmos_nb.memory.slots import Slot

__all__ = ["call_crystal", "follow"]

#: What the answer of a replay may be derived from: runs of one program with the values of their goals in one order.
Recorded = Sequence[tuple[Trace, Sequence[Slot]]]


async def follow(run: Run, match: Match) -> tuple[RunResult | None, str]:
    """Replay the trace that ``match`` found; returns the result, or None and why the replay was refused."""
    assert match.trace is not None and match.steps is not None
    if run.bench.sandbox is not None:
        run.bench.sandbox.want(*(str(value) for step in match.steps for value in step.arguments.values()))
    ended, refused = await approved(run, match)
    if ended is not None or refused:
        return ended, refused
    recorded, slots = runs_of(match)
    library = run.parts.library
    shipped = library.get(match.trace.id) if library is not None and task_of(match.trace) else None
    replayed = await replay(
        match.trace, match.steps, run.bench, slots=slots, recorded=recorded, general=shipped is match.trace
    )
    return _ended(run, match, replayed, counts=not replayed.rejected)


async def call_crystal(run: Run, match: Match, crystal: Crystal) -> tuple[RunResult | None, str]:
    """Serve a goal by a crystal made of the program that ``match`` found; as :func:`follow`."""
    assert match.trace is not None and match.steps is not None
    unlike = _unlike(match) or _hidden(crystal, run.bench.namespace.names)
    if unlike:
        return None, unlike
    ended, refused = await approved(run, match, crystal)
    if ended is not None or refused:
        return ended, refused
    recorded, slots = runs_of(match)
    bindings = match.bindings or crystal.bindings(match.trace.id)
    called = await run_crystal(
        crystal, bindings, run.bench, trace=match.trace, steps=match.steps, slots=slots, recorded=recorded
    )
    if called.demoted:
        run.notice(f"the crystal {crystal.name} is out of use now: {called.surprise}")
    return _ended(run, match, called, counts=not called.surprise or called.demoted)


def _unlike(match: Match) -> str:
    """Where the function would compute another value than the bound steps have; empty where it is the same everywhere.

    A function has a value's form as an expression (``x / 100``), steps have it as a literal: the two can part, in the
    last digit of a fraction or in a number of many digits.
    """
    general, trace = match.generalization, match.trace
    if general is None or trace is None or match.steps is None or match.verdict != "rebind":
        return ""
    names = [parameter.name for parameter in general.family(trace.id)]
    values = dict(match.bindings)
    for (_, pattern), place in zip(general.patterns(trace.id), program_of(match.steps).places, strict=True):
        source = "" if pattern.kind == "constant" else pattern.source(names)
        if not source:
            continue
        try:
            made = eval(source, {"__builtins__": _SAFE}, values)
        except Exception as error:  # noqa: BLE001 - then the steps are replayed instead
            return f"{source} cannot be worked out for these values ({type(error).__name__})"
        if not _same(made, place.value):
            return f"it would go on with {made!r} where the recorded steps have {place.value}"
    return ""


#: What expressions of patterns use.
_SAFE: Final = {
    "format": format,
    "int": int,
    "float": float,
    "len": len,
    "round": round,
    "str": str,
    "tuple": tuple,
    "list": list,
}


def _same(made: object, literal: object) -> bool:
    if isinstance(made, list | tuple) and isinstance(literal, list | tuple):
        return len(made) == len(literal) and all(_same(a, b) for a, b in zip(made, literal, strict=True))
    if isinstance(made, int | float) and isinstance(literal, int | Decimal):
        return (made if isinstance(made, int) else Decimal(repr(made))) == literal
    return made == literal


def _hidden(crystal: Crystal, names: Mapping[str, Any]) -> str:
    """A variable of the user's that is called like a module, which the function would import in its place."""
    for name in CUSTOMARY:
        found = names.get(name)
        if found is not None and not isinstance(found, ModuleType) and re.search(rf"\b{name}\b", crystal.source):
            return f"your variable {name} is called like a module that it uses"
    return ""


def runs_of(match: Match) -> tuple[Recorded, Sequence[Slot]]:
    """The trace of a match and other runs of its program, each with the values of its goal in one order; and the values
    of the goal at hand in that order. Empty where the goal's values were not looked at."""
    general = match.generalization
    if match.trace is None or general is None or not match.slots:
        return (), ()
    by_id = {example.trace.id: example for example in general.examples}
    own = by_id[match.trace.id]
    order = general.order(match.trace.id)
    runs: list[tuple[Trace, Sequence[Slot]]] = [(own.trace, own.slots)]
    for other in general.members(match.trace.id):
        if other == match.trace.id:
            continue
        places = {parameter: slot for slot, parameter in enumerate(general.order(other)) if parameter is not None}
        slots = by_id[other].slots
        found = [
            slots[places[parameter]] if parameter in places else _equal(slots, own.slots[number])
            for number, parameter in enumerate(order)
        ]
        if all(slot is not None for slot in found):
            runs.append((by_id[other].trace, [slot for slot in found if slot is not None]))
    return runs, match.slots


def _equal(slots: Sequence[Slot], wanted: Slot) -> Slot | None:
    return next((slot for slot in slots if slot.value == wanted.value and slot.unit == wanted.unit), None)


def _ended(run: Run, match: Match, done: Replay | CrystalRun, *, counts: bool = True) -> tuple[RunResult | None, str]:
    assert match.trace is not None
    why = done.surprise
    if done.not_restored:
        why += f" (could not be put back: {'; '.join(done.not_restored)})"
        run.notice(why)
    if done.stopped or (why and run.ending):
        stopped = run.result(run.ending or "stopped", run.ending_reason or why, "", trace_id=match.trace_id)
        return stopped, ""
    # What was not begun, or turned the new values down at once, says nothing about the trace: a file is missing, a
    # number is out of range.
    saved = _count(run, match.trace, success=not why) if counts and (run.bench.calls or not why) else 0.0
    if why:
        return None, why
    for told in (one for one in (*match.notes, by_a_person(match.trace)) if one):
        run.notice(told)
        run.notices.append(told)
    result = run.result(
        "success",
        run.mode_reason,
        run.bench.tainting.text(done.answer),
        saved_usd=saved,
        trace_id=match.trace_id,
        stale=done.stale,
    )
    return result, ""


def by_a_person(trace: Trace) -> str:
    """What is to be known of a trace some of whose steps a person had edited before they ran; empty for others."""
    steps = trace.edited_steps
    if not steps:
        return ""
    which = f"step {steps[0]}" if len(steps) == 1 else f"steps {', '.join(map(str, steps))}"
    return (
        f"{which} of this recorded run {'was' if len(steps) == 1 else 'were'} edited by a person before it ran, and does "
        f"what they wrote; where that is not what the goal says, %llmos_wrong {trace.id} takes it out of use"
    )


def _count(run: Run, trace: Trace, *, success: bool) -> float:
    """Note one use of a trace; returns what it saved, in US dollars. A replay does not fail for its bookkeeping."""
    saved = trace.cost_usd or 0.0
    if not success or trace.simulated_cost != run.parts.endpoint.simulated:
        saved = 0.0
    try:
        run.parts.store.record_use(trace.id, success=success)
        if saved > 0:
            project = run.goal.project.name if run.goal.project is not None else ""
            with run.parts.economy.reserve(0.0, "Replay", run_id=run.goal.run_id, project=project) as purse:
                purse.settle(saved, f"Replay: {run.goal.text}"[:200])
    except LlmosError as error:
        run.notice(f"this use was not counted: {error}")
        return 0.0
    return saved
