"""A trace as code of one's own: one cell, or a notebook, that runs without this package."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import StoreError
from llmos_nb.kernel.files import atomic_write
from llmos_nb.memory.trace import Step, Trace

__all__ = ["cells_of", "code_of", "notebook_of", "write_notebook"]

#: Steps that tell the agent something and leave nothing behind.
_TELLING: Final = frozenset({"inspect", "recall", "list_agents"})
_MAGIC: Final = re.compile(r"^(\s*)(!|%{1,2})(.*)$")


def code_of(trace: Trace, sources: Mapping[str, str] | None = None) -> str:
    """The program of a trace as one cell: imports first, then its steps as plain Python, comments kept.

    ``sources`` tells where variables that it needs came from.
    """
    imports: dict[str, None] = {}
    bodies = []
    steps = _steps(trace)
    for number, step in enumerate(steps, start=1):
        own, body = _parted(_python(step))
        imports |= dict.fromkeys(own)
        bodies.append(_shown(body) if number < len(steps) else body)
    future = [line for line in imports if line.startswith("from __future__")]
    head = "\n".join([*future, *(line for line in imports if line not in future)])
    return (
        "\n\n".join(part.strip("\n") for part in (_about(trace, sources or {}), head, *bodies) if part.strip()) + "\n"
    )


def cells_of(trace: Trace) -> list[str]:
    """The program of a trace, a cell a step."""
    return [text for step in _steps(trace) if (text := _python(step).strip("\n"))]


def notebook_of(trace: Trace, sources: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The trace as a notebook: the goal, a cell a step, the answer."""
    cells = [_cell("markdown", f"# {_line(trace.goal)}\n\n{_facts(trace)}", 0)]
    needs = _about(trace, sources or {}, needs_only=True)
    cells += [
        _cell("code", code, n) for n, code in enumerate([*([needs] if needs else []), *cells_of(trace)], start=1)
    ]
    if trace.answer:
        cells.append(_cell("markdown", f"## Answer\n\n{trace.answer}", len(cells)))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def write_notebook(
    trace: Trace, path: Path | str, sources: Mapping[str, str] | None = None, *, replace: bool = False
) -> Path:
    """Write the notebook; one that exists is replaced with ``replace`` alone.

    Raises:
        StoreError: the path is no notebook's, or there is one already; nothing was written.
        OSError: it cannot be written.
    """
    target = Path(path)
    if target.suffix != ".ipynb":
        raise StoreError(
            f"{path}: a notebook's name ends in .ipynb.", remedy=f"Write {target.with_suffix('.ipynb')}."
        )
    if not replace and target.exists():
        raise StoreError(
            f"{path}: there is a file of that name.",
            remedy=f"Give another name, or in Python to_notebook({str(path)!r}, …, replace=True).",
        )
    atomic_write(
        target, (json.dumps(notebook_of(trace, sources), ensure_ascii=False, indent=1) + "\n").encode("utf-8")
    )
    return target


def _steps(trace: Trace) -> Sequence[Step]:
    """The steps that reached the goal: those of a replay, or those that worked where nothing can be replayed."""
    steps = trace.replayable_steps or [step for step in trace.steps if step.expect.status == "ok"]
    return [step for step in steps if step.tool not in _TELLING]


def _python(step: Step) -> str:
    """What a step does, as Python."""
    given = step.arguments
    if step.tool == "run_cell":
        parameters = given.get("parameters") or {}
        lines = (
            [f"{name} = {value!r}" for name, value in parameters.items()] if isinstance(parameters, Mapping) else []
        )
        return "\n".join([*lines, _without_magics(str(given.get("code", "")))])
    path = f"Path({str(given.get('path', ''))!r})"
    if step.tool == "read_file":
        return f"from pathlib import Path\nprint({path}.read_bytes().decode('utf-8'), end='')"
    if step.tool == "write_file":
        text = _literal(str(given.get("content", "")))
        return (
            f"from pathlib import Path\n{path}.parent.mkdir(parents=True, exist_ok=True)\n"
            f"{path}.write_bytes({text}.encode('utf-8'));"
        )
    if step.tool == "edit_file":
        old, new = _literal(str(given.get("old", ""))), _literal(str(given.get("new", "")))
        return (
            f"from pathlib import Path\n_text = {path}.read_bytes().decode('utf-8')\n_old, _new = {old}, {new}\n"
            "if '\\r\\n' in _text:\n    _old, _new = _old.replace('\\n', '\\r\\n'), _new.replace('\\n', '\\r\\n')\n"
            "assert _text.count(_old) == 1, 'the text to replace must be there once'\n"
            f"{path}.write_bytes(_text.replace(_old, _new).encode('utf-8'));"
        )
    if step.tool == "run_shell":
        return _shell(str(given.get("command", "")), check=step.expect.status == "ok")
    return "\n".join(f"# {line}" for line in f"{step.tool}: {dict(given)!r} (only in llmos_nb)".splitlines())


