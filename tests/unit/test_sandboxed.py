"""A goal's sandbox: what goes in, what comes out, and what a stranger's code that speaks for it can make of its answers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import math
import struct
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb import LLMOS
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.take import sandboxed, take
from llmos_nb.dispatch.undo_history import UndoHistory
from llmos_nb.errors import LlmosError, ModeUnavailable, ProjectError, SandboxFailed, SettingsError
from llmos_nb.guard.sandbox import Fence, fences
from llmos_nb.guard.sandbox.screened import screened_data, screened_html, screened_text
from llmos_nb.guard.sandbox.values import NotPlain, decode, encode
from llmos_nb.guard.sandbox.wire import Wire, plain_json
from llmos_nb.mind import Agent
from llmos_nb.projects.constraints import Constraints, constraints_from
from llmos_nb.settings import Settings
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.sandboxed import Offered, OfferedValue, Sandboxed, is_relative
from llmos_nb.tools.workbench import Workbench

WORKING = [fence for fence in fences() if not fence.problem]
needs_a_fence = pytest.mark.skipif(not WORKING, reason="no sandbox works on this machine")


@pytest.fixture(params=WORKING, ids=lambda fence: fence.name)
def fence(request: pytest.FixtureRequest) -> Fence:
    return request.param


class Place:
    """A workbench whose tools work in a sandbox, on a folder and names of a person's."""

    def __init__(self, folder: Path, goal: str, fence: Fence, **names: Any) -> None:
        self.folder, self.kernel = folder, PlainNamespace()
        self.kernel.names.update(names)
        self.sandbox = Sandboxed(self.kernel, folder, folder / "workspace", goal, fence)
        self.bench = Workbench(
            "run", namespace=self.sandbox.namespace, workspace=folder / "workspace", cwd=folder,
            grant={*TOOLS, "Bash"}, publish=lambda event: None, sandbox=self.sandbox,
        )  # fmt: skip

    async def cell(self, code: str) -> Any:
        return await self.do("run_cell", code=code)

    async def do(self, tool: str, **arguments: Any) -> Any:
        call = await self.bench.call(tool, arguments)
        assert call.result is not None, call.verdict
        return call.result


@pytest.fixture
async def made() -> AsyncIterator[list[Place]]:
    places: list[Place] = []
    yield places
    for place in places:
        place.sandbox.stop()
        await place.sandbox.end()


# -- a goal's tools


@needs_a_fence
async def test_a_goal_works_on_copies(fence: Fence, tmp_path: Path, made: list[Place], capsys: Any) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / ".env").write_text("KEY=sesame")
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "llmos.toml").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "large.bin").write_bytes(b"l" * 9_000_000)
    df, api_key = pandas.DataFrame({"a": [1, 2]}), "sesame"
    place = Place(
        tmp_path, "Use df, api_key and other", fence, df=df, api_key=api_key, pd=pandas, unnamed=3, other=lambda: 1
    )
    made.append(place)
    first = await place.cell("print(sorted(__import__('os').listdir())); df['b'] = 3; df.shape")
    assert first.text == "['a.csv', 'large.bin', 'sub']\n(2, 2)", first
    assert first.defines["df"] == "DataFrame" and list(df.columns) == ["a"] and "a.csv" in capsys.readouterr().out
    assert any("other" in notice for notice in place.sandbox.notices)
    for name in ("api_key", "unnamed", "other"):
        assert (await place.cell(name)).error == "NameError"
    second = await place.cell(
        "t = pd.read_csv('a.csv')\nt.to_csv('sub/out.csv', index=False)\nopen('a.csv', 'a').write('5,6\\n')\n"
        "n = len(open('large.bin', 'rb').read())\nprint(n)"
    )
    assert (second.error, second.text) == ("", "9000000")
    assert (set(second.files), set(second.reads)) == ({"a.csv", "sub/out.csv"}, {"large.bin"})
    assert (await place.cell("open('large.bin', 'w')")).error in ("OSError", "PermissionError")
    shell = await place.do("run_shell", command="cat sub/out.csv; echo new > new.txt; exit 3")
    assert (shell.error, shell.text) == ("exit code 3", "x,y\n1,2\n3,4\n[exit code 3]")
    assert (await place.do("write_file", path="w.txt", content="w")).files == ("w.txt",)
    assert "t: DataFrame, 2 rows x 2 columns" in (await place.do("inspect")).text
    assert type(place.bench.namespace.names["t"]).__name__ == "DataFrame" and "t" not in place.kernel.names
    offered = await place.sandbox.offers()
    assert set(offered.values) == {"df", "t", "n"} and offered["n"] == 9_000_000
    assert set(offered.files) == {"a.csv", "sub/out.csv", "new.txt", "w.txt"} and offered["new.txt"] == b"new\n"
    pandas.testing.assert_frame_equal(offered["df"], pandas.DataFrame({"a": [1, 2], "b": [3, 3]}))
    # Nothing outside is changed.
    assert (tmp_path / "a.csv").read_text() == "x,y\n1,2\n3,4\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "a.csv", "large.bin", "sub", "workspace"]


