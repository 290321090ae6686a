"""Who writes in a folder of agents, and who notes what others wrote, one after the other: threads and kernels."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from llmos_nb.errors import AgentFileError, StoreError
from llmos_nb.guard.effects import unwatched
from llmos_nb.kernel.files import make_folder
from llmos_nb.kernel.spelled import spelled
from llmos_nb.kernel.whose import by_agent
from llmos_nb.mind.agent import printable
from llmos_nb.mind.folder import file_names, locked

__all__ = ["Hold"]

#: Seconds to wait for another kernel that is writing an agent, to note something and to write.
PATIENCE_S: Final = 5.0
WRITER_PATIENCE_S: Final = 30.0


class Hold:
    """Holds ``folder`` against every other writer; whoever reads does not wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = threading.RLock()

    @contextlib.contextmanager
    def to_note(self) -> Iterator[None]:
        """Hold the folder, which is there, while what others wrote is noted."""
        with self._writer, locked(self.folder, PATIENCE_S), unwatched():
            yield

    @contextlib.contextmanager
    def to_keep(self) -> Iterator[None]:
        """Hold back this process's other writers while something is kept that is no file of the folder."""
        with self._writer, unwatched():
            yield

    @contextlib.contextmanager
    def to_write(self) -> Iterator[None]:
        """Hold the folder while an agent is written; it is made when it is not there.

        Raises:
            AgentFileError: an agent's code asks, or the folder is a link.
            StoreError: it cannot be written.
        """
        shown = printable(spelled(self.folder))
        if by_agent():
            raise AgentFileError(
                f"{shown}: code that an agent runs must not change agents.",
                remedy="The agent has tools for that, create_agent and modify_agent, which keep to its own grant.",
            )
        with self._writer:
            file_names(self.folder)  # refuses a folder that is a link
            try:
                make_folder(self.folder)
                with locked(self.folder, WRITER_PATIENCE_S), unwatched():
                    yield
            except OSError as error:
                raise StoreError(
                    f"{shown}: cannot be written ({error.strerror or error}).",
                    remedy="Choose a workspace folder that you can write to.",
                ) from error
