"""Thousands of goals in one notebook kernel: what it holds must not grow with them.

IPython keeps the results of the last 1,000 cells: until these are full, a kernel grows by what it is asked to keep.
So the second half is judged, and the last three quarters are told beside it.

python tests/bench/bench_soak.py [RUNS [LEARNED]]: by default 2,000 runs, 160 of them with the real command line program.
"""

from __future__ import annotations

import ast
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from surroundings import clean, row

RUNS, LEARNED = 2000, 160
#: What is told, and has bounds of its own.
TOLD = ("kept_by_ipython", "ipython_mb", "results", "objects", "events")
SCRIPTS = {
    "multiply": ("Multiply {a:int} by {b:int}", "product = {{a|int}} * {{b|int}}\nprint(product)"),
    "draw": (
        "Draw a line up to {n:int}",
        "import matplotlib.pyplot as plt\ntop = {{n|int}}\nplt.plot(range(top))\nplt.title(f'up to {top}')\nplt.show()",
    ),
    "table": (
        "Make a table of {n:int} rows",
        "import pandas as pd\nrows = {{n|int}}\ntable = pd.DataFrame({'n': range(rows)})\ntable",
    ),
    "break": ("Break {n:int}", "broken = {{n|int}}\n1 / 0"),
}  # fmt: skip
#: What is counted in the kernel. Names begin with an underscore, so that no goal takes them for the person's.
SAMPLER = """
def _sample():
    import asyncio, collections, gc, sys, threading
    import psutil
    gc.collect()
    me = psutil.Process()
    kinds = collections.Counter(type(one).__name__ for one in gc.get_objects())
    instances = getattr(sys.modules.get('ipywidgets.widgets.widget'), '_instances', ())
    plt = sys.modules.get('matplotlib.pyplot')
    history = get_ipython().history_manager
    shown = [one.bundle for many in getattr(history, 'outputs', {}).values() for one in many]
    shown = sum(len(str(part)) for bundle in shown for part in bundle.values()) + sum(map(len, history.input_hist_raw))
    return {
        'rss_mb': me.memory_info().rss / 1e6, 'uss_mb': me.memory_full_info().uss / 1e6,
        'objects': sum(kinds.values()), 'threads': threading.active_count(),
        'descriptors': me.num_fds(), 'programs': len(me.children(recursive=True)),
        'zombies': sum(one.status() == 'zombie' for one in me.children(recursive=True)),
        'widgets': len(instances), 'comms': len(get_ipython().kernel.comm_manager.comms),
        'figures': len(plt.get_fignums()) if plt else 0,
        'subscribers': sum(t.name.startswith('llmos-') for t in threading.enumerate()),
        'tasks': sum(type(one) is asyncio.Task for one in gc.get_objects()),
         'results': kinds['RunResult'], 'runs': kinds['Run'], 'benches': kinds['Workbench'],
        'events': sum(kinds[k] for k in ('RunStarted', 'RunEnded', 'ToolFinished', 'ModeDecided', 'TextDelta')),
        'kept_by_ipython': len(Out) + len(In), 'ipython_mb': shown / 1e6, '_kinds': kinds.most_common(400),
    }
"""


def script(goal: str, code: str) -> str:
    return f"---\ngoal: {goal}\n---\n## Turn 1\n\n### run_cell\n\n```\n{code}\n```\n\n## Answer\n\nDone.\n"


