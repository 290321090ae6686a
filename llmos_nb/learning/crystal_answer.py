"""The answer to a goal that a crystal served: recorded prose where it is certain, its outputs otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from llmos_nb.kernel.fenced import fenced
from llmos_nb.learning.answer import rederive
from llmos_nb.learning.replay import Basis
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.slots.slot import Slot
from llmos_nb.tools.tool import ToolResult

__all__ = ["answer_of"]


def answer_of(
    result: ToolResult,
    told: str,
    trace: Trace | None,
    steps: Sequence[Step],
    slots: Sequence[Slot],
    recorded: Sequence[tuple[Trace, Sequence[Slot]]],
) -> tuple[str, Basis]:
    """The recorded prose where it is certain, with its values read again where they are, else the outputs themselves."""
    said = "\n".join(text for text in (result.text, told.rstrip("\n")) if text.strip())
    if trace is not None and _rests_on_outputs(trace):
        base = _as_one(trace)
        same = [step.arguments for step in steps] == [step.arguments for step in trace.replayable_steps]
        pictures = any(output.mime.startswith("image/") for output in result.outputs)
        if same and base.steps[0].output == said and not pictures:
            return trace.answer, "recorded"
        runs = [(_as_one(run), own) for run, own in (recorded or ((trace, ()),)) if _rests_on_outputs(run)]
        try:
            derived = rederive(runs, slots, [said])
        except Exception:  # noqa: BLE001 - the function ran and was verified; prose that cannot be made is left out
            derived = None
        if derived is not None:
            return derived, "rederived"
    shown = "".join(output.text for output in result.outputs if not output.mime.startswith("image/")).strip()
    shown = "\n".join(text for text in (shown, told.strip()) if text)
    note = "The function ran and was verified; the recorded answer is not repeated. "
    if not shown:
        return f"{note}The new results are in your variables and in the output above.", "outputs"
    return f"{note}These are the new outputs:\n\n{fenced('text', shown)}", "outputs"


def _rests_on_outputs(trace: Trace) -> bool:
    """Whether all that the answer could rest on is also what the function shows or tells."""
    steps = trace.replayable_steps
    silent = all(step.tool in ("run_cell", "write_file", "edit_file") for step in steps[:-1])
    failed = any(s.expect.status == "error" and s.expect.error != "denied" and s.output.strip() for s in trace.steps)
    return silent and not failed and all(step.expect.digest for step in steps)


def _as_one(trace: Trace) -> Trace:
    """The trace as if its cells had been one, which is what the function is."""
    texts = [
        step.output.rstrip("\n") for step in trace.replayable_steps if step.tool not in ("write_file", "edit_file")
    ]
    merged = Step(
        "run_cell", {"code": ""}, Expectation(digest="seen"), "\n".join(text for text in texts if text.strip())
    )
    return dataclasses.replace(trace, steps=[merged])
