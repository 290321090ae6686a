"""How a text file holds a table: encoding, separator, decimal sign. Found out from its beginning, and told."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from llmos_nb.errors import TableError

__all__ = ["Layout", "kind_of", "opened", "sniff"]

#: Bytes that are looked at to find separator and decimal sign.
SAMPLE: Final = 400_000
#: What files begin with, whatever their names end in.
_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"PAR1", "Parquet"),
    (0, b"SQLite format 3\0", "SQLite"),
    (8, b"DUCK", "DuckDB"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"\xd0\xcf\x11\xe0", "old Excel"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ", "xz"),
    (0, b"%PDF", "PDF"),
    (0, b"\x89PNG", "PNG"),
)
_OPENERS: Final[dict[str, Callable[[Path], Any]]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Most telling first: a comma is also what prose and decimal numbers hold.
_SEPARATORS: Final = ("\t", ";", "|", ",")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_COMMA_NUMBER: Final = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+")
_POINT_NUMBER: Final = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)\.\d+")


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a text file, with its header as it stands there."""

    encoding: str
    separator: str
    decimal: str
    thousands: str
    header: tuple[str, ...]
    packed: str = ""
    #: Whether a blank stands behind each separator.
    spaced: bool = False


def kind_of(path: Path) -> str:
    """``Parquet``, ``Excel``, ``SQLite``, ``DuckDB``, ``text`` or a packed text's ``gzip``, ``bzip2``, ``xz``, by content.

    Raises:
        TableError: it holds no table, or one of a kind that is not read.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise TableError(
            f"{path.name}: the file is empty.", remedy="Look where it was written: nothing arrived in it."
        )
    kind = next((kind for at, magic, kind in _MAGIC if head[at : at + len(magic)] == magic), "text")
    if kind == "zip":
        return "Excel"  # a zip that is none is told when it is opened
    if kind == "old Excel":
        raise TableError(f"{path.name}: is an Excel file of the old kind (.xls).", remedy="Save it as .xlsx.")
    if kind in ("PDF", "PNG"):
        raise TableError(f"{path.name}: is a {kind} file and holds no table.", remedy="Name the table's own file.")
    bom = head.startswith(tuple(mark for mark, _ in _BOMS))
    if kind == "text" and not bom and b"\0" in head and _wide(head) is None:
        raise TableError(
            f"{path.name}: holds binary data, no text, and is no Parquet, Excel, SQLite or DuckDB file either.",
            remedy="Name a table's file, or convert it with the program that wrote it.",
        )
    return kind


def opened(path: Path, kind: str) -> IO[bytes]:
    """The bytes of a text file, unpacked."""
    return cast("IO[bytes]", _OPENERS[kind](path)) if kind in _OPENERS else path.open("rb")


def sniff(path: Path, kind: str, *, encoding: str = "", separator: str = "", decimal: str = "") -> Layout:
    """Find out how a text file holds its table; what is given is taken as it is.

    Raises:
        TableError: it cannot be unpacked or decoded.
    """
    try:
        with opened(path, kind) as file:
            encoding = encoding or _encoding(file)
        with opened(path, kind) as file:
            reader = codecs.getreader(encoding)(file)
            text = reader.read(SAMPLE, SAMPLE)
            whole = not reader.read(1, 1)
    except LookupError as error:
        raise TableError(
            f"{path.name}: there is no encoding {encoding!r}.", remedy="utf-8 and cp1252 are."
        ) from error
    except UnicodeError as error:
        raise TableError(
            f"{path.name}: is not {encoding} text ({error}).", remedy="Leave the encoding out: it is found out."
        ) from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise TableError(f"{path.name}: cannot be unpacked ({error}).", remedy="Fetch the file again.") from error
    if not text.strip("\ufeff \r\n\t"):
        raise TableError(f"{path.name}: holds nothing but blank lines.", remedy="Look where it was written.")
    text = text.lstrip("\ufeff")
    said = re.match(r"sep=(.)\r?\n", text)  # how Excel tells it
    if said:
        text, separator = text[said.end() :], separator or said[1]
    records = _records(text, whole)
    separator = separator or _separator(records)
    fields = [_split(record, separator) for record in records]
    sign, thousands = _decimal([field for record in fields[1:] for field in record], separator)
    if decimal:
        thousands = thousands if sign == decimal else ""
    bare = [_QUOTED.sub("", record) for record in records]
    spaced = all(line.count(separator) == line.count(f"{separator} ") for line in bare) and separator in bare[0]
    packed = kind if kind in _OPENERS else ""
    return Layout(encoding, separator, decimal or sign, thousands, tuple(fields[0]), packed, spaced)


def _encoding(file: IO[bytes]) -> str:
    head = file.read(1 << 16)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if wide := _wide(head):
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")()
    latin = codecs.getincrementaldecoder("cp1252")()
    utf, windows = True, True
    chunk = head
    while chunk and (utf or windows):
        if utf:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                utf = False
        if windows and not chunk.isascii():
            try:
                latin.decode(chunk)
            except UnicodeDecodeError:
                windows = False
        chunk = file.read(1 << 20)
    if utf:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf = False
    return "utf-8" if utf else "cp1252" if windows else "latin-1"


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Western text is 0."""
    sample = head[: len(head) // 2 * 2]
    if len(sample) < 8:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    return "utf-16-le" if odd > 0.6 * half and even == 0 else "utf-16-be" if even > 0.6 * half and odd == 0 else None


def _records(text: str, whole: bool) -> list[str]:
    """The first lines with something in them; line ends within quotes do not end one."""
    records, current = [], ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        current = f"{current}\n{line}" if current else line
        if current.count('"') % 2 and len(current) < 100_000:
            continue
        if current.strip():
            records.append(current)
        current = ""
        if len(records) >= 300:
            return records
    if len(records) > 1 and not whole:
        records.pop()  # cut by the end of the sample
    return records or [text[:1000]]


def _separator(records: Sequence[str]) -> str:
    """What the first line and most of the others have equally often outside of quotes; a comma where nothing has."""
    bare = [_QUOTED.sub("", record) for record in records]
    best, score = ",", 0.0
    for candidate in _SEPARATORS:
        counts = [record.count(candidate) for record in bare]
        if not counts or not counts[0]:
            continue
        usual, times = Counter(counts).most_common(1)[0]
        share = times / len(counts) if usual == counts[0] else 0.5 * counts.count(counts[0]) / len(counts)
        if share > score + 0.05:
            best, score = candidate, share
    return best


def _split(record: str, separator: str) -> list[str]:
    """The fields of a line; good enough to look at, the parser does it for real."""
    fields, current, quoted = [], "", False
    for piece in record.split(separator):
        current = f"{current}{separator}{piece}" if quoted else piece
        quoted = current.count('"') % 2 == 1
        if not quoted:
            fields.append(current.strip().strip('"').replace('""', '"'))
            current = ""
    return [*fields, *([current] if quoted else [])]


def _decimal(fields: Sequence[str], separator: str) -> tuple[str, str]:
    """The decimal sign, and what groups thousands; nothing for what no field decides."""
    commas = [field for field in fields if _COMMA_NUMBER.fullmatch(field)]
    points = [field for field in fields if _POINT_NUMBER.fullmatch(field)]
    if commas and separator != ",":
        telling = [f for f in commas if "." in f or not re.fullmatch(r"[+-]?\d{1,3},\d{3}", f)]
        against = [f for f in points if "," in f or not re.fullmatch(r"[+-]?\d{1,3}\.\d{3}", f)]
        if telling and not against:
            return ",", "." if any("." in f for f in commas) or points else ""
    return ".", "," if points and any("," in f for f in points) else ""
