"""Programs given to an interpreter on the command line: shells, Python, Perl and the like, awk, sed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from llmos_nb.guard.python import check_python
from llmos_nb.guard.shell_builtins import is_elsewhere, run_feed, run_file
from llmos_nb.guard.shell_files import judge_read, judge_write
from llmos_nb.guard.shell_inline import breaks_out, destroys, texts_in
from llmos_nb.guard.shell_oneliners import only_computes
from llmos_nb.guard.shell_scope import FETCHED, UNKNOWN, Arg, Call, Feed, Findings, unknown
from llmos_nb.guard.verdict import Verdict, names

__all__ = ["INTERPRETERS", "judge_interpreter", "judge_shell"]

#: Interpreters: the options whose value is a program, and those that take another value.
INTERPRETERS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "python": (("-c",), "cmWX"), "pypy": (("-c",), "cmWX"), "ipython": (("-c",), "cm"), "python2": (("-c",), "cmWX"),
    "perl": (("-e", "-E", "-n", "-p"), "eEIMm"), "ruby": (("-e",), "eIrC"), "php": (("-r", "-B", "-R", "-E"),
    "rBREdcf"),
    "node": (("-e", "-p", "--eval", "--print", "-pe"), "epr"), "nodejs": (("-e", "-p", "--eval", "--print"), "epr"),
    "bun": (("-e", "--eval"), "e"), "deno": (("eval",), ""), "lua": (("-e",), "el"), "luajit": (("-e",), "el"),
    "rscript": (("-e",), "e"), "r": (("-e",), "e"), "julia": (("-e", "-E", "--eval"), "eEL"),
    "osascript": (("-e",), "el"),
    "tclsh": ((), ""), "guile": (("-c",), "ce"), "swift": (("-e",), "e"), "groovy": (("-e",), "e"),
    "elixir": (("-e",), "e"),
    "erl": (("-eval",), ""), "pwsh": (("-c", "-command", "-Command", "-EncodedCommand"), ""),
    "powershell": (("-c",), ""),
    "jshell": ((), ""), "scala": (("-e",), "e"), "ghc": (("-e",), "e"), "racket": (("-e",), "e"),
    "sbcl": (("--eval",), ""),
}  # fmt: skip

#: Programs given to one interpreter that are judged.
MAX_PROGRAMS: Final = 20
_TEXT: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|`([^`]*)`", re.S)


def judge_shell(call: Call) -> Feed:
    """A nested shell: its ``-c`` text, its script, or what is piped into it."""
    words, scope = list(call.args), call.scope
    code = noexec = False
    i = 0
    while i < len(words) and words[i].text[:1] in ("-", "+") and len(words[i].text) > 1:
        text = words[i].text
        i += 1
        if text == "--":
            break
        if text in ("--rcfile", "--init-file"):
            if i < len(words):
                run_file(words[i], call, scope.child())
            i += 1
        elif text.startswith("--"):
            if text in ("--version", "--help"):
                return Feed(UNKNOWN)
        else:
            switch = text[0] == "-"
            code = code or (switch and "c" in text)
            noexec = switch if "n" in text[1:] else noexec
            if text[-1] in "oO" and i < len(words):
                noexec = switch if words[i].text == "noexec" else noexec
                i += 1
        if UNKNOWN in text:
            call.object("shell-unknown-code")
    rest = words[i:]
    if noexec:
        return Feed("")
    inner = scope.child()
    if code:
        if not rest:
            return Feed("")
        inner.params = tuple(arg.text for arg in rest[1:]) or ("bash",)
        return scope.run(rest[0].text, inner, call.feed)
    if rest and rest[0].text != "-" and not any(a.text.startswith("-") and "s" in a.text for a in words[:i]):
        inner.params = tuple(arg.text for arg in rest)
        return run_file(rest[0], call, inner)
    return run_feed(call, inner)


def judge_interpreter(call: Call) -> Feed:
    """Python, Perl, Ruby ...: code in an option or piped in is judged, a script file is not read."""
    name = re.sub(r"[\d.]+$", "", call.name) or call.name
    names, short = INTERPRETERS.get(name, (("-e",), "e"))
    if call.words in (["--version"], ["-V"], ["-v"], ["--help"], ["-h"]):
        return Feed(UNKNOWN)
    programs: list[str] = []
    words = call.args
    first_file: Arg | None = None
    i = 0
    while i < len(words):
        text = words[i].text
        i += 1
        matched = next((n for n in names if text == n or (text.lower() == n.lower() and len(n) > 2)), "")
        attached = next((n for n in names if len(n) == 2 and text.startswith(n) and len(text) > 2), "")
        equals = next((n for n in names if n.startswith("--") and text.startswith(n + "=")), "")
        cluster = re.fullmatch(r"-[A-Za-z0-9]*([ceE])", text) if short else None
        given = matched != "" and (matched != "-n" and (matched != "-p" or name in ("node", "nodejs")))
        if given or (cluster and f"-{cluster[1]}" in names):
            if i < len(words):
                programs.append(words[i].text)
            i += 1
            if name in ("python", "pypy", "ipython"):
                break
        elif equals:
            programs.append(text.partition("=")[2])
        elif attached and name in ("perl", "python", "ruby", "php", "pypy") and attached in ("-c", "-e", "-E", "-r"):
            programs.append(text[2:])
        elif re.fullmatch(r"-[a-zA-Z]*m", text) and name in ("python", "pypy", "ipython") and text[1] not in "cWX":
            _module(call, [arg.text for arg in words[i:]])
            return unknown(call.feed)
        elif name in ("deno", "bun") and text == "run":
            continue
        elif text == "-" or not text.startswith("-"):
            first_file = words[i - 1]
            break
        elif len(text) == 2 and text[1] in short:
            i += 1
    scope = call.scope
    if name in ("perl", "ruby") and any(re.match(r"-[a-zA-Z0-9]*i", word) for word in call.words):
        for word in words:  # edited in place
            if not word.text.startswith("-") and word.text not in programs and "/" in word.text:
                judge_write(word, scope, call.text)
    if not programs and first_file is not None and first_file.text not in ("-", "/dev/stdin"):
        return _script(call, first_file)
    if not programs:
        if call.feed.text is None:
            return unknown()
        if call.feed.network:
            call.object("download-run")
        programs.append(call.feed.text)
    if len(programs) > MAX_PROGRAMS:
        call.object("shell-too-long")
    for program in programs[:MAX_PROGRAMS]:
        if FETCHED in program:
            call.object("download-run")
        if program.strip(UNKNOWN + FETCHED + " \n") == "":
            call.object("shell-unknown-code") if UNKNOWN in program else None
        elif name in ("python", "pypy", "ipython"):
            _judge_python(call, program)
        else:
            _judge_program(call, program)
    return unknown(call.feed)


def _script(call: Call, word: Arg) -> Feed:
    """A script file: fine, unless this command line fetched or wrote it, or it lies somewhere else."""
    if re.match(r"(https?|ftp|jsr|npm):", word.text):
        call.object("download-run")
        return unknown(call.feed)
    for place in call.scope.places(word.text):
        written = None if place is None else call.scope.written.get(str(place))
        if place is None:
            call.object("shell-unknown-code")
        elif written is not None:
            call.object("download-run" if FETCHED in written else "program-written")
        elif call.scope.just_fetched(place):
            call.object("download-run")
        elif is_elsewhere(place, call.scope):
            call.object("program-outside")
    judge_read(word, call.scope, call.text)
    return unknown(call.feed)


#: Modules that are commands of their own, and those that run a Python file or text that they are given.
_COMMANDS: Final = names("pip ensurepip venv conda uv jupyter jupyterlab ipykernel nbconvert notebook mlflow "
    "streamlit twine "
                         "flask uvicorn gunicorn pipx poetry pre_commit")  # fmt: skip
_RUNNERS: Final = names(
    "pdb ipdb cProfile profile trace coverage runpy memory_profiler kernprof line_profiler viztracer"
)
_SERVERS: Final = names("http.server smtpd ftplib pydoc xmlrpc.server SimpleHTTPServer pyftpdlib websockets aiosmtpd")


def _module(call: Call, words: list[str]) -> None:
    """``python -m``: pip and the like are judged as the commands that they are."""
    if not words:
        return
    name, rest = words[0], words[1:]
    if name in _SERVERS and (name != "pydoc" or {"-p", "-n", "-b"} & set(rest)):
        call.object("connect")
    elif name in _COMMANDS:
        call.scope.invoke(tuple(map(Arg, words)), call.scope, unknown())
    elif name in ("zipfile", "tarfile", "gzip", "shutil"):
        if rest[:1] in (["-e"], ["--extract"], ["-c"], ["--create"]):
            create = rest[0] in ("-c", "--create")
            for word in rest[1:2] if create else rest[2:3] or ["."]:
                judge_write(Arg(word), call.scope, call.text)
    elif name == "timeit":
        for text in rest:
            if not text.startswith("-"):
                _judge_python(call, text)
    elif name in ("code", "idlelib", "pty"):
        call.object("code-effect")
    elif name in _RUNNERS:
        script = next((word for word in rest if word.endswith(".py")), "")
        if any(word.startswith(("-c", "--command")) for word in rest):
            call.object("code-effect")
        if script:
            _script(call, Arg(script))


def _judge_python(call: Call, program: str) -> None:
    """Python given on the command line: as a cell would be judged, and strictly about what lies elsewhere."""
    scope = call.scope
    folder = next((folder for folder in scope.folders if folder), str(scope.workspace))
    verdict = check_python(program.replace(UNKNOWN, "unknown_"), cwd=folder, workspace=scope.workspace)
    if verdict.severity:
        scope.findings.verdicts.append(verdict)
    elif breaks_out(program):
        call.object("code-effect")
    elif destroys(program) and _names_scratch(program, call):
        call.object("delete-scratch")


def _names_scratch(program: str, call: Call) -> bool:
    """Whether a program works among temporary files, or names some."""
    places = [Path(folder) for folder in call.scope.folders if folder is not None]
    places += [place for text in texts_in(program) if text[:1] in "/~" for place in call.scope.places(text) if place]
    return any(
        call.scope.zone(place) in ("scratch", "outside", "system", "root") and not call.scope.holds(place)
        for place in places
    )


def _judge_program(call: Call, program: str) -> None:
    """Code in a language that is not parsed here: nothing that starts, deletes, writes or connects may be in it."""
    before = len(call.scope.findings.verdicts)
    for text in (program, *(a or b or c for a, b, c in _TEXT.findall(program))):
        inner = text.replace("\\'", "'").replace('\\"', '"')
        for verdict in _only_denials(call, inner):
            call.scope.findings.verdicts.append(verdict)
    if len(call.scope.findings.verdicts) == before and (UNKNOWN in program or not only_computes(program)):
        call.object("code-effect")


def _only_denials(call: Call, text: str) -> Iterator[Verdict]:
    """What a shell would be denied, were this text run by one: other languages hand such text on."""
    if not 3 < len(text) < 2_000 or call.scope.depth > 5:
        return
    inner = call.scope.child()
    inner.findings = Findings(call.scope.findings)
    call.scope.run(text, inner, unknown())
    yield from [verdict for verdict in inner.findings.verdicts if verdict.decision == "deny"]
