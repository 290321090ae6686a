"""A replay: the recorded steps again, under guard, verified; and everything put back at the first surprise."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_nb.kernel.events import Event, ToolStarted
from llmos_nb.learning.needs import needs_of, types_of
from llmos_nb.learning.record import input_digests, recorded_steps
from llmos_nb.learning.replay import Replay, replay
from llmos_nb.memory import Expectation, Step, Trace, TraceStore
from llmos_nb.memory.seal import sealed
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

Asked = str | tuple[str, dict[str, Any]]


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n1,2\n3,4\n")
    return tmp_path


class Place:
    """A folder and a namespace in which things are recorded and replayed."""

    def __init__(self, cwd: Path, **names: Any) -> None:
        self.cwd = cwd
        self.space = PlainNamespace()
        self.space.names.update(names)
        self.events: list[Event] = []
        self.bench: Workbench | None = None

    @property
    def names(self) -> dict[str, Any]:
        return {name: value for name, value in self.space.names.items() if not name.startswith("__")}

    def make_bench(self, **options: Any) -> Workbench:
        options.setdefault("grant", tuple(TOOLS))
        self.bench = Workbench(
            "run", namespace=self.space, workspace=self.cwd / "workspace", cwd=self.cwd, publish=self.events.append,
            **options,
        )  # fmt: skip
        return self.bench

    def record(self, *asked: Asked, answer: str = "The recorded answer.", goal: str = "the goal") -> Trace:
        """Really run steps and record them, through a file and back as a store does."""

        async def work() -> Trace:
            bench = self.make_bench()
            before = types_of(self.space.names)
            for step in asked:
                tool, arguments = ("run_cell", {"code": step}) if isinstance(step, str) else step
                await bench.call(tool, arguments)
            trace = Trace(
                goal=goal, steps=recorded_steps(bench.calls), answer=answer,
                inputs=input_digests(bench.calls, self.cwd), environment={"needs": needs_of(bench.calls, before)},
            )  # fmt: skip
            return sealed(trace)

        trace = asyncio.run(work())
        with TraceStore(self.cwd / "workspace" / "traces") as store:
            return store.add(trace)

    def replay(self, trace: Trace, steps: Sequence[Step] | None = None, **options: Any) -> Replay:
        self.events.clear()

        async def work() -> Replay:
            return await replay(trace, trace.steps if steps is None else steps, self.make_bench(**options))

        return asyncio.run(work())

    def calls_begun(self) -> int:
        return sum(isinstance(event, ToolStarted) for event in self.events)


def everything(cwd: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(cwd)): path.read_bytes()
        for path in cwd.rglob("*")
        if path.is_file() and "workspace" not in path.parts
    }


LOAD = "import pandas as pd\ndf = pd.read_csv('data.csv')"


# ---------------------------------------------------------------- as recorded


def test_when_all_is_as_recorded_the_recorded_answer_is_shown(cwd: Path) -> None:
    trace = Place(cwd).record(LOAD, "total = int(df['a'].sum())\nprint(total)\ntotal", ("inspect", {"names": ["df"]}))
    other = Place(cwd)
    done = other.replay(trace)
    assert done == Replay(answer="The recorded answer.", basis="recorded")
    assert other.names["total"] == 4 and list(other.names["df"]) == ["a", "b"]


def test_replayed_calls_are_told_apart_from_live_ones(cwd: Path) -> None:
    trace = Place(cwd).record("x = 1")
    place = Place(cwd)
    place.replay(trace)
    assert [event.replayed for event in place.events if isinstance(event, ToolStarted)] == [True]


def test_outputs_are_shown_once_all_is_verified(cwd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = Place(cwd).record("print('one')", "'two'")
    capsys.readouterr()
    Place(cwd).replay(trace)
    assert capsys.readouterr().out == "one\n'two'\n"


def test_a_refused_replay_shows_nothing(cwd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = Place(cwd).record("print('one')", "x = len(open('data.csv').read()) > 5\nassert x")
    (cwd / "data.csv").write_text("")
    capsys.readouterr()
    assert Place(cwd).replay(trace).surprise
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "asked",
    [
        ("write_file", {"path": "out.txt", "content": "text"}),
        ("run_shell", {"command": "echo text > out.txt"}),
        "open('out.txt', 'w').write('text\\n');",
        ("edit_file", {"path": "data.csv", "old": "3,4", "new": "5,6"}),
    ],
)
def test_every_tool_that_writes_is_replayed(asked: Asked, cwd: Path) -> None:
    before = everything(cwd)
    trace = Place(cwd).record(asked)
    after = everything(cwd)
    assert after != before
    (cwd / "data.csv").write_bytes(before["data.csv"])
    assert Place(cwd).replay(trace) == Replay(answer="The recorded answer.", basis="recorded")
    assert everything(cwd) == after


def test_default_reprs_with_addresses_do_not_make_an_answer_stale(cwd: Path) -> None:
    trace = Place(cwd).record("o = object()\no", "print(lambda: 1, [o])\ndef f(): pass\nf")
    assert not Place(cwd).replay(trace).stale


# ---------------------------------------------------------------- other data


def test_when_the_data_changed_the_outputs_are_fresh_and_the_prose_is_not_repeated(cwd: Path) -> None:
    trace = Place(cwd).record(LOAD, "print('sum', df['a'].sum())", answer="The sum is 4.")
    (cwd / "data.csv").write_text("a,b\n10,2\n30,4\n")
    done = Place(cwd).replay(trace)
    assert done.stale and not done.surprise
    assert "sum 40" in done.answer and "4." not in done.answer.replace("40", "")


def test_new_outputs_cannot_break_out_of_their_block(cwd: Path) -> None:
    trace = Place(cwd).record("print(open('data.csv').read())")
    (cwd / "data.csv").write_text("````\n# heading\n````")
    answer = Place(cwd).replay(trace).answer
    assert "`````text\n````\n# heading\n````\n`````" in answer


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("print(hex(int(open('n').read())))", "3735928559", "3405691582"),  # a hexadecimal result is no address
        ("open('n').read()", "1", "2"),
        ("import sys\nprint(open('n').read(), file=sys.stderr)", "1", "2"),
    ],
)
def test_every_change_of_an_output_makes_the_answer_stale(code: str, old: str, new: str, cwd: Path) -> None:
    (cwd / "n").write_text(old)
    trace = Place(cwd).record(code)
    assert not Place(cwd).replay(trace).stale
    (cwd / "n").write_text(new)
    assert Place(cwd).replay(trace).stale


WARNS_ONCE = """
import sys
if 'seen' not in globals():
    seen = True
    print('the font cache is built', file=sys.stderr)
