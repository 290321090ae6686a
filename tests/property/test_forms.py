"""Masking a program's texts: the short way and the long one say the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.memory.forms import without_texts

#: Few letters, so that texts meet, overlap and stand in words.
letters = st.sampled_from(list("aAbB1_ .%'"))


@given(st.text(letters, max_size=20), st.lists(st.text(letters, min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_letter_beyond_ascii_behind_it_changes_no_mask(value: str, said: list[str]) -> None:
    texts = tuple(sorted({text.lower() for text in said}, key=len, reverse=True))
    assert without_texts(f"{value}\né", texts) == f"{without_texts(value, texts)}\né"


def test_only_whole_words_are_masked_the_longest_first() -> None:
    texts = ("new york", "york", "eur")
    assert without_texts("city = 'New York' or town = 'YORK'", texts) == "city = '<text>' or town = '<text>'"
    assert without_texts("europe, eur_rate, 2eur, eur", texts) == "europe, <text>_rate, 2eur, <text>"
