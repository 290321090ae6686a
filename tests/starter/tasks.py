# ruff: noqa: E501
"""The everyday tasks of the data pack's library: how each is asked for, and the program that does it.

:mod:`tests.starter.task` says what stands for the values; more of them are in :mod:`tests.starter.more`.
"""

from __future__ import annotations

from typing import Final

from tests.starter.more import MORE
from tests.starter.task import ACROSS as _ACROSS
from tests.starter.task import ALL as _ALL
from tests.starter.task import DATA as _DATA
from tests.starter.task import DRAW as _DRAW
from tests.starter.task import KINDS, Task
from tests.starter.task import ORDER as _ORDER
from tests.starter.task import PLT as _PLT

__all__ = ["KINDS", "TASKS", "Task", "tasks"]

TASKS: list[Task] = [*MORE]


def task(group: str, name: str, code: str, answer: str, *wordings: str) -> None:
    """Declare a task."""
    TASKS.append(Task(name, group, wordings, code.strip("\n"), answer))


def tasks() -> dict[str, Task]:
    """All tasks by name."""
    found = {one.name: one for one in TASKS}
    assert len(found) == len(TASKS)
    return found


# -- look ---------------------------------------------------------------------------------------------------------------

task(
    "look", "list the tables", _DATA + "llmos_data.tables_among(globals())", "The tables that are loaded, with their sizes.",
    "list the tables", "list tables", "show the tables", "which tables are there", "what tables are there",
    "which tables do I have", "what tables do I have", "list all tables", "show all tables",
)  # fmt: skip
task(
    "look", "show a table", "{t}", "This is the table.",
    "show me {t}", "display the table {t}", "print {t}", "show all rows of {t}", "let me see the whole table {t}",
)  # fmt: skip
task(
    "look", "first rows", "{t}.head()", "These are the first rows.",
    "show the first rows of {t}", "show the head of {t}", "what does {t} look like", "preview {t}",
    "let me see the first few rows of {t}", "show the first rows in {t}", "peek at {t}",
)  # fmt: skip
task(
    "look", "first n rows", "{t}.head({n})", "These are the first rows.",
    "show the first {n} rows of {t}", "first {n} rows in {t}", "head of {t} with {n} rows",
    "give me the first {n} lines of {t}", "display the first {n} records from {t}", "show the first {n} {t}",
    "first {n} {t}",
)  # fmt: skip
task(
    "look", "last rows", "{t}.tail()", "These are the last rows.",
    "show the last rows of {t}", "show the tail of {t}", "let me see the last few rows of {t}",
    "how does {t} end", "show the last rows in {t}",
)  # fmt: skip
task(
    "look", "last n rows", "{t}.tail({n})", "These are the last rows.",
    "show the last {n} rows of {t}", "last {n} rows in {t}", "tail of {t} with {n} rows",
    "give me the last {n} lines of {t}", "display the last {n} records from {t}", "show the last {n} {t}",
    "last {n} {t}",
)  # fmt: skip
task(
    "look", "random rows", "{t}.sample({n}, random_state=0)", "A random sample, the same one each time.",
    "show {n} random rows of {t}", "sample {n} rows from {t}", "draw a random sample of {n} rows from {t}",
    "pick {n} rows of {t} at random", "take a sample of {n} rows in {t}", "random sample of {n} {t}", "show {n} random {t}",
    "random sample of {n} rows of {t}", "randomly pick {n} rows of {t}", "pick {n} random rows of {t}",
    "{n} random rows of {t}",
)  # fmt: skip
task(
    "look", "count rows", "len({t})", "That many rows are in the table.",
    "how many rows does {t} have", "count the rows of {t}", "number of rows in {t}", "how many rows are in {t}",
    "how many records are there in {t}", "row count of {t}", "how many {t} are there", "number of {t}", "count the {t}",
    "how long is {t}",
)  # fmt: skip
task(
    "look", "shape", "{t}.shape", "The number of rows, and the number of columns.",
    "how many rows and columns does {t} have", "what is the shape of {t}", "how big is {t}",
    "what are the dimensions of {t}", "what is the size of {t}", "how many columns and rows are in {t}",
)  # fmt: skip
task(
    "look", "column names", "list({t}.columns)", "These are the columns.",
    "what columns does {t} have", "list the columns of {t}", "show the column names of {t}",
    "which columns are in {t}", "what are the columns called in {t}", "names of the columns of {t}",
)  # fmt: skip
task(
    "look", "column types", "{t}.dtypes", "The type of each column.",
    "what are the types of the columns of {t}", "show the data types of {t}", "column types of {t}",
    "show the dtypes of {t}", "which types do the columns in {t} have", "what data type does each column of {t} have",
)  # fmt: skip
task(
    "look", "profile",
    """
import pandas as pd

pd.DataFrame({"type": {t}.dtypes.astype(str), "missing": {t}.isna().sum(), "distinct": {t}.nunique()})
""",
    "For each column its type, how many values are missing, and how many are distinct.",
    "profile {t}", "give me an overview of {t}", "give me a profile of {t}", "get an overview of the table {t}",
    "profile the table {t}", "show an overview of the columns in {t}",
)  # fmt: skip
task(
    "look", "describe", "{t}.describe()", "Summary statistics of the columns that can be summarised by numbers.",
    "describe {t}", "show summary statistics of {t}", "summarize {t}", "descriptive statistics of {t}",
    "give me a summary of {t}", "summary statistics for the table {t}", "show a summary of the numbers in {t}",
)  # fmt: skip
task(
    "look", "describe a column", '{t}[{c}].describe()', "Summary statistics of the column.",
    "describe {c} in {t}", "describe the column {c} of {t}", "summary statistics of {c} in {t}",
    "summarize the column {c} of {t}", "summarize {c} in {t}", "statistics of {c} in {t}",
    "give me a summary of {c} in {t}",
)  # fmt: skip

# -- rows and columns ---------------------------------------------------------------------------------------------------

task(
    "rows and columns", "sort", _DATA + "{t}.sort_values({c}, key=llmos_data.order_key)",
    "Sorted from the lowest to the highest; texts that are no dates or numbers by the alphabet.",
    "sort {t} by {c}", "order {t} by {c}", "sort the rows of {t} by {c} in ascending order",
    "sort {t} by {c} from lowest to highest", "arrange the rows of {t} by {c}", "sort by {c} in {t}",
    "sort {t} by {c} ascending", "sort {t} by the column {c}",
)  # fmt: skip
task(
    "rows and columns", "sort descending", _DATA + "{t}.sort_values({c}, ascending=False, key=llmos_data.order_key)",
    "Sorted from the highest to the lowest; texts that are no dates or numbers by the alphabet.",
    "sort {t} by {c} descending", "order {t} by {c} in descending order",
    "sort the rows of {t} by {c} from highest to lowest", "sort {t} by {c} largest first",
    "arrange the rows of {t} by {c} from high to low", "sort by {c} descending in {t}",
    "sort {t} by the column {c} in decreasing order",
)  # fmt: skip
task(
    "rows and columns", "sort by two", _DATA + "{t}.sort_values([{c}, {d}], key=llmos_data.order_key)",
    "Sorted by the first column, then the second; texts that are no dates or numbers by the alphabet.",
    "sort {t} by {c} and {d}", "order {t} by {c} and {d}", "sort {t} by {c} and then by {d}",
    "sort the rows of {t} by {c} and {d}", "sort by {c} and {d} in {t}",
)  # fmt: skip
task(
    "rows and columns", "top n", "{t}.nlargest({n}, {x})", "The rows with the highest values come first.",
    "show the {n} rows of {t} with the highest {x}", "top {n} rows of {t} by {x}", "top {n} of {t} by {x}",
    "which {n} rows of {t} have the largest {x}", "the {n} rows with the biggest {x} in {t}",
    "show the top {n} by {x} in {t}", "top {n} {t} by {x}", "{n} highest {x} in {t}",
)  # fmt: skip
task(
    "rows and columns", "bottom n", "{t}.nsmallest({n}, {x})", "The rows with the lowest values come first.",
    "show the {n} rows of {t} with the lowest {x}", "bottom {n} rows of {t} by {x}", "bottom {n} of {t} by {x}",
    "which {n} rows of {t} have the smallest {x}", "the {n} rows with the least {x} in {t}",
    "show the bottom {n} by {x} in {t}", "bottom {n} {t} by {x}", "{n} lowest {x} in {t}",
)  # fmt: skip
task(
    "rows and columns", "row with the highest",
    "{t}[{t}[{x}] == {t}[{x}].max()]", "The row with the highest value, or all of them where several have it.",
    "which row of {t} has the highest {x}", "show the row of {t} with the largest {x}",
    "show the row with the maximum {x} in {t}", "which record has the biggest {x} in {t}",
    "find the row with the highest {x} in {t}",
)  # fmt: skip
task(
    "rows and columns", "row with the lowest",
    "{t}[{t}[{x}] == {t}[{x}].min()]", "The row with the lowest value, or all of them where several have it.",
    "which row of {t} has the lowest {x}", "show the row of {t} with the smallest {x}",
    "show the row with the minimum {x} in {t}", "which record has the least {x} in {t}",
    "find the row with the lowest {x} in {t}",
)  # fmt: skip
task(
    "rows and columns", "show a column", "{t}[{c}]", "The values of the column.",
    "show the column {c} of {t}", "show the values of {c} in {t}", "display the column {c} in {t}",
    "print the values of the column {c} of {t}", "get the column {c} from {t}",
)  # fmt: skip
task(
    "rows and columns", "two columns", "{t}[[{c}, {d}]]", "Only these columns; the table is as it was.",
    "show only the columns {c} and {d} of {t}", "show the columns {c} and {d} of {t}",
    "select the columns {c} and {d} from {t}", "select {c} and {d} from {t}", "show {c} and {d} in {t}",
    "only the columns {c} and {d} in {t}", "show only {c} and {d} in {t}", "show only {c} and {d} of {t}",
)  # fmt: skip
task(
    "rows and columns", "drop a column", "{t} = {t}.drop(columns=[{c}])", "The column is gone.",
    "drop the column {c} from {t}", "remove the column {c} from {t}", "delete the column {c} of {t}",
    "drop {c} from {t}", "delete the {c} column in {t}", "remove {c} from the table {t}",
)  # fmt: skip
task(
    "rows and columns", "drop two columns", "{t} = {t}.drop(columns=[{c}, {d}])", "The columns are gone.",
    "drop the columns {c} and {d} from {t}", "remove the columns {c} and {d} from {t}",
    "delete the columns {c} and {d} of {t}", "drop {c} and {d} from {t}", "remove the columns {c} and {d} in {t}",
)  # fmt: skip
task(
    "rows and columns", "rename a column",
    "{t} = {t}.rename(columns={{c}: {m}})", "The column has its new name.",
    "rename the column {c} of {t} to {m}", "rename {c} to {m} in {t}", "rename {c} in {t} to {m}",
    "rename the column {c} to {m} in {t}", "rename the {c} column of {t} to {m}",
    "call the column {c} of {t} {m}",
)  # fmt: skip
task(
    "rows and columns", "to numbers",
    _DATA + "{t} = {t}.assign(**{{j}: llmos_data.numbers({t}[{j}])})",
    "The column holds numbers now, without signs of a unit and without zeros at the beginning.",
    "convert {j} in {t} to numbers", "convert the column {j} of {t} to numbers", "change {j} in {t} to a number",
    "turn {j} in {t} into numbers", "make the column {j} of {t} numeric", "convert {j} to numeric in {t}",
    "change the type of {j} in {t} to number",
)  # fmt: skip
task(
    "rows and columns", "to dates",
    _DATA + "{t} = {t}.assign(**{{w}: llmos_data.dates({t}[{w}])})",
    "The column holds dates now.",
    "convert {w} in {t} to dates", "convert the column {w} of {t} to dates", "parse {w} in {t} as dates",
    "turn {w} in {t} into dates", "convert {w} to datetime in {t}", "change the type of {w} in {t} to date",
    "parse the dates in {w} of {t}",
)  # fmt: skip
for _sign, _called in ((",", "comma"), (".", "point")):
    task(
        "rows and columns", f"to numbers with a decimal {_called}",
        f'{_DATA}{{t}} = {{t}}.assign(**{{{{j}}: llmos_data.numbers({{t}}[{{j}}], decimal="{_sign}")}})',
        "The column holds numbers now, without signs of a unit.",
        f"convert {{j}} in {{t}} to numbers with a decimal {_called}",
        f"convert {{j}} to numbers with a decimal {_called} in {{t}}",
        f"turn {{j}} in {{t}} into numbers with a decimal {_called}",
        f"convert the column {{j}} of {{t}} to numbers with decimal {_called}",
    )  # fmt: skip
