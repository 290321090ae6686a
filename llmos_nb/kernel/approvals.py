"""Questions that only a person can answer: may this be done? Whoever asks waits; the answer may come from any thread.

A question is asked only where somebody is there to answer it: a notebook that shows buttons, or code that subscribed.
With nobody there the answer is no, at once, and so it is when the last one who was there left or failed.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

from llmos_nb.errors import NotEditable, UnknownApproval
from llmos_nb.kernel.events import ApprovalAsked, ApprovalGiven, Event, Notice

__all__ = ["Answer", "Approval", "Approvals", "Attendant", "Extent"]

#: Whose answer it is where nobody could give one.
NOBODY: Final = "nobody was there to approve it"
#: Shows a question to a person; returns what takes it away again.
Present = Callable[["Approval"], Callable[[], None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One question: ``agent`` wants to call ``tool``. ``reason`` is the guard's, ``text`` is what would be done.

    Where it is ``editable``, a yes may bring another text, which is then done instead; ``language`` is what it is written
    in (``python``, ``bash``), empty where it is no code.
    """

    id: str
    run_id: str
    agent: str
    tool: str
    reason: str
    text: str
    editable: bool = False
    language: str = ""
    #: What a yes "for this run" and one "always" would cover, in words; empty where it can only be given once.
    for_run: str = ""
    always: str = ""
    at: float = field(default_factory=time.time)

    def __str__(self) -> str:
        return f"{self.id}: {self.agent} asks for {self.tool}: {self.reason}\n{self.text}".rstrip()


Extent = Literal["once", "run", "always"]


class Answer(NamedTuple):
    """Yes or no, whose it is, the text to do instead of what was asked about (None: that itself), how far a yes goes."""

    yes: bool
    by: str
    text: str | None = None
    extent: Extent = "once"


class Attendant:
    """Somebody who can answer, whenever ``there()``; ``present`` shows a question, or None."""

    def __init__(self, approvals: Approvals, there: Callable[[], bool], present: Present | None) -> None:
        self._approvals = approvals
        self.there, self.present = there, present

    def __call__(self) -> None:
        """Leave. What only this one could have answered is answered no."""
        self._approvals._leave(self)

    def cannot(self, approval_id: str, why: str) -> None:
        """Answer this question no, unless somebody else is there who can answer it."""
        self._approvals._without(self, approval_id, why)


