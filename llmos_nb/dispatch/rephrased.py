"""A goal said so that it can be read by itself: with the table in the place of "them", and one question at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from llmos_nb.tools.referring import pointing, second_question
from llmos_nb.tools.tables import Table

__all__ = ["no_such_table", "rephrased"]


def rephrased(goal: str, tables: Sequence[Table]) -> Iterator[str]:
    """Ways to say ``goal`` that may be meant, of each of the ``tables``; none where it points at nothing and asks once."""
    if (at := second_question(goal)) >= 0:
        first, second = goal[:at].strip(" ,;"), re.sub(r"^[ ,;]*(?:and|or|plus)?[ ,]*", "", goal[at:])
        yield from (first, second)
        yield from (f"{half} in {table.name}" for half in (first, second) for table in tables)
        return
    word = pointing(goal)
    spelled = re.escape(word)
    for table in tables if word else ():
        if goal.lower().startswith("how many"):
            yield re.sub(
                r"^how many(?: of (?:them|those|these))?", f"how many {table.name}", goal, flags=re.IGNORECASE
            )
            yield f"how many {table.name} are there"
            continue
        yield re.sub(rf"\b(?:of|in|for|from) {spelled}\b", f"of {table.name}", goal)
        yield re.sub(rf"\b(of|in|for) {spelled} (?!of\b|in\b)(.*)$", rf"\1 \2 in {table.name}", goal)
        if word.lower() in ("their", "its"):
            yield f"{re.sub(rf'{spelled} ', '', goal)} in {table.name}"
        yield re.sub(rf"\b{spelled}\b(?: (?:rows?|ones?|{re.escape(table.name)})\b)?", table.name, goal)
        without = " ".join(re.sub(rf"\b(?:of )?{spelled}\b", "", goal).split())
        yield f"{without} in {table.name}"


def no_such_table(goal: str, tables: Sequence[Table]) -> Iterator[tuple[str, str]]:
    """The word that may stand for a table that is not there, with the goal said of each of the ``tables`` instead."""
    match = re.search(r"\b(?:in|of|from|for) (?:the )?(?P<said>[^\W\d]\w*)[ .?!]*$", goal)
    if match is not None:
        for table in tables:
            yield match["said"], f"{goal[: match.start('said')]}{table.name}"
