"""Code that calls crystals as code that needs none: the functions themselves, or their bodies, in place of the imports.

A goal or an agent calls a crystal among the names of a notebook, so that what its steps bind is bound there. What such a
call did is the function's body with the arguments as variables before it.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from typing import Any, Final

from llmos_nb.crystals.crystal import names_now
from llmos_nb.crystals.load import Module
from llmos_nb.crystals.shelf import CrystalShelf
from llmos_nb.errors import CrystalError

__all__ = ["inlined"]

_FROM: Final = "llmos_nb.crystals"
_OWN: Final = frozenset({"__all__", "__llmos__"})


def inlined(code: str, shelf: CrystalShelf) -> str:
    """``code`` without the crystals of ``shelf`` that it imports; as it is where that cannot be said in other words."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == _FROM]
    known = {alias.asname or alias.name: alias.name for node in imports for alias in node.names}
    modules = {alias: module for alias, name in known.items() if (module := _module(shelf, name)) is not None}
    rows = [row for node in tree.body for row in range(node.lineno, (node.end_lineno or node.lineno) + 1)]
    if not modules or len(rows) != len(set(rows)):  # two statements in a line are left alone
        return code
    lines = code.split("\n")
    bodies: dict[int, str] = {}
    inside: set[int] = set()
    for node in tree.body:
        found = _into(node)
        if (
            found is not None
            and found[0] in modules
            and (body := _body(code, modules[found[0]], found[1])) is not None
        ):
            bodies[id(node)] = body
            inside |= {id(part) for part in ast.walk(node)}
    called = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in inside and n.id in modules}
    if any(
        _into(part) is not None for part in ast.walk(tree) if isinstance(part, ast.Expr) and id(part) not in inside
    ):
        return code  # such a call is no call of the function
    parts, at = [], 0
    for node in tree.body:
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        if node in imports or id(node) in bodies:
            parts.append("\n".join(lines[at:first]))
            parts.append(bodies[id(node)] if id(node) in bodies else _imported(node, modules, called))
            at = last
    parts.append("\n".join(lines[at:]))
    return "\n".join(part for part in parts if part.strip())


def _module(shelf: CrystalShelf, name: str) -> Module | None:
    try:
        return shelf.module(name)
    except CrystalError:  # it is gone by now
        return None


def _imported(node: ast.stmt, modules: Mapping[str, Module], called: set[str]) -> str:
    """The functions that stand in place of their import; those that are gone stay imported."""
    assert isinstance(node, ast.ImportFrom)
    parts = []
    for alias in node.names:
        here = alias.asname or alias.name
        if here not in modules:
            parts.append(f"{ast.unparse(ast.ImportFrom(_FROM, [alias], 0))}  # which is not there any more")
        elif here in called:
            other = f"\n\n\n{here} = {alias.name}" if here != alias.name else ""
            parts.append(f"{_whole(modules[here])}{other}\n")
    return "\n".join(parts)


def _into(node: ast.AST) -> tuple[str, ast.Call] | None:
    """The crystal and the call, where a statement is ``crystal.into(globals(), …)``."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "into":
        return None
    if not isinstance(call.func.value, ast.Name) or len(call.args) != 1:
        return None
    return call.func.value.id, call


def _around(module: Module) -> list[str]:
    """What a module has beside its function that the function may use."""
    texts = []
    for node in module.tree.body:
        names = {target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)}
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if node is not module.definition and not names & _OWN and not is_text:
            texts.append(_text(module, node))
    return texts


def _whole(module: Module) -> str:
    return "\n\n\n".join(
        [*(["\n".join(around)] if (around := _around(module)) else []), _text(module, module.definition)]
    )


def _text(module: Module, node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return "\n".join(module.text.split("\n")[first - 1 : node.end_lineno])


def _body(code: str, module: Module, call: ast.Call) -> str | None:
    """The body of a crystal's function with its arguments as variables; None where it returns before its end."""
    body = module.definition.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    last = body[-1] if body and isinstance(body[-1], ast.Return) else None
    if not body or any(keyword.arg is None for keyword in call.keywords) or _returns(body) - (last is not None):
        return None
    given = {str(keyword.arg): ast.get_source_segment(code, keyword.value) or "" for keyword in call.keywords}
    head = [text for node in _around(module) if (text := node) and text != "from typing import Any"]
    head += _parameters(module, given)
    rest = body[:-1] if last is not None else body
    text = _statements(module, rest) if rest else ""
    if last is not None and last.value is not None:
        value = ast.unparse(last.value)
        if module.facts.shows:
            text += f"\n{value}"
        elif not isinstance(last.value, ast.Name | ast.Constant):
            text += f"\n{value};"
    about = f"# {' '.join(module.facts.template.split()) or module.definition.name}"
    return "\n".join([about, *head, text.strip("\n"), *_renamed(module, given)])


def _returns(body: list[ast.stmt]) -> int:
    """How often the function itself returns: functions inside it have returns of their own."""
    count: int = 0
    waiting = list[ast.AST](body)
    while waiting:
        node = waiting.pop()
        count += int(isinstance(node, ast.Return))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return count


def _parameters(module: Module, given: Mapping[str, str]) -> list[str]:
    schemas = {str(one["name"]): one["schema"] for one in module.facts.parameters}
    defaults = {name: repr(value) for name, value in module.defaults.items()}
    lines = []
    for name in module.parameters:
        value = given.get(name) or defaults.get(name) or name
        if schemas.get(name, {}).get("type") == "number" and value.lstrip("-").isdigit():
            value = f"{value}.0"  # as the recorded steps had it
        if value != name:  # a variable that it needs, and that is called so
            lines.append(f"{name} = {value}")
    return lines


def _statements(module: Module, nodes: list[ast.stmt]) -> str:
    """Statements of the function as they are written, but for the margin; anew where a text of theirs has lines."""
    inner = [part for node in nodes for part in ast.walk(node)]
    if any(
        isinstance(part, ast.Constant | ast.JoinedStr) and part.end_lineno != part.lineno and _is_text(part)
        for part in inner
    ):
        return "\n".join(ast.unparse(node) for node in nodes)
    lines = module.text.split("\n")[_first(nodes[0]) - 1 : nodes[-1].end_lineno]
    return textwrap.dedent("\n".join(lines))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str | bytes)


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _renamed(module: Module, given: Mapping[str, str]) -> list[str]:
    values: dict[str, Any] = {}
    for name, source in given.items():
        try:
            values[name] = ast.literal_eval(source)
        except (ValueError, SyntaxError):
            continue
    try:
        return [f"{called} = {name}" for name, called in names_now(module.facts.renames, module, values).items()]
    except Exception:  # noqa: BLE001 - a name that depends on what is not written in the call stays as it is
        return []
