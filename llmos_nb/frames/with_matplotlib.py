"""The plots drawn by matplotlib, in the colours of whatever style is in force."""

from __future__ import annotations

from typing import Any, Final

from llmos_nb.frames.charted import Bars, Curve, Graph, Spans

__all__ = ["bars", "curve", "graph", "spans"]

#: Okabe and Ito's colours, which colour-blind people can tell apart; hatches and dashes say the same again.
MODE_COLORS: Final = {
    "learner": "#0072B2", "orchestrator": "#56B4E9", "mixed": "#E69F00", "follower": "#009E73", "crystallized": "#CC79A7",
}  # fmt: skip
MODE_HATCHES: Final = {"learner": "", "orchestrator": "..", "mixed": "//", "follower": "", "crystallized": "xx"}
KIND_COLORS: Final = {
    "starting": "#999999", "model": "#0072B2", "tool": "#009E73", "waiting": "#E69F00", "goal": "#56B4E9",
}  # fmt: skip
KIND_NAMES: Final = {
    "starting": "deciding, connecting", "model": "model", "tool": "tool", "waiting": "waiting for a person",
    "goal": "goal of the plan",
}  # fmt: skip
KIND_HATCHES: Final = {"waiting": "//", "starting": ".."}
FAILED: Final = "#D55E00"
OTHER: Final = "#999999"


def curve(found: Curve, ax: Any = None) -> Any:
    """Two steps: what was spent, and, dashed, what was saved."""
    ax = ax if ax is not None else _axes(7, 3.4)
    ax.set_ylabel(found.money)
    ax.set_xlabel("time (UTC)")
    ax.set_title("Spent and saved", loc="left")
    if not found.times:
        return _empty(ax, "nothing was spent or saved yet")
    lines = (("spent", found.spent, "#D55E00", "-"), ("saved by free modes", found.saved, "#0072B2", "--"))
    for name, values, color, dash in lines:
        times, shown = (found.times[0], *found.times), (0.0, *values)
        ax.plot(
            times, shown, dash, color=color, drawstyle="steps-post", linewidth=2, label=f"{name}: {_usd(values[-1])}"
        )
        ax.plot(times[-1:], shown[-1:], "o", color=color, markersize=4)
    ax.legend(frameon=False, loc="upper left")
    ax.set_ylim(bottom=0, top=max(*found.spent, *found.saved, 1e-9) * 1.18)
    digits = 2 if max(*found.spent, *found.saved) >= 1 else 4
    ax.yaxis.set_major_formatter(lambda value, position: f"${value:.{digits}f}")
    import matplotlib.dates as dates

    locator = dates.AutoDateLocator(minticks=3, maxticks=6)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    if found.note:
        ax.text(0, -0.26, found.note, transform=ax.transAxes, fontsize="small", alpha=0.8)
    return _tidy(ax)


