"""Goals that deny a column which itself has a value for no: "not paid" where ``paid`` is yes, no or missing."""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.tools.tables import FLAG, NUMBER, Grounded

__all__ = ["denied"]

#: What answers yes or no, and of it what says no.
_NO: Final = frozenset(("no", "n", "nein", "non", "false", "0", "nope"))
_YES_NO: Final = _NO | {"yes", "y", "ja", "j", "oui", "true", "1", "maybe", "unknown"}
_DENIES: Final = r"(not|no|without|lacking)"


def denied(reading: Grounded) -> str:
    """That the goal denies a column which has a value for no, so that it may be meant or that there is none; else empty."""
    for table in reading.tables:
        for column, kind in table.columns.items():
            match = re.search(
                rf"\b{_DENIES} (?:an? |any |the )?{re.escape(column)}(?!\w)", reading.goal, re.IGNORECASE
            )
            if match is None or (kind == FLAG and match[1].lower() == "not"):
                continue
            values = {value.strip().casefold(): value for value in table.values.get(column, ())}
            no = (
                next((values[value] for value in sorted(values) if value in _NO), "")
                if values.keys() <= _YES_NO
                else ""
            )
            if kind == FLAG:
                no = "false"
            elif kind == NUMBER and match[1].lower() != "not" and bool(table.frame[column].eq(0).any()):
                no = "0"
            if no:
                return f"{column} may be {no}, or missing, where it says “{match[0]}”: say which"
    return ""
