"""The taint of a session as one run meets it: what a call may do, what it let in, and what is shown of it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from llmos_nb.guard.exits import exits
from llmos_nb.guard.gate import Gate
from llmos_nb.guard.outside_marks import OutsideMarks, digest_of_file
from llmos_nb.guard.policy import kind_of
from llmos_nb.guard.remote import without_remote, without_remote_text
from llmos_nb.guard.taint import FOREIGN, TAINT_RULES, Level, Mark, Taint
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.events import Event, Notice, Tainted
from llmos_nb.kernel.secrets import is_secret_name
from llmos_nb.memory.facts import Fact
from llmos_nb.mind import Agent
from llmos_nb.tools.came_in import came_in
from llmos_nb.tools.namespace import Namespace, Output
from llmos_nb.tools.tool import ToolResult

__all__ = ["Tainting", "agent_digest"]

#: What is said, once a run, when a stranger's content came in.
_SAID = "content from outside came in by {what}: from here on, what leaves the workspace or lasts asks first"


class Tainting:
    """Asks and notes on behalf of one run."""

    def __init__(
        self,
        run_id: str,
        taint: Taint,
        *,
        namespace: Namespace,
        workspace: Path,
        cwd: Path,
        publish: Callable[[Event], None],
    ) -> None:
        self.taint = taint
        self.marks = OutsideMarks(workspace / ".llmos" / "outside.jsonl")
        self._run_id, self._namespace, self._cwd, self._publish = run_id, namespace, cwd, publish
        self._before = frozenset(name for name in namespace.names if not name.startswith("_"))
        cells = namespace.names.get("In")
        self._cells = tuple(str(cell) for cell in cells) if isinstance(cells, list) else ()

    # -- before a call

    def exits(self, tool: str, arguments: Mapping[str, Any]) -> Verdict:
        """The guard's word on what the call would let out."""
        foreign = self.taint.level == FOREIGN
        secrets = [name for name in list(self._namespace.names) if is_secret_name(name)] if foreign else []
        return exits(tool, arguments, self.taint, kind=kind_of(tool), secrets=secrets)

    def first(self, verdict: Verdict, tool: str, arguments: Mapping[str, Any]) -> Verdict:
        """What a person is asked where another rule asks, too: they must know that content from outside was read."""
        if verdict.decision != "ask" or verdict.rule in TAINT_RULES:
            return verdict
        found = self.exits(tool, arguments)
        return found if found.decision == "ask" else verdict

    def gate(self, verdict: Verdict, agreed: set[str]) -> Gate:
        """The ways out of a call that is about to be made; a person's yes to one of the rules opens them."""
        return Gate(self.taint, approved=bool(agreed & TAINT_RULES.keys()) or verdict.rule in TAINT_RULES)

    # -- after it

    def came_in(self, tool: str, arguments: Mapping[str, Any], result: ToolResult, gate: Gate | None = None) -> None:
        """Note what an ended call let in, and what it kept."""
        if tool == "recall":
            return  # its facts are told one by one
        found = came_in(
            tool,
            arguments,
            result.text,
            result.reads,
            self.taint,
            kind=kind_of(tool),
            cwd=self._cwd,
            hosts=gate.hosts if gate is not None else (),
            since_ns=gate.began_ns if gate is not None else None,
            made=self.taint.made,
            changed=result.files,
            before=self._before,
            names=self._namespace.names,
            kept=self._kept,
            cells=self._cells,
        )
        for level, kind, what in found:
            self.mark(level, kind, what)
        if self.taint.level == FOREIGN:
            self.taint.learn(result.text)
        self.made(result.files)

    def made(self, files: tuple[str, ...]) -> None:
        """Files that a run of this session wrote: reading them again lets nothing new in."""
        mark = self._foreign()
        for name in files[:500]:
            path = (self._cwd / name).resolve()
            self.taint.made.add(str(path))
            if mark is not None and (digest := digest_of_file(path)):
                self.keep("file", str(path), digest)

    def keep(self, kind: str, id: str, digest: str) -> None:
        """Remember for later sessions that this was written after such content was read."""
        mark = self._worst()
        if mark is not None:
            try:
                self.marks.note(kind, id, digest, mark)
            except OSError as error:
                self._publish(
                    Notice(run_id=self._run_id, text=f"that {id} rests on outside content is not kept: {error}")
                )

    def mark(self, level: Level, kind: str, what: str, at: str = "") -> None:
        """Something came in: note it, and tell it."""
        before = self.taint.level
        made = self.taint.mark(level, kind, what, self._run_id, at)
        if made is None:
            return
        self._publish(Tainted(run_id=self._run_id, level=made.level, kind=made.kind, what=made.what))
        if made.level == FOREIGN and before != FOREIGN:
            self._publish(Notice(run_id=self._run_id, text=_SAID.format(what=f"{made.what} ({made.kind})")))

    def rests_on(self, *, recalled: Iterable[Fact] = (), agents: Iterable[Agent] = ()) -> None:
        """The facts and the agents that the run is given: what they were made of comes in with them."""
        for fact in recalled:
            if (mark := self.marks.found("fact", fact.id, fact.digest)) is not None:
                self.mark(mark.level, "fact", f"{fact.id}, kept after {mark.what}")
        for agent in agents:
            if (mark := self.marks.found("agent", agent.name, agent_digest(agent))) is not None:
                self.mark(mark.level, "agent", f"{agent.name}, written after {mark.what}")

    def _worst(self) -> Mark | None:
        level = self.taint.level
        return next((mark for mark in self.taint.marks if mark.level == level), None)

    def _foreign(self) -> Mark | None:
        return next((mark for mark in self.taint.marks if mark.level == FOREIGN), None)

    def _kept(self, path: Path) -> Level:
        found = self.marks.path.exists() and self.marks.found("file", str(path), digest_of_file(path))
        return FOREIGN if found else ""

    # -- what is shown

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """A display's data as it may be shown now."""
        return without_remote(data, self.taint.hosts) if self.taint.level else dict(data)

    def outputs(self, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        """A call's outputs as they may be shown now."""
        if not self.taint.level:
            return outputs
        return tuple(one if one.is_stream else dataclasses.replace(one, data=self.shown(one.data)) for one in outputs)

    def text(self, text: str) -> str:
        """Words of the model as they may be shown now."""
        return without_remote_text(text, self.taint.hosts) if self.taint.level else text


def agent_digest(agent: Agent) -> str:
    """What tells one version of an agent from another: all that it is told and granted."""
    said = "\0".join([agent.name, agent.description, agent.prompt, *agent.tools, str(agent.model)])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
