"""How the speaker stands to what a goal asks for: whether it must be or would be good, and whose it is."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["stance_of"]

#: Nothing beside it makes advice a duty: what one should do "to reach it" is the best of several ways, what one must do
#: the only one.
_PATTERNS: Final = {
    "advice": re.compile(r"\b(?:should|ought to|useful|helpful|advisable|recommend\w*|suggest\w*|beneficial)\b"),
    "duty": re.compile(
        r"\b(?:must|have to|has to|had to|need(?:s|ed)?|required?|requires|requiring|mandatory|obligatory)\b"
    ),
    "own": re.compile(r"\b(?:my|mine|our|ours)\b"),
}


def stance_of(text: str) -> frozenset[str]:
    """Of ``advice``, ``duty`` and ``own`` what a wording in lower case has."""
    return frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(text))
