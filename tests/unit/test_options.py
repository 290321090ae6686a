"""The SDK's options: every one can be set, ours are never lost, and a mistake is named."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.cortex.hooks import HOOKS, PREFIX, build_hooks
from llmos_nb.cortex.options import PREAMBLE, build_options
from llmos_nb.errors import SettingsError
from llmos_nb.mind import Agent

sdk = pytest.importorskip("claude_agent_sdk")

FIELDS = [field.name for field in dataclasses.fields(sdk.ClaudeAgentOptions)]
#: What this package sets itself, and says why.
OURS = {"include_partial_messages", "debug_stderr", "verbatim_prompts"}
AGENT = Agent("adder", tools=("run_cell", "Bash"), prompt="You add.")
SERVER = object()

#: A value other than the default, for fields where one can be told.
SAMPLES: dict[str, Any] = {
    "tools": ["Read"], "allowed_tools": ["Read"], "system_prompt": "Be brief.", "mcp_servers": {"other": {"url": "x"}},
    "strict_mcp_config": False, "permission_mode": "plan", "continue_conversation": True, "resume": "id",
    "session_id": "id", "max_turns": 3, "max_budget_usd": 0.25, "disallowed_tools": ["Bash"], "model": "some-model",
    "fallback_model": "other", "betas": ["context-1m-2025-08-07"], "permission_prompt_tool_name": "ask", "cwd": "/",
    "cli_path": "/bin/claude", "settings": "{}", "add_dirs": ["/data"], "env": {"A": "b"}, "extra_args": {"x": None},
    "max_buffer_size": 9, "stderr": print, "can_use_tool": print, "hooks": {"Stop": []}, "user": "me",
    "include_hook_events": True, "forward_subagent_text": True, "fork_session": True, "resume_session_at": "id",
    "resume_drops_turn": "id", "agents": {"helper": {"description": "Helps.", "prompt": "Help."}},
    "setting_sources": ["project"], "skills": "all", "sandbox": {"enabled": True}, "plugins": [{"type": "local"}],
    "max_thinking_tokens": 9, "thinking": {"type": "disabled"}, "effort": "low", "output_format": {"type": "json_schema"},
    "enable_file_checkpointing": True, "session_store": object(), "session_store_flush": "eager",
    "load_timeout_ms": 9, "task_budget": {"total": 9}, "client_app": "notebook",
}  # fmt: skip


def build(sdk_options: dict[str, Any] | None = None, agent: Agent = AGENT, **changes: Any) -> Any:
    given: dict[str, Any] = {
        "settings_sdk": sdk_options or {}, "model": None, "max_turns": 50, "max_budget_usd": None, "cwd": Path("/work"),
        "environment": {}, "server": SERVER, "hooks": build_hooks(HOOKS, lambda: None, 5.0),
        "on_stderr": lambda line: None,
    }  # fmt: skip
    return build_options(agent, **{**given, **changes})


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in OURS])
def test_every_option_can_be_set(name: str) -> None:
    default = next(f for f in dataclasses.fields(sdk.ClaudeAgentOptions) if f.name == name).default
    value = SAMPLES.get(name, default)
    set_to = getattr(build({name: value}), name)
    if name in ("allowed_tools", "mcp_servers", "env", "hooks"):
        assert set(value) <= set(set_to)  # joined with ours
    elif name == "agents":
        assert set_to["helper"].prompt == "Help."
    elif name != "stderr":
        assert set_to == value


@pytest.mark.parametrize("name", sorted(OURS))
def test_option_of_ours_is_refused_with_the_reason(name: str) -> None:
    assert name in FIELDS
    with pytest.raises(SettingsError, match=f"'{name}' cannot be set: ") as caught:
        build({name: True})
    assert len(caught.value.message.partition("cannot be set: ")[2]) > 20


def test_unknown_option_is_refused_with_the_closest_name() -> None:
    with pytest.raises(SettingsError, match="no option 'max_turn'") as caught:
        build({"max_turn": 3})
    assert "'max_turns'" in caught.value.remedy
    with pytest.raises(SettingsError) as caught:
        build({"zzz": 3})
    assert "max_turns" in caught.value.remedy


def test_agent_goes_before_the_settings_and_a_mistake_names_its_file() -> None:
    agent = dataclasses.replace(AGENT, options={"effort": "high"}, path=Path("agents/adder.md"))
    assert build({"effort": "low"}, agent).effort == "high"
    with pytest.raises(SettingsError, match=r"adder\.md: options"):
        build({}, dataclasses.replace(agent, options={"efort": "high"}))


def test_users_hooks_join_ours() -> None:
    theirs = sdk.HookMatcher(hooks=[print])
    hooks = build({"hooks": {"PreToolUse": [theirs], "Stop": [theirs]}}).hooks
    assert len(hooks["PreToolUse"]) == 3
    assert hooks["PreToolUse"][-1] is theirs
    assert hooks["Stop"] == [theirs]
    assert set(hooks) >= {"UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure"}


def test_all_five_hooks_block_on_failure_for_all_tools() -> None:
    for event, matchers in build().hooks.items():
        for matcher in matchers:
            assert matcher.on_failure == "block", event
            assert matcher.matcher is None, event
            assert matcher.timeout > 5.0, "ours comes first"


def test_run_without_one_of_the_hooks_cannot_be_built() -> None:
    for hook in HOOKS:
        with pytest.raises(ValueError, match=hook.name):
            build_hooks(tuple(other for other in HOOKS if other is not hook), lambda: None, 5.0)


def test_our_server_cannot_be_replaced() -> None:
    servers = build({"mcp_servers": {"llmos": {"url": "http://elsewhere"}, "other": {"url": "x"}}}).mcp_servers
    assert servers == {"llmos": SERVER, "other": {"url": "x"}}


def test_grant_becomes_tools() -> None:
    options = build()
    assert options.tools == ["Bash"], "the CLI's own tools that were granted, no others"
    assert options.allowed_tools == [PREFIX + "run_cell", "Bash"]
    assert build({}, Agent("nobody")).allowed_tools == []


def test_prompt_begins_the_same_for_every_agent_and_run() -> None:
    told = f"{PREAMBLE}\n\nYou are the agent {AGENT.name}.\n\nYou add."
    assert build().system_prompt == told
    preset = {"type": "preset", "preset": "claude_code"}
    assert build({"system_prompt": preset}).system_prompt == {**preset, "append": told}


@pytest.mark.parametrize(
    ("ours", "theirs", "used"),
    [(None, None, None), (0.5, None, 0.5), (None, 0.25, 0.25), (0.5, 0.25, 0.25), (0.1, 9, 0.1)],
)
def test_smaller_budget_counts(ours: float | None, theirs: float | None, used: float | None) -> None:
    options = {} if theirs is None else {"max_budget_usd": theirs}
    assert build(options, max_budget_usd=ours).max_budget_usd == used


def test_model_of_the_run_goes_before_the_settings() -> None:
    assert build({"model": "settings"}, model="run").model == "run"
    assert build({"model": "settings"}).model == "settings"


def test_environment_of_the_endpoint_goes_before_the_settings() -> None:
    """But a variable that is emptied only because the surroundings had it may be set on purpose."""
    endpoint = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1", "CLAUDE_CODE_MAX_RETRIES": "", "HTTPS_PROXY": ""}
    theirs = {
        "ANTHROPIC_BASE_URL": "http://elsewhere", "CLAUDE_CODE_MAX_RETRIES": "1", "HTTPS_PROXY": "http://elsewhere",
        "CLAUDE_CODE_USE_BEDROCK": "1", "MINE": "yes",
    }  # fmt: skip
    env = build({"env": theirs}, environment=endpoint).env
    assert env == {**endpoint, "CLAUDE_CODE_MAX_RETRIES": "1", "MINE": "yes"}
    assert build({"env": theirs}).env == theirs, "with Claude itself, the user decides"


def test_error_stream_is_heard_by_both() -> None:
    ours: list[str] = []
    theirs: list[str] = []
    build({"stderr": theirs.append}, on_stderr=ours.append).stderr("a line")
    assert ours == theirs == ["a line"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_tools", "Bash"), ("mcp_servers", "servers.json"), ("env", ["A=b"]), ("max_budget_usd", "much"),
        ("max_budget_usd", -1), ("agents", {"helper": {"promt": "x"}}),
    ],
)  # fmt: skip
def test_unusable_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        build({name: value})
    assert name in caught.value.message
    assert caught.value.remedy
