"""What ``%load_ext llmos_nb`` adds to a bare IPython start, and what it must not import."""

from __future__ import annotations

import os
import subprocess
import sys

from surroundings import clean, median_ms, row

ROUNDS = 9
CODE = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
started = time.perf_counter()
shell.run_line_magic("load_ext", "llmos_nb")
print(time.perf_counter() - started)
print([name for name in ("claude_agent_sdk", "pandas", "ipywidgets", "sqlalchemy") if name in sys.modules])
"""


def main() -> None:
    clean()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's kernel compiles the package at every start
    subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True)
    seconds, heavy = [], ""
    for _ in range(ROUNDS):
        output = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
        first, heavy = output.strip().splitlines()[-2:]
        seconds.append(float(first))
    row("%load_ext llmos_nb, median of 9 fresh processes", f"{median_ms(seconds):.0f} ms", "aim <= 150 ms")
    row("heavy packages imported by it", heavy, "aim []")


main()
