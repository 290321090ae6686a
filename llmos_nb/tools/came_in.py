"""What a tool call let in from outside: by which tool, from which files, hosts and variables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.exits import outward_text
from llmos_nb.guard.taint import FOREIGN, NAMED, Level, Taint, urls_in

__all__ = ["Found", "came_in"]

#: Level, kind and what came in.
Found = tuple[Level, str, str]
#: Commands that fetch.
_FETCH: Final = re.compile(
    r"\b(?:curl|wget|ssh|scp|rsync|sftp|ftp|nc|ncat|telnet|socat|lynx|w3m|http|aria2c|gh|dig|nslookup|host)\b|"
    r"\bgit\s+(?:clone|fetch|pull|ls-remote|submodule)\b"
)
#: Commands that tell nothing that somebody else wrote.
_SAYS_NOTHING: Final = re.compile(
    r"(?:(?:echo|printf|pwd|date|whoami|true|nproc|uname|sleep|mkdir|touch)\b[^|;&$`<>]*)+"
)
#: Code that tells names of files, or starts programs.
_LISTS: Final = re.compile(r"\b(?:listdir|scandir|glob|rglob|iterdir|walk)\b")
_PROGRAMS: Final = re.compile(r"^[ \t]*[!%]|\b(?:subprocess|system|popen|getoutput)\b|=\s*!", re.MULTILINE)
#: Texts in code: what a library of C opens is not seen.
_QUOTED: Final = re.compile(r"[\"']([^\"'\n]{1,300})[\"']")
#: Commands that tell names and sizes of files, and nothing of what is in them.
_NAMES: Final = frozenset(
    {"ls", "dir", "tree", "du", "df", "stat", "basename", "dirname", "realpath", "pwd", "which"}
)
_MORE: Final = re.compile(r"[`<]|\$\(|\bxargs\b")
#: A line of a cell that is a command.
_BANG: Final = re.compile(r"^[ \t]*(?:[\w, ]+=[ \t]*)?!(?!!)(.*)$", re.MULTILINE)
_WORD: Final = re.compile(r"[^\s'\"`;|&<>(){}$]+")
#: Files that one command line is looked through for.
FILES: Final = 50
_TEXTLESS: Final = ("int", "float", "complex", "bool", "NoneType", "datetime", "date", "Timestamp", "module", "function",
                    "type", "builtin_function_or_method", "method", "range", "slice")  # fmt: skip


def came_in(
    tool: str,
    arguments: Mapping[str, Any],
    text: str,
    reads: Iterable[str],
    taint: Taint,
    *,
    kind: str,
    cwd: Path,
    hosts: Collection[str] = (),
    since_ns: int | None = None,
    made: Collection[str] = (),
    changed: Iterable[str] = (),
    before: Collection[str] = (),
    names: Mapping[str, Any] | None = None,
    kept: Callable[[Path], Level] = lambda path: "",
    cells: Iterable[str] = (),
) -> Iterator[Found]:
    """What one call that ended let in.

    Args:
        text: what it told.
        reads: files that it read, as a trace names them.
        kind: what the guard looks at in the tool's calls.
        hosts: those it talked to.
        since_ns: when it began: files that are newer were made by it, also where a library of C wrote them unseen.
        changed: files that it changed, the same way.
        made: files that runs of this session made, absolute.
        before: variables that were there before the run.
        names: the namespace.
        kept: the level at which an earlier session made a file.
        cells: what the person ran.
    """
    if tool == "WebFetch":
        url = str(arguments.get("url", ""))
        yield FOREIGN, "web", url
        taint.followed(url)
    elif tool == "WebSearch":
        yield FOREIGN, "web", f"a search for {arguments.get('query', '')}"
    elif tool.startswith("mcp__"):
        yield FOREIGN, "tool", tool
    elif hosts:
        yield FOREIGN, "web", ", ".join(list(hosts)[:5])
    elif kind == "shell" and _FETCH.search(command := str(arguments.get("command", ""))) and outward_text(command):
        yield FOREIGN, "web", next(iter(urls_in(command)), command)
    cells = list(cells)
    wrote = {os.path.realpath(cwd / name) for name in changed}
    silent = kind == "shell" and not text.strip()
    for path in () if silent else _files(tool, arguments, reads, kind, cwd):
        if str(path) in made or str(path) in wrote or (since_ns is not None and not hosts and _newer(path, since_ns)):
            continue
        level: Level = kept(path) or FOREIGN
        shown = _relative(path, cwd)
        if level == FOREIGN and taint.is_named(shown, cells):
            level = NAMED
        yield level, "file", shown
    code = str(arguments.get("code", "")) if kind == "python" else str(arguments.get("command", ""))
    if kind == "shell" and text.strip():
        if re.search(r"\bgit\b", code):
            yield FOREIGN, "file", f"the history of the repository ({code})"
        elif not _SAYS_NOTHING.fullmatch(code.strip()):
            yield NAMED, "file", f"what {code} told"
    elif tool == "Glob" or (kind == "python" and _lists(code, text)):
        yield NAMED, "file", "the names of files"
    if kind == "python" and names is not None and text.strip():
        used = set(re.findall(r"[^\W\d]\w*", str(arguments.get("code", ""))))
        for name in sorted(used & set(before)):
            if (
                name in names
                and not name.startswith("_")
                and type(names[name]).__name__ not in _TEXTLESS
                and _holds_text(names[name])
            ):
                yield NAMED, "variable", name
                break


def _lists(code: str, text: str) -> bool:
    """Whether code tells names of files, or binds them."""
    return bool(text.strip() and _LISTS.search(code)) or any(map(_only_names, _BANG.findall(code)))


def _only_names(command: str) -> bool:
    """Whether a command line tells names of files alone."""
    parts = [part.split() for part in re.split(r"[;&|\n]+", command)]
    return not _MORE.search(command) and all(words[0] in _NAMES for words in parts if words) and any(parts)


def _files(tool: str, arguments: Mapping[str, Any], reads: Iterable[str], kind: str, cwd: Path) -> Iterator[Path]:
    found: dict[Path, None] = {}
    for name in reads:
        found[_real(cwd / name)] = None
    if kind == "read" or tool == "Read":
        for key in ("path", "file_path", "notebook_path"):
            if isinstance(arguments.get(key), str):
                found[_real(cwd / Path(arguments[key]).expanduser())] = None
    if tool == "Grep":
        found[_real(cwd / str(arguments.get("path") or "."))] = None
    command, quoted = str(arguments.get("command", "")) if kind == "shell" else "", False
    if command and _only_names(command):
        command = ""
    if kind == "python":
        code = _BANG.sub(lambda line: "" if _only_names(line[1]) else line[0], str(arguments.get("code", "")))
        quoted = not _PROGRAMS.search(code)
        command = " ".join(_QUOTED.findall(code)) if quoted else code
    if command:
        for word in _WORD.findall(command)[:400]:
            if word.startswith("-") or len(found) >= FILES:
                continue
            if quoted and not any(c.isalnum() for c in word):
                continue  # "select * from t": no pattern of files, and what a cell opens is seen by itself
            try:
                if any(c in word for c in "*?["):
                    for path in list(cwd.glob(word.lstrip("/")))[:FILES]:
                        found[_real(path)] = None
                elif os.path.isfile(place := os.path.join(cwd, os.path.expanduser(word))):
                    found[_real(place)] = None
            except (OSError, ValueError, RuntimeError, NotImplementedError):
                continue
    yield from found


def _newer(path: Path, since_ns: int) -> bool:
    """Whether the file's content and the file itself are newer; the second time is the system's, and nobody sets it.

    Clocks of files are coarser than the clock: up to a tick of 10 ms a new file may look older, and counts as such.
    """
    try:
        found = path.stat()
    except OSError:
        return False
    return min(found.st_mtime_ns, found.st_ctime_ns) >= since_ns


def _real(path: str | Path) -> Path:
    """Where a path leads; :meth:`Path.resolve` asks the file system once more, for a loop of links."""
    return Path(os.path.realpath(path))


def _relative(path: Path, cwd: Path) -> str:
    root = _real(cwd)
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _holds_text(value: Any) -> bool:
    """Whether a value can hold words: a table with a column of them, a text, a list; not an array of numbers."""
    if type(value).__name__ in _TEXTLESS:
        return False
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return getattr(dtype, "kind", "O") not in "iufcbmM"
    dtypes = getattr(value, "dtypes", None)
    if dtypes is not None:
        try:
            return any(getattr(one, "kind", "O") not in "iufcbmM" for one in dtypes)
        except TypeError:
            return True
    if isinstance(value, list | tuple | set) and value:
        return not all(isinstance(item, int | float) for item in list(value)[:1000])
    return True
