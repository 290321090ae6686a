"""Small YAML mappings, written one way and read two.

What is written is always the same narrow form: one ``key: value`` a line, nested values in flow style, a string plain
only where YAML cannot mistake it. That form is read back by a regular expression and the JSON decoder, three to six
times faster than by libyaml. Whatever a person wrote otherwise goes to PyYAML, behind caps, with YAML 1.2's idea of
a scalar: ``no``, ``2026-11-22`` and ``1:30`` are text.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from llmos_nb.memory.hand_written import BOOL, DEPTH_LIMIT, FLOAT, INT, NULL, FlowError, check_depth, load_yaml

__all__ = ["FlowError", "dump_mapping", "load_mapping", "quote", "unquote"]

#: Plain text that YAML would not read as text.
_RESERVED: Final = re.compile(f"(?:{INT}|{FLOAT}|{BOOL}|{NULL})")
#: Text to this package, a truth value to readers of YAML 1.1: written between quotes.
_ELSEWHERE: Final = re.compile("(?i:yes|no|on|off)")
#: How reserved text may start; most text does not, and needs no closer look.
_STARTS: Final = frozenset("0123456789+-.tTfFnN~")
_WORDS: Final = {"true": True, "false": False, "null": None}

#: What YAML cannot hold as it is, even between quotes.
_UNPRINTABLE: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff"
_ESCAPED: Final = re.compile(rf'["\\{_UNPRINTABLE}]')
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_SPLIT_PAIR: Final = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")

#: A whole value after ``key: ``. Commas and brackets are harmless there, ``: `` and `` #`` are not.
_TOP_PLAIN: Final = re.compile(
    rf"\w(?:[^\s:#{_UNPRINTABLE}]++|:(?=[^\s{_UNPRINTABLE}])|(?<=[^ ])#| ++(?=[^\s#{_UNPRINTABLE}]))*+"
)
_IN_PLAIN: Final = r"[\w./+@()<=>*%~;$^|&!'-]"
_PLAIN: Final = rf"\w(?:{_IN_PLAIN}++| (?={_IN_PLAIN}))*+"
_FLOW_PLAIN: Final = re.compile(_PLAIN)
_STRING: Final = r'"(?:[^"\\]++|\\.)*+"'
_KEY: Final = re.compile(r"[A-Za-z_][\w-]*")
_LINE: Final = re.compile(rf"({_STRING}|[A-Za-z_][\w-]*): (.+)")
_TOKEN: Final = re.compile(
    rf"{_STRING}|(?P<odd>:(?! )|,(?! )|\s[\s:,])|(?P<special>-?\.inf(?!{_IN_PLAIN})|\.nan(?!{_IN_PLAIN}))"
    rf"|(?P<plain>{_PLAIN})"
)
_SPECIAL: Final = {".inf": "Infinity", "-.inf": "-Infinity", ".nan": "NaN"}


def quote(text: str) -> str:
    """``text`` as a string that JSON and YAML read alike.

    Raises:
        FlowError: a character above U+FFFF is there as two halves, which no encoding keeps apart.
    """
    if _SPLIT_PAIR.search(text):
        raise FlowError("a character is split into two surrogates, which cannot be written")
    return '"' + _ESCAPED.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", text) + '"'


def unquote(text: str) -> str:
    """The inverse of :func:`quote`.

    Raises:
        FlowError: it is not one quoted string.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise FlowError(f"not a quoted string ({error})") from error
    if not isinstance(value, str):
        raise FlowError(f"expected a quoted string, got {text[:40]!r}")
    return value


def _text(value: str, plain: re.Pattern[str]) -> str:
    if plain.fullmatch(value) and not _RESERVED.fullmatch(value) and not _ELSEWHERE.fullmatch(value):
        return value
    return quote(value)


def _number(value: float) -> str:
    if isinstance(value, int):
        try:
            return int.__repr__(value)
        except ValueError as error:
            raise FlowError("a whole number of more digits than Python converts") from error
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    text = float.__repr__(value)
    return text if "." in text else text.replace("e", ".0e")  # YAML 1.1 takes 1e-07 for text


def _value(value: object, plain: re.Pattern[str], depth: int) -> str:
    if depth > DEPTH_LIMIT:
        raise FlowError(f"nested deeper than {DEPTH_LIMIT}")
    if isinstance(value, str):
        return _text(value, plain)
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        pairs = (f"{_key(key, _FLOW_PLAIN)}: {_value(v, _FLOW_PLAIN, depth + 1)}" for key, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v, _FLOW_PLAIN, depth + 1) for v in value) + "]"
    raise FlowError(f"a {type(value).__name__} cannot be written, only what JSON can hold")


def _key(key: object, plain: re.Pattern[str]) -> str:
    if not isinstance(key, str):
        raise FlowError(f"keys must be text, got {key!r}")
    return _text(key, plain)


def dump_mapping(mapping: Mapping[str, Any]) -> str:
    """One ``key: value`` line for each item, without a final newline.

    Raises:
        FlowError: a value is not one that JSON can hold.
    """
    lines = []
    for key, value in mapping.items():
        try:
            lines.append(f"{_key(key, _KEY)}: {_value(value, _TOP_PLAIN, 0)}")
        except FlowError as error:
            raise FlowError(f"{key}: {error}") from None
    return "\n".join(lines)


class _Other(Exception):
    """The text is not in the written form: YAML must read it."""


def _is_reserved(text: str) -> bool:
    return _RESERVED.fullmatch(text) is not None if text[0] in _STARTS else False


def _as_json(match: re.Match[str]) -> str:
    kind = match.lastgroup
    if kind == "plain":
        word = match[0]
        return word if _is_reserved(word) else f'"{word}"'
    if kind == "odd":
        raise _Other
    return _SPECIAL[match[0]] if kind == "special" else match[0]


@functools.lru_cache(maxsize=256)
def _flow_json(text: str) -> str:
    """Flow style as JSON. Cached: versions, columns and output kinds are the same in most traces of a workspace."""
    return _TOKEN.sub(_as_json, text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Other
    return found


_FLOW: Final = json.JSONDecoder(object_pairs_hook=_unique)


def _load_line(text: str) -> Any:
    first = text[0]
    if first in '{["':
        if text.count("[") + text.count("{") > DEPTH_LIMIT:
            check_depth(text)
        try:
            return _FLOW.decode(text if first == '"' else _flow_json(text))
        except ValueError as error:
            raise _Other from error
    if text in _WORDS:
        return _WORDS[text]
    if _is_reserved(text):
        try:
            return _FLOW.decode(_SPECIAL.get(text, text))
        except ValueError as error:
            raise _Other from error
    if not _TOP_PLAIN.fullmatch(text):
        raise _Other
    return text


def load_mapping(text: str) -> dict[str, Any]:
    """The mapping that ``text`` says; an empty text says an empty one.

    Raises:
        FlowError: it is not YAML, not a mapping, has a key twice, an alias, a tag, or is too long or too deep.
    """
    found: dict[str, Any] = {}
    try:
        for line in text.split("\n"):
            match = _LINE.fullmatch(line)
            if match is None:
                raise _Other
            key = match[1] if match[1][0] != '"' else unquote(match[1])
            if key in found:
                raise _Other
            found[key] = _load_line(match[2])
    except (_Other, FlowError):
        return load_yaml(text)
    return found
