"""Tasks on samples."""

from __future__ import annotations

from typing import Final

from task import Steps, Task, Values, cell
from worlds import measurements

__all__ = ["TASKS"]

_Z: Final = {95: 1.96, 90: 1.645, 99: 2.576, 80: 1.282, 50: 0.674}


def _interval(v: Values) -> Steps:
    return [
        cell(
            f'values = samples["{v["column"]}"]',
            f"half = {_Z[v['level']]} * values.std() / len(values) ** 0.5",
            "interval = (values.mean() - half, values.mean() + half)",
            f'print(f"{v["level"]} % interval of {v["column"]}: {{interval[0]:.2f}} to {{interval[1]:.2f}}")',
        )
    ]


def _bootstrap(v: Values) -> Steps:
    return [
        cell(
            "import numpy as np",
            f"rng = np.random.default_rng({v['seed']})",
            f'values = samples["{v["column"]}"].to_numpy()',
            f"resampled = [np.{v['what']}(rng.choice(values, len(values))) for _ in range({v['n']})]",
            "low, high = np.percentile(resampled, [2.5, 97.5])",
            f'print(f"{v["what"]} of {v["column"]}: {{low:.2f}} to {{high:.2f}}")',
        )
    ]


def _difference(v: Values) -> Steps:
    return [
        cell(
            f'first = samples.loc[samples["group"] == "{v["a"]}", "{v["column"]}"]',
            f'second = samples.loc[samples["group"] == "{v["b"]}", "{v["column"]}"]',
            "difference = first.mean() - second.mean()",
            f'print(f"{v["a"]} - {v["b"]}: {{difference:+.2f}}")',
        )
    ]


def _percentile(v: Values) -> Steps:
    return [
        cell(
            "import numpy as np",
            f'p{v["p"]} = np.percentile(samples["{v["column"]}"], {v["p"]})',
            f'print(f"P{v["p"]} = {{p{v["p"]}:.2f}}")',
        )
    ]


def _outliers(v: Values) -> Steps:
    return [
        cell(
            f'z = (samples["{v["column"]}"] - samples["{v["column"]}"].mean()) / samples["{v["column"]}"].std()',
            f"clean = samples[z.abs() <= {v['k']}]",
            f'print(f"{{len(samples) - len(clean)}} rows are more than {v["k"]} standard deviations away")',
        )
    ]


def _fit(v: Values) -> Steps:
    return [
        cell(
            "import numpy as np",
            f'x, y = samples["{v["x"]}"], samples["{v["y"]}"]',
            f"coefficients = np.polyfit(x, y, {v['degree']})",
            "error = ((np.polyval(coefficients, x) - y) ** 2).mean()",
            'print(f"mean squared error {error:.2f}")',
        )
    ]


TASKS: Final = (
    Task(
        "confidence interval",
        (
            "Compute a {level} % confidence interval of the mean of {column} in samples",
            "What is the {level} % confidence interval for the mean {column} in samples?",
            "Give me the mean of {column} in samples as a {level} % confidence interval",
        ),
        (
            {"level": 95, "column": "height"},
            {"level": 90, "column": "weight"},
            {"level": 99, "column": "height"},
            {"level": 95, "column": "pulse"},
            {"level": 80, "column": "weight"},
        ),
        _interval,
        measurements,
        trap="a number from a table; answerable only for the level that was seen",
        refuse=frozenset({2, 4}),
    ),
    Task(
        "bootstrap",
        (
            "Bootstrap the {what} of {column} in samples with {n} resamples and seed {seed}",
            "With seed {seed}, bootstrap {n} times the {what} of {column} from samples",
            "Use {n} resamples (seed {seed}) to bootstrap the {what} of {column} in samples",
        ),
        (
            {"what": "mean", "column": "height", "n": 200, "seed": 1},
            {"what": "median", "column": "weight", "n": 300, "seed": 4},
            {"what": "median", "column": "height", "n": 250, "seed": 250},
            {"what": "std", "column": "pulse", "n": 100, "seed": 0},
            {"what": "mean", "column": "pulse", "n": 400, "seed": 2},
        ),
        _bootstrap,
        measurements,
        trap="the statistic is a function's name; n and seed equal",
        answer="The 95 % interval of the {last}.",
    ),
    Task(
        "difference of groups",
        (
            "How much larger is {column} in samples for {a} than for {b}?",
            "Compute the mean {column} of {a} minus that of {b} in samples",
            "In samples, subtract the mean {column} of {b} from that of {a}",
        ),
        (
            {"column": "weight", "a": "drug", "b": "control"},
            {"column": "pulse", "a": "placebo", "b": "drug"},
            {"column": "height", "a": "control", "b": "drug"},
            {"column": "weight", "a": "control", "b": "placebo"},
            {"column": "pulse", "a": "drug", "b": "drug"},
        ),
        _difference,
        measurements,
        trap="the groups come in another order in another phrasing; one twice",
        answer="{last}",
    ),
    Task(
        "percentile",
        (
            "Compute the {p}th percentile of {column} in samples",
            "What is the {p}th percentile of the {column} in samples?",
            "For {column} in samples, show the {p}th percentile",
        ),
        (
            {"p": 90, "column": "height"},
            {"p": 75, "column": "weight"},
            {"p": 10, "column": "pulse"},
            {"p": 99, "column": "height"},
            {"p": 50, "column": "weight"},
        ),
        _percentile,
        measurements,
        trap="a variable named after the number",
        answer="{last}",
    ),
    Task(
        "outliers",
        (
            "Drop the rows of samples where {column} is more than {k} standard deviations from the mean, as clean",
            "Put into clean the rows of samples whose {column} is within {k} standard deviations of the mean",
            "clean is samples without rows with a {column} more than {k} standard deviations from its mean",
        ),
        (
            {"column": "height", "k": 2},
            {"column": "weight", "k": 1.5},
            {"column": "pulse", "k": 1},
            {"column": "height", "k": 3},
            {"column": "weight", "k": 0.5},
        ),
        _outliers,
        measurements,
        answer="{last}.",
    ),
    Task(
        "polynomial",
        (
            "Fit a polynomial of degree {degree} of {y} on {x} in samples",
            "In samples, fit {y} by a polynomial of degree {degree} in {x}",
            "How well does a polynomial of degree {degree} in {x} fit {y} in samples?",
        ),
        (
            {"degree": 2, "y": "weight", "x": "height"},
            {"degree": 1, "y": "pulse", "x": "weight"},
            {"degree": 3, "y": "height", "x": "pulse"},
            {"degree": 2, "y": "height", "x": "weight"},
            {"degree": 1, "y": "group", "x": "height"},
        ),
        _fit,
        measurements,
        trap="the degree equals the power of the error; a column of text",
        refuse=frozenset({4}),
    ),
)
