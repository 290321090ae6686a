"""Going on with what was begun before: a session, or the conversation of a run; what they let in stays let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmos_nb.errors import ModeUnavailable, UnknownSession

if TYPE_CHECKING:
    from llmos_nb.memory.sessions import LoggedRun, LoggedSession
    from llmos_nb.system.parts import SystemParts

__all__ = ["came_in_before", "resumable_run", "resumable_session"]


def resumable_run(parts: SystemParts, run_id: str, mode: str) -> LoggedRun:
    """The run whose conversation is to be gone on with in ``mode``; ``last`` is this session's last one.

    Raises:
        ModeUnavailable: no agent works in this mode.
        UnknownSession: there is no such run, or it had no conversation.
    """
    from llmos_nb.memory.sessions import find_run, sessions

    if mode not in ("auto", "learner"):
        raise ModeUnavailable(
            f"A conversation cannot be gone on with in mode {mode}.",
            remedy="Leave the mode out: an agent answers.",
        )
    parts.bus.flush()
    if run_id == "last":
        runs = [run for one in sessions(parts._log_folder) if one.id == parts.session_id for run in one.runs]
        mine = [run for run in runs if run.conversation and not run.scheduled_by]
        if not mine:
            raise UnknownSession(
                "No run of this session had a conversation.", remedy="Name a run: %sessions lists them."
            )
        return mine[-1]
    run = find_run(parts._log_folder, run_id)
    if not run.conversation:
        raise UnknownSession(
            f"The run {run_id} had no conversation that could be gone on with.",
            remedy="It was replayed without a model, or cut off: name another run.",
        )
    return run


def resumable_session(parts: SystemParts, session_id: str) -> LoggedSession:
    """The session of this id, which may be gone on with now, or is the one that is going on.

    Raises:
        UnknownSession: there is none of that id, another process works in it, or goals are running here.
    """
    from llmos_nb.memory.sessions import find_session

    found = find_session(parts._log_folder, session_id)
    if session_id == parts.session_id:
        return found
    if found.status == "open":
        raise UnknownSession(
            f"The session {session_id} is open: another system works in it.", remedy="Close that one first."
        )
    if parts.running:
        raise UnknownSession("Goals are running here.", remedy="Wait for them, or llmos.stop().")
    return found


def came_in_before(parts: SystemParts, *, session_id: str = "", run_id: str = "") -> None:
    """Mark what an earlier session, or the conversation of an earlier run, read that a person did not write."""
    from llmos_nb.memory.came_in import marks_of_run, marks_of_session

    folder = parts._log_folder
    for mark in marks_of_session(folder, session_id) if session_id else marks_of_run(folder, run_id):
        parts.taint.mark(mark.level, mark.kind, mark.what, mark.run_id)
