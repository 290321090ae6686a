# ruff: noqa: E501
"""Tasks about the length of texts, days between dates, two conditions on texts, an order that is said, outliers, and rows
seen with those around them."""

from __future__ import annotations

from typing import Final

from tests.starter.task import ALL, DATA, ORDER, Task

__all__ = ["MORE"]

MORE: list[Task] = []


def task(group: str, name: str, code: str, answer: str, *wordings: str) -> None:
    """Declare a task."""
    MORE.append(Task(name, group, wordings, code.strip("\n"), answer))


# -- how long texts are -------------------------------------------------------------------------------------------------

_EITHER: Final = (("longest", "max", "longest", "most"), ("shortest", "min", "shortest", "fewest"))
for _said, _way, _rows, _most in _EITHER:
    task(
        "look", f"{_said} text", f"{{t}}[{{t}}[{{r2}}].str.len() == {{t}}[{{r2}}].str.len().{_way}()]",
        f"The row with the {_rows} text, counted in characters, or all of them where several are as long.",
        f"{_said} {{r2}} in {{t}}", f"what is the {_said} {{r2}} in {{t}}", f"which {{r2}} is the {_said} in {{t}}",
        f"show the row of {{t}} with the {_said} {{r2}}", f"row with the {_said} {{r2}} in {{t}}", f"find the {_said} {{r2}} of {{t}}",
        f"which row of {{t}} has the {_said} {{r2}}", f"show the {_said} {{r2}} in {{t}}",
    )  # fmt: skip
    task(
        "look", f"{_said} text of any column", f"{{t}}[{{t}}[{{r}}].str.len() == {{t}}[{{r}}].str.len().{_way}()]",
        f"The row with the {_rows} text, counted in characters, or all of them where several are as long.",
        f"{_said} text in {{r}} of {{t}}", f"show the {_said} text in the column {{r}} of {{t}}", f"row with the {_said} text in {{r}} in {{t}}",
        f"which row of {{t}} has the {_said} text in {{r}}", f"which {{r}} has the {_most} characters in {{t}}", f"{{r}} with the {_most} characters in {{t}}",
    )  # fmt: skip
    task(
        "look", f"{_said} texts",
        f'{{t}}.dropna(subset=[{{r2}}]).sort_values({{r2}}, key=lambda texts: texts.str.len(), ascending={_way == "min"}, kind="stable").head({{n}})',
        f"The {_rows} texts come first, counted in characters; of equally long ones the first in the table.",
        f"the {{n}} {_said} {{r2}} in {{t}}", f"show the {{n}} {_said} {{r2}} in {{t}}", f"{{n}} {_said} {{r2}} of {{t}}",
        f"show the {{n}} rows of {{t}} with the {_said} {{r2}}", f"which {{n}} rows of {{t}} have the {_said} {{r2}}",
    )  # fmt: skip
for _part, _said in (
    ("r2", ("length of {r2} in {t}", "how long is each {r2} in {t}", "lengths of {r2} in {t}", "length of each {r2} in {t}",
            "show the length of {r2} in {t}", "how long are the {r2} in {t}")),
    ("r", ("number of characters of {r} in {t}", "how many characters does each {r} have in {t}", "number of characters in {r} of {t}",
           "how many characters are in each {r} in {t}", "count the characters of {r} in {t}", "show the number of characters of {r} in {t}")),
):  # fmt: skip
    _called = "length of texts" if _part == "r2" else "characters of texts"
    _count = f"{{t}}[{{{_part}}}].str.len()"
    task("look", _called, _count, "How many characters each text has, blanks and signs among them.", *_said)
    _length = f"length of {{{_part}}}" if _part == "r2" else f"number of characters of {{{_part}}}"
    task(
        "statistics", f"mean {_called}", f"float({_count}.mean())", "How many characters the texts have on average; missing ones do not count.",
        f"average {_length} in {{t}}", f"mean {_length} in {{t}}", f"what is the average {_length} in {{t}}", f"what is the mean {_length} of {{t}}",
    )  # fmt: skip
    task(
        "derive", f"column with the {_called}", f"{{t}} = {{t}}.assign(**{{{{m}}: {_count}}})",
        "The new column has the number of characters; it has no value where there is no text.",
        f"add a column {{m}} to {{t}} with the {_length}", f"add a column {{m}} with the {_length} in {{t}}",
        f"add a column {{m}} to {{t}} as the {_length}", f"add {{m}} to {{t}} as the {_length}", f"add a column {{m}} with the {_length} to {{t}}",
    )  # fmt: skip

