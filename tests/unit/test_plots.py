"""Plots: what they show of a frame, what they say of one that will not do, and that empty frames give honest pictures."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import pytest

from llmos_nb.errors import PlotError
from llmos_nb.frames import plots
from llmos_nb.frames.charted import bars_of, curve_of, delegations_of, plan_of, spans_of
from llmos_nb.frames.schema import EVENTS, LEDGER, RUNS, STEPS
from llmos_nb.frames.tables import frame_of

matplotlib.use("agg")
START = pd.Timestamp("2026-11-22T07:00:00Z")
KINDS = {"costs": LEDGER, "modes": RUNS, "timeline": EVENTS, "agents": EVENTS, "plan": EVENTS}
#: Whatever the frame, each plot draws it with both.
BACKENDS = ["matplotlib", "altair"]


def at(seconds: float) -> str:
    return (START + pd.Timedelta(seconds=seconds)).isoformat()


def ledger(*rows: tuple[float | None, float], simulated: bool = False) -> Any:
    made = [
        {"id": n, "at": at(n), "cost_usd": cost, "saved_usd": saved, "simulated": simulated}
        for n, (cost, saved) in enumerate(rows)
    ]
    return frame_of(LEDGER, made)


def runs(*modes: str | None, apart_s: float = 3600.0) -> Any:
    made = [
        {
            "run_id": f"r{n}",
            "mode": mode,
            "started_at": at(n * apart_s),
            "agent": "a",
            "cost_usd": 0.1,
            "saved_usd": 0.0,
        }
        for n, mode in enumerate(modes)
    ]
    return frame_of(RUNS, made)


def events(*told: tuple[Any, ...]) -> Any:
    """Rows of ``(event, seconds, data)``; ``run`` in the data is the run's id."""
    made = []
    for event, seconds, data in told:
        rest = {name: value for name, value in data.items() if name != "run"}
        made.append({"run_id": data.get("run", "r1"), "event": event, "at": at(seconds), "data": json.dumps(rest)})
    return frame_of(EVENTS, made)


RUN = (
    ("RunStarted", 0.0, {"goal": "Plot it", "agent": "lead"}),
    ("AgentMessage", 1.0, {"role": "user"}),
    ("ModelCalled", 3.0, {}),
    ("ToolStarted", 3.0, {"step": 1, "tool": "run_cell"}),
    ("ToolFinished", 5.0, {"step": 1, "tool": "run_cell", "status": "error"}),
    ("ModelCalled", 6.0, {}),
    ("ApprovalAsked", 6.0, {"approval_id": "a1"}),
    ("ApprovalGiven", 9.0, {"approval_id": "a1"}),
    ("ToolStarted", 9.0, {"step": 2, "tool": "Agent", "arguments": {"subagent_type": "writer"}}),
    ("ToolStarted", 9.5, {"step": 3, "tool": "read_file", "agent": "writer"}),
)
PLAN = (
    ("RunStarted", 0, {"run": "p", "goal": "A report", "agent": "lead"}),
    ("PlanMade", 1, {"run": "p", "plan": {"nodes": [{"id": "a", "goal": "A"}, {"id": "b", "goal": "B", "needs": ["a"]},
                                                    {"id": "c", "goal": "C", "needs": ["a", "b"]}]}}),
    ("NodeStarted", 1, {"run": "p", "node": "a"}),
    ("RunStarted", 1, {"run": "n", "goal": "A", "agent": "coder", "parent_run_id": "p"}),
    ("NodeEnded", 4, {"run": "p", "node": "a", "status": "success", "mode": "follower"}),
    ("NodeEnded", 4, {"run": "p", "node": "b", "status": "skipped", "mode": ""}),
)  # fmt: skip


