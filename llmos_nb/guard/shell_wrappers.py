"""Commands that run another command, as data: where in their words the inner command starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from llmos_nb.guard.shell_builtins import judge_assignment
from llmos_nb.guard.shell_options import Options, read_options
from llmos_nb.guard.shell_scope import FETCHED, UNKNOWN, Arg, Call, Feed, unknown

__all__ = ["CODE_OPTIONS", "WRAPPERS", "Wrapper", "follow_wrapper", "judge_code_options"]


@dataclass(frozen=True, slots=True)
class Wrapper:
    """``short`` and ``long`` take values; ``skip`` operands stand before the inner command.

    ``inert`` options keep it from running anything; the values of ``code`` are shell text; ``joined`` says that the
    operands are joined to shell text; ``rule`` objects to the wrapper itself.
    """

    short: str = ""
    long: tuple[str, ...] = ()
    skip: int = 0
    inert: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    joined: bool = False
    rule: str = ""
    assignments: bool = False


_SUDO: Final = Wrapper(
    "ugCcDhpRrtT", ("--user", "--group", "--chdir", "--host", "--prompt", "--chroot", "--role", "--type"),
    rule="privilege", assignments=True,
)  # fmt: skip
WRAPPERS: Final[dict[str, Wrapper]] = {
    "env": Wrapper("uCSaP", ("--unset", "--chdir", "--split-string", "--argv0", "--block-signal"),
                   code=("-S", "--split-string"), assignments=True),
    "sudo": _SUDO, "doas": _SUDO, "pkexec": _SUDO, "gosu": Wrapper(skip=1, rule="privilege"),
    "su": Wrapper("cgGs", ("--command", "--group", "--shell"), skip=99, code=("-c", "--command"), rule="privilege"),
    "runuser": Wrapper("cgGsu", ("--command", "--user"), skip=0, code=("-c", "--command"), rule="privilege"),
    "chroot": Wrapper(long=("--userspec", "--groups"), skip=1, rule="privilege"),
    "unshare": Wrapper("RwSG", ("--root", "--wd"), rule="privilege"),
    "nsenter": Wrapper("tSG", ("--target",), rule="privilege"),
    "nohup": Wrapper(), "setsid": Wrapper(), "builtin": Wrapper(), "time": Wrapper("fo", ("--format", "--output")),
    "command": Wrapper(inert=("-v", "-V")), "exec": Wrapper("a"), "coproc": Wrapper(),
    "nice": Wrapper("n", ("--adjustment",)), "ionice": Wrapper("cnpPu", ("--class", "--classdata", "--pid")),
    "chrt": Wrapper("TPD", skip=1), "taskset": Wrapper(skip=1), "numactl": Wrapper("NmCipl", ("--membind",)),
    "timeout": Wrapper("ks", ("--kill-after", "--signal"), skip=1), "gtimeout": Wrapper("ks", skip=1),
    "stdbuf": Wrapper("ioe", ("--input", "--output", "--error")), "unbuffer": Wrapper(), "prlimit": Wrapper(),
    "setarch": Wrapper(), "linux32": Wrapper(), "linux64": Wrapper(), "i386": Wrapper(), "x86_64": Wrapper(),
    "arch": Wrapper("de"), "caffeinate": Wrapper("tw"), "strace": Wrapper("aebEIoOpPsSuX"),
    "ltrace": Wrapper("aeFlnopsu"),
    "flock": Wrapper("cwE", ("--command", "--timeout"), skip=1, code=("-c", "--command")),
    "watch": Wrapper("nq", ("--interval",), joined=True), "script": Wrapper("cIOBEmoTt", ("--command",), skip=1,
                                                                            code=("-c", "--command")),
    "busybox": Wrapper(inert=("--list", "--help")), "toybox": Wrapper(), "firejail": Wrapper(), "rlwrap": Wrapper(),
    "catchsegv": Wrapper(), "valgrind": Wrapper(), "perf": Wrapper("eo", skip=1), "fakeroot": Wrapper(),
    "faketime": Wrapper(skip=1), "torsocks": Wrapper(), "proxychains": Wrapper("f"), "proxychains4": Wrapper("f"),
    "dbus-run-session": Wrapper(), "xvfb-run": Wrapper("nse"), "tini": Wrapper(), "dumb-init": Wrapper(),
    "systemd-run": Wrapper("pu", ("--unit",), rule="schedule"), "systemd-inhibit": Wrapper(),
    "tmux": Wrapper("LSfctnsxyF", skip=1, joined=True), "screen": Wrapper("ScephtT", joined=True),
    "ssh": Wrapper("BbcDEeFIiJLlmOopQRSWw", skip=1, rule="connect"), "entr": Wrapper(),
    "hyperfine": Wrapper("wmMr", joined=True),
    "uvx": Wrapper(rule="install"), "npx": Wrapper("p", ("--package",), rule="install"), "rtk": Wrapper(),
   "start-stop-daemon": Wrapper(rule="schedule"), "daemonize": Wrapper(rule="schedule"),
    "trickle": Wrapper("ud"),
    "bwrap": Wrapper(skip=99, rule="code-effect"), "sg": Wrapper("c", skip=99, code=("-c",), rule="privilege"),
    "at": Wrapper("fqt", skip=99, rule="schedule"), "batch": Wrapper(rule="schedule"), "expect": Wrapper("c",
    rule="code-effect"),
    "gdb": Wrapper("x", skip=99, rule="process"), "ld.so": Wrapper(), "ld-linux-x86-64.so.2": Wrapper(),
}  # fmt: skip

#: Options of ordinary commands whose value is run as a command.
CODE_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "tar": ("-I", "--use-compress-program", "--to-command", "--checkpoint-action", "-F", "--info-script",
            "--new-volume-script", "--rsh-command", "--rmt-command"),
    "sort": ("--compress-program",),
    "rsync": ("-e", "--rsh", "--rsync-path"),
    "scp": ("-S", "-o"), "sftp": ("-S", "-o", "-D"), "ssh": ("-o",),
    "man": ("-P", "--pager", "-H", "--html"),
    "split": ("--filter",), "rg": ("--pre", "--hostname-bin"), "ag": ("--pager",), "less": ("-k",),
    "fzf": ("--preview",
            "--bind", "--with-shell"),
    "zip": ("-TT", "--unzip-command"), "vim": ("-c", "--cmd"), "vi": ("-c",), "nvim": ("-c", "--cmd"), "ex": ("-c",),
    "view": ("-c",), "emacs": ("--eval", "--load"), "bat": ("--pager",),
    "wget": ("--use-askpass",), "gpg": ("--photo-viewer",), "mysql": ("--pager",),
    "capsh": ("-c",), "man.real": ("-P",),
}  # fmt: skip


#: Editors and pagers in which a word after ``+`` is a command.
_PLUS: Final = frozenset({"vi", "vim", "nvim", "view", "gvim", "ex", "less", "more", "most", "emacs"})


def judge_code_options(call: Call) -> None:
    """Judge the options whose value is a program."""
    names = CODE_OPTIONS.get(call.name, ())
    if not names and call.name not in _PLUS:
        return
    short = "".join(name[1] for name in names if len(name) == 2)
    if call.name == "tar":
        short += "fCTXgbLV"
    long = [name for name in names if name.startswith("--")]
    options = read_options(call.args, short, long)
    if call.name in _PLUS:
        for word in call.words:
            if word.startswith("+") and not re.fullmatch(r"\+(\d*|/[^|!]*|[Gg])", word):
                call.object("code-effect")
    for option, value in options.given:
        named = [name for name in names if option == name or (len(option) > 3 and name.startswith(option))]
        if not named:
            continue
        if value is None:
            if call.name == "man":
                call.object("code-effect")
            continue
        text = value.text
        if ("command" in option.lower() and "=" in text) or named[0] == "-o":
            key, _, text = text.partition("=")
            if call.name in ("scp", "sftp", "ssh") and "command" not in key.lower():
                continue
        elif named[0] == "--checkpoint-action":
            kind, _, text = text.partition("=")
            if kind != "exec":
                continue
        if named[0] == "--bind":
            if not any(
                action in text for action in ("execute", "become", "reload", "transform", "preview(", "preview:")
            ):
                continue
            text = text.rpartition(":")[2] if "(" not in text else text.partition("(")[2].rstrip(")")
        before = len(call.scope.findings.verdicts)
        call.scope.run(text, call.scope.child(), unknown())
        if call.name == "fzf":
            continue
        plain = text.split(" ")[0] in (
            "ssh",
            "gzip",
            "pigz",
            "zstd",
            "xz",
            "bzip2",
            "lz4",
            "cat",
            "less",
            "more",
            "head",
        )
        if len(call.scope.findings.verdicts) == before and not plain:
            call.object("code-effect")


def follow_wrapper(call: Call, wrapper: Wrapper) -> Feed:
    """Judge the command inside a wrapper; returns what it may print."""
    scope = call.scope
    options = read_options(call.args, wrapper.short, wrapper.long, stop=True)
    if wrapper.rule and not (len(call.args) == 1 and call.args[0].text in ("--help", "--version", "-V", "--list")):
        call.object(wrapper.rule)
    if options.has(*wrapper.inert) and not any(word.text.startswith("-") for word in options.operands[1:]):
        return Feed("")  # names are looked up; with options among them, a command was meant
    for folder in options.values("-C", "--chdir") if call.name == "env" else ():
        scope = scope.child()
        scope.enter(folder)
    for value in options.values(*wrapper.code):
        tail = " ".join(arg.text for arg in options.operands) if call.name == "env" else ""
        scope.run(f"{value.text} {tail}".strip(), scope if call.name == "env" else scope.child(), call.feed)
    if call.name == "env" and options.values("-S", "--split-string"):
        return unknown(call.feed)
    inner = _skip(call, wrapper, options)
    if not inner:
        return unknown(call.feed) if call.name not in ("exec", "env") else Feed(UNKNOWN)
    if wrapper.joined or call.name == "ssh":
        # These join their words to one text; the words are judged as they stand, too, since quotes get lost.
        scope.run(" ".join(arg.text for arg in inner), scope.child(), call.feed)
        if len(inner) == 1:
            return unknown(call.feed)
    return scope.invoke(tuple(inner), scope, call.feed)


def _skip(call: Call, wrapper: Wrapper, options: Options) -> list[Arg]:
    """The inner command's words."""
    inner = options.operands
    if call.name == "perf" and inner[:1] and inner[0].text not in ("stat", "record", "trace"):
        return []
    if call.name == "tmux":
        verb = inner[0].text if inner else ""
        if not verb.startswith(("new", "split", "respawn", "run", "if", "send", "pipe", "popup", "display-p")):
            return []
        inner = read_options(inner[1:], "cetnsxyFI", stop=True).operands
        call.object("schedule")
        return inner
    if call.name in ("setarch", "setsid", "arch") and inner and inner[0].text in (
        "x86_64", "i386", "i686", "linux32", "linux64", "arm64", "uname26",
    ):  # fmt: skip
        inner = inner[1:]
    if call.name == "runuser" and inner and not options.has("-u"):
        inner = inner[1:]
    inner = inner[wrapper.skip :]
    while wrapper.assignments and inner and "=" in inner[0].text and not inner[0].text.startswith(("=", "/", "./")):
        name, _, value = inner[0].text.partition("=")
        judge_assignment(name, value, call.scope)
        inner = inner[1:]
    if inner and inner[0].text.startswith("-"):
        inner = read_options(inner, wrapper.short, wrapper.long, stop=True).operands
    if call.name == "ssh" and any(FETCHED in arg.text for arg in call.args):
        call.object("download-run")
    return inner
