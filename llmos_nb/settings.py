"""Every option, declared once as data: help, docs, environment variables and checks are made from the declarations.

Later sources win: defaults, the preset, ``<workspace>/llmos.toml``, environment variables, ``%config``, arguments. What
the file loosens is left out until the person has trusted it (:mod:`llmos_nb.guard.vouched`): it may be a stranger's.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import SettingsError
from llmos_nb.loosening import Loosens, always, higher, lower, other_endpoint, weaker
from llmos_nb.option import (
    NUMBER,
    PATH,
    TABLE,
    TEXT,
    WHOLE,
    amount,
    checked,
    closest,
    count,
    filled,
    option,
    positive,
    share,
    shown,
    wrong_type,
)
from llmos_nb.presets import PRESETS

__all__ = [
    "MODES", "FileOption", "Settings", "describe", "endpoint_kind", "known_option", "load_settings", "options_in",
    "resolve", "rows",
]  # fmt: skip

#: What a goal's mode can be forced to; ``auto`` takes the cheapest that fits.
MODES: Final = ("auto", "crystallized", "follower", "mixed", "learner", "orchestrator")

#: What a person can decide beforehand; ``ask`` waits for an answer, and is no where nobody is there.
POLICIES: Final = ("allow", "ask", "deny")

#: Bytes of an llmos.toml.
FILE_LIMIT: Final = 64 * 1024


def _mode(value: str) -> str:
    return "" if value in MODES else f"must be one of {', '.join(MODES)}{closest(value, MODES)}"


def _auto_or_never(value: str) -> str:
    return "" if value in ("auto", "never") else "must be auto or never"


def _always_or_never(value: str) -> str:
    return "" if value in ("always", "never") else "must be always or never"


def _web_tools(value: str) -> str:
    return "" if value in ("allow", "deny") else "must be allow or deny"


def _preset(value: str) -> str:
    return "" if value in PRESETS else f"must be one of {', '.join(PRESETS)}{closest(value, PRESETS)}"


def _policy(value: str) -> str:
    return "" if value in POLICIES else f"must be one of {', '.join(POLICIES)}{closest(value, POLICIES)}"


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


def _project(value: str) -> str:
    """The name itself is judged where projects are known."""
    return filled(value) or ("" if re.fullmatch(r"[a-z][a-z0-9-]{1,63}", value) else "must be a project's name")


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The options of one system, checked when it is made. Amounts are US dollars, times seconds.

    Raises:
        SettingsError: a value has the wrong type or is out of range.
    """

    workspace: Path = option(  # noqa: RUF009  # an immutable default
        PATH, Path("workspace"), "The folder with agents, memory, crystals and llmos.toml.", built_in=True
    )
    preset: str = option(
        TEXT,
        "development",
        f"Options for a situation, which any option set elsewhere goes before: {', '.join(PRESETS)}.",
        check=_preset,
    )
    endpoint: str = option(
        TEXT,
        "auto",
        "claude, scripted, an http(s) URL, or auto: claude where ANTHROPIC_API_KEY is set, else scripted.",
        check=_endpoint,
        built_in=True,
        loosens=other_endpoint,
    )
    endpoint_key: str | None = option(
        TEXT,
        None,
        "The key that is sent to an endpoint given as a URL.",
        check=filled,
        secret=True,
        loosens=always,
    )
    model: str | None = option(
        TEXT, None, "The model for agents that name none; the endpoint's default if empty.", check=filled
    )
    agent: str = option(TEXT, "generalist", "The agent for goals that name none.", check=filled)
    project: str | None = option(TEXT, None, "The project for goals that name none.", check=_project, none="none")
    mode: str = option(TEXT, "auto", "How goals are worked on: auto, or one mode for all.", check=_mode)
    budget_usd: float = option(
        NUMBER,
        10.0,
        "What this workspace may spend in all, in US dollars.",
        check=amount,
        built_in=True,
        loosens=higher,
    )
    run_budget_usd: float = option(
        NUMBER, 0.50, "What one goal may spend, in US dollars.", check=amount, loosens=higher
    )
    session_budget_usd: float | None = option(
        NUMBER,
        None,
        "What one kernel session may spend, in US dollars, or none.",
        check=amount,
        none="none",
        built_in=True,
        loosens=higher,
    )
    day_budget_usd: float | None = option(
        NUMBER,
        None,
        "What may be spent in one day (UTC), in US dollars, or none.",
        check=amount,
        none="none",
        built_in=True,
        loosens=higher,
    )
    price_input_usd: float | None = option(
        NUMBER,
        0.0,
        "Price of a million input tokens at an endpoint given as a URL, in US dollars, or unknown.",
        check=amount,
        none="unknown",
        built_in=True,
    )
    price_output_usd: float | None = option(
        NUMBER,
        0.0,
        "Price of a million output tokens at an endpoint given as a URL, in US dollars, or unknown.",
        check=amount,
        none="unknown",
        built_in=True,
    )
    tutorial_price_input_usd: float = option(
        NUMBER,
        3.0,
        "Play money for a million input tokens of the scripted endpoint, in US dollars.",
        check=amount,
        built_in=True,
    )
    tutorial_price_output_usd: float = option(
        NUMBER,
        15.0,
        "Play money for a million output tokens of the scripted endpoint, in US dollars.",
        check=amount,
        built_in=True,
    )
    time_limit_s: float | None = option(
        NUMBER,
        600.0,
        "Seconds until a run is ended as timed_out, or none.",
        check=positive,
        none="none",
        loosens=higher,
    )
    silence_limit_s: float | None = option(
        NUMBER,
        180.0,
        "Seconds without a sign of life from a model that was asked, until the run is stopped, or none.",
        check=positive,
        none="none",
        loosens=higher,
    )
    repeat_limit: int | None = option(
        WHOLE,
        5,
        "Equal tool calls with equal results in a row, until the run is stopped, or none.",
        check=positive,
        none="none",
        loosens=higher,
    )
    idle_turns: int | None = option(
        WHOLE,
        10,
        "Model turns in a row whose tool calls fail or bring nothing new, until the run is stopped, or none.",
        check=positive,
        none="none",
        loosens=higher,
    )
    process_memory_mb: float | None = option(
        NUMBER,
        None,
        "Megabytes that this process and the programs it started may hold, until a run is stopped, or none.",
        check=positive,
        none="none",
        loosens=higher,
    )
    agent_changes: str = option(
        TEXT,
        "allow",
        "What becomes of an agent's wish to create or change agents: allow, ask or deny.",
        check=_policy,
        loosens=weaker,
    )
    agent_facts: str = option(
        TEXT,
        "allow",
        "What becomes of an agent's wish to remember something for later goals: allow, ask or deny.",
        check=_policy,
        loosens=weaker,
    )
    web_tools: str = option(
        TEXT,
        "allow",
        "allow, or deny: no agent reaches the web with WebFetch or WebSearch, whatever it was granted.",
        check=_web_tools,
        loosens=weaker,
    )
    sandbox: str = option(
        TEXT,
        "never",
        "always: goals work in a sandbox, on copies of what they name, as with --sandbox; never: in your kernel, "
        "unless a goal, an agent or a project asks for it.",
        check=_always_or_never,
        loosens=weaker,
    )
    hook_deadline_s: float = option(
        NUMBER, 5.0, "Seconds until a hook that does not answer counts as a refusal.", check=positive
    )
    stop_grace_s: float = option(
        NUMBER, 1.0, "Seconds that a stopped run gets to end by itself.", check=positive, loosens=higher
    )
    max_turns: int | None = option(
        WHOLE, 50, "Model turns in one run, or none.", check=positive, none="none", loosens=higher
    )
    output_limit: int = option(WHOLE, 20_000, "Characters of a tool's result that the model sees.", check=positive)
    guidance_limit: int = option(
        WHOLE, 6_000, "Characters of a similar trace that the model sees as guidance.", check=positive
    )
    memory_limit: int = option(
        WHOLE,
        1_000,
        "Tokens (about) of remembered facts that the model sees beside a goal; 0 for none.",
        check=amount,
    )
    memory_relevance: float = option(
        NUMBER, 0.5, "How much a fact must bear on a goal (0 to 1) to be given to the model with it.", check=share
    )
    namespace_summary: int = option(
        WHOLE,
        800,
        "Tokens (about) of the description of your variables (never their values) that the model sees; 0 for none.",
        check=amount,
    )
    state_url: str | None = option(
        TEXT,
        None,
        "SQLAlchemy URL of the state database; a SQLite file in the workspace if empty.",
        check=filled,
        built_in=True,
        loosens=always,
    )
    sdk: Mapping[str, Any] = option(
        TABLE, None, "Further fields of the SDK's ClaudeAgentOptions, by name.", loosens=always
    )
    follower_confidence: float = option(
        NUMBER,
        0.92,
        "Confidence from which a trace is replayed without a model.",
        check=share,
        loosens=lower,
    )
    mixed_confidence: float = option(
        NUMBER, 0.75, "Confidence from which a trace guides the model.", check=share, loosens=lower
    )
    crystal_uses: int | None = option(
        WHOLE,
        5,
        "Uses of a trace's family from which it may become a crystal, or never.",
        check=positive,
        none="never",
        loosens=lower,
    )
    crystal_success: float = option(
        NUMBER, 0.95, "Share of those uses that must have succeeded.", check=share, loosens=lower
    )
    warm_clients: int = option(
        WHOLE, 2, "Connected model clients that are kept while nothing runs on them.", check=count
    )
    orchestrate: str = option(
        TEXT, "auto", "auto: a goal that is several goals is planned and run as such; never: it is one.",
        check=_auto_or_never,
    )  # fmt: skip
    parallel_goals: int = option(
        WHOLE, 3, "Goals of one plan, and clients of one configuration, that work at the same time.", check=positive
    )
    background_runs: int = option(
        WHOLE, 3, "Goals in the background that are worked on at the same time; others wait.", check=positive
    )
    library: str = option(
        TEXT, "auto", "auto: tasks that come with packs are done free where no trace of yours fits; never: they are not.",
        check=_auto_or_never,
    )  # fmt: skip
    show_runs: str = option(
        TEXT, "auto", "auto: goals that code awaits are shown while they work, as those of %%llmos are; never: not.",
        check=_auto_or_never,
    )  # fmt: skip
    undo_runs: int = option(
        WHOLE, 10, "Runs that can be taken back with %undo; 0 for none.", check=count, loosens=lower
    )
    undo_mb: float = option(
        NUMBER,
        1024.0,
        "Megabytes that what these runs changed may take, as it was before them.",
        check=amount,
        loosens=lower,
    )
    plan_nodes: int = option(WHOLE, 40, "Goals that one plan may have.", check=positive)

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
            known_option(name, "with_")
        return dataclasses.replace(self, **changes)

    def __repr__(self) -> str:
        """The options that are not as they are by default; ``llmos.options()`` shows all of them."""
        plain = Settings()
        chosen = (f for f in dataclasses.fields(self) if getattr(self, f.name) != getattr(plain, f.name))
        return f"Settings({', '.join(f'{field.name}={shown(field, getattr(self, field.name))}' for field in chosen)})"


