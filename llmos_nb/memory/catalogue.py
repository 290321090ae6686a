"""Which tasks come with packs, before any of their files is read: what an index beside the traces says of them.

An index proposes, and is no evidence: what is served or named to a person is read from the trace itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypedDict

__all__ = ["INDEX", "About", "Catalogue", "Saying", "trace_files"]

#: A file beside the traces that says which tasks they are of, so that not all must be read to find one.
INDEX: Final = "index.json"
#: Of which kinds of values a wording speaks, and its words.
Saying = tuple[str, frozenset[str]]


class About(TypedDict):
    """What an index says of one task."""

    files: list[str]
    #: For each file its goal without its values.
    masked: list[str]
    #: What its wordings say: :data:`Saying` as lists.
    saying: list[list[Any]]
    #: Words of the goals, values aside, in small letters.
    words: list[str]
    #: Whether goals name something new.
    naming: bool


def trace_files(folders: Iterable[Path]) -> Iterator[Path]:
    """The files that may be traces."""
    for folder in folders:
        if folder.is_dir():
            yield from sorted(path for path in folder.rglob("*.md") if path.name.lower() != "readme.md")


@dataclass(slots=True)
class Catalogue:
    """The tasks of several folders: for each its files, and which tasks' wordings say what."""

    files: dict[str, list[Path]] = field(default_factory=dict)
    saying: dict[Saying, list[str]] = field(default_factory=dict)
    #: Tasks whose goals name something new.
    naming: list[str] = field(default_factory=list)
    #: The task of each trace.
    of: dict[str, str] = field(default_factory=dict)
    #: Words of all goals, values aside, in small letters.
    words: set[str] = field(default_factory=set)
    #: By trace its goal without its values.
    masked: dict[str, str] = field(default_factory=dict)

    def add_folder(self, folder: Path, told: Callable[[Path], Mapping[str, About]]) -> None:
        """Add the tasks of one folder: from its index if that is about these files, else as ``told`` of them."""
        files = {path.relative_to(folder).as_posix(): path for path in trace_files([folder])}
        for task, about in (_indexed(folder, files) or told(folder)).items():
            self._add(task, about, [files[name] for name in about["files"]])

    def _add(self, task: str, about: About, files: Sequence[Path]) -> None:
        self.files.setdefault(task, []).extend(files)
        self.of |= {path.stem: task for path in files}
        self.masked |= {path.stem: masked for path, masked in zip(files, about["masked"], strict=True)}
        self.words.update(about["words"])
        for signature, words in about["saying"]:
            tasks = self.saying.setdefault((signature, frozenset(words)), [])
            if task not in tasks:
                tasks.append(task)
        if about["naming"] and task not in self.naming:
            self.naming.append(task)


def _indexed(folder: Path, files: Mapping[str, Path]) -> dict[str, About] | None:
    """What the index of a folder says; None where it cannot be read or is about other files."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        known = {task: _about(said) for task, said in index.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # what the index tells, the files do too
    listed = [name for about in known.values() for name in about["files"]]
    return known if len(listed) == len(files) and files.keys() == set(listed) else None


def _about(said: Mapping[str, Any]) -> About:
    """The entry of a task.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    about = About(
        files=[str(name) for name in said["files"]],
        masked=[str(text) for text in said["masked"]],
        saying=[[str(signature), [str(word) for word in words]] for signature, words in said["saying"]],
        words=[str(word) for word in said["words"]],
        naming=bool(said["naming"]),
    )
    if len(about["masked"]) != len(about["files"]):
        raise ValueError(f"{len(about['files'])} files, {len(about['masked'])} goals")
    return about
