"""Programs that run what their words or their input say, in a language of their own: cmake, ed, java, make's relatives."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from llmos_nb.guard.shell_builtins import is_elsewhere
from llmos_nb.guard.shell_files import judge_read, judge_write
from llmos_nb.guard.shell_scope import UNKNOWN, Arg, Call, unknown

__all__ = ["judge_runner"]

#: What ``cmake -E`` calls the file commands.
_CMAKE: Final = {
    "rm": "rm", "remove": "rm", "remove_directory": "rm -r", "copy": "cp", "copy_directory": "cp -r",
    "copy_if_different": "cp",
    "rename": "mv", "touch": "touch", "make_directory": "mkdir", "create_symlink": "ln -s", "create_hardlink": "ln",
    "env": "env", "time": "time", "tar": "tar",
}  # fmt: skip


def _cmake(call: Call) -> None:
    words = call.args
    for i, arg in enumerate(words):
        if arg.text == "-E" and words[i + 1 :]:
            verb, rest = words[i + 1].text, words[i + 2 :]
            scope = call.scope.child()
            if verb == "chdir" and rest:
                scope.enter(rest[0])
                scope.invoke(rest[1:], scope, unknown()) if rest[1:] else None
            elif verb in _CMAKE:
                start = tuple(map(Arg, _CMAKE[verb].split()))
                scope.invoke((*start, *(word for word in rest if word.text != "--")), scope, unknown())
            return
        if arg.text == "-P" and words[i + 1 :]:
            _script(call, words[i + 1])
        elif arg.text == "--install":
            call.object("install")


def _script(call: Call, word: Arg) -> None:
    """A program's file: fine where the workspace or the system has it."""
    if re.match(r"(https?|ftp):", word.text):
        call.object("download-run")
    for place in call.scope.places(word.text):
        if place is None:
            call.object("shell-unknown-code")
        elif str(place) in call.scope.written:
            call.object("program-written")
        elif is_elsewhere(place, call.scope):
            call.object("program-outside")


def _ed(call: Call) -> None:
    """ed: lines that start with ``!`` are commands, ``w`` and ``r`` name files or commands."""
    text = call.feed.text
    if text is None:
        return
    if UNKNOWN in text:
        call.object("shell-unknown-code")
    for line in text.splitlines()[:200]:
        found = re.match(r"[\d,.$;%/]*\s*(!|[rewWf]\s*!?|[rewW]\s+)(.*)", line.strip())
        if not found or not found[2].strip():
            continue
        what = found[2].strip()
        if "!" in found[1] or what.startswith("!"):
            call.scope.run(what.lstrip("!"), call.scope.child(), unknown())
            call.object("code-effect")
        elif found[1][0] in "wW":
            judge_write(Arg(what), call.scope, call.text)
        else:
            judge_read(Arg(what), call.scope, call.text)


def _java(call: Call) -> None:
    words = call.args
    for i, arg in enumerate(words):
        if arg.text in ("-jar", "-cp", "-classpath", "--class-path") and words[i + 1 :]:
            for piece in words[i + 1].text.split(":"):
                _script(call, Arg(piece)) if piece else None
        elif arg.text.startswith(("-javaagent", "-agentpath", "-agentlib", "@")):
            call.object("code-effect")


def _ensurepip(call: Call) -> None:
    if call.words != ["--version"]:
        call.object("install")


def _notebook(call: Call) -> None:
    """jupyter and papermill: a notebook that is run is a program."""
    words = call.words
    verb = words[0] if words else ""
    if call.name == "papermill" or verb == "run" or "--execute" in words:
        for arg in call.args:
            if arg.text.endswith(".ipynb"):
                _script(call, arg)
                break


def _gdb(call: Call) -> None:
    for arg in call.args:
        if arg.text.startswith(("!", "shell ", "python ")):
            call.object("code-effect")


_RUNNERS: Final[dict[str, Callable[[Call], None]]] = {
    "cmake": _cmake, "ed": _ed, "red": _ed, "ex": _ed, "java": _java, "javaw": _java, "ensurepip": _ensurepip,
    "jupyter": _notebook, "papermill": _notebook, "jupyter-nbconvert": _notebook, "gdb": _gdb, "lldb": _gdb,
}  # fmt: skip


def judge_runner(call: Call) -> None:
    """Judge a program of the table by what it is told to do."""
    judge = _RUNNERS.get(call.name)
    if judge is not None:
        judge(call)
