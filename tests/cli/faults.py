"""What can go wrong between a goal and the model, at every point of the protocol, as a table: for the tests, and for the
bench. :func:`met` makes one row happen and says what was wrong about how it ended; nothing, if all was as it should be.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from rig import Rig, children, one_step, soon
from wild import Exchange, Streamed, Wild, WildServer, between, encoded, status, streamed

from llmos_nb.cortex.scripted import parse_script
from llmos_nb.dispatch.dispatcher import Dispatcher
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Goal
from llmos_nb.kernel.approvals import Approvals
from llmos_nb.kernel.events import ApprovalAsked, Event, ModelCalled, RunEnded, TextDelta, ToolStarted
from llmos_nb.mind import Agent
from llmos_nb.tools.services import Services

__all__ = ["CASES", "Case", "Place", "met"]

#: Seconds that a run may go on beyond the limit that ends it.
GRACE_S: Final = 3.0
#: Two tries and short waits, so that what an unwell endpoint does is over within seconds.
HASTY: Final[dict[str, Any]] = {"env": {"CLAUDE_CODE_MAX_RETRIES": "1", "API_TIMEOUT_MS": "4000"}}

ANALYST: Final = Agent("analyst", "Describes tables", tools=("run_cell",), prompt="You describe tables.")
LEAD: Final = Agent("lead", tools=("Agent", "run_cell"), prompt="You lead.")
SHELL: Final = Agent("shell", tools=("Bash",), prompt="You run commands.")


def _delegates(goal: str, to_do: str) -> str:
    call = f"description: a part of it\nprompt: {to_do}\nsubagent_type: analyst"
    turn = f"## Turn 1\n\n### Agent\n\n```yaml arguments\n{call}\n```\n\n"
    return f"---\ngoal: {goal}\n---\n{turn}## Answer\n\nIt is {{{{result|match: (\\d+)}}}}.\n"


SCRIPTS: Final = (
    one_step("add it up", "run_cell", "total = 1 + 2\nprint(total)", "It is {{result}}."),
    "---\ngoal: talk slowly\ndelta_delay_s: 0.05\n---\n## Answer\n\n" + "Word after word. " * 100 + "\n",
    one_step("work a while", "run_cell", "import asyncio\nbegun = 1\nawait asyncio.sleep(pause)\nprint('done')"),
    one_step("work in one go", "run_cell", "import time\nbegun = 1\ntime.sleep(pause)\nprint('done')"),
    one_step("count it now", "run_cell", "rows = 44\nprint(rows)", "The answer is {{result|match: (\\d+)}}"),
    _delegates("have it counted", "count it now"),
    one_step("wait in a shell", "Bash", "sleep 97"),
    "---\ngoal: 'Make a plan for this goal: do two things'\n---\n## Turn 1\n\n### StructuredOutput\n\n```yaml arguments\n"
    "nodes: [{id: one, goal: add it up}, {id: two, goal: count it now}]\n```\n\n## Answer\n\nDone.\n",
    "---\ngoal: make an agent\n---\n## Turn 1\n\nI do it.\n\n### create_agent\n\n```yaml arguments\nname: poet\n"
    "description: Writes poems.\ntools: []\nprompt: You write poems.\n```\n\n## Answer\n\nDone.\n",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that goes wrong. ``ends`` are the end states that are true of it, ``says`` is part of the reason."""

    name: str
    #: What the endpoint does about its requests ``first`` to ``last``.
    wild: Wild | None = None
    first: int = 1
    last: int = 10**9
    #: What the program between the SDK and the CLI does.
    plan: Mapping[str, Any] | None = None
    #: A signal to the CLI, as soon as something holds of the events since the run began.
    strike: int = 0
    when: Callable[[Rig, list[Event]], bool] | None = None
    #: Whether a person presses Stop when that holds, just before the signal.
    stops: bool = False
    goal: str = "add it up"
    mode: str = "learner"
    agent: Agent | None = None
    #: Whether the run begins with a CLI that is yet to be started.
    cold: bool = False
    ends: frozenset[str] = frozenset({"failed"})
    says: str = ""
    #: Seconds in which it must be over.
    within_s: float = 12.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: Whether it is one of those that are tested with every change.
    quick: bool = False


FAILED: Final = frozenset({"failed"})
WELL: Final = frozenset({"success"})
LATE: Final = {"time_limit_s": 2.5}
TIMED_OUT: Final = frozenset({"timed_out"})


