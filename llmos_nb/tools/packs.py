"""The packs that are installed: found by their entry points when they are first needed, each looked at before it is used.

What is wrong with one (its import fails, it is no pack, a tool has a name that is taken) is kept as a problem, and costs
nobody else anything.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.guard.policy import BUILT_IN_TOOLS
from llmos_nb.tools.pack import ENTRY_POINTS, Pack
from llmos_nb.tools.pack_check import pack_problem, tool_problem
from llmos_nb.tools.tool import Tool

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["InstalledPack", "InstalledPacks", "PackProblem", "installed_packs", "packs"]

#: The distribution whose packs go before all others.
OWN: Final = "llmos-nb"


@dataclass(frozen=True, slots=True)
class PackProblem:
    """What is wrong with what a distribution offers, and what to do about it."""

    distribution: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.distribution}: {self.what}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class InstalledPack:
    """A pack, and the distribution that brings it. ``tools`` are those that can be used."""

    pack: Pack
    distribution: str
    version: str
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class InstalledPacks:
    """All packs in the order in which they go before each other, and what is wrong with what else was found."""

    packs: tuple[InstalledPack, ...] = ()
    problems: tuple[PackProblem, ...] = ()
    #: Every tool of theirs by its name.
    tools: Mapping[str, Tool] = field(default_factory=dict)

    def of_tool(self, name: str) -> InstalledPack | None:
        """The pack that a tool is from; None for a tool that is from none."""
        return next((one for one in self.packs if any(tool.name == name for tool in one.tools)), None)


_NONE: Final = InstalledPacks()
_lock = threading.RLock()
_known: InstalledPacks | None = None
_looking = False


def packs() -> tuple[Pack, ...]:
    """The packs that are installed and can be used, those of this package first."""
    return tuple(one.pack for one in installed_packs().packs)


def installed_packs(*, anew: bool = False) -> InstalledPacks:
    """The packs with their tools, and what is wrong. Looked for once in a process; ``anew`` looks again."""
    global _known, _looking
    found = _known
    if found is not None and not anew:
        return found
    with _lock:
        if _known is not None and not anew:
            return _known
        if _looking:  # a pack that asks for tools while it is imported is told of the kernel's alone
            return _NONE
        _looking = True
        try:
            _known = _found(metadata.entry_points(group=ENTRY_POINTS))
        finally:
            _looking = False
        return _known


def _found(points: Iterable[EntryPoint]) -> InstalledPacks:
    from llmos_nb.tools.registry import KERNEL_TOOLS

    taken = dict.fromkeys(KERNEL_TOOLS, "the kernel") | dict.fromkeys(BUILT_IN_TOOLS, "Claude Code")
    good: list[InstalledPack] = []
    problems: list[PackProblem] = []
    tools: dict[str, Tool] = {}
    for name, version, point in sorted(_once(points), key=lambda one: (one[0] != OWN, one[0], one[2].name)):
        try:
            pack = point.load()
            what, remedy = pack_problem(pack, [one.pack.name for one in good])
            if not what:
                one, more = _looked_at(pack, name, version, taken)
                good.append(one)
                problems += more
                tools |= {tool.name: tool for tool in one.tools}
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a pack's module raises is its own problem
            what = f"cannot be imported ({type(error).__name__}: {error})"[:500]
            remedy = f"Correct or uninstall it: pip uninstall {name}."
        if what:
            problems.append(PackProblem(name, f"the pack {point.name} ({point.value}) {_joined(what)}", remedy))
    return InstalledPacks(tuple(good), tuple(problems), MappingProxyType(tools))


def _joined(what: str) -> str:
    return " ".join(what.split()).rstrip(".")


def _once(points: Iterable[EntryPoint]) -> list[tuple[str, str, Any]]:
    """Each entry point once, with its distribution's name and version: a folder may be on the path twice."""
    found: dict[tuple[str, str], tuple[str, str, Any]] = {}
    for point in points:
        name, version = "?", ""
        if point.dist is not None:
            name, version = str(point.dist.name or "?"), str(point.dist.version or "")
        found.setdefault((name, point.name), (name, version, point))
    return list(found.values())


def _looked_at(pack: Pack, name: str, version: str, taken: dict[str, str]) -> tuple[InstalledPack, list[PackProblem]]:
    """The pack with those of its tools that can be used; their names are ``taken`` from then on."""
    from llmos_nb.tools.pack_tool import as_offered

    good, problems = [], []
    for tool in pack.tools:
        what, remedy = tool_problem(tool, taken)
        if what:
            problems.append(PackProblem(name, f"the pack {pack.name}: {_joined(what)}", remedy))
            continue
        good.append(as_offered(tool, pack))
        taken[tool.name] = f"the pack {pack.name}"
    return InstalledPack(pack, name, version, tuple(good)), problems
