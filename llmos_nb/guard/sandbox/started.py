"""One process of a sandbox as the system has it: begun behind a fence, its tasks bounded, watched, and really ended."""

from __future__ import annotations

import contextlib
import functools
import importlib.resources
import marshal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from llmos_nb.guard.sandbox.fence import Launch
from llmos_nb.guard.sandbox.job import Ending, Limits
from llmos_nb.guard.sandbox.tasks import bound
from llmos_nb.guard.sandbox.watch import end_all, too_many, watched

__all__ = ["Started", "child_code", "packed"]

#: Seconds between two looks at what a run uses.
_LOOK_S: Final = 0.02
#: Reads the code of :mod:`llmos_nb.guard.sandbox.child`, compiled, and runs it.
_LOADER: Final = (
    "import os,marshal\nn=int(os.read(0,20));d=b''\n"
    "while len(d)<n:\n m=os.read(0,n-len(d))\n if not m:os._exit(0)\n d+=m\nexec(marshal.loads(d))"
)
#: What Python is started with where nothing of this package is.
_CHILD: Final = ("-I", "-S", "-X", "utf8", "-c", _LOADER)


class Started:
    """Python with such a ``launch``; it is to begin its work once it has read from its standard input.

    ``program`` is what Python is told to run, and ``arguments`` are for it; ``inherits`` are descriptors it is given.

    Raises:
        OSError: it could not be started.
    """

    def __init__(
        self,
        launch: Launch,
        limits: Limits,
        *,
        program: Sequence[str] = _CHILD,
        arguments: Sequence[str] = (),
        inherits: Sequence[int] = (),
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> None:
        self._limits, self._inherits = limits, tuple(inherits)
        self._bound = bound(limits.tasks, apart=launch.apart)
        try:
            with launch.handed() as (command, descriptors):
                self.process = subprocess.Popen(
                    [*command, sys.executable, *program, *arguments], bufsize=0,
                    stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, env=dict(launch.environment), cwd=launch.cwd,
                    start_new_session=True, pass_fds=(*inherits, *descriptors, *self._bound.inherits),
                )  # fmt: skip
        except OSError:
            self._bound.end()
            raise
        self._kept = "fence" in launch.job
        try:
            self._bound.around(self.process.pid)
        except OSError:
            self.end()
            raise

    @property
    def stdin(self) -> IO[bytes]:
        """Where it is told what to do."""
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def told(self) -> Mapping[str, Any]:
        """What a job has to say of its limits and descriptors."""
        return {
            "limits": self._limits.for_child(),
            "bound": dict(self._bound.told),
            "inherits": (*self._inherits, *self._bound.inherits),
        }

    def watched(
        self, over: threading.Event, stopped: Callable[[], bool], *, scratch: Path | None = None
    ) -> tuple[Ending | None, str, int]:
        """Wait for its end or the first limit that is passed; like :func:`llmos_nb.guard.sandbox.watch.watched`."""
        ending, why, peak = watched(
            self.process, self._limits, over, stopped, _LOOK_S, scratch=scratch, full=lambda: self._bound.was_full
        )
        if ending != "stopped" and self._bound.was_full:
            ending, why = "processes", too_many(self._limits)
        return ending, why, peak

    def end(self) -> None:
        """End every process of it, and wait until they are gone."""
        process = self.process
        self._bound.shut()
        if not self._kept:
            end_all(process)
        elif process.poll() is None:
            with contextlib.suppress(OSError):
                self.stdin.close()  # the keeper ends all that is left, then itself
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
        process.wait()
        self._bound.end()
        with contextlib.suppress(OSError):
            self.stdin.close()


@functools.cache
def child_code() -> bytes:
    """The code that runs first in a sandbox, as the loader reads it."""
    text = importlib.resources.files(__package__).joinpath("child.py").read_text(encoding="utf-8")
    code = marshal.dumps(compile(text, "<sandbox>", "exec", dont_inherit=True))
    return f"{len(code):020}".encode() + code


def packed(job: dict[str, Any]) -> bytes:
    """A job as the child takes it."""
    data = marshal.dumps(job)
    return len(data).to_bytes(8, "big") + data