# What an endpoint can do.


def _first_events(count: int, *rest: bytes | Streamed) -> Wild:
    return streamed(lambda events: [*events[:count], *rest])


def _with(change: Callable[[list[Streamed]], None]) -> Wild:
    def changed(events: list[Streamed]) -> list[Streamed]:
        fresh = json.loads(json.dumps(events))
        change(fresh)
        return [(name, data) for name, data in fresh]

    return streamed(changed)


def _usage(value: Any, end: Any = "same") -> Wild:
    def change(events: list[Streamed]) -> None:
        for name, data in events:
            if name == "message_start":
                _set(data["message"], "usage", value)
            if name == "message_delta":
                _set(data, "usage", value if end == "same" else end)

    return _with(change)


def _null_usage(events: list[Streamed]) -> None:
    for name, data in events:
        if name in ("message_start", "message_delta"):
            data.get("message", data)["usage"] = None


def _set(data: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        data.pop(key, None)
    elif isinstance(value, dict):
        data[key] = {**data.get(key, {}), **value}
    else:
        data[key] = value


def _drip(exchange: Exchange) -> None:
    """An answer that comes a byte at a time, and never ends."""
    exchange.begin()
    for event in exchange.events[:3]:
        exchange.piece(encoded(event))
    while not exchange.wait(0.15):
        exchange.piece(b":")
    exchange.drop()


def _silent(exchange: Exchange) -> None:
    exchange.wait(60)
    exchange.drop()


def _silent_after(count: int) -> Wild:
    def act(exchange: Exchange) -> None:
        exchange.begin()
        for event in exchange.events[:count]:
            exchange.piece(encoded(event))
        exchange.wait(60)
        exchange.drop()

    return act


def _reset_after(count: int) -> Wild:
    def act(exchange: Exchange) -> None:
        if count >= 0:
            exchange.begin()
            for event in exchange.events[:count]:
                exchange.piece(encoded(event))
        exchange.reset()

    return act


def _text(count: int, size: int, pause_s: float = 0.0) -> Wild:
    """An answer of ``count`` pieces of text."""

    def act(exchange: Exchange) -> None:
        if not exchange.stream:
            status(529, "overloaded_error")(exchange)
            return
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x" * size}}
        data = encoded(("content_block_delta", delta))
        exchange.begin()
        exchange.piece(encoded(exchange.events[0]))
        exchange.piece(encoded(("content_block_start", block)))
        for number in range(count):
            exchange.piece(data)
            if pause_s and number % 64 == 0 and exchange.wait(pause_s):
                break
        exchange.piece(encoded(("content_block_stop", {"type": "content_block_stop", "index": 0})))
        end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 100}}
        exchange.piece(encoded(("message_delta", end)))
        exchange.piece(encoded(("message_stop", {"type": "message_stop"})))
        exchange.over()

    return act


def _calls(count: int, name: str = "mcp__llmos__run_cell", same_id: bool = False) -> Wild:
    """An answer of many tool calls."""

    def change(events: list[Streamed]) -> Iterable[Streamed]:
        yield events[0]
        for index in range(count):
            block = {"type": "tool_use", "id": f"toolu_{0 if same_id else index:08d}", "name": name, "input": {}}
            code = json.dumps({"code": f"n = {index}\nprint(n)"})
            delta = {"type": "input_json_delta", "partial_json": code}
            yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": block}
            yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
            yield "content_block_stop", {"type": "content_block_stop", "index": index}
        yield (
            "message_delta",
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 100}},
        )
        yield "message_stop", {"type": "message_stop"}

    return streamed(change)


def _body(data: bytes, kind: str = "text/event-stream", length: int | None = None) -> Wild:
    def act(exchange: Exchange) -> None:
        size = len(data) if length is None else length
        exchange.head(200, content_type=kind, content_length=str(size))
        exchange.send(data)
        exchange.drop()

    return act


def _redirect(exchange: Exchange) -> None:
    exchange.whole(302, b"", location="http://127.0.0.1:9/elsewhere")


def _not_http(exchange: Exchange) -> None:
    exchange.send(b"\x16\x03\x01\x00\x2a this is no HTTP\r\n\r\n" + os.urandom(64))
    exchange.drop()


