"""Tab on a magic's line: words, options, and what there is of each kind, with hints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded import record

from llmos_nb.notebook.arguments import OPTIONS, Option
from llmos_nb.notebook.completion import KINDS, Grammar, completions
from llmos_nb.notebook.extension import _MAGICS
from llmos_nb.system import LLMOS

GRAMMARS = {name: one for magics in _MAGICS for name, one in getattr(magics, "grammars", {}).items()}
SHARED = {option.name for option in OPTIONS}
GOAL = "Say hello to the world"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMOS]:
    monkeypatch.chdir(tmp_path)
    record(GOAL, "greeting = 'hello'")
    with LLMOS("workspace") as system:
        system.projects.create("whales")
        system.remember("The sea is blue.")
        yield system


def texts(system: LLMOS, line: str) -> list[str]:
    found = completions(system, GRAMMARS, line)
    return [] if found is None else [text for text, _ in found[1]]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%%llmos --", "--agent"),
        ("%%llmos ", "--mode"),
        ("result = %llmos --ag", "--agent"),
        ("    %llmos --agent gen", "generalist"),
        ("%%llmos --agent=gen", "generalist"),
        ("%%llmos --mode f", "follower"),
        ("%%llmos --mode learner --agent ", "generalist"),
        ("%%llmos --project ", "whales"),
        ("%%llmos --model ", "scripted"),
        ("%%llmos --resume ", "last"),
        ("%%llmos --resume-plan l", "last"),
        ("%agents ", "history"),
        ("%agents sh", "show"),
        ("%agents show gen", "generalist"),
        ("%%agent poet --to", "--tools"),
        ("%%agent gen", "generalist"),
        ("%%agent poet --tools inspect,read", "read_file"),
        ("%projects show ", "whales"),
        ("%budget li", "limits"),
        ("%budget limits d", "day="),
        ("%budget limits day=2 r", "run="),
        ("%llmos_endpoint s", "scripted"),
        ("%llmos_settings max", "max_turns"),
        ("%llmos_settings p", "presets"),
        ("%memory ", "search"),
        ("%remember --project w", "whales"),
        ("%schedule add --ev", "--every"),
        ("%schedule add --every 1h --agent gen", "generalist"),
        ("%sessions re", "resume"),
    ],
)
def test_what_can_stand_there_is_offered(line: str, offered: str, system: LLMOS) -> None:
    assert offered in texts(system, line)


@pytest.mark.parametrize(
    "line",
    [
        "%%llmos Load penguins.csv and ",
        "%%llmos --agent generalist Plot ",
        "%%llmos --budget ",
        "%%llmos --out gen",
        "Plot it --",
        "%time --",
        "x = 5 %llmos",
        "%schedule list --",
        "%agents list ",
        "%agents show generalist ",
        "",
    ],
)
def test_where_nothing_is_known_nothing_is_offered(line: str, system: LLMOS) -> None:
    assert texts(system, line) == []


def test_things_come_with_a_hint(system: LLMOS) -> None:
    trace = system.traces.rows()[0]["id"]
    assert completions(system, GRAMMARS, "%trace 2") == ("2", [(trace, GOAL)])
    assert completions(system, GRAMMARS, "%llmos_wrong ") == ("", [(trace, GOAL)])
    fact = system.facts.all()[0]
    assert completions(system, GRAMMARS, "%memory forget ") == ("", [(fact.id, fact.text)])
    agents = dict(completions(system, GRAMMARS, "%agents show ")[1])  # type: ignore[index]
    assert agents["generalist"] and all(len(hint) <= 60 for hint in agents.values())


def test_every_kind_that_is_declared_is_known() -> None:
    kinds = {kind for one in GRAMMARS.values() for kinds in one.words.values() for kind in kinds}
    kinds |= {one.first for one in GRAMMARS.values() if one.first}
    assert kinds <= set(KINDS)


@pytest.mark.parametrize("magic", [name for name, one in GRAMMARS.items() if one.words or one.options])
def test_the_help_has_every_word_and_option(magic: str) -> None:
    grammar, doc = GRAMMARS[magic], next(getattr(m, magic).__doc__ for m in _MAGICS if hasattr(m, magic))
    own = [
        option for option in grammar.options if magic == "llmos" or option.name not in SHARED
    ]  # others are %%llmos' own
    for word in (*(w for w in grammar.words if w != "list"), *(f"--{option.name}" for option in own)):
        assert word in doc, word


def test_what_cannot_be_read_offers_nothing(system: LLMOS) -> None:
    folder = system.workspace / "projects"
    folder.rename(folder.with_name("elsewhere"))
    folder.write_text("a file")
    assert texts(system, "%%llmos --project ") == []


def test_a_grammar_is_all_that_another_magic_needs(system: LLMOS) -> None:
    own = {"stop": Grammar({"all": (), "one": ("agent",)}, options=(Option("agent", "NAME", "whose"),))}
    assert completions(system, own, "%stop one w") == ("w", [("writer", texts_hint(system, "writer"))])
    assert completions(system, own, "%stop --agent w") == completions(system, own, "%stop one w")


def texts_hint(system: LLMOS, name: str) -> str:
    return dict(completions(system, GRAMMARS, "%agents show ")[1])[name]  # type: ignore[index]


@pytest.mark.parametrize("line", ["%llmos --a", "%%llmos --a", "x = %llmos --a"])
def test_the_shell_completes(line: str, ipython: Any, system: LLMOS) -> None:
    ipython.run_line_magic("load_ext", "llmos_nb")
    try:
        _, found = ipython.complete("", line, len(line))
        assert found == ["--agent", "--at"]
    finally:
        ipython.run_line_magic("unload_ext", "llmos_nb")
    _, found = ipython.complete("", line, len(line))
    assert "--agent" not in found
