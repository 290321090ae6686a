"""Why a recorded goal is not a new one, in the words that people wrote: goals are compared by stems and synonyms."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import Final

from llmos_nb.memory import Match
from llmos_nb.memory.reading.synonyms import SYNONYMS, stem

__all__ = ["in_words", "plain", "spoken"]

_QUOTED: Final = re.compile(r"'([^\W\d_]+)'")
_WORD: Final = re.compile(r"[^\W\d_]+")
#: Behind these a reason speaks of the recorded goal.
_RECORDED: Final = re.compile(r"the recorded one|is the opposite of|only in the recorded|the new goal lacks|not for")
#: Reasons as studies of matching say them, and as a person is told them; what is explained keeps the former.
_TOLD: Final = (
    ("one example alone does not show which steps follow which value",
     "it was worked out only once, and one run does not show what other values change"),
    (r"nothing recorded explains ((?:'[^']*'(?:, )?)+)", r"no recorded goal like it says \1"),
    (r"a confidence of [\d.]+ is too little to replay", "it is not sure enough that the same is meant"),
    ("its wording is closer to another recorded program", "it sounds more like another recorded goal"),
    (r"('[^']*'|\"[^\"]*\") claims this goal as well, with other steps", r"\1 fits as well, and does something else"),
    ("this wording is also that of another program:", "another recorded goal is worded like it:"),
    ("the values of the examples can be matched with each other in more than one way",
     "the recorded runs leave open which value is which"),
    ("what the steps should do cannot be told in one way", "the recorded runs leave open what other values change"),
    ("its steps are built otherwise than those of the other examples",
     "its recorded run did it otherwise than the other ones"),
)  # fmt: skip
_OTHER_VALUES: Final = re.compile(r"it has other kinds of values \(([^()]*)\)")
#: Kinds of values, one and several.
_KINDS: Final = {
    "number": ("a number", "numbers"), "text": ("a name or text", "names or texts"), "path": ("a path", "paths"),
    "url": ("an address", "addresses"), "list": ("a list", "lists"),
}  # fmt: skip


def plain(reason: str) -> str:
    """``reason`` as people are told it who know nothing of how goals are compared."""
    for exact, told in _TOLD:
        reason = re.sub(exact, told, reason)
    return _OTHER_VALUES.sub(_other_values, reason)


def _other_values(found: re.Match[str]) -> str:
    """What an account of values like ``number, number more, path less`` says."""
    told: list[str] = []
    for kinds, how in re.findall(r"([^()]+?) (more|less)(?:, |$)", found[1]):
        counted = Counter(kinds.split(", "))
        values = " and ".join(_kind(kind, count) for kind, count in counted.items())
        told.append(f"{values} {how}{' than the recorded one' if not told else ''}")
    return f"it has {', and '.join(told)}"


def _kind(kind: str, count: int) -> str:
    name, _, of = kind.partition(":")
    if name == "list" and of:
        one, several = f"a list of {_kind(of, 2).partition(' ')[2]}", f"lists of {_kind(of, 2).partition(' ')[2]}"
    elif of:
        what = {"quantity": ("an amount", "amounts"), "range": ("a range", "ranges")}.get(name, (name, name))
        one, several = (f"{word} in {of}" for word in what)
    else:
        one, several = _KINDS.get(name, (f"{'an' if name[:1] in 'aeiou' else 'a'} {name}", f"{name}s"))
    return one if count == 1 else f"{count} {several}"


def in_words(match: Match, goal: str) -> Match:
    """``match``, which serves nothing, with its reasons in the words of the goals."""
    if match.steps is not None or not match.considered:
        return match
    first = match.considered[0].goal
    return dataclasses.replace(
        match,
        reasons=tuple(spoken(reason, goal, first) for reason in match.reasons),
        considered=tuple(
            dataclasses.replace(one, reason=spoken(one.reason, goal, one.goal)) for one in match.considered
        ),
    )


def spoken(reason: str, asked: str, recorded: str) -> str:
    """``reason`` with each quoted stem as the word that it stands for in one of the two goals."""
    turn = _RECORDED.search(reason)
    at = turn.start() if turn else len(reason)
    ours, theirs = _said(asked), _said(recorded)
    return _QUOTED.sub(lambda found: f"'{_word(found[1], ours, theirs)}'", reason[:at]) + _QUOTED.sub(
        lambda found: f"'{_word(found[1], theirs, ours)}'", reason[at:]
    )


def _word(stemmed: str, first: dict[str, str], then: dict[str, str]) -> str:
    return first.get(stemmed) or then.get(stemmed) or stemmed


def _said(goal: str) -> dict[str, str]:
    """What a goal's words are compared as, and the words."""
    words = dict.fromkeys(_WORD.findall(goal.casefold()))
    return {SYNONYMS.get(stemmed := stem(word), stemmed): word for word in reversed(words)}
