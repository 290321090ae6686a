"""Whether prose may claim what it claims: the program itself has to have said it, or the goal has to have asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmos_nb.learning.claims import RESTATED, is_claim, is_question, selects
from llmos_nb.learning.evidence import SENTENCE, says
from llmos_nb.learning.telling import Spot, Telling

__all__ = ["claims_hold", "picks_one"]


def picks_one(base: Telling) -> bool:
    """Whether the goal or the prose picks one out of several."""
    rest = " ".join(token.text for token in base.goal.tokens)
    return selects(rest) or selects(" ".join(token.text for token in base.prose.tokens))


def claims_hold(runs: Sequence[Telling], new: Telling, chosen: dict[int, list[Spot]]) -> bool:
    """Whether each claim of the prose is the program's own, or the goal's condition said again."""
    base = runs[0]
    question = is_question(base.asked)
    for index, token in enumerate(base.prose.tokens):
        low = token.text.lower()
        if token.kind != "word" or not is_claim(low) or _is_value(runs, index):
            continue
        if low in RESTATED and not question and all(says(low, run.goal) for run in runs):
            continue
        if not any(
            _says(run, spot, low)
            for k in _same_sentence(base, index)
            for spot in chosen.get(k, ())
            for run in (base, new)
        ):
            return False
        if not all(
            any(t.text.lower() == low for lines in run.outputs for line in lines for t in line)
            for run in (*runs, new)
        ):
            return False
    return True


def _is_value(runs: Sequence[Telling], index: int) -> bool:
    """Whether a word of the prose varied between the runs: a value is not a claim."""
    return len({run.prose.tokens[index].text for run in runs}) > 1


def _says(run: Telling, spot: Spot, word: str) -> bool:
    lines = run.outputs[spot[0]]
    return spot[1] < len(lines) and any(token.text.lower() == word for token in lines[spot[1]])


def _same_sentence(base: Telling, index: int) -> Iterable[int]:
    tokens = base.prose.tokens
    start, end = index, index
    while start > 0 and not SENTENCE.search(tokens[start].before):
        start -= 1
    while end + 1 < len(tokens) and not SENTENCE.search(tokens[end + 1].before):
        end += 1
    return range(start, end + 1)
