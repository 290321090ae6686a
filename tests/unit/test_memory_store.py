"""The store: files are the truth, the index follows them, and several processes may share a folder."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmos_nb.errors import EmptyGoal, StoreError, TraceFileError, UnknownTrace
from llmos_nb.kernel.state import open_state
from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.index import TraceIndex

STEPS = (Step(tool="run_sql", arguments={"query": "select 1"}),)


def _trace(goal: str = "Count the rows", **changes: object) -> Trace:
    return dataclasses.replace(Trace(goal=goal, steps=STEPS, status="success", cost_usd=0.05), **changes)  # type: ignore[arg-type]


def test_a_trace_is_added_as_a_file_and_read_back(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        added = store.add(_trace("Count the rows of Sales.csv, by région!"))
        assert re.fullmatch(r"\d{8}-\d{6}-count-the-rows-of-sales-csv-by-region-[0-9a-f]{4}", added.id)
        assert store.path(added.id) == tmp_path / added.created_at[:7] / f"{added.id}.md"
        assert parse(store.path(added.id).read_text(encoding="utf-8"), "t.md") == added
        assert store.get(added.id) == added
        assert len(store) == 1


def test_a_slug_has_at_most_forty_letters_and_is_never_empty(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        assert len(store.add(_trace("word " * 50)).id) <= len("20261122-074103-") + 40 + len("-3f2a")
        assert re.fullmatch(r"\d{8}-\d{6}-goal-[0-9a-f]{4}", store.add(_trace("日本語")).id)


def test_an_id_that_is_taken_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["aaaa", "aaaa", "bbbb"])
    real = secrets.token_hex
    monkeypatch.setattr("secrets.token_hex", lambda size: next(drawn) if size == 2 else real(size))
    with TraceStore(tmp_path) as store:
        ids = [store.add(_trace(created_at="2026-11-22T07:41:03Z")).id for _ in range(2)]
    assert ids == ["20261122-074103-count-the-rows-aaaa", "20261122-074103-count-the-rows-bbbb"]


def test_a_given_id_is_kept_once(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        assert store.add(_trace(id="mine")).id == "mine"
        with pytest.raises(StoreError, match="'mine' already"):
            store.add(_trace(id="mine", created_at="2020-01-01T00:00:00Z"))


@pytest.mark.parametrize("bad", ["../x", "a/b", "", ".hidden", "a\\b", "x" * 200, "a\n"])
def test_an_id_is_never_a_path(tmp_path: Path, bad: str) -> None:
    with TraceStore(tmp_path / "traces") as store:
        for ask in (store.get, store.path, store.uses, lambda id: store.record_use(id, True)):
            with pytest.raises(UnknownTrace):
                ask(bad)
        if bad:
            with pytest.raises(UnknownTrace):
                store.add(_trace(id=bad))
    assert not list(tmp_path.rglob("*.md"))


def test_an_unknown_id_gets_suggestions(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        store.add(_trace(id="20261122-074103-ghz-3f2a"))
        with pytest.raises(UnknownTrace, match="Did you mean 20261122-074103-ghz-3f2a"):
            store.get("20261122-074103-ghz-3f2b")


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        with pytest.raises(EmptyGoal):
            store.add(_trace(" \n"))
        with pytest.raises(TraceFileError, match="created_at"):
            store.add(_trace(created_at="../../x"))
        with pytest.raises(TraceFileError, match="bytes are more than"):
            store.add(_trace(answer="x" * 17_000_000))
        assert len(store) == 0


def test_rows_are_newest_first_and_without_payload(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        for day in ("03", "01", "02"):
            store.add(
                _trace(f"Goal {day}", id=f"t{day}", created_at=f"2026-11-{day}T00:00:00Z", agent="a", status="failed")
            )
        rows = store.rows()
    assert [row["id"] for row in rows] == ["t03", "t02", "t01"]
    assert rows[0]["goal"] == "Goal 03"
    assert (rows[0]["status"], rows[0]["agent"], rows[0]["cost_usd"]) == ("failed", "a", 0.05)
    assert "payload" not in rows[0]


def test_the_index_is_rebuilt_when_it_is_missing(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        added = store.add(_trace())
    shutil.rmtree(tmp_path / ".llmos")
    with TraceStore(tmp_path) as store:
        assert store.get(added.id) == added
        assert store.match("count the rows").trace_id == added.id


def test_opening_brings_the_index_up_to_date(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        kept, edited, deleted = (store.add(_trace(goal)) for goal in ("One goal", "Two goals", "Three goals"))
        paths = {trace.id: store.path(trace.id) for trace in (kept, edited, deleted)}
    paths[edited.id].write_text(dump(dataclasses.replace(edited, goal="Another goal")), encoding="utf-8")
    paths[deleted.id].unlink()
    (tmp_path / "by-hand").mkdir()
    (tmp_path / "by-hand" / "mine.md").write_text(dump(_trace("My goal")), encoding="utf-8")
    with TraceStore(tmp_path) as store:
        assert {row["goal"] for row in store.rows()} == {"One goal", "Another goal", "My goal"}
        assert store.get("mine").goal == "My goal"


def test_only_files_that_changed_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TraceStore(tmp_path) as store:
        added = [store.add(_trace(f"Goal {n} of many")) for n in range(5)]
        path = store.path(added[2].id)
    path.write_text(dump(dataclasses.replace(added[2], answer="edited")), encoding="utf-8")
    read = []

    def counting(text: str, path: str) -> Trace:
        read.append(path)
        return parse(text, path)

    monkeypatch.setattr("llmos_nb.memory.file.parse", counting)
    with TraceStore(tmp_path) as store:
        assert read == [path.relative_to(tmp_path).as_posix()]
        assert store.get(added[0].id) == added[0]
        assert store.match("goal 1 of many").trace == added[1]
        assert len(read) == 1  # neither get nor match parsed Markdown


def test_files_that_come_and_go_while_the_store_is_open_are_noticed(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        assert store.match("my goal").verdict == "none"
        (tmp_path / "2026-11").mkdir()
        path = tmp_path / "2026-11" / "mine.md"
        path.write_text(dump(_trace("My goal")), encoding="utf-8")
        assert store.match("my goal").trace_id == "mine"
        other = path.with_name("other.md")
        other.write_text(dump(_trace("Other goal")), encoding="utf-8")
        assert store.match("other goal").trace_id == "other"
        replaced = path.with_name("x.tmp")
        replaced.write_text(dump(_trace("Replaced goal")), encoding="utf-8")
        time.sleep(0.12)
        os.replace(replaced, path)
        assert store.match("my goal").steps is None
        assert store.match("replaced goal").trace_id == "mine"
        shutil.rmtree(tmp_path / "2026-11")
        assert len(store) == 0
        assert store.match("other goal").verdict == "none"


def test_an_unreadable_file_is_listed_and_never_matched(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        added = store.add(_trace())
        path = store.path(added.id)
        path.write_text(path.read_text(encoding="utf-8").replace("status: success", "status: [", 1), encoding="utf-8")
        assert store.match("count the rows").verdict == "none"
        name = path.relative_to(tmp_path).as_posix()
        assert store.problems[name].startswith(f"{name}:")
        with pytest.raises(TraceFileError, match="not valid YAML"):
            store.get(added.id)
        assert (len(store), store.rows()) == (0, [])
    with TraceStore(tmp_path) as store:
        assert list(store.problems) == [name]
        path.write_text(dump(added), encoding="utf-8")
        store.refresh()
        assert store.problems == {}
        assert store.get(added.id) == added


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.md", b"---\n\xff\xfe\n---\n", "a.md:2: not UTF-8"),
        ("my trace.md", dump(_trace()).encode(), "no name for a trace"),
        ("b.md", dump(_trace(id="other")).encode(), "its id is 'other'"),
        ("c.md", dump(_trace()).replace("schema: 1", "schema: 9").encode(), "schema is 9"),
        ("d.md", b"", "starts with a line '---'"),
    ],
)
def test_problems_say_where_and_what(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    (tmp_path / "2026-11").mkdir()
    (tmp_path / "2026-11" / name).write_bytes(data)
    with TraceStore(tmp_path) as store:
        assert what in store.problems[f"2026-11/{name}"]
        assert len(store) == 0
    assert (tmp_path / "2026-11" / name).read_bytes() == data


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes and links")
def test_links_pipes_and_temporary_files_are_not_traces(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "far.md").write_text(dump(_trace()), encoding="utf-8")
    folder = tmp_path / "traces"
    (folder / "2026-11").mkdir(parents=True)
    (folder / "2026-12").symlink_to(outside)
    (folder / "2026-11" / "link.md").symlink_to(outside / "far.md")
    (folder / "2026-11" / ".t.md.x.tmp").write_text("torn", encoding="utf-8")
    (folder / "README.md").write_text("About these traces", encoding="utf-8")
    os.mkfifo(folder / "2026-11" / "pipe.md")
    with TraceStore(folder) as store:
        assert (len(store), store.problems) == (0, {})


def test_use_counts_outlive_the_store_and_add_up(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        id = store.add(_trace()).id
        assert store.uses(id).uses == 0
        before = store.path(id).read_bytes()
        store.record_use(id, True)
        store.record_use(id, False)
        assert store.path(id).read_bytes() == before
        with pytest.raises(UnknownTrace):
            store.record_use("nobody", True)
    with TraceStore(tmp_path) as store:
        store.record_use(id, True)
        used = store.uses(id)
    assert (used.uses, used.successes, used.failures) == (3, 2, 1)
    assert used.last_used_at.endswith("Z")


def test_stores_on_one_database_keep_their_folders_apart(tmp_path: Path) -> None:
    engine = open_state(tmp_path / "state.db")
    with TraceStore(tmp_path / "a", state=engine) as a, TraceStore(tmp_path / "b", state=engine) as b:
        a.add(_trace())
        assert (len(a), len(b)) == (1, 0)
        assert b.match("count the rows").verdict == "none"
    assert not (tmp_path / "a" / ".llmos").exists()
    engine.dispose()


def test_a_folder_that_was_moved_is_indexed_anew(tmp_path: Path) -> None:
    with TraceStore(tmp_path / "a") as store:
        id = store.add(_trace()).id
    (tmp_path / "a").rename(tmp_path / "b")
    with TraceStore(tmp_path / "b") as store:
        assert [row["id"] for row in store.rows()] == [id]


def test_two_open_stores_see_each_other(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as one, TraceStore(tmp_path) as two:
        for n in range(5):
            id = one.add(_trace(f"Goal number {n}")).id
            assert two.match(f"goal number {n}").trace_id == id


def test_a_trace_added_while_another_store_opens_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = TraceIndex.seen
    with TraceStore(tmp_path) as one:

        def add_before_it_answers(index: TraceIndex) -> dict[str, tuple[int, int]]:
            monkeypatch.setattr(TraceIndex, "seen", seen)
            one.add(_trace())  # after the other store has listed the files
            return seen(index)

        monkeypatch.setattr(TraceIndex, "seen", add_before_it_answers)
        with TraceStore(tmp_path) as two:
            assert one.match("count the rows").verdict == "replay"
            assert two.match("count the rows").verdict == "replay"


def test_processes_can_write_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from llmos_nb.memory import *\n"
        "with TraceStore(sys.argv[1]) as store:\n"
        "    for n in range(20):\n"
        "        id = store.add(Trace(f'Goal {n} of {sys.argv[2]}', [Step('run_sql', {'query': 'x'})])).id\n"
        "        store.record_use(id, True)\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], cwd=Path(__file__).parents[2])
        for name in ("one", "two")
    ]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
    with TraceStore(tmp_path) as store:
        assert len(store) == 40
        assert {store.uses(row["id"]).successes for row in store.rows()} == {1}
        assert store.match("goal 7 of two").verdict == "replay"


def test_a_database_that_is_deleted_while_open_is_made_again(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        id = store.add(_trace()).id
        shutil.rmtree(tmp_path / ".llmos")
        assert store.match("count the rows").trace_id == id
        assert len(store) == 1


def test_a_database_that_cannot_be_made_again_is_a_clear_error(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        added = store.add(_trace())
        shutil.rmtree(tmp_path / ".llmos")
        (tmp_path / ".llmos").write_text("in the way", encoding="utf-8")
        with pytest.raises(StoreError, match="state database"):
            store.match("count the rows")
    assert list(tmp_path.rglob(f"{added.id}.md"))


def test_an_index_with_wrong_rows_is_not_believed(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        added = store.add(_trace("Delete a.csv"))
        path = store.path(added.id)
        stat = path.stat()
        path.write_text(path.read_text(encoding="utf-8").replace("a.csv", "b.csv"), encoding="utf-8")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # same time, same size, other goal
        assert store.match("Delete a.csv").steps is None
        assert store.match("Delete b.csv").trace_id == added.id
