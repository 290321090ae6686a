"""What is wrong with a piece of a script, before the file it stands in is known."""

from __future__ import annotations

__all__ = ["ScriptProblem"]


class ScriptProblem(Exception):
    """``reason`` at ``line`` of the script file (1 is the first; 0 when the reader has yet to say)."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
