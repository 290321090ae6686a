"""Conservative advancement: a proof that nothing is hit anywhere along a path, not a look at points of it.

Take a stretch of a path ``q(s)`` in joint space on which joint j turns by at most ``d_j`` for each unit of s (on a
straight line it turns by just that), a pose ``m = q(s₀)`` on it, and a point fixed to a link. Go from ``m`` to
``q(s₀ ± h)`` one joint after another, the one nearest to the base first. While joint j turns, by at most ``h d_j``,
everything beyond it turns as one rigid body about its axis, and the point's distance from that axis depends on the
joints beyond j alone, which are still as in ``m``. So the point moves by at most ``h d_j r_j(m)`` where ``r_j(m)`` is its
distance from axis j *in the pose m*, and altogether by at most ``h w`` with ``w = Σ_j d_j r_j(m)``, summed over the
joints below the link. The distance to a line is convex, hence ``w`` is over a whole segment largest at one of its ends;
a capsule's radius adds nothing, as a ball turns within itself. For two links of one arm the same holds for their motion
relative to one another with the joints between them alone.

The distance between two sets changes by no more than their points move. So if a link's clearance in ``m`` is ``c``, it
is more than ``keep`` for all ``s`` of the stretch with ``|s - s₀| < (c - keep) / w``, for every pair of a link and an
obstacle at once when the least of these shares is taken. That much is proved free and what is left of the path is
looked at in the same way, until all is proved or a pose is found whose clearance is not more than ``margin``, which is
larger than ``keep``. Each look proves at least ``(margin - keep) / w``, so it ends; and a wall, however thin, cannot lie
between two looks, because what they prove overlaps without a gap.

Things that lie about are boxes for the links, and the box that the hand holds is one for them: for two boxes the clearance
is the widest gap along one of their 15 separating axes (Gottschalk, Lin, Manocha, OBBTree, 1996), which is never more than
their distance. What is held may touch a thing, beside it or from above, as it may touch the table. A link that is near to
a thing already, as a finger is to what it has just let go, must not come nearer to it.

Sources: conservative advancement, Mirtich, Impulse-based Dynamic Simulation of Rigid Body Systems, 1996; the bound on
the motion of an arm's points and the covering of a path by proved stretches, Schwarzer, Saha, Latombe, Exact Collision
Checking of Robot Paths, 2002. The lengths ``r_j`` are taken in the pose at hand, which makes the bound sharper than
theirs for any pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llmos_nb.domains.robotics.arm import Arm
from llmos_nb.domains.robotics.geometry import segment_box, segment_cylinder, segment_segment
from llmos_nb.domains.robotics.kinematics import Poses, forward
from llmos_nb.domains.robotics.motion import Pose
from llmos_nb.domains.robotics.path import Path
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import Held
from llmos_nb.domains.robotics.things import Thing
from llmos_nb.domains.robotics.zones import Box, CapsuleZone, Cylinder, Sphere

__all__ = ["Found", "Surroundings", "reach_of_motion"]

Array = NDArray[np.float64]
Whole = NDArray[np.int_]
WALLS: Final = ("back", "right", "bottom", "front", "left", "top")
#: How far what is held may sink into what it may touch, beside what its capsule is larger than itself.
TOUCH: Final = 0.004
#: Of a link that is near to a thing already: how much nearer than it stands it may come, by rounding and measuring.
_STAYS: Final = 0.0005
_BOXED: Final = 1e3  # the capsule of a held box says nothing of things
_AT_ONCE: Final = 48
_MOST_LOOKS: Final = 40_000
_MOST_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the least clearance seen (m), and on which piece of the path (``line``) at which
    ``share`` of it, and between what.

    ``kind`` is ``workspace``, ``floor``, ``zone``, ``thing`` or ``self``; ``free`` says whether the whole path is proved
    free. ``why`` is ``time`` where too much had to be looked at to decide.
    """

    free: bool
    clearance: float
    line: int
    share: float
    link: str
    other: str
    kind: str
    looks: int
    why: str = ""


def reach_of_motion(poses: Poses, frames: Sequence[int], turns: Array) -> Array:
    """``w``: how far the ends (N, L, 2) of each link's segment can move at most for joint turns ``turns`` (N, n) or (n,).

    ``poses`` are those at which the motion begins; ``frames`` says which frame each link moves with.
    """
    levers = _levers(poses, frames)
    reach: Array = np.einsum("nlej,nj->nle", levers, np.broadcast_to(np.abs(turns), (len(levers), levers.shape[-1])))
    return reach


