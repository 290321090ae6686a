"""The CLI's own record of a conversation, without the secrets that the model wrote into it.

The record is a file of JSON lines that the CLI adds to, and goes on from when a conversation is resumed. So it is neither
removed nor written anew: what is secret in it is overwritten in its place, letter by letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.kernel.secrets import redacted_parts

__all__ = ["mask_transcript"]

#: Characters of a line of a secret that is looked for by itself: a private key may stand there escaped twice.
LINE: Final = 20


def mask_transcript(home: Path, conversation: str, known: Mapping[str, str] | None = None) -> int:
    """Overwrite the secrets in the records of ``conversation``, its subagents' too, below the CLI's folder ``home``.

    ``known`` has further secrets. Returns how many there were. A record that is not there has none.
    """
    if not conversation or any(char in conversation for char in "*?[]/\\"):
        return 0
    found = [*home.glob(f"projects/*/{conversation}.jsonl"), *home.glob(f"projects/*/{conversation}/**/*.jsonl")]
    return sum(_mask(path, known) for path in found if path.is_file() and not path.is_symlink())


def _mask(path: Path, known: Mapping[str, str] | None) -> int:
    data = path.read_bytes()
    secret: dict[bytes, None] = {}
    for line in data.split(b"\n"):
        for text in _texts(line):
            for part in redacted_parts(text, known):
                pieces = [part, *(piece for piece in part.splitlines() if len(piece) >= LINE)]
                for piece in pieces:
                    secret |= {json.dumps(piece, ensure_ascii=ascii)[1:-1].encode(): None for ascii in (False, True)}
    count = 0
    with path.open("r+b") as file:
        for hidden in sorted(secret, key=len, reverse=True):
            at = data.find(hidden)
            while at >= 0:
                file.seek(at)
                file.write(b"*" * len(hidden))
                data = data[:at] + b"*" * len(hidden) + data[at + len(hidden) :]
                count += 1
                at = data.find(hidden, at + len(hidden))
    return count


def _texts(line: bytes) -> Iterator[str]:
    """All texts in a line of JSON; a line that is none is a text itself."""
    text = line.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield text
        return
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
