"""From the SDK's messages to charges and evidence: nothing is counted twice, nothing is left out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from llmos_nb.cortex.endpoint import Endpoint
from llmos_nb.cortex.job import Job, Usage
from llmos_nb.cortex.reader import Reader
from llmos_nb.kernel.events import AgentMessage, Notice, TextDelta

sdk = pytest.importorskip("claude_agent_sdk")


class Desk:
    """A job whose charges and events are kept."""

    def __init__(self) -> None:
        self.charged: list[Usage] = []
        self.events: list[Any] = []
        self.bill: Any = SimpleNamespace(exceeded=False, remaining_usd=1.0)
        self.job = Job(
            run_id="r", goal="the goal", agent="a", guidance="", endpoint=Endpoint("scripted", "scripted"),
            workbench=SimpleNamespace(calls=[], stop=lambda: None),  # type: ignore[arg-type]
            bill=self.bill, publish=self.events.append, charge=self.charged.append,
        )  # fmt: skip
        self.reader = Reader(self.job)

    def stream(self, *events: dict[str, Any], parent: str | None = None) -> None:
        for event in events:
            self.reader.take(sdk.types.StreamEvent(uuid="u", session_id="s", event=event, parent_tool_use_id=parent))

    def say(self, *blocks: Any, message_id: str = "m1", usage: dict[str, int] | None = None) -> None:
        self.reader.take(
            sdk.AssistantMessage(content=list(blocks), model="model", message_id=message_id, usage=usage)
        )

    @property
    def counts(self) -> list[tuple[int, int]]:
        return [(usage.input_tokens, usage.output_tokens) for usage in self.charged]


def start(message_id: str = "m1", tokens: int = 10) -> dict[str, Any]:
    usage = {"input_tokens": tokens, "output_tokens": 1}
    return {"type": "message_start", "message": {"id": message_id, "model": "model", "usage": usage}}


def delta(tokens: int) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {}, "usage": {"output_tokens": tokens}}


STOP = {"type": "message_stop"}


def result(**usage: int) -> Any:
    return SimpleNamespace(model_usage={"model": usage} if usage else {}, subtype="success")


def test_streamed_call_is_charged_once_when_it_stops() -> None:
    desk = Desk()
    desk.stream(start(), delta(7))
    assert desk.counts == []
    desk.stream(STOP)
    desk.say(sdk.TextBlock("Hello"), usage={"input_tokens": 10, "output_tokens": 1})
    desk.reader.close()
    assert desk.counts == [(10, 7)]


def test_cut_call_is_charged_with_what_is_known() -> None:
    desk = Desk()
    desk.stream(start("m1"), delta(3), start("m2", 20))
    assert desk.counts == [(10, 3)]
    desk.reader.close()
    desk.reader.close()
    assert desk.counts == [(10, 3), (20, 1)]


def test_calls_of_subagents_are_kept_apart() -> None:
    desk = Desk()
    desk.stream(start("m1"))
    desk.stream(start("m2", 20), delta(4), STOP, parent="task")
    desk.stream(delta(9), STOP)
    assert desk.counts == [(20, 4), (10, 9)]


def test_answer_that_did_not_stream_is_charged_once() -> None:
    desk = Desk()
    usage = {"input_tokens": 30, "output_tokens": 5}
    desk.say(sdk.TextBlock("One"), message_id="whole", usage=usage)
    desk.say(sdk.TextBlock("Two"), message_id="whole", usage=usage)
    desk.say(sdk.TextBlock("Made up by the CLI"), message_id="", usage={"input_tokens": 0, "output_tokens": 0})
    assert desk.counts == [(30, 5)]


def test_what_was_billed_unseen_is_charged_at_the_end() -> None:
    desk = Desk()
    desk.stream(start(), delta(7), STOP)
    desk.job.result = result(inputTokens=15, outputTokens=9)
    desk.reader.close()
    assert desk.counts == [(10, 7), (5, 2)]


def test_bill_below_what_was_seen_changes_nothing() -> None:
    desk = Desk()
    desk.stream(start(), delta(7), STOP)
    desk.job.result = result(inputTokens=4, outputTokens=2)
    desk.reader.close()
    assert desk.counts == [(10, 7)]


def test_empty_purse_ends_the_job() -> None:
    desk = Desk()
    desk.bill.exceeded = True
    desk.stream(start(), delta(7))
    assert desk.job.ending == ""
    desk.stream(STOP)
    assert desk.job.ending == "over_budget"


def test_text_is_published_as_it_comes_and_whole() -> None:
    desk = Desk()
    piece = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hel"}}
    argument = {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{"}}
    desk.stream(start(), piece, argument)
    desk.stream(piece, parent="task")
    desk.say(sdk.TextBlock("Hello"))
    assert [event.text for event in desk.events if isinstance(event, TextDelta)] == ["Hel"]
    messages = [(event.role, event.text) for event in desk.events if isinstance(event, AgentMessage)]
    assert messages == [("user", "the goal"), ("assistant", "Hello")]
    assert desk.job.text == "Hello"


@pytest.mark.parametrize("content", ["no such tool", [{"type": "text", "text": "no such tool"}]])
def test_last_call_is_remembered_by_its_plain_name(content: Any) -> None:
    desk = Desk()
    desk.say(sdk.ToolUseBlock("t1", "mcp__llmos__run_cell", {}), sdk.ToolUseBlock("t2", "mcp__llmos__inspect", {}))
    desk.reader.take(sdk.UserMessage(content=[sdk.ToolResultBlock("t1", content, True)]))
    desk.reader.take(sdk.UserMessage(content=[sdk.ToolResultBlock("t2", "fine", None)]))
    assert desk.job.told is not None
    assert (desk.job.told.tool, desk.job.told.error) == ("run_cell", "no such tool")
    desk.say(sdk.ToolUseBlock("t3", "Bash", {}))
    desk.reader.take(sdk.UserMessage(content=[sdk.ToolResultBlock("t3", "ok", False)]))
    assert (desk.job.told.tool, desk.job.told.error) == ("Bash", "")


@pytest.mark.parametrize(("status", "words"), [(529, "answered 529"), (None, "did not arrive whole")])
def test_retry_is_told(status: int | None, words: str) -> None:
    desk = Desk()
    data = {"attempt": 2, "max_retries": 10, "error_status": status}
    desk.reader.take(sdk.SystemMessage(subtype="api_retry", data=data))
    (notice,) = [event for event in desk.events if isinstance(event, Notice)]
    assert words in notice.text and "2 of 10" in notice.text


@pytest.mark.parametrize(("status", "ending"), [("connected", ""), ("failed", "failed"), ("pending", "failed")])
def test_client_without_its_tools_does_not_work(status: str, ending: str) -> None:
    desk = Desk()
    data = {"mcp_servers": [{"name": "llmos", "status": status}]}
    desk.reader.take(sdk.SystemMessage(subtype="init", data=data))
    assert desk.job.ending == ending
