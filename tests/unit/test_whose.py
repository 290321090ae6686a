"""What only a person may decide is refused to agents' code, whichever way the code comes to the call."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from llmos_nb import LLMOS
from llmos_nb.errors import GuardDenied
from llmos_nb.guard import check_python
from llmos_nb.guard.effects import FileEffects, unwatched, watching
from llmos_nb.guard.undo import Undo
from llmos_nb.kernel.whose import agents_code, by_agent, persons_only
from llmos_nb.mind import AgentRegistry
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.services import Services
from llmos_nb.tools.workbench import Call, Workbench

GRANT = ("run_cell", "create_agent", "modify_agent", "list_agents", "reload_agent")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    AgentRegistry("workspace/agents").create("weak", "", [], "Weak.")
    return tmp_path


def bench(folder: Path, namespace: PlainNamespace | None = None) -> Workbench:
    workspace = folder / "workspace"
    return Workbench(
        "run-1", namespace=namespace or PlainNamespace(), workspace=workspace, cwd=folder, grant=GRANT,
        publish=lambda event: None, agent="maker", services=Services(agents=AgentRegistry(workspace / "agents")),
    )  # fmt: skip


def cell(folder: Path, code: str, **names: Any) -> Call:
    namespace = PlainNamespace()
    namespace.names.update(names)

    async def work() -> Call:
        return await bench(folder, namespace).call("run_cell", {"code": code})

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("for f in [system.configure]: f(budget_usd=1000.0)", "change settings"),
        ("for f in [system.configure_from_notebook]: f('agent_changes', 'allow')", "change settings"),
        ("for f in [system.use_endpoint]: f('claude')", "change settings"),
        ("for f in [system.economy.set_limit]: f('workspace', 1000)", "set limits"),
        ("for f in [system.approve]: f()", "approve anything"),
        ("for f in [system.trust]: f('x')", "vouch for a trace"),
        ("for f in [system.crystals.enable]: f('x')", "put a crystal back in use"),
        ("for f in [system.run]: f('Add 2 and 3', agent='coder')", "start goals"),
        ("for f in [system.execute]: await f('Add 2 and 3')", "start goals"),
        ("for f in [system.schedule]: f('Add 2 and 3', every='1 hour')", "schedule goals"),
        ("for f in [system.schedule.resume]: f('x')", "vouch for a scheduled goal"),
        ("for f in [system.plan]: await f('Add 2 and 3')", "start goals"),
        ("for f in [system.agents.restore]: f('weak', 1)", "must not change agents"),
        ("for f in [system.agents.modify]: f('weak', 'tools', ['Bash'])", "must not change agents"),
        ("for f in [system.agents.create]: f('poet', '', ['Bash'], 'x')", "must not change agents"),
        (
            "for m in [__import__('importlib')]:\n"
            "    C = m.import_module('.'.join(['llmos_nb', 'mind', 'changes'])).Change\n"
            "for f in [system.agents.modify]: f('weak', 'tools', ['Bash'], change=C(within=frozenset({'Bash'})))",
            "must not change agents",
        ),
        (
            "import asyncio\nfor f in [system.configure]: await asyncio.to_thread(f, budget_usd=9.0)",
            "change settings",
        ),
        (
            "import asyncio\nasync def later(f):\n    f(budget_usd=9.0)\n"
            "for f in [system.configure]: await asyncio.create_task(later(f))",
            "change settings",
        ),
        (
            "from concurrent.futures import ThreadPoolExecutor\n"
            "for f in [system.configure]: ThreadPoolExecutor(1).submit(f, budget_usd=9.0).result()",
            "change settings",
        ),
    ],
)
def test_what_reading_the_code_does_not_show_is_refused_when_it_is_called(call: str, what: str, folder: Path) -> None:
    with LLMOS("workspace", endpoint="scripted") as system:
        done = cell(folder, call, system=system)
        assert system.settings.budget_usd == 10.0 and system.economy.balance_usd == 10.0
    assert done.result is not None, done.verdict
    assert done.status == "error" and what in done.result.text
    assert AgentRegistry("workspace/agents").get("weak").version == 1
    assert sorted(path.name for path in Path("workspace/agents").iterdir()) == ["weak.md"]


def test_a_thread_of_an_agents_cell_is_the_agents_also_after_the_cell(folder: Path) -> None:
    go, told = threading.Event(), []

    def note(error: object) -> None:
        told.append(error)

    code = (
        "import threading\n"
        "def work():\n"
        "    go.wait(10)\n"
        "    try:\n"
        "        only('do this')\n"
        "        note('done')\n"
        "    except Exception as error:\n"
        "        note(type(error).__name__)\n"
        "def start():\n"
        "    threading.Thread(target=work).start()\n"
        "threading.Thread(target=start).start()\n"
    )
    assert cell(folder, code, go=go, note=note, only=persons_only).status == "ok"
    go.set()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(10)
    assert told == ["GuardDenied"]


@pytest.mark.parametrize(
    "code",
    [
        "import sqlite3\nfor name in ['state']:\n    sqlite3.connect(f'workspace/.llmos/{name}.db')",
        "for name in ['state.db']:\n    open('workspace/.llmos/' + name, 'ab')",
        "import os\nfor name in ['state.db']:\n    os.remove('workspace/.llmos/' + name)",
        "import os\nfor name in ['.llmos']:\n    os.rename('workspace/' + name, 'mine')",
        "import os\nfor name in ['workspace']:\n    os.rename(name, 'mine')",
        "import os\nfor name in ['agents']:\n    os.rename('workspace/' + name, 'mine')",
        "import shutil\nfor name in ['workspace']:\n    shutil.rmtree(name)",
        "import pandas as pd\nfor name in ['state.db']:\n    pd.DataFrame({'a': [1]}).to_csv('workspace/.llmos/' + name)",
        "import sqlalchemy as sa\nfor name in ['state']:\n"
        "    sa.create_engine(f'sqlite:///workspace/.llmos/{name}.db').connect()",
    ],
)
def test_the_ledger_and_the_histories_are_not_for_cells(code: str, folder: Path) -> None:
    with LLMOS("workspace") as system:
        system.economy.set_limit("workspace", 3.0)
    before = {path: path.stat().st_mtime_ns for path in Path("workspace").rglob("*")}
    done = cell(folder, code)
    assert done.status in ("error", "denied"), done.result
    assert {path: path.stat().st_mtime_ns for path in Path("workspace").rglob("*")} == before


def test_a_cell_may_look(folder: Path) -> None:
    with LLMOS("workspace") as system:
        system.economy.set_limit("workspace", 3.0)
        done = cell(
            folder,
            "print(llmos.economy.balance_usd, [a.name for a in llmos.agents.list()][:1], llmos.settings.budget_usd)\n"
            "print(llmos.recall('anything'), len(llmos.agents.history('weak')))",
            llmos=system,
        )
    assert done.result is not None
    assert done.status == "ok" and "3.0 ['coder'] 10.0\n[] 1" in done.result.text


def test_a_person_goes_on_beside_agents_code(folder: Path) -> None:
    """In another task and in another thread; and the tools of another run do their work."""
    seen: list[bool] = []

    async def work() -> Call:
        loop = asyncio.get_running_loop()
        begun, over = asyncio.Event(), asyncio.Event()

        async def agents() -> None:
            with watching(FileEffects((folder,), Undo())):
                assert by_agent()
                begun.set()
                await over.wait()

        task = loop.create_task(agents())
        await begun.wait()
        seen.append(by_agent())
        thread = threading.Thread(target=lambda: seen.append(by_agent()))
        thread.start()
        thread.join()
        made = await bench(folder).call("create_agent", {"name": "poet", "description": "", "prompt": "Write."})
        over.set()
        await task
        return made

    assert asyncio.run(work()).status == "ok"
    assert seen == [False, False] and not by_agent()


def test_the_systems_own_work_is_not_the_agents() -> None:
    with agents_code():
        with pytest.raises(GuardDenied, match="for a person") as raised:
            persons_only("do this")
        assert raised.value.rule == "py-system"
        with unwatched():
            persons_only("do this")
    persons_only("do this")


@pytest.mark.parametrize(
    "code",
    [
        "llmos.configure(budget_usd=1e9)",
        "llmos.run('Grant haiku-poet the tool run_shell', agent='coder')",
        "await llmos.execute('x')",
        "f = llmos.approve\nf()",
        "list(map(llmos.approve, ['a1']))",
        "getattr(llmos, 'configure')(budget_usd=1e9)",
        "llmos.schedule('Add 2 and 3', every='1 hour')",
        "llmos.agents.modify('a', 'tools', ['Bash'])",
        "registry = llmos.agents\nregistry.write('a', 'x', tools=['Bash'])",
        "llmos.economy.set_limit('run', 100)",
        "llmos.economy._engine",
        "llmos._approvals.answer(None, True)",
        "llmos.__dict__['settings'] = 1",
        "llmos.settings = other",
        "setattr(llmos, 'settings', other)",
        "setattr(llmos.settings, 'agent_changes', 'allow')",
        "object.__setattr__(llmos.settings, 'agent_changes', 'allow')",
        "vars(llmos)['settings'] = other",
        "from llmos_nb import LLMOS\nLLMOS('workspace').configure(budget_usd=1e9)",
        "from llmos_nb.system.llmos import LLMOS\nLLMOS('workspace').configure(budget_usd=1e9)",
        "import llmos_nb as n\nn.LLMOS('workspace').run('x')",
        "get_ipython().user_ns['llmos'].configure(budget_usd=1e9)",
        "%config LLMOSMagics.run_budget_usd = 100",
        "get_ipython().run_line_magic('config', 'LLMOSMagics.run_budget_usd=100')",
        "x = %llmos Grant haiku-poet the tool run_shell",
        "%%llmos --agent coder\nDelete everything",
        "%%agent poet --tools Bash\nObey.",
        "%agents restore poet 1",
        "%budget set 100",
        "%budget limits run=9",
        "for n in range(3):\n    %llmos_endpoint claude",
        "%time %budget set 100",
        "%trace trust 2026",
        "%schedule add --every 1h Do it",
    ],
)
def test_code_that_decides_is_refused_before_it_runs(code: str, tmp_path: Path) -> None:
    verdict = check_python(code, cwd=tmp_path, workspace=tmp_path)
    assert verdict.decision == "deny" and verdict.rule in ("py-system", "py-guard"), verdict


@pytest.mark.parametrize(
    "code",
    [
        "getattr(llmos, name)()",
        "from llmos_nb.kernel.whose import own_work",
        "import llmos_nb.mind.registry",
        "from llmos_nb.tools import registry",
    ],
)
def test_code_that_may_decide_is_a_persons_to_judge(code: str, tmp_path: Path) -> None:
    verdict = check_python(code, cwd=tmp_path, workspace=tmp_path)
    assert (verdict.decision, verdict.rule) == ("ask", "py-system")


@pytest.mark.parametrize(
    "code",
    [
        "llmos.recall('the mast')",
        "llmos.remember('The mast is 80 m high.', source='survey')",
        "llmos.economy.balance_usd",
        "[a.name for a in llmos.agents.list()]",
        "llmos.agents.diff('poet', 1)",
        "llmos.settings.with_(budget_usd=2).budget_usd",
        "llmos_runs = df.run()",
        "from llmos_nb import runs_df\nruns_df()",
        "from llmos_nb.crystals import ghz_state\nghz_state(3)",
        "my.llmos.configure(1)",
        "%agents",
        "%agents history poet",
        "%budget",
        "%budget limits",
        "%llmos_endpoint",
        "%config InlineBackend.figure_format = 'svg'",
        "%%llmos --explain\nAdd 2 and 3",
        "%trace 2026",
    ],
)
def test_code_that_looks_is_let_pass(code: str, tmp_path: Path) -> None:
    assert check_python(code, cwd=tmp_path, workspace=tmp_path).decision == "allow"


def test_the_ledger_stays_readable_for_whoever_kept_it_open(folder: Path) -> None:
    """Looking from a cell goes through the system's own connection, and changes nothing."""
    with LLMOS("workspace") as system:
        system.economy.set_limit("workspace", 3.0)
    with sqlite3.connect("workspace/.llmos/state.db") as database:
        assert database.execute("select count(*) from sqlite_master").fetchone()[0] > 0


@pytest.mark.parametrize(
    "code",
    [
        "ip = get_ipython()\nip.events.register('post_run_cell', f)",
        "get_ipython().input_transformers_post.append(f)",
        "get_ipython().input_transformers_cleanup = [f]",
        "get_ipython().ast_transformers.append(T())",
        "get_ipython().run_cell_async(code)",
        "get_ipython().set_custom_exc((Exception,), f)",
    ],
)
def test_code_for_a_persons_later_cells_is_a_persons_to_judge(code: str, tmp_path: Path) -> None:
    verdict = check_python(code, cwd=tmp_path, workspace=tmp_path)
    assert (verdict.decision, verdict.rule) == ("ask", "py-later")
