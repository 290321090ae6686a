"""Processes that a kernel starts, found again when their parent is gone: a program that was killed leaves its shells
behind, a kernel that was killed the commands that it ran.

They cannot be told by their parent any more, so each gets marks into its environment, which are handed down.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Final

__all__ = ["CLIENT", "KERNEL", "end_offspring", "end_orphans", "kernel_mark"]

#: The variable that holds the mark of the client whose program it is, or was begun by.
CLIENT: Final = "LLMOS_CLIENT"
#: The variable that says which kernel it works for.
KERNEL: Final = "LLMOS_KERNEL"


def kernel_mark() -> str:
    """What processes of this kernel have in :data:`KERNEL`."""
    from llmos_nb.kernel.ledger import Holder  # it brings SQLAlchemy, which takes a while to load

    this = Holder.current()
    return f"{this.pid} {this.started} {this.host}"


def end_offspring(mark: str) -> int:
    """Kill every process of this user that belongs to the client ``mark``; returns how many there were."""
    return _end(CLIENT, lambda found: found == mark)


def end_orphans() -> int:
    """Kill every process of this user whose kernel is gone; returns how many there were."""
    # This kernel itself may have been begun from a shell of one that is gone: what it lives in is left alone.
    ours = os.environ.get(KERNEL, "")
    return _end(KERNEL, lambda found: found != ours and _is_gone(found))


def _is_gone(mark: str) -> bool:
    from llmos_nb.kernel.ledger import Holder, holder_alive

    pid, _, rest = mark.partition(" ")
    started, _, host = rest.partition(" ")
    return pid.isdecimal() and bool(host) and not holder_alive(Holder(host, int(pid), started))


def _end(variable: str, chosen: Callable[[str], bool]) -> int:
    import psutil

    ended = 0
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):  # it ended meanwhile, or is somebody else's
            found = process.environ().get(variable, "")
            if found and chosen(found):
                process.kill()
                ended += 1
    return ended
