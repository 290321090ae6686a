"""The magics in a real IPython shell: what they call, what they show, and errors a person can read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import ExecutionResult

from llmos_nb.dispatch.decide import Decision
from llmos_nb.dispatch.result import RunResult
from llmos_nb.errors import LlmosError, RunFailed, SettingsError, UnknownAgent, UnknownTrace
from llmos_nb.learning.record import recorded_steps
from llmos_nb.memory import Trace
from llmos_nb.notebook.arguments import OPTIONS
from llmos_nb.notebook.extension import awaited
from llmos_nb.notebook.views import Page, Table
from llmos_nb.system import LLMOS
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

GOAL = "Say hello to the world"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell(place: Path, ipython: Any) -> Iterator[Any]:
    """A shell with the extension, on a workspace that knows one goal."""
    record(GOAL, "greeting = 'hello'\nprint(greeting)")
    ipython.run_line_magic("load_ext", "llmos_nb")
    yield ipython
    ipython.run_line_magic("unload_ext", "llmos_nb")


def record(goal: str, code: str) -> None:
    async def work() -> list[Any]:
        bench = Workbench(
            "r", namespace=PlainNamespace(), workspace=Path("workspace"), cwd=Path.cwd(), grant=tuple(TOOLS),
            publish=lambda event: None,
        )  # fmt: skip
        await bench.call("run_cell", {"code": code})
        return bench.calls

    steps = recorded_steps(asyncio.run(work()))
    with LLMOS("workspace") as system:
        system.traces.add(Trace(goal=goal, steps=steps, answer="It **said** hello.", agent="generalist"))


def run(shell: Any, cell: str) -> Any:
    """Run a cell as a person does; returns the value of its last expression."""
    done: ExecutionResult = shell.run_cell(cell, store_history=False)
    done.raise_error()
    return done.result


def refused(shell: Any, cell: str, error: type[LlmosError]) -> LlmosError:
    done = shell.run_cell(cell, store_history=False)
    raised = done.error_in_exec or done.error_before_exec
    assert isinstance(raised, error), raised
    return raised


# ---------------------------------------------------------------- goals


def test_a_cell_is_a_goal_and_works_among_the_users_names(shell: Any) -> None:
    result = run(shell, f"%%llmos --mode follower\n{GOAL}")
    assert isinstance(result, RunResult) and result.ok and result.mode == "follower"
    assert shell.user_ns["greeting"] == "hello"


@pytest.mark.parametrize(
    "cell",
    [
        f"result = %llmos --mode follower {GOAL}",
        f"for _ in range(2):\n    result = %llmos --mode follower {GOAL}",
        f"if True:\n    %llmos --mode follower --out result {GOAL}",
        f"%%llmos --out result --mode=follower\n{GOAL}\n",
        f"result = await llmos.execute({GOAL!r}, mode='follower')",
        f"result = llmos.run({GOAL!r}, mode='follower')",
    ],
)
def test_a_goal_can_be_given_in_every_way(cell: str, shell: Any) -> None:
    run(shell, cell)
    assert shell.user_ns["result"].ok


def test_inside_a_plain_function_it_is_a_syntax_error(shell: Any) -> None:
    done = shell.run_cell("def f():\n    %llmos hello", store_history=False)
    assert isinstance(done.error_before_exec or done.error_in_exec, SyntaxError)


def test_braces_and_dollars_of_a_goal_are_kept(shell: Any) -> None:
    shell.user_ns["x"] = 1
    error = refused(shell, "%%llmos --mode follower\nuse {x} and $x", RunFailed)
    assert isinstance(error, RunFailed) and error.status == "failed"
    assert shell.user_ns["llmos"].explain("use {x} and $x").mode == "learner"


def test_a_line_and_a_cell_make_one_goal(shell: Any) -> None:
    assert run(shell, "%%llmos --mode follower Say hello\nto the world").ok


def test_explain_says_what_would_be_done(shell: Any) -> None:
    decision = run(shell, f"%llmos --explain {GOAL}")
    assert isinstance(decision, Decision) and decision.mode == "follower"
    assert "greeting" not in shell.user_ns


def test_a_goal_that_failed_shows_why_and_raises_a_real_error(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(shell, "%%llmos --mode follower\nsomething unknown", RunFailed)
    captured = capsys.readouterr()
    assert "llmos · failed · free" in captured.out and "No trace can be replayed" in captured.out
    assert isinstance(error, RunFailed) and error.run_id and error.remedy


@pytest.mark.parametrize(
    ("cell", "error", "words"),
    [
        ("%%llmos --mood follower\nx", SettingsError, "Did you mean --mode?"),
        ("%%llmos --mode folower\nx", LlmosError, "Did you mean 'follower'?"),
        ("%%llmos --budget much\nx", SettingsError, "'much' is not an amount"),
        ("%%llmos --budget -1\nx", SettingsError, "US dollars"),
        ("%%llmos --out 1x\nx", SettingsError, "not a variable's name"),
        ("%%llmos --out class\nx", SettingsError, "not a variable's name"),
        ("%%llmos --agent generalst\nx", UnknownAgent, "generalist"),
        ("%%llmos\n  ", LlmosError, "empty"),
        ("%llmos", LlmosError, "empty"),
    ],
)
def test_mistakes_are_told_in_two_lines(
    cell: str, error: type[LlmosError], words: str, shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    raised = refused(shell, cell, error)
    assert words in str(raised)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", "".join(capsys.readouterr()))
    assert "Traceback" not in shown
    assert len(shown.strip().splitlines()) <= 2 and shown.strip().startswith(type(raised).__name__)


def test_awaiting_is_added_once_and_only_to_goals() -> None:
    cell = "get_ipython().run_cell_magic('llmos', '', 'x')\n"
    line = "x = get_ipython().run_line_magic('llmos', 'y')\n"
    other = "get_ipython().run_line_magic('time', 'llmos')\nget_ipython().run_line_magic('llmos_other', '')\n"
    assert awaited([cell]) == [f"await {cell}"]
    assert awaited([line]) == ["x = await get_ipython().run_line_magic('llmos', 'y')\n"]
    assert awaited(awaited([line])) == awaited([line])
    assert awaited([other]) == [other] and awaited([]) == []


def test_the_help_names_every_option(shell: Any) -> None:
    help = shell.magics_manager.magics["cell"]["llmos"].__doc__
    assert all(f"--{option.name}" in help and option.help in help for option in OPTIONS)


def test_options_and_their_values_are_completed(shell: Any) -> None:
    class Typed:
        def __init__(self, line: str) -> None:
            self.line = line

    magics = shell.magics_manager.registry["LlmosMagics"]
    assert "--agent" in magics._complete(shell, Typed("%%llmos --"))
    assert "generalist" in magics._complete(shell, Typed("%%llmos --agent "))
    assert "generalist" in magics._complete(shell, Typed("%%llmos --agent gen"))
    assert "follower" in magics._complete(shell, Typed("%%llmos --mode f"))


# ---------------------------------------------------------------- agents, budget, traces


def test_agents_are_listed_and_shown(shell: Any) -> None:
    table = run(shell, "%agents")
    assert isinstance(table, Table) and "generalist" in [row[0] for row in table.rows]
    assert str(run(shell, "%agents list")) == str(table)
    page = run(shell, "%agents show generalist")
    assert isinstance(page, Page) and "name: generalist" in page.text
    assert "generalist" in str(refused(shell, "%agents show generalst", UnknownAgent))
    for wrong in ("%agents show", "%agents frobnicate", "%agents show a b"):
        assert "%agents show NAME" in str(refused(shell, wrong, SettingsError))


def test_the_budget_is_shown_and_set(shell: Any) -> None:
    def cells(table: Table) -> dict[str, tuple[str, ...]]:
        return {row[0]: row[1:] for row in table.rows}

    before = cells(run(shell, "%budget"))
    assert before["workspace"] == ("$10.0000", "$0.0000") and before["one goal"][0] == "$0.5000"
    assert before["day"][0] == "no limit"
    assert cells(run(shell, "%budget set 20"))["workspace"][0] == "$20.0000"
    assert cells(run(shell, "%budget set $2.50"))["workspace"][0] == "$2.5000"
    limited = cells(run(shell, "%budget limits day=2 session=1 run=0.2"))
    assert (limited["day"][0], limited["session"][0], limited["one goal"][0]) == ("$2.0000", "$1.0000", "$0.2000")
    lifted = cells(run(shell, "%budget limits day=none"))
    assert lifted["day"][0] == "no limit" and lifted["session"][0] == "$1.0000"
    assert cells(run(shell, "%budget set none"))["workspace"][0] == "no limit"
    assert cells(run(shell, "%budget show")) == cells(run(shell, "%budget"))
    assert "play money" in str(run(shell, "%budget"))


@pytest.mark.parametrize(
    "line",
    ["set", "set much", "set -1", "set nan", "limits", "limits day", "limits year=2", "limits day=x", "frobnicate",
     "set 1 2", "limits run=none", "limits run=-1", "limits day=1 year=2", "limits day=1 session=-1"],
)  # fmt: skip
def test_a_budget_that_is_none_is_refused_and_changes_nothing(line: str, shell: Any) -> None:
    before = str(run(shell, "%budget"))
    assert refused(shell, f"%budget {line}", SettingsError).remedy
    assert str(run(shell, "%budget")) == before


def test_traces_are_listed_and_shown(shell: Any) -> None:
    table = run(shell, "%traces")
    (row,) = table.rows
    assert row[1:5] == (GOAL, "success", "learner", "generalist")
    page = run(shell, f"%trace {row[0]}")
    assert f"# {GOAL}" in page.text and "print(greeting)" in page.text
    assert page.text.startswith("---\nschema: 1\n") and "<pre" in page._repr_html_()
    assert "traces lists" in str(refused(shell, "%trace", SettingsError))
    refused(shell, "%trace nothing", UnknownTrace)
    refused(shell, "%trace ../../etc/passwd", UnknownTrace)


def test_tables_escape_what_they_show(shell: Any) -> None:
    shell.user_ns["llmos"].traces.add(Trace(goal="<script>alert(1)</script>", steps=[], status="failed"))
    page = run(shell, "%traces")._repr_html_()
    assert "<script" not in page and "&lt;script" in page
    assert "nothing" in Table(("a",), (), empty="nothing").__str__()
    assert "<em>" in Table(("a",), (), empty="nothing")._repr_html_()


# ---------------------------------------------------------------- loading


def test_loading_twice_changes_nothing(shell: Any) -> None:
    system, transformers = shell.user_ns["llmos"], list(shell.input_transformers_post)
    shell.run_line_magic("load_ext", "llmos_nb")
    shell.run_line_magic("reload_ext", "llmos_nb")
    assert [t for t in shell.input_transformers_post if t is awaited] == [awaited]
    assert len(shell.input_transformers_post) == len(transformers)
    assert isinstance(shell.user_ns["llmos"], LLMOS) and isinstance(system, LLMOS)
    assert run(shell, f"%llmos --mode follower {GOAL}").ok


def test_unloading_takes_everything_away(shell: Any) -> None:
    assert run(shell, f"%llmos --mode follower {GOAL}").ok
    shell.run_line_magic("unload_ext", "llmos_nb")
    assert "llmos" not in shell.user_ns and awaited not in shell.input_transformers_post
    for name in ("llmos", "agents", "budget", "traces", "trace"):
        assert shell.find_magic(name) is None
    shell.run_line_magic("load_ext", "llmos_nb")
    assert run(shell, f"%llmos --mode follower {GOAL}").ok


def test_a_name_that_is_taken_is_left_alone(place: Path, ipython: Any) -> None:
    ipython.user_ns["llmos"] = "mine"
    ipython.run_line_magic("load_ext", "llmos_nb")
    try:
        assert ipython.user_ns["llmos"] == "mine"
        assert isinstance(run(ipython, "%agents"), Table)
    finally:
        ipython.run_line_magic("unload_ext", "llmos_nb")
    assert ipython.user_ns["llmos"] == "mine"


def test_a_system_that_the_user_made_is_used(place: Path, ipython: Any) -> None:
    record(GOAL, "greeting = 1")
    ipython.user_ns["llmos"] = LLMOS("elsewhere")
    ipython.run_line_magic("load_ext", "llmos_nb")
    try:
        assert run(ipython, "%traces").rows == ()
    finally:
        ipython.run_line_magic("unload_ext", "llmos_nb")


def test_the_systems_name_is_not_the_users(shell: Any) -> None:
    assert "llmos" in shell.user_ns_hidden
