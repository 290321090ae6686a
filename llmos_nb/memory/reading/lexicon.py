"""What words mean to a goal: which say nothing, and which decide everything.

Two lists, made by hand for requests about data, files, plots, models, circuits and machines:

* *fillers* are politeness, articles, auxiliaries: two goals that differ only in them ask for the same thing;
* *marks* decide: negation, scope, comparison, direction, time. A mark that one goal has and the other has not makes
  them different goals, however alike they look. Marks of one sense share a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from llmos_nb.memory.slots.ordinary import words

__all__ = ["DIRECTED", "FILLERS", "GROUPS", "MARKS", "OPPOSITES", "PHRASES", "RELATIONS", "REVERSED"]

#: Words that ask but do not say for what. "What is the mean" and "compute the mean" are one request.
FILLERS: Final = frozenset(
    words("""
    a an the this that these those there here it its itself them they their he she his her him
    i i'm i'd i've i'll me my mine we us our you your yours one's
    am is are was were be been being do does did doing done have has had having
    can could would will shall should may might must let's
    please kindly hey hi hello ok okay thanks thank well so then simply really actually basically
    want wants wanted need needs needed like wish wondering wonder help try
    what what's which who whom whose how
    using via kind sort thing things such
    if whether also too
    's 're 've 'm 'll 'd
    able possible possibly exist exists existing
    give gives given tell show shows shown display find compute calculate determine get report return
    provide see know say look out up
    print prints printed printing called named entitled titled showed showing displays displayed displaying
    mind appreciate value values any list lists listing suggest suggests suggestion suggestions recommend
    recommendation advise advice
    mention enumerate identify us consider considered think when where why one ones going get gets getting
    s t re ve ll d m c'mon come comes case
    """)
)

#: Prepositions and conjunctions: they say which part a value plays ("from a to b"), so they are kept beside it.
RELATIONS: Final = frozenset(words("of in on at for as with within into onto from to by and during throughout"))
#: Of these, the ones that tell two parts of one kind apart; the others come and go with the wording.
DIRECTED: Final = frozenset(
    words("from to into onto by as against than before after between until since except without")
)

#: Of the directed ones, those that point the other way.
REVERSED: Final[Mapping[str, frozenset[str]]] = {
    "from": frozenset(("to", "until")), "to": frozenset(("from", "since")), "before": frozenset(("after", "since")),
    "after": frozenset(("before", "until")), "since": frozenset(("until", "before", "to")),
    "until": frozenset(("since", "after", "from")),
}  # fmt: skip

_HARD: Final = "difficult|hard|tough|demanding|challenging|complicated|complex|strenuous|laborious|time-consuming"
#: Phrases of several words, replaced before anything else; ``_x_`` is a mark or a word of its own.
_PHRASES: Final[Mapping[str, str]] = {
    r"how often|(?:how many|(?:the )?(?:total )?(?:number|count|no\.|no \.) of) (?:different |separate |total )?"
    r"times": " count occurrence ",
    r"how many|(?:the )?(?:total )?(?:number|count|amount|no\.|no \.) of": " count ",
    r"counts? towards?|(?:be|is|are|was|were) counted (?:for|as|towards?)": " qualify for ",
    r"(that|which|can|could|will|would|may|might|\x00\d+\x00) counts (for|as)": r" \1 qualify \2 ",
    r"(can|could|will|would|may|might|(?:does|do|did) (?:\x00\d+\x00 )+) ?count (for|as)": r" \1 qualify \2 ",
    r"as of right now|as of now|right now|at the moment|at present": " now ",
    r"this (hour|day|morning|afternoon|evening|week|month|quarter|season|semester|term|year|decade|century)": r" _this \1 ",
    r"over (?:the )?(next|last|past|previous|coming)": r" during \1 ",
    r"of the following": " of these ",
    r"(is|are|was|were|be|been|stay|stays|remain|remains) open": r" \1 accessible ",
    r"(?:is|are|was|were) concerned": " ",
    r"everyday": " every day ",
    r"more than|greater than|larger than|bigger than|higher than|in excess of": " _gt ",
    r"less than|fewer than|smaller than|lower than": " _lt ",
    r"at least|no less than|no fewer than|not less than|not fewer than|minimum of": " _ge ",
    r"at most|no more than|not more than|maximum of": " _le ",
    r"other than|apart from|aside from|but not|leaving out|not including": " _except ",
    r"instead of|rather than": " _instead ",
    r"most recent": " _newest ",
    r"(?:any|every|all|no|none|nothing|everything|anything|everyone|anyone)(?: \w+)? but": " any _except ",
    rf"(?:less|least) (?:{_HARD})": " easy ",
    r"(?:least|less) (?:amount of )?(?:effort|work|workload|hassle|trouble)": " easy ",
    rf"(?:more|most) (?:{_HARD})": " hard ",
    r"(?:more|most) (?:easy|simple|easily|simply|effortless|effortlessly)": " easy ",
    r"(?:less|least) (?:easy|simple|easily|effortless)": " hard ",
    r"(?:what|how|tell me|tell us|know|hear|learn|all) about|(?:info|information|details|facts|data) (?:about|on)": " ",
    r"(?:at|by|in|with)? ?(?:the )?(?:least|less) expensive": " cheapest ",
    r"(?:more|most) expensive": " priciest ",
    r"from (\x00\d+\x00) (?:on|onwards?|upwards?)": r" _since \1 ",
    r"up to(?: and including)?": " _until ",
    r"prior to|ahead of|earlier than": " _before ",
    r"later than": " _after ",
    r"(?:for|in|of|at|within) (?:each|every)|per each|per|by each|group(?:ed)? by|broken down by|split by": " by ",
    r"in descending order|from (?:high(?:est)?|large(?:st)?|big(?:gest)?) to (?:low(?:est)?|small(?:est)?)"
    r"|(?:largest|biggest|highest) first|in decreasing order|in reverse order": " _desc ",
    r"in ascending order|from (?:low(?:est)?|small(?:est)?) to (?:high(?:est)?|large(?:st)?|big(?:gest)?)"
    r"|(?:smallest|lowest) first|in increasing order": " _asc ",
    r"standard deviation": " std ",
    r"bar (?:chart|plot|graph|diagram)": " barplot ",
    r"line (?:chart|plot|graph|diagram)": " lineplot ",
    r"pie (?:chart|plot|graph|diagram)": " pieplot ",
    r"box (?:chart|plot)": " boxplot ",
    r"scatter (?:chart|plot|graph|diagram)": " scatterplot ",
    r"work out|figure out|find out|give me|show me|tell me|let me know|let me see|take a look at|have a look at": " ",
    r"what is|what are|what's|what was|what were": " ",
    r"i would like to|i'd like to|i want to|i need to|would you|could you|can you|will you|do you know": " ",
    r"data ?sets?|data ?frames?": " table ",
    r"in total|altogether|overall": " _total ",
    r"as well as|along with|together with": " and ",
    r"set up": " make ",
    r"get rid of|throw away|throw out|leave out": " remove ",
    r"carry out": " run ",
    r"kinds? of|sorts? of|types? of": " kind ",
    r"true or false": " ",
    r"is it true that": " ",
    r"in order to": " ",
    r"out of": " from ",
}
_ESCAPED: Final = re.compile(r"\\(?:x..|.)[+*?]?")


def _needed(pattern: str) -> tuple[str, ...]:
    """Texts of which one is in whatever matches a pattern as plain as those above."""
    branches, depth, start = [], 0, 0
    for at, letter in enumerate(pattern):
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and not depth:
            branches.append(pattern[start:at])
            start = at + 1
    return tuple(text for branch in (*branches, pattern[start:]) for text in _needed_in(branch))


def _needed_in(branch: str) -> tuple[str, ...]:
    """The same of a pattern without alternatives outside its groups."""
    choices: list[tuple[str, ...]] = [("",)]
    run, at = "", 0
    while at < len(branch):
        escaped = _ESCAPED.match(branch, at)
        end, inner = at + 1, ""
        if branch[at] == "(":
            while branch.count("(", at, end) > branch.count(")", at, end):
                end += 1
            inner = branch[at + 1 : end - 1].removeprefix("?:")
        optional = branch[end : end + 1] == "?"
        if escaped is None and not inner and not optional:
            run += branch[at]
        else:
            choices.append((run,))
            run = ""
            if inner and not optional:
                choices.append(_needed(inner))
        at = escaped.end() if escaped is not None else end + optional
    return max(*choices, (run,), key=lambda texts: min(map(len, texts)))


#: Each phrase with what replaces it, and texts of which one is in every goal that has it.
PHRASES: Final = tuple(
    (re.compile(rf"(?<![\w'-])(?:{pattern})(?![\w'-])"), to, _needed(pattern)) for pattern, to in _PHRASES.items()
)

#: Words that decide, by the name of their sense.
_MARKS: Final[Mapping[str, str]] = {
    "not": "not no non never don't doesn't didn't isn't aren't wasn't weren't won't can't cannot couldn't shouldn't "
    "wouldn't hasn't haven't hadn't nor neither n't 't",
    "without": "without lacking",
    "except": "_except except excepting excluding exclude excludes excluded besides but unless omitting omit ignoring "
    "ignore disregarding disregard skipping skip",
    "instead": "_instead instead",
    "only": "only just solely exclusively merely alone",
    "all": "all whole entire complete everything everyone",
    "each": "each every individually separately respective",
    "some": "some several", "both": "both", "either": "either", "any": "anything anyone",
    "same": "same identical equal equals", "different": "different differing unlike",
    "other": "other others another else additional extra more",
    "first": "first initial beginning", "last": "last final ending", "next": "next upcoming following coming",
    "previous": "previous preceding earlier", "this": "_this current ongoing today's",
    "now": "now today currently presently nowadays", "yesterday": "yesterday", "tomorrow": "tomorrow",
    "past": "past ago historical former formerly already previously",
    "future": "future later",
    "before": "before _before", "after": "after afterwards _after", "since": "since _since", "until": "until till _until",
    "while": "while", "between": "between",
    "above": "above over exceed exceeds exceeding _gt", "below": "below under beneath _lt",
    "at least": "_ge", "at most": "_le",
    "max": "maximum max maximal highest largest biggest greatest most top tallest heaviest longest priciest costliest "
    "dearest",
    "min": "minimum min minimal lowest smallest least bottom fewest lightest shortest cheapest",
    "best": "best", "worst": "worst",
    "easy": "easy easier easiest easily effortless effortlessly simple simpler simplest straightforward",
    "hard": "hard harder hardest difficult tough tougher toughest challenging demanding",
    "newest": "_newest newest latest recent recently", "oldest": "oldest earliest",
    "fastest": "fast fastest faster quicker quickest", "slowest": "slow slowest slower",
    "ascending": "_asc ascending ascendingly asc increasing", "descending": "_desc descending desc decreasing reverse "
    "reversed backwards",
    "increase": "increase increases raise raises grow grows", "decrease": "decrease decreases reduce reduces shrink",
    "left": "left leftmost leftwards", "right": "right rightmost rightwards", "up": "upward upwards",
    "down": "down downward downwards", "forward": "forward forwards ahead", "back": "back backward",
    "clockwise": "clockwise", "counterclockwise": "counterclockwise anticlockwise counter-clockwise anti-clockwise",
    "about": "about regarding concerning", "still": "still yet",
    "against": "against versus vs vs.", "than": "than", "or": "or", "half": "half", "twice": "twice double",
    "always": "always", "usually": "usually typically normally ordinarily generally often", "again": "again once",
    "total": "_total", "inside": "inside", "outside": "outside", "upper": "upper", "lower": "lower", "inner": "inner",
    "outer": "outer", "true": "true", "false": "false", "odd": "odd", "even": "even", "near": "near close nearest",
    "far": "far farthest furthest", "higher": "higher", "new": "new", "old": "old",
}  # fmt: skip
MARKS: Final[Mapping[str, str]] = {word: sense for sense, text in _MARKS.items() for word in words(text)}

#: Senses that exclude each other: one goal with the one and another with the other are never the same.
OPPOSITES: Final = frozenset(
    frozenset(pair)
    for pair in (
        ("first", "last"), ("next", "previous"), ("before", "after"), ("above", "below"), ("all", "some"),
        ("at least", "at most"),
        ("above", "at most"), ("at least", "below"), ("max", "min"), ("best", "worst"), ("easy", "hard"),
        ("newest", "oldest"), ("fastest", "slowest"), ("ascending", "descending"), ("increase", "decrease"),
        ("left", "right"), ("up", "down"), ("forward", "back"), ("all", "only"), ("inside", "outside"),
        ("clockwise", "counterclockwise"), ("upper", "lower"), ("inner", "outer"), ("true", "false"), ("odd", "even"),
        ("near", "far"), ("past", "future"), ("same", "different"), ("new", "old"), ("since", "until"),
        ("this", "next"), ("this", "previous"), ("this", "past"),
        ("now", "past"), ("now", "future"), ("now", "previous"), ("now", "next"),
    )
)  # fmt: skip

#: Marks that stand for each other in wordings of one program: where every wording has one of a group, a goal must, too.
GROUPS: Final = (
    frozenset(("not", "without", "except", "other", "instead")),
    frozenset(words("max min best worst newest oldest fastest slowest easy hard first last")),
    frozenset(("above", "below", "at least", "at most", "before", "after", "since", "until", "between", "<", ">")),
    frozenset(("past", "previous", "last")),
    frozenset(("now", "this", "still")),
    frozenset(("next", "future", "tomorrow")),
)  # fmt: skip
