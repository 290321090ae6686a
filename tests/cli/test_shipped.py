"""A newcomer's first minute: a file of their own, a real kernel, no key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from kernels import Kernel


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    frame = pd.DataFrame({"unit_price_eur": [1.5, 2.5, 3.0, None], "shop": ["A1", "B2", "A1", "B2"]})
    frame.to_csv(tmp_path / "till.csv", sep=";", decimal=",", index=False)
    made = Kernel(tmp_path)
    yield made
    made.close()


def test_a_newcomers_file_answers_from_the_first_minute(kernel: Kernel, tmp_path: Path) -> None:
    assert "replayed, verified · free" in kernel.run("%llmos load till.csv")
    shown = kernel.run("%llmos what is the average unit price by shop?")
    assert "A1    2.25" in shown
    assert "free" in shown
    assert "read as" in shown
    assert "Figure size" in kernel.run("%llmos histogram of unit price")
    assert "**4**" in kernel.run("%llmos how many rows are there")
    kernel.run("%llmos drop the rows of till with missing values")
    assert "3" in kernel.run("len(till)")
    kernel.run("%undo")
    assert "4" in kernel.run("len(till)")
    kernel.run("%llmos save till to out.parquet")
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 4
    before = (tmp_path / "till.csv").read_bytes()
    with pytest.raises(
        AssertionError, match=r"till\.csv is there already, and was not made here: nothing is written\. Name"
    ):
        kernel.run("%llmos save till to till.csv")
    assert (tmp_path / "till.csv").read_bytes() == before
    known = kernel.run("%llmos --known average")
    assert "till" in kernel.run("%llmos --known histogram"), known
