"""What code does to files is seen before it happens, and only what is the user's."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from llmos_nb.guard import snapshot
from llmos_nb.guard.effects import FileEffects, watching
from llmos_nb.guard.snapshot import Snapshot
from llmos_nb.guard.undo import Undo

Look = Callable[[Callable[[], object]], FileEffects]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "t.txt").write_text("t")
    return tmp_path


def written(code: Callable[[], object], folder: Path, undo: Undo | None = None) -> set[str]:
    effects = FileEffects((folder,), undo or Undo())
    with watching(effects):
        code()
        return {str(path.relative_to(folder)) for path in effects.written()}


def state(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


CHANGES: list[tuple[Callable[[], object], set[str]]] = [
    (lambda: Path("new.txt").write_text("n"), {"new.txt"}),
    (lambda: Path("a.txt").write_text("b"), {"a.txt"}),
    (lambda: open("a.txt", "a").close(), {"a.txt"}),
    (lambda: open("a.txt", "r+").close(), {"a.txt"}),
    (lambda: os.close(os.open("a.txt", os.O_RDWR)), {"a.txt"}),
    (lambda: os.remove("a.txt"), {"a.txt"}),
    (lambda: Path("a.txt").unlink(), {"a.txt"}),
    (lambda: os.rename("a.txt", "b.txt"), {"a.txt", "b.txt"}),
    (lambda: os.replace("a.txt", "tree/b.txt"), {"a.txt", "tree/b.txt"}),
    (lambda: shutil.copy("a.txt", "copy.txt"), {"copy.txt"}),
    (lambda: shutil.move("a.txt", "tree"), {"a.txt", "tree/a.txt"}),
    (lambda: os.truncate("a.txt", 0), {"a.txt"}),
    (lambda: os.chmod("a.txt", 0o600), {"a.txt"}),
    (lambda: os.symlink("a.txt", "link"), {"link"}),
    (lambda: os.link("a.txt", "hard"), {"hard"}),
    (lambda: shutil.rmtree("tree"), {"tree/sub/t.txt"}),
    (lambda: os.rename("tree", "moved"), {"tree/sub/t.txt", "moved/sub/t.txt"}),
    (lambda: os.makedirs("x/y/z"), set()),
    (lambda: sqlite3.connect("data.db").execute("create table t (x)").connection.close(), {"data.db"}),
    (lambda: subprocess.run(["sh", "-c", "echo b > a.txt; rm tree/sub/t.txt; mkdir d; echo n > d/n"]),
     {"a.txt", "tree/sub/t.txt", "d/n"}),
    (lambda: os.system("echo b > a.txt"), {"a.txt"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=range(len(CHANGES)))
def test_a_change_is_seen_and_can_be_put_back(change: Callable[[], object], expected: set[str], folder: Path) -> None:
    before = state(folder), {path for path in folder.rglob("*") if path.is_dir()}
    mode = os.stat("a.txt").st_mode
    undo = Undo()
    assert written(change, folder, undo) == expected
    assert undo.put_back({}) == []
    assert (state(folder), {path for path in folder.rglob("*") if path.is_dir()}) == before
    assert os.stat("a.txt").st_mode == mode
    assert not os.path.lexists("link")


def test_a_file_that_came_and_went_is_no_effect(folder: Path) -> None:
    def passing() -> None:
        Path(".x.tmp").write_text("n")
        os.replace(".x.tmp", "final.txt")

    assert written(passing, folder) == {"final.txt"}


def test_reads_are_seen_and_are_not_changes(folder: Path) -> None:
    effects = FileEffects((folder,), Undo())
    with watching(effects):
        Path("a.txt").read_text()
    assert effects.read == {folder / "a.txt"}
    assert effects.written() == set()


def test_removal_relative_to_an_open_folder_is_seen(folder: Path) -> None:
    def remove() -> None:
        descriptor = os.open("tree/sub", os.O_RDONLY)
        os.unlink("t.txt", dir_fd=descriptor)
        os.close(descriptor)

    assert written(remove, folder) == {"tree/sub/t.txt"}


def test_caches_packages_and_private_folders_are_nobodys_business(folder: Path) -> None:
    def work() -> None:
        for name in ("__pycache__", ".llmos", ".ipynb_checkpoints", "lib/site-packages"):
            Path(name).mkdir(parents=True)
            Path(name, "x").write_text("x")
        Path("/dev/null").write_text("x")
        Path(sysconfig.get_path("stdlib"), "os.py").read_text()

    effects = FileEffects((folder,), Undo())
    with watching(effects):
        work()
    assert effects.written() == set() and effects.read == set()


def test_the_users_folder_is_watched_though_it_is_on_the_import_path(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from llmos_nb.guard.effects import FileEffects, watching\nfrom llmos_nb.guard.undo import Undo\n"
        "effects = FileEffects((Path.cwd(),), Undo())\n"
        "with watching(effects): Path('a.txt').write_text('x')\n"
        "print([path.name for path in effects.written()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['a.txt']", done.stderr


def test_other_threads_are_not_watched(folder: Path) -> None:
    def work() -> None:
        thread = threading.Thread(target=Path("by-thread.txt").write_text, args=("x",))
        thread.start()
        thread.join()

    assert written(work, folder) == set()


def test_the_innermost_watch_notes_and_nothing_is_noted_afterwards(folder: Path) -> None:
    outer, inner = FileEffects((folder,), Undo()), FileEffects((folder,), Undo())
    with watching(outer):
        with watching(inner):
            Path("inner").write_text("x")
        Path("outer").write_text("x")
    Path("after").write_text("x")
    assert (inner.written(), outer.written()) == ({folder / "inner"}, {folder / "outer"})


def test_a_snapshot_names_what_it_could_not_copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ONE_LIMIT", 10)
    Path("large").write_bytes(b"x" * 11)
    before, undo = Snapshot.of((folder,)), Undo()
    Path("large").write_bytes(b"y" * 12)
    Path("a.txt").write_text("changed")
    assert {path.name for path in before.changes(undo)} == {"large", "a.txt"}
    failed = undo.put_back({})
    assert len(failed) == 1 and "large" in failed[0]
    assert Path("a.txt").read_text() == "a"


def test_a_folder_that_is_too_large_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "FILE_LIMIT", 2)
    before, undo = Snapshot.of((folder,)), Undo()
    assert not before.complete
    assert before.changes(undo) == []
    assert "more than 2 files" in undo.put_back({})[0]


def test_a_snapshot_looks_once_at_folders_that_lie_in_each_other(folder: Path) -> None:
    before, undo = Snapshot.of((folder / "tree", folder)), Undo()
    Path("tree/sub/t.txt").write_text("new")
    assert before.changes(undo) == [folder / "tree" / "sub" / "t.txt"]
