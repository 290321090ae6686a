"""How sure a match is, as a number that holds: of matches given 0.92, at least 92 % are right."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, NamedTuple

__all__ = ["LIKELY", "WEIGHTS", "Signals", "confidence_of", "reliability"]

#: What a tier is worth at most.
CEILINGS: Final = {"exact": 1.0, "template": 0.98, "words": 0.97, "meaning": 0.96, "likely": 0.95}
#: One-sided 80 % normal quantile, and the uses that a recorded, verified run counts for before it was ever replayed.
_Z: Final = 0.8416
_PRIOR_USES: Final = 20.0


class Signals(NamedTuple):
    """What speaks for and against a claim beside its tier; each says more for it the larger it is, but the first.

    Attributes:
        extra: words that nothing explains, at most 3.
        near: cosine of the goal's masked text and the program's closest wording.
        ahead: by how much that is more than any other program's, at most 0.3.
        alike: weighted Jaccard index of the words of the goal and of the program's closest wording.
        apart: by how much that is more than that of other programs with the same kinds of values, at most 0.5.
        alone: and than that of any other program, at most 0.5.
        told: by how much better the program's wordings explain the goal than those of any other, as a logarithm.
    """

    extra: float
    near: float
    ahead: float
    alike: float
    apart: float
    alone: float
    told: float


#: Logistic regressions (ridge 2), their signs bound to what each signal means, each with its bias: one for ``words`` and
#: ``meaning``, one for ``likely``. They were fitted to 5,900 and 1,500 claims on goals of two kinds, weighted alike:
#: draws from ``tests/sets/templates.json``, and questions of students to a study advising database (the public
#: text-to-SQL set "advising"). A fit to the templates alone is ahead on these and twice as often wrong on the other set,
#: so it was not taken; ``tests/bench/bench_match_quality.py --fit`` makes it.
WEIGHTS: Final = Signals(0.0, 4.14, 2.06, 0.45, 1.63, 0.88, 0.12)
_BIAS: Final = -2.23
LIKELY: Final = Signals(-0.43, 2.14, 2.07, 3.31, 1.73, 2.08, 0.01)
_LIKELY_BIAS: Final = -1.0


@lru_cache(maxsize=4096)
def reliability(successes: int, failures: int) -> float:
    """The lower end of the Wilson interval (one-sided, 80 %) of a trace's success, relative to a trace never used.

    1.0 without failures; a failure of the first use makes 0.93, two 0.87, one of thirty-one 0.97.
    """
    return min(1.0, _wilson(successes + _PRIOR_USES, failures) / _wilson(successes + _PRIOR_USES, 0))


def _wilson(successes: float, failures: float) -> float:
    n = successes + failures
    p = successes / n
    spread = _Z * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
    return (p + _Z * _Z / (2 * n) - spread) / (1 + _Z * _Z / n)


def confidence_of(tier: str, signals: Signals | None, trusted: float) -> float:
    """The confidence of a match from its tier and its signals; ``trusted`` is the trace's :func:`reliability`.

    Equal wording needs no signals. Any other must also be told apart from what else is recorded.
    """
    found = CEILINGS[tier]
    if tier not in ("exact", "template") and signals is not None:
        weights, bias = (LIKELY, _LIKELY_BIAS) if tier == "likely" else (WEIGHTS, _BIAS)
        score = bias + sum(w * s for w, s in zip(weights, signals, strict=True))
        found = min(found, 1 / (1 + math.exp(-score)))
    return round(max(0.0, min(1.0, found * trusted)), 4)
