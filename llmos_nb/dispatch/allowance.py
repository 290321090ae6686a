"""What a goal may spend: the least of what bears on it, and how a person gives it more."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from llmos_nb.kernel.spelled import spelled
from llmos_nb.projects import Constraints, Project

__all__ = ["Allowance", "allowed"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """US dollars that a goal may spend; ``more`` says what raises that."""

    usd: float
    more: str


def allowed(
    usd: float | None,
    setting_usd: float,
    set_by_person: bool,
    limit_usd: float | None,
    project: Project | None = None,
    constraints: Constraints | None = None,
    project_spent: Callable[[], float] = float,
) -> Allowance:
    """What a goal may spend that was given ``usd``, or what the settings say if None.

    ``limit_usd`` is the kept limit of one run. No goal goes beyond it; it is also what a goal gets that nobody gave an
    amount, unless a person chose the setting (``set_by_person``) and that is less.
    """
    if usd is not None:
        found = Allowance(float(usd), "Give this goal more with --budget.")
    elif set_by_person or limit_usd is None:
        every = "llmos.configure(run_budget_usd=…)" if set_by_person else "%budget limits run=…"
        found = Allowance(float(setting_usd), f"Give this goal more with --budget, or every goal with {every}.")
    else:
        found = Allowance(math.inf, "")
    if limit_usd is not None and limit_usd <= found.usd:
        found = Allowance(
            limit_usd,
            f'One run is limited to ${limit_usd:g}: raise it with llmos.economy.set_limit("run", …) or '
            "%budget limits run=….",
        )
    if project is None or constraints is None:
        return found
    of_project = constraints.run_limit_usd(found.usd, project_spent)
    if of_project < found.usd or constraints.run_budget_usd == found.usd:
        own = constraints.run_budget_usd
        key = "run_budget_usd" if own is not None and own <= of_project else "total_budget_usd"
        say = f"Raise {key} = {getattr(constraints, key):g} in {spelled(project.folder / 'project.toml')}."
        return Allowance(of_project, say)
    return found
