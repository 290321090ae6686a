"""What IPython makes of a cell: lines for the shell, magics, prompts; the rest is plain Python."""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass, field
from typing import Final

from llmos_nb.guard.verdict import names

__all__ = ["Cell", "parse", "read_cell"]

#: Magics within magics that are followed.
MAX_DEPTH: Final = 8
#: Cell magics whose body is shell code.
_SHELL_CELLS: Final = frozenset({"bash", "sh", "system", "sx", "!", "script", "zsh", "cmd"})
#: Magics whose rest, or body, is Python.
_PYTHON_MAGICS: Final = frozenset(
    {"time", "timeit", "prun", "capture", "memit", "mprun", "lprun", "debug", "python", "python3", "pypy", "py"}
)
#: Line magics whose rest is a shell command.
_SHELL_LINES: Final = frozenset({"system", "sx", "sc", "!"})
#: IPython's own names for file commands, and its front ends for installers.
_ALIASES: Final = names("cat cp ldir less ll ls lx lf lk man mkdir more mv rm rmdir pip conda mamba micromamba uv")
#: A lone line such as ``rm -rf x`` is a magic to IPython although it is an expression to Python.
_AUTOMAGIC: Final = re.compile(rf"({'|'.join(sorted(_ALIASES))})[ \t]+[^=\s]")
#: This package's magics that are for a person, by the first words that make them so; none: every word does.
_DECIDING: Final[dict[str, frozenset[str]]] = {
    "llmos": frozenset(), "agent": frozenset(), "schedule": names("add resume"), "agents": names("restore"),
    "budget": names("set limits"), "crystals": names("enable trust"), "sessions": names("resume"), "trace": names("trust"),
    "llmos_endpoint": frozenset(),
}  # fmt: skip
_PROMPT: Final = re.compile(r"^(>>> ?|\.\.\. ?|In \[\d+\]: ?| *\.\.\.+: ?)")
_MAGIC: Final = re.compile(r"^(\s*)(?:([A-Za-z_][\w., *]*?)\s*=\s*)?(%{1,2}|!{1,2})\s*(.*)$")


@dataclass(slots=True)
class Cell:
    """A cell taken apart. ``suspicious`` says that some line is not Python and not understood."""

    python: list[str] = field(default_factory=list)
    shell: list[str] = field(default_factory=list)
    foreign: list[tuple[str, str]] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    #: Magics of this package by which a person decides something.
    deciding: list[str] = field(default_factory=list)
    environ: bool = False
    suspicious: bool = False
    #: The trees of those parts of ``python`` that were parsed already.
    trees: dict[str, ast.Module] = field(default_factory=dict)
    #: How many magics it stands in.
    depth: int = 0
    #: Whether more magics stand in it than are followed.
    deep: bool = False


def parse(code: str) -> ast.Module | None:
    """The syntax tree of a cell (``await`` at its top level is fine), or None if it is not Python."""
    try:
        tree: ast.Module = compile(
            code, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
        )
        return tree
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def read_cell(code: str, depth: int = 0) -> Cell:
    """Take a cell apart the way IPython would; magics within magics up to :data:`MAX_DEPTH`."""
    cell = Cell(depth=depth)
    if depth > MAX_DEPTH:
        cell.suspicious = cell.deep = True
        return cell
    text = code.lstrip("\n")
    first, _, body = text.lstrip().partition("\n")
    if first.startswith("%%"):
        _cell_magic(cell, first[2:].strip(), body)
        return cell
    lines = text.split("\n")
    if any(_PROMPT.match(line) for line in lines[:2]):
        lines = [_PROMPT.sub("", line, count=1) for line in lines]
    text = textwrap.dedent("\n".join(lines))
    if _AUTOMAGIC.match(text) and "\n" not in text.strip():
        _line_magic(cell, text.strip(), [], "")
    tree = parse(text)
    if tree is not None:
        cell.python.append(text)
        cell.trees[text] = tree
        return cell
    cell.python.append("\n".join(_lines(cell, text.split("\n"))))
    return cell


