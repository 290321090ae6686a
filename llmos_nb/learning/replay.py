"""Running a trace's steps again, as recorded or bound to new values: under the same guard, each verified, everything
put back at the first surprise."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from llmos_nb.kernel.fenced import fenced
from llmos_nb.learning.answer import rederive
from llmos_nb.learning.carried import carried_over, no_longer_shown
from llmos_nb.learning.possible import obstacle
from llmos_nb.learning.rebound import is_bound
from llmos_nb.learning.record import output_kept
from llmos_nb.learning.said import plainly
from llmos_nb.learning.shows import SHOWS, shows_otherwise
from llmos_nb.learning.verify import digest, surprise, warnings_new
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.slots.slot import Slot
from llmos_nb.tools.cell import mentioned_names
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.turn import alone
from llmos_nb.tools.workbench import Call, Workbench

__all__ = ["Basis", "Replay", "replay"]

#: Characters of a value that is said in the answer.
_SINGLE: Final = 80
#: A notebook shows the remedy of an error so, on a line of its own.
_REMEDY: Final = "-> "
#: An answer that speaks of what the error stream said.
_ABOUT_WARNINGS: Final = re.compile(r"\b(?:warn|deprecat|stderr|error stream)", re.IGNORECASE)
#: Types of what an import binds.
_IMPORTED: Final = ("module", "function", "type", "builtin_function_or_method")
#: What an answer is: the recorded prose, that prose with its values read again, or the fresh outputs with a note.
Basis = Literal["", "recorded", "rederived", "outputs"]


@dataclass(frozen=True, slots=True)
class Replay:
    """How a replay went. ``surprise`` is empty when every step did what was recorded.

    ``answer`` is what may be shown as the answer, and ``basis`` says what it is: the recorded prose when all it could
    rest on came out the same again, the prose with new values where every one of them is certain, otherwise the fresh
    outputs with a note. ``not_restored`` lists what could not be put back after a surprise.
    """

    surprise: str = ""
    answer: str = ""
    basis: Basis = ""
    not_restored: tuple[str, ...] = ()
    stopped: bool = False
    #: Whether the recorded code itself turned new values down, before it had done anything: no fault of the trace's.
    rejected: bool = False

    @property
    def stale(self) -> bool:
        """Whether the recorded prose was left out, and the outputs are the answer."""
        return self.basis == "outputs"


async def replay(
    trace: Trace,
    steps: Sequence[Step],
    bench: Workbench,
    *,
    slots: Sequence[Slot] = (),
    recorded: Sequence[tuple[Trace, Sequence[Slot]]] = (),
    general: bool = False,
) -> Replay:
    """Run ``steps`` of ``trace`` on ``bench``: its own, or the same bound to new values, expectations and all.

    ``slots`` are the values of the goal at hand; ``recorded`` are ``trace`` first and other runs of the same program,
    each with the values of its goal in the order of ``slots``: what the answer is derived again from where it has to.
    A ``general`` answer is about the task and holds for any values: it was written so, and checked, for a pack.

    Nothing is run unless the guard agrees to every step and everything is there that can be asked for beforehand (see
    :mod:`llmos_nb.learning.possible`). Cancelling the task puts everything back, too.
    """
    wanted = [step for step in steps if step.expect.replay]
    # The whole of it is one turn: another goal's steps in between would work on this one's variables, and what is kept
    # to be put back must be what the first step finds.
    async with alone():
        problem = obstacle(trace, wanted, bench)
        if problem:
            return Replay(surprise=problem)
        before = trace.replayable_steps
        bound = bool(is_bound(before, wanted))
        was: Sequence[Expectation | None] = [step.expect for step in before] if bound else [None] * len(wanted)
        names = bench.namespace.names
        for step in wanted:
            for name in step.expect.files:
                bench.undo.keep_file(bench.cwd / name)
            if step.tool == "run_cell":
                bench.undo.keep_names(names, mentioned_names(str(step.arguments.get("code", ""))))
        return await _run(trace, wanted, bench, was, bound, slots, recorded, general)


async def _run(
    trace: Trace,
    wanted: Sequence[Step],
    bench: Workbench,
    was: Sequence[Expectation | None],
    bound: bool,
    slots: Sequence[Slot],
    recorded: Sequence[tuple[Trace, Sequence[Slot]]],
    general: bool,
) -> Replay:
    before, names = trace.replayable_steps, bench.namespace.names
    calls: list[Call] = []
    try:
        for number, step in enumerate(wanted, start=1):
            stale = _stale_literal(trace, number - 1, calls)
            if stale:
                return _put_back(bench, f"step {number} ({step.tool}) {stale}")
            call = await bench.call(step.tool, step.arguments, replayed=True)
            if call.result is None:
                return _put_back(bench, f"step {number} ({step.tool}) was refused: {call.verdict.reason}")
            if call.result.interrupted:
                return _put_back(bench, "interrupted", stopped=True)
            if call.result.error and not step.expect.error:
                why = f"step {number} ({step.tool}) failed: {_error_line(call.result)}"
                return _put_back(bench, why, rejected=bound and not _has_effects([*calls, call]))
            shown = replace(call.result, outputs=()) if general else call.result
            different = surprise(step.expect, shown, names, was[number - 1])
            if general and not different and step is wanted[-1]:
                different = shows_otherwise(str(trace.extra.get(SHOWS, "")), call.result)
            if (
                not different
                and TOOLS[step.tool].same_again
                and digest(call.result) != before[number - 1].expect.digest
            ):
                different = "it tells something else than it did"
            if different:
                return _put_back(bench, f"step {number} ({step.tool}) came out otherwise: {different}")
            calls.append(call)
            await asyncio.sleep(0)  # a stop gets its turn between steps
            if bench.stopping.is_set():
                return _put_back(bench, "stopped", stopped=True)
        # One answer, never half of two: what a refused replay printed is not shown, so nothing is until here.
        for call in calls:
            if call.result:
                bench.show(call.result.outputs)
    except BaseException:
        bench.undo.put_back(names)
        raise
    if general:
        return Replay(answer=_about(calls, trace.answer), basis="rederived")
    doubt = _doubt(trace, wanted, calls, bound)
    if not doubt.reason:
        return Replay(answer=trace.answer, basis="recorded")
    if doubt.derivable and len(calls) == len(before):
        derived = _derived(recorded or ((trace, ()),), slots, calls)
        if derived is not None:
            return Replay(answer=derived, basis="rederived")
    return Replay(answer=_fresh(calls, doubt.reason), basis="outputs")


def _stale_literal(trace: Trace, number: int, calls: Sequence[Call]) -> str:
    """Whether a step goes on with a value that an earlier step had shown when it was recorded, and shows no more."""
    steps = trace.replayable_steps
    if number >= len(steps) or not number:
        return ""
    fresh = [call.result.text for call in calls if call.result]
    if all(digest(c.result) == s.expect.digest for c, s in zip(calls, steps, strict=False) if c.result):
        return ""
    for literal in carried_over(trace.goal, steps[:number], steps[number]):
        if no_longer_shown(literal, fresh):
            return f"goes on with {literal!r}, which an earlier step had shown then and does not show now"
    return ""


def _derived(
    recorded: Sequence[tuple[Trace, Sequence[Slot]]], slots: Sequence[Slot], calls: Sequence[Call]
) -> str | None:
    outputs = [output_kept(call.result.text) if call.result else "" for call in calls]
    try:
        return rederive(recorded, slots, outputs)
    except Exception:  # noqa: BLE001 - the steps ran and were verified; prose that cannot be made is left out
        return None


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Why the recorded answer must not be repeated, as the end of a sentence; and whether another may be made of it."""

    reason: str = ""
    derivable: bool = False


