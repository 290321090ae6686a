r"""A script: what the scripted endpoint says and does for one family of goals, written in Markdown.

````markdown
---
goal:                                    # one template or several; all bind the values that the text uses
  - How many {species:word} penguins are in {file:path}?
  - Count the {species:word} penguins in {file:path}
description: Counts the rows of one species.      # optional
agent: haiku-poet                                 # optional: played for this agent alone
instructed: season                                # optional: played only where its instructions have these words
delta_delay_s: 0.02                               # optional: seconds between two streamed pieces
delay_s: 0.5                                      # optional: seconds before each answer, as a model takes to think
---
Notes for readers may stand here; they are not played.

## Turn 1

I read the file and count.                <- narration: streamed before the calls; optional

### run_cell                              <- a tool call; any number of them in a turn

```python                                 <- the tool's main argument, here `code`
import pandas as pd
penguins = pd.read_csv({{file|quoted}})
print("count:", int((penguins["species"] == {{species|quoted}}).sum()))
```

```yaml arguments                         <- the other arguments, or all of them
title: Counting
```

## On error                               <- played once when a tool call failed; no calls: last word

## Answer

There are {{result|match: count: (\d+)}} {{species}} penguins.
````

**Values** are ``{name:type}``; the types are ``word``, ``path``, ``int``, ``number``, ``quoted`` and ``text``
(:mod:`~llmos_nb.cortex.scripted.template`). ``{{name}}`` puts them in, with filters
(:mod:`~llmos_nb.cortex.scripted.passage`). In the arguments ``code`` and ``command`` whatever could break out of its
place must pass ``quoted`` (Python) or ``shell``, or be a number.

**Tools** are named plainly; the client's offered name is the same or ends with ``__name``. A fenced block gives the
tool's main argument (:data:`MAIN_ARGUMENTS`); a second word after the language names another one, as in
```` ```python new_text ````. A tool that is not offered ends the goal with a text that says so.

**An answer in JSON** (the SDK's ``output_format``) is a call of the tool ``StructuredOutput`` with
```` ```yaml arguments ```` in the last turn; ``## Answer`` is not played then.

**Results**: ``{{result}}`` is the last, ``{{result 2}}`` the second. ``{{memory}}`` are the facts that
came with the goal, one a line. The results of a failed turn are replaced by
those of its recovery, so the numbers mean the same either way. What cannot be found in them is called not found,
never made up.

**Sections**: ``## Turn N`` (from 1, in order), ``## On error`` (for any turn), ``## On error in turn N``,
``## Answer`` (required), ``## Answer after error`` (instead, when a recovery was needed; may use ``{{error}}``).
For a goal with guidance from a trace, ``## Guided`` or ``## Guided turn N`` are played instead of the turns;
``## On error in guided turn N`` and ``## Guided answer`` go with them. In a text, write headings with ``###``.

Everything is strict: a file with anything else in it is refused with its path and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from llmos_nb.cortex.scripted.passage import Passage
from llmos_nb.cortex.scripted.template import Template

__all__ = ["MAIN_ARGUMENTS", "Argument", "Call", "Script", "Turn", "passages_of"]

#: The argument that a fenced block without a name of its own gives, by tool.
MAIN_ARGUMENTS: Final[dict[str, str]] = {
    "run_cell": "code",
    "run_shell": "command",
    "write_file": "content",
    "remember": "text",
    "recall": "query",
    "create_agent": "prompt",
    "modify_agent": "value",
    "Bash": "command",
    "Write": "content",
}

#: An argument of a tool call: JSON data whose strings are passages.
Argument = Passage | int | float | bool | None | list["Argument"] | dict[str, "Argument"]


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call, as the script names the tool."""

    tool: str
    arguments: dict[str, Argument]
    line: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What the assistant says and calls at once."""

    narration: Passage
    calls: tuple[Call, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """One script file. ``recoveries`` are keyed by turn number, guided ones by ``-number``; 0 is for any turn."""

    name: str
    path: str
    templates: tuple[Template, ...]
    turns: tuple[Turn, ...]
    answer: Passage
    guided: tuple[Turn, ...] = ()
    guided_answer: Passage | None = None
    answer_after_error: Passage | None = None
    recoveries: Mapping[int, Turn] = field(default_factory=dict)
    description: str = ""
    #: The agent that the script is for, and words that its instructions must have; empty: any.
    agent: str = ""
    instructed: str = ""
    #: Seconds between two streamed pieces; None leaves it to the server.
    delta_delay_s: float | None = None
    #: Seconds before each answer; None leaves it to the server.
    delay_s: float | None = None

    def played(self, *, guided: bool) -> tuple[Turn, ...]:
        """The turns for a goal with or without guidance."""
        return self.guided if guided and self.guided else self.turns

    def recovery(self, number: int, *, guided: bool) -> Turn | None:
        """What follows a failure in turn ``number`` (from 1), if anything."""
        key = -number if guided and self.guided else number
        return self.recoveries.get(key, self.recoveries.get(0))

    def closing(self, *, guided: bool, recovered: bool) -> Passage:
        """The closing text."""
        if recovered and self.answer_after_error is not None:
            return self.answer_after_error
        if guided and self.guided and self.guided_answer is not None:
            return self.guided_answer
        return self.answer


def passages_of(argument: Argument) -> Iterator[Passage]:
    """Every passage in an argument, however deep."""
    if isinstance(argument, Passage):
        yield argument
    elif isinstance(argument, dict):
        for value in argument.values():
            yield from passages_of(value)
    elif isinstance(argument, list):
        for value in argument:
            yield from passages_of(value)
