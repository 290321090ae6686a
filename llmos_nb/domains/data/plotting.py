"""``plot``: one picture that fits the columns it is asked for, with its axes labelled and missing values told."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.profiling import named
from llmos_nb.domains.data.reading import needed
from llmos_nb.domains.data.values import is_text
from llmos_nb.domains.data.view import count
from llmos_nb.errors import TableError
from llmos_nb.tools import atomic_write

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Plot", "plot"]

#: What can be drawn, with what it needs.
KINDS: Final = {
    "histogram": "x: a column of numbers",
    "bar": "x: a column of names; y: numbers, of which the mean is drawn, or nothing to count rows",
    "scatter": "x and y: numbers",
    "line": "x: dates or numbers; y: numbers",
    "box": "x: a column of names; y: numbers",
    "heatmap": "x and y: columns of names; how often they meet",
}
#: Readable by people who see colours otherwise (Okabe and Ito 2008), dark enough on white.
COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
#: Names on an axis, groups by colour, and points drawn one by one, at the most.
NAMES, GROUPS, POINTS = 20, 7, 20_000


@dataclass(frozen=True, repr=False)
class Plot:
    """A picture. ``figure`` and ``ax`` are matplotlib's own; ``text`` says what it shows."""

    figure: Any
    ax: Any
    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def save(self, path: str | os.PathLike[str], dpi: int = 150) -> Path:
        """Write it as PNG, SVG or PDF, by the name's end.

        Raises:
            TableError: the name ends otherwise.
        """
        target = Path(path)
        suffix = target.suffix.lower().lstrip(".")
        if suffix not in ("png", "svg", "pdf"):
            raise TableError(f"{target.name}: a picture is written as .png, .svg or .pdf.", remedy="Rename it.")
        atomic_write(target, self._drawn(suffix, dpi))
        return target

    def _drawn(self, form: str, dpi: int) -> bytes:
        import matplotlib

        buffer = io.BytesIO()
        quiet = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[form]
        with matplotlib.rc_context({"svg.hashsalt": "plot"}):
            self.figure.savefig(buffer, format=form, dpi=dpi, bbox_inches="tight", metadata=quiet)
        return buffer.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"image/png": self._drawn("png", 90), "text/plain": self.text}


def plot(
    table: pd.DataFrame,
    x: str | None = None,
    y: str | None = None,
    *,
    by: str | None = None,
    kind: str | None = None,
    title: str | None = None,
) -> Plot:
    """Draw one or two columns, coloured ``by`` a third.

    What is drawn follows from the columns, where ``kind`` does not say: numbers as a histogram, names as counted bars,
    numbers against numbers as points, against dates as a line, against names as boxes, names against names as a heat
    map. Rows with a missing value are not drawn, and the picture says how many. Beyond 20,000 points the picture shows
    how many lie where; beyond 20 names the rarest are counted together.

    Raises:
        TableError: there is no such column or kind, or nothing to draw.
    """
    import pandas as pd

    needed("matplotlib", "Pictures")
    if not isinstance(table, pd.DataFrame):
        raise TableError(f"plot takes a DataFrame, got {type(table).__name__}.", remedy="read_table makes one.")
    if kind is not None and kind not in KINDS:
        raise TableError(f"There is no plot {kind!r}.", remedy=f"There are {', '.join(KINDS)}.")
    if x is None and y is not None:
        x, y = y, None
    if x is None:
        return _overview(table, title)
    columns = {role: _column(table, name) for role, name in (("x", x), ("y", y), ("by", by)) if name is not None}
    data = pd.DataFrame({role: column.reset_index(drop=True) for role, column in columns.items()})
    whole = len(data)
    missing = {role: int(data[role].isna().sum()) for role in data}
    data = data.dropna()
    if data.empty:
        raise TableError(
            f"There is nothing to draw: no row has {' and '.join(str(n) for n in (x, y, by) if n)}.",
            remedy="profile(table) shows what is missing.",
        )
    chosen = kind or _fitting(data)
    _check(chosen, data, x, y)
    figure, ax = _figure()
    names = {"x": x, "y": y, "by": by}
    said = _DRAWN[chosen](ax, data, names)
    gone = whole - len(data)
    told = ", ".join(f"{names[str(role)]} {n:,}" for role, n in missing.items() if n)
    note = f"{count(gone, 'row')} of {whole:,} not shown, for missing values ({told})" if gone else ""
    ax.set_title(title or said.title, fontsize=11, loc="left")
    if note:
        box = figure.get_tightbbox()  # below all that is drawn, labels that are turned among it
        figure.text(0.01, box.y0 / figure.get_figheight() - 0.03, note, fontsize=8, color="#57606a", va="top")
    text = f"{chosen} of {' and '.join(str(n) for n in (y, x) if n)}{f' by {by}' if by else ''}, {count(len(data), 'row')}"
    return Plot(figure, ax, "; ".join(part for part in (text, said.detail, note) if part))


