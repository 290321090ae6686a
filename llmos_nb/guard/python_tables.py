"""Functions of Python that deserve a look, as data: what starts programs, changes files, ends the kernel, sends."""

from __future__ import annotations

from typing import Final

__all__ = [
    "DECIDING",
    "ENVIRON_USES",
    "FILES",
    "FRAMES",
    "HOOKS",
    "KERNEL",
    "LATER",
    "NATIVE",
    "PATH_METHODS",
    "READERS",
    "RUNS_ARGS",
    "RUNS_LIST",
    "RUNS_TEXT",
    "SENDS",
    "SYSTEM",
    "SYSTEMS",
]

RUNS_TEXT: Final = frozenset({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
    "commands.getoutput",
                               "get_ipython().system", "get_ipython().getoutput", "get_ipython().getoutput_pcolor",
                               "asyncio.create_subprocess_shell", "IPython.utils.process.system",
                               "get_ipython().system_raw",
                               "get_ipython().system_piped", "pexpect.run", "pexpect.spawn",
                               "pty.spawn"})  # fmt: skip
RUNS_LIST: Final = frozenset({"subprocess.run", "subprocess.call", "subprocess.Popen", "subprocess.check_call",
                               "subprocess.check_output", "sh.Command"})  # fmt: skip
RUNS_ARGS: Final = ("os.exec", "os.spawn", "os.posix_spawn", "asyncio.create_subprocess_exec")
#: Functions that delete, move or write: the positions of the paths, with what happens to them.
FILES: Final[dict[str, tuple[str, ...]]] = {
    "os.remove": ("delete",), "os.unlink": ("delete",), "os.rmdir": ("delete",), "os.removedirs": ("delete",),
    "shutil.rmtree": ("tree",), "os.rename": ("delete", "write"), "os.replace": ("delete", "write"),
    "os.renames": ("delete", "write"),
    "shutil.move": ("delete", "write"), "os.truncate": ("delete",), "os.chmod": ("delete",), "os.chown": ("delete",),
    "os.lchown": ("delete",), "shutil.chown": ("delete",), "os.mkdir": ("write",), "os.makedirs": ("write",),
    "os.mknod": ("write",),
    "shutil.copy": ("read", "write"), "shutil.copy2": ("read", "write"), "shutil.copyfile": ("read", "write"),
    "shutil.copytree": ("read", "write"), "os.symlink": ("delete", "write"), "os.link": ("delete", "write"),
    "shutil.make_archive": ("write",), "shutil.unpack_archive": ("read", "write"),
    "urllib.request.urlretrieve": ("", "write"),
    "llmos_nb.domains.data.write_table": ("", "write"),
    "send2trash.send2trash": ("delete",), "os.mkfifo": ("write",), "shutil.copymode": ("read", "delete"),
}  # fmt: skip
PATH_METHODS: Final = {
    "unlink": "delete", "rmdir": "delete", "rename": "delete", "replace": "delete", "chmod": "delete",
    "write_text": "write",
    "write_bytes": "write", "mkdir": "write", "touch": "write", "symlink_to": "write", "hardlink_to": "write",
    "read_text": "read",
    "read_bytes": "read", "lchmod": "delete",
}  # fmt: skip
READERS: Final = (
    "pandas.read_",
    "numpy.load",
    "numpy.genfromtxt",
    "json.load",
    "builtins.open",
    "io.open",
    "codecs.open",
    "polars.read_",
    "llmos_nb.domains.data.read_table",
)
KERNEL: Final = frozenset({"os._exit", "os.kill", "os.killpg", "os.abort", "signal.raise_signal",
    "signal.pthread_kill", "signal.alarm",
                            "signal.setitimer", "faulthandler._sigsegv", "get_ipython().kernel.do_shutdown",
                            "get_ipython().ask_exit"})  # fmt: skip
HOOKS: Final = frozenset({"sys.addaudithook", "sys.settrace", "sys.setprofile", "threading.settrace",
    "threading.setprofile",
                           "sys._setprofileallthreads", "sys.monitoring.register_callback",
                           "threading.settrace_all_threads",
                           "sys._getframe().f_trace"})  # fmt: skip
NATIVE: Final = frozenset({"ctypes", "cffi", "_ctypes", "pyximport", "_posixsubprocess", "_xxsubinterpreters",
    "_interpreters", "_testcapi", "_testinternalcapi", "_thread"})  # fmt: skip
SENDS: Final = ("requests.post", "requests.put", "requests.patch", "requests.delete", "httpx.post", "httpx.put",
    "httpx.patch",
                 "httpx.delete", "smtplib.", "ftplib.", "paramiko.", "telnetlib.", "socket.socket().connect",
                 "socket.create_connection",
                 "urllib3.request")  # fmt: skip
ENVIRON_USES: Final = frozenset(
    {"get", "setdefault", "pop", "update", "__getitem__", "__setitem__", "copy", "unsetenv"}
)
#: What has code run in the cells that a person runs later, as if that had been written there.
LATER: Final = tuple(f"get_ipython().{name}" for name in (
    "events.register", "input_transformers", "ast_transformers", "set_custom_exc", "set_hook", "register_magic",
    "input_transformer_manager", "run_cell_async", "magics_manager",
))  # fmt: skip
#: What names the running system: the variable that the extension binds, and systems made on the spot.
SYSTEMS: Final = ("llmos.", "llmos_nb.LLMOS().", "llmos_nb.system.LLMOS().", "llmos_nb.system.llmos.LLMOS().")
#: What a person does with the system, and an agent must not: start goals, decide what agents may do and spend.
SYSTEM: Final = frozenset({"approve", "trust", "clear_taint", "taint", "use_endpoint",
                           "close", "configure", "configure_from_notebook", "run",
                           "execute", "plan", "resume_plan", "resume", "economy.set_limit", "economy.deduct",
                           "economy.reserve", "agents.create", "agents.modify", "agents.write", "agents.restore",
                           "crystals.enable", "crystals.trust", "crystals.install", "bus.publish",
                           "projects.create", "projects.find_or_make",
                           "schedule", "schedule.add", "schedule.resume", "schedule.run_pending",
                           "schedule.serve"})  # fmt: skip
#: Parts of the package that decide, and are no tools for anybody's work.
DECIDING: Final = (
    "llmos_nb.kernel",
    "llmos_nb.mind",
    "llmos_nb.tools",
    "llmos_nb.dispatch",
    "llmos_nb.projects",
    "llmos_nb.system.goals",
    "llmos_nb.system.llmos",
    "llmos_nb.system.parts",
    "llmos_nb.system.records",
    "llmos_nb.system.running",
    "llmos_nb.system.wiring",
    "llmos_nb.guard.audit",
    "llmos_nb.guard.effects",
    "llmos_nb.guard.undo",
)
#: Attributes that lead from a frame, a traceback or a generator to whoever called, and what they hold.
FRAMES: Final = frozenset(
    {"f_back", "f_globals", "f_locals", "f_builtins", "f_trace", "tb_frame", "gi_frame", "cr_frame", "ag_frame"}
)
