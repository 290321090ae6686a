"""Packs: what is looked at before one is used, and what its tools are kept to whatever they do."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import threading
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.cortex.scripted import load_scripts, pack_scripts
from llmos_nb.errors import AgentFileError, PackError
from llmos_nb.guard import Verdict
from llmos_nb.kernel.whose import persons_only
from llmos_nb.mind import AgentRegistry
from llmos_nb.system import LLMOS
from llmos_nb.tools import Output, Pack, Tool, ToolContext, ToolResult, packs
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.pack_agents import pack_agents, pack_agents_of
from llmos_nb.tools.pack_check import pack_problem, tool_problem
from llmos_nb.tools.packs import installed_packs
from llmos_nb.tools.registry import KERNEL_TOOLS, TOOLS
from llmos_nb.tools.workbench import Call, Workbench

#: The module, whose name the function has in its package.
packs_module: Any = sys.modules[installed_packs.__module__]

NUMBERS = {"type": "object", "properties": {"n": {"type": "integer"}}}
PATHS = {"type": "object", "properties": {"path": {"type": "string", "format": "path"}}, "required": ["path"]}


async def quiet(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    return ToolResult(text="done")


def allowed(context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
    return Verdict("allow", "fine", "fine")


def tool(name: str = "act", run: Any = quiet, **more: Any) -> Tool:
    fields: dict[str, Any] = {"description": "Does it.", "schema": NUMBERS, "main": "", "check": allowed, **more}
    return Tool(name=name, run=run, **fields)


def pack(*tools: Tool, name: str = "field", **more: Any) -> Pack:
    return Pack(name=name, description="A field.", tools=tools, **more)


class Installed:
    """Entry points as if these packs were installed: each the value of a module's constant."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def __call__(self, **values: Any) -> None:
        points = []
        for name, value in values.items():
            point = metadata.EntryPoint(name, f"made_{name}:PACK", "llmos_nb.tools")
            module = type(sys)(f"made_{name}")
            module.PACK = value  # type: ignore[attr-defined]
            self._patch.setitem(sys.modules, f"made_{name}", module)
            points.append(point)
        self._patch.setattr(packs_module.metadata, "entry_points", lambda group: points)
        installed_packs(anew=True)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    with monkeypatch.context() as patch:
        yield Installed(patch)
    installed_packs(anew=True)


def call(name: str, arguments: dict[str, Any], folder: Path, bench: Workbench | None = None, **options: Any) -> Call:
    async def work() -> Call:
        made = bench or Workbench(
            "r", namespace=options.pop("namespace", PlainNamespace()), workspace=folder / "workspace", cwd=folder,
            grant=options.pop("grant", (name,)), publish=lambda event: None, **options,
        )  # fmt: skip
        calls.append(made)
        return await made.call(name, arguments)

    calls: list[Workbench] = []
    made = asyncio.run(work())
    benches[:] = calls
    return made


benches: list[Workbench] = []


# ---------------------------------------------------------------- what is looked at


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"name": "x"}, "is no Pack but a dict"),
        (Pack, "is no Pack but the class Pack"),
        (None, "is no Pack but a NoneType"),
        (Pack(name="Bad Name", description="d"), "cannot be a pack's name"),
        (Pack(name="", description="d"), "cannot be a pack's name"),
        (Pack(name="taken", description="d"), "another pack is called"),
        (Pack(name="fine", description=""), "description"),
        (Pack(name="fine", description="d", tools={"a": 1}), "its tools are a dict"),  # type: ignore[arg-type]
        (Pack(name="fine", description="d", folder=Path("/nowhere/at/all")), "is no folder"),
        (Pack(name="fine", description="d", folder="here"), "is no folder"),  # type: ignore[arg-type]
        (Pack(name="fine", description="d", requires={"x": "a; rm -rf /"}), "requires"),
        (Pack(name="fine", description="d", requires={"not a module": "x"}), "requires"),
        (Pack(name="fine", description="d", requires=["x"]), "requires"),  # type: ignore[arg-type]
        (Pack(name="fine", description="d", unreadable="x"), "its unreadable is"),  # type: ignore[arg-type]
        (Pack(name="fine", description="d", loaders={"read it": print}), "loaders"),
        (Pack(name="fine", description="d", loaders={"read": "x"}), "loaders"),  # type: ignore[dict-item]
    ],
)
def test_what_is_no_pack_is_told_with_a_remedy(value: Any, said: str) -> None:
    what, remedy = pack_problem(value, ["taken"])
    assert said in what and remedy


