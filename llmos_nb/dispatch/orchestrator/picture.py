"""A plan as a small drawing: boxes from left to right, each after what it needs, in the color of how far it is.

Plain SVG that scales with the page, reads on light and dark ones, and says the same every time.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from llmos_nb.dispatch.orchestrator.node_result import NodeResult
    from llmos_nb.dispatch.orchestrator.plan import Node, Plan

__all__ = ["Look", "ended_looks", "image", "picture"]

#: Sizes in pixels.
WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 184, 50, 48, 16, 3
#: Letters of a box's first and second line.
ID_FITS, NOTE_FITS = 18, 25
_FONT: Final = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif"
#: How the picture lies on a page. Not for what stands inside an image: a margin there would push it out of it.
_PLACED: Final = "max-width:100%;height:auto;margin:.5em 0;"
_GREY: Final = "#8c959f"
#: Of letters on a white ground.
INK: Final = "#1f2328"
#: Colors and marks of what a box can say.
STATES: Final = {
    "": (_GREY, ""), "running": ("#0969da", "●"), "learner": ("#0969da", "✓"), "mixed": ("#9a6700", "✓"),
    "follower": ("#1a7f37", "✓"), "crystallized": ("#6f42c1", "✓"), "kept": ("#1a7f37", "✓"),
    "skipped": (_GREY, "–"), "bad": ("#cf222e", "✗"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What a box says: ``state`` is one of :data:`STATES`, ``note`` its second line."""

    state: str = ""
    note: str = ""


def ended_looks(results: Mapping[str, NodeResult]) -> dict[str, Look]:
    """How the boxes of nodes that ended look."""
    looks = {}
    for id_, node in results.items():
        if node.ok:
            state = "kept" if node.kept else node.mode if node.mode in STATES else "learner"
        else:
            state = "skipped" if node.status == "skipped" else "bad"
        cost = "cost unknown" if node.cost_usd is None else f"${node.cost_usd:.4f}" if node.cost_usd else "free"
        note = "did not begin" if node.status == "skipped" else f"{node.how} · {cost}"
        looks[id_] = Look(state, note)
    return looks


def picture(plan: Plan, looks: Mapping[str, Look] | None = None) -> str:
    """The plan as SVG; without ``looks`` nothing has begun, and a box names its agent."""
    looks = looks or {}
    places = _places(plan)
    if not places:
        return ""
    width = max(x for x, _ in places.values()) + WIDTH + EDGE
    height = max(y for _, y in places.values()) + HEIGHT + EDGE
    nodes = [node for node in plan.nodes if node.id in places]
    lines = [
        _arrow(places[need], places[node.id], waits=looks.get(node.id, Look()).state == "skipped")
        for node in nodes
        for need in dict.fromkeys(node.needs)
        if need in places
    ]
    boxes = [_box(node, places[node.id], looks.get(node.id, Look(note=node.agent))) for node in nodes]
    said = "; then ".join(", ".join(layer) for layer in plan.layers)
    return (
        f'<svg role="img" aria-label="{html.escape(f"the plan: {said}", quote=True)}" width="{width:g}" '
        f'height="{height:g}" viewBox="0 0 {width:g} {height:g}" '
        f'style="{_PLACED}{_FONT}">{"".join(lines)}{"".join(boxes)}</svg>'
    )


def image(plan: Plan, looks: Mapping[str, Look] | None = None) -> str:
    """The picture for what is kept: an ``<img>`` on a white ground of its own.

    Where a notebook's HTML is not trusted, drawings are taken out of it, and the words in them stay: of an image its
    alternative text is left, which says the same.
    """
    drawn = picture(plan, looks)
    if not drawn:
        return ""
    said = drawn.split('aria-label="', 1)[1].split('"', 1)[0]
    size = drawn.split('" width="', 1)[1].split('"', 1)[0]
    ground = f'<rect width="100%" height="100%" rx="7" fill="#fff"/><g fill="{INK}" color="{INK}">'
    head, inside = drawn.removesuffix("</svg>").split(">", 1)
    head = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1).replace(_PLACED, "", 1)
    whole = f"{head}>{ground}{inside}</g></svg>"
    data = base64.b64encode(whole.encode()).decode()
    return f'<img alt="{said}" src="data:image/svg+xml;base64,{data}" width="{size}" style="{_PLACED}"/>'


