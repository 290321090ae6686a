"""Options of the goal magics, declared once: parsing, help and completion are made from this table."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Final

from llmos_nb.errors import SettingsError

__all__ = ["OPTIONS", "Arguments", "Option", "parse"]


@dataclass(frozen=True, slots=True)
class Option:
    """``--name VALUE``, or a flag when ``value`` is empty."""

    name: str
    value: str
    help: str


OPTIONS: Final = (
    Option("agent", "NAME", "the agent that works on the goal, instead of the default one"),
    Option("mode", "MODE", "auto, crystallized, follower, mixed, learner or orchestrator"),
    Option("budget", "USD", "what this goal may spend, in US dollars"),
    Option("model", "MODEL", "the model to ask"),
    Option("explain", "", "say what would be done, and why, without doing it"),
    Option("out", "VARIABLE", "bind the result to this name"),
)
_BY_NAME: Final = {option.name: option for option in OPTIONS}
_NAME: Final = re.compile(r"--([^\s=]*)(=?)")
_LATE: Final = re.compile(r"(?:^|\s)--([a-z]+)(?=[\s=]|$)")
_WORD: Final = re.compile(r"\"([^\"]*)\"|'([^']*)'|(\S+)")


@dataclass(slots=True)
class Arguments:
    """A parsed magic line: option values by name, and the rest of the line, word for word."""

    values: dict[str, str] = field(default_factory=dict)
    goal: str = ""


def parse(line: str) -> Arguments:
    """Split the options that lead a line from the goal that follows them; ``--`` alone ends the options.

    Raises:
        SettingsError: an unknown option, or one without its value.
    """
    found = Arguments()
    rest = line.strip()
    while rest.startswith("--"):
        word = _NAME.match(rest)
        assert word is not None  # it matches at least the dashes
        rest = rest[word.end() :]
        name, given = word[1], word[2]
        if not name and not given:
            found.goal = rest.lstrip()
            return found
        option = _BY_NAME.get(name)
        if option is None:
            near = difflib.get_close_matches(name, _BY_NAME, n=1)
            raise SettingsError(
                f"%%llmos has no option --{name}.",
                remedy=f"Did you mean --{near[0]}?" if near else f"It has {', '.join('--' + n for n in _BY_NAME)}.",
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
    if late is not None and late[1] in _BY_NAME:
        raise SettingsError(
            f"--{late[1]} stands behind the goal.",
            remedy=f"Options come first: %llmos --{late[1]} … goal. If it belongs to the goal, put -- before the goal.",
        )
    found.goal = rest
    return found


def _first_word(text: str) -> tuple[str, str]:
    """The word that the text begins with, quotes respected, and what follows it."""
    word = _WORD.match(text)
    if word is None or text.startswith("--"):
        return "", text.lstrip()
    return next(group for group in word.groups() if group is not None), text[word.end() :].lstrip()
