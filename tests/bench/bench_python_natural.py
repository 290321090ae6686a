"""How often the guard of cells bothers anybody over code that nobody would object to, and what it costs.

Judged before they run: the cells of ``tests/sets/natural_cells.txt`` in the manner of popular tutorials, every cell of the
project's notebooks, and the examples in the docstrings of numpy, scipy and pandas. Run for real under the guard, in an
IPython shell and a folder of their own: the cells of the set.

python tests/bench/bench_python_natural.py
"""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import importlib
import io
import json
import os
import pkgutil
import re
import statistics
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from llmos_nb.guard import Verdict, check_python  # noqa: E402
from llmos_nb.tools.shell_namespace import ShellNamespace  # noqa: E402
from llmos_nb.tools.workbench import Workbench  # noqa: E402

CELLS = (ROOT / "tests/sets/natural_cells.txt").read_text().split("\n---\n")


def notebook_cells() -> Iterator[str]:
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield "".join(cell["source"])


def docstring_examples() -> Iterator[str]:
    finder, parser = doctest.DocTestFinder(exclude_empty=True, recurse=True), doctest.DocTestParser()
    for top in ("numpy", "scipy", "pandas"):
        package = importlib.import_module(top)
        names = [
            top,
            *(f"{top}.{info.name}" for info in pkgutil.iter_modules(package.__path__) if info.name[0] != "_"),
        ]
        for name in names:
            if any(part in name for part in ("test", "conftest", "f2py", "distutils")):
                continue
            seen: set[str] = set()
            with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
                for part in vars(importlib.import_module(name)).values():
                    text = getattr(part, "__doc__", None)
                    docs = [text] if isinstance(text, str) else []
                    if isinstance(part, type):
                        docs += [
                            one.__doc__ for one in vars(part).values() if isinstance(getattr(one, "__doc__", 0), str)
                        ]
                    for doc in docs:
                        if ">>>" in doc and doc not in seen:
                            seen.add(doc)
                            with contextlib.suppress(ValueError):
                                yield "".join(example.source for example in parser.get_examples(doc))
    del finder


def judged(what: str, cells: list[str], folder: Path) -> None:
    counts: Counter[str] = Counter()
    took: list[float] = []
    for code in cells:
        started = time.perf_counter()
        verdict: Verdict = check_python(code, cwd=folder, workspace=folder / "workspace", watched=True)
        took.append((time.perf_counter() - started) * 1e3)
        if verdict.rule in ("py-system", "path-guarded"):  # goals, budgets, agents: cells that are a person's
            counts["for a person"] += 1
            continue
        counts[verdict.decision] += 1
        if verdict.decision != "allow":
            print(f"  {verdict.decision} {verdict.rule}: {' / '.join(code.splitlines())[:150]}")
    took.sort()
    print(
        f"{what}: {len(cells)} cells, {dict(counts)}; judged in {statistics.median(took):.2f} ms (median),"
        f" {took[int(len(took) * 0.99)]:.2f} ms (p99), {took[-1]:.1f} ms at most"
    )


def run(cells: list[str], folder: Path) -> None:
    """Run the cells one after the other, as an agent's, in one shell."""
    from IPython.core.interactiveshell import InteractiveShell

    os.chdir(folder)
    (folder / "workspace").mkdir()
    shell = InteractiveShell.instance(colors="nocolor")
    shell.enable_gui = lambda gui=None: None  # there is no front end
    sys.path.insert(0, str(folder))
    counts: Counter[str] = Counter()

    async def work() -> None:
        bench = Workbench(
            "bench", namespace=ShellNamespace(shell), workspace=folder / "workspace", cwd=folder, grant=("run_cell",),
            publish=lambda event: None,
        )  # fmt: skip
        for code in cells:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                call = await bench.call("run_cell", {"code": code})
            text = call.result.text if call.result else call.verdict.reason
            refused = re.search(r"refused (?:this while|by the guard)[^\n]*", text)
            if call.result is None and "this session read" in text:
                counts["asked: the session's marks"] += 1  # files that a C library wrote count as foreign
            elif refused is not None or call.result is None:
                counts["refused"] += 1
                print(
                    f"  refused: {' / '.join(code.splitlines())[:120]}\n     {refused[0][:300] if refused else text}"
                )
            elif call.result.error:
                missing = "No module" in text or "not found" in text or "UsageError" in text
                counts["missing module" if missing else "error"] += 1
                if not missing:
                    print(f"  {call.result.error}: {' / '.join(code.splitlines())[:70]} -> {text[-70:]!r}")
            else:
                counts["ok"] += 1

    asyncio.run(work())
    print(f"run for real under the guard: {dict(counts)}")


def cost(folder: Path) -> None:
    """What a person's own cell, and an agent's, pays: medians of 9, in microseconds for one act."""
    from llmos_nb.guard.audit import Watch
    from llmos_nb.guard.audit import judged as under_judgement
    from llmos_nb.guard.effects import FileEffects, watching
    from llmos_nb.guard.undo import Undo

    path = folder / "cost.txt"
    path.write_text("x")

    def read() -> None:
        path.open("rb").close()

    def write() -> None:
        path.open("wb").close()

    def deep(depth: int, act: Callable[[], None]) -> None:
        deep(depth - 1, act) if depth else act()

    def measured(act: Callable[[], None]) -> float:
        times = []
        for _ in range(9):
            started = time.perf_counter()
            for _ in range(300):
                act()
            times.append((time.perf_counter() - started) / 300 * 1e6)
        return statistics.median(times)

    acts = {
        "a file opened to read": read, "opened to write": write, "to write, 50 calls deep": lambda: deep(50, write),
        "id()": lambda: id(path) and None,
    }  # fmt: skip
    before = {name: measured(act) for name, act in acts.items()}
    with watching(FileEffects((folder,), Undo())), under_judgement(Watch(folder / "workspace", folder)):
        inside = {name: measured(act) for name, act in acts.items()}
        names: dict[str, object] = {}
        exec(compile("def kept(): pass", "<cell>", "exec"), names)
        from llmos_nb.kernel.authored import note_code

        note_code(names["kept"].__code__)  # type: ignore[attr-defined]
    after = {name: measured(act) for name, act in acts.items()}
    for name in acts:
        print(
            f"{name}: {before[name]:.2f} us; in a person's cell later {after[name]:.2f}, in an agent's {inside[name]:.2f}"
        )


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as base:
        place = Path(base).resolve() / "nb"
        place.mkdir()
        if "--cost" not in sys.argv:
            judged("in the manner of tutorials", CELLS, place)
            judged("the project's notebooks", list(notebook_cells()), place)
            judged("docstrings of numpy, scipy, pandas", list(docstring_examples()), place)
            run(CELLS, place)
        cost(place)
        os.chdir("/")
