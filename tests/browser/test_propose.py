"""A person reads what an agent would run, writes it otherwise, and that is what runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from frontend import BEGIN, command, gone, picture, shown

pytestmark = pytest.mark.browser

CELLS = (BEGIN, "%%llmos --propose --out result\nCompute the first 5 primes", "print('steps:', result.steps[0].text)")


def test_a_person_edits_what_is_proposed(open_cells: Callable[..., Any]) -> None:
    page = open_cells(*CELLS)
    command(page, "notebook:run-all-cells")
    area = page.locator(".jp-OutputArea textarea:visible")
    area.wait_for(timeout=90_000)
    assert "n = 5" in area.input_value() and "primes" in area.input_value()
    good = area.input_value()
    area.fill("print('edited by a person'\n" + good)
    page.get_by_role("button", name="Approve").click()
    shown(page.get_by_text("cannot be run: line 1: '(' was never closed"), timeout=10_000)
    picture(page, "proposed-refused")
    area.fill("print('edited by a person')\n" + good)
    picture(page, "proposed")
    page.get_by_role("button", name="Approve").click()
    shown(page.get_by_text("steps: print('edited by a person')"), timeout=60_000)
    picture(page, "proposed-ran")
    gone(page.locator(".jp-OutputArea textarea:visible"))  # answered: taken away
