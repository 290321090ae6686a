"""From recorded runs to a module: what it says, that it does the same, and what is refused."""

from __future__ import annotations

import ast
import asyncio
import builtins
import dataclasses
import keyword
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.crystals import Check, Crystal, CrystalShelf, Report
from llmos_nb.errors import NotCrystallizable
from llmos_nb.guard.python import check_python
from llmos_nb.learning.crystallize import CrystalSource, crystallize, due, name_from
from llmos_nb.learning.record import input_digests, recorded_steps
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.programs import Example, generalize
from llmos_nb.memory.slots import lift
from llmos_nb.settings import Settings
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

Asked = str | tuple[str, dict[str, Any]]


class Place:
    """A folder where goals are reached and recorded, and where functions are made of that."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.examples: list[Example] = []
        self.vocabulary: dict[str, list[str]] = {}

    def record(self, goal: str, *asked: Asked, **names: Any) -> Trace:
        async def work() -> Trace:
            space = PlainNamespace()
            space.names.update(names)
            bench = Workbench(
                "run", namespace=space, workspace=self.cwd / "workspace", cwd=self.cwd, grant=tuple(TOOLS),
                publish=lambda event: None,
            )  # fmt: skip
            for step in asked:
                tool, arguments = ("run_cell", {"code": step}) if isinstance(step, str) else step
                call = await bench.call(tool, arguments)
                assert call.status == "ok", call.result
            number = len(self.examples)
            return Trace(
                goal=goal, steps=recorded_steps(bench.calls), inputs=input_digests(bench.calls, self.cwd),
                id=f"20260101-00000{number}-run-{number:04d}", created_at=f"2026-01-01T00:00:0{number}Z",
            )  # fmt: skip

        trace = asyncio.run(work())
        self.examples.append(Example(trace, lift(goal, self.vocabulary).slots))
        return trace

    def source(self, **options: Any) -> CrystalSource:
        return crystallize(generalize(self.examples), **{"uses": 6, "successes": 6, **options})

    def crystal(self, source: CrystalSource | None = None) -> Crystal:
        source = source or self.source()
        shelf = CrystalShelf(self.cwd / "workspace" / "crystals")
        return shelf.install(source.name, source.text, Report(source.digest, (Check("a run", True),)))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path)


def squares(place: Place) -> Place:
    for n in (3, 5):
        place.record(
            f"Sum the squares of the first {n} numbers",
            f"n = {n}  # how many\nsquares = [i**2 for i in range(1, n + 1)]\ntotal = sum(squares)\nprint(total)\ntotal",
        )
    return place


def test_the_module_is_what_a_person_would_have_written(place: Place) -> None:
    text = squares(place).source(name="sum_of_squares").text
    assert (
        text.partition("__llmos__")[0]
        == '''\
"""Sum the squares of the first {n} numbers.

Made from 2 recorded runs of this goal after 6 uses, 6 of them successful (100%).
Traces: 20260101-000000-run-0000, 20260101-000001-run-0001.
It may be edited: it is then kept as it is, and used once you trust it and its tests pass again.
"""

__all__ = ["sum_of_squares"]


def sum_of_squares(n: int) -> int:
    """Sum the squares of the first {n} numbers.

    Args:
        n: Integer. Recorded: 3, 5.
    """
    squares = [i**2 for i in range(1, n + 1)]
    total = sum(squares)
    print(total)
    return total


'''
    )


def test_the_function_does_what_the_steps_do(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    crystal = squares(place).crystal()
    assert crystal(4) == crystal(n=4) == 30
    with pytest.raises(TypeError):
        crystal()  # no run's value stands in for one that was not given
    names: dict[str, Any] = {}
    capsys.readouterr()
    assert crystal.into(names, n=4) == 30
    assert (names["n"], names["squares"], names["total"]) == (4, [1, 4, 9, 16], 30)
    assert capsys.readouterr().out == "30\n"


def test_the_same_runs_give_the_same_bytes(place: Place) -> None:
    squares(place)
    first = place.source().text
    again = crystallize(generalize(list(place.examples)), uses=6, successes=6).text
    assert first == again
    place.examples.reverse()
    assert place.source().text == first


def test_the_text_names_its_own_digest_and_passes_the_guard(place: Place) -> None:
    source = squares(place).source()
    module = source.module()
    assert not module.edited and module.digest == source.digest == module.facts.digest
    assert check_python(source.text, cwd=place.cwd, workspace=place.cwd / "workspace").decision == "allow"
    assert max(len(line) for line in source.text.splitlines()) <= 118


ODD = (
    "plain",
    'say "hi"',
    "it's",
    "both ' and \"",
    "{braces} {{two}}",
    "back\\slash",
    "a\tb",
    "%s %d",
    "$HOME `x`",
    "ünï",
)


@pytest.mark.parametrize("quote", ["'", '"', '"""'])
def test_values_are_values_whatever_is_in_them(place: Place, quote: str) -> None:
    def code(text: str) -> str:
        inner = repr(text)
        return f"label = {inner}\nboth = f{quote}<{{label}}> is the label{quote}\nboth"

    for text in ("first", "second"):
        place.record(f"Show the label `{text}`", code(text))
    crystal = place.crystal()
    for text in ODD:
        assert crystal(text) == f"<{text}> is the label"
        names: dict[str, Any] = {}
        crystal.into(names, label=text)
        assert names["label"] == text


