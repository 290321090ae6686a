"""Commands that change the machine: disks, processes, services, settings, users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmos_nb.guard.shell_files import judge_delete, judge_read, judge_write
from llmos_nb.guard.shell_options import read_options
from llmos_nb.guard.shell_scope import UNKNOWN, Arg, Call, unknown
from llmos_nb.guard.shell_tools import TOOLS, judge_listed
from llmos_nb.guard.verdict import names

__all__ = ["SYSTEM", "judge_tool"]

#: Commands that are never an agent's business, by rule; ``--help`` and ``--version`` pass.
_ALWAYS: Final[dict[str, str]] = {
    name: rule
    for rule, listed in {
        "power": "reboot shutdown halt poweroff telinit pm-suspend pm-hibernate",
        "disk": (
            "wipefs blkdiscard cryptsetup mdadm mkswap swapon swapoff umount losetup badblocks sgdisk sfdisk gdisk cfdisk "
            "pvcreate pvremove vgcreate vgremove vgreduce vgrename lvcreate lvremove lvreduce lvresize lvextend lvrename "
            "debugfs e2fsck fsck tune2fs resize2fs dmsetup hdparm nvme sg_format format newfs zpool zfs btrfs"
        ),
        "system-settings": (
            "useradd userdel usermod groupadd groupdel adduser deluser passwd chpasswd visudo vipw chsh modprobe insmod "
            "rmmod kexec iptables ip6tables nft ufw firewall-cmd hostnamectl timedatectl localectl setenforce update- "
            "alternatives update-rc.d chkconfig grub-install efibootmgr nmcli dpkg-reconfigure csrutil spctl nvram pmset "
            "lpadmin ipset semanage aa-disable aa-complain usbguard mokutil "
            "scutil systemsetup setcap chpass auditctl ldconfig loginctl"
        ),
        "process": "pkill killall xkill skill killall5 reptyr",
        "nested-agent": ("claude codex opencode amp gemini aider cursor-agent goose qwen crush pi copilot droid"),
        "privilege": "sudoedit capsh setpriv setuidgid su-exec machinectl",
        "connect": "sshd telnetd x11vnc sshpass pdsh clush pssh parallel-ssh salt salt-call chef-client chef-solo puppet",
        "remote-change": "sbatch srun salloc scancel qsub qdel bsub bkill condor_submit condor_rm",
        "schedule": "atrm",
        "install": "nix-collect-garbage",
        "secret": "secret-tool mimikatz lazagne",
    }.items()
    for name in names(listed)
}


def _harmless(call: Call) -> bool:
    return call.words in (["--help"], ["--version"], ["-V"], ["-h"], ["-v"], ["help"], ["version"], ["doctor"])


def judge_tool(call: Call) -> None:
    """A command without a judge of its own: by the tables above, and not at all if it is in none."""
    name = call.name
    if name.startswith(("mkfs", "mke2fs", "mkntfs", "mkdosfs", "newfs")):
        _filesystem(call)
    elif _harmless(call):
        return
    elif name in _ALWAYS:
        call.object(_ALWAYS[name])
    else:
        judge_listed(call)


def _filesystem(call: Call) -> None:
    if any(word in ("--help", "--version", "-V") for word in call.words):
        return
    operands = read_options(call.args, "bcCdEfFgGiIJlLmMnNoOrStTuUe").operands
    for word in operands[:1]:
        for place in call.scope.places(word.text):
            if place is None or call.scope.zone(place) not in ("inside", "scratch"):
                call.object("disk")
    if not operands:
        call.object("disk")


def _dd(call: Call) -> None:
    for arg in call.args:
        key, _, value = arg.text.partition("=")
        if key == "of" and value:
            judge_write(Arg(value, arg.glob), call.scope, call.text, rule="delete-outside")
        elif key == "if" and value:
            judge_read(Arg(value, arg.glob), call.scope, call.text)


def _kill(call: Call) -> None:
    words = call.words
    if words[:1] in (["-l"], ["-L"], ["-0"], ["--list"], ["--help"]):
        return
    if all(word.startswith(("%", "-")) and word not in ("-1",) for word in words):
        return
    call.object("process")


def _service(call: Call) -> None:
    words = [word for word in call.words if not word.startswith("-")]
    verb = words[1] if call.name == "service" and len(words) > 1 else (words[0] if words else "")
    if verb in (
        "reboot",
        "poweroff",
        "halt",
        "kexec",
        "suspend",
        "hibernate",
        "emergency",
        "rescue",
        "isolate",
        "exit",
    ):
        call.object("power")
    elif verb not in (
        "status",
        "show",
        "cat",
        "help",
        "get-default",
        "list",
        "print",
        "blame",
        "",
    ) and not verb.startswith(
        (
            "list-",
            "is-",
            "dump",
            "print-",
            "plist",
            "variant",
            "hostinfo",
            "manager",
            "version",
            "managername",
            "blame",
            "find",
        )
    ):
        call.object("system-settings")


def _init(call: Call) -> None:
    call.object("power")


def _partition(call: Call) -> None:
    if not any(word in ("-l", "--list", "print", "-x", "-v", "list", "info", "-s") for word in call.words) or any(
        word.startswith(("rm", "mk", "resize", "erase", "format", "set")) for word in call.words
    ):
        call.object("disk")


def _lvm(call: Call) -> None:
    if call.args:
        verb = call.words[0]
        if not verb.endswith(("s", "display", "scan", "version")) or verb in ("vgremove", "lvremove"):
            call.object("disk")


def _mount(call: Call) -> None:
    if any(not word.startswith("-") for word in call.words) and call.words[:1] not in (["-l"],):
        call.object("disk")


def _crontab(call: Call) -> None:
    if call.words != ["-l"]:
        call.object("schedule")


def _sysctl(call: Call) -> None:
    if any(word in ("-w", "--write", "-p", "--system", "--load") or "=" in word for word in call.words):
        call.object("system-settings")


def _address(call: Call) -> None:
    """ip, ifconfig, route: changing the network."""
    words = [word for word in call.words if not word.startswith("-")]
    if call.name == "ip":
        changes = ("add", "del", "delete", "set", "change", "replace", "flush", "append", "exec", "up", "down")
        if words[1:2] not in (["show"], ["list"], ["ls"], ["get"]) and any(word in changes for word in words[1:4]):
            call.object("system-settings")
        if "exec" in words:
            call.scope.invoke(
                call.args[call.words.index("exec") + 2 :] or (Arg(UNKNOWN),), call.scope.child(), unknown()
            )
    elif call.name == "networksetup":
        if any(word.startswith(("-set", "-remove", "-add", "-create", "-delete", "-switch")) for word in call.words):
            call.object("system-settings")
    elif len(words) > 1:
        call.object("system-settings")


def _archive(call: Call) -> None:
    """tar: remote archives, files removed after packing, absolute names, the archive and the folder it writes."""
    words = call.words
    first = words[0] if words else ""
    if first and not first.startswith("-"):
        words = ["-" + first, *words[1:]]
    options = read_options(
        [Arg(w) for w in words],
        "fCTXgbLVIFHK",
        ("--file", "--directory", "--files-from", "--exclude-from", "--use-compress-program", "--exclude"),
    )
    if options.has("--remove-files", "-P", "--absolute-names"):
        call.object("delete-broad")
    extracts, lists = options.has("-x", "--extract", "--get"), options.has("-t", "--list")
    for value in options.values("-f", "--file"):
        if (
            (":" in value.text and not options.has("--force-local"))
            or value.text.startswith("/proc/self/fd")
            or (value.text.startswith("/dev/fd/"))
        ):
            call.object("upload")
        elif value.text != "-" and not extracts and not lists:
            judge_write(value, call.scope, call.text)
    if extracts:
        if call.feed.network:
            call.scope.fetched += [place for place in call.scope.places(".") if place is not None]
        for value in options.values("-C", "--directory"):
            judge_write(value, call.scope, call.text)


def _openssl(call: Call) -> None:
    if call.words[:1] in (["s_client"], ["s_server"]):
        call.object("connect")


def _make(call: Call) -> None:
    if any(word.startswith(("--eval", "SHELL=")) for word in call.words) or (
        call.feed.text is not None and "-f" in call.words
    ):
        call.object("code-effect")


def _trash(call: Call) -> None:
    for arg in call.args:
        if not arg.text.startswith("-"):
            judge_delete(arg, call.scope, call.text)


def _gpg(call: Call) -> None:
    if any(word.startswith(("--export-secret", "--delete", "--decrypt", "-d")) for word in call.words):
        call.object("secret")


def _command_prompt(call: Call) -> None:
    """Windows' and old shells' ways to give a command."""
    call.object("code-effect")


#: Judges of commands by name.
SYSTEM: Final[dict[str, Callable[[Call], None]]] = {
    **TOOLS,
    "dd": _dd, "kill": _kill, "tkill": _kill, "systemctl": _service, "service": _service, "launchctl": _service,
    "rc-service": _service, "init": _init, "fdisk": _partition, "parted": _partition, "diskutil": _partition,
    "lvm": _lvm, "mount": _mount, "crontab": _crontab, "sysctl": _sysctl, "ip": _address, "ifconfig": _address,
    "route": _address, "networksetup": _address, "tar": _archive, "bsdtar": _archive, "gtar": _archive,
        "openssl": _openssl, "make": _make, "gmake": _make, "trash-put": _trash, "gio": _trash,
    "gpg": _gpg, "gpg2": _gpg, "cmd": _command_prompt, "cmd.exe": _command_prompt,
}  # fmt: skip
