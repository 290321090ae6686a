"""Every store on a disk that is full, read-only or broken, and with two kernels at once.

The operations of :mod:`tests.bench.stores` run in processes of their own. On a fault an operation may fail, with a
documented error; what was acknowledged before and after must be there, and once the fault is gone everything works again.

Root is needed (a small tmpfs is mounted for the full and the read-only disk), and a C compiler for the broken one.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from llmos_nb.errors import LlmosError
from tests.bench import stores
from tests.bench.kills import in_child
from tests.bench.stores import Operation

__all__ = ["Fault", "broken_disk", "full_disk", "read_only", "two_at_once"]

#: All but two, whose work begins with what they do to files themselves.
OPERATIONS = {
    name: one for name, one in stores.OPERATIONS.items() if name not in ("database migrated", "ledger restored")
}
stores.EVERY_VERSION = False
ROOT = Path(__file__).parents[2]
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int fails(void) {
    const char *odds = getenv("FAULT_ODDS");
    return odds && random() % 1000 < atoi(odds);
}
static int ours(int fd) {
    char link[64], path[4096];
    const char *root = getenv("FAULT_ROOT");
    if (!root) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return !strncmp(path, root, strlen(root));
}
#define NEXT(type, name) static type (*real)() = 0; if (!real) real = dlsym(RTLD_NEXT, name)
#define FAIL(fd) if (ours(fd) && fails()) { errno = EIO; return -1; }
__attribute__((constructor)) static void begin(void) {
    const char *seed = getenv("FAULT_SEED");
    srandom(seed ? atoi(seed) : 1);
}
ssize_t write(int fd, const void *data, size_t size) { NEXT(ssize_t, "write"); FAIL(fd) return real(fd, data, size); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    NEXT(ssize_t, "pwrite64"); FAIL(fd) return real(fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    NEXT(ssize_t, "pwrite"); FAIL(fd) return real(fd, data, size, at);
}
int fsync(int fd) { NEXT(int, "fsync"); FAIL(fd) return real(fd); }
int fdatasync(int fd) { NEXT(int, "fdatasync"); FAIL(fd) return real(fd); }
int ftruncate64(int fd, off64_t size) { NEXT(int, "ftruncate64"); FAIL(fd) return real(fd, size); }
int rename(const char *one, const char *other) {
    NEXT(int, "rename");
    const char *root = getenv("FAULT_ROOT");
    if (root && !strncmp(other, root, strlen(root)) && fails()) { errno = EIO; return -1; }
    return real(one, other);
}
"""


@dataclass
class Fault:
    """What was found for one operation: ``failed`` counts operations that failed, each kind of error with an example."""

    name: str
    acknowledged: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name}: {self.acknowledged} acknowledged, {dict(self.failed)} failed, wrong: {self.wrong[:3]}"


def attempts(
    operation: Operation, workspace: Path, first: int, count: int
) -> Iterator[tuple[int, BaseException | None]]:
    """Do the operation with ``count`` numbers, each with how it failed or None; a failure opens the store anew."""
    number, end = first, first + count
    while number < end:
        try:
            for done in operation.work(workspace, number):
                yield done, None
                number = done + 1
                if number >= end:
                    return
        except (LlmosError, OSError, Exception) as error:  # noqa: BLE001 - which kind it is, is what we want to know
            yield number, error
            number += 1


def _judge(fault: Fault, operation: Operation, workspace: Path, told: list[tuple[int, str]]) -> None:
    """Compare what is there with what was told: (number, empty or the error's kind)."""
    acknowledged = {number for number, error in told if not error}
    failed = {number for number, error in told if error}
    fault.acknowledged = len(acknowledged)
    said = in_child(partial(_read, operation, workspace))
    if not said.startswith("ok "):
        fault.wrong.append(f"cannot be read after: {said}")
        return
    found = [int(number) for number in said.split()[1:]]
    if operation.rewrites:
        newest = max(acknowledged, default=0)
        if operation.name == "use counted":
            if not len(acknowledged) <= found[0] <= len(acknowledged) + len(failed):
                fault.wrong.append(f"{len(acknowledged)} counted, {found[0]} there")
        elif found[0] != newest and found[0] not in {number for number in failed if number > newest}:
            fault.wrong.append(f"{newest} acknowledged, {found[0]} there")
        return
    doubled = [number for number, count in Counter(found).items() if count > 1]
    if missing := sorted(acknowledged - set(found)):
        fault.wrong.append(f"lost {missing[:5]}")
    if doubled:
        fault.wrong.append(f"doubled {doubled[:5]}")


def _read(operation: Operation, workspace: Path) -> str:
    return "ok " + " ".join(map(str, operation.read(workspace)))


def _tell(fault: Fault, told: list[tuple[int, str]]) -> None:
    for _, error in told:
        if error:
            kind = error.partition(":")[0]
            fault.failed[kind] += 1
            fault.examples.setdefault(kind, error)
            if kind.startswith("!"):
                fault.wrong.append(f"an undocumented error: {error[:600]}")


def _told(operation: Operation, workspace: Path, first: int, count: int) -> list[tuple[int, str]]:
    text = in_child(
        lambda: "\n".join(f"{n} {_name(error)}" for n, error in attempts(operation, workspace, first, count))
    )
    found = []
    for line in text.splitlines():
        number, _, error = line.partition(" ")
        if not number.isdigit():
            raise AssertionError(text)
        found.append((int(number), error))
    return found


def _name(error: BaseException | None) -> str:
    if error is None:
        return ""
    text = " ".join(str(error).split())
    if isinstance(error, LlmosError):
        return f"{type(error).__name__}: {text}" if error.remedy else f"!no remedy {type(error).__name__}: {text}"
    return f"!{type(error).__name__}: {text} {' '.join(traceback.format_exc(limit=-2).split())}"