def _doubt(trace: Trace, steps: Sequence[Step], calls: Sequence[Call], bound: bool) -> _Doubt:
    """What speaks against the recorded answer; nothing where all it rests on is the same."""
    before = trace.replayable_steps if bound else steps
    if not all(step.expect.digest for step in before):
        return _Doubt("again, but it is not known what the recorded answer rests on")
    if any(_told_and_skipped(step) for step in trace.steps):
        return _Doubt(
            "and were verified, but the recorded answer may rest on what a failed step, left out here, had shown"
        )
    if bound:
        return _Doubt("with other values and were verified, but the recorded answer is about the recorded ones", True)
    again = [digest(call.result) if call.result else "" for call in calls]
    if again != [step.expect.digest for step in steps]:
        return _Doubt("and were verified, but their outputs are not those that the recorded answer rests on", True)
    if any(call.result and warnings_new(call.result, step.output) for call, step in zip(calls, steps, strict=True)):
        return _Doubt("and were verified, but the error stream says what it did not say then")
    if _ABOUT_WARNINGS.search(trace.answer) and any(
        call.result and output_kept(call.result.text) != step.output for call, step in zip(calls, steps, strict=True)
    ):
        return _Doubt("and were verified, but the recorded answer may speak of warnings that did not come again")
    return _Doubt()


