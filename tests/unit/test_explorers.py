"""Explorers as the widget asks them, and as people use them in Python: answers, errors, selections, static displays."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from recorded import record

from llmos_nb import LLMOS
from llmos_nb.errors import AgentFileError, LlmosError, SettingsError, UnknownAgent, UnknownTrace
from llmos_nb.kernel.whose import agents_code
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.notebook.explorers import EXPLORERS


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with LLMOS("workspace", endpoint="scripted") as made:
        yield made


def trace(n: int, **fields: Any) -> Trace:
    step = Step("run_cell", {"code": f"print({n})"}, Expectation(outputs=("stream",)), f"{n}\n", 0.1)
    given = {"agent": "coder", "mode": "learner", "cost_usd": 0.01 * n, "answer": f"It is {n}.", "model": "m"}
    return Trace(goal=f"Print the number {n}", steps=[step], **{**given, **fields})


def ask(explorer: Any, action: Any, **given: Any) -> dict[str, Any]:
    """What the widget would get; it must survive the trip through JSON."""
    heard: list[dict[str, Any]] = []
    explorer.take({"id": "q1", "do": action, "with": given}, heard.append)
    (answer,) = heard
    assert answer["id"] == "q1"
    return json.loads(json.dumps(answer))


def data(explorer: Any, action: str, **given: Any) -> dict[str, Any]:
    answer = ask(explorer, action, **given)
    assert "error" not in answer, answer
    return answer["data"]


def error(explorer: Any, action: str, **given: Any) -> dict[str, Any]:
    answer = ask(explorer, action, **given)
    assert "data" not in answer, answer
    return answer["error"]


# -- all of them


def test_what_cannot_be_explored_is_refused_with_what_can(system: Any) -> None:
    with pytest.raises(SettingsError, match="Did you mean 'traces'") as caught:
        system.explore("trace")
    assert "crystals" in caught.value.remedy


@pytest.mark.parametrize("what", EXPLORERS)
def test_an_empty_workspace_can_be_explored(system: Any, what: str) -> None:
    explorer = system.explore(what)
    bundle = explorer._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/markdown", "text/html"} and all(bundle.values())
    assert bundle["text/plain"] == str(explorer) and "<script" not in bundle["text/html"]
    assert len(explorer.selected_df) == 0 and list(explorer.selected_df.columns) == list(explorer.df.columns)
    assert bundle == explorer._repr_mimebundle_(), "the same data look the same"


@pytest.mark.parametrize("what", EXPLORERS)
@pytest.mark.parametrize(
    "message",
    [None, 7, [], "page", {}, {"do": 3}, {"id": 1, "do": "rm"}, {"id": 1, "do": "open"}, {"id": 1, "do": "open", "with": 4},
     {"id": 1, "do": "select", "with": {"ids": ["nothing-like-it"]}}, {"id": 1, "do": "open", "with": {"bad": 1}}],
)  # fmt: skip
def test_a_message_that_makes_no_sense_is_answered(system: Any, what: str, message: Any) -> None:
    heard: list[dict[str, Any]] = []
    system.explore(what).take(message, heard.append)
    (answer,) = heard
    assert answer["error"]["message"]


def test_the_magic_gives_the_explorer(ipython: Any, system: Any) -> None:
    from llmos_nb.notebook.explore_magics import ExploreMagics

    magics = ExploreMagics(ipython, system)
    assert magics.explore("").what == "traces" and magics.explore(" crystals ").what == "crystals"
    with pytest.raises(SettingsError):
        magics.explore("everything")


# -- traces


def test_traces_are_found_by_words_and_values(system: Any) -> None:
    for n in range(7):
        name = ("zero", "one", "two", "three", "four", "five", "six")[n]
        made = trace(n, agent=("coder", "writer")[n % 2], status="failed" if n == 6 else "success")
        system.traces.add(dataclasses.replace(made, goal=f"Print the number {name}"))
    explorer = system.explore("traces")
    page = data(explorer, "page", query={"text": "THREE print"})
    assert [row["goal"] for row in page["rows"]] == ["Print the number three"] and (page["total"], page["all"]) == (
        1,
        7,
    )
    assert page["values"] == {
        "mode": ["learner"],
        "agent": ["coder", "writer"],
        "status": ["failed", "success"],
        "project": [],
    }
    assert data(explorer, "page", query={"agent": "coder", "status": "success"})["total"] == 3
    assert list(explorer.df["agent"]) == ["coder"] * 3, "the frame is what is shown"
    assert len(explorer.filter(text="three").df) == 1 and len(explorer.filter().df) == 7
    assert "1 of 7 traces with text 'three'" in str(explorer.filter(text="three"))
    told = str(explorer.filter(status="faild"))
    assert "none has the status 'faild'; there are failed, success" in told
    assert "none has the project 'x'; there is no other either" in str(explorer.filter(project="x"))
    assert "none of them" in str(explorer.filter("moon", status="failed"))
    assert "cannot be filtered by moon" in error(explorer, "page", query={"moon": "x"})["message"]
    assert "is text" in error(explorer, "page", query={"agent": 3})["message"]


def test_pages_stay_within_what_is_there(system: Any) -> None:
    for n in range(7):
        system.traces.add(trace(n, created_at=f"2026-11-0{n + 1}T00:00:00Z", cost_usd=None if n == 2 else 0.01 * n))
    explorer = system.explore("traces")
    first, last = data(explorer, "page", limit=3), data(explorer, "page", limit=3, offset=10_000)
    assert [row["goal"][-1] for row in first["rows"]] == ["6", "5", "4"] and last["offset"] == 6
    assert [row["goal"][-1] for row in last["rows"]] == ["0"]
    assert data(explorer, "page", limit=-3, offset=-3)["offset"] == 0
    dear = data(explorer, "page", sort="cost_usd")["rows"]
    assert [row["goal"][-1] for row in dear] == ["6", "5", "4", "3", "1", "0", "2"], "what is not known comes last"
    assert "cannot be sorted" in error(explorer, "page", sort="payload")["message"]


def test_a_trace_that_comes_later_is_seen(system: Any, tmp_path: Path) -> None:
    explorer = system.explore("traces")
    assert data(explorer, "page")["total"] == 0
    system.traces.add(trace(1))
    assert data(explorer, "page")["total"] == 1
    with LLMOS("workspace", endpoint="scripted") as other:
        other.traces.add(trace(2))
    assert data(explorer, "page")["total"] == 2


def test_what_is_selected_is_a_frame(system: Any) -> None:
    one, two, three = (system.traces.add(trace(n)) for n in range(3))
    explorer = system.explore("traces")
    assert data(explorer, "select", ids=[three.id, one.id, three.id]) == {"selected": [three.id, one.id]}
    frame = explorer.selected_df
    assert list(frame["id"]) == [three.id, one.id] and str(frame.dtypes["created_at"]) == "datetime64[ns, UTC]"
    assert error(explorer, "select", ids=[two.id, "gone"])["kind"] == "UnknownTrace"
    assert explorer.selected == [three.id, one.id], "a selection that failed changes nothing"
    system.traces.path(one.id).unlink()
    assert list(explorer.selected_df["id"]) == [three.id], "what is gone is not made up"


def test_a_trace_shows_everything_and_escapes_it(system: Any) -> None:
    step = Step(
        "run_cell",
        {"code": "x = '<script>alert(1)</script>'"},
        Expectation(status="error", error="KeyError"),
        "<b>",
        None,
    )
    added = system.traces.add(Trace(goal="<i>goal</i>", steps=[step], status="failed", reason="why"))
    explorer = system.explore("traces")
    opened = data(explorer, "open", id=added.id)
    assert opened["reason"] == "why" and opened["steps"][0]["error"] == "KeyError" and not opened["replayable"]
    assert "<script" not in opened["steps"][0]["code"] and "&lt;script" in opened["steps"][0]["code"]
    html = explorer._repr_mimebundle_()["text/html"]
    assert "<i>" not in html and "&lt;i&gt;goal" in html
    assert "&lt;i>goal" in explorer._repr_mimebundle_()["text/markdown"]


def test_a_huge_output_is_cut(system: Any) -> None:
    added = system.traces.add(Trace(goal="much", steps=[Step("run_cell", {"code": "x"}, output="y" * 200_000)]))
    (step,) = data(system.explore("traces"), "open", id=added.id)["steps"]
    assert step["cut"] and len(step["output"]) < 30_000


def test_marking_wrong_and_trusting_go_through_the_system(system: Any) -> None:
    added = system.traces.add(trace(1))
    explorer = system.explore("traces")
    done = data(explorer, "wrong", id=added.id, reason="not <this> number")
    assert "out of use" in done["said"] and done["trace"]["wrong"].endswith("not <this> number")
    assert system.traces.get(added.id).wrong and not done["trace"]["replayable"]
    assert data(explorer, "page", query={"status": "called wrong"})["total"] == 1
    shown = done["trace"]["shown"]
    with agents_code():
        assert error(explorer, "trust", id=added.id, shown=shown)["kind"] == "GuardDenied"
    assert error(explorer, "trust", id=added.id, shown="something else")["kind"] == "StoreError"
    assert not explorer.open(added.id)["replayable"]
    assert data(explorer, "trust", id=added.id, shown=shown)["trace"]["replayable"]
    assert error(explorer, "wrong", id="20261122-074103-none-0000")["kind"] == "UnknownTrace"


def test_a_replay_tells_of_its_progress_and_its_result(system: Any) -> None:
    record("Say hello to Ada", "print('hello Ada')")
    explorer = system.explore("traces")
    (row,) = explorer.rows

    async def work() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        ended = asyncio.Event()

        def send(message: dict[str, Any]) -> None:
            heard.append(message)
            if "progress" not in message:
                ended.set()

        explorer.take({"id": 1, "do": "replay", "with": {"id": row["id"]}}, send)
        assert not heard or "data" not in heard[-1], "the message is answered later"
        await asyncio.wait_for(ended.wait(), 30)
        explorer.take({"id": 2, "do": "replay", "with": {"id": "none"}}, send)
        async with asyncio.timeout(30):
            while heard[-1]["id"] != 2:
                await asyncio.sleep(0.01)
        return heard

    heard = asyncio.run(work())
    answer = next(message["data"] for message in heard if "data" in message)
    assert answer["ok"] and "free" in answer["said"] and answer["trace"]["about"]["replayed"] == "once"
    assert any("run_cell" in message.get("progress", "") for message in heard)
    assert heard[-1]["error"]["kind"] == "UnknownTrace"


def test_a_replay_that_fails_is_told_as_a_failure(system: Any) -> None:
    record("Count the lines of notes.txt", "print(len(__import__('pathlib').Path.home().parts) < 0)")
    (row,) = system.explore("traces").rows
    trace_ = system.traces.get(row["id"])
    broken = dataclasses.replace(trace_.steps[0], arguments={"code": "print(open('notes.txt').read())"})
    system.traces.replace(dataclasses.replace(trace_, steps=[broken]))
    system.trust(row["id"], system.preview(row["id"]).shown)
    explorer = system.explore("traces")

    async def work() -> dict[str, Any]:
        heard: list[dict[str, Any]] = []
        explorer.take({"id": 1, "do": "replay", "with": {"id": row["id"]}}, heard.append)
        async with asyncio.timeout(30):
            while not heard or "progress" in heard[-1]:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)
        return heard[-1]["data"]  # it stays the last that is told

    done = asyncio.run(work())
    assert not done["ok"] and "failed" in done["said"] and "notes.txt" in done["said"]
    assert done["trace"]["about"]["replayed"] == "once, 1 of them failed"


def test_an_agents_code_cannot_replay(system: Any) -> None:
    record("Say hello to Ada", "print('hello Ada')")
    explorer = system.explore("traces")

    async def work() -> None:
        with agents_code():
            await explorer.replay(explorer.rows[0]["id"])

    with pytest.raises(LlmosError, match="must not start goals"):
        asyncio.run(work())


def test_files_that_cannot_be_read_are_told_of(system: Any) -> None:
    folder = system.workspace / "memory" / "traces" / "2026-11"
    folder.mkdir(parents=True)
    (folder / "20261122-074103-bad-3f2a.md").write_text("---\nnothing")
    explorer = system.explore("traces")
    assert any("20261122-074103-bad-3f2a" in told for told in data(explorer, "page")["problems"])
    assert "Cannot be read" in str(explorer)


# -- two side by side


def test_two_traces_are_compared_part_by_part(system: Any) -> None:
    same = Step("run_cell", {"code": "import math"})
    one = system.traces.add(Trace(goal="a", steps=[same, Step("run_cell", {"code": "x = 1\ny = 2"})], answer="1"))
    two = system.traces.add(
        Trace(
            goal="b",
            steps=[same, Step("run_cell", {"code": "x = 1\ny = 3"}), Step("run_shell", {"command": "ls"})],
            answer="1",
        )
    )
    found = system.compare(one.id, two.id)
    assert found.differences == ("goal", "step 2: run_cell", "step 3 right only: run_shell") and not found.same
    lines = next(section for section in found.sections if section.name == "step 2: run_cell").lines
    assert [tuple(line) for line in lines] == [("same", "x = 1", "x = 1"), ("changed", "y = 2", "y = 3")]
    for text in found._repr_mimebundle_().values():
        assert "y = 3" in text and one.id in text
    assert system.compare(one.id, one.id).same
    shown = data(system.explore("traces"), "compare", left=one.id, right=two.id)
    assert shown["sections"][0] == {"name": "goal", "same": False, "lines": [["changed", "a", "b"]]}
    with pytest.raises(UnknownTrace):
        system.compare(one.id, "none")


# -- agents


FIELDS = {"description": "Writes", "tools": ["run_cell"], "model": "", "prompt": "You are a poet."}


def test_an_agent_is_made_changed_and_restored(system: Any) -> None:
    explorer = system.explore("agents")
    made = data(explorer, "save", name="poet", fields=FIELDS, new=True)
    assert "poet is made" in made["said"] and system.agents.get("poet").prompt == "You are a poet."
    opened = made["agent"]
    changed = data(
        explorer, "save", name="poet", fields={**FIELDS, "prompt": "You are a better poet."}, base=opened["base"]
    )
    assert "+You are a better poet." in changed["diff"] and changed["agent"]["version"] == 2
    assert "+You are a better" in data(explorer, "diff", name="poet", older=1, newer=2)["diff"]
    restored = data(explorer, "restore", name="poet", version=1)
    assert restored["agent"]["fields"]["prompt"] == "You are a poet." and restored["agent"]["version"] == 3
    assert [one["number"] for one in restored["agent"]["history"]] == [3, 2, 1]
    again = data(explorer, "save", name="poet", fields=FIELDS, base=restored["agent"]["base"])
    assert "nothing changed" in again["said"]


def test_keys_that_the_form_does_not_have_are_kept(system: Any) -> None:
    system.agents.write(
        "poet", "---\nname: poet\nmood: calm\noptions: {max_turns: 3}\nmodel: sonnet\n---\nYou are a poet.\n"
    )
    data(system.explore("agents"), "save", name="poet", fields={**FIELDS, "model": " "})
    agent = system.agents.get("poet")
    assert agent.extra["mood"] == "calm" and agent.options == {"max_turns": 3} and agent.model is None


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"tools": ["run_cel"]}, "tools", "Did you mean 'run_cell'"),
        ({"tools": ["two words"]}, "tools", "tool names"),
        ({"tools": "run_cell"}, "tools", "list"),
        ({"model": "no\nmodel"}, "model", "model"),
        ({"model": 3}, "model", "must be text"),
        ({"prompt": "nul \0"}, "prompt", "cannot"),
        ({"colour": "red"}, "", "no field"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_written(
    system: Any, changed: dict[str, Any], field: str, words: str
) -> None:
    explorer = system.explore("agents")
    data(explorer, "save", name="poet", fields=FIELDS, new=True)
    before = (system.agents.folder / "poet.md").read_text()
    data(explorer, "draft", name="poet", draft={"fields": {**FIELDS, "prompt": "typed"}})
    told = error(explorer, "save", name="poet", fields={**FIELDS, **changed})
    assert told["field"] == field and words in f"{told['message']} {told['remedy']}"
    assert (system.agents.folder / "poet.md").read_text() == before
    assert data(explorer, "open", name="poet")["draft"]["fields"]["prompt"] == "typed", "what was typed is kept"


@pytest.mark.parametrize("name", ["", "Poet", "a b", "../x", "generalist", "genera1ist"])
def test_a_new_agents_name_must_be_its_own(system: Any, name: str) -> None:
    told = error(system.explore("agents"), "save", name=name, fields=FIELDS, new=True)
    assert told["field"] == "name" and told["message"]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("---\nname: poet\ntools: run_cell\n---\nx", 3),
        ("---\nname: other\n---\nx", 2),
        ("You are a poet.", 1),
        ("---\nname: poet\nname: poet\n---\n", 3),
        ("---\nname: poet\ndescription: [\n---\n", None),
    ],
)
def test_what_is_wrong_with_a_file_is_told_at_its_line(system: Any, file: str, line: int | None) -> None:
    explorer = system.explore("agents")
    data(explorer, "save", name="poet", fields=FIELDS, new=True)
    told = error(explorer, "save", name="poet", file=file)
    assert told["line"] == line if line else told["line"] > 1
    assert system.agents.get("poet").prompt == "You are a poet."


def test_a_broken_file_is_shown_and_can_be_mended(system: Any) -> None:
    system.agents.folder.mkdir(parents=True)
    (system.agents.folder / "poet.md").write_text("---\nname: poet\ntools: run_cell\n---\nYou are")
    explorer = system.explore("agents")
    row = next(row for row in data(explorer, "list")["rows"] if row["name"] == "poet")
    opened = data(explorer, "open", name="poet")
    assert "tools must be a list" in row["problem"] and opened["fields"] is None and opened["problem"]["line"] == 3
    assert data(explorer, "select", ids=["poet"])
    mended = opened["file"].replace("run_cell", "[run_cell]").replace("\n", "\r\n")
    assert data(explorer, "save", name="poet", file=mended, base=opened["base"])["agent"]["problem"] is None
    assert system.agents.get("poet").tools == ("run_cell",)


def test_an_agent_from_elsewhere_is_marked_and_trusted_as_it_was_looked_at(system: Any) -> None:
    system.agents.folder.mkdir(parents=True)
    file = system.agents.folder / "poet.md"
    file.write_text("---\nname: poet\ntools: [run_cell]\n---\nYou are a poet.\n")
    explorer = system.explore("agents")
    waits = {row["name"]: row["waits"] for row in data(explorer, "list")["rows"]}
    assert waits["poet"] == "was not written here, so it is not used yet" and waits["coder"] == ""
    looked = data(explorer, "open", name="poet")
    file.write_text(file.read_text() + "And a thief.\n")
    assert error(explorer, "trust", name="poet", base=looked["base"])["field"] == "base"
    with agents_code():
        assert error(explorer, "trust", name="poet", base=data(explorer, "open", name="poet")["base"])
    with pytest.raises(AgentFileError, match="was not written here"):
        system.agents.usable("poet")
    done = data(explorer, "trust", name="poet", base=data(explorer, "open", name="poet")["base"])
    assert done["agent"]["waits"] == "" and system.agents.usable("poet").prompt.endswith("thief.")
    file.write_text(file.read_text() + "Of words.\n")
    assert "changed outside" in data(explorer, "open", name="poet")["waits"] and system.agents.usable("poet")


def test_a_trace_from_elsewhere_is_marked_in_the_list(system: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = system.traces.add(trace(1))
    text = system.traces.path(own.id).read_text()
    other = own.id[:-4] + "beef"
    system.traces.path(own.id).with_name(f"{other}.md").write_text(text.replace(own.id, other))
    explorer = system.explore("traces")
    system.traces.refresh()
    assert {row["id"]: row["foreign"] for row in data(explorer, "page")["rows"]} == {own.id: False, other: True}
    assert str(explorer).count("(not recorded here)") == 1
    shown = data(explorer, "open", id=other)["shown"]
    data(explorer, "trust", id=other, shown=shown)
    assert not any(row["foreign"] for row in data(explorer, "page")["rows"])
    assert "not recorded here" not in str(explorer)


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(system: Any) -> None:
    explorer = system.explore("agents")
    base = data(explorer, "save", name="poet", fields=FIELDS, new=True)["agent"]["base"]
    system.agents.modify("poet", "prompt", "Theirs.")
    told = error(explorer, "save", name="poet", fields={**FIELDS, "prompt": "Mine."}, base=base)
    assert told["field"] == "base" and system.agents.get("poet").prompt == "Theirs."
    now = data(explorer, "open", name="poet")["base"]
    assert data(explorer, "save", name="poet", fields={**FIELDS, "prompt": "Mine."}, base=now)
    assert system.agents.get("poet").prompt == "Mine."


def test_a_prompt_that_looks_like_a_file_stays_a_prompt(system: Any) -> None:
    prompt = "---\nname: evil\ntools: [run_shell]\n---\nx"
    data(system.explore("agents"), "save", name="poet", fields={**FIELDS, "prompt": prompt}, new=True)
    agent = system.agents.get("poet")
    assert agent.prompt == prompt and agent.tools == ("run_cell",)


def test_fields_and_file_say_the_same(system: Any) -> None:
    explorer = system.explore("agents")
    file = data(explorer, "convert", name="poet", fields=FIELDS)["file"]
    assert data(explorer, "convert", name="poet", file=file)["fields"] == FIELDS
    assert error(explorer, "convert", name="poet", file="no front matter")["line"] == 1
    with pytest.raises(UnknownAgent):
        system.agents.get("poet")


def test_an_agents_code_cannot_save_an_agent(system: Any) -> None:
    with agents_code():
        assert (
            "must not change agents"
            in error(system.explore("agents"), "save", name="poet", fields=FIELDS, new=True)["message"]
        )


def test_the_registry_says_the_field_and_the_line(system: Any) -> None:
    with pytest.raises(AgentFileError) as caught:
        system.agents.create("poet", "d", ["run_cel"], "p")
    assert caught.value.field == "tools"


def test_selected_agents_are_rows_of_the_frame(system: Any) -> None:
    explorer = system.explore("agents")
    explorer.select("coder", "writer")
    assert list(explorer.selected_df["name"]) == ["coder", "writer"]


# -- the budget


def test_the_budget_shows_limits_rows_and_a_curve(system: Any) -> None:
    for n in range(300):
        system.economy.deduct(0.01, f"Learn: goal {n}", model=("a", "b")[n % 2], saved_usd=0.02)
    explorer = system.explore("budget")
    assert "none has the kind 'gift'; there is deduct" in str(explorer.filter(kind="gift"))
    assert "none of them" in str(explorer.filter("moon"))
    explorer.filter()
    now = data(explorer, "overview")
    assert (
        now["money"] == "play money"
        and now["saved"] == "$6.0000"
        and now["meters"][0]["told"] == "$3.0000 of $10.0000"
    )
    assert 100 < len(now["curve"]) <= 201 and now["curve"][-1][1:] == [3.0, 6.0]
    page = data(explorer, "page", query={"model": "a", "text": "goal 10"}, limit=5)
    assert page["total"] == 8 and len(page["rows"]) == 5 and page["rows"][0]["what"] == "Learn: goal 210"
    data(explorer, "select", ids=[row["id"] for row in page["rows"][:2]])
    assert list(explorer.selected_df["cost_usd"]) == [0.01, 0.01] and len(explorer.df) == 8
    assert "no row 9999" in error(explorer, "select", ids=["9999"])["message"]
    assert "play money" in str(explorer)


def test_an_unknown_price_is_unknown(system: Any) -> None:
    from llmos_nb.kernel.ledger import ModelCall

    with system.economy.reserve(0.5, "Learn: x", run_id="r") as reservation:
        reservation.charge(ModelCall(model="m", cost_usd=None))
    explorer = system.explore("budget")
    assert data(explorer, "page")["rows"][0]["cost"] == "unknown" and "unknown" in str(explorer)
    assert explorer.df["cost_usd"].isna().all()


# -- crystals


CRYSTAL = "def hello():\n    '''Say it.'''\n    return 1\n"


def test_a_crystal_that_cannot_be_used_is_shown_all_the_same(system: Any) -> None:
    folder = system.workspace / "crystals"
    folder.mkdir(parents=True)
    (folder / "hello.py").write_text(CRYSTAL)
    explorer = system.explore("crystals")
    (row,) = data(explorer, "list")["rows"]
    opened = data(explorer, "open", name="hello")
    assert row["name"] == "hello" and row["status"] != "ready" and "hello" in opened["source"] and opened["problem"]
    assert "is disabled" in data(explorer, "disable", name="hello", reason="no <good>")["said"]
    data(explorer, "select", ids=["hello"])
    assert list(explorer.selected_df["name"]) == ["hello"]
    assert "is removed" in data(explorer, "remove", name="hello")["said"] and explorer.selected == []
    assert error(explorer, "remove", name="hello")["kind"] == "UnknownCrystal"


def test_a_test_does_not_hold_up_the_loop(system: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.crystals.report import Check, Report

    folder = system.workspace / "crystals"
    folder.mkdir(parents=True)
    (folder / "hello.py").write_text(CRYSTAL)
    go = threading.Event()

    def slow(name: str) -> Report:
        assert go.wait(10)
        return Report("d", (Check("t1", True), Check("t2", False, "other output")))

    monkeypatch.setattr(system.crystals, "test", slow)
    explorer = system.explore("crystals")

    async def work() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        explorer.take({"id": 1, "do": "test", "with": {"name": "hello"}}, heard.append)
        while not heard:
            await asyncio.sleep(0.01)
        assert "progress" in heard[0] and data(explorer, "list")["rows"], "others are answered meanwhile"
        go.set()
        while "data" not in heard[-1]:
            await asyncio.sleep(0.01)
        return heard

    assert "1 of 2 recorded runs" in asyncio.run(work())[-1]["data"]["said"]
