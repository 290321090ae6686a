"""With the scripted endpoint nothing of the surroundings reaches the model's side, and nothing leaves the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.cli

PROGRAM = """
import json, sys
from llmos_nb import LLMOS
from llmos_nb.cortex.scripted import handler

seen = []
real = handler.Handler._post
def post(self):
    seen.append(dict(self.headers))
    return real(self)
handler.Handler._post = post

with LLMOS("workspace", endpoint="scripted") as system:
    result = system.run("How many penguins of each species are in penguins.csv?")
print(json.dumps({"status": result.status, "reason": result.reason, "headers": seen}))
"""
#: Brings up the loopback device of a new network namespace, without the ``ip`` program.
LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
    fcntl.ioctl(device, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))
os.execv(sys.executable, [sys.executable, "program.py"])
"""
#: What a machine's user may have set. None of it is valid anywhere.
SURROUNDINGS = {
    "ANTHROPIC_API_KEY": "sk-of-the-surroundings",
    "ANTHROPIC_AUTH_TOKEN": "token-of-the-surroundings",
    "ANTHROPIC_BASE_URL": "http://203.0.113.1:9",
    "ANTHROPIC_CUSTOM_HEADERS": "x-surroundings: header-of-the-surroundings",
    "ANTHROPIC_MODEL": "model-of-the-surroundings",
    "CLAUDE_CODE_OAUTH_TOKEN": "oauth-of-the-surroundings",
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://203.0.113.1:4318",
    "OTEL_METRICS_EXPORTER": "otlp",
    "HTTP_PROXY": "http://203.0.113.1:3128",
    "HTTPS_PROXY": "http://203.0.113.1:3128",
    "https_proxy": "http://203.0.113.1:3128",
    "ALL_PROXY": "http://203.0.113.1:3128",
}


def run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    Path("program.py").write_text(PROGRAM)
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_surroundings_are_hidden_from_the_model(playground: Path) -> None:
    done = run([sys.executable, "program.py"], **SURROUNDINGS)
    assert done.returncode == 0, done.stderr
    assert '"status": "success"' in done.stdout
    assert "sk-scripted-" in done.stdout, "the server was given its own key"
    assert "surroundings" not in done.stdout


def test_no_connection_leaves_the_machine(playground: Path) -> None:
    """Every connect of Python and the CLI, watched by the system: streams and datagrams (a DNS query), to anywhere."""
    if shutil.which("strace") is None:
        assert "CI" not in os.environ, "strace must be installed where CI runs"
        pytest.skip("strace is not installed")
    watched = ["strace", "-f", "-qq", "-o", "calls.txt", "-e", "trace=connect,sendto,sendmsg,sendmmsg"]
    done = run([*watched, sys.executable, "program.py"], **SURROUNDINGS)
    assert done.returncode == 0, done.stderr
    assert '"status": "success"' in done.stdout
    calls = [line for line in Path("calls.txt").read_text().splitlines() if "AF_INET" in line]
    assert any("connect(" in call and "127.0.0.1" in call for call in calls), "the watch saw the server's own port"
    assert not [call for call in calls if not re.search(r'"127\.0\.0\.1"|"::1"', call)]


def test_goal_succeeds_without_a_network(playground: Path) -> None:
    """In a network namespace of its own there is nothing but the loopback device."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rn", "true"], check=False).returncode:
        assert "CI" not in os.environ, "network namespaces must be allowed where CI runs"
        pytest.skip("network namespaces cannot be made here")
    done = run(["unshare", "-rn", sys.executable, "-c", LOOPBACK])
    assert done.returncode == 0, done.stderr
    assert '"status": "success"' in done.stdout
