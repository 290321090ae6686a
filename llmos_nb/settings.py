"""Every option, declared once as data: help, docs, environment variables and checks are made from the declarations.

Later sources win: defaults, ``<workspace>/llmos.toml``, environment variables, arguments.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import SettingsError
from llmos_nb.option import (
    NUMBER,
    PATH,
    TABLE,
    TEXT,
    WHOLE,
    amount,
    checked,
    closest,
    filled,
    option,
    positive,
    share,
    shown,
    wrong_type,
)

__all__ = ["MODES", "Settings", "describe", "endpoint_kind", "load_settings"]

#: What a goal's mode can be forced to; ``auto`` takes the cheapest that fits.
MODES: Final = ("auto", "crystallized", "follower", "mixed", "learner", "orchestrator")

#: Bytes of an llmos.toml.
FILE_LIMIT: Final = 64 * 1024


def _mode(value: str) -> str:
    return "" if value in MODES else f"must be one of {', '.join(MODES)}{closest(value, MODES)}"


def _endpoint(value: str) -> str:
    if value in ("auto", "claude", "scripted"):
        return ""
    try:
        url = urllib.parse.urlsplit(value)
        usable = (
            value.isprintable()
            and " " not in value
            and url.scheme in ("http", "https")
            and bool(url.hostname)
            and url.port != 0
        )
    except ValueError:
        usable = False
    if not usable:
        return "must be auto, claude, scripted or an http(s) URL"
    if url.username is not None or url.password is not None:
        return "must not hold a user or password; give the key as LLMOS_ENDPOINT_KEY"
    return ""


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The options of one system, checked when it is made. Amounts are US dollars, times seconds.

    Raises:
        SettingsError: a value has the wrong type or is out of range.
    """

    workspace: Path = option(  # noqa: RUF009  # an immutable default
        PATH, Path("workspace"), "The folder with agents, memory, crystals and llmos.toml."
    )
    endpoint: str = option(
        TEXT,
        "auto",
        "claude, scripted, an http(s) URL, or auto: claude where ANTHROPIC_API_KEY is set, else scripted.",
        check=_endpoint,
    )
    endpoint_key: str | None = option(
        TEXT, None, "The key that is sent to an endpoint given as a URL.", check=filled, secret=True
    )
    model: str | None = option(
        TEXT, None, "The model for agents that name none; the endpoint's default if empty.", check=filled
    )
    agent: str = option(TEXT, "generalist", "The agent for goals that name none.", check=filled)
    mode: str = option(TEXT, "auto", "How goals are worked on: auto, or one mode for all.", check=_mode)
    budget_usd: float = option(NUMBER, 10.0, "What this workspace may spend in all, in US dollars.", check=amount)
    run_budget_usd: float = option(NUMBER, 0.50, "What one goal may spend, in US dollars.", check=amount)
    session_budget_usd: float | None = option(
        NUMBER, None, "What one kernel session may spend, in US dollars, or none.", check=amount, none="none"
    )
    day_budget_usd: float | None = option(
        NUMBER, None, "What may be spent in one day (UTC), in US dollars, or none.", check=amount, none="none"
    )
    price_input_usd: float | None = option(
        NUMBER,
        0.0,
        "Price of a million input tokens at an endpoint given as a URL, in US dollars, or unknown.",
        check=amount,
        none="unknown",
    )
    price_output_usd: float | None = option(
        NUMBER,
        0.0,
        "Price of a million output tokens at an endpoint given as a URL, in US dollars, or unknown.",
        check=amount,
        none="unknown",
    )
    tutorial_price_input_usd: float = option(
        NUMBER, 3.0, "Play money for a million input tokens of the scripted endpoint, in US dollars.", check=amount
    )
    tutorial_price_output_usd: float = option(
        NUMBER,
        15.0,
        "Play money for a million output tokens of the scripted endpoint, in US dollars.",
        check=amount,
    )
    time_limit_s: float = option(NUMBER, 600.0, "Seconds until a run is stopped.", check=positive)
    hook_deadline_s: float = option(
        NUMBER, 5.0, "Seconds until a hook that does not answer counts as a refusal.", check=positive
    )
    stop_grace_s: float = option(NUMBER, 1.0, "Seconds that a stopped run gets to end by itself.", check=positive)
    max_turns: int | None = option(WHOLE, 50, "Model turns in one run, or none.", check=positive, none="none")
    output_limit: int = option(WHOLE, 20_000, "Characters of a tool's result that the model sees.", check=positive)
    guidance_limit: int = option(
        WHOLE, 6_000, "Characters of a similar trace that the model sees as guidance.", check=positive
    )
    state_url: str | None = option(
        TEXT, None, "SQLAlchemy URL of the state database; a SQLite file in the workspace if empty.", check=filled
    )
    sdk: Mapping[str, Any] = option(TABLE, None, "Further fields of the SDK's ClaudeAgentOptions, by name.")
    follower_confidence: float = option(
        NUMBER, 0.92, "Confidence from which a trace is replayed without a model.", check=share
    )
    mixed_confidence: float = option(NUMBER, 0.75, "Confidence from which a trace guides the model.", check=share)
    warm_clients: int = option(
        WHOLE, 2, "Connected model clients that are kept, one a configuration.", check=positive
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, checked(field, getattr(self, field.name), field.name))
        if self.mixed_confidence > self.follower_confidence:
            raise SettingsError(
                f"mixed_confidence {self.mixed_confidence} is above follower_confidence {self.follower_confidence}.",
                remedy="Guidance needs less confidence than a replay: lower the first or raise the second.",
            )

    def with_(self, **changes: Any) -> Settings:
        """A copy with some options changed; None is a value here.

        Raises:
            SettingsError: an unknown name or an unusable value.
        """
        for name in changes:
            _known(name, "with_")
        return dataclasses.replace(self, **changes)

    def __repr__(self) -> str:
        pairs = (f"{field.name}={shown(field, getattr(self, field.name))}" for field in dataclasses.fields(self))
        return f"Settings({', '.join(pairs)})"


