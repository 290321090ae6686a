"""A result says the same as text, Markdown and HTML, escapes what it shows, and varies with nothing but its facts."""

from __future__ import annotations

import dataclasses
import html
import re
from typing import Any

import pytest

from llmos_nb.dispatch.orchestrator.plan import Node, Plan
from llmos_nb.dispatch.result import RunResult, ShownStep
from llmos_nb.memory.trace import STATUSES


def make(**facts: Any) -> RunResult:
    given: dict[str, Any] = {
        "run_id": "20260101-000000-abc123", "goal": "the goal", "status": "success", "mode": "learner",
        "text": "The **answer** is 42.", "reason": "the agent finished", "cost_usd": 0.0512, "trace_id": "tr-1",
        "duration_s": 12.34, "tokens": {"input": 5210},
        "steps": (ShownStep("run_cell", "x = 6 * 7\nx", "ok"), ShownStep("run_shell", "ls", "error")),
    }  # fmt: skip
    return RunResult(**{**given, **facts})


def shown(result: RunResult) -> dict[str, str]:
    return result._repr_mimebundle_()


def words(page: str) -> str:
    """The text of an HTML page."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ["learned", "$0.0512", "2 steps", "42"]),
        ({"mode": "follower", "cost_usd": 0.0, "saved_usd": 0.05}, ["replayed, verified", "free, saved $0.0500"]),
        ({"mode": "follower", "stale": True, "cost_usd": 0.0}, ["replayed, new outputs", "free"]),
        ({"simulated": True}, ["$0.0512 play money"]),
        ({"mode": "follower", "simulated": True, "cost_usd": 0.0, "saved_usd": 0.05}, ["saved $0.0500 play money"]),
        ({"cost_usd": None}, ["cost unknown"]),
        ({"mode": "mixed", "mode_reason": "the replay was refused: no df"},
         ["guided by a trace", "the replay was refused: no df"]),
        ({"status": "failed", "reason": "the disk is full", "remedy": "Free some space.", "text": ""},
         ["failed", "the disk is full", "Free some space."]),
        ({"status": "over_budget", "reason": "used up", "text": "Half an answer."},
         ["over budget", "used up", "Half an answer."]),
    ],
)  # fmt: skip
def test_the_three_forms_hold_the_same_facts(facts: dict[str, Any], said: list[str]) -> None:
    bundle = shown(make(**facts))
    assert set(bundle) == {"text/plain", "text/markdown", "text/html"}
    for word in said:
        assert word in bundle["text/plain"] and word in bundle["text/markdown"]
        assert word in " ".join(words(bundle["text/html"]).split())


def test_text_and_html_show_the_steps_and_how_they_ended() -> None:
    bundle = shown(make())
    assert "```python\nx = 6 * 7\nx\n```" in bundle["text/markdown"] and "```bash\nls\n```" in bundle["text/markdown"]
    assert "x = 6 * 7\nx" in bundle["text/html"] and "<b>error</b>" in bundle["text/html"]
    assert "<strong>answer</strong>" in bundle["text/html"]


EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.mark.parametrize("field", ["text", "reason", "remedy", "goal", "mode_reason", "agent", "endpoint"])
@pytest.mark.parametrize("status", ["success", "failed"])
def test_no_markup_survives(field: str, status: str) -> None:
    facts = {field: EVIL, "status": status, "mode": "mixed"}
    bundle = shown(make(**facts))
    for form in ("text/html", "text/markdown"):
        assert "<script" not in bundle[form] and "<img" not in bundle[form]


@pytest.mark.parametrize(
    "text",
    ["\\`{}`", "``{}`", "``` a`b\n{}\n```", "- x\n\n  {}", "> {}", "<!--\n{}", "<div>\n\n{}\n", "```\ncode\n```\n{}",
     "a\r{}\rb", "| a |\n|---|\n| {} |", "<pre>\n```\n{}", "[x]: y\n{}", "<details>" * 50 + "{}", "<a\n{}"],
)  # fmt: skip
def test_no_trick_of_markdown_lets_markup_through(text: str) -> None:
    from markdown_it import MarkdownIt

    page = shown(make(text=text.format(EVIL), steps=()))
    read = MarkdownIt("commonmark").enable("table").render(page["text/markdown"])
    assert "<script" not in read and "<img" not in read
    assert "<script" not in page["text/html"] and "<img" not in page["text/html"]
    assert "alert(1)" in read


def test_no_markup_survives_in_steps_and_links() -> None:
    step = ShownStep("<b>tool</b>", f"```\n{EVIL}\n```\n</pre>{EVIL}", EVIL)
    page = shown(make(text=f"[x](javascript:alert(1)) `{EVIL}`\n\n    {EVIL}", steps=(step,)))
    assert (
        "<script" not in page["text/html"]
        and "<img" not in page["text/html"]
        and "javascript:" not in re.findall(r'href="([^"]*)', page["text/html"])
    )
    fenced = re.search(r"^(`{4,})text\n(.*?)^\1$", page["text/markdown"], re.DOTALL | re.MULTILINE)
    assert fenced is not None and EVIL in fenced[2]  # inside a fence it is only text


def test_code_in_an_answer_is_shown_as_written() -> None:
    bundle = shown(make(text="Use `a < b`:\n\n```python\nif a<b: print('<p>')\n```\n\nand 1 < 2, x<y."))
    assert "if a<b: print('<p>')" in bundle["text/markdown"] and "`a < b`" in bundle["text/markdown"]
    assert "if a&lt;b: print('&lt;p&gt;')" in bundle["text/html"]
    assert "1 < 2" in words(bundle["text/html"])


@pytest.mark.parametrize("status", STATUSES)
def test_nothing_varies_from_run_to_run(status: str) -> None:
    one = make(status=status)
    other = dataclasses.replace(one, run_id="other", trace_id="other", duration_s=99.9, tokens={"input": 1})
    assert shown(one) == shown(other)
    for form in shown(one).values():
        assert not re.search(r"20260101|abc123|tr-1|12\.34|/home|/tmp", form)


def test_only_success_is_ok() -> None:
    assert [status for status in STATUSES if make(status=status).ok] == ["success"]
    for status in STATUSES[1:]:
        assert make(status=status).label == status.replace("_", " ")


def test_it_prints_as_it_is_shown() -> None:
    result = make()
    assert str(result) == shown(result)["text/plain"]
    assert str(result).startswith("llmos · learned · $0.0512 · 2 steps\n\n")
    assert str(make(status="failed", mode="", reason="nothing was begun", text="", steps=(), cost_usd=0.0)) == (
        "llmos · failed · free\n\n**nothing was begun**"
    )


def test_a_changed_agent_is_shown_as_a_coloured_diff_and_cannot_smuggle_markup() -> None:
    diff = "--- a (before)\n+++ a (after)\n@@ -1 +1 @@\n-You write.\n+<b>You & I</b>"
    result = make(diffs=(diff, diff.replace("a (", "b (")))
    page = shown(result)["text/html"]
    assert '<span style="color:#1a7f37">+&lt;b&gt;You &amp; I&lt;/b&gt;</span>' in page and "<b>You" not in page
    assert '<span style="color:#cf222e">-You write.</span>' in page
    assert f"```diff\n{diff}\n```" in shown(result)["text/markdown"] and "+++ b (after)" in str(result)


def test_notices_are_told_beside_the_answer_whatever_the_end() -> None:
    notice = "agents/poet.md:3: unknown key 'tols'. <hr>"
    for status in ("success", "failed"):
        result = make(status=status, notices=(notice,))
        pages = shown(result)
        assert all("unknown key 'tols'" in html.unescape(page) for page in pages.values())
        assert "<hr>" not in pages["text/html"]


def test_every_form_tells_which_agent_worked_and_why_in_this_mode() -> None:
    result = make(agent="scribe", mode_reason="nothing like it was done <before>")
    assert result.summary == "learned · $0.0512 · agent scribe · 2 steps"
    for form in shown(result).values():
        assert "Mode learner: nothing like it was done" in html.unescape(form) and "agent scribe" in form
    alone = shown(make(agent="scribe", mode="follower", mode_reason="done before", steps=()))
    assert "scribe" not in alone["text/plain"], "a replay asks no agent"
    assert "<summary>the mode</summary>" in alone["text/markdown"] and "Mode follower" in alone["text/html"]


def test_what_a_notebook_keeps_of_many_long_steps_is_small() -> None:
    steps = tuple(ShownStep("run_cell", f"step = {n}\n" + "<&>\n" * 5_000, "ok") for n in range(500))
    bundle = shown(make(steps=steps))
    assert sum(len(form) for form in bundle.values()) < 800_000
    for form in ("text/markdown", "text/html"):
        assert "step = 0\n" in bundle[form] and "step = 499\n… and 20,001 characters more" in bundle[form]
    assert all(f"step = {n}\n" in bundle["text/html"] for n in range(500))


def test_the_plan_of_a_result_is_an_image_that_says_what_it_shows() -> None:
    import base64
    import xml.etree.ElementTree as ElementTree

    from llmos_nb.dispatch.orchestrator.node_result import NodeResult

    plan = Plan("g", (Node("one", "The <first>"), Node("two", "The second", needs=("one",))))
    nodes = tuple(NodeResult(id=n, goal="", status="success", mode="learner", cost_usd=0.1) for n in ("one", "two"))
    page = shown(make(mode="orchestrator", plan=plan, nodes=nodes))["text/html"]
    assert "<svg" not in page and 'alt="the plan: one; then two"' in page, "where images are dropped, the words stay"
    data = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', page)
    assert data is not None
    drawn = ElementTree.fromstring(base64.b64decode(data[1]))
    assert "The <first>" in "".join(drawn.itertext())
