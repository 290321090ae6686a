"""What comes into a run before its first call: facts, guidance and agents that rest on content from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from llmos_nb.dispatch.run import Run
from llmos_nb.guard.taint import FOREIGN, Taint
from llmos_nb.kernel.events import Event, Tainted
from llmos_nb.learning.guidance import Guide

__all__ = ["TAINTED", "cleared", "let_in", "tainted_by"]

#: Name of what a trace says about that in its front matter, and how much of it.
TAINTED: Final = "came_in"
LISTED: Final = 10
#: What is said of an agent whose words nobody here has written or looked at.
_CHANGED: Final = ", whose file was changed outside"


def let_in(run: Run, guides: Sequence[Guide]) -> None:
    """Note what the agent is given that a stranger may have had a hand in."""
    tainting = run.bench.tainting
    tainting.rests_on(recalled=[one.fact for one in run.injection.given], agents=[run.goal.agent, *run.goal.team])
    if (known := run.parts.services.agents) is not None:
        for mark in tainting.taint.marks:
            name, found, _ = mark.what.partition(_CHANGED)
            if found and mark.kind == "agent" and not known.unseen(name):
                tainting.taint.lift(mark)
        for agent in (run.goal.agent, *run.goal.team):
            if known.unseen(agent.name):
                remedy = f"%agents trust {agent.name} once you have looked"
                tainting.mark(FOREIGN, "agent", f"{agent.name}{_CHANGED} ({remedy})")
    for guide in guides:
        if told := guide.trace.extra.get(TAINTED):
            first = str(told[0]) if isinstance(told, list | tuple) and told else str(told)
            tainting.mark(FOREIGN, "trace", f"{guide.trace.id}, recorded after {first[21:] or first}")


def tainted_by(run: Run) -> dict[str, Any]:
    """What a trace says of content from outside that the session had read by then; nothing where there was none."""
    marks = [mark for mark in run.bench.tainting.taint.marks if mark.level == FOREIGN]
    if not marks:
        return {}
    return {TAINTED: [f"{mark.at} {mark.kind} {mark.what}" for mark in marks[:LISTED]]}


def cleared(taint: Taint, publish: Callable[[Event], None]) -> str:
    """Forget what came in, because a person has looked at it; says what that was."""
    marks = taint.marks
    taint.clear()
    if not marks:
        return "Nothing has come in from outside."
    publish(Tainted(run_id=marks[-1].run_id or "none", level=""))
    told = ", ".join(str(mark) for mark in marks[:LISTED])
    return f"Looked at, and of no further consequence: {told}."
