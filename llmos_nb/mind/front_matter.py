"""A YAML reader for front matter that nobody vouches for: what is costly or ambiguous is refused before it is built.

PyYAML by itself hangs on a 300-byte alias bomb, raises RecursionError on nested brackets and lets the second of two
equal keys win. Here the event stream is checked first (no anchors, aliases or tags; limited depth), then the node
tree (unique text keys, numbers of sane length), and only then are values made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import yaml
from frontmatter.default_handlers import YAMLHandler

from llmos_nb.errors import AgentFileError
from llmos_nb.mind.agent import printable

if TYPE_CHECKING:
    from yaml import SafeDumper, SafeLoader
else:
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    SafeDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

__all__ = ["CappedYAML"]

#: Levels of nesting. Agent files need two; the loader recurses in Python, so the cap is far below its limit.
DEPTH_LIMIT: Final = 20
#: Keys and values in total. Agent files have some thirty; a thousand take 10 ms, and what 64 kB can hold 300 ms.
VALUE_LIMIT: Final = 1000
#: Characters of a number: a 64-bit integer has 20, a double 24. Longer ones fail, or cost quadratic time, in int().
NUMBER_LIMIT: Final = 40

#: What most front matter consists of: a key a line, and a value that YAML cannot read in more than one way.
_SIMPLE: Final = re.compile(
    r"""(?P<key>[A-Za-z_]+):[ ](?:
    (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)
    |(?P<number>[1-9]\d{0,8})
    |"(?P<quoted>[ !\x23-\x5b\x5d-\x7e\xa1-\u1fff]*)"
    |\[(?P<list>(?:[A-Za-z][A-Za-z0-9_-]*(?:,[ ][A-Za-z][A-Za-z0-9_-]*)*)?)\]
    |(?P<plain>[A-Za-z](?:[A-Za-z0-9_ ,.;()'/%+=-]*[A-Za-z0-9.;)'])?)
    )""",
    re.VERBOSE | re.ASCII,
)
#: Words that YAML takes for something else than text.
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

_TAG: Final = "tag:yaml.org,2002:"
_NUMBERS: Final = (f"{_TAG}int", f"{_TAG}float")


def _simple(fm: str) -> dict[str, Any] | None:
    """The mapping of front matter that has nothing but simple lines, twenty times faster than YAML reads it; else None."""
    fields: dict[str, Any] = {}
    if not fm.startswith("\n") or not fm.endswith("\n"):
        return None
    for line in fm[1:-1].split("\n"):
        found = _SIMPLE.fullmatch(line)
        if found is None:
            return None
        key, kind, text = found["key"], found.lastgroup, found[found.lastgroup or "key"]
        if key in fields or key.lower() in _WORDS:
            return None
        if kind == "list":
            items = text.split(", ") if text else []
            if not _WORDS.isdisjoint(item.lower() for item in items):
                return None
            fields[key] = items
        elif kind == "number":
            fields[key] = int(text)
        elif kind == "plain" and text.lower() in _WORDS:
            return None
        else:
            fields[key] = text
    return fields


def _line(mark: Any) -> int:
    """The file's line of a mark in the front matter; the first line there is the rest of the fence's line."""
    return 1 if mark is None else int(mark.line) + 1


def _without_timestamps(resolvers: dict[str, Any]) -> dict[str, Any]:
    """A date stays the text that was written, so that it is written back unchanged."""
    return {
        first: [(tag, pattern) for tag, pattern in rules if tag != f"{_TAG}timestamp"]
        for first, rules in resolvers.items()
    }


class _Loader(SafeLoader):
    yaml_implicit_resolvers = _without_timestamps(SafeLoader.yaml_implicit_resolvers)


class _Dumper(SafeDumper):
    yaml_implicit_resolvers = _without_timestamps(SafeDumper.yaml_implicit_resolvers)

    def ignore_aliases(self, data: Any) -> bool:
        """A value that occurs twice is written twice: files with aliases are refused."""
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    """A text that begins or ends in white space of any alphabet is quoted: readers strip more than YAML does."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text == text.strip() else '"')