print(len(open('data.csv').read()))
"""


@pytest.mark.parametrize(
    ("answer", "stale"), [("It has 12 characters.", False), ("It has 12 characters, with one warning.", True)]
)
def test_a_warning_that_comes_once_in_a_process_is_no_part_of_the_answer(answer: str, stale: bool, cwd: Path) -> None:
    place = Place(cwd)
    trace = place.record(WARNS_ONCE, answer=answer)
    assert "font cache" in trace.steps[0].output and trace.steps[0].expect.outputs == ("stream",)
    done = place.replay(trace)
    assert not done.surprise and done.stale == stale
    assert (done.answer == answer) != stale


def test_a_warning_that_is_new_withholds_the_answer(cwd: Path) -> None:
    code = "import os, sys\nif os.path.exists('odd'):\n    print('mixed types', file=sys.stderr)\nprint(1)"
    trace = Place(cwd).record(code)
    assert not Place(cwd).replay(trace).stale
    (cwd / "odd").write_text("")
    done = Place(cwd).replay(trace)
    assert done.stale and "mixed types" in done.answer and not done.surprise


def test_what_was_read_counts_as_evidence(cwd: Path) -> None:
    trace = Place(cwd).record(("read_file", {"path": "data.csv"}), answer="It has two rows.")
    (cwd / "data.csv").write_text("a,b\n")
    done = Place(cwd).replay(trace)
    assert done.stale and "two rows" not in done.answer


#: A first step over the data, what the agent wrote of its output into the second one, and the goal.
CARRIED: list[tuple[str, Asked, str]] = [
    ("print('sum', df['a'].sum())", ("write_file", {"path": "r.md", "content": "The sum is 4."}), "Sum up a"),
    ("print('most:', bytes([97, 100, 97 if df['a'].sum() < 9 else 98]).decode())",
     ("write_file", {"path": "r.md", "content": "It is ada, mostly."}), "Who has most?"),
    ("print('mean', df['a'].mean() + .25)", "open('r.md', 'w').write('A mean of 2.2 was found.');", "The mean of a"),
    ("print('mean', df['a'].mean() + .25)", "filled = df['b'] + 2.25", "Add the mean of a to b"),
    ("print('sum', df['a'].sum() * 100)", ("run_shell", {"command": "echo 400 > r.md"}), "Sum up a"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "goal"), CARRIED)
def test_what_was_read_off_other_data_is_not_written_again(first: str, second: Asked, goal: str, cwd: Path) -> None:
    trace = Place(cwd).record(LOAD, first, second, goal=goal)
    assert Place(cwd).replay(trace).answer == "The recorded answer."
    (cwd / "data.csv").write_text("a,b\n10,2\n30,4\n")
    (cwd / "r.md").write_text("the user's")
    done = Place(cwd).replay(trace)
    assert "goes on with" in done.surprise and "does not show now" in done.surprise
    assert (cwd / "r.md").read_text() == "the user's"


@pytest.mark.parametrize(
    ("content", "goal"),
    [
        ("Sums, with 4 digits.", "Write a note that the sums have 4 digits"),  # the goal's own
        ("This sum is new.", "Write a note"),  # shown again
        ("Nothing of it.", "Write a note"),
    ],
)
def test_what_the_goal_says_or_is_shown_again_is_written_again(content: str, goal: str, cwd: Path) -> None:
    first = "print('sum', df['a'].sum())"
    trace = Place(cwd).record(LOAD, first, ("write_file", {"path": "r.md", "content": content}), goal=goal)
    (cwd / "data.csv").write_text("a,b\n10,2\n30,4\n")
    done = Place(cwd).replay(trace)
    assert done.surprise == "" and done.stale


# ---------------------------------------------------------------- surprises

#: What is recorded, what changes between recording and replay, and a word of the reason.
SURPRISES: list[tuple[str, list[Asked], Callable[[Path, dict[str, Any]], Any], str]] = [
    ("exception", ["n = 10 / len(open('data.csv').read())"],
     lambda cwd, names: (cwd / "data.csv").write_text(""), "ZeroDivisionError"),
    ("missing name", ["if 'a,b' in open('data.csv').read():\n    found = 1"],
     lambda cwd, names: (cwd / "data.csv").write_text("other"), "did not define found"),
    ("other type", ["text = open('data.csv').read()\nn = 1 if 'a' in text else 'one'"],
     lambda cwd, names: (cwd / "data.csv").write_text("other"), "of type str instead of int"),
    ("other columns", [LOAD], lambda cwd, names: (cwd / "data.csv").write_text("a,c\n1,2\n"), "column"),
    ("columns in another order", [LOAD], lambda cwd, names: (cwd / "data.csv").write_text("b,a\n1,2\n"), "order"),
    ("other output", ["text = open('data.csv').read()\nprint('x') if 'a,b' in text else None"],
     lambda cwd, names: (cwd / "data.csv").write_text("other"), "nothing instead of stream"),
    ("more output", ["text = open('data.csv').read()\nNone if 'a,b' in text else text"],
     lambda cwd, names: (cwd / "data.csv").write_text("other"), "text/plain instead of nothing"),
    ("other files", ["name = open('data.csv').read()[:1] + '.out'\nopen(name, 'w').close()"],
     lambda cwd, names: (cwd / "data.csv").write_text("z"), "changed the files z.out"),
    ("other files removed", ["import os\nif os.path.exists('mine.tmp'): os.remove('mine.tmp')"],
     lambda cwd, names: (cwd / "mine.tmp").write_text("mine"), "changed the files mine.tmp"),
    ("other files by a command", [("run_shell", {"command": "test -e mine.tmp && rm mine.tmp || true"})],
     lambda cwd, names: (cwd / "mine.tmp").write_text("mine"), "changed the files mine.tmp"),
    ("deleted names", ["if 'a,b' not in open('data.csv').read(): del precious"],
     lambda cwd, names: (cwd / "data.csv").write_text("other"), "deleted precious"),
    ("a command fails", [("run_shell", {"command": "grep a,b data.csv"})],
     lambda cwd, names: (cwd / "data.csv").write_text("other"), "exit code 1"),
    ("a file to edit is other", [("edit_file", {"path": "data.csv", "old": "a,b", "new": "c,d"})],
     lambda cwd, names: (cwd / "data.csv").write_text("other"), "occurs 0 times"),
    ("a file to read is gone", [("read_file", {"path": "extra.txt"})],
     lambda cwd, names: (cwd / "extra.txt").unlink(), "extra.txt is not there"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "change", "reason"), [s[1:] for s in SURPRISES], ids=[s[0] for s in SURPRISES])
def test_a_surprise_stops_before_the_next_effect_and_puts_everything_back(
    asked: list[Asked], change: Callable[[Path, dict[str, Any]], Any], reason: str, cwd: Path
) -> None:
    first = "log.append(1)\ntable.loc[0, 'v'] = 9\nvector[0] = 9\nnew = 1\nopen('first.txt', 'w').write('x');"
    last = "open('never.txt', 'w').write('x');"

    def make_place() -> Place:
        names = {"log": [0], "table": pd.DataFrame({"v": [1.0]}), "vector": np.zeros(2), "precious": {"k": [1]}}
        (cwd / "extra.txt").write_text("extra")
        return Place(cwd, **names)

    trace = make_place().record(first, *asked, last)
    assert all(step.expect.status == "ok" for step in trace.steps)
    (cwd / "never.txt").unlink()
    (cwd / "first.txt").write_text("the user's")
    place = make_place()
    change(cwd, place.names)
    objects, files = place.names, everything(cwd)

    done = place.replay(trace)
    assert reason in done.surprise
    assert done.not_restored == () and not done.stopped and done.answer == ""
    assert everything(cwd) == files
    now = place.names
    assert now.keys() == objects.keys() and all(now[name] is objects[name] for name in objects)
    assert now["log"] == [0] and now["precious"] == {"k": [1]}
    assert now["table"].equals(pd.DataFrame({"v": [1.0]})) and now["vector"].tolist() == [0, 0]
    assert place.calls_begun() == (0 if "not there" in reason else 2)


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"grant": ("inspect",)}, "not granted"), ({"grant": ("run_cell",)}, "not granted the tool write_file")],
)
def test_what_the_guard_refuses_is_not_even_begun(options: dict[str, Any], reason: str, cwd: Path) -> None:
    trace = Place(cwd).record("x = 1", ("write_file", {"path": "out.txt", "content": "x"}))
    (cwd / "out.txt").unlink()
    place = Place(cwd)
    assert reason in place.replay(trace, **options).surprise
    assert place.calls_begun() == 0 and "x" not in place.names


def test_the_guard_judges_recorded_steps_like_live_ones(cwd: Path) -> None:
    evil = Step("run_shell", {"command": "rm -rf ~"}, Expectation(digest="x"))
    escape = Step("write_file", {"path": "../escaped.txt", "content": "x"}, Expectation(digest="x"))
    trace = Place(cwd).record("x = 1")
    for step in (evil, escape):
        place = Place(cwd)
        assert "step 2" in place.replay(trace, [*trace.steps, step]).surprise
        assert place.calls_begun() == 0
    assert not (cwd.parent / "escaped.txt").exists()


@pytest.mark.parametrize("tool", ["WebSearch", "mcp__other__tool", "Bash", "nonsense"])
def test_a_tool_that_cannot_be_repeated_is_a_surprise_before_anything_runs(tool: str, cwd: Path) -> None:
    trace = Place(cwd).record("x = 1")
    place = Place(cwd)
    done = place.replay(trace, [*trace.steps, Step(tool, {})])
    assert tool in done.surprise and place.calls_begun() == 0


def test_a_trace_without_a_step_to_repeat_shows_no_answer(cwd: Path) -> None:
    trace = Trace(goal="g", steps=[Step("run_cell", {"code": "1"}, Expectation(replay=False))], answer="forty-two")
    done = Place(cwd).replay(trace)
    assert done.surprise and done.answer == ""


def test_a_step_that_used_to_fail_and_now_works_is_a_surprise(cwd: Path) -> None:
    trace = Place(cwd).record("x = 1\nint(open('data.csv').read())", "y = 2")
    (cwd / "data.csv").write_text("5")
    place = Place(cwd)
    assert "succeeded where it failed" in place.replay(trace).surprise
    assert place.names == {}


# ---------------------------------------------------------------- steps that failed when recorded


def test_failed_steps_without_effects_are_skipped(cwd: Path) -> None:
    trace = Place(cwd).record("1 / 0", "undefined", "x = 1")
    assert [step.expect.replay for step in trace.steps] == [False, False, True]
    place = Place(cwd)
    assert place.replay(trace) == Replay(answer="The recorded answer.", basis="recorded")
    assert place.calls_begun() == 1


def test_failed_steps_with_effects_are_replayed_and_must_fail_the_same_way(cwd: Path) -> None:
    trace = Place(cwd).record("x = 1\n{}[open('data.csv').read(1)]", "y = x + 1")
    place = Place(cwd)
    assert place.replay(trace) == Replay(answer="The recorded answer.", basis="recorded")
    assert (place.names["x"], place.names["y"]) == (1, 2)

    (cwd / "data.csv").unlink()
    (cwd / "data.csv").mkdir()  # another error, same place
    place = Place(cwd)
    assert "IsADirectoryError instead of KeyError" in place.replay(trace).surprise
    assert place.names == {}


def test_denied_calls_are_never_replayed(cwd: Path) -> None:
    trace = Place(cwd).record(("write_file", {"path": "../x", "content": ""}), "x = 1")
    assert [step.expect.replay for step in trace.steps] == [False, True]
    assert Place(cwd).replay(trace).answer == "The recorded answer."


# ---------------------------------------------------------------- what nobody could verify


def test_a_trace_whose_steps_have_no_digest_never_shows_its_prose(cwd: Path) -> None:
    recorded = Place(cwd).record("x = 1", "print(x)", answer="x is 1")
    blind = [dataclasses.replace(s, expect=dataclasses.replace(s.expect, digest="")) for s in recorded.steps]
    done = Place(cwd).replay(recorded, blind)
    assert done.stale and "x is 1" not in done.answer


def test_what_a_hand_written_expectation_says_is_verified(cwd: Path) -> None:
    def hand_written(**expect: Any) -> str:
        step = Step("run_cell", {"code": "qc = [1]\nprint('x')"}, Expectation(**expect))
        return Place(cwd).replay(Trace(goal="g", steps=[step], answer="a")).surprise

    assert hand_written() == ""
    assert hand_written(defines={"qc": "list"}, outputs=("stream",)) == ""
    assert "of type list instead of tuple" in hand_written(defines={"qc": "tuple"})
    assert "stream instead of image/png" in hand_written(outputs=("image/png",))
    assert "instead of out.csv" in hand_written(files=("out.csv",))


# ---------------------------------------------------------------- interruption


def test_an_interrupt_inside_a_step_puts_everything_back(cwd: Path) -> None:
    place = Place(cwd, log=[0], trap=lambda: None)
    trace = place.record("log.append(1)\nx = 1\nopen('out.txt', 'w').close()", "trap()\ny = 2")
    (cwd / "out.txt").unlink()

    def trap() -> None:
        raise KeyboardInterrupt

    place = Place(cwd, log=[0], trap=trap)
    done = place.replay(trace)
    assert done.stopped and done.surprise == "interrupted"
    assert place.names == {"log": [0], "trap": trap}
    assert not (cwd / "out.txt").exists()


@pytest.mark.parametrize(
    "step",
    [
        "import asyncio\nz = 1\nawait asyncio.sleep(pause)",
        ("run_shell", {"command": "echo x > z; sleep $(cat pause)"}),
    ],
)
def test_cancellation_puts_everything_back(step: Asked, cwd: Path) -> None:
    (cwd / "pause").write_text("0")
    trace = Place(cwd, log=[0], pause=0).record("log.append(1)\nopen('out.txt', 'w').close()", step)
    (cwd / "out.txt").unlink()
    (cwd / "z").unlink(missing_ok=True)
    (cwd / "pause").write_text("30")
    place = Place(cwd, log=[0], pause=30)
    files = everything(cwd)

    async def work() -> None:
        task = asyncio.create_task(replay(trace, trace.steps, place.make_bench()))
        while place.calls_begun() < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert (cwd / "out.txt").exists()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert place.names == {"log": [0], "pause": 30}
    assert everything(cwd) == files


@pytest.mark.parametrize(
    "step", ["import time\ntime.sleep(pause)\ny = 1", ("run_shell", {"command": "sleep $(cat pause)"})]
)
def test_a_stop_from_another_thread_ends_the_step_and_puts_everything_back(step: Asked, cwd: Path) -> None:
    (cwd / "pause").write_text("0")
    trace = Place(cwd, pause=0).record("x = 1", step, "z = 3")
    (cwd / "pause").write_text("30")
    place = Place(cwd, pause=30)
    started = time.monotonic()

    def stop() -> None:
        while place.calls_begun() < 2:
            time.sleep(0.01)
        time.sleep(0.05)
        assert place.bench is not None
        place.bench.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    done = place.replay(trace)
    stopper.join()
    assert done.stopped and time.monotonic() - started < 20
    assert place.names == {"pause": 30}


def test_a_stop_between_steps_is_seen(cwd: Path) -> None:
    place = Place(cwd, halt=lambda: None)
    trace = place.record("x = 1\nhalt()", "y = 2")
    place = Place(cwd)
    place.space.names["halt"] = lambda: place.bench.stopping.set()  # type: ignore[union-attr]
    done = place.replay(trace)
    assert done.stopped and "x" not in place.names and "y" not in place.names
