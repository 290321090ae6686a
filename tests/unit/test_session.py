from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.errors import SettingsError, StoreError
from llmos_nb.kernel.events import EventBus, Notice, RunEnded, RunStarted, TextDelta, ToolStarted
from llmos_nb.memory.session import TEXT_LIMIT, SessionLog, new_session_id, read_events


def notice(text: str) -> Notice:
    return Notice(run_id="r", at=1.0, text=text)


def tool(arguments: dict[Any, Any]) -> ToolStarted:
    return ToolStarted(run_id="r", step=1, tool="t", arguments=arguments)


def texts(folder: Path, errors: list[StoreError] | None = None) -> list[str]:
    return [event["text"] for event in read_events(folder, errors)]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    log = SessionLog(tmp_path, "s1")
    log(notice("Grüße \n\u2028 😀"))
    assert list(read_events(tmp_path)) == [
        {
            "event": "Notice", "run_id": "r", "at": 1.0, "text": "Grüße \n\u2028 😀", "session_id": "s1",
            "where": f"{log.path}:1",
        }
    ]  # fmt: skip


def test_nothing_is_made_before_the_first_event_and_streaming_text_is_left_out(tmp_path: Path) -> None:
    log = SessionLog(tmp_path / "sessions")
    log(TextDelta(run_id="r", text="piece"))
    assert not (tmp_path / "sessions").exists()
    assert list(read_events(tmp_path / "sessions")) == []
    log(notice("a"))
    assert texts(tmp_path / "sessions") == ["a"]


def test_it_is_a_subscriber(tmp_path: Path) -> None:
    bus, log = EventBus(), SessionLog(tmp_path)
    bus.subscribe(log, name="session log")
    for number in range(100):
        bus.publish(notice(str(number)))
    assert bus.flush(10)
    assert bus.problems == {}
    assert texts(tmp_path) == [str(number) for number in range(100)]


def test_the_end_of_a_run_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    monkeypatch.setattr("llmos_nb.memory.session.sync_folder", lambda folder: synced.append(-1))
    log = SessionLog(tmp_path)
    log(notice("a"))
    assert synced == []
    log(
        RunEnded(
            run_id="r",
            status="success",
            mode="learner",
            reason="",
            text="",
            cost_usd=None,
            saved_usd=0.0,
            duration_s=1,
        )
    )
    assert len(synced) == 2 and synced[1] == -1  # the file, then its name


@pytest.mark.skipif(os.name == "nt", reason="Windows does not delete a file that is open")
def test_a_log_that_was_deleted_is_begun_anew_with_the_next_run(tmp_path: Path) -> None:
    log = SessionLog(tmp_path / "memory" / "sessions")
    log(notice("a"))
    shutil.rmtree(tmp_path / "memory")
    log(RunStarted(run_id="r2", goal="again", agent="a", endpoint="scripted"))
    log(notice("b"))
    assert [event["event"] for event in read_events(tmp_path / "memory" / "sessions")] == ["RunStarted", "Notice"]


def test_session_ids() -> None:
    assert len({new_session_id() for _ in range(50)}) > 1
    stamp, clock, tail = new_session_id().split("-")
    assert (len(stamp), len(clock), len(tail)) == (8, 6, 4)


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "a\n", "x" * 200])
def test_a_session_id_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="session id"):
        SessionLog(tmp_path, name)


class Rude:
    def __repr__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Path("a"), repr(Path("a"))),
        ({1, 2}, "{1, 2}"),
        (b"x", "b'x'"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1j, "1j"),
        ((1, (2,)), [1, [2]]),
        ({1: 2, None: 3, (1, 2): 4}, {"1": 2, "None": 3, "(1, 2)": 4}),
        (10**30, hex(10**30)),
        ("\ud800x", "?x"),
        (Rude(), "<Rude whose repr raised ValueError>"),
        (True, True),
        (None, None),
    ],
)
def test_values_that_are_not_json_become_text(tmp_path: Path, value: Any, kept: Any) -> None:
    log = SessionLog(tmp_path)
    log(tool({"value": value}))
    line = log.path.read_text(encoding="utf-8")
    assert json.loads(line, parse_constant=pytest.fail)["arguments"]["value"] == kept


