"""From a family of traces that is used often to a crystal on the shelf, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_nb.crystals.crystal import Crystal
from llmos_nb.crystals.report import Report
from llmos_nb.crystals.shelf import CrystalShelf
from llmos_nb.errors import CrystalError, NotCrystallizable
from llmos_nb.learning.crystal_check import check_crystal
from llmos_nb.learning.crystallize import crystallize
from llmos_nb.memory import Trace
from llmos_nb.memory.programs import Generalization

__all__ = ["Made", "make_crystal"]


@dataclass(frozen=True, slots=True)
class Made:
    """The installed crystal, or None and why. ``report`` is how the tests went, where they ran."""

    crystal: Crystal | None = None
    reason: str = ""
    report: Report | None = None


def make_crystal(
    generalization: Generalization,
    shelf: CrystalShelf,
    *,
    uses: int,
    successes: int,
    cwd: Path | Callable[[Trace], Path],
    names: Mapping[str, Any],
    like: str | None = None,
) -> Made:
    """Make, test and install the crystal of the family that the trace ``like`` belongs to, the largest one if None.

    Takes seconds, since every recorded run is made again in a separate process: call it on a thread of its own. Where
    the shelf has a crystal of this family already, in use or not, nothing is made. ``cwd`` is where input files are,
    for all traces or told for each; ``names`` are the user's variables.
    """
    try:
        source = crystallize(generalization, uses=uses, successes=successes, like=like)
        known = shelf.relative(source.facts)
        if known:
            return Made(reason=f"there is {known} already: {shelf.refusal(known) or 'ready'}")
        name = shelf.free_name(source.name, source.facts)
        if name != source.name:
            source = crystallize(generalization, uses=uses, successes=successes, like=like, name=name)
        traces = {example.trace.id: example.trace for example in generalization.examples}
        report = check_crystal(source.module(str(shelf.path(name))), traces, cwd=cwd, names=names)
        if not report.passed:
            return Made(reason=f"its tests did not pass: {report.reason}", report=report)
        return Made(shelf.install(name, source.text, report), report=report)
    except (NotCrystallizable, CrystalError) as error:
        return Made(reason=error.message)
