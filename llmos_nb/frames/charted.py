"""What a plot shows, as plain values: read off a DataFrame, checked, and drawn by whichever library is there.

Only the columns that are needed are asked for, so a frame that was filtered, or read back from CSV or Parquet, will do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import PlotError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MODES", "Bars", "Curve", "Graph", "Place", "Span", "Spans", "bars_of", "curve_of", "delegations_of", "plan_of",
    "spans_of",
]  # fmt: skip

#: The modes in the order of their cost, the dearest first.
MODES: Final = ("learner", "orchestrator", "mixed", "follower", "crystallized")
#: Bars of a plot over time; the shortest of these steps that needs no more of them is taken.
BARS: Final = 32
_STEPS: Final = (
    ("1s", "%H:%M:%S", "1 second"), ("10s", "%H:%M:%S", "10 seconds"), ("1min", "%H:%M", "1 minute"),
    ("10min", "%H:%M", "10 minutes"), ("1h", "%m-%d %H:%M", "1 hour"), ("6h", "%m-%d %H:%M", "6 hours"),
    ("1D", "%Y-%m-%d", "1 day"), ("7D", "%Y-%m-%d", "7 days"), ("28D", "%Y-%m-%d", "4 weeks"),
    ("364D", "%Y-%m", "52 weeks"),
)  # fmt: skip
#: What a scripted endpoint is called in ``runs_df``.
_PLAY: Final = "play money"


@dataclass(frozen=True, slots=True)
class Curve:
    """What was spent and saved in all, after each row; ``money`` is the unit, ``note`` what is left out."""

    times: tuple[datetime, ...]
    spent: tuple[float, ...]
    saved: tuple[float, ...]
    money: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Runs of each mode in each stretch of time; ``every`` names how long one is."""

    labels: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]
    every: str


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted, in seconds since its run began. ``kind`` is starting, model, tool, waiting or goal."""

    lane: str
    begin: float
    end: float
    kind: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Spans:
    """What a run did when. ``lanes`` are in the order in which they first appear."""

    spans: tuple[Span, ...]
    title: str = ""

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes, the first one first."""
        return tuple(dict.fromkeys(span.lane for span in self.spans))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node of a graph stands: its layer from the left, its row from the top, and what is written in it."""

    layer: int
    row: float
    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by name, and arrows ``(from, to, label)``."""

    places: Mapping[str, Place]
    arrows: tuple[tuple[str, str, str], ...]
    title: str = ""


# -- reading columns


def _frame(df: Any, plot: str, needed: Sequence[str], maker: str) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(df, pd.DataFrame):
        raise PlotError(f"{plot}: a DataFrame is needed, got {type(df).__name__}.", remedy=f"Use {maker}.")
    missing = [name for name in needed if name not in df.columns]
    if missing:
        there = ", ".join(map(str, list(df.columns)[:12])) or "none at all"
        raise PlotError(
            f"{plot}: the DataFrame has no column {', '.join(missing)}. Its columns are {there}.",
            remedy=f"Use {maker}.",
        )
    return df


def _times(df: pd.DataFrame, name: str, plot: str) -> pd.Series[Any]:
    import pandas as pd

    try:
        return pd.to_datetime(df[name], utc=True, format="ISO8601" if _is_text(df[name]) else None)
    except (ValueError, TypeError, OverflowError) as error:
        raise PlotError(
            f"{plot}: the column {name} holds what is no time ({error}).", remedy="Leave it as it was made."
        ) from None


def _numbers(df: pd.DataFrame, name: str, plot: str) -> list[float | None]:
    """The column as numbers; None where there is none."""
    import pandas as pd

    found = pd.to_numeric(df[name], errors="coerce").astype("Float64")
    bad = df[name][found.isna() & df[name].notna()]
    if len(bad):
        raise PlotError(
            f"{plot}: the column {name} holds {bad.iloc[0]!r}, which is no number.", remedy="Leave it as it was made."
        )
    return [None if missing else float(value) for value, missing in zip(found, found.isna(), strict=True)]


def _texts(df: pd.DataFrame, name: str) -> list[str]:
    """The column as text; empty where there is nothing, or no such column."""
    if name not in df.columns:
        return [""] * len(df)
    column = df[name]
    return ["" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]


def _is_text(column: pd.Series[Any]) -> bool:
    return any(isinstance(value, str) for value in column.dropna().head(1))


