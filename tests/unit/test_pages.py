"""README and documentation lead where they say, name what exists, and hold what the code says."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.pages import OTHERS, PAGES, ROOT, anchors, blocks, filled, links

README = ROOT / "README.md"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=name)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    astray = []
    for target in links(page):
        if re.match(r"https?://", target):
            continue
        place, _, anchor = target.partition("#")
        found = (page.parent / place).resolve() if place else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            astray.append(target)
    assert not astray


def test_every_page_is_on_the_map_and_reached_from_the_readme() -> None:
    map_of = ROOT / "docs" / "README.md"
    listed = {(map_of.parent / target).resolve() for target in links(map_of)}
    assert {page for page in PAGES if page != map_of} <= listed
    assert "docs/README.md" in links(README)


def test_every_notebook_is_in_the_course() -> None:
    course = ROOT / "notebooks" / "README.md"
    assert {path.name for path in course.parent.glob("*.ipynb")} <= set(links(course))


def test_the_readme_is_short_and_its_pictures_are_small() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 250
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 600_000, picture.name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_tables_and_numbers_that_are_made_from_the_code_say_what_it_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == filled(text), "python -m tests.pages"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_says_its_language_and_python_is_python(page: Path) -> None:
    for block in blocks(page):
        assert block.language in {"python", "bash", "text", "toml", "markdown"}, f"{name(page)}:{block.line}"
        if block.language == "python":
            cell = TransformerManager().transform_cell(block.text)
            ast.parse(cell)


@pytest.fixture(scope="module")
def magics(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all magics that there are when the package is loaded."""
    listing = (
        "import json\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nshell.run_line_magic('load_ext', 'llmos_nb')\n"
        "print(json.dumps([name for kind in shell.magics_manager.magics.values() for name in kind]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", listing], cwd=tmp_path_factory.mktemp("magics"), capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    return {*json.loads(done.stdout.splitlines()[-1]), "goals"}  # that one belongs to ``llmos-nb shell``


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_magics_that_are_named_exist(page: Path, magics: set[str]) -> None:
    named = set(re.findall(r"(?<![\w%])%{1,2}([a-z_]+)\b", page.read_text(encoding="utf-8")))
    assert named <= magics


def test_commands_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    benches = {path.stem.removeprefix("bench_") for path in (ROOT / "tests" / "bench").glob("bench_*.py")}
    for page in [*PAGES, *OTHERS]:
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"`make ([a-z]+)`", text)) <= targets, name(page)
        for words in re.findall(r"python -m tests\.bench ([a-z_ ]+)`", text):
            assert set(shlex.split(words)) <= benches, name(page)
        for words in re.findall(r"pytest (tests/[\w/.]+)", text):
            assert (ROOT / words).exists(), name(page)
