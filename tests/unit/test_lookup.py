"""Look-ups by hash and by sign bits: what was written is found, what is gone is not, whatever happens to the file."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmos_nb.errors import StoreError
from llmos_nb.kernel.state import open_state
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.index import TraceIndex, row_of
from llmos_nb.memory.lookup import FIELDS, Lookup
from llmos_nb.memory.lookup import lookup as module
from llmos_nb.memory.lookup.mapped import Mapped, save
from llmos_nb.memory.signature import Signature, hash63

ROOT = "/traces"
PLAIN, NEAR, FAR = bytes(32), b"\x01" + bytes(31), b"\xff" * 32


def signed(
    name: str, *, slots: int = 7, bits: bytes = PLAIN, template: str = "t", path: str = ""
) -> dict[str, object]:
    """The row of a trace that can be found under ``name``."""
    signature = Signature(hash63(name), hash63(template), hash63(f"w {name}"), slots, hash63("shape"), bits, name)
    trace = Trace(goal=name, steps=[Step("run_sql", {"query": "select 1"})])
    return row_of(path or f"{name}.md", name, 1, 1, f"digest of {name}", trace, signature=signature)


@pytest.fixture
def index(tmp_path: Path) -> TraceIndex:
    made = TraceIndex(open_state(tmp_path / "state.db"), ROOT)
    made.create()
    return made


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is made from five rows on, and rows are read four at a time."""
    monkeypatch.setattr(module, "MAPPED_FROM", 4)
    monkeypatch.setattr(module, "_PAGE", 4)


def lookup(index: TraceIndex, tmp_path: Path) -> Lookup:
    made = Lookup(tmp_path, index.engine, ROOT)
    made.sync()
    return made


def ids(index: TraceIndex, numbers: list[int]) -> list[str]:
    return [found.id for found in index.candidates_at(numbers)]


def test_what_is_written_is_found_by_every_hash_newest_first(index: TraceIndex, tmp_path: Path) -> None:
    index.put([signed("a"), signed("b")])
    index.put([signed("c", template="other")])
    found = lookup(index, tmp_path)
    assert ids(index, found.find("key", hash63("a"))) == ["a"]
    assert ids(index, found.find("template", hash63("t"))) == ["b", "a"]
    assert ids(index, found.find("words", hash63("w c"))) == ["c"]
    assert ids(index, found.find("shape", hash63("shape"))) == ["c", "b", "a"]
    assert ids(index, found.find("shape", hash63("shape"), limit=2)) == ["c", "b"]
    assert found.find("key", hash63("nobody")) == []
    assert set(FIELDS) == {"key", "template", "words", "shape"}


def test_a_row_without_a_signature_is_found_by_its_key_alone(index: TraceIndex, tmp_path: Path) -> None:
    trace = Trace(goal="Count the rows", steps=[Step("run_sql", {"query": "x"})], extra={"wrong": "it lies"})
    index.put([row_of("a.md", "a", 1, 1, "d", trace), row_of("b.md", "b", 1, 1, "d", None, "not a trace")])
    found = lookup(index, tmp_path)
    assert found.find("template", 0) == found.near(PLAIN, None) == []
    (row,) = index.candidates_at(found.find("key", hash63("count the rows")))
    assert (row.id, row.path, row.template, row.wrong) == ("a", "a.md", 0, "it lies")
    assert row.replayable is (not getattr(trace, "wrong", ""))


