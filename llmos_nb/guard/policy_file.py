"""The file with a person's decisions, as it is in force: what they trusted, and of the rest only what tightens.

The file may be a stranger's, that came with a folder, or an agent's call may have changed it. So a decision that has no
mark of the person's (:mod:`llmos_nb.guard.vouched`) counts only where it is stricter than what holds without it, and one
that they trusted and that is gone still does. A file that cannot be read loosens nothing: what it tightened before stays.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import GuardFileError, LlmosError
from llmos_nb.guard.overrides import (
    Override,
    fields_of,
    from_fields,
    parse_overrides,
    stricter,
    toml_of,
    without_lines,
)
from llmos_nb.guard.rules import RULES
from llmos_nb.guard.vouched import Vouched, vouch, vouched
from llmos_nb.guard.waiting import Waiting
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.whose import persons_only
from llmos_nb.settings import known_option, options_in

__all__ = ["PolicyFile", "policy_of", "trusted_options"]

NAME: Final = "llmos.toml"
#: Bytes of a settings file that are read.
LIMIT: Final = 1_000_000
_TRUST: Final = "%guard trust shows what, and how to put it into force"


class PolicyFile:
    """The decisions in ``llmos.toml`` of one workspace."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.path = workspace / NAME
        #: Why the file, or a part of it, is not in force; empty where it is. ``line`` is where in the file, ``broken``
        #: whether it cannot be read at all.
        self.problem = ""
        self.line = 1
        self.broken = False
        self._lock = threading.RLock()
        self._seen: tuple[int, int, int] | None = None
        self._text = ""
        self._read: tuple[Override, ...] = ()
        self._good: tuple[Override, ...] = ()
        #: What was tightened, where an agent's call took it out of the file.
        self._kept: tuple[Override, ...] = ()
        #: What the file that was read last comes to.
        self._content: Vouched | None = None
        self._known: tuple[object, Vouched, tuple[Override, ...]] | None = None
        self._found: tuple[tuple[Override, ...], tuple[Override, ...]] = ((), ())

    @property
    def overrides(self) -> tuple[Override, ...]:
        """The decisions that are in force now, in the file's order; those that ``wait`` can only tighten."""
        with self._lock:
            self.broken = False
            try:
                self._refresh()
            except GuardFileError as error:
                gone = _trusted(self.workspace).rules
                self.problem = f"{error.message} Until it is mended, nothing in it loosens a rule."
                self.line, self.broken = error.line, True
                return _waiting((*map(from_fields, gone), *self._kept, *self._good))
            waits, self._good = self._judged()
            loosening = [one for one in waits if one.waits and _matters(one, waits)]
            self.problem, self.line = "", loosening[0].line or 1 if loosening else 1
            if loosening:
                count = (
                    f"{len(loosening)} of its [[guard]] rules wait"
                    if len(loosening) > 1
                    else "a [[guard]] rule waits"
                )
                self.problem = f"{NAME}: {count} to be trusted, and until then can only tighten: {_TRUST}."
            return waits

    def _judged(self) -> tuple[tuple[Override, ...], tuple[Override, ...]]:
        """The file's decisions with what was trusted of them; beside them the file's alone, for a time when it breaks."""
        told = self._trusted()
        known = self._known
        if known is not None and known[0] is self._read and known[1] is told and known[2] is self._kept:
            return self._found
        trusted = [from_fields(rule) for rule in told.rules]
        plain = without_lines(self._read)
        # What was trusted was trusted in its order: the last one that fits decides.
        in_order = iter(trusted)
        same_order = all(one in in_order for one in plain if one in trusted)
        judged = tuple(
            dataclasses.replace(override, waits=not same_order or one not in trusted)
            for override, one in zip(self._read, plain, strict=True)
        )
        gone = _waiting([one for one in (*trusted, *self._kept) if one not in plain])
        self._known, self._found = (self._read, told, self._kept), ((*judged, *gone), judged)
        return self._found

    def _trusted(self) -> Vouched:
        """What holds as trusted of the file as it was read last."""
        try:
            content = self.content()
        except LlmosError:  # its options are wrong: the settings say so
            return _trusted(self.workspace)
        return content if content.named else _trusted(self.workspace)

    def content(self) -> Vouched:
        """Everything of the file that could loosen, as it is trusted or not.

        Raises:
            GuardFileError, SettingsError: the file is wrong.
        """
        with self._lock:
            self._refresh()
            if self._content is None:
                options = {
                    option.name: option.value
                    for option in (options_in(self._text, self.path) if self._text else ())
                    if known_option(option.name, NAME).metadata["loosens"] is not None
                }
                self._content = Vouched(tuple(fields_of(override) for override in self._read), options)
            return self._content

    def waiting(self, preset: str = "development") -> Waiting:
        """What in the file is not in force yet, as a person looks at it before they trust it.

        Raises:
            GuardFileError, SettingsError: the file is wrong.
        """
        with self._lock:
            content, trusted = self.content(), self._trusted()
            found = self.overrides
            file = [one for one in found if one.waits and one.line and _matters(one, found)]
            gone = [one for one in found if one.waits and not one.line]
            options = [
                option
                for option in (options_in(self._text, self.path, preset) if self._text else ())
                if option.loosens and (option.name, option.value) not in trusted.options.items()
            ]
            return Waiting(tuple(file), tuple(gone), tuple(options), content.digest)

    @property
    def digest(self) -> str:
        """What tells these decisions from others."""
        with self._lock:
            return _digest(self._read)

    def now(self) -> str:
        """A digest of the decisions as the file has them now; of what cannot be read, of its bytes."""
        with self._lock:
            try:
                self._refresh()
            except GuardFileError as error:
                return f"unreadable {error.message}"
            return _digest(self._read)

    def _refresh(self) -> None:
        try:
            found = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            if self._read or self._text:
                self._read, self._text, self._content = (), "", None
            self._seen = None
            return
        except OSError as error:
            raise GuardFileError(NAME, 1, f"it cannot be read ({error})") from error
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        if mark == self._seen:
            return
        self._seen = None
        try:
            data = self.path.read_bytes()
            text = data.decode("utf-8") if len(data) <= LIMIT else ""
        except (OSError, ValueError) as error:
            raise GuardFileError(NAME, 1, f"it cannot be read ({error})") from error
        if len(data) > LIMIT:
            raise GuardFileError(NAME, 1, f"it has more than {LIMIT} bytes")
        self._read = parse_overrides(text, NAME)
        self._seen, self._text, self._content = mark, text, None

    def add(self, override: Override) -> Override:
        """Write one more decision at the end of the file, and trust it; a person's doing.

        What else is in the file is not trusted with it.

        Raises:
            GuardDenied: it is an agent's own code that asks.
            GuardFileError: the decision is none, or the file is wrong as it is; it is left as it was.
            StoreError: the file cannot be written.
        """
        persons_only("change the guard's rules")
        with self._lock:
            if self.now().startswith("unreadable"):
                self._refresh()  # says what is wrong with it
            text = self.path.read_bytes().decode() if self.path.exists() else ""
            gap = "" if not text else ("\n" if text.endswith("\n") else "\n\n")
            fresh = f"{text}{gap}{toml_of(override)}"
            written = parse_overrides(fresh, NAME)
            if without_lines(written) != (*without_lines(self._read), override):
                raise GuardFileError(NAME, 1, "a rule cannot be added to it as it is; write it there by hand")
            trusted = self._trusted()
            # Trusted first: a decision that is gone from the file, or not there yet, can only tighten.
            vouch(self.workspace, Vouched((*trusted.rules, fields_of(override)), trusted.options))
            atomic_write(self.path, fresh.encode("utf-8"))
            self._seen = None
            return written[-1]

    def distrust_if_changed(self, before: str) -> str:
        """After an agent's call: what it took away stays. Returns what to tell; empty where no decision came or went."""
        with self._lock:
            good = self._good
            if self.now() == before:
                return ""
            found = self.overrides
            lost = [one for one in good if one not in self._good and not one.loosens]
            self._kept = (*self._kept, *without_lines(lost))
            new = any(one.waits and one.line and _matters(one, found) and one not in good for one in found)
            if not (lost or new or self.broken):
                return ""
            return f"{NAME} got other [[guard]] rules during this: they loosen nothing until you say %guard trust"

    def trust(self, shown: str | None = None) -> tuple[Override, ...]:
        """Put everything in the file into force as it is now; a person's doing, who has read it.

        With ``shown``, the digest that :meth:`waiting` had, only if the file still is what was looked at.

        Raises:
            GuardDenied: it is an agent's own code that asks.
            GuardFileError, SettingsError: the file is wrong, or has changed since it was shown.
            StoreError: that cannot be kept.
        """
        persons_only("trust the guard's rules")
        with self._lock:
            self._seen = None
            content = self.content()  # as it is now
            if shown is not None and shown != content.digest:
                raise GuardFileError(
                    NAME, 1, f"it is not what was shown ({shown!r:.40})", remedy="%guard trust shows it as it is now."
                )
            self._kept = ()
            vouch(self.workspace, content)
            return self.overrides


