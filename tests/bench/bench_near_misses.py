"""How often a near miss is served, and how often an honest paraphrase, each against a single stored trace.

    python tests/bench/bench_near_misses.py [--no-vocabulary] [--show] [--show-held] [--png PATH]

Half of the pairs is kept out of tuning: ``--show`` prints misjudged rows of the other half only. The table of
confidences says what a confidence is worth: the share of pairs in each bin that really mean the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from surroundings import clean, row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sets"))

from pairs import Judged, judged, near_misses, paraphrases

BINS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0)


def share(found: Sequence[Judged]) -> str:
    """How many of these were served."""
    served = sum(one.served for one in found)
    return f"{served / max(1, len(found)):6.1%} ({served}/{len(found)})"


def reliability(found: Sequence[Judged]) -> list[tuple[float, float, int, float, float]]:
    """For each bin of confidences that has pairs: its ends, how many, their mean confidence and the share right."""
    rows = []
    for low, high in zip(BINS, (*BINS[1:], 2.0), strict=True):
        inside = [one for one in found if one.found and low <= one.confidence < high]
        if inside:
            mean = sum(one.confidence for one in inside) / len(inside)
            rows.append((low, min(high, 1.0), len(inside), mean, sum(one.right for one in inside) / len(inside)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--no-vocabulary", action="store_true", help="do not tell which values exist")
    parser.add_argument("--show", action="store_true", help="print misjudged rows of the half for tuning")
    parser.add_argument("--show-held", action="store_true", help="and of the half that is kept out of it")
    parser.add_argument("--png", type=Path, help="draw the reliability curve into this file")
    options = parser.parse_args()
    png = options.png.absolute() if options.png else None
    clean()
    misses = judged(near_misses(), vocabulary=not options.no_vocabulary)
    same = judged(paraphrases(), vocabulary=not options.no_vocabulary)
    halves = ("tune", "held")
    print(f"  {'near misses served':28} {'tune':>18} {'held':>18}")
    for kind in ("", *sorted({one.pair.kind for one in misses})):
        of = [[one for one in misses if one.pair.split == half and kind in ("", one.pair.kind)] for half in halves]
        print(f"  {kind or 'all':28} {share(of[0]):>18} {share(of[1]):>18}")
    print(f"\n  {'paraphrases served':28} {'tune':>18} {'held':>18}")
    levels = sorted({one.pair.level for one in same})
    for kind in ("", *levels, *sorted({one.pair.kind for one in same})):
        fitting = [one for one in same if kind in ("", one.pair.kind, one.pair.level)]
        of = [[one for one in fitting if one.pair.split == half] for half in halves]
        print(f"  {kind or 'all':28} {share(of[0]):>18} {share(of[1]):>18}")
    served = [one for one in (*misses, *same) if one.served]
    broken = sum(one.pair.same and not one.right for one in served)
    print()
    row("near misses served", share(misses), "aim <= 1 %")
    row("paraphrases served", share(same), "aim >= 45 %")
    row("paraphrases served with other steps than the recorded ones", str(broken), "aim 0")
    table = reliability([*misses, *same])
    print(f"\n  {'confidence':>14} {'pairs':>6} {'mean':>7} {'right':>7}")
    for low, high, count, mean, right in table:
        print(f"  {low:6.2f} to {high:.2f} {count:6} {mean:7.3f} {right:7.1%}")
    if options.show or options.show_held:
        shown = halves if options.show_held else ("tune",)
        _show([one for one in (*misses, *same) if one.pair.split in shown and one.served != one.pair.same])
    if png:
        _draw(table, png)


def _show(found: Sequence[Judged]) -> None:
    for one in found:
        what = "not served" if one.pair.same else "SERVED"
        print(f"\n  {what} [{one.pair.kind}, {one.pair.split}, {one.confidence:.3f}]: {one.reason}")
        print(f"    stored {one.pair.stored}\n    asked  {one.pair.asked}")


def _draw(table: Sequence[tuple[float, float, int, float, float]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], ":", color="gray", label="what it should be")
    axes.plot([mean for _, _, _, mean, _ in table], [right for *_, right in table], "o-", label="measured")
    for _, _, count, mean, right in table:
        axes.annotate(str(count), (mean, right), textcoords="offset points", xytext=(4, -10), fontsize=8)
    axes.set(xlabel="confidence", ylabel="share that means the same", title="What a confidence is worth")
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
