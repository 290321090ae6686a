"""Programs given to an interpreter on the command line: shells, Python, Perl and the like, awk, sed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from llmos_nb.guard.python import check_python
from llmos_nb.guard.shell_builtins import run_feed, run_file
from llmos_nb.guard.shell_files import judge_read
from llmos_nb.guard.shell_scope import FETCHED, UNKNOWN, Arg, Call, Feed, Findings, unknown
from llmos_nb.guard.verdict import Verdict

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

#: Words of Perl, Ruby, PHP, JavaScript, Lua, R ... that start programs, or delete, write, connect or evaluate.
_EFFECTS: Final = re.compile(
    r"\b(system|exec\w*|spawn\w*|popen\w*|fork|kill|unlink\w*|rm\w*|rmdir|rmtree|remove\w*|delete\w*|File\.(delete|open|write)"
    r"|FileUtils|IO\.\w+|open|sysopen|write\w*|append\w*|truncate|rename\w*|chmod|chown|symlink|link|eval|require|import|child_process"
    r"|process|fs|net|socket\w*|http\w*|fetch|curl\w*|shell_exec|passthru|proc_open|os\.\w+|io\.\w+|loadstring|load|dofile|qx"
    r"|Process|Deno|Bun|do\s+shell\s+script|run|invoke\w*|iex|download\w*|base64\w*|pack|unpack|getenv|ENV|glob)\b|`|<\s*\("
)  # fmt: skip
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
        if (matched and matched not in ("-n", "-p")) or (cluster and f"-{cluster[1]}" in names):
            if i < len(words):
                programs.append(words[i].text)
            i += 1
            if name in ("python", "pypy", "ipython"):
                break
        elif equals:
            programs.append(text.partition("=")[2])
        elif attached and name in ("perl", "python", "ruby", "php", "pypy") and attached in ("-c", "-e", "-E", "-r"):
            programs.append(text[2:])
        elif text in ("-m",) and name in ("python", "pypy", "ipython"):
            _module(call, [arg.text for arg in words[i:]])
            return unknown(call.feed)
        elif text == "-" or not text.startswith("-"):
            first_file = words[i - 1]
            break
        elif len(text) == 2 and text[1] in short:
            i += 1
    scope = call.scope
    if not programs and first_file is not None and first_file.text not in ("-", "/dev/stdin"):
        return _script(call, first_file)
    if not programs:
        if call.feed.text is None:
            return unknown()
        if call.feed.network:
            call.object("download-run")
        programs.append(call.feed.text)
    for program in programs:
        if FETCHED in program:
            call.object("download-run")
        if program.strip(UNKNOWN + FETCHED + " \n") == "":
            call.object("shell-unknown-code") if UNKNOWN in program else None
        elif name in ("python", "pypy", "ipython"):
            folder = next((folder for folder in scope.folders if folder), str(scope.workspace))
            verdict = check_python(program.replace(UNKNOWN, "unknown_"), cwd=folder, workspace=scope.workspace)
            if verdict.severity:
                scope.findings.verdicts.append(verdict)
        else:
            _judge_program(call, program)
    return unknown(call.feed)


def _script(call: Call, word: Arg) -> Feed:
    """A script file: fine, unless this command line fetched or wrote it."""
    for place in call.scope.places(word.text):
        written = None if place is None else call.scope.written.get(str(place))
        if place is None:
            call.object("shell-unknown-code")
        elif written is not None:
            call.object("download-run" if FETCHED in written else "program-written")
        elif call.scope.zone(place) == "scratch":
            call.object("program-outside")
    judge_read(word, call.scope, call.text)
    return unknown(call.feed)


def _module(call: Call, words: list[str]) -> None:
    """``python -m``: pip and the like are judged as the commands that they are."""
    if not words:
        return
    if words[0] in ("pip", "ensurepip", "http.server", "smtpd", "ftplib", "venv", "conda", "uv"):
        if words[0] == "http.server":
            call.object("connect")
        else:
            call.scope.invoke(tuple(map(Arg, words)), call.scope, unknown())


def _judge_program(call: Call, program: str) -> None:
    """Code in a language that is not parsed here: nothing that starts, deletes, writes or connects may be in it."""
    before = len(call.scope.findings.verdicts)
    for text in (program, *(a or b or c for a, b, c in _TEXT.findall(program))):
        inner = text.replace("\\'", "'").replace('\\"', '"')
        for verdict in _only_denials(call, inner):
            call.scope.findings.verdicts.append(verdict)
    if len(call.scope.findings.verdicts) == before and (_EFFECTS.search(program) or UNKNOWN in program):
        call.object("code-effect")


def _only_denials(call: Call, text: str) -> Iterator[Verdict]:
    """What a shell would be denied, were this text run by one: other languages hand such text on."""
    if not 3 < len(text) < 2_000 or call.scope.depth > 5:
        return
    inner = call.scope.child()
    inner.findings = Findings(call.scope.findings)
    call.scope.run(text, inner, unknown())
    yield from [verdict for verdict in inner.findings.verdicts if verdict.decision == "deny"]
