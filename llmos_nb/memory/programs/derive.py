"""What a program may make of a value: simple functions of a slot, each with its Python source.

A place that holds ``2`` where the goal says ``3`` may be ``n - 1``; a title that says ``Body Mass`` where the goal
names ``body_mass`` is that name in words. Only the functions here are ever considered, and each must hold in every
example. The list is short on purpose: each further function explains more coincidences.
"""

from __future__ import annotations

import builtins
import functools
import keyword
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from llmos_nb.memory.programs.reading import Literal, plain_number
from llmos_nb.memory.slots.ordinary import words
from llmos_nb.memory.slots.slot import Slot

__all__ = ["IDENTITIES", "SLUGS", "Forms", "Number", "forms_of", "number_form", "source_of"]

Number = int | Decimal

#: Names of the functions that change nothing: these win over a function that happened to change nothing.
IDENTITIES: Final = frozenset({"same", "str"})
#: What else may have happened to a value in a file's or a variable's name, though the examples do not show it.
SLUGS: Final = frozenset({"same", "lower", "snake", "snake lower", "str", "two digits"})

#: ``{x}`` stands for the parameter. Functions that are missing here have no source.
_SOURCES: Final[dict[str, str]] = {
    "same": "{x}", "number": "int({x})", "str": "format({x}, '.15g')",
    "less one": "{x} - 1", "plus one": "{x} + 1", "twice": "2 * {x}", "square": "{x} ** 2", "power of two": "2 ** {x}",
    "half": "{x} // 2", "negative": "-{x}", "rest of one": "round(1 - {x}, 12)",
    "rest of hundredth": "round(1 - {x} / 100, 12)", "hundredth": "{x} / 100", "hundredfold": "{x} * 100",
    "rest of hundred": "100 - {x}", "two digits": "format({x}, '02d')",
    "lower": "{x}.lower()", "upper": "{x}.upper()", "title": "{x}.title()", "capital": "{x}[:1].upper() + {x}[1:]",
    "sentence": "{x}.capitalize()", "snake": "{x}.replace(' ', '_').replace('-', '_')",
    "snake lower": "{x}.replace(' ', '_').replace('-', '_').lower()",
    "kebab": "{x}.replace(' ', '-').replace('_', '-')", "kebab lower": "{x}.replace(' ', '-').replace('_', '-').lower()",
    "words": "{x}.replace('_', ' ')", "words title": "{x}.replace('_', ' ').title()",
    "words sentence": "{x}.replace('_', ' ').capitalize()", "words lower": "{x}.replace('_', ' ').lower()",
    "joined": "{x}.replace(' ', '')",
    "file name": "{x}.rsplit('/', 1)[-1]", "stem": "{x}.rsplit('/', 1)[-1].rsplit('.', 1)[0]",
    "without suffix": "{x}.rsplit('.', 1)[0]", "suffix": "{x}.rsplit('.', 1)[-1]", "folder": "{x}.rpartition('/')[0]",
    "year": "int({x}[:4])", "month": "int({x}[5:7])", "day": "int({x}[8:10])",
    "year text": "{x}[:4]", "month text": "{x}[5:7]", "day text": "{x}[8:10]", "compact": "{x}.replace('-', '')",
    "month plain": "str(int({x}[5:7]))", "day plain": "str(int({x}[8:10]))",
    "length": "len({x})", "length less one": "len({x}) - 1", "length plus one": "len({x}) + 1",
    "comma list": "', '.join({x})", "tight list": "','.join({x})", "underscore list": "'_'.join({x})",
    "space list": "' '.join({x})",
}  # fmt: skip
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                  "November", "December")  # fmt: skip

