"""From a generalized trace to a function: the recorded code, its places filled from typed parameters. No model.

The same examples give the same bytes, whenever and wherever.
"""

from __future__ import annotations

import builtins
import dataclasses
import keyword
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from llmos_nb.crystals.naming import RESERVED
from llmos_nb.errors import NotCrystallizable
from llmos_nb.learning.crystal_names import CUSTOMARY
from llmos_nb.learning.crystal_places import blank_for, plain_steps
from llmos_nb.learning.crystal_source import OWN_NAMES, CrystalSource, assembled
from llmos_nb.learning.crystal_text import Blank
from llmos_nb.learning.crystal_values import Named, Run, types_after
from llmos_nb.memory import Step
from llmos_nb.memory.programs import Example, Generalization, Parameter, Unbindable
from llmos_nb.memory.programs.solution import VARIABLES

__all__ = ["CrystalSource", "crystallize", "due", "name_from"]

#: Uses from which a trace's family may become a crystal, and the share of them that must have succeeded.
USES: Final = 5
SUCCESS: Final = 0.95

#: Words that say nothing about what a function is for.
_FILLERS: Final = frozenset(
    """a all an and are as at be by can do does for from give how i in into is it its me my of on only or our out please
    that the their then there these this those to us using want we what which with you your""".split()  # noqa: SIM905
)


class _Limits(Protocol):
    @property
    def crystal_uses(self) -> int | None: ...

    @property
    def crystal_success(self) -> float: ...


def due(uses: int, successes: int, confirmed: bool, settings: _Limits | None = None) -> bool:
    """Whether a family is used often and surely enough to become a crystal.

    ``confirmed``: there is nothing in it that contradicts its parameters. The thresholds are the settings
    ``crystal_uses`` and ``crystal_success``, 5 uses and 95 % where there are no settings.
    """
    least = USES if settings is None else settings.crystal_uses
    if least is None:  # never
        return False
    share = SUCCESS if settings is None else settings.crystal_success
    return confirmed and uses >= max(1, least) and successes >= share * uses


def name_from(template: str) -> str:
    """A function's name from a goal's template: its first words that say something.

    Never a word of Python's, a built-in's or one that ``llmos_nb.crystals`` has itself.
    """
    plain = re.sub(r"\{\{|\}\}", " ", template)
    words_only = re.sub(r"\{[^{}]*\}", " ", plain)
    ascii_text = unicodedata.normalize("NFKD", words_only).encode("ascii", "ignore").decode()
    words = [word for word in re.findall(r"[a-z][a-z0-9]*", ascii_text.lower()) if word not in _FILLERS]
    name = "_".join(words[:4])[:48].rstrip("_") or "crystal_of_goal"
    taken = {*RESERVED, *keyword.kwlist, *keyword.softkwlist, *dir(builtins), *CUSTOMARY, *OWN_NAMES}
    return f"{name}_crystal" if name in taken else name


def crystallize(
    generalization: Generalization,
    examples: Sequence[Example] | None = None,
    *,
    uses: int,
    successes: int,
    name: str | None = None,
    like: str | None = None,
) -> CrystalSource:
    """A function from what traces of one family have in common. Nothing is run, no model is asked.

    The code is that of one trace, ``like`` or the newest of the largest family, whose values are the defaults.

    Args:
        examples: the recorded runs that are its tests; all of the family that it can make again if None.
        uses: how often traces of the family were used, ``successes`` how often with success.
        name: the function's name; made from the goal's template if None.

    Raises:
        NotCrystallizable: with the reason, in words.
    """
    base = _base(generalization, examples, like)
    trace = base.trace
    family = generalization.family(trace.id)
    _check_family(generalization, trace.id, family)
    steps, shifts = plain_steps(trace.replayable_steps)
    steady = _steady(generalization, trace.id)
    patterns = [pair for number, pair in enumerate(generalization.patterns(trace.id)) if number not in steady]
    sure = [number for number, parameter in enumerate(family) if parameter.confirmed]
    named = [_named(family[number]) for number in sure]

    def blanks(names: Sequence[str]) -> list[Blank]:
        called = [parameter.name for parameter in family]
        for number, final in zip(sure, names, strict=True):
            called[number] = final
        return [
            blank_for(place, pattern, called, family, shifts)
            for place, pattern in patterns
            if pattern.kind != "constant"
        ]

    wanted = None if examples is None else {example.trace.id for example in examples}
    found = [
        Run(example.trace.id, bindings, *_called_otherwise(generalization, base, example))
        for example in generalization.examples
        if (wanted is None or example.trace.id in wanted)
        and (bindings := _made_again(generalization, base, example, family)) is not None
    ]
    runs = sorted(found, key=lambda run: run.trace_id)
    template = _template(generalization, base, family)
    bindings = _made_again(generalization, base, base, family) or {}
    return assembled(
        name or _unlike_names(name_from(template), steps),
        template,
        generalization.programs[generalization.examples.index(base)].shape,
        steps,
        [_with_values(parameter, bindings, runs) for parameter in named],
        blanks,
        runs,
        fixed={p.name: bindings[p.name] for p in family if not p.confirmed and p.name in bindings},
        uses=uses,
        successes=successes,
    )


