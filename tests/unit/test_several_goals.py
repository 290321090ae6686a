# ruff: noqa: E501
"""Is it one goal or several? Labelled by hand, told by structure; and what is done with the parts."""

from __future__ import annotations

import time

import pytest

from llmos_nb.dispatch.orchestrator.detect import find_parts
from llmos_nb.dispatch.orchestrator.planner import listed_plan

ONE = [
    "Write a haiku about a sandwich and then",
    "a sandwich and then",
    "Load penguins.csv, drop incomplete rows and plot y",
    "Load penguins.csv, drop incomplete rows and plot bill length against depth by species",
    "First load penguins.csv, then drop incomplete rows, and finally plot bill length",
    "Write a haiku about autumn. Make it sad.",
    "Plot bill length by species. Use a log scale. Label the axes.",
    "What is the mean of body_mass_g?",
    "Research the notes and write a report to report.md",
    "Write 'Load x. Plot y. Count z.' into note.txt",
    "Write a report with these sections:\n- Introduction\n- Methods\n- Results",
    "Plot the mean of these columns:\n1. bill_length_mm\n2. body_mass_g",
    "Clean penguins.csv:\n1. Drop incomplete rows\n2. Rename the columns\n3. Save it",
    "I have a file data.csv with sales. Plot the sales by month.",
    "Compute e.g. the mean, vs. the median, of a.csv. Round to 2 digits.",
    "Explain what `a; b; c` does in bash",
    "Count rows; columns; missing values of penguins.csv",
    "How many rows has df? Is it more than 100?",
    "Create a haiku-poet agent that writes beautiful haikus",
    "Find all files that are larger than 1 MB and delete them",
    "Sort df by a; then b",
    "Fit a line to x and y. Show the slope and the intercept.",
    "Translate this text: “Load the truck. Drive home. Feed the cat.”",
    "Run this:\n```python\n# 1. load\nload()\n# 2. plot\nplot()\n```",
    "Summarise penguins.csv in 3 sentences. Keep it short. Avoid jargon.",
    "Write a poem about Dr. Smith. The poem should rhyme.",
    "Create a 3-qubit GHZ state circuit, simulate it and plot the counts",
    "Load penguins.csv. Don't drop any rows.",
    "...",
    "1. Load penguins.csv",
    "Schreibe ein Gedicht. Mache es kurz.",
    "Solve x**2 - 4 = 0; x > 0",
    "Delete a.csv",
    "Plot a against b. Then add a trend line to it.",
    "Give me three ideas for a talk: 1. short 2. funny 3. true",
    "Compare the mean and the median of x and tell me which is larger",
    "Explain first principles, then and now",
    "Read notes.txt. It has a list of names; count them.",
    "Plot x. Make the dots red. Add a legend.",
    "Read data.csv. The file uses semicolons. Dates are in column 2. Plot sales by month.",
    "Load penguins.csv. Plot bill length by species.",
    "Schedule: run the report every day at 9. Send nothing.",
    "Delete nothing. List the files.",
    "Write an email to Bob. Tell him that the meeting moved. Ask him to bring the slides.",
    "Make me a sandwich and then a salad",
    "Write a story about a knight who first slept, then fought, and finally rested.",
    "Write unit tests for these functions:\n- add\n- remove\n- list_all",
    "What changed? Tell me in one sentence what this says.",
]
SEVERAL = [
    "1. Count the penguins by species in penguins.csv\n2. Plot bill length against depth\n3. Write a report to report.md",
    "- Count the rows of a.csv\n- Count the rows of b.csv",
    "* Load sales.csv\n* Plot the revenue by month\n* Save the plot to plot.png",
    "Please do the following:\n1) Load penguins.csv\n2) Count the species\n3) Write summary.md",
    "First, load penguins.csv. Then drop the incomplete rows. Finally, plot bill length by species.",
    "Count the penguins in penguins.csv; plot bill length against depth; write a report to report.md",
    "Count the penguins in penguins.csv. Plot bill length against bill depth. Write a report about penguins.csv to report.md.",
    "Summarise the notes in notes/*.txt. Analyse penguins.csv by species. Write a report to report.md from the summary and the analysis.",
    "How many penguins are in penguins.csv? Which island has the heaviest penguins?",
    "Research battery prices in notes.txt.\n\nCompute the yearly change in prices.csv.\n\nWrite a one-page briefing to briefing.md.",
    "Tasks:\n- [ ] Fix the typo in README.md\n- [ ] Create a summary of data.csv\n- [ ] Plot the columns",
    "Step 1: Load a.csv\nStep 2: Merge a.csv with b.csv\nStep 3: Export the table to c.csv",
    "I have three csv files in data/. Count the rows of each file. Find the most common species in a.csv. Write a table to counts.md.",
    "Do these things:\r\n1. Count the rows of a.csv\r\n2. Count the rows of b.csv\r\n",
    "Please count the rows in a.csv. Please plot column x of b.csv.",
    "Load a.csv and count its rows. Load b.csv and plot column y.",
    "First fetch prices.csv. Next compute the mean. After that write report.md.",
    "Train a classifier on iris.csv; evaluate the classifier on test.csv",
    "Create an agent called poet. Write three haikus about autumn with the poet agent.",
    "1. What is the mean of x in a.csv?\n2. What is the mean of y in b.csv?",
    "Simulate a Bell state with 1000 shots. Simulate a GHZ state with 1000 shots. Compare the two histograms in a plot.",
    "- Read notes.txt\n  - only the first page\n- Summarise a.csv",
    "Here are my tasks:\n\n1. Clean data.csv\n\n2. Plot the cleaned data\n\n3. Write findings.md",
    "Count the files in data/; list the largest file in data/",
    "Write a haiku about autumn. Write a limerick about spring. Write a sonnet about winter.",
    "Draft an email to the team. Schedule a meeting for Monday. Book a room.",
    "Extract the dates from log.txt. Plot the events per day. Keep the colors simple.",
    "Second thoughts aside, do these things:\n1. Sort a.csv by name\n2. Sort b.csv by date",
    "Download nothing; read a.txt; write b.txt",
    "Analyze sales.csv! Write a summary to sales.md!",
    "(1) Compute the mean of x.csv\n(2) Compute the median of y.csv",
    "Read a.csv and count its rows. Read b.csv. Write the number of its columns to c.txt. Plot x of d.csv.",
    "Load a.csv. Plot column x of b.csv. Write a summary of c.txt to d.md.",
    "Compute the mean of x in a.csv, then write it to a.txt. Compute the mean of y in b.csv, then write it to b.txt.",
    "First, research the notes in notes/. Second, analyse penguins.csv. Third, write the report to report.md.",
]


