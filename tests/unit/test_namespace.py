"""A cell means the same in a plain namespace and in IPython: what it shows, defines, raises and leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from llmos_nb.kernel.whose import agents_code
from llmos_nb.tools.namespace import CellResult, Namespace, PlainNamespace, heeding, interrupt
from llmos_nb.tools.shell_namespace import ShellNamespace, running_shell


@pytest.fixture(params=["plain", "ipython"])
def space(request: pytest.FixtureRequest) -> Namespace:
    if request.param == "plain":
        return PlainNamespace()
    return ShellNamespace(request.getfixturevalue("ipython"))


def run(space: Namespace, code: str, **options: Any) -> CellResult:
    return asyncio.run(space.run_cell(code, **options))


def shown(result: CellResult) -> list[tuple[str, str]]:
    return [(output.kind, output.text) for output in result.outputs]


# ---------------------------------------------------------------- the same in both


def test_the_value_of_the_last_expression_is_shown(space: Namespace, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(space, "x = 20\n1\nx + 1")
    assert shown(result) == [("display", "21")]
    assert "21" in capsys.readouterr().out
    assert space.names["x"] == 20


@pytest.mark.parametrize(
    "code", ["x = 1", "None", "21;", "print()  if False else None", "", "# only a comment", "for i in [1]:\n    i"]
)
def test_nothing_is_shown_where_there_is_no_value(code: str, space: Namespace) -> None:
    assert run(space, code).outputs == ()


def test_what_is_printed_keeps_its_order(space: Namespace, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(space, "import sys\nprint('a')\nprint('b')\nprint('c', file=sys.stderr)\nprint('d')\n'e'")
    assert shown(result) == [("stdout", "a\nb\n"), ("stderr", "c\n"), ("stdout", "d\n"), ("display", "'e'")]
    captured = capsys.readouterr()
    assert captured.out.split() == ["a", "b", "d", "'e'"] and captured.err == "c\n"


def test_what_a_persons_thread_prints_is_no_part_of_an_agents_cell(
    space: Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        go.wait(10)
        print("a person's")
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    space.names.update(go=go, done=done)
    code = (
        "import threading\ngo.set()\ndone.wait(10)\n"
        "t = threading.Thread(target=print, args=('its own',))\nt.start()\nt.join()\nprint('said')"
    )

    async def agents() -> CellResult:
        with agents_code():
            return await space.run_cell(code)

    result = asyncio.run(agents())
    thread.join()
    told = "".join(output.text for output in result.outputs)
    assert "its own" in told and "said" in told and "a person's" not in told
    assert "a person's" in capsys.readouterr().out


def test_what_is_held_back_is_shown_later(space: Namespace, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(space, "import sys\nprint('a')\nprint('b', file=sys.stderr)\n'c'", show=False)
    held = capsys.readouterr()
    assert (held.out, held.err) == ("", "")
    space.show(result.outputs)
    later = capsys.readouterr()
    assert later.out.split() == ["a", "'c'"] and later.err == "b\n"


def test_await_works_at_top_level(space: Namespace) -> None:
    result = run(space, "import asyncio\nawait asyncio.sleep(0)\nasync def f(): return 5\nx = await f()\nawait f()")
    assert result.error == "" and shown(result) == [("display", "5")]
    assert space.names["x"] == 5


def test_async_for_and_with_work_at_top_level(space: Namespace) -> None:
    code = "async def two():\n    yield 1\n    yield 2\nfound = []\nasync for i in two():\n    found.append(i)\nfound"
    assert shown(run(space, code)) == [("display", "[1, 2]")]


def test_an_exception_is_returned_and_not_displayed(space: Namespace, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(space, "print('before')\ndef f(x):\n    return 1 / x\nf(0)\nprint('after')")
    assert result.error == "ZeroDivisionError" and not result.interrupted
    assert "division by zero" in result.traceback and "in f" in result.traceback
    assert "\x1b" not in result.traceback and "llmos_nb" not in result.traceback
    captured = capsys.readouterr()
    assert captured.out == "before\n" and "division" not in captured.err
    assert shown(result) == [("stdout", "before\n")]


@pytest.mark.parametrize(
    ("code", "error"),
    [("x = 1\nx =", "SyntaxError"), ("if True:\nx", "IndentationError"), ("return 5", "SyntaxError"),
     ("undefined_name", "NameError"), ("raise SystemExit(2)", "SystemExit"), ("raise GeneratorExit", "GeneratorExit")],
)  # fmt: skip
def test_every_error_has_its_name_and_nothing_gets_out(code: str, error: str, space: Namespace) -> None:
    result = run(space, code)
    assert result.error == error
    assert error in result.traceback
    assert "ast.py" not in result.traceback
    assert "x" not in space.names or error == "NameError"


_DEEP = """
def read(path):
    return first(path)

