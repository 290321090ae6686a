"""Goals about notebook work, made from templates: for benches that need many of them."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Made", "made", "templates"]

#: ``{…}`` is a value, ``<…>`` one of several words.
_FRAMES = (
    "<load> {path}, <drop> incomplete rows and <show> the <mean> of {column} by {column}",
    "<show> the <mean> of {column} for every {column} in {path}",
    "<plot> {column} against {column} by {column} and save it as {path}",
    "<draw> of {column} with {integer} bins",
    "<count> the rows of {path} where {column} is above {number}",
    "<count> how many <things> in {path} have no {column}",
    "<list> the {integer} <largest> values of {column} in {path}",
    "<join> {path} and {path} on {column} and <keep> the rows with {column} below {number}",
    "<create> a quantum circuit with {integer} qubits and <measure> it {integer} times",
    "<move> the robot {quantity} <direction>, turn it by {quantity} and <report> where it is",
    "<rename> the column {column} to {column} in {path}",
    "<write> a summary of {path} with {integer} <sentences> to {path}",
    "<resample> {column} to {quantity} and <show> the <mean>",
    "<fit> a model of {column} on {column} and {column} with a test share of {number}",
    "<query> {path} for the {integer} <things> with the <largest> {column}",
)
_WORDS = {
    "load": "load read open fetch import", "drop": "drop remove leave_out skip", "show": "show print display give tabulate",
    "mean": "mean median sum maximum minimum standard_deviation", "plot": "plot draw chart scatter",
    "draw": "draw_a_histogram show_the_distribution make_a_density_plot plot_a_histogram",
    "count": "count tell_me find_out report", "things": "rows customers orders patients samples",
    "list": "list show print name", "largest": "largest smallest newest oldest", "join": "join merge combine match",
    "keep": "keep show save", "create": "create make build prepare", "measure": "measure run sample",
    "move": "move drive send", "direction": "forward back to_the_left to_the_right", "report": "report say print",
    "rename": "rename change", "write": "write save", "sentences": "sentences paragraphs points",
    "resample": "resample average aggregate", "fit": "fit train estimate", "query": "query ask search",
}  # fmt: skip
_COLUMNS = (
    "price", "age", "weight", "bill_length_mm", "body_mass_g", "species", "island", "region", "year",
    "score", "latency", "income", "height",
)  # fmt: skip
_NAMES = ("penguins", "sales", "orders", "patients", "sensors", "flights", "rides", "weather", "trades", "visits")


@dataclass(frozen=True, slots=True)
class Made:
    """A goal, its text with the values masked, the kinds of those values in order, and code with them in it."""

    goal: str
    masked: str
    kinds: tuple[str, ...]
    code: str


def templates() -> list[str]:
    """Every wording of every frame: some hundreds."""
    found = []
    for frame in _FRAMES:
        parts = frame.replace("<", ">").split(">")
        choices = [_WORDS[part].split() if at % 2 else [part] for at, part in enumerate(parts)]
        found += ["".join(chosen).replace("_", " ") for chosen in itertools.product(*choices)]
    return found


def made(count: int, seed: int = 0) -> Iterator[Made]:
    """``count`` goals; some templates are used a hundred times as often as others, as in life."""
    rng = random.Random(seed)
    frames = templates()
    rng.shuffle(frames)
    for _ in range(count):
        frame = frames[
            min(int(rng.paretovariate(0.35)) - 1, len(frames) - 1)
            if rng.random() < 0.7
            else rng.randrange(len(frames))
        ]
        pieces = frame.replace("{", "}").split("}")
        kinds = tuple(pieces[1::2])
        for at in range(1, len(pieces), 2):
            pieces[at] = _value(pieces[at], rng)
        values = [piece.strip("`") for piece in pieces[1::2]]
        name = "_".join(re.findall(r"[a-z]+", "".join(pieces[::2])))
        code = f"from work import {name}\nresult = {name}({', '.join(map(repr, values))})\nresult"
        yield Made("".join(pieces), frame, kinds, code)


def _value(kind: str, rng: random.Random) -> str:
    if kind == "path":
        return f"{rng.choice(_NAMES)}-{rng.randrange(100_000)}.{rng.choice(('csv', 'parquet', 'png', 'md'))}"
    if kind == "column":
        return f"`{rng.choice(_COLUMNS)}_{rng.randrange(1000)}`"
    if kind == "quantity":
        return f"{rng.randrange(1, 500)} {rng.choice(('cm', 'm', 'min', 'degrees'))}"
    return str(rng.randrange(1, 1000)) if kind == "integer" else f"{rng.randrange(1000) / 100}"