@dataclass(frozen=True, slots=True)
class _Said:
    title: str
    detail: str = ""


def _figure(width: float = 6.4, height: float = 3.6) -> tuple[Any, Any]:
    """A figure that pyplot does not know: it is shown once, where its value is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    _bare(ax)
    return figure, ax


def _bare(ax: Any) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, axis="y", color="#d0d7de", linewidth=0.6)
    ax.set_axisbelow(True)


def _column(table: pd.DataFrame, name: object) -> pd.Series[Any]:
    found = [i for i, column in enumerate(table.columns) if column == name or named(column) == name]
    if not found:
        there = ", ".join(map(named, table.columns[:20]))
        raise TableError(f"The table has no column {name!r}.", remedy=f"It has {there}.")
    if len(found) > 1:
        raise TableError(f"The table has {len(found)} columns called {name!r}.", remedy="Rename them first.")
    return table.iloc[:, found[0]]


def _is_number(column: pd.Series[Any]) -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _is_date(column: pd.Series[Any]) -> bool:
    import pandas as pd

    return pd.api.types.is_datetime64_any_dtype(column.dtype)


def _fitting(data: pd.DataFrame) -> str:
    x = data["x"]
    if "y" not in data:
        return "histogram" if (_is_number(x) and x.nunique() > 12) or _is_date(x) else "bar"
    y = data["y"]
    if _is_number(y):
        return "line" if _is_date(x) else "scatter" if _is_number(x) else "box"
    return "heatmap"


def _check(kind: str, data: pd.DataFrame, x: object, y: object) -> None:
    needs = {"scatter": ("x", "y"), "line": ("y",), "box": ("y",), "histogram": ("x",)}.get(kind, ())
    for role in ("y",) if kind in ("scatter", "line", "box", "heatmap") else ():
        if role not in data:
            raise TableError(f"A {kind} needs a second column.", remedy=f"{kind}: {KINDS[kind]}.")
    for role in needs:
        column, name = data[role], x if role == "x" else y
        if not (_is_number(column) or (role == "x" and _is_date(column))):
            what = "text" if is_text(column) else str(column.dtype)
            raise TableError(
                f"A {kind} needs numbers, and {name} holds {what}.",
                remedy="clean(table) reads numbers from text, or choose another kind.",
            )
    if kind == "bar" and "y" in data and not _is_number(data["y"]):
        raise TableError(
            f"A bar needs numbers to average, and {y} holds none.", remedy=f"heatmap: {KINDS['heatmap']}."
        )


def _groups(data: pd.DataFrame) -> list[tuple[str, pd.DataFrame, str]]:
    """Parts by colour: the most frequent groups by name, the others together in grey."""
    if "by" not in data:
        return [("", data, COLORS[0])]
    names = data["by"].astype(str)
    usual = list(names.value_counts().index[:GROUPS])
    parts = [(name, data[names == name], COLORS[i]) for i, name in enumerate(sorted(usual))]
    rest = data[~names.isin(usual)]
    return [*parts, *([(f"{names[rest.index].nunique()} others", rest, "#8c959f")] if len(rest) else [])]


def _legend(ax: Any, names: dict[str, Any]) -> None:
    if names["by"]:
        ax.legend(
            title=names["by"], fontsize=8, title_fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1)
        )


def _finite(data: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    import numpy as np

    fine = np.ones(len(data), dtype=bool)
    for role in ("x", "y"):
        if role in data and _is_number(data[role]):
            fine &= np.isfinite(data[role].to_numpy(dtype=float))
    gone = int((~fine).sum())
    return data[fine], f"{count(gone, 'infinite value')} not shown" if gone else ""


def _histogram(ax: Any, data: pd.DataFrame, names: dict[str, Any]) -> _Said:
    import numpy as np

    data, detail = _finite(data)
    values = data["x"]
    if _is_date(values):
        bins: Any = 30
    else:
        numbers = values.to_numpy(dtype=float)
        bins = (
            np.histogram_bin_edges(numbers, bins=min(60, max(8, int(2 * len(numbers) ** (1 / 3)))))
            if len(numbers)
            else 10
        )
    parts = _groups(data)
    for name, part, color in parts:
        ax.hist(part["x"], bins=bins, color=color, alpha=0.9 if len(parts) == 1 else 0.55, label=name)
    ax.set(xlabel=names["x"], ylabel="rows")
    _legend(ax, names)
    return _Said(f"How {names['x']} is distributed", detail)


def _bar(ax: Any, data: pd.DataFrame, names: dict[str, Any]) -> _Said:
    kept, detail = _most(data["x"])
    data = data.assign(x=kept)
    order = list(data["x"].value_counts(sort=False).sort_index().index) if len(set(kept)) <= NAMES else []
    numbers = _is_number(data["x"])
    order = (
        order
        if numbers
        else list(data["x"].value_counts().sort_index().sort_values(ascending=False, kind="stable").index)
    )
    parts = _groups(data)
    wide = 0.8 / len(parts)
    for i, (name, part, color) in enumerate(parts):
        heights = part.groupby("x", observed=True)["y"].mean() if "y" in data else part["x"].value_counts()
        places = [p + (i - (len(parts) - 1) / 2) * wide for p in range(len(order))]
        ax.bar(places, heights.reindex(order).fillna(0), width=wide, color=color, label=name)
    _name_axis(ax, [str(v) for v in order])
    what = f"mean {names['y']}" if "y" in data else "rows"
    ax.set(xlabel=names["x"], ylabel=what)
    _legend(ax, names)
    return _Said(f"{what[0].upper()}{what[1:]} by {names['x']}", detail)


def _scatter(ax: Any, data: pd.DataFrame, names: dict[str, Any]) -> _Said:
    data, detail = _finite(data)
    ax.grid(True, axis="x", color="#d0d7de", linewidth=0.6)
    if len(data) > POINTS:
        drawn = ax.hexbin(data["x"], data["y"], gridsize=60, bins="log", cmap="Blues", mincnt=1)
        ax.figure.colorbar(drawn, ax=ax, label="rows")
        detail = "; ".join(part for part in (detail, "how many rows lie where, by colour") if part)
        names = {**names, "by": None}
    else:
        for name, part, color in _groups(data):
            ax.scatter(part["x"], part["y"], s=14, alpha=0.75, color=color, label=name, linewidths=0)
    ax.set(xlabel=names["x"], ylabel=names["y"])
    _legend(ax, names)
    return _Said(f"{names['y']} against {names['x']}", detail)


def _line(ax: Any, data: pd.DataFrame, names: dict[str, Any]) -> _Said:
    data, detail = _finite(data)
    mean = False
    for name, part, color in _groups(data):
        mean = mean or not part["x"].is_unique
        line = part.groupby("x", observed=True)["y"].mean().sort_index()
        few = len(line) <= 60
        ax.plot(
            line.index,
            line.to_numpy(),
            color=color,
            label=name,
            linewidth=1.6,
            marker="o" if few else None,
            markersize=3,
        )
    ax.set(xlabel=names["x"], ylabel=f"mean {names['y']}" if mean else names["y"])
    ax.tick_params(axis="x", labelsize=8)
    _legend(ax, names)
    return _Said(f"{names['y']} over {names['x']}", detail)


def _box(ax: Any, data: pd.DataFrame, names: dict[str, Any]) -> _Said:
    data, infinite = _finite(data)
    kept, detail = _most(data["x"])
    data = data.assign(x=kept)
    order = sorted(data["x"].unique(), key=str) if not _is_number(data["x"]) else sorted(data["x"].unique())
    parts = _groups(data)
    wide = 0.7 / len(parts)
    for i, (_, part, color) in enumerate(parts):
        grouped = [part.loc[part["x"] == name, "y"].to_numpy(dtype=float) for name in order]
        places = [p + (i - (len(parts) - 1) / 2) * wide for p in range(len(order))]
        full = [(g, p) for g, p in zip(grouped, places, strict=True) if len(g)]
        drawn = ax.boxplot(
            [g for g, _ in full], positions=[p for _, p in full], widths=wide * 0.85, patch_artist=True,
            flierprops={"markersize": 3, "markeredgecolor": color}, medianprops={"color": "#1f2328"}, manage_ticks=False,
        )  # fmt: skip
        for box in drawn["boxes"]:
            box.set(facecolor=color, alpha=0.45)
    if names["by"]:
        for name, _, color in parts:
            ax.plot([], [], color=color, linewidth=6, alpha=0.45, label=name)
    _name_axis(ax, [str(v) for v in order])
    ax.set(xlabel=names["x"], ylabel=names["y"])
    _legend(ax, names)
    return _Said(f"{names['y']} by {names['x']}", "; ".join(part for part in (infinite, detail) if part))


def _heatmap(ax: Any, data: pd.DataFrame, names: dict[str, Any]) -> _Said:
    import pandas as pd

    (xs, one), (ys, other) = _most(data["x"]), _most(data["y"])
    table = pd.crosstab(ys.astype(str), xs.astype(str))
    drawn = ax.imshow(table.to_numpy(), cmap="Blues", aspect="auto")
    top = table.to_numpy().max()
    if table.size <= 150:
        for (row, column), value in zip(
            ((r, c) for r in range(len(table)) for c in range(len(table.columns))),
            table.to_numpy().ravel(),
            strict=True,
        ):
            ax.text(
                column,
                row,
                f"{value:,}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if value > top / 2 else "black",
            )
    ax.grid(False)
    ax.figure.colorbar(drawn, ax=ax, label="rows")
    _name_axis(ax, list(table.columns))
    ax.set_yticks(range(len(table)), [_short(n) for n in table.index], fontsize=8)
    ax.set(xlabel=names["x"], ylabel=names["y"])
    return _Said(f"How often {names['x']} and {names['y']} meet", "; ".join(part for part in (one, other) if part))


def _most(column: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    """The most frequent names; the others as one."""
    counts = column.value_counts()
    if len(counts) <= NAMES:
        return (column if _is_number(column) else column.astype(str)), ""
    usual = set(counts.index[:NAMES])
    rest = len(counts) - NAMES
    return column.map(
        lambda value: str(value) if value in usual else f"{rest:,} others"
    ), f"{rest:,} rarer values are counted together"


def _name_axis(ax: Any, names: list[str]) -> None:
    turned = sum(map(len, names)) > 60
    ax.set_xticks(
        range(len(names)),
        [_short(name) for name in names],
        fontsize=8,
        rotation=35 if turned else 0,
        ha="right" if turned else "center",
    )


def _short(name: object) -> str:
    text = str(name)
    return text if len(text) <= 24 else text[:23] + "…"


def _overview(table: pd.DataFrame, title: str | None) -> Plot:
    """The first twelve columns, each in a small picture of its own."""
    import math

    columns = [i for i in range(len(table.columns)) if table.iloc[:, i].notna().any()][:12]
    if not columns:
        raise TableError("There is nothing to draw: the table has no values.", remedy="Look at where it came from.")
    wide = min(4, len(columns))
    high = math.ceil(len(columns) / wide)
    figure, first = _figure(2.4 * wide, 1.9 * high)
    first.remove()
    ax = first
    for number, position in enumerate(columns):
        import pandas as pd

        column = table.iloc[:, position]
        ax = figure.add_subplot(high, wide, number + 1)
        _bare(ax)
        data = pd.DataFrame({"x": column.dropna().reset_index(drop=True)})
        few = {"x": "", "y": None, "by": None}
        if _fitting(data) == "histogram":
            _histogram(ax, data, few)
        else:
            top = data["x"].astype(str).value_counts().head(8)
            ax.bar(range(len(top)), top.to_numpy(), color=COLORS[0])
            ax.set_xticks([])
        ax.set(xlabel="", ylabel="")
        ax.tick_params(labelsize=7)
        missing = int(column.isna().sum())
        ax.set_title(
            _short(named(table.columns[position])) + (f" ({missing:,} missing)" if missing else ""), fontsize=8
        )
    figure.suptitle(title or f"{count(len(table), 'row')}, {count(len(table.columns), 'column')}", fontsize=10)
    figure.tight_layout()
    more = len(table.columns) - len(columns)
    text = f"overview of {count(len(columns), 'column')}, {count(len(table), 'row')}"
    return Plot(figure, ax, text + (f"; {count(more, 'column')} not shown" if more else ""))


_DRAWN: Final[dict[str, Callable[[Any, Any, dict[str, Any]], _Said]]] = {
    "histogram": _histogram,
    "bar": _bar,
    "scatter": _scatter,
    "line": _line,
    "box": _box,
    "heatmap": _heatmap,
}
