"""What calls change that are made in another process, by Claude Code's own tools: kept before they begin."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.snapshot import Snapshot, apart
from llmos_nb.guard.undo import Undo

__all__ = ["OutsideCalls"]

#: Tools that write one file, with the argument that names it.
_WRITES: Final = {
    "Write": "file_path",
    "Edit": "file_path",
    "MultiEdit": "file_path",
    "NotebookEdit": "notebook_path",
}


class OutsideCalls:
    """Keeps in ``undo`` what such calls are about to change. Called from the threads of hooks."""

    def __init__(self, undo: Undo, cwd: Path, workspace: Path) -> None:
        self._undo, self._cwd, self._workspace = undo, cwd, workspace
        self._before: dict[str, Snapshot] = {}
        self._lock = threading.Lock()

    def about_to(self, tool: str, arguments: Mapping[str, Any]) -> None:
        """A call was allowed and begins."""
        with self._lock:
            if tool in _WRITES and isinstance(name := arguments.get(_WRITES[tool]), str):
                self._undo.keep_file((self._cwd / Path(name).expanduser()).resolve())
            elif tool == "Bash":
                self._before[_key(arguments)] = Snapshot.of((self._cwd, self._workspace), apart(self._workspace))

    def over(self, tool: str, arguments: Mapping[str, Any]) -> None:
        """A call has ended."""
        with self._lock:
            before = self._before.pop(_key(arguments), None) if tool == "Bash" else None
            if before is not None:
                before.changes(self._undo, str(arguments.get("command", "")))


def _key(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True, default=str)
