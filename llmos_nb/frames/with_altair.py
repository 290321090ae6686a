"""The plots drawn by Altair, on a ground of their own so that they can be read in a dark page too."""

from __future__ import annotations

from typing import Any, Final

from llmos_nb.frames.charted import Bars, Curve, Graph, Spans
from llmos_nb.frames.with_matplotlib import FAILED, KIND_COLORS, KIND_NAMES, MODE_COLORS, OTHER

__all__ = ["bars", "curve", "graph", "spans"]

WIDTH: Final = 560


def curve(found: Curve) -> Any:
    """Two steps: what was spent, and, dashed, what was saved."""
    import altair as alt

    if not found.times:
        return _empty("nothing was spent or saved yet")
    rows = [
        {"time": at.isoformat(), "what": what, "usd": usd}
        for what, values in (("spent", found.spent), ("saved by free modes", found.saved))
        for at, usd in zip((found.times[0], *found.times), (0.0, *values), strict=True)
    ]
    names = ["spent", "saved by free modes"]
    chart = alt.Chart(alt.Data(values=rows)).mark_line(interpolate="step-after", strokeWidth=2)
    chart = chart.encode(
        x=alt.X("time:T", title="time (UTC)", scale=alt.Scale(type="utc")),
        y=alt.Y("usd:Q", title=found.money, axis=alt.Axis(format="$.4~f")),
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=names, range=["#D55E00", "#0072B2"])),
        strokeDash=alt.StrokeDash("what:N", title=None, scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]])),
        tooltip=["time:T", "what:N", "usd:Q"],
    )
    return _titled(chart, "Spent and saved", found.note)


def bars(found: Bars) -> Any:
    """Stacked bars, a colour for each mode, which is named when pointed at."""
    import altair as alt

    if not found.labels:
        return _empty("no goal was run yet")
    rows = [
        {"time": label, "mode": mode, "goals": count}
        for mode, counts in found.counts.items()
        for label, count in zip(found.labels, counts, strict=True)
    ]
    order = list(found.counts)
    colors = alt.Scale(domain=order, range=[MODE_COLORS.get(mode, OTHER) for mode in order])
    chart = alt.Chart(alt.Data(values=rows)).mark_bar(stroke="white")
    chart = chart.encode(
        x=alt.X("time:O", title=f"time (UTC), each bar {found.every}", sort=list(found.labels)),
        y=alt.Y("goals:Q", title="goals", axis=alt.Axis(tickMinStep=1)),
        color=alt.Color("mode:N", title="mode", scale=colors),
        tooltip=["time:O", "mode:N", "goals:Q"],
    )
    return _titled(chart, "How goals were reached")


def spans(found: Spans) -> Any:
    """A lane for the model, for each tool and for waiting."""
    import altair as alt

    if not found.spans:
        return _empty("no run yet")
    failed = "failed, denied or cut off"
    rows = [
        {
            "lane": span.lane, "begin": round(span.begin, 4), "end": round(span.end, 4),
            "kind": KIND_NAMES[span.kind] if span.ok else failed, "seconds": round(span.end - span.begin, 4),
        }
        for span in found.spans
    ]  # fmt: skip
    kinds = [*KIND_NAMES.values(), failed]
    colors = alt.Scale(domain=kinds, range=[*(KIND_COLORS[kind] for kind in KIND_NAMES), FAILED])
    chart = alt.Chart(alt.Data(values=rows)).mark_bar(minBandSize=2, height=14)
    chart = chart.encode(
        x=alt.X("begin:Q", title="seconds since the goal was accepted"),
        x2="end:Q",
        y=alt.Y("lane:N", title=None, sort=list(found.lanes)),
        color=alt.Color("kind:N", title=None, scale=colors),
        tooltip=["lane:N", "kind:N", "begin:Q", "seconds:Q"],
    )
    return _titled(chart, found.title or "What a run did when")


def graph(found: Graph, empty: str) -> Any:
    """Names with lines from left to right, each with a mark at its end."""
    import altair as alt

    if not found.places:
        return _empty(empty)
    layers = max(place.layer for place in found.places.values()) + 1
    rows = max(place.row for place in found.places.values()) + 1
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.5, layers - 0.5]))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[rows - 0.4, -0.6]))
    lines: list[dict[str, Any]] = []
    for one, two, label in found.arrows:
        a, b = found.places[one], found.places[two]
        lines.append({"x": a.layer, "y": a.row, "x2": b.layer, "y2": b.row, "label": label})
    nodes = [
        {"x": p.layer, "y": p.row, "label": p.label, "color": MODE_COLORS.get(p.kind, OTHER)} for p in found.places.values()
    ]  # fmt: skip
    drawn = alt.Chart(alt.Data(values=nodes))
    under = max(place.label.count("\n") for place in found.places.values())  # lines below the first one
    parts = [
        drawn.mark_rect(width=190, height=26 + 14 * under, fill="white", strokeWidth=2, cornerRadius=6).encode(
            x=x, y=y, stroke=alt.Stroke("color:N", scale=None)
        ),
        drawn.mark_text(lineBreak="\n", fontSize=11, lineHeight=14, dy=-7 * under, color="#222").encode(
            x=x, y=y, text="label:N"
        ),
    ]
    if lines:
        joined = alt.Chart(alt.Data(values=lines))
        parts.insert(0, joined.mark_rule(color="#666").encode(x=x, y=y, x2="x2:Q", y2="y2:Q"))
        ends = [
            {
                "x": (line["x"] + line["x2"]) / 2,
                "y": (line["y"] + line["y2"]) / 2,
                "label": f"{line['label']} →".strip(),
            }
            for line in lines
        ]
        told = alt.Chart(alt.Data(values=ends)).mark_text(dy=-8, fontSize=12, color="#222")
        parts.append(told.encode(x=x, y=y, text="label:N"))
    return _titled(alt.layer(*parts), found.title, wide=max(WIDTH, 230 * layers), high=max(110, int(84 * rows)))


def _titled(chart: Any, title: str, note: str = "", *, wide: int = WIDTH, high: int | None = None) -> Any:
    import altair as alt

    shown = alt.Title(title, subtitle=note) if note else title
    size = {"width": wide} if high is None else {"width": wide, "height": high}
    return chart.properties(title=shown, background="white", **size)


def _empty(said: str) -> Any:
    import altair as alt

    chart = alt.Chart(alt.Data(values=[{"text": said}])).mark_text(fontStyle="italic", fontSize=13, color="#222")
    return chart.encode(text="text:N").properties(width=WIDTH, height=90, background="white")
