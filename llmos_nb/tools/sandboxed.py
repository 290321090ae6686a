"""The sandbox that a goal's tools work in: copies of what the goal names go in, and what it makes comes out when asked for.

Cells, commands and files are run and written there. The person's variables and files stay as they are; what was made is
offered by name (:class:`Offered`), and nothing of it is taken without their word.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pickle
import stat
import types
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from llmos_nb.errors import SandboxFailed
from llmos_nb.guard.sandbox import Fence, Limits, Place, find_fence
from llmos_nb.guard.sandbox.screened import screened_data, screened_text
from llmos_nb.guard.sandbox.session import Session
from llmos_nb.guard.sandbox.values import decode
from llmos_nb.kernel.secrets import is_secret_name
from llmos_nb.mind.delegates import DELEGATE
from llmos_nb.tools.cell import mentioned_names, visible
from llmos_nb.tools.namespace import CellResult, Namespace, Output
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.sandbox_child import picture
from llmos_nb.tools.shell_namespace import running_shell
from llmos_nb.tools.tool import ToolContext, ToolResult

__all__ = ["LIMITS", "Offered", "OfferedValue", "Sandboxed"]

#: What a goal may use there in all.
LIMITS: Final = Limits(
    memory_mb=2048, cpu_s=1800, wall_s=3600, processes=64, output_bytes=20_000_000, scratch_mb=512, files=20_000
)
#: Bytes of a file that is copied, above which it is looked at where it is; of all that are copied; how many are taken.
COPY_LIMIT: Final = 8 * 2**20
COPIES_LIMIT: Final = 100 * 2**20
ENTRIES_LIMIT: Final = 2_000
LINKS_LIMIT: Final = 200
#: Bytes of the variables that are handed in.
VALUES_LIMIT: Final = 400 * 2**20
#: Characters of a result's text.
TEXT_LIMIT: Final = 10_000_000

#: Tools that only look something up, outside.
_OUTSIDE: Final = frozenset({"recall", "list_agents"})
#: Tools that change what outlives the goal.
_LASTING: Final = frozenset({"remember", "create_agent", "modify_agent", "reload_agent"})
_BOOT: Final = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("llmos_nb", {init!r}, submodule_search_locations=[{folder!r}])
module = importlib.util.module_from_spec(spec)
sys.modules["llmos_nb"] = module
spec.loader.exec_module(module)
from llmos_nb.tools.sandbox_child import main
def shell(home, show):
    from llmos_nb.notebook.sandbox_shell import sandbox_shell
    return sandbox_shell(home, show)
main(REQUESTS, ANSWERS, shell)
"""
_STOPPED: Final = ToolResult(text="stopped", error="CancelledError", interrupted=True)


