"""Any fact that can be made is read back from its file as it was, to the byte."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.errors import FactError, FactFileError
from llmos_nb.memory.facts.codec import dump, parse
from llmos_nb.memory.facts.fact import STATUSES, Fact, checked_text, id_of
from llmos_nb.memory.facts.told import tokens_of, told

WORDS = st.text(min_size=1, max_size=60)
TEXTS = st.text(min_size=1, max_size=300) | st.from_regex(r"(---|#|- |`{3}|\w+: )[^\n]{0,20}(\n[^\n]{0,20}){0,5}")
NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,40}", fullmatch=True)
EXTRA = st.dictionaries(NAMES, WORDS, max_size=3)


@given(
    TEXTS,
    WORDS,
    st.lists(WORDS, max_size=4),
    NAMES,
    st.sampled_from(STATUSES),
    st.dictionaries(NAMES, WORDS, max_size=3),
)
def test_what_is_written_is_read(
    text: str, source: str, tags: list[str], other: str, status: str, extra: dict[str, str]
) -> None:
    try:
        plain = checked_text(text)
    except FactError:
        return
    id = id_of(plain)
    fact = Fact(
        plain, id, "2026-11-22T07:41:03Z", source, tuple(tags), "p", other, other, status,
        {f"x_{name}": value for name, value in extra.items()},
    )  # fmt: skip
    try:
        written = dump(fact)
    except FactFileError:
        return  # half a character, which no file holds
    assert parse(written, f"{id}.md") == fact
    assert dump(parse(written, f"{id}.md")) == written
    assert parse(written.replace("\n", "\r\n"), f"{id}.md") == fact, "an editor's or git's line ends"


@given(st.text(max_size=400))
def test_any_text_is_a_fact_or_a_clear_refusal(text: str) -> None:
    for whole in (text, f"---\n{text}\n---\nx", f"---\n---\n{text}"):
        try:
            parse(whole, "a.md")
        except FactFileError as error:
            assert str(error).startswith("a.md:")


@given(st.lists(TEXTS | st.text(st.characters(codec="utf-8"), min_size=1, max_size=200), max_size=6))
def test_whatever_facts_say_each_is_one_line_of_data_to_a_model(texts: list[str]) -> None:
    facts = []
    for text in texts:
        try:
            facts.append(Fact(checked_text(text), "a", "2026-11-22T07:41:03Z", "agent:x run:y"))
        except FactError:
            continue
    block = "\n".join(told(fact) for fact in facts)
    lines = block.splitlines()
    assert len(lines) == len(facts) and not set("<>") & set(block) and block.replace("\n", "").isprintable()
    for line, fact in zip(lines, facts, strict=True):
        text, end = json.JSONDecoder().raw_decode(line.removeprefix("- "))
        assert text == fact.text and json.loads(line.removeprefix("- ")[end:])["from"] == "agent:x"
    assert tokens_of(block) >= len(block) / 2
