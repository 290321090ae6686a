"""Columns of digits that are no numbers: a postcode ``01067``, a number of an account that is too long to be exact.

Read as numbers they would lose their zeros, or their last digits. The rule: a column stays text in which every value has
nothing but digits, and some value begins with a zero and has more digits behind it; and so does one with gaps whose whole
numbers have more digits than a float keeps (15), since pandas holds whole numbers with gaps as floats. Days and times that
are written ``01.02`` or ``08.30``, codes like ``1E5``, which would be a power of ten, and numbers of telephones stay, too.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.sniffing import Layout, opened
from llmos_nb.domains.data.view import shown_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["has_codes", "has_powers", "keep_codes", "occurs", "workbook_has", "workbook_has_codes"]

#: Characters that are looked at together, and how many of the last ones again with the next.
_CHUNK: Final = 1 << 22
_AGAIN: Final = 64
#: From here on floats leave whole numbers out.
_EXACT: Final = 2**53
_SHARED: Final = re.compile(rb"<t[^>]*>\s*(?:0\d|\d+[eE]\d|\+\d{7})[\d.]*\s*</t>")
_ZERO: Final = re.compile(r"0\d[\d.]*")
_POWER: Final = re.compile(r"\d+[eE]\d+")
_MONTH: Final = re.compile(r"(?:0?[1-9]|1[0-2])\.(?:19|20)\d\d")
_PHONE: Final = re.compile(r"\+\d{7,}")


def has_codes(path: Path, kind: str, layout: Layout) -> bool:
    """Whether a text file may have a value such as ``01067`` or ``+49301234``; quickly, and ``True`` in doubt."""
    return occurs(path, kind, layout, r"0\d|\+\d{7}")


def has_powers(path: Path, kind: str, layout: Layout) -> bool:
    """Whether a text file may have a value such as ``1E5``; ``True`` in doubt."""
    return occurs(path, kind, layout, r"[eE]\d", begins=False)


def occurs(path: Path, kind: str, layout: Layout, pattern: str, *, begins: bool = True) -> bool:
    """Whether a text file has the pattern: where a value ``begins``, or else behind a digit."""
    wide = layout.encoding.startswith(("utf-16", "utf-32"))
    ends = {layout.separator, "\n", "\r", '"'} | ({" "} if layout.spaced else set())
    looked_for = [f"{re.escape(one)}(?:{pattern})" for one in sorted(ends)] if begins else [rf"{pattern}(?<=\d..)"]
    with opened(path, kind) as file:
        if wide:
            reader = codecs.getreader(layout.encoding)(file)
            searched, text = [re.compile(one) for one in looked_for], "\n"
            while chunk := reader.read(_CHUNK, _CHUNK):
                text = text[-_AGAIN:] + chunk
                if any(one.search(text) for one in searched):
                    return True
            return False
        plain = [re.compile(one.encode(layout.encoding, "replace")) for one in looked_for]
        last = b"\n"
        while block := file.read(_CHUNK):
            last = last[-_AGAIN:] + block
            if any(one.search(last) for one in plain):
                return True
        return False


def workbook_has_codes(path: Path) -> bool:
    """Whether a workbook has a text such as ``01067``, ``1E5`` or ``+49301234``."""
    return workbook_has(path, _SHARED)


def workbook_has(path: Path, pattern: re.Pattern[bytes]) -> bool:
    """Whether the texts of a workbook, or those in its sheets, have the pattern."""
    try:
        with zipfile.ZipFile(path) as book:
            parts = [name for name in book.namelist() if re.search(r"sharedStrings|worksheets/sheet", name)]
            return any(pattern.search(book.read(name)) for name in parts)
    except (zipfile.BadZipFile, OSError, KeyError):
        return False


def keep_codes(
    frame: pd.DataFrame,
    texts: Callable[[list[int]], pd.DataFrame],
    codes: Callable[[], bool],
    powers: Callable[[], bool],
) -> list[str]:
    """Put texts back into those columns of ``frame`` that should have stayed text; returns what to say of it.

    ``texts`` reads the columns at these places again, as texts; ``codes`` tells whether the file has values at all that
    begin as a code does, ``powers`` whether it has such as ``1E5``.
    """
    numbers = [place for place, kind in enumerate(frame.dtypes) if kind.kind in "iuf"]
    floats = [place for place in numbers if frame.dtypes.iloc[place].kind == "f"]
    long = [place for place in floats if _is_long(frame.iloc[:, place])]
    whole = [place for place in floats if _is_whole(frame.iloc[:, place])]
    looked = set(long) | {place for place in floats if _are_months(frame.iloc[:, place])}
    looked |= set(whole) if whole and powers() else set()
    looked |= set(numbers) if numbers and codes() else set()
    if not looked:
        return []
    said: list[str] = []
    again = texts(sorted(looked))
    for place, (_, column) in zip(sorted(looked), again.items(), strict=True):
        values = column.dropna().str.strip()
        why = _why_code(values, long=place in long) if len(values) else ""
        if why:
            stripped: Any = column.str.strip()
            frame.isetitem(place, stripped)
            said.append(f"{frame.columns[place]} is kept as text: {why}")
    return said


def _why_code(values: pd.Series[Any], *, long: bool) -> str:
    """Why a column with these values is not read as numbers; empty where it is."""
    digits = bool(values.str.fullmatch(r"\d+").all())
    zeros = values[values.str.fullmatch(_ZERO)]
    if len(zeros) and (digits or bool(values.str.fullmatch(r"\d{1,2}\.\d{1,4}").all())):
        return f"some of its values begin with a zero ({shown_value(zeros.iloc[0])})"
    if bool(values.str.fullmatch(_MONTH).all()):
        return f"{shown_value(values.iloc[0])} is rather a month than a number"
    powers = values[values.str.fullmatch(_POWER)]
    if len(powers) and bool(values.str.fullmatch(r"\d+(?:[eE]\d+)?").all()):
        return f"{shown_value(powers.iloc[0])} may be a code, or a number with a power of ten"
    if bool(values.str.fullmatch(_PHONE).all()):
        return f"its values begin with a plus, as numbers of telephones do ({shown_value(values.iloc[0])})"
    if long and (digits or bool(values.str.fullmatch(r"-?\d+").all())):
        return f"its numbers have more digits than would stay exact ({shown_value(values.iloc[0])})"
    return ""


def _is_long(column: pd.Series[Any]) -> bool:
    return bool((column.abs() >= _EXACT).any())


def _is_whole(column: pd.Series[Any]) -> bool:
    """Whether it has whole numbers alone, and not only digits."""
    values = column.dropna()
    return bool(len(values)) and bool((values % 1 == 0).all()) and bool((values >= 10).any())


def _are_months(column: pd.Series[Any]) -> bool:
    """Whether it has nothing but 1.1900 to 12.2099."""
    values = column.dropna()
    year = (values % 1) * 10_000
    return bool(len(values)) and bool((values.between(1, 13) & year.between(1899.99, 2099.01)).all())