def test_values_without_end_are_kept_up_to_a_depth(tmp_path: Path) -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    SessionLog(tmp_path)(tool({"endless": endless, "deep": deep}))
    (event,) = read_events(tmp_path)
    assert event["arguments"]["endless"]["again"]["again"]


def test_a_very_long_text_is_cut_with_a_note(tmp_path: Path) -> None:
    log = SessionLog(tmp_path)
    log(notice("x" * TEXT_LIMIT))
    log(notice("y" * 250_000))
    whole, cut = texts(tmp_path)
    assert whole == "x" * TEXT_LIMIT
    assert cut == "y" * TEXT_LIMIT + " [cut: 100,000 of 250,000 characters kept]"


def test_a_torn_last_line_is_skipped(tmp_path: Path) -> None:
    log = SessionLog(tmp_path)
    log(notice("a"))
    log(notice("b"))
    log.path.write_bytes(log.path.read_bytes()[:-5])
    assert texts(tmp_path) == ["a"]


def test_a_log_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    log = SessionLog(tmp_path, "s")
    log(notice("a"))
    log.close()
    with log.path.open("ab") as file:
        file.write(b'{"event": "No')
    again = SessionLog(tmp_path, "s")
    again(notice("b"))
    errors: list[StoreError] = []
    assert texts(tmp_path, errors) == ["a", "b"]
    assert [error.message.partition(": ")[0] for error in errors] == [f"{log.path}:2"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"[1]", "object"),
        (b'{"event": 1, "run_id": "r", "at": 1}', "event must be text"),
        (b'{"event": "Notice", "at": 1}', "run_id must be text, got None"),
        (b'{"event": "Notice", "run_id": "r", "at": "now"}', "at must be"),
        (b'{"event": "Notice", "run_id": "r", "at": NaN}', "at must be"),
        (b'{"event": "Notice", "run_id": "r", "at": 1e300}', "at must be"),
        (b'{"event": "Notice", "run_id": "r", "at": true}', "at must be"),
    ],
)
def test_a_bad_line_is_reported_with_its_place(tmp_path: Path, line: bytes, reason: str) -> None:
    log = SessionLog(tmp_path, "s")
    log(notice("a"))
    log.close()
    with log.path.open("ab") as file:
        file.write(line + b"\n\n")
    SessionLog(tmp_path, "s")(notice("b"))
    errors: list[StoreError] = []
    assert texts(tmp_path, errors) == ["a", "b"]
    (error,) = errors
    assert error.message.startswith(f"{log.path}:2: ")
    assert reason in error.message
    assert len(error.message) < 1000
    with pytest.raises(StoreError, match=":2: "):
        list(read_events(tmp_path))


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    SessionLog(tmp_path, "b")(notice("b"))
    errors: list[StoreError] = []
    assert texts(tmp_path, errors) == ["b"]
    assert "a.jsonl: cannot be read" in errors[0].message


def test_sessions_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    SessionLog(tmp_path, "20261122-074104-0000")(notice("later"))
    SessionLog(tmp_path, "20261122-074103-ffff")(notice("earlier"))
    assert texts(tmp_path) == ["earlier", "later"]


def test_half_a_line_on_a_full_disk_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = SessionLog(tmp_path)
    log(notice("a"))
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    with pytest.raises(StoreError, match="cannot be written"):
        log(notice("b"))
    monkeypatch.setattr(os, "write", write)
    log(notice("c"))
    assert texts(tmp_path) == ["a", "c"]


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=os.strerror(errno.EEXIST)):
        SessionLog(tmp_path / "file")(notice("a"))
