"""The YAML in a script: small, plain and flat. What could hang, surprise or be misread is refused with its line."""

from __future__ import annotations

from typing import Any, Final

import yaml

from llmos_nb.cortex.scripted.problem import ScriptProblem

__all__ = ["load_mapping"]

#: Characters of one YAML block, and how deep it may nest: far more than a script needs, far less than a bomb.
SIZE_LIMIT: Final = 64_000
DEPTH_LIMIT: Final = 12


def load_mapping(text: str, line: int) -> dict[str, Any]:
    """The mapping in ``text``, whose first line is line ``line`` of the file.

    Raises:
        ScriptProblem: bad YAML, an alias, a key twice, a key or value that JSON does not have, too large or deep.
    """
    if len(text) > SIZE_LIMIT:
        raise ScriptProblem(f"the YAML is longer than {SIZE_LIMIT} characters", line)
    try:
        _check_events(text, line)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise ScriptProblem("expected `key: value` lines", _at(node, line))
        _check_node(node, line)
        loaded: dict[str, Any] = yaml.load(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ScriptProblem(f"bad YAML: {error.problem}", line + (mark.line if mark else 0)) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ScriptProblem(f"bad YAML: {str(error).splitlines()[0]}", line) from error
    return loaded


def _check_events(text: str, line: int) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ScriptProblem("YAML aliases are not allowed", _at(event, line))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_LIMIT:
                raise ScriptProblem(f"the YAML nests deeper than {DEPTH_LIMIT}", _at(event, line))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _at(part: yaml.Event | yaml.Node, line: int) -> int:
    return line + (part.start_mark.line if part.start_mark else 0)


_SCALARS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null"))


def _check_node(node: yaml.Node, line: int) -> None:
    here = _at(node, line)
    if isinstance(node, yaml.ScalarNode):
        if node.tag not in _SCALARS:
            raise ScriptProblem(
                f"{node.value!r} would be read as a {node.tag.rsplit(':')[-1]}; put it in quotes", here
            )
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_node(item, line)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.tag.endswith(":str"):
                raise ScriptProblem('a key must be text; write placeholders in quotes: "{{name}}"', here)
            if key.value in seen:
                raise ScriptProblem(f"{key.value!r} is given twice", _at(key, line))
            seen.add(key.value)
            _check_node(value, line)
