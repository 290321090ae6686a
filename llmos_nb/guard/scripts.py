"""Whose the scripts in ``workspace/scripts/`` are: what the scripted endpoint plays is a program, and may be a stranger's.

A folder from somebody else may bring scripts that claim any goal. Played they are like a recorded trace: code that runs in
the kernel, chosen beforehand by whoever wrote it. So a script is played once the person has seen and trusted it as it is;
what changes later is asked anew. The marks lie in ``.llmos/scripts.json`` and are made with the person's own key
(:mod:`llmos_nb.kernel.trust`). Who writes scripts names their folder in the surroundings, and is not asked.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llmos_nb.errors import StoreError
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.trust import Trust
from llmos_nb.kernel.whose import own_work

__all__ = ["FOLDERS", "ForeignScript", "foreign_scripts", "is_own_script", "trust_scripts"]

#: Folders whose scripts are one's own, as in ``PATH``: for who writes them, and where nobody sits.
FOLDERS: Final = "LLMOSNB_TRUST_SCRIPTS"
#: Read once: code that runs later does not change it.
_OWN_FOLDERS: Final = tuple(
    os.path.realpath(one) for one in os.environ.get(FOLDERS, "").split(os.pathsep) if one.strip()
)
_FILE: Final = Path(".llmos", "scripts.json")
_LIMIT: Final = 4_000_000
#: Bytes of a script that can be looked at; longer ones are none (:mod:`llmos_nb.cortex.scripted.library`).
_SCRIPT_LIMIT: Final = 256_000


@dataclass(frozen=True, slots=True)
class ForeignScript:
    """A script that nobody here has trusted, and what it says."""

    name: str
    text: str
    digest: str


def is_own_script(path: Path, data: bytes) -> bool:
    """Whether a script of a workspace is played, given what is in it."""
    real = os.path.realpath(path.parent)
    if any(os.path.commonpath((real, folder)) == folder for folder in _OWN_FOLDERS):
        return True
    return _marked(path.parent.parent, path.name) == hashlib.sha256(data).hexdigest()


def foreign_scripts(workspace: Path) -> tuple[ForeignScript, ...]:
    """The scripts of a workspace that wait to be trusted."""
    found = []
    for path in sorted((workspace / "scripts").glob("*.md")):
        try:
            data = path.read_bytes() if path.stat().st_size <= _SCRIPT_LIMIT else b""
        except OSError:
            continue
        if data and path.stem.lower() != "readme" and not is_own_script(path, data):
            found.append(ForeignScript(path.name, data.decode("utf-8", "replace"), hashlib.sha256(data).hexdigest()))
    return tuple(found)


def trust_scripts(workspace: Path, seen: Sequence[ForeignScript]) -> None:
    """Have the scripts that a person has seen played, just as they were seen.

    Raises:
        GuardDenied: it is an agent's own code that asks.
        StoreError: that cannot be kept.
    """
    marks = _read(workspace)
    for one in seen:
        mark = Trust.here().sign("script", one.name, one.digest)
        marks[one.name] = {"digest": one.digest, "mark": mark}
    with own_work():
        atomic_write(workspace / _FILE, (json.dumps(marks, indent=1, sort_keys=True) + "\n").encode("utf-8"))


def _marked(workspace: Path, name: str) -> str:
    """The digest of the content of that name that the person has trusted; empty where there is none."""
    try:
        told = _read(workspace)[name]
        digest = str(told["digest"])
        return digest if Trust.here().knows("script", name, digest, told["mark"]) else ""
    except (KeyError, TypeError, StoreError):
        return ""


def _read(workspace: Path) -> dict[str, dict[str, str]]:
    path = workspace / _FILE
    try:
        told = json.loads(path.read_bytes()) if path.stat().st_size <= _LIMIT else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
