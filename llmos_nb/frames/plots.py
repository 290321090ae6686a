"""Plots of what a workspace did, for people who look rather than read. Each takes a DataFrame::

    plots.costs(ledger_df())        what was spent and saved over time      ledger_df().llmos.costs()
    plots.modes(runs_df())          how goals were reached over time        runs_df().llmos.modes()
    plots.timeline(events_df())     what one run did when                   events_df().llmos.timeline()
    plots.agents(events_df())       who gave work to whom                   events_df().llmos.agents()
    plots.plan(events_df())         the goals of a plan                     events_df().llmos.plan()

Each gives matplotlib axes, or an Altair chart with ``backend="altair"``. Colours differ for colour-blind people too, and
nothing is told by colour alone. A frame without rows gives an empty picture that says so.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

from llmos_nb.errors import PlotError
from llmos_nb.frames import accessor
from llmos_nb.frames.charted import bars_of, curve_of, delegations_of, plan_of, spans_of

__all__ = ["BACKENDS", "agents", "costs", "modes", "plan", "timeline"]

#: What can draw, with the module here that does it.
BACKENDS: Final = {"matplotlib": "with_matplotlib", "altair": "with_altair"}


def costs(df: Any, *, ax: Any = None, backend: str = "matplotlib") -> Any:
    """What was spent and what free modes saved, summed over time, in US dollars; from ``ledger_df`` or ``runs_df``.

    Real and play money never mix: where a frame has both, only real money is drawn, and the picture says so.

    Args:
        df: needs ``cost_usd``, ``saved_usd`` and ``at`` or ``started_at``.
        ax: the matplotlib axes to draw on; new ones if None.
        backend: ``matplotlib`` or ``altair``.

    Raises:
        PlotError: a column is missing or holds something else, or the library that draws is not there.
    """
    return _drawing(backend, ax).curve(curve_of(df), **_on(ax))


def modes(df: Any, *, ax: Any = None, backend: str = "matplotlib") -> Any:
    """How many goals were reached in which mode, over time; from ``runs_df`` (``mode``, ``started_at``).

    Raises:
        PlotError: see :func:`costs`.
    """
    return _drawing(backend, ax).bars(bars_of(df), **_on(ax))


def timeline(df: Any, run_id: str | None = None, *, ax: Any = None, backend: str = "matplotlib") -> Any:
    """What one run did when: the model, each tool, and waiting for a person; of the last run if ``run_id`` is None.

    From ``events_df`` (``run_id``, ``event``, ``at``, ``data``); ``steps_df`` knows of the tools alone.

    Raises:
        PlotError: see :func:`costs`; also a run that the frame has not.
    """
    return _drawing(backend, ax).spans(spans_of(df, run_id), **_on(ax))


def agents(df: Any, *, ax: Any = None, backend: str = "matplotlib") -> Any:
    """Which agent gave work to which, by a plan or by a call; from ``events_df``, or plans alone from ``runs_df``.

    Raises:
        PlotError: see :func:`costs`.
    """
    return _drawing(backend, ax).graph(delegations_of(df), "no agent was used yet", **_on(ax))


def plan(df: Any, run_id: str | None = None, *, ax: Any = None, backend: str = "matplotlib") -> Any:
    """The goals of a plan, what each needs, and how it was reached; from ``events_df``, of the last plan if None.

    Raises:
        PlotError: see :func:`costs`; also a run that the frame has not.
    """
    return _drawing(backend, ax).graph(plan_of(df, run_id), "no plan was made", **_on(ax))


def _on(ax: Any) -> dict[str, Any]:
    return {} if ax is None else {"ax": ax}


def _drawing(backend: str, ax: Any) -> Any:
    if backend not in BACKENDS:
        raise PlotError(f"There is no backend {backend!r}.", remedy=f"Use {' or '.join(BACKENDS)}.")
    if ax is not None and backend != "matplotlib":
        raise PlotError("ax is for matplotlib.", remedy="Leave ax out, or the backend.")
    try:
        importlib.import_module(backend)
    except ImportError as error:
        other = next(name for name in BACKENDS if name != backend)
        raise PlotError(
            f"Plots need {backend}, which cannot be imported ({error}).",
            remedy=f"pip install 'llmos-nb[plots]' has it; or choose backend={other!r} if that is installed.",
        ) from None
    return importlib.import_module(f"llmos_nb.frames.{BACKENDS[backend]}")


accessor.register()