def trusted_options(workspace: Path) -> Mapping[str, Any]:
    """Options of a workspace's file that its person trusts, with the values that they trust."""
    file = policy_of(workspace)
    try:
        content = file.content()
        if content.named:
            return content.options
    except LlmosError:  # told where the file is read
        pass
    return vouched(file.workspace).options


def _trusted(workspace: Path) -> Vouched:
    told = vouched(workspace)
    if all(rule.get("rule") in RULES for rule in told.rules):
        return told
    return Vouched(tuple(rule for rule in told.rules if rule.get("rule") in RULES), told.options)


def _waiting(overrides: Sequence[Override]) -> tuple[Override, ...]:
    """Those that are in no file any more, or in none that can be read: they can only tighten."""
    return tuple(dict.fromkeys(dataclasses.replace(one, waits=True, line=0) for one in overrides if not one.loosens))


def _matters(one: Override, found: Sequence[Override]) -> bool:
    """Whether trusting it would loosen anything."""
    return one.loosens or any(other.rule == one.rule and stricter(other.decision, one.decision) for other in found)


def _digest(overrides: Sequence[Override]) -> str:
    return hashlib.sha256(repr(without_lines(overrides)).encode("utf-8", "replace")).hexdigest()[:32]


_files: Final[dict[str, PolicyFile]] = {}
_making: Final = threading.Lock()


def policy_of(workspace: Path) -> PolicyFile:
    """The one policy file of a workspace in this process."""
    real = os.path.realpath(workspace)
    with _making:
        if real not in _files:
            _files[real] = PolicyFile(Path(real))
        return _files[real]