for _first, _called, _land in ((True, "day", "european"), (False, "month", "american")):
    task(
        "rows and columns", f"to dates, {_called} first",
        f"{_DATA}{{t}} = {{t}}.assign(**{{{{w}}: llmos_data.dates({{t}}[{{w}}], day_first={_first})}})",
        "The column holds dates now.",
        f"convert {{w}} in {{t}} to dates with the {_called} first",
        f"convert {{w}} to dates with the {_called} first in {{t}}",
        f"convert the column {{w}} of {{t}} to dates, {_called} first", f"parse {{w}} in {{t}} as dates, {_called} first",
        f"convert {{w}} in {{t}} to {_land} dates", f"convert {{w}} to {_land} dates in {{t}}",
        f"parse {{w}} in {{t}} as {_land} dates",
    )  # fmt: skip
task(
    "rows and columns", "to text",
    "{t} = {t}.assign(**{{c}: {t}[{c}].astype(str).where({t}[{c}].notna())})", "The column holds text now.",
    "convert {c} in {t} to text", "convert the column {c} of {t} to strings", "turn {c} in {t} into text",
    "change the type of {c} in {t} to text", "convert {c} to string in {t}",
)  # fmt: skip

# -- filter -------------------------------------------------------------------------------------------------------------

task(
    "filter", "category is", "{t}[{t}[{k}] == {v}]", "The rows with this value.",
    "show the rows of {t} where {k} is {v}", "filter {t} where {k} is {v}", "show {t} where {k} is {v}",
    "only the rows of {t} where {k} is {v}", "rows with {k} {v} in {t}", "filter {t} by {k} {v}",
    "filter {t} for {k} = {v}", "rows where {k} equals {v} in {t}", "show only the rows of {t} with {k} {v}", "only {t} with {k} {v}", "{t} with {k} {v}",
)  # fmt: skip
task(
    "filter", "category is not", "{t}[{t}[{k}] != {v}]",
    "The rows with any other value; rows without one are among them.",
    "show the rows of {t} where {k} is not {v}", "filter {t} where {k} is not {v}", "rows of {t} with {k} not {v}",
    "show {t} where {k} is not {v}", "rows where {k} isn't {v} in {t}", "only the rows of {t} where {k} is not {v}",
)  # fmt: skip
task(
    "filter", "category is one of two", "{t}[{t}[{k}].isin([{v}, {z}])]", "The rows with one of these values.",
    "show the rows of {t} where {k} is {v} or {z}", "filter {t} where {k} is {v} or {z}",
    "rows with {k} {v} or {z} in {t}", "show {t} where {k} is either {v} or {z}",
    "only the rows of {t} where {k} is {v} or {z}", "rows where {k} is {v} or {z} in {t}",
    "show {t} where {k} is {v} or {z}", "{t} where {k} is {v} or {z}", "{t} with {k} {v} or {z}",
)  # fmt: skip
for _name, _operator, _said, _sign, _answer in (
    ("greater than", ">", ("greater than", "above", "over", "more than", "higher than"), ">", "higher"),
    ("less than", "<", ("less than", "below", "under", "lower than", "smaller than"), "<", "lower"),
    ("at least", ">=", ("at least", "no less than", "at least", "at least", "at least"), ">=", "at least as high"),
    ("at most", "<=", ("at most", "no more than", "at most", "at most", "at most"), "<=", "at most as high"),
):
    task(
        "filter", f"number is {_name}", f"{{t}}[{{t}}[{{x}}] {_operator} {{a}}]",
        f"The rows whose value is {_answer}; rows without a value are not among them.",
        f"show the rows of {{t}} where {{x}} is {_said[0]} {{a}}", f"filter {{t}} where {{x}} is {_said[1]} {{a}}",
        f"rows of {{t}} with {{x}} {_said[2]} {{a}}", f"show {{t}} where {{x}} is {_said[3]} {{a}}",
        f"rows with {{x}} {_said[4]} {{a}} in {{t}}", f"only the rows of {{t}} where {{x}} {_sign} {{a}}",
        f"filter {{t}} where {{x}} {_sign} {{a}}", f"{{t}} with {_said[0]} {{a}} {{x}}", f"{{t}} where {{x}} is {_said[0]} {{a}}", f"rows of {{t}} where {{x}} {_sign} {{a}}", f"show {{t}} with {{x}} of {_said[0]} {{a}}",
        f"{{t}} with {{x}} {_said[2]} {{a}}", f"{{t}} with {{x}} {_said[1]} {{a}}", f"rows of {{t}} where {{x}} is {_said[2]} {{a}}",
    )  # fmt: skip
    if _operator in "<>":
        task(
            "filter", f"category and number {_name}",
            f"{{t}}[({{t}}[{{k}}] == {{v}}) & ({{t}}[{{x}}] {_operator} {{a}})]",
            f"The rows with this value, and whose number is {_answer}.",
            f"show the rows of {{t}} where {{k}} is {{v}} and {{x}} is {_said[0]} {{a}}",
            f"filter {{t}} where {{k}} is {{v}} and {{x}} is {_said[1]} {{a}}",
            f"rows of {{t}} with {{k}} {{v}} and {{x}} {_said[2]} {{a}}",
            f"show {{t}} where {{k}} is {{v}} and {{x}} {_sign} {{a}}",
            f"rows where {{x}} is {_said[3]} {{a}} and {{k}} is {{v}} in {{t}}",
        )  # fmt: skip
    task(
        "filter", f"count {_name}", f"int(({{t}}[{{x}}] {_operator} {{a}}).sum())",
        "That many rows fulfil the condition.",
        f"how many rows of {{t}} have {{x}} {_said[1]} {{a}}", f"count the rows of {{t}} with {{x}} {_said[0]} {{a}}",
        f"in how many rows of {{t}} is {{x}} {_said[2]} {{a}}",
        f"how many rows in {{t}} have {{x}} {_said[3]} {{a}}",
        f"number of rows of {{t}} where {{x}} is {_said[0]} {{a}}", f"how many rows have {{x}} {_sign} {{a}} in {{t}}", f"how many {{t}} have {{x}} {_said[1]} {{a}}",
        f"number of {{t}} with {{x}} {_said[2]} {{a}}", f"number of rows where {{x}} is {_said[1]} {{a}} in {{t}}",
    )  # fmt: skip
task(
    "filter", "number between", "{t}[{t}[{x}].between({a}, {b})]", "The rows between the two, both ends included.",
    "show the rows of {t} where {x} is between {a} and {b}", "filter {t} where {x} is between {a} and {b}",
    "rows of {t} with {x} between {a} and {b}", "show {t} where {x} is between {a} and {b}",
    "rows with {x} between {a} and {b} in {t}",
)  # fmt: skip
task(
    "filter", "number is", "{t}[{t}[{x}] == {a}]", "The rows with this number.",
    "show the rows of {t} where {x} is {a}", "filter {t} where {x} is {a}", "show {t} where {x} is {a}",
    "rows where {x} equals {a} in {t}", "only the rows of {t} where {x} = {a}", "filter {t} for {x} = {a}",
    "rows of {t} with {x} {a}", "{t} with {x} {a}", "rows with {x} {a} in {t}", "rows where {x} is {a} in {t}",
    "{t} where {x} is {a}",
)  # fmt: skip
task(
    "filter", "count a category", "int(({t}[{k}] == {v}).sum())", "That many rows have this value.",
    "how many rows of {t} have {k} {v}", "count the rows of {t} where {k} is {v}",
    "how many rows in {t} have {v} as {k}", "in how many rows of {t} is {k} {v}",
    "number of rows of {t} with {k} {v}", "how many rows have {k} {v} in {t}", "how many {t} have {k} {v}",
    "how many times is {k} {v} in {t}", "how often is {k} {v} in {t}", "count the {t} where {k} is {v}",
    "number of {t} with {k} {v}", "how many rows are there where {k} is {v} in {t}",
    "how many {t} are there with {k} {v}", "count {t} with {k} {v}",
)  # fmt: skip
task(
    "filter", "rows between dates",
    _DATA + "{t}[llmos_data.between({t}[{w}], {e}, {f})]",
    "The rows between the two dates, both included.",
    "show the rows of {t} where {w} is between {e} and {f}", "filter {t} where {w} is between {e} and {f}",
    "rows of {t} with {w} between {e} and {f}", "rows with {w} between {e} and {f} in {t}",
    "show {t} where {w} is between {e} and {f}", "show {t} between {e} and {f} using {w}",
    "rows between {e} and {f} in {t} using {w}", "{t} from {e} to {f} using {w}", "rows from {e} to {f} in {t} using {w}",
    "{t} with {w} from {e} to {f}",
)  # fmt: skip
task(
    "filter", "rows after a date", _DATA + "{t}[llmos_data.after({t}[{w}], {e})]",
    "The rows after that date.",
    "show the rows of {t} where {w} is after {e}", "filter {t} where {w} is after {e}",
    "rows of {t} with {w} after {e}", "rows with {w} after {e} in {t}", "show {t} where {w} is after {e}",
)  # fmt: skip
task(
    "filter", "rows before a date", _DATA + "{t}[llmos_data.before({t}[{w}], {e})]",
    "The rows before that date.",
    "show the rows of {t} where {w} is before {e}", "filter {t} where {w} is before {e}",
    "rows of {t} with {w} before {e}", "rows with {w} before {e} in {t}", "show {t} where {w} is before {e}",
)  # fmt: skip

task(
    "filter", "rows on a date", _DATA + "{t}[llmos_data.between({t}[{w}], {e}, {e})]",
    "The rows of that day, or of that month.",
    "show the rows of {t} where {w} is on {e}", "rows of {t} where {w} is {e}", "rows of {t} on {e} using {w}",
    "{t} on {e} using {w}", "rows of {t} in {e} using {w}", "{t} in {e} using {w}", "rows on {e} in {t} using {w}",
    "rows in {e} in {t} using {w}",
)  # fmt: skip
for _name, _operator, _worded, _answer in (
    ("rows of a year", "==", ("{t} from {h} using {w}", "{t} in {h} using {w}", "rows of {t} from {h} using {w}",
     "rows from {h} in {t} using {w}", "show the rows of {t} where {w} is in {h}", "rows of {t} in {h} using {w}",
     "{t} of {h} using {w}", "rows of {t} with {w} in {h}"), "The rows of that year."),
    ("rows after a year", ">", ("{t} after {h} using {w}", "rows of {t} after {h} using {w}", "rows after {h} in {t} using {w}",
     "show the rows of {t} where {w} is after {h}", "rows of {t} with {w} after {h}"), "The rows after the end of that year."),
    ("rows before a year", "<", ("{t} before {h} using {w}", "rows of {t} before {h} using {w}",
     "rows before {h} in {t} using {w}", "show the rows of {t} where {w} is before {h}", "rows of {t} with {w} before {h}"),
     "The rows before that year."),
):  # fmt: skip
    task(
        "filter", _name, f"{_DATA}{{t}}[llmos_data.dates({{t}}[{{w}}]).dt.year {_operator} {{h}}]", _answer, *_worded
    )
