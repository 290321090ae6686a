"""``%load_ext llmos_nb``: registers the magics, makes them awaitable, and binds ``llmos`` in the namespace."""

from __future__ import annotations

import ast
import contextlib
import functools
import re
from collections.abc import Callable
from typing import Any, Final

from llmos_nb.notebook import run_view, terminal
from llmos_nb.notebook.agent_magics import AgentMagics
from llmos_nb.notebook.approvals import attend
from llmos_nb.notebook.around_magics import AroundMagics, around
from llmos_nb.notebook.code_magics import CodeMagics
from llmos_nb.notebook.completion import completer
from llmos_nb.notebook.context_magics import ContextMagics
from llmos_nb.notebook.crystal_magics import CrystalMagics
from llmos_nb.notebook.explore_magics import ExploreMagics
from llmos_nb.notebook.guard_magics import GuardMagics
from llmos_nb.notebook.lesson_magics import LessonMagics
from llmos_nb.notebook.magics import LlmosMagics
from llmos_nb.notebook.memory_magics import MemoryMagics
from llmos_nb.notebook.pack_magics import PackMagics
from llmos_nb.notebook.project_magics import ProjectMagics
from llmos_nb.notebook.run_magics import RunMagics
from llmos_nb.notebook.run_view.warm import warm
from llmos_nb.notebook.sandbox_magics import SandboxMagics
from llmos_nb.notebook.schedule_magics import ScheduleMagics
from llmos_nb.notebook.settings_magics import LLMOSMagics
from llmos_nb.notebook.shutdown import at_shutdown
from llmos_nb.notebook.taint_magics import TaintMagics
from llmos_nb.notebook.undo_magics import UndoMagics
from llmos_nb.system import LLMOS

__all__ = ["asked", "awaited", "load_ipython_extension", "unload_ipython_extension"]

#: The call of a magic that returns what has to be awaited, with an await before it or without.
_CALL: Final = re.compile(
    r"(?:await\s+)?(get_ipython\(\)\.run_(?:cell|line)_magic\(\s*(['\"])llmos(?:_time|_capture)?\2\s*,)"
)
#: The magics that are registered; the first ones' system is everyone's.
_MAGICS: Final = (
    LlmosMagics, AroundMagics, RunMagics, ContextMagics, CodeMagics, CrystalMagics, MemoryMagics, ProjectMagics,
    AgentMagics, ScheduleMagics, ExploreMagics, UndoMagics, PackMagics, LessonMagics, SandboxMagics,
    GuardMagics, TaintMagics, LLMOSMagics,
)  # fmt: skip
#: By shell: its magics, and what ends the answering of questions and the completion there, and forgets about its end.
_loaded: dict[int, tuple[list[Any], Callable[[], None]]] = {}


def awaited(lines: list[str]) -> list[str]:
    """Put ``await`` before every call of the goal magics, so that a goal runs on the kernel's own loop.

    While an awaiting cell runs, the kernel keeps handling messages: Stop works, widgets stay alive.
    """
    given = lines
    lines = [line if "llmos" not in line else _CALL.sub(r"await \1", around(line)) for line in lines]
    if lines != given:
        _check(lines)
    return lines


_OF_PROSE: Final = ("llmos", "llmos_wrong", "context", "memory", "remember", "schedule", "traces", "guard")
#: A line magic that takes prose, ended by a question mark, perhaps assigned to a name.
_QUESTION: Final = re.compile(rf"^(\s*(?:[A-Za-z_]\w*\s*=\s*)?)%({'|'.join(_OF_PROSE)})[ \t]+(\S.*\w.*\?)\s*$")


def asked(lines: list[str]) -> list[str]:
    """Keep ``%llmos How many rows has df?`` a goal: IPython would take the question mark for a cry for help."""
    if lines and lines[0].startswith("%%"):
        return lines  # what stands in a cell magic is its own, and comes here again when it is run
    found = [(_QUESTION.match(line), line) for line in lines]
    return [f"{m[1]}get_ipython().run_line_magic({m[2]!r}, {m[3]!r})\n" if m else line for m, line in found]


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
    registered = [magics(shell, system) for magics in _MAGICS]
    shell.register_magics(*registered)
    shell.input_transformers_cleanup.append(asked)
    shell.input_transformers_post.append(awaited)
    grammars = {name: one for magics in registered for name, one in getattr(magics, "grammars", {}).items()}
    matcher = completer(system, grammars)
    shell.Completer.custom_matchers.append(matcher)
    if "llmos" not in shell.user_ns:
        shell.push({"llmos": system}, interactive=False)  # not the user's own name: %who does not list it
    leave = contextlib.ExitStack()
    asked_here = terminal.attend_terminal if terminal.is_terminal(shell) else functools.partial(attend, shell)
    leave.callback(asked_here(system._approvals))
    leave.callback(shell.Completer.custom_matchers.remove, matcher)
    leave.callback(at_shutdown(shell, system))
    _loaded[id(shell)] = registered, leave.close
    for magics in registered:
        if isinstance(magics, ScheduleMagics):
            magics.between.attach()
        elif isinstance(magics, LlmosMagics):
            _wait_in_this_cell(shell, magics)
    warm(shell, system)


def _wait_in_this_cell(shell: Any, magics: LlmosMagics) -> None:
    """Let goals that stand in the cell that loads this be worked on as well: it was read before ``await`` was put in."""

    def next_cell(info: Any) -> None:
        if info.store_history or not magics.system.running:  # no cell of a goal that is worked on
            magics.awaited = True
            shell.events.unregister("pre_run_cell", next_cell)

    magics.awaited = False
    shell.events.register("pre_run_cell", next_cell)


def unload_ipython_extension(shell: Any) -> None:
    """Called by ``%unload_ext llmos_nb``: ends the model's processes and takes the magics away."""
    found = _loaded.pop(id(shell), None)
    if found is None:
        return
    registered, leave = found
    leave()
    system = registered[0].system
    for transformers, own in ((shell.input_transformers_cleanup, asked), (shell.input_transformers_post, awaited)):
        if own in transformers:
            transformers.remove(own)
    for magics in registered:
        if isinstance(magics, ScheduleMagics):
            magics.between.detach()
        shell.configurables[:] = [other for other in shell.configurables if other is not magics]
        for kind, names in magics.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
    if shell.user_ns.get("llmos") is system:
        shell.drop_by_id({"llmos": system})
    if not _loaded:
        run_view.drop_spare()
    system.close()
