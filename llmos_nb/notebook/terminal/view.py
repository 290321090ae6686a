"""A goal while it works, in a terminal: its mode, what the agent says before each step, each step, and what it costs.

The last line shows the streamed text, tokens, cost and time, and is drawn over. What stays are whole lines. The answer
is not among them: it is in the result, which follows.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from llmos_nb.kernel.events import (
    AgentMessage,
    ApprovalGiven,
    Event,
    MemoryInjected,
    ModeDecided,
    ModelCalled,
    NodeEnded,
    NodeStarted,
    Notice,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from llmos_nb.notebook.terminal.screen import TERMINAL, Screen, cut
from llmos_nb.system import LLMOS

__all__ = ["TerminalView"]

#: Seconds between two drawings of the last line.
PERIOD_S: Final = 0.1
#: Characters of the streamed text that are kept.
KEPT: Final = 400
#: Lines of what an agent says before a step that are shown.
LINES: Final = 12
_MARKS: Final = {"ok": ("✓", "32"), "error": ("✗", "31")}
_MAIN: Final = ("code", "command", "path", "file_path", "name", "text", "query", "prompt")


class TerminalView:
    """Shows the run that is awaited, from now until :meth:`close`."""

    def __init__(self, shell: Any, system: LLMOS, screen: Screen | None = None) -> None:
        self._shell, self._simulated = shell, system.endpoint.simulated
        self.screen = screen or TERMINAL
        self.screen.open()
        self._run_id = ""
        self._nodes: dict[str, str] = {}
        self._mode = "starting"
        self._text = self._said = ""
        self._calls: dict[tuple[str, int], str] = {}
        self._tokens = 0
        self._cost: float | None = 0.0
        self._started = time.monotonic()
        self._over = False
        self._loop = asyncio.get_running_loop()
        shell.events.register("pre_run_cell", self._cell_begins)
        self._cells = 0
        self._unsubscribe = system.bus.subscribe(self.take, name="terminal view")
        self._draw()

    def take(self, event: Event) -> None:
        """Take one event, on the bus's thread; the first run that starts after this view was made is the one it shows."""
        if isinstance(event, RunStarted) and not self._run_id:
            self._run_id = event.run_id
        if self._over or event.run_id not in (self._run_id, *self._nodes):
            return
        who = f"{self._nodes[event.run_id]}: " if event.run_id in self._nodes else ""
        match event:
            case NodeStarted():
                self._nodes[event.node_run_id] = event.node
                self.screen.say(f"▸ {event.node}: {self._fit(event.goal, len(event.node) + 4)}", "1")
            case NodeEnded():
                mark, style = _MARKS["ok" if event.status == "success" else "error"]
                self.screen.say(f"{mark} {event.node}: {event.status}", style)
            case ModeDecided():
                self._mode = event.mode
                self.screen.say(f"● {who}{event.mode}: {event.reason}", "36")
            case TextDelta():
                self._text = (self._text + event.text)[-KEPT:]
            case AgentMessage() if event.role == "assistant":
                self._said, self._text = event.text, ""
            case ToolStarted():
                self._tell_said()
                self._calls[event.run_id, event.step] = _first_line(event.arguments)
            case ToolFinished():
                self._finished(event, who)
            case ModelCalled():
                self._spend(event)
            case MemoryInjected() if event.facts:
                self.screen.say(f"  {who}{len(event.facts)} remembered, about {event.tokens} tokens", "2")
            case Notice():
                self.screen.say(f"  {who}note: {event.text}", "33")
            case ApprovalGiven():
                self.screen.say(f"  {who}{'approved' if event.approved else f'not approved ({event.by})'}", "2")
            case RunEnded() if event.run_id == self._run_id:
                self._over = True
                self.screen.hold()

    def _finished(self, event: ToolFinished, who: str) -> None:
        mark, style = _MARKS.get(event.status, ("⊘", "33"))
        line = self._calls.pop((event.run_id, event.step), "")
        if self._cells:
            self._cells -= 1
            self.screen.release()
        head = f"  {mark} {who}{event.tool}  "
        tail = f"  {event.duration_s:.2f} s"
        self.screen.say(f"{head}{self._fit(line, len(head) + len(tail))}{tail}", style)
        if event.status != "ok":
            said = [part for part in event.text.strip().splitlines() if part.strip()]
            self.screen.say(f"    {self._fit(said[-1] if said else event.status, 4)}", style)

    def _tell_said(self) -> None:
        """What the agent said before a step. What it says at the end is the answer, and in the result."""
        said, self._said, self._text = self._said, "", ""
        lines = [line for line in said.strip().splitlines() if line.strip()]
        for line in lines[:LINES]:
            self.screen.say(f"  {''.join(char for char in line if char.isprintable())}", "2")
        if len(lines) > LINES:
            self.screen.say(f"  … {len(lines) - LINES} more lines", "2")

    def _spend(self, event: ModelCalled) -> None:
        self._tokens += event.input_tokens + event.output_tokens
        known = event.cost_usd is not None and self._cost is not None
        self._cost = (self._cost or 0.0) + (event.cost_usd or 0.0) if known else None

    def _fit(self, text: str, taken: int) -> str:
        return cut(text, max(10, self.screen.width - taken))

    def _cell_begins(self, info: Any) -> None:
        """A cell of the agent's is about to print: at once, not when the event comes round."""
        if self._run_id and not self._over:
            self._cells += 1
            self.screen.hold()

    def _draw(self) -> None:
        if self._over:
            return
        money = (
            "cost unknown" if self._cost is None else f"${self._cost:.4f}{' play money' if self._simulated else ''}"
        )
        head = f"{self._mode} · {self._tokens} tokens · {money} · {time.monotonic() - self._started:.0f} s"
        text = " ".join(self._text.split())
        if text:
            head = f"{head} · {cut(text, max(10, self.screen.width - len(head) - 3), end=True)}"
        self.screen.draw(head)
        self._loop.call_later(PERIOD_S, self._draw)

    def close(self) -> None:
        """Show nothing any more."""
        self._unsubscribe()
        self._over = True
        self.screen.close()
        self._shell.events.unregister("pre_run_cell", self._cell_begins)


def _first_line(arguments: dict[str, Any]) -> str:
    for name in _MAIN:
        value = arguments.get(name)
        if isinstance(value, str) and value.strip():
            lines = [line for line in value.strip().splitlines() if line.strip()]
            return lines[0] + (f"  (+{len(lines) - 1} lines)" if len(lines) > 1 else "")
    return ""
