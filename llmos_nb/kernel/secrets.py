"""Keys, tokens and passwords: known by their names and by how they look, and taken out of whatever leaves the notebook.

What the model is asked, what is recorded, logged and shown passes :func:`redacted`. A value is a secret when it has the
form of a provider's key (forms after detect-secrets, Apache-2.0, and the providers' own pages), when it is written
beside a secret's name (``password = "…"``), or when it is the value of an environment variable, or of a variable of the
user's, with such a name. Hashes, ids and pictures look like none of these and stay.
"""

from __future__ import annotations

import base64
import functools
import itertools
import json
import os
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

__all__ = ["is_secret_name", "redacted", "redacted_data", "redacted_parts", "secret_values"]

#: Words that make a name a secret's, and pairs of words that do.
_STRONG: Final = frozenset(
    {"password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "credential", "credentials", "apikey",
     "apikeys", "authtoken"}
)  # fmt: skip
_PAIRS: Final = frozenset(
    f"{first} {second}"
    for second in ("key", "keys", "token", "tokens")
    for first in (
        "api", "access", "private", "secret", "auth", "session", "bearer", "refresh", "encryption", "signing", "account",
        "master", "ssh", "subscription", "endpoint", "license",
    )
)  # fmt: skip
#: Last words that make a name one about secrets: how many, how long, which field.
_ABOUT: Final = frozenset(
    {"count", "counts", "len", "length", "lengths", "size", "sizes", "limit", "limits", "field", "column", "col",
     "columns", "name", "names", "policy", "rule", "rules", "type", "types", "label", "labels", "prompt", "strength",
     "hint", "regex", "pattern", "ids", "id", "index", "file", "path", "url", "ratio", "score", "scores", "env", "var",
     "variable"}
)  # fmt: skip
#: First words that make a token one of a text's.
_LANGUAGE: Final = frozenset(
    {"next", "last", "first", "start", "end", "eos", "bos", "pad", "unk", "per", "current", "prev", "mask", "cls",
     "sep", "new", "each", "special"}
)  # fmt: skip
_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")

