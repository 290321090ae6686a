# ruff: noqa: E501
"""Plans as values: what is refused and why, editing, the Markdown that people edit, and how they look."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.dispatch.orchestrator import Node, Plan, Product
from llmos_nb.dispatch.orchestrator.node_result import NodeResult
from llmos_nb.dispatch.orchestrator.picture import HEIGHT, ended_looks, image, picture
from llmos_nb.dispatch.orchestrator.plan import plan_from
from llmos_nb.errors import PlanError


def of(*nodes: dict[str, Any], **more: Any) -> Plan:
    return plan_from({"nodes": list(nodes), **more}, "the goal", "model")


A: dict[str, Any] = {"id": "a", "goal": "do a"}
B: dict[str, Any] = {"id": "b", "goal": "do b", "needs": ["a"]}


@pytest.mark.parametrize(
    ("nodes", "what", "remedy"),
    [
        ([], "no nodes", "at least one"),
        ([A, {**A, "goal": "other"}], "Two nodes are called 'a'", "another id"),
        ([{"id": "a", "goal": ""}], "a has no goal", "Say what"),
        ([{"id": "A b", "goal": "x"}], "'A b' cannot name a node", "a-z"),
        ([{"id": "a" * 41, "goal": "x"}], "cannot name", "40"),
        ([{**A, "needs": ["a"]}], "a needs itself", "Take that need away"),
        ([{**A, "needs": ["z"]}], "a needs 'z', which is not in the plan", "The nodes are a"),
        ([{**A, "needs": ["b"]}, B], "goes in a circle: a before b before a", "Take one"),
        ([{**A, "agent": "writr"}], "there is no agent 'writr'", "Did you mean writer?"),
        ([{**A, "share": 0}], "share is 0", "above 0"),
        ([{**A, "share": 1.5}], "share is 1.5", "at most 1"),
        ([{**A, "share": float("nan")}], "share is nan", "at most 1"),
        ([{**A, "produces": [{"kind": "magic", "name": "x"}]}], "produces a 'magic'", "variable or file"),
        ([{**A, "produces": [{"kind": "variable", "name": "2x"}]}], "no variable's name", "letters"),
        ([{**A, "produces": [{"kind": "variable", "name": "class"}]}], "no variable's name", "letters"),
        ([{**A, "produces": [{"kind": "file", "name": "../x.md"}]}], "'../x.md'", "below the working folder"),
        ([{**A, "produces": [{"kind": "file", "name": "/etc/passwd"}]}], "/etc/passwd", "below the working folder"),
        ([{**A, "produces": [{"kind": "file", "name": "C:\\\\x"}]}], "produces the file", "below the working folder"),
        (
            [{**A, "produces": [{"kind": "variable", "name": "x"}]}, {**B, "produces": [{"kind": "variable", "name": "x"}]}],
            "b and a both produce the variable x", "another name",
        ),
        (
            [A, {**B, "produces": [{"kind": "variable", "name": "a_answer"}]}],
            "b and a both produce the variable a_answer", "another name",
        ),
        ([{"id": f"n{i}", "goal": "x"} for i in range(1000)], "1,000 nodes; at most 40", "plan_nodes"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused(nodes: list[dict[str, Any]], what: str, remedy: str) -> None:
    with pytest.raises(PlanError) as caught:
        of(*nodes).check(["generalist", "writer"])
    assert what in caught.value.message and remedy in caught.value.remedy


@pytest.mark.parametrize(
    "data",
    [
        None, [], "text", 5, {}, {"nodes": None}, {"nodes": {}}, {"nodes": "abc"}, {"nodes": ["a"]},
        {"nodes": [{"id": 5, "goal": "x"}]}, {"nodes": [{"id": "a", "goal": ["x"]}]},
        {"nodes": [{**A, "needs": "b"}]}, {"nodes": [{**A, "needs": [1]}]}, {"nodes": [{**A, "share": "half"}]},
        {"nodes": [{**A, "share": True}]}, {"nodes": [{**A, "produces": "x"}]}, {"nodes": [{**A, "produces": ["x"]}]},
        {"nodes": [{**A, "produces": [{"kind": "file"}]}]}, {"nodes": [A], "answer": "a"},
    ],
)  # fmt: skip
def test_data_of_another_shape_is_refused(data: object) -> None:
    with pytest.raises(PlanError) as caught:
        plan_from(data, "g", "model").check()
    assert caught.value.remedy


def test_an_answer_must_be_a_node() -> None:
    with pytest.raises(PlanError, match="answer names the node 'z'"):
        of(A, answer=["z"]).check()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["nodes", "id", "goal", "needs", "produces", "kind", "name", "share", "answer"]), x), max_leaves=20))  # fmt: skip
def test_whatever_a_model_says_there_is_one_kind_of_error(data: Any) -> None:
    try:
        plan_from(data, "g", "model").check(["x"])
    except PlanError as error:
        assert error.message


def test_layers_answers_and_what_comes_after() -> None:
    plan = of(A, B, {"id": "c", "goal": "c", "needs": ["a"]}, {"id": "d", "goal": "d", "needs": ["b", "c"]})
    assert plan.layers == (("a",), ("b", "c"), ("d",))
    assert plan.answers == ("d",) and plan.after("a") == {"b", "c", "d"}
    assert of(A, B, answer=["a"]).answers == ("a",)


def test_editing_makes_another_plan() -> None:
    plan = of(A, B)
    changed = plan.edit("b", goal="do b well", agent="writer", needs=()).with_node(Node("c", "c", needs=("b",)))
    assert changed["b"] == Node("b", "do b well", agent="writer") and changed.source == "person"
    assert plan["b"].goal == "do b", "the old one is as it was"
    assert changed.without("b")["c"].needs == ()
    with pytest.raises(PlanError, match="no node 'z'"):
        plan.edit("z", goal="x")
    with pytest.raises(PlanError) as caught:
        plan.edit("b", goel="x")
    assert "Did you mean goal?" in caught.value.remedy
    with pytest.raises(PlanError, match="goal must be text"):
        plan.edit("b", goal=5)


# ---------------------------------------------------------------- Markdown

_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n#-\\\\ :"), min_size=1, max_size=80
)
_GOALS = _TEXT.map(lambda text: text.strip()).filter(
    lambda text: text and len(text.splitlines()) == text.count("\n") + 1
)
_IDS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    ids = draw(st.lists(_IDS, min_size=1, max_size=5, unique=True))
    nodes = []
    for number, id_ in enumerate(ids):
        needs = draw(st.lists(st.sampled_from(ids[:number]), unique=True)) if number else []
        produces = [Product("variable", f"v{number}", draw(st.sampled_from(["", "a: b", "what it is"])))]
        nodes.append(
            Node(
                id_, draw(_GOALS), draw(st.sampled_from(["", "writer", "data-analyst"])), tuple(needs),
                tuple(produces if draw(st.booleans()) else ()), draw(st.sampled_from([None, 0.25, 1.0, 1e-3])),
            )
        )  # fmt: skip
    return Plan(draw(_GOALS), tuple(nodes), tuple(draw(st.lists(st.sampled_from(ids), unique=True))))


@given(_plans())
def test_the_markdown_says_all_of_a_plan(plan: Plan) -> None:
    assert Plan.from_markdown(plan.to_markdown()) == plan
    assert plan_from(json.loads(json.dumps(plan.as_data())), plan.goal, "person") == plan


def test_edited_text_of_another_system_is_read() -> None:
    text = "\ufeff# Plan\r\n\r\nThe goal\r\n\r\n- answer: `b`\r\n\r\n## a\r\ndo a\r\n\r\n## `b`\r\n- needs: a\r\n- produces: variable `x`: it\r\n\r\ndo b\r\n"
    plan = Plan.from_markdown(text)
    assert plan == Plan("The goal", (Node("a", "do a"), Node("b", "do b", needs=("a",), produces=(Product("variable", "x", "it"),))), ("b",))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# Plan\n\ng\n\n## \n\nx", "line 5: a node needs an id"),
        ("g\n\n# Plan\n", "line 3: only the first line"),
        ("g\n\n- agent: x\n", "line 3: agent does not belong here"),
        ("g\n\n## a\n- answer: a\n", "line 4: answer does not belong here"),
        ("g\n\n## a\n- needs: b\n- needs: c\n", "line 5: needs is given twice"),
        ("g\n\n## a\n- share: much\n", "line 4: share must be a number"),
        ("g\n\n## a\n- produces: happiness\n", "line 4: 'happiness' is nothing"),
        ("g\n\n## a\n- neds: b\n\nAdd 4 and 5", "line 4: 'neds' is no property"),
        ("g\n\n## a\n\n- needs: b\n-agent: b\n\nx", "line 6: '-agent: b' is no property"),
        ("g\n\n## a\n* Needs: b\n\nx", "line 4: .* is no property"),
        ("- answr: a\n\n## a\nx", "line 1: 'answr' is no property of a plan"),
        ("The goal\n\n- answr: a\n\n## a\nx", "line 3: '- answr: a' looks like the property answer"),
        ("g\n\n## a\nx\n- produce: file a.txt", "line 5: '- produce: file a.txt' looks like the property produces"),
        ("", "line 1: the plan has no node"),
        ("Add 2 and 3\n", "the plan has no node"),
    ],
)
def test_text_that_is_no_plan_says_where(text: str, what: str) -> None:
    with pytest.raises(PlanError, match=what):
        Plan.from_markdown(text)


def test_a_misspelt_property_is_met_with_the_right_one_and_a_goal_may_look_like_one() -> None:
    with pytest.raises(PlanError) as caught:
        Plan.from_markdown("g\n\n## a\nx\n\n## b\n- neds: a\n\nAdd 4 and 5")
    assert "Did you mean needs?" in caught.value.remedy and "line 7" in caught.value.message
    assert Plan.from_markdown("g\n\n## a\n\\- Load: the data\n- Sum: it")["a"].goal == "- Load: the data\n- Sum: it"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"needs": ["a"]}, "a needs itself"),
        ({"needs": ["b"]}, "goes in a circle"),
        ({"needs": ["c"]}, "which is not in the plan"),
        ({"goal": ""}, "a has no goal"),
        ({"goal": " \n"}, "a has no goal"),
        ({"id": "b"}, "Two nodes are called 'b'"),
    ],
)
def test_an_edit_that_could_not_be_run_is_refused_at_once(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(PlanError, match=what):
        of(A, B).edit("a", **changes)


# ---------------------------------------------------------------- displays


def test_a_plan_looks_the_same_everywhere_and_lets_no_markup_through() -> None:
    plan = of({**A, "goal": "<script>alert(1)</script> | x"}, {**B, "agent": "writer"})
    bundle = plan._repr_mimebundle_()
    assert "<script>" not in bundle["text/html"] and "<script>" not in bundle["text/markdown"]
    assert "\\| x" in bundle["text/markdown"]
    for text in bundle.values():
        assert "writer" in text and "planned by the model" in text
    assert bundle == plan._repr_mimebundle_()


def test_nothing_in_an_image_of_a_plan_pushes_the_picture_out_of_it() -> None:
    shown = image(of(A, B))
    inside = base64.b64decode(shown.split("base64,", 1)[1].split('"', 1)[0]).decode()
    assert "margin" in shown and "margin" not in inside and "height:auto" not in inside


def test_the_picture_has_a_box_a_node_and_an_arrow_a_need() -> None:
    plan = of({**A, "agent": "writer"}, B, {"id": "c", "goal": "c", "needs": ["a", "b"]})
    ends = {
        "a": NodeResult(id="a", goal="", status="success", mode="learner", cost_usd=0.5),
        "b": NodeResult(id="b", goal="", status="timed_out", cost_usd=None),
        "c": NodeResult(id="c", goal="", status="skipped"),
    }
    drawn = picture(plan, ended_looks(ends))
    assert drawn.count("<rect") == 3 and drawn.count("<path") == 2 * 3
    assert "learner · $0.5000" in drawn and "timed out · cost unknown" in drawn and "did not begin" in drawn
    assert drawn.count("✗") == 1 and drawn.count("✓") == 1
    assert "writer" in picture(plan) and "✓" not in picture(plan)
    assert 'aria-label="the plan: a; then b; then c"' in picture(plan)
    assert picture(Plan("g", ())) == "" and "<rect" in picture(of(A, {**B, "needs": ["b"]})), (
        "also of what cannot run"
    )


@given(_plans())
def test_the_boxes_of_a_picture_never_overlap_and_arrows_go_right(plan: Plan) -> None:
    drawn = picture(plan)
    corners = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"', drawn)
    assert len(set(corners)) == len(plan.nodes)
    places = {node.id: tuple(map(float, at)) for node, at in zip(plan.nodes, corners, strict=True)}
    for node in plan.nodes:
        for need in node.needs:
            assert places[need][0] < places[node.id][0]
    for x, y in places.values():
        near = [other for other in places.values() if other[0] == x and abs(other[1] - y) < HEIGHT]
        assert near == [(x, y)]