def first(path):
    return second(path)

def second(path):
    return third(path)

def third(path):
    raise LookupError(f"no table in {path}")
"""


def _installed(folder: Path) -> Path:
    """A package ``deep`` whose ``read`` fails three calls further in."""
    package = folder / "deep"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from deep.tables import read\n")
    (package / "tables.py").write_text(_DEEP)
    return folder


@pytest.mark.parametrize("code", ["import deep\ndeep.read('t.csv')", "eval('1 +')"])
def test_a_traceback_is_equal_wherever_libraries_lie(
    code: str, space: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    for root in (tmp_path / "a", tmp_path / "another-and-longer" / "one"):
        with monkeypatch.context() as patched:
            patched.syspath_prepend(_installed(root / "site-packages"))
            told.append(run(space, code).traceback)
            patched.delitem(sys.modules, "deep", raising=False)
            patched.delitem(sys.modules, "deep.tables", raising=False)
    assert told[0] == told[1]
    assert str(tmp_path) not in told[0] and "packages" not in told[0]


def test_of_a_library_a_traceback_tells_where_it_was_entered_and_left(
    space: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_installed(tmp_path / "site-packages"))
    told = run(space, "def mine():\n    import deep\n    return deep.read('t.csv')\nmine()").traceback
    for name in ("deep", "deep.tables"):
        sys.modules.pop(name, None)
    lines = [line.strip() for line in told.splitlines() if "frames of libraries" in line or "tables.py" in line]
    assert len(lines) == 3 and "in read" in lines[0] and "in third" in lines[2]
    assert lines[1] == "[... 2 more frames of libraries]"
    assert "raise LookupError" not in told and "in mine" in told and "LookupError: no table in t.csv" in told


def test_a_traceback_shows_a_persons_own_module_whole(
    space: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_installed(tmp_path))
    told = run(space, "import deep\ndeep.read('t.csv')").traceback
    for name in ("deep", "deep.tables"):
        sys.modules.pop(name, None)
    assert 'raise LookupError(f"no table in {path}")' in told and str(tmp_path / "deep" / "tables.py") in told
    assert all(f"in {name}" in told for name in ("read", "first", "second", "third"))


def test_an_interrupt_is_told_from_an_error(space: Namespace) -> None:
    result = run(space, "done = 1\nraise KeyboardInterrupt\ndone = 2")
    assert (result.error, result.interrupted) == ("KeyboardInterrupt", True)
    assert space.names["done"] == 1


@pytest.mark.parametrize("code", ["import time\ntime.sleep(30)", "while True: pass"])
def test_blocking_code_can_be_interrupted_from_another_thread(code: str, space: Namespace) -> None:
    over = threading.Event()
    presser = threading.Timer(0.3, interrupt, [lambda: not over.is_set()])
    presser.start()
    started = time.monotonic()
    result = run(space, code)
    over.set()
    presser.join()
    assert result.interrupted and time.monotonic() - started < 20


def test_an_interrupt_before_a_cell_blocks_is_not_lost(space: Namespace) -> None:
    over = threading.Event()
    presser = threading.Thread(target=interrupt, args=[lambda: not over.is_set()])
    presser.start()
    presser.join()
    result = run(space, "import time\ntime.sleep(30)")
    over.set()
    assert result.interrupted


def test_code_that_clears_up_after_an_interrupt_is_not_interrupted_again(space: Namespace) -> None:
    code = "import time\ntry:\n    time.sleep(30)\nfinally:\n    time.sleep(0.5)\n    cleared = True"
    over = threading.Event()
    presser = threading.Timer(0.2, interrupt, [lambda: not over.is_set()])
    presser.start()
    result = run(space, code)
    over.set()
    assert result.interrupted and space.names["cleared"] is True


def test_an_interrupt_hits_nobody_when_nothing_blocks() -> None:
    over = threading.Event()
    thread = threading.Thread(target=interrupt, args=[lambda: not over.is_set()])
    thread.start()
    thread.join()
    time.sleep(0.2)  # a KeyboardInterrupt here would end the test run
    over.set()
    time.sleep(0.1)  # and none is left over for the next cell


def test_cancelling_ends_a_cell_that_awaits(space: Namespace) -> None:
    async def work() -> CellResult | None:
        task = asyncio.create_task(space.run_cell("import asyncio\nx = 1\nawait asyncio.sleep(30)\nx = 2"))
        await asyncio.sleep(0.05)
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            return None

    result = asyncio.run(work())
    assert result is None or result.interrupted
    assert space.names["x"] == 1


def test_streams_and_hooks_are_as_they_were(space: Namespace) -> None:
    before = sys.stdout, sys.stderr, sys.displayhook
    run(space, "print(1)\n2")
    run(space, "1 / 0")
    run(space, "x =")
    assert (sys.stdout, sys.stderr, sys.displayhook) == before


def test_the_stream_of_a_cell_is_like_the_one_it_stands_for(space: Namespace) -> None:
    code = "import sys\nsys.stdout.writelines(['a', 'b'])\n(sys.stdout.writable(), sys.stdout.encoding)"
    kind = sys.stdout.encoding
    assert shown(run(space, code)) == [("stdout", "ab"), ("display", repr((True, kind)))]


def test_annotations_of_the_users_functions_are_values(space: Namespace) -> None:
    run(space, "def f(x: int): pass\nkind = f.__annotations__['x']")
    assert space.names["kind"] is int


def test_a_repr_that_raises_is_told(space: Namespace) -> None:
    result = run(space, "class Bad:\n    def __repr__(self): raise ValueError('no repr')\nBad()")
    told = result.traceback + "".join(output.text for output in result.outputs)
    assert told.count("ValueError: no repr") == 1


def test_names_live_on_between_cells(space: Namespace) -> None:
    run(space, "def f(): return counter\ncounter = 1")
    assert shown(run(space, "counter += 1\nf()")) == [("display", "2")]


# ---------------------------------------------------------------- IPython alone


def test_magics_and_shell_lines_work(ipython: Any, capfd: pytest.CaptureFixture[str]) -> None:
    space = ShellNamespace(ipython)
    assert run(space, "%time x = 6 * 7").error == ""
    assert space.names["x"] == 42
    assert "hello" in "".join(output.text for output in run(space, "!echo hello").outputs)
    assert shown(run(space, "found = !echo one\nfound[0]")) == [("display", "'one'")]
    assert shown(run(space, "%%capture held\nprint('inside')")) == []
    assert "inside" in space.names["held"].stdout
    assert "not found" in "".join(output.text for output in run(space, "%nonexistent_magic").outputs)


def test_rich_output_is_kept_and_passed_on(ipython: Any) -> None:
    passed: list[dict[str, Any]] = []
    ipython.display_pub.publish = lambda data, metadata=None, **options: passed.append(data)
    space = ShellNamespace(ipython)
    imports = "import pandas as pd\nfrom IPython.display import HTML, display\n"
    code = imports + "display(HTML('<b>x</b>'))\npd.DataFrame({'a': [1]})"
    result = run(space, code)
    assert [output.mime for output in result.outputs] == ["text/html", "text/html"]
    assert result.outputs[0].data["text/html"] == "<b>x</b>"
    assert "<table" in result.outputs[1].data["text/html"] and result.outputs[1].text.split() == ["a", "0", "1"]
    assert passed == [output.data for output in result.outputs]


def test_an_update_of_a_display_is_no_new_output(ipython: Any) -> None:
    ipython.display_pub.publish = lambda data, metadata=None, **options: None
    code = "from IPython.display import display\nh = display('one', display_id=True)\nh.update('two')"
    assert len(run(ShellNamespace(ipython), code).outputs) == 1


def test_a_semicolon_of_the_awaiting_cell_silences_nothing(ipython: Any) -> None:
    space = ShellNamespace(ipython)
    ipython.history_manager.input_hist_parsed.append("result = await goal();")
    assert shown(run(space, "21")) == [("display", "21")]
    ipython.history_manager.input_hist_parsed.append("result = await goal()")
    assert run(space, "21;  # not shown").outputs == ()


def test_a_cell_of_the_agent_is_not_in_the_users_history(ipython: Any) -> None:
    ipython.run_cell("'the user'", store_history=True)
    count, last = ipython.execution_count, ipython.user_ns["_"]
    run(ShellNamespace(ipython), "'the agent'")
    assert (ipython.execution_count, ipython.user_ns["_"]) == (count, last)


def test_the_shell_is_found_only_while_there_is_one(ipython: Any) -> None:
    assert running_shell() is ipython
    InteractiveShell.clear_instance()
    assert running_shell() is None


def test_figures_are_recorded_as_pictures_by_the_inline_backend(ipython: Any) -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from IPython.core.pylabtools import select_figure_formats

    passed: list[dict[str, Any]] = []
    ipython.display_pub.publish = lambda data, metadata=None, **options: passed.append(data)
    space, before = ShellNamespace(ipython), mpl.get_backend()
    plt.close("all")  # the backend shows every figure that is open, also another test's
    try:
        plt.switch_backend("module://matplotlib_inline.backend_inline")  # as %matplotlib inline does in a kernel
        plt.ion()
        select_figure_formats(ipython, {"png"})
        result = run(
            space, "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\nprint('drawn')"
        )
    finally:
        plt.close("all")
        plt.ioff()
        plt.switch_backend(before)
    assert [output.mime for output in result.outputs] == ["stream", "image/png"]
    assert result.outputs[1].text.startswith("[image/png] <Figure size")
    assert len(passed) == 1 and "image/png" in passed[0]


def test_agents_code_puts_nothing_into_a_persons_cells(ipython: InteractiveShell) -> None:
    space, manager = ShellNamespace(ipython), ipython.payload_manager
    manager.write_payload({"source": "set_next_input", "text": "mine", "replace": False})
    code = (
        "m = get_ipython().payload_manager\n"
        "m.write_payload({'source': 'set_next_input', 'text': 'theirs', 'replace': True})\n"
        "m._payload[0]['text'] = 'theirs'\nm._payload.append({'source': 'page'})\n"
        "get_ipython().set_next_input('theirs')\nprint('done')"
    )
    result = run(space, code)
    text = "".join(output.text for output in result.outputs)
    assert result.error == "" and "done" in text and "[3 texts for the next cell were left out]" in text
    assert [one["text"] for one in manager.read_payload()] == ["mine"]
    assert ipython.rl_next_input is None
    with agents_code():  # as what it left behind runs later
        manager.write_payload({"source": "set_next_input", "text": "theirs", "replace": True})
    assert [one["text"] for one in manager.read_payload()] == ["mine"]
    manager.write_payload({"source": "set_next_input", "text": "mine again", "replace": False})
    assert [one["text"] for one in manager.read_payload()] == ["mine again"]
    assert "left out" not in str(run(space, "print(1)").outputs)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signal to one process")
@pytest.mark.parametrize("before", [signal.SIG_IGN, "marks a task"])
def test_an_interrupt_just_before_a_cell_is_the_cells(before: Any) -> None:
    heard: list[int] = []
    handler = (lambda number, frame: heard.append(number)) if before == "marks a task" else before
    was = signal.signal(signal.SIGINT, handler)
    try:
        with heeding():
            os.kill(os.getpid(), signal.SIGINT)
            done = asyncio.run(PlainNamespace().run_cell("import time\ntime.sleep(20)", show=False))
        assert done.interrupted and len(heard) == (before == "marks a task")
        assert signal.getsignal(signal.SIGINT) is handler
        with heeding():
            assert not asyncio.run(PlainNamespace().run_cell("1", show=False)).interrupted  # one is for one cell
    finally:
        signal.signal(signal.SIGINT, was)
