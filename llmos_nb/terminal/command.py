"""``llmos-nb``: the system from a terminal.

``doctor`` examines it, ``settings`` shows its options, ``trust`` what of them waits, ``run`` works on a goal, ``shell``
takes goals at a prompt, ``demo`` plays a notebook.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from llmos_nb.errors import LlmosError, WaitsForTrust
from llmos_nb.guard.scripts import FOLDERS
from llmos_nb.guard.vouched import DIGESTS
from llmos_nb.kernel.events import Event, ModeDecided, Notice, ToolFinished
from llmos_nb.settings import MODES

__all__ = ["main"]

_ABOUT: Final = (
    "Work on goals in words: the first time an agent does, from then on it is replayed, verified and free."
)
_EXAMPLES: Final = """examples:
  llmos-nb doctor
  llmos-nb run "How many rows does penguins.csv have?"
  llmos-nb run --agent data-analyst --budget 0.10 "How many rows does penguins.csv have?"
  llmos-nb shell

COMMAND --help tells the options of a command. In a notebook: %load_ext llmos_nb, then %%llmos?
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 when it worked, 1 when it failed, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(
        prog="llmos-nb", description=_ABOUT, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, help="the workspace's folder (LLMOS_WORKSPACE, or ./workspace)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("doctor", help="what is installed, which endpoint, does everything start, what to do if not")
    run = commands.add_parser("run", help="work on a goal")
    run.add_argument("goal", help="what is wanted, in words")
    run.add_argument("--agent", help="the agent that works on it")
    run.add_argument("--mode", help=f"how it is worked on: {', '.join(MODES)}")
    run.add_argument("--project", metavar="NAME", help="the project it belongs to, made if it is new; none for none")
    run.add_argument("--budget", type=float, metavar="USD", help="what it may spend, in US dollars")
    run.add_argument("--model", help="the model to ask")
    shown = commands.add_parser("settings", help="every option, its value, and where that came from")
    shown.add_argument("--presets", action="store_true", help="what each preset sets")
    trust = commands.add_parser("trust", help="what in llmos.toml waits to be trusted, and put it into force")
    trust.add_argument("--agent", action="append", metavar="NAME", help="show an agent's file and put it into use")
    trust.add_argument("shown", nargs="?", help="what it says stands for the content that you have seen")
    shell = commands.add_parser("shell", help="IPython at whose prompt a line in words is a goal")
    shell.add_argument("--python", action="store_true", help="lines are Python, and goals begin with %%llmos")
    for command in (
        commands.choices["doctor"],
        run,
        shown,
        trust,
        shell,
    ):  # it may stand behind the command's name, too
        command.add_argument("--workspace", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    demo = commands.add_parser("demo", help="execute a tutorial notebook and say what each goal cost")
    demo.add_argument("notebook", type=Path)
    demo.add_argument("--out", type=Path, default=Path("build/demo"), help="where the executed page goes")
    options = parser.parse_args(arguments)
    try:
        if options.command == "doctor":
            return _doctor(options)
        if options.command == "demo":
            from llmos_nb.terminal.demo import play

            return play(options.notebook, options.out)
        if options.command == "shell":
            return _shell(options)
        if options.command == "trust":
            return _trust(options)
        return _settings(options) if options.command == "settings" else _run(options)
    except LlmosError as error:
        print(f"{error.message}\n  -> {error.remedy}" if error.remedy else error.message, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader (head, less) has seen enough; Python's own last flush must not fail either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _doctor(options: argparse.Namespace) -> int:
    from llmos_nb.system import LLMOS
    from llmos_nb.terminal.doctor import examine

    failed = 0
    with LLMOS(options.workspace) as system:
        for check in examine(system):
            print(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:18} {check.found}")
            if not check.ok:
                failed += 1
                print(f"      {'':18} -> {check.remedy}")
    print("everything works" if not failed else f"{failed} problem{'s' if failed > 1 else ''}")
    return 1 if failed else 0


def _settings(options: argparse.Namespace) -> int:
    from llmos_nb.presets import PRESETS, PURPOSES
    from llmos_nb.system import LLMOS

    if options.presets:
        for name, values in PRESETS.items():
            print(f"{name}: {PURPOSES[name]}")
            for option, value in values.items():
                print(f"  {option:26} {'never' if value is None else value}")
        return 0
    for row in LLMOS(options.workspace).options():
        print(f"{row['name']:26} {row['value']:22} {row['source']:20} {row['help']}")
    return 0


def _trust(options: argparse.Namespace) -> int:
    from llmos_nb.system import LLMOS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WaitsForTrust)  # it is told here
        system = LLMOS(options.workspace)
    if options.agent:
        from llmos_nb.notebook.agent_views import trusted_page

        print(trusted_page(system, options.agent))
        return 0
    desk = system.guard
    if options.shown:
        desk.trust(options.shown)
        print(f"It is in force as it was shown ({options.shown})")
        return 0
    waiting = desk.waiting()
    print(str(waiting).replace("`%guard trust", "`llmos-nb trust"))
    if waiting.settings:
        print(f"Where nobody sits, the environment says it: {DIGESTS}={waiting.settings_shown or waiting.shown}")
    if waiting.scripts:
        print(f"For scripts it names their folder: {FOLDERS}={desk.workspace / 'scripts'}")
    return 1 if waiting else 0


def _shell(options: argparse.Namespace) -> int:
    from llmos_nb.notebook.terminal.shell import start_shell
    from llmos_nb.system import LLMOS

    with LLMOS(options.workspace) as system:
        return start_shell(system, goals=not options.python)


def _run(options: argparse.Namespace) -> int:
    from llmos_nb.system import LLMOS

    def show(event: Event) -> None:
        match event:
            case ModeDecided():
                print(f"[{event.mode}] {event.reason}", file=sys.stderr, flush=True)
            case ToolFinished():
                print(f"  {event.tool}: {event.status}, {event.duration_s:.2f} s", file=sys.stderr, flush=True)
            case Notice():
                print(f"  note: {event.text}", file=sys.stderr, flush=True)

    with LLMOS(options.workspace) as system:
        system.bus.subscribe(show, name="terminal")
        result = system.run(
            options.goal, mode=options.mode, agent=options.agent, budget_usd=options.budget, model=options.model,
            project="" if options.project == "none" else options.project,
        )  # fmt: skip
    print(result)
    return 0 if result.ok else 1