_FIELDS: Final = {field.name: field for field in dataclasses.fields(Settings)}
#: Environment variable -> option. A table has none.
_VARIABLES: Final = {
    f"LLMOS_{name.upper()}": field for name, field in _FIELDS.items() if field.metadata["kind"] is not TABLE
}


@dataclass(frozen=True, slots=True)
class FileOption:
    """One option of a settings file. ``plain`` is the value that holds without it; ``loosens``: it lets agents do more."""

    name: str
    value: Any
    line: int
    plain: Any = None
    loosens: bool = False

    def __str__(self) -> str:
        field = _FIELDS[self.name]
        return f"{self.name} = {_in_words(field, self.value)} (without it: {_in_words(field, self.plain)})"


def load_settings(
    workspace: Path | str | None = None, environ: Mapping[str, str] | None = None, **overrides: Any
) -> Settings:
    """The settings for a workspace. ``environ`` is ``os.environ`` if None; an empty variable counts as unset.

    ``workspace`` and overrides that are None count as not given. ``llmos.toml`` is looked for in the workspace that
    the argument, else ``LLMOS_WORKSPACE``, else the default names; that it is not there is no error. What it loosens is
    left out: nobody is known here who trusts it.

    Raises:
        SettingsError: a source has an unknown name or an unusable value; the message names the file or variable.
    """
    given = {name: value for name, value in {**overrides, "workspace": workspace}.items() if value is not None}
    return resolve(given, environ=environ)[0]


