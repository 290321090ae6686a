"""A crystal's module from steps whose places are known: names for the parameters, variables, the text.

What the places are is :mod:`llmos_nb.learning.crystallize`'s affair; this puts them together.
"""

from __future__ import annotations

import ast
import dataclasses
import keyword
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.crystals.facts import Facts
from llmos_nb.crystals.load import Module, read
from llmos_nb.errors import CrystalError, NotCrystallizable
from llmos_nb.learning.crystal_body import Body, body_of
from llmos_nb.learning.crystal_module import Given, module_text
from llmos_nb.learning.crystal_names import CUSTOMARY, free_name, identifiers, scope_of
from llmos_nb.learning.crystal_text import Blank, Offsets
from llmos_nb.learning.crystal_values import Named, Run, all_types, annotation_of, given_from, plain_value
from llmos_nb.memory import Step
from llmos_nb.memory.programs.solution import VARIABLES

__all__ = ["OWN_NAMES", "CrystalSource", "assembled"]

#: Names that a module has of its own.
OWN_NAMES: Final = frozenset({"Any", "Path", "Sequence", "_edited", "_show", "_show_figures", "shlex", "subprocess"})


@dataclass(frozen=True, slots=True)
class CrystalSource:
    """A module as text, not yet tested. ``parameters`` are the function's, in order."""

    name: str
    text: str
    parameters: tuple[Given, ...]
    facts: Facts

    @property
    def digest(self) -> str:
        """Digest of the text, as a report names it."""
        return self.facts.digest

    def module(self, path: str = "") -> Module:
        """The module parsed, as a test wants it."""
        return read(self.text, path or f"{self.name}.py", self.name)


def assembled(
    name: str,
    template: str,
    shape: str,
    steps: Sequence[Step],
    parameters: Sequence[Named],
    blanks: Callable[[Sequence[str]], Sequence[Blank]],
    runs: Sequence[Run],
    *,
    fixed: Mapping[str, Any],
    uses: int,
    successes: int,
) -> CrystalSource:
    """A module from steps and the places in them that parameters fill; ``blanks`` gives the places once the parameters
    have the names that they get in the function.

    Raises:
        NotCrystallizable: with the reason, in words.
    """
    code = [str(step.arguments.get("code", "")) for step in steps if step.tool == "run_cell"]
    trees = [_parsed(text) for text in code]
    wanted = [parameter.name for parameter in parameters]
    whole = frozenset(_assigned_once(trees, wanted, code, blanks(wanted), steps))
    used = set().union(*map(identifiers, trees)) if trees else set()
    names: list[str] = []
    for parameter in parameters:
        others = {*used, *names, *OWN_NAMES, *CUSTOMARY, name}
        base = parameter.name
        names.append(free_name(base, others - {base} if base in whole else others))
    filled = blanks(names)
    renames, chosen = _variables(filled, steps, trees, dict(zip(names, wanted, strict=True)))
    local = _local_names(renames, names, {*used, *names, *OWN_NAMES, *CUSTOMARY, name})
    filled = [other for blank in filled if (other := _as_local(blank, steps, local)) is not None]
    renames = {local.get(bound, bound): source for bound, source in renames.items()}
    sources = [blank.source for blank in filled] + list(renames.values())
    kept = [
        (final, parameter)
        for final, parameter in zip(names, parameters, strict=True)
        if parameter.name not in chosen.values() or any(_mentions(source, final) for source in sources)
    ]
    body = body_of(steps, filled, {final: p.kind for final, p in kept}, whole & set(names))
    _check_module_names(body)
    if used & set(body.helpers):
        raise NotCrystallizable(f"The steps use the name {min(used & set(body.helpers))}, which the module needs.")
    given = tuple(given_from(parameter, final) for final, parameter in kept)
    types = {local.get(bound, bound): kind for bound, kind in all_types(runs).items()}
    facts = Facts(
        name=name,
        template=template,
        shape=shape,
        parameters=tuple({"name": g.name, "from": g.origin, "schema": dict(g.schema)} for g in given),
        fixed={origin: plain_value(value) for origin, value in fixed.items()},
        needs={need: chosen.get(need, "") for need in body.scope.reads},
        binds=body.scope.binds,
        defines={bound: types[bound] for bound in body.scope.binds if bound in types},
        renames={bound: source for bound, source in renames.items() if bound in body.scope.binds},
        shows=body.shows,
        tells=body.tells,
        examples=tuple(_example(run, given, body, chosen) for run in runs),
        uses=uses,
        successes=successes,
    )
    text = module_text(facts, given, body, annotation_of(body.value, types))
    try:
        module = read(text, f"{name}.py", name)
        compile(text, f"{name}.py", "exec", dont_inherit=True)
    except (CrystalError, SyntaxError, ValueError, RecursionError) as error:
        raise NotCrystallizable(f"The steps would not be a function of Python: {error}") from error
    return CrystalSource(name, text, given, module.facts)