task(
    "filter", "count rows of a year", _DATA + "int((llmos_data.dates({t}[{w}]).dt.year == {h}).sum())",
    "That many rows are of that year.",
    "how many {t} are from {h} using {w}", "how many rows of {t} are from {h} using {w}", "number of {t} in {h} using {w}",
    "count the rows of {t} in {h} using {w}", "how many rows of {t} are in {h} using {w}", "how many {t} in {h} using {w}",
)  # fmt: skip
task(
    "filter", "rows where missing", "{t}[{t}[{c}].isna()]", "The rows without a value in this column.",
    "show the rows of {t} where {c} is missing", "rows where {c} is missing in {t}", "filter {t} where {c} is missing",
    "show {t} where {c} is missing", "{t} where {c} is missing", "rows with missing {c} in {t}",
    "rows of {t} without {c}", "rows without {c} in {t}", "rows of {t} with a missing {c}",
    "which rows of {t} have no {c}", "which {t} have no {c}", "which rows have no {c} in {t}", "rows of {t} with no {c}",
    "rows with no {c} in {t}", "{t} with no {c}", "rows where {c} is empty in {t}", "{t} where {c} is empty",
    "show {t} with missing {c}", "in which rows of {t} is {c} missing",
)  # fmt: skip
task(
    "filter", "rows where not missing", "{t}[{t}[{c}].notna()]", "The rows with a value in this column.",
    "show the rows of {t} where {c} is not missing", "rows where {c} is not missing in {t}",
    "filter {t} where {c} is not missing", "show {t} where {c} is not missing", "{t} where {c} is not missing",
    "only the rows of {t} where {c} is not missing",
)  # fmt: skip
for _said, _not, _code, _answer in (
    ("true", "", ".eq(True)", "The rows where it is so."),
    ("false", "", ".eq(False)", "The rows where it is not so; rows without a value are not among them."),
    ("true", "not ", ".ne(True)", "The rows where it is not so; rows without a value are among them."),
):
    task(
        "filter", f"flag is {_not}{_said}", f"{{t}}[{{t}}[{{g}}]{_code}]", _answer,
        f"show the rows of {{t}} where {{g}} is {_not}{_said}", f"rows where {{g}} is {_not}{_said} in {{t}}",
        f"filter {{t}} where {{g}} is {_not}{_said}", f"show {{t}} where {{g}} is {_not}{_said}",
        f"{{t}} where {{g}} is {_not}{_said}", f"only the rows of {{t}} where {{g}} is {_not}{_said}",
    )  # fmt: skip
    if not _not:
        task(
            "filter", f"count flag {_said}", f"int({{t}}[{{g}}]{_code}.sum())", "In that many rows it is so.",
            f"how many rows of {{t}} have {{g}} {_said}", f"in how many rows of {{t}} is {{g}} {_said}",
            f"count the rows of {{t}} where {{g}} is {_said}", f"how many rows have {{g}} {_said} in {{t}}",
            f"number of rows of {{t}} where {{g}} is {_said}",
        )  # fmt: skip
for _not, _holds, _code, _left in (
    ("", "holds", ".eq(True)", ""),
    ("not ", "does not hold", ".eq(False)", "; rows without a value are not among them"),
):
    task(
        "filter", f"flag {_holds}", f"{{t}}[{{t}}[{{g}}]{_code}]", f"The rows where it is {_not}so{_left}.",
        f"{{t}} that are {_not}{{g}}", f"which {{t}} are {_not}{{g}}", f"show {{t}} that are {_not}{{g}}",
        f"rows that are {_not}{{g}} in {{t}}", f"{{t}} who are {_not}{{g}}",
        *(("{t} not {g}",) if _not else ("show the {g} {t}", "rows where {g} in {t}", "{t} where {g}")),
    )  # fmt: skip
    task(
        "filter", f"count where flag {_holds}", f"int({{t}}[{{g}}]{_code}.sum())",
        f"In that many rows it is {_not}so{_left}.",
        f"how many {{t}} are {_not}{{g}}", f"how many rows of {{t}} are {_not}{{g}}",
        f"number of {{t}} that are {_not}{{g}}", f"count the {{t}} that are {_not}{{g}}",
        f"how many rows are {_not}{{g}} in {{t}}",
    )  # fmt: skip
_COMPARED: Final = {">": "above", "<": "below", ">=": "at least", "<=": "at most"}
for _one, _two in (
    (">", ">"),
    (">", "<"),
    ("<", ">"),
    ("<", "<"),
    (">=", ">="),
    (">=", "<="),
    ("<=", ">="),
    ("<=", "<="),
):
    _a, _b = _COMPARED[_one], _COMPARED[_two]
    task(
        "filter", f"one number {_a}, another {_b}", f"{{t}}[({{t}}[{{x}}] {_one} {{a}}) & ({{t}}[{{y}}] {_two} {{b}})]",
        "The rows that fulfil both; rows without a value are not among them.",
        f"show the rows of {{t}} where {{x}} is {_a} {{a}} and {{y}} is {_b} {{b}}",
        f"filter {{t}} where {{x}} is {_a} {{a}} and {{y}} is {_b} {{b}}",
        f"rows of {{t}} with {{x}} {_a} {{a}} and {{y}} {_b} {{b}}",
        f"show {{t}} where {{x}} {_one} {{a}} and {{y}} {_two} {{b}}",
        f"rows where {{x}} is {_a} {{a}} and {{y}} is {_b} {{b}} in {{t}}",
        f"rows where {{x}} {_one} {{a}} and {{y}} {_two} {{b}} in {{t}}",
        f"show {{t}} where {{x}} is {_a} {{a}} and {{y}} is {_b} {{b}}",
        f"rows where {{x}} is {_a} {{a}} and {{y}} {_b} {{b}} in {{t}}",
    )  # fmt: skip
task(
    "filter", "number above and below", "{t}[({t}[{x}] > {a}) & ({t}[{x}] < {b})]",
    "The rows between the two, neither end included; rows without a value are not among them.",
    "show the rows of {t} where {x} is above {a} and below {b}", "rows of {t} with {x} above {a} and below {b}",
    "rows where {x} is above {a} and below {b} in {t}", "show {t} where {x} is above {a} and below {b}",
    "filter {t} where {x} is above {a} and below {b}",
)  # fmt: skip
for _said, _code in (
    ("contains", ".str.contains({s}, case=False, regex=False, na=False)"),
    ("starts with", ".str.casefold().str.startswith({s}.casefold(), na=False)"),
    ("ends with", ".str.casefold().str.endswith({s}.casefold(), na=False)"),
):
    task(
        "filter", f"text {_said}", f"{{t}}[{{t}}[{{c}}]{_code}]", "The rows with it, whatever the case of the letters.",
        f"show the rows of {{t}} where {{c}} {_said} {{s}}", f"rows where {{c}} {_said} {{s}} in {{t}}",
        f"filter {{t}} where {{c}} {_said} {{s}}", f"{{t}} where {{c}} {_said} {{s}}", f"show {{t}} where {{c}} {_said} {{s}}",
        f"rows of {{t}} where {{c}} {_said} {{s}}",
    )  # fmt: skip

# -- clean --------------------------------------------------------------------------------------------------------------

task(
    "clean", "missing values", "{t}.isna().sum()", "How many values are missing in each column.",
    "how many values are missing in {t}", "count the missing values in {t}", "missing values in {t}",
    "show the missing values of {t}", "how many missing values does each column of {t} have",
    "are there missing values in {t}", "check {t} for missing values",
)  # fmt: skip
task(
    "statistics", "min and max of a column", '{t}[{x}].agg(["min", "max"])', "The lowest and the highest value of the column.",
    "minimum and maximum of {x} in {t}", "min and max of {x} in {t}", "what are the minimum and maximum of {x} in {t}",
    "lowest and highest {x} in {t}", "range of {x} in {t}", "minimum and maximum {x} of {t}",
)  # fmt: skip
task(
    "clean", "columns with missing values", "{t}.isna().sum().loc[lambda missing: missing > 0]",
    "The columns in which values are missing, and how many; none are listed where nothing is missing.",
    "which columns of {t} have missing values", "which columns have missing values in {t}",
    "columns with missing values in {t}", "show the columns of {t} with missing values",
    "list the columns of {t} that have missing values", "columns of {t} with missing values",
)  # fmt: skip
task(
    "clean", "missing in a column", "int({t}[{c}].isna().sum())", "That many values of the column are missing.",
    "how many values of {c} are missing in {t}", "count the missing values of {c} in {t}",
    "number of missing values in the column {c} of {t}", "how many missing values does {c} have in {t}",
    "how many {c} values are missing in {t}", "how many missing values are there in {c} in {t}",
    "missing values in {c} in {t}", "missing values of {c} in {t}", "are there missing values in {c} in {t}",
    "how many rows of {t} have no {c}", "how many {t} have no {c}", "how many rows have no {c} in {t}",
    "how many {c} are missing in {t}", "in how many rows of {t} is {c} missing",
)  # fmt: skip
task(
    "clean", "rows with missing values", "{t}[{t}.isna().any(axis=1)]", "The rows in which a value is missing.",
    "show the rows of {t} with missing values", "which rows of {t} have missing values",
    "show the incomplete rows of {t}", "rows with missing values in {t}", "show the rows of {t} that are incomplete",
)  # fmt: skip
task(
    "clean", "drop missing", "{t} = {t}.dropna()", "Only complete rows are left.",
    "drop the rows of {t} with missing values", "remove the rows with missing values from {t}",
    "drop the incomplete rows of {t}", "drop missing values from {t}", "remove incomplete rows in {t}",
    "delete rows with missing values in {t}",
)  # fmt: skip
task(
    "clean", "drop where missing", "{t} = {t}.dropna(subset=[{c}])", "Only rows with a value in this column are left.",
    "drop the rows of {t} where {c} is missing", "remove the rows where {c} is missing from {t}",
    "drop rows with missing {c} in {t}", "remove rows of {t} with missing {c}",
    "delete the rows without {c} in {t}", "delete rows where {c} is missing in {t}",
)  # fmt: skip
for _name, _operator, _said in (("above", ">", "above"), ("below", "<", "below"), ("at", "==", "")):
    _than = f"is {_said} {{a}}".replace("  ", " ")
    task(
        "clean", f"drop where a number is {_name}", f"{{t}} = {{t}}[~({{t}}[{{x}}] {_operator} {{a}})]",
        "These rows are gone; rows without a value are still there.",
        f"drop the rows of {{t}} where {{x}} {_than}", f"remove the rows where {{x}} {_than} from {{t}}",
        f"delete the rows of {{t}} where {{x}} {_than}", f"drop rows where {{x}} {_than} in {{t}}",
        f"delete rows where {{x}} {_operator.replace('==', '=')} {{a}} in {{t}}",
        *([f"delete rows with {{x}} {_said} {{a}} in {{t}}"] if _said else ["delete rows with {x} {a} in {t}"]),
    )  # fmt: skip
