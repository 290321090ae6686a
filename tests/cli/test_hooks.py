"""Hooks that fail: whatever goes wrong in one, the run fails, says which hook it was, and nothing more is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rig import Mishaps, Rig, one_step

from llmos_nb.cortex.hooks import HOOKS, Hook
from llmos_nb.kernel.events import ToolFinished

pytestmark = pytest.mark.cli

ADD = one_step("add it up", "run_cell", "done = globals().get('done', 0) + 1\nprint(done)")
TWICE = (
    "---\ngoal: do it twice\n---\n## Turn 1\n\n### run_cell\n\n```\nfirst = 1\n```\n\n"
    "## Turn 2\n\n### run_cell\n\n```\nsecond = 2\n```\n\n## Answer\n\nDone.\n"
)


class Case:
    """A rig whose hooks misbehave on demand."""

    def __init__(self, folder: Path) -> None:
        self.mishaps = Mishaps()
        self.rig = Rig(folder, [ADD, TWICE], hooks=self.mishaps.hooks, hook_deadline_s=0.5)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    made = Case(tmp_path_factory.mktemp("hooks"))
    yield made
    made.rig.close()


@pytest.fixture(autouse=True)
def _well_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "case" in request.fixturenames:
        request.getfixturevalue("case").mishaps.bodies.clear()


def _raises(job: Any, given: Any) -> Any:
    raise RuntimeError("out of order")


def _hangs(job: Any, given: Any) -> Any:
    time.sleep(3)
    return {}


def _exits(job: Any, given: Any) -> Any:
    raise SystemExit(3)


MISHAPS: dict[str, tuple[Callable[..., Any], str]] = {
    "raises": (_raises, "raised RuntimeError: out of order"),
    "exits": (_exits, "raised RuntimeError: SystemExit: 3"),
    "hangs": (_hangs, "did not answer within 0.5 s"),
    "none": (lambda job, given: None, "answered None"),
    "text": (lambda job, given: "allow", "answered 'allow'"),
    "unknown key": (lambda job, given: {"approve": True}, "answered {'approve': True}"),
    "unknown decision": (
        lambda job, given: {"hookSpecificOutput": {"permissionDecision": "Deny"}},
        "answered {'hookSpecificOutput'",
    ),
    "permission": (
        lambda job, given: {"hookSpecificOutput": {"permissionDecision": "allow"}},
        "answered {'hookSpecificOutput'",
    ),
}


@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("hook", [hook.name for hook in HOOKS])
async def test_hook_that_fails_blocks(case: Case, hook: str, mishap: str) -> None:
    body, words = MISHAPS[mishap]
    case.mishaps.bodies[hook] = body
    names = case.rig.namespace.names
    names.pop("first", None)
    names.pop("second", None)
    asked = len(case.rig.server.requests.recent)

    result = await case.rig.run("do it twice")

    assert result.status == "failed"
    assert result.reason.startswith(f"the {hook} hook {words}")
    assert "second" not in names
    if hook in ("memory", "security", "budget"):  # asked before any tool is used
        assert "first" not in names
        assert not [event for event in case.rig.of(ToolFinished, result.run_id) if event.status == "ok"]
    if hook == "memory":
        assert len(case.rig.server.requests.recent) == asked, "the goal must not have reached the model"
    case.mishaps.bodies.clear()
    assert (await case.rig.run("add it up")).status == "success"


async def test_every_hook_sees_what_it_is_for(case: Case) -> None:
    case.mishaps.seen.clear()
    assert (await case.rig.run("add it up")).status == "success"
    assert set(case.mishaps.seen) == {
        ("memory", "UserPromptSubmit"),
        ("security", "PreToolUse"),
        ("budget", "PreToolUse"),
        ("trace", "PostToolUse"),
        ("cost", "PostToolUse"),
    }


async def test_hooks_see_a_tool_that_fails(make_rig: Callable[..., Rig]) -> None:
    mishaps = Mishaps()
    rig = make_rig(one_step("break it", "run_cell", "1 / 0"), hooks=mishaps.hooks)
    result = await rig.run("break it")
    assert result.status == "failed"
    assert {event for name, event in mishaps.seen if name in ("trace", "cost")} == {"PostToolUseFailure"}


async def test_sdk_blocks_when_our_own_wrapper_fails(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second lock: the callback that the SDK holds raises by itself, past everything that hooks.py does."""
    from llmos_nb.cortex import hooks

    def broken(hook: Hook, current: Any, deadline_s: float) -> Any:
        async def run(given: Any, tool_use_id: Any, context: Any) -> Any:
            if hook.name == "trace":
                return {}
            if hook.name == "security":
                raise RuntimeError("past the wrapper")
            return await wrapped(given, tool_use_id, context)

        wrapped = real(hook, current, deadline_s)
        return run

    real = hooks._callback
    monkeypatch.setattr(hooks, "_callback", broken)
    rig = make_rig(ADD)
    result = await rig.run("add it up")
    assert result.status == "denied"
    assert "onFailure" in result.reason
    assert "done" not in rig.namespace.names
    assert not [event for event in rig.of(ToolFinished) if event.status == "ok"]


@pytest.mark.parametrize("hook", ["security", "budget"])
async def test_call_that_a_hook_did_not_see_is_refused(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    """The third lock: a hook that the CLI never asks, as if it had been attached to nothing."""
    from llmos_nb.cortex import hooks

    silent = tuple(Hook(h.name, () if h.name == hook else h.events, h.body) for h in hooks.HOOKS)
    rig = make_rig(ADD, hooks=silent)
    result = await rig.run("add it up")
    assert (result.status, result.reason) == ("failed", f"the {hook} hook did not see a call of run_cell")
    assert "done" not in rig.namespace.names


async def test_run_without_one_of_the_hooks_does_not_start(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(ADD, hooks=tuple(hook for hook in HOOKS if hook.name != "cost"))
    result = await rig.run("add it up")
    assert result.status == "failed"
    assert "cost" in result.reason
    assert rig.server.requests.count == 0
    assert "done" not in rig.namespace.names


@pytest.mark.parametrize("answer", [{"hook_on_failure_supported": False}, {"hooks_applied": False}])
async def test_run_whose_hooks_cannot_be_attached_does_not_start(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, answer: dict[str, bool]
) -> None:
    from claude_agent_sdk._internal.query import Query

    real = Query._send_control_request

    async def old_cli(self: Any, request: dict[str, Any], *args: Any, **options: Any) -> Any:
        response = await real(self, request, *args, **options)
        return {**response, **answer} if request["subtype"] == "initialize" else response

    monkeypatch.setattr(Query, "_send_control_request", old_cli)
    rig = make_rig(ADD)
    result = await rig.run("add it up")
    assert result.status == "failed"
    assert "hook" in result.reason
    assert result.remedy
    assert "done" not in rig.namespace.names
    assert rig.server.requests.kinds.get("message", 0) == 0
