"""Completion of the magics' lines, from what each declares: its words, its options, and what kind of thing follows.

A magics class declares ``grammars``: for each magic a :class:`Grammar`. What there is of a kind now is asked of the system
when Tab is pressed, with a hint that the frontend may show: of a trace its goal, of an agent its description.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import LlmosError
from llmos_nb.notebook.arguments import Option
from llmos_nb.settings import MODES, describe

if TYPE_CHECKING:
    from llmos_nb.system import LLMOS

__all__ = ["KINDS", "Grammar", "completer", "completions"]

#: Things of one kind that are offered, the newest first.
SHOWN: Final = 200
#: Characters of a hint.
HINT: Final = 60

Found = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Grammar:
    """What can stand on a magic's line.

    ``words`` maps a first word to the kinds of what follows it; ``first`` is the kind of the first word where that is
    none of them. ``options`` are offered everywhere, or after the words in ``after`` alone.
    """

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first: str = ""
    options: tuple[Option, ...] = ()
    after: tuple[str, ...] = ()


def _agents(system: LLMOS) -> Found:
    return [(agent.name, agent.description) for agent in system.agents.list()]


def _traces(system: LLMOS) -> Found:
    return [(row["id"], row["goal"]) for row in system.traces.rows()]


def _crystals(system: LLMOS) -> Found:
    return [(entry.name, entry.template) for entry in system.crystals.list()]


def _runs(system: LLMOS) -> Found:
    runs = [run for session in system.sessions for run in reversed(session.runs) if run.conversation]
    return [("last", "the last one of this session"), *((run.run_id, run.goal) for run in runs)]


def _plans(system: LLMOS) -> Found:
    from llmos_nb.dispatch.orchestrator.state import plans_folder

    folder = plans_folder(system.workspace)
    ids = sorted((path.stem for path in folder.glob("*.json")), reverse=True)
    return [("last", "the last one that was left unfinished"), *((run_id, "") for run_id in ids)]


def _models(system: LLMOS) -> Found:
    if system.endpoint.kind == "scripted":
        return [("scripted", system.endpoint.label)]
    own = [agent.model for agent in system.agents.list() if agent.model]
    names = dict.fromkeys(filter(None, (system.settings.model, *own, "haiku", "sonnet", "opus")))
    return [(name, "") for name in names]


def _sessions(system: LLMOS) -> Found:
    return [(one.id, one.runs[-1].goal if one.runs else one.status) for one in system.sessions]


def _tools(system: LLMOS) -> Found:
    from llmos_nb.guard.policy import BUILT_IN_TOOLS
    from llmos_nb.tools.registry import TOOLS

    return [(name, tool.description) for name, tool in TOOLS.items()] + [(name, "") for name in BUILT_IN_TOOLS]


def _jobs(system: LLMOS) -> Found:
    return [(row["name"], row["goal"]) for row in system.schedule.rows()] if system.has_schedule else []


#: What there is of each kind. An option's kind is its name; see :data:`_SAME`.
KINDS: Final[Mapping[str, Callable[[LLMOS], Found]]] = {
    "agent": _agents,
    "background": lambda system: [(run.id, run.goal) for run in reversed(list(system.runs))],
    "crystal": _crystals,
    "endpoint": lambda system: [(name, "") for name in ("auto", "claude", "scripted")],
    "exercise": lambda system: [(one.name, one.title) for one in system.lesson().exercises],
    "fact": lambda system: [(fact.id, fact.text) for fact in system.facts.all()],
    "job": _jobs,
    "limit": lambda system: [(f"{scope}=", "") for scope in ("run", "session", "day", "workspace")],
    "mode": lambda system: [(mode, "") for mode in MODES],
    "model": _models,
    "option": lambda system: [(row["name"], row["help"]) for row in describe()],
    "plan": _plans,
    "project": lambda system: [(name, "") for name in system.projects.names()],
    "resume": _runs,
    "session": _sessions,
    "tools": _tools,
    "trace": _traces,
    "undoable": lambda system: [(row[0], row[1]) for row in system.undoable()],
}
#: Options that take a thing of a kind with another name.
_SAME: Final = {"resume-plan": "plan"}
#: Kinds that are offered again and again: the last of a magic's kinds counts for all that follows.
_LISTS: Final = frozenset({"limit"})
_LINE: Final = re.compile(r"\s*(?:[A-Za-z_][\w.]*\s*=\s*)?(%{1,2})([A-Za-z_]\w*)\s(.*)", re.DOTALL)
_GIVEN: Final = re.compile(r"--([\w-]+)(?:=|\s+)(\S*)$")


def completions(
    system: LLMOS, grammars: Mapping[str, Grammar], line: str
) -> tuple[str, list[tuple[str, str]]] | None:
    """What the end of ``line`` can become: the piece that is replaced, and each candidate with a hint.

    None where the line is no magic of these, or a goal's own words are being written.
    """
    found = _LINE.fullmatch(line)
    grammar = grammars.get(found[2]) if found is not None else None
    if found is None or grammar is None:
        return None
    rest = found[3]
    by_name = {option.name: option for option in grammar.options}
    given = _GIVEN.search(rest)
    if given is not None and given[1] in by_name and by_name[given[1]].value:
        kind = _SAME.get(given[1], given[1])
        if kind not in KINDS:
            return None
        piece = given[2].rpartition(",")[2]
        return piece, _fitting(_of(system, kind), piece)
    words, piece = _words(rest, by_name)
    offered: list[tuple[str, str]] = []
    allowed = not grammar.after or (words and words[0] in grammar.after)
    if allowed and piece.startswith("-"):
        return piece, _fitting([(f"--{option.name}", option.help) for option in grammar.options], piece)
    if not words:
        offered += [(word, "") for word in grammar.words]
        offered += _of(system, grammar.first) if grammar.first else []
    elif words[0] in grammar.words:
        kinds = grammar.words[words[0]]
        at = min(len(words) - 1, len(kinds) - 1) if kinds and kinds[-1] in _LISTS else len(words) - 1
        offered += _of(system, kinds[at]) if at < len(kinds) else []
    if allowed and not piece and len(words) <= (1 if grammar.after else 0):
        offered += [(f"--{option.name}", option.help) for option in grammar.options]
    fitting = _fitting(offered, piece)
    return (piece, fitting) if fitting else None


def _words(rest: str, options: Mapping[str, Option]) -> tuple[list[str], str]:
    """The whole words of a line, options with their values left out, and the piece at its end."""
    parts = rest.split()
    piece = parts.pop() if parts and not rest[-1:].isspace() else ""
    words: list[str] = []
    while parts:
        part = parts.pop(0)
        name, equals, _ = part.removeprefix("--").partition("=")
        if part.startswith("--") and name in options:
            if options[name].value and not equals and parts:
                parts.pop(0)
        else:
            words.append(part)
    return words, piece


def _of(system: LLMOS, kind: str) -> list[tuple[str, str]]:
    try:
        return [(text, _short(hint)) for text, hint in KINDS[kind](system)]
    except (LlmosError, OSError):
        return []  # the magic itself tells what is wrong


def _fitting(offered: Iterable[tuple[str, str]], piece: str) -> list[tuple[str, str]]:
    return [(text, hint) for text, hint in offered if text.startswith(piece)][:SHOWN]


def _short(hint: str) -> str:
    line = " ".join(hint.split())
    return line if len(line) <= HINT else f"{line[: HINT - 1]}…"


def completer(
    system: LLMOS, grammars: Mapping[str, Grammar], read: Callable[[str], str] = lambda line: line
) -> Callable[[Any], Any]:
    """A matcher for IPython's ``Completer.custom_matchers``; ``read`` makes the magic's line of what is typed."""
    from IPython.core.completer import SimpleCompletion, SimpleMatcherResult, context_matcher

    @context_matcher(identifier="llmos_nb", priority=1000)  # type: ignore[untyped-decorator]
    def llmos_magics(context: Any) -> Any:
        found = completions(system, grammars, read(context.text_until_cursor))
        if found is None:
            return SimpleMatcherResult(completions=[])
        piece, offered = found
        return SimpleMatcherResult(
            completions=[SimpleCompletion(text, type=hint or "magic") for text, hint in offered],
            matched_fragment=piece,
            suppress=bool(offered),
        )

    matcher: Callable[[Any], Any] = llmos_magics
    return matcher
