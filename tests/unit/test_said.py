"""A single value as an answer says it."""

from __future__ import annotations

import pytest

from llmos_nb.learning.said import plainly


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("21.837837837837838", "21.8378"), ("2.0", "2.0"), ("1234567.891234567", "1234567.89"), ("123.45", "123.45"),
        ("0.30000000000000004", "0.3"), ("0.00123456789", "0.00123457"), ("-5.123456789", "-5.12346"), ("5", "5"),
        ("1.2345678901e-07", "1.23457e-07"), ("nan", "no value"), ("NaT", "no value"), ("(3, 4)", "(3, 4)"),
        ("Timestamp('2025-03-01 00:00:00')", "2025-03-01"), ("Timestamp('2025-03-01 13:05:00')", "2025-03-01 13:05"),
        ("Timestamp('2025-03-01 13:05:07')", "2025-03-01 13:05:07"), ("'Bonn'", "'Bonn'"), ("1.5 kg", "1.5 kg"),
    ],
)  # fmt: skip
def test_a_value_is_said_without_what_nobody_reads(text: str, said: str) -> None:
    assert plainly(text) == said
