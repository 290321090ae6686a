"""Steps as a shape with places: what is one, what is not, and how a new value is written there."""

from __future__ import annotations

import ast
from decimal import Decimal
from typing import Any

import pytest

from llmos_nb.memory import Expectation, Step
from llmos_nb.memory.programs import Place, Program, Unwritable, program_of, rebuilt


def cell(code: str, **more: Any) -> list[Step]:
    return [Step("run_cell", {"code": code, **more})]


def sql(query: str) -> list[Step]:
    return [Step("run_sql", {"query": query})]


def shell(command: str) -> list[Step]:
    return [Step("run_shell", {"command": command})]


def found(steps: list[Step], role: str = "") -> list[Any]:
    return [place.value for place in program_of(steps).places if not role or place.role == role]


def put(steps: list[Step], old: Any, new: Any) -> str:
    """The first text argument with the place that says ``old`` saying ``new``."""
    program = program_of(steps)
    index = next(i for i, place in enumerate(program.places) if place.value == old and type(place.value) is type(old))
    return str(next(iter(rebuilt(steps, {index: new}, program)[0].arguments.values())))


def test_python_literals_and_names_are_places() -> None:
    code = 'df = load("a.csv")\nn = -3\nx = df.sales.head(n, 0.50)\nprint([1, 2], (8, 4))\n'
    program = program_of(cell(code))
    assert [(place.role, place.value) for place in program.places if place.role != "name"] == [
        ("string", "a.csv"), ("number", -3), ("number", Decimal("0.50")), ("list", (1, 2)), ("list", (8, 4)),
    ]  # fmt: skip
    assert {place.value for place in program.places if place.role == "name"} == {
        "df", "load", "n", "x", "sales", "head", "print",
    }  # fmt: skip
    for place in program.places:
        assert code[place.start : place.end] or place.role == "list"
    assert isinstance(program, Program) and isinstance(program.places[0], Place)


def test_a_span_is_the_source_of_its_literal_also_behind_other_alphabets() -> None:
    code = 'größe = "Käse"; é = df.größe[-2]\nprint(f"{größe:.2f} → {é!r} Maß {{x}} {df.col}")\n'
    for place in program_of(cell(code)).places:
        text = code[place.start : place.end]
        assert place.style or ast.literal_eval(text) == place.value if place.role != "name" else text == place.value
    assert found(cell(code), "string") == ["Käse", ".2f", " → ", " Maß {x} "]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 3", "x = -12"),
        ("x = 'a'", 'x = """b c"""'),
        ("x=3 # three", "x = 5"),
        ("f(a, b)", "f(\n    a,\n    b,\n)"),
        ("f(['a'])", "f(['a', 'b', 'c'])"),
        ("x = f'{a} of {b}'", 'x = f"{c} by {d}"'),
        ("df.sales.mean()", "df.price.mean()"),
    ],
)
def test_what_does_not_change_the_shape(one: str, other: str) -> None:
    assert program_of(cell(one)).shape == program_of(cell(other)).shape


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 3", "x = '3'"),
        ("x - 3", "x + 3"),
        ("f(1)\nf(2)", "f(1)\nf(2)\nf(3)"),
        ("x = True", "x = False"),
        ("x = 1j", "x = 2j"),
        ("x = b'a'", "x = b'b'"),
        ("x = f'{a!r}'", "x = f'{a}'"),
        ("f(a)", "f(*a)"),
        ("x = [a, 1]", "x = [a, 1, 2]"),
        ("(", ")"),
    ],
)
def test_what_changes_the_shape(one: str, other: str) -> None:
    assert program_of(cell(one)).shape != program_of(cell(other)).shape


def test_tools_argument_names_and_outcomes_are_part_of_the_shape() -> None:
    step = Step("write_file", {"path": "a.md", "content": "x"})
    other = Step("edit_file", {"path": "a.md", "content": "x"})
    failed = Step("write_file", {"path": "a.md", "content": "x"}, Expectation(status="error", error="OSError"))
    assert len({program_of([s]).shape for s in (step, other, failed)}) == 3
    assert program_of([step]).shape == program_of([Step("write_file", {"path": "b.md", "content": "y"})]).shape


