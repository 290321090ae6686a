"""The text of a crystal's module: imports, the function with its docstring, what it calls, and ``__llmos__``.

Nothing in it depends on when or where it is made: the same traces give the same bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.crystals.facts import Facts, sealed
from llmos_nb.learning.crystal_body import Body
from llmos_nb.learning.crystal_text import indented

__all__ = ["Given", "module_text"]

#: Characters in a line of code; of prose in docstrings.
WIDTH: Final = 118
PROSE: Final = 100

_EDITED: Final = '''
def _edited(data: bytes, old: str, new: str) -> bytes:
    """``data`` with ``new`` in place of ``old``, which must occur exactly once."""
    text = data.decode("utf-8")
    if "\\r\\n" in text and "\\r" not in old:
        old, new = old.replace("\\n", "\\r\\n"), new.replace("\\r\\n", "\\n").replace("\\n", "\\r\\n")
    if not old or text.count(old) != 1:
        raise ValueError(f"the old text occurs {text.count(old)} times; it must occur exactly once")
    return text.replace(old, new).encode("utf-8")
'''
_SHOW: Final = '''
def _show(value: object) -> None:
    """Show a value as a notebook shows the last line of a cell."""
    if sys.displayhook is not sys.__displayhook__:
        sys.displayhook(value)
    elif value is not None:
        print(repr(value))
'''
_SHOW_FIGURES: Final = '''
def _show_figures() -> None:
    """Show what was drawn and begin anew, as a notebook does at the end of a cell."""
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:  # pictures are made without it, too
        pyplot.show()
'''
#: Functions of ours that a module may need. They do nothing that the guard would have to look into.
_HELPERS: Final = {"_edited": _EDITED, "_show": _SHOW, "_show_figures": _SHOW_FIGURES}


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter: ``annotation`` and ``default`` as source, ``about`` in words, ``origin`` its name in the
    generalization."""

    name: str
    annotation: str
    default: str
    about: str
    origin: str
    schema: Mapping[str, Any]


def module_text(facts: Facts, parameters: Sequence[Given], body: Body, returns: str) -> str:
    """The whole module, its digest filled in. ``returns`` is the annotation of the function's value."""
    lines = list(body.modules)
    if body.scope.reads or returns == "Any":
        lines.append("from typing import Any")
    if any(parameter.annotation.startswith("Sequence[") for parameter in parameters):
        lines.append("from collections.abc import Sequence")
    imports = _ordered(lines)
    parts = [f'"""{_safe(_title(facts))}\n\n{_safe(_provenance(facts))}\n"""\n']
    if imports:
        parts.append("\n".join(imports) + "\n")
    parts.append(f'__all__ = ["{facts.name}"]\n')
    inside = [
        f'"""{_docstring(facts, parameters, body)}\n    """'
        if parameters or body.scope.reads
        else f'"""{_safe(_title(facts))}"""'
    ]
    if body.imports:
        inside.append("\n".join(body.imports) + "\n")
    inside.append(body.statements)
    function = _signature(facts.name, parameters, body.scope.reads, returns) + "\n" + indented("\n".join(inside))
    functions = [*body.definitions, function.rstrip()]
    text = "\n".join(parts) + "".join(f"\n\n{one}\n" for one in functions)
    for helper in body.helpers:
        text += "\n" + _HELPERS[helper]
    return sealed(f"{text}\n\n{facts.as_source()}")


def _ordered(lines: Sequence[str]) -> list[str]:
    plain = sorted(line for line in set(lines) if line.startswith("import "))
    return plain + sorted(line for line in set(lines) if not line.startswith("import "))


def _signature(name: str, parameters: Sequence[Given], needs: Sequence[str], returns: str) -> str:
    """Parameters in the order of the goal, then the variables it needs, which are named in calls."""
    given = [f"{p.name}: {p.annotation}" for p in parameters]
    if needs:
        given += ["*", *(f"{need}: Any" for need in needs)]
    line = f"def {name}({', '.join(given)}) -> {returns}:"
    if len(line) <= WIDTH and not any("\n" in part for part in given):
        return line
    return f"def {name}(\n" + "".join(f"    {part},\n" for part in given) + f") -> {returns}:"


def _title(facts: Facts) -> str:
    """The template as one sentence, values by their names."""
    words = " ".join(facts.template.split()) or facts.name.replace("_", " ")
    title = words[0].upper() + words[1:]
    title = title if len(title) <= PROSE - 8 else title[: PROSE - 10].rstrip() + " …"
    return title if title.endswith((".", "?", "!", "…")) else f"{title}."


def _provenance(facts: Facts) -> str:
    traces = ", ".join(facts.traces)
    return "\n".join(
        [
            *_wrapped(
                f"Made from {len(facts.examples)} recorded runs of this goal after {facts.uses} uses, "
                f"{facts.successes} of them successful ({facts.success:.0%})."
            ),
            *_wrapped(f"Traces: {traces}."),
            *_wrapped(
                "It may be edited: it is then kept as it is, and used once you trust it and its tests pass again."
            ),
        ]
    )


def _docstring(facts: Facts, parameters: Sequence[Given], body: Body) -> str:
    """The function's docstring, its lines where they stand in the function."""
    about = [f"{p.name}: {p.about or 'a value.'}" for p in parameters]
    about += [f"{need}: your variable of this name." for need in body.scope.reads]
    lines = [_safe(_title(facts)), "", "    Args:"]
    for text in about:
        first, *others = _wrapped(_safe(text), 12)
        lines += [f"        {first}", *(f"            {line}" for line in others)]
    return "\n".join(lines)


def _wrapped(text: str, less: int = 0) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), PROSE - less, break_long_words=False, break_on_hyphens=False)


def _safe(text: str) -> str:
    """``text`` so that it can stand between three quotes and is read as it is."""
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    text = f'{text[:-1]}\\"' if text.endswith('"') else text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
