"""The run for a page that cannot show the widget: one piece of HTML, made anew now and then. No buttons."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["page"]

#: Entries of the story that are shown.
SHOWN: Final = 8
_MARKS: Final = {"running": "…", "ok": "✓", "error": "✗"}


def page(messages: Iterable[Mapping[str, Any]], how_to_stop: str = "") -> str:
    """HTML of a run, from a model's snapshot."""
    head: Mapping[str, Any] = {}
    graph, doing, entries, asked = "", "", [], ""
    for message in messages:
        match message["k"]:
            case "head":
                head = message
            case "graph":
                graph = message["svg"]
                doing = "".join(
                    f"<div><b>{_text(name)}</b> <code style='opacity:.75'>{_text(line)}</code></div>"
                    for name, line in message["doing"]
                )
            case "ask":
                asked += (
                    f"<div><b>{_text(message['who'])} asks for {_text(message['tool'])}:</b> "
                    f"{_text(message['reason'])}</div>"
                )
            case "call" | "text" | "note" | "memory":
                entries.append(_entry(message))
    entries = [entry for entry in entries if entry]
    tokens = f" · {head['tokens']:,} tokens" if head.get("tokens") else ""
    agent = f" · {_text(head['agent'])}" if head.get("agent") else ""
    line = (
        f'<span style="color:#0969da">●</span> <b title="{_text(head.get("reason", ""))}">'
        f"{_text(head.get('label', ''))}</b> <span style='opacity:.75'>{agent}{tokens} · "
        f"{_text(head.get('money', ''))} · {head.get('elapsed', 0):.0f} s{_text(how_to_stop)}</span>"
    )
    return (
        '<div role="status" style="border-left:3px solid #0969da;padding-left:.9em">'
        f"<div>{line}</div>{graph}{doing}{''.join(entries[-SHOWN:])}{asked}</div>"
    )


def _entry(message: Mapping[str, Any]) -> str:
    match message["k"]:
        case "call":
            mark = _MARKS.get(message["status"], "refused")
            return (
                f"<div><code>{_text(message['tool'])}</code> {mark} "
                f"<code style='opacity:.75'>{_text(message['line'])}</code></div>"
            )
        case "text":
            return (
                f"<div>{''.join(message['done'])}{message['tail']}</div>"
                if message["done"] or message["tail"]
                else ""
            )
        case "memory":
            count = len(message["facts"])
            told = f"given from memory: {count} fact{'s' if count != 1 else ''}, about {message['tokens']} tokens"
            return f"<div style='opacity:.75'>{told}</div>"
        case _:
            return f"<div style='opacity:.75'>{_text(message['text'])}</div>"


def _text(text: object) -> str:
    return html.escape(str(text), quote=True)
