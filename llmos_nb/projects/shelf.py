"""The projects of a workspace: folders below ``projects/``, each with a name that nobody can mistake."""

from __future__ import annotations

import builtins
import difflib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import ProjectError, StoreError, UnknownProject
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.spelled import spelled
from llmos_nb.kernel.whose import persons_only
from llmos_nb.mind.agent import RESERVED, name_problem, skeleton
from llmos_nb.projects.constraints import constraints_from
from llmos_nb.projects.project import Project

__all__ = ["ProjectShelf", "project_name_problem"]

#: Words that would be read as something else where a project is named.
_TAKEN: Final = frozenset({"none", "all", "list", "show", "create", "restore", "history", "input", "output", "state"})


def project_name_problem(name: object) -> str:
    """Why ``name`` cannot name a project, or an empty string."""
    if isinstance(name, str) and name in _TAKEN and name not in RESERVED:
        return f"{name!r} cannot be a project's name, since it means something else where a project is named"
    return (
        name_problem(name).replace("an agent name", "a project's name").replace("an agent's name", "a project's name")
    )


class ProjectShelf:
    """The projects in ``folder``, which need not exist.

    ``names`` gives the namespace that variables are restored into, ``known_tools`` what a project may name as tools.
    """

    def __init__(
        self,
        folder: Path,
        names: Callable[[], MutableMapping[str, Any]] | None = None,
        known_tools: Collection[str] | None = None,
    ) -> None:
        self.folder = folder
        self._names = names
        self._known_tools = known_tools

    def names(self) -> builtins.list[str]:
        """The names of all projects, sorted; folders with other names are none.

        Raises:
            ProjectError: the folder of projects is a link.
            StoreError: it cannot be read.
        """
        if self.folder.is_symlink():
            raise ProjectError(f"{spelled(self.folder)}: is a symbolic link.", remedy="Put a real folder there.")
        try:
            with os.scandir(self.folder) as entries:
                found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"{spelled(self.folder)}: cannot be read ({error.strerror or error}).",
                remedy="Check that it is a folder.",
            ) from error
        return sorted(name for name in found if not project_name_problem(name))

    def list(self) -> builtins.list[Project]:
        """All projects, by name; as :meth:`names`."""
        return [self._project(name) for name in self.names()]

    def __iter__(self) -> Iterator[Project]:
        return iter(self.list())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __len__(self) -> int:
        return len(self.names())

    def __repr__(self) -> str:
        return f"ProjectShelf({', '.join(self.names()) or 'none yet: create(name) makes one'})"

    def get(self, name: str) -> Project:
        """The project called ``name``.

        Raises:
            UnknownProject: there is none; the remedy has the closest names.
            ProjectError: it cannot be the name of one.
        """
        self._check(name)
        names = self.names()
        if name not in names:
            close = difflib.get_close_matches(name, names, n=3)
            hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
            raise UnknownProject(
                f"There is no project {name!r}.",
                remedy=f"{hint}llmos.projects.create({name!r}) makes it, and so does a goal with project={name!r}.",
            )
        return self._project(name)

    def create(
        self,
        name: str,
        description: str = "",
        context: str = "",
        *,
        run_budget_usd: float | None = None,
        total_budget_usd: float | None = None,
        time_limit_s: float | None = None,
        tools: Collection[str] | None = None,
        endpoint: str | None = None,
    ) -> Project:
        """Make a project with its folders, ``project.toml`` and, if given, ``state/context.md``.

        The limits are those of :class:`~llmos_nb.projects.Constraints`.

        Raises:
            ProjectError: the name is taken, looks like a taken one or cannot be one; a limit that cannot be meant.
            StoreError: the folder cannot be written.
        """
        if name in self.names():
            raise ProjectError(f"The project {name!r} exists already.", remedy=f"llmos.projects.get({name!r}) is it.")
        given = {
            "description": description or None,
            "run_budget_usd": run_budget_usd,
            "total_budget_usd": total_budget_usd,
            "time_limit_s": time_limit_s,
            "tools": tools if tools is None or isinstance(tools, str) else [*tools],
            "endpoint": endpoint,
        }
        project = self.find_or_make(name, {key: value for key, value in given.items() if value is not None})
        if context:
            project.write_context(context)
        return project

    def find_or_make(self, name: str, constraints: dict[str, Any] | None = None) -> Project:
        """The project called ``name``, made where there is none yet.

        Raises:
            GuardDenied: an agent's code would make one.
            ProjectError: it cannot be the name of one, or looks like another project's.
            StoreError: the folder cannot be written.
        """
        self._check(name)
        project = self._project(name)
        if name not in self.names():
            persons_only("make projects")
            for other in self.names():
                if skeleton(other) == skeleton(name):
                    raise ProjectError(
                        f"{name!r} looks like the project {other!r}, which exists.",
                        remedy="Choose a name that nobody can mistake for it.",
                    )
            path = project.folder / "project.toml"
            constraints_from(constraints or {}, spelled(path), self._known_tools)  # before anything is written
            data = _toml(constraints or {}, path)
            project.prepare()
            if data:
                atomic_write(path, data)
        project.prepare()
        return project

    def _check(self, name: object) -> None:
        if problem := project_name_problem(name):
            raise ProjectError(f"{problem}.", remedy="Choose another name, such as 'whale-songs'.")
        assert isinstance(name, str)
        if (self.folder / name).is_symlink():
            raise ProjectError(
                f"{spelled(self.folder / name)}: is a symbolic link.", remedy="Put a real folder there."
            )

    def _project(self, name: str) -> Project:
        return Project(self.folder / name, self._names, self._known_tools)


def _toml(values: Mapping[str, Any], where: Path) -> bytes:
    try:
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items()]
        return "".join(lines).encode("utf-8")
    except (TypeError, ValueError) as error:  # half a character is a ValueError
        raise ProjectError(
            f"{spelled(where)}: cannot hold what was given ({error}).", remedy="Give text and numbers."
        ) from error
