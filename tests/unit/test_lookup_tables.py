"""The tables of the index: numbers that only grow, and databases of other versions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from llmos_nb.kernel.budget import TokenEconomy
from llmos_nb.kernel.state import open_state
from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.memory import index as module
from llmos_nb.memory.index import TraceIndex, row_of
from llmos_nb.memory.lookup import Question
from llmos_nb.memory.signature import Signature
from llmos_nb.memory.tables import CHANGES, DERIVED, TRACES

TRACE = Trace(goal="Count the rows", steps=[Step("run_sql", {"query": "select 1"})], cost_usd=0.05)

#: The table as version 0.1.0 made it.
OLD = (
    "CREATE TABLE traces (root TEXT NOT NULL, path TEXT NOT NULL, id TEXT NOT NULL, mtime_ns BIGINT NOT NULL,"
    " size BIGINT NOT NULL, digest TEXT NOT NULL, key TEXT NOT NULL, status TEXT NOT NULL,"
    " replayable BOOLEAN NOT NULL, mode TEXT NOT NULL, agent TEXT NOT NULL, model TEXT NOT NULL,"
    " created_at TEXT NOT NULL, cost_usd FLOAT, duration_s FLOAT NOT NULL, goal TEXT NOT NULL,"
    " problem TEXT NOT NULL, payload TEXT NOT NULL, PRIMARY KEY (root, path))"
)
NEWER = [
    "ALTER TABLE traces ADD COLUMN mood TEXT NOT NULL DEFAULT ''",
    "UPDATE trace_index SET value = 'of 2040' WHERE name = 'form'",
]


def other_form(*statements: str) -> list[str]:
    return ["DROP TABLE IF EXISTS trace_changes", "DROP TABLE IF EXISTS trace_index", *statements]


@pytest.mark.parametrize(
    "statements",
    [
        other_form("DROP TABLE traces", OLD),
        NEWER,
        ["DELETE FROM trace_index"],
        ["DROP TABLE traces"],
        ["DROP TABLE trace_changes"],
        ["DROP TABLE trace_index", "CREATE TABLE trace_index (odd TEXT)"],
    ],
    ids=["older", "newer", "unmarked", "no traces", "no changes", "odd"],
)
def test_tables_of_another_version_are_made_again_and_money_and_uses_kept(
    tmp_path: Path, statements: list[str]
) -> None:
    place = tmp_path / ".llmos" / "state.db"
    with TraceStore(tmp_path) as store:
        added = store.add(TRACE)
        store.record_use(added.id, True)
        economy = TokenEconomy(budget_usd=10.0, engine=store._engine)
        economy.deduct(0.45, "Learn: count the rows")
    with sqlite3.connect(place) as database:
        for statement in statements:
            database.execute(statement)
    database.close()
    with TraceStore(tmp_path) as store:
        assert store.match("count the rows").trace_id == added.id
        assert store.uses(added.id).uses == 1
    with TraceStore(tmp_path) as store:
        assert len(store) == 1
    with sqlite3.connect(place) as database:
        assert database.execute("SELECT count(*) FROM ledger").fetchone() == (1,)
        columns = {row[1] for row in database.execute("PRAGMA table_info(traces)")}
    database.close()
    assert columns == set(TRACES.c.keys())


def index_at(path: Path, root: str = "/r", **options: str) -> TraceIndex:
    index = TraceIndex(open_state(path), root, **options)
    index.create()
    return index


def row(path: str, **signature: int) -> dict[str, object]:
    return row_of(path, path.removesuffix(".md"), 1, 1, f"digest of {path}", TRACE, signature=Signature(**signature))


def numbers(index: TraceIndex) -> dict[str, int]:
    with index.engine.connect() as connection:
        return {row.path: row.number for row in connection.execute(sa.select(TRACES.c.path, TRACES.c.number))}


def test_numbers_only_grow(tmp_path: Path) -> None:
    index = index_at(tmp_path / "state.db")
    index.put([row("a.md"), row("b.md"), row("c.md")])
    first = numbers(index)
    index.put([row("a.md", key=5), row("a.md", key=6)])  # of one file the last row counts
    second = numbers(index)
    assert second["b.md"] == first["b.md"] and second["a.md"] > max(first.values())
    index.drop(["a.md", "c.md"])
    index.put([row("c.md")])
    assert numbers(index)["c.md"] > second["a.md"]
    with index.engine.connect() as connection:
        gone = set(connection.scalars(sa.select(CHANGES.c.gone)))
    assert gone == {first["a.md"], second["a.md"], first["c.md"]}


def test_the_list_of_numbers_that_are_gone_stays_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHANGES_KEPT", 10)
    index = index_at(tmp_path / "state.db")
    for _ in range(9):
        index.put([row(f"{n}.md") for n in range(4)])
    with index.engine.connect() as connection:
        kept = connection.scalars(sa.select(CHANGES.c.gone).order_by(CHANGES.c.change)).all()
    assert len(kept) == 10 and max(kept) == 32


def test_candidates_come_in_the_order_asked_and_only_of_this_folder(tmp_path: Path) -> None:
    index = index_at(tmp_path / "state.db")
    other = index_at(tmp_path / "state.db", "/other")
    index.put([row(f"{n}.md", template=n, words=2, slots=3, shape=4) for n in range(100)])
    other.put([row("else.md")])
    index.record_use("7", success=False, at="now")
    wanted = sorted(numbers(index).values(), reverse=True)
    found = index.candidates_at([*wanted, 10_000])
    assert [one.number for one in found] == [number for number in wanted if number != numbers(other)["else.md"]]
    seventh = next(one for one in found if one.id == "7")
    assert (seventh.template, seventh.words, seventh.slots, seventh.shape) == (7, 2, 3, 4)
    assert (seventh.uses, seventh.failures, seventh.replayable, seventh.status) == (1, 1, True, "success")
    assert index.candidates_at([]) == []


def test_a_trace_is_served_for_the_content_it_was_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SERVED", 2)
    index = index_at(tmp_path / "state.db")
    index.put([row(f"{n}.md") for n in range(5)])
    for n in (0, 1, 2, 3, 4, 0, 0):
        assert index.payload(f"{n}.md", f"digest of {n}.md") == TRACE
    assert index.payload("0.md", "another digest") is None
    assert index.payload("5.md", "digest of 5.md") is None


def test_every_question_can_be_asked_of_postgresql() -> None:
    asked = [value for value in vars(module).values() if isinstance(value, Question)]
    assert len(asked) > 10
    for one in asked:
        assert "SELECT" in str(one.statement.compile(dialect=postgresql.dialect()))
    made = [str(sa.schema.CreateTable(table).compile(dialect=postgresql.dialect())) for table in DERIVED]
    assert "number BIGSERIAL" in made[0] and "change BIGSERIAL" in made[1]


@pytest.mark.parametrize(
    ("ask", "by"),
    [
        (lambda index: index.paths_of("a"), "id=?"),
        (lambda index: index.candidates(5), "key=?"),
        (lambda index: index.payload("a.md", "d"), "path=?"),
        (lambda index: index.called_wrong(), "wrong>?"),
        (lambda index: index.edited(), "traces_edited"),
        (lambda index: index.problems(), "problem>?"),
    ],
    ids=["paths_of", "candidates", "payload", "called_wrong", "edited", "problems"],
)
def test_what_every_goal_asks_does_not_go_through_all_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[TraceIndex], object], by: str
) -> None:
    index = index_at(tmp_path / "state.db")
    index.put([row(f"{n}.md", key=n) for n in range(50)])
    asked: list[tuple[Question, dict[str, object]]] = []
    whole = index.reader.ask
    monkeypatch.setattr(
        index.reader,
        "ask",
        lambda question, /, **values: asked.append((question, values)) or whole(question, **values),
    )
    ask(index)
    [(question, values)] = asked
    given = [{**question.fixed, **values}[name] for name in question.names]
    with contextlib.closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        [first, *_] = connection.execute(f"EXPLAIN QUERY PLAN {question.sql}", given).fetchall()
    assert by in first[3]


def test_files_of_one_id_and_problems_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    index = index_at(tmp_path / "state.db")
    wrong = {"id": "x", "problem": "is torn"}
    index.put([{**row("b/x.md"), **wrong}, {**row("a/x.md"), **wrong}, row("c.md")])
    assert index.paths_of("x") == ["a/x.md", "b/x.md"]
    assert list(index.problems().items()) == [("a/x.md", "is torn"), ("b/x.md", "is torn")]
    assert index.count() == 1