def _shell(command: str, *, check: bool) -> str:
    return (
        "import subprocess\nprint(subprocess.run(\n"
        f"    ['bash', '-c', {_literal(command)}],\n"
        f"    check={check}, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,\n"
        ").stdout, end='')"
    )


def _literal(text: str) -> str:
    """A text as a literal that people can read."""
    if "\n" in text and text.isascii() and not re.search(r'\\|"""|\r|"\Z', text):
        return f'"""{text}"""'
    return repr(text)


def _without_magics(code: str) -> str:
    """IPython's own lines as comments, commands as Python."""
    lines = []
    for line in code.split("\n"):
        found = _MAGIC.match(line)
        if found is None or _parses(code):
            lines.append(line)
        elif found[2] == "!":
            lines += [found[1] + part for part in _shell(found[3], check=False).split("\n")]
        else:
            lines.append(f"{found[1]}# {found[2]}{found[3]}  (only in a notebook)")
    return "\n".join(lines)


def _parses(code: str) -> bool:
    return _tree(code) is not None


def _tree(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _parted(code: str) -> tuple[list[str], str]:
    """The imports that stand on lines of their own at the top level, and the code without them."""
    tree = _tree(code)
    if tree is None:
        return [], code
    lines = code.split("\n")
    imports, gone = [], set()
    taken = [range(node.lineno, (node.end_lineno or node.lineno) + 1) for node in tree.body]
    for node, rows in zip(tree.body, taken, strict=True):
        alone = sum(not set(rows).isdisjoint(other) for other in taken) == 1
        if isinstance(node, ast.Import | ast.ImportFrom) and alone and "#" not in lines[rows[0] - 1]:
            imports.append(ast.unparse(node))
            gone |= set(rows)
    return imports, "\n".join(line for number, line in enumerate(lines, start=1) if number not in gone)


def _shown(code: str) -> str:
    """Code whose last value is shown although more code follows."""
    tree = _tree(code)
    last = tree.body[-1] if tree is not None and tree.body else None
    if not isinstance(last, ast.Expr) or code.rstrip().endswith(";"):
        return code
    if (
        isinstance(last.value, ast.Call)
        and isinstance(last.value.func, ast.Name)
        and last.value.func.id in ("print", "display")
    ):
        return code
    source = ast.get_source_segment(code, last)
    lines = code.split("\n")
    before = "\n".join(lines[: last.lineno - 1])
    start = lines[last.lineno - 1].encode()[: last.col_offset].decode()
    after = lines[(last.end_lineno or last.lineno) - 1].encode()[last.end_col_offset :].decode()
    rest = "\n".join(lines[last.end_lineno or last.lineno :])
    return "\n".join(part for part in (before, f"{start}display({source}){after}", rest) if part)


def _about(trace: Trace, sources: Mapping[str, str], *, needs_only: bool = False) -> str:
    """Comments: the goal, and which variables have to be there."""
    lines = [] if needs_only else [f"# {line}" for line in trace.goal.splitlines()]
    needs = trace.environment.get("needs")
    for name, kind in needs.items() if isinstance(needs, Mapping) else ():
        whence = f": {_line(sources[name])}" if name in sources else ", which was there before"
        lines.append(f"# It needs {name} ({kind}){whence}")
    if trace.project and not needs_only:
        lines.append(f"# It worked in the folder of the project {trace.project}.")
    return "\n".join(lines)


def _facts(trace: Trace) -> str:
    packages = trace.environment.get("packages")
    versions = (
        ", ".join(f"{name} {number}" for name, number in packages.items()) if isinstance(packages, Mapping) else ""
    )
    made = (
        f"Made by {trace.agent or 'an agent'} on {trace.created_at[:10]}" if trace.created_at else "Made by an agent"
    )
    return f"{made}{f', with {versions}' if versions else ''}."


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(kind: str, source: str, number: int) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})
