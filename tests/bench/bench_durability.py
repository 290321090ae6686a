"""Whether every store keeps what it acknowledged: ``python tests/bench/bench_durability.py [kills] [cuts]``.

For each operation that writes to a workspace: a process that does it is killed 300 times at a random moment, and 300 disks
are made as a power cut may leave them (strace is needed for that, and Linux for both). After each, everything that was
acknowledged must be there once, every file old or new, and the stores open; temporary files are swept later. Takes about
half an hour; a tenth of it is enough to see that it works.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.bench.kills import kill_at_random
from tests.bench.stores import OPERATIONS
from tests.bench.unsynced import cut_at_random

if __name__ == "__main__":
    kills, cuts = (int(given) for given in [*sys.argv[1:], "300", "300"][:2])
    if shutil.which("strace") is None:
        cuts = 0
    print(
        f"{'operation':22} {'kills':>5} {'acknowledged':>12} {'wrong':>5} {'left, then':>10} | {'cuts':>5} {'wrong':>5}"
    )
    for name, operation in OPERATIONS.items():
        killed = kill_at_random(name, kills)
        cut = cut_at_random(name, cuts) if cuts else None
        left = f"{killed.left}, {killed.left_after}"
        print(
            f"{name:22} {killed.kills:5} {killed.acknowledged:12} {len(killed.wrong):5} {left:>10} | "
            f"{cut.cuts if cut else '-':>5} {len(cut.wrong) if cut else '-':>5}{'' if operation.synced else ' (fewer)'}",
            *(f"\n    {what}" for what in [*killed.wrong, *(cut.wrong if cut else ())][:5]),
            flush=True,
        )
