"""What a run changed, as its result tells it: names with what they looked like before and after, files with their
difference."""

from __future__ import annotations

import difflib
import html
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.dispatch.diffs import coloured
from llmos_nb.guard.footprint import ChangedFile, Footprint
from llmos_nb.kernel.fenced import fenced
from llmos_nb.kernel.secrets import redacted, secret_values

__all__ = ["Changes", "FileChange", "NameChange", "changes_of", "short_path"]

#: Lines of one file's difference that are kept, and of a file above which no difference is made.
DIFF_LINES: Final = 200
FILE_LINES: Final = 10_000
#: Names and files that a display lists.
SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class NameChange:
    """A variable that was created, changed or deleted: its type and shape before and after, empty where there was none.

    ``inside`` tells that it is the same object still, which holds something else.
    """

    name: str
    before: str
    after: str
    inside: bool = False

    @property
    def kind(self) -> str:
        """``created``, ``changed`` or ``deleted``."""
        return _kind(self.before, self.after)

    def __str__(self) -> str:
        if self.before and self.after:
            same = f"{self.after}, {'other contents' if self.inside else 'bound anew'}"
            return same if self.before == self.after else f"{self.before} -> {self.after}"
        return self.before or self.after


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file or folder that was created, changed or deleted.

    ``path`` is relative to the run's folder; of one elsewhere only the name. ``before`` and ``after`` say what it was, by
    size; ``diff`` is the unified difference of a text, empty where it is no text or too much.
    """

    path: str
    before: str
    after: str
    diff: str = ""

    @property
    def kind(self) -> str:
        """``created``, ``changed`` or ``deleted``."""
        return _kind(self.before, self.after)

    def __str__(self) -> str:
        return f"{self.before} -> {self.after}" if self.before and self.after else self.before or self.after


@dataclass(frozen=True, slots=True)
class Changes:
    """All that a run left other than it was, as far as it was seen. False where that is nothing."""

    names: tuple[NameChange, ...] = ()
    files: tuple[FileChange, ...] = ()
    #: Environment variables by name, and "working folder".
    environment: tuple[str, ...] = ()
    #: What cannot be taken back, and why.
    not_kept: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.files or self.environment or self.not_kept)

    @property
    def summary(self) -> str:
        """``2 variables, 1 file``."""
        parts = [(self.names, "variable"), (self.files, "file"), (self.environment, "setting of the process")]
        told = [f"{len(found)} {_plural(what, len(found))}" for found, what in parts if found]
        return ", ".join(told) or ("something that was not kept" if self.not_kept else "nothing")

    def rows(self) -> list[tuple[str, str, str]]:
        """What happened, to what, and what it was and is."""
        found = [(one.kind, one.name, str(one)) for one in self.names]
        found += [(one.kind, one.path, str(one)) for one in self.files]
        found += [("changed", one, "") for one in self.environment]
        found += [("not kept", one.partition(": ")[0], one.partition(": ")[2]) for one in self.not_kept]
        return found[:SHOWN] + ([("…", f"and {len(found) - SHOWN} more", "")] if len(found) > SHOWN else [])

    def __str__(self) -> str:
        if not self:
            return "nothing was changed"
        rows = self.rows()
        width = [max(len(row[i]) for row in rows) for i in range(2)]
        lines = [f"{kind:{width[0]}}  {what:{width[1]}}  {how}".rstrip() for kind, what, how in rows]
        return "\n".join([*lines, *(f"\n{file.diff}" for file in self.files if file.diff)])

    def short(self) -> str:
        """One line for what was created, one for what was changed, and so on."""
        kinds: dict[str, list[str]] = {}
        for kind, what, _ in self.rows():
            kinds.setdefault(kind, []).append(what)
        return "\n".join(f"{kind}: {', '.join(found)}" for kind, found in kinds.items())

    @property
    def tables(self) -> str:
        """In a sentence what became of tables; empty where none was made, changed or deleted."""
        said = [
            f"`{one.name}` is {'new' if one.kind == 'created' else one.kind} ({str(one).replace('DataFrame, ', '')})"
            for one in self.names
            if (one.after or one.before).startswith("DataFrame")
        ]
        return f"{'; '.join(said)}." if said else ""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def markdown(self) -> str:
        """A table, and the differences of files."""
        if not self:
            return "nothing was changed"
        rows = "".join(f"\n| {' | '.join(_cell(part) for part in row)} |" for row in self.rows())
        diffs = [fenced("diff", file.diff) for file in self.files[:SHOWN] if file.diff]
        return "\n\n".join([f"| | what | how |\n|---|---|---|{rows}", *diffs])

    def html(self) -> str:
        """The same, folded; empty where nothing was changed."""
        if not self:
            return ""
        cell = "td style='text-align:left;vertical-align:top'"
        rows = "".join(
            f"<tr>{''.join(f'<{cell}>{html.escape(part)}</td>' for part in row)}</tr>" for row in self.rows()
        )
        diffs = "".join(
            f'<pre style="margin:.3em 0 .8em;white-space:pre-wrap;font-family:var(--jp-code-font-family,monospace)">'
            f"{coloured(html.escape(file.diff))}</pre>"
            for file in self.files[:SHOWN]
            if file.diff
        )
        return (
            '<details style="margin-top:.4em"><summary style="cursor:pointer;opacity:.75">'
            f"changed: {html.escape(self.summary)}</summary>"
            f'<table style="margin:.4em 0"><tbody>{rows}</tbody></table>{diffs}</details>'
        )


def changes_of(
    footprint: Footprint, cwd: Path, plain: Iterable[Path] = (), names: Mapping[str, Any] | None = None
) -> Changes:
    """What a footprint amounts to for a run in the folder ``cwd``; of files in the folders ``plain`` no difference is made:
    they hold when they were written. Secrets, such as those that the variables ``names`` hold, are left out of differences.
    """
    known = secret_values(names or {}) if footprint.files else {}
    plain = plain if footprint.files else ()
    apart = [spelled for folder in plain for spelled in (folder.absolute(), folder.resolve())]
    environment = [name or "working folder" for name in footprint.environment]
    return Changes(
        names=tuple(NameChange(one.name, one.before, one.after, one.inside) for one in footprint.names),
        files=tuple(sorted((_file(one, cwd, apart, known) for one in footprint.files), key=lambda one: one.path)),
        environment=tuple(sorted(environment)),
        not_kept=tuple(f"{_short(what, cwd)}: {why}" for what, why in sorted(footprint.lost.items())),
    )


def short_path(path: Path, cwd: Path) -> str:
    """A path as a run's result names it: relative to the run's folder, or its name alone where it lies elsewhere."""
    for root in (cwd, cwd.resolve()):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix() or "."
    return f"…/{path.name}"


def _short(what: str, cwd: Path) -> str:
    return short_path(Path(what), cwd) if os.path.isabs(what) else what


def _file(changed: ChangedFile, cwd: Path, apart: Iterable[Path], known: Mapping[str, str]) -> FileChange:
    old, kind = changed.old, changed.state[0]
    before = _what(old.kind, len(old.content))
    after = _what(kind, changed.size)
    if before == after and old.kind == kind == "file" and _digest_same(changed):
        before, after = f"mode {old.mode:o}", f"mode {changed.state[1]:o}"
    name = short_path(changed.path, cwd)
    own = any(changed.path.is_relative_to(folder) for folder in apart)
    return FileChange(name, before, after, "" if own else redacted(_diff(changed, name), known))


def _digest_same(changed: ChangedFile) -> bool:
    return changed.old.state[2] == changed.state[2]


def _what(kind: str, size: int) -> str:
    if kind == "absent":
        return ""
    return _bytes(size) if kind == "file" else kind


def _bytes(size: int) -> str:
    if size < 10_000:
        return f"{size} byte{'' if size == 1 else 's'}"
    for unit, one in (("kB", 1e3), ("MB", 1e6)):
        if size < 999.5 * one:
            return f"{size / one:.3g} {unit}"
    return f"{size / 1e9:.3g} GB"


def _diff(changed: ChangedFile, name: str) -> str:
    """The unified difference of two texts; where only the line ends differ, that they do."""
    if changed.state[0] not in ("file", "absent") or changed.old.kind not in ("file", "absent"):
        return ""
    if changed.state[0] == "file" and changed.content is None:
        return ""
    old, new = _text(changed.old.content), _text(changed.content or b"")
    if old is None or new is None or old == new:
        return ""
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > FILE_LINES:
        return ""
    if before == after:
        return "the line ends are other ones"
    made = [*difflib.unified_diff(before, after, f"{name} (before)", f"{name} (after)", lineterm="", n=2)]
    if len(made) > DIFF_LINES:
        made = [*made[:DIFF_LINES], f"… and {len(made) - DIFF_LINES} lines more"]
    return redacted("\n".join(made))


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _kind(before: str, after: str) -> str:
    return "changed" if before and after else "created" if after else "deleted"


def _plural(what: str, count: int) -> str:
    if count == 1:
        return what
    return what.replace("setting", "settings") if what.startswith("setting") else f"{what}s"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
