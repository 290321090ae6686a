"""All ways in which a place's values, one of each example, can come from the examples' slots."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from llmos_nb.memory.programs.atoms import Atoms
from llmos_nb.memory.programs.derive import IDENTITIES, SLUGS
from llmos_nb.memory.programs.pattern import Pattern, Ref, Term, constant
from llmos_nb.memory.programs.reading import Literal

__all__ = ["TooMany", "explain"]

#: More ways than these to read one place: nothing certain can be said of it.
MOST_PATTERNS: Final = 48
#: Lists longer than this are data, not choices.
LONGEST_LIST: Final = 64


class TooMany(ValueError):
    """A place can be explained in more ways than are looked at."""


def explain(values: tuple[Literal, ...], role: str, context: str, atoms: Atoms) -> tuple[Pattern, ...]:
    """Every pattern that gives ``values``, one of each example; empty if there is none.

    Raises:
        TooMany: if there are more than are looked at.
    """
    first = values[0]
    same = all(value == first for value in values[1:])
    found: list[Pattern] = [constant(first)] if same else []
    if role == "list":
        if not same or atoms.steady or atoms.steady_numbers or atoms.lists:
            found += _lists(values, context, atoms)
    elif all(isinstance(value, str) for value in values):
        texts = tuple(value for value in values if isinstance(value, str))
        if not same or any(steady in texts[0] for steady in atoms.steady):
            found += _texts(texts, role, context, atoms)
    elif not any(isinstance(value, str | tuple) for value in values):
        whole = all(isinstance(value, int) for value in values)
        found += [Pattern("number", (term,), whole) for term in atoms.numbers.get(values, ())]
    if len(found) > MOST_PATTERNS:
        raise TooMany
    return tuple(found)


# Texts ----------------------------------------------------------------------------------------------------------------


def _texts(values: tuple[str, ...], role: str, context: str, atoms: Atoms) -> Iterator[Pattern]:
    """Texts made of stretches that stay and parts that come from slots."""
    starts: dict[int, list[tuple[tuple[str, ...], tuple[Term, ...]]]] = {}
    for written, terms in atoms.texts.items():
        if any(text not in value for text, value in zip(written, values, strict=True)):
            continue
        position, fixed = values[0].find(written[0]), tuple(terms)
        while position >= 0:
            if _stands_alone(values[0], position, position + len(written[0])):
                starts.setdefault(position, []).append((written, fixed))
            position = values[0].find(written[0], position + 1)
    if not starts:
        return
    ways = _ways(values, (0,) * len(values), sorted(starts), starts, {})
    for parts in _plainest(values[0], ways, starts):
        if not any(isinstance(part, tuple) for part in parts):
            continue
        chosen = tuple(
            part if isinstance(part, str) else _twins(part, parts[:i], parts[i + 1 :], role, context)
            for i, part in enumerate(parts)
        )
        yield from (Pattern("text", expanded) for expanded in _by_parameter(chosen))


_Parts = tuple[str | tuple[Term, ...], ...]


def _ways(
    values: tuple[str, ...],
    at: tuple[int, ...],
    order: list[int],
    starts: dict[int, list[tuple[tuple[str, ...], tuple[Term, ...]]]],
    seen: dict[tuple[int, ...], list[_Parts]],
) -> list[_Parts]:
    """All ways to read on from positions ``at``: a stretch that all share up to a place where an atom begins, the atom,
    and so on."""
    if at in seen:
        return seen[at]
    first = values[0]
    ways: list[_Parts] = []
    for begin in [*(position for position in order if position >= at[0]), len(first)]:
        shared = first[at[0] : begin]
        if any(not value.startswith(shared, start) for value, start in zip(values, at, strict=True)):
            break
        here = tuple(start + len(shared) for start in at)
        before: _Parts = (shared,) if shared else ()
        if begin == len(first):
            if all(start == len(value) for start, value in zip(here, values, strict=True)):
                ways.append(before)
            break
        for written, terms in starts[begin]:
            after = tuple(start + len(text) for start, text in zip(here, written, strict=True))
            if all(
                value.startswith(text, start) and _stands_alone(value, start, end)
                for value, text, start, end in zip(values, written, here, after, strict=True)
            ):
                ways += [(*before, terms, *rest) for rest in _ways(values, after, order, starts, seen)]
        if len(ways) > 4 * MOST_PATTERNS:
            raise TooMany
    seen[at] = ways
    return ways


def _plainest(
    first: str, ways: Sequence[_Parts], starts: dict[int, list[tuple[tuple[str, ...], tuple[Term, ...]]]]
) -> list[_Parts]:
    """``ways`` without those that put a value together from its own pieces where another way has the value itself."""
    texts = {id(terms): written[0] for found in starts.values() for written, terms in found}
    laid: list[list[tuple[int, int, frozenset[Ref], frozenset[Ref]]]] = []
    for parts in ways:
        at, spans = 0, []
        for part in parts:
            length = len(part) if isinstance(part, str) else len(texts[id(part)])
            if not isinstance(part, str):
                refs = frozenset(term.ref for term in part)
                spans.append((at, at + length, refs, frozenset(t.ref for t in part if t.function in IDENTITIES)))
            at += length
        laid.append(spans)
    whole = {(start, end, ref) for spans in laid for start, end, _, plain in spans for ref in plain}

    def pieced(spans: Sequence[tuple[int, int, frozenset[Ref], frozenset[Ref]]]) -> bool:
        for start, end, ref in whole:
            inner = [span for span in spans if start <= span[0] and span[1] <= end]
            if (
                inner
                and inner[0][:2] != (start, end)
                and not any(span[3] for span in inner)
                and any(ref[0] == parameter for span in inner for parameter, _ in span[2])
            ):
                return True
        return False

    return [parts for parts, spans in zip(ways, laid, strict=True) if not pieced(spans)]


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether ``start:end`` is no piece of a longer word or number."""
    return not _joined(text, start) and not _joined(text, end)


