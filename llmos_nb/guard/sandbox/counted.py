"""What a process does to itself so that the system bounds how many tasks come from it; needs the standard library alone.

Either the limit of its user's tasks, which the kernel counts apart for each user namespace, or a filter that has every
fork wait until whoever started it has counted (:class:`llmos_nb.guard.sandbox.tasks.Counted`). It is imported where this
package is in sight, and handed over as code to a sandbox, where nothing of it is.
"""

from __future__ import annotations

import resource

TYPE_CHECKING = False  # without an import: each one counts, here
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# linux/seccomp.h
_SET_MODE_FILTER = 1
_TSYNC, _NEW_LISTENER, _TSYNC_ESRCH, _WAIT_KILLABLE = 1 << 0, 1 << 3, 1 << 4, 1 << 5


def bind(told: Mapping[str, Any]) -> None:
    """Do what was ``told``: ``lines`` of a filter, whose listener goes to the other end of ``channel``; or else, where that
    is not to be or the system does not let it, ``most`` tasks of this user, if there is such a number.
    """
    if told.get("channel"):
        try:
            _have_counted(told)
        except OSError:  # a kernel without it, or one that has such a filter around all of this already
            pass
        else:
            return
    if most := int(told.get("most", 0)):
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))


def _have_counted(told: Mapping[str, Any]) -> None:
    import _socket
    import array
    import ctypes
    import os

    libc = ctypes.CDLL(None, use_errno=True)

    class Filter(ctypes.Structure):
        _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32)]

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]

    lines, channel = told["lines"], int(told["channel"])
    program = Program(len(lines), (Filter * len(lines))(*(Filter(*line) for line in lines)))
    try:
        if libc.prctl(38, 1, 0, 0, 0):  # PR_SET_NO_NEW_PRIVS
            raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
        listener = -1
        for more in (_WAIT_KILLABLE, 0):  # Linux 5.19 and before
            listener = libc.syscall(
                ctypes.c_long(told["call"]), ctypes.c_ulong(_SET_MODE_FILTER),
                ctypes.c_ulong(_TSYNC | _TSYNC_ESRCH | _NEW_LISTENER | more), ctypes.byref(program),
            )  # fmt: skip
            if listener >= 0:
                break
        if listener < 0:
            raise OSError(ctypes.get_errno(), "seccomp")
        # Without the listener every fork fails; so whatever goes wrong from here on lets nothing through.
        sender = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, os.dup(channel))
        sender.sendmsg([b"\0"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [listener]))])
        sender.close()
        os.close(listener)
    finally:
        os.close(channel)
