"""Sign bits compared: few patterns go another way than many, and come to the same."""

from __future__ import annotations

import numpy as np
import pytest

from llmos_nb.memory.lookup import patterns as module
from llmos_nb.memory.lookup.patterns import Patterns, distances, words_of

WIDTH = 32


def made(count: int, buckets: int, seed: int) -> Patterns:
    rng = np.random.default_rng(seed)
    kinds = [rng.bytes(WIDTH) for _ in range(max(1, count // 3))]
    bits = [kinds[at] for at in rng.integers(0, len(kinds), count)]
    return Patterns.of(rng.integers(0, buckets, count), words_of(bits, WIDTH), np.arange(1, count + 1))


@pytest.mark.parametrize(("count", "buckets"), [(1, 1), (7, 2), (300, 3), (900, 2), (2_000, 40)])
def test_few_patterns_are_found_as_many_are(count: int, buckets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    some = made(count, buckets, count)
    asked = np.random.default_rng(1).bytes(WIDTH)
    wanted = [(slots, k) for slots in (None, *range(buckets + 1)) for k in (1, 5, 96)]
    for _ in range(2):  # the second time from what was kept
        quick = [some.newest(asked, slots, k, 4) for slots, k in wanted]
    monkeypatch.setattr(module, "_SMALL", 0)
    monkeypatch.setattr(module, "_FEW", 0)
    assert [some.newest(asked, slots, k, 4) for slots, k in wanted] == quick
    near = [
        list(some.near(asked, slots, k))[: len(found[0])] for (slots, k), found in zip(wanted, quick, strict=True)
    ]
    assert [[distance for distance, _ in one] for one in near] == [found[0] for found in quick]


def test_a_distance_is_the_bits_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    some, asked = made(50, 1, 2), bytes(range(WIDTH))
    told = distances(some.planes, asked).tolist()
    raw = np.ascontiguousarray(some.planes.T).tobytes()
    number = int.from_bytes(asked, "little")
    each = [int.from_bytes(raw[at : at + WIDTH], "little") for at in range(0, len(raw), WIDTH)]
    assert told == [(one ^ number).bit_count() for one in each]
    monkeypatch.setattr(module, "_BITWISE_COUNT", None)  # numpy 1
    assert distances(some.planes, asked).tolist() == told
