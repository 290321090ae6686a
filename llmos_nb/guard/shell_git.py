"""git: what throws work away, rewrites history, or makes it run other programs."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from llmos_nb.guard.places import is_secret
from llmos_nb.guard.shell_files import judge_write
from llmos_nb.guard.shell_options import Options, read_options
from llmos_nb.guard.shell_scope import UNKNOWN, Arg, Call, unknown
from llmos_nb.guard.verdict import names

__all__ = ["judge_git"]

_PROGRAM_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "grep": ("-O", "--open-files-in-pager"), "difftool": ("-x", "--extcmd"), "rebase": ("-x", "--exec"),
    "fetch": ("--upload-pack",), "clone": ("-u", "--upload-pack", "-c", "--config", "--template"),
    "pull": ("--upload-pack",),
    "ls-remote": ("--upload-pack", "--exec"), "push": ("--receive-pack", "--exec"), "archive": ("--exec", "--remote"),
    "init": ("--template",), "send-email": ("--smtp-server",), "bundle": (), "diff": ("--ext-diff",),
    "commit": ("--edit-hook",),
}  # fmt: skip
#: Subcommands that always ask, with the rule.
_ALWAYS: Final = {
    "filter-branch": "git-history", "filter-repo": "git-history", "replace": "git-history", "prune": "git-history",
    "send-email": "upload", "daemon": "connect", "instaweb": "connect", "shell": "git-code", "hook": "git-code",
    "mergetool": "git-code", "credential": "secret", "credential-store": "secret", "credential-cache": "secret",
    "fast-import": "git-history", "update-index": "git-code", "read-tree": "git-discard",
    "checkout-index": "git-discard",
    "for-each-repo": "git-code", "remote-ext": "git-code", "imap-send": "upload", "p4": "upload", "svn": "upload",
}  # fmt: skip


def judge_git(call: Call) -> None:
    """Judge a git command by its subcommand and options; abbreviations of options count as the option."""
    own = read_options(
        call.args,
        "cC",
        ("--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env", "--super-prefix"),
        stop=True,
    )
    for option, value in own.given:
        sets = option in ("-c", "--config-env") or (option == "--exec-path" and value is not None)
        if sets and (value is None or not value.text.lower().startswith(_HARMLESS_CONFIG)):
            call.object("git-code")
    if not own.operands:
        return
    verb, args = own.operands[0].text, own.operands[1:]
    if UNKNOWN in verb:
        call.object("shell-unknown-command")
        return
    options = read_options(args, _VALUED.get(verb, ""), _VALUED_LONG.get(verb, ()))
    if ("--help", None) in options.given or [arg.text for arg in args] == ["-h"]:
        return
    if verb in _ALWAYS:
        call.object(_ALWAYS[verb])
    if options.has(*_PROGRAM_OPTIONS.get(verb, ())):
        call.object("git-code")
    for word in args:
        if word.text.startswith(("ext::", "fd::")):
            call.object("git-code")
        tail = word.text.rpartition(":")[2]
        if ":" in word.text and tail and is_secret(PurePath(tail)):
            call.object("secret")
    words = [arg.text for arg in options.operands]
    _elsewhere(call, own, verb, words)
    judge = _VERBS.get(verb)
    if judge is not None:
        judge(call, options, words)
    for value in options.values("--output", "--output-directory", "--directory"):
        judge_write(value, call.scope, call.text)


#: Subcommands that only look, whatever their operands.
_LOOKS: Final = names(
    "status log diff show blame ls-files ls-tree rev-parse rev-list describe shortlog grep cat-file count-objects "
    "check-ignore name-rev for-each-ref show-ref merge-base var version help whatchanged cherry ls-remote fsck annotate "
    "diff-tree diff-index diff-files reflog config remote branch tag stash worktree archive bisect"
)


def _elsewhere(call: Call, own: Options, verb: str, words: list[str]) -> None:
    """Work on a repository outside the workspace, by an option of git or as the folder that is made."""
    folders = own.values("-C", "--work-tree", "--git-dir") if verb not in _LOOKS else []
    if verb == "clone" and len(words) > 1:
        folders.append(Arg(words[1]))
    elif verb == "init" and words:
        folders.append(Arg(words[0]))
    elif verb == "bundle" and words[:1] == ["create"]:
        folders += map(Arg, words[1:2])
    elif verb == "mv":
        folders += map(Arg, words)
    if verb == "clone" and words:
        made = words[1] if len(words) > 1 else words[0].rstrip("/").rpartition("/")[2].removesuffix(".git")
        for place in call.scope.places(made):
            if place is not None:
                call.scope.fetched.append(place)
    for folder in folders:
        for place in call.scope.places(folder.text):
            if place is not None and not call.scope.holds(place) and call.scope.zone(place) != "scratch":
                call.object("write-outside")


_HARMLESS_CONFIG: Final = (
    "user.",
    "color.",
    "advice.",
    "init.defaultbranch",
    "core.quotepath",
    "log.",
    "column.",
    "safe.",
)
_VALUED: Final = {
    "checkout": "bBU", "switch": "cC", "restore": "sU", "commit": "mFcCtS", "push": "o", "branch": "u", "stash": "m",
    "clone": "boujc", "tag": "mFu", "clean": "e", "worktree": "bB", "log": "nSGL", "grep": "efmABC", "difftool": "xt",
    "rebase": "xsX", "archive": "o",
}  # fmt: skip
_VALUED_LONG: Final = {
    "push": ("--repo", "--push-option", "--receive-pack", "--exec", "--recurse-submodules"),
    "checkout": ("--orphan", "--conflict", "--pathspec-from-file", "--unified", "--inter-hunk-context"),
    "restore": ("--source", "--pathspec-from-file"),
    "commit": ("--message", "--file", "--author", "--date", "--template", "--reuse-message"),
    "branch": ("--set-upstream-to", "--contains", "--merged", "--no-merged", "--sort", "--format", "--points-at"),
    "tag": ("--message", "--file", "--sort", "--format", "--contains"), "clean": ("--exclude",),
    "switch": ("--orphan",),
    "archive": ("--output", "--format", "--prefix", "--remote", "--exec"), "gc": (), "reflog": ("--expire",),
    "format-patch": ("--output-directory",), "log": ("--output",), "diff": ("--output",),
}  # fmt: skip


def _reset(call: Call, options: Options, words: list[str]) -> None:
    if options.has("--hard", "--merge", "--keep"):
        call.object("git-discard")


def _clean(call: Call, options: Options, words: list[str]) -> None:
    if options.has("-f", "--force") and not (
        options.has("-n") or any(option.startswith("--dry") for option, _ in options.given)
    ):
        call.object("git-discard")


def _checkout(call: Call, options: Options, words: list[str]) -> None:
    created = options.has("-b", "-B", "--orphan") or options.has("-t", "--track")
    forced = options.has(
        "-f", "--force", "-B", "-p", "--patch", "--ours", "--theirs", "--pathspec-from-file", "-m", "--merge"
    )
    has_paths = any(arg.text == "--" for arg in call.args) and bool(words)
    files = len(words) > 1 and not created
    if forced or has_paths or files or words[:1] in (["."], [":/"]) or any("*" in word for word in words):
        call.object("git-discard")


def _switch(call: Call, options: Options, words: list[str]) -> None:
    if options.has("-f", "--force", "--discard-changes", "-C", "--force-create", "-m", "--merge"):
        call.object("git-discard")


def _restore(call: Call, options: Options, words: list[str]) -> None:
    if not options.has("-S", "--staged") or options.has("-W", "--worktree"):
        call.object("git-discard")


def _push(call: Call, options: Options, words: list[str]) -> None:
    if options.has("-n") or ("--dry-run", None) in options.given:
        return
    for option, _ in options.given:
        lease = option in ("--force-with-lease", "--force-if-includes")
        if option in ("-f", "-d") or (not lease and option.startswith("--fo")):
            call.object("git-history")
    if options.has("--delete", "--mirror", "--prune"):
        call.object("git-history")
    if any(
        "://" in word or (":" in word and "@" in word.partition(":")[0]) or word.startswith(("/", ".."))
        for word in words[:1]
    ):
        call.object("upload")
    if any(
        word.startswith(("+", ":")) or ":+" in word for word in words[1 if len(words) > 1 else 0 :]
    ) or UNKNOWN in "".join(words):
        call.object("git-history")


def _branch(call: Call, options: Options, words: list[str]) -> None:
    deletes, forces = options.has("-d", "--delete"), options.has("-f", "--force")
    if options.has("-D", "-M", "-C") or forces or (deletes and options.has("-r", "--remotes")):
        call.object("git-history")


def _stash(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] in (["drop"], ["clear"]):
        call.object("git-history")


def _reflog(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] in (["expire"], ["delete"], ["drop"]):
        call.object("git-history")


def _gc(call: Call, options: Options, words: list[str]) -> None:
    if any(
        option.startswith("--pr") and value is not None and value.text != "never" for option, value in options.given
    ):
        call.object("git-history")


def _ref(call: Call, options: Options, words: list[str]) -> None:
    if options.has("-d", "--delete", "--stdin", "-f", "--force"):
        call.object("git-history")


def _worktree(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] == ["remove"] and options.has("-f", "--force"):
        call.object("git-discard")
    if words[:1] in (["add"], ["move"]):
        for word in words[1:2]:
            judge_write(Arg(word), call.scope, call.text)


def _config(call: Call, options: Options, words: list[str]) -> None:
    asked = options.has("--get", "--get-all", "--get-regexp", "--list", "-l", "--get-urlmatch", "--get-color")
    reads = asked or words[:1] in (["get"], ["list"], ["get-all"])
    changes = options.has(
        "--unset", "--unset-all", "--add", "--replace-all", "-e", "--edit", "--remove-section", "--rename-section"
    )
    if changes or (not reads and (len(words) > 1 or not words)):
        if (
            len(words) == 2
            and words[0].lower().startswith(("user.", "color."))
            and not options.has("--global", "--system")
        ):
            return
        call.object("git-code")


def _remote(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] and words[0] in ("remove", "rm", "set-url", "prune", "rename"):
        call.object("git-history")
    if words[:1] == ["add"]:
        call.object("git-code" if any("::" in word for word in words) else "git-remote")


def _submodule(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] == ["foreach"]:
        call.scope.run(" ".join(words[1:]), call.scope.child(), unknown())
    elif words[:1] == ["deinit"]:
        call.object("git-discard")


def _symbolic(call: Call, options: Options, words: list[str]) -> None:
    if options.has("-d", "--delete"):
        call.object("git-history")


def _lfs(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] in (["prune"], ["migrate"]):
        call.object("git-history")
    elif words[:1] in (["install"], ["uninstall"], ["update"]):
        call.object("git-code")


def _maintenance(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] in (["start"], ["register"], ["stop"]):
        call.object("schedule")


def _bisect(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] == ["run"]:
        start = call.words.index("run") + 1
        call.scope.invoke(call.args[start:], call.scope.child(), unknown())


def _rm(call: Call, options: Options, words: list[str]) -> None:
    if options.has("-f", "--force") or (options.has("-r") and not options.has("--cached")):
        call.object("git-discard")


def _abandon(call: Call, options: Options, words: list[str]) -> None:
    if options.has("--abort", "--quit"):
        call.object("git-discard")


def _notes(call: Call, options: Options, words: list[str]) -> None:
    if words[:1] in (["remove"], ["prune"], ["uninstall"]):
        call.object("git-history")


_VERBS: Final = {
    "reset": _reset, "clean": _clean, "checkout": _checkout, "switch": _switch, "restore": _restore, "push": _push,
    "branch": _branch, "stash": _stash, "reflog": _reflog, "gc": _gc, "update-ref": _ref, "tag": _ref,
    "worktree": _worktree,
    "config": _config, "remote": _remote, "submodule": _submodule, "bisect": _bisect, "rm": _rm, "notes": _notes,
    "symbolic-ref": _symbolic, "lfs": _lfs, "maintenance": _maintenance,
    "rebase": _abandon, "merge": _abandon, "am": _abandon, "cherry-pick": _abandon, "revert": _abandon,
}  # fmt: skip
