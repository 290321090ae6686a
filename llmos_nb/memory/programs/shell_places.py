"""A shell command as shape and places: its plain words, but for the commands themselves, are places.

What the shell would expand (variables, globs, substitutions) stays in the shape; a command whose words cannot be told
with certainty is one opaque piece.
"""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.memory.programs.reading import Found, Reading, opaque

__all__ = ["read_shell"]

#: Constructs in which words are not what they look like.
_TANGLED: Final = re.compile(r"\$\(|`|<<|[<>]\(|\(\(|\$\{|\$'|\\")
_PART: Final = re.compile(
    r"""(?P<space>[ \t]+)
    |(?P<newline>\n)
    |(?P<operator>\d*(?:>>|>\||>&|<&|>|<)|&&|\|\||;;|[|&;()])
    |(?P<comment>\#[^\n]*)
    |(?P<word>(?:'[^']*'|"[^"]*"|[^\s'"|&;()<>])+)
    |(?P<other>.)""",
    re.VERBOSE,
)
_PIECE: Final = re.compile(r"'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<plain>[^'\"]+)")
#: Characters that the shell does not read as themselves outside of quotes, and inside of double ones.
_LIVE_PLAIN: Final = re.compile(r"[$*?\[\]{}~!]")
_LIVE_DOUBLE: Final = re.compile(r"[$!]")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
#: Words after which the next word is a command again.
_BEFORE_COMMAND: Final = frozenset(
    {"while", "until", "if", "elif", "sudo", "env", "time", "nohup", "exec", "xargs", "then", "do", "else", "!", "{"}
)

#: Words whose arguments are names and not texts: such a command is one piece.
_DECLARES: Final = frozenset(
    {"for", "case", "select", "function", "export", "declare", "typeset", "local", "readonly", "coproc", "[["}
)


def read_shell(command: str) -> Reading:
    """``command`` as shape and places. Command names are part of the shape: no value of a goal may become one."""
    if _TANGLED.search(command) or "\r" in command:
        return opaque(command)
    shape: list[str] = ["shell"]
    found: list[Found] = []
    at_command = True
    for part in _PART.finditer(command):
        kind, written = part.lastgroup, part.group()
        if kind == "space":
            continue
        if kind == "other":  # a quote that does not close
            return opaque(command)
        if kind in ("newline", "operator"):
            shape.append(written)
            at_command = not ((kind == "operator" and written[-1] in "<>") or written[-2:] in (">&", "<&", ">|"))
            continue
        value = _value(written)
        if at_command and written in _DECLARES:
            return opaque(command)
        if kind == "comment" or value is None or at_command:
            shape.append(f"={written}")
            at_command = at_command and (_ASSIGNMENT.match(written) is not None or written in _BEFORE_COMMAND)
            continue
        shape.append("W")
        style = written[0] if written[0] in "'\"" and written[-1] == written[0] else ""
        found.append(Found(*part.span(), "token", value, "shell", "", style))
    return Reading("\x1f".join(shape), tuple(found))


def _value(word: str) -> str | None:
    """What the shell makes of a word; None where it would expand something."""
    values = []
    for piece in _PIECE.finditer(word):
        if piece["single"] is not None:
            values.append(piece["single"])
        elif piece["double"] is not None:
            if _LIVE_DOUBLE.search(piece["double"]):
                return None
            values.append(piece["double"])
        elif _LIVE_PLAIN.search(piece["plain"]):
            return None
        else:
            values.append(piece["plain"])
    return "".join(values)
