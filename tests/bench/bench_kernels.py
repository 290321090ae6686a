"""Many kernels at work on one workspace at once: nothing is lost, nothing is there twice, and the money adds up.

python tests/bench/bench_kernels.py [KERNELS [RUNS [LEARNED]]]: by default 8 processes with 200 runs each, 5 of each with
the real command line program.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import io
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from surroundings import clean, row

KERNELS, RUNS, LEARNED = 8, 200, 5
SCRIPTS = {
    "multiply": ("Multiply {a:int} by {b:int}", "product = {{a|int}} * {{b|int}}\nprint(product)"),
    "count": ("Count to {n:int} for kernel {k:int}", "last = sum(1 for _ in range({{n|int}}))\nprint(last)"),
    "break": ("Break {n:int} for kernel {k:int}", "broken = {{n|int}}\n1 / 0"),
}


def script(goal: str, code: str) -> str:
    return f"---\ngoal: {goal}\n---\n## Turn 1\n\n### run_cell\n\n```\n{code}\n```\n\n## Answer\n\nIt is {{{{result}}}}.\n"


def percentile(seconds: list[float], share: float) -> str:
    ordered = sorted(seconds)
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3:.0f}"


async def prepare(folder: Path) -> None:
    """A family that is generalized and has a crystal."""
    from llmos_nb import LLMOS
    from llmos_nb.tools.namespace import PlainNamespace

    scripts = folder / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    for name, (goal, code) in SCRIPTS.items():
        (scripts / f"{name}.md").write_text(script(goal, code))
    system = LLMOS("workspace", endpoint="scripted", namespace=PlainNamespace(), budget_usd=1000)
    with contextlib.redirect_stdout(io.StringIO()):
        for a, b in ((3, 4), (5, 8), (21, 2)):
            assert (await system.execute(f"Multiply {a} by {b}", mode="learner")).ok
        for a in range(7):
            assert (await system.execute(f"Multiply {a + 30} by {a + 2}")).ok
        system.settle(120)
        assert (result := await system.execute("Multiply 12 by 12")).mode == "crystallized", result
    system.close()


async def kernel(number: int, runs: int, learned: int) -> None:
    """One of them: tells what became of its runs as a line of JSON."""
    from llmos_nb import LLMOS
    from llmos_nb.memory import Step, Trace
    from llmos_nb.tools.namespace import PlainNamespace

    dice = random.Random(number)
    kinds = (
        ["learner"] * learned
        + ["broken"] * max(1, learned // 5)
        + ["unknown"] * (runs // 20)
        + ["added"] * (runs // 10)
    )
    kinds += ["crystal"] * (runs // 5)
    kinds += ["follower"] * (runs - len(kinds))
    dice.shuffle(kinds)
    system = LLMOS("workspace", endpoint="scripted", namespace=PlainNamespace(), budget_usd=1000)
    done: list[dict[str, Any]] = []
    # The first of each kind loads packages and starts the program: it is counted, and not timed with the others.
    kinds = ["first follower", "first learner", *kinds[: runs - 2]]
    for n, kind in enumerate(kinds):
        if n == 2:
            print("ready", flush=True)
            sys.stdin.readline()  # all go on at once
        a, b = dice.randrange(100), dice.randrange(100)
        began = time.perf_counter()
        if kind == "added":
            step = Step(tool="run_cell", arguments={"code": f"value = {n}\nprint(value)"})
            trace = system.traces.add(Trace(goal=f"Keep the number {n} of kernel {number}", steps=[step]))
            done.append({"kind": kind, "s": time.perf_counter() - began, "trace": trace.id})
            continue
        goal, mode, wanted = {
            "learner": (f"Count to {n + 1} for kernel {number}", "learner", "success"),
            "broken": (f"Break {n + 1} for kernel {number}", "learner", "failed"),
            "unknown": (f"Fly to the moon of planet {n}", "follower", "failed"),
            "crystal": (f"Multiply {a} by {b}", "auto", "success"),
            "follower": (f"Multiply {a} by {b}", "follower", "success"),
        }[kind.removeprefix("first ")]
        with contextlib.redirect_stdout(io.StringIO()):
            result = await system.execute(goal, mode=mode)
        right = result.status == wanted
        if kind in ("crystal", "follower", "first follower"):
            right = right and system._own().names.get("product") == a * b
        done.append(
            {
                "kind": kind, "s": time.perf_counter() - began, "run": result.run_id, "cost": result.cost_usd,
                "trace": result.trace_id if mode == "learner" else None, "mode": result.mode,
                "wrong": "" if right else f"{goal}: {result.status}, {result.reason}",
            }
        )  # fmt: skip
    system.close()
    print("done " + json.dumps(done), flush=True)


def told(kernels: int, runs: int, learned: int) -> int:
    folder = clean()
    asyncio.run(prepare(folder))
    from llmos_nb import LLMOS, ledger_df, runs_df
    from llmos_nb.tools.namespace import PlainNamespace

    before = LLMOS("workspace", endpoint="scripted", namespace=PlainNamespace(), budget_usd=1000)
    spent, traces = before.economy.spent_usd(), {str(r["id"]) for r in before.traces.rows()}
    before.close()
    command = [sys.executable, __file__, "kernel"]
    processes = [
        subprocess.Popen(
            [*command, str(number), str(runs), str(learned)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(kernels)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    done: list[dict[str, Any]] = []
    dead = 0
    for process in processes:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        code = process.wait(60)
        if code:
            dead += 1
            print(f"    a kernel ended with {code}")
        done += json.loads(lines[-1].removeprefix("done ")) if lines and lines[-1].startswith("done ") else []
    took = time.perf_counter() - began

    system = LLMOS("workspace", endpoint="scripted", namespace=PlainNamespace(), budget_usd=1000)
    store = system.traces
    store.refresh()
    rows = [str(entry["id"]) for entry in store.rows()]
    files = [path.stem for path in (folder / "workspace" / "memory" / "traces").rglob("*.md")]
    unreadable = [one for one in rows if store.get(one).id != one]
    made = {one["trace"] for one in done if one.get("trace")}
    ran = [one for one in done if "run" in one]
    logged = runs_df("workspace")
    ids = [one["run"] for one in ran]
    costs = sum(one["cost"] or 0.0 for one in ran)
    ledger = ledger_df("workspace")
    booked = ledger[ledger["run_id"].isin(set(ids))]["cost_usd"].sum()
    checks = {
        "kernels that did not come to their end": dead,
        "runs that are missing": kernels * runs - len(done),
        "runs that ended otherwise than they should": sum(bool(one["wrong"]) for one in ran),
        "run ids that are there twice": len(ids) - len(set(ids)),
        "runs that no session log has": len(set(ids) - set(logged["run_id"])),
        "traces that are lost": len((traces | made) - set(rows)),
        "traces that nobody made": len(set(rows) - traces - made),
        "trace ids that are there twice": len(rows) - len(set(rows)) + len(files) - len(set(files)),
        "entries of the index that cannot be read": len(unreadable) + len(store.problems),
        "files that the index has not": len(set(files) ^ set(rows)),
        "nano-dollars between runs and ledger": round((booked - costs) * 1e9),
        "nano-dollars between ledger and economy": round((system.economy.spent_usd() - spent - costs) * 1e9),
        "dollars that are reserved still": system.economy.reserved_usd,
    }
    system.close()
    mix = collections.Counter(one["kind"] for one in done)
    row(f"{kernels} kernels with {runs} runs each", f"{took:.1f} s", f"{len(done) / took:.0f} a second")
    row("the mix", "", ", ".join(f"{count} {kind}" for kind, count in mix.most_common()))
    for kind in mix:
        times = [one["s"] for one in done if one["kind"] == kind]
        figures = "/".join(percentile(times, share) for share in (0.5, 0.95, 0.99))
        row(
            f"{kind}: p50/p95/p99",
            f"{figures} ms",
            f"worst {max(times) * 1e3:.0f}, mean {statistics.mean(times) * 1e3:.0f}",
        )
    for what, count in checks.items():
        row(what, f"{count:g}", "aim 0" if not count else "WRONG")
    for one in [one["wrong"] for one in ran if one["wrong"]][:5]:
        print("   ", one)
    return sum(bool(count) for count in checks.values())


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["kernel"]:
        asyncio.run(kernel(*map(int, given[1:])))
    else:
        chosen = [int(one) for one in given] + [KERNELS, RUNS, LEARNED][len(given) :]
        os.nice(5)
        sys.exit(1 if told(*chosen) else 0)
