"""What a goal changed is seen in its result, and ``%undo`` brings it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from frontend import BEGIN, command, picture, shown

pytestmark = pytest.mark.browser

SCRIPT = '''
import pathlib
pathlib.Path("workspace/scripts").mkdir(parents=True)
pathlib.Path("workspace/scripts/tidy.md").write_text("""---
goal: Tidy the prices
---
## Turn 1

### run_cell

```python
prices["net"] = (prices.gross / 1.19).round(2)
pathlib.Path("notes.txt").write_text("net prices added\\\\n")
```

## Answer

Done.
""")
pathlib.Path("notes.txt").write_text("nothing yet\\n")
import pandas as pd
prices = pd.DataFrame({"gross": [1.19, 2.38]})
'''


def test_a_change_is_seen_and_taken_back(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        BEGIN + SCRIPT,
        "%%llmos\nTidy the prices",
        "%undo",
        "print(list(prices.columns), pathlib.Path('notes.txt').read_text())",
    )
    command(page, "notebook:run-all-cells")
    result = page.locator("details", has_text="changed: 1 variable, 1 file")
    result.locator("summary").click(timeout=60_000)
    shown(result.get_by_text("DataFrame, 2 rows x 1 column -> DataFrame, 2 rows x 2 columns"))
    shown(result.get_by_text("+net prices added"))
    shown(page.get_by_text("Taken back: “Tidy the prices”"), timeout=20_000)
    shown(page.get_by_text("prices is DataFrame, 2 rows x 1 column again"))
    shown(page.get_by_text("['gross'] nothing yet"), timeout=20_000)
    result.scroll_into_view_if_needed()
    picture(page, "undo")
