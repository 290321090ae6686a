"""Walks over syntax trees: as ``ast.walk`` has them, and never without a node that code could hide in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from llmos_nb.kernel.syntax import nodes_of, parents_of, rebuilt

PACKAGE = Path(__file__).parents[2] / "llmos_nb"
CODE = """
@decorated(lambda x, /, y=[z for z in w if z]: x)
async def f[T: int](a: int = 1, *args: "b", c=2, **kw) -> d:
    async with e as g, h() as (i, j):
        await k
    match l:
        case {"m": [n, *o], **p} if q: return r
        case S(t, u=v) | None: yield (x := y)
    try: pass
    except* V as w: raise x from f"{a!r:>{b}}"
"""


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("guard/*.py")), ids=lambda path: path.name)
def test_every_node_in_the_order_of_ast_walk(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert nodes_of(tree) == [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]


def test_every_kind_of_statement() -> None:
    tree = ast.parse(CODE.replace("[T: int]", "") if not hasattr(ast, "TypeVar") else CODE)
    walked = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    assert nodes_of(tree) == walked
    above = parents_of(tree)
    assert [node for node in above if not isinstance(node, ast.operator)] == [
        node for node in walked[1:] if not isinstance(node, ast.operator)
    ]
    assert all(node in list(ast.iter_child_nodes(parent)) for node, parent in above.items())


def test_a_tree_is_rebuilt_without_being_changed() -> None:
    tree = ast.parse("a = [f(x, key=y), 'x']\nb = 1")
    before = ast.dump(tree)

    def other(node: ast.AST) -> ast.AST:
        return ast.Constant(2) if isinstance(node, ast.Name) and node.id == "x" else rebuilt(node, other)

    found = other(tree)
    assert ast.unparse(found) == "a = [f(2, key=y), 'x']\nb = 1"
    assert isinstance(found, ast.Module) and found.body[1] is tree.body[1], "what stays is the same"
    assert ast.dump(tree) == before and rebuilt(tree, lambda node: node) is tree
