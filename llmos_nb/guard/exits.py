"""Ways out: what a call would do that leaves the workspace, carries secrets or outlives the run.

Asked beside the guard's other rules, and only where the session has read content that its person did not write (see
:mod:`llmos_nb.guard.taint`). A command passes that is known to stay; code passes that names nothing which leads out. What
code does all the same meets :mod:`llmos_nb.guard.gate` while it runs.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

from llmos_nb.guard.cut_off import cut_off
from llmos_nb.guard.offline import outward
from llmos_nb.guard.python_cells import parse, read_cell
from llmos_nb.guard.python_names import Names
from llmos_nb.guard.python_tables import RUNS_ARGS, RUNS_LIST, RUNS_TEXT
from llmos_nb.guard.remote import loads
from llmos_nb.guard.taint import FOREIGN, TAINT_RULES, Taint, host_of, urls_in
from llmos_nb.guard.verdict import ALLOWED, Verdict, names, worst

__all__ = ["PUBLIC_HOSTS", "exits", "outward_text"]

#: Hosts that hand out public files and take nothing: who asks for what there is told to no stranger.
PUBLIC_HOSTS: Final = names(
    "raw.githubusercontent.com files.pythonhosted.org archive.ics.uci.edu ndownloader.figshare.com "
    "lib.stat.cmu.edu vincentarelbundock.github.io"
)
#: Modules whose purpose is to talk to other machines.
_NETWORK: Final = names(
    "socket socketserver ssl http httplib2 urllib urllib2 urllib3 requests requests_html httpx aiohttp pycurl smtplib "
    "ftplib poplib imaplib nntplib telnetlib xmlrpc webbrowser paramiko fabric asyncssh pysftp scp websocket "
    "websockets boto3 botocore aiobotocore s3fs gcsfs adlfs azure dropbox gspread tweepy slack slack_sdk discord telegram "
    "twilio sendgrid mailgun yagmail openai anthropic cohere mistralai groq litellm ollama huggingface_hub datasets "
    "wandb mlflow comet_ml neptune clearml kaggle kagglehub yfinance pandas_datareader wbgapi pika kafka redis pymongo "
    "psycopg psycopg2 asyncpg pymysql mysql aiomysql cx_Oracle oracledb snowflake clickhouse_driver influxdb "
    "elasticsearch opensearchpy pyodbc ldap3 dns scapy zmq grpc ray distributed ipyparallel pyro4 rpyc stomp paho nats "
    "sentry_sdk segment posthog datadog wget gdown pooch tornado twisted gevent trio anyio curl_cffi treq mechanize "
    "selenium playwright pyppeteer scrapy feedparser wikipedia googlesearch geopy folium_remote py_spy git github gitlab "
    "pip conda docker kubernetes ngrok pyngrok telebot praw atproto mastodon notion_client jira pysnmp ntplib"
)
#: Those of them that fetch what an address names: where all addresses are in the code they may be judged by them.
_FETCHERS: Final = names("urllib requests httpx urllib3 aiohttp ssl")
_DOTTED: Final = (
    "asyncio.open_connection", "asyncio.start_server", "asyncio.open_unix_connection", "multiprocessing.managers",
    "multiprocessing.connection", "logging.handlers", "dask.distributed", "google.cloud", "google.generativeai",
    "IPython.display.IFrame", "IPython.display.YouTubeVideo", "nltk.download", "spacy.cli", "torch.hub", "xmlrpc.client",
    "statsmodels.api.datasets.get_rdataset", "statsmodels.datasets.get_rdataset", "openml", "pyarrow.flight",
    "pyarrow.fs", "fsspec", "ctypes", "cffi",
)  # fmt: skip
#: Functions that fetch well-known data by name from :data:`PUBLIC_HOSTS`.
_SAMPLES: Final = ("seaborn.load_dataset", "sklearn.datasets.fetch_")
_SCHEME: Final = re.compile(r"^\s*([a-z][a-z0-9+.\-]{1,20})://", re.IGNORECASE)
_LOCAL_SCHEMES: Final = ("sqlite", "duckdb", "file", "memory", "simplecache", "zip", "mailto")
#: Files that run, or make others run, without anybody asking for it.
_LASTING: Final = re.compile(
    r"(?:^|/)(?:conftest\.py|sitecustomize\.py|usercustomize\.py|setup\.(?:py|cfg)|pyproject\.toml|Makefile|justfile|"
    r"[\w.-]*\.pth|\.envrc|\.pre-commit-config\.ya?ml|\.git/.*|\.github/.*|\.vscode/.*|\.idea/.*|\.devcontainer/.*|"
    r"\.ipython/.*|\.jupyter/.*|\.config/.*|package\.json|noxfile\.py|tox\.ini|crontab|[\w.-]*\.(?:service|timer|desktop))$",
    re.IGNORECASE,
)
#: Files in a working folder that hold keys.
_KEYS: Final = re.compile(
    r"(?:^|/)(?:\.env(?:\.[\w-]+)?|[\w.-]*\.(?:env|pem|key|p12|pfx|kdbx|jks|keystore)|\.netrc|\.pgpass|\.npmrc|\.pypirc|"
    r"[\w.-]*(?:secret|credential|passwd|password|token)s?[\w.-]*\.(?:json|ya?ml|toml|ini|txt|cfg|conf|env)|\.secrets?)$",
    re.IGNORECASE,
)
_PAGES: Final = (".html", ".htm", ".md", ".svg", ".ipynb", ".xhtml", ".markdown", ".rst", ".xml")
_CONTENT: Final = ("content", "new", "new_string", "new_source", "text")
_LASTS: Final = names("remember create_agent modify_agent")
#: A search takes words; what looks like data is none.
_LONG_WORD: Final = re.compile(r"\S{25,}|(?:\d[\s-]?){13,}")
SEARCH_LIMIT: Final = 300
#: How deep text that is run as code is followed.
DEPTH: Final = 4


def _hit(rule: str, taint: Taint, detail: object) -> Verdict:
    """``ask``, where the rule holds at the session's level."""
    found = TAINT_RULES[rule]
    if taint.level not in found.levels:
        return ALLOWED
    shown = "".join(c if c.isprintable() else "?" for c in " ".join(str(detail).split()))[:160]
    last = next((m for m in reversed(taint.marks) if m.level == taint.level), None)
    read = f"; this session read {last.what[:80]}" if last is not None else ""
    return Verdict("ask", rule, f"{found.what} ({shown}): {found.why}{read}")


