"""CRYSTALLIZED: a goal served by one call of a function, under the same guard, verified like a replay.

The call is a ``run_cell`` on the run's workbench, so guard, undo, stop and evidence are those of any cell. What comes
out otherwise than the recorded runs did is put back, and the crystal is out of use from then on, in every kernel.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.crystals.crystal import Crystal
from llmos_nb.crystals.current import use
from llmos_nb.crystals.facts import Facts
from llmos_nb.crystals.offered import call_code
from llmos_nb.errors import LlmosError
from llmos_nb.learning.crystal_answer import answer_of
from llmos_nb.learning.possible import obstacle
from llmos_nb.learning.replay import Basis
from llmos_nb.learning.verify import outputs_counted, surprise
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.slots.slot import Slot
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.turn import alone
from llmos_nb.tools.workbench import Call, Workbench

__all__ = ["CrystalRun", "run_crystal"]

#: Errors that say nothing against the function: it was not begun.
_NOT_BEGUN: Final = frozenset({"CrystalError", "GuardDenied", "ImportError", "UnknownCrystal"})


@dataclass(frozen=True, slots=True)
class CrystalRun:
    """How a crystal's run went; the fields mean what they mean in :class:`~llmos_nb.learning.replay.Replay`.

    ``demoted`` tells that the crystal was taken out of use because of it.
    """

    surprise: str = ""
    answer: str = ""
    basis: Basis = ""
    not_restored: tuple[str, ...] = ()
    stopped: bool = False
    demoted: bool = False
    call: Call | None = None

    @property
    def stale(self) -> bool:
        """Whether the recorded prose was left out, and the outputs are the answer."""
        return self.basis == "outputs"


async def run_crystal(
    crystal: Crystal,
    bindings: Mapping[str, Any],
    bench: Workbench,
    *,
    trace: Trace | None = None,
    steps: Sequence[Step] = (),
    slots: Sequence[Slot] = (),
    recorded: Sequence[tuple[Trace, Sequence[Slot]]] = (),
) -> CrystalRun:
    """Call ``crystal`` for a goal on ``bench``.

    Args:
        bindings: values by the generalization's parameter names, as ``Bound.bindings`` has them.
        trace: the trace that the goal was matched with, ``steps`` its steps bound to the goal's values: what must be
            there is asked of them beforehand, the guard judges them, and what they expect is what the crystal must do.
        slots: the goal's values; ``recorded`` as :func:`~llmos_nb.learning.replay.replay` takes it: ``trace`` first.

    Nothing is run where an input file is missing; neither that nor values that do not fit what is there (a column that
    is absent) speak against the crystal. Cancelling the task puts everything back.
    """
    async with alone():  # what is kept to be put back must be what the call finds
        return await _run(crystal, bindings, bench, trace, steps, slots, recorded)


async def _run(
    crystal: Crystal,
    bindings: Mapping[str, Any],
    bench: Workbench,
    trace: Trace | None,
    steps: Sequence[Step],
    slots: Sequence[Slot],
    recorded: Sequence[tuple[Trace, Sequence[Slot]]],
) -> CrystalRun:
    wanted = [step for step in steps if step.expect.replay]
    try:
        refusal = crystal.status
        if refusal != "ready":
            return CrystalRun(f"{crystal.name} is not in use: {refusal}")
        arguments = crystal.arguments(bindings)
        facts = crystal.facts
        code = call_code(crystal.name, arguments, facts.needs)
    except LlmosError as error:
        return CrystalRun(error.message)
    gone = [name for need in facts.needs if (name := str(arguments.get(need, need))) not in bench.namespace.names]
    problem = f"the variable {gone[0]} is not there" if gone else _missing_file(facts, arguments, trace, bench.cwd)
    if not problem and wanted:
        problem = _obstacle(trace, wanted, bench)  # what a replay would be asked is asked here, too
    if problem:
        return CrystalRun(problem)
    use(crystal.shelf)
    names = bench.namespace.names
    for step in wanted:
        for name in step.expect.files:
            bench.undo.keep_file(bench.cwd / name)
    try:
        call = await bench.call("run_cell", {"code": code}, replayed=True)
        result = call.result
        if result is None:
            return _put_back(bench, f"the call was refused: {call.verdict.reason}", call)
        if result.interrupted:
            return _put_back(bench, "interrupted", call, stopped=True)
        if result.error:
            last = (result.text.strip().splitlines() or [""])[-1]
            failed = _put_back(bench, f"{crystal.name} failed: {result.error}: {last[:200]}", call)
            return failed if result.error in _NOT_BEGUN else _judged(crystal, failed, trace, wanted, bench)
        different = _different(facts, trace, wanted, bench, result)
        if different:
            failed = _put_back(bench, f"{crystal.name} came out otherwise: {different}", call)
            return _judged(crystal, failed, trace, wanted, bench)
        await asyncio.sleep(0)  # a stop gets its turn
        if bench.stopping.is_set():
            return _put_back(bench, "stopped", call, stopped=True)
    except BaseException:
        bench.undo.put_back(names)
        raise
    bench.show(result.outputs)
    answer, basis = answer_of(result, crystal.told, trace, wanted, slots, recorded)
    return CrystalRun(answer=answer, basis=basis, call=call)


def _put_back(bench: Workbench, why: str, call: Call, *, stopped: bool = False) -> CrystalRun:
    failed = bench.undo.put_back(bench.namespace.names)
    return CrystalRun(why, not_restored=tuple(failed), stopped=stopped, call=call)


def _missing_file(facts: Facts, arguments: Mapping[str, Any], trace: Trace | None, cwd: Path) -> str:
    """Which input file is not there: a recorded one, or the one that an argument names in its place."""
    if trace is None:
        return ""
    for example in facts.examples:
        if example["trace"] == trace.id:
            instead = {str(old): str(arguments.get(name, old)) for name, old in example["arguments"].items()}
            for name in trace.inputs:
                if not (cwd / instead.get(name, name)).exists():
                    return f"the file {instead.get(name, name)} is not there"
    return ""


def _obstacle(trace: Trace | None, steps: Sequence[Step], bench: Workbench) -> str:
    return obstacle(trace, steps, bench) if trace is not None and steps else ""


def _judged(
    crystal: Crystal, run: CrystalRun, trace: Trace | None, steps: Sequence[Step], bench: Workbench
) -> CrystalRun:
    """Take the crystal out of use for a failure, unless the goal's values were at fault: a column that is not there.

    That is asked afterwards: everything has been put back, and a call that goes well does not wait for it. Otherwise
    one failure in use is enough, at once and for everyone.
    """
    problem = _obstacle(trace, steps, bench)
    if problem:
        return dataclasses.replace(run, surprise=problem)
    try:
        crystal.shelf.demote(crystal.name, run.surprise)
    except LlmosError as error:
        return dataclasses.replace(
            run, surprise=f"{run.surprise} (it could not be taken out of use: {error.message})"
        )
    return dataclasses.replace(run, demoted=True)


def _different(facts: Facts, trace: Trace | None, steps: Sequence[Step], bench: Workbench, result: ToolResult) -> str:
    """What the call left behind otherwise than the recorded steps did, in words; empty if nothing."""
    names, kinds = bench.namespace.names, _kinds(result)
    if trace is None or not steps:
        own = {name: kind for name, kind in facts.defines.items() if name not in facts.renames}
        return surprise(Expectation(defines=_settled(own, names), outputs=kinds), result, names)
    before = trace.replayable_steps
    called = {
        other: name
        for example in facts.examples
        if example["trace"] == trace.id
        for name, other in example["names"].items()
    }
    strange = trace.id not in facts.traces  # nothing is known of what it called things
    expected = _together(steps, called, facts.defines if strange else None, kinds, bench.cwd)
    recorded = _together(before, called, facts.defines if strange else None, kinds, bench.cwd)
    expected = dataclasses.replace(expected, defines=_settled(expected.defines, names))
    return surprise(expected, result, names, recorded) or _other_outputs(steps, before, result)


def _settled(defines: Mapping[str, str], names: Mapping[str, Any]) -> dict[str, str]:
    """Types, where several are expected (``float64 | int64``) the one that came if it is among them."""
    found = {name: type(names[name]).__name__ for name in defines if name in names}
    return {n: found[n] if n in found and found[n] in kinds.split(" | ") else kinds for n, kinds in defines.items()}


def _together(
    steps: Sequence[Step],
    called: Mapping[str, str],
    known: Mapping[str, str] | None,
    kinds: tuple[str, ...],
    cwd: Path,
) -> Expectation:
    """What all steps together leave behind. Outputs are compared apart: what several cells showed comes in one go."""
    defines: dict[str, str] = {}
    columns: dict[str, tuple[str, ...]] = {}
    files: Counter[str] = Counter()
    for step in steps:
        for name in step.expect.deletes:
            defines.pop(called.get(name, name), None)
            columns.pop(called.get(name, name), None)
        for name, kind in step.expect.defines.items():
            columns.pop(called.get(name, name), None)
            defines[called.get(name, name)] = kind
        columns.update({called.get(name, name): tuple(of) for name, of in step.expect.columns.items()})
        files.update(step.expect.files)
    if known is not None:
        defines = {name: kind for name, kind in defines.items() if name in known}
        columns = {name: of for name, of in columns.items() if name in known}
    # A file that one step made and another took away again leaves nothing behind.
    left = sorted(name for name, times in files.items() if times == 1 or (cwd / name).exists())
    seen = all(step.expect.digest for step in steps)
    return Expectation(
        defines=defines, columns=columns, outputs=kinds, files=tuple(left), digest="seen" if seen else ""
    )


def _other_outputs(steps: Sequence[Step], before: Sequence[Step], result: ToolResult) -> str:
    """Whether something else was shown than the cells showed, one after the other."""
    pairs = list(zip(steps, before, strict=True))
    if any(len(step.expect.outputs) < len(was.expect.outputs) or not was.expect.digest for step, was in pairs):
        return ""  # nobody can tell what is to be shown
    wanted = [kind for step in steps if step.tool == "run_cell" for kind in step.expect.outputs]
    found = _kinds(result)
    if _words(wanted) == _words(found) and _pictures(wanted) == _pictures(found):
        return ""
    return f"it showed {', '.join(found) or 'nothing'} instead of {', '.join(wanted) or 'nothing'}"


def _kinds(result: ToolResult) -> tuple[str, ...]:
    return tuple(output.mime for output in outputs_counted(result))


def _words(kinds: Sequence[str]) -> list[str]:
    """Kinds of what is no picture; text is text, printed or displayed, and how it is cut does not count."""
    plain = ["text" if kind in ("stream", "text/plain") else kind for kind in kinds if not kind.startswith("image/")]
    return [kind for i, kind in enumerate(plain) if kind != "text" or i == 0 or plain[i - 1] != "text"]


def _pictures(kinds: Sequence[str]) -> int:
    return sum(kind.startswith("image/") for kind in kinds)
