"""The data pack's tools on a workbench: each call is a cell, guarded, repeated and exported as one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from llmos_nb.guard import check_python
from llmos_nb.learning.record import recorded_steps
from llmos_nb.memory import Trace
from llmos_nb.memory.export import code_of
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.pack_agents import pack_agents
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Call, Workbench

DATA_TOOLS = ["read_table", "profile_table", "clean_table", "join_tables", "plot_table", "write_table"]
Do = Callable[..., Call]


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "a.csv").write_text("id;v\n1;1,5\n2;x\n2;x\n", encoding="utf-8")
    (folder / "b.csv").write_text("id,w\n1,5\n3,6\n", encoding="utf-8")
    return folder


@pytest.fixture
def space() -> PlainNamespace:
    return PlainNamespace()


@pytest.fixture
def bench_calls() -> list[Call]:
    return []


@pytest.fixture
def do(cwd: Path, space: PlainNamespace, bench_calls: list[Call]) -> Do:
    def done(tool: str, _grant: Any = DATA_TOOLS, **arguments: Any) -> Call:
        async def work() -> Call:
            bench = Workbench(
                "run-1", workspace=cwd / "workspace", cwd=cwd, publish=lambda _: None, namespace=space, grant=_grant
            )
            return await bench.call(tool, arguments)

        call = asyncio.run(work())
        bench_calls.append(call)
        return call

    return done


def test_tables_by_name_from_file_to_file(do: Do, space: PlainNamespace, cwd: Path) -> None:
    read = do("read_table", path="a.csv", into="sales")
    assert read.result is not None and "separator semicolon" in read.result.text and read.result.reads == ("a.csv",)
    assert read.result.columns == {"sales": ("id", "v")} and read.result.defines == {"sales": "DataFrame"}
    seen = do("profile_table", table="sales").result
    assert seen is not None and "1 row is an exact copy" in seen.text and not seen.defines
    assert {mime for output in seen.outputs for mime in output.data} >= {"text/plain"}
    cleaned = do("clean_table", table="sales", into="tidy", force=["v"]).result
    assert cleaned is not None and "2 of 3 rows kept" in cleaned.text
    assert set(cleaned.defines) == {"tidy", "tidy_report"}
    do("read_table", path="b.csv", into="other")
    joined = do("join_tables", left="tidy", right="other", into="both", on=["id"], how="outer").result
    assert joined is not None and "matched nothing" in joined.text and len(space.names["both"]) == 3
    drawn = do("plot_table", table="both", x="id", y="w", kind="scatter").result
    assert drawn is not None and "scatter of w and id" in drawn.text
    written = do("write_table", table="both", path="out/both.csv").result
    assert written is not None and written.files == ("out/both.csv",)
    assert pd.read_csv(cwd / "out" / "both.csv").shape == (3, 3)


def test_a_step_is_a_cell_and_its_code_runs_by_itself(do: Do, bench_calls: list[Call], cwd: Path) -> None:
    do("read_table", path="a.csv", into="sales")
    do("clean_table", table="sales", into="tidy")
    do("write_table", table="tidy", path="tidy.csv")
    assert [call.tool for call in bench_calls] == ["run_cell"] * 3
    steps = recorded_steps(bench_calls)
    assert all(step.expect.replay for step in steps)
    code = code_of(Trace(goal="Clean a.csv", steps=steps, status="success"))
    assert code.count("from llmos_nb.domains import data as _data") == 1
    before = (cwd / "tidy.csv").read_bytes()
    (cwd / "tidy.csv").unlink()
    exec(compile(code, "code", "exec"), {"display": print})
    assert (cwd / "tidy.csv").read_bytes() == before


@pytest.mark.parametrize("tool", DATA_TOOLS)
def test_only_who_is_granted_a_tool_has_it_and_nothing_more(do: Do, tool: str) -> None:
    arguments = {"path": "a.csv", "into": "x"} if tool == "read_table" else {"table": "x"}
    arguments |= {"path": "y.csv"} if tool == "write_table" else {}
    arguments = {"left": "x", "right": "x", "into": "y"} if tool == "join_tables" else arguments
    assert do(tool, ("inspect", "run_cell"), **arguments).verdict.rule == "not-granted"
    assert do("run_cell", (tool,), code="1").verdict.rule == "not-granted"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("read_table", {"path": "~/.ssh/id_rsa", "into": "x"}),
        ("write_table", {"table": "x", "path": "/etc/x.csv"}),
        ("write_table", {"table": "x", "path": "../x.csv"}),
        ("write_table", {"table": "x", "path": "workspace/.llmos/state.csv"}),
        ("write_table", {"table": "x", "path": "workspace/agents/x.csv"}),
    ],
)
def test_files_are_confined(do: Do, space: PlainNamespace, tool: str, arguments: dict[str, Any]) -> None:
    space.names["x"] = pd.DataFrame({"a": [1]})
    assert do(tool, **arguments).status == "denied"


def test_a_cell_that_calls_the_functions_is_confined_as_well(cwd: Path) -> None:
    begin = "from llmos_nb.domains import data\nimport pandas as pd\nt = pd.DataFrame({'a': [1]})\n"
    for line in ("data.write_table(t, '/etc/x.csv')", "data.read_table('~/.ssh/id_rsa')"):
        verdict = check_python(begin + line, cwd=cwd, workspace=cwd / "workspace")
        assert verdict.decision != "allow", line
    hidden = begin + "p = 'workspace/.llm' + 'os/x.csv'\ndata.write_table(t, p)"

    async def work() -> Call:
        names, home = PlainNamespace(), cwd / "workspace"
        bench = Workbench(
            "run-1", workspace=home, cwd=cwd, publish=lambda _: None, namespace=names, grant=("run_cell",)
        )
        return await bench.call("run_cell", {"code": hidden})

    (cwd / "workspace" / ".llmos").mkdir(parents=True)
    done = asyncio.run(work())
    assert done.status != "ok" and not list((cwd / "workspace" / ".llmos").iterdir())


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("read_table", {"path": "gone.csv", "into": "x"}, "there is no such file"),
        ("read_table", {"path": "a.csv", "into": "import"}, "cannot be the name of a variable"),
        ("read_table", {"path": "a.csv", "into": "x; import os"}, "cannot be the name of a variable"),
        ("read_table", {"path": "a.csv", "into": "_x"}, "cannot be the name of a variable"),
        ("read_table", {"path": "a.csv"}, "needs the argument 'into'"),
        ("profile_table", {"table": "nothing"}, "NameError"),
        ("profile_table", {"table": "pd"}, "NameError"),
        ("plot_table", {"table": "a", "kind": "pie"}, "must be one of"),
        ("clean_table", {"table": "a", "steps": ["tidy"]}, "NameError"),
    ],
)
def test_wrong_calls_are_errors_that_say_what_to_do(do: Do, tool: str, arguments: dict[str, Any], said: str) -> None:
    call = do(tool, **arguments)
    assert call.result is not None and call.result.error and said in call.result.text


def test_a_database_is_left_as_it_was(do: Do, cwd: Path) -> None:
    with sqlite3.connect(cwd / "a.db") as made:
        made.execute("create table t (a)")
        made.execute("insert into t values (1)")
    made.close()
    before = (cwd / "a.db").read_bytes()
    call = do("read_table", path="a.db", into="x", table="t")
    assert call.result is not None and call.result.files == () and call.result.reads == ("a.db",)
    assert do("write_table", table="x", path="a.db").status == "error" and (cwd / "a.db").read_bytes() == before


def test_the_users_own_names_stay(do: Do, space: PlainNamespace) -> None:
    space.names.update(plot=1, clean=2, profile=3, data=4)
    do("read_table", path="a.csv", into="sales")
    do("profile_table", table="sales")
    assert [space.names[name] for name in ("plot", "clean", "profile", "data")] == [1, 2, 3, 4]


def test_the_packs_agent_has_these_tools() -> None:
    agent = pack_agents()["data-analyst"]
    assert set(DATA_TOOLS) <= set(agent.tools) <= set(TOOLS)
