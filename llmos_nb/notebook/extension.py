"""``%load_ext llmos_nb``: registers the magics, makes them awaitable, and binds ``llmos`` in the namespace."""

from __future__ import annotations

from typing import Any, Final

from llmos_nb.notebook.magics import LlmosMagics
from llmos_nb.system import LLMOS

__all__ = ["awaited", "load_ipython_extension", "unload_ipython_extension"]

_CALLS: Final = (
    "get_ipython().run_cell_magic('llmos',",
    "get_ipython().run_line_magic('llmos',",
)
_loaded: dict[int, LlmosMagics] = {}


def awaited(lines: list[str]) -> list[str]:
    """Put ``await`` before every call of the goal magics, so that a goal runs on the kernel's own loop.

    While an awaiting cell runs, the kernel keeps handling messages: Stop works, widgets stay alive.
    """
    for call in _CALLS:
        lines = [
            line if call not in line or f"await {call}" in line else line.replace(call, f"await {call}")
            for line in lines
        ]
    return lines


def load_ipython_extension(shell: Any) -> None:
    """Called by ``%load_ext llmos_nb``. The system is bound to ``llmos`` unless the name is taken."""
    if id(shell) in _loaded:
        return
    found = shell.user_ns.get("llmos")
    system = found if isinstance(found, LLMOS) else LLMOS()
    magics = LlmosMagics(shell, system)
    shell.register_magics(magics)
    shell.input_transformers_post.append(awaited)
    if "llmos" not in shell.user_ns:
        shell.push({"llmos": system}, interactive=False)  # not the user's own name: %who does not list it
    _loaded[id(shell)] = magics


def unload_ipython_extension(shell: Any) -> None:
    """Called by ``%unload_ext llmos_nb``: ends the model's processes and takes the magics away."""
    magics = _loaded.pop(id(shell), None)
    if magics is None:
        return
    if awaited in shell.input_transformers_post:
        shell.input_transformers_post.remove(awaited)
    for kind, names in magics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    if shell.user_ns.get("llmos") is magics.system:
        shell.drop_by_id({"llmos": magics.system})
    magics.system.close()
