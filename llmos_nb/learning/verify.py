"""What a step did, as an expectation; and whether a replay of it did the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from llmos_nb.memory import Expectation
from llmos_nb.tools.cell import columns_of
from llmos_nb.tools.tool import ToolResult

__all__ = ["digest", "expectation", "surprise"]

#: Addresses in default reprs differ in every process and say nothing.
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


def digest(result: ToolResult) -> str:
    """A digest of everything in a result that the answer could rest on: text, and pictures by their bytes.

    HTML and other rich forms are left out where plain text says the same: they often carry random element ids.
    """
    parts = []
    for output in result.outputs:
        images = [(mime, data) for mime, data in sorted(output.data.items()) if mime.startswith("image/")]
        parts += [
            f"{mime}:{data!r}" if isinstance(data, bytes) else f"{mime}:{data}".strip() for mime, data in images
        ]
        parts.append(_ADDRESS.sub("0x", str(output.data.get("text/plain", ""))))
    if not result.outputs:
        parts.append(_ADDRESS.sub("0x", result.text))
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def expectation(result: ToolResult, *, replay: bool) -> Expectation:
    """What a replay of the call with this result has to do again."""
    return Expectation(
        status=result.status,
        error=result.error,
        defines=dict(result.defines),
        columns=dict(result.columns),
        deletes=result.deletes,
        outputs=tuple(output.mime for output in result.outputs),
        files=result.files,
        digest=digest(result),
        replay=replay,
    )


def surprise(expected: Expectation, result: ToolResult, names: Mapping[str, Any]) -> str:
    """How a replayed step differs from what was recorded, or an empty string. Values may differ: data changes."""
    if result.status != expected.status:
        last = (result.text.strip().splitlines() or [""])[-1]
        return f"it ended in {result.error}: {last[:200]}" if result.error else "it succeeded where it failed before"
    if result.error != expected.error:
        return f"it failed with {result.error} instead of {expected.error}"
    for name, kind in expected.defines.items():
        if name not in names:
            return f"it did not define {name}"
        found = type(names[name]).__name__
        if found != kind:
            return f"{name} is of type {found} instead of {kind}"
    for name, columns in expected.columns.items():
        now = columns_of(names.get(name)) or ()
        if tuple(now) != tuple(columns):
            return f"the columns of {name} are now {_listed(now)} instead of {_listed(columns)}"
    if set(result.deletes) - set(expected.deletes):
        return f"it deleted {_listed(set(result.deletes) - set(expected.deletes))}"
    kinds = tuple(output.mime for output in result.outputs)
    if kinds != tuple(expected.outputs):
        return f"it showed {_listed(kinds)} instead of {_listed(expected.outputs)}"
    if set(result.files) != set(expected.files):
        return f"it changed the files {_listed(result.files)} instead of {_listed(expected.files)}"
    return ""


def _listed(items: Any) -> str:
    found = [str(item) for item in items]
    return ", ".join(found[:12]) + (" …" if len(found) > 12 else "") if found else "nothing"