def test_the_set_is_large_enough_and_even() -> None:
    assert len(ONE) + len(SEVERAL) >= 60 and len(ONE) >= len(SEVERAL) >= 30


@pytest.mark.parametrize("goal", ONE)
def test_one_goal(goal: str) -> None:
    assert not find_parts(goal), find_parts(goal)


@pytest.mark.parametrize("goal", SEVERAL)
def test_several_goals(goal: str) -> None:
    assert len(find_parts(goal).goals) >= 2


def test_nothing_is_no_goal() -> None:
    assert not find_parts("") and not find_parts(" \n\x00 ")


def test_the_parts_are_the_words_of_the_goal() -> None:
    parts = find_parts("Tasks:\r\n1. Write `a; b. Load c` to x.md\r\n2. Plot y\r\n   on a log scale\r\n")
    assert parts.goals == ("Write `a; b. Load c` to x.md", "Plot y\n   on a log scale")
    assert parts.ordered and parts.whole and parts.why == "a numbered list of 2 goals"


def test_a_numbered_list_is_a_plan_of_its_own() -> None:
    plan = listed_plan("1. Count the rows of a.csv\n2. Plot x of b.csv\n3. Write a report to c.md")
    assert plan is not None and plan.source == "list"
    assert [(node.goal, node.needs) for node in plan.nodes] == [
        ("Count the rows of a.csv", ()),
        ("Plot x of b.csv", ("goal_1",)),
        ("Write a report to c.md", ("goal_2",)),
    ]
    plan.check()
    assert plan.answers == ("goal_1", "goal_2", "goal_3"), "every item was asked for"


@pytest.mark.parametrize(
    "goal",
    [
        "- Count the rows of a.csv\n- Plot x of b.csv",  # the order is left open
        "1. Load a.csv\n2. Plot it by month",  # "it" needs the other item to be understood
        "For the year 2024:\n1. Count the rows of a.csv\n2. Plot x of b.csv",  # the first line is about both
        "Count the rows of a.csv. Plot x of b.csv.",
    ],
)
def test_where_a_choice_is_left_the_model_plans(goal: str) -> None:
    assert listed_plan(goal) is None


@pytest.mark.parametrize(
    "goal",
    ["Load a.csv. " * 8000, "1. Load\n" * 10000, "'" * 100_000, "; " * 50_000, "please " * 14_000, "- x\n" * 25_000],
)
def test_long_texts_are_read_in_no_time(goal: str) -> None:
    started = time.perf_counter()
    find_parts(goal)
    assert time.perf_counter() - started < 5  # far above what it takes; a regex that backtracks takes hours
