"""Where the model is: Claude, any Anthropic-compatible URL, or the embedded scripted endpoint; and what it costs there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llmos_nb.errors import EndpointError
from llmos_nb.settings import Settings, endpoint_kind

__all__ = ["DETOURS", "Endpoint", "Price", "isolated_environment", "resolve_endpoint"]


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. Reading a cached token costs a tenth of ``input``, writing one a quarter more:
    the ratios of Anthropic's published prices for its five-minute cache."""

    input: float
    output: float

    def cost_usd(self, *, input_tokens: int, output_tokens: int, cache_read: int = 0, cache_write: int = 0) -> float:
        """What a call costs, in US dollars."""
        read = input_tokens + 0.1 * cache_read + 1.25 * cache_write
        return (read * self.input + output_tokens * self.output) / 1e6


#: List prices (US dollars per million tokens) of Claude model families, used only to notice during a run that its
#: budget is used up; what is booked in the end is the bill that the CLI reports.
CLAUDE_ESTIMATE: Mapping[str, Price] = {"haiku": Price(1, 5), "sonnet": Price(3, 15), "opus": Price(15, 75)}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place to send model calls to. ``price`` is None where it is unknown; ``simulated`` marks play money."""

    kind: str
    label: str
    url: str | None = None
    price: Price | None = None
    simulated: bool = False

    @property
    def local_only(self) -> bool:
        """Whether the surroundings' keys and settings must not reach it."""
        return self.kind != "claude"

    @property
    def free(self) -> bool:
        """Whether calls are known to cost nothing."""
        return self.price is not None and self.price.input == self.price.output == 0

    def cost_usd(self, model: str, usage: Mapping[str, int]) -> float | None:
        """The cost of one call, or None where no price is known. For Claude an estimate until the CLI's bill."""
        price = self.price
        if self.kind == "claude":
            price = next((p for family, p in CLAUDE_ESTIMATE.items() if family in model), CLAUDE_ESTIMATE["opus"])
        return None if price is None else price.cost_usd(**usage)


#: Variables that send the CLI elsewhere than to its base URL; emptied even where the surroundings do not name them.
DETOURS: Final = (
    "ANTHROPIC_UNIX_SOCKET", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_GATEWAY", "CLAUDE_CODE_USE_MANTLE", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_ENABLE_TELEMETRY",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
)  # fmt: skip


def resolve_endpoint(settings: Settings, environ: Mapping[str, str]) -> Endpoint:
    """The endpoint that the settings ask for; ``auto`` is ``claude`` when a key is set, else ``scripted``.

    Raises:
        EndpointError: ``claude`` was asked for by URL-less settings that cannot work.
    """
    kind = endpoint_kind(settings, environ)
    if kind == "scripted":
        price = None
        if settings.tutorial_price_input_usd is not None and settings.tutorial_price_output_usd is not None:
            price = Price(settings.tutorial_price_input_usd, settings.tutorial_price_output_usd)
        return Endpoint("scripted", "scripted (tutorial, play money)", price=price, simulated=True)
    if kind == "claude":
        return Endpoint("claude", "claude")
    if not settings.endpoint.startswith(("http://", "https://")):
        raise EndpointError(
            f"{settings.endpoint!r} is not an endpoint.", remedy="Use 'claude', 'scripted' or an http(s) URL."
        )
    price = None
    if settings.price_input_usd is not None and settings.price_output_usd is not None:
        price = Price(settings.price_input_usd, settings.price_output_usd)
    return Endpoint("url", settings.endpoint, url=settings.endpoint.rstrip("/"), price=price)


def isolated_environment(environ: Mapping[str, str], *, url: str, key: str, home: Path) -> dict[str, str]:
    """What the CLI is given for an endpoint that is not Claude's own: none of the surroundings' keys or settings.

    The SDK hands the whole environment on, so every ANTHROPIC_* and CLAUDE_* variable is overridden, names only.
    """
    hidden = dict.fromkeys(DETOURS, "")
    hidden |= {name: "" for name in environ if name.startswith(("ANTHROPIC_", "CLAUDE_"))}
    hidden |= {name: "" for name in environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")}
    return {
        **hidden,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": key,
        "CLAUDE_CONFIG_DIR": str(home),
        "CLAUDE_CODE_MAX_RETRIES": "2",  # the CLI's own ten would hide a server that is not there for three minutes
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_AUTOUPDATER": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
