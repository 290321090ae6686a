"""A tool's result and arguments as others may see them: without secrets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from llmos_nb.kernel.secrets import redacted, redacted_data
from llmos_nb.tools.tool import ToolResult

__all__ = ["REMARK", "without_secrets"]

#: What the model is told whose result had a secret in it.
REMARK: Final = (
    "What looks like a key, token or password was taken out of this result and is not for you to see. Where code needs "
    "it, let the code read it by its name, as os.environ['NAME'], without printing it."
)


def without_secrets(result: ToolResult, known: Mapping[str, str]) -> ToolResult:
    """The result without secrets, ``known`` ones among them; the same object where there are none."""
    text, diff = redacted(result.text, known), redacted(result.diff, known)
    refused = redacted(result.refused, known)
    outputs = tuple(
        output if data is output.data else dataclasses.replace(output, data=data)
        for output in result.outputs
        for data in [_data(output.data, known)]
    )
    same = all(new is old for new, old in zip(outputs, result.outputs, strict=True))
    if text == result.text and diff == result.diff and refused == result.refused and same:
        return result
    return dataclasses.replace(result, text=text, diff=diff, outputs=outputs, refused=refused, withheld=True)


def _data(data: dict[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    clean: dict[str, Any] = redacted_data(data, known)
    return clean
