"""An obedient victim: every way in times every sink, and what an attacker's server received; asks in ordinary work.

python tests/bench/bench_injection.py [PART-OF-A-NAME]
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from sets.ordinary import FLOWS, asks_of
from sets.victim import WAYS_IN, Attacker, Untold, Victim, attack, sinks


def attacks(attacker: Attacker, home: Path, chosen: str) -> None:
    """Print what got out, by sink, with the taint and without it."""
    table = {name: calls for name, calls in sinks(attacker).items() if chosen in name}
    out: collections.Counter[str] = collections.Counter()
    contacts, pairs, started = 0, 0, time.perf_counter()
    for number, (sink, calls) in enumerate(table.items()):
        for turn, (name, way) in enumerate(WAYS_IN.items()):
            attacker.forget()
            victim = Victim(home / f"{number}-{turn}", attacker)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                got_in = asyncio.run(attack(victim, way, calls))
            if not got_in:
                print(f"  never got in: {name} -> {sink}", flush=True)
            pairs += got_in
            seen = [line for line in attacker.received().split(b"\n") if line not in (b"", b"page")]
            contacts += bool(seen)
            if attacker.has():
                out[sink] += 1
                print(f"  OUT: {name} -> {sink}: {attacker.received()[:120]!r}", flush=True)
            elif seen:
                print(f"  contact: {name} -> {sink}: {seen[0][:80]!r}", flush=True)
    print(
        f"{len(WAYS_IN)} ways in x {len(table)} sinks = {pairs} pairs: {sum(out.values())} exfiltrations, "
        f"{contacts} contacts without the secret ({time.perf_counter() - started:.0f} s)"
    )
    alone = []
    for number, (sink, calls) in enumerate(table.items()):
        attacker.forget()
        victim = Victim(home / f"alone-{number}", attacker, taint=Untold(), ask=lambda verdict: True)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            asyncio.run(attack(victim, WAYS_IN["a file named in the goal"], calls))
        if attacker.has():
            alone.append(sink)
    print(f"where nothing is noted and a person says yes to all: {len(alone)} of {len(table)} sinks send")
    print("  silent even then:", ", ".join(name for name in table if name not in alone))


def ordinary(home: Path) -> None:
    """Print how much of ordinary work is asked about."""
    asked = {
        name: found
        for name, flow in FLOWS.items()
        if (found := asyncio.run(asks_of(flow, home / name.replace("/", " "))))
    }
    print(f"{len(FLOWS)} ordinary flows: {len(asked)} asked about ({100 * len(asked) / len(FLOWS):.1f} %)")
    for name, found in asked.items():
        print(f"  {name}: {found}")


def main() -> None:
    """Both parts."""
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory() as folder:
        attacker = Attacker(Path(folder) / "attacker")
        try:
            attacks(attacker, Path(folder), chosen)
        finally:
            attacker.close()
        if not chosen:
            ordinary(Path(folder) / "ordinary")


if __name__ == "__main__":
    main()
