"""One simple command, its words known as far as they can be: which judge knows it, and what it may print."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from llmos_nb.guard.places import secret_variable
from llmos_nb.guard.shell_builtins import BUILTINS, judge_assignment, run_file
from llmos_nb.guard.shell_code import INTERPRETERS, judge_interpreter, judge_shell
from llmos_nb.guard.shell_files import FILES, judge_file_command, judge_read
from llmos_nb.guard.shell_git import judge_git
from llmos_nb.guard.shell_known import READERS, judge_known
from llmos_nb.guard.shell_network import NETWORK
from llmos_nb.guard.shell_runners import judge_runner
from llmos_nb.guard.shell_scope import FETCHED, MAX_JUDGED, UNKNOWN, Arg, Call, Feed, Scope, TooMuch, unknown
from llmos_nb.guard.shell_scripts import judge_awk, judge_sed
from llmos_nb.guard.shell_search import judge_fd, judge_find, judge_parallel, judge_xargs
from llmos_nb.guard.shell_system import SYSTEM, judge_tool
from llmos_nb.guard.shell_tools import judge_unlisted
from llmos_nb.guard.shell_wrappers import WRAPPERS, follow_wrapper, judge_code_options
from llmos_nb.guard.verdict import names

__all__ = ["judge"]

_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
#: Words of the shell's grammar; as a command's name they mean that the parser and the shell may disagree.
_RESERVED: Final = frozenset(
    [
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "while",
        "until",
        "for",
        "select",
        "do",
        "done",
        "case",
        "esac",
        "in",
        "function",
        "{",
        "}",
        "!",
        "[[",
        "]]",
    ]
)
_SHELLS: Final = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "ksh93", "mksh", "ash", "fish", "rbash", "csh", "tcsh", "yash"}
)
_PROGRAM_FOLDERS: Final = ("/bin", "/sbin", "/usr", "/opt", "/snap", "/nix", "/run/current-system", "/Library", "/System",
                           "/Applications")  # fmt: skip
#: Commands that show names or facts of files, never their content.
_BLIND: Final = frozenset(
    [
        "ls",
        "dir",
        "vdir",
        "stat",
        "file",
        "du",
        "df",
        "test",
        "[",
        "echo",
        "printf",
        "which",
        "type",
        "whereis",
        "basename",
        "dirname",
        "realpath",
        "readlink",
        "pwd",
        "cd",
        "pushd",
        "popd",
        "tree",
        "exa",
        "eza",
        "lsd",
        "md5sum",
        "sha1sum",
        "sha256sum",
        "cksum",
        "wc",
        "mkdir",
        "chmod",
        "chown",
        "touch",
        "find",
        "fd",
        "export",
        "declare",
        "ssh-add",
        "ssh-keygen",
    ]
)
#: Commands whose first operand is a pattern or a program, not a file.
_PATTERN_FIRST: Final = names("grep egrep fgrep rg ag ack sed awk gawk mawk nawk jq yq perl")
_BEHAVIOUR: Final[dict[str, Callable[[Call], Feed]]] = {"xargs": judge_xargs, "parallel": judge_parallel}
_OBJECTIONS: Final[dict[str, Callable[[Call], None]]] = {
    "find": judge_find, "gfind": judge_find, "fd": judge_fd, "fdfind": judge_fd, "git": judge_git, "sed": judge_sed,
    "gsed": judge_sed, "awk": judge_awk, "gawk": judge_awk, "mawk": judge_awk, "nawk": judge_awk,
    **NETWORK, **SYSTEM,
}  # fmt: skip


def judge(argv: tuple[Arg, ...], scope: Scope, feed: Feed) -> Feed:
    """Let the judge that knows this command object to it; returns what it may print."""
    findings = scope.findings
    if not findings.spend("judged", MAX_JUDGED):
        findings.add("shell-too-long", "too many possibilities")
        raise TooMuch
    if not argv:
        return unknown(feed)  # a wrapper without a command: it has nothing to run
    first = argv[0]
    if FETCHED in first.text:
        findings.add("download-run", " ".join(arg.text for arg in argv))
    if first.unknown or (first.glob and first.text not in ("[", "[[")):
        findings.add("shell-unknown-command", " ".join(arg.text for arg in argv))
        return unknown(feed)
    if _ASSIGNMENT.match(first.text):
        # Behind a wrapper the parser sees a word where the shell or the wrapper sees an assignment.
        variable, _, value = first.text.partition("=")
        judge_assignment(variable, value, scope)
        scope.assign(variable, (value,))
        return judge(argv[1:], scope, feed) if argv[1:] else Feed("")
    if first.text in _RESERVED:
        findings.add("shell-unparsable", " ".join(arg.text for arg in argv))
        return judge(argv[1:], scope, feed) if argv[1:] else Feed("")
    name = _program(first.text, scope, argv, feed)
    call = Call(name, argv[1:], scope, feed)
    if name in BUILTINS:
        _secret_variables(call)
        return BUILTINS[name](call)
    if name == "env" and not any("=" in word or not word.startswith("-") for word in call.words[-1:]):
        call.object("secret-variable") if "-i" not in call.words else None
    if name in WRAPPERS:
        judge_code_options(call)
        judge_known(call)
        return follow_wrapper(call, WRAPPERS[name])
    if name in _BEHAVIOUR:
        return _BEHAVIOUR[name](call)
    if name in _SHELLS:
        return judge_shell(call)
    if name in INTERPRETERS or re.fullmatch(r"(python|pypy|perl|ruby|php|lua)[\d.]*", name):
        judge_known(call)
        return judge_interpreter(call)
    judge_code_options(call)
    if name in FILES:
        judge_file_command(call)
    elif name in _OBJECTIONS:
        _OBJECTIONS[name](call)
    else:
        judge_tool(call)
    judge_known(call)
    unknown_tool = not (name in FILES or name in _OBJECTIONS or name in READERS)
    if unknown_tool and "/" not in first.text:  # a program of the workspace is its own
        judge_unlisted(call)
    judge_runner(call)
    _reads(call)
    return _printed(call)


def _program(text: str, scope: Scope, argv: tuple[Arg, ...], feed: Feed) -> str:
    """The program's plain name; objects to programs in unusual places and to files that were just written."""
    text = text.replace("\\", "/").removesuffix(".exe").removesuffix(".EXE")
    if "/" not in text:
        known = text in BUILTINS or text in WRAPPERS or text in FILES
        return text if known or text.islower() else text.lower()
    call = Call(text, argv[1:], scope, feed)
    for place in () if text[1:2] == ":" else scope.places(text):
        if place is None:
            call.object("program-outside")
        elif str(place) in scope.written:
            run_file(Arg(text), call, scope)
        elif scope.just_fetched(place):
            call.object("download-run")
        elif scope.zone(place) not in ("inside",) and not str(place).startswith(_PROGRAM_FOLDERS):
            home_bins = (Path.home() / ".local/bin", Path.home() / "bin", Path.home() / ".cargo/bin")
            if place.parent not in home_bins and "bin" not in place.parts[:-1]:
                call.object("program-outside")
    return Path(text).name.lower() or text


