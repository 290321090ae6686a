"""The other side of :mod:`llmos_nb.learning.rerun`: runs the steps, and says by value what they did."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import importlib
import json
import os
import pickle
import re
import sys
import threading
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.policy import check_tool
from llmos_nb.guard.undo import Undo
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolContext, ToolResult

__all__ = ["main", "value_digest"]

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{6,}")
#: How deep an object is looked into, and how many parts of one.
_DEPTH: Final = 12
_PARTS: Final = 200_000


def main(job: Mapping[str, Any], tasks: Mapping[str, Any]) -> None:
    """Do one job and write its answer; ``tasks`` says how the number of processes is bounded."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    _limit(job)
    if tasks:
        from llmos_nb.guard.sandbox.counted import bind

        bind(tasks)
    record = asyncio.run(_work(job))
    Path(job["answer"]).write_text(json.dumps(record), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # threads that the steps left are not waited for


def _limit(job: Mapping[str, Any]) -> None:
    """Bounds that hold even where the other side does not get to end us."""
    if sys.platform == "win32":
        return
    import resource

    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, job["cpu_s"]),
        (resource.RLIMIT_FSIZE, job["file"]),
        (resource.RLIMIT_AS, job["memory"]),
    ):
        with contextlib.suppress(ValueError, OSError):  # not every system knows each of them
            resource.setrlimit(kind, (value, value))


async def _work(job: Mapping[str, Any]) -> dict[str, Any]:
    folder = Path(job["folder"])
    os.chdir(folder)
    sys.path.insert(0, str(folder))  # a notebook finds modules in its folder
    _offer(job)
    space = PlainNamespace()
    names = space.names
    for name, (kind, value) in job["names"].items():
        names[name] = importlib.import_module(value) if kind == "module" else pickle.loads(value)
    before = dict(names)
    names.setdefault("display", _display)
    context = ToolContext(
        namespace=space,
        workspace=folder / "workspace",
        cwd=folder,
        undo=Undo(),
        stopping=threading.Event(),
        show=False,
    )
    record: dict[str, Any] = {"error": "", "problem": ""}
    results: list[tuple[str, ToolResult]] = []
    for number, (tool, arguments) in enumerate(job["steps"], start=1):
        own = TOOLS[tool].check if tool in TOOLS else None
        verdict = check_tool(
            tool,
            arguments,
            grant=set(TOOLS),
            cwd=folder,
            workspace=folder / "workspace",
            more=[functools.partial(own, context, arguments)] if own is not None else [],
            checked=own is not None,
        )
        if verdict.decision != "allow":
            record["problem"] = f"step {number} ({tool}) was refused: {verdict.reason}"
            break
        result = await TOOLS[tool].run(context, arguments)
        results.append((tool, result))
        if result.error:
            last = (result.text.strip().splitlines() or [""])[-1]
            record["error"] = f"{result.error}: {last[:300]}" if result.error not in last else last[:300]
            break
    names.pop("display", None) if names.get("display") is _display else None
    outputs = [output for _, result in results for output in result.outputs]
    written = sorted({name for _, result in results for name in result.files})
    bound = {
        name: value
        for name, value in names.items()
        if not name.startswith("_") and (name not in before or before[name] is not value or name in job["names"])
    }
    teller = names.get(job["told_by"]) if job["told_by"] else None
    last_tool = results[-1][0] if results else ""
    return {
        **record,
        "shown": _ADDRESS.sub("0x", "".join(_line(output) for output in outputs if output.kind != "stderr")),
        "pictures": sum(output.mime.startswith("image/") for output in outputs),
        "told": (teller.told if teller is not None else results[-1][1].text if _tells(last_tool) else "").rstrip(
            "\n"
        ),
        "types": {name: type(value).__name__ for name, value in bound.items()},
        "columns": {name: list(map(str, v.columns)) for name, v in bound.items() if type(v).__name__ == "DataFrame"},
        "values": {name: value_digest(value) for name, value in bound.items()},
        "kinds": {name: value_digest(value, content=False) for name, value in bound.items()},
        "files": {name: _file_digest(folder / name) for name in written if not os.path.isabs(name)},
    }


def _offer(job: Mapping[str, Any]) -> None:
    """Crystals that are being tested can be used here, and here alone, before their tests are through."""
    if not job["crystals"]:
        return
    from llmos_nb.crystals.current import use
    from llmos_nb.crystals.report import Check, Report
    from llmos_nb.crystals.shelf import CrystalShelf

    shelf = use(CrystalShelf(job["shelf"]))
    for name in job["crystals"]:
        shelf.keep_report(name, Report(shelf.module(name).digest, (Check("none", True),)))