@pytest.mark.parametrize("odd", ODD)
def test_odd_recorded_values_are_defaults_that_can_be_read(place: Place, odd: str) -> None:
    for text in ("first", odd):
        place.record(f"Show the label `{text}`", f"label = {text!r}\nlabel.upper()")
    source = place.source()
    ast.parse(source.text)
    if source.parameters:
        assert place.crystal(source)(odd) == odd.upper()


def test_inside_an_f_string_the_recorded_quotes_stay(place: Place) -> None:
    for name in ("north", "south"):
        place.record(f"Greet `{name}` politely", f"who = 'x'\nf'Dear {name}, {{who}} {{{{sic}}}} \"quoted\"'")
    source = place.source()
    parameter = source.parameters[0].name
    assert f"f'Dear {{{parameter}}}, {{who}} {{{{sic}}}} \"quoted\"'" in source.text
    assert place.crystal(source)("Mr. O'Hara") == 'Dear Mr. O\'Hara, x {sic} "quoted"'


def test_texts_of_several_lines_are_not_indented(place: Place) -> None:
    for n in (2, 4):
        place.record(
            f"Repeat the verse {n} times", f'verse = """one\n  two\nreturn x\n"""\nsong = verse * {n}\nlen(song)'
        )
    crystal = place.crystal()
    names: dict[str, Any] = {}
    crystal.into(names, **{crystal.facts.parameters[0]["name"]: 2})
    assert names["verse"] == "one\n  two\nreturn x\n"


def test_variables_of_the_user_are_handed_in(place: Place) -> None:
    for n in (2, 3):
        place.record(f"Take the first {n} items", f"few = items[:{n}]\nlen(few)", items=[1, 2, 3, 4])
    crystal = place.crystal()
    assert crystal.facts.needs == {"items": ""}
    assert crystal(2, items="abc") == 2
    names: dict[str, Any] = {"items": [9, 8, 7, 6]}
    crystal.into(names, **{crystal.facts.parameters[0]["name"]: 3})
    assert names["few"] == [9, 8, 7] and names["items"] == [9, 8, 7, 6]
    assert "items" not in crystal.schema["properties"]


def test_a_variable_that_the_goal_names_is_handed_in_by_its_name(place: Place) -> None:
    place.vocabulary = {"variable": ["apples", "pears"]}
    data = {"apples": [1, 2], "pears": [3, 4]}
    for name in data:
        place.record(f"Sum up {name} for me", f"result = sum({name})\nresult", **data)
    crystal = place.crystal()
    ((need, origin),) = crystal.facts.needs.items()
    assert crystal.facts.parameters == ()
    assert crystal.arguments({origin: "pears"}) == {need: "pears"}
    assert crystal.bindings(crystal.facts.traces[0]) == {origin: "apples"}
    assert crystal(**{need: [10, 20]}) == 30


def test_a_variable_named_after_a_value_gets_its_name_for_the_user(place: Place) -> None:
    place.vocabulary = {"column": ["price", "weight"]}
    rows = [{"price": 1, "weight": 2}]
    for column in ("price", "weight"):
        place.record(
            f"Total of {column}", f'total_{column} = sum(row["{column}"] for row in rows)\ntotal_{column}', rows=rows
        )
    crystal = place.crystal()
    names: dict[str, Any] = {"rows": [{"price": 5, "size": 7}]}
    assert crystal.into(names, column="size") == 7
    assert names["total_size"] == 7 and "total_column" not in names
    assert "total_column = sum" in crystal.source


