"""From what a person asked for to the goal that the dispatcher takes: everything about it is checked first."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import EmptyGoal, ModeUnavailable, SettingsError
from llmos_nb.kernel.whose import persons_only
from llmos_nb.system.bounds import allowance, entered
from llmos_nb.system.conversations import came_in_before, resumable_run
from llmos_nb.system.policy_notice import news_of_policy

if TYPE_CHECKING:
    from llmos_nb.dispatch.orchestrator import Plan
    from llmos_nb.dispatch.run import Goal
    from llmos_nb.system.parts import SystemParts

__all__ = ["goal_of", "goal_text"]

#: Characters of a goal. Longer ones are files, and better named than pasted.
GOAL_LIMIT: Final = 100_000
#: What is told where a goal had a secret in it.
GOAL_NOTE: Final = (
    "what looks like a key, token or password was taken out of the goal: put it into an environment variable, and say "
    "its name in the goal"
)


def goal_of(
    parts: SystemParts,
    goal: str | Plan,
    *,
    mode: str | None = None,
    agent: str | None = None,
    budget_usd: float | None = None,
    project: str | None = None,
    model: str | None = None,
    resume: str | None = None,
    propose: bool = False,
    sandbox: bool | None = None,
) -> Goal:
    """The goal as the dispatcher takes it. Arguments are those of :meth:`llmos_nb.LLMOS.execute`.

    Raises:
        EmptyGoal, UnknownAgent, AgentFileError, UnknownMode, ModeUnavailable, SettingsError, ProjectError, StoreError,
            UnknownSession: something about it cannot be.
        GuardDenied: it is an agent's own code that asks.
    """
    from llmos_nb.dispatch.decide import check_mode
    from llmos_nb.dispatch.orchestrator import Plan
    from llmos_nb.dispatch.run import Goal
    from llmos_nb.dispatch.take import sandboxed
    from llmos_nb.kernel.scheduled import SCHEDULED
    from llmos_nb.mind.delegates import DELEGATE, team_of

    persons_only("start goals")  # they would be worked on with another agent's grant
    plan = goal if isinstance(goal, Plan) else None
    if plan is not None and project is None:
        project = plan.project or None
    given = goal.goal if isinstance(goal, Plan) else goal
    text = goal_text(given)
    settings = parts.settings
    chosen_mode = check_mode(mode or settings.mode)
    resumed = resumable_run(parts, resume, chosen_mode) if resume else None
    if plan is not None and mode is not None and chosen_mode not in ("auto", "orchestrator"):
        raise ModeUnavailable(
            f"A plan is not run in mode {chosen_mode}.", remedy="Leave the mode out, or give the goal as text."
        )
    if resumed is not None:
        came_in_before(parts, run_id=resumed.run_id)
    chosen = parts.agent(agent or (resumed.agent if resumed is not None else None))
    secret = GOAL_NOTE if text != given.strip() else ""
    _check_budget(budget_usd)
    home, constraints = entered(parts, project)
    withheld = tuple(tool for tool in chosen.tools if tool not in constraints.allowed(chosen.tools))
    chosen, *team = (constraints.narrow(one) for one in (chosen, *team_of(chosen, parts.agent)))
    edited = "; ".join(
        f"{name} was edited since its last goal: %agents diff {name}, then %agents trust {name}"
        for name in (chosen.name, *(one.name for one in team))
        if parts.agents.edited(name)
    )
    apart = sandboxed(sandbox, settings, constraints, (chosen, *team), chosen_mode, plan is not None)
    money = allowance(parts, budget_usd, home, constraints)
    return Goal(
        run_id=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
        text=text,
        mode=chosen_mode,
        agent=chosen,
        agent_asked=agent is not None,
        model=model or chosen.model or settings.model or ("scripted" if parts.endpoint.kind == "scripted" else None),
        budget_usd=money.usd,
        more=money.more,
        cwd=home.folder.resolve() if home is not None else Path.cwd(),
        team=tuple(team) if DELEGATE in chosen.tools else (),
        project=home,
        constraints=constraints,
        withheld=withheld,
        resumes=resumed.run_id if resumed is not None else "",
        conversation=resumed.conversation if resumed is not None else "",
        plan=plan,
        scheduled_by=SCHEDULED.get(),
        propose=propose,
        note="; ".join(filter(None, (secret, news_of_policy(parts), edited))),
        sandbox=apart,
    )


def goal_text(goal: Any) -> str:
    """A goal's words as they are kept: without space around them, and without secrets.

    Raises:
        EmptyGoal: it has none, too many, or is no text.
    """
    if goal is not None and not isinstance(goal, str):
        raise EmptyGoal(
            f"A goal is text or a plan, got {type(goal).__name__}.",
            remedy="Say in words what you want, e.g. 'Plot df by species'.",
        )
    if goal is None or not goal.strip():
        raise EmptyGoal("The goal is empty.", remedy="Say in words what you want, e.g. 'Plot df by species'.")
    if len(goal) > GOAL_LIMIT:
        raise EmptyGoal(
            f"The goal has {len(goal)} characters; at most {GOAL_LIMIT} are taken.",
            remedy="Put the material into a file or a variable and name that.",
        )
    from llmos_nb.kernel.secrets import redacted

    return redacted(goal.strip())


def _check_budget(usd: float | None) -> None:
    amount = isinstance(usd, int | float) and not isinstance(usd, bool) and 0 <= usd < float("inf")
    if usd is not None and not amount:
        raise SettingsError(f"budget_usd must be an amount in US dollars, got {usd!r}.", remedy="Give 0.5, say.")