task(
    "clean", "drop a category", "{t} = {t}[{t}[{k}] != {v}]", "These rows are gone; rows without a value are still there.",
    "drop the rows of {t} where {k} is {v}", "remove the rows where {k} is {v} from {t}",
    "delete the rows of {t} where {k} is {v}", "drop rows where {k} is {v} in {t}", "delete rows with {k} {v} in {t}",
)  # fmt: skip
task(
    "clean", "keep a category", "{t} = {t}[{t}[{k}] == {v}]", "Only these rows are left.",
    "keep only the rows of {t} where {k} is {v}", "keep only rows where {k} is {v} in {t}",
    "keep only rows with {k} {v} in {t}", "keep the rows of {t} where {k} is {v}",
)  # fmt: skip
task(
    "clean", "number to missing", "{t} = {t}.assign(**{{x}: {t}[{x}].mask({t}[{x}] == {a})})",
    "Where this number stood, the value is missing now.",
    "set {a} in {x} to missing in {t}", "replace {a} by missing in {x} in {t}", "replace {a} in {x} by missing in {t}",
    "treat {a} in {x} as missing in {t}", "set {a} to missing in {x} in {t}", "mark {a} in {x} as missing in {t}",
)  # fmt: skip
for _new, _said in (("{z}", "another"), ("{m}", "a new one")):
    task(
        "clean", f"replace a value by {_said}",
        f"{{t}} = {{t}}.assign(**{{{{k}}: {{t}}[{{k}}].map(lambda value: {_new} if value == {{v}} else value)}})", "The value is replaced in all rows that had it.",
        f"replace {{v}} with {_new} in {{k}} of {{t}}", f"replace {{v}} by {_new} in {{k}} in {{t}}",
        f"change {{v}} to {_new} in {{k}} of {{t}}", f"replace {{v}} with {_new} in {{k}} in {{t}}",
        f"change {{v}} to {_new} in {{k}} in {{t}}",
    )  # fmt: skip
for _name, _code, _answer, _worded in (
    ("make spellings alike", "llmos_data.alike({t}[{c}])", "Values that differed in capitals or blanks alone are one now, in the most frequent spelling.",
     ("make the spellings of {c} in {t} alike", "make the spellings in {c} of {t} alike", "unify the spellings of {c} in {t}",
      "make spellings of {c} alike in {t}", "merge the spellings of {c} in {t}")),
    ("trim", "llmos_data.trimmed({t}[{c}])", "No text of the column has blanks around it now.",
     ("trim {c} in {t}", "strip spaces from {c} in {t}", "strip whitespace from {c} in {t}", "remove spaces around {c} in {t}",
      "strip {c} in {t}", "trim the spaces of {c} in {t}", "strip the spaces of the column {c} in {t}",
      "remove the whitespace around {c} in {t}")),
    ("lower case", "{t}[{c}].str.lower()", "The texts of the column are in lower case now.",
     ("lowercase {c} in {t}", "convert {c} to lower case in {t}", "make {c} lower case in {t}", "convert {c} in {t} to lowercase",
      "put {c} in lower case in {t}", "change {c} in {t} to lower case")),
    ("upper case", "{t}[{c}].str.upper()", "The texts of the column are in upper case now.",
     ("uppercase {c} in {t}", "convert {c} to upper case in {t}", "make {c} upper case in {t}", "convert {c} in {t} to uppercase",
      "put {c} in upper case in {t}", "change {c} in {t} to upper case")),
):  # fmt: skip
    _code, _worded = _code.replace("{c}", "{r}"), tuple(one.replace("{c}", "{r}") for one in _worded)
    task(
        "clean",
        _name,
        f"{_DATA if 'llmos_data' in _code else ''}{{t}} = {{t}}.assign(**{{{{r}}: {_code}}})",
        _answer,
        *_worded,
    )
task(
    "clean", "interpolate", "{t} = {t}.assign(**{{x}: {t}[{x}].interpolate()})",
    "Missing values are on the straight line between their neighbours now, in the order of the table.",
    "interpolate {x} in {t}", "interpolate the missing values of {x} in {t}", "interpolate the column {x} of {t}",
    "fill the missing values of {x} in {t} by interpolation",
)  # fmt: skip
task(
    "clean", "fill forward", "{t} = {t}.assign(**{{c}: {t}[{c}].ffill()})",
    "Where a value was missing, the one before it in the table stands now.",
    "forward fill {c} in {t}", "fill the missing values of {c} in {t} forward", "fill {c} forward in {t}",
    "fill the missing values of {c} in {t} with the previous value",
)  # fmt: skip
task(
    "clean", "round a column", "{t} = {t}.assign(**{{x}: {t}[{x}].round({n})})", "The column is rounded now.",
    "round {x} in {t} to {n} decimals", "round {x} to {n} decimals in {t}", "round the column {x} of {t} to {n} decimal places",
    "round {x} to {n} decimal places in {t}", "round {x} in {t} to {n} digits",
)  # fmt: skip
task(
    "clean", "duplicates in a column", "{t}[{t}[{c}].duplicated(keep=False) & {t}[{c}].notna()]",
    "The rows whose value in this column occurs more than once; missing values do not count.",
    "show the rows of {t} with duplicate {c}", "rows with duplicate {c} in {t}", "which {c} occur more than once in {t}",
    "show duplicates of {c} in {t}", "duplicates in {c} in {t}", "which rows of {t} have the same {c}",
)  # fmt: skip
task(
    "clean", "count duplicates in a column", "int({t}[{c}].dropna().duplicated().sum())",
    "That many rows repeat a value of an earlier one in this column; missing values do not count.",
    "how many duplicate {c} are in {t}", "are there duplicate {c} in {t}", "count the duplicate {c} in {t}",
    "are there duplicates in {c} in {t}", "how many duplicates are in {c} in {t}", "number of duplicate {c} in {t}",
    "are there duplicate values in {c} in {t}", "check {c} in {t} for duplicates",
)  # fmt: skip
task(
    "clean", "drop duplicates in a column", "{t} = {t}.drop_duplicates(subset=[{c}])",
    "Each value of the column occurs once now, in its first row; so do rows without one.",
    "drop duplicates by {c} in {t}", "keep the first row per {c} in {t}", "keep the first row for each {c} in {t}",
    "drop the duplicates of {c} in {t}", "remove rows with duplicate {c} from {t}", "deduplicate {t} by {c}",
    "remove duplicates by {c} in {t}",
)  # fmt: skip
task(
    "clean", "percentage missing", "{t}.isna().mean() * 100", "How many percent of the values are missing in each column.",
    "percentage of missing values in {t}", "what percentage of values is missing in {t}",
    "percent of missing values in each column of {t}", "share of missing values in {t}",
    "percentage of missing values per column in {t}",
)  # fmt: skip
for _way in ("mean", "median"):
    task(
        "clean", f"fill with the {_way}",
        f"{{t}} = {{t}}.assign(**{{{{x}}: {{t}}[{{x}}].fillna({{t}}[{{x}}].{_way}())}})",
        f"Where a value was missing, the {_way} of the others stands now.",
        f"fill the missing values of {{x}} in {{t}} with the {_way}", f"fill missing {{x}} in {{t}} with the {_way}",
        f"replace the missing values of {{x}} in {{t}} by the {_way}", f"impute {{x}} in {{t}} with the {_way}",
        f"fill the missing values in the column {{x}} of {{t}} with its {_way}",
    )  # fmt: skip
task(
    "clean", "fill with a number", "{t} = {t}.assign(**{{x}: {t}[{x}].fillna({a})})",
    "Where a value was missing, this number stands now.",
    "fill the missing values of {x} in {t} with {a}", "fill missing {x} in {t} with {a}",
    "replace the missing values of {x} in {t} by {a}", "set missing {x} in {t} to {a}",
    "fill the missing values in the column {x} of {t} with {a}",
)  # fmt: skip
task(
    "clean", "count duplicates", "int({t}.duplicated().sum())", "That many rows repeat an earlier one.",
    "how many duplicate rows are in {t}", "count the duplicates in {t}", "how many duplicates does {t} have",
    "number of duplicate rows in {t}", "check {t} for duplicates", "are there duplicate rows in {t}",
)  # fmt: skip
task(
    "clean", "show duplicates", "{t}[{t}.duplicated(keep=False)]", "The rows that occur more than once.",
    "show the duplicate rows of {t}", "which rows of {t} are duplicates", "show duplicates in {t}",
    "show the repeated rows of {t}", "display the duplicated rows in {t}",
)  # fmt: skip
task(
    "clean", "drop duplicates", "{t} = {t}.drop_duplicates()", "Each row occurs once now.",
    "drop the duplicate rows of {t}", "remove duplicates from {t}", "remove the duplicate rows from {t}",
    "deduplicate {t}", "drop duplicates in {t}", "delete duplicate rows in {t}",
)  # fmt: skip
task(
    "clean", "outliers",
    """
{t}.loc[
    lambda rows: (rows[{x}] < 2.5 * rows[{x}].quantile(0.25) - 1.5 * rows[{x}].quantile(0.75))
    | (rows[{x}] > 2.5 * rows[{x}].quantile(0.75) - 1.5 * rows[{x}].quantile(0.25))
]
""",
    "The rows whose value is more than one and a half times the interquartile range outside the quartiles.",
    "find the outliers of {x} in {t}", "show the outliers in {x} of {t}", "which rows of {t} are outliers in {x}",
    "outliers of the column {x} of {t}", "detect outliers in {x} in {t}", "show {x} outliers in {t}",
)  # fmt: skip

# -- numbers of a column ------------------------------------------------------------------------------------------------

for _way, _said, _adjective, _answer in (
    ("mean", ("mean", "average"), "average", "The mean of the column; missing values do not count."),
    ("median", ("median", "median"), "median", "The median of the column; missing values do not count."),
    ("sum", ("sum", "total"), "total", "The sum of the column."),
    ("max", ("maximum", "highest value"), "highest", "The highest value of the column."),
    ("min", ("minimum", "lowest value"), "lowest", "The lowest value of the column."),
    ("std", ("standard deviation", "std"), "", "The sample standard deviation of the column."),
):
    task(
        "statistics", f"{_way} of a column", f"float({{t}}[{{x}}].{_way}())", _answer,
        f"what is the {_said[0]} of {{x}} in {{t}}", f"{_said[1]} of {{x}} in {{t}}",
        f"compute the {_said[0]} of the column {{x}} of {{t}}", f"{_said[0]} {{x}} in {{t}}",
        f"what is the {_said[1]} of {{x}} of {{t}}",
        *([f"what is the {_adjective} {{x}} in {{t}}"] if _adjective else []),
    )  # fmt: skip
