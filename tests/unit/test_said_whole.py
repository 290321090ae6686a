"""Goals of which a part would be left unread: none is answered by a task that does less, or more, than is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from llmos_nb import LLMOS
from llmos_nb.domains.data.values import read_dates
from llmos_nb.memory.besides import said_besides
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.points import plainly_pointed
from llmos_nb.tools.referring import pointing, second_question, unfinished


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "reader": ["Ana", "Ben", "Cho", "Ana", "Dov"],
            "branch": ["North", "South", "North", "South", "North"],
            "fine": [2.5, None, 0.0, 7.25, 1.0],
            "days": [3, 14, 21, 9, 30],
            "returned": [True, False, None, False, True],
            "renewed": ["yes", "no", None, "no", "yes"],
        }
    )


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, loans: pd.DataFrame) -> Iterator[LLMOS]:
    namespace = PlainNamespace()
    namespace.names["loans"] = loans
    with LLMOS(tmp_path_factory.mktemp("w") / "workspace", endpoint="scripted", namespace=namespace) as made:
        yield made


def code(system: LLMOS, goal: str) -> str:
    """The code that a goal is served with; empty where it is not."""
    explained = system.explain(goal)
    served = explained.mode == "follower" and explained.match is not None and explained.match.steps is not None
    return str(explained.match.steps[-1].arguments["code"]) if served else ""  # type: ignore[union-attr,index]


@pytest.mark.parametrize(
    "goal",
    [
        "what is the highest fine and who has it",
        "what is the highest fine and where is it",
        "how many rows does loans have, and which columns",
        "how many loans have branch North and which are they",
        "what is the average fine and what is the median fine",
        "average fine for each",
        "average fine per",
        "sort loans by",
        "what should the average fine be",
        "what would the average fine be",
        "average fine of them",
        "average fine of those",
        "their average fine",
        "how many are there",
        "how many of these loans",
        "how many are returned",
        "count",
        "sort those by days",
        "sort it by days",
        "histogram of their days",
        "the rest sorted by days",
        "and the median fine",
        "what about the median days",
        "now by branch",
        "why is the average fine so high",
        "the oldest loan",
        "longest loan",
        "loans without returned",
        "which loans are fine",
        "loans fine",
        "loans not renewed",
        "loans with no renewed",
        "loans with no fine",
    ],
)
def test_what_is_not_said_whole_is_refused(system: LLMOS, goal: str) -> None:
    assert not code(system, goal)


@pytest.mark.parametrize(
    ("goal", "served"),
    [
        ("loans not returned", 'loans[loans["returned"].eq(False)]'),
        ("loans that are not returned", 'loans[loans["returned"].eq(False)]'),
        ("which loans are returned", 'loans[loans["returned"].eq(True)]'),
        ("how many loans are not returned", 'int(loans["returned"].eq(False).sum())'),
        ("how many loans are returned", 'int(loans["returned"].eq(True).sum())'),
        ("loans where returned is missing", 'loans[loans["returned"].isna()]'),
        ("loans with no reader", 'loans[loans["reader"].isna()]'),
        ("I would like to know the average fine, please", 'float(loans["fine"].mean())'),
        ("could you tell me what the average fine is", 'float(loans["fine"].mean())'),
        ("how many rows does this table have", "len(loans)"),
        ("loans with fine above 1,5", 'loans[loans["fine"] > 1.5]'),
        ("loans with fine above 1.000,50", 'loans[loans["fine"] > 1000.5]'),
        ("loans with fine above 1,500", 'loans[loans["fine"] > 1500]'),
    ],
)
def test_what_is_said_whole_is_served(system: LLMOS, goal: str, served: str) -> None:
    assert code(system, goal) == served


@pytest.mark.parametrize(
    ("goal", "told", "instead"),
    [
        ("what is the highest fine and who has it", "it asks two things at once", "what is the highest fine"),
        ("average fine of them", "“them” points at something before this goal", "average fine of loans"),
        ("average fine per", "the goal breaks off: nothing stands behind “per”", ""),
        ("what should the average fine be", "it says “should” as well", "what is the average fine in loans"),
        ("loans not renewed", "renewed may be no, or missing", "loans where renewed is no"),
        ("loans with no fine", "fine may be 0, or missing", "loans where fine is missing"),
        ("longest loan", "'longest' does not say by which column", "which row of loans has the highest days"),
        ("plot days", "a text column is needed", "histogram of days in loans"),
        ("average fine in readings", "nothing here is called 'readings'", "average fine in loans"),
        ("unreturned loans", "", "loans not returned"),
        ("draw a Bell state and measure it", "free without a key is about “Bell”, “state”, “measure”", ""),
        ("what is the capital of France", "free without a key is about “capital”, “France”", ""),
    ],
)
def test_the_reason_is_what_the_goal_says_and_what_is_named_is_free(
    system: LLMOS, goal: str, told: str, instead: str
) -> None:
    result = system.run(goal)
    assert result.status == "failed"
    assert told in result.reason
    assert instead in result.remedy
    for named in re.findall("“(.*?)”", result.remedy):
        assert code(system, named), named


def test_advice_changes_no_number(system: LLMOS) -> None:
    for goal in ("rows where days goes beyond 1000,5,3", "fine nearly 1,5,7"):
        for named in re.findall("“(.*?)”", system.run(goal).remedy):
            assert not re.search(r"\d", named), named


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("plain.csv", "plain"),
        ("Sales.csv", "Sales"),
        ("2024-sales.csv", "data_2024_sales"),
        ("Übersicht.csv", "Übersicht"),
        ("UP.CSV", "UP"),
        ("sub/in.csv", "in_table"),
        ("list.csv", "list_table"),
        ("pd.csv", "pd_table"),
        ("df.csv", "df"),
        ("a-b.csv", "a_b"),
        ("my.data.csv", "my_data"),
        ("Jan 2025.csv", "Jan_2025"),
    ],
)
def test_files_are_loaded_whatever_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    namespace = PlainNamespace()
    with LLMOS(tmp_path / "workspace", endpoint="scripted", namespace=namespace) as system:
        before = system.run("average of a by b")
        assert "no table is loaded" in before.reason
        result = system.run(f'load "{file}"' if " " in file else f"load {file}")
        assert result.ok, result.reason
        assert namespace.names[name]["b"].tolist() == [2]


def test_words_that_point_back_are_found() -> None:
    assert pointing("average score of them") == "them"
    assert pointing("sort visits and show them", ["visits"]) == ""
    assert pointing("average score of those in visits", ["visits"]) == "those"
    assert pointing("rows that have no score") == ""
    assert pointing("how many rows does this table have") == ""
    assert pointing("rows where note is 'it'") == ""
    assert unfinished("sort visits by") == "by"
    assert unfinished("rows where grade is A", ["A"]) == ""
    assert second_question("mean and median of score") == -1
    assert second_question("how many rows and how many columns") == 14


def test_a_comma_is_read_where_it_can_only_be_decimal() -> None:
    assert plainly_pointed("above 1000,50") == "above 1000.50"
    assert plainly_pointed("above 1.000,50") == "above 1000.50"
    assert plainly_pointed("between 1,5 and 2,5") == "between 1.5 and 2.5"
    assert plainly_pointed("above 1,500") == "above 1,500"
    assert plainly_pointed("n is 3,5") == "n is 3,5"
    assert plainly_pointed("name is '1.000,50'") == "name is '1.000,50'"


def test_words_besides_the_content_must_be_known() -> None:
    assert said_besides(frozenset(("the", "of", "please")), frozenset()) == ""
    assert said_besides(frozenset(("who", "it", "the")), frozenset()) == "“it”, “who”"
    assert said_besides(frozenset(("who",)), frozenset(("who",))) == ""
    assert said_besides(frozenset(("not",)), frozenset(("no",))) == "“not”"
    assert said_besides(frozenset(("whose",)), frozenset(("where",))) == ""


def test_a_date_that_is_told_is_one_of_the_column() -> None:
    assert "05/06/2025 may be in May or in June" in read_dates(["03/03/2025", "05/06/2025"]).reason


def test_a_name_that_is_said_exactly_is_meant(tmp_path: Path) -> None:
    """``prices`` is no plural of ``price`` where a column is called so; ``rows`` is a word, a table and a column."""
    namespace = PlainNamespace()
    namespace.names["lots"] = pd.DataFrame({"price": [1, 2], "prices": [3.5, 4.5], "rows": [1, 1], "lots": [5, 6]})
    namespace.names["rows"] = pd.DataFrame({"other": [1]})
    with LLMOS(tmp_path / "workspace", endpoint="scripted", namespace=namespace) as system:
        assert '"prices"' in code(system, "average of prices in lots")
        assert '"price"' in code(system, "average of price in lots")
        assert code(system, "delete duplicate rows in lots") == ""
        assert '"lots"' in code(system, "average of lots in lots"), "a name that is no word of tasks is plain"
