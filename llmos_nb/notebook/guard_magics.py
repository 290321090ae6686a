"""``%guard``: the guard's rules, what it would say to a command, and a person's decisions on its rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from llmos_nb.notebook.arguments import not_understood
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.views import Page, Table

if TYPE_CHECKING:
    from llmos_nb.guard import Verdict
    from llmos_nb.guard.desk import GuardDesk
    from llmos_nb.guard.waiting import Waiting

__all__ = ["GuardMagics"]

_KINDS: Final = ("shell", "python", "write", "read")
_WORDS: Final[dict[str, tuple[str, ...]]] = {"rules": (), "check": (), "trust": ()}
_USAGE: Final = "Use %guard rules [WORD], %guard check [python|write|read] COMMAND, or %guard trust [SHOWN]."


@magics_class
class GuardMagics(Magics):
    """``%guard`` on one system, which keeps it as ``system.guard``."""

    grammars: ClassVar[dict[str, Grammar]] = {"guard": Grammar(_WORDS)}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_cell_magic
    def guard(self, line: str, cell: str | None = None) -> Table | Page | Waiting:
        """The guard that judges what agents want to do.

        %guard                         the decisions on rules in your llmos.toml
        %guard rules                   every rule: what it objects to, why, what decides it
        %guard rules WORD              those that have the word in them
        %guard check COMMAND           what it would say to a shell command, and by which rule; nothing is run
        %guard check !COMMAND          the same for a line of a cell, as IPython would run it; also %MAGIC
        %guard check python CODE       the same for code; also write PATH, read PATH
        %%guard check                  the same for the cell, as an agent's; %%guard check shell: as a shell script
        %guard trust                   what in llmos.toml would loosen something and waits, since it may be a stranger's
        %guard trust SHOWN             put it into force as it was shown, and only so

        In Python: llmos.guard.rules(), .rules_df(), .check(text, kind), .decide(rule, decision, command=…), .waiting(),
        .trust(shown)
        """
        what, _, rest = line.strip().partition(" ")
        desk: GuardDesk = self.system.guard
        if cell is not None:
            if what != "check" or rest.strip() not in ("", *_KINDS):
                raise not_understood("%%guard", line, _WORDS, _USAGE)
            return _said(desk.check(cell.rstrip("\n"), rest.strip() or "python"))
        if not what:
            return _decisions(desk)
        if what == "rules":
            return _rules(desk, rest.strip())
        if what == "check" and rest.strip():
            kind, _, text = rest.strip().partition(" ")
            if kind in _KINDS and text:
                return _said(desk.check(text, kind))
            return _said(desk.check(rest.strip(), "python" if rest.strip()[0] in "!%" else "shell"))
        if what == "trust" and re.fullmatch(r"\s*|\s*[0-9a-f]{12}\s*", rest):
            if not rest.strip():
                return desk.waiting()
            desk.trust(rest.strip())
            return _decisions(desk)
        raise not_understood("%guard", line, _WORDS, _USAGE)


def _said(verdict: Verdict) -> Page:
    told = {"allow": "allowed", "ask": "asked: a person decides; with nobody there it is denied", "deny": "denied"}
    return Page(f"{told[verdict.decision]}\nrule: {verdict.rule}\n{verdict.reason}")


def _decisions(desk: Any) -> Table | Page:
    if desk.broken:
        return Page(desk.problem)
    waits = any(one.waits for one in desk.overrides)
    columns = ("line", "rule", "decision", "for") + (("in force",) if waits else ())
    rows = []
    for one in desk.overrides:
        row = (str(one.line or "gone"), one.rule, one.decision, one.limits or "everything")
        rows.append((*row, "as far as it tightens: %guard trust" if one.waits else "yes") if waits else row)
    return Table(columns, tuple(rows), empty="llmos.toml decides on no rule: %guard rules lists them")


def _rules(desk: Any, word: str) -> Table:
    rows = [row for row in desk.rules() if word.casefold() in " ".join(row.values()).casefold()]
    columns = ("rule", "kind", "decision", "yours", "what", "why", "blocked", "allowed")
    return Table(
        columns,
        tuple(tuple(_short(row[name]) for name in columns) for row in rows),
        empty=f"no rule has {word!r}: %guard rules lists all",
    )


def _short(text: str) -> str:
    line = "".join(c if c.isprintable() else "�" for c in text.replace("\n", "⏎"))
    return line if len(line) <= 100 else f"{line[:99]}…"
