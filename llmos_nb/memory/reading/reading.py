"""How a goal is read for comparing: its words by what they do, its values by their class and their part."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from llmos_nb.memory.reading.lexicon import DIRECTED, FILLERS, MARKS, PHRASES, RELATIONS
from llmos_nb.memory.reading.stance import stance_of
from llmos_nb.memory.reading.synonyms import SYNONYMS, stem
from llmos_nb.memory.slots import KINDS, Lifted, Slot
from llmos_nb.memory.slots.ordinary import words

__all__ = ["Reading", "class_of", "read_goal"]

_TOKEN: Final = re.compile(
    r"\x00(?P<slot>\d+)\x00|(?P<word>[^\W_\d][\w]*(?:['’][^\W\d_]+)?(?:[-/+.#&][\w+#]+)*(?:\+\+|#)?)|(?P<other>[^\s\w]+|\w+)"
)
#: "Name the islands" asks, "the name of the island" does not.
_LEADING_NAME: Final = re.compile(r"^(?:please )?name (?=the\b|all\b|\w+s\b)")
#: "… has a lab, right?"
_TAG: Final = re.compile(r"\s*,\s*(?:right|correct|ok|okay|please|thanks|thank you)$")
_SPACE: Final = re.compile(r"\s+")
#: "don't", however it is cut.
_NOT: Final = re.compile(r"\b(?:can ?not|(?:ca|wo|sha) ?n ?'t)\b|(?<=[a-z])n ?'t\b| n't\b", re.IGNORECASE)
#: A capital that stands alone is a name: ``N`` is not ``n``.
_CAPITAL: Final = re.compile(r"(?<![\w'’.])(?!^)([A-HJ-Z])(?![\w'’])")
#: "5!" is a number of its own.
_FACTORIAL: Final = re.compile(r"^!(?=$|[\s,;:?.)])")
#: A capital word right behind a name belongs to it, whatever it means elsewhere: "Dr. Sunhay You".
_NAME_GOES_ON: Final = re.compile(r"^ (?=[A-Z][a-z])")
#: Or right before one, inside a sentence: "of The Trial".
_NAME_STARTS: Final = re.compile(r"(?<=[a-z,] )(?=[A-Z][a-z]+ $)")
#: So does the first word of a goal right before a name: "Emily Mahan, …".
_NAME_BEGINS: Final = re.compile(r"^([A-Z][a-z]+) $")
_ARITHMETIC: Final = re.compile(r"[+*/<>=^%]|\s-\s")
#: Marks of punctuation that say nothing between words.
_SILENT: Final = re.compile(r"^[.,;:!?…\"“”„«»‘’'`(){}\[\]–—]+$")
#: What may stand between two values that name one thing together.
_GLUE: Final = re.compile(r"[ -]?")
_AND: Final = re.compile(r"\s*(?:,|,?\s*(?:and|or|vs\.?|versus|&))(?:\s+the)?\s*", re.IGNORECASE)
_YES_NO: Final = frozenset(
    words("is are was were am do does did can could will would should shall may has have had isn't aren't doesn't")
)
#: How a request may begin without saying what it is.
_POLITE: Final = re.compile(
    r"^(?:(?:regarding|concerning|with regards? to|in regards? to|as for|when it comes to)\b,? "
    r"|as far as(?! (?:possible|you|i|we|it)\b)(?=[^,]*,) "
    r"|(?:can|could|would|will) you(?: please| kindly)? "
    r"|(?:can|could|may|might) (?:we|i) (?:please )?(?:see|have|get|know|look at) (?:the |an? )?"
    r"|(?:do (?:you|we) have|is there) an? list of |i ?(?:'m| am) looking for "
    r"|would you mind |do me a favou?r and |be so kind as to "
    r"|i(?: would|'d) (?:like|love|appreciate it if|be glad if)(?: to| you(?: could)?)? "
    r"|(?:i|we) (?:want|need|wish)(?: you)? to |i(?:'m| am| was) wondering |i wonder "
    r"|do you know |tell (?:me|us) about |tell me |let'?s "
    r"|please |kindly |now, |now (?=just |please )|then,? |next, |also,? |ok(?:ay)?,? |well,? |so,? "
    r"|hey,? |hi,? |hello,? |go ahead and |go on (?:and|to) "
    r"|as an? (?:next|first|last|final|second) step,? |one (?:more|last) (?:question|thing)[:,]? |just )+"
)
_ASKED: Final = re.compile(
    r"\b(?:which|what)\s+(?:of\s+)?(?:the\s+|all\s+|other\s+|are\s+the\s+|is\s+the\s+)*(?:\x00\d+\x00\s+)?([^\W\d_]+)"
)
#: What follows the name ``a``, and never an article.
_A_NAME: Final = re.compile(
    r"\s*(?:$|[,;:.)=+*/-]|(?:and|or|on|onto|to|into|from|with|by|as|in|of|against|vs|versus|then|is|are|than|for|at)\b)"
)
#: "How do I delete it" wants words, "I have deleted it" wants nothing: neither is "delete it".
_HOW_TO: Final = re.compile(r"how (?:do|does|can|could|would|should|to|might|did)\b")
_TELLS: Final = re.compile(
    r"(?:i|you|we|they|he|she)(?:'ve| have| had| already|\b(?= (?!(?:want|need|expect|request|suggest|must|might)\b)"
    r"\w+(?:ed|t)\b))\b(?!.*\bso\b)(?! to\b)"
)
#: "Are all the rows complete?", "Do the rows all fit?"
_ALL_ARE: Final = re.compile(r"(?:is|are|was|were|do|does|did|have|has|had) (?:the )?(?:\S+ ){0,6}?(?:all|every)\b")
#: What is counted.
_COUNTED: Final = re.compile(
    r"\b(?:how many|(?:number|count|no ?\.) of)\s+(?:of\s+)?(?:the\s+|all\s+|different\s+|distinct\s+|unique\s+|total\s+)*"
    r"([^\W\d_]+)"
)
_HOW_OFTEN: Final = re.compile(
    r"\bhow often\b|\b(?:how many|(?:number|count|no ?\.) of) (?:different |separate |total )?times\b"
)
#: Before what is asked for.
_REQUESTED: Final = re.compile(
    r"(?:what|who)(?:'s| is| are| was| were) (?=the\b)|(?:is|are|was|were) there |(?:do|does|did) (?=any\b)"
    r"|(?:show|list|display|print|give|find|fetch|name|return|see)(?: me| us)? (?!out\b)|(?=(?:the|all) )"
)
#: "A list of flights" is flights.
_COLLECTIONS: Final = frozenset(words("list nam number count set total overview kind full"))
_NAMES_OF: Final = re.compile(
    r"\bnames? of (?:the )?(?:(?:\x00\d+\x00|\w+) )?(?:those|people|persons?|teachers?|professors?"
    r"|instructors?|authors?|students?|who)\b"
)
_OTHER_QUESTION: Final = re.compile(r"\b(?:how|what|which)\b")
#: "Are there any …?" may want yes or no, or the list; other wordings of the program tell which.
_THERE_ARE: Final = re.compile(r"\b(?:are|were|will|would) (?:there )?(?:be )?any\b|\b(?:are|were) there\b|^any\b")
_WHETHER: Final = re.compile(r"(?:tell me |know |see |check |find out |determine )?(?:if|whether) ")
_REQUEST: Final = re.compile(
    r"(?:show|give|tell|list|find|plot|compute|calculate|help|name|see|get|make|draw|print|display|identify|suggest"
    r"|recommend|advise|provide|describe|explain|return|report|enumerate|mention)\b"
)
#: "My average is?" asks for what it is, not whether.
_TO_BE_FILLED: Final = re.compile(r"\b(?:is|are|was|were)$")

#: Relations before what a noun is asked of, and such of time.
_OF: Final = frozenset(("of", "for", "to"))
_TEMPORAL: Final = frozenset(("before", "after", "since", "until"))
_VALUE_NEXT: Final = re.compile(rf" (?:(?!(?:{'|'.join(RELATIONS)}|or|than|the)\b)[^\W\d_]+ )?\x00")
#: Of these no value is one, and none has any: "2 lectures a week for X".
_TIME_UNITS: Final = frozenset(
    words("second minute hour day week month quarter semester term season year decade century")
)
#: "X is a parent", "X as a parent": what a value is said to be, up to what goes on with it.
_SAID_OF: Final = re.compile(r"\x00 (?:(?:is|are|was|were|be|been|as|also|not|really) )*an? ((?:[^\W\d_][\w-]* ?)+)")
#: Fillers before which a new part of the sentence begins.
_CUTS: Final = _YES_NO | frozenset(words("who whom whose which what that where when how"))
_ARTICLES: Final = frozenset(words("the a an all any every each how"))
#: Words of a goal, and where a clause of it ends.
_CLAUSES: Final = re.compile(r"[^\W\d_][\w']*|\x00\d+\x00|[,;:]")
_FACTUAL: Final = {"who": "who", "whom": "who", "whose": "who", "when": "when", "where": "where", "why": "why"}
_PLAIN_KINDS: Final = frozenset(KINDS)
#: Kinds that no vocabulary of the user's gave: these, and what is known only from a recorded program.
_NO_KINDS: Final = _PLAIN_KINDS | {"literal"}
_TEXT_KINDS: Final = frozenset(("quoted", "code", "identifier", "name"))


def class_of(slot: Slot) -> str:
    """The coarse class of a slot: what the same value could be written as in another goal has the same class.

    Numbers, texts (quoted, a name, a known value), paths and so on; quantities by their dimension.
    """
    if slot.kind == "list":
        return f"list:{class_of(slot.items[0])}" if slot.items else "list"
    if slot.unit:
        return f"{'range' if slot.kind == 'range' else 'quantity'}:{slot.unit}"
    if slot.kind in ("integer", "decimal"):
        return "number"
    if slot.kind in _TEXT_KINDS:
        return "text"
    if slot.kind == "literal" and slot.kinds[-1] not in _TEXT_KINDS and slot.kinds[-1] in _PLAIN_KINDS:
        return class_of(dataclasses.replace(slot, kind=slot.kinds[-1]))  # what a program holds is what it looks like
    if slot.kind in _PLAIN_KINDS:
        return slot.kind
    return "number" if _numeric(slot.value) else "text"


def _numeric(value: object) -> bool:
    if isinstance(value, str):
        return value.isdecimal() and (len(value) == 1 or value[0] != "0")  # 01067 is a code
    return isinstance(value, int | Decimal)


@dataclass(frozen=True, slots=True)
class Reading:
    """A goal as the matcher sees it.

    ``masked`` is the wording with each value replaced by its class. ``sequence`` is what is left without fillers and
    with synonyms joined, in order. ``words`` are the content words, ``marks`` the deciding ones, ``small`` everything
    else that was said. ``roles`` has for each slot the relation and the content word before it. ``parts`` are pairs of
    a relation that tells parts apart and what it stands before.
    """

    masked: str
    sequence: tuple[str, ...]
    words: frozenset[str]
    marks: frozenset[str]
    small: frozenset[str]
    classes: tuple[str, ...]
    roles: tuple[tuple[str, str], ...]
    #: For each slot the number of the slot that it stands right behind, -1 for none: "EECS 280" is one thing.
    attached: tuple[int, ...]
    #: For each slot its place in an enumeration ("a and b"), -1 for none.
    listed: tuple[int, ...]
    #: For each slot the kinds of the vocabulary that have its value; empty for a value that no vocabulary knows.
    kinds: tuple[frozenset[str], ...]
    parts: tuple[tuple[str, str], ...]
    #: The wording cut before its relations, each piece with its words in order: pieces may change places, words not.
    chunks: tuple[tuple[str, ...], ...]
    intent: str
    target: str
    #: The noun that a request is about ("show all *flights* from"), as far as the wording tells.
    head: str = ""
    #: Nouns that were said in the plural, and the noun that "all" or "every" stands before.
    plurals: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    #: Nouns that a value is said to be ("is X a parent"), and those that are asked of one ("the parent of X").
    said_of: frozenset[str] = frozenset()
    asked_of: frozenset[str] = frozenset()
    #: The noun of which it is asked how many there are.
    counted: str = ""
    #: Whether it says what would be good, what must be, and whose it is, see :func:`stance_of`.
    stance: frozenset[str] = frozenset()
    #: How many values that no vocabulary knows are abbreviations ("EU", not "Norway").
    codes: int = 0
    #: The pieces that are steps or parts of an enumeration, by how they begin, in the order of the goal.
    steps: tuple[tuple[str, ...], ...] = ()
    #: The classes of the values, in an order that does not depend on the wording.
    signature: str = ""
    #: Which classes of values stand right behind each other, where no vocabulary tells what they are.
    glued: tuple[str, ...] = ()
    #: For each class of value the kinds of its slots, as far as a vocabulary knows them.
    known_kinds: Mapping[str, tuple[frozenset[str], ...]] = field(default_factory=dict, compare=False)
    #: For each slot the names under which recorded programs use its value, see :mod:`llmos_nb.memory.columns`.
    columns: tuple[frozenset[str], ...] = ()
    #: The values, as text in lower case.
    said: tuple[str, ...] = field(default=(), compare=False)
    #: The wording itself, without values: the same object for goals that are worded alike.
    form: Reading | None = field(default=None, compare=False, repr=False)

    @property
    def strange(self) -> bool:
        """Whether it has a text of which no vocabulary knows the kind."""
        return any(name == "text" and not kinds for name, kinds in zip(self.classes, self.kinds, strict=True))

    def of_values(self, said: tuple[str, ...], columns: tuple[frozenset[str], ...] = ()) -> Reading:
        """The same wording around other values: ``dataclasses.replace`` in a tenth of its time."""
        made = object.__new__(Reading)
        for name in _FIELDS:
            object.__setattr__(made, name, getattr(self, name))
        object.__setattr__(made, "said", said)
        object.__setattr__(made, "columns", columns)
        object.__setattr__(made, "form", self.form or self)
        return made


#: The fields of a reading that are the wording's.
_FIELDS: Final = tuple(one.name for one in dataclasses.fields(Reading) if one.name not in ("said", "columns", "form"))
#: An abbreviation.
_CODE: Final = re.compile(r"[A-Z][A-Z0-9&]+")
#: Wordings that are kept read.
_KEPT: Final = 2048


def read_goal(lifted: Lifted, columns: tuple[frozenset[str], ...] = ()) -> Reading:
    """Read a goal that was taken apart. A wording is read once, whatever its values, and the ``columns`` they are in."""
    slots = lifted.slots
    form = _form(
        lifted.pieces,
        tuple(class_of(slot) for slot in slots),
        tuple(slot.kind == "name" for slot in slots),
        kinds := tuple(frozenset(slot.kinds or (slot.kind,)) - _NO_KINDS for slot in slots),
        sum(not known and _CODE.fullmatch(slot.text) is not None for slot, known in zip(slots, kinds, strict=True)),
    )
    return form.of_values(tuple(_said(slot) for slot in slots), columns)


def _said(slot: Slot) -> str:
    """A value as text; for that, a list has no order."""
    value = sorted(map(str, slot.value)) if isinstance(slot.value, tuple) else slot.value
    return f"{value}{slot.unit}".casefold()


@functools.lru_cache(maxsize=_KEPT)
def _form(
    pieces: tuple[str, ...],
    classes: tuple[str, ...],
    names: tuple[bool, ...],
    kinds: tuple[frozenset[str], ...],
    codes: int = 0,
) -> Reading:
    """A wording: the text between the values, their classes, which of them are names, their known kinds, and how many
    of the others are abbreviations."""
    parts = [_first_piece(pieces[0], bool(names) and names[0])]
    for number, piece in enumerate(pieces[1:]):
        if piece == ":" and number + 1 < len(classes):
            piece = " _colon "  # 1:2 is a ratio or a slice
        elif classes[number] == "number":
            piece = _FACTORIAL.sub(" _factorial ", piece)
        elif names[number]:
            piece = _NAME_GOES_ON.sub(" capital_", piece)
        if number + 1 < len(classes) and names[number + 1]:
            piece = _NAME_STARTS.sub("capital_", piece)
        parts += [f" \x00{number}\x00 ", piece]
    text = _SPACE.sub(" ", "".join(parts).replace("’", "'")).strip()
    text = _CAPITAL.sub(r"capital_\1", text)
    low = text.lower()
    text = _NOT.sub(" not ", text).lower() if "not" in low or "'t" in low else low
    question = text.endswith("?")
    text = _POLITE.sub("", text.rstrip(" .!?…"))
    question = question and not _LEADING_NAME.match(text)
    text = _TAG.sub("", _LEADING_NAME.sub("", text))
    masked = re.sub(r"\x00(\d+)\x00", lambda m: f"<{classes[int(m[1])]}>", text)
    asked = text
    for pattern, to, needed in PHRASES:
        for part in needed:
            if part in text:
                text = pattern.sub(to, text)
                break
    attached = tuple(
        number - 1 if number and _GLUE.fullmatch(pieces[number]) else -1 for number in range(len(classes))
    )
    reader = _Reader(classes, attached, _places(pieces, attached), kinds, codes)
    return reader.read(masked, asked, text, question=question)


def _first_piece(piece: str, name: bool) -> str:
    """The text before the first value, which may be a ``name``."""
    if not name:
        return piece
    piece = _NAME_STARTS.sub("capital_", piece)
    found = _NAME_BEGINS.match(piece)
    if found is None:
        return piece
    word = found[1].lower()
    return (
        piece
        if word in FILLERS or word in MARKS or word in RELATIONS or stem(word) in SYNONYMS
        else f"capital_{piece}"
    )


def _places(pieces: tuple[str, ...], attached: tuple[int, ...]) -> tuple[int, ...]:
    """The place of each slot in its enumeration; what stands right behind a value belongs to it."""
    places = [-1] * len(attached)
    head = -1
    for number, behind in enumerate(attached):
        if behind >= 0:
            places[number] = places[behind]
            continue
        if head >= 0 and _AND.fullmatch(pieces[number]):
            if places[head] < 0:
                for earlier in range(head, number):
                    places[earlier] = 0
            places[number] = places[head] + 1
        head = number
    return tuple(places)


class _Reader:
    """Collects what the tokens of one goal say."""

    def __init__(
        self,
        classes: tuple[str, ...],
        attached: tuple[int, ...],
        listed: tuple[int, ...],
        kinds: tuple[frozenset[str], ...],
        codes: int,
    ) -> None:
        self.classes, self.attached, self.listed, self.kinds, self.codes = classes, attached, listed, kinds, codes
        self.sequence: list[str] = []
        self.words: set[str] = set()
        self.marks: set[str] = set()
        self.small: set[str] = set()
        self.roles: list[tuple[str, str]] = [("", "")] * len(classes)
        self.parts: list[tuple[str, str]] = []
        self.relation = self.directed = self.content = ""
        self.arithmetic = False
        self.chunks: list[list[str]] = [[""]]
        self.plurals: set[str] = set()
        self.whole: set[str] = set()
        self.scope = False
        #: The nouns before the last relation, and since; the nouns that are asked of a value.
        self.before: list[str] = []
        self.nouns: list[str] = []
        self.asked_of: set[str] = set()
        #: Whether a value stands right behind the word that is read, or one word further.
        self.value_next = False

    def read(self, masked: str, asked: str, text: str, *, question: bool) -> Reading:
        self.arithmetic = bool(_ARITHMETIC.search(text))
        for match in _TOKEN.finditer(text):
            self.value_next = _VALUE_NEXT.match(text, match.end()) is not None
            if match["slot"] is not None:
                self._slot(int(match["slot"]))
            elif match["word"] == "a" and _A_NAME.match(text, match.end()):
                self._simple("name_a")  # "regress a on b": no article
            elif match["word"] is not None:
                self._word(match["word"])
            else:
                end = match.end()
                self._other(match["other"], text[match.start() - 1 : match.start()], text[end : end + 1])
        intent, target = _intent(asked, question)
        if intent == "yes-no" and "all" in self.marks and _ALL_ARE.match(asked):
            intent = "all"  # whether all are so says nothing of which are
        return Reading(
            masked=masked, sequence=tuple(self.sequence), words=frozenset(self.words), marks=frozenset(self.marks),
            small=frozenset(self.small), classes=self.classes, roles=tuple(self.roles), attached=self.attached,
            listed=self.listed, kinds=self.kinds, parts=tuple(self.parts),
            chunks=tuple(sorted(tuple(chunk) for chunk in self.chunks if len(chunk) > 1)),
            intent=intent, target=target, head=_head(asked) or target,
            plurals=frozenset(self.plurals), whole=frozenset(self.whole),
            signature=" ".join(sorted(self.classes)), known_kinds=self._known_kinds(),
            glued=self._glued(), said_of=_said_of(text), counted=_counted(asked), asked_of=frozenset(self.asked_of),
            stance=stance_of(masked), codes=self.codes,
            steps=tuple(tuple(chunk) for chunk in self.chunks if len(chunk) > 1 and chunk[0] != "~"),
        )  # fmt: skip

    def _glued(self) -> tuple[str, ...]:
        pairs = [
            f"{self.classes[behind]}+{self.classes[number]}"
            for number, behind in enumerate(self.attached)
            if behind >= 0 and not (self.kinds[number] and self.kinds[behind])
        ]
        return tuple(sorted(pairs))

    def _known_kinds(self) -> dict[str, tuple[frozenset[str], ...]]:
        found: dict[str, tuple[frozenset[str], ...]] = {}
        for name, kinds in zip(self.classes, self.kinds, strict=True):
            found[name] = (*found.get(name, ()), kinds)
        return found

    def _item(self, item: str) -> None:
        if self.directed:
            self.parts.append((self.directed, item))
        self.relation = self.directed = ""

    def _slot(self, number: int) -> None:
        self.roles[number] = (self.relation, self.content)
        item = f"<{self.classes[number]}>"
        if self.relation in _OF:
            self.asked_of.update(noun for noun in self.before if noun not in _TIME_UNITS)
        self.nouns = []
        self._item(item)
        self.sequence.append(item)
        self.chunks[-1].append(item)
        self.content = item

    def _cut(self, label: str) -> None:
        """Begin a new piece of the wording."""
        self.chunks.append([label])

    def _word(self, token: str) -> None:
        for word in (token,) if token in MARKS else re.split(r"[-/&]", token):
            if not word:
                continue
            base, apostrophe, _ = word.partition("'")
            if apostrophe and word not in MARKS and word not in FILLERS:
                word = "not" if word.endswith("n't") else base
            self._simple(word)

    def _simple(self, word: str) -> None:
        if word in MARKS or word.startswith("capital_"):
            sense = MARKS.get(word, word)
            self.marks.add(sense)
            self.sequence.append(f"*{sense}")
            if sense in DIRECTED:
                self.directed = sense
                self._cut(sense)
            else:
                self.chunks[-1].append(f"*{sense}")
            self.relation = sense
            self.nouns = []
            self.small.add(word)
            self.scope = sense == "all"
        elif word in RELATIONS:
            word = "to" if word in ("into", "onto") else word
            self.small.add(word)
            self.relation = word
            self.before, self.nouns = self.nouns, []
            if word in DIRECTED:
                self.directed = word
                self.sequence.append(word)
            self._cut(word if word in DIRECTED or word == "and" else "~")
        elif word in FILLERS:
            self.small.add(word)
            self.nouns = []
            if word in _CUTS:
                self._cut("")
        else:
            stemmed = stem(word)
            concept = SYNONYMS.get(stemmed, stemmed)
            self.words.add(concept)
            if word.endswith("s") and stemmed != word.removesuffix("e"):
                self.plurals.add(concept)
            if self.scope:
                self.whole.add(concept)
                self.scope = False
            if not (self.directed in _TEMPORAL and self.value_next):
                self._item(concept)  # "before taking X" is before X
            self.nouns.append(concept)
            self.sequence.append(concept)
            self.chunks[-1].append(concept)
            self.content = concept

    def _other(self, token: str, before: str, after: str) -> None:
        if token in MARKS:  # the name of a phrase
            self._simple(token)
            return
        if _SILENT.match(token) and not (self.arithmetic and set(token) & set("()")) and not set(token) & set("[]{}"):
            if set(token) & set(",;:"):
                self._cut("")
            return
        if token == "-" and before.isspace() is False and before not in "([,":
            return  # a hyphen
        if token == "-" and after.isalpha() and self.content.startswith("<"):
            return  # "100 -level"
        # Operators and digits that are no value stand for themselves: they decide.
        self.marks.add(token)
        self.sequence.append(f"*{token}")
        self.chunks[-1].append(f"*{token}")


def _intent(text: str, question: bool) -> tuple[str, str]:
    """What kind of answer is wanted, and the noun asked for.

    The kind is ``who``, ``when``, ``where``, ``why``, ``how``, ``any``, ``yes-no``,
    ``statement`` or ``result``. A question without a question
    word wants yes or no, unless it is a polite request.
    """
    if _NAMES_OF.search(text):
        return "who", ""
    if _HOW_TO.match(text):
        return "how", ""
    asked = _ASKED.search(text)
    if asked:
        noun = asked[1]
        return "result", "" if noun in FILLERS or noun in RELATIONS or noun in MARKS else _concept(noun)
    words = _CLAUSES.findall(text)
    for place, word in enumerate(words):
        if word in _FACTUAL and (place == 0 or (question and not _relative(words, place))):
            return _FACTUAL[word], ""
    if _OTHER_QUESTION.search(text):
        return "result", ""
    if _TELLS.match(text):
        return "statement", ""
    if _THERE_ARE.search(text):
        return "any", ""
    open_end = _REQUEST.match(text) or _TO_BE_FILLED.search(text)
    asks = question and not open_end and any(word in _YES_NO for word in words)
    if asks or _WHETHER.match(text) or (words and words[0] in _YES_NO):
        return "yes-no", ""
    return "result", ""


def _counted(text: str) -> str:
    """The noun of which it is asked how many there are."""
    if _HOW_OFTEN.search(text):
        return _concept("occurrence")
    found = _COUNTED.search(text)
    if found is None or found[1] in FILLERS or found[1] in RELATIONS or found[1] in MARKS:
        return ""
    return _concept(found[1])


def _said_of(text: str) -> frozenset[str]:
    """The nouns that values are said to be."""
    found: set[str] = set()
    for match in _SAID_OF.finditer(text):
        noun = ""
        for word in match[1].split():
            if word in FILLERS or word in RELATIONS or word in MARKS:
                break
            noun = word
        if noun and _concept(noun) not in _TIME_UNITS:
            found.add(_concept(noun))
    return frozenset(found)


def _relative(words: Sequence[str], place: int) -> bool:
    """Whether "who", "when" or "where" tells of the noun before it ("the people who") and asks nothing."""
    before, begins = words[place - 1], words[0]
    says = before.isalpha() and before not in FILLERS and before not in RELATIONS and before not in MARKS
    asks_already = begins in _YES_NO or begins in _ARTICLES or _REQUEST.match(begins) is not None
    return says and asks_already and place + 1 < len(words)


def _head(text: str) -> str:
    """The last word of the first thing that is asked for, up to where something is said about it."""
    found = _REQUESTED.match(text)
    if found is None:
        return ""
    head = ""
    for match in _TOKEN.finditer(text, found.end()):
        word = match["word"]
        if word is None:
            if match["slot"] is None:
                break
        elif word == "of" and (not head or head in _COLLECTIONS):
            head = ""
        elif word in ("the", "a", "an", "all", "any", "every", "each", "our", "my") or (not head and word in FILLERS):
            continue
        elif word in FILLERS or word in RELATIONS:
            break
        elif word not in MARKS:
            head = _concept(word)
    return head


def _concept(word: str) -> str:
    stemmed = stem(word)
    return SYNONYMS.get(stemmed, stemmed)
