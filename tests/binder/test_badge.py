"""The launch button: which address of Binder each address of a repository becomes, and what is refused."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

BADGE = Path(__file__).parents[2] / "binder" / "badge"
OPENED = "?urlpath=lab%2Ftree%2Fnotebooks%2F01_first_steps.ipynb"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one branch, a notebook and a README with the button's place."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_first_steps.ipynb").write_text("{}")
    (tmp_path / "README.md").write_text("# Title\n\n<!-- binder -->\n<!-- /binder -->\n\nText.\n")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def made(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, BADGE, "--root", folder, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://github.com/ada/llmos.git", "gh/ada/llmos/main"),
        ("https://github.com/ada/llmos/", "gh/ada/llmos/main"),
        ("git@github.com:ada/llmos.git", "gh/ada/llmos/main"),
        ("ssh://git@github.com:22/ada/llmos.git", "gh/ada/llmos/main"),
        ("https://ada:s3cret@github.com/ada/llmos.git", "gh/ada/llmos/main"),
        ("git@gitlab.com:class/2026/llmos.git", "gl/class%2F2026%2Fllmos/main"),
        ("https://gitlab.com/ada/llmos", "gl/ada%2Fllmos/main"),
        ("git@git.example.org:ada/llmos.git", "git/https%3A%2F%2Fgit.example.org%2Fada%2Fllmos/main"),
        ("https://codeberg.org/ada/llmos.git", "git/https%3A%2F%2Fcodeberg.org%2Fada%2Fllmos/main"),
        ("ssh://git@git.example.org:2222/~ada/llmos", "git/https%3A%2F%2Fgit.example.org%2F~ada%2Fllmos/main"),
    ],
)
def test_each_spelling_of_an_address_is_launched(address: str, place: str) -> None:
    assert runpy.run_path(str(BADGE))["launch"](address, "main") == f"https://mybinder.org/v2/{place}{OPENED}"


def test_a_token_in_the_address_is_left_out(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://ada:s3cret@github.com/ada/llmos.git")
    done = made(repository)
    assert done.returncode == 0 and done.stdout.strip() == (
        f"[![Launch on Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/ada/llmos/main{OPENED})"
    )
    assert not done.stderr


def test_branch_and_notebook_are_those_that_are_meant(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "git@github.com:ada/llmos.git")
    git(repository, "checkout", "--quiet", "-b", "term/2026")
    assert "/gh/ada/llmos/term/2026?" in made(repository).stdout
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert "/gh/ada/llmos/trunk?" in made(repository).stdout
    assert "/gh/ada/llmos/v1.0?" in made(repository, "--branch", "v1.0").stdout
    (repository / "notebooks" / "my first.ipynb").write_text("{}")
    address = made(repository, "--notebook", "notebooks/my first.ipynb").stdout.partition("](")[2].rpartition("](")[2]
    assert parse_qs(urlsplit(address.strip(")\n")).query)["urlpath"] == ["lab/tree/notebooks/my first.ipynb"]
    assert unquote(urlsplit(address).path).startswith("/v2/gh/ada/llmos/trunk")
    missing = made(repository, "--notebook", "notebooks/99.ipynb")
    assert missing.returncode == 1 and missing.stderr == "There is no notebooks/99.ipynb.\n"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "no remote called 'origin'"),
        ("/srv/git/llmos.git", "a folder of this machine"),
        ("../llmos", "a folder of this machine"),
        ("file:///srv/git/llmos.git", "Binder cannot fetch file://"),
        ("http://localhost:3000/ada/llmos", "cannot be reached from elsewhere"),
        ("git@build:ada/llmos.git", "cannot be reached from elsewhere"),
        ("http://192.168.0.7:3000/ada/llmos", "cannot be reached from elsewhere"),
        ("https://git.corp.internal/ada/llmos", "cannot be reached from elsewhere"),
        ("https://github.com/ada", "is no repository of github.com"),
    ],
)
def test_an_address_that_nobody_reaches_is_refused_and_nothing_written(
    repository: Path, address: str, told: str
) -> None:
    if address:
        git(repository, "remote", "add", "origin", address)
    before = (repository / "README.md").read_bytes()
    done = made(repository, "--write")
    assert done.returncode == 1 and told in done.stderr and len(done.stderr.splitlines()) == 1, done
    assert not done.stdout and (repository / "README.md").read_bytes() == before


def test_the_readme_has_it_between_its_marks_and_nothing_else_changes(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "git@github.com:ada/llmos.git")
    readme = repository / "README.md"
    done = made(repository, "--write")
    assert done.returncode == 0, done.stderr
    button = done.stdout.splitlines()[-1]
    assert readme.read_text() == f"# Title\n\n<!-- binder -->\n{button}\n<!-- /binder -->\n\nText.\n"
    page = MarkdownIt().render(readme.read_text())
    assert '<a href="https://mybinder.org/v2/gh/ada/llmos/main?' in page and 'alt="Launch on Binder"' in page
    assert "has it.\n" in made(repository, "--write").stdout  # a second time there is nothing to do
    git(repository, "remote", "set-url", "origin", "git@gitlab.com:ada/llmos.git")
    assert made(repository, "--write").returncode == 0
    text = readme.read_text()
    assert "v2/gl/ada%2Fllmos" in text and "v2/gh/" not in text and text.endswith("\n\nText.\n")
    assert not [path for path in repository.iterdir() if path.name.startswith(".README")]


@pytest.mark.parametrize("text", ["# Title\n", "<!-- /binder --><!-- binder -->\n", "<!-- binder -->\n" * 2])
def test_without_its_marks_the_readme_stays_as_it_is(repository: Path, text: str) -> None:
    git(repository, "remote", "add", "origin", "git@github.com:ada/llmos.git")
    (repository / "README.md").write_text(text)
    done = made(repository, "--write")
    assert done.returncode == 1 and "README.md needs one <!-- binder -->" in done.stderr
    assert (repository / "README.md").read_text() == text
