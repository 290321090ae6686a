"""The magics. Each parses its line and makes one Python call on :class:`~llmos_nb.system.LLMOS`."""

from __future__ import annotations

import asyncio
import keyword
import math
import re
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Final

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display

from llmos_nb.dispatch.presented import shown_already
from llmos_nb.errors import RunFailed, SettingsError
from llmos_nb.notebook import run_view, terminal
from llmos_nb.notebook.arguments import OPTIONS, not_understood, parse
from llmos_nb.notebook.around_magics import PendingGoal
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.run_magics import begin_in_background
from llmos_nb.notebook.variables import named
from llmos_nb.notebook.views import Page, Table, budget_page, trace_page, traces_table
from llmos_nb.system import LLMOS
from llmos_nb.system.running import waited_for

if TYPE_CHECKING:
    from llmos_nb.dispatch.trusting import TracePreview

__all__ = ["LlmosMagics", "amount"]

#: A variable as other magics replace it.
_BRACED: Final = re.compile(r"\{([^\W\d]\w*)\}")


@magics_class
class LlmosMagics(Magics):
    """``%%llmos`` and its companions, on one system."""

    grammars: ClassVar[dict[str, Grammar]] = {
        "llmos": Grammar(options=OPTIONS),
        "budget": Grammar({"set": (), "limits": ("limit",)}),
        "llmos_endpoint": Grammar(first="endpoint"),
        "traces": Grammar(),
        "trace": Grammar({"trust": ("trace",)}, first="trace"),
        "llmos_wrong": Grammar(first="trace"),
    }

    def __init__(self, shell: Any, system: LLMOS) -> None:
        super().__init__(shell=shell)
        self._names: dict[str, Any] = shell.user_ns
        self.system = system
        #: Whether cells are read by :func:`~llmos_nb.notebook.extension.awaited`; the one that loads the extension is not.
        self.awaited = True

    @no_var_expand
    @line_cell_magic
    def llmos(self, line: str, cell: str | None = None) -> Any:
        if line.strip() in ("-h", "--help"):
            return PendingGoal(self._help)
        parsed = parse(line)
        goal = "\n".join(part for part in (parsed.goal, cell) if part and part.strip())

        def work() -> Coroutine[Any, Any, Any]:
            found = self._goal(goal, parsed.values)
            return found if hasattr(self.shell, "kernel") else terminal.stopped_by_interrupt(found)

        return PendingGoal(work) if self.awaited else waited_for(work())

    llmos.__doc__ = (
        "Work on a goal in your own kernel: learned once by an agent, then replayed free and verified.\n\n"
        "    %%llmos [options]\n    Load penguins.csv and plot bill length against depth by species\n\n"
        "    result = %llmos [options] How many rows has df\n\n"
        "For example:\n\n"
        "    %llmos How many rows does penguins.csv have?\n"
        "    result = %llmos --agent data-analyst --budget 0.10 How many rows does penguins.csv have?\n"
        "    %llmos --explain How many rows does penguins.csv have?\n"
        "    %%time\n"
        "    %llmos How many rows does penguins.csv have?\n\n"
        "Options come first:\n\n"
        + "\n".join(f"    --{option.name + ' ' + option.value:18} {option.help}" for option in OPTIONS)
        + "\n\nThe goal is taken word for word: {name} is not replaced. For a value of yours use "
        "await llmos.execute(f'...').\n\n"
        "The same in Python: await llmos.execute(goal, mode=..., agent=..., budget_usd=..., model=..., resume=..., "
        "project=..., propose=..., sandbox=...)"
    )

    async def _help(self) -> Page:
        return Page(str(LlmosMagics.llmos.__doc__))

    async def _goal(self, goal: str, options: dict[str, str]) -> Any:
        with shown_already():  # by the view below
            return await self._answer(goal, options)

    async def _answer(self, goal: str, options: dict[str, str]) -> Any:
        system = self.system
        project = options.get("project")
        asked: dict[str, Any] = {
            "mode": options.get("mode"),
            "agent": options.get("agent"),
            "project": "" if project == "none" else project,
        }
        out = options.get("out", "")
        if out and (not out.isidentifier() or keyword.iskeyword(out)):
            raise SettingsError(f"--out {out}: not a variable's name.", remedy="Use letters, digits and _.")
        _check_together(options)
        if "known" in options:
            listed = system.known(goal)
            if out:
                self._names[out] = listed
            return listed
        if "explain" in options:
            decision = system.explain(goal, **asked)
            if out:
                self._names[out] = decision
            return decision
        money: dict[str, Any] = {"budget_usd": amount(options.get("budget")), "model": options.get("model")}
        if "background" in options:
            more = {"resume": options.get("resume"), "propose": "propose" in options, "out": out}
            more["sandbox"] = True if "sandbox" in options else None
            return begin_in_background(self.shell, system, goal, **asked, **money, **more)
        view, plan = self._view("" if "resume-plan" in options else goal, money["budget_usd"]), None
        try:
            if "plan" in options:
                plan = await system.plan(goal, asked["agent"], project=asked["project"], **money)
                if out:
                    self._names[out] = plan
                return plan
            if "resume-plan" in options:
                resumed = _run_id(options["resume-plan"], goal)
                result = await system.resume_plan(
                    resumed, at=options.get("at"), **money, propose="propose" in options
                )
            else:
                resume = options.get("resume")
                result = await system.execute(
                    goal, **asked, **money, resume=resume, propose="propose" in options,
                    sandbox=True if "sandbox" in options else None,
                )  # fmt: skip
        except asyncio.CancelledError:
            raise RunFailed(
                "the goal was stopped: interrupted", status="stopped", run_id="", remedy="Run it again to begin anew."
            ) from None
        finally:
            if isinstance(view, run_view.RunView):
                last = system.last  # an interrupted one, too
                view.close(result=last if last is not None and last.run_id == view.run_id else plan)
            elif view is not None:
                view.close()
        if out:
            self._names[out] = result
        if not result.ok:
            from llmos_nb.dispatch.refusal import WITH_A_KEY  # with the matcher, which takes its time

            display(result)
            remedy = "What is free instead stands above." if WITH_A_KEY in result.remedy else result.remedy
            remedy = f"{self._word_for_word(goal)}{remedy}"
            raise RunFailed(
                f"the goal ended in {result.status}: {result.reason}",
                status=result.status,
                run_id=result.run_id,
                remedy=remedy,
            )
        return result

    def _word_for_word(self, goal: str) -> str:
        """What to do where a goal has ``{name}`` of a variable, as other magics replace it; empty if it has none."""
        named = next((m[0] for m in _BRACED.finditer(goal) if m[1] in self._names), "")
        told = f"{named} was taken word for word: await llmos.execute(f'…') puts your variable in. "
        return told if named else ""

    def _view(self, goal: str, budget_usd: float | None) -> run_view.RunView | terminal.TerminalView | None:
        """The run view where a page can show it, or lines in the terminal that is asked from."""
        if not hasattr(self.shell, "kernel"):
            return terminal.TerminalView(self.shell, self.system) if terminal.is_terminal(self.shell) else None
        return run_view.RunView(self.system, goal=goal, budget_usd=budget_usd)

    @no_var_expand
    @line_magic
    def budget(self, line: str) -> Table:
        """Show or set what may be spent, in US dollars.

        %budget                         what may be spent and what was
        %budget set 20                  what the workspace may spend in all
        %budget limits day=2 session=1  limits by day (UTC) and session; none lifts one; run=0.2 is what any
                                        one goal may spend at most

        In Python: llmos.economy.limits, .set_limit(scope, usd), .balance_usd.
        """
        words = line.split()
        if words[:1] == ["set"] and len(words) == 2:
            self.system.economy.set_limit("workspace", amount(words[1]))
        elif words[:1] == ["limits"] and len(words) > 1:
            for scope, usd in [_scope(word) for word in words[1:]]:  # all are read before one is set
                self.system.economy.set_limit(scope, usd)
        elif words not in ([], ["show"]):
            usage = "Use %budget, %budget set 20, or %budget limits day=2 session=1 run=0.2."
            raise not_understood("%budget", line, ("show", "set", "limits"), usage)
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
        """The traces, newest first.

        %traces            all of them
        %traces WORDS      those that have each of the words in their goal, id, mode, agent, project or state

        %trace ID shows one. In Python: llmos.traces.rows(), .get(id).
        """
        return traces_table(self.system, line.strip())

    @no_var_expand
    @line_magic
    def trace(self, line: str) -> Page | TracePreview:
        """Show a trace's file, or put one into use that came from elsewhere.

        %trace ID                 its file
        %trace trust ID           what it would do: steps, the guard's word on each, files, hosts; nothing is run
        %trace trust ID SHOWN     trust it as it was shown, and only so: it may be replayed from now on

        In Python: llmos.traces.get(id), llmos.preview(id), llmos.trust(id, shown).
        """
        if not line.strip():
            raise SettingsError("%trace needs an id.", remedy="%traces lists them.")
        what, *rest = line.split()
        if what == "trust" and rest:
            if len(rest) > 2:
                raise SettingsError(f"%trace trust takes one trace, got {line!r:.60}.", remedy="%trace trust ID")
            trace_id = named(rest[0], self._names, "trace_id")
            return (
                Page(str(self.system.trust(trace_id, rest[1]))) if len(rest) == 2 else self.system.preview(trace_id)
            )
        return trace_page(self.system, named(line.strip(), self._names, "trace_id"))

    @no_var_expand
    @line_magic
    def llmos_wrong(self, line: str) -> Page:
        """Take a trace out of use because what it did is wrong, and show what else came from it.

        %llmos_wrong, %llmos_wrong last      the trace that the last goal made or replayed
        %llmos_wrong TRACE_ID                another one
        %llmos_wrong [TRACE_ID] -- REASON    with what is wrong about it

        In Python: llmos.wrong(trace_id, reason). %trace trust ID shows it, and how to take that back.
        """
        parts = re.split(r"(?:^|\s)--(?=\s|$)", line, maxsplit=1)
        which, reason = parts[0].strip(), parts[1].strip() if len(parts) > 1 else ""
        if " " in which:
            raise SettingsError(
                f"%llmos_wrong takes one trace, got {which!r:.60}.",
                remedy="A reason stands behind --: -- it is late.",
            )
        trace = named(which, self._names, "trace_id") if which not in ("", "last") else None
        return Page(str(self.system.wrong(trace, reason)))


