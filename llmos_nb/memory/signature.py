"""What the index knows of a goal's form: hashes to find equal ones by, and sign bits to find similar ones by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["Signature", "hash63"]


@dataclass(frozen=True, slots=True)
class Signature:
    """The searchable forms of one goal. Hashes are positive 63-bit integers; 0 says that there is none.

    Two goals with one hash are *probably* equal in that form: whoever serves something on the strength of a hash
    compares the texts as well.
    """

    #: Of the goal's exact key.
    key: int = 0
    #: Of the text with its values masked.
    template: int = 0
    #: Of the masked text's sequence of words.
    words: int = 0
    #: Of the kinds of its slots: the bucket that similar goals are looked for in.
    slots: int = 0
    #: Of the shape of the trace's program.
    shape: int = 0
    #: The signs of the masked text's embedding, one bit a dimension; empty where there is no embedding.
    bits: bytes = b""
    #: The masked text.
    text: str = ""


def hash63(text: str) -> int:
    """A hash of ``text`` that is the same everywhere, from 1 to 2**63 - 1, so that every database can hold it."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1 or 1