def test_magics_are_shape_and_the_python_around_them_is_read() -> None:
    code = "%matplotlib inline\nx = 3\n!pip list\n"
    assert found(cell(code)) == [3, "x"]
    assert put(cell(code), 3, 7) == "%matplotlib inline\nx = 7\n!pip list\n"
    assert program_of(cell(code)).shape != program_of(cell(code.replace("inline", "widget"))).shape


@pytest.mark.parametrize("code", ["%%sql\nselect 1", "x = !ls 3", "df.head?", "x = (3", 'a = 3\n%x """\n%y\n"""'])
def test_what_python_cannot_read_is_one_piece(code: str) -> None:
    assert found(cell(code)) == []


@pytest.mark.parametrize(
    ("code", "old", "new", "made"),
    [
        ("x = 3", 3, 7, "x = 7"),
        ("x = 3", 3, -7, "x = -7"),
        ("x = 3.0", Decimal("3.0"), 7, "x = 7.0"),
        ("x = .5", Decimal("0.5"), Decimal("0.25"), "x = 0.25"),
        ("x = 1e-3", Decimal("0.001"), Decimal("0.002"), "x = 0.002"),
        ("x = 1_000", 1000, 2500, "x = 2500"),
        ("x = 'a'", "a", "it's", r"x = 'it\'s'"),
        ('x = "a"', "a", 'say "hi" \\ \n', r'x = "say \"hi\" \\ \n"'),
        ("x = r'a'", "a", "b c", "x = r'b c'"),
        ("x = f'{n} a'", " a", " {b}", "x = f'{n} {{b}}'"),
        ("x = 'a' 'b'", "ab", "c", "x = 'c'"),
        ("x = ['a', 'b']", ("a", "b"), ("a", "c'd"), r"x = ['a', 'c\'d']"),
        ("x = ['a', 'b']", ("a", "b"), ("c",), "x = ['c']"),
        ("x = ['a']", ("a",), ("b", "c"), "x = ['b', 'c']"),
        ("x = (1, 2)", (1, 2), (3,), "x = (3,)"),
        ("x = (1,)", (1,), (3, 4), "x = (3, 4)"),
        ("x = [\n    'a',\n    'b',\n]", ("a", "b"), ("a", "b", "c"), "x = [\n    'a',\n    'b',\n    'c',\n]"),
        ("df.sales", "sales", "price", "df.price"),
        ("x = f'{v:.2f}'", ".2f", ".3f", "x = f'{v:.3f}'"),
    ],
)
def test_a_python_value_is_written_in_its_own_style(code: str, old: Any, new: Any, made: str) -> None:
    assert put(cell(code), old, new) == made


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("x = 3", 3, Decimal("2.5")),
        ("x = 3", 3, "5"),
        ("y = 2 ** x", 2, -3),
        ("x = r'a'", "a", "b\\"),
        ("x = r'a'", "a", "it's"),
        ("df.sales", "sales", "bill length"),
        ("df.sales", "sales", "class"),
        ("df.sales", "sales", "x; import os"),
        ("x = ['a']", ("a",), (1,)),
        ("x = ['a']", ("a",), ()),
        ("x = f'{v:.2f}'", ".2f", "}.{"),
    ],
)
def test_what_would_change_the_program_is_refused(code: str, old: Any, new: Any) -> None:
    with pytest.raises(Unwritable):
        put(cell(code), old, new)


def test_every_other_byte_stays() -> None:
    code = "x   =  3 ;y='a' # 3 and 'a'\n\n\tz  = 1\n".replace("\t", "")
    program = program_of(cell(code))
    three = next(i for i, place in enumerate(program.places) if place.value == 3)
    letter = next(i for i, place in enumerate(program.places) if place.value == "a")
    made = rebuilt(cell(code), {three: 41, letter: "b"}, program)[0].arguments["code"]
    assert made == code.replace("=  3", "=  41").replace("y='a'", "y='b'")
    assert rebuilt(cell(code), {}) == tuple(cell(code))


