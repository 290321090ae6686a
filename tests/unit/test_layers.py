"""Imports point down: the rows of the design, from top to bottom, and the few exceptions, each with its reason."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "llmos_nb"

ROWS = [
    {"__main__"},
    {"__init__", "terminal", "domains"},
    {"notebook"},
    {"system"},
    {"dispatch"},
    {"learning", "cortex"},
    {"crystals"},
    {"tools"},
    {"projects", "teaching"},
    {"memory", "mind"},
    {"guard", "frames"},
    {"kernel"},
    {"settings"},
    {"option", "presets"},
    {"loosening"},
    {"errors"},
    {"lazily"},
]
ROW = {part: number for number, parts in enumerate(ROWS) for part in parts}
#: Upward on purpose, and inside a function only: a DataFrame is made from what the session log, traces and agents hold, and
#: a system opens its own explorers, which are shown without a notebook too.
LAZY = {
    ("frames", "memory.file"),
    ("frames", "memory.session"),
    ("frames", "mind"),
    ("frames", "tools.pack_agents"),
    ("system", "notebook.explorers"),
}
#: What a pack may import of the package, as anybody's pack would: the names that these modules declare.
PUBLIC = {
    f"llmos_nb{part}" for part in ("", ".crystals", ".errors", ".frames", ".guard", ".memory", ".mind", ".tools")
}
#: Who alone may import these.
ONLY = {"IPython": "notebook", "ipywidgets": "notebook", "claude_agent_sdk": "cortex", "learning": "dispatch"}


def imports(source: str, module: str) -> list[tuple[str, bool]]:
    """Every imported name, and whether its import waits inside a function; relative names are resolved."""
    tree = ast.parse(source)
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in lazy) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(module.split(".")[: -node.level]) + "." if node.level else ""
            origin = (start + (node.module or "")).strip(".")
            parts = origin == "llmos_nb" or (node.level and not node.module)
            names = [f"{origin}.{alias.name}" for alias in node.names] if parts else [origin]
            found += [(name, id(node) in lazy) for name in names]
    return found


def broken_rules(module: str, source: str) -> list[str]:
    """What ``module`` (dotted, ``llmos_nb.…``; a package ends in ``__init__``) imports against the rules."""
    part = module.split(".")[1]
    problems = []
    for name, lazy in imports(source, module):
        top, _, inside = name.partition(".")
        if top != "llmos_nb":
            if top in ONLY and part != ONLY[top]:
                problems.append(f"{module} imports {top}, which only {ONLY[top]} may")
            continue
        target = inside.split(".")[0] or "__init__"
        if target not in ROW:  # a public name of the package itself: `from llmos_nb import LLMOS`
            target = "__init__"
        allowed = target == part or ROW[part] < ROW[target]
        if target in ONLY and part not in (target, ONLY[target]) and ROW[part] > 0:
            allowed = False
        if lazy and any(part == who and f"{inside}.".startswith(f"{what}.") for who, what in LAZY):
            allowed = True
        if not allowed:
            problems.append(f"{module} imports {name}")
    return problems


def not_public(module: str, source: str) -> list[str]:
    """What a module of a pack imports that is not public: other modules, other packs, names that none declares."""
    own = ".".join(module.split(".")[:3])
    package = module.removesuffix(".__init__") if module.endswith(".__init__") else module.rpartition(".")[0]
    problems = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            wanted = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            wanted = [(origin, alias.name) for alias in node.names]
        else:
            continue
        for origin, name in wanted:
            if origin.split(".")[0] != "llmos_nb" or f"{origin}.{name}.".startswith(f"{own}."):
                continue
            declared = vars(importlib.import_module(origin))["__all__"] if origin in PUBLIC else []
            if origin not in PUBLIC or (name and name not in declared):
                problems.append(f"{module} imports {origin}{f'.{name}' if name else ''}, which is not public")
    return problems


MODULES = sorted(path.relative_to(PACKAGE.parent).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py"))


def test_every_part_has_a_row() -> None:
    assert {path.split("/")[1] for path in MODULES} <= set(ROW)


@pytest.mark.parametrize("path", MODULES)
def test_imports_point_down(path: str) -> None:
    source = (PACKAGE.parent / f"{path}.py").read_text(encoding="utf-8")
    assert broken_rules(path.replace("/", "."), source) == []


@pytest.mark.parametrize("path", [path for path in MODULES if path.startswith("llmos_nb/domains/")])
def test_packs_use_public_names_only(path: str) -> None:
    source = (PACKAGE.parent / f"{path}.py").read_text(encoding="utf-8")
    assert not_public(path.replace("/", "."), source) == []


@pytest.mark.parametrize(
    ("source", "fine"),
    [
        ("from llmos_nb.tools import Pack, Tool", True),
        ("from llmos_nb.guard import check_path", True),
        ("from llmos_nb import LLMOS\nfrom llmos_nb.errors import LlmosError", True),
        ("from llmos_nb.domains.data.clean import clean\nfrom . import join\nfrom .plots import plot", True),
        ("def f():\n    from llmos_nb.tools.files import READ_FILE", False),
        ("from llmos_nb.tools import workbench", False),
        ("import llmos_nb.kernel.files", False),
        ("from llmos_nb.domains.quantum import PACK", False),
        ("from ..quantum import PACK", False),
        ("from ...kernel import files", False),
    ],
)
def test_what_a_pack_may_import(source: str, fine: bool) -> None:
    assert (not_public("llmos_nb.domains.data.tools", source) == []) is fine


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("llmos_nb.kernel.budget", "from llmos_nb.memory import TraceStore"),
        ("llmos_nb.kernel.budget", "def f():\n    import llmos_nb.memory"),
        ("llmos_nb.kernel.__init__", "from .. import memory"),
        ("llmos_nb.kernel.budget", "from ..memory.store import TraceStore"),
        ("llmos_nb.kernel.budget", "from llmos_nb import LLMOS"),
        ("llmos_nb.mind.agent", "import llmos_nb.memory.store"),
        ("llmos_nb.learning.replay", "from llmos_nb import cortex"),
        ("llmos_nb.system", "from llmos_nb.learning import replay"),
        ("llmos_nb.tools.cell", "import IPython.display"),
        ("llmos_nb.dispatch.dispatcher", "import claude_agent_sdk"),
        ("llmos_nb.frames.agents", "from llmos_nb.mind import AgentRegistry"),
        ("llmos_nb.frames.traces", "def f():\n    from llmos_nb.memory.store import TraceStore"),
    ],
)
def test_an_import_that_points_up_or_aside_is_seen(module: str, source: str) -> None:
    assert broken_rules(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("llmos_nb.dispatch.dispatcher", "from llmos_nb.learning import replay"),
        ("llmos_nb.frames.agents", "def f():\n    from llmos_nb.mind import AgentRegistry"),
        ("llmos_nb.frames.sessions", "def f():\n    from llmos_nb.memory.session import SessionLog"),
        ("llmos_nb.mind.registry", "from .agent import Agent\nfrom llmos_nb.errors import UnknownAgent"),
        ("llmos_nb.notebook.magics", "from IPython.core.magic import Magics"),
        ("llmos_nb.__init__", "from llmos_nb.system import LLMOS"),
    ],
)
def test_an_import_that_points_down_is_allowed(module: str, source: str) -> None:
    assert broken_rules(module, source) == []


@pytest.mark.parametrize("module", ["llmos_nb", "llmos_nb.notebook.extension"])
def test_importing_the_package_and_its_magics_loads_nothing_heavy(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = {'claude_agent_sdk', 'pandas', 'ipywidgets', 'sqlalchemy'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == ""


#: What may come with the magics, apart from the magics and the system's own modules: declarations, and what is small.
AT_LOAD = {"errors", "frames", "kernel", "lazily", "loosening", "notebook", "option", "presets", "settings", "system"}
SMALL = {"dispatch", "dispatch.diffs", "dispatch.presented", "dispatch.prose"}
#: What only a goal needs of them.
OF_A_GOAL = {
    "kernel.budget", "kernel.ledger", "kernel.scheduler", "kernel.schedule", "kernel.secrets", "kernel.state",
    "notebook.run_view.model", "notebook.run_view.view", "notebook.terminal.view",
}  # fmt: skip
OTHERS = {"frontmatter", "markdown_it", "pygments.lexers.python", "toml", "tree_sitter", "yaml"}


@pytest.mark.parametrize("told", ["", 'model = "haiku"\n'], ids=["empty workspace", "llmos.toml"])
def test_loading_the_magics_leaves_to_the_first_goal_what_it_needs(tmp_path: Path, told: str) -> None:
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "before = set(sys.modules)\n"
        "for cell in ('%load_ext llmos_nb', 'x = 1'):\n"
        "    shell.run_cell(cell, store_history=True).raise_error()\n"
        "    print(*sorted(set(sys.modules) - before))"
    )
    if told:
        (tmp_path / "workspace").mkdir()
        (tmp_path / "workspace" / "llmos.toml").write_text(told, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
        timeout=60,
    )  # fmt: skip
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 2, done.stdout
    for line in lines:  # after the cell that loads them, and after a cell of a person's
        loaded = line.split()
        own = {name.removeprefix("llmos_nb.") for name in loaded if name.startswith("llmos_nb.")}
        assert "notebook.magics" in own
        guard = {name for name in own if name.split(".")[0] == "guard"}
        assert guard == set() if not told else not guard & {"guard.policy", "guard.python", "guard.shell"}
        assert {name for name in own - guard if name.split(".")[0] not in AT_LOAD} <= SMALL
        assert OF_A_GOAL.isdisjoint(own)
        assert OTHERS.isdisjoint(loaded)
        assert len(own) < 120


@pytest.mark.parametrize("package", ["", ".guard", ".mind", ".notebook.run_view", ".notebook.terminal"])
def test_names_that_are_loaded_late_are_listed_and_there(package: str) -> None:
    module = importlib.import_module(f"llmos_nb{package}")
    assert set(module.__all__) <= set(dir(module))
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nosuch'"):
        module.nosuch  # noqa: B018