def resolve(
    given: Mapping[str, Any],
    configured: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    start: Path | None = None,
    vouched: Callable[[Path], Mapping[str, Any]] | None = None,
) -> tuple[Settings, dict[str, str]]:
    """The settings, and for each option where its value came from, in words.

    ``given`` are arguments, ``configured`` what ``%config`` set; None is a value in both. A relative workspace
    begins at ``start``, the current folder if None; its value stays as it was given. ``vouched`` tells for a workspace
    which options of its file a person has trusted, with their values; others that loosen are left out.

    Raises:
        SettingsError: see :func:`load_settings`.
    """
    told = ((configured or {}, "%config"), (given, "argument"))
    layers = [_from_environment(os.environ if environ is None else environ)]
    for values, source in told:
        layers.append(
            {
                name: (checked(known_option(name, source), value, f"{source} {name}"), source)
                for name, value in values.items()
            }
        )
    found = {name: pair for layer in layers for name, pair in layer.items()}
    plain = Settings()
    folder: Path = (start or Path()) / (found["workspace"][0] if "workspace" in found else plain.workspace)
    told_preset: str = found["preset"][0] if "preset" in found else plain.preset
    held = [option for option in _from_file(folder / "llmos.toml", told_preset) if option.name not in found]
    trusted = vouched(folder) if vouched is not None and any(option.loosens for option in held) else {}
    for one in held:
        if not one.loosens or (one.name in trusted and trusted[one.name] == one.value):
            found[one.name] = (one.value, f"llmos.toml:{one.line}")
    preset: str = found["preset"][0] if "preset" in found else plain.preset
    found = {**{name: (value, f"preset {preset}") for name, value in PRESETS[preset].items()}, **found}
    settings = Settings(**{name: value for name, (value, _) in found.items()})
    return settings, {name: found[name][1] if name in found else "default" for name in _FIELDS}


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