def _no_tool_input(events: list[Streamed]) -> None:
    for name, data in events:
        if name == "content_block_delta" and data["delta"]["type"] == "input_json_delta":
            data["delta"]["partial_json"] = '{"code": ['


def _events_of_no_kind(events: list[Streamed]) -> list[Streamed]:
    odd: list[Streamed] = [("llmos_weather", {"type": "llmos_weather", "x": [None, {"y": 1e308}]})]
    return [odd[0] if n == -1 else event for n, event in enumerate(events)] + odd


ENDPOINT: Final = (
    *(
        Case(name=f"answers {code}", wild=status(code, kind), says=f"answered {code}", quick=code == 403, **more)
        for code, kind, more in (
            (400, "invalid_request_error", {}),
            (401, "authentication_error", {}),
            (403, "permission_error", {}),
            (404, "not_found_error", {"says": ""}),
            (413, "request_too_large", {"says": ""}),
            (429, "rate_limit_error", {}),
            (500, "api_error", {}),
            (529, "overloaded_error", {}),
        )
        for says in [more.pop("says", None)]
    ),
    Case(name="answers 429, come back in 1 s", wild=status(429, "rate_limit_error", retry_after="1"), says="429"),
    Case(
        name="answers 429, come back in an hour",
        wild=status(429, "rate_limit_error", retry_after="3600"),
        ends=FAILED | TIMED_OUT,
        settings={"time_limit_s": 4.0},
    ),
    Case(name="answers 302 to nowhere", wild=_redirect),
    Case(name="answers 200 with nothing", wild=_body(b""), quick=True),
    Case(name="answers 200 with a page of HTML", wild=_body(b"<html>Welcome to the wifi</html>", "text/html")),
    Case(name="answers JSON that is none", wild=_body(b'{"type": "message", "con', "application/json")),
    Case(name="answers a list", wild=_body(b"[1, 2, 3]", "application/json")),
    Case(name="promises more bytes than it sends", wild=_body(b"event: message_start\ndata: {", length=9999)),
    Case(name="speaks no HTTP", wild=_not_http),
    Case(name="resets the connection at once", wild=_reset_after(-1)),
    Case(name="resets before the first event", wild=_reset_after(0)),
    Case(name="resets in mid text", wild=_reset_after(4)),
    Case(name="resets in mid tool input", wild=_reset_after(8)),
    Case(name="resets after the tool call", wild=_reset_after(-1), first=2),
    Case(name="is silent before the head", wild=_silent, ends=TIMED_OUT, settings=LATE),
    Case(name="is silent before the first event", wild=_silent_after(0), ends=TIMED_OUT, settings=LATE),
    Case(name="is silent in mid text", wild=_silent_after(4), ends=TIMED_OUT, settings=LATE),
    Case(name="is silent in mid tool input", wild=_silent_after(8), ends=TIMED_OUT, settings=LATE),
    Case(
        name="is silent, no time limit",
        wild=_silent_after(4),
        ends=frozenset({"stopped", "failed"}),
        settings={"silence_limit_s": 2.0, "time_limit_s": None},
    ),
    Case(name="is silent after the tool call", wild=_silent, first=2, ends=TIMED_OUT, settings=LATE),
    Case(name="drips bytes", wild=_drip, ends=TIMED_OUT, settings=LATE),
    Case(name="ends the stream after the first event", wild=_first_events(1)),
    Case(name="ends the stream in mid text", wild=_first_events(4)),
    Case(name="ends the stream in mid tool input", wild=_first_events(8)),
    Case(name="leaves out the end", wild=streamed(lambda events: events[:-2]), ends=FAILED | WELL),
    Case(name="leaves out message_stop", wild=streamed(lambda events: events[:-1]), ends=FAILED | WELL),
    Case(name="begins without message_start", wild=streamed(lambda events: events[1:])),
    Case(
        name="sends every event twice",
        wild=streamed(lambda events: [e for e in events for _ in "12"]),
        ends=FAILED | WELL,
    ),
    Case(name="sends events backwards", wild=streamed(lambda events: events[::-1])),
    Case(name="sends broken JSON", wild=_first_events(3, b'event: content_block_delta\ndata: {"typ\n\n'), quick=True),
    Case(
        name="sends bytes that are no text", wild=_first_events(3, b"event: x\ndata: \xff\xfe\x00\n\n"), ends=FAILED
    ),
    Case(name="sends events of no known kind", wild=streamed(_events_of_no_kind), ends=WELL | FAILED),
    Case(
        name="sends data of the wrong type",
        wild=_first_events(3, ("content_block_delta", {"type": "content_block_delta", "index": "one", "delta": [1]})),
        ends=FAILED,
    ),
    Case(
        name="sends null for a delta",
        wild=_first_events(3, ("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": None})),
        ends=FAILED,
    ),
    Case(
        name="sends an error in the stream",
        wild=_first_events(
            3, ("error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
        ),
    ),
    Case(name="sends tool input that is no JSON", wild=_with(_no_tool_input), ends=FAILED),
    Case(name="calls a tool that there is not", wild=_calls(1, "mcp__llmos__no_such_tool"), ends=FAILED, last=1),
    Case(
        name="calls a tool of the CLI's without a grant",
        wild=_calls(1, "Bash"),
        ends=frozenset({"failed", "denied"}),
        last=1,
    ),
    Case(name="gives two calls one id", wild=_calls(2, same_id=True), last=1, ends=FAILED | WELL),
    Case(
        name="makes 10,000 calls at once",
        wild=_calls(10_000),
        ends=TIMED_OUT | frozenset({"stopped", "failed"}),
        settings={"time_limit_s": 6.0},
        within_s=16,
    ),
    Case(
        name="streams 3 MB of text",
        wild=_text(3000, 1000),
        ends=WELL | FAILED | frozenset({"over_budget"}),
        within_s=20,
        last=1,
    ),
    Case(
        name="streams text without an end",
        wild=_text(10**9, 1000),
        ends=frozenset({"over_budget"}),
        within_s=30,
        settings={"time_limit_s": 25.0},
    ),
    Case(
        name="sends a piece of 5 MB",
        wild=_text(1, 5_000_000),
        ends=WELL | FAILED | frozenset({"over_budget"}),
        within_s=20,
    ),
    Case(name="tells no usage", wild=_usage(None), ends=WELL | FAILED),
    Case(name="tells null for usage", wild=_with(_null_usage), ends=WELL | FAILED),
    Case(name="tells a negative usage", wild=_usage({"input_tokens": -500, "output_tokens": -5}), ends=WELL | FAILED),
    Case(name="tells NaN for usage", wild=_usage({"output_tokens": float("nan")}), ends=WELL | FAILED),
    Case(
        name="tells a text for usage", wild=_usage({"output_tokens": "many", "input_tokens": []}), ends=WELL | FAILED
    ),
    Case(name="tells 10^30 tokens", wild=_usage({"output_tokens": 10**30}), says="not known", quick=True),
    Case(name="tells 10^12 tokens", wild=_usage({"output_tokens": 10**12})),
    Case(
        name="is unwell in a subagent",
        wild=_reset_after(4),
        first=2,
        last=6,
        goal="have it counted",
        agent=LEAD,
        ends=FAILED,
    ),
    Case(
        name="is silent in a subagent",
        wild=_silent_after(4),
        first=2,
        goal="have it counted",
        agent=LEAD,
        ends=TIMED_OUT,
        settings=LATE,
    ),
    Case(name="is unwell when a plan is asked for", wild=status(500), goal="do two things", mode="orchestrator"),
    Case(name="resets when a plan is asked for", wild=_reset_after(4), goal="do two things", mode="orchestrator"),
    Case(
        name="is silent when a plan is asked for",
        wild=_silent_after(4),
        goal="do two things",
        mode="orchestrator",
        ends=TIMED_OUT,
        settings=LATE,
    ),
    Case(
        name="is unwell in a node of the plan", wild=status(500), first=3, goal="do two things", mode="orchestrator"
    ),
)