_STYLES: Final[dict[str, Callable[[str], str]]] = {
    "same": lambda x: x,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "capital": lambda x: x[:1].upper() + x[1:],
    "sentence": str.capitalize,
    "snake": lambda x: x.replace(" ", "_").replace("-", "_"),
    "snake lower": lambda x: x.replace(" ", "_").replace("-", "_").lower(),
    "kebab": lambda x: x.replace(" ", "-").replace("_", "-"),
    "kebab lower": lambda x: x.replace(" ", "-").replace("_", "-").lower(),
    "words": lambda x: x.replace("_", " "),
    "words title": lambda x: x.replace("_", " ").title(),
    "words sentence": lambda x: x.replace("_", " ").capitalize(),
    "words lower": lambda x: x.replace("_", " ").lower(),
    "joined": lambda x: x.replace(" ", ""),
}
_PATHS: Final[dict[str, Callable[[str], str]]] = {
    "file name": lambda x: x.rsplit("/", 1)[-1],
    "stem": lambda x: x.rsplit("/", 1)[-1].rsplit(".", 1)[0],
    "without suffix": lambda x: x.rsplit(".", 1)[0],
    "suffix": lambda x: x.rsplit(".", 1)[-1],
    "folder": lambda x: x.rpartition("/")[0],
    "table name": lambda x: _table_name(x.rsplit("/", 1)[-1].rpartition(".")[0]),
}
#: Names that notebooks have libraries under, beside Python's own: a table called so would hide them.
_LIBRARIES: Final = frozenset(words("alt duckdb gpd llmos np nx pd pl plt px sm sns sp tf xr"))
#: Units that a program may count in, as multiples of the base unit (SI brochure; inch and foot are exact since 1959).
_UNITS: Final[dict[str, dict[str, Decimal]]] = {
    "m": {"mm": Decimal("0.001"), "cm": Decimal("0.01"), "dm": Decimal("0.1"), "km": Decimal(1000),
          "um": Decimal("0.000001"), "nm": Decimal("0.000000001"), "in": Decimal("0.0254"), "ft": Decimal("0.3048")},
    "s": {"ms": Decimal("0.001"), "us": Decimal("0.000001"), "ns": Decimal("0.000000001"), "min": Decimal(60),
          "h": Decimal(3600)},
    "day": {"week": Decimal(7)}, "month": {"year": Decimal(12)}, "bit": {"kbit": Decimal(1000), "Mbit": Decimal(10**6)},
    "kg": {"g": Decimal("0.001"), "mg": Decimal("0.000001"), "t": Decimal(1000)},
    "g": {"mg": Decimal("0.001"), "kg": Decimal(1000)},
    "Hz": {"kHz": Decimal(1000), "MHz": Decimal(10**6), "GHz": Decimal(10**9)},
    "B": {"kB": Decimal(1000), "MB": Decimal(10**6), "GB": Decimal(10**9), "KiB": Decimal(1024), "MiB": Decimal(1024**2)},
    "V": {"mV": Decimal("0.001"), "kV": Decimal(1000)},
    "W": {"mW": Decimal("0.001"), "kW": Decimal(1000)},
    "m/s": {"cm/s": Decimal("0.01"), "mm/s": Decimal("0.001")},
}  # fmt: skip
_FULL_DATE: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")
_MONTH: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_CLOCK: Final = re.compile(r"\d{1,2}(?::\d\d){0,2}")
_WRITTEN: Final = re.compile(r"[-+−]?\d[\d,_]*(?:\.\d+)?|[-+−]?\.\d+")


@dataclass(frozen=True, slots=True)
class Forms:
    """Everything a program might have made of one slot, by the function's name."""

    numbers: Mapping[str, Number]
    texts: Mapping[str, str]
    lists: Mapping[str, tuple[Literal, ...]]


def source_of(function: str, parameter: str) -> str:
    """The function as a Python expression over ``parameter``; empty where it has none."""
    if function.startswith("in "):
        factor = next((units[function[3:]] for units in _UNITS.values() if function[3:] in units), None)
        return f"round({parameter} / {factor}, 9)" if factor else ""
    if ", " in function:  # a style of a part
        part, _, style = function.partition(", ")
        inner = source_of(part, parameter)
        return source_of(style, inner) if inner else ""
    if function.startswith("number "):
        return source_of(function.removeprefix("number "), f"int({parameter})")
    return _SOURCES.get(function, "").replace("{x}", parameter)


