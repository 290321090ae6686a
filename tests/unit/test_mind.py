from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from llmos_nb.errors import AgentFileError, StoreError, UnknownAgent
from llmos_nb.mind import Agent, AgentRegistry, dump_agent, parse_agent
from llmos_nb.mind.packaged import packaged_agents
from llmos_nb.tools.pack_agents import pack_agents

POET = """---
name: haiku-poet
description: "Writes haikus: short, and about one thing."
tools: [run_cell, recall]
model: sonnet
colour: green
version: 3
created_at: 2026-11-22T07:41:03Z
created_by: user
---
You write haikus.

---
Five, seven, five.
"""
FOLDERS = Path(__file__).parents[2] / "workspace" / "agents"
PACKAGED = ["coder", "generalist", "researcher", "writer"]


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.md"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def agent(name: str, front: str = "", body: str = "Work.") -> str:
    return f"---\nname: {name}\n{front}\n---\n{body}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "agents"


@pytest.fixture
def registry(folder: Path) -> AgentRegistry:
    return AgentRegistry(folder)


# The file


def test_a_file_is_read() -> None:
    path = Path("agents/haiku-poet.md")
    assert parse_agent(POET, path) == Agent(
        name="haiku-poet",
        description="Writes haikus: short, and about one thing.",
        tools=("run_cell", "recall"),
        prompt="You write haikus.\n\n---\nFive, seven, five.",
        model="sonnet",
        version=3,
        created_at="2026-11-22T07:41:03Z",
        created_by="user",
        path=path,
        extra={"colour": "green"},
    )


def test_what_is_written_is_read_back_and_stays_the_same() -> None:
    poet = parse_agent(POET)
    text = dump_agent(poet)
    assert parse_agent(text) == poet
    assert dump_agent(parse_agent(text)) == text
    assert "created_at: 2026-11-22T07:41:03Z\n" in text


@pytest.mark.parametrize("text", ["\ufeff" + POET, POET.replace("\n", "\r\n"), POET.replace("---\n", "---  \n", 1)])
def test_byte_order_mark_line_ends_and_blanks_do_not_matter(text: str) -> None:
    assert parse_agent(text) == parse_agent(POET)


def test_without_tools_nothing_is_granted() -> None:
    assert parse_agent(agent("coder")).tools == ()


@pytest.mark.parametrize(
    ("line", "text", "what"),
    [
        (1, "", "front matter"),
        (1, "name: coder\n", "front matter"),
        (1, "\n---\nname: coder\n---\n", "front matter"),
        (1, "---\nname: coder\n", "not closed"),
        (2, "---\n---\n", "not a list"),
        (1, agent("coder", body="x" * 70_000), "more than 65536"),
        (3, "---\nname: coder\nx: \0\n---\n", "NUL"),
        (3, "---\nname: coder\nx: \ud800\n---\n", "UTF-8"),
        (1, "---\ntools: []\n---\n", "no name"),
        (2, agent("no"), "must be text"),
        (2, agent("Coder"), "not an agent name"),
        (2, agent("con"), "Windows"),
        (2, agent("poet"), "the file is 'coder.md'"),
        (3, agent("coder", "name: coder"), "twice"),
        (4, agent("coder", "x: 1\nz: {y: 1, y: 2}"), "twice"),
        (3, agent("coder", "tools: Write"), "tools must be a list, got 'Write'"),
        (3, agent("coder", "tools: ['*']"), "tool names"),
        (3, agent("coder", "tools: [Bash(rm *)]"), "tool names"),
        (3, agent("coder", "tools: [1]"), "tool names"),
        (3, agent("coder", "description: yes"), "must be text"),
        (3, agent("coder", "model: --settings"), "model"),
        (3, agent("coder", "version: 0"), "version"),
        (3, agent("coder", "version: true"), "version"),
        (3, agent("coder", "options: 3"), "mapping"),
        (3, agent("coder", "options: {permissionMode: x}"), "not for an agent file"),
        (3, agent("coder", "options: {can_use_tool: x}"), "not for an agent file"),
        (3, agent("coder", "permission-mode: x"), "not for an agent file"),
        (3, agent("coder", "mcpServers: {}"), "not for an agent file"),
        (3, agent("coder", "x: " + "[" * 400), "nested deeper"),
        (3, agent("coder", "x: &a 1"), "anchors"),
        (3, agent("coder", "x: *a"), "anchors"),
        (3, agent("coder", "x: !!python/name:os.system"), "tags"),
        (3, agent("coder", "x: !!binary aGk="), "tags"),
        (3, agent("coder", "<<: {a: 1}"), "plain text"),
        (3, agent("coder", "1: x"), "plain text"),
        (3, agent("coder", f"x: {'9' * 5000}"), "number"),
        (3, agent("coder", f"x: 1{':1' * 5000}"), "number"),
        (3, agent("coder", f"x: [{'1, ' * 1100}]"), "more than 1000"),
        (3, agent("coder", 'x: "a\\0"'), "NUL"),
        (4, agent("coder", "x: 'a"), "not YAML"),
        (3, agent("coder", "x: a: b"), "not YAML"),
        (2, agent("coder", "x: 0b_"), "not YAML"),
        (2, agent("coder", "x: \x1b[31m"), "not YAML"),
    ],
)
def test_a_bad_file_is_refused_with_path_line_and_reason(line: int, text: str, what: str) -> None:
    with pytest.raises(AgentFileError) as caught:
        parse_agent(text, Path("agents/coder.md"))
    assert caught.value.message.startswith(f"agents/coder.md:{line}: ".replace("/", os.sep))
    assert what in caught.value.message
    assert caught.value.remedy
    assert str(caught.value).isprintable()


