"""Charts of pyplot that take more than a line: a line over time with its gaps, a pie whose rare parts are one, boxes.

Each draws into a new figure and returns nothing; ``plt.show()`` shows it. For pictures that are made, labelled and told in
one go there is :func:`llmos_nb.domains.data.plot`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.texts import dates, order_key
from llmos_nb.domains.data.view import count
from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["draw_bars", "draw_boxes", "draw_line", "draw_pie"]

#: Points up to which each has a mark; parts of a pie; bars; characters of a name.
MARKED: Final = 60
PARTS: Final = 8
BARS: Final = 40
LONGEST: Final = 24
#: Percent of a pie from which a part has its share written in it.
_TOLD: Final = 5
_SIZE: Final = (7, 4)
#: The part of the steps in time that must be alike for a wider one to be a gap, and how much wider it is.
_REGULAR: Final = 0.8
_WIDER: Final = 1.5


def draw_line(
    values: pd.Series[Any],
    over: pd.Series[Any] | None = None,
    groups: pd.Series[Any] | None = None,
    *,
    label: str = "",
) -> None:
    """A line of the values in the order of the table, or in that of ``over``: dates, texts that are dates, or numbers.

    Where ``over`` is left out and the values' index has dates, these are taken. Several values of one moment are drawn as
    their mean, and the axis says so. Where values are missing, and where a series of even steps leaves steps out, the line
    has a gap; rows that are not drawn are told below. With ``groups`` each has a line of its own, beyond eight those with
    the most rows. ``label`` names the values where they have another name.

    Raises:
        TableError: there is nothing to draw, or ``over`` cannot be read as dates.
    """
    import matplotlib.dates as mdates
    import matplotlib.pyplot as plt
    import pandas as pd

    if over is None and isinstance(values.index, pd.DatetimeIndex):
        over = values.index.to_series()
    if not values.notna().any():
        raise TableError("There is nothing to draw: no row has a value.", remedy="Name a column with values.")
    told: list[str] = []
    lines: list[tuple[str, pd.Series[Any]]] = [("", values)]
    named = label or str(values.name)
    if over is not None:
        moments = over if pd.api.types.is_numeric_dtype(over.dtype) else dates(over)
        there = moments.notna() if groups is None else moments.notna() & groups.notna()
        if not there.all():
            without = over.name if groups is None else f"{over.name} or {groups.name}"
            told.append(f"{count(int((~there).sum()), 'row')} without {without} not shown")
        if not there.any():
            raise TableError(f"There is nothing to draw: no row has {over.name}.", remedy="Name another column.")
        placed = pd.DataFrame({"at": moments[there].to_numpy(), "value": values[there].to_numpy()})
        placed["of"] = "" if groups is None else [_short(name) for name in groups[there]]
        usual = placed["of"].value_counts()
        if len(usual) > PARTS:
            told.append(f"the {PARTS} of {len(usual):,} groups with the most rows")
        lines = [
            (name, placed[placed["of"] == name].set_index("at")["value"]) for name in sorted(usual.index[:PARTS])
        ]
        if any(not line.index.is_unique for _, line in lines):
            lines, named = [(name, line.groupby(level=0).mean()) for name, line in lines], f"mean of {named}"
        lines = [(name, line.sort_index()) for name, line in lines]
    missing = sum(int(line.isna().sum()) for _, line in lines)
    if missing:
        told.append(f"{count(missing, 'value')} missing: gaps in the line")
    plt.figure(figsize=_SIZE)
    for name, line in lines:
        drawn = line if over is None else _with_gaps(line)
        plt.plot(drawn.index, drawn.to_numpy(dtype=float), linewidth=1.4, label=name, **_marks(drawn))
    plt.xlabel(str(over.name) if over is not None else "row")
    plt.ylabel(named)
    if groups is not None:
        plt.legend(title=str(groups.name), fontsize=8, title_fontsize=8)
    days = sorted({at for _, line in lines for at in line.index}) if over is not None and len(lines[0][1]) < 4 else []
    if over is not None and lines[0][1].index.dtype.kind == "M":
        axis = plt.gca().xaxis
        axis.set_major_formatter(mdates.ConciseDateFormatter(axis.get_major_locator()))
        if 0 < len(days) < 4:  # an axis of few days would repeat itself in hours
            plt.xticks(days, [f"{day:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for day in days])
    _below("; ".join(told))
    plt.tight_layout()


def draw_bars(values: pd.Series[Any], label: str) -> None:
    """A bar for each value of a grouped column, under its name; beyond 40 bars those with the largest values.

    Raises:
        TableError: there is nothing to draw.
    """
    import matplotlib.pyplot as plt

    if not len(values):
        raise TableError("There is nothing to draw: there are no groups.", remedy="Name a column with values.")
    shown = values if len(values) <= BARS else values.nlargest(BARS)
    plt.figure(figsize=(max(_SIZE[0], 0.22 * len(shown)), _SIZE[1]))
    names = [_short(name) for name in shown.index]
    plt.bar(range(len(shown)), shown.to_numpy(dtype=float))
    turned = sum(map(len, names)) > LONGEST * 2
    plt.xticks(range(len(shown)), names, rotation=45 if turned else 0, ha="right" if turned else "center")
    plt.xlabel(" and ".join(str(name) for name in values.index.names if name is not None))
    plt.ylabel(label)
    without = int(shown.isna().sum())
    told = [f"the {BARS} largest of {len(values):,} groups" if len(shown) < len(values) else ""]
    told.append(f"{count(without, 'group has', 'groups have')} no value" if without else "")
    _below("; ".join(part for part in told if part))
    plt.tight_layout()


def draw_pie(column: pd.Series[Any]) -> None:
    """How many rows each value has, as parts of all; beyond eight the rarest are one part; rows without a value
    are a part of their own.

    Raises:
        TableError: the column is empty.
    """
    import matplotlib.pyplot as plt

    counts = column.value_counts()
    parts = [(_short(name), int(rows)) for name, rows in counts.items() if rows]
    if len(parts) > PARTS:
        rest = parts[PARTS - 1 :]
        parts = [*parts[: PARTS - 1], (f"{len(rest):,} others", sum(rows for _, rows in rest))]
    if missing := int(column.isna().sum()):
        parts.append(("missing", missing))
    if not parts:
        raise TableError("There is nothing to draw: the table has no rows.", remedy="Name another table.")
    whole = sum(rows for _, rows in parts)
    plt.figure(figsize=_SIZE)
    drawn = plt.pie(
        [rows for _, rows in parts], startangle=90, counterclock=False, textprops={"fontsize": 9},
        autopct=lambda share: f"{share:.1f}%" if share >= _TOLD else "",
    )  # fmt: skip
    told = [f"{name}: {count(rows, 'row')}, {100 * rows / whole:.1f}%" for name, rows in parts]
    plt.legend(drawn[0], told, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9, frameon=False)
    plt.title(str(column.name), fontsize=11)
    plt.tight_layout()


def draw_boxes(values: pd.Series[Any], groups: pd.Series[Any]) -> None:
    """One box for each group, in the groups' order; what is missing is told below. Beyond 40 groups the largest ones.

    Raises:
        TableError: no row has both.
    """
    import matplotlib.pyplot as plt
    import pandas as pd

    both = pd.DataFrame({"value": values.to_numpy(), "group": groups.to_numpy()}).dropna()
    if both.empty:
        raise TableError("There is nothing to draw: no row has both values.", remedy="Name other columns.")
    sizes = both["group"].value_counts()
    kept = sizes.index if len(sizes) <= BARS else sizes.index[:BARS]
    order = pd.Series(list(kept)).sort_values(key=order_key)
    parts = [both.loc[both["group"] == name, "value"].to_numpy(dtype=float) for name in order]
    plt.figure(figsize=(max(_SIZE[0], 0.3 * len(order)), _SIZE[1]))
    plt.boxplot(parts)
    names = [_short(name) for name in order]
    turned = sum(map(len, names)) > LONGEST * 2
    places = range(1, len(names) + 1)
    plt.xticks(places, names, rotation=45 if turned else 0, ha="right" if turned else "center")
    plt.xlabel(str(groups.name))
    plt.ylabel(str(values.name))
    gone = len(values) - len(both)
    told = [f"{count(gone, 'row')} without a value or a group not shown" if gone else ""]
    told.append(f"the {BARS} most frequent of {len(sizes):,} groups" if len(kept) < len(sizes) else "")
    _below("; ".join(part for part in told if part))
    plt.tight_layout()


def _with_gaps(line: pd.Series[Any]) -> pd.Series[Any]:
    """The line with nothing in between where steps, which are even elsewhere, are left out."""
    import numpy as np
    import pandas as pd

    index = line.index
    steps = np.diff(index.to_numpy())
    if len(steps) < 3:
        return line
    usual = np.sort(steps)[len(steps) // 2]
    if np.mean(np.abs(steps - usual) <= 0.1 * usual) < _REGULAR:
        return line
    wide = np.flatnonzero(steps > _WIDER * usual)
    if not len(wide):
        return line
    between = index[wide] + (index[wide + 1] - index[wide]) / 2
    parted: pd.Series[Any] = pd.concat([line, pd.Series(np.nan, index=between)]).sort_index(kind="stable")
    return parted


def _marks(line: pd.Series[Any]) -> dict[str, Any]:
    """Marks for a line of few points, and for points that stand alone, which no line would show."""
    import numpy as np

    there = line.notna().to_numpy()
    alone = there & ~np.r_[False, there[:-1]] & ~np.r_[there[1:], False]
    if int(there.sum()) <= MARKED:
        return {"marker": "o", "markersize": 3.5}
    return {"marker": ".", "markersize": 4, "markevery": alone.nonzero()[0].tolist()} if alone.any() else {}


def _below(text: str) -> None:
    import matplotlib.pyplot as plt

    if text:
        plt.figtext(0.01, -0.02, text, fontsize=8, color="#57606a", va="top")


def _short(name: Any) -> str:
    import pandas as pd

    if isinstance(name, tuple):
        return " / ".join(map(_short, name))
    text = "missing" if pd.api.types.is_scalar(name) and pd.isna(name) else str(name)
    if isinstance(name, pd.Timestamp):
        text = f"{name:%Y-%m-%d}" if name == name.normalize() else f"{name:%Y-%m-%d %H:%M}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
