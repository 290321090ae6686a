"""What the index knows of one trace that a look-up found."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Found"]


class Found(NamedTuple):  # not a dataclass: a look-up makes dozens, and these are made at a tenth of the price
    """One candidate. It has what :class:`~llmos_nb.memory.match.Candidate` has, and its signature's hashes."""

    path: str
    id: str
    digest: str
    status: str
    replayable: bool
    agent: str
    created_at: str
    #: When the file was written: several traces can be of one second.
    mtime_ns: int
    uses: int
    failures: int
    #: Grows with every row that is written; see :mod:`llmos_nb.memory.tables`.
    number: int
    template: int
    words: int
    slots: int
    shape: int
    #: What a person said is wrong with it; empty where nobody did.
    wrong: str
    #: The goal with its values masked.
    text: str
