"""What was judged is what is opened: no link that comes in between leads anywhere else."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from swapping import swapping

from llmos_nb import LLMOS
from llmos_nb.errors import GuardDenied, LlmosError, StoreError
from llmos_nb.guard import paths
from llmos_nb.guard.confine import confined, read_judged, write_judged
from llmos_nb.guard.paths import zone_of
from llmos_nb.guard.undo import Undo
from llmos_nb.memory import Trace, TraceStore
from llmos_nb.mind import AgentRegistry
from llmos_nb.tools.files import EDIT_FILE, READ_FILE, WRITE_FILE
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult

#: Swaps of a folder with a link while files are written into it; tests/bench/bench_python_guard.py makes 10,000.
SWAPS = 1_000


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nb/workspace").mkdir(parents=True)
    (tmp_path / "nb/d").mkdir()
    (tmp_path / "outside").mkdir()
    monkeypatch.chdir(tmp_path / "nb")
    return tmp_path


def context(base: Path) -> ToolContext:
    return ToolContext(
        namespace=PlainNamespace(),
        workspace=base / "nb/workspace",
        cwd=base / "nb",
        undo=Undo(),
        stopping=threading.Event(),
    )


def call(tool: Tool, base: Path, **arguments: object) -> ToolResult:
    return asyncio.run(tool.run(context(base), arguments))


def where(path: str, base: Path) -> Path:
    return confined(path, "write", workspace=base / "nb/workspace", cwd=base / "nb")


@pytest.mark.parametrize(
    "path", ["../outside/x", "d/../../outside/x", "link/x", "~/x", "/etc/x", "workspace/agents/x.md", "a\0b", ""]
)
def test_a_path_that_leads_out_is_refused(path: str, base: Path) -> None:
    os.symlink(base / "outside", "link")
    with pytest.raises(GuardDenied):
        where(path, base)


def test_files_are_written_and_read_as_ever(base: Path) -> None:
    real = where("d/new/deep/x.txt", base)
    write_judged(real, b"one")
    write_judged(real, b"two")
    assert read_judged(real, 100) == b"two" and real.read_bytes() == b"two"
    assert [path.name for path in real.parent.iterdir()] == ["x.txt"]


def test_rights_stay_and_a_link_inside_is_written_through(base: Path) -> None:
    Path("d/x.txt").write_text("x")
    os.chmod("d/x.txt", 0o640)
    os.symlink("d", "inner")
    assert call(WRITE_FILE, base, path="inner/x.txt", content="y").error == ""
    assert Path("d/x.txt").read_text() == "y" and Path("d/x.txt").stat().st_mode & 0o777 == 0o640
    assert Path("inner").is_symlink()


@pytest.mark.parametrize("late", ["folder", "file"])
def test_what_became_a_link_is_not_followed(late: str, base: Path) -> None:
    (base / "outside/x.txt").write_text("theirs")
    Path("d/x.txt").write_text("mine")
    real = where("d/x.txt", base)
    if late == "folder":
        os.rename("d", "d2")
        os.symlink(base / "outside", "d")
        with pytest.raises(GuardDenied, match="became a link"):
            write_judged(real, b"changed")
    else:
        os.remove("d/x.txt")
        os.symlink(base / "outside/x.txt", "d/x.txt")
    with pytest.raises(GuardDenied, match="became a link"):
        read_judged(real, 100)
    if late == "file":
        write_judged(real, b"changed")  # in place of the link
        assert real.read_bytes() == b"changed"
    assert (base / "outside/x.txt").read_text() == "theirs"


def test_what_cannot_be_written_is_said(base: Path) -> None:
    Path("file").write_text("x")
    with pytest.raises(StoreError, match="Not a directory"):
        write_judged(where("file/x.txt", base), b"x")
    with pytest.raises(OSError, match="not a file"):
        read_judged(where("d/../d", base), 10)


def swapped(base: Path, times: int, work: Callable[[], None]) -> int:
    """Call ``work`` again and again while a thread swaps the folder ``d`` with a link that leads out; returns how often."""
    count = 0
    with swapping(times, base / "outside") as over:
        while not over.is_set():
            work()
            count += 1
    return count


def test_no_race_gets_a_file_out(base: Path) -> None:
    Path("d/x.txt").write_text("mine")
    (base / "outside/secret.txt").write_text("theirs")
    seen: list[ToolResult] = []

    def work() -> None:
        for tool, arguments in (
            (WRITE_FILE, {"path": "d/y.txt", "content": "y"}),
            (EDIT_FILE, {"path": "d/x.txt", "old": "mine", "new": "mine"}),
            (READ_FILE, {"path": "d/x.txt"}),
        ):
            try:
                seen.append(call(tool, base, **arguments))
            except (LlmosError, OSError):
                continue

    assert swapped(base, SWAPS, work) and any(result.status == "ok" for result in seen)
    assert sorted(path.name for path in (base / "outside").iterdir()) == ["secret.txt"]
    assert (base / "outside/secret.txt").read_text() == "theirs"


NAMES = [
    "../evil",
    "../../outside/evil",
    "/tmp/../evil",
    "a/../../evil",
    "..",
    ".",
    "",
    "a\0b",
    "evil/../../x",
    "~/evil",
    "x" * 300,
]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_anything_is_a_path_out(name: str, base: Path) -> None:
    """Agents, projects, traces, jobs and sessions are asked for by names that may come from anywhere."""
    agents = AgentRegistry(base / "nb/workspace/agents")
    with LLMOS("workspace") as system, TraceStore(base / "nb/workspace/memory/traces") as store:
        before = {path for path in base.rglob("*") if "nb/workspace" not in str(path)}
        for ask in (
            lambda: agents.create(name, "", [], "Hello."),
            lambda: agents.get(name),
            lambda: agents.history(name),
            lambda: system.projects.create(name),
            lambda: system.projects.get(name),
            lambda: store.get(name),
            lambda: store.add(Trace(goal="x", id=name)),
            lambda: system.trust(name),
        ):
            with pytest.raises((LlmosError, KeyError, ValueError, AttributeError, TypeError)):
                ask()
                raise LlmosError("it was taken, and what matters is where it went")
        assert {path for path in base.rglob("*") if "nb/workspace" not in str(path)} == before


@pytest.mark.parametrize("name", ["llmos.toml.", "agents /poet.md", ".llmos. /state.db"])
def test_where_names_are_compared_without_their_end_so_are_the_guarded_ones(
    name: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = base / "nb/workspace"
    assert zone_of(workspace / name, workspace=workspace, roots=(workspace,)) == "inside"
    assert zone_of(workspace / "LLMOS.toml", workspace=workspace, roots=(workspace,)) == "guarded"
    monkeypatch.setattr(paths, "FOLDING", True)
    assert zone_of(workspace / name, workspace=workspace, roots=(workspace,)) == "guarded"
    assert zone_of(workspace / "Notes.md", workspace=workspace, roots=(workspace,)) == "inside"
