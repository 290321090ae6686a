"""Makes the library of the data pack: every wording of every task is worked on once, by the real system.

    python -m tests.starter.build [TASK …]

Each wording becomes a script of the scripted endpoint; the agent runs its program on one of three tables, and what is
recorded is written to ``llmos_nb/domains/data/traces/``, without what only tells of that run: ids, times, costs, folders
and versions. The wordings of a task take the tables in turn, so that what follows from a goal's values is borne out by
two different programs at least; the build fails where it is not. With names of tasks only these are made anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb import LLMOS
from llmos_nb.dispatch.shipping import as_shipped, slug
from llmos_nb.memory import Trace
from llmos_nb.memory.catalogue import INDEX
from llmos_nb.memory.codec import dump
from llmos_nb.memory.library import index_of
from llmos_nb.tools.namespace import PlainNamespace
from tests.starter.tables import EXAMPLES, FILES, LEVELS, MORE, tables
from tests.starter.tasks import KINDS, Task, tasks

__all__ = ["TRACES", "build", "examples", "filled", "parts_of"]

TRACES: Final = Path(__file__).parents[2] / "llmos_nb" / "domains" / "data" / "traces"
_PLACE: Final = re.compile(r"\{(stem )?([a-z]\d?)\}")


def parts_of(task: Task) -> set[str]:
    """The placeholders that its first wording and its program have."""
    return {name for _, name in _PLACE.findall(task.wordings[0] + task.code)}


def examples(task: Task) -> list[Mapping[str, Any]]:
    """The examples that have a value for everything the task needs; those of :data:`MORE` where these are not enough."""
    names = parts_of(task)
    found = [one for one in EXAMPLES if names <= one.keys()]
    levels = {name for name in names if name in LEVELS}
    return found if len(found) > 1 else [one for one in MORE if names <= one.keys() and levels == LEVELS & one.keys()]


def filled(task: Task, wording: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """A wording and the program with these values."""

    def literal(match: re.Match[str]) -> str:
        value = values[match[2]]
        if match[1]:
            return str(values.get("named", Path(value).stem))
        return str(value) if KINDS[match[2]] == "table" else json.dumps(value)

    return _PLACE.sub(lambda match: str(values[match[2]]), wording), _PLACE.sub(literal, task.code)


def build(only: set[str], folder: Path = TRACES) -> list[Path]:
    """Make the traces of the tasks called ``only``, or of all; returns the files."""
    chosen = [one for one in tasks().values() if not only or one.name in only]
    written: list[Path] = []
    with tempfile.TemporaryDirectory() as made, contextlib.chdir(made):
        home = Path(made)
        os.environ["LLMOSNB_TRUST_SCRIPTS"] = made
        scripts = home / "workspace" / "scripts"
        scripts.mkdir(parents=True)
        plan = []
        for task in chosen:
            fitting = examples(task)
            assert len(fitting) > 1, f"{task.name}: one example proves nothing"
            for number, wording in enumerate(task.wordings):
                values = fitting[number % len(fitting)]
                goal, code = filled(task, wording, values)
                name = f"{slug(task.name)}-{number + 1}"
                (scripts / f"{name}.md").write_text(_script(goal, code, task.answer), encoding="utf-8")
                plan.append((task, name, goal, values))
        namespace = PlainNamespace()
        with LLMOS("workspace", endpoint="scripted", mode="learner", library="never", namespace=namespace) as system:
            for task, name, goal, values in plan:
                namespace.names.clear()
                namespace.names.update(tables())
                for file, write in FILES.items():
                    if file in goal:
                        (home / file).parent.mkdir(exist_ok=True)
                        write(home / file)
                result = system.run(goal)
                assert result.ok, f"{goal}: {result.status}: {result.reason}"
                trace = system.traces.get(str(result.trace_id))
                path = folder / slug(task.group) / f"{name}.md"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(dump(_slim(trace, task, name, values)), encoding="utf-8")
                written.append(path)
                print(f"{len(written):4} of {len(plan)}  {goal}", flush=True)
                for file in set(os.listdir(home)) - {"workspace"}:
                    (home / file).unlink() if (home / file).is_file() else shutil.rmtree(home / file)
    for task in chosen:
        for path in folder.rglob(f"{slug(task.name)}-*.md"):
            if path not in written and re.fullmatch(rf"{re.escape(slug(task.name))}-\d+", path.stem):
                path.unlink()
    (folder / INDEX).write_text(index_of(folder), encoding="utf-8")
    return written


def _script(goal: str, code: str, answer: str) -> str:
    head = f"---\ngoal: {json.dumps(goal)}\n---\n"
    return f"{head}\n## Turn 1\n\n### run_cell\n\n```python\n{code}\n```\n\n## Answer\n\n{answer}\n"


def _slim(trace: Trace, task: Task, name: str, values: Mapping[str, Any]) -> Trace:
    """A trace without what only tells of its run, and of its tables no more than their kinds."""
    said = set(_PLACE.findall(task.wordings[int(name.rpartition("-")[2]) - 1]))
    parts = {letter: (KINDS[letter], values[letter]) for _, letter in said}
    return as_shipped(trace, id=name, task=task.name, group=task.group, values=parts)


def _clean(folder: Path) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path)


def _main(arguments: list[str]) -> Iterator[str]:
    if not arguments:
        _clean(TRACES)
    made = build(set(arguments))
    yield f"{len(made)} traces of {len({path.stem.rpartition('-')[0] for path in made})} tasks in {TRACES}"


if __name__ == "__main__":
    for line in _main(sys.argv[1:]):
        print(line)
