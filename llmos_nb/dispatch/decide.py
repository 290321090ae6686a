"""Which mode serves a goal: a pure function from what is known to a decision with its reason."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from llmos_nb.errors import ModeUnavailable, UnknownMode
from llmos_nb.memory import Match
from llmos_nb.settings import MODES

__all__ = ["Decision", "Offer", "Thresholds", "check_mode", "decide"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A crystal made from the program that a goal was matched with; ``refusal`` says why it cannot be used now."""

    name: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A mode, why it was taken, the match it rests on, the crystal to call, and what was not taken and why."""

    mode: str
    reason: str
    match: Match | None = None
    alternatives: tuple[str, ...] = ()
    crystal: str = ""

    def _repr_markdown_(self) -> str:
        lines = [f"**{self.mode}**: {self.reason}"]
        if self.match is not None:
            goal = self.match.trace.goal if self.match.trace is not None else self.match.trace_id
            lines.append(f"- from the run of `{goal}`, confidence {self.match.confidence:.2f}")
        if self.crystal:
            lines.append(f"- crystal `{self.crystal}`")
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


def decide(
    goal: str,
    match: Match,
    *,
    mode: str = "auto",
    thresholds: Thresholds | None = None,
    crystal: Offer | None = None,
    several: str = "",
) -> Decision:
    """The cheapest mode that fits ``goal``, given what memory says of it; ``mode`` forces one.

    No I/O, no look-up: everything it rests on is in its arguments. ``crystal`` is one of the program that ``match``
    found; ``several`` says how the goal was found to be several goals, and is empty where it is one.

    Raises:
        UnknownMode: there is no such mode.
        ModeUnavailable: the forced mode has nothing to work with.
    """
    limits = thresholds or Thresholds()
    mode = check_mode(mode)
    can_follow = match.verdict in ("replay", "rebind") and match.confidence >= limits.follower
    can_call = can_follow and crystal is not None and not crystal.refusal
    can_guide = match.trace is not None and match.verdict != "none" and match.confidence >= limits.mixed
    because = "; ".join(match.reasons) or "nothing like it was recorded"
    if mode == "auto":
        if can_call and crystal is not None:
            return Decision(
                "crystallized",
                because,
                match,
                ("follower: the function does the same, and was tested",),
                crystal.name,
            )
        if can_follow:
            others = ["learner: would work it out anew, at full cost"]
            if crystal is not None:
                others.insert(0, f"crystallized: {crystal.name} is not in use: {crystal.refusal}")
            return Decision("follower", because, match, tuple(others))
        if several:
            return Decision(
                "orchestrator",
                f"the goal is several goals: {several}",
                None,
                (
                    "follower: no trace fits the whole of it",
                    "learner: one agent would do all of it, one after the other",
                ),
            )
        if can_guide:
            return Decision("mixed", because, match, ("follower: the match is not certain enough to replay",))
        return Decision("learner", because, None, ("follower: no trace fits",))
    if mode in ("learner", "orchestrator"):
        return Decision(mode, "asked for", None)
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
    if can_call and crystal is not None:
        return Decision("crystallized", f"asked for; {because}", match, (), crystal.name)
    why = f"{crystal.name} is not in use: {crystal.refusal}" if crystal and crystal.refusal else (
        "no crystal was made from it yet" if can_follow else because
    )  # fmt: skip
    raise ModeUnavailable(
        f"No crystal can serve this goal: {why}.",
        remedy="Use --mode auto: a trace that fits is replayed as free, and used often it becomes a crystal.",
    )
