"""How far a yes goes, on the real SDK and CLI: once, for the run, for good; and never without anybody there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rig import one_step

from llmos_nb import LLMOS
from llmos_nb.kernel.approvals import Extent
from llmos_nb.kernel.events import ApprovalAsked, Notice

pytestmark = pytest.mark.cli

COMMAND = "chmod 777 seen.txt"
STEP = f"### run_shell\n\n```\n{COMMAND}\n```\n"
OPEN = (
    f"---\ngoal: Open the file {{n:int}} times\n---\n## Turn 1\n\n{STEP}\n## Turn 2\n\n{STEP}\n## Answer\n\nOpen.\n"
)
#: Unpacks an archive over the settings file, which no command line tells.
UNPACK = one_step("Unpack it", "run_shell", "tar -xf x.tar -C workspace")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LLMOS]:
    scripts, before = tmp_path / "workspace" / "scripts", Path.cwd()
    scripts.mkdir(parents=True)
    (scripts / "open.md").write_text(OPEN)
    (scripts / "unpack.md").write_text(UNPACK)
    (tmp_path / "seen.txt").write_text("x")
    os.chdir(tmp_path)
    with LLMOS(workspace="workspace", endpoint="scripted") as made:
        yield made
    os.chdir(before)


def answering(system: LLMOS, *answers: Extent | bool) -> tuple[list[ApprovalAsked], Callable[[], Any]]:
    asked: list[ApprovalAsked] = []

    def answer(event: ApprovalAsked) -> None:
        said = answers[len(asked)]
        asked.append(event)
        system.approve(event.approval_id, bool(said), extent=said if isinstance(said, str) else "once")

    return asked, system.on(ApprovalAsked, answer)


def test_a_yes_goes_as_far_as_a_person_says(system: LLMOS) -> None:
    asked, end = answering(system, "once", False, "run", "always")
    system.run("Open the file 1 times", mode="learner")
    assert len(asked) == 2, "once is once: the second time it was asked again"

    system.run("Open the file 2 times", mode="learner")
    assert len(asked) == 3, "for the run: the same command was not asked about again"
    assert not Path("workspace/llmos.toml").exists()

    told: list[Notice] = []
    also = system.on(Notice, told.append)
    system.run("Open the file 3 times", mode="learner")
    assert len(asked) == 4, "the next run asks anew, and then never again"
    assert f"permissions allows exactly {COMMAND!r} in this working folder" in asked[3].always
    kept = Path("workspace/llmos.toml").read_text()
    assert 'rule = "permissions"' in kept and f'command = "{COMMAND}"' in kept and 'folder = ".."' in kept
    assert any("from now on: permissions: allow" in notice.text for notice in told)
    end()
    also()

    after = system.run("Open the file 4 times", mode="learner")
    assert after.ok and len(asked) == 4, "nobody is there, and nobody needs to be"
    assert system.guard.check(COMMAND).decision == "allow"
    assert system.guard.check(f"{COMMAND}; chmod 777 other.txt").decision == "ask"


def test_with_nobody_there_it_is_denied(system: LLMOS) -> None:
    done = system.run("Open the file 1 times", mode="learner")
    assert oct(Path("seen.txt").stat().st_mode)[-3:] != "777"
    assert done.steps == () or all(step.status == "denied" for step in done.steps)


def test_rules_that_a_command_smuggled_in_loosen_nothing(system: LLMOS, tmp_path: Path) -> None:
    import tarfile

    smuggled = tmp_path / "elsewhere" / "llmos.toml"
    smuggled.parent.mkdir()
    smuggled.write_text('[[guard]]\nrule = "permissions"\ndecision = "allow"\n')
    with tarfile.open("x.tar", "w") as archive:
        archive.add(smuggled, "llmos.toml")
    told: list[Notice] = []
    end = system.on(Notice, told.append)
    assert system.run("Unpack it", mode="learner").ok
    end()
    assert Path("workspace/llmos.toml").exists(), "nobody could know what is in an archive"
    assert any("loosen nothing until you say %guard trust" in notice.text for notice in told)
    assert system.guard.check(COMMAND).decision == "ask"
    assert "%guard trust" in system.guard.problem
    system.guard.trust(system.guard.waiting().shown)
    assert system.guard.check(COMMAND).decision == "allow"