@pytest.mark.parametrize("mapped", [False, True])
def test_the_most_similar_come_first_within_the_slots(
    index: TraceIndex, tmp_path: Path, request: pytest.FixtureRequest, mapped: bool
) -> None:
    if mapped:
        request.getfixturevalue("few")
    index.put([signed("far", bits=FAR), signed("near", bits=NEAR), signed("same"), signed("elsewhere", slots=8)])
    index.put([signed("none", bits=b""), signed("other width", bits=bytes(8))])
    found = lookup(index, tmp_path)
    assert found.path.exists() is mapped
    near = found.near(PLAIN, 7)
    assert ids(index, [number for number, _ in near]) == ["same", "near", "far"]
    assert [similarity for _, similarity in near] == pytest.approx([1.0, math.cos(math.pi / 256), 0.0])
    assert ids(index, [number for number, _ in found.near(PLAIN, None, 2)]) == ["elsewhere", "same"]
    assert found.near(PLAIN, 9) == found.near(b"", 7) == found.near(b"abc", 7) == found.near(PLAIN, 7, 0) == []


@pytest.mark.parametrize("mapped", [False, True])
def test_other_wordings_are_not_crowded_out_by_many_traces_of_one(
    index: TraceIndex, tmp_path: Path, request: pytest.FixtureRequest, mapped: bool
) -> None:
    if mapped:
        request.getfixturevalue("few")
    index.put([signed("other", bits=NEAR), *(signed(f"same {n}") for n in range(40))])
    found = lookup(index, tmp_path)
    assert ids(index, [number for number, _ in found.near(PLAIN, 7, 5)]) == [
        "same 39", "same 38", "same 37", "same 36", "other",
    ]  # fmt: skip


def test_what_others_write_and_drop_is_noticed(index: TraceIndex, tmp_path: Path, few: None) -> None:
    other = TraceIndex(open_state(tmp_path / "state.db"), ROOT)
    found = lookup(index, tmp_path)
    assert found.sync() is False
    for size in (3, 9, 30):  # in memory, in a file, in a file and in memory
        other.put([signed(f"{n}", path=f"{n}.md") for n in range(size)])
        assert found.sync() is True
        assert ids(index, found.find("template", hash63("t"))) == [f"{n}" for n in reversed(range(size))]
        other.drop(["1.md", "2.md"])
        assert found.sync() is True
        left = [f"{n}" for n in reversed(range(size)) if n not in (1, 2)]
        assert ids(index, found.find("template", hash63("t"))) == left
        assert ids(index, found.find("template", hash63("t"), 2)) == left[:2]
        assert found.find("key", hash63("1")) == []
        assert found.sync() is False


def test_a_row_that_is_written_again_is_found_as_it_is_now(index: TraceIndex, tmp_path: Path, few: None) -> None:
    index.put([signed(f"{n}") for n in range(6)])
    found = lookup(index, tmp_path)
    index.put([signed("new name", path="3.md")])
    found.sync()
    assert found.find("key", hash63("3")) == []
    assert ids(index, found.find("key", hash63("new name"))) == ["new name"]
    assert ids(index, found.find("shape", hash63("shape"), 2)) == ["new name", "5"]


def test_small_stores_need_no_file(index: TraceIndex, tmp_path: Path) -> None:
    index.put([signed(f"{n}") for n in range(100)])
    found = lookup(index, tmp_path)
    assert len(found) == 100 and not found.path.exists()


def test_a_file_is_shared_and_leaves_nothing_else_behind(index: TraceIndex, tmp_path: Path, few: None) -> None:
    index.put([signed(f"{n}", bits=bytes([n]) * 32) for n in range(50)])
    first = lookup(index, tmp_path)
    written = first.path.stat().st_mtime_ns
    second = lookup(index, tmp_path)
    assert first.path.stat().st_mtime_ns == written
    for n in range(50):
        assert first.find("key", hash63(f"{n}")) == second.find("key", hash63(f"{n}")) != []
        assert first.near(bytes([n]) * 32, 7, 3) == second.near(bytes([n]) * 32, 7, 3)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {first.path.name, "state.db", "state.db-wal", "state.db-shm"}


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"llmos lookup 2\n" + path.read_bytes()[15:]),
        lambda path: path.write_bytes(path.read_bytes()[:-64]),
        lambda path: flip(path, 40),
        lambda path: flip(path, 4096),
        lambda path: flip(path, -1),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["deleted", "empty", "version", "cut", "header", "hash", "end", "folder"],
)
def test_a_file_that_is_not_intact_is_made_again(index: TraceIndex, tmp_path: Path, few: None, harm: object) -> None:
    index.put([signed(f"{n}", bits=bytes([n]) * 32) for n in range(20)])
    path = lookup(index, tmp_path).path
    harm(path)  # type: ignore[operator]
    found = lookup(index, tmp_path)
    for n in range(20):
        assert ids(index, found.find("key", hash63(f"{n}"))) == [f"{n}"]
        assert ids(index, [found.near(bytes([n]) * 32, 7, 1)[0][0]]) == [f"{n}"]


