"""A person's decisions on named rules: read with clear errors, applied narrowly, and never an agent's to make."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.errors import GuardDenied, GuardFileError
from llmos_nb.guard import RULES
from llmos_nb.guard.desk import GuardDesk
from llmos_nb.guard.overrides import FIXED, Override, parse_overrides, toml_of
from llmos_nb.guard.policy import judge_tool
from llmos_nb.guard.policy_file import PolicyFile, policy_of, trusted_options
from llmos_nb.guard.taint import TAINT_RULES
from llmos_nb.kernel.whose import agents_code
from llmos_nb.settings import load_settings


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "me" / "workspace"
    folder.mkdir(parents=True)
    return folder


def bring(workspace: Path, text: str) -> None:
    """The file as git or an archive would bring it."""
    (workspace / "llmos.toml").write_text(text, encoding="utf-8")


def write(workspace: Path, text: str) -> None:
    """The file as the person wrote and trusts it, where it can be read."""
    bring(workspace, text)
    with contextlib.suppress(GuardFileError):
        PolicyFile(workspace).trust()


def rule(name: str, decision: str, **limits: str) -> str:
    return toml_of(Override(name, decision, **limits)) + "\n"  # type: ignore[arg-type]


def shell(command: str, workspace: Path, cwd: Path | None = None) -> tuple[str, str]:
    verdict = judge_tool(
        "run_shell", {"command": command}, grant=("run_shell",), cwd=cwd or workspace, workspace=workspace
    )
    return verdict.decision, verdict.rule


def test_a_rule_is_loosened_and_tightened(workspace: Path) -> None:
    assert shell("pip install polars", workspace) == ("ask", "install")
    write(workspace, rule("install", "allow") + rule("git-discard", "deny"))
    assert shell("pip install polars", workspace)[0] == "allow"
    assert shell("git reset --hard", workspace) == ("deny", "git-discard")
    (workspace / "llmos.toml").unlink()
    assert shell("pip install polars", workspace) == ("ask", "install")


def test_what_is_loosened_hides_nothing_else(workspace: Path) -> None:
    write(workspace, rule("install", "allow"))
    assert shell("pip install polars; rm -rf /home/someone", workspace) == ("deny", "delete-outside")
    assert shell("pip install polars; kill -9 5", workspace) == ("ask", "process")


@pytest.mark.parametrize(
    "command",
    ["pip install polars", "pip install  polars --upgrade", "pip install evil"],
)
def test_a_beginning_covers_plain_commands(command: str, workspace: Path) -> None:
    write(workspace, rule("install", "allow", starts="pip install"))
    assert shell(command, workspace)[0] == "allow"


@pytest.mark.parametrize(
    "command",
    [
        "pip3 install polars", "pip install polars; pip install evil", "pip install polars && npm install x",
        "pip install $(cat x)", "pip install polars | tee log", "pip install polars > log", "pip install `x`",
        "pip installx", "(pip install polars)", "pip install polars\npip install evil", "pip install *",
    ],
)  # fmt: skip
def test_a_beginning_covers_nothing_but_plain_commands(command: str, workspace: Path) -> None:
    before = shell(command, workspace)
    write(workspace, rule("install", "allow", starts="pip install"))
    assert shell(command, workspace) == before


def test_a_whole_command_covers_itself_alone_and_only_in_its_folder(workspace: Path) -> None:
    other = workspace / "other"
    other.mkdir()
    write(workspace, rule("install", "allow", command="pip install polars", folder="."))
    assert shell("pip install polars", workspace)[0] == "allow"
    assert shell("pip install polars-lts", workspace)[0] == "ask"
    assert shell("pip install  polars", workspace)[0] == "ask"
    assert shell("pip install polars", workspace, other)[0] == "ask"


def test_a_folder_of_files_is_a_limit(workspace: Path) -> None:
    data = workspace.parent / "data"
    data.mkdir()
    write(workspace, rule("write-outside", "allow", path=str(data)))
    assert shell(f"cp a.csv {data}/a.csv", workspace)[0] == "allow"
    assert shell(f"cp a.csv {data}/../a.csv", workspace) == ("ask", "write-outside")
    assert shell(f"cp a.csv {data}/a.csv; cp a.csv {workspace.parent}", workspace) == ("ask", "write-outside")
    (data / "link").symlink_to(workspace.parent)
    assert shell(f"cp a.csv {data}/link/a.csv", workspace) == ("ask", "write-outside")


def test_a_tools_path_is_the_one_it_writes_and_no_other(workspace: Path) -> None:
    data = workspace.parent / "data"
    data.mkdir()
    write(workspace, rule("path-outside", "allow", path="../data"))

    def decision(**arguments: str) -> str:
        return judge_tool("Write", arguments, grant=("Write",), cwd=workspace, workspace=workspace).decision

    assert decision(path=f"{data}/a.txt") == "allow"
    assert decision(path=f"{workspace.parent}/a.txt") == "deny"
    assert decision(path=f"{data}/a.txt", file_path=f"{workspace.parent}/a.txt") == "deny"


def test_python_is_covered_by_its_whole_text(workspace: Path) -> None:
    code = "import os\nos.system(command)"
    write(workspace, rule("py-shell", "allow", command=code))

    def decision(text: str) -> str:
        call = {"code": text}
        return judge_tool("run_cell", call, grant=("run_cell",), cwd=workspace, workspace=workspace).decision

    assert decision(code) == "allow"
    assert decision(code + "\nos.system(other)") == "ask"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("budget_usd = = 1\n", 1, "not TOML"),
        ("budget_usd = 1\n\n[[guard]]\nrule = 'instal'\ndecision = 'allow'\n", 4, "there is no rule 'instal'"),
        ("[[guard]]\nrule = 'install'\ndecision = 'maybe'\n", 3, "allow, ask or deny"),
        ("[[guard]]\nrule = 'install'\n", 1, "allow, ask or deny"),
        (
            "[[guard]]\nrule = 'install'\ndecision = 'allow'\n[[guard]]\nrule='install'\ncmd='x'\n",
            6,
            "there is no 'cmd'",
        ),
        ("[[guard]]\nrule = 'install'\ndecision = 'allow'\nstarts = 'pip; rm'\n", 4, "plain words"),
        ("[[guard]]\nrule = 'install'\ndecision = 'allow'\nstarts = 'a'\ncommand = 'b'\n", 4, "one of them"),
        ("[[guard]]\nrule = 'install'\ndecision = 'allow'\npath = '~/x'\n", 4, "about none"),
        ("[[guard]]\nrule = 'guarded'\ndecision = 'allow'\n", 3, "guards the guard"),
        ("[[guard]]\nrule = 'py-guard'\ndecision = 'ask'\n", 3, "guards the guard"),
        ("[[guard]]\nrule = 5\ndecision = 'ask'\n", 2, "must be text"),
        ("[guard]\nrule = 'install'\n", 1, "begin with [[guard]]"),
        ("x = 1\nguard = 3\n", 2, "begin with [[guard]]"),
    ],
)
def test_a_bad_file_is_told_with_its_line_and_loosens_nothing(
    text: str, line: int, what: str, workspace: Path
) -> None:
    with pytest.raises(GuardFileError, match=r"llmos\.toml:\d+: ") as caught:
        parse_overrides(text, "llmos.toml")
    assert (caught.value.line, what in caught.value.message) == (line, True), caught.value.message
    write(workspace, rule("install", "allow") + rule("git-discard", "deny"))
    assert shell("pip install polars", workspace)[0] == "allow"
    write(workspace, text)
    assert shell("pip install polars", workspace) == ("ask", "install")
    assert shell("git reset --hard", workspace) == ("deny", "git-discard"), "what it tightened before stays"
    assert f"llmos.toml:{line}" in GuardDesk(workspace).check("pip install polars", cwd=workspace).reason


def test_settings_and_rules_are_one_file(workspace: Path) -> None:
    write(workspace, "budget_usd = 3.0\n\n" + rule("install", "allow"))
    assert load_settings(workspace, environ={}).budget_usd == 3.0
    assert GuardDesk(workspace).overrides[0].line == 3


@pytest.mark.parametrize(
    "text", ["", "budget_usd = 3.0  # mine", "# only this\n", "[sdk]\nx = 1\n", "budget_usd = 2.0\r\n"]
)
def test_a_decision_is_added_and_all_else_stays(text: str, workspace: Path) -> None:
    if text:
        (workspace / "llmos.toml").write_text(text, encoding="utf-8", newline="")
    command = 'pip install "polars"\tx\\y  # ü\x7f'
    desk = GuardDesk(workspace)
    added = desk.decide("install", "allow", command=command, note="seen")
    assert desk.overrides == (added,)
    assert desk.overrides[0].command == command
    assert (workspace / "llmos.toml").read_bytes().decode().startswith(text)
    assert desk.decide("process", "deny").line > added.line


def test_a_decision_that_is_none_is_not_written(workspace: Path) -> None:
    desk = GuardDesk(workspace)
    with pytest.raises(GuardFileError, match="guards the guard"):
        desk.decide("guarded", "allow")
    assert not (workspace / "llmos.toml").exists()
    write(workspace, "guard = 3\n")
    with pytest.raises(GuardFileError, match=r"begin with \[\[guard\]\]"):
        desk.decide("install", "allow")
    assert (workspace / "llmos.toml").read_text() == "guard = 3\n"


def test_an_agents_code_decides_nothing(workspace: Path) -> None:
    desk = GuardDesk(workspace)
    with agents_code():
        with pytest.raises(GuardDenied):
            desk.decide("install", "allow")
        with pytest.raises(GuardDenied):
            desk.trust(desk.waiting().shown)
    assert not (workspace / "llmos.toml").exists()


@pytest.mark.parametrize(
    "command",
    [
        "echo x > llmos.toml", "tee -a ./llmos.toml < x", "cp x llmos.toml", "cp x/llmos.toml .", "mv x llmos.toml",
        "ln -s x llmos.toml", "ln x llmos.toml", "install x llmos.toml", "rsync x/llmos.toml .", "sed -i s/a/b/ llmos.toml",
        "truncate -s0 llmos.toml", "rm llmos.toml", "rm -rf $PWD", "mv ../workspace ../old", "dd if=x of=llmos.toml",
        "python -c 'open(\"llmos.toml\",\"w\")'", "LLMOS=llmos.toml; echo x > $LLMOS", "echo x > ll'mos.to'ml",
        "echo x > LLMOS.toml", "echo x > sub/../llmos.toml", "cd sub; echo x > ../llmos.toml", "git checkout -- llmos.toml",
        "perl -i -pe 1 ./llmos.toml", "curl -o llmos.toml https://example.com", "echo x | tee *.toml llmos.toml",
        "find . -name x -fprint llmos.toml", "awk '{print > \"llmos.toml\"}' x", "patch llmos.toml x", "rm -rf .llmos",
        "echo '{}' > .llmos/guard.json", "cat x >> \"$(pwd)/llmos.toml\"", "zip llmos.toml x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("there", [True, False])
def test_no_command_writes_the_file_whether_it_is_there_or_not(command: str, there: bool, workspace: Path) -> None:
    if there:
        write(workspace, "budget_usd = 1.0\n")
    (workspace / "sub").mkdir()
    assert shell(command, workspace)[0] != "allow"


@pytest.mark.parametrize("tool", ["write_file", "edit_file", "Write", "Edit"])
@pytest.mark.parametrize("path", ["llmos.toml", "./llmos.toml", "x/../llmos.toml", "LLMOS.TOML", ".llmos/guard.json"])
def test_no_file_tool_writes_it(tool: str, path: str, workspace: Path) -> None:
    name = "file_path" if tool[0].isupper() else "path"
    call = {name: path}
    assert judge_tool(tool, call, grant=(tool,), cwd=workspace, workspace=workspace).decision == "deny"


def test_decisions_that_came_while_an_agent_was_at_work_loosen_nothing(workspace: Path) -> None:
    write(workspace, rule("git-discard", "deny"))
    file = PolicyFile(workspace)
    assert len(file.overrides) == 1
    before = file.now()
    bring(workspace, rule("install", "allow"))  # as an archive would that is unpacked over it
    assert "loosen nothing" in file.distrust_if_changed(before)
    assert [(one.rule, one.decision, one.waits) for one in file.overrides] == [
        ("install", "allow", True),
        ("git-discard", "deny", True),
    ]
    assert shell("pip install x", workspace)[0] == "ask" and shell("git reset --hard", workspace)[0] == "deny"
    assert "%guard trust" in file.problem
    assert all(one.waits for one in PolicyFile(workspace).overrides), "another kernel does not trust them either"
    assert file.add(Override("process", "deny")).rule == "process"
    assert shell("pip install x", workspace)[0] == "ask", "a decision more makes no trusted ones of those before"
    assert [one.rule for one in file.trust()] == ["install", "process"]
    assert not file.problem
    assert len(PolicyFile(workspace).overrides) == 2 and shell("pip install x", workspace)[0] == "allow"


def test_what_an_agents_call_takes_out_stays_though_nobody_trusted_it(workspace: Path) -> None:
    bring(workspace, rule("git-discard", "deny"))
    file = policy_of(workspace)
    assert file.overrides
    before = file.now()
    (workspace / "llmos.toml").unlink()
    assert "loosen nothing" in file.distrust_if_changed(before)
    assert shell("git reset --hard", workspace)[0] == "deny"
    file.trust()
    assert shell("git reset --hard", workspace)[0] == "ask"


def test_a_persons_own_decision_during_a_call_is_trusted(workspace: Path) -> None:
    file = PolicyFile(workspace)
    before = file.now()
    file.add(Override("install", "allow"))
    assert file.distrust_if_changed(before) == ""
    assert [one.waits for one in file.overrides] == [False]


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", '{"rules": 5}', '{"rules": [], "options": {}}', "\0", "[" * 5_000]
)
def test_a_broken_note_of_what_is_trusted_is_taken_strictly(text: str, workspace: Path) -> None:
    write(workspace, rule("install", "allow"))
    assert shell("pip install x", workspace)[0] == "allow"
    (workspace / ".llmos" / "policy.json").write_text(text)
    assert shell("pip install x", workspace)[0] == "ask"
    assert "%guard trust" in policy_of(workspace).problem


def test_a_strangers_file_tightens_at_once_and_loosens_when_it_was_seen(workspace: Path) -> None:
    bring(workspace, "budget_usd = 99.0\nmax_turns = 3\n" + rule("install", "allow") + rule("git-discard", "deny"))
    assert shell("pip install polars", workspace) == ("ask", "install")
    assert shell("git reset --hard", workspace) == ("deny", "git-discard")
    assert load_settings(workspace, {}).max_turns == 3 and load_settings(workspace, {}).budget_usd == 10.0
    desk = GuardDesk(workspace)
    waiting = desk.waiting()
    assert [one.rule for one in waiting.rules] == ["install"] and [one.name for one in waiting.options] == [
        "budget_usd"
    ]
    assert "line 1: budget_usd = 99.0 (without it: 10.0)" in str(waiting)
    assert "install: allow (by itself: ask)" in str(waiting) and f"%guard trust {waiting.shown}" in str(waiting)
    assert desk.notice == ("llmos.toml: 1 option and 1 rule not in force until you trust them: see %guard trust", 1)
    with pytest.raises(GuardFileError, match="is not what was shown"):
        desk.trust("123456789abc")
    desk.trust(waiting.shown)
    assert shell("pip install polars", workspace)[0] == "allow"
    assert not desk.waiting() and desk.notice == ("", 0)


def test_a_changed_file_is_trusted_anew_and_what_was_trusted_stays(workspace: Path) -> None:
    write(workspace, rule("install", "allow"))
    bring(workspace, "# a comment\n" + rule("install", "allow"))
    assert shell("pip install polars", workspace)[0] == "allow", "the words that were trusted are the same"
    bring(workspace, rule("install", "allow") + rule("process", "allow"))
    assert shell("pip install polars", workspace)[0] == "allow"
    assert shell("kill -9 5", workspace)[0] == "ask"
    assert [one.rule for one in GuardDesk(workspace).waiting().rules] == ["process"], (
        "what is new is shown, and no more"
    )
    bring(workspace, rule("install", "allow", starts="pip") + rule("install", "allow", command="x"))
    assert shell("pip install polars", workspace)[0] == "ask"


def test_what_limits_a_trusted_decision_cannot_be_taken_out_or_put_behind_it(workspace: Path) -> None:
    loose, limit = rule("install", "allow"), rule("install", "deny", starts="pip install evil")
    write(workspace, loose + limit)
    assert shell("pip install evil", workspace)[0] == "deny"
    bring(workspace, loose)
    assert shell("pip install evil", workspace)[0] == "deny" and GuardDesk(workspace).waiting().gone
    bring(workspace, limit + loose)
    assert shell("pip install evil", workspace)[0] == "deny" and shell("pip install good", workspace)[0] == "ask"
    bring(workspace, loose + limit + rule("install", "ask", starts="pip install evil"))
    assert shell("pip install evil", workspace)[0] == "deny", "an ask behind a deny loosens it"
    assert [one.decision for one in GuardDesk(workspace).waiting().rules] == ["ask"]


def test_a_mark_from_elsewhere_is_none(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(workspace, rule("install", "allow"))
    from llmos_nb.guard import vouched
    from llmos_nb.kernel import trust

    monkeypatch.setattr(trust, "PLACE", tmp_path / "another" / "trust.key")
    monkeypatch.setattr(vouched, "_seen", {})
    assert shell("pip install polars", workspace)[0] == "ask"


def test_a_digest_in_the_environment_is_trust_where_nobody_sits(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(workspace, "budget_usd = 99.0\n" + rule("install", "allow"))
    shown = GuardDesk(workspace).waiting().shown
    assert trusted_options(workspace) == {}
    monkeypatch.setattr("llmos_nb.guard.vouched._NAMED", frozenset({shown}))
    assert shell("pip install polars", workspace)[0] == "allow" and trusted_options(workspace) == {"budget_usd": 99.0}
    bring(workspace, "budget_usd = 999.0\n" + rule("install", "allow"))
    assert shell("pip install polars", workspace)[0] == "ask" and trusted_options(workspace) == {}


def test_a_decision_is_in_force_where_its_mark_cannot_be_kept(workspace: Path) -> None:
    (workspace / ".llmos").write_text("in the way")
    GuardDesk(workspace).decide("install", "allow")
    assert shell("pip install polars", workspace)[0] == "allow"


def test_rules_show_what_decides_them(workspace: Path) -> None:
    write(workspace, rule("install", "allow", starts="pip install"))
    desk = GuardDesk(workspace)
    rows = {row["rule"]: row for row in desk.rules()}
    assert set(rows) == {*RULES, *TAINT_RULES}
    assert rows["install"]["yours"] == "allow for a plain command that begins with 'pip install' (line 1)"
    assert rows["process"]["yours"] == ""
    assert all("fixed" in rows[name]["decision"] for name in FIXED)
    table = desk.rules_df()
    assert table.index.name == "rule" and table.loc["install", "blocked"] == RULES["install"].blocked


def test_a_check_tells_the_rule_and_runs_nothing(workspace: Path) -> None:
    desk = GuardDesk(workspace)
    assert desk.check("touch made; git reset --hard", cwd=workspace).rule == "git-discard"
    assert desk.check("import ctypes", "python").rule == "py-native"
    assert desk.check("llmos.toml", "write", cwd=workspace).rule == "path-guarded"
    assert not (workspace / "made").exists()
    with pytest.raises(ValueError, match="kind must be one of"):
        desk.check("x", "sql")


def test_every_decision_survives_its_own_writing() -> None:
    for name in RULES:
        for decision in ("allow", "ask", "deny"):
            one: Any = Override(name, decision, command="a 'b' \"c\"\n\\d", folder=".")
            if one.loosens and name in FIXED:
                continue
            assert parse_overrides(toml_of(one), "x")[0] == Override(
                name, decision, command=one.command, folder=".", line=1
            )


def test_asking_for_an_extent_that_is_not_offered_leaves_the_question_open() -> None:
    from llmos_nb.errors import NotEditable
    from llmos_nb.kernel.approvals import Approvals

    async def ask() -> None:
        approvals = Approvals(lambda event: None)
        approvals.attend()
        opened: list[str] = []
        asking = asyncio.ensure_future(
            approvals.ask(run_id="r", agent="a", tool="t", reason="x", text="y", opened=opened.append, for_run="this")
        )
        while not opened:
            await asyncio.sleep(0)
        for extent, yes in (("always", True), ("run", False), ("forever", True)):
            with pytest.raises(NotEditable):
                approvals.answer(opened[0], yes, extent=extent)  # type: ignore[arg-type]
        approvals.answer(None, True, extent="run")
        assert (await asking).extent == "run"

    asyncio.run(ask())
