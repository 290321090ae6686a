"""Which script a goal belongs to, with its values bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmos_nb.cortex.scripted.library import bundled_scripts
from llmos_nb.cortex.scripted.script import Script
from llmos_nb.cortex.scripted.template import Template

__all__ = ["Bound", "find_script", "knows"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A script that claims a goal, by which template, with which values."""

    script: Script
    template: Template
    values: dict[str, str]


def find_script(
    goal: str, scripts: Sequence[Script], agent: str | None = None, instructions: str = ""
) -> Bound | None:
    """The script for ``goal``, as it is put to ``agent`` with its ``instructions``; None asks for whichever agent.

    Of several the one with more conditions on the agent, then with more literal characters, then fewer ``text`` values,
    then the later one.
    """
    best: Bound | None = None
    best_rank = (-1, -1, 0)
    for script in scripts:
        if not _fits(script, agent, instructions):
            continue
        conditions = bool(script.agent) + bool(script.instructed)
        for template in script.templates:
            rank = (conditions, template.literal_chars, -list(template.types.values()).count("text"))
            if rank >= best_rank and (values := template.bind(goal)) is not None:
                best, best_rank = Bound(script, template, values), rank
    return best


def _fits(script: Script, agent: str | None, instructions: str) -> bool:
    if agent is None:
        return True
    return script.agent in ("", agent) and script.instructed.casefold() in instructions.casefold()


def knows(
    goal: str, scripts: Sequence[Script] | None = None, agent: str | None = None, instructions: str = ""
) -> bool:
    """Does a script (of the bundled ones, when none are given) claim this goal?"""
    return find_script(goal, bundled_scripts() if scripts is None else scripts, agent, instructions) is not None