#: Options that leave others without a meaning: those are refused, not passed over.
_ALONE: Final = {
    "resume-plan": ("mode", "agent", "plan", "resume", "explain", "sandbox"),
    "plan": ("mode", "resume", "explain", "propose", "sandbox"),
    "explain": ("propose", "sandbox"),
    "known": ("mode", "agent", "plan", "resume", "resume-plan", "explain", "propose", "background", "sandbox"),
    "background": ("explain", "plan", "resume-plan"),
}


def _check_together(options: dict[str, str]) -> None:
    for name, others in _ALONE.items():
        for other in others:
            if name in options and other in options:
                raise SettingsError(f"--{other} says nothing beside --{name}.", remedy=f"Leave --{other} out.")
    if "at" in options and "resume-plan" not in options:
        raise SettingsError("--at belongs to --resume-plan.", remedy="Write --resume-plan last --at NODE.")


def _run_id(text: str, goal: str) -> str | None:
    """The run that ``--resume-plan`` names; None for the last one."""
    if goal.strip():
        raise SettingsError("--resume-plan takes no goal: the plan has one.", remedy="Leave the goal out.")
    return None if text == "last" else text


def amount(text: str | None) -> float | None:
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
    scope, equals, value = word.partition("=")
    if not equals or scope not in ("day", "session", "workspace", "run"):
        raise SettingsError(
            f"{word}: not understood.", remedy="Write day=2, session=1 or run=0.2; none lifts a limit."
        )
    return scope, amount(value)