def number_form(value: object) -> Number | None:
    """``value`` as an exact number, if it is one or a text that writes one the way a program would (no ``007``)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value):
        return plain_number(value)
    return None


@functools.lru_cache(maxsize=8192)
def forms_of(slot: Slot) -> Forms:
    """All forms of a slot's value; a function that does not apply has no entry."""
    numbers: dict[str, Number] = {}
    texts: dict[str, str] = {}
    lists: dict[str, tuple[Literal, ...]] = {}
    value = slot.value
    if isinstance(value, tuple):
        _of_list(slot, value, numbers, texts, lists)
    elif slot.kind in ("date", "datetime", "time") and isinstance(value, str):
        _of_date(slot, value, numbers, texts)
    elif isinstance(value, str):
        _of_text(value, numbers, texts)
    else:
        _of_number(slot, value, numbers, texts)
    texts.setdefault("as written", slot.text)
    return Forms(numbers, {name: text for name, text in texts.items() if text}, lists)


def _table_name(stem: str) -> str:
    """What a table that is read from a file of this stem is called: the stem where that can be a name that hides nothing,
    else the name next to it, ``Jan_2025`` for ``Jan 2025``, ``data_2024`` for ``2024``, ``list_table`` for ``list``."""
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", stem)).strip("_")
    if not name[:1].isidentifier():
        name = f"data_{name}".rstrip("_")
    taken = keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _LIBRARIES or hasattr(builtins, name)
    return f"{name}_table" if taken else name


def _canonical(number: Number) -> str:
    if isinstance(number, int) or number == int(number):
        return str(int(number))
    return format(number.normalize(), "f")


def _of_number(slot: Slot, value: Number, numbers: dict[str, Number], texts: dict[str, str]) -> None:
    exact = Decimal(value)
    numbers["same"] = value
    texts["str"] = _canonical(value)
    if slot.kind == "quantity":
        written = _WRITTEN.search(slot.text)
        if written:
            number = plain_number(written[0].replace(",", "").replace("−", "-"))
            if number is not None:
                numbers["as written"] = number
                texts["written number"] = _canonical(number)
                texts["written unit"] = slot.text[written.end() :].strip()
        for unit, factor in _UNITS.get(slot.unit, {}).items():
            scaled = exact / factor
            if scaled == round(scaled, 9):
                numbers[f"in {unit}"] = scaled
                texts[f"in {unit}"] = _canonical(scaled)
        return
    if slot.kind == "percent":
        numbers["hundredth"], numbers["rest of hundred"] = exact / 100, 100 - exact
        numbers["rest of hundredth"] = 1 - exact / 100
        texts["hundredth"] = _canonical(numbers["hundredth"])
        return
    _arithmetic(value, numbers)
    if value == int(value):
        texts["thousands"] = f"{int(value):,}"
        if 0 <= int(value) < 100:
            texts["two digits"] = f"{int(value):02d}"
    elif 0 < value < 1:
        numbers["rest of one"] = 1 - exact
        numbers["hundredfold"] = exact * 100


def _arithmetic(value: Number, numbers: dict[str, Number]) -> None:
    if not -(10**12) <= int(value) <= 10**12:
        return
    numbers["less one"], numbers["plus one"] = value - 1, value + 1
    numbers["twice"], numbers["negative"], numbers["square"] = 2 * value, -value, value * value
    if value == int(value):
        if int(value) % 2 == 0:
            numbers["half"] = int(value) // 2
        if 0 <= value <= 64:
            numbers["power of two"] = 2 ** int(value)


