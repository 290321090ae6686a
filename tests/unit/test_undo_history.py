"""Runs are taken back in turn, up to a number and a size; what is in the way is said."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmos_nb.dispatch.changes import Changes, FileChange, NameChange
from llmos_nb.dispatch.undo import undo
from llmos_nb.dispatch.undo_history import EndedRun, UndoHistory, effects_elsewhere
from llmos_nb.errors import UndoFailed, UndoRefused
from llmos_nb.guard.undo import Undo
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.events import EventBus, RunUndone
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.workbench import Call


class Kernel:
    """A namespace and a folder, with runs that change them."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.folder, self.names = folder, dict[str, Any]()
        self.history = UndoHistory(**limits)

    def run(self, run_id: str, code: str = "", **facts: Any) -> Changes:
        old, bound = Undo(), dict(self.names)
        old.keep_names(self.names, set(self.names))
        old.keep_process()
        for path in self.folder.glob("**/*"):
            old.keep_file(path)
        for name in "abc":
            old.keep_file(self.folder / f"{name}.txt")
        exec(code, {"folder": self.folder}, self.names)
        old.keep_bindings(bound, self.names)
        ended = EndedRun(run_id=run_id, goal=f"goal of {run_id}", cwd=self.folder, **facts)
        return self.history.note(ended, [old], self.names)

    def back(self, run_id: str | None = None, **options: Any) -> Any:
        return self.history.take_back(run_id, self.names, **options)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def test_the_last_run_goes_first_then_the_one_before(kernel: Kernel) -> None:
    kernel.run("one", "x = 1")
    kernel.run("two", "x = 2")
    assert kernel.back().run_id == "two" and kernel.names["x"] == 1
    assert kernel.back().run_id == "one" and "x" not in kernel.names
    with pytest.raises(UndoRefused, match="taken back already"):
        kernel.back()


@pytest.mark.parametrize("seed", ["random.seed(7)", "np.random.seed(7)", "random.gauss(0, 1)", "np.random.normal()"])
def test_random_numbers_go_on_from_where_they_were(kernel: Kernel, seed: str) -> None:
    def drawn() -> list[float]:
        return [random.random(), random.gauss(0, 1), *np.random.normal(size=3)]

    random.seed(1)
    np.random.seed(1)
    expected = drawn()
    random.seed(1)
    np.random.seed(1)
    changes = kernel.run("one", f"import random; import numpy as np; x = 1; {seed}")
    assert not changes.environment, "that numbers were drawn is no setting"
    done = kernel.back()
    module = "numpy.random" if "np." in seed else "random"
    assert f"The random numbers of {module} go on from where they were." in done.notes
    assert drawn() == expected


def test_random_numbers_that_others_drew_since_are_left_alone(kernel: Kernel) -> None:
    kernel.run("one", "import random; x = random.random()")
    kernel.run("two", "y = random.random()")
    random.random()
    before = random.getstate()
    done = kernel.back("one")  # a run that drew numbers after it is not in the way
    assert done.ok and "x" not in kernel.names and random.getstate() == before
    assert "The random numbers of random go on from where they are now: others drew some since." in done.notes


def test_a_replay_that_is_refused_leaves_random_numbers_as_they_were() -> None:
    old = Undo()
    random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tobytes()
    old.keep_process()
    random.seed(4)
    np.random.seed(4)
    assert old.put_back({}) == []
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before


def test_torchs_random_numbers_are_put_back_where_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Torch:
        """What of torch is asked; its tensors are lists of bytes."""

        uint8 = "uint8"
        state = np.array([1, 2, 255], dtype=np.uint8)

        def get_rng_state(self) -> Any:
            return self.state

        def tensor(self, values: list[int], dtype: str) -> Any:
            return np.array(values, dtype=dtype)

        def set_rng_state(self, state: Any) -> None:
            self.state = state

    torch = Torch()
    monkeypatch.setitem(sys.modules, "torch", torch)  # type: ignore[arg-type]
    old = Undo()
    old.keep_process()
    torch.state = np.array([9], dtype=np.uint8)
    old.put_back({})
    assert torch.state.tolist() == [1, 2, 255]


def test_a_later_run_that_touched_the_same_is_in_the_way(kernel: Kernel) -> None:
    kernel.run("one", "x = 1; (folder / 'a.txt').write_text('1')")
    kernel.run("two", "(folder / 'a.txt').write_text('2')")
    kernel.run("three", "y = 1")
    with pytest.raises(UndoRefused, match=r"“goal of two” \(two\) changed the file a.txt after it") as refused:
        kernel.back("one")
    assert "%undo two" in refused.value.remedy and len(refused.value.reasons) == 1
    kernel.back("two")
    kernel.back("one")
    assert kernel.names == {"y": 1} and not (kernel.folder / "a.txt").exists()


