"""The sessions of a workspace, read from their logs: which goals, what they cost, and how each session ended.

A log is read line by line and never as a whole; only the lines that begin or end a run, or are a model call, are taken
apart. A line that is torn or no event is passed over: what can be read is told.
"""

from __future__ import annotations

import contextlib
import datetime
import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import UnknownSession
from llmos_nb.memory.session import SESSION_ID, in_use, parsed_event

__all__ = ["LoggedRun", "LoggedSession", "find_run", "find_session", "sessions"]

_WANTED: Final = (b'{"event":"RunStarted"', b'{"event":"RunEnded"', b'{"event":"ModelCalled"')


@dataclass(slots=True)
class LoggedRun:
    """A run as its log tells it. ``status`` is empty for one that has no end: it works still, or was cut off.

    ``conversation`` is the model's own name of what was said, by which it can be gone on with.
    """

    run_id: str
    goal: str = ""
    agent: str = ""
    status: str = ""
    mode: str = ""
    cost_usd: float | None = 0.0
    conversation: str = ""
    #: The job of the schedule that asked for it; empty for a person's goal.
    scheduled_by: str = ""


@dataclass(slots=True)
class LoggedSession:
    """A session: ``status`` is ``open`` (a living process writes it), ``ended``, or ``cut off`` in the middle of a goal."""

    id: str
    started_at: str = ""
    status: str = "ended"
    runs: list[LoggedRun] = field(default_factory=list)

    @property
    def goals(self) -> int:
        """How many goals it had."""
        return len(self.runs)

    @property
    def cost_usd(self) -> float | None:
        """US dollars; None where the price of some call is not known."""
        costs = [run.cost_usd for run in self.runs]
        return None if None in costs else round(sum(cost for cost in costs if cost is not None), 9)

    def __str__(self) -> str:
        lines = [f"{self.id}: {self.status}, {self.goals} goal{'s' if self.goals != 1 else ''}"]
        return "\n".join(
            [*lines, *(f"  {run.run_id}: {run.goal[:80]} ({run.status or 'no end'})" for run in self.runs)]
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def sessions(folder: Path | str) -> list[LoggedSession]:
    """Every session that has a log in ``folder``, the newest first."""
    found = [_read(path) for path in Path(folder).glob("*.jsonl")]
    return sorted(found, key=lambda one: (one.started_at, one.id), reverse=True)


def find_session(folder: Path | str, session_id: str) -> LoggedSession:
    """One session.

    Raises:
        UnknownSession: it has no log.
    """
    path = Path(folder) / f"{session_id}.jsonl"
    if SESSION_ID.fullmatch(session_id) and path.is_file():
        return _read(path)
    close = difflib.get_close_matches(session_id, [path.stem for path in Path(folder).glob("*.jsonl")], 3)
    raise UnknownSession(
        f"There is no session {session_id!r}.",
        remedy=f"Did you mean {' or '.join(close)}?" if close else "%sessions lists them.",
    )


def find_run(folder: Path | str, run_id: str) -> LoggedRun:
    """One run, of whatever session.

    Raises:
        UnknownSession: no log has it.
    """
    wanted = run_id.encode("utf-8", "replace")
    for path in sorted(Path(folder).glob("*.jsonl"), reverse=True):
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes():
                for run in _read(path).runs:
                    if run.run_id == run_id:
                        return run
    raise UnknownSession(f"There is no run {run_id!r}.", remedy="runs_df() lists them, and so does llmos.sessions.")


def _read(path: Path) -> LoggedSession:
    session = LoggedSession(path.stem)
    runs: dict[str, LoggedRun] = {}
    for event in _events(path):
        run = runs.get(event["run_id"])
        if run is None:
            run = runs[event["run_id"]] = LoggedRun(event["run_id"])
            session.runs.append(run)
        if not session.started_at:
            moment = datetime.datetime.fromtimestamp(event["at"], datetime.UTC)
            session.started_at = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        kind = event["event"]
        if kind == "RunStarted":
            run.goal, run.agent = _text(event, "goal"), _text(event, "agent")
            run.scheduled_by = _text(event, "scheduled_by")
        elif kind == "ModelCalled":
            cost = _amount(event)
            run.cost_usd = None if cost is None or run.cost_usd is None else run.cost_usd + cost
        else:
            run.status, run.mode = _text(event, "status") or "failed", _text(event, "mode")
            run.cost_usd, run.conversation = _amount(event), _text(event, "conversation")
    if in_use(path):
        session.status = "open"
    elif any(not run.status for run in session.runs):
        session.status = "cut off"
    return session


def _events(path: Path) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(OSError), path.open("rb") as file:
        for line in file:
            if line.startswith(_WANTED):
                event = parsed_event(line)
                if isinstance(event, dict):
                    yield event


def _text(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _amount(event: dict[str, Any]) -> float | None:
    value = event.get("cost_usd")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
