"""Where a motion leads, without its time: straight pieces and rounded corners, one after another.

Each piece has a share from 0 to 1 along it. For a straight piece that is the share of the way; for a corner, where one
line ends while the next has begun, the share of the time of the overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmos_nb.domains.robotics.motion import Motion, Pose, progress

__all__ = ["Path"]

Array = NDArray[np.float64]
Whole = NDArray[np.int_]


class Path:
    """The way from ``here``, where the arm is measured to be, to the motion's start and along it."""

    def __init__(self, motion: Motion, here: Pose) -> None:
        poses = np.array((motion.start, *motion.waypoints))
        turns = np.diff(poses, axis=0)
        times, starts = motion.durations, motion.starts
        base, first, second, spans = [here], [poses[0] - np.array(here)], [np.zeros(len(here))], [(0.0, 0.0)]
        self._times: list[tuple[Any, ...]] = [(0.0, 0.0)]
        for k, turn in enumerate(turns):
            into = max(0.0, starts[k - 1] + times[k - 1] - starts[k]) if k else 0.0
            out = max(0.0, starts[k] + times[k] - starts[k + 1]) if k + 1 < len(turns) else 0.0
            if into > 0:  # the corner before: the rest of one line and the beginning of the next
                base.append(poses[k - 1])
                first.append(turns[k - 1])
                second.append(turn)
                spans.append((into / times[k - 1], into / times[k]))
                self._times.append((starts[k], into))
            begin, end = progress(into / times[k])[0], progress(1.0 - out / times[k])[0]
            base.append(poses[k] + begin * turn)
            first.append((end - begin) * turn)
            second.append(np.zeros_like(turn))
            spans.append((0.0, 0.0))
            self._times.append((k, begin, end))
        self._motion = motion
        self._base, self._first, self._second = np.array(base), np.array(first), np.array(second)
        self._spans = np.array(spans)
        self._corner = self._spans[:, 0] > 0

    def __len__(self) -> int:
        return len(self._base)

    def poses(self, piece: Whole, share: Array) -> Array:
        """The poses (N, n) at shares (N,) of pieces (N,)."""
        corner, (into, out) = self._corner[piece], self._spans[piece].T
        one = np.where(corner, _progress(1.0 - into * (1.0 - share)), share)
        other = np.where(corner, _progress(out * share), 0.0)
        poses: Array = self._base[piece] + one[:, None] * self._first[piece] + other[:, None] * self._second[piece]
        return poses

    def rates(self, piece: Whole, low: Array, high: Array) -> Array:
        """How much each joint turns at most for each unit of the share, between two shares of a piece: (N, n).

        In a corner the line that ends is in its second half, where it slows down, and the one that begins is in its
        first half, where it speeds up: so each is quickest at one end of the stretch.
        """
        corner, (into, out) = self._corner[piece], self._spans[piece].T
        one = np.where(corner, into * _rate(1.0 - into * (1.0 - low)), 1.0)
        other = np.where(corner, out * _rate(out * high), 0.0)
        rates: Array = one[:, None] * np.abs(self._first[piece]) + other[:, None] * np.abs(self._second[piece])
        return rates

    def time(self, piece: int, share: float) -> float:
        """When the motion is there, in seconds from its start."""
        at = self._times[piece]
        if len(at) == 2:
            return float(at[0] + share * at[1])
        line, begin, end = at
        return self._motion.time_at(line, begin + share * (end - begin))


def _progress(u: Array) -> Array:
    return u**3 * (10 - 15 * u + 6 * u * u)


def _rate(u: Array) -> Array:
    return 30 * u * u * (1 - u) ** 2
