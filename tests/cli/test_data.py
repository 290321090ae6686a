"""The data pack's tools in real runs: an agent that has no cells has these, and what it did is rebound as any cell is."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb import LLMOS, steps_df

pytestmark = pytest.mark.cli

SCRIPT = """---
goal: Tell what the sheet {file:path} is like
---
## Turn 1

### read_table

```yaml arguments
path: "{{file}}"
into: looked_at
```

### profile_table

```yaml arguments
table: looked_at
```

## Guided

### read_table

```yaml arguments
path: "{{file}}"
into: looked_at
```

### profile_table

```yaml arguments
table: looked_at
```

## Answer

It is in `looked_at`.
"""


async def test_a_table_is_read_and_profiled_by_who_may_do_only_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, rows in (("a", 3), ("b", 5), ("c", 7), ("d", 2)):
        Path(f"{name}.csv").write_text("id;v\n" + "".join(f"{i};{i},5\n" for i in range(rows)), encoding="utf-8")
    (tmp_path / "workspace" / "scripts").mkdir(parents=True)
    (tmp_path / "workspace" / "scripts" / "sheet.md").write_text(SCRIPT, encoding="utf-8")
    with LLMOS(workspace="workspace", endpoint="scripted") as llmos:
        llmos.agents.create("clerk", "Looks at tables.", ["read_table", "profile_table"], "You look at tables.")
        modes = []
        for name, agent in (("a", "clerk"), ("b", "clerk"), ("c", None), ("d", None)):  # a replay is nobody's
            result = await llmos.execute(f"Tell what the sheet {name}.csv is like", agent=agent)
            assert result.status == "success", result.reason
            modes.append(result.mode)
        assert modes == ["learner", "mixed", "follower", "follower"]
        code = llmos.code()
        assert "_data.read_table('d.csv')" in code or '_data.read_table("d.csv")' in code
        refused = await llmos.execute("Tell what the sheet ~/.ssh/id_rsa.csv is like", agent="clerk", mode="learner")
        assert refused.status != "success"
    steps = steps_df("workspace")
    assert set(steps["tool"]) <= {"run_cell", "read_table", "profile_table"}
    assert steps[steps["status"] == "ok"]["tool"].unique().tolist() == ["run_cell"]
