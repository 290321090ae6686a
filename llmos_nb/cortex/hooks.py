"""The five hooks on the SDK, each with a deadline of its own, each of which blocks when it fails.

A hook's body is a plain function of the job and the SDK's input that answers with the SDK's output (``{}``: no
objection). It runs on a worker thread, so that even one that hangs cannot hold up the others. Whatever goes wrong
(it raises, it is late, it answers rubbish) ends the job as failed and blocks the action it was asked about; a second
lock, ``on_failure="block"``, makes the SDK do the same should this module itself fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.cortex.job import Job
from llmos_nb.crystals.offered import PREFIX as CRYSTALS
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.events import Notice
from llmos_nb.kernel.secrets import redacted, redacted_data, secret_values
from llmos_nb.mind.delegates import DELEGATE
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.withheld import REMARK
from llmos_nb.tools.workbench import Caller

__all__ = ["ANSWER_TOOL", "HOOKS", "PREFIX", "Hook", "build_hooks", "caller_of", "is_frame", "plain_name"]

#: How the SDK names the tools of our in-process server.
PREFIX: Final = "mcp__llmos__"

#: What Claude Code has the model call where an ``output_format`` asks for an answer in JSON.
ANSWER_TOOL: Final = "StructuredOutput"

HookBody = Callable[[Job, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook: the SDK events it is attached to and its body."""

    name: str
    events: tuple[str, ...]
    body: HookBody


def plain_name(tool: str) -> str:
    """A tool's own name, without our server's prefix."""
    return tool.removeprefix(PREFIX)


def caller_of(given: Mapping[str, Any]) -> Caller:
    """Who makes the call that a hook is asked about: inside a subagent the SDK names it, and its piece of work."""
    delegation = str(given.get("agent_id") or "")
    return Caller(str(given.get("agent_type") or "?"), delegation) if delegation else Caller()


def _security(job: Job, given: Mapping[str, Any]) -> dict[str, Any]:
    """Grant and guard, for every tool call the model makes: a subagent's by its own grant."""
    tool, arguments, caller = plain_name(str(given["tool_name"])), dict(given["tool_input"]), caller_of(given)
    if tool == ANSWER_TOOL:
        return {}  # the form of the answer: it reads nothing, changes nothing, and exists only where one was asked for
    verdict = job.workbench.check(tool, arguments, caller)
    if verdict.decision == "deny":  # what a person has to answer waits where the call is made, not in a hook
        if verdict.rule != "stopping":
            job.workbench.note(tool, arguments, None, verdict=verdict, caller=caller)
        return _deny(verdict.reason)
    if tool == DELEGATE:
        task = " ".join(str(arguments.get("description") or arguments.get("prompt") or "").split())[:120]
        job.publish(Notice(run_id=job.run_id, text=f"{arguments['subagent_type']} is asked: {task}"))
    if tool not in TOOLS:
        job.workbench.foresee(tool, arguments)
    job.workbench.grant_pass(tool, arguments, "security", caller)
    return {}


def _budget(job: Job, given: Mapping[str, Any]) -> dict[str, Any]:
    """No tool call is begun with an empty purse."""
    if job.bill.exceeded:
        job.end("over_budget", "the run used up its budget")
        return _deny("the run's budget is used up")
    job.workbench.grant_pass(
        plain_name(str(given["tool_name"])), dict(given["tool_input"]), "budget", caller_of(given)
    )
    return {}


