"""The seal of a trace: broken by what a replay goes by, and by nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.seal import is_edited, seal_of, sealed

STEP = Step("run_cell", {"code": "x = 1\nprint(x)"}, Expectation(defines={"x": "int"}, digest="d"), "1", 0.5)
TRACE = sealed(
    Trace(
        goal="Set x", steps=[STEP], answer="x is 1", inputs={"a.csv": "abc"},
        environment={"needs": {"y": "int"}, "python": "3.11"},
    )
)  # fmt: skip


def with_step(**changes: object) -> Callable[[Trace], Trace]:
    return lambda trace: dataclasses.replace(trace, steps=[dataclasses.replace(STEP, **changes)])  # type: ignore[arg-type]


def with_expect(**changes: object) -> Callable[[Trace], Trace]:
    return with_step(expect=dataclasses.replace(STEP.expect, **changes))  # type: ignore[arg-type]


def with_trace(**changes: object) -> Callable[[Trace], Trace]:
    return lambda trace: dataclasses.replace(trace, **changes)  # type: ignore[arg-type]


def test_a_sealed_trace_is_not_edited_and_one_without_a_seal_is_neither() -> None:
    assert not is_edited(TRACE) and TRACE.extra["seal"] == seal_of(TRACE)
    assert not is_edited(dataclasses.replace(TRACE, extra={}, answer="other"))


@pytest.mark.parametrize(
    "edit",
    [
        with_trace(goal="Set y"), with_trace(answer="x is 2"), with_trace(steps=[]), with_trace(steps=[STEP, STEP]),
        with_trace(inputs={}), with_trace(inputs={"a.csv": "abd"}), with_trace(status="failed"),
        with_trace(environment={"python": "3.11"}), with_trace(environment={"needs": {"y": "int"}, "folder": "/x"}),
        with_step(tool="inspect"), with_step(arguments={"code": "x = 2"}), with_step(output="2"),
        with_expect(digest=""), with_expect(status="error"), with_expect(error="E"), with_expect(replay=False),
        with_expect(defines={}), with_expect(files=("f",)), with_expect(columns={"x": ("a",)}),
        with_expect(deletes=("y",)), with_expect(outputs=("stream",)),
    ],
)  # fmt: skip
def test_an_edit_breaks_the_seal_and_agreeing_mends_it(edit: Callable[[Trace], Trace]) -> None:
    edited = edit(TRACE)
    assert is_edited(edited)
    assert not is_edited(sealed(edited))


@pytest.mark.parametrize(
    "edit",
    [
        with_trace(id="other", created_at="2026-01-01T00:00:00Z", duration_s=9.0, cost_usd=None),
        with_trace(tokens={}, model="m", agent="a", template="t", slots={"n": 1}),
        with_trace(environment={"needs": {"y": "int"}, "python": "3.13", "packages": {"pandas": "9"}}),
        with_step(duration_s=7.0),
        with_trace(extra={**TRACE.extra, "proved": ["n"]}),
    ],
)
def test_what_only_tells_of_the_run_does_not(edit: Callable[[Trace], Trace]) -> None:
    assert not is_edited(edit(TRACE))


@pytest.mark.parametrize("seal", ["", "2-0123", 5, None, ["x"]])
def test_a_seal_that_is_none_counts_as_broken_unless_it_is_absent(seal: object) -> None:
    trace = dataclasses.replace(TRACE, extra={"seal": seal})
    assert is_edited(trace) == (seal is not None)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(TEXT, st.dictionaries(TEXT, VALUES, max_size=3), TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=2))
def test_a_seal_survives_the_file(
    goal: str, arguments: dict[str, object], output: str, answer: str, inputs: dict[str, str]
) -> None:
    expect = Expectation(files=(goal,), columns={"t": (output,)}, digest="x")
    trace = sealed(
        Trace(goal=goal, steps=[Step("any_tool", arguments, expect, output)], answer=answer, inputs=inputs)
    )
    assert not is_edited(parse(dump(trace)))
