"""Settings that libraries keep for the whole process: pandas' and numpy's options, matplotlib's style, warnings' filters.

A run that changes them changes how everything looks that comes after it, so they are kept and put back like variables.
Only of libraries that are loaded already: what a run imports begins with that library's own settings. Random generators
are not among them, since they go on with every number that anybody draws (:mod:`llmos_nb.guard.generators`).
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["kept_settings", "put_settings", "settings_now"]

#: What a front end sets in matplotlib by itself.
_FRONT_ENDS: Final = ("backend", "interactive", "toolbar", "webagg")


class _Options(dict[str, Any]):
    """Options by name; those that a library only came to have later make no difference."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(self[key] == other[key] for key in self.keys() & other.keys())

    def __ne__(self, other: object) -> bool:
        return not self == other


def _pandas() -> dict[str, Any]:
    found = _Options()

    def collect(tree: Mapping[str, Any], start: str = "") -> None:
        for key, value in tree.items():
            if isinstance(value, dict):
                collect(value, f"{start}{key}.")
            else:
                found[start + key] = value

    collect(sys.modules["pandas._config.config"]._global_config)
    return found


def _put_pandas(value: Mapping[str, Any]) -> None:
    now, put = _pandas(), sys.modules["pandas"].set_option
    for key, old in value.items():
        if key in now and now[key] != old:
            put(key, old)


def _matplotlib() -> dict[str, Any]:
    style = sys.modules["matplotlib"].rcParams
    return _Options((key, value) for key, value in dict.items(style) if not key.startswith(_FRONT_ENDS))


def _put_matplotlib(value: Mapping[str, Any]) -> None:
    style, now = sys.modules["matplotlib"].rcParams, _matplotlib()
    for key, old in value.items():
        if key in now and now[key] != old:
            style[key] = old


def _numpy() -> dict[str, Any]:
    numpy = sys.modules["numpy"]
    return {"print": numpy.get_printoptions(), "errors": numpy.geterr()}


def _put_numpy(value: Mapping[str, Any]) -> None:
    numpy = sys.modules["numpy"]
    numpy.set_printoptions(**value["print"])
    numpy.seterr(**value["errors"])


def _filters() -> tuple[Any, ...]:
    """Filters for all modules: those that a library adds when it is imported are for its own."""
    return tuple(
        one for one in warnings.filters if one[1] is None and one[3] is None and one[2].__module__ == "builtins"
    )


def _put_filters(value: tuple[Any, ...]) -> None:
    wide = _filters()
    rest = [one for one in warnings.filters if one not in wide]
    warnings.resetwarnings()  # tells the interpreter that they changed
    filters: Any = warnings.filters
    filters[:] = [*value, *rest]


#: By what people call it: the module that has to be loaded, what it is now, how it is put back.
_KINDS: Final[Mapping[str, tuple[str, Callable[[], Any], Callable[[Any], None]]]] = {
    "pandas' options": ("pandas._config.config", _pandas, _put_pandas),
    "matplotlib's style": ("matplotlib.pyplot", _matplotlib, _put_matplotlib),
    "numpy's options": ("numpy", _numpy, _put_numpy),
    "warnings' filters": ("warnings", _filters, _put_filters),
}


def kept_settings() -> dict[str, Any]:
    """The settings of libraries that are loaded, by what people call them."""
    return {name: value for name in _KINDS if (value := settings_now(name)) is not None}


def settings_now(name: str) -> Any:
    """The settings called ``name``; None where there are none, or the library is another than was known."""
    module, now, _ = _KINDS.get(name, ("", None, None))
    if now is None or module not in sys.modules:
        return None
    with contextlib.suppress(Exception):  # no setting of a library is worth a run
        return now()
    return None


def put_settings(name: str, value: Any) -> bool:
    """Put settings back; False where there are none of that name."""
    if name not in _KINDS:
        return False
    with warnings.catch_warnings() if name != "warnings' filters" else contextlib.nullcontext():
        if name != "warnings' filters":
            warnings.simplefilter("ignore")  # options that are going to be renamed
        _KINDS[name][2](value)
    return True
