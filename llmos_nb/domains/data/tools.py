"""The pack's tools: each call is a cell that calls the pack's function of that name, on tables by their names.

So a step is ordinary Python: it is guarded, watched, undone, repeated with other values and made into functions as any
cell is, and a person can read and run it.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from typing import Any, Final

from llmos_nb.errors import TableError
from llmos_nb.guard import Verdict
from llmos_nb.tools import Tool, ToolContext, ToolResult

__all__ = ["TOOLS"]

#: Under a name of its own: a variable of the user may be called ``plot`` or ``clean``.
_IMPORT: Final = "from llmos_nb.domains import data as _data"


def _variable(arguments: Mapping[str, Any], key: str, default: str = "") -> str:
    """The name of a table among the user's variables."""
    name = str(arguments.get(key) or default)
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise TableError(f"{key}: {name!r:.60} cannot be the name of a variable.", remedy="Use a name such as sales.")
    return name


def _given(arguments: Mapping[str, Any], *names: str) -> str:
    """Those of the arguments that are given, as they stand in a call."""
    return "".join(f", {name}={arguments[name]!r}" for name in names if arguments.get(name) is not None)


def _read(arguments: Mapping[str, Any]) -> str:
    into = _variable(arguments, "into")
    options = _given(
        arguments, "table", "sheet", "query", "columns", "rows", "separator", "encoding", "decimal", "header"
    )
    return f"{into} = _data.read_table({arguments['path']!r}{options})\n_data.source_of({into})"


def _profile(arguments: Mapping[str, Any]) -> str:
    table = _variable(arguments, "table")
    return f"_data.profile({table}, {table!r})"


def _clean(arguments: Mapping[str, Any]) -> str:
    table = _variable(arguments, "table")
    into = _variable(arguments, "into", table)
    options = _given(arguments, "steps", "markers", "force", "day_first", "key")
    return f"{into}, {into}_report = _data.clean({table}{options})\n{into}_report"


def _join(arguments: Mapping[str, Any]) -> str:
    left, right, into = (_variable(arguments, key) for key in ("left", "right", "into"))
    options = _given(arguments, "on", "left_on", "right_on", "how", "many_to_many")
    return f"{into}, {into}_report = _data.join({left}, {right}{options})\n{into}_report"


def _plot(arguments: Mapping[str, Any]) -> str:
    return f"_data.plot({_variable(arguments, 'table')}{_given(arguments, 'x', 'y', 'by', 'kind', 'title')})"


def _write(arguments: Mapping[str, Any]) -> str:
    table = _variable(arguments, "table")
    options = _given(arguments, "sheet", "separator", "decimal", "encoding")
    return f"_data.write_table({table}, {arguments['path']!r}{options})"


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _texts(description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "description": description}


_TABLE: Final = _text("Name of the table among the user's variables.")
_INTO: Final = _text("Name of the variable for the result; its report is <name>_report.")


