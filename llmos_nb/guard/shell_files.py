"""Commands that change or read files, judged by what they do to which path."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from llmos_nb.guard.paths import GUARDED
from llmos_nb.guard.places import could_be_secret, is_secret
from llmos_nb.guard.shell_options import read_options
from llmos_nb.guard.shell_scope import UNKNOWN, Arg, Call, Scope

__all__ = ["FILES", "FileCommand", "judge_delete", "judge_file_command", "judge_into", "judge_read", "judge_write"]

_WILD: Final = frozenset("*?.[]!^-/")


def judge_read(word: Arg, scope: Scope, detail: str) -> None:
    """Object to reading credentials. What is unknown may be read: only its name is unknown, not where it can go."""
    text = word.text
    if UNKNOWN in text:
        # The known end still tells: "$HOME_OF_SOMEONE/.ssh/id_rsa".
        tail = text.rsplit(UNKNOWN, 1)[1]
        if tail.startswith("/") and is_secret(Path(tail)):
            scope.findings.add("secret", detail)
        return
    for place in scope.places(text):
        path = place or Path(text)
        if is_secret(path) or is_secret(Path(text)) or (word.glob and could_be_secret(path)):
            scope.findings.add("secret", detail, path)


def _fixed(word: Arg) -> str:
    """The folder that a path with wildcards certainly lies in, or the path itself without any."""
    if not word.glob:
        return word.text
    parts = word.text.split("/")
    for i, part in enumerate(parts):
        if any(sign in part for sign in "*?["):
            return "/".join(parts[:i]) + ("/" if i else ".") if i != 1 or parts[0] else "/"
    return word.text


def _broad(word: Arg) -> bool:
    """Whether a wildcard word says nothing about the names it matches: ``*``, ``./*``, ``.*``."""
    return word.glob and set(word.text) <= _WILD


def _names_guarded(word: Arg, scope: Scope) -> bool:
    """Whether a wildcard finds one of the system's own files or folders in the workspace."""
    if not word.glob:
        return False
    parts = word.text.split("/")
    first = (
        next(i for i, part in enumerate(parts) if any(sign in part for sign in "*?["))
        if _fixed(word) != word.text
        else -1
    )
    if first < 0 or scope.workspace not in scope.places(_fixed(word)):
        return False
    pattern = parts[first].casefold()
    found = (name for name in GUARDED if fnmatchcase(name, pattern) and (name[0] != "." or pattern[0] == "."))
    return any((scope.workspace / name).exists() for name in found)


def judge_write(word: Arg, scope: Scope, detail: str, *, rule: str = "write-outside") -> None:
    """Object to writing outside the workspace, or where it is never right to write."""
    if word.text.startswith(("/dev/tcp/", "/dev/udp/")):
        scope.findings.add("connect", detail)
        return
    if _names_guarded(word, scope):
        scope.findings.add("guarded", detail)
    for place in scope.places(_fixed(word)):
        zone = None if place is None else scope.zone(place)
        if place is None:
            scope.findings.add("delete-unknown", detail)
        elif zone == "device":
            scope.findings.add("raw-device", detail, place)
        elif zone in ("guarded", "secret", "persistence"):
            scope.findings.add(zone, detail, place)
        elif zone == "system":
            scope.findings.add("write-system", detail, place)
        elif zone == "inside" and ".git" in place.parts:
            scope.findings.add("git-history", detail, place)
        elif zone == "outside" or (zone == "root" and not any(place == root for root in scope.roots)):
            scope.findings.add(rule, detail, place)


def judge_delete(word: Arg, scope: Scope, detail: str, *, tree: bool = False) -> None:
    """Object to deleting or moving away what is not the agent's, what is too much, or what is unknown."""
    fixed = _fixed(word)
    if _names_guarded(word, scope):
        scope.findings.add("guarded", detail)
    for place in scope.places(fixed):
        if place is None:
            scope.findings.add("delete-unknown", detail)
            continue
        zone = scope.zone(place)
        if zone == "device":
            scope.findings.add("raw-device", detail, place)
        elif zone in ("guarded", "secret", "persistence"):
            scope.findings.add(zone, detail, place)
        elif zone == "root":
            if word.glob and any(place == root for root in scope.roots):
                if _broad(word):
                    scope.findings.add("delete-broad", detail, place)
            else:
                scope.findings.add("delete-root", detail, place)
        elif zone in ("system", "outside"):
            scope.findings.add("delete-outside", detail, place)
        elif zone == "scratch" and ".." in word.text.split("/"):
            scope.findings.add("delete-scratch", detail, place)
        elif ".git" in place.parts and zone == "inside":
            scope.findings.add("git-history", detail, place)
        if word.glob and UNKNOWN not in word.text and could_be_secret(place / Path(word.text).name) and tree:
            scope.findings.add("secret", detail, place)


@dataclass(frozen=True, slots=True)
class FileCommand:
    """What a command does to its operands. ``skip`` operands come before the paths (a mode, a pattern).

    ``last`` is the effect on the last operand where there are several; ``writes`` and ``target`` name the options
    whose value is a file that is written, or the folder that everything goes to.
    """

    effect: str
    last: str = ""
    skip: int = 0
    short: str = ""
    long: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    rule: str = "write-outside"


#: File commands by name: their effect on operands is read, write, delete, or none.
FILES: Final[dict[str, FileCommand]] = {
    "rm": FileCommand("delete"),
    "rmdir": FileCommand("delete"),
    "unlink": FileCommand("delete"),
    "shred": FileCommand("delete", short="ns", long=("--iterations", "--size", "--random-source")),
    "srm": FileCommand("delete"),
    "wipe": FileCommand("delete"),
    "trash": FileCommand("delete"),
    "mv": FileCommand("delete", "write", short="tS", long=("--target-directory", "--suffix"),
                      target=("-t", "--target-directory")),
    "cp": FileCommand("read", "write", short="tS", long=("--target-directory", "--suffix"),
                      target=("-t", "--target-directory"), rule="write-outside"),
    "install": FileCommand("read", "write", short="tSmog", long=("--target-directory", "--mode", "--owner", "--group"),
                           target=("-t", "--target-directory")),
    "ln": FileCommand("read", "write", short="tS", long=("--target-directory", "--suffix"),
                      target=("-t", "--target-directory")),
    "touch": FileCommand("write", short="drt", long=("--date", "--reference", "--time")),
    "mkdir": FileCommand("write", short="m", long=("--mode",)),
    "mkfifo": FileCommand("write", short="m", long=("--mode",)),
    "truncate": FileCommand("write", short="sr", long=("--size", "--reference"), rule="delete-outside"),
    "tee": FileCommand("write"),
    "sponge": FileCommand("write"),
    "fallocate": FileCommand("write", short="lo", long=("--length", "--offset")),
    "chmod": FileCommand("write", skip=1, long=("--reference",)),
    "chown": FileCommand("write", skip=1, long=("--reference", "--from")),
    "chgrp": FileCommand("write", skip=1, long=("--reference",)),
    "chattr": FileCommand("write", skip=1),
    "setfacl": FileCommand("write", short="mxM"),
    "xattr": FileCommand("none"),
    "patch": FileCommand("write", short="pidor", writes=("-o", "--output"), long=("--output", "--input")),
    "split": FileCommand("read", "write", short="abClnt"),
    "sort": FileCommand("read", short="koStT", long=("--output", "--key", "--buffer-size", "--temporary-directory"),
                        writes=("-o", "--output")),
    "uniq": FileCommand("read", "write", short="fsw"),
    "gzip": FileCommand("replace", short="S"), "gunzip": FileCommand("replace", short="S"),
    "bzip2": FileCommand("replace"), "bunzip2": FileCommand("replace"), "xz": FileCommand("replace", short="TSFC"),
    "unxz": FileCommand("replace"), "zstd": FileCommand("read", short="oDT", writes=("-o",)),
    "compress": FileCommand("replace"), "lz4": FileCommand("read"),
    "unzip": FileCommand("read", short="dPx", writes=("-d",)),
    "zip": FileCommand("read", short="bnitx"),
    "dos2unix": FileCommand("write"), "unix2dos": FileCommand("write"),
    "rename": FileCommand("write", skip=1), "mmv": FileCommand("write"),
    "ed": FileCommand("write"), "ex": FileCommand("write", short="c"),
}  # fmt: skip


def _judge_mode(call: Call, operands: list[Arg]) -> None:
    """chmod and its relatives: what opens a file to all, takes it from its owner or makes it setuid."""
    if call.name in ("chown", "chgrp", "chattr", "setfacl"):
        call.object("permissions")
        return
    mode = operands[0].text if operands else ""
    digits = mode.lstrip("0") if mode.isdigit() else ""
    special = "s" in mode or len(digits) > 3 or UNKNOWN in mode or mode in ("-R", "-rwx")
    opens = digits[-1:] in ("2", "3", "6", "7") or any(
        sign in mode for sign in ("o+w", "a+w", "+rwx", "a=rw", "o=rw")
    )
    closes = mode.isdigit() and int(mode or "0", 8 if set(mode) <= set("01234567") else 10) < 0o400
    if special or opens or closes or mode.startswith(("u-", "a-", "-r", "-w")):
        call.object("permissions")


def judge_file_command(call: Call) -> None:
    """Judge one command of :data:`FILES` by its effect on every operand."""
    spec = FILES[call.name]
    options = read_options(call.args, spec.short, spec.long)
    if len(call.args) == 1 and call.args[0].text in ("--help", "--version"):
        return
    operands = options.operands
    if call.name == "chmod":
        # A mode such as -w looks like an option.
        operands = [a for a in call.args if not a.text.startswith("--") and a.text not in ("-R", "-v", "-f", "-c")]
        operands = [Arg("") for _ in options.values("--reference")] + operands
    if call.name in ("chmod", "chown", "chgrp", "chattr", "setfacl"):
        _judge_mode(call, operands)
    operands = operands[spec.skip :]
    tree = options.has("-r", "-R", "--recursive")
    apply: dict[str, Callable[[Arg], None]] = {
        "read": lambda word: judge_read(word, call.scope, call.text),
        "write": lambda word: judge_write(word, call.scope, call.text, rule=spec.rule),
        "delete": lambda word: judge_delete(word, call.scope, call.text, tree=tree),
        "none": lambda word: None,
    }
    targets = options.values(*spec.target)
    for value in (*targets, *options.values(*spec.writes)):
        apply["write"](value)
    effect = spec.effect
    if effect == "replace":
        keeps = options.has("-c", "--stdout", "-k", "--keep", "-l", "--list", "-t", "--test")
        for word in operands:
            apply["read"](word)
        effect = "read" if keeps else "delete"
    if spec.target:
        judge_into(call, operands if targets else operands[:-1], targets or operands[-1:])
    for i, word in enumerate(operands):
        is_last = spec.last and i == len(operands) - 1 and i > 0 and not targets
        apply[spec.last if is_last else effect](word)
        if is_last and word.glob:  # it may become several words, of which all but the last are read or moved
            apply[effect](word)
        if effect == "delete" and spec.last == "write" and not is_last:
            apply["read"](word)
    if call.name in ("mv", "cp", "ln", "install", "gzip", "xz", "bzip2"):
        _remember_copies(call, operands)
    if call.name == "ln":
        _judge_link(call, operands, options.has("-s", "--symbolic"))


def judge_into(call: Call, operands: list[Arg], folders: list[Arg]) -> None:
    """What is copied or moved into a folder gets a name of its own there."""
    kept = {word.text.rstrip("/").rpartition("/")[2] for word in operands if not (word.glob or word.unknown)}
    for folder in {folder.text: folder for folder in folders}.values():
        there = [place for place in call.scope.places(folder.text) if place is not None and place.is_dir()]
        if there or folder.text.endswith(("/", "/.", "/..")) or folder.text in (".", ".."):
            for name in sorted(kept - {"", ".", ".."}):
                judge_write(Arg(f"{folder.text.rstrip('/')}/{name}"), call.scope, call.text)


def _judge_link(call: Call, operands: list[Arg], symbolic: bool) -> None:
    """A link whose target is outside lets later writes leave the workspace."""
    for target in operands[: max(len(operands) - 1, 1)]:
        for place in call.scope.places(target.text):
            if place is None or call.scope.zone(place) not in ("inside", "scratch"):
                call.object("write-outside" if symbolic or place is None else "delete-outside")


def _remember_copies(call: Call, operands: Collection[Arg]) -> None:
    """A file that was written by this command line keeps its history under its new name."""
    words = list(operands)
    if len(words) < 2:
        return
    scope = call.scope
    known = [scope.written.get(str(place)) for place in scope.places(words[0].text) if place is not None]
    for place in scope.places(words[-1].text):
        if place is not None and known:
            scope.written[str(place)] = known[0] if known[0] is not None else UNKNOWN
