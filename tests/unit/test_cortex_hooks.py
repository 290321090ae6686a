"""A hook's wrapper, without the SDK: what it lets through, what it blocks, and that it never waits too long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from llmos_nb.cortex.hooks import HOOKS, PREFIX, Hook, build_hooks, plain_name

pytest.importorskip("claude_agent_sdk")

EVENTS = {"PreToolUse", "PostToolUse", "PostToolUseFailure", "UserPromptSubmit"}


class FakeJob:
    """The job that a hook works for, as far as the wrapper goes."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []

    def end(self, status: str, reason: str) -> None:
        self.ended.append((status, reason))


def wrapped(body: Callable[..., Any], job: Any, event: str = "PreToolUse", deadline_s: float = 5.0) -> Any:
    """The callback that the SDK is given for a hook with this body."""
    others = tuple(Hook(hook.name, (), hook.body) for hook in HOOKS if hook.name != "security")
    (matcher,) = build_hooks((Hook("security", (event,), body), *others), lambda: job, deadline_s)[event]
    return matcher.hooks[0]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": "known"}},
        {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "deny"}},
        {"continue_": False, "stopReason": "enough"},
    ],
)
async def test_answer_that_makes_sense_is_passed_on(answer: dict[str, Any]) -> None:
    job = FakeJob()
    assert await wrapped(lambda job, given: answer, job)({"hook_event_name": "PreToolUse"}, "t", None) == answer
    assert job.ended == []


def _raise(job: Any, given: Any) -> Any:
    raise KeyError("tool_name")


@pytest.mark.parametrize("event", sorted(EVENTS))
@pytest.mark.parametrize(
    "body",
    [_raise, lambda *_: None, lambda *_: [], lambda *_: "ok", lambda *_: {"ok": 1}, lambda *_: {1: 2},
     lambda *_: {"hookSpecificOutput": "deny"}, lambda *_: {"hookSpecificOutput": {"permissionDecision": "allow"}},
     lambda *_: {"hookSpecificOutput": {"permissionDecision": None}},
     lambda *_: {"hookSpecificOutput": {"updatedInput": {}}}],
)  # fmt: skip
async def test_hook_that_fails_blocks_and_ends_the_job(body: Callable[..., Any], event: str) -> None:
    job = FakeJob()
    answer = await wrapped(body, job, event)({"hook_event_name": event}, "t", None)
    ((status, reason),) = job.ended
    assert status == "failed"
    assert reason.startswith("the security hook ")
    assert answer["continue_"] is False
    if event == "PreToolUse":
        assert answer["hookSpecificOutput"]["permissionDecision"] == "deny"
    if event == "UserPromptSubmit":
        assert answer["decision"] == "block"


async def test_hooks_that_hang_hold_up_no_other() -> None:
    """More of them than a pool of threads has room for."""
    release = threading.Event()
    try:
        for _ in range(40):
            job = FakeJob()
            hang = wrapped(lambda *_: release.wait(60) or {}, job, deadline_s=0.01)
            await hang({"hook_event_name": "PreToolUse"}, "t", None)
            assert job.ended == [("failed", "the security hook did not answer within 0.01 s")]
        job = FakeJob()
        assert await wrapped(lambda *_: {}, job)({"hook_event_name": "PreToolUse"}, "t", None) == {}
    finally:
        release.set()


async def test_hook_without_a_run_blocks() -> None:
    answer = await wrapped(lambda *_: {}, None)({"hook_event_name": "PreToolUse"}, "t", None)
    assert answer["hookSpecificOutput"]["permissionDecision"] == "deny"


async def test_call_without_what_it_should_have_is_blocked() -> None:
    job = SimpleNamespace(ended=[], end=lambda status, reason: job.ended.append(status), bill=None, workbench=None)
    for matcher in build_hooks(HOOKS, lambda: job, 5.0)["PreToolUse"]:
        answer = await matcher.hooks[0]({"hook_event_name": "PreToolUse"}, "t", None)
        assert answer["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert job.ended == ["failed", "failed"]


def test_plain_name() -> None:
    assert plain_name(PREFIX + "run_cell") == "run_cell"
    assert plain_name("Bash") == "Bash"
    assert plain_name("mcp__other__run_cell") == "mcp__other__run_cell", "another server's tool is not ours"
