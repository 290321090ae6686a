"""A replay, or the call of a crystal, as a person sees it before it runs: the whole of it, once, to approve or deny.

It cannot be edited: an edited program would be none that was recorded, and nothing of it could be verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llmos_nb.crystals import Crystal
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Run
from llmos_nb.learning.possible import obstacle
from llmos_nb.memory import Match, Step
from llmos_nb.tools.cell import with_parameters
from llmos_nb.tools.registry import TOOLS

__all__ = ["approved", "program_text", "unattended"]

_NOBODY: Final = "what it would do was to be approved before it runs, and nobody is there to do so"
_COME: Final = (
    "Run it where you can answer: in a notebook, or after llmos.on(ApprovalAsked, …); or leave --propose out."
)
_ANEW: Final = "With --mode learner the agent works it out anew, and you can edit each piece of it."


def unattended(run: Run) -> RunResult | None:
    """The end of a run whose every piece is to be approved where nobody can; None where somebody is there."""
    approvals = run.services.approvals
    if not run.goal.propose or (approvals is not None and approvals.attended):
        return None
    run.mode = run.goal.mode
    return run.result("denied", _NOBODY, "", remedy=_COME)


async def approved(run: Run, match: Match, crystal: Crystal | None = None) -> tuple[RunResult | None, str]:
    """Show what would be replayed where the goal wants to see it: the run's end if a person said no, or why it cannot be
    replayed at all; neither where it may go on."""
    if not run.goal.propose or match.trace is None or match.steps is None:
        return None, ""
    wanted = [step for step in match.steps if step.expect.replay]
    problem = obstacle(match.trace, wanted, run.bench)
    if problem:  # nobody is asked about what will not run
        return None, problem
    what = f"the crystal {crystal.name}" if crystal is not None else f"the recorded steps of {match.trace.id}"
    if steps := match.trace.edited_steps:
        what += f" (a person had edited step {', '.join(map(str, steps))})"
    text = program_text(wanted)
    if crystal is not None:
        text = f"{crystal.source.rstrip()}\n\n\n# With the values of this goal it does this:\n{text}"
    plain = all(step.tool == "run_cell" for step in wanted)
    verdict = await run.bench.agree(
        "replay", f"proposed: {what}, to approve or deny as a whole", text, language="python" if plain else ""
    )
    if verdict.decision == "allow":
        return None, ""
    if run.ending or verdict.rule == "stopping":
        return run.result(run.ending or "stopped", run.ending_reason or "stopped", "", trace_id=match.trace_id), ""
    return run.result("denied", verdict.reason, "", trace_id=match.trace_id, remedy=_ANEW), ""


def program_text(steps: Sequence[Step]) -> str:
    """Recorded steps as one text to read."""
    parts = []
    for number, step in enumerate(steps, start=1):
        given = step.arguments
        main = TOOLS[step.tool].main if step.tool in TOOLS else ""
        text = str(given.get(main, "") or "")
        if step.tool == "run_cell":
            text = with_parameters(text, given.get("parameters") or {})
        others = ", ".join(f"{k}={v!r}" for k, v in given.items() if k not in (main, "parameters"))
        head = f"# Step {number} of {len(steps)}: {step.tool}{f' ({others})' if others else ''}"
        parts.append(f"{head}\n{text}".rstrip())
    return "\n\n".join(parts)