def rows(settings: Settings, sources: Mapping[str, str]) -> list[dict[str, str]]:
    """:func:`describe` with ``value``, which shows no secret, and ``source``, where it came from."""
    return [
        {
            **row,
            "value": _in_words(_FIELDS[row["name"]], getattr(settings, row["name"])),
            "source": sources.get(row["name"], "default"),
        }
        for row in describe()
    ]


def _in_words(field: dataclasses.Field[Any], value: Any) -> str:
    if value is None:
        return field.metadata["none"] or "(empty)"
    return str(value) if isinstance(value, Path) else shown(field, value).strip("'")


def endpoint_kind(settings: Settings, environ: Mapping[str, str] | None = None) -> str:
    """``claude``, ``scripted`` or ``url``. ``auto`` is claude only where ANTHROPIC_API_KEY is set and not empty."""
    if settings.endpoint == "auto":
        return "claude" if (os.environ if environ is None else environ).get("ANTHROPIC_API_KEY") else "scripted"
    return settings.endpoint if settings.endpoint in ("claude", "scripted") else "url"


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    values: dict[str, tuple[Any, str]] = {}
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
        values[field.name] = (checked(field, value, where), variable)
    return values


def _from_file(path: Path, preset: str) -> list[FileOption]:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):  # a workspace that cannot be one is told when it is used
        return []
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path}: cannot be read ({error}).", remedy="Check that it is a readable file."
        ) from error
    if len(data) > FILE_LIMIT:
        raise SettingsError(f"{path}: more than {FILE_LIMIT} bytes.", remedy="Shorten it.")
    try:
        return options_in(data.decode("utf-8"), path, preset)
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path}: is not TOML ({error}).", remedy="Correct the file; see https://toml.io."
        ) from error


def options_in(text: str, path: Path, preset: str = "development") -> list[FileOption]:
    """The options of a settings file's text; ``preset`` is the one in force beside it, if it names none itself.

    Raises:
        SettingsError: it is not TOML, or has an unknown name or an unusable value; the message has the line.
    """
    text = text.removeprefix("\ufeff")  # editors on Windows put that there
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path}: is not TOML ({error}).", remedy="Correct the file; see https://toml.io."
        ) from error
    options = []
    plain = Settings(**PRESETS[preset])
    for name, value in table.items():
        if name == "guard":
            continue  # a person's decisions on the guard's rules, which the guard reads
        line = _line_of(name, text)
        where = f"{path}:{line}: {name}"
        if name == "workspace":
            raise SettingsError(
                f"{where}: the workspace cannot name itself.", remedy="Set LLMOS_WORKSPACE, or pass workspace=…"
            )
        field = known_option(name, f"{path}:{line}")
        good, without = checked(field, value, where), getattr(plain, name)
        loosens: Loosens | None = field.metadata["loosens"]
        options.append(FileOption(name, good, line, without, loosens is not None and loosens(good, without)))
    return options


def _line_of(name: str, text: str) -> int:
    begins = re.compile(rf"\[?[ \t]*[\"']?{re.escape(name)}\b")
    for number, line in enumerate(text.split("\n"), start=1):
        if begins.match(line.lstrip(" \t")):
            return number
    return 1


def known_option(name: str, where: str) -> dataclasses.Field[Any]:
    """The declaration of an option; ``where`` begins the message if there is none.

    Raises:
        SettingsError: there is no such option.
    """
    if name not in _FIELDS:
        raise SettingsError(
            f"{where}: there is no setting {name!r}{closest(name, _FIELDS)}.",
            remedy=f"Settings: {', '.join(_FIELDS)}.",
        )
    return _FIELDS[name]