def test_other_sdk_options_are_kept_for_the_sdk_to_check() -> None:
    assert parse_agent(agent("coder", "options: {max_turns: 5, effort: low}")).options == {
        "max_turns": 5,
        "effort": "low",
    }


# The registry


def test_the_packaged_agents_are_always_there(registry: AgentRegistry, folder: Path) -> None:
    assert [a.name for a in registry.list()] == PACKAGED
    assert set(registry.get("generalist").tools) == {
        "run_cell", "inspect", "read_file", "write_file", "edit_file", "run_shell", "remember", "recall",
        "create_agent", "modify_agent", "list_agents", "reload_agent",
    }  # fmt: skip
    assert registry.errors == []
    assert not folder.exists()


def test_a_workspace_file_goes_before_the_packaged_agent(registry: AgentRegistry, folder: Path) -> None:
    write(folder, "generalist", agent("generalist", "tools: [inspect]"))
    assert registry.get("generalist").tools == ("inspect",)
    assert [a.name for a in registry.list()] == PACKAGED


def test_a_broken_file_of_its_name_does_not_bring_the_packaged_grant_back(
    registry: AgentRegistry, folder: Path
) -> None:
    write(folder, "generalist", agent("generalist", "tools: inspect"))
    with pytest.raises(AgentFileError, match="tools must be a list"):
        registry.get("generalist")
    assert "generalist" not in [a.name for a in registry.list()]


def test_created_agents_are_there_at_once_and_for_others(registry: AgentRegistry, folder: Path) -> None:
    made = registry.create("haiku-poet", "Writes: haikus", ["recall"], "You write.\r\n", model="sonnet")
    assert (made.version, made.created_by, made.prompt) == (1, "user", "You write.")
    assert registry.get("haiku-poet") == made
    assert AgentRegistry(folder).get("haiku-poet") == made
    assert made.path == folder / "haiku-poet.md"
    assert [p.name for p in folder.iterdir()] == ["haiku-poet.md"]


@pytest.mark.parametrize(
    "name",
    ["", "a", "..", "../../x", "/etc/passwd", "a b", "a\n", "A-b", "-rf", "1a", "a_b", "a.md", "\u0430dmin", "\ud800",
     "a\0b", "a\x1b[31m", "x" * 65, "null", "no", "true", "nul", "com1", ".hidden", None, 3, ["ab"]],
)  # fmt: skip
def test_names_that_are_none_are_refused(registry: AgentRegistry, folder: Path, name: str) -> None:
    with pytest.raises(AgentFileError) as caught:
        registry.create(name, "", [], "")
    assert str(caught.value).isprintable()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"description": 3}, "description"),
        ({"tools": "run_cell"}, "must be a list"),
        ({"tools": ["*"]}, "tool names"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "\ud800"}, "UTF-8"),
        ({"description": "\0"}, "UTF-8 or YAML"),
        ({"prompt": "x" * 70_000}, "more than"),
        ({"model": "--x"}, "model"),
        ({"created_by": 3}, "created_by"),
    ],
)
def test_what_cannot_be_written_is_refused(
    registry: AgentRegistry, folder: Path, changes: dict[str, object], what: str
) -> None:
    given = {"description": "", "tools": [], "prompt": "", **changes}
    with pytest.raises(AgentFileError, match=what):
        registry.create("coder", **given)  # type: ignore[arg-type]
    assert list(folder.iterdir()) == []


def test_a_taken_name_is_not_written_over(registry: AgentRegistry) -> None:
    registry.create("coder", "first", [], "")
    with pytest.raises(AgentFileError, match="exists already"):
        registry.create("coder", "second", [], "")
    assert registry.get("coder").description == "first"


