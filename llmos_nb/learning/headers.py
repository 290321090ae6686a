"""The columns of a file that code is about to load, read cheaply: the first rows, or the schema."""

from __future__ import annotations

import ast
import importlib.util
import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard import check_path
from llmos_nb.tools.packs import packs

__all__ = ["READERS", "header", "kinds_of", "loads_table", "local_file"]

#: Functions that load a table, with what their first argument is.
READERS: Final = {
    "read_csv": "text", "read_table": "text", "read_json": "text", "read_excel": "whole", "read_parquet": "columns",
}  # fmt: skip
#: Options of theirs that decide which columns there are; with any other value than a literal nothing is read.
_OPTIONS: Final = frozenset(
    {"comment", "decimal", "delimiter", "encoding", "header", "index_col", "lines", "names", "sep", "sheet_name",
     "skiprows", "thousands", "usecols", "parse_dates", "na_values", "dtype"}
)  # fmt: skip
#: What pandas is called where its functions are.
_PANDAS: Final = ("pd", "pandas")
#: Rows that are read to see what a column holds.
ROWS: Final = 200
#: Bytes up to which a file is read that has to be opened as a whole (a workbook), and one that is read from its start.
SIZE_LIMIT: Final = {"whole": 4 * 2**20, "text": 256 * 2**20, "pack": 32 * 2**20}
#: Nanoseconds for which a file that was just written is read again: its times tell moments no finer apart.
RACY_NS: Final = 100_000_000
#: Headers that are kept, by the call, the file and what told it from what it was before.
_KEPT: Final = 128
_kept: dict[tuple[object, ...], dict[str, str]] = {}


def kinds_of(frame: Any) -> dict[str, str]:
    """What the columns of a pandas table hold: ``number``, ``date``, ``duration`` or ``text``."""
    words = dict.fromkeys("iufcb", "number") | {"M": "date", "m": "duration"}
    return {
        column: words.get(getattr(dtype, "kind", "O"), "text")
        for column, dtype in zip(frame.columns, frame.dtypes, strict=False)
        if isinstance(column, str)
    }


def local_file(name: str, cwd: Path) -> Path | None:
    """The path that ``name`` means for code in ``cwd``; None for an address or what cannot be a path."""
    if "://" in name or "\0" in name or not name:
        return None
    return cwd / os.path.expanduser(name)


def header(call: ast.Call, cwd: Path) -> dict[str, str] | None:
    """Columns and what they hold (``number``, ``date``, ``duration``, ``text``) of the file that ``call`` loads.

    None where it cannot be told cheaply: the file is not there, too large, not allowed, or the call is not plain.
    """
    function, load = _function(call.func), _of_a_pack(call.func)
    if len(call.args) != 1 or (load is None and function not in READERS):
        return None
    try:
        name = ast.literal_eval(call.args[0])
        wanted = [k for k in call.keywords if load is not None or k.arg in _OPTIONS]
        options = {k.arg: ast.literal_eval(k.value) for k in wanted if k.arg is not None}
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    path = local_file(name, cwd) if isinstance(name, str) else None
    if path is None or any(k.arg is None for k in call.keywords):
        return None
    whole = path.suffix.lower() == ".xlsx"
    found = _may_be_read(path, cwd, READERS[function] if load is None else "whole" if whole else "pack")
    if found is None:
        return None
    key = function, load is None, str(path), repr(options), found.st_mtime_ns, found.st_size, found.st_ino
    kept = _kept.get(key)
    if kept is not None:
        return dict(kept)
    try:
        kinds = _read(function, path, options) if load is None else kinds_of(load(path, **{**options, "rows": ROWS}))
    except Exception:  # noqa: BLE001 - what cannot be read is left to the step itself, whatever the parser raises
        return None
    coarse = found.st_mtime_ns % 1_000_000_000 == 0  # a file system that keeps whole seconds
    if kinds is not None and time.time_ns() - found.st_mtime_ns > RACY_NS * (30 if coarse else 1):
        while len(_kept) >= _KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = dict(kinds)
    return kinds


def loads_table(call: ast.Call) -> bool:
    """Whether this is a call of a function that loads a table, of pandas or of a pack."""
    plain = isinstance(call.func, ast.Attribute) and call.func.attr in READERS
    return plain or _of_a_pack(call.func) is not None


def _function(function: ast.expr) -> str:
    return (
        function.attr
        if isinstance(function, ast.Attribute)
        else function.id
        if isinstance(function, ast.Name)
        else ""
    )


def _of_a_pack(function: ast.expr) -> Callable[..., Any] | None:
    """The function of a pack that is called: by its bare name, or as what anything but pandas has."""
    name = _function(function)
    if not name or (isinstance(function, ast.Attribute) and _function(function.value) in _PANDAS):
        return None
    return next((pack.loaders[name] for pack in packs() if name in pack.loaders), None)


def _may_be_read(path: Path, cwd: Path, kind: str) -> os.stat_result | None:
    """What the file system says of the file; None where it is none, too large, or not allowed."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > SIZE_LIMIT.get(kind, 2**63):
        return None
    return found if check_path(path, "read", workspace=cwd, cwd=cwd).decision == "allow" else None


def _read(function: str, path: Path, options: Mapping[str, Any]) -> dict[str, str] | None:
    if function == "read_parquet":
        return _schema(path)
    import pandas as pd  # the step is about to do the same

    options = {name: value for name, value in options.items() if name != "usecols"}
    if function == "read_excel":
        frame = pd.read_excel(path, nrows=ROWS, **{k: v for k, v in options.items() if k not in ("sep", "lines")})
    elif function == "read_json":
        if options.get("lines") is not True:
            return None
        frame = pd.read_json(path, lines=True, nrows=ROWS)
    else:
        frame = getattr(pd, function)(path, nrows=ROWS, **options)
    return kinds_of(frame)


def _schema(path: Path) -> dict[str, str] | None:
    if importlib.util.find_spec("pyarrow") is None:
        return None
    parquet: Any = importlib.import_module("pyarrow.parquet")
    types: Any = importlib.import_module("pyarrow.types")
    return {
        column.name: "number"
        if types.is_integer(column.type) or types.is_floating(column.type) or types.is_boolean(column.type)
        else "date"
        if types.is_temporal(column.type)
        else "text"
        for column in parquet.read_schema(path)
    }
