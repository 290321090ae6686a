"""A crystal as a person holds it: a thin callable that always runs the newest code of its module."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import CrystalError, GuardDenied
from llmos_nb.guard.effects import is_watched

if TYPE_CHECKING:
    from llmos_nb.crystals.facts import Facts
    from llmos_nb.crystals.files import Loaded
    from llmos_nb.crystals.load import Module
    from llmos_nb.crystals.shelf import CrystalShelf

__all__ = ["Crystal", "names_now"]

_ABSENT: Final = object()


class Crystal:
    """A function made from recorded goals. Calling it calls the function in its module as the file says it now.

    A person's call is an ordinary Python call. :meth:`into` is what goals and agents use: it also binds the names that
    the recorded steps bound. Wherever an agent's code calls it, the guard looks first at what the call would do.
    """

    def __init__(self, shelf: CrystalShelf, name: str) -> None:
        self._shelf = shelf
        self.name = self.__name__ = self.__qualname__ = name
        self.__module__ = "llmos_nb.crystals"
        #: What the last tool of :meth:`into` said, where it ends in one: that is not shown.
        self.told = ""

    def __get__(self, instance: Any, owner: Any = None) -> Crystal:
        """Itself wherever it is kept; having this, it counts as a routine, so that ``help`` tells of its function."""
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        loaded = self._loaded
        if is_watched():
            self._check(loaded.module, inspect.signature(loaded.function).bind(*args, **kwargs).arguments)
        return loaded.function(*args, **kwargs)

    def _check(self, module: Module, arguments: Mapping[str, Any]) -> None:
        verdict = self._shelf.judge(module, arguments)
        if verdict.decision != "allow":
            raise GuardDenied(
                f"{self.name}: {verdict.reason}", rule=verdict.rule, remedy="Call it with other values, or yourself."
            )

    def into(self, names: MutableMapping[str, Any], /, **arguments: Any) -> Any:
        """Call it as the goal that it was made from, among ``names`` (``globals()``): what its steps bound is bound.

        Variables that it needs and that are not given are taken from ``names``. Returns the value that is to be shown,
        None if none is.

        Raises:
            CrystalError: it is out of use, or needs a variable that is not there.
            GuardDenied: the guard refuses what it would do with these arguments.
        """
        loaded = self._shelf.usable(self.name)
        module, facts = loaded.module, loaded.module.facts
        for name in facts.needs:
            if name in module.parameters and name not in arguments:
                if name not in names:
                    raise CrystalError(
                        f"{self.name}: needs the variable {name}, which is not there.",
                        remedy=f"Bind {name} first, or give it: {self.name}({name}=…).",
                    )
                arguments[name] = names[name]
        self._check(module, arguments)
        schemas = {str(parameter["name"]): parameter["schema"] for parameter in facts.parameters}
        arguments = {name: _as_declared(value, schemas.get(name, {})) for name, value in arguments.items()}
        called = names_now(facts.renames, module, arguments)
        value, bound = loaded.twin(**arguments)
        top = vars(loaded.loaded)  # functions and imports of the steps that stand in the module
        bound = {**{name: top[name] for name in facts.binds if name in top}, **bound}
        given = set(module.parameters) - set(facts.binds)
        names.update({called.get(name, name): kept for name, kept in bound.items() if name not in given})
        self.told = value if facts.tells and isinstance(value, str) else ""
        return value if facts.shows else None

    @property
    def _loaded(self) -> Loaded:
        return self._shelf.load(self.name)

    @property
    def shelf(self) -> CrystalShelf:
        """Where it is kept."""
        return self._shelf

    @property
    def function(self) -> Callable[..., Any]:
        """The function as the file defines it now."""
        return self._loaded.function

    @property
    def facts(self) -> Facts:
        """Where it comes from: traces, uses, parameters."""
        return self._loaded.module.facts

    @property
    def path(self) -> Path:
        """Its module's file."""
        return self._shelf.path(self.name)

    @property
    def source(self) -> str:
        """Its module's text."""
        return self._loaded.module.text

    @property
    def status(self) -> str:
        """``ready``, or why goals do not use it."""
        return self._shelf.refusal(self.name) or "ready"

    @property
    def schema(self) -> dict[str, Any]:
        """A JSON schema of its arguments. Variables that it needs are not among them: a caller names no values there."""
        module = self._loaded.module
        known = {str(p["name"]): dict(p["schema"]) for p in module.facts.parameters}
        properties, required = {}, []
        for name, parameter in inspect.signature(self._loaded.function).parameters.items():
            if name in module.facts.needs:
                continue
            properties[name] = known.get(name, {"description": "An argument that was added by hand."})
            if parameter.default is parameter.empty:
                required.append(name)
        return {
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    def arguments(self, bindings: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments for :func:`~llmos_nb.crystals.offered.call_code` from values bound to the generalization's
        parameters. For variables that it needs these are their names. Every parameter must have a value: a goal is never
        served with a default, which is some other goal's value.

        Raises:
            CrystalError: a value is missing, or bound to what is no parameter or to one that is always the same.
        """
        facts = self.facts
        found: dict[str, Any] = {}
        for origin, value in bindings.items():
            here = {str(p["name"]): value for p in facts.parameters if p["from"] == origin}
            here |= {need: value for need, which in facts.needs.items() if which == origin}
            if not here and facts.fixed.get(origin, _ABSENT) != value:
                known = (
                    f"its {origin} is always {facts.fixed[origin]!r}" if origin in facts.fixed else f"has no {origin}"
                )
                raise CrystalError(f"{self.name}: {known}.")
            found |= here
        wanted = [str(p["name"]) for p in facts.parameters] + [need for need, which in facts.needs.items() if which]
        missing = [name for name in wanted if name not in found]
        if missing:
            raise CrystalError(f"{self.name}: the goal gives no value for {', '.join(missing)}.")
        return found

    def bindings(self, trace_id: str) -> dict[str, Any]:
        """The values of a recorded run by the generalization's names: :meth:`arguments` backwards. Empty for a run that
        this crystal was not made from."""
        facts = self.facts
        given: Mapping[str, Any] = next((e["arguments"] for e in facts.examples if e["trace"] == trace_id), {})
        origins = {str(p["name"]): str(p["from"]) for p in facts.parameters} | dict(facts.needs)
        return {origins[name]: value for name, value in given.items() if origins.get(name)}

    @property
    def __signature__(self) -> inspect.Signature:
        function = self._loaded.function
        self.__dict__["__doc__"] = function.__doc__  # help() looks there, after it asked for the signature
        return inspect.signature(function)

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self._loaded.function

    def __getattribute__(self, name: str) -> Any:
        if name == "__doc__":  # the function's own, which changes with the file
            return object.__getattribute__(self, "_loaded").function.__doc__
        return object.__getattribute__(self, name)

    def __repr__(self) -> str:
        try:
            return f"<crystal {self.name}{self.__signature__}>"
        except CrystalError as error:
            return f"<crystal {self.name}: {error.message}>"

    def _repr_markdown_(self) -> str:
        facts = self.facts
        return "\n".join(
            [
                f"**`{self.name}{self.__signature__}`**",
                "",
                inspect.cleandoc(str(self.__doc__ or "")).replace("\n", "  \n"),
                "",
                f"*{facts.uses} uses, {facts.success:.0%} successful; {self.status}*",
            ]
        )

    def __reduce__(self) -> Any:
        from llmos_nb.crystals.current import on_shelf

        return on_shelf, (str(self._shelf.folder), self.name)


def names_now(renames: Mapping[str, str], module: Module, arguments: Mapping[str, Any]) -> dict[str, str]:
    """What the bound names are called for these arguments: ``mean_sales`` for the column ``sales``."""
    if not renames:
        return {}
    values = {**module.defaults, **arguments}
    found = {}
    for name, source in renames.items():
        called = eval(source, {}, values)  # part of the module, which was judged and run already
        if not isinstance(called, str) or not called.isidentifier() or keyword.iskeyword(called):
            raise CrystalError(f"{module.definition.name}: {called!r} would have to name a variable, and cannot.")
        found[name] = called
    return found


def _as_declared(value: Any, schema: Mapping[str, Any]) -> Any:
    """Whole numbers as ``float`` where the recorded values were: ``3`` was written ``3.0`` there."""
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.get("type") == "array" and isinstance(value, list | tuple):
        return type(value)(_as_declared(item, schema.get("items", {})) for item in value)
    return value
