"""The README's moving picture, made from the real thing: ``SCREENSHOTS=docs/images`` puts it in its place."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from frontend import BEGIN, command, shown

pytestmark = pytest.mark.browser

GOAL = "Load penguins.csv, drop incomplete rows and plot bill length against depth by species"
#: The same script as the tutorial's, its words coming as slowly as a model's.
SLOWLY = (
    "import pathlib, shutil, llmos_nb.cortex.scripted as scripted\n"
    f"shutil.copy({str(ROOT / 'notebooks' / 'data' / 'penguins.csv')!r}, '.')\n"
    "script = (pathlib.Path(scripted.__file__).parent / 'scripts' / 'penguin-scatter.md').read_text()\n"
    "folder = pathlib.Path('workspace/scripts'); folder.mkdir(parents=True)\n"
    "(folder / 'slowly.md').write_text(script.replace('goal:', 'delta_delay_s: 0.06\\ngoal:', 1))\n"
)
#: Milliseconds between two frames, how many there are at the most, and for how long the last one stays.
FRAME_MS, FRAMES, LAST_MS = 200, 60, 4_000
#: A README that is read over a slow line: bytes of its moving picture.
LIMIT = 600_000


def test_a_goal_at_work_as_a_moving_picture(open_cells: Callable[..., Any], tmp_path: Path) -> None:
    from PIL import Image

    page = open_cells(BEGIN.replace("%load_ext", f"{SLOWLY}%load_ext"), f"%%llmos\n{GOAL}")
    page.set_viewport_size({"width": 940, "height": 960})
    command(page, "application:toggle-left-area")
    page.wait_for_timeout(300)
    command(page, "notebook:run-cell-and-select-next")
    shown(page.get_by_text("ready", exact=True), timeout=60_000)
    cell = page.locator(".jp-CodeCell").nth(1)
    cell.evaluate("node => { node.scrollIntoView(); node.style.minHeight = '780px' }")
    box = cell.bounding_box()
    assert box is not None
    part = {"x": box["x"], "y": box["y"], "width": box["width"], "height": min(780, 960 - box["y"])}
    frames: list[bytes] = []
    command(page, "notebook:run-cell")
    ended = page.get_by_text("learned", exact=True)
    while len(frames) < FRAMES:
        over = bool(ended.count())
        frames.append(page.screenshot(clip=part))
        if over:
            break
        page.wait_for_timeout(FRAME_MS)
    assert ended.count() and len(frames) > 5, "the run was seen at work, and to its end"
    page.wait_for_timeout(500)
    frames.append(page.screenshot(clip=part))

    pictures = [
        Image.open(io.BytesIO(frame)).convert("RGB").quantize(64, dither=Image.Dither.NONE) for frame in frames
    ]
    moving = tmp_path / "at-work.gif"
    times = [FRAME_MS] * (len(pictures) - 1) + [LAST_MS]
    pictures[0].save(moving, save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=True)
    assert moving.stat().st_size < LIMIT
    if target := os.environ.get("SCREENSHOTS"):
        shutil.copy(moving, Path(target))
