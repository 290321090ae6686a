"""Planned faults: what a client sees, and that the next request is answered as ever."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

import pytest

from llmos_nb.cortex.scripted import Fault, FaultPlan, ScriptedServer
from llmos_nb.errors import SettingsError


def open_request(server: ScriptedServer, *, stream: bool = True) -> http.client.HTTPResponse:
    body = {"model": "m", "max_tokens": 900, "stream": stream, "messages": [{"role": "user", "content": "Hello"}]}
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/v1/messages", json.dumps(body), {"x-api-key": server.api_key})
    return connection.getresponse()


def is_fine(server: ScriptedServer) -> bool:
    response = open_request(server)
    return response.status == 200 and b"event: message_stop" in response.read()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("401", "authentication_error"),
        ("429", "rate_limit_error"),
        ("500", "api_error"),
        ("529", "overloaded_error"),
    ],
)
def test_statuses_then_normal_again(kind: Any, error: str) -> None:
    with ScriptedServer(faults=FaultPlan({2: Fault(kind, retry_after_s=7)})) as server:
        assert is_fine(server)
        response = open_request(server)
        assert response.status == int(kind)
        assert response.getheader("retry-after") == ("7" if kind == "429" else None)
        assert json.loads(response.read())["error"]["type"] == error
        assert is_fine(server)
        assert [record.fault for record in server.requests.recent] == ["", kind, ""]


@pytest.mark.parametrize("stream", [True, False])
def test_cut(stream: bool) -> None:
    with ScriptedServer(faults=FaultPlan({1: "cut"})) as server:
        with pytest.raises(http.client.IncompleteRead) as caught:
            open_request(server, stream=stream).read()
        assert b"message_stop" not in caught.value.partial
        assert is_fine(server)


def test_malformed_stream() -> None:
    with ScriptedServer(faults=FaultPlan({1: Fault("malformed", after_events=2)})) as server:
        events = open_request(server).read().split(b"\n\n")[:-1]
        assert len(events) == 3
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            json.loads(events[-1].split(b"data: ")[1])
        assert is_fine(server)


def test_malformed_whole() -> None:
    with (
        ScriptedServer(faults=FaultPlan({1: "malformed"})) as server,
        pytest.raises(ValueError, match=r"Unterminated|Expecting"),
    ):
        json.loads(open_request(server, stream=False).read())


def test_an_error_inside_the_stream() -> None:
    with ScriptedServer(faults=FaultPlan({1: "error_event"})) as server:
        events = open_request(server).read().split(b"\n\n")[:-1]
        assert json.loads(events[-1].split(b"data: ")[1])["error"]["type"] == "overloaded_error"
        assert is_fine(server)


def test_slow_sends_everything() -> None:
    with ScriptedServer(faults=FaultPlan({1: Fault("slow", delay_s=0.001)})) as server:
        assert is_fine(server)
        assert server.requests.recent[0].fault == "slow"


@pytest.mark.parametrize("fault", [Fault("hang"), Fault("slow", delay_s=60)])
@pytest.mark.parametrize("stream", [True, False])
def test_closing_ends_who_waits(fault: Fault, stream: bool) -> None:
    server = ScriptedServer(faults=FaultPlan(always=fault)).start()
    response = open_request(server, stream=stream)
    assert response.status == 200
    seen: list[object] = []

    def read() -> None:
        try:
            seen.append(response.read())
        except (OSError, http.client.HTTPException) as error:
            seen.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    server.close()
    reader.join(timeout=8)
    assert not reader.is_alive()
    assert not (isinstance(seen[0], bytes) and b"message_stop" in seen[0])


def test_plans_are_checked() -> None:
    with pytest.raises(SettingsError, match="unknown fault 'rain'"):
        FaultPlan({1: "rain"})  # type: ignore[dict-item]
    with pytest.raises(SettingsError, match="0 or more"):
        Fault("slow", delay_s=-1)


def test_count_tokens_meets_no_fault() -> None:
    with ScriptedServer(faults=FaultPlan(always="500")) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
        body = json.dumps({"messages": [{"role": "user", "content": "x"}]})
        connection.request("POST", "/v1/messages/count_tokens", body, {"x-api-key": server.api_key})
        assert connection.getresponse().status == 200
        connection.close()
        assert open_request(server).status == 500
