"""Running a trace's steps again: under the same guard, each verified, everything put back at the first surprise."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmos_nb.learning.verify import digest, surprise
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.blocks import fenced
from llmos_nb.tools.cell import mentioned_names
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.turn import alone
from llmos_nb.tools.workbench import Call, Workbench

__all__ = ["Replay", "replay"]


@dataclass(frozen=True, slots=True)
class Replay:
    """How a replay went. ``surprise`` is empty when every step did what was recorded.

    ``answer`` is what may be shown as the answer: the recorded prose when all it could rest on came out the same again,
    otherwise the fresh outputs with a note, and ``stale`` is then True. ``not_restored`` lists what could not be put
    back after a surprise.
    """

    surprise: str = ""
    answer: str = ""
    stale: bool = False
    not_restored: tuple[str, ...] = ()
    stopped: bool = False


async def replay(trace: Trace, steps: Sequence[Step], bench: Workbench) -> Replay:
    """Run ``steps`` of ``trace`` on ``bench``.

    Nothing is run unless the guard agrees to every step and every input file is there. Cancelling the task puts
    everything back, too.
    """
    wanted = [step for step in steps if step.expect.replay]
    problem = _not_possible(trace, wanted, bench)
    if problem:
        return Replay(surprise=problem)
    names = bench.namespace.names
    for step in wanted:
        for name in step.expect.files:
            bench.undo.keep_file(bench.cwd / name)
        if step.tool == "run_cell":
            bench.undo.keep_names(names, mentioned_names(str(step.arguments.get("code", ""))))
    calls: list[Call] = []
    try:
        for number, step in enumerate(wanted, start=1):
            call = await bench.call(step.tool, step.arguments, replayed=True)
            if call.result is None:
                return _put_back(bench, f"step {number} ({step.tool}) was refused: {call.verdict.reason}")
            if call.result.interrupted:
                return _put_back(bench, "interrupted", stopped=True)
            if call.result.error and not step.expect.error:
                last = (call.result.text.strip().splitlines() or [""])[-1]
                return _put_back(bench, f"step {number} ({step.tool}) failed: {call.result.error}: {last[:200]}")
            different = surprise(step.expect, call.result, names)
            if different:
                return _put_back(bench, f"step {number} ({step.tool}) came out otherwise: {different}")
            calls.append(call)
            await asyncio.sleep(0)  # a stop gets its turn between steps
            if bench.stopping.is_set():
                return _put_back(bench, "stopped", stopped=True)
    except BaseException:
        bench.undo.put_back(names)
        raise
    # One answer, never half of two: what a refused replay printed is not shown, so nothing is until here.
    async with alone():
        for call in calls:
            if call.result:
                bench.namespace.show(call.result.outputs)
    doubt = _doubt(trace, wanted, calls)
    return Replay(answer=_fresh(calls, doubt), stale=True) if doubt else Replay(answer=trace.answer)


def _doubt(trace: Trace, steps: Sequence[Step], calls: Sequence[Call]) -> str:
    """Why the recorded answer must not be repeated, as the end of a sentence; empty when all it rests on is the same."""
    if not all(step.expect.digest for step in steps):
        return "again, but it is not known what the recorded answer rests on"
    again = [digest(call.result) if call.result else "" for call in calls]
    if again != [step.expect.digest for step in steps]:
        return "and were verified, but their outputs are not those that the recorded answer rests on"
    if any(_told_and_skipped(step) for step in trace.steps):
        return "and were verified, but the recorded answer may rest on what a failed step, left out here, had shown"
    return ""


def _told_and_skipped(step: Step) -> bool:
    """Whether a step that is not repeated told more than why it failed."""
    expect = step.expect
    if expect.replay or expect.status != "error" or expect.error == "denied":
        return False
    if step.tool == "run_shell":
        return step.output.strip() != f"[{expect.error}]"
    return bool(expect.outputs) or step.tool == "read_file"  # which tells what else the folder holds


def _not_possible(trace: Trace, steps: Sequence[Step], bench: Workbench) -> str:
    """Why the steps must not be begun, or an empty string."""
    if not steps:
        return "it has no step that can be repeated"
    for number, step in enumerate(steps, start=1):
        if step.tool not in TOOLS:
            return f"step {number} uses the tool {step.tool}, which cannot be repeated"
        verdict = bench.check(step.tool, step.arguments)
        if verdict.decision != "allow":
            return f"step {number} ({step.tool}) would be refused: {verdict.reason}"
    folder = trace.environment.get("folder")
    if folder and Path(str(folder)) != bench.cwd:
        return f"its steps name files in the folder {folder}, and this is another one"
    for name in trace.inputs:
        if not (bench.cwd / name).exists():
            return f"the file {name} is not there"
    return ""


def _put_back(bench: Workbench, why: str, *, stopped: bool = False) -> Replay:
    failed = bench.undo.put_back(bench.namespace.names)
    return Replay(surprise=why, not_restored=tuple(failed), stopped=stopped)


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
