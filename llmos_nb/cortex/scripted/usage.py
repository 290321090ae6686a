"""Token counts: deterministic and plausible, four characters a token.

What a client adds by itself (reminders and instructions with the date and folder, commands of its own, billing headers,
ids, metadata) is not counted, and its prompt and tool schemas count as much whatever they say: equal runs have equal
counts wherever, whenever, and with whichever version of the client they happen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from llmos_nb.cortex.scripted.conversation import is_added
from llmos_nb.cortex.scripted.player import Reply, TextPart

__all__ = ["count_input_tokens", "count_output_tokens"]

#: Anthropic's own rule of thumb for English text.
CHARS_PER_TOKEN: Final = 4
#: Any image counts as much as one of 1.2 megapixels does with Anthropic (width x height / 750).
IMAGE_TOKENS: Final = 1_600
#: Tokens around each message and tool call.
MESSAGE_TOKENS: Final = 4

#: Tokens of a client's system prompt and tool schemas: about what this package's own come to.
PROMPT_TOKENS: Final = 1_500

_GUIDANCE: Final = re.compile(r"<llmos-guidance.*?</llmos-guidance>", re.DOTALL)


def count_input_tokens(request: Mapping[str, Any]) -> int:
    """The tokens of a request: its messages, and a fixed number for prompt and tools where it has any."""
    prompted = bool(request.get("system") or request.get("tools"))
    chars = 0
    images = messages = 0
    for message in request.get("messages") or []:
        if not isinstance(message, dict):
            continue
        if message.get("role") == "system":  # the client's own instructions; what a hook put there is ours
            chars += sum(len(found) for found in _GUIDANCE.findall(str(message.get("content"))))
            continue
        messages += 1
        for text in _content_texts(message.get("content")):
            if text is None:
                images += 1
            else:
                chars += len(text)
    return _tokens(chars) + images * IMAGE_TOKENS + messages * MESSAGE_TOKENS + prompted * PROMPT_TOKENS


def count_output_tokens(reply: Reply) -> int:
    """The tokens of an answer."""
    chars = sum(
        len(part.text) if isinstance(part, TextPart) else len(part.name) + len(_compact(part.input))
        for part in reply.parts
    )
    return _tokens(chars) + MESSAGE_TOKENS * len(reply.parts)


def _tokens(chars: int) -> int:
    return -(-chars // CHARS_PER_TOKEN)


def _compact(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _counted(text: str) -> bool:
    return not is_added(text)


def _content_texts(content: Any) -> Iterator[str | None]:
    """The counted texts of a message or tool result; None stands for an image or document."""
    if isinstance(content, str):
        if _counted(content):
            yield content
        return
    for block in content if isinstance(content, list) else []:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "text" and isinstance(block.get("text"), str):
            if _counted(block["text"]):
                yield block["text"]
        elif kind == "tool_use":
            yield f"{block.get('name', '')}{_compact(block.get('input'))}"
        elif kind == "tool_result":
            yield from _content_texts(block.get("content"))
        elif kind in ("image", "document"):
            yield None