def test_a_pack_without_fault() -> None:
    assert pack_problem(Pack(name="fine", description="d", requires={"a.b": "x[y]>=2"})) == ("", "")
    assert tool_problem(tool(), {}) == ("", "")
    assert tool_problem(tool(schema={"type": "object", "properties": {}}), {}) == ("", "")


class Callable_:
    async def __call__(self, context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(text="")


def not_async(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    return ToolResult(text="")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Act"}, "cannot be a tool's name"),
        ({"name": "crystal_x"}, "cannot be a tool's name"),
        ({"name": "mcp__x"}, "cannot be a tool's name"),
        ({"name": "run_cell"}, "the kernel has one of that name"),
        ({"name": 5}, "cannot be a tool's name"),
        ({"description": " "}, "no description"),
        ({"description": "x" * 5000}, "no description"),
        ({"schema": None}, "its schema must be"),
        ({"schema": {"type": "object"}}, "its schema must be"),
        ({"schema": {"type": "object", "properties": {"a": {"type": "text"}}}}, "is no type"),
        ({"schema": {"type": "object", "properties": {"a": 5}}}, "must be a schema"),
        ({"schema": {"type": "object", "properties": {"a b": {"type": "string"}}}}, "cannot be a name"),
        ({"schema": {**NUMBERS, "required": ["m"]}}, "required"),
        ({"schema": {"type": "object", "properties": {"a": {"type": "string", "x": {1}}}}}, "no JSON"),
        ({"schema": {"type": "object", "properties": {"a": {"type": "number", "minimum": float("nan")}}}}, "no JSON"),
        ({"schema": {"type": "object", "properties": {"a": {"type": "integer", "format": "path"}}}}, "are paths"),
        ({"main": "m"}, "main names no argument"),
        ({"run": not_async}, "no async function"),
        ({"run": None}, "no async function"),
        ({"check": "no"}, "check cannot be called"),
        ({"changes": "no"}, "must be bool"),
    ],
)
def test_what_is_wrong_with_a_tool_is_told(changes: dict[str, Any], said: str) -> None:
    what, remedy = tool_problem(dataclasses.replace(tool(), **changes), dict.fromkeys(KERNEL_TOOLS, "the kernel"))
    assert said in what and remedy


def test_what_is_no_tool_is_told_and_callables_are_tools() -> None:
    assert "a str" in tool_problem("act", {})[0]
    assert tool_problem(tool(run=Callable_()), {}) == ("", "")


def test_good_packs_are_used_beside_bad_ones_and_the_first_has_the_name(installed: Installed) -> None:
    installed(
        a=pack(tool("one"), tool("run_cell"), name="first"),
        b=pack(tool("one"), tool("two"), name="second"),
        c=pack(name="first"),
        d="no pack",
    )
    found = installed_packs()
    assert [one.pack.name for one in found.packs] == ["first", "second"] == [one.name for one in packs()]
    assert list(found.tools) == ["one", "two"] and len(found.problems) == 4
    assert list(TOOLS) == [*KERNEL_TOOLS, "one", "two"] and len(TOOLS) == len(KERNEL_TOOLS) + 2
    assert TOOLS["run_cell"] is KERNEL_TOOLS["run_cell"] and TOOLS.get("three") is None
    with pytest.raises(KeyError):
        TOOLS["three"]


