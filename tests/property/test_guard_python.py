"""Whatever the code and the path, the guard answers with a verdict, soon; no spelling of a path gets out.

More examples than a test run has time for: LLMOS_EXAMPLES=10000 python -m pytest tests/property/test_guard_python.py -s
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_nb.errors import GuardDenied
from llmos_nb.guard import RULES, check_path, check_python
from llmos_nb.guard.confine import confined

EXAMPLES = int(os.environ.get("LLMOS_EXAMPLES", "80"))
BASE = Path(tempfile.mkdtemp(prefix="guard-python-property-")).resolve() / "nb"
WORKSPACE = BASE / "workspace"
MANY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

NAMES = st.sampled_from(
    ["a", "b", "os", "open", "P", "self", "exec", "getattr", "subprocess", "shutil", "Path", "pd"]
)
ATOMS = st.one_of(
    NAMES,
    st.integers(-9, 99).map(str),
    st.text(max_size=8).map(repr),
    st.sampled_from(["'/etc/x'", "'../x'", "None", "..."]),
)
CODE = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: f"{p[0]}({p[1]}, *{p[1]})"),
        st.tuples(inner, NAMES).map(lambda p: f"({p[0]}).{p[1]}"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]})[{p[1]}]"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]} + {p[1]})"),
        st.tuples(NAMES, inner).map(lambda p: f"(lambda {p[0]}: {p[1]})"),
        inner.map(lambda p: "f'{" + p.replace("'", '"') + "}'"),
        inner.map(lambda p: f"[x for x in {p}]"),
    ),
    max_leaves=12,
)
LINES = st.one_of(
    CODE,
    st.tuples(NAMES, CODE).map(lambda p: f"{p[0]} = {p[1]}"),
    st.tuples(NAMES, CODE).map(lambda p: f"for {p[0]} in {p[1]}:\n    {p[1]}"),
    st.tuples(NAMES, NAMES).map(lambda p: f"from {p[0]} import {p[1]}"),
    st.sampled_from(
        ["%time", "!ls {a}", "%%bash\nls", "a = !ls", "%run x.py", "import os, sys", "await a", "class a(b): pass"]
    ),
    st.text(max_size=30),
)
CELLS = st.lists(LINES, max_size=8).map("\n".join)

PARTS = st.one_of(
    st.sampled_from(
        ["..", ".", "", "~", "a", "link", "inner", "loop", "agents", ".llmos", "workspace", "llmos.toml", "\0", "..."]
    ),
    st.text(max_size=6),
)
PATHS = st.tuples(st.sampled_from(["", "/", "//", "~/", str(BASE) + "/", "./"]), st.lists(PARTS, max_size=7)).map(
    lambda p: p[0] + "/".join(p[1])
)
#: The slowest of each kind, in seconds, for whoever asks with -s.
SLOWEST = {"code": 0.0, "path": 0.0}


def setup_module() -> None:
    WORKSPACE.mkdir(parents=True, exist_ok=True)
    (BASE.parent / "outside").mkdir(exist_ok=True)
    for name, target in (("link", "../outside"), ("inner", "workspace"), ("loop", "loop")):
        if not os.path.lexists(BASE / name):
            os.symlink(target, BASE / name)


def teardown_module() -> None:
    print({kind: f"{took * 1e3:.1f} ms at most" for kind, took in SLOWEST.items()})


def timed(kind: str, started: float) -> None:
    SLOWEST[kind] = max(SLOWEST[kind], time.thread_time() - started)


@MANY
@given(CELLS)
def test_any_cell_gets_a_verdict(code: str) -> None:
    started = time.thread_time()
    verdict = check_python(code, cwd=BASE, workspace=WORKSPACE, watched=True)
    timed("code", started)
    assert verdict.rule in RULES or verdict.rule == "ok"
    assert verdict.rule != "guard-error", verdict


@MANY
@given(PATHS)
def test_any_path_gets_a_verdict_and_stays_inside(path: str) -> None:
    started = time.thread_time()
    verdict = check_path(path, "write", workspace=WORKSPACE, cwd=BASE, roots=(BASE,))
    timed("path", started)
    assert verdict.rule in RULES or verdict.rule == "ok"
    assert verdict.rule != "guard-error", verdict
    try:
        real = confined(path, "write", workspace=WORKSPACE, cwd=BASE)
    except GuardDenied:
        return
    assert verdict.decision == "allow"
    assert real == BASE or BASE in real.parents or real.parts[1] in ("dev", "proc")
    assert not any(
        real == WORKSPACE / name or WORKSPACE / name in real.parents for name in (".llmos", "agents", "llmos.toml")
    )