@contextlib.contextmanager
def _small_disk(size: str) -> Iterator[tuple[Path, Callable[[str], None]]]:
    with tempfile.TemporaryDirectory(prefix="llmos-disk-") as place:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "llmos-test", place], check=True)
        try:
            yield (
                Path(place),
                lambda mode: subprocess.run(
                    ["mount", "-o", f"remount,{mode}", place], check=True, capture_output=True
                ),
            )
        finally:
            subprocess.run(["umount", "-l", place], check=True)


def full_disk(name: str, *, seed: int = 0) -> Fault:
    """The disk fills up while the operation goes on, then there is room again."""
    operation, fault, chance = OPERATIONS[name], Fault(name), random.Random(f"{name}-{seed}")
    with _small_disk("3m") as (disk, _):
        workspace = disk / "w"
        workspace.mkdir()
        in_child(partial(operation.prepare, workspace))
        told = _told(operation, workspace, 1, 3)
        with (disk / "filler").open("wb") as filler:
            filler.write(bytes(max(0, os.statvfs(disk).f_bavail - chance.randint(1, 60)) * os.statvfs(disk).f_bsize))
            filler.flush()
            told += _told(operation, workspace, 4, 40)
        while os.statvfs(disk).f_bavail:
            with contextlib.suppress(OSError), (disk / "filler").open("ab") as filler:
                filler.write(bytes(os.statvfs(disk).f_bsize))
        told += _told(operation, workspace, 44, 5)
        os.unlink(disk / "filler")
        after = _told(operation, workspace, 49, 3)
        _tell(fault, told + after)
        if any(error for _, error in after):
            fault.wrong.append(f"still fails with room again: {after}")
        _judge(fault, operation, workspace, told + after)
    return fault


def read_only(name: str) -> Fault:
    """The disk becomes read-only, then writable again."""
    operation, fault = OPERATIONS[name], Fault(name)
    with _small_disk("16m") as (disk, remount):
        workspace = disk / "w"
        workspace.mkdir()
        in_child(partial(operation.prepare, workspace))
        told = _told(operation, workspace, 1, 3)
        remount("ro")
        told += _told(operation, workspace, 4, 3)
        remount("rw")
        after = _told(operation, workspace, 7, 3)
        _tell(fault, told + after)
        if any(not error for _, error in told[3:]):
            fault.wrong.append("succeeded on a read-only disk")
        if any(error for _, error in after):
            fault.wrong.append(f"still fails: {after}")
        _judge(fault, operation, workspace, told + after)
    return fault


def broken_disk(name: str, *, odds: int = 40, count: int = 60, seed: int = 1) -> Fault:
    """Of a thousand calls that write, ``odds`` fail with an I/O error."""
    operation, fault = OPERATIONS[name], Fault(name)
    with tempfile.TemporaryDirectory(prefix="llmos-eio-") as place:
        workspace = Path(place) / "w"
        workspace.mkdir()
        in_child(partial(operation.prepare, workspace))
        source, shim = Path(place) / "shim.c", Path(place) / "shim.so"
        source.write_text(SHIM)
        subprocess.run(["cc", "-w", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
        env = {
            **os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(shim), "FAULT_ROOT": str(workspace),
            "FAULT_ODDS": str(odds), "FAULT_SEED": str(seed),
        }  # fmt: skip
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.bench.faults",
            "attempts",
            name,
            str(workspace),
            str(count),
        ]
        done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr[-2000:]
        told = [(int(n), e) for n, _, e in (line.partition(" ") for line in done.stdout.splitlines())]
        after = _told(operation, workspace, count + 1, 3)
        _tell(fault, told + after)
        if any(error for _, error in after):
            fault.wrong.append(f"still fails on a whole disk: {after}")
        _judge(fault, operation, workspace, told + after)
    return fault


def two_at_once(name: str, *, count: int = 500) -> Fault:
    """Two processes do the operation ``count`` times each, at the same time, with numbers of their own."""
    operation, fault = OPERATIONS[name], Fault(name)
    with tempfile.TemporaryDirectory(prefix="llmos-two-") as place:
        workspace = Path(place)
        in_child(partial(operation.prepare, workspace))
        pipes = []
        for number in (1, 10_001):
            reading, writing = os.pipe()
            if not os.fork():
                with os.fdopen(writing, "w") as told:
                    for n, error in attempts(operation, workspace, number, count):
                        told.write(f"{n} {_name(error)}\n")
                os._exit(0)
            os.close(writing)
            pipes.append(reading)
        told = []
        for reading in pipes:
            with os.fdopen(reading) as lines:
                told += [(int(n), e.strip()) for n, _, e in (line.partition(" ") for line in lines)]
            os.wait()
        _tell(fault, told)
        if operation.rewrites and name != "use counted":  # one of the two was last
            said = in_child(partial(_read, operation, workspace))
            number = int(said.split()[1]) if said.startswith("ok ") else -1
            if number not in (count, 10_000 + count):
                fault.wrong.append(said)
            fault.acknowledged = sum(not error for _, error in told)
        else:
            _judge(fault, operation, workspace, told)
    return fault


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    if what == "attempts":
        for n, problem in attempts(OPERATIONS[given[0]], Path(given[1]), 1, int(given[2])):
            print(n, _name(problem))
    else:
        kind: Callable[[str], Fault] = {
            "full": full_disk, "ro": read_only, "eio": broken_disk, "two": two_at_once
        }[what]  # fmt: skip
        for one in given or OPERATIONS:
            result = kind(one)
            print(result, *(f"\n      {example[:260]}" for example in result.examples.values()), flush=True)
