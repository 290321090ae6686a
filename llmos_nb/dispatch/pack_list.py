"""The packs that are installed, as people see them: what each offers, what is missing, and what is wrong with others."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas

    from llmos_nb.tools.packs import PackProblem

__all__ = ["PackList", "PackRow", "pack_list"]

_COLUMNS: Final = ("pack", "what it is for", "tools", "agents", "from", "missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRow:
    """One pack. ``missing`` is the command that installs what its tools need; empty when all is there."""

    name: str
    description: str
    distribution: str
    version: str
    tools: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    scripts: int = 0
    traces: int = 0
    missing: str = ""


@dataclass(frozen=True, slots=True)
class PackList:
    """Packs by name, and the problems of what cannot be used."""

    rows: tuple[PackRow, ...] = ()
    problems: tuple[PackProblem, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[PackRow]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> PackRow:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    @property
    def df(self) -> pandas.DataFrame:
        """One row a pack."""
        import pandas as pd

        columns = list(PackRow.__slots__)
        return pd.DataFrame([[getattr(row, name) for name in columns] for row in self.rows], columns=columns)

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (row.name, row.description, ", ".join(row.tools), ", ".join(row.agents), row.distribution, row.missing)
            for row in self.rows
        ]

    def __str__(self) -> str:
        lines = []
        for row in self.rows:
            lines.append(f"{row.name}: {row.description} ({row.distribution})")
            lines += [f"  {kind}: {', '.join(found)}" for kind, found in _offers(row) if found]
            lines += [f"  its tools are refused until you say: {row.missing}"] if row.missing else []
        lines += ["Cannot be used:", *(f"  {problem}" for problem in self.problems)] if self.problems else []
        return "\n".join(lines) or "no packs are installed"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        left = 'style="text-align:left;vertical-align:top"'
        head = "".join(f"<th {left}>{name}</th>" for name in _COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td {left}>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
            for cells in self._cells()
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.rows else ""
        wrong = "".join(f"<li>{html.escape(str(problem))}</li>" for problem in self.problems)
        told = f"<p>Cannot be used:</p><ul>{wrong}</ul>" if wrong else ""
        return table + told or "<em>no packs are installed</em>"


def _offers(row: PackRow) -> list[tuple[str, tuple[str, ...]]]:
    counted = [f"{count} {what}" for count, what in ((row.scripts, "scripts"), (row.traces, "traces")) if count]
    return [("tools", row.tools), ("agents", row.agents), ("and", tuple(counted))]


def pack_list() -> PackList:
    """The packs, looked for anew."""
    from llmos_nb.cortex.scripted import pack_scripts
    from llmos_nb.tools.pack_agents import pack_agents_of
    from llmos_nb.tools.pack_tool import absent
    from llmos_nb.tools.packs import installed_packs

    found = installed_packs(anew=True)
    agents, wrong_agents = pack_agents_of(found)
    scripts, wrong_scripts = pack_scripts()
    rows = []
    for one in found.packs:
        folder = one.pack.folder
        mine = [a.name for a in agents.values() if folder is not None and a.path and folder in a.path.parents]
        rows.append(
            PackRow(
                name=one.pack.name,
                description=one.pack.description,
                distribution=one.distribution,
                version=one.version,
                tools=tuple(tool.name for tool in one.tools),
                agents=tuple(mine),
                scripts=sum(folder is not None and folder in Path(script.path).parents for script in scripts),
                traces=len(list(folder.glob("traces/**/*.md"))) if folder is not None else 0,
                missing=absent(one.pack),
            )
        )
    return PackList(tuple(rows), (*found.problems, *wrong_agents, *wrong_scripts))