def _joined(text: str, at: int) -> bool:
    if at <= 0 or at >= len(text):
        return False
    left, right = text[at - 1], text[at]
    if left.isalpha():
        return right.isalpha()
    if left.isdigit():
        return right.isdigit() or (right in ".," and text[at + 1 : at + 2].isdigit() and _number_goes_on(text, at))
    return left in ".," and right.isdigit() and text[at - 2 : at - 1].isdigit() and at >= 2


def _number_goes_on(text: str, at: int) -> bool:
    """Whether ``3.5`` or ``1,000`` is being cut after its first digits; dates such as ``22.11.2026`` may be."""
    return re.match(r"[.,]\d+(?![.\d])", text[at:]) is not None


def _twins(terms: tuple[Term, ...], before: _Parts, after: _Parts, role: str, context: str) -> tuple[Term, ...]:
    """Terms of one part that gave the same in every example, less those that only changed nothing by chance.

    Where the value itself is in all examples what stands there, the value it is. Only in the names of files and
    variables are the usual spellings kept in mind, since there a space or a capital is seldom kept.
    """
    plain = {term.ref for term in terms if term.function in IDENTITIES}
    near = (before[-1][-1:] if before and isinstance(before[-1], str) else "") + (
        after[0][:1] if after and isinstance(after[0], str) else ""
    )
    slug = role == "name" or any(char in "_-./\\" or char.isalnum() for char in near)
    kept = []
    for term in terms:
        if term.ref in plain and term.function not in IDENTITIES and term.function != "digits":
            if not slug or term.function not in SLUGS or context == "sql":
                continue
        elif term.function == "as written" and any(other.ref == term.ref and other != term for other in terms):
            continue
        kept.append(term)
    return tuple(kept)


def _by_parameter(parts: _Parts) -> Iterator[tuple[str | tuple[Term, ...], ...]]:
    """One version for each choice of parameter, where two explain a part: they are different readings."""
    versions: list[tuple[str | tuple[Term, ...], ...]] = [()]
    for part in parts:
        if isinstance(part, str):
            versions = [(*version, part) for version in versions]
            continue
        groups: dict[Ref, list[Term]] = {}
        for term in part:
            groups.setdefault(term.ref, []).append(term)
        versions = [(*version, tuple(group)) for version in versions for group in groups.values()]
        if len(versions) > MOST_PATTERNS:
            raise TooMany
    yield from versions


# Lists ----------------------------------------------------------------------------------------------------------------


def _lists(values: tuple[Literal, ...], context: str, atoms: Atoms) -> list[Pattern]:
    """Lists made of items that are explained one by one and of whole lists from slots."""
    lists = [value for value in values if isinstance(value, tuple)]
    if len(lists) < len(values) or any(len(value) > LONGEST_LIST for value in lists):
        return []
    ways = _list_ways(lists, (0,) * len(lists), context, atoms, {})
    return [
        Pattern("list", parts)
        for parts in ways
        if any(isinstance(part, Term) or (isinstance(part, Pattern) and part.kind != "constant") for part in parts)
    ]


def _list_ways(
    lists: Sequence[tuple[Literal, ...]],
    at: tuple[int, ...],
    context: str,
    atoms: Atoms,
    seen: dict[tuple[int, ...], list[tuple[Term | Pattern, ...]]],
) -> list[tuple[Term | Pattern, ...]]:
    if at in seen:
        return seen[at]
    if all(start == len(value) for start, value in zip(at, lists, strict=True)):
        return [()]
    ways: list[tuple[Term | Pattern, ...]] = []
    for made, term in atoms.lists:
        after = tuple(start + len(part) for start, part in zip(at, made, strict=True))
        if all(value[s:e] == part for value, s, e, part in zip(lists, at, after, made, strict=True)):
            ways += [(term, *rest) for rest in _list_ways(lists, after, context, atoms, seen)]
    if all(start < len(value) for start, value in zip(at, lists, strict=True)):
        items = tuple(value[start] for start, value in zip(at, lists, strict=True))
        role = "string" if isinstance(items[0], str) else "number"
        patterns = explain(items, role, context, atoms)
        if patterns:
            for rest in _list_ways(lists, tuple(start + 1 for start in at), context, atoms, seen):
                ways += [(pattern, *rest) for pattern in patterns]
    if len(ways) > MOST_PATTERNS:
        raise TooMany
    seen[at] = ways
    return ways
