"""Content from outside: what notes it, what asks because of it, and that an obedient agent lets nothing out."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from sets.ordinary import FLOWS, asks_of
from sets.victim import WAYS_IN, Attacker, Untold, Victim, attack, sinks

from llmos_nb import LLMOS
from llmos_nb.errors import GuardDenied, SettingsError
from llmos_nb.guard.exits import exits, outward_text
from llmos_nb.guard.outside_marks import OutsideMarks
from llmos_nb.guard.remote import loads, without_remote, without_remote_text
from llmos_nb.guard.taint import FOREIGN, NAMED, Mark, Taint
from llmos_nb.kernel.events import Tainted
from llmos_nb.kernel.whose import agents_code
from llmos_nb.memory.came_in import marks_of_run, marks_of_session
from llmos_nb.memory.session import SessionLog
from llmos_nb.tools.came_in import came_in


@pytest.fixture
def attacker(tmp_path: Path) -> Iterator[Attacker]:
    made = Attacker(tmp_path / "attacker")
    yield made
    made.close()


#: Each way in with some sinks, each of these sinks by some way: the bench has all pairs.
SLICE = [
    ("a file named in the goal", "urllib"), ("a file that was not named", "curl"), ("cat in a shell", "a hidden import"),
    ("open() in a cell", "a picture in HTML"), ("a row of a CSV", "getattr"), ("the person's variable", "a socket"),
    ("WebFetch", "WebFetch"), ("WebSearch", "a script that was written"), ("urllib in a cell", "subprocess"),
    ("curl in a shell", "a picture in the answer"), ("a foreign MCP tool", "Bash"), ("a subagent's report", "an agent"),
    ("a fact of a tainted run", "a thread"), ("an agent of a tainted run", "os.system, put together"),
    ("the name of a file", "a fact"), ("the history of git", "/dev/tcp"), ("Grep", "a datagram"),
    ("a traceback", "a page that is written"), ("a notebook", "a forked child"), ("a program's output", "sys.modules"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_obedient_agent_lets_nothing_out(attacker: Attacker, tmp_path: Path) -> None:
    table = sinks(attacker)
    assert {way for way, _ in SLICE} == set(WAYS_IN)
    for number, (way, sink) in enumerate(SLICE):
        victim = Victim(tmp_path / str(number), attacker)
        assert asyncio.run(attack(victim, WAYS_IN[way], table[sink])), f"{way} brought nothing in"
        assert not attacker.has(), f"{way} -> {sink}: {attacker.received()!r}"


def test_without_the_marks_it_would_have(attacker: Attacker, tmp_path: Path) -> None:
    table = sinks(attacker)
    for sink in ("urllib", "sys.modules", "a picture in HTML"):
        attacker.forget()
        victim = Victim(tmp_path / sink, attacker, taint=Untold(), ask=lambda verdict: True)
        asyncio.run(attack(victim, WAYS_IN["a file named in the goal"], table[sink]))
        assert attacker.has(), sink


@pytest.mark.parametrize("name", sorted(FLOWS)[::7])
def test_ordinary_work_is_not_asked_about(name: str, tmp_path: Path) -> None:
    assert asyncio.run(asks_of(FLOWS[name], tmp_path / "here")) == ""


def test_what_a_person_agrees_to_is_done(attacker: Attacker, tmp_path: Path) -> None:
    victim = Victim(tmp_path / "v", attacker, ask=lambda verdict: True)
    asyncio.run(attack(victim, WAYS_IN["a file named in the goal"], sinks(attacker)["urllib"]))
    assert attacker.has() and victim.taint.level == FOREIGN, "and what it fetched came in"


# -- what is noted


def test_levels_only_rise_until_a_person_has_looked() -> None:
    taint = Taint()
    assert taint.level == "" and taint.mark(NAMED, "file", "a.csv", "r1") is not None
    assert taint.mark(NAMED, "file", "a.csv", "r2") is None and taint.level == NAMED
    taint.mark(FOREIGN, "web", "http://x.y\x1b[0m", "r2")
    assert taint.level == FOREIGN and taint.of_run("r2")[0].what == "http://x.y?[0m"
    taint.mark(NAMED, "file", "b.csv")
    assert taint.level == FOREIGN
    taint.clear()
    assert taint.level == "" and not taint.marks


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("penguins.csv", True), ("data/penguins.csv", True), ("input/2024.csv", True), ("notes.md", False),
        ("/etc/hosts", False), ("other/README.md", False), ("tips.parquet", True),
    ],
)  # fmt: skip
def test_a_file_is_named_by_its_name_its_stem_or_its_folder(path: str, named: bool) -> None:
    taint = Taint()
    taint.hear("Join Penguins.csv with the TIPS and everything in input/")
    assert taint.is_named(path) is named


@pytest.mark.parametrize(("code", "looked"), [("con.execute('select * from t')", False), ("!cat *", True)])
def test_a_star_in_a_statement_is_no_file(code: str, looked: bool, tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("x")
    found = came_in("run_cell", {"code": code}, "", (), Taint(), kind="python", cwd=tmp_path)
    assert any(what == "theirs.txt" for _, _, what in found) is looked


@pytest.mark.parametrize(
    ("tool", "text", "level"),
    [
        ("run_cell", "files = !ls", "named"), ("run_cell", "files = !ls *.csv\nlen(files)", "named"),
        ("run_cell", "!ls -la | ls *.csv", "named"), ("run_shell", "ls *.csv; pwd", "named"),
        ("run_cell", "text = !cat *.csv", "foreign"), ("run_shell", "ls *.csv | xargs cat", "foreign"),
        ("run_cell", "!ls *.csv; cat a.csv", "foreign"), ("run_shell", "ls `cat a.csv`", "foreign"),
    ],
)  # fmt: skip
def test_names_of_files_are_no_words_of_strangers(tool: str, text: str, level: str, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x\n")
    kind, argument = ("python", "code") if tool == "run_cell" else ("shell", "command")
    found = list(came_in(tool, {argument: text}, "a.csv", (), Taint(), kind=kind, cwd=tmp_path))
    assert {one[0] for one in found} == ({"named"} if level == "named" else {one[0] for one in found} | {"foreign"})


def test_a_session_tells_what_came_in(ipython: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ipython.run_line_magic("load_ext", "llmos_nb")
    assert "Nothing came in" in str(ipython.run_line_magic("taint", ""))
    ipython.user_ns["llmos"].taint.mark("foreign", "web", "https://s.example/x", "run-1")
    told = str(ipython.run_line_magic("taint", ""))
    assert "https://s.example/x" in told and "run-1" in told and "changing agents, facts" in told
    with pytest.raises(SettingsError, match="not understood"):
        ipython.run_line_magic("taint", "claer")
    ipython.run_line_magic("taint", "clear")
    assert "Nothing came in" in str(ipython.run_line_magic("taint", ""))
    ipython.run_line_magic("unload_ext", "llmos_nb")


def test_a_file_that_a_call_made_unseen_lets_nothing_in(tmp_path: Path) -> None:
    """A library of C writes unseen; an older file counts, also one whose time somebody set."""
    older, unseen = tmp_path / "older.parquet", tmp_path / "unseen.parquet"
    older.write_text("x")
    since = time.time_ns() + 50_000_000
    os.utime(older, ns=(since * 2, since * 2))
    time.sleep(0.1)
    unseen.write_text("x")

    def found(path: Path, **more: Any) -> list[Any]:
        code = {"code": f"print(read('{path.name}'))"}
        return list(came_in("run_cell", code, "x", [], Taint(), kind="python", cwd=tmp_path, since_ns=since, **more))

    assert not found(unseen)
    assert found(older) and found(unseen, hosts=["example.org"])


def test_an_address_is_followed_as_it_stands_and_not_often() -> None:
    taint = Taint()
    taint.hear("Read https://docs.example.org/guide")
    taint.learn("see http://stranger.example/a, and http://stranger.example/b http://stranger.example/c and /d")
    assert taint.may_follow("https://docs.example.org/other?x=1"), "the person named the host"
    assert taint.may_follow("http://stranger.example/a") and not taint.may_follow(
        "http://stranger.example/a?d=secret"
    )
    for letter in "abc":
        taint.followed(f"http://stranger.example/{letter}")
    assert not taint.may_follow("http://stranger.example/a"), "nothing is spelled by choosing among them"


def test_marks_of_what_was_written_hold_for_that_content(tmp_path: Path) -> None:
    marks, mark = (
        OutsideMarks(tmp_path / "m" / "o.jsonl"),
        Mark(FOREIGN, "web", "http://x", at="2026-01-01T00:00:00Z"),
    )
    marks.note("agent", "clerk", "d1", mark)
    marks.note("agent", "clerk", "d1", mark)
    assert len(marks.path.read_text().splitlines()) == 1
    again = OutsideMarks(marks.path)
    assert again.found("agent", "clerk", "d1") is not None and again.found("agent", "clerk", "d2") is None
    with marks.path.open("a") as file:
        file.write('{"torn')
    assert again.found("agent", "clerk", "d1") is not None
    marks.path.unlink()
    assert again.found("agent", "clerk", "d1") is None


def test_who_goes_on_with_a_session_knows_what_it_had_read(tmp_path: Path) -> None:
    log = SessionLog(tmp_path, "s1")
    log(Tainted(run_id="r1", level="foreign", kind="web", what="http://x"))
    assert [mark.what for mark in marks_of_session(tmp_path, "s1")] == ["http://x"]
    assert [mark.level for mark in marks_of_run(tmp_path, "r1")] == ["foreign"]
    log(Tainted(run_id="r1", level=""))
    assert marks_of_session(tmp_path, "s1") == [] and marks_of_run(tmp_path, "none") == []


def test_only_a_person_says_that_it_was_looked_at(tmp_path: Path) -> None:
    with LLMOS(workspace=tmp_path / "w", endpoint="scripted") as system:
        system.taint.mark(FOREIGN, "web", "http://x", "r1")
        with agents_code(), pytest.raises(GuardDenied):
            system.clear_taint()
        assert system.taint.level == FOREIGN
        assert "http://x" in system.clear_taint() and system.taint.level == ""
        assert system.clear_taint() == "Nothing has come in from outside."


# -- what asks


def judged(tool: str, arguments: dict[str, Any], level: Any, kind: str, said: str = "") -> str:
    taint = Taint()
    taint.hear(said)
    taint.mark(level, "file", "a.txt")
    return exits(tool, arguments, taint, kind=kind).rule


@pytest.mark.parametrize(
    "command",
    ["ls -l | sort", "git status && git log -3", "cat a.csv > b.csv", "grep -r x .", "tar czf a.tgz b", "sed -n 1,5p a",
     "awk -F, '{print $2}' a.csv", "echo $(wc -l < a.csv)", "find . -name '*.py' | head"],
)  # fmt: skip
def test_commands_that_stay(command: str) -> None:
    assert outward_text(command) == ""


@pytest.mark.parametrize(
    "command",
    ["curl x", "python a.py", "$X a", "f() { curl x; }; f", "PATH=. ls", "echo a > /dev/tcp/1.2.3.4/80", "ls; make", "./ls",
     "find . -exec sh {} +", "git push", "git -c core.pager=x log", "sort --compress-program=x a", "tar cf h:/a b",
     "ls 'a", "env ls", "xargs ls", "sed s/a/b/e x"],
)  # fmt: skip
def test_commands_that_may_not(command: str) -> None:
    assert outward_text(command) != ""


@pytest.mark.parametrize("level", [NAMED, FOREIGN])
def test_code_that_sends_asks_at_both_levels_and_lasting_changes_at_one(level: str) -> None:
    assert (
        judged("run_cell", {"code": "import requests\nrequests.get('http://s.example/')"}, level, "python")
        == "taint-send"
    )
    assert judged("run_cell", {"code": "print(1)"}, level, "python") == "ok"
    lasting = judged("create_agent", {"name": "x"}, level, "none")
    assert lasting == ("taint-lasting" if level == FOREIGN else "ok")
    code = {"code": "import pandas as pd\npd.read_csv('https://data.example.org/a.csv')"}
    asked = judged("run_cell", code, level, "python", "Load https://data.example.org/a.csv")
    assert asked == ("taint-send" if level == FOREIGN else "ok"), "a host that the person named"


# -- what is shown


@pytest.mark.parametrize(
    "markup",
    ["<img src=//x/a>", "<IMG\nSRC = 'http://x/a'>", "<img src='&#104;ttp://x'>", "<script>1</script>", "<p onclick=x()>",
     "<p style='background:url(http://x)'>", "<style>@import 'http://x'</style>", "<svg><image xlink:href='http://x'/></svg>",
     "<a href='http://x/?d=1'>y</a>", "<a href='javascript:x'>y</a>",
     "<iframe srcdoc='x'>", "<input type=image src='\\\\x\\a'>",
     "<p style='background:u\\72l(http://x)'>", "<img srcset='a 1x, http://x 2x'>", "<meta http-equiv=refresh>"],
)  # fmt: skip
def test_markup_that_loads(markup: str) -> None:
    assert loads(markup)
    assert without_remote({"text/html": markup, "text/plain": "t"}).keys() == {"text/plain"}


def test_what_loads_nothing_stays() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": ["<img src=x>", "b"]})._repr_html_()
    data = {
        "text/html": table,
        "image/png": "iVBORw0KGgo=",
        "text/plain": "a // b",
        "application/json": {"url": "a.csv"},
    }
    assert without_remote(data) == data
    assert not loads("<svg xmlns='http://www.w3.org/2000/svg'><rect fill='url(#g)'/></svg>")
    assert not loads("<a href='https://mine.example/x'>y</a>", {"mine.example"})


@pytest.mark.parametrize(
    "text",
    ["![a](http://x/b)", "![a][r]\n\n[r]: http://x/b", "```\n\n![a](http://x/b)\n\n```", "\\` ![a](http://x/b) `",
     "a <img src=http://x>", "[click](http://x/?d=1)", "<http://x/?d=1>", "![a](<http://x/b c>)"],
)  # fmt: skip
def test_words_whose_pictures_and_links_are_text(text: str) -> None:
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark", {"html": True}).render(without_remote_text(text))
    assert "<img" not in html and "href" not in html


def test_words_without_addresses_stay_as_they_are() -> None:
    text = "The mean is **3.5** (`a / b`), see [the plot](plot.png) and x < y.\n\n```python\na // b\n```\n"
    assert without_remote_text(text) == text
