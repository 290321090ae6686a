from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from llmos_nb.errors import SettingsError
from llmos_nb.settings import Settings, describe, endpoint_kind, load_settings, options_in, resolve


def toml(folder: Path, text: str) -> Path:
    (folder / "llmos.toml").write_text(text, encoding="utf-8")
    return folder


def test_defaults() -> None:
    settings = load_settings(environ={})
    assert settings == Settings()
    assert (settings.workspace, settings.endpoint, settings.budget_usd) == (Path("workspace"), "auto", 10.0)
    assert settings.session_budget_usd is None


def test_each_source_wins_over_the_one_before(tmp_path: Path) -> None:
    toml(tmp_path, 'budget_usd = 1\nmodel = "from-file"\nagent = "from-file"')
    environ = {"LLMOS_MODEL": "from-variable", "LLMOS_AGENT": "from-variable", "LLMOS_WORKSPACE": str(tmp_path)}
    settings = load_settings(environ=environ, agent="from-argument")
    assert settings.workspace == tmp_path
    assert settings.budget_usd == 1.0
    assert isinstance(settings.budget_usd, float)
    assert settings.model == "from-variable"
    assert settings.agent == "from-argument"


def test_the_workspace_argument_decides_which_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    toml(tmp_path / "a", "max_turns = 1")
    toml(tmp_path / "b", "max_turns = 2")
    environ = {"LLMOS_WORKSPACE": str(tmp_path / "a")}
    assert load_settings(environ=environ).max_turns == 1
    assert load_settings(str(tmp_path / "b"), environ).max_turns == 2


def test_arguments_that_are_none_and_empty_variables_are_not_given(tmp_path: Path) -> None:
    toml(tmp_path, 'model = "from-file"')
    settings = load_settings(tmp_path, {"LLMOS_MODEL": ""}, model=None, budget_usd=None)
    assert settings.model == "from-file"
    assert settings.budget_usd == 10.0


def test_none_has_a_word_where_it_is_a_value(tmp_path: Path) -> None:
    toml(tmp_path, 'price_input_usd = "unknown"\nday_budget_usd = 3.5')
    settings = load_settings(tmp_path, {"LLMOS_DAY_BUDGET_USD": "none", "LLMOS_MAX_TURNS": "none"})
    assert settings.price_input_usd is None
    assert settings.price_output_usd == 0.0
    assert settings.day_budget_usd is None
    assert settings.max_turns is None
    assert load_settings(tmp_path, {}, price_output_usd="unknown").price_output_usd is None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("BUDGET_USD", "0.25", 0.25), ("MAX_TURNS", "7", 7), ("STATE_URL", "sqlite:///x.db", "sqlite:///x.db")],
)
def test_variables_are_read_as_the_type_of_their_option(name: str, text: str, value: object) -> None:
    assert getattr(load_settings(environ={f"LLMOS_{name}": text}), name.lower()) == value


def test_an_unknown_variable_is_named_with_the_closest() -> None:
    with pytest.raises(SettingsError, match=r"LLMOS_BUGDET_USD.*'LLMOS_BUDGET_USD'"):
        load_settings(environ={"LLMOS_BUGDET_USD": "1", "OTHER": "y"})


def test_an_unknown_name_in_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    toml(tmp_path, 'model = "m"\n\nbudgte_usd = 3')
    with pytest.raises(SettingsError, match=r"llmos\.toml:3: .*'budgte_usd'.*'budget_usd'"):
        load_settings(tmp_path, {})


def test_an_unknown_argument_is_named_with_the_closest() -> None:
    with pytest.raises(SettingsError, match=r"'endpont'.*'endpoint'"):
        load_settings(environ={}, endpont="claude")
    with pytest.raises(SettingsError, match=r"'endpont'.*'endpoint'"):
        Settings().with_(endpont="claude")


@pytest.mark.parametrize(
    "line",
    [
        "model = 3",
        "budget_usd = true",
        'budget_usd = "10"',
        "budget_usd = -1",
        "budget_usd = nan",
        "run_budget_usd = inf",
        "time_limit_s = 0",
        "max_turns = 2.5",
        "max_turns = 0",
        f"max_turns = 0x{'f' * 5000}",
        f"budget_usd = 0x{'f' * 5000}",
        'mode = "follow"',
        'endpoint = "ftp://x"',
        'endpoint = "http://user:secret@x"',
        "follower_confidence = 1.5",
        'workspace = "elsewhere"',
        "sdk = 3",
        "model =",
        "a = " + "[" * 3000,
        'model = "a"\nmodel = "b"',
    ],
)
def test_unusable_values_in_the_file_are_refused_and_the_file_is_named(tmp_path: Path, line: str) -> None:
    toml(tmp_path, line)
    with pytest.raises(SettingsError, match=r"llmos\.toml") as caught:
        load_settings(tmp_path, {})
    assert caught.value.remedy
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_text_or_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "llmos.toml").write_bytes(b"model = '\xff'")
    with pytest.raises(SettingsError, match="not TOML"):
        load_settings(tmp_path, {})
    (tmp_path / "llmos.toml").write_bytes(b"#" * 70_000)
    with pytest.raises(SettingsError, match="more than"):
        load_settings(tmp_path, {})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("LLMOS_BUDGET_USD", "ten"),
        ("LLMOS_BUDGET_USD", "nan"),
        ("LLMOS_MAX_TURNS", "1.5"),
        ("LLMOS_BUDGET_USD", "none"),
    ],
)
def test_unusable_variables_are_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load_settings(environ={variable: text})


