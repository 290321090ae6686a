"""The look of a trace file, what hands may do to it, and what is refused with path, line and remedy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from llmos_nb.errors import TraceFileError
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.codec import dump, parse

GHZ = Trace(
    goal="Create a 3-qubit GHZ state circuit",
    steps=[
        Step(
            "run_cell",
            {"code": "from qiskit import QuantumCircuit\nn = 3"},
            Expectation(defines={"qc": "QuantumCircuit"}, outputs=("text/plain",)),
            output="<qc>",
        )
    ],
    id="20261122-074103-ghz-3f2a",
    template="create a {n}-qubit GHZ state circuit",
    slots={"n": {"type": "int", "value": 3}},
    agent="quantum-architect",
    model="claude-sonnet-4-5",
    created_at="2026-11-22T07:41:03Z",
    duration_s=12.4,
    cost_usd=0.0512,
    tokens={"input": 5210, "output": 811, "cache_read": 0, "cache_write": 1},
    environment={"python": "3.11.7", "llmos_nb": "0.1.0", "packages": {"qiskit": "2.6.1"}},
    answer="The circuit has 3 qubits …",
)

GHZ_TEXT = """\
---
schema: 1
id: 20261122-074103-ghz-3f2a
goal: Create a 3-qubit GHZ state circuit
template: create a {n}-qubit GHZ state circuit
slots: {n: {type: int, value: 3}}
mode: learner
status: success
agent: quantum-architect
model: claude-sonnet-4-5
created_at: 2026-11-22T07:41:03Z
duration_s: 12.4
cost_usd: 0.0512
tokens: {input: 5210, output: 811, cache_read: 0, cache_write: 1}
environment: {python: 3.11.7, llmos_nb: 0.1.0, packages: {qiskit: 2.6.1}}
---
# Create a 3-qubit GHZ state circuit

## Step 1: run_cell

```python
from qiskit import QuantumCircuit
n = 3
```

```yaml expect
status: ok
defines: {qc: QuantumCircuit}
outputs: [text/plain]
```

```text output
<qc>
```

## Answer

The circuit has 3 qubits …
"""

HAND = """\
---
schema: 1
goal: List files
status: success
---
# List files

## Step 1: run_shell

