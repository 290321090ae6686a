"""Looking for secrets: microseconds a kilobyte of what a notebook holds, and how much of it is wrongly taken for one."""

from __future__ import annotations

import base64
import hashlib
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))
from sets.secret_kinds import KINDS, made

from llmos_nb.kernel.secrets import redacted

ROOT = Path(__file__).parents[2]


def texts() -> dict[str, list[str]]:
    """Ordinary content by kind; none of it is a secret."""
    rng = random.Random(20)
    hashes = [
        hashlib.new(kind, rng.randbytes(9)).hexdigest() for kind in ("md5", "sha1", "sha256") for _ in range(500)
    ]
    ids = [str(uuid.UUID(bytes=rng.randbytes(16))) for _ in range(500)]
    pictures = [base64.b64encode(rng.randbytes(60_000)).decode() for _ in range(5)]
    safe = [base64.urlsafe_b64encode(rng.randbytes(60_000)).decode() for _ in range(5)]
    rows = ["\n".join(f"{n},{rng.random()},Adelie,{rng.randint(2000, 6000)}" for n in range(2000))]
    notebooks = [path.read_text(encoding="utf-8") for path in (ROOT / "notebooks").glob("*.ipynb")]
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "llmos_nb").rglob("*.py")]
    prose = [path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")]
    genome = ["".join(rng.choice("ACGT") for _ in range(20_000)) for _ in range(5)]
    numbers = [str(rng.randrange(10**40)) for _ in range(500)] + [f"{rng.random():.17g}" for _ in range(500)]
    return {"genome": genome, "numbers": numbers, "hashes": hashes, "ids": ids, "base64": pictures, "base64 (url)": safe,
            "rows": rows,
            "notebooks": notebooks, "code": code, "prose": prose}  # fmt: skip


def recall(each: int = 5) -> None:
    """Print how many made-up secrets are found: as they stand, and those of known variables spelled otherwise."""
    missed: dict[str, int] = {}
    total = 0
    for kind, value, text in made(each):
        total += 1
        if value in redacted(text):
            missed[kind] = missed.get(kind, 0) + 1
    print(
        f"{total - sum(missed.values())} of {total} secrets of {len(KINDS)} kinds are found; missed: {missed or 'none'}"
    )
    spelled: dict[str, Callable[[str], str]] = {
        "itself": str, "base64": lambda v: base64.b64encode(v.encode()).decode(),
        "base64 in more": lambda v: base64.b64encode(f"user:{v}@host".encode()).decode(),
        "hexadecimal": lambda v: v.encode().hex(), "an address": lambda v: quote(v, safe=""),
        "backwards": lambda v: v[::-1],
        "letters apart": " ".join, "in halves": lambda v: f"{v[: len(v) // 2]}\n{v[len(v) // 2 :]}",
    }  # fmt: skip
    values = [value for _, value, _ in made(1) if len(value) < 300 and "\n" not in value]
    for name, spell in spelled.items():
        found = sum(redacted(f"x {spell(v)} y", {v: "value of k"}) != f"x {spell(v)} y" for v in values)
        print(f"  known values as {name}: {found} of {len(values)}")


def main() -> None:
    """Print a line a kind."""
    recall()
    for kind, found in texts().items():
        size = sum(map(len, found))
        times = []
        for _ in range(5):
            started = time.perf_counter()
            changed = sum(redacted(text) != text for text in found)
            times.append(time.perf_counter() - started)
        print(f"{kind:14} {size / 1024:9.0f} KB  {statistics.median(times) / size * 1024 * 1e6:7.2f} us/KB  "
              f"changed {changed} of {len(found)}")  # fmt: skip


if __name__ == "__main__":
    main()