# -- days between dates -------------------------------------------------------------------------------------------------

_DAYS: Final = "From the first to the second one; with fractions where there are times of day, and below zero where the second is earlier."
_PARTED: Final = "(llmos_data.dates({t}[{w2}]) - llmos_data.dates({t}[{w}])) / pd.Timedelta(days=1)"
_DATES: Final = "import pandas as pd\n\nimport llmos_nb.domains.data as llmos_data\n\n"
task(
    "over time", "days between two dates", "import pandas as pd\n\n(pd.Timestamp({f2}) - pd.Timestamp({e2})).days",
    "That many days lie from the first date to the second, which is not counted itself.",
    "how many days are between {e2} and {f2}", "days between {e2} and {f2}", "number of days between {e2} and {f2}",
    "how many days are there between {e2} and {f2}", "how many days from {e2} to {f2}", "number of days from {e2} to {f2}",
    "how many days are there from {e2} to {f2}", "how many days is it from {e2} to {f2}",
)  # fmt: skip
task(
    "over time", "days between columns", _DATES + _PARTED, _DAYS,
    "days between {w} and {w2} in {t}", "how many days are between {w} and {w2} in {t}", "number of days between {w} and {w2} in {t}",
    "days from {w} to {w2} in {t}", "number of days from {w} to {w2} in {t}", "how many days are there between {w} and {w2} in {t}",
    "difference in days between {w} and {w2} in {t}", "how many days lie between {w} and {w2} in {t}", "how many days from {w} to {w2} in {t}",
)  # fmt: skip
for _way, _said in (
    ("mean", ("mean", "average")), ("max", ("maximum", "highest")), ("min", ("minimum", "lowest")), ("median", ("median", "median")),
):  # fmt: skip
    task(
        "over time", f"{_way} days between columns", f"{_DATES}float(({_PARTED}).{_way}())",
        "In days, from the first to the second one; rows without one of the two do not count.",
        f"{_said[0]} days between {{w}} and {{w2}} in {{t}}", f"{_said[1]} number of days between {{w}} and {{w2}} in {{t}}",
        f"what is the {_said[1]} number of days from {{w}} to {{w2}} in {{t}}", f"{_said[1]} days from {{w}} to {{w2}} in {{t}}",
        f"{_said[0]} number of days from {{w}} to {{w2}} in {{t}}",
    )  # fmt: skip
task(
    "derive", "column with the days between columns", f"{_DATES}{{t}} = {{t}}.assign(**{{{{m}}: {_PARTED}}})", f"The new column is there. {_DAYS}",
    "add a column {m} to {t} with the days between {w} and {w2}", "add a column {m} with the days between {w} and {w2} in {t}",
    "add a column {m} to {t} with the number of days between {w} and {w2}", "add a column {m} to {t} as the days between {w} and {w2}",
    "add {m} to {t} as the days between {w} and {w2}", "add a column {m} with the number of days from {w} to {w2} in {t}",
    "add a column {m} with the days from {w} to {w2} in {t}", "add a column {m} with the number of days between {w} and {w2} in {t}",
    "add a column {m} to {t} with the days from {w} to {w2}",
)  # fmt: skip

# -- two conditions on texts --------------------------------------------------------------------------------------------

