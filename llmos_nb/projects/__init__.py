"""Projects: folders of their own for work that belongs together, with what is known of it and what it may cost."""

from __future__ import annotations

from llmos_nb.projects.constraints import Constraints
from llmos_nb.projects.history import PastRun
from llmos_nb.projects.project import MEANT, Project
from llmos_nb.projects.shelf import ProjectShelf
from llmos_nb.projects.variables import Restored

__all__ = ["MEANT", "Constraints", "PastRun", "Project", "ProjectShelf", "Restored"]
