"""What a run left, as code of a person's own: its trace, found by whatever names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmos_nb.errors import UnknownTrace

if TYPE_CHECKING:
    from llmos_nb.dispatch.background import BackgroundRun
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.memory import Trace
    from llmos_nb.system.parts import SystemParts

__all__ = ["own_code"]


def own_code(parts: SystemParts, which: str | RunResult | BackgroundRun) -> tuple[Trace, dict[str, str]]:
    """The trace of a run, and for each variable that it needs, the run that made it.

    Raises:
        UnknownTrace: there is none.
    """
    from llmos_nb.dispatch.own_code import sources_of, trace_of_run

    if which == "last":
        latest = parts._latest.run_or_trace
        if latest is None:
            raise UnknownTrace("No run of this session left a trace yet.", remedy="Name one: %traces lists them.")
        which = latest
    name = which if isinstance(which, str) else str(getattr(which, "run_id", None) or repr(which)[:80])
    parts.bus.flush()
    trace = trace_of_run(name, parts.traces, parts.crystals, parts._log_folder)
    return trace, sources_of(trace, parts.traces)