def exits(
    tool: str,
    arguments: Mapping[str, Any],
    taint: Taint,
    *,
    kind: str,
    secrets: Collection[str] = (),
) -> Verdict:
    """``ask`` where a call would let something out; ``allow`` for all else, and where nothing from outside was read.

    ``kind`` is what the guard looks at in the tool's calls (``python``, ``shell``, ``write``, ``read``, ``search``,
    ``none``); ``secrets`` are names of variables that hold some.
    """
    if not taint.level:
        return ALLOWED
    if tool.startswith("mcp__"):
        return _hit("taint-send", taint, tool)
    if tool == "WebFetch":
        url = str(arguments.get("url", ""))
        return ALLOWED if taint.may_follow(url) else _hit("taint-send", taint, url)
    if tool == "WebSearch":
        query = str(arguments.get("query", ""))
        plain = len(query) <= SEARCH_LIMIT and not _LONG_WORD.search(query)
        return ALLOWED if plain else _hit("taint-send", taint, query)
    if tool in _LASTS:
        return _hit("taint-lasting", taint, tool)
    if kind == "python":
        return worst(_python(str(arguments.get("code", "")), taint, frozenset(secrets)))
    if kind == "shell":
        return worst(_shell(str(arguments.get("command", "")), taint, cut=tool == "run_shell"))
    return worst(_files(kind, arguments, taint))


def _files(kind: str, arguments: Mapping[str, Any], taint: Taint) -> Iterator[Verdict]:
    paths = [str(arguments[n]) for n in ("path", "file_path", "notebook_path") if arguments.get(n)]
    for path in paths:
        yield from _path(path, taint, writes=kind == "write")
        if kind == "write" and PurePath(path).suffix.casefold() in _PAGES:
            texts = [str(arguments[n]) for n in _CONTENT if isinstance(arguments.get(n), str)]
            edits = arguments.get("edits")
            texts += (
                [str(e.get("new_string", "")) for e in edits if isinstance(e, Mapping)]
                if isinstance(edits, list)
                else []
            )
            if any(loads(text, taint.hosts) or _remote_picture(text, taint.hosts) for text in texts):
                yield _hit("taint-page", taint, path)


