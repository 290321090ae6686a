"""One HTTP connection of the scripted endpoint: it reads and checks requests, sends answers and planned faults."""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import select
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from llmos_nb.cortex.scripted.conversation import BadRequest, read_conversation
from llmos_nb.cortex.scripted.faults import Fault
from llmos_nb.cortex.scripted.player import Reply, TextPart, play
from llmos_nb.cortex.scripted.record import RequestRecord
from llmos_nb.cortex.scripted.usage import CHARS_PER_TOKEN, count_input_tokens, count_output_tokens
from llmos_nb.cortex.scripted.wire import error_body, message_body, sse, stream_events

if TYPE_CHECKING:
    from llmos_nb.cortex.scripted.server import ScriptedServer

__all__ = ["Handler"]

#: Largest request body in bytes: the Messages API's own limit.
BODY_LIMIT: Final = 32 * 1024 * 1024
#: How long an idle connection is kept, in seconds; also the limit for a body that trickles in.
IDLE_S: Final = 300.0
#: Says on every answer which script it is from: a script's name or ``unknown-goal``.
LABEL: Final = "x-llmos-scripted"
UNKNOWN: Final = "unknown-goal"

_MALFORMED: Final = b'{"type": "content_block_delta", "index": 0, "del'
_STATUS_FAULTS: Final[dict[str, tuple[str, str]]] = {
    "401": ("authentication_error", "invalid x-api-key"),
    "429": ("rate_limit_error", "This request would exceed the rate limit."),
    "500": ("api_error", "Internal server error"),
    "529": ("overloaded_error", "Overloaded"),
}

_log = logging.getLogger(__name__)


