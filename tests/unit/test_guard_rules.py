"""Every rule stops its own example, for its own reason, and lets its near miss pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.guard import RULES, Rule, Verdict, check_path, check_python, check_shell


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a link in it that leads out."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "link-out").symlink_to("/home")
    return folder


def judge(kind: str, text: str, workspace: Path) -> Verdict:
    if kind == "shell":
        return check_shell(text, cwd=workspace, workspace=workspace)
    if kind == "python":
        return check_python(text, cwd=workspace, workspace=workspace)
    return check_path(text, "read" if kind == "read" else "write", workspace=workspace)


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.blocked], ids=lambda rule: rule.id)
def test_the_example_is_stopped_by_its_rule(rule: Rule, workspace: Path) -> None:
    verdict = judge(rule.kind, rule.blocked, workspace)
    assert (verdict.decision, verdict.rule) == (rule.decision, rule.id)
    assert rule.what in verdict.reason and rule.why in verdict.reason


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.allowed], ids=lambda rule: rule.id)
def test_the_near_miss_passes(rule: Rule, workspace: Path) -> None:
    assert judge(rule.kind, rule.allowed, workspace).decision == "allow"


def test_a_rule_has_an_example_unless_it_is_about_the_guard_itself() -> None:
    assert [rule.id for rule in RULES.values() if not (rule.blocked and rule.allowed)] == ["guard-error"]


def test_a_decision_must_be_one_of_three() -> None:
    with pytest.raises(ValueError, match="decision must be"):
        Verdict("perhaps", "x", "y")  # type: ignore[arg-type]
