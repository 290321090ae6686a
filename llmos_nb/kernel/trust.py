"""Whether a thing was made, or vouched for, on this machine by this person: a keyed digest that nobody else can make.

Traces and crystals are programs in files that anybody may bring: a colleague, git, an archive. So what this system makes
gets a mark of its kind, its name and its content, made with a key that stays with the person, outside every workspace.
A copied database, a forged seal, another file under a known name, or a workspace from another machine have no such mark.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from llmos_nb.errors import StoreError
from llmos_nb.kernel.whose import by_agent, own_work, persons_only

__all__ = ["KEY_FILE", "Trust"]

#: Names another file for the key: for a home that does not last, as a container's.
KEY_FILE: Final = "LLMOSNB_TRUST_KEY"
_LENGTH: Final = 32


def _place() -> Path | None:
    """Where the key is, as the surroundings said when this was imported: code that runs later does not move it."""
    if named := os.environ.get(KEY_FILE):
        return Path(named).absolute()
    try:
        return Path.home() / ".llmos_nb" / "trust.key"
    except RuntimeError:  # nobody's home
        return None


PLACE = _place()


class Trust:
    """Makes and knows marks. ``key`` is what they are made with."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @staticmethod
    def here(fallback: Path | None = None) -> Trust:
        """That of this person on this machine; the key is made where there is none.

        Where no home can be written to, it is kept in the folder ``fallback``.

        Raises:
            StoreError: it can be kept nowhere, or what is there is no key.
        """
        places = [place for place in (PLACE, fallback / "trust.key" if fallback is not None else None) if place]
        problem = ""
        for place in places:
            try:
                with own_work():
                    return Trust(_key_in(str(place)))
            except OSError as error:
                problem = f"{place}: {error.strerror or error}"
        raise StoreError(
            f"The key that tells your own traces from others' cannot be kept ({problem}).",
            remedy=f"Name a file for it that you can write to: {KEY_FILE}.",
        )

    def sign(self, kind: str, name: str, content: str) -> str:
        """The mark of a thing: only a person, or the system itself, can have it made.

        Raises:
            GuardDenied: an agent's code asks.
        """
        persons_only(f"vouch for a {kind}")
        return self._mark(kind, name, content)

    def knows(self, kind: str, name: str, content: str, mark: object) -> bool:
        """Whether ``mark`` was made here for just this thing."""
        return isinstance(mark, str) and hmac.compare_digest(
            mark.encode("utf-8", "replace"), self._mark(kind, name, content).encode()
        )

    @property
    def may_sign(self) -> bool:
        """Whether who asks now is no agent's code."""
        return not by_agent()

    def _mark(self, kind: str, name: str, content: str) -> str:
        text = "\0".join((kind, name, content)).encode("utf-8", "surrogatepass")
        return f"1-{hmac.new(self._key, text, hashlib.sha256).hexdigest()[:32]}"


@functools.lru_cache(maxsize=8)
def _key_in(place: str) -> bytes:
    path = Path(place)
    with contextlib.suppress(FileNotFoundError):
        return _read(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Whoever links first has made it: two kernels that start together have one key.
    made = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(_LENGTH).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.replace(made, path)
    finally:
        made.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> bytes:
    data = path.read_bytes().strip()
    if len(data) < _LENGTH:
        raise OSError(
            22, "this is no key: move it away, and a new one is made; own traces then have to be trusted anew"
        )
    return data
