"""Commands that change the machine, its packages, containers, databases and accounts elsewhere; mostly tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from llmos_nb.guard.shell_files import judge_delete, judge_read, judge_write
from llmos_nb.guard.shell_options import read_options
from llmos_nb.guard.shell_scope import UNKNOWN, Arg, Call, unknown

__all__ = ["SYSTEM", "judge_tool"]

#: Commands that are never an agent's business, by rule; ``--help`` and ``--version`` pass.
_ALWAYS: Final[dict[str, str]] = {
    name: rule
    for rule, names in {
        "power": "reboot shutdown halt poweroff telinit pm-suspend pm-hibernate",
        "disk": "wipefs blkdiscard cryptsetup mdadm mkswap swapon swapoff umount losetup badblocks sgdisk sfdisk gdisk cfdisk "
                "pvcreate pvremove vgcreate vgremove vgreduce vgrename lvcreate lvremove lvreduce lvresize lvextend lvrename "
                "debugfs e2fsck fsck tune2fs resize2fs dmsetup hdparm nvme sg_format format newfs zpool zfs btrfs",
        "system-settings": "useradd userdel usermod groupadd groupdel adduser deluser passwd chpasswd visudo vipw chsh modprobe "
                           "insmod rmmod kexec iptables ip6tables nft ufw firewall-cmd hostnamectl timedatectl localectl setenforce "
                           "update-alternatives update-rc.d chkconfig grub-install efibootmgr nmcli dpkg-reconfigure csrutil "
                           "spctl nvram pmset scutil systemsetup setcap chpass auditctl ldconfig loginctl",
        "process": "pkill killall xkill skill killall5 reptyr",
        "nested-agent": "claude codex opencode amp gemini aider cursor-agent goose qwen crush pi copilot droid",
        "privilege": "sudoedit capsh setpriv setuidgid su-exec machinectl",
        "connect": "sshd telnetd x11vnc",
        "secret": "ssh-add-private secret-tool gnome-keyring mimikatz lazagne",
    }.items()
    for name in names.split()
}  # fmt: skip

#: Verbs of service and cloud programs that change something; compared with each word's parts.
_CHANGES: Final = frozenset(
    "delete destroy terminate remove rm purge drop apply create update put modify replace patch edit scale drain cordon uncordon "
    "taint evict exec attach run start stop restart reboot kill deploy undeploy rollback upgrade uninstall install set unset add "
    "import move mv cp sync rotate revoke grant reset restore publish send invoke push upload disable enable detach associate "
    "disassociate authorize cancel abort release register deregister promote failover resize resume suspend pause login logout "
    "bootstrap rollout annotate label expose autoscale debug proxy port-forward tag untag copy swap regenerate invalidate accept "
    "reject clear flush truncate write-default".split()
)
#: Programs that act on accounts and machines elsewhere.
_REMOTE: Final = frozenset(
    "aws gcloud az kubectl oc helm terraform tofu pulumi cdk eksctl doctl heroku flyctl fly vercel netlify firebase wrangler "
    "gsutil bq s3cmd mc vault consul nomad ansible-vault argocd flux kustomize linode-cli hcloud scw ibmcloud oci auth0 "
    "supabase railway render stripe kafka-topics packer".split()
)
_CONTAINERS: Final = frozenset({"docker", "podman", "nerdctl", "docker-compose", "podman-compose", "lxc", "vagrant", "multipass", "buildah"})
_CONTAINER_VERBS: Final = frozenset(
    "run exec rm rmi kill stop start restart prune build push pull up down create cp commit load import save export login tag "
    "update rename pause unpause attach swarm join leave destroy halt ssh delete launch remove plugin".split()
)
#: Package programs and the words that change something.
_PACKAGES: Final[dict[str, str]] = {
    name: "install uninstall remove purge upgrade update add rm publish ci exec run-script link unlink dist-upgrade autoremove "
          "full-upgrade reinstall tap untap cleanup create dlx init download wheel sync yank owner unpublish build-dep tool cask services"
    for name in "pip pipx npm pnpm yarn bun conda mamba micromamba uv poetry pdm pipenv gem cargo apt apt-get aptitude dnf yum "
                "zypper pacman apk brew port snap flatpak nix-env choco scoop winget cpan cpanm luarocks ensurepip dpkg rpm".split()
}  # fmt: skip
_DATABASES: Final = frozenset({"sqlite3", "duckdb", "psql", "mysql", "mariadb", "sqlcmd", "mongosh", "mongo", "redis-cli", "sqlite",
                               "clickhouse-client", "bq", "cqlsh", "dropdb", "influx"})  # fmt: skip
_SQL: Final = re.compile(
    r"(?i)\b(drop|truncate|delete\s+from|alter|grant|revoke|update\s+\w+\s+set|insert|attach|install|load|copy|vacuum\s+into|"
    r"flushall|flushdb|xp_cmdshell|into\s+(out|dump)file|load_file|pg_read_file|program|shutdown|dropDatabase|remove|config\s+set|"
    r"create|replace|merge|exec|writefile|readfile|load_extension|edit)\b|^\s*(\.(shell|system|output|once|import|open|read|save|"
    r"backup|clone|restore|excel|log|load)|\\[!oigwc])|\|"
)  # fmt: skip


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
    elif name in _REMOTE:
        _verbs(call, _CHANGES, "remote-change", leading=5)
    elif name in _CONTAINERS:
        _verbs(call, _CONTAINER_VERBS, "container", leading=3)
    elif name in _PACKAGES or re.fullmatch(r"pip[\d.]+", name):
        _packages(call)
    elif name in _DATABASES:
        _database(call)


def _verbs(call: Call, verbs: frozenset[str], rule: str, leading: int) -> None:
    """Object if one of the first words that are no options is a verb that changes something."""
    if any(word in ("--help", "-h", "--dry-run", "--dry-run=client", "--dry-run=server", "help") for word in call.words):
        return
    previous = ""
    seen = 0
    for word in call.words:
        if word.startswith("-"):
            previous = word
            continue
        # The word after a long option without "=" is most often its value.
        if previous.startswith("-") and "=" not in previous and seen > 0:
            previous = ""
            continue
        previous = ""
        seen += 1
        if seen > leading:
            break
        # Only the word's own first part is its verb: "list-deleted" lists.
        if word in verbs or word.split("-")[0] in verbs or UNKNOWN in word:
            call.object(rule)
            return


def _packages(call: Call) -> None:
    changes = _PACKAGES.get(call.name, _PACKAGES["pip"]).split()
    words = [word for word in call.words if not word.startswith("-")]
    if any(word in ("--help", "-h", "--dry-run") for word in call.words):
        return
    if call.name in ("dpkg", "rpm", "pacman"):
        if any(re.match(r"-[a-zA-Z]*[iIrPUReSU]", w) and not re.match(r"-(Q|q|l|s|L|S[si])", w) for w in call.words):
            call.object("install")
    elif call.name == "uv" and words[:1] == ["pip"]:
        words = words[1:]
        if words[:1] and words[0] in changes:
            call.object("install")
    elif call.name in ("uv", "poetry", "pdm", "pipenv", "conda") and words[:1] == ["run"]:
        inner = read_options(call.args[call.words.index("run") + 1 :], "npP", ("--with", "--python", "--name"), stop=True)
        call.scope.invoke(tuple(inner.operands), call.scope, call.feed) if inner.operands else None
    elif words[:1] and words[0] in changes:
        nested = words[1:2] and words[1] in ("list", "info", "dir", "show")
        if not (words[0] in ("tool", "services", "cask") and (nested or not words[1:])):
            call.object("install")


def _database(call: Call) -> None:
    if call.name == "dropdb":
        call.object("database")
    if any(word.startswith(("-cmd", "-init", "--init-command", "--pager")) for word in call.words):
        call.object("database")
    texts = [arg.text for arg in call.args]
    texts += [text.partition("=")[2] for text in texts if "=" in text]
    texts += [call.feed.text] if call.feed.text is not None else []
    for text in texts:
        if UNKNOWN in text or (_SQL.search(text) and (" " in text or text.startswith((".", "\\")) or text.isupper())):
            call.object("database")
            return
    if call.name == "redis-cli" and any(word.lower() in ("flushall", "flushdb", "config", "shutdown", "del", "eval") for word in texts):
        call.object("database")


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
    if verb in ("reboot", "poweroff", "halt", "kexec", "suspend", "hibernate", "emergency", "rescue", "isolate", "exit"):
        call.object("power")
    elif verb not in ("status", "show", "cat", "help", "get-default", "list", "print", "blame", "") and not verb.startswith(
        ("list-", "is-", "dump", "print-", "hostinfo", "manager", "version", "managername", "blame", "find")
    ):
        call.object("system-settings")


def _init(call: Call) -> None:
    call.object("power")


def _partition(call: Call) -> None:
    if not any(word in ("-l", "--list", "print", "-x", "-v", "list", "info", "-s") for word in call.words):
        call.object("disk")
    elif any(word.startswith(("rm", "mk", "resize", "erase", "format", "set")) for word in call.words):
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
        if any(word in changes for word in words[1:4]):
            call.object("system-settings")
        if "exec" in words:
            call.scope.invoke(call.args[call.words.index("exec") + 2 :] or (Arg(UNKNOWN),), call.scope.child(), unknown())
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
    options = read_options([Arg(w) for w in words], "fCTXgbLVIFHK", ("--file", "--directory", "--files-from", "--exclude-from", "--use-compress-program", "--exclude"))
    if options.has("--remove-files", "-P", "--absolute-names"):
        call.object("delete-broad")
    extracts, lists = options.has("-x", "--extract", "--get"), options.has("-t", "--list")
    for value in options.values("-f", "--file"):
        if ":" in value.text and not options.has("--force-local"):
            call.object("upload")
        elif value.text.startswith("/proc/self/fd") or (value.text.startswith("/dev/fd/")):
            call.object("upload")
        elif value.text != "-" and not extracts and not lists:
            judge_write(value, call.scope, call.text)
    if extracts:
        for value in options.values("-C", "--directory"):
            judge_write(value, call.scope, call.text)


def _security(call: Call) -> None:
    """macOS keychain."""
    if call.words[:1] and (call.words[0].startswith(("dump", "export", "unlock", "delete", "set", "add", "import")) or "-w" in call.words
                           or "-g" in call.words):  # fmt: skip
        call.object("secret")


def _github(call: Call) -> None:
    words = [word for word in call.words if not word.startswith("-")]
    if "--help" in call.words:
        return
    if words[:1] == ["api"]:
        options = read_options(call.args[1:], "XfFHq", ("--method", "--field", "--raw-field", "--input", "--header", "--jq", "--template",
                                                        "--hostname", "--cache", "--preview"))  # fmt: skip
        methods = [value.text.upper() for value in options.values("-X", "--method")]
        sends = options.has("-f", "-F", "--field", "--raw-field", "--input")
        if any(method != "GET" for method in methods) or (sends and not methods):
            call.object("remote-change")
    elif words[:2] in (["auth", "token"], ["auth", "refresh"], ["auth", "login"], ["auth", "logout"], ["auth", "setup-git"]):
        call.object("secret-variable")
    elif words[:1] in (["extension"], ["alias"]) and words[1:2] in (["install"], ["exec"], ["set"], ["import"], ["upgrade"]):
        call.object("code-effect")
    elif any(word in ("delete", "archive", "rename", "merge", "set", "remove", "transfer", "delete-asset", "upload", "sync", "add") for word in words[1:3]):
        call.object("remote-change")
    elif words[:1] in (["gist"], ["secret"], ["variable"], ["ssh-key"], ["gpg-key"]) and words[1:2] not in (["list"], ["view"], ["ls"], ["get"]):
        call.object("remote-change")


def _ansible(call: Call) -> None:
    inert = ("--list-hosts", "--list-tasks", "--list-tags", "--syntax-check", "--check", "-C", "--version", "--help")
    if not any(word in inert for word in call.words):
        call.object("remote-change")


def _openssl(call: Call) -> None:
    if call.words[:1] in (["s_client"], ["s_server"]):
        call.object("connect")


def _make(call: Call) -> None:
    if any(word.startswith("--eval") for word in call.words) or call.feed.text is not None and "-f" in call.words:
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


SYSTEM: Final[dict[str, Callable[[Call], None]]] = {
    "dd": _dd, "kill": _kill, "tkill": _kill, "systemctl": _service, "service": _service, "launchctl": _service,
    "rc-service": _service, "init": _init, "fdisk": _partition, "parted": _partition, "diskutil": _partition,
    "lvm": _lvm, "mount": _mount, "crontab": _crontab, "sysctl": _sysctl, "ip": _address, "ifconfig": _address,
    "route": _address, "networksetup": _address, "tar": _archive, "bsdtar": _archive, "gtar": _archive,
    "security": _security, "gh": _github, "ansible": _ansible, "ansible-playbook": _ansible, "ansible-console": _ansible,
    "ansible-pull": _ansible, "openssl": _openssl, "make": _make, "gmake": _make, "trash-put": _trash, "gio": _trash,
    "gpg": _gpg, "gpg2": _gpg, "cmd": _command_prompt, "cmd.exe": _command_prompt,
}  # fmt: skip
