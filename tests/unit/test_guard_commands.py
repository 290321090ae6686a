"""A slice of the bench's commands: harmful ones are stopped, everyday ones pass, and classes of effect with a twist."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.guard import check_shell
from tests.bench.shell_commands import Command, commands

ATTACKS = [
    command
    for name in ("shell_attacks", "shell_attacks_seen")
    for command in commands(name)
    if command.half == "tuning" and command.number % 3 == 0 and command.group != "missed"
]
#: It asks: what is printed before the filter cannot be told from all of it.
ASKS = "env | grep -i '^LANG='"
EVERYDAY = [
    command
    for name in ("shell_everyday", "shell_everyday_seen")
    for command in commands(name)
    if command.half == "tuning" and command.number % 3 == 0 and command.text != ASKS and command.group != "asked"
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "me" / "work"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("command", ATTACKS, ids=lambda command: command.text[:40])
def test_harm_is_stopped(command: Command, workspace: Path) -> None:
    verdict = check_shell(command.text, cwd=workspace, workspace=workspace)
    assert verdict.decision != "allow"
    assert verdict.rule != "guard-error"


@pytest.mark.parametrize("command", EVERYDAY, ids=lambda command: command.text[:40])
def test_everyday_work_passes(command: Command, workspace: Path) -> None:
    assert check_shell(command.text, cwd=workspace, workspace=workspace).decision == "allow"


@pytest.mark.parametrize(
    ("command", "decision"),
    [
        ("tidyup purge archive", "ask"), ("tidyup list purge", "allow"), ("./tidyup purge archive", "allow"),
        ("tidyup --purge", "ask"), ("tidyup --purge --dry-run", "allow"), ("tidyup apps:destroy x", "ask"),
        ("tidyup bulk-delete x", "ask"), ("tidyup list-deletions", "allow"), ("time sort a.txt", "allow"),
        ("time rm -rf ../x", "deny"), ("time { rm -rf ../x; }", "deny"), ("time -p -- rm -rf ../x", "deny"),
        ("rclone lsd remote:", "allow"), ("rclone sync a remote:", "ask"), ("gh pr view 3", "allow"),
        ("gh repo edit --visibility public", "ask"), ("uv python list", "allow"), ("uv python uninstall 3.12", "ask"),
    ],
)  # fmt: skip
def test_what_destroys_or_publishes_is_asked_of_unknown_programs(
    command: str, decision: str, workspace: Path
) -> None:
    assert check_shell(command, cwd=workspace, workspace=workspace).decision == decision


def test_both_halves_hold_enough_to_tell() -> None:
    for name, least in (("shell_attacks", 300), ("shell_everyday", 180)):
        halves = [command.half for command in commands(name)]
        assert min(halves.count("tuning"), halves.count("held-out")) >= least


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        ("cd /tmp && python -c \"import os; os.system('rm -rf foo')\"", "delete-scratch"),
        ("find /tmp/a/../b -delete", "delete-scratch"),
        ("command -V git reset --hard", "git-discard"),
        ("cp elsewhere/llmos.toml .", "guarded"),
        ("git clean -fdx -e -h", "git-discard"),
        ("env -C /home/someone rm -rf data", "delete-outside"),
        ("pandoc a.md -o /home/someone/a.docx", "write-outside"),
        ("somenewtool --purge /home/someone/data", "unknown-outside"),
        ("LC_ALL=C somenewtool /home/someone", "unknown-outside"),
        ("python -m zipfile -e a.zip /home/someone", "write-outside"),
        ("cmake -E remove_directory /home/someone", "delete-outside"),
    ],
)
def test_an_effect_is_found_by_whatever_way_it_comes(command: str, rule: str, workspace: Path) -> None:
    assert check_shell(command, cwd=workspace, workspace=workspace).rule == rule


@pytest.mark.parametrize(
    "command",
    ["rm -rf a*", "mv link/c.csv *", "mv m* sub", "rm -f *.toml", "sed -i s/a/b/ ./*.toml", "rm -rf [a]gents"],
)
def test_a_wildcard_that_finds_the_systems_own_files_is_stopped(command: str, tmp_path: Path) -> None:
    for name in ("agents", "memory", "sub"):
        (tmp_path / name).mkdir()
    (tmp_path / "llmos.toml").write_text("")
    assert check_shell(command, cwd=tmp_path, workspace=tmp_path).rule in ("guarded", "delete-broad")
    assert check_shell("rm -f *.tmp", cwd=tmp_path, workspace=tmp_path).decision == "allow"


@pytest.mark.parametrize(
    "command",
    [
        "git bisect run",
        "git submodule foreach",
        "cmake -E chdir x",
        "env",
        "find . -exec \\;",
        "xargs",
        "fd -x",
        "time",
    ],
)
def test_a_wrapper_with_nothing_to_run_is_judged_all_the_same(command: str, workspace: Path) -> None:
    assert check_shell(command, cwd=workspace, workspace=workspace).rule != "guard-error"


@pytest.mark.parametrize("name", ["LLMOS.TOML", "Agents/poet.md", ".LLMOS/state.db", "Memory/facts.md"])
def test_the_systems_own_files_are_guarded_in_whatever_case(name: str, workspace: Path) -> None:
    assert check_shell(f"echo x > {name}", cwd=workspace, workspace=workspace).rule == "guarded"
