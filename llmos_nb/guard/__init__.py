"""May an agent do this? Shell commands, Python code and paths are parsed, resolved and judged by their effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmos_nb.kernel.whose import persons_only
from llmos_nb.lazily import lazily

if TYPE_CHECKING:
    from llmos_nb.guard.by_hand import by_hand_only, click_only
    from llmos_nb.guard.paths import check_path, resolve
    from llmos_nb.guard.python import check_python
    from llmos_nb.guard.rules import RULES, Rule
    from llmos_nb.guard.shell import check_shell
    from llmos_nb.guard.verdict import Verdict, worst

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

# Whoever needs one rule's file, as what reads llmos.toml does when a system is made, does not wait for the whole guard.
__getattr__, __dir__ = lazily(
    __name__,
    {
        **dict.fromkeys(("by_hand_only", "click_only"), "by_hand"),
        **dict.fromkeys(("check_path", "resolve"), "paths"),
        **dict.fromkeys(("RULES", "Rule"), "rules"),
        **dict.fromkeys(("Verdict", "worst"), "verdict"),
        "check_python": "python",
        "check_shell": "shell",
    },
    __all__,
)
