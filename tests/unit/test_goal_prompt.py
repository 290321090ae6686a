"""What is typed at the ``llmos>`` prompt: goals and Python told apart, and what a terminal shows of a goal."""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path

import pytest

from llmos_nb.kernel.approvals import Approvals
from llmos_nb.notebook.terminal import ask
from llmos_nb.notebook.terminal.ask import attend_terminal
from llmos_nb.notebook.terminal.reading import as_cell, is_goal
from llmos_nb.notebook.terminal.screen import Screen, cut
from llmos_nb.notebook.terminal.shell import blocks
from llmos_nb.notebook.terminal.styled import styled

NAMES = {"df", "llmos", "x"}


@pytest.mark.parametrize(
    "text",
    [
        "Load penguins.csv and count the rows",
        "load penguins",
        "How many rows has df?",
        "why?",
        "--agent writer Write a haiku about rain",
        "plot",
        "mean(sales)",
        "pass",
        "global warming",
        "not good",
        "is this right",
        "Note: hello",
        "import sales figures",
        "import no_such_module_at_all",
        "for each species plot the mass",
        "with penguins.csv: plot",
        "Plot the mass (in kg",
        "Load (x",
        "1. Load it\n2. Plot it",
        "Plot df, then\nsave it",
        "it's 5 o'clock",
        "return on investment",
        "Zeige die größte Insel",
        "数を数えて",
        "delete outliers",
        "def",
        'say "hello',
        "import os is a good thing",
        "from math import what you need",
        "print (all) the names",
    ],
)
def test_words_are_a_goal(text: str) -> None:
    assert is_goal(text, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "# a remark",
        "%budget",
        "%%llmos\nPlot it",
        "r = %llmos Plot it",
        "files = !ls",
        "!ls",
        ">>> mean(sales)",
        "df",
        "df.head()",
        "df?",
        "df.head??",
        "?df",
        "x = 5",
        "x: int = 5",
        "sales = load()",
        "sales = (1 +",
        "1 + 2",
        '"text"',
        "print(x)",
        "print(x",
        "import json",
        "from pathlib import Path",
        "def f(a):",
        "@cached",
        "class A:",
        "for row in df:",
        "for row in df: print(row)",
        "[row for row in df]",
        "(lambda row: row + x)(1)",
        "if x:",
        "await llmos.execute('Plot it')",
        "async def later():\n    await llmos.execute('Plot it')",
        "assert x",
        "del x",
        "import numpy as",
        "from math import",
        "df.head(]",
        "print(x))",
        "df[3",
    ],
)
def test_python_is_python(text: str) -> None:
    assert not is_goal(text, NAMES)


@pytest.mark.parametrize(
    ("goal", "cell"),
    [
        ("Plot it", "%%llmos\nPlot it\n"),
        ("1. Load\n2. Plot", "%%llmos\n1. Load\n2. Plot\n"),
        ("--mode learner Plot it?", "%llmos --mode learner Plot it?\n"),
        ("--mode learner 1. Load\n2. Plot", "%%llmos --mode learner 1. Load\n2. Plot\n"),
    ],
)
def test_a_goal_stands_for_a_cell(goal: str, cell: str) -> None:
    assert as_cell(goal) == cell


class Complete:
    """A shell as far as the reading of a pipe needs one."""

    def check_complete(self, code: str) -> tuple[str, str]:
        return ("incomplete" if code.rstrip().endswith((":", "(", ",")) else "complete"), ""


def test_a_pipe_is_read_line_by_line_and_python_as_far_as_it_goes() -> None:
    text = (
        "Plot it\r\n\n\nx = f(\n1,\n2)\nfor a in b:\n    c\n\n    d\n\nprint(5)\n%%time\n%llmos Plot\nx\n\nCount it"
    )
    assert list(blocks(io.StringIO(text), Complete())) == [  # type: ignore[arg-type]
        "Plot it",
        "x = f(\n1,\n2)",
        "for a in b:\n    c\n",
        "    d",
        "print(5)",
        "%%time\n%llmos Plot\nx\n",
        "Count it",
    ]


@pytest.mark.parametrize(
    ("text", "width", "end", "shown"),
    [
        ("short", 10, False, "short"),
        ("0123456789abc", 8, False, "0123456…"),
        ("0123456789abc", 8, True, "…6789abc"),
        ("数を数えてください", 8, False, "数を数…"),
        ("a\x1b[31mred\nb\tc", 20, False, "a[31mred b c"),
        ("", 5, False, ""),
    ],
)
def test_a_line_is_cut_to_its_columns_and_obeys_nothing(text: str, width: int, end: bool, shown: str) -> None:
    assert cut(text, width, end=end) == shown


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_drawn_line_makes_way_and_is_not_drawn_while_others_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Tty()
    screen = Screen(stream)
    screen.draw("working")
    screen.say("a step")
    with screen.held():
        screen.draw("unseen")
    screen.draw("again")
    screen.close()
    assert stream.getvalue() == "\r\x1b[2Kworking\r\x1b[2Ka step\n\r\x1b[2Kagain\r\x1b[2K"


