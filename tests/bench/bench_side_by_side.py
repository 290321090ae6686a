"""The same goals through three memories: ``python tests/bench/bench_side_by_side.py``.

Each task of ``alike.py`` is stored with two sets of values. Then goals are asked: the stored ones; the same in other
words; with a third set of values; and near misses, which sound alike and need another program. *Right* is the gold
program with the goal's values, *wrong* any other program, *passed* nothing (the model would be asked).

- ``llmos_nb``: ``TraceStore.add`` and ``.match``.
- GPTCache (a semantic cache): ``init_similar_cache`` with SQLite and FAISS and ``SearchDistanceEvaluation`` as in its
  documentation, at its default threshold 0.8 and at 0.95, with the embedder of this package, since its own ones come from
  the network.
- muscle-mem (a behaviour cache): ``Engine`` with a tag for every goal, as its documentation marks tasks; and with one
  bucket for all and a ``Check`` that the goal is similar (cosine above 0.9), the only way it has to take other words. Its
  ``params`` are values that the caller already knows by name, which a goal in prose does not give. What a miss records
  is taken back, so that every goal meets the same memory.

Needs ``pip install 'llmos-nb[bench]'``; after that nothing uses the network.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alike import TASKS
from surroundings import clean

from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.memory.embedding import embed

#: Takes a goal, gives the program that would be run, or None.
Memory = Callable[[str], str | None]
CATEGORIES = ("stored", "other words", "other values", "both", "near misses")


def questions() -> dict[str, list[tuple[str, str | None]]]:
    """Goals with the program they need, by category; None where no stored program can be right."""
    found: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for task in TASKS:
        first, second, third = task.values
        for values in (first, second):
            program = task.program.format(**values)
            found["stored"].append((task.goal.format(**values), program))
            found["other words"] += [(words.format(**values), program) for words in task.wordings]
            found["near misses"] += [(miss.format(**values), None) for miss in task.misses]
        program = task.program.format(**third)
        found["other values"].append((task.goal.format(**third), program))
        found["both"] += [(words.format(**third), program) for words in task.wordings]
    return found


def stored() -> list[tuple[str, str]]:
    """The goals that every memory is given, with their programs."""
    return [
        (task.goal.format(**values), task.program.format(**values)) for task in TASKS for values in task.values[:2]
    ]


def ours(folder: Path) -> Memory:
    store = TraceStore(folder / "traces")
    for goal, program in stored():
        store.add(Trace(goal=goal, steps=[Step("run_sql", {"query": program})]))

    def ask(goal: str) -> str | None:
        steps = store.match(goal).steps
        return None if steps is None else "; ".join(str(step.arguments["query"]) for step in steps)

    return ask


class _Embedding:
    dimension = 256

    def to_embeddings(self, data: str, **_: Any) -> Any:
        return embed(data)


def gptcache(threshold: float) -> Callable[[Path], Memory]:
    def make(folder: Path) -> Memory:
        from gptcache import Cache, Config
        from gptcache.adapter.api import get, init_similar_cache, put

        cache = Cache()
        place = folder / f"gptcache-{threshold}"
        place.mkdir()
        init_similar_cache(
            str(place), cache_obj=cache, embedding=_Embedding(), config=Config(similarity_threshold=threshold)
        )
        for goal, program in stored():
            put(goal, program, cache_obj=cache)
        return lambda goal: get(goal, cache_obj=cache)

    return make


def muscle_mem(similar: bool) -> Callable[[Path], Memory]:
    def make(folder: Path) -> Memory:
        from muscle_mem import Check, Engine

        engine = Engine()
        ran: list[str] = []
        situation = {"goal": "", "program": ""}  # what a Check can look at, and what the agent is to do

        def capture(query: str) -> Any:
            return embed(situation["goal"])

        def compare(current: Any, candidate: Any) -> bool:
            return bool(current @ candidate > 0.9)

        check = Check(capture, compare) if similar else None

        @engine.function(pre_check=check)
        def run_sql(query: str) -> None:
            ran.append(query)

        def agent(goal: str) -> None:
            if situation["program"]:
                run_sql(situation["program"])

        engine.set_agent(agent).finalize()

        def do(goal: str, program: str) -> str | None:
            situation.update(goal=goal, program=program)
            ran.clear()
            with contextlib.redirect_stdout(io.StringIO()):
                hit = engine(goal, tags=["all"] if similar else [goal])
            return "; ".join(ran) if hit else None

        for goal, program in stored():
            situation.update(goal=goal, program=program)
            before = {tags: list(kept) for tags, kept in engine.db.trajectories.items()}
            if do(goal, program) is not None:  # it took the goal for one it knows: record it all the same
                engine.db.trajectories = before
                with contextlib.redirect_stdout(io.StringIO()), engine._record(["all"] if similar else [goal]):
                    run_sql(program)
        known = {tags: list(kept) for tags, kept in engine.db.trajectories.items()}

        def ask(goal: str) -> str | None:
            engine.db.trajectories = {tags: list(kept) for tags, kept in known.items()}
            return do(goal, "")

        return ask

    return make


MEMORIES: tuple[tuple[str, Callable[[Path], Memory]], ...] = (
    ("llmos_nb", ours),
    ("GPTCache, 0.8", gptcache(0.8)),
    ("GPTCache, 0.95", gptcache(0.95)),
    ("muscle-mem, tags", muscle_mem(False)),
    ("muscle-mem, Check", muscle_mem(True)),
)


def main() -> None:
    asked = questions()
    width = 19
    print(f"{len(stored())} goals stored; right / wrong / passed, in % of the goals asked\n")
    sizes = [f"{name} ({len(asked[name])})" for name in CATEGORIES]
    print(" " * width + "".join(f"{size:>20}" for size in sizes) + f"{'p50':>12}")
    folder = Path(tempfile.mkdtemp(prefix="llmos-side-"))  # left behind: GPTCache writes its index as Python ends
    for label, make in MEMORIES:
        try:
            memory = make(folder)
        except ImportError as error:
            print(f"{label:<{width}} not installed ({error}): pip install 'llmos-nb[bench]'")
            continue
        taken: list[float] = []
        line = f"{label:<{width}}"
        for category in CATEGORIES:
            ends: Counter[str] = Counter()
            for goal, wanted in asked[category]:
                started = time.perf_counter()
                served = memory(goal)
                taken.append((time.perf_counter() - started) * 1e3)
                ends["passed" if served is None else "right" if served == wanted else "wrong"] += 1
            shares = [f"{100 * ends[end] / len(asked[category]):.0f}" for end in ("right", "wrong", "passed")]
            line += f"{' / '.join(shares):>20}"
        print(line + f"{statistics.median(taken):>9.3f} ms")


if __name__ == "__main__":
    clean()
    main()
