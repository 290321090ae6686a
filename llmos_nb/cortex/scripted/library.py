"""Where scripts come from: the folder in the package, then the folders of a workspace."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

from llmos_nb.cortex.scripted.reader import parse_script
from llmos_nb.cortex.scripted.script import Script
from llmos_nb.errors import ScriptFileError

__all__ = ["bundled_scripts", "load_scripts"]

_BUNDLED: Final = Path(__file__).parent / "scripts"

#: Largest script file in bytes.
FILE_LIMIT: Final = 256_000


def load_scripts(*folders: Path | str) -> list[Script]:
    """The bundled scripts and those in ``folders`` (``*.md`` but README.md), in this order, each folder by file name.

    A script with the name of an earlier folder's replaces it, and of two scripts that claim a goal equally the later
    is played. A folder that does not exist has no scripts.

    Raises:
        ScriptFileError: a file is no script, or two of one folder have the same goal; starts with ``path:line``.
    """
    scripts = {script.name: script for script in bundled_scripts()}
    for folder in folders:
        for script in _read_folder(Path(folder)):
            scripts.pop(script.name, None)
            scripts[script.name] = script
    return list(scripts.values())


@functools.cache
def bundled_scripts() -> tuple[Script, ...]:
    """The scripts that come with the package."""
    return tuple(_read_folder(_BUNDLED))


def _read_folder(folder: Path) -> list[Script]:
    scripts: list[Script] = []
    claimed: dict[str, str] = {}
    if not folder.is_dir():
        return []
    for path in sorted(folder.glob("*.md")):
        if path.stem.lower() == "readme":
            continue
        script = parse_script(_read(path), path)
        for template in script.templates:
            if template.key in claimed:
                raise ScriptFileError(
                    f"{path}:2: the goal {template.text!r} is already claimed by {claimed[template.key]}.",
                    remedy="Remove it from one of the two.",
                )
            claimed[template.key] = path.name
        scripts.append(script)
    return scripts


def _read(path: Path) -> str:
    remedy = "Correct the script, or move it out of the folder."
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise ScriptFileError(f"{path}:1: the file is larger than {FILE_LIMIT} bytes.", remedy=remedy)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ScriptFileError(f"{path}:{line}: not UTF-8 text.", remedy=remedy) from error
    except OSError as error:
        raise ScriptFileError(f"{path}:1: cannot be read ({error.strerror or error}).", remedy=remedy) from error
