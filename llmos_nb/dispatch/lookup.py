"""What was recorded for a goal, and what to do about it: looked up among traces, crystals and tasks of packs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from llmos_nb.crystals import Crystal
from llmos_nb.dispatch.belonging import belongs, nearness, services_in, stranger
from llmos_nb.dispatch.decide import Decision, Offer, Thresholds, decide
from llmos_nb.dispatch.orchestrator.detect import find_parts
from llmos_nb.dispatch.orchestrator.handoff import told_else
from llmos_nb.dispatch.recalled import outdated
from llmos_nb.dispatch.run import Parts
from llmos_nb.dispatch.shipped import shipped_match
from llmos_nb.dispatch.wording import in_words
from llmos_nb.errors import CrystalError
from llmos_nb.learning.guidance import Guide, differences
from llmos_nb.learning.possible import obstacle
from llmos_nb.memory import Match, Trace
from llmos_nb.memory.forms import Shaped, lift_trace
from llmos_nb.memory.library import task_of
from llmos_nb.memory.slots import Vocabulary
from llmos_nb.projects import Project
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.vocabulary import vocabulary_of
from llmos_nb.tools.workbench import Workbench

__all__ = ["Lookup", "guides_of", "is_whole", "not_from_here"]


class Lookup:
    """Looks goals up with the settings and the variables as they are now. Nothing is run."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._words: tuple[dict[str, list[str]], Vocabulary] | None = None

    def vocabulary(self) -> Vocabulary:
        """The words that mean something in the namespace now; made anew when they changed."""
        words = vocabulary_of(self.parts.namespace.names)
        if self._words is None or self._words[0] != words:
            self._words = (words, Vocabulary(words))
        return self._words[1]

    def several(self, text: str) -> str:
        """How a goal was found to be several goals; empty where it is one, or must be taken for one."""
        return find_parts(text).why if self.parts.settings.orchestrate == "auto" else ""

    def match(
        self,
        text: str,
        agent: str | None,
        cwd: Path,
        project: Project | None = None,
        handed: str = "",
        vocabulary: Vocabulary | None = None,
    ) -> Match:
        """What was recorded for a goal: in a project first what its own runs were, then those of all."""
        services = services_in(self.parts.services, project)

        def prefer(trace: Trace) -> float:
            late = told_else(trace, handed, cwd) or outdated(trace, text, services, self.parts.settings)
            return 0.0 if late else nearness(trace, project, cwd)

        asked: Any = {
            "vocabulary": self.vocabulary() if vocabulary is None else vocabulary,
            "agent": agent,
            "prefer": prefer,
        }
        if project is not None:
            match = self.parts.store.match(text, only=lambda trace: belongs(trace, project), **asked)
            if match.steps is not None:
                return match
        match = in_words(self.parts.store.match(text, **asked), text)
        library, settings = self.parts.library, self.parts.settings
        if library is None or settings.library == "never" or agent is not None:
            return match
        if match.steps is not None and match.confidence >= settings.follower_confidence:
            return match
        shipped = shipped_match(text, library, self.parts.store, self.parts.namespace.names)
        if shipped.steps is not None:
            return shipped
        return dataclasses.replace(match, reasons=(*match.reasons, *shipped.reasons)) if shipped.reasons else match

    def decide(self, text: str, mode: str, match: Match, *, several: str = "") -> Decision:
        """What to do about a goal for which ``match`` was found; ``several`` says how it is several goals.

        Raises:
            UnknownMode, ModeUnavailable: see :func:`llmos_nb.dispatch.decide.decide`.
        """
        settings = self.parts.settings
        thresholds = Thresholds(settings.follower_confidence, settings.mixed_confidence)
        crystal = self._crystal(match)
        offer = Offer(crystal.name, self.parts.crystals.refusal(crystal.name)) if crystal is not None else None
        return decide(text, match, mode=mode, thresholds=thresholds, crystal=offer, several=several)

    def _crystal(self, match: Match) -> Crystal | None:
        """The crystal of the program that ``match`` found, whether it may be used or not."""
        if match.trace is None or match.steps is None:
            return None
        members = {match.trace.id}
        if match.generalization is not None:
            members |= set(match.generalization.members(match.trace.id))
        shelf = self.parts.crystals
        for name in shelf.names():
            try:
                if not members.isdisjoint(shelf.module(name).facts.traces):
                    return shelf.get(name)
            except CrystalError:
                continue  # a file that cannot be used; %crystals tells
        return None

    def obstacle(self, match: Match, text: str, cwd: Path, project: Project | None) -> str:
        """Why the replay that a match offers would not even be begun; nothing is run."""
        assert match.trace is not None and match.steps is not None
        old = told_else(match.trace, "", cwd) or outdated(
            match.trace, text, services_in(self.parts.services, project), self.parts.settings
        )
        if old:
            return old
        bench = Workbench(
            "explain",
            namespace=self.parts.namespace,
            workspace=self.parts.settings.workspace.resolve(),
            cwd=cwd,
            grant=TOOLS,
            publish=lambda event: None,
            services=services_in(self.parts.services, project),
        )
        return obstacle(match.trace, [step for step in match.steps if step.expect.replay], bench)


def not_from_here(trace: Trace, project: Project | None, cwd: Path) -> str:
    """:func:`stranger`; what came with a pack was worked out for any project."""
    return "" if task_of(trace) else stranger(trace, project, cwd)


def is_whole(match: Match) -> bool:
    """Whether the match is with a recorded plan, all of it."""
    return match.trace is not None and match.trace.mode == "orchestrator"


def guides_of(match: Match, vocabulary: Vocabulary | None) -> tuple[Guide, ...]:
    """The traces that guide the agent, the closest first, each with what its goal has otherwise."""
    traces = match.guides or ((match.trace,) if match.trace is not None else ())
    guides = []
    for trace in traces:
        there = lift_trace(Shaped(trace), vocabulary).slots
        told = differences(there, match.lifted.slots) if match.lifted is not None else ()
        guides.append(Guide(trace, told))
    return tuple(guides)
