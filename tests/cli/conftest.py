"""Rigs that tests of one module share: connecting the CLI takes seconds, a goal on a connected one a fraction."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the tests of this folder share rig.py
from rig import Rig


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Makes rigs in the test's own folder and ends them afterwards."""
    made: list[Rig] = []

    def make(*scripts: str, **options: Any) -> Rig:
        folder = tmp_path / f"rig-{len(made)}"
        folder.mkdir()
        made.append(Rig(folder, scripts, **options))
        return made[-1]

    yield make
    for rig in made:
        rig.close()
