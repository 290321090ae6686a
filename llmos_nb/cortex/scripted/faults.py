"""What goes wrong on purpose, and on which request: a client's behaviour under bad weather can be tested with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from llmos_nb.errors import SettingsError

__all__ = ["FAULTS", "Fault", "FaultKind", "FaultPlan"]

FaultKind = Literal["401", "429", "500", "529", "error_event", "cut", "malformed", "slow", "hang"]

#: The kinds. The numbers are HTTP statuses; ``error_event`` is an overloaded_error inside a started stream, ``cut``
#: closes the socket in mid-answer, ``malformed`` sends broken JSON, ``slow`` waits between the pieces, ``hang`` sends
#: the headers and then nothing.
FAULTS: Final[tuple[str, ...]] = get_args(FaultKind)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Times are in seconds.

    Raises:
        SettingsError: an unknown kind or a negative number.
    """

    kind: FaultKind
    #: For ``429``: what the ``retry-after`` header says.
    retry_after_s: int = 1
    #: For ``slow``: the pause before each piece.
    delay_s: float = 0.2
    #: For ``cut``, ``malformed`` and ``error_event``: how many events are sent whole before it.
    after_events: int = 3

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise SettingsError(f"unknown fault {self.kind!r}.", remedy=f"There are {', '.join(FAULTS)}.")
        if min(self.retry_after_s, self.delay_s, self.after_events) < 0:
            raise SettingsError(f"{self}: the numbers must be 0 or more.")


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """``FaultPlan({1: "429", 3: Fault("slow", delay_s=1)})``: the n-th ``/v1/messages`` request meets a fault.

    Requests are counted from 1; ``always`` is met by every other one.
    """

    at: Mapping[int, Fault | FaultKind] = field(default_factory=dict)
    always: Fault | FaultKind | None = None

    def __post_init__(self) -> None:
        for number in (*self.at, 0):
            self.fault(number)  # a plan that names an unknown fault is refused at once

    def fault(self, number: int) -> Fault | None:
        """The fault that request ``number`` meets."""
        fault = self.at.get(number, self.always)
        return Fault(fault) if isinstance(fault, str) else fault
