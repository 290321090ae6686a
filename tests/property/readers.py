"""Everything that reads a text that somebody else may have written, with documents to damage: see ``test_readers.py``."""

# ruff: noqa: E501 - documents and pieces are read as they are

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from llmos_nb.errors import AgentFileError, FactFileError, LessonError, ProjectError, SettingsError, TraceFileError
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.facts.codec import parse as parse_fact
from llmos_nb.memory.sessions import sessions
from llmos_nb.memory.slots import Vocabulary, lift
from llmos_nb.mind import parse_agent
from llmos_nb.projects.constraints import read_constraints
from llmos_nb.settings import load_settings
from llmos_nb.teaching.lesson import read_lesson

__all__ = ["READERS", "Reader", "damaged"]


@dataclass(frozen=True)
class Reader:
    """What reads, whole documents, and the errors that it may end in. ``build`` makes a text of one that is read."""

    read: Callable[[str], object]
    documents: tuple[str, ...]
    errors: tuple[type[Exception], ...]


_FOLDER: Final = Path(tempfile.mkdtemp(prefix="llmos-readers-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def _as_file(name: str, read: Callable[[Path], object]) -> Callable[[str], object]:
    path = _FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)

    def of_text(text: str) -> object:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return read(path)

    return of_text


def _round(text: str) -> object:
    trace = parse(text)
    again = parse(dump(trace))
    assert again == trace or "nan" in dump(trace)
    return trace


def _lifted(text: str) -> object:
    lifted = lift(text, _WORDS)
    for slot in lifted.slots:
        assert 0 <= slot.start <= slot.end <= len(text)
    return lifted


def _vocabulary(text: str) -> object:
    return lift(text[:400], Vocabulary({"column": text.split("\n"), "city": [text[:50]]}))


_WORDS: Final = Vocabulary(
    {"column": ["bill length", "mass", "a-b"], "city": ["Boston", "New York"], "variable": ["df"]}
)
_TRACE: Final = dump(Trace(
    goal="Sum 3 columns of df", template="sum {n} columns of df", slots={"n": {"type": "int", "value": 3}},
    steps=(
        Step("run_cell", {"code": "x = 1\nprint(x)", "parameters": {"n": 3}}, Expectation(
            defines={"x": "int"}, outputs=("stream",), columns={"t": ("a", "b")}, files=("out.csv",), digest="ab12"), "1\n"),
        Step("run_shell", {"command": "ls | wc -l"}, Expectation(status="error", error="exit code 1"), "```\n0"),
    ),
    status="success", cost_usd=0.05, answer="It is **1**.\n\n```text\n1\n```", tokens={"input": 5},
    environment={"python": "3.11", "packages": {"pandas": "2"}},
))  # fmt: skip
_AGENT: Final = (
    "---\nname: coder\ndescription: \"Writes: code\"\ntools: [run_cell, 'inspect']\nmodel: sonnet\nversion: 3\n"
    "options: {max_turns: 5}\nnote: |\n  two\n  lines\n---\nYou write code.\n\n---\nname: other\n"
)
_FACT: Final = (
    "---\nid: f-1\ncreated_at: 2026-11-22T07:41:03Z\nsource: person\ntags: [a, b]\n---\nThe year begins in April.\n"
)
_TOML: Final = (
    'mode = "auto"\nbudget_usd = 2.5\nday_budget_usd = "none"\nmax_turns = 20\nsandbox = "always"\n[sdk]\neffort = "low"\n'
    'nested = {a = [1, 2.5, "x"], when = 2026-11-22T07:41:03Z}\n'
)
_PROJECT: Final = 'description = "d"\nrun_budget_usd = 0.5\ntime_limit_s = 60\ntools = ["run_cell"]\nendpoint = "scripted"\nsandbox = "always"\n'
_LESSON: Final = (
    "# Means\n\nRead on.\n\n## mean-mass: The mean mass\n\nCompute `m`.\n\n```python check\nexpect('m', 3.5)\n```\n\n"
    "```text hint\nUse .mean()\n```\n\n```text solved\nYes.\n```\n\n## other: Another\n\n````python check\nx = 1\n````\n"
)
_LOG: Final = (
    '{"event": "RunStarted", "run_id": "r1", "at": 1795000000.5, "goal": "Sum df", "agent": "generalist"}\n'
    '{"event": "ModelCalled", "run_id": "r1", "at": 1795000001.5, "cost_usd": 0.01}\n'
    '{"event": "RunEnded", "run_id": "r1", "at": 1795000002.5, "status": "success", "mode": "learner", "cost_usd": 0.01}\n'
)
_GOALS: Final = (
    "Plot 'bill length' against mass for Boston, 3.5 kg and 30 cm, from 2026-11-22 to 1 May, in data/a.csv and `df`",
    'Top 10 of 1,000,000 rows where a-b > -5% and New York, $3.20, 10:30, https://x.org/a?b=1#c, "x y", 1/2, five and twenty',
)

#: Every reader by name.
READERS: Final[dict[str, Reader]] = {
    "trace": Reader(_round, (_TRACE,), (TraceFileError,)),
    "agent": Reader(lambda text: parse_agent(text, Path("coder.md")), (_AGENT,), (AgentFileError,)),
    "fact": Reader(lambda text: parse_fact(text, "f-1.md"), (_FACT,), (FactFileError,)),
    "session log": Reader(_as_file("log/20261122-074103-ab12.jsonl", lambda path: sessions(path.parent)), (_LOG,), ()),
    "settings": Reader(
        _as_file("ws/llmos.toml", lambda path: load_settings(workspace=path.parent, environ={})), (_TOML,), (SettingsError,)
    ),
    "project": Reader(_as_file("p/project.toml", read_constraints), (_PROJECT,), (ProjectError,)),
    "lesson": Reader(_as_file("means.md", read_lesson), (_LESSON,), (LessonError,)),
    "slots": Reader(_lifted, _GOALS, ()),
    "vocabulary": Reader(_vocabulary, (*_GOALS, "mass\nbill length\n10\n\nNew York\n2026-11-22"), ()),
}  # fmt: skip

#: Pieces that mean something to one of them.
_PIECES: Final = [
    "\n", "\r\n", "\r", "\t", " ", "\0", "\x85", "\u2028", "\ufeff", "\ud800", "\udc80", "é", "😀", "٣", "½", "\u0301",
    "---\n", "...\n", "```", "````\n", "~~~\n", "```yaml expect\n", "## Step 3: run_cell\n", "## Answer\n", "## x: y\n", "# ",
    ": ", "- ", "[", "]", "{", "}", ",", "&a ", "*a", "!!python/object:os.system ", "!x ", "<<: ", "? ", "|", ">", "%", "@",
    '"', "'", "\\", "\\u0000", "=", "#", "true", "null", ".nan", ".inf", "1e999", "-0", "0x1F", "1_000", "9" * 400, "1e400",
    "9" * 5000, "2026-13-45", "0000-00-00", "99:99", "[" * 300, "{" * 300, "((" * 300, "{a: " * 200, "*" * 200, "-" * 500,
    "a" * 3000, " " * 2000, "\n" * 500, "0." * 300, "1," * 500, "a = [" * 100, "a.b.c.d = 1\n", "[[a]]\n", '"""', "run_id", "at",
    "name: no\n", "tools: yes\n", "version: -1\n", "status: ok\n", "cost_usd", "NaN", "Infinity", "-", "/", "..", "~", "$", "%",
]  # fmt: skip


_ODD: Final = "a0 .,:-_'\"\\\n\t\0é😀\ud800٣½%$#&*[]{}()"


def damaged(documents: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A document with one to three edits: cut, repeated, pieces put in; or no document at all."""
    # One number is all that is drawn: the texts themselves would take most of the time.
    return st.integers(0, 2**60).map(lambda number: _edited(documents, random.Random(number)))


def _edited(documents: tuple[str, ...], chance: random.Random) -> str:
    text = chance.choice(documents)
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(text))
        end = min(len(text), at + chance.randint(0, 60))
        kind = chance.choice(("put", "put", "put", "instead", "cut", "twice", "only"))
        piece = (
            chance.choice(_PIECES) if chance.random() < 0.7 else "".join(chance.choices(_ODD, k=chance.randint(1, 6)))
        )
        if kind == "put":
            text = text[:at] + piece + text[at:]
        elif kind == "instead":
            text = text[:at] + piece + text[end:]
        elif kind == "cut":
            text = text[:at] + text[end:]
        elif kind == "twice":
            text = text[:end] + text[at:]
        elif chance.random() < 0.2:
            text = text[at:end] + piece
    return text