for _name, _said, _test, _answer in (
    ("both of two categories", "{k} is {v} and {l} is {v2}", "({t}[{k}] == {v}) & ({t}[{l}] == {v2})", "both"),
    ("one of two categories", "{k} is {v} or {l} is {v2}", "({t}[{k}] == {v}) | ({t}[{l}] == {v2})", "one or both"),
    (
        "one category and not another",
        "{k} is {v} and {l} is not {v2}",
        "({t}[{k}] == {v}) & ({t}[{l}] != {v2})",
        "both",
    ),
):
    _short = _said.replace(" is not ", " not ").replace(" is ", " ")
    task(
        "filter", _name, f"{{t}}[{_test}]", f"The rows that fulfil {_answer} of the conditions.",
        f"show the rows of {{t}} where {_said}", f"rows where {_said} in {{t}}", f"filter {{t}} where {_said}", f"show {{t}} where {_said}",
        f"only the rows of {{t}} where {_said}", f"{{t}} where {_said}", f"rows of {{t}} where {_said}", f"{{t}} with {_short}",
        f"rows of {{t}} with {_short}", f"rows with {_short} in {{t}}", f"filter {{t}} for {_said.replace(' is not ', ' != ').replace(' is ', ' = ')}",
    )  # fmt: skip
    task(
        "filter", f"count {_name}", f"int(({_test}).sum())", f"That many rows fulfil {_answer} of the conditions.",
        f"how many rows of {{t}} have {_short}", f"how many rows have {_short} in {{t}}", f"how many {{t}} have {_short}",
        f"count the rows of {{t}} where {_said}", f"number of rows where {_said} in {{t}}", f"count the {{t}} where {_said}",
        f"number of {{t}} with {_short}", f"how many rows are there where {_said} in {{t}}",
    )  # fmt: skip
    for _way, _called in (
        (("mean", ("mean", "average")), ("sum", ("sum", "total"))) if _name.startswith("both") else ()
    ):
        task(
            "statistics", f"{_way} where {_name}", f"float({{t}}.loc[{_test}, {{x}}].{_way}())",
            "Of the rows that fulfil both conditions alone; missing values do not count.",
            f"{_called[0]} of {{x}} in {{t}} where {_said}", f"what is the {_called[1]} {{x}} in {{t}} where {_said}",
            f"{_called[1]} {{x}} where {_said} in {{t}}", f"{_called[0]} of {{x}} where {_said} in {{t}}", f"{_called[1]} {{x}} of {{t}} where {_said}",
            f"{_called[1]} {{x}} of {{t}} with {_short}",
        )  # fmt: skip
_HAS: Final = "{t}[{c}].str.contains({%s}, case=False, regex=False, na=False)"
for _name, _said, _test, _answer in (
    (
        "text contains both",
        "{c} contains {s} and {s2}",
        f"{_HAS % 's'} & {_HAS % 's2'}",
        "The rows that have both, anywhere and",
    ),
    (
        "text contains either",
        "{c} contains {s} or {s2}",
        f"{_HAS % 's'} | {_HAS % 's2'}",
        "The rows that have one of them or both,",
    ),
    (
        "text contains not",
        "{c} does not contain {s}",
        f"~{_HAS % 's'}",
        "The rows without it, those without a text among them,",
    ),
):
    _also = (
        [_said.replace("contains", f"contains {'both' if 'both' in _name else 'either'}")]
        if "{s2}" in _said
        else [_said.replace("does not", "doesn't")]
    )
    task(
        "filter", _name, f"{{t}}[{_test}]", f"{_answer} whatever the case of the letters.",
        *(
            wording
            for said in (_said, *_also)
            for wording in (
                f"show the rows of {{t}} where {said}", f"rows where {said} in {{t}}", f"filter {{t}} where {said}", f"{{t}} where {said}",
                f"show {{t}} where {said}", f"rows of {{t}} where {said}",
            )
        ),
    )  # fmt: skip

# -- an order that is said ----------------------------------------------------------------------------------------------

for _many in range(2, 8):
    _levels = [f"{{i{number}}}" for number in range(1, _many + 1)]
    _listed, _signed, _last = ", ".join(_levels), " < ".join(_levels), f"{', '.join(_levels[:-1])} and {_levels[-1]}"
    _made = f"llmos_data.in_order({{t}}[{{k}}], [{_listed}])"
    task(
        "rows and columns", f"sort in an order of {_many}",
        f"{DATA}{{t}}.sort_values({{k}}, key=lambda column: llmos_data.in_order(column, [{_listed}]), kind=\"stable\")",
        "Sorted in the order that was said; rows without a value are last.",
        f"sort {{t}} by {{k}} in the order {_listed}", f"sort by {{k}} in the order {_listed} in {{t}}", f"sort {{t}} by {{k}} with {_signed}",
        f"sort {{t}} by {{k}} in the order {_signed}", f"sort by {{k}} with {_signed} in {{t}}", f"sort by {{k}} in the order {_signed} in {{t}}", f"sort {{t}} by {{k}} in the order {_last}", f"order {{t}} by {{k}} in the order {_listed}",
    )  # fmt: skip
    task(
        "clean", f"order of {_many} values", f"{DATA}{{t}} = {{t}}.assign(**{{{{k}}: {_made}}})",
        "The column has its order now: sorting, groups and charts follow it.",
        f"set the order of {{k}} in {{t}} to {_listed}", f"set the order of {{k}} to {_listed} in {{t}}", f"set the order of {{k}} in {{t}} to {_signed}",
        f"order the values of {{k}} in {{t}} as {_listed}", f"make {{k}} in {{t}} ordered with {_signed}", f"set the order of {{k}} to {_signed} in {{t}}",
    )  # fmt: skip

