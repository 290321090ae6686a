"""The DataFrame functions: rows of :mod:`.rows` under the columns of :mod:`.schema`.

They share one signature. ``workspace`` is a folder, anything with such a folder as its ``workspace`` attribute, or
None for ``$LLMOS_WORKSPACE`` and else ``workspace``. With ``strict`` the first thing that cannot be read raises; with
``strict=False`` the answer is ``(df, errors)``, and a value that its column cannot hold is ``<NA>`` and an error. A folder
that is not there has no rows, which a warning tells.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from llmos_nb.errors import LlmosError, StoreError
from llmos_nb.frames import rows
from llmos_nb.frames.accessor import register
from llmos_nb.frames.schema import FRAMES, Column, Dtype

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["agents_df", "events_df", "frame_of", "ledger_df", "messages_df", "runs_df", "steps_df", "traces_df"]

Errors = list[LlmosError]


class _Unfit(Exception):
    """A value that its column cannot hold; says what is wanted."""


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _Unfit("text")


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    raise _Unfit("a whole number")


def _number(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise _Unfit("a number")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unfit("true or false")


def _microseconds(value: Any) -> int:
    """Since 1970; a float of seconds says no more than that."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _Unfit("an ISO 8601 time") from None
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    seconds = _number(value)
    if not -LAST_MOMENT < seconds < LAST_MOMENT:
        raise _Unfit("a time before 2262")
    return round(seconds * 1_000_000)


#: Where datetime64[ns] ends, in seconds since the epoch.
LAST_MOMENT: Final = 9_223_372_036

_READ: Final[dict[Dtype, Callable[[Any], Any]]] = {
    "string": _string,
    "Int64": _whole,
    "Float64": _number,
    "boolean": _flag,
    "datetime64[ns, UTC]": _microseconds,
}


