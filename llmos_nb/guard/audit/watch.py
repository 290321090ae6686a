"""What an agent's code may do, as far as that differs from run to run, and what of it was refused."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from llmos_nb.guard.audit.intact import Picture
from llmos_nb.guard.judging import Words
from llmos_nb.guard.paths import roots_of
from llmos_nb.guard.verdict import Verdict

__all__ = ["Watch"]


@dataclass(slots=True)
class Watch:
    """The folders of one piece of agents' code. ``approved``: a person saw it and agreed to what is to be asked about."""

    workspace: Path
    cwd: Path
    approved: bool = False
    #: A person's own decisions on rules, which hold while it runs as they do before.
    words: Words | None = None
    #: The verdicts by which acts were refused, the latest ones.
    refused: deque[Verdict] = field(default_factory=lambda: deque(maxlen=20))
    roots: tuple[Path, ...] = field(init=False)
    #: The guard as it was when the code began.
    picture: Picture | None = None

    def __post_init__(self) -> None:
        self.workspace = Path(os.path.realpath(self.workspace))
        self.cwd = Path(os.path.realpath(self.cwd))
        self.roots = roots_of(self.workspace, [self.cwd])