# -- outliers -----------------------------------------------------------------------------------------------------------

_FENCES: Final = """({t}[{x}] < 2.5 * {t}[{x}].quantile(0.25) - 1.5 * {t}[{x}].quantile(0.75))
    | ({t}[{x}] > 2.5 * {t}[{x}].quantile(0.75) - 1.5 * {t}[{x}].quantile(0.25))"""
task(
    "clean", "drop outliers", f"{{t}} = {{t}}[\n    ~(\n        {_FENCES.replace(chr(10), chr(10) + '    ')}\n    )\n]",
    "The rule: rows are gone whose value was more than one and a half times the interquartile range outside the quartiles. Rows "
    "without a value are still there. What is left has quartiles of its own: a second time more may go.",
    "remove the outliers of {x} in {t}", "drop the outliers of {x} in {t}", "remove outliers from {x} in {t}", "drop outliers in {x} of {t}",
    "delete the outliers in {x} in {t}", "remove the rows of {t} that are outliers in {x}", "remove {x} outliers in {t}", "remove the outliers of {x} from {t}",
    "remove the outliers of {x} in {t} by interquartile range", "remove the outliers of {x} in {t} by iqr", "drop outliers of {x} by iqr in {t}",
    "remove outliers of {x} in {t} with the iqr rule", "drop the rows of {t} with outliers in {x}",
)  # fmt: skip
_FAR: Final = "({t}[{x}] - {t}[{x}].mean()).abs() > {many} * {t}[{x}].std()"
for _many, _rule in (("3", "by z score"), ("{a2}", "")):
    _test = _FAR.replace("{many}", _many)
    _how = "three" if _many == "3" else "that many"
    _told = f"more than {_how} sample standard deviations from the mean"
    _beyond = "more than {a2} standard deviations from the mean"
    task(
        "clean", f"outliers {_rule}" if _rule else "rows far from the mean", f"{{t}}[{_test}]", f"The rule: rows whose value is {_told}.",
        *(
            (
                "outliers of {x} in {t} by z score", "find the outliers of {x} in {t} by z score", "show the outliers of {x} by z score in {t}",
                "show the outliers in {x} of {t} by z score", "outliers of {x} by z score in {t}", "detect outliers in {x} in {t} with the z score",
            )
            if _rule
            else (
                f"rows of {{t}} where {{x}} is {_beyond}", f"show the rows of {{t}} where {{x}} is {_beyond}", f"rows where {{x}} is {_beyond} in {{t}}",
                f"{{t}} with {{x}} {_beyond}",
            )
        ),
    )  # fmt: skip
    task(
        "clean", f"drop outliers {_rule}" if _rule else "drop rows far from the mean", f"{{t}} = {{t}}[~({_test})]",
        f"The rule: rows are gone whose value was {_told}. Rows without a value are still there.",
        *(
            (
                "remove the outliers of {x} in {t} by z score", "drop the outliers of {x} in {t} by z score", "remove outliers from {x} by z score in {t}",
                "remove the outliers of {x} by z score in {t}", "drop outliers in {x} of {t} by z score", "delete the outliers of {x} in {t} with the z score",
            )
            if _rule
            else (
                f"remove the rows of {{t}} where {{x}} is {_beyond}", f"drop rows where {{x}} is {_beyond} in {{t}}",
                f"drop the rows of {{t}} where {{x}} is {_beyond}", f"delete rows where {{x}} is {_beyond} in {{t}}",
            )
        ),
    )  # fmt: skip

# -- rows with those around them ----------------------------------------------------------------------------------------

