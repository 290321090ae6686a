"""Places on a machine that deserve care, as data: where secrets are kept, what runs by itself, devices, system folders.

The tables hold names and patterns; the functions only look a resolved path up in them.
"""

from __future__ import annotations

import functools
import re
from fnmatch import fnmatchcase, translate
from pathlib import PurePath
from typing import Final

__all__ = [
    "STREAMS",
    "could_be_secret",
    "is_device",
    "is_persistence",
    "is_secret",
    "is_stream",
    "is_system",
    "secret_name",
]

#: Folders that hold credentials, wherever they are.
SECRET_FOLDERS: Final = frozenset(
    {
        ".ssh",
        ".aws",
        ".gnupg",
        ".azure",
        ".kube",
        ".claude",
        ".codex",
        ".password-store",
        ".mozilla",
        ".oci",
        ".vault",
    }
)
#: The same as neighbouring parts of a path.
SECRET_PARTS: Final = (
    (".config", "gcloud"), (".config", "gh"), (".config", "google-chrome"), (".config", "chromium"),
    (".config", "BraveSoftware"), (".config", "op"), (".config", "rclone"), (".docker", "config.json"),
    (".local", "share", "keyrings"), (".local", "share", "kwalletd"), ("Library", "Keychains"), ("Library", "Cookies"),
    ("etc", "kubernetes"), ("etc", "ssl", "private"), ("etc", "sudoers"), ("etc", "sudoers.d"),
    (".cargo", "credentials.toml"), (".jupyter", "jupyter_server_config.json"),
)  # fmt: skip
#: Files that hold credentials, by name.
SECRET_NAMES: Final = (
    ".env", ".envrc", ".netrc", "_netrc", ".pgpass", ".pypirc", ".npmrc", ".git-credentials", ".my.cnf", ".htpasswd",
    ".vault-token", ".s3cfg", ".boto", ".claude.json", "shadow", "shadow-", "gshadow", "master.passwd", "id_rsa",
    "id_dsa", "id_ecdsa", "id_ed25519", "credentials.json", "application_default_credentials.json", "secrets.yaml",
    "secrets.yml", "secrets.json", "secrets.toml", "kubeconfig", "wallet.dat", "Login Data", "logins.json", "key4.db",
    ".bash_history", ".zsh_history", ".python_history", ".psql_history", ".mysql_history", ".sqlite_history",
    ".node_repl_history", ".rediscli_history", ".histfile", "history.sqlite",
)  # fmt: skip
SECRET_PATTERNS: Final = (
    ".env.*", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx",
    "*.keystore", "*.keychain-db", "service-account*.json",
)  # fmt: skip
#: Names that look secret and are not.
PUBLIC_PATTERNS: Final = (".env.example", ".env.sample", ".env.template", ".env.dist", "*.pub", "cacert.pem")
#: Files that something runs by itself later: shells, Python, IPython, git, cron, logins.
PERSISTENT_NAMES: Final = frozenset(
    {".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".zshrc", ".zshenv",
     ".zprofile", ".zlogin", ".zlogout", ".kshrc", ".cshrc", ".tcshrc", ".login", ".inputrc", ".xinitrc", ".xprofile",
     ".xsession", ".gitconfig", ".hgrc", ".vimrc", ".exrc", ".tmux.conf", ".screenrc", ".pythonrc", ".pythonstartup",
     ".Rprofile", ".pdbrc", ".gdbinit", "config.fish", "sitecustomize.py", "usercustomize.py", "crontab",
     "authorized_keys", "ipython_config.py", "ipython_kernel_config.py", "jupyter_server_config.py", ".mcp.json"}
)  # fmt: skip
PERSISTENT_PARTS: Final = (
    (".config", "autostart"), (".config", "systemd"), (".config", "fish"), ("etc", "cron.d"), ("etc", "cron.daily"),
    ("etc", "cron.hourly"), ("etc", "systemd"), ("etc", "profile.d"), ("etc", "init.d"), ("var", "spool", "cron"),
    ("Library", "LaunchAgents"), ("Library", "LaunchDaemons"), (".git", "hooks"), (".git", "config"),
    (".config", "git"), ("profile_default", "startup"), (".jupyter",), (".vscode", "settings.json"),
    (".vscode", "tasks.json"), (".vscode", "launch.json"),
)  # fmt: skip
#: Devices that are streams, harmless to write.
STREAMS: Final = frozenset({"null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr", "ptmx"})
SYSTEM_FOLDERS: Final = (
    "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "opt", "proc", "root", "run", "sbin", "srv", "sys", "usr",
    "var", "snap", "System", "Library", "Applications", "private",
)  # fmt: skip


