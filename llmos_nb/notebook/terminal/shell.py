"""``llmos-nb shell``: IPython with the magics loaded, and a prompt at which a line in words is a goal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final, TextIO

from IPython.terminal.interactiveshell import TerminalInteractiveShell
from IPython.terminal.ipapp import TerminalIPythonApp
from IPython.terminal.prompts import Prompts
from pygments.token import Token
from traitlets import Bool, Type
from traitlets.config import Config

from llmos_nb.dispatch.result import RunResult
from llmos_nb.errors import SettingsError
from llmos_nb.notebook.completion import completer
from llmos_nb.notebook.terminal.reading import as_cell, is_goal
from llmos_nb.notebook.terminal.screen import colours
from llmos_nb.notebook.terminal.styled import styled
from llmos_nb.notebook.views import Page
from llmos_nb.system import LLMOS

__all__ = ["GoalShell", "start_shell"]

HELP: Final = """\
What you type is a goal, with options before it if need be: --agent writer Write a haiku about rain
Python is run as Python where its names exist, and always after >>> ; magics (%budget) and commands (!ls) as usual.
%goals off makes this a plain IPython prompt (%llmos GOAL is a goal there), %goals on takes it back.
Ctrl-C stops a goal, Ctrl-D leaves. Results are in _, variables stay. Several lines: paste them, or %%llmos."""


class GoalPrompts(Prompts):
    """``llmos>`` while lines are goals."""

    def in_prompt_tokens(self) -> list[tuple[Any, str]]:
        """What stands before a line."""
        plain: Any = super().in_prompt_tokens
        return [(Token.Prompt, "llmos> ")] if self._of.goals else list(plain())

    def out_prompt_tokens(self) -> list[tuple[Any, str]]:
        """What stands before a value."""
        return [] if self._of.goals else list(super().out_prompt_tokens())

    @property
    def _of(self) -> Any:
        return self.shell


class GoalShell(TerminalInteractiveShell):
    """IPython whose prompt takes goals. Only what is typed is read so: code of agents is Python as anywhere."""

    goals = Bool(True, help="Whether a line in words is a goal.").tag(config=True)
    prompts_class = Type(GoalPrompts, help="Class used to generate Prompt token for prompt_toolkit").tag(config=True)
    _typed: str | None = None

    def run_cell(self, raw_cell: str, store_history: bool = False, *args: Any, **options: Any) -> Any:
        """Run what was typed; what goes into the history was."""
        self._typed = raw_cell if store_history and self.goals else None
        run: Any = super().run_cell
        return run(raw_cell, store_history, *args, **options)

    def transform_cell(self, raw_cell: str) -> str:
        """The cell's Python; a typed goal as the call of its magic."""
        typed, self._typed = self._typed, None
        if raw_cell == typed and is_goal(raw_cell, self.user_ns):
            raw_cell = as_cell(raw_cell)
        transform: Any = super().transform_cell
        return str(transform(raw_cell))

    def check_complete(self, code: str) -> tuple[str, str]:
        """A goal is complete with its line."""
        if self.goals and is_goal(code, self.user_ns):
            return "complete", ""
        found: tuple[str, str] = super().check_complete(code)
        return found


def start_shell(system: LLMOS, *, goals: bool = True) -> int:
    """Run the shell on ``system`` until it is left, or what comes through a pipe line by line; returns the exit code.

    Raises:
        StoreError: the workspace cannot be used.
    """
    system.check_workspace()
    config = Config()
    config.TerminalIPythonApp.display_banner = False
    config.GoalShell.goals = goals
    config.HistoryManager.hist_file = str(system.workspace.resolve() / ".llmos" / "shell.sqlite")
    app = TerminalIPythonApp.instance(config=config, interactive_shell_class=GoalShell)
    app.initialize(argv=[])
    shell: Any = app.shell
    shell.user_ns["llmos"] = system
    shell.user_ns_hidden["llmos"] = system
    shell.run_line_magic("load_ext", "llmos_nb")
    _prepare(shell, system)
    try:
        if not sys.stdin.isatty():
            return _piped(shell, sys.stdin)
        endpoint = system.endpoint
        print(f"llmos_nb: goals are worked on by {endpoint.label}, in {system.settings.workspace}.\n\n{HELP}\n")  # noqa: T201
        app.start()
    finally:
        if "llmos_nb" in shell.extension_manager.loaded:
            shell.run_line_magic("unload_ext", "llmos_nb")
    return 0


def _prepare(shell: Any, system: LLMOS) -> None:
    """Results in colour, options that lead a goal completed, and ``%goals``."""
    if colours(sys.stdout):
        plain = shell.display_formatter.formatters["text/plain"]
        plain.for_type(RunResult, lambda result, printer, cycle: printer.text(styled(str(result))))
    grammars = shell.magics_manager.registry["LlmosMagics"].grammars
    shell.Completer.custom_matchers.append(
        completer(system, grammars, lambda line: f"%llmos {line}" if shell.goals and line.startswith("--") else "")
    )

    def goals(line: str) -> Page:
        """%goals on | off: whether a line in words is a goal at this prompt. %goals alone says so, and explains."""
        word = line.strip().lower()
        if word not in ("", "on", "off"):
            raise SettingsError(f"%goals {word}: not understood.", remedy="Write %goals on or %goals off.")
        if word:
            shell.goals = word == "on"
        return Page(
            HELP if shell.goals else "Lines are Python; %llmos GOAL is a goal, and %goals on takes goals again."
        )

    shell.register_magic_function(goals, "line", "goals")


def _piped(shell: Any, stream: TextIO) -> int:
    """Run what comes through a pipe; the first thing that fails ends it."""
    for block in blocks(stream, shell):
        done = shell.run_cell(block, store_history=True)
        sys.stdout.flush()
        if not done.success:
            return 1
        if not getattr(shell, "keep_running", True):
            break
    return 0


def blocks(stream: TextIO, shell: GoalShell) -> Iterator[str]:
    """Goals and cells, as they come: a line each, but Python that goes on goes on, and ``%%`` up to an empty line."""
    lines: list[str] = []
    for raw in stream:
        line = raw.rstrip("\r\n")
        if not lines and not line.strip():
            continue
        lines.append(line)
        text = "\n".join(lines)
        if line.strip():
            magic = lines[0].lstrip().startswith("%%")
            indented = len(lines) > 1 and line[:1].isspace()
            more = (
                magic or indented or shell.check_complete(f"{text}\n" if len(lines) == 1 else text)[0] == "incomplete"
            )
            if more:
                continue
        yield text
        lines = []
    if lines:
        yield "\n".join(lines)
