"""Which mode serves a goal: a pure function from what is known to a decision with its reason."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from llmos_nb.errors import ModeUnavailable, UnknownMode
from llmos_nb.memory import Match
from llmos_nb.settings import MODES

__all__ = ["Decision", "Thresholds", "check_mode", "decide"]


@dataclass(frozen=True, slots=True)
class Decision:
    """A mode, why it was taken, the match it rests on, and what was not taken and why."""

    mode: str
    reason: str
    match: Match | None = None
    alternatives: tuple[str, ...] = ()

    def _repr_markdown_(self) -> str:
        lines = [f"**{self.mode}**: {self.reason}"]
        if self.match is not None:
            lines.append(f"- trace `{self.match.trace_id}`, confidence {self.match.confidence:.2f}")
        lines += [f"- not {alternative}" for alternative in self.alternatives]
        return "\n".join([lines[0], "", *lines[1:]]).rstrip()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __str__(self) -> str:
        return self._repr_markdown_().replace("**", "").replace("`", "")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Confidences from which a match may be replayed, and from which it may guide."""

    follower: float = 0.92
    mixed: float = 0.75


def check_mode(mode: str) -> str:
    """The mode in lower case.

    Raises:
        UnknownMode: it is not one of :data:`llmos_nb.settings.MODES`.
    """
    found = mode.strip().lower() if isinstance(mode, str) else ""
    if found not in MODES:
        near = difflib.get_close_matches(found, MODES, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise UnknownMode(f"There is no mode {mode!r}.", remedy=f"{hint}The modes are {', '.join(MODES)}.")
    return found


def decide(goal: str, match: Match, *, mode: str = "auto", thresholds: Thresholds | None = None) -> Decision:
    """The cheapest mode that fits ``goal``, given what memory says of it; ``mode`` forces one.

    No I/O, no look-up: everything it rests on is in its arguments.

    Raises:
        UnknownMode: there is no such mode.
        ModeUnavailable: the forced mode has nothing to work with.
    """
    limits = thresholds or Thresholds()
    mode = check_mode(mode)
    can_follow = match.verdict in ("replay", "rebind") and match.confidence >= limits.follower
    can_guide = match.trace is not None and match.verdict != "none" and match.confidence >= limits.mixed
    because = "; ".join(match.reasons) or "nothing like it was recorded"
    if mode == "auto":
        if can_follow:
            return Decision("follower", because, match, ("learner: would work it out anew, at full cost",))
        if can_guide:
            return Decision("mixed", because, match, ("follower: the match is not certain enough to replay",))
        return Decision("learner", because, None, ("follower: no trace fits",))
    if mode == "learner":
        return Decision("learner", "asked for", None)
    if mode == "follower":
        if can_follow:
            return Decision("follower", f"asked for; {because}", match)
        raise ModeUnavailable(
            f"No trace can be replayed for this goal: {because}.",
            remedy="Run it with --mode auto or --mode learner first: it is replayed free from then on.",
        )
    if mode == "mixed":
        if match.trace is not None and match.verdict != "none":
            return Decision("mixed", f"asked for; {because}", match)
        raise ModeUnavailable(
            f"No trace can guide this goal: {because}.", remedy="Run it with --mode auto or --mode learner."
        )
    if mode == "crystallized":
        raise ModeUnavailable(
            "There are no crystals in this version.", remedy="Use --mode auto: a trace that fits is replayed as free."
        )
    raise ModeUnavailable(
        "Goals are not orchestrated in this version.", remedy="Use --mode auto and give the goals one by one."
    )
