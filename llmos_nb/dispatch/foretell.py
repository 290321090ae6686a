"""What would be done about a goal, and what an agent would be given for it: foretold by the same look-up, run by none."""

from __future__ import annotations

from pathlib import Path

from llmos_nb.dispatch.decide import Decision, check_mode
from llmos_nb.dispatch.explain import Explanation, expected_cost
from llmos_nb.dispatch.lookup import Lookup, guides_of, is_whole, not_from_here
from llmos_nb.dispatch.recalled import Injection
from llmos_nb.dispatch.seen import Seen, seen
from llmos_nb.learning.guidance import Guide, guidance
from llmos_nb.memory import Match
from llmos_nb.memory.match import Considered
from llmos_nb.memory.slots import lift
from llmos_nb.mind import Agent
from llmos_nb.projects import Project
from llmos_nb.tools.summary import namespace_summary

__all__ = ["explained", "would_see"]


def explained(
    lookup: Lookup, text: str, mode: str, agent: str | None, cwd: Path, project: Project | None = None
) -> Explanation:
    """What would be done about a goal in the folder ``cwd``, and in ``project`` if one is given, with all it rests on.

    Raises:
        UnknownMode, ModeUnavailable: see :func:`llmos_nb.dispatch.decide.decide`.
    """
    match = lookup.match(text, agent, cwd, project)
    several = lookup.several(text)
    decision = lookup.decide(text, mode, match, several=several)
    problem = ""
    if decision.mode in ("follower", "crystallized") and match.trace is not None:
        problem = not_from_here(match.trace, project, cwd) or lookup.obstacle(match, text, cwd, project)
    if problem:
        then = decision.mode
        if check_mode(mode) == "auto":
            then = "orchestrator" if several or is_whole(match) else "mixed"
        decision = Decision(then, f"a replay would not be begun: {problem}", match, (f"{decision.mode}: {problem}",))
    play = lookup.parts.endpoint.simulated
    cost, note = expected_cost(decision.mode, lookup.parts.store.rows(), play)
    lifted = match.lifted or lift(text, lookup.vocabulary())
    asked = decision.mode not in ("follower", "crystallized")
    given = lookup.parts.recalled(text, project) if asked else Injection()
    considered = tuple(match.considered) or _as_considered(match)
    return Explanation(text, decision, lifted, considered, cost, note, given.given, given.lessons)


def would_see(
    lookup: Lookup, text: str, mode: str, agent: Agent, team: tuple[Agent, ...], cwd: Path, project: Project | None
) -> Seen:
    """What ``agent`` would be given for a goal; without one, what it is given for any. Nothing is run."""
    parts = lookup.parts
    settings = parts.settings
    hint, note = "", ""
    guides: tuple[Guide, ...] = ()
    if text:
        match = lookup.match(text, None, cwd, project)
        decision = lookup.decide(text, mode, match, several=lookup.several(text))
        note = f"It would be worked on in mode {decision.mode}: {decision.reason}."
        if decision.mode in ("follower", "crystallized"):
            note += " No model would be asked; this is what one would see if the replay were refused."
        guides = guides_of(match, lookup.vocabulary()) if decision.match is not None else ()
        hint = guidance(guides, decision.reason, settings.guidance_limit) if guides else ""
    return seen(
        text,
        agent,
        team=team,
        crystals=parts.crystals,
        namespace=namespace_summary(parts.namespace.names, text, settings.namespace_summary),
        project=project.told(settings.guidance_limit) if project is not None else "",
        guidance=hint,
        guides=[guide.trace.id for guide in guides],
        injection=parts.recalled(text, project) if text else None,
        endpoint_kind=parts.endpoint.kind,
        note=note,
    )


def _as_considered(match: Match) -> tuple[Considered, ...]:
    """An exact match as one that was considered."""
    if match.trace is None:
        return ()
    why = "; ".join(match.reasons)
    return (Considered(match.trace.id, match.trace.goal, "exact", match.confidence, match.verdict, why),)
