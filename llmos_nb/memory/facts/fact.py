"""What a fact is: a short text that somebody asked to be remembered, with who said it and when.

Facts are never overwritten. One that is no longer true is *superseded* by another or *forgotten*; its file stays.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llmos_nb.errors import FactError
from llmos_nb.kernel.secrets import redacted

__all__ = [
    "PERSON",
    "STATUSES",
    "TEXT_LIMIT",
    "Fact",
    "by_agent",
    "by_code",
    "checked_text",
    "digest_of",
    "id_of",
    "new_fact",
]

#: ``active`` facts are recalled; the others are kept for whoever asks what was believed before.
STATUSES: Final = ("active", "superseded", "forgotten")
#: Characters of a fact. What is longer is a document, and better kept as a file that a fact names.
TEXT_LIMIT: Final = 4_000
#: Characters of a source, of a tag, and how many tags.
SOURCE_LIMIT: Final = 300
TAG_LIMIT: Final = 40
TAGS_LIMIT: Final = 20
#: The source of what a person said, and of what an agent's code says.
PERSON: Final = "person"
AGENTS_CELL: Final = "agent: code in a cell"

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_TAG: Final = re.compile(r"[\w][\w.:/-]*")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. ``date`` is ISO 8601 in UTC; ``source`` says who or what it is from.

    ``supersedes`` and ``superseded_by`` are ids of facts; empty ``project`` means that it holds everywhere.
    """

    text: str
    id: str = ""
    date: str = ""
    source: str = PERSON
    tags: tuple[str, ...] = ()
    project: str = ""
    supersedes: str = ""
    superseded_by: str = ""
    status: str = "active"
    #: Front matter that this version does not know; kept as it is.
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def by_person(self) -> bool:
        """Whether a person said it; what an agent or a file says deserves less belief."""
        return self.source == PERSON

    @property
    def by_an_agent(self) -> bool:
        """Whether an agent said it, by a tool or by code in a cell."""
        return self.source.startswith("agent:")

    @property
    def digest(self) -> str:
        """Tells whether the fact still says the same: 16 hexadecimal digits of its text's SHA-256."""
        return digest_of(self.text)


def digest_of(text: str) -> str:
    """What tells one text from another: 16 hexadecimal digits of a SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def by_agent(agent: str, run_id: str) -> str:
    """The source of what an agent asked to be remembered."""
    return f"agent:{agent or 'unnamed'} run:{run_id or 'unknown'}"


def by_code(source: str) -> str:
    """The source of what an agent's code in a cell says, whoever it says it is."""
    said = checked_source(source)
    return AGENTS_CELL if said == PERSON else f"{AGENTS_CELL}: {said}"[:SOURCE_LIMIT]


def checked_text(text: object) -> str:
    """The text as a fact has it: Unix line ends, no white space around it, characters in composed form.

    Raises:
        FactError: it is empty, too long, or no plain text.
    """
    if not isinstance(text, str):
        raise FactError(f"A fact must be text, got {type(text).__name__}.", remedy="Say it in words.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FactError("The fact holds half a character.", remedy="Write the character anew.") from error
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not plain:
        raise FactError("The fact is empty.", remedy="Say in words what is to be remembered.")
    if len(plain) > TEXT_LIMIT:
        raise FactError(
            f"The fact has {len(plain)} characters; at most {TEXT_LIMIT} are kept.",
            remedy="Put the material into a file, and remember what it is and where.",
        )
    if redacted(plain) != plain:
        raise FactError(
            "The fact holds what looks like a key, token or password.",
            remedy="Leave it out: put it into an environment variable, and remember that one's name.",
        )
    if found := _CONTROL.search(plain):
        raise FactError(
            f"The fact holds the control character U+{ord(found[0]):04X}.", remedy="Remove it: facts are plain text."
        )
    return plain


def checked_source(source: object) -> str:
    """The source in one line.

    Raises:
        FactError: it is no text, or too long.
    """
    plain = " ".join(source.split()) if isinstance(source, str) else ""
    if not plain or len(plain) > SOURCE_LIMIT or _CONTROL.search(plain):
        raise FactError(
            f"A source must be 1 to {SOURCE_LIMIT} characters, got {source!r:.60}.",
            remedy="Name a person, a run, a URL or a file.",
        )
    return plain


def checked_tags(tags: Iterable[str] | str) -> tuple[str, ...]:
    """Tags in lower case, each once, in order.

    Raises:
        FactError: one of them is no word, or there are too many.
    """
    given = [tags] if isinstance(tags, str) else list(tags)
    found = []
    for tag in given:
        plain = unicodedata.normalize("NFC", tag).strip().lstrip("#").lower() if isinstance(tag, str) else ""
        if not _TAG.fullmatch(plain) or len(plain) > TAG_LIMIT:
            raise FactError(
                f"{tag!r:.60} cannot be a tag.", remedy=f"Use letters, digits and '-', at most {TAG_LIMIT}."
            )
        found.append(plain)
    unique = tuple(dict.fromkeys(found))
    if len(unique) > TAGS_LIMIT:
        raise FactError(
            f"{len(unique)} tags are more than {TAGS_LIMIT}.", remedy="Keep those that will be looked for."
        )
    return unique


def new_fact(text: object, *, source: object, tags: Iterable[str] | str, project: str, date: str) -> Fact:
    """A fact of this content, still without an id.

    Raises:
        FactError: some part of it cannot be kept.
    """
    return Fact(
        checked_text(text), date=date, source=checked_source(source), tags=checked_tags(tags), project=project
    )


def id_of(text: str, project: str = "") -> str:
    """The id that a text gets: some of its letters and 12 digits of a digest.

    The same text (white space aside) has the same id in every kernel, so that nobody writes it twice; and no time is
    in it, so that remembering it again in a replay comes out the same.
    """
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:40].strip("-") or "fact"
    same = " ".join(text.split())
    return f"{slug}-{digest_of(project + chr(10) + same if project else same)[:12]}"
