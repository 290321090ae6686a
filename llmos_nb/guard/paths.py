"""Where a path really leads, and what may be done there: one function resolves, one table knows the zones.

Every path, whether named by a tool, a shell command or a line of Python, is judged here, after links, ``..`` and ``~``
are resolved, so that no spelling of a path gets another answer than the path itself.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from llmos_nb.guard.places import STREAMS, is_device, is_persistence, is_secret, is_stream, is_system
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import ALLOWED, Verdict

__all__ = [
    "PROJECTS",
    "Mode",
    "Zone",
    "check_path",
    "is_inside",
    "project_zone",
    "resolve",
    "roots_of",
    "writable_roots",
    "zone_of",
]

Mode = Literal["read", "write"]
Zone = Literal[
    "inside", "guarded", "root", "scratch", "stream", "device", "secret", "persistence", "system", "outside"
]

#: Linux's PATH_MAX; longer paths cannot be opened.
LONGEST: Final = 4096
#: Entries of a workspace that only the product's own tools may change.
GUARDED: Final = (".llmos", "llmos.toml", "agents", "memory")
#: The folder of projects in a workspace, and what of a project only the product's own tools may change: its limits,
#: what is kept about it, and the folder itself.
PROJECTS: Final = "projects"
PROJECT_GUARDED: Final = ("project.toml", "state")
#: Whether names that differ in case, or in dots and blanks at their end, name the same file here.
FOLDING: Final = sys.platform in ("darwin", "win32")
#: Where temporary files go.
SCRATCH: Final = ("/tmp", "/var/tmp", "/dev/shm", "/private/tmp", "/private/var/tmp")


def resolve(path: str | os.PathLike[str], *, cwd: str | os.PathLike[str], workspace: str | os.PathLike[str]) -> Path:
    """The absolute path with ``~``, ``..`` and links resolved; relative paths start at ``cwd``.

    ``cwd`` itself may be relative to ``workspace``. The path need not exist.

    Raises:
        ValueError: the path is empty, holds a NUL, is over 4096 characters, or names an unknown user's home.
    """
    text = os.fspath(path)
    if not text or "\0" in text or len(text) > LONGEST:
        raise ValueError("a path must have 1 to 4096 characters and no NUL")
    if text.startswith("~"):
        expanded = os.path.expanduser(text)
        if expanded.startswith("~"):
            raise ValueError(f"{text[:80]}: no such home folder")
        text = expanded
    full = os.path.normpath(os.path.join(os.fspath(workspace), os.fspath(cwd), text))
    # These lead to whatever stream this very process has open, which says nothing about the one that will run.
    streams = full.startswith(("/dev/fd/", "/proc/self/fd/")) or (full.startswith("/dev/") and full[5:] in STREAMS)
    if streams and ".." not in text:
        return Path(full)
    return Path(os.path.realpath(os.path.join(os.fspath(workspace), os.fspath(cwd), text)))


def _without_links(path: str | os.PathLike[str], base: Path) -> Path | None:
    """:func:`resolve` of a relative path that has neither ``..`` nor a link on its way from ``base``, which is resolved:
    the way up to ``base`` need not be looked at once more. None of any other."""
    text = os.fspath(path)
    if os.name != "posix" or not 0 < len(text) <= LONGEST or text[0] == "~" or "\0" in text:
        return None
    place = str(base)
    for part in text.split(os.sep):
        if part in ("", ".", ".."):
            return None
        place = os.path.join(place, part)
        try:
            if stat.S_ISLNK(os.lstat(place).st_mode):
                return None
        except OSError:  # what is not there is no link
            pass
    return Path(place)


def folded(path: Path) -> Path:
    """The path as a system compares it that takes ``Agents`` and ``agents. `` for the same name."""
    return Path(path.anchor, *(part.casefold().rstrip(". ") or part for part in path.parts[1:]))


def is_inside(path: Path, folder: Path) -> bool:
    """Whether ``path`` is ``folder`` or beneath it; both resolved."""
    text, start = str(path), str(folder)
    return text == start or text.startswith(start if start.endswith(os.sep) else start + os.sep)


def writable_roots(
    workspace: str | os.PathLike[str],
    cwd: str | os.PathLike[str] | None,
    roots: Sequence[str | os.PathLike[str]] = (),
) -> tuple[Path, ...]:
    """The resolved folders in which an agent may write: the workspace, ``roots``, and ``cwd`` unless it is too wide.

    The file system's root, a home folder, an ancestor of a home folder and a system folder are too wide.
    """
    wanted = [os.path.join(workspace, folder) for folder in (*roots, *(() if cwd is None else (cwd,)))]
    return roots_of(Path(os.path.realpath(workspace)), [Path(os.path.realpath(folder)) for folder in wanted])


def roots_of(workspace: Path, folders: Sequence[Path]) -> tuple[Path, ...]:
    """:func:`writable_roots` of folders that are resolved already."""
    found = [workspace]
    home = _home()
    for real in folders:
        too_wide = is_inside(home, real) or real.parent == real or is_system(real) or str(real) in SCRATCH
        if real not in found and not too_wide and not is_secret(real):
            found.append(real)
    return tuple(found)


def _home() -> Path:
    """The home folder, resolved.

    Raises:
        RuntimeError: nobody knows where it is.
    """
    home = os.path.expanduser("~")
    if home.startswith("~"):
        raise RuntimeError("the home folder is not known")
    return Path(os.path.realpath(home))


def _is_scratch(path: Path, roots: Sequence[Path]) -> bool:
    """Whether ``path`` is temporary and does not share its top folder there with a workspace or the home folder."""
    kept = (*roots, _home())
    for base in map(Path, SCRATCH):
        if base in path.parents:
            top = base / path.relative_to(base).parts[0]
            return not any(is_inside(folder, top) for folder in kept)
    return False


def project_zone(path: Path, projects: Path, roots: Sequence[Path]) -> Zone | None:
    """What a path among the projects is, where that differs from any other: who works in one leaves the others alone."""
    if not is_inside(path, projects):
        return None
    parts = path.relative_to(projects).parts
    if len(parts) < 2 or parts[1] in PROJECT_GUARDED:
        return "guarded"
    own = {root.relative_to(projects).parts[0] for root in roots if projects in root.parents}
    return "outside" if own and parts[0] not in own else None


def zone_of(path: Path, *, workspace: Path, roots: Sequence[Path]) -> Zone:
    """The kind of place a resolved path is, as far as writing there goes. ``root`` is a writable folder itself."""
    workspace = Path(os.path.realpath(workspace))
    if FOLDING:
        path, workspace, roots = folded(path), folded(workspace), tuple(map(folded, roots))
    if is_stream(path):
        return "stream"
    if is_device(path):
        return "device"
    if (
        path != workspace
        and is_inside(path, workspace)
        and path.relative_to(workspace).parts[0].casefold() in GUARDED
    ):
        return "guarded"  # in whatever case: some file systems do not tell the difference
    if is_secret(path):
        return "secret"
    if (found := project_zone(path, workspace / PROJECTS, roots)) is not None:
        return found
    if is_persistence(path):
        return "persistence"
    if any(is_inside(root, path) for root in roots):
        return "root"
    if any(is_inside(path, root) for root in roots):
        return "inside"
    if _is_scratch(path, roots):
        return "scratch"
    return "system" if is_system(path) else "outside"


def check_path(
    path: str | os.PathLike[str],
    mode: Mode,
    *,
    workspace: str | os.PathLike[str],
    cwd: str | os.PathLike[str] | None = None,
    roots: Sequence[str | os.PathLike[str]] = (),
    readable: Sequence[str | os.PathLike[str]] = (),
) -> Verdict:
    """May an agent read or write this path?

    Writing is allowed inside ``workspace``, ``cwd`` (if given) and ``roots``, except the product's own files. Reading
    is allowed anywhere but where secrets are kept; ``readable`` names folders that are exempt from that. Never raises.
    """
    try:
        return _check_path(path, mode, workspace=workspace, cwd=cwd, roots=roots, readable=readable)
    except ValueError as error:
        return hit("path-invalid", str(error))
    except Exception as error:  # noqa: BLE001 - a guard that fails must deny, whatever failed
        return hit("guard-error", f"{type(error).__name__} while judging a path")


def _check_path(
    path: str | os.PathLike[str],
    mode: Mode,
    *,
    workspace: str | os.PathLike[str],
    cwd: str | os.PathLike[str] | None,
    roots: Sequence[str | os.PathLike[str]],
    readable: Sequence[str | os.PathLike[str]],
) -> Verdict:
    if mode not in ("read", "write"):
        return hit("guard-error", f"unknown mode {mode!r}")
    home = Path(os.path.realpath(workspace))
    alike = cwd is not None and os.path.isabs(cwd) and os.fspath(cwd) == os.fspath(workspace)
    base = home if cwd is None or alike else Path(os.path.realpath(os.path.join(home, cwd)))
    if (plain := _without_links(path, base)) is not None:
        real = lexical = plain
    else:
        real = resolve(path, cwd=base, workspace=home)
        lexical = Path(os.path.normpath(os.path.join(base, os.path.expanduser(os.fspath(path)))))
    folders: tuple[Path, ...] = ()
    if mode == "write" or real != lexical:  # what is read by its real name leads out of no folder
        wanted = [Path(os.path.realpath(os.path.join(home, folder))) for folder in roots]
        folders = roots_of(home, wanted if cwd is None else [*wanted, base])
    allowed = [Path(os.path.realpath(folder)) for folder in readable]
    shown = str(path)[:200]
    if any(is_inside(lexical, folder) for folder in folders) and not any(
        is_inside(real, folder) for folder in (*folders, *allowed)
    ):
        return hit("path-link", shown, place=real)
    if mode == "read":
        if any(is_inside(real, folder) for folder in allowed):
            return ALLOWED
        if is_secret(real) or is_secret(lexical):
            return hit("path-secret", shown, place=real)
        return hit("path-device", shown, place=real) if is_device(real) else ALLOWED
    zone = zone_of(real, workspace=home, roots=folders)
    if zone in ("inside", "stream"):
        return hit("path-secret", shown, place=real) if is_secret(lexical) else ALLOWED
    rule = {
        "device": "path-device",
        "guarded": "path-guarded",
        "secret": "path-secret",
        "persistence": "path-persistence",
    }.get(zone, "path-outside")
    return hit(rule, shown, place=real)