@needs_a_fence
async def test_what_lasts_or_runs_elsewhere_is_refused(fence: Fence, tmp_path: Path, made: list[Place]) -> None:
    made.append(place := Place(tmp_path, "", fence))
    for tool in ("remember", "create_agent", "modify_agent", "Bash", "mcp__other__tool"):
        verdict = place.bench.check(tool, {"command": "ls"})
        assert (verdict.decision, verdict.rule) == ("deny", "sandbox"), tool
    assert place.bench.check("run_shell", {"command": "ls"}).decision == "allow"


@needs_a_fence
@pytest.mark.parametrize("work", [
    "import time; time.sleep(60)", "while True: pass", "import os; os.system('setsid sleep 54326 & sleep 54326')",
])  # fmt: skip
async def test_a_stop_ends_it_within_a_second(fence: Fence, tmp_path: Path, made: list[Place], work: str) -> None:
    from test_sandbox import gone

    made.append(place := Place(tmp_path, "", fence))
    await place.cell("1")
    going = asyncio.create_task(place.cell(work))
    await asyncio.sleep(0.5)
    begun = time.monotonic()
    place.bench.stop()
    result = await going
    await place.sandbox.end()
    assert result.interrupted and time.monotonic() - begun < 5  # the bench measures it; a busy machine is slower
    assert gone("sleep 54326")


async def unguarded(place: Place, code: str) -> Any:
    """What comes of code that got past the guard."""
    return await place.sandbox.call("run_cell", place.bench._context, {"code": code})


@needs_a_fence
async def test_code_that_kills_or_floods_its_sandbox_is_told(fence: Fence, tmp_path: Path, made: list[Place]) -> None:
    made.append(place := Place(tmp_path, "", fence))
    killed = await unguarded(place, "import os; os._exit(3)")
    assert killed.error == "SandboxFailed" and "exit code 3" in killed.text
    assert (await place.cell("1")).error == "SandboxFailed"
    assert not await place.sandbox.offers()
    made.append(place := Place(tmp_path, "", fence))
    flood = await place.cell("while True: print('x' * 10_000)")
    assert flood.error == "SandboxFailed" and "printed more than" in flood.text


FORGED = """
import os, struct, json
for n in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd') else map(str, range(40)):
    try: fd = int(n); mode = os.fstat(fd).st_mode
    except OSError: continue
    if fd > 2 and os.get_blocking(fd) is not None:
        try: os.write(fd, FORGERY)
        except OSError: pass
import time; time.sleep(20)
"""


def framed(text: bytes, count: int = 0, sizes: bytes = b"") -> bytes:
    return struct.pack(">II", len(text), count) + text + sizes


@needs_a_fence
@pytest.mark.parametrize("forgery", [
    b"\xff" * 64, framed(b"[" * 100_000), framed(b'{"answer": true, "text": ' + b"9" * 100_000 + b"}"),
    framed(b'{"answer": NaN}'), framed(b"[]"), framed(b"{}", 20_000), framed(b"{}", 1, struct.pack(">Q", 2**62)),
    framed(b'{"answer": true, "a": ' + b'{"a":' * 500 + b"1" + b"}" * 501),
])  # fmt: skip
async def test_an_answer_that_is_none_ends_it(tmp_path: Path, made: list[Place], forgery: bytes) -> None:
    made.append(place := Place(tmp_path, "", WORKING[0]))
    result = await unguarded(place, f"FORGERY = {forgery!r}{FORGED}")
    assert result.error == "SandboxFailed", result