for _way, _said, _rising in (
    ("top", ("top", "highest", "largest"), False),
    ("bottom", ("bottom", "lowest", "smallest"), True),
):
    task(
        "groups", f"{_way} n of each group",
        f'{DATA}{{t}}.dropna(subset=[{{x}}]).sort_values({{x}}, ascending={_rising}, kind="stable").groupby({{k}}, {ALL}).head({{n}}).sort_values({{k}}, key=llmos_data.order_key, kind="stable")',
        f"Of each group the rows with the {_said[1]} values; of equal ones those that stand first. Rows without a group are one, too.",
        f"{_said[0]} {{n}} rows of {{t}} by {{x}} in each {{k}}", f"{_said[0]} {{n}} rows of {{t}} by {{x}} for each {{k}}", f"{_said[0]} {{n}} {{t}} by {{x}} per {{k}}",
        f"{_said[0]} {{n}} by {{x}} in each {{k}} in {{t}}", f"{_said[0]} {{n}} by {{x}} per {{k}} in {{t}}", f"{_said[0]} {{n}} by {{x}} for each {{k}} in {{t}}",
        f"the {{n}} rows with the {_said[1]} {{x}} in each {{k}} in {{t}}", f"{{n}} {_said[1]} {{x}} per {{k}} in {{t}}", f"{_said[0]} {{n}} {{x}} per {{k}} in {{t}}",
        f"{{n}} {_said[1]} {{x}} in each {{k}} in {{t}}", f"the {{n}} {_said[2]} {{x}} for each {{k}} in {{t}}", f"show the {{n}} rows of {{t}} with the {_said[1]} {{x}} for each {{k}}",
        f"{_said[0]} {{n}} {{t}} by {{x}} in each {{k}}", f"{_said[0]} {{n}} {{x}} in each {{k}} in {{t}}", f"{_said[0]} {{n}} rows by {{x}} within each {{k}} in {{t}}",
    )  # fmt: skip
_GROUPED: Final = f"{{t}}.groupby({{r}}, {ALL})[{{x}}]"
_TIMED: Final = '{t}.set_index(llmos_data.dates({t}[{w}]))[{x}].loc[lambda values: values.index.notna()].sort_index(kind="stable")'
for _name, _code, _answer, _called in (
    ("cumulative sum", "cumsum()", "The sum of each row and all before it", ("cumulative sum of {x}", "running total of {x}", "running sum of {x}", "cumulative total of {x}")),
    ("cumulative mean", "expanding().mean()", "The mean of each row and all before it", ("cumulative mean of {x}", "cumulative average of {x}")),
    ("percent change", "pct_change(fill_method=None) * 100", "By how many percent each row differs from the one before", ("percent change of {x}", "percentage change of {x}")),
    ("difference from row to row", "diff()", "By how much each row differs from the one before", ("difference of {x} from row to row", "change of {x} from row to row", "row to row difference of {x}")),
):  # fmt: skip
    if _name not in ("cumulative sum", "percent change"):
        task(
            "over time", _name, f"{{t}}[{{x}}].{_code}", f"{_answer}, in the order of the table.",
            *(f"{said} in {{t}}" for said in _called), *(f"compute the {said} in {{t}}" for said in _called), *(f"show the {said} of {{t}}" for said in _called),
        )  # fmt: skip
    task(
        "over time", f"{_name} over time", f"{DATA}{_TIMED}.{_code}",
        f"{_answer}, from the earliest to the latest; rows without a date do not count.",
        *(f"{said} over {{w}} in {{t}}" for said in _called), *(f"{said} over time in {{t}} using {{w}}" for said in _called),
        *(f"show the {said} over {{w}} in {{t}}" for said in _called),
    )  # fmt: skip
    if "mean" not in _name:
        task(
            "over time", f"{_name} in each group", f"{_GROUPED}.{_code.replace(' * 100', '')}{' * 100' if '100' in _code else ''}",
            f"{_answer} that is of the same group, in the order of the table.",
            *(f"{said} by {{r}} in {{t}}" for said in _called), *(f"{said} per {{r}} in {{t}}" for said in _called),
            *(f"{said} for each {{r}} in {{t}}" for said in _called), *(f"{said} within each {{r}} in {{t}}" for said in _called),
        )  # fmt: skip
    task(
        "derive", f"column with the {_name}", f"{{t}} = {{t}}.assign(**{{{{m}}: {{t}}[{{x}}].{_code}}})", f"The new column: {_answer[0].lower()}{_answer[1:]}, in the order of the table.",
        *(f"add a column {{m}} to {{t}} with the {said}" for said in _called), *(f"add a column {{m}} with the {said} in {{t}}" for said in _called),
        *(f"add a column {{m}} with the {said} to {{t}}" for said in _called), *(f"add {{m}} to {{t}} as the {said}" for said in _called),
    )  # fmt: skip
