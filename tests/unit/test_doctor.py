"""The doctor looks at everything, says what it found, and knows a remedy for what is wrong."""

from __future__ import annotations

import re
import stat
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from llmos_nb import LLMOS
from llmos_nb.errors import WaitsForTrust
from llmos_nb.terminal import doctor, main
from llmos_nb.terminal.doctor import OPTIONAL, REQUIRED, Check, examine

CHECKS = [
    "python", *REQUIRED, *OPTIONAL, "endpoint", "cli", "options", "guard", "workspace", "matching", "crystals", "budget",
    "agents", "packs",
]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def program(place: Path, script: str) -> str:
    """A stand-in for the command line program."""
    path = place / "claude-stand-in"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def checks(place: Path, script: str = "echo 9.9.9", **options: Any) -> dict[str, Check]:
    with LLMOS("workspace", sdk={"cli_path": program(place, script)}, **options) as system:
        return {check.name: check for check in examine(system)}


def test_everything_is_looked_at_and_well(place: Path) -> None:
    found = checks(place)
    assert list(found) == CHECKS
    assert all(check.ok and check.found for check in found.values())
    assert found["cli"].found == "9.9.9"
    assert "scripted" in found["endpoint"].found and "play money" in found["budget"].found
    assert "0 traces" in found["workspace"].found and "generalist" in found["agents"].found


@pytest.mark.parametrize(
    ("name", "break_it", "words"),
    [
        ("cli", {"script": "echo broken >&2; exit 3"}, "ends with code 3: broken"),
        ("budget", {"budget_usd": 0.0}, "$0.00 left"),
        ("endpoint", {"endpoint": "http://127.0.0.1:9"}, "http://127.0.0.1:9 cannot be reached"),
    ],
)
def test_what_is_wrong_has_a_remedy_and_the_rest_is_still_looked_at(
    name: str, break_it: dict[str, Any], words: str, place: Path
) -> None:
    found = checks(place, **break_it)
    assert list(found) == CHECKS
    assert [check.name for check in found.values() if not check.ok] == [name]
    assert words in found[name].found and found[name].remedy


def test_a_program_that_is_not_there_or_cannot_start(place: Path) -> None:
    with LLMOS("workspace", sdk={"cli_path": "nowhere/claude"}) as system:
        (missing,) = [check for check in examine(system) if check.name == "cli"]
    path = Path(program(place, ""))
    path.write_text("#!/no/such/interpreter\n")
    with LLMOS("workspace", sdk={"cli_path": str(path)}) as system:
        (broken,) = [check for check in examine(system) if check.name == "cli"]
    assert not missing.ok and "missing" in missing.found
    assert not broken.ok and "does not start" in broken.found


def test_a_package_that_is_missing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name in ("pandas", "matplotlib"):
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    found = checks(place)
    assert not found["pandas"].ok and found["pandas"].remedy == "pip install pandas"
    assert found["matplotlib"].ok and "llmos-nb[data]" in found["matplotlib"].found


def test_broken_files_are_named(place: Path) -> None:
    traces = place / "workspace" / "memory" / "traces" / "2026-01"
    agents = place / "workspace" / "agents"
    for folder, text in ((traces, "not a trace"), (agents, "not an agent")):
        folder.mkdir(parents=True)
        (folder / "broken.md").write_text(text)
    found = checks(place)
    assert not found["workspace"].ok and "broken.md" in found["workspace"].found
    assert not found["agents"].ok and "broken.md" in found["agents"].found


def test_a_workspace_that_cannot_be_one_is_told(place: Path) -> None:
    (place / "workspace").write_text("a file")
    found = checks(place)
    assert list(found) == CHECKS
    assert {name for name, check in found.items() if not check.ok} >= {"workspace", "budget"}
    assert all(check.remedy for check in found.values() if not check.ok)


def test_a_full_disk_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", full)
    found = checks(place)
    assert not found["workspace"].ok and "No space left" in found["workspace"].found and found["workspace"].remedy


def test_no_key_reaches_the_program_and_no_value_is_shown(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-very-secret")
    monkeypatch.setenv("CLAUDE_CODE_OAUTH_TOKEN", "sk-very-secret")
    found = checks(place, script="env")
    assert "sk-very-secret" not in str(found) and "ANTHROPIC_API_KEY=none" in found["cli"].found


def test_the_command_prints_every_check_and_its_code_tells(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "workspace").mkdir()
    settings = place / "workspace" / "llmos.toml"
    settings.write_text(f'[sdk]\ncli_path = "{program(place, "echo 9.9.9")}"\n')
    assert main(["doctor"]) == 1
    assert "FAIL  guard" in (told := capsys.readouterr().out) and "1 option not in force until you trust it" in told
    assert main(["trust"]) == 1
    shown = re.findall(r"llmos-nb trust ([0-9a-f]{12})", capsys.readouterr().out)[0]
    assert main(["trust", "0" * 12]) == 1 and "is not what was shown" in capsys.readouterr().err
    assert main(["trust", shown]) == 0 and main(["trust"]) == 0
    capsys.readouterr()
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == CHECKS
    assert all(line.startswith("ok ") for line in lines[:-1]) and lines[-1] == "everything works"

    program(place, "exit 1")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    failed = next(i for i, line in enumerate(lines) if line.startswith("FAIL"))
    assert lines[failed].split()[1] == "cli" and "-> pip install" in lines[failed + 1]
    assert lines[-1] == "1 problem"


def test_a_bad_rule_is_told_with_its_line(place: Path) -> None:
    (place / "workspace").mkdir()
    (place / "workspace" / "llmos.toml").write_text('[[guard]]\nrule = "instal"\ndecision = "allow"\n')
    with pytest.warns(WaitsForTrust, match="there is no rule 'instal'") as told:
        found = checks(place)
    assert (told[0].filename, told[0].lineno) == ("workspace/llmos.toml", 2) and len(told) == 1
    assert not found["guard"].ok and "llmos.toml:2" in found["guard"].found and "line 2" in found["guard"].remedy


def test_it_leaves_nothing_behind(place: Path) -> None:
    checks(place)
    names = {path.name for path in (place / "workspace" / ".llmos").iterdir()}
    assert names <= {"state.db", "state.db-wal", "state.db-shm"}


def test_options_that_the_sdk_does_not_have_are_found(place: Path) -> None:
    with LLMOS("workspace", sdk={"max_turnz": 3}) as system:
        found = {check.name: check for check in examine(system)}
    assert (
        not found["options"].ok and "max_turnz" in found["options"].found and "max_turns" in found["options"].remedy
    )


def test_a_grant_that_nothing_fulfils_is_found(place: Path) -> None:
    agents = place / "workspace" / "agents"
    agents.mkdir(parents=True)
    (agents / "helper.md").write_text("---\nname: helper\ntools: [run_cell, frob]\n---\nHelp.\n")
    found = checks(place)
    assert not found["agents"].ok and "frob" in found["agents"].found and "run_cell" in found["agents"].remedy


def test_the_workspace_may_be_named_before_and_after_the_command(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--workspace", "here", "doctor"], ["doctor", "--workspace", "here"]):
        main(words)
        assert "here, writable" in capsys.readouterr().out
