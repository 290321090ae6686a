"""What a person needs to know when something does not work: each check with what was found and, if need be, a remedy."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from llmos_nb.errors import LlmosError, PackError
from llmos_nb.system import LLMOS

__all__ = ["Check", "examine"]

#: Distributions that must be there, and those that an extra brings.
REQUIRED = (
    "claude-agent-sdk", "ipython", "ipywidgets", "jupyterlab", "markdown-it-py", "nest-asyncio", "pandas",
    "python-frontmatter", "pyyaml", "sqlalchemy", "tree-sitter", "tree-sitter-bash",
)  # fmt: skip
#: Seconds to wait for an endpoint's server.
CONNECT_LIMIT_S = 3.0
OPTIONAL = {"matplotlib": "data", "nbval": "test"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def examine(system: LLMOS) -> Iterator[Check]:
    """Look at Python, the packages, the endpoint, the CLI, options, the guard, the workspace, matching, crystals, the
    budget, the agents and the packs, in that order."""
    version = sys.version.split()[0]
    yield Check("python", sys.version_info >= (3, 11), version, "llmos_nb needs Python 3.11 or newer.")
    yield from _packages()
    for name, look in (
        ("endpoint", _endpoint), ("cli", _cli), ("options", _options), ("guard", _guard), ("workspace", _workspace),
        ("matching", _matching), ("crystals", _crystals), ("budget", _budget), ("agents", _agents),
        ("packs", _packs),
    ):  # fmt: skip
        yield _guarded(name, look, system)


def _guarded(name: str, look: Callable[[LLMOS], Check], system: LLMOS) -> Check:
    try:
        return look(system)
    except LlmosError as error:
        return Check(name, False, error.message, error.remedy)
    except OSError as error:
        return Check(name, False, str(error), "Free some space, or choose a workspace that you can write to.")


def _packages() -> Iterator[Check]:
    for package in REQUIRED:
        try:
            yield Check(package, True, metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Check(package, False, "not installed", f"pip install {package}")
    for package, extra in OPTIONAL.items():
        try:
            yield Check(package, True, metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Check(package, True, f"not installed (optional: pip install 'llmos-nb[{extra}]')")


def _endpoint(system: LLMOS) -> Check:
    endpoint = system.endpoint
    if endpoint.kind == "claude" and not os.environ.get("ANTHROPIC_API_KEY"):
        return Check("endpoint", True, "claude, without ANTHROPIC_API_KEY: the login of Claude Code is used")
    if endpoint.url is not None:
        parts = urllib.parse.urlsplit(endpoint.url)
        address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        try:
            socket.create_connection(address, timeout=CONNECT_LIMIT_S).close()
        except OSError as error:
            return Check(
                "endpoint",
                False,
                f"{endpoint.url} cannot be reached ({error})",
                "Start the server, or choose another.",
            )
    hint = "; set ANTHROPIC_API_KEY or LLMOS_ENDPOINT for a real model" if endpoint.kind == "scripted" else ""
    return Check("endpoint", True, endpoint.label + hint)


def _cli(system: LLMOS) -> Check:
    """Start the CLI that the SDK brings, as far as its version, apart from the surroundings' keys and settings."""
    spec = find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        return Check("cli", False, "claude-agent-sdk is not installed", "pip install claude-agent-sdk")
    name = "claude.exe" if sys.platform == "win32" else "claude"
    program = Path(spec.origin).parent / "_bundled" / name
    configured = system.settings.sdk.get("cli_path")
    if configured:
        program = Path(str(configured))
    if not program.is_file():
        return Check("cli", False, f"{program.name} is missing", "pip install --force-reinstall claude-agent-sdk")
    from llmos_nb.cortex.endpoint import isolated_environment

    with tempfile.TemporaryDirectory() as home:
        surroundings = isolated_environment(os.environ, url="http://127.0.0.1:9", key="none", home=Path(home))
        try:
            done = subprocess.run(
                [program, "--version"],
                env={**os.environ, **surroundings, "HOME": home},
                capture_output=True,
                text=True,
                timeout=60,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Check("cli", False, f"does not start: {error}", "pip install --force-reinstall claude-agent-sdk")
    if done.returncode:
        return Check("cli", False, f"ends with code {done.returncode}: {done.stderr[:200]}",
                     "pip install --force-reinstall claude-agent-sdk")  # fmt: skip
    return Check("cli", True, done.stdout.strip())


def _options(system: LLMOS) -> Check:
    """Options for the SDK, from llmos.toml and the agents, by name."""
    from llmos_nb.cortex.options import check_sdk_options

    check_sdk_options(system.settings.sdk, "llmos.toml [sdk]")
    for agent in system.agents.list():
        check_sdk_options(agent.options, f"agent {agent.name}: options")
    return Check("options", True, ", ".join(sorted(system.settings.sdk)) or "none set")


def _guard(system: LLMOS) -> Check:
    """Whether all of llmos.toml is in force, and whose word that is."""
    desk = system.guard
    problem, line = desk.notice
    if desk.broken:
        return Check("guard", False, problem, f"Mend line {line} of {system.settings.workspace}/llmos.toml.")
    if problem:
        return Check(
            "guard", False, problem, "llmos-nb trust shows what it would loosen, and how to put it into force."
        )
    own = len(desk.overrides)
    return Check("guard", True, f"{own} of its rules decided in llmos.toml" if own else "its rules as they are")


def _workspace(system: LLMOS) -> Check:
    with tempfile.TemporaryFile(dir=_folder(system)):
        pass
    count = len(system.traces)
    broken = system.traces.problems
    found = f"{system.settings.workspace}, writable, {count} traces"
    if broken:
        return Check("workspace", False, f"{found}; cannot be read: {', '.join(map(str, broken))}",
                     "Correct or remove those files.")  # fmt: skip
    return Check("workspace", True, found)


def _matching(system: LLMOS) -> Check:
    from llmos_nb.memory.embedding import problem

    why = problem()
    if why:
        return Check("matching", False, f"goals in other words are found by equal words alone: {why}",
                     "Install llmos-nb again.")  # fmt: skip
    return Check("matching", True, "exact, by words, and by the package's own vectors; nothing leaves the machine")


def _crystals(system: LLMOS) -> Check:
    entries = system.crystals.list()
    idle = [entry.name for entry in entries if entry.status != "ready"]
    return Check("crystals", True, f"{len(entries)}" + (f"; not in use: {', '.join(idle)}" if idle else ""))


def _folder(system: LLMOS) -> Path:
    system.check_workspace()
    return system.workspace / ".llmos"


def _budget(system: LLMOS) -> Check:
    economy = system.economy
    balance = economy.balance_usd
    money = "play money" if economy.simulated else "US dollars"
    left = "no limit" if balance is None else f"${balance:.2f} left ({money})"
    if balance is not None and balance <= 0:
        return Check("budget", False, left, "Raise it: %budget set 20, or LLMOS_BUDGET_USD.")
    return Check("budget", True, left)


def _agents(system: LLMOS) -> Check:
    names = ", ".join(agent.name for agent in system.agents.list())
    errors = system.agents.errors
    if errors:
        return Check("agents", False, "; ".join(error.message for error in errors), errors[0].remedy)
    for agent in system.agents.list():
        with contextlib.suppress(PackError):  # told with the packs
            system.agent(agent.name)  # raises for a grant that nothing fulfils
    return Check("agents", True, names)


def _packs(system: LLMOS) -> Check:
    found = system.packs
    told = [f"{row.name} ({row.missing})" if row.missing else row.name for row in found]
    if found.problems:
        problems = "; ".join(f"{problem.distribution}: {problem.what}" for problem in found.problems)
        return Check("packs", False, problems, found.problems[0].remedy)
    return Check("packs", True, ", ".join(told) or "none")
