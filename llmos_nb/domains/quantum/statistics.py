"""Do these counts agree with that theory? A test whose rate of false alarms is a promise, not an approximation.

Pearson's chi-squared is only approximately distributed as its name says, and far out in its tail the approximation is
poor: an outcome that is expected 5 times fails a chi-squared test "at 1e-6" about 7 times in 100,000. So the verdict
rests on an exact test. The multinomial distribution is a chain of binomial ones: how often the first outcome comes, how
often the second among the other shots, and so on. Each link gives an exact two-sided p-value, whatever the links before
it were, and Fisher's method joins them: ``-2 sum(log p)`` is at most as large, in distribution, as chi-squared with two
degrees of freedom a link. For two outcomes that is the binomial test. Pearson's statistic is told beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.domains.quantum.errors import QuantumError, need
from llmos_nb.domains.quantum.exact import probabilities

__all__ = ["Cell", "Check", "as_counts", "as_distribution", "check_counts", "shots_needed"]

#: Outcomes that are expected less often than this are counted together.
POOL_BELOW: Final = 5.0
#: A probability below this is a zero that was computed: it would take 10**12 shots to see it once.
IMPOSSIBLE: Final = 1e-12
#: Samples that a power is estimated from, and the power that is asked for where nothing is said.
SAMPLES: Final = 1_000
POWER: Final = 0.99
#: The most shots that are thought about.
SHOTS_LIMIT: Final = 10**9


@dataclass(frozen=True, slots=True)
class Cell:
    """One outcome, or the rare ones together: how often it came and how often it is expected."""

    outcomes: tuple[str, ...]
    count: int
    expected: float

    @property
    def name(self) -> str:
        """The outcome as counts write it."""
        return self.outcomes[0] if len(self.outcomes) == 1 else f"{len(self.outcomes)} rare outcomes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What became of a comparison of counts with theory. True where they agree.

    Where theory is right, ``ok`` is false with a probability of at most ``false_alarm``. ``p_value`` is exact (an upper
    bound where outcomes are discrete); ``chi_squared`` and ``degrees`` are Pearson's, for reading.
    """

    ok: bool
    p_value: float
    false_alarm: float
    shots: int
    chi_squared: float
    degrees: int
    method: str
    cells: tuple[Cell, ...]
    #: Outcomes that came although theory excludes them.
    impossible: dict[str, int]

    def __bool__(self) -> bool:
        return self.ok

    @property
    def sees(self) -> float | None:
        """The smallest deviation that a test with these shots finds 99 times in 100; None where it finds none.

        A deviation is measured as total variation: the share of the probability that is at the wrong outcomes. It is
        the least visible one of its size, which moves it between two halves of the outcomes; any other is seen sooner.
        Estimated from seeded samples.
        """
        share = [cell.expected / self.shots for cell in self.cells]
        return _smallest(share, self.shots, self.false_alarm)

    @property
    def power(self) -> str:
        """What the shots could have shown, in words."""
        sees = self.sees
        if sees is None:
            return f"{self.shots} shots are too few to be sure to see any deviation"
        return f"a deviation of {sees:.1%} of the probability or more would be seen 99 times in 100"

    @property
    def reason(self) -> str:
        """Why it is so, in words."""
        if self.impossible:
            listed = ", ".join(f"{key!r} came {count} times" for key, count in list(self.impossible.items())[:4])
            more = f" and {len(self.impossible) - 4} more" if len(self.impossible) > 4 else ""
            return f"{listed}{more}, which theory excludes"
        if self.ok and self.degrees == 0:
            return f"only {self.cells[0].name!r} is possible, and only it came"
        compared = f"p = {self.p_value:.2g} (below {self.false_alarm:g} it would fail)"
        if self.ok:
            return compared
        worst = max(self.cells, key=lambda cell: abs(cell.count - cell.expected) / math.sqrt(cell.expected))
        said = f"{worst.name!r} came {worst.count} times where {worst.expected:.1f} are expected"
        return f"{said}; p = {self.p_value:.2g}, below {self.false_alarm:g}"

    def __str__(self) -> str:
        verdict = "agrees with theory" if self.ok else "DOES NOT AGREE with theory"
        lines = [f"{verdict}: {self.reason}"]
        if self.degrees and not self.impossible:
            freedom = "degree" if self.degrees == 1 else "degrees"
            lines.append(
                f"{self.shots} shots, {len(self.cells)} cells, chi-squared {self.chi_squared:.2f} on {self.degrees} "
                f"{freedom} of freedom"
            )
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def check_counts(
    counts: Mapping[str, int], expected: Any, false_alarm: float = 1e-6, *, method: str = "exact"
) -> Check:
    """Compare counts with theory; where theory is right it fails with a probability of at most ``false_alarm``.

    Args:
        counts: how often each outcome came.
        expected: the probability of each outcome (what is not named is impossible), or a circuit, whose exact
            distribution is then computed.
        method: ``exact``; or ``chi-squared``, Pearson's test with rare outcomes pooled, whose false alarms are only
            approximately as rare as stated.

    One outcome that theory excludes is enough to fail.

    Raises:
        QuantumError: no counts, probabilities that are none or do not add up to 1, outcomes of different lengths, a rate
            of false alarms that is not between 0 and 1, or too few shots for the chi-squared method.
    """
    need("scipy")
    _check_rate("false_alarm", false_alarm)
    if method not in ("exact", "chi-squared"):
        raise QuantumError(f"method is 'exact' or 'chi-squared', got {method!r}.")
    theory = as_distribution(expected)
    seen = as_counts(counts)
    _check_keys(seen, theory)
    shots = sum(seen.values())
    impossible = {key: count for key, count in sorted(seen.items()) if count and theory.get(key, 0.0) < IMPOSSIBLE}
    cells = _cells(seen, theory, shots, merge=method == "chi-squared")
    degrees = len(cells) - 1
    chi_squared = sum((cell.count - cell.expected) ** 2 / cell.expected for cell in cells)
    if impossible:
        p_value = 0.0
    elif method == "exact":
        share = [cell.expected / shots for cell in cells]
        p_value = float(_p_values([[cell.count for cell in cells]], share)[0])
    else:
        p_value = _chi_squared_tail(chi_squared, degrees, len(theory))
    return Check(
        ok=p_value >= false_alarm,
        p_value=p_value,
        false_alarm=false_alarm,
        shots=shots,
        chi_squared=chi_squared,
        degrees=degrees,
        method=method,
        cells=tuple(cells),
        impossible=impossible,
    )


