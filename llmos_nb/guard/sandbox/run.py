"""Running code or a command in a sandbox: begun cold or with an interpreter that waits warm, watched, and really ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final, Literal

from llmos_nb.errors import SandboxFailed
from llmos_nb.guard.sandbox.fence import Fence, find_fence
from llmos_nb.guard.sandbox.job import Ending, Limits, Place, SandboxResult
from llmos_nb.guard.sandbox.started import Started, child_code, packed
from llmos_nb.guard.sandbox.watch import remove

__all__ = ["Sandbox", "ended_by_itself", "module_path", "run"]

#: Bytes of code or of a command.
TEXT_LIMIT: Final = 10_000_000
#: Seconds in which a warm interpreter must have come up.
_WARM_S: Final = 30.0
#: What a warm interpreter says when it is ready.
_READY: Final = b"\0"

#: MemoryError, and those of libraries that are one.
_NO_MEMORY: Final = re.compile(r"[\w.]*MemoryError\b")
_CHECK: Final = "See whether llmos_nb.guard.sandbox.run('print(1)') works; limits that are too low are a usual cause."

OnOutput = Callable[[Literal["stdout", "stderr"], str], None]


def run(
    text: str,
    *,
    kind: Literal["python", "command"] = "python",
    limits: Limits | None = None,
    place: Place | None = None,
    on_output: OnOutput | None = None,
    stopped: Callable[[], bool] = lambda: False,
    fence: Fence | None = None,
) -> SandboxResult:
    """Run Python code, or a bash command, in a sandbox of its own, and wait for its end.

    ``on_output`` is given what is printed as it comes, from another thread; once ``stopped`` says so, all of it is
    ended. Use :class:`Sandbox` for many runs.

    Raises:
        ValueError: there is no such kind.
        SandboxUnavailable: this machine has no sandbox; nothing was run.
        SandboxFailed: the sandbox itself did not start.
        SettingsError: a limit or a path makes no sense.
    """
    with Sandbox(limits=limits, place=place, fence=fence) as one:
        return one.run(text, kind=kind, on_output=on_output, stopped=stopped)


class Sandbox:
    """A place where strangers' code runs; every run is apart from every other. A context manager.

    ``warm`` interpreters, behind the fence already and with the modules of ``preload`` imported, wait for Python code:
    each takes one run, and another is started for it. Safe to use from several threads.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        place: Place | None = None,
        fence: Fence | None = None,
        warm: int = 0,
        preload: Sequence[str] = ("numpy",),
    ) -> None:
        self.limits = limits or Limits()
        self.place = (place or Place()).resolved()
        self.fence = fence or find_fence()
        self._preload = tuple(preload)
        self._wanted = warm
        self._waiting: deque[_Process] = deque()
        self._change = threading.Condition()
        self._closed = False
        self._keeper: threading.Thread | None = None
        if warm:
            # One thread for all its life: a sandbox ends with the thread that started it.
            self._keeper = threading.Thread(target=self._keep_warm, name="llmos-sandbox", daemon=True)
            self._keeper.start()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the interpreters that wait. Safe to call twice."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        if self._keeper is not None:
            self._keeper.join(_WARM_S)

    def wait_warm(self, timeout_s: float = _WARM_S) -> bool:
        """Wait until as many interpreters as wanted are ready; False if they are not in time."""
        with self._change:
            return self._change.wait_for(lambda: len(self._waiting) >= self._wanted or self._closed, timeout_s)

    def run(
        self,
        text: str,
        *,
        kind: Literal["python", "command"] = "python",
        on_output: OnOutput | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> SandboxResult:
        """Run one text and wait for its end. Like :func:`run`."""
        if kind not in ("python", "command"):
            raise ValueError(f"kind must be python or command, got {kind!r:.40}")
        if len(text.encode("utf-8", "surrogatepass")) > TEXT_LIMIT:
            raise SandboxFailed(
                f"The code is longer than {TEXT_LIMIT} bytes.", remedy="Pass data as a file of Place."
            )
        started = time.perf_counter()
        process = self._take() if kind == "python" else None
        if process is None:
            process = _Process(self.fence, self.place, self.limits)
        with process:
            return process.work(kind, text, started, on_output, stopped)

    def _take(self) -> _Process | None:
        with self._change:
            while self._waiting:
                process = self._waiting.popleft()
                self._change.notify_all()
                if process.alive:
                    return process
                process.end()
        return None

    def _keep_warm(self) -> None:
        failures = 0
        while True:
            with self._change:
                self._change.wait_for(lambda: self._closed or len(self._waiting) < self._wanted)
                if self._closed:
                    break
            try:
                process = _Process(self.fence, self.place, self.limits, preload=self._preload)
            except (SandboxFailed, OSError):
                failures += 1
                if failures >= 3:
                    break  # runs begin cold, and say what is wrong
                continue
            failures = 0
            with self._change:
                self._waiting.append(process)
                self._change.notify_all()
        # What waits belongs to this thread, and whoever took one in time still needs it.
        with self._change:
            rest, self._waiting = list(self._waiting), deque()
            self._change.notify_all()
        for process in rest:
            process.end()


class _Process:
    """One sandbox, used once. A context manager that ends it."""

    def __init__(self, fence: Fence, place: Place, limits: Limits, *, preload: Sequence[str] | None = None) -> None:
        self._limits, self._fence, self._warm = limits, fence, preload is not None
        self._scratch = Path(tempfile.mkdtemp(prefix="llmos-sandbox-")).resolve()
        self._launch = launch = fence.launch(place, limits, self._scratch)
        try:
            self._started = Started(launch, limits, arguments=["warm"] if self._warm else [])
        except OSError as error:
            remove(self._scratch)
            raise SandboxFailed(f"The sandbox could not be started: {error}.", remedy=_CHECK) from error
        try:
            self._started.stdin.write(child_code())  # it fits in the pipe
            if preload is not None:
                inherits = self._started.told["inherits"]
                warmed = {"path": module_path(), "preload": [*launch.preload, *preload], "inherits": inherits}
                self._started.stdin.write(packed({**launch.job, **warmed}))
        except OSError:  # it ended at once, and says why
            pass
        if preload is not None and self._stream(1).read(1) != _READY:
            said = self._stream(2).read(500).decode("utf-8", "replace")
            self.end()
            raise SandboxFailed(f"The sandbox's interpreter did not come up: {said.strip()[-300:]}", remedy=_CHECK)

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def alive(self) -> bool:
        return self._started.process.poll() is None

    def _stream(self, number: Literal[1, 2]) -> IO[bytes]:
        stream = self._started.process.stdout if number == 1 else self._started.process.stderr
        assert stream is not None
        return stream

    def work(
        self, kind: str, text: str, started: float, on_output: OnOutput | None, stopped: Callable[[], bool]
    ) -> SandboxResult:
        """Hand the job over, watch it, and end it."""
        job = {**({} if self._warm else self._launch.job), "kind": kind, "text": text, "path": module_path()}
        output = _Outputs(self._limits.output_bytes, on_output)
        readers = [
            threading.Thread(target=output.read, args=("stdout", self._stream(1)), daemon=True),
            threading.Thread(target=output.read, args=("stderr", self._stream(2)), daemon=True),
        ]
        for reader in readers:
            reader.start()
        feeder = threading.Thread(target=self._feed, args=(packed({**job, **self._started.told}),), daemon=True)
        feeder.start()
        ending, why, peak = self._started.watched(output.over, stopped, scratch=self._scratch)
        self.end()
        feeder.join()
        for reader in readers:
            reader.join()
        code = self._started.process.returncode
        if not ending:
            ending, why = ended_by_itself(code, self._limits, output.text("stderr"))
        return SandboxResult(
            ending=ending, why=why, exit_code=code, stdout=output.text("stdout"), stderr=output.text("stderr"),
            took_s=time.perf_counter() - started, peak_mb=peak / 2**20, fence=self._fence.name,
        )  # fmt: skip

    def _feed(self, data: bytes) -> None:
        stream = self._started.stdin
        view = memoryview(data)
        with contextlib.suppress(OSError, ValueError):  # it ended before it had read all
            while view:
                view = view[stream.write(view) :]  # stays open: its end tells a keeper that we are gone

    def end(self) -> None:
        """End every process of it, and clear up."""
        self._started.end()
        remove(self._scratch)


class _Outputs:
    """What a run prints, as far as it may."""

    def __init__(self, limit: int, tell: OnOutput | None) -> None:
        self._left, self._tell = limit, tell
        self._parts: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._lock = threading.Lock()
        self.over = threading.Event()

    def read(self, name: Literal["stdout", "stderr"], stream: IO[bytes]) -> None:
        import codecs

        decode = codecs.getincrementaldecoder("utf-8")("replace")
        with contextlib.suppress(OSError, ValueError):
            while chunk := stream.read(65_536):
                with self._lock:
                    kept = chunk[: self._left]
                    self._left -= len(kept)
                    self._parts[name] += kept
                    if len(kept) < len(chunk):
                        self.over.set()
                if self._tell is not None and (text := decode.decode(kept)):
                    with contextlib.suppress(Exception):  # who listens badly does not end the run
                        self._tell(name, text)
        with contextlib.suppress(OSError):
            stream.close()

    def text(self, name: str) -> str:
        return bytes(self._parts[name]).decode("utf-8", "replace")


def ended_by_itself(code: int, limits: Limits, stderr: str = "") -> tuple[Ending, str]:
    """How it ended that ended by itself; a shell, and bubblewrap, tell a signal as 128 and its number.

    Python that is given no more memory says so in its last words.
    """
    number = -code if code < 0 else code - 128
    if code == 0:
        return "ok", ""
    if number == signal.SIGXCPU:
        return "cpu", f"it used more than {limits.cpu_s:g} s of the processor"
    if 0 < number <= 64:
        with contextlib.suppress(ValueError):
            return "error", f"it was ended by {signal.Signals(number).name}"
    if _NO_MEMORY.match((stderr.rstrip().splitlines() or [""])[-1]):
        return "memory", f"it was given no more than {limits.memory_mb} MB of memory"
    return "error", f"it ended with exit code {code}"


def module_path() -> list[str]:
    """Where Python in the sandbox looks for modules: the standard library and installed packages, nobody's own folder."""
    return [path for path in sys.path if path and os.path.isabs(path) and _is_installed(Path(path))]


def _is_installed(path: Path) -> bool:
    roots = {Path(sys.prefix), Path(sys.base_prefix)}
    return "site-packages" in path.parts or any(path.is_relative_to(root) for root in roots)
