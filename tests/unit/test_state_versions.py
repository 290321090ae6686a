"""The state database over versions, and when it is deleted, damaged or replaced while its copy is there."""

from __future__ import annotations

import json
import os
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from llmos_nb.errors import StoreError
from llmos_nb.kernel import migrations
from llmos_nb.kernel.budget import ModelCall, TokenEconomy
from llmos_nb.kernel.ledger import LEDGER
from llmos_nb.kernel.migrations import VERSION
from llmos_nb.kernel.state import METADATA, open_state, writing
from llmos_nb.memory import Step, Trace, TraceStore

FIRST = Path(__file__).parents[1] / "sets" / "state_first.sql"


def first_schema(path: Path) -> Path:
    """A database as the first version of this code made it, with what its own calls wrote."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST.read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode=WAL")
    return path


def quietly(path: Path) -> sa.Engine:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return open_state(path)


def schema(path: Path) -> dict[str, set[str]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")} for name in tables}
        found["indexes"] = {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
            if not name.startswith(("sqlite_", "trace"))
        }
    return {name: columns for name, columns in found.items() if not name.startswith("sqlite_")}


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT id, run_id, cost FROM ledger ORDER BY id").fetchall()


# -- versions


def test_the_first_schema_is_brought_up_to_date_with_a_copy_before_each_step(tmp_path: Path) -> None:
    path = first_schema(tmp_path / "state.db")
    before = rows(path)
    economy = TokenEconomy(engine=open_state(path), session_id="s1")
    assert rows(path) == before and len(before) == 4
    assert economy.spent_usd() == pytest.approx(0.28) and economy.limits.day_usd == 2.5
    with TraceStore(tmp_path / "traces", state=economy._engine) as store:
        assert store._index.uses("20251124-080000-create-0001")["uses"] == 2
    open_state(tmp_path / "fresh" / "state.db").dispose()
    assert schema(path) == schema(tmp_path / "fresh" / "state.db")
    copies = sorted((tmp_path / "backups").iterdir())
    assert [copy.name.split("-")[1] for copy in copies] == [f"v{number}" for number in range(VERSION)]
    assert all(rows(copy) == before for copy in copies)
    assert "agent" not in schema(copies[0])["ledger"] and "agent" in schema(copies[1])["ledger"]
    open_state(path).dispose()
    assert len(list((tmp_path / "backups").iterdir())) == VERSION  # nothing left to do


def test_every_column_that_the_code_knows_is_there_after_migrating(tmp_path: Path) -> None:
    path = first_schema(tmp_path / "state.db")
    with TraceStore(tmp_path / "traces", state=open_state(path)):
        found = schema(path)
    for table in METADATA.sorted_tables:
        if table.name in found:
            assert {column.name for column in table.columns} == found[table.name], table.name


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = first_schema(tmp_path / "state.db")

    def torn(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE budget_holds ADD COLUMN half TEXT")
        connection.exec_driver_sql("DELETE FROM ledger")
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "MIGRATIONS", (migrations.MIGRATIONS[0], torn))
        with pytest.raises(StoreError, match="disk I/O error"):
            open_state(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert len(rows(path)) == 4 and "half" not in schema(path)["budget_holds"]
    open_state(path).dispose()
    assert schema(path)["budget_holds"] >= {"project", "open_calls"}


def test_no_copy_no_migration(tmp_path: Path) -> None:
    path = first_schema(tmp_path / "state.db")
    (tmp_path / "backups").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="no copy of it could be made") as caught:
        open_state(path)
    assert caught.value.remedy
    assert "agent" not in schema(path)["ledger"]


def test_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE ledger (id, cosmic TEXT); PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match="written by a newer llmos_nb") as caught:
            open_state(path)
        assert "pip install -U" in caught.value.remedy
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["state.db"]


def test_a_newer_version_that_takes_the_place_of_an_open_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    economy = TokenEconomy(engine=open_state(path))
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        connection.executescript(f"CREATE TABLE ledger (id, cosmic TEXT); PRAGMA user_version = {VERSION + 1}")
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    os.replace(tmp_path / "new.db", path)
    with pytest.raises(StoreError, match="newer llmos_nb"):
        economy.deduct(1.0, "x")
    assert schema(path)["ledger"] == {"id", "cosmic"}


# -- deleted, damaged, replaced


def spend(path: Path, count: int = 5) -> list[tuple[object, ...]]:
    economy = TokenEconomy(engine=quietly(path))
    for number in range(count):
        with economy.reserve(0.1, "x", run_id=f"r{number}") as held:
            held.charge(ModelCall(model="m", cost_usd=0.01 * (number + 1)))
    economy.set_limit("day", 3.5)
    economy._engine.dispose()
    return rows(path)


@pytest.mark.parametrize("what", ["deleted", "empty", "garbage", "cut"])
def test_a_lost_database_gets_its_ledger_and_limits_back_and_says_so(tmp_path: Path, what: str) -> None:
    path = tmp_path / "state.db"
    before = spend(path)
    with TraceStore(tmp_path / "traces", state=quietly(path)) as store:
        kept = store.add(Trace(goal="Count to 3", steps=[Step("run_cell", {"code": "1"})], status="success")).id
        store.record_use(kept, True)
        store._engine.dispose()
    open_state(path).dispose()  # the use counts are copied when a workspace is opened
    data = path.read_bytes()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    if what != "deleted":
        path.write_bytes({"empty": b"", "garbage": b"no database " * 999, "cut": data[: len(data) // 2]}[what])
    with pytest.warns(RuntimeWarning, match="5 rows of the ledger were put back") as told:
        engine = open_state(path)
    assert rows(path) == before
    economy = TokenEconomy(engine=engine)
    assert economy.limits.day_usd == 3.5 and economy.spent_usd() == pytest.approx(0.15)
    economy.deduct(0.5, "after")
    assert rows(path)[-1][0] == before[-1][0] + 1  # numbers go on
    with TraceStore(tmp_path / "traces", state=engine) as store:
        assert store.match("Count to 3").verdict == "replay" and store.uses(kept).uses == 1
    if what in ("garbage", "cut"):
        assert any("set aside" in str(one.message) for one in told)
        (aside,) = [name for name in os.listdir(tmp_path) if ".broken-" in name]
        assert (tmp_path / aside).stat().st_size > 0
    engine.dispose()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_state(path).dispose()


def test_rows_written_after_the_file_was_deleted_under_a_kernel_are_there(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    economy = TokenEconomy(engine=open_state(path))
    held = economy.reserve(1.0, "x", run_id="r")
    held.charge(ModelCall(model="m", cost_usd=0.1))
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    with pytest.warns(RuntimeWarning, match="1 rows of the ledger were put back"):
        held.charge(ModelCall(model="m", cost_usd=0.2))
    assert not held.exceeded
    held.settle()
    assert economy.spent_usd() == pytest.approx(0.3) and len(rows(path)) == 2


def test_an_older_database_in_its_place_gets_only_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    spend(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    older = path.read_bytes()
    after = spend(path, 4)
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(older)
    with pytest.warns(RuntimeWarning, match="4 rows"):
        open_state(path).dispose()
    assert rows(path) == after


def test_a_copy_of_another_ledger_is_never_mixed_in(tmp_path: Path) -> None:
    mine, other = tmp_path / "a" / "state.db", tmp_path / "b" / "state.db"
    before = spend(mine, 2)
    TokenEconomy(engine=open_state(other)).deduct(7.0, "theirs")
    for number in range(4):
        TokenEconomy(engine=open_state(other)).deduct(number, "theirs")
    os.replace(tmp_path / "b" / "state.ledger.jsonl", tmp_path / "a" / "state.ledger.jsonl")
    with pytest.warns(RuntimeWarning, match="of another ledger"):
        open_state(mine).dispose()
    assert rows(mine) == before
    lines = (tmp_path / "a" / "state.ledger.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines[1:]] == [row[0] for row in before]


def test_a_torn_last_line_of_the_copy_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    before = spend(path)
    copy = tmp_path / "state.ledger.jsonl"
    whole = copy.read_bytes()
    for cut in range(1, 120, 7):
        copy.write_bytes(whole[:-cut])
        open_state(path).dispose()
        assert copy.read_bytes() == whole, cut
    for size in (0, 5, 18):
        copy.write_bytes(whole[:size])
        open_state(path).dispose()
        assert copy.read_bytes() == whole, size
    assert rows(path) == before


def test_a_copy_of_a_newer_form_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    spend(path, 2)
    copy = tmp_path / "state.ledger.jsonl"
    newer = b'{"ledger_copy": 2}\n{"row": "of another form"}\n'
    copy.write_bytes(newer)
    spend(path, 2)
    assert copy.read_bytes() == newer and len(rows(path)) == 4


def test_a_rolled_back_row_is_not_in_the_copy(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    spend(path, 1)
    engine = open_state(path)
    with pytest.raises(KeyError), writing(engine, durable=True) as connection:
        connection.execute(LEDGER.insert().from_select([c.name for c in LEDGER.c if c.name != "id"], sa.select(
            *(c for c in LEDGER.c if c.name != "id"))))  # fmt: skip
        raise KeyError
    TokenEconomy(engine=engine).deduct(1.0, "next")
    copied = [json.loads(line) for line in (tmp_path / "state.ledger.jsonl").read_text().splitlines()[1:]]
    assert [(row["id"], row["cost"]) for row in copied] == [(row[0], row[2]) for row in rows(path)]
