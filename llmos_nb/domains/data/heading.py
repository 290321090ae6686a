"""Where the names of a table's columns stand: in its first line, or below a title; of a text file or of a sheet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from llmos_nb.domains.data.view import count, shown_value

__all__ = ["head_of", "heading_notes", "looks_counted"]

#: Lines that are looked at for the names, from the first one.
_DEEP: Final = 30
_NUMBER: Final = re.compile(r"[^\w\s.,+-]?\s?[+-]?\(?\d[\d.,'’\u00a0\u202f ]*(?:[eE][+-]?\d+)?\)?\s?[^\w\s]?")
_YEAR: Final = re.compile(r"(?:1[89]|20)\d\d(?:\.0)?")
_DATE: Final = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[ T]\d{1,2}:\d{2}.*)?")


def looks_counted(text: str) -> bool:
    """Whether a text is a number or a date, however it is written."""
    bare = text.strip()
    return bool(_NUMBER.fullmatch(bare) or _DATE.fullmatch(bare))


def head_of(rows: Sequence[Sequence[str]], gaps: Sequence[bool], *, padded: bool = False) -> int:
    """The place of the row that has the names; 0 wherever it is not certain that titles stand above them.

    ``gaps`` tells for each row whether a blank line stands before it. Rows of a sheet are ``padded`` to one length.
    """
    blank = [not _filled(row) for row in rows]
    widths = [_width(row) for row in rows]
    usual = max(
        Counter([width for width in widths[1:] if width] or widths).items(), key=lambda item: (item[1], item[0])
    )[0]
    if usual < 2:
        return 0
    for place, row in enumerate(rows[:_DEEP]):
        if widths[place] < usual or not _like_names(row):
            if place or _filled(row) < usual:
                continue
            return 0
        if place == 0:
            wide = not padded and len(rows) > 2 and _is_wide_title(rows, usual)
            return 1 if wide else 0
        above = [one for one, empty in zip(rows[:place], blank, strict=False) if not empty]
        if any(_filled(one) >= usual or not one[0].strip() for one in above):
            return 0
        gap = any(gaps[1 : place + 1]) or any(blank[:place])
        named_rows = place == 1 and widths[0] == usual - 1 >= 2 and not gap
        return place if not named_rows and (gap or _counts_below(rows[place + 1 :])) else 0
    return 0


def heading_notes(above: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """What is to be told of the lines above the names, and of names that look like values."""
    if above:
        told = ", ".join(shown_value(text) for text in above[:2])
        lines = count(len(above), "line above the names is", "lines above the names are")
        yield f"{lines} left out: {told}{' …' if len(above) > 2 else ''}"
    given = [name for name in names if name.strip()]
    values = [name for name in given if looks_counted(name) and not _YEAR.fullmatch(name.strip())]
    if given and (len(values) == len(given) or any(re.search(r"\d[.,/:-]\d", name) for name in values)):
        yield (
            f"the names of the columns look like values ({', '.join(map(shown_value, values[:3]))}): "
            "if the file has no names, read it with header=0"
        )


def _width(row: Sequence[str]) -> int:
    return max((place for place, field in enumerate(row, 1) if field.strip()), default=0)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(field.strip()) for field in row)


def _like_names(row: Sequence[str]) -> bool:
    """Whether these are different texts, none of which is a number other than a year; the first one may be absent."""
    fields = [field.strip() for field in row[: _width(row)]]
    named = fields[1:] if fields and not fields[0] else fields
    return (
        len(named) > 0
        and all(named)
        and len(set(named)) == len(named)
        and not any(looks_counted(field) and not _YEAR.fullmatch(field) for field in named)
    )


def _counts_below(rows: Sequence[Sequence[str]]) -> bool:
    """Whether some column is mostly numbers or dates."""
    for column in range(max(map(len, rows), default=0)):
        fields = [row[column] for row in rows if column < len(row) and row[column].strip()]
        if fields and sum(map(looks_counted, fields)) > len(fields) / 2:
            return True
    return False


def _is_wide_title(rows: Sequence[Sequence[str]], usual: int) -> bool:
    """Whether the first line has the separator by chance: only the ones below it agree in their length."""
    lengths = {len(row) for row in rows[1:]}
    return lengths == {usual} and len(rows[0]) != usual and _like_names(rows[1]) and _counts_below(rows[2:])
