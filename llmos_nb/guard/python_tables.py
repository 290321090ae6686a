"""Functions of Python that deserve a look, as data: what starts programs, changes files, ends the kernel, sends."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ENVIRON_USES",
    "FILES",
    "HOOKS",
    "KERNEL",
    "NATIVE",
    "PATH_METHODS",
    "READERS",
    "RUNS_ARGS",
    "RUNS_LIST",
    "RUNS_TEXT",
    "SENDS",
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
NATIVE: Final = frozenset({"ctypes", "cffi", "_ctypes", "mmap_native", "pyximport"})
SENDS: Final = ("requests.post", "requests.put", "requests.patch", "requests.delete", "httpx.post", "httpx.put",
    "httpx.patch",
                 "httpx.delete", "smtplib.", "ftplib.", "paramiko.", "telnetlib.", "socket.socket().connect",
                 "socket.create_connection",
                 "urllib3.request")  # fmt: skip
ENVIRON_USES: Final = frozenset(
    {"get", "setdefault", "pop", "update", "__getitem__", "__setitem__", "copy", "unsetenv"}
)
