"""Whether a goal works in a sandbox, and taking what it made there: on a person's word, and never over what is theirs."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmos_nb.dispatch.undo_history import EndedRun, UndoHistory
from llmos_nb.errors import ModeUnavailable, SandboxFailed, StoreError
from llmos_nb.guard.confine import write_judged
from llmos_nb.guard.paths import check_path
from llmos_nb.guard.sandbox import find_fence
from llmos_nb.guard.undo import Undo
from llmos_nb.mind import Agent
from llmos_nb.settings import Settings

if TYPE_CHECKING:
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.projects import Constraints

__all__ = ["Taken", "sandboxed", "take"]


def sandboxed(
    asked: bool | None,
    settings: Settings,
    constraints: Constraints,
    agents: Sequence[Agent],
    mode: str,
    plan: bool,
) -> bool:
    """Whether a goal works in a sandbox: as a person asked, else as the settings say; an agent or a project that wants it
    gets it whatever else is said.

    Raises:
        SandboxUnavailable: it is to, and this machine has none.
        ModeUnavailable: it is to, in a mode that works in the kernel.
    """
    demanded = constraints.sandbox == "always" or any(agent.extra.get("sandbox") == "always" for agent in agents)
    if not (demanded or (asked is None and settings.sandbox == "always") or asked):
        return False
    if plan or mode == "orchestrator":
        raise ModeUnavailable(
            "A plan does not run in a sandbox: its goals hand variables on in your kernel.",
            remedy="Ask for its goals one by one, each in a sandbox.",
        )
    if mode == "crystallized":
        raise ModeUnavailable(
            "A crystal does not run in a sandbox: it is a function of your kernel's.",
            remedy="Leave the mode out: the recorded steps are replayed in the sandbox, as free.",
        )
    find_fence()
    return True


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken: names that are bound now, and files that were written."""

    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = [f"Bound {', '.join(self.names)}."] if self.names else []
        told += [f"Wrote {', '.join(self.files)}."] if self.files else []
        return " ".join(told) or "Nothing was taken."

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def take(
    run: RunResult | None,
    wanted: Sequence[str],
    names: MutableMapping[str, Any],
    workspace: Path,
    *,
    history: UndoHistory,
    replace: bool = False,
) -> Taken:
    """Take ``wanted``, or everything, of what ``run`` offers. All of it is looked at before anything is changed.

    What it changes is noted in ``history`` as that run's, so that it can be taken back.

    Raises:
        SandboxFailed: see :meth:`llmos_nb.LLMOS.take`.
        StoreError: a file cannot be written.
    """
    if run is None or not run.sandbox:
        raise SandboxFailed(
            "The last goal did not work in a sandbox.", remedy="Name a result: llmos.take(run=result)."
        )
    offered = run.offered
    chosen = list(dict.fromkeys(wanted)) or [*offered.values, *offered.files]
    folder = Path(run.folder)
    values: dict[str, Any] = {}
    files: dict[Path, bytes] = {}
    for name in chosen:
        if name in offered.values:
            if name in names and not replace:
                raise _in_the_way(f"a variable {name}")
            values[name] = offered.values[name].get()
        elif name in offered.files:
            path = (folder / name).resolve()
            verdict = check_path(name, "write", workspace=workspace, cwd=folder, roots=(folder,))
            if verdict.decision != "allow" or not path.is_relative_to(folder.resolve()):
                raise SandboxFailed(f"{name} is not taken: {verdict.reason}.", remedy="Use result.offered[name].")
            if path.is_dir() or (path.exists() and not replace and not _same(path, offered.files[name])):
                raise _in_the_way(f"a file {name}")
            files[path] = offered.files[name]
        else:
            why = offered.not_offered.get(name)
            there = ", ".join([*offered.values, *offered.files]) or "nothing"
            raise SandboxFailed(
                f"{name} cannot be taken: {why}." if why else f"The sandbox made no {name}.",
                remedy=f"It offers {there}.",
            )
    kept, before = Undo(), dict(names)
    for path in files:
        kept.keep_file(path)
    kept.keep_names(names, values)
    try:
        for path, data in files.items():
            write_judged(path, data)
        names.update(values)
    finally:  # of files that cannot be written some may be
        kept.keep_bindings(before, names)
        history.note(EndedRun(run_id=run.run_id, goal=run.goal, cwd=folder), [kept], names)
    return Taken(tuple(values), tuple(name for name in chosen if name in offered.files and name not in values))


def _in_the_way(what: str) -> SandboxFailed:
    return SandboxFailed(
        f"You have {what} already, and nothing was taken.",
        remedy="%llmos_take … --replace replaces it; result.offered[name] gives the value without binding it.",
    )


def _same(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}).", remedy="Look at it.") from error
