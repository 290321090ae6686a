"""What stays of a goal says the same where nothing but words is left of it: on GitHub, in a mail, in a reader's voice.

Sites that show notebooks take styles, classes and scripts away, and some take ``details`` apart.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.dispatch.result import RunResult, ShownStep
from llmos_nb.notebook.run_view.model import RunModel
from llmos_nb.notebook.run_view.plain import page

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
#: What HTML of ours may consist of: nothing of it loads, runs or listens.
TAGS = frozenset(
    [
        "b",
        "br",
        "code",
        "del",
        "details",
        "div",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "span",
        "strong",
        "summary",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
        "a",
        "blockquote",
        "progress",
    ]
)
ATTRIBUTES = frozenset(
    [
        "style",
        "class",
        "src",
        "alt",
        "href",
        "title",
        "scope",
        "width",
        "height",
        "value",
        "max",
        "role",
        "open",
        "start",
        "colspan",
        "align",
    ]
)
#: Words of the plain form alone: the name of the product, and what a block of code is written in.
PLAIN_ONLY = frozenset(("llmos", "text", "diff", "python", "bash"))


class Words(HTMLParser):
    """The words that are seen without any style, what is folded away opened, and what an image says it shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert tag in TAGS, tag
        assert given.keys() <= ATTRIBUTES, (tag, given)
        assert given.get("src", "data:image/").startswith("data:image/"), "an image is in the page itself"
        assert given.get("href", "https://").startswith(("https://", "http://", "#")), given
        style = given.get("style", "")
        assert not re.search(r"url\(|expression|@import|display: *none|visibility|content:", style), style
        self.said.append(f" {given.get('alt', '')} ")

    def handle_endtag(self, tag: str) -> None:
        self.said.append(" ")

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def counted(self) -> Counter[str]:
        return words("".join(self.said))


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


def unsaid(bundle: dict[str, Any]) -> set[str]:
    """Words of the plain form that the HTML does not have."""
    html, plain = ("".join(bundle[kind]) for kind in ("text/html", "text/plain"))
    return set(words(plain)) - set(Words(html).counted) - PLAIN_ONLY


STEP = ShownStep("run_cell", "print('looked')", "ok")
RESULTS = {
    "success": {"text": "**7** rows, see `df`.", "steps": (STEP,), "mode_reason": "no trace of this goal"},
    "failed": {"status": "failed", "reason": "the file is missing", "remedy": "Name another.", "steps": (STEP,)},
    "guided": {"mode": "mixed", "mode_reason": "it has a number less than the recorded one", "text": "Done."},
    "noted": {
        "text": "Done.",
        "notices": ("a note",),
        "recalled": ("Penguins swim. (a person)",),
        "passed_over": "old",
    },
}


@pytest.mark.parametrize("facts", RESULTS.values(), ids=RESULTS)
def test_a_result_says_the_same_without_styles(facts: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        "run_id": "r1", "goal": "g", "status": "success", "mode": "learner", "reason": "", "text": "", "cost_usd": 0.02,
        "saved_usd": 0.0, "trace_id": "t1", "duration_s": 1.0, "agent": "generalist", **facts,
    }  # fmt: skip
    assert not unsaid(RunResult(**given)._repr_mimebundle_())


def test_what_a_page_without_widgets_is_shown_needs_nothing() -> None:
    model = RunModel(goal="<b>g</b>", run_id="r1")
    said = Words(page(model.snapshot(), " · the notebook's stop button ends it")).counted
    assert {"looking", "stop"} <= set(said)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_what_notebooks_keep_of_goals_says_the_same_without_styles(path: Path) -> None:
    seen = 0
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            bundle = output.get("data", {})
            if "".join(bundle.get("text/plain", "")).startswith("llmos · ") and "text/html" in bundle:
                assert not unsaid(bundle), bundle["text/plain"]
                seen += 1
    assert seen, "it has a goal's result"
