"""Whatever is written, dropped and merged in whatever order, a look-up says what the rows say."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmos_nb.kernel.state import open_state
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.index import TraceIndex, row_of
from llmos_nb.memory.lookup import Lookup
from llmos_nb.memory.signature import Signature, hash63

TRACE = Trace(goal="g", steps=[Step("run_sql", {"query": "x"})])
SMALL = st.integers(0, 3)
SIGNATURES = st.builds(
    Signature,
    key=SMALL,
    template=SMALL,
    words=SMALL,
    slots=st.integers(0, 1),
    shape=SMALL,
    bits=st.sampled_from([b"", bytes(8), b"\x01" * 8, b"\x03" * 8, b"\xf0" * 8, b"\xff" * 8]),
)
WRITES = st.tuples(st.just("put"), st.lists(st.tuples(st.integers(0, 15), SIGNATURES), max_size=8))
DROPS = st.tuples(st.just("drop"), st.lists(st.integers(0, 15), max_size=4))
ACTIONS = st.lists(st.one_of(WRITES, DROPS, st.tuples(st.just("sync"), st.integers(0, 1))), max_size=14)


def signed(bits: bytes) -> Signature:
    return Signature(key=1, template=1, words=1, slots=0, shape=1, bits=bits)


#: All but the farthest pattern of a mapped file are gone: the nearest that is left is the answer, even to ``k=1``.
GONE_BEFORE_IT = [
    ("put", [(0, signed(bytes(8))), (1, signed(b"\x01" * 8)), (2, signed(b"\x03" * 8)), (3, signed(b"\xf0" * 8))]),
    ("sync", 0),
    ("drop", [0, 1, 2]),
]


@settings(max_examples=40, deadline=None)
@example(GONE_BEFORE_IT, 1)
@given(ACTIONS, st.integers(1, 9))
def test_a_lookup_agrees_with_the_rows(actions: list[tuple[str, object]], mapped_from: int) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        mock.patch.multiple("llmos_nb.memory.lookup.lookup", MAPPED_FROM=mapped_from, _PAGE=3),
    ):
        folder = Path(name)
        engine = open_state(folder / "state.db")
        index = TraceIndex(engine, "/r")
        index.create()
        lookups = [Lookup(folder, engine, "/r", reader=index.reader) for _ in range(2)]
        there: dict[int, Signature] = {}
        for action, what in actions:
            if action == "put":
                rows = [
                    row_of(f"{n}.md", f"{n}", 1, 1, "d", TRACE, signature=signature)
                    for n, signature in what  # type: ignore[attr-defined]
                ]
                index.put(rows)
                there.update(what)  # type: ignore[call-overload]
            elif action == "drop":
                index.drop([f"{n}.md" for n in what])  # type: ignore[attr-defined]
                there = {n: signature for n, signature in there.items() if n not in what}  # type: ignore[operator]
            else:
                lookups[what].sync()  # type: ignore[index]
        for found in lookups:
            found.sync()
            for field in ("key", "template", "words", "shape"):
                for value in range(1, 4):
                    numbers = found.find(field, value)  # type: ignore[arg-type]
                    assert numbers == sorted(numbers, reverse=True)
                    assert found.find(field, value, 2) == numbers[:2]  # type: ignore[arg-type]
                    rows = {row.id for row in index.candidates_at(numbers)}
                    assert len(rows) == len(numbers)
                    assert rows == {f"{n}" for n, signature in there.items() if getattr(signature, field) == value}
            for slots in (0, 1, None):
                check_near(index, found, there, slots)
        engine.dispose()


def check_near(index: TraceIndex, found: Lookup, there: dict[int, Signature], slots: int | None) -> None:
    """Every live pattern of the bucket is named, nearest first, and nothing else."""
    asked = b"\x01" * 8
    near = found.near(asked, slots, 64)
    rows = index.candidates_at([number for number, _ in near])
    assert len(rows) == len(near) == len({number for number, _ in near})
    assert [similarity for _, similarity in near] == sorted((one for _, one in near), reverse=True)
    live = {n: one for n, one in there.items() if one.bits and slots in (None, one.slots)}
    assert {int(row.id) for row in rows} <= live.keys()
    named = {(there[int(row.id)].slots, there[int(row.id)].bits) for row in rows}
    assert named == {(one.slots, one.bits) for one in live.values()}
    best = found.near(asked, slots, 1)
    assert [similarity for _, similarity in best] == [similarity for _, similarity in near[:1]]


@settings(max_examples=50)
@given(st.text())
def test_a_hash_is_a_positive_number_of_63_bits(text: str) -> None:
    assert 0 < hash63(text) < 1 << 63
    assert hash63(text) == hash63(text) != hash63(text + "x")
