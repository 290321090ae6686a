"""Whatever values a goal has, exactly these come out: in code, in arguments, in the answer, on the wire."""

from __future__ import annotations

import ast
import json
import shlex
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.cortex.scripted import load_scripts, parse_script
from llmos_nb.cortex.scripted.conversation import Conversation, Exchange, Result, read_conversation
from llmos_nb.cortex.scripted.player import Reply, TextPart, ToolPart, play
from llmos_nb.cortex.scripted.template import Template
from llmos_nb.cortex.scripted.usage import count_input_tokens
from llmos_nb.cortex.scripted.wire import stream_events

SCRIPT = parse_script(
    """\
---
goal: Put {what:quoted} and {n:int} of {x:number} into {out:path} for {who:word}
---
## Turn 1

### run_cell

```python
value = [{{what|quoted}}, {{n|int}}, {{x|number}}, {{out|quoted}}, "{{who}}"]
```

### run_shell

```bash
echo {{what|shell}} {{out|shell}} {{who}}
```

### write_file

```yaml arguments
path: "{{out}}"
n: "{{n|int}}"
content: "{{what}}"
```

## Answer

{{what}}/{{n}}/{{result 1}}
""",
    "put.md",
)
BUNDLED = load_scripts()

words = st.from_regex(r"[^\W_]\w{0,8}([-.]\w{1,5})?", fullmatch=True)
paths = st.from_regex(r"(\.\./)?[A-Za-z0-9_-]{1,8}(/[A-Za-z0-9_ -]{1,8})?\.csv", fullmatch=True)
quoted = st.text(st.characters(exclude_characters='"\n', exclude_categories=["Cs"]), min_size=1, max_size=30)
integers = st.integers(-(10**20), 10**20)
numbers = st.decimals(-(10**6), 10**6, places=3)


def goal_of(what: str, n: int, x: Any, out: str, who: str) -> str:
    return f'Put "{what}" and {n} of {x} into "{out}" for {who}'


@settings(max_examples=150, deadline=None)
@given(quoted, integers, numbers, paths, words)
def test_values_arrive_unchanged(what: str, n: int, x: Any, out: str, who: str) -> None:
    goal = goal_of(what, n, x, out, who)
    tools = ("run_cell", "run_shell", "write_file")
    cell, shell, file = play(Conversation(goal, False, (), tools), [SCRIPT]).parts
    assert isinstance(cell, ToolPart)
    assert isinstance(shell, ToolPart)
    assert isinstance(file, ToolPart)
    value = ast.literal_eval(cell.input["code"].removeprefix("value = "))
    assert value == [what, n, float(x), out, who]
    assert shlex.split(shell.input["command"]) == ["echo", what, out, who]
    assert file.input == {"path": out, "n": n, "content": what}
    results = tuple(Result(text, is_error=False) for text in ("one", "two", "three"))
    (closing,) = play(Conversation(goal, False, (Exchange(results),), tools), [SCRIPT]).parts
    assert closing == TextPart(f"{what}/{n}/one")


@settings(max_examples=100, deadline=None)
@given(integers, integers)
def test_signs_and_operators_are_never_confused(a: int, b: int) -> None:
    plus = Template.parse("What is {a:number} + {b:number}?")
    assert plus.bind(f"What is {a} + {b}?") == {"a": str(a), "b": str(b)}
    assert plus.bind(f"what is {a}+{b}") == {"a": str(a), "b": str(b)}
    for operator in ("-", "*", "/", ">", "++", "and"):
        assert plus.bind(f"What is {a} {operator} {b}?") is None


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_goal_is_answered(goal: str) -> None:
    reply = play(Conversation(goal, False, (), ("run_cell",)), BUNDLED)
    assert reply.parts
    assert reply.goal == goal


results_of = st.lists(st.tuples(st.text(max_size=60), st.booleans()), min_size=1, max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        ["Add 1 and 2", "What went wrong with a in b.csv?", "Write a report about a.csv to b.md", "What?"]
    ),
    st.lists(results_of, max_size=5),
    st.booleans(),
)
def test_any_course_of_a_conversation_is_answered_and_equally_each_time(
    goal: str, course: list[list[tuple[str, bool]]], guided: bool
) -> None:
    exchanges = tuple(Exchange(tuple(Result(text, is_error=error) for text, error in results)) for results in course)
    conversation = Conversation(goal, guided, exchanges, ("mcp__llmos__run_cell",))
    reply = play(conversation, BUNDLED)
    assert reply.parts
    assert play(conversation, BUNDLED) == reply


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=100), st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_the_pieces_of_a_stream_make_the_whole(text: str, arguments: dict[str, Any]) -> None:
    reply = Reply((TextPart(text), ToolPart("t", arguments)), "goal")
    deltas: list[list[str]] = [[], []]
    for name, data in stream_events(reply, model="m", stop_reason="tool_use", input_tokens=1, output_tokens=1):
        if name == "content_block_delta":
            deltas[data["index"]].append(data["delta"].get("text", data["delta"].get("partial_json")))
    assert "".join(deltas[0]) == text
    assert json.loads("".join(deltas[1])) == arguments


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.text(max_size=40))
def test_reminders_never_count(reminder: str, goal: str) -> None:
    plain = [{"type": "text", "text": f"Say {goal}"}]
    reminded = [{"type": "text", "text": f"<system-reminder>{reminder}</system-reminder>"}, *plain]
    requests = [{"messages": [{"role": "user", "content": content}]} for content in (plain, reminded)]
    assert count_input_tokens(requests[0]) == count_input_tokens(requests[1])
    assert read_conversation(requests[0]).goal == read_conversation(requests[1]).goal


@settings(max_examples=100, deadline=None)
@given(json_values)
def test_counting_never_fails(value: Any) -> None:
    assert count_input_tokens({"system": value, "tools": value, "messages": [value, {"content": [value]}]}) >= 0
