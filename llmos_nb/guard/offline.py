"""Shell commands that reach nothing outside the machine, as data: where content from outside was read, others ask.

This table says what may go on, not what must not: a program that is not in it could do anything.
"""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.guard.verdict import names

__all__ = ["outward"]

#: Programs that read, count, sort, compare and write files, and say things about the machine.
_LOCAL: Final = names(
    "[ [[ : awk b2sum base32 base64 basename bc cal cat cd chmod cksum cmp column comm cp csvcut csvgrep csvlook "
    "csvstat cut date dc df diff dirname dirs du echo egrep export expand expr factor false fgrep file fmt fold free "
    "gawk grep groups gunzip gzip head hexdump hostname iconv id jobs join jq less ln local locale ls lscpu lsblk "
    "mawk md5sum "
    "mkdir mktemp more mv nl nproc numfmt od paste pathchk popd pr printf ps pushd pwd read readlink realpath "
    "return rev "
    "rg rm rmdir sed seq set sha1sum sha224sum sha256sum sha384sum sha512sum shuf sleep sort split stat strings "
    "sum tac "
    "tail tar tee test touch tr tree true truncate tsort tty type uname unexpand uniq unset unzip uptime wait wc which "
    "whoami xxd yes zcat zgrep zip zipinfo exit shift declare typeset let comm cloc tokei find dot neato fdp sfdp "
    "ldconfig nvidia-smi"
)
#: Where the machine's own programs are.
_FOLDERS: Final = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/")
#: Options that make one of these run another program or talk to another machine.
_OUTWARD: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("awk", "gawk", "mawk"), ("system", "|", "/inet", "getline", "-f", "-i", "-l", "-E", "@")),
    "find": ("-exec", "-ok", "-execdir", "-okdir"),
    "tar": ("--to-command", "--checkpoint-action", "-I", "--use-compress", "--rsh", "-F",
            "--info-script", "--new-volume", ":"), "sort": ("--compress-program",), "rg": ("--pre", "--hostname-bin"),
    "sed": ("e",), "zip": ("-T", "--test", "-TT", "--unzip-command"), "split": ("--filter",), "less": ("!", "+"),
    "more": ("!",), "date": ("--set",), "hostname": ("-F",),
}  # fmt: skip
#: Subcommands of git that stay in the folder and start nothing.
_GIT: Final = names(
    "add blame branch cat-file commit describe diff grep init log ls-files ls-tree merge-base mv reflog restore "
    "rev-list "
    "rev-parse rm shortlog show show-ref stash status tag"
)


def outward(words: tuple[str, ...]) -> str:
    """Why a simple command may reach outside, or run what may; empty where it does not."""
    if not words:
        return ""
    name = words[0].rpartition("/")[2]
    rest = words[1:]
    if name == "git":
        sub = next((word for word in rest if not word.startswith("-")), "")
        early = rest[: rest.index(sub)] if sub in rest else rest
        if sub in _GIT and not any(word.startswith(("-c", "--exec-path", "--config-env")) for word in early):
            bad = [
                w
                for w in rest
                if w.startswith(("--ext-diff", "--textconv", "-O", "--open-files-in-pager", "--upload"))
            ]
            return f"git {sub} {bad[0]}" if bad else ""
        return f"git {sub}".strip()
    if words[0] != name and not words[0].startswith(_FOLDERS):
        return words[0]
    if name not in _LOCAL:
        return words[0]
    if name == "sed":
        return "" if all(_plain_sed(word) for word in rest) else "sed that may run commands"
    marks = _OUTWARD.get(name, ())
    found = next(
        (word for word in rest for mark in marks if mark in word and (mark != ":" or not word.startswith("-"))), ""
    )
    return f"{name} {found}" if found else ""


def _plain_sed(word: str) -> bool:
    """An option, a file's name, or a script of the commands that only change text."""
    if len(word) > 300:
        return False
    if word in ("-n", "-E", "-r", "-i", "-s", "-z", "--posix", "--sandbox", "-e") or (
        re.fullmatch(r"[\w./-]+", word) and not re.match(r"[sy][^\w.-]|\d*[ewWrR]$", word)
    ):
        return True
    return bool(
        re.fullmatch(
            r"(?:[\d,$!]*(?:s(?P<m>[/|#,@])(?:(?!(?P=m)).)*(?P=m)(?:(?!(?P=m)).)*(?P=m)[gIp\d]*|[dpq=]);?\s*)+", word
        )
    )