def _levers(poses: Poses, frames: Sequence[int]) -> Array:
    """How far each end is from each joint's axis (N, L, 2, n); 0 for joints that do not move it."""
    off = poses.ends[:, :, :, None, :] - poses.places[:, None, None, 1:, :]
    axes = poses.axes[:, None, None, :, :]
    # The length of the cross product; the difference of squares would lose the digits of a point near to the axis.
    (x, y, z), (a, b, c) = np.moveaxis(off, -1, 0), np.moveaxis(axes, -1, 0)
    square = (y * c - z * b) ** 2 + (z * a - x * c) ** 2 + (x * b - y * a) ** 2
    moved = np.arange(poses.axes.shape[1])[None, :] < np.asarray(frames)[:, None]
    levers: Array = np.sqrt(square) * moved[:, None, :]
    return levers


class Surroundings:
    """An arm, a scene, what the hand holds and the ``things`` beside it, made ready to be asked for clearances."""

    def __init__(
        self,
        arm: Arm,
        scene: Scene,
        *,
        opening: float,
        held: Held | None = None,
        things: Sequence[Thing] = (),
    ) -> None:
        self.arm, self.scene, self.opening = arm, scene, opening
        self.held = () if held is None else ((held.start, held.end, held.radius),)
        last = len(arm.joints)
        self.names = [link.name for link in arm.links] + ([held.name] if held else [])
        self.frames = [link.frame for link in arm.links] + [last] * len(self.held)
        self.radii = np.array([link.radius for link in arm.links] + [held.radius for held in (held,) if held])
        self.moving = np.array([index for index, frame in enumerate(self.frames) if frame > 0])
        held_at = len(arm.links)
        pairs = list(arm.pairs())
        if held:
            pairs += [(index, held_at) for index, link in enumerate(arm.links) if link.frame < last]
        self.pairs = np.array(pairs).reshape(-1, 2)
        joints = np.arange(last)
        near, far = (np.array([self.frames[pair[side]] for pair in pairs])[:, None] for side in (0, 1))
        self.between = ((joints >= near) & (joints < far)).astype(float)
        self.things = tuple(Box(thing.name, thing.position, thing.size, thing.yaw) for thing in things)
        self._take_zones(scene, held)
        self.in_hand = held if held is not None and held.half and things else None

    def _take_zones(self, scene: Scene, held: Held | None) -> None:
        kinds: dict[type, list[int]] = {Box: [], Cylinder: [], CapsuleZone: []}
        zones = []
        for index, zone in enumerate((*scene.zones, *self.things)):
            if isinstance(zone, Sphere):
                zone = CapsuleZone(zone.name, zone.center, zone.center, zone.radius, zone.touch)
            zones.append(zone)
            kinds[type(zone)].append(index)
        self.zone_names = [zone.name for zone in zones]
        self.boxes, self.cylinders, self.rods = (np.array(kinds[kind], int) for kind in (Box, Cylinder, CapsuleZone))
        boxes = [zone for zone in zones if isinstance(zone, Box)]
        cylinders = [zone for zone in zones if isinstance(zone, Cylinder)]
        rods = [zone for zone in zones if isinstance(zone, CapsuleZone)]
        cos, sin = np.cos([box.yaw for box in boxes]), np.sin([box.yaw for box in boxes])
        nought, one = np.zeros(len(boxes)), np.ones(len(boxes))
        #: Rows are the box's axes in the world.
        self.box_turn = np.array([[cos, sin, nought], [-sin, cos, nought], [nought, nought, one]]).transpose(2, 0, 1)
        self.box_center = np.array([box.center for box in boxes]).reshape(-1, 3)
        self.box_half = np.array([box.size for box in boxes]).reshape(-1, 3) / 2
        self.cyl_center = np.array([zone.center for zone in cylinders]).reshape(-1, 3)
        self.cyl_radius = np.array([zone.radius for zone in cylinders])
        self.cyl_half = np.array([zone.height for zone in cylinders]) / 2
        self.rod_start = np.array([zone.start for zone in rods]).reshape(-1, 3)
        self.rod_end = np.array([zone.end for zone in rods]).reshape(-1, 3)
        self.rod_radius = np.array([zone.radius for zone in rods])
        links = len(self.frames)
        self.slack = np.zeros((links, len(zones)))
        self.floor_slack = np.zeros(links)
        if held:
            self.floor_slack[-1] = TOUCH + held.sink
            self.slack[-1, [index for index, zone in enumerate(zones) if zone.touch]] = TOUCH + held.sink
            if held.half:
                self.slack[-1, len(scene.zones) :] = _BOXED
        #: How much nearer than else what is held may come to each thing.
        self.room = np.full(len(self.things), TOUCH)

    def begin(self, q: Pose, margin: float) -> None:
        """The arm begins in pose ``q``: what is nearer to a thing than ``margin`` there may stay so, but come no nearer."""
        if not self.things:
            return
        count, least = len(self.scene.zones), margin + _STAYS
        boxes = np.arange(len(self.boxes) - len(self.things), len(self.boxes))
        poses = self.poses(np.array([q]))
        for link in self.moving:
            start, end = (np.repeat(poses.ends[0, link, side][None], len(boxes), 0) for side in (0, 1))
            clear = self._boxes(start, end, boxes) - self.radii[link]
            row = self.slack[link, count:]
            np.maximum(row, least - clear, out=row, where=row < _BOXED)
        if self.in_hand is not None:
            gap, _ = self._between_boxes(poses, np.zeros((1, len(q))), np.zeros(1))
            self.room = np.maximum(self.room, least - (gap[0] - self.room))

    def poses(self, q: Array) -> Poses:
        """The arm in poses ``q`` (N, n), with what it holds."""
        return forward(self.arm, q, self.opening, self.held)

    def look(
        self, q: Array, turns: Array, wide: Array, keep: float, margin: float
    ) -> tuple[Array, Array, Whole, Whole]:
        """Look at N poses, each in the middle of a stretch ``wide`` to both sides along ``turns`` (N, n).

        Gives per pose how far to both sides it is proved free (N,), the least clearance less what may be touched (N,),
        and which pair has it: an index into links (N,) and a code of the other (N,), see :meth:`name`.
        """
        poses = self.poses(q)
        levers = _levers(poses, self.frames)
        bends = levers * np.abs(turns)[:, None, None, :]
        reach = bends.sum(-1).max(-1)  # (N, L)
        ends = poses.ends
        count = len(q)
        free = np.full(count, np.inf)
        least = np.full(count, np.inf)
        link, code = np.zeros(count, int), np.zeros(count, int)

        def take(clear: Array, moves: Array, links: Whole, codes: Whole) -> None:
            """(N, K) clearances and motions of K pairs, which are named by links and codes (K,) or (N, K)."""
            share = np.where(
                moves > 0, (clear - keep) / np.maximum(moves, 1e-300), np.where(clear > keep, np.inf, 0.0)
            )
            np.minimum(free, share.min(1), out=free)
            at = clear.argmin(1)
            rows = np.arange(count)
            lower = clear[rows, at] < least
            least[lower] = clear[rows, at][lower]
            link[lower] = np.broadcast_to(links, clear.shape)[rows, at][lower]
            code[lower] = np.broadcast_to(codes, clear.shape)[rows, at][lower]

        moving = self.moving
        low, high = ends[:, moving].min(2), ends[:, moving].max(2)  # (N, M, 3)
        radii = self.radii[moving]
        inside = np.concatenate([low - np.array(self.scene.low), np.array(self.scene.high) - high], -1)
        inside -= radii[None, :, None]
        inside[..., 2] += self.floor_slack[moving]  # the workspace's bottom
        faces = inside.argmin(-1)
        take(inside.min(-1), reach[:, moving], moving, -10 - faces)
        above = low[..., 2] - self.scene.floor - radii + self.floor_slack[moving]
        take(above, reach[:, moving], moving, np.full(len(moving), -1))
        if len(self.pairs):
            one, other = self.pairs.T
            apart = segment_segment(ends[:, one, 0], ends[:, one, 1], ends[:, other, 0], ends[:, other, 1])
            moves = np.einsum("npej,pj->npe", bends[:, other], self.between).max(-1)
            take(apart - self.radii[one] - self.radii[other], moves, other, -100 - one)
        for zones, far, exact in (
            (self.boxes, self._far_from_boxes, self._boxes),
            (self.cylinders, self._far_from_cylinders, self._cylinders),
            (self.rods, self._far_from_rods, self._rods),
        ):
            if not len(zones):
                continue
            start, end = ends[:, moving, 0], ends[:, moving, 1]
            half = np.sqrt(((end - start) ** 2).sum(-1)) / 2
            grown = radii[:, None] - self.slack[moving][:, zones]  # (M, Z)
            clear = far(0.5 * (start + end)) - half[..., None] - grown  # (N, M, Z): never too large
            moves = np.broadcast_to(reach[:, moving, None], clear.shape)
            needs = clear <= np.maximum(margin, keep + moves * wide[:, None, None])
            n, m, z = np.nonzero(needs)
            if len(n):
                clear[n, m, z] = exact(start[n, m], end[n, m], z) - grown[m, z]
            shape = (count, -1)
            links = np.broadcast_to(moving[:, None], clear.shape[1:]).reshape(-1)
            take(
                clear.reshape(shape), moves.reshape(shape), links, np.broadcast_to(zones, clear.shape[1:]).reshape(-1)
            )
        if self.in_hand is not None:
            clear, moves = self._between_boxes(poses, turns, reach[:, -1])
            things = len(self.scene.zones) + np.arange(len(self.things))
            take(clear, moves, np.full(len(things), len(self.frames) - 1), things)
        return free, least, link, code

    def _between_boxes(self, poses: Poses, turns: Array, reach: Array) -> tuple[Array, Array]:
        """Of the box in the hand and each thing (N, T): the widest gap along an axis, and how far its points can move."""
        held = self.in_hand
        assert held is not None
        last = len(self.things)
        turn, center, half = self.box_turn[-last:], self.box_center[-last:], self.box_half[-last:]
        hand = poses.turns[:, -1]
        mine = np.einsum("nab,kb->nka", hand, np.array(held.axes))  # rows are its axes
        off = center - (poses.places[:, -1] + hand @ np.array(held.middle))[:, None]
        cross = np.einsum("nka,tla->ntkl", mine, turn)
        size, flat = np.array(held.half), np.abs(cross)
        own = np.einsum("nka,nta->ntk", mine, off)
        other = np.einsum("tla,nta->ntl", turn, off)
        gaps = [
            np.abs(own) - size - np.einsum("ntkl,tl->ntk", flat, half),
            np.abs(other) - half - np.einsum("ntkl,k->ntl", flat, size),
        ]
        for k in range(3):
            k1, k2 = (k + 1) % 3, (k + 2) % 3
            for m in range(3):
                m1, m2 = (m + 1) % 3, (m + 2) % 3
                long = np.sqrt(np.maximum(1.0 - cross[..., k, m] ** 2, 0.0))
                away = np.abs(own[..., k2] * cross[..., k1, m] - own[..., k1] * cross[..., k2, m])
                wide = size[k1] * flat[..., k2, m] + size[k2] * flat[..., k1, m]
                wide += half[:, m1] * flat[..., k, m2] + half[:, m2] * flat[..., k, m1]
                gaps.append(np.where(long > 1e-3, (away - wide) / np.maximum(long, 1e-3), -np.inf)[..., None])
        gap = np.concatenate(gaps, -1).max(-1) + self.room
        # The box is within its capsule: a point of it is no farther from an axis than the capsule's own, and its radius.
        moves = reach + held.radius * np.abs(turns).sum(-1)
        return gap, np.broadcast_to(moves[:, None], gap.shape)

    def _far_from_boxes(self, middle: Array) -> Array:
        local = np.abs(np.einsum("zab,nmzb->nmza", self.box_turn, middle[:, :, None] - self.box_center))
        out = np.maximum(local - self.box_half, 0.0)
        far: Array = np.sqrt((out**2).sum(-1))
        return far

    def _far_from_cylinders(self, middle: Array) -> Array:
        local = middle[:, :, None] - self.cyl_center
        aside = np.maximum(np.hypot(local[..., 0], local[..., 1]) - self.cyl_radius, 0.0)
        far: Array = np.hypot(aside, np.maximum(np.abs(local[..., 2]) - self.cyl_half, 0.0))
        return far

    def _far_from_rods(self, middle: Array) -> Array:
        along = self.rod_end - self.rod_start
        square = np.maximum((along**2).sum(-1), 1e-30)
        off = middle[:, :, None] - self.rod_start
        share = np.clip(np.einsum("nmza,za->nmz", off, along) / square, 0.0, 1.0)
        off = off - share[..., None] * along
        far: Array = np.sqrt((off**2).sum(-1)) - self.rod_radius
        return far

    def _boxes(self, start: Array, end: Array, z: NDArray[np.intp]) -> Array:
        turn, center = self.box_turn[z], self.box_center[z]
        begin, stop = (np.einsum("kab,kb->ka", turn, point - center) for point in (start, end))
        return segment_box(begin, stop, self.box_half[z])

    def _cylinders(self, start: Array, end: Array, z: NDArray[np.intp]) -> Array:
        center = self.cyl_center[z]
        return segment_cylinder(start - center, end - center, self.cyl_radius[z], self.cyl_half[z])

    def _rods(self, start: Array, end: Array, z: NDArray[np.intp]) -> Array:
        distance: Array = segment_segment(start, end, self.rod_start[z], self.rod_end[z]) - self.rod_radius[z]
        return distance

    def name(self, link: int, code: int) -> tuple[str, str, str]:
        """The names of a pair: link, other, and the kind of the other."""
        if code <= -100:
            return self.names[link], self.names[-100 - code], "self"
        if code <= -10:
            return self.names[link], WALLS[-10 - code], "workspace"
        if code == -1:
            return self.names[link], "floor", "floor"
        return self.names[link], self.zone_names[code], "zone" if code < len(self.scene.zones) else "thing"

    def prove(self, path: Path, *, margin: float, keep: float) -> Found:
        """Prove that every link keeps more than ``keep`` from everything along ``path``, or find the first place where it
        has ``margin`` or less.

        Pieces of no length are looked at in their one pose.
        """
        count = len(path)
        line, low, high = np.arange(count), np.zeros(count), np.ones(count)
        whole = path.rates(line, low, high).max(-1)
        # A few looks at once cost little more than one; a piece of no length needs one.
        parts = np.where(whole > 1e-3, max(1, min(16, _AT_ONCE // count)), 1)
        line, low, high = _split(line, low, high, parts)
        looks, nearest, hit = 0, _Nearest(), _Nearest()
        started = perf_counter()
        while len(line):
            if looks > _MOST_LOOKS or perf_counter() - started > _MOST_SECONDS:
                seen = hit if hit.line >= 0 else nearest
                return seen.found(self, False, looks, "" if hit.line >= 0 else "time")
            order = np.lexsort((low, line))
            line, low, high = line[order], low[order], high[order]
            now, later = slice(0, _AT_ONCE), slice(_AT_ONCE, None)
            at, left, right = line[now], low[now], high[now]
            middle, wide = 0.5 * (left + right), 0.5 * (right - left)
            rates = path.rates(at, left, right)
            free, clear, link, code = self.look(path.poses(at, middle), rates, wide, keep, margin)
            looks += len(at)
            best = int(clear.argmin())
            nearest.take(clear, at, middle, link, code, best)
            bad = np.nonzero(~(clear > margin))[0]  # a NaN is no clearance
            if len(bad):
                first = int(bad[0])  # they are in the order of the path
                hit = _Nearest()
                hit.take(clear, at, middle, link, code, first)
            rest = free < wide
            rest[bad] = False
            stop = int(bad[0]) if len(bad) else len(at)
            rest[stop:] = False
            d0, d1, step = left[rest], right[rest], free[rest]
            m, where = middle[rest], at[rest]
            piece = np.clip(np.ceil((m - step - d0) / np.maximum(2.2 * step, 1e-12)), 1, 8).astype(int)
            line2, low2, high2 = _split(
                np.concatenate([where, where]),
                np.concatenate([d0, m + step]),
                np.concatenate([m - step, d1]),
                np.concatenate([piece, piece]),
            )
            if len(bad):  # nothing after the first pose that hits matters; the stretch before it does
                line = np.append(line2, at[bad[0]])
                low, high = np.append(low2, left[bad[0]]), np.append(high2, middle[bad[0]])
            else:
                line = np.concatenate([line2, line[later]])
                low, high = np.concatenate([low2, low[later]]), np.concatenate([high2, high[later]])
            if hit.line >= 0:  # what ends where it hits is never proved free: it is let go when it is short enough
                short = (high - low) * whole[line] < 1e-3
                tail = (line == hit.line) & (high >= hit.share) & short
                line, low, high = line[~tail], low[~tail], high[~tail]
        if hit.line >= 0:
            return hit.found(self, False, looks)
        return nearest.found(self, True, looks)


def _split(line: Whole, low: Array, high: Array, pieces: Whole) -> tuple[Whole, Array, Array]:
    """Each stretch in so many pieces of the same length."""
    number = np.repeat(np.arange(len(line)), pieces)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = (np.arange(len(number)) - first) / pieces[number]
    next_share = (np.arange(len(number)) - first + 1) / pieces[number]
    long = (high - low)[number]
    # The same expression on both sides of a cut: no gap by rounding.
    return line[number], low[number] + share * long, low[number] + next_share * long


@dataclass(slots=True)
class _Nearest:
    clearance: float = float("inf")
    line: int = -1
    share: float = 0.0
    link: int = 0
    code: int = -1

    def take(self, clear: Array, line: Whole, share: Array, link: Whole, code: Whole, at: int) -> None:
        if clear[at] < self.clearance or np.isnan(clear[at]):
            self.clearance, self.line, self.share = float(clear[at]), int(line[at]), float(share[at])
            self.link, self.code = int(link[at]), int(code[at])

    def found(self, around: Surroundings, free: bool, looks: int, why: str = "") -> Found:
        link, other, kind = around.name(self.link, self.code)
        return Found(free, self.clearance, self.line, self.share, link, other, kind, looks, why)
