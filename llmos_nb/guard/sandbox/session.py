"""A process in a sandbox that stays: it is asked one thing after the other, and tells what it prints meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import SandboxFailed
from llmos_nb.guard.sandbox.fence import Fence, find_fence
from llmos_nb.guard.sandbox.job import Limits, Place
from llmos_nb.guard.sandbox.run import ended_by_itself, module_path
from llmos_nb.guard.sandbox.started import Started, child_code, packed
from llmos_nb.guard.sandbox.watch import remove
from llmos_nb.guard.sandbox.wire import Wire

__all__ = ["Session"]

#: Messages beside answers (printed text, pictures) that one session may send.
MESSAGES: Final = 100_000
#: Seconds that ending one may take.
_END_S: Final = 10.0
_REMEDY: Final = "Run the goal again; limits of the sandbox that are too low are a usual cause."

OnMessage = Callable[[dict[str, Any]], None]


class Session:
    """``text`` is Python that runs in the sandbox, and finds the numbers of its two pipes in ``REQUESTS`` and ``ANSWERS``.

    It is to answer each request that comes with one message that has ``"answer": true``; others may come before it.
    Ends with :meth:`end`, with this process, and with the first limit that is passed.
    """

    def __init__(
        self, text: str, *, limits: Limits | None = None, place: Place | None = None, fence: Fence | None = None
    ) -> None:
        self._text, self.limits = text, limits or Limits()
        self._place, self.fence = (place or Place()).resolved(), fence or find_fence()
        self._wire: Wire | None = None
        self._process: Started | None = None
        self._ended, self._over, self._started = threading.Event(), threading.Event(), threading.Event()
        self._stop = threading.Event()
        self._told = 0
        self._bytes = 0
        #: Why it ended, in words; empty while it runs, and where it was ended by us.
        self.why = ""
        self._waiting: tuple[asyncio.AbstractEventLoop, asyncio.Queue[Any]] | None = None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._said = bytearray()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._started.is_set() and not self._ended.is_set()

    def start(self) -> None:
        """Begin; what goes wrong is told by the first request."""
        # A sandbox ends with the thread that started it, so that one watches it for all its life.
        watching = threading.Thread(target=self._run, name="llmos-sandbox-session", daemon=True)
        self._threads.append(watching)
        watching.start()
        self._started.wait(_END_S)

    async def ask(
        self, request: dict[str, Any], pieces: Sequence[bytes] = (), on_message: OnMessage = lambda message: None
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Have one request answered. One at a time.

        Raises:
            SandboxFailed: the sandbox ended before it answered, or answered nonsense; ``why`` says more.
        """
        queue: asyncio.Queue[Any] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        with self._lock:
            self._waiting = (loop, queue)
        if not self._started.is_set():
            await asyncio.to_thread(self.start)
        if self._wire is None or self._ended.is_set():
            raise self._failed()
        sending = loop.run_in_executor(None, self._send, request, pieces)
        try:
            while True:
                got = await queue.get()
                if got is None:
                    raise self._failed()
                message, behind = got
                if message.get("answer") is True:
                    return message, behind
                on_message(message)
        finally:
            with self._lock:
                self._waiting = None
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({sending}, timeout=1.0)

    def end(self) -> None:
        """End every process of it and wait until they are gone. Safe to call twice, and from any thread."""
        self._stop.set()
        if self._started.is_set():
            self._ended.wait(_END_S)

    def stop(self) -> None:
        """Have it ended, without waiting. Callable from any thread."""
        self._stop.set()

    def _failed(self) -> SandboxFailed:
        why = self.why or ("it was stopped" if self._stop.is_set() else "it ended by itself")
        return SandboxFailed(f"The sandbox ended: {why}.", remedy=_REMEDY)

    def _send(self, request: dict[str, Any], pieces: Sequence[bytes]) -> None:
        with contextlib.suppress(OSError):  # it ended, which its reader tells
            assert self._wire is not None
            self._wire.send(request, pieces)

    def _run(self) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="llmos-sandbox-")).resolve()
        opened: list[int] = []
        try:
            launch = self.fence.launch(self._place, self.limits, scratch)
            requests, ask = os.pipe()
            answer, answers = os.pipe()
            opened = [requests, ask, answer, answers]
            process = self._process = Started(
                launch, self.limits, inherits=(requests, answers), stdout=subprocess.DEVNULL
            )
            os.close(requests)
            os.close(answers)
            opened = [ask, answer]
            self._wire = Wire(answer, ask)
        except (OSError, SandboxFailed) as error:
            self.why = str(error)
            for one in opened:
                os.close(one)
            remove(scratch)
            self._finish()
            return
        for work in (self._read, self._errors):
            thread = threading.Thread(target=work, name="llmos-sandbox-reads", daemon=True)
            thread.start()
            self._threads.append(thread)
        job = {
            **launch.job, **process.told, "kind": "python", "path": module_path(),
            "text": f"REQUESTS, ANSWERS = {requests}, {answers}\n{self._text}",
        }  # fmt: skip
        with contextlib.suppress(OSError):
            process.stdin.write(child_code() + packed(job))
        self._started.set()
        try:
            ending, why, _ = process.watched(self._over, self._stop.is_set, scratch=scratch)
            if ending is None:
                why = self._last_words() or ended_by_itself(process.process.wait(), self.limits)[1]
            self.why = self.why or ("" if ending == "stopped" else why)
        finally:
            self._close(process, scratch)
            self._finish()

    def _close(self, process: Started, scratch: Path) -> None:
        process.end()
        assert process.process.stderr is not None
        with contextlib.suppress(OSError):
            process.process.stderr.close()
        if self._wire is not None:
            for thread in self._threads[1:]:
                thread.join(1.0)
            self._wire.close()
        remove(scratch)

    def _finish(self) -> None:
        self._ended.set()
        self._started.set()
        self._put(None)

    def _put(self, got: Any) -> None:
        with self._lock:
            waiting = self._waiting
        if waiting is not None:
            loop, queue = waiting
            with contextlib.suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(queue.put_nowait, got)

    def _read(self) -> None:
        assert self._wire is not None
        while True:
            try:
                got = self._wire.receive()
            except SandboxFailed as error:
                self.why = error.message.removeprefix("The sandbox ").removesuffix("; it was ended.")
                self._stop.set()
                return
            if got is None:
                return
            if got[0].get("answer") is not True:
                self._told += 1
                self._bytes += sum(len(v) for v in got[0].values() if isinstance(v, str))
                if self._told > MESSAGES or self._bytes > self.limits.output_bytes:
                    self._over.set()
                    return
            self._put(got)

    def _errors(self) -> None:
        """What it says where nothing should be said: why it could not begin."""
        assert self._process is not None and self._process.process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while chunk := self._process.process.stderr.read(4096):
                self._said = (self._said + chunk)[-4096:]

    def _last_words(self) -> str:
        last = (bytes(self._said).decode("utf-8", "replace").strip().splitlines() or [""])[-1]
        return "".join(c for c in last if c.isprintable())[:300]
