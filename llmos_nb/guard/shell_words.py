"""From a word of the syntax tree to what it can expand to: quotes, variables, braces, substitutions, splitting.

While a word is put together, characters that must not be special any more (quoted ones) are moved to a private-use
area and moved back at the end, so that splitting and wildcards see only what the shell would.
"""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Callable
from fnmatch import translate
from typing import Final

from tree_sitter import Node

from llmos_nb.guard.places import secret_variable
from llmos_nb.guard.shell_scope import FETCHED, MAX_ALTERNATIVES, MAX_TEXT, UNKNOWN, Arg, Feed, Scope

__all__ = ["Expander", "unescape_ansi"]


_SPECIAL: Final = " \t\n*?[]{},~"
_QUOTE: Final = {ord(c): 0xE010 + i for i, c in enumerate(_SPECIAL)}
_UNQUOTE: Final = {moved: plain for plain, moved in _QUOTE.items()}
#: Inside an unquoted variable's value only blanks and wildcards stay special.
_QUOTE_VALUE: Final = {ord(c): _QUOTE[ord(c)] for c in "{},~"}
#: Marks a quoted empty text, which is a word although it has no characters, and the border between two words.
_EMPTY: Final = "\ue030"
_BORDER: Final = "\ue031"
_NAME: Final = re.compile(r"[A-Za-z_]\w*|\d+|[@*#?$!-]")
_BRACES: Final = re.compile(r"\{([^{},]*(?:,[^{},]*)+)\}")