def test_files_and_commands_are_plain_python(place: Place) -> None:
    for name, n in (("north", 2), ("south", 3)):
        (place.cwd / f"{name}.txt").write_text("a\nb\nc\nd\n")
        place.record(
            f"Copy the first {n} lines of {name}.txt into a note",
            ("write_file", {"path": f"notes/{name}.md", "content": f"# {name}\n\n{{kept}}\n"}),
            ("edit_file", {"path": f"notes/{name}.md", "old": "{kept}", "new": 'it\'s "kept"'}),
            ("run_shell", {"command": f"head -n {n} {name}.txt | cat >> notes/{name}.md"}),
            ("run_shell", {"command": f"wc -l {name}.txt"}),
        )
    source = place.source()
    assert "import shlex" in source.text and '["wc", "-l", ' in source.text
    (place.cwd / "my file.txt").write_text("1\n2\n3\n")
    crystal = place.crystal(source)
    names: dict[str, Any] = {}
    values = {parameter.name: {"path": "my file.txt", "file": "my file.txt"}.get(parameter.name, 1)
              for parameter in source.parameters}  # fmt: skip
    assert crystal.into(names, **values) is None
    assert crystal.told == "3 my file.txt\n"
    assert (place.cwd / "notes" / "my file.md").read_text() == '# my file\n\nit\'s "kept"\n1\n'
    assert names == {}


def test_what_cells_show_in_between_is_shown(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    for n in (2, 3):
        place.record(f"Count to {n} twice", f"first = list(range({n}))\nfirst", "second = first * 2\nsecond;")
    source = place.source()
    assert "_show(first)" in source.text
    assert not source.facts.shows
    capsys.readouterr()
    assert place.crystal(source)(2) == [0, 1, 0, 1]
    assert capsys.readouterr().out == "[0, 1]\n"
    assert not hasattr(builtins, "_")  # as Python's own prompt would leave behind


def test_functions_of_the_steps_stand_in_the_module(place: Place) -> None:
    code = "import math\n\n# it\ndef area(r):\n    return math.pi * r**2\n\nradius = {n}\nround(area(radius), 1)"
    for n in (2, 3):
        place.record(f"Area of a circle of radius {n}", code.format(n=n))
    crystal = place.crystal()
    names: dict[str, Any] = {}
    assert crystal.into(names, radius=1) == 3.1
    assert names["area"].__qualname__ == "area" and names["area"].__closure__ is None
    assert names["math"].pi > 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import asyncio\nawait asyncio.sleep(0)\nn = {n}", "awaits"),
        ("from math import *\nn = {n}\npi", "imports *"),
        ("n = {n}\ndef grow():\n    global n\n    n += 1\ngrow()\nn", "global"),
        ("n = {n}\nexec('m = n')\nm", "exec"),
        ("n = {n}\nsorted(locals())[0]", "locals"),
        ("from __future__ import annotations\nn = {n}", "__future__"),
        ("n = {n}\nif __name__ == '__main__':\n    m = 2\nm", "__name__"),
        ("n = {n}\nk = 2\ndef scaled(x):\n    return x * k\nscaled(n)", "among your variables"),
    ],
)
def test_what_cannot_be_a_function_is_refused_in_words(place: Place, code: str, reason: str) -> None:
    for n in (3, 4):
        place.record(f"Do it with {n} of them", code.format(n=n))
    with pytest.raises(NotCrystallizable, match=reason.replace("*", r"\*").replace("(", r"\(")):
        place.source()


@pytest.mark.parametrize("code", ["%matplotlib inline\nn = {n}", "!ls\nn = {n}", "x = !ls\nn = {n}"])
def test_magics_stay_in_notebooks(code: str) -> None:
    traces = [
        Trace(goal=f"List {n} files", steps=[Step("run_cell", {"code": code.format(n=n)}, Expectation())], id=f"t{n}")
        for n in (2, 3)
    ]
    examples = [Example(trace, lift(trace.goal).slots) for trace in traces]
    with pytest.raises(NotCrystallizable, match="plain Python"):
        crystallize(generalize(examples), uses=6, successes=6)


def test_a_step_that_failed_is_no_part_of_a_function() -> None:
    steps = [Step("run_cell", {"code": "x = 1\nraise ValueError"}, Expectation(status="error", error="ValueError"))]
    example = Example(Trace(goal="Fail on purpose", steps=steps, id="t"), ())
    with pytest.raises(NotCrystallizable, match="failed with ValueError"):
        crystallize(generalize([example]), uses=6, successes=6)


