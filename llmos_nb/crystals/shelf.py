"""The crystals of a workspace: modules in a folder, loaded when they are wanted and again whenever a file changed.

The files are the truth, and anybody may write them: another kernel, an editor, git. So every use looks at the file
first, and a text that was not tested *here* is never used for a goal before it is.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_nb.crystals.crystal import Crystal
from llmos_nb.crystals.facts import Facts
from llmos_nb.crystals.files import Loaded, ModuleFolder
from llmos_nb.crystals.judged import judge_call, judge_text
from llmos_nb.crystals.load import Module, read
from llmos_nb.crystals.naming import RESERVED, checked_name, is_family
from llmos_nb.crystals.report import Report
from llmos_nb.crystals.status import Off, StatusFolder
from llmos_nb.errors import CrystalError, UnknownCrystal
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.trust import Trust
from llmos_nb.kernel.whose import persons_only

__all__ = ["CrystalShelf", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list: ``status`` is ``ready``, or why goals do not use it."""

    name: str
    signature: str
    template: str
    uses: int
    success: float
    status: str


class CrystalShelf(ModuleFolder):
    """The crystals in ``folder``. Several shelves, also of several processes, may share one.

    ``state`` is the folder for what is derived or private; ``.llmos/crystals`` beside ``folder`` if None. ``tester``
    makes the recorded runs again with a module and reports; without one, :meth:`test` cannot be used. With ``trust`` a
    text that was neither made nor vouched for on this machine is shown, and never run or imported.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        state: Path | None = None,
        tester: Callable[[Module], Report] | None = None,
        trust: Trust | None = None,
    ) -> None:
        super().__init__(Path(folder).absolute())
        self._trust = trust
        if trust is not None:
            self.stranger = self._strange
        self.tester = tester
        self._status = StatusFolder(state or self.folder.parent / ".llmos" / "crystals")
        self._verdicts: dict[tuple[str, str, str], Verdict] = {}

    # -- what there is

    def list(self) -> list[Entry]:
        """Every crystal, those that cannot be used too; nothing is run."""
        return [self._entry(name) for name in self.names()]

    def __iter__(self) -> Any:
        return iter([self.get(name) for name in self.names()])

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def get(self, name: str) -> Crystal:
        """The crystal ``name``.

        Raises:
            UnknownCrystal: there is none.
        """
        if not self.exists(name):
            raise self.unknown(name)
        return Crystal(self, name)

    __getitem__ = get

    def find(self, *, trace_id: str = "", shape: str = "") -> Crystal | None:
        """The crystal that was made from this trace, or from a family of this shape; one that goals may use."""
        for name in self.names():
            try:
                facts = self.module(name).facts
            except CrystalError:
                continue
            fits = (trace_id and trace_id in facts.traces) or (shape and shape == facts.shape)
            if fits and not self.refusal(name):
                return self.get(name)
        return None

    # -- whether it may be used

    def refusal(self, name: str) -> str:
        """Why the crystal must not be used for goals, in words; empty when it may."""
        try:
            module = self.module(name)
        except CrystalError as error:
            return error.message
        if why := self.stranger(module):
            return f"{why}; %crystals trust {name} shows what it does"
        off = self._status.off(name)
        if off is not None:
            return {"person": "disabled", "removed": "removed", "wrong": "out of use"}.get(off.by, "it failed") + (
                f": {off.reason}" if off.reason else ""
            )
        report = self._status.report(name)
        if report is None or report.digest != module.digest:
            what = "it was edited" if module.edited else "it has not been tested in this workspace"
            return f"{what}; its tests have to run first"
        return "" if report.passed else f"its tests failed: {report.reason}"

    def usable(self, name: str) -> Loaded:
        """The crystal's functions, of the very text that passed its tests.

        Raises:
            CrystalError: it must not be used for goals, or its file changed this moment.
        """
        refusal = self.refusal(name)
        if refusal:
            raise CrystalError(f"{name}: is not in use: {refusal}.", remedy=f"%crystals show {name}")
        report, loaded = self._status.report(name), self.load(name)
        if report is None or report.digest != loaded.module.digest:
            raise CrystalError(
                f"{name}: was changed this moment; its tests have to run first.", remedy=f"%crystals test {name}"
            )
        return loaded

    def due(self, name: str) -> bool:
        """Whether nothing but tests that did not run yet keeps it from being used: it was edited, or brought here."""
        try:
            module = self.module(name)
        except CrystalError:
            return False
        report = self._status.report(name)
        if self.stranger(module):
            return False
        return self._status.off(name) is None and (report is None or report.digest != module.digest)

    def report(self, name: str) -> Report | None:
        """How its tests went; None where its present text was not tested."""
        report = self._status.report(name)
        return report if report is not None and report.digest == self.module(name).digest else None

    def judge(self, module: Module, arguments: Mapping[str, Any]) -> Verdict:
        """The guard's word on a call with these arguments, in the present working folder."""
        shown = {name: value for name, value in arguments.items() if name not in module.facts.needs}
        key = (module.digest, repr(sorted(shown.items())), os.getcwd())
        if key not in self._verdicts:
            if len(self._verdicts) > 1_000:
                self._verdicts.clear()
            self._verdicts[key] = judge_call(module, shown, cwd=Path.cwd(), workspace=self.folder.parent)
        return self._verdicts[key]

    # -- changing it

    def install(self, name: str, text: str, report: Report, *, force: bool = False) -> Crystal:
        """Put a module that passed its tests on the shelf, in place of an older one of its family.

        Raises:
            CrystalError: its tests did not pass or were of another text, the guard refuses it, the name is taken by a
                crystal of another family or by one that a person edited, or the same text failed or was removed before
                (``force`` overrules this last).
            StoreError: the folder cannot be written.
        """
        path = self.path(name)
        module = read(text, str(path), checked_name(name))
        if report.digest != module.digest or not report.passed:
            raise CrystalError(f"{name}: its tests did not pass: {report.reason or 'they were of another text'}.")
        verdict = judge_text(module, cwd=Path.cwd(), workspace=self.folder.parent)
        if verdict.decision != "allow":
            raise CrystalError(f"{name}: the guard refuses it: {verdict.reason}.")
        self._check_calls(module)
        with self._lock:
            off = self._status.off(name)
            if off is not None and not force and (off.by == "person" or off.digest == module.code_digest):
                raise CrystalError(f"{name}: {self._told(off)}.", remedy=f"%crystals enable {name}")
            if self.exists(name):
                try:
                    old = self.module(name)
                except CrystalError:
                    raise CrystalError(f"{path}: is there and cannot be read.", remedy="Remove or mend it.") from None
                if old.edited:
                    raise CrystalError(f"{path}: was edited by a person and is kept.", remedy="Remove it first.")
                if not is_family(old.facts, module.facts):
                    raise CrystalError(f"{name}: there is another crystal of that name.", remedy="Choose another.")
            self._status.clear_report(name)  # between the two writes nothing passes for tested that was not
            atomic_write(path, text.encode("utf-8"))
            self._status.write_report(name, report)
            maker = self._trust or Trust.here(self._status.folder)  # others, who look, shall know whose it is
            if maker.may_sign:
                self._status.write_mark(name, maker.sign("crystal", name, _text_digest(module)))
            self._status.clear_off(name)
        return self.get(name)

    def _strange(self, module: Module) -> str:
        name = module.definition.name
        if self._trust is None or self._trust.knows("crystal", name, _text_digest(module), self._status.mark(name)):
            return ""
        return "it was not made here, or was changed since" if not module.edited else "it was edited"

    def trust(self, name: str, shown: str | None = None) -> str:
        """Vouch for a crystal that was brought here or edited, as its file is now; its tests still have to pass.

        With ``shown`` (the first letters of its module's digest) only if it is still what was looked at. Returns why
        it still is not used, empty if it is.

        Raises:
            UnknownCrystal, CrystalError: there is none, its file cannot be used, or it is not what was shown.
            GuardDenied: an agent's code asks.
        """
        persons_only("vouch for a crystal")
        module = self.module(name)
        if shown is not None and not (len(shown) >= 8 and _text_digest(module).startswith(shown)):
            raise CrystalError(
                f"{name}: its file is not what was shown ({shown!r:.40}).", remedy=f"%crystals trust {name} shows it."
            )
        if self._trust is not None:
            self._status.write_mark(name, self._trust.sign("crystal", name, _text_digest(module)))
        return self.refusal(name)

    def preview(self, name: str) -> str:
        """What a crystal is, for a person who is asked to trust it: its text, the guard's word, what to say then."""
        module = self.module(name)
        verdict = judge_text(module, cwd=Path.cwd(), workspace=self.folder.parent)
        why = self.stranger(module) or "it is trusted"
        said = "allow" if verdict.decision == "allow" else f"{verdict.decision}: {verdict.reason}"
        shown = _text_digest(module)[:12]
        return (
            f"{name}: {why}. The guard: {said}.\n\n{module.text}\n\n%crystals trust {name} {shown} puts it into use."
        )

    def _check_calls(self, module: Module) -> None:
        """What the recorded runs did has to be allowed now."""
        for example in module.facts.examples:
            verdict = self.judge(module, example["arguments"])
            if verdict.decision != "allow":
                raise CrystalError(f"{module.definition.name}: the guard refuses what it does: {verdict.reason}.")

    def free_name(self, wanted: str, facts: Facts) -> str:
        """``wanted``, or the first of ``wanted_2``, ``wanted_3`` … that no crystal of another family has."""
        for number in range(1, 1_000):
            name = wanted if number == 1 else f"{wanted}_{number}"
            if name in RESERVED:
                continue
            if not self.exists(name):
                return name
            with contextlib.suppress(CrystalError):
                if is_family(self.module(name).facts, facts):
                    return name
        raise CrystalError(f"{wanted}: every name like it is taken.", remedy="Remove some crystals.")

    def relative(self, facts: Facts) -> str:
        """The name of a crystal of the same family, in use or not; empty if there is none."""
        for name in self.names():
            with contextlib.suppress(CrystalError):
                if is_family(self.module(name).facts, facts):
                    return name
        return ""

    def test(self, name: str) -> Report:
        """Make its recorded runs again in a separate process and keep how that went.

        Raises:
            UnknownCrystal, CrystalError: there is none, its file cannot be used, or nothing here can test.
        """
        module = self.module(name)
        if self.tester is None:
            raise CrystalError(f"{name}: nothing here can run its tests.", remedy="Use LLMOS(...).crystals.")
        report = self.tester(module)
        self.keep_report(name, report)
        return report

    def keep_report(self, name: str, report: Report) -> None:
        """Keep how the tests of its present text went; a report of another text says nothing about it."""
        self._status.write_report(name, report)

    def disable(self, name: str, reason: str = "") -> None:
        """Take it out of use for goals and agents; it can still be imported and called."""
        self._off(name, "person", reason)

    def demote(self, name: str, reason: str) -> None:
        """Take it out of use because it failed, at once and for every kernel."""
        self._off(name, "failure", reason)

    def call_wrong(self, name: str, reason: str) -> None:
        """Take it out of use because a person called a trace wrong that it was made of."""
        self._off(name, "wrong", reason)

    def enable(self, name: str) -> str:
        """Put it back in use, where its tests passed; returns why it still is not used, empty if it is."""
        persons_only("put a crystal back in use")
        self.module(name)
        self._status.clear_off(name)
        return self.refusal(name)

    def remove(self, name: str) -> None:
        """Delete its file. The same function is not made again by itself.

        Raises:
            UnknownCrystal: there is none.
        """
        with self._lock:
            if not self.exists(name):
                self.get(name)
            try:
                digest = self.module(name).code_digest
            except CrystalError:
                digest = ""
            self._status.write_off(name, Off("removed", "", digest))
            self._status.clear_report(name)
            self.path(name).unlink(missing_ok=True)
            self.forget(name)

    def _off(self, name: str, by: str, reason: str) -> None:
        try:
            digest = self.module(name).code_digest
        except UnknownCrystal:
            raise
        except CrystalError:
            digest = ""
        self._status.write_off(name, Off(by, " ".join(reason.split())[:500], digest))

    def _told(self, off: Off) -> str:
        said = {
            "person": "it was disabled",
            "removed": "this very function was removed",
            "wrong": "it was taken out of use",
        }.get(off.by, "it failed in use")
        return f"{said} ({off.reason})" if off.reason else said

    def _entry(self, name: str) -> Entry:
        refusal = self.refusal(name)
        try:
            module = self.module(name)
        except CrystalError:
            return Entry(name, "", "", 0, 0.0, refusal)
        facts = module.facts
        return Entry(name, _signature(module), facts.template, facts.uses, facts.success, refusal or "ready")

    def __repr__(self) -> str:
        return f"CrystalShelf({str(self.folder)!r}, {len(self)} crystals)"


def _text_digest(module: Module) -> str:
    """Of every letter of the file, front matter and docstrings too."""
    return hashlib.sha256(module.text.encode("utf-8", "surrogatepass")).hexdigest()


def _signature(module: Module) -> str:
    return f"({ast.unparse(module.definition.args)})"
