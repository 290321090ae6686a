"""All tools by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from llmos_nb.tools.cell import INSPECT, RUN_CELL
from llmos_nb.tools.files import EDIT_FILE, READ_FILE, WRITE_FILE
from llmos_nb.tools.shell import RUN_SHELL

__all__ = ["TOOLS"]

#: The kernel's own tools: offered to the model, and run again by a replay.
TOOLS: Final = MappingProxyType(
    {tool.name: tool for tool in (RUN_CELL, INSPECT, READ_FILE, WRITE_FILE, EDIT_FILE, RUN_SHELL)}
)
