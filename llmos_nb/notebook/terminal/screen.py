"""What several parts write to one terminal: whole lines that stay, and one line at the end that is drawn over."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import unicodedata
from collections.abc import Iterator
from typing import Final, TextIO

__all__ = ["TERMINAL", "Screen", "colours", "cut"]


def colours(stream: TextIO) -> bool:
    """Whether colours may be written to ``stream``."""
    return bool(stream.isatty()) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def cut(text: str, width: int, *, end: bool = False) -> str:
    """``text`` in one line of at most ``width`` columns: its beginning, or with ``end`` its end."""
    line = "".join(char for char in " ".join(text.split()) if char.isprintable())
    kept: list[str] = []
    left = width
    for char in reversed(line) if end else line:
        left -= 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if left < 1 and len(kept) + 1 < len(line):
            kept.append("…")
            break
        kept.append(char)
    return "".join(reversed(kept) if end else kept)


class Screen:
    """Writes to the error stream, so that answers alone go to a pipe. Callable from any thread."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._given = self._stream = stream
        self._lock = threading.RLock()
        self._drawn = False
        self._held = 0

    @property
    def stream(self) -> TextIO:
        """Where it writes."""
        return self._stream or sys.stderr

    def open(self) -> None:
        """From now on write where errors go now: while a cell of an agent's runs, what goes there is its output."""
        self._stream = self._given or sys.stderr

    @property
    def live(self) -> bool:
        """Whether a line can be drawn over."""
        return bool(self.stream.isatty()) and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns of a line that does not wrap."""
        return max(20, shutil.get_terminal_size().columns - 1)

    def say(self, text: str, style: str = "") -> None:
        """Write a line that stays; ``style`` is what stands between ``\\x1b[`` and ``m``."""
        with self._lock:
            self._erase()
            styled = f"\x1b[{style}m{text}\x1b[0m" if style and colours(self.stream) else text
            self._write(f"{styled}\n")

    def ask(self, text: str) -> None:
        """Write a question, whose answer is typed behind it."""
        with self._lock:
            self._erase()
            self._write(text)

    def draw(self, text: str) -> None:
        """Show ``text`` as the last line, until something else is shown; nothing where that cannot be done."""
        with self._lock:
            if self.live and not self._held:
                dim = ("\x1b[2m", "\x1b[0m") if colours(self.stream) else ("", "")
                self._write(f"\r\x1b[2K{dim[0]}{cut(text, self.width)}{dim[1]}")
                self._drawn = True

    def hold(self) -> None:
        """Let others write: draw nothing until as many calls of :meth:`release`."""
        with self._lock:
            self._erase()
            self._held += 1

    def release(self) -> None:
        """Draw again."""
        with self._lock:
            self._held = max(0, self._held - 1)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """:meth:`hold` until the block ends."""
        self.hold()
        try:
            yield
        finally:
            self.release()

    def close(self) -> None:
        """Take the drawn line away."""
        with self._lock:
            self._erase()
            self._held = 0
            self._stream = self._given

    def _erase(self) -> None:
        if self._drawn:
            self._write("\r\x1b[2K")
            self._drawn = False

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal that is gone must not fail the goal
            try:
                self.stream.write(text)
            except UnicodeEncodeError:  # an old console
                encoding = self.stream.encoding or "ascii"
                self.stream.write(text.encode(encoding, "replace").decode(encoding))
            self.stream.flush()


#: The terminal of this process: questions and progress take turns on it.
TERMINAL: Final = Screen()
