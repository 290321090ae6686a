"""Texts that pandas takes for a missing value, although they stood in the file: ``NA``, ``None``, ``null``.

Each is told with its count. ``NA`` stays where the column's other values are codes of two capitals, too: so Namibia is
written, and North America.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.values import is_text
from llmos_nb.domains.data.view import shown_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IN_TEXT", "IN_WORKBOOK", "kept_marks"]

#: What pandas reads as missing besides nothing at all.
_MARKS: Final = (
    r"#N/A(?: N/A)?|#NA|-1\.#IND|-1\.#QNAN|-NaN|-nan|1\.#IND|1\.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null"
)
#: The same where it is a whole value, in a text file and in a workbook.
IN_TEXT: Final = rf"(?:{_MARKS})(?![\w./])"
IN_WORKBOOK: Final = re.compile(rf"<t[^>]*>(?:{_MARKS.replace('<', '&lt;').replace('>', '&gt;')})</t>".encode())
_CODE: Final = re.compile(r"[A-Z]{2}")
#: Columns that are named in one sentence.
_TOLD: Final = 4


def kept_marks(frame: pd.DataFrame, texts: Callable[[list[int]], pd.DataFrame]) -> list[str]:
    """Put ``NA`` back into columns where it is a code; returns what to say of texts that are read as missing.

    ``texts`` reads the columns at these places again, as texts of which only nothing at all is missing.
    """
    places = [place for place, some in enumerate(frame.isna().any().tolist()) if some]
    if not places:
        return []
    kept: list[str] = []
    lost: dict[str, list[str]] = {}
    for place, (_, column) in zip(places, texts(places).items(), strict=True):
        now = frame.iloc[:, place]
        gone = column[now.isna() & column.notna()]
        name = str(frame.columns[place])
        if len(gone) and _is_code(now, gone):
            restored: Any = now.astype(object).where(now.notna() | column.isna(), column).astype(column.dtype)
            frame.isetitem(place, restored)
            kept.append(f"{name}: 'NA' is kept as text, since its other values are codes of two letters as well")
            continue
        for text, number in gone.value_counts().items():
            lost.setdefault(str(text), []).append(f"{name} ({number:,})")
    for text, where in lost.items():
        more = f" and {len(where) - _TOLD} more" if len(where) > _TOLD else ""
        kept.append(f"{shown_value(text)} is read as missing in {', '.join(where[:_TOLD])}{more}")
    return kept


def _is_code(column: pd.Series[Any], gone: pd.Series[Any]) -> bool:
    """Whether NA is the only text that is gone, and the other values, two at least, are of its form."""
    others = column.dropna()
    return (
        is_text(column)
        and set(gone.unique().tolist()) == {"NA"}
        and others.nunique() > 1
        and all(isinstance(value, str) and _CODE.fullmatch(value) for value in others.unique().tolist())
    )
