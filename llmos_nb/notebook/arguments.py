"""Options of the goal magics, declared once: parsing, help and completion are made from this table."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from llmos_nb.errors import SettingsError

__all__ = ["OPTIONS", "Arguments", "Option", "not_understood", "parse", "suggestion"]


@dataclass(frozen=True, slots=True)
class Option:
    """``--name VALUE``, or a flag when ``value`` is empty."""

    name: str
    value: str
    help: str


OPTIONS: Final = (
    Option("agent", "NAME", "the agent that works on the goal, instead of the default one"),
    Option("mode", "MODE", "auto, crystallized, follower, mixed, learner or orchestrator"),
    Option("project", "NAME", "the project it belongs to: its folder, context and limits; none for no project"),
    Option("budget", "USD", "what this goal may spend, in US dollars"),
    Option("model", "MODEL", "the model to ask"),
    Option("resume", "RUN", "go on with the conversation of a run: its id, or last"),
    Option("plan", "", "show by which goals it would be reached, without running them"),
    Option("resume-plan", "RUN_ID", "go on with a plan where it ended: last, or the id of its run; takes no goal"),
    Option("at", "NODE", "with --resume-plan: the goal of the plan to begin at, again where it was finished"),
    Option(
        "propose", "", "show each piece of code, command or file for your approval before it runs; you can edit it"
    ),
    Option("sandbox", "", "work in a sandbox, on copies; what it makes is offered, and taken with %llmos_take"),
    Option("known", "", "list what can be asked free, without a key, of your DataFrames; words behind it choose"),
    Option("explain", "", "say what would be done, and why, without doing it"),
    Option("background", "", "go on at once: it is worked on between and beside your cells; see %llmos_runs"),
    Option("out", "VARIABLE", "bind the result to this name"),
)
_NAME: Final = re.compile(r"--([^\s=]*)(=?)")
_LATE: Final = re.compile(r"(?:^|\s)--([a-z-]+)(?=[\s=]|$)")
_WORD: Final = re.compile(r"\"([^\"]*)\"|'([^']*)'|(\S+)")


@dataclass(slots=True)
class Arguments:
    """A parsed magic line: option values by name, and the rest of the line, word for word."""

    values: dict[str, str] = field(default_factory=dict)
    goal: str = ""


def parse(line: str, options: Sequence[Option] = OPTIONS, magic: str = "%%llmos") -> Arguments:
    """Split the options that lead a line from the goal that follows them; ``--`` alone ends the options.

    Args:
        options: those that there are.
        magic: what messages call it.

    Raises:
        SettingsError: an unknown option, or one without its value.
    """
    found, by_name = Arguments(), {option.name: option for option in options}
    rest = line.strip()
    while rest.startswith("--"):
        word = _NAME.match(rest)
        assert word is not None  # it matches at least the dashes
        rest = rest[word.end() :]
        name, given = word[1], word[2]
        if not name and not given:
            found.goal = rest.lstrip()
            return found
        option = by_name.get(name)
        if option is None:
            near = difflib.get_close_matches(name, by_name, n=1)
            raise SettingsError(
                f"{magic} has no option --{name}.",
                remedy=f"Did you mean --{near[0]}?" if near else f"It has {', '.join('--' + n for n in by_name)}.",
            )
        if not option.value:
            if given:
                raise SettingsError(f"--{name} takes no value.", remedy=f"Write --{name} alone.")
            found.values[name], rest = "yes", rest.lstrip()
            continue
        value, rest = _first_word(rest if given else rest.lstrip())
        if not value:
            raise SettingsError(f"--{name} needs a value.", remedy=f"Write --{name} {option.value}.")
        found.values[name] = value
    late = _LATE.search(rest)
    if late is not None and late[1] in by_name:
        raise SettingsError(
            f"--{late[1]} stands behind the goal.",
            remedy=f"Options come first: {magic} --{late[1]} … goal. If it belongs to the goal, put -- before the goal.",
        )
    found.goal = rest
    return found


def suggestion(word: str, known: Iterable[str], before: str = "") -> str:
    """``Did you mean …?`` and a space, where one of the ``known`` words is near; else nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1)
    return f"Did you mean {before}{near[0]}? " if near else ""


def not_understood(magic: str, line: str, words: Iterable[str], usage: str) -> SettingsError:
    """The error for a line that begins with none of the ``words`` of a magic, or not as it should go on."""
    first = (line.split() or [""])[0]
    known = list(words)
    near = "" if first in known else suggestion(first, known)
    return SettingsError(f"{magic} {line.strip()}: not understood.", remedy=f"{near}{usage}")


def _first_word(text: str) -> tuple[str, str]:
    """The word that the text begins with, quotes respected, and what follows it."""
    word = _WORD.match(text)
    if word is None or text.startswith("--"):
        return "", text.lstrip()
    return next(group for group in word.groups() if group is not None), text[word.end() :].lstrip()