def _tells(tool: str) -> bool:
    return tool in ("run_shell", "read_file")


def _display(*values: Any, **_: Any) -> None:
    """What IPython's ``display`` is where there is no IPython."""
    for value in values:
        sys.displayhook(value)


def _line(output: Any) -> str:
    text = str(output.text)
    return text if text.endswith("\n") else text + "\n"


def _file_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    except OSError:
        return "gone"


def value_digest(value: Any, *, content: bool = True) -> str:
    """A digest of what a value is, equal for equal values whichever process made them; without ``content`` of how it is
    built alone: types, lengths, columns.

    Tables and arrays go in whole, containers by their items, other objects by their attributes or their own repr.
    Functions, classes and modules go in by name alone.
    """
    digest = hashlib.sha256()
    _feed(_Sink(digest, content), value, 0, [0], set())
    return digest.hexdigest()[:32]


class _Sink:
    """A digest that takes contents only where they are wanted."""

    def __init__(self, digest: Any, content: bool) -> None:
        self.update = digest.update
        self.content = content

    def take(self, data: bytes) -> None:
        if self.content:
            self.update(data)


def _feed(digest: _Sink, value: Any, depth: int, count: list[int], seen: set[int]) -> None:
    count[0] += 1
    kind = type(value).__name__
    digest.update(f"\x1e{kind}\x1f".encode("utf-8", "surrogatepass"))
    if (
        depth > _DEPTH
        or count[0] > _PARTS
        or (id(value) in seen and not isinstance(value, str | int | float | bytes))
    ):
        return
    deeper = (depth + 1, count, seen | {id(value)})
    if value is None or isinstance(value, bool | int | float | complex | str):
        digest.take(repr(value).encode("utf-8", "surrogatepass"))
    elif isinstance(value, bytes | bytearray):
        digest.take(bytes(value))
    elif isinstance(value, list | tuple):
        for item in value:
            _feed(digest, item, *deeper)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                digest.update(key.encode("utf-8", "surrogatepass"))  # the names of what it holds
            _feed(digest, key, *deeper)
            _feed(digest, item, *deeper)
    elif isinstance(value, set | frozenset):
        for one in sorted(value_digest(item, content=digest.content) for item in value):
            digest.update(one.encode())
    elif isinstance(value, types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type):
        digest.update(str(getattr(value, "__name__", "")).encode("utf-8", "surrogatepass"))
    elif not _feed_table(digest, value, deeper):
        shown = _shown(value)
        if _ADDRESS.search(shown) and hasattr(value, "__dict__") and len(vars(value)) < 40:
            _feed(digest, {k: v for k, v in vars(value).items() if not callable(v)}, *deeper)
        else:
            digest.take(_ADDRESS.sub("0x", shown).encode("utf-8", "surrogatepass"))


def _feed_table(digest: _Sink, value: Any, deeper: tuple[int, list[int], set[int]]) -> bool:
    """Tables of pandas and arrays of numpy, without importing either."""
    kind = type(value).__name__
    if kind in ("DataFrame", "Series", "Index", "MultiIndex", "RangeIndex") and hasattr(value, "to_numpy"):
        if kind == "DataFrame":
            _feed(digest, [str(d) for d in value.dtypes], *deeper)
            _feed(digest, list(value.columns), *deeper)
            _feed(digest, value.index.tolist(), *deeper)
            for position in range(value.shape[1]):
                _feed_array(digest, value.iloc[:, position].to_numpy(), deeper)
            return True
        _feed(digest, str(getattr(value, "name", "")), *deeper)
        if kind == "Series":
            _feed(digest, value.index.tolist(), *deeper)
        _feed_array(digest, value.to_numpy(), deeper)
        return True
    if kind == "ndarray" and hasattr(value, "dtype"):
        _feed_array(digest, value, deeper)
        return True
    return False


def _feed_array(digest: _Sink, array: Any, deeper: tuple[int, list[int], set[int]]) -> None:
    digest.update(f"{array.dtype}{array.shape}".encode())
    if array.dtype.hasobject:
        _feed(digest, array.tolist(), *deeper)
    else:
        digest.take(array.tobytes())


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - an object's own repr
        return f"<{type(error).__name__}>"
