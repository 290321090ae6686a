"""What to answer to a request: a pure function of its messages and the scripts.

Nothing is remembered between requests. The conversation itself says how far the script was played, so several clients
at once, retries and resumed conversations need no care.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.cortex.scripted.conversation import Conversation, Exchange
from llmos_nb.cortex.scripted.match import Bound, find_script
from llmos_nb.cortex.scripted.passage import Passage, Scope
from llmos_nb.cortex.scripted.script import Argument, Call, Script, Turn

__all__ = ["NOT_GRANTED", "UNKNOWN_GOAL", "Reply", "TextPart", "ToolPart", "play"]

#: What a script says of a tool for want of which it cannot go on.
NOT_GRANTED: Final = "which is not granted here"
UNKNOWN_GOAL: Final = "The scripted endpoint does not know this goal. It knows:"

#: Templates listed for an unknown goal.
LISTED: Final = 30


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text of the assistant. ``gives_up`` marks one that says why the goal cannot be reached."""

    text: str
    gives_up: bool = False


@dataclass(frozen=True, slots=True)
class ToolPart:
    """A tool call of the assistant; ``name`` is the offered name."""

    name: str
    input: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """One assistant message. ``script`` is None for a goal that no script knows."""

    parts: tuple[TextPart | ToolPart, ...]
    goal: str
    script: Script | None = None

    @property
    def gives_up(self) -> bool:
        """Whether this message ends the goal without having reached it."""
        return self.script is None or any(isinstance(part, TextPart) and part.gives_up for part in self.parts)

    @property
    def stop_reason(self) -> str:
        """``tool_use`` or ``end_turn``."""
        return "tool_use" if any(isinstance(part, ToolPart) for part in self.parts) else "end_turn"


def play(conversation: Conversation, scripts: Sequence[Script]) -> Reply:
    """The next assistant message of ``conversation``."""
    bound = find_script(conversation.goal, scripts, conversation.agent, conversation.instructions)
    if bound is None:
        return Reply((TextPart(_unknown(scripts)),), conversation.goal)
    return Reply(_next_parts(bound, conversation), conversation.goal, bound.script)


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far a script was played. ``turn`` counts the turns that are done."""

    turn: int = 0
    results: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    recovering: bool = False
    failed: bool = False
    #: What went wrong in the last turn that failed: its own error, then that of its recovery.
    errors: tuple[str, ...] = ()

    @property
    def error(self) -> str | None:
        return self.errors[0] if self.errors else None


def _advance(progress: _Progress, exchange: Exchange, turns: int) -> _Progress:
    """What one more exchange means. An exchange without calls was a closing text and changes nothing."""
    if not exchange.results or progress.failed or progress.turn >= turns:
        return progress
    texts = tuple(result.text for result in exchange.results)
    if exchange.error is None:
        return _Progress(progress.turn + 1, progress.results + texts, errors=progress.errors)
    return _Progress(
        progress.turn,
        progress.results,
        texts,
        recovering=not progress.recovering,
        failed=progress.recovering,
        errors=(*progress.errors, exchange.error) if progress.recovering else (exchange.error,),
    )


def _next_parts(bound: Bound, conversation: Conversation) -> tuple[TextPart | ToolPart, ...]:
    script, guided = bound.script, conversation.guided
    turns = script.played(guided=guided)
    progress = _Progress()
    for exchange in conversation.exchanges:
        progress = _advance(progress, exchange, len(turns))
    if progress.failed:
        return (TextPart(_failed(progress.errors, turns[progress.turn]), gives_up=True),)
    if progress.recovering:
        recovery = script.recovery(progress.turn + 1, guided=guided)
        if recovery is None:
            return (TextPart(_failed(progress.errors, turns[progress.turn]), gives_up=True),)
        results = progress.results + progress.failing
        scope = Scope(bound.values, results, progress.error, conversation.memory)
        return _perform(recovery, scope, conversation.tools)
    scope = Scope(bound.values, progress.results, progress.error, conversation.memory)
    if progress.turn < len(turns):
        return _perform(turns[progress.turn], scope, conversation.tools)
    return (TextPart(_told(script.closing(guided=guided, recovered=progress.error is not None), scope)),)


def _perform(turn: Turn, scope: Scope, offered: Sequence[str]) -> tuple[TextPart | ToolPart, ...]:
    """The turn's text and calls, or one text that says why they cannot be made."""
    parts: list[TextPart | ToolPart] = []
    if turn.narration.parts:
        parts.append(TextPart(_told(turn.narration, scope)))
    for call in turn.calls:
        name = _offered_name(call.tool, offered)
        if name is None:
            return (TextPart(_not_granted(call.tool, offered), gives_up=True),)
        arguments, missing = _arguments(call, scope)
        if missing:
            return (TextPart(_unprepared(call.tool, missing, scope), gives_up=True),)
        parts.append(ToolPart(name, arguments))
    return tuple(parts)


