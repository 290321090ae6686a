"""240 made-up secrets brought into real runs in every way, and what of them is found in files, tables, displays, prompts.

python tests/bench/bench_secrets_sinks.py [EACH]: so many of each kind, by default 5
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from sets.planted import WAYS, Planting
from sets.secret_kinds import KINDS, made
from surroundings import clean

#: Secrets in one file, and runs of one replayed trace, which make a crystal.
AT_ONCE, OFTEN = 12, 7


def main(each: int) -> int:
    """Plant them, look, and print a line for each place."""
    began, place = time.perf_counter(), Planting(clean() / "notes")
    secrets = list(made(each))
    random.Random(1).shuffle(secrets)
    groups = [secrets[at : at + AT_ONCE] for at in range(0, len(secrets), AT_ONCE)]
    own = list(made(each))  # others: what a model wrote itself it is sent again
    written = [own[at : at + AT_ONCE] for at in range(0, len(own), AT_ONCE)]
    for group in written:
        place.write_code(group)
    with place.system() as system:
        for way in WAYS:
            for group in groups:
                place.bring(system, way, group)
                if way == "a variable":  # what is in it, and what the next goal is told of it
                    place.result(system.run("Look at what there is", mode="learner"), "inspection")
        for group in written:
            place.bring(system, "code", group)
        for secret in secrets[:: max(1, len(secrets) // 60)]:
            place.bring(system, "the goal", [secret])
        known = [
            (kind, value[::-1] + "x", f"before {value[::-1]}x after")
            for kind, value, _ in secrets
            if "\n" not in value
        ]
        for number, (_, value, _) in enumerate(known):
            os.environ[f"SERVICE_{number}_TOKEN"] = value
        for at in range(0, len(known), AT_ONCE):
            place.bring(system, "a print", known[at : at + AT_ONCE])
            place.bring(system, "an error", known[at : at + AT_ONCE])
        (place.folder / "same.txt").write_text("\n".join(text for _, _, text in secrets[:AT_ONCE]))
        for _ in range(OFTEN):
            place.result(system.run("Print same.txt"), "again")
        system.bus.flush()
        crystals = place.crystals(system)
        place.exported(system, place.folder / "exported")
    place.look()
    found = place.table()
    runs = sum(place.ended.values())
    print(f"{len(secrets)} secrets of {len(KINDS)} kinds, {len(known)} values of variables, {runs} runs, "
          f"{crystals} crystals ({time.perf_counter() - began:.0f} s)")  # fmt: skip
    for sink, count in sorted(found.items()):
        kinds = {kind: len(ways) for kind, ways in place.leaks[sink].items()}
        print(f"  {sink:40} {place.looked[sink] / 1e6:8.2f} MB   {count:4} found   {kinds or ''}")
    print("  runs:", dict(place.ended))
    for sink, leaks in place.leaks.items():
        for kind, ways in leaks.items():
            print(f"    {sink}: {kind}: {[way[:60] for way in sorted(ways)[:2]]}")
    return sum(found.values())


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 5) else 0)
