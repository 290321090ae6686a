"""The scripted endpoint over real HTTP: the protocol, the checks, many clients at once."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from llmos_nb.cortex.scripted import UNKNOWN_GOAL, ScriptedServer
from llmos_nb.errors import EndpointError

RUN_CELL = {"name": "mcp__llmos__run_cell", "description": "Runs code.", "input_schema": {"type": "object"}}


@pytest.fixture(scope="module")
def server() -> Any:
    with ScriptedServer() as server:
        yield server


def ask(
    server: ScriptedServer,
    body: Any = None,
    *,
    method: str = "POST",
    path: str = "/v1/messages?beta=true",
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request(method, path, data, {"x-api-key": server.api_key} if headers is None else headers)
    response = connection.getresponse()
    answer = response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    connection.close()
    return answer


def request(goal: str = "Add 2 and 3", *, stream: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-4-5",
        "max_tokens": 1000,
        "stream": stream,
        "tools": [RUN_CELL],
        "messages": [{"role": "user", "content": [{"type": "text", "text": goal}]}],
        **more,
    }


def events_of(body: bytes) -> list[dict[str, Any]]:
    events = []
    for chunk in body.decode().split("\n\n")[:-1]:
        name, data = chunk.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def test_streams_the_events_in_the_apis_order(server: ScriptedServer) -> None:
    goal = "What is the mean body mass of Adelie penguins in penguins.csv?"
    status, headers, body = ask(server, request(goal, thinking={"type": "enabled", "budget_tokens": 1024}))
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["x-llmos-scripted"] == "mean-body-mass"
    events = events_of(body)
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds.count("ping") == 1
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    message = events[0]["message"]
    assert (message["model"], message["role"], message["content"]) == ("claude-sonnet-4-5", "assistant", [])
    assert set(message["usage"]) == {
        "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
    }  # fmt: skip
    started = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]
    assert started == ["text", "tool_use"]
    pieces = [event["delta"].get("partial_json") for event in events if event["type"] == "content_block_delta"]
    pieces = [piece for piece in pieces if piece is not None]
    assert len(pieces) > 3
    assert 'pd.read_csv("penguins.csv")' in json.loads("".join(pieces))["code"]
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    assert events[-2]["usage"]["output_tokens"] > 10


def test_streamed_and_whole_answers_are_the_same(server: ScriptedServer) -> None:
    events = events_of(ask(server, request("Hello"))[2])
    streamed = "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    status, headers, body = ask(server, request("Hello", stream=False))
    message = json.loads(body)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert message["content"] == [{"type": "text", "text": streamed}]
    assert message["stop_reason"] == events[-2]["delta"]["stop_reason"] == "end_turn"
    assert message["usage"] == events[-2]["usage"]


def test_whole_answers_hold_tool_calls_with_fresh_ids(server: ScriptedServer) -> None:
    blocks = [json.loads(ask(server, request(stream=False))[2])["content"][0] for _ in range(2)]
    assert blocks[0]["name"] == "mcp__llmos__run_cell"
    assert blocks[0]["input"] == blocks[1]["input"]
    assert blocks[0]["id"] != blocks[1]["id"]


def test_count_tokens_agrees_with_usage(server: ScriptedServer) -> None:
    status, _, body = ask(server, request(), path="/v1/messages/count_tokens?beta=true")
    counted = json.loads(body)["input_tokens"]
    assert status == 200
    assert counted == events_of(ask(server, request())[2])[0]["message"]["usage"]["input_tokens"]


def test_an_unknown_goal_is_answered_labelled_and_kept(server: ScriptedServer) -> None:
    status, headers, body = ask(server, request("Sing me a song", stream=False))
    assert (status, headers["x-llmos-scripted"]) == (200, "unknown-goal")
    assert json.loads(body)["content"][0]["text"].startswith(UNKNOWN_GOAL)
    assert "Sing me a song" in server.requests.unknown_goals
    assert not server.knows("Sing me a song")
    assert server.knows("Add 2 and 3")


@pytest.mark.parametrize(
    "goal",
    [
        "",
        "../../etc/passwd",
        "{file:path}",
        "%s%n\x00",
        "\ud800 lone",
        "Load ../../x and count the rows\u2028",
        "🐧" * 5000,
    ],
)
def test_odd_goals_are_answered(server: ScriptedServer, goal: str) -> None:
    assert ask(server, request(goal))[0] == 200


def test_long_text_is_cut_at_max_tokens(server: ScriptedServer) -> None:
    message = json.loads(ask(server, request("Hello", stream=False, max_tokens=2))[2])
    assert (message["content"][0]["text"], message["stop_reason"]) == ("I am the", "max_tokens")
    assert message["usage"]["output_tokens"] == 2


@pytest.mark.parametrize(
    "headers", [{}, {"x-api-key": "wrong"}, {"authorization": "Bearer x"}, {"x-api-key": "schlüssel"}]
)
def test_only_the_key_opens(server: ScriptedServer, headers: dict[str, str]) -> None:
    status, _, body = ask(server, request(), headers=headers)
    assert status == 401
    assert json.loads(body)["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "must be a JSON object"),
        ({}, "model: Field required"),
        ({"model": 3}, "model: Input should be a valid string"),
        ({"model": "m"}, "max_tokens: Field required"),
        ({"model": "m", "max_tokens": True}, "max_tokens: Input should be a valid integer"),
        ({"model": "m", "max_tokens": 0}, "greater than or equal to 1"),
        ({"model": "m", "max_tokens": 9}, "at least one message"),
        ({"model": "m", "max_tokens": 9, "messages": [{"role": "user"}]}, "messages.0.content"),
        ({"model": "m", "max_tokens": 9, "tools": 3, "messages": [{"role": "user", "content": "x"}]}, "tools:"),
    ],
)
def test_bad_requests_get_the_apis_error(server: ScriptedServer, body: Any, reason: str) -> None:
    status, headers, answer = ask(server, body)
    error = json.loads(answer)
    assert status == 400
    assert headers["request-id"]
    assert (error["type"], error["error"]["type"]) == ("error", "invalid_request_error")
    assert reason in error["error"]["message"]


def test_other_paths_and_looks(server: ScriptedServer) -> None:
    assert ask(server, {}, path="/v1/complete")[0] == 404
    assert ask(server, method="GET", path="/v1/models")[0] == 404
    assert ask(server, method="HEAD", path="/", headers={})[::2] == (200, b"")
    assert json.loads(ask(server, method="GET", path="/", headers={})[2])["type"] == "scripted"


def test_bodies_are_capped(server: ScriptedServer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    for length, status in ((str(33 * 1024 * 1024), 413), ("-1", 411), ("9" * 40, 411)):
        connection.putrequest("POST", "/v1/messages")
        connection.putheader("content-length", length)
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == status
        response.read()
        connection.close()


def test_a_connection_serves_many_requests(server: ScriptedServer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    sockets = set()
    for path in ("/v1/messages", "/v1/nothing", "/v1/messages"):
        connection.request("POST", path, json.dumps(request()), {"x-api-key": server.api_key})
        connection.getresponse().read()
        sockets.add(connection.sock)
    assert len(sockets) == 1
    connection.close()


def test_many_clients_at_once(server: ScriptedServer) -> None:
    def client(number: int) -> list[str]:
        texts = []
        for step in range(5):
            a, b = number * 100, step
            messages = request(f"Add {a} and {b}")["messages"]
            first = json.loads(ask(server, request(stream=False, messages=messages))[2])["content"]
            assert first[0]["input"]["code"] == f'a = {a}\nb = {b}\nprint("sum:", a + b)'
            result = {"type": "tool_result", "tool_use_id": first[0]["id"], "content": f"sum: {a + b}"}
            messages += [{"role": "assistant", "content": first}, {"role": "user", "content": [result]}]
            events = events_of(ask(server, request(messages=messages))[2])
            texts.append("".join(event["delta"].get("text", "") for event in events if "delta" in event))
        return texts

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client, range(8)))
    assert answers == [[f"{n * 100} + {step} = **{n * 100 + step}**" for step in range(5)] for n in range(8)]


def test_requests_are_recorded() -> None:
    with ScriptedServer() as server:
        ask(server, request())
        ask(server, request("Sing"), path="/v1/messages/count_tokens")
        ask(server, request(), headers={})
        ask(server, method="HEAD", path="/")
        assert server.requests.kinds == {"message": 1, "count_tokens": 1, "refused": 1, "root": 1}
        assert server.requests.count == 4
        first = server.requests.recent[0]
        assert (first.goal, first.script, first.stream, first.status) == ("Add 2 and 3", "add-numbers", True, 200)


def test_lifecycle() -> None:
    server = ScriptedServer()
    with pytest.raises(EndpointError, match="not started"):
        _ = server.url
    assert server.start() is server.start()
    port = int(server.url.rpartition(":")[2])
    server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
    with pytest.raises(EndpointError, match="closed"):
        server.start()


def test_two_servers_do_not_share_keys(server: ScriptedServer) -> None:
    with ScriptedServer() as other:
        assert ask(other, request(), headers={"x-api-key": server.api_key})[0] == 401


def test_a_failing_server_says_so(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("llmos_nb.cortex.scripted.handler.play", broken)
    status, _, body = ask(server, request())
    assert (status, json.loads(body)["error"]) == (500, {"type": "api_error", "message": "RuntimeError: a bug"})


def test_an_answer_that_gives_up_is_remembered_until_the_goal_is_played_to_its_end(server: ScriptedServer) -> None:
    goal = "Compute the first 3 prime numbers"
    assert not server.gave_up(goal)
    ask(server, request(goal, tools=[]))  # offers no tool, so the script cannot go on
    assert server.gave_up(goal)
    ask(server, request(goal))
    assert not server.gave_up(goal)