#: Before and behind a key stands nothing that it could go on with: so no piece of a hash or picture is one.
_FREE: Final = r"(?<![A-Za-z0-9+/_-])"
_END: Final = r"(?![A-Za-z0-9+/_-])"
_PEM: Final = r"[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
#: A text that each such key holds (looked for first: it is fast), what the key is called, and its form.
_FORMS: Final = tuple(
    (sign, what, re.compile(form))
    for what, signs, form in (
        ("Anthropic key", "sk-ant-", rf"{_FREE}sk-ant-[A-Za-z0-9_-]{{20,}}"),
        ("OpenAI key", "sk-", rf"{_FREE}sk-(?=[A-Za-z]*\d)[A-Za-z0-9]{{32,}}"),
        ("OpenAI key", "sk-", rf"{_FREE}sk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{{32,}}"),
        ("AWS key", "AKIA ASIA ABIA ACCA A3T", rf"{_FREE}(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{{16}}{_END}"),
        ("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_FREE}gh[pousr]_[A-Za-z0-9]{{36,}}"),
        ("GitHub token", "github_pat_", rf"{_FREE}github_pat_[A-Za-z0-9_]{{40,}}"),
        (
            "GitLab token",
            "glpat- gldt- glft- glsoat- glrt- glcbt- glptt- glagent- gloas-",
            rf"{_FREE}gl(?:pat|dt|ft|soat|rt|cbt|ptt|agent|oas)-[A-Za-z0-9_-]{{20,}}",
        ),
        ("Google key", "AIza", rf"{_FREE}AIza[0-9A-Za-z_-]{{35}}{_END}"),
        ("Hugging Face token", "hf_", rf"{_FREE}hf_[A-Za-z0-9]{{30,}}"),
        ("Slack token", "xox", rf"{_FREE}xox[abposr]-(?:\d+-)+[A-Za-z0-9-]+"),
        ("Slack address", "hooks.slack", r"https://hooks\.slack\.com/services/T\w+/B\w+/\w+"),
        ("Stripe key", "_live_", rf"{_FREE}(?:r|s)k_live_[0-9A-Za-z]{{20,}}"),
        ("npm token", "npm_", rf"{_FREE}npm_[A-Za-z0-9]{{36}}{_END}"),
        ("PyPI token", "pypi-", rf"{_FREE}pypi-[A-Za-z0-9_-]{{70,}}"),
        ("SendGrid key", "SG.", rf"{_FREE}SG\.[A-Za-z0-9_-]{{22}}\.[A-Za-z0-9_-]{{43}}{_END}"),
        ("Azure key", "AccountKey=", r"(?<=AccountKey=)[A-Za-z0-9+/=]{88}"),
        ("JSON web token", "eyJ", rf"{_FREE}eyJ[A-Za-z0-9_-]{{8,}}\.eyJ[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]{{10,}}"),
        (
            "AWS secret",
            "aws_secret_access_key",
            r"(?P<who>aws_secret_access_key[\"']?\s{0,4}[=:]\s{0,4}[\"']?)(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
        ),
        (
            "Kaggle key",
            '"key" \\"key\\"',
            r"(?P<who>username\\?\"\s{0,4}:\s{0,4}\\?\"[^\"\\]{1,64}\\?\"\s{0,4},\s{0,9}\\?\"key\\?\"\s{0,4}:\s{0,4}\\?\")"
            r"(?P<value>[0-9a-f]{32})(?=\\?\")",
        ),
        ("Twilio key", "SK", rf"{_FREE}SK[0-9a-f]{{32}}{_END}"),
        ("Telegram token", ":AA", rf"{_FREE}\d{{8,10}}:AA[A-Za-z0-9_-]{{33}}{_END}"),
        ("Databricks token", "dapi", rf"{_FREE}dapi[0-9a-f]{{32}}(?:-\d)?{_END}"),
        ("DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", rf"{_FREE}do[opr]_v1_[0-9a-f]{{64}}{_END}"),
        ("Mailgun key", "key-", rf"{_FREE}key-[0-9a-f]{{32}}{_END}"),
        ("Groq key", "gsk_", rf"{_FREE}gsk_[A-Za-z0-9]{{40,}}"),
        ("Perplexity key", "pplx-", rf"{_FREE}pplx-[A-Za-z0-9]{{40,}}"),
        ("xAI key", "xai-", rf"{_FREE}xai-[A-Za-z0-9]{{60,}}"),
        ("Replicate token", "r8_", rf"{_FREE}r8_[A-Za-z0-9]{{37,}}"),
        ("Linear key", "lin_api_", rf"{_FREE}lin_api_[A-Za-z0-9]{{40}}"),
        ("Notion token", "ntn_ secret_", rf"{_FREE}(?:ntn_[A-Za-z0-9]{{40,}}|secret_[A-Za-z0-9]{{43}}{_END})"),
        ("Vault token", "hvs. hvb.", rf"{_FREE}hv[sb]\.[A-Za-z0-9_-]{{24,}}"),
        ("Shopify token", "shpat_ shpca_ shppa_ shpss_", rf"{_FREE}shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}{_END}"),
        ("Postman key", "PMAK-", rf"{_FREE}PMAK-[0-9a-f]{{24}}-[0-9a-f]{{34}}{_END}"),
        ("Google secret", "GOCSPX-", rf"{_FREE}GOCSPX-[A-Za-z0-9_-]{{28}}"),
        ("Google token", "1//0 ya29.", rf"{_FREE}(?:1//0[A-Za-z0-9_-]{{40,}}|ya29\.[A-Za-z0-9_-]{{40,}})"),
        ("New Relic key", "NRAK-", rf"{_FREE}NRAK-[A-Z0-9]{{27}}{_END}"),
        ("Atlassian token", "ATATT3", rf"{_FREE}ATATT3[A-Za-z0-9_=-]{{100,}}"),
        ("Docker token", "dckr_pat_", rf"{_FREE}dckr_pat_[A-Za-z0-9_-]{{27,}}"),
        ("Fly token", "fo1_", rf"{_FREE}fo1_[A-Za-z0-9_-]{{40,}}"),
        ("age key", "AGE-SECRET-KEY-1", rf"{_FREE}AGE-SECRET-KEY-1[0-9A-Z]{{58}}{_END}"),
        (
            "Discord token",
            ".",
            rf"{_FREE}[MNO](?=[A-Za-z]*\d)[A-Za-z0-9]{{23,27}}\.[A-Za-z0-9_-]{{6}}\."
            rf"(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{{27,40}}{_END}",
        ),
        ("private key", "-----BEGIN", rf"-----BEGIN {_PEM}[\s\S]*?(?:-----END {_PEM}|\Z)"),
        ("bearer token", "Bearer bearer", r"(?<=[Bb]earer )[A-Za-z0-9._~+/-]{20,}=*"),
        (
            "password",
            "://",
            r"(?<=://)(?P<who>[^\s:/?#\[\]@'\"{}$<]{0,64}:)(?P<value>[^\s:/?#\[\]@'\"{}$<*]{3,256})(?=@)",
        ),
    )
    for sign in signs.split()
)
#: What stands in a name that is a secret's; looked for before anything else is.
_HINTS: Final = ("key", "token", "secret", "passw", "passphrase", "pwd", "credential")
_HINT: Final = re.compile("|".join(_HINTS))
#: What follows the name: the rest of it, perhaps a quote, an assignment, and the value, in quotes or to the line's end.
_ASSIGNED: Final = re.compile(
    r"""\w{0,40}(?:\\?["'])?\]?[ \t]{0,8}(?:=>|[:=])[ \t]{0,8}[rbuRBU]?"""
    r"""(?:(?P<quote>\\?["'])(?P<quoted>[^"'\n\\]{4,400})(?P=quote)"""
    r"""|(?P<bare>[^\s"'(){}\[\],;$<\\]{8,400})(?=\s|$|["']|\\+[nrt"']))"""
)
_NAME_BEFORE: Final = re.compile(r"[A-Za-z0-9_-]{0,40}\Z")
_REST: Final = re.compile(r"\w*")
_BARE_NAME: Final = re.compile(r"[A-Z0-9_]+\Z")
#: Values that only hold the place of one.
_PLACEHOLDER: Final = re.compile(
    r"(?i)\A(?:your|my|the|an?|some|insert|enter|change|dummy|example|test|fake|none|null|true|false|todo|placeholder)"
    r"(?:\b|[_-])|\A(.)\1*\Z|\A[<{$%*[]|redacted|\Axxx|xxxx|\.\.\.|…|\*\*\*|changeme|\Apass(?:word)?\Z|\Asecret\Z"
    r"|\A[a-z_]+\.[a-z_.]+[:\w]*\Z"
)
#: Letters of a value that is looked for wherever it appears: shorter ones are words.
SHORTEST: Final = 8
#: Bytes from which a value is looked for in base64: of shorter ones too little is certain.
_BASE64: Final = 9
#: Letters of a text, and of a value, in which letters that stand apart are looked for.
_APART_TEXT: Final = 200_000
_APART_VALUE: Final = 300
#: What stands in a secret's place.
_MARK: Final = re.compile(r"\[redacted: [^\[\]]*\]")
#: How deep data is looked through.
DEPTH: Final = 100
#: Kinds of output that are no text.
_PICTURES: Final = ("image/", "application/pdf", "audio/", "video/")


