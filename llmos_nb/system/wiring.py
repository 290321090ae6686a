"""The dispatcher of one system, wired to all its parts: what listens first, and what is closed in which order."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmos_nb.dispatch.dispatcher import Dispatcher
    from llmos_nb.system.parts import SystemParts

__all__ = ["dispatcher_of"]


def dispatcher_of(parts: SystemParts) -> Dispatcher:
    """The dispatcher; it, and what works beside it, is closed with the parts.

    Raises:
        StoreError: the workspace cannot be written.
        SettingsError: the endpoint cannot be used.
    """
    from llmos_nb.cortex.cortex import Cortex
    from llmos_nb.dispatch.dispatcher import Dispatcher
    from llmos_nb.dispatch.run import Parts
    from llmos_nb.memory.insights import Lessons
    from llmos_nb.memory.session import SessionLog
    from llmos_nb.tools.services import Services

    parts.check_workspace()
    cortex = Cortex(parts.workspace.resolve(), crystals=parts.crystals)
    of_goals = Parts(
        settings=dataclasses.replace(parts.settings, workspace=parts.workspace),
        endpoint=parts.endpoint,
        store=parts.traces,
        economy=parts.economy,
        cortex=cortex,
        bus=parts.bus,
        namespace=parts._own(),
        crystals=parts.crystals,
        services=Services(
            agents=parts.agents,
            facts=parts.facts,
            agent_changes=parts.settings.agent_changes,
            agent_facts=parts.settings.agent_facts,
            taint=parts.taint,
            approvals=parts._approvals,
        ),
        undos=parts._undos,
        projects=parts.projects.folder,
        library=parts.library,
        lessons=Lessons(parts.traces).about,
    )
    parts._closing.callback(parts.agents.watch())
    log = SessionLog(parts._log_folder, parts.session_id)
    parts._closing.callback(log.close)  # after the last event, and then others may go on with the session
    parts._closing.callback(parts.bus.subscribe(log, name="session log"))
    parts._closing.callback(cortex.close)
    dispatcher = Dispatcher(of_goals, parts._latest.ended)
    parts._closing.callback(dispatcher.close)
    return dispatcher