# What the program can do: it is killed, stands still, or is changed on its way to the SDK.


def _event(kind: type[Any], count: int = 1) -> Callable[[Rig, list[Event]], bool]:
    return lambda rig, events: sum(isinstance(one, kind) for one in events) >= count


def _begun(rig: Rig, events: list[Event]) -> bool:
    return "begun" in rig.namespace.names


def _started(rig: Rig, events: list[Event]) -> bool:
    return bool(children())


def _arrived(count: int) -> Callable[[Rig, list[Event]], bool]:
    return lambda rig, events: rig.server.arrived >= count


def _in_bash(rig: Rig, events: list[Event]) -> bool:
    return any("sleep" in Path(f"/proc/{pid}/cmdline").read_text() for pid in _family(rig) if _cmdline(pid))


POINTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("while it starts", {"when": _started, "cold": True}),
    ("before the first token", {"when": _arrived(1), "goal": "talk slowly"}),
    ("in mid text", {"when": _event(TextDelta, 3), "goal": "talk slowly"}),
    ("when a call begins", {"when": _event(ToolStarted)}),
    ("while a cell awaits", {"when": _begun, "goal": "work a while"}),
    ("while a cell blocks", {"when": _begun, "goal": "work in one go"}),
    ("after the call", {"when": _arrived(2)}),
    ("in a subagent", {"when": _arrived(2), "goal": "have it counted", "agent": LEAD}),
    ("in a shell of its own", {"when": _in_bash, "goal": "wait in a shell", "agent": SHELL}),
    ("while a person is asked", {"when": _event(ApprovalAsked), "goal": "make an agent"}),
    ("while a plan is made", {"when": _arrived(1), "goal": "do two things", "mode": "orchestrator"}),
    ("in a node of a plan", {"when": _arrived(3), "goal": "do two things", "mode": "orchestrator"}),
)


