"""Values that leave a sandbox: plain data, arrays and tables as JSON and raw bytes, checked piece by piece.

Pickle is none of it: taking a value apart and building it again runs no code of the sandbox's. What has another type is
not handed over, and told by its type.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from llmos_nb.errors import SandboxFailed

__all__ = ["NotPlain", "decode", "encode"]

#: How deep a value may be nested, and how many parts it may have.
DEPTH: Final = 60
PARTS: Final = 2_000_000
#: Bits of a whole number.
BITS: Final = 1_000_000
#: Columns of a table, and bytes of one array.
COLUMNS: Final = 10_000
ARRAY: Final = 512 * 2**20

_DTYPE: Final = re.compile(
    r"[<>|=]?(?:b1|[iu][1248]|f[248]|c(?:8|16)|[mM]8(?:\[(?:\d{1,4})?(?:Y|M|W|D|h|m|s|ms|us|ns)\])?|[SU]\d{1,6})"
)
_TAG: Final = "$"


class NotPlain(Exception):
    """A value cannot leave the sandbox; the message says why."""


# -- in the sandbox


def encode(value: Any) -> tuple[Any, list[bytes]]:
    """A value as JSON and bytes.

    Raises:
        NotPlain: it is no plain data, array or table, or too large.
    """
    pieces: list[bytes] = []
    return _Out(pieces).value(value, 0), pieces


class _Out:
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces, self._parts = pieces, 0

    def value(self, value: Any, depth: int) -> Any:
        self._parts += 1
        if depth > DEPTH or self._parts > PARTS:
            raise NotPlain("it is nested too deep" if depth > DEPTH else f"it has more than {PARTS:,} parts")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return (
                value
                if value.isascii() or _encodes(value)
                else {_TAG: "text", "v": value.encode("utf-16-le", "surrogatepass").hex()}
            )
        if kind is int:
            if abs(value) < 2**63:
                return value
            if value.bit_length() > BITS:
                raise NotPlain(f"it is a number of {value.bit_length():,} bits")
            return {_TAG: "int", "v": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {_TAG: "float", "v": repr(value)}
        if kind is complex:
            return {_TAG: "complex", "v": [repr(value.real), repr(value.imag)]}
        if kind in (list, tuple, set, frozenset):
            items = [self.value(item, depth + 1) for item in value]
            return items if kind is list else {_TAG: kind.__name__, "v": items}
        if kind is dict:
            return {
                _TAG: "dict",
                "v": [[self.value(k, depth + 1), self.value(v, depth + 1)] for k, v in value.items()],
            }
        if kind in (bytes, bytearray):
            return {_TAG: kind.__name__, "b": self._piece(bytes(value))}
        if kind in (datetime.datetime, datetime.date, datetime.time) and getattr(value, "tzinfo", None) in (
            None,
            datetime.UTC,
        ):
            return {_TAG: kind.__name__, "v": value.isoformat()}
        if kind is datetime.timedelta:
            return {_TAG: "timedelta", "v": [value.days, value.seconds, value.microseconds]}
        if kind is decimal.Decimal:
            return {_TAG: "decimal", "v": str(value)[:2000]}
        return self._library(value, kind, depth)

    def _piece(self, data: bytes) -> int:
        if len(data) > ARRAY:
            raise NotPlain(f"it is larger than {ARRAY // 2**20} MB")
        self._pieces.append(data)
        return len(self._pieces) - 1

    def _library(self, value: Any, kind: type, depth: int) -> Any:
        where = kind.__module__.partition(".")[0]
        if where == "numpy" and hasattr(value, "dtype"):
            import numpy

            if isinstance(value, numpy.generic) or kind is numpy.ndarray:
                return {**self._array(numpy.asarray(value), depth), "scalar": kind is not numpy.ndarray}
        if where == "pandas":
            import pandas

            if kind is pandas.DataFrame:
                return self._table(value, depth)
            if kind is pandas.Series:
                return {
                    _TAG: "series",
                    "name": self.value(value.name, depth + 1),
                    "index": self._axis(value.index, depth),
                    "v": self._column(value.array, depth),
                }
            if isinstance(value, pandas.Index):
                return {_TAG: "index", **self._axis(value, depth)}
            if kind is pandas.Timestamp and value.tz is None:
                return {_TAG: "timestamp", "v": value.isoformat()}
            if value is pandas.NA or value is pandas.NaT:
                return {_TAG: "na" if value is pandas.NA else "nat"}
        if isinstance(value, type) or callable(value):
            raise NotPlain("functions and classes do not leave the sandbox")
        raise NotPlain(
            f"a {where}.{kind.__name__} does not leave the sandbox: make it numbers, text, an array or a table"
        )

    def _array(self, array: Any, depth: int) -> dict[str, Any]:
        if array.dtype.hasobject:
            return {
                _TAG: "array",
                "shape": list(array.shape),
                "v": [self.value(item, depth + 1) for item in array.ravel().tolist()],
            }
        name = array.dtype.str
        if not _DTYPE.fullmatch(name):
            raise NotPlain(f"an array of {array.dtype} does not leave the sandbox")
        return {_TAG: "array", "dtype": name, "shape": list(array.shape), "b": self._piece(array.tobytes())}

    def _table(self, table: Any, depth: int) -> dict[str, Any]:
        if table.shape[1] > COLUMNS:
            raise NotPlain(f"it has more than {COLUMNS:,} columns")
        columns = [self._column(table.iloc[:, n].array, depth) for n in range(table.shape[1])]
        return {
            _TAG: "table",
            "rows": len(table),
            "index": self._axis(table.index, depth),
            "columns": self._axis(table.columns, depth),
            "v": columns,
        }

    def _axis(self, axis: Any, depth: int) -> dict[str, Any]:
        import pandas

        if type(axis) is pandas.RangeIndex:
            return {"range": [axis.start, axis.stop, axis.step], "name": self.value(axis.name, depth + 1)}
        if isinstance(axis, pandas.MultiIndex):
            levels = [self._column(axis.get_level_values(n).array, depth) for n in range(axis.nlevels)]
            return {"levels": levels, "names": [self.value(name, depth + 1) for name in axis.names]}
        return {"one": self._column(axis.array, depth), "name": self.value(axis.name, depth + 1)}

    def _column(self, column: Any, depth: int) -> dict[str, Any]:
        import numpy
        import pandas

        dtype = column.dtype
        if isinstance(dtype, pandas.CategoricalDtype):
            codes = self._array(numpy.asarray(column.codes), depth)
            return {
                "codes": codes,
                "categories": self._axis(column.categories, depth),
                "ordered": bool(column.ordered),
            }
        if isinstance(dtype, pandas.DatetimeTZDtype):
            zone = str(dtype.tz)
            moments = numpy.asarray(column.tz_convert("UTC").tz_localize(None))
            return {"moments": self._array(moments, depth), "zone": zone}
        if isinstance(dtype, numpy.dtype) or type(column).__name__ == "NumpyExtensionArray":
            return {"array": self._array(numpy.asarray(column), depth)}
        if str(dtype) in _NULLABLE or isinstance(dtype, pandas.StringDtype):
            items = [
                None if missing else item
                for item, missing in zip(column.tolist(), pandas.isna(column).tolist(), strict=True)
            ]
            return {
                "list": [self.value(item, depth + 1) for item in items],
                "dtype": "str" if isinstance(dtype, pandas.StringDtype) else str(dtype),
            }
        raise NotPlain(f"a column of {dtype} does not leave the sandbox")


#: Columns that know of missing values.
_NULLABLE: Final = frozenset(
    {"boolean", "Float32", "Float64", *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))}
)


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


# -- outside


def decode(data: Any, pieces: Sequence[bytes]) -> Any:
    """The value that :func:`encode` made ``data`` and ``pieces`` of.

    Raises:
        SandboxFailed: they are of no value: whoever made them was not :func:`encode`.
    """
    try:
        return _In(pieces).value(data, 0)
    except SandboxFailed:
        raise
    except Exception as error:
        raise _bad(f"{type(error).__name__}") from error


def _bad(what: str) -> SandboxFailed:
    return SandboxFailed(f"A value that came out of the sandbox is none ({what}).", remedy="Do not trust its code.")


class _In:
    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces, self._parts = pieces, 0

    def value(self, data: Any, depth: int) -> Any:
        self._parts += 1
        if depth > DEPTH or self._parts > PARTS:
            raise _bad("too deep, or too many parts")
        if data is None or isinstance(data, bool | int | float | str):
            return data
        if isinstance(data, list):
            return [self.value(item, depth + 1) for item in data]
        build = self._BUILD.get(data.get(_TAG)) if isinstance(data, dict) else None
        if build is None:
            raise _bad("of no known type")
        return build(self, data, depth)

    def _items(self, data: Any, depth: int) -> list[Any]:
        if not isinstance(data.get("v"), list):
            raise _bad("no list")
        return [self.value(item, depth + 1) for item in data["v"]]

    def _piece(self, data: Any) -> bytes:
        number = data.get("b")
        if type(number) is not int or not 0 <= number < len(self._pieces):
            raise _bad("no bytes")
        return self._pieces[number]

    def _int(self, data: Any, depth: int) -> int:
        text = str(data["v"])
        if len(text) > BITS // 4 + 4:
            raise _bad("a number of too many digits")
        return int(text, 16)

    def _dict(self, data: Any, depth: int) -> dict[Any, Any]:
        pairs = data["v"]
        return {self.value(k, depth + 1): self.value(v, depth + 1) for k, v in pairs}

    def _dates(self, data: Any, depth: int) -> Any:
        text = str(data["v"])[:64]
        return getattr(datetime, str(data[_TAG])).fromisoformat(text)

    def _array(self, data: Any, depth: int) -> Any:
        import numpy

        shape = data["shape"]
        if (
            not isinstance(shape, list)
            or len(shape) > 32
            or not all(type(n) is int and 0 <= n < 2**40 for n in shape)
        ):
            raise _bad("of no shape")
        if "v" in data:
            items = self._items(data, depth)
            array: Any = numpy.empty(len(items), dtype=object)
            array[:] = items
        else:
            if not _DTYPE.fullmatch(str(data["dtype"])):
                raise _bad("an array of no known kind")
            array = numpy.frombuffer(self._piece(data), dtype=numpy.dtype(str(data["dtype"]))).copy()
        if math.prod(shape) != array.size:
            raise _bad("an array of another size")
        array = array.reshape(shape)
        return array[()] if data.get("scalar") is True and not shape else array

    def _column(self, data: Any, depth: int) -> Any:
        import pandas

        if "array" in data:
            return self._array(data["array"], depth)
        if "codes" in data:
            codes = self._array(data["codes"], depth)
            return pandas.Categorical.from_codes(
                codes, self._axis(data["categories"], depth), ordered=data["ordered"] is True
            )
        if "moments" in data:
            moments = pandas.DatetimeIndex(self._array(data["moments"], depth), tz="UTC")
            return moments.tz_convert(_zone(str(data["zone"]))).array
        kind = str(data["dtype"])
        if kind != "str" and kind not in _NULLABLE:
            raise _bad("a column of no known kind")
        items = [self.value(item, depth + 1) for item in data["list"]]
        made: Any = pandas.array
        return made(items, dtype=kind)

    def _axis(self, data: Any, depth: int) -> Any:
        import pandas

        if "range" in data:
            start, stop, step = (int(n) for n in data["range"])
            return pandas.RangeIndex(start, stop, step, name=self._name(data["name"], depth))
        if "levels" in data:
            levels = [self._column(level, depth) for level in data["levels"]]
            return pandas.MultiIndex.from_arrays(levels, names=[self._name(name, depth) for name in data["names"]])
        return pandas.Index(self._column(data["one"], depth), name=self._name(data["name"], depth))

    def _name(self, data: Any, depth: int) -> Any:
        return self.value(data, depth + 1)

    def _table(self, data: Any, depth: int) -> Any:
        import pandas

        columns, index = self._axis(data["columns"], depth), self._axis(data["index"], depth)
        found = [self._column(column, depth) for column in data["v"]]
        if len(found) != len(columns) or any(len(column) != len(index) for column in found) or len(index) > 10**9:
            raise _bad("a table whose columns do not fit")
        table = pandas.DataFrame(
            {n: pandas.Series(column, index=index) for n, column in enumerate(found)}, index=index
        )
        table.columns = columns
        return table

    def _series(self, data: Any, depth: int) -> Any:
        import pandas

        index, column = self._axis(data["index"], depth), self._column(data["v"], depth)
        if len(index) != len(column):
            raise _bad("a series whose index does not fit")
        return pandas.Series(column, index=index, name=self._name(data["name"], depth))

    def _pandas(self, data: Any, depth: int) -> Any:
        import pandas

        if data[_TAG] == "timestamp":
            return pandas.Timestamp(str(data["v"])[:64])
        return pandas.NA if data[_TAG] == "na" else pandas.NaT

    _BUILD: Final[dict[Any, Callable[[_In, Any, int], Any]]] = {
        "text": lambda self, d, n: bytes.fromhex(str(d["v"])).decode("utf-16-le", "surrogatepass"),
        "int": _int,
        "float": lambda self, d, n: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[d["v"]],
        "complex": lambda self, d, n: complex(*(float(str(part)[:64]) for part in d["v"])),
        "tuple": lambda self, d, n: tuple(self._items(d, n)),
        "set": lambda self, d, n: set(self._items(d, n)),
        "frozenset": lambda self, d, n: frozenset(self._items(d, n)),
        "dict": _dict,
        "bytes": lambda self, d, n: self._piece(d),
        "bytearray": lambda self, d, n: bytearray(self._piece(d)),
        "datetime": _dates,
        "date": _dates,
        "time": _dates,
        "timedelta": lambda self, d, n: datetime.timedelta(*(int(part) for part in d["v"])),
        "decimal": lambda self, d, n: decimal.Decimal(str(d["v"])[:2000]),
        "array": _array,
        "table": _table,
        "series": _series,
        "index": lambda self, d, n: self._axis(d, n),
        "timestamp": _pandas,
        "na": _pandas,
        "nat": _pandas,
    }  # fmt: skip


def _zone(name: str) -> Any:
    import zoneinfo

    if name == "UTC" or not re.fullmatch(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,3}", name):
        return datetime.UTC
    return zoneinfo.ZoneInfo(name)