#: Names of variables that hold credentials.
_SECRET_VARIABLE: Final = re.compile(r"(?i).*(api_?key|token|secret|passw|credential|private_?key|access_?key)")


#: All patterns of names in one: most names are looked up, and few match.
_SECRET: Final = re.compile("|".join(translate(pattern) for pattern in SECRET_PATTERNS))
_SECRET_STARTS: Final = frozenset(wanted[0] for wanted in SECRET_PARTS)
_PERSISTENT_STARTS: Final = frozenset(wanted[0] for wanted in PERSISTENT_PARTS)


def _has_parts(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return any(parts[i : i + len(wanted)] == wanted for i in range(len(parts) - len(wanted) + 1))


def secret_name(name: str) -> bool:
    """Whether a file of this name holds credentials wherever it is."""
    if name not in SECRET_NAMES and not _SECRET.match(name):
        return False
    return not any(fnmatchcase(name, pattern) for pattern in PUBLIC_PATTERNS)


@functools.lru_cache(maxsize=4096)
def is_secret(path: PurePath) -> bool:
    """Whether a resolved path is a place where credentials are kept."""
    parts = path.parts
    if parts and (parts[-1].endswith(".pub") or parts[-1] == "known_hosts"):
        return False
    if not SECRET_FOLDERS.isdisjoint(parts):
        return True
    if not _SECRET_STARTS.isdisjoint(parts) and any(_has_parts(parts, wanted) for wanted in SECRET_PARTS):
        return True
    if len(parts) > 2 and parts[1] == "proc" and parts[-1] in ("environ", "mem"):
        return True
    return bool(parts) and secret_name(parts[-1])


def could_be_secret(path: PurePath) -> bool:
    """Whether a path with wildcards may come to name a secret: ``~/.s?h/x``, ``.e*``. A bare ``*`` may not."""
    for part in path.parts:
        if not any(sign in part for sign in "*?[") or sum(c.isalnum() or c == "." for c in part) < 2:
            continue
        for name in (*SECRET_NAMES, *SECRET_FOLDERS):
            # The shell's own rule: a wildcard does not match a leading dot.
            if (not name.startswith(".") or part.startswith(".")) and fnmatchcase(name, part):
                return True
    return False


def is_persistence(path: PurePath) -> bool:
    """Whether what is written here runs by itself later."""
    parts = path.parts
    if parts and parts[-1] in PERSISTENT_NAMES:
        return True
    if not _PERSISTENT_STARTS.isdisjoint(parts) and any(_has_parts(parts, wanted) for wanted in PERSISTENT_PARTS):
        return True
    return parts[:3] == ("/", "etc", "profile")


def is_device(path: PurePath) -> bool:
    """Whether a path is a device (other than a harmless stream) or part of the kernel's interface."""
    parts = path.parts
    if len(parts) >= 2 and parts[1] in ("proc", "sys"):
        return not is_stream(path)
    return len(parts) > 2 and parts[1] == "dev" and not is_stream(path) and parts[2] != "shm"


def is_stream(path: PurePath) -> bool:
    """Whether a path is a harmless stream: ``/dev/null``, a terminal, an open file descriptor."""
    parts = path.parts
    if parts[1:2] == ("proc",):
        return len(parts) >= 4 and parts[3] == "fd"
    return len(parts) > 2 and parts[1] == "dev" and (parts[2] in STREAMS or parts[2] in ("fd", "pts"))


def is_system(path: PurePath) -> bool:
    """Whether a path is the file system's root or in a folder that belongs to the system; temporary folders are not."""
    parts = path.parts
    if len(parts) <= 1:
        return True
    if parts[:3] in (("/", "var", "tmp"), ("/", "private", "tmp"), ("/", "private", "var"), ("/", "var", "folders")):
        return len(parts) == 2
    if parts[1] == "root":
        return len(parts) == 2
    return parts[1] in SYSTEM_FOLDERS


def secret_variable(name: str) -> bool:
    """Whether a variable's name says that it holds a credential."""
    return bool(_SECRET_VARIABLE.match(name))
