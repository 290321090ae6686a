"""No value can be more than a value: whatever is put at a place, the program around it stays the same program."""

from __future__ import annotations

import ast
import shlex
import sqlite3
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.memory import Step, Trace
from llmos_nb.memory.programs import Example, Unbindable, Unwritable, generalize, program_of, rebuilt
from llmos_nb.memory.slots.slot import Slot

CODE = '''import pandas as pd
df = pd.read_csv("data.csv", sep=',')  # data.csv
n, rate = 3, -0.5
x = df.sales.head(n + 1)[["sales", 'id']]
text = f"Mean {x:.2f} of {{sales}} {df['sales'].mean()!r:>{n}} and" r"raw" """long
text"""
df.query("sales > 3 and region == 'North'").plot(figsize=(3, 4), title='It\\'s sales')
for i in range(3):
    print(i ** 2, -2 ** i, "sales" "more")
'''
SQL = (
    """SELECT a.sales, 'x''y' FROM t AS a WHERE a.n = 3 AND a.m > -2.5 AND a.r LIKE "%North%" AND `id` = 'q' -- all"""
)
SHELL = """sort -t, -k2 'my file.csv' "b c" plain.txt | head -n 3 > out/sales.txt && echo done"""
NOTE = '# Report on sales\n\n- 3 rows in `data.csv`\n  * it\'s "done"\n'
TEXTS = {
    "code": ("run_cell", CODE),
    "query": ("run_sql", SQL),
    "command": ("run_shell", SHELL),
    "content": ("write_file", NOTE),
}

nasty = st.one_of(
    st.text(max_size=12),
    st.text("'\"\\{}\n;$`-#%_ a(),/*!|&<>=[]\r\t\x00\u2028", max_size=10),
    st.sampled_from(
        ["'''", '"""', "{x}", "{{", "\\", "\\'", "'; --", "$(rm x)", "-rf", "a b", "class", "__import__('os')", "ﬁ"]
    ),
)
numbers = st.one_of(st.integers(-(10**12), 10**12), st.decimals(-(10**9), 10**9, places=4))
lists = st.one_of(st.lists(nasty, max_size=4).map(tuple), st.lists(numbers, max_size=4).map(tuple))


def steps_of(argument: str, text: str | None = None) -> list[Step]:
    tool, recorded = TEXTS[argument]
    return [Step(tool, {argument: recorded if text is None else text})]


@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_any_value_at_any_place_is_that_value_or_refused(argument: str, data: st.DataObject) -> None:
    steps = steps_of(argument)
    program = program_of(steps)
    chosen = data.draw(st.sets(st.integers(0, len(program.places) - 1), min_size=1, max_size=3))
    values: dict[int, Any] = {}
    for index in chosen:
        kinds = {"number": numbers, "list": lists}.get(program.places[index].role, nasty)
        values[index] = data.draw(st.one_of(kinds, nasty, numbers))
    try:
        made = rebuilt(steps, values, program)
    except Unwritable:
        return
    again = program_of(made)
    assert again.shape == program.shape
    for index, (place, before) in enumerate(zip(again.places, program.places, strict=True)):
        assert place.value == values.get(index, before.value)


@given(st.data())
def test_python_agrees_that_only_the_values_changed(data: st.DataObject) -> None:
    steps = steps_of("code")
    program = program_of(steps)
    strings = [i for i, place in enumerate(program.places) if place.role == "string" and not place.style]
    index = data.draw(st.sampled_from(strings))
    value = data.draw(nasty)
    try:
        made = rebuilt(steps, {index: value}, program)[0].arguments["code"]
    except Unwritable:
        return
    before = list(ast.walk(ast.parse(CODE)))
    after = list(ast.walk(ast.parse(made)))
    assert [type(node) for node in before] == [type(node) for node in after]
    pairs = zip(before, after, strict=True)
    different = [
        (a.value, b.value)
        for a, b in pairs
        if isinstance(a, ast.Constant) and isinstance(b, ast.Constant) and a.value != b.value
    ]
    assert different == ([] if value == program.places[index].value else [(program.places[index].value, value)])


