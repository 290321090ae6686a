"""Options of a command line, read the way getopt reads them: clusters, attached values, ``--``, abbreviations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from llmos_nb.guard.shell_scope import Arg

__all__ = ["Options", "read_options"]


@dataclass(slots=True)
class Options:
    """The options in order, with their values, and the operands that are left."""

    given: list[tuple[str, Arg | None]] = field(default_factory=list)
    operands: list[Arg] = field(default_factory=list)

    def has(self, *names: str) -> bool:
        """Whether one of ``names`` was given; a long option also by any abbreviation, as programs accept them."""
        return any(_means(option, name) for option in {option for option, _ in self.given} for name in names)

    def values(self, *names: str) -> list[Arg]:
        """The values given to ``names``."""
        return [v for option, v in self.given if v is not None and any(_means(option, name) for name in names)]


def _means(option: str, name: str) -> bool:
    return option == name or (len(option) > 2 and option.startswith("--") and name.startswith(option))


def read_options(
    args: Sequence[Arg], short: str = "", long: Collection[str] = (), *, stop: bool = False, single: bool = False
) -> Options:
    """Split ``args`` into options and operands.

    ``short`` are the letters and ``long`` the names (with ``--``) that take a value. With ``stop`` everything from the
    first operand on is an operand; with ``single`` long names may start with one dash, as in find, java or go.
    """
    found = Options()
    i = 0
    while i < len(args):
        text = args[i].text
        i += 1
        if text == "--":
            found.operands.extend(args[i:])
            break
        if text.startswith("--") or (single and text.startswith("-") and len(text) > 2):
            name, equals, value = text.partition("=")
            if equals:
                found.given.append((name, Arg(value)))
            elif any(_means(name, wanted) for wanted in long) and i < len(args):
                found.given.append((name, args[i]))
                i += 1
            else:
                found.given.append((name, None))
        elif text.startswith("-") and len(text) > 1:
            for position, letter in enumerate(text[1:], 1):
                if letter not in short:
                    found.given.append((f"-{letter}", None))
                    continue
                rest = text[position + 1 :]
                if rest:
                    found.given.append((f"-{letter}", Arg(rest)))
                elif i < len(args):
                    found.given.append((f"-{letter}", args[i]))
                    i += 1
                break
        elif stop:
            found.operands.extend(args[i - 1 :])
            break
        else:
            found.operands.append(args[i - 1])
    return found