_TIMED: Final = "Of the rows of that time alone; missing values do not count."
task(
    "statistics", "quartiles of a column", "{t}[{x}].quantile([0.25, 0.5, 0.75])",
    "A quarter, a half and three quarters of the values are at most as high; missing ones do not count.",
    "quartiles of {x} in {t}", "what are the quartiles of {x} in {t}", "show the quartiles of {x} in {t}",
    "quartiles of the column {x} in {t}",
)  # fmt: skip
task(
    "statistics", "difference of two columns", "{t}[{x}] - {t}[{y}]", "The first minus the second, row by row.",
    "difference between {x} and {y} in {t}", "what is the difference between {x} and {y} in {t}",
    "difference of {x} and {y} in {t}", "compute the difference between {x} and {y} in {t}",
)  # fmt: skip
_WAYS: Final = (
    ("mean", ("mean", "average")), ("median", ("median", "median")), ("sum", ("sum", "total")),
    ("max", ("maximum", "highest")), ("min", ("minimum", "lowest")),
)  # fmt: skip
for _way, _said in _WAYS:
    task(
        "statistics", f"{_way} where", f"float({{t}}.loc[{{t}}[{{k}}] == {{v}}, {{x}}].{_way}())",
        "Of the rows with this value alone; missing values do not count.",
        f"{_said[0]} of {{x}} in {{t}} where {{k}} is {{v}}", f"what is the {_said[1]} {{x}} in {{t}} where {{k}} is {{v}}",
        f"{_said[1]} {{x}} where {{k}} is {{v}} in {{t}}", f"{_said[0]} of {{x}} where {{k}} is {{v}} in {{t}}",
        f"{_said[1]} {{x}} of {{t}} where {{k}} is {{v}}", f"{_said[1]} {{x}} of the rows of {{t}} with {{k}} {{v}}",
        f"what is the {_said[1]} {{x}} where {{k}} is {{v}} in {{t}}", f"{_said[1]} {{x}} of {{t}} with {{k}} {{v}}",
    )  # fmt: skip
    task(
        "statistics", f"{_way} of two columns", f"{{t}}[[{{x}}, {{y}}]].{_way}()",
        "One number for each of the two columns; missing values do not count.",
        f"{_said[0]} of {{x}} and {{y}} in {{t}}", f"{_said[1]} {{x}} and {{y}} in {{t}}",
        f"what is the {_said[0]} of {{x}} and {{y}} in {{t}}", f"compute the {_said[1]} of {{x}} and {{y}} in {{t}}",
    )  # fmt: skip
    if _way in ("mean", "sum"):
        task(
            "statistics", f"{_way} between dates", f"{_DATA}float({{t}}.loc[llmos_data.between({{t}}[{{w}}], {{e}}, {{f}}), {{x}}].{_way}())",
            _TIMED, f"{_said[1]} {{x}} between {{e}} and {{f}} in {{t}} using {{w}}",
            f"what is the {_said[1]} {{x}} between {{e}} and {{f}} in {{t}} using {{w}}",
            f"{_said[0]} of {{x}} in {{t}} between {{e}} and {{f}} using {{w}}",
            f"{_said[1]} {{x}} in {{t}} where {{w}} is between {{e}} and {{f}}",
            f"{_said[1]} {{x}} from {{e}} to {{f}} in {{t}} using {{w}}",
        )  # fmt: skip
        task(
            "statistics", f"{_way} of a month or day", f"{_DATA}float({{t}}.loc[llmos_data.between({{t}}[{{w}}], {{e}}, {{e}}), {{x}}].{_way}())",
            _TIMED, f"{_said[1]} {{x}} in {{e}} in {{t}} using {{w}}", f"{_said[0]} of {{x}} on {{e}} in {{t}} using {{w}}",
            f"what is the {_said[1]} {{x}} in {{e}} in {{t}} using {{w}}", f"{_said[1]} {{x}} in {{t}} in {{e}} using {{w}}",
        )  # fmt: skip
        task(
            "statistics", f"{_way} of a year", f"{_DATA}float({{t}}.loc[llmos_data.dates({{t}}[{{w}}]).dt.year == {{h}}, {{x}}].{_way}())",
            _TIMED, f"{_said[1]} {{x}} in {{h}} in {{t}} using {{w}}", f"what is the {_said[1]} {{x}} in {{h}} in {{t}} using {{w}}",
            f"{_said[0]} of {{x}} in {{t}} in {{h}} using {{w}}", f"{_said[1]} {{x}} of {{h}} in {{t}} using {{w}}",
            f"{_said[0]} of {{x}} in {{h}} in {{t}} using {{w}}",
        )  # fmt: skip
        for _operator in "<>":
            _b = _COMPARED[_operator]
            task(
                "statistics", f"{_way} where a number is {_b}",
                f"float({{t}}.loc[{{t}}[{{y}}] {_operator} {{b}}, {{x}}].{_way}())",
                "Of the rows that fulfil the condition alone; missing values do not count.",
                f"{_said[0]} of {{x}} in {{t}} where {{y}} is {_b} {{b}}",
                f"what is the {_said[1]} {{x}} in {{t}} where {{y}} is {_b} {{b}}",
                f"{_said[1]} {{x}} where {{y}} is {_b} {{b}} in {{t}}",
                f"{_said[1]} {{x}} where {{y}} {_operator} {{b}} in {{t}}",
                f"{_said[1]} {{x}} of {{t}} where {{y}} is {_b} {{b}}",
            )  # fmt: skip
        task(
            "groups", f"{_way} by group where",
            f"{_DATA}{{t}}[{{t}}[{{k}}] == {{v}}].groupby({{l}}, {_ALL})[{{x}}].{_way}(){_ORDER}",
            "One number for each group, of the rows with this value alone; rows without a group are under NaN.",
            f"{_said[0]} of {{x}} by {{l}} in {{t}} where {{k}} is {{v}}",
            f"{_said[1]} {{x}} per {{l}} where {{k}} is {{v}} in {{t}}",
            f"{_said[1]} {{x}} by {{l}} where {{k}} is {{v}} in {{t}}",
            f"what is the {_said[1]} {{x}} by {{l}} in {{t}} where {{k}} is {{v}}",
        )  # fmt: skip
for _way, _said in _WAYS:
    task(
        "groups", f"{_way} by group", f"{_DATA}{{t}}.groupby({{k}}, {_ALL})[{{x}}].{_way}(){_ORDER}",
        "One number for each group; rows without a group are under NaN.",
        f"{_said[0]} of {{x}} by {{k}} in {{t}}", f"what is the {_said[1]} {{x}} by {{k}} in {{t}}",
        f"{_said[1]} {{x}} per {{k}} in {{t}}", f"{_said[0]} {{x}} for each {{k}} in {{t}}",
        f"group {{t}} by {{k}} and compute the {_said[0]} of {{x}}",
        f"compute the {_said[0]} of {{x}} of {{t}} for every {{k}}", f"show the {_said[1]} of {{x}} per {{k}} of {{t}}",
    )  # fmt: skip
for _way, _said in (("mean", ("mean", "average")), ("sum", ("sum", "total"))):
    task(
        "groups", f"{_way} by two groups", f"{_DATA}{{t}}.groupby([{{k}}, {{l}}], {_ALL})[{{x}}].{_way}(){_ORDER}",
        "One number for each pair of groups that occurs; rows without a group are under NaN.",
        f"{_said[0]} of {{x}} by {{k}} and {{l}} in {{t}}", f"what is the {_said[1]} {{x}} by {{k}} and {{l}} in {{t}}",
        f"{_said[1]} {{x}} per {{k}} and {{l}} in {{t}}", f"{_said[0]} {{x}} for each {{k}} and {{l}} in {{t}}",
        f"group {{t}} by {{k}} and {{l}} and compute the {_said[0]} of {{x}}",
    )  # fmt: skip
    task(
        "groups", f"pivot {_way}",
        f"{_DATA}{{t}}.groupby([{{k}}, {{l}}], {_ALL})[{{x}}].{_way}().unstack(){_ORDER}{_ACROSS}",
        "One row for each of the first, one column for each of the second; rows without a group are under NaN.",
        f"pivot {{t}} with {{k}} as rows, {{l}} as columns and the {_said[0]} of {{x}}",
        f"pivot table of {{t}} with {{k}} as rows, {{l}} as columns and the {_said[1]} of {{x}} as values",
        f"make a pivot table of the {_said[0]} of {{x}} with {{k}} as rows and {{l}} as columns in {{t}}",
        f"pivot table with {{k}} as rows and {{l}} as columns of the {_said[1]} {{x}} in {{t}}",
        f"pivot table of the {_said[0]} {{x}} by {{k}} and {{l}} in {{t}}",
        f"pivot table of the {_said[1]} {{x}} by {{k}} and {{l}} of {{t}}",
    )  # fmt: skip
task(
    "groups", "count by group", "{t}[{k}].value_counts(dropna=False)",
    "How many rows each group has, the largest first; rows without a value are counted under NaN.",
    "count the rows of {t} by {k}", "how many rows per {k} are in {t}", "value counts of {k} in {t}",
    "how many rows are there for each {k} in {t}", "how often does each {k} occur in {t}",
    "frequency of each {k} in {t}", "count {t} by {k}", "number of rows per {k} in {t}", "how many {t} per {k}",
    "number of {t} per {k}", "count the {t} by {k}",
)  # fmt: skip
task(
    "groups", "share by group", "{t}[{k}].value_counts(normalize=True, dropna=False) * 100",
    "The percentage of all rows that each group has; rows without a value are counted under NaN.",
    "what percentage of rows has each {k} in {t}", "percentage of rows by {k} in {t}",
    "show the percentage of each {k} in {t}", "share of each {k} in {t}", "percentages of {k} in {t}",
    "percentage of {t} by {k}", "share of rows by {k} in {t}",
)  # fmt: skip
task(
    "groups", "share of a category", "float(({t}[{k}] == {v}).mean() * 100)", "The percentage of all rows that have this value; rows without one are among all.",
    "what percentage of rows of {t} has {k} {v}", "what percentage of {t} has {k} {v}",
    "percentage of rows where {k} is {v} in {t}", "share of rows of {t} with {k} {v}",
    "what share of rows in {t} have {k} {v}", "share of {t} with {k} {v}", "what share of {t} has {k} {v}",
    "percentage of {t} with {k} {v}", "percentage of rows with {k} {v} in {t}", "what percentage of {t} have {k} {v}",
    "percentage of {v} in {k} in {t}", "share of {v} in {k} of {t}", "what percentage of {k} is {v} in {t}",
)  # fmt: skip
task(
    "groups", "count by two groups",
    f"{_DATA}{{t}}.groupby([{{k}}, {{l}}], {_ALL}).size().unstack(fill_value=0){_ORDER}{_ACROSS}",
    "How many rows each pair has; rows without a value are counted under NaN.",
    "count the rows of {t} by {k} and {l}", "cross tabulate {k} and {l} in {t}", "crosstab of {k} and {l} in {t}",
    "count {t} by {k} and {l}", "how many rows per {k} and {l} are in {t}", "cross table of {k} and {l} in {t}",
)  # fmt: skip
task(
    "groups", "unique values", "{t}[{c}].dropna().unique().tolist()", "The different values, in the order of the table; missing ones are not listed.",
    "what are the unique values of {c} in {t}", "distinct values of {c} in {t}", "list the different {c} in {t}",
    "show the unique values of {c} in {t}", "which different values does {c} have in {t}",
    "list the unique {c} in {t}", "which distinct {c} are in {t}",
)  # fmt: skip
task(
    "groups", "count unique values", "int({t}[{c}].nunique())", "That many different values; missing ones do not count.",
    "how many different {c} are in {t}", "how many unique values does {c} have in {t}",
    "count the distinct values of {c} in {t}", "number of unique {c} in {t}", "how many distinct {c} are there in {t}",
    "how many different values does {c} have in {t}", "number of different {c} in {t}", "count the different {c} in {t}",
    "how many unique {c} are in {t}", "how many different values are there in {c} in {t}", "count unique {c} in {t}",
    "number of distinct values of {c} in {t}",
)  # fmt: skip

task(
    "groups", "most common value", "{t}[{c}].value_counts().loc[lambda rows: rows == rows.max()]",
    "The value that occurs most often and in how many rows; all of them where several do. Missing ones do not count.",
    "most common {c} in {t}", "what is the most common {c} in {t}", "which {c} is most common in {t}",
    "most frequent {c} in {t}", "which {c} occurs most often in {t}", "what is the most frequent value of {c} in {t}",
    "most common value of {c} in {t}", "mode of {c} in {t}",
)  # fmt: skip

