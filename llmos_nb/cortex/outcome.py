"""How a job ended, judged by evidence: the SDK's result, the guard's denials, the tools' errors. Never by the text."""

from __future__ import annotations

from dataclasses import dataclass

from llmos_nb.cortex.job import Job

__all__ = ["Outcome", "judge"]


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
        return Outcome(job.ending, job.ending_reason, text)
    if job.failure:
        return Outcome("failed", job.failure, text, job.remedy)
    if result is None:
        return Outcome("failed", "the model's side ended without a result", text, "Run the goal again.")
    if result.subtype == "error_max_budget_usd":
        return Outcome("over_budget", "the run used up its budget", text)
    if result.is_error or result.subtype != "success":
        return Outcome("failed", _api_error(result), text, _api_remedy(result, job.endpoint.url))
    text = result.result or text
    if getattr(result, "stop_reason", None) == "refusal":
        return Outcome("failed", "the model refused to answer", text, "Say the goal in other words.")
    calls = job.workbench.calls
    last = next((call for call in reversed(calls) if call.tool != "inspect"), calls[-1] if calls else None)
    if last is not None and last.status == "denied":
        return Outcome("denied", f"the guard refused {last.tool}: {last.verdict.reason}", text)
    if last is not None and last.result is not None and last.status == "error":
        line, error = (last.result.text.strip().splitlines() or [""])[-1][:200], last.result.error
        why = line if line.startswith(error) else f"{error}: {line}"
        return Outcome("failed", f"the last step ({last.tool}) failed: {why}", text)
    if job.told is not None and job.told.error:
        denials = getattr(result, "permission_denials", None) or ()
        denied = any(denial.get("tool_use_id") == job.told.call_id for denial in denials)
        verb = "was refused" if denied else "failed"
        return Outcome(
            "denied" if denied else "failed", f"the last step ({job.told.tool}) {verb}: {job.told.error[:300]}", text
        )
    if not text.strip() and not calls:
        return Outcome("failed", "the model answered nothing", text, "Run the goal again.")
    return Outcome("success", "the agent finished", text)


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
    if status in (429, 529):
        return "The endpoint is busy or its rate limit reached: wait a little and run the goal again."
    if getattr(result, "subtype", "") == "error_max_turns":
        return "Raise max_turns in llmos.toml, or split the goal."
    return "Run the goal again; the message above is the endpoint's own."
