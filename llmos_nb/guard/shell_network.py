"""Commands that talk to other machines: fetching is allowed, sending, listening and remote shells ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from llmos_nb.guard.places import is_secret
from llmos_nb.guard.shell_files import judge_into, judge_read, judge_write
from llmos_nb.guard.shell_options import read_options
from llmos_nb.guard.shell_scope import FETCHED, UNKNOWN, Arg, Call, unknown
from llmos_nb.guard.verdict import names

__all__ = ["NETWORK"]

_CURL_SHORT: Final = "AbcCdDeEFhHKmoPQrTtuUwxXyYz"
_CURL_LONG: Final = frozenset(
    f"--{name}"
    for name in names(
        "user-agent cookie cookie-jar continue-at data data-raw data-binary data-ascii data-urlencode dump-header "
        "referer cert key cacert capath form form-string header config max-time output output-dir quote range upload- "
        "file user proxy proxy-user proxy-header write-out request url json netrc-file connect-timeout retry retry- "
        "delay resolve connect-to doh-url interface limit-rate trace trace-ascii stderr socks5 socks5-hostname "
        "noproxy max-redirs dns-servers unix-socket variable cert-type key-type pass ciphers hostpubmd5 pubkey engine "
        "random-file egd-file crlfile pinnedpubkey aws-sigv4 oauth2-bearer mail-from mail-rcpt telnet-option tftp- "
        "blksize libcurl etag-save etag-compare hsts alt-svc keepalive-time max-filesize parallel-max rate proto "
        "proto-default proto-redir time-cond local-port socks4 socks4a preproxy service-name url-query"
    )
)
_SENDS: Final = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "-F", "--form",
                 "--form-string", "-T", "--upload-file", "--json")  # fmt: skip
#: Options whose value is sent along with a request.
_CARRIERS: Final = names(
    "-A --user-agent -H --header -e --referer -u --user -b --cookie -x --proxy --proxy-header --url-query"
)
_SAVES: Final = names(
    "-o --output -D --dump-header -c --cookie-jar --trace --trace-ascii --stderr --etag-save --hsts --alt-svc"
)
_WGET_LONG: Final = names(
    "--post-data --post-file --body-data --body-file --method --output-document --directory-prefix --output-file "
    "--append-output --header --user-agent --timeout --tries --execute --input-file --user --password --config --wait "
    "--level --accept --reject --save-cookies --load-cookies --warc-file --referer"
)
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def _fetched(call: Call, word: Arg) -> None:
    """A file that is written from the network: running it later in this command line is denied."""
    judge_write(word, call.scope, call.text)
    for place in call.scope.places(word.text):
        if place is not None:
            call.scope.written[str(place)] = UNKNOWN + FETCHED


def _curl(call: Call) -> None:
    options = read_options(call.args, _CURL_SHORT, _CURL_LONG)
    for option, value in options.given:
        text = "" if value is None else value.text
        if option in _SENDS or (len(option) > 4 and option.startswith(("--data", "--form", "--upload", "--json"))):
            call.object("upload")
            if option == "-T" or "@" in text or "<" in text or option.startswith("--upload"):
                judge_read(Arg(text.rpartition("@")[2].rpartition("<")[2].split(";")[0]), call.scope, call.text)
        elif option in ("-X", "--request") and text.upper() not in _SAFE_METHODS:
            call.object("upload")
        elif option in ("-Q", "--quote") and text.upper().split(" ")[0].lstrip("-+*") not in (
            "LIST",
            "NLST",
            "PWD",
            "STAT",
            "NOOP",
            "HELP",
            "TYPE",
            "CDUP",
            "CWD",
        ):
            call.object("remote-change")
        elif option in (
            "-K",
            "--config",
            "--variable",
            "--libcurl",
            "-t",
            "--telnet-option",
            "--mail-rcpt",
            "--engine",
        ):
            call.object("upload")
        elif option in _SAVES and text != "-":
            _fetched(call, Arg(text))
        elif option in ("-b", "--cookie") and "=" not in text:
            judge_read(Arg(text), call.scope, call.text)
        elif option in _CARRIERS and UNKNOWN in text and FETCHED not in text:
            call.object("upload")
        elif option == "--output-dir":
            judge_write(Arg(text), call.scope, call.text)
        elif option in ("-n", "--netrc", "--netrc-optional", "--netrc-file"):
            call.object("secret-variable")
    if options.has("-O", "--remote-name", "--remote-name-all", "-J"):
        for url in options.operands:
            _fetched(call, Arg(url.text.rstrip("/").rpartition("/")[2] or "index.html"))
    for url in (*options.operands, *options.values("--url")):
        if url.text.startswith("file:"):
            judge_read(Arg(url.text.removeprefix("file://")), call.scope, call.text)
        _carries(call, url)


def _carries(call: Call, word: Arg) -> None:
    """An address made from a program's output or a file may carry it away."""
    if UNKNOWN in word.text and (FETCHED not in word.text) and not word.text.startswith(UNKNOWN):
        call.object("upload")