#: Points that may be over before the signal comes: then the run may well reach its goal.
QUICKLY_OVER: Final = (
    "when a call begins",
    "after the call",
    "in a subagent",
    "while a plan is made",
    "in a node of a plan",
)


def _struck(name: str, sign: int, point: dict[str, Any], **more: Any) -> Case:
    return Case(name=name, strike=sign, **{**point, **more})


PROGRAM: Final = (
    *(
        _struck(
            f"is killed {where}",
            signal.SIGKILL,
            point,
            ends=FAILED | (WELL if where in QUICKLY_OVER else frozenset()),
            quick=where in ("in mid text", "in a shell of its own"),
        )
        for where, point in POINTS
    ),
    *(
        _struck(
            f"stands still {where}",
            signal.SIGSTOP,
            point,
            settings={"time_limit_s": 4.0 if where == "while it starts" else 2.5},
            ends=TIMED_OUT | (WELL if where in QUICKLY_OVER else frozenset()),
        )
        for where, point in POINTS
        if where != "while a person is asked"
    ),
    *(
        _struck(f"is killed during a stop, {where}", signal.SIGKILL, point, stops=True, ends=frozenset({"stopped"}))
        for where, point in POINTS
        if where in ("in mid text", "while a cell awaits", "while a person is asked", "while it starts")
    ),
    *(
        _struck(
            f"stands still during a stop, {where}", signal.SIGSTOP, point, stops=True, ends=frozenset({"stopped"})
        )
        for where, point in POINTS
        if where in ("in mid text", "while a cell awaits", "while a person is asked", "in a shell of its own")
    ),
)

#: Messages of the CLI in the order they come, beside those of the shaking of hands.
MESSAGES: Final = (
    "control_response",
    "system:init",
    "stream_event:message_start",
    "stream_event:content_block_delta",
    "assistant",
    "control_request:hook_callback",
    "control_request:mcp_message",
    "user",
    "result",
)
RESULT: Final = json.dumps(
    {
        "type": "result",
        "subtype": "success",
        "duration_ms": 1,
        "duration_api_ms": 1,
        "is_error": False,
        "num_turns": 1,
        "session_id": "none",
        "result": "Done before it began.",
        "total_cost_usd": 0,
        "usage": {},
    }
)


def _stream_event(event: Any) -> str:
    return json.dumps({"type": "stream_event", "uuid": "1", "session_id": "1", "event": event})


def _between(name: str, **plan: Any) -> Case:
    kept = {key: plan.pop(key) for key in ("ends", "settings", "within_s", "quick", "cold", "says") if key in plan}
    return Case(name=name, plan=plan, **kept)


