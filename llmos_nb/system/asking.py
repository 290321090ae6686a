"""Questions about a goal that run nothing and cost nothing: what would be done, and what an agent would be given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmos_nb.system.bounds import found, limited
from llmos_nb.system.goals import goal_text
from llmos_nb.system.running import answered

if TYPE_CHECKING:
    from llmos_nb.dispatch.explain import Explanation
    from llmos_nb.dispatch.seen import Seen
    from llmos_nb.system.parts import SystemParts

__all__ = ["explained", "would_see"]


def explained(parts: SystemParts, goal: str, mode: str | None, agent: str | None, project: str | None) -> Explanation:
    """What would be done about ``goal``, and why: see :meth:`llmos_nb.LLMOS.explain`."""
    name = parts.agent(agent).name if agent is not None else None
    home = found(parts, project)
    cwd = home.folder.resolve() if home is not None else Path.cwd()
    text, wanted, dispatcher = goal_text(goal), mode or parts.settings.mode, parts._dispatcher
    return answered(lambda: dispatcher.explain(text, wanted, name, cwd, home))


def would_see(parts: SystemParts, goal: str, mode: str | None, agent: str | None, project: str | None) -> Seen:
    """What an agent would see of ``goal``: see :meth:`llmos_nb.LLMOS.context_of`."""
    from llmos_nb.dispatch.decide import check_mode
    from llmos_nb.mind.delegates import DELEGATE, team_of
    from llmos_nb.projects import Constraints

    home = found(parts, project)
    chosen = parts.agent(agent)
    team = tuple(team_of(chosen, parts.agent)) if DELEGATE in chosen.tools else ()
    limits = limited(parts, home.constraints if home is not None else Constraints())
    chosen, *rest = (limits.narrow(one) for one in (chosen, *team))
    text = goal_text(goal) if goal.strip() else ""
    wanted = check_mode(mode or parts.settings.mode)
    cwd = home.folder.resolve() if home is not None else Path.cwd()
    dispatcher = parts._dispatcher
    return answered(lambda: dispatcher.seen(text, wanted, chosen, tuple(rest), cwd, home))
