"""Every store of a workspace as an operation that is done again and again, and how what it left is read back.

``work(workspace, number)`` does the operation with the numbers from ``number`` on and yields each one once its call has
returned: then it is acknowledged. ``read(workspace)`` opens the store anew and says which numbers are there, each as often
as it is. Where the operation rewrites one file (``rewrites``) that is a single number: the old or the new one.
Anything that is torn, half or unreadable raises.
"""

from __future__ import annotations

import datetime
import itertools
import json
import os
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmos_nb.crystals.status import Off, StatusFolder
from llmos_nb.dispatch.orchestrator import Node, Plan
from llmos_nb.dispatch.orchestrator.state import PlanState, load_state, save_state
from llmos_nb.errors import StoreError
from llmos_nb.kernel.budget import ModelCall, TokenEconomy
from llmos_nb.kernel.events import RunEnded, RunStarted
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.schedule import shelf as shelf_module
from llmos_nb.kernel.schedule.shelf import JobShelf
from llmos_nb.kernel.schedule.timing import Timing
from llmos_nb.kernel.state import open_state
from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.memory.codec import parse
from llmos_nb.memory.facts import FactStore
from llmos_nb.memory.session import SessionLog, read_events
from llmos_nb.mind import AgentRegistry
from llmos_nb.mind.agent_file import read_agent
from llmos_nb.projects.history import PastRun, add_line, read_lines
from llmos_nb.projects.variables import keep_variables, read_variables
from llmos_nb.teaching.progress import keep, progress_of

__all__ = ["OPERATIONS", "Operation"]

#: Long enough that a torn file shows.
FILLER = "The quick brown fox jumps over the lazy dog. " * 200
#: Whether one kernel made every change and none can have failed, so that an agent's history is in order, without gaps.
EVERY_VERSION = True
FIRST = Path(__file__).parents[1] / "sets" / "state_first.sql"


@dataclass(frozen=True)
class Operation:
    """One kind of write."""

    name: str
    work: Callable[[Path, int], Iterator[int]]
    read: Callable[[Path], list[int]]
    prepare: Callable[[Path], None] = lambda workspace: None
    rewrites: bool = False
    #: Whether it is promised to outlast a power cut, too, and not only a kill.
    synced: bool = True


def _traces(workspace: Path) -> TraceStore:
    return TraceStore(workspace / "memory" / "traces", state=open_state(workspace / ".llmos" / "state.db"))


def _trace(number: int) -> Trace:
    steps = [Step("run_cell", {"code": f"n = {number}\nprint(n)"}, output=f"{number}\n")]
    return Trace(goal=f"Count to {number}", steps=steps, status="success", answer=f"{number} {FILLER}")


def add_trace(workspace: Path, number: int) -> Iterator[int]:
    with _traces(workspace) as store:
        for n in itertools.count(number):
            store.add(_trace(n))
            yield n


def read_traces(workspace: Path) -> list[int]:
    found = []
    with _traces(workspace) as store:
        assert not store.problems, store.problems
        indexed = {row["id"] for row in store.rows()}
        for path in store.folder.glob("*/*.md"):
            trace = parse(path.read_text(), path)
            assert trace.id in indexed, f"{path} is not in the index"
            number = int(trace.goal.rpartition(" ")[2])
            assert trace == replace(_trace(number), id=trace.id, created_at=trace.created_at), path
            found.append(number)
        if found:
            assert store.match(f"Count to {found[-1]}").verdict == "replay"
    return found


THE_TRACE = "20261122-074103-count-3f2a"


def make_the_trace(workspace: Path) -> None:
    with _traces(workspace) as store:
        store.add(replace(_trace(0), id=THE_TRACE, created_at="2026-11-22T07:41:03Z"))


def replace_trace(workspace: Path, number: int) -> Iterator[int]:
    with _traces(workspace) as store:
        for n in itertools.count(number):
            store.replace(replace(store.get(THE_TRACE), answer=f"{n} {FILLER}"))
            yield n


def read_the_trace(workspace: Path) -> list[int]:
    with _traces(workspace) as store:
        trace = store.get(THE_TRACE)
        assert trace.answer.endswith(FILLER.rstrip("\n")), "torn"
        return [int(trace.answer.split()[0])]


def use_trace(workspace: Path, number: int) -> Iterator[int]:
    with _traces(workspace) as store:
        for n in itertools.count(number):
            store.record_use(THE_TRACE, True)
            yield n