def test_what_a_person_changed_since_is_in_the_way_and_stays(kernel: Kernel) -> None:
    kernel.run("one", "x = 1; y = 2; (folder / 'a.txt').write_text('1')")
    kernel.names["x"] = "mine"
    (kernel.folder / "a.txt").write_text("mine")
    with pytest.raises(UndoRefused, match=r"variable x was changed since; the file a\.txt was changed since"):
        kernel.back()
    assert kernel.names["y"] == 2, "nothing was touched"
    done = kernel.back(anyway=True)
    assert not done.ok and len(done.left) == 2
    assert kernel.names == {"x": "mine"} and (kernel.folder / "a.txt").read_text() == "mine"


def test_a_run_that_changed_nothing_is_not_passed_over_silently(kernel: Kernel) -> None:
    kernel.run("one", "x = 1")
    kernel.run("two")
    with pytest.raises(UndoRefused, match=r"goal of two.*changed nothing") as refused:
        kernel.back()
    assert "%undo one" in refused.value.remedy and "once more" in refused.value.remedy
    kernel.back("one")
    assert kernel.names == {}


def test_who_says_it_once_more_means_the_run_before(kernel: Kernel) -> None:
    kernel.run("one", "x = 1")
    kernel.run("two")
    kernel.run("three")
    with pytest.raises(UndoRefused, match="goal of three"):
        kernel.back()
    assert kernel.back().run_id == "one"
    kernel.run("four", "y = 1")
    assert kernel.back().run_id == "four", "a new one is the last one again"


def test_where_all_was_left_as_it_is_nothing_is_taken_back(kernel: Kernel) -> None:
    kernel.run("one", "x = 1")
    kernel.names["x"] = "mine"
    events: list[RunUndone] = []
    bus = EventBus()
    bus.subscribe(events.append, name="test")  # type: ignore[arg-type]
    done = undo(kernel.history, {}, kernel.names, bus, anyway=True)
    bus.flush()
    assert str(done).startswith("Nothing was taken back of “goal of one”") and not events and not done.ok
    kernel.names["x"] = 1
    assert "x is gone" in str(undo(kernel.history, {}, kernel.names, bus)), "it still can be"


def test_the_schedules_runs_are_not_what_a_person_means_by_the_last_one(kernel: Kernel) -> None:
    kernel.run("mine", "x = 1")
    kernel.run("job", "y = 1", scheduled_by="daily")
    assert kernel.back().run_id == "mine"
    assert kernel.back("job").run_id == "job"


@pytest.mark.parametrize(("name", "told"), [("one-", "Did you mean one-1?"), ("unlike", "other kernels")])
def test_an_unknown_run_is_told(kernel: Kernel, name: str, told: str) -> None:
    kernel.run("one-1", "x = 1")
    with pytest.raises(UndoRefused) as refused:
        kernel.back(name)
    assert told in str(refused.value)


def test_no_run_at_all_is_told(kernel: Kernel) -> None:
    with pytest.raises(UndoRefused, match="no run to take back"):
        kernel.back()
    assert str(kernel.history.undoable({})) == "no run of this kernel changed anything yet"


def test_only_the_last_runs_are_kept(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, runs=2)
    for number in range(4):
        kernel.run(f"run-{number}", f"x{number} = 1")
    assert [row[3] for row in kernel.history.undoable(kernel.names)] == [
        "yes", "yes", *["no: only the last 2 runs are kept (the setting undo_runs)"] * 2,
    ]  # fmt: skip
    with pytest.raises(UndoRefused, match="undo_runs"):
        kernel.back("run-1", anyway=True)
    kernel.history.configure(0, 1)
    assert kernel.history.undoable(kernel.names).ids == []


def test_what_is_held_is_bounded(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, megabytes=1)
    kernel.names["x"] = np.zeros(200_000)
    kernel.run("large", "x = 1")
    kernel.run("small", "y = 1")
    assert kernel.history.undoable(kernel.names).ids == ["small"]
    with pytest.raises(UndoRefused, match="takes 2 MB, and 1 MB are kept in all"):
        kernel.back("large")


def test_effects_elsewhere_are_in_the_way(kernel: Kernel) -> None:
    asked = Verdict("allow", "upload", "approved: sending data off the machine")
    harmless = Verdict("allow", "delete-broad", "approved: deleting whatever a bare wildcard finds")
    calls = [Call(n, "run_shell", {}, v, ToolResult(text=""), 0.0) for n, v in enumerate((harmless, asked), start=1)]
    elsewhere = effects_elsewhere(calls)
    assert elsewhere == ("step 2 (run_shell) was approved: sending data off the machine",)
    kernel.run("one", "x = 1", elsewhere=elsewhere)
    with pytest.raises(UndoRefused, match="sending data off the machine"):
        kernel.back()
    assert kernel.back(anyway=True).left == elsewhere
    assert kernel.names == {}