def test_sql_texts_numbers_and_names_are_places_whatever_is_in_them() -> None:
    one = 'SELECT a.NAME FROM A AS a WHERE a.DEPT = "EECS" AND a.N = 280 AND a.T LIKE "%machine learning%" ;'
    other = "select b.NAME\nFROM B AS b WHERE b.DEPT = 'X' AND b.N = -1.5 AND b.T LIKE '%one two three%' ;"
    assert program_of(sql(one)).shape == program_of(sql(other)).shape
    assert found(sql(one), "string") == ["EECS", "%machine learning%"]
    assert found(sql(one), "number") == [280]
    assert found(sql(other), "number") == [Decimal("-1.5")]
    assert found(sql("select a - 5 from t"), "number") == [5]
    assert (
        program_of(sql("select max(a) from t order by a desc")).shape
        != program_of(sql("select max(a) from t order by a")).shape
    )


def test_sql_values_stay_values() -> None:
    assert put(sql("select 1 from t where a = 'x'"), "x", "O'Brien' or 1=1 --") == (
        "select 1 from t where a = 'O''Brien'' or 1=1 --'"
    )
    assert put(sql('select 1 from t where a = "x"'), "x", "O'Brien") == 'select 1 from t where a = "O\'Brien"'
    for bad in ("a\\", "a\nb"):
        with pytest.raises(Unwritable):
            put(sql("select 1 from t where a = 'x'"), "x", bad)
    for bad in ("from", "a b", "a;drop"):
        with pytest.raises(Unwritable):
            put(sql("select col from t"), "col", bad)


@pytest.mark.parametrize("query", [r"select 'it\'s' from t", "select 'open from t"])
def test_sql_that_dialects_read_differently_is_one_piece(query: str) -> None:
    assert found(sql(query)) == []


def test_shell_words_are_places_but_commands_and_what_expands_are_not() -> None:
    assert found(shell("sort -k2 'my file.csv' | head -n 5 > out.txt")) == [
        "-k2",
        "my file.csv",
        "-n",
        "5",
        "out.txt",
    ]
    assert found(shell("X=1 grep foo *.csv $HOME && rm a~b ok")) == ["foo", "ok"]
    for tangled in (
        "echo $(date)",
        "cat <<E\nx\nE",
        "echo `x`",
        "echo 'open",
        "a\\ b",
        "for f in a; do rm b; done",
        "export A=1",
    ):
        assert found(shell(tangled)) == []
    assert program_of(shell("rm a")).shape != program_of(shell("cat a")).shape


@pytest.mark.parametrize(
    ("new", "made"),
    [
        ("b.csv", "head b.csv"),
        ("my file", "head 'my file'"),
        ("a;rm -rf x", "head 'a;rm -rf x'"),
        ("it's", "head 'it'\"'\"'s'"),
    ],
)
def test_shell_values_are_quoted(new: str, made: str) -> None:
    assert put(shell("head a.csv"), "a.csv", new) == made


@pytest.mark.parametrize("bad", ["-rf", "a\nb", "", "a\x00"])
def test_shell_values_that_would_be_more_are_refused(bad: str) -> None:
    with pytest.raises(Unwritable):
        put(shell("head a.csv"), "a.csv", bad)


def test_other_texts_are_read_line_by_line_and_code_files_as_code() -> None:
    text = "# Report\n\n- sales: 3\n"
    note = [Step("write_file", {"path": "a.md", "content": text})]
    assert found(note) == ["# Report", "- sales: 3", "a.md"]
    script = [Step("write_file", {"path": "a.py", "content": "n = 3\n"})]
    assert found(script) == [3, "n", "a.py"]
    with pytest.raises(Unwritable):
        put(note, "# Report", "# Report\n# More")


def test_arguments_that_are_no_text_have_places_too() -> None:
    steps = cell("head(n)", parameters={"n": 3, "how": {"by": "a", "of": [1, 2]}}, limit=5, deep=True)
    program = program_of(steps)
    places = {place.argument: place.value for place in program.places if place.start < 0}
    assert places == {"limit": 5, "parameters/n": 3, "parameters/how/by": "a", "parameters/how/of": (1, 2)}
    index = {place.argument: i for i, place in enumerate(program.places)}
    made = rebuilt(steps, {index["parameters/n"]: 7, index["parameters/how/by"]: "b"}, program)[0].arguments
    assert made["parameters"] == {"n": 7, "how": {"by": "b", "of": [1, 2]}}
    assert steps[0].arguments["parameters"]["how"]["by"] == "a"
    with pytest.raises(Unwritable):
        rebuilt(steps, {index["limit"]: Decimal("2.5")}, program)
