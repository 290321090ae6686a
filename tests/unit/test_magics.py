"""The magics in a real IPython shell: what they call, what they show, and errors a person can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cells import run
from recorded import record

from llmos_nb.dispatch.explain import Explanation
from llmos_nb.dispatch.result import RunResult
from llmos_nb.errors import (
    AgentFileError,
    LlmosError,
    PlanError,
    RunFailed,
    SettingsError,
    UnknownAgent,
    UnknownTrace,
)
from llmos_nb.memory import Trace
from llmos_nb.notebook.arguments import OPTIONS
from llmos_nb.notebook.extension import awaited
from llmos_nb.notebook.views import Page, Table
from llmos_nb.system import LLMOS

GOAL = "Say hello to the world"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell(place: Path, ipython: Any) -> Iterator[Any]:
    """A shell with the extension, on a workspace that knows one goal."""
    record(GOAL, "greeting = 'hello'\nprint(greeting)", "It **said** hello.")
    ipython.run_line_magic("load_ext", "llmos_nb")
    yield ipython
    ipython.run_line_magic("unload_ext", "llmos_nb")


def refused(shell: Any, cell: str, error: type[LlmosError]) -> LlmosError:
    done = shell.run_cell(cell, store_history=False)
    raised = done.error_in_exec or done.error_before_exec
    assert isinstance(raised, error), raised
    return raised


# ---------------------------------------------------------------- goals


def test_a_cell_is_a_goal_and_works_among_the_users_names(shell: Any) -> None:
    result = run(shell, f"%%llmos --mode follower\n{GOAL}")
    assert isinstance(result, RunResult) and result.ok and result.mode == "follower"
    assert shell.user_ns["greeting"] == "hello"


@pytest.mark.parametrize(
    "cell",
    [
        f"result = %llmos --mode follower {GOAL}",
        f"for _ in range(2):\n    result = %llmos --mode follower {GOAL}",
        f"if True:\n    %llmos --mode follower --out result {GOAL}",
        f"%%llmos --out result --mode=follower\n{GOAL}\n",
        f"result = await llmos.execute({GOAL!r}, mode='follower')",
        f"result = llmos.run({GOAL!r}, mode='follower')",
    ],
)
def test_a_goal_can_be_given_in_every_way(cell: str, shell: Any) -> None:
    run(shell, cell)
    assert shell.user_ns["result"].ok


def test_inside_a_plain_function_it_is_a_syntax_error(shell: Any) -> None:
    done = shell.run_cell("def f():\n    %llmos hello", store_history=False)
    assert isinstance(done.error_before_exec or done.error_in_exec, SyntaxError)


def test_braces_and_dollars_of_a_goal_are_kept(shell: Any) -> None:
    shell.user_ns["x"] = 1
    error = refused(shell, "%%llmos --mode follower\nuse {x} and $x", RunFailed)
    assert isinstance(error, RunFailed) and error.status == "failed"
    assert error.remedy.startswith("{x} was taken word for word: await llmos.execute(f'…')")
    assert shell.user_ns["llmos"].explain("use {x} and $x").mode == "learner"


def test_a_line_and_a_cell_make_one_goal(shell: Any) -> None:
    assert run(shell, "%%llmos --mode follower Say hello\nto the world").ok


def test_explain_says_what_would_be_done(shell: Any) -> None:
    decision = run(shell, f"%llmos --explain {GOAL}")
    assert isinstance(decision, Explanation) and decision.mode == "follower"
    assert "greeting" not in shell.user_ns


def test_a_goal_that_failed_shows_why_and_raises_a_real_error(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(shell, "%%llmos --mode follower\nsomething unknown", RunFailed)
    captured = capsys.readouterr()
    assert "llmos · failed · free" in captured.out and "No trace can be replayed" in captured.out
    assert isinstance(error, RunFailed) and error.run_id and error.remedy


@pytest.mark.parametrize(
    ("cell", "error", "words"),
    [
        ("%%llmos --mood follower\nx", SettingsError, "Did you mean --mode?"),
        ("%%llmos --mode folower\nx", LlmosError, "Did you mean 'follower'?"),
        ("%%llmos --budget much\nx", SettingsError, "'much' is not an amount"),
        ("%%llmos --budget -1\nx", SettingsError, "US dollars"),
        ("%%llmos --out 1x\nx", SettingsError, "not a variable's name"),
        ("%%llmos --out class\nx", SettingsError, "not a variable's name"),
        ("%%llmos --agent generalst\nx", UnknownAgent, "generalist"),
        ("%%llmos\n  ", LlmosError, "empty"),
        ("%llmos", LlmosError, "empty"),
        ("%llmos --resume-plan last", PlanError, "No plan was left unfinished"),
        ("%%llmos --resume-plan last\nPlot it", SettingsError, "takes no goal"),
        ("%llmos --resume-plan none-such", PlanError, "no plan of a run 'none-such'"),
        ("%llmos --resume-plan last --agent generalist", SettingsError, "--agent says nothing beside --resume-plan"),
        ("%llmos --plan --mode follower x", SettingsError, "--mode says nothing beside --plan"),
        ("%llmos --at report x", SettingsError, "--at belongs to --resume-plan"),
    ],
)
def test_mistakes_are_told_in_two_lines(
    cell: str, error: type[LlmosError], words: str, shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    raised = refused(shell, cell, error)
    assert words in str(raised)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", "".join(capsys.readouterr()))
    assert "Traceback" not in shown
    assert len(shown.strip().splitlines()) <= 2 and shown.strip().startswith(type(raised).__name__)


def test_awaiting_is_added_once_and_only_to_goals() -> None:
    cell = "get_ipython().run_cell_magic('llmos', '', 'x')\n"
    line = "x = get_ipython().run_line_magic('llmos', 'y')\n"
    other = "get_ipython().run_line_magic('time', 'llmos')\nget_ipython().run_line_magic('llmos_other', '')\n"
    assert awaited([cell]) == [f"await {cell}"]
    assert awaited([line]) == ["x = await get_ipython().run_line_magic('llmos', 'y')\n"]
    assert awaited(awaited([line])) == awaited([line])
    assert awaited([other]) == [other] and awaited([]) == []


@pytest.mark.parametrize(
    "line",
    [
        "%llmos How many rows?",
        "x = %llmos How many rows?",
        *(f"%{magic} How many rows?" for magic in ("context", "memory", "remember", "schedule", "traces", "guard")),
    ],
)
def test_what_ends_in_a_question_mark_is_no_cry_for_help(shell: Any, line: str) -> None:
    assert "'How many rows?'" in shell.transform_cell(line) and "pinfo" not in shell.transform_cell(line)


def test_a_magic_alone_is_still_asked_for_its_help(shell: Any) -> None:
    assert all("pinfo" in shell.transform_cell(f"%{magic}?") for magic in ("llmos", "schedule", "guard", "remember"))


def test_the_help_names_every_option(shell: Any) -> None:
    help = shell.magics_manager.magics["cell"]["llmos"].__doc__
    assert all(f"--{option.name}" in help and option.help in help for option in OPTIONS)


# ---------------------------------------------------------------- agents, budget, traces


def test_agents_are_listed_and_shown(shell: Any) -> None:
    table = run(shell, "%agents")
    assert isinstance(table, Table) and "generalist" in [row[0] for row in table.rows]
    assert str(run(shell, "%agents list")) == str(table)
    page = run(shell, "%agents show generalist")
    assert isinstance(page, Page) and "name: generalist" in page.text
    assert "generalist" in str(refused(shell, "%agents show generalst", UnknownAgent))
    for wrong in ("%agents show", "%agents frobnicate", "%agents show a b"):
        assert "%agents show NAME" in str(refused(shell, wrong, SettingsError))


def test_the_budget_is_shown_and_set(shell: Any) -> None:
    def cells(table: Table) -> dict[str, tuple[str, ...]]:
        return {row[0]: row[1:] for row in table.rows}

    before = cells(run(shell, "%budget"))
    assert before["workspace"] == ("$10.0000", "$0.0000") and before["one goal"][0] == "$0.5000"
    assert before["day"][0] == "no limit"
    assert cells(run(shell, "%budget set 20"))["workspace"][0] == "$20.0000"
    assert cells(run(shell, "%budget set $2.50"))["workspace"][0] == "$2.5000"
    limited = cells(run(shell, "%budget limits day=2 session=1 run=0.2"))
    assert (limited["day"][0], limited["session"][0], limited["one goal"][0]) == ("$2.0000", "$1.0000", "$0.2000")
    economy = shell.user_ns["llmos"].economy
    assert economy.limits.run_usd == 0.2, "the same place as llmos.economy.set_limit"
    economy.set_limit("run", 0.3)
    assert cells(run(shell, "%budget"))["one goal"][0] == "$0.3000"
    assert cells(run(shell, "%budget limits run=none"))["one goal"][0] == "$0.5000"
    lifted = cells(run(shell, "%budget limits day=none"))
    assert lifted["day"][0] == "no limit" and lifted["session"][0] == "$1.0000"
    assert cells(run(shell, "%budget set none"))["workspace"][0] == "no limit"
    assert cells(run(shell, "%budget show")) == cells(run(shell, "%budget"))
    assert "play money" in str(run(shell, "%budget"))


@pytest.mark.parametrize(
    "line",
    ["set", "set much", "set -1", "set nan", "limits", "limits day", "limits year=2", "limits day=x", "frobnicate",
     "set 1 2", "limits run=-1", "limits day=1 year=2", "limits day=1 session=-1"],
)  # fmt: skip
def test_a_budget_that_is_none_is_refused_and_changes_nothing(line: str, shell: Any) -> None:
    before = str(run(shell, "%budget"))
    assert refused(shell, f"%budget {line}", SettingsError).remedy
    assert str(run(shell, "%budget")) == before


def test_traces_are_listed_and_shown(shell: Any) -> None:
    table = run(shell, "%traces")
    (row,) = table.rows
    assert row[1:5] == (GOAL, "success", "learner", "generalist")
    page = run(shell, f"%trace {row[0]}")
    assert f"# {GOAL}" in page.text and "print(greeting)" in page.text
    assert page.text.startswith("---\nschema: 1\n") and "<pre" in page._repr_html_()
    assert "traces lists" in str(refused(shell, "%trace", SettingsError))
    refused(shell, "%trace nothing", UnknownTrace)
    refused(shell, "%trace ../../etc/passwd", UnknownTrace)


def test_traces_are_searched_by_words(shell: Any) -> None:
    assert len(run(shell, "%traces HELLO world")) == len(run(shell, "%traces learner success")) == 1
    nothing = run(shell, "%traces hello zzz")
    assert len(nothing) == 0 and "no trace has 'hello zzz'" in str(nothing)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%sessions resume", "which one?"),
        ("%context lst", "Did you mean %context last?"),
        ("%llmos_runs stpo b1", "Did you mean stop?"),
        ("%llmos_runs stop b1 b2", "stop all"),
        ("%agents shw generalist", "Did you mean show? Use %agents"),
        ("%%agent poet --tool inspect\nx", "Did you mean --tools?"),
        ("%memory serach sea", "Did you mean search?"),
        ("%crystals tst x", "Did you mean test?"),
        ("%budget limit day=2", "Did you mean limits?"),
        ("%remember --tag a The sea", "Did you mean --tags?"),
        ("%schedule ad --every 1h x", "Did you mean add?"),
        ("%schedule add --every 10 parsecs x", "10 min' in quotes"),
        ("%schedule add --every often x", "--every 'often': is no interval"),
        ("%schedule add --every 1h --cron '0 7 * * 1' x", "--every and --cron together"),
        ("%schedule add --cron '0 7 * *' x", "--cron '0 7 * *': has 4 fields"),
        ("%schedule add --at yesterday x", "--at 'yesterday': is no moment"),
    ],
)
def test_what_is_not_understood_says_what_was_meant(line: str, words: str, shell: Any) -> None:
    assert words in str(refused(shell, line, LlmosError))


@pytest.mark.parametrize("part", ["facts", "agents", "economy", "schedule", "traces", "projects", "crystals"])
def test_a_part_tells_of_itself_in_a_line(part: str, shell: Any) -> None:
    said = repr(getattr(shell.user_ns["llmos"], part))
    assert " at 0x" not in said and "\n" not in said and said.endswith(")")


def test_nothing_is_no_project(shell: Any) -> None:
    run(shell, "%config LLMOSMagics.project = 'whales'")
    run(shell, "%config LLMOSMagics.project = ''")
    assert shell.user_ns["llmos"].settings.project is None


def test_tables_escape_what_they_show(shell: Any) -> None:
    shell.user_ns["llmos"].traces.add(Trace(goal="<script>alert(1)</script>", steps=[], status="failed"))
    page = run(shell, "%traces")._repr_html_()
    assert "<script" not in page and "&lt;script" in page
    assert "nothing" in Table(("a",), (), empty="nothing").__str__()
    assert "<em>" in Table(("a",), (), empty="nothing")._repr_html_()


# ---------------------------------------------------------------- loading


def test_loading_twice_changes_nothing(shell: Any) -> None:
    system, transformers = shell.user_ns["llmos"], list(shell.input_transformers_post)
    shell.run_line_magic("load_ext", "llmos_nb")
    shell.run_line_magic("reload_ext", "llmos_nb")
    assert [t for t in shell.input_transformers_post if t is awaited] == [awaited]
    assert len(shell.input_transformers_post) == len(transformers)
    assert isinstance(shell.user_ns["llmos"], LLMOS) and isinstance(system, LLMOS)
    assert run(shell, f"%llmos --mode follower {GOAL}").ok


def test_unloading_takes_everything_away(shell: Any) -> None:
    assert run(shell, f"%llmos --mode follower {GOAL}").ok
    shell.run_line_magic("unload_ext", "llmos_nb")
    assert "llmos" not in shell.user_ns and awaited not in shell.input_transformers_post
    for name in ("llmos", "agents", "budget", "traces", "trace"):
        assert shell.find_magic(name) is None
    shell.run_line_magic("load_ext", "llmos_nb")
    assert run(shell, f"%llmos --mode follower {GOAL}").ok


def test_a_name_that_is_taken_is_left_alone(place: Path, ipython: Any) -> None:
    ipython.user_ns["llmos"] = "mine"
    ipython.run_line_magic("load_ext", "llmos_nb")
    try:
        assert ipython.user_ns["llmos"] == "mine"
        assert isinstance(run(ipython, "%agents"), Table)
    finally:
        ipython.run_line_magic("unload_ext", "llmos_nb")
    assert ipython.user_ns["llmos"] == "mine"


def test_a_system_that_the_user_made_is_used(place: Path, ipython: Any) -> None:
    record(GOAL, "greeting = 1", "It **said** hello.")
    ipython.user_ns["llmos"] = LLMOS("elsewhere")
    ipython.run_line_magic("load_ext", "llmos_nb")
    try:
        assert run(ipython, "%traces").rows == ()
    finally:
        ipython.run_line_magic("unload_ext", "llmos_nb")


def test_the_systems_name_is_not_the_users(shell: Any) -> None:
    assert "llmos" in shell.user_ns_hidden


# ---------------------------------------------------------------- writing agents


def test_an_agent_is_written_from_a_cell(shell: Any) -> None:
    made = run(shell, '%%agent poet --description "Writes haikus" --tools inspect,read_file\nYou write {haikus}.\n')
    assert str(made) == "Created poet, which is granted inspect, read_file."
    system = shell.user_ns["llmos"]
    assert system.agents.get("poet").prompt == "You write {haikus}."
    assert "nothing was changed" in str(run(shell, "%%agent poet\nYou write {haikus}."))
    changed = str(run(shell, "%%agent poet --model haiku\nYou sing."))
    assert "version 2" in changed and "-You write {haikus}.\n+You sing." in changed
    run(shell, "%%agent painter\n---\nname: painter\ncolour: blue\n---\nYou paint.")
    assert system.agents.get("painter").extra == {"colour": "blue"}


def test_versions_are_shown_compared_and_restored(shell: Any) -> None:
    run(shell, "%%agent poet\nYou write.")
    run(shell, "%%agent poet\nYou sing.")
    table = run(shell, "%agents history poet")
    assert [row[:3] for row in table.rows] == [("1", "created", "user"), ("2", "changed", "user")]
    difference = run(shell, "%agents diff poet")
    assert "+You sing." in str(difference)
    assert '<span style="color:#1a7f37">+You sing.</span>' in difference._repr_mimebundle_()["text/html"]
    assert str(run(shell, "%agents diff poet 1 2")).endswith("-You write.\n+You sing.")
    assert str(run(shell, "%agents restore poet 1")) == "poet is as it was in version 1; that is version 3 now."
    assert "already" in str(run(shell, "%agents restore poet 1"))
    assert str(run(shell, "%agents reload poet")) == "poet: version 3 is in force."
    assert "came with the package" in str(run(shell, "%agents history generalist"))
    page = run(shell, "%agents")
    assert ("poet", "", "", "", "3", "0", "", "") in page.rows
    assert sorted(shell.user_ns["llmos"].agents.list(), key=lambda agent: agent.name)


@pytest.mark.parametrize(
    ("cell", "error", "said"),
    [
        ("%%agent\nx", SettingsError, "which agent?"),
        ("%%agent a b\nx", SettingsError, "more than one name"),
        ("%%agent poet --frob x\nx", SettingsError, "no option --frob"),
        ("%%agent poet --tools\nx", SettingsError, "needs a value"),
        ('%%agent poet --tools "a\nx', SettingsError, "quotes"),
        ("%%agent poet\n \n", SettingsError, "the cell is empty"),
        ("%%agent Poet\nx", AgentFileError, "not an agent name"),
        ("%%agent c0der\nx", AgentFileError, "looks like 'coder'"),
        ("%%agent poet --tools *\nx", AgentFileError, "tool names"),
        ("%%agent poet\n---\nname: other\n---\n", AgentFileError, "the file is 'poet.md'"),
        ("%agents restore poet", SettingsError, "not understood"),
        ("%agents restore generalist one", SettingsError, "not a version"),
        ("%agents restore generalist 9", AgentFileError, "no version 9"),
        ("%agents diff nobody", UnknownAgent, "nobody"),
        ("%agents history", SettingsError, "not understood"),
    ],
)
def test_mistakes_about_agents_are_told(cell: str, error: type[LlmosError], said: str, shell: Any) -> None:
    assert said in str(refused(shell, cell, error))


def test_a_goal_is_taken_back_and_mistakes_are_told(shell: Any) -> None:
    from llmos_nb.errors import SettingsError, UndoRefused

    run(shell, f"%%llmos\n{GOAL}")
    assert run(shell, "greeting") == "hello"
    [(run_id, goal, changed, can)] = run(shell, "%undo --list")
    assert (goal, changed, can) == (GOAL, "1 variable", "yes")
    for line, told in (
        ("--lst", "Did you mean --list"),
        ("a b", "one run"),
        ("--list x", "alone"),
        ("-x", "no option -x"),
    ):
        with pytest.raises(SettingsError, match=told):
            run(shell, f"%undo {line}")
    with pytest.raises(UndoRefused, match=f"Did you mean {run_id}"):
        run(shell, f"%undo {run_id[:-1]}")
    assert "greeting is gone" in str(run(shell, f"%undo {run_id}"))
    assert "greeting" not in shell.user_ns
    with pytest.raises(UndoRefused, match="taken back already"):
        run(shell, "%undo")


def test_runs_and_traces_are_named_by_variables(shell: Any) -> None:
    run(shell, f"result = %llmos {GOAL}")
    result = shell.user_ns["result"]
    shell.user_ns["tid"] = result.trace_id
    for word in ("result", "$result", "tid", "$tid", "{tid}", result.run_id, result.trace_id, "last", ""):
        shell.rl_next_input = ""
        run(shell, f"%llmos_code {word}")
        assert "print(greeting)" in shell.rl_next_input, word
    assert "print(greeting)" in run(shell, "llmos.code(result)")
    assert GOAL in str(run(shell, "%trace $tid"))
    shell.user_ns["number"] = 3
    for line, told in (
        ("%llmos_code $nothing", "no variable nothing"), ("%llmos_code $number", "no run, result or id, but int"),
        ("%llmos_code --x", "no option --x"), ("%trace --help", "no option --help"), ("%undo $number", "but int"),
        ("%llmos_wrong --help", "no option --help"), ("%llmos_wrong tid because", "takes one trace"),
    ):  # fmt: skip
        assert told in str(refused(shell, line, SettingsError)), line
    assert not run(shell, "llmos.traces.get(tid)").wrong, "a slip of the pen takes nothing out of use"
    assert "greeting is gone" in str(run(shell, "llmos.undo(result)"))
    assert "is out of use" in str(run(shell, "%llmos_wrong last"))
    run(shell, "%llmos_wrong result -- it is -- too short")
    assert run(shell, "llmos.traces.get(tid)").wrong.endswith("it is -- too short")


def test_the_code_of_a_replay_has_the_values_of_its_own_goal(shell: Any) -> None:
    for n in (4, 6, 11):
        record(f"Print the double of {n}", f"n = {n}\nprint('double:', n * 2)", f"The double is {n * 2}.")
    run(shell, "result = %llmos Print the double of 21")
    result = shell.user_ns["result"]
    assert result.mode == "follower" and "42" in result.text
    for which in ("last", "result", result.run_id):
        run(shell, f"%llmos_code {which}")
        assert "n = 21" in shell.rl_next_input and "# Print the double of 21" in shell.rl_next_input, which
    assert "n = 21" not in run(shell, "llmos.code(result.trace_id)"), "the trace itself is what was recorded"
    path = run(shell, "llmos.to_notebook('own.ipynb')")
    assert "n = 21" in path.read_text() and "42" in path.read_text()


def test_what_the_last_goal_came_to_is_shown_once_more(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    llmos = shell.user_ns["llmos"]
    assert llmos.last is None
    assert "No goal was worked on" in str(refused(shell, "%llmos_last", SettingsError))
    result = run(shell, f"%llmos {GOAL}")
    assert capsys.readouterr().out.count("hello\n") == 1
    again = run(shell, "%llmos_last")
    assert again is result is llmos.last and capsys.readouterr().out.count("hello\n") == 1
    shell.run_cell("%llmos --mode follower Something that nobody ever recorded", store_history=False)
    assert llmos.last.status == "failed", "however it ended"
    assert "takes nothing" in str(refused(shell, "%llmos_last now", SettingsError))
