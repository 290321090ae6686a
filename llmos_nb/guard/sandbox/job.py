"""What is run in a sandbox, within which limits and with what in sight, and how it ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from llmos_nb.errors import SettingsError

__all__ = ["Ending", "Limits", "Place", "SandboxResult"]

#: How a run ended: by itself with 0 or another code, or by one of the limits, or because it was stopped.
Ending = Literal["ok", "error", "time", "cpu", "memory", "processes", "output", "files", "stopped"]
_MB: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all processes of a run together may use; the disk's and one file's limit are each process's own.

    ``wall_s`` and ``cpu_s`` are seconds, ``output_bytes`` those of both streams. ``scratch_mb`` and ``files`` bound the
    temporary folder: by the fence where it can (see :class:`~llmos_nb.guard.sandbox.fence.Fence`), else a single file is
    bounded at once and the whole within half a second.
    """

    memory_mb: int = 1024
    cpu_s: float = 60.0
    wall_s: float = 120.0
    processes: int = 64
    output_bytes: int = 1_000_000
    scratch_mb: int = 256
    files: int = 20_000

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
                raise SettingsError(
                    f"The sandbox's limit {name} must be a number above 0, got {value!r:.80}.",
                    remedy=f"Leave it out for {Limits.__dataclass_fields__[name].default}.",
                )

    @property
    def tasks(self) -> int:
        """Processes and threads together that the system itself lets be: it is there before anybody can look."""
        return 4 * self.processes + 16

    def for_child(self) -> dict[str, float]:
        """The same in the units of the system's own limits: bytes and seconds."""
        return {
            "memory": self.memory_mb * _MB,
            "cpu": self.cpu_s,
            "file": self.scratch_mb * _MB,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a run sees of the disk besides the read-only system: folders and files it may ``read``, and may ``write``.

    It works in ``cwd``, which is to be one of them or inside of one; in an empty folder of its own where that is None.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    cwd: Path | None = None

    def resolved(self) -> Place:
        """With real, absolute paths.

        Raises:
            SettingsError: a path is not there, or ``cwd`` is none that the run sees.
        """
        read, write = (tuple(_real(path) for path in paths) for paths in (self.read, self.write))
        cwd = None if self.cwd is None else _real(self.cwd)
        if cwd is not None and not any(cwd.is_relative_to(seen) for seen in (*read, *write)):
            raise SettingsError(
                f"The sandbox cannot work in {self.cwd}: nothing of it is in sight there.",
                remedy="Name the folder in read or in write, too.",
            )
        return Place(read=read, write=write, cwd=cwd)


def _real(path: Path) -> Path:
    try:
        return Path(path).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SettingsError(
            f"The sandbox cannot show {path}: {error.__class__.__name__}.",
            remedy="Name a folder or file that exists.",
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResult:
    """How a run ended. ``why`` says so in words where it did not end by itself with 0."""

    ending: Ending
    why: str = ""
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    took_s: float = 0.0
    #: Most memory seen in use at a time, in MB; looked at every few hundredths of a second.
    peak_mb: float = 0.0
    fence: str = ""

    @property
    def ok(self) -> bool:
        """Whether it came to its end with exit code 0."""
        return self.ending == "ok"

    def as_data(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)
