"""Approve or deny, asked in the terminal whose goal waits for the answer."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import NotEditable, UnknownApproval
from llmos_nb.kernel.approvals import Approval, Approvals, Extent
from llmos_nb.notebook.terminal.screen import TERMINAL, Screen

__all__ = ["attend_terminal"]

#: Characters of what would be done that are shown.
SHOWN: Final = 6_000
#: Seconds between two looks whether the question is still open.
PERIOD_S: Final = 0.1
#: Where neither VISUAL nor EDITOR names one.
_EDITOR: Final = "notepad" if sys.platform == "win32" else "vi"
_YES: Final = frozenset({"y", "yes", "approve"})
_NO: Final = frozenset({"n", "no", "deny"})
#: Words of a yes that goes further than this once.
_EXTENTS: Final[dict[str, Extent]] = {"run": "run", "r": "run", "always": "always", "a": "always"}
_EDIT: Final = frozenset({"e", "edit"})
_ENDINGS: Final = {"python": ".py", "bash": ".sh"}


def attend_terminal(approvals: Approvals, screen: Screen = TERMINAL) -> Callable[[], None]:
    """Ask in this terminal whenever it is one, and no pipe; returns what ends that."""
    return approvals.attend(
        lambda: bool(sys.stdin and sys.stdin.isatty()), lambda approval: _asked(approval, approvals, screen)
    )


def _asked(approval: Approval, approvals: Approvals, screen: Screen) -> Callable[[], None]:
    """Ask the question; returns what takes it away."""
    over = threading.Event()
    screen.hold()
    text = approval.text if len(approval.text) <= SHOWN else f"{approval.text[:SHOWN]}\n…"
    screen.say(f"{approval.agent} asks for {approval.tool}: {approval.reason}", "1")
    for line in text.splitlines():
        shown = "".join(char if char.isprintable() or char == "\t" else "�" for char in line)
        screen.say(f"  │ {shown}", {"+": "32", "-": "31"}.get(line[:1], "") if text.startswith("--- ") else "")

    for word, covers in (("run", approval.for_run), ("always", approval.always)):
        if covers:
            screen.say(f"  {word}: {covers}", "2")

    def ask() -> None:
        draft = approval.text
        while not over.is_set():
            can = {"edit": approval.editable, "run": approval.for_run, "always": approval.always}
            more = [word for word, possible in can.items() if possible]
            screen.ask(f"Approve it? [{'/'.join(['y', 'n', *more])}] ")
            answer = _line(over)
            if answer is None:
                return
            word, other = answer.strip().lower(), None
            if word in _EDIT and approval.editable:
                other = _edited(approval, draft, screen)
            extent = _EXTENTS.get(word, "once")
            # Nothing at all: the input has ended.
            if word in _YES or word in _NO or word in _EXTENTS or not answer or other is not None:
                try:
                    yes = word in _YES or word in _EXTENTS or other is not None
                    approvals.answer(approval.id, yes, text=other, extent=extent)
                except UnknownApproval:  # answered elsewhere in the same moment
                    return
                except NotEditable as error:
                    screen.say(str(error), "31")
                    draft = other or draft
                    continue
                return

    threading.Thread(target=ask, name="llmos-ask", daemon=True).start()

    def take_away() -> None:
        if not over.is_set():
            over.set()
            screen.release()

    return take_away


def _edited(approval: Approval, draft: str, screen: Screen) -> str | None:
    """The text as a person leaves it in the editor; None where that failed, and where nothing was changed."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or _EDITOR)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{approval.tool}{_ENDINGS.get(approval.language, '.txt')}")
        path.write_text(draft, encoding="utf-8", newline="")
        try:
            done = subprocess.run([*editor, str(path)])
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            screen.say(f"{editor[0]} cannot be used ({error}); EDITOR names another editor.", "33")
            return None
    if done.returncode or text == approval.text:
        screen.say("Nothing was changed.", "33")
        return None
    return text


def _line(over: threading.Event) -> str | None:
    """A line of what is typed, empty where the input has ended; None when ``over`` came first."""
    if sys.platform == "win32":
        return _windows_line(over)
    import select

    descriptor = sys.stdin.fileno()
    found = b""
    while not over.is_set():
        if select.select([descriptor], [], [], PERIOD_S)[0]:
            piece = os.read(descriptor, 4096)
            found += piece
            if not piece or found.endswith(b"\n"):
                return found.decode("utf-8", "replace")
    return None


def _windows_line(over: threading.Event) -> str | None:
    import msvcrt

    console: Any = msvcrt
    found = ""
    while not over.wait(PERIOD_S):
        while console.kbhit():
            char = console.getwche()
            if char in "\r\n":
                console.putwch("\n")
                return f"{found}\n"
            found = found[:-1] if char == "\b" else found + char
    return None
