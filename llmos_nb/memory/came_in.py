"""What sessions of a workspace had read from outside, as their logs tell it: who goes on with one knows it, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from llmos_nb.guard.taint import Mark
from llmos_nb.memory.session import parsed_event

__all__ = ["marks_of_run", "marks_of_session"]

_WANTED: Final = b'{"event":"Tainted"'


def marks_of_session(folder: Path, session_id: str) -> list[Mark]:
    """The marks of one session, those left out that a person took away."""
    return _marks(folder / f"{session_id}.jsonl")


def marks_of_run(folder: Path, run_id: str) -> list[Mark]:
    """The marks of the session that a run was part of: what it had read, and what was read before it."""
    if not folder.is_dir():
        return []
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        try:
            if run_id.encode() in path.read_bytes():
                return _marks(path)
        except OSError:
            continue
    return []


def _marks(path: Path) -> list[Mark]:
    found: list[Mark] = []
    for event in _events(path):
        level, kind, what = (str(event.get(name) or "") for name in ("level", "kind", "what"))
        if not level:
            found.clear()
        elif level in ("named", "foreign"):
            found.append(Mark(level, kind, what, str(event.get("run_id"))))  # type: ignore[arg-type]
    return found


def _events(path: Path) -> Iterator[dict[str, object]]:
    try:
        with path.open("rb") as file:
            for line in file:
                if line.startswith(_WANTED):
                    event = parsed_event(line)
                    if isinstance(event, dict):
                        yield event
    except OSError:
        return
