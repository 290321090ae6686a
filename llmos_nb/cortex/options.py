"""ClaudeAgentOptions for an agent: its grant and prompt, the endpoint, the settings, and whatever else the SDK offers.

Every field of the SDK's options can be set: in ``llmos.toml`` under ``[sdk]``, or in an agent's front matter under
``options:``, which goes before. A few are this package's own to set; naming one of those says why.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from llmos_nb.cortex.endpoint import DETOURS
from llmos_nb.cortex.hooks import PREFIX
from llmos_nb.errors import SettingsError
from llmos_nb.kernel.offspring import CLIENT, KERNEL, kernel_mark
from llmos_nb.kernel.secrets import redacted
from llmos_nb.mind import Agent
from llmos_nb.tools.cell import RUN_CELL
from llmos_nb.tools.registry import TOOLS

__all__ = ["PREAMBLE", "build_options", "check_sdk_options", "instructions_of"]

#: What every agent is told before its own prompt. Constant: nothing in it may vary from run to run.
PREAMBLE: Final = """\
You work for a person inside their Jupyter notebook. The run_cell tool runs Python in their own kernel: variables you \
make stay there for them, and variables they made are yours to use. What a cell prints or shows appears in the notebook \
by itself; do not repeat it. Values of the goal that could be others next time belong into run_cell's parameters, with \
the code using their names. Every call passes a guard; a call it refuses must not be tried again in another guise.
Numbers and names in your answer must come from results you saw. End with a short answer in Markdown; if the goal could \
not be reached, say so and why."""

#: Bytes of one message of the CLI: as many as a request to the Messages API may have. The SDK's own limit of 1 MB ends a
#: run at a large picture or file.
MOST_BYTES: Final = 32 * 1024 * 1024

_OURS: Final = {
    "include_partial_messages": "streaming is always on: costs are counted from it",
    "debug_stderr": "the SDK no longer reads it; use 'stderr'",
    "verbatim_prompts": "every goal is already delivered word for word",
}


def named(name: str) -> str:
    """How an agent is told who it is."""
    return f"You are the agent {name}."


def instructions_of(agent: Agent) -> str:
    """The system prompt of an agent."""
    return redacted(f"{PREAMBLE}\n\n{named(agent.name)}\n\n{agent.prompt}".strip())


def build_options(
    agent: Agent,
    *,
    settings_sdk: Mapping[str, Any],
    model: str | None,
    max_turns: int | None,
    max_budget_usd: float | None,
    cwd: Path,
    environment: Mapping[str, str],
    server: Any,
    hooks: Mapping[str, list[Any]],
    on_stderr: Callable[[str], None],
    more_tools: Sequence[str] = (),
    team: Sequence[Agent] = (),
    resume: str = "",
    mark: str = "",
) -> Any:
    """The ``ClaudeAgentOptions`` of one client; ``more_tools`` are names of tools beyond the agent's grant, ``team`` are
    the agents that it may call, and ``resume`` names a conversation to go on with, which itself stays as it was. All that
    the client starts has ``mark``.

    Raises:
        SettingsError: an unknown option, one that is not for the user to set, or an unusable value.
    """
    import claude_agent_sdk as sdk

    wanted = {
        **_known(settings_sdk, "llmos.toml [sdk]"),
        **_known(agent.options, f"{agent.path.name if agent.path else agent.name}: options"),
    }
    own, built_in = _named(agent, more_tools)
    instructions = instructions_of(agent)
    fields: dict[str, Any] = {
        "tools": built_in,
        "system_prompt": instructions,
        "skills": [],
        "setting_sources": [],
        "strict_mcp_config": True,
        "max_turns": max_turns,
        "max_buffer_size": MOST_BYTES,
        "cwd": str(cwd),
        **wanted,
        "stderr": _both(on_stderr, wanted.get("stderr")),
        "include_partial_messages": True,
    }
    if model is not None:
        fields["model"] = model
    if resume:
        fields["resume"], fields["fork_session"] = resume, True
    fields["mcp_servers"] = {**_mapping(wanted, "mcp_servers"), "llmos": server}
    fields["allowed_tools"] = [*own, *built_in, *_names(wanted, "allowed_tools")]
    fields["env"] = _environment(_mapping(wanted, "env"), environment)
    if mark:
        fields["env"] = {**fields["env"], CLIENT: mark, KERNEL: kernel_mark()}
    fields["hooks"] = _joined(wanted.get("hooks") or {}, hooks)
    budgets = [b for b in (max_budget_usd, _amount(wanted, "max_budget_usd")) if b is not None]
    fields["max_budget_usd"] = min(budgets) if budgets else None
    if isinstance(fields.get("agents"), Mapping):
        fields["agents"] = {name: _definition(sdk, name, value) for name, value in fields["agents"].items()}
    if team:
        delegates = {one.name: _delegate(sdk, one, more_tools, max_turns) for one in team}
        fields["agents"] = {**(fields.get("agents") or {}), **delegates}
        # In the background a subagent would go on after the run's end, unseen by it.
        fields["env"] = {**fields["env"], "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"}
    system_prompt = wanted.get("system_prompt")
    if isinstance(system_prompt, dict) and system_prompt.get("type") == "preset" and "append" not in system_prompt:
        fields["system_prompt"] = {**system_prompt, "append": instructions}
    try:
        return sdk.ClaudeAgentOptions(**fields)
    except TypeError as error:
        raise SettingsError(
            f"The SDK refuses its options: {error}.", remedy="Check [sdk] and the agent file."
        ) from error


def _named(agent: Agent, more_tools: Sequence[str]) -> tuple[list[str], list[str]]:
    """The SDK's names of our tools that the agent may use, and of the CLI's own."""
    own = [PREFIX + name for name in (*(name for name in agent.tools if name in TOOLS), *more_tools)]
    return own, [name for name in agent.tools if name not in TOOLS]


def _delegate(sdk: Any, agent: Agent, more_tools: Sequence[str], max_turns: int | None) -> Any:
    """An agent as the SDK's definition of a subagent. Crystals are for those that may run cells."""
    own, built_in = _named(agent, more_tools if RUN_CELL.name in agent.tools else ())
    return sdk.AgentDefinition(
        description=agent.description or agent.name,
        prompt=instructions_of(agent),
        tools=[*own, *built_in],
        model=agent.model or "inherit",
        maxTurns=agent.options.get("max_turns", max_turns),
        effort=agent.options.get("effort"),
    )