def shots_needed(
    expected: Any, deviation: float | Mapping[str, float], false_alarm: float = 1e-6, power: float = POWER
) -> int:
    """How many shots it takes for :func:`check_counts` to see a deviation from theory.

    Args:
        deviation: the distribution that is there instead; or a number, the share of the probability that is at the wrong
            outcomes (total variation), in the way that is the hardest to see.
        power: how surely it is to be seen.

    Estimated from 1,000 seeded samples a step, so it is right to some per cent.

    Raises:
        QuantumError: there is no such deviation, or more than 10**9 shots would be needed.
    """
    need("scipy")
    _check_rate("false_alarm", false_alarm)
    _check_rate("power", power)
    theory = as_distribution(expected)
    if isinstance(deviation, Mapping):
        other = as_distribution(deviation)
        _check_keys(dict.fromkeys(other, 0), theory)
        keys = sorted(theory.keys() | other.keys())
        share, real = [theory.get(key, 0.0) for key in keys], [other.get(key, 0.0) for key in keys]
    else:
        _check_rate("deviation", deviation)
        share = list(theory.values())
        if len(share) == 1:
            share, real = [share[0], 0.0], [1 - deviation, deviation]
        else:
            real = _moved(share, deviation)
    if max(abs(p - q) for p, q in zip(share, real, strict=True)) < IMPOSSIBLE:
        raise QuantumError("There is no deviation: both distributions are the same.")
    low, high = 0, 16
    while _power(share, real, high, false_alarm) < power:
        low, high = high, 2 * high
        if high > SHOTS_LIMIT:
            raise QuantumError(f"More than {SHOTS_LIMIT} shots would be needed.")
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if _power(share, real, middle, false_alarm) >= power else (middle, high)
    return high


