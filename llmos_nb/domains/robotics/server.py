"""The arm's own process: gate, actuator and world live here, and nothing in the kernel can reach into them.

``python start.py`` reads requests from its standard input and answers on its standard
output, in the lines of :mod:`~llmos_nb.domains.robotics.messages`. The first line says what to open. It ends when its
input ends or its parent is gone, and the arm with it: a motion that is under way is broken off.

Requests are ``{"id": 1, "do": "move", …}``; answers ``{"id": 1, "value": …}`` or ``{"id": 1, "error": …}``. Between
them come ``{"event": "state", …}`` and, after each motion, ``{"event": "saved", …}``.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, BinaryIO, Final

from llmos_nb.domains.robotics.actuator import Actuator
from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.gate import Ruling
from llmos_nb.domains.robotics.messages import REQUEST, decode, encode, state_as
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.world import open_world

__all__ = ["Server", "main"]

#: Requests that wait for an answer at the same time; more are refused.
_AT_ONCE: Final = 8


class Server:
    """Answers requests about one arm. ``send`` is called with each message to the kernel, from any thread."""

    def __init__(self, opening: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
        scene = Scene.of(opening.get("scene", {}))
        options, begin = opening.get("options") or {}, opening.get("begin")
        world = open_world(str(opening.get("world", "bare")), ARM, scene, begin, options)
        stopped = str(opening.get("stopped") or "")
        self._send, self._key = send, str(opening.get("key") or "")
        self._actuator = Actuator(
            ARM,
            scene,
            world,
            pace=opening.get("pace", 1.0),
            stopped=stopped,
            told=self._tell_state,
            latched=lambda why: send({"event": "latched", "why": why}),
        )
        self._pool = ThreadPoolExecutor(_AT_ONCE, "arm")
        self._busy = threading.Semaphore(_AT_ONCE)

    def take(self, message: dict[str, Any]) -> None:
        """Answer one request, on a thread of its own: nothing that takes long may keep a stop waiting."""
        number, do = message.get("id"), message.get("do")
        if do == "stop":
            self._actuator.stop(str(message.get("why") or "stop was pressed"))
            self._send({"id": number, "value": self._actuator.stopped})
        elif do == "halt":
            self._actuator.halt()
            self._send({"id": number, "value": None})
        elif (work := self._work(do, message)) is None:
            self._send({"id": number, "error": {"message": f"The arm cannot {do!r:.40}.", "remedy": ""}})
        elif not self._busy.acquire(blocking=False):
            self._send({"id": number, "error": {"message": "The arm is asked too much at once.", "remedy": ""}})
        else:
            self._pool.submit(self._in_turn, number, work)

    def close(self) -> None:
        """Break off what is under way, and wait until the arm stands still."""
        self._actuator.stop("the arm's process ends")
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _in_turn(self, number: object, work: Callable[[], Any]) -> None:
        try:
            self._answer(number, work)
        finally:
            self._busy.release()

    def _answer(self, number: object, work: Callable[[], Any]) -> None:
        try:
            self._send({"id": number, "value": work()})
        except ArmError as error:
            self._send({"id": number, "error": {"message": error.message, "remedy": error.remedy}})
        except Exception as error:  # noqa: BLE001 - whatever a world or a message does wrong is told, not died of
            self._send(
                {"id": number, "error": {"message": f"The arm's process failed: {error!r:.300}", "remedy": ""}}
            )

    def _work(self, do: object, message: dict[str, Any]) -> Callable[[], Any] | None:
        arm = self._actuator
        ask = {"speed": message.get("speed", 1.0), "start": message.get("start")}
        works: dict[object, Callable[[], Any]] = {
            "status": self._status,
            "check": lambda: _ruling(arm.check(message.get("waypoints"), **ask)),
            "move": lambda: self._moved(arm.move(message.get("waypoints"), **ask)),
            "grip": lambda: self._moved(arm.grip(message.get("opening"))),
            "see": lambda: arm.see(str(message.get("what")), message.get("options") or {}),
            "add_zone": lambda: self._changed([*arm.scene.zones, message.get("zone")]),
            "zones": lambda: self._changed(message.get("zones"), message.get("key")),
            "reset": lambda: self._reset(message.get("key"), message.get("stops")),
        }
        return works.get(do) if isinstance(do, str) else None

    def _moved(self, ruling: Ruling) -> dict[str, Any]:
        self._send({"event": "saved", "begin": self._actuator.save()})
        return _ruling(ruling)

    def _changed(self, zones: Any, key: object = None) -> dict[str, Any]:
        """Other zones; those that are can be taken away with the key alone."""
        if not isinstance(zones, list):
            raise ArmError("Zones are given as a list.")
        if zones[: len(self._actuator.scene.zones)] != list(self._actuator.scene.zones):
            self._ask_for(key)
        self._actuator.change_zones(zones)
        return self._status()

    def _reset(self, key: object, stops: Any) -> dict[str, Any]:
        self._ask_for(key)
        self._actuator.reset(stops)
        return self._status()

    def _ask_for(self, key: object) -> None:
        if not self._key or not isinstance(key, str) or not secrets.compare_digest(key.encode(), self._key.encode()):
            raise ArmError(
                "Only a person may do this.", remedy="Use reset() and set_zones() of the arm's controller."
            )

    def _status(self) -> dict[str, Any]:
        arm = self._actuator
        return {
            "state": state_as(arm.measured()),
            "stopped": arm.stopped,
            "stops": arm.stops,
            "moving": arm.moving,
            "scene": arm.scene.as_mapping(),
        }

    def _tell_state(self, state: State) -> None:
        self._send({"event": "state", "state": state_as(state)})


def _ruling(ruling: Ruling) -> dict[str, Any]:
    return asdict(ruling)


def main() -> None:
    """Serve until the input ends."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None and name != "SIGTERM":
            signal.signal(number, signal.SIG_IGN)  # Stop in the notebook is told by a message
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a world prints is not an answer
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        try:
            line = encode(message)
        except ValueError as error:
            line = encode({"id": message.get("id"), "error": {"message": f"No answer: {error}", "remedy": ""}})
        with lock:
            try:
                answers.write(line)
            except OSError:
                os._exit(0)  # nobody is there to be told: the arm ends where it stands

    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        server = Server(decode(asked.readline(REQUEST), REQUEST), send)
    except (ArmError, ValueError) as error:
        send(
            {
                "event": "failed",
                "message": getattr(error, "message", str(error)),
                "remedy": getattr(error, "remedy", ""),
            }
        )
        return
    sys.setswitchinterval(0.001)  # a stop is heard although a motion is judged on another thread
    send({"event": "ready"})
    _serve(server, asked, send)


def _serve(server: Server, asked: BinaryIO, send: Callable[[dict[str, Any]], None]) -> None:
    while line := asked.readline(REQUEST + 1):
        while not line.endswith(b"\n") and (more := asked.readline(REQUEST)):  # too long: the rest is let go unread
            line = line[: REQUEST + 1] + more[-1:]
        try:
            message = decode(line, REQUEST)
        except ValueError as error:
            send({"id": None, "error": {"message": f"That is no request: {error}", "remedy": ""}})
        else:
            server.take(message)
    server.close()


def _leave_with_parent(parent: int) -> None:
    """End when the kernel is gone although something else still holds its end of the pipe."""
    while os.getppid() == parent:
        threading.Event().wait(0.5)
    os._exit(0)
