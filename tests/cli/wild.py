"""Endpoints and command line programs that misbehave: a scripted server whose answers can be anything, and a program
between the SDK and the real CLI that changes what is said.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.cortex.scripted import ScriptedServer
from llmos_nb.cortex.scripted.handler import Handler
from llmos_nb.cortex.scripted.wire import error_body

__all__ = ["Exchange", "Wild", "WildServer", "between", "status", "streamed"]

#: An event of a stream: its name and its data.
Streamed = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class Exchange:
    """A request that is to be answered somehow: ``events`` are what a sound endpoint would stream."""

    handler: Handler
    events: list[Streamed]
    stream: bool

    def send(self, data: bytes) -> None:
        """Write to the socket as it is."""
        self.handler.wfile.write(data)

    def head(self, code: int, **headers: str) -> None:
        """Send a status and headers."""
        self.handler._start(code, {name.replace("_", "-"): value for name, value in headers.items()})

    def whole(self, code: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """Send an answer of known length."""
        self.head(code, content_type=kind, content_length=str(len(body)), **headers)
        self.send(body)

    def begin(self) -> None:
        """Begin a stream."""
        self.head(200, content_type="text/event-stream; charset=utf-8", transfer_encoding="chunked")

    def piece(self, data: bytes) -> None:
        """Send a piece of a stream."""
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def over(self) -> None:
        """End a stream in an orderly way."""
        self.send(b"0\r\n\r\n")

    def drop(self) -> None:
        """Close the socket."""
        self.handler._drop()

    def reset(self) -> None:
        """Close the socket as a machine does that knows of no connection."""
        self.handler.close_connection = True
        connection = self.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def wait(self, seconds: float) -> bool:
        """Wait; True when the server ends or the client went away."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.handler._endpoint.closing.wait(0.02) or _gone(self.handler.connection):
                return True
        return False


#: What is done about a request in place of an answer.
Wild = Callable[[Exchange], None]


def _gone(connection: socket.socket) -> bool:
    try:
        connection.setblocking(False)
        return connection.recv(1, socket.MSG_PEEK) == b""
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
    finally:
        with contextlib.suppress(OSError):
            connection.setblocking(True)