@needs_a_fence
async def test_a_forged_answer_is_believed_no_further_than_it_may(tmp_path: Path, made: list[Place]) -> None:
    forged = {
        "answer": True, "text": "\x1b]52;c;aGk=\x07done", "error": 3, "outputs": [
            {"kind": "display", "data": {"text/html": "<script>x</script><b>b</b>", "application/javascript": "x"}}, 7,
        ],
        "defines": {"a b": "int", "x": "int", "y": 3}, "columns": [], "deletes": 5, "diff": {},
        "files": ["../up", "/etc/passwd", "a/../../b", ".bashrc", "ok.txt", 3], "reads": ["/etc/shadow"],
        "names": {"x": {"type": "DataFrame", "columns": [[]], "shape": ["a"]}, "__import__('os')": {}},
    }  # fmt: skip
    made.append(place := Place(tmp_path, "", WORKING[0]))
    result = await unguarded(place, f"FORGERY = {framed(json.dumps(forged).encode())!r}{FORGED}")
    assert (result.text, result.error, result.files, result.reads) == ("done", "", ("ok.txt",), ())
    assert dict(result.defines) == {"x": "int"} and result.deletes == () and result.columns == {}
    assert [dict(output.data) for output in result.outputs] == [{"text/html": "<b>b</b>"}]
    assert set(place.bench.namespace.names) == {"x"}


# -- whether a goal works in one


def agent(**extra: Any) -> Agent:
    return Agent("one", extra=extra)


@needs_a_fence
def test_who_decides() -> None:
    never, always, project = Settings(), Settings(sandbox="always"), Constraints(sandbox="always")

    def asked(said: bool | None, options: Settings, limits: Constraints, *agents: Agent) -> bool:
        return sandboxed(said, options, limits, agents, "auto", False)

    assert not asked(None, never, Constraints(), agent()) and asked(True, never, Constraints(), agent())
    assert asked(None, always, Constraints(), agent()) and not asked(False, always, Constraints(), agent())
    assert asked(False, never, project, agent()) and asked(
        False, never, Constraints(), agent(), agent(sandbox="always")
    )
    assert not asked(False, always, Constraints(), agent(sandbox="never"))
    for mode, plan in (("orchestrator", False), ("crystallized", False), ("auto", True)):
        with pytest.raises(ModeUnavailable, match="sandbox"):
            sandboxed(True, never, Constraints(), (), mode, plan)
    with pytest.raises(SettingsError, match="always or never"):
        Settings(sandbox="maybe")
    assert constraints_from({"sandbox": "always"}, "project.toml").limits() == "in a sandbox"
    with pytest.raises(ProjectError, match="always or never"):
        constraints_from({"sandbox": True}, "project.toml")


def test_without_a_fence_a_sandboxed_goal_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.errors import SandboxUnavailable
    from llmos_nb.guard.sandbox import fence as module

    class Broken:
        name, problem = "broken", "it is broken"

    monkeypatch.setattr(module, "fences", lambda: (Broken(),))
    system = LLMOS(workspace=tmp_path / "workspace", endpoint="scripted")
    with pytest.raises(SandboxUnavailable, match=r"it is broken.*Nothing was run"):
        asyncio.run(system.execute("Do it", sandbox=True))
    system.close()


# -- taking


def result(folder: Path, **offered: Any) -> RunResult:
    return RunResult(
        run_id="r", goal="g", status="success", mode="learner", text="", reason="", sandbox="bubblewrap",
        folder=str(folder), offered=Offered(**offered),
    )  # fmt: skip


def value(of: Any) -> OfferedValue:
    data, pieces = encode(of)
    return OfferedValue(type(of).__name__, data, tuple(pieces))


def test_what_is_offered_can_be_listed() -> None:
    offered = Offered(values={"a": value([1])}, files={"b.txt": b"x"}, not_offered={"f": "it is a function"})
    assert list(offered) == ["a", "b.txt"] and len(offered) == 2
    assert {name: offered[name] for name in offered} == {"a": [1], "b.txt": b"x"}
    assert "a" in offered and "b.txt" in offered and "f" not in offered
    assert Offered(not_offered={"f": "it is a function"}), "there is something to tell"