def test_one_run_alone_becomes_a_function_without_parameters(place: Place) -> None:
    place.record("Sum the first 3 numbers", "total = sum(range(1, 4))\ntotal")
    source = place.source()
    assert source.parameters == ()
    assert place.crystal(source)() == 6


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("max", "max = {n}\nlimit = max + 1\nlimit"),
        ("class", "n = {n}\nclasses = [n]\nclasses"),
        ("lambda", "f = lambda n: n + {n}\nf(1)"),
        ("total", "total = {n}\ntotal = total + {n}\ntotal"),
    ],
)
def test_parameters_never_take_a_name_that_the_steps_use(place: Place, name: str, code: str) -> None:
    for n in (3, 5):
        place.record(f"Work with {n} {name} things", code.format(n=n))
    source = place.source()
    values: dict[int, Any] = {}
    for n in (3, 5):
        names: dict[str, Any] = {}
        exec(code.format(n=n).rpartition("\n")[0] + f"\nlast = {code.rpartition(chr(10))[2]}", names)
        values[n] = names["last"]
    for parameter in source.parameters:
        assert not keyword.iskeyword(parameter.name) and parameter.name not in dir(__import__("builtins"))
    crystal = place.crystal(source)
    assert {n: crystal(n) for n in (3, 5)} == values


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("Plot {column} by {group} for me, please", "plot"),
        ("Count the rows in {path}", "count_rows"),
        ("print {n}", "print_crystal"),
        ("import {path}", "import_crystal"),
        ("shelf of {n}", "shelf_crystal"),
        ("{a} {b}", "crystal_of_goal"),
        ("Größe über 3 Äpfel", "groe_uber_apfel"),
        ("json", "json_crystal"),
        ("名前", "crystal_of_goal"),
        ("{{literal}} braces", "literal_braces"),
    ],
)
def test_names_come_from_the_template(template: str, name: str) -> None:
    assert name_from(template) == name


def test_when_it_is_due() -> None:
    assert due(5, 5, True)
    assert not due(4, 4, True)
    assert not due(20, 18, True) and due(20, 19, True)
    assert not due(50, 50, False)
    settings = Settings(crystal_uses=2, crystal_success=0.5)
    assert due(2, 1, True, settings) and not due(1, 1, True, settings)


def test_numbers_keep_the_type_that_was_recorded(place: Place) -> None:
    for size in ("1.5", "2.5"):
        place.record(f"Halve {size} for me", f"half = {size} / 2\nhalf")
    crystal = place.crystal()
    names: dict[str, Any] = {}
    crystal.into(names, **{crystal.facts.parameters[0]["name"]: 3})
    assert names["half"] == 1.5
    assert crystal.schema["properties"][crystal.facts.parameters[0]["name"]]["type"] == "number"


def test_lists_are_sequences(place: Place) -> None:
    for words in (["red", "green", "blue"], ["one", "two", "four"]):
        spoken = f"`{words[0]}`, `{words[1]}` and `{words[2]}`"
        place.record(f"Join the words {spoken}", f"words = {words!r}\nwords.append('!')\n'-'.join(words)")
    source = place.source()
    assert source.parameters[0].annotation == "Sequence[str]" and source.parameters[0].schema["type"] == "array"
    crystal = place.crystal(source)
    given = ["one", "two", "four"]
    assert crystal(given) == crystal(given) == "one-two-four-!"  # what is given is never changed
    assert crystal(["a", "b"]) == crystal(("a", "b")) == "a-b-!"


def test_own_parameters_of_a_cell_become_statements(place: Place) -> None:
    steps = {
        n: [Step("run_cell", {"code": "total = sum(range(n))\ntotal", "parameters": {"n": n}},
                 Expectation(defines={"n": "int", "total": "int"}, outputs=("text/plain",), digest="x"))]
        for n in (3, 5)
    }  # fmt: skip
    traces = [Trace(goal=f"Sum up {n} numbers", steps=s, id=f"t{n}") for n, s in steps.items()]
    place.examples = [Example(trace, lift(trace.goal).slots) for trace in traces]
    assert place.crystal()(4) == 6


def test_types_of_all_runs_are_expected(place: Place) -> None:
    for n in (4, 5):
        place.record(f"Halve {n} if it can be", f"n = {n}\nhalf = n // 2 if n % 2 == 0 else n / 2\nhalf")
    assert place.source().facts.defines["half"] == "float | int"


def test_a_crystal_is_not_called_like_something_in_its_steps(place: Place) -> None:
    for n in (3, 4):
        place.record(f"Total {n}", f"total = sum(range({n}))\ntotal")
    assert place.source().name == "total_crystal"
    assert dataclasses.is_dataclass(place.source())
