"""The recorded answer over new outputs: its values are read again where they came from, or there is no answer.

Each number, date and changing word of the prose gets every source that explains it: places in outputs (see
:mod:`llmos_nb.learning.sources`), values of the goal. Several recorded runs whose prose says the same but for its
values leave only sources that explain all of them; what is left must agree on the new value. One run alone has to be
far plainer: outputs of the same shape, values long enough not to be found by chance, and no word that could have
become false. Claims (:mod:`llmos_nb.learning.claims`) are not repeated at all unless the program made them.

A wrong value is worse than none: whatever is in doubt ends in None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from llmos_nb.learning.claim_check import claims_hold, picks_one
from llmos_nb.learning.claims import NEUTRAL, is_claim
from llmos_nb.learning.evidence import (
    agreed,
    candidates,
    following,
    is_constant,
    is_likely,
    is_picked,
    keeps_lengths,
    keeps_shape,
    says,
    spot_of,
    stem,
    survivors,
)
from llmos_nb.learning.prose import cut, joined, squeezed
from llmos_nb.learning.sources import SlotPart, numeric, read_slot, rendered, slot_parts, slot_texts
from llmos_nb.learning.telling import (
    Spot,
    Telling,
    changed_slots,
    differs,
    is_alike,
    size_of,
    telling,
    telling_of,
    varied,
)
from llmos_nb.memory import Trace
from llmos_nb.memory.slots.slot import Slot

__all__ = ["rederive"]

#: Tokens of all outputs of one run, and of prose, up to which sources are looked for.
TOKEN_LIMIT: Final = 4_000
PROSE_LIMIT: Final = 600
_DELIMITERS: Final = "`'\"*“”‘’"
_PART: Final = re.compile(r"[^\W_]+")


def rederive(
    recorded: Sequence[tuple[Trace, Sequence[Slot]]], slots: Sequence[Slot], outputs: Sequence[str]
) -> str | None:
    """The answer of the first recorded trace with the values that the new ``slots`` and ``outputs`` give it, or None.

    ``recorded`` are runs of one program; every run's slots are in the order of the new ``slots``, and ``outputs`` are
    the texts of the first trace's replayable steps, in order, each whole. A value that no source explains, or that two
    explain differently, a claim, another shape of the outputs: None.
    """
    if not recorded or not recorded[0][0].answer.strip():
        return None
    base, *others = [telling_of(trace, own) for trace, own in recorded]
    if len(base.outputs) != len(outputs) or len(base.slots) != len(slots) or len(base.prose.tokens) > PROSE_LIMIT:
        return None
    new = telling(outputs, slots)
    if max(size_of(base), size_of(new)) > TOKEN_LIMIT:
        return None
    alike = [base]
    for run in others:
        if is_alike(base, run) and all(differs(run, other) for other in alike):
            alike.append(run)
    if _says_otherwise(alike, new):
        return None
    if len(alike) > 1 and all(varied(k, alike) for k in changed_slots(base, new)):
        pieces = _from_several(alike, new)
    else:
        pieces = _from_one(base, new)
    return None if pieces is None else joined(pieces, base.prose)


def _says_otherwise(runs: Sequence[Telling], new: Telling) -> bool:
    """Whether the outputs lack a word that every run showed, or have a first number below zero, or a first zero.

    ``True`` that is ``False`` now, ``ok`` that is ``FAIL``, a balance that is overdrawn: prose around such values may no
    longer hold, whatever its own words are.
    """
    shown = [_words_shown(run) for run in runs]
    values = {part.casefold() for run in runs for slot in run.slots for part in _PART.findall(slot.text)}
    if (frozenset.intersection(*shown) - values) - _words_shown(new):
        return True
    signs = {sign for run in runs for sign in _signs(run)}
    return bool(_signs(new) - signs - {1})


def _words_shown(run: Telling) -> frozenset[str]:
    return frozenset(
        part.casefold()
        for output in run.outputs
        for line in output
        for token in line
        if token.kind == "word"
        for part in _PART.findall(token.text)
        if not part.isdigit()
    )


def _signs(run: Telling) -> frozenset[int]:
    """-1, 0 and 1, as the numbers shown are."""
    found = (numeric(token.text) for output in run.outputs for line in output for token in line)
    return frozenset((value > 0) - (value < 0) for value in found if value is not None)


def _from_several(runs: Sequence[Telling], new: Telling) -> list[str] | None:
    if not keeps_lengths(runs, new):
        return None
    base = runs[0]
    careful = picks_one(base)
    chosen: dict[int, list[Spot]] = {}
    pieces: list[str] = []
    for index, token in enumerate(base.prose.tokens):
        said = {run.prose.tokens[index].text for run in runs}
        if token.kind == "word" and len(said) == 1:
            if not _is_still_so(runs, index, new, careful):
                return None
            pieces.append(token.text)
            continue
        found = survivors(runs, index)
        texts: dict[str, None] = {}
        spots: list[Spot] = []
        for source, form in found:
            read = new.read(source, base)
            if read is None or (read[2] is not None and not keeps_shape(runs, source, new, read[2])):
                return None
            if (spot := spot_of(base, source)) is not None:
                spots.append(spot)
            texts |= dict.fromkeys(rendered(form, read[0], read[1]) or ("\0",))
        if len(said) == 1:
            texts |= {token.text: None}
        likely = token.kind == "word" or is_likely(base, index, said, spots, found)
        if not likely and (found or len(said) > 1 or not is_constant(token.text, runs)):
            return None
        text = agreed(texts)
        if text is None or (careful and spots and not is_picked(base, spots)):
            return None
        chosen[index] = spots
        pieces.append(text)
    return pieces if claims_hold(runs, new, chosen) else None


def _is_still_so(runs: Sequence[Telling], index: int, new: Telling, careful: bool) -> bool:
    """Whether a word that every run said may be said again: nothing that it could stand for says otherwise now."""
    base = runs[0]
    word = base.prose.tokens[index].text
    if word.lower() in NEUTRAL or says(word.lower(), base.goal):
        return True
    spots = []
    for source, form in survivors(runs, index):
        read = new.read(source, base)
        if read is None:
            continue  # a label that is gone says nothing about a word that was always the same
        if word not in rendered(form, read[0], read[1]):
            return False
        if (spot := spot_of(base, source)) is not None:
            spots.append(spot)
    return not _is_gone(word, runs, new) and not (careful and spots and not is_picked(base, spots))


def _is_gone(word: str, runs: Sequence[Telling], new: Telling) -> bool:
    """Whether every recorded run showed a word that the new one does not: what was said of it may be over."""
    low = word.lower()
    shown = [any(t.text.lower() == low for lines in r.outputs for ln in lines for t in ln) for r in (*runs, new)]
    return all(shown[:-1]) and not shown[-1]


def _from_one(base: Telling, new: Telling) -> list[str] | None:
    if not _same_shape(base, new):
        return None
    changed = changed_slots(base, new)
    known = _known_words(base)
    parts = {
        part.lower() for k in changed for text in slot_texts(base.slots[k]).values() for part in _PART.findall(text)
    }
    careful = picks_one(base)
    pieces: list[str] = []
    chosen: dict[int, list[Spot]] = {}
    for index, token in enumerate(base.prose.tokens):
        spots: list[Spot] = []
        if token.kind == "word":
            text = _word_from_one(base, new, index, changed)
            if text is None:
                return None
            if text == token.text and not _is_from_slot(base, index, changed):
                low = token.text.lower()
                if {stem(part) for part in _PART.findall(low)} & {stem(part) for part in parts if len(part) > 2}:
                    return None
                if stem(low) not in known and low not in NEUTRAL and not is_claim(low):
                    return None
            pieces.append(text)
            continue
        texts: dict[str, None] = {}
        found = list(candidates(base, index))
        for source, form in found:
            read = new.read(source, base)
            if read is None:
                return None
            spot = spot_of(base, source)
            if spot is not None:
                spots.append(spot)
            texts |= dict.fromkeys(rendered(form, read[0], read[1]) or ("\0",))
        if found:
            if not is_likely(base, index, {token.text}, spots, found):
                return None
        elif not changed and is_constant(token.text, [base]):
            texts[token.text] = None
        text = agreed(texts)
        if text is None or (careful and spots and not is_picked(base, spots)):
            return None
        chosen[index] = spots
        pieces.append(text)
    return pieces if claims_hold([base], new, chosen) else None


def _same_shape(base: Telling, new: Telling) -> bool:
    """The outputs differ in numbers and dates alone, and in words that are a value of the goal in both."""
    swaps = {
        (a, b)
        for k in range(len(base.slots))
        for part, a in slot_texts(base.slots[k]).items()
        if (b := read_slot(SlotPart(k, part), new.slots, base.slots[k])) is not None
    }
    for ours, theirs in zip(base.outputs, new.outputs, strict=True):
        if len(ours) != len(theirs):
            return False
        for line, other in zip(ours, theirs, strict=True):
            if len(line) != len(other):
                return False
            for one, two in zip(line, other, strict=True):
                if one.kind != two.kind or squeezed(one.before).strip() != squeezed(two.before).strip():
                    return False
                if one.kind == "word" and one.text != two.text and (one.text, two.text) not in swaps:
                    return False
    return True


def _known_words(base: Telling) -> frozenset[str]:
    """Words that the goal, the program or its outputs have, cut to their stems."""
    texts = [*base.code, " ".join(t.text for t in base.goal.tokens), base.asked]
    texts += [t.text for lines in base.outputs for line in lines for t in line if t.kind == "word"]
    tokens = [token.text for text in texts for token in cut(text).tokens]
    return frozenset(stem(part) for text in tokens for part in (text, *_PART.findall(text)))


def _word_from_one(base: Telling, new: Telling, index: int, changed: Sequence[int]) -> str | None:
    """A word of the prose with the new value of the goal in it; None where that is not certain."""
    token = base.prose.tokens[index]
    parts = [(part, text) for part, text in slot_parts(base.slots) if part.slot in changed]
    if not any(text.lower() == token.text.lower() for _, text in parts):
        return token.text
    found: dict[str, None] = {}
    for source, form in candidates(base, index):  # the same word in an output may be what was meant
        if isinstance(source, SlotPart) and source.slot not in changed:
            return None
        read = new.read(source, base)
        found |= dict.fromkeys(rendered(form, read[0], "word") if read is not None else ("\0",))
    return agreed(found) if _is_distinctive(base, index) else None


def _is_from_slot(base: Telling, index: int, changed: Sequence[int]) -> bool:
    token = base.prose.tokens[index]
    return any(p.slot in changed and text.lower() == token.text.lower() for p, text in slot_parts(base.slots))


def _is_distinctive(base: Telling, index: int) -> bool:
    """Whether a word can only mean the value: an identifier, a file, several words, or set off by marks."""
    token = base.prose.tokens[index]
    if re.search(r"[\d_./\\ ]", token.text):
        return True
    before, after = token.before[-1:], following(base.prose, index)[:1]
    return bool(before) and before in _DELIMITERS and bool(after) and after in _DELIMITERS
