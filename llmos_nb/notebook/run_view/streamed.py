"""Markdown that grows: what is complete is rendered once, and only its last block again with each piece."""

from __future__ import annotations

import functools
from typing import Any, Final

from llmos_nb.notebook.run_view.code import highlighted

__all__ = ["Streamed"]

#: Characters of one text that are shown while it streams; the result shows all of it.
LIMIT: Final = 60_000


class Streamed:
    """A text as it streams. :meth:`advance` says what became complete since it was asked last, and what is open yet."""

    def __init__(self, text: str = "") -> None:
        self.text = text.replace("\r", "")
        #: HTML of complete blocks.
        self.done: list[str] = []
        #: Whether the text became another one, so that what was told of it is void.
        self.anew = False
        self._at = 0

    def add(self, piece: str) -> None:
        """Another piece came."""
        self.text += piece.replace("\r", "")  # a line ends in \n alone, as the parser counts them

    def end(self, text: str) -> None:
        """The whole text is known now."""
        text = text.replace("\r", "")
        if text != self.text:
            self.text, self._at = text, 0
            self.done.clear()
            self.anew = True

    def advance(self) -> str:
        """Render what came: complete blocks go to ``done``, the HTML of the open one is returned."""
        rest = self.text[self._at : LIMIT]
        if not rest:
            return "<p>…</p>" if len(self.text) > LIMIT else ""
        parser = _parser()
        whole = rest[
            : rest.rfind("\n") + 1
        ]  # a line that is not whole yet can still make something else of those before
        starts = [
            token.map[0] for token in parser.parse(whole) if token.map and token.level == 0 and token.nesting >= 0
        ]
        if len(starts) > 1:
            complete = "".join(f"{line}\n" for line in rest.split("\n")[: starts[-1]])
            self.done.append(parser.render(complete))
            self._at += len(complete)
            rest = rest[len(complete) :]
        return str(parser.render(rest))


@functools.cache
def _parser() -> Any:
    """CommonMark with tables whose HTML is text, and whose images are not fetched: an agent's words load nothing."""
    from markdown_it import MarkdownIt

    def code(text: str, language: str, attributes: str) -> str:
        return highlighted(text, language) if language else ""

    made = MarkdownIt("commonmark", {"html": False, "highlight": code}).enable(["table", "strikethrough"])
    return made.disable("image")
