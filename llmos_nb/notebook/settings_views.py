"""Static displays of options and presets: the same in every frontend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmos_nb.notebook.views import Table
from llmos_nb.presets import PRESETS, PURPOSES

__all__ = ["options_table", "presets_table"]


def options_table(rows: Sequence[Mapping[str, str]]) -> Table:
    """One row an option, with where its value came from."""
    return Table(
        ("option", "value", "from", "what it does"),
        tuple((row["name"], row["value"], row["source"], row["help"]) for row in rows),
        empty="every option is as it is by default",
    )


def presets_table() -> Table:
    """One row a preset and option that it sets."""
    rows = [(name, "", "", purpose) for name, purpose in PURPOSES.items() if not PRESETS[name]]
    for name, values in PRESETS.items():
        rows += [
            (name, option, "never" if value is None else str(value), PURPOSES[name] if not number else "")
            for number, (option, value) in enumerate(values.items())
        ]
    return Table(("preset", "option", "value", "what it is for"), tuple(rows))