def test_nothing_is_taken_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("mine")
    names: dict[str, Any] = {"mine": 1}
    run = result(
        tmp_path, values={"mine": value(2), "new": value([1])}, files={"there.txt": b"x", "a/b.txt": b"b"},
        not_offered={"f": "it is a function"},
    )  # fmt: skip
    with pytest.raises(SandboxFailed, match="a variable mine already"):
        take(run, (), names, tmp_path / "workspace", history=UndoHistory())
    with pytest.raises(SandboxFailed, match=r"a file there\.txt already"):
        take(run, ("new", "there.txt"), names, tmp_path / "workspace", history=UndoHistory())
    assert names == {"mine": 1} and (tmp_path / "there.txt").read_text() == "mine"
    assert (
        str(take(run, ("new", "a/b.txt"), names, tmp_path / "workspace", history=UndoHistory()))
        == "Bound new. Wrote a/b.txt."
    )
    assert names["new"] == [1] and (tmp_path / "a" / "b.txt").read_bytes() == b"b"
    take(run, (), names, tmp_path / "workspace", history=UndoHistory(), replace=True)
    assert names["mine"] == 2 and (tmp_path / "there.txt").read_text() == "x"
    with pytest.raises(SandboxFailed, match="it is a function"):
        take(run, ("f",), names, tmp_path / "workspace", history=UndoHistory())
    with pytest.raises(SandboxFailed, match=r"made no other.*mine, new, there\.txt"):
        take(run, ("other",), names, tmp_path / "workspace", history=UndoHistory())
    with pytest.raises(SandboxFailed, match="did not work in a sandbox"):
        take(None, (), names, tmp_path / "workspace", history=UndoHistory())


@pytest.mark.parametrize("name", ["out/secret.txt", "link.txt", "workspace/llmos.toml", "workspace/agents/a.md"])
def test_a_file_is_taken_only_into_the_folder(tmp_path: Path, name: str) -> None:
    folder, outside = tmp_path / "here", tmp_path / "outside"
    for one in (folder, outside, folder / "workspace" / "agents"):
        one.mkdir(parents=True)
    (folder / "out").symlink_to(outside)
    (folder / "link.txt").symlink_to(outside / "link.txt")
    with pytest.raises(SandboxFailed, match="is not taken"):
        take(result(folder, files={name: b"x"}), (), {}, folder / "workspace", history=UndoHistory(), replace=True)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("name", [
    "../a", "/a", "a/../b", ".hidden", "a/.hidden", "a\x1b[0m", "C:\\a", "a\\b", "", "a" * 300, "..", ".",
])  # fmt: skip
def test_names_that_leave_a_folder_are_none(name: str) -> None:
    assert not is_relative(name)
    assert is_relative("a/b.txt") and is_relative("ä.csv")


# -- what is shown


@pytest.mark.parametrize(("given", "wanted"), [
    ("plain\ttext\r\n", "plain\ttext\r\n"), ("\x1b[31mred\x1b[0m", "red"), ("\x1b]0;title\x07a", "a"),
    ("a\x00\x08\x9bb", "ab"), ("\u202etxt.exe", "txt.exe"),
])  # fmt: skip
def test_text_obeys_nothing(given: str, wanted: str) -> None:
    assert screened_text(given) == wanted


@pytest.mark.parametrize("page", [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<b onclick=alert(1)>x</b>",
    "<a href='javascript:1'>x</a>",
    "<svg onload=alert(1)><script>1</script></svg>", "<style>@import 'x'</style>", "<iframe srcdoc='<script>1</script>'>",
    "<table><tr><td style='background:url(x)' class=jp-evil>1</td></tr></table>", "<scr<script>ipt>alert(1)</script>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "<!--><script>1</script>-->", "<form action=x><button formaction=y>z",
    "<meta http-equiv=refresh content=0>", "<base href=//evil>", "<link rel=stylesheet href=x>", "<textarea><script>1",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<b/onclick=x>",
    "<template><script>1</script></template>",
])  # fmt: skip
def test_html_is_harmless(page: str) -> None:
    from html.parser import HTMLParser

    class Seen(HTMLParser):
        tags: list[Any] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.tags.append((tag, dict(attrs)))

    seen = Seen()
    seen.tags = []
    seen.feed(screened_html(page))
    assert all(tag in ("b", "table", "tr", "td", "p") and not attrs for tag, attrs in seen.tags), seen.tags
    assert screened_html(screened_html(page)) == screened_html(page)


