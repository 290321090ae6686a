"""The shelf: finding, loading hot, refusing, and what one kernel does that another sees."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import llmos_nb.crystals
from llmos_nb.crystals import Check, Crystal, CrystalShelf, Report, use
from llmos_nb.crystals.facts import Facts, digest_of, sealed, written
from llmos_nb.crystals.inlined import inlined
from llmos_nb.crystals.judged import judge_call, written_out
from llmos_nb.crystals.load import read
from llmos_nb.crystals.naming import RESERVED
from llmos_nb.crystals.offered import as_cell, call_code, crystal_tools
from llmos_nb.errors import CrystalError, GuardDenied, LlmosError, SettingsError, UnknownCrystal
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

NAME = "double"


def text_of(name: str = NAME, body: str = "    return n * 2", signature: str = "n: int = 1", **facts: Any) -> str:
    known = {
        "parameters": ({"name": "n", "from": "n", "schema": {"type": "integer"}},),
        "examples": ({"trace": "t1", "arguments": {"n": 3}, "names": {}},),
        "shows": True, "shape": "s", "template": "double {n}", "uses": 6, "successes": 6,
    }  # fmt: skip
    source = Facts(name=name, **{**known, **facts}).as_source()
    return sealed(f'def {name}({signature}):\n    """Double a number."""\n{body}\n\n\n{source}')


def passed(text: str) -> Report:
    return Report(digest_of(text), (Check("t1", True),))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "workspace" / "crystals"
    use(None)


@pytest.fixture
def shelf(folder: Path) -> CrystalShelf:
    return CrystalShelf(folder)


def install(shelf: CrystalShelf, name: str = NAME, **options: Any) -> Crystal:
    text = text_of(name, **options)
    return shelf.install(name, text, passed(text))


def test_an_installed_crystal_is_a_function(shelf: CrystalShelf) -> None:
    crystal = install(shelf)
    assert crystal(4) == 8 and crystal() == 2
    assert str(inspect.signature(crystal)) == "(n: int = 1)"
    assert inspect.getdoc(crystal) == "Double a number."
    assert repr(crystal) == "<crystal double(n: int = 1)>"
    assert "6 uses, 100% successful; ready" in crystal._repr_markdown_()
    assert crystal.schema == {
        "type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False,
    }  # fmt: skip
    assert [entry.name for entry in shelf.list()] == ["double"] == shelf.names()
    assert "double" in shelf and len(shelf) == 1


def test_the_import_finds_the_crystals_in_use(shelf: CrystalShelf) -> None:
    install(shelf)
    use(shelf)
    from llmos_nb.crystals import double  # type: ignore[attr-defined]

    assert double(5) == 10
    assert "double" in dir(llmos_nb.crystals)
    assert pickle.loads(pickle.dumps(double))(2) == 4


def test_an_import_of_what_is_not_there_says_what_is(shelf: CrystalShelf) -> None:
    install(shelf)
    use(shelf)
    with pytest.raises(ImportError, match="Did you mean double"):
        from llmos_nb.crystals import doubel  # type: ignore[attr-defined]  # noqa: F401
    assert not hasattr(llmos_nb.crystals, "doubel")
    with pytest.raises(UnknownCrystal, match="There are double"):
        shelf.get("nothing_like_it")


def test_without_a_shelf_in_use_the_settings_name_the_workspace(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(CrystalShelf(folder))
    use(None)
    assert llmos_nb.crystals.double(2) == 4  # ./workspace is the default
    other = tmp_path / "elsewhere"
    install(CrystalShelf(other / "crystals"), "triple", body="    return n * 3")
    monkeypatch.setenv("LLMOS_WORKSPACE", str(other))
    assert llmos_nb.crystals.triple(2) == 6
    assert not hasattr(llmos_nb.crystals, "double")


def test_a_changed_file_is_loaded_anew_also_in_place(shelf: CrystalShelf) -> None:
    crystal = install(shelf)
    for factor in (3, 4, 5):  # quick, of one size, and in place: neither time nor size tells them apart
        crystal.path.write_text(text_of(body=f"    return n * {factor}"))
        assert crystal(1) == factor


def test_a_file_that_was_put_there_is_found_but_not_used_before_it_is_tested(shelf: CrystalShelf) -> None:
    shelf.folder.mkdir(parents=True)
    shelf.path("double").write_text(text_of())
    crystal = shelf.get("double")
    assert crystal(2) == 4
    assert "not been tested" in shelf.refusal("double") and shelf.due("double")
    assert shelf.find(trace_id="t1") is None
    with pytest.raises(CrystalError, match="not in use"):
        crystal.into({}, n=2)
    shelf.keep_report("double", passed(text_of()))
    assert crystal.into({}, n=2) == 4
    found = shelf.find(trace_id="t1")
    assert found is not None and found.name == "double"
    assert shelf.find(shape="s") is not None and shelf.find(trace_id="other") is None


def test_an_edited_file_is_kept_and_tested_again(folder: Path) -> None:
    tested: list[str] = []

    def tester(module: Any) -> Report:
        tested.append(module.text)
        return Report(module.digest, (Check("t1", "n * 3" not in module.text, "it came out otherwise"),))

    shelf = CrystalShelf(folder, tester=tester)
    crystal = install(shelf)
    edited = crystal.path.read_text().replace("return n * 2", "return n + n  # nicer")
    crystal.path.write_text(edited)
    assert "it was edited" in shelf.refusal("double") and shelf.due("double")
    with pytest.raises(CrystalError, match="edited by a person"):
        install(shelf, body="    return 2 * n")
    assert shelf.test("double").passed and shelf.refusal("double") == ""
    assert crystal.path.read_text() == edited == tested[0]
    crystal.path.write_text(edited.replace("n + n", "n * 3"))
    assert not shelf.test("double").passed
    assert "its tests failed: t1" in shelf.refusal("double")
    assert not shelf.due("double")  # they ran


def test_a_failure_takes_it_out_of_use_for_every_shelf(shelf: CrystalShelf, folder: Path) -> None:
    crystal = install(shelf)
    other = CrystalShelf(folder)
    assert other.refusal("double") == ""
    shelf.demote("double", "it failed:\nKeyError")
    assert other.refusal("double") == "it failed: it failed: KeyError"
    assert other.find(trace_id="t1") is None and crystal_tools(other) == []
    assert crystal(2) == 4  # a person still may
    with pytest.raises(CrystalError, match="failed in use"):
        install(other, signature="n: int = 7", uses=9, successes=9)  # whatever its numbers, it does the same
    changed = install(other, body="    return n + n")  # another text is another function
    assert changed.status == "ready" and shelf.refusal("double") == ""
    shelf.demote("double", "again")
    assert other.enable("double") == "" and shelf.refusal("double") == ""


def test_what_a_person_disabled_stays_disabled(shelf: CrystalShelf) -> None:
    crystal = install(shelf)
    shelf.disable("double", "I do not like it")
    assert crystal.status == "disabled: I do not like it"
    with pytest.raises(CrystalError, match="disabled"):
        install(shelf, body="    return n + n")
    shelf.enable("double")
    assert crystal.status == "ready"


def test_a_removed_crystal_is_not_made_again_by_itself(shelf: CrystalShelf, folder: Path) -> None:
    crystal = install(shelf)
    assert crystal() == 2
    CrystalShelf(folder).remove("double")
    assert shelf.names() == [] and not crystal.path.exists()
    with pytest.raises(UnknownCrystal):
        crystal()
    with pytest.raises(CrystalError, match="was removed"):
        install(shelf)
    text = text_of()
    assert shelf.install("double", text, passed(text), force=True).status == "ready"
    with pytest.raises(UnknownCrystal):
        shelf.remove("nothing")


def test_only_what_passed_its_tests_is_installed(shelf: CrystalShelf) -> None:
    text = text_of()
    for report in (
        Report(digest_of(text), ()),
        Report(digest_of(text), (Check("t1", False, "no"),)),
        Report("of another text", (Check("t1", True),)),
    ):
        with pytest.raises(CrystalError, match="tests did not pass"):
            shelf.install("double", text, report)
    assert shelf.names() == []


def test_a_name_belongs_to_one_family(shelf: CrystalShelf) -> None:
    install(shelf)
    with pytest.raises(CrystalError, match="another crystal of that name"):
        install(shelf, shape="other")
    known = Facts("double", shape="s", template="double {n}")
    assert shelf.free_name("double", Facts("double", shape="other", template="double {n}")) == "double_2"
    assert shelf.free_name("double", known) == "double" == shelf.relative(known)
    assert shelf.free_name("double", Facts("double", shape="s", template="t")) == "double_2"
    assert shelf.free_name("shelf", known) == "shelf_2"
    shared = ({"trace": "t1", "arguments": {}, "names": {}},)  # another phrasing, the same runs
    assert shelf.relative(Facts("double", shape="s", template="twice {n}", examples=shared)) == "double"
    assert shelf.relative(Facts("double", shape="t")) == ""


@pytest.mark.parametrize("name", ["class", "Upper", "two words", "../up", "shelf", "", "_x", "match"])
def test_names_that_could_not_be_imported_are_refused(shelf: CrystalShelf, name: str) -> None:
    if name == "match":  # a soft keyword is a name like any other
        assert install(shelf, name)() == 2
        return
    with pytest.raises(LlmosError):
        install(shelf, name)


def test_everything_the_package_has_is_reserved() -> None:
    package = Path(llmos_nb.crystals.__file__ or "").parent
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    for name in modules:
        importlib.import_module(f"llmos_nb.crystals.{name}")
    public = {name for name in vars(llmos_nb.crystals) if not name.startswith("_")}
    assert modules | {name for name in public if name not in sys.modules} <= RESERVED | {"double", "triple"}


BROKEN = {
    "no Python": "def double(:\n",
    "no function": text_of("other"),
    "no facts": "def double(n=1):\n    return n\n",
    "facts that are code": "def double(n=1):\n    return n\n__llmos__ = {'format': print(1)}\n",
    "other format": text_of().replace('"format": 1', '"format": 9'),
    "any arguments": text_of(signature="*n"),
    "wrong type": text_of().replace('"needs": {}', '"needs": [1]'),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_cannot_be_used_says_where_and_why(shelf: CrystalShelf, what: str) -> None:
    shelf.folder.mkdir(parents=True)
    path = shelf.path("double")
    path.write_text(BROKEN[what])
    assert shelf.refusal("double").startswith(str(path))
    assert shelf.list()[0].status == shelf.refusal("double")
    assert shelf.find(trace_id="t1") is None
    with pytest.raises(CrystalError, match=r"double\.py"):
        shelf.get("double")()


def test_the_guard_looks_at_every_text(shelf: CrystalShelf, tmp_path: Path) -> None:
    bad = text_of().replace("def double", "import os\nos.system('rm -rf /')\n\ndef double")
    with pytest.raises(CrystalError, match="guard refuses"):
        shelf.install("double", sealed(bad), passed(sealed(bad)))
    marker = tmp_path.parent / "outside.txt"
    crystal = install(shelf)
    crystal.path.write_text(text_of().replace("def double", f"open({str(marker)!r}, 'w').close()\n\ndef double"))
    with pytest.raises(CrystalError, match="guard refuses"):
        crystal()
    assert not marker.exists()


def test_the_guard_looks_at_what_a_call_would_do(shelf: CrystalShelf, tmp_path: Path) -> None:
    crystal = install(
        shelf,
        "save",
        signature='path: str = "a.txt"',
        body='    open(f"{path}", "w").write("x")\n    return path',
        parameters=({"name": "path", "from": "path", "schema": {"type": "string"}},),
        examples=({"trace": "t1", "arguments": {"path": "a.txt"}, "names": {}},),
    )
    assert crystal.into({}, path="b.txt") == "b.txt"
    outside = str(tmp_path.parent / "outside.txt")
    with pytest.raises(GuardDenied):
        crystal.into({}, path=outside)
    with pytest.raises(GuardDenied):
        crystal.into({}, path="/etc/hosts")
    assert not Path(outside).exists()


async def test_an_agents_plain_call_is_looked_at_too(shelf: CrystalShelf, tmp_path: Path) -> None:
    install(
        shelf,
        "save",
        signature='path: str = "a.txt"',
        body='    with open(path, "w") as file:\n        file.write("x")\n    return path',
        examples=({"trace": "t1", "arguments": {"path": "a.txt"}, "names": {}},),
    )
    use(shelf)
    bench = Workbench(
        "r", namespace=PlainNamespace(), workspace=tmp_path / "workspace", cwd=tmp_path, grant=tuple(TOOLS),
        publish=lambda event: None,
    )  # fmt: skip
    outside = tmp_path.parent / "outside.txt"
    call = await bench.call("run_cell", {"code": f"from llmos_nb.crystals import save\nsave({str(outside)!r})"})
    assert call.result is not None and call.result.error == "GuardDenied"
    assert not outside.exists()
    call = await bench.call("run_cell", {"code": "from llmos_nb.crystals import save\nsave('inside.txt')"})
    assert call.status == "ok" and call.result is not None and call.result.files == ("inside.txt",)


@pytest.mark.parametrize(
    ("body", "arguments", "has"),
    [
        ("    return open(f'{n}.txt')", {"n": "a"}, "open('a.txt')"),
        ("    return open(n + '.txt')", {"n": "a"}, "open('a.txt')"),
        ("    return run(f'ls {shlex.quote(n)}')", {"n": "a b"}, "\"ls 'a b'\""),
        ("    n = n.strip()\n    return open(n)", {"n": " a "}, "n = ' a '"),
        ("    return [open(x) for x in n]", {"n": ["a", "b"]}, "for x in ['a', 'b']"),
        ("    return (lambda n: open(n))('b')", {"n": "a"}, "open(n)"),
        ("    return n * 10**9", {"n": "a"}, "'a' * 10 ** 9"),
    ],
)
def test_what_is_judged_has_the_arguments_in_place(body: str, arguments: dict[str, Any], has: str) -> None:
    module = read(f"import shlex\n{text_of(body=body)}", "double.py", "double")
    assert has in ast.unparse(written_out(module, arguments))


def test_a_function_of_the_modules_own_is_not_mistaken_for_pythons(shelf: CrystalShelf) -> None:
    body = "    return open(str(n))\n\n\ndef str(value):\n    return '/etc/hosts'"
    module = read(text_of(body=body), "double.py", "double")
    assert "open(str('a'))" in ast.unparse(written_out(module, {"n": "a"}))


def test_each_call_is_judged_by_its_own_values(tmp_path: Path) -> None:
    body = "    with open(f'{n}.txt', 'w') as file:\n        file.write(str(n))\n    return n"
    module = read(text_of(body=body), "double.py", "double")
    asked = ["inside", "/etc/hosts", "../../outside", "inside", "~/.ssh/id_rsa"]
    rules = [judge_call(module, {"n": n}, cwd=tmp_path, workspace=tmp_path).decision for n in asked]
    assert rules[0] == rules[3] == "allow" and "allow" not in (rules[1], rules[2], rules[4])
    assert ast.dump(module.tree) == ast.dump(read(module.text, "double.py", "double").tree)


@pytest.mark.parametrize(
    ("top", "body"),
    [
        ("TABLE = {'a': __import__('os').system('rm -rf /etc')}", "    return n"),
        (
            "TABLE = [('a', 1)]\nCOMMAND = ['rm', '-rf', '/etc']\nimport subprocess",
            "    subprocess.run(COMMAND)\n    return n",
        ),
        ("WHERE = '/etc/hosts'", "    open(WHERE, 'w')\n    return n"),
    ],
)
def test_what_stands_around_the_function_is_judged_with_it(top: str, body: str, tmp_path: Path) -> None:
    module = read(f"{top}\n{text_of(body=body)}", "double.py", "double")
    assert judge_call(module, {"n": 1}, cwd=tmp_path, workspace=tmp_path).decision != "allow"


def test_a_call_with_very_long_values_is_judged_as_long_code_is(tmp_path: Path) -> None:
    module = read(text_of(body="    return [len(one) for one in n]"), "double.py", "double")
    verdicts = [
        judge_call(module, {"n": ["a" * length] * 9_000}, cwd=tmp_path, workspace=tmp_path) for length in (3, 30)
    ]
    assert [verdict.rule for verdict in verdicts] == ["ok", "py-unreadable"]


def test_names_are_bound_as_the_steps_bound_them(shelf: CrystalShelf) -> None:
    crystal = install(
        shelf,
        body="    import math\n    root = math.sqrt(n)\n    if n > 3:\n        big = True\n    return root",
        binds=("math", "root", "n", "big"),
    )
    names: dict[str, Any] = {"root": "old", "other": 1}
    assert crystal.into(names, n=4) == 2.0
    assert names.pop("math").sqrt(4) == 2
    assert names == {"root": 2.0, "other": 1, "n": 4, "big": True}


def test_values_for_the_generalizations_parameters(shelf: CrystalShelf) -> None:
    crystal = install(shelf, fixed={"year": 2024})
    assert crystal.arguments({"n": 3, "year": 2024}) == {"n": 3}
    assert crystal.bindings("t1") == {"n": 3} and crystal.bindings("another") == {}
    for bindings in ({"n": 3, "year": 2025}, {"n": 3, "month": 1}, {}, {"year": 2024}):
        with pytest.raises(CrystalError):
            crystal.arguments(bindings)


def test_a_model_is_offered_tools_that_become_cells(shelf: CrystalShelf) -> None:
    install(shelf, signature="n: int = 1, *, rows", needs={"rows": ""})
    (tool,) = crystal_tools(shelf)
    assert tool.name == "crystal_double" and set(tool.schema["properties"]) == {"n", "rows"}
    name, arguments = as_cell(shelf, "crystal_double", {"n": 2, "rows": "my_rows"})
    assert name == "run_cell"
    assert arguments["code"].endswith("_double.into(globals(), n=2, rows=my_rows)")
    assert as_cell(shelf, "run_cell", {"code": "1"}) == ("run_cell", {"code": "1"})
    for wrong in ({"n": "2"}, {"n": True}, {"m": 1}, {"rows": "os.system('x')"}, {"n": float("nan")}):
        with pytest.raises(CrystalError):
            as_cell(shelf, "crystal_double", wrong)
    with pytest.raises(CrystalError):
        as_cell(shelf, "crystal_nothing", {})


@pytest.mark.parametrize("value", ["x", "it's", 'a "b"', "new\nline", "{n}", "\\", 3, -2.5, True, ["a", "'"], None])
def test_a_call_is_written_so_that_it_reads_back(value: Any) -> None:
    code = call_code("double", {"n": value})
    given: dict[str, Any] = {}
    fake = SimpleNamespace(into=lambda names, **arguments: given.update(arguments))
    exec(code.partition("\n")[2], {"_double": fake})
    assert given == {"n": value}


async def test_a_tools_call_leaves_what_a_cell_leaves(shelf: CrystalShelf, tmp_path: Path) -> None:
    install(shelf, body="    total = n + 1\n    return total", binds=("total",))
    use(shelf)
    space = PlainNamespace()
    space.names["total"] = "mine"
    bench = Workbench(
        "r", namespace=space, workspace=tmp_path / "workspace", cwd=tmp_path, grant=("run_cell",),
        publish=lambda event: None,
    )  # fmt: skip
    call = await bench.call(*as_cell(shelf, "crystal_double", {"n": 4}))
    assert call.result is not None and call.result.text == "5" and call.result.defines == {"total": "int"}
    bench.undo.put_back(space.names)
    assert space.names["total"] == "mine"


def test_another_process_imports_it(shelf: CrystalShelf, folder: Path) -> None:
    install(shelf)
    code = "from llmos_nb.crystals import double; print(double(21))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder.parents[1], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "LLMOS_WORKSPACE": str(folder.parent)},
    )  # fmt: skip
    assert done.stdout == "42\n"


@pytest.mark.parametrize(
    "value", ["", "a", "it's", '"', "'\"", "\n\t\x00", "\u2028", "{}", [1, "a"], {"k": [True, None]}, ("one",), -1.5]
)
def test_data_is_written_so_that_it_reads_back(value: Any) -> None:
    assert eval(written(value)) == value
    assert eval(written(value, before=200)) == value


def test_a_digest_line_inside_a_text_is_no_digest() -> None:
    text = text_of(body='    """\n    "digest": "abc",\n    """\n    return n')
    assert '    "digest": "abc",' in text
    assert read(text, "double.py", "double").edited is False
    assert read(text.replace('"abc"', '"abd"'), "double.py", "double").edited


def test_the_magic(shelf: CrystalShelf, ipython: Any) -> None:
    from llmos_nb.notebook.crystal_magics import CrystalMagics

    shelf.tester = lambda module: Report(module.digest, (Check("t1", False, "it showed 1 instead of 2"),))
    ipython.register_magics(CrystalMagics(ipython, SimpleNamespace(crystals=shelf)))
    run = lambda line: ipython.run_line_magic("crystals", line)  # noqa: E731
    assert "no crystals yet" in str(run(""))
    install(shelf)
    assert "double {n}" in str(run("list")) and "ready" in str(run(""))
    assert "return n * 2" in str(run("show double"))
    assert "is disabled" in str(run("disable double for a while"))
    assert shelf.refusal("double") == "disabled: for a while"
    assert "in use" in str(run("enable double"))
    assert "no: it showed 1 instead of 2" in str(run("test double"))
    assert "not in use yet: its tests failed" in str(run("enable double"))
    assert "is removed" in str(run("remove double")) and shelf.names() == []
    for wrong in ("nonsense", "show", "show a b", "mend double"):
        with pytest.raises(SettingsError):
            run(wrong)
    with pytest.raises(UnknownCrystal):
        run("show double")


def test_help_tells_of_the_function_and_of_no_internals(shelf: CrystalShelf) -> None:
    import pydoc

    crystal = install(shelf)
    said = pydoc.render_doc(crystal, renderer=pydoc.plaintext)
    assert f"{NAME}(" in said and str(crystal.__doc__).strip().splitlines()[0] in said
    assert "into(" not in said and "Methods defined here" not in said
    assert type("Box", (), {"kept": crystal})().kept is crystal


# -- code that needs no crystals

STEPS = """    import json

    rows = json.loads(text)  # as it was
    total = sum(rows) * factor
    print("total:", total)
    return total"""


def made(shelf: CrystalShelf, name: str = "total_of", body: str = STEPS, **facts: Any) -> None:
    parameters = (
        {"name": "text", "from": "text", "schema": {"type": "string"}},
        {"name": "factor", "from": "factor", "schema": {"type": "number"}},
    )
    install(shelf, name, body=body, signature="text: str, factor: float = 1.5", parameters=parameters, **facts)


def ran(code: str) -> tuple[dict[str, Any], str]:
    assert "llmos_nb" not in code, code
    names, out = dict[str, Any](), io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "<cell>", "exec"), names)
    return names, out.getvalue()


def test_what_a_goals_call_did_stands_in_its_place(shelf: CrystalShelf) -> None:
    made(shelf)
    call = call_code("total_of", {"text": "[1, 2]", "factor": 2})
    code = inlined(f"before = 1\n{call}\nafter = total + before", shelf)
    names, out = ran(code)
    assert out == "total: 6.0\n" and names["after"] == 7.0 and names["rows"] == [1, 2] and "# as it was" in code
    assert code.splitlines()[-2:] == ["total", "after = total + before"], "its value was shown"


def test_a_function_that_is_called_stands_in_place_of_its_import(shelf: CrystalShelf) -> None:
    made(shelf)
    code = "from llmos_nb.crystals import total_of as t\nx = t('[1]', factor=3.0) + t(text='[2]')"
    names, out = ran(inlined(code, shelf))
    assert names["x"] == 6.0 and out == "total: 3.0\ntotal: 3.0\n"


@pytest.mark.parametrize(
    "body",
    [
        "    if not text:\n        return 0\n    return factor",
        "    total = 1\n    for n in range(3):\n        return n",
    ],
)
def test_a_call_that_cannot_be_said_in_other_words_stays(body: str, shelf: CrystalShelf) -> None:
    made(shelf, body=body)
    call = call_code("total_of", {"text": "a", "factor": 2.0})
    assert inlined(call, shelf) == call
    assert inlined("from llmos_nb.crystals import no_such_one\nno_such_one()", shelf).count("no_such_one") == 2
    assert inlined("x = = 1  # llmos_nb.crystals", shelf) == "x = = 1  # llmos_nb.crystals"


def test_texts_with_lines_functions_and_variables_that_it_needs_stay_what_they_are(shelf: CrystalShelf) -> None:
    body = (
        '    note = """one\n    two"""\n\n    def twice(n):\n        return 2 * n\n\n'
        "    total = twice(len(text)) * factor\n    return note"
    )
    made(shelf, body=body, shows=False, needs={"text": ""}, renames={"total": "'total_' + str(int(factor))"})
    names, _ = ran("text = 'abc'\n" + inlined(call_code("total_of", {"factor": 2.0}, ["text"]), shelf))
    assert names["note"] == "one\n    two" and names["total"] == names["total_2"] == 12.0
