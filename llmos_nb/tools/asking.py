"""What a person is asked about the calls of a run, and what became of a call by the answer."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llmos_nb.errors import LlmosError, UnknownApproval
from llmos_nb.guard.overrides import FIXED, Override
from llmos_nb.guard.policy_file import policy_of
from llmos_nb.guard.rules import RULES
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.approvals import Approvals
from llmos_nb.kernel.events import Event, Notice
from llmos_nb.kernel.fenced import fenced
from llmos_nb.kernel.whose import own_work
from llmos_nb.tools.cell import RUN_CELL
from llmos_nb.tools.proposal import as_edited, is_proposed, proposal_of
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolContext

__all__ = ["PROPOSED", "Asking", "Word", "edited_remark", "fingerprint"]

#: Tools whose calls are made again as they are: a yes to one can go further than this once.
_AGAIN: Final = (RUN_CELL.name, "run_shell")
#: Characters of a command or of code up to which it can be allowed for good.
ALWAYS_LIMIT: Final = 2_000
#: The rule by which a call is denied that a person was shown before it was made, and did not want.
PROPOSED: Final = "proposed"


@dataclass(slots=True)
class Word:
    """What a person said about one call so far: ``rules`` of the guard they agreed to, their ``no`` if it was one."""

    rules: set[str] = field(default_factory=set)
    edited: bool = False
    no: Verdict | None = None

    def on(self, verdict: Verdict) -> Verdict:
        """The guard's verdict as this word leaves it."""
        if self.no is not None and verdict.decision != "deny":
            return self.no
        if verdict.decision == "ask" and verdict.rule in self.rules:
            return Verdict("allow", verdict.rule, f"approved: {verdict.reason}")
        return verdict


