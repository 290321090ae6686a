"""``%projects``: the projects of a workspace."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.errors import LlmosError
from llmos_nb.notebook.arguments import not_understood
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.views import Page, Table

__all__ = ["ProjectMagics", "history_table", "project_page", "projects_table"]

_NAME: Final = ("project",)
_WORDS: Final = {"list": (), "show": _NAME, "create": (), "history": _NAME, "restore": _NAME}
_USAGE: Final = "Use %projects or %projects show|create|history|restore NAME."


@magics_class
class ProjectMagics(Magics):
    """``%projects`` on one system, which keeps them as ``system.projects``."""

    grammars: ClassVar[dict[str, Grammar]] = {"projects": Grammar(_WORDS)}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_magic
    def projects(self, line: str) -> Table | Page:
        """The projects of this workspace: folders with limits, a context and a memory of their own.

        %projects                            list them
        %projects show NAME                  folders, limits, variables
        %projects create NAME [DESCRIPTION]  make one; a goal with --project NAME does so as well
        %projects history NAME               its runs
        %projects restore NAME               bring back the variables that its runs made, where JSON holds them

        A goal in one: %%llmos --project NAME. In Python: llmos.projects.list(), .create(name, tools=[...]), .get(name);
        on a project: .write_context(text), .write_plan(text), .history(), .variables(), .restore_variables().
        """
        words = line.split(maxsplit=2)
        shelf = self.system.projects
        if not words or words == ["list"]:
            return projects_table(self.system)
        what, *rest = words
        if what not in _WORDS or what == "list" or not rest or (len(rest) > 1 and what != "create"):
            raise not_understood("%projects", line, _WORDS, _USAGE)
        if what == "create":
            return Page(str(shelf.create(rest[0], " ".join(rest[1:]))))
        project = shelf.get(rest[0])
        if what == "history":
            return history_table(project)
        return project_page(self.system, project) if what == "show" else Page(str(project.restore_variables()))


def projects_table(system: Any) -> Table:
    """Every project with its runs, what they cost, and its limits; one whose file cannot be used says why."""
    rows = []
    for project in system.projects.list():
        try:
            limits, runs = project.constraints, len(project.history())
            spent = system.economy.project_spent_usd(project.name) if runs else 0.0
            cost = f"${spent:.4f}" if spent else "free"
            rows.append((project.name, limits.description, str(runs), cost, limits.limits() or "none of its own"))
        except LlmosError as error:
            rows.append((project.name, f"(cannot be used) {error}", "", "", ""))
    play = " (play money)" if any(row[3].startswith("$") for row in rows) and system.economy.simulated else ""
    return Table(
        ("name", "description", "runs", f"spent{play}", "limits"),
        tuple(rows),
        empty="no projects yet: %projects create NAME",
    )


def project_page(system: Any, project: Any) -> Page:
    """What there is of one project, with the facts that hold in it alone."""
    facts = [fact.text for fact in system.facts.all(project=project.name) if fact.project]
    return Page("\n".join([str(project), *(f"fact: {' '.join(text.split())}" for text in sorted(facts))]))


def history_table(project: Any) -> Table:
    """The runs of a project, the oldest first."""
    return Table(
        ("goal", "status", "mode", "cost"),
        tuple((run.goal, run.status, run.mode, run.cost) for run in project.history()),
        empty="no runs yet",
    )