@pytest.mark.parametrize("name", ["c0der", "coder-", "data--analyst", "data-ana1yst", "genera1ist"])
def test_look_alikes_cannot_be_created(registry: AgentRegistry, name: str) -> None:
    registry.create("coder", "", [], "")
    registry.create("data-analyst", "", [], "")
    with pytest.raises(AgentFileError, match="looks like"):
        registry.create(name, "", [], "")


def test_modify_changes_one_field_and_raises_the_version(registry: AgentRegistry, folder: Path) -> None:
    write(folder, "haiku-poet", POET)
    before = registry.get("haiku-poet")
    changed = registry.modify("haiku-poet", "tools", ["inspect"])
    assert (changed.tools, changed.version) == (("inspect",), 4)
    assert (changed.prompt, changed.extra, changed.created_at) == (before.prompt, before.extra, before.created_at)
    assert registry.get("haiku-poet") == changed
    assert registry.modify("haiku-poet", "model", None).model is None
    assert registry.modify("haiku-poet", "prompt", "New.").prompt == "New."


def test_modify_appends(registry: AgentRegistry) -> None:
    registry.create("coder", "Codes.", ["inspect"], "One.")
    assert registry.modify("coder", "tools", ["recall", "inspect"], append=True).tools == ("inspect", "recall")
    assert registry.modify("coder", "description", "Tests.", append=True).description == "Codes. Tests."
    assert registry.modify("coder", "prompt", "Two.", append=True).prompt == "One.\n\nTwo."


def test_modifying_a_packaged_agent_makes_the_workspace_its_own(registry: AgentRegistry, folder: Path) -> None:
    changed = registry.modify("generalist", "tools", ["inspect"])
    assert changed.path == folder / "generalist.md"
    assert registry.get("generalist").tools == ("inspect",)
    assert "run_cell" in AgentRegistry(folder.parent / "other").get("generalist").tools


@pytest.mark.parametrize(
    ("field", "value", "append"),
    [("name", "x", False), ("version", 9, False), ("tools", "recall", False), ("tools", "recall", True),
     ("model", "x", True), ("prompt", 3, False), ("prompt", ["x"], True), ("description", None, False),
     ("tools", None, False), ("tools", None, True)],
)  # fmt: skip
def test_modify_refuses_what_it_cannot_write(
    registry: AgentRegistry, field: str, value: object, append: bool
) -> None:
    made = registry.create("coder", "Codes.", ["inspect"], "One.")
    with pytest.raises(AgentFileError):
        registry.modify("coder", field, value, append=append)
    assert registry.get("coder") == made


def test_an_unknown_agent_comes_with_names_that_are_known(registry: AgentRegistry) -> None:
    registry.create("data-analyst", "", [], "")
    with pytest.raises(UnknownAgent, match="'data-analist'") as caught:
        registry.get("data-analist")
    assert "Did you mean 'data-analyst'?" in caught.value.remedy
    assert "generalist" in caught.value.remedy
    with pytest.raises(UnknownAgent):
        registry.modify("nobody", "prompt", "x")


def test_an_edit_counts_at_once(registry: AgentRegistry, folder: Path) -> None:
    path = write(folder, "helper", agent("helper", "version: 1"))
    first = registry.get("helper")
    assert registry.get("helper") is first
    write(folder, "helper", agent("helper", "version: 22"))
    assert registry.get("helper").version == 22
    path.unlink()
    with pytest.raises(UnknownAgent):
        registry.get("helper")


def test_a_file_that_breaks_keeps_its_last_good_version(registry: AgentRegistry, folder: Path) -> None:
    good = registry.create("coder", "", ["inspect"], "One.")
    path = write(folder, "coder", "rubbish")
    assert registry.get("coder") == good
    assert good in registry.list()
    (error,) = registry.errors
    assert error.message.startswith(f"{path}:1: ")
    with pytest.raises(AgentFileError, match="front matter"):
        registry.modify("coder", "prompt", "x")
    assert path.read_text(encoding="utf-8") == "rubbish"
    write(folder, "coder", agent("coder", "description: mended"))
    assert registry.get("coder").description == "mended"
    assert registry.errors == []


def test_a_new_process_refuses_a_broken_file(folder: Path) -> None:
    write(folder, "coder", "rubbish")
    with pytest.raises(AgentFileError, match="front matter"):
        AgentRegistry(folder).get("coder")


