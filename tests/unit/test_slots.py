"""Goals and the values in them: what is lifted, as what, and what must stay in the template."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from llmos_nb.memory.slots import KINDS, Slot, lift

D = Decimal


def only(goal: str) -> Slot:
    slots = lift(goal).slots
    assert len(slots) == 1, slots
    return slots[0]


TEMPLATES = [
    # numbers
    ("Create a 3-qubit GHZ state", "Create a {integer}-qubit {identifier} state"),
    ("Make a 2x2 grid of 3d plots, 5x larger", "Make a {integer}x{integer_2} grid of 3d plots, {integer_3}x larger"),
    ("resize to 1920×1080", "resize to {integer}×{integer_2}"),
    ("split 80/20", "split {integer}/{integer_2}"),
    ("top-5 rows", "top-{integer} rows"),
    ("set alpha=0.05, n=5 and lr=1e-4", "set alpha={decimal}, n={integer} and lr={decimal_2}"),
    ("df[1:10]", "df[{integer}:{integer_2}]"),
    ('a 5" disk and a 6" disk', 'a {integer}" disk and a {integer_2}" disk'),
    ("In 2024, 5 files", "In {integer}, {integer_2} files"),
    ("ask 2 in the list", "ask {integer} in the list"),
    ("5 m/min", "{integer} m/min"),
    ("5 A and 6 B", "{integer} A and {integer_2} B"),
    # operators and signs
    ("rows with x>5 and y<=-2", "rows with x>{integer} and y<={integer_2}"),
    ("10/2, 3*4 or 2**8", "{integer}/{integer_2}, {integer_3}*{integer_4} or {integer_5}**{integer_6}"),
    ("5! is not ±7", "{integer}! is not ±{integer_2}"),
    ("a-5, x - 5, (a)-5, 3 - 5", "a-{integer}, x - {integer_2}, (a)-{integer_3}, {integer_4} - {integer_5}"),
    ("+5 and -5", "+{integer} and {integer_2}"),
    ("10-2", "{integer}-{integer_2}"),
    ("x%2 and 5 % 3 and 5 % n", "x%{integer} and {integer_2} % {integer_3} and {integer_4} % n"),
    ("Compile it with C++ and C#, not R", "Compile it with C++ and C#, not R"),
    ("x > 5 and 3 < y", "x > {integer} and {integer_2} < y"),
    ("5 and 7 // 2", "{integer} and {integer_2} // {integer_3}"),
    ("5 * 2 and 3", "{integer} * {integer_2} and {integer_3}"),
    ("2 and 3-qubit", "{integer} and {integer_2}-qubit"),
    ("1/2, 1/3 and 1/4", "{integer}/{integer_2}, {integer_3}/{integer_4} and {integer_5}/{integer_6}"),
    ("3-4-5", "{integer}-{integer_2}-{integer_3}"),
    # words that say how much, and pronouns
    ("the first three and last two rows", "the first {integer} and last {integer_2} rows"),
    ("the second half, per second, each second", "the second half, per second, each second"),
    ("this one, one of them, the one that fits", "this one, one of them, the one that fits"),
    ("one-hot encode them one by one, no one else", "one-hot encode them one by one, no one else"),
    ("a third of the rows, a third-party tool", "a third of the rows, a third-party tool"),
    ("non-zero entries, zero-shot", "non-zero entries, zero-shot"),
    ("the 1990s and the 90s", "the 1990s and the 90s"),
    ("do NOT delete it, DROP nothing", "do NOT delete it, DROP nothing"),
    ("LOAD THE FILE AND COUNT ROWS", "LOAD THE FILE AND COUNT ROWS"),
    ("SELECT name FROM users WHERE age > 30 LIMIT 5", "SELECT name FROM users WHERE age > {integer} LIMIT {integer_2}"),
    # paths and the like, or not
    ("red and/or blue, his/her, km/h, input/output", "red and/or blue, his/her, km/h, input/output"),
    ("df.a/df.b", "{identifier}/{identifier_2}"),
    ("np.log(x) and run.log", "{identifier}(x) and {path}"),
    ("e.g. this, i.e. that", "e.g. this, i.e. that"),
    # names
    ("Load it. Then count. Boston is big", "Load it. Then count. Boston is big"),
    ("Plot The Mean Of Sales By Region", "Plot The Mean Of Sales By Region"),
    ("Steps:\n- Load\n- Count\n1. Plot", "Steps:\n- Load\n- Count\n{integer}. Plot"),
    ("and I'll say: Don't", "and I'll say: Don't"),
    ("so I think Don't works", "so I think Don't works"),
    ("Is Prof. Meek there?", "Is Prof. {name} there?"),
    ("Ask Prof. Ada Lind-larsen for it", "Ask Prof. {name} for it"),
    ("the books of Pat O'hara", "the books of {name}"),
    ("the books by Lou D'arcy-wells now", "the books by {name} now"),
    ("the New York-based airlines", "the {name}-based airlines"),
    ("the Gaussian-shaped curve", "the {name}-shaped curve"),
    ("Boston's data, see Boston's", "Boston's data, see {name}'s"),
    ("Plot the WHO cases for the US", "Plot the {identifier} cases for the {identifier_2}"),
    ("Who gave it to us? Show it up front", "Who gave it to us? Show it up front"),
    ("Do NOT show ALL rows", "Do NOT show ALL rows"),
    # braces and quotes stay outside
    ("fill {a} and {{b}} with {3}", "fill {{a}} and {{{{b}}}} with {{{integer}}}"),
    ("it's the dogs' \"new bone\"", "it's the dogs' \"{quoted}\""),
    ("say 'don't stop' to `df`", "say '{quoted}' to `{code}`"),
    ("a lone \" and a lone ` and it's", "a lone \" and a lone ` and it's"),
    ("``x`y``", "``{code}``"),
    # a value never begins inside a word
    ("x2y and df_2 and H2O", "{list}"),
    ("3f2a9c1b", "3f2a9c1b"),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "template"), TEMPLATES)
def test_template(goal: str, template: str) -> None:
    lifted = lift(goal)
    assert lifted.template == template
    assert lifted.fill() == goal
    assert lifted.template.format(**{slot.name: slot.text for slot in lifted.slots}) == goal


VALUES = [
    ("add 5", "integer", "5", 5, ""),
    ("add -2", "integer", "-2", -2, ""),
    ("add −2", "integer", "−2", -2, ""),
    ("use 1,234,567 rows", "integer", "1,234,567", 1234567, ""),
    ("use 1_000 rows", "integer", "1_000", 1000, ""),
    ("top 10k rows", "integer", "10k", 10000, ""),
    ("5 million rows", "integer", "5 million", 5_000_000, ""),
    ("mask 0x1F", "integer", "0x1F", 31, ""),
    ("add 1,234.5", "decimal", "1,234.5", D("1234.5"), ""),
    ("lr of 1e-3", "decimal", "1e-3", D("0.001"), ""),
    ("lr of .5", "decimal", ".5", D("0.5"), ""),
    ("add 0.1", "decimal", "0.1", D("0.1"), ""),
    ("twenty-five rows", "integer", "twenty-five", 25, ""),
    ("a dozen rows", "integer", "a dozen", 12, ""),
    ("half a dozen rows", "integer", "half a dozen", 6, ""),
    ("two hundred and fifty shots", "integer", "two hundred and fifty", 250, ""),
    ("three thousand five hundred shots", "integer", "three thousand five hundred", 3500, ""),
    ("Three circles", "integer", "Three", 3, ""),
    ("show one row", "integer", "one", 1, ""),
    ("three-qubit", "integer", "three", 3, ""),
    ("10% of it", "percent", "10%", 10, "%"),
    ("2.5 percent of it", "percent", "2.5 percent", D("2.5"), "%"),
    ("ten per cent", "percent", "ten per cent", 10, "%"),
    ("5 % of it", "percent", "5 %", 5, "%"),
    ("pay $5", "money", "$5", 5, "USD"),
    ("pay 5 EUR", "money", "5 EUR", 5, "EUR"),
    ("pay €3.20", "money", "€3.20", D("3.20"), "EUR"),
    ("lose -$1.5M", "money", "-$1.5M", -1_500_000, "USD"),
    ("pay GBP 20", "money", "GBP 20", 20, "GBP"),
    ("2 million dollars", "money", "2 million dollars", 2_000_000, "USD"),
    ("pay ¥500", "money", "¥500", 500, "¥"),
    ("the 3rd row", "ordinal", "3rd", 3, ""),
    ("the third column", "ordinal", "third", 3, ""),
    ("the second column", "ordinal", "second", 2, ""),
    ("the twenty-first row", "ordinal", "twenty-first", 21, ""),
    ("move 30cm", "quantity", "30cm", D("0.3"), "m"),
    ("move 0.3 m", "quantity", "0.3 m", D("0.3"), "m"),
    ("move -45 degrees", "quantity", "-45 degrees", -45, "deg"),
    ("turn 90°", "quantity", "90°", 90, "deg"),
    ("turn 1.57 rad", "quantity", "1.57 rad", D("1.57"), "rad"),
    ("at 0.5 m/s", "quantity", "0.5 m/s", D("0.5"), "m/s"),
    ("at 36 km/h", "quantity", "36 km/h", 36, "km/h"),
    ("at 9.81 m/s^2", "quantity", "9.81 m/s^2", D("9.81"), "m/s²"),
    ("lift 500 g", "quantity", "500 g", D("0.5"), "kg"),
    ("lift 2 lbs", "quantity", "2 lbs", D("0.90718474"), "kg"),
    ("wait 90s", "quantity", "90s", 90, "s"),
    ("wait 5 minutes", "quantity", "5 minutes", 300, "s"),
    ("a 30-minute wait", "quantity", "30-minute", 1800, "s"),
    ("2 weeks", "quantity", "2 weeks", 14, "day"),
    ("1 year", "quantity", "1 year", 12, "month"),
    ("read 512 MB", "quantity", "512 MB", 512_000_000, "B"),
    ("read 4 KiB", "quantity", "4 KiB", 4096, "B"),
    ("sample at 2.4GHz", "quantity", "2.4GHz", 2_400_000_000, "Hz"),
    ("cool to 15 mK", "quantity", "15 mK", D("0.015"), "K"),
    ("heat to 20 °C", "quantity", "20 °C", 20, "°C"),
    ("heat to 20 degrees Celsius", "quantity", "20 degrees Celsius", 20, "°C"),
    ("heat to 68 °F", "quantity", "68 °F", 68, "°F"),
    ("five meters left", "quantity", "five meters", 5, "m"),
    ("a 5in pipe", "quantity", "5in", D("0.127"), "m"),
    ("on 2026-11-22", "date", "2026-11-22", "2026-11-22", ""),
    ("on 2026/1/2", "date", "2026/1/2", "2026-01-02", ""),
    ("on 22 Nov 2026", "date", "22 Nov 2026", "2026-11-22", ""),
    ("on the 22nd of November 2026", "date", "22nd of November 2026", "2026-11-22", ""),
    ("on November 22, 2026", "date", "November 22, 2026", "2026-11-22", ""),
    ("on 22/11/2026", "date", "22/11/2026", "22/11/2026", ""),
    ("in 2026-11", "date", "2026-11", "2026-11", ""),
    ("in Nov 2026", "date", "Nov 2026", "2026-11", ""),
    ("on May 5", "date", "May 5", "--05-05", ""),
    ("sales of May", "date", "May", "--05", ""),
    ("at 10:30", "time", "10:30", "10:30", ""),
    ("at 9:05:30", "time", "9:05:30", "09:05:30", ""),
    ("at 5pm", "time", "5pm", "17:00", ""),
    ("at 12:15 a.m. sharp", "time", "12:15 a.m.", "00:15", ""),
    ("at 2026-11-22T10:30:00Z", "datetime", "2026-11-22T10:30:00Z", "2026-11-22T10:30:00Z", ""),
    ("at 2026-11-22 10:30", "datetime", "2026-11-22 10:30", "2026-11-22T10:30", ""),
    ('say "hello world"', "quoted", "hello world", "hello world", ""),
    ("say “hello”", "quoted", "hello", "hello", ""),
    ('say ""', "quoted", "", "", ""),
    ("run `df.head()`", "code", "df.head()", "df.head()", ""),
    ("run ```\nx = 1\n```", "code", "\nx = 1\n", "\nx = 1\n", ""),
    ("sum bill_length_mm", "identifier", "bill_length_mm", "bill_length_mm", ""),
    ("sum billLength", "identifier", "billLength", "billLength", ""),
    ("sum df.sales now", "identifier", "df.sales", "df.sales", ""),
    ("take EECS now", "identifier", "EECS", "EECS", ""),
    ("take Q3 now", "identifier", "Q3", "Q3", ""),
    ("in CS-LSA now", "identifier", "CS-LSA", "CS-LSA", ""),
    ("agent 007", "identifier", "007", "007", ""),
    ("install 1.26.4 now", "identifier", "1.26.4", "1.26.4", ""),
    ("use 550e8400-e29b-41d4-a716-446655440000", "identifier", "550e8400-e29b-41d4-a716-446655440000",
     "550e8400-e29b-41d4-a716-446655440000", ""),
    ("load data/a.csv.", "path", "data/a.csv", "data/a.csv", ""),
    ("load a.csv, now", "path", "a.csv", "a.csv", ""),
    ("load my-file.v2.tar.gz", "path", "my-file.v2.tar.gz", "my-file.v2.tar.gz", ""),
    ("load 2024-01-05.csv", "path", "2024-01-05.csv", "2024-01-05.csv", ""),
    ("list ~/x", "path", "~/x", "~/x", ""),
    ("list ../x/y", "path", "../x/y", "../x/y", ""),
    ("list /tmp", "path", "/tmp", "/tmp", ""),
    ("list data/", "path", "data/", "data/", ""),
    ("list data/*.csv", "path", "data/*.csv", "data/*.csv", ""),
    ("list *.csv", "path", "*.csv", "*.csv", ""),
    ("load C:\\x\\y.txt", "path", "C:\\x\\y.txt", "C:\\x\\y.txt", ""),
    ("get https://a.org/b?c=d.", "url", "https://a.org/b?c=d", "https://a.org/b?c=d", ""),
    ("(see https://a.org/b_(c))", "url", "https://a.org/b_(c)", "https://a.org/b_(c)", ""),
    ("read s3://bucket/key.csv", "url", "s3://bucket/key.csv", "s3://bucket/key.csv", ""),
    ("write to a.b@c.org!", "email", "a.b@c.org", "a.b@c.org", ""),
    ("fly to Boston", "name", "Boston", "Boston", ""),
    ("fly to New York", "name", "New York", "New York", ""),
    ("ask Barbra Meek", "name", "Barbra Meek", "Barbra Meek", ""),
    ("ask John F. Kennedy", "name", "John F. Kennedy", "John F. Kennedy", ""),
    ("ask Jean-Luc Picard", "name", "Jean-Luc Picard", "Jean-Luc Picard", ""),
    ("at University of Michigan", "name", "University of Michigan", "University of Michigan", ""),
    ("ask Ludwig van Beethoven", "name", "Ludwig van Beethoven", "Ludwig van Beethoven", ""),
    ("ask Ronald McDonald", "name", "Ronald McDonald", "Ronald McDonald", ""),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "kind", "text", "value", "unit"), VALUES)
def test_value(goal: str, kind: str, text: str, value: Any, unit: str) -> None:
    slot = only(goal)
    assert (slot.kind, slot.text, slot.value, slot.unit) == (kind, text, value, unit)
    assert slot.name == kind
    assert goal[slot.start : slot.end] == text
    assert type(slot.value) is type(value)
    assert slot.kinds[0] == kind in KINDS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("30cm", "0.3 m"),
        ("1 h", "60 minutes"),
        ("5%", "5 percent"),
        ("$5", "5 dollars"),
        ("1,000", "1000"),
        ("1e3", "1000.0"),
        ("twelve", "a dozen"),
        ("3rd row", "third row"),
        ("22 Nov 2026", "November 22, 2026"),
        ("5pm", "17:00"),
    ],
)
def test_two_ways_to_say_one_value(one: str, other: str) -> None:
    left, right = only(f"see {one}"), only(f"see {other}")
    assert (left.kind, left.value, left.unit) == (right.kind, right.value, right.unit)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("00", "000"),
        ("01", "1"),
        ("5 days", "120 hours"),
        ("1 month", "30 days"),
        ("20 °C", "20 K"),
        ("20 °C", "68 °F"),
        ("180 deg", "3.14159 rad"),
        ("36 km/h", "10 m/s"),
        ("1 kB", "1 KiB"),
        ("10 bps", "10 bit/s"),
        ("5%", "0.05"),
        ("$5", "5 EUR"),
        ("22/11/2026", "11/22/2026"),
        ("3 or 5", "3 and 5"),
        ("3-5", "5 to 3"),
    ],
)
def test_two_values_that_are_not_one(one: str, other: str) -> None:
    left, right = only(f"see {one}"), only(f"see {other}")
    assert (left.kind, left.value, left.unit) != (right.kind, right.value, right.unit)


@pytest.mark.parametrize(
    ("factor", "unit", "metres"), [("0.1", "mm", "0.0001"), ("0.7", "in", "0.01778"), ("1e-9", "km", "1e-6")]
)
def test_units_are_exact(factor: str, unit: str, metres: str) -> None:
    assert only(f"{factor}{unit}").value == D(metres)


def test_long_numbers_are_never_rounded() -> None:
    digits = "1234567890123456789012345678901234567890"
    assert only(f"{digits}.5 cm").value == D("12345678901234567890123456789012345678.905")
    assert only(digits).value == int(digits)
    assert only("9" * 5000).kind == "identifier"


@pytest.mark.parametrize("text", ["2026-13-45", "30 February 2026", "2026-02-30", "25:00", "13pm"])
def test_no_such_moment(text: str) -> None:
    assert not {slot.kind for slot in lift(f"see {text}").slots} & {"datetime", "time"}
    assert all(slot.text != text for slot in lift(f"see {text}").slots)


def test_names_are_numbered_from_the_second_on() -> None:
    lifted = lift("copy a.csv to b.csv then to c.csv in 5 s")
    assert [slot.name for slot in lifted.slots] == ["path", "path_2", "path_3", "quantity"]
    assert lifted.pieces == ("copy ", " to ", " then to ", " in ", "")


def test_fill_puts_other_texts_in() -> None:
    lifted = lift('Load "a b.csv" and plot 3 columns')
    assert lifted.fill({"quoted": "c.csv", "integer": "4"}) == 'Load "c.csv" and plot 4 columns'


def test_quoted_text_tells_what_it_would_be_without_quotes() -> None:
    assert only('load "data/a.csv"').kinds == ("quoted", "path")
    assert only("use `bill_length`").kinds == ("code", "identifier")
    assert only('say "a.csv is bad"').kinds == ("quoted",)


@pytest.mark.parametrize("goal", ["", " ", "\n", "plain words only.", "{}", "}{", "x' y", "( . , - )"])
def test_nothing_to_lift(goal: str) -> None:
    lifted = lift(goal)
    assert lifted.slots == ()
    assert lifted.pieces == (goal,)
    assert lifted.template.format() == lifted.fill() == goal