def test_a_pipe_gets_whole_lines_alone() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.draw("working")
    screen.say("a step", "32")
    screen.close()
    assert stream.getvalue() == "a step\n"


def test_markdown_is_coloured_and_an_escape_in_it_is_not_obeyed() -> None:
    said = styled("# Head\n\n**Bold** and `code` \x1b[2J\n\n```diff\n+new\n-old\n```\n2 ** 3 ** 4")
    assert "\x1b[1m# Head\x1b[0m" in said and "\x1b[1mBold\x1b[0m" in said and "\x1b[36mcode\x1b[0m" in said
    assert "\x1b[2J" not in said and "\x1b[32m+new\x1b[0m" in said and said.endswith("2 ** 3 ** 4")


async def test_a_question_in_a_pipe_is_answered_no_at_once() -> None:
    approvals = Approvals(lambda event: None)
    leave = attend_terminal(approvals, Screen(io.StringIO()))
    asked = await approvals.ask(run_id="r", agent="a", tool="t", reason="why", text="what", opened=lambda id_: None)
    assert asked[:2] == (False, "nobody was there to approve it")
    leave()


@pytest.mark.parametrize(
    ("typed", "yes"), [(["y\n"], True), (["YES\n"], True), (["", ], False), (["maybe\n", "n\n"], False)]
)  # fmt: skip
async def test_a_question_in_a_terminal_waits_for_an_answer(
    typed: list[str], yes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Tty())
    lines = iter(typed)
    monkeypatch.setattr(ask, "_line", lambda over: next(lines))
    approvals, shown = Approvals(lambda event: None), io.StringIO()
    leave = attend_terminal(approvals, Screen(shown))
    asked = await approvals.ask(
        run_id="r", agent="writer", tool="t", reason="why", text="line \x1b[2J", opened=lambda id_: None
    )
    assert asked[:2] == (yes, "person")
    assert "writer asks for t: why" in shown.getvalue() and "\x1b[2J" not in shown.getvalue()
    assert shown.getvalue().count("Approve it?") == len(typed)
    leave()


@pytest.mark.parametrize(("editor", "asked"), [("append", 1), ("true", 2), ("no-such-editor", 2)])
async def test_what_is_asked_for_can_be_edited(
    editor: str, asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "append.py"
    program.write_text("import sys\nopen(sys.argv[1], 'a').write('print(2)\\n')\n")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {program}" if editor == "append" else editor)
    monkeypatch.setattr("sys.stdin", Tty())
    lines = iter(["edit\n", "n\n"])
    monkeypatch.setattr(ask, "_line", lambda over: next(lines))
    approvals, shown = Approvals(lambda event: None), io.StringIO()
    attend_terminal(approvals, Screen(shown))
    answer = await approvals.ask(
        run_id="r", agent="a", tool="run_cell", reason="why", text="print(1)\n", opened=lambda id_: None,
        editable=True, language="python",
    )  # fmt: skip
    assert shown.getvalue().count("[y/n/edit]") == asked
    assert answer.yes == (asked == 1) and answer.text == ("print(1)\nprint(2)\n" if asked == 1 else None)


async def test_an_edit_that_cannot_be_run_is_edited_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "append.py"
    program.write_text("import sys\nopen(sys.argv[1], 'a').write('+')\n")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {program}")
    monkeypatch.setattr("sys.stdin", Tty())
    lines = iter(["edit\n", "edit\n"])
    monkeypatch.setattr(ask, "_line", lambda over: next(lines))
    approvals, shown = Approvals(lambda event: None), io.StringIO()
    attend_terminal(approvals, Screen(shown))
    answer = await approvals.ask(
        run_id="r", agent="a", tool="run_cell", reason="why", text="1", opened=lambda id_: None, editable=True,
        check=lambda text: "" if text == "1++" else f"{text!r} is half of it",
    )  # fmt: skip
    assert answer.yes and answer.text == "1++" and "'1+' is half of it" in shown.getvalue()


async def test_a_question_that_is_answered_elsewhere_leaves_the_keyboard_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", Tty())
    waiting, left = threading.Event(), threading.Event()

    def line(over: threading.Event) -> None:
        waiting.set()
        assert over.wait(10)
        left.set()

    monkeypatch.setattr(ask, "_line", line)
    approvals = Approvals(lambda event: None)
    attend_terminal(approvals, Screen(io.StringIO()))

    def answer(id_: str) -> None:
        assert waiting.wait(10)
        approvals.answer(id_, True)

    asked = await approvals.ask(run_id="r", agent="a", tool="t", reason="why", text="", opened=answer)
    assert asked[:2] == (True, "person") and left.wait(10)