@functools.lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret: ``API_KEY``, ``dbPassword``, ``token``; not ``max_tokens``."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    if not _STRONG.isdisjoint(words) or words == ["token"]:
        return True
    if words[-1] == "token" and words[0] not in _LANGUAGE:
        return True
    return any(f"{a} {b}" in _PAIRS for a, b in itertools.pairwise(words))


def redacted(text: str, known: Mapping[str, str] | None = None) -> str:
    """``text`` with every secret in it replaced by ``[redacted: what it was]``; the very same text where none is.

    ``known`` has further secrets, and what each is called: see :func:`secret_values`.
    """
    return _redacted(text, known, [])


def _redacted(text: str, known: Mapping[str, str] | None, taken: list[str]) -> str:
    if len(text) < SHORTEST:
        return text
    for value, label in (*_environment().items(), *(known or {}).items()):
        for spelled in _spellings(value):
            if spelled in text:
                taken.append(spelled)
                text = text.replace(spelled, f"[redacted: {label}]")
        if len(text) <= _APART_TEXT and len(value) <= _APART_VALUE:
            text = _apart(value).sub(functools.partial(_whole, label, taken), text)
    for sign, what, form in _FORMS:
        if sign in text:
            text = form.sub(functools.partial(_hidden, what, taken), text)
    lower = text.lower()
    if len(lower) != len(text):  # a few letters of other scripts: places in both must be the same
        lower = "".join(c.lower() if c.isascii() else c for c in text)
    return _without_assigned(text, lower, taken) if any(hint in lower for hint in _HINTS) else text


