"""Static displays of facts, sessions and insights: the same in every frontend; times only where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmos_nb.notebook.views import Page, Table

if TYPE_CHECKING:
    from llmos_nb.memory.facts import Fact, FactStore, Recalled
    from llmos_nb.memory.insights import Insight
    from llmos_nb.memory.sessions import LoggedSession
    from llmos_nb.system import LLMOS

__all__ = ["context_page", "fact_page", "facts_table", "found_table", "insights_table", "sessions_table"]


def facts_table(facts: FactStore, *, every: bool = False) -> Table:
    """The facts in force, or every one with its status; files that cannot be read are listed with what is wrong."""
    found = sorted(facts.all(every=every), key=lambda fact: (fact.date, fact.text))
    named = ("project",) if any(fact.project for fact in found) else ()
    columns = ("fact", "said by", "tags", *named, *(("status",) if every else ()), "id")
    rows = [
        (
            _line(fact.text), _said(fact), ", ".join(fact.tags), *((fact.project,) if named else ()),
            *((_status(fact),) if every else ()), fact.id,
        )
        for fact in found
    ]  # fmt: skip
    rows += [("(cannot be read)", problem, *("" for _ in columns[2:])) for problem in facts.problems.values()]
    return Table(
        columns,
        tuple(rows),
        empty="nothing is remembered yet: %remember TEXT, or a goal such as 'Remember that …'",
    )


def found_table(found: Sequence[Recalled]) -> Table:
    """Facts that were found, with how much they bear on what was asked."""
    return Table(
        ("fact", "relevance", "why", "said by", "id"),
        tuple((_line(one.fact.text), f"{one.score:.2f}", one.reason, _said(one.fact), one.fact.id) for one in found),
        empty="nothing that bears on it is remembered",
    )


def fact_page(facts: FactStore, fact_id: str) -> Page:
    """A fact's file, and the line of facts that it stands in.

    Raises:
        UnknownFact, FactFileError: there is none of that id, or its file cannot be read.
    """
    from llmos_nb.memory.facts.codec import dump

    chain = facts.history(fact_id)
    shown = dump(next(fact for fact in chain if fact.id == fact_id)).rstrip()
    if len(chain) == 1:
        return Page(shown)
    line = "\n".join(f"# {fact.date[:10]} {_status(fact)}: {_line(fact.text)} ({fact.id})" for fact in chain)
    return Page(f"{shown}\n\n{line}")


def sessions_table(sessions: Sequence[LoggedSession]) -> Table:
    """Every session, the newest first."""
    return Table(
        ("session", "status", "goals", "cost", "last goal"),
        tuple(
            (
                one.id,
                one.status,
                str(one.goals),
                "unknown" if one.cost_usd is None else f"${one.cost_usd:.4f}",
                _line(one.runs[-1].goal) if one.runs else "",
            )
            for one in sessions
        ),
        empty="no sessions yet: run a goal",
    )


def insights_table(insights: Sequence[Insight]) -> Table:
    """What runs that went well have in common."""
    named = ("projects",) if any(one.projects for one in insights) else ()
    return Table(
        ("insight", "kind", *named, "runs", "traces"),
        tuple(
            (
                one.text,
                one.kind,
                *((", ".join(one.projects),) if named else ()),
                str(len(one.traces)),
                ", ".join(one.traces[:3]),
            )
            for one in insights
        ),
        empty="nothing yet: insights come from goals that went well",
    )


def context_page(system: LLMOS) -> Page:
    """How full the model's context is."""
    use = system.context
    return Page("No conversation with the model yet." if use is None else str(use))


def _said(fact: Fact) -> str:
    return fact.source.partition(" run:")[0]


def _status(fact: Fact) -> str:
    return (
        f"superseded by {fact.superseded_by}" if fact.superseded_by and fact.status == "superseded" else fact.status
    )


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
