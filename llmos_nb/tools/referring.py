"""Goals that say nothing by themselves: they point at something said before, or break off.

Whoever types "average score of them" has the rows of the last answer in mind. A goal is looked up by itself, so that
"them" would be read as the whole table: such a goal is not taken for one that names nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

__all__ = ["pointing", "second_question", "unfinished"]

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^'\s]+'|`[^`]*`")
#: "This table" is the table; "those with", "that have" say themselves which.
_TABLE: Final = (
    r"(?:data ?frame|data ?set|table|data|spreadsheet|df|file|folder|notebook|column|year|month|week|day|quarter)\b"
)
_BACK: Final = re.compile(
    r"\b(?P<pronoun>them|themselves|they|theirs?|(?<!\bis )(?<!\bwas )it|its|itself|he|him|his|she|her|hers"
    r"|these|those|such"
    rf"|this(?! {_TABLE})"
    r"|that(?=[ .?!…]*$)|(?<=\bof )that|(?<=\bfor )that|(?<=\bin )that|(?<=\bsort )that|(?<=\bplot )that"
    r"|(?:the )?same(?= (?:ones?|rows|again|for|but|as)\b|[ .?!…]*$)"
    r"|the (?:results?|selection|subset|selected|filtered|remaining|rest|former|latter|ones?)"
    r"(?! (?:with|where|that|which)\b))"
    r"\b",
    re.IGNORECASE,
)
#: A goal that goes on with the last one.
_GOES_ON: Final = re.compile(
    r"^(?P<pronoun>and|or|but|then|now|also|next|instead|again|(?:and )?(?:what|how) about|same)\b(?=,? \w)",
    re.IGNORECASE,
)
#: Counts what it does not name.
_UNNAMED: Final = re.compile(
    r"^(?:(?:so|and) )?(?P<pronoun>how many)(?:(?= (?:are|is|were|was|have|has|had|do|did|of|with|in|from|more|less)\b)"
    r"|(?= (?:there|left|remain|total|altogether)\b)|[ .?!…]*$)|^(?P<alone>count)[ .?!…]*$",
    re.IGNORECASE,
)
#: Behind these something must come.
_OPEN: Final = re.compile(
    r"\b(?P<word>of|in|by|per|for|with|without|and|or|where|whose|which|than|the|an?|to|from|as|each|every|between|above|below"
    r"|under|against|versus|vs|using|via|not|at|on|into|equals|contains|called|named)[ .?!…,:]*$"
)
#: "What is the highest price and who has it" asks twice.
_TWICE: Final = re.compile(
    r"(?:,|;|\band\b|\bplus\b|\bor\b)[ ,]*(?:then |also |tell me |say |show me |show )*"
    r"(?P<second>(?:who|whom|whose|what|what's|when|where|why|how|which|if|whether"
    r"|(?:is|are|was|were|does|do|did) (?:it|they|there|the)\b)\b.+)$",
    re.IGNORECASE,
)


def pointing(goal: str, named: Collection[str] = ()) -> str:
    """What ``goal`` points back with ("them", "the rest"), as it stands there; empty where it points at nothing before it.

    What is ``named`` there, a table or a file, is what a pronoun behind it stands for.
    """
    bare = _QUOTED.sub(lambda match: "_" * len(match[0]), goal)
    first = min((place for name in named if (place := bare.find(name)) >= 0), default=len(bare))
    if first == len(bare) and (found := _GOES_ON.match(bare) or _UNNAMED.match(bare)):
        return found["pronoun"] or found[0].strip(" .?!…")
    match = _BACK.search(bare)
    return match["pronoun"] if match is not None and match.start() < first else ""


def second_question(goal: str) -> int:
    """Where in ``goal`` a second question begins, with what joins it to the first; -1 where there is none."""
    match = _TWICE.search(_QUOTED.sub(lambda match: "_" * len(match[0]), goal))
    return match.start() if match is not None and match.start() > 0 else -1


def unfinished(goal: str, names: Collection[str] = ()) -> str:
    """The word that ``goal`` breaks off behind ("average score per"); empty where it does not, or it is among ``names``."""
    match = _OPEN.search(_QUOTED.sub("_", goal))
    return match["word"] if match is not None and match["word"].casefold() not in map(str.casefold, names) else ""
