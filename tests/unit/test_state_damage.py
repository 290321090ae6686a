"""A state database with damaged pages, and a clock that jumps: told, rebuilt or refused, never a wrong replay or budget."""

from __future__ import annotations

import random
import shutil
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from llmos_nb.errors import LlmosError
from llmos_nb.kernel.budget import ModelCall, TokenEconomy
from llmos_nb.kernel.state import open_state
from llmos_nb.memory import Step, Trace, TraceStore

CODE = "n = {}\nprint('{}')\n" + "# a comment that fills the page\n" * 20


def workspace(folder: Path) -> dict[str, str]:
    """Some traces, a ledger; the code of each goal."""
    engine = open_state(folder / "state.db")
    goals = {}
    with TraceStore(folder / "traces", state=engine) as store:
        for number in range(12):
            goal, code = f"Count the sheep of farm {number}", CODE.format(number, number)
            store.add(Trace(goal=goal, steps=[Step("run_cell", {"code": code})], status="success"))
            goals[goal] = code
    economy = TokenEconomy(engine=engine)
    for number in range(30):
        economy.deduct(0.01, f"row {number}", run_id=f"r{number}")
    engine.dispose()
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return goals


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, workspace(folder)


@pytest.mark.parametrize("seed", range(6))
def test_damaged_pages_are_told_or_mended_and_never_replayed(
    tmp_path: Path, whole: tuple[Path, dict[str, str]], seed: int
) -> None:
    folder, goals = whole
    for name in ("state.db", "state.ledger.jsonl"):
        shutil.copy2(folder / name, tmp_path / name)
    chance = random.Random(seed)
    path = folder / "state.db"
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 3, 10))):
        page = chance.randrange(len(data) // 4096) * 4096
        for at in range(page, page + 4096) if chance.random() < 0.5 else [page + chance.randrange(4096)]:
            data[at] = chance.randrange(256)
    path.write_bytes(data)
    told: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for attempt in (1, 2):
            try:
                engine = open_state(path)
                with TraceStore(folder / "traces", state=engine) as store:
                    for goal, code in goals.items():
                        match = store.match(goal)
                        assert match.verdict != "replay" or [s.arguments for s in match.steps or ()] == [
                            {"code": code}
                        ]
                TokenEconomy(engine=engine).deduct(0.01, "after")
                engine.dispose()
                break
            except LlmosError as error:
                assert error.remedy and "Traceback" not in str(error)
                told.append(error.message)
                assert attempt == 1
                for suffix in ("", "-wal", "-shm"):  # what the remedy says
                    Path(f"{path}{suffix}").unlink(missing_ok=True)
        economy = TokenEconomy(engine=open_state(path))
        if told:
            assert [row["description"] for row in reversed(economy.ledger())][:30] == [f"row {n}" for n in range(30)]
        economy._engine.dispose()
    for name in [entry.name for entry in folder.iterdir() if entry.name.startswith("state.")]:
        (folder / name).unlink()
    for name in ("state.db", "state.ledger.jsonl"):
        shutil.copy2(tmp_path / name, folder / name)


# -- the clock


def test_a_clock_that_jumps_widens_no_limit_and_loses_no_order(tmp_path: Path) -> None:
    now = [1_763_971_200.0]
    economy = TokenEconomy(engine=open_state(tmp_path / "state.db"), session_id="s", clock=lambda: now[0])
    economy.set_limit("day", 1.0)
    for number, jump in enumerate((0.0, -7_200.0, 3 * 86_400.0, -3 * 86_400.0, 60.0)):
        now[0] += jump
        with economy.reserve(0.1, "x", run_id=str(number)) as held:
            held.charge(ModelCall(model="m", cost_usd=0.1))
    assert [row["run_id"] for row in economy.ledger()] == ["4", "3", "2", "1", "0"]
    assert economy.spent_usd() == economy.spent_usd("session") == 0.5
    assert economy.spent_usd("day") == 0.5  # what was booked under a date to come counts until it has been
    now[0] += 86_400
    assert economy.spent_usd("day") == 0.1


def test_traces_made_while_the_clock_jumps_are_all_kept(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        for year in (2026, 2019, 2031, 2026):
            for number in range(3):
                created = f"{year}-11-22T07:41:03Z"
                step = Step("run_cell", {"code": f"{number}"})
                store.add(Trace(goal=f"Count to {number}", steps=[step], status="success", created_at=created))
        assert len(store) == 12 and not store.problems
        assert store.match("Count to 2").verdict == "replay"
