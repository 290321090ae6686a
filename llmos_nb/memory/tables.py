"""The tables of the trace index and of the use counts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from llmos_nb.kernel.state import METADATA

__all__ = ["TRACES", "USES"]

#: One row a trace file. ``root`` is the traces folder, ``path`` is relative to it with forward slashes.
TRACES: Final = sa.Table(
    "traces",
    METADATA,
    sa.Column("root", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("replayable", sa.Boolean, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("cost_usd", sa.Float),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("goal", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("traces_seen", "root", "path", "mtime_ns", "size"),  # all that opening a store asks for
    sa.Index("traces_key", "root", "key"),
    sa.Index("traces_id", "root", "id"),
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