for _name, _how, _answer, _worded in (
    ("min and max by group", 'agg(["min", "max"])', "The lowest and the highest value of each group",
     ("minimum and maximum of {x} by {k} in {t}", "min and max of {x} per {k} in {t}", "lowest and highest {x} by {k} in {t}",
      "min and max {x} by {k} in {t}", "minimum and maximum {x} for each {k} in {t}", "range of {x} by {k} in {t}")),
    ("std by group", "std()", "The sample standard deviation of each group",
     ("standard deviation of {x} by {k} in {t}", "standard deviation {x} per {k} in {t}", "std of {x} by {k} in {t}",
      "what is the standard deviation of {x} for each {k} in {t}")),
    ("describe by group", "describe()", "Summary statistics of each group",
     ("describe {x} by {k} in {t}", "summary statistics of {x} by {k} in {t}", "statistics of {x} per {k} in {t}",
      "summarize {x} by {k} in {t}")),
):  # fmt: skip
    task(
        "groups", _name, f"{_DATA}{{t}}.groupby({{k}}, {_ALL})[{{x}}].{_how}{_ORDER}",
        f"{_answer}; missing values do not count, and rows without a group are under NaN.", *_worded,
    )  # fmt: skip
for _way, _said in (("mean", ("mean", "average")), ("sum", ("sum", "total"))):
    for _best, _called in (("max", ("highest", "largest")), ("min", ("lowest", "smallest"))):
        task(
            "groups", f"group with the {_called[0]} {_way}",
            f"{{t}}.groupby({{k}}, observed=True)[{{x}}].{_way}().loc[lambda rows: rows == rows.{_best}()]",
            "The group and its number, or all of them where several have it; rows without a group do not count.",
            f"which {{k}} has the {_called[0]} {_said[0]} of {{x}} in {{t}}", f"which {{k}} has the {_called[0]} {_said[1]} {{x}} in {{t}}",
            f"which {{k}} has the {_called[1]} {_said[1]} {{x}} in {{t}}", f"{{k}} with the {_called[0]} {_said[1]} {{x}} in {{t}}",
            f"what {{k}} has the {_called[1]} {_said[0]} of {{x}} in {{t}}",
        )  # fmt: skip
    task(
        "groups", f"top groups by {_way}",
        f'{{t}}.groupby({{k}}, observed=True)[{{x}}].{_way}().nlargest({{n}}, keep="all")',
        "The groups with the highest numbers, more of them where the last ones are equal; rows without a group do not count.",
        f"top {{n}} {{k}} by {_said[1]} {{x}} in {{t}}", f"top {{n}} {{k}} by {_said[0]} of {{x}} in {{t}}",
        f"the {{n}} {{k}} with the highest {_said[1]} {{x}} in {{t}}", f"which {{n}} {{k}} have the highest {_said[1]} {{x}} in {{t}}",
    )  # fmt: skip
task(
    "groups", "most common values", '{t}[{c}].value_counts().nlargest({n}, keep="all")',
    "The values that occur most often, more of them where the last ones are equal; missing ones do not count.",
    "the {n} most common {c} in {t}", "{n} most common values of {c} in {t}", "top {n} most common {c} in {t}",
    "{n} most frequent {c} in {t}", "which {n} {c} are most common in {t}", "{n} most common {c} in {t}",
)  # fmt: skip
task(
    "groups", "least common value", "{t}[{c}].value_counts().loc[lambda rows: rows == rows.min()]",
    "The value that occurs least often and in how many rows; all of them where several do. Missing ones do not count.",
    "least common {c} in {t}", "what is the least common {c} in {t}", "which {c} is least common in {t}",
    "rarest {c} in {t}", "least frequent {c} in {t}", "which {c} occurs least often in {t}",
)  # fmt: skip
task(
    "groups", "count of each value", "{t}[{r}].value_counts(dropna=False)",
    "How many rows each value has, the most frequent first; rows without one are counted under NaN.",
    "count {r} in {t}", "count of {r} in {t}", "counts of {r} in {t}", "frequency of {r} in {t}",
    "frequencies of {r} in {t}", "tally {r} in {t}", "frequency table of {r} in {t}", "count the values of {r} in {t}",
)  # fmt: skip
task(
    "groups", "count unique by group", f"{_DATA}{{t}}.groupby({{k}}, {_ALL})[{{c}}].nunique(){_ORDER}",
    "How many different values each group has; missing ones do not count, and rows without a group are under NaN.",
    "number of different {c} by {k} in {t}", "how many different {c} per {k} are in {t}", "unique {c} per {k} in {t}",
    "number of unique {c} per {k} in {t}", "count the distinct {c} by {k} in {t}",
)  # fmt: skip

# -- relations ----------------------------------------------------------------------------------------------------------

task(
    "relations", "correlation matrix", "{t}.corr(numeric_only=True)",
    "Pearson's correlation of each pair of columns that hold numbers.",
    "correlation matrix of {t}", "show the correlations of {t}", "compute the correlations in {t}",
    "show the correlation matrix in {t}", "how are the columns of {t} correlated",
    "correlations between the columns of {t}",
)  # fmt: skip
task(
    "relations", "correlation of two", "float({t}[{x}].corr({t}[{y}]))",
    "Pearson's correlation of the rows that have both values.",
    "correlation between {x} and {y} in {t}", "what is the correlation of {x} and {y} in {t}",
    "how are {x} and {y} correlated in {t}", "how strongly are {x} and {y} correlated in {t}",
    "correlate {x} with {y} in {t}", "compute the correlation of {x} and {y} of {t}",
)  # fmt: skip
for _how, _name, _answer, _worded in (
    ("inner", "join", "The rows that have a partner in the other table, with both parts.",
     ("join {t} and {u} on {c}", "merge {t} and {u} on {c}", "join {t} with {u} on {c}", "inner join of {t} and {u} on {c}",
      "merge {t} with {u} by {c}", "join {t} and {u} by {c}")),
    ("left", "left join", "All rows of the first table, with what the second one has to them.",
     ("left join {t} and {u} on {c}", "left join {t} with {u} on {c}", "left join of {t} and {u} on {c}",
      "left merge {t} with {u} on {c}", "left merge {t} and {u} by {c}")),
    ("outer", "outer join", "All rows of both tables, next to each other where they belong together.",
     ("outer join {t} and {u} on {c}", "full outer join of {t} and {u} on {c}", "outer join {t} with {u} by {c}",
      "outer join of {t} and {u} on {c}", "full join of {t} and {u} on {c}")),
):  # fmt: skip
    task(
        "relations", _name, f'{_DATA}llmos_data.joined_rows({{t}}, {{u}}, {{c}}, how="{_how}")',
        f"{_answer} What it says above tells how many rows matched.", *_worded,
    )  # fmt: skip
task(
    "relations", "join with all pairs",
    _DATA + 'llmos_data.joined_rows({t}, {u}, {c}, how="inner", all_pairs=True)',
    "Each row with each of its partners in the other table. What it says above tells how many rows matched.",
    "join {t} and {u} on {c} with all pairs", "merge {t} and {u} on {c} with all pairs",
    "inner join of {t} and {u} on {c} with all pairs", "join {t} with {u} on {c} with all pairs",
)  # fmt: skip
task(
    "relations", "join on what both have", _DATA + "llmos_data.joined_rows({t}, {u})",
    "The rows that have a partner in the other table, joined on the one column that both have.",
    "join {t} and {u}", "join {t} with {u}", "merge {t} and {u}", "merge {t} with {u}", "join the tables {t} and {u}",
)  # fmt: skip
task(
    "relations", "compare two tables",
    "from llmos_nb.domains.data.differing import compare_tables\n\ncompare_tables({t}, {u})",
    "What is in both tables, and what in one alone.",
    "compare {t} and {u}", "compare {t} with {u}", "how do {t} and {u} differ", "what is the difference between {t} and {u}",
    "compare the tables {t} and {u}",
)  # fmt: skip
task(
    "relations", "rows that the other has not", "{t}[~{t}[{c}].isin({u}[{c}])]",
    "The rows of the first table whose value in this column is nowhere in the second; rows without a value are among them.",
    "rows of {t} whose {c} is not in {u}", "which rows of {t} have a {c} that is not in {u}", "which {c} of {t} are not in {u}",
    "show the rows of {t} whose {c} is not in {u}", "rows of {t} with a {c} that is not in {u}",
)  # fmt: skip
task(
    "relations", "append", "import pandas as pd\n\n{t} = pd.concat([{t}, {u}], ignore_index=True)",
    "The rows of the other table stand behind those that were there.",
    "append {u} to {t}", "append the rows of {u} to {t}", "add the rows of {u} to {t}", "append the table {u} to {t}",
)  # fmt: skip
task(
    "relations", "stack",
    "import pandas as pd\n\npd.concat([{t}, {u}], ignore_index=True)", "The rows of the first, then those of the second.",
    "stack {t} and {u}", "concatenate {t} and {u}", "put the rows of {t} and {u} together",
    "combine the rows of {t} and {u}", "concat {t} and {u}",
)  # fmt: skip

# -- over time, and derived ---------------------------------------------------------------------------------------------

for _period, _rule, _adverb in (
    ("month", "MS", "monthly"), ("year", "YS", "yearly"), ("week", "W", "weekly"), ("day", "D", "daily"),
    ("hour", "h", "hourly"), ("quarter", "QS", "quarterly"),
):  # fmt: skip
    for _way, _said in (one for one in _WAYS if one[0] != "median"):
        task(
            "over time", f"{_way} per {_period}",
            f'{_DATA}{{t}}.set_index(llmos_data.dates({{t}}[{{w}}]))[{{x}}].resample("{_rule}").{_way}()',
            f"One number for each {_period}, from the first to the last; rows without a date do not count.",
            f"{_said[0]} of {{x}} per {_period} of {{w}} in {{t}}", f"{_adverb} {_said[0]} of {{x}} by {{w}} in {{t}}",
            f"resample {{t}} by {_period} of {{w}} and compute the {_said[0]} of {{x}}",
            f"{_said[1]} {{x}} per {_period} using {{w}} in {{t}}", f"{_adverb} {_said[1]} {{x}} in {{t}} using {{w}}",
            f"{_said[1]} {{x}} by {_period} of {{w}} in {{t}}",
        )  # fmt: skip
    task(
        "over time", f"rows per {_period}",
        f'{_DATA}{{t}}.set_index(llmos_data.dates({{t}}[{{w}}])).resample("{_rule}").size()',
        f"How many rows each {_period} has; rows without a date do not count.",
        f"count the rows of {{t}} per {_period} of {{w}}", f"how many rows per {_period} of {{w}} are in {{t}}",
        f"{_adverb} number of rows by {{w}} in {{t}}", f"rows per {_period} using {{w}} in {{t}}",
        f"count the rows per {_period} in {{t}} using {{w}}", f"how many {{t}} per {_period} using {{w}}",
        f"number of {{t}} per {_period} using {{w}}", f"{{t}} per {_period} using {{w}}", f"{{t}} per {_period} of {{w}}",
        f"count {{t}} per {_period} using {{w}}", f"number of rows per {_period} in {{t}} using {{w}}",
        f"counts per {_period} in {{t}} using {{w}}",
    )  # fmt: skip
    for _way, _said in (("mean", ("mean", "average")), ("sum", ("sum", "total"))):
        task(
            "charts", f"line of the {_way} per {_period}",
            f'{_DRAW}llmos_data.draw_line({{t}}.set_index(llmos_data.dates({{t}}[{{w}}]))[{{x}}].resample("{_rule}").{_way}(), label="{_way} of " + {{x}})\nplt.show()',
            f"One point for each {_period}, from the first to the last; rows without a date do not count.",
            f"plot the {_said[1]} {{x}} per {_period} in {{t}} using {{w}}", f"line chart of the {_said[1]} {{x}} per {_period} in {{t}} using {{w}}",
            f"plot the {_adverb} {_said[0]} of {{x}} in {{t}} using {{w}}", f"plot the {_said[0]} of {{x}} per {_period} of {{w}} in {{t}}",
            f"line chart of the {_said[0]} of {{x}} per {_period} of {{w}} in {{t}}",
        )  # fmt: skip
    task(
        "charts", f"line of rows per {_period}",
        f'{_DRAW}llmos_data.draw_line({{t}}.set_index(llmos_data.dates({{t}}[{{w}}])).resample("{_rule}").size(), label="rows")\nplt.show()',
        f"One point for each {_period}, from the first to the last; rows without a date do not count.",
        f"plot the number of {{t}} per {_period} using {{w}}", f"plot the number of rows per {_period} in {{t}} using {{w}}",
        f"line chart of the number of rows per {_period} in {{t}} using {{w}}", f"plot {{t}} per {_period} using {{w}}",
    )  # fmt: skip
