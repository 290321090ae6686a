"""An operation is done in a process that is killed at a random moment, again and again; then everything is looked at."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from llmos_nb.kernel.files import TEMPORARY, YOUNG_S
from llmos_nb.kernel.leftovers import sweep_workspace
from tests.bench.stores import OPERATIONS, Operation

__all__ = ["Outcome", "kill_at_random", "lost"]


#: Records of which nothing is overwritten are read after so many kills.
EVERY = 5
#: No process gets so far.
STRIDE = 1_000


@dataclass
class Outcome:
    """What became of one operation's records."""

    name: str
    kills: int = 0
    acknowledged: int = 0
    wrong: list[str] = field(default_factory=list)
    left: int = 0
    left_after: int = 0


def kill_at_random(name: str, kills: int, *, seed: int = 0, longest_s: float = 0.04) -> Outcome:
    """Kill the process that does the operation ``kills`` times, in one workspace, and read everything again and again."""
    _warm_up()
    operation, chance, outcome = OPERATIONS[name], random.Random(f"{name}-{seed}"), Outcome(name)
    with tempfile.TemporaryDirectory(prefix="llmos-kills-") as place:
        workspace = Path(place)
        in_child(lambda: operation.prepare(workspace))
        acknowledged: set[int] = set()
        last = 0
        for kill in range(kills):
            # Some die while they open the store, most once it is open and they have done it at least once.
            opening = chance.random() < 0.25
            after_s = chance.uniform(0, 5 * longest_s if opening else longest_s)
            begin = last + 1 if operation.rewrites else kill * STRIDE + 1
            new = _killed(operation, workspace, begin, after_s, opening=opening)
            acknowledged.update(new)
            outcome.kills, outcome.acknowledged = kill + 1, len(acknowledged)
            if not operation.rewrites and kill % EVERY and kill + 1 < kills:
                continue
            said = in_child(partial(lost, operation, workspace, acknowledged, last))
            if not said.isascii() or not said.startswith("ok"):
                outcome.wrong.append(f"kill {kill + 1}: {said}")
                break
            last = max(int(said.split()[1]), max(acknowledged, default=0))
        outcome.left = len(_leftovers(workspace))
        for path in _leftovers(workspace):  # as after a while
            os.utime(path, (time.time() - 2 * YOUNG_S,) * 2)
        sweep_workspace(workspace).join()
        outcome.left_after = len([path for path in _leftovers(workspace) if path.parent != workspace])
    return outcome


def lost(operation: Operation, workspace: Path, acknowledged: set[int], seen: int = 0) -> str:
    """ "ok" and the highest number that is there, or what is wrong; ``seen`` is what was there before."""
    found = operation.read(workspace)
    if operation.rewrites:
        [number] = found
        newest = max(seen, *acknowledged, 0)
        return f"ok {number}" if number in (newest, newest + 1) else f"{newest} was acknowledged, {number} is there"
    missing = sorted(acknowledged - set(found))
    twice = [number for number, count in Counter(found).items() if count > 1]
    if missing or twice:
        return f"lost {missing[:5]}, doubled {twice[:5]}"
    return f"ok {max(found, default=0)}"


def _killed(operation: Operation, workspace: Path, number: int, after_s: float, *, opening: bool) -> list[int]:
    """The numbers that a process acknowledged before it was killed, ``after_s`` after it began or did it first."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            os.write(writing, b"begun\n")
            for done in operation.work(workspace, number):
                os.write(writing, b"%d\n" % done)
        except BaseException:  # noqa: BLE001
            os.write(writing, ("! " + traceback.format_exc().replace("\n", " | ")).encode() + b"\n")
        os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        assert said.readline() == b"begun\n"
        first = b"" if opening else said.readline()
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
        lines = (first + said.read()).split(b"\n")[:-1]
    os.waitpid(child, 0)
    if broken := [line for line in lines if line.startswith(b"!")]:
        raise AssertionError(broken[0].decode())
    return [int(line) for line in lines]


def in_child(act: Callable[[], object]) -> str:
    """What ``act`` returns as text, or how it failed, from a process of its own: nothing that is cached helps it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            import warnings

            warnings.simplefilter("ignore")
            told = str(act())
        except BaseException as error:  # noqa: BLE001
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        os.write(writing, told.encode("ascii", "replace")[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        told = said.read().decode()
    os.waitpid(child, 0)
    return told


def _warm_up() -> None:
    """Import what is imported on first use, so that each process forked from here is quick."""
    import dulwich.repo  # noqa: F401
    import numpy  # noqa: F401
    import sqlalchemy.dialects.sqlite  # noqa: F401

    from llmos_nb.memory.facts.search import vectors_of

    vectors_of(["warm"])


def _leftovers(workspace: Path) -> list[Path]:
    return [path for path in workspace.rglob("*.tmp") if TEMPORARY.fullmatch(path.name)]


if __name__ == "__main__":
    for one in sys.argv[2:] or OPERATIONS:
        print(kill_at_random(one, int(sys.argv[1])), flush=True)
