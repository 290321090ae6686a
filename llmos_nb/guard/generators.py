"""Where the random generators of the process stand: those behind ``random``, ``numpy.random`` and ``torch``.

Who seeds one, or draws from it, changes which numbers everybody draws next. So where they stand is kept with what else a
run may change, and put back unless others have drawn since. Only of libraries that are loaded; a generator in a variable
(``numpy.random.default_rng()``) is a value like any other, and torch's on other devices than the processor are not kept.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["generators_now", "put_generator"]


def _numpy() -> Any:
    """Plain data, so that two can be compared."""
    state = sys.modules["numpy.random"].get_state(legacy=False)
    inner = {key: (value.tobytes() if hasattr(value, "tobytes") else value) for key, value in state["state"].items()}
    return {**state, "state": inner}


def _put_numpy(value: Mapping[str, Any]) -> None:
    numpy = sys.modules["numpy"]
    now = numpy.random.get_state(legacy=False)["state"]
    inner = {
        key: numpy.frombuffer(one, dtype=now[key].dtype).reshape(now[key].shape) if isinstance(one, bytes) else one
        for key, one in value["state"].items()
    }
    numpy.random.set_state({**value, "state": inner})


def _torch() -> Any:
    return bytes(sys.modules["torch"].get_rng_state().tolist())


def _put_torch(value: bytes) -> None:
    torch = sys.modules["torch"]
    torch.set_rng_state(torch.tensor(list(value), dtype=torch.uint8))


#: By module: where its generator stands, and how that is put back.
_KINDS: Final[Mapping[str, tuple[Callable[[], Any], Callable[[Any], None]]]] = {
    "random": (random.getstate, random.setstate),
    "numpy.random": (_numpy, _put_numpy),
    "torch": (_torch, _put_torch),
}


def generators_now() -> dict[str, Any]:
    """Where the generators of loaded modules stand, by the module's name."""
    found: dict[str, Any] = {}
    for name, (now, _) in _KINDS.items():
        if name in sys.modules:
            with contextlib.suppress(Exception):  # another version's, or half loaded: no reason to end a run
                found[name] = now()
    return found


def put_generator(name: str, value: Any) -> None:
    """Have a generator stand where it stood."""
    _KINDS[name][1](value)