def as_distribution(expected: Any) -> dict[str, float]:
    """``expected`` as probabilities that add up to 1, the largest first; those of a circuit are computed.

    Raises:
        QuantumError: a probability that is none, or a sum that is not 1.
    """
    given = expected if isinstance(expected, Mapping) else probabilities(expected)
    for key, p in given.items():
        if isinstance(p, bool) or (not isinstance(p, int | float) and not hasattr(p, "__float__")):
            raise QuantumError(f"The probability of {key!r} is a number, got {p!r}.")
        if not (math.isfinite(p) and -1e-9 <= p <= 1 + 1e-9):
            raise QuantumError(f"The probability of {key!r} is between 0 and 1, got {p!r}.")
    total = math.fsum(given.values())
    if abs(total - 1) > 1e-6:
        raise QuantumError(f"The probabilities add up to {total:.6g}, not to 1.")
    kept = {str(key): float(p) / total for key, p in given.items() if p >= IMPOSSIBLE}
    return dict(sorted(kept.items(), key=lambda item: (-item[1], item[0])))


def as_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """``counts`` as a dict of whole numbers.

    Raises:
        QuantumError: no mapping, a count that is none, or no shot at all.
    """
    if not isinstance(counts, Mapping):
        raise QuantumError(f"counts is a mapping of outcomes to numbers, got {type(counts).__name__}.")
    for key, count in counts.items():
        if isinstance(count, bool) or not hasattr(count, "__index__") or count < 0:
            raise QuantumError(f"The count of {key!r} is a whole number from 0, got {count!r}.")
    if not sum(counts.values()):
        raise QuantumError("There are no counts: no shot was made.")
    return {str(key): int(count) for key, count in counts.items()}


def _check_keys(seen: Mapping[str, int], theory: Mapping[str, float]) -> None:
    lengths = {len(key) for key in [*seen, *theory]}
    if len(lengths) > 1:
        one = next(iter(seen))
        other = next(key for key in theory if len(key) != len(one)) if any(
            len(key) != len(one) for key in theory
        ) else next(key for key in seen if len(key) != len(one))  # fmt: skip
        raise QuantumError(
            f"The outcomes {one!r} and {other!r} are not of one kind.",
            remedy="Name every outcome as counts do: as many bits, and a space between registers.",
        )


