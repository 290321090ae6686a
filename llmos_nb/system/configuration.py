"""What a system's options are now, and from where: a value, so that a change is made whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmos_nb.errors import SettingsError
from llmos_nb.settings import Settings, resolve

__all__ = ["Configuration", "configuration_of"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, for each option where its value came from, and what both were made of.

    ``given`` are arguments of the system, ``configured`` options that the notebook's ``%config`` set.
    """

    settings: Settings
    sources: dict[str, str]
    given: Mapping[str, Any]
    #: Where a relative workspace begins: a cell that goes elsewhere does not take it along.
    start: Path
    configured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        """The workspace's folder, absolute; ``settings.workspace`` is it as it was given."""
        return self.start / self.settings.workspace

    def with_arguments(self, options: Mapping[str, Any]) -> Configuration:
        """With other arguments; None is a value here.

        Raises:
            SettingsError: an unknown or unusable option.
        """
        return self._made({**self.given, **options}, self.configured)

    def with_config(self, name: str, value: Any) -> Configuration:
        """With another option of ``%config``; arguments go before.

        Raises:
            SettingsError: an unknown or unusable option, or one that is given as an argument.
        """
        if name in self.given:
            raise SettingsError(
                f"{name} was given as an argument of this system, which goes before %config.",
                remedy=f"Say llmos.configure({name}=…).",
            )
        return self._made(self.given, {**self.configured, name: value})

    def changes(self, older: Configuration) -> set[str]:
        """The options that have another value than in ``older``."""
        return {name for name in self.sources if getattr(self.settings, name) != getattr(older.settings, name)}

    def _made(self, given: Mapping[str, Any], configured: Mapping[str, Any]) -> Configuration:
        moved = any(
            new.get("workspace") != old.get("workspace")
            for new, old in ((given, self.given), (configured, self.configured))
        )
        start = _current_folder() if moved else self.start
        settings, sources = resolve(given, configured, start=start, vouched=_vouched)
        return Configuration(settings, sources, given, start, configured)


def configuration_of(arguments: Mapping[str, Any]) -> Configuration:
    """The configuration of a system with these arguments; those that are None were not given.

    Raises:
        SettingsError: an unknown or unusable option.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    start = _current_folder()
    settings, sources = resolve(given, start=start, vouched=_vouched)
    return Configuration(settings, sources, given, start)


def _vouched(workspace: Path) -> Mapping[str, Any]:
    """What a person trusts of the workspace's settings file."""
    from llmos_nb.guard.policy_file import trusted_options

    return trusted_options(workspace)


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was deleted
        return Path()
