"""The scripted endpoint: a local server that speaks the Messages API and plays Markdown scripts.

A tutorial instrument, and always labelled as one: no key, no cost, no model, and not a byte leaves the machine.
"""

from __future__ import annotations

from llmos_nb.cortex.scripted.faults import Fault, FaultPlan
from llmos_nb.cortex.scripted.library import load_scripts, pack_scripts
from llmos_nb.cortex.scripted.match import knows
from llmos_nb.cortex.scripted.player import UNKNOWN_GOAL
from llmos_nb.cortex.scripted.reader import parse_script
from llmos_nb.cortex.scripted.record import RequestLog, RequestRecord
from llmos_nb.cortex.scripted.script import Script
from llmos_nb.cortex.scripted.server import ScriptedServer

__all__ = [
    "UNKNOWN_GOAL",
    "Fault",
    "FaultPlan",
    "RequestLog",
    "RequestRecord",
    "Script",
    "ScriptedServer",
    "knows",
    "load_scripts",
    "pack_scripts",
    "parse_script",
]
