"""Where scripts come from: the folder in the package, the packs, then the folders of a workspace."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Final

from llmos_nb.cortex.scripted.reader import parse_script
from llmos_nb.cortex.scripted.script import Script
from llmos_nb.errors import ScriptFileError
from llmos_nb.tools.packs import InstalledPacks, PackProblem, installed_packs

__all__ = ["bundled_scripts", "load_scripts", "pack_scripts"]

_BUNDLED: Final = Path(__file__).parent / "scripts"

#: Largest script file in bytes.
FILE_LIMIT: Final = 256_000


def load_scripts(
    *folders: Path | str, packs: bool = False, own: Callable[[Path, bytes], bool] | None = None
) -> list[Script]:
    """The bundled scripts, with ``packs`` theirs, and those in ``folders`` (``*.md`` but README.md), in this order, each
    folder by file name.

    A script with the name of an earlier folder's replaces it, and of two scripts that claim a goal equally the later
    is played. A folder that does not exist has no scripts. With ``own`` a file in ``folders`` is passed over, unread as a
    script, unless ``own`` says of its path and its bytes that it may be played.

    Raises:
        ScriptFileError: a file is no script, or two of one folder have the same goal; starts with ``path:line``.
    """
    scripts = {script.name: script for script in (*bundled_scripts(), *(pack_scripts()[0] if packs else ()))}
    for folder in folders:
        for script in _read_folder(Path(folder), own):
            scripts.pop(script.name, None)
            scripts[script.name] = script
    return list(scripts.values())


@functools.cache
def bundled_scripts() -> tuple[Script, ...]:
    """The scripts that come with the package."""
    return tuple(_read_folder(_BUNDLED))


def pack_scripts() -> tuple[tuple[Script, ...], tuple[PackProblem, ...]]:
    """The scripts of all packs, and what is wrong with others: one that cannot be read, or has a name or a goal that is
    taken, is left out."""
    return _pack_scripts(installed_packs())


@functools.lru_cache(maxsize=1)
def _pack_scripts(found: InstalledPacks) -> tuple[tuple[Script, ...], tuple[PackProblem, ...]]:
    scripts: list[Script] = []
    problems: list[PackProblem] = []
    names = {script.name: "the package" for script in bundled_scripts()}
    claimed = {key: "the package" for script in bundled_scripts() for key in _keys(script)}
    for one in found.packs:
        folder = one.pack.folder
        for path in sorted(folder.glob("scripts/*.md")) if folder is not None else ():
            if path.stem.lower() == "readme":
                continue
            try:
                script = parse_script(_text(path, _bytes(path)), path)
            except ScriptFileError as error:
                problems.append(PackProblem(one.distribution, error.message.rstrip("."), error.remedy))
                continue
            whose = names.get(script.name) or next((claimed[key] for key in _keys(script) if key in claimed), None)
            if whose is not None:
                what = f"the script {path.name} is left out: {whose} has one of that name or goal"
                problems.append(PackProblem(one.distribution, what, "Give it another name, and a goal of its own."))
                continue
            names[script.name] = f"the pack {one.pack.name}"
            claimed |= dict.fromkeys(_keys(script), f"the pack {one.pack.name}")
            scripts.append(script)
    return tuple(scripts), tuple(problems)


def _keys(script: Script) -> list[tuple[str, str, str]]:
    """What a script claims: goals of an agent with words in its instructions."""
    return [(template.key, script.agent, script.instructed) for template in script.templates]


def _read_folder(folder: Path, own: Callable[[Path, bytes], bool] | None = None) -> list[Script]:
    scripts: list[Script] = []
    claimed: dict[tuple[str, str, str], str] = {}
    if not folder.is_dir():
        return []
    for path in sorted(folder.glob("*.md")):
        if path.stem.lower() == "readme":
            continue
        data = _bytes(path)
        if own is not None and not own(path, data):
            continue
        script = parse_script(_text(path, data), path)
        for template, key in zip(script.templates, _keys(script), strict=True):
            if key in claimed:
                raise ScriptFileError(
                    f"{path}:2: the goal {template.text!r} is already claimed by {claimed[key]}.",
                    remedy="Remove it from one of the two.",
                )
            claimed[key] = path.name
        scripts.append(script)
    return scripts


_REMEDY: Final = "Correct the script, or move it out of the folder."


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise ScriptFileError(f"{path}:1: cannot be read ({error.strerror or error}).", remedy=_REMEDY) from error
    if len(data) > FILE_LIMIT:
        raise ScriptFileError(f"{path}:1: the file is larger than {FILE_LIMIT} bytes.", remedy=_REMEDY)
    return data


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ScriptFileError(f"{path}:{line}: not UTF-8 text.", remedy=_REMEDY) from error
