"""Options of the goal magics, declared once: parsing, help and completion are made from this table."""

from __future__ import annotations

import difflib
import shlex
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


@dataclass(slots=True)
class Arguments:
    """A parsed magic line: option values by name, and the rest of the line, word for word."""

    values: dict[str, str] = field(default_factory=dict)
    goal: str = ""


def parse(line: str) -> Arguments:
    """Split the options that lead a line from the goal that follows them.

    Raises:
        SettingsError: an unknown option, or one without its value.
    """
    found = Arguments()
    rest = line.strip()
    while rest.startswith("--"):
        word, _, rest = rest.partition(" ")
        rest = rest.lstrip()
        name, given, value = word[2:].partition("=")
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
            found.values[name] = "yes"
            continue
        if not given:
            value, rest = _first_word(rest)
        if not value:
            raise SettingsError(f"--{name} needs a value.", remedy=f"Write --{name} {option.value}.")
        found.values[name] = value
    found.goal = rest
    return found


def _first_word(text: str) -> tuple[str, str]:
    """The first word, quotes respected, and what follows it."""
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        if end > 0:
            return shlex.split(text[: end + 1])[0], text[end + 1 :].lstrip()
    word, _, rest = text.partition(" ")
    return ("", text) if word.startswith("--") else (word, rest.lstrip())
