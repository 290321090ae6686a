"""How much of what code can do to a person's files, secrets and kernel the guard of cells stops, by effect seen.

Every attack of ``python_attacks.py`` runs for real, in a process of its own with a folder to be harmed, behind bubblewrap
without a network: first unguarded, to see that it has an effect, then as an agent's cell. Then: what the guard asks about
in code that nobody would object to, and what it costs.

python tests/bench/bench_python_guard.py [--misses]
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from llmos_nb.guard.sandbox.fence import Bubblewrap
from llmos_nb.guard.undo import Undo
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.workbench import Workbench
from tests.bench.python_attacks import ATTACKS, Attack
from tests.unit.swapping import swapping

SECRET = "-----THE SECRET KEY-----"
#: What tells in a cell's output that the network, or what the attack was after, was reached.
REACHED = ("REACHED", SECRET)
#: What tells that the guard stopped it.
STOPPED = ("refused", "PermissionError", "GuardDenied", "not authorized")
#: A stranger's address, which leads to a listener of our own.
STRANGER = "203.0.113.9"


def prepared(folder: Path) -> None:
    """A workspace, a home and a neighbour's folder, the same for every attack."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("nb/workspace/agents", "nb/workspace/.llmos", "victim/tree", "home/.ssh", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "victim/a.txt").write_text("precious, more than one page long " * 200)
    (folder / "victim/tree/b.txt").write_text("precious")
    (folder / "home/.bashrc").write_text("# mine\n")
    (folder / "home/.ssh/id_rsa").write_text(SECRET)
    (folder / "nb/workspace/llmos.toml").write_text("")
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9), follow_symlinks=False)


def digest(folder: Path) -> str:
    """What an attack must not change: the neighbour's folder, the home, the product's own files."""
    total = hashlib.sha256()
    for name in ("victim", "home", "nb/workspace"):
        for path in sorted((folder / name).rglob("*")):
            if ".cache" in path.parts or "matplotlib" in path.parts:
                continue
            status = path.lstat()
            total.update(f"{path.relative_to(folder)} {status.st_mode}".encode())
            if path.is_file() and not path.is_symlink():
                total.update(f"{status.st_mtime}".encode() + path.read_bytes())
    return total.hexdigest()


def names(folder: Path) -> dict[str, object]:
    return {"P": str(folder / "victim"), "H": str(folder / "home"), "W": str(folder / "nb/workspace")}


async def guarded(code: str, folder: Path) -> tuple[str, str]:
    """The cell as an agent runs it: who stopped it (``before``, ``run time``, nobody), and its output."""
    space = PlainNamespace()
    space.names.update(names(folder))
    bench = Workbench(
        "bench", namespace=space, workspace=folder / "nb/workspace", cwd=folder / "nb", grant=("run_cell",),
        publish=lambda event: None,
    )  # fmt: skip
    call = await bench.call("run_cell", {"code": code})
    if call.result is None:
        return f"before {call.verdict.rule}", call.verdict.reason
    text = call.result.text
    return (
        "run time"
        if any(word in text for word in ("refused", "PermissionError", "GuardDenied", "not authorized"))
        else "nobody"
    ), text


async def plain(code: str, folder: Path) -> tuple[str, str]:
    space = PlainNamespace()
    space.names.update(names(folder))
    result = await space.run_cell(code, show=False)
    return "nobody", result.traceback + "".join(output.text for output in result.outputs)


def stranger(wire: Path) -> None:
    """Listen at the stranger's address, in a process of its own, and note what arrives."""
    subprocess.run(["ip", "addr", "add", f"{STRANGER}/32", "dev", "lo"], check=True)
    if os.fork():
        return
    listening: dict[socket.socket, bytes] = {}
    for port, greeting in ((80, b""), (25, b"220 hello\r\n"), (21, b"220 hello\r\n")):
        listening[socket.create_server((STRANGER, port))] = greeting
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((STRANGER, 53))
    talks: list[socket.socket] = []
    while True:
        for ready in select.select([*listening, datagrams, *talks], [], [])[0]:
            if ready in listening:
                talk, _ = ready.accept()
                talk.sendall(listening[ready])
                talks.append(talk)
                continue
            data = b""
            with contextlib.suppress(OSError):
                data = ready.recv(65536)
            if data:
                with wire.open("ab") as file:
                    file.write(data)
            if ready is not datagrams:
                with contextlib.suppress(OSError):
                    ready.sendall(
                        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n" if ready.getsockname()[1] == 80 else b""
                    )
                if not data or ready.getsockname()[1] == 80:
                    talks.remove(ready)
                    ready.close()


