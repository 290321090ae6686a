"""Running steps apart from everything: a clean process, its own folder and home, none of the machine's keys.

What recorded steps and a crystal made from them do there, with the same values, is compared by value. This is for code
whose steps the guard agrees to. Where bubblewrap works, the process is behind its fence besides: it has no network, and
sees of the disk only its own place, modules and the files that the steps are known to read. Elsewhere the separate process
keeps accidents out of the notebook, and is no boundary.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.guard.sandbox import Limits, Place
from llmos_nb.guard.sandbox.fence import Bubblewrap, Launch
from llmos_nb.guard.sandbox.started import Started

if TYPE_CHECKING:
    from llmos_nb.memory import Trace

__all__ = ["TIME_LIMIT_S", "VALUE_LIMIT", "Apart", "Outcome", "differences", "folders_of", "handed_on"]

#: Seconds that one run may take.
TIME_LIMIT_S: Final = 120.0
#: Bytes of a pickled variable that is handed to the other process, and of an input file that is copied for it.
VALUE_LIMIT: Final = 50 * 1024 * 1024
#: Bytes of memory it may take, and of a file it may write.
MEMORY_LIMIT: Final = 8 * 1024**3
FILE_LIMIT: Final = 1024**3
#: Files in the place where all runs are made.
FILES: Final = 100_000
#: What of the surroundings a program needs to start at all.
_PASSED_ON: Final = ("LANG", "LC_ALL", "LC_CTYPE", "PATH", "SYSTEMROOT", "TZ", "VIRTUAL_ENV", "WINDIR")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did. ``problem`` says why it did not come to its end, if it did not.

    ``shown`` is what was printed and displayed, as text, with the number of pictures; ``told`` is what the last tool
    said where it is no cell. ``types``, ``columns``, ``values`` and ``kinds`` (digests of the whole and of how it is
    built) are of the names it bound; ``files`` of the files it wrote, by their names in the working folder.
    """

    problem: str = ""
    error: str = ""
    shown: str = ""
    pictures: int = 0
    told: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def handed_on(names: Mapping[str, Any], wanted: Sequence[str]) -> tuple[dict[str, Any], str]:
    """The variables ``wanted`` as they go to another process, and why one cannot (empty: all can)."""
    given: dict[str, Any] = {}
    for name in wanted:
        if name not in names:
            return {}, f"the variable {name} is not there any more"
        value = names[name]
        if isinstance(value, types.ModuleType):
            given[name] = ("module", value.__name__)
            continue
        try:
            data = pickle.dumps(value)
        except Exception as error:  # noqa: BLE001 - whatever an object's own pickling raises
            return {}, f"the variable {name} cannot be handed to another process ({type(error).__name__}: {error})"
        if len(data) > VALUE_LIMIT:
            return {}, f"the variable {name} is larger than {VALUE_LIMIT // 2**20} MB"
        given[name] = ("pickle", data)
    return given, ""


def folders_of(trace: Trace) -> list[str]:
    """The folders, below the working folder, that the steps of a trace wrote files into."""
    parents = {PurePath(file).parent for step in trace.replayable_steps for file in step.expect.files}
    return sorted(str(p) for p in parents if p.parts and not p.is_absolute() and ".." not in p.parts)