def read_uses(workspace: Path) -> list[int]:
    with _traces(workspace) as store:
        return [store.uses(THE_TRACE).uses]


def _facts(workspace: Path) -> FactStore:
    return FactStore(workspace / "memory" / "facts", state=open_state(workspace / ".llmos" / "state.db"))


def remember(workspace: Path, number: int) -> Iterator[int]:
    with _facts(workspace) as facts:
        for n in itertools.count(number):
            facts.remember(f"Mast {n} is {n} m high")
            yield n


def read_facts(workspace: Path) -> list[int]:
    with _facts(workspace) as facts:
        assert not facts.problems, facts.problems
        return [int(fact.text.split()[1]) for fact in facts.all(every=True)]


def supersede(workspace: Path, number: int) -> Iterator[int]:
    with _facts(workspace) as facts:
        for n in itertools.count(number):
            [old] = facts.all()
            facts.supersede(old.id, f"The mast is {n} m high")
            yield n


def make_a_fact(workspace: Path) -> None:
    with _facts(workspace) as facts:
        facts.remember("The mast is 0 m high")


def read_the_fact(workspace: Path) -> list[int]:
    with _facts(workspace) as facts:
        assert not facts.problems, facts.problems
        [holds] = facts.all()  # one is in force, whenever the kill came
        return [int(holds.text.split()[3])]


def _agents(workspace: Path) -> AgentRegistry:
    return AgentRegistry(workspace / "agents")


def create_agent(workspace: Path, number: int) -> Iterator[int]:
    agents = _agents(workspace)
    for n in itertools.count(number):
        agents.create(f"poet-{n}", f"Poet {n}", ["recall"], f"{n} {FILLER}")
        yield n


def read_agents(workspace: Path) -> list[int]:
    agents = _agents(workspace)
    agents.list()
    assert not agents.errors, agents.errors
    found = []
    for path in (workspace / "agents").glob("poet-*.md"):
        agent = read_agent(path)
        assert agent.prompt.endswith(FILLER.strip()), f"{path} is torn"
        found.append(int(agent.name.rpartition("-")[2]))
    return found


def change_agent(workspace: Path, number: int) -> Iterator[int]:
    agents = _agents(workspace)
    for n in itertools.count(number):
        agents.modify("poet-0", "prompt", f"{n} {FILLER}")
        yield n


def make_an_agent(workspace: Path) -> None:
    _agents(workspace).create("poet-0", "Poet", ["recall"], f"0 {FILLER}")


def read_the_agent(workspace: Path) -> list[int]:
    agents = _agents(workspace)
    agent = agents.get("poet-0")
    assert not agents.errors and agent.prompt.endswith(FILLER.strip()), "torn"
    number = int(agent.prompt.split()[0])
    agents.note(["poet-0"])
    versions = agents._history.versions("poet-0")
    assert not agents._history.problem, agents._history.problem
    texts = [agents._history.text("poet-0", version.number) for version in versions]
    assert texts[-1] == (workspace / "agents" / "poet-0.md").read_bytes(), "the history lacks the newest version"
    kept = [int(text.split(b"---\n", 2)[2].split()[0]) for text in texts]
    assert not EVERY_VERSION or kept == sorted(kept), f"the history is out of order: {kept[-5:]}"
    assert not EVERY_VERSION or set(range(number + 1)) <= set(kept), f"the history lacks versions: {kept[-5:]}"
    return [number]


def _economy(workspace: Path) -> TokenEconomy:
    return TokenEconomy(budget_usd=None, engine=open_state(workspace / ".llmos" / "state.db"), session_id="s")


def charge(workspace: Path, number: int) -> Iterator[int]:
    economy = _economy(workspace)
    for n in itertools.count(number):
        with economy.reserve(0.5, "x", run_id=str(n)) as held:
            held.begin(ModelCall(model="m", cost_usd=0.001))
            held.charge(ModelCall(model="m", cost_usd=0.002))
            yield n


def read_charges(workspace: Path) -> list[int]:
    economy = _economy(workspace)
    rows = economy.ledger()
    assert economy.reserved_usd == 0, "a dead kernel still holds money"
    copy = (workspace / ".llmos" / "state.ledger.jsonl").read_text().splitlines()[1:] if rows else []
    assert [json.loads(line)["id"] for line in copy] == [row["id"] for row in reversed(rows)], "the copy differs"
    return [int(row["run_id"]) for row in rows]


