from __future__ import annotations

import dataclasses
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from llmos_nb.errors import SettingsError, StoreError
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.ledger import (
    HOLDS,
    LEDGER,
    Holder,
    held,
    hold,
    holder_alive,
    record,
    spent,
    sweep,
    to_nano,
    to_usd,
)
from llmos_nb.kernel.state import METADATA, open_state, reading, writing

OWNER = {"run_id": "r", "session_id": "s", "simulated": False}


@pytest.mark.parametrize(
    ("usd", "nano"),
    [(0, 0), (0.1, 100_000_000), (0.1 + 0.2, 300_000_000), (1e9, 10**18), (2.5e-7, 250), (1e-12, 0)],
)
def test_dollars_become_whole_nano_dollars(usd: float, nano: int) -> None:
    assert to_nano(usd) == nano


def test_nano_dollars_become_dollars() -> None:
    assert to_usd(51_200_000) == 0.0512


def test_the_message_names_the_amount() -> None:
    with pytest.raises(SettingsError, match=r"saved_usd must be a number of US dollars .* got 'x' \(str\)"):
        to_nano("x", "saved_usd")


def test_spent_is_by_scope() -> None:
    engine = open_state(None)
    with writing(engine) as connection:
        written = (1, "a", "s", 1), (2, "b", "s", 10), (3, "c", "t", 100), (4, "a", "s", None)
        for at, run_id, session_id, cost in written:
            record(connection, at=at, kind="deduct", run_id=run_id, session_id=session_id, simulated=False, cost=cost)
        record(connection, at=5, kind="deduct", run_id="a", session_id="s", simulated=True, cost=1000)
        assert spent(connection, simulated=False) == 111
        assert spent(connection, simulated=False, run_id="a") == 1
        assert spent(connection, simulated=False, session_id="s") == 11
        assert spent(connection, simulated=False, since=2) == 110
        assert spent(connection, simulated=True) == 1000
        assert spent(connection, simulated=True, run_id="none") == 0


def test_holds_of_dead_processes_and_ended_leases_do_not_count() -> None:
    engine = open_state(None)
    with writing(engine) as connection:
        for name in ("mine", "late", "dead", "far"):
            hold(connection, name, amount=5, charged=0, expires_at=10 if name == "late" else 100, **OWNER)
        change = HOLDS.update()
        connection.execute(change.where(HOLDS.c.id == "dead").values(started="another start"))
        connection.execute(change.where(HOLDS.c.id == "far").values(host="another machine", pid=1))
        assert {row.id for row in held(connection, now=50, simulated=False)} == {"mine", "far"}
        assert {row.id for row in held(connection, now=50, simulated=False, but="mine")} == {"far"}
        sweep(connection, 50)
        assert set(connection.execute(sa.select(HOLDS.c.id)).scalars()) == {"mine", "far"}


def test_this_process_is_alive_and_an_unused_pid_is_not() -> None:
    me = Holder.current()
    assert holder_alive(me)
    child = os.fork() if hasattr(os, "fork") else None
    if child == 0:
        os._exit(0)
    if child is not None:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # a zombie: it has ended, and its pid is still listed
        assert not holder_alive(dataclasses.replace(me, pid=child, started=""))
        os.waitpid(child, 0)
        assert not holder_alive(dataclasses.replace(me, pid=child, started=""))


# -- the state database below it


def test_threads_take_turns_on_a_database_in_memory() -> None:
    engine = open_state(None)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for number in range(50):
                with writing(engine) as connection:
                    record(connection, at=number, kind="deduct", cost=1, **OWNER)
                with reading(engine) as connection:
                    spent(connection, simulated=False)
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with reading(engine) as connection:
        assert spent(connection, simulated=False) == 200


def test_many_kernels_can_open_a_new_database_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            start.wait()
            open_state(tmp_path / "new" / "state.db").dispose()
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize("name", ["what?.db", "50%41.db", "a b#c.db", "Größe.db"])
def test_the_path_is_taken_literally(tmp_path: Path, name: str) -> None:
    open_state(tmp_path / name).dispose()
    assert (tmp_path / name).exists()


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"state\.db.*not a database") as caught:
        open_state(tmp_path / "state.db")
    assert "move it away" in caught.value.remedy


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        open_state(tmp_path / "file" / "state.db")


@pytest.mark.parametrize(
    "url", ["sqlite://user:hunter2@/state.db", "nosuchthing://user:hunter2@host/db", "sqlite:///{}/none/state.db"]
)
def test_an_unusable_url_is_reported_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_state(url.format(tmp_path))
    assert "hunter2" not in str(caught.value)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    engine = open_state(tmp_path / "state.db")
    with pytest.raises(KeyError), writing(engine) as connection:
        record(connection, at=1, kind="deduct", cost=1, **OWNER)
        raise KeyError
    with reading(engine) as connection:
        assert connection.execute(LEDGER.select()).all() == []


def test_a_broken_constraint_is_the_callers_affair() -> None:
    engine = open_state(None)
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        connection.execute(LEDGER.insert().values(id=1))


def test_a_missing_table_is_a_store_error() -> None:
    engine = open_state(None)
    with writing(engine) as connection:
        METADATA.drop_all(connection)
    with pytest.raises(StoreError, match="cannot be read"), reading(engine) as connection:
        spent(connection, simulated=False)


# -- the file writing below it


def test_atomic_write_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.md"
    atomic_write(path, b"one\r\n")
    atomic_write(path, b"two\n")
    assert path.read_bytes() == b"two\n"
    assert os.listdir(path.parent) == ["a.md"]


def test_exclusive_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    atomic_write(path, b"one", exclusive=True)
    with pytest.raises(FileExistsError):
        atomic_write(path, b"two", exclusive=True)
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["a.md"]


def test_what_cannot_be_written_is_reported_and_leaves_no_rubbish(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="folder"):
        atomic_write(tmp_path / "folder", b"x")
    assert os.listdir(tmp_path) == ["folder"]
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        atomic_write(tmp_path / "file" / "a.md", b"x")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_files_have_ordinary_permissions_and_keep_their_own(tmp_path: Path) -> None:
    path, plain = tmp_path / "a.md", tmp_path / "plain"
    atomic_write(path, b"one")
    plain.write_bytes(b"")
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    atomic_write(path, b"two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_an_interrupt_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "a.md", b"x")
    assert os.listdir(tmp_path) == []
