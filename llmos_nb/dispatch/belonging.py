"""Whether what was recorded in one project may be repeated in another.

A project tells its agents what holds in it (context.md), and what they made of that leaves no evidence in their steps:
so a trace is repeated only where the same was told. And where a goal does not name the files it is about, they were
found in a folder: in another project's folder the same steps may find others, which that goal did not mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path, PurePath

from llmos_nb.learning.record import file_digest, inputs_unchanged
from llmos_nb.memory import Trace
from llmos_nb.projects import Project
from llmos_nb.projects.shelf import project_name_problem
from llmos_nb.tools.services import Services

__all__ = ["PROJECT", "belongs", "conditions", "nearness", "places", "services_in", "stranger", "told_otherwise"]

#: Name of a trace's project in its front matter, and of the digest of what was told in its environment.
PROJECT = "project"
CONTEXT = "context"


def conditions(project: Project | None) -> dict[str, str]:
    """What a trace's environment says of the project it was made in."""
    digest = project.context_digest() if project is not None else ""
    return {CONTEXT: digest} if digest else {}


def services_in(services: Services, project: Project | None) -> Services:
    """What tools may reach in a project: its own facts and those that hold everywhere."""
    return dataclasses.replace(services, project=project.name if project is not None else "")


def belongs(trace: Trace, project: Project | None) -> bool:
    """Whether a trace was made in this very project; without one, in none."""
    return trace.project == (project.name if project is not None else "")


def told_otherwise(trace: Trace, project: Project | None) -> bool:
    """Whether a trace's agent was told something else by its project than ``project`` tells now."""
    here = project.context_digest() if project is not None else ""
    return here != str(trace.environment.get(CONTEXT) or "")


def stranger(trace: Trace, project: Project | None, cwd: Path) -> str:
    """Why a trace must not be repeated in ``project``, as the end of a sentence; empty where nothing speaks against it."""
    if told_otherwise(trace, project):
        if belongs(trace, project):
            return "what the project's context.md tells the agent is not what it told then"
        return f"it was worked out {_place(trace)}, and the agent is told otherwise here"
    if belongs(trace, project):
        return ""
    for name, digest in trace.inputs.items():
        if not _named(name, trace.goal) and (not digest or file_digest(cwd / name) != digest):
            return f"it was worked out {_place(trace)} and read {name}, which is not the same file here"
    return ""


def places(projects: Path | None, cwd: Path) -> Callable[[Trace], Path]:
    """Tells for a trace in which folder it was made: its project's, or ``cwd`` for one that was made in none."""

    def place(trace: Trace) -> Path:
        if projects is None or project_name_problem(trace.project):
            return cwd
        return (projects / trace.project).resolve()

    return place


def nearness(trace: Trace, project: Project | None, cwd: Path) -> float:
    """How close a trace is to a run in ``project``, from 0 to 1: its project first, then its files."""
    if stranger(trace, project, cwd):
        return 0.0
    unchanged = inputs_unchanged(trace, cwd)
    return (0.75 if belongs(trace, project) else 0.25) + (0.25 if unchanged else 0.0)


def _place(trace: Trace) -> str:
    return f"in the project {trace.project}" if trace.project else "outside of projects"


def _named(name: str, goal: str) -> bool:
    """Whether a goal names a file, in full or by its last part."""
    path, said = PurePath(name), goal.casefold()
    return any(part.casefold() in said for part in (name, path.as_posix(), path.name))
