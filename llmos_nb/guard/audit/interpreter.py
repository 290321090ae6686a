"""Acts on the interpreter itself: tracing it, searching its objects, native code, code from elsewhere."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import BuiltinMethodType, CodeType, FrameType, FunctionType
from typing import Any, Final

from llmos_nb.guard.audit.callers import INTERPRETER, called_from, is_direct, is_installed
from llmos_nb.guard.audit.watch import Watch
from llmos_nb.guard.paths import zone_of
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.authored import is_agents, note_code

__all__ = ["INTERPRETING"]

#: Where cells are handed to the interpreter.
_CELLS: Final = ("IPython/", "ipykernel/", "llmos_nb/tools/namespace.py")
#: What no data needs to be read back.
_UNPICKLED: Final = frozenset(
    {
        "os",
        "posix",
        "nt",
        "subprocess",
        "pty",
        "shutil",
        "runpy",
        "webbrowser",
        "timeit",
        "socket",
        "ctypes",
        "importlib",
        "code",
        "multiprocessing.util",
    }
)
_UNPICKLED_BUILTINS: Final = frozenset({"eval", "exec", "compile", "open", "__import__", "breakpoint"})
#: Simulated input for a terminal: what a person would have typed.
_TYPED: Final = 0x5412


def _hooks(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    return hit("py-hooks", frame.f_code.co_name)


def _traced(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    # A debugger that was asked for, and a library's, come through the standard library or an installed one.
    if called_from(frame, ("/bdb.py", "/pdb.py", "/trace.py", "debugpy", "pydevd", "coverage", "line_profiler")):
        return None
    return hit("py-hooks", "settrace") if is_direct(frame) else None


def _monitored(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """``sys.monitoring.register_callback(function)``, which is also how a profile works since Python 3.12."""
    callback = arguments[0] if arguments else frame
    profiler = getattr(sys.modules.get("_lsprof"), "Profiler", None)
    monitoring: Any = getattr(sys, "monitoring", None)
    if profiler is not None and monitoring is not None:
        if isinstance(callback, BuiltinMethodType) and isinstance(callback.__self__, profiler):
            return None
        if callback is None and monitoring.get_tool(monitoring.PROFILER_ID) == "cProfile":
            return None  # it ends
    return _traced(watch, arguments, frame)


def _objects(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    return hit("py-guard", "every object of the process") if is_direct(frame) else None


def _native(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    return hit("py-native", str(arguments[0] if arguments else "")) if is_direct(frame) else None


def _made(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    made_by = is_agents(frame.f_code) or frame.f_globals.get("__name__") == "__main__"
    return hit("py-eval", "bytecode put together") if made_by else None


def _executed(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """``exec(code)``: what a cell consists of is noted; a module from an unusual place asks."""
    code = arguments[0] if arguments else None
    if not isinstance(code, CodeType):
        return None
    name = code.co_filename
    if is_agents(frame.f_code) or any(part in frame.f_code.co_filename for part in _CELLS):
        if not name.startswith(INTERPRETER):
            note_code(code)
        return None
    if not os.path.isabs(name) or is_installed(name) or name.startswith(INTERPRETER):
        return None
    if not frame.f_code.co_filename.startswith("<frozen importlib") and "runpy" not in frame.f_code.co_filename:
        return None
    return _elsewhere(watch, name, "py-eval")


def _imported(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """``import(module, file, …)``: the file is given for modules in native code alone."""
    name = arguments[1] if len(arguments) > 1 else None
    if not isinstance(name, str) or is_installed(name) or name.startswith(INTERPRETER):
        return None
    return _elsewhere(watch, name, "py-native")


def _elsewhere(watch: Watch, name: str, rule: str) -> Verdict | None:
    """Code from outside the workspace that is new: it came with this process."""
    path = Path(os.path.realpath(name))
    if zone_of(path, workspace=watch.workspace, roots=watch.roots) in ("inside", "guarded"):
        return None
    try:
        new = path.stat().st_mtime >= _STARTED
    except OSError:
        new = True
    return hit(rule, f"a module from {name}") if new else None


def _attribute(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """``object.__setattr__(owner, name, value)``, told for what makes a function or a class another one."""
    owner, name = (*arguments, None, None)[:2]
    if name not in ("__code__", "__bases__", "__class__", "__defaults__", "__kwdefaults__") or not is_direct(frame):
        return None
    code = owner.__code__ if isinstance(owner, FunctionType) else None
    module = str(getattr(owner, "__module__", ""))
    foreign = code is not None and (is_installed(code.co_filename) or code.co_filename.startswith(INTERPRETER))
    ours = module.partition(".")[0] == "llmos_nb" or foreign or (code is None and module not in ("__main__", ""))
    return hit("py-guard", f"{getattr(owner, '__qualname__', owner)}.{name}") if ours else None


def _unpickled(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    module, name = (*map(str, arguments), "", "")[:2]
    program = module in _UNPICKLED and not (module == "os" and name in ("stat_result", "PathLike"))
    if program or (module == "builtins" and name in _UNPICKLED_BUILTINS) or module.startswith("llmos_nb.kernel"):
        return hit("py-eval", f"{module}.{name} in a pickle")
    return None


def _thread(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    """A thread that nobody would know for an agent's."""
    work = arguments[0] if arguments else None
    known = isinstance(getattr(work, "__self__", None), threading.Thread)
    return None if known or not is_direct(frame) else hit("py-guard", "a thread past threading.Thread", "ask")


def _control(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    return hit("py-kernel", "typing into the terminal") if _TYPED in arguments[1:2] else None


def _limits(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    return hit("py-kernel", "the limits of the kernel", "ask") if is_direct(frame) else None


def _extension(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    return hit("py-native", "an extension of a database", "ask")


#: When this process began to use the guard: code that is newer came with it.
_STARTED: Final = __import__("time").time()

INTERPRETING: Final = {
    "code.__new__": _made,
    "ctypes.dlopen": _native,
    "exec": _executed,
    "fcntl.ioctl": _control,
    "gc.get_objects": _objects,
    "gc.get_referents": _objects,
    "gc.get_referrers": _objects,
    "import": _imported,
    "object.__setattr__": _attribute,
    "pickle.find_class": _unpickled,
    "resource.prlimit": _limits,
    "resource.setrlimit": _limits,
    "sqlite3.load_extension": _extension,
    "sys.addaudithook": _hooks,
    "sys.monitoring.register_callback": _monitored,
    "sys.settrace": _traced,
    "_thread.start_new_thread": _thread,
}
