"""What the agent is given arrives at the model: the variables' description beside the goal, and nothing of their values."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from llmos_nb import LLMOS
from llmos_nb.cortex.scripted import handler
from llmos_nb.kernel.events import Notice
from llmos_nb.tools.namespace import PlainNamespace

pytestmark = pytest.mark.cli


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LLMOS]:
    before = Path.cwd()
    os.chdir(tmp_path)
    namespace = PlainNamespace()
    namespace.names |= {"df": pd.DataFrame({"species": ["Adelie"]}), "password": "hunter2-hunter2", "primes": [4711]}
    with LLMOS(workspace="workspace", endpoint="scripted", namespace=namespace) as made:
        yield made
    os.chdir(before)


def test_variables_are_described_to_the_model_at_no_other_cost(
    system: LLMOS, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    parse = handler._parse
    monkeypatch.setattr(handler, "_parse", lambda body: (asked.append(body), parse(body))[1])
    notices: list[str] = []
    system.on(Notice, lambda event: notices.append(event.text))
    would = system.context_of("Compute the first 5 primes")
    result = system.run("Compute the first 5 primes")
    sent = b"".join(asked).decode()
    assert result.ok and "df: DataFrame, 1 rows x 1 columns" in sent and "password: str, withheld" in sent
    assert "Adelie" not in sent and "hunter2" not in sent and "4711" not in sent
    system.bus.flush()
    assert "described 3 of your variables to the agent (no values)" in notices

    assert result.seen is not None and result.seen is system.last_seen
    assert result.seen.parts == would.parts, "what is told beforehand is what was given"
    assert result.seen.used is not None and result.seen.used.tokens > 1000 and "SDK's own count" in str(result.seen)
    assert result.seen.withheld == (("password", "its name is that of a secret"),)

    system.configure(namespace_summary=0)
    asked.clear()
    same = system.run("Compute the first 5 primes", mode="learner")
    assert "llmos-namespace" not in b"".join(asked).decode() and same.cost_usd == result.cost_usd
