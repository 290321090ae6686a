"""One task through everything that learning does with it, on the real SDK and CLI: LEARNER, FOLLOWER in other words,
MIXED, other values, refusals, a crystal in use by goals, by people and by the model, and a person's "wrong"."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_nb import LLMOS
from llmos_nb.dispatch.result import RunResult
from llmos_nb.errors import UnknownTrace
from llmos_nb.kernel.events import ModelCalled, Notice, ToolFinished
from llmos_nb.memory.seal import SEAL

pytestmark = pytest.mark.cli

TABLE = "kind,place,size,weight\n" + "".join(
    f"{kind},{place},{10 + i},{100 + 7 * i}\n"
    for i, (kind, place) in enumerate(zip("abcabcab", "xxyyxyxy", strict=True))
)
#: The agent calls a crystal as a tool, by the name that the shelf gives it.
CALLS_IT = """---
goal: use the function for {column:word} by {group:word}
---
## Turn 1

### crystal_plot_mean

```yaml arguments
column: "{{column}}"
column_2: "{{group}}"
file: "first.csv"
```

## Answer

{{result|match: mean over all rows: ([\\d.]+)}}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder, before = tmp_path_factory.mktemp("learning"), Path.cwd()
    (folder / "first.csv").write_text(TABLE)
    (folder / "second.csv").write_text("".join(TABLE.splitlines(keepends=True)[:6]))
    (folder / "workspace" / "scripts").mkdir(parents=True)
    (folder / "workspace" / "scripts" / "calls-it.md").write_text(CALLS_IT)
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def system(place: Path) -> Iterator[LLMOS]:
    with LLMOS(workspace="workspace", endpoint="scripted") as made:
        yield made


def goal(system: LLMOS, text: str, **options: object) -> tuple[RunResult, int]:
    """The result, and how many model calls it took."""
    calls: list[ModelCalled] = []
    end = system.on(ModelCalled, calls.append)
    result = system.run(text, **options)
    system.bus.flush()
    end()
    return result, len(calls)


def test_one_task_from_learner_to_crystal_and_back(system: LLMOS, place: Path) -> None:
    notices: list[str] = []
    system.on(Notice, lambda event: notices.append(event.text))

    learned, calls = goal(system, "Plot the mean weight by kind in first.csv")
    assert (learned.status, learned.mode, calls) == ("success", "learner", 3)

    again, _ = goal(system, "Please plot the average weight for each kind in first.csv")
    assert (again.mode, again.trace_id, again.text) == ("follower", learned.trace_id, learned.text)

    guided, fewer = goal(system, "Plot the mean size by place in second.csv")
    assert (guided.mode, fewer) == ("mixed", 2), "guidance saves a turn"
    assert guided.cost_usd is not None and learned.cost_usd is not None and guided.cost_usd < learned.cost_usd
    assert system.traces.get(str(guided.trace_id)).guided_by == (learned.trace_id,)

    other, calls = goal(system, "Plot the mean weight by place in second.csv")
    assert (other.status, other.mode, calls, other.cost_usd) == ("success", "follower", 0, 0.0)
    assert "114.00" in other.text and "second.csv" in other.text, "the answer is read from the new output"
    assert not other.stale

    for text, why in (
        ("Plot the mean wing_span by place in first.csv", "no column wing_span"),
        ("Plot the mean kind by place in first.csv", "kind is text"),
        ("Plot the mean size by place in third.csv", "third.csv is not there"),
    ):
        refused, calls = goal(system, text, mode="follower")
        assert (refused.status, calls, refused.steps) == ("failed", 0, ()) and why in refused.reason
    explained = system.explain("Plot the largest weight by place in second.csv")
    assert explained.mode == "mixed", "a near miss guides, and is never replayed"
    assert not {one.verdict for one in explained.considered} & {"replay", "rebind"}

    for column, group in (("size", "kind"), ("weight", "place"), ("size", "place")):
        assert goal(system, f"Plot the mean {column} by {group} in first.csv")[0].mode == "follower"
    assert system.settle(60)
    system.bus.flush()
    assert system.crystals.names() == ["plot_mean"], notices
    assert any("from llmos_nb.crystals import plot_mean" in text for text in notices)

    served, calls = goal(system, "Plot the mean weight by kind in second.csv")
    assert (served.status, served.mode, calls, served.cost_usd) == ("success", "crystallized", 0, 0.0)
    assert "114.00" in served.text

    tools: list[str] = []
    system.on(ToolFinished, lambda event: tools.append(event.tool))
    used, _ = goal(system, "use the function for weight by place")
    assert (used.status, used.text) == ("success", "124.50") and used.mode in ("learner", "mixed")
    system.bus.flush()
    assert tools == ["run_cell"], "a crystal's call is guarded, made and recorded as a cell"
    repeated, calls = goal(system, "use the function for weight by place")
    assert (repeated.mode, calls, repeated.text) == ("follower", 0, "124.50")

    told = system.wrong(learned.trace_id, "the bars are too thin")
    assert set(told.crystals) == {"plot_mean"} and guided.trace_id in told.guided
    assert re.fullmatch(
        "out of use: .* was called wrong: the bars are too thin", system.crystals.refusal("plot_mean")
    )
    assert "too thin" in system.traces.get(str(learned.trace_id)).wrong
    assert system.explain("Plot the mean weight by kind in first.csv").mode != "follower"
    system.trust(str(learned.trace_id), system.preview(str(learned.trace_id)).shown)
    assert system.explain("Plot the mean weight by kind in first.csv").mode == "follower"
    with pytest.raises(UnknownTrace):
        system.wrong("20200101-000000-no-such-trace-0000")


def test_declared_parameters_are_proved_by_one_run(system: LLMOS) -> None:
    learned, _ = goal(system, "Compute the first 5 prime numbers")
    assert system.traces.get(str(learned.trace_id)).extra["proved"] == ["n"]
    other, calls = goal(system, "Compute the first 8 prime numbers")
    assert (other.mode, calls) == ("follower", 0)
    assert system.run("Compute the first 8 prime numbers").ok
    assert "19" in other.text


def test_an_edited_trace_is_not_replayed_until_a_person_vouches_for_it(system: LLMOS) -> None:
    learned, _ = goal(system, "What is 17 plus 4?")
    assert learned.ok
    path = system.traces.path(str(learned.trace_id))
    text = path.read_text()
    assert f"{SEAL}:" in text
    path.write_text(text.replace("a + b", "a - b"))
    explained = system.explain("What is 17 plus 4?")
    assert explained.mode == "learner" and "edited" in explained.reason
    system.trust(str(learned.trace_id), system.preview(str(learned.trace_id)).shown)
    assert system.explain("What is 17 plus 4?").mode == "follower"
