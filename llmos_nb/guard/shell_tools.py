"""Tools for accounts, packages, containers and databases: tables of the words that change something."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from llmos_nb.guard.shell_options import read_options
from llmos_nb.guard.shell_scope import UNKNOWN, Call
from llmos_nb.guard.verdict import names

__all__ = ["TOOLS", "judge_listed", "judge_unlisted"]

#: Verbs of service and cloud programs that change something; compared with each word's parts.
_CHANGES: Final = names(
    "delete destroy terminate remove rm purge drop apply create update put modify replace patch edit scale drain "
    "cordon uncordon taint evict exec attach run start stop restart reboot kill deploy undeploy rollback upgrade "
    "uninstall install set unset add import move mv cp sync rotate revoke grant reset restore publish send invoke "
    "push upload disable enable detach associate disassociate authorize cancel abort release register deregister "
    "promote failover resize resume suspend pause login logout bootstrap annotate label expose autoscale debug "
    "merge close reopen undefine unregistervm proxy port-forward undo tag untag copy swap regenerate invalidate accept "
    "reject clear flush truncate write- "
    "default"
)
#: Verbs that only look; the first verb of a command decides.
_LOOKS: Final = names(
    "list get describe show status view ls history logs log diff plan validate version search inspect lint "
    "template explain top wait events help info cat"
)
#: Options that stand before the verb and take a value.
_GLOBAL_OPTIONS: Final = names(
    "--subscription --profile --region --project --namespace -n --context --kubeconfig --output -o --tenant "
    "--account -H --host -c --config -f --file -p --project-name --log-level -g --resource-group --kube-context"
)
#: Programs accounts and machines elsewhere.
_REMOTE: Final = names(
    "aws gcloud az kubectl oc helm terraform tofu pulumi cdk eksctl doctl heroku flyctl fly vercel netlify "
    "firebase wrangler gsutil bq s3cmd mc vault consul nomad ansible-vault argocd flux kustomize linode-cli "
    "hcloud scw ibmcloud oci auth0 supabase railway render stripe kafka-topics packer k3s minikube kind k3d microk8s "
    "helmfile skaffold terragrunt cdktf glab hub tea influx b2 s5cmd azcopy virsh vboxmanage prlctl vmrun govc wsl "
    "serverless sls amplify eas talosctl istioctl linkerd"
)
#: Words that, said to a program that nobody has described, destroy what is there or hand it to others.
_DRASTIC: Final = names(
    "delete destroy purge prune drop wipe erase uninstall unregister undefine terminate abandon obliterate remove rm rmi "
    "deletefile unpublish publish upload deploy push send release deliver submit nuke expire reset revoke"
)
#: The same as an option.
_DRASTIC_OPTION: Final = re.compile(r"--(delete|destroy|purge|wipe|erase|uninstall|unregister)(-|=|$)")
_CONTAINERS: Final = frozenset(
    {
        "docker",
        "podman",
        "nerdctl",
        "docker-compose",
        "podman-compose",
        "lxc",
        "incus",
        "vagrant",
        "multipass",
        "buildah",
        "skopeo",
        "crane",
        "regctl",
        "ctr",
        "crictl",
        "finch",
    }
)
_CONTAINER_VERBS: Final = names(
    "run exec rm rmi kill stop start restart prune build push pull up down create cp commit load import save "
    "login tag update rename pause unpause attach swarm join leave destroy halt ssh delete launch remove plugin use copy "
    "rmp rmp-all sync mutate append"
)
#: Package programs, and the words that change something.
_PACKAGERS: Final = names(
    "pip pipx npm pnpm yarn bun conda mamba micromamba uv poetry pdm pipenv gem cargo apt apt-get aptitude dnf "
    "yum zypper pacman apk brew port snap flatpak nix-env nix guix choco scoop winget cpan cpanm luarocks ensurepip dpkg "
    "rpm pixi rye hatch flit sdkman bunx"
)
#: First words of theirs that only say what the next one, which says what is done, is about.
_PACKAGE_NOUNS: Final = names("python self cache tool global store env npm toolchain project local profile workspace")
#: What is done to caches and tools that all projects share.
_SHARED_VERBS: Final = names("prune clean clear self-update delete set use")
_PACKAGE_VERBS: Final = names(
    "install uninstall remove purge upgrade update add rm publish ci exec run-script link unlink dist-upgrade "
    "autoremove full-upgrade reinstall tap untap cleanup create dlx init download wheel sync yank owner unpublish "
    "build-dep tool cask services push"
)
_DATABASES: Final = frozenset({"sqlite3", "duckdb", "psql", "mysql", "mariadb", "sqlcmd", "mongosh", "mongo",
    "redis-cli", "sqlite",
                               "clickhouse-client", "bq",
    "snowsql", "trino", "presto", "hive", "beeline", "spark-sql", "cqlsh", "dropdb", "influx"})  # fmt: skip
_SQL: Final = re.compile(
    r"(?i)\b(drop|truncate|delete\s+from|alter|grant|revoke|update\s+\w+\s+set|insert|attach|install|load|copy|vacuum\s+into|"
    r"flushall|flushdb|xp_cmdshell|into\s+(out|dump)file|load_file|pg_read_file|program|shutdown|dropDatabase|remove|config\s+set|"
    r"create|replace|merge|exec|writefile|readfile|load_extension|edit)\b|^\s*(\.(shell|system|output|once|import|open|read|save|"
    r"backup|clone|restore|excel|log|load)|\\[!oigwc])|\|"
)  # fmt: skip


def judge_listed(call: Call) -> None:
    """Judge a tool of the tables above; others pass."""
    name = call.name
    if name in _REMOTE:
        _verbs(call, _CHANGES, "remote-change", leading=5)
    elif name in _CONTAINERS:
        _verbs(call, _CONTAINER_VERBS, "container", leading=3)
    elif name in _PACKAGERS or re.fullmatch(r"pip[\d.]+", name):
        _packages(call)
    elif name in _DATABASES:
        _database(call)


def judge_unlisted(call: Call) -> None:
    """A program that no table has, told to destroy something or to hand it to others: who does not know it, asks."""
    name = call.name
    if name in _REMOTE or name in _CONTAINERS or name in _PACKAGERS or name in _DATABASES or name in TOOLS:
        return
    _verbs(call, _DRASTIC, "unknown-change", leading=3)
    if any(map(_DRASTIC_OPTION.match, call.words)) and not {"--help", "--dry-run", "-n"} & set(call.words):
        call.object("unknown-change")


def _verbs(call: Call, verbs: frozenset[str], rule: str, leading: int) -> None:
    """Object if one of the first words that are no options is a verb that changes something."""
    if any(
        word in ("--help", "-h", "--dry-run", "--dry-run=client", "--dry-run=server", "help") for word in call.words
    ):
        return
    previous = ""
    seen = 0
    for word in call.words:
        if word.startswith("-"):
            previous = word
            continue
        # The word after a long option without "=" is most often its value.
        if previous and "=" not in previous and (seen > 0 or previous in _GLOBAL_OPTIONS):
            previous = ""
            continue
        previous = ""
        if word in ("alpha", "beta"):
            continue
        seen += 1
        if seen > leading:
            break
        if call.name in ("gcloud", "az") and seen == 1 and word not in ("login", "logout"):
            continue
        # heroku writes "apps:destroy", others "bulk-delete" and "delete_vhost"
        pieces = re.split("[-_:]", word)
        if len(pieces) > 1 and pieces[0] not in _LOOKS and {pieces[0], pieces[-1]} & (verbs & _DRASTIC):
            call.object(rule)
            return
        # aws writes "delete-bucket"; elsewhere "failover-group" is a thing, and "list-deleted" lists.
        verb = word.split("-")[0] if call.name not in ("az", "gcloud") or word.startswith("delete") else word
        if verb in _LOOKS:
            return
        if verb in verbs or UNKNOWN in word:
            call.object(rule)
            return


def _packages(call: Call) -> None:
    changes = _PACKAGE_VERBS
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
        inner = read_options(
            call.args[call.words.index("run") + 1 :], "npP", ("--with", "--python", "--name"), stop=True
        )
        call.scope.invoke(tuple(inner.operands), call.scope, call.feed) if inner.operands else None
    elif words[:1] and words[0] in _PACKAGE_NOUNS and words[1:2]:
        if words[1] in changes or words[1] in _SHARED_VERBS:
            call.object("install")
    elif call.name in ("conda", "mamba", "micromamba", "guix") and words[:1] in (["clean"], ["gc"]):
        call.object("install")
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
    if call.name == "redis-cli" and any(
        word.lower() in ("flushall", "flushdb", "config", "shutdown", "del", "eval") for word in texts
    ):
        call.object("database")


def _security(call: Call) -> None:
    """macOS keychain."""
    changes = ("dump", "export", "unlock", "delete", "set", "add", "import")
    if call.words[:1] and (call.words[0].startswith(changes) or "-w" in call.words or "-g" in call.words):
        call.object("secret")


#: What GitHub's program changes of what is there already, or starts there. A new issue or pull request takes nothing away.
_GITHUB_CHANGES: Final = names(
    "delete archive unarchive rename merge set remove transfer delete-asset upload sync add close reopen edit cancel rerun "
    "enable disable lock unlock pin unpin unlink fork deploy-key autolink stop rebuild publish"
)


def _github(call: Call) -> None:
    words = [word for word in call.words if not word.startswith("-")]
    if "--help" in call.words:
        return
    if words[:1] == ["api"]:
        long = "--method --field --raw-field --input --header --jq --template --hostname --cache --preview"
        options = read_options(call.args[1:], "XfFHq", names(long))
        methods = [value.text.upper() for value in options.values("-X", "--method")]
        sends = options.has("-f", "-F", "--field", "--raw-field", "--input")
        if any(method != "GET" for method in methods) or (sends and not methods):
            call.object("remote-change")
    elif words[:2] in (
        ["auth", "token"],
        ["auth", "refresh"],
        ["auth", "login"],
        ["auth", "logout"],
        ["auth", "setup-git"],
    ):
        call.object("secret-variable")
    elif words[:1] in (["extension"], ["alias"]) and words[1:2] in (
        ["install"],
        ["exec"],
        ["set"],
        ["import"],
        ["upgrade"],
    ):
        call.object("code-effect")
    elif any(word in _GITHUB_CHANGES for word in words[1:3]) or words[:2] == ["workflow", "run"]:
        call.object("remote-change")
    elif words[:1] and words[0] in ("gist", "secret", "variable", "ssh-key", "gpg-key"):
        call.object("remote-change") if words[1:2] not in (["list"], ["view"], ["ls"], ["get"]) else None


def _ansible(call: Call) -> None:
    inert = ("--list-hosts", "--list-tasks", "--list-tags", "--syntax-check", "--check", "-C", "--version", "--help")
    if not any(word in inert for word in call.words):
        call.object("remote-change")


#: Judges of single tools by name.
TOOLS: Final[dict[str, Callable[[Call], None]]] = {
    "security": _security, "gh": _github, "ansible": _ansible, "ansible-playbook": _ansible,
    "ansible-console": _ansible, "ansible-pull": _ansible,
}  # fmt: skip
