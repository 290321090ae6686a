"""The tools as the model calls them: passes are demanded, results are shortened, a stop does not end the server."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.cortex.server import build_server, shortened
from llmos_nb.guard.verdict import Verdict
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.workbench import Call, Caller

sdk = pytest.importorskip("claude_agent_sdk")


class Bench:
    """A workbench that answers what the test says."""

    def __init__(
        self, passes: tuple[str, ...] = ("security", "budget"), *, denied: bool = False, **result: Any
    ) -> None:
        self.passes = list(passes)
        verdict = Verdict("deny", "rule", "it would harm") if denied else Verdict("allow", "", "")
        given = None if denied else ToolResult(**{"text": "fine", **result})
        self.answer = Call(1, "run_cell", {}, verdict, given, 0.0)
        self.calls = 0
        self.cancel = False

    def take_pass(self, tool: str, arguments: Any, hook: str) -> Caller | None:
        if hook not in self.passes:
            return None
        self.passes.remove(hook)
        return Caller()

    async def call(self, tool: str, arguments: Any, *, caller: Caller) -> Call:
        return self.answer

    def at_home(self, work: Callable[[], Any]) -> Any:
        self.calls += 1
        done: concurrent.futures.Future[Call] = concurrent.futures.Future()
        if self.cancel:
            done.cancel()
        else:
            done.set_result(self.answer)
        return done


async def ask(monkeypatch: pytest.MonkeyPatch, bench: Bench | None) -> tuple[dict[str, Any], Any]:
    """Call run_cell as the SDK does; the answer and the job."""
    made: list[Any] = []
    monkeypatch.setattr(sdk, "create_sdk_mcp_server", lambda name, tools: made.extend(tools))
    job = SimpleNamespace(workbench=bench, ended=[])
    job.end = lambda status, reason: job.ended.append((status, reason))
    build_server(["run_cell"], lambda: None if bench is None else job, 100)
    (tool,) = made
    assert tool.name == "run_cell"
    return await tool.handler({"code": "1"}), job


def text(answer: dict[str, Any]) -> str:
    return str(answer["content"][0]["text"])


async def test_call_with_both_passes_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    answer, _ = await ask(monkeypatch, bench)
    assert (text(answer), answer["is_error"], bench.calls) == ("fine", False, 1)


@pytest.mark.parametrize("missing", ["security", "budget"])
async def test_call_without_a_pass_is_not_made(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    bench = Bench(tuple({"security", "budget"} - {missing}))
    answer, job = await ask(monkeypatch, bench)
    assert answer["is_error"]
    assert bench.calls == 0
    assert job.ended == [("failed", f"the {missing} hook did not see a call of run_cell")]


async def test_call_outside_a_run_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, _ = await ask(monkeypatch, None)
    assert answer["is_error"]


async def test_error_and_refusal_are_told_as_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, _ = await ask(monkeypatch, Bench(text="Traceback", error="KeyError"))
    assert (text(answer), answer["is_error"]) == ("Traceback", True)
    answer, _ = await ask(monkeypatch, Bench(denied=True))
    assert answer["is_error"] and "it would harm" in text(answer)


async def test_interrupted_cell_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    _, job = await ask(monkeypatch, Bench(interrupted=True, error="KeyboardInterrupt"))
    assert job.ended == [("stopped", "interrupted while a cell ran")]


async def test_call_that_a_stop_cancelled_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CancelledError let out of the tool would end the server for all later goals."""
    bench = Bench()
    bench.cancel = True
    answer, _ = await ask(monkeypatch, bench)
    assert answer["is_error"] and "stopped" in text(answer)


async def test_cancelling_the_handler_itself_cancels_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    monkeypatch.setattr(bench, "at_home", lambda work: concurrent.futures.Future())
    task = asyncio.create_task(ask(monkeypatch, bench))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_only_granted_tools_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(sdk, "create_sdk_mcp_server", lambda name, tools: made.extend(tools))
    build_server(["inspect", "Bash", "no_such_tool"], lambda: None, 100)
    assert [tool.name for tool in made] == ["inspect"]


@given(st.text(max_size=400), st.integers(min_value=3, max_value=100))
def test_shortened_keeps_both_ends(whole: str, limit: int) -> None:
    short = shortened(whole, limit)
    if len(whole) <= limit:
        assert short == whole
        return
    head, middle, tail = short.partition("\n[… ")[0], short, short.rpartition(" characters left out …]\n")[2]
    assert whole.startswith(head) and whole.endswith(tail)
    left_out = int(middle[len(head) :].removeprefix("\n[… ").partition(" ")[0])
    assert len(head) + len(tail) + left_out == len(whole)
