"""What a confidence is worth: right against wrong over the threshold, and the reliability of every bin and tier.

    python tests/bench/bench_match_quality.py [--seeds 5] [--fit] [--png PATH]

Goals of the templates set, with and without a vocabulary, several draws of what is stored; and the near misses and
paraphrases, each against a single trace. Everything that any claim can be bound for is served here, whatever its
confidence, so that the curve has its lower end. ``--fit`` fits the weights of the confidence to the templates anew.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from bench_templates import SETS, Answer, answers, cases
from surroundings import clean

sys.path.insert(0, str(SETS))

from pairs import judged, near_misses, paraphrases

THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98)
BINS = (0.0, 0.5, 0.7, 0.8, 0.88, 0.92, 0.94, 0.96, 0.975, 1.01)


@dataclass(frozen=True, slots=True)
class Point:
    """One goal: whether it should and could be served, what was, and how surely."""

    known: bool
    served: bool
    right: bool
    confidence: float
    tier: str


def curve(points: Sequence[Point]) -> list[tuple[float, float, float, int]]:
    """Threshold, share of known goals served right, share of wrong among the served, and how many are served."""
    known = max(1, sum(point.known for point in points))
    rows = []
    for threshold in THRESHOLDS:
        served = [point for point in points if point.served and point.confidence >= threshold]
        right = sum(point.right for point in served)
        rows.append((threshold, right / known, (len(served) - right) / max(1, len(served)), len(served)))
    return rows


def reliability(points: Sequence[Point]) -> list[tuple[float, float, int, float, float]]:
    """For each bin of confidences: its ends, how many were served, their mean confidence and the share right."""
    rows = []
    for low, high in pairwise(BINS):
        inside = [point for point in points if point.served and low <= point.confidence < high]
        if inside:
            mean = sum(point.confidence for point in inside) / len(inside)
            rows.append((low, high, len(inside), mean, sum(point.right for point in inside) / len(inside)))
    return rows


def of_templates(seed: int, *, vocabulary: bool) -> list[Point]:
    """What a store says to goals of the templates."""
    data = json.loads((SETS / "templates.json").read_text(encoding="utf-8"))
    keep, ask = cases(data, 5, 6, seed)
    values = {kind: data["lists"][kind] for kind in data["vocabulary"]} if vocabulary else None
    return [
        Point(one.case.known, one.served is not None, _equal(one), one.confidence, _tier(one.reason))
        for one in answers(keep, ask, values)
    ]


def _equal(answer: Answer) -> bool:
    """Whether the true query was served; 199.0 is 199."""
    served, true = (re.sub(r"(\d)\.0\b", r"\1", text or "") for text in (answer.served, answer.case.query))
    return answer.case.known and served == true


def of_pairs() -> list[Point]:
    """What a store with one trace says to near misses and paraphrases."""
    return [
        Point(one.pair.same, one.served, one.served and one.right, one.confidence, _tier(one.reason))
        for one in judged([*near_misses(), *paraphrases()])
    ]


def _tier(reason: str) -> str:
    for begins, tier in (("the same wording", "template"), ("the same words", "words"), ("the same task", "meaning")):
        if reason.startswith(begins):
            return tier
    return "likely" if reason.startswith("most likely") else ""


def fitted(seeds: int, *, likely: bool) -> tuple[list[float], float]:
    """The weights and the bias that the templates give, with signs as they must be (iterated least squares, ridge 2).

    Of the claims of the tier ``likely``, or of ``words`` and ``meaning``.
    """
    from llmos_nb.memory import matcher

    rows: list[tuple[tuple[float, ...], bool]] = []
    current: dict[str, Any] = {}
    before = matcher.confidence_of

    def noted(tier: str, signals: Any, trusted: float) -> float:
        found = before(tier, signals, trusted)
        if tier in (("likely",) if likely else ("words", "meaning")):
            current[repr(found)] = tuple(signals)
        return found

    matcher.confidence_of = noted  # type: ignore[assignment]
    data = json.loads((SETS / "templates.json").read_text(encoding="utf-8"))
    for seed in range(1, seeds + 1):
        for values in ({kind: data["lists"][kind] for kind in data["vocabulary"]}, None):
            keep, ask = cases(data, 5, 6, seed)
            for one in answers(keep, ask, values):
                signals = current.get(repr(one.confidence))
                if one.served is not None and signals is not None:
                    rows.append((signals, one.right))
    matcher.confidence_of = before
    signs = np.array([-1, 1, 1, 1, 1, 1, 1, 0])
    x = np.array([(*signals, 1.0) for signals, _ in rows])
    y = np.array([right for _, right in rows], float)
    scale = np.append(x[:, :-1].std(0) + 1e-9, 1.0)
    active = np.ones(len(signs), bool)
    while True:
        w = np.zeros(len(signs))
        z = x / scale * active
        for _ in range(60):
            p = 1 / (1 + np.exp(-z @ w))
            slope = z.T @ (p - y) + 2 * np.append(w[:-1], 0)
            w -= np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + 2 * np.eye(len(w)), slope)
        wrong = active & (w * signs < -1e-9)
        if not wrong.any():
            break
        active[np.argmin(np.where(wrong, w * signs, 0))] = False
    raw = (w * active / scale).tolist()
    return raw[:-1], raw[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=5, help="draws of what is stored")
    parser.add_argument("--fit", action="store_true", help="fit the weights anew and print them")
    parser.add_argument("--png", type=Path, help="draw curve and reliability into this file")
    options = parser.parse_args()
    png = options.png.absolute() if options.png else None
    clean()
    from llmos_nb.memory import matcher

    matcher.SURE = 0.0  # type: ignore[misc]
    seeds = range(1, options.seeds + 1)
    sets = {
        "templates, with vocabulary": [point for seed in seeds for point in of_templates(seed, vocabulary=True)],
        "templates, without": [point for seed in seeds for point in of_templates(seed, vocabulary=False)],
        "near misses and paraphrases": of_pairs(),
    }
    for label, points in sets.items():
        print(f"\n{label}: {len(points)} goals, {sum(point.known for point in points)} of a stored kind")
        print(f"  {'from confidence':>16} {'right':>8} {'wrong':>8} {'served':>8}")
        for threshold, right, wrong, served in curve(points):
            print(f"  {threshold:16.3f} {right:8.1%} {wrong:8.2%} {served:8}")
    everything = [point for points in sets.values() for point in points]
    print(f"\n  {'tier, from 0.92':>16} {'served':>8} {'wrong':>8}")
    for tier in ("template", "words", "meaning", "likely"):
        served = [one for one in everything if one.served and one.tier == tier and one.confidence >= 0.92]
        wrong = sum(not one.right for one in served)
        print(f"  {tier:>16} {len(served):8} {wrong / max(1, len(served)):8.2%}")
    print(f"\n  {'confidence':>14} {'served':>7} {'mean':>7} {'right':>7}")
    for low, high, count, mean, right in reliability(everything):
        print(f"  {low:6.3f} to {min(high, 1.0):.3f} {count:7} {mean:7.3f} {right:7.1%}")
    if options.fit:
        for label, likely in (("words and meaning", False), ("likely", True)):
            weights, bias = fitted(options.seeds, likely=likely)
            print(f"\n  {label}: weights", [round(w, 2) for w in weights], "bias", round(bias, 2))
    if png:
        _draw(sets, reliability(everything), png)


def _draw(sets: dict[str, list[Point]], table: Sequence[tuple[float, float, int, float, float]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for label, points in sets.items():
        rows = curve(points)
        left.plot(
            [100 * wrong for _, _, wrong, _ in rows], [100 * share for _, share, _, _ in rows], "o-", label=label
        )
    left.axvline(1, color="gray", linestyle=":")
    left.set(xlabel="wrong, % of served", ylabel="right, % of goals of a stored kind", title="Right against wrong")
    left.legend(fontsize=8)
    right.plot([0, 1], [0, 1], ":", color="gray", label="what it should be")
    right.plot([mean for _, _, _, mean, _ in table], [share for *_, share in table], "o-", label="measured")
    right.set(xlabel="confidence", ylabel="share right", title="What a confidence is worth")
    right.legend(fontsize=8)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
