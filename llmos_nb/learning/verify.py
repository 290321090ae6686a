"""What a step did, as an expectation; and whether a replay of it did the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from llmos_nb.memory import Expectation
from llmos_nb.tools.cell import columns_of
from llmos_nb.tools.namespace import Output
from llmos_nb.tools.tool import ToolResult

__all__ = ["digest", "expectation", "outputs_counted", "surprise", "warnings_new"]

#: Addresses in default reprs differ in every process and say nothing. Other hexadecimal numbers are results.
_ADDRESS = re.compile(r"(?<= at )0x[0-9a-fA-F]{6,}(?=>|, file )")
#: How a warning names the cell it came from: other in every kernel. A word is looked at from its beginning only, and a
#: bracket up to the next: the time grows with a text's length, not with its square.
_CELL = re.compile(r"(?<!\S)\S*ipykernel_\d+[/\\]\d+\.py|<ipython-input-[^<>\n]+>|<(?:llmos )?cell[^<>\n]*>")
#: A text that only names the object. What it shows is then in one of the other forms.
_SAYS_NOTHING = re.compile(r"(<[^\n]*>)?")
#: What pandas puts into the ids of a styled table, by chance.
_STYLER_ID = re.compile(r"T_[0-9a-f]{5}")
_RICH = ("application/json", "text/html", "text/latex", "text/markdown")


def digest(result: ToolResult) -> str:
    """A digest of everything in a result that the answer could rest on: text, pictures by their bytes, and what an
    exception said.

    HTML and other rich forms are left out where plain text says the same: they often carry random element ids. What
    was written to the error stream is judged by :func:`warnings_new` instead.
    """
    parts = []
    for output in outputs_counted(result):
        images = [(mime, data) for mime, data in sorted(output.data.items()) if mime.startswith("image/")]
        parts += [
            f"{mime}:{data!r}" if isinstance(data, bytes) else f"{mime}:{data}".strip() for mime, data in images
        ]
        text = str(output.data.get("text/plain", ""))
        if _SAYS_NOTHING.fullmatch(text):
            parts += [
                f"{mime}:{_STYLER_ID.sub('T_', str(output.data[mime]))}" for mime in _RICH if mime in output.data
            ]
        parts.append(_ADDRESS.sub("0x", text))
    if result.error.isidentifier():  # an exception: where it was raised may be told otherwise each time
        parts.append(_ADDRESS.sub("0x", result.text[max(0, result.text.rfind(result.error)) :]))
    elif not result.outputs:
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
        outputs=_kinds(result),
        files=result.files,
        digest=digest(result),
        replay=replay,
    )


def outputs_counted(result: ToolResult) -> tuple[Output, ...]:
    """The outputs that a replay has to show again, in order, printed text in a row as one.

    The error stream of a cell that ended well is not among them: libraries warn once in a process, or when they first
    set themselves up, so that a program says less there the second time and is no other program.
    """
    found: list[Output] = []
    for output in result.outputs:
        if output.kind == "stderr" and not result.error:
            continue
        if found and output.is_stream and found[-1].is_stream:
            found[-1] = Output("stdout", {"text/plain": found[-1].text + output.text})
        else:
            found.append(output)
    return tuple(found)


def warnings_new(result: ToolResult, recorded: str) -> list[str]:
    """Lines on the error stream that ``recorded``, everything shown when the step was recorded, does not have."""
    said = "".join(output.text for output in result.outputs if output.kind == "stderr")
    if not said.strip():
        return []
    was = {line.strip() for line in _CELL.sub("<cell>", _ADDRESS.sub("0x", recorded)).splitlines()}
    now = (line.strip() for line in _CELL.sub("<cell>", _ADDRESS.sub("0x", said)).splitlines())
    return [line for line in now if line and line not in was]


def surprise(
    expected: Expectation, result: ToolResult, names: Mapping[str, Any], recorded: Expectation | None = None
) -> str:
    """How a replayed step differs from what was recorded, or an empty string. Values may differ: data changes.

    Of a step that is bound to new values, ``recorded`` is what it did with the recorded ones. Its digest then tells
    that everything was seen, so that what is not expected must not happen; and where ``expected`` names fewer files or
    outputs, because nobody can tell how they follow from the values, as many as were recorded are allowed.
    """
    if result.status != expected.status:
        last = (result.text.strip().splitlines() or [""])[-1]
        return f"it ended in {result.error}: {last[:200]}" if result.error else "it succeeded where it failed before"
    if result.error != expected.error:
        return f"it failed with {result.error} instead of {expected.error}"
    for name, kind in expected.defines.items():
        if name not in names:
            return f"it did not define {name}"
        found = type(names[name]).__name__
        if found not in kind.split(" | "):  # several types where recorded runs differ
            return f"{name} is of type {found} instead of {kind}"
    for name, columns in expected.columns.items():
        different = _columns(columns_of(names.get(name)) or (), tuple(columns))
        if different:
            return f"{name} {different}"
    seen = bool((recorded or expected).digest)  # else written by hand, or by a tool that cannot be looked into
    like = recorded or expected
    if set(result.deletes) - set(expected.deletes) and (expected.deletes or seen):
        return f"it deleted {_listed(set(result.deletes) - set(expected.deletes))}"
    kinds = _kinds(result)
    if len(expected.outputs) < len(like.outputs):
        if len(kinds) != len(like.outputs) or set(expected.outputs) - set(kinds):
            return f"it showed {_listed(kinds)} instead of {_listed(like.outputs)}"
    elif kinds != tuple(expected.outputs) and (expected.outputs or seen):
        return f"it showed {_listed(kinds)} instead of {_listed(expected.outputs)}"
    if len(expected.files) < len(like.files):
        if len(result.files) != len(like.files) or set(expected.files) - set(result.files):
            return f"it changed the files {_listed(result.files)} instead of files like {_listed(like.files)}"
    elif set(result.files) != set(expected.files) and (expected.files or seen):
        return f"it changed the files {_listed(result.files)} instead of {_listed(expected.files)}"
    return ""


def _kinds(result: ToolResult) -> tuple[str, ...]:
    return tuple(output.mime for output in outputs_counted(result))


def _columns(now: tuple[str, ...], before: tuple[str, ...]) -> str:
    """How a table's columns changed, in words; empty if they did not."""
    gone = [column for column in before if column not in now]
    new = [column for column in now if column not in before]
    parts = [f"lacks the column {_listed(gone)}"] if gone else []
    parts += [f"has the new column {_listed(new)}"] if new else []
    return " and ".join(parts) or ("has its columns in another order" if now != before else "")


def _listed(items: Any) -> str:
    found = [str(item) for item in items]
    return ", ".join(found[:12]) + (" …" if len(found) > 12 else "") if found else "nothing"
