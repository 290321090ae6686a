"""Which sign in a column's numbers is the decimal one: ``1.234,50`` says it, ``1.234`` beside ``980`` does not.

Nothing is guessed: a column whose numbers may be read in two ways, in a file that does not tell, stays text, and it is
said. Pandas reads what has no groups of thousands; the rest is read here, column by column, so that ``01.02.2024`` is no
number because ``1.234,50`` is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.values import Reading, is_text, markers_among, read_numbers, texts_of
from llmos_nb.domains.data.view import count, shown_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["columns_of", "decimal_of", "grouped_columns", "in_doubt", "left_as_text"]

#: 1.234 and 1,234, which may be a thousand and more or little more than one.
_EITHER: Final = {",": re.compile(r"[+-]?[1-9]\d{0,2},\d{3}"), ".": re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")}
#: What only one decimal sign makes a number.
_SURE: Final = {
    ",": re.compile(r"[+-]?(?:(?:0|[1-9]\d*)?,\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,})"),
    ".": re.compile(r"[+-]?(?:(?:0|[1-9]\d*)?\.\d+|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,})"),
}
#: Groups of thousands, where this is the decimal sign; and numbers that are too small to have any.
_GROUPED: Final = {
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})*(?:,\d+)?|[+-]?0(?:,\d+)?"),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})*(?:\.\d+)?|[+-]?0(?:\.\d+)?"),
}
_OTHER: Final = {",": ".", ".": ","}
_NAMES: Final = {",": "comma", ".": "point"}
_SMALL: Final = re.compile(r"[+-]?\d{1,3}")
_WHOLE: Final = re.compile(r"[+-]?\d+")
_CODE: Final = re.compile(r"0\d")
_MONTH: Final = re.compile(r"(?:0?[1-9]|1[0-2])\.(?:19|20)\d\d")
#: What stands around a number and is none of it.
_AROUND: Final = re.compile(r"^[\s(]*[€$£¥]?\s*|\s*(?:[€$£¥%‰]|[A-Za-z]{1,3})?[\s)]*$")
#: The part of a column's different texts that are numbers, from which on one may ask what the others are.
_MOST: Final = 0.5
#: Different texts that show whether a column is of numbers.
_LOOKED_AT: Final = 200
#: Different texts that are looked at to see how a column's numbers are written.
_SAMPLE: Final = 2000
#: Digits that a number keeps.
_EXACT: Final = 15
#: Columns that are named in one sentence.
_TOLD: Final = 4


def columns_of(rows: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """The fields of each column that are not empty."""
    for place in range(max(map(len, rows), default=0)):
        fields = [row[place].strip() for row in rows if place < len(row)]
        yield [field for field in fields if field]


def decimal_of(columns: Iterable[Sequence[str]], *, quoted: bool) -> str:
    """The decimal sign that some column shows and none contradicts; empty where none shows one.

    Where a comma has to be ``quoted``, since commas separate the fields, ``1,5`` may be a list: only ``1.234,5`` counts.
    """
    shown = {_shown(column, quoted) for column in columns} - {""}
    return shown.pop() if len(shown) == 1 else ""


def _shown(fields: Sequence[str], quoted: bool) -> str:
    bare = [_AROUND.sub("", field) for field in fields]
    if fields and all(_MONTH.fullmatch(field) for field in fields):
        return ""
    signs = {}
    for sign, sure in _SURE.items():
        numbers = [n for n in bare if sure.fullmatch(n) and not _EITHER[sign].fullmatch(n)]
        if quoted and sign == ",":
            numbers = [n for n in numbers if "." in n]
        fitting = sum(bool(_GROUPED[sign].fullmatch(n) or sure.fullmatch(n) or _WHOLE.fullmatch(n)) for n in bare)
        signs[sign] = bool(numbers) and fitting > _MOST * len(bare)
    return next((sign for sign, seen in signs.items() if seen and not signs[_OTHER[sign]]), "")


def grouped_columns(
    frame: pd.DataFrame, decimal: str, *, proved: bool, quoted: bool, told: Iterable[str] = ()
) -> list[str]:
    """Make numbers of the columns of texts that are numbers with groups of thousands; returns what to say of it.

    Where the file has not ``proved`` which sign is the decimal one, only columns that show it themselves are read; commas
    may have to be ``quoted``, as in :func:`decimal_of`. Columns of which something is ``told`` already are left.
    """
    made: dict[str, list[str]] = {}
    said: list[str] = []
    for place, column in _texts(frame, told):
        texts = [text for text in column if text.strip()]
        bare = [text.strip() for text in texts]
        own = _shown(bare[:_SAMPLE], quoted)
        sign = own or (decimal if proved else "")
        if not sign and all(_either(text) or _SMALL.fullmatch(text) for text in bare):
            signs = [one for one in _EITHER if any(_EITHER[one].fullmatch(text) for text in bare)]
            if len(signs) == 1:
                said.append(_doubt(frame.columns[place], next(t for t in bare if _either(t)), signs[0]))
        elif sign and all(_GROUPED[sign].fullmatch(text) for text in bare):
            groups = any(_OTHER[sign] in text for text in bare)
            if (not groups and sign == decimal) or max(map(len, bare)) > _EXACT + bare[0].count(_OTHER[sign]):
                continue
            values = {text: _number(text.strip(), sign) for text in texts}
            read: Any = _as_numbers(frame.iloc[:, place], values)
            frame.isetitem(place, read)
            what = f"{_OTHER[sign]!r} groups thousands" if groups else f"{sign!r} is the decimal sign"
            made.setdefault(what, []).append(str(frame.columns[place]))
    return [f"{what} in {_listed(names)}" for what, names in made.items()] + said


def in_doubt(frame: pd.DataFrame, texts: Callable[[list[int]], pd.DataFrame], *, measured: bool) -> list[str]:
    """Put texts back into columns of numbers that a file, which shows no decimal sign, holds as ``1.200`` and ``980``.

    Where every such column has three digits behind each point, as measurements are written, and the file is of the kind
    that has them (``measured``), they are left as numbers; it is told. ``texts`` reads the columns at these places again,
    as texts.
    """
    import numpy as np

    places = []
    for place, kind in enumerate(frame.dtypes):
        values = frame.iloc[:, place].dropna().to_numpy() if kind.kind == "f" else np.array([])
        thousandths = values * 1000
        small = len(values) and bool((np.abs(values) < 1000).all())
        if small and bool((np.abs(thousandths - np.round(thousandths)) < 1e-6).all()) and bool((values % 1).any()):
            places.append(place)
    columns = [column.str.strip() for _, column in texts(places).items()] if places else []
    doubtful: dict[int, tuple[Any, str]] = {}
    for place, column in zip(places, columns, strict=True):
        found = column.dropna().unique().tolist()
        pointed = [text for text in found if _EITHER["."].fullmatch(text)]
        if pointed and all(text in pointed or _SMALL.fullmatch(text) for text in found):
            doubtful[place] = column, pointed[0]
            measured = measured and len(pointed) == len(found)
    said = []
    for place, (column, text) in doubtful.items():
        name = frame.columns[place]
        if not measured:
            frame.isetitem(place, column)
            said.append(_doubt(name, text, "."))
        else:
            said.append(
                f"{name}: {text} is read with a decimal point, as nothing says otherwise; if the point groups "
                "thousands, read the file with decimal=','"
            )
    return said


def left_as_text(frame: pd.DataFrame, told: Iterable[str]) -> list[str]:
    """What keeps a column of texts, most of which are numbers, from being numbers; but for those that are ``told``."""
    said: dict[str, list[str]] = {}
    for place, column in _texts(frame, told):
        name = str(frame.columns[place])
        texts = [text for text in column if text.strip()]
        texts = [*texts[: _SAMPLE - 100], *texts[_SAMPLE - 100 :][-100:]]
        marks = markers_among(texts)
        reading = read_numbers([text for text in texts if text not in marks])
        why = "" if any(_CODE.match(text.strip()) for text in texts) else _why_text(name, reading, marks, column)
        if why:
            said.setdefault(why, []).append(name)
    return [f"{_listed(names)} {'is' if len(names) == 1 else 'are'} text: {why}" for why, names in said.items()]


def _why_text(name: str, reading: Reading, marks: Sequence[str], counts: dict[str, int]) -> str:
    if reading.reason:
        return f"most values look like numbers, but {reading.reason}"
    if reading.others:
        number = sum(counts[text] for text in reading.others)
        some = ", ".join(map(shown_value, reading.others[:3]))
        more = " …" if len(reading.others) > 3 else ""
        return f"most values look like numbers, but {count(number, 'is', 'are')} not: {some}{more}"
    what = f"numbers with {reading.unit}" if reading.unit else "numbers that are not written plainly"
    what = f"numbers, and {', '.join(map(shown_value, marks[:3]))}" if marks and not reading.unit else what
    return f"{what}; “convert {name} to numbers” reads them"


def _texts(frame: pd.DataFrame, told: Iterable[str]) -> Iterator[tuple[int, dict[str, int]]]:
    """The columns of texts of which most are numbers, and nothing is ``told``: their places, and how often each text is."""
    told = list(told)
    for place in range(len(frame.columns)):
        column, name = frame.iloc[:, place], frame.columns[place]
        if not is_text(column) or any(one.startswith((f"{name} is kept", f"{name}: ")) for one in told):
            continue
        first = [text for text in column.head(_SAMPLE).dropna().unique().tolist() if isinstance(text, str)]
        if not _mostly(first[:_LOOKED_AT]):
            continue
        counts = texts_of(column)
        if counts and sum(counts.values()) == int(column.count()):
            yield place, counts


def _mostly(texts: Iterable[str]) -> bool:
    told = [text for text in texts if text.strip()]
    return sum(map(_is_number, told)) > _MOST * len(told) if told else False


def _is_number(text: str) -> bool:
    bare = text.strip()
    reading = read_numbers([bare])
    return bool(reading.values) or _either(bare)


def _either(text: str) -> bool:
    return any(sign.fullmatch(text) for sign in _EITHER.values())


def _doubt(name: object, text: str, sign: str) -> str:
    large, small = text.replace(sign, ""), f"{float(text.replace(sign, '.')):g}"
    other = _OTHER[sign]
    return (
        f"{name} is kept as text: {text} may be {small} or {large}, and nothing in the file decides; "
        f"“convert {name} to numbers with a decimal {_NAMES[other]}” makes it {large}, “… with a decimal {_NAMES[sign]}” "
        f"{small}, and so does decimal={other!r} or decimal={sign!r} for the whole file"
    )


def _number(text: str, sign: str) -> int | float:
    plain = text.replace(_OTHER[sign], "").replace(sign, ".")
    return int(plain) if _WHOLE.fullmatch(plain) else float(plain)


def _as_numbers(column: pd.Series[Any], values: dict[str, int | float]) -> pd.Series[Any]:
    import pandas as pd

    found = column.astype(object).map(lambda value: values.get(value) if isinstance(value, str) else None)
    whole = found.notna().all() and all(isinstance(value, int) for value in values.values())
    made: pd.Series[Any] = pd.to_numeric(found.where(found.notna(), None)).astype("int64" if whole else "float64")
    return made


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_TOLD]) + (f" and {len(names) - _TOLD} more" if len(names) > _TOLD else "")