@dataclass(frozen=True, slots=True)
class OfferedValue:
    """A variable that a sandboxed goal made: described; :meth:`get` builds it."""

    description: str
    data: Any = field(repr=False)
    pieces: tuple[bytes, ...] = field(repr=False)

    def get(self) -> Any:
        """The value, built of plain parts.

        Raises:
            SandboxFailed: what came out is no value.
        """
        return decode(self.data, self.pieces)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a sandboxed goal made: variables and files by name, and why others cannot be had."""

    values: Mapping[str, OfferedValue] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    not_offered: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values or self.files or self.not_offered)

    def __getitem__(self, name: str) -> Any:
        """The value of a variable, or the bytes of a file."""
        return self.values[name].get() if name in self.values else self.files[name]

    def __iter__(self) -> Iterator[str]:
        """The names that can be had, variables first."""
        return iter({**dict.fromkeys(self.values), **dict.fromkeys(self.files)})

    def __contains__(self, name: object) -> bool:
        return name in self.values or name in self.files

    def __len__(self) -> int:
        return len(list(iter(self)))

    def lines(self) -> list[str]:
        """What there is, a line each."""
        return [
            *(f"{name}: {value.description}" for name, value in self.values.items()),
            *(f"{name}: file, {len(data):,} bytes" for name, data in self.files.items()),
            *(f"{name}: cannot be taken ({why})" for name, why in self.not_offered.items()),
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines()) or "Nothing is offered."

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


class Sandboxed:
    """One run's sandbox. ``inner`` is the person's namespace: it is looked at, and shows what is shown; never written.

    ``words`` are texts (the goal) whose names are handed in as copies; :meth:`want` adds to them until the first call.
    """

    def __init__(self, inner: Namespace, cwd: Path, workspace: Path, words: str, fence: Fence | None = None) -> None:
        self.fence = fence or find_fence()
        self._inner, self._cwd, self._workspace = inner, cwd, workspace
        self._session: Session | None = None
        self._made: dict[str, None] = {}
        self._links: dict[str, str] = {}
        self.namespace = _Inside(inner)
        self._given: set[str] = set()
        #: What a person should know: variables and files that could not be handed in.
        self.notices: list[str] = []
        self.want(words)

    def want(self, *texts: str) -> None:
        """Hand in the variables that are named in ``texts``."""
        if self._session is not None:
            return
        for name in sorted({name for text in texts for name in mentioned_names(text)} - self._given):
            value = self._inner.names.get(name, self)
            if value is self or not visible(name) or isinstance(value, types.ModuleType):
                continue
            if type(value).__module__.partition(".")[0] == "llmos_nb" or is_secret_name(name):
                continue
            self._given.add(name)
            self.namespace.names[name] = _stand_in(picture(value))

    @property
    def given(self) -> dict[str, Any]:
        """The person's variables that are handed in, as they are outside."""
        return {name: self._inner.names[name] for name in self._given if name in self._inner.names}

    def refusal(self, tool: str) -> str:
        """Why a tool is of no use in a sandbox; empty where it is."""
        if tool in _LASTING:
            return f"{tool} changes what outlives the goal, and a sandboxed goal changes nothing outside"
        if tool in TOOLS or tool == DELEGATE:
            return ""
        return f"{tool} does not run in the sandbox; run_cell, run_shell, read_file and write_file do"

    async def call(self, tool: str, context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        """Make one call there; what it shows is shown as it comes where the context says so."""
        if tool in _OUTSIDE:
            return await TOOLS[tool].run(context, arguments)
        if context.stopping.is_set():
            return _STOPPED

        def shown(message: dict[str, Any]) -> None:
            if context.show:
                self._inner.show(_outputs([message_output(message)]))

        try:
            session = await self._begun()
            message, _ = await session.ask(
                {"do": "call", "tool": tool, "arguments": arguments, "show": context.show}, on_message=shown
            )
        except SandboxFailed as error:
            if context.stopping.is_set():
                return _STOPPED
            return ToolResult(text=str(error), error="SandboxFailed")
        if context.stopping.is_set():  # what is being ended may still say how its programs died
            return _STOPPED
        if isinstance(message.get("problem"), str):
            return ToolResult(text=screened_text(message["problem"]), error="SandboxFailed")
        result = _result(message, self._links)
        self.namespace.take(message.get("names"))
        self._made.update(dict.fromkeys(result.defines))
        for name in result.deletes:
            self._made.pop(name, None)
        return result

    async def _begun(self) -> Session:
        if self._session is not None:
            return self._session
        package = Path(str(importlib.util.find_spec("llmos_nb").origin)).parent  # type: ignore[union-attr]
        files, links, folders, left_out = await asyncio.to_thread(_taken, self._cwd, self._workspace)
        pieces: list[bytes] = []
        names: list[tuple[str, int]] = []
        for name, value in self.given.items():
            try:
                data = pickle.dumps(value, protocol=5)
            except Exception as error:  # noqa: BLE001 - whatever an object's own pickling raises
                self._lost(name, type(error).__name__)
                continue
            if sum(map(len, pieces)) + len(data) > VALUES_LIMIT:
                self._lost(name, f"more than {VALUES_LIMIT // 2**20} MB together")
                continue
            names.append((name, len(pieces)))
            pieces.append(data)
        given = [(name, len(pieces) + n) for n, (name, _) in enumerate(files)]
        pieces += [data for _, data in files]
        self._links = {str(path): name for name, path in links}
        place = Place(read=(package, *(path for _, path in links)))
        boot = _BOOT.format(init=str(package / "__init__.py"), folder=str(package))
        session = self._session = Session(boot, limits=LIMITS, place=place, fence=self.fence)
        message, _ = await session.ask(
            {
                "do": "begin", "names": names, "files": given, "links": [(name, str(path)) for name, path in links],
                "folders": folders, "modules": self._modules(), "shell": running_shell() is not None,
            },
            pieces,
        )  # fmt: skip
        failed = message.get("failed")
        for name in failed if isinstance(failed, dict) else {}:
            self._lost(str(name), "it needs what is only in your kernel")
        if left_out:
            self.notices.append(
                f"{left_out} files of the folder were not copied into the sandbox: more than {ENTRIES_LIMIT:,}, or "
                f"{COPIES_LIMIT // 2**20} MB"
            )
        return session

    def _lost(self, name: str, why: str) -> None:
        self._given.discard(name)
        self.namespace.names.pop(name, None)
        self.notices.append(f"your variable {name} could not be copied into the sandbox: {why}")

    def _modules(self) -> dict[str, str]:
        return {
            name: value.__name__
            for name, value in list(self._inner.names.items())
            if visible(name) and isinstance(value, types.ModuleType) and isinstance(value.__name__, str)
        }

    async def offers(self) -> Offered:
        """What was made there, copied out."""
        session = self._session
        if session is None or not session.alive:
            return Offered()
        try:
            message, pieces = await session.ask({"do": "hand out", "names": list(self._made)})
        except SandboxFailed:
            return Offered()
        return _offered(message, pieces)

    def stop(self) -> None:
        """End it without waiting. Callable from any thread."""
        if self._session is not None:
            self._session.stop()

    async def end(self) -> None:
        """End it with all its processes."""
        if self._session is not None:
            await asyncio.to_thread(self._session.end)


class _Inside:
    """The names of a sandbox as they are known outside: stand-ins of the same types, and nothing else of them."""

    def __init__(self, inner: Namespace) -> None:
        self._inner = inner
        self._names: dict[str, Any] = {
            name: value for name, value in list(inner.names.items()) if isinstance(value, types.ModuleType)
        }

    @property
    def names(self) -> MutableMapping[str, Any]:
        return self._names

    async def run_cell(self, code: str, *, show: bool = True) -> CellResult:
        raise SandboxFailed(
            "A sandboxed goal runs no cell in your kernel.", remedy="This is a mistake of llmos_nb's."
        )

    def show(self, outputs: Iterable[Output]) -> None:
        self._inner.show(outputs)

    def unreadable(self, code: str) -> str:
        return self._inner.unreadable(code)

    def take(self, pictures: Any) -> None:
        """What the names are now, by what the sandbox says."""
        if not isinstance(pictures, dict):
            return
        modules = {name: value for name, value in self._names.items() if isinstance(value, types.ModuleType)}
        self._names.clear()
        self._names.update(modules)
        for name, about in list(pictures.items())[:5_000]:
            if isinstance(name, str) and name.isidentifier() and len(name) < 200 and isinstance(about, dict):
                self._names.setdefault(name, _stand_in(about))


class _StandIn:
    """Something of a sandbox's: its type's name, its shape, its columns."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        if isinstance(columns := about.get("columns"), list):
            self.columns = tuple(screened_text(str(one))[:1000] for one in columns[:100_000])
            self.dtypes = tuple(str(one)[:100] for one in about.get("dtypes") or ())
        if isinstance(shape := about.get("shape"), list) and all(type(n) is int for n in shape):
            self.shape = tuple(shape)
            self.dtype = str(about.get("dtype", ""))[:100]


def _stand_in(about: Mapping[str, Any]) -> Any:
    kind = str(about.get("type", ""))
    return type(kind if kind.isidentifier() and len(kind) < 200 else "object", (_StandIn,), {})(about)


# -- what comes out


def message_output(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of something printed or displayed, as an output is told."""
    if isinstance(message.get("display"), dict):
        return {"kind": "display", "data": message["display"]}
    kind = "stderr" if message.get("stream") == "stderr" else "stdout"
    return {"kind": kind, "data": {"text/plain": message.get("text")}}


def _outputs(told: Any) -> tuple[Output, ...]:
    found = []
    for one in told if isinstance(told, list) else ():
        data = one.get("data") if isinstance(one, dict) else None
        if not isinstance(data, dict):
            continue
        if one.get("kind") == "display":
            found.append(Output("display", screened_data(data)))
        elif isinstance(data.get("text/plain"), str):
            kind = "stderr" if one.get("kind") == "stderr" else "stdout"
            found.append(Output(kind, {"text/plain": screened_text(data["text/plain"])}))
    return tuple(found)


def _result(message: Mapping[str, Any], links: Mapping[str, str]) -> ToolResult:
    """A tool's result out of what the sandbox says: nothing of it is believed but its kind."""
    columns = message.get("columns")
    defines = message.get("defines")
    return ToolResult(
        text=_text(message.get("text"), TEXT_LIMIT),
        error=_text(message.get("error"), 300).replace("\n", " "),
        interrupted=message.get("interrupted") is True,
        outputs=_outputs(message.get("outputs")),
        defines={
            name: kind[:200]
            for name, kind in (defines.items() if isinstance(defines, dict) else ())
            if _is_name(name) and isinstance(kind, str)
        },
        columns={
            name: tuple(screened_text(str(column)) for column in found)
            for name, found in (columns.items() if isinstance(columns, dict) else ())
            if _is_name(name) and isinstance(found, list)
        },
        deletes=tuple(name for name in _list(message.get("deletes")) if _is_name(name)),
        files=tuple(sorted({name for name in _list(message.get("files")) if is_relative(name)})),
        reads=tuple(
            sorted({name for one in _list(message.get("reads")) if is_relative(name := links.get(one, one))})
        ),
        diff=_text(message.get("diff"), TEXT_LIMIT),
    )


def _text(value: Any, limit: int) -> str:
    return screened_text(value[:limit]) if isinstance(value, str) else ""


def _list(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)][:10_000] if isinstance(value, list) else []


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.isidentifier() and len(name) < 200


