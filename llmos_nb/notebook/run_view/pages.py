"""The pages that show a run: the one that it began on, and those that came back to it.

A page that was reloaded gets nothing any more of what the cell shows. Its widget does reach the kernel, though: so the
widget is told to put itself back into its cell, and in the end to leave the result there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Cell", "Pages", "outputs_of"]

#: Seconds in which a page that is there says good-bye.
LEAVE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Cell:
    """The cell that is at work: the client that asked for it, its id and source; empty where a frontend tells none."""

    client: str = ""
    id: str = ""
    code: str = ""

    @classmethod
    def at_work(cls, kernel: Any) -> Cell:
        """What the kernel was asked to run."""
        try:
            asked = kernel.get_parent("shell")
            id_ = asked["metadata"].get("cellId") or ""
            return cls(str(asked["header"]["session"]), str(id_), str(asked["content"].get("code", "")))
        except (AttributeError, KeyError, TypeError):
            return cls()


class Pages:
    """Who shows a run that began in ``cell``; ``tell`` sends to all of them. May be called from any thread.

    ``view`` is what a display's bundle has of the widget, whose id is ``model``.
    """

    def __init__(
        self, cell: Cell, tell: Callable[[Mapping[str, Any]], None], view: Mapping[str, Any], model: str = ""
    ) -> None:
        self.cell, self._model = cell, model
        self._tell, self._view = tell, view
        self._back: set[str] = set()
        self._gone: set[str] = set()
        #: What the run left, once it is over.
        self._left: Sequence[Mapping[str, Any]] | None = None
        #: Whether a page has the result.
        self.delivered = False
        self._changed = threading.Condition()

    def heard(self, client: str, message: Mapping[str, Any]) -> None:
        """A page said something: one that was not there when the cell began is given the view, or the result."""
        with self._changed:
            if message.get("bye") and client not in self._back:
                self.delivered = True  # it sees the cell's own outputs
                self._gone.add(client)
            elif message.get("placed") is not None and client in self._back:
                if self._left is not None:
                    self.delivered = self.delivered or message["placed"] is True
                    self._gone.add(client)
            elif self.cell.client and client not in ("", self.cell.client) and client not in self._back:
                self._back.add(client)
                self._place(client)
            self._changed.notify_all()

    def over(self, outputs: Sequence[Mapping[str, Any]]) -> None:
        """The run is over, and left these outputs; pages that came back are given them."""
        with self._changed:
            self._left = outputs
            self._tell({"over": True})
            for client in self._back:
                self._place(client)

    def _place(self, client: str) -> None:
        cell = self.cell
        place: dict[str, Any] = {"client": client, "cell": cell.id, "code": cell.code, "model": self._model}
        if self._left is None:
            self._tell({"back": {**place, "view": self._view}})
        else:
            self._tell({"back": {**place, "outputs": list(self._left)}})

    def wait(self, seconds: float = LEAVE_S) -> bool:
        """Wait until every page that is known of has what it needs; whether one has the result."""
        with self._changed:
            self._changed.wait_for(lambda: self.delivered and self._back <= self._gone, seconds)
            return self.delivered


def outputs_of(result: Any) -> list[dict[str, Any]]:
    """What a cell would have shown of a goal's result, as a notebook keeps it: what the goal's cells showed, and itself."""
    if result is None:
        return []
    outputs: list[dict[str, Any]] = [
        {"output_type": "stream", "name": one.kind, "text": one.text}
        if one.is_stream
        else {"output_type": "display_data", "data": dict(one.data), "metadata": dict(one.metadata)}
        for one in getattr(result, "shown", ())
    ]
    return [*outputs, {"output_type": "display_data", "data": result._repr_mimebundle_(), "metadata": {}}]
