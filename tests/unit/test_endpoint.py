"""Where model calls go, what they cost there, and that nothing of the surroundings goes with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.cortex.endpoint import Endpoint, Price, isolated_environment, resolve_endpoint
from llmos_nb.settings import Settings

HOME = Path("home")


def test_auto_is_scripted_without_a_key_and_claude_with_one() -> None:
    assert resolve_endpoint(Settings(), {}).kind == "scripted"
    assert resolve_endpoint(Settings(), {"ANTHROPIC_API_KEY": ""}).kind == "scripted"
    assert resolve_endpoint(Settings(), {"ANTHROPIC_API_KEY": "x"}).kind == "claude"
    assert resolve_endpoint(Settings(endpoint="scripted"), {"ANTHROPIC_API_KEY": "x"}).kind == "scripted"


def test_scripted_is_play_money_and_says_so() -> None:
    endpoint = resolve_endpoint(Settings(endpoint="scripted"), {})
    assert endpoint.simulated and endpoint.local_only
    assert "play money" in endpoint.label
    cost = endpoint.cost_usd("any", {"input_tokens": 1_000_000, "output_tokens": 1_000_000})
    assert cost == pytest.approx(3 + 15)


def test_url_costs_what_the_settings_say() -> None:
    endpoint = resolve_endpoint(Settings(endpoint="http://127.0.0.1:8080/"), {})
    assert (endpoint.kind, endpoint.url, endpoint.simulated) == ("url", "http://127.0.0.1:8080", False)
    assert endpoint.cost_usd("any", {"input_tokens": 10, "output_tokens": 10}) == 0
    priced = resolve_endpoint(
        Settings(endpoint="http://127.0.0.1:8080", price_input_usd=2.0, price_output_usd=4.0), {}
    )
    assert priced.cost_usd("any", {"input_tokens": 500_000, "output_tokens": 250_000}) == pytest.approx(2.0)


def test_free_is_what_is_known_to_cost_nothing() -> None:
    url = Settings(endpoint="http://127.0.0.1:8080")
    assert resolve_endpoint(url, {}).free
    assert not resolve_endpoint(url.with_(price_output_usd=1.0), {}).free
    assert not resolve_endpoint(url.with_(price_output_usd=None), {}).free
    assert not Endpoint("claude", "claude").free


@pytest.mark.parametrize("unknown", ["price_input_usd", "price_output_usd"])
def test_unknown_price_is_no_guess(unknown: str) -> None:
    endpoint = resolve_endpoint(Settings(endpoint="http://127.0.0.1:8080").with_(**{unknown: None}), {})
    assert endpoint.cost_usd("any", {"input_tokens": 10, "output_tokens": 10}) is None


def test_cached_tokens_have_their_own_prices() -> None:
    price = Price(10, 50)
    assert price.cost_usd(input_tokens=0, output_tokens=0, cache_read=1_000_000) == pytest.approx(1.0)
    assert price.cost_usd(input_tokens=0, output_tokens=0, cache_write=1_000_000) == pytest.approx(12.5)


def test_claude_is_estimated_by_family_and_an_unknown_model_as_the_dearest() -> None:
    endpoint = Endpoint("claude", "claude")
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    haiku, opus = endpoint.cost_usd("claude-haiku-4-5", usage), endpoint.cost_usd("claude-opus-4-1", usage)
    assert haiku is not None and opus is not None and haiku < opus
    assert endpoint.cost_usd("claude-of-the-future", usage) == opus


SURROUNDINGS = {
    "ANTHROPIC_API_KEY": "secret-1",
    "ANTHROPIC_AUTH_TOKEN": "secret-2",
    "ANTHROPIC_BASE_URL": "https://example.com",
    "ANTHROPIC_MODEL": "secret-3",
    "ANTHROPIC_SOMETHING_NEW": "secret-4",
    "CLAUDE_CONFIG_DIR": "/secret-5",
    "CLAUDE_CODE_OAUTH_TOKEN": "secret-6",
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "HTTP_PROXY": "http://secret-7",
    "https_proxy": "http://secret-8",
    "All_Proxy": "http://secret-9",
    "NO_PROXY": "secret-10",
    "PATH": "/bin",
}


def test_every_variable_of_the_surroundings_is_overridden() -> None:
    made = isolated_environment(SURROUNDINGS, url="http://127.0.0.1:1", key="own", home=HOME)
    for name in SURROUNDINGS:
        assert name == "PATH" or name in made, name
    assert not [value for value in made.values() if "secret" in value]
    assert made["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:1"
    assert made["ANTHROPIC_API_KEY"] == "own"
    assert made["CLAUDE_CONFIG_DIR"] == str(HOME)
    assert made["CLAUDE_CODE_USE_BEDROCK"] == made["CLAUDE_CODE_ENABLE_TELEMETRY"] == ""
    assert "PATH" not in made, "what is not the model's business is left alone"


@pytest.mark.parametrize("name", ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "ANTHROPIC_UNIX_SOCKET"])
def test_other_ways_out_are_closed_though_the_surroundings_do_not_name_them(name: str) -> None:
    """They could also come from ``env`` in the settings, which were perhaps written for another endpoint."""
    assert isolated_environment({}, url="http://127.0.0.1:1", key="own", home=HOME)[name] == ""


def test_nothing_but_the_model_is_asked() -> None:
    made = isolated_environment({}, url="http://127.0.0.1:1", key="own", home=HOME)
    for name in ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER"):
        assert made[name] == "1"
    assert "127.0.0.1" in made["NO_PROXY"]