task(
    "over time", "rolling mean in each group", f"{{t}}.groupby({{r}}, {ALL})[{{x}}].transform(lambda values: values.rolling({{n}}).mean())",
    "The mean of each row and those before it that are of the same group, in the order of the table; the first rows of each have too few before them.",
    "rolling mean of {x} over {n} rows by {r} in {t}", "moving average of {x} over {n} rows by {r} in {t}", "moving average of {x} over {n} rows per {r} in {t}",
    "running average of {x} over {n} rows for each {r} in {t}", "rolling average of {x} over {n} rows for each {r} in {t}",
)  # fmt: skip
task(
    "over time", "rolling mean over days", f"{DATA}import pandas as pd\n\n{_TIMED}.rolling(pd.Timedelta(days={{n}})).mean()",
    "The mean of each row and those of so many days before it, its own day among them, from the earliest to the latest; rows without a date do not count.",
    "{n} day moving average of {x} in {t} using {w}", "{n} day rolling mean of {x} in {t} using {w}", "{n} day running average of {x} in {t} using {w}",
    "{n} day moving average of {x} over {w} in {t}", "moving average of {x} over {n} days in {t} using {w}", "rolling mean of {x} over {n} days in {t} using {w}",
    "{n} day moving average of {x} by {w} in {t}",
)  # fmt: skip
for _period, _rule, _adverb in (
    ("month", "MS", "monthly"),
    ("year", "YS", "yearly"),
    ("quarter", "QS", "quarterly"),
    ("week", "W", "weekly"),
    ("day", "D", "daily"),
):
    for _way, _said in (("mean", ("mean", "average")), ("sum", ("sum", "total"))):
        task(
            "over time", f"percent change of the {_way} per {_period}",
            f'{DATA}{{t}}.set_index(llmos_data.dates({{t}}[{{w}}]))[{{x}}].resample("{_rule}").{_way}().pct_change(fill_method=None) * 100',
            f"By how many percent each {_period} differs from the one before; rows without a date do not count.",
            f"percent change of the {_said[0]} of {{x}} per {_period} in {{t}} using {{w}}", f"{_adverb} percent change of the {_said[1]} {{x}} in {{t}} using {{w}}",
            f"percent change of {_said[1]} {{x}} per {_period} in {{t}} using {{w}}", f"percentage change of the {_said[1]} {{x}} per {_period} of {{w}} in {{t}}",
            f"percent change of the {_adverb} {_said[0]} of {{x}} in {{t}} using {{w}}",
        )  # fmt: skip
task(
    "groups", "share of the total by group", f"{DATA}{{t}}.groupby({{k}}, {ALL})[{{x}}].sum(){ORDER} / {{t}}[{{x}}].sum() * 100",
    "How many percent of the whole sum each group has; rows without a group are under NaN.",
    "share of total {x} by {k} in {t}", "share of the total {x} by {k} in {t}", "percentage of total {x} by {k} in {t}", "percent of the total {x} per {k} in {t}",
    "share of the total {x} for each {k} in {t}", "what percentage of the total {x} has each {k} in {t}", "percent of total {x} by {k} in {t}",
    "what share of the total {x} has each {k} in {t}",
)  # fmt: skip
task(
    "derive", "rank in each group", f"{{t}}.groupby({{r}}, {ALL})[{{x}}].rank(ascending=False)",
    "Each row's rank among those of its group, the highest value first; ties share a rank.",
    "rank {x} within each {r} in {t}", "rank {x} in each {r} in {t}", "rank {x} by {r} in {t}", "rank of {x} within each {r} in {t}", "rank the rows of {t} by {x} within each {r}",
)  # fmt: skip
task(
    "rows and columns", "to numbers with k and M",
    DATA + "{t} = {t}.assign(**{{j}: llmos_data.numbers({t}[{j}], short=True)})",
    "The column holds numbers now: k is a thousand, M a million, B a billion.",
    "convert {j} in {t} to numbers with k and m", "convert {j} to numbers with k and m in {t}", "convert the column {j} of {t} to numbers with k and m",
    "convert {j} in {t} to numbers with k as thousand and m as million", "convert {j} to numbers with k as thousand and m as million in {t}",
    "turn {j} in {t} into numbers with k as thousand and m as million",
)  # fmt: skip
