"""The tables of the trace index and of the use counts.

``traces``, ``trace_changes`` and ``trace_index`` are derived from the files: where a database has them in another form
they are dropped and filled again. ``trace_uses`` is not in the files and is kept whatever happens.
"""

from __future__ import annotations

import hashlib
from typing import Final

import sqlalchemy as sa

from llmos_nb.kernel.state import METADATA

__all__ = ["CHANGES", "DERIVED", "FORM", "INDEX", "TRACES", "USES"]

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up only in what it calls INTEGER

#: One row a trace file. ``root`` is the traces folder, ``path`` is relative to it with forward slashes. ``number``
#: only ever grows, and a row that is written again gets a new one: what is above a number came after it.
TRACES: Final = sa.Table(
    "traces",
    METADATA,
    sa.Column("number", _NUMBER, primary_key=True),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    # The goal's signature: see llmos_nb.memory.signature.
    sa.Column("key", sa.BigInteger, nullable=False),
    sa.Column("template", sa.BigInteger, nullable=False),
    sa.Column("words", sa.BigInteger, nullable=False),
    sa.Column("slots", sa.BigInteger, nullable=False),
    sa.Column("shape", sa.BigInteger, nullable=False),
    sa.Column("bits", sa.LargeBinary, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("wrong", sa.Text, nullable=False, server_default="", doc="what a person said is wrong with it"),
    sa.Column("edited", sa.Boolean, nullable=False, doc="changed since it was recorded or vouched for"),
    sa.Column("replayable", sa.Boolean, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False, doc="the project it was made in; empty: in none"),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("cost_usd", sa.Float),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("goal", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.UniqueConstraint("root", "path"),
    sa.Index("traces_seen", "root", "path", "mtime_ns", "size"),  # all that opening a store asks for
    sa.Index("traces_key", "root", "key"),
    sa.Index("traces_id", "root", "id"),
    sa.Index("traces_number", "root", "number"),
    sa.Index("traces_problem", "root", "problem"),  # how many are there, and which cannot be read
    # Of the few that something is the matter with: they are asked for anew whenever anything was written.
    sa.Index(
        "traces_wrong", "root", "wrong", sqlite_where=sa.text("wrong > ''"), postgresql_where=sa.text("wrong > ''")
    ),
    sa.Index(
        "traces_edited",
        *("root", "problem", "wrong"),
        sqlite_where=sa.text("edited = 1"),
        postgresql_where=sa.text("edited"),
    ),
    sqlite_autoincrement=True,
)

#: Numbers that are no more: their file is gone, or its row has a newer number. Only the latest are kept, since a
#: reader that missed one merely asks for a row that is not there.
CHANGES: Final = sa.Table(
    "trace_changes",
    METADATA,
    sa.Column("change", _NUMBER, primary_key=True),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("gone", sa.BigInteger, nullable=False, doc="a number of `traces` that was"),
    sa.Index("trace_changes_root", "root", "change"),
    sqlite_autoincrement=True,
)

#: What these tables are: ``form`` (below) and ``generation`` (new whenever they are made anew, so that numbers of an
#: earlier life are not taken for theirs) under the root "", and under each folder ``maker``: what made its signatures.
INDEX: Final = sa.Table(
    "trace_index",
    METADATA,
    sa.Column("root", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

#: How often a trace was used, and how that went. Not in the files, which are written once.
USES: Final = sa.Table(
    "trace_uses",
    METADATA,
    sa.Column("trace_id", sa.Text, primary_key=True),
    sa.Column("uses", sa.Integer, nullable=False),
    sa.Column("successes", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_used_at", sa.Text, nullable=False),
)

#: The tables that the files can fill again.
DERIVED: Final = (TRACES, CHANGES, INDEX)

#: Names the form of the derived tables; a database that says another one has tables of another version.
FORM: Final = hashlib.sha256(
    repr(
        ["payloads with a checksum"]
        + [
            (
                [(column.name, str(column.type)) for column in table.columns],
                sorted(str(i.name) for i in table.indexes),
            )
            for table in DERIVED
        ]
    ).encode()
).hexdigest()[:16]
