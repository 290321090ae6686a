"""A filter of system calls, as the kernel takes it: what Landlock does not cover, and no program of a stranger needs."""

from __future__ import annotations

import platform
import struct
from typing import Final

__all__ = ["Line", "counting_call", "counting_lines", "filter_bytes", "filter_lines", "supported"]

#: One instruction of classic BPF: code, jump if true, jump if false, constant (linux/filter.h).
Line = tuple[int, int, int, int]

_LOAD, _EQUAL, _AT_LEAST, _SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR, _NOTIFY = 0x7FFF0000, 0x80000000, 0x00050000, 0x7FC00000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_EPERM, _ENOSYS = 1, 38
#: Flags of clone(2) that make a namespace.
_NEW_NAMESPACES: Final = 0x7E020080
#: Of x86-64's other calling convention (x32), whose numbers a filter for the usual one would miss.
_X32: Final = 0x40000000

#: The machine's name -> AUDIT_ARCH_…, and the numbers of its calls: 0 where it has none. asm/unistd.h of each.
_MACHINES: Final = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_CALLS: Final[dict[str, tuple[int, int]]] = {
    "socket": (41, 198), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_by_handle_at": (304, 265),
    "chown": (92, 0), "fchown": (93, 55), "lchown": (94, 0), "fchownat": (260, 54), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "setxattrat": (463, 463), "removexattrat": (466, 466),
    "mknod": (133, 0), "mknodat": (259, 33),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "syslog": (103, 116), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171), "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, 0), "ioperm": (173, 0), "fanotify_init": (300, 262), "setuid": (105, 146),
    "setgid": (106, 144), "setgroups": (116, 159), "setresuid": (117, 147), "setresgid": (119, 149),
    "sched_setaffinity": (203, 122), "setpriority": (141, 140), "msgget": (68, 186),
    "semget": (64, 190), "shmget": (29, 194), "mq_open": (240, 180), "shmat": (30, 196), "shmctl": (31, 195),
    "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "mq_unlink": (241, 181), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "ioprio_set": (251, 30), "inotify_init": (253, 0), "inotify_init1": (294, 26),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "move_pages": (279, 239), "migrate_pages": (256, 238),
}  # fmt: skip
#: Of these, what is refused behind namespaces, too: parts of the kernel that no namespace keeps apart (keyrings), or that
#: many holes were found in.
_ANYWHERE: Final = (
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "add_key",
    "request_key", "keyctl", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
    "open_by_handle_at", "mount", "umount2", "pivot_root", "unshare", "setns", "open_tree", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "fanotify_init", "syslog", "acct", "quotactl", "swapon", "swapoff",
    "reboot", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm",
)  # fmt: skip
#: Calls that copying a file makes (shutil.copy2): they do nothing, and say that all is well.
_PASSED_OVER: Final = {
    "chmod": (90, 0), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "utime": (132, 0),
    "utimes": (235, 0), "futimesat": (261, 0), "utimensat": (280, 88),
}  # fmt: skip
_SOCKET: Final = (41, 198)
_UNIX: Final = 1
_PRLIMIT: Final = (302, 261)
_CLONE: Final = (56, 220)
_FORKS: Final = {"clone": _CLONE, "fork": (57, 0), "vfork": (58, 0)}
_SECCOMP: Final = (317, 277)
_CLONE3: Final = 435  # its flags are in memory, which a filter cannot read: ENOSYS has the C library use clone


def supported(machine: str | None = None) -> bool:
    """Whether there is a filter for this kind of machine."""
    return (machine or platform.machine()) in _MACHINES


def filter_lines(machine: str | None = None) -> list[Line]:
    """The filter's instructions: EPERM for what is refused, and the end for calls of another architecture.

    Raises:
        KeyError: there is none for this kind of machine.
    """
    architecture, column = _MACHINES[machine or platform.machine()]
    lines = _begin(architecture, column)
    for number in sorted({numbers[column] for numbers in _CALLS.values()} - {0}):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERROR | _EPERM)]
    for number in sorted({numbers[column] for numbers in _PASSED_OVER.values()} - {0}):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERROR)]
    lines += [  # limits of its own alone: those of others are changed by whoever has the same user
        (_EQUAL, 0, 4, _PRLIMIT[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT_AT), (_EQUAL, 0, 1, 0), (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERROR | _EPERM),
    ]  # fmt: skip
    return lines + _end(column)


def filter_bytes(*, sockets: bool, machine: str | None = None) -> bytes:
    """A filter for what is behind namespaces already, as bubblewrap reads it; without ``sockets`` there are no sockets
    with names of files, which lead out where folders of others are in sight. Empty where there is none for the machine.
    """
    found = _MACHINES.get(machine or platform.machine())
    if found is None:
        return b""
    architecture, column = found
    lines = _begin(architecture, column)
    for name in _ANYWHERE:
        if _CALLS[name][column]:
            lines += [(_EQUAL, 0, 1, _CALLS[name][column]), (_RETURN, 0, 0, _ERROR | _EPERM)]
    if not sockets:
        lines += [
            (_EQUAL, 0, 4, _SOCKET[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT_AT), (_EQUAL, 0, 1, _UNIX),
            (_RETURN, 0, 0, _ERROR | _EPERM), (_RETURN, 0, 0, _ALLOW),
        ]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *line) for line in lines + _end(column))


def counting_lines(machine: str | None = None) -> list[Line]:
    """A filter that has whatever makes a process or a thread wait for the one who listens, and lets all else through.

    Raises:
        KeyError: there is none for this kind of machine.
    """
    architecture, column = _MACHINES[machine or platform.machine()]
    lines = _begin(architecture, column)
    for numbers in _FORKS.values():
        if numbers[column]:
            lines += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _NOTIFY)]
    return [*lines, (_RETURN, 0, 0, _ALLOW)]


def counting_call(machine: str | None = None) -> int:
    """The number of seccomp(2), which the C library has no name for."""
    return _SECCOMP[_MACHINES[machine or platform.machine()][1]]


def _begin(architecture: int, column: int) -> list[Line]:
    lines: list[Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER_AT),
    ]  # fmt: skip
    if column == 0:
        lines += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    return [*lines, (_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERROR | _ENOSYS)]


def _end(column: int) -> list[Line]:
    """Processes, but in no new namespaces; everything else."""
    return [
        (_EQUAL, 0, 3, _CLONE[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT_AT), (_SET, 0, 1, _NEW_NAMESPACES),
        (_RETURN, 0, 0, _ERROR | _EPERM), (_RETURN, 0, 0, _ALLOW),
    ]  # fmt: skip
