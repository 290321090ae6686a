"""What a kill or a power cut leaves: synced names, leftovers that are swept, locks that a dead process held."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmos_nb.errors import ProjectError, StoreError
from llmos_nb.kernel.budget import ModelCall, TokenEconomy, Tokens
from llmos_nb.kernel.files import append_line, atomic_write, sweep_temporaries
from llmos_nb.kernel.ledger import CUT_OFF
from llmos_nb.kernel.leftovers import sweep_workspace
from llmos_nb.kernel.state import open_state
from llmos_nb.mind.history import AgentHistory
from llmos_nb.projects.variables import keep_variables

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name == "nt", reason="folders cannot be synced there")


class Watched:
    """The calls that bring something onto the disk, in their order, by the name of what they were about."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        fsync, replace, link = os.fsync, os.replace, os.link

        def synced(descriptor: int) -> None:
            self.calls.append(("fsync", os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))))
            fsync(descriptor)

        def replaced(one: Path, other: Path) -> None:
            self.calls.append(("replace", Path(other).name))
            replace(one, other)

        def linked(one: Path, other: Path) -> None:
            self.calls.append(("link", Path(other).name))
            link(one, other)

        patch.setattr(os, "fsync", synced)
        patch.setattr(os, "replace", replaced)
        patch.setattr(os, "link", linked)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
@pytest.mark.parametrize(("exclusive", "act"), [(False, "replace"), (True, "link")])
def test_content_is_synced_before_its_name_and_the_name_before_the_call_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exclusive: bool, act: str
) -> None:
    watched = Watched(monkeypatch)
    atomic_write(tmp_path / "new" / "deep" / "a.md", b"x", exclusive=exclusive)
    kinds = [kind for kind, _ in watched.calls]
    assert kinds == ["fsync", "fsync", "fsync", act, "fsync"]
    assert [name for _, name in watched.calls[:2]] == [tmp_path.name, "new"]  # the folders that were made
    assert watched.calls[2][1].endswith(".tmp") and watched.calls[3:] == [(act, "a.md"), ("fsync", "deep")]


def test_a_disk_that_cannot_sync_the_folder_is_told_as_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def failing(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StoreError, match="Input/output error"):
        atomic_write(tmp_path / "a.md", b"x")


@posix
def test_leftovers_of_dead_writers_are_swept_and_nothing_else(tmp_path: Path) -> None:
    import fcntl

    traces = tmp_path / "memory" / "traces" / "2026-11"
    traces.mkdir(parents=True)
    dead, young, written = (traces / f".a.md.{letter * 16}.tmp" for letter in "abc")
    others = [traces / "a.md", traces / ".a.md.swp", traces / ".b.tmp", tmp_path / f".a.md.{'a' * 16}.tmp"]
    for path in (dead, young, written, *others):
        path.write_text("x")
    old = time.time() - 600
    for path in (dead, written, *others):
        os.utime(path, (old, old))
    with written.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep_workspace(tmp_path).join()
        assert not dead.exists() and young.exists() and written.exists()
    assert all(path.exists() for path in others)
    assert sweep_temporaries(traces) == 1  # its writer is gone
    assert sweep_temporaries(tmp_path / "none") == 0


def test_a_line_is_added_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lines"
    append_line(path, b"one")
    with path.open("ab") as file:
        file.write(b"to")  # a kill tore it
    append_line(path, b"three")
    assert path.read_bytes() == b"one\nto\nthree\n"
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    with pytest.raises(OSError, match="only part"):
        append_line(path, b"four")
    assert path.read_bytes() == b"one\nto\nthree\n"


# -- the history of agents


@pytest.mark.parametrize("where", ["refs/heads/main.lock", "object"])
def test_a_lock_that_a_killed_kernel_left_in_the_history_costs_no_version(tmp_path: Path, where: str) -> None:
    from dulwich.objects import Blob

    history = AgentHistory(tmp_path / "agents.git")
    assert history.record({"poet": b"one"}, "created")
    if where == "object":
        name = Blob.from_string(b"two").id.decode()
        where = f"objects/{name[:2]}/{name[2:]}.lock"
    lock = tmp_path / "agents.git" / where
    lock.parent.mkdir(exist_ok=True)
    lock.write_bytes(b"")
    again = AgentHistory(tmp_path / "agents.git")
    assert again.record({"poet": b"two"}, "changed") and not again.problem
    assert [version.number for version in again.versions("poet")] == [1, 2]
    assert again.text("poet", 2) == b"two" and os.listdir(tmp_path) == ["agents.git"]


# -- a model call whose process dies

CALLING = """
import os, signal, sys
from llmos_nb.kernel.budget import ModelCall, TokenEconomy, Tokens
from llmos_nb.kernel.state import open_state
economy = TokenEconomy(engine=open_state(sys.argv[1]), session_id="s")
held = economy.reserve(0.5, "Learn: x", run_id="r", project="whales")
held.begin(ModelCall(model=""))
held.begin(ModelCall(model="m", endpoint="e", tokens=Tokens(input=100), cost_usd=0.01, agent="a"))
held.begin(ModelCall(model="m", cost_usd=0.02, slot="helper"))
if sys.argv[2] == "booked":
    held.charge(ModelCall(model="m", endpoint="e", tokens=Tokens(input=100, output=9), cost_usd=0.03, agent="a"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
@pytest.mark.parametrize("when", ["under way", "booked"])
def test_a_call_that_a_kill_cut_off_is_in_the_ledger_once(tmp_path: Path, when: str) -> None:
    path = tmp_path / "state.db"
    subprocess.run([sys.executable, "-c", CALLING, str(path), when], cwd=ROOT, check=False)
    for _ in range(2):
        economy = TokenEconomy(engine=open_state(path))
        assert economy.reserved_usd == 0
        found = [(row["cost_usd"], row["description"], row["run_id"], row["project"]) for row in economy.ledger()]
        first = (0.03, "Learn: x", "r", "whales") if when == "booked" else (0.01, f"Learn: x{CUT_OFF}", "r", "whales")
        assert sorted(found) == sorted([first, (0.02, f"Learn: x{CUT_OFF}", "r", "whales")])


def test_a_call_under_way_waits_where_nobody_can_tell_whether_its_process_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    engine = open_state(tmp_path / "state.db")
    economy = TokenEconomy(engine=engine, clock=lambda: now[0])
    held = economy.reserve(0.5, "x", run_id="r", lease_s=10)
    held.begin(ModelCall(model="m", cost_usd=0.01))
    now[0] += 100  # the clock jumped, or it slept
    TokenEconomy(engine=engine, clock=lambda: now[0]).reserve(0.1, "y", run_id="other").settle()
    assert economy.ledger() == []
    held.charge(ModelCall(model="m", tokens=Tokens(input=1), cost_usd=0.04))
    held.settle()
    assert [row["cost_usd"] for row in economy.ledger()] == [0.04] and not held.exceeded


# -- versions of other files


def test_variables_of_a_newer_version_are_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "state" / "variables.json"
    path.parent.mkdir()
    text = '{"version": 2, "variables": {"x": {"type": "int", "form": "new"}}}'
    path.write_text(text)
    with pytest.raises(ProjectError, match="written by a newer llmos_nb"):
        keep_variables(path, {"y": 1}, ["y"])
    assert path.read_text() == text
