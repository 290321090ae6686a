"""Every version of every agent, in a bare git repository beside the workspace's own.

One branch, one commit a change, one file an agent, so any git program can read it. The trailers of a commit say which
agents it is about and what number their version has; numbers only rise, also where a person did not raise the one in
the file. Nothing here is needed for work: a history that cannot be read is set aside, and another begins.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import AgentFileError
from llmos_nb.kernel.files import make_folder, sync_folder
from llmos_nb.mind.agent import printable
from llmos_nb.mind.folder import locked

__all__ = ["AgentHistory", "Version"]

BRANCH: Final = b"refs/heads/main"
#: Objects of one commit from which they are written as one pack: a file each would take too long.
PACKED: Final = 30
#: Seconds to wait for another kernel that is writing.
PATIENCE_S: Final = 5.0
#: Seconds for which another git program may keep one of its lock files; then a kill left it.
FOREIGN_S: Final = 1.0
_TRAILER: Final = re.compile(r"Agent: ([a-z][a-z0-9-]{1,63}) (\d{1,9}) (\w+)(?: ([0-9a-f]{40}))?")
_FILE_VERSION: Final = re.compile(rb"^version:[ \t]*(\d{1,9})[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an agent: ``action`` is ``packaged``, ``found``, ``created``, ``changed``, ``edited``, ``restored``,
    ``broken`` or ``removed``; ``by`` is ``user``, ``agent:<name>`` or ``llmos_nb`` (what came with the package); ``at`` is
    ISO 8601 in UTC. ``commit`` names it in git.
    """

    number: int
    action: str
    by: str
    reason: str
    run_id: str
    at: str
    commit: str
    #: The git object of the file's text; empty where the file was removed.
    blob: str = ""


