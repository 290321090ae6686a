"""How well a value of prose is explained: which sources fit, whether chance would do, whether the program picked it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from llmos_nb.learning.prose import Cut, Line, Token, cut, squeezed
from llmos_nb.learning.sources import Form, Place, SlotPart, forms, numeric, places, read_place, rendered, slot_parts
from llmos_nb.learning.telling import Source, Spot, Telling

__all__ = [
    "SENTENCE",
    "agreed",
    "candidates",
    "following",
    "is_constant",
    "is_likely",
    "is_picked",
    "keeps_lengths",
    "keeps_shape",
    "says",
    "spot_of",
    "stem",
    "survivors",
]

#: Significant digits that are hardly found by chance: 3 alone, 2 where the output or the goal says what they are.
DIGITS: Final = 3
DIGITS_WITH_LABEL: Final = 2
#: What ends a sentence, looked for between tokens.
SENTENCE: Final = re.compile(r"[.!?;:]\s|\n|[.!?]$")
_PERCENT: Final = re.compile(r"^\s*(?:%|percent\b|per cent\b)")
_PART: Final = re.compile(r"[^\W_]+")
_EMPTY: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "is",
        "are",
        "was",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "from",
        "by",
        "with",
        "and",
        "or",
        "it",
    ]
)


def survivors(runs: Sequence[Telling], index: int) -> list[tuple[Source, Form]]:
    """Sources, with the form they are said in, that explain a token of the prose in every run."""
    base = runs[0]
    found = []
    for source, form in candidates(base, index):
        for run in runs[1:]:
            read = run.read(source, base)
            if read is None or _said(run, index) not in rendered(form, read[0], read[1]):
                break
        else:
            found.append((source, form))
    return found if _is_explained(found) else []


def _is_explained(found: Iterable[tuple[Source, Form]]) -> bool:
    """Whether there is a source that is not only the greatest or the least of something."""
    return any(isinstance(source, SlotPart) or not source.is_extreme for source, _ in found)


def candidates(base: Telling, index: int) -> Iterable[tuple[Source, Form]]:
    """Sources that explain a token of the prose in one run."""
    said = base.prose.tokens[index]
    text = _said(base, index)
    ways = forms(said, bool(_PERCENT.match(following(base.prose, index))))
    for spot in _spots_saying(base, said, text, ways):
        token = base.at(spot)
        fitting = [form for form in ways if text in rendered(form, token.text, token.kind)]
        for place in places(base.outputs, spot, base.slots) if fitting else ():
            if read_place(place, base.outputs, base.slots) == spot:
                yield from ((place, form) for form in fitting)
    for part, value in slot_parts(base.slots):
        kind = "number" if numeric(value) is not None else "word"
        yield from ((part, form) for form in ways if text in rendered(form, value, kind))


def _spots_saying(base: Telling, said: Token, text: str, ways: Sequence[Form]) -> Iterable[Spot]:
    number = numeric(text) if said.kind == "number" else None
    for output, lines in enumerate(base.outputs):
        for i, line in enumerate(lines):
            for j, token in enumerate(line):
                if number is None:
                    fits = bool(token.text) and token.text.lower() == text.lower()
                else:
                    fits = token.kind == "number" and _is_near(number, token.text, ways)
                if fits:
                    yield output, i, j


def _is_near(number: Decimal, raw: str, ways: Sequence[Form]) -> bool:
    """Whether rounding could lead from ``raw`` to ``number``: a cheap look before the exact one."""
    value = numeric(raw)
    if value is None:
        return False
    step = max((Decimal(1).scaleb(-int(form[1])) for form in ways if form[0] == "round"), default=Decimal(0))
    percent = any(form[0] == "trim percent" for form in ways)
    return abs(value - number) <= step or (percent and abs(value * 100 - number) <= step)


def _said(run: Telling, index: int) -> str:
    return run.prose.tokens[index].text.replace("−", "-")


def spot_of(base: Telling, source: Source) -> Spot | None:
    return read_place(source, base.outputs, base.slots) if isinstance(source, Place) else None


def keeps_shape(runs: Sequence[Telling], place: Source, new: Telling, spot: Spot) -> bool:
    """Whether the new output looks around a place as the recorded ones do, as far as those looked alike."""
    assert isinstance(place, Place)
    found = [(run, at) for run in runs if (at := read_place(place, run.outputs, run.slots)) is not None]
    widths = {len(run.outputs[at[0]][at[1]]) for run, at in found}
    around = {_around(run, at) for run, at in found}
    return (
        {run.at(at).kind for run, at in found} == {new.at(spot).kind}
        and (len(widths) > 1 or len(new.outputs[spot[0]][spot[1]]) in widths)
        and (len(around) > 1 or _around(new, spot) in around)
    )


def keeps_lengths(runs: Sequence[Telling], new: Telling) -> bool:
    """Whether no output has more lines, or less, than in all recorded runs: a line may be there to warn of something."""
    lengths = [{len(run.outputs[k]) for run in runs} for k in range(len(new.outputs))]
    return all(len(seen) > 1 or len(new.outputs[k]) in seen for k, seen in enumerate(lengths))


def _around(run: Telling, spot: Spot) -> tuple[str, str]:
    line, j = run.outputs[spot[0]][spot[1]], spot[2]
    after = line[j + 1].before if j + 1 < len(line) else ""
    return squeezed(line[j].before if j else line[j].before.lstrip()).strip(), squeezed(after).strip()


def is_constant(number: str, runs: Sequence[Telling]) -> bool:
    """Whether a number was in the program, or in the words of the goal, in every run, and is no small count."""
    if _digits(number) < DIGITS_WITH_LABEL and len(number) < 4:  # 0.05 is no count, 5 may be one
        return False
    return all(
        any(t.text == number for text in run.code for t in cut(text).tokens) or says(number, run.goal) for run in runs
    )


def following(prose: Cut, index: int) -> str:
    following = prose.after(index)
    if not following.strip() and index + 1 < len(prose.tokens):
        return following + prose.tokens[index + 1].text
    return following


def _digits(text: str) -> int:
    """Significant digits."""
    mantissa = re.split(r"[eE]", text)[0]
    return len(re.sub(r"\D", "", mantissa).lstrip("0"))


def is_likely(
    base: Telling, index: int, said: set[str], spots: Sequence[Spot], found: Sequence[tuple[Source, Form]]
) -> bool:
    """Whether a number is explained by more than chance."""
    if not found:
        return False
    digits = sum(_digits(text) for text in said)
    if digits >= DIGITS:
        return True
    if any(isinstance(source, SlotPart) and _is_named_alike(base, index, source) for source, _ in found):
        return True
    near = _near(base, index)
    labels = set().union(*(_label(base, spot) for spot in spots), *(_goal_label(base, s) for s, _ in found))
    return digits >= DIGITS_WITH_LABEL and bool(near & labels)


def _is_named_alike(base: Telling, index: int, source: SlotPart) -> bool:
    """Whether the word after a number is the one after it in the goal: "3-qubit" here and there."""
    following = cut(base.asked[base.slots[source.slot].end :]).tokens[:1]
    after = base.prose.tokens[index + 1 : index + 2]
    return bool(following) and [stem(t.text) for t in following] == [stem(t.text) for t in after]


def _near(base: Telling, index: int) -> set[str]:
    """Words around a token of the prose, within its sentence."""
    tokens = base.prose.tokens
    start, end = index, index + 1
    while start > 0 and index - start < 8 and not SENTENCE.search(tokens[start].before):
        start -= 1
    while end < len(tokens) and end - index < 5 and not SENTENCE.search(tokens[end].before):
        end += 1
    return _content(tokens[start:end])


def _label(base: Telling, spot: Spot) -> set[str]:
    """Words of an output that tell what the token at a place is."""
    output, i, j = spot
    line = base.outputs[output][i]
    return _content(line[max(0, j - 4) : j + 3])


def _goal_label(base: Telling, source: Source) -> set[str]:
    if not isinstance(source, SlotPart):
        return set()
    slot = base.slots[source.slot]
    return _content(cut(base.asked[max(0, slot.start - 24) : slot.end + 24]).tokens)


def _content(tokens: Iterable[Token]) -> set[str]:
    parts = (part for t in tokens if t.kind == "word" for part in (t.text, *_PART.findall(t.text)))
    return {stem(part) for part in parts if part.lower() not in _EMPTY and len(part) > 1}


def stem(word: str) -> str:
    low = word.lower()
    return low[:-1] if len(low) > 3 and low.endswith("s") and not low.endswith("ss") else low


def agreed(texts: Iterable[str]) -> str | None:
    """The one text that all of ``texts`` are; numbers may be written differently, then the plainest way counts."""
    found = list(texts)
    if not found or "\0" in found:
        return None
    if len(set(found)) == 1:
        return found[0]
    values = {numeric(text) for text in found}
    return found[0] if len(values) == 1 and None not in values else None


def _is_alone(base: Telling, spot: Spot) -> bool:
    output, i, j = spot
    lines = base.outputs[output]
    looks = Counter(_look(line) for line in lines)
    if looks[_look(lines[i])] > 1:
        return False
    marks = Counter((t.kind, squeezed(t.before).strip()) for t in lines[i])
    mark = (lines[i][j].kind, squeezed(lines[i][j].before).strip())
    return (not mark[1] or marks[mark] == 1) and sum(t.kind == "number" for t in lines[i]) <= 3


def is_picked(base: Telling, spots: Iterable[Spot]) -> bool:
    """Whether the program itself picked what is at these places: nothing of the same look stands beside it."""
    return any(_is_alone(base, spot) for spot in dict.fromkeys(spots))


def _look(line: Line) -> tuple[tuple[str, str], ...]:
    return tuple((token.kind, squeezed(token.before).strip()) for token in line)


def says(low: str, text: Cut) -> bool:
    return any(token.text.lower() == low for token in text.tokens)
