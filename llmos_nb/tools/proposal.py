"""A call as a person reads it before it is made, and the call that their edit of it stands for."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from llmos_nb.tools.cell import RUN_CELL, is_plain, with_parameters
from llmos_nb.tools.files import EDIT_FILE, WRITE_FILE
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolContext

__all__ = ["Proposal", "as_edited", "is_proposed", "proposal_of"]

#: Characters of a text up to which it can be edited where it is shown.
EDITABLE: Final = 200_000
#: Characters of what an edit replaces that are named.
_OLD_SHOWN: Final = 300
_LANGUAGES: Final = {
    ".py": "python",
    ".sh": "bash",
    ".md": "markdown",
    ".json": "json",
    ".sql": "sql",
    ".toml": "toml",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person is shown: ``text`` is what would be done, ``about`` says what that is."""

    text: str
    about: str
    language: str = ""
    editable: bool = False


def is_proposed(tool: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call is shown before it is made where all are: it can change something, and it can be made at all."""
    return tool in TOOLS and TOOLS[tool].changes and not TOOLS[tool].problem(arguments)


def proposal_of(tool: str, arguments: Mapping[str, Any], context: ToolContext) -> Proposal:
    """How a call of one of our tools is shown to a person who is asked about it."""
    preview = TOOLS[tool].preview
    if preview is not None:
        return Proposal(preview(context, arguments), "proposed: nothing is changed before you agree")
    text, about, language = str(arguments.get(TOOLS[tool].main, "")), "proposed: not yet run", TOOLS[tool].language
    path = str(arguments.get("path", ""))
    if tool == RUN_CELL.name:
        text = _cell(arguments)
    elif tool == WRITE_FILE.name:
        about, language = f"proposed: the whole of {path}, not yet written", _LANGUAGES.get(PurePath(path).suffix, "")
    elif tool == EDIT_FILE.name:
        old = str(arguments.get("old", ""))
        old = old if len(old) <= _OLD_SHOWN else f"{old[:_OLD_SHOWN]}…"
        about = f"proposed: this in place of {old!r} in {path}, not yet written"
        language = _LANGUAGES.get(PurePath(path).suffix, "")
    return Proposal(text, about, language, _can_edit(tool, arguments) and len(text) <= EDITABLE)


def _can_edit(tool: str, arguments: Mapping[str, Any]) -> bool:
    if not isinstance(arguments.get(TOOLS[tool].main), str):
        return False
    return bool(TOOLS[tool].language) or tool in (WRITE_FILE.name, EDIT_FILE.name)


def _cell(arguments: Mapping[str, Any]) -> str:
    code, parameters = arguments.get("code", ""), arguments.get("parameters") or {}
    return with_parameters(str(code), parameters) if isinstance(parameters, Mapping) else str(code)


def as_edited(tool: str, arguments: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The arguments of the call that does ``text`` instead. Line ends stay those that there were."""
    given = dict(arguments)
    main = TOOLS[tool].main
    before = str(given.get(main, ""))
    text = text.replace("\r\n", "\n")
    if "\r\n" in before and "\n" not in before.replace("\r\n", ""):
        text = text.replace("\n", "\r\n")
    if tool != RUN_CELL.name or not given.get("parameters"):
        return {**given, main: text}
    parameters, code = _parted(text, list(given["parameters"]))
    rest = {name: value for name, value in given.items() if name != "parameters"}
    return {**rest, "code": code, **({"parameters": parameters} if parameters else {})}


def _parted(text: str, names: list[str]) -> tuple[dict[str, Any], str]:
    """The parameters that an edited cell still begins with, and its code; none where one of them was made otherwise."""
    values: dict[str, Any] = {}
    rest = text
    for name in names:
        line, _, after = rest.partition("\n")
        assigned = re.match(rf"{re.escape(name)}\s*=\s*(.+)$", line)
        try:
            value = ast.literal_eval(assigned[1]) if assigned else ...
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = ...
        if value is ... or not is_plain(value):
            return {}, text
        values[name], rest = value, after
    return values, rest
