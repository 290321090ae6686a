"""Run every bench, or those that are named, each in a process of its own so that none warms up another.

python -m tests.bench [NAME ...]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

scripts = {script.stem.removeprefix("bench_"): script for script in sorted(Path(__file__).parent.glob("bench_*.py"))}
chosen = sys.argv[1:] or list(scripts)
if unknown := [name for name in chosen if name not in scripts]:
    sys.exit(f"There is no bench {', '.join(unknown)}. Benches: {', '.join(scripts)}.")
for name in chosen:
    print(f"\n== {name} ==", flush=True)
    subprocess.run([sys.executable, scripts[name]], check=False)