BETWEEN: Final = (
    *(_between(f"dies at {at}", at=at, do="exit", cold=at == "control_response") for at in MESSAGES),
    *(
        _between(
            f"hangs at {at}",
            at=at,
            do="deaf",
            cold=at == "control_response",
            ends=TIMED_OUT,
            settings={"time_limit_s": 4.0 if at == "control_response" else 2.5},
        )
        for at in MESSAGES
    ),
    *(
        _between(f"closes its output at {at}", at=at, do="mute", ends=FAILED | TIMED_OUT, settings=LATE)
        for at in ("system:init", "assistant", "result")
    ),
    *(
        _between(f"tears {at} in the middle", at=at, do="torn")
        for at in ("system:init", "assistant", "user", "result")
    ),
    *(
        _between(
            f"says what is no JSON before {at}",
            at=at,
            do="before",
            lines=["{broken", "", "\x00\x01", "null", "[1]", '"text"', "17", "NaN"],
            ends=FAILED | WELL,
        )
        for at in ("system:init", "assistant", "result")
    ),
    _between(
        "says what it never said before",
        at="assistant",
        do="before",
        lines=['{"type": "llmos-weather"}', '{"type": "system", "subtype": "sunny"}'],
        ends=WELL,
    ),
    _between(
        "says messages without their parts", at="assistant", do="before", lines=['{"type": "assistant"}'], ends=FAILED
    ),
    _between(
        "says a stream event that is none", at="assistant", do="before", lines=[_stream_event(5)], ends=FAILED | WELL
    ),
    _between(
        "says a delta of the wrong type",
        at="assistant",
        do="before",
        lines=[
            _stream_event({"type": "content_block_delta", "delta": 5}),
            _stream_event({"type": "message_start", "message": None}),
        ],
        ends=FAILED | WELL,
        quick=True,
    ),
    _between(
        "says a line of 2 MB", at="assistant", do="big", size=2_000_000, ends=WELL | FAILED, within_s=20, quick=True
    ),
    _between(
        "says a line of 100 MB",
        at="assistant",
        do="big",
        size=100_000_000,
        ends=WELL | FAILED,
        within_s=40,
        settings={"time_limit_s": 35.0},
    ),
    _between(
        "says 100,000 lines of no meaning",
        at="assistant",
        do="flood",
        count=100_000,
        last=1,
        ends=WELL | FAILED,
        within_s=30,
        settings={"time_limit_s": 25.0},
    ),
    _between(
        "fills its error stream", at="assistant", do="shout", count=20_000, last=1, ends=WELL | FAILED, within_s=20
    ),
    _between("loses the init message", at="system:init", do="drop", ends=WELL | FAILED),
    _between(
        "loses a tool's question", at="control_request:mcp_message", do="drop", ends=TIMED_OUT | FAILED, settings=LATE
    ),
    _between(
        "loses a hook's question",
        at="control_request:hook_callback",
        do="drop",
        first=2,
        ends=TIMED_OUT | FAILED,
        settings=LATE,
    ),
    _between("loses the result", at="result", do="drop", ends=TIMED_OUT | FAILED, settings=LATE),
    _between("asks a tool twice", at="control_request:mcp_message", do="double", ends=WELL | FAILED),
    _between("asks a hook twice", at="control_request:hook_callback", do="double", ends=WELL | FAILED),
    _between("says every answer twice", at="assistant", do="double", ends=WELL | FAILED),
    _between("says every result twice", at="result", do="double", ends=WELL, quick=True),
    _between("says a result before it began", at="system:init", do="before", lines=[RESULT, RESULT], ends=WELL),
    _between("says a result without its parts", at="result", do="instead", lines=['{"type": "result"}'], last=1),
    *(
        _between(f"says a result with {name}", at="result", do="put", put=[[path, value]], ends=ends)
        for name, path, value, ends in (
            ("a text for is_error", ["is_error"], "yes", FAILED | WELL),
            ("null for is_error", ["is_error"], None, FAILED | WELL),
            ("a number for subtype", ["subtype"], 5, FAILED),
            ("an error and success", ["is_error"], True, FAILED),
            ("a number for its text", ["result"], 5, FAILED | WELL),
            ("no bill", ["modelUsage"], "__delete__", WELL),
            ("a bill of the wrong type", ["modelUsage"], 5, WELL | FAILED),
            ("bills of the wrong type", ["modelUsage"], {"scripted": 5, "other": None}, WELL | FAILED),
            (
                "a bill of texts",
                ["modelUsage"],
                {"scripted": {"inputTokens": "many", "outputTokens": None}},
                WELL | FAILED,
            ),
            ("a negative bill", ["modelUsage"], {"scripted": {"inputTokens": -5, "outputTokens": -5}}, WELL | FAILED),
            (
                "a bill of NaN",
                ["modelUsage"],
                {"scripted": {"inputTokens": float("nan"), "outputTokens": float("inf")}},
                WELL | FAILED,
            ),
            (
                "a bill of 10^30 tokens",
                ["modelUsage"],
                {"scripted": {"inputTokens": 10**30, "outputTokens": 10**30}},
                frozenset({"over_budget", "failed"}),
            ),
            ("NaN for its cost", ["total_cost_usd"], float("nan"), WELL | FAILED),
            ("wrong denials", ["permission_denials"], [5, None, {}], WELL | FAILED),
        )
    ),
)

