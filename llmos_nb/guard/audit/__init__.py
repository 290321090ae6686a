"""What agents' code does while it runs, judged act by act through Python's audit events: the second look of the guard.

Reading a program first (:mod:`llmos_nb.guard.python`) cannot tell where a computed path leads or what a command will be.
Here the act itself is known, and refused before it happens. A seat belt, no boundary: what a C library does by itself
raises no event, nor does a program once it was started.
"""

from __future__ import annotations

from llmos_nb.guard.audit.hook import judged
from llmos_nb.guard.audit.watch import Watch

__all__ = ["Watch", "judged"]