def _data(df: pd.DataFrame, plot: str) -> list[dict[str, Any]]:
    """The JSON objects in ``data``."""
    found = []
    for number, text in enumerate(_texts(df, "data")):
        try:
            value = json.loads(text or "{}")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise PlotError(
                f"{plot}: the column data holds no JSON object in row {number}: {text[:60]!r}.",
                remedy="Leave it as events_df() made it.",
            )
        found.append(value)
    return found


# -- cost and savings


def curve_of(df: Any) -> Curve:
    """From ``ledger_df`` or ``runs_df``. Real and play money never mix: where both are there, only real money counts.

    Raises:
        PlotError: the frame has not what is needed.
    """
    maker = "ledger_df() or runs_df()"
    frame = _frame(df, "costs", ("cost_usd", "saved_usd"), maker)
    name = next((name for name in ("at", "started_at") if name in frame.columns), None)
    if name is None:
        _frame(df, "costs", ("at",), maker)
        raise AssertionError
    times, cost, saved = (
        _times(frame, name, "costs"),
        _numbers(frame, "cost_usd", "costs"),
        _numbers(frame, "saved_usd", "costs"),
    )
    play = _is_play(frame)
    notes = []
    if any(play) and not all(play):
        notes.append("play money is left out")
    wanted = [not one for one in play] if not all(play) else [True] * len(frame)
    rows = [
        (at.floor("us").to_pydatetime(), spent, free)
        for at, spent, free, counts in zip(times, cost, saved, wanted, strict=True)
        if counts and at == at
    ]
    unknown = sum(spent is None for _, spent, _ in rows)
    if unknown:
        notes.append(f"{unknown} of unknown price {'is' if unknown == 1 else 'are'} left out")
    rows.sort(key=lambda row: row[0])
    total = free_total = 0.0
    found: list[tuple[datetime, float, float]] = []
    for at, spent, free in rows:
        total, free_total = total + (spent or 0.0), free_total + (free or 0.0)
        found.append((at, total, free_total))
    money = "play money, US dollars" if play and all(play) else "US dollars"
    at_, spent_, saved_ = zip(*found, strict=True) if found else ((), (), ())
    return Curve(tuple(at_), tuple(spent_), tuple(saved_), money, "; ".join(notes))


def _is_play(df: pd.DataFrame) -> list[bool]:
    if "simulated" in df.columns:
        return [text.lower() in ("true", "1", "1.0") for text in _texts(df, "simulated")]
    return [_PLAY in text for text in _texts(df, "endpoint")]


# -- modes


def bars_of(df: Any) -> Bars:
    """From ``runs_df``.

    Raises:
        PlotError: the frame has not what is needed.
    """
    import pandas as pd

    frame = _frame(df, "modes", ("mode", "started_at"), "runs_df()")
    times = _times(frame, "started_at", "modes")
    modes = [mode or "not decided" for mode in _texts(frame, "mode")]
    known = [(at, mode) for at, mode in zip(times, modes, strict=True) if at == at]
    if not known:
        return Bars((), {}, "")
    first, last = min(at for at, _ in known), max(at for at, _ in known)
    step, form, every = next((one for one in _STEPS if _fits(first, last, one[0])), _STEPS[-1])
    begins = pd.date_range(first.floor(step), last.floor(step), freq=step)
    at_bar = {begin: number for number, begin in enumerate(begins)}
    counted = Counter((at_bar[at.floor(step)], mode) for at, mode in known)
    order = [mode for mode in MODES if mode in modes] + sorted(set(modes) - set(MODES))
    counts = {mode: tuple(counted[number, mode] for number in range(len(begins))) for mode in order}
    return Bars(tuple(begin.strftime(form) for begin in begins), counts, every)


def _fits(first: Any, last: Any, step: str) -> bool:
    import pandas as pd

    return bool((last.floor(step) - first.floor(step)) / pd.Timedelta(step) < BARS)


# -- a run over time


def spans_of(df: Any, run_id: str | None = None) -> Spans:
    """From ``events_df``, or from ``steps_df``, which knows of the tools alone. Of the last run if ``run_id`` is None.

    Raises:
        PlotError: the frame has not what is needed, or not this run.
    """
    maker = "events_df() or steps_df()"
    frame = _frame(df, "timeline", ("run_id", "at"), maker)
    if "event" not in frame.columns and "duration_s" not in frame.columns:
        _frame(df, "timeline", ("event", "data"), maker)
    frame, run_id = _one_run(frame, run_id, "timeline")
    if run_id is None:
        return Spans(())
    begins = _times(frame, "at", "timeline")
    seconds = [float(one) for one in (begins - begins.min()).dt.total_seconds()]
    if "event" not in frame.columns:
        _frame(df, "timeline", ("tool", "duration_s"), maker)
        return Spans(tuple(_steps(frame, seconds)), f"run {run_id}")
    told = list(zip(_texts(frame, "event"), seconds, _data(frame, "timeline"), strict=True))
    goal = next((str(data.get("goal", "")) for event, _, data in told if event == "RunStarted"), "")
    return Spans(tuple(_spans(told)), _short(goal, 70) or f"run {run_id}")


