"""Proof that a person does something by hand, now: what the reset of an emergency stop asks for.

:func:`~llmos_nb.kernel.whose.persons_only` refuses what is known to be an agent's, and believes all others. Here nobody is
believed: threads, callbacks, functions, fresh contexts, replays and crystals are refused without being looked at, and only
these pass:

* the line stands in a cell itself, names what it calls, and that cell is word for word what the page sent to be run (in
  a terminal: what was typed). In a notebook it passes once each time that the cell is run;
* a click on the page: the message that the kernel is at work on is just this click, once;
* the line stands at the top level of the script that was started, or at Python's own prompt.

What is looked at are the frames of the call and the kernel's own message, which a call cannot bring with it. Code of
this process that sets out to forge these can do so, as it can do anything else here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Mapping
from types import CodeType, FrameType
from typing import Any, Final

from llmos_nb.errors import GuardDenied
from llmos_nb.kernel.whose import by_agent

__all__ = ["by_hand_only", "click_only"]

_FUNCTION: Final = 0x1 | 0x2  # CO_OPTIMIZED | CO_NEWLOCALS: a module's or a cell's own code has neither
#: Messages of the page that were taken for a proof: none is taken twice.
_used: Final[set[str]] = set()


def by_hand_only(what: str, *, words: Collection[str], package: str, remedy: str) -> None:
    """Go on only if a person does it in a cell of their own, or in the script or at the prompt that they started.

    Args:
        what: what is to be done, after "must not".
        words: names of which the cell's code must have one: those of the public functions that come here.
        package: the folder whose code stands between the cell and here.
        remedy: what a person is to do.

    Raises:
        GuardDenied: that is not proved.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(package):
        frame = frame.f_back
    on_main = threading.current_thread() is threading.main_thread()
    if (
        frame is not None
        and on_main
        and not by_agent()
        and not frame.f_code.co_flags & _FUNCTION
        and not set(words).isdisjoint(frame.f_code.co_names)
        and (_in_a_persons_cell(frame) or _in_the_script(frame))
    ):
        return
    raise _denied(what, remedy)


def click_only(what: str, *, comm_id: str, content: Mapping[str, Any], remedy: str) -> None:
    """Go on only if a person has just clicked on the page: if ``content``, sent to the widget, is what the kernel answers.

    Raises:
        GuardDenied: that is not proved.
    """
    message = _message(getattr(_shell(), "kernel", None))
    sent = message.get("content", {})
    data = sent.get("data", {})
    if (
        _kind(message) == "comm_msg"
        and comm_id
        and sent.get("comm_id") == comm_id
        and data.get("method") == "custom"
        and data.get("content") == dict(content)
        and not by_agent()
        and _first_use(message)
    ):
        return
    raise _denied(what, remedy)


def _denied(what: str, remedy: str) -> GuardDenied:
    told = f"Code must not {what}: a person does that by hand, and this call is not seen to be one."
    return GuardDenied(told, rule="by-hand", remedy=remedy)


def _in_a_persons_cell(frame: FrameType) -> bool:
    """Whether the shell runs this very code, and the cell that it is from is what a person asked for."""
    shell = _shell()
    if shell is None or frame.f_back is None or frame.f_back.f_code is not _code_of("run_code"):
        return False
    cell = _outer(frame, _code_of("run_cell_async"))
    if cell is None or cell.f_locals.get("self") is not shell:
        return False
    text = cell.f_locals.get("raw_cell")
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        message = _message(kernel)
        asked = message.get("content", {}).get("code")
        return _kind(message) == "execute_request" and text == asked and _first_use(message)
    typed = _outer(cell, _code_of("run_cell"), last=True)
    return typed is not None and typed.f_locals.get("raw_cell") == text


def _in_the_script(frame: FrameType) -> bool:
    main, back = sys.modules.get("__main__"), frame.f_back
    if main is None or frame.f_globals is not vars(main):
        return False
    name = frame.f_code.co_filename
    if getattr(main, "__file__", None) is not None:
        return name == main.__file__ and (back is None or back.f_code.co_filename == "<frozen runpy>")
    prompt = sys.modules.get("code")  # of the prompts of newer versions
    typed = name.startswith(("<stdin>", "<python-input")) and hasattr(sys, "ps1")
    return typed and (back is None or back.f_code.co_filename == getattr(prompt, "__file__", ""))


def _shell() -> Any | None:
    """The IPython shell of this process; None where there is none."""
    module = sys.modules.get("IPython.core.interactiveshell")
    made = getattr(module, "InteractiveShell", None)
    return made.instance() if made is not None and made.initialized() else None


def _code_of(name: str) -> CodeType | None:
    made = sys.modules["IPython.core.interactiveshell"].InteractiveShell
    code = getattr(getattr(made, name, None), "__code__", None)
    return code if isinstance(code, CodeType) else None


def _outer(frame: FrameType, code: CodeType | None, *, last: bool = False) -> FrameType | None:
    """The first frame around this one that runs ``code``, or the last one."""
    found, at = None, frame.f_back
    while at is not None and code is not None:
        if at.f_code is code:
            found = at
            if not last:
                break
        at = at.f_back
    return found


def _message(kernel: Any) -> Mapping[str, Any]:
    """The message from the page that the kernel is at work on; empty if there is none."""
    try:
        message = kernel.get_parent("shell")
    except (AttributeError, LookupError, TypeError):
        return {}
    return message if isinstance(message, Mapping) else {}


def _kind(message: Mapping[str, Any]) -> str:
    return str(message.get("header", {}).get("msg_type", ""))


def _first_use(message: Mapping[str, Any]) -> bool:
    number = message.get("header", {}).get("msg_id")
    if not number or number in _used:
        return False
    _used.add(str(number))
    return True
