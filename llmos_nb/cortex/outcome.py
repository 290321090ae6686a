"""How a job ended, judged by evidence: the SDK's result, the guard's denials, the tools' errors. Never by the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from llmos_nb.cortex.job import Job
from llmos_nb.mind.delegates import DELEGATE
from llmos_nb.tools.asking import PROPOSED
from llmos_nb.tools.workbench import Call

__all__ = ["Outcome", "judge"]

_ANEW: Final = "Say in the goal what you want otherwise, or edit what is proposed instead of denying it."


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the six end states with its reason, and what the agent said."""

    status: str
    reason: str
    text: str
    remedy: str = ""


def judge(job: Job) -> Outcome:
    """The outcome of a job that is over."""
    result, text = job.result, job.text
    if job.ending:
        return Outcome(job.ending, job.ending_reason, text, job.remedy if job.ending_reason == job.failure else "")
    if job.failure:
        return Outcome("failed", job.failure, text, job.remedy)
    if result is None:
        return Outcome("failed", "the model's side ended without a result", text, "Run the goal again.")
    if result.subtype == "error_max_budget_usd":
        return Outcome("over_budget", "the run used up its budget", text)
    if result.is_error or result.subtype != "success":
        return Outcome("failed", _api_error(result), text, _api_remedy(result, job.endpoint.url))
    text = result.result if isinstance(result.result, str) and result.result else text
    if getattr(result, "stop_reason", None) == "refusal":
        return Outcome("failed", "the model refused to answer", text, "Say the goal in other words.")
    calls = job.workbench.calls
    last = _unmended(calls)
    whose = f" of {last.agent}" if last is not None and last.agent else ""
    if last is not None and last.status == "denied" and last.verdict.rule == PROPOSED:
        return Outcome("denied", f"{last.tool}{whose} was not made: {last.verdict.reason}", text, _ANEW)
    if last is not None and last.status == "denied":
        return Outcome("denied", f"the guard refused {last.tool}{whose}: {last.verdict.reason}", text)
    if last is not None and last.result is not None and last.result.refused:
        return Outcome("denied", f"the guard refused what {last.tool}{whose} did: {last.result.refused}", text)
    if last is not None and last.result is not None and last.status == "error":
        line, error = _said(last.result.text)[:200], last.result.error
        why = line if line.startswith(error) else f"{error}: {line}"
        return Outcome("failed", f"the last step{whose} ({last.tool}) failed: {why}", text)
    if job.told is not None and job.told.error:
        denials = getattr(result, "permission_denials", None) or ()
        denied = any(isinstance(denial, dict) and denial.get("tool_use_id") == job.told.call_id for denial in denials)
        verb = "was refused" if denied else "failed"
        return Outcome(
            "denied" if denied else "failed", f"the last step ({job.told.tool}) {verb}: {job.told.error[:300]}", text
        )
    if not text.strip() and not calls:
        return Outcome("failed", "the model answered nothing", text, "Run the goal again.")
    return Outcome("success", "the agent finished", text)


def _said(text: str) -> str:
    """The line of an error that says what happened: the last one, or what stands before the remedy."""
    lines = text.strip().splitlines() or [""]
    return lines[-2] if len(lines) > 1 and lines[-1].startswith("  -> ") else lines[-1]


def _unmended(calls: Sequence[Call]) -> Call | None:
    """The call that speaks against success: one that did not work, with nothing after it that did.

    The agent's own next step that works makes good whatever went wrong before it. A piece of work of a subagent went
    wrong when its last step did, whatever its report says; it is made good by the agent's own step, or by a subagent
    that was called after it.
    """
    steps = [call for call in calls if call.tool != "inspect"] or list(calls[-1:])
    wrong: dict[str, tuple[int, Call]] = {}
    began: dict[str, int] = {}
    ended: dict[str, int] = {}
    for number, call in enumerate(steps):
        work = call.delegation
        if call.agent:
            began.setdefault(work, number)
            wrong.pop(work, None)
            if call.status != "ok":
                wrong[work] = number, call
        elif call.status != "ok":
            wrong[""] = number, call
        elif call.tool != DELEGATE:
            wrong.clear()
        else:
            ended[work] = number
            if work in began and work not in wrong:
                wrong = {one: at for one, at in wrong.items() if one and ended.get(one, number) > began[work]}
    return max(wrong.values(), default=(0, None), key=lambda found: found[0])[1]


def _api_error(result: object) -> str:
    status = getattr(result, "api_error_status", None)
    said = str(getattr(result, "result", "") or "; ".join(getattr(result, "errors", None) or ()))
    subtype = str(getattr(result, "subtype", ""))
    if subtype == "error_max_turns":
        return "the agent used up its turns"
    where = f"the agent ended with {subtype}"
    if status or subtype == "success":  # the CLI calls its own loop a success when only the endpoint failed
        where = f"the endpoint answered {status}" if status else "the endpoint failed"
    return f"{where}: {said[:300]}" if said else where


def _api_remedy(result: object, url: str | None) -> str:
    status = getattr(result, "api_error_status", None)
    said = f"{getattr(result, 'result', '')}".lower()
    if url is not None and status is None and any(word in said for word in ("connect", "econn", "network", "socket")):
        return f"Is the server at {url} running? %llmos_endpoint shows and chooses where calls go."
    if "log in" in said or "logged in" in said or "/login" in said:
        return "Set ANTHROPIC_API_KEY, or log in once with Claude Code in a terminal."
    if status in (401, 403):
        return "Check the key; `llmos-nb doctor` tells which endpoint is used."
    if status == 404:
        return "Is the model's name right for this endpoint? %llmos_settings shows model; --model takes another one."
    if status == 413:
        return "Say the goal shorter, or have the agent read less at once."
    if status in (429, 529):
        return "The endpoint is busy or its rate limit reached: wait a little and run the goal again."
    if getattr(result, "subtype", "") == "error_max_turns":
        return "Raise max_turns in llmos.toml, or split the goal."
    return "Run the goal again; the message above is the endpoint's own."