_Dumper.add_representer(str, _represent_text)


class CappedYAML(YAMLHandler):
    """A python-frontmatter handler with limits. ``refuse(line, what, remedy)`` makes the error for a line."""

    FM_BOUNDARY = re.compile(r"^---[ \t]*$", re.MULTILINE)

    def __init__(self, refuse: Callable[[int, str, str], AgentFileError]) -> None:
        super().__init__()
        self._refuse = refuse
        #: The file's line of each top-level key, once ``load`` has run.
        self.lines: dict[str, int] = {}

    def split(self, text: str) -> tuple[str, str]:
        """The text between the first two fences, and the text after them."""
        parts = self.FM_BOUNDARY.split(text, 2)
        if len(parts) != 3 or parts[0]:
            raise self._refuse(
                1,
                "has no front matter" if parts[0] or len(parts) == 1 else "the front matter is not closed",
                "Start the file with a line '---', the keys, and another line '---'.",
            )
        return parts[1], parts[2]

    def load(self, fm: str, **kwargs: object) -> dict[str, Any]:
        """The mapping that ``fm`` writes; its first line is the rest of the fence's, line 1 of the file.

        Raises:
            AgentFileError: it is not YAML, not a mapping, or breaks a limit.
        """
        if (simple := _simple(fm)) is not None:
            self.lines = {key: line for line, key in enumerate(simple, start=2)}
            return simple
        try:
            self._check_events(fm)
            loader = _Loader(fm)
            try:
                node = loader.get_single_node()
                if not isinstance(node, yaml.MappingNode):
                    raise self._refuse(2, "the front matter is not a list of 'key: value' lines", "Write 'name: …'.")
                self._check_node(node)
                self.lines = {key.value: _line(key.start_mark) for key, _ in node.value}
                fields: dict[str, Any] = loader.construct_document(node)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._refuse(
                _line(mark),
                f"the front matter is not YAML: {printable(error.problem or error.context or 'unreadable')}",
                "Correct the line; put text with ':' or '#' in quotes.",
            ) from error
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            raise self._refuse(
                2,
                f"the front matter is not YAML: {printable(str(error))[:200]}",
                "Correct it, or put text in quotes.",
            ) from error
        return fields

    def export(self, metadata: dict[str, object], **kwargs: object) -> str:
        """Front matter for ``metadata``: one key a line, lists inline, nothing wrapped."""
        return str(
            yaml.dump(
                metadata, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=10**6
            )
        ).strip()

    def _check_events(self, fm: str) -> None:
        depth = values = 0
        for event in yaml.parse(fm, Loader=_Loader):
            line = _line(event.start_mark)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise self._refuse(line, "anchors and aliases (& and *) are not allowed", "Write the value out.")
            if getattr(event, "tag", None):
                raise self._refuse(line, "YAML tags (!) are not allowed", "Put the text in quotes.")
            values += isinstance(event, yaml.NodeEvent)
            if values > VALUE_LIMIT:
                raise self._refuse(
                    line, f"more than {VALUE_LIMIT} keys and values", "Keep data out of the agent file."
                )
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEPTH_LIMIT:
                    raise self._refuse(line, f"nested deeper than {DEPTH_LIMIT} levels", "Write it flatter.")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _check_node(self, node: yaml.Node) -> None:
        line = _line(node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            if node.tag in _NUMBERS and len(node.value) > NUMBER_LIMIT:
                raise self._refuse(line, f"a number of more than {NUMBER_LIMIT} characters", "Put it in quotes.")
            if "\0" in node.value:
                raise self._refuse(line, "text with a NUL character", "Remove the \\0.")
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._check_node(item)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                line = _line(key.start_mark)
                if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
                    raise self._refuse(line, "a key that is not plain text", "Put the key in quotes.")
                if key.value in seen:
                    raise self._refuse(line, f"the key {printable(key.value)!r} occurs twice", "Keep one of them.")
                seen.add(key.value)
                self._check_node(key)
                self._check_node(value)
