"""Steps of other tools than ``run_cell`` as plain Python: pathlib for files, subprocess for commands.

Paths, contents and commands stand in the function itself, not behind helpers, so that the guard can judge them there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from llmos_nb.errors import NotCrystallizable
from llmos_nb.learning.crystal_text import Blank, text_expression
from llmos_nb.memory import Step
from llmos_nb.tools.registry import TOOLS

__all__ = ["Piece", "plain_python"]

#: What a word of a shell command must be to mean itself everywhere.
_PLAIN_WORD: Final = re.compile(r"[\w./:@%+=,-]+")
#: Words that the shell itself knows.
_SHELL_WORDS: Final = frozenset(
    """. : [ alias bg bind break builtin case cd command continue declare dirs disown do done echo elif else enable
    esac eval exec exit export false fc fg fi for function getopts hash help history if in jobs kill let local logout
    mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source suspend test then time
    times trap true type typeset ulimit umask unalias unset until wait while { }""".split()  # noqa: SIM905
)


@dataclass(slots=True)
class Piece:
    """One step: code of top-level statements, and what its last expression is for."""

    where: str
    code: str
    shown: bool
    cell: bool
    images: bool


def plain_python(
    step: Step,
    blanks: Sequence[Blank],
    texts: frozenset[str],
    where: str,
    modules: dict[str, None],
    helpers: dict[str, None],
    last: bool,
) -> Piece | None:
    """A step of another tool as Python; None for one that only looks while others come after it."""
    arguments = step.arguments
    for name, value in arguments.items():
        if not isinstance(value, str) and any(blank.argument.partition("/")[0] == name for blank in blanks):
            raise NotCrystallizable(f"{where}: its {name} would have to come from a parameter.")
    said = {
        name: text_expression(value, [b for b in blanks if b.argument == name], texts, where)
        for name, value in arguments.items()
        if isinstance(value, str)
    }
    if step.tool == "run_shell":
        code = _shell(step, blanks, texts, where, modules) + (".stdout" if last else "")
    elif step.tool == "read_file":
        if not last:
            return None
        modules.setdefault("from pathlib import Path")
        code = f'Path({said["path"]}).read_text(encoding="utf-8")'
        if "first_line" in arguments or "lines" in arguments:
            first = int(arguments.get("first_line", 1)) - 1
            stop = f"{first + int(arguments['lines'])}" if "lines" in arguments else ""
            code = f'"".join({code}.splitlines(keepends=True)[{first or ""}:{stop}])'
    elif step.tool == "write_file":
        modules.setdefault("from pathlib import Path")
        path = said["path"]
        folder = f"Path({path}).parent.mkdir(parents=True, exist_ok=True)\n" if _may_have_folder(step, blanks) else ""
        content = said["content"]
        options = 'encoding="utf-8", newline=""'
        code = f"{folder}Path({path}).write_text({content}, {options})"
        if content.startswith("(\n"):  # its own brackets are not needed inside of a call's
            code = f"{folder}Path({path}).write_text(\n{content[2:-2]},\n    {options},\n)"
        return Piece(where, code + "\n", False, True, False)
    elif step.tool == "edit_file":
        modules.setdefault("from pathlib import Path")
        helpers.setdefault("_edited")
        path = said["path"]
        code = f"Path({path}).write_bytes(_edited(Path({path}).read_bytes(), {said['old']}, {said['new']}))"
        return Piece(where, code + "\n", False, True, False)
    elif step.tool in TOOLS and not TOOLS[step.tool].changes:
        if last:
            raise NotCrystallizable(f"{where} only looks, and the answer rests on what it saw.")
        return None
    else:
        told = "there is no plain Python for this tool. The goal stays a replay, which is as free"
        raise NotCrystallizable(f"{where}: {told}.")
    return Piece(where, code + "\n", False, False, False)


def _may_have_folder(step: Step, blanks: Sequence[Blank]) -> bool:
    return "/" in str(step.arguments["path"]) or any(blank.argument == "path" for blank in blanks)


def _shell(step: Step, blanks: Sequence[Blank], texts: frozenset[str], where: str, modules: dict[str, None]) -> str:
    """The command as a list of words where it needs no shell; its output is the value."""
    command = str(step.arguments["command"])
    mine = sorted((blank for blank in blanks if blank.argument == "command"), key=lambda blank: blank.start)
    modules.setdefault("import subprocess")
    words = _words(command, mine, texts, where)
    if words is None:
        if mine:
            modules.setdefault("import shlex")
        quoted = [
            Blank(
                blank.step,
                blank.argument,
                blank.start,
                blank.end,
                blank.role,
                f"shlex.quote({_as_text(blank, texts)})",
            )
            for blank in mine
        ]
        words = ['"bash"', '"-c"', text_expression(command, quoted, texts, where)]
    timeout = int(step.arguments.get("timeout_s", 120))
    listed = f"[{', '.join(words)}]"
    return (
        f"subprocess.run(\n    {listed},\n    stdin=subprocess.DEVNULL,\n    stdout=subprocess.PIPE,\n"
        f"    stderr=subprocess.STDOUT,\n    text=True,\n    timeout={timeout},\n    check=True,\n)"
    )


def _as_text(blank: Blank, texts: frozenset[str]) -> str:
    is_text = blank.source in texts or blank.source.startswith(("f'", 'f"', "str("))
    return blank.source if is_text else f"str({blank.source})"


def _words(command: str, blanks: Sequence[Blank], texts: frozenset[str], where: str) -> list[str] | None:
    """The command's words as expressions, or None where the shell has something to do."""
    marks = {f"llmosblank{number}x": blank for number, blank in enumerate(blanks)}
    text, end = "", 0
    for mark, blank in marks.items():
        text, end = f"{text}{command[end : blank.start]}{mark}", blank.end
    text += command[end:]
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    bare = re.sub(r"'[^']*'|\"[^\"$`\\!]*\"", "", text)
    if not words or words[0] in _SHELL_WORDS or words[0] in marks or re.search(r"[^\w./:@%+=,\s-]|\n", bare):
        return None
    if "=" in words[0] or any(mark in word and mark != word for mark in marks for word in words):
        return None
    return [_as_text(marks[word], texts) if word in marks else _quoted(word) for word in words]


def _quoted(word: str) -> str:
    return text_expression(word, [], frozenset(), "")