def attempt(attack: Attack, folder: Path, *, guard: bool) -> tuple[str, bool, str]:
    """Run one attack in a process of its own: who stopped it, whether it had an effect, its output."""
    prepared(folder)
    before, answer, wire = digest(folder), folder / "answer", folder.parent / "wire"
    wire.write_bytes(b"")
    child = os.fork()
    if child == 0:
        os.setsid()
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        os.environ.update(HOME=str(folder / "home"), TMPDIR=str(folder / "tmp"))
        tempfile.tempdir = None
        os.chdir(folder / "nb")
        sys.path.insert(0, str(folder / "nb"))
        found = ("nobody", "")
        try:
            found = asyncio.run((guarded if guard else plain)(attack.code, folder))
        finally:
            answer.write_text("\n".join(found))
            os._exit(0)
    deadline, status = time.monotonic() + 20, 0
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.005)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    text = answer.read_text(errors="replace") if answer.exists() else "nobody\nthe kernel was lost"
    who, _, output = text.partition("\n")
    effect = status != 0 or not answer.exists() or digest(folder) != before
    reached = not who.startswith("before") and any(sign in output for sign in REACHED)
    reached = reached or bool(wire.read_bytes())
    return who, effect or reached, output


def attacks(base: Path, show: bool) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one of them is sent to us
    import matplotlib
    import numpy
    import pandas

    matplotlib.use("Agg")
    del numpy, pandas
    table: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    missed = []
    for attack in ATTACKS:
        _, works, why = attempt(attack, base, guard=False)
        if not works:
            table[attack.kept_out]["without effect here"] += 1
            if show:
                print(f"  no effect unguarded: {attack.name}: {why[-150:]!r}")
            continue
        who, effect, output = attempt(attack, base, guard=True)
        # What has an effect unguarded and none here was stopped, also where a child process alone was told so.
        word = "not" if effect else "before" if who.startswith("before") else "at run time"
        table[attack.kept_out][word] += 1
        if effect:
            missed.append(f"{'kept out: ' if attack.kept_out else ''}{attack.name}: {word}")
            if show and not attack.kept_out:
                print(f"  {attack.name}: {word}\n{attack.code}\n  -> {output[-400:]}")
    for kept_out, counts in table.items():
        total = sum(counts.values()) - counts["without effect here"]
        stopped = counts["before"] + counts["at run time"]
        which = "kept out" if kept_out else "in sight"
        print(f"{which}: {stopped} of {total} stopped ({stopped / total:.1%}); {dict(counts)}")
    print("not stopped:", "; ".join(missed) or "none")


def races(base: Path, times: int) -> None:
    """Write through the file tool while a thread swaps the folder with a link that leads out."""
    shutil.rmtree(base, ignore_errors=True)
    for name in ("nb/workspace", "nb/d", "outside"):
        (base / name).mkdir(parents=True)
    os.chdir(base / "nb")

    async def write(over: threading.Event) -> Counter[str]:
        counts: Counter[str] = Counter()
        bench = Workbench(
            "races", namespace=PlainNamespace(), workspace=base / "nb/workspace", cwd=base / "nb", grant=("write_file",),
            publish=lambda event: None,
        )  # fmt: skip
        number = 0
        while not over.is_set():
            number += 1
            call = await bench.call("write_file", {"path": f"d/{number % 50}.txt", "content": "x" * 1000})
            counts[call.status] += 1
            bench.undo = Undo()
        return counts

    with swapping(times, Path("../outside")) as over:
        counts = asyncio.run(write(over))
    out = len(list((base / "outside").iterdir()))
    print(f"{times} swaps of a folder with a link, meanwhile {dict(counts)}: {out} got out")


def main() -> None:
    if "--inside" not in sys.argv:
        bwrap = Bubblewrap.here().program
        if not bwrap:
            sys.exit("The attacks run behind bubblewrap alone: install bubblewrap.")
        with tempfile.TemporaryDirectory(prefix="python-guard-") as base:
            (Path(base) / "work/tmp").mkdir(parents=True)
            fence = [bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", base, base]
            fence += ["--unshare-net", "--unshare-pid", "--die-with-parent", "--chdir", "/"]
            fence += ["--cap-add", "CAP_NET_ADMIN", "--cap-add", "CAP_NET_BIND_SERVICE"]
            fence += ["--setenv", "TMPDIR", f"{base}/work/tmp"]
            subprocess.run([*fence, sys.executable, __file__, "--inside", base, *sys.argv[1:]], check=False)
        return
    base = Path(sys.argv[sys.argv.index("--inside") + 1])
    os.environ.update(HOME=str(base), MPLCONFIGDIR=str(base / "mpl"))
    stranger(base / "wire")
    races(base / "races", 10_000)
    attacks(base / "work", "--misses" in sys.argv)


if __name__ == "__main__":
    main()
