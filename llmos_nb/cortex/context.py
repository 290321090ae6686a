"""How full the model's context is (L1), in the SDK's own figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ContextUse"]


@dataclass(frozen=True, slots=True)
class ContextUse:
    """Tokens in the model's context, of which it takes ``limit`` (None where only a run's last call is known).

    ``parts`` say what fills it.
    """

    tokens: int
    limit: int | None = None
    model: str = ""
    parts: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, usage: Mapping[str, Any]) -> ContextUse:
        """From what ``ClaudeSDKClient.get_context_usage()`` answers."""
        parts = tuple((str(part.get("name", "")), int(part.get("tokens", 0))) for part in usage.get("categories", ()))
        return cls(
            int(usage.get("totalTokens", 0)),
            int(usage.get("maxTokens", 0)) or None,
            str(usage.get("model", "")),
            parts,
        )

    @property
    def share(self) -> float | None:
        """How much of the limit is used, 0 to 1; None where the limit is not known."""
        return None if not self.limit else self.tokens / self.limit

    def __str__(self) -> str:
        if self.limit is None:
            return f"{self.tokens:,} tokens"
        lines = [f"{self.tokens:,} of {self.limit:,} tokens ({self.share:.1%})"]
        return "\n".join([*lines, *(f"  {name}: {tokens:,}" for name, tokens in self.parts)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))
