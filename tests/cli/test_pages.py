"""Each page of the documentation, run: its Python as the cells of a notebook, beside the course's data."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.pages import PAGES, ROOT, Block, blocks

pytestmark = pytest.mark.cli

#: What stands on a page without being told: the tables and the agent's script that an example of packs speaks of.
BEFORE = {
    "docs/packs.md": """
import pandas as pd
from pathlib import Path
tides = pd.DataFrame({"height": [1.0, 4.0, 9.0], "place": list("abc")})
trees = pd.DataFrame({"girth": [2.0, 3.0, 8.0], "place": list("abc")})
scripts = Path("workspace/scripts")
scripts.mkdir(parents=True)
for table, column in (("tides", "height"), ("trees", "girth")):
    code = f'float({table}["{column}"].sort_values().diff().max())'
    turn = f"## Turn 1\\n\\n### run_cell\\n\\n```python\\n{code}\\n```\\n\\n## Answer\\n\\nThe widest gap.\\n"
    (scripts / f"{table}.md").write_text(f"---\\ngoal: widest gap of {column} in {table}\\n---\\n{turn}")
"""
}
LOAD = "%load_ext llmos_nb"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def examples(page: Path) -> list[tuple[Block, str]]:
    """A page's cells, each with what it is said to show: the block of text right below it, if there is one."""
    found = [block for block in blocks(page) if not block.file]
    said = {block.line: block.text for block in found if block.language == "text"}
    return [
        (block, said.get(block.line + block.text.count("\n") + 3, ""))
        for block in found
        if block.language == "python"
    ]


def shown(cell: Any) -> str:
    """What a cell shows, as text without colours."""
    texts = []
    for output in cell.outputs:
        forms = output.get("data", {})
        texts += [output.get("text", ""), forms.get("text/markdown", ""), forms.get("text/plain", "")]
        texts += output.get("traceback", ())
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(texts))


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=name)
def test_the_examples_of_a_page_run_and_show_what_it_says(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "notebooks" / "data", tmp_path, dirs_exist_ok=True)
    shutil.copytree(ROOT / "notebooks" / "lessons", tmp_path / "lessons")
    wanted = examples(page)
    before = [LOAD] if not any(LOAD in block.text for block, _ in wanted) else []
    before += [BEFORE[name(page)]] if name(page) in BEFORE else []
    document = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in [*before, *(block.text for block, _ in wanted)]]
    )
    client = NotebookClient(
        document, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}},
        allow_errors=True, extra_arguments=["--IPKernelApp.log_level=40"],
    )  # fmt: skip
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    for cell in document.cells[: len(before)]:
        assert not any(output.output_type == "error" for output in cell.outputs), shown(cell)
    for (block, said), cell in zip(wanted, document.cells[len(before) :], strict=True):
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert not failed or said, f"{name(page)}:{block.line}\n{shown(cell)}"
        for line in said.splitlines():
            words = " ".join(line.split())
            assert words in " ".join(shown(cell).split()), f"{name(page)}:{block.line}: {words!r}\n{shown(cell)}"
