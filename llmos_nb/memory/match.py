"""The answer to "have we done this before?", as a value with its reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar, overload

from llmos_nb.memory.trace import Step, Trace

if TYPE_CHECKING:
    from llmos_nb.memory.programs import Generalization
    from llmos_nb.memory.slots import Lifted, Slot

__all__ = ["Candidate", "Considered", "Later", "Match", "Verdict", "in_order", "passed_over", "strange"]

Verdict = Literal["replay", "rebind", "guide", "none"]
_T = TypeVar("_T")


class Later(Sequence[_T]):
    """A tuple that is made when somebody looks: what explains a match is told of few of them."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], tuple[_T, ...]]) -> None:
        self._make: Callable[[], tuple[_T, ...]] | None = make
        self._made: tuple[_T, ...] = ()

    def _all(self) -> tuple[_T, ...]:
        make = self._make
        if make is not None:
            self._made = make()
            self._make = None
        return self._made

    @overload
    def __getitem__(self, at: int) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[_T, ...]: ...
    def __getitem__(self, at: int | slice) -> _T | tuple[_T, ...]:
        return self._all()[at]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, Later) else other)

    __hash__: Final = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (self._all(),)


@dataclass(frozen=True, slots=True)
class Considered:
    """A recorded goal that was looked at: how it compares (``tier``, empty when it is another task), what could be done
    with it (``replay``, ``rebind``, ``guide`` or ``refused``), and why."""

    trace_id: str
    goal: str
    tier: str
    confidence: float
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Match:
    """Which trace fits a goal, how surely, and what may be done with it."""

    verdict: Verdict
    #: Among matches given this number, at least that share is right. 1.0: the same goal with the same values.
    confidence: float
    trace_id: str | None
    #: Slot name to the value it gets; empty where the goal's values are the recorded ones.
    bindings: Mapping[str, Any] = field(default_factory=dict)
    #: The steps, bound and ready to replay; None for ``guide`` and ``none``.
    steps: tuple[Step, ...] | None = None
    #: Why, in words for a person.
    reasons: tuple[str, ...] = ()
    trace: Trace | None = None
    #: The goal taken apart: its template and slots.
    lifted: Lifted | None = None
    #: The goal's values in the order of those of the recorded goal, where that is known.
    slots: tuple[Slot, ...] = ()
    #: Every recorded goal that was looked at, the closest first.
    considered: Sequence[Considered] = ()
    #: How several runs of the task were made one program, where that was needed.
    generalization: Generalization | None = None
    #: Successful traces that may guide an agent, the closest first.
    guides: Sequence[Trace] = ()
    #: Why a run of this very goal that a person can put back into use was not taken; empty where there is none.
    passed_over: str = ""
    #: What is to be known of the data that the steps will work on.
    notes: tuple[str, ...] = ()


def strange(trace_id: str) -> str:
    """What a person is told of a recorded run that came from elsewhere."""
    what = f"%trace trust {trace_id} shows what it would do"
    return f"The run {trace_id} was not recorded here, so it was not replayed; {what}."


def passed_over(trace_id: str, why: str) -> str:
    """What a person is told of a run that was not replayed because of what a person did to it, and what to do."""
    return (
        f"The recorded run {trace_id} {why}, so it was not replayed; %trace trust {trace_id} shows what it would do."
    )


class Candidate(NamedTuple):  # as :class:`~llmos_nb.memory.lookup.found.Found` is
    """What the index knows of one trace that has the goal's key."""

    path: str
    id: str
    digest: str
    status: str
    replayable: bool
    agent: str
    created_at: str
    #: When the file was written: several traces can be of one second.
    mtime_ns: int
    uses: int
    failures: int
    #: What a person said is wrong with it.
    wrong: str = ""


def in_order(candidates: Iterable[Candidate], agent: str | None) -> tuple[list[Candidate], list[str]]:
    """The candidates that may be replayed, best first, and why others may not.

    Fewer failures in use come first; among equals the newest, since it knows the world best.
    """
    found = list(candidates)
    if len(found) == 1:  # as most have it
        (one,) = found
        if one.replayable and one.status == "success" and not one.wrong and agent in (None, one.agent):
            return found, []
    usable = [c for c in found if c.replayable and (agent is None or c.agent == agent)]
    reasons = []
    ended = [c for c in found if c.status != "success"]
    if ended:
        states = ", ".join(sorted({c.status for c in ended}))
        reasons.append(f"{_count(len(ended))} of this goal ended in {states}, and only success is replayed")
    wrong = [c for c in found if c.status == "success" and c.wrong]
    if wrong:
        reasons.append(f"{wrong[0].id} was called wrong: {wrong[0].wrong.partition(' ')[2]}")
    idle = sum(c.status == "success" and not c.replayable and not c.wrong for c in found)
    if idle:
        reasons.append(f"{_count(idle)} of this goal has no step to replay")
    others = sorted({c.agent or "no agent" for c in found if c.replayable and agent is not None and c.agent != agent})
    if others:
        reasons.append(f"other traces of this goal are by {', '.join(others)}, not {agent}")
    usable.sort(key=lambda c: (c.created_at, c.mtime_ns, c.id), reverse=True)
    usable.sort(key=lambda c: c.failures)
    return usable, reasons


def _count(number: int) -> str:
    return "1 trace" if number == 1 else f"{number} traces"