def bars(found: Bars, ax: Any = None) -> Any:
    """Stacked bars, a colour and a hatch for each mode."""
    ax = ax if ax is not None else _axes(7, 3.4)
    ax.set_ylabel("goals")
    ax.set_xlabel(f"time (UTC), each bar {found.every}" if found.every else "time (UTC)")
    ax.set_title("How goals were reached", loc="left")
    if not found.labels:
        return _empty(ax, "no goal was run yet")
    from matplotlib.ticker import MaxNLocator

    below = [0] * len(found.labels)
    for mode, counts in found.counts.items():
        ax.bar(
            range(len(below)), counts, bottom=below, width=0.86, label=f"{mode}: {sum(counts)}",
            color=MODE_COLORS.get(mode, OTHER), hatch=MODE_HATCHES.get(mode, ""), edgecolor=ax.get_facecolor(),
            linewidth=0.8,
        )  # fmt: skip
        below = [one + two for one, two in zip(below, counts, strict=True)]
    every = max(1, -(-len(below) // 8))
    ax.set_xticks(
        range(0, len(below), every), found.labels[::every], rotation=25 if len(below) > 4 else 0, ha="center"
    )
    ax.set_xlim(-0.7, max(len(below), 4) - 0.3)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return _tidy(ax)


def spans(found: Spans, ax: Any = None) -> Any:
    """A lane for the model, for each tool and for waiting; what went wrong is crossed out."""
    lanes = found.lanes
    ax = ax if ax is not None else _axes(7, max(1.9, 0.36 * len(lanes) + 1.3))
    ax.set_xlabel("seconds since the goal was accepted")
    ax.set_title(found.title or "What a run did when", loc="left")
    if not found.spans:
        return _empty(ax, "no run yet")
    from matplotlib.patches import Patch

    total = max(span.end for span in found.spans) or 1e-9
    for span in found.spans:
        at = lanes.index(span.lane)
        color = KIND_COLORS[span.kind] if span.ok else FAILED
        hatch = KIND_HATCHES.get(span.kind, "") if span.ok else "xxx"
        # What took no time to speak of is a stroke that can still be seen.
        width = max(span.end - span.begin, total * 0.004)
        ax.barh(
            at,
            width,
            left=span.begin,
            height=0.62,
            color=color,
            hatch=hatch,
            edgecolor=ax.get_facecolor(),
            linewidth=0.5,
        )
    for at, lane in enumerate(lanes):
        own = [span for span in found.spans if span.lane == lane]
        took = sum(span.end - span.begin for span in own)
        times = f", {len(own)}×" if len(own) > 1 else ""
        ax.text(
            max(span.end for span in own) + total * 0.015, at, f"{took:.2f} s{times}", va="center", fontsize="small"
        )
    ax.set_yticks(range(len(lanes)), lanes)
    ax.invert_yaxis()
    ax.set_xlim(0, total * 1.2)
    kinds = dict.fromkeys(span.kind for span in found.spans)
    marks = [Patch(facecolor=KIND_COLORS[k], hatch=KIND_HATCHES.get(k, ""), label=KIND_NAMES[k]) for k in kinds]
    if any(not span.ok for span in found.spans):
        marks.append(Patch(facecolor=FAILED, hatch="xxx", label="failed, denied or cut off"))
    ax.legend(handles=marks, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small")
    return _tidy(ax)


def graph(found: Graph, empty: str, ax: Any = None) -> Any:
    """Boxes with arrows from left to right."""
    layers = max((place.layer for place in found.places.values()), default=0) + 1
    rows = max((place.row for place in found.places.values()), default=0) + 1
    ax = ax if ax is not None else _axes(max(4, 2.9 * layers), max(1.7, 1.0 * rows + 0.7))
    ax.set_title(found.title, loc="left")
    ax.set_axis_off()
    if not found.places:
        return _empty(ax, empty)
    import matplotlib as mpl

    ink = mpl.rcParams["text.color"]
    ax.set_xlim(-0.55, layers - 0.45)
    ax.set_ylim(rows - 0.4, -0.6)
    drawn = {}
    for name, place in found.places.items():
        color = MODE_COLORS.get(place.kind, FAILED if place.kind in ("failed", "denied", "over_budget") else OTHER)
        shape = {"boxstyle": "round,pad=0.5", "facecolor": ax.get_facecolor(), "edgecolor": color, "linewidth": 2}
        drawn[name] = ax.text(
            place.layer, place.row, place.label, ha="center", va="center", fontsize="small", bbox=shape, zorder=3
        )
    for one, two, label in found.arrows:
        a, b = found.places[one], found.places[two]
        if one == two:
            ax.text(a.layer, a.row - 0.42, f"↻ {label}", ha="center", va="bottom", fontsize="small", zorder=4)
            continue
        back = b.layer <= a.layer
        ax.annotate(
            "", xy=(b.layer, b.row), xytext=(a.layer, a.row), zorder=1,
            arrowprops={
                "arrowstyle": "-|>", "color": ink, "alpha": 0.65, "linewidth": 1.2, "patchA": drawn[one].get_bbox_patch(),
                "patchB": drawn[two].get_bbox_patch(), "shrinkA": 2, "shrinkB": 2,
                "connectionstyle": f"arc3,rad={0.35 if back else 0.0}",
            },
        )  # fmt: skip
        if label:
            x, y = (a.layer + b.layer) / 2, (a.row + b.row) / 2 - (0.3 if back else 0.08)
            ax.text(x, y, label, ha="center", va="bottom", fontsize="small", zorder=4)
    return ax


def _axes(wide: float, high: float) -> Any:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(wide, high), layout="constrained")[1]


def _empty(ax: Any, said: str) -> Any:
    ax.text(0.5, 0.5, said, transform=ax.transAxes, ha="center", va="center", style="italic")
    ax.set_xticks([])
    ax.set_yticks([])
    return _tidy(ax)


def _tidy(ax: Any) -> Any:
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _usd(value: float) -> str:
    return f"${value:.2f}" if value >= 1 or value == 0 else f"${value:.4f}"
