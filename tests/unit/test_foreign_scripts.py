"""Scripts that came with a folder are programs of somebody else: shown, and played once a person has trusted them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from llmos_nb.cortex.scripted import load_scripts
from llmos_nb.errors import GuardDenied, GuardFileError
from llmos_nb.guard import scripts
from llmos_nb.guard.desk import GuardDesk
from llmos_nb.guard.scripts import is_own_script
from llmos_nb.kernel.whose import agents_code

SCRIPT = (
    "---\ngoal: Greet\n---\n## Turn 1\n\n### run_cell\n\n```python code\nprint('taken')\n```\n\n## Answer\n\nDone.\n"
)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(scripts, "_OWN_FOLDERS", ())
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "greet.md").write_text(SCRIPT)
    (tmp_path / "scripts" / "README.md").write_text("About.")
    return tmp_path


@pytest.fixture
def played(workspace: Path) -> Callable[[], set[str]]:
    packaged = {script.name for script in load_scripts()}
    return lambda: {script.name for script in load_scripts(workspace / "scripts", own=is_own_script)} - packaged


def test_a_script_from_elsewhere_is_shown_and_played_once_it_is_trusted(
    workspace: Path, played: Callable[[], set[str]]
) -> None:
    desk = GuardDesk(workspace)
    (workspace / "scripts" / "broken.md").write_text("no script")  # what nobody trusts is not even read as one
    assert played() == set()
    (workspace / "scripts" / "broken.md").unlink()
    waiting = desk.waiting()
    assert "print('taken')" in str(waiting) and waiting.count == "1 script" and not waiting.settings
    assert desk.notice[0] == "scripts/: 1 script not in force until you trust it: see %guard trust"
    desk.trust(waiting.shown)
    assert played() == {"greet"} and not desk.waiting() and desk.notice == ("", 0)
    (workspace / "scripts" / "greet.md").write_text(SCRIPT.replace("taken", "all"))
    assert played() == set() and desk.waiting().count == "1 script"


def test_what_was_shown_is_what_is_trusted(workspace: Path, played: Callable[[], set[str]]) -> None:
    desk = GuardDesk(workspace)
    shown = desk.waiting().shown
    (workspace / "scripts" / "more.md").write_text(SCRIPT.replace("Greet", "Greet again"))
    with pytest.raises(GuardFileError, match="not what was shown"):
        desk.trust(shown)
    with agents_code(), pytest.raises(GuardDenied):
        desk.trust(desk.waiting().shown)
    assert played() == set()
    (workspace / "llmos.toml").write_text("budget_usd = 500\n")
    both = desk.waiting()
    assert both.count == "1 option and 2 scripts" and "budget_usd" in str(both)
    assert desk.notice[0].startswith("llmos.toml: 1 option and 2 scripts not in force until you trust them")
    desk.trust(both.shown)
    assert played() == {"greet", "more"} and not desk.waiting()


def test_a_mark_cannot_be_brought_along(workspace: Path, played: Callable[[], set[str]]) -> None:
    desk = GuardDesk(workspace)
    desk.trust(desk.waiting().shown)
    marks = workspace / ".llmos" / "scripts.json"
    told = json.loads(marks.read_text())
    (workspace / "scripts" / "other.md").write_text(SCRIPT)
    marks.write_text(json.dumps({**told, "other.md": told["greet.md"]}))  # the mark of another name
    assert played() == {"greet"}
    for forged in ({"greet.md": {**told["greet.md"], "mark": "1-" + "0" * 32}}, {"greet.md": "x"}, [], "x"):
        marks.write_text(json.dumps(forged))
        assert played() == set()
    marks.write_text("[" * 100_000)
    assert played() == set()


def test_folders_that_the_surroundings_name_are_ones_own(
    workspace: Path, played: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "_OWN_FOLDERS", (f"{workspace}-other", str(workspace / "scr")))
    assert played() == set()
    monkeypatch.setattr(scripts, "_OWN_FOLDERS", (str(workspace.resolve()),))
    assert played() == {"greet"} and not GuardDesk(workspace).waiting()
