"""``%llmos_settings`` and ``%config LLMOSMagics``: every option with its value, where that came from, and its help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from traitlets import TraitError, TraitType

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.settings_views import options_table, presets_table
from llmos_nb.notebook.views import Table
from llmos_nb.option import shown
from llmos_nb.settings import describe, known_option

__all__ = ["LLMOSMagics"]


class Setting(TraitType[Any, Any]):
    """An option of the system as a trait: read from the system, checked and changed there."""

    def get(self, obj: Any, cls: Any = None) -> Any:
        return _veiled(str(self.name), getattr(obj.system.settings, str(self.name)))

    def set(self, obj: Any, value: Any) -> None:
        try:
            obj.system.configure_from_notebook(str(self.name), value)
        except SettingsError as error:
            raise TraitError(str(error)) from error


class _VeiledText(str):
    """Text whose ``repr`` shows no secret: ``%config LLMOSMagics`` prints it into the notebook."""

    _said: str = ""

    def __repr__(self) -> str:
        return self._said


class _VeiledTable(dict[str, Any]):
    """A table whose ``repr`` shows no values."""

    _said = ""

    def __repr__(self) -> str:
        return self._said


def _veiled(name: str, value: Any) -> Any:
    said = shown(known_option(name, ""), value)
    if said == repr(value) or not isinstance(value, str | Mapping):
        return value
    veiled: Any = _VeiledText(value) if isinstance(value, str) else _VeiledTable(value)
    veiled._said = said
    return veiled


def _settings() -> dict[str, Any]:
    """A trait for each declared option."""
    return {
        row["name"]: Setting(help=f"{row['help']} ({row['type']}; {row['env'] or 'llmos.toml'})").tag(config=True)
        for row in describe()
    }


class _Options(Magics):
    """The class that holds one trait an option, made from the declarations."""

    locals().update(_settings())


@magics_class
class LLMOSMagics(_Options):
    """The options of llmos_nb. A change holds from the next goal on."""

    grammars: ClassVar[dict[str, Grammar]] = {
        "llmos_settings": Grammar({"presets": (), "changed": ()}, first="option")
    }

    def __init__(self, shell: Any, system: Any) -> None:
        self.system = system
        super().__init__(shell=shell, parent=shell)  # the parent brings what ipython_config.py says

    @no_var_expand
    @line_magic
    def llmos_settings(self, line: str) -> Table:
        """Every option with its value and where that came from.

        %llmos_settings             all of them
        %llmos_settings changed     those that are not as they are by default
        %llmos_settings WORD        those with this word in their name
        %llmos_settings presets     what each preset sets

        Later ones win: defaults, the preset, workspace/llmos.toml, LLMOS_... variables, %config LLMOSMagics.option = value,
        arguments of LLMOS(...). In Python: llmos.options(), llmos.configure(option=value).
        """
        word = line.strip()
        if word == "presets":
            return presets_table()
        found = self.system.options()
        if word == "changed":
            return options_table([row for row in found if row["source"] != "default"])
        chosen = [row for row in found if word in row["name"]]
        if not chosen:
            raise SettingsError(
                f"%llmos_settings {word}: no option has that in its name.", remedy="%llmos_settings lists all."
            )
        return options_table(chosen)
