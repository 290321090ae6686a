"""What of ``llmos.toml`` is broken, and what of it or of scripts waits: told when a system is made, and with a goal."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from llmos_nb.errors import WaitsForTrust

if TYPE_CHECKING:
    from llmos_nb.system.parts import SystemParts

__all__ = ["news_of_policy", "warn_of_policy"]


def warn_of_policy(parts: SystemParts) -> None:
    """Tell it once, as a warning that names the file and its line."""
    text, line = _notice(parts)
    if text:
        what, _, said = text.partition(": ")
        file = f"{parts.settings.workspace}/{what if what in ('llmos.toml', 'scripts/') else 'llmos.toml'}"
        warnings.warn_explicit(said if file.endswith(what) else text, WaitsForTrust, file, line)


def news_of_policy(parts: SystemParts) -> str:
    """What there is to tell with a goal: once, and again when it is something else. Empty where there is nothing."""
    text, _ = _notice(parts)
    if text == parts.policy_told:
        return ""
    parts.policy_told = text
    return text


def _notice(parts: SystemParts) -> tuple[str, int]:
    if not any((parts.workspace / name).exists() for name in ("llmos.toml", ".llmos/policy.json", "scripts")):
        return "", 0
    return parts.guard.notice
