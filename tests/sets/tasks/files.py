"""Tasks on files and folders."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from task import Probe, Steps, Task, Values, cell, shell, write
from worlds import logs, nothing, sales_files

__all__ = ["TASKS"]

_LETTERS: Final = {"inbox": "ab", "outbox": "ab", "drafts": "abc", "sent": "ab", "spam": "bd"}


def _first_rows(v: Values) -> Steps:
    return [
        cell(
            "import pandas as pd",
            f'part = pd.read_csv("{v["source"]}", nrows={v["n"]})',
            f'part.to_csv("{v["target"]}", index=False)',
            f'print("{v["n"]} rows of {v["source"]} are in {v["target"]}")',
        )
    ]


def _back_up(v: Values) -> Steps:
    stem = PurePosixPath(v["path"]).stem
    return [
        cell(
            "import shutil",
            "from pathlib import Path",
            'Path("backup").mkdir(exist_ok=True)',
            f'copied = shutil.copy("{v["path"]}", "backup/{stem}_backup.csv")',
        )
    ]


def _configuration(v: Values) -> Steps:
    return [
        write(
            v["path"],
            "{",
            f'  "learning_rate": {v["rate"]},',
            f'  "batch_size": {v["batch"]},',
            f'  "epochs": {v["epochs"]}',
            "}",
        ),
        cell("import json", f'settings = json.load(open("{v["path"]}"))', "settings"),
    ]


def _lines_with(v: Values) -> Steps:
    return [shell(f'grep -c "{v["word"]}" {v["path"]}')]


def _letters(v: Values) -> Steps:
    letters = _LETTERS[v["folder"]]
    return [
        cell("import os", f'print(sorted(os.listdir("{v["folder"]}")))'),
        cell(
            *(
                f'os.rename("{v["folder"]}/{letter}.txt", "{v["folder"]}/{v["prefix"]}_{number}.txt")'
                for number, letter in enumerate(letters, start=1)
            )
        ),
    ]


def _to_json(v: Values) -> Steps:
    path = PurePosixPath(v["path"])
    return [
        cell(
            "import pandas as pd",
            f'{path.stem} = pd.read_csv("{path}")',
            f'{path.stem}.to_json("{path.with_suffix(".json")}", orient="records")',
            f'print("wrote {path.with_suffix(".json")}")',
        )
    ]


def _head(v: Values) -> Steps:
    stem = PurePosixPath(v["path"]).stem
    return [
        shell(f"head -n {v['n']} {v['path']} > {stem}_head.txt"),
        cell(f'lines = open("{stem}_head.txt").read().splitlines()', "len(lines)"),
    ]


TASKS: Final = (
    Task(
        "first rows to a file",
        (
            "Save the first {n} rows of {source} as {target}",
            "Write the first {n} rows of {source} to {target}",
            "{target} should hold the first {n} rows of {source}",
        ),
        (
            {"n": 5, "source": "orders.csv", "target": "small.csv"},
            {"n": 8, "source": "data/north.csv", "target": "data/north_part.csv"},
            {"n": 3, "source": "shop.csv", "target": "shop3.csv"},
            {"n": 12, "source": "returns.csv", "target": "shop.csv"},
            {"n": 0, "source": "orders.csv", "target": "empty.csv"},
        ),
        _first_rows,
        sales_files,
        trap="a target that exists, and a number without a row",
        answer="The first {n} rows of {source} are in {target} now.",
    ),
    Task(
        "back up",
        ("Back up {path} into the folder backup", "Put a copy of {path} into backup", "Make a backup copy of {path}"),
        (
            {"path": "orders.csv"},
            {"path": "data/south.csv"},
            {"path": "shop.csv"},
            {"path": "data/east.csv"},
            {"path": "data/north.csv"},
        ),
        _back_up,
        sales_files,
        trap="the stem of the file; one file is missing",
        refuse=frozenset({3}),
    ),
    Task(
        "settings file",
        (
            "Write {path} with learning rate {rate}, batch size {batch} and {epochs} epochs, and read it as settings",
            "Create the JSON file {path}: batch size {batch}, {epochs} epochs, learning rate {rate}; load it as settings",
            "I need a {path} with a learning rate of {rate}, {epochs} epochs and a batch size of {batch}, as settings too",
        ),
        (
            {"path": "run.json", "rate": 0.01, "batch": 32, "epochs": 32},
            {"path": "night.json", "rate": 0.1, "batch": 64, "epochs": 10},
            {"path": "fine.json", "rate": 0.001, "batch": 16, "epochs": 200},
            {"path": "run2.json", "rate": 0.5, "batch": 8, "epochs": 8},
            {"path": "long.json", "rate": 0.02, "batch": 10, "epochs": 64},
        ),
        _configuration,
        nothing,
        trap="two equal values in what is learned, and in what is asked",
    ),
    Task(
        "lines with a word",
        (
            'Count the lines of {path} that contain "{word}"',
            'How many lines of {path} have "{word}" in them?',
            'In {path}, how often is there a line with "{word}"?',
        ),
        (
            {"path": "app.log", "word": "ERROR"},
            {"path": "web.log", "word": "WARN"},
            {"path": "job.log", "word": "INFO retry"},
            {"path": "web.log", "word": "$HOME"},
            {"path": "app.log", "word": "-05-1"},
        ),
        _lines_with,
        logs,
        reference=lambda v: [
            cell(
                f"found = sum({v['word']!r} in line for line in open({v['path']!r}))",
                "assert found",
                "print(found)",
            )
        ],
        probe=Probe(names=()),
        trap="words that mean something to the shell or to grep",
        answer="{last} lines.",
    ),
    Task(
        "number the letters",
        (
            "Rename the letters in {folder} to {prefix}_1.txt and so on",
            "Number the letters in the folder {folder} with the prefix {prefix}",
            "The files in {folder} should be called {prefix}_1.txt, and so on by name",
        ),
        (
            {"folder": "inbox", "prefix": "in"},
            {"folder": "outbox", "prefix": "out"},
            {"folder": "drafts", "prefix": "draft"},
            {"folder": "sent", "prefix": "mail"},
            {"folder": "spam", "prefix": "junk"},
        ),
        _letters,
        logs,
        trap="the second step is written from what the first one showed",
        refuse=frozenset({2, 4}),
    ),
    Task(
        "to JSON",
        ("Convert {path} to JSON", "Save {path} as a JSON file too", "Make JSON out of {path}"),
        (
            {"path": "orders.csv"},
            {"path": "returns.csv"},
            {"path": "data/south.csv"},
            {"path": "shop.csv"},
            {"path": "data/north.csv"},
        ),
        _to_json,
        sales_files,
        trap="a variable and a file named after the stem",
        answer="`{path}` was converted: {last}.",
    ),
    Task(
        "head of a log",
        (
            "Put the first {n} lines of {path} into lines and a file",
            "Keep the first {n} lines of {path}, in a file and as lines",
            "From {path} take the first {n} lines as lines, and write them to a file",
        ),
        (
            {"n": 4, "path": "app.log"},
            {"n": 9, "path": "web.log"},
            {"n": 1, "path": "job.log"},
            {"n": 6, "path": "db.log"},
            {"n": 28, "path": "app.log"},
        ),
        _head,
        logs,
        trap="a missing file",
        refuse=frozenset({3}),
    ),
)
