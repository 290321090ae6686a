"""Token counts: the same for the same run, whatever the client adds."""

from __future__ import annotations

import copy
from typing import Any

from llmos_nb.cortex.scripted.player import Reply, TextPart, ToolPart
from llmos_nb.cortex.scripted.usage import count_input_tokens, count_output_tokens

REQUEST: dict[str, Any] = {
    "system": [{"type": "text", "text": "You are an agent." * 10}],
    "tools": [{"name": "run_cell", "description": "Runs code.", "input_schema": {"type": "object"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Count a.csv"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "run_cell", "input": {"code": "1"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "n=7"}]},
    ],
}
COUNT = count_input_tokens(REQUEST)


def changed() -> dict[str, Any]:
    return copy.deepcopy(REQUEST)


def test_reminders_billing_ids_and_metadata_are_not_counted() -> None:
    other = changed()
    other["metadata"] = {"user_id": "someone"}
    other["system"].insert(0, {"type": "text", "text": "x-anthropic-billing-header: cc_version=1"})
    other["messages"][0]["content"].insert(
        0, {"type": "text", "text": "<system-reminder>/some/folder</system-reminder>"}
    )
    other["messages"][1]["content"][0]["id"] = other["messages"][2]["content"][0]["tool_use_id"] = "another-id"
    other["tools"][0]["cache_control"] = {"type": "ephemeral"}
    other["system"][1]["text"] = other["tools"][0]["description"] = "another version of the client"
    other["messages"].insert(1, {"role": "system", "content": "Today's date is 2031-01-01. Folder: /some/where"})
    assert count_input_tokens(other) == COUNT


def test_a_client_that_was_cleared_before_counts_as_a_new_one() -> None:
    other = changed()
    other["messages"][0]["content"][:0] = [
        {"type": "text", "text": text}
        for text in (
            "<local-command-caveat>The command below was run directly.</local-command-caveat>\n",
            "<command-name>/clear</command-name>\n  <command-message>clear</command-message>\n",
            "<local-command-stdout></local-command-stdout>\n",
        )
    ]
    assert count_input_tokens(other) == COUNT


def test_what_is_said_and_done_is_counted() -> None:
    other = changed()
    other["messages"][0]["content"][0]["text"] += "x" * 40
    assert count_input_tokens(other) == COUNT + 10
    other = changed()
    other["messages"][2]["content"][0]["content"] = [{"type": "text", "text": "n=7" + "x" * 40}]
    assert count_input_tokens(other) == COUNT + 10
    other["messages"][2]["content"][0]["content"].append({"type": "image", "source": {"data": "x" * 99_999}})
    assert count_input_tokens(other) == COUNT + 10 + 1_600


def test_a_prompt_and_guidance_are_counted() -> None:
    bare = {"messages": REQUEST["messages"]}
    assert count_input_tokens(bare) < COUNT
    other = changed()
    guidance = f"<llmos-guidance>{'x' * 40}</llmos-guidance>"
    other["messages"].insert(1, {"role": "system", "content": f"Folder: /some/where {guidance}"})
    assert count_input_tokens(other) == COUNT + (len(guidance) + 2) // 4


def test_output_counts_text_and_calls() -> None:
    assert count_output_tokens(Reply((TextPart("x" * 40),), "g")) == 14
    assert count_output_tokens(Reply((TextPart("x" * 40), ToolPart("t" * 10, {"a": 1})), "g")) == 23
