"""The tools at work on a workbench: what they do, what they tell, what they refuse, and that a stop ends them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.kernel.events import Event, ToolFinished, ToolStarted
from llmos_nb.tools import files, shell
from llmos_nb.tools.cell import columns_of, print_of
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.workbench import Call, Workbench

Work = Callable[..., Call]


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def make_bench(cwd: Path, **options: Any) -> Workbench:
    events: list[Event] = options.pop("events", [])
    options.setdefault("namespace", PlainNamespace())
    options.setdefault("grant", tuple(TOOLS))
    return Workbench("run-1", workspace=cwd / "workspace", cwd=cwd, publish=events.append, **options)


def call(cwd: Path, tool: str, **arguments: Any) -> ToolResult:
    """One call on a workbench of its own; it must not be denied."""

    async def work() -> Call:
        return await make_bench(cwd).call(tool, arguments)

    result = asyncio.run(work()).result
    assert result is not None
    return result


def denied(cwd: Path, tool: str, **arguments: Any) -> str:
    """The rule by which a call is denied."""

    async def work() -> Call:
        return await make_bench(cwd).call(tool, arguments)

    done = asyncio.run(work())
    assert done.result is None and done.status == "denied"
    return done.verdict.rule


# ---------------------------------------------------------------- run_cell and inspect


def test_run_cell_tells_what_it_did_by_evidence(cwd: Path) -> None:
    Path("in.csv").write_text("a,b\n1,2\n")
    result = call(
        cwd,
        "run_cell",
        code="import pandas as pd\ndf = pd.read_csv('in.csv')\nn = 3\nopen('out.txt', 'w').write('x')\nprint('hello')\nn",
    )
    assert result.status == "ok"
    assert result.text == "hello\n3"
    assert result.defines == {"df": "DataFrame", "n": "int", "pd": "module"}
    assert result.columns == {"df": ("a", "b")}
    assert result.files == ("out.txt",)
    assert result.reads == ("in.csv",)
    assert [output.mime for output in result.outputs] == ["stream", "text/plain"]


def test_run_cell_tells_deleted_names_and_files_and_tables_that_grew(cwd: Path) -> None:
    async def work() -> Call:
        bench = make_bench(cwd)
        await bench.call("run_cell", {"code": "import pandas as pd\nx = 1\ndf = pd.DataFrame({'a': [1]})"})
        Path("old.txt").write_text("old")
        return await bench.call("run_cell", {"code": "del x\ndf['b'] = 2\nimport os\nos.remove('old.txt')"})

    result = asyncio.run(work()).result
    assert result is not None
    assert result.deletes == ("x",)
    assert result.columns == {"df": ("a", "b")}
    assert result.files == ("old.txt",)


def test_an_exception_is_a_result_with_what_was_printed_before(cwd: Path) -> None:
    result = call(cwd, "run_cell", code="print('before')\ndef f():\n    return 1 / 0\nf()")
    assert (result.status, result.error) == ("error", "ZeroDivisionError")
    assert result.text.startswith("before\nTraceback")
    assert result.text.endswith("ZeroDivisionError: division by zero")
    assert "llmos_nb" not in result.text


def test_names_in_strings_are_put_back_as_well(cwd: Path) -> None:
    async def work() -> tuple[list[int], list[str]]:
        bench = make_bench(cwd)
        bench.namespace.names["x"] = [1]
        await bench.call("run_cell", {"code": "exec('x.append(2); y = 1')"})
        assert bench.namespace.names["x"] == [1, 2]
        failed = bench.undo.put_back(bench.namespace.names)
        assert "y" not in bench.namespace.names
        return bench.namespace.names["x"], failed

    assert asyncio.run(work()) == ([1], [])


def test_two_cells_that_await_do_not_get_each_others_outputs_and_names(cwd: Path) -> None:
    async def work() -> list[Call]:
        space = PlainNamespace()
        code = "import asyncio\nfor i in range(3):\n    print('{0}')\n    await asyncio.sleep(0.01)\n{0} = 1"
        benches = [make_bench(cwd, namespace=space) for _ in "ab"]
        return await asyncio.gather(
            *(bench.call("run_cell", {"code": code.format(name)}) for bench, name in zip(benches, "ab", strict=True))
        )

    for done, name in zip(asyncio.run(work()), "ab", strict=True):
        assert done.result is not None
        assert done.result.text == "\n".join([name] * 3)
        assert name in done.result.defines and len({"a", "b"} & set(done.result.defines)) == 1


def test_a_cell_may_await_another_cell(cwd: Path) -> None:
    async def work() -> Call:
        bench = make_bench(cwd)
        bench.namespace.names["inner"] = lambda: make_bench(cwd, namespace=bench.namespace).call(
            "run_cell", {"code": "print('inner')"}
        )
        return await asyncio.wait_for(bench.call("run_cell", {"code": "done = await inner()\nprint('outer')"}), 5)

    done = asyncio.run(work())
    assert done.result is not None
    assert done.result.text == "inner\nouter"


def test_inspect_describes_without_showing_contents(cwd: Path) -> None:
    async def work() -> tuple[Call, Call, Call]:
        bench = make_bench(cwd)
        await bench.call(
            "run_cell",
            {"code": "import numpy as np, pandas as pd\nsecret = 'hunter2'\nn = 3\na = np.zeros((2, 3))\n"
                     "df = pd.DataFrame({'a': [1.5]})\ndef f(): pass"},
        )  # fmt: skip
        return (
            await bench.call("inspect", {}),
            await bench.call("inspect", {"names": ["n", "df"]}),
            await bench.call("inspect", {"names": ["nothing"]}),
        )

    everything, some, unknown = (done.result for done in asyncio.run(work()))
    assert everything is not None and some is not None and unknown is not None
    assert "hunter2" not in everything.text
    assert "secret: str, withheld (its name is that of a secret)" in everything.text
    assert "a: ndarray, shape (2, 3), dtype float64" in everything.text
    assert some.text == "n: int = 3\ndf: DataFrame, 1 rows x 1 columns (a: float64)"
    assert (unknown.error, unknown.text) == ("NameError", "There is no variable named nothing.")


# ---------------------------------------------------------------- arguments, guard, events


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("run_cell", {}, "needs the argument 'code'"),
        ("run_cell", {"code": "1", "extra": 1}, "has no argument 'extra'"),
        ("run_shell", {"command": "true", "timeout_s": "5"}, "must be of type integer"),
        ("run_shell", {"command": "true", "timeout_s": True}, "must be of type integer"),
        ("run_shell", {"command": "true", "timeout_s": 0}, "above 0"),
        ("inspect", {"names": "df"}, "must be of type array"),
        ("read_file", {"path": "a", "first_line": 0}, "first_line counts from 1"),
    ],
)
def test_bad_arguments_are_told_and_nothing_runs(tool: str, arguments: dict[str, Any], words: str, cwd: Path) -> None:
    Path("a").write_text("x")
    result = call(cwd, tool, **arguments)
    assert result.status == "error"
    assert words in result.text


def test_a_tool_that_was_not_granted_is_denied(cwd: Path) -> None:
    async def work() -> Call:
        return await make_bench(cwd, grant=("inspect",)).call("run_cell", {"code": "open('x', 'w')"})

    done = asyncio.run(work())
    assert (done.status, done.verdict.rule) == ("denied", "not-granted")
    assert not Path("x").exists()


def test_every_call_is_told_by_two_events_and_noted(cwd: Path) -> None:
    events: list[Event] = []

    async def work() -> Workbench:
        bench = make_bench(cwd, events=events)
        await bench.call("run_cell", {"code": "x = 1"}, replayed=True)
        await bench.call("unknown", {})
        return bench

    bench = asyncio.run(work())
    assert [done.status for done in bench.calls] == ["ok", "denied"]
    started, finished, *others = events
    assert isinstance(started, ToolStarted) and isinstance(finished, ToolFinished)
    assert (started.step, started.replayed, finished.defines) == (1, True, {"x": "int"})
    assert [(type(event).__name__, event.step) for event in others] == [("ToolStarted", 2), ("ToolFinished", 2)]  # type: ignore[attr-defined]


def test_after_a_stop_no_call_begins(cwd: Path) -> None:
    async def work() -> Call:
        bench = make_bench(cwd)
        bench.stop()
        return await bench.call("write_file", {"path": "a.txt", "content": "x"})

    assert asyncio.run(work()).verdict.rule == "stopping"
    assert not Path("a.txt").exists()


def test_what_a_person_is_asked_and_answers_decides(cwd: Path) -> None:
    asked: list[str] = []

    async def work(answer: bool) -> Call:
        def ask(verdict: Any) -> bool:
            asked.append(verdict.rule)
            return answer

        return await make_bench(cwd, ask=ask).call("run_shell", {"command": "$UNKNOWN_COMMAND"})

    assert asyncio.run(work(False)).status == "denied"
    assert asyncio.run(work(True)).status != "denied"
    assert len(asked) == 2
    assert denied(cwd, "run_shell", command="$UNKNOWN_COMMAND") == asked[0]


# ---------------------------------------------------------------- files


def test_files_are_written_read_and_edited(cwd: Path) -> None:
    wrote = call(cwd, "write_file", path="notes/a.txt", content="one\ntwo\nthree\n")
    assert (wrote.status, wrote.files) == ("ok", ("notes/a.txt",))
    read = call(cwd, "read_file", path="notes/a.txt")
    assert (read.text, read.reads) == ("one\ntwo\nthree\n", ("notes/a.txt",))
    assert call(cwd, "read_file", path="notes/a.txt", first_line=2, lines=1).text == "two\n"
    edited = call(cwd, "edit_file", path="notes/a.txt", old="two", new="2")
    assert (edited.status, edited.files) == ("ok", ("notes/a.txt",))
    assert Path("notes/a.txt").read_text() == "one\n2\nthree\n"
    assert call(cwd, "write_file", path="notes/a.txt", content="new").text == "Wrote notes/a.txt (3 bytes)."


def test_an_edit_keeps_line_ends(cwd: Path) -> None:
    Path("dos.txt").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    assert call(cwd, "edit_file", path="dos.txt", old="one\ntwo", new="1\n2").status == "ok"
    assert Path("dos.txt").read_bytes() == b"1\r\n2\r\nthree\r\n"


@pytest.mark.parametrize(("old", "count"), [("a", 2), ("zzz", 0), ("", 0)])
def test_an_edit_that_is_not_clear_changes_nothing(old: str, count: int, cwd: Path) -> None:
    Path("a.txt").write_text("a b a")
    result = call(cwd, "edit_file", path="a.txt", old=old, new="x")
    assert result.status == "error" and f"{count} times" in result.text
    assert Path("a.txt").read_text() == "a b a"


def test_a_missing_file_is_told_with_what_is_there(cwd: Path) -> None:
    Path("data.csv").write_text("x")
    for tool, more in (("read_file", {}), ("edit_file", {"old": "a", "new": "b"})):
        result = call(cwd, tool, path="date.csv", **more)
        assert result.error == "FileNotFoundError" and "data.csv" in result.text


def test_what_is_not_text_is_told(cwd: Path) -> None:
    Path("a.bin").write_bytes(b"\xff\xfe\x00")
    for tool, more in (("read_file", {}), ("edit_file", {"old": "a", "new": "b"})):
        assert call(cwd, tool, path="a.bin", **more).error == "UnicodeDecodeError"


def test_a_long_file_is_cut_between_letters_and_says_so(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "READ_LIMIT", 5)
    Path("a.txt").write_text("äöü")
    result = call(cwd, "read_file", path="a.txt")
    assert result.status == "ok"
    assert result.text == "äö\n[cut after 5 bytes]"


def test_a_folder_is_no_file(cwd: Path) -> None:
    Path("folder").mkdir()
    assert call(cwd, "write_file", path="folder", content="x").error == "IsADirectoryError"
    assert call(cwd, "read_file", path="folder").status == "error"


def test_a_link_within_the_folder_is_written_through(cwd: Path) -> None:
    Path("real.txt").write_text("old")
    Path("link.txt").symlink_to("real.txt")
    assert call(cwd, "write_file", path="link.txt", content="new").status == "ok"
    assert Path("link.txt").is_symlink()
    assert Path("real.txt").read_text() == "new"


@pytest.mark.parametrize("where", ["../out.txt", "link/out.txt", "{parent}/out.txt", "~/out.txt", "dangling"])
def test_nothing_outside_is_written(where: str, cwd: Path) -> None:
    outside = cwd.parent / "elsewhere"
    outside.mkdir()
    (cwd / "link").symlink_to(outside)
    (cwd / "dangling").symlink_to(outside / "new.txt")
    path = where.format(parent=cwd.parent)
    denied(cwd, "write_file", path=path, content="x")
    denied(cwd, "edit_file", path=path, old="a", new="b")
    assert not list(outside.iterdir()) and not (cwd.parent / "out.txt").exists()


@pytest.mark.parametrize(
    "path", ["workspace/.llmos/state.db", "workspace/agents/a.md", "workspace/llmos.toml", "", "a\0b"]
)
def test_the_systems_own_files_and_impossible_names_are_refused(path: str, cwd: Path) -> None:
    (cwd / "workspace" / "agents").mkdir(parents=True)
    denied(cwd, "write_file", path=path, content="x")


def test_secrets_are_not_read(cwd: Path) -> None:
    (Path.home() / ".ssh").mkdir(exist_ok=True)
    (Path.home() / ".ssh" / "id_rsa").write_text("key")
    denied(cwd, "read_file", path="~/.ssh/id_rsa")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("write_file", {"path": "a.txt", "content": "new"}), ("edit_file", {"path": "a.txt", "old": "old", "new": "new"}),
     ("run_shell", {"command": "echo new > a.txt; mkdir d; echo x > d/b; chmod 600 a.txt"})],
)  # fmt: skip
def test_what_a_tool_did_to_files_can_be_put_back(tool: str, arguments: dict[str, Any], cwd: Path) -> None:
    Path("a.txt").write_text("old")
    mode = os.stat("a.txt").st_mode

    async def work() -> list[str]:
        bench = make_bench(cwd)
        done = await bench.call(tool, arguments)
        assert done.status == "ok" and Path("a.txt").read_text().strip() == "new"
        return bench.undo.put_back({})

    assert asyncio.run(work()) == []
    assert Path("a.txt").read_text() == "old" and os.stat("a.txt").st_mode == mode
    assert [path.name for path in cwd.iterdir()] == ["a.txt"]


# ---------------------------------------------------------------- run_shell


def test_a_command_tells_output_errors_and_files(cwd: Path) -> None:
    Path("gone.txt").write_text("x")
    result = call(cwd, "run_shell", command="echo out; echo err >&2; echo x > new.txt; rm gone.txt")
    assert (result.status, result.text) == ("ok", "out\nerr")
    assert result.files == ("gone.txt", "new.txt")
    failed = call(cwd, "run_shell", command="echo out; exit 3")
    assert (failed.error, failed.text) == ("exit code 3", "out\n[exit code 3]")
    assert call(cwd, "run_shell", command="cat").text == ""  # it has no input to wait for


def test_no_command_gets_the_models_keys(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "CLAUDE_CODE_X", "LLMOS_ENDPOINT_KEY"):
        monkeypatch.setenv(name, "sk-very-secret")
    monkeypatch.setenv("HARMLESS", "kept")
    (cwd / "show.sh").write_text("printenv\n")
    text = call(cwd, "run_shell", command="bash show.sh").text
    assert "sk-very-secret" not in text and "HARMLESS=kept" in text


def running(word: str) -> list[int]:
    """Processes with ``word`` in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def gone(word: str) -> bool:
    deadline = time.monotonic() + 5
    while running(word) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not running(word)


