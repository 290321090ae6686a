"""Which trace files came, changed and went since the last look, in folders of few files and of many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmos_nb.memory import shelf as module
from llmos_nb.memory.shelf import Shelf


@pytest.mark.parametrize("many", [0, 3, 4096])
def test_what_came_changed_and_went_is_told(tmp_path: Path, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MANY", many)
    folder = tmp_path / "2026-11"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.md").write_text("a")
    (folder / "README.md").write_text("no trace")
    shelf = Shelf(tmp_path)
    assert shelf.scan().keys() == {f"2026-11/{number}.md" for number in range(9)}
    own = folder / "own.md"
    own.write_text("mine")
    shelf.wrote("2026-11/own.md", (own.stat().st_mtime_ns, 4))
    (folder / "3.md").unlink()
    (folder / "näher.md").write_text("b")
    (tmp_path / "new.md").write_text("c")
    new, gone = shelf.changes()
    assert (sorted(new), gone) == (["2026-11/näher.md", "new.md"], ["2026-11/3.md"])
    assert new["new.md"] == ((tmp_path / "new.md").stat().st_mtime_ns, 1)
    assert shelf.changes() == ({}, [])
    (tmp_path / "other").write_text("replaced")
    os.replace(tmp_path / "other", folder / "5.md")
    new, gone = shelf.changes()
    assert (list(new), gone) == (["2026-11/5.md"], [])
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    new, gone = shelf.changes()
    assert not new and len(gone) == 10
