"""The pictures of the documentation, made from the real thing: ``SCREENSHOTS=docs/images`` puts them in their place."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from frontend import BEGIN, command, run_cell, shown, themed

pytestmark = pytest.mark.browser

DATA = ROOT / "notebooks" / "data"
GOALS = (
    "Plot the mean body_mass_g by species in penguins.csv",
    "Please plot the average body_mass_g for each species in penguins.csv",
)
#: The same script as the tutorial's, its words coming as slowly as a model's.
SLOWLY = (
    "import pathlib, shutil, llmos_nb.cortex.scripted as scripted\n"
    f"shutil.copy({str(DATA / 'penguins.csv')!r}, '.')\n"
    "script = (pathlib.Path(scripted.__file__).parent / 'scripts' / 'group-means.md').read_text()\n"
    "folder = pathlib.Path('workspace/scripts'); folder.mkdir(parents=True)\n"
    "(folder / 'slowly.md').write_text(script.replace('goal:', 'delta_delay_s: 0.04\\ngoal:', 1))\n"
)
PLAN = """%%llmos
Research the notes in notes/ and collect where each penguin species lives and what it eats.
Save the mean body mass of each species in penguins.csv.
Plot bill length against depth by species from penguins.csv.
Write a one-page report to report.md."""
#: Milliseconds between two frames, how many of a run are kept at the most, and for how long its last one stays.
FRAME_MS, FRAMES, LAST_MS = 250, 30, 3_500
#: Seconds in which a run ends, on a busy machine.
LIMIT_S = 90
#: Pixels of the part that is seen of a page.
WIDTH, HEIGHT = 860, 660
#: A README that is read over a slow line: bytes of its moving picture, and of another one.
MOVING, STILL = 600_000, 100_000
#: How the files of a theme's pictures end.
ENDS = {"JupyterLab Light": "", "JupyterLab Dark": "-dark"}
#: Both looks where the pictures are made; one tells whether they can be.
SHOWN = [*ENDS] if os.environ.get("SCREENSHOTS") else [*ENDS][:1]
THEMES = pytest.mark.parametrize("theme", SHOWN)


def kept(made: Path, limit: int) -> None:
    """Check that a picture is small, and put it where ``SCREENSHOTS`` wants it."""
    assert made.stat().st_size < limit
    if target := os.environ.get("SCREENSHOTS"):
        shutil.copy(made, Path(target))


def wide(page: Any, theme: str) -> None:
    """Nothing but the notebook on the page, in this theme."""
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT + 120})
    command(page, "application:toggle-left-area")
    themed(page, theme)


def frames_of(page: Any, number: int, words: str) -> list[bytes]:
    """Begin a cell that is at the top of the page, and take pictures of it until these words are seen."""
    cell = page.locator(".jp-CodeCell").nth(number)
    page.locator(".jp-CodeCell").last.evaluate("node => { node.style.minHeight = '700px' }")
    cell.evaluate("node => node.scrollIntoView()")
    ended, frames = page.get_by_text(words, exact=True), []
    box = cell.bounding_box()
    assert box is not None
    part = {"x": box["x"], "y": box["y"], "width": box["width"], "height": HEIGHT}
    run_cell(page, number)
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        over = bool(ended.count())
        cell.evaluate("node => node.scrollIntoView()")
        frames.append(page.screenshot(clip=part))
        if over:
            break
        page.wait_for_timeout(FRAME_MS)
    assert ended.count(), "the run was seen to its end"
    page.wait_for_timeout(500)
    return [*frames[:: -(-len(frames) // FRAMES)], page.screenshot(clip=part)]


@THEMES
def test_a_goal_at_work_and_again_as_a_moving_picture(
    open_cells: Callable[..., Any], tmp_path: Path, theme: str
) -> None:
    from PIL import Image

    # The program that asks a model is started once, beforehand.
    warm = "await llmos.execute('What is 2 + 2?')\n__import__('IPython').display.clear_output()\nprint('ready')"
    begin = BEGIN.replace("%load_ext", f"{SLOWLY}%load_ext").replace("print('ready')", warm)
    page = open_cells(begin, *(f"%%llmos\n{goal}" for goal in GOALS))
    wide(page, theme)
    run_cell(page, 0)
    shown(page.get_by_text("ready", exact=True), timeout=60_000)
    learned = frames_of(page, 1, "learned")
    assert len(learned) > 5, "the run was seen at work"
    replayed = frames_of(page, 2, "replayed, verified")
    frames = [
        Image.open(io.BytesIO(frame)).convert("RGB").quantize(48, dither=Image.Dither.NONE)
        for frame in (*learned, *replayed)
    ]
    times = [FRAME_MS] * len(frames)
    times[len(learned) - 1] = times[-1] = LAST_MS
    made = tmp_path / f"at-work{ENDS[theme]}.gif"
    frames[0].save(made, save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True)
    kept(made, MOVING)


@THEMES
def test_a_plan_as_it_ended(open_cells: Callable[..., Any], tmp_path: Path, theme: str) -> None:
    from PIL import Image

    before = (
        f"import shutil\nshutil.copytree({str(DATA)!r}, '.', dirs_exist_ok=True)\n%load_ext",
        "await llmos.execute('Plot bill length against depth by species from penguins.csv')\nprint('ready')",
    )
    begin = BEGIN.replace("%load_ext", before[0]).replace("print('ready')", before[1])
    page = open_cells(begin, PLAN)
    wide(page, theme)
    run_cell(page, 0)
    shown(page.get_by_text("ready", exact=True), timeout=60_000)
    cell = run_cell(page, 1)
    shown(page.get_by_text("orchestrated", exact=True), timeout=60_000)
    result = cell.locator(".jp-OutputArea-child").last
    drawing = result.locator("svg, img").first
    drawing.wait_for(timeout=10_000)
    page.set_viewport_size({"width": WIDTH, "height": 2_400})
    page.wait_for_timeout(500)
    box, end = result.bounding_box(), drawing.bounding_box()
    assert box is not None and end is not None
    part = {**box, "height": end["y"] + end["height"] + 8 - box["y"]}
    made = tmp_path / f"plan{ENDS[theme]}.png"
    Image.open(io.BytesIO(page.screenshot(clip=part))).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(
        made, optimize=True
    )
    kept(made, STILL)