def _secret_variables(call: Call) -> None:
    """``printenv API_KEY``: the name of a credential, given to a command that shows it."""
    if call.name in ("printenv",) and (
        not call.args or any(secret_variable(word) or UNKNOWN in word for word in call.words)
    ):
        call.object("secret-variable")


def _recursive(call: Call) -> bool:
    """Whether it reads all files below a folder that it is given."""
    if call.name in ("rg", "ag", "ack", "rgrep", "zip", "tar", "rsync", "7z", "7za", "rclone", "restic"):
        return call.name not in ("rg", "ag", "ack") or "--files" not in call.words
    return call.name in ("grep", "egrep", "fgrep", "zgrep") and any(
        word in ("--recursive", "--dereference-recursive") or re.match(r"-[A-Za-z]*[rR]", word) for word in call.words
    )


def _reads(call: Call) -> None:
    """Every operand, and every value that follows ``=``, ``@``, ``:`` in one, may be a file to read."""
    _secret_variables(call)
    if call.name in _BLIND or call.name in FILES or (call.name == "openssl" and call.words[:1] == ["x509"]):
        return
    if _recursive(call):
        home = Path(os.path.realpath(Path.home()))
        for place in (place for arg in call.args if arg.text[:1] in "/~" for place in call.scope.places(arg.text)):
            if place is not None and (place == home or place in home.parents):
                call.object("secret")
    skip = call.name in _PATTERN_FIRST
    takes_file = call.name not in ("curl", "wget", "openssl")
    previous = ""
    for arg in call.args:
        text = arg.text
        if text.startswith("-") and "=" not in text:
            previous = text
            continue
        if skip and previous not in ("-f", "--file"):
            skip = False
            continue
        if previous in ("--key", "--cert", "--cacert", "-E", "-i", "-m", "--message", "--body", "--title") and (
            not takes_file or previous in ("-m", "--message", "--body", "--title")
        ):
            previous = ""
            continue
        previous = ""
        pieces = {text, text.partition("=")[2], text.lstrip("@<"), text.rpartition(":")[2], text.rpartition("@")[2]}
        for piece in pieces:
            if piece and "\n" not in piece and " " not in piece and len(piece) < 500:
                judge_read(Arg(piece.removeprefix("file://"), arg.glob), call.scope, call.text)


def _printed(call: Call) -> Feed:
    """What the command prints, where that is plain."""
    feed, name = call.feed, call.name
    if name in ("curl", "wget", "fetch", "aria2c", "http", "https", "lynx", "w3m", "nc", "ncat", "socat"):
        return Feed(UNKNOWN, network=True)
    plain = [word for word in call.words if not word.startswith("-")]
    if name in ("cat", "tee", "head", "tail", "less", "more", "sponge") and (not plain or name == "tee"):
        if name == "tee":
            for word in plain:
                for place in call.scope.places(word):
                    if place is not None:
                        call.scope.written[str(place)] = feed.text or UNKNOWN
        return feed
    if name == "cat" and len(plain) == 1:
        known = [call.scope.written.get(str(place)) for place in call.scope.places(plain[0])]
        if known and known[0] is not None:
            return Feed(known[0], feed.network or FETCHED in known[0])
    if feed.text is not None and UNKNOWN not in feed.text:
        if name == "rev":
            return Feed("\n".join(line[::-1] for line in feed.text.split("\n")))
        try:
            if name == "base64" and any(word in ("-d", "-D", "--decode", "-di") for word in call.words):
                return Feed(base64.b64decode(feed.text.encode(), validate=False).decode("utf-8", "replace"))
            if name == "xxd" and "-r" in "".join(call.words) and "p" in "".join(call.words):
                return Feed(binascii.unhexlify("".join(feed.text.split())).decode("utf-8", "replace"))
        except (ValueError, binascii.Error):
            return unknown(feed)
    return unknown(feed)