def _told_and_skipped(step: Step) -> bool:
    """Whether a step that is not repeated told more than why it failed."""
    expect = step.expect
    if expect.replay or expect.status != "error" or expect.error == "denied":
        return False
    if step.tool == "run_shell":
        return step.output.strip() != f"[{expect.error}]"
    return bool(expect.outputs) or step.tool == "read_file"  # which tells what else the folder holds


def _put_back(bench: Workbench, why: str, *, stopped: bool = False, rejected: bool = False) -> Replay:
    failed = bench.undo.put_back(bench.namespace.names)
    return Replay(surprise=why, not_restored=tuple(failed), stopped=stopped, rejected=rejected)


def _error_line(result: ToolResult) -> str:
    """The exception as its traceback ends, its class by its plain name, with the remedy that stands below it."""
    lines = result.text.strip().splitlines() or [""]
    last = lines[-1]
    if last.lstrip().startswith(_REMEDY) and len(lines) > 1:
        last = f"{lines[-2].rstrip()} {last.lstrip().removeprefix(_REMEDY)}"
    said = re.sub(rf"^[\w.]*\b{re.escape(result.error)}: ", "", last)
    return f"{result.error}: {said[:200]}" if said != result.error else result.error


def _has_effects(calls: Sequence[Call]) -> bool:
    """Whether calls did more than import and look at the values they were given."""
    for call in calls:
        if call.result is None:
            continue
        given = call.arguments.get("parameters")
        made = {name for name, kind in call.result.defines.items() if kind not in _IMPORTED}
        if call.result.files or call.result.deletes or made - set(given if isinstance(given, dict) else ()):
            return True
    return False


def _about(calls: Sequence[Call], answer: str) -> str:
    """What is said of any values, behind the value where the last step shows a single one."""
    last = _words(calls[-1].result) if calls and calls[-1].result else ""
    single = last and "\n" not in last and len(last) <= _SINGLE and calls[-1].result.outputs  # type: ignore[union-attr]
    return f"**{plainly(last)}**: {answer[:1].lower()}{answer[1:]}" if single else answer


def _fresh(calls: Sequence[Call], why: str) -> str:
    """Fresh outputs as Markdown, in place of prose that they may contradict, and why it is so."""
    note = f"The steps ran {why}, so it is not repeated. "
    texts = [_words(call.result) for call in calls if call.result and TOOLS[call.tool].changes]
    shown = "\n".join(text for text in texts if text)
    if not shown:
        return note + "The new results are in your variables and in the output above."
    return f"{note}These are the new outputs:\n\n{fenced('text', shown)}"


def _words(result: ToolResult) -> str:
    """What a step said in words; pictures are in the cell already."""
    if not result.outputs:
        return result.text.strip()
    return "".join(output.text for output in result.outputs if not output.mime.startswith("image/")).strip()
