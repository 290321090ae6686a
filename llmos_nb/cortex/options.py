"""ClaudeAgentOptions for an agent: its grant and prompt, the endpoint, the settings, and whatever else the SDK offers.

Every field of the SDK's options can be set: in ``llmos.toml`` under ``[sdk]``, or in an agent's front matter under
``options:``, which goes before. A few are this package's own to set; naming one of those says why.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.cortex.endpoint import DETOURS
from llmos_nb.cortex.hooks import PREFIX
from llmos_nb.errors import SettingsError
from llmos_nb.mind import Agent
from llmos_nb.tools.registry import TOOLS

__all__ = ["PREAMBLE", "build_options", "check_sdk_options"]

#: What every agent is told before its own prompt. Constant: nothing in it may vary from run to run.
PREAMBLE: Final = """\
You work for a person inside their Jupyter notebook. The run_cell tool runs Python in their own kernel: variables you \
make stay there for them, and variables they made are yours to use. What a cell prints or shows appears in the notebook \
by itself; do not repeat it. Every call passes a guard; a call it refuses must not be tried again in another guise.
Numbers and names in your answer must come from results you saw. End with a short answer in Markdown; if the goal could \
not be reached, say so and why."""

_OURS: Final = {
    "include_partial_messages": "streaming is always on: costs are counted from it",
    "debug_stderr": "the SDK no longer reads it; use 'stderr'",
    "verbatim_prompts": "every goal is already delivered word for word",
}


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
) -> Any:
    """The ``ClaudeAgentOptions`` of one client.

    Raises:
        SettingsError: an unknown option, one that is not for the user to set, or an unusable value.
    """
    import claude_agent_sdk as sdk

    wanted = {
        **_known(settings_sdk, "llmos.toml [sdk]"),
        **_known(agent.options, f"{agent.path.name if agent.path else agent.name}: options"),
    }
    own = [PREFIX + name for name in agent.tools if name in TOOLS]
    built_in = [name for name in agent.tools if name not in TOOLS]
    fields: dict[str, Any] = {
        "tools": built_in,
        "system_prompt": f"{PREAMBLE}\n\n{agent.prompt}".strip(),
        "skills": [],
        "setting_sources": [],
        "strict_mcp_config": True,
        "max_turns": max_turns,
        "cwd": str(cwd),
        **wanted,
        "stderr": _both(on_stderr, wanted.get("stderr")),
        "include_partial_messages": True,
    }
    if model is not None:
        fields["model"] = model
    fields["mcp_servers"] = {**_mapping(wanted, "mcp_servers"), "llmos": server}
    fields["allowed_tools"] = [*own, *built_in, *_names(wanted, "allowed_tools")]
    fields["env"] = _environment(_mapping(wanted, "env"), environment)
    fields["hooks"] = _joined(wanted.get("hooks") or {}, hooks)
    budgets = [b for b in (max_budget_usd, _amount(wanted, "max_budget_usd")) if b is not None]
    fields["max_budget_usd"] = min(budgets) if budgets else None
    if isinstance(fields.get("agents"), Mapping):
        fields["agents"] = {name: _definition(sdk, name, value) for name, value in fields["agents"].items()}
    system_prompt = wanted.get("system_prompt")
    if isinstance(system_prompt, dict) and system_prompt.get("type") == "preset" and "append" not in system_prompt:
        fields["system_prompt"] = {**system_prompt, "append": f"{PREAMBLE}\n\n{agent.prompt}".strip()}
    try:
        return sdk.ClaudeAgentOptions(**fields)
    except TypeError as error:
        raise SettingsError(
            f"The SDK refuses its options: {error}.", remedy="Check [sdk] and the agent file."
        ) from error


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
