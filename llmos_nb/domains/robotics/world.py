"""What a simulated (or real) arm must be able to do for the actuator, and a world without physics.

A world lives in the arm's own process and only the actuator holds it. It is found by name in :data:`WORLDS`: the name
maps to ``module:function``, and the function is called as ``function(arm, scene, begin, options)``, where ``begin`` is
what :meth:`World.save` gave (None the first time) and ``options`` is plain data of the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Protocol, cast

from llmos_nb.domains.robotics.arm import Arm
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.finite import finite, finites
from llmos_nb.domains.robotics.motion import Pose
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import Held, State

__all__ = ["WORLDS", "World", "bare_world", "check_world", "open_world"]

#: Worlds by name.
WORLDS: Final[dict[str, str]] = {
    "numpy": "llmos_nb.domains.robotics.twin:twin_world",
    "mujoco": "llmos_nb.domains.robotics.mujoco_world:mujoco_world",
    "bare": "llmos_nb.domains.robotics.world:bare_world",
}
#: Packages that worlds need beside those that llmos_nb does.
_NEEDS: Final[dict[str, str]] = {"mujoco": "mujoco"}


class World(Protocol):
    """An arm among things. No two calls are made at the same time."""

    def measured(self) -> State:
        """How the arm stands, and what the hand holds: measured, not as told."""

    def follow(self, q: Pose, qd: Pose, qdd: Pose, opening: float, dt: float) -> None:
        """Go on by ``dt`` seconds, at whose end the joints are to have these angles, speeds and accelerations.

        They are a point of a motion that the gate has let through. A world with physics uses speeds and accelerations
        for feed-forward (computed torque); an arm that strays by more than a millimetre is stopped.
        """

    def halt(self) -> None:
        """Stand still at once, where the arm is."""

    def see(self, what: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """What a tool wants to know (``objects``, ``picture`` …), as plain data; it changes nothing.

        Raises:
            ArmError: this world cannot tell that.
        """

    def save(self) -> dict[str, Any]:
        """All that is needed to go on from here in another process, as plain data."""


def check_world(name: str) -> None:
    """Look whether there is a world of this name, without making one.

    Raises:
        ArmError: there is none, or what it needs is not installed.
    """
    if name not in WORLDS:
        raise ArmError(f"There is no world {name!r:.80}.", remedy=f"Worlds are {', '.join(WORLDS)}.")
    if name in _NEEDS and find_spec(_NEEDS[name]) is None:
        raise _not_installed(name, _NEEDS[name])


def _not_installed(world: str, package: str | None) -> ArmError:
    return ArmError(
        f"The world {world!r} needs {package}, which is not installed.",
        remedy='Install it with: pip install "llmos-nb[robotics]"',
    )


def open_world(
    name: str, arm: Arm, scene: Scene, begin: Mapping[str, Any] | None, options: Mapping[str, Any]
) -> World:
    """The world of this name.

    Raises:
        ArmError: there is none, or what it needs is not installed.
    """
    check_world(name)
    module, _, function = WORLDS[name].partition(":")
    try:
        made = getattr(import_module(module), function)
    except ImportError as error:
        raise _not_installed(name, error.name) from error
    return cast(World, made(arm, scene, begin, options))


class _BareWorld:
    """An arm that is always just where it was told to be, and nothing else."""

    def __init__(self, arm: Arm, begin: Mapping[str, Any] | None) -> None:
        start = begin or {}
        held = start.get("held")
        self._rest = (0.0,) * len(arm.joints)
        opening = finite(start.get("opening", arm.home_opening))
        q = finites(start.get("q", arm.home), len(arm.joints))
        if q is None or opening is None:
            raise ArmError("The pose to begin from is not finite.")
        self._state = State(q, self._rest, opening, Held.of(held) if held else None)

    def measured(self) -> State:
        return self._state

    def follow(self, q: Pose, qd: Pose, qdd: Pose, opening: float, dt: float) -> None:
        self._state = State(q, qd, opening, self._state.held)

    def halt(self) -> None:
        self._state = State(self._state.q, self._rest, self._state.opening, self._state.held)

    def see(self, what: str, options: Mapping[str, Any]) -> dict[str, Any]:
        raise ArmError(f"There is nothing to see in a bare world, no {what!r:.80} either.")

    def save(self) -> dict[str, Any]:
        held = self._state.held
        return {"q": list(self._state.q), "opening": self._state.opening, "held": asdict(held) if held else None}


def bare_world(arm: Arm, scene: Scene, begin: Mapping[str, Any] | None, options: Mapping[str, Any]) -> World:
    """The arm alone."""
    return _BareWorld(arm, begin)
