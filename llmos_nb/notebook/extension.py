"""``%load_ext llmos_nb``: registers the magics, makes them awaitable, and binds ``llmos`` in the namespace."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from llmos_nb.notebook.magics import LlmosMagics
from llmos_nb.system import LLMOS

__all__ = ["asked", "awaited", "load_ipython_extension", "unload_ipython_extension"]

_CALLS: Final = (
    "get_ipython().run_cell_magic('llmos',",
    "get_ipython().run_line_magic('llmos',",
)
_loaded: dict[int, LlmosMagics] = {}


def awaited(lines: list[str]) -> list[str]:
    """Put ``await`` before every call of the goal magics, so that a goal runs on the kernel's own loop.

    While an awaiting cell runs, the kernel keeps handling messages: Stop works, widgets stay alive.
    """
    given = lines
    for call in _CALLS:
        lines = [
            line if call not in line or f"await {call}" in line else line.replace(call, f"await {call}")
            for line in lines
        ]
    if lines != given:
        _check(lines)
    return lines


#: A line magic whose goal ends in a question mark, perhaps assigned to a name.
_QUESTION: Final = re.compile(r"^(\s*(?:[A-Za-z_]\w*\s*=\s*)?)%llmos[ \t]+(\S.*\w.*\?)\s*$")


def asked(lines: list[str]) -> list[str]:
    """Keep ``%llmos How many rows has df?`` a goal: IPython would take the question mark for a cry for help."""
    found = [(_QUESTION.match(line), line) for line in lines]
    return [f"{m[1]}get_ipython().run_line_magic('llmos', {m[2]!r})\n" if m else line for m, line in found]


def _check(lines: list[str]) -> None:
    """Say what to do about a goal inside a plain function, where nothing can be awaited."""
    try:
        compile("".join(lines), "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        if "outside async function" in (error.msg or ""):
            raise SyntaxError(
                "a goal inside a plain function: write `async def` and await it, or call llmos.run(goal) there"
            ) from None
    except ValueError:
        return  # a null byte: the shell says so itself


def load_ipython_extension(shell: Any) -> None:
    """Called by ``%load_ext llmos_nb``. The system is bound to ``llmos`` unless the name is taken."""
    if id(shell) in _loaded:
        return
    found = shell.user_ns.get("llmos")
    system = found if isinstance(found, LLMOS) else LLMOS()
    magics = LlmosMagics(shell, system)
    shell.register_magics(magics)
    shell.input_transformers_cleanup.append(asked)
    shell.input_transformers_post.append(awaited)
    if "llmos" not in shell.user_ns:
        shell.push({"llmos": system}, interactive=False)  # not the user's own name: %who does not list it
    _loaded[id(shell)] = magics


def unload_ipython_extension(shell: Any) -> None:
    """Called by ``%unload_ext llmos_nb``: ends the model's processes and takes the magics away."""
    magics = _loaded.pop(id(shell), None)
    if magics is None:
        return
    for transformers, own in ((shell.input_transformers_cleanup, asked), (shell.input_transformers_post, awaited)):
        if own in transformers:
            transformers.remove(own)
    for kind, names in magics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    if shell.user_ns.get("llmos") is magics.system:
        shell.drop_by_id({"llmos": magics.system})
    magics.system.close()
