"""A stranger's script with the real SDK: not played, told, and played as soon as a person has trusted it."""

from __future__ import annotations

from pathlib import Path

import pytest
from rig import one_step

from llmos_nb import LLMOS
from llmos_nb.errors import WaitsForTrust
from llmos_nb.guard import scripts
from llmos_nb.tools.namespace import PlainNamespace


async def test_a_script_from_elsewhere_is_played_once_it_is_trusted(
    playground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "_OWN_FOLDERS", ())
    (playground / "workspace" / "scripts").mkdir(parents=True)
    path = playground / "workspace" / "scripts" / "open.md"
    path.write_text(one_step("Open the door", "run_cell", "door = 'open'"))
    with pytest.warns(WaitsForTrust, match="1 script not in force"):
        llmos = LLMOS(workspace="workspace", endpoint="scripted", namespace=PlainNamespace())
    with llmos:
        refused = await llmos.execute("Open the door")
        assert "door" not in llmos._own().names and not refused.steps
        llmos.guard.trust(llmos.guard.waiting().shown)
        done = await llmos.execute("Open the door")
        assert done.status == "success" and llmos._own().names["door"] == "open"
