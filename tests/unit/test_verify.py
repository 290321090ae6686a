"""What counts as evidence of a step, and how a replay of it differs."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pandas as pd
import pytest

from llmos_nb.learning.verify import digest, expectation, surprise, warnings_new
from llmos_nb.memory import Expectation
from llmos_nb.tools.namespace import Output
from llmos_nb.tools.shell_namespace import ShellNamespace
from llmos_nb.tools.tool import ToolResult


def result(*outputs: Output, **facts: Any) -> ToolResult:
    return ToolResult(text="".join(output.text for output in outputs), outputs=outputs, **facts)


def text(said: str, **more: str) -> Output:
    return Output("display", {"text/plain": said, **more})


def printed(said: str) -> Output:
    return Output("stdout", {"text/plain": said})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (text("1"), text("2")),
        (printed("1\n"), printed("2\n")),
        (text("<Figure>", **{"image/png": "aaaa"}), text("<Figure>", **{"image/png": "bbbb"})),
        (text("0xdeadbeef"), text("0xcafebabe")),
        (printed("found at 0xdeadbeef"), printed("found at 0xcafebabe")),
        (text("<IPython.core.display.HTML object>", **{"text/html": "<b>1</b>"}),
         text("<IPython.core.display.HTML object>", **{"text/html": "<b>2</b>"})),
        (Output("display", {"application/json": "1"}), Output("display", {"application/json": "2"})),
    ],
)  # fmt: skip
def test_other_outputs_have_another_digest(one: Output, other: Output) -> None:
    assert digest(result(one)) != digest(result(other))
    assert digest(result(one)) == digest(result(dataclasses.replace(one)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (text("<object object at 0x7f0000000001>"), text("<object object at 0x7f0000000002>")),
        (text("<function <lambda> at 0x7f0000000001>"), text("<function <lambda> at 0x7f0000000002>")),
        (text("<code object f at 0x7f0000000001, file \"x\", line 1>"),
         text("<code object f at 0x7f0000000002, file \"x\", line 1>")),
        (text("   a\n0  1", **{"text/html": "<table id='T_1'>"}), text("   a\n0  1", **{"text/html": "<table id='T_2'>"})),
    ],
)  # fmt: skip
def test_what_differs_by_chance_does_not_count(one: Output, other: Output) -> None:
    assert digest(result(one)) == digest(result(other))


def test_the_error_stream_is_apart_from_the_outputs() -> None:
    warned = Output("stderr", {"text/plain": "/tmp/ipykernel_11/2.py:3: FutureWarning: soon\n"})
    quiet, loud = result(printed("1\n2\n")), result(printed("1\n"), warned, printed("2\n"))
    assert digest(quiet) == digest(loud) and surprise(expectation(loud, replay=True), quiet, {}) == ""
    assert not warnings_new(quiet, loud.text)
    assert warnings_new(loud, quiet.text) == ["<cell>:3: FutureWarning: soon"]
    assert not warnings_new(loud, loud.text.replace("ipykernel_11/2", "ipykernel_22/7"))
    failed = dataclasses.replace(loud, error="ValueError")
    assert expectation(failed, replay=False).outputs == ("stream",) and digest(failed) != digest(quiet)


def test_the_text_of_a_tool_without_outputs_counts() -> None:
    assert digest(ToolResult(text="a")) != digest(ToolResult(text="b"))


def test_a_result_meets_the_expectation_made_from_it() -> None:
    frame = pd.DataFrame({"a": [1]})
    did = result(
        printed("x\n"), text("1"), defines={"df": "DataFrame"}, columns={"df": ("a",)}, deletes=("old",),
        files=("b.txt", "a.txt"),
    )  # fmt: skip
    expected = expectation(did, replay=True)
    assert expected.outputs == ("stream", "text/plain") and expected.replay and expected.status == "ok"
    assert surprise(expected, did, {"df": frame}) == ""
    failed = ToolResult(text="Traceback\nKeyError: 'x'", error="KeyError")
    assert surprise(expectation(failed, replay=True), failed, {}) == ""


def test_how_printing_is_cut_into_pieces_does_not_count() -> None:
    err = Output("stderr", {"text/plain": "w"})
    assert expectation(result(printed("a"), err, printed("b"), text("1")), replay=True).outputs == (
        "stream",
        "text/plain",
    )


@pytest.mark.parametrize(
    ("expected", "did", "words"),
    [
        ({}, {"error": "KeyError", "text": "Traceback\nKeyError: 'x'"}, "it ended in KeyError: KeyError: 'x'"),
        ({"status": "error", "error": "KeyError"}, {}, "it succeeded where it failed before"),
        ({"status": "error", "error": "KeyError"}, {"error": "ValueError"}, "ValueError instead of KeyError"),
        ({"defines": {"gone": "int"}}, {}, "it did not define gone"),
        ({"defines": {"n": "str"}}, {}, "n is of type int instead of str"),
        ({"columns": {"df": ("a", "z")}}, {}, "df lacks the column z and has the new column b"),
        ({"columns": {"df": ("b", "a")}}, {}, "df has its columns in another order"),
        ({"columns": {"n": ("a",)}}, {}, "lacks the column a"),
        ({}, {"deletes": ("n",)}, "it deleted n"),
        ({}, {"outputs": (printed("x"),)}, "it showed stream instead of nothing"),
        ({"outputs": ("image/png",)}, {"outputs": (text("x"),)}, "it showed text/plain instead of image/png"),
        ({"files": ("a",)}, {}, "it changed the files nothing instead of a"),
        ({"files": ("a",)}, {"files": ("a", "b")}, "it changed the files a, b instead of a"),
    ],
)  # fmt: skip
def test_every_difference_is_told_in_words(expected: dict[str, Any], did: dict[str, Any], words: str) -> None:
    names = {"n": 1, "df": pd.DataFrame({"a": [1], "b": [2]})}
    found = surprise(Expectation(**{"digest": "d", **expected}), ToolResult(**{"text": "", **did}), names)
    assert words in found


def test_rich_displays_of_a_real_shell_count(ipython: Any) -> None:
    ipython.display_pub.publish = lambda *given, **options: None

    def shown(code: str) -> ToolResult:
        return result(*asyncio.run(ShellNamespace(ipython).run_cell(code)).outputs)

    html = "from IPython.display import HTML\nHTML('<b>{}</b>')"
    assert digest(shown(html.format(1))) != digest(shown(html.format(2)))
    table = "import pandas as pd\npd.DataFrame({{'a': [{}]}}).style"
    assert digest(shown(table.format(1))) != digest(shown(table.format(2)))


@pytest.mark.parametrize(
    ("expected", "recorded", "did", "words"),
    [
        ({"files": ("b",)}, {"files": ("a",)}, {"files": ("b",)}, ""),
        ({"files": ("b",)}, {"files": ("a",)}, {"files": ("c",)}, "changed the files c instead of b"),
        ({"files": ()}, {"files": ("a",)}, {"files": ("c",)}, ""),
        ({"files": ()}, {"files": ("a",)}, {"files": ("c", "d")}, "instead of files like a"),
        ({"files": ("x",)}, {"files": ("x", "a")}, {"files": ("x", "b")}, ""),
        ({"files": ("x",)}, {"files": ("x", "a")}, {"files": ("b", "c")}, "instead of files like x, a"),
        ({}, {}, {"files": ("c",)}, "changed the files c instead of nothing"),
        ({}, {}, {"outputs": (printed("x"),)}, "showed stream instead of nothing"),
        ({}, {"outputs": ("image/png",)}, {"outputs": (printed("x"),)}, ""),
        ({}, {"outputs": ("image/png",)}, {}, "showed nothing instead of image/png"),
        ({}, {}, {"deletes": ("n",)}, "deleted n"),
    ],
)  # fmt: skip
def test_a_bound_step_is_held_to_what_was_seen_of_the_recorded_one(
    expected: dict[str, Any], recorded: dict[str, Any], did: dict[str, Any], words: str
) -> None:
    before = Expectation(**{"digest": "d", **recorded})
    found = surprise(Expectation(**expected), ToolResult(**{"text": "", **did}), {"n": 1}, before)
    assert (words in found) if words else found == ""
