"""How the speaker stands to what a goal asks for: whether it must be or would be good, whose it is, and who did it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["stance_of"]

#: Nothing beside it makes advice a duty: what one should do "to reach it" is the best of several ways, what one must do
#: the only one.
_ANYBODYS: Final = {
    "advice": re.compile(r"\b(?:should|ought to|useful|helpful|advisable|recommend\w*|suggest\w*|beneficial)\b"),
    "duty": re.compile(
        r"\b(?:must|have to|has to|had to|need(?:s|ed)?|required?|requires|requiring|mandatory|obligatory)\b"
    ),
}
#: Only of a wording that names the speaker.
_SPEAKERS: Final = {
    "own": re.compile(r"\b(?:my|mine|our|ours)\b"),
    "done": re.compile(
        r"\b(?:i|we)(?: ?'ve| have| had| ?'d) (?:(?:already|just|never|not|ever|also|only|so far|previously) )*"
        r"(?!need|that)[a-z]+(?:[ewu]n|ne|ed|ght|ilt|ade|ead|ept|ent|eld|old|et|ut|ot)\b|\b(?:have|did|had) (?:i|we)\b"
    ),
}
#: The speaker in what only asks politely.
_POLITELY: Final = re.compile(
    r"\b(?:show|tell|give|get|let|help|bring|fetch|print|plot|draw|make|find|list|remind|teach|send) (?:me|us)\b"
    r"|\b(?:i|we)(?: am|'m| ?'d| would| was| were)? ?(?:want|like|love|need|wish)\b"
    r"(?! to (?!see|know|get|have|find|view|look))"
    r"|\b(?:i|we)(?: am|'m| ?'d| was| were)? ?(?:wonder|wondering|looking|interested|curious|trying|ask"
    r"|asking|think|guess|mean)\b"
    r"|\b(?:can|could|may|might|how (?:can|could|do|would)) (?:i|we) (?:please )?(?:see|get|know|look|find|view)\b"
)
#: And in what anybody has to do.
_ANYBODY: Final = re.compile(r"\b(?:do|did|should|would|must|shall|will) (?:i|we) (?:need|have to)\b")
_SPEAKER: Final = re.compile(r"\b(?:i|me|myself|we|us|my|mine|our|ours)\b")


def stance_of(text: str) -> frozenset[str]:
    """What a wording in lower case says of these:

    * ``advice`` and ``duty``: what would be good, and what must be;
    * ``own`` and ``done``: what is the speaker's, and what the speaker did;
    * ``speaker``: the speaker is named for more than politeness; ``self``: and is not just anybody.
    """
    found = {name for name, pattern in _ANYBODYS.items() if pattern.search(text)}
    if _SPEAKER.search(text):
        found.update(name for name, pattern in _SPEAKERS.items() if pattern.search(text))
        rest = _POLITELY.sub(" ", text)
        if _SPEAKER.search(rest):
            found.add("speaker")
            if _SPEAKER.search(_ANYBODY.sub(" ", rest)):
                found.add("self")
    return frozenset(found)
