"""The robot arm's live view: it moves on the page, and its button stops the arm while a goal is worked on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from frontend import BEGIN, command, picture, shown

pytestmark = pytest.mark.browser

WATCH = """
(() => {
  window.seen = new Set();
  const look = () => {
    const svg = document.querySelector(".robot-live svg");
    if (svg) window.seen.add(svg.outerHTML.length + svg.innerHTML.slice(-4000));
  };
  window.watching = setInterval(look, 20);
})()
"""


def test_the_arm_is_seen_moving_and_stopped_with_the_button(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        BEGIN,
        "from llmos_nb.domains.robotics import robot\narm = robot(pace=0.2)\narm.live()",
        "goal = 'Move the robot arm 40 cm to the left'\nslow = await llmos.execute(goal, agent='operator')\n"
        "print('it ended:', slow.status)",
        "print('latched:', arm.status().emergency_stop, '| on its way:', 0 < arm.status().position[1] < 0.39)",
    )
    command(page, "notebook:run-all-cells")
    view = page.locator(".robot-live")
    view.locator("svg").wait_for(timeout=60_000)
    assert view.get_by_role("button", name="Reset").is_disabled()
    page.evaluate(WATCH)
    page.wait_for_function("window.seen.size > 8", timeout=60_000)
    picture(page, "robot-live")
    view.get_by_role("button", name="Emergency stop").click()
    shown(page.get_by_text("it ended: failed"), timeout=90_000)
    shown(page.get_by_text("latched: the button on the page | on its way: True"), timeout=20_000)
    reset = view.get_by_role("button", name="Reset")
    page.wait_for_function("!document.querySelectorAll('.robot-live button')[1].disabled", timeout=5_000)
    picture(page, "robot-live-stopped")
    reset.click()
    page.wait_for_function("document.querySelectorAll('.robot-live button')[1].disabled", timeout=5_000)
