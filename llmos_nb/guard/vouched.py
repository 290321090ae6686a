"""What a person has trusted of a workspace's ``llmos.toml``, with a mark that nobody else can make.

The file may come with a folder from somebody else: by git, in an archive. What in it tightens is in force at once; what
loosens waits until the person, or the system for them, has put a mark to just these words. It lies beside the file, in
``.llmos/policy.json``, and is made with the person's own key (:mod:`llmos_nb.kernel.trust`), so it cannot be brought along.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import StoreError
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.trust import Trust
from llmos_nb.kernel.whose import own_work

__all__ = ["DIGESTS", "Vouched", "vouch", "vouched"]

#: Digests of files that are trusted without a mark, with commas between: for machines where nobody sits.
DIGESTS: Final = "LLMOSNB_TRUST_POLICY"
_NAMED: Final = frozenset(filter(None, (one.strip() for one in os.environ.get(DIGESTS, "").split(","))))
_FILE: Final = os.path.join(".llmos", "policy.json")
_LIMIT: Final = 4_000_000
#: Letters of the digest that says which content a person has seen.
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Vouched:
    """``[[guard]]`` tables in their order, and options with their values."""

    rules: tuple[Mapping[str, str], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What stands for just this content."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:_SHOWN]

    @property
    def named(self) -> bool:
        """Whether the surroundings say that it is trusted."""
        return bool(_NAMED) and self.digest in _NAMED

    @property
    def text(self) -> str:
        """The content in one spelling."""
        told = {"rules": [dict(rule) for rule in self.rules], "options": dict(self.options)}
        return json.dumps(told, sort_keys=True, default=str)


#: By file: what was read there, and the stamp that it had.
_seen: Final[dict[str, tuple[tuple[int, ...], Vouched]]] = {}
#: What could be kept nowhere, for as long as this process lives.
_unkept: Final[dict[str, Vouched]] = {}
_NOTHING: Final = Vouched()


def vouched(workspace: Path) -> Vouched:
    """What the person has trusted in this workspace, a resolved path; nothing where there is no mark of theirs."""
    path = os.path.join(workspace, _FILE)
    if path in _unkept:
        return _unkept[path]
    try:
        found = os.stat(path)
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)
        known = _seen.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        if found.st_size > _LIMIT:
            return _NOTHING
        told = json.loads(Path(path).read_bytes())
        one = Vouched(_rules(told["rules"]), dict(told["options"]))
        good = Trust.here().knows("policy", "llmos.toml", one.text, told["mark"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, StoreError):
        return _NOTHING
    _seen[path] = (stamp, one if good else _NOTHING)
    return _seen[path][1]


def _rules(told: Sequence[Any]) -> tuple[Mapping[str, str], ...]:
    return tuple({str(key): str(value) for key, value in rule.items()} for rule in told)


def vouch(workspace: Path, content: Vouched) -> str:
    """Trust this content, and nothing but it, from now on, in this workspace, a resolved path. Returns why that holds in
    this process alone, if it does.

    Raises:
        GuardDenied: it is an agent's own code that asks.
    """
    path = os.path.join(workspace, _FILE)
    try:
        mark = Trust.here().sign("policy", "llmos.toml", content.text)
        told = {**json.loads(content.text), "mark": mark}
        with own_work():
            atomic_write(Path(path), (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))
    except StoreError as error:
        _unkept[path] = content
        return error.message
    _unkept.pop(path, None)
    _seen.pop(path, None)
    return ""