def _one_run(frame: pd.DataFrame, run_id: str | None, plot: str) -> tuple[pd.DataFrame, str | None]:
    ids = [one for one in _texts(frame, "run_id") if one and one != "schedule"]
    if run_id is None:
        if not ids:
            return frame.iloc[:0], None
        run_id = ids[-1]
        if "event" in frame.columns:  # the last one that began, and of a plan the plan's own run
            started = frame[frame["event"] == "RunStarted"]
            own = [
                one
                for one, data in zip(_texts(started, "run_id"), _data(started, plot), strict=True)
                if not data.get("parent_run_id")
            ]
            run_id = own[-1] if own else run_id
    elif run_id not in ids:
        known = ", ".join(list(dict.fromkeys(reversed(ids)))[:5]) or "none"
        raise PlotError(f"{plot}: the DataFrame has no run {run_id!r}.", remedy=f"The latest ones are {known}.")
    return frame[frame["run_id"] == run_id], run_id


def _steps(frame: pd.DataFrame, seconds: Sequence[float]) -> Iterator[Span]:
    lasted = [one or 0.0 for one in _numbers(frame, "duration_s", "timeline")]
    status = _texts(frame, "status")
    for tool, begin, took, end in zip(_texts(frame, "tool"), seconds, lasted, status, strict=True):
        yield Span(tool, begin, begin + took, "tool", end in ("ok", ""))


def _spans(told: Sequence[tuple[str, float, dict[str, Any]]]) -> Iterator[Span]:
    """The model works from the end of whatever was before its answer; everything else tells its own beginning."""
    open_: dict[tuple[str, Any], tuple[str, float]] = {}
    last = told[0][1] if told else 0.0
    started = False
    for event, at, data in told:
        begins = event in ("ToolStarted", "ApprovalAsked", "NodeStarted")
        if not started and (begins or (event == "AgentMessage" and data.get("role") == "user")):
            started = True
            if at > last:
                yield Span("starting", last, at, "starting")
            last = at
        match event:
            case "ToolStarted":
                by = f" ({data['agent']})" if data.get("agent") else ""
                open_["tool", repr(data.get("step"))] = f"{data.get('tool', 'tool')}{by}", at
            case "ToolFinished":
                lane, begin = open_.pop(("tool", repr(data.get("step"))), (str(data.get("tool", "tool")), at))
                yield Span(lane, begin, at, "tool", data.get("status") == "ok")
                last = max(last, at)
            case "ModelCalled":
                yield Span("model", last, max(last, at), "model")
                last, started = max(last, at), True
            case "ApprovalAsked":
                open_["asked", data.get("approval_id")] = "waiting for a person", at
            case "ApprovalGiven":
                lane, begin = open_.pop(("asked", data.get("approval_id")), ("waiting for a person", at))
                yield Span(lane, begin, at, "waiting")
                last = max(last, at)
            case "NodeStarted":
                open_["node", data.get("node")] = f"goal {data.get('node')}", at
            case "NodeEnded":
                lane, begin = open_.pop(("node", data.get("node")), (f"goal {data.get('node')}", at))
                if data.get("status") != "skipped":
                    yield Span(lane, begin, at, "goal", data.get("status") == "success")
    end = told[-1][1] if told else 0.0
    for (kind, _), (lane, begin) in open_.items():  # it did not end: the run was killed, say
        yield Span(lane, begin, end, {"asked": "waiting", "node": "goal"}.get(kind, "tool"), False)


# -- who works for whom


