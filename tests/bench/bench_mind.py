"""How fast the agents are: ``python tests/bench/bench_mind.py [agents [attacks.json]]`` prints a small table.

It makes a folder of agents, and measures loading them all, asking for one, an edit (of a person, another process, a
checkout of all) until it is in force, creating and changing one, and names and files that somebody means harm with.
Targets at 1,000 agents: load 300 ms, an edit in force for the next goal after 200 ms; each attack 50 ms.

``attacks.json`` is a list of objects with ``field`` (``agent_name`` or ``file``), ``value`` or ``content``, ``name`` and
``expected`` (``accept``, or anything else for a refusal); without one a few that are known are tried.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmos_nb.errors import AgentFileError, UnknownAgent
from llmos_nb.mind import AgentRegistry

FRONT = (
    "---\nname: {name}\ndescription: Agent {n}, which does something.\ntools: [run_cell, inspect, read_file]\n"
    "model: sonnet\nversion: 1\ncreated_at: 2026-11-22T07:41:03Z\ncreated_by: user\n---\n"
)
PROMPT = "You are a careful agent.\n\n" + "Do this and that, and say why.\n" * 40
KNOWN: list[dict[str, str]] = [
    *({"field": "agent_name", "value": name, "expected": "reject"} for name in ("../x", "p\u043eet", "con", "a" * 9999)),
    {"field": "file", "name": "deep.md", "content": "---\nx: " + "[" * 50_000, "expected": "reject"},
    {"field": "file", "name": "laugh.md", "content": "---\na: &a [1]\nb: [*a, *a]\n---\n", "expected": "reject"},
    {"field": "file", "name": "big.md", "content": "---\nname: big\n---\n" + "x" * 5_000_000, "expected": "reject"},
    {"field": "file", "name": "fine.md", "content": "---\nname: fine\n---\n\u00dcber.\n", "expected": "accept"},
]  # fmt: skip


def write(folder: Path, n: int, more: str = "") -> None:
    """Agent number ``n``'s file."""
    name = f"agent-{n:05d}"
    (folder / f"{name}.md").write_text(FRONT.format(name=name, n=n) + PROMPT + more, encoding="utf-8")


def ms(work: Callable[[], Any]) -> float:
    """Milliseconds that ``work`` takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def row(what: str, values: list[float], unit: str = "ms") -> None:
    """One line of the table: median and the worst."""
    print(f"  {what:58} {statistics.median(values):9.2f} {unit}   worst {max(values):9.2f} {unit}")


def other_process(path: Path, text: str) -> None:
    """Replace a file from another process, as a second kernel or an editor does."""
    code = "import os, sys; p = sys.argv[1]; open(p + '~', 'w').write(sys.argv[2]); os.replace(p + '~', p)"
    subprocess.run([sys.executable, "-c", code, str(path), text], check=True)


def tried(work: Callable[[], Any]) -> tuple[str, float]:
    """What came of an attack, and the milliseconds it took; anything but the documented errors is told by name."""
    started = time.perf_counter()
    try:
        work()
        came = "accept"
    except (AgentFileError, UnknownAgent):
        came = "reject"
    except BaseException as error:  # noqa: BLE001 - any other exception is what this looks for
        came = type(error).__name__
    return came, (time.perf_counter() - started) * 1e3


def attack(case: dict[str, Any]) -> list[tuple[str, float]]:
    """One attack on a folder of its own: by its name in every call that takes one, or as a file that is there."""
    with tempfile.TemporaryDirectory() as place:
        registry = AgentRegistry(Path(place) / "agents")
        if case["field"] == "agent_name":
            name = case["value"]
            calls: list[Callable[[], Any]] = [
                lambda: registry.create(name, "d", [], "p"), lambda: registry.get(name),
                lambda: registry.modify(name, "prompt", "p"), lambda: registry.restore(name, 1),
            ]  # fmt: skip
            return [tried(call) for call in calls]
        registry.folder.mkdir()
        content = case["content"]
        if case["expected"] == "accept":  # what is tried is the encoding: the name has to be the file's in any case
            content = re.sub(r"(?m)^name:[^\r\n]*", f"name: {case['name'].removesuffix('.md')}", content, count=1)
        (registry.folder / case["name"]).write_bytes(content.encode("utf-8", "surrogatepass"))

        def look() -> None:
            registry.list()
            registry.get(case["name"].removesuffix(".md"))

        return [tried(look)]


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    given = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")) if len(sys.argv) > 2 else KNOWN
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "workspace" / "agents"
        folder.mkdir(parents=True)
        for n in range(number):
            write(folder, n)
        print(f"{number} agents, {sum(path.stat().st_size for path in folder.iterdir()) / 1e6:.1f} MB")
        AgentRegistry(folder.parent / "none").list()  # the parser and the packaged agents
        row("load of all (target 300)", [ms(lambda: AgentRegistry(folder).list()) for _ in range(5)])
        registry = AgentRegistry(folder)
        registry.list()
        row("list again", [ms(registry.list) for _ in range(9)])
        row("get one", [ms(lambda: registry.get("agent-00007")) * 1e3 for _ in range(99)], "us")

        edits, others, watched = [], [], []
        for n in range(9):
            write(folder, n, f"Edit {n}.\n")
            edits.append(ms(lambda n=n: registry.get(f"agent-{n:05d}")))  # type: ignore[misc]
            assert f"Edit {n}." in registry.get(f"agent-{n:05d}").prompt
        row("edit of one: until it is in force (target 200)", edits)
        for n in range(5):
            other_process(folder / "agent-00007.md", FRONT.format(name="agent-00007", n=7) + f"Other {n}.\n")
            others.append(ms(lambda: registry.get("agent-00007")))
            assert registry.get("agent-00007").prompt == f"Other {n}."
        row("edit by another process (target 200)", others)

        end = registry.watch()
        time.sleep(2.5)
        for n in range(3):
            for m in range(number):
                write(folder, m, f"Checkout {n}.\n")
            watched.append(ms(lambda: registry.get("agent-00007")))
            assert f"Checkout {n}." in registry.get("agent-00007").prompt
        row("a checkout replaced all, one of them is asked for (200)", watched)
        end()

        row("create one", [ms(lambda n=n: registry.create(f"new-{n}", "", [], "p")) for n in range(9)])  # type: ignore[misc]
        row("modify one", [ms(lambda n=n: registry.modify("new-1", "prompt", f"p{n}")) for n in range(9)])  # type: ignore[misc]
        row("its history", [ms(lambda: registry.history("new-1")) for _ in range(5)])

    took: list[float] = []
    wrong = []
    for case in given:
        if case["field"] not in ("agent_name", "file"):
            continue
        for came, spent in attack(case):
            took.append(spent)
            if came != ("accept" if case["expected"] == "accept" else "reject"):
                wrong.append(
                    f"{came} instead of {case['expected']}: {ascii(case.get('value', case.get('name')))[:80]}"
                )
    row(f"{len(took)} attacks (target 50 each)", took)
    print(f"  not as expected: {len(wrong)}", *wrong, sep="\n    ")


if __name__ == "__main__":
    main()
