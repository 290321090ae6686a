"""Arm, zones and things as plain SVG: an orthographic view, drawn from the farthest to the nearest.

Seen that way a capsule is a line with round ends, so a drawing needs no more than lines and flat faces. It says the same
every time, scales with the page, and needs nothing but Python.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "ABOVE", "BEHIND", "CORNER", "Capsule", "Frame", "Point", "Prism", "Rod", "View", "box", "cylinder", "drawing",
]  # fmt: skip

Point = tuple[float, float, float]

#: Sizes of one view in pixels.
WIDTH, HEIGHT, EDGE, HEAD = 372, 300, 10, 22
_INK, _GREY, _PALE, _STEEL, _TOOL = "#1f2328", "#6e7781", "#d0d7de", "#afb8c1", "#0969da"
_RED, _GREEN, _FLOOR = "#cf222e", "#1a7f37", "#f6f8fa"
_FONT: Final = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif"


@dataclass(frozen=True, slots=True)
class Capsule:
    """A link: everything within ``radius`` of the line from ``start`` to ``end``."""

    start: Point
    end: Point
    radius: float
    is_tool: bool = False


@dataclass(frozen=True, slots=True)
class Prism:
    """An upright solid from height ``low`` to ``high`` above a convex ``base``. ``kind`` is ``zone`` or ``body``."""

    name: str
    base: tuple[tuple[float, float], ...]
    low: float
    high: float
    kind: str = "zone"
    color: str = _RED

    @property
    def corners(self) -> list[Point]:
        """Of its bottom, then of its top."""
        return [(x, y, z) for z in (self.low, self.high) for x, y in self.base]


@dataclass(frozen=True, slots=True)
class Rod:
    """A zone with round ends; a ball where it has no length."""

    name: str
    shape: Capsule


def box(
    name: str,
    center: Point,
    size: Point,
    *,
    yaw: float = 0.0,
    kind: str = "zone",
    color: str = _RED,
) -> Prism:
    """A box, turned by ``yaw`` about the vertical."""
    c, s = math.cos(yaw), math.sin(yaw)
    half_x, half_y = size[0] / 2, size[1] / 2
    base = tuple(
        (center[0] + c * x - s * y, center[1] + s * x + c * y)
        for x, y in ((-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y))
    )
    return Prism(name, base, center[2] - size[2] / 2, center[2] + size[2] / 2, kind, color)


def cylinder(
    name: str, center: Point, radius: float, height: float, *, kind: str = "zone", color: str = _RED
) -> Prism:
    """An upright cylinder, as a prism of twenty sides."""
    turns = [2 * math.pi * number / 20 for number in range(20)]
    base = tuple((center[0] + radius * math.cos(turn), center[1] + radius * math.sin(turn)) for turn in turns)
    return Prism(name, base, center[2] - height / 2, center[2] + height / 2, kind, color)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a drawing shows. ``ghost`` is the arm where it would have hit, ``contact`` that point."""

    arm: Sequence[Capsule]
    solids: Sequence[Prism | Rod] = ()
    workspace: tuple[Point, Point] = ((-0.4, -0.8, 0.0), (0.9, 0.8, 1.1))
    path: Sequence[Point] = ()
    #: How many points of ``path`` may be gone to; all of them if None.
    clear: int | None = None
    ghost: Sequence[Capsule] = ()
    contact: Point | None = None
    title: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Where one looks from: ``turn`` to the side and ``down``, in degrees, from behind the base along x."""

    name: str
    turn: float
    down: float

    def axes(self) -> tuple[Point, Point, Point]:
        """To the right and up on the paper, and into it."""
        a, e = math.radians(self.turn), math.radians(self.down)
        right = (-math.sin(a), -math.cos(a), 0.0)
        into = (math.cos(a) * math.cos(e), -math.sin(a) * math.cos(e), -math.sin(e))
        up = (math.cos(a) * math.sin(e), -math.sin(a) * math.sin(e), math.cos(e))
        return right, up, into


CORNER: Final = View("from behind, above", 28, 30)
ABOVE: Final = View("from above", 0, 90)
BEHIND: Final = View("from behind", 0, 0)


def drawing(frame: Frame, views: Sequence[View] = (CORNER, ABOVE)) -> str:
    """``frame`` as one SVG on a ground of its own, a panel for each view, title above and notes below."""
    top = HEAD + 4 if frame.title else 0
    width = len(views) * WIDTH
    height = top + HEIGHT + 17 * len(frame.notes) + (6 if frame.notes else 0)
    parts = [f'<rect width="{width}" height="{height}" rx="7" fill="#fff"/>']
    if frame.title:
        color = _RED if frame.ghost or frame.stopped else _INK
        parts.append(_text(EDGE, HEAD - 3, frame.title, size=14, color=color, weight=600))
    for number, view in enumerate(views):
        parts.append(f'<g transform="translate({number * WIDTH} {top})">{_panel(frame, view)}</g>')
    for number, note in enumerate(frame.notes):
        parts.append(_text(EDGE, top + HEIGHT + 14 + 17 * number, note, size=12))
    said = html.escape(". ".join(part for part in (frame.title, *frame.notes) if part) or "the arm", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" style="max-width:100%;height:auto;{_FONT}">{"".join(parts)}</svg>'
    )


class _Paper:
    """From metres to pixels of one panel: the whole workspace fits."""

    def __init__(self, view: View, workspace: tuple[Point, Point]) -> None:
        self.right, self.up, self.into = view.axes()
        corners = _corners(*workspace)
        across = [_dot(corner, self.right) for corner in corners]
        along = [_dot(corner, self.up) for corner in corners]
        space_x, space_y = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE - 14
        self.scale = min(space_x / (max(across) - min(across)), space_y / (max(along) - min(along)))
        self.x0 = WIDTH / 2 - self.scale * (max(across) + min(across)) / 2
        self.y0 = 14 + (HEIGHT - 14) / 2 + self.scale * (max(along) + min(along)) / 2

    def at(self, point: Point) -> tuple[float, float]:
        return self.x0 + self.scale * _dot(point, self.right), self.y0 - self.scale * _dot(point, self.up)

    def depth(self, *points: Point) -> float:
        return sum(_dot(point, self.into) for point in points) / len(points)


def _panel(frame: Frame, view: View) -> str:
    paper = _Paper(view, frame.workspace)
    low, high = frame.workspace
    parts = [_floor(paper, low, high), *(_shadow(paper, link) for link in frame.arm)]
    for start, end in _edges(low, high):
        parts.append(_line(paper, start, end, _PALE, 1, dash="3 4"))
    deep: list[tuple[float, str]] = []
    for solid in frame.solids:
        deep += _faces(paper, solid) if isinstance(solid, Prism) else [_rod(paper, solid)]
    for link in frame.arm:
        deep.append((paper.depth(link.start, link.end), _link(paper, link)))
    for link in frame.ghost:
        deep.append((paper.depth(link.start, link.end), _ghost(paper, link)))
    parts += [drawn for _, drawn in sorted(deep, key=lambda one: -one[0])]
    parts.append(_path(paper, frame))
    parts += [_label(paper, solid) for solid in frame.solids if solid.name]
    if frame.contact is not None:
        x, y = paper.at(frame.contact)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="{_RED}" stroke-width="2.5"/>'
            f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8" stroke="{_RED}" stroke-width="2.5"/>'
        )
    parts.append(_axes(paper))
    parts.append(_text(EDGE, 13, view.name, size=11, color=_GREY))
    return "".join(parts)


def _floor(paper: _Paper, low: Point, high: Point) -> str:
    if abs(paper.up[2]) > 0.999:  # seen from the side it is a line
        return ""
    z = low[2]
    corners = [(low[0], low[1], z), (high[0], low[1], z), (high[0], high[1], z), (low[0], high[1], z)]
    parts = [f'<path d="{_outline(paper, corners)}" fill="{_FLOOR}" stroke="none"/>']
    for axis in (0, 1):
        step = math.ceil(low[axis] / 0.2 - 1e-9) * 0.2
        while step <= high[axis] + 1e-9:
            ends = [list(low), list(high)]
            ends[0][axis] = ends[1][axis] = step
            ends[0][2] = ends[1][2] = z
            parts.append(_line(paper, (*ends[0],), (*ends[1],), "#eaeef2", 1))  # type: ignore[arg-type]
            step += 0.2
    return "".join(parts)


def _shadow(paper: _Paper, link: Capsule) -> str:
    if paper.up[2] > 0.999 or paper.up[2] < 1e-6:
        return ""
    start, end = (link.start[0], link.start[1], 0.0), (link.end[0], link.end[1], 0.0)
    return _line(paper, start, end, _INK, max(1.0, 2 * link.radius * paper.scale * 0.8), opacity=0.06)


def _link(paper: _Paper, link: Capsule) -> str:
    width = max(2.0, 2 * link.radius * paper.scale)
    fill = "#54aeff" if link.is_tool else _STEEL
    edge = _TOOL if link.is_tool else _GREY
    return (
        _line(paper, link.start, link.end, edge, width)
        + _line(paper, link.start, link.end, fill, max(1.0, width - 2.4))
        + _line(paper, link.start, link.end, "#fff", max(0.8, width * 0.22), opacity=0.45)
    )


def _ghost(paper: _Paper, link: Capsule) -> str:
    return _line(paper, link.start, link.end, _RED, max(2.0, 2 * link.radius * paper.scale), opacity=0.24)


def _faces(paper: _Paper, solid: Prism) -> list[tuple[float, str]]:
    """The faces one looks at; of a zone, which one can look into, all."""
    low = [(x, y, solid.low) for x, y in solid.base]
    high = [(x, y, solid.high) for x, y in solid.base]
    faces: list[tuple[list[Point], Point]] = [(high, (0.0, 0.0, 1.0)), (low, (0.0, 0.0, -1.0))]
    for number, here in enumerate(low):
        other = (number + 1) % len(low)
        dx, dy = low[other][0] - here[0], low[other][1] - here[1]
        far = math.hypot(dx, dy) or 1.0
        faces.append(([here, low[other], high[other], high[number]], (dy / far, -dx / far, 0.0)))
    is_zone, found = solid.kind == "zone", []
    for corners, normal in faces:
        facing = _dot(normal, paper.into) < -1e-9
        if not facing and not is_zone:
            continue
        shade = 1.0 if is_zone else 0.72 + 0.28 * abs(normal[2]) + 0.1 * abs(normal[0])
        hidden = "" if facing else ' stroke-dasharray="3 3" stroke-opacity=".35"'
        edge = "none" if len(solid.base) > 8 and abs(normal[2]) < 0.5 else _shaded(solid.color, 0.7)
        found.append(
            (
                paper.depth(*corners),
                f'<path d="{_outline(paper, corners)}" fill="{_shaded(solid.color, min(1.0, shade))}" '
                f'fill-opacity="{0.1 if is_zone else 1:g}" stroke="{edge}" stroke-width=".9"{hidden} '
                'stroke-linejoin="round"/>',
            )
        )
    return found


def _rod(paper: _Paper, rod: Rod) -> tuple[float, str]:
    shape = rod.shape
    drawn = _line(paper, shape.start, shape.end, _RED, max(2.0, 2 * shape.radius * paper.scale), opacity=0.2)
    return paper.depth(shape.start, shape.end), drawn


def _path(paper: _Paper, frame: Frame) -> str:
    points = [paper.at(point) for point in frame.path]
    if len(points) < 2:
        return ""
    clear = len(points) if frame.clear is None else max(1, min(frame.clear, len(points)))
    parts = []
    if clear > 1:
        parts.append(_polyline(points[:clear], _GREEN, ""))
    if clear < len(points):
        parts.append(_polyline(points[clear - 1 :], _RED, ' stroke-dasharray="2 4"'))
    (x, y), (end_x, end_y) = points[0], points[-1]
    color = _GREEN if clear == len(points) else _RED
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#fff" stroke="{_GREEN}" stroke-width="2"/>')
    parts.append(f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="3.5" fill="{color}"/>')
    return "".join(parts)


def _polyline(points: Sequence[tuple[float, float]], color: str, more: str) -> str:
    said = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{said}" fill="none" stroke="{color}" stroke-width="2.2" stroke-linecap="round" '
        f'stroke-linejoin="round"{more}/>'
    )


def _label(paper: _Paper, solid: Prism | Rod) -> str:
    if isinstance(solid, Prism):
        places, margin = [paper.at(corner) for corner in solid.corners], 0.0
    else:
        places, margin = [paper.at(solid.shape.start), paper.at(solid.shape.end)], solid.shape.radius * paper.scale
    x = (min(at for at, _ in places) + max(at for at, _ in places)) / 2
    near, far = min(at for _, at in places) - margin, max(at for _, at in places) + margin
    y = near - 4 if near > 26 else far + 11
    x = min(max(x, EDGE + 3.2 * len(solid.name)), WIDTH - EDGE - 3.2 * len(solid.name))
    color = _RED if isinstance(solid, Rod) or solid.kind == "zone" else _INK
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="middle" fill="{color}" stroke="#fff" '
        f'stroke-width="3" paint-order="stroke">{html.escape(solid.name)}</text>'
    )


def _axes(paper: _Paper) -> str:
    """Which way is forward, right and up: arrows of 14 cm in the lower left corner."""
    ways: tuple[tuple[str, Point], ...] = (("forward", (1, 0, 0)), ("right", (0, -1, 0)), ("up", (0, 0, 1)))
    length = 0.14 * paper.scale
    reach = [(length * _dot(way, paper.right), -length * _dot(way, paper.up), name) for name, way in ways]
    reach = [(dx, dy, name) for dx, dy, name in reach if math.hypot(dx, dy) > 6]
    # A name stands outside of its arrow's end, where no other arrow is: left of it, right of it, or above.
    sides = {name: "end" if dx < -4 else "start" if dx > 4 else "middle" for dx, _, name in reach}
    wide = {"end": 1.0, "middle": 0.5, "start": 0.0}
    x0 = EDGE + max(4.0, *(wide[sides[name]] * 5.2 * len(name) - min(dx, 0.0) for dx, _, name in reach))
    y0 = HEIGHT - EDGE - 4 - max(0.0, max(dy for _, dy, _ in reach))
    parts = []
    for dx, dy, name in reach:
        parts.append(f'<path d="M{x0:.1f} {y0:.1f}l{dx:.1f} {dy:.1f}" stroke="{_GREY}" stroke-width="1.5"/>')
        x = x0 + dx + {"end": -3, "start": 3, "middle": 0}[sides[name]]
        y = y0 + dy + (-4 if sides[name] == "middle" else 3)
        parts.append(_text(x, y, name, size=9, color=_GREY, anchor=sides[name]))
    return "".join(parts)


def _line(
    paper: _Paper, start: Point, end: Point, color: str, width: float, *, opacity: float = 1, dash: str = ""
) -> str:
    (x1, y1), (x2, y2) = paper.at(start), paper.at(end)
    more = (f' stroke-opacity="{opacity:g}"' if opacity != 1 else "") + (
        f' stroke-dasharray="{dash}"' if dash else ""
    )
    if abs(x1 - x2) < 0.05 and abs(y1 - y2) < 0.05:
        x2 += 0.05  # a line of no length has no round ends
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.2f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width:.1f}" '
        f'stroke-linecap="round"{more}/>'
    )


def _text(
    x: float, y: float, said: str, *, size: int, color: str = _INK, weight: int = 400, anchor: str = "start"
) -> str:
    more = f' font-weight="{weight}"' if weight != 400 else ""
    more += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}"{more}>{html.escape(said)}</text>'


def _outline(paper: _Paper, corners: Iterable[Point]) -> str:
    places = [paper.at(corner) for corner in corners]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) + "z"


def _corners(low: Point, high: Point) -> list[Point]:
    return [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]


def _edges(low: Point, high: Point) -> list[tuple[Point, Point]]:
    corners = _corners(low, high)
    return [
        (one, other)
        for i, one in enumerate(corners)
        for other in corners[i + 1 :]
        if sum(a != b for a, b in zip(one, other, strict=True)) == 1
    ]


def _shaded(color: str, factor: float) -> str:
    parts = [round(int(color[i : i + 2], 16) * factor) for i in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
