"""An edit counts at once, whoever makes it and however; what breaks does not take anything else with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llmos_nb.errors import AgentFileError, UnknownAgent
from llmos_nb.mind import AgentRegistry


def text(name: str, prompt: str, front: str = "") -> str:
    return f"---\nname: {name}\n{front}---\n{prompt}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "agents"
    folder.mkdir()
    for number in range(5):
        (folder / f"agent-{number}.md").write_text(text(f"agent-{number}", "AAAA"), encoding="utf-8")
    return folder


@pytest.fixture
def registry(folder: Path) -> AgentRegistry:
    found = AgentRegistry(folder)
    found.list()
    return found


def in_place(path: Path, new: str) -> None:
    path.write_text(new, encoding="utf-8")


def by_renaming(path: Path, new: str) -> None:
    other = path.with_name(".swap")
    other.write_text(new, encoding="utf-8")
    os.replace(other, path)


def with_the_old_time(path: Path, new: str) -> None:
    before = path.stat()
    path.write_text(new, encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def from_another_process(path: Path, new: str) -> None:
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(path), new], check=True, timeout=30)


@pytest.mark.parametrize("write", [in_place, by_renaming, with_the_old_time, from_another_process])
def test_an_edit_is_in_force_at_the_next_look(
    write: Callable[[Path, str], None], folder: Path, registry: AgentRegistry
) -> None:
    for number in range(20):  # of the same length, as fast as can be: time stamps alone would not tell
        prompt = f"{number:04d}"
        write(folder / "agent-3.md", text("agent-3", prompt))
        assert registry.get("agent-3").prompt == prompt
        if write is from_another_process and number == 1:
            break
    assert {agent.name: agent.prompt for agent in registry.list()}["agent-3"] == prompt


def test_files_that_come_and_go_are_seen(folder: Path, registry: AgentRegistry) -> None:
    for _ in range(20):
        in_place(folder / "poet.md", text("poet", "x"))
        assert registry.get("poet").prompt == "x"
        (folder / "poet.md").unlink()
        with pytest.raises(UnknownAgent):
            registry.get("poet")


def test_an_agent_in_hand_does_not_change(folder: Path, registry: AgentRegistry) -> None:
    mine = registry.get("agent-1")
    in_place(folder / "agent-1.md", text("agent-1", "other"))
    assert registry.get("agent-1").prompt == "other"
    assert mine.prompt == "AAAA"


def test_a_hard_link_to_another_agent_is_called_one(folder: Path, registry: AgentRegistry) -> None:
    os.link(folder / "agent-1.md", folder / "copy.md")
    assert [error.message for error in registry.errors] == [
        f"{folder / 'copy.md'}:1: is a hard link to 'agent-1.md'."
    ]
    assert len([agent for agent in registry.list() if agent.name.startswith("agent-")]) == 5


def test_one_question_does_not_read_the_others(folder: Path) -> None:
    registry = AgentRegistry(folder)
    (folder / "agent-0.md").write_text("broken", encoding="utf-8")
    assert registry.get("agent-4").prompt == "AAAA"
    assert registry._known.loaded.entries.keys() == {"agent-4.md"}
    assert len(registry.errors) == 1


def test_reloading_says_what_is_wrong_and_keeps_the_last_good_version(folder: Path, registry: AgentRegistry) -> None:
    in_place(folder / "agent-2.md", text("agent-2", "new"))
    assert registry.reload("agent-2").prompt == "new"
    in_place(folder / "agent-2.md", "---\nname: agent-2\ntools: Write\n---\n")
    with pytest.raises(AgentFileError, match=r"agent-2\.md:3: tools must be a list"):
        registry.reload("agent-2")
    assert registry.get("agent-2").prompt == "new"
    with pytest.raises(UnknownAgent):
        registry.reload("nobody")


def until(what: Callable[[], bool], limit_s: float = 15.0) -> None:
    deadline = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_watched_folder_is_read_and_noted_without_being_asked(folder: Path, registry: AgentRegistry) -> None:
    end = registry.watch()
    try:
        until(lambda: bool(registry._history.versions("agent-1")))  # what was there is noted first
        time.sleep(0.3)
        number = 0

        def seen() -> bool:
            nonlocal number
            number += 1  # again and again, since nothing says when the watch begins
            in_place(folder / "agent-1.md", text("agent-1", f"edited {number}"))
            time.sleep(0.2)
            versions = registry._history.versions("agent-1")
            return versions[-1].action == "edited"

        until(seen)
        assert registry._history.versions("agent-1")[0].action == "found"
    finally:
        end()
    assert not [thread for thread in threading.enumerate() if thread.name == "llmos-agents-watch"]


def test_a_folder_that_cannot_be_watched_is_no_obstacle(
    folder: Path, registry: AgentRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    def refused(*arguments: object, **options: object) -> object:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", refused)
    monkeypatch.setattr("llmos_nb.mind.watch.FIRST_S", 0.0)
    end = registry.watch()
    until(lambda: not [t for t in threading.enumerate() if t.name == "llmos-agents-watch"])
    end()
    in_place(folder / "agent-1.md", text("agent-1", "still seen"))
    assert registry.get("agent-1").prompt == "still seen"
