"""The guard as a person meets it: its rules, what it would say to a command, and their own decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import LlmosError
from llmos_nb.guard.overrides import FIXED, Override
from llmos_nb.guard.policy_file import policy_of
from llmos_nb.guard.rules import RULES
from llmos_nb.guard.scripts import foreign_scripts, trust_scripts
from llmos_nb.guard.taint import TAINT_RULES
from llmos_nb.guard.verdict import Decision, Verdict
from llmos_nb.guard.waiting import Waiting

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GuardDesk"]

_TOOLS: Final[Mapping[str, tuple[str, str]]] = {
    "shell": ("run_shell", "command"),
    "python": ("run_cell", "code"),
    "write": ("write_file", "path"),
    "read": ("read_file", "path"),
}
COLUMNS: Final = ("rule", "kind", "decision", "yours", "what", "why", "blocked", "allowed")


@dataclass(frozen=True, slots=True)
class GuardDesk:
    """The guard of one workspace, for the person whose it is: ``llmos.guard``."""

    workspace: Path
    #: The preset that a person chose elsewhere than in the file.
    preset: str = "development"
    #: Has the options that were trusted taken up.
    taken_up: Callable[[], object] | None = None

    @property
    def problem(self) -> str:
        """Why a person's decisions are not all in force; empty where they are."""
        file = policy_of(self.workspace)
        _ = file.overrides
        return file.problem

    @property
    def broken(self) -> bool:
        """Whether the decisions in llmos.toml cannot be read at all."""
        file = policy_of(self.workspace)
        _ = file.overrides
        return file.broken

    @property
    def overrides(self) -> tuple[Override, ...]:
        """The person's decisions that are in force, in the order of llmos.toml."""
        return policy_of(self.workspace).overrides

    def rules(self) -> list[dict[str, str]]:
        """One row a rule: ``rule``, ``kind``, ``decision`` (its own), ``yours`` (what llmos.toml says), ``what`` it objects
        to, ``why``, an example that is ``blocked`` and a near miss that is ``allowed``."""
        yours: dict[str, list[str]] = {}
        for override in self.overrides:
            limits = f" for {override.limits}" if override.limits else ""
            where = f"line {override.line}" if override.line else "taken out of the file"
            waits = "; waits to be trusted" if override.waits else ""
            yours.setdefault(override.rule, []).append(f"{override.decision}{limits} ({where}{waits})")
        return [
            {
                "rule": rule.id,
                "kind": rule.kind,
                "decision": rule.decision + (" (fixed)" if rule.id in FIXED else ""),
                "yours": "; ".join(yours.get(rule.id, ())),
                "what": rule.what,
                "why": rule.why,
                "blocked": rule.blocked,
                "allowed": rule.allowed,
            }
            for rule in RULES.values()
        ] + [
            {
                "rule": taint.id,
                "kind": "taint",
                "decision": "ask",
                "yours": "",
                "what": taint.what,
                "why": taint.why,
                "blocked": f"once the session has read what is {' or '.join(taint.levels)}: see %taint",
                "allowed": "before that, and after %taint clear",
            }
            for taint in TAINT_RULES.values()
        ]

    def rules_df(self) -> pd.DataFrame:
        """:meth:`rules` as a DataFrame, its index the rule."""
        import pandas as pd

        return pd.DataFrame(self.rules(), columns=list(COLUMNS)).set_index("rule")

    def check(self, text: str, kind: str = "shell", *, cwd: Path | str | None = None) -> Verdict:
        """What the guard would say if an agent asked for this: a shell command, ``python`` code, or a path to ``write`` or
        ``read``. Nothing is run.

        Raises:
            ValueError: ``kind`` is none of these.
        """
        from llmos_nb.guard.policy import judge_tool  # with all that it reads commands and code by

        if kind not in _TOOLS:
            raise ValueError(f"kind must be one of {', '.join(_TOOLS)}, got {kind!r}")
        tool, argument = _TOOLS[kind]
        arguments: dict[str, Any] = {argument: text}
        folder = Path.cwd() if cwd is None else Path(cwd)
        return judge_tool(tool, arguments, grant=(tool,), cwd=folder, workspace=self.workspace)

    def decide(
        self, rule: str, decision: Decision, *, command: str = "", starts: str = "", path: str = "", folder: str = "",
        note: str = "",
    ) -> Override:  # fmt: skip
        """Write a decision on a rule into llmos.toml: ``allow``, ``ask`` or ``deny``, perhaps limited.

        Raises:
            GuardDenied: it is an agent's own code that asks.
            GuardFileError: the decision is none, or the file is wrong as it is.
            StoreError: the file cannot be written.
        """
        wanted = Override(rule, decision, command, starts, path, folder, note)
        return policy_of(self.workspace).add(wanted)

    def waiting(self) -> Waiting:
        """What in llmos.toml would loosen something, and which scripts would be played, and are not, since nobody has
        trusted them; falsy if nothing.

        Raises:
            GuardFileError, SettingsError: the file is wrong.
        """
        return policy_of(self.workspace).waiting(self.preset).with_scripts(foreign_scripts(self.workspace))

    def trust(self, shown: str) -> tuple[Override, ...]:
        """Put llmos.toml and scripts into force as a person has seen them: ``shown`` is what :meth:`waiting` had as such.

        Raises:
            GuardDenied: it is an agent's own code that asks.
            GuardFileError, SettingsError: the file is wrong, or not what was shown any more.
        """
        if not isinstance(shown, str):
            raise TypeError(f"shown must be what .waiting().shown is, got {shown!r:.40}")
        file = policy_of(self.workspace)
        there = file.waiting(self.preset)
        scripts = foreign_scripts(self.workspace)
        if scripts and shown == there.with_scripts(scripts).shown:
            trust_scripts(self.workspace, scripts)
            shown = there.shown
        trusted = file.trust(shown)
        if self.taken_up is not None:
            self.taken_up()
        return trusted

    @property
    def notice(self) -> tuple[str, int]:
        """What a person has to be told of llmos.toml, and the line it is about; an empty text where there is nothing."""
        file = policy_of(self.workspace)
        _ = file.overrides
        if file.broken:
            return file.problem, file.line
        try:
            waiting = self.waiting()
        except LlmosError as error:
            return error.message, 1
        if not waiting:
            return "", 0
        one = waiting.count.startswith("1 ") and " and " not in waiting.count
        them = "it" if one else "them"
        where = "llmos.toml" if waiting.settings else "scripts/"
        return f"{where}: {waiting.count} not in force until you trust {them}: see %guard trust", waiting.line

    def __repr__(self) -> str:
        own = f", {len(self.overrides)} of them decided in llmos.toml" if self.overrides else ""
        return f"{len(RULES)} rules{own}: llmos.guard.rules(), .check(command), .decide(rule, decision), .waiting()"
