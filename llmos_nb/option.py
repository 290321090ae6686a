"""What one option is: a dataclass field that carries its type, its help and its check as data.

Where a value came from only matters for messages, and what is secret never reaches one.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import SettingsError
from llmos_nb.loosening import Loosens

__all__ = [
    "NUMBER", "PATH", "TABLE", "TEXT", "WHOLE", "Kind", "amount", "checked", "closest", "count", "filled", "option",
    "positive", "share", "shown", "wrong_type",
]  # fmt: skip

#: Whole numbers fit in 64 bits; a larger one can be neither compared with a float nor, from 4300 digits, printed.
WHOLE_LIMIT: Final = 2**63

#: A check returns what is wrong with a value of the right type, or an empty string.
Check = Callable[[Any], str]


def amount(value: float) -> str:
    """A check for US dollars."""
    return "" if math.isfinite(value) and value >= 0 else "must be a finite number of at least 0"


def positive(value: float) -> str:
    """A check for times and counts."""
    return "" if math.isfinite(value) and value > 0 else "must be a finite number above 0"


def count(value: int) -> str:
    """A check for counts that may be none at all."""
    return "" if value >= 0 else "must be at least 0"


def share(value: float) -> str:
    """A check for confidences."""
    return "" if 0 <= value <= 1 else "must lie between 0 and 1"


def filled(value: str) -> str:
    """A check for names and keys."""
    return "" if value.strip() == value != "" else "must not be empty or have spaces around it"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of option: how it is called, read from an environment variable, and recognized."""

    label: str
    from_text: Callable[[str], Any]
    accept: Callable[[Any], Any]


def _as_text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return value


def _as_path(value: Any) -> Path:
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value) or "\0" in str(value):
        raise ValueError
    return Path(value)


def _as_whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= WHOLE_LIMIT:
        raise ValueError
    return value


def _as_number(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError
    return float(value)


def _as_table(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError
    return dict(value)


TEXT: Final = Kind("text", str, _as_text)
PATH: Final = Kind("path", Path, _as_path)
WHOLE: Final = Kind("whole number", int, _as_whole)
NUMBER: Final = Kind("number", float, _as_number)
TABLE: Final = Kind("table", str, _as_table)


def option(
    kind: Kind,
    default: Any,
    help: str,
    *,
    check: Check | None = None,
    none: str = "",
    secret: bool = False,
    built_in: bool = False,
    loosens: Loosens | None = None,
) -> Any:
    """Declare one option. ``none`` is the word for None in a file or variable, for options that have one.

    ``built_in``: parts of a system are made with it, and have to be made anew when it changes. ``loosens``: whether a
    value lets agents do more than another; where it does, a file has it in force only once a person trusts it.
    """
    described = {"kind": kind, "help": help, "check": check, "none": none, "secret": secret, "built_in": built_in}
    described["loosens"] = loosens
    if kind is TABLE:
        return dataclasses.field(default_factory=dict, metadata=described)
    return dataclasses.field(default=default, metadata=described)


def checked(field: dataclasses.Field[Any], value: Any, where: str) -> Any:
    """``value`` as the option keeps it; ``where`` is the source that it came from.

    Raises:
        SettingsError: it has the wrong type, or the option's check refuses it.
    """
    none = field.metadata["none"]
    if (value is None and (none or field.default is None)) or (none and value == none):
        return None
    if none and value == "" and field.metadata["kind"] is TEXT:
        return None  # nothing, in the words of a text
    try:
        value = field.metadata["kind"].accept(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise wrong_type(field, value, where) from error
    check: Check | None = field.metadata["check"]
    if check is not None and (problem := check(value)):
        raise SettingsError(f"{where}: {problem}{_got(field, value)}.", remedy=field.metadata["help"])
    return value


def wrong_type(field: dataclasses.Field[Any], value: Any, where: str) -> SettingsError:
    """The error for a value of another type; ``where`` is the source that it came from."""
    none = field.metadata["none"]
    wanted = field.metadata["kind"].label + (f" or {none!r}" if none else "")
    return SettingsError(f"{where}: must be a {wanted}{_got(field, value)}.", remedy=field.metadata["help"])


def _got(field: dataclasses.Field[Any], value: Any) -> str:
    if field.metadata["secret"]:
        return ""
    text = shown(field, value)
    return f", got {text if len(text) <= 60 else text[:57] + '…'}"


def shown(field: dataclasses.Field[Any], value: Any) -> str:
    """``repr(value)`` without what is secret: keys, the values of tables, and passwords inside URLs."""
    if field.metadata["secret"] and value is not None:
        return "***"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: ***" for key in value) + "}"
    if isinstance(value, int) and abs(value) >= WHOLE_LIMIT:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, str) and "://" in value:
        value = re.sub(r"(://[^/?#]*:)[^/?#]*@", r"\1***@", value)
        value = re.sub(r"(?i)([?&][^=&#]*(?:pass|pwd|key|token|secret)[^=&#]*=)[^&#]*", r"\1***", value)
    return repr(value)


def closest(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest of the known ones, if one is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; the closest is {close[0]!r}" if close else ""