class Apart:
    """A temporary place in which runs are made, each in a working folder of its own. A context manager.

    ``cwd`` is where input files are taken from; ``paths`` are folders that modules are imported from, ``sys.path`` if
    None. Once ``stopped`` says so, a run that is being made is ended.
    """

    def __init__(
        self,
        cwd: Path,
        *,
        time_limit_s: float = TIME_LIMIT_S,
        paths: Sequence[str] | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.cwd, self.time_limit_s, self._stopped = cwd, time_limit_s, stopped
        self._paths = [path for path in (sys.path if paths is None else paths) if path and os.path.isabs(path)]
        self._root = Path()
        self._numbers = itertools.count(1)

    def __enter__(self) -> Apart:
        self._root = Path(tempfile.mkdtemp(prefix="llmos-apart-")).resolve()
        for name in ("home", "tmp"):
            (self._root / name).mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def run(
        self,
        steps: Sequence[tuple[str, Mapping[str, Any]]],
        *,
        inputs: Sequence[str] = (),
        names: Mapping[str, Any] | None = None,
        crystals: Mapping[str, str] | None = None,
        told_by: str = "",
        cwd: Path | None = None,
        folders: Sequence[str] = (),
    ) -> Outcome:
        """Run tool calls one after the other.

        ``inputs`` are files of the working folder, by relative name, taken from ``cwd`` if it is given, and ``folders``
        those of its folders that are there though nothing is in them; ``names`` comes from :func:`handed_on`;
        ``crystals`` are modules by name that can be imported; ``told_by`` is a crystal's variable that says what the run
        told, where no tool does.
        """
        place = cwd or self.cwd
        number = next(self._numbers)  # runs may be made at the same time
        folder = self._root / f"run{number}"
        folder.mkdir()
        problem = _copy(inputs, place, folder)
        if problem:
            return Outcome(problem=problem)
        for name in folders:
            if (place / name).is_dir():
                (folder / name).mkdir(parents=True, exist_ok=True)
        shelf = folder / "workspace" / "crystals"
        shelf.mkdir(parents=True)
        for name, text in (crystals or {}).items():
            (shelf / f"{name}.py").write_text(text, encoding="utf-8", newline="")
        job, answer = self._root / f"job{number}.pickle", self._root / f"answer{number}.json"
        job.write_bytes(
            pickle.dumps(
                {
                    "paths": self._paths, "steps": [(tool, dict(arguments)) for tool, arguments in steps],
                    "names": dict(names or {}), "folder": str(folder), "shelf": str(shelf), "answer": str(answer),
                    "told_by": told_by, "memory": MEMORY_LIMIT, "file": FILE_LIMIT, "cpu_s": int(self.time_limit_s) + 5,
                    "crystals": dict(crystals or {}),
                }
            )
        )  # fmt: skip
        problem = self._start(job, folder, self._root / f"log{number}.txt", [Path(name) for name in inputs])
        try:
            record = json.loads(answer.read_text(encoding="utf-8"))
            return Outcome(**{**record, "problem": problem or record.get("problem", "")})
        except (OSError, ValueError, TypeError):
            return Outcome(problem=problem or "the process ended without saying how")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, job: Path, folder: Path, log: Path, inputs: Sequence[Path]) -> str:
        """Run the other process to its end, or end it; returns why it did not end well."""
        code = (
            "import pickle, sys; told = pickle.load(sys.stdin.buffer); job = pickle.load(open(sys.argv[1], 'rb')); "
            "sys.path[:] = job['paths']; from llmos_nb.learning.rerun_child import main; main(job, told['bound'])"
        )
        limits = Limits(
            memory_mb=MEMORY_LIMIT // 2**20, cpu_s=self.time_limit_s + 5, wall_s=self.time_limit_s,
            scratch_mb=FILE_LIMIT // 2**20, files=FILES,
        )  # fmt: skip
        with log.open("wb") as said:
            try:
                started = Started(
                    self._launch(folder, inputs, limits), limits, arguments=[str(job)], stdout=said,
                    stderr=subprocess.STDOUT, program=["-s", "-P", "-X", "utf8", "-c", code],
                )  # fmt: skip
            except OSError as error:
                return f"the process could not be started: {error}"
            try:
                with contextlib.suppress(OSError):  # it ended at once, and says why
                    started.stdin.write(pickle.dumps(started.told))
                    started.stdin.close()
                ending, why, _ = started.watched(threading.Event(), self._stopped, scratch=self._root)
            finally:
                started.end()
        if ending is not None:
            return why
        if status := started.process.returncode:
            last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""])[-1]
            return f"the process ended with {status}: {last[:200]}"
        return ""

    def _launch(self, folder: Path, inputs: Sequence[Path], limits: Limits) -> Launch:
        """How it is started behind bubblewrap; where that does not work, as it is."""
        fence = Bubblewrap.here()
        if fence.problem:
            return Launch((), self._environment(), str(folder), {})
        modules = [Path(path) for path in (*self._paths, *sys.path) if os.path.isabs(path)]
        seen = [path.resolve() for path in (*modules, *inputs) if path.is_absolute() and path.exists()]
        place = Place(read=tuple(dict.fromkeys(seen)), write=(self._root,), cwd=folder)
        launch = fence.launch(place, limits, self._root)
        return replace(launch, environment=self._environment(), cwd=str(folder))

    def _environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "HOME": str(self._root / "home"), "USERPROFILE": str(self._root / "home"),
            "TMPDIR": str(self._root / "tmp"), "TEMP": str(self._root / "tmp"), "TMP": str(self._root / "tmp"),
            "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip


def _copy(inputs: Sequence[str], place: Path, folder: Path) -> str:
    for name in inputs:
        relative = PurePath(name)
        if relative.is_absolute():
            continue  # it is read where it is
        if ".." in relative.parts:
            return f"the file {name} is outside of the working folder"
        source, target = place / relative, folder / relative
        if not source.is_file():
            return f"the file {name} is not there any more"
        if source.stat().st_size > VALUE_LIMIT:
            return f"the file {name} is larger than {VALUE_LIMIT // 2**20} MB"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return ""


def differences(first: Outcome, second: Outcome, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What two runs did differently: a key for the spot, and words. ``names`` are the names that count.

    The words speak of the first as what was expected and of the second as what came.
    """
    for what in ("problem", "error"):
        if getattr(first, what) != getattr(second, what):
            yield (
                what,
                f"it ended in {getattr(second, what) or 'success'} instead of {getattr(first, what) or 'success'}",
            )
            return
    for name in names:
        if name not in first.types:
            continue
        if name not in second.types:
            yield f"name {name}", f"it did not define {name}"
        elif first.types[name] != second.types[name]:
            yield f"name {name}", f"{name} is of type {second.types[name]} instead of {first.types[name]}"
        elif list(first.columns.get(name, ())) != list(second.columns.get(name, ())):
            yield f"columns {name}", f"{name} has other columns"
        elif first.kinds.get(name) != second.kinds.get(name):
            yield f"kind {name}", f"{name} is of another size or kind"
        elif first.values.get(name) != second.values.get(name):
            yield f"value {name}", f"{name} has another value"
    if first.shown != second.shown:
        yield "shown", f"it showed {_cut(second.shown)} instead of {_cut(first.shown)}"
    if first.pictures != second.pictures:
        yield "pictures", f"it showed {second.pictures} pictures instead of {first.pictures}"
    if first.told != second.told:
        yield "told", f"it told {_cut(second.told)} instead of {_cut(first.told)}"
    for name in sorted({*first.files, *second.files}):
        if name not in second.files:
            yield f"file {name}", f"it did not write {name}"
        elif name not in first.files:
            yield f"file {name}", f"it wrote {name}, too"
        elif first.files[name] != second.files[name]:
            yield f"content {name}", f"it wrote something else into {name}"


def _cut(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:76] + " …")
