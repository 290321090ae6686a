"""Crystals as tools: what the model is offered, and the cell that a call of one becomes.

A call is made, guarded, watched and recorded as an ordinary ``run_cell``. So a trace that used a crystal is replayed by
the tools there are, and whatever holds for a cell (undo, stop, evidence) holds for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final

from llmos_nb.crystals.crystal import Crystal
from llmos_nb.crystals.shelf import CrystalShelf
from llmos_nb.errors import CrystalError
from llmos_nb.tools.cell import RUN_CELL
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult

__all__ = ["PREFIX", "as_cell", "call_code", "crystal_tools"]

#: What the names of crystals' tools begin with.
PREFIX: Final = "crystal_"


def call_code(name: str, arguments: Mapping[str, Any], needs: Iterable[str] = ()) -> str:
    """The cell that calls a crystal among the user's names. ``needs`` are variables of the user's it is given.

    They are named in the cell, so that they are kept for undo like any variable that a cell mentions; ``arguments`` has
    the names of those that are called otherwise.

    Raises:
        CrystalError: a variable's name is none.
    """
    needs = list(needs)
    for key in needs:
        if not str(arguments.get(key, key)).isidentifier():
            raise CrystalError(f"{name}: {arguments[key]!r} is not the name of a variable.")
    given = [f"{key}={value!r}" for key, value in arguments.items() if key not in needs]
    given += [f"{key}={arguments.get(key, key)}" for key in needs]
    # Under a name of its own: a variable of the user may be called like the crystal.
    return f"from llmos_nb.crystals import {name} as _{name}\n_{name}.into({', '.join(['globals()', *given])})"


def crystal_tools(shelf: CrystalShelf) -> list[Tool]:
    """A tool for every crystal that may be used now."""
    return [_tool(crystal) for crystal in shelf if not shelf.refusal(crystal.name)]


def as_cell(shelf: CrystalShelf, tool: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The tool call that a call of a crystal's tool stands for; any other call as it is.

    Raises:
        CrystalError: there is no such crystal, it is out of use, or the arguments are not its own.
    """
    if not tool.startswith(PREFIX):
        return tool, dict(arguments)
    name = tool.removeprefix(PREFIX)
    refusal = shelf.refusal(name)
    if refusal:
        raise CrystalError(f"{name}: is not in use: {refusal}.", remedy=f"%crystals show {name}")
    crystal = shelf.get(name)
    problem = problem_with(crystal, arguments)
    if problem:
        raise CrystalError(f"{name}: {problem}.")
    return RUN_CELL.name, {"code": call_code(name, arguments, crystal.facts.needs)}


def problem_with(crystal: Crystal, arguments: Mapping[str, Any]) -> str:
    """What is wrong with arguments that a model gave, or an empty string."""
    schema = _schema(crystal)
    for name in schema.get("required", ()):
        if name not in arguments:
            return f"needs the argument {name!r}"
    kinds: Mapping[str, Any] = {
        "string": str, "integer": int, "number": int | float, "boolean": bool, "array": list, "null": type(None)
    }  # fmt: skip
    for name, value in arguments.items():
        if name not in schema["properties"]:
            return f"has no argument {name!r}; it takes {', '.join(schema['properties']) or 'none'}"
        kind = schema["properties"][name].get("type")
        wrong = kind in kinds and not isinstance(value, kinds[kind])
        if wrong or (isinstance(value, bool) and kind in ("integer", "number")):
            return f"{name} must be of type {kind}, got {value!r:.80}"
        if name in crystal.facts.needs and not value.isidentifier():
            return f"{name} must be the name of a variable, got {value!r:.80}"
        if not _plain(value):
            return f"{name} must be a plain value, got {value!r:.80}"
    return ""


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_plain(item) for item in value)
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")  # repr of others is no Python
    return value is None or isinstance(value, str | int | bool)


def _schema(crystal: Crystal) -> dict[str, Any]:
    """The crystal's schema with its variables added: a model names them, it does not send them."""
    schema = crystal.schema
    for need in crystal.facts.needs:
        schema["properties"][need] = {
            "type": "string",
            "description": f"Name of the user's variable to use as {need}; {need} if left out.",
        }
    return schema


def _tool(crystal: Crystal) -> Tool:
    facts = crystal.facts
    doc = inspect.cleandoc(crystal.function.__doc__ or facts.template)
    schema = _schema(crystal)

    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        _, cell = as_cell(crystal.shelf, PREFIX + crystal.name, arguments)
        return await RUN_CELL.run(context, cell)

    return Tool(
        name=PREFIX + crystal.name,
        description=(
            f"{doc}\n\nA tested function made from {len(facts.examples)} recorded runs ({facts.success:.0%} of "
            f"{facts.uses} uses successful). It runs in the user's kernel and binds {', '.join(facts.binds) or 'no name'}."
        ),
        schema=schema,
        run=run,
        main=next(iter(schema["properties"]), ""),
    )