@pytest.mark.skipif(os.name == "nt", reason="symbolic links and pipes need POSIX")
def test_what_is_not_a_plain_file_is_refused_and_the_others_still_load(
    registry: AgentRegistry, folder: Path, tmp_path: Path
) -> None:
    made = registry.create("good-one", "", [], "")
    outside = write(tmp_path, "linked", agent("linked"))
    (folder / "linked.md").symlink_to(outside)
    (folder / "dangling.md").symlink_to(tmp_path / "nothing.md")
    (folder / "directory.md").mkdir()
    os.mkfifo(folder / "pipe.md")
    os.link(folder / "good-one.md", folder / "hard-link.md")
    (folder / "bytes.md").write_bytes(b"---\nname: bytes\n\xff\xfe\0\n---\n")
    with (folder / "sparse.md").open("wb") as file:
        file.truncate(2**30)
    write(folder, "Good-One", agent("Good-One"))
    write(folder, "README", "# Agents")
    (folder / ".hidden.md").write_text("an editor's", encoding="utf-8")
    (folder / "notes.txt").write_text("not an agent", encoding="utf-8")
    assert [a.name for a in registry.list()] == sorted([*PACKAGED, made.name])
    named = [Path(error.message.partition(":")[0]).name for error in registry.errors]
    assert sorted(named) == sorted(
        ["linked.md", "dangling.md", "directory.md", "pipe.md", "hard-link.md", "bytes.md", "sparse.md",
         "Good-One.md", "README.md"]
    )  # fmt: skip
    with pytest.raises(AgentFileError, match="symbolic link"):
        registry.get("linked")


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need POSIX")
def test_an_agents_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "coder", agent("coder"))
    (tmp_path / "agents").symlink_to(tmp_path / "elsewhere")
    registry = AgentRegistry(tmp_path / "agents")
    assert [a.name for a in registry.list()] == PACKAGED
    assert "symbolic link" in str(registry.errors[0])
    with pytest.raises(AgentFileError, match="symbolic link"):
        registry.create("other", "", [], "")
    assert [p.name for p in (tmp_path / "elsewhere").iterdir()] == ["coder.md"]


def test_an_agents_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "agents").write_text("", encoding="utf-8")
    registry = AgentRegistry(tmp_path / "agents")
    assert [a.name for a in registry.list()] == PACKAGED and len(registry.errors) == 1
    with pytest.raises((AgentFileError, StoreError)):
        registry.create("coder", "", [], "")


def test_of_two_look_alikes_on_disk_the_one_in_use_stays(registry: AgentRegistry, folder: Path) -> None:
    write(folder, "helmer", agent("helmer"))
    write(folder, "he1mer", agent("he1mer"))
    assert [a.name for a in AgentRegistry(folder).list()] == sorted([*PACKAGED, "helmer"])
    (folder / "helmer.md").unlink()
    assert registry.get("he1mer").name == "he1mer"
    write(folder, "helmer", agent("helmer"))
    assert [a.name for a in registry.list()] == sorted([*PACKAGED, "he1mer"])
    assert "looks like 'he1mer.md'" in registry.errors[0].message


def test_no_change_is_lost_between_registries_of_one_folder(folder: Path) -> None:
    AgentRegistry(folder).create("adder", "", [], "")
    names = [[f"tool-{who}-{n}" for n in range(8)] for who in range(4)]

    def add(tools: list[str]) -> None:
        registry = AgentRegistry(folder)
        for tool in tools:
            registry.modify("adder", "tools", [tool], append=True)

    threads = [threading.Thread(target=add, args=(tools,)) for tools in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changed = AgentRegistry(folder).get("adder")
    assert set(changed.tools) == {tool for tools in names for tool in tools}
    assert changed.version == 33


def test_unknown_tools(registry: AgentRegistry) -> None:
    made = registry.create("coder", "", ["run_cell", "Bash", "rum_cell"], "")
    assert registry.unknown_tools(made, {"run_cell", "Bash"}) == ("rum_cell",)


@pytest.mark.parametrize("name", ["researcher", "coder", "writer"])
def test_the_packaged_agents_can_be_used(name: str, registry: AgentRegistry) -> None:
    sample = registry.get(name)
    assert registry.errors == []
    assert sample.description
    assert sample.tools
    assert len(sample.prompt) > 500


@pytest.mark.parametrize("path", sorted(FOLDERS.glob("*.md")), ids=lambda path: path.stem)
def test_the_sample_agents_are_the_packaged_ones(path: Path) -> None:
    packaged = {**packaged_agents(), **pack_agents()}[path.stem].path
    assert packaged is not None and packaged.read_bytes() == path.read_bytes()


def test_the_researcher_cannot_run_code(registry: AgentRegistry) -> None:
    assert not {"run_cell", "run_shell", "edit_file", "Bash", "Edit"} & set(registry.get("researcher").tools)


@pytest.mark.parametrize(("key", "meant"), [("tool", "tools"), ("descripton", "description"), ("models", "model")])
def test_a_misspelt_key_is_refused_with_what_was_meant(key: str, meant: str) -> None:
    with pytest.raises(AgentFileError, match=f"unknown key '{key}'") as raised:
        parse_agent(f"---\nname: helper\n{key}: x\n---\nHelp.\n")
    assert meant in raised.value.remedy
