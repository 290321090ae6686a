"""How a text file holds a table: encoding, separator, decimal sign. Found out from its beginning, and told."""

from __future__ import annotations

import bz2
import codecs
import gzip
import itertools
import lzma
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from llmos_nb.domains.data.decimals import columns_of, decimal_of
from llmos_nb.domains.data.heading import head_of
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
_COMMAS: Final = re.compile(r"\s*[+-]?\d+,\d+\s*")
#: How files begin that are text and no table.
_OTHER_TEXTS: Final = (("<!doctype", "HTML"), ("<html", "HTML"), ("<?xml", "XML"), ("[{", "JSON"), ('{"', "JSON"))
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a text file, with its header as it stands there."""

    encoding: str
    separator: str
    decimal: str
    header: tuple[str, ...]
    packed: str = ""
    #: Whether a blank stands behind each separator.
    spaced: bool = False
    #: Whether some column shows the decimal sign, or it was given.
    proved: bool = True
    #: The lines above the names, and how many lines, blank ones too, are to be passed over for them.
    above: tuple[str, ...] = ()
    skip: int = 0
    #: Whether each row has one value more than there are names: the name of the row, as R writes it.
    named_rows: bool = False
    #: Rows among those looked at that have fewer values than there are names.
    short: int = 0


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


def sniff(
    path: Path, kind: str, *, encoding: str = "", separator: str = "", decimal: str = "", header: int | None = None
) -> Layout:
    """Find out how a text file holds its table; what is given is taken as it is.

    ``header`` is the line that has the names, from 1; 0 where no line has.

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
    begins = text.lstrip()[:20].lower()
    if other := next((kind for mark, kind in _OTHER_TEXTS if begins.startswith(mark)), ""):
        raise TableError(
            f"{path.name}: holds {other}, no table with separators.",
            remedy=f"Read it with pandas: pd.read_{other.lower()}({path.name!r}).",
        )
    said = re.match(r"sep=(.)\r?\n", text)  # how Excel tells it
    if said:
        text, separator = text[said.end() :], separator or said[1]
    found = _records(text, whole)
    records, gaps = [record for _, record in found], _gaps(found)
    separator = separator or (";" if _is_one_column(records) else _separator(records, gaps))
    fields = [_split(record, separator) for record in records]
    place = _header(path, found, header) if header else head_of(fields, gaps) if header is None else 0
    rows = fields[place + (header != 0) :]
    sign = decimal_of(columns_of(rows), quoted=separator == ",")
    bare = [_QUOTED.sub("", record) for record in records]
    spaced = all(line.count(separator) == line.count(f"{separator} ") for line in bare) and separator in bare[0]
    return Layout(
        encoding,
        separator,
        decimal or sign or ".",
        tuple(fields[place]) if header != 0 else (),
        kind if kind in _OPENERS else "",
        spaced,
        proved=bool(decimal or sign),
        above=tuple(record for record, row in zip(records[:place], fields, strict=False) if any(row)),
        skip=found[place][0],
        short=sum(len(row) < len(fields[place]) for row in rows) if header != 0 and len(fields[place]) > 1 else 0,
        named_rows=header != 0 and _has_row_names(fields[place], rows),
    )


def _is_one_column(records: Sequence[str]) -> bool:
    """Whether below one name stand nothing but numbers with a decimal comma, which separates nothing then."""
    return len(records) > 1 and "," not in records[0] and all(map(_COMMAS.fullmatch, records[1:]))


def _header(path: Path, found: Sequence[tuple[int, str]], line: int) -> int:
    """The place of the record that begins in this line of the file, counted from 1."""
    place = next((at for at, (number, _) in enumerate(found) if number == line - 1), None)
    if place is None:
        raise TableError(f"{path.name}: line {line} has no names.", remedy="header counts lines from 1; 0 is none.")
    return place


def _has_row_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether every row has just one value more than the header, and not always an empty one at its end."""
    return (
        len(rows) > 0
        and all(len(row) == len(header) + 1 for row in rows)
        and len(header) > 0
        and any(row[-1].strip() for row in rows)
        and all(name.strip() for name in header)
    )


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


def _records(text: str, whole: bool) -> list[tuple[int, str]]:
    """The first lines with something in them, each with how many are before it; line ends within quotes do not end one."""
    records: list[tuple[int, str]] = []
    current, number = "", 0
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        current = f"{current}\n{line}" if current else line
        if current.count('"') % 2 and len(current) < 100_000:
            continue
        if current.strip():
            records.append((number, current))
        current, number = "", number + 1
        if len(records) >= 300:
            return records
    if len(records) > 1 and not whole:
        records.pop()  # cut by the end of the sample
    return records or [(0, text[:1000])]


def _gaps(records: Sequence[tuple[int, str]]) -> list[bool]:
    """Whether a blank line stands before each."""
    numbers = [number for number, _ in records]
    return [False, *(after - before > 1 for before, after in itertools.pairwise(numbers))]


def _separator(records: Sequence[str], gaps: Sequence[bool]) -> str:
    """What the first line and most of the others have equally often outside of quotes; a comma where nothing has.

    The first line counts less where it is a title, or has a name less than there are values.
    """
    bare = [_QUOTED.sub("", record) for record in records]
    best, score = ",", 0.0
    for candidate in _SEPARATORS:
        counts = [record.count(candidate) for record in bare]
        usual, times = Counter(counts).most_common(1)[0] if counts else (0, 0)
        share = times / len(counts) if usual == counts[0] else 0.5 * counts.count(counts[0]) / len(counts)
        share = share if counts[0] else 0.0
        below, often = Counter(counts[1:]).most_common(1)[0] if counts[1:] else (0, 0)
        if below and below != counts[0] and often > len(counts) / 3:
            titled = head_of([_split(record, candidate) for record in records], gaps) > 0
            if titled or counts[0] == below - 1 > 0:
                share = max(share, 0.9 * often / (len(counts) - 1))
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
