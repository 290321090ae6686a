"""Tasks for the comparison with other memories: each with wordings, value sets and goals that only sound alike."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TASKS", "Task"]


@dataclass(frozen=True, slots=True)
class Task:
    """``goal``, ``wordings`` and ``misses`` are goals with places for values; ``program`` answers the first two."""

    goal: str
    program: str
    wordings: tuple[str, ...]
    misses: tuple[str, ...]
    values: tuple[dict[str, str], dict[str, str], dict[str, str]]


def _sets(names: str, *sets: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    first, second, third = (dict(zip(names.split(), one.split(), strict=True)) for one in sets)
    return first, second, third


TASKS = (
    Task(
        "Count the rows of {f} where {c} is above {n}",
        "SELECT count(*) FROM '{f}' WHERE {c} > {n}",
        ("How many rows of {f} have {c} above {n}?", "Tell me the number of rows in {f} where {c} is above {n}"),
        ("Count the rows of {f} where {c} is not above {n}", "Count the rows of {f} where {c} is below {n}"),
        _sets("f c n", "sales.csv price 10", "orders.csv weight 25", "rides.csv length 7"),
    ),
    Task(
        "Delete the rows of {f} with an empty {c}",
        "DELETE FROM '{f}' WHERE {c} IS NULL",
        ("Remove the rows of {f} that have an empty {c}", "Drop the rows with an empty {c} from {f}"),
        ("Delete the rows of {f} without an empty {c}", "Show the rows of {f} with an empty {c}"),
        _sets("f c", "visits.csv city", "patients.csv age", "trades.csv buyer"),
    ),
    Task(
        "Show the average {c} by {g} in {f}",
        "SELECT {g}, avg({c}) FROM '{f}' GROUP BY {g}",
        ("Display the mean {c} for each {g} in {f}", "What is the average {c} of every {g} in {f}?"),
        ("Show the total {c} by {g} in {f}", "Show the average {c} in {f}"),
        _sets("c g f", "bill_length species penguins.csv", "income region people.csv", "delay airline flights.csv"),
    ),
    Task(
        "Sort {f} by {c} in descending order",
        "SELECT * FROM '{f}' ORDER BY {c} DESC",
        ("Order {f} by {c}, descending", "Put {f} in descending order of {c}"),
        ("Sort {f} by {c} in ascending order", "Sort {f} by everything except {c} in descending order"),
        _sets("f c", "stocks.csv volume", "films.csv rating", "rivers.csv length"),
    ),
    Task(
        "List the {n} largest values of {c} in {f}",
        "SELECT {c} FROM '{f}' ORDER BY {c} DESC LIMIT {n}",
        ("Give me the {n} largest values of {c} from {f}", "Show the {n} biggest values of {c} in {f}"),
        ("List the {n} smallest values of {c} in {f}", "List all but the {n} largest values of {c} in {f}"),
        _sets("n c f", "5 price homes.csv", "12 height trees.csv", "3 depth lakes.csv"),
    ),
    Task(
        "Rename the column {a} to {b} in {f}",
        "ALTER TABLE '{f}' RENAME COLUMN {a} TO {b}",
        ("In {f}, rename column {a} to {b}", "Change the name of the column {a} to {b} in {f}"),
        ("Rename the column {b} to {a} in {f}", "Copy the column {a} to {b} in {f}"),
        _sets("a b f", "qty quantity stock.csv", "temp celsius weather.csv", "ts time sensors.csv"),
    ),
    Task(
        "Export {f} to {g} without the column {c}",
        "COPY (SELECT * EXCLUDE {c} FROM '{f}') TO '{g}'",
        ("Write {f} to {g} without the column {c}", "Save {f} as {g}, without the column {c}"),
        ("Export {f} to {g} with the column {c}", "Export {g} to {f} without the column {c}"),
        _sets("f g c", "users.csv public.csv email", "staff.csv list.csv salary", "calls.csv log.csv number"),
    ),
    Task(
        "Join {f} and {g} on {c}",
        "SELECT * FROM '{f}' JOIN '{g}' USING ({c})",
        ("Combine {f} and {g} on {c}", "Merge {f} with {g} on {c}"),
        ("Join {f} and {g} on everything but {c}", "Left join {f} and {g} on {c}"),
        _sets("f g c", "orders.csv clients.csv client_id", "books.csv loans.csv isbn", "teams.csv games.csv team"),
    ),
    Task(
        "Replace {a} with {b} in column {c} of {f}",
        "UPDATE '{f}' SET {c} = '{b}' WHERE {c} = '{a}'",
        ("In column {c} of {f}, replace {a} with {b}", "Substitute {b} for {a} in column {c} of {f}"),
        ("Replace {b} with {a} in column {c} of {f}", "Never replace {a} with {b} in column {c} of {f}"),
        _sets("a b c f", "'NY' 'New_York' state shops.csv", "'m' 'male' sex survey.csv", "'?' 'unknown' kind birds.csv"),
    ),
    Task(
        "Keep the first {n} rows of {f}",
        "SELECT * FROM '{f}' LIMIT {n}",
        ("Keep only the first {n} rows of {f}", "Take the first {n} rows of {f}"),
        ("Keep the last {n} rows of {f}", "Delete the first {n} rows of {f}"),
        _sets("n f", "100 log.csv", "40 events.csv", "7 notes.csv"),
    ),
    Task(
        "Fill the gaps in {c} of {f} with {n}",
        "UPDATE '{f}' SET {c} = {n} WHERE {c} IS NULL",
        ("In {f}, fill the gaps of {c} with {n}", "Fill missing {c} in {f} with {n}"),
        ("Fill the gaps in {c} of {f} with anything but {n}", "Count the gaps in {c} of {f} with {n}"),
        _sets("c f n", "rain climate.csv 0", "score exams.csv 50", "speed cars.csv 30"),
    ),
    Task(
        "Show the {c} of {f} between {d} and {e}",
        "SELECT {c} FROM '{f}' WHERE day BETWEEN '{d}' AND '{e}'",
        ("Display the {c} of {f} from {d} to {e}", "Print the {c} of {f} between {d} and {e}"),
        ("Show the {c} of {f} before {d} and after {e}", "Show the {c} of {f} outside {d} and {e}"),
        _sets(
            "c f d e", "usage power.csv 2025-01-01 2025-01-31", "price gold.csv 2024-05-01 2024-06-30",
            "level tides.csv 2023-03-01 2023-03-09",
        ),
    ),
)  # fmt: skip
