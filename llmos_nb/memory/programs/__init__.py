"""Traces as programs: what stays, what a goal's values change, and new values put in safely."""

from __future__ import annotations

from llmos_nb.memory.programs.bound import Bound, Unbindable
from llmos_nb.memory.programs.family import Example
from llmos_nb.memory.programs.generalization import Generalization, generalize
from llmos_nb.memory.programs.parameter import Parameter
from llmos_nb.memory.programs.pattern import Pattern
from llmos_nb.memory.programs.places import Place, Program, program_of
from llmos_nb.memory.programs.render import Unwritable, rebuilt

__all__ = [
    "Bound",
    "Example",
    "Generalization",
    "Parameter",
    "Pattern",
    "Place",
    "Program",
    "Unbindable",
    "Unwritable",
    "generalize",
    "program_of",
    "rebuilt",
]
