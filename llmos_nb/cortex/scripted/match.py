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


def find_script(goal: str, scripts: Sequence[Script]) -> Bound | None:
    """The script for ``goal``; of several the one with more literal characters, then fewer ``text`` values, then the
    later one.
    """
    best: Bound | None = None
    best_rank = (-1, 0)
    for script in scripts:
        for template in script.templates:
            rank = (template.literal_chars, -list(template.types.values()).count("text"))
            if rank >= best_rank and (values := template.bind(goal)) is not None:
                best, best_rank = Bound(script, template, values), rank
    return best


def knows(goal: str, scripts: Sequence[Script] | None = None) -> bool:
    """Does a script (of the bundled ones, when none are given) claim this goal?"""
    return find_script(goal, bundled_scripts() if scripts is None else scripts) is not None
