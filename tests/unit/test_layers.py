"""Imports point down: the rows of the design, from top to bottom, and the few exceptions, each with its reason."""

from __future__ import annotations

import ast
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
    {"tools"},
    {"memory", "mind"},
    {"guard", "frames"},
    {"kernel"},
    {"settings"},
    {"option"},
    {"errors"},
]
ROW = {part: number for number, parts in enumerate(ROWS) for part in parts}
#: Upward on purpose, and inside a function only: a DataFrame is made from what the session log and the agents hold.
LAZY = {("frames", "memory.session"), ("frames", "mind")}
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


MODULES = sorted(path.relative_to(PACKAGE.parent).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py"))


def test_every_part_has_a_row() -> None:
    assert {path.split("/")[1] for path in MODULES} <= set(ROW)


@pytest.mark.parametrize("path", MODULES)
def test_imports_point_down(path: str) -> None:
    source = (PACKAGE.parent / f"{path}.py").read_text(encoding="utf-8")
    assert broken_rules(path.replace("/", "."), source) == []


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


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, llmos_nb\n"
        "heavy = {'claude_agent_sdk', 'pandas', 'ipywidgets', 'sqlalchemy'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == ""
