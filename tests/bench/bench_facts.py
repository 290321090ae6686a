"""How fast facts are: ``python tests/bench/bench_facts.py [facts]`` prints a small table.

It makes a folder of facts, and measures reading them all, opening the store with its index, recalling, remembering,
and recalling right after. Target: recall 20 ms at 10,000 facts (p50 and p95).
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from llmos_nb.memory.facts import FactStore
from llmos_nb.memory.facts.codec import dump
from llmos_nb.memory.facts.fact import Fact, id_of

TABLES = (
    "penguins",
    "stations",
    "orders",
    "customers",
    "rivers",
    "glaciers",
    "flights",
    "sensors",
    "patients",
    "recipes",
    "orbits",
    "enzymes",
)
COLUMNS = (
    "mass",
    "length",
    "price",
    "speed",
    "temperature",
    "pressure",
    "depth",
    "width",
    "age",
    "weight",
    "voltage",
    "score",
)
SAYINGS = (
    "{table}_{n}.csv writes {value} where no {column} was measured",
    "The {column} of the {table} in series {n} is in units of {value}",
    "Series {n} of the {table} was recorded by team {value} and its {column} is not reliable",
    "Leave the {table} with a {column} above {value} out of report {n}",
)


def fact(n: int, chance: random.Random) -> Fact:
    """A fact that differs from the others by words and by numbers."""
    text = chance.choice(SAYINGS).format(
        table=chance.choice(TABLES), column=chance.choice(COLUMNS), n=n, value=chance.randrange(10_000)
    )
    return Fact(text, id_of(text), "2026-11-22T07:41:03Z")


def timed(count: int, action: object) -> list[float]:
    """Milliseconds of each call of ``action(i)``."""
    taken = []
    for i in range(count):
        start = time.perf_counter()
        action(i)  # type: ignore[operator]
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def main(count: int) -> None:
    chance = random.Random(20)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        facts = [fact(n, chance) for n in range(count)]
        for one in facts:
            (folder / f"{one.id}.md").write_text(dump(one))
        start = time.perf_counter()
        FactStore(folder).close()
        rebuild = count / (time.perf_counter() - start)
        warm = statistics.median(timed(3, lambda i: FactStore(folder).close()))
        with FactStore(folder) as store:
            first = timed(1, lambda i: store.recall("the first question"))[0]
            goals = [f"Plot the {facts[i * 7919 % count].text}" for i in range(300)]
            found = timed(300, lambda i: store.recall(goals[i]))
            assert store.recall(facts[0].text)[0].fact.id == facts[0].id
            missed = timed(200, lambda i: store.recall(f"Write a haiku number {i} about the sea"))
            added = timed(40, lambda i: store.remember(fact(count + i, chance).text))
            after = timed(40, lambda i: (store.remember(fact(2 * count + i, chance).text), store.recall(goals[i])))
    print(f"{count} facts")
    print(f"rebuild                {rebuild:8.0f} files/s")
    print(f"open, warm             {warm:8.1f} ms")
    print(f"first recall           {first:8.1f} ms (the words are read into memory)")
    labels = (("recall, found", found), ("recall, nothing", missed), ("remember", added), ("remember, recall", after))
    for label, times in labels:
        p95, p99 = (statistics.quantiles(times, n=100)[at] for at in (94, 98))
        print(f"{label:<22} {statistics.median(times):8.2f} ms p50 {p95:8.2f} ms p95 {p99:8.2f} ms p99")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
