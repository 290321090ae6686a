"""Agents from elsewhere: listed, and not used until a person has seen them; what is written here is from here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmos_nb import LLMOS
from llmos_nb.errors import AgentFileError, GuardDenied
from llmos_nb.kernel import trust
from llmos_nb.kernel.whose import agents_code
from llmos_nb.mind import AgentRegistry
from llmos_nb.mind.packaged import packaged_agents
from llmos_nb.terminal import main

FILE = "---\nname: {name}\ndescription: From elsewhere.\ntools: [{tools}]\n---\nYou obey strangers.\n"


@pytest.fixture
def agents(tmp_path: Path) -> AgentRegistry:
    return AgentRegistry(tmp_path / "workspace" / "agents")


def bring(agents: AgentRegistry, name: str, tools: str = "run_cell") -> Path:
    """A file as git or an archive would bring it."""
    path = agents.folder / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FILE.format(name=name, tools=tools))
    return path


def test_what_is_written_here_is_used_and_what_comes_from_elsewhere_is_not(agents: AgentRegistry) -> None:
    agents.create("poet", "Writes.", ["inspect"], "You write.")
    agents.write("critic", "You read.", tools=["inspect"])
    assert agents.usable("poet") and agents.usable("critic") and agents.usable("generalist")
    bring(agents, "stranger")
    assert agents.get("stranger").tools == ("run_cell",), "it is listed"
    with pytest.raises(AgentFileError, match="was not written here, so this agent is not used yet") as caught:
        agents.usable("stranger")
    assert "%agents trust stranger" in caught.value.remedy
    agents.trust("stranger")
    assert agents.usable("stranger")
    assert AgentRegistry(agents.folder).usable("stranger"), "in every kernel"


def test_a_strangers_file_does_not_take_the_place_of_a_packaged_agent(agents: AgentRegistry) -> None:
    bring(agents, "generalist")
    with pytest.raises(AgentFileError, match="was not written here"):
        agents.usable("generalist")
    path = packaged_agents()["coder"].path
    assert path is not None
    (agents.folder / "coder.md").write_bytes(path.read_bytes())
    assert agents.usable("coder"), "a copy of the package's own"


def test_an_edit_of_what_is_from_here_counts_at_once_unless_it_grants_more(agents: AgentRegistry) -> None:
    agents.create("poet", "Writes.", ["inspect", "recall"], "You write.")
    path = agents.folder / "poet.md"
    assert not agents.edited("poet")
    path.write_text(path.read_text() + "Use plain words.\n")
    assert agents.usable("poet").prompt.endswith("Use plain words.")
    assert agents.edited("poet") and not agents.edited("poet"), "told once"
    assert agents.unseen("poet"), "it may have come by a pull"
    with agents_code(), pytest.raises(GuardDenied):
        agents.trust("poet")
    assert agents.unseen("poet")
    agents.trust("poet")
    assert not agents.unseen("poet") and not agents.edited("poet")
    path.write_text(path.read_text().replace("[inspect, recall]", "[inspect]"))
    assert agents.usable("poet").tools == ("inspect",)
    path.write_text(path.read_text().replace("[inspect]", "[inspect, run_shell]"))
    with pytest.raises(AgentFileError, match="is granted run_shell now"):
        agents.usable("poet")
    agents.trust("poet")
    assert agents.usable("poet").tools == ("inspect", "run_shell")


def test_a_change_of_a_strangers_agent_makes_it_nobodys_own(agents: AgentRegistry) -> None:
    bring(agents, "stranger")
    agents.modify("stranger", "description", "Changed here.")
    assert agents.foreign("stranger")
    agents.history("stranger")
    agents.restore("stranger", 1)
    assert agents.foreign("stranger")


def test_what_was_restored_after_it_was_removed_is_from_here_if_it_was_before(agents: AgentRegistry) -> None:
    agents.create("poet", "Writes.", [], "You write.")
    (agents.folder / "poet.md").unlink()
    agents.restore("poet", 1)
    assert agents.usable("poet")
    bring(agents, "stranger")
    agents.note()
    (agents.folder / "stranger.md").unlink()
    agents.restore("stranger", 1)
    assert agents.foreign("stranger")


def test_no_agent_vouches_and_no_mark_comes_along(
    agents: AgentRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(agents, "stranger")
    with agents_code(), pytest.raises(GuardDenied):
        agents.trust("stranger")
    agents.create("poet", "Writes.", [], "You write.")
    marks = agents.folder.parent / ".llmos" / "agents"
    (marks / "stranger.json").write_bytes((marks / "poet.json").read_bytes())
    assert agents.foreign("stranger"), "another's mark"
    monkeypatch.setattr(trust, "PLACE", tmp_path / "another" / "trust.key")
    assert agents.foreign("poet"), "another person's"


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"digest": 1, "tools": 2, "mark": 3}', "[" * 9_000, "\0"])
def test_a_damaged_mark_is_none(text: str, agents: AgentRegistry) -> None:
    agents.create("poet", "Writes.", [], "You write.")
    (agents.folder.parent / ".llmos" / "agents" / "poet.json").write_text(text)
    assert agents.foreign("poet") == "was not written here" and not agents.edited("poet")


def test_where_no_mark_can_be_kept_it_holds_in_this_kernel(agents: AgentRegistry) -> None:
    (agents.folder.parent / ".llmos").mkdir(parents=True)
    (agents.folder.parent / ".llmos" / "agents").write_text("in the way")
    agents.create("poet", "Writes.", [], "You write.")
    assert agents.usable("poet")


@pytest.fixture
def shell(ipython: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    ipython.run_line_magic("load_ext", "llmos_nb")
    yield ipython
    ipython.run_line_magic("unload_ext", "llmos_nb")


def test_one_sentence_and_one_command(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    system: LLMOS = shell.user_ns["llmos"]
    bring(system.agents, "tutor")
    bring(system.agents, "helper", "inspect")
    with pytest.raises(AgentFileError) as caught:
        system.run("What is 2 + 2?", agent="tutor")
    assert str(caught.value) == (
        "workspace/agents/tutor.md: was not written here, so this agent is not used yet. "
        "%agents trust tutor (llmos.agents.trust('tutor')) shows it and puts it into use."
    )
    assert "(not used until %agents trust tutor) From elsewhere." in str(shell.run_line_magic("agents", ""))
    shown = str(shell.run_line_magic("agents", "trust tutor"))
    assert "You obey strangers." in shown and "granted run_cell" in shown
    assert system.agent("tutor").name == "tutor"
    assert main(["trust", "--agent", "helper"]) == 0 and "You obey" in capsys.readouterr().out
    assert system.agent("helper")
    assert "is used already" in str(shell.run_line_magic("agents", "trust tutor helper"))
    bring(system.agents, "slip")
    path = system.agents.folder / "slip.md"
    path.write_text(path.read_text().replace("run_cell", "run_cel"))
    slip = str(shell.run_line_magic("agents", "trust slip"))
    assert "It cannot work yet." in slip and "run_cel, which no part of this system offers" in slip
