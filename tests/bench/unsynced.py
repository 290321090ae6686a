"""A power cut, as far as a program can tell: what was written and not synced is lost, kept or reordered as chance will.

An operation runs under strace, which sees every call that changes the disk, SQLite's too. From that record disks are made
as they may look after a cut at a random call: data of a file that was synced since is there, other writes are each there or
not, and so are names in folders that were not synced since. The workspace is opened on each of them.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench.kills import in_child, lost
from tests.bench.stores import OPERATIONS

__all__ = ["Cuts", "cut_at_random"]

ROOT = Path(__file__).parents[2]
CALLS = (
    "open,openat,creat,close,write,pwrite64,writev,pwritev,lseek,ftruncate,truncate,rename,renameat,renameat2,link,linkat,"
    "unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,dup,dup2,dup3,fcntl,read,pread64,sync,syncfs,symlink,fallocate"
)
_LINE = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)")
#: Bytes of a write that reach the disk on their own.
SECTOR = 512


@dataclass
class Cuts:
    """What was found at the cuts of one operation."""

    name: str
    calls: int = 0
    cuts: int = 0
    acknowledged: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _File:
    """A file's or a folder's identity, and what was done to it: (number of the call, what to do)."""

    folder: bool = False
    done: list[tuple[int, Callable[[bytearray], None]]] = field(default_factory=list)
    names: list[tuple[int, tuple[tuple[str, _File | None], ...]]] = field(default_factory=list)
    synced: list[int] = field(default_factory=list)


class _Disk:
    """The record, call by call."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.at = 0
        self.acknowledged: list[tuple[int, int]] = []
        self._paths: dict[str, _File] = {}
        self._descriptors: dict[int, tuple[_File, int, bool]] = {}
        self.top = self._load(root)

    def _load(self, path: Path) -> _File:
        found = _File(folder=path.is_dir())
        self._paths[str(path)] = found
        if found.folder:
            entries = tuple((child.name, self._load(child)) for child in sorted(path.iterdir()))
            found.names.append((0, entries))
        else:
            data = path.read_bytes()
            found.done.append((0, lambda content, data=data: _put(content, 0, data)))
        found.synced.append(0)
        return found

    def take(self, line: str) -> None:
        """One line of strace."""
        match = _LINE.match(line)
        if match is None:
            return
        call, inside, result = match[1], match[2], int(match[3])
        if result < 0:
            return
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', inside)]
        numbers = re.sub(r'"[^"]*"', '""', inside).split(", ")
        self.at += 1
        act = getattr(self, f"_{call}", None)
        if act is not None:
            act(texts, numbers, result)

    # -- what each call does

    def _openat(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        path = os.fsdecode(texts[0])
        if not path.startswith(f"{self.root}/") and path != str(self.root):
            self._descriptors.pop(result, None)
            return
        flags = numbers[2]
        found = self._paths.get(path)
        if found is None:
            if "O_CREAT" not in flags:
                return
            found = self._paths[path] = _File()
            self._name(path, found)
        if "O_TRUNC" in flags:
            found.done.append((self.at, lambda content: content.clear()))
        self._descriptors[result] = (found, 0, "O_APPEND" in flags)

    def _open(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        self._openat(texts, ["AT_FDCWD", *numbers], result)

    def _close(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        self._descriptors.pop(int(numbers[0]), None)

    def _write(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        number = int(numbers[0])
        data = texts[0][:result]
        if number == 1:
            if data.startswith(b"ACK "):
                self.acknowledged.append((self.at, int(data.split()[1])))
        elif number in self._descriptors:
            found, offset, appends = self._descriptors[number]
            offset = len(self._content(found)) if appends else offset
            self._put(found, offset, data)
            self._descriptors[number] = (found, offset + len(data), appends)

    def _pwrite64(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        if int(numbers[0]) in self._descriptors:
            self._put(self._descriptors[int(numbers[0])][0], int(numbers[3]), texts[0][:result])

    def _read(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        if int(numbers[0]) in self._descriptors:
            found, offset, appends = self._descriptors[int(numbers[0])]
            self._descriptors[int(numbers[0])] = (found, offset + result, appends)

    def _lseek(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        if int(numbers[0]) in self._descriptors:
            found, _, appends = self._descriptors[int(numbers[0])]
            self._descriptors[int(numbers[0])] = (found, result, appends)

    def _ftruncate(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        if int(numbers[0]) in self._descriptors:
            size = int(numbers[1])
            self._descriptors[int(numbers[0])][0].done.append((self.at, lambda content: _resize(content, size)))

    def _fsync(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        if int(numbers[0]) in self._descriptors:
            self._descriptors[int(numbers[0])][0].synced.append(self.at)

    _fdatasync = _fsync

    def _mkdir(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        path = os.fsdecode(texts[0])
        if path.startswith(f"{self.root}/"):
            self._paths[path] = _File(folder=True)
            self._name(path, self._paths[path])

    def _unlink(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        path = os.fsdecode(texts[0])
        if self._paths.pop(path, None) is not None:
            self._name(path, None)

    _unlinkat = _rmdir = _unlink

    def _rename(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        old, new = map(os.fsdecode, texts)
        if old not in self._paths:
            return
        found = self._paths.pop(old)
        self._paths[new] = found
        for path in [path for path in self._paths if path.startswith(f"{old}/")]:
            self._paths[new + path.removeprefix(old)] = self._paths.pop(path)
        if os.path.dirname(old) == os.path.dirname(new):
            act = ((os.path.basename(new), found), (os.path.basename(old), None))
            self._paths[os.path.dirname(new)].names.append((self.at, act))
        else:
            self._name(new, found)
            self._name(old, None)

    _renameat = _renameat2 = _rename

    def _link(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        old, new = map(os.fsdecode, texts)
        if old in self._paths:
            self._paths[new] = self._paths[old]
            self._name(new, self._paths[new])

    _linkat = _link

    def _dup(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        if int(numbers[0]) in self._descriptors:
            self._descriptors[result] = self._descriptors[int(numbers[0])]

    def _fcntl(self, texts: list[bytes], numbers: list[str], result: int) -> None:
        if "F_DUPFD" in numbers[1]:
            self._dup(texts, numbers, result)

    # -- files

    def _name(self, path: str, found: _File | None) -> None:
        self._paths[os.path.dirname(path)].names.append((self.at, ((os.path.basename(path), found),)))

    def _put(self, found: _File, offset: int, data: bytes) -> None:
        for start in range(0, len(data), SECTOR):
            part = data[start : start + SECTOR]
            found.done.append((self.at, lambda content, at=offset + start, part=part: _put(content, at, part)))

    def _content(self, found: _File) -> bytearray:
        content = bytearray()
        for _, act in found.done:
            act(content)
        return content

    # -- a cut

    def after_cut(self, at: int, chance: random.Random, target: Path) -> None:
        """Make the disk as it may be after a cut behind call ``at``."""
        kept = chance.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        made: dict[_File, Path] = {}

        def survives(found: _File, when: int) -> bool:
            durable = max(number for number in [*found.synced, -1] if number <= at)
            return when <= durable or (when <= at and chance.random() < kept)

        def make(found: _File, path: Path) -> None:
            if not found.folder:
                if found in made:
                    os.link(made[found], path)
                    return
                content = bytearray()
                for when, act in found.done:
                    if survives(found, when):
                        act(content)
                path.write_bytes(content)
                made[found] = path
                return
            path.mkdir(exist_ok=True)
            names: dict[str, _File] = {}
            for when, act in found.names:
                if survives(found, when):
                    for name, child in act:
                        names.pop(name, None)
                        if child is not None:
                            names[name] = child
            for name, child in names.items():
                if not name.endswith("-shm"):  # shared memory, made anew after a restart
                    make(child, path / name)

        make(self.top, target)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))


def cut_at_random(name: str, cuts: int, *, seed: int = 0, count: int = 8) -> Cuts:
    """Do the operation ``count`` times under strace, and look at ``cuts`` disks."""
    operation, chance, outcome = OPERATIONS[name], random.Random(f"{name}-{seed}"), Cuts(name)
    with tempfile.TemporaryDirectory(prefix="llmos-cuts-") as place:
        workspace, record = Path(place).resolve() / "w", Path(place) / "record"
        workspace.mkdir()
        in_child(lambda: operation.prepare(workspace))
        disk = _Disk(workspace)
        _traced(name, workspace, count, record)
        with record.open() as lines:
            for line in lines:
                disk.take(line)
        outcome.calls = disk.at
        assert len(disk.acknowledged) == count, f"{name}: {disk.acknowledged}"
        first = max(0, disk.acknowledged[0][0] - 200)
        for cut in range(cuts):
            at = chance.randint(0 if cut % 5 == 0 else first, disk.at)
            acknowledged = {number for when, number in disk.acknowledged if when <= at}
            target = Path(place) / "w"
            shutil.rmtree(target)
            disk.after_cut(at, chance, target)
            said = in_child(partial(lost, operation, target, acknowledged if operation.synced else set()))
            if said.endswith("is there") and not operation.synced and int(said.split()[-3]) <= max(acknowledged) + 1:
                said = "ok"  # fewer, and nothing else
            outcome.cuts, outcome.acknowledged = cut + 1, outcome.acknowledged + len(acknowledged)
            if not said.startswith("ok"):
                outcome.wrong.append(f"cut after call {at}, {len(acknowledged)} acknowledged: {said}")
    return outcome


def _traced(name: str, workspace: Path, count: int, record: Path) -> None:
    command = ["strace", "-xx", "-s", "99999999", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(record)]
    work = [sys.executable, "-W", "ignore", "-m", "tests.bench.stores", name, str(workspace), str(count)]
    done = subprocess.run(
        [*command, *work], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr


def _all(cuts: int, names: list[str]) -> Iterator[Cuts]:
    for name in names or OPERATIONS:
        yield cut_at_random(name, cuts)


if __name__ == "__main__":
    for one in _all(int(sys.argv[1]), sys.argv[2:]):
        print(one, flush=True)
