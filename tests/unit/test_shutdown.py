"""A kernel's end: quick, and with what a program left open written."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from llmos_nb.notebook.shutdown import let_go_quickly


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if "claude_agent_sdk" not in sys.modules:
        monkeypatch.setitem(sys.modules, "claude_agent_sdk", ModuleType("claude_agent_sdk"))
    yield
    gc.unfreeze()


def test_files_that_were_left_open_are_written(loaded: None, tmp_path: Path) -> None:
    text, data = (tmp_path / "a.txt").open("w"), (tmp_path / "b.bin").open("wb")
    closed, reading = (tmp_path / "c.txt").open("w"), Path(__file__).open()  # noqa: SIM115
    closed.close()
    text.write("kept")
    data.write(b"kept")
    let_go_quickly()
    assert (tmp_path / "a.txt").read_text() == "kept" and (tmp_path / "b.bin").read_bytes() == b"kept"
    assert gc.get_freeze_count() > 0, "Python does not look through all of it again"
    for file in (text, data, reading):
        file.close()


def test_nothing_is_done_where_no_client_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "claude_agent_sdk", raising=False)
    before = gc.get_freeze_count()
    let_go_quickly()
    assert gc.get_freeze_count() == before