def test_a_file_of_an_earlier_database_is_not_believed(tmp_path: Path, few: None) -> None:
    for life in ("old", "new"):
        index = TraceIndex(open_state(tmp_path / "state.db"), ROOT)
        index.create()
        index.put([signed(f"{life} {n}") for n in range(9)])
        found = lookup(index, tmp_path)
        assert ids(index, found.find("key", hash63(f"{life} 3"))) == [f"{life} 3"]
        index.engine.dispose()
        for name in ("state.db", "state.db-wal", "state.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
    assert found.find("key", hash63("old 3")) == []


def test_a_database_that_is_taken_away_is_an_error_and_then_read_anew(tmp_path: Path) -> None:
    index = TraceIndex(open_state(tmp_path / "state.db"), ROOT)
    index.create()
    index.put([signed("a")])
    found = Lookup(tmp_path, index.engine, ROOT, reader=index.reader)
    found.sync()
    index.engine.dispose()
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        found.sync()
    index.create()
    index.put([signed("b")])
    found.sync()
    assert found.find("key", hash63("a")) == []
    assert ids(index, found.find("key", hash63("b"))) == ["b"]


def test_the_rows_of_another_maker_are_not_mixed_in(tmp_path: Path) -> None:
    engine = open_state(tmp_path / "state.db")
    old, new = TraceIndex(engine, ROOT, maker="one"), TraceIndex(engine, ROOT, maker="two")
    old.create()
    old.put([signed("a")])
    old.create()
    assert list(old.seen()) == ["a.md"]
    found = lookup(old, tmp_path)
    new.create()
    assert new.seen() == {}  # its files are to be read again
    new.put([signed("b")])
    old.put([signed("c")])  # the old kernel is still at work
    found.sync()
    assert ids(new, [number for number, _ in found.near(PLAIN, None)]) == ["b"]
    assert ids(new, found.find("template", hash63("t"))) == ["c", "b"]


def test_folders_on_one_database_are_kept_apart(tmp_path: Path, few: None) -> None:
    engine = open_state(tmp_path / "state.db")
    one, two = TraceIndex(engine, "/one"), TraceIndex(engine, "/two")
    for index in (one, two):
        index.create()
        index.put([signed(f"{index.root} {n}") for n in range(8)])
    lookups = [Lookup(tmp_path, engine, index.root) for index in (one, two)]
    for index, found in zip((one, two), lookups, strict=True):
        found.sync()
        assert len(ids(index, found.find("template", hash63("t")))) == 8
        assert ids(index, lookups[0].find("key", hash63("/one 1"))) == (["/one 1"] if index is one else [])
    assert one.other_roots() == ["/two"]
    one.drop_root("/two")
    assert two.seen() == {} and len(one.seen()) == 8 and one.other_roots() == []


def test_a_database_in_memory_works_as_well(tmp_path: Path, few: None) -> None:
    index = TraceIndex(open_state(None), ROOT, maker="m")
    index.create()
    index.put([signed(f"{n}") for n in range(9)])
    found = lookup(index, tmp_path)
    assert ids(index, found.find("key", hash63("4"))) == ["4"]
    index.drop(["4.md"])
    index.put([signed("new", bits=NEAR)])
    found.sync()
    assert found.find("key", hash63("4")) == []
    assert ids(index, [number for number, _ in found.near(NEAR, 7, 1)]) == ["new"]


def test_however_many_of_the_nearest_are_gone_the_next_are_found(
    index: TraceIndex, tmp_path: Path, few: None
) -> None:
    index.put([signed(f"{n}", bits=((1 << n) - 1).to_bytes(32, "big")) for n in range(60)])
    found = lookup(index, tmp_path)
    index.drop([f"{n}.md" for n in range(50)])
    found.sync()
    for k in range(1, 11):
        near = [number for number, _ in found.near(bytes(32), 7, k)]
        assert ids(index, near) == [f"{n}" for n in range(50, 50 + k)]
    assert found.near(bytes(32), 7, 64) == found.near(bytes(32), 7, 10)


def test_numpy_without_bitwise_count_gives_the_same(
    index: TraceIndex, tmp_path: Path, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put([signed(f"{n}", bits=bytes([n, 255 - n, 3 * n]) + os.urandom(29)) for n in range(30)])
    found = lookup(index, tmp_path)
    now = found.near(FAR, 7)
    monkeypatch.setattr("llmos_nb.memory.lookup.patterns._BITWISE_COUNT", None)
    assert found.near(FAR, 7) == now and len(now) == 30


def test_a_slower_kernel_s_file_takes_nothing_away(
    index: TraceIndex, tmp_path: Path, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put([signed(f"{n}") for n in range(9)])
    found = lookup(index, tmp_path)
    older = found.path.read_bytes()

    def overtaken(mapped: Mapped, path: Path) -> bool:
        saved = save(mapped, path)
        path.write_bytes(older)
        return saved

    monkeypatch.setattr(module, "save", overtaken)
    index.put([signed(f"{n}") for n in range(9, 20)])
    found.sync()
    assert ids(index, found.find("key", hash63("19"))) == ["19"]


def test_a_folder_that_cannot_be_written_costs_only_memory(index: TraceIndex, tmp_path: Path, few: None) -> None:
    index.put([signed(f"{n}") for n in range(9)])
    found = Lookup(tmp_path / "nowhere", index.engine, ROOT)
    found.sync()
    assert ids(index, found.find("key", hash63("4"))) == ["4"]


def test_kernels_write_merge_and_read_at_once(index: TraceIndex, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[3])\n"
        "from test_lookup import *\n"
        "module.MAPPED_FROM = 4\n"
        "index = TraceIndex(open_state(Path(sys.argv[1]) / 'state.db'), ROOT)\n"
        "found = Lookup(Path(sys.argv[1]), index.engine, ROOT)\n"
        "for n in range(60):\n"
        "    name = f'{n} of {sys.argv[2]}'\n"
        "    index.put([signed(name, bits=n.to_bytes(32, 'big'))])\n"
        "    if n % 3 == 2: index.drop([f'{n - 1} of {sys.argv[2]}.md'])\n"
        "    found.sync()\n"
        "    assert ids(index, found.find('key', hash63(name))) == [name]\n"
    )
    here = Path(__file__)
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name, str(here.parent)], cwd=here.parents[2])
        for name in ("one", "two", "three")
    ]
    found = Lookup(tmp_path, index.engine, ROOT)
    while any(worker.poll() is None for worker in workers):
        found.sync()
        rows = index.candidates_at(found.find("template", hash63("t")))
        assert all(row.slots == 7 for row in rows)
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    for one in (found, Lookup(tmp_path, index.engine, ROOT)):
        one.sync()
        for n in range(60):
            for name in ("one", "two", "three"):
                wanted = [] if n % 3 == 1 else [f"{n} of {name}"]
                assert ids(index, one.find("key", hash63(f"{n} of {name}"))) == wanted
        assert len(one.find("template", hash63("t"), 1000)) == 120