def _remote_picture(text: str, hosts: Collection[str]) -> bool:
    from llmos_nb.guard.remote import without_remote_text

    return "![" in text and without_remote_text(text, hosts) != text and "//" in text


def _path(path: str, taint: Taint, *, writes: bool) -> Iterator[Verdict]:
    plain = path.replace("\\", "/")
    if _KEYS.search(plain):
        yield _hit("taint-secret", taint, path)
    if writes and _LASTING.search(plain):
        yield _hit("taint-lasting", taint, path)


# -- shell


#: Commands that are of no use without a network.
_SENDERS: Final = re.compile(
    r"(?<![\w./-])(?:curl|wget|ssh|scp|sftp|ftp|lftp|rsync|nc|ncat|netcat|socat|telnet|dig|nslookup|host|ping|traceroute|"
    r"http|https|aria2c|mail|mailx|sendmail|mutt|rclone|gh|aws|gcloud|az|kubectl|docker|podman|pip|pip3|conda|mamba|npm|npx|"
    r"yarn|pnpm|uv|cargo|apt|apt-get|brew|twine|crontab|at|systemctl|dbus-send|gdbus|xdg-open|screen|tmux)(?![\w-])|"
    r"\bgit\s+(?:[^|;&]*\s)?(?:push|fetch|pull|clone|ls-remote|submodule|send-email|remote|config)\b|/dev/(?:tcp|udp)/|\.sock\b"
)


def _shell(command: str, taint: Taint, *, cut: bool) -> Iterator[Verdict]:
    """``cut``: the command is run without a network where nobody agreed to it, if this machine can do that."""
    if why := outward_text(command):
        sends = _SENDERS.search(command)
        if sends or not cut or not cut_off():
            yield _hit("taint-send" if sends else "taint-program", taint, why)
    for word in re.findall(r"[\w./~-]+", command):
        yield from _path(word, taint, writes=">" in command or "tee" in command or "cp" in command or "mv" in command)


def outward_text(command: str) -> str:
    """Why a command line may reach outside, or run what may; empty where every command in it is known to stay."""
    from llmos_nb.guard.shell_parser import parsed

    source = command.encode("utf-8", "replace")
    root = parsed(source)
    if root is None or root.has_error:
        return command
    waiting = [root]
    while waiting:
        node = waiting.pop()
        text = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if node.type in ("function_definition", "process_substitution"):
            return text
        if node.type == "variable_assignment" and text.startswith(
            ("PATH=", "LD_", "BASH_ENV=", "ENV=", "GIT_", "PROMPT_")
        ):
            return text
        if node.type in ("file_redirect", "heredoc_redirect") and ("/dev/tcp" in text or "/dev/udp" in text):
            return text
        if node.type == "command":
            words = _words_of(node, source)
            if words is None:
                return text
            if why := outward(words):
                return why
        waiting.extend(node.named_children)
    return ""


def _words_of(node: Any, source: bytes) -> tuple[str, ...] | None:
    """A simple command's words; None where its name is only known when it runs."""
    words: list[str] = []
    for child in node.named_children:
        text = source[child.start_byte : child.end_byte].decode("utf-8", "replace")
        if child.type == "command_name":
            if any(c in text for c in "$`\\\"'*?{~"):
                return None
            words.append(text)
        elif child.type not in ("variable_assignment", "file_redirect", "heredoc_redirect", "herestring_redirect"):
            words.append(text.strip("'\"") if text[:1] in "'\"" else text)
    return tuple(words)


# -- Python


def _python(code: str, taint: Taint, secrets: frozenset[str]) -> Iterator[Verdict]:
    cell = read_cell(code)
    for command in cell.shell:
        if "{" in command or (why := outward_text(command)):
            yield _hit("taint-program", taint, command if "{" in command else why)
    for program, body in cell.foreign:
        why = outward_text(body) if program in ("bash", "sh", "script bash", "!") else program
        if why:
            yield _hit("taint-program", taint, why)
    for text in cell.python:
        if not text.strip():
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(text)
        if tree is not None:
            yield from _tree(tree, taint, secrets)


