"""``create_agent``, ``modify_agent``, ``list_agents`` and ``reload_agent``: how an agent writes agents, itself included.

What an agent may do bounds what it may decide: it can neither grant what it was not granted, nor put words into the
mouth of an agent that may do more. Options, the guard, settings and the ledger are out of reach: no argument names them.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from llmos_nb.errors import AgentFileError, UnknownAgent
from llmos_nb.guard.verdict import ALLOWED, Verdict
from llmos_nb.kernel.whose import own_work
from llmos_nb.mind import Agent, AgentRegistry, Change, difference
from llmos_nb.mind.delegates import delegate_names
from llmos_nb.tools.cell import relative
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult

__all__ = ["CREATE_AGENT", "LIST_AGENTS", "MODIFY_AGENT", "RELOAD_AGENT"]

#: Agents that one answer lists.
LISTED: Final = 200
_MISSING: Final = ToolResult(text="There are no agents here to work on.", error="UnknownAgent")


def _found(registry: AgentRegistry, name: object) -> Agent | None:
    try:
        return registry.get(name) if isinstance(name, str) else None
    except UnknownAgent:
        return None


def _list_of(value: Any) -> list[str]:
    """Tools' names, as a list or as text with commas or spaces between them."""
    return value.replace(",", " ").split() if isinstance(value, str) else list(value)


def _change(context: ToolContext, arguments: Mapping[str, Any]) -> Change:
    return Change(
        by=f"agent:{context.agent}",
        reason=str(arguments.get("reason", "")),
        run_id=context.run_id,
        within=context.grant,
    )


def _told(context: ToolContext, name: str, said: str, old: Agent | None, new: Agent) -> ToolResult:
    assert context.services.agents is not None
    diff = difference(old, new)
    path = context.services.agents.folder / f"{name}.md"
    text = f"{said}\n\n{diff}" if diff else said
    return ToolResult(text=text, diff=diff, files=relative([path.resolve()], context.cwd))


# -- may it?


def _allowed(context: ToolContext, what: str, old: Agent | None, tools: list[str]) -> Verdict:
    beyond = sorted({*tools, *(old.tools if old is not None else ())} - context.grant)
    if beyond:
        return Verdict(
            "deny",
            "beyond-own-grant",
            f"{context.agent or 'the agent'} was not granted {', '.join(beyond)[:200]}, and so may not {what}",
        )
    policy = context.services.agent_changes
    if policy == "allow":
        return ALLOWED
    decision: Any = "ask" if policy == "ask" else "deny"
    return Verdict(
        decision, "agent-changes", f"the setting agent_changes is {policy}: {context.agent} wants to {what}"
    )