@given(nasty)
def test_sqlite_reads_the_value_that_was_put_in(value: str) -> None:
    steps = [Step("run_sql", {"query": "SELECT 'a', 1 FROM (SELECT 2)"})]
    program = program_of(steps)
    index = next(i for i, place in enumerate(program.places) if place.value == "a")
    try:
        made = rebuilt(steps, {index: value}, program)[0].arguments["query"]
    except Unwritable:
        return
    connection = sqlite3.connect(":memory:")
    assert connection.execute(made).fetchall() == [(value, 1)]
    connection.close()


@given(st.integers(0, 20), nasty)
def test_the_shell_reads_the_words_that_were_put_in(position: int, value: str) -> None:
    steps = steps_of("command")
    program = program_of(steps)
    index = position % len(program.places)
    try:
        made = rebuilt(steps, {index: value}, program)[0].arguments["command"]
    except Unwritable:
        return
    old, words = shlex.split(SHELL), shlex.split(made)
    assert [word for word, was in zip(words, old, strict=True) if word != was] in ([], [value])


@given(st.sampled_from(["code", "query", "command", "content", "path", "x"]), st.text())
def test_every_text_can_be_read(argument: str, text: str) -> None:
    steps = [Step("run_cell" if argument == "code" else "other", {argument: text})]
    program = program_of(steps)
    assert program == program_of(steps)
    for place in program.places:
        assert 0 <= place.start < place.end <= len(text)


def example(name: str, column: str, count: int, code: str) -> Example:
    goal = f"Mean of {column} for {count}"
    slots = (
        Slot("column", "column", column, 8, 8 + len(column), column, kinds=("column",)),
        Slot("n", "integer", str(count), len(goal) - len(str(count)), len(goal), count, kinds=("integer",)),
    )
    tool, argument = ("run_cell", "code") if code.startswith("d") else ("run_sql", "query")
    return Example(Trace(goal, [Step(tool, {argument: code})], id=name), slots)


CELL = """df["{c}"].head({n}); print(f"{{df.x}} mean of {c}", r"{c}", '{n} x {c}')
os.system("ls {c}")
df.query("{c} > {n}")"""
QUERY = "SELECT 'it is {c}', \"{c}\" FROM t WHERE n = {n} AND m LIKE '%{c}%'"


@given(st.sampled_from([CELL, QUERY]), nasty, numbers)
def test_no_goal_can_change_what_a_program_is(template: str, column: str, count: int | Decimal) -> None:
    codes = [template.format(c=c, n=n) for c, n in (("sales", 3), ("price", 5))]
    known = generalize([example("a", "sales", 3, codes[0]), example("b", "price", 5, codes[1])])
    new = (
        Slot("column", "column", column, 0, 0, column, kinds=("column",)),
        Slot("n", "integer", str(count), 0, 0, count, kinds=("integer",)),
    )
    bound = known.bind("a", new)
    if isinstance(bound, Unbindable):
        return
    before, after = program_of(known.examples[0].trace.steps), program_of(bound.steps)
    assert after.shape == before.shape
    assert next(iter(bound.steps[0].arguments.values())).count("\n") == codes[0].count("\n")


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.sampled_from([-1, 0, 1]))
def test_what_is_bound_is_what_the_program_would_have_been(one: int, two: int, new: int, shift: int) -> None:
    def code(count: int) -> str:
        return f'df.head({count + shift}).plot(figsize=(3, 4), title="{count} of all")'

    known = generalize([example(name, "x", count, code(count)) for name, count in (("a", one), ("b", two))])
    slots = (known.examples[0].slots[0], Slot("n", "integer", str(new), 0, 0, new, kinds=("integer",)))
    bound = known.bind("a", slots)
    if isinstance(bound, Unbindable):
        assert one == two or new != one
    else:
        assert bound.steps[0].arguments["code"] == code(new)
