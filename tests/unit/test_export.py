"""The code of a recorded run, run without this package, shows what the run showed."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest

from llmos_nb import LLMOS
from llmos_nb.errors import StoreError, UnknownTrace
from llmos_nb.learning.needs import needs_of, types_of
from llmos_nb.learning.record import recorded_steps
from llmos_nb.memory import Trace
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

Made = Sequence[tuple[str, dict[str, Any]]]

PANDAS: Made = [
    ("write_file", {"path": "in/masses.csv", "content": 'species,mass\nAdelie,3700\n"Chin, strap",3733\n'}),
    ("run_cell", {"code": "import pandas as pd  # the usual name\nfrom math import sqrt\ndf = pd.read_csv(path)\ndf.shape",
                  "parameters": {"path": "in/masses.csv"}}),
    ("inspect", {}),
    ("run_cell", {"code": "from math import sqrt\n\n# the root of the heaviest\nheaviest = df['mass'].max()\n"
                          "print('heaviest:', heaviest); sqrt(heaviest)  # as a float"}),
    ("run_cell", {"code": "df.groupby('species')['mass'].mean()"}),
]  # fmt: skip
FILES: Made = [
    ("write_file", {"path": "a.txt", "content": 'one\r\ntwo \\ """ \'é\'\r\n'}),
    ("edit_file", {"path": "a.txt", "old": "one\ntwo", "new": "1\n2"}),
    ("read_file", {"path": "a.txt"}),
    ("run_cell", {"code": "open('a.txt', 'rb').read()"}),
]
SHELL: Made = [
    ("run_shell", {"command": 'for n in 1 2; do\n  echo "line $n"; done > out.txt; wc -l < out.txt'}),
    ("run_cell", {"code": "text = open('out.txt').read()\ntext.upper()"}),
]
WANTED = {
    "pandas": ["(2, 2)", "heaviest: 3733", "61.0982", "Chin, strap"],
    "files": ["b'1\\r\\n2"],
    "shell": ["2", "'LINE 1\\nLINE 2\\n'"],
}
RUNS = {"pandas": PANDAS, "files": FILES, "shell": SHELL}
CLEAN = (
    "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\nshell = InteractiveShell()\n"
    "done = shell.run_cell(open(sys.argv[1], encoding='utf-8').read())\n"
    "assert 'llmos_nb' not in sys.modules\nsys.exit(0 if done.success else 1)"
)


def recorded(folder: Path, calls: Made, names: dict[str, Any] | None = None) -> Trace:
    """A trace of really making these calls."""

    async def work() -> Trace:
        namespace = PlainNamespace()
        namespace.names.update(names or {})
        before = types_of(namespace.names)
        bench = Workbench(
            "r", namespace=namespace, workspace=folder / "workspace", cwd=folder, grant=tuple(TOOLS),
            publish=lambda event: None,
        )  # fmt: skip
        for tool, arguments in calls:
            done = await bench.call(tool, arguments)
            assert done.status == "ok", done
        needs = needs_of(bench.calls, before)
        return Trace(goal="Do it\nwell", steps=recorded_steps(bench.calls), answer="**Done.**", agent="generalist",
                     environment={"needs": needs, "packages": {"pandas": "3"}})  # fmt: skip

    return asyncio.run(work())


@pytest.mark.parametrize("kind", RUNS)
def test_the_cell_shows_what_the_run_showed(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    monkeypatch.chdir(first)
    trace = recorded(first, RUNS[kind])
    (second / "cell.py").write_text(trace.to_code(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-c", CLEAN, "cell.py"], cwd=second, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for wanted in WANTED[kind]:
        assert wanted in done.stdout, done.stdout
    for made in first.rglob("*.txt"):
        assert (second / made.relative_to(first)).read_bytes() == made.read_bytes()


def test_the_cell_begins_with_its_imports_and_keeps_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = recorded(tmp_path, PANDAS).to_code()
    assert code.startswith("# Do it\n# well\n\n") and "inspect" not in code and "llmos" not in code
    assert code.count("from math import sqrt") == 1 and code.index("from math import sqrt") < code.index("read_csv")
    assert "# the root of the heaviest" in code and "import pandas as pd  # the usual name" in code
    assert "display(df.shape)" in code and "display(sqrt(heaviest))  # as a float" in code
    assert code.endswith("df.groupby('species')['mass'].mean()\n")


def test_no_file_is_overwritten_unless_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trace = recorded(tmp_path, PANDAS)
    mine = tmp_path / "mine.ipynb"
    mine.write_text("my work")
    for path in (mine, tmp_path / "table.csv"):
        with pytest.raises(StoreError) as caught:
            trace.to_notebook(path)
        assert caught.value.remedy
    assert mine.read_text() == "my work" and not (tmp_path / "table.csv").exists()
    trace.to_notebook(mine, replace=True)
    assert mine.read_text() != "my work"


def test_a_notebook_is_valid_and_runs_in_a_fresh_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    monkeypatch.chdir(tmp_path)
    path = recorded(tmp_path, PANDAS).to_notebook(tmp_path / "mine.ipynb")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", *["code"] * 4, "markdown"]
    assert notebook.cells[0].source.startswith("# Do it well") and notebook.cells[-1].source.endswith("**Done.**")
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = str([cell.get("outputs") for cell in notebook.cells])
    for wanted in WANTED["pandas"]:
        assert wanted in shown


def test_magics_become_python_or_comments(tmp_path: Path) -> None:
    trace = recorded(tmp_path, [("run_cell", {"code": "x = 1"})])
    step = dataclasses.replace(trace.steps[0], arguments={"code": "%matplotlib inline\n!echo hello\nx = 7 % 4\nx"})
    code = dataclasses.replace(trace, steps=[step]).to_code()
    assert "# %matplotlib inline  (only in a notebook)" in code and "'echo hello'" in code and "x = 7 % 4" in code
    compile(code, "cell", "exec")


def test_what_it_needs_is_told_with_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with LLMOS("workspace") as system:
        with pytest.raises(UnknownTrace, match="left a trace"):
            system.code()
        maker = dataclasses.replace(recorded(tmp_path, [("run_cell", {"code": "n = 4"})]), goal="Make n")
        made = system.traces.add(dataclasses.replace(maker, created_at="2026-11-22T07:00:00Z"))
        user = recorded(tmp_path, [("run_cell", {"code": "print(n + k)"})], {"n": 4, "k": 1})
        used = system.traces.add(dataclasses.replace(user, created_at="2026-11-22T08:00:00Z"))
        code = system.code(used.id)
        assert f"# It needs n (int): made by 'Make n' ({made.id})" in code
        assert "# It needs k (int), which was there before" in code
        assert "It needs n" in system.to_notebook("n.ipynb", used.id).read_text()
        with pytest.raises(UnknownTrace):
            system.code("nothing")
