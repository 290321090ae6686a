"""Playing scripts: every answer follows from the request's messages alone."""

from __future__ import annotations

from typing import Any

import pytest

from llmos_nb.cortex.scripted import UNKNOWN_GOAL, Script, parse_script
from llmos_nb.cortex.scripted.conversation import BadRequest, read_conversation
from llmos_nb.cortex.scripted.player import Reply, TextPart, ToolPart, play

SCRIPT = parse_script(
    """\
---
goal: Count {file:path}
---
## Turn 1

Looking at {{file}}.

### run_cell

```python
a = {{file|quoted}}
```

### read_file

```yaml arguments
path: "{{file}}"
limits: [1, "{{file}}"]
```

## Turn 2

### run_cell

```python
b = {{result 2|number 1|int}}
```

## On error in turn 2

Again: {{error|last line}}

### run_cell

```python
c = {{error|quoted}}
```

## Guided

### run_cell

```python
guided = {{file|quoted}}
```

## Answer

Counted: {{result|match: n=(\\d+)}}.

## Guided answer

Guided: {{result}}

## Answer after error

Counted {{result}} after {{error}}.
""",
    "count.md",
)
RUN, READ = "mcp__llmos__run_cell", "mcp__llmos__read_file"
REMINDER = "<system-reminder>\nToday is a day.\n</system-reminder>"


def user(*blocks: Any) -> dict[str, Any]:
    return {
        "role": "user",
        "content": [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks],
    }


def result(id: str, text: str, *, error: bool = False) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": text, "is_error": error}


def assistant(*calls: str, text: str = "") -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    return {
        "role": "assistant",
        "content": [*blocks, *({"type": "tool_use", "id": id, "name": RUN, "input": {}} for id in calls)],
    }


def answer(
    *messages: dict[str, Any], tools: tuple[str, ...] = (RUN, READ), scripts: list[Script] | None = None
) -> Reply:
    request = {"messages": list(messages), "tools": [{"name": name} for name in tools]}
    return play(read_conversation(request), [SCRIPT] if scripts is None else scripts)


def text(reply: Reply) -> str:
    assert reply.stop_reason == "end_turn"
    return "\n".join(part.text for part in reply.parts if isinstance(part, TextPart))


GOAL = user(REMINDER, "Count a.csv", REMINDER)
TURN_1 = (GOAL, assistant("t1", "t2"), user(result("t2", "n=7 rows"), result("t1", "fine"), REMINDER))


def test_the_first_turn_speaks_and_calls_with_the_goals_values() -> None:
    reply = answer(GOAL)
    assert reply.parts == (
        TextPart("Looking at a.csv."),
        ToolPart(RUN, {"code": 'a = "a.csv"'}),
        ToolPart(READ, {"path": "a.csv", "limits": [1, "a.csv"]}),
    )
    assert (reply.stop_reason, reply.goal, reply.script) == ("tool_use", "Count a.csv", SCRIPT)


def test_the_next_turn_uses_the_actual_results_in_the_order_of_the_calls() -> None:
    assert answer(*TURN_1).parts == (ToolPart(RUN, {"code": "b = 7"}),)


def test_the_closing_text_quotes_the_actual_result() -> None:
    assert text(answer(*TURN_1, assistant("t3"), user(result("t3", "n=7")))) == "Counted: 7."


def test_the_answer_says_what_it_could_not_find() -> None:
    told = text(answer(*TURN_1, assistant("t3"), user(result("t3", "nothing\nhere"))))
    assert told.startswith("Counted: (not found).")
    assert "`result|match: n=(\\d+)`" in told
    assert "> nothing\n> here" in told


def test_a_step_that_needs_a_missing_number_is_not_made() -> None:
    told = text(answer(GOAL, assistant("t1", "t2"), user(result("t1", "1"), result("t2", "none"))))
    assert "cannot prepare the next step" in told
    assert "> none" in told


def test_an_error_without_recovery_is_told_with_its_last_line() -> None:
    failed = user(result("t1", "Traceback\nKeyError: 'x'\n\n", error=True), result("t2", "7"))
    told = text(answer(GOAL, assistant("t1", "t2"), failed))
    assert "The goal is not done" in told
    assert told.endswith("> KeyError: 'x'")


FAILED = (*TURN_1, assistant("t3"), user(result("t3", "boom\nValueError: no", error=True)))


def test_an_error_is_recovered_from_once() -> None:
    assert answer(*FAILED).parts == (
        TextPart("Again: ValueError: no"),
        ToolPart(RUN, {"code": 'c = "boom\\nValueError: no"'}),
    )
    assert (
        text(answer(*FAILED, assistant("t4"), user(result("t4", "n=9")))) == "Counted n=9 after boom\nValueError: no."
    )
    told = text(answer(*FAILED, assistant("t4"), user(result("t4", "OSError: again", error=True))))
    assert "> ValueError: no\n> OSError: again" in told


def test_a_missing_result_is_an_error() -> None:
    assert "gave no result" in text(answer(GOAL, assistant("t1", "t2"), user(result("t1", "1"))))


def test_guidance_plays_the_guided_turns() -> None:
    goal = user("<system-reminder><llmos-guidance trace='x'>…</llmos-guidance></system-reminder>", "Count a.csv")
    assert answer(goal).parts == (ToolPart(RUN, {"code": 'guided = "a.csv"'}),)
    assert text(answer(goal, assistant("t1"), user(result("t1", "42")))) == "Guided: 42"


def test_guidance_in_the_persons_own_words_is_not_guidance() -> None:
    assert len(answer(user("<llmos-guidance", "Count a.csv")).parts) == 3