def is_relative(name: str) -> bool:
    """Whether a stranger's name of a file stays in a folder: no way up, no root, nothing hidden, nothing unprintable."""
    path = PurePosixPath(name)
    return (
        bool(path.parts) and not path.is_absolute() and len(name) < 1000 and name.isprintable() and "\\" not in name
        and all(part != ".." and not part.startswith(".") and len(part.encode()) <= 255 for part in path.parts)
        and ":" not in name
    )  # fmt: skip


def _offered(message: Mapping[str, Any], pieces: list[bytes]) -> Offered:
    values: dict[str, OfferedValue] = {}
    files: dict[str, bytes] = {}
    why: dict[str, str] = {}
    told = message.get("values")
    for name, about in told.items() if isinstance(told, dict) else ():
        if not _is_name(name) or not isinstance(about, dict):
            continue
        if isinstance(about.get("why"), str):
            why[name] = _text(about["why"], 300)
            continue
        first, count = about.get("first"), about.get("count")
        if type(first) is int and type(count) is int and 0 <= first <= first + count <= len(pieces):
            values[name] = OfferedValue(_described(about), about.get("value"), tuple(pieces[first : first + count]))
    there = message.get("files")
    for name, about in there.items() if isinstance(there, dict) else ():
        if not is_relative(name) or not isinstance(about, dict):
            continue
        number = about.get("piece")
        if type(number) is int and 0 <= number < len(pieces):
            files[name] = pieces[number]
        else:
            why[name] = _text(about.get("why"), 300)
    return Offered(values, files, why)