def begin_call(workspace: Path, number: int) -> Iterator[int]:
    """A call is acknowledged once it is known to have begun: from then on it is in the ledger once, booked or cut off."""
    economy = _economy(workspace)
    for n in itertools.count(number):
        with economy.reserve(0.5, "x", run_id=str(n)) as held:
            held.begin(ModelCall(model="m", cost_usd=0.001))
            if held.exceeded:
                raise StoreError("The call could not be noted.", remedy="See why.")
            try:
                yield n
            finally:
                held.charge(ModelCall(model="m", cost_usd=0.002))


def deduct(workspace: Path, number: int) -> Iterator[int]:
    economy = _economy(workspace)
    for n in itertools.count(number):
        economy.deduct(0.001, "x", run_id=str(n))
        yield n


def set_limit(workspace: Path, number: int) -> Iterator[int]:
    economy = _economy(workspace)
    for n in itertools.count(number):
        economy.set_limit("day", float(n))
        yield n


def read_limit(workspace: Path) -> list[int]:
    return [int(_economy(workspace).limits.day_usd or 0)]


def log_run(workspace: Path, number: int) -> Iterator[int]:
    log = SessionLog(workspace / "memory" / "sessions")
    for n in itertools.count(number):
        log(RunStarted(run_id=str(n), goal=f"goal {n} {FILLER}", agent="coder", endpoint="scripted"))
        log(
            RunEnded(
                run_id=str(n), status="success", mode="learner", reason="", text="", cost_usd=0.0, saved_usd=0.0,
                duration_s=1.0,
            )
        )  # fmt: skip
        yield n


def read_sessions(workspace: Path) -> list[int]:
    events = list(read_events(workspace / "memory" / "sessions"))
    return [int(event["run_id"]) for event in events if event["event"] == "RunEnded"]


def add_history(workspace: Path, number: int) -> Iterator[int]:
    for n in itertools.count(number):
        add_line(
            workspace / "projects" / "p" / "state" / "history.md",
            PastRun("t", "success", "learner", "-", str(n), "g"),
        )
        yield n


def read_history(workspace: Path) -> list[int]:
    return [int(run.run_id) for run in read_lines(workspace / "projects" / "p" / "state" / "history.md")]


def keep_values(workspace: Path, number: int) -> Iterator[int]:
    for n in itertools.count(number):
        keep_variables(workspace / "projects" / "p" / "state" / "variables.json", {"n": n, "t": FILLER}, ["n", "t"])
        yield n


def read_values(workspace: Path) -> list[int]:
    kept = read_variables(workspace / "projects" / "p" / "state" / "variables.json")
    assert not kept or kept["t"]["value"] == FILLER
    return [kept["n"]["value"] if kept else 0]


def _shelf(workspace: Path) -> JobShelf:
    return JobShelf(
        workspace / "schedule", workspace / ".llmos" / "schedule", lambda: datetime.datetime.now(datetime.UTC)
    )


def schedule(workspace: Path, number: int) -> Iterator[int]:
    shelf = _shelf(workspace)
    shelf_module.COUNT_LIMIT = 1_000_000
    for n in itertools.count(number):
        shelf.add(shelf.make(f"goal {n}", Timing(zone="UTC", cron="0 7 * * *"), name=f"job-{n}"))
        yield n


def read_schedule(workspace: Path) -> list[int]:
    shelf_module.COUNT_LIMIT = 1_000_000
    shelf = _shelf(workspace)
    jobs, problems = shelf.load()
    assert not problems, problems
    return [int(name.rpartition("-")[2]) for name in jobs]


def save_plan(workspace: Path, number: int) -> Iterator[int]:
    plan = Plan("g", (Node("a", f"do {FILLER}"),))
    for n in itertools.count(number):
        save_state(workspace / ".llmos" / "plans", PlanState(run_id="r", plan=plan, agent="coder", cwd=str(n)))
        yield n


def read_plan(workspace: Path) -> list[int]:
    if not (workspace / ".llmos" / "plans" / "r.json").exists():
        return [0]
    return [int(load_state(workspace / ".llmos" / "plans", "r").cwd)]


def turn_off(workspace: Path, number: int) -> Iterator[int]:
    status = StatusFolder(workspace / ".llmos" / "crystals")
    for n in itertools.count(number):
        status.write_off("ghz", Off("person", f"{n} {FILLER}", "d"))
        yield n