CASES: Final[dict[str, tuple[Case, ...]]] = {"the endpoint": ENDPOINT, "the program": PROGRAM, "between": BETWEEN}


class Place:
    """Where cases happen: one system, whose parts go on from case to case."""

    def __init__(self, folder: Path, *, altered: bool) -> None:
        self.between = between(folder) if altered else None
        scripts = [parse_script(text, f"test-{number}.md") for number, text in enumerate(SCRIPTS)]
        sdk = {**HASTY, **({"cli_path": str(self.between.program)} if self.between else {})}
        self.rig = Rig(folder, server=WildServer(scripts), sdk=sdk, warm_clients=1, budget_usd=1000.0)
        approvals = Approvals(self.rig.bus.publish)
        approvals.attend()
        self.services = Services(agents=self.rig.agents, agent_changes="ask", approvals=approvals)
        self.rig.parts = replace(self.rig.parts, services=self.services)
        self.usual = self.rig.settings
        self._ids = 0
        self._configure(self.usual)

    def _configure(self, settings: Any) -> None:
        self.rig.settings = settings
        self.rig.parts = replace(self.rig.parts, settings=settings)
        self.rig.dispatcher.close()
        self.rig.dispatcher = Dispatcher(self.rig.parts)

    async def run(self, case: Case) -> RunResult:
        """The goal of a case."""
        self._ids += 1
        rig = self.rig
        goal = Goal(
            run_id=f"run-{self._ids}",
            text=case.goal,
            mode=case.mode,
            agent=case.agent or rig.agents.get("generalist"),
            agent_asked=False,
            model="scripted",
            budget_usd=0.5,
            cwd=rig.folder,
            team=(ANALYST,) if case.agent is LEAD else (),
        )
        try:
            return await rig.dispatcher.execute(goal)
        finally:
            rig.bus.flush()

    async def warmed(self) -> None:
        """A goal before all: what is there from now on stays."""
        for _ in range(2):
            result = await self.run(Case(name="sound"))
            assert result.ok, result
        self.before = self.held()

    def held(self) -> dict[str, Any]:
        """What a process can leave behind."""
        names = (thread.name.partition("_")[0].rstrip("0123456789-") for thread in threading.enumerate())
        return {
            # A server's threads end with the connections that the CLI keeps; pools keep theirs.
            "threads": Counter(name for name in names if name.startswith(("llmos", "MainThread"))),
            "descriptors": _descriptors(),
            "programs": len(_family(self.rig)),
            "zombies": len(_zombies()),
        }

    async def cut(self) -> None:
        """End the client that is warm, so that the next goal begins with none."""
        loop = self.rig.cortex._loop
        if loop is not None:
            ending = asyncio.run_coroutine_threadsafe(self.rig.cortex._close_sessions(), loop)
            await asyncio.wrap_future(ending)

    def forget(self) -> None:
        """Take away what was recorded, so that every goal is worked out anew."""
        for path in (self.rig.settings.workspace / "memory" / "traces").rglob("*.md"):
            path.unlink()
        self.rig.store.refresh()

    def close(self) -> None:
        self.rig.close()


