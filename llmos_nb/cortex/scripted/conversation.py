"""What a Messages API request says: the goal, whether guidance came with it, and what was done since.

Blocks that start with ``<system-reminder>``, or that tell of the client's own commands (``/clear``), are the client's
additions, not the person's words. A conversation may hold several goals one after the other; the last one counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["BadRequest", "Conversation", "Exchange", "Result", "is_added", "read_conversation"]

#: What the blocks begin with that a client adds by itself: reminders, and what it tells of its own commands.
ADDED: Final = ("<system-reminder>", "<local-command-", "<command-name>", "<command-message>")
#: The sign, inside a reminder, that a similar trace was given as guidance.
GUIDANCE: Final = "<llmos-guidance"
#: What the remembered facts are given in; each is a line that begins with a JSON string.
_MEMORY: Final = re.compile(r"<llmos-memory>\n(.*?)\n</llmos-memory>", re.DOTALL)
_FACT: Final = re.compile(r'^- ("(?:[^"\\]|\\.)*")', re.MULTILINE)
#: How the client marks that a person stopped it; never a goal.
INTERRUPTED: Final = "[Request interrupted by user"

#: How an agent is told its name; what its own file says comes later.
_AGENT: Final = re.compile(r"^You are the agent ([a-z][a-z0-9-]{1,63})\.$", re.MULTILINE)
_LEADING_REMINDERS: Final = re.compile(r"(?:\s*<system-reminder>.*?</system-reminder>)+\s*", re.DOTALL)
#: What a client adds behind a tool's text, where it makes one text of several blocks, as it does of an error.
_TRAILING_REMINDERS: Final = re.compile(
    r"(?:\s*<system-reminder>(?:(?!</?system-reminder>).)*</system-reminder>)+\s*\Z", re.DOTALL
)
#: What a client puts before the reason for which a hook refused a call.
_REFUSED: Final = re.compile(r"\A(?:PreToolUse:\S+ hook error: )+")


class BadRequest(Exception):
    """The request is not what the Messages API takes; the text says which field and why."""


@dataclass(frozen=True, slots=True)
class Result:
    """One tool result, without what the client adds to it."""

    text: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """One assistant turn since the goal and the results of its tool calls, in the order of the calls."""

    results: tuple[Result, ...]

    @property
    def error(self) -> str | None:
        """The first failed call's text, None when nothing failed."""
        return next((result.text for result in self.results if result.is_error), None)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The request as a script sees it. ``tools`` are the offered names."""

    goal: str
    guided: bool
    exchanges: tuple[Exchange, ...]
    tools: tuple[str, ...]
    #: The remembered facts that came with the goal, one a line; None where none came.
    memory: str | None = None
    #: The agent that is asked, and all that it was told about itself.
    agent: str = ""
    instructions: str = ""


def is_added(text: str) -> bool:
    """Is this text block the client's own addition?"""
    return text.lstrip().startswith(ADDED)


def read_conversation(request: Mapping[str, Any]) -> Conversation:
    """Find the goal in a request, and what followed it.

    Raises:
        BadRequest: a field of the request has the wrong shape.
    """
    turns = _turns(request)
    start, goal = _find_goal(turns)
    exchanges = []
    for index in range(start + 1, len(turns)):
        role, blocks = turns[index]
        if role == "assistant":
            answers = turns[index + 1][1] if index + 1 < len(turns) else []
            exchanges.append(_exchange(blocks, answers))
    guided = any(is_added(text) and GUIDANCE in text for text in _texts(turns[start][1]))
    guided = guided or _instructed(request)
    instructions = _instructions(request)
    agent = _AGENT.search(instructions)
    return Conversation(
        goal,
        guided,
        tuple(exchanges),
        _offered(request),
        memory=_memory(request, turns[start][1]),
        agent=agent[1] if agent else "",
        instructions=instructions,
    )


def _instructions(request: Mapping[str, Any]) -> str:
    """The system prompt as one text."""
    system = request.get("system") or ""
    if isinstance(system, list):
        return "\n".join(str(block.get("text", "")) for block in system if isinstance(block, dict))
    return str(system)