def test_guidance_needs_no_more_confidence_than_a_replay() -> None:
    with pytest.raises(SettingsError, match="mixed_confidence"):
        Settings(mixed_confidence=0.95)


def test_further_sdk_options_come_from_their_table(tmp_path: Path) -> None:
    toml(tmp_path, '[sdk]\neffort = "low"')
    assert load_settings(tmp_path, {}).sdk == {}, "nobody trusts it here"
    trusted = resolve({"workspace": tmp_path}, environ={}, vouched=lambda folder: {"sdk": {"effort": "low"}})[0]
    assert trusted.sdk == {"effort": "low"}


LOOSE = {
    "endpoint": ['"https://example.com"', '"claude"'],
    "endpoint_key": ['"k"'],
    "budget_usd": ["10.5"],
    "run_budget_usd": ["0.6"],
    "time_limit_s": ["601", '"none"'],
    "silence_limit_s": ["181", '"none"'],
    "repeat_limit": ["6", '"none"'],
    "idle_turns": ["11", '"none"'],
    "max_turns": ["51", '"none"'],
    "stop_grace_s": ["60"],
    "state_url": ['"postgresql://elsewhere/x"'],
    "sdk": ["{cli_path = 'x'}"],
    "follower_confidence": ["0.8"],
    "mixed_confidence": ["0.1"],
    "crystal_uses": ["1"],
    "crystal_success": ["0.1"],
    "undo_runs": ["0"],
    "undo_mb": ["1"],
}
STRICT = {
    "endpoint": ['"scripted"'],
    "budget_usd": ["1"],
    "day_budget_usd": ["1"],
    "time_limit_s": ["60"],
    "max_turns": ["3"],
    "agent_changes": ['"deny"'],
    "web_tools": ['"deny"'],
    "sandbox": ['"always"'],
    "follower_confidence": ["0.99"],
    "crystal_uses": ["20", '"never"'],
    "undo_runs": ["20"],
    "preset": ['"teaching"', '"production"', '"testing"'],
    "model": ['"m"'],
    "agent": ['"a"'],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in LOOSE.items() for value in values])
def test_what_loosens_in_a_file_waits_for_trust(name: str, value: str, tmp_path: Path) -> None:
    toml(tmp_path, f"{name} = {value}\n")
    settings, sources = resolve({"workspace": tmp_path}, environ={})
    assert getattr(settings, name) == getattr(Settings(), name) and sources[name] == "default"
    told = options_in((tmp_path / "llmos.toml").read_text(), tmp_path / "llmos.toml")[0]
    vouched = resolve({"workspace": tmp_path}, environ={}, vouched=lambda folder: {name: told.value})[0]
    assert getattr(vouched, name) != getattr(Settings(), name)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in STRICT.items() for value in values])
def test_what_tightens_in_a_file_is_in_force_at_once(name: str, value: str, tmp_path: Path) -> None:
    toml(tmp_path, f"{name} = {value}\n")
    settings, sources = resolve({"workspace": tmp_path}, environ={})
    assert getattr(settings, name) != getattr(Settings(), name) and sources[name] == "llmos.toml:1"


def test_what_a_persons_preset_tightens_no_file_loosens(tmp_path: Path) -> None:
    toml(tmp_path, 'agent_changes = "allow"\nday_budget_usd = 6.0\nrun_budget_usd = 0.3\n')
    settings = load_settings(tmp_path, {"LLMOS_PRESET": "production"})
    assert (settings.agent_changes, settings.day_budget_usd, settings.run_budget_usd) == ("ask", 5.0, 0.25)


def test_settings_change_only_as_copies() -> None:
    settings = Settings(day_budget_usd=1.0)
    changed = settings.with_(day_budget_usd=None, model="m")
    assert (changed.day_budget_usd, changed.model) == (None, "m")
    assert settings.day_budget_usd == 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.model = "m"  # type: ignore[misc]
    with pytest.raises(SettingsError, match="budget_usd"):
        settings.with_(budget_usd=-1)


def test_no_secret_is_shown() -> None:
    settings = Settings(
        endpoint_key="sk-12345",
        state_url="postgresql://class:hunter2@host/db?sslpassword=swordfish",
        sdk={"env": {"TOKEN": "xyzzy"}},
    )
    for secret in ("sk-12345", "hunter2", "swordfish", "xyzzy"):
        assert secret not in repr(settings)
    assert "***" in repr(settings)
    with pytest.raises(SettingsError) as caught:
        Settings(endpoint_key=" sk-12345 ")
    assert "sk-12345" not in str(caught.value)


def test_describe_has_one_row_an_option() -> None:
    rows = {row["name"]: row for row in describe()}
    assert list(rows) == [field.name for field in dataclasses.fields(Settings)]
    assert all(row["help"] for row in rows.values())
    assert rows["state_url"]["env"] == "LLMOS_STATE_URL"
    assert (rows["price_input_usd"]["type"], rows["price_input_usd"]["default"]) == ("number or unknown", "0.0")


@pytest.mark.parametrize(
    ("endpoint", "environ", "kind"),
    [
        ("auto", {}, "scripted"),
        ("auto", {"ANTHROPIC_API_KEY": ""}, "scripted"),
        ("auto", {"ANTHROPIC_API_KEY": "x"}, "claude"),
        ("scripted", {"ANTHROPIC_API_KEY": "x"}, "scripted"),
        ("claude", {}, "claude"),
        ("http://127.0.0.1:8080", {"ANTHROPIC_API_KEY": "x"}, "url"),
    ],
)
def test_endpoint_kind(endpoint: str, environ: dict[str, str], kind: str) -> None:
    assert endpoint_kind(Settings(endpoint=endpoint), environ) == kind
