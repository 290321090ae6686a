"""Rows for the DataFrames, from a workspace's session logs, ledger, agents and traces. Plain dictionaries, no pandas.

A row holds what was found; values a column cannot hold are dealt with where the frame is made.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import AgentFileError, LlmosError, StoreError
from llmos_nb.frames.schema import CODE_ARGUMENTS
from llmos_nb.kernel.spelled import spelled

__all__ = [
    "AgentUse", "Report", "Row", "agent_rows", "agent_uses", "event_rows", "ledger_rows", "lost_ledger",
    "message_rows", "run_rows", "step_rows", "trace_rows",
]  # fmt: skip

#: One row by column name. ``where`` says where it was read (``path:line``) and is no column.
Row = dict[str, Any]
#: Takes an error; raises it, or notes it and returns.
Report = Callable[[LlmosError], None]

#: One encoder for all rows: ``json.dumps`` with an option makes a new one each time.
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode
TOKENS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
NOT_DATA: Final = frozenset({"event", "run_id", "at", "session_id", "where", "position"})


def _events(workspace: Path, report: Report) -> Iterator[Row]:
    """Every event, with its ``position`` within its run."""
    from llmos_nb.memory.session import read_events

    positions: dict[str, int] = {}
    errors: list[Any] = []
    for event in read_events(workspace / "memory" / "sessions", errors):
        while errors:
            report(errors.pop(0))
        position = positions.get(event["run_id"], 0) + 1
        positions[event["run_id"]] = event["position"] = position
        yield event
    for error in errors:
        report(error)


def event_rows(workspace: Path, report: Report) -> Iterator[Row]:
    """One row an event."""
    for event in _events(workspace, report):
        event["data"] = _json({key: value for key, value in event.items() if key not in NOT_DATA})
        yield event


def message_rows(workspace: Path, report: Report) -> Iterator[Row]:
    """One row a whole message."""
    return (event for event in _events(workspace, report) if event["event"] == "AgentMessage")


def step_rows(workspace: Path, report: Report) -> Iterator[Row]:
    """One row a tool call, in the order they began; the end is filled in where there was one."""
    rows: list[Row] = []
    begun: dict[tuple[str, str], Row] = {}
    for event in _events(workspace, report):
        if event["event"] not in ("ToolStarted", "ToolFinished"):
            continue
        key = event["run_id"], repr(event.get("step"))
        if event["event"] == "ToolStarted":
            arguments = event.get("arguments")
            begun[key] = row = {**event, "arguments": _json(arguments), "code": _code(arguments)}
            rows.append(row)
            continue
        for name in ("outputs", "defines", "files"):
            event[name] = _json(event.get(name))
        started = begun.pop(key, None)
        if started is None:  # its beginning was torn off
            rows.append(event)
        else:
            started.update({k: v for k, v in event.items() if k not in NOT_DATA})
    return iter(rows)


def run_rows(workspace: Path, report: Report) -> Iterator[Row]:
    """One row a run, in the order they started."""
    from llmos_nb.kernel.events import SCHEDULE

    rows: dict[str, Row] = {}
    for event in _events(workspace, report):
        if event["run_id"] == SCHEDULE:  # what the schedule tells is an event, and no run
            continue
        row = rows.get(event["run_id"])
        if row is None:
            rows[event["run_id"]] = row = {
                "run_id": event["run_id"], "session_id": event["session_id"], "where": event["where"],
                "model_calls": 0, "steps": 0, "cost_usd": 0.0, "undone": False, **dict.fromkeys(TOKENS, 0),
            }  # fmt: skip
        _RUN_EVENTS.get(event["event"], _nothing)(row, event)
    return iter(rows.values())


def _nothing(row: Row, event: Row) -> None:
    """Most events change nothing in their run's row."""


def _started(row: Row, event: Row) -> None:
    row.update({key: event.get(key) for key in ("goal", "agent", "endpoint", "project", "forced_mode")})
    row["parent_run_id"] = event.get("parent_run_id") or None
    row["scheduled_by"] = event.get("scheduled_by") or None
    row["background"] = event.get("background") or False
    row["started_at"] = event["at"]


def _decided(row: Row, event: Row) -> None:
    row.update({key: event.get(key) for key in ("mode", "reason", "trace_id", "confidence")})


def _called(row: Row, event: Row) -> None:
    row["model_calls"] += 1
    for key in (*TOKENS, "cost_usd"):
        row[key] = _sum(row[key], event.get(key))