for _way, _said in (("max", ("latest", "most recent")), ("min", ("earliest", "oldest"))):
    task(
        "over time", f"{_said[0]} date", f"{_DATA}llmos_data.dates({{t}}[{{w}}]).{_way}()", f"The {_said[0]} date there is.",
        f"{_said[0]} {{w}} in {{t}}", f"what is the {_said[0]} {{w}} in {{t}}", f"{_said[1]} {{w}} in {{t}}",
        f"what is the {_said[1]} {{w}} of {{t}}", f"{_said[0]} date of {{w}} in {{t}}",
    )  # fmt: skip
    task(
        "over time", f"{_said[0]} rows",
        f"{_DATA}{{t}}.sort_values({{w}}, ascending={_way == 'min'}, key=llmos_data.dates).head({{n}})",
        f"The {_said[0]} row comes first.",
        f"show the {{n}} {_said[0]} rows of {{t}} by {{w}}", f"{_said[0]} {{n}} rows of {{t}} by {{w}}",
        f"{{n}} {_said[1]} rows of {{t}} by {{w}}", f"{_said[0]} {{n}} rows in {{t}} using {{w}}",
        f"the {{n}} {_said[0]} rows in {{t}} using {{w}}", f"show the {{n}} {_said[1]} rows in {{t}} using {{w}}",
        f"{_said[0]} {{n}} {{t}} using {{w}}", f"the {{n}} {_said[1]} {{t}} using {{w}}",
    )  # fmt: skip
for _part, _code, _called in (
    ("weekday", "dt.dayofweek", ("weekday", "day of the week")), ("hour of the day", "dt.hour", ("hour of the day", "hour of day")),
    ("month of the year", "dt.month", ("month of the year", "calendar month")),
):  # fmt: skip
    _key = f"llmos_data.dates({{t}}[{{w}}]).{_code}"
    _named = ""
    if _part != "hour of the day":
        _key = _key.replace(f".{_code}", f".dt.{'day' if _part == 'weekday' else 'month'}_name()")
    _note = "rows without a date do not count" + ("; Monday comes first." if _part == "weekday" else ".")
    for _way, _said in (("mean", ("mean", "average")), ("sum", ("sum", "total"))):
        task(
            "over time", f"{_way} by {_part}", f"{_DATA}{{t}}.groupby({_key})[{{x}}].{_way}(){_ORDER}",
            f"One number for each {_part}; {_note}",
            f"{_said[1]} {{x}} per {_called[0]} in {{t}} using {{w}}", f"{_said[0]} of {{x}} by {_called[0]} in {{t}} using {{w}}",
            f"{_said[1]} {{x}} by {_called[1]} in {{t}} using {{w}}", f"{_said[1]} {{x}} by {_called[0]} of {{w}} in {{t}}",
        )  # fmt: skip
    task(
        "over time", f"rows by {_part}", f"{_DATA}{{t}}.groupby({_key}).size(){_ORDER}",
        f"How many rows each {_part} has; {_note}",
        f"count the rows per {_called[0]} in {{t}} using {{w}}", f"number of rows by {_called[0]} in {{t}} using {{w}}",
        f"how many {{t}} per {_called[0]} using {{w}}", f"number of {{t}} by {_called[1]} using {{w}}",
        f"{{t}} per {_called[0]} using {{w}}", f"count {{t}} by {_called[1]} using {{w}}",
    )  # fmt: skip
for _way, _said in (("max", ("highest", "largest")), ("min", ("lowest", "smallest"))):
    task(
        "over time", f"when the {_said[0]}", f"{{t}}.loc[{{t}}[{{x}}] == {{t}}[{{x}}].{_way}(), [{{w}}, {{x}}]]",
        f"When it was, with the {_said[0]} value; all moments where it was several times.",
        f"when was {{x}} {_said[0]} in {{t}} using {{w}}", f"when was the {_said[0]} {{x}} in {{t}} using {{w}}",
        f"when was {{x}} {_said[1]} in {{t}} using {{w}}", f"when is {{x}} {_said[0]} in {{t}} using {{w}}",
        f"on which {{w}} was {{x}} {_said[0]} in {{t}}",
    )  # fmt: skip
for _way, _said in (("max", ("latest", "newest", "most recent")), ("min", ("earliest", "oldest", "first"))):
    task(
        "over time", f"{_said[0]} row",
        f"{_DATA}{{t}}[llmos_data.dates({{t}}[{{w}}]) == llmos_data.dates({{t}}[{{w}}]).{_way}()]",
        f"The {_said[0]} row, or all of them where several have that date.",
        f"show the {_said[0]} row of {{t}} by {{w}}", f"{_said[0]} row of {{t}} by {{w}}", f"{_said[0]} row in {{t}} using {{w}}",
        f"{_said[1]} row in {{t}} using {{w}}", f"which row of {{t}} is the {_said[1]} by {{w}}",
        f"show the {_said[1]} {{t}} using {{w}}", f"show the {_said[0]} {{t}} using {{w}}",
    )  # fmt: skip
task(
    "over time", "date range",
    _DATA + 'llmos_data.dates({t}[{w}]).agg(["min", "max"])', "The first and the last date.",
    "what is the date range of {w} in {t}", "first and last {w} in {t}", "what time range does {w} cover in {t}",
    "from when to when is {w} in {t}", "date range of {t} using {w}", "range of the dates in {w} of {t}",
)  # fmt: skip
task(
    "over time", "rolling mean", "{t}[{x}].rolling({n}).mean()",
    "The mean of each row and those before it, in the order of the table; the first rows have too few before them.",
    "rolling mean of {x} in {t} over {n} rows", "rolling average of {x} in {t} with a window of {n}",
    "moving average of {x} in {t} over {n} rows", "{n} row rolling mean of {x} in {t}",
    "{n} row moving average of {x} in {t}", "rolling mean of {x} with window {n} in {t}",
    "running average of {x} in {t} over {n} rows", "running average of {x} over {n} rows in {t}",
    "moving average of {x} over {n} rows in {t}", "running mean of {x} with a window of {n} in {t}",
)  # fmt: skip
task(
    "over time", "cumulative sum", "{t}[{x}].cumsum()", "The sum of each row and all before it.",
    "cumulative sum of {x} in {t}", "running total of {x} in {t}", "compute the cumulative sum of {x} of {t}",
    "show the running sum of {x} in {t}", "cumulative total of the column {x} of {t}", "cumulate {x} in {t}",
)  # fmt: skip
task(
    "over time", "percent change", "{t}[{x}].pct_change(fill_method=None) * 100",
    "By how many percent each row differs from the one before.",
    "percent change of {x} in {t}", "percentage change of {x} in {t}", "percent change of {x} from row to row in {t}",
    "by how many percent does {x} change from row to row in {t}", "percentage change of the column {x} of {t}",
)  # fmt: skip
for _operator, _said in (
    ("*", ("times", "multiplied by")),
    ("+", ("plus",)),
    ("-", ("minus",)),
    ("/", ("divided by",)),
):
    task(
        "derive", f"column {_said[0]} column", f"{{t}} = {{t}}.assign(**{{{{m}}: {{t}}[{{x}}] {_operator} {{t}}[{{y}}]}})",
        "The new column is there; it has no value where one of the two has none.",
        *(
            wording
            for word in _said
            for wording in (
                f"add a column {{m}} to {{t}} as {{x}} {word} {{y}}", f"add a column {{m}} as {{x}} {word} {{y}} in {{t}}",
                f"add a column {{m}} to {{t}} that is {{x}} {word} {{y}}", f"add {{m}} to {{t}} as {{x}} {word} {{y}}",
                f"add a new column {{m}} to {{t}} with {{x}} {word} {{y}}",
            )
        ),
        f"add a column {{m}} to {{t}} as {{x}} {_operator} {{y}}", f"add a column {{m}} as {{x}} {_operator} {{y}} in {{t}}",
        f"add a column {{m}} that is {{x}} {_said[0]} {{y}} to {{t}}", f"add a column {{m}} that is {{x}} {_said[0]} {{y}} in {{t}}",
        f"add a column {{m}} = {{x}} {_operator} {{y}} in {{t}}", f"add a column {{m}} = {{x}} {_operator} {{y}} to {{t}}",
        f"create a column {{m}} in {{t}} as {{x}} {_said[0]} {{y}}",
    )  # fmt: skip
for _operator, _said in (
    ("*", ("times", "multiplied by")),
    ("+", ("plus",)),
    ("-", ("minus",)),
    ("/", ("divided by",)),
):
    task(
        "derive", f"column {_said[0]} a number", f"{{t}} = {{t}}.assign(**{{{{m}}: {{t}}[{{x}}] {_operator} {{a}}}})",
        "The new column is there; it has no value where the other has none.",
        *(
            wording
            for word in _said
            for wording in (
                f"add a column {{m}} to {{t}} as {{x}} {word} {{a}}", f"add a column {{m}} as {{x}} {word} {{a}} in {{t}}",
                f"add {{m}} to {{t}} as {{x}} {word} {{a}}", f"add a new column {{m}} to {{t}} with {{x}} {word} {{a}}",
            )
        ),
        f"add a column {{m}} to {{t}} as {{x}} {_operator} {{a}}", f"add a column {{m}} as {{x}} {_operator} {{a}} in {{t}}",
    )  # fmt: skip
for _part, _code in (("year", "dt.year"), ("month", "dt.month"), ("weekday", "dt.day_name()"), ("hour", "dt.hour")):
    task(
        "derive", f"column with the {_part}", f"{_DATA}{{t}} = {{t}}.assign(**{{{{m}}: llmos_data.dates({{t}}[{{w}}]).{_code}}})",
        "The new column is there; it has no value where there is no date.",
        f"add a column {{m}} to {{t}} with the {_part} of {{w}}", f"add a column {{m}} with the {_part} of {{w}} in {{t}}",
        f"add a column {{m}} to {{t}} as the {_part} of {{w}}", f"add {{m}} to {{t}} as the {_part} of {{w}}",
    )  # fmt: skip
task(
    "derive", "scale",
    "({t}[{x}] - {t}[{x}].min()) / ({t}[{x}].max() - {t}[{x}].min())",
    "Scaled so that the lowest value is zero and the highest is one.",
    "normalize {x} in {t}", "scale {x} in {t} to the unit interval", "min max scale {x} in {t}",
    "normalize the column {x} of {t}", "min max normalize {x} in {t}",
)  # fmt: skip
task(
    "derive", "standardize", "({t}[{x}] - {t}[{x}].mean()) / {t}[{x}].std()",
    "Scaled so that the mean is zero and the sample standard deviation is one.",
    "standardize {x} in {t}", "z scores of {x} in {t}", "compute the z score of {x} in {t}",
    "standardize the column {x} of {t}", "standard scores of {x} in {t}",
)  # fmt: skip
task(
    "derive", "bins", "import pandas as pd\n\npd.cut({t}[{x}], {n}).value_counts(sort=False, dropna=False)",
    "How many rows are in each of the equally wide bins; rows without a value are counted under NaN.",
    "bin {x} in {t} into {n} groups", "cut {x} of {t} into {n} bins", "cut {x} in {t} into {n} equal bins",
    "count the rows of {t} in {n} bins of {x}", "split {x} in {t} into {n} bins", "bin {x} in {t} into {n} bins",
)  # fmt: skip
task(
    "derive", "rank", "{t}[{x}].rank(ascending=False)", "Each row's rank, the highest value first; ties share a rank.",
    "rank {x} in {t}", "rank the rows of {t} by {x}", "compute the rank of {x} in {t}", "ranks of {x} of {t}",
    "rank {t} by {x}",
)  # fmt: skip

