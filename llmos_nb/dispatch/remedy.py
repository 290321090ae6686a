"""What a person can do next about a run that did not reach its goal, where what ended it does not say so itself."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmos_nb.cortex.scripted.player import NOT_GRANTED
from llmos_nb.kernel.approvals import NOBODY
from llmos_nb.kernel.spelled import spelled

if TYPE_CHECKING:
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.dispatch.run import Goal

__all__ = ["misplaced", "next_step", "with_next_step"]

#: What the watchdog says, and the option that lets a run go on for longer.
_LIMITS: Final = {
    "gave no sign of life": "`llmos-nb doctor` tells whether the endpoint answers; a slow one gets longer with "
    "llmos.configure(silence_limit_s=…).",
    "with the same arguments": "Say more exactly what is wanted, or where it is found; "
    "llmos.configure(repeat_limit=…) allows more repeats.",
    "brought nothing new": "Say more exactly what is wanted, or where it is found; llmos.configure(idle_turns=…) "
    "allows more such turns.",
    "MB of memory are held": "Free some memory (del, %reset), or llmos.configure(process_memory_mb=…).",
}
#: A word of a goal that may name a file.
_FILE: Final = re.compile(r"(?<![\w./\\-])[\w.-]*\w\.[A-Za-z]\w{0,7}\b(?![/\\])")


def next_step(goal: Goal, result: RunResult) -> str:
    """The next step after a run that ended in ``result``; empty after a success."""
    reason = result.reason
    if result.ok:
        return ""
    if result.status == "over_budget":
        return goal.more
    if result.status == "timed_out":
        own = goal.constraints.time_limit_s
        if own is not None and goal.project is not None and f" {own:g} s" in reason:
            return (
                f"Raise time_limit_s = {own:g} in {spelled(goal.project.folder / 'project.toml')}, or split the goal."
            )
        return "Give goals longer with llmos.configure(time_limit_s=…), or split this one."
    if result.status == "stopped":
        return next((remedy for said, remedy in _LIMITS.items() if said in reason), "Run it again to begin anew.")
    if result.status == "denied":
        if "was not granted" in reason or "not allowed" in reason:
            return f"%agents show {goal.agent.name} says what it is granted; --agent names another one."
        if NOBODY in reason:
            return "Run it where you can answer; a notebook that runs by itself, and a schedule, have nobody to ask."
        return "Say the goal so that it needs no such step, or do that step yourself in a cell and run it again."
    if "the last step" in reason:
        return (
            "The steps show what it tried: put right what the error names, or say the goal otherwise; run it again."
        )
    if NOT_GRANTED in result.text:
        return f"%agents lists who is granted what: name another one than {goal.agent.name} with --agent."
    return "Run it again; `llmos-nb doctor` looks for what does not work."


def with_next_step(goal: Goal, result: RunResult, hint: str, welcome: str) -> RunResult:
    """``result`` with what to do next.

    Where it failed or was denied, that begins with what is withheld here, or else with what was known beforehand:
    ``hint`` says it all, and ``welcome`` goes before the rest.
    """
    remedy = result.remedy or next_step(goal, result)
    if result.status in ("failed", "denied") and (told := _withheld(goal, result) or hint or welcome):
        remedy = told if told == hint else f"{told} {result.remedy}".strip()
    if remedy == result.remedy:
        return result
    notices = tuple(
        notice for notice in result.notices if notice not in remedy
    )  # what it says need not be told twice
    return dataclasses.replace(result, remedy=remedy, notices=notices)


def _withheld(goal: Goal, result: RunResult) -> str:
    """That a tool which a failed run speaks of is withheld here; empty where that is not so."""
    missed = [tool for tool in goal.withheld if tool in result.reason or tool in result.text]
    if missed and set(missed) <= set(goal.constraints.without):
        return (
            f"{goal.agent.name} has {', '.join(missed)}, but web_tools is deny here: %llmos_settings tells by whom."
        )
    if goal.project is None or not missed:
        return ""
    limits = spelled(goal.project.folder / "project.toml")
    return f"{goal.agent.name} has {', '.join(missed)}, but not in the project {goal.project.name}: see {limits}."


def misplaced(goal: Goal) -> str:
    """That a file which a goal names lies in its project's input, or where the kernel began and not in the project at all,
    so that no program finds it; empty if all is well."""
    if goal.project is None:
        return ""
    missing = [name for name in dict.fromkeys(_FILE.findall(goal.text)) if not _there(goal.cwd / name)]
    found = [name for name in missing if _there(goal.project.input / name)]
    if not found:
        outside = [name for name in missing if _there(Path.cwd() / name)]
        if not outside:
            return ""
        named = " and no ".join(outside)
        return f"There is no {named} in the project {goal.project.name}: what lies outside belongs in {goal.project.input}."
    folder = goal.project.input.name
    named = " and ".join(f"{folder}/{name}" for name in found)
    return f"There is no {' and no '.join(found)} in the project's folder. Did you mean {named}?"


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