def _series(column: Column, values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    if column.dtype != "datetime64[ns, UTC]":
        return pd.Series(pd.array(values, dtype=column.dtype))
    moments = pd.Series(pd.array(values, dtype="Int64"))
    return pd.to_datetime(moments, unit="us", utc=True).astype(column.dtype)


def _frame(columns: list[Column], source: Iterator[rows.Row], report: rows.Report) -> pd.DataFrame:
    import pandas as pd

    register()
    raw: list[list[Any]] = [[] for _ in columns]
    places: list[str] = []
    for row in source:  # rows are let go one by one: a log can be large
        places.append(row["where"])
        for column, values in zip(columns, raw, strict=True):
            values.append(row.get(column.name))
    return pd.DataFrame(
        {
            column.name: _series(column, _cells(column, values, places, report))
            for column, values in zip(columns, raw, strict=True)
        }
    )


def frame_of(columns: list[Column], source: Iterable[rows.Row]) -> pd.DataFrame:
    """Rows under these columns, each with its dtype also where there are no rows.

    Raises:
        StoreError: a value that its column cannot hold.
    """
    return _frame(columns, ({"where": "", **row} for row in source), _raise)


def _cells(column: Column, values: list[Any], places: list[str], report: rows.Report) -> list[Any]:
    if column.dtype == "string" and {*map(type, values)} <= {str, type(None)}:
        return values  # nothing to look at one by one
    read = _READ[column.dtype]
    for index, value in enumerate(values):
        if value is not None:
            try:
                values[index] = read(value)
            except _Unfit as wanted:
                report(
                    StoreError(
                        f"{places[index]}: {column.name} must be {wanted}, got {value!r:.80}.",
                        remedy="Correct that line, or pass strict=False and get it as <NA>.",
                    )
                )
                values[index] = None
    return values


def _folder(workspace: Any) -> Path:
    if workspace is None:
        workspace = os.environ.get("LLMOS_WORKSPACE") or "workspace"
    if not isinstance(workspace, (str, os.PathLike)):
        workspace = getattr(workspace, "workspace", workspace)
    if not isinstance(workspace, (str, os.PathLike)):
        raise StoreError(
            f"{workspace!r:.80} is no workspace.", remedy="Give a folder, an LLMOS, or nothing for the current one."
        )
    return Path(workspace).expanduser()


def _raise(error: LlmosError) -> None:
    raise error


def _made(name: str, source: Callable[[Path, rows.Report], Iterator[rows.Row]], workspace: Any, strict: bool) -> Any:
    errors: Errors = []
    report: rows.Report = _raise if strict else errors.append
    folder = _folder(workspace)
    if isinstance(workspace, (str, os.PathLike)) and not folder.is_dir():  # an empty frame would hide a typo
        warnings.warn(
            f"{name}: there is no workspace {str(folder)!r}, so there are no rows. Name the folder that holds agents/ "
            "and memory/, or nothing for the current workspace.",
            stacklevel=3,
        )
    frame = _frame(FRAMES[name], source(folder, report), report)
    return frame if strict else (frame, errors)


@overload
def runs_df(workspace: Any = None, *, strict: Literal[True] = True) -> pd.DataFrame: ...
@overload
def runs_df(workspace: Any = None, *, strict: Literal[False]) -> tuple[pd.DataFrame, Errors]: ...
def runs_df(workspace: Any = None, *, strict: bool = True) -> Any:
    """One row a goal that was run; joins by ``run_id``, and with ``agents_df`` by ``agent`` = ``name``.

    Raises:
        StoreError: ``strict`` and a line of a session log cannot be read.
    """
    return _made("runs_df", rows.run_rows, workspace, strict)


@overload
def steps_df(workspace: Any = None, *, strict: Literal[True] = True) -> pd.DataFrame: ...
@overload
def steps_df(workspace: Any = None, *, strict: Literal[False]) -> tuple[pd.DataFrame, Errors]: ...
def steps_df(workspace: Any = None, *, strict: bool = True) -> Any:
    """One row a tool call; joins by ``run_id``, and with ``events_df`` by ``run_id`` and ``position``.

    Raises:
        StoreError: ``strict`` and a line of a session log cannot be read.
    """
    return _made("steps_df", rows.step_rows, workspace, strict)


@overload
def messages_df(workspace: Any = None, *, strict: Literal[True] = True) -> pd.DataFrame: ...
@overload
def messages_df(workspace: Any = None, *, strict: Literal[False]) -> tuple[pd.DataFrame, Errors]: ...
def messages_df(workspace: Any = None, *, strict: bool = True) -> Any:
    """One row a message to or from a model; joins by ``run_id``, and with ``events_df`` by ``position`` too.

    Raises:
        StoreError: ``strict`` and a line of a session log cannot be read.
    """
    return _made("messages_df", rows.message_rows, workspace, strict)


@overload
def events_df(workspace: Any = None, *, strict: Literal[True] = True) -> pd.DataFrame: ...
@overload
def events_df(workspace: Any = None, *, strict: Literal[False]) -> tuple[pd.DataFrame, Errors]: ...
def events_df(workspace: Any = None, *, strict: bool = True) -> Any:
    """One row an event, streaming text left out; ``run_id`` and ``position`` name it.

    Raises:
        StoreError: ``strict`` and a line of a session log cannot be read.
    """
    return _made("events_df", rows.event_rows, workspace, strict)


@overload
def ledger_df(workspace: Any = None, *, strict: Literal[True] = True) -> pd.DataFrame: ...
@overload
def ledger_df(workspace: Any = None, *, strict: Literal[False]) -> tuple[pd.DataFrame, Errors]: ...
def ledger_df(workspace: Any = None, *, strict: bool = True) -> Any:
    """One row a ledger row, of the database ``$LLMOS_STATE_URL`` or else the workspace's; joins by ``run_id``.

    Sum real and tutorial money apart: ``df[~df.simulated].cost_usd.sum()``. Where the database is not there, its copy
    ``.llmos/state.ledger.jsonl`` is read; where that is missing too, a warning says so if runs asked a model.

    Raises:
        StoreError: ``strict`` and the database, or its copy, cannot be read. One that is not there gives no rows.
    """
    made = _made("ledger_df", rows.ledger_rows, workspace, strict)
    folder = _folder(workspace)
    if not len(made if strict else made[0]) and rows.lost_ledger(folder):
        warnings.warn(
            f"ledger_df: {folder} has runs that asked a model, and no ledger of them: the folder .llmos in it was "
            "perhaps not copied along. What each run cost is in runs_df, too.",
            stacklevel=2,
        )
    return made


@overload
def agents_df(workspace: Any = None, *, strict: Literal[True] = True) -> pd.DataFrame: ...
@overload
def agents_df(workspace: Any = None, *, strict: Literal[False]) -> tuple[pd.DataFrame, Errors]: ...
def agents_df(workspace: Any = None, *, strict: bool = True) -> Any:
    """One row an agent that can be used, the packaged ones too; ``name`` joins with ``runs_df``'s ``agent``.

    Raises:
        AgentFileError: ``strict`` and a file cannot be used.
    """
    return _made("agents_df", rows.agent_rows, workspace, strict)


@overload
def traces_df(workspace: Any = None, *, strict: Literal[True] = True) -> pd.DataFrame: ...
@overload
def traces_df(workspace: Any = None, *, strict: Literal[False]) -> tuple[pd.DataFrame, Errors]: ...
def traces_df(workspace: Any = None, *, strict: bool = True) -> Any:
    """One row a trace, read from its file, the oldest first; ``id`` joins with ``runs_df``'s ``trace_id``.

    Raises:
        TraceFileError: ``strict`` and a file cannot be read.
    """
    return _made("traces_df", rows.trace_rows, workspace, strict)