def growth(samples: list[dict[str, Any]], name: str, begin: float = 0.5) -> float:
    """By how many per cent what is held grows from a part of the runs on, going by a straight line through them."""
    chosen = samples[round(begin * len(samples)) :]
    x, y = [one["run"] for one in chosen], [one[name] for one in chosen]
    slope = statistics.linear_regression(x, y).slope
    start = statistics.mean(y[: max(1, len(y) // 10)]) or 1
    return 100 * slope * (x[-1] - x[0]) / start


def main(runs: int, learned: int) -> int:
    folder = clean()
    from kernels import Kernel

    scripts = folder / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    for name, (goal, code) in SCRIPTS.items():
        (scripts / f"{name}.md").write_text(script(goal, code))
    dice = random.Random(1)
    kernel = Kernel(folder)
    failures: list[str] = []

    def goal(text: str, options: str = "") -> None:
        try:
            kernel.run(f"%%llmos {options}\n{text}")
        except AssertionError as error:
            if "Break" not in text:
                failures.append(f"{text}: {str(error)[:300]}")

    def sample(run: int) -> dict[str, Any]:
        shown = kernel.run("print(repr(_sample()))")
        return {"run": run, **ast.literal_eval(shown.strip().splitlines()[-1])}

    try:
        kernel.run("llmos.configure(budget_usd=1000)\n" + SAMPLER)
        for a, b in ((3, 4), (5, 8), (21, 2)):
            goal(f"Multiply {a} by {b}", "--mode learner")
            goal(f"Draw a line up to {a}", "--mode learner")
            goal(f"Make a table of {b} rows", "--mode learner")
        kinds = ["learner"] * (learned * 3 // 4) + ["broken"] * (learned - learned * 3 // 4)
        kinds += ["draw"] * (runs // 12) + ["table"] * (runs // 12) + ["crystal"] * (runs // 4)
        kinds += ["follower"] * (runs - len(kinds))
        dice.shuffle(kinds)
        began, samples = time.perf_counter(), [sample(0)]
        for number, kind in enumerate(kinds, start=1):
            a, b = dice.randrange(2, 100), dice.randrange(2, 100)
            match kind:
                case "learner":
                    goal(f"Multiply {a} by {b}", "--mode learner")
                case "broken":
                    goal(f"Break {a}", "--mode learner")
                case "draw":
                    goal(f"Draw a line up to {a}")
                case "table":
                    goal(f"Make a table of {a} rows")
                case "crystal":
                    goal(f"Multiply {a} by {b}")
                case _:
                    goal(f"Multiply {a} by {b}", "--mode follower")
            if number % max(1, runs // 40) == 0:
                samples.append(sample(number))
        took = time.perf_counter() - began
        modes = kernel.run("from llmos_nb import runs_df\nprint(dict(runs_df().groupby(['mode', 'status']).size()))")
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=False)
    row(f"{runs} goals in one kernel", f"{took:.0f} s", f"{took / runs * 1e3:.0f} ms each")
    print("   ", modes.strip()[-600:])
    wrong = len(failures)
    for one in failures[:5]:
        print("    FAILED", one)
    quarters = [samples[round(part * (len(samples) - 1) / 8)] for part in range(9)]
    print("    megabytes of memory after each eighth:", ", ".join(f"{one['rss_mb']:.0f}" for one in quarters))
    first, last = samples[len(samples) // 2], samples[-1]
    for name in [name for name in first if name not in ("run", "_kinds")]:
        grown = growth(samples, name)
        # Connections come and go by the dozen; IPython keeps the last thousand results, and the bus a page of events.
        small = last[name] - first[name] <= (40 if name == "descriptors" else 2)
        bad = name not in TOLD and grown > 5 and not small
        wrong += bad
        told = f"{grown:+.1f} %, the last three quarters {growth(samples, name, 0.25):+.1f} %"
        row(name, f"{first[name]:.1f} -> {last[name]:.1f}", f"{told}{'  WRONG' if bad else ''}")
    kinds_first, kinds_last = dict(first["_kinds"]), dict(last["_kinds"])
    more = sorted(((kinds_last[k] - kinds_first.get(k, 0), k) for k in kinds_last), reverse=True)[:14]
    print("    more of:", ", ".join(f"{count} {kind}" for count, kind in more if count > 0))
    return wrong


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
    given = [int(one) for one in sys.argv[1:]]
    os.nice(5)
    sys.exit(1 if main(*(given + [RUNS, LEARNED][len(given) :])) else 0)