def _of_text(value: str, numbers: dict[str, Number], texts: dict[str, str]) -> None:
    number = number_form(value)
    if number is not None:
        numbers["number"] = number
        arithmetic: dict[str, Number] = {}
        _arithmetic(number, arithmetic)
        numbers.update({f"number {name}": made for name, made in arithmetic.items()})
    for name, style in _STYLES.items():
        texts[name] = style(value)
    if "." in value or "/" in value:
        for name, part in _PATHS.items():
            found = part(value)
            if found and found != value:
                texts[name] = found
                if name in ("stem", "folder"):
                    for style_name, style in _STYLES.items():
                        if style_name != "same":
                            texts[f"{name}, {style_name}"] = style(found)


def _of_date(slot: Slot, value: str, numbers: dict[str, Number], texts: dict[str, str]) -> None:
    texts["same"] = value
    if slot.kind == "time":
        digits = _CLOCK.match(slot.text)
        if digits:
            texts["digits"] = digits[0]  # of "7:00 pm" a program may hold the digits as they were typed
        for index, name in enumerate(("hour", "minute", "second")):
            part = value.removeprefix("T")[3 * index : 3 * index + 2]
            if part.isdigit():
                numbers[name] = int(part)
                texts[f"{name} text"] = part
        return
    if not _FULL_DATE.match(value):  # a month, a day of any year, or a text that could be two days
        if _MONTH.fullmatch(value):
            numbers.update(year=int(value[:4]), month=int(value[5:]))
            texts.update({"year text": value[:4], "month text": value[5:], "month name": _MONTHS[int(value[5:]) - 1]})
        return
    day = date.fromisoformat(value[:10])
    numbers.update(year=day.year, month=day.month, day=day.day)
    texts.update({
        "year text": value[:4], "month text": value[5:7], "day text": value[8:10], "month plain": str(day.month),
        "day plain": str(day.day), "month name": _MONTHS[day.month - 1], "month short": _MONTHS[day.month - 1][:3],
        "compact": value[:10].replace("-", ""),
    })  # fmt: skip
    for name, days in (("next day", 1), ("day before", -1)):
        try:
            texts[name] = (day + timedelta(days=days)).isoformat()
        except OverflowError:
            continue
    if len(value) > 10:
        texts["date only"] = value[:10]
        texts["with a space"] = value.replace("T", " ")
        numbers.update(hour=int(value[11:13] or 0), minute=int(value[14:16] or 0))


def _of_list(
    slot: Slot,
    value: tuple[object, ...],
    numbers: dict[str, Number],
    texts: dict[str, str],
    lists: dict[str, tuple[Literal, ...]],
) -> None:
    if slot.kind != "range":
        numbers.update({"length": len(value), "length less one": len(value) - 1, "length plus one": len(value) + 1})
    elif len(slot.items) == 2:
        low, high = (number_form(item.value) for item in slot.items)
        if low is not None and high is not None:
            numbers.update({"extent": high - low, "extent plus one": high - low + 1})
    if not slot.items:
        return
    forms = [forms_of(item) for item in slot.items]
    for name in _STYLES:
        if all(name in form.texts for form in forms):
            lists[name] = tuple(form.texts[name] for form in forms)
    if all("same" in form.numbers for form in forms):
        lists["numbers"] = tuple(form.numbers["same"] for form in forms)
        lists["strings"] = tuple(form.texts["str"] for form in forms)
    elif all("number" in form.numbers for form in forms):
        lists["int"] = tuple(form.numbers["number"] for form in forms)
    plain = [form.texts.get("same") or form.texts.get("str") for form in forms]
    if all(text is not None for text in plain) and len(plain) > 1:
        items = [text for text in plain if text is not None]
        texts.update({
            "comma list": ", ".join(items), "tight list": ",".join(items), "underscore list": "_".join(items),
            "space list": " ".join(items), "and list": f"{', '.join(items[:-1])} and {items[-1]}",
        })  # fmt: skip