def _places(plan: Plan) -> dict[str, tuple[float, float]]:
    """The left upper corner of each box: a column a layer, in it as near as can be to what it needs and what needs it."""
    layers = [list(layer) for layer in plan.layers]
    rows: dict[str, float] = {}
    for layer in layers:
        wanted = {
            id_: _mean([rows[need] for need in plan[id_].needs if need in rows], row) for row, id_ in enumerate(layer)
        }
        rows |= _spread(wanted)
    for layer in reversed(layers):
        wanted = {}
        for id_ in sorted(layer, key=rows.__getitem__):
            near = [*plan[id_].needs, *(node.id for node in plan.nodes if id_ in node.needs)]
            wanted[id_] = _mean([rows[other] for other in near if other in rows], rows[id_])
        rows |= _spread(wanted)
    top = min(rows.values(), default=0)
    return {
        id_: (EDGE + column * (WIDTH + GAP_X), EDGE + (rows[id_] - top) * (HEIGHT + GAP_Y))
        for column, layer in enumerate(layers)
        for id_ in layer
    }


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _spread(wanted: Mapping[str, float]) -> dict[str, float]:
    """Rows at least one apart, in the order wanted, with the least sum of squares away from what was wanted.

    What is wanted too close together is pooled into blocks around their mean (isotonic regression).
    """
    order = sorted(wanted, key=wanted.__getitem__)
    blocks: list[list[float]] = []
    for place, id_ in enumerate(order):
        blocks.append([wanted[id_] - place])
        while len(blocks) > 1 and _mean(blocks[-2], 0) > _mean(blocks[-1], 0):
            last = blocks.pop()
            blocks[-1] += last
    spread = [_mean(block, 0) for block in blocks for _ in block]
    return {id_: at + place for place, (id_, at) in enumerate(zip(order, spread, strict=True))}


def _arrow(start: tuple[float, float], end: tuple[float, float], *, waits: bool) -> str:
    from_x, from_y = start[0] + WIDTH, start[1] + HEIGHT / 2
    to_x, to_y = end[0], end[1] + HEIGHT / 2
    bend = from_x + GAP_X / 2 if to_x - from_x <= GAP_X else to_x - GAP_X / 2
    dashed = ' stroke-dasharray="4 4"' if waits else ""
    return (
        f'<path d="M{from_x:g} {from_y:g} C{bend:g} {from_y:g} {bend:g} {to_y:g} {to_x - 6:g} {to_y:g}" '
        f'fill="none" stroke="{_GREY}" stroke-width="1.5"{dashed}/>'
        f'<path d="M{to_x - 8:g} {to_y - 4:g} L{to_x - 1:g} {to_y:g} L{to_x - 8:g} {to_y + 4:g} z" fill="{_GREY}"/>'
    )


def _box(node: Node, place: tuple[float, float], look: Look) -> str:
    x, y = place
    color, mark = STATES.get(look.state, STATES["bad"])
    dashed = ' stroke-dasharray="4 4"' if look.state == "skipped" else ""
    filled = ".13" if look.state not in ("", "skipped") else ".05"
    middle = 21 if look.note else 30
    note = (
        f'<text x="{x + 14:g}" y="{y + 38:g}" font-size="11" fill="currentColor" fill-opacity=".7">'
        f"{html.escape(_cut(look.note, NOTE_FITS))}</text>"
        if look.note
        else ""
    )
    sign = (
        f'<text x="{x + WIDTH - 14:g}" y="{y + middle:g}" text-anchor="end" font-size="14" font-weight="600" '
        f'fill="{color}">{mark}</text>'
        if mark
        else ""
    )
    return (
        f"<g><title>{html.escape(node.goal[:300])}</title>"
        f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="7" fill="{color}" fill-opacity="{filled}" '
        f'stroke="{color}" stroke-width="1.5"{dashed}/>'
        f'<text x="{x + 14:g}" y="{y + middle:g}" font-size="13" font-weight="600" fill="currentColor">'
        f"{html.escape(_cut(node.id, ID_FITS))}</text>{note}{sign}</g>"
    )


def _cut(text: str, fits: int) -> str:
    return text if len(text) <= fits else f"{text[: fits - 1]}…"
