"""What the guard says about one thing an agent wants to do, as a value: a decision, the rule behind it, the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["ALLOWED", "Decision", "Verdict", "names", "worst"]

Decision = Literal["allow", "ask", "deny"]

#: Decisions from harmless to forbidden; the worst of several wins.
_SEVERITY: Final[dict[Decision, int]] = {"allow": 0, "ask": 1, "deny": 2}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``decision`` is ``allow``, ``ask`` (a person decides) or ``deny``; ``rule`` is the id of the rule that decided."""

    decision: Decision
    rule: str
    reason: str

    def __post_init__(self) -> None:
        if self.decision not in _SEVERITY:
            raise ValueError(f"Verdict: decision must be allow, ask or deny, got {self.decision!r}")

    @property
    def severity(self) -> int:
        """0 for allow, 1 for ask, 2 for deny."""
        return _SEVERITY[self.decision]

    def at_least_ask(self) -> Verdict:
        """The same verdict, but never ``allow``."""
        return self if self.severity else Verdict("ask", self.rule, self.reason)


#: Nothing to object to.
ALLOWED: Final = Verdict("allow", "ok", "no rule objects")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The first of the severest verdicts; ``ALLOWED`` if there are none."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=ALLOWED)


def names(text: str) -> frozenset[str]:
    """The words of ``text`` as a set: how the guard's tables are written down."""
    return frozenset(text.split())
