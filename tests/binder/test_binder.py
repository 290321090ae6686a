"""What Binder would build, and doing it here: the files in ``binder/`` in a fresh venv and home, then the notebooks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.bench_notebooks import NOTEBOOKS, play

ROOT = Path(__file__).parents[2]


def test_repo2docker_builds_from_these_files() -> None:
    """Its dry run needs no Docker; with a folder binder/ nothing else of the repository says what to install."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told[-2000:]
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in told
    assert "RUN ./binder/postBuild" in told and 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in told
    assert "python=3.11" in told and "pip install --no-cache-dir ." not in told


def test_its_scripts_stop_at_errors_and_hand_over() -> None:
    post, start = ((ROOT / "binder" / name).read_text() for name in ("postBuild", "start"))
    assert "\nset -e\n" in post and start.rstrip().endswith('exec "$@"')
    assert all(os.access(ROOT / "binder" / name, os.X_OK) for name in ("postBuild", "start", "check"))
    for given, preset in (({}, "teaching"), ({"LLMOS_PRESET": "testing"}, "testing")):
        shown = subprocess.run(
            [ROOT / "binder" / "start", "printenv", "LLMOS_PRESET"], capture_output=True, text=True, timeout=10,
            env={"PATH": os.environ["PATH"], **given},
        )  # fmt: skip
        assert shown.stdout.strip() == preset


@pytest.mark.timeout(1500)
def test_the_environment_is_built_and_all_notebooks_run_there() -> None:
    """In a fresh venv and home; also that the first cell works within 10 s, and that no run takes more than 1.5 GB.

    That a second run costs less is what ``make binder`` looks at; here nbval runs each notebook again.
    """
    command = [sys.executable, ROOT / "binder" / "check", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1480)
    told = (done.stdout + done.stderr)[-6000:]
    assert done.returncode == 0, told
    assert "first cell of 01_first_steps.ipynb" in done.stdout
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        assert re.search(rf"^{notebook.name}: \d+ cells in .* at most \d+ MB$", done.stdout, re.MULTILINE), told


@pytest.mark.cli
def test_a_notebook_runs_by_papermill_and_costs_less_where_it_was_run_before(tmp_path: Path) -> None:
    """With every notebook: ``python -m tests.bench notebooks``."""
    first, second = (play(NOTEBOOKS / "09_teaching.ipynb", tmp_path) for _ in range(2))
    assert not first.error and not second.error
    assert second.cost_usd < first.cost_usd and second.free == second.goals
    assert 0 < max(first.peak_mb, second.peak_mb) < 1500
