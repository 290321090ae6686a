"""Named sets of options for common situations. Whatever a person sets anywhere goes before what a preset says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

__all__ = ["PRESETS", "PURPOSES"]

#: What each preset is for.
PURPOSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "development": "One person at work: the defaults.",
        "production": "Goals that run unattended on real money: narrow limits, replays only of what is sure.",
        "teaching": "A class on small machines: the scripted endpoint, small budgets, no web tools, early stops.",
        "testing": "Tests that must do the same every time: the scripted endpoint, nothing kept or made beside the runs.",
    }
)

#: Preset -> the options that it sets.
PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "development": {},
        "production": {
            "run_budget_usd": 0.25,
            "day_budget_usd": 5.0,
            "time_limit_s": 300.0,
            "silence_limit_s": 120.0,
            "repeat_limit": 3,
            "idle_turns": 6,
            "max_turns": 30,
            "agent_changes": "ask",
            "agent_facts": "ask",
            "follower_confidence": 0.95,
            "crystal_success": 0.99,
        },
        "teaching": {
            "endpoint": "scripted",
            "web_tools": "deny",
            "budget_usd": 5.0,
            "run_budget_usd": 0.10,
            "session_budget_usd": 1.0,
            "day_budget_usd": 2.0,
            "time_limit_s": 120.0,
            "silence_limit_s": 60.0,
            "repeat_limit": 3,
            "idle_turns": 6,
            "process_memory_mb": 1500,
            "max_turns": 20,
            "warm_clients": 1,
        },
        "testing": {
            "endpoint": "scripted",
            "run_budget_usd": 0.50,
            "time_limit_s": 60.0,
            "silence_limit_s": 30.0,
            "warm_clients": 0,
            "crystal_uses": None,
        },
    }
)