def check_sdk_options(options: Mapping[str, Any], where: str) -> None:
    """Refuse option names that the SDK does not have, or that are not for the user to set.

    Raises:
        SettingsError: the first such name, with the closest one there is.
    """
    _known(options, where)


def _known(options: Mapping[str, Any], where: str) -> dict[str, Any]:
    import claude_agent_sdk as sdk

    names = [field.name for field in dataclasses.fields(sdk.ClaudeAgentOptions)]
    for name in options:
        if name in _OURS:
            raise SettingsError(f"{where}: {name!r} cannot be set: {_OURS[name]}.", remedy="Remove it.")
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            raise SettingsError(
                f"{where}: the SDK has no option {name!r}.",
                remedy=f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(sorted(names))}.",
            )
    return dict(options)


def _mapping(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = options.get(name) or {}
    if not isinstance(value, Mapping):
        raise SettingsError(f"{name} must be a table, got {value!r:.60}.", remedy="Write it as a table of names.")
    return dict(value)


def _names(options: Mapping[str, Any], name: str) -> list[str]:
    value = options.get(name) or []
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise SettingsError(f"{name} must be a list of names, got {value!r:.60}.", remedy=f'Write {name} = ["…"].')
    return list(value)


def _amount(options: Mapping[str, Any], name: str) -> float | None:
    value = options.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0):
        return value
    raise SettingsError(f"{name} must be an amount in US dollars, got {value!r:.60}.", remedy=f"Write {name} = 0.5.")


def _environment(theirs: Mapping[str, Any], ours: Mapping[str, str]) -> dict[str, str]:
    """The user's variables, but for those that decide where the model is; what is only emptied because the
    surroundings had it, the user may set here."""
    free = {
        name: str(value) for name, value in theirs.items() if not ours.get(name) and not (name in DETOURS and ours)
    }
    return {**ours, **free}


def _both(ours: Callable[[str], None], theirs: Any) -> Callable[[str], None]:
    """Hand each line of the CLI's error stream to both."""
    if theirs is None:
        return ours

    def heard(line: str) -> None:
        ours(line)
        theirs(line)

    return heard


def _joined(theirs: Mapping[str, list[Any]], ours: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """The user's hooks beside ours, never in place of them."""
    return {event: [*ours.get(event, ()), *theirs.get(event, ())] for event in {*ours, *theirs}}


def _definition(sdk: Any, name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    try:
        return sdk.AgentDefinition(**value)
    except TypeError as error:
        raise SettingsError(f"agents.{name}: {error}.", remedy="Give it description and prompt.") from error