def _descriptors() -> int:
    """Open files and pipes; of connections the server's threads keep one for each that a client has open."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += not os.readlink(entry).startswith("socket:")
    return found


def _cmdline(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _family(rig: Rig) -> list[int]:
    """All processes that the CLI of this rig is, and those it started, whosever children they are by now."""
    mark = str(rig.folder).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if b"CLAUDE_CONFIG_DIR=" + mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def _zombies() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state == "Z" and int(parent) == os.getpid():
                    found.append(int(entry.name))
    return found


async def met(case: Case, place: Place) -> tuple[RunResult, list[str]]:
    """Make a case happen; its result, and everything that is wrong about it."""
    rig, wrong = place.rig, []
    server: Any = rig.server
    for name in ("begun", "total", "rows"):
        rig.namespace.names.pop(name, None)
    rig.namespace.names["pause"] = 30
    if case.cold:
        await place.cut()
    if case.mode == "orchestrator":
        place.forget()
    place._configure(place.usual.with_(**case.settings))
    seen = len(rig.events)
    spent = rig.economy.spent_usd()
    server.expect(case.wild, case.first, case.last)
    if place.between is not None:
        place.between.expect(**(case.plan or {}))
    if case.when is not None:
        when = case.when

        def strike() -> None:
            if not any(isinstance(one, RunEnded) for one in rig.events[seen:]):
                if case.stops:
                    rig.dispatcher.stop()
                for pid in children():
                    with contextlib.suppress(OSError):
                        os.kill(pid, case.strike)

        striker = soon(lambda: when(rig, rig.events[seen:]), strike)
    began = time.monotonic()
    try:
        result = await asyncio.wait_for(place.run(case), 120)
    except TimeoutError:
        return rig.dispatcher and None, ["it did not end in 120 s"]  # type: ignore[return-value]
    took = time.monotonic() - began
    if case.when is not None:
        striker.join(0.2)
    if result.status not in case.ends:
        wrong.append(f"ended in {result.status}, not {' or '.join(sorted(case.ends))}")
    limit = case.settings.get("time_limit_s")
    most = case.within_s if limit is None else min(case.within_s, limit + GRACE_S)
    if took > most:
        wrong.append(f"took {took:.1f} s, more than {most:g}")
    if case.says and case.says not in result.reason:
        wrong.append(f"does not say {case.says!r}")
    if result.status not in ("success", "stopped") and not result.remedy:
        wrong.append("no remedy")
    if not result.reason:
        wrong.append("no reason")
    rig.bus.flush()
    ended = [one for one in rig.events[seen:] if isinstance(one, RunEnded) and one.run_id == result.run_id]
    if len(ended) != 1 or ended[0].status != result.status:
        wrong.append(f"{len(ended)} ends were told")
    if rig.economy.reserved_usd:
        wrong.append(f"${rig.economy.reserved_usd:g} are reserved still")
    calls = [one for one in rig.events[seen:] if isinstance(one, ModelCalled)]
    told = sum(one.cost_usd or 0.0 for one in calls)
    charged = rig.economy.spent_usd() - spent
    if abs(told - charged) > 1e-6 * max(1.0, told) and told < 1e6:
        wrong.append(f"charged ${charged:.9f}, told ${told:.9f}")
    if len(calls) < server.answered - (case.plan is not None and "no JSON" in case.name):
        wrong.append(f"{server.answered} calls were answered, {len(calls)} are in the ledger")
    heard = result.status == "success" or (case.plan is None and not case.strike)  # else the program took it with it
    if heard and sum(one.output_tokens for one in calls) < server.billed:
        wrong.append(f"{server.billed} tokens were billed, {sum(one.output_tokens for one in calls)} are charged")
    server.expect(None)
    if place.between is not None:
        place.between.expect()
    place._configure(place.usual)
    try:
        after = await asyncio.wait_for(place.run(Case(name="sound")), 60)
        if not after.ok:
            wrong.append(f"the next goal: {after.status}, {after.reason}")
    except TimeoutError:
        wrong.append("the next goal hangs")
    deadline = time.monotonic() + 16  # the SDK gives a client that is let go ten seconds before it kills it
    while (left := _left(place)) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    if left:
        wrong.append(left)
        for pid in _family(rig):
            if "sleep" in _cmdline(pid):
                os.kill(pid, signal.SIGKILL)
        place.before = place.held()  # told once
    return result, wrong


def _left(place: Place) -> str:
    """What is there now that was not before."""
    now, before = place.held(), place.before
    more = now["threads"] - before["threads"]
    told = [f"threads {', '.join(more)}"] if more else []
    for what in ("descriptors", "programs", "zombies"):
        if now[what] > before[what]:
            told.append(f"{now[what] - before[what]} {what}")
    if "1 programs" in told or any(one.endswith("programs") for one in told):
        told.append("; ".join(_cmdline(pid)[:60] for pid in _family(place.rig)))
    return f"left behind: {', '.join(told)}" if told else ""
