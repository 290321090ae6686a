"""Is a goal several goals? Told by its structure alone; one, unless the structure is clear.

Several are: a list whose items each ask for something; sentences or paragraphs that each do, and do not merely go on
about what the one before made ("Make it sad."); "First … Then … Finally …" as sentences; clauses between semicolons.
What is joined in one sentence ("load it, drop the incomplete rows and plot y") is one goal, and so is whatever stands
in quotes or in code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from llmos_nb.memory.slots.ordinary import words

__all__ = ["Parts", "find_parts"]

#: How goals begin, in their first word.
_VERBS: Final = frozenset(
    words("""
    add aggregate analyse analyze annotate answer apply approximate arrange ask assess assign average backtest benchmark
    bin book bootstrap brainstorm browse build calculate calibrate categorize cite classify clean cluster code collect
    combine compare compile complete compose compress compute concatenate condense configure construct convert copy
    correct correlate count create critique cross-validate cut debug decide decode define delete deploy derive describe
    design detect determine develop diagnose diff discuss display divide document download draft draw drop edit encode
    encrypt enumerate estimate evaluate examine execute expand explain explore export extract factor fetch fill filter
    find fit fix flag forecast format gather generate get give graph group guess highlight identify impute implement
    import improve index inspect install integrate interpolate interpret interview invent investigate invert join judge
    label launch learn list load locate log look make map mark match measure merge migrate minimize model monitor move
    name normalise normalize open optimise optimize order organise organize outline package parse partition perform pick
    pivot plan plot predict prepare present print produce profile proofread propose prototype prove provide publish pull
    query rank rate read rebuild recommend reconcile record reduce refactor refine release remove rename render reorder
    repair replace replicate report research reshape resize resolve retrieve reverse review revise rewrite rotate round
    run sample save scan schedule score scrape search segment select send serve set setup shuffle simulate sketch smooth
    solve sort specify split standardise standardize stack start store study sum summarise summarize survey tabulate test
    tell tokenize total trace track train transcribe transform translate transpose trim try tune unpack unzip update
    upload upgrade validate verify visualise visualize walk weigh work write zip
    """)
)
#: Words before the verb that ask politely, or say where in a sequence it stands.
_BEFORE: Final = re.compile(
    r"(?:(?:please|kindly|then|next|also|finally|lastly|afterwards?|after that|now|and|first(?:ly)?|second(?:ly)?"
    r"|third(?:ly)?|fourth(?:ly)?|to begin with|in the end|at the end|step \d{1,3}[:.)]?|can you|could you|would you"
    r"|i want you to|i'd like you to|you should|let's)\b[\s,:]*)+",
    re.IGNORECASE,
)
#: A word that tells the place of a sentence in a sequence of them.
_SEQUENCE: Final = re.compile(
    r"(?:please\s+)?(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|fourth(?:ly)?|then|next|after that|afterwards?|finally"
    r"|lastly|to begin with|in the end|at the end|step \d{1,3})\b",
    re.IGNORECASE,
)
#: A first word with which a sentence says how, not what: it goes on about the goal before it.
_MANNER: Final = frozenset(
    words("""
    use using keep make-sure ensure avoid include exclude ignore skip limit do don't never always only note remember
    assume consider treat be label color colour name call return show print mention stick follow prefer leave begin end
    round add give
    """)
)
#: Words that point back to what another sentence is about.
_BACK: Final = re.compile(
    r"\b(?:it|its|itself|them|they|their|these|those|both|this|that|he|him|his|she|her|hers"
    r"|the (?:results?|outputs?|above|former|latter|same)"
    r"|each of|one of)\b",
    re.IGNORECASE,
)
#: "that are heavier than": says which, points nowhere.
_RELATIVE: Final = re.compile(
    r"\b(?:that|those) (?:is|are|was|were|has|have|had|can|will|would|do|does|did|lie|live|come|weigh)\b"
    r"|(?<=\w )that (?:[a-z]+s|contain|need|match)\b",
    re.IGNORECASE,
)
#: Requests that only say how another is to be met: what is left undone, and how a thing that it makes looks.
_ASIDE: Final = re.compile(r"[a-z'-]+\s+(?:nothing|no|none)\b|(?:make|set|put|turn|show|hide) the\b", re.IGNORECASE)
#: A request that only fetches what the next one is about.
_FETCH: Final = re.compile(r"(?:load|read|open|import|take|get|fetch)\b[^,;:?]*", re.IGNORECASE)
#: What joins clauses, and what a thing is named by: a path, a quoted text, a number, a name in code.
_JOINT: Final = re.compile(r",|;|\b(?:and|then|by|to)\b", re.IGNORECASE)
_NAMED: Final = re.compile(r"\w[./_]\w|\x00|\d|\*")
_QUESTION: Final = re.compile(
    r"(?:how|what|which|who|when|where|why|is|are|does|do|did|was|were|has|have)\b.*\?\W*$", re.IGNORECASE | re.DOTALL
)
_NUMBERED: Final = re.compile(r"([ \t]*)(?:\(?\d{1,3}[.)]|step \d{1,3}[:.)]?)[ \t]+(\S.*)", re.IGNORECASE)
_BULLET: Final = re.compile(r"([ \t]*)[-*•‣–][ \t]+(?:\[[ xX]?\][ \t]+)?(\S.*)")
#: A line before a list that only says that a list follows.
_LEAD: Final = re.compile(
    r"(?:please\s+|can you\s+|could you\s+|i(?:'d like| want) you to\s+|i need\s+|here (?:are|is)\s+|i have\s+)*"
    r"(?:(?:do|complete|carry out|perform|work (?:on|through)|execute|handle|take care of|finish)\s+)?"
    r"(?:(?:all|each)\s+(?:of\s+)?)?(?:the|these|my|several|some|a few|two|three|four|five|\d+)?\s*(?:following|next)?\s*"
    r"(?:\w+\s+)?(?:tasks?|things?|goals?|steps?|jobs?|items?|to-?dos?|in order|one after (?:the other|another))?\s*[:.]*",
    re.IGNORECASE,
)
#: What is never looked into: code, quotes, links.
_OPAQUE: Final = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\"[^\"\n]*\"|“[^”]*”|(?<!\w)'[^'\n]{2,}'(?!\w)|https?://\S+", re.DOTALL
)
#: A sentence's end: not after an abbreviation, an initial or a number that counts.
_END: Final = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bcf)(?<!\bal)(?<!\betc)(?<!\bFig)(?<!\bfig)(?<!\bNo)(?<!\bDr)(?<!\bMr)"
    r"(?<!\b[A-Z])([.!?…])[)\"'”]*\s+(?=[A-Z\"“(\x00])"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """The goals that a text consists of, none where it is one goal; and how that was told.

    ``ordered``: the text itself numbers them, or says first and then. ``whole``: they say everything the text says, and
    none points to another, so that they can be worked on as they stand.
    """

    goals: tuple[str, ...] = ()
    why: str = ""
    ordered: bool = False
    whole: bool = False

    def __bool__(self) -> bool:
        return bool(self.goals)


def find_parts(goal: str) -> Parts:
    """The goals that ``goal`` consists of. A pure function of its words."""
    text = re.sub(r"\r\n?", "\n", goal).strip()
    hidden: list[str] = []

    def hide(found: re.Match[str]) -> str:
        hidden.append(found[0])
        return f"\x00{len(hidden) - 1}\x01"

    shown = _OPAQUE.sub(hide, text.replace("\x00", " ").replace("\x01", " "))
    found = _listed(shown)
    if found is None:
        found = _sentences(shown)
    goals = tuple(re.sub(r"\x00(\d+)\x01", lambda m: hidden[int(m[1])], part).strip() for part in found.goals)
    return Parts(goals, found.why, found.ordered, found.whole)


def _listed(text: str) -> Parts | None:
    """The items of a list, when each of them asks for something; None where there is no list."""
    seen = False
    for pattern, kind in ((_NUMBERED, "numbered list"), (_BULLET, "list")):
        lines = text.split("\n")
        starts = [(number, match) for number, line in enumerate(lines) if (match := pattern.fullmatch(line))]
        if len(starts) < 2:
            continue
        seen = True
        indent = min(len(match[1].expandtabs()) for _, match in starts)
        tops = [(number, match) for number, match in starts if len(match[1].expandtabs()) == indent]
        if len(tops) < 2:
            continue
        items, rest = [], []
        bounds = [number for number, _ in tops] + [len(lines)]
        for (number, match), end in zip(tops, bounds[1:], strict=True):
            inside = lines[number + 1 : end]
            if number == tops[-1][0]:  # what follows the list after an empty line belongs to no item
                blank = next((k for k, line in enumerate(inside) if not line.strip()), len(inside))
                rest = inside[blank:]
                inside = inside[:blank]
            items.append("\n".join([match[2], *(line.rstrip() for line in inside if line.strip())]))
        if not all(_asks(item) for item in items):
            continue
        lead, tail = "\n".join(lines[: tops[0][0]]).strip(), "\n".join(rest).strip()
        if lead and not _LEAD.fullmatch(lead) and (_asks(lead.split("\n")[-1]) and lead.endswith(":")):
            return Parts()  # "Clean the table:" and how to: the list says how one goal is reached
        plain = not tail and (not lead or bool(_LEAD.fullmatch(lead)))
        return Parts(
            tuple(items),
            f"a {kind} of {len(items)} goals",
            ordered=pattern is _NUMBERED,
            whole=plain and not any(_points_back(item) for item in items),
        )
    return Parts() if seen else None  # a list of other things belongs to one goal


def _sentences(text: str) -> Parts:
    """Sentences, or clauses between semicolons, that each ask for something of their own."""
    pieces: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        pieces += [piece.strip() for piece in _split(paragraph) if piece.strip()]
    clauses = [clause.strip(" .") for piece in pieces for clause in re.split(r";\s+", piece)]
    by_semicolon = len(pieces) == 1 and len(clauses) > 1
    if by_semicolon:
        pieces = clauses
        if not all(_asks(piece) for piece in pieces):
            return Parts()
    marked = [bool(_SEQUENCE.match(piece)) for piece in pieces]
    sequence = sum(marked) >= 2 and all(_asks(piece) for piece in pieces)
    goals: list[str] = []
    background = False
    for piece, mark in zip(pieces, marked, strict=True):
        own = _asks(piece) and ((sequence and mark) or not _continues(piece))
        if own or not goals:
            goals.append(piece)
            background = background or not own
        else:
            goals[-1] = f"{goals[-1]} {piece}"
    goals = goals if sequence or by_semicolon else _with_what_they_fetch(goals)
    if background:  # what is said before the first goal is about all of them
        if len(goals) < 3:
            return Parts()
        goals = goals[1:]
    if len(goals) < 2:
        return Parts()
    why = (
        f"{len(goals)} goals between semicolons"
        if by_semicolon
        else f"{len(goals)} sentences that each ask for something"
    )
    if sequence:
        why = f"{len(goals)} steps in a sequence of sentences"
    whole = not background and not any(_points_back(goal) for goal in goals)
    stripped = tuple(_BEFORE.sub("", goal, count=1) if sequence else goal for goal in goals)
    return Parts(tuple(_capital(goal) for goal in stripped), why, ordered=sequence, whole=whole)


def _with_what_they_fetch(goals: list[str]) -> list[str]:
    """Goals where one that only loads something goes into the next, unless that names files of its own."""
    joined: list[str] = []
    fetched = ""
    for goal in goals:
        first = _split(goal)[0].strip()
        if _FETCH.match(first) and not _JOINT.search(first) and not fetched:
            fetched = goal
            continue
        if fetched and re.search(r"\w[./]\w|\x00", goal):
            joined.append(fetched)
            fetched = ""
        joined.append(f"{fetched} {goal}".strip())
        fetched = ""
    return [*joined, fetched] if fetched else joined


def _split(paragraph: str) -> list[str]:
    pieces, start = [], 0
    for end in _END.finditer(paragraph):
        pieces.append(paragraph[start : end.end()])
        start = end.end()
    return [*pieces, paragraph[start:]]


def _first_word(text: str) -> str:
    rest = _BEFORE.sub("", text.strip(), count=1) if _BEFORE.match(text.strip()) else text.strip()
    word = re.match(r"[A-Za-z][\w'’-]*", rest)
    return word[0].lower() if word else ""


def _asks(text: str) -> bool:
    """Whether a sentence is a request: it begins with a verb of doing, or is a question."""
    first = _first_word(text)
    return first in _VERBS or (first in _MANNER and first not in ("do", "be")) or bool(_QUESTION.match(text.strip()))


def _continues(text: str) -> bool:
    """Whether a request goes on about the goal before it."""
    return _first_word(text) in _MANNER or bool(_ASIDE.match(text)) or _points_back(text)


def _points_back(text: str) -> bool:
    """Whether a sentence is about what another one named: "plot it", but not "load a.csv and plot it"."""
    shown = _RELATIVE.sub(" ", text)
    found = _BACK.search(shown)
    if found is None:
        return False
    before = shown[: found.start()]
    return not (_JOINT.search(before) and _NAMED.search(before))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