def _described(about: Mapping[str, Any]) -> str:
    kind = _text(about.get("type"), 100)
    shape, length, value = about.get("shape"), about.get("length"), about.get("short")
    if isinstance(about.get("columns"), list) and isinstance(shape, list) and len(shape) == 2:
        columns = ", ".join(_text(str(one), 60) for one in about["columns"][:12])
        return f"{kind}, {shape[0]} rows x {shape[1]} columns ({columns}{', …' if shape[1] > 12 else ''})"
    if isinstance(shape, list):
        return f"{kind}, shape ({', '.join(_text(str(n), 20) for n in shape)}), {_text(about.get('dtype'), 40)}"
    if type(length) is int:
        return f"{kind}, length {length}"
    return f"{kind} {_text(value, 80)}".strip()


# -- what goes in


def _taken(cwd: Path, workspace: Path) -> tuple[list[tuple[str, bytes]], list[tuple[str, Path]], list[str], int]:
    """The files of a folder: those that are copied, those that are looked at where they are, its folders, and how many
    there was no room for. Hidden ones, links that lead out of it and the workspace's own are none of them."""
    files: list[tuple[str, bytes]] = []
    links: list[tuple[str, Path]] = []
    folders: list[str] = []
    root, own = cwd.resolve(), workspace.resolve()
    left_out, size, waiting = 0, 0, [root]
    while waiting:
        folder = waiting.pop(0)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith(".") or entry.name == "__pycache__" or path == own:
                continue
            name = path.relative_to(root).as_posix()
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    if len(files) + len(links) + len(folders) < ENTRIES_LIMIT:
                        folders.append(name)
                        waiting.append(path)
                    continue
                real = path.resolve()
                about = real.stat()
                if not stat.S_ISREG(about.st_mode) or not real.is_relative_to(root):
                    continue
                if len(files) + len(links) + len(folders) >= ENTRIES_LIMIT:
                    left_out += 1
                elif about.st_size <= COPY_LIMIT and size + about.st_size <= COPIES_LIMIT:
                    data = real.read_bytes()
                    size += len(data)
                    files.append((name, data))
                elif len(links) < LINKS_LIMIT:
                    links.append((name, real))
                else:
                    left_out += 1
    return files, links, folders, left_out