class Asking:
    """Asks on behalf of one run. With ``propose`` every call that can change something is shown before it is made."""

    def __init__(
        self,
        run_id: str,
        approvals: Approvals | None,
        stopping: threading.Event,
        publish: Callable[[Event], None],
        *,
        propose: bool = False,
    ) -> None:
        self.propose = propose
        self._run_id, self._approvals, self._stopping, self._publish = run_id, approvals, stopping, publish
        #: What a person agreed to for the whole run: calls by their fingerprint, each with a rule of the guard.
        self._for_run: set[tuple[str, str]] = set()
        #: The id of the question that waits.
        self._question = ""

    def settled(self, verdict: Verdict, tool: str, arguments: Mapping[str, Any]) -> Verdict:
        """The verdict, but allowed where a person said yes to this very call for the whole run."""
        if verdict.decision == "ask" and (fingerprint(tool, arguments), verdict.rule) in self._for_run:
            return Verdict("allow", verdict.rule, f"approved for this run: {verdict.reason}")
        return verdict

    def due(self, verdict: Verdict, tool: str, arguments: Mapping[str, Any], word: Word, *, replayed: bool) -> bool:
        """Whether a person has to be asked before this call is made. A replay's steps were shown all together."""
        if word.no is not None or verdict.decision == "deny":
            return False
        proposing = self.propose and not replayed and PROPOSED not in word.rules
        return verdict.decision == "ask" or (proposing and is_proposed(tool, arguments))

    async def about(
        self, verdict: Verdict, tool: str, arguments: Mapping[str, Any], word: Word, context: ToolContext
    ) -> Mapping[str, Any]:
        """Ask, note the answer in ``word``, and return the arguments as the person left them."""
        guarded = verdict.decision == "ask"
        rule = verdict.rule if guarded else PROPOSED
        try:
            proposal = proposal_of(tool, arguments, context)
        except Exception as error:  # noqa: BLE001 - what cannot be shown is not approved
            why = f"{verdict.reason} (it cannot be shown: {type(error).__name__}: {error})"
            word.no = Verdict("deny", rule, why)
            return arguments
        reason = verdict.reason if guarded else proposal.about
        if self._approvals is None:
            word.no = Verdict("deny", rule, f"{reason} (nobody was there to approve it)")
            return arguments
        rule_kept = _kept(verdict, tool, arguments, context) if guarded else None
        try:
            yes, by, text, extent = await self._approvals.ask(
                run_id=self._run_id,
                agent=context.agent,
                tool=tool,
                reason=reason,
                text=proposal.text,
                opened=self._opened,
                for_run="the very same call again, until this run ends" if guarded and tool in _AGAIN else "",
                always=_in_words(rule_kept),
                editable=self.propose and proposal.editable,
                language=proposal.language,
                check=context.namespace.unreadable if tool == RUN_CELL.name else lambda text: "",
            )
        finally:
            self._question = ""
        if self._stopping.is_set():
            word.no = Verdict("deny", "stopping", "the run is being stopped")
        elif not yes:
            word.no = Verdict("deny", rule, f"{reason} ({'a person said no' if by == 'person' else by})")
        else:
            word.rules |= {rule, PROPOSED}  # whoever agreed to it has seen it
            if extent == "run":
                self._for_run.add((fingerprint(tool, arguments), rule))
            elif extent == "always" and rule_kept is not None:
                self._keep(rule_kept, context)
            if text is not None:
                word.edited = True
                self._publish(Notice(run_id=self._run_id, text=f"{tool}: a person edited it before it ran"))
                return as_edited(tool, arguments, text)
        return arguments

    def _keep(self, rule: Override, context: ToolContext) -> None:
        """Write what a person agreed to for good into their policy file, and tell them."""
        try:
            with own_work():  # the answer came from a person
                policy_of(context.workspace).add(rule)
            text = f"from now on: {rule} (llmos.toml, [[guard]]; %guard rules)"
        except LlmosError as error:
            text = f"approved this once; the rule could not be kept: {error}"
        self._publish(Notice(run_id=self._run_id, text=text))

    async def whole(self, agent: str, tool: str, reason: str, text: str, language: str) -> Verdict:
        """Ask about something that is approved or denied as it is."""
        by = "nobody was there to approve it"
        if self._approvals is not None:
            try:
                yes, by, _, _ = await self._approvals.ask(
                    run_id=self._run_id,
                    agent=agent,
                    tool=tool,
                    reason=reason,
                    text=text,
                    opened=self._opened,
                    language=language,
                )
            finally:
                self._question = ""
            if self._stopping.is_set():
                return Verdict("deny", "stopping", "the run is being stopped")
            if yes:
                return Verdict("allow", PROPOSED, "a person agreed")
        return Verdict("deny", PROPOSED, f"{reason} ({'a person said no' if by == 'person' else by})")

    def _opened(self, approval_id: str) -> None:
        self._question = approval_id
        if self._stopping.is_set():
            self.take_back()

    def take_back(self) -> None:
        """Answer the question that waits no: the run is being stopped. Callable from any thread."""
        question = self._question
        if self._approvals is not None and question:
            with contextlib.suppress(UnknownApproval):
                self._approvals.answer(question, False, by="nobody: the run was stopped")


def fingerprint(tool: str, arguments: Mapping[str, Any]) -> str:
    """What tells one call from another."""
    return f"{tool} {json.dumps(arguments, sort_keys=True, default=str)}"


def _kept(verdict: Verdict, tool: str, arguments: Mapping[str, Any], context: ToolContext) -> Override | None:
    """The rule that "always" would write: this rule, for exactly this command or code, in this folder. None where the
    guard's rule can be loosened by nobody, and for what is no command or code, or a very long one."""
    text = arguments.get(TOOLS[tool].main)
    if verdict.rule not in RULES or verdict.rule in FIXED or tool not in _AGAIN:
        return None
    if not isinstance(text, str) or not text.strip() or len(text) > ALWAYS_LIMIT or not context.cwd.is_dir():
        return None
    folder = os.path.relpath(context.cwd, context.workspace).replace(os.sep, "/")
    return Override(verdict.rule, "allow", command=text, folder=folder)


def _in_words(rule: Override | None) -> str:
    if rule is None:
        return ""
    shown = rule.command if len(rule.command) <= 200 else f"{rule.command[:200]}…"
    return (
        f"a rule in llmos.toml: {rule.rule} allows exactly {shown!r} in this working folder, whatever the files that it "
        "names hold by then, and nothing else"
    )


def edited_remark(tool: str, arguments: Mapping[str, Any]) -> str:
    """What the model is told whose call a person edited."""
    text = str(arguments.get(TOOLS[tool].main, ""))
    return (
        f"A person edited this call of {tool} before it ran. The result is that of their text; go on from it:\n"
        f"{fenced(TOOLS[tool].language or 'text', text)}"
    )
