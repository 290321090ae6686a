"""A fact as a model is told it: one line of data, in which nothing can end the line, the text or the block around it.

Text that was remembered may have come from a file, a page or a tool's result, and may ask for something. It goes to a
model as JSON strings beside who said it, never as prose.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from llmos_nb.memory.facts.fact import Fact

__all__ = ["as_data", "tokens_of", "told"]

#: What would look like the end of the block, and marks that nobody sees though they are letters to Unicode.
_ESCAPED: Final = re.compile("[<>\u115f\u1160\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
#: Bytes of UTF-8 that are counted as one token. English prose has about four to one; lines of data, with their quotes and
#: ids, 2.3 to one of BERT's word pieces (the median of 32 facts), of which texts have more than a model's own tokens.
_BYTES: Final = 2


def told(fact: Fact) -> str:
    """The fact, who it is from, its day and its id."""
    said = "a person" if fact.by_person else fact.source.partition(" run:")[0]
    return f"- {as_data(fact.text)} {as_data({'from': said, 'date': fact.date[:10], 'id': fact.id})}"


def as_data(value: Any) -> str:
    """``value`` as JSON in one line. What a person would not see, or what means something outside of it, is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(_escaped(sign) if not sign.isprintable() or _ESCAPED.match(sign) else sign for sign in text)


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if sign.isascii() else json.dumps(sign)[1:-1]


def tokens_of(text: str) -> int:
    """About how many tokens a model reads ``text`` as, rather too many than too few: it is counted without the model."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES)
