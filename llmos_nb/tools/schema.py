"""The subset of JSON schema that tools describe their arguments in: what it is, and whether a value fits it.

``type`` (``string``, ``integer``, ``number``, ``boolean``, ``array``, ``object``, ``null``, or a list of these),
``items`` with a type, ``enum``, ``minimum`` and ``maximum``; ``description``, ``default`` and ``title`` are for the
model. Numbers are finite. ``format: path`` and ``format: input-path`` mark arguments that the guard confines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["PATH_FORMATS", "schema_problem", "value_problem"]

#: Formats of arguments that name files: one that the tool may write (or only reads, where it changes nothing), and one
#: that it reads in any case.
PATH_FORMATS: Final = ("path", "input-path")
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
#: Characters of a schema as JSON: it is part of every request to the model.
LIMIT: Final = 20_000


def value_problem(value: Any, schema: Mapping[str, Any]) -> str:
    """How ``value`` does not fit ``schema``, as the end of a sentence that its name begins; empty if it does."""
    given = schema.get("type", list(_KINDS))
    allowed = [given] if isinstance(given, str) else given
    if not any(_is_a(value, kind) for kind in allowed):
        return f"must be of type {' or '.join(allowed)}, got {value!r:.80}"
    if "items" in schema and isinstance(value, list):
        for item in value:
            if value_problem(item, schema["items"]):
                kind = schema["items"].get("type")
                said = "texts" if kind == "string" else f"items of type {kind}" if kind else "other items"
                return f"must be a list of {said}, got {value!r:.80}"
    if value not in schema.get("enum", [value]):
        return f"must be one of {', '.join(map(str, schema['enum']))}, got {value!r:.80}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            return f"must be from {schema.get('minimum', '-∞')} to {schema.get('maximum', '∞')}, got {value!r:.80}"
    return ""


def _is_a(value: object, kind: str) -> bool:
    if isinstance(value, bool) and kind in ("integer", "number"):
        return False
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, _KINDS[kind])


def schema_problem(schema: Any) -> str:
    """What is wrong with a tool's schema, as the end of a sentence; empty when it can be used."""
    try:
        text = json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return f"its schema is no JSON ({error})"
    if len(text) > LIMIT:
        return f"its schema has {len(text)} characters, more than {LIMIT}"
    if (
        not isinstance(schema, dict)
        or schema.get("type") != "object"
        or not isinstance(schema.get("properties"), dict)
    ):
        return "its schema must be {'type': 'object', 'properties': {…}}"
    for name, one in schema["properties"].items():
        if not name.isidentifier():
            return f"its argument {name!r} cannot be a name"
        if found := _property_problem(one):
            return f"its argument {name!r}: {found}"
    required = schema.get("required", [])
    if not isinstance(required, list) or any(name not in schema["properties"] for name in required):
        return "'required' must be a list of its arguments"
    return ""


def _property_problem(one: Any) -> str:
    if not isinstance(one, dict):
        return f"must be a schema such as {{'type': 'string'}}, got {one!r:.40}"
    given = one.get("type", "string")
    kinds = [given] if isinstance(given, str) else given
    if not isinstance(kinds, list) or not kinds or any(kind not in _KINDS for kind in kinds):
        return f"{given!r:.40} is no type; there are {', '.join(_KINDS)}"
    if "enum" in one and (not isinstance(one["enum"], list) or not one["enum"]):
        return "'enum' must be a list of values"
    for bound in ("minimum", "maximum"):
        if bound in one and not (_is_a(one[bound], "number")):
            return f"{bound!r} must be a number"
    if one.get("format") in PATH_FORMATS and "string" not in kinds and "array" not in kinds:
        return "only texts, or lists of them, are paths"
    return _property_problem(one["items"]) if "items" in one else ""
