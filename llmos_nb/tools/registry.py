"""All tools by name: the kernel's own, and those of the packs that are installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from llmos_nb.tools.agents import CREATE_AGENT, LIST_AGENTS, MODIFY_AGENT, RELOAD_AGENT
from llmos_nb.tools.cell import INSPECT, RUN_CELL
from llmos_nb.tools.files import EDIT_FILE, READ_FILE, WRITE_FILE
from llmos_nb.tools.memory import RECALL, REMEMBER
from llmos_nb.tools.packs import installed_packs
from llmos_nb.tools.shell import RUN_SHELL
from llmos_nb.tools.tool import Tool

__all__ = ["KERNEL_TOOLS", "TOOLS"]

_ALL: Final = (
    RUN_CELL, INSPECT, READ_FILE, WRITE_FILE, EDIT_FILE, RUN_SHELL, REMEMBER, RECALL,
    CREATE_AGENT, MODIFY_AGENT, LIST_AGENTS, RELOAD_AGENT,
)  # fmt: skip

#: The kernel's own tools.
KERNEL_TOOLS: Final[Mapping[str, Tool]] = MappingProxyType({tool.name: tool for tool in _ALL})


class _Tools(Mapping[str, Tool]):
    """The kernel's tools go first; packs are looked for when a name is asked for that is none of theirs."""

    def __getitem__(self, name: str) -> Tool:
        found = KERNEL_TOOLS.get(name)
        return found if found is not None else installed_packs().tools[name]

    def __iter__(self) -> Iterator[str]:
        yield from KERNEL_TOOLS
        yield from (name for name in installed_packs().tools if name not in KERNEL_TOOLS)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<tools {', '.join(self)}>"


#: Every tool: offered to the model, and run again by a replay.
TOOLS: Final[Mapping[str, Tool]] = _Tools()
