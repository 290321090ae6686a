"""Agent files: what is written is read back, and whatever is read ends in an agent or an AgentFileError."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmos_nb.errors import AgentFileError
from llmos_nb.mind import Agent, AgentRegistry, dump_agent, front_matter, parse_agent

PATH = Path("agents/coder.md")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
PROMPT = st.lists(st.sampled_from(["---", "", "...", "name: x", "\t", "# Title"]) | TEXT, max_size=6).map(
    lambda lines: "\n".join(lines).replace("\r\n", "\n").strip()
)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
OWN = {"name", "description", "tools", "model", "options", "version", "created_at", "created_by"}
PRIVILEGED = {"permissionmode", "hooks", "mcpservers"}
TOOL = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,12}", fullmatch=True)
AGENTS = st.builds(
    Agent,
    name=st.just("coder"),
    description=TEXT,
    tools=st.lists(TOOL, max_size=4, unique=True).map(tuple),
    prompt=PROMPT,
    model=st.none() | st.sampled_from(["sonnet", "claude-opus-4-1[1m]", "1e3", "true", "2026-11-22"]),
    options=st.dictionaries(st.sampled_from(["max_turns", "effort", "thinking"]), VALUES, max_size=2),
    version=st.integers(1, 10**9 - 1),
    created_at=TEXT,
    created_by=TEXT,
    path=st.just(PATH),
    extra=st.dictionaries(TEXT.filter(lambda key: key not in OWN | PRIVILEGED), VALUES, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(AGENTS)
@example(Agent(name="coder", description="", created_by="\xa0", path=PATH))
def test_writing_and_reading_are_inverse(agent: Agent) -> None:
    text = dump_agent(agent)
    assert parse_agent(text, PATH) == agent
    assert dump_agent(parse_agent(text, PATH)) == text


@settings(max_examples=60, deadline=None)
@given(AGENTS, st.data())
def test_a_damaged_file_is_an_agent_or_an_agent_file_error(agent: Agent, data: st.DataObject) -> None:
    text = dump_agent(agent)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    damaged = text[:start] + data.draw(st.text("-:[]{}&*!|>'\"%@`?,# \n\t\0\x85\ud800ab1", max_size=12)) + text[end:]
    try:
        assert parse_agent(damaged, PATH).name == "coder"
    except AgentFileError as error:
        assert error.message.startswith(str(PATH))
        assert str(error).isprintable()


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("-:[]{}&*!|>'\"?,# \n<=~.0123abxe_\\"), max_size=200))
def test_any_front_matter_is_an_agent_or_an_agent_file_error(front: str) -> None:
    try:
        agent = parse_agent(f"---\nname: coder\n{front}\n---\nbody", PATH)
    except AgentFileError:
        return
    assert parse_agent(dump_agent(agent), PATH) == agent


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=12))
def test_a_created_agent_is_one_file_inside_the_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("workspace") / "agents"
    try:
        made = AgentRegistry(folder).create(name, "", [], "Work.")
    except AgentFileError:
        assert not folder.exists()
        return
    assert {path.name for path in folder.parent.iterdir()} == {"agents", ".llmos"}
    assert list(folder.iterdir()) == [folder / f"{name}.md"] == [made.path]
    private = folder.parent / ".llmos"
    assert {path.name for path in private.iterdir()} == {"agents.git", "agents"}
    assert list((private / "agents").iterdir()) == [private / "agents" / f"{name}.json"], "its mark"


LINES = st.one_of(
    st.from_regex(front_matter._SIMPLE, fullmatch=True),
    st.builds(
        "{}: {}".format,
        st.sampled_from(["name", "tools", "x", "no", "Null", "y", "version", "<<", "a b", "="]),
        st.one_of(
            st.text(alphabet="abyYnNoOeEsS0189 .,;:()'\"#[]{}%+=-_~*&!|>@`\\/TZ\t\u00e9\u0085\u2028", max_size=12),
            st.sampled_from(
                ["yes", "No", "[on]", "[a, null]", "0", "1_000", "1e3", "2026-11-22T07:41:03Z", "a: b", "="]
            ),
        ),
    ),
)


@settings(max_examples=500)
@given(st.lists(LINES, max_size=4))
def test_simple_front_matter_is_read_as_yaml_reads_it(lines: list[str]) -> None:
    text = "\n" + "\n".join(lines) + "\n"
    simple = front_matter._simple(text)
    if simple is not None:
        assert yaml.load(text, Loader=front_matter._Loader) == simple
        assert [type(value) for value in simple.values()] == [
            type(value) for value in yaml.load(text, Loader=front_matter._Loader).values()
        ]
