"""Code that is not one's own, run where it cannot do harm: no network, a read-only system, limits, and nothing left over.

This is a boundary, where the rest of the guard is a seat belt. It is made by the system (bubblewrap's namespaces, or
Landlock with a system call filter), never by Python; where the system offers neither, nothing is run.
"""

from llmos_nb.guard.sandbox.fence import Fence, fences, find_fence
from llmos_nb.guard.sandbox.job import Limits, Place, SandboxResult
from llmos_nb.guard.sandbox.run import Sandbox, run

__all__ = ["Fence", "Limits", "Place", "Sandbox", "SandboxResult", "fences", "find_fence", "run"]