def _tree(tree: ast.Module, taint: Taint, secrets: frozenset[str], depth: int = 0) -> Iterator[Verdict]:
    found = Names(tree)
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    known = {*taint.hosts, *PUBLIC_HOSTS}
    addresses = [text for node in ast.walk(tree) if id(node) not in docs and (text := _address(node))]
    strange = [url for url in addresses if host_of(url) not in known]
    judged_by_address = bool(addresses) and not strange and taint.level != FOREIGN
    for url in strange if taint.level != FOREIGN else addresses:
        yield _hit("taint-send", taint, url)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _import(node, taint, judged_by_address)
        elif isinstance(node, ast.Call):
            yield from _call(node, found, taint, depth)
        elif isinstance(node, ast.Attribute):
            name = found.dotted(node)
            if name.startswith(_DOTTED):
                yield _hit("taint-send", taint, name)
        elif isinstance(node, ast.Name) and node.id in secrets and isinstance(node.ctx, ast.Load):
            yield _hit("taint-secret", taint, node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 300:
            if node.value in secrets:
                yield _hit("taint-secret", taint, node.value)
            if id(node) not in docs:
                yield from _path(node.value, taint, writes=True)


def _address(node: ast.AST) -> str:
    """The remote address that a literal text is, or begins with."""
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        node = node.values[0]
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
        return ""
    text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].casefold().partition("+")[0] not in _LOCAL_SCHEMES:
        return text
    return next(iter(urls_in(text)), "") if "](" in text or "<" in text else ""


def _import(node: ast.Import | ast.ImportFrom, taint: Taint, judged_by_address: bool) -> Iterator[Verdict]:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        modules = [f"{node.module or ''}.{alias.name}" for alias in node.names] if not node.level else []
    for module in modules:
        root = module.partition(".")[0]
        if module.startswith(("urllib.parse", "http.HTTPStatus", "html")):
            continue
        if (root in _NETWORK and not (judged_by_address and root in _FETCHERS)) or module.startswith(_DOTTED):
            yield _hit("taint-send", taint, f"import {module}")


def _call(node: ast.Call, found: Names, taint: Taint, depth: int) -> Iterator[Verdict]:
    name = found.dotted(node.func).removeprefix("builtins.")
    first = (
        node.args[0]
        if node.args
        else next((k.value for k in node.keywords if k.arg in ("args", "cmd", "command")), None)
    )
    if name in ("__import__", "importlib.import_module"):
        text = found.literal(first)
        if text is None or text.partition(".")[0] in _NETWORK:
            yield _hit("taint-send", taint, ast.unparse(node))
    elif name.startswith(_SAMPLES):
        if taint.level == FOREIGN:
            yield _hit("taint-send", taint, name)
    elif name.startswith(_DOTTED):
        yield _hit("taint-send", taint, name)
    elif name in ("eval", "exec") and (inside := found.literal(first)) is not None:
        if (tree := parse(inside)) is not None and depth < DEPTH:
            yield from _tree(tree, taint, frozenset(), depth + 1)
    elif name in ("eval", "exec"):
        yield _hit("taint-program", taint, ast.unparse(node))
    elif name in RUNS_TEXT:
        text = found.literal(first)
        if text is None or outward_text(text):
            yield _hit("taint-program", taint, ast.unparse(node))
    elif name in RUNS_LIST or name.startswith(RUNS_ARGS):
        yield from _started(node, first, found, taint)


def _started(node: ast.Call, first: ast.expr | None, found: Names, taint: Taint) -> Iterator[Verdict]:
    if isinstance(first, ast.List | ast.Tuple):
        words = [found.literal(item) for item in first.elts]
        if words and None not in words:
            plain = tuple(word or "" for word in words)
            why = (
                outward_text(plain[2])
                if len(plain) > 2 and plain[0].endswith("sh") and plain[1] == "-c"
                else outward(plain)
            )
            if not why:
                return
    elif (text := found.literal(first)) is not None and not outward_text(text):
        return
    yield _hit("taint-program", taint, ast.unparse(node))