def test_a_table_looks_as_ever_and_other_forms_are_told() -> None:
    table = pandas.DataFrame({"a<b": [1], "c": ["<i>"]})
    shown = screened_data({"text/html": table._repr_html_(), "text/plain": "t"})
    assert '<table border="1" class="dataframe">' in shown["text/html"] and "&lt;i&gt;" in shown["text/html"]
    assert screened_data({"text/plain": "p", "image/svg+xml": "<svg/>"}) == {
        "text/plain": "p\n[not shown out of the sandbox: image/svg+xml]"
    }
    assert "application/javascript" not in screened_data({"application/javascript": "1", "text/plain": "p"})


def test_pictures_are_pictures_of_a_sane_size() -> None:
    def png(width: int, height: int) -> str:
        head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + bytes(20)
        return base64.b64encode(head).decode()

    assert screened_data({"image/png": png(600, 400)}) == {"image/png": png(600, 400)}
    for bad in (png(60_000, 60_000), png(0, 5), "no base64!", base64.b64encode(b"<svg/>" * 10).decode()):
        assert "image/png" not in screened_data({"image/png": bad})


# -- values

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


def alike(a: Any, b: Any) -> bool:
    return type(a) is type(b) and repr(a) == repr(b)


@given(plain)
@settings(max_examples=100, deadline=None)
def test_plain_values_come_out_as_they_are(value: Any) -> None:
    data, pieces = encode(value)
    assert alike(decode(plain_json(json.dumps(data).encode()), pieces), value)


KEYS = st.sampled_from([
    "$", "v", "b", "dtype", "shape", "index", "columns", "rows", "scalar", "one", "name", "range", "levels", "codes",
    "categories", "moments", "zone", "array", "list",
])  # fmt: skip
WORDS = st.sampled_from([
    "table", "array", "int", "dict", "series", "index", "set", "timestamp", "na", "<f8", "O", "|V8", "Int64", "str",
])  # fmt: skip
made_up = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner | WORDS, max_size=6),
    max_leaves=25,
)


@given(made_up, st.lists(st.binary(max_size=32), max_size=3))
@settings(max_examples=200, deadline=None)
def test_made_up_values_are_refused_or_plain(data: Any, pieces: list[bytes]) -> None:
    with contextlib.suppress(SandboxFailed):
        decode(data, pieces)


@pytest.mark.parametrize("frame", [
    pandas.DataFrame(), pandas.DataFrame([[1, 2]], columns=["a", "a"]),
    pandas.DataFrame({"a": [1.5, None], "b": ["x", None], "c": pandas.Categorical(["u", "v"]), "d": [[1], {"k": 2}]}),
    pandas.DataFrame({"t": pandas.to_datetime(["2020-01-01", None]).tz_localize("Europe/Berlin")}),
    pandas.DataFrame({"i": pandas.array([1, None], dtype="Int64")}, index=pandas.Index(["p", "q"], name="n")),
    pandas.DataFrame({"x": [1, 2]}, index=pandas.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["k", None])),
])  # fmt: skip
def test_tables_come_out_as_they_are(frame: pandas.DataFrame) -> None:
    data, pieces = encode(frame)
    pandas.testing.assert_frame_equal(decode(plain_json(json.dumps(data).encode()), pieces), frame)


def test_what_is_not_plain_stays_inside() -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (print, ("run",))

    nested: Any = []
    for _ in range(500):
        nested = [nested]
    for one in (
        Evil(),
        [Evil()],
        numpy.array([Evil()]),
        print,
        nested,
        1 << 2_000_000,
        numpy.zeros(2, dtype="i4,f8"),
    ):
        with pytest.raises(NotPlain):
            encode(one)
    assert math.isnan(decode(*encode(numpy.float64("nan"))))


def test_a_message_needs_its_whole_length() -> None:
    import os

    reads, writes = os.pipe()
    wire = Wire(reads, writes)
    threading.Thread(target=wire.send, args=({"a": 1}, [b"x" * 200_000, b""])).start()
    assert wire.receive() == ({"a": 1}, [b"x" * 200_000, b""])
    os.write(writes, framed(b'{"a"'))
    os.close(writes)
    with pytest.raises(LlmosError):
        wire.receive()
