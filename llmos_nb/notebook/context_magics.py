"""``%context``: what the agent sees."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.arguments import Option, parse, suggestion
from llmos_nb.notebook.completion import Grammar

__all__ = ["ContextMagics"]

_OPTIONS: Final = (
    Option("agent", "NAME", "the agent that would work on it, instead of the default one"),
    Option("mode", "MODE", "auto, crystallized, follower, mixed, learner or orchestrator"),
    Option("project", "NAME", "the project that it would belong to; none for no project"),
)


@magics_class
class ContextMagics(Magics):
    """``%context`` on one system."""

    grammars: ClassVar[dict[str, Grammar]] = {"context": Grammar({"last": ()}, options=_OPTIONS)}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_cell_magic
    def context(self, line: str, cell: str | None = None) -> Any:
        """What the agent sees: prompt, tools, project, guidance, facts, your variables; and the tokens of each part.

        %context                       what it sees whatever the goal is
        %context [--agent NAME] GOAL   what it would see of this goal; nothing is run, nothing is paid
        %%context                      the same, with the goal in the cell
        %context last                  what it saw in the last run that asked it, with the SDK's own count

        Variables are described by names, types, shapes and columns, never by values; secrets are withheld. Switch that off
        with %config LLMOSMagics.namespace_summary = 0. In Python: llmos.context_of(goal), result.seen, llmos.context.
        """
        parsed = parse(line, _OPTIONS, "%context")
        goal = "\n".join(part for part in (parsed.goal, cell) if part and part.strip())
        if goal.strip() == "last" and not parsed.values:
            found = self.system.last_seen
            if found is None:
                raise SettingsError(
                    "No agent was asked in this session yet.", remedy="Run a goal that is new, or say %context GOAL."
                )
            return found
        if near := suggestion(goal.strip(), ["last"], "%context "):
            raise SettingsError(f"%context {goal.strip()}: not understood.", remedy=f"{near}Or say more of the goal.")
        asked = dict(parsed.values)
        if asked.get("project") == "none":
            asked["project"] = ""
        return self.system.context_of(goal, **asked)
