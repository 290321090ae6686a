"""What becomes a version of an agent: what the system writes, and what a person, git or another program wrote."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Final

from llmos_nb.errors import AgentFileError
from llmos_nb.kernel.whose import by_agent
from llmos_nb.mind.agent import name_problem
from llmos_nb.mind.agent_file import agent_of, read_bytes
from llmos_nb.mind.changes import Change
from llmos_nb.mind.history import AgentHistory
from llmos_nb.mind.hold import Hold
from llmos_nb.mind.known import KnownAgents

__all__ = ["Chronicle"]

#: What the history calls the version that came with the package.
PACKAGED: Final = "packaged"
_PACKAGED_WHY: Final = "came with the package"


class Chronicle:
    """Keeps the history of the known agents up to date."""

    def __init__(self, known: KnownAgents, history: AgentHistory, hold: Hold) -> None:
        self._known, self._history, self._hold = known, history, hold

    def note(self, names: Iterable[str] | None = None) -> None:
        """Keep what a person, git or another program wrote as versions of their own; ``names``: of these agents only.

        A kernel that is writing is waited for, so that its change is kept under its own name. Never raises.
        """
        try:
            if not self._known.folder.is_dir():
                return
            with self._hold.to_note():
                if names is None:
                    names = self._known.files() | self._history.present()
                if self._known.loaded.error is not None:
                    return
                edited: dict[str, bytes | None] = {}
                removed: dict[str, bytes | None] = {}
                for name in names:
                    entry = self._known.look(name)
                    if entry is None and not name_problem(name):
                        if not self._packaged_now(name):
                            removed[name] = None
                    elif entry is not None and entry.error is None:
                        with contextlib.suppress(AgentFileError):  # it vanished or broke in this very moment
                            edited[name] = read_bytes(self._known.folder / f"{name}.md")
                            if not self._history.versions(name):
                                self.keep_packaged(name)
                self._history.record(edited, "edited", reason="edited outside")
                self._history.record(removed, "removed", reason="removed outside")
        except (OSError, AgentFileError) as error:
            self._history.problem = f"what was edited outside cannot be noted ({error})"

    def note_all_of(self, name: str) -> None:
        """Keep what others wrote, and what came with the package where that is in force."""
        self.note([name])
        if not by_agent() and self._known.look(name) is None:
            with self._hold.to_keep():
                self.keep_packaged(name)

    def keep_before(self, name: str) -> None:
        """Keep what is about to be replaced, in case nobody noted it yet."""
        with contextlib.suppress(AgentFileError):
            path = self._known.folder / f"{name}.md"
            data = read_bytes(path)
            try:
                agent_of(data, path)
            except AgentFileError:
                self._history.record({name: data}, "broken", reason="broken, and replaced")
            else:
                self._history.record({name: data}, "edited", reason="edited outside")

    def keep_packaged(self, name: str) -> None:
        """Keep the file of the package that a file of the workspace is about to go before."""
        agent = self._known.packaged().get(name)
        if agent is not None and agent.path is not None:
            self._history.record({name: read_bytes(agent.path)}, PACKAGED, by="llmos_nb", reason=_PACKAGED_WHY)

    def written(self, name: str, data: bytes, action: str, change: Change) -> None:
        """Keep what was written just now on somebody's behalf, and have it in use."""
        self._known.look(name, anew=True)
        self._history.record({name: data}, action, by=change.by, reason=change.reason, run_id=change.run_id)

    def last_number(self, name: str) -> int:
        """The number of the newest version; 0 where there is none. Those of an agent that was removed go on."""
        versions = self._history.versions(name)
        return versions[-1].number if versions else 0

    def _packaged_now(self, name: str) -> bool:
        """Whether the newest version is the one that came with the package, which no file is there for."""
        versions = self._history.versions(name)
        return bool(versions) and versions[-1].action == PACKAGED
