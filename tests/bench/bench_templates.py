"""Right against wrong: how often is a goal served by the right query with the right values, and how often not?

    python tests/bench/bench_templates.py [--stored 5] [--draws 6] [--per-template] [--show 5] [--png PATH]

Thirty kinds of question to a database of flights and of a library, some of them easy to confuse; each asked in eight
ways, with values drawn from lists. A few goals of each kind are stored with their SQL, a quarter of the kinds is never
stored; all other goals are asked. Served is right when the SQL equals the true one. Each row of the curve is what one
would get by serving only from that confidence on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surroundings import clean, row

SETS = Path(__file__).resolve().parents[1] / "sets"
#: Share of the kinds of question that are asked, but never stored.
NEVER_STORED = 0.25


@dataclass(frozen=True, slots=True)
class Case:
    """A goal with its query; ``known``: goals of its kind are stored; ``heard``: also one in this phrasing."""

    kind: str
    goal: str
    query: str
    known: bool
    phrasing: str
    heard: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a case. ``confidence`` is that of the match, served or not."""

    case: Case
    served: str | None
    confidence: float
    seconds: float
    reason: str

    @property
    def right(self) -> bool:
        return self.case.known and self.served == self.case.query


def cases(data: Mapping[str, Any], stored: int, draws: int, seed: int = 1) -> tuple[list[Case], list[Case]]:
    """Goals to store and goals to ask; no goal is in both."""
    rng = random.Random(seed)
    templates = list(data["templates"])
    rng.shuffle(templates)
    unknown = {template["name"] for template in templates[: int(len(templates) * NEVER_STORED)]}
    keep: list[Case] = []
    ask: list[Case] = []
    for template in templates:
        slots = sorted(set(re.findall(r"\{(\w+)\}", template["program"])))
        made = {}
        for phrasing in template["phrasings"]:
            for _ in range(draws):
                said = _drawn(slots, data["lists"], rng)
                meant = {slot: data["in_programs"].get(text, text).replace("'", "''") for slot, text in said.items()}
                goal = phrasing.format(**said)
                known = template["name"] not in unknown
                made[goal] = Case(template["name"], goal, template["program"].format(**meant), known, phrasing)
        goals = sorted(made.values(), key=lambda case: case.goal)
        rng.shuffle(goals)
        cut = 0 if template["name"] in unknown else stored
        keep += goals[:cut]
        heard = {case.phrasing for case in goals[:cut]}
        ask += [dataclasses.replace(case, heard=case.phrasing in heard) for case in goals[cut:]]
    return keep, ask


def _drawn(slots: Sequence[str], lists: Mapping[str, Sequence[str]], rng: random.Random) -> dict[str, str]:
    """A value for each slot; two of one kind differ, and years are in order."""
    kinds = Counter(re.sub(r"\d+$", "", slot) for slot in slots)
    found = {}
    for kind, count in kinds.items():
        values = rng.sample(lists[kind], count)
        for number, value in enumerate(sorted(values) if kind == "year" else values):
            found[f"{kind}{number}"] = value
    return found


def answers(
    keep: Sequence[Case], ask: Sequence[Case], vocabulary: Mapping[str, Sequence[str]] | None
) -> list[Answer]:
    """What a store with the one half says to the other."""
    from llmos_nb.memory import Step, Trace, TraceStore

    found = []
    with tempfile.TemporaryDirectory() as folder, TraceStore(folder) as store:
        for case in keep:
            store.add(Trace(goal=case.goal, steps=[Step("run_sql", {"query": case.query})], cost_usd=0.05))
        store.match(ask[0].goal, vocabulary=vocabulary)
        for case in ask:
            started = time.perf_counter()
            match = store.match(case.goal, vocabulary=vocabulary)
            taken = time.perf_counter() - started
            served = (
                match.steps[0].arguments["query"] if match.steps and match.verdict in ("replay", "rebind") else None
            )
            reason = match.reasons[0] if match.reasons else ""
            found.append(Answer(case, served, match.confidence, taken, reason))
    return found