def _wget(call: Call) -> None:
    options = read_options(call.args, "OPoaUTteilwAReDQB", _WGET_LONG)
    if options.has("--post-data", "--post-file", "--body-data", "--body-file"):
        call.object("upload")
        for value in options.values("--post-file", "--body-file"):
            judge_read(value, call.scope, call.text)
    if any(value.text.upper() not in _SAFE_METHODS for value in options.values("--method")):
        call.object("upload")
    if options.has("-e", "--execute", "--use-askpass", "--config"):
        call.object("code-effect")
    targets = [v for v in options.values("-O", "--output-document", "-o", "--output-file", "-a", "--append-output", "-P",
                                         "--directory-prefix", "--save-cookies") if v.text != "-"]  # fmt: skip
    for value in targets:
        _fetched(call, value)
    if not options.values("-O", "--output-document") and not options.has("--spider"):
        for url in options.operands:
            _fetched(call, Arg(url.text.rstrip("/").rpartition("/")[2].split("?")[0] or "index.html"))
    for url in (
        *options.operands,
        *options.values("--header", "--user-agent", "-U", "--referer", "--user", "--password"),
    ):
        _carries(call, url)
    if any(
        v.unknown and FETCHED not in v.text for v in options.values("--header", "--user-agent", "-U", "--referer")
    ):
        call.object("upload")


def _copy(call: Call) -> None:
    """scp, rsync: to another machine, or deleting at the target."""
    remote = [":" in word and not word.startswith(("-", "/", "./")) for word in call.words]
    if any(remote) or any("://" in word for word in call.words):
        last = next((i for i in reversed(range(len(remote))) if not call.words[i].startswith("-")), 0)
        call.object("upload" if remote and remote[last] else "connect")
    operands = [arg for arg in call.args if not arg.text.startswith("-")]
    for word in operands:
        judge_read(word, call.scope, call.text)
    if call.name == "rsync":
        if any(word.startswith(("--del", "--remove-source", "--daemon")) for word in call.words):
            call.object("delete-broad")
        if operands and not any(remote):
            judge_write(operands[-1], call.scope, call.text)
            judge_into(call, operands[:-1], operands[-1:])
    elif operands and not remote[-1]:
        judge_write(operands[-1], call.scope, call.text)
        judge_into(call, [Arg(word.text.rpartition(":")[2]) for word in operands[:-1]], operands[-1:])


def _socket(call: Call) -> None:
    """nc, socat, telnet ...: data and commands in both directions."""
    if call.words in (["-h"], ["--help"], ["-V"], ["--version"]):
        return
    call.object("connect")
    for word in call.words:
        head, _, rest = word.partition(":")
        if head.upper() in ("EXEC", "SYSTEM", "SHELL"):
            call.scope.run(rest.strip("'\""), call.scope.child(), unknown())
        if head.upper() in ("OPEN", "FILE", "GOPEN", "CREATE", "CREAT") and is_secret(Path(rest.split(",")[0])):
            call.object("secret")
    if call.name in ("nc", "ncat", "netcat"):
        options = read_options(call.args, "ecgGiIopPqsTwWxX", ("--exec", "--sh-exec", "--lua-exec"))
        for value in options.values("-e", "-c", "--exec", "--sh-exec"):
            call.scope.run(value.text, call.scope.child(), unknown())


def _lookup(call: Call) -> None:
    """Look-ups of names: what stands in the name reaches a stranger's server."""
    if any(UNKNOWN in word for word in call.words):
        call.object("upload")


def _always(rule: str) -> Callable[[Call], None]:
    def judge(call: Call) -> None:
        if not (call.words and call.words[-1] in ("--help", "--version", "-h", "-V")):
            call.object(rule)

    return judge


def _rclone(call: Call) -> None:
    """Storage elsewhere: only looking at what is there is nobody's loss."""
    verb = next((word for word in call.words if not word.startswith("-")), "version")
    if verb not in ("ls", "lsd", "lsl", "lsf", "lsjson", "size", "tree", "about", "listremotes", "version", "help"):
        call.object("upload")


#: Commands that always ask, by rule.
_ALWAYS: Final = {
    "connect": names(
        "sftp ftp lftp tftp ngrok cloudflared mosh rsh rlogin http https aria2c axel chisel smbclient ssh-copy-id "
        "tcpdump nmap xh curlie httpie gftp ncftp sshfs"
    ),
    "upload": names(
        "twine mail mailx sendmail mutt msmtp swaks croc wormhole magic-wormhole ffsend transfer telegram-send slackcat "
        "ntfy surge mbsync offlineimap syncthing lsyncd lp lpr"
    ),
}
#: Judges of network commands by name.
NETWORK: Final[dict[str, Callable[[Call], None]]] = {
    **{name: _always(rule) for rule, listed in _ALWAYS.items() for name in listed},
    "rclone": _rclone,
    "curl": _curl, "wget": _wget, "scp": _copy, "rsync": _copy, "nc": _socket, "ncat": _socket, "netcat": _socket,
    "socat": _socket, "telnet": _socket, "dig": _lookup, "nslookup": _lookup, "host": _lookup, "ping": _lookup,
    **dict.fromkeys(("ping6", "traceroute", "tracepath", "mtr", "whois", "finger", "drill", "delv", "kdig", "resolvectl",
                     "getent"), _lookup),
}  # fmt: skip
