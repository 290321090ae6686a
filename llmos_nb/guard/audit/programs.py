"""Acts that start programs or signal them: the command goes through the shell's guard, as it is when it starts."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from llmos_nb.guard.audit.callers import called_from, is_direct
from llmos_nb.guard.audit.files import is_written
from llmos_nb.guard.audit.watch import Watch
from llmos_nb.guard.python import check_python
from llmos_nb.guard.rules import hit
from llmos_nb.guard.shell import check_shell, check_words
from llmos_nb.guard.verdict import Verdict, worst

__all__ = ["PROGRAMS"]

#: Who starts programs as a part of its own work: pools of processes, and questions about the machine.
_OWN: Final = (
    "multiprocessing/", "loky/", "concurrent/futures/", "/platform.py", "ctypes/util.py", "font_manager.py", "/uuid.py",
    "threadpoolctl", "cpuinfo", "/numba/", "/dask/", "/distributed/", "/torch/", "/tornado/process", "mujoco",
    "llmos_nb/domains/robotics/process.py",  # one command, always the same: the arm and its gate
)  # fmt: skip
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
#: Variables that make programs run other code, and those of this system.
_VARIABLE: Final = re.compile(
    r"LD_(PRELOAD|LIBRARY_PATH|AUDIT)|DYLD_\w+|BASH_ENV|ENV|PROMPT_COMMAND|PYTHON(STARTUP|PATH|HOME|INSPECT|BREAKPOINT)"
    r"|GIT_(SSH|SSH_COMMAND|EXTERNAL_DIFF|PAGER|EDITOR|CONFIG\w*)|IPYTHONDIR|JUPYTER_CONFIG_DIR|LLMOS_\w+"
)


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)


def _words(watch: Watch, words: list[str], cwd: object, frame: FrameType) -> Verdict | None:
    """A program and its arguments. What a shell is given to run is judged as a command."""
    folder = Path(os.path.join(os.getcwd(), _text(cwd))) if cwd is not None else Path(os.getcwd())
    if len(words) == 3 and os.path.basename(words[0]) in _SHELLS and words[1] == "-c":
        verdict = check_shell(words[2], cwd=folder, workspace=watch.workspace)
    elif words:
        if words[0] == sys.executable:
            words = ["python", *words[1:]]
        if len(words) == 1 and " " in words[0] and not os.path.exists(words[0]):
            return None  # a file of that name is looked for, and there is none
        verdict = worst([check_words(words, cwd=folder, workspace=watch.workspace), *_scripts(watch, words, folder)])
    else:
        return hit("py-shell", "a program without a name")
    if verdict.decision != "allow" and called_from(frame, _OWN):
        return None
    return verdict


def _scripts(watch: Watch, words: list[str], folder: Path) -> Iterator[Verdict]:
    """A script that agents' code wrote before is read now: what it says was in no command."""
    program = os.path.basename(words[0])
    python = program.startswith("python")
    for word in words if python or program in _SHELLS else words[:1]:
        path = os.path.join(folder, word)
        if ("/" not in word and word == words[0]) or not is_written(path):
            continue
        try:
            text = Path(path).read_text(encoding="utf-8", errors="replace")[:200_000]
        except OSError:
            continue
        if python or word.endswith(".py") or (text.startswith("#!") and "python" in text.partition("\n")[0]):
            yield check_python(text, cwd=folder, workspace=watch.workspace)
        else:
            yield check_shell(text, cwd=folder, workspace=watch.workspace)
        if word != words[0]:
            return


def _variables(environment: object) -> Verdict | None:
    if not isinstance(environment, dict):
        return None
    for key, value in environment.items():
        name = _text(key)
        if _VARIABLE.fullmatch(name) and os.environ.get(name) != _text(value):
            return hit("shell-environment", name)
    return None


def _popen(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    executable, args, cwd, environment = (*arguments, None, None, None, None)[:4]
    words = [_text(args)] if isinstance(args, str | bytes | os.PathLike) else [_text(word) for word in args or ()]
    if words and executable is not None and os.path.basename(_text(executable)) != os.path.basename(words[0]):
        words[0] = _text(executable)  # that is what runs, whatever it is told its name is
    return _variables(environment) or _words(watch, words, cwd, frame)


def _system(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    return check_shell(_text(arguments[0]), cwd=Path(os.getcwd()), workspace=watch.workspace)


def _exec(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    path, args, environment = (*arguments, None, None, None)[:3]
    if os.getpid() == _KERNEL:
        return hit("py-kernel", f"exec {shlex.quote(_text(path))} in place of the kernel")
    words = [_text(path), *[_text(word) for word in args or ()][1:]]
    return _variables(environment) or _words(watch, words, None, frame)


def _spawn(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    # os.spawn has a mode first, os.posix_spawn not; posix alone is what has either.
    given = arguments[1:] if arguments and isinstance(arguments[0], int) else arguments
    path, args, environment = (*given, None, None, None)[:3]
    words = [_text(path), *[_text(word) for word in args or ()][1:]]
    return _variables(environment) or _words(watch, words, None, frame)


def _pty(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    args = arguments[0] if arguments else ()
    return _words(watch, [_text(args)] if isinstance(args, str) else [_text(one) for one in args], None, frame)


def _fork(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    if called_from(
        frame, ("multiprocessing/", "loky/", "ptyprocess", "pexpect", "/pty.py", "/os.py")
    ) or not is_direct(frame):
        return None
    return hit("py-kernel", "a second kernel by fork", "ask")


def _kill(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    target = arguments[0] if arguments else None
    signal = arguments[1] if len(arguments) > 1 else None
    if signal == 0:
        return None  # a question whether it is there
    if isinstance(target, int) and target > 1 and target != os.getpid() and _is_descendant(target):
        return None
    return hit("py-kernel", f"a signal to process {target}")


def _killpg(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    target = arguments[0] if arguments else None
    own = isinstance(target, int) and target > 1 and target != os.getpgrp() and _is_descendant(target)
    return None if own else hit("py-kernel", f"a signal to the processes of group {target}")


def _thread_kill(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    return hit("py-kernel", "a signal to a thread of the kernel") if is_direct(frame) else None


def _is_descendant(pid: int) -> bool:
    """Whether a process was started by this one, or by one that was."""
    for _ in range(64):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return not os.path.isdir("/proc/self")  # where nobody tells, a process's own rights decide
        if parent == os.getpid():
            return True
        if parent <= 1:
            return False
        pid = parent
    return False


def _setenv(watch: Watch, arguments: tuple[Any, ...], frame: FrameType) -> Verdict | None:
    name = _text(arguments[0])
    if _VARIABLE.fullmatch(name) and is_direct(frame):
        return hit("py-guard" if name.startswith("LLMOS_") else "shell-environment", name)
    return None


#: A child that was forked may become another program, the kernel may not.
_KERNEL: Final = os.getpid()


PROGRAMS: Final = {
    "os.exec": _exec,
    "os.fork": _fork,
    "os.forkpty": _fork,
    "os.kill": _kill,
    "os.killpg": _killpg,
    "os.posix_spawn": _spawn,
    "os.putenv": _setenv,
    "os.spawn": _spawn,
    "os.startfile": _system,
    "os.system": _system,
    "os.unsetenv": _setenv,
    "pty.spawn": _pty,
    "signal.pthread_kill": _thread_kill,
    "subprocess.Popen": _popen,
}