def delegations_of(df: Any) -> Graph:
    """Who gave work to whom: from ``events_df`` (plans, and calls of delegates) or ``runs_df`` (plans alone).

    Raises:
        PlotError: the frame has not what is needed.
    """
    maker = "events_df() or runs_df()"
    frame = _frame(df, "agents", ("run_id",), maker)
    if "event" in frame.columns:
        _frame(df, "agents", ("data",), maker)
        uses, given = _from_events(frame)
    else:
        _frame(df, "agents", ("agent", "parent_run_id"), maker)
        rows = list(zip(_texts(frame, "run_id"), _texts(frame, "agent"), _texts(frame, "parent_run_id"), strict=True))
        asked = {run: agent for run, agent, _ in rows}
        uses = Counter(agent for _, agent, _ in rows if agent)
        given = Counter((asked[parent], agent) for _, agent, parent in rows if asked.get(parent) and agent)
    names = sorted({*uses, *(name for pair in given for name in pair)})
    arrows = tuple((one, two, f"{count}×") for (one, two), count in sorted(given.items()))
    labels = {name: f"{name}\n{uses[name]} run{'' if uses[name] == 1 else 's'}" for name in names}
    return _placed(names, arrows, labels, {}, "Who gave work to whom")


def _from_events(frame: pd.DataFrame) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    uses: Counter[str] = Counter()
    given: Counter[tuple[str, str]] = Counter()
    asked: dict[str, str] = {}
    told = zip(_texts(frame, "run_id"), _texts(frame, "event"), _data(frame, "agents"), strict=True)
    for run, event, data in told:
        if event == "RunStarted" and data.get("agent"):
            asked[run] = str(data["agent"])
            uses[asked[run]] += 1
            if parent := asked.get(str(data.get("parent_run_id") or "")):
                given[parent, asked[run]] += 1
        elif event == "ToolStarted" and data.get("tool") == "Agent":
            arguments = data.get("arguments")
            to = str(arguments.get("subagent_type", "")) if isinstance(arguments, dict) else ""
            by = str(data.get("agent") or asked.get(run, ""))
            if to and by:
                uses[to] += 1
                given[by, to] += 1
    return uses, given


def plan_of(df: Any, run_id: str | None = None) -> Graph:
    """The goals of a plan and what each needs, from ``events_df``; of the last run that had a plan if None.

    Raises:
        PlotError: the frame has not what is needed, or not this run.
    """
    frame = _frame(df, "plan", ("run_id", "event", "data"), "events_df()")
    made = frame[frame["event"] == "PlanMade"]
    if run_id is None:
        if not len(made):
            return Graph({}, ())
        run_id = _texts(made, "run_id")[-1]
    frame, _ = _one_run(frame, run_id, "plan")
    told = list(zip(_texts(frame, "event"), _data(frame, "plan"), strict=True))
    plan = next((data["plan"] for event, data in reversed(told) if event == "PlanMade"), None)
    if plan is None:
        return Graph({}, ())
    ended = {str(data.get("node")): data for event, data in told if event == "NodeEnded"}
    goal = next((str(data.get("goal", "")) for event, data in told if event == "RunStarted"), "")
    nodes = [node for node in plan.get("nodes", ()) if isinstance(node, dict) and "id" in node]
    labels, kinds = {}, {}
    for node in nodes:
        name = str(node["id"])
        end = ended.get(name, {})
        how = str(end.get("mode") if end.get("status") == "success" else end.get("status") or "not run")
        labels[name] = f"{name}\n{_short(str(node.get('goal', '')), 34)}\n{how}"
        kinds[name] = how
    arrows = tuple((str(need), str(node["id"]), "") for node in nodes for need in node.get("needs", ()))
    return _placed(list(labels), arrows, labels, kinds, _short(goal, 70))


def _placed(
    names: Sequence[str],
    arrows: Iterable[tuple[str, str, str]],
    labels: Mapping[str, str],
    kinds: Mapping[str, str],
    title: str,
) -> Graph:
    """Each node right of all that point to it, as far as there is no circle."""
    known = tuple(arrow for arrow in arrows if arrow[0] in labels and arrow[1] in labels)
    layer = dict.fromkeys(names, 0)
    for _ in names:
        for one, two, _label in known:
            if one != two and layer[two] <= layer[one] < len(names) - 1:
                layer[two] = layer[one] + 1
    used = {found: number for number, found in enumerate(sorted(set(layer.values())))}
    columns: dict[int, list[str]] = {}
    for name in names:
        columns.setdefault(used[layer[name]], []).append(name)
    tallest = max(map(len, columns.values()), default=0)
    places = {
        name: Place(at, (tallest - len(column)) / 2 + row, labels[name], kinds.get(name, ""))
        for at, column in columns.items()
        for row, name in enumerate(column)
    }
    return Graph(places, known, title)


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