def drawn(df: Any, plot: str, backend: str, **given: Any) -> str:
    """The text on the picture, as one string; whatever warns fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = getattr(df.llmos, plot)(backend=backend, **given)
        if backend == "altair":
            return json.dumps(found.to_dict(), ensure_ascii=False)
        import matplotlib.pyplot as plt
        from matplotlib.text import Text

        found.figure.canvas.draw()
        said = "\n".join(text.get_text() for text in found.figure.findobj(Text))
        plt.close(found.figure)
        return said


# -- all of them


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("plot", "said"), [
    ("costs", "nothing was spent"), ("modes", "no goal"), ("timeline", "no run"), ("agents", "no agent"),
    ("plan", "no plan"),
])  # fmt: skip
def test_an_empty_frame_gives_an_honest_empty_picture(plot: str, said: str, backend: str) -> None:
    assert said in drawn(frame_of(KINDS[plot], []), plot, backend)


@pytest.mark.parametrize("plot", KINDS)
def test_what_is_missing_is_named_with_what_would_do(plot: str) -> None:
    with pytest.raises(PlotError, match="has no column") as caught:
        getattr(plots, plot)(pd.DataFrame({"species": ["Adelie"]}))
    assert "species" in caught.value.message and "_df()" in caught.value.remedy
    with pytest.raises(PlotError, match="a DataFrame is needed, got list"):
        getattr(plots, plot)([1, 2])
    with pytest.raises(PlotError, match="no backend 'plotly'"):
        getattr(plots, plot)(frame_of(KINDS[plot], []), backend="plotly")


@pytest.mark.parametrize("missing", BACKENDS)
def test_without_its_library_the_remedy_is_told(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(PlotError, match=f"need {missing}") as caught:
        plots.costs(ledger((0.1, 0.0)), backend=missing)
    assert "llmos-nb[plots]" in caught.value.remedy


@pytest.mark.parametrize("backend", BACKENDS)
def test_frames_read_back_from_csv_look_the_same(backend: str, tmp_path: Path) -> None:
    for plot, frame in {
        "costs": ledger((0.1, 0.0), (None, 0.2)), "modes": runs("learner", "follower"), "timeline": events(*RUN),
        "plan": events(*PLAN),
    }.items():  # fmt: skip
        path = tmp_path / f"{plot}.csv"
        frame.to_csv(path, index=False)
        assert drawn(pd.read_csv(path), plot, backend) == drawn(frame, plot, backend)


def test_axes_that_are_given_are_drawn_on() -> None:
    import matplotlib.pyplot as plt

    figure, (one, two) = plt.subplots(1, 2)
    assert plots.costs(ledger((0.1, 0.0)), ax=one) is one and runs("learner").llmos.modes(ax=two) is two
    plt.close(figure)
    with pytest.raises(PlotError, match="ax is for matplotlib"):
        plots.costs(ledger((0.1, 0.0)), ax=one, backend="altair")


# -- cost and savings


def test_costs_add_up_over_time_and_name_their_unit() -> None:
    found = curve_of(ledger((0.1, 0.0), (0.2, 0.5)).iloc[::-1])
    assert found.spent == pytest.approx((0.1, 0.3)) and found.saved == (0.0, 0.5) and found.money == "US dollars"
    said = drawn(ledger((0.1, 0.0), (0.2, 0.5), simulated=True), "costs", "matplotlib")
    assert "play money, US dollars" in said and "spent: $0.3000" in said and "time (UTC)" in said


def test_real_and_play_money_do_not_mix() -> None:
    both = pd.concat([ledger((1.0, 0.0)), ledger((5.0, 7.0), simulated=True)])
    found = curve_of(both)
    assert found.spent == (1.0,) and found.note == "play money is left out"


def test_an_unknown_price_is_said_not_guessed() -> None:
    found = curve_of(ledger((0.1, 0.0), (None, 0.0)))
    assert found.spent == (0.1, 0.1) and "1 of unknown price is left out" in found.note


def test_runs_will_do_for_costs() -> None:
    assert curve_of(runs("learner", "follower")).spent == pytest.approx((0.1, 0.2))


@pytest.mark.parametrize(
    ("column", "value", "words"), [("cost_usd", "much", "no number"), ("at", "yesterday", "no time")]
)
def test_a_column_that_holds_something_else_is_named(column: str, value: str, words: str) -> None:
    frame = ledger((0.1, 0.0)).astype(object)
    frame[column] = value
    with pytest.raises(PlotError, match=words) as caught:
        plots.costs(frame)
    assert column in caught.value.message and value in caught.value.message


# -- modes


def test_modes_are_counted_in_bars_of_a_fitting_length() -> None:
    found = bars_of(runs("learner", "learner", None, "follower", apart_s=3 * 86_400))
    assert found.every == "1 day" and found.labels[:2] == ("2026-11-22", "2026-11-23") and len(found.labels) == 10
    assert list(found.counts) == ["learner", "follower", "not decided"], "the dearest mode first"
    assert found.counts["learner"] == (1, 0, 0, 1, 0, 0, 0, 0, 0, 0) and sum(found.counts["follower"]) == 1
    years = bars_of(runs("learner", "follower", apart_s=40 * 365 * 86_400))
    assert sum(map(sum, years.counts.values())) == 2 and years.every == "52 weeks"
    assert "learner: 2" in drawn(runs("learner", "learner"), "modes", "matplotlib")


# -- a run over time


def test_a_runs_time_is_told_apart() -> None:
    spans = spans_of(events(*RUN)).spans
    told = {(span.lane, span.begin, span.end, span.kind, span.ok) for span in spans}
    assert told == {
        ("starting", 0.0, 1.0, "starting", True), ("model", 1.0, 3.0, "model", True), ("run_cell", 3.0, 5.0, "tool", False),
        ("model", 5.0, 6.0, "model", True), ("waiting for a person", 6.0, 9.0, "waiting", True),
        ("Agent", 9.0, 9.5, "tool", False), ("read_file (writer)", 9.5, 9.5, "tool", False),
    }  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_timeline_names_its_lanes(backend: str) -> None:
    said = drawn(events(*RUN), "timeline", backend)
    for word in ("Plot it", "model", "run_cell", "waiting for a person", "failed, denied or cut off", "seconds"):
        assert word in said


def test_the_last_run_of_a_person_is_taken_and_others_by_name() -> None:
    both = events(*RUN, *PLAN)
    assert spans_of(both).title == "A report" and spans_of(both, "r1").title == "Plot it"
    assert [span.lane for span in spans_of(both).spans] == ["starting", "goal a"]
    with pytest.raises(PlotError, match="no run 'r9'") as caught:
        plots.timeline(both, "r9")
    assert "r1" in caught.value.remedy


def test_steps_will_do_for_a_timeline() -> None:
    rows = [
        {"run_id": "r", "tool": "run_cell", "at": at(0), "duration_s": 2.0, "status": "ok"},
        {"run_id": "r", "tool": "run_shell", "at": at(3), "duration_s": None, "status": "denied"},
    ]
    spans = spans_of(frame_of(STEPS, rows)).spans
    assert [(s.lane, s.begin, s.end, s.ok) for s in spans] == [("run_cell", 0, 2, True), ("run_shell", 3, 3, False)]


def test_data_that_is_no_json_is_told_by_its_row() -> None:
    frame = events(*RUN)
    frame.loc[2, "data"] = "{torn"
    with pytest.raises(PlotError, match=r"row 2: '\{torn'"):
        plots.timeline(frame)


# -- who works for whom


@pytest.mark.parametrize("backend", BACKENDS)
def test_who_gave_work_to_whom(backend: str) -> None:
    graph = delegations_of(events(*RUN, *PLAN))
    assert set(graph.arrows) == {("lead", "writer", "1×"), ("lead", "coder", "1×")}
    assert graph.places["lead"].layer == 0 and graph.places["coder"].layer == graph.places["writer"].layer == 1
    assert "coder\n1 run" in drawn(events(*RUN, *PLAN), "agents", backend).replace("\\n", "\n")
    of_runs = frame_of(
        RUNS, [{"run_id": "p", "agent": "lead"}, {"run_id": "n", "agent": "coder", "parent_run_id": "p"}]
    )
    assert delegations_of(of_runs).arrows == (("lead", "coder", "1×"),)


def test_agents_that_call_each_other_still_have_a_place() -> None:
    rows = [
        {"run_id": "1", "agent": "a"}, {"run_id": "2", "agent": "b", "parent_run_id": "1"},
        {"run_id": "3", "agent": "a", "parent_run_id": "2"}, {"run_id": "4", "agent": "a", "parent_run_id": "1"},
    ]  # fmt: skip
    frame = frame_of(RUNS, rows)
    assert set(delegations_of(frame).places) == {"a", "b"}
    assert "↻ 1×" in drawn(frame, "agents", "matplotlib")


def test_a_plan_shows_its_goals_what_they_need_and_how_they_ended() -> None:
    graph = plan_of(events(*PLAN))
    assert [graph.places[name].layer for name in "abc"] == [0, 1, 2]
    assert set(graph.arrows) == {("a", "b", ""), ("a", "c", ""), ("b", "c", "")}
    assert [graph.places[name].kind for name in "abc"] == ["follower", "skipped", "not run"]
    assert "follower" in drawn(events(*PLAN), "plan", "matplotlib") and plan_of(events(*RUN)).places == {}


# -- the accessor


def test_making_a_frame_makes_the_accessor_known_and_nothing_before_imports_pandas(tmp_path: Path) -> None:
    code = (
        "import sys\nimport llmos_nb, llmos_nb.notebook.extension, llmos_nb.frames\nassert 'pandas' not in sys.modules\n"
        "import pandas\nassert not hasattr(pandas.DataFrame, 'llmos')\n"
        f"df = llmos_nb.runs_df({str(tmp_path)!r})\nassert 'matplotlib' not in sys.modules\nprint(df.llmos)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and ".costs()" in done.stdout, done.stderr


def test_in_a_notebook_it_is_known_once_pandas_is_imported(ipython: Any) -> None:
    from llmos_nb.notebook.explore_magics import ExploreMagics

    ExploreMagics(ipython, None)
    assert ipython.run_cell("import pandas\npandas.DataFrame({'a': [1]}).llmos").success
