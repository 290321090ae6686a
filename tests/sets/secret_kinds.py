"""Made-up keys, tokens and passwords in the form of real ones, by kind, each between what may stand around it."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["KINDS", "made"]

_rng = random.Random(7)
_LETTERS = string.ascii_letters + string.digits


def r(length: int, letters: str = _LETTERS) -> str:
    return "".join(_rng.choice(letters) for _ in range(length))


def b64(length: int) -> str:
    return base64.b64encode(_rng.randbytes(length)).decode()


KINDS: dict[str, Callable[[], Any]] = {
    "anthropic": lambda: "sk-ant-api03-" + r(95, _LETTERS + "_-"),
    "openai": lambda: "sk-" + r(19) + "7" + r(28),
    "openai project": lambda: "sk-proj-" + r(80, _LETTERS + "_-"),
    "aws id": lambda: "AKIA" + r(16, string.ascii_uppercase + string.digits),
    "aws secret beside its name": lambda: ("aws_secret_access_key = ", b64(30)),
    "github": lambda: "ghp_" + r(36),
    "github fine": lambda: "github_pat_" + r(22) + "_" + r(59),
    "gitlab": lambda: "glpat-" + r(20),
    "google": lambda: "AIza" + r(35, _LETTERS + "_-"),
    "hugging face": lambda: "hf_" + r(34),
    "slack": lambda: "xoxb-" + r(12, string.digits) + "-" + r(12, string.digits) + "-" + r(24),
    "slack hook": lambda: "https://hooks.slack.com/services/T" + r(8) + "/B" + r(8) + "/" + r(24),
    "stripe": lambda: "sk_live_" + r(24),
    "npm": lambda: "npm_" + r(36),
    "pypi": lambda: "pypi-AgEIcHlwaS5vcmc" + r(140, _LETTERS + "_-"),
    "sendgrid": lambda: "SG." + r(22, _LETTERS + "_-") + "." + r(43, _LETTERS + "_-"),
    "azure": lambda: ("DefaultEndpointsProtocol=https;AccountName=x;AccountKey=", b64(64)),
    "jwt": lambda: "eyJhbGciOiJIUzI1NiJ9.eyJ" + r(40) + "." + r(43, _LETTERS + "_-"),
    "private key": lambda: (
        "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(b64(48) for _ in range(5)) + "\n-----END RSA PRIVATE KEY-----"
    ),
    "bearer": lambda: ("Authorization: Bearer ", r(40)),
    "url password": lambda: ("postgresql://me:", r(14), "@db.example.org/x"),
    "password in code": lambda: ('password = "', r(14) + "!", '"'),
    "env line": lambda: ("DB_PASSWORD=", r(16)),
    "json key": lambda: ('{"api_key": "', r(32), '"}'),
    "twilio": lambda: "SK" + r(32, "0123456789abcdef"),
    "telegram": lambda: r(9, "123456789") + ":AA" + r(33, _LETTERS + "_-"),
    "databricks": lambda: "dapi" + r(32, "0123456789abcdef"),
    "digitalocean": lambda: "dop_v1_" + r(64, "0123456789abcdef"),
    "mailgun": lambda: "key-" + r(32, "0123456789abcdef"),
    "discord": lambda: "M" + r(25) + "." + r(6) + "." + r(38, _LETTERS + "_-"),
    "groq": lambda: "gsk_" + r(52),
    "perplexity": lambda: "pplx-" + r(48),
    "xai": lambda: "xai-" + r(80),
    "replicate": lambda: "r8_" + r(37),
    "linear": lambda: "lin_api_" + r(40),
    "notion": lambda: "ntn_" + r(46),
    "vault": lambda: "hvs." + r(90),
    "shopify": lambda: "shpat_" + r(32, "0123456789abcdef"),
    "postman": lambda: "PMAK-" + r(24, "0123456789abcdef") + "-" + r(34, "0123456789abcdef"),
    "google oauth": lambda: "GOCSPX-" + r(28, _LETTERS + "_-"),
    "google refresh": lambda: "1//0" + r(60, _LETTERS + "_-"),
    "new relic": lambda: "NRAK-" + r(27, string.ascii_uppercase + string.digits),
    "atlassian": lambda: "ATATT3xFfGF0" + r(170, _LETTERS + "_-="),
    "docker": lambda: "dckr_pat_" + r(27, _LETTERS + "_-"),
    "fly": lambda: "fo1_" + r(43, _LETTERS + "_-"),
    "age": lambda: "AGE-SECRET-KEY-1" + r(58, string.ascii_uppercase + string.digits),
    "wandb beside its name": lambda: ("WANDB_API_KEY=", r(40, "0123456789abcdef")),
    "kaggle json": lambda: ('{"username":"me","key":"', r(32, "0123456789abcdef"), '"}'),
}


def made(each: int) -> Iterator[tuple[str, str, str]]:
    """``each`` of every kind: the kind, the secret, and a text that has it."""
    for kind, make in KINDS.items():
        for _ in range(each):
            found = make()
            before, value, after = ("", found, "") if isinstance(found, str) else (*found, "", "")[:3]
            yield kind, value, f"before {before}{value}{after}\nafter"