@pytest.mark.parametrize(
    "command",
    ["sleep {0}", "timeout 999 sleep {0}", "sleep {0} | cat", "(sleep {0} & wait)", "setsid sleep {0}; sleep {0}"],
)
@pytest.mark.parametrize("how", ["time limit", "stop", "cancel"])
def test_a_command_that_is_ended_leaves_nothing_running(command: str, how: str, cwd: Path) -> None:
    word = f"3{time.time_ns() % 10**9}.5"
    command = command.format(word)

    async def work() -> Call | None:
        bench = make_bench(cwd)
        limit = {"timeout_s": 1} if how == "time limit" else {}
        task = asyncio.create_task(bench.call("run_shell", {"command": command, **limit}))
        while not running(word):
            await asyncio.sleep(0.01)
        if how == "stop":
            threading.Thread(target=bench.stop).start()
        elif how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not running(word)  # it is over before the cancellation goes on
            return None
        return await task

    done = asyncio.run(work())
    assert gone(word)
    if done is not None:
        assert done.result is not None and done.status == "error"
        assert done.result.interrupted is (how == "stop")
        assert ("stopped" if how == "stop" else "timed out after 1 s") in done.result.text


def test_what_a_command_leaves_in_the_background_ends_with_it(cwd: Path) -> None:
    word = f"4{time.time_ns() % 10**9}.5"
    result = call(cwd, "run_shell", command=f"sleep {word} & nohup sleep {word} >/dev/null 2>&1 & echo started")
    assert result.text == "started"
    assert gone(word)


