"""Does a fact bear on a goal? A number between 0 and 1, and the words it rests on.

Words that both have are the evidence; likeness of meaning (:mod:`llmos_nb.memory.embedding`) adds to it and is hardly
ever enough by itself. The number depends on the two texts alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

__all__ = ["RELEVANT", "reason_of", "relevance"]

#: From here on a fact is given to an agent beside a goal. Chosen on tests/sets/facts.py: see tests/unit/test_facts.py.
RELEVANT: Final = 0.50
#: Likeness of two unrelated sentences about data; what is above counts.
_UNRELATED: Final = 0.15
#: What a fact about one file is worth for a goal about another one.
_OTHER_FILE: Final = 0.5
_SHOWN: Final = 4


def relevance(
    goal: Mapping[str, float],
    fact: Mapping[str, float],
    likeness: float,
    *,
    goal_names: frozenset[str] = frozenset(),
    fact_names: frozenset[str] = frozenset(),
) -> float:
    """How much a fact bears on a goal, from the words of both with their weights and the likeness of their vectors."""
    shared = sum(min(weight, fact[word]) for word, weight in goal.items() if word in fact)
    least = min(sum(goal.values()), sum(fact.values()))
    cover = shared / least if least else 0.0
    alike = max(0.0, likeness - _UNRELATED) / (1 - _UNRELATED)
    words = 1 - math.exp(-shared / 1.2)
    score = 0.62 * words + 0.18 * cover * words + 0.42 * alike
    if goal_names and fact_names and not goal_names & fact_names:
        score *= _OTHER_FILE
    return min(1.0, score)


def reason_of(
    goal: Mapping[str, float], fact: Mapping[str, float], likeness: float, spelling: Mapping[str, str]
) -> str:
    """Why a fact was found, in words for a person; ``spelling`` has the words of the goal as they were written."""
    shared = sorted(
        (word for word in goal if word in fact and word in spelling), key=lambda word: -min(goal[word], fact[word])
    )
    told = [f"both say {', '.join(spelling[word] for word in shared[:_SHOWN])}"] if shared else []
    if likeness >= 2 * _UNRELATED or not told:
        told.append(f"likeness of meaning {max(0.0, likeness):.2f}")
    return "; ".join(told)
