"""The table of the fact index: derived from the files, dropped and filled again where it has another form."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from llmos_nb.kernel.state import METADATA

__all__ = ["FACTS", "FORM"]

#: What rows are made by; another number for other columns or another embedder's vectors.
FORM: Final = "3"

#: One row a fact's file. ``root`` is the facts folder, ``path`` the file's name; ``vector`` is the text's unit vector as
#: 16-bit floats, empty for one without a known word. ``form`` says what made the row.
FACTS: Final = sa.Table(
    "facts",
    METADATA,
    sa.Column("root", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("form", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False, doc="the fact as JSON; empty where the file cannot be read"),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)
