"""YAML that a person wrote, read without its dangers.

Size, depth, aliases and tags are checked before anything is built, and scalars are YAML 1.2's: ``no``, ``2026-11-22``
and ``1:30`` are text, and so is every key.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["BOOL", "DEPTH_LIMIT", "FLOAT", "INT", "NULL", "SIZE_LIMIT", "FlowError", "check_depth", "load_yaml"]

#: Deepest nesting that is written or read.
DEPTH_LIMIT: Final = 64
#: Characters of hand-written YAML that are read; CSafeLoader takes about 40 ms for as much.
SIZE_LIMIT: Final = 256 * 1024
#: Regular expressions of the scalars that are not text.
INT: Final = r"[-+]?(?:0|[1-9][0-9]*)"
FLOAT: Final = (
    r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
BOOL: Final = "true|True|TRUE|false|False|FALSE"
NULL: Final = "null|Null|NULL|~"


class FlowError(ValueError):
    """A value that cannot be written, or text that cannot be read. ``line`` counts from 0 within that text."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def check_depth(text: str) -> None:
    """Refuse brackets that nest too deep. Brackets within quotes count too, but close again."""
    depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > DEPTH_LIMIT + 1:
                raise FlowError(f"brackets nested deeper than {DEPTH_LIMIT}")
        elif character in "]}":
            depth -= 1


def load_yaml(text: str) -> dict[str, Any]:
    """The mapping that ``text`` says; an empty text says an empty one.

    Raises:
        FlowError: it is not YAML, not a mapping, has a key twice, an alias, a tag, or is too long or too deep.
    """
    import yaml

    if len(text) > SIZE_LIMIT:
        raise FlowError(f"{len(text)} characters of YAML are more than the {SIZE_LIMIT} that are read")
    check_depth(text)
    loader = _loader()
    try:
        _check_events(yaml.parse(text, Loader=loader))
        value = yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FlowError(f"not valid YAML: {error.problem or error.context}", mark.line if mark else 0) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, FlowError):
            raise
        raise FlowError(f"not valid YAML: {str(error).splitlines()[0] if str(error) else error!r}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FlowError(f"expected 'key: value' lines, got a {type(value).__name__}")
    return value


def _check_events(events: Iterable[Any]) -> None:
    """Refuse aliases (a few bytes of them can stand for gigabytes), tags and deep nesting first."""
    import yaml

    depth = 0
    for event in events:
        line = event.start_mark.line if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise FlowError("anchors and aliases (& and *) are not read", line)
        if getattr(event, "tag", None) not in (None, "!"):
            raise FlowError(f"the tag {event.tag} is not read", line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_LIMIT + 1:
                raise FlowError(f"nested deeper than {DEPTH_LIMIT}", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


@functools.cache
def _loader() -> Any:
    """A safe loader (libyaml's where there is one) with YAML 1.2 scalars, text keys and no key twice."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own way

    def mapping(loader: Any, node: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line
            if not isinstance(key_node, yaml.ScalarNode):
                raise FlowError("keys must be text", line)
            if key_node.value in found:
                raise FlowError(f"the key {key_node.value!r} is there twice", line)
            found[key_node.value] = loader.construct_object(value_node, deep=True)
        return found

    for tag, pattern in (("null", NULL + "|"), ("bool", BOOL), ("int", INT), ("float", FLOAT)):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), None)
    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    return Loader
