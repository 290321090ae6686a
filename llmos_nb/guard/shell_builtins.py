"""The shell's own commands: those that change what it knows, and those that run text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from llmos_nb.guard.paths import SCRATCH
from llmos_nb.guard.places import secret_variable
from llmos_nb.guard.shell_scope import FETCHED, MAX_TEXT, UNKNOWN, Arg, Call, Feed, Scope, unknown
from llmos_nb.guard.shell_words import unescape_ansi
from llmos_nb.guard.verdict import names

__all__ = ["BUILTINS", "is_elsewhere", "judge_assignment", "run_feed", "run_file"]

#: Variables that make shells and programs run code, or load it.
_CODE_VARIABLES: Final = re.compile(
    r"LD_(PRELOAD|LIBRARY_PATH|AUDIT)|DYLD_\w+|BASH_ENV|ENV|PROMPT_COMMAND|PS[0-4]|BASHOPTS|SHELLOPTS|BASH_FUNC_.*"
    r"|GIT_(?!(AUTHOR|COMMITTER|TRACE|TERMINAL_PROMPT|OPTIONAL_LOCKS|LITERAL)).*|SSH_ASKPASS|TAR_OPTIONS|TAPE|RSYNC_RSH"
    r"|PYTHON(STARTUP|HOME|INSPECT|BREAKPOINT)|PERL5?(OPT|LIB|DB)|RUBY(OPT|LIB)|NODE_OPTIONS|JAVA_TOOL_OPTIONS"
    r"|LESSOPEN|LESSCLOSE|MANPAGER|MAKEFLAGS|R_PROFILE\w*|GREP_OPTIONS|GCONV_PATH|HOSTALIASES"
)
#: Variables that name a program to start: judged as one.
_PROGRAM_VARIABLES: Final = frozenset({"PAGER", "EDITOR", "VISUAL", "BROWSER", "SHELL", "GIT_PAGER"})


def judge_assignment(name: str, value: str, scope: Scope) -> None:
    """Object to variables that run code, and to values that hide code in a subscript."""
    if _CODE_VARIABLES.fullmatch(name):
        scope.findings.add("shell-environment", f"{name}={value}")
    elif name in _PROGRAM_VARIABLES and value:
        scope.run(value, scope.child(), unknown())
        if len(value.split()) > 2 or UNKNOWN in value:
            scope.findings.add("shell-environment", f"{name}={value}")
    if name in ("PYTHONPATH", "PATH", "NODE_PATH", "CLASSPATH", "RUBYLIB", "LUA_PATH", "R_LIBS", "JULIA_LOAD_PATH"):
        for piece in value.split(":"):
            if piece.startswith(("/", "~")):
                places = [place for place in scope.places(piece) if place is not None and not scope.holds(place)]
                if any(scope.zone(place) == "scratch" or str(place) in SCRATCH for place in places):
                    scope.findings.add("shell-environment", f"{name}={value}")
    if "[" in value and ("[$(" in value.replace(" ", "") or "[`" in value):
        scope.findings.add("shell-hidden-code", f"{name}={value}")


def _hidden(call: Call) -> None:
    """Builtins evaluate subscripts in their arguments, also quoted ones."""
    if any("$(" in word or "`" in word for word in call.words):
        call.object("shell-hidden-code")


def _cd(call: Call) -> Feed:
    targets = [
        arg for arg in call.args if not (arg.text.startswith("-") and len(arg.text) > 1) and arg.text[:1] != "+"
    ]
    call.scope.enter(targets[0] if targets else Arg("~" if call.name == "cd" else UNKNOWN))
    return Feed("")


def _eval(call: Call) -> Feed:
    words = call.words[1:] if call.words[:1] == ["--"] else call.words
    return call.scope.run(" ".join(words), call.scope, call.feed)


def run_file(word: Arg, call: Call, scope: Scope) -> Feed:
    """A file is run as shell code: what this command line wrote to it, if it did."""
    text = word.text
    if UNKNOWN in text:
        call.object("download-run" if FETCHED in text else "shell-unknown-code")
        return unknown(call.feed)
    if text in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
        return run_feed(call, scope)
    if text.startswith(("/dev/fd/", "/proc/self/fd/", "/dev/tcp/")):
        call.object("shell-unknown-code")
        return unknown(call.feed)
    for place in scope.places(text):
        written = None if place is None else scope.written.get(str(place))
        if place is None:
            call.object("shell-unknown-code")
        elif written is not None:
            call.object("program-written")
            scope.run(written, scope.child(), call.feed)
        elif scope.just_fetched(place):
            call.object("download-run")
        elif is_elsewhere(place, scope):
            call.object("program-outside")
    return unknown(call.feed)


#: Files outside a workspace that people are told to source: they set up a shell.
_SET_UP: Final = names("activate conda.sh mamba.sh nvm.sh env setup.sh setup.bash setvars.sh bash_completion "
    ".bashrc .profile "
                       ".bash_profile .zshrc .bash_aliases")  # fmt: skip


def is_elsewhere(place: Path, scope: Scope) -> bool:
    """Whether a script lies where nobody put it for this work: not in the workspace, and not installed."""
    zone = scope.zone(place)
    return zone == "scratch" or (zone == "outside" and place.name not in _SET_UP and "bin" not in place.parts[:-1])


def run_feed(call: Call, scope: Scope) -> Feed:
    """What arrives on standard input is run as shell code."""
    if call.feed.text is None:
        return unknown()
    if call.feed.network:
        call.object("download-run")
    return scope.run(call.feed.text, scope, Feed(UNKNOWN))


def _source(call: Call) -> Feed:
    words = [arg for arg in call.args if arg.text != "--"]
    if words:
        scope = call.scope
        run_file(words[0], call, scope)
        scope.forget()
    return Feed("")


def _trap(call: Call) -> Feed:
    if call.words and call.words[0] not in ("-", "-p", "-l", "", "--"):
        call.scope.run(call.words[0], call.scope.child(), unknown())
    elif call.words[:1] == ["--"] and len(call.words) > 2:
        call.scope.run(call.words[1], call.scope.child(), unknown())
    return Feed("")


def _alias(call: Call) -> Feed:
    for word in call.words:
        name, equals, value = word.partition("=")
        if equals:
            call.scope.aliases[name] = value
            if UNKNOWN in word:
                call.object("shell-shadow")
    return Feed("")


def _read(call: Call) -> Feed:
    _hidden(call)
    skip = False
    for word in call.words:
        if skip:
            skip = False
        elif word.startswith("-") and len(word) > 1:
            if word.startswith("-a"):
                continue
            skip = word[-1] in "dinNptu" and len(word) == 2
            if call.name != "read" and word[:2] in ("-C", "-c"):
                call.object("shell-hidden-code")
        else:
            call.scope.assign(word.partition("[")[0], (UNKNOWN + (FETCHED if call.feed.network else ""),))
            call.scope.arrays.pop(word, None)
    call.scope.assign("REPLY", (UNKNOWN,))
    return Feed("")


def _declare(call: Call) -> Feed:
    """export, declare, local ... given as plain words."""
    _hidden(call)
    flags = "".join(word[1:] for word in call.words if word.startswith("-") and not word.startswith("--"))
    if "n" in flags and call.name in ("declare", "typeset", "local"):
        call.object("shell-hidden-code")
    names = [word for word in call.words if not word.startswith(("-", "+"))]
    if not names and "f" not in flags and "F" not in flags and call.name != "local":
        call.object("secret-variable")
    for word in names:
        name, equals, value = word.partition("=")
        if equals:
            judge_assignment(name, value, call.scope)
            call.scope.assign(name, (value,))
        elif "p" in flags and secret_variable(name):
            call.object("secret-variable")
    return Feed(UNKNOWN)


def _set(call: Call) -> Feed:
    if not call.args:
        call.object("secret-variable")
    words = call.words
    if words and (words[0] == "--" or not words[0].startswith(("-", "+"))):
        call.scope.params = (call.name, *(words[1:] if words[0] == "--" else words))
    return Feed(UNKNOWN)


def _shift(call: Call) -> Feed:
    if call.scope.params:
        count = int(call.words[0]) if call.words and call.words[0].isdigit() else 1
        call.scope.params = (call.scope.params[0], *call.scope.params[1 + count :])
    return Feed("")


def _umask(call: Call) -> Feed:
    if any(word.isdigit() and (len(word) < 2 or word[-1] in "0145" or word[-2:-1] in "0145") for word in call.words):
        call.object("permissions") if call.words[0].zfill(4)[-1] in "0145" else None
    return Feed("")


def _hash(call: Call) -> Feed:
    if any(word.startswith("-p") or word == "-f" for word in call.words):
        call.object("shell-shadow")
    return Feed("")


def _completion(call: Call) -> Feed:
    """Completion and key bindings may run their callbacks at once, or with the next key."""
    if any(word.startswith(("-C", "-F", "-x", "-W")) for word in call.words):
        call.object("shell-hidden-code")
    return Feed(UNKNOWN)


def _printf(call: Call) -> Feed:
    words = call.words
    if words[:1] and words[0].startswith("-v"):
        _hidden(call)
        name, rest = (
            (words[0][2:], words[1:]) if len(words[0]) > 2 else (words[1] if len(words) > 1 else "", words[2:])
        )
        call.scope.assign(name.partition("[")[0], (_formatted(rest),))
        return Feed("")
    return Feed(_formatted(words[1:] if words[:1] == ["--"] else words))


def _formatted(words: list[str]) -> str:
    """What printf prints for plain formats; unknown for the rest."""
    if not words:
        return ""
    pattern, values = words[0], list(words[1:])
    if re.search(r"%[^sbdq%]", pattern) or len(pattern) * len(words) + sum(map(len, words)) > MAX_TEXT:
        return UNKNOWN
    text = ""
    while True:
        text += re.sub(r"%([sbdq%])", lambda m: "%" if m[1] == "%" else (values.pop(0) if values else ""), pattern)
        if not values or not re.search(r"%[sbdq]", pattern):
            break
    return unescape_ansi(text)


def _echo(call: Call) -> Feed:
    words = call.words
    flags = ""
    while words and re.fullmatch(r"-[neE]+", words[0]):
        flags += words.pop(0)
    text = " ".join(words)
    return Feed((unescape_ansi(text) if "e" in flags else text) + ("" if "n" in flags else "\n"))


def _history(call: Call) -> Feed:
    """``fc`` runs old commands again; ``history -s`` writes them."""
    if not any(word.startswith("-l") for word in call.words) and (call.name == "fc" or "-s" in call.words):
        call.object("shell-hidden-code")
    return Feed(UNKNOWN)


def _test(call: Call) -> Feed:
    _hidden(call)
    return Feed("")


def _nothing(call: Call) -> Feed:
    return Feed("")


#: The shell's own commands and what following them means.
BUILTINS: Final[dict[str, Callable[[Call], Feed]]] = {
    "cd": _cd, "pushd": _cd, "popd": _cd, "eval": _eval, "source": _source, ".": _source, "trap": _trap, "umask": _umask,
    "alias": _alias, "read": _read, "mapfile": _read, "readarray": _read, "getopts": _read, "declare": _declare,
    "typeset": _declare, "local": _declare, "export": _declare, "readonly": _declare, "set": _set, "shift": _shift,
    "hash": _hash, "enable": _hash, "complete": _completion, "compgen": _completion, "bind": _completion,
    "fc": _history, "history": _history, "printf": _printf, "echo": _echo, "test": _test, "[": _test, "let": _test,
    "unset": _test, ":": _nothing,
    "true": _nothing, "false": _nothing, "wait": _nothing, "return": _nothing, "shopt": _nothing, "unalias": _nothing,
}  # fmt: skip
