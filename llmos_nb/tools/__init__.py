"""What an agent can do, the namespace it does it in, and the workbench that guards and notes every call."""

from llmos_nb.kernel.files import atomic_write
from llmos_nb.tools.namespace import Output
from llmos_nb.tools.pack import Pack
from llmos_nb.tools.packs import packs
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult

__all__ = ["Output", "Pack", "Tool", "ToolContext", "ToolResult", "atomic_write", "packs"]
