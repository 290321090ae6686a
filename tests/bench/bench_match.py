"""How long a look-up takes: ``python tests/bench/bench_match.py [traces]``.

Traces are goals of the templates set with values drawn at random, each with its SQL. Asked for are goals in a wording
that is recorded, with other values; in wordings that are not recorded, sixty of them; and in wordings that nobody has
asked for before, each goal in one of its own, so that nothing kept from an earlier goal helps. None has a recorded key;
of a recorded goal itself the look-up is timed as well. Targets: 0.1 ms for the same goal, otherwise 1 ms at 10,000
traces, 5 ms at 100,000, 40 ms at a million, each the median.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from surroundings import clean, row

SETS = Path(__file__).resolve().parents[1] / "sets"
#: Goals asked for.
ASKED = 400
#: Words of which two make a wording nobody else has.
WORDS = re.findall(
    r"\w+",
    "consider plan review sketch revise discuss outline settle draft explain weigh ponder shape frame question rethink "
    "defend improve describe finish",
)


def goals(count: int, seed: int, held_out: bool) -> list[tuple[str, str]]:
    """Goals with their queries; of each template the last two phrasings come only where they are ``held_out``."""
    data = json.loads((SETS / "templates.json").read_text(encoding="utf-8"))
    rng = random.Random(seed)
    made = []
    while len(made) < count:
        template = rng.choice(data["templates"])
        phrasings = template["phrasings"]
        phrasing = rng.choice(phrasings[-2:] if held_out else phrasings[:-2])
        said = {
            slot: f"{rng.choice(data['lists'][re.sub(r'[0-9]+$', '', slot)])}"
            for slot in sorted(set(re.findall(r"\{(\w+)\}", template["program"])))
        }
        family = _family(rng)
        said = {slot: f"{text} {family}" if text[0].isupper() else text for slot, text in said.items()}
        made.append((phrasing.format(**said), template["program"].format(**said)))
    return made


def _family(rng: random.Random) -> str:
    """One of 24 million names that read as names: with a number behind it a value would be of another kind."""
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(4)).capitalize() + "n"


def main(count: int) -> None:
    from llmos_nb.memory import Step, Trace, TraceStore

    clean()
    with tempfile.TemporaryDirectory() as folder, TraceStore(folder) as store:
        for goal, query in goals(count, 1, held_out=False):
            store.add(Trace(goal, [Step("run_sql", {"query": query})], cost_usd=0.05))
        print(f"{count} traces, {_resident_mb():.0f} MB resident")
        recorded, worded = goals(count, 1, held_out=False), [goal for goal, _ in goals(ASKED, 2, held_out=True)]
        for label, asked in (
            ("a recorded goal", [goal for goal, _ in recorded[:ASKED]]),
            ("a recorded wording, other values", [goal for goal, _ in goals(ASKED, 2, held_out=False)]),
            ("a wording not recorded", worded),
            ("a wording never asked for before", [_as_never_before(goal, at) for at, goal in enumerate(worded)]),
        ):
            for goal in asked[: ASKED // 2]:
                store.match(goal)
            taken = []
            for goal in asked[ASKED // 2 :]:
                started = time.perf_counter()
                store.match(goal)
                taken.append((time.perf_counter() - started) * 1e3)
            taken.sort()
            median, late = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
            row(
                label,
                f"{median:.2f} ms, 99th percentile {late:.2f} ms, quickest tenth {taken[len(taken) // 10]:.2f} ms",
            )
        print(f"  {_resident_mb():.0f} MB resident after that")


def _as_never_before(goal: str, number: int) -> str:
    """The goal with words around it that no other goal has together."""
    first, second = WORDS[number % len(WORDS)], WORDS[number // len(WORDS) % len(WORDS)]
    return f"While I {first} the {second} of this: {goal[0].lower()}{goal[1:]}"


def _resident_mb() -> float:
    """Memory of this process without mapped files, in MB; 0 where nobody tells."""
    try:
        told = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return int(told.partition("RssAnon:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