def test_a_tool_that_is_not_offered_is_said_so() -> None:
    told = text(answer(GOAL, tools=(RUN, "my_read_file", "DeferredToolPlaceholder")))
    assert "`read_file`, which is not granted" in told
    assert "(granted: `run_cell`, `my_read_file`)" in told


@pytest.mark.parametrize(
    ("offered", "used"),
    [
        (("mcp__other__run_cell", "mcp__llmos__run_cell"), "mcp__llmos__run_cell"),
        (("mcp__llmos__run_cell", "run_cell"), "run_cell"),
        (("mcp__b__run_cell", "mcp__a__run_cell"), "mcp__a__run_cell"),
    ],
)
def test_tools_are_found_by_their_plain_name(offered: tuple[str, ...], used: str) -> None:
    parts = answer(GOAL, tools=(*offered, READ)).parts
    assert isinstance(parts[1], ToolPart)
    assert parts[1].name == used


def test_tool_choice_none_offers_nothing() -> None:
    request = {"messages": [GOAL], "tools": [{"name": RUN}], "tool_choice": {"type": "none"}}
    assert "granted: none" in text(play(read_conversation(request), [SCRIPT]))


def test_the_last_goal_counts() -> None:
    done = (*TURN_1, assistant("t3"), user(result("t3", "n=7")), assistant(text="Counted: 7."))
    assert answer(*done, user(REMINDER, "Count b.csv")).parts[0] == TextPart("Looking at b.csv.")
    assert answer(*done, user("Count b.csv", "Nothing known")).script is None


def test_a_goal_after_an_interruption_counts() -> None:
    stopped = user(result("t1", "stopped", error=True), "[Request interrupted by user for tool use]", "Count b.csv")
    assert answer(GOAL, assistant("t1", "t2"), stopped).parts[0] == TextPart("Looking at b.csv.")


def test_a_comment_beside_results_is_no_goal() -> None:
    commented = user(result("t1", "fine"), result("t2", "n=7"), "Some hook says hello")
    assert answer(GOAL, assistant("t1", "t2"), commented).parts == (ToolPart(RUN, {"code": "b = 7"}),)


def test_neighbouring_messages_of_one_role_are_one_turn() -> None:
    split = (
        GOAL,
        assistant("t1", text="Hm."),
        assistant("t2"),
        user(result("t1", "fine")),
        user(result("t2", "n=7")),
    )
    assert answer(*split) == answer(*TURN_1)


def test_reminders_in_results_and_plain_strings_are_left_out() -> None:
    goal = {"role": "user", "content": f"{REMINDER}\n{REMINDER}\nCount a.csv"}
    parts = [{"type": "text", "text": "n=7"}, {"type": "image"}, {"type": "text", "text": REMINDER + " 99"}]
    block = {"type": "tool_result", "tool_use_id": "t2", "content": parts}
    assert answer(goal, assistant("t1", "t2"), user(result("t1", "5"), block)).parts == (
        ToolPart(RUN, {"code": "b = 7"}),
    )


@pytest.mark.parametrize("tail", [f"\n{REMINDER}", f"{REMINDER}\n\n{REMINDER}\n", ""])
def test_a_remark_that_the_client_joined_to_an_error_is_not_quoted(tail: str) -> None:
    joined = {"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": f"It failed.{tail}"}
    request = {"messages": [user("Count a.csv"), assistant("t1"), user(joined)]}
    assert read_conversation(request).exchanges[0].error == "It failed."
    quoted = {**joined, "content": f"{REMINDER} is what it printed"}
    request = {"messages": [user("Count a.csv"), assistant("t1"), user({**quoted, "content": f"It: {REMINDER}."})]}
    assert read_conversation(request).exchanges[0].error == f"It: {REMINDER}.", "a tool's own words stay"


def test_what_the_client_puts_before_a_refusal_is_not_quoted() -> None:
    reason = "'9 parsecs' is not a length"
    refused = {"type": "tool_result", "tool_use_id": "t1", "is_error": True}
    for before in ("PreToolUse:mcp__llmos__move_relative hook error: ", ""):
        request = {"messages": [user("Count a.csv"), assistant("t1"), user({**refused, "content": before + reason})]}
        assert read_conversation(request).exchanges[0].error == reason


def test_an_unknown_goal_lists_what_is_known() -> None:
    told = text(answer(user("Sing a song")))
    assert told.startswith(UNKNOWN_GOAL + "\n\n- Count {file:path}\n")
    assert "ANTHROPIC_API_KEY" in told
    assert "LLMOS_ENDPOINT" in told


def test_the_list_is_bounded() -> None:
    many = [parse_script(f"---\ngoal: Do number {n}\n---\n## Answer\n\nok\n", f"do-{n}.md") for n in range(40)]
    bullets = [line for line in text(answer(user("Sing"), scripts=many)).split("\n") if line.startswith("- ")]
    assert len(bullets) == 30
    assert bullets[-1] == "- … and 11 more"


def test_only_reminders_are_an_unknown_goal() -> None:
    reply = answer(user(REMINDER))
    assert (reply.goal, reply.script) == ("", None)


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        ["hello"],
        [{"role": "robot", "content": "x"}],
        [{"role": "assistant", "content": "x"}],
        [{"role": "user", "content": 3}],
        [{"role": "user", "content": ["x"]}],
        [{"role": "user", "content": [{"type": "text"}]}],
        [{"role": "user", "content": [{"type": ["text"]}]}],
        [
            {"role": "user", "content": "x"},
            assistant("t"),
            user({"type": "tool_result", "tool_use_id": "t", "content": 3}),
        ],
    ],
)
def test_bad_messages_are_refused(messages: Any) -> None:
    with pytest.raises(BadRequest):
        read_conversation({"messages": messages})
