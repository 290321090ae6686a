"""Every bundled script, played through HTTP by a tiny client that really runs the code on a small table."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import shutil
import threading
import traceback
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.cortex.scripted import ScriptedServer, knows, load_scripts
from llmos_nb.dispatch.orchestrator.plan import plan_from
from llmos_nb.guard.undo import Undo
from llmos_nb.memory.facts import FactStore
from llmos_nb.mind import AgentRegistry
from llmos_nb.tools.cell import with_parameters
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.services import Services
from llmos_nb.tools.tool import ToolContext, ToolResult

COLUMNS = "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year"
ROWS = [
    "Adelie,Torgersen,39.1,18.7,181,3750,male,2007",
    "Adelie,Torgersen,NA,NA,NA,NA,NA,2007",
    "Adelie,Dream,36.7,19.3,193,3450,female,2007",
    "Gentoo,Biscoe,46.1,13.2,211,4500,female,2007",
    "Gentoo,Biscoe,50.0,16.3,230,5700,male,2008",
    "Gentoo,Biscoe,48.7,14.1,210,4450,NA,2009",
    "Chinstrap,Dream,46.5,17.9,192,3500,female,2007",
]
#: What plans hand on: notes on penguins, and what nodes made of them and of the table.
NOTES = Path(__file__).resolve().parents[2] / "notebooks" / "data" / "notes"
MASSES = {"Adelie": 3600.0, "Chinstrap": 3500.0, "Gentoo": 4883.3}


class Client:
    """Plays a goal to its end. Keeps the namespace between goals, as a notebook does."""

    def __init__(self, server: ScriptedServer, system: str = "") -> None:
        self.server = server
        self.system = system
        self.namespace: dict[str, Any] = {}
        self.results: list[tuple[str, bool]] = []
        self.usage: list[dict[str, int]] = []

    def run(self, goal: str, *, guided: bool = False) -> str:
        guidance = (
            [{"type": "text", "text": "<system-reminder><llmos-guidance/></system-reminder>"}] if guided else []
        )
        messages: list[dict[str, Any]] = [{"role": "user", "content": [*guidance, {"type": "text", "text": goal}]}]
        self.results.clear()
        while True:
            answer = self._ask(messages)
            self.usage.append(answer["usage"])
            if answer["stop_reason"] == "end_turn":
                return str(answer["content"][0]["text"])
            messages.append({"role": "assistant", "content": answer["content"]})
            calls = [block for block in answer["content"] if block["type"] == "tool_use"]
            if calls[0]["name"] == "StructuredOutput":  # the answer itself, in JSON
                return json.dumps(calls[0]["input"])
            messages.append({"role": "user", "content": [self._result(call) for call in calls]})

    def _ask(self, messages: list[dict[str, Any]]) -> Any:
        tools = [{"name": f"mcp__llmos__{name}"} for name in ("run_cell", "read_file", "write_file", *_REAL)]
        tools.append({"name": "StructuredOutput"})
        body = {"model": "m", "max_tokens": 9000, "tools": tools, "messages": messages, "system": self.system}
        headers = {"x-api-key": self.server.api_key, "content-type": "application/json"}
        request = urllib.request.Request(f"{self.server.url}/v1/messages", json.dumps(body).encode(), headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as response:
            return json.load(response)

    def _result(self, call: dict[str, Any]) -> dict[str, Any]:
        out, failed = io.StringIO(), False
        try:
            with contextlib.redirect_stdout(out):
                if (tool := call["name"].removeprefix("mcp__llmos__")) in _REAL:
                    print(_said(tool, call["input"]))
                elif call["name"].endswith("read_file"):
                    print(Path(call["input"]["path"]).read_text(encoding="utf-8"))
                elif call["name"].endswith("write_file"):
                    Path(call["input"]["path"]).write_text(call["input"]["content"], encoding="utf-8")
                else:
                    code = with_parameters(call["input"]["code"], call["input"].get("parameters", {}))
                    exec(compile(code, "<cell>", "exec"), self.namespace)
        except Exception:  # noqa: BLE001 - the cell may raise anything; the traceback is its result
            out.write(traceback.format_exc())
            failed = True
        self.results.append((out.getvalue(), failed))
        return {"type": "tool_result", "tool_use_id": call["id"], "content": out.getvalue(), "is_error": failed}


#: Tools that are called as they are.
_REAL = ("remember", "recall", "create_agent", "modify_agent", "list_agents", "reload_agent")


def _said(tool: str, arguments: dict[str, Any]) -> str:
    """What the real tool says, on facts and agents in the working folder."""
    with FactStore("facts") as facts:
        context = ToolContext(
            namespace=PlainNamespace(), workspace=Path.cwd(), cwd=Path.cwd(), undo=Undo(), stopping=threading.Event(),
            agent="maker", grant=frozenset(TOOLS), services=Services(facts=facts, agents=AgentRegistry("agents")),
        )  # fmt: skip
        return asyncio.run(_awaited(TOOLS[tool].run(context, arguments))).text


async def _awaited(work: Any) -> ToolResult:
    result: ToolResult = await work
    return result


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    import matplotlib

    matplotlib.use("Agg")
    (tmp_path / "penguins.csv").write_text("\n".join([COLUMNS, *ROWS]) + "\n")
    shutil.copytree(NOTES, tmp_path / "notes")
    (tmp_path / "found.md").write_text("\n".join(f"## {name}\n\nLives. Eats. (notes/)" for name in MASSES))
    (tmp_path / "table.csv").write_text("\n".join(f"{name},{mass}" for name, mass in MASSES.items()))
    monkeypatch.chdir(tmp_path)
    AgentRegistry("agents").create("haiku-poet", "Writes.", [], "You write haikus.")
    AgentRegistry("agents").create("reader", "Reads.", [], "You read.")
    return Client(server)


#: Goals, and what their answers must contain. Every bundled script is here.
GOALS: dict[str, tuple[str, list[str]]] = {
    "load-and-count": (
        "Load penguins.csv and count the rows",
        ["**7 rows**", "8 columns", "species, island", "In 2 of the rows"],
    ),
    "penguin-scatter": (
        "Load penguins.csv, drop incomplete rows and plot bill length against depth by species",
        ["5 rows", "Adelie: bill length 37.9 mm, bill depth 19.0 mm", "Gentoo: bill length 48.0 mm, bill depth 14.8 mm"],
    ),
    "species-counts": (
        "How many penguins of each species are in penguins.csv?",
        ["there are 7 penguins", "Adelie: 3\nChinstrap: 1\nGentoo: 3\n"],
    ),
    "species-count": ("How many gentoo penguins are in penguins.csv?", ["has 7 penguins; **3** of them are gentoo"]),
    "mean-body-mass": (
        "What is the mean body mass of Gentoo penguins in penguins.csv?",
        ["**4883.3 g**", "3 penguins with a known mass"],
    ),
    "bootstrap-mean": (
        "Bootstrap the mean of body_mass_g in penguins.csv with 50 samples",
        ["is **4225.0**", "from 3693.5 to 4864.6 (50 samples)"],
    ),
    "heaviest-island": (
        "Which island has the heaviest penguins in penguins.csv?",
        ["**Biscoe**", "Biscoe: 4883.3 g\nTorgersen: 3750.0 g\nDream: 3475.0 g\n"],
    ),
    "fit-line": (
        "Fit a line of body mass on flipper length in penguins.csv",
        ["**45.11 g** more", "intercept -4924.5 g", "r² = 0.861", "6 of the 7 rows"],
    ),
    "write-report": (
        "Write a Markdown report about penguins.csv to report.md",
        ["7 rows, 8 columns", "`report.md`: 17 lines"],
    ),
    "missing-column": (
        "What went wrong with bill_len in penguins.csv?",
        ["no column `bill_len`", "`KeyError: 'bill_len'`", "**`bill_length_mm`**", "species, island"],
    ),
    "add-numbers": ("What is 2.5 + -4?", ["2.5 + -4 = **-1.5**"]),
    "first-primes": ("Compute the first 6 prime numbers", ["first 6 prime numbers are 2, 3, 5, 7, 11, 13."]),
    "group-means": ("Plot the mean body_mass_g by species in penguins.csv", ["`body_mass_g` is **4225.00**", "`species`"]),
    "write-note": ('Write the note "two words" to note.txt', ["`note.txt`"]),
    "save-masses": (
        "Save the mean body mass of each species in penguins.csv to masses.csv",
        ["`masses.csv`", "Adelie: 3600.0\nChinstrap: 3500.0\nGentoo: 4883.3\n"],
    ),
    "research-notes": (
        "Research the notes in notes/ and collect in findings.md where each penguin species lives and what it eats",
        ["`findings.md`", "krill, fish and squid"],
    ),
    "one-page-report": (
        "Write a one-page report to report.md from found.md and table.csv",
        ["`report.md`", "4883.3 g on average", "mean is 3600.0 g"],
    ),
    "plan-penguin-report": (
        "Make a plan for this goal: Research the notes in notes/ and collect where each penguin species lives and what "
        "it eats. Save the mean body mass of each species in penguins.csv. Plot bill length against depth by species "
        "from penguins.csv. Write a one-page report to report.md.",
        ['"needs": ["notes", "masses"]', '"answer": ["report"]'],
    ),
    "remember-that": ("Remember that the mast is 80 m high.", ["that the mast is 80 m high.", "Remembered as the-mast"]),
    "what-do-you-know": ("What do you know about the mast?", ["Nothing that bears on it is remembered."]),
    "create-agent": (
        "Create a limerick-poet agent that writes funny limericks",
        ["The agent **limerick-poet** is there: an agent that writes funny limericks", "--agent limerick-poet"],
    ),
    "improve-agent": ("Improve the reader: read aloud", ["**reader** works with that from the next goal on."]),
    "improve-haiku-poet": ("Improve the haiku-poet", ["**haiku-poet** lets every haiku name its season."]),
    "grant-tool": ("Grant reader the tool read_file", ["**reader** may use `read_file`"]),
    "list-agents": ("List the agents", ["- haiku-poet: Writes. [tools: none; version 1]", "- researcher: "]),
    "reload-agent": ("Reload the haiku-poet", ["haiku-poet: version 1 is in force. Tools: none. Writes."]),
    "haiku": ("Write a haiku about a lost key", ["a lost key, and no more."]),
    "haiku-season": ("Write a haiku about a lost key", ["Winter.", "and a word: a lost key."]),
    "haiku-rain": ("Write a haiku about rain", ["Rain on the tin roof:"]),
    "haiku-rain-season": ("Write a haiku about rain", ["Spring rain on the roof:"]),
    "haiku-sea": ("Write a haiku about the sea", ["The tide goes out far,"]),
    "haiku-sea-season": ("Write a haiku about the sea", ["Late autumn: the tide"]),
    "hello": ("Hello!", ["scripted endpoint", "no model"]),
}  # fmt: skip


#: What the agent that is asked was told, where that decides which script is played.
POET = "You are the agent haiku-poet.\n\nYou write haikus."
SYSTEM: dict[str, str] = {
    **dict.fromkeys(("haiku", "haiku-rain", "haiku-sea"), POET),
    **dict.fromkeys(("haiku-season", "haiku-rain-season", "haiku-sea-season"), f"{POET} Name the Season."),
}


def test_every_bundled_script_is_played_here() -> None:
    assert {script.name for script in load_scripts()} == set(GOALS)


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("name", GOALS)
def test_plays(client: Client, name: str) -> None:
    goal, expected = GOALS[name]
    client.system = SYSTEM.get(name, "")
    answer = client.run(goal)
    assert client.server.requests.recent[-1].script == name
    assert "(not found)" not in answer
    for piece in expected:
        assert piece in answer
    assert [failed for _, failed in client.results].count(True) == (name == "missing-column")
    # The same goal again: the same answer, the same calls, the same tokens.
    again = Client(client.server, client.system)
    assert again.run(goal) == answer
    if name not in ("create-agent", "improve-agent", "improve-haiku-poet", "grant-tool"):  # they find it done
        assert again.usage == client.usage


def test_numbers_of_the_fit(client: Client) -> None:
    import numpy as np
    import pandas as pd

    answer = client.run(GOALS["fit-line"][0])
    known = pd.read_csv("penguins.csv").dropna(subset=["flipper_length_mm", "body_mass_g"])
    x, y = known["flipper_length_mm"], known["body_mass_g"]
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    assert f"**{slope:.2f} g**" in answer
    assert f"intercept {np.mean(y) - slope * np.mean(x):.1f} g" in answer


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("name", ["penguin-scatter", "mean-body-mass"])
def test_guidance_takes_fewer_turns_to_the_same_answer(client: Client, name: str) -> None:
    goal = GOALS[name][0]
    answer = client.run(goal)
    turns = len(client.results)
    guided = Client(client.server)
    assert guided.run(goal, guided=True) == answer
    assert len(guided.results) < turns


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_the_scatter_plot_and_its_table(client: Client) -> None:
    client.run(GOALS["penguin-scatter"][0])
    ax = client.namespace["ax"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("bill depth (mm)", "bill length (mm)")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Adelie", "Chinstrap", "Gentoo"]
    assert len(client.namespace["penguins"]) == 5


def test_written_files(client: Client) -> None:
    client.run(GOALS["write-note"][0])
    assert Path("note.txt").read_text() == "two words\n"
    client.run(GOALS["write-report"][0])
    report = Path("report.md").read_text()
    assert report.startswith("# Report on penguins.csv\n\n7 rows, 8 columns.\n")
    assert "| body_mass_g | 4225.0 | 3450 | 5700 | 1 |" in report
    assert "| sex | female (3), male (2) | 2 |" in report


def test_a_report_from_what_others_left(client: Client) -> None:
    client.run(GOALS["research-notes"][0])
    findings = Path("findings.md").read_text()
    assert findings.count("(notes/") == 3 and "rocky slopes. Eats almost nothing but krill." in findings
    client.run(GOALS["save-masses"][0])
    client.run("Write a one-page report to report.md from findings.md and masses.csv")
    report = Path("report.md").read_text()
    assert (
        "| Gentoo | 4883.3 | Lives on the Antarctic Peninsula" in report
        and "Sources: findings.md, masses.csv" in report
    )


def test_a_plan_is_one_that_can_be_run(client: Client) -> None:
    plan = plan_from(json.loads(client.run(GOALS["plan-penguin-report"][0])), "the goal", "model")
    assert plan.check().layers == (("notes", "masses", "plot"), ("report",))


def test_the_column_that_exists(client: Client) -> None:
    answer = client.run("What went wrong with bill_length_mm in penguins.csv?")
    assert "Nothing is wrong with `bill_length_mm`" in answer
    assert "with 1 missing values" in answer


def test_an_unknown_species(client: Client) -> None:
    answer = client.run("What is the mean body mass of Emperor penguins in penguins.csv?")
    assert "no body mass of any Emperor penguin" in answer
    assert "Adelie, Chinstrap, Gentoo" in answer


@pytest.mark.parametrize(
    "name", sorted(name for name in GOALS if "penguins.csv" in GOALS[name][0] and not name.startswith("plan"))
)
def test_a_file_that_is_not_there_is_an_honest_failure(client: Client, name: str) -> None:
    answer = client.run(GOALS[name][0].replace("penguins.csv", "absent.csv"))
    assert "The goal is not done" in answer
    assert "> FileNotFoundError: " in answer


def test_too_many_primes(client: Client) -> None:
    assert "n must be 1 to 10000, got 99999" in client.run("Compute the first 99999 primes")


@pytest.mark.parametrize(
    "goal",
    [
        "Load penguins.csv, drop incomplete rows and plot bill depth against length by species",
        "Delete penguins.csv",
        "Do not load penguins.csv and count the rows",
        "Add 2",
        "What is 2 * 3?",
        "Do not create a poet agent that rhymes",
    ],
)
def test_near_goals_are_unknown(goal: str) -> None:
    assert not knows(goal)


@pytest.mark.parametrize("agent", ["generalist", "haiku-poets"])
def test_haikus_are_the_poets_alone(agent: str) -> None:
    assert knows("Write a haiku about rain", agent="haiku-poet")
    assert not knows("Write a haiku about rain", agent=agent)


def test_whoever_is_called_a_poet_in_passing_is_not_one(client: Client) -> None:
    client.system = "You are the agent maker.\n\nWork.\nYou are the agent haiku-poet."
    assert "haiku-poet" in client.run("Write a haiku about rain") and client.results == []
    assert client.server.requests.recent[-1].script == ""