def unescape_ansi(text: str) -> str:
    """The inside of ``$'...'`` as the shell reads it."""

    def one(found: re.Match[str]) -> str:
        sign = found.group(1)
        if sign[0] in "xuU":
            return chr(min(int(sign[1:], 16), 0x10FFFF))
        if sign[0] in "01234567":
            return chr(int(sign, 8) & 255)
        if sign[0] == "c":
            return chr(ord(sign[1]) & 31)
        return {"e": "\x1b", "E": "\x1b"}.get(sign) or codecs.decode("\\" + sign, "unicode_escape")

    pattern = r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|c.|[abeEfnrtv\\'\"])"
    return re.sub(pattern, one, text).replace("\\?", "?").split("\0")[0]


def _product(parts: list[list[str]]) -> list[str]:
    """Every way to join one alternative of each part; a single unknown when there are too many, or they are too long."""
    size, length = 1, 0
    for part in parts:
        size *= max(len(part), 1)
        length += max(map(len, part), default=0)
        if size > MAX_ALTERNATIVES or length > MAX_TEXT:
            fetched = any(FETCHED in choice for part in parts for choice in part)
            return [UNKNOWN + (FETCHED if fetched else "")]
    return list(dict.fromkeys("".join(choice) for choice in itertools.product(*parts)))


def _braces(text: str) -> list[str]:
    """``a{b,c}d`` is ``abd`` and ``acd``."""
    words = [text]
    while any(_BRACES.search(word) for word in words):
        expanded: list[str] = []
        for word in words:
            found = _BRACES.search(word)
            choices = found.group(1).split(",") if found else []
            expanded += [word[: found.start()] + c + word[found.end() :] for c in choices] if found else [word]
        words = expanded
        if len(words) > MAX_BRACES:
            return [UNKNOWN]
    return words


#: Words that braces may make of one; beyond that the word is unknown.
MAX_BRACES: Final = 40
#: Longest value in which prefixes and suffixes are searched.
MAX_STRIPPED: Final = 500
#: What searching one takes longer than putting it together.
STRIPPING: Final = 20


class Expander:
    """Expands the words of one source text in a scope; substitutions are followed by ``substitute`` as they are met."""

    def __init__(self, source: bytes, scope: Scope, substitute: Callable[[Node, Scope], Feed]) -> None:
        self.source = source
        self.scope = scope
        self._substitute = substitute

    def text(self, node: Node) -> str:
        """A node's own source text."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def words(self, nodes: list[Node]) -> list[tuple[Arg, ...]]:
        """What a run of adjacent nodes (one word of the source) can become: alternatives of zero or more words."""
        joined = _product([self._expand(node) for node in nodes])
        return [tuple(self._finish(text)) for text in joined]

    def values(self, node: Node) -> list[str]:
        """What a node can become where no splitting happens: assignments, here-strings, case words."""
        found = [self._plain(text) for text in self._expand(node)]
        self.scope.findings.words(0, sum(map(len, found)))
        return found

    def body(self, node: Node) -> list[str]:
        """The text of a here-document whose delimiter is not quoted."""
        return [self._plain(text) for text in self._between(node, lambda raw: re.sub(r"\\([$`\\])", r"\1", raw))]

    def _plain(self, text: str) -> str:
        return text.translate(_UNQUOTE).replace(_EMPTY, "").replace(_BORDER, " ")

    def _finish(self, text: str) -> list[Arg]:
        fields: list[Arg] = []
        for word in _braces(text) if "{" in text else [text]:
            for piece in word.replace(_BORDER, " ").split():
                if piece.startswith("~") and "/" not in piece[1:2] and len(piece) > 1 and piece[1] in "+-":
                    piece = UNKNOWN + piece[2:]
                fields.append(Arg(self._plain(piece), any(sign in piece for sign in "*?[")))
        self.scope.findings.words(len(fields), len(text))
        return fields

    def _expand(self, node: Node) -> list[str]:
        kind = node.type
        if kind in ("word", "number", "variable_name", "extglob_pattern", "regex", "test_operator") and not (
            node.named_child_count
        ):
            raw = self.text(node).replace("\\\n", "")
            return [re.sub(r"\\(.)", lambda m: m.group(1).translate(_QUOTE), raw, flags=re.S)]
        if kind == "raw_string":
            return [_EMPTY + self.text(node)[1:-1].translate(_QUOTE)]
        if kind == "ansi_c_string":
            return [_EMPTY + unescape_ansi(self.text(node)[2:-1]).translate(_QUOTE)]
        if kind in ("string", "translated_string"):
            inner = next((c for c in node.named_children if c.type == "string"), node) if kind != "string" else node
            texts = self._between(inner, lambda raw: re.sub(r"\\([$`\"\\\n])", self._escape, raw), trim=1)
            return [_EMPTY + text for text in texts]
        if kind in ("concatenation", "command_name"):
            return _product([self._expand(child) for child in node.children])
        if kind in ("simple_expansion", "expansion"):
            return [value.translate(_QUOTE_VALUE) for value in self._variable(node, quoted=False)]
        if kind in ("command_substitution", "process_substitution"):
            return self._substituted(node)
        if kind == "arithmetic_expansion":
            self.follow(node)
            digits = self.text(node)[3:-2].strip()
            return [digits if digits.isdigit() else UNKNOWN]
        if kind == "brace_expression":
            return [UNKNOWN]
        if kind in ("{", "}", "[", "]", "$", ",", "~", "="):
            return [self.text(node)]
        self.follow(node)
        return [UNKNOWN] if node.child_count else [self.text(node)]

    @staticmethod
    def _escape(found: re.Match[str]) -> str:
        return "" if found.group(1) == "\n" else found.group(1)

    def _between(self, node: Node, clean: Callable[[str], str], trim: int = 0) -> list[str]:
        """A quoted text: its expansions, and the raw source between them."""
        parts: list[list[str]] = []
        position = node.start_byte + trim
        for child in node.children:
            if child.type not in (
                "simple_expansion", "expansion", "command_substitution", "arithmetic_expansion", "process_substitution",
            ):  # fmt: skip
                continue
            parts.append(
                [clean(self.source[position : child.start_byte].decode("utf-8", "replace")).translate(_QUOTE)]
            )
            if child.type in ("simple_expansion", "expansion"):
                values = self._variable(child, quoted=True)
                parts.append([_BORDER.join(v.translate(_QUOTE) for v in value.split(_BORDER)) for value in values])
            else:
                parts.append([value.translate(_QUOTE) for value in self._expand(child)])
            position = child.end_byte
        rest = self.source[position : max(node.end_byte - trim, position)].decode("utf-8", "replace")
        parts.append([clean(rest).translate(_QUOTE)])
        return _product(parts)

    def _substituted(self, node: Node) -> list[str]:
        feed = self._substitute(node, self.scope)
        mark = FETCHED if feed.network else ""
        if self.text(node)[:2] in ("<(", ">("):
            return [f"/dev/fd/63{UNKNOWN}{mark}"]
        return [(UNKNOWN if feed.text is None else feed.text.rstrip("\n")) + mark]

    def follow(self, node: Node) -> None:
        """Follow substitutions anywhere below a node that has no value of its own."""
        for child in node.named_children:
            if child.type in ("command_substitution", "process_substitution"):
                self._substitute(child, self.scope)
            else:
                self.follow(child)

    def _variable(self, node: Node, *, quoted: bool) -> list[str]:
        raw = self.text(node)
        if not raw.startswith("${"):
            return self._lookup(raw[1:], quoted)
        inside = raw[2:-1]
        if inside.startswith("#") and len(inside) > 1:
            return ["1"]
        indirect = inside.startswith("!")
        named = _NAME.match(inside, 1 if indirect else 0)
        if not named:
            self.follow(node)
            return [UNKNOWN]
        name, rest = named.group(), inside[named.end() :]
        if rest.startswith("["):
            self.follow(node)
            index, _, rest = rest[1:].partition("]")
            values = [_BORDER.join(self.scope.arrays[name])] if name in self.scope.arrays else [UNKNOWN]
            if index.isdigit() and name in self.scope.arrays:
                items = self.scope.arrays[name]
                values = [items[int(index)] if int(index) < len(items) else ""]
        else:
            values = self._lookup(name, quoted)
        if indirect:
            pointed = [self.scope.value(v) if _NAME.fullmatch(v) else (UNKNOWN,) for v in values]
            values = [v for group in pointed for v in group]
            if UNKNOWN in values and any(UNKNOWN in v or secret_variable(v) for v in self.scope.value(name)):
                self.scope.findings.add("secret-variable", raw)
        return self._operate(node, name, rest, values)[:MAX_ALTERNATIVES] if rest else values

    def _lookup(self, name: str, quoted: bool) -> list[str]:
        scope = self.scope
        if name in ("@", "*"):
            return [UNKNOWN] if scope.params is None else [_BORDER.join(scope.params[1:])]
        if name.isdigit() and scope.params is not None:
            return [scope.params[int(name)] if int(name) < len(scope.params) else ""]
        if name in scope.arrays:
            return [scope.arrays[name][0] if scope.arrays[name] else ""]
        values = list(scope.value(name))
        if values == [UNKNOWN] and secret_variable(name):
            scope.findings.add("secret-variable", name)
        if not quoted and "IFS" in scope.variables and name != "IFS":
            # With another separator the words of this value are not the ones between blanks.
            separators = "".join(scope.value("IFS"))
            strange = UNKNOWN in separators
            return [
                UNKNOWN if (strange and not value.isalnum()) or any(c in value for c in separators) else value
                for value in values
            ]
        return values

    def _operate(self, node: Node, name: str, rest: str, values: list[str]) -> list[str]:
        """Apply what follows the name in ``${name...}``."""
        operator = next((sign for sign in (":-", ":=", ":+", ":?", "-", "=", "+", "?") if rest.startswith(sign)), "")
        if operator and not (operator == ":-" and rest[1:].lstrip("-").isdigit() and not rest.startswith(":-")):
            return self._default(node, name, operator, rest, values)
        self.follow(node)
        if rest.startswith("@"):
            if rest[1:] not in ("U", "L", "Q", "u"):
                self.scope.findings.add("shell-hidden-code", self.text(node))
            return [v.upper() if rest == "@U" else v.lower() if rest == "@L" else UNKNOWN for v in values]
        if rest in ("^^", ",,"):
            return [v.upper() if rest == "^^" else v.lower() for v in values]
        if rest in ("^", ","):
            return [(v[:1].upper() if rest == "^" else v[:1].lower()) + v[1:] for v in values]
        if "$" in rest or "`" in rest:
            return [UNKNOWN]
        if cut := re.fullmatch(r":\s*(-?\d+)(?::(-?\d+))?", rest):
            start, length = int(cut.group(1)), cut.group(2)
            ends = None if length is None else (start + int(length) if int(length) >= 0 else int(length))
            return [UNKNOWN if UNKNOWN in v else v[start:ends] for v in values]
        if rest[0] in "#%":
            self.scope.findings.words(0, STRIPPING * sum(map(len, values)))
            return [self._strip(value, rest) for value in values]
        if rest[0] == "/" and rest.count("/") >= 1 and not any(sign in rest for sign in "*?[\\'\""):
            old, _, new = rest.lstrip("/").partition("/")
            count = -1 if rest.startswith("//") else 1
            known = [v for v in values if old and UNKNOWN not in v and v.count(old) * len(new) <= MAX_TEXT]
            return [v.replace(old, new, count) if v in known else UNKNOWN for v in values]
        return [UNKNOWN]

    def _default(self, node: Node, name: str, operator: str, rest: str, values: list[str]) -> list[str]:
        known = UNKNOWN not in values
        words = [child for child in node.named_children if child.start_byte > node.start_byte + 1 + len(name)]
        plain = rest[len(operator) :]
        if not words or (len(words) == 1 and words[0].type == "word"):
            default = [plain.replace("\\", "")] if "$" not in plain and "`" not in plain else [UNKNOWN]
        else:
            default = _product([self._expand(word) for word in words])
            default = [self._plain(text) for text in default]
        if operator.endswith("+"):
            return default if known else [*default, ""]
        if operator.endswith("?"):
            return values
        chosen = [value for value in values if value] or default
        if not known or "" in values:
            chosen = list(dict.fromkeys((*chosen, *default)))
        if operator.endswith("="):
            self.scope.assign(name, chosen)
        return chosen

    @staticmethod
    def _strip(value: str, rest: str) -> str:
        """``${x#prefix}`` and ``${x%suffix}``."""
        sign, longest = rest[0], rest[:2] in ("##", "%%")
        pattern = re.compile(translate(rest[2:] if longest else rest[1:]))
        if UNKNOWN in value or len(value) > MAX_STRIPPED:
            return UNKNOWN
        cuts = range(len(value) + 1)
        if sign == "#":
            return next((value[i:] for i in (reversed(cuts) if longest else cuts) if pattern.match(value[:i])), value)
        return next((value[:i] for i in (cuts if longest else reversed(cuts)) if pattern.match(value[i:])), value)