def _trace(job: Job, given: Mapping[str, Any]) -> dict[str, Any]:
    """Calls of our own tools are noted where they run; this notes those of the CLI's built-in tools."""
    tool = plain_name(str(given["tool_name"]))
    if tool in TOOLS or tool == ANSWER_TOOL or tool.startswith(CRYSTALS):
        return {}
    arguments = dict(given["tool_input"])
    failed = given["hook_event_name"] == "PostToolUseFailure"
    response = given.get("tool_response")
    text = str(given.get("error")) if failed else _text_of(response)
    caller, took_s = caller_of(given), 0.0
    if tool == DELEGATE and isinstance(response, Mapping):
        caller = Caller(delegation=str(response.get("agentId") or ""))
        failed = response.get("status", "completed") != "completed"
        took_s = _seconds(given.get("duration_ms"))
    job.workbench.note(
        tool,
        arguments,
        ToolResult(text=text, error="ToolError" if failed else ""),
        verdict=Verdict("allow", "", ""),
        caller=caller,
        duration_s=took_s,
    )
    return _kept_from_the_model(job, tool, given)


def _kept_from_the_model(job: Job, tool: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the model is told in place of a built-in tool's result that has a secret in it; ours withhold it themselves."""
    known = secret_values(job.workbench.namespace.names)
    if given["hook_event_name"] == "PostToolUseFailure":
        told = str(given.get("error"))
        if redacted(told, known) == told:
            return {}
        # The SDK lets nobody change what is told of a failure, so nothing at all is told.
        why = f"what {tool} said when it failed held what looks like a key, token or password, which no model may see"
        job.end("denied", why)
        return {"continue_": False, "stopReason": why}
    response = given.get("tool_response")
    clean = redacted_data(response, known)
    if clean == response:
        return {}
    return {
        "hookSpecificOutput": {
            "hookEventName": "PostToolUse",
            "updatedToolOutput": clean,
            "additionalContext": REMARK,
        }
    }


def _seconds(milliseconds: Any) -> float:
    return milliseconds / 1000 if isinstance(milliseconds, int | float) else 0.0


def _cost(job: Job, given: Mapping[str, Any]) -> dict[str, Any]:
    """After each tool call: the stream has charged what was used; a purse that is empty by now ends the run."""
    if job.bill.exceeded:
        job.end("over_budget", "the run used up its budget")
        return {"continue_": False, "stopReason": "the run's budget is used up"}
    return {}


def _memory(job: Job, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the task goes in beside the goal; nothing when nothing is."""
    given_too = "\n\n".join(text for text in (job.guidance, job.memory, job.namespace) if text)
    if not given_too:
        return {}
    if job.guidance:
        job.publish(Notice(run_id=job.run_id, text=f"gave the agent {len(job.guidance)} characters of guidance"))
    if job.memory and job.memory_injected is not None:
        job.publish(job.memory_injected)
    if job.namespace_told:
        job.publish(Notice(run_id=job.run_id, text=job.namespace_told))
    return {"hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": given_too}}


#: The five hooks, in the order a call meets them.
HOOKS: Final[tuple[Hook, ...]] = (
    Hook("memory", ("UserPromptSubmit",), _memory),
    Hook("security", ("PreToolUse",), _security),
    Hook("budget", ("PreToolUse",), _budget),
    Hook("trace", ("PostToolUse", "PostToolUseFailure"), _trace),
    Hook("cost", ("PostToolUse", "PostToolUseFailure"), _cost),
)


def build_hooks(
    hooks: tuple[Hook, ...], current: Callable[[], Job | None], deadline_s: float
) -> dict[str, list[Any]]:
    """The SDK's ``hooks`` option: every hook on its events, for all tools, blocking on failure."""
    from claude_agent_sdk import HookMatcher

    missing = {hook.name for hook in HOOKS} - {hook.name for hook in hooks}
    if missing:
        raise ValueError(f"hooks must include {', '.join(sorted(missing))}")
    attached: dict[str, list[Any]] = {}
    for hook in hooks:
        for event in hook.events:
            callback = _callback(hook, current, deadline_s)
            # The SDK's own timeout comes later than ours: it is the second lock.
            matcher = HookMatcher(hooks=[callback], on_failure="block", timeout=deadline_s * 2 + 5)
            attached.setdefault(event, []).append(matcher)
    return attached


def _callback(hook: Hook, current: Callable[[], Job | None], deadline_s: float) -> Any:
    async def run(given: Any, tool_use_id: str | None, context: Any) -> dict[str, Any]:
        job = current()
        if job is None:
            return _block(given, f"the {hook.name} hook has no run to work for")
        try:
            answer = await asyncio.wait_for(_on_thread(hook, job, given), deadline_s)
            problem = _rubbish(answer)
        except TimeoutError:
            problem = f"did not answer within {deadline_s:g} s"
        except Exception as error:  # noqa: BLE001 - whatever a hook raises must block
            problem = f"raised {type(error).__name__}: {error}"
        if not problem:
            return dict(answer)
        job.end("failed", f"the {hook.name} hook {problem}")
        return _block(given, f"the {hook.name} hook {problem}")

    return run


def _on_thread(hook: Hook, job: Job, given: Any) -> asyncio.Future[Any]:
    """The body's answer, from a thread of its own: a pool could be filled up by bodies that hang, and Python waits for
    a pool's threads when it ends."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Any] = loop.create_future()

    def hand_over(answer: Any, error: Exception | None) -> None:
        if answered.done():
            return
        if error is not None:
            answered.set_exception(error)
        else:
            answered.set_result(answer)

    def work() -> None:
        answer, problem = None, None
        try:
            answer = hook.body(job, given)
        except BaseException as error:  # noqa: BLE001 - whatever a hook raises must block
            problem = error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}")
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(hand_over, answer, problem)

    threading.Thread(target=work, name=f"llmos-hook-{hook.name}", daemon=True).start()
    return answered


#: Keys a hook may answer with, at the top and in ``hookSpecificOutput``.
_KEYS: Final = frozenset({"continue_", "stopReason", "hookSpecificOutput", "decision", "reason"})
_SPECIFIC: Final = frozenset(
    {"hookEventName", "permissionDecision", "permissionDecisionReason", "additionalContext", "updatedToolOutput"}
)


def _rubbish(answer: object) -> str:
    """What is wrong with a hook's answer, or an empty string."""
    if not isinstance(answer, dict) or not set(answer) <= _KEYS:
        return f"answered {answer!r:.60}"
    specific = answer.get("hookSpecificOutput", {})
    if not isinstance(specific, dict) or not set(specific) <= _SPECIFIC:
        return f"answered {answer!r:.60}"
    if specific.get("permissionDecision", "deny") != "deny":  # our hooks only ever object
        return f"answered {answer!r:.60}"
    return ""


def _deny(reason: str) -> dict[str, Any]:
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": reason,
        }
    }


