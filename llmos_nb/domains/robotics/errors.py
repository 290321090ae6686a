"""What can go wrong with the arm; each is an :class:`~llmos_nb.errors.LlmosError`."""

from __future__ import annotations

from typing import Any

from llmos_nb.errors import LlmosError

__all__ = ["ArmError", "EmergencyStopped", "MoveRefused", "UnitError", "Unreachable", "ZoneError"]


class ArmError(LlmosError):
    """The arm, or the process it runs in, cannot be used."""


class ZoneError(ArmError):
    """A keep-out zone makes no sense."""


class UnitError(ArmError):
    """A length or an angle that cannot be read."""


class Unreachable(ArmError):
    """The arm cannot bring its tool there."""


class MoveRefused(ArmError):
    """The gate refused a motion; ``ruling`` says what, where and when. The arm did not move."""

    def __init__(self, message: str, *, ruling: object, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.ruling = ruling
        #: Where it would have hit, as something to display; None where nothing was drawn.
        self.picture: Any = None


class EmergencyStopped(MoveRefused):
    """The arm is stopped, or was on the way. Nothing moves until a person resets it."""
