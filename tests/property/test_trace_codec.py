"""A trace and its Markdown are inverse to the byte, whatever the texts hold."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.errors import TraceFileError
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.flow import FlowError, dump_mapping, load_mapping
from llmos_nb.memory.trace import STATUSES, as_record, from_record

#: Pieces that mean something in Markdown, YAML, JSON or to an editor.
PIECES = [
    "```", "````", "~~~", "```python", "```yaml expect", "```json answer", "## Step 2: run_cell", "## Answer", "---", "#",
    "\n", "\r\n", "\r", "\t", " ", "  ", "\x00", "\x1b[31m", "\u2028", "\x85", "\ufeff", "\udc80", "\ud83d", "é", "😀",
    ": ", " #", "{", "}", "[", "]", ",", '"', "'", "\\", "&a", "*a", "!x", "no", "null", "true", "1", "1e5", "0x1F",
    ".5", ".inf", "-", "?", "2026-11-22", "1:30", "<<", "=", "~", "%", "@", "a", "Step", ".nan", "007", "1_000",
]  # fmt: skip


def _writable(text: str) -> bool:
    return not any("\ud800" <= a <= "\udbff" and "\udc00" <= b <= "\udfff" for a, b in itertools.pairwise(text))


texts = (st.lists(st.sampled_from(PIECES), max_size=7).map("".join) | st.text(max_size=20)).filter(_writable)
numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(texts, values, max_size=4)
text_maps = st.dictionaries(texts, texts, max_size=3)
lists = st.lists(texts, max_size=3)
seconds = st.floats(0, 1e6)
expectations = st.builds(
    Expectation, status=st.sampled_from(["ok", "error"]), error=texts, defines=text_maps,
    columns=st.dictionaries(texts, lists, max_size=2), deletes=lists, outputs=lists, files=lists, digest=texts,
    replay=st.booleans(),
)  # fmt: skip
main_texts = st.sampled_from(
    [("run_cell", "code"), ("run_shell", "command"), ("run_sql", "query"), ("write_file", "content"), ("x", "code")]
)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    tool, name = draw(main_texts)
    arguments: dict[str, Any] = draw(mappings)
    if draw(st.booleans()):
        arguments[name] = draw(texts)
    return Step(tool, arguments, draw(expectations), draw(texts), draw(st.none() | seconds))


traces = st.builds(
    Trace, goal=texts, steps=st.lists(steps(), max_size=3), status=st.sampled_from(STATUSES),
    cost_usd=st.none() | seconds, id=st.just("") | st.just("20261122-074103-x-3f2a"), template=texts, slots=mappings,
    mode=texts, agent=texts, model=texts, endpoint=texts, simulated_cost=st.booleans(), created_at=texts,
    duration_s=seconds, tokens=st.dictionaries(st.sampled_from(["input", "output", "x"]), st.integers(0, 10**9)),
    environment=mappings, inputs=text_maps, answer=texts, reason=texts,
    extra=mappings.map(lambda m: {f"x-{key}": value for key, value in m.items()}),
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(traces)
def test_a_trace_survives_its_file_to_the_byte(trace: Trace) -> None:
    text = dump(trace)
    again = parse(text.encode().decode(), "t.md")
    assert again == trace
    assert dump(again) == text


@settings(max_examples=60, deadline=None)
@given(traces)
def test_windows_line_ends_change_nothing(trace: Trace) -> None:
    assert parse(dump(trace).replace("\n", "\r\n"), "t.md") == trace


@settings(max_examples=60, deadline=None)
@given(traces)
def test_a_trace_survives_json(trace: Trace) -> None:
    assert from_record(json.loads(json.dumps(as_record(trace)))) == trace


@settings(max_examples=150, deadline=None)
@given(mappings)
def test_fast_reading_says_what_yaml_says(mapping: dict[str, Any]) -> None:
    text = dump_mapping(mapping)
    assert load_mapping(text) == mapping
    if not any("\\ud8" <= escape <= "\\udfff" for escape in _escapes(text)):  # libyaml has no halves of characters
        assert load_mapping(f"{text}\n# a comment, which only YAML reads") == mapping
        assert yaml.safe_load(text or "{}").keys() == mapping.keys()


def _escapes(text: str) -> list[str]:
    return [text[i : i + 6] for i in range(len(text)) if text.startswith("\\u", i)]


flow_pieces = st.lists(st.sampled_from([*PIECES, "a", "b: ", ", ", ": ", "{", "}", "[", "]"]), max_size=9).map(
    "".join
)


@settings(max_examples=300, deadline=None)
@given(flow_pieces)
def test_reading_a_line_in_two_ways_never_gives_two_values(value: str) -> None:
    readings = []
    for text in (f"k: {value}", f"k: {value}\n# a comment, which only YAML reads"):
        try:
            readings.append(load_mapping(text))
        except FlowError:
            return
    assert repr(readings[0]) == repr(readings[1])


@settings(max_examples=80, deadline=None)
@given(traces, st.data())
def test_a_damaged_file_is_read_or_refused_with_its_line(trace: Trace, data: st.DataObject) -> None:
    text = dump(trace)
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + data.draw(st.sampled_from(["", *PIECES])) + text[at + data.draw(st.integers(0, 40)) :]
    try:
        assert isinstance(parse(damaged, "some/t.md"), Trace)
    except TraceFileError as error:
        assert str(error).startswith("some/t.md:")
        assert error.remedy


@pytest.mark.parametrize("place", ["goal", "answer", "output", "argument"])
def test_a_character_in_two_halves_is_refused(place: str) -> None:
    broken = "\ud83d\ude00"
    trace = Trace(
        goal=broken if place == "goal" else "g",
        steps=[
            Step("run_cell", {"code": broken if place == "argument" else ""}, output=broken * (place == "output"))
        ],
        answer=broken if place == "answer" else "",
    )
    with pytest.raises(TraceFileError, match="two surrogates"):
        dump(trace)