def test_what_an_undo_never_takes_back_is_said(kernel: Kernel) -> None:
    kernel.run("one", "x = 1", price="$0.0210 play money", paid=True, trace_id="t-1")
    said = str(kernel.back())
    assert "- x is gone" in said
    assert "What it cost ($0.0210 play money) is spent." in said and "%llmos_wrong t-1" in said


def test_nothing_is_taken_back_while_a_goal_is_worked_on(kernel: Kernel) -> None:
    kernel.run("one", "x = 1")
    with pytest.raises(UndoRefused, match="while a goal is worked on: “Plot it”"):
        undo(kernel.history, {"two": "Plot it"}, kernel.names, EventBus())
    with pytest.raises(UndoRefused, match="named by its id"):
        undo(kernel.history, {}, kernel.names, EventBus(), 3)  # type: ignore[arg-type]
    assert kernel.names == {"x": 1}


def test_everyone_is_told_of_it(kernel: Kernel) -> None:
    bus, seen = EventBus(), list[Any]()
    bus.subscribe(seen.append, name="test")
    kernel.run("one", "x = 1; (folder / 'a.txt').write_text('1')")
    undo(kernel.history, {}, kernel.names, bus)
    assert [(type(event), event.run_id, event.names, event.files) for event in seen] == [
        (RunUndone, "one", ("x",), ("a.txt",))
    ]


def test_a_failure_is_told_as_one_and_can_be_tried_again(kernel: Kernel) -> None:
    (kernel.folder / "a.txt").write_text("old")
    kernel.run("one", "x = 1; (folder / 'a.txt').unlink()")

    def fails(self: Any, path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr("llmos_nb.guard.old_file.OldFile.restore", fails)
        with pytest.raises(UndoFailed, match=r"a\.txt.*Permission denied") as failed:
            undo(kernel.history, {}, kernel.names, EventBus())
    assert failed.value.undone.names and kernel.names == {}  # type: ignore[attr-defined]
    undo(kernel.history, {}, kernel.names, EventBus())
    assert (kernel.folder / "a.txt").read_text() == "old"


# ---------------------------------------------------------------- what a result tells


def test_changes_name_files_by_the_runs_folder_and_show_differences(kernel: Kernel) -> None:
    (kernel.folder / "a.txt").write_bytes(b"one\ntwo\n")
    (kernel.folder / "c.txt").write_bytes(b"one\n")
    changes = kernel.run(
        "one",
        "(folder / 'a.txt').write_bytes(b'one\\nzwei\\n'); (folder / 'b.txt').write_bytes(b'\\0' * 20_000); x = [1]\n"
        "(folder / 'c.txt').write_bytes(b'one\\r\\n')",
    )
    assert changes.names == (NameChange("x", "", "list, 1 item"),)
    assert changes.summary == "1 variable, 3 files"
    assert [(file.path, file.before, file.after) for file in changes.files] == [
        ("a.txt", "8 bytes", "9 bytes"), ("b.txt", "", "20 kB"), ("c.txt", "4 bytes", "5 bytes"),
    ]  # fmt: skip
    assert changes.files[0].diff == "--- a.txt (before)\n+++ a.txt (after)\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei"
    assert [file.diff for file in changes.files[1:]] == ["", "the line ends are other ones"]
    assert str(kernel.folder) not in str(changes) + changes.markdown() + changes.html()


def test_secrets_are_not_shown_in_differences(kernel: Kernel) -> None:
    kernel.names["api_key"] = "Zx81-Qwerty77-Kk0"
    changes = kernel.run(
        "one", "(folder / 'a.txt').write_text('password = \"hunter2hunter2\"\\nuse ' + api_key + '\\nplain')"
    )
    said = changes.files[0].diff
    assert "hunter2hunter2" not in said and "Zx81" not in said and "+plain" in said
    assert (kernel.folder / "a.txt").read_text().count("hunter2hunter2") == 1


def test_names_and_diffs_cannot_break_out_of_a_display() -> None:
    changes = Changes(
        names=(NameChange("x", "", "<script>|</script>"),),
        files=(FileChange("a|<b>.md", "", "3 bytes", "+```\n+</details><img src=x>"),),
    )
    assert "<script>" not in changes.html() and "<img" not in changes.html()
    assert "&lt;script>\\|&lt;/script>" in changes.markdown()
    assert "````" in changes.markdown()


def test_long_lists_and_diffs_are_cut(kernel: Kernel) -> None:
    (kernel.folder / "a.txt").write_text("".join(f"{n}\n" for n in range(1000)))
    changes = kernel.run(
        "one", "(folder / 'a.txt').write_text('x\\n' * 1000)\nfor n in range(1000): vars()[f'v{n}'] = n"
    )
    assert changes.files[0].diff.endswith("lines more")
    assert len(changes.html()) < 30_000
    assert changes.rows()[-1][1].startswith("and ")
    assert not Changes() and str(Changes()) == "nothing was changed" and Changes().html() == ""