# -- charts -------------------------------------------------------------------------------------------------------------

task(
    "charts", "histogram",
    _PLT + 'plt.figure(figsize=(6, 4))\nplt.hist({t}[{x}].dropna(), bins=30)\nplt.xlabel({x})\nplt.ylabel("rows")\nplt.show()',
    "How often which values occur; missing values are left out.",
    "histogram of {x} in {t}", "plot a histogram of {x} in {t}", "draw the histogram of the column {x} of {t}",
    "show the distribution of {x} in {t}", "how is {x} distributed in {t}", "plot the distribution of {x} of {t}",
)  # fmt: skip
task(
    "charts", "histogram with n bins",
    _PLT + 'plt.figure(figsize=(6, 4))\nplt.hist({t}[{x}].dropna(), bins={n})\nplt.xlabel({x})\nplt.ylabel("rows")\nplt.show()',
    "How often which values occur; missing values are left out.",
    "histogram of {x} in {t} with {n} bins", "plot a histogram of {x} in {t} with {n} bins",
    "draw a histogram of {x} of {t} with {n} bars", "histogram of {x} with {n} bins in {t}",
)  # fmt: skip
task(
    "charts", "scatter",
    _PLT + "plt.figure(figsize=(6, 4))\nplt.scatter({t}[{x}], {t}[{y}], s=15)\nplt.xlabel({x})\nplt.ylabel({y})\nplt.show()",
    "Each point is a row.",
    "plot {y} against {x} in {t}", "scatter plot of {y} against {x} in {t}", "scatter {y} against {x} in {t}",
    "scatter plot of {y} versus {x} in {t}", "plot {y} versus {x} in {t}", "draw {y} against {x} of {t}",
)  # fmt: skip
task(
    "charts", "scatter by group",
    _PLT + "plt.figure(figsize=(6, 4))\n[\n    plt.scatter(rows[{x}], rows[{y}], s=15, label=name)\n"
    "    for name, rows in {t}.groupby({k}, dropna=False, observed=True)\n]\nplt.xlabel({x})\nplt.ylabel({y})\nplt.legend()\nplt.show()",
    "Each point is a row, each colour a group.",
    "plot {y} against {x} by {k} in {t}", "scatter plot of {y} against {x} by {k} in {t}",
    "scatter {y} against {x} colored by {k} in {t}", "plot {y} against {x} in {t} with a color for each {k}",
    "scatter plot of {y} versus {x} by {k} in {t}",
)  # fmt: skip
task(
    "charts", "box plot",
    _PLT + "plt.figure(figsize=(6, 4))\nplt.boxplot({t}[{x}].dropna())\nplt.ylabel({x})\nplt.show()",
    "The box holds the middle half of the values.",
    "box plot of {x} in {t}", "draw a box plot of {x} in {t}", "boxplot of {x} in {t}",
    "make a box plot of the column {x} of {t}", "show a boxplot of {x} of {t}",
)  # fmt: skip
task(
    "charts", "box plot by group",
    _DRAW + "llmos_data.draw_boxes({t}[{x}], {t}[{k}])\nplt.show()",
    "One box for each group; it holds the middle half of the values. Rows without a value or a group are left out.",
    "box plot of {x} by {k} in {t}", "draw a box plot of {x} for each {k} in {t}", "boxplot of {x} by {k} in {t}",
    "compare {x} by {k} in {t} with box plots", "show a box plot of {x} per {k} of {t}",
)  # fmt: skip
task(
    "charts", "bar chart of counts",
    _DRAW + 'llmos_data.draw_bars({t}[{k}].value_counts(dropna=False), "rows")\nplt.show()',
    "How many rows each group has; those without a value have a bar, too.",
    "bar chart of {k} in {t}", "bar chart of the counts of {k} in {t}", "plot the counts of {k} in {t}",
    "draw a bar chart of how many rows each {k} has in {t}", "bar plot of {k} in {t}",
    "bar chart of the number of rows by {k} in {t}",
)  # fmt: skip
task(
    "charts", "pie chart", _DRAW + "llmos_data.draw_pie({t}[{k}])\nplt.show()",
    "How many rows each value has, as parts of all; beyond eight the rarest are one part, and so are rows without a value.",
    "pie chart of {k} in {t}", "draw a pie chart of {k} in {t}", "show a pie chart of {k} in {t}",
    "pie chart of the counts of {k} in {t}", "pie chart of the number of rows by {k} in {t}", "make a pie chart of {k} of {t}",
)  # fmt: skip
task(
    "charts", "chart of a text column", _DRAW + 'llmos_data.draw_bars({t}[{r}].value_counts(dropna=False), "rows")\nplt.show()',
    "How many rows each value has; those without one have a bar, too.",
    "plot {r} in {t}", "draw {r} in {t}", "chart of {r} in {t}", "visualize {r} in {t}", "chart {r} in {t}",
)  # fmt: skip
for _way, _said in (("mean", ("mean", "average")), ("sum", ("sum", "total"))):
    task(
        "charts", f"bar chart of {_way}s",
        f'{_DRAW}llmos_data.draw_bars({{t}}.groupby({{k}}, {_ALL})[{{x}}].{_way}(){_ORDER}, "{_way} of " + {{x}})\nplt.show()',
        "One bar for each group; rows without a group have one, too.",
        f"bar chart of the {_said[0]} of {{x}} by {{k}} in {{t}}", f"bar chart of the {_said[1]} {{x}} by {{k}} in {{t}}",
        f"plot the {_said[0]} {{x}} by {{k}} in {{t}}", f"draw a bar chart of the {_said[0]} {{x}} per {{k}} in {{t}}",
        f"plot the {_said[1]} of {{x}} for each {{k}} in {{t}}", f"bar plot of {_said[1]} {{x}} by {{k}} of {{t}}",
    )  # fmt: skip
task(
    "charts", "line over time",
    _DRAW + "llmos_data.draw_line({t}[{x}], {t}[{w}])\nplt.show()",
    "The values in the order of time; several of one moment are their mean, and rows without a date are left out.",
    "plot {x} over {w} in {t}", "line chart of {x} over {w} in {t}", "show the trend of {x} over {w} in {t}",
    "line plot of {x} by {w} in {t}", "how does {x} develop over {w} in {t}", "draw {x} over time in {t} using {w}",
    "plot {x} over time in {t} using {w}", "line chart of {x} over time in {t} using {w}",
    "show {x} over time in {t} using {w}", "how does {x} develop over time in {t} using {w}",
)  # fmt: skip
task(
    "charts", "line over time by group", _DRAW + "llmos_data.draw_line({t}[{x}], {t}[{w}], {t}[{k}])\nplt.show()",
    "One line for each group, in the order of time; several values of one moment are their mean. Beyond eight groups those with the most rows.",
    "plot {x} over {w} by {k} in {t}", "line chart of {x} over {w} by {k} in {t}", "plot {x} over {w} for each {k} in {t}",
    "plot {x} over time by {k} in {t} using {w}", "line chart of {x} over time by {k} in {t} using {w}",
    "plot {x} over time for each {k} in {t} using {w}", "show {x} over time by {k} in {t} using {w}",
)  # fmt: skip
task(
    "charts", "line of a column",
    _DRAW + "llmos_data.draw_line({t}[{x}])\nplt.show()", "The values in the order of the table.",
    "line chart of {x} in {t}", "line plot of {x} in {t}", "draw a line chart of the column {x} of {t}",
    "line graph of {x} in {t}",
)  # fmt: skip
task(
    "charts", "heat map of correlations",
    _PLT + "plt.figure(figsize=(6, 5))\nplt.imshow({t}.corr(numeric_only=True), vmin=-1, vmax=1, cmap=\"RdBu_r\")\n"
    "plt.colorbar()\nplt.xticks(range(len({t}.corr(numeric_only=True))), {t}.corr(numeric_only=True), rotation=90)\n"
    "plt.yticks(range(len({t}.corr(numeric_only=True))), {t}.corr(numeric_only=True))\nplt.show()",
    "Red pairs rise together, of blue ones one falls where the other rises.",
    "heat map of the correlations of {t}", "heatmap of the correlation matrix of {t}",
    "plot the correlation matrix of {t}", "plot the correlations in {t}", "draw a heat map of the correlations in {t}",
)  # fmt: skip

# -- files --------------------------------------------------------------------------------------------------------------

task(
    "files", "load a file",
    "from llmos_nb.domains.data import read_table, source_of\n\n{stem p} = read_table({p})\n"
    'print(*source_of({stem p}).notes, sep="\\n")\n{stem p}.head()',
    "The table is loaded under the name of the file; above stands how it was read, and these are its first rows.",
    "load {p}", "read {p}", "open {p}", "load the file {p}", "import the table {p}", "load {p} and show the first rows",
    "read the table from {p}",
)  # fmt: skip
task(
    "files", "load a sheet",
    "from llmos_nb.domains.data import read_table, source_of\n\n{stem m2} = read_table({p2}, sheet={m2})\n"
    'print(*source_of({stem m2}).notes, sep="\\n")\n{stem m2}.head()',
    "The sheet is loaded under its own name; above stands how it was read, and these are its first rows.",
    "load sheet {m2} of {p2}", "load the sheet {m2} of {p2}", "read sheet {m2} of {p2}", "load the sheet {m2} from {p2}",
    "open the sheet {m2} in {p2}", "read the sheet {m2} from {p2}",
)  # fmt: skip
task(
    "files", "save a table",
    "from llmos_nb.domains.data import write_table\n\nwrite_table({t}, {o}, replace=False)", "The table is saved.",
    "save {t} to {o}", "save {t} as {o}", "export {t} to {o}", "write {t} to the file {o}", "export {t} as {o}",
    "store the table {t} in {o}",
)  # fmt: skip
for _end, _an, _said in (("xlsx", "an", "excel"), ("csv", "a", "csv"), ("parquet", "a", "parquet")):
    task(
        "files", f"save as {_said}",
        f'from llmos_nb.domains.data import write_table\n\nwrite_table({{t}}, "{{t}}.{_end}", replace=False)',
        "The table is saved in the working folder, under its own name.",
        f"export {{t}} to {_said}", f"export {{t}} as {_said}", f"save {{t}} as {_said}",
        f"save {{t}} as {_an} {_said} file", f"export {{t}} to {_an} {_said} file", f"write {{t}} to {_an} {_said} file",
    )  # fmt: skip
task(
    "files", "compare two files",
    "from llmos_nb.domains.data import read_table\nfrom llmos_nb.domains.data.differing import compare_tables\n\n"
    "compare_tables(read_table({p}), read_table({q}))",
    "What is in both files, and what in one alone.",
    "compare {p} and {q}", "compare the files {p} and {q}", "compare {p} with {q}",
    "what is the difference between {p} and {q}", "how do {p} and {q} differ",
)  # fmt: skip
task(
    "files", "show as markdown",
    "from llmos_nb.domains.data.differing import markdown_table\n\nprint(markdown_table({t}))",
    "The table in Markdown.",
    "show {t} as markdown", "print {t} in markdown", "convert {t} to a markdown table", "turn {t} into markdown",
    "markdown of the table {t}",
)  # fmt: skip
