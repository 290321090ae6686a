"""Running a program without a network, so that it need not be known what it does: bubblewrap, where it works."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import Final

__all__ = ["cut_off"]

_PROBE_S: Final = 10


@functools.cache
def cut_off() -> tuple[str, ...]:
    """What goes before a command that is to reach no network, loopback included; empty where this machine cannot.

    Files are as they are: this is about what leaves, not about what is changed.
    """
    if sys.platform != "linux":
        return ()
    from llmos_nb.guard.sandbox.fence import Bubblewrap

    program = Bubblewrap.here().program
    if not program:
        return ()
    before = (program, "--dev-bind", "/", "/", "--unshare-net", "--die-with-parent", "--")
    try:
        done = subprocess.run([*before, "true"], capture_output=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return before if done.returncode == 0 else ()