@functools.lru_cache(maxsize=1024)
def _apart(value: str) -> re.Pattern[str]:
    """A known secret with blanks, line ends, quotes, commas and the like between its letters."""
    return re.compile(r"[\s'\",+]{0,6}".join(map(re.escape, value)))


def _whole(label: str, taken: list[str], found: re.Match[str]) -> str:
    taken.append(found[0])
    return f"[redacted: {label}]"


@functools.lru_cache(maxsize=1024)
def _spellings(value: str) -> tuple[str, ...]:
    """A known secret as it stands, and as it looks in an address, in hexadecimal, in base64, and escaped."""
    data = value.encode("utf-8", "surrogatepass")
    found = {value: None, quote(value, safe=""): None, data.hex(): None, data.hex().upper(): None}
    found[value.encode("unicode_escape").decode("ascii")] = None
    found[json.dumps(value)[1:-1]] = None
    found[value[::-1]] = None
    if len(data) >= _BASE64:
        for before in range(
            3
        ):  # within other text it begins at any of three places; what is around it changes the ends
            coded = base64.b64encode(b"\0" * before + data).decode("ascii").rstrip("=")
            middle = coded[(0, 2, 3)[before] :][
                : len(coded) - (0, 2, 3)[before] - (1 if (len(data) + before) % 3 else 0)
            ]
            found[middle] = None
            found[middle.replace("+", "-").replace("/", "_")] = None
    return tuple(sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True))


def redacted_parts(text: str, known: Mapping[str, str] | None = None) -> list[str]:
    """The secrets in ``text``: what :func:`redacted` takes out of it."""
    taken: list[str] = []
    _redacted(text, known, taken)
    return [part for whole in taken for part in _MARK.split(whole) if part]


def redacted_data(data: Any, known: Mapping[str, str] | None = None) -> Any:
    """Plain data (dicts, lists, texts) with the secrets in it replaced; the same object where there are none.

    A text under a secret's name is one; what is under a picture's kind is left as it is, and so is what is in itself.
    """
    return _clean_data(data, known, "", {}, 0)


def _clean_data(data: Any, known: Mapping[str, str] | None, name: str, seen: dict[int, Any], depth: int) -> Any:
    if isinstance(data, str):
        if name.startswith(_PICTURES):
            return data
        clean = redacted(data, known)
        return "[redacted: by its name]" if clean == data and _is_value(name, data) else clean
    if type(data) not in (dict, list, tuple):
        return data
    if id(data) in seen:  # the same thing in two places is looked at once
        return seen[id(data)]
    if depth > DEPTH:
        return "[left out: nested too deeply]"
    seen[id(data)] = data
    if isinstance(data, dict):
        items = {key: _clean_data(value, known, str(key), seen, depth + 1) for key, value in data.items()}
        made: Any = data if all(items[key] is value for key, value in data.items()) else items
    else:
        parts = [_clean_data(value, known, name, seen, depth + 1) for value in data]
        same = all(new is old for new, old in zip(parts, data, strict=True))
        made = data if same else parts if isinstance(data, list) else tuple(parts)
    seen[id(data)] = made
    return made


