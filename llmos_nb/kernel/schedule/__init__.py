"""The parts of the schedule: when something is due, a job and its file, and who may run it."""

from __future__ import annotations

from llmos_nb.kernel.schedule.job import ScheduledJob, dump_job, parse_job
from llmos_nb.kernel.schedule.lease import Holder, Lease
from llmos_nb.kernel.schedule.timing import Timing, local_zone, read_timing

__all__ = [
    "Holder",
    "Lease",
    "ScheduledJob",
    "Timing",
    "dump_job",
    "local_zone",
    "parse_job",
    "read_timing",
]
