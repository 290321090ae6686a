"""Facts: kept once, never overwritten, found by what they say, seen when a person edits or deletes their files."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.errors import FactError, FactFileError, UnknownFact
from llmos_nb.memory.facts import Fact, FactStore
from llmos_nb.memory.facts.codec import dump, parse
from llmos_nb.memory.facts.relevance import RELEVANT

sys.path.insert(0, str(Path(__file__).parents[1]))
from sets.facts import BEARS_TOO, FACTS, GOALS, OTHER_FACTS, OTHER_GOALS, UNRELATED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "facts"


def texts(store: FactStore, query: str) -> list[str]:
    return [one.fact.text for one in store.recall(query)]


def test_a_fact_is_a_file_and_says_who_and_when(folder: Path) -> None:
    with FactStore(folder) as store:
        made = store.remember("The mast is 80 m high", source="https://example.org/mast", tags=["Mast", "#units"])
        text = (folder / f"{made.fact.id}.md").read_text()
        assert made.new and "source: https://example.org/mast" in text and "tags: [mast, units]" in text
        assert text.endswith("---\nThe mast is 80 m high\n") and "status: active" in text and made.fact.date in text
        assert store.get(made.fact.id) == made.fact and len(store) == 1


@pytest.mark.parametrize("again", ["The mast is  80 m high ", "The mast\nis 80 m high", "The mast is 80 m high\r\n"])
def test_the_same_text_is_the_same_fact(folder: Path, again: str) -> None:
    with FactStore(folder) as store:
        first = store.remember("The mast is 80 m high")
        second = store.remember(again, source="agent:x run:1")
        assert (second.new, second.fact) == (False, first.fact) and len(list(folder.glob("*.md"))) == 1


def test_a_contradiction_is_told_and_nothing_is_lost(folder: Path) -> None:
    with FactStore(folder) as store:
        old = store.remember("The mast at station 7 is 80 m high").fact
        new = store.remember("The mast at station 7 is 85 m high")
        assert new.near == (old,) and "80 m" in str(new) and len(store) == 2
        put = store.supersede(old.id, "The mast at station 7 was shortened to 60 m")
        assert put.superseded == old and put.fact.supersedes == old.id
        assert store.get(old.id).status == "superseded" and store.get(old.id).superseded_by == put.fact.id
        assert [fact.id for fact in store.history(old.id)] == [old.id, put.fact.id] == [
            fact.id for fact in store.history(put.fact.id)
        ]  # fmt: skip
        assert old.text not in texts(store, "How high is the mast at station 7?")
        with pytest.raises(FactError, match="superseded already by"):
            store.supersede(old.id, "Something else")
        assert store.remember(put.fact.text, supersedes=old.id).fact == put.fact, "the same again comes out the same"


def test_a_kill_between_the_two_files_leaves_one_in_force(folder: Path) -> None:
    with FactStore(folder) as store:
        old = store.remember("Tea is at four").fact
        before = (folder / f"{old.id}.md").read_bytes()
        store.supersede(old.id, "Tea is at five")
        (folder / f"{old.id}.md").write_bytes(before)  # the second file was never written
        assert texts(store, "When is tea?") == ["Tea is at five"]
    with FactStore(folder) as store:
        assert texts(store, "When is tea?") == ["Tea is at five"] and store.get(old.id).status == "superseded"


def _supersede_again_and_again(folder: Path, said: Any) -> None:
    with FactStore(folder) as store:
        last = store.remember("The counter of pump 0 stands at 0").fact
        for number in range(1, 100_000):
            last = store.supersede(last.id, f"The counter of pump {number % 7} stands at {number}").fact
            said.send(last.id)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_kill_in_the_middle_of_writing_loses_and_tears_nothing(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    last = ""
    for round_ in range(4):
        ours, theirs = context.Pipe(duplex=False)
        writer = context.Process(target=_supersede_again_and_again, args=(folder, theirs))
        writer.start()
        theirs.close()
        last = ours.recv()
        until = time.monotonic() + 0.05 + 0.03 * round_
        while time.monotonic() < until:
            if ours.poll(0.001):
                last = ours.recv()
        writer.kill()
        writer.join(30)
        with contextlib.suppress(EOFError):
            while ours.poll():
                last = ours.recv()
        with FactStore(folder) as store:
            assert store.problems == {} and store.get(last).text.startswith("The counter of pump")
            active = store.all()
            assert len(active) <= round_ + 1, "of a line of facts one is in force"
            line = store.history(last)
            assert line[-1] in active and all(fact.status == "superseded" for fact in line[:-1])
            assert store.recall("the counter of the pump")[0].fact in active
            assert store.remember("Another kernel goes on").fact.status == "active"
            store.forget(store.remember("Another kernel goes on").fact.id)


def test_what_was_forgotten_is_kept_and_not_recalled(folder: Path) -> None:
    with FactStore(folder) as store:
        fact = store.remember("The key is under the mat").fact
        store.forget(fact.id)
        assert texts(store, "Where is the key?") == [] and len(store) == 0
        assert store.get(fact.id).status == "forgotten" and [row["status"] for row in store.rows()] == ["forgotten"]
        again = store.remember("The key is under the mat")
        assert again.new and again.fact.id == f"{fact.id}-2", "it was said anew"


def test_files_that_a_person_writes_edits_and_deletes_are_seen(folder: Path) -> None:
    with FactStore(folder) as store:
        fact = store.remember("The gate opens at 7").fact
        assert texts(store, "When does the gate open?")
        path = folder / f"{fact.id}.md"
        path.write_bytes(path.read_bytes().replace(b"at 7", b"at 9").replace(b"\n", b"\r\n"))
        assert texts(store, "When does the gate open?") == ["The gate opens at 9"], "the file, not the index"
        (folder / "by-hand.md").write_text("---\n---\nThe ferry runs on Sundays\n")
        assert texts(store, "Does the ferry run on Sunday?") == ["The ferry runs on Sundays"]
        assert store.get("by-hand").source == "unknown"
        path.unlink()
        assert texts(store, "When does the gate open?") == []
        (folder / "broken.md").write_text("---\nstatus: [\n---\nx\n")
        (folder / "odd.md").write_text("---\ntags: [a]\nstatus: true\n---\nx\n")
        assert set(store.problems) == {"broken.md", "odd.md"} and "broken.md:" in store.problems["broken.md"]
        with pytest.raises(FactFileError, match=r"broken\.md"):
            store.get("broken")
        assert texts(store, "Does the ferry run on Sunday?") == ["The ferry runs on Sundays"], "the rest still works"
        assert store.remember("The bridge is closed").new and len(store) == 2
        assert store.problems["odd.md"] == "odd.md:3: status must be text, got True. Put it in quotes."


def test_the_index_is_made_again_from_the_files(folder: Path) -> None:
    with FactStore(folder) as store:
        for number in range(30):
            store.remember(f"Buoy {number} drifts north by {number * 3} knots")
        rows = store.rows()
    (folder / ".llmos" / "state.db").unlink()
    for name in ("state.db-wal", "state.db-shm"):
        (folder / ".llmos" / name).unlink(missing_ok=True)
    with FactStore(folder) as store:
        assert store.rows() == rows
        assert texts(store, "How fast is buoy 17?")[0].startswith("Buoy 17 ")


@pytest.mark.parametrize(
    "text", ["", "  \n", "a\0b", "bell \x07", "x" * 4001, "half \ud83d", 5, None, "\x1b[31mred"]
)  # fmt: skip
def test_what_is_no_fact_is_refused(folder: Path, text: object) -> None:
    with FactStore(folder) as store:
        with pytest.raises(FactError):
            store.remember(text)  # type: ignore[arg-type]
        assert not list(folder.glob("*.md"))


@pytest.mark.parametrize("id", ["nothing", "../../etc/passwd", "", "a/b", "x\ny"])
def test_an_id_that_is_none(folder: Path, id: str) -> None:
    with FactStore(folder) as store, pytest.raises(UnknownFact):
        store.get(id)


@pytest.mark.parametrize(
    "text", ["schöne Grüße aus Zürich", "数据在表里", "a --- b\n---\nc: d", "# heading\n\n- [ ] x", "'\"\\n"]
)
def test_any_text_comes_back(folder: Path, text: str) -> None:
    with FactStore(folder) as store:
        fact = store.remember(text).fact
    with FactStore(folder) as store:
        assert store.get(fact.id) == fact and fact.text == text


def test_unknown_keys_are_kept_and_attacks_are_refused() -> None:
    text = "---\nid: a\ndate: 2026-11-22T00:00:00Z\nsource: person\nstatus: active\nmood: good\n---\nx\n"
    assert dump(parse(text, "a.md")) == text
    bomb = "---\na: &a [x,x]\nb: [*a,*a]\n---\nx\n"
    for bad in (
        bomb,
        f"---\na: {'[' * 500}\n---\nx\n",
        "no front matter",
        "---\nid: b\n---\nx\n",
        "---\nsupersedes: a\n---\nx\n",
        "---\nid: a\n",
        "---\n---\n",
    ):
        with pytest.raises(FactFileError, match=r"a\.md:\d"):
            parse(bad, "a.md")


def _remember(folder: Path, worker: int) -> None:
    with FactStore(folder) as store:
        for number in range(20):
            store.remember(f"Shared fact number {number}")
            store.remember(f"Fact {number} of worker {worker}")


def test_two_kernels_write_at_once(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_remember, args=(folder, number)) for number in range(2)]
    with FactStore(folder) as store:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [worker.exitcode for worker in workers] == [0, 0]
        found = [fact.text for fact in store.all()]
        assert len(found) == len(set(found)) == 60, "what both said is there once, and nothing is lost"
        assert texts(store, "Fact 3 of worker 1")[0] == "Fact 3 of worker 1"


def test_facts_of_a_project_stay_there(folder: Path) -> None:
    with FactStore(folder) as store:
        store.remember("The boiler room is locked", project="house")
        store.remember("The boiler room is open", project="ship")
        store.remember("The boiler room is warm")
        assert len(store.recall("boiler room")) == 3
        assert {o.fact.text for o in store.recall("boiler room", project="ship")} == {
            "The boiler room is open", "The boiler room is warm",
        }  # fmt: skip


@pytest.mark.parametrize(("facts", "goals"), [(FACTS, GOALS), (OTHER_FACTS, OTHER_GOALS)], ids=["own", "unseen"])
def test_goals_get_the_facts_that_bear_on_them_and_no_others(
    folder: Path, facts: dict[str, str], goals: list[tuple[str, set[str], set[str]]]
) -> None:
    """Found: the share of facts that bear on a goal; false: facts given for nothing, a goal."""
    names = {text: name for name, text in facts.items()}
    with FactStore(folder) as store:
        for text in facts.values():
            store.remember(text)
        missed, false = [], []
        for goal, wanted, allowed in [*goals, *((goal, set(), set()) for goal in UNRELATED)]:
            given = {names[one.fact.text] for one in store.recall(goal, 50, least=RELEVANT)}
            missed += [(goal, name) for name in wanted - given]
            false += [(goal, name) for name in given - wanted - allowed - {BEARS_TOO.get(goal)}]
    wanted_all = sum(len(wanted) for _, wanted, _ in goals)
    asked = len(goals) + len(UNRELATED)
    print(f"found {wanted_all - len(missed)} of {wanted_all}; {len(false)} for nothing in {asked} goals")
    assert len(missed) <= wanted_all // 10, missed
    assert len(false) <= 1, false


def test_a_score_does_not_depend_on_other_facts(folder: Path) -> None:
    goal = "What is the mean temperature in stations.csv?"
    with FactStore(folder) as store:
        store.remember(FACTS["marker"])
        alone = store.recall(goal)[0].score
        for text in FACTS.values():
            store.remember(text)
        assert store.recall(goal)[0].score == pytest.approx(alone, abs=1e-6)


def test_a_fact_about_another_file_does_not_count_for_this_one(folder: Path) -> None:
    with FactStore(folder) as store:
        store.remember("stations_a.csv writes -999 where nothing was measured")
        assert store.recall("Mean temperature in stations_a.csv")[0].score >= RELEVANT
        assert store.recall("Mean temperature in stations_b.csv")[0].score < RELEVANT


def test_the_reason_names_the_words(folder: Path) -> None:
    with FactStore(folder) as store:
        store.remember("The wind is measured in knots")
        assert "both say wind" in store.recall("How strong is the wind?")[0].reason
        assert store.recall("") == store.recall("   ") == [] and store.recall("wind", 0) == []


def test_a_fact_is_plain_data() -> None:
    assert Fact("x").by_person and not Fact("x", source="agent:a run:b").by_person


def test_a_fact_is_in_force_whenever_another_kernel_supersedes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FactStore(tmp_path / "facts") as ours, FactStore(tmp_path / "facts") as theirs:
        first, listed, real = ours.remember("The mast is 1 m high").fact, [], os.scandir

        def scandir(folder: object) -> object:
            found = list(real(folder))  # type: ignore[call-overload]
            if not listed:  # between the list of the files and a look at each
                listed.append(folder)
                theirs.supersede(first.id, "The mast is 2 m high")
            return contextlib.nullcontext(iter(found))

        monkeypatch.setattr("llmos_nb.memory.facts.files.os.scandir", scandir)
        assert [fact.text for fact in ours.all()] == ["The mast is 2 m high"]
        (tmp_path / "facts" / f"{ours.all()[0].id}.md").unlink()
        assert ours.all() == [] and ours.all() == [], "a file that was deleted is not waited for"
