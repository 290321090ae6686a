"""The inside of a sandboxed run: tools work here as they do in a kernel, on copies, and what they did is told outside."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import os
import pickle
import stat
import sys
import threading
import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from llmos_nb.guard.sandbox.values import NotPlain, encode
from llmos_nb.guard.sandbox.wire import Wire
from llmos_nb.guard.undo import Undo
from llmos_nb.tools.cell import columns_of, mentioned_names, visible
from llmos_nb.tools.namespace import Namespace, PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolContext, ToolResult

__all__ = ["main", "picture"]

#: Bytes of one value and of one file that are handed out, and of all of them; how many files.
VALUE_LIMIT: Final = 100 * 2**20
FILE_LIMIT: Final = 50 * 2**20
ALL_LIMIT: Final = 400 * 2**20
FILES_LIMIT: Final = 500
#: Names that are told of.
NAMES_LIMIT: Final = 2_000


def picture(value: Any) -> dict[str, Any]:
    """What is told of a variable outside: the name of its type, and for a table or an array how it is built."""
    about: dict[str, Any] = {"type": type(value).__name__}
    columns = columns_of(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape):
        about["shape"] = list(shape)
    if columns is not None:
        about["columns"] = list(columns)
        about["dtypes"] = [str(dtype) for dtype in value.dtypes]
    elif "shape" in about:
        about["dtype"] = str(getattr(value, "dtype", "unknown"))
    elif isinstance(value, list | tuple | set | dict | str | bytes):
        about["length"] = len(value)
    elif isinstance(value, bool | int | float | complex | type(None)):
        about["short"] = repr(value)[:200] if not isinstance(value, int) or value.bit_length() < 1000 else "…"
    return about


#: Makes a namespace that works like a kernel's, of a folder for its own files and of what shows a display.
Shell = Callable[[Path, Callable[[Mapping[str, Any]], None]], Namespace]


def main(requests: int, answers: int, shell: Shell) -> None:
    """Answer one request after the other until there are no more; ``shell`` is for a goal that was asked for in one."""
    asyncio.run(_Inside(Wire(requests, answers), shell).serve())


class _Inside:
    def __init__(self, wire: Wire, shell: Shell) -> None:
        self._wire, self._shell = wire, shell
        self._folder = Path(os.environ["HOME"]) / "work"
        self._folder.mkdir(exist_ok=True)
        os.chdir(self._folder)
        sys.path.insert(0, str(self._folder))  # a notebook finds modules in its folder
        self._modules: dict[str, str] = {}
        self._given: dict[str, tuple[int, int]] = {}
        sys.stdout, sys.stderr = _Told(wire, "stdout"), _Told(wire, "stderr")
        self._forward()
        self._space: Namespace = PlainNamespace()
        self._context = ToolContext(
            namespace=self._space, workspace=self._folder.parent / ".workspace", cwd=self._folder, undo=Undo(),
            stopping=threading.Event(),
        )  # fmt: skip

    def _show(self, data: Mapping[str, Any]) -> None:
        self._wire.send({"display": {mime: _as_text(value) for mime, value in data.items()}})

    def _forward(self) -> None:
        """What programs print that cells start: shown as it comes, like in a kernel."""
        read, write = os.pipe()
        os.dup2(write, 1)
        os.dup2(write, 2)
        os.close(write)

        def forward() -> None:
            while chunk := os.read(read, 65_536):
                with contextlib.suppress(OSError):
                    self._wire.send({"stream": "stdout", "text": chunk.decode("utf-8", "replace")})

        threading.Thread(target=forward, daemon=True).start()

    async def serve(self) -> None:
        while (got := self._wire.receive()) is not None:
            request, pieces = got
            try:
                if request["do"] == "begin":
                    await self._begin(request, pieces)
                elif request["do"] == "call":
                    await self._call(request)
                elif request["do"] == "hand out":
                    self._hand_out(request)
            except Exception as error:  # noqa: BLE001 - told outside, as the failure of this request
                self._answer({"problem": f"{type(error).__name__}: {error}"[:500]})

    def _answer(self, message: dict[str, Any], pieces: tuple[bytes, ...] | list[bytes] = ()) -> None:
        self._wire.send({"answer": True, **message}, pieces)

    async def _begin(self, request: Mapping[str, Any], pieces: list[bytes]) -> None:
        self._modules = dict(request["modules"])
        if request["shell"]:
            self._space = self._shell(self._folder.parent, self._show)
            self._context = replace(self._context, namespace=self._space)
        for name, number in request["files"]:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pieces[number])
        for name, source in request["links"]:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(source)
        for name in request["folders"]:
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self._given = {name: stamp for name, stamp, _ in self._walked()}
        failed = {}
        for name, number in request["names"]:
            try:
                self._space.names[name] = pickle.loads(pieces[number])  # the person's own: it came from outside
            except Exception as error:  # noqa: BLE001 - a class that is only there
                failed[name] = f"{type(error).__name__}: {error}"[:200]
        self._answer({"failed": failed})

    async def _call(self, request: Mapping[str, Any]) -> None:
        tool, arguments = TOOLS[request["tool"]], dict(request["arguments"])
        names = self._space.names
        for name in mentioned_names(str(arguments.get("code", ""))):
            if name in self._modules and name not in names:
                with contextlib.suppress(Exception):
                    names[name] = importlib.import_module(self._modules[name])
        problem = tool.problem(arguments)
        if problem:
            result = ToolResult(text=problem, error="TypeError")
        else:
            try:
                result = await tool.run(replace(self._context, show=bool(request["show"])), arguments)
            except Exception as error:  # noqa: BLE001 - told to the model as the tool's error
                result = ToolResult(text=f"{type(error).__name__}: {error}", error=type(error).__name__)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        there = {name: value for name, value in list(names.items())[:NAMES_LIMIT] if visible(name)}
        self._answer({
            "text": result.text, "error": result.error, "interrupted": result.interrupted,
            "outputs": [
                {"kind": output.kind, "data": {mime: _as_text(value) for mime, value in output.data.items()}}
                for output in result.outputs
            ],
            "defines": dict(result.defines), "columns": {name: list(found) for name, found in result.columns.items()},
            "deletes": list(result.deletes), "files": list(result.files), "reads": list(result.reads), "diff": result.diff,
            "names": {name: picture(value) for name, value in there.items()},
        })  # fmt: skip

    def _hand_out(self, request: Mapping[str, Any]) -> None:
        """Send the values of the names that are asked for, and the files that are new or changed, each by itself."""
        left = ALL_LIMIT
        told: dict[str, Any] = {}
        pieces: list[bytes] = []
        for name in request["names"]:
            if _is_imported(self._space.names.get(name)):
                continue
            try:
                data, parts = encode(self._space.names[name])
                size = sum(map(len, parts))
                if size > min(VALUE_LIMIT, left):
                    raise NotPlain(f"it is larger than {min(VALUE_LIMIT, left) // 2**20} MB")
            except KeyError:
                continue
            except Exception as error:  # noqa: BLE001 - a value may raise whatever it likes when it is looked at
                told[name] = {"why": str(error)[:300] if isinstance(error, NotPlain) else type(error).__name__}
                continue
            told[name] = {
                "value": data,
                "first": len(pieces),
                "count": len(parts),
                **picture(self._space.names[name]),
            }
            pieces += parts
            left -= size
        files: dict[str, Any] = {}
        for name, stamp, path in self._walked():
            if self._given.get(name) == stamp:
                continue
            if len(files) >= FILES_LIMIT or stamp[0] > min(FILE_LIMIT, left):
                files[name] = {"why": f"it is larger than {FILE_LIMIT // 2**20} MB, or there are too many"}
                continue
            data = _content(path)
            if data is not None:
                files[name] = {"piece": len(pieces)}
                pieces.append(data)
                left -= len(data)
        gone = sorted(set(self._given) - {name for name, _, _ in self._walked()})
        self._answer({"values": told, "files": files, "gone": gone[:FILES_LIMIT]}, pieces)

    def _walked(self) -> list[tuple[str, tuple[int, int], Path]]:
        """Ordinary files of the folder, but hidden ones, with their sizes and times; links are not followed."""
        found = []
        for parent, folders, names in os.walk(self._folder):
            folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__pycache__")
            for name in sorted(names):
                path = Path(parent, name)
                with contextlib.suppress(OSError, UnicodeEncodeError):
                    about = path.lstat()
                    relative = str(PurePosixPath(path.relative_to(self._folder)))
                    relative.encode()
                    if stat.S_ISREG(about.st_mode) and not name.startswith("."):
                        found.append((relative, (about.st_size, about.st_mtime_ns), path))
        return found


def _content(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(FILE_LIMIT)
    except OSError:
        return None


def _is_imported(value: Any) -> bool:
    """Whether it came with an import: a module, or a class or function of one."""
    if isinstance(value, types.ModuleType):
        return True
    return isinstance(value, type | types.FunctionType | types.BuiltinFunctionType) and value.__module__ != "__main__"


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode("ascii")
    return str(value)


class _Told(io.TextIOBase):
    """A stream whose text goes outside as it is printed."""

    def __init__(self, wire: Wire, kind: str) -> None:
        self._wire, self._kind = wire, kind
        self._kept: list[str] = []
        self._size = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        with self._lock:
            self._kept.append(text)
            self._size += len(text)
        if "\n" in text or self._size > 4096:
            self.flush()
        return len(text)

    def flush(self) -> None:
        with self._lock:
            text, self._kept, self._size = "".join(self._kept), [], 0
        if text:
            self._wire.send({"stream": self._kind, "text": text.encode("utf-8", "replace").decode("utf-8")})

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 1 if self._kind == "stdout" else 2

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "replace"
