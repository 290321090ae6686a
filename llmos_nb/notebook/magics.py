"""The magics. Each parses its line and makes one Python call on :class:`~llmos_nb.system.LLMOS`."""

from __future__ import annotations

import asyncio
import keyword
import math
from collections.abc import Coroutine
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display

from llmos_nb.errors import RunFailed, SettingsError
from llmos_nb.notebook.arguments import OPTIONS, parse
from llmos_nb.notebook.live import LiveView
from llmos_nb.notebook.views import Page, Table, agent_page, agents_table, budget_page, trace_page, traces_table
from llmos_nb.system import LLMOS

__all__ = ["LlmosMagics"]


@magics_class
class LlmosMagics(Magics):
    """``%%llmos`` and its companions, on one system."""

    def __init__(self, shell: Any, system: LLMOS) -> None:
        super().__init__(shell=shell)
        self._names: dict[str, Any] = shell.user_ns
        self.system = system
        if hasattr(shell, "set_hook"):
            shell.set_hook("complete_command", self._complete, str_key="%llmos")

    @no_var_expand
    @line_cell_magic
    def llmos(self, line: str, cell: str | None = None) -> Coroutine[Any, Any, Any]:
        if line.strip() in ("-h", "--help"):
            return self._help()
        parsed = parse(line)
        goal = "\n".join(part for part in (parsed.goal, cell) if part and part.strip())
        return self._goal(goal, parsed.values)

    llmos.__doc__ = (
        "Work on a goal in your own kernel: learned once by an agent, then replayed free and verified.\n\n"
        "    %%llmos [options]\n    Load penguins.csv and plot bill length against depth by species\n\n"
        "    result = %llmos [options] How many rows has df\n\n"
        "Options come first:\n\n"
        + "\n".join(f"    --{option.name + ' ' + option.value:18} {option.help}" for option in OPTIONS)
        + "\n\nThe goal is taken word for word: {name} is not replaced. For a value of yours use "
        "await llmos.execute(f'...').\n\n"
        "The same in Python: await llmos.execute(goal, mode=..., agent=..., budget_usd=..., model=...)"
    )

    async def _help(self) -> Page:
        return Page(str(LlmosMagics.llmos.__doc__))

    async def _goal(self, goal: str, options: dict[str, str]) -> Any:
        system = self.system
        asked = {"mode": options.get("mode"), "agent": options.get("agent")}
        out = options.get("out", "")
        if out and (not out.isidentifier() or keyword.iskeyword(out)):
            raise SettingsError(f"--out {out}: not a variable's name.", remedy="Use letters, digits and _.")
        if "explain" in options:
            decision = system.explain(goal, **asked)
            if out:
                self._names[out] = decision
            return decision
        view = self._view()
        unsubscribe = system.bus.subscribe(view.take, name="display") if view else None
        try:
            result = await system.execute(
                goal, **asked, budget_usd=_amount(options.get("budget")), model=options.get("model")
            )
        except asyncio.CancelledError:
            raise RunFailed("the goal was stopped: interrupted", status="stopped", run_id="") from None
        finally:
            if view is not None and unsubscribe is not None:
                unsubscribe()
                view.close()
        if out:
            self._names[out] = result
        if not result.ok:
            display(result)
            raise RunFailed(
                f"the goal ended in {result.status}: {result.reason}",
                status=result.status, run_id=result.run_id, remedy=result.remedy,
            )  # fmt: skip
        return result

    def _view(self) -> LiveView | None:
        """Live progress where a page can show it; a terminal would only repeat it."""
        if not hasattr(self.shell, "kernel"):
            return None
        endpoint = self.system.endpoint
        return LiveView(endpoint.label, endpoint.simulated)

    @no_var_expand
    @line_magic
    def agents(self, line: str) -> Table | Page:
        """List the agents, or show one: %agents, %agents show NAME. In Python: llmos.agents.list(), .get(name)."""
        words = line.split()
        if not words or words == ["list"]:
            return agents_table(self.system)
        if words[0] == "show" and len(words) == 2:
            return agent_page(self.system, words[1])
        raise SettingsError(f"%agents {line.strip()}: not understood.", remedy="Use %agents or %agents show NAME.")

    @no_var_expand
    @line_magic
    def budget(self, line: str) -> Table:
        """Show or set what may be spent, in US dollars.

        %budget                         what may be spent and what was
        %budget set 20                  what the workspace may spend in all
        %budget limits day=2 session=1  limits by day (UTC) and session; none lifts one; run=0.2 is for one goal

        In Python: llmos.economy.limits, .set_limit(scope, usd), .balance_usd.
        """
        words = line.split()
        if words[:1] == ["set"] and len(words) == 2:
            self.system.economy.set_limit("workspace", _amount(words[1]))
        elif words[:1] == ["limits"] and len(words) > 1:
            for scope, usd in [_scope(word) for word in words[1:]]:  # all are read before one is set
                if scope == "run":
                    self.system.settings = self.system.settings.with_(run_budget_usd=usd)
                else:
                    self.system.economy.set_limit(scope, usd)
        elif words not in ([], ["show"]):
            raise SettingsError(
                f"%budget {line.strip()}: not understood.",
                remedy="Use %budget, %budget set 20, or %budget limits day=2 session=1 run=0.2.",
            )
        return budget_page(self.system)

    @no_var_expand
    @line_magic
    def llmos_endpoint(self, line: str) -> Page:
        """Show or choose where model calls go: %llmos_endpoint claude | scripted | URL.

        In Python: llmos.endpoint, llmos.use_endpoint(endpoint).
        """
        wanted = line.strip()
        endpoint = self.system.use_endpoint(wanted) if wanted else self.system.endpoint
        return Page(f"Model calls go to {endpoint.label}.")

    @no_var_expand
    @line_magic
    def traces(self, line: str) -> Table:
        """List the traces, newest first. In Python: llmos.traces.rows()."""
        return traces_table(self.system)

    @no_var_expand
    @line_magic
    def trace(self, line: str) -> Page:
        """Show a trace's file: %trace ID. In Python: llmos.traces.get(id)."""
        if not line.strip():
            raise SettingsError("%trace needs an id.", remedy="%traces lists them.")
        return trace_page(self.system, line.strip())

    def _complete(self, shell: Any, event: Any) -> list[str]:
        """Options, and the values of the one before the cursor."""
        words = event.line.split()
        before = words[-1] if event.line.endswith(" ") else (words[-2] if len(words) > 1 else "")
        if before == "--agent":
            return [agent.name for agent in self.system.agents.list()]
        if before == "--mode":
            from llmos_nb.settings import MODES

            return list(MODES)
        return [f"--{option.name}" for option in OPTIONS]


def _amount(text: str | None) -> float | None:
    """Dollars from what a person typed; None from ``none`` or nothing."""
    if text is None or text.lower() == "none":
        return None
    try:
        usd = float(text.removeprefix("$"))
    except ValueError:
        usd = math.nan
    if not 0 <= usd < math.inf:
        raise SettingsError(f"{text!r} is not an amount.", remedy="Write US dollars, e.g. 0.50.")
    return usd


def _scope(word: str) -> tuple[str, float | None]:
    scope, equals, amount = word.partition("=")
    if not equals or scope not in ("day", "session", "workspace", "run"):
        raise SettingsError(
            f"{word}: not understood.", remedy="Write day=2, session=1 or run=0.2; none lifts a limit."
        )
    usd = _amount(amount)
    if scope == "run" and usd is None:
        raise SettingsError("run=none: one goal always has a limit.", remedy="Write a large one, e.g. run=5.")
    return scope, usd