def secret_values(names: Mapping[str, Any]) -> dict[str, str]:
    """The texts that variables with secrets' names hold, each with what it is called in their place."""
    return {
        value: f"value of {name}"
        for name, value in list(names.items())
        if type(value) is str and isinstance(name, str) and is_secret_name(name) and _is_distinct(value)
    }


#: The surroundings as they were last looked at, and the secrets in them.
_seen: tuple[list[Any], dict[str, str]] = ([], {})


def _environment() -> dict[str, str]:
    global _seen
    raw = getattr(os.environ, "_data", os.environ)  # undecoded: comparing is a matter of a microsecond
    now = [*raw, *raw.values()]
    if now != _seen[0]:
        found = {
            value: f"value of ${name}"
            for name, value in os.environ.items()
            if is_secret_name(name) and _is_distinct(value)
        }
        _seen = (now, found)
    return _seen[1]


def _is_distinct(value: str) -> bool:
    """Whether a text is looked for wherever it appears: not so a word, a path, or what holds a secret's place."""
    if not SHORTEST <= len(value) <= 10_000 or value.startswith(("/", "~", ".")) or _PLACEHOLDER.search(value):
        return False
    kinds = sum(any(test(c) for c in value) for test in (str.islower, str.isupper, str.isdigit))
    kinds += any(not c.isalnum() and not c.isspace() for c in value)
    return kinds >= 2 or (len(value) >= 16 and " " not in value)


def _hidden(what: str, taken: list[str], found: re.Match[str]) -> str:
    if "who" in found.groupdict():
        if _PLACEHOLDER.search(found["value"]):
            return found[0]
        taken.append(found["value"])
        return f"{found['who']}[redacted: {what}]"
    taken.append(found[0])
    return f"[redacted: {what}]"


def _without_assigned(text: str, lower: str, taken: list[str]) -> str:
    """Without the values that stand beside a secret's name."""
    pieces: list[str] = []
    done = at = 0
    while (hint := _HINT.search(lower, at)) is not None:
        at = hint.end()
        found = _ASSIGNED.match(text, at)
        if found is None:
            continue
        name_end = at + len(_REST.match(text[at : at + 40])[0])  # type: ignore[index]
        before = _NAME_BEFORE.search(text, max(done, hint.start() - 40), hint.start())
        name = text[before.start() if before else hint.start() : name_end]
        kind = "quoted" if found["quoted"] is not None else "bare"
        value = found[kind]
        if kind == "bare" and not _BARE_NAME.match(name):  # an expression, unless it is a line of an environment file
            continue
        if not _is_value(name, value):
            continue
        start, at = found.span(kind)
        taken.append(value)
        pieces += [text[done:start], f"[redacted: {name}]"]
        done = at
    return "".join([*pieces, text[done:]]) if pieces else text


def _is_value(name: str, value: str) -> bool:
    """Whether ``value``, written beside ``name``, is a secret: of names that mean other things as well only what no
    person would write as a word."""
    if not name or not is_secret_name(name) or len(value) < 4 or _PLACEHOLDER.search(value):
        return False
    words = {word.lower() for word in _WORD.findall(name)}
    if words & _STRONG - {"secret", "secrets"} and " " not in value and not value.startswith(("/", "~")):
        return True
    digits = sum(c.isdigit() for c in value)
    return len(value) >= SHORTEST and " " not in value and digits >= 2 and any(c.isalpha() for c in value)
