"""Goals in the background: begun in turn, stopped, never lost, their results bound without taking anything away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmos_nb import LLMOS
from llmos_nb.dispatch.background import KEPT, BackgroundRuns
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Goal
from llmos_nb.errors import BackgroundError, EmptyGoal, SettingsError, StoreError, UnknownBackgroundRun
from llmos_nb.mind import Agent
from llmos_nb.tools.aside import AsideNamespace
from llmos_nb.tools.namespace import Output, PlainNamespace

AGENT = Agent(name="generalist", description="", tools=(), prompt="")


def goal(text: str) -> Goal:
    return Goal(
        run_id=f"run-{text}", text=text, mode="auto", agent=AGENT, agent_asked=False, model=None, budget_usd=0.1,
        cwd=Path.cwd(), background=True,
    )  # fmt: skip


def result(text: str, status: str = "success", reason: str = "done", **facts: Any) -> RunResult:
    return RunResult(run_id=f"run-{text}", goal=text, status=status, mode="learner", text="", reason=reason, **facts)


class Works:
    """Stands for the dispatcher: every goal works until it is let go or stopped."""

    def __init__(self, limit: int = 2) -> None:
        self.names: dict[str, Any] = {}
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Future[RunResult]] = {}
        self.runs = BackgroundRuns(self.execute, self.stop, lambda _: None, lambda: limit, lambda: self.names)

    async def execute(self, goal: Goal) -> RunResult:
        self.begun.append(goal.text)
        self.ends[goal.run_id] = asyncio.get_running_loop().create_future()
        return await self.ends[goal.run_id]

    def stop(self, run_id: str) -> None:
        end = self.ends[run_id]
        if not end.done():
            end.set_result(result(run_id[4:], "stopped", "stopped by a person"))

    async def end(self, text: str, **facts: Any) -> None:
        await settle(lambda: f"run-{text}" in self.ends)
        self.ends[f"run-{text}"].set_result(result(text, **facts))


def test_a_run_that_is_ended_from_elsewhere_is_stopping() -> None:
    class Work:
        ending, mode, spent_usd = "", "learner", 0.0

    async def work() -> list[str]:
        works, work = Works(), Work()
        works.runs.at_work = lambda _: work  # type: ignore[assignment,return-value]
        run = works.runs.start(goal("one"))
        await settle(lambda: run.started_at)
        seen = [run.status]
        work.ending = "timed_out"
        seen.append(run.status)
        await works.end("one", status="timed_out")
        return [*seen, (await run).status]

    assert asyncio.run(work()) == ["running", "stopping", "timed_out"]


async def settle(condition: Callable[[], object] = lambda: False) -> None:
    for _ in range(20):
        if condition():
            return
        await asyncio.sleep(0)


async def test_as_many_as_the_limit_work_and_the_others_begin_in_their_order() -> None:
    works = Works(limit=2)
    runs = [works.runs.start(goal(text)) for text in "abcd"]
    await settle()
    assert [run.status for run in runs] == ["running", "running", "waiting", "waiting"]
    await works.end("b")
    await settle()
    assert works.begun == ["a", "b", "c"]
    for text in "acd":
        await works.end(text)
    assert [(await run).ok for run in runs] == [True] * 4
    assert [run.id for run in runs] == ["b1", "b2", "b3", "b4"] == [run.id for run in works.runs]


async def test_one_that_is_stopped_while_it_waits_never_begins() -> None:
    works = Works(limit=1)
    first, second, third = (works.runs.start(goal(text)) for text in "abc")
    await settle()
    assert works.runs.stop("b2") == ["b2"] and works.runs.stop("b2") == []
    assert (await second).reason == "stopped by a person before it began"
    assert not second.stop()
    assert works.runs.stop("run-a") == ["b1"], "the run's own id does as well"
    assert (await first).status == "stopped"
    await works.end("c")
    assert (await third).ok and works.begun == ["a", "c"]


async def test_stopping_at_once_stops_all_of_them() -> None:
    works = Works(limit=2)
    runs = [works.runs.start(goal(text)) for text in "abc"]
    assert works.runs.stop() == ["b1", "b2", "b3"]
    assert {(await run).status for run in runs} == {"stopped"}
    assert works.begun == []


async def test_stop_from_another_thread() -> None:
    works = Works()
    run = works.runs.start(goal("a"))
    await settle()
    stopped = asyncio.create_task(asyncio.to_thread(asyncio.run, _elsewhere(run)))
    assert (await run).status == "stopped"
    assert (await stopped) == "stopped", "who awaits it on another loop gets the result, too"


async def _elsewhere(run: Any) -> str:
    run._loop.call_soon_threadsafe(run.stop)
    return str((await run).status)


@pytest.mark.parametrize("error", [ValueError("no disk"), StoreError("no disk"), KeyboardInterrupt()])
async def test_what_goes_wrong_is_its_result_and_told(error: BaseException) -> None:
    works = Works()

    async def broken(goal: Goal) -> RunResult:
        raise error

    works.runs._execute = broken
    run = works.runs.start(goal("a"), "x")
    ended = await run
    assert ended.status == ("stopped" if isinstance(error, KeyboardInterrupt) else "failed")
    assert "no disk" in ended.reason or ended.reason == "interrupted"
    assert works.names == {"x": ended}
    assert works.runs.news() == [], "who awaited it knows"


async def test_news_tells_once_of_what_nobody_saw() -> None:
    works = Works()
    works.runs.start(goal("a"))
    await works.end("a", status="failed", reason="there is no such column")
    await settle()
    assert works.runs.news() == [
        "background run b1 ended in failed: there is no such column  (llmos.runs['b1'].result: a)"
    ]
    assert works.runs.news() == []


async def test_a_value_that_a_person_gave_meanwhile_is_not_overwritten() -> None:
    works = Works()
    works.names["x"] = 1
    run = works.runs.start(goal("a"), "x")
    await settle()
    works.names["x"] = 2
    await works.end("a")
    await run
    assert works.names == {"x": 2}
    assert works.runs.news() == ["x was given another value meanwhile: the result of b1 is llmos.runs['b1'].result"]


async def test_who_stops_waiting_leaves_it_at_work() -> None:
    works = Works()
    run = works.runs.start(goal("a"))
    waiting = asyncio.create_task(run.wait())
    await settle()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert run.status == "running"
    await works.end("a")
    assert (await run).ok


def test_the_end_of_its_loop_is_its_end() -> None:
    works = Works(limit=1)

    async def begin() -> list[Any]:
        runs = [works.runs.start(goal(text)) for text in "ab"]
        await settle()
        return runs

    first, second = asyncio.run(begin())
    assert (first.status, second.status) == ("stopped", "stopped")
    assert "interrupted" in first.result.reason
    assert works.runs.open == []


def test_without_a_loop_it_says_what_to_do(tmp_path: Path) -> None:
    with LLMOS(tmp_path / "workspace", endpoint="scripted") as system, pytest.raises(BackgroundError) as caught:
        system.start("Add 2 and 3")
    assert "llmos.run(goal)" in caught.value.remedy


async def test_what_cannot_be_begun_is_refused_at_once(tmp_path: Path) -> None:
    with LLMOS(tmp_path / "workspace", endpoint="scripted") as system:
        with pytest.raises(SettingsError):
            system.start("Add 2 and 3", out="not a name")
        with pytest.raises(EmptyGoal):
            system.start("  ")
        with pytest.raises(UnknownBackgroundRun, match="There is no background run 'b9'"):
            system.runs["b9"]
        assert len(system.runs) == 0 and str(system.runs).startswith("no background runs")
        assert list(system.runs.df.dtypes.astype(str))[4:6] == ["datetime64[ns, UTC]", "Float64"]


async def test_many_are_worked_on_and_the_oldest_are_forgotten() -> None:
    works = Works(limit=5)

    async def at_once(goal: Goal) -> RunResult:
        return result(goal.text)

    works.runs._execute = at_once
    runs = [works.runs.start(goal(str(n))) for n in range(1000)]
    assert [(await run).goal for run in runs] == [str(n) for n in range(1000)]
    assert len(works.runs) == KEPT and len(works.runs.df) == KEPT


async def test_it_is_shown_with_what_its_cells_showed() -> None:
    works = Works()
    run = works.runs.start(goal("<b>plot"))
    assert run._repr_mimebundle_()["text/plain"] == "llmos · background run b1 · waiting\n<b>plot"
    shown = (Output("stdout", {"text/plain": "3 < 4\n"}), Output("display", {"image/png": "aGk=", "text/plain": "f"}))
    await works.end("<b>plot", outputs=shown)
    await run
    page = run._repr_mimebundle_()
    assert "3 &lt; 4" in page["text/html"] and 'src="data:image/png;base64,aGk="' in page["text/html"]
    assert "3 < 4" in page["text/plain"] and "<b>" not in page["text/html"].replace("<b>llmos", "")


async def test_names_that_others_change_meanwhile_are_told() -> None:
    inner = PlainNamespace({"n": 1, "df": [1], "other": 0})
    aside = AsideNamespace(inner)
    await aside.run_cell("total = n + len(df)", show=True)
    inner.names |= {"df": [1, 2], "total": 99, "other": 5, "made": 1}
    await aside.run_cell("made = 2; n = n + 0", show=True)
    assert aside.clashes() == [
        "df was changed by others while this run worked with it",
        "total was changed by others while this run worked, which bound it, too: the other value stands",
        "made was changed by others while this run worked, which bound it, too: this run's value stands",
    ]


async def test_what_the_run_itself_writes_is_no_clash() -> None:
    inner = PlainNamespace({"n": 1})
    aside = AsideNamespace(inner)
    await aside.run_cell("n = 2; import json", show=True)
    aside.names["n"] = 1  # put back
    aside.names["answer_one"] = "words"
    del aside.names["n"]
    await aside.run_cell("print(answer_one)", show=True)
    inner.names["json"] = __import__("json")
    assert aside.clashes() == []
    assert [output.text for output in aside.kept] == ["words\n"]
