"""Words that say the same, words that say the contrary, and the form in which words are compared.

A group of synonyms is here only where swapping its members never changes what is to be done: ``mean`` and ``average``
are, ``rank`` and ``sort`` are not.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Final

from llmos_nb.memory.slots.ordinary import words

__all__ = ["ANTONYMS", "OPERATIONS", "SYNONYMS", "stem"]

#: Each line is one concept; the lines before ``row`` are operations, see :data:`OPERATIONS`.
_GROUPS: Final = """
mean average avg averages averaged
median
std stdev stddev
sum total totals add-up
count counts counted tally
plot draw graph chart visualise visualize sketch
sort order arrange
remove delete erase discard drop eliminate
load read import open
save write export store
keep retain
make create build construct generate produce
convert transform turn
combine concatenate concat
merge join
rename relabel
change alter modify
fit train
run execute launch start
simulate emulate
compare contrast
row record entry observation
column field
table spreadsheet
missing null nan na absent
duplicate duplicated repeated
unique distinct
folder directory
picture image
scatterplot scatter
histogram histograms hist
correlation correlate correlated
probability chance
error mistake
move travel
rotate turn-around spin
speed velocity
photo photograph
film movie
big large
small little
quick rapid
begin commence
people persons person
student pupil
teacher instructor professor prof prof. lecturer teach taught teaches instruct
undergraduate undergrad underclassman underclassmen undergrads
lab laboratory labs
class course
offer provide
enroll register enrol
obtain receive
client customer
shop store-front
car automobile
town city
error failure
price cost
need require
"""


def _synonyms() -> Iterator[tuple[str, str]]:
    for line in _GROUPS.split("\n"):
        group = words(line)
        for word in group:
            yield stem(word), stem(group[0])


_IRREGULAR: Final = {
    "broken": "break", "broke": "break", "spoken": "speak", "spoke": "speak", "frozen": "freeze", "hidden": "hide",
    "driven": "drive", "drove": "drive", "eaten": "eat", "ate": "eat", "fallen": "fall", "risen": "rise",
    "thrown": "throw", "threw": "throw", "blown": "blow", "worn": "wear", "torn": "tear", "led": "lead", "fed": "feed",
    "heard": "hear", "lost": "lose", "meant": "mean", "slept": "sleep", "caught": "catch", "thought": "think",
    "brought": "bring", "fought": "fight", "understood": "understand", "stood": "stand", "told": "tell", "won": "win",
    "lent": "lend", "came": "come", "became": "become", "swam": "swim", "programme": "program",
    "programmes": "program",
    "taught": "teach", "taken": "take", "took": "take", "given": "give", "gave": "give", "held": "hold",
    "met": "meet", "written": "write", "wrote": "write", "drawn": "draw", "drew": "draw", "shown": "show",
    "found": "find", "made": "make", "built": "build", "kept": "keep", "sold": "sell", "bought": "buy",
    "sent": "send", "spent": "spend", "ran": "run", "began": "begin", "begun": "begin", "grew": "grow",
    "grown": "grow", "went": "go", "flown": "fly", "flew": "fly", "flies": "fly", "children": "child",
    "men": "man", "women": "woman", "indices": "index", "matrices": "matrix", "vertices": "vertex",
    "axes": "axis", "analyses": "analysis", "criteria": "criterion", "means": "mean", "mice": "mouse",
    "feet": "foot", "lives": "life", "said": "say", "got": "get", "gotten": "get", "done": "do", "seen": "see",
    "known": "know", "chose": "choose", "chosen": "choose", "rose": "rise", "fell": "fall", "paid": "pay",
    "mixed": "mix", "being": "be",
}  # fmt: skip
#: Words that only look as if they had an ending.
_WHOLE: Final = frozenset(
    words("""
    left people data species series status bus gas bias read cost string during king ring spring thing nothing
    evening morning bed red need speed seed feed embed bleed wing sing bring ceiling hundred
    """)
)
_BRITISH: Final = (
    (re.compile(r"^(.{3,})is(e|ed|es|ing|ation)$"), r"\1iz\2"),
    (re.compile(r"^(col|fav|behavi|neighb|lab|hon|hum|harb)our(.*)$"), r"\1or\2"),
    (re.compile(r"^(.*(?:cent|met|lit|fib|theat))re(s?)$"), r"\1er\2"),
    (re.compile(r"^analy[sz](e|ed|es|ing)$"), r"analyz\1"),
    (re.compile(r"^grey(.*)$"), r"gray\1"),
    (re.compile(r"^(.+)ll(ed|ing)$"), r"\1l\2"),
)
#: Words in -ise that are no verbs in -ize.
_NOT_IZE: Final = frozenset(
    words("noise precise raise rise wise exercise promise surprise likewise advise revise otherwise")
)


@functools.lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """``word`` (in lower case) without the endings of number, tense and spelling.

    A light stemmer: it joins forms of one word and as good as never two words. Longer endings (``-tion``, ``-er``,
    ``-ly``) stay, since they change what is meant.
    """
    word = _IRREGULAR.get(word, word)
    if word in _WHOLE or len(word) < 4 or not word.isalpha():
        return word
    if word not in _NOT_IZE:
        for pattern, to in _BRITISH:
            word = pattern.sub(to, word)
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is", "ous")):
        word = word[:-1]
    if word in _WHOLE:
        return word
    for ending in ("ing", "ed"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) > 2 and re.search("[aeiouy]", base):
            if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
                base = base[:-1]
            word = base
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


SYNONYMS: Final[Mapping[str, str]] = dict(_synonyms())
_OPPOSED: Final = """
leave/depart arrive/reach/land
buy/purchase sell
open close/shut
import export
upload download
win lose
enter exit
borrow lend
start/begin/commence stop/end/finish
add/append/insert/prepend remove
push pull
encode decode
encrypt decrypt
compress decompress/uncompress/unpack/unzip
enable disable
show hide
lock unlock
send receive/obtain
rise fall/sink
attach detach
connect disconnect
import export
install uninstall
join split
pass fail
accept reject
allow forbid/deny
success failure/fail
early late
hot cold
high low
deep shallow
wide narrow
strong weak
male female
morning evening/night
parent child
numerator denominator
input output
source target/destination
row column
horizontal vertical
x y
maximize minimize
encode decode
import export
positive negative
"""


def _opposed() -> Iterator[tuple[str, str]]:
    for line in filter(None, _OPPOSED.split("\n")):
        one, other = ([SYNONYMS.get(stem(word), stem(word)) for word in side.split("/")] for side in words(line))
        for a in one:
            for b in other:
                yield a, b
                yield b, a


#: Words that say the contrary of each other.
ANTONYMS: Final = frozenset(_opposed())
#: What is to be done, in one word: a goal that says another of these, or one more, is another goal.
OPERATIONS: Final = frozenset(
    SYNONYMS[stem(words(line)[0])] for line in _GROUPS.partition("\nrow ")[0].split("\n") if line
)