class Approvals:
    """The questions that are open now. ``publish`` takes the events of asking and answering."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._numbers = itertools.count(1)
        self._open: dict[str, tuple[Approval, concurrent.futures.Future[Answer]]] = {}
        #: By question: why a text cannot be done in place of what was asked about; empty where it can.
        self._checks: dict[str, Callable[[str], str]] = {}
        self._there: list[Attendant] = []
        #: Who can answer which question.
        self._asked: dict[str, set[Attendant]] = {}
        self._lock = threading.Lock()

    def attend(self, there: Callable[[], bool] = lambda: True, present: Present | None = None) -> Attendant:
        """Somebody answers from now on, whenever ``there()``; calling what is returned ends that.

        ``present`` shows each question. It is called on the thread and in the context of the one who asks.
        """
        attendant = Attendant(self, there, present)
        with self._lock:
            self._there.append(attendant)
        return attendant

    def _leave(self, attendant: Attendant) -> None:
        with self._lock:
            if attendant in self._there:
                self._there.remove(attendant)
            asked = [approval_id for approval_id, who in self._asked.items() if attendant in who]
        for approval_id in asked:
            self._without(attendant, approval_id, "who was asked has left")

    def _without(self, attendant: Attendant, approval_id: str, why: str) -> None:
        with self._lock:
            who = self._asked.get(approval_id, set())
            nobody = attendant in who and len(who) == 1
            who.discard(attendant)
        if nobody:
            with contextlib.suppress(UnknownApproval):  # answered in the same moment
                self.answer(approval_id, False, by=f"nobody: {why}")

    @property
    def attended(self) -> bool:
        """Whether somebody is there who could answer."""
        return any(attendant.there() for attendant in tuple(self._there))

    @property
    def pending(self) -> list[Approval]:
        """The questions that wait for an answer, the oldest first."""
        with self._lock:
            return [approval for approval, _ in self._open.values()]

    async def ask(
        self,
        *,
        run_id: str,
        agent: str,
        tool: str,
        reason: str,
        text: str,
        opened: Callable[[str], None],
        editable: bool = False,
        language: str = "",
        check: Callable[[str], str] = lambda text: "",
        for_run: str = "",
        always: str = "",
    ) -> Answer:
        """Wait for a person's answer; ``opened`` is told the question's id first. No, when nobody is there.

        ``check`` says what is wrong with a text that a person wrote instead; the question then stays open.
        Cancelling the task takes the question back.
        """
        if not self.attended:
            return Answer(False, NOBODY)
        approval = Approval(
            id=f"a{next(self._numbers)}",
            run_id=run_id,
            agent=agent,
            tool=tool,
            reason=reason,
            text=text,
            editable=editable,
            language=language,
            for_run=for_run,
            always=always,
        )
        answered: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        with self._lock:
            self._open[approval.id] = approval, answered
            self._checks[approval.id] = check
            self._asked[approval.id] = who = set(self._there)
        shown: list[Callable[[], None]] = []
        try:
            if not self._show(approval, who, shown):
                with self._lock:
                    self._open.pop(approval.id, None)
                return Answer(False, NOBODY)
            self._publish(
                ApprovalAsked(
                    run_id=run_id,
                    approval_id=approval.id,
                    agent=agent,
                    tool=tool,
                    reason=reason,
                    text=text,
                    editable=editable,
                    language=language,
                    for_run=for_run,
                    always=always,
                )
            )
            opened(approval.id)
            return await asyncio.wrap_future(answered)
        finally:
            with self._lock:
                left = self._open.pop(approval.id, None)
                self._asked.pop(approval.id, None)
                self._checks.pop(approval.id, None)
            if left is not None:
                self._publish(
                    ApprovalGiven(run_id=run_id, approval_id=approval.id, approved=False, by="nobody: taken back")
                )
            for take_away in shown:
                try:
                    take_away()
                except Exception as error:  # noqa: BLE001 - a display that is gone must not fail the run
                    self._tell(approval, error)

    def _show(self, approval: Approval, who: set[Attendant], shown: list[Callable[[], None]]) -> bool:
        """Show a question wherever somebody is; whether anybody can see it."""
        for attendant in tuple(self._there):
            if attendant not in who:
                continue
            try:
                if attendant.there():
                    if attendant.present is not None:
                        shown.append(attendant.present(approval))
                    continue
            except Exception as error:  # noqa: BLE001 - told, and others may see it
                self._tell(approval, error)
            with self._lock:
                who.discard(attendant)
        with self._lock:
            return bool(who)

    def _tell(self, approval: Approval, error: Exception) -> None:
        text = f"the question {approval.id} cannot be shown as it should ({type(error).__name__}: {error})"
        self._publish(Notice(run_id=approval.run_id, text=text))

    def answer(
        self,
        approval_id: str | None,
        yes: bool,
        *,
        by: str = "person",
        text: str | None = None,
        extent: Extent = "once",
    ) -> Approval:
        """Answer a question; None means the only one there is. Callable from any thread.

        With ``text``, a yes is one to that text in place of what was asked about. ``extent`` says how far a yes goes:
        ``once``, ``run`` (the same again in this run) or ``always`` (a rule is written).

        Raises:
            UnknownApproval: no such question is open, or it is not clear which one is meant.
            NotEditable: this question is not about a text that can be another, or a yes to it cannot go as far; it
                stays open.
        """
        with self._lock:
            if isinstance(asked := approval_id or next(iter(self._open), ""), str) and asked in self._open:
                _check_extent(self._open[asked][0], yes, text, extent)
            if approval_id is None and len(self._open) == 1:
                approval_id = next(iter(self._open))
            if isinstance(approval_id, str) and approval_id in self._open and text is not None:
                _check_text(self._open[approval_id][0], yes, text, self._checks[approval_id])
            found = self._open.pop(approval_id, None) if isinstance(approval_id, str) else None
            waiting = ", ".join(self._open) or "none"
        if found is None:
            raise UnknownApproval(
                f"No question {approval_id!r} is open."
                if approval_id is not None
                else "Which question is not clear.",
                remedy=f"Open questions: {waiting}.",
            )
        approval, answered = found
        other = None if text is None or _lines(text) == _lines(approval.text) else text
        self._publish(
            ApprovalGiven(
                run_id=approval.run_id,
                approval_id=approval.id,
                approved=yes,
                by=by,
                edited=other is not None,
                extent=extent if yes else "once",
            )
        )
        answered.set_result(Answer(yes, by, other, extent))
        return approval


def _lines(text: str) -> list[str]:
    """A page's text area has line ends of its own."""
    return text.replace("\r\n", "\n").split("\n")


def _check_extent(approval: Approval, yes: bool, text: object, extent: object) -> None:
    if extent == "once":
        return
    if extent not in get_args(Extent):
        raise NotEditable(f"{approval.id}: {extent!r} is no extent of a yes.", remedy="Give once, run or always.")
    if not yes:
        raise NotEditable(f"{approval.id}: a no goes for this once.", remedy="Deny it again when it is asked again.")
    if not (approval.for_run if extent == "run" else approval.always):
        raise NotEditable(f"{approval.id}: this can be approved once only.", remedy="Approve it once, or deny it.")
    if text is not None and (not isinstance(text, str) or _lines(text) != _lines(approval.text)):
        raise NotEditable(
            f"{approval.id}: what was edited is approved once: nobody has judged it yet.",
            remedy="Approve it once; when it is asked about, it can be approved for longer.",
        )


def _check_text(approval: Approval, yes: bool, text: object, check: Callable[[str], str]) -> None:
    if not yes:
        raise NotEditable(f"{approval.id}: a no takes no text.", remedy="Leave the text out, or approve it.")
    if not isinstance(text, str):
        raise NotEditable(
            f"{approval.id}: what is to be done instead must be text, got {type(text).__name__}.",
            remedy="Give a str, or leave the text out.",
        )
    if _lines(text) != _lines(approval.text) and not approval.editable:
        raise NotEditable(
            f"{approval.id}: {approval.tool} is approved or denied as it is.", remedy="Leave the text out."
        )
    if not text.strip():
        raise NotEditable(f"{approval.id}: the text is empty.", remedy="Deny it instead.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotEditable(
            f"{approval.id}: the text has half a character at {error.start}.", remedy="Take it out."
        ) from error
    if _lines(text) != _lines(approval.text) and (problem := check(text)):
        raise NotEditable(
            f"{approval.id}: this cannot be run: {problem}.", remedy="Mend it and approve again, or deny."
        )
