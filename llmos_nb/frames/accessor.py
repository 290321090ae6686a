"""``df.llmos``: the plots as methods of a DataFrame. Registered when the first frame is made, or plots are imported."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["Plots", "register"]


class Plots:
    """The plots of one DataFrame: ``costs``, ``modes``, ``timeline``, ``agents``, ``plan``; see ``llmos_nb.frames.plots``.

    The columns that a plot needs are looked at when it is drawn, so a frame read back from a file will do.
    """

    def __init__(self, df: Any) -> None:
        self._df = df

    def costs(self, *, ax: Any = None, backend: str = "matplotlib") -> Any:
        """What was spent and saved over time; of ``ledger_df`` or ``runs_df``."""
        from llmos_nb.frames import plots

        return plots.costs(self._df, ax=ax, backend=backend)

    def modes(self, *, ax: Any = None, backend: str = "matplotlib") -> Any:
        """How goals were reached over time; of ``runs_df``."""
        from llmos_nb.frames import plots

        return plots.modes(self._df, ax=ax, backend=backend)

    def timeline(self, run_id: str | None = None, *, ax: Any = None, backend: str = "matplotlib") -> Any:
        """What one run did when; of ``events_df`` or ``steps_df``."""
        from llmos_nb.frames import plots

        return plots.timeline(self._df, run_id, ax=ax, backend=backend)

    def agents(self, *, ax: Any = None, backend: str = "matplotlib") -> Any:
        """Who gave work to whom; of ``events_df`` or ``runs_df``."""
        from llmos_nb.frames import plots

        return plots.agents(self._df, ax=ax, backend=backend)

    def plan(self, run_id: str | None = None, *, ax: Any = None, backend: str = "matplotlib") -> Any:
        """The goals of a plan; of ``events_df``."""
        from llmos_nb.frames import plots

        return plots.plan(self._df, run_id, ax=ax, backend=backend)

    def __repr__(self) -> str:
        return "plots: .costs() .modes() .timeline() .agents() .plan()"


def register(*, only_if_imported: bool = False) -> bool:
    """Make ``df.llmos`` known to pandas, once; with ``only_if_imported`` pandas is not imported for it."""
    if only_if_imported and "pandas" not in sys.modules:
        return False
    import pandas as pd

    if not hasattr(pd.DataFrame, "llmos"):
        pd.api.extensions.register_dataframe_accessor("llmos")(Plots)
    return True