def _check(context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
    """Paths are confined by their format in the schema; the cell that is run is judged as any is."""
    return Verdict("allow", "tables", "works on the user's tables")


def _tool(
    name: str,
    description: str,
    cell: Callable[[Mapping[str, Any]], str],
    properties: dict[str, Any],
    required: tuple[str, ...],
    main: str,
) -> Tool:
    def whole(arguments: Mapping[str, Any]) -> str:
        return f"{_IMPORT}\n\n{cell(arguments)}"

    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        done = await context.namespace.run_cell(whole(arguments), show=False)
        text = "\n".join(output.text.rstrip("\n") for output in done.outputs)
        return ToolResult(
            text=(text + done.traceback).strip("\n"),
            error=done.error,
            interrupted=done.interrupted,
            outputs=done.outputs,
        )

    return Tool(
        name=name,
        description=description,
        schema={"type": "object", "properties": properties, "required": list(required)},
        cell=whole,
        run=run,
        check=_check,
        main=main,
    )


TOOLS: Final = (
    _tool(
        "read_table",
        "Read a table from a file into a variable: CSV and other text (separator, encoding and decimal sign are found "
        "out), Parquet, Excel, SQLite or DuckDB. Returns how it was read and the columns with their types.",
        _read,
        {
            "path": _text("Path of the file.", format="input-path"),
            "into": _text("Name of the variable for the table."),
            "table": _text("The table of a database; may be left out where there is one only."),
            "sheet": _text("The sheet of an Excel file; the first one if left out."),
            "query": _text("A SELECT on a database, in place of table."),
            "columns": _texts("Only these columns."),
            "rows": {"type": "integer", "description": "Only so many rows from the beginning."},
            "separator": _text("The separator, where what was found out is wrong."),
            "encoding": _text("The encoding, where what was found out is wrong."),
            "decimal": _text("The decimal sign, where what was found out is wrong."),
            "header": {"type": "integer", "description": "The line that has the names, from 1; 0 if none has."},
        },
        ("path", "into"),
        "path",
    ),
    _tool(
        "profile_table",
        "Look at a table before anything is computed from it: types, missing values, duplicates, outliers, and what looks "
        "wrong (numbers or dates stored as text, several date formats, spellings of one word …). Changes nothing.",
        _profile,
        {"table": _TABLE},
        ("table",),
        "table",
    ),
    _tool(
        "clean_table",
        "Clean a table in named steps and report every change with its count. A column changes its type only where all of "
        "it can be read; what is left alone is told. Rows that go are kept in the report.",
        _clean,
        {
            "table": _TABLE,
            "into": _text(
                "Name of the variable for the cleaned table, the table's own if left out; the report is <name>_report."
            ),
            "steps": _texts(
                "Out of strip, missing, spelling, types, dates, empty, duplicates; all but spelling if left out."
            ),
            "markers": _texts("Further values that stand for a missing one, such as unknown or -999."),
            "force": _texts("Columns whose unreadable texts become missing, counted."),
            "day_first": {"type": "boolean", "description": "Whether 3/4/2020 is in April."},
            "key": _texts("Columns that say which row is which: rows with the key of an earlier one are duplicates."),
        },
        ("table",),
        "table",
    ),
    _tool(
        "join_tables",
        "Join two tables by key columns and report what matched: unmatched rows on either side, keys that occur several "
        "times. A join that would multiply rows is refused unless many_to_many says that it is meant.",
        _join,
        {
            "left": _text("Name of the left table."),
            "right": _text("Name of the right table."),
            "into": _INTO,
            "on": _texts("The key columns; all that both have if left out."),
            "left_on": _texts("The left table's key columns, where they are called otherwise."),
            "right_on": _texts("The right table's key columns, in the same order."),
            "how": _text("Which rows stay.", enum=["left", "inner", "outer", "right"]),
            "many_to_many": {"type": "boolean", "description": "Whether each pair of rows with a key is wanted."},
        },
        ("left", "right", "into"),
        "into",
    ),
    _tool(
        "plot_table",
        "Draw one or two columns of a table as one labelled picture. What fits is chosen from the columns: a histogram, "
        "bars, points, a line, boxes or a heat map. Missing values are told. Without x, an overview of all columns.",
        _plot,
        {
            "table": _TABLE,
            "x": _text("The column along the picture."),
            "y": _text("The column up the picture."),
            "by": _text("A column that gives the colours."),
            "kind": _text("What to draw.", enum=["histogram", "bar", "scatter", "line", "box", "heatmap"]),
            "title": _text("The title."),
        },
        ("table",),
        "table",
    ),
    _tool(
        "write_table",
        "Write a table to a file: .csv, .tsv (also .gz), .parquet or .xlsx, by the name's end; one that is there is "
        "replaced. Databases are only read.",
        _write,
        {
            "table": _TABLE,
            "path": _text("Path of the file.", format="path"),
            "sheet": _text("The sheet's name in an Excel file."),
            "separator": _text("The separator of a text file."),
            "decimal": _text("The decimal sign of a text file."),
            "encoding": _text("The encoding of a text file."),
        },
        ("table", "path"),
        "path",
    ),
)
