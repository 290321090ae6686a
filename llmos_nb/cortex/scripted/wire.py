"""A :class:`Reply` as the Messages API sends it: one JSON object, or a stream of server-sent events."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any, Final

from llmos_nb.cortex.scripted.player import Reply, TextPart, ToolPart

__all__ = ["error_body", "message_body", "sse", "stream_events"]

#: Characters of one streamed piece: about as much as a model's delta carries.
TEXT_PIECE: Final = 16
JSON_PIECE: Final = 32

#: An event: its name and its data.
Event = tuple[str, dict[str, Any]]


def sse(event: Event) -> bytes:
    """The event on the wire."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def error_body(kind: str, message: str) -> dict[str, Any]:
    """Anthropic's error object."""
    return {"type": "error", "error": {"type": kind, "message": message}}


def message_body(
    reply: Reply, *, model: str, stop_reason: str, input_tokens: int, output_tokens: int
) -> dict[str, Any]:
    """The whole answer as one object."""
    return {
        **_message(model),
        "content": [
            {"type": "text", "text": part.text}
            if isinstance(part, TextPart)
            else {"type": "tool_use", "id": _tool_id(), "name": part.name, "input": part.input}
            for part in reply.parts
        ],
        "stop_reason": stop_reason,
        "usage": _usage(input_tokens, output_tokens),
    }


def stream_events(
    reply: Reply, *, model: str, stop_reason: str, input_tokens: int, output_tokens: int
) -> Iterator[Event]:
    """The events of a streamed answer, in the order the API sends them."""
    yield _event("message_start", message={**_message(model), "content": [], "usage": _usage(input_tokens, 1)})
    for index, part in enumerate(reply.parts):
        yield _event("content_block_start", index=index, content_block=_opened(part))
        if index == 0:
            yield _event("ping")
        for delta in _deltas(part):
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    yield _event(
        "message_delta",
        delta={"stop_reason": stop_reason, "stop_sequence": None},
        usage=_usage(input_tokens, output_tokens),
    )
    yield _event("message_stop")


def _event(name: str, **data: Any) -> Event:
    return name, {"type": name, **data}


def _message(model: str) -> dict[str, Any]:
    return {
        "id": f"msg_scripted_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _tool_id() -> str:
    return f"toolu_scripted_{secrets.token_hex(12)}"


def _usage(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }


def _opened(part: TextPart | ToolPart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": ""}
    return {"type": "tool_use", "id": _tool_id(), "name": part.name, "input": {}}


def _deltas(part: TextPart | ToolPart) -> Iterator[dict[str, Any]]:
    if isinstance(part, TextPart):
        for piece in _pieces(part.text, TEXT_PIECE):
            yield {"type": "text_delta", "text": piece}
    else:
        yield {"type": "input_json_delta", "partial_json": ""}
        for piece in _pieces(json.dumps(part.input, ensure_ascii=False), JSON_PIECE):
            yield {"type": "input_json_delta", "partial_json": piece}


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))
