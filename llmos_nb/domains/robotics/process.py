"""The kernel's end of the arm's process: starts it, asks it, and sees to it that it is gone when the kernel is."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path
from typing import Any, BinaryIO, Final

from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.messages import LONGEST, REQUEST, decode, encode
from llmos_nb.guard import by_hand_only, click_only

__all__ = ["ArmProcess"]

#: It begins in this package: never in the working folder, where an agent's files lie.
_START_FILE: Final = str(Path(__file__).with_name("start.py"))
#: Seconds until it must be ready: MuJoCo may have to be loaded from a slow disk.
_START: Final = 60.0
#: What only a person may ask for: what that is, the names of the functions that do it, and what to do instead.
_BY_HAND: Final = {
    "reset": (
        "reset the robot's emergency stop",
        ("reset", "reset_estop"),
        "In a cell of your own, as a line of its own: robot().reset_estop(). Or press Reset below the live view.",
    ),
    "zones": (
        "take away the robot's keep-out zones",
        ("set_zones",),
        "In a cell of your own, as a line of its own: set_zones([…]).",
    ),
}


class ArmProcess:
    """A running process. What ``heard`` refers to is called with each event that it tells of, on the thread that listens.

    Raises:
        ArmError: it does not start; the message says why.
    """

    def __init__(self, opening: dict[str, Any], heard: weakref.WeakMethod[Callable[[dict[str, Any]], None]]) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANTHROPIC_", "CLAUDE_", "PYTHON"))
        }
        key = secrets.token_hex(16)  # in no attribute: what it opens is opened by release alone

        def release(do: str, *, click: tuple[str, dict[str, Any]] | None = None, **arguments: Any) -> Future[Any]:
            what, words, remedy = _BY_HAND[do]
            if click is None:
                by_hand_only(what, words=words, package=str(Path(__file__).parent), remedy=remedy)
            else:
                click_only(what, comm_id=click[0], content=click[1], remedy=remedy)
            return self.ask(do, key=key, **arguments)

        #: Ask for what only a person may do. ``click``: the widget and what it was sent, where it was a button.
        #: Raises GuardDenied where it is not seen to be a person's hand.
        self.release = release
        self._said: deque[bytes] = deque(maxlen=20)  # what it says when it fails
        apart = sys.platform != "win32"
        self._process = subprocess.Popen(
            [sys.executable, "-P", _START_FILE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            bufsize=0,
            start_new_session=apart,  # an interrupt of the kernel is told by a message, and does not end the arm
            creationflags=0 if apart else 0x200,
        )
        self._heard = heard
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._writing = threading.Lock()
        self._ready: Future[None] = Future()
        self._over = False
        self._end = weakref.finalize(self, _end, self._process, os.getpid())
        threading.Thread(target=self._listen, name="arm", daemon=True).start()
        threading.Thread(target=_keep, args=(self._process, self._said), name="arm-said", daemon=True).start()
        self._write({**opening, "key": key})
        try:
            self._ready.result(_START)
        except TooLate:
            self.kill()
            raise ArmError("The arm's process did not get ready in time.", remedy=self._last_words()) from None

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._process.pid)

    @property
    def over(self) -> bool:
        """Whether it has ended, or is not heard any more."""
        return self._over or self._process.poll() is not None

    def ask(self, do: str, **arguments: Any) -> Future[Any]:
        """Ask for something; the future has the answer, or ArmError.

        Raises:
            ArmError: the arguments are not plain data, or the process is gone.
        """
        number = next(self._numbers)
        answer: Future[Any] = Future()
        self._waiting[number] = answer
        try:
            self._write({"id": number, "do": do, **arguments})
        except ArmError:
            self._waiting.pop(number, None)
            raise
        if self.over:
            self._lose()
        return answer

    def close(self) -> None:
        """End it: what is under way is braked first."""
        self._end()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._end()

    def _write(self, message: dict[str, Any]) -> None:
        try:
            line = encode(message, REQUEST)
        except ValueError as error:
            raise ArmError(f"The arm cannot be told this: {error}.") from error
        pipe = self._process.stdin
        assert pipe is not None
        with self._writing:
            try:
                rest = memoryview(line)
                while rest:  # an unbuffered pipe may take a part
                    rest = rest[pipe.write(rest) or 0 :]
            except (OSError, ValueError) as error:
                raise ArmError("The arm's process is gone.", remedy=self._last_words()) from error

    def _listen(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        with os.fdopen(os.dup(pipe.fileno()), "rb") as answers:
            self._read(answers)
        self._over = True
        self._lose()

    def _read(self, answers: BinaryIO) -> None:
        while line := answers.readline(LONGEST + 1):
            try:
                message = decode(line)
            except ValueError:
                return  # torn: what comes after cannot be trusted
            event = message.get("event")
            if event == "ready":
                self._ready.set_result(None)
            elif event == "failed":
                self._ready.set_exception(ArmError(str(message.get("message")), remedy=str(message.get("remedy"))))
            elif event is not None:
                self._tell(message)
            elif (number := message.get("id")) is not None and (answer := self._waiting.pop(number, None)):
                if "error" in message:
                    told = message["error"]
                    answer.set_exception(ArmError(str(told["message"]), remedy=str(told["remedy"])))
                else:
                    answer.set_result(message.get("value"))

    def _tell(self, message: dict[str, Any]) -> None:
        if (heard := self._heard()) is not None:  # in a frame of its own: waiting must not keep the arm alive
            heard(message)

    def _lose(self) -> None:
        """Nobody answers any more: tell those who wait."""
        error = ArmError("The arm's process ended.", remedy=self._last_words())
        if not self._ready.done():
            self._ready.set_exception(error)
        for number in list(self._waiting):
            if (answer := self._waiting.pop(number, None)) is not None and not answer.done():
                answer.set_exception(error)

    def _last_words(self) -> str:
        lines = [line for one in list(self._said) if (line := one.decode("utf-8", "replace").strip())]
        return f"It said: {lines[-1][:300]}" if lines else ""


def _keep(process: subprocess.Popen[bytes], said: deque[bytes]) -> None:
    """Read what it says until it ends."""
    pipe = process.stderr
    assert pipe is not None
    with contextlib.suppress(OSError, ValueError), os.fdopen(os.dup(pipe.fileno()), "rb") as lines:
        while line := lines.readline(10_000):
            said.append(line)


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Close the pipe, which ends it; kill it if that takes too long. A forked child leaves its parent's alone."""
    if os.getpid() != owner:
        return
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