class AgentHistory:
    """The history in the folder ``path``, made with the first version. Safe for threads and for several kernels.

    ``problem`` tells what was wrong with it last; empty when all is well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self._lock = threading.RLock()
        self._head = b""
        self._versions: dict[str, list[Version]] = {}

    def record(
        self, files: Mapping[str, bytes | None], action: str, *, by: str = "user", reason: str = "", run_id: str = ""
    ) -> bool:
        """Keep the texts of ``files`` (by agent name; None: it was removed) that are not the newest there already.

        Returns whether anything was new. Never raises: what cannot be kept is told in :attr:`problem`.
        """
        with self._lock:
            if not any(data is not None for data in files.values()) and not self.path.exists():
                return False
            for attempt in (1, 2):
                try:
                    with self._writing() as repo:
                        return self._commit(repo, files, action, by, reason, run_id)
                except Exception as error:  # noqa: BLE001 - history must never stand in the way of work
                    if attempt == 1 and self._unlocked(error):
                        continue
                    told = f"{type(error).__name__}: {error}"
                    if attempt == 1 and self.path.is_dir() and not isinstance(error, OSError | TimeoutError):
                        self._set_aside(told)
                        continue
                    self.problem = f"{self.path}: the history of the agents cannot be written ({told})"
                    return False
            return False

    def versions(self, name: str) -> list[Version]:
        """Every version of the agent called ``name``, the oldest first."""
        with self._lock:
            try:
                self._read()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, work goes on
                self._set_aside(f"{type(error).__name__}: {error}")
            return list(self._versions.get(name, ()))

    def present(self) -> set[str]:
        """The agents whose newest version is not their removal."""
        with self._lock:
            self.versions("")
            return {name for name, versions in self._versions.items() if versions[-1].blob}

    def text(self, name: str, number: int) -> bytes:
        """The file of version ``number`` as it was.

        Raises:
            AgentFileError: there is no such version, it is a removal, or its text is lost.
        """
        versions = self.versions(name)
        found = next((version for version in versions if version.number == number), None)
        if found is None:
            known = ", ".join(str(version.number) for version in versions) or "none"
            raise AgentFileError(
                f"{printable(name)}: its history has no version {number}.", remedy=f"Its versions are {known}."
            )
        if not found.blob:
            raise AgentFileError(f"{name}: version {number} is its removal.", remedy="Choose an earlier one.")
        try:
            with self._opened() as repo:
                return bytes(repo.object_store[found.blob.encode()].data)
        except Exception as error:
            raise AgentFileError(
                f"{name}: the text of version {number} is lost ({type(error).__name__}: {error}).",
                remedy="Choose another version.",
            ) from error

    # -- reading

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        from dulwich.repo import Repo  # 50 ms, so only for whoever looks back or writes

        with contextlib.closing(Repo(str(self.path))) as repo:
            yield repo

    def _read(self) -> None:
        """Bring the versions up to date with the newest commit."""
        if not self.path.is_dir():
            self._head, self._versions = b"", {}
            return
        with self._opened() as repo:
            self._read_from(repo)

    def _read_from(self, repo: Any) -> None:
        head = repo.refs.read_ref(BRANCH) or b""
        if head == self._head:
            return
        new, at = [], head
        while at and at != self._head:
            commit = repo.object_store[at]
            new.append(commit)
            at = commit.parents[0] if commit.parents else b""
        if at != self._head:  # another history took its place
            self._versions = {}
        for commit in reversed(new):
            for name, version in _told(commit):
                self._versions.setdefault(name, []).append(version)
        self._head = head

    # -- writing

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Any]:
        """The repository, made where it is not there, held against every other kernel."""
        from dulwich.repo import Repo

        if not (self.path / "HEAD").exists():
            make_folder(self.path)
            with locked(self.path, PATIENCE_S):
                if not (self.path / "HEAD").exists():
                    _emptied(self.path)
                    Repo.init_bare(str(self.path), default_branch=b"main").close()
                    for folder, _, _ in os.walk(self.path):
                        sync_folder(Path(folder))
        with locked(self.path, PATIENCE_S), self._opened() as repo:
            repo.object_store.fsync_object_files = True
            yield repo

    def _unlocked(self, error: Exception) -> bool:
        """Whether a lock file stood in the way that a kill left, and is gone now. No other kernel can have made it, since
        ours hold the folder while they write."""
        from dulwich.file import FileLocked

        if not isinstance(error, FileLocked):
            return False
        lock = os.fsdecode(error.lockfilename)
        deadline = time.monotonic() + FOREIGN_S
        while os.path.lexists(lock) and time.monotonic() < deadline:
            time.sleep(0.02)
        with contextlib.suppress(FileNotFoundError):
            try:
                os.unlink(lock)
            except OSError:
                return False
        return True

    def _commit(
        self, repo: Any, files: Mapping[str, bytes | None], action: str, by: str, reason: str, run_id: str
    ) -> bool:
        from dulwich.objects import Blob, Commit, ObjectID, Tree

        self._read_from(repo)
        head = self._head
        tree = repo.object_store[repo.object_store[head].tree] if head else Tree()
        objects: list[Any] = []
        trailers = []
        for name, data in sorted(files.items()):
            path = f"{name}.md".encode()
            before = tree[path][1] if path in tree else None
            earlier = self._versions.get(name, [])
            last = earlier[-1].number if earlier else 0
            if data is None:
                if before is None:
                    continue
                del tree[path]
                trailers.append(f"Agent: {name} {last + 1} removed")
                continue
            blob = Blob.from_string(data)
            if before == blob.id:
                continue
            tree[path] = (0o100644, blob.id)
            objects.append(blob)
            what = action if earlier or action != "edited" else "found"
            trailers.append(f"Agent: {name} {max(last + 1, _version_in(data))} {what} {blob.id.decode()}")
        if not trailers:
            return False
        commit = Commit()
        commit.tree, commit.parents = tree.id, [ObjectID(head)] if head else []
        commit.author = commit.committer = f"{_plain(by) or 'user'} <llmos@localhost>".encode()
        commit.author_time = commit.commit_time = int(time.time())
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = b"UTF-8"
        about = trailers[0].split()[1] if len(trailers) == 1 else f"{len(trailers)} agents"
        more = [f"Reason: {_plain(reason)}"] if reason.strip() else []
        more += [f"Run: {_plain(run_id)}"] if run_id else []
        commit.message = "\n".join([f"{about}: {_plain(reason) or action}", "", *trailers, *more, ""]).encode()
        objects += [tree, commit]
        if len(objects) > PACKED:
            repo.object_store.add_objects([(thing, None) for thing in objects])
        else:
            for thing in objects:
                repo.object_store.add_object(thing)
        # The branch names the commit only once all of it is on the disk.
        store = self.path / "objects"
        for folder in {store / "pack", store, *(store / thing.id[:2].decode() for thing in objects)}:
            sync_folder(folder)
        if not repo.refs.set_if_equals(BRANCH, head or None, commit.id):
            if not head and repo.refs.add_if_new(BRANCH, commit.id):
                pass
            else:
                raise TimeoutError("another program changed it at the same moment")
        sync_folder(self.path / "refs" / "heads")
        self._read_from(repo)
        return True

    def _set_aside(self, why: str) -> None:
        """Move a history that cannot be read out of the way; nothing in it is lost."""
        aside = self.path.with_name(f"{self.path.name}.broken-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
        self._head, self._versions = b"", {}
        try:
            os.rename(self.path, aside)
            self.problem = f"the history of the agents could not be read ({why}): it was set aside as {aside.name}, "
            self.problem += "and a new one begins"
        except OSError as error:
            self.problem = f"{self.path}: the history of the agents cannot be read ({why}), nor set aside ({error})"


def _emptied(folder: Path) -> None:
    """Make room for a new repository where something else lies, such as half of an old one."""
    if any(folder.iterdir()):
        aside = folder.with_name(f"{folder.name}.broken-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
        aside.mkdir()
        for item in list(folder.iterdir()):
            os.rename(item, aside / item.name)


def _told(commit: Any) -> Iterator[tuple[str, Version]]:
    """The versions that a commit's trailers tell of, by agent."""
    message = commit.message.decode("utf-8", "replace")
    reason = run_id = ""
    found = []
    for line in message.split("\n\n", 1)[-1].splitlines():
        key, _, rest = line.partition(": ")
        if key == "Reason":
            reason = rest
        elif key == "Run":
            run_id = rest
        elif match := _TRAILER.fullmatch(line):
            found.append(match.groups())
    by = commit.author.decode("utf-8", "replace").partition(" <")[0]
    at = datetime.fromtimestamp(commit.commit_time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name, number, action, blob in found:
        yield name, Version(int(number), action, by, reason, run_id, at, commit.id.decode(), blob or "")


def _version_in(data: bytes) -> int:
    """The version that a file says it is; 0 where it says none."""
    found = _FILE_VERSION.search(data.partition(b"\n---")[0])
    return int(found[1]) if found else 0


def _plain(text: str) -> str:
    """One line without what git gives a meaning."""
    return " ".join("".join(c if c.isprintable() and c not in "<>" else " " for c in text).split())[:300]
