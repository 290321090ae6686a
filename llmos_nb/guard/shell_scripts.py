"""Programs of awk and sed: the files they write and the commands they run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from llmos_nb.guard.shell_files import judge_read, judge_write
from llmos_nb.guard.shell_options import read_options
from llmos_nb.guard.shell_scope import UNKNOWN, Arg, Call, unknown
from llmos_nb.guard.verdict import names

__all__ = ["judge_awk", "judge_sed"]

_TEXT: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"", re.S)
#: A command that awk starts and that is not one text: texts are replaced by T first.
_AWK_DYNAMIC: Final = re.compile(
    r"\bsystem\s*\(\s*(?!T\s*\))|\|\s*(?:getline\s*)?(?!\s*[T&]|\s*getline)|[\w$)\]]\s*\|\s*getline|@\w+\s*\("
)


def judge_awk(call: Call) -> None:
    """awk: ``system()``, pipes to and from commands, and files that the program writes."""
    long = names("--file --assign --field-separator --include --source --exec --load")
    options = read_options(call.args, "fvFieEl", long)
    programs = [value.text for value in options.values("-e", "--source")]
    if options.has("-i", "--include", "-l", "--load", "-E", "--exec"):
        call.object("code-effect")
    for value in options.values("-f", "--file"):
        if UNKNOWN in value.text:
            call.object("shell-unknown-code")
    if not programs and not options.has("-f", "--file") and options.operands:
        programs.append(options.operands[0].text)
    for program in programs:
        if UNKNOWN in program and program.strip(UNKNOWN) == "":
            call.object("shell-unknown-code")
        bare = re.sub(r"/(?:[^/\\\n]|\\.)+/(?=[\s{!~&|)]|$)", " ", _TEXT.sub(" T ", program))
        runs = re.search(r"\bsystem\s*\(|\||@\w+\s*\(", bare.replace("||", " "))
        for text in _TEXT.findall(program):
            if runs and text:
                call.scope.run(text.replace('\\"', '"'), call.scope.child(), unknown())
        dynamic = _AWK_DYNAMIC.search(bare.replace("||", " "))
        if dynamic and not re.search(r"T\s*\|\s*getline", bare):
            call.object("code-effect")
        for target in re.findall(r"print[^;}\n]*>{1,2}\s*\"([^\"]+)\"", program):
            judge_write(Arg(target), call.scope, call.text)
        if re.search(r"print[^;}\n]*>{1,2}\s*[^\"T\s>]", bare) or "/inet/" in program:
            call.object("delete-unknown")


def judge_sed(call: Call) -> None:
    """sed: in-place editing, files its script writes or reads, and its ``e`` command."""
    options = read_options(call.args, "efl", ("--expression", "--file", "--line-length"))
    scripts = [value.text for value in options.values("-e", "--expression")]
    operands = list(options.operands)
    if not scripts and not options.has("-f", "--file") and operands:
        scripts.append(operands.pop(0).text)
    if options.has("-i", "-I", "--in-place"):
        for word in operands:
            judge_write(word, call.scope, call.text, rule="delete-outside")
    sandboxed = options.has("--sandbox")
    for script in scripts:
        for kind, value in _sed_effects(script):
            if kind == "e" and not sandboxed:
                if value:
                    call.scope.run(value, call.scope.child(), unknown())
                call.object("code-effect")
            elif kind == "w":
                judge_write(Arg(value), call.scope, call.text)
            elif kind == "r":
                judge_read(Arg(value), call.scope, call.text)
            elif kind == "?":
                call.object("code-effect")


def _sed_effects(script: str) -> Iterator[tuple[str, str]]:
    """``e``, ``w`` and ``r`` with their operand as a script uses them; ``?`` where it cannot be read."""
    i, n = 0, len(script)

    def skip_to(mark: str, at: int) -> int:
        """Behind the next unescaped ``mark``; brackets in between protect it."""
        bracket = False
        while at < n:
            if script[at] == "\\":
                at += 1
            elif bracket:
                bracket = script[at] != "]"
            elif script[at] == "[" and mark == "/":
                closing = script.find("]", at + 2)
                bracket = closing != -1
                at += bracket
            elif script[at] == mark:
                return at + 1
            at += 1
        return n + 1

    while i < n:
        c = script[i]
        if c in " \t\n;{}!,0123456789$~+":
            i += 1
        elif c == "/":
            i = skip_to("/", i + 1)
            while i < n and script[i] in "IM":
                i += 1
        elif c == "\\" and i + 1 < n:
            i = skip_to(script[i + 1], i + 2)
        elif c in "sy" and i + 1 < n:
            mark = script[i + 1]
            i = skip_to(mark, skip_to(mark, i + 2))
            if i > n:
                yield ("?", "")
                return
            while i < n and script[i] not in ";}\n ":
                if script[i] == "e" and c == "s":
                    yield ("e", "")
                if script[i] == "w" and c == "s":
                    yield ("w", script[i + 1 :].split("\n")[0].strip())
                    i = n
                    break
                i += 1
        elif c in "ewWrRF":
            line = script[i + 1 :].split("\n")[0]
            yield ({"W": "w", "R": "r", "F": "f"}.get(c, c), line.strip() if c != "F" else "")
            i += 1 + (len(line) if c != "F" else 0)
        elif c in "aic#:btTv":
            i += 1 + len(script[i + 1 :].split("\n")[0])
            while c in "aic" and script[i - 1 : i] == "\\" and i < n:
                i += 1 + len(script[i + 1 :].split("\n")[0])
        elif c in "dDgGhHlnNpPqQxzl=":
            i += 1
        else:
            yield ("?", "")
            return
