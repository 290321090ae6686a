"""Tasks on words."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from task import Probe, Steps, Task, Values, cell, write
from worlds import nothing, texts

__all__ = ["TASKS"]


def _common(v: Values) -> Steps:
    return [
        cell(
            "import re",
            "from collections import Counter",
            f'words = re.findall(r"[a-z]+", open("{v["path"]}").read().lower())',
            f"common = Counter(w for w in words if len(w) > {v['k']}).most_common({v['n']})",
            "common",
        )
    ]


def _replace(v: Values) -> Steps:
    return [
        cell(
            f'text = open("{v["path"]}").read()',
            f'text = text.replace("{v["old"]}", "{v["new"]}")',
            f'with open("{v["path"]}", "w") as file:',
            "    file.write(text)",
            f'print(text.count("{v["new"]}"), "times {v["new"]}")',
        )
    ]


def _true_replace(v: Values) -> Steps:
    return [
        cell(
            f"text = open({v['path']!r}).read().replace({v['old']!r}, {v['new']!r})",
            f"with open({v['path']!r}, 'w') as file:",
            "    file.write(text)",
            f"print(text.count({v['new']!r}), {'times ' + v['new']!r})",
        )
    ]


def _starting(v: Values) -> Steps:
    return [
        cell(
            "import re",
            f'text = open("{v["path"]}").read().lower()',
            f'found = sorted(set(re.findall(r"\\b{v["prefix"]}\\w*", text)))',
            "found",
        )
    ]


def _true_starting(v: Values) -> Steps:
    return [
        cell(
            "import re",
            f"text = open({v['path']!r}).read().lower()",
            f"found = sorted(set(re.findall({chr(92) + 'b' + re.escape(v['prefix'].lower()) + chr(92) + 'w*'!r}, text)))",
            "found",
        )
    ]


def _occurrences(v: Values) -> Steps:
    return [
        cell(
            f'text = open("{v["path"]}").read().lower()',
            f'count = text.count("{v["word"].lower()}")',
            f'print(f"{v["word"]}: {{count}} times")',
        )
    ]


def _multiplication(v: Values) -> Steps:
    return [
        cell(
            f"for row in range(1, {v['rows'] + 1}):",
            f'    print(" ".join(f"{{row * column:3}}" for column in range(1, {v["columns"] + 1})))',
        )
    ]


def _acronym(v: Values) -> Steps:
    short = "".join(word[0].upper() for word in v["phrase"].split())
    return [cell(f'acronym = "{short}"', f'print("{v["phrase"]}:", acronym)')]


def _sheet(v: Values) -> Steps:
    stem = PurePosixPath(v["path"]).stem
    return [
        write(
            v["path"],
            f"# {v['topic'].title()}",
            "",
            f"{v['n']} questions on {v['topic']}, for class {v['school_class']}.",
        ),
        cell(f'{stem} = open("{v["path"]}").read()', f'print(len({stem}.splitlines()), "lines")'),
    ]


TASKS: Final = (
    Task(
        "common words",
        (
            "Show the {n} most common words of {path} with more than {k} letters",
            "Which {n} words of more than {k} letters are most common in {path}?",
            "In {path}, which words longer than {k} letters are the {n} most common?",
        ),
        (
            {"n": 3, "k": 3, "path": "garden.txt"},
            {"n": 5, "k": 2, "path": "course.txt"},
            {"n": 2, "k": 5, "path": "trip.txt"},
            {"n": 1, "k": 0, "path": "garden.txt"},
            {"n": 4, "k": 4, "path": "course.txt"},
        ),
        _common,
        texts,
        trap="two equal numbers; their order differs between phrasings",
    ),
    Task(
        "replace a word",
        (
            'Replace "{old}" by "{new}" in {path}',
            'In {path}, change "{old}" to "{new}" everywhere',
            'Put "{new}" where {path} has "{old}"',
        ),
        (
            {"old": "roses", "new": "lilies", "path": "garden.txt"},
            {"old": "Python", "new": "Julia", "path": "course.txt"},
            {"old": "Rome", "new": "Roma", "path": "trip.txt"},
            {"old": "Don't", "new": "Do not", "path": "course.txt"},
            {"old": "map", "new": "C:\\new", "path": "trip.txt"},
        ),
        _replace,
        texts,
        reference=_true_replace,
        trap="a quote and a backslash inside values; old and new swapped between phrasings",
    ),
    Task(
        "words with a beginning",
        (
            'List the words of {path} that start with "{prefix}"',
            'Which words in {path} start with "{prefix}"?',
            'From {path}, list words beginning with "{prefix}"',
        ),
        (
            {"path": "garden.txt", "prefix": "re"},
            {"path": "course.txt", "prefix": "un"},
            {"path": "garden.txt", "prefix": "e.g"},
            {"path": "course.txt", "prefix": "c++"},
            {"path": "trip.txt", "prefix": "re"},
        ),
        _starting,
        texts,
        reference=_true_starting,
        trap="characters that mean something in a pattern",
    ),
    Task(
        "occurrences",
        (
            'How often does "{word}" occur in {path}, ignoring case?',
            'Count "{word}" in {path} without regard to case',
            'Ignoring case, how often does {path} have "{word}"?',
        ),
        (
            {"word": "Python", "path": "course.txt"},
            {"word": "the", "path": "garden.txt"},
            {"word": "ROME", "path": "trip.txt"},
            {"word": "C++", "path": "course.txt"},
            {"word": "Data", "path": "course.txt"},
        ),
        _occurrences,
        texts,
        trap="the program has the word in lower case and as it is",
        answer="{last}",
    ),
    Task(
        "multiplication table",
        (
            "Print a multiplication table with {rows} rows and {columns} columns",
            "I need a multiplication table: {columns} columns, {rows} rows",
            "Make me a multiplication table of {rows} rows by {columns} columns",
        ),
        (
            {"rows": 3, "columns": 3},
            {"rows": 4, "columns": 6},
            {"rows": 6, "columns": 4},
            {"rows": 1, "columns": 10},
            {"rows": 5, "columns": 5},
        ),
        _multiplication,
        nothing,
        trap="n + 1; two equal numbers are learned, and another phrasing turns their order",
    ),
    Task(
        "acronym",
        (
            'Make the acronym of "{phrase}"',
            'What is the acronym for "{phrase}"?',
            '"{phrase}": which acronym is that?',
        ),
        (
            {"phrase": "central processing unit"},
            {"phrase": "portable document format"},
            {"phrase": "random access memory"},
            {"phrase": "frequently asked questions"},
            {"phrase": "light emitting diode"},
        ),
        _acronym,
        nothing,
        trap="the answer itself is written into the program",
        refuse=frozenset({2, 3, 4}),
    ),
    Task(
        "work sheet",
        (
            'Write the work sheet {path} on "{topic}" with {n} questions for class {school_class}',
            'For class {school_class}, write {path}: {n} questions on "{topic}"',
            'Create a work sheet of {n} questions on "{topic}" for class {school_class} in {path}',
        ),
        (
            {"path": "fractions.md", "topic": "fractions", "n": 5, "school_class": "7A"},
            {"path": "sets.md", "topic": "finite sets", "n": 12, "school_class": "9C"},
            {"path": "angles.md", "topic": "angles and lines", "n": 7, "school_class": "7A"},
            {"path": "primes.md", "topic": "prime numbers", "n": 12, "school_class": "10B"},
            {"path": "week7.md", "topic": "review", "n": 7, "school_class": "7B"},
        ),
        _sheet,
        nothing,
        probe=Probe(),
        trap="title case, a stem as a name, a digit that several values share",
    ),
)