def _example(run: Run, given: Sequence[Given], body: Body, chosen: Mapping[str, str]) -> dict[str, Any]:
    arguments = {g.name: plain_value(run.values[g.origin]) for g in given}
    arguments |= {need: str(run.values[chosen[need]]) for need in body.scope.reads if need in chosen}
    binds = {name: other for name, other in run.names.items() if name in body.scope.binds}
    return {"trace": run.trace_id, "arguments": arguments, "names": binds}


def _is_variable(blank: Blank) -> bool:
    return blank.role == "name" and blank.context in VARIABLES


def _variables(
    blanks: Sequence[Blank], steps: Sequence[Step], trees: Sequence[ast.Module], origins: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Variables whose names follow a value: those that the steps bind, with what they are called then; and those of the
    user, with the value that says which one is meant."""
    sources: dict[str, str] = {}
    for blank in blanks:
        if _is_variable(blank):
            name = str(steps[blank.step].arguments[blank.argument])[blank.start : blank.end]
            if blank.context == "import" or sources.setdefault(name, blank.source) != blank.source:
                raise NotCrystallizable(
                    f"Step {blank.step + 1}: the name {name} would have to come from a parameter."
                )
    scope = scope_of(trees)
    renames = {name: source for name, source in sources.items() if name in scope.binds}
    chosen = {}
    for name, source in sources.items():
        if name in scope.reads:
            if name in renames or source not in origins:
                raise NotCrystallizable(f"Which variable {name} is would have to come from a parameter.")
            chosen[name] = origins[source]
    return renames, chosen


def _local_names(renames: Mapping[str, str], parameters: Sequence[str], taken: set[str]) -> dict[str, str]:
    """What such a variable is called inside the function: ``mean_column`` rather than ``mean_sales``."""
    found: dict[str, str] = {}
    for bound, source in renames.items():
        node = ast.parse(source, mode="eval").body
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        said = "".join(
            str(part.value)
            if isinstance(part, ast.Constant)
            else next((n.id for n in ast.walk(part) if isinstance(n, ast.Name) and n.id in parameters), "")
            for part in parts
        )
        if said.isidentifier() and not keyword.iskeyword(said) and said not in taken | set(found.values()):
            found[bound] = said
    return found


def _as_local(blank: Blank, steps: Sequence[Step], local: Mapping[str, str]) -> Blank | None:
    """The place of such a variable's name, filled with its name inside the function; None where that is the same."""
    if not _is_variable(blank):
        return blank
    name = str(steps[blank.step].arguments[blank.argument])[blank.start : blank.end]
    return dataclasses.replace(blank, role="variable", source=local[name]) if name in local else None


def _mentions(source: str, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(ast.parse(source, mode="eval")))


def _parsed(code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise NotCrystallizable("A cell is not plain Python: magics and ! commands stay in notebooks.") from error


def _assigned_once(
    trees: Sequence[ast.Module],
    wanted: Sequence[str],
    code: Sequence[str],
    blanks: Sequence[Blank],
    steps: Sequence[Step],
) -> Iterator[str]:
    """Parameters that the steps themselves bind, once and first of all, to just their value: ``n = 3`` for ``n``."""
    cells = [index for index, step in enumerate(steps) if step.tool == "run_cell"]
    first_read = set(scope_of(trees).reads)
    for name in wanted:
        bound = [
            node
            for tree in trees
            for node in ast.walk(tree)
            if (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load))
            or (isinstance(node, ast.arg) and node.arg == name)
        ]
        elsewhere = any(name in identifiers(ast.Module(_definitions(tree), [])) for tree in trees)
        if len(bound) != 1 or elsewhere or name in first_read:
            continue
        for index, text, tree in zip(cells, code, trees, strict=True):
            offsets = Offsets(text)
            for node in tree.body:
                if isinstance(node, ast.Assign) and len(node.targets) == 1 and node.targets[0] is bound[0]:
                    span = offsets.span(node.value)
                    if any((b.step, (b.start, b.end), b.source) == (index, span, name) for b in blanks):
                        yield name


def _definitions(tree: ast.Module) -> list[ast.stmt]:
    """Everything that binds a name otherwise than by assignment, its insides left out."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    made: list[ast.stmt] = [ast.Nonlocal([node.name]) for node in ast.walk(tree) if isinstance(node, kinds)]
    made += [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    made += [
        ast.Nonlocal([n.name]) for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler | ast.MatchAs) and n.name
    ]
    return made


def _check_module_names(body: Body) -> None:
    """A name that the module imports and the steps bind otherwise would be two things in one function."""
    for line in body.modules:
        names = identifiers(ast.parse(line))
        if names & set(body.scope.binds) and line not in (*body.imports, *body.lifted):
            raise NotCrystallizable(
                f"The steps bind {', '.join(sorted(names))}, which the function needs for itself."
            )
