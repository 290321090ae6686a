"""A pack that brings a task of its own: recorded by two runs, shipped, and free for tables that it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from llmos_nb import LLMOS
from llmos_nb.errors import PackError
from llmos_nb.memory.library import Library
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.tables import grounded, tables_of

SCRIPT = """---
goal: widest gap of {x} in {t}
---

## Turn 1

### run_cell

```python
float({t}["{x}"].sort_values().diff().max())
```

## Answer

The widest gap between neighbours.
"""
EXAMPLES = (("tides", "height"), ("trees", "girth"))


@pytest.fixture
def shipped(tmp_path: Path) -> tuple[LLMOS, list[str]]:
    scripts = tmp_path / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    namespace = PlainNamespace()
    for t, x in EXAMPLES:
        text = SCRIPT.replace("{t}", t).replace("{x}", x)
        (scripts / f"{t}.md").write_text(text, encoding="utf-8")
        namespace.names[t] = pd.DataFrame({x: [1.0, 4.0, 2.0], "place": list("abc")})
    system = LLMOS(tmp_path / "workspace", endpoint="scripted", mode="learner", library="never", namespace=namespace)
    runs = [system.run(f"widest gap of {x} in {t}") for t, x in EXAMPLES]
    assert all(one.ok for one in runs), runs
    return system, [str(one.trace_id) for one in runs]


def test_a_pack_brings_a_task_that_is_free_for_other_tables(shipped: tuple[LLMOS, list[str]], tmp_path: Path) -> None:
    system, traces = shipped
    folder = tmp_path / "pack" / "traces"
    with system:
        for trace, (t, x) in zip(traces, EXAMPLES, strict=True):
            values: dict[str, tuple[str, object]] = {"t": ("table", t), "x": ("number column", x)}
            for _ in range(2):  # the same goal again is written anew
                path = system.ship(trace, folder, task="widest gap", group="statistics", values=values)
        assert sorted(one.name for one in folder.rglob("*.md")) == ["widest-gap-1.md", "widest-gap-2.md"]
        assert (folder / "index.json").is_file()
        assert "/tmp" not in path.read_text(encoding="utf-8")
        with pytest.raises(PackError, match="its values are not"):
            system.ship(traces[0], folder, task="gap", group="g", values={"t": ("table", "trees")})
        with pytest.raises(PackError, match="no kind of a value"):
            system.ship(traces[0], folder, task="gap", group="g", values={"t": ("frame", "tides")})
    tables: dict[str, Any] = {"runs": pd.DataFrame({"minutes": [3, 9, 4], "who": list("xyz")})}
    (reading, *_) = grounded("widest gap of minutes in runs", tables_of(tables))
    match, _ = Library(lambda: [folder]).match(reading.goal, reading.vocabulary)
    assert match.steps is not None, match.reasons
    assert match.steps[0].arguments["code"] == 'float(runs["minutes"].sort_values().diff().max())'
