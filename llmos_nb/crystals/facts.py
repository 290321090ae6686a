"""``__llmos__``: what a crystal's module says of itself, read without running it."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llmos_nb.errors import CrystalError

__all__ = ["FORMAT", "Facts", "digest_of", "facts_of", "sealed", "written"]

#: Version of the dictionary's layout.
FORMAT: Final = 1
#: Characters in a line.
WIDTH: Final = 110

_SEAL: Final = re.compile(r"""(?m)^    "digest": "([0-9a-f]*)",?$""")


@dataclass(frozen=True, slots=True)
class Facts:
    """Where a crystal comes from and how it is called.

    ``parameters`` has one ``{"name", "from", "schema"}`` a parameter: ``from`` is the generalization's own name for it.
    ``fixed`` are values of the goal that no second run had otherwise, by the generalization's names.
    ``needs`` are variables of the user that the function is given, each with the generalization's name of the value
    that says which variable (empty: always the one of that name). ``binds`` are the names its steps bind, ``defines``
    those with their types in the recorded runs, ``renames`` those that the user gets under another name, as an
    expression over the parameters. ``shows`` tells whether its value was shown, ``tells`` whether it is
    what a tool said, which is not shown. ``examples`` are the recorded runs: the
    trace, the arguments that make it again, and which of the bound names that run called otherwise.
    """

    name: str
    template: str = ""
    shape: str = ""
    parameters: tuple[Mapping[str, Any], ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    binds: tuple[str, ...] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    shows: bool = False
    tells: bool = False
    examples: tuple[Mapping[str, Any], ...] = ()
    uses: int = 0
    successes: int = 0
    digest: str = ""

    @property
    def traces(self) -> tuple[str, ...]:
        """The recorded runs' ids."""
        return tuple(str(example["trace"]) for example in self.examples)

    @property
    def success(self) -> float:
        """Share of uses that succeeded, 0 to 1."""
        return self.successes / self.uses if self.uses else 0.0

    def as_source(self) -> str:
        """The dictionary as the last statement of a module, with an empty digest."""
        values = {
            "format": FORMAT,
            "name": self.name,
            "template": self.template,
            "shape": self.shape,
            "parameters": [dict(parameter) for parameter in self.parameters],
            "fixed": dict(self.fixed),
            "needs": dict(self.needs),
            "binds": list(self.binds),
            "defines": dict(self.defines),
            "renames": dict(self.renames),
            "shows": self.shows,
            "tells": self.tells,
            "examples": [dict(example) for example in self.examples],
            "uses": self.uses,
            "successes": self.successes,
            "digest": "",
        }
        lines = ["__llmos__ = {"]
        for name, value in values.items():
            if name == "digest":
                lines.append('    "digest": "",')  # a line of its own, which is filled in and found again
                continue
            lines.append(f'    "{name}": {written(value, 4, 8 + len(name))},')
        return "\n".join([*lines, "}\n"])


def written(value: Any, indent: int = 0, before: int = 0) -> str:
    """Plain data as source, as a formatter would lay it out; ``before`` is how much stands before it on its line."""
    if isinstance(value, str):
        return repr(f"{value}'")[:-2] + '"' if '"' not in value else repr(value)
    if not isinstance(value, list | tuple | dict):
        return repr(value)
    inner = indent + 4
    if isinstance(value, dict):
        opening, closing = "{", "}"
        pairs = [(f"{written(key)}: ", item) for key, item in value.items()]
    else:
        opening, closing = "[]" if isinstance(value, list) else "()"
        pairs = [("", item) for item in value]
    line = ", ".join(key + written(item) for key, item in pairs)
    if isinstance(value, tuple) and len(value) == 1:
        line += ","
    if indent + before + len(line) <= WIDTH:
        return f"{opening}{line}{closing}"
    pad = " " * inner
    lines = [f"{pad}{key}{written(item, inner, len(key))},\n" for key, item in pairs]
    return f"{opening}\n{''.join(lines)}{' ' * indent}{closing}"


def digest_of(text: str) -> str:
    """A digest of a module's text, whatever digest the text itself states."""
    start, end = _seal(text)
    return hashlib.sha256((text[:start] + text[end:]).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def sealed(text: str) -> str:
    """``text`` with its own digest written into ``__llmos__``."""
    start, end = _seal(text)
    return text[:start] + digest_of(text) + text[end:] if end else text


def _seal(text: str) -> tuple[int, int]:
    """Where the stated digest is: the last such line, since code above may hold one in a text of its own."""
    found = list(_SEAL.finditer(text))
    return found[-1].span(1) if found else (0, 0)


def facts_of(tree: ast.Module, path: str) -> Facts:
    """The facts of a parsed module.

    Raises:
        CrystalError: it has no ``__llmos__``, or not as a literal dictionary of the right shape.
    """
    found = next((node.value for node in tree.body if isinstance(node, ast.Assign) and _is_ours(node)), None)
    if found is None:
        raise CrystalError(f"{path}: has no __llmos__.", remedy="Restore it, or remove the file from the folder.")
    try:
        values = ast.literal_eval(found)
        if values["format"] != FORMAT:
            raise CrystalError(f"{path}: __llmos__ has format {values['format']!r}.", remedy="Make the crystal anew.")
        return Facts(
            name=_typed(values, "name", str),
            template=_typed(values, "template", str),
            shape=_typed(values, "shape", str),
            parameters=tuple({"name": str(p["name"]), "from": str(p["from"]), "schema": dict(p["schema"])}
                             for p in _typed(values, "parameters", list)),
            fixed=dict(_typed(values, "fixed", dict)),
            needs={str(k): str(v) for k, v in _typed(values, "needs", dict).items()},
            binds=tuple(map(str, _typed(values, "binds", list))),
            defines={str(k): str(v) for k, v in _typed(values, "defines", dict).items()},
            renames={str(k): str(v) for k, v in _typed(values, "renames", dict).items()},
            shows=_typed(values, "shows", bool),
            tells=_typed(values, "tells", bool),
            examples=tuple(
                {"trace": str(e["trace"]), "arguments": dict(e["arguments"]), "names": dict(e["names"])}
                           for e in _typed(values, "examples", list)),
            uses=_typed(values, "uses", int),
            successes=_typed(values, "successes", int),
            digest=_typed(values, "digest", str),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        said = re.sub(r": <ast\.\w+ object at 0x[0-9a-f]+>", "", str(error))
        raise CrystalError(
            f"{path}:{found.lineno}: __llmos__ cannot be read ({type(error).__name__}: {said}).",
            remedy="Restore it: plain values only, as the module was made.",
        ) from error


def _is_ours(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "__llmos__" for target in node.targets)


def _typed(values: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = values[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{name} must be of type {kind.__name__}, got {value!r:.60}")
    return value
