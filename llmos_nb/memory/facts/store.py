"""The facts of a workspace: Markdown files that are the truth, and an index that finds one in a few milliseconds.

Nothing is recalled on the index's word alone: the file of every fact that is about to be told is read again, so one
that was edited or deleted by hand is never told as it was. Writers of all kernels take turns by the write lock of the
state database; what two of them say at once is kept once.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import itertools
import os
import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import sqlalchemy as sa

from llmos_nb.errors import FactError, FactFileError, StoreError, UnknownFact
from llmos_nb.kernel.state import open_state
from llmos_nb.kernel.whose import by_agent as from_agent_code
from llmos_nb.memory.facts.answers import Recalled, Remembered
from llmos_nb.memory.facts.codec import ID
from llmos_nb.memory.facts.fact import PERSON, Fact, by_code, id_of, new_fact
from llmos_nb.memory.facts.files import FactFiles

__all__ = ["FactStore", "Recalled", "Remembered"]

#: Likeness (0 to 1, pieces in common) from which two texts say nearly the same: one may be the other corrected.
_NEAR: Final = 0.72
#: Facts that are told of when one is remembered that comes close to them.
_TOLD: Final = 3


class FactStore:
    """The facts in ``folder``; a context manager. Several stores, also of several processes, may share a folder.

    ``state`` is the workspace's state database; without one the store keeps ``folder/.llmos/state.db``.

    Raises:
        StoreError: the folder or the database cannot be used.
    """

    def __init__(self, folder: Path | str, *, state: sa.Engine | None = None) -> None:
        self.folder = Path(folder).absolute()
        self._own_state = state is None
        self._engine = state if state is not None else open_state(self.folder / ".llmos" / "state.db")
        self._files = FactFiles(self.folder, self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database, if the store opened it."""
        if self._own_state:
            self._engine.dispose()

    def __repr__(self) -> str:
        try:
            return f"FactStore({str(self.folder)!r}, {len(self)} facts; %memory shows them)"
        except StoreError as error:
            return f"FactStore({error.message})"

    # -- what is known

    def __len__(self) -> int:
        """How many facts are active."""
        with self._files.lock:
            self._files.notice()
            return sum(
                entry.fact is not None and self._files.status(entry.fact) == "active"
                for entry in self._files.entries.values()
            )

    @property
    def problems(self) -> dict[str, str]:
        """Files that cannot be read, by name, with what is wrong and what to do."""
        with self._files.lock:
            self._files.notice(now=True)
            return {path: entry.problem for path, entry in sorted(self._files.entries.items()) if entry.problem}

    def all(self, *, project: str | None = None, every: bool = False) -> list[Fact]:
        """The active facts, newest first; ``every`` with those that were superseded or forgotten.

        With a project its own facts and those of no project; None: of all projects.
        """
        with self._files.lock:
            self._files.notice(now=True)
            found = [
                self._files.as_is(entry.fact) for entry in self._files.entries.values() if entry.fact is not None
            ]
        found = [f for f in found if (every or f.status == "active") and _holds(f, project)]
        return sorted(found, key=lambda fact: (fact.date, fact.id), reverse=True)

    def rows(self) -> list[dict[str, Any]]:
        """Every readable fact as plain data, newest first, whatever its status."""
        names = [field.name for field in dataclasses.fields(Fact) if field.name != "extra"]
        return [{name: getattr(fact, name) for name in names} for fact in self.all(every=True)]

    def get(self, fact_id: str) -> Fact:
        """The fact as its file says it now, whatever its status.

        Raises:
            UnknownFact: there is no such fact; the message has the ids that come close.
            FactFileError: its file cannot be read.
        """
        with self._files.lock:
            path = f"{fact_id}.md"
            if not isinstance(fact_id, str) or not ID.fullmatch(fact_id):
                raise UnknownFact(f"{fact_id!r:.60} is not the id of a fact.", remedy="%memory lists them.")
            self._files.notice()
            self._files.read_again(path)
            entry = self._files.entries.get(path)
            if entry is None:
                ids = [other.removesuffix(".md") for other in self._files.entries]
                close = difflib.get_close_matches(fact_id, ids, 3) or [i for i in ids if i.startswith(fact_id)][:3]
                raise UnknownFact(
                    f"There is no fact {fact_id!r}.",
                    remedy=f"Did you mean {' or '.join(close)}?" if close else "%memory lists them.",
                )
            if entry.fact is None:
                raise FactFileError(entry.problem, remedy="Correct the file, or delete it.")
            return self._files.as_is(entry.fact)

    def history(self, fact_id: str) -> list[Fact]:
        """The fact, what it superseded, and what superseded it: oldest first.

        Raises:
            UnknownFact, FactFileError: see :meth:`get`.
        """
        chain = [self.get(fact_id)]
        for name, at in (("supersedes", 0), ("superseded_by", -1)):
            while (other := getattr(chain[at], name)) and other not in {fact.id for fact in chain}:
                try:
                    fact = self.get(other)
                except (UnknownFact, FactFileError):
                    break  # deleted by hand
                chain.insert(0 if at == 0 else len(chain), fact)
        return chain

    def recall(self, query: str, limit: int = 8, *, project: str | None = None, least: float = 0.1) -> list[Recalled]:
        """The active facts that bear most on ``query``, best first, those below the score ``least`` left out.

        With a project its own facts and those of no project; None: of all projects.
        """
        if not isinstance(query, str) or not query.strip() or limit < 1:
            return []
        with self._files.lock:
            self._files.notice()
            for _ in range(3):
                found = self._files.searched().best(
                    query, limit, lambda fact: self._files.status(fact) == "active" and _holds(fact, project)
                )
                found = [one for one in found if one[1] >= least]
                if not sum(self._files.read_again(f"{fact.id}.md") for fact, _, _ in found):
                    break
            return [Recalled(self._files.as_is(fact), score, reason) for fact, score, reason in found]

    # -- what is said

    def remember(
        self,
        text: str,
        source: str = PERSON,
        tags: Iterable[str] | str = (),
        supersedes: str | None = None,
        *,
        project: str = "",
    ) -> Remembered:
        """Keep ``text`` as a fact, unless the same is known already; tells which others come close to it.

        Args:
            text: what is to be remembered, plain text of at most 4,000 characters.
            source: who or what it is from: ``person``, a URL, a file, ``agent:NAME run:ID``.
            tags: words to find it by.
            supersedes: id of a fact that is no longer true because of this one.
            project: the project that it holds in; empty: everywhere.

        Raises:
            FactError: the text cannot be kept, or the old fact is not in force any more.
            UnknownFact: there is no fact to supersede.
            StoreError: the folder cannot be written.
        """
        if code := from_agent_code():
            source = by_code(source)
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        fact = new_fact(text, source=source, tags=tags, project=project, date=now)
        with self._files.writing_turn():
            self._files.notice()
            old = self.get(supersedes) if supersedes else None
            if code and old is not None and not old.by_an_agent:
                raise FactError(
                    f"Code of an agent cannot take the place of what {old.source} said.",
                    remedy=f"Ask the person: %memory supersede {old.id} TEXT.",
                )
            again = self._same_as(fact) if old is not None and old.status != "active" else None
            if again is not None and old is not None and again.supersedes == old.id:
                return Remembered(again, False, self._near(again), old)
            if old is not None and old.status != "active":
                by = f" by {old.superseded_by}" if old.superseded_by else ""
                raise FactError(
                    f"{old.id} was {old.status} already{by}.", remedy="Name the fact that is in force now."
                )
            made, new = self._written(fact, old)
            if old is not None and made.id != old.id:
                gone = dataclasses.replace(old, status="superseded", superseded_by=made.id)
                self._files.write(gone)
            elif old is not None:
                old = None  # the same words again: nothing took its place
        return Remembered(made, new, self._near(made), old)

    def supersede(self, fact_id: str, text: str, source: str = PERSON, tags: Iterable[str] | str = ()) -> Remembered:
        """Put ``text`` in the place of a fact that is no longer true; its file stays and says what superseded it.

        Raises:
            UnknownFact, FactError, StoreError: see :meth:`remember`.
        """
        old = self.get(fact_id)
        return self.remember(text, source, tags or old.tags, fact_id, project=old.project)

    def forget(self, fact_id: str) -> Fact:
        """Let a fact be recalled no more. Its file stays, with the status ``forgotten``; delete it to be rid of it.

        Raises:
            UnknownFact, FactFileError: see :meth:`get`.
            FactError: an agent's code in a cell asks for it.
            StoreError: the file cannot be written.
        """
        if from_agent_code():
            raise FactError(
                "Code of an agent cannot make facts forgotten.", remedy="Ask the person: %memory forget ID."
            )
        with self._files.writing_turn():
            fact = dataclasses.replace(self.get(fact_id), status="forgotten")
            self._files.write(fact)
            return fact

    def place(self, text: str, project: str = "") -> Path:
        """The file that a text has, or would get if it were remembered now.

        Raises:
            FactError: it cannot be kept.
        """
        with self._files.lock:
            fact = new_fact(text, source=PERSON, tags=(), project=project, date="")
            return self.folder / f"{self._free(fact)[0]}.md"

    def _same_as(self, fact: Fact) -> Fact | None:
        """The active fact that says the same."""
        return self._free(fact)[1]

    def _free(self, fact: Fact) -> tuple[str, Fact | None]:
        """The id for a fact; and the active one that has it, if it says the same."""
        first = id_of(fact.text, fact.project)
        for number in itertools.count(1):
            id = first if number == 1 else f"{first}-{number}"
            self._files.read_again(f"{id}.md")
            there = self._files.entries.get(f"{id}.md")
            if there is None and not os.path.lexists(self.folder / f"{id}.md"):
                return id, None
            same = there.fact if there is not None else None
            if same is not None and self._files.status(same) == "active" and _same(same.text, fact.text):
                return id, same
        raise AssertionError  # there is always a next number

    def _written(self, fact: Fact, old: Fact | None) -> tuple[Fact, bool]:
        """The fact with an id of its own, written; or the active one that says the same."""
        while True:
            id, same = self._free(fact)
            if same is not None:
                return same, False
            made = dataclasses.replace(fact, id=id, supersedes=old.id if old else "")
            try:
                self._files.write(made, exclusive=True)
                return made, True
            except FileExistsError:  # somebody's editor was faster
                continue

    def _near(self, fact: Fact) -> tuple[Fact, ...]:
        """Active facts that say nearly the same, or something else about the same thing."""
        found = [one for one in self.recall(fact.text, 8, project=fact.project) if one.fact.id != fact.id]
        return tuple(one.fact for one in found if _alike(one.fact.text, fact.text))[:_TOLD]

    def refresh(self) -> None:
        """Look at every file now: what was added, edited or deleted by hand is seen.

        Raises:
            StoreError: the folder cannot be read.
        """
        with self._files.lock:
            self._files.notice(now=True)


def _holds(fact: Fact, project: str | None) -> bool:
    return project is None or fact.project in ("", project)


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()) == " ".join(other.split())


def _alike(one: str, other: str) -> bool:
    """Whether two texts are nearly the same: the same words but for a value, say."""
    ours, theirs = (re.findall(r"\w+|[^\w\s]", text.lower()) for text in (one, other))
    return difflib.SequenceMatcher(None, ours, theirs, autojunk=False).ratio() >= _NEAR
