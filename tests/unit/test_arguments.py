"""Options lead a magic's line; the goal that follows them is taken word for word."""

from __future__ import annotations

import pytest

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.arguments import OPTIONS, parse


@pytest.mark.parametrize(
    ("line", "values", "goal"),
    [
        ("", {}, ""),
        ("plot df", {}, "plot df"),
        ("--mode follower plot df", {"mode": "follower"}, "plot df"),
        ("--mode=follower plot df", {"mode": "follower"}, "plot df"),
        ("--agent x --budget 0.5 --explain plot", {"agent": "x", "budget": "0.5", "explain": "yes"}, "plot"),
        ("  --explain", {"explain": "yes"}, ""),
        ("--model   claude-x\tplot", {"model": "claude-x"}, "plot"),
        ('--agent "two words" plot', {"agent": "two words"}, "plot"),
        ("--agent='two words' plot", {"agent": "two words"}, "plot"),
        ("--out result how many rows?", {"out": "result"}, "how many rows?"),
        ("-- plot --mode follower", {}, "plot --mode follower"),
        ("plot a --flag of git", {}, "plot a --flag of git"),
        ("it's {df} $x \"quoted\" 'words'  twice", {}, "it's {df} $x \"quoted\" 'words'  twice"),
        ("--mode follower --mode mixed g", {"mode": "mixed"}, "g"),
        ("-- --strange goal", {}, "--strange goal"),
        ("--explain -- --explain", {"explain": "yes"}, "--explain"),
        ("--agent 'unclosed goal", {"agent": "'unclosed"}, "goal"),
    ],
)  # fmt: skip
def test_options_and_goal(line: str, values: dict[str, str], goal: str) -> None:
    parsed = parse(line)
    assert (parsed.values, parsed.goal) == (values, goal)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--agnt x goal", "Did you mean --agent?"),
        ("--zzz goal", "--agent, --mode"),
        ("--agent", "Write --agent NAME."),
        ("--agent --mode follower", "--agent needs a value"),
        ("--agent= goal", "--agent needs a value"),
        ("--explain=no goal", "takes no value"),
    ],
)
def test_what_is_wrong_is_told_with_the_remedy(line: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(line)
    assert words in str(caught.value)


def test_every_option_is_parsed_and_explained() -> None:
    for option in OPTIONS:
        line = f"--{option.name} value goal" if option.value else f"--{option.name} goal"
        parsed = parse(line)
        assert option.name in parsed.values and parsed.goal == "goal" and option.help


@pytest.mark.parametrize("line", ["plot --mode follower", "plot x --out=y", "--budget 1 plot --explain"])
def test_an_option_behind_the_goal_is_refused(line: str) -> None:
    with pytest.raises(SettingsError, match="behind the goal") as raised:
        parse(line)
    assert "come first" in raised.value.remedy
