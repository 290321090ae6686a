"""Made-up secrets brought into real runs in every way that text gets into one; then all that runs leave is looked through.

What is looked for are the secrets themselves, in whatever is written, shown, logged, sent or loaded as a table.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb import LLMOS, agents_df, events_df, ledger_df, messages_df, runs_df, steps_df
from llmos_nb.cortex.scripted import handler
from llmos_nb.kernel.events import Event

__all__ = ["SCRIPTED", "WAYS", "Planted", "Planting"]

#: (kind, the secret, a text that has it), as :func:`sets.secret_kinds.made` makes them.
Planted = tuple[str, str, str]


def _one(goal: str, tool: str, argument: str, answer: str = "It says: {{result}}", language: str = "") -> str:
    argument = argument.replace("{{read}}", "__import__('pathlib').Path({{file|quoted}}).read_text()")
    call = f"## Turn 1\n\nI look.\n\n### {tool}\n\n```{language}\n{argument}\n```\n"
    return f"---\ngoal: {goal}\n---\n{call}\n## Answer\n\n{answer}\n"


#: The scripts, by the way in that they are for. ``{{file}}`` has a few secrets, each with what may stand around it.
SCRIPTED: Final[dict[str, str]] = {
    "a file": _one("Read {file:path}", "read_file", "{{file}}", language="text path"),
    "a print": _one("Print {file:path}", "run_cell", "print({{read}})"),
    "a table": _one(
        "Tabulate {file:path}",
        "run_cell",
        "import pandas as pd\npd.set_option('display.max_colwidth', None)\n"
        "lines = pd.DataFrame({'line': {{read}}.splitlines()})\nlines",
    ),
    "an error": _one("Fail on {file:path}", "run_cell", "raise ValueError({{read}})"),
    "a shell": _one("List {file:path}", "run_shell", "cat {{file|shell}}"),
    "a warning": _one(
        "Warn of {file:path}",
        "run_cell",
        "import logging, sys, warnings\ntext = {{read}}\nprint(text, file=sys.stderr)\n"
        "mine = logging.getLogger('mine')\nmine.propagate = False\nmine.addHandler(logging.StreamHandler())\n"
        "mine.warning(text)\nwarnings.warn(text)",
    ),
    "a variable": _one(
        "Keep the text of {file:path}", "run_cell", "kept = {{read}}\nparts = kept.split()"
    ),
    "inspection": _one("Look at what there is", "inspect", "names: [kept]", language="yaml arguments"),
    "a fact": (
        "---\ngoal: Remember {file:path}\n---\n## Turn 1\n\n### read_file\n\n```text path\n{{file}}\n```\n\n"
        "## Turn 2\n\n### remember\n\n```text text\n{{result 1}}\n```\n\n## Answer\n\nKept: {{result 2}}\n"
    ),
    "the goal": "---\ngoal: What is in {words:text}?\n---\n## Answer\n\nYou said {{words}}\n",
}  # fmt: skip
#: What each way asks for.
WAYS: Final[dict[str, str]] = {
    "a file": "Read {}", "a print": "Print {}", "a table": "Tabulate {}", "an error": "Fail on {}", "a shell": "List {}",
    "a warning": "Warn of {}", "a variable": "Keep the text of {}", "a fact": "Remember {}",
}  # fmt: skip


def _service(some: Sequence[Planted]) -> str:
    """A word that only these secrets have."""
    return "".join(c for c in some[0][0] if c.isalpha()) + "abcdefghij"[sum(map(ord, some[0][1])) % 10]


def _code_of(name: str, texts: Sequence[str]) -> str:
    """A script whose code has secrets in it, as a model may write it."""
    lines = "\n".join(f"line_{number} = {text!r}" for number, text in enumerate(texts))
    return _one(f"Ask the service {name}", "run_cell", f"{lines}\nprint(line_0)\nline_0", "Done: {{result}}")


@dataclass
class Planting:
    """One workspace, what came into it, and what is found of that afterwards: ``leaks[sink][kind]`` are ways in."""

    folder: Path
    leaks: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    looked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    asked: list[bytes] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    planted: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        scripts = self.folder / "workspace" / "scripts"
        scripts.mkdir(parents=True, exist_ok=True)
        for name, text in SCRIPTED.items():
            (scripts / f"{name.replace(' ', '-')}.md").write_text(text)

    def write_code(self, some: Sequence[Planted]) -> None:
        """Have the model write code that holds these; before the system is made, which reads its scripts once."""
        name = _service(some)
        code = _code_of(name, [text for *_, text in some])
        (self.folder / "workspace" / "scripts" / f"code-{name}.md").write_text(code)

    @contextlib.contextmanager
    def system(self) -> Iterator[LLMOS]:
        """The system in the folder; what its endpoint is asked is kept, and what is printed and logged."""
        parse, before = handler._parse, Path.cwd()
        handler._parse = lambda body: (self.asked.append(body), parse(body))[1]  # type: ignore[assignment]
        logged, shown, root = io.StringIO(), io.StringIO(), logging.getLogger()
        writer, level = logging.StreamHandler(logged), root.level
        root.addHandler(writer)
        root.setLevel(logging.DEBUG)
        os.chdir(self.folder)
        try:
            with (
                contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown), warnings.catch_warnings(),
                LLMOS(workspace="workspace", endpoint="scripted", budget_usd=1000) as made,
            ):  # fmt: skip
                warnings.simplefilter("always")
                made.bus.subscribe(self.events.append, name="planting")
                yield made
                made.bus.flush()
                self._reprs(made)
            self._texts("standard output and error", shown.getvalue())
            self._texts("logging", logged.getvalue())
        finally:
            handler._parse = parse
            root.removeHandler(writer)
            root.setLevel(level)
            os.chdir(before)

    def bring(self, system: LLMOS, way: str, some: Sequence[Planted], **options: Any) -> None:
        """One run that some secrets come into; its result is looked through at once."""
        self.planted[way] += [(kind, value) for kind, value, _ in some]
        name = f"notes-{len(self.ended)}-{sum(self.ended.values())}.txt"
        if way == "the goal":
            goal = f"What is in {' and '.join(text for _, _, text in some)}?"
        elif way == "code":
            goal = f"Ask the service {_service(some)}"
        else:
            (self.folder / name).write_text("\n".join(text for _, _, text in some))
            goal = WAYS[way].format(name)
        self.result(system.run(goal, mode="learner", **options), way)

    def result(self, result: Any, way: str = "") -> None:
        """What a result shows."""
        self.ended[f"{way or '-'}: {result.status}"] += 1
        shown = result._repr_mimebundle_() if hasattr(result, "_repr_mimebundle_") else {}
        self._texts(
            "results: fields",
            f"{result!r} {[vars(one) if hasattr(one, '__dict__') else one for one in result.steps]}",
        )
        self._texts("results: HTML", f"{result._html()} {json.dumps(shown, default=str)}")
        self._texts("results: plain", f"{result} {result._markdown()}")

    def look(self, notebook: Path | None = None) -> None:
        """Look through what is left once the system is closed: files, tables, prompts, events."""
        self._texts("events", "\n".join(map(repr, self.events)))
        own = {"code"}  # what a model wrote itself it is sent again
        self._texts("prompts", b"\n".join(self.asked).decode("utf-8", "replace"), but=own)
        workspace = self.folder / "workspace"
        for path in workspace.rglob("*"):
            relative = path.relative_to(workspace)
            if path.is_file() and relative.parts[0] != "scripts":
                kind = (
                    "/".join(relative.parts[:2]) if relative.parts[0] in ("memory", ".llmos") else relative.parts[0]
                )
                kind = "state.db" if relative.name.startswith("state.") else kind
                self._texts(f"files: {kind}", path.read_bytes().decode("utf-8", "replace"))
        for table in (runs_df, steps_df, messages_df, events_df, ledger_df, agents_df):
            frame = table(workspace)
            self._texts(f"tables: {table.__name__}", frame.to_csv() + frame.to_string() + repr(frame.to_dict("list")))
        if notebook is not None:
            self._texts("exported notebooks", notebook.read_text(encoding="utf-8"))

    def exported(self, system: LLMOS, folder: Path) -> None:
        """Every trace as a notebook, its preview, and the code of the last run."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, row in enumerate(system.traces.rows()):
            path = folder / f"{number}.ipynb"
            system.traces.get(row["id"]).to_notebook(path)
            self._texts("exported notebooks", path.read_text(encoding="utf-8"))
            preview = system.preview(row["id"])
            self._texts("previews of traces", f"{preview!r} {preview}")
            self._texts("code of traces", system.code(row["id"]))

    def crystals(self, system: LLMOS) -> int:
        """Make programs of what was replayed often enough, and look through these."""
        made = 0
        for path in (self.folder / "workspace" / "crystals").glob("*.py"):
            made += 1
            self._texts("crystals", path.read_text(encoding="utf-8"))
        return made

    def _reprs(self, system: LLMOS) -> None:
        told = [
            repr(system),
            repr(system.settings),
            str(system.options()),
            repr(system.endpoint),
            repr(system.taint.marks),
        ]
        told += [repr(system.sessions), repr(system.facts.all()), repr(system.approvals), repr(system.context)]
        self._texts("reprs of the system and its settings", "\n".join(told))

    def _texts(self, sink: str, text: str, but: Sequence[str] | set[str] = ()) -> None:
        self.looked[sink] += len(text)
        for way, secrets in self.planted.items():
            if way in but:
                continue
            for kind, value in secrets:
                if any(piece in text for piece in _pieces(value)):
                    self.leaks[sink][kind].add(f"{way}: {value}")

    def table(self) -> Mapping[str, int]:
        """For each sink how many different secrets were found in it."""
        return {
            sink: len({w.partition(": ")[2] for ways in self.leaks[sink].values() for w in ways})
            for sink in self.looked
        }


def _pieces(value: str) -> list[str]:
    """A secret as it is looked for: whole, or any line of one that has several."""
    lines = [line for line in value.split("\n") if len(line) > 30 and "-----" not in line]
    return lines if "\n" in value else [value, json.dumps(value)[1:-1]]
