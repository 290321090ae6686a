"""From a goal and recorded ones that come close to a :class:`~llmos_nb.memory.match.Match`.

Pure: what it works on is handed to it. The order of things:

1. recorded goals of one program are its *wordings* and explain each other's words; the goal is compared with each
   (:mod:`llmos_nb.memory.reading`), and what passes *claims* it;
2. each claim gets a confidence from how far its program is ahead of every other (:mod:`llmos_nb.memory.confidence`);
3. the surest claims are bound to the goal's values (:mod:`llmos_nb.memory.programs`);
4. a second program that claims the goal about as surely, with other steps, forbids both, and so does a program whose
   wordings are taken for those of the first, where it could serve the goal as well. What is not served can still guide.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from llmos_nb.memory.binding import Served, bound_to, same_values
from llmos_nb.memory.confidence import CEILINGS, Signals, confidence_of
from llmos_nb.memory.match import Considered, Later, Match
from llmos_nb.memory.reading import Beside, Comparison, Lessons, Reading, compare, features, speaker_differs
from llmos_nb.memory.task import KEPT_LISTS, Asked, Known, Memo, Task
from llmos_nb.memory.trace import Trace

__all__ = ["Asked", "Known", "best_match", "same_values"]

#: Confidence from which a match is served: the default of the setting ``follower_confidence``.
SURE: Final = 0.92
#: Tiers in which every word is explained: beside one of a program, likelihood says nothing of the same program.
_EXPLAINED: Final = frozenset(("template", "words", "meaning"))
#: A second program this much less sure claims the goal as well.
RIVAL_MARGIN: Final = 0.02
#: Share of the wordings of two programs that may be taken for each other's.
CONTESTED: Final = 0.2
#: Confidence from which a goal with such a wording is served where the other program could not serve it.
_SURER: Final = 0.94
#: A program whose wordings explain the goal this much worse than another's is not served (natural logarithm).
_TOLD_APART: Final = -3.0
#: One whose wordings explain it this much better may be the less alike.
_TOLD_WELL: Final = 4.0
#: A difference of two cosines that says nothing.
_NO_NEARER: Final = 0.01
#: Confidence of a match that may guide and nothing more, at most, and the similarity from which one does.
_GUIDING: Final = 0.9
_GUIDES_FROM: Final = 0.75
#: Traces that guide; refused goals that are told; claims that are bound in turn before a match is given up.
_GUIDES: Final = 3
_TOLD: Final = 5
_TRIES: Final = 6


@dataclass(frozen=True, slots=True)
class _Claim:
    """A recorded goal that may be the same task, and how surely."""

    known: Known
    task: Task
    comparison: Comparison
    nearness: float
    confidence: float
    signals: Signals


@dataclass(frozen=True, slots=True)
class _Look:
    """What the goal looks like beside one program: the comparison with each wording, and how near it is."""

    task: Task
    nearness: list[float]
    near: float
    alike: float
    comparisons: list[Comparison | None]
    comparable: bool
    claims: bool
    told: float


def best_match(asked: Asked, known: Sequence[Known], lessons: Lessons, memo: Memo | None = None) -> Match:
    """The best use that can be made of the recorded goals ``known`` for ``asked``."""
    memo = memo or Memo()
    tasks = memo.tasks(known, lessons)
    return _worded_so(asked, known, tasks, lessons, memo) or _best(asked, known, tasks, lessons, memo)


def _worded_so(
    asked: Asked, known: Sequence[Known], tasks: Sequence[Task], lessons: Lessons, memo: Memo
) -> Match | None:
    """What :func:`_best` gives for a goal in a recorded wording, where no other program can rival the one that has it;
    None where that must be looked into.

    Equal wording needs no signals, so what the others look like beside the goal need not be known.
    """
    reading = asked.reading
    masked, sequence, said = reading.masked, reading.sequence, reading.said
    mine: Task | None = None
    holding = False
    for task in tasks:
        if masked in task.masked:
            if mine is not None:
                return None
            mine = task
        elif sequence in task.sequences:
            return None
        constants = task.evidence.constants
        holding = holding or bool(constants and constants.issubset(said))
    if mine is None or not mine.evidence.constants.issubset(said) or (holding and not mine.evidence.constants):
        return None
    task, rivals, everything = mine, tasks, _Explained(asked, known, lessons)
    if holding:  # without programs all goals of which have a value that this one has not
        rivals = [other for other in tasks if other.evidence.constants.issubset(said)]
        of_these = {id(one) for other in rivals for one in other.known}
        known = [one for one in known if id(one) in of_these]
    for other in rivals:
        if other is not task and memo.contested(task, other) > CONTESTED:
            return None
    nearness = task.nearness(asked.vector)
    claims: list[tuple[float, int, Comparison]] = []
    for wording, numbers in task.wordings:
        if wording.masked == reading.masked and wording.signature == reading.signature:
            made = compare(reading, wording, task.evidence)
            claims += [(-nearness[number], number, made) for number in numbers if made.tier == "template"]
    claims.sort(key=_FIRST)
    tries = 0
    for _, number, comparison in claims:
        one = task.known[number]
        confidence = confidence_of("template", None, one.reliability)
        if confidence - RIVAL_MARGIN < CEILINGS["meaning"]:
            continue  # others are tried before it
        tries += 1
        served = bound_to(asked, one, comparison, known, memo, task.evidence.constants)
        if served.steps is not None:
            return Match(
                served.verdict,
                confidence,
                one.trace.id,
                bindings=served.bindings,
                steps=served.steps,
                reasons=(served.reason,),
                trace=one.trace,
                lifted=asked.lifted,
                slots=served.slots,
                considered=Later(everything.considered),
                generalization=served.generalization,
                guides=Later(everything.guides),
            )
        if tries == _TRIES:
            break
    return None


class _Explained:
    """What :func:`_best` says beside its verdict, when somebody wants to know what else was looked at."""

    def __init__(self, asked: Asked, known: Sequence[Known], lessons: Lessons) -> None:
        self._of = asked, known, lessons

    @functools.cached_property
    def _match(self) -> Match:
        asked, known, lessons = self._of
        memo = Memo()  # its own: another thread may ask
        return _best(asked, known, memo.tasks(known, lessons), lessons, memo)

    def considered(self) -> tuple[Considered, ...]:
        return tuple(self._match.considered)

    def guides(self) -> tuple[Trace, ...]:
        return tuple(self._match.guides)


def _best(asked: Asked, known: Sequence[Known], tasks: Sequence[Task], lessons: Lessons, memo: Memo) -> Match:
    looks = _looks(asked, tasks, lessons, memo)
    if not any(look.claims for look in looks):
        return _nothing(asked, looks)
    rivals = _of_these_values(looks, asked.reading.said)
    beside = _Field.of(rivals)
    claims = [claim for look in rivals if look.claims for claim in _claims(look, beside)]
    if not claims:
        rivals, beside = looks, _Field.of(looks)
        claims = [claim for look in looks if look.claims for claim in _claims(look, beside)]
    claims.sort(key=lambda claim: (-claim.confidence, claim.comparison.distance, -claim.nearness))
    if len(rivals) < len(looks):
        of_these = {id(one) for look in rivals for one in look.task.known}
        known = [one for one in known if id(one) in of_these]
    return _judged(asked, claims, looks, known, rivals, memo)


def _nearest(looks: Sequence[_Look]) -> _Near:
    """All recorded goals, the nearest first."""
    near: _Near = []
    for look in looks:
        near += zip(look.nearness, look.task.known, look.comparisons, strict=True)
    near.sort(key=_FIRST, reverse=True)  # equals keep their order
    return near


def _looks(asked: Asked, tasks: Sequence[Task], lessons: Lessons, memo: Memo) -> list[_Look]:
    """What the goal looks like beside each program. That is seen once of a wording, whatever its values are; only where
    programs tell something about these values they count as well."""
    reading = asked.reading
    values = (reading.columns, reading.said) if any(reading.columns) else ()
    of = (reading.form or reading, asked.vector, *tasks)
    return memo.kept("looks", of, lambda: _looked(asked, tasks, lessons), values, KEPT_LISTS)


def _looked(asked: Asked, tasks: Sequence[Task], lessons: Lessons) -> list[_Look]:
    reading = asked.reading
    compared = [_compared(reading, task) for task in tasks]
    claimed = any(claims for _, _, claims in compared)  # else nothing has to be told apart
    said = features(reading)
    words = reading.words | reading.marks
    weights = {word: lessons.weight(word) for word in words}
    weight = math.fsum(weights.values())  # in whatever order a set gives them
    found = []
    for task, (comparisons, comparable, claims) in zip(tasks, compared, strict=True):
        nearness = task.nearness(asked.vector)
        told = task.voice.explains(said) if comparable and claimed else 0.0
        alike = task.alike(words, weights, weight) if claimed else 0.0
        found.append(_Look(task, nearness, max(nearness), alike, comparisons, comparable, claims, told))
    return found


def _of_these_values(looks: Sequence[_Look], said: Sequence[str]) -> Sequence[_Look]:
    """Without programs all recorded goals of which have a value that is not ``said``, if those of others have what is."""
    having = [look for look in looks if look.task.evidence.constants.issubset(said)]
    return having if any(look.comparable and look.task.evidence.constants for look in having) else looks


def _compared(asked: Reading, task: Task) -> tuple[list[Comparison | None], bool, bool]:
    """The comparisons with the wordings, and whether any of them is comparable, and any claims the goal.

    Equal wordings are compared once, and others than these kinds of values never.
    """
    comparisons: list[Comparison | None] = [None] * len(task.known)
    comparable = claims = False
    if asked.signature in task.signatures:
        beside = Beside(asked, task.evidence)
        for reading, numbers in task.wordings:
            if reading.signature == asked.signature:
                made = beside.compare(reading)
                comparable = comparable or made.comparable
                claims = claims or bool(made.tier)
                for number in numbers:
                    comparisons[number] = made
    return comparisons, comparable, claims


@dataclass(frozen=True, slots=True)
class _Field:
    """The best two of all programs: how near, how alike (of those with the same kinds of values, and of any), and how
    well their wordings explain the goal."""

    near: tuple[float, float]
    comparable: tuple[float, float]
    alike: tuple[float, float]
    told: tuple[float, float]

    @classmethod
    def of(cls, looks: Sequence[_Look]) -> _Field:
        comparable = [look for look in looks if look.comparable]
        return cls(
            _best_two([look.near for look in looks], 0.0),
            _best_two([look.alike for look in comparable], 0.0),
            _best_two([look.alike for look in looks], 0.0),
            _best_two([look.told for look in comparable], -math.inf),
        )


def _best_two(values: list[float], none: float) -> tuple[float, float]:
    first, second, *_ = (*sorted(values, reverse=True), none, none)
    return first, second


def _other(best: tuple[float, float], mine: float) -> float:
    """The best of the others."""
    return best[1] if mine == best[0] else best[0]


def _claims(look: _Look, beside: _Field) -> list[_Claim]:
    told = _other(beside.told, look.told)
    found = []
    likely = not any(made is not None and made.tier in _EXPLAINED for made in look.comparisons)
    for one, comparison, nearness in zip(look.task.known, look.comparisons, look.nearness, strict=True):
        if comparison is None or not comparison.tier or (comparison.tier == "likely" and not likely):
            continue
        signals = Signals(
            extra=min(3.0, comparison.extra),
            near=look.near,
            ahead=_within(look.near - _other(beside.near, look.near), 0.3),
            alike=look.alike,
            apart=_within(look.alike - _other(beside.comparable, look.alike), 0.5),
            alone=_within(look.alike - _other(beside.alike, look.alike), 0.5),
            told=max(-6.0, min(8.0, look.told - told)),
        )
        confidence = confidence_of(comparison.tier, signals, one.reliability)
        found.append(_Claim(one, look.task, comparison, nearness, confidence, signals))
    return found


def _within(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


_Near = list[tuple[float, Known, Comparison | None]]
_FIRST: Final = operator.itemgetter(0)


def _judged(
    asked: Asked,
    claims: Sequence[_Claim],
    every: Sequence[_Look],
    known: Sequence[Known],
    looks: Sequence[_Look],
    memo: Memo,
) -> Match:
    tried: list[tuple[_Claim, Served]] = []
    first: tuple[_Claim, Served] | None = None
    for claim in claims[:_TRIES]:
        if first is not None and (claim.task is first[0].task or not _rivals(first[0], claim)):
            continue
        served = bound_to(asked, claim.known, claim.comparison, known, memo, claim.task.evidence.constants)
        tried.append((claim, served))
        if first is None and served.steps is not None:
            first = claim, served
    claim, served = first or tried[0]
    confidence = claim.confidence
    doubt = ""
    if first is not None:

        def could_serve(look: _Look) -> bool:
            return _could_serve(asked, look, [c for c in claims if c.task is look.task], served, known, memo)

        doubt = _doubt(asked.reading, claim, served, tried, looks, memo, could_serve)
    reasons = [doubt, served.reason] if doubt else [served.reason]
    if doubt:
        served = Served("guide", "", generalization=served.generalization, slots=served.slots)
    if served.steps is None:
        confidence = min(confidence, _GUIDING)

    def considered() -> tuple[Considered, ...]:
        looked = [
            Considered(c.known.trace.id, c.known.trace.goal, c.comparison.tier, c.confidence, s.verdict, s.reason)
            for c, s in tried
        ]
        return (*looked, *_outdone(claims, tried), *_refused(asked, _nearest(every)))

    return Match(
        served.verdict,
        confidence,
        claim.known.trace.id,
        bindings=served.bindings,
        steps=served.steps,
        reasons=tuple(reasons),
        trace=claim.known.trace,
        lifted=asked.lifted,
        slots=served.slots,
        considered=Later(considered),
        generalization=served.generalization,
        guides=Later(lambda: _guides([c.known for c, _ in tried], _nearest(every))),
    )


def _doubt(
    asked: Reading,
    claim: _Claim,
    served: Served,
    tried: Sequence[tuple[_Claim, Served]],
    looks: Sequence[_Look],
    memo: Memo,
    could_serve: Callable[[_Look], bool],
) -> str:
    """Why the claim must not be served, in words; empty if it may. Wordings that are also those of another program are
    no doubt where that ``could_serve`` nothing else for this goal."""
    for other, steps in tried:
        others = steps.steps is None or steps.arguments != served.arguments
        if other.task is not claim.task and _rivals(claim, other) and others:
            return f"{other.known.trace.goal[:80]!r} claims this goal as well, with other steps"
    if claim.confidence < SURE:
        missing = f" ({claim.comparison.veto})" if claim.comparison.veto else ""
        return f"a confidence of {claim.confidence:.3f} is too little to replay{missing}"
    if claim.comparison.tier != "template" and (differs := speaker_differs(asked, claim.task.evidence)):
        return differs
    if claim.comparison.tier != "template" and _closer_elsewhere(asked, claim.signals):
        return "its wording is closer to another recorded program"
    for look in looks:
        task = look.task
        same = claim.known.reading.masked in task.masked
        if task is claim.task or (same and task.known[0].shape == claim.known.shape):
            continue  # runs of one and the same template: generalizing them judges these
        if memo.contested(claim.task, task) > CONTESTED and (claim.confidence < _SURER or could_serve(look)):
            return f"this wording is also that of another program: {task.known[0].trace.goal[:80]!r}"
    return ""


def _could_serve(
    asked: Asked, look: _Look, claims: Sequence[_Claim], served: Served, known: Sequence[Known], memo: Memo
) -> bool:
    """Whether a program that has these claims could be meant by the goal instead: it claims it, all values that each
    of its recorded goals has are there, and it does not come to the very steps that are ``served``.

    A program that only its values keep from claiming the goal could, too: of new values little is known.
    """
    if not look.comparable:
        return True
    if not claims or not look.task.evidence.constants.issubset(asked.reading.said):
        return False
    best = claims[0]
    other = bound_to(asked, best.known, best.comparison, known, memo, look.task.evidence.constants)
    return other.steps is None or other.arguments != served.arguments


def _closer_elsewhere(asked: Reading, signals: Signals) -> bool:
    """Whether the wordings of another program explain the goal far better, or are closer in sense, or in words and no
    farther in sense. Of the latter nothing is held against a program that explains the goal far better by its words,
    unless the goal has values that nobody knows the kind of: then those are among the words."""
    if signals.told < _TOLD_APART:
        return True
    closer = signals.ahead < 0 or (signals.alone < 0 and signals.ahead <= _NO_NEARER)
    return closer and (asked.strange or signals.told < _TOLD_WELL)


def _rivals(claim: _Claim, other: _Claim) -> bool:
    """Whether another claim is about as sure."""
    return other.confidence > claim.confidence - RIVAL_MARGIN


def _outdone(claims: Sequence[_Claim], tried: Sequence[tuple[_Claim, Served]]) -> list[Considered]:
    """The surest claims of programs that were not tried, since others are surer."""
    seen = {id(claim.task) for claim, _ in tried}
    found: list[Considered] = []
    for claim in claims:
        if id(claim.task) not in seen and len(found) < _TOLD:
            seen.add(id(claim.task))
            trace = claim.known.trace
            reason = f"another recorded goal is surer{f' ({claim.comparison.veto})' if claim.comparison.veto else ''}"
            found.append(Considered(trace.id, trace.goal, claim.comparison.tier, claim.confidence, "refused", reason))
    return found


def _refused(asked: Asked, near: _Near) -> list[Considered]:
    """The closest recorded goals that are another task, with why."""
    found = []
    for _, one, made in near:
        comparison = made or compare(asked.reading, one.reading)
        if not comparison.tier:
            found.append(Considered(one.trace.id, one.trace.goal, "", 0.0, "refused", comparison.veto))
            if len(found) == _TOLD:
                break
    return found


def _guides(first: Sequence[Known], near: _Near) -> tuple[Trace, ...]:
    close = [one for nearness, one, _ in near[:_TOLD] if nearness >= _GUIDES_FROM]
    found: dict[str, Trace] = {}
    for one in (*first, *close):
        found.setdefault(one.trace.id, one.trace)
    return tuple(found.values())[:_GUIDES]


def _nothing(asked: Asked, looks: Sequence[_Look]) -> Match:
    """No recorded goal is this task; a close one can still guide."""
    if not looks:
        return Match("none", 0.0, None, reasons=("no trace of this goal with these values",), lifted=asked.lifted)
    nearness = max(look.near for look in looks)
    look = next(look for look in looks if look.near == nearness)
    number = look.nearness.index(nearness)
    one = look.task.known[number]
    comparison = look.comparisons[number] or compare(asked.reading, one.reading)
    considered = Later(lambda: tuple(_refused(asked, _nearest(looks))))
    goal = one.trace.goal[:80]
    if nearness < _GUIDES_FROM:
        reasons = (f"the closest recorded goal, {goal!r}, is another task: {comparison.veto}",)
        return Match("none", 0.0, None, reasons=reasons, lifted=asked.lifted, considered=considered)
    reasons = (f"a similar goal was reached, {goal!r}, but it is not this one: {comparison.veto}",)
    return Match(
        "guide",
        round(min(_GUIDING, nearness), 4),
        one.trace.id,
        reasons=reasons,
        trace=one.trace,
        lifted=asked.lifted,
        considered=considered,
        guides=Later(lambda: _guides((), _nearest(looks))),
    )
