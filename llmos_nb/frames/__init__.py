"""Everything a workspace did, as pandas DataFrames; the columns are listed in :mod:`llmos_nb.frames.schema`.

``runs_df, steps_df, messages_df, events_df`` come from the session logs, ``ledger_df`` from the state database,
``agents_df`` and ``traces_df`` from the files of agents and traces. They join by
``run_id``; importing this does not import pandas.
"""

from __future__ import annotations

from llmos_nb.frames.tables import agents_df, events_df, ledger_df, messages_df, runs_df, steps_df, traces_df

__all__ = ["agents_df", "events_df", "ledger_df", "messages_df", "runs_df", "steps_df", "traces_df"]