def _check_create(context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
    registry = context.services.agents
    if registry is None or CREATE_AGENT.problem(arguments):
        return ALLOWED  # the call itself says what is wrong
    name = arguments["name"]
    old = _found(registry, name)
    if old is not None:  # nothing will be changed
        return ALLOWED
    return _allowed(context, f"create the agent {str(name)[:64]}", None, _list_of(arguments.get("tools", [])))


def _check_modify(context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
    registry = context.services.agents
    if registry is None or MODIFY_AGENT.problem(arguments):
        return ALLOWED
    old = _found(registry, arguments["name"])
    if old is None:
        return ALLOWED
    tools = _list_of(arguments["value"]) if arguments["field"] == "tools" else []
    verdict = _allowed(context, f"change {arguments['field']!r:.20} of the agent {old.name}", old, tools)
    if verdict.decision == "ask" and _as_modified(old, arguments) == old:
        return ALLOWED
    return verdict


# -- what it would do


def _as_created(arguments: Mapping[str, Any]) -> Agent:
    return Agent(
        name=arguments["name"],
        description=arguments["description"],
        tools=tuple(dict.fromkeys(_list_of(arguments.get("tools", [])))),
        prompt=arguments["prompt"].replace("\r\n", "\n").strip(),
        model=arguments.get("model") or None,
    )


def _as_modified(old: Agent, arguments: Mapping[str, Any]) -> Agent:
    field, append = arguments["field"], bool(arguments.get("append"))
    value = _value(field, arguments["value"])
    if append and field == "tools":
        value = [*old.tools, *value]
    elif append and field in ("prompt", "description"):
        before = getattr(old, field)
        gap = "\n\n" if field == "prompt" else " "
        value = before if before.endswith(str(value).strip()) else f"{before}{gap}{value}".strip()
    if field == "tools":
        value = tuple(dict.fromkeys(value))
    elif field == "prompt":
        value = value.replace("\r\n", "\n").strip()
    return dataclasses.replace(old, **{field: value})


def _value(field: str, value: Any) -> Any:
    if field == "tools":
        return _list_of(value)
    if not isinstance(value, str):
        raise AgentFileError(f"{field} must be text, got a list.", remedy="Give a list for tools alone.")
    return value.strip() or None if field == "model" else value


def _preview_create(context: ToolContext, arguments: Mapping[str, Any]) -> str:
    return difference(None, _as_created(arguments))


def _preview_modify(context: ToolContext, arguments: Mapping[str, Any]) -> str:
    assert context.services.agents is not None
    old = context.services.agents.get(arguments["name"])
    return difference(old, _as_modified(old, arguments))


# -- doing it


async def _create_agent(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    registry, name = context.services.agents, arguments["name"]
    if registry is None:
        return _MISSING
    wanted = _as_created(arguments)
    delegate_names(wanted)
    old = _found(registry, name)
    if old is not None:
        same = dataclasses.replace(
            old, description=wanted.description, tools=wanted.tools, prompt=wanted.prompt, model=wanted.model
        )
        if not difference(old, same):
            return _told(
                context, name, f"The agent {name} is there already, exactly so: nothing was changed.", old, old
            )
        return ToolResult(
            text=f"What would have to change:\n\n{difference(old, same)}\n\nThere is an agent {name} already, and it is "
            "another one. Change it with modify_agent, or choose another name.",
            error="AgentFileError",
        )
    context.undo.keep_file(registry.folder / f"{name}.md")
    with own_work():  # the thread has this context, too
        made = await asyncio.to_thread(
            registry.create,
            name,
            wanted.description,
            list(wanted.tools),
            wanted.prompt,
            model=wanted.model,
            change=_change(context, arguments),
        )
    said = f"Created the agent {name}. It can be used now, by its name: no restart is needed."
    return _told(context, name, said, None, made)


async def _modify_agent(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    registry, name, field = context.services.agents, arguments["name"], arguments["field"]
    if registry is None:
        return _MISSING
    old = registry.get(name)
    value, append = _value(field, arguments["value"]), bool(arguments.get("append"))
    delegate_names(_as_modified(old, arguments))
    context.undo.keep_file(registry.folder / f"{name}.md")
    with own_work():
        new = await asyncio.to_thread(
            registry.modify, name, field, value, append=append, change=_change(context, arguments)
        )
    if not difference(old, new):
        return _told(context, name, f"The {field} of {name} says so already: nothing was changed.", new, new)
    return _told(context, name, f"Changed the {field} of {name}, in force from the next goal on.", old, new)


async def _list_agents(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    registry = context.services.agents
    if registry is None:
        return _MISSING
    words = str(arguments.get("about", "")).casefold().split()
    agents = [
        agent
        for agent in registry.list()
        if not registry.foreign(agent.name)  # its description is a stranger's words
        if all(word in f"{agent.name} {agent.description}".casefold() for word in words)
    ]
    lines = [
        f"- {agent.name}: {agent.description or '(no description)'} [tools: {', '.join(agent.tools) or 'none'}"
        f"{f'; model: {agent.model}' if agent.model else ''}; version {agent.version}]"
        for agent in agents[:LISTED]
    ]
    if len(agents) > LISTED:
        lines.append(f"… and {len(agents) - LISTED} more: name what they are about.")
    lines += [f"- (cannot be used) {error}" for error in registry.errors[:20]]
    return ToolResult(text="\n".join(lines) or "No agent fits.")


async def _reload_agent(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    registry, name = context.services.agents, arguments["name"]
    if registry is None:
        return _MISSING
    try:
        agent = registry.reload(name)
    except AgentFileError as error:
        kept = _found_good(registry, name)
        stays = f" Version {kept.version} stays in use." if kept is not None else ""
        return ToolResult(text=f"{error}{stays}", error="AgentFileError")
    tools = ", ".join(agent.tools) or "none"
    return ToolResult(
        text=f"{name}: version {agent.version} is in force. Tools: {tools}. {agent.description}".rstrip()
    )


def _found_good(registry: AgentRegistry, name: str) -> Agent | None:
    try:
        return registry.get(name)
    except (AgentFileError, UnknownAgent):
        return None


_NAME: Final = {"type": "string", "description": "The agent's name: 2 to 64 of a-z, 0-9 and '-', a letter first."}
_REASON: Final = {"type": "string", "description": "Why, in a few words: kept in the agent's history."}

CREATE_AGENT: Final = Tool(
    name="create_agent",
    description="Write a new agent that can be used at once, by its name. Grant it only what it needs, and only tools "
    "that you have yourself.",
    schema={
        "type": "object",
        "properties": {
            "name": _NAME,
            "description": {"type": "string", "description": "What it is for, in one sentence."},
            "prompt": {"type": "string", "description": "Its instructions, as you would give them to a colleague."},
            "tools": {
                "type": ["array", "string"],
                "items": {"type": "string"},
                "description": "The tools it may use; none if left out.",
            },
            "model": {"type": "string", "description": "The model it asks; the usual one if left out."},
            "reason": _REASON,
        },
        "required": ["name", "description", "prompt"],
    },
    run=_create_agent,
    main="prompt",
    check=_check_create,
    preview=_preview_create,
)

MODIFY_AGENT: Final = Tool(
    name="modify_agent",
    description="Change one field of an agent, yourself included; in force from the next goal on. Every version is kept.",
    schema={
        "type": "object",
        "properties": {
            "name": _NAME,
            "field": {
                "type": "string",
                "enum": ["description", "tools", "prompt", "model"],
                "description": "What to change.",
            },
            "value": {
                "type": ["string", "array"],
                "items": {"type": "string"},
                "description": "The new text, or for tools the list of names.",
            },
            "append": {"type": "boolean", "description": "Add the value to what is there instead of replacing it."},
            "reason": _REASON,
        },
        "required": ["name", "field", "value"],
    },
    run=_modify_agent,
    main="value",
    check=_check_modify,
    preview=_preview_modify,
)

LIST_AGENTS: Final = Tool(
    name="list_agents",
    description="List the agents that can be used, with what they are for and what they are granted.",
    schema={
        "type": "object",
        "properties": {
            "about": {"type": "string", "description": "Only agents whose name or description has these words."}
        },
    },
    run=_list_agents,
    main="about",
    changes=False,
)

RELOAD_AGENT: Final = Tool(
    name="reload_agent",
    description="Read an agent's file again and say which version is in force, or what is wrong with the file. Edits "
    "count by themselves; this is for making sure.",
    schema={"type": "object", "properties": {"name": _NAME}, "required": ["name"]},
    run=_reload_agent,
    main="name",
    changes=False,
)
