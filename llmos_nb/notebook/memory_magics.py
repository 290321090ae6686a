"""``%memory``, ``%remember`` and ``%sessions``: facts that outlive a goal, and what was done before."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.arguments import Option, not_understood, parse
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.memory_views import (
    context_page,
    fact_page,
    facts_table,
    found_table,
    insights_table,
    sessions_table,
)
from llmos_nb.notebook.views import Page, Table

__all__ = ["MemoryMagics"]

_WORDS: Final = {
    "list": (), "all": (), "search": (), "show": ("fact",), "forget": ("fact",), "supersede": ("fact",), "context": (),
    "insights": (),
}  # fmt: skip
_REMEMBER: Final = (
    Option("tags", "a,b", "words by which it is found"),
    Option("project", "NAME", "for goals in that project alone; none for all"),
)


@magics_class
class MemoryMagics(Magics):
    """The memory of one system, which keeps facts as ``system.facts`` and sessions as ``system.sessions``."""

    grammars: ClassVar[dict[str, Grammar]] = {
        "memory": Grammar(_WORDS),
        "remember": Grammar(options=_REMEMBER),
        "sessions": Grammar({"resume": ("session",)}, first="session"),
    }

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_magic
    def memory(self, line: str) -> Table | Page:
        """What is remembered.

        %memory                     the facts in force; %memory all: also those superseded or forgotten
        %memory search WORDS        the facts that bear on something, with how much and why
        %memory show ID             a fact's file, and what it superseded or what superseded it
        %memory forget ID           it is recalled no more; its file stays
        %memory supersede ID TEXT   another text takes its place
        %memory insights            what runs that went well have in common, from all traces
        %memory context             how full the model's context is, in the SDK's own figures

        In Python: llmos.facts.all(), .recall(query), .get(id), .forget(id), .supersede(id, text); llmos.insights();
        llmos.context.
        """
        what, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        facts = self.system.facts
        if what in ("", "list", "all") and not rest:
            return facts_table(facts, every=what == "all")
        if what == "search" and rest:
            return found_table(self.system.recall(rest))
        if what == "show" and rest:
            return fact_page(facts, rest)
        if what == "forget" and rest:
            fact = facts.forget(rest)
            return Page(f"Forgotten: {fact.text}\nIts file stays: {facts.folder.name}/{fact.id}.md")
        if what == "supersede" and len(rest.split(maxsplit=1)) == 2:
            return Page(str(facts.supersede(*rest.split(maxsplit=1))))
        if what == "context" and not rest:
            return context_page(self.system)
        if what == "insights" and not rest:
            return insights_table(self.system.insights())
        raise not_understood(
            "%memory",
            line,
            _WORDS,
            "Use %memory, %memory search WORDS, show ID, forget ID, supersede ID TEXT, insights or context. "
            "%remember TEXT keeps a fact.",
        )

    @no_var_expand
    @line_magic
    def remember(self, line: str) -> Page:
        """Keep a fact for goals to come: %remember [--tags a,b] [--project NAME] TEXT.

        With a project it is told to goals in that project alone. In Python: llmos.remember(text, tags=[...],
        project=...).
        """
        parsed = parse(line, _REMEMBER, "%remember")
        tags = [tag for tag in parsed.values.get("tags", "").split(",") if tag]
        project = parsed.values.get("project")
        return Page(str(self.system.remember(parsed.goal, tags=tags, project="" if project == "none" else project)))

    @no_var_expand
    @line_magic
    def sessions(self, line: str) -> Table | Page:
        """What was done before: %sessions lists the sessions, %sessions ID the goals of one, %sessions resume ID goes on
        with it. In Python: llmos.sessions, llmos.resume(id); await llmos.execute(goal, resume=run_id)."""
        words = line.split()
        if not words:
            return sessions_table(self.system.sessions)
        if words == ["resume"]:
            raise SettingsError("%sessions resume: which one?", remedy="%sessions lists them; then resume ID.")
        if words[0] == "resume" and len(words) == 2:
            found = self.system.resume(words[1])
            return Page(f"The session {found.id} goes on; it has {found.goals} goals so far.")
        if len(words) == 1:
            from llmos_nb.memory.sessions import find_session

            self.system.bus.flush()
            return Page(str(find_session(self.system.workspace / "memory" / "sessions", words[0])))
        raise SettingsError(
            f"%sessions {line.strip()}: not understood.", remedy="Use %sessions, %sessions ID or %sessions resume ID."
        )
