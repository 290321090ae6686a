"""Columns of digits that are no numbers: a postcode ``01067``, a number of an account that is too long to be exact.

Read as numbers they would lose their zeros, or their last digits. The rule: a column stays text in which every value has
nothing but digits, and some value begins with a zero and has more digits behind it; and so does one with gaps whose whole
numbers have more digits than a float keeps (15), since pandas holds whole numbers with gaps as floats.
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

__all__ = ["has_zeros", "keep_codes", "workbook_has_zeros"]

#: Characters that are looked at together, and how many of the last ones again with the next.
_CHUNK: Final = 1 << 22
_AGAIN: Final = 64
#: From here on floats leave whole numbers out.
_EXACT: Final = 2**53
_SHARED: Final = re.compile(rb"<t[^>]*>\s*0\d+\s*</t>")


def has_zeros(path: Path, kind: str, layout: Layout) -> bool:
    """Whether a text file may have a value of digits that begins with a zero; quickly, and ``True`` in doubt."""
    wide = layout.encoding.startswith(("utf-16", "utf-32"))
    begins = {layout.separator, "\n", "\r", '"', " "} if layout.spaced else {layout.separator, "\n", "\r", '"'}
    patterns = [re.compile(rf"{re.escape(one)}0\d") for one in sorted(begins)]
    plain = [re.compile(one.pattern.encode("latin-1", "replace")) for one in patterns]
    found, last = False, b""
    with opened(path, kind) as file:
        if wide:
            reader = codecs.getreader(layout.encoding)(file)
            text = "\n"
            while not found and (chunk := reader.read(_CHUNK, _CHUNK)):
                text = text[-_AGAIN:] + chunk
                found = any(pattern.search(text) for pattern in patterns)
            return found
        last = b"\n"
        while not found and (block := file.read(_CHUNK)):
            last = last[-_AGAIN:] + block
            found = any(pattern.search(last) for pattern in plain)
    return found


def workbook_has_zeros(path: Path) -> bool:
    """Whether a workbook has a text of digits that begins with a zero."""
    try:
        with zipfile.ZipFile(path) as book:
            parts = [name for name in book.namelist() if re.search(r"sharedStrings|worksheets/sheet", name)]
            return any(_SHARED.search(book.read(name)) for name in parts)
    except (zipfile.BadZipFile, OSError, KeyError):
        return False


def keep_codes(
    frame: pd.DataFrame, texts: Callable[[list[int]], pd.DataFrame], zeros: Callable[[], bool]
) -> list[str]:
    """Put texts back into those columns of ``frame`` that should have stayed text; returns what to say of it.

    ``texts`` reads the columns at these places again, as texts; ``zeros`` tells whether the file has such values at all.
    """
    numbers = [place for place, kind in enumerate(frame.dtypes) if kind.kind in "iuf"]
    long = [place for place in numbers if frame.dtypes.iloc[place].kind == "f" and _is_long(frame.iloc[:, place])]
    looked = numbers if numbers and zeros() else long
    if not looked:
        return []
    said: list[str] = []
    again = texts(looked)
    for place, (_, column) in zip(looked, again.items(), strict=True):
        values = column.dropna().str.strip()
        if not len(values) or not bool(values.str.fullmatch(r"\d+").all()):
            continue
        coded = values[values.str.fullmatch(r"0\d+")]
        if len(coded):
            why = f"some of its values begin with a zero ({shown_value(coded.iloc[0])})"
        elif place in long:
            why = f"its numbers have more digits than would stay exact ({shown_value(values.iloc[0])})"
        else:
            continue
        stripped: Any = column.str.strip()
        frame.isetitem(place, stripped)
        said.append(f"{frame.columns[place]} is kept as text: {why}")
    return said


def _is_long(column: pd.Series[Any]) -> bool:
    return bool((column.abs() >= _EXACT).any())
