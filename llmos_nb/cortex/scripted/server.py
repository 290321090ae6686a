"""The scripted endpoint itself: a server on loopback that a Messages API client cannot tell from the real one.

Every connection has a thread; no state is shared but the record of requests. Only who holds the server's random key
is answered, so nothing else on the machine uses it by accident.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Sequence
from http.server import ThreadingHTTPServer
from typing import Any, Final

from llmos_nb.cortex.scripted.faults import Fault, FaultPlan
from llmos_nb.cortex.scripted.handler import Handler
from llmos_nb.cortex.scripted.library import bundled_scripts
from llmos_nb.cortex.scripted.match import knows
from llmos_nb.cortex.scripted.record import RequestLog
from llmos_nb.cortex.scripted.script import Script
from llmos_nb.errors import EndpointError

__all__ = ["ScriptedServer"]

#: Seconds between two looks at whether the server should end.
_POLL_S: Final = 0.05


class ScriptedServer:
    """Serves ``scripts`` (by default the bundled ones) from :meth:`start` to :meth:`close`, or in a ``with`` block.

    ``delta_delay_s`` is the pause in seconds before each streamed piece, ``delay_s`` the one before each answer; a
    script's own settings come first.
    """

    def __init__(
        self,
        scripts: Sequence[Script] | None = None,
        *,
        faults: FaultPlan | None = None,
        delta_delay_s: float = 0.0,
        delay_s: float = 0.0,
    ) -> None:
        self.scripts: tuple[Script, ...] = bundled_scripts() if scripts is None else tuple(scripts)
        #: What a client must send as ``x-api-key``.
        self.api_key: Final = f"sk-scripted-{secrets.token_hex(16)}"
        self.requests: Final = RequestLog()
        self.delta_delay_s: Final = delta_delay_s
        self.delay_s: Final = delay_s
        #: Set when the server ends: whoever waits for something stops waiting.
        self.closing: Final = threading.Event()
        self._faults = faults or FaultPlan()
        self._asked = 0
        self._lock = threading.Lock()
        self._http: _HttpServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> ScriptedServer:
        """Listen on a free port of 127.0.0.1; does nothing when it listens already.

        Raises:
            EndpointError: no port can be had, or the server was closed.
        """
        with self._lock:
            if self.closing.is_set():
                raise EndpointError("The scripted endpoint was closed.", remedy="Start a new one.")
            if self._http is None:
                try:
                    self._http = _HttpServer(self)
                except OSError as error:
                    raise EndpointError(
                        f"The scripted endpoint cannot listen on 127.0.0.1 ({error.strerror or error}).",
                        remedy="Check that this machine's loopback network is up.",
                    ) from error
                self._thread = threading.Thread(
                    target=self._http.serve_forever, args=(_POLL_S,), name="llmos-scripted", daemon=True
                )
                self._thread.start()
        return self

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end.

        Raises:
            EndpointError: the server is not started.
        """
        if self._http is None:
            raise EndpointError("The scripted endpoint is not started.", remedy="Call start() first.")
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        """Stop listening and end every open connection. May be called again."""
        with self._lock:
            self.closing.set()
            http, self._http = self._http, None
        if http is not None:
            http.shutdown()
            http.server_close()
            http.hang_up()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def __enter__(self) -> ScriptedServer:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def knows(self, goal: str, agent: str | None = None, instructions: str = "") -> bool:
        """Does a script of this server claim ``goal``, put to ``agent`` (None: to anyone) with its ``instructions``?"""
        return knows(goal, self.scripts, agent, instructions)

    def gave_up(self, goal: str) -> bool:
        """Did the last answer about ``goal`` say that it cannot be reached: a tool not granted, a step that failed?"""
        return self.requests.gave_up(goal)

    def next_fault(self) -> Fault | None:
        """The fault that the message request just arrived meets; counts it."""
        with self._lock:
            self._asked += 1
            return self._faults.fault(self._asked)


class _HttpServer(ThreadingHTTPServer):
    """The listening socket; keeps the open connections so that closing leaves none behind."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, endpoint: ScriptedServer) -> None:
        self.endpoint = endpoint
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)

    def server_bind(self) -> None:
        """Bind without the look-up of a host name, which may ask the network."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the client's business; what a request makes go wrong is answered with a 500."""

    def hang_up(self) -> None:
        """End the connections that are still open."""
        with self._open_lock:
            left = list(self._open)
        for request in left:
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # already gone
