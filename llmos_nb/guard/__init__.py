"""May an agent do this? Shell commands, Python code and paths are parsed, resolved and judged by their effect."""

from __future__ import annotations

from llmos_nb.guard.by_hand import by_hand_only, click_only
from llmos_nb.guard.paths import check_path, resolve
from llmos_nb.guard.python import check_python
from llmos_nb.guard.rules import RULES, Rule
from llmos_nb.guard.shell import check_shell
from llmos_nb.guard.verdict import Verdict, worst
from llmos_nb.kernel.whose import persons_only

__all__ = [
    "RULES",
    "Rule",
    "Verdict",
    "by_hand_only",
    "check_path",
    "check_python",
    "check_shell",
    "click_only",
    "persons_only",
    "resolve",
    "worst",
]
