"""The exact key: what may vary without changing it, and what never may."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.memory.key import goal_key

words = st.text("abcdefghijklmnopqrstuvwxyzéüñдя", min_size=2, max_size=9)
spaces = st.sampled_from([" ", "  ", "\t", "\u00a0", " \n", "\n", "\n\n", "\r\n"])
values = st.sampled_from(
    ["-2", "+2", "x>5", "x<5", "x>=5", "C++", "C", "10/2", "10", "5%", "5", "5!", "n!", "data/A.csv", "data/a.csv",
     "a.csv", "A.csv", "`Ab`", "`ab`", "'Ab c'", "'ab c'", '"ab  c"', '"ab c"', "GHZ", "camelCase", "camelcase",
     "x_1", "X_1", "..", ".", "*.*", "A", "a", "**", "*", "~x", "!x", "$x"]
)  # fmt: skip


@given(st.text())
def test_a_key_is_its_own_key(goal: str) -> None:
    assert goal_key(goal_key(goal)) == goal_key(goal)


@given(st.lists(words, min_size=1, max_size=8), st.data())
def test_space_case_and_final_punctuation_do_not_count(goal: list[str], data: st.DataObject) -> None:
    cases = st.sampled_from([str.lower, str.title, str.upper])
    goal = [word for word in goal if word.upper().lower() == word and word.isalpha() and len(word) > 2] or ["plot"]
    varied = [data.draw(cases)(word) for word in goal]
    text = "".join(word + data.draw(spaces) for word in varied).strip()
    ends = (
        ["", ".", "?", "…", "..."] if varied[-1].isupper() else ["", ".", "!", "?", "…", "...", "?!"]
    )  # NN! is math
    end = data.draw(st.sampled_from(ends))
    assert goal_key(f"  {text}{end}\n") == goal_key(" ".join(goal))


@given(st.lists(words, min_size=1, max_size=4), values, values, st.lists(words, max_size=3))
def test_other_values_make_another_key(before: list[str], one: str, other: str, after: list[str]) -> None:
    goals = [" ".join([*before, value, *after]) for value in (one, other)]
    assert (goal_key(goals[0]) == goal_key(goals[1])) == (one == other)


@given(st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"])), st.text(max_size=5))
def test_text_in_quotes_is_kept(inside: str, before: str) -> None:
    before = re.sub(r"[\"'`“”„‘’«»]", "", before)
    assert f'"{unicodedata.normalize("NFC", inside)}"' in goal_key(f'{before} "{inside}" now')


@given(st.text(), st.text("-+*/%<>=!^~&|0123456789"))
def test_operators_and_digits_are_never_lost(goal: str, value: str) -> None:
    text = f"{goal} {value} end"

    def kept(part: str) -> list[str]:
        return re.findall(r"[-+*/%<>=^~&|0-9]", unicodedata.normalize("NFC", part))

    assert kept(goal_key(text)) == kept(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Create a 3-qubit GHZ state circuit", "create  a 3-qubit GHZ state circuit."),
        ("Load penguins.csv", "load penguins.csv."),
        ("Show the top 10", "show the top 10."),
        ("Say `Hi`", "say `Hi`!"),
        ('print "x"', 'Print "x".'),
        ("What is the mean?", "what is the mean"),
        ("A plot of sales", "a plot of sales"),
        ("don't plot the students' results", "Don't plot the students' results"),
        ("Cafe\u0301 menu", "caf\u00e9 menu"),
        ("filter rows (all of them).", "Filter rows (all of them)"),
        ("Add 4 And 5", "ADD 4 and 5"),
        ("LOAD penguins.csv AND COUNT THE ROWS", "Load penguins.csv and count the rows"),
        ("How many are in penguins.csv?", "how many are in penguins.csv"),
        ("Add 4 and 5?", "add 4 and 5"),
        ("Plot The Mean Of Each Group", "plot the mean of each group"),
        ("Load it,\n    then plot it\n    by species.", "load it, then plot it\nby species"),
    ],
)
def test_same(one: str, other: str) -> None:
    assert goal_key(one) == goal_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("column A", "column a"),
        ("compute 5!", "compute 5"),
        ("compute n!", "compute n"),
        ("(n+1)!", "(n+1)"),
        ("compute 5!.", "compute 5."),
        ("list ..", "list ."),
        ("list .", "list"),
        ("match 'ab?'", "match 'ab'"),
        ("delete *.*", "delete *"),
        ("x > 5", "x >5"),
        ("read data/Sales.csv", "read data/sales.csv"),
        ("download 5 MB", "download 5 Mb"),
        ("plot `Sales`", "plot `sales`"),
        ("say 'a  b'", "say 'a b'"),
        ("move 3 left", "move -3 left"),
        ("plot X against Y", "plot x against y"),
        ("learn C++", "learn C"),
        ("use B-splines", "use b-splines"),
        ("die Maße zeigen", "die Masse zeigen"),
        ("sum(X)", "sum(x)"),
        ("print totalSales", "print totalsales"),
        ("factorial of NN!", "factorial of NN"),
        ("convert the sizes to MB", "convert the sizes to Mb"),
        ("convert the distances to Mm", "convert the distances to mm"),
        ("run\nif a:\n  b\nc", "run\nif a:\n  b\n  c"),
        ("run:\n  if `a`:\n    b\n  c", "run:\n  if `a`:\n    b\n    c"),
    ],
)
def test_different(one: str, other: str) -> None:
    assert goal_key(one) != goal_key(other)


@given(
    st.lists(
        st.one_of(st.text(st.characters(exclude_characters="\"'`“„«‘")), words.map(str.title), values), max_size=6
    )
)
def test_what_is_quoted_behind_it_changes_no_key(parts: list[str]) -> None:
    goal = " ".join(re.sub(r"[\"'`“„«‘\r\n]", " ", part) for part in parts)
    assert goal_key(f'{goal} end "Q"') == f'{goal_key(f"{goal} end")} "Q"'