def _block(given: Any, reason: str) -> dict[str, Any]:
    """The answer that blocks, whichever event asked."""
    event = given.get("hook_event_name") if isinstance(given, dict) else ""
    if event == "PreToolUse":
        return {**_deny(reason), "continue_": False, "stopReason": reason}
    if event == "UserPromptSubmit":
        return {"decision": "block", "reason": reason, "continue_": False, "stopReason": reason}
    return {"continue_": False, "stopReason": reason}


def is_frame(part: Any) -> bool:
    """Whether a part of a subagent's report is the client's own remark about it."""
    return isinstance(part, dict) and str(part.get("text", "")).startswith("<tools-used-before-summary>")


def _text_of(response: Any) -> str:
    """A built-in tool's response as text."""
    if isinstance(response, str):
        return response
    if isinstance(response, dict):
        if isinstance(response.get("content"), list):  # a subagent's report
            response = [part for part in response["content"] if not is_frame(part)]
            return _text_of(response)
        for key in ("stdout", "content", "text", "result"):
            if isinstance(response.get(key), str):
                return str(response[key])
        file = response.get("file")
        if isinstance(file, dict) and isinstance(file.get("content"), str):
            return str(file["content"])
    if isinstance(response, list):
        return "\n".join(str(part.get("text", part)) if isinstance(part, dict) else str(part) for part in response)
    return str(response)
