"""Real kernels with the extension loaded, driven as a notebook drives them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

__all__ = ["SOON_S", "Kernel", "until"]

#: Seconds within which something that must happen happens, on a slow and busy machine.
SOON_S = 90.0


class Kernel:
    """A notebook's kernel with the extension loaded; everything that it shows is kept."""

    def __init__(self, folder: Path) -> None:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "CLAUDE_"))
        }
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(
            cwd=str(folder),
            env={**inherited, "LLMOS_ENDPOINT": "scripted"},
            # A shell's background jobs ignore interrupts, and hand that down to the tests they run.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SOON_S)
        self.run("%load_ext llmos_nb")

    def run(self, code: str) -> str:
        """What a cell showed, as text; raises what it raised."""
        shown: list[str] = []

        def hook(message: dict[str, Any]) -> None:
            if message["msg_type"] == "update_display_data":
                return  # of a display further up, such as the view of a goal in the background
            content = message["content"]
            shown.append(content.get("text") or content.get("data", {}).get("text/plain", ""))

        reply = self.client.execute_interactive(code, timeout=SOON_S, output_hook=hook)
        while (
            reply["content"]["status"] == "aborted"
        ):  # a cell that failed takes with it what is asked right after it
            reply = self.client.execute_interactive(code, timeout=SOON_S, output_hook=hook)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(shown)

    def unasked(self) -> list[dict[str, Any]]:
        """Whatever was shown while no cell ran."""
        found = []
        while self.client.iopub_channel.msg_ready():
            message = self.client.get_iopub_msg(timeout=1)
            if message["msg_type"] not in ("status", "comm_open", "comm_msg"):
                found.append(message["content"])
        return found

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.manager.shutdown_kernel(now=True)

    def close(self) -> None:
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + SOON_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.1)
    return found
