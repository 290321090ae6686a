"""Traces that were changed since they were recorded, in every way and in great number: noticed before an effect.

Two dozen traces are really recorded. A *sealed* one that was edited is not begun at all. One whose seal was taken off,
as a person may write one by hand, is held to what it says: what differs is put back, and prose that its own outputs do
not bear is not repeated. And what was not changed is replayed without a word, a thousand times.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from test_replay import Asked, Place, everything

from llmos_nb.learning.replay import Replay
from llmos_nb.learning.verify import digest
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.seal import is_edited, seal_of
from llmos_nb.tools import workbench
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult

FILES = {
    "penguins.csv": "species,year,mass,flipper\n"
    + "".join(
        f"{species},{2007 + i % 3},{mass + 13 * i},{190 + i}\n"
        for i, (species, mass) in enumerate([("Adelie", 3700), ("Gentoo", 5000), ("Chinstrap", 3733)] * 4)
    ),
    "islands.csv": "species,island\nAdelie,Torgersen\nGentoo,Biscoe\nChinstrap,Dream\n",
    "notes.txt": "first line\nsecond line\nthird line\n",
    "settings.json": '{"limit": 4000, "unit": "g"}\n',
}
LOAD = "import pandas as pd\ndf = pd.read_csv('penguins.csv')"
PLOT = (
    "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\n"
    "fig, ax = plt.subplots(figsize=(1, 1), dpi=40)\nax.plot({data})\nfig.savefig('{file}', metadata={{'Software': ''}})\n"
    "plt.close(fig)\ndel fig, ax"
)


@dataclass(frozen=True)
class Recipe:
    """What is recorded: its steps, the answer, and the variables that are there before."""

    name: str
    asked: tuple[Asked, ...]
    answer: str
    names: Callable[[], dict[str, Any]] = field(default=dict)


RECIPES = [
    Recipe("mean", (LOAD, "mean = df['mass'].mean()\nprint(f'mean mass: {mean:.1f}')"), "The mean mass is 4216.0."),
    Recipe("groups", (LOAD, "means = df.groupby('species')['mass'].mean()\nprint(means)"), "See the table."),
    Recipe("counts", (LOAD, "counts = df['species'].value_counts().to_dict()\ncounts"), "Four of each."),
    Recipe(
        "saved",
        (LOAD, "heavy = df[df['mass'] > 4000]\nheavy.to_csv('heavy.csv', index=False)", "len(heavy)"),
        "5 rows.",
    ),
    Recipe(
        "merged",
        (LOAD, "isl = pd.read_csv('islands.csv')", "both = df.merge(isl, on='species')\nprint(both.shape)"),
        "12 x 5",
    ),
    Recipe(
        "pivot", (LOAD, "table = df.pivot_table(index='year', columns='species', values='mass')\ntable"), "By year."
    ),
    Recipe(
        "filter",
        ("n = len([v for v in numbers if v > 2])\nprint('above two:', n)",),
        "3 of them.",
        lambda: {"numbers": [1, 2, 3, 4, 5]},
    ),
    Recipe(
        "in place",
        ("log.append(len(log))", "print(log)", "log.sort(reverse=True)\nlog"),
        "Sorted.",
        lambda: {"log": [3, 1]},
    ),
    Recipe(
        "function",
        ("def area(r):\n    return 3 * r * r", "areas = [area(r) for r in (1, 2, 3)]", "print(areas)"),
        "3, 12, 27",
    ),
    Recipe(
        "note",
        (("write_file", {"path": "out/note.md", "content": "# Note\n"}), ("read_file", {"path": "out/note.md"})),
        "Written.",
    ),
    Recipe(
        "edit",
        (("edit_file", {"path": "notes.txt", "old": "second", "new": "2nd"}), ("read_file", {"path": "notes.txt"})),
        "Edited.",
    ),
    Recipe("shell", (("run_shell", {"command": "wc -l notes.txt"}),), "It has 3 lines."),
    Recipe(
        "sorted",
        (("run_shell", {"command": "sort -r notes.txt > sorted.txt"}), "open('sorted.txt').read()"),
        "Sorted.",
    ),
    Recipe(
        "database",
        (
            "import sqlite3\nc = sqlite3.connect('m.db')\nc.execute('create table t(a, b)')\n"
            "c.executemany('insert into t values(?, ?)', [(1, 10), (2, 20)])\nc.commit()",
            "total = c.execute('select sum(b) from t').fetchone()[0]\nprint('sum of b:', total)",
            "c.close()",
        ),
        "The sum is 30.",
    ),
    Recipe(
        "sql",
        (
            LOAD,
            "import sqlite3\nc = sqlite3.connect(':memory:')\ndf.to_sql('p', c, index=False);",
            "top = pd.read_sql('select species, max(mass) as m from p group by species', c)\nprint(top)",
        ),
        "See the table.",
    ),
    Recipe("plot", (LOAD, PLOT.format(data="df['mass']", file="mass.png")), "Saved as mass.png."),
    Recipe(
        "settings",
        ("import json\nsettings = json.loads(open('settings.json').read())", "limit = settings['limit']\nlimit * 2"),
        "8000",
    ),
    Recipe(
        "json",
        (
            LOAD,
            "records = df.head(2).to_dict('records')\nimport json\nopen('two.json', 'w').write(json.dumps(records));",
            "print(len(open('two.json').read()))",
        ),
        "Two records.",
    ),
    Recipe(
        "fit",
        (
            LOAD,
            "import numpy as np",
            "slope, rest = np.polyfit(df['flipper'], df['mass'], 1)\nprint(f'{slope:.3f} {rest:.1f}')",
        ),
        "A line.",
    ),
    Recipe(
        "words",
        (
            "import re\ntext = open('notes.txt').read()",
            "words = re.findall(r'\\w+', text)\nprint(len(words), words[:2])",
        ),
        "6 words.",
    ),
    Recipe("failed", ("x = 1\n{}['missing']", "x += 1\nprint(x)"), "x is 2."),
    Recipe("inspected", (LOAD, ("inspect", {"names": ["df"]}), "print(df.dtypes.to_dict())"), "Four columns."),
    Recipe("table at hand", ("t['double'] = t['v'] * 2", "print(t['double'].sum())"), "12", lambda: {"t": _table()}),
    Recipe(
        "deleted",
        ("copy = dict(d)\ndel d", "copy['z'] = 26\nprint(sorted(copy))"),
        "a and z.",
        lambda: {"d": {"a": 1}},
    ),
]


def _table() -> Any:
    import pandas as pd

    return pd.DataFrame({"v": [1, 2, 3]})


class Lab:
    """One folder in which everything is recorded and replayed, put back to its first state before each."""

    def __init__(self, folder: Path) -> None:
        self.cwd = folder
        self.traces: dict[str, Trace] = {}
        for recipe in RECIPES:
            place = self.fresh(recipe)
            self.traces[recipe.name] = place.record(*recipe.asked, answer=recipe.answer, goal=f"Do {recipe.name}")
            shutil.rmtree(folder / "workspace")

    def fresh(self, recipe: Recipe, **changed: str | None) -> Place:
        """The folder and the namespace as they are before the recipe; ``changed`` files otherwise, None: not there."""
        for path in self.cwd.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif FILES.get(path.name, "").encode() != path.read_bytes():
                path.unlink()
        for name, text in (FILES | changed).items():
            path = self.cwd / name
            if text is None:
                path.unlink(missing_ok=True)
            elif not path.exists() or changed:
                path.write_text(text)
        return Place(self.cwd, **recipe.names())


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    before = Path.cwd()
    folder = tmp_path_factory.mktemp("lab")
    os.chdir(folder)
    yield Lab(folder)
    os.chdir(before)


def shown_state(place: Place) -> tuple[dict[str, str], dict[str, bytes]]:
    """Names with what they hold, in words, and files with their bytes: enough to see a difference."""
    names = {name: re.sub(r"0x[0-9a-f]+", "", repr(value)) for name, value in place.names.items()}
    return names, everything(place.cwd)


# ---------------------------------------------------------------- mutations


def _rest(trace: Trace, steps: Sequence[Step], **changes: Any) -> Trace:
    return dataclasses.replace(trace, steps=tuple(steps), **changes)


def _dropped(trace: Trace, rng: random.Random) -> Trace:
    steps = list(trace.steps)
    del steps[rng.randrange(len(steps))]
    return _rest(trace, steps)


def _swapped(trace: Trace, rng: random.Random) -> Trace:
    steps = list(trace.steps)
    a, b = rng.sample(range(len(steps)), 2) if len(steps) > 1 else (0, 0)
    steps[a], steps[b] = steps[b], steps[a]
    return _rest(trace, steps)


def _doubled(trace: Trace, rng: random.Random) -> Trace:
    steps = list(trace.steps)
    at = rng.randrange(len(steps))
    steps.insert(rng.randrange(at, len(steps)) + 1, steps[at])
    return _rest(trace, steps)


def _argument(trace: Trace, rng: random.Random) -> Trace:
    steps = list(trace.steps)
    at = rng.randrange(len(steps))
    arguments = dict(steps[at].arguments)
    name = rng.choice(sorted(arguments))
    value = arguments[name]
    arguments[name] = _edited_text(value, rng) if isinstance(value, str) else [*value, "other"]
    steps[at] = dataclasses.replace(steps[at], arguments=arguments)
    return _rest(trace, steps)


def _edited_text(text: str, rng: random.Random) -> str:
    """Another number, another literal, a line less, another operator, a letter more."""
    edits = [
        lambda: re.sub(r"\d+", lambda m: str(int(m[0]) + 1), text, count=1),
        lambda: re.sub(r"'(\w+)'", r"'\1_x'", text, count=1),
        lambda: "\n".join(text.splitlines()[:-1]) or text + "\n#",
        lambda: text.replace(" > ", " < ").replace("sum", "max").replace("mean", "median"),
        lambda: text + "\nextra = 1",
        lambda: text.replace("+", "-").replace("append", "remove").replace("True", "False"),
    ]
    rng.shuffle(edits)
    return next((edited for edit in edits if (edited := edit()) != text), text + " ")


def _result(trace: Trace, rng: random.Random) -> Trace:
    steps = list(trace.steps)
    at = rng.randrange(len(steps))
    step, expect = steps[at], steps[at].expect
    edits: list[Callable[[], Trace]] = [
        lambda: _rest(trace, steps, answer=trace.answer + " And so on."),
        lambda: _rest(trace, steps, answer=re.sub(r"\d", "7", trace.answer) or "7"),
        lambda: changed(digest="0" * 16),
        lambda: changed(digest=""),
        lambda: changed(files=("other.txt",)),
        lambda: changed(outputs=(*expect.outputs, "image/png")),
        lambda: changed(defines={**expect.defines, "never": "int"}),
        lambda: changed(defines=dict.fromkeys(expect.defines, "Other") or {"x": "int"}),
        lambda: changed(columns={"df": ("a",)}),
        lambda: changed(status="error", error="KeyError") if not expect.error else changed(error="Other"),
        lambda: changed(replay=not expect.replay),
        lambda: _rest(trace, [*steps[:at], dataclasses.replace(step, output=step.output + "9"), *steps[at + 1 :]]),
    ]

    def changed(**values: Any) -> Trace:
        other = dataclasses.replace(step, expect=dataclasses.replace(expect, **values))
        return _rest(trace, [*steps[:at], other, *steps[at + 1 :]])

    return rng.choice(edits)()


def _truncated(trace: Trace, rng: random.Random) -> Trace:
    kind = rng.randrange(3)
    if kind == 0:
        return _rest(trace, trace.steps[: rng.randrange(len(trace.steps))])
    if kind == 1:
        return _rest(trace, trace.steps, answer=trace.answer[: rng.randrange(len(trace.answer))])
    steps = list(trace.steps)
    at = rng.randrange(len(steps))
    name, value = max(steps[at].arguments.items(), key=lambda item: len(str(item[1])))
    cut = value[: rng.randrange(len(value))]
    steps[at] = dataclasses.replace(steps[at], arguments={**steps[at].arguments, name: cut})
    return _rest(trace, steps)


def _tool(trace: Trace, rng: random.Random) -> Trace:
    steps = list(trace.steps)
    at = rng.randrange(len(steps))
    tool = rng.choice([name for name in (*TOOLS, "Bash", "nonsense") if name != steps[at].tool])
    steps[at] = dataclasses.replace(steps[at], tool=tool)
    return _rest(trace, steps)


MUTATIONS = {
    "dropped": _dropped, "swapped": _swapped, "doubled": _doubled, "argument": _argument, "result": _result,
    "truncated": _truncated, "tool": _tool,
}  # fmt: skip


def mutants(trace: Trace, kind: str, count: int) -> list[Trace]:
    """Up to ``count`` different changed traces of one kind."""
    rng = random.Random(f"{trace.goal} {kind}")
    found: dict[str, Trace] = {}
    for _ in range(count * 4):
        other = MUTATIONS[kind](trace, rng)
        if len(found) < count and seal_of(other) != seal_of(trace):
            found.setdefault(seal_of(other), other)
    return list(found.values())


#: Of each trace and kind.
EACH = 8


def test_eight_hundred_edited_traces_are_not_begun(lab: Lab) -> None:
    tried = 0
    for recipe in RECIPES:
        trace = lab.traces[recipe.name]
        place = lab.fresh(recipe)
        before = shown_state(place)
        for kind in MUTATIONS:
            for mutant in mutants(trace, kind, EACH):
                done = place.replay(mutant)
                assert "edited since it was recorded" in done.surprise, (recipe.name, kind)
                assert place.calls_begun() == 0 and done.answer == ""
                tried += 1
        assert shown_state(place) == before, recipe.name
    assert tried >= 800, tried


def test_an_edit_in_the_file_is_noticed_and_other_ends_of_lines_are_not(lab: Lab) -> None:
    for recipe in RECIPES:
        text = dump(lab.traces[recipe.name])
        assert not is_edited(parse(text)) and not is_edited(parse(text.replace("\n", "\r\n")))
        assert not is_edited(parse(re.sub(r"cost_usd: .*", "cost_usd: 5.0", text)))
        assert is_edited(parse(text.replace(f"## Answer\n\n{recipe.answer}", "## Answer\n\nOther words.")))
        assert is_edited(parse(text.replace("goal: Do ", "goal: Undo ")))


# ---------------------------------------------------------------- without a seal


def ran_freely(
    lab: Lab, recipe: Recipe, steps: Sequence[Step], **changed: str | None
) -> tuple[Any, list[ToolResult | None]]:
    """What the steps do when nobody verifies anything: the state after them, and their results."""
    import asyncio

    place = lab.fresh(recipe, **changed)

    async def work() -> list[ToolResult | None]:
        bench = place.make_bench()
        return [(await bench.call(step.tool, step.arguments, replayed=True)).result for step in steps]

    results = asyncio.run(work())
    return shown_state(place), results


def check_honest(
    lab: Lab, recipe: Recipe, trace: Trace, done: Replay, place: Place, before: Any, **changed: str | None
) -> bool:
    """A replay was either refused and left no trace, or did what its steps do and says nothing that they did not show.

    Returns whether it was refused.
    """
    if done.surprise:
        assert shown_state(place) == before and done.answer == ""
        return True
    after = shown_state(place)
    steps = [step for step in trace.steps if step.expect.replay]
    state, results = ran_freely(lab, recipe, steps, **changed)
    assert after == state
    same = [digest(result) if result else "" for result in results] == [step.expect.digest for step in steps]
    if done.basis == "recorded":
        assert same and done.answer == trace.answer
    else:
        assert not same
    if done.basis == "rederived":
        shown = " ".join(result.text for result in results if result)
        assert all(number in shown for number in re.findall(r"\d+(?:\.\d+)?", done.answer)), done.answer
    return False


@pytest.mark.parametrize("kind", MUTATIONS)
def test_a_trace_without_a_seal_is_held_to_what_it_says(kind: str, lab: Lab) -> None:
    refused = tried = 0
    for recipe in RECIPES:
        trace = dataclasses.replace(lab.traces[recipe.name], extra={})
        for mutant in mutants(trace, kind, 2):
            place = lab.fresh(recipe)
            before = shown_state(place)
            refused += check_honest(lab, recipe, mutant, place.replay(mutant), place, before)
            tried += 1
    assert tried >= 24 and refused > 0


# ---------------------------------------------------------------- the world changed

CHANGES: list[tuple[str, Callable[[str], str | None]]] = [
    ("a number", lambda text: re.sub(r"\d+", lambda m: str(int(m[0]) + 1000), text, count=3)),
    ("a name", lambda text: text.replace("mass", "weight").replace("second", "other").replace("limit", "bound")),
    ("cut", lambda text: text[: len(text) // 2]),
    ("empty", lambda text: ""),
    ("gone", lambda text: None),
]


def test_changed_input_files_are_noticed_or_told_truly(lab: Lab) -> None:
    tried = 0
    for recipe in RECIPES:
        trace = lab.traces[recipe.name]
        read = set(trace.inputs) | {name for name in FILES if any(name in str(s.arguments) for s in trace.steps)}
        for name in sorted(read):
            for what, change in CHANGES:
                changed = {name: change(FILES[name])}
                place = lab.fresh(recipe, **changed)
                before = shown_state(place)
                done = place.replay(trace)
                if what == "gone" and name in trace.inputs:
                    assert done.surprise == f"the file {name} is not there" and place.calls_begun() == 0
                check_honest(lab, recipe, trace, done, place, before, **changed)
                tried += 1
    assert tried >= 80


def _with_run(tool: Tool, change: Callable[[ToolResult], ToolResult] | None) -> Tool:
    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        if change is None:
            return ToolResult(text="")
        return change(await tool.run(context, arguments))

    return dataclasses.replace(tool, run=run)


#: How a tool may have changed since a trace was recorded.
OTHER_TOOLS: dict[str, Callable[[Tool], Tool | None]] = {
    "gone": lambda tool: None,
    "other arguments": lambda tool: dataclasses.replace(
        tool, schema={**tool.schema, "properties": {"other": {"type": "string"}}, "required": ["other"]}
    ),
    "fails": lambda tool: _with_run(tool, lambda result: dataclasses.replace(result, error="Broken", text="no")),
    "does nothing": lambda tool: _with_run(tool, None),
}


@pytest.mark.parametrize("how", OTHER_TOOLS)
def test_changed_tools_are_noticed(how: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.learning import possible

    noticed = 0
    for recipe in RECIPES:
        trace = lab.traces[recipe.name]
        place = lab.fresh(recipe)
        before = shown_state(place)
        with monkeypatch.context() as patch:
            tools = {name: other for name, tool in TOOLS.items() if (other := OTHER_TOOLS[how](tool)) is not None}
            patch.setattr(workbench, "TOOLS", tools)
            patch.setattr(possible, "TOOLS", tools)
            done = place.replay(trace)
        if done.surprise:
            noticed += 1
            assert shown_state(place) == before
        else:
            assert how == "does nothing" and done.basis != "recorded"
        if how in ("gone", "other arguments"):
            assert place.calls_begun() == 0
    assert noticed >= (len(RECIPES) - 8 if how == "does nothing" else len(RECIPES))


# ---------------------------------------------------------------- nothing changed

#: Steps that start a program or draw are dear.
DEAR = ("shell", "sorted", "plot", "sql")


def _rounds(recipe: Recipe) -> int:
    return 10 if recipe.name in DEAR else 48


def test_there_are_a_thousand_clean_replays() -> None:
    assert sum(map(_rounds, RECIPES)) >= 1_000


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_thousand_clean_replays_raise_no_alarm(recipe: Recipe, lab: Lab) -> None:
    for _ in range(_rounds(recipe)):
        done = lab.fresh(recipe).replay(lab.traces[recipe.name])
        assert done == Replay(answer=recipe.answer, basis="recorded")


def test_a_replay_in_the_same_place_again_is_clean_where_the_steps_can_be_done_twice(lab: Lab) -> None:
    once = {"edit", "database", "deleted"}
    for recipe in RECIPES:
        if recipe.name in once:
            continue
        trace, place = lab.traces[recipe.name], lab.fresh(recipe)
        for _ in range(3):
            done = place.replay(trace)
            assert not done.surprise, (recipe.name, done.surprise)


def test_the_traces_are_what_they_should_be(lab: Lab) -> None:
    assert len(RECIPES) >= 20
    for trace in lab.traces.values():
        assert trace.extra["seal"] == seal_of(trace) and trace.replayable
    assert json.dumps(lab.traces["filter"].environment["needs"]) == '{"numbers": "list"}'
