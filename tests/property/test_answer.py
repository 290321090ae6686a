"""An answer over new outputs is the true one, or there is none: for any outputs and any way to tell of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.learning.answer import rederive
from llmos_nb.learning.prose import cut, joined
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.slots.slot import Slot

LABELS = ("sum", "rows", "mean mass", "total")
NAMES = ("adelie", "gentoo", "biscoe", "dream", "oslo", "paris")
NUMBERS = st.one_of(
    st.integers(-20, 12).map(str),
    st.integers(0, 10_000_000).map(str),
    st.integers(1_000, 10_000_000).map(lambda n: f"{n:,}"),
    st.decimals(-1_000, 100_000, places=3).map(str),
    st.decimals(0, 1, places=5).map(str),
)


@dataclass(frozen=True)
class Told:
    """One run: the values of its goal, and those of its outputs, as labelled lines and one table."""

    slots: tuple[str, int]
    lines: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]

    def outputs(self) -> list[str]:
        lines = [f"{label}: {', '.join(values)}" for label, values in zip(LABELS, self.lines, strict=False)]
        rows = [f"{name}  {'  '.join(row)}" for name, row in zip(self.names, self.cells, strict=True)]
        return ["\n".join(lines), "\n".join(["      mass  len", *rows])]

    def value(self, source: tuple[Any, ...]) -> str:
        if source[0] == "slot":
            return str(self.slots[source[1]])
        if source[0] == "name":
            return self.names[source[1]]
        return (self.lines if source[0] == "line" else self.cells)[source[1]][source[2]]


@st.composite
def runs(draw: st.DrawFn, count: int) -> list[Told]:
    """Runs of one program: outputs of one shape, with other values."""
    widths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    height = draw(st.integers(1, 3))
    sorted_rows = draw(st.booleans())
    found = []
    for _ in range(count):
        lines = tuple(tuple(draw(NUMBERS) for _ in range(width)) for width in widths)
        cells = tuple((draw(NUMBERS), draw(NUMBERS)) for _ in range(height))
        names = draw(st.permutations(NAMES))[:height] if sorted_rows else NAMES[:height]
        found.append(Told((draw(st.sampled_from(NAMES)), draw(st.integers(0, 5_000))), lines, cells, tuple(names)))
    return found


def said(value: str, form: int | None) -> str:
    """A value as prose says it: as it is, or with so many decimals, from 10 on with thousands separators."""
    if form is None or not re.fullmatch(r"-?[\d,]+(\.\d+)?", value):
        return value
    number = Decimal(value.replace(",", ""))
    return f"{number:,.{form - 10}f}" if form >= 10 else f"{number:.{form}f}"


@st.composite
def cases(draw: st.DrawFn, count: int) -> tuple[list[Told], list[tuple[str, tuple[Any, ...], int | None]]]:
    found = draw(runs(count))
    base = found[0]
    sources = [("slot", 0), ("slot", 1), *(("name", i) for i in range(len(base.names)))]
    sources += [("line", i, j) for i, line in enumerate(base.lines) for j in range(len(line))]
    sources += [("cell", i, j) for i in range(len(base.cells)) for j in range(2)]
    words = st.sampled_from(["The sum is", "the mean mass is", "the rows are", "for", "in the table of", "total"])
    form = st.sampled_from([None, None, None, 0, 1, 2, 12])
    parts = draw(st.lists(st.tuples(words, st.sampled_from(sources), form), min_size=1, max_size=4))
    return found, parts


def prose(told: Told, parts: list[tuple[str, tuple[Any, ...], int | None]]) -> str:
    return " ".join(f"{words} `{said(told.value(source), form)}`" for words, source, form in parts) + "."


def recorded(told: Told, answer: str) -> tuple[Trace, tuple[Slot, ...]]:
    goal = f"Compute {told.slots[0]} with {told.slots[1]} parts"
    ends = [len("Compute "), goal.index(" with ") + len(" with ")]
    slots = tuple(
        Slot(f"s{i}", kind, str(value), start, start + len(str(value)), value)
        for i, (kind, value, start) in enumerate(zip(("value", "integer"), told.slots, ends, strict=True))
    )
    steps = [Step("run_cell", {"code": "df = load()"}, Expectation(digest="x"), text) for text in told.outputs()]
    return Trace(goal=goal, steps=steps, answer=answer), slots


def as_numbers(text: str) -> str:
    """The text with every number in its plainest form: 1,000.50 and 1000.5 are one number."""
    plain = r"-?\d[\d,]*(?:\.\d+)?"
    return re.sub(plain, lambda m: str(Decimal(m[0].rstrip(",").replace(",", "")).normalize() + 0), text)


def check(count: int, case: tuple[list[Told], list[tuple[str, tuple[Any, ...], int | None]]]) -> None:
    told, parts = case
    known = [recorded(one, prose(one, parts)) for one in told[:count]]
    new = told[count]
    answer = rederive(known, recorded(new, "")[1], new.outputs())
    assert answer is None or as_numbers(answer) == as_numbers(prose(new, parts))


@settings(max_examples=150, deadline=None)
@given(cases(2))
def test_from_one_run(case: Any) -> None:
    check(1, case)


@settings(max_examples=150, deadline=None)
@given(cases(3))
def test_from_two_runs(case: Any) -> None:
    check(2, case)


@settings(max_examples=100, deadline=None)
@given(cases(4))
def test_from_three_runs(case: Any) -> None:
    check(3, case)


@settings(max_examples=100, deadline=None)
@given(cases(3), st.data())
def test_outputs_of_another_program_raise_nothing(case: Any, data: st.DataObject) -> None:
    told, parts = case
    known = [recorded(one, prose(one, parts)) for one in told[:2]]
    outputs = data.draw(st.lists(st.text(max_size=60), min_size=2, max_size=2))
    rederive(known, recorded(told[2], "")[1], outputs)
    rederive(known[:1], known[0][1], outputs)


@given(st.text(), st.lists(st.text(min_size=1), max_size=3))
def test_nothing_is_lost_when_text_is_cut(text: str, phrases: list[str]) -> None:
    found = cut(text, phrases)
    assert joined([token.text for token in found.tokens], found) == text
