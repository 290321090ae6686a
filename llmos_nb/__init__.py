"""A Jupyter-native LLM operating system: a goal is worked out once by an agent, then replayed free and verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmos_nb.lazily import lazily

if TYPE_CHECKING:
    from llmos_nb.dispatch.orchestrator import Node, Plan, Product
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.frames import agents_df, events_df, ledger_df, messages_df, runs_df, steps_df, traces_df
    from llmos_nb.notebook.extension import load_ipython_extension, unload_ipython_extension
    from llmos_nb.system import LLMOS
    from llmos_nb.teaching.class_report import report

__version__ = "0.1.0"

_HOME = {
    "LLMOS": "system",
    "RunResult": "dispatch.result",
    "report": "teaching.class_report",
    **dict.fromkeys(("Node", "Plan", "Product"), "dispatch.orchestrator"),
    **dict.fromkeys(
        ("agents_df", "events_df", "ledger_df", "messages_df", "runs_df", "steps_df", "traces_df"), "frames"
    ),
    **dict.fromkeys(("load_ipython_extension", "unload_ipython_extension"), "notebook.extension"),
}
__all__ = [
    "LLMOS", "Node", "Plan", "Product", "RunResult", "agents_df", "events_df", "ledger_df",
    "load_ipython_extension", "messages_df", "report", "runs_df", "steps_df", "traces_df",
    "unload_ipython_extension",
]  # fmt: skip


__getattr__, __dir__ = lazily(__name__, _HOME, [*__all__, "__version__"])
