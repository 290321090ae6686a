"""A goal while it works: one display handle that shows mode, tool calls, streamed text, tokens and cost.

When the goal has ended the handle is emptied again, to just what it was at first: a test that compares stored
outputs sees no difference, and the one static result below it says everything that stays.
"""

from __future__ import annotations

import asyncio
import html
import time
from typing import Any, Final

from llmos_nb.kernel.events import (
    AgentMessage,
    Event,
    ModeDecided,
    ModelCalled,
    Notice,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolFinished,
    ToolStarted,
)

__all__ = ["LiveView"]

#: Seconds between two updates of the page, so that a fast stream does not flood it.
PERIOD_S: Final = 0.08
#: Characters of streamed text, and lines of tool calls, that stay visible.
TEXT_SHOWN: Final = 1200
CALLS_SHOWN: Final = 8
_EMPTY: Final = {"text/plain": "", "text/html": ""}


class LiveView:
    """Shows the run that is awaited in this cell. ``take`` is a bus subscriber, called on the bus's thread."""

    def __init__(self, endpoint: str, simulated: bool) -> None:
        from IPython.display import display

        self._loop = asyncio.get_running_loop()
        self._handle = display(_EMPTY, raw=True, display_id=True)
        self._endpoint, self._simulated = endpoint, simulated
        self._run_id = ""
        self._mode, self._reason = "starting", ""
        self._calls: dict[int, tuple[str, str, str]] = {}
        self._text = ""
        self._note = ""
        self._tokens = 0
        self._cost: float | None = 0.0
        self._started = time.monotonic()
        self._due = False
        self._shown_at = 0.0
        self._over = False
        self._update()

    def take(self, event: Event) -> None:
        """Take one event; the first run that starts after this view was made is the one it shows."""
        if isinstance(event, RunStarted) and not self._run_id:
            self._run_id = event.run_id
        if event.run_id != self._run_id:
            return
        match event:
            case ModeDecided():
                self._mode, self._reason = event.mode, event.reason
            case ToolStarted():
                self._calls[event.step] = event.tool, _first_line(event.arguments), "…"
                self._text = ""
            case ToolFinished() if event.step in self._calls:
                tool, line, _ = self._calls[event.step]
                self._calls[event.step] = tool, line, {"ok": "✓", "error": "✗"}.get(event.status, "refused")
            case TextDelta():
                self._text = (self._text + event.text)[-TEXT_SHOWN:]
            case AgentMessage() if event.role == "assistant":
                self._text = event.text[-TEXT_SHOWN:]
            case ModelCalled():
                self._tokens += event.input_tokens + event.output_tokens
                if event.cost_usd is None or self._cost is None:
                    self._cost = None
                else:
                    self._cost += event.cost_usd
            case Notice():
                self._note = event.text
            case RunEnded():
                return
        if not self._due and not self._over:
            self._due = True
            delay = max(0.0, PERIOD_S - (time.monotonic() - self._shown_at))
            self._loop.call_soon_threadsafe(self._loop.call_later, delay, self._update)

    def close(self) -> None:
        """Empty the handle."""
        self._over = True
        self._handle.update(_EMPTY, raw=True)

    def _update(self) -> None:
        self._due = False
        if self._over:
            return
        self._shown_at = time.monotonic()
        self._handle.update({"text/plain": f"llmos: {self._mode} …", "text/html": self._html()}, raw=True)

    def _html(self) -> str:
        money = (
            "cost unknown" if self._cost is None else f"${self._cost:.4f}{' play money' if self._simulated else ''}"
        )
        seconds = time.monotonic() - self._started
        head = (
            f'<span style="color:#0969da">●</span> <b title="{html.escape(self._reason, quote=True)}">'
            f"{html.escape(self._mode)}</b> <span style='opacity:.7'>· {html.escape(self._endpoint)} · "
            f"{self._tokens} tokens · {money} · {seconds:.0f} s</span>"
        )
        calls = "".join(
            f"<div><code>{html.escape(tool)}</code> {html.escape(mark)} "
            f"<code style='opacity:.7'>{html.escape(line)}</code></div>"
            for tool, line, mark in list(self._calls.values())[-CALLS_SHOWN:]
        )
        text = f"<div style='white-space:pre-wrap;opacity:.85'>{html.escape(self._text)}</div>" if self._text else ""
        note = f"<div style='opacity:.7'>{html.escape(self._note)}</div>" if self._note else ""
        return (
            '<div role="status" aria-live="polite" style="border-left:3px solid #0969da;padding-left:.9em">'
            f"<div>{head}</div>{calls}{text}{note}</div>"
        )


def _first_line(arguments: dict[str, Any]) -> str:
    """The first line worth reading of a call's arguments."""
    for name in ("code", "command", "path", "file_path"):
        value = arguments.get(name)
        if isinstance(value, str) and value.strip():
            lines = [line for line in value.strip().splitlines() if line.strip()]
            more = f"  (+{len(lines) - 1} lines)" if len(lines) > 1 else ""
            return f"{lines[0][:90]}{more}"
    return ""
