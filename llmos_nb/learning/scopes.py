"""Python's own account of the names of a piece of code, the same with every version of Python."""

from __future__ import annotations

import ast
import symtable
from typing import Any

__all__ = ["names_of"]


def names_of(node: ast.stmt) -> symtable.SymbolTable:
    """The symbol table of a statement, as of a module with nothing else in it.

    A comprehension has a scope of its own: since Python 3.12 the table of the code around a list, set or dict
    comprehension names its variables as well (PEP 709), so each is looked at as a generator.
    """
    copied = ast.parse(ast.unparse(ast.fix_missing_locations(ast.Module([node], []))))
    module = ast.fix_missing_locations(_AsGenerators().visit(copied))
    return symtable.symtable(ast.unparse(module), "<step>", "exec")


class _AsGenerators(ast.NodeTransformer):
    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> Any:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> Any:
        return self.generic_visit(ast.GeneratorExp(ast.Tuple([node.key, node.value], ast.Load()), node.generators))