def _check_rate(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise QuantumError(f"{name} is between 0 and 1, got {value!r}.")


def _cells(seen: Mapping[str, int], theory: Mapping[str, float], shots: int, *, merge: bool) -> list[Cell]:
    """The outcomes, by falling expectation, with those that are rare counted together."""
    keys, share = list(theory), list(theory.values())
    return [
        Cell(
            tuple(keys[i] for i in group),
            sum(seen.get(keys[i], 0) for i in group),
            math.fsum(share[i] for i in group) * shots,
        )
        for group in _grouped(share, shots, merge=merge)
    ]


def _grouped(share: Sequence[float], shots: int, *, merge: bool = False) -> list[list[int]]:
    """Which outcomes are one cell. The exact test may have rare cells, and pools only where two cells are left to compare;
    ``merge`` joins outcomes until no cell is rare."""
    common = [[i] for i in sorted(range(len(share)), key=lambda i: -share[i]) if share[i] * shots >= POOL_BELOW]
    pool = [i for i in sorted(range(len(share)), key=lambda i: -share[i]) if share[i] * shots < POOL_BELOW]
    if not merge and not common:
        return [[i] for i in pool]
    while merge and pool and sum(share[i] for i in pool) * shots < POOL_BELOW and common:
        pool = [*common.pop(), *pool]
    return sorted([*common, *([pool] if pool else [])], key=lambda group: -sum(share[i] for i in group))


def _p_values(counts: Any, share: Sequence[float]) -> Any:
    """The exact p-value of each row of counts, for cells with these probabilities."""
    import numpy as np
    from scipy.special import betainc, gammaincc

    rows = np.asarray(counts, dtype=float)
    left = rows.sum(axis=1)
    rest = 1.0
    statistic = np.zeros(len(rows))
    for column, p in enumerate(share[:-1]):
        chance = min(1.0, p / rest)
        n = rows[:, column]
        with np.errstate(invalid="ignore", divide="ignore"):
            at_least = np.where(n > 0, betainc(np.maximum(n, 0.5), left - n + 1, chance), 1.0)
            at_most = np.where(n < left, betainc(np.maximum(left - n, 0.5), n + 1, 1 - chance), 1.0)
            p_value = np.minimum(1.0, 2 * np.minimum(at_least, at_most))
            statistic += -2 * np.log(p_value)
        left, rest = left - n, max(rest - p, 1e-300)
    return gammaincc(len(share) - 1, statistic / 2) if len(share) > 1 else np.ones(len(rows))


def _chi_squared_tail(chi_squared: float, degrees: int, outcomes: int) -> float:
    from scipy.special import gammaincc

    if not degrees and outcomes > 1:
        raise QuantumError(
            "There are too few shots for a chi-squared test: no two cells are expected 5 times.",
            remedy="Make more shots, or use method='exact'.",
        )
    return float(gammaincc(degrees / 2, chi_squared / 2)) if degrees else 1.0


def _power(share: Sequence[float], real: Sequence[float], shots: int, false_alarm: float) -> float:
    """How often the test fails when the outcomes really come with the probabilities ``real``."""
    import numpy as np

    rng = np.random.default_rng(20_251)
    p, q = np.asarray(share), np.clip(np.asarray(real), 0, None)
    drawn = rng.multinomial(shots, q / q.sum(), size=SAMPLES)
    excluded = p < IMPOSSIBLE
    found = drawn[:, excluded].sum(axis=1) > 0
    possible, p = drawn[:, ~excluded], p[~excluded]
    groups = _grouped(list(p), shots)
    together = np.column_stack([possible[:, group].sum(axis=1) for group in groups])
    found |= _p_values(together, [float(p[group].sum()) for group in groups]) < false_alarm
    return float(found.mean())


def _moved(share: Sequence[float], size: float) -> list[float]:
    """The distribution that differs by ``size`` and is the hardest to tell: one half of the outcomes gains evenly."""
    gains, total = set(), 0.0
    for index in sorted(range(len(share)), key=lambda i: -share[i]):
        if total + share[index] <= 0.5 + 1e-12:
            gains.add(index)
            total += share[index]
    if not gains:  # one outcome has more than half of it
        gains = set(range(len(share))) - {max(range(len(share)), key=lambda i: share[i])}
        total = sum(share[index] for index in gains)
    if size > 1 - total + 1e-12:
        raise QuantumError(f"No more than {1 - total:.3g} of the probability can be at the wrong outcomes here.")
    return [p * (1 + size / total) if i in gains else p * (1 - size / (1 - total)) for i, p in enumerate(share)]


def _smallest(share: Sequence[float], shots: int, false_alarm: float) -> float | None:
    if len(share) == 1:
        return float(1 - (1 - POWER) ** (1 / shots))
    low, high = 0.0, 0.5
    if _power(share, _moved(share, high), shots, false_alarm) < POWER:
        return None
    for _ in range(10):
        middle = (low + high) / 2
        seen = _power(share, _moved(share, middle), shots, false_alarm) >= POWER
        low, high = (low, middle) if seen else (middle, high)
    return high
