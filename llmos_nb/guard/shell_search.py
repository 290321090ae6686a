"""Commands that run other commands on what they find or read: find, fd, xargs, parallel."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import Final

from llmos_nb.guard.places import could_be_secret, secret_name
from llmos_nb.guard.shell_files import judge_delete, judge_read, judge_write
from llmos_nb.guard.shell_options import read_options
from llmos_nb.guard.shell_scope import FETCHED, UNKNOWN, Arg, Call, Feed, unknown
from llmos_nb.guard.verdict import names

__all__ = ["judge_fd", "judge_find", "judge_parallel", "judge_xargs"]

#: Tests and actions of find that take one word; a word after them is never an action.
_FIND_UNARY: Final = names(
    "-amin -anewer -atime -cmin -cnewer -context -ctime -fstype -gid -group -ilname -iname -inum -ipath -iregex "
    "-iwholename -links -lname -maxdepth -mindepth -mmin -mtime -name -newer -path -perm -printf -regex "
    "-regextype -samefile -size -type -uid -used -user -wholename -xtype -flags -depth-n -Bmin -Bnewer -Btime "
    "-xattrname"
)
_FIND_EXEC: Final = frozenset({"-exec", "-execdir", "-ok", "-okdir"})


def judge_find(call: Call) -> None:
    """find: where it starts, what it deletes, writes and runs."""
    args = list(call.args)
    i = 0
    roots: list[Arg] = []
    while (i < len(args) and args[i].text in ("-H", "-L", "-P", "-E", "-X", "-x", "-s", "-d", "-D", "-f")) or (
        i < len(args) and args[i].text.startswith("-O")
    ):
        i += 2 if args[i].text in ("-D", "-f") else 1
    while i < len(args) and not args[i].text.startswith("-") and args[i].text not in ("(", "!", ",", ")"):
        roots.append(args[i])
        i += 1
    roots = roots or [Arg(".")]
    # What is found lies beneath a root: a wildcard below it stands for that.
    named = False
    found = [Arg((root.text.rstrip("/") or "") + "/*", True) for root in roots]
    while i < len(args):
        word = args[i].text
        i += 1
        if UNKNOWN in word:
            call.object("shell-unknown-code")
        elif word in ("-name", "-iname", "-path", "-wholename") and i < len(args):
            pattern = args[i].text
            named = could_be_secret(PurePath(pattern)) or secret_name(pattern.rpartition("/")[2])
            i += 1
        elif word in _FIND_UNARY or (word.startswith("-newer") and len(word) == 8):
            i += 1
        elif word == "-delete":
            for target in found:
                judge_delete(target, call.scope, call.text, tree=False)
        elif word in ("-fprint", "-fprint0", "-fls", "-fprintf"):
            if i < len(args):
                judge_write(args[i], call.scope, call.text)
            i += 2 if word == "-fprintf" else 1
        elif word == "-files0-from":
            i += 1
            found = [Arg(UNKNOWN)]
        elif word in _FIND_EXEC:
            end = i
            while (
                end < len(args)
                and args[end].text != ";"
                and not (args[end].text == "+" and args[end - 1].text == "{}")
            ):
                end += 1
            if (
                end > i
                and args[i].text not in ("ls", "stat", "file", "du", "echo")
                and (named or _over_home(call, roots))
            ):
                call.object("secret")
            for target in found:
                _run_on(call, args[i:end], "{}", target)
            i = end + 1


def _over_home(call: Call, roots: list[Arg]) -> bool:
    """Whether a search goes through the whole home folder, or more, where credentials are kept."""
    home = Path(os.path.realpath(Path.home()))
    places = [place for root in roots for place in call.scope.places(root.text) if place is not None]
    return any(place == home or place in home.parents for place in places)


def _run_on(call: Call, inner: list[Arg], sign: str, target: Arg) -> None:
    """Judge ``inner`` with ``target`` in place of ``sign``."""
    if not inner:
        return
    words = []
    for arg in inner:
        if arg.text == sign:
            words.append(target)
        else:
            words.append(Arg(arg.text.replace(sign, target.text), arg.glob) if sign in arg.text else arg)
    if inner[0].text == sign:
        words[0] = Arg(UNKNOWN)
    call.scope.invoke(tuple(words), call.scope.child(), unknown())


def judge_fd(call: Call) -> None:
    """fd: -x and -X run a command on what is found."""
    words = call.words
    for i, word in enumerate(words):
        if word in ("-x", "-X", "--exec", "--exec-batch") or word.startswith(("--exec=", "--exec-batch=")):
            inner = list(call.args[i + 1 :])
            if "=" in word:
                inner.insert(0, Arg(word.partition("=")[2]))
            target = Arg("./*", True)
            if not any("{" in arg.text for arg in inner):
                inner.append(Arg("{}"))
            _run_on(
                call,
                [Arg("{}") if arg.text in ("{/}", "{//}", "{.}", "{/.}") else arg for arg in inner],
                "{}",
                target,
            )
            return


def _items(feed: Feed) -> list[str]:
    """What arrives on standard input, as words; one unknown where nobody can tell."""
    if feed.text is None or UNKNOWN in feed.text:
        return [UNKNOWN + (FETCHED if feed.network else "")]
    return feed.text.replace("\0", " ").split()[:20]


def judge_xargs(call: Call) -> Feed:
    """xargs: its command, with the words it reads appended or put in place."""
    long = ("--arg-file", "--delimiter", "--max-lines", "--max-args", "--max-procs", "--max-chars", "--process-slot-var",
            "--eof-str")  # fmt: skip
    options = read_options(call.args, "IEdLnPsaJRS", [*long[:2], *long[3:7]], stop=True)
    inner = options.operands
    # -i, -e, -l take a value only when attached; read_options has split it into letters.
    sign = next((v.text for v in options.values("-I", "-J")), "")
    if not sign and any(a.text.startswith(("-i", "--replace")) and not a.text.startswith("--i") for a in call.args):
        given = next(a.text for a in call.args if a.text.startswith(("-i", "--replace")))
        sign = given.partition("=")[2] if given.startswith("--") else given[2:]
        sign = sign or "{}"
    for value in options.values("-a", "--arg-file"):
        judge_read(value, call.scope, call.text)
    if any(UNKNOWN in arg.text for arg in call.args[: len(call.args) - len(inner)]):
        call.object("shell-unknown-code")
    if not inner:
        return unknown(call.feed)
    items = [UNKNOWN] if options.has("-a", "--arg-file") else _items(call.feed)
    if sign:
        for item in items or [""]:
            line = (
                item
                if options.has("-d", "-0", "--delimiter", "--null") or UNKNOWN in item
                else (call.feed.text or "").strip()
            )
            words = [Arg(arg.text.replace(sign, line), arg.glob) for arg in inner]
            call.scope.invoke(tuple(words), call.scope.child(), unknown())
    else:
        call.scope.invoke((*inner, *map(Arg, items)), call.scope.child(), unknown())
    _code_from_data(call, inner, sign)
    return unknown(call.feed)


def _code_from_data(call: Call, inner: list[Arg], sign: str) -> None:
    """``xargs sh -c``: the words that are read are themselves the code."""
    last = inner[-1].text
    shell = inner[0].text.rpartition("/")[2] in ("sh", "bash", "dash", "zsh", "ksh") and len(inner) > 1
    appended = last.startswith("-") and last.endswith("c") and not sign
    if shell and (appended or (sign and last.split(" ")[0] == sign)):
        call.object("shell-unknown-code")


def judge_parallel(call: Call) -> Feed:
    """parallel: its command is shell text, with each item appended or put in place of ``{}``."""
    long = names("--jobs --arg-file --colsep --delay --timeout --retries --joblog --results")
    options = read_options(call.args, "jIaSCdEnNLsDX", long, stop=True)
    words = options.operands
    if options.has("-S", "--sshlogin", "--sshloginfile"):
        call.object("connect")
    cut = next((i for i, arg in enumerate(words) if arg.text in (":::", ":::+", "::::", "::::+")), len(words))
    template = words[:cut]
    items: list[str] = []
    if cut < len(words):
        from_file = words[cut].text.startswith("::::")
        items = [UNKNOWN] if from_file else [a.text for a in words[cut + 1 :] if not a.text.startswith(":::")]
    else:
        items = (
            (call.feed.text or "").splitlines()
            if call.feed.text and UNKNOWN not in call.feed.text
            else _items(call.feed)
        )
    for item in items[:20]:
        if not template:
            call.scope.run(item, call.scope.child(), unknown())
            continue
        signs = ("{}", "{.}", "{/}", "{//}", "{/.}", "{1}")
        placed = any(sign in arg.text for arg in template for sign in signs)
        line = [arg.text for arg in template] + ([] if placed else [item])
        for sign in signs:
            line = [text.replace(sign, item) for text in line]
        # With one word that is a whole command line; with several, each may hold blanks that were quoted.
        if len(template) == 1 and " " in template[0].text:
            call.scope.run(" ".join(line), call.scope.child(), unknown())
        else:
            call.scope.invoke(tuple(map(Arg, line)), call.scope.child(), unknown())
            if not options.has("-q", "--quote"):
                call.scope.run(" ".join(line), call.scope.child(), unknown())
    return unknown(call.feed)