def _cell_magic(cell: Cell, head: str, body: str) -> None:
    name, _, rest = head.partition(" ")
    rest = rest.strip()
    if _decides(name, f"{rest} {body}"):
        cell.deciding.append(f"%%{head}")
    if name in _SHELL_CELLS:
        interpreter = rest.split(" ")[0].rpartition("/")[2] if name == "script" else "bash"
        if interpreter in ("bash", "sh", "zsh", "dash", ""):
            cell.shell.append(body)
        else:
            cell.foreign.append((rest, body))
        if name in ("system", "sx", "!") and rest:
            cell.shell.append(rest)
    elif name in ("perl", "ruby", "pypy", "python2"):
        cell.foreign.append((name, body))
    elif name in ("writefile", "file"):
        cell.writes.append(rest.replace("-a ", "").replace("--append ", "").strip("'\" "))
    elif name in ("html", "HTML", "javascript", "js", "svg", "SVG", "latex", "markdown", "sql", *_DECIDING):
        return
    else:
        # An unknown cell magic may well run its body as Python.
        cell.python.append(re.sub(r"^(-\S+\s*)+", "", rest) if name in ("time", "timeit") else "")
        inner = read_cell(body, cell.depth + 1)
        for part in ("python", "shell", "foreign", "writes", "reads", "deciding"):
            getattr(cell, part).extend(getattr(inner, part))
        cell.environ, cell.deep = inner.environ, inner.deep
        cell.suspicious = inner.deep or (inner.suspicious and name in _PYTHON_MAGICS)


def _lines(cell: Cell, lines: list[str]) -> list[str]:
    """Replace lines that are not Python by ones that are, and sort them into ``cell``."""
    kept: list[str] = []
    i = 0
    while i < len(lines):
        line = lines[i]
        i += 1
        found = _MAGIC.match(line)
        stripped = line.strip()
        if found:
            while line.endswith("\\") and i < len(lines):
                line = line[:-1] + lines[i]
                i += 1
            found = _MAGIC.match(line)
        if found and not (found[3] == "%" and _continues(kept)):
            indent, target, sign, rest = found.groups()
            kept.append(f"{indent}{target} = None" if target else f"{indent}pass")
            if sign.startswith("!"):
                cell.shell.append(rest)
            else:
                _line_magic(cell, rest, kept, indent)
        elif stripped.startswith((",", ";", "/")) and not _continues(kept):
            cell.suspicious = True
            kept.append("pass")
        elif stripped.startswith("?") or (stripped.endswith("?") and "#" not in stripped):
            kept.append(line[: len(line) - len(line.lstrip())] + "pass")
        else:
            kept.append(line)
    if len(lines) == 1 and kept == lines:
        # A lone line that is no Python may be a magic without its sign.
        name, _, rest = lines[0].strip().partition(" ")
        if name in _ALIASES or name in _PYTHON_MAGICS or name in ("run", "cd", "env", "system", "sx"):
            _line_magic(cell, lines[0].strip(), kept, "")
    return kept


def _continues(kept: list[str]) -> bool:
    """Whether the line above cannot end a statement."""
    return bool(kept) and kept[-1].rstrip().endswith(("(", ",", "[", "{", "\\", "+", "-", "*", "/", "="))


def _decides(name: str, rest: str) -> bool:
    """Whether a magic of this package starts a goal, or decides what agents may do or spend."""
    if name == "config":
        return rest.startswith("LLMOSMagics.") and "=" in rest
    first, _, more = rest.strip().partition(" ")
    words = _DECIDING.get(name)
    if words is None or not first or first == "--explain":
        return False
    return not words or (first in words and bool(more.strip()))


def _line_magic(cell: Cell, text: str, kept: list[str], indent: str) -> None:
    name, _, rest = text.lstrip("%").partition(" ")
    rest = rest.strip()
    if _decides(name, rest):
        cell.deciding.append(text)
    if name in _SHELL_LINES:
        cell.shell.append(rest)
    elif name in _ALIASES:
        cell.shell.append(f"{name} {rest}")
    elif name in ("time", "timeit", "prun", "memit", "mprun", "lprun", "debug"):
        inner = re.sub(r"^(-\S+\s+(\d+\s+)?)*", "", rest)
        if parse(inner) is None:
            nested = read_cell(inner, cell.depth + 1)
            cell.shell.extend(nested.shell)
            cell.deciding.extend(nested.deciding)
            cell.deep = cell.deep or nested.deep
            unread = bool(inner) and parse("\n".join(nested.python)) is None
            cell.suspicious = cell.suspicious or cell.deep or unread
            cell.python.extend(nested.python)
        else:
            kept.append(indent + inner)
    elif name in ("run", "load", "loadpy"):
        cell.reads.append(rest.split(" ")[0])
    elif name in ("env", "set_env") and not rest:
        cell.environ = True
    elif name in ("alias", "rehashx", "alias_magic") and rest:
        cell.shell.append(rest.partition(" ")[2] or ":")
    elif name in ("save", "logstart", "notebook") and rest:
        cell.writes.append(rest.split(" ")[0] if name != "save" else rest.split(" ")[-2 if " " in rest else 0])