def curve(found: Sequence[Answer]) -> list[tuple[float, float, float, int]]:
    """Threshold, share of known goals served right, share of wrong among the served, and how many are served."""
    known = sum(answer.case.known for answer in found)
    rows = []
    for threshold in (0.0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 1.0):
        served = [answer for answer in found if answer.served is not None and answer.confidence >= threshold]
        right = sum(answer.right for answer in served)
        rows.append((threshold, right / max(1, known), (len(served) - right) / max(1, len(served)), len(served)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--stored", type=int, default=5, help="goals of each kind that are stored")
    parser.add_argument("--draws", type=int, default=6, help="values drawn for each phrasing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-template", action="store_true", help="a table by kind of question")
    parser.add_argument("--show", type=int, default=0, help="print this many wrong cases")
    parser.add_argument("--png", type=Path, help="draw the curves into this file")
    options = parser.parse_args()
    png = options.png.absolute() if options.png else None
    clean()
    data = json.loads((SETS / "templates.json").read_text(encoding="utf-8"))
    keep, ask = cases(data, options.stored, options.draws, options.seed)
    vocabulary = {kind: data["lists"][kind] for kind in data["vocabulary"]}
    print(f"{len(keep)} stored, {len(ask)} asked, {sum(case.known for case in ask)} of those of a stored kind")
    curves = {}
    for label, known in (("with vocabulary", vocabulary), ("without vocabulary", None)):
        found = answers(keep, ask, known)
        curves[label] = curve(found)
        times = sorted(answer.seconds * 1e3 for answer in found)
        _, right, wrong, served = curves[label][0]
        print(f"\n{label}")
        row("right, of goals whose kind is stored", f"{right:.1%}", "aim >= 60 %" if known else "aim >= 40 %")
        for heard in (True, False):
            own = [answer for answer in found if answer.case.known and answer.case.heard is heard]
            what = "  whose phrasing is stored with other values" if heard else "  in a phrasing that is not stored"
            row(what, f"{sum(answer.right for answer in own) / max(1, len(own)):.1%} of {len(own)}")
        row("wrong, of served", f"{wrong:.2%} ({served})", "aim <= 1 %")
        row(
            "look-up, median and 99th percentile",
            f"{times[len(times) // 2]:.2f} {times[len(times) * 99 // 100]:.2f} ms",
        )
        print(f"\n  {'from confidence':>16} {'right':>8} {'wrong':>8} {'served':>8}")
        for threshold, share, false, count in curves[label]:
            print(f"  {threshold:16.3f} {share:8.1%} {false:8.2%} {count:8}")
        if options.per_template:
            _by_kind(found)
        mistaken = [answer for answer in found if answer.served is not None and not answer.right]
        for answer in mistaken[: options.show]:
            print(f"\n  asked  {answer.case.goal}\n  true   {answer.case.query}\n  served {answer.served}")
    if png:
        _draw(curves, png)


def _by_kind(found: Sequence[Answer]) -> None:
    print(f"\n  {'kind':28} {'asked':>6} {'right':>6} {'wrong':>6}   most frequent reason for not serving")
    for kind in sorted({answer.case.kind for answer in found}):
        own = [answer for answer in found if answer.case.kind == kind]
        right = sum(answer.right for answer in own)
        wrong = sum(answer.served is not None for answer in own) - right
        reasons = Counter(answer.reason for answer in own if answer.served is None).most_common(1)
        name = kind if own[0].case.known else f"({kind})"
        print(f"  {name:28} {len(own):6} {right:6} {wrong:6}   {reasons[0][0][:70] if reasons else ''}")


def _draw(curves: Mapping[str, Sequence[tuple[float, float, float, int]]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    for label, rows in curves.items():
        axes.plot(
            [100 * wrong for _, _, wrong, _ in rows], [100 * right for _, right, _, _ in rows], "o-", label=label
        )
    axes.axvline(1, color="gray", linestyle=":")
    axes.set(xlabel="wrong, % of served", ylabel="right, % of goals of a stored kind", title="Right against wrong")
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
