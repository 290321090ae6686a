"""Python: notebook code is never bothered, IPython's syntax is understood, effects outside are stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.guard import RULES, Verdict, check_python
from llmos_nb.guard.judging import judging
from llmos_nb.guard.verdict import Decision
from llmos_nb.kernel.whose import agents_code


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def judge(code: str, workspace: Path) -> Verdict:
    verdict = check_python(code, cwd=workspace, workspace=workspace)
    assert verdict.rule != "guard-error"
    return verdict


NATURAL = [
    "import pandas as pd\ndf = pd.read_csv('penguins.csv').dropna()\ndf.groupby('species').mean(numeric_only=True)",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('out/plot.png')",
    "!ls -la\nfiles = !ls *.csv\nprint(files)",
    "%%time\nsum(range(10))",
    "%timeit sum(range(10))",
    "%%bash\nls | wc -l",
    "%%html\n<b>rm -rf /</b>",
    "%%writefile notes.md\nhello",
    "df?",
    "?df",
    ">>> print(1)\n1",
    "def f(x):\n    'rm -rf /'\n    return x ** 2\nf(3)",
    "with open('data.txt') as f:\n    print(f.read())\nopen('out.txt', 'w').write('x')",
    "import os\nos.makedirs('out', exist_ok=True)\nprint(os.environ['HOME'], os.environ.get('LANG'), os.listdir('.'))",
    "import subprocess, os\nsubprocess.run(['ls', '-l'], env={**os.environ, 'A': '1'})",
    "import os, shutil\nshutil.rmtree('build')\nos.remove('a.csv')",
    "from pathlib import Path\nPath('out').mkdir(exist_ok=True)\nPath('out/a.txt').write_text('x')",
    "df.eval('a + b'); df.query('a > 1')",
    "import re\nre.compile('x')",
    "import sys\nsys.exit()",
    "await f()",
    "import requests\nrequests.get('https://example.com').json()",
    "import signal\nsignal.SIGINT",
    "import urllib.request\nurllib.request.urlopen('https://example.com').read()",
    "x = df['a'].replace('/etc', 'b')",
    "this is no python at all",
    "from llmos_nb import LLMOS\nos = LLMOS()",
    "pip list",
]


@pytest.mark.parametrize("code", NATURAL)
def test_notebook_code_is_allowed(code: str, workspace: Path) -> None:
    verdict = judge(code, workspace)
    assert verdict.decision == "allow", verdict


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.system('rm -rf /home/victim')",
        "from os import system as s\ns('rm -rf /home/victim')",
        "from os import *\nsystem('rm -rf /home/victim')",
        "__import__('os').system('rm -rf /home/victim')",
        "getattr(__import__('os'), 'sys' + 'tem')('rm -rf /home/victim')",
        "import importlib\nimportlib.import_module('os').system('rm -rf /home/victim')",
        "import os\nrun = os.system\nrun('rm -rf /home/victim')",
        "import subprocess\nsubprocess.run(['rm', '-rf', '/home/victim'])",
        "import subprocess\ncmd = ['rm', '-rf', '/home/victim']\nsubprocess.Popen(cmd)",
        "import subprocess\nsubprocess.check_output('rm -rf /home/victim', shell=True)",
        "import os\nos.execvp('rm', ['rm', '-rf', '/home/victim'])",
        "!rm -rf /home/victim",
        "x = !rm -rf /home/victim",
        "if True:\n    !rm -rf /home/victim",
        "!ls; \\\n rm -rf /home/victim",
        "%%bash\nrm -rf /home/victim",
        "%%script bash\nrm -rf /home/victim",
        "%%script perl\nsystem('rm -rf /home/victim')",
        "%system rm -rf /home/victim",
        "%sx rm -rf /home/victim",
        "%rm -rf /home/victim",
        "rm -rf /home/victim",
        "%time __import__('os').system('rm -rf /home/victim')",
        "%%time\n!rm -rf /home/victim",
        "%%capture out\nimport os\nos.system('rm -rf /home/victim')",
        ">>> import os\n>>> os.system('rm -rf /home/victim')",
        "get_ipython().system('rm -rf /home/victim')",
        "get_ipython().run_line_magic('sx', 'rm -rf /home/victim')",
        "get_ipython().run_cell_magic('bash', '', 'rm -rf /home/victim')",
        "import shutil\nshutil.rmtree('/home/victim')",
        "from pathlib import Path\nPath('/home/victim/a').unlink()",
        "from pathlib import Path\np = Path('/home') / 'victim'\np.rmdir()",
        "import os\nos.remove(os.path.join('..', 'a.txt'))",
        "import os\nos.rename('/home/victim', 'mine')",
        "exec(\"import shutil; shutil.rmtree('/home/victim')\")",
        "open('/etc/hosts', 'w')",
        "open('/home/someone/.ssh/id_rsa').read()",
        "from pathlib import Path\nPath.home().joinpath('x')\n(Path.home() / '.aws' / 'credentials').read_text()",
        "import os\nos.kill(os.getpid(), 9)",
        "import sys\nsys.addaudithook(print)",
        "import llmos_nb.guard as g\ng.check_shell = lambda *a, **k: None",
        "import llmos_nb.guard\nsetattr(llmos_nb.guard, 'check_shell', None)",
        "from llmos_nb import guard\ndel guard.check_shell",
        "import sys\nsys.modules['llmos_nb.guard'] = None",
        "open('llmos.toml', 'w')",
        "%%writefile agents/poet.md\nx",
        "x = 1\0",
    ],
)
def test_harm_is_denied(code: str, workspace: Path) -> None:
    assert judge(code, workspace).decision == "deny"


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import os\nos.system(command)", "py-shell"),
        ("import subprocess\nsubprocess.run(command, shell=True)", "py-shell"),
        ("import subprocess\nsubprocess.run([tool, 'x'])", "py-shell"),
        ("!{command}", "shell-unknown-code"),
        ("!rm -rf {folder}", "delete-unknown"),
        ("import shutil\nshutil.rmtree(folder)", "py-delete-unknown"),
        ("import os\nprint(dict(os.environ))", "py-environ"),
        ("import os\nos.getenv('ANTHROPIC_API_KEY')", "py-environ"),
        ("%env", "py-environ"),
        ("import base64\neval(base64.b64decode(x))", "py-eval"),
        ("import ctypes\nctypes.string_at(0)", "py-native"),
        (",os.system ls", "py-unreadable"),
        ("open('/home/someone/a.txt', 'w')", "py-write"),
        ("import requests\nrequests.post('https://example.com', files={})", "py-network"),
    ],
)
def test_what_cannot_be_known_asks(code: str, rule: str, workspace: Path) -> None:
    verdict = judge(code, workspace)
    assert (verdict.decision, verdict.rule) == ("ask", rule)


def test_folders_are_optional() -> None:
    assert check_python("print(1)").decision == "allow"
    assert check_python("import shutil\nshutil.rmtree('/')").decision == "deny"


def test_a_fault_inside_is_denied() -> None:
    assert check_python(None).rule == "guard-error"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import boto3\ns3 = boto3.client('s3')\ns3.delete_bucket(Bucket='b')", "py-remote"),
        ("import boto3\nboto3.client('s3').list_buckets()", "ok"),
        ("from kubernetes import client\nclient.CoreV1Api().delete_namespace('x')", "py-remote"),
        ("from kubernetes import client\nclient.CoreV1Api().list_namespace()", "ok"),
        ("import docker\ndocker.from_env().volumes.prune()", "py-remote"),
        ("import redis\nredis.Redis().flushall()", "py-remote"),
        ("import redis\nredis.Redis().get('a')", "ok"),
        ("import psycopg2\npsycopg2.connect('d').cursor().execute('drop table x')", "py-remote"),
        ("import psycopg2\npsycopg2.connect('d').cursor().execute('select 1')", "ok"),
        ("import git\ngit.Repo('.').git.push('origin', 'main', force=True)", "git-history"),
        ("import git\ngit.Repo('.').git.log()", "ok"),
        ("import polars as pl\npl.DataFrame().write_parquet('/home/someone/x.parquet')", "py-write"),
        ("import polars as pl\npl.DataFrame().write_parquet('x.parquet')", "ok"),
        ("import keyring\nkeyring.get_password('a', 'b')", "py-secret"),
        ("class Redis:\n    def flushall(self): ...\nRedis().flushall()", "ok"),
    ],
)
def test_libraries_that_act_elsewhere(code: str, rule: str, tmp_path: Path) -> None:
    verdict = check_python(code, cwd=tmp_path, workspace=tmp_path / "workspace")
    assert verdict.rule == rule


# -- what is kept of code that no rule objects to


@pytest.mark.parametrize("code", [*NATURAL, *(rule.blocked for rule in RULES.values() if rule.kind == "python")])
def test_code_is_judged_the_second_time_as_the_first(code: str, workspace: Path) -> None:
    first = judge(code, workspace)
    assert [judge(code, workspace) for _ in range(2)] == [first, first]


def test_a_path_is_asked_about_each_time(workspace: Path) -> None:
    reads, writes = "import pandas as pd\npd.read_csv('data.csv')", "open('data.csv', 'w').write('x')"
    (workspace / "data.csv").write_text("a\n1\n")
    assert judge(reads, workspace).decision == judge(writes, workspace).decision == "allow"
    (workspace / "id_rsa").write_text("x")
    (workspace / "data.csv").unlink()
    (workspace / "data.csv").symlink_to(workspace / "id_rsa")
    assert judge(reads, workspace).rule == judge(writes, workspace).rule == "py-secret"
    (workspace / "data.csv").unlink()
    assert judge(reads, workspace).decision == judge(writes, workspace).decision == "allow"


def test_code_is_judged_anew_in_another_folder(workspace: Path, tmp_path: Path) -> None:
    code = "open('../out/data.csv', 'w').write('x')"
    inner, elsewhere = workspace / "inner", tmp_path / "elsewhere"
    inner.mkdir()
    elsewhere.mkdir()
    assert check_python(code, cwd=inner, workspace=workspace).decision == "allow"
    assert check_python(code, cwd=elsewhere, workspace=elsewhere).decision != "allow"
    assert check_python(code, cwd=inner, workspace=workspace).decision == "allow"


def test_code_is_judged_anew_for_another_home(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from pathlib import Path\n(Path.home() / 'note.txt').write_text('x')"
    monkeypatch.setenv("HOME", str(workspace / "home"))
    assert judge(code, workspace).decision == "allow"
    monkeypatch.setenv("HOME", "/home/somebody")
    assert judge(code, workspace).decision != "allow"


def test_nothing_is_kept_of_what_an_agents_code_has_judged(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os\nos.system('rm -rf /etc')"
    with agents_code(), monkeypatch.context() as tampered:
        tampered.setattr("llmos_nb.guard.python_judge.RUNS_TEXT", frozenset())
        tampered.setattr("llmos_nb.guard.python_judge._HANDED_ON", frozenset())
        assert judge(code, workspace).decision == "allow"
    assert judge(code, workspace).decision == "deny"


def test_a_persons_word_on_a_rule_counts_at_once(workspace: Path) -> None:
    code = "open('/home/somebody/data.csv', 'w').write('x')"

    class Word:
        def on(self, rule: str, place: Path | None, own: str) -> tuple[Decision, str] | None:
            return ("allow", "a person") if rule == "py-write" else None

    assert judge(code, workspace).decision != "allow"
    with judging(Word()):
        assert judge(code, workspace).decision == "allow"
    assert judge(code, workspace).decision != "allow"