```bash
ls
```
"""


def _edited(old: str, new: str, text: str = HAND) -> Trace:
    assert old in text
    return parse(text.replace(old, new), "2026-11/t.md")


def test_a_file_looks_as_designed_and_reads_back() -> None:
    assert dump(GHZ) == GHZ_TEXT
    assert parse(GHZ_TEXT, "t.md") == GHZ


@pytest.mark.parametrize(
    ("tool", "arguments", "block"),
    [
        ("run_cell", {"code": "x = 1"}, "```python\nx = 1\n```\n"),
        ("run_shell", {"command": "ls -l"}, "```bash\nls -l\n```\n"),
        ("run_sql", {"query": "select 1"}, "```sql\nselect 1\n```\n"),
        (
            "write_file",
            {"path": "a/b.py", "content": "x"},
            "```python\nx\n```\n\n```yaml arguments\npath: a/b.py\n```\n",
        ),
        ("write_file", {"path": "a.dat", "content": "x"}, "```text\nx\n```\n"),
        ("recall", {"query": "no: yes", "n": 3}, '```yaml arguments\nquery: "no: yes"\nn: 3\n```\n'),
        ("run_cell", {"code": "s = '''\n```\n'''"}, "````python\ns = '''\n```\n'''\n````\n"),
    ],
)
def test_arguments_are_readable(tool: str, arguments: dict[str, object], block: str) -> None:
    text = dump(Trace("g", [Step(tool, arguments)]))
    assert f"\n\n{block}" in text
    assert parse(text, "t.md").steps[0].arguments == arguments


def test_an_output_with_escape_codes_is_written_line_by_line() -> None:
    trace = Trace("g", [Step("run_shell", {"command": "ls"}, output="\x1b[1ma\r\nb")])
    assert '```json output\n"\\u001b[1ma\\r"\n"b"\n```\n' in dump(trace)


def test_prose_between_the_blocks_is_ignored() -> None:
    text = GHZ_TEXT.replace("## Step 1", "Some words.\n\n~~~\n## Step 7: not_a_step\n~~~\n\n## Step 1")
    text = text.replace("```yaml expect", "It defines a circuit:\n\n```yaml expect")
    text = text.replace("## Answer", "## Notes\n\n```python\nprint('not a step')\n```\n\n## Answer")
    assert parse(text, "t.md") == GHZ


def test_hand_written_yaml_in_any_style_is_read() -> None:
    text = GHZ_TEXT.replace(
        "slots: {n: {type: int, value: 3}}", "slots:  # by hand\n  n:\n    type: 'int'\n    value: 3"
    )
    assert parse("\ufeff" + text.replace("\n", "\r\n"), "t.md") == GHZ


def test_unknown_front_matter_is_kept() -> None:
    trace = _edited("status: success", "status: success\nrating: 5\nlabels: [a, b]")
    assert trace.extra == {"rating": 5, "labels": ["a", "b"]}
    assert "\nrating: 5\nlabels: [a, b]\n---\n" in dump(trace)


def test_words_that_yaml_11_takes_for_something_else_stay_text() -> None:
    trace = _edited("goal: List files", "goal: no\nagent: on\ncreated_at: 2026-11-22\nreason: 1:30")
    assert (trace.goal, trace.agent, trace.created_at, trace.reason) == ("no", "on", "2026-11-22", "1:30")


def test_a_file_of_little_is_enough() -> None:
    trace = parse(HAND, "t.md")
    assert trace == Trace("List files", [Step("run_shell", {"command": "ls"})])
    assert trace.replayable


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("---\nschema", "schema", 1, "starts with a line '---'"),
        ("---\n# List", "# List", 1, "never ends"),
        ("schema: 1", "schema: 2", 1, "schema is 2"),
        ("schema: 1", "schema: x", 1, "schema is 'x'"),
        ("goal: List files", "goal: 5", 1, "goal must be text"),
        ("goal: List files", "title: x", 1, "no goal"),
        ("status: success", "status: fine", 1, "status must be one of success"),
        ("status: success", "status: success\ngoal: twice", 5, "'goal' is there twice"),
        ("status: success", "slots: {a: [1, 2}", 4, "not valid YAML"),
        ("status: success", "slots: &a {b: 1}\ntokens: *a", 4, "anchors and aliases"),
        ("status: success", "slots: !!python/none x", 4, "tag"),
        ("status: success", "slots: " + "[" * 500 + "]" * 500, 2, "nested deeper"),
        ("status: success", "slots: " + "9" * 5000, 2, "not valid YAML"),
        ("status: success", "x: '" + "a" * 300_000 + "'", 2, "characters of YAML"),
        ("status: success", "answer: x", 1, "'answer' is not for the front matter"),
        ("```\n", "", 10, "never closed"),
        ("## Step 1: run_shell", "## Step one", 8, "not a step's heading"),
        ("## Step 1: run_shell", "## Step 1: recall", 10, "recall has no main text"),
        ("ls\n```\n", "ls\n```\n\n```bash\nrm x\n```\n", 14, "a second main block"),
        ("ls\n```\n", "ls\n```\n\n```yaml arguments\ncommand: rm x\n```\n", 14, "command is there twice"),
        ("ls\n```\n", "ls\n```\n\n```yaml expect\nstatus: ok\ndelets: [x]\n```\n", 14, "unknown key 'delets'"),
        ("ls\n```\n", "ls\n```\n\n```yaml expect\n- a\n```\n", 15, "expected 'key: value' lines"),
        ("ls\n```\n", "ls\n```\n\n```yaml expect\nstatus: good\n```\n", 14, "status must be ok or error"),
        ("ls\n```\n", "ls\n```\n\n```yaml expect\nreplay: no\n```\n", 14, "replay must be true or false"),
        ("ls\n```\n", "ls\n```\n\n```json output\noops\n```\n", 15, "not a quoted string"),
        ("ls\n```\n", "ls\n```\n\n## Step 1: run_shell\n", 14, "step 1 after step 1"),
    ],
)
def test_what_is_unclear_is_refused_with_its_line(old: str, new: str, line: int, what: str) -> None:
    with pytest.raises(TraceFileError) as caught:
        _edited(old, new)
    assert caught.value.message.startswith(f"2026-11/t.md:{line}: ")
    assert what in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("trace", "what"),
    [
        (Trace("g", [], status="fine"), "status is 'fine'"),
        (Trace("g", [Step("no tool", {})]), "a tool cannot be named 'no tool'"),
        (Trace("g", [Step("x", {"p": Path("a")})]), "step 1: p: a PosixPath cannot be written"),
        (Trace("g", [Step("x", {"m": {1: 2}})]), "keys must be text"),
        (Trace("g", [], extra={"goal": "other"}), "uses the known name 'goal'"),
        (Trace("g", [Step("x", {"n": 10**5000})]), "more digits"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(trace: Trace, what: str) -> None:
    with pytest.raises(TraceFileError) as caught:
        dump(trace)
    assert what in caught.value.message.replace("WindowsPath", "PosixPath")


def test_deeply_nested_arguments_are_refused_when_written() -> None:
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(TraceFileError, match="nested deeper"):
        dump(Trace("g", [Step("x", {"a": deep})]))


def test_only_success_with_something_to_run_is_replayable() -> None:
    study = Step("run_shell", {"command": "ls"}, Expectation(replay=False))
    run = Step("run_shell", {"command": "pwd"})
    assert Trace("g", [study, run]).replayable_steps == (run,)
    assert Trace("g", [study, run]).replayable
    assert not Trace("g", [study]).replayable
    assert not Trace("g", []).replayable
    assert not dataclasses.replace(Trace("g", [run]), status="stopped").replayable
