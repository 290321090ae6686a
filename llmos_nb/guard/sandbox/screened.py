"""What may be shown of a sandbox's output: text without control characters, PNG and JPEG pictures, tables as HTML.

HTML is taken apart and written again from a short list of tags, so that no script, style, link or picture from elsewhere
gets into the notebook, where it could run with the person's rights. Every other rich form is left out.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import struct
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, Final

__all__ = ["screened_data", "screened_html", "screened_text"]

#: What a terminal would obey, and what no eye sees: C0 and C1 control characters but for tab and line ends, and marks
#: that turn the direction of writing.
_CONTROL: Final = re.compile(
    r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_TAGS: Final = frozenset(
    {
        *(
            "table",
            "caption",
            "colgroup",
            "col",
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "th",
            "td",
            "div",
            "span",
            "p",
            "br",
        ),
        *(
            "hr",
            "b",
            "i",
            "em",
            "strong",
            "sub",
            "sup",
            "small",
            "u",
            "s",
            "code",
            "pre",
            "ul",
            "ol",
            "li",
            "dl",
            "dt",
        ),
        *("dd", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"),
    }
)
_VOID: Final = frozenset({"br", "hr", "col"})
_DROPPED: Final = frozenset(
    {
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "template",
        "noscript",
        "title",
        "textarea",
        "xmp",
    }
)
#: Characters of one HTML, and bytes and points of a picture.
HTML_LIMIT: Final = 5_000_000
PICTURE_BYTES: Final = 20 * 2**20
PICTURE_POINTS: Final = 50_000_000


def screened_text(text: str) -> str:
    """Text without what a terminal would obey."""
    return _CONTROL.sub("", text)


def screened_data(data: Mapping[str, Any]) -> dict[str, str]:
    """What of a display's forms may be shown; its plain text says what was left out where nothing else is left."""
    found: dict[str, str] = {}
    plain = data.get("text/plain")
    if isinstance(plain, str):
        found["text/plain"] = screened_text(plain)
    for mime in ("image/png", "image/jpeg"):
        picture = data.get(mime)
        if isinstance(picture, str) and _is_picture(mime, picture):
            found[mime] = picture
    page = data.get("text/html")
    if isinstance(page, str) and len(page) <= HTML_LIMIT:
        found["text/html"] = screened_html(page)
    left_out = sorted({str(mime)[:60] for mime in data} - set(found))
    if left_out and not set(found) - {"text/plain"}:
        told = screened_text(f"[not shown out of the sandbox: {', '.join(left_out)[:200]}]")
        found["text/plain"] = f"{found.get('text/plain', '')}\n{told}".strip()
    return found


def _is_picture(mime: str, text: str) -> bool:
    if len(text) > PICTURE_BYTES * 4 // 3 + 4:
        return False
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    if mime == "image/png":
        if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 33:
            return False
        width, height = struct.unpack(">II", data[16:24])
        return bool(0 < width * height <= PICTURE_POINTS)
    return data[:3] == b"\xff\xd8\xff" and 0 < _jpeg_points(data) <= PICTURE_POINTS


def _jpeg_points(data: bytes) -> int:
    """Width times height, as the frame's header says; 0 where there is none."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        kind, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return int(height * width)
        at += 2 + size
    return 0


def screened_html(text: str) -> str:
    """HTML of harmless tags alone, with no attribute but a cell's span and a table's class."""
    writer = _Writer()
    writer.feed(text)
    writer.close()
    return writer.text()


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def text(self) -> str:
        return "".join(self._parts) + "".join(f"</{tag}>" for tag in reversed(self._open))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._silent.append(tag)
        elif not self._silent and tag in _TAGS and len(self._open) < 100:
            self._parts.append(f"<{tag}{''.join(_kept(name, value) for name, value in attrs)}>")
            if tag not in _VOID:
                self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID and not self._silent:
            self._parts.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            while self._silent.pop() != tag:
                pass
        elif not self._silent and tag in self._open:
            while (top := self._open.pop()) != tag:
                self._parts.append(f"</{top}>")
            self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(html.escape(screened_text(data)))


def _kept(name: str, value: str | None) -> str:
    if name in ("colspan", "rowspan") and value and re.fullmatch(r"[0-9]{1,4}", value):
        return f' {name}="{value}"'
    if name == "class" and value == "dataframe":
        return ' border="1" class="dataframe"'
    return ""