def _turns(request: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Messages as (role, blocks), neighbours of one role joined, as the API itself joins them."""
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages: at least one message is required")
    turns: list[tuple[str, list[Mapping[str, Any]]]] = []
    for number, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            if role == "system":  # instructions in mid-conversation: not the person's words
                continue
            raise BadRequest(f'messages.{number}.role: Input should be "user" or "assistant"')
        blocks = _blocks(message.get("content"), f"messages.{number}.content")
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        else:
            turns.append((role, blocks))
    if not turns or turns[0][0] != "user":
        raise BadRequest("messages: the first message must use the user role")
    return turns


def _instructed(request: Mapping[str, Any]) -> bool:
    """Did guidance come as an instruction in mid-conversation, where clients of unknown models put what hooks add?"""
    return any(
        GUIDANCE in str(message.get("content"))
        for message in request["messages"]
        if isinstance(message, dict) and message.get("role") == "system"
    )


def _memory(request: Mapping[str, Any], goal: list[Mapping[str, Any]]) -> str | None:
    """The remembered facts beside the goal, wherever the client put them."""
    given = [text for text in _texts(goal) if is_added(text)]
    for message in request["messages"]:
        if isinstance(message, dict) and message.get("role") == "system":
            given += _texts(_blocks(message.get("content"), "system"))
    found = [block for text in given for block in _MEMORY.findall(text)]
    return "\n".join(json.loads(fact) for fact in _FACT.findall(found[-1])) if found else None


def _blocks(content: Any, where: str) -> list[Mapping[str, Any]]:
    if isinstance(content, str):
        reminders = _LEADING_REMINDERS.match(content)
        if reminders is None:
            return [{"type": "text", "text": content}]
        own = [{"type": "text", "text": reminders[0].strip()}]
        rest = content[reminders.end() :]
        return [*own, {"type": "text", "text": rest}] if rest else [*own]
    if not isinstance(content, list):
        raise BadRequest(f"{where}: Input should be a string or a list of blocks")
    for number, block in enumerate(content):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise BadRequest(f"{where}.{number}.type: Field required")
        if block["type"] == "text" and not isinstance(block.get("text"), str):
            raise BadRequest(f"{where}.{number}.text: Field required")
    return list(content)


def _texts(blocks: list[Mapping[str, Any]]) -> Iterator[str]:
    return (_sound(block["text"]) for block in blocks if block["type"] == "text")


def _sound(text: str) -> str:
    """Without the lone surrogates that JSON may carry and no file or pipe takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _find_goal(turns: list[tuple[str, list[Mapping[str, Any]]]]) -> tuple[int, str]:
    """The turn of the last goal and its text; the first turn and "" when nobody said anything."""
    for index in range(len(turns) - 1, -1, -1):
        role, blocks = turns[index]
        if role != "user":
            continue
        words = [text.strip() for text in _texts(blocks) if text.strip() and not is_added(text)]
        goals = [text for text in words if not text.startswith(INTERRUPTED)]
        # Beside tool results a text is the client's comment, unless the person stopped the run and asked anew.
        continues = any(block["type"] == "tool_result" for block in blocks) and len(goals) == len(words)
        if goals and not continues:
            return index, goals[-1]
    return 0, ""


def _exchange(assistant: list[Mapping[str, Any]], user: list[Mapping[str, Any]]) -> Exchange:
    answers = {block.get("tool_use_id"): block for block in user if block["type"] == "tool_result"}
    calls = [block.get("id") for block in assistant if block["type"] == "tool_use"]
    return Exchange(tuple(_result(answers.get(call)) for call in calls))


def _result(block: Mapping[str, Any] | None) -> Result:
    if block is None:
        return Result("The tool gave no result.", is_error=True)
    content = block.get("content", "")
    if isinstance(content, str):
        texts = [content]
    elif isinstance(content, list):
        texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
    else:
        raise BadRequest("tool_result.content: Input should be a string or a list of blocks")
    text = "\n".join(_TRAILING_REMINDERS.sub("", _sound(text)) for text in texts if not is_added(text))
    text = _REFUSED.sub("", text)
    return Result(text, is_error=block.get("is_error") is True)


def _offered(request: Mapping[str, Any]) -> tuple[str, ...]:
    tools = request.get("tools") or []
    choice = request.get("tool_choice")
    if not isinstance(tools, list):
        raise BadRequest("tools: Input should be a list")
    if isinstance(choice, dict) and choice.get("type") == "none":
        return ()
    return tuple(tool["name"] for tool in tools if isinstance(tool, dict) and isinstance(tool.get("name"), str))
