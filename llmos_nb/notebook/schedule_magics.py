"""``%schedule``: goals that are due later, every so often, or by a cron line."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import display

from llmos_nb.errors import ScheduleError, SettingsError
from llmos_nb.notebook.arguments import Option, not_understood, parse
from llmos_nb.notebook.between_cells import BetweenCells
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.magics import amount
from llmos_nb.notebook.schedule_views import Listing, job_page, schedule_listing
from llmos_nb.notebook.views import Page

__all__ = ["OPTIONS", "ScheduleMagics"]

OPTIONS: Final = (
    Option("every", "10min", "how often: 30s, 10min, 2h, 1d, or '2 hours' in quotes"),
    Option("cron", "LINE", "a cron line of five fields in quotes, e.g. '0 7 * * mon-fri', or @daily"),
    Option("at", "MOMENT", "once: 18:00 for the next one, or 2026-12-24T18:00"),
    Option("timezone", "ZONE", "of --at and --cron, e.g. Europe/Berlin; else the machine's own"),
    Option("name", "NAME", "the job's name; else made of the goal's first words"),
    Option("budget", "USD", "what each run may spend, in US dollars"),
    Option("agent", "NAME", "the agent that works on the goal, instead of the default one"),
    Option("mode", "MODE", "auto, crystallized, follower, mixed, learner or orchestrator"),
    Option("project", "NAME", "the project that the goal is run in"),
    Option(
        "sandbox", "", "work in a sandbox, on copies; llmos.take(run=llmos.schedule.last(NAME)) takes what it made"
    ),
    Option("catch-up", "", "make up, once, for what was missed because nobody was there"),
)
_WORDS: Final = {
    "list": (), "add": (), "show": ("job",), "pause": ("job",), "resume": ("job",), "remove": ("job",),
}  # fmt: skip
_NUMBER: Final = re.compile(r"[\d.]+")
_CLOCK: Final = re.compile(r"\d{1,2}:\d\d")
#: An option as Python says it.
_KEYWORD: Final = re.compile(r"\b(at|every|cron|timezone|name)=")


@magics_class
class ScheduleMagics(Magics):
    """The schedule of one system, which keeps it as ``system.schedule``."""

    grammars: ClassVar[dict[str, Grammar]] = {"schedule": Grammar(_WORDS, options=OPTIONS, after=("add",))}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system
        self.between = BetweenCells(shell, system)

    @no_var_expand
    @line_cell_magic
    def schedule(self, line: str, cell: str | None = None) -> Listing | Page | Any:
        what, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if cell is not None and what != "add":
            raise SettingsError(f"%%schedule {line.strip()}: not understood.", remedy="Write %%schedule add … here.")
        if what == "add":
            return self._add(rest, cell)
        if what in ("", "list") and not rest:
            return schedule_listing(self.system.schedule)
        if what not in _WORDS or what == "list" or len(rest.split()) != 1:
            usage = "Use %schedule, %schedule add [options] GOAL, or %schedule show|pause|resume|remove NAME."
            raise not_understood("%schedule", line, _WORDS, usage)
        return getattr(self, f"_{what}")(rest)

    schedule.__doc__ = (
        "Goals that are due later, every so often, or by a cron line.\n\n"
        "    %schedule                        the jobs, and who runs them\n"
        "    %schedule add [options] GOAL     also as %%schedule add, with the goal in the cell\n"
        "    %schedule show NAME              what is known of one, and what its last run in this kernel came to\n"
        "    %schedule pause NAME             let it rest; %schedule resume NAME: go on, also with a file edited by hand\n"
        "    %schedule remove NAME            take it off the schedule\n\n"
        "Options, exactly one of the first three:\n\n"
        + "\n".join(f"    --{option.name + ' ' + option.value:16} {option.help}" for option in OPTIONS)
        + "\n\nEach occurrence is a run of its own, between cells, with its own budget. It takes a kernel: the schedule is "
        "run by one\nkernel of the workspace as long as it lives, then by the next. What is due while there is none is "
        "missed, and told.\n\n"
        "In Python: llmos.schedule(goal, every='1 hour', budget_usd=0.2), .rows(), .last(name), .pause(name) …"
    )

    def _add(self, line: str, cell: str | None) -> Page:
        parsed = parse(line, OPTIONS, "%schedule add")
        given = parsed.values
        goal = "\n".join(part for part in (parsed.goal, cell) if part and part.strip())
        _check_whole(given, goal)
        job = _in_options(
            self.system.schedule,
            goal,
            at=given.get("at"),
            every=given.get("every"),
            cron=given.get("cron"),
            timezone=given.get("timezone"),
            name=given.get("name"),
            budget_usd=amount(given.get("budget")),
            agent=given.get("agent"),
            mode=given.get("mode"),
            project=given.get("project"),
            catch_up="catch-up" in given,
            sandbox="sandbox" in given,
        )
        self.between.start()
        holder = self.system.schedule.holder
        return Page(f"{job.name}: {job.timing}.\n{holder[:1].upper()}{holder[1:]}.")

    def _show(self, name: str) -> Any:
        result = self.system.schedule.last(name)
        row = next(row for row in self.system.schedule.rows() if row["name"] == name)
        if result is None:
            return job_page(row)
        display(job_page(row))
        for output in result.outputs:
            if output.is_stream:
                sys.stdout.write(output.text)
            else:
                display(output.data, metadata=output.metadata, raw=True)
        return result

    def _pause(self, name: str) -> Page:
        self.system.schedule.pause(name)
        return Page(f"{name} rests. %schedule resume {name} lets it go on.")

    def _resume(self, name: str) -> Page:
        self.system.schedule.resume(name)
        self.between.start()
        return Page(f"{name} goes on.")

    def _remove(self, name: str) -> Page:
        self.system.schedule.remove(name)
        return Page(f"{name} is removed.")


def _in_options(add: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """``add(…)``, whose errors say options as they are typed here."""
    try:
        return add(*given, **options)
    except ScheduleError as error:
        said = (_KEYWORD.sub(r"--\1 ", text) for text in (error.message, error.remedy))
        message, remedy = (re.sub(r"^(at|every|cron|timezone) (?=['\"])", r"--\1 ", text) for text in said)
        raise ScheduleError(message, remedy=remedy) from None


def _check_whole(given: dict[str, str], goal: str) -> None:
    """Refuse no time or two, and one that was cut in two at a space, so that the goal would begin with its rest."""
    every, at, cron = (given.get(name, "") for name in ("every", "at", "cron"))
    times = [f"--{name}" for name in ("every", "cron", "at") if name in given]
    if len(times) != 1:
        raise ScheduleError(
            f"{' and '.join(times)} together: one of them says when." if times else "When is not said.",
            remedy="Write --every 1h, --cron '0 7 * * mon-fri' or --at 18:00 before the goal.",
        )
    if cron and not cron.startswith("@") and " " not in cron.strip():
        raise ScheduleError(
            f"--cron {cron}: is cut at the first space.",
            remedy="Put the line in quotes: --cron '0 7 * * mon-fri'.",
        )
    if _NUMBER.fullmatch(every):
        raise ScheduleError(f"--every {every}: of what?", remedy="Write 30s, 10min, 2h or 1d; '10 min' in quotes.")
    if at and ":" not in at and _CLOCK.match(goal):
        raise ScheduleError(
            f"--at {at} {goal[:5]}: is cut in two at the space.", remedy="Put it in quotes: --at '2026-12-24 18:00'."
        )