def _base(generalization: Generalization, examples: Sequence[Example] | None, like: str | None) -> Example:
    """The trace whose code is taken: the newest one of the largest family."""
    if like is not None:
        return next(example for example in generalization.examples if example.trace.id == like)
    known = {example.trace.id for example in (examples if examples is not None else generalization.examples)}
    members = max(
        (
            generalization.members(example.trace.id)
            for example in generalization.examples
            if example.trace.id in known
        ),
        key=lambda ids: (not _is_refuted(generalization, ids), len(ids)),
        default=(),
    )
    found = [example for example in generalization.examples if example.trace.id in members]
    if not found:
        raise NotCrystallizable("There is no recorded run to make a function from.")
    return max(found, key=lambda example: (example.trace.created_at, example.trace.id))


def _is_refuted(generalization: Generalization, ids: Sequence[str]) -> bool:
    return not generalization.family(ids[0]) and len(ids) == 1


def _unlike_names(name: str, steps: Sequence[Step]) -> str:
    """The name, made another where the steps use it for something of their own."""
    words = {word for step in steps for word in re.findall(r"\w+", str(step.arguments.get("code", "")))}
    return f"{name}_crystal" if name in words else name


def _check_family(generalization: Generalization, trace_id: str, family: Sequence[Parameter]) -> None:
    found = next(
        f for f in generalization.families if trace_id in {generalization.examples[i].trace.id for i in f.members}
    )
    if not any(parameter.confirmed for parameter in family):
        return
    if len(found.worlds) != 1:
        raise NotCrystallizable(
            "The values of the recorded goals can be matched with each other in more than one way."
        )
    if found.worlds[0].solution.unclear:
        raise NotCrystallizable("A place in the steps can be read in too many ways.")


def _steady(generalization: Generalization, trace_id: str) -> set[int]:
    """Places that were the same in all runs, though a value might be behind them: ``read_csv`` of a ``.csv`` file.

    A goal is bound only to values with which both readings come out the same.
    """
    found = next(
        f for f in generalization.families if trace_id in {generalization.examples[i].trace.id for i in f.members}
    )
    patterns = found.worlds[0].solution.patterns if found.worlds else {}
    return {index for index, some in patterns.items() if any(pattern.kind == "constant" for pattern in some)}


def _named(parameter: Parameter) -> Named:
    words = parameter.kind.replace("_", " ")
    about = f"{words}, counted in {parameter.unit}" if parameter.unit else words
    return Named(parameter.name, parameter.type, None, (), about)


def _with_values(parameter: Named, bindings: Mapping[str, Any], runs: Sequence[Run]) -> Named:
    """The base's value as the default, and all that were recorded, in the order of the runs."""
    values = tuple(run.values[parameter.name] for run in runs)
    return dataclasses.replace(parameter, default=bindings[parameter.name], values=values)


def _made_again(
    generalization: Generalization, base: Example, example: Example, family: Sequence[Parameter]
) -> dict[str, Any] | None:
    """The values with which the function makes a recorded run again; None where it is another program's run."""
    if example.trace.id not in generalization.members(base.trace.id):
        return None
    own = generalization.bind(example.trace.id, example.slots)
    first = generalization.bind(base.trace.id, base.slots)
    if isinstance(own, Unbindable) or isinstance(first, Unbindable):
        return None
    for parameter in family:
        same = own.bindings.get(parameter.name) == first.bindings.get(parameter.name)
        if not parameter.confirmed and not same:
            return None
    if not any(parameter.confirmed for parameter in family):  # nothing may differ then
        mine, others = (_constants(generalization, one) for one in (base, example))
        if mine != others:
            return None
    return dict(own.bindings)


def _constants(generalization: Generalization, example: Example) -> list[Any]:
    return [place.value for place, _ in generalization.patterns(example.trace.id)]


def _called_otherwise(
    generalization: Generalization, base: Example, example: Example
) -> tuple[dict[str, str], dict[str, str]]:
    """Variables that each run named for itself, as the base and as this one calls them; and the types of all that this
    one left behind, by the base's names."""
    mine, others = (generalization.patterns(one.trace.id) for one in (base, example))
    called: dict[str, str] = {}
    own: dict[str, str] = {}
    for (place, pattern), (other, _) in zip(mine, others, strict=True):
        if place.role == "name" and place.context in VARIABLES and place.value != other.value:
            called[str(other.value)] = str(place.value)
            if pattern.kind == "constant":
                own[str(place.value)] = str(other.value)
    types = {called.get(name, name): kind for name, kind in types_after(example.trace.replayable_steps).items()}
    return own, types


def _template(generalization: Generalization, base: Example, family: Sequence[Parameter]) -> str:
    """The goal with the parameters' names where their values stood; values that never change stay."""
    offset = generalization.parameters.index(family[0]) if family else 0
    goal, position, pieces = base.trace.goal, 0, []
    for slot, number in zip(base.slots, generalization.order(base.trace.id), strict=True):
        if number is not None:
            pieces += [goal[position : slot.start], f"{{{family[number - offset].name}}}"]
            position = slot.end
    return " ".join("".join([*pieces, goal[position:]]).split())