def _stepped(row: Row, event: Row) -> None:
    row["steps"] += 1


def _ended(row: Row, event: Row) -> None:
    row.update({key: event.get(key) for key in ("status", "cost_usd", "saved_usd", "duration_s")})
    for key in ("mode", "reason", "trace_id"):
        row[key] = event.get(key) or row.get(key)


def _undone(row: Row, event: Row) -> None:
    row["undone"] = True


_RUN_EVENTS: Final[dict[str, Callable[[Row, Row], None]]] = {
    "RunStarted": _started,
    "ModeDecided": _decided,
    "ModelCalled": _called,
    "ToolStarted": _stepped,
    "RunEnded": _ended,
    "RunUndone": _undone,
}


def _sum(one: Any, two: Any) -> Any:
    """None as soon as a part is not known; a part that is no number is kept, to be reported."""
    if one is None or two is None:
        return None
    if any(isinstance(part, bool) or not isinstance(part, (int, float)) for part in (one, two)):
        return two if isinstance(one, (int, float)) else one
    return one + two


def ledger_rows(workspace: Path, report: Report) -> Iterator[Row]:
    """One row a ledger row. A database that is not there is not made: the copy beside its place tells what it had."""
    from llmos_nb.kernel.ledger import to_usd

    location: Path | str = os.environ.get("LLMOS_STATE_URL") or workspace / ".llmos" / "state.db"
    file = _file_of(location)
    for row in _of_database(location, report) if file is None or file.is_file() else _of_copy(file, report):
        cost, saved = row.pop("cost", None), row.pop("saved", None)
        row.update(
            cost_usd=None if cost is None else to_usd(cost), saved_usd=None if saved is None else to_usd(saved)
        )
        yield {**row, "where": f"{location}: ledger row {row['id']}"}


def _of_database(location: Path | str, report: Report) -> list[Row]:
    import sqlalchemy as sa

    from llmos_nb.kernel.ledger import LEDGER
    from llmos_nb.kernel.state import open_state, reading

    try:
        engine = open_state(location)
        try:
            with reading(engine) as connection:
                return [dict(row) for row in connection.execute(sa.select(LEDGER).order_by(LEDGER.c.id)).mappings()]
        finally:
            engine.dispose()
    except LlmosError as error:
        report(error)
        return []


def _of_copy(file: Path, report: Report) -> list[Row]:
    from llmos_nb.kernel.ledger_copy import copied_rows

    try:
        found, torn = copied_rows(file)
    except OSError as error:
        found, torn = [], 0
        report(StoreError(f"{file}: the ledger's copy cannot be read ({error}).", remedy="See to its permissions."))
    if torn:
        remedy = "The other rows are right; pass strict=False to get them."
        report(StoreError(f"{file}: {torn} lines of the ledger's copy are no rows.", remedy=remedy))
    return [{**row, "simulated": bool(row.get("simulated"))} for row in found]


def _file_of(location: Path | str) -> Path | None:
    """The file that a database is; None for one elsewhere, which is asked itself."""
    if isinstance(location, str) and "://" in location:
        scheme, _, rest = location.partition("://")
        if not scheme.startswith("sqlite"):
            return None
        location = rest.partition("?")[0].removeprefix("/")
    return Path(location)


def lost_ledger(workspace: Path) -> bool:
    """Whether runs of the workspace asked a model, and no ledger is there that says what for."""
    file = _file_of(os.environ.get("LLMOS_STATE_URL") or workspace / ".llmos" / "state.db")
    if file is None or file.is_file() or _of_copy(file, lambda error: None):
        return False
    return any(event["event"] == "ModelCalled" for event in _events(workspace, lambda error: None))


def agent_rows(workspace: Path, report: Report) -> Iterator[Row]:
    """One row an agent that can be used."""
    from llmos_nb.mind import AgentRegistry
    from llmos_nb.tools.pack_agents import pack_agents

    registry = AgentRegistry(workspace / "agents", more=pack_agents)
    uses = agent_uses(workspace)
    for agent in registry.list():
        names = ("name", "description", "model", "version", "created_at", "created_by")
        row = {name: getattr(agent, name) for name in names}
        row["created_at"] = row["created_at"] or None
        row["path"] = None if agent.path is None else spelled(agent.path)
        used = uses.get(agent.name, AgentUse())
        row.update(
            uses=used.uses, success_rate=used.success_rate, cost_usd=used.cost_usd, last_used_at=used.last_used_at
        )
        yield {**row, "tools": _json([*agent.tools]), "where": row["path"] or f"agent {agent.name}"}
    for error in registry.errors:
        report(error if isinstance(error, LlmosError) else AgentFileError(str(error)))


