"""A goal template: the words a goal must have, and the values it may have.

``How many {species:word} penguins are in {file:path}?`` matches a whole goal or nothing. Words match whatever their
case, whitespace is flexible, and a final ``.`` or ``?`` (or ``!`` after a letter) may be there or not. Everything
else, operators and signs above all, is literal: ``2 - 3`` never matches ``{a:number} + {b:number}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from llmos_nb.cortex.scripted.problem import ScriptProblem

__all__ = ["GOAL_LIMIT", "RESERVED", "VALUE_TYPES", "Template"]

#: Longest goal, in characters, that is compared with templates; a longer one is unknown. It bounds the time a
#: template with two ``text`` values may take.
GOAL_LIMIT: Final = 4_000

#: Names that a value cannot have, because a script's text uses them for what the tools returned.
RESERVED: Final = frozenset({"result", "error", "memory"})

_QUOTED: Final = r'"[^"\n]+"|\'[^\'\n]+\'|`[^`\n]+`|“[^”\n]+”'
_WORD: Final = r"\w+(?:[-.]\w+)*"
_PATH_CHAR: Final = r"""[^\s"'`“”<>|*?,;!]"""

#: What each type of value looks like in a goal. Quotes around a word or a path are not part of the value.
VALUE_TYPES: Final[dict[str, str]] = {
    "word": rf"""(?:"{_WORD}"|'{_WORD}'|`{_WORD}`|“{_WORD}”|(?<!\w){_WORD}(?!\w))""",
    # A path without quotes must look like one: it has a slash or an inner dot.
    "path": rf"(?:{_QUOTED}|(?={_PATH_CHAR}*(?:[/\\]|\.\w)){_PATH_CHAR}*(?![.:()\[\]{{}}]){_PATH_CHAR})",
    "int": r"(?<![\w.])[+-]?[0-9]{1,30}(?!\w)(?!\.[0-9])",
    "number": r"(?<![\w.])[+-]?(?:[0-9]{1,30}(?:\.[0-9]{1,30})?|\.[0-9]{1,30})(?:e[+-]?[0-9]{1,2})?(?!\w|\.[0-9])",
    "quoted": rf"(?:{_QUOTED})",
    "text": r"\S(?:[\s\S]*?\S)?",
}

_VALUE: Final = re.compile(r"\{([^{}]*)\}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_OPERATOR: Final = re.compile(r"[+*/=<>^%×÷−-]")
_FINAL: Final = r"(?:\s*[.?]+|(?<=[^\W\d_])!+)?"
_TEXT_VALUES_LIMIT: Final = 2


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed goal template; ``types`` gives each value's type in the order of the text."""

    text: str
    types: dict[str, str]
    pattern: re.Pattern[str]
    #: Characters that a goal must have literally, whitespace aside: of two templates the one with more is meant.
    literal_chars: int

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a template.

        Raises:
            ScriptProblem: an unknown type, a value bound twice, a stray brace, or no literal word at all.
        """
        core = re.sub(r"[.?]+$|(?<=[^\W\d_])!+$", "", " ".join(text.split())).rstrip()
        pieces = _VALUE.split(core)
        literals, declared = pieces[0::2], pieces[1::2]
        if any("{" in piece or "}" in piece for piece in literals):
            raise ScriptProblem(f"goal {text!r} has a brace that is no value such as {{file:path}}")
        if not re.search(r"[^\W\d_]", "".join(literals)):
            raise ScriptProblem(f"goal {text!r} needs at least one literal word, or it would claim every goal")
        if any(not piece for piece in literals[1:-1]):
            raise ScriptProblem(f"goal {text!r} has two values with nothing between them")
        types: dict[str, str] = {}
        for piece in declared:
            name, kind = _split(piece)
            if not _NAME.fullmatch(name) or name in RESERVED:
                raise ScriptProblem(
                    f"goal {text!r}: {name!r} cannot name a value (a-z, 0-9 and _; not result, error, memory)"
                )
            if kind not in VALUE_TYPES:
                raise ScriptProblem(f"goal {text!r}: {kind!r} is no type; there are {', '.join(VALUE_TYPES)}")
            if name in types:
                raise ScriptProblem(f"goal {text!r} binds {name!r} twice")
            types[name] = kind
        if list(types.values()).count("text") > _TEXT_VALUES_LIMIT:
            raise ScriptProblem(f"goal {text!r} has more than {_TEXT_VALUES_LIMIT} text values")
        regex = _literal_regex(literals[0])
        for (name, kind), literal in zip(types.items(), literals[1:], strict=True):
            regex += f"(?P<{name}>{VALUE_TYPES[kind]})" + _literal_regex(literal)
        literal_chars = sum(len("".join(piece.split())) for piece in literals)
        return cls(text.strip(), types, re.compile(rf"\s*{regex}{_FINAL}\s*", re.IGNORECASE), literal_chars)

    @property
    def key(self) -> str:
        """Equal for two templates that claim the same goals."""
        return " ".join(_VALUE.sub(lambda value: f"{{{_split(value[1])[1]}}}", self.text).casefold().split()).rstrip(
            ".?!"
        )

    def bind(self, goal: str) -> dict[str, str] | None:
        """The goal's values by name, without quotes around words and paths; None when the goal is another one."""
        found = self.pattern.fullmatch(goal) if len(goal) <= GOAL_LIMIT else None
        if found is None:
            return None
        return {name: _unquote(text, self.types[name]) for name, text in found.groupdict().items()}


def _split(declared: str) -> tuple[str, str]:
    name, _, kind = declared.partition(":")
    return name.strip(), kind.strip() or "text"


def _unquote(text: str, kind: str) -> str:
    if kind in ("word", "path", "quoted") and text[0] in "\"'`“":
        return text[1:-1]
    return text


def _literal_regex(literal: str) -> str:
    """The literal's regex: whitespace is flexible, and optional beside an operator (``2+3`` is ``2 + 3``)."""
    regex = ""
    for piece in re.finditer(r"\s+|\S+", literal):
        if piece[0].isspace():
            beside_operator = any(
                _OPERATOR.match(char) for char in (literal[: piece.start()][-1:], literal[piece.end() :][:1])
            )
            regex += r"\s*" if beside_operator else r"\s+"
        else:
            regex += re.escape(piece[0])
    return regex