def test_endless_output_is_cut_while_it_is_read(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "OUTPUT_LIMIT", 1000)
    result = call(cwd, "run_shell", command="seq 200000")
    assert result.status == "ok"
    assert result.text.startswith("1\n2\n3\n") and result.text.endswith("[cut after 1000 bytes]")
    assert len(result.text) < 1100


def test_output_that_is_no_text_does_not_fail(cwd: Path) -> None:
    assert call(cwd, "run_shell", command=r"printf 'a\xffb'").text == "a\ufffdb"


def test_a_folder_with_too_many_files_is_told(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.guard import snapshot

    monkeypatch.setattr(snapshot, "FILE_LIMIT", 1)
    Path("a").write_text("1")
    Path("b").write_text("2")
    result = call(cwd, "run_shell", command="echo x > c")
    assert "too many files" in result.text and result.files == ()


@pytest.mark.parametrize(
    "labels",
    [["a", "b c", "a"], ["a", None], ["a", float("nan")], [], [1, 2], ["a", 1], [1.5, True], ["ä", "\N{SNAKE}"]],
    ids=repr,
)
def test_columns_are_told_as_their_labels_are_spelled(labels: list[object]) -> None:
    import pandas as pd

    frame = pd.DataFrame([[0] * len(labels)], columns=labels)
    assert columns_of(frame) == tuple(str(label) for label in frame.columns)
    assert columns_of(frame["a"] if labels == ["a", None] else 5) is None


def test_a_table_with_a_label_renamed_is_another(cwd: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": [1], "b": [2]})
    before = print_of(frame)
    assert print_of(frame) == before
    frame.columns = ["a", "c"]
    assert print_of(frame) != before
