"""``state/variables.json``: the variables that runs of a project made, so that a new kernel can see them, and have back
those that JSON can hold."""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import ProjectError
from llmos_nb.kernel.files import atomic_write, make_folder
from llmos_nb.kernel.secrets import redacted_data
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.folder import locked
from llmos_nb.projects.history import PATIENCE_S

__all__ = ["Restored", "keep_variables", "read_variables", "restore"]

#: Characters of one value, and names in one file.
VALUE_LIMIT: Final = 10_000
NAMES_LIMIT: Final = 1_000
#: Version of the file's form; a higher one is refused, not written over.
VERSION: Final = 1
FILE_LIMIT: Final = 32 * 1024 * 1024
_TOO_LONG: Final = f"it is longer than {VALUE_LIMIT} characters"
#: Names of variables whose values are never written down.
_SECRET: Final = re.compile(r"secret|passw|token|api_?key|credential|private_?key|(?:^|_)(?:key|pwd)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: the names that were bound, and the others with why they were not."""

    names: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"Restored: {', '.join(self.names) or 'nothing'}."]
        lines += [f"{name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def read_variables(path: Path) -> dict[str, dict[str, Any]]:
    """The kept variables by name, each with ``type`` and either ``value`` or ``why_not``.

    Raises:
        ProjectError: the file cannot be read or is not what this module writes.
    """
    try:
        if path.is_symlink():
            raise ProjectError(f"{spelled(path)}: is a symbolic link.", remedy="Put the file itself there.")
        if path.stat().st_size > FILE_LIMIT:
            raise ProjectError(
                f"{spelled(path)}: more than {FILE_LIMIT} bytes.", remedy="Move it away; it is made anew."
            )
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ProjectError(
            f"{spelled(path)}: cannot be read ({error.strerror or error}).", remedy="Correct it."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ProjectError(f"{spelled(path)}: is no JSON: {error}.", remedy="Correct it, or move it away.") from error
    if isinstance(kept, dict) and isinstance(kept.get("version"), int) and kept["version"] > VERSION:
        raise ProjectError(
            f"{spelled(path)}: was written by a newer llmos_nb (its version is {kept['version']}; this one reads up to "
            f"{VERSION}).",
            remedy="Update llmos_nb (pip install -U llmos-nb).",
        )
    found = kept.get("variables") if isinstance(kept, dict) else None
    if not isinstance(found, dict) or not all(
        isinstance(one, dict) and isinstance(one.get("type"), str) for one in found.values()
    ):
        raise ProjectError(
            f"{spelled(path)}: must hold variables by name, each with its type.",
            remedy="Correct it, or move it away.",
        )
    return found


def keep_variables(path: Path, names: Mapping[str, Any], made: Iterable[str], gone: Iterable[str] = ()) -> None:
    """Note the values that ``made`` have in ``names``, and forget ``gone``; what other runs noted stays.

    Raises:
        ProjectError: the file that is there is not what this module writes.
        StoreError, OSError: it cannot be written.
    """
    make_folder(path.parent)
    with locked(path.parent, PATIENCE_S):
        kept = read_variables(path)
        before = dict(kept)
        for name in gone:
            if name not in names:
                kept.pop(name, None)
        for name in made:
            if name in names and not name.startswith("_") and not issubclass(type(names[name]), types.ModuleType):
                kept.pop(name, None)  # the newest last
                try:
                    kept[name] = _described(name, names[name])
                except Exception as error:  # noqa: BLE001 - whatever an object of the user's own raises when it is looked at
                    why = f"it cannot be looked at ({type(error).__name__})"
                    kept[name] = {"type": type(names[name]).__name__, "why_not": why}
        for name in list(kept)[: max(0, len(kept) - NAMES_LIMIT)]:
            del kept[name]
        if kept != before or list(kept) != list(before):
            text = json.dumps({"version": VERSION, "variables": kept}, ensure_ascii=False, indent=1) + "\n"
            atomic_write(path, text.encode("utf-8", "backslashreplace"))


def restore(
    kept: Mapping[str, Mapping[str, Any]],
    names: MutableMapping[str, Any],
    wanted: Iterable[str] | None = None,
    *,
    overwrite: bool = False,
) -> Restored:
    """Bind the kept values in ``names``: all, or those that are ``wanted``. What is there already stays, unless
    ``overwrite``."""
    bound, left_out = [], {}
    for name in kept if wanted is None else dict.fromkeys(wanted):
        if name not in kept:
            left_out[name] = "no run of this project made it"
        elif "value" not in kept[name]:
            left_out[name] = str(kept[name].get("why_not") or "its value was not kept")
        elif not name.isidentifier():
            left_out[name] = "is no name of a variable"
        elif name in names and not overwrite and not _same(names[name], kept[name]["value"]):
            left_out[name] = "there is a variable of this name with another value; overwrite=True replaces it"
        else:
            names[name] = json.loads(json.dumps(kept[name]["value"]))
            bound.append(name)
    return Restored(tuple(bound), left_out)


def _described(name: str, value: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"type": type(value).__name__}
    if _SECRET.search(name):
        return {**about, "why_not": "its name says that it is a secret"}
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(side, int) for side in shape):
        about["shape"] = list(shape)
    if type(value).__name__ == "DataFrame" and hasattr(value, "columns"):
        about["columns"] = [str(column)[:200] for column in list(value.columns)[:200]]
    room = [VALUE_LIMIT]
    if not _plain(value, room):
        long = room[0] < 0 or (type(value) in (list, dict, str) and len(value) > VALUE_LIMIT)
        return {**about, "why_not": _TOO_LONG if long else f"JSON cannot hold it ({about['type']})"}
    try:
        text = json.dumps(value, ensure_ascii=False)
        same = len(text) <= VALUE_LIMIT and json.loads(text) == value
        text.encode("utf-8")
    except (ValueError, RecursionError):
        return {**about, "why_not": "JSON cannot hold it"}
    if not same:
        return {**about, "why_not": _TOO_LONG}
    if redacted_data(value) is not value:
        return {**about, "why_not": "it holds what looks like a secret"}
    return {**about, "value": value}


def _plain(value: Any, room: list[int], depth: int = 0) -> bool:
    """Whether a trip through JSON gives the very same value back, types and all, and it has ``room[0]`` parts at most."""
    kind = type(value)
    room[0] -= len(value) if kind in (str, list, dict) else 1
    if depth > 20 or room[0] < 0:
        return False
    if kind is float:
        return math.isfinite(value)
    if kind is list:
        return all(_plain(item, room, depth + 1) for item in value)
    if kind is dict:
        return all(type(key) is str and _plain(item, room, depth + 1) for key, item in value.items())
    return value is None or kind in (str, int, bool)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal; what cannot be compared is not."""
    if type(one) is not type(other):
        return False
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - whatever a comparison of the user's own raises
        return False