def _arguments(call: Call, scope: Scope) -> tuple[dict[str, Any], list[str]]:
    missing: list[str] = []

    def fill(argument: Argument) -> Any:
        if isinstance(argument, Passage):
            value, absent = argument.value(scope)
            missing.extend(absent)
            return value
        if isinstance(argument, dict):
            return {name: fill(value) for name, value in argument.items()}
        if isinstance(argument, list):
            return [fill(value) for value in argument]
        return argument

    return {name: fill(argument) for name, argument in call.arguments.items()}, missing


def _offered_name(tool: str, offered: Sequence[str]) -> str | None:
    """The offered name that is ``tool`` or ends with ``__tool``; the llmos server's own comes first."""
    names = [name for name in offered if name == tool or name.endswith(f"__{tool}")]
    return min(names, key=lambda name: (name != tool, name != f"mcp__llmos__{tool}", name), default=None)


def _told(passage: Passage, scope: Scope) -> str:
    text, missing = passage.fill(scope)
    return f"{text}\n\n{_not_found(missing, scope)}" if missing else text


def _not_found(missing: Sequence[str], scope: Scope) -> str:
    wanted = ", ".join(f"`{source}`" for source in dict.fromkeys(missing))
    last = scope.results[-1].strip() if scope.results else ""
    got = "The last result was:\n\n" + _as_quote(last.split("\n")[-10:]) if last else "The last result was empty."
    return f"Not found in what the tools returned: {wanted}. {got}"


def _as_quote(lines: Sequence[str]) -> str:
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _failed(errors: Sequence[str], turn: Turn) -> str:
    tools = ", ".join(dict.fromkeys(f"`{call.tool}`" for call in turn.calls))
    last = [
        next((line for line in reversed(error.split("\n")) if line.strip()), "(no reason given)") for error in errors
    ]
    reason = f"the step with {tools} failed, and the script has no other way"
    if len(errors) > 1:
        reason = f"the step with {tools} failed, and so did what the script tried next"
    return f"This did not work: {reason}. The goal is not done.\n\n{_as_quote(last)}"


def _not_granted(tool: str, offered: Sequence[str]) -> str:
    names = [name.removeprefix("mcp__llmos__") for name in offered if not name.startswith("Deferred")]
    granted = ", ".join(f"`{name}`" for name in names) or "none"  # the client's own placeholder is no tool
    return (
        f"I cannot go on: the next step needs the tool `{tool}`, {NOT_GRANTED} (granted: {granted}). "
        "The goal is not done. Grant the tool to the agent and run the goal again."
    )


def _unprepared(tool: str, missing: Sequence[str], scope: Scope) -> str:
    return f"I cannot prepare the next step with `{tool}`; the goal is not done. {_not_found(missing, scope)}"


def _unknown(scripts: Sequence[Script]) -> str:
    bullets = [
        f"- {script.templates[0].text}{f' (the agent {script.agent})' if script.agent else ''}"
        for script in scripts
        if not script.instructed
    ]
    more = [f"- … and {len(bullets) - LISTED + 1} more"] if len(bullets) > LISTED else []
    listed = bullets[: LISTED - 1] if more else bullets
    return "\n".join(
        [
            UNKNOWN_GOAL,
            "",
            *listed,
            *more,
            "",
            "It plays prepared scripts and is no model. For any other goal use a real one: set ANTHROPIC_API_KEY, or "
            "give the URL of an Anthropic-compatible server with `%llmos_endpoint` or LLMOS_ENDPOINT.",
        ]
    )