def encoded(event: Streamed) -> bytes:
    """An event on the wire, whatever is in it."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def streamed(change: Callable[[list[Streamed]], Iterable[Streamed | bytes]]) -> Wild:
    """An answer whose events are ``change`` of the sound ones; where no stream was asked for, an overloaded endpoint."""

    def act(exchange: Exchange) -> None:
        if not exchange.stream:
            exchange.whole(529, json.dumps(error_body("overloaded_error", "Overloaded")).encode())
            return
        exchange.begin()
        for event in change(exchange.events):
            exchange.piece(event if isinstance(event, bytes) else encoded(event))
        exchange.over()

    return act


def status(code: int, kind: str = "api_error", **headers: str) -> Wild:
    """An error status, as the API sends it."""

    def act(exchange: Exchange) -> None:
        body = json.dumps(error_body(kind, f"This is a {code}.")).encode()
        exchange.whole(code, body, **headers)

    return act


class WildServer(ScriptedServer):
    """A scripted server that meets requests ``first`` to ``last`` (counted from :meth:`expect`) with ``wild``."""

    def __init__(self, scripts: Any) -> None:
        super().__init__(scripts)
        self.wild: Wild | None = None
        self.first = self.last = 0
        self.arrived = 0
        #: Tokens that answers which were sent to their end said to have cost.
        self.billed = self.answered = 0
        self.turn = threading.Lock()

    def start(self) -> WildServer:
        super().start()
        assert self._http is not None
        self._http.RequestHandlerClass = _WildHandler
        return self

    def expect(self, wild: Wild | None, first: int = 1, last: int = 10**9) -> None:
        """From now on."""
        with self.turn:
            self.wild, self.first, self.last, self.arrived, self.billed, self.answered = wild, first, last, 0, 0, 0


class _WildHandler(Handler):
    def _stream(self, events: list[bytes], headers: Any, fault: Any, delay_s: Any) -> None:
        self._respond(
            [_decoded(event) for event in events],
            True,
            lambda: super(_WildHandler, self)._stream(events, headers, fault, delay_s),
        )

    def _send_whole(self, body: bytes, headers: Any, fault: Any) -> None:
        self._respond(
            [("", json.loads(body))], False, lambda: super(_WildHandler, self)._send_whole(body, headers, fault)
        )

    def _respond(self, events: list[Streamed], stream: bool, soundly: Callable[[], None]) -> None:
        server: Any = self._endpoint
        with server.turn:
            server.arrived += 1
            wild = server.wild if server.first <= server.arrived <= server.last else None
        if wild is None:
            soundly()
            usage = events[-2][1]["usage"] if stream else events[0][1]["usage"]
            server.billed += usage["output_tokens"]
            server.answered += 1
        else:
            wild(Exchange(self, events, stream))


def _decoded(event: bytes) -> Streamed:
    name, data = event.decode().strip().split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


#: The program between the SDK and the CLI. It reads what to do from a file, so that one process can be good and then bad.
_BETWEEN: Final = r"""
import json, os, signal, subprocess, sys, threading, time
plan_path, real = {plan!r}, {real!r}
cli = subprocess.Popen([real, *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
out = sys.stdout.buffer
seen = {{}}
def plan():
    try:
        with open(plan_path) as file:
            return json.load(file)
    except Exception:
        return {{}}
def send(text):
    out.write((text if isinstance(text, bytes) else text.encode()) + b"\n")
    out.flush()
def inward():
    for line in iter(sys.stdin.buffer.readline, b""):
        try:
            cli.stdin.write(line)
            cli.stdin.flush()
        except OSError:
            break
    try:
        cli.stdin.close()
    except OSError:
        pass
threading.Thread(target=inward, daemon=True).start()
stamp = None
def put(data, path, value):
    *way, last = path
    for key in way:
        data = data[key]
    if value == "__delete__":
        data.pop(last, None)
    else:
        data[last] = value
for line in iter(cli.stdout.readline, b""):
    order = plan()
    if order.get("stamp") != stamp:
        stamp, seen = order.get("stamp"), {{}}
    try:
        message = json.loads(line)
    except ValueError:
        message = {{}}
    kinds = [message.get("type", "?")]
    if message.get("subtype"):
        kinds.append(kinds[0] + ":" + str(message["subtype"]))
    if kinds[0] == "stream_event":
        kinds.append("stream_event:" + str(message["event"].get("type")))
    if kinds[0] == "control_request":
        kinds.append("control_request:" + str(message["request"].get("subtype")))
    for kind in kinds:
        seen[kind] = seen.get(kind, 0) + 1
    at = order.get("at")
    if at not in kinds or not order.get("first", 1) <= seen[at] <= order.get("last", 10**9):
        send(line.rstrip(b"\n"))
        continue
    do = order["do"]
    if do == "drop":
        continue
    elif do == "double":
        send(line.rstrip(b"\n")); send(line.rstrip(b"\n"))
    elif do == "before":
        for one in order["lines"]:
            send(one)
        send(line.rstrip(b"\n"))
    elif do == "after":
        send(line.rstrip(b"\n"))
        for one in order["lines"]:
            send(one)
    elif do == "instead":
        for one in order["lines"]:
            send(one)
    elif do == "put":
        for path, value in order["put"]:
            put(message, path, value)
        send(json.dumps(message))
    elif do == "big":
        send('{{"type": "' + "x" * order["size"] + '"}}')
        send(line.rstrip(b"\n"))
    elif do == "flood":
        for number in range(order["count"]):
            send('{{"type": "llmos-flood", "number": %d}}' % number)
        send(line.rstrip(b"\n"))
    elif do == "torn":
        out.write(line[: len(line) // 2]); out.flush()
        cli.kill(); os._exit(0)
    elif do == "exit":
        cli.kill(); sys.stderr.write("it is said why\n"); sys.stderr.flush(); os._exit(order.get("code", 7))
    elif do == "deaf":
        time.sleep(3600)
    elif do == "mute":
        os.close(1)
        sys.stdout = None
        time.sleep(3600)
    elif do == "shout":
        for number in range(order["count"]):
            try:
                os.write(2, b"noise " * 200 + b"\n")
            except BlockingIOError:  # the CLI shares it, and wants it so
                time.sleep(0.01)
        send(line.rstrip(b"\n"))
cli.wait()
os._exit(cli.returncode if cli.returncode >= 0 else 1)
"""


@dataclass(slots=True)
class between:
    """A program to give the SDK as the CLI; :meth:`expect` says what it does wrong."""

    folder: Path
    program: Path = field(init=False)
    _stamp: int = 0

    def __post_init__(self) -> None:
        import claude_agent_sdk

        real = Path(claude_agent_sdk.__file__).parent / "_bundled" / ("claude.exe" if os.name == "nt" else "claude")
        self.program = self.folder / "claude-between"
        text = _BETWEEN.format(plan=str(self.folder / "plan.json"), real=str(real))
        self.program.write_text(f"#!{sys.executable} -IS\n{text}")
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)
        self.expect()

    def expect(self, **plan: Any) -> None:
        """``at`` a kind of message (from the ``first`` to the ``last`` of it) ``do`` something; nothing: be sound."""
        self._stamp += 1
        path = self.folder / "plan.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps({**plan, "stamp": self._stamp}))
        fresh.replace(path)
