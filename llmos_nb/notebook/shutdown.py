"""When the kernel is shut down or restarted, what runs is stopped first and settled, so that it is cut off nowhere."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import io
import os
import stat
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from llmos_nb.system import LLMOS

__all__ = ["at_shutdown"]

#: Seconds that runs get to end then; whoever shuts a kernel down waits little longer.
LIMIT_S: Final = 1.5


def at_shutdown(shell: Any, system: LLMOS) -> Callable[[], None]:
    """Stop the goals of ``system`` when the shell's kernel is shut down; returns what forgets about it."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return lambda: None
    with contextlib.suppress(RuntimeError):
        loop = asyncio.get_running_loop()
        return _attached(kernel, system, loop)
    return lambda: None


def let_go_quickly() -> None:
    """Have Python end without looking through everything that the model's client brought, which takes it two seconds.

    What a program left open is written first: objects that hold each other are not taken apart any more.
    """
    if "claude_agent_sdk" not in sys.modules:
        return
    for one in gc.get_objects():
        if type(one) in (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom):
            with contextlib.suppress(Exception):  # it is closed, is no file, or its disk is full
                if one.writable() and stat.S_ISREG(os.fstat(one.fileno()).st_mode):
                    one.flush()
    gc.freeze()


def _attached(kernel: Any, system: LLMOS, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    usual = kernel.do_shutdown

    def shut_down(restart: bool) -> Any:
        system.stop()  # at once: a command or a cell that goes on would keep the process from its end
        return usual(restart)

    def settle() -> None:
        system.stop()
        deadline = time.monotonic() + LIMIT_S
        while (system.working or system.running) and time.monotonic() < deadline:
            if loop.is_closed() or loop.is_running():
                break
            with contextlib.suppress(RuntimeError):  # what stopped the loop may wait in it still
                loop.run_until_complete(asyncio.sleep(0.02))

        let_go_quickly()

    kernel.do_shutdown = shut_down
    atexit.register(settle)

    def forget() -> None:
        atexit.unregister(settle)
        if vars(kernel).get("do_shutdown") is shut_down:
            del kernel.do_shutdown

    return forget
