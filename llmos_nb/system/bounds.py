"""The bounds of a goal: the project that it belongs to, what holds there and everywhere, and what it may spend."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

from llmos_nb.errors import ProjectError
from llmos_nb.kernel.spelled import spelled

if TYPE_CHECKING:
    from llmos_nb.dispatch.allowance import Allowance
    from llmos_nb.projects import Constraints, Project
    from llmos_nb.system.parts import SystemParts

__all__ = ["allowance", "entered", "found", "limited"]


def entered(parts: SystemParts, name: str | None) -> tuple[Project | None, Constraints]:
    """The project for a run, made where it is new, and its limits; with no project none.

    Raises:
        ProjectError: it wants another endpoint than the one in use, or its files cannot be used.
        StoreError: the workspace cannot be written.
    """
    from llmos_nb.projects import Constraints

    wanted = parts.settings.project if name is None else name
    if not wanted:
        return None, limited(parts, Constraints())
    parts.check_workspace()
    project = parts.projects.find_or_make(wanted)
    constraints, endpoint = project.constraints, parts.endpoint
    if constraints.endpoint not in (None, endpoint.kind, endpoint.url, endpoint.label):
        raise ProjectError(
            f"The project {wanted} allows model calls to {constraints.endpoint} alone, and they go to "
            f"{endpoint.label} now.",
            remedy=f"Use %llmos_endpoint {constraints.endpoint}, or change {spelled(project.folder / 'project.toml')}.",
        )
    return project, limited(parts, constraints)


def found(parts: SystemParts, name: str | None) -> Project | None:
    """The project of this name, the settings' one if None; nothing is made.

    Raises:
        UnknownProject: there is none.
    """
    wanted = parts.settings.project if name is None else name
    return parts.projects.get(wanted) if wanted else None


def limited(parts: SystemParts, constraints: Constraints) -> Constraints:
    """A project's limits, or none, and what the settings forbid everywhere."""
    from llmos_nb.guard.policy import WEB_TOOLS

    without = WEB_TOOLS if parts.settings.web_tools == "deny" else ()
    return dataclasses.replace(constraints, without=without)


def allowance(
    parts: SystemParts,
    usd: float | None = None,
    project: Project | None = None,
    constraints: Constraints | None = None,
) -> Allowance:
    """What a goal may spend that is given ``usd``, and what raises it."""
    from llmos_nb.dispatch.allowance import allowed

    source = parts.sources["run_budget_usd"]
    return allowed(
        usd,
        parts.settings.run_budget_usd,
        source != "default" and not source.startswith("preset "),
        parts.economy.limits.run_usd,
        project,
        constraints,
        functools.partial(parts.economy.project_spent_usd, project.name) if project is not None else float,
    )
