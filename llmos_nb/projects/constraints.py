"""What runs in a project may do: ``project.toml``, a few keys, each enforced. An unknown key is an error, since a limit
that nobody reads is none."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import math
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import ProjectError
from llmos_nb.kernel.ledger import MOST_USD
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.agent import Agent, printable

__all__ = ["FILE_LIMIT", "Constraints", "constraints_from", "read_constraints"]

#: Bytes of a project.toml.
FILE_LIMIT: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Constraints:
    """Limits of a project's runs. None: no limit of its own; what the settings and the budget say holds anyway.

    ``run_budget_usd`` and ``total_budget_usd`` are US dollars for one run and for all of them together,
    ``time_limit_s`` seconds for one run, ``tools`` the only ones an agent may use here (it needs the grant as well),
    and ``endpoint`` the only place that model calls may go to: ``claude``, ``scripted`` or a URL. With
    ``sandbox`` always its goals work in a sandbox. ``without`` are tools that nobody may use here, by the settings.
    """

    description: str = ""
    run_budget_usd: float | None = None
    total_budget_usd: float | None = None
    time_limit_s: float | None = None
    tools: tuple[str, ...] | None = None
    endpoint: str | None = None
    sandbox: str | None = None
    without: tuple[str, ...] = ()

    def allowed(self, tools: Collection[str]) -> tuple[str, ...]:
        """Those of ``tools`` that may be used here, in their order."""
        usable = (tool for tool in tools if self.tools is None or tool in self.tools)
        return tuple(tool for tool in usable if tool not in self.without)

    def narrow(self, agent: Agent) -> Agent:
        """The agent with those of its tools that may be used here."""
        tools = self.allowed(agent.tools)
        return agent if tools == agent.tools else dataclasses.replace(agent, tools=tools)

    def run_limit_usd(self, wanted: float, spent: Callable[[], float]) -> float:
        """What a run may spend that was to spend ``wanted``: not more than what is left of all, where something is left.

        Where nothing is left, the budget refuses the run and says so.
        """
        amount = wanted if self.run_budget_usd is None else min(wanted, self.run_budget_usd)
        if self.total_budget_usd is None:
            return amount
        left = round(self.total_budget_usd - spent(), 9)
        return min(amount, left if left > 0 else self.total_budget_usd)

    def limits(self) -> str:
        """The limits in words; empty where there is none."""
        told = []
        if self.run_budget_usd is not None:
            told.append(f"${self.run_budget_usd:g} a run")
        if self.total_budget_usd is not None:
            told.append(f"${self.total_budget_usd:g} in all")
        if self.time_limit_s is not None:
            told.append(f"{self.time_limit_s:g} s a run")
        if self.tools is not None:
            told.append(f"only {', '.join(self.tools) or 'no tools'}")
        if self.endpoint is not None:
            told.append(f"only on {self.endpoint}")
        if self.sandbox == "always":
            told.append("in a sandbox")
        return ", ".join(told)


def read_constraints(path: Path, known_tools: Collection[str] | None = None) -> Constraints:
    """What the ``project.toml`` at ``path`` says; nothing where there is no such file.

    Raises:
        ProjectError: it cannot be read, has a key that means nothing, or a value that cannot be meant.
    """
    where = printable(spelled(path))
    try:
        if path.is_symlink():
            raise ProjectError(f"{where}: is a symbolic link.", remedy="Put the file itself there.")
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        return Constraints()
    except OSError as error:
        raise ProjectError(f"{where}: cannot be read ({error.strerror or error}).", remedy="Correct it.") from error
    if len(data) > FILE_LIMIT:
        raise ProjectError(f"{where}: more than {FILE_LIMIT} bytes.", remedy="Keep only its few keys.")
    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise ProjectError(f"{where}: is no TOML: {error}.", remedy="Correct it.") from error
    return constraints_from(values, where, known_tools)


def constraints_from(
    values: Mapping[str, Any], where: str, known_tools: Collection[str] | None = None
) -> Constraints:
    """The constraints that ``values`` by key say; ``where`` stands in messages.

    Raises:
        ProjectError: a key that means nothing, or a value that cannot be meant.
    """
    return Constraints(**{key: _checked(where, key, value, known_tools) for key, value in values.items()})


_KEYS: Final = tuple(field.name for field in fields(Constraints) if field.name != "without")
_AMOUNTS: Final = ("run_budget_usd", "total_budget_usd", "time_limit_s")


def _checked(where: str, key: str, value: Any, known_tools: Collection[str] | None) -> Any:
    if key not in _KEYS:
        near = difflib.get_close_matches(key, _KEYS, n=1)
        raise ProjectError(
            f"{where}: unknown key {printable(key)!r}.",
            remedy=f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(_KEYS)}.",
        )
    if key in _AMOUNTS:
        return _amount(where, key, value)
    if key == "tools":
        return _tools(where, value, known_tools)
    if key == "sandbox" and value not in ("always", "never"):
        raise ProjectError(
            f"{where}: sandbox must be always or never, got {_seen(value)}.", remedy='Write sandbox = "always".'
        )
    if not isinstance(value, str) or (key == "endpoint" and not value.strip()):
        raise ProjectError(f"{where}: {key} must be text, got {_seen(value)}.", remedy=f'Write {key} = "…".')
    return value.strip().rstrip("/") if key == "endpoint" else value


def _amount(where: str, key: str, value: Any) -> float:
    usable = not isinstance(value, bool) and isinstance(value, int | float)
    amount = math.nan
    if usable:
        with contextlib.suppress(OverflowError):
            amount = float(value)
    least = 0.0 if key != "time_limit_s" else 1e-3
    if not least <= amount <= MOST_USD:
        what = "seconds above 0" if key == "time_limit_s" else "US dollars, at least 0"
        raise ProjectError(f"{where}: {key} must be {what}, got {_seen(value)}.", remedy=f"Write {key} = 0.5, say.")
    return amount


def _tools(where: str, value: Any, known: Collection[str] | None) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(tool, str) for tool in value):
        raise ProjectError(
            f"{where}: tools must be a list of tools' names, got {_seen(value)}.",
            remedy='Write tools = ["run_cell"].',
        )
    unknown = [tool for tool in value if known is not None and tool not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known or (), n=1)
        raise ProjectError(
            f"{where}: tools names {printable(unknown[0])!r}, which there is not.",
            remedy=f"Did you mean {near[0]}?" if near else f"The tools are {', '.join(sorted(known or ()))}.",
        )
    return tuple(dict.fromkeys(value))


def _seen(value: Any) -> str:
    shown = printable(repr(value))
    return shown if len(shown) <= 60 else shown[:57] + "…"