_FIELDS: Final = {field.name: field for field in dataclasses.fields(Settings)}
#: Environment variable -> option. A table has none.
_VARIABLES: Final = {
    f"LLMOS_{name.upper()}": field for name, field in _FIELDS.items() if field.metadata["kind"] is not TABLE
}


def load_settings(
    workspace: Path | str | None = None, environ: Mapping[str, str] | None = None, **overrides: Any
) -> Settings:
    """The settings for a workspace. ``environ`` is ``os.environ`` if None; an empty variable counts as unset.

    ``workspace`` and overrides that are None count as not given. ``llmos.toml`` is looked for in the workspace that
    the argument, else ``LLMOS_WORKSPACE``, else the default names; that it is not there is no error.

    Raises:
        SettingsError: a source has an unknown name or an unusable value; the message names the file or variable.
    """
    values: dict[str, Any] = {}
    given = {name: value for name, value in {**overrides, "workspace": workspace}.items() if value is not None}
    for name, value in given.items():
        values[name] = checked(_known(name, "argument"), value, f"argument {name}")
    values = {**_from_environment(os.environ if environ is None else environ), **values}
    folder = values.get("workspace", _FIELDS["workspace"].default)
    return Settings(**{**_from_file(folder / "llmos.toml"), **values})


def describe() -> list[dict[str, str]]:
    """One row an option, in order: ``name``, ``type``, ``default``, ``env`` and ``help``."""
    variables = {field.name: variable for variable, field in _VARIABLES.items()}
    return [
        {
            "name": name,
            "type": field.metadata["kind"].label + (f" or {none}" if (none := field.metadata["none"]) else ""),
            "default": {None: none, dataclasses.MISSING: ""}.get(field.default, str(field.default)),
            "env": variables.get(name, ""),
            "help": field.metadata["help"],
        }
        for name, field in _FIELDS.items()
    ]


def endpoint_kind(settings: Settings, environ: Mapping[str, str] | None = None) -> str:
    """``claude``, ``scripted`` or ``url``. ``auto`` is claude only where ANTHROPIC_API_KEY is set and not empty."""
    if settings.endpoint == "auto":
        return "claude" if (os.environ if environ is None else environ).get("ANTHROPIC_API_KEY") else "scripted"
    return settings.endpoint if settings.endpoint in ("claude", "scripted") else "url"


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if not variable.startswith("LLMOS_") or not text:
            continue
        field = _VARIABLES.get(variable)
        if field is None:
            raise SettingsError(
                f"environment variable {variable}: there is no such setting{closest(variable, _VARIABLES)}.",
                remedy="Correct or unset the variable.",
            )
        where = f"environment variable {variable}"
        value: Any = text
        if text != field.metadata["none"]:
            try:
                value = field.metadata["kind"].from_text(text)
            except ValueError as error:
                raise wrong_type(field, text, where) from error
        values[field.name] = checked(field, value, where)
    return values


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):  # a workspace that cannot be one is told when it is used
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path}: cannot be read ({error}).", remedy="Check that it is a readable file."
        ) from error
    if len(data) > FILE_LIMIT:
        raise SettingsError(f"{path}: more than {FILE_LIMIT} bytes.", remedy="Shorten it.")
    try:
        text = data.decode("utf-8")
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path}: is not TOML ({error}).", remedy="Correct the file; see https://toml.io."
        ) from error
    values: dict[str, Any] = {}
    for name, value in table.items():
        where = f"{path}:{_line_of(name, text)}: {name}"
        if name == "workspace":
            raise SettingsError(
                f"{where}: the workspace cannot name itself.", remedy="Set LLMOS_WORKSPACE, or pass workspace=…"
            )
        values[name] = checked(_known(name, f"{path}:{_line_of(name, text)}"), value, where)
    return values


def _line_of(name: str, text: str) -> int:
    found = re.search(rf"^[ \t]*\[?[ \t]*[\"']?{re.escape(name)}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _known(name: str, where: str) -> dataclasses.Field[Any]:
    if name not in _FIELDS:
        raise SettingsError(
            f"{where}: there is no setting {name!r}{closest(name, _FIELDS)}.",
            remedy=f"Settings: {', '.join(_FIELDS)}.",
        )
    return _FIELDS[name]