def read_off(workspace: Path) -> list[int]:
    off = StatusFolder(workspace / ".llmos" / "crystals").off("ghz")
    assert off is None or off.reason.endswith(FILLER), "torn"
    return [int(off.reason.split()[0]) if off is not None else 0]


def try_exercise(workspace: Path, number: int) -> Iterator[int]:
    for n in itertools.count(number):
        keep(workspace, "lesson", str(n), True, FILLER)
        yield n


def read_exercises(workspace: Path) -> list[int]:
    return [int(one.exercise) for one in progress_of(workspace)[0] for _ in range(one.tries)]


def write_file(workspace: Path, number: int) -> Iterator[int]:
    for n in itertools.count(number):
        atomic_write(workspace / "report.txt", f"{n} {FILLER * 40}".encode())
        yield n


def read_file(workspace: Path) -> list[int]:
    if not (workspace / "report.txt").exists():
        return [0]
    text = (workspace / "report.txt").read_text()
    assert text.endswith(FILLER), "torn"
    return [int(text.split()[0])]


def migrate(workspace: Path, number: int) -> Iterator[int]:
    """Old databases are opened, one after another; each has the four rows it had before, whenever the kill comes."""
    for n in itertools.count(number):
        path = workspace / f"db-{n}" / ".llmos" / "state.db"
        path.parent.mkdir(parents=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + FIRST.read_text())
        for name in (path.parent, path.parent.parent, workspace):
            descriptor = os.open(name, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        (path.parent / "whole").touch()
        open_state(path).dispose()
        yield n


def read_migrated(workspace: Path) -> list[int]:
    found = []
    for folder in workspace.glob("db-*"):
        number = int(folder.name.rpartition("-")[2])
        if (folder / ".llmos" / "whole").exists():
            economy = TokenEconomy(engine=open_state(folder / ".llmos" / "state.db"))
            assert len(economy.ledger()) == 4 and economy.limits.day_usd == 2.5, folder
            economy._engine.dispose()
            found.append(number)
        else:
            found.append(number)  # the kill came before it was made
    return found


def restore(workspace: Path, number: int) -> Iterator[int]:
    """The database is deleted and made again from its copy; rows are added after."""
    for n in itertools.count(number):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            economy = _economy(workspace)
        economy.deduct(0.001, "x", run_id=str(n))
        economy._engine.dispose()
        yield n
        for suffix in ("-wal", "-shm", ""):
            (workspace / ".llmos" / f"state.db{suffix}").unlink(missing_ok=True)


OPERATIONS: dict[str, Operation] = {
    one.name: one
    for one in (
        Operation("trace added", add_trace, read_traces),
        Operation("trace rewritten", replace_trace, read_the_trace, make_the_trace, rewrites=True),
        Operation("use counted", use_trace, read_uses, make_the_trace, rewrites=True, synced=False),
        Operation("fact remembered", remember, read_facts),
        Operation("fact superseded", supersede, read_the_fact, make_a_fact, rewrites=True),
        Operation("agent created", create_agent, read_agents),
        Operation("agent changed", change_agent, read_the_agent, make_an_agent, rewrites=True),
        Operation("model call booked", charge, read_charges),
        Operation("model call begun", begin_call, read_charges),
        Operation("money deducted", deduct, read_charges),
        Operation("limit set", set_limit, read_limit, rewrites=True),
        Operation("session logged", log_run, read_sessions),
        Operation("project's run noted", add_history, read_history),
        Operation("project's variables", keep_values, read_values, rewrites=True),
        Operation("job scheduled", schedule, read_schedule),
        Operation("plan saved", save_plan, read_plan, rewrites=True),
        Operation("crystal turned off", turn_off, read_off, rewrites=True),
        Operation("exercise noted", try_exercise, read_exercises),
        Operation("file written", write_file, read_file, rewrites=True),
        Operation("database migrated", migrate, read_migrated),
        Operation("ledger restored", restore, read_charges),
    )
}

if __name__ == "__main__":  # one operation, a number of times: what is traced
    name, place, count = sys.argv[1:]
    done: Iterator[Any] = OPERATIONS[name].work(Path(place), 1)
    for number in itertools.islice(done, int(count)):
        os.write(1, f"ACK {number}\n".encode())
