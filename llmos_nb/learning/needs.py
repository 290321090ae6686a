"""What the steps of a run need of the namespace they start in: names they read before they bind them, with their types.

Read from the compiled code, in its order. What only looks like a need is never named, since a need that is not met
stops a replay: a name that some step binds first, a name inside a function that any step binds, code that looks names
up by itself.
"""

from __future__ import annotations

import ast
import dis
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

from llmos_nb.tools.cell import with_parameters
from llmos_nb.tools.workbench import Call

__all__ = ["NameUse", "compiled", "name_use", "needs_of", "types_of", "unmet"]

_MAGIC_LINE: Final = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
#: Names that IPython keeps for itself.
_SHELL_NAMES: Final = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open"})
#: Code that says one of these may do without a name it reads.
_LOOKS_UP: Final = re.compile(r"\b(?:NameError|globals|locals|vars|exec|eval)\b|import \*")
#: Types that stand in for one another: whoever worked with 5 can work with 5.5.
_NUMBERS: Final = frozenset(
    {"int", "float", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"}
)


@dataclass(frozen=True, slots=True)
class NameUse:
    """``first`` are names that code reads before it binds them, ``inside`` those its functions read, ``binds`` those
    that it binds."""

    first: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()


def types_of(names: Mapping[str, Any]) -> dict[str, str]:
    """The user's own names with the names of their types: taken before a run, this is what :func:`needs_of` needs."""
    return {
        name: type(value).__name__
        for name, value in list(names.items())
        if not name.startswith("_") and name not in _SHELL_NAMES
    }


def needs_of(calls: Iterable[Call], before: Mapping[str, str]) -> dict[str, str]:
    """Names out of ``before`` (see :func:`types_of`) that the calls that did something read, with their types then."""
    done = [c for c in calls if c.result is not None and not (c.result.error and not c.result.defines)]
    uses = [name_use(_code(c.arguments)) if c.tool == "run_cell" else NameUse() for c in done]
    ever = frozenset().union(*(use.binds for use in uses))
    needs: dict[str, str] = {}
    bound: set[str] = set()
    for call, use in zip(done, uses, strict=True):
        named = call.arguments.get("names") if call.tool == "inspect" else None
        read = {*use.first, *(use.inside - ever), *(map(str, named) if isinstance(named, list) else ())}
        needs |= {name: before[name] for name in read - bound if name in before}
        bound |= {*use.binds, *(call.result.defines if call.result else ())}
    return dict(sorted(needs.items()))


def _code(arguments: Mapping[str, Any]) -> str:
    parameters = arguments.get("parameters")
    code = str(arguments.get("code", ""))
    return with_parameters(code, parameters) if isinstance(parameters, Mapping) else code


def unmet(needs: Mapping[str, str], names: Mapping[str, Any]) -> str:
    """Which of ``needs`` the namespace does not meet, as a sentence; empty when it meets all."""
    for name, kind in needs.items():
        if name not in names:
            return f"it needs the variable {name} ({kind}), which is not there"
        found = type(names[name]).__name__
        if found != kind and not {found, kind} <= _NUMBERS:
            return f"it needs {name} to be of type {kind}, and it is of type {found}"
    return ""


@functools.lru_cache(maxsize=512)
def name_use(code: str) -> NameUse:
    """How ``code`` uses names; nothing where it cannot be told."""
    block = compiled(code)
    if block is None or _LOOKS_UP.search(code):
        return NameUse()
    first: set[str] = set()
    binds: set[str] = set()
    for instruction in dis.get_instructions(block):
        name = instruction.argval
        if instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL", "DELETE_NAME") and name not in binds:
            first.add(name)
        elif instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
            binds.add(name)
    inside: set[str] = set()
    for inner in _inner(block):
        own: set[str] = set()
        for instruction in dis.get_instructions(inner):
            if instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
                own.add(instruction.argval)
                if instruction.opname == "STORE_GLOBAL":
                    binds.add(instruction.argval)
            elif instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and instruction.argval not in own:
                inside.add(instruction.argval)
    return NameUse(frozenset(first), frozenset(inside), frozenset(binds))


def compiled(code: str) -> CodeType | None:
    """The code of a cell, its magics left out; None where the rest is not Python."""
    if code.lstrip().startswith("%%"):
        return None
    try:
        plain = _MAGIC_LINE.sub(r"\1pass", code)
        block: CodeType = compile(plain, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return block


def _inner(block: CodeType) -> Iterable[CodeType]:
    for constant in block.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inner(constant)