def trace_rows(workspace: Path, report: Report) -> Iterator[Row]:
    """One row a trace, by name of its file, which begins with the time it was recorded; no index is asked or made."""
    from llmos_nb.memory.file import read_traces

    names = (
        "id",
        "goal",
        "status",
        "mode",
        "agent",
        "project",
        "model",
        "cost_usd",
        "duration_s",
        "replayable",
        "wrong",
    )
    errors: list[Any] = []
    folder = workspace / "memory" / "traces"
    for path, trace, edited in read_traces(folder, errors):
        row = {name: getattr(trace, name) for name in names}
        made = {"created_at": trace.created_at or None, "edited": edited}
        yield {**row, **made, "path": path, "where": str(folder / path)}
    for error in errors:
        report(error)


_WORKED: Final = object()
#: What happens in a run before anything is done.
_BEFORE_WORK: Final = frozenset({"RunStarted", "ModeDecided", "MemoryInjected", "Notice"})


@dataclass(slots=True)
class AgentUse:
    """How an agent fared: ``last_used_at`` is in seconds since the epoch, ``cost_usd`` None where a price is unknown."""

    uses: int = 0
    ended: int = 0
    succeeded: int = 0
    cost_usd: float | None = 0.0
    last_used_at: float | None = None

    def began(self, at: Any) -> None:
        """It was asked for something."""
        self.uses += 1
        if isinstance(at, float | int) and not isinstance(at, bool):
            self.last_used_at = max(self.last_used_at or at, at)

    def ended_with(self, success: bool) -> None:
        """It came to an end."""
        self.ended += 1
        self.succeeded += success

    @property
    def success_rate(self) -> float | None:
        """The share of the uses with an end that succeeded."""
        return self.succeeded / self.ended if self.ended else None


def agent_uses(workspace: Path, report: Report = lambda error: None) -> dict[str, AgentUse]:
    """How every agent fared that the session logs know, by name; lines that cannot be read count for nothing.

    A use is a run that it was asked for, or a call by the agent of another run; a run that ended otherwise than well
    before anything was done, refused for want of money say, is none. What a model call cost is the cost of
    the agent that made it, so that the costs of all agents add up to what was paid.
    """
    from llmos_nb.mind.delegates import DELEGATE

    found: defaultdict[str, AgentUse] = defaultdict(AgentUse)
    asked: dict[str, str] = {}
    calls: dict[tuple[str, str], str] = {}
    idle: dict[str, Any] = {}  # runs in which nothing was done yet, and when they began
    for event in _events(workspace, report):
        run, own = event["run_id"], asked.get(event["run_id"], "")
        success = event.get("status") == "success"
        if run in idle and event["event"] not in _BEFORE_WORK and (success or event["event"] != "RunEnded"):
            found[own].began(idle.pop(run))
        match event["event"]:
            case "RunStarted" if isinstance(event.get("agent"), str):
                asked[run] = event["agent"]
                idle[run] = event.get("at")
            case "RunEnded" if own and idle.pop(run, _WORKED) is _WORKED:
                found[own].ended_with(success)
            case "ToolStarted" if event.get("tool") == DELEGATE and isinstance(event.get("arguments"), dict):
                calls[run, repr(event.get("step"))] = str(event["arguments"].get("subagent_type", ""))
            case "ToolFinished" if event.get("status") != "denied":
                if name := calls.pop((run, repr(event.get("step"))), ""):
                    found[name].began(event.get("at"))
                    found[name].ended_with(event.get("status") == "ok")
            case "ModelCalled":
                use = found[str(event.get("agent") or own)]
                cost = _sum(use.cost_usd, event.get("cost_usd"))
                use.cost_usd = round(cost, 9) if isinstance(cost, float | int) else None
    for run, at in idle.items():  # at work, or cut off
        found[asked[run]].began(at)
    return dict(found)


def _json(value: Any) -> str | None:
    return None if value is None else _encode(value)


def _code(arguments: Any) -> str | None:
    if not isinstance(arguments, dict):
        return None
    return next((arguments[name] for name in CODE_ARGUMENTS if isinstance(arguments.get(name), str)), None)