def test_a_pack_that_asks_for_tools_while_it_is_imported_gets_the_kernels(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "asking_pack.py").write_text(
        "from llmos_nb.tools import Pack\nfrom llmos_nb.tools.registry import TOOLS\n"
        "PACK = Pack(name='asking', description=f'{len(TOOLS)} tools')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(packs_module, "_known", None)
    point = metadata.EntryPoint("asking", "asking_pack:PACK", "llmos_nb.tools")
    monkeypatch.setattr(packs_module.metadata, "entry_points", lambda group: [point])
    assert [one.pack.description for one in installed_packs(anew=True).packs] == [f"{len(KERNEL_TOOLS)} tools"]


def test_packs_are_looked_for_once_by_many_threads(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(packs_module.metadata, "entry_points", lambda group: looks.append(1) or [])
    monkeypatch.setattr(packs_module, "_known", None)
    threads = [threading.Thread(target=lambda: "Bash" in TOOLS) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert looks == [1]


# ---------------------------------------------------------------- what its tools are kept to


def test_a_tool_works_and_what_it_did_is_seen(installed: Installed, tmp_path: Path) -> None:
    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        print("working")
        context.namespace.names["answer"] = arguments["n"]
        Path("note.txt").write_text("x")
        (context.cwd / "here.txt").write_text("x")
        return ToolResult(text="the answer", defines={"nothing": "int"})

    installed(a=pack(tool(run=run)))
    space = PlainNamespace()
    made = call("act", {"n": 42}, tmp_path, namespace=space, in_folder=True)
    assert made.result is not None and made.result.text == "the answer" and not made.result.error
    assert made.result.defines == {"answer": "int"} and made.result.files == ("here.txt", "note.txt")
    assert [output.text for output in made.result.outputs] == ["working\n"]
    benches[0].undo.put_back(space.names)
    assert "answer" not in space.names and not (tmp_path / "note.txt").exists()


def test_pictures_are_shown_live_once_and_kept_back_in_a_replay(
    installed: Installed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(text="drawn", outputs=(Output("display", {"text/plain": "a picture"}),))

    installed(a=pack(tool(run=run)))
    call("act", {}, tmp_path)
    assert capsys.readouterr().out.count("a picture") == 1

    async def again() -> Call:
        bench = Workbench("r", namespace=PlainNamespace(), workspace=tmp_path / "w", cwd=tmp_path, grant=("act",),
                          publish=lambda event: None)  # fmt: skip
        return await bench.call("act", {}, replayed=True)

    made = asyncio.run(again())
    assert made.result is not None and len(made.result.outputs) == 1 and not capsys.readouterr().out


@pytest.mark.parametrize(
    ("raised", "error"),
    [(ValueError("bad"), "ValueError"), (SystemExit(2), "SystemExit"), (KeyboardInterrupt(), "KeyboardInterrupt")],
)
def test_whatever_a_tool_raises_is_a_failed_step(
    raised: BaseException, error: str, installed: Installed, tmp_path: Path
) -> None:
    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        raise raised

    installed(a=pack(tool(run=run)))
    made = call("act", {}, tmp_path)
    assert made.result is not None and made.result.error == error and made.status == "error"


@pytest.mark.parametrize(
    "given",
    [None, "text", 5, ToolResult(text=5), ToolResult(text="", error=None), ToolResult(text="", outputs=("x",)),
     ToolResult(text="", files=(Path("a"),)), ToolResult(text="", outputs=(Output("display", {}),))],
)  # fmt: skip
def test_what_is_no_result_is_a_failed_step(given: Any, installed: Installed, tmp_path: Path) -> None:
    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        return given  # type: ignore[no-any-return]

    installed(a=pack(tool(run=run)))
    made = call("act", {}, tmp_path)
    assert made.result is not None and made.result.error == "TypeError" and "act returned" in made.result.text


def test_arguments_are_checked_numbers_are_finite_and_within_bounds(installed: Installed, tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "x": {"type": "number", "minimum": 0, "maximum": 1},
            "axes": {"type": "array", "items": {"type": "number"}},
            "mode": {"type": ["string", "null"], "enum": ["fast", None]},
        },
        "required": ["x"],
    }
    installed(a=pack(tool(schema=schema)))
    fine = [{"x": 0.5}, {"x": 1}, {"x": 0, "axes": [1, 2.5]}, {"x": 0, "mode": None}, {"x": 0, "mode": "fast"}]
    bad: list[dict[str, Any]] = [
        {}, {"x": True}, {"x": "1"}, {"x": float("nan")}, {"x": float("inf")}, {"x": 1.1}, {"x": -1}, {"x": None},
        {"x": 0, "axes": ["1"]}, {"x": 0, "axes": [float("inf")]}, {"x": 0, "mode": "slow"}, {"x": 0, "other": 1},
    ]  # fmt: skip
    for arguments in fine:
        assert call("act", arguments, tmp_path).status == "ok", arguments
    for arguments in bad:
        assert call("act", arguments, tmp_path).status == "error", arguments


def test_a_tool_without_a_check_that_can_change_something_is_asked_about(
    installed: Installed, tmp_path: Path
) -> None:
    installed(a=pack(tool("changer", check=None), tool("looker", check=None, changes=False)))
    made = call("changer", {}, tmp_path)
    assert made.status == "denied" and "brings no check" in made.verdict.reason
    assert call("looker", {}, tmp_path).status == "ok"
    assert call("changer", {}, tmp_path, ask=lambda verdict: True).status == "ok"
    assert call("changer", {}, tmp_path, grant=("looker",)).verdict.rule == "not-granted"


@pytest.mark.parametrize("path", ["../out.txt", "/etc/x", "~/.bashrc", "workspace/agents/a.md", "a\0b", "", 5])
def test_paths_are_judged_by_the_guard_whatever_the_check_says(
    path: Any, installed: Installed, tmp_path: Path
) -> None:
    loose = {"type": "object", "properties": {"path": {"type": ["string", "integer"], "format": "path"}}}
    listed = {"type": "object", "properties": {"many": {"type": "array", "items": {"format": "path"}}}}
    folder = tmp_path / "work"
    folder.mkdir()
    installed(a=pack(tool("one", schema=loose), tool("many", schema=listed)))
    assert call("one", {"path": path}, folder).status == "denied"
    assert call("many", {"many": ["fine.txt", path]}, folder).status == "denied"
    assert call("one", {"path": "fine.txt"}, folder).status == "ok"


def test_what_is_read_may_lie_elsewhere_but_secrets(installed: Installed, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"source": {"type": "string", "format": "input-path"}}}
    installed(a=pack(tool(schema=schema)))
    assert call("act", {"source": "/usr/share/dict/words"}, tmp_path).status == "ok"
    assert call("act", {"source": "~/.ssh/id_rsa"}, tmp_path).status == "denied"


def test_a_check_can_forbid_and_do_nothing_else(installed: Installed, tmp_path: Path) -> None:
    def loose(context: ToolContext, arguments: Any) -> Verdict:
        arguments["path"] = "fine.txt"
        return Verdict("allow", "x", "x")

    def rubbish(context: ToolContext, arguments: Any) -> Any:
        return True

    def broken(context: ToolContext, arguments: Any) -> Verdict:
        raise RuntimeError("no")

    def grabbing(context: ToolContext, arguments: Any) -> Verdict:
        persons_only("approve anything")
        return Verdict("allow", "x", "x")

    checks = {"loose": loose, "rubbish": rubbish, "broken": broken, "grabbing": grabbing}
    installed(a=pack(*(tool(name, check=check, schema=PATHS) for name, check in checks.items())))
    for name in checks:
        assert call(name, {"path": "../out.txt"}, tmp_path).status == "denied", name
    assert [call(name, {"path": "a.txt"}, tmp_path).status for name in checks] == ["ok", *["denied"] * 3]


def test_a_tool_writes_nowhere_but_in_its_folder_and_says_so(installed: Installed, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    home = Path("/var/not-yours.txt")  # what is below /tmp counts as temporary
    (folder / "workspace" / "agents").mkdir(parents=True)
    (folder / "workspace" / ".llmos").mkdir()
    places = ["inside.txt", "workspace/agents/x.md", "workspace/.llmos/state.db", "workspace/llmos.toml", str(home)]

    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        (context.cwd / places[arguments["n"]]).write_text("x")
        return ToolResult(text="done")

    installed(a=pack(tool(run=run)))
    found = [call("act", {"n": n}, folder).result for n in range(len(places))]
    assert [one.error for one in found if one] == ["", *["PermissionError"] * 4]
    assert not home.exists() and not (folder / places[1]).exists() and not (folder / places[2]).exists()


def test_a_tool_that_says_it_changes_nothing_cannot(installed: Installed, tmp_path: Path) -> None:
    async def write(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        (context.cwd / "a.txt").write_text("x")
        return ToolResult(text="done")

    async def bind(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        context.namespace.names["x"] = 1
        return ToolResult(text="done")

    async def cell(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        await context.namespace.run_cell("x = 1")
        return ToolResult(text="done")

    tools = [tool(name, run=run, changes=False) for name, run in (("write", write), ("bind", bind), ("cell", cell))]
    installed(a=pack(*tools))
    space = PlainNamespace()
    found = [call(name, {}, tmp_path, namespace=space) for name in ("write", "bind", "cell")]
    assert [made.result.error for made in found if made.result] == ["PermissionError", "TypeError", "GuardDenied"]
    assert not (tmp_path / "a.txt").exists() and "x" not in space.names


def test_the_cells_that_a_tool_runs_are_judged(installed: Installed, tmp_path: Path) -> None:
    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        await context.namespace.run_cell(["x = 1", "import os; os.system('rm -rf ~')"][arguments["n"]])
        return ToolResult(text="done")

    installed(a=pack(tool(run=run)))
    fine, bad = (call("act", {"n": n}, tmp_path) for n in (0, 1))
    assert fine.result is not None and fine.result.defines == {"x": "int"}
    assert bad.result is not None and bad.result.error == "GuardDenied"


def test_a_tools_code_is_an_agents_and_decides_nothing(installed: Installed, tmp_path: Path) -> None:
    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        AgentRegistry(context.workspace / "agents").create("helper", "d", ["run_cell"], "p")
        return ToolResult(text="done")

    installed(a=pack(tool(run=run)))
    made = call("act", {}, tmp_path)
    assert made.result is not None and made.result.error == "AgentFileError"
    assert not (tmp_path / "workspace" / "agents").exists()


def test_a_missing_module_is_told_before_anything_runs(installed: Installed, tmp_path: Path) -> None:
    began: list[int] = []

    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        began.append(1)
        return ToolResult(text="done")

    installed(a=pack(tool(run=run), requires={"not_there_at_all": "some-pack[all]", "json": "x"}))
    made = call("act", {}, tmp_path)
    assert made.status == "denied" and not began
    assert "needs not_there_at_all" in made.verdict.reason and "pip install 'some-pack[all]'" in made.verdict.reason


def test_a_blocking_tool_is_stopped(installed: Installed, tmp_path: Path) -> None:
    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        await asyncio.sleep(0)
        began.set()
        while True:
            pass

    began = threading.Event()
    installed(a=pack(tool(run=run)))

    async def stopped() -> Call:
        bench = Workbench("r", namespace=PlainNamespace(), workspace=tmp_path / "w", cwd=tmp_path, grant=("act",),
                          publish=lambda event: None)  # fmt: skip

        def stop() -> None:
            began.wait(10)
            bench.stop()

        threading.Thread(target=stop, daemon=True).start()
        return await bench.call("act", {})

    made = asyncio.run(asyncio.wait_for(stopped(), 20))
    assert made.result is not None and made.result.interrupted


def test_what_a_pack_does_to_its_tool_later_changes_nothing(installed: Installed, tmp_path: Path) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"path": {"type": "string", "format": "path"}}}
    mine = tool(schema=schema)
    installed(a=pack(mine))
    schema["properties"]["path"].pop("format")
    object.__setattr__(mine, "changes", False)
    assert call("act", {"path": "../out"}, tmp_path).status == "denied" and TOOLS["act"].changes


# ---------------------------------------------------------------- agents and scripts

AGENT = "---\nname: {name}\ndescription: d\ntools: [{tools}]\n---\nYou are.\n"
SCRIPT = "---\ngoal: {goal}\n---\n## Turn 1\n\n### act\n\n```yaml arguments\nn: 1\n```\n\n## Answer\n\nDone.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("agents", "scripts"):
        (tmp_path / "pack" / kind).mkdir(parents=True)
    return tmp_path / "pack"


def test_agents_of_packs_are_packaged_ones(
    folder: Path, installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "agents" / "actor.md").write_text(AGENT.format(name="actor", tools="act"))
    (folder / "agents" / "coder.md").write_text(AGENT.format(name="coder", tools="act"))
    (folder / "agents" / "wanting.md").write_text(AGENT.format(name="wanting", tools="no_such_tool"))
    (folder / "agents" / "broken.md").write_text("---\nname: [\n---\n")
    installed(a=pack(tool(), folder=folder))
    assert list(pack_agents()) == ["actor"]
    problems = [str(problem) for problem in pack_agents_of(installed_packs())[1]]
    assert len(problems) == 3 and any("the kernel has one" in one for one in problems)
    monkeypatch.chdir(tmp_path)
    with LLMOS(workspace=tmp_path / "workspace", endpoint="scripted") as system:
        assert (
            system.agent("actor").tools == ("act",)
            and system.agents.get("coder").path != folder / "agents" / "coder.md"
        )
        system.agents.modify("actor", "description", "mine")
        assert system.agent("actor").description == "mine"
        assert [version.action for version in system.agents.history("actor")] == ["packaged", "changed"]
        with pytest.raises(AgentFileError, match="looks like"):
            system.agents.create("act0r", "d", [], "p")
        assert [row.name for row in system.packs] == ["field"] and len(system.packs.problems) == 3
        assert list(system.packs.df["name"]) == ["field"] and "actor" in str(system.packs)
        assert "<script" not in system.packs._repr_html_()


def test_a_packs_agent_does_not_begin_without_what_it_needs(
    folder: Path, installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "agents" / "actor.md").write_text(AGENT.format(name="actor", tools="act"))
    installed(a=pack(tool(), folder=folder, requires={"not_there_at_all": "some-pack"}))
    monkeypatch.chdir(tmp_path)
    with LLMOS(workspace=tmp_path / "workspace", endpoint="scripted") as system:
        with pytest.raises(PackError, match=r"not installed.*pip install some-pack"):
            system.run("Do it", agent="actor")
        assert system.packs["field"].missing == "pip install some-pack"
        assert system.agent("generalist")


def test_scripts_of_packs_are_played_and_bad_ones_left_out(folder: Path, installed: Installed) -> None:
    for name, goal in (("act", "Act now"), ("again", "Act now"), ("hello", "Something else"), ("other", "Act later")):
        (folder / "scripts" / f"{name}.md").write_text(SCRIPT.format(goal=goal))
    (folder / "scripts" / "broken.md").write_text("no script")
    (folder / "scripts" / "README.md").write_text("about")
    installed(a=pack(tool(), folder=folder))
    scripts, problems = pack_scripts()
    assert [script.name for script in scripts] == ["act", "other"]
    assert len(problems) == 3  # a goal and a name that are taken, and what is none
    assert {"act", "other"} <= {script.name for script in load_scripts(packs=True)}
    assert "act" not in {script.name for script in load_scripts()}