class _Refused(Exception):
    """The request ends with an error status."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version = "llmos-scripted"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = IDLE_S

    @property
    def _endpoint(self) -> ScriptedServer:
        return cast("ScriptedServer", self.server.endpoint)  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr: the server lives inside a notebook's process."""

    def do_HEAD(self) -> None:
        """A client's look at whether the server is there."""
        self.do_GET()

    def do_GET(self) -> None:
        """The root says what this is; there is nothing else to get."""
        if self.path.partition("?")[0] == "/":
            self._note("root", 200)
            self._send(200, {"type": "scripted", "name": "llmos_nb scripted endpoint"})
        else:
            self._refuse(_Refused(404, "not_found_error", f"Not found: {self.command} {self.path[:200]}"))

    def do_POST(self) -> None:
        """A message, or the count of its tokens."""
        try:
            self._post()
        except _Refused as refused:
            self._refuse(refused)
        except BadRequest as bad:
            self._refuse(_Refused(400, "invalid_request_error", str(bad)))
        except OSError:
            self.close_connection = True  # the client went away
        except Exception as error:  # noqa: BLE001 - whatever a request makes go wrong is told to who sent it
            _log.exception("the scripted endpoint failed")
            self.close_connection = True
            self._refuse(_Refused(500, "api_error", f"{type(error).__name__}: {error}"))

    def _post(self) -> None:
        body = self._read_body()
        path = self.path.partition("?")[0].rstrip("/")
        key = self.headers.get("x-api-key") or ""
        if not hmac.compare_digest(key.encode("utf-8", "replace"), self._endpoint.api_key.encode()):
            raise _Refused(401, "authentication_error", "invalid x-api-key")
        if path not in ("/v1/messages", "/v1/messages/count_tokens"):
            raise _Refused(404, "not_found_error", f"Not found: POST {path[:200]}")
        fault = self._endpoint.next_fault() if path == "/v1/messages" else None
        request = _parse(body)
        if fault is not None and fault.kind in _STATUS_FAULTS:
            kind, message = _STATUS_FAULTS[fault.kind]
            headers = {"retry-after": str(fault.retry_after_s)} if fault.kind == "429" else {}
            self._note("message", int(fault.kind), fault=fault.kind)
            self._send(int(fault.kind), error_body(kind, message), headers)
        elif path == "/v1/messages":
            self._answer(request, fault)
        else:
            read_conversation(request)  # refuses what /v1/messages would refuse
            self._note("count_tokens", 200)
            self._send(200, {"input_tokens": count_input_tokens(request)})

    def _read_body(self) -> bytes:
        length = self.headers.get("content-length") or ""
        if not length.isascii() or not length.isdigit() or len(length) > 15:
            self.close_connection = True
            raise _Refused(411, "invalid_request_error", "a content-length is required")
        if int(length) > BODY_LIMIT:
            self.close_connection = True
            raise _Refused(413, "request_too_large", f"Request exceeds the maximum size of {BODY_LIMIT} bytes")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionAbortedError("the client went away in mid-request")
        return body

    def _answer(self, request: dict[str, Any], fault: Fault | None) -> None:
        model = _required(request, "model", str)
        limit = _required(request, "max_tokens", int)
        if limit < 1:
            raise BadRequest("max_tokens: Input should be greater than or equal to 1")
        stream = request.get("stream") is True
        reply = play(read_conversation(request), self._endpoint.scripts)
        if reply.script is None:
            self._endpoint.requests.add_unknown(reply.goal)
        reply, stop_reason = _limited(reply, limit)
        script = reply.script.name if reply.script else ""
        self._note(
            "message", 200, goal=reply.goal, script=script, stream=stream, fault=fault.kind if fault else "",
            gives_up=reply.gives_up,
        )  # fmt: skip
        output_tokens = limit if stop_reason == "max_tokens" else count_output_tokens(reply)
        usage = {"input_tokens": count_input_tokens(request), "output_tokens": output_tokens}
        headers = {LABEL: script or UNKNOWN}
        thinks = reply.script.delay_s if reply.script else None
        thinks = self._endpoint.delay_s if thinks is None else thinks
        if thinks and self._endpoint.closing.wait(thinks):
            self._drop()
            return
        if stream:
            events = [sse(event) for event in stream_events(reply, model=model, stop_reason=stop_reason, **usage)]
            self._stream(events, headers, fault, reply.script.delta_delay_s if reply.script else None)
        else:
            data = message_body(reply, model=model, stop_reason=stop_reason, **usage)
            self._send_whole(json.dumps(data).encode(), headers, fault)

    def _stream(
        self, events: list[bytes], headers: dict[str, str], fault: Fault | None, delay_s: float | None
    ) -> None:
        self._start(200, {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache",
                          "transfer-encoding": "chunked", **headers})  # fmt: skip
        if fault is not None and fault.kind == "hang":
            self._hang()
            return
        pause = fault.delay_s if fault is not None and fault.kind == "slow" else delay_s
        pause = self._endpoint.delta_delay_s if pause is None else pause
        for event in _with_fault(events, fault):
            if pause and b"event: content_block_delta" in event and self._endpoint.closing.wait(pause):
                break
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        if self._endpoint.closing.is_set() or (fault is not None and fault.kind == "cut"):
            self._drop()
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _send_whole(self, body: bytes, headers: dict[str, str], fault: Fault | None) -> None:
        kind = fault.kind if fault is not None else ""
        if kind == "error_event":
            self._send(529, error_body("overloaded_error", "Overloaded"))
            return
        body = _MALFORMED if kind == "malformed" else body
        self._start(200, {"content-type": "application/json", "content-length": str(len(body)), **headers})
        if kind == "hang":
            self._hang()
        elif kind == "cut":
            self.wfile.write(body[: len(body) // 2])
            self._drop()
        elif not (fault is not None and kind == "slow" and self._endpoint.closing.wait(fault.delay_s)):
            self.wfile.write(body)

    def _hang(self) -> None:
        """Send nothing more until the client or the server ends it."""
        while not self._endpoint.closing.wait(0.05):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                break
        self._drop()

    def _drop(self) -> None:
        """Close the socket where the client expects more."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("request-id", f"req_scripted_{secrets.token_hex(12)}")
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()

    def _send(self, status: int, data: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        body = json.dumps(data).encode()
        self._start(status, {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, refused: _Refused) -> None:
        self._note("refused", refused.status)
        try:
            self._send(refused.status, error_body(refused.kind, str(refused)))
        except OSError:
            self.close_connection = True  # nobody is there to be told

    def _note(self, kind: str, status: int, **what: Any) -> None:
        self._endpoint.requests.add(RequestRecord(kind, status, **what))


def _parse(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The request body is not valid JSON: {error}") from error
    if not isinstance(request, dict):
        raise BadRequest("The request body must be a JSON object")
    return request


_T = TypeVar("_T")


def _required(request: dict[str, Any], name: str, kind: type[_T]) -> _T:
    value = request.get(name)
    if value is None:
        raise BadRequest(f"{name}: Field required")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadRequest(f"{name}: Input should be a valid {'string' if kind is str else 'integer'}")
    return value


def _limited(reply: Reply, max_tokens: int) -> tuple[Reply, str]:
    """The reply, cut to ``max_tokens`` when it is text alone, and the stop reason. A tool call is never cut."""
    if reply.stop_reason == "tool_use" or count_output_tokens(reply) <= max_tokens:
        return reply, reply.stop_reason
    text = "".join(part.text for part in reply.parts if isinstance(part, TextPart))
    return Reply((TextPart(text[: max_tokens * CHARS_PER_TOKEN]),), reply.goal, reply.script), "max_tokens"


def _with_fault(events: list[bytes], fault: Fault | None) -> Iterator[bytes]:
    kind = fault.kind if fault is not None else ""
    if fault is None or kind not in ("cut", "malformed", "error_event"):
        yield from events
        return
    yield from events[: min(fault.after_events, len(events) - 1)]
    if kind == "malformed":
        yield b"event: content_block_delta\ndata: " + _MALFORMED + b"\n\n"
    elif kind == "error_event":
        yield sse(("error", error_body("overloaded_error", "Overloaded")))
