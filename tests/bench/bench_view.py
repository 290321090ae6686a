"""The run view in a real JupyterLab and Chromium: how soon it appears, how far behind the stream it is, what it weighs.

Needs Chromium and Playwright, as the browser tests do.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from surroundings import clean, row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
from frontend import put

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--enable-precise-memory-info",
]
CALLS, A_TURN = 500, 50
#: What a person takes, at least, to type the first goal; goals that a kernel is given after its first.
TYPING_MS, LATER = 4_000, 7
#: Scripts of the bench: a text whose words are numbered, one that streams 200 pieces a second, and 500 calls.
SCRIPTS = {
    "numbered": "---\ngoal: Count slowly\ndelta_delay_s: 0.1\n---\n## Answer\n\n"
    + " ".join(f"w{n:04}" for n in range(60)) + "\n",
    "fast": "---\ngoal: Count fast\ndelta_delay_s: 0.005\n---\n## Answer\n\n"
    + "\n\n".join(f"Part {n}: " + " ".join(f"w{k:04}" for k in range(n * 40, n * 40 + 40)) for n in range(60)) + "\n",
    "calls": "---\ngoal: Make many calls\n---\n" + "\n".join(
        f"## Turn {turn + 1}\n\nPart {turn}.\n\n" + "\n".join(
            f"### run_cell\n\n```python\nvalue_{n} = {n}  # {'x' * 60}\nprint('call', {n}, 'y' * 200)\n```\n"
            for n in range(turn * A_TURN, turn * A_TURN + A_TURN)
        ) for turn in range(CALLS // A_TURN)
    ) + "\n## Answer\n\nAll calls were made.\n",
}  # fmt: skip
#: Notes, in the kernel, when the endpoint has sent each piece of text.
NOTED = """
import json as _json, time as _time
import llmos_nb.cortex.scripted.handler as _handler
_sent, _plain = [], _handler._with_fault
def _noted(events, fault):
    text = ""
    for event in _plain(events, fault):
        yield event
        data = _json.loads(event.split(b"data: ", 1)[1])
        if data.get("type") == "content_block_delta" and "text" in data["delta"]:
            text += data["delta"]["text"]
            _sent.append((_time.time() * 1000, text.count("w0") and text.rsplit("w", 1)[0].count("w0")))
_handler._with_fault = _noted
"""
BEGIN = (
    "import os, tempfile, pathlib\nos.environ['LLMOS_ENDPOINT'] = 'scripted'\n"
    "os.chdir(tempfile.mkdtemp(dir=os.environ['LLMOSNB_TRUST_SCRIPTS']))  # its scripts are one's own\n"
    "folder = pathlib.Path('workspace/scripts'); folder.mkdir(parents=True)\n"
    + "".join(f"(folder / '{name}.md').write_text({text!r})\n" for name, text in SCRIPTS.items())
    + f"%load_ext llmos_nb\nllmos.configure(time_limit_s=None)\n{NOTED}print('ready')"
)
CELLS = (
    BEGIN, "1 + 1", "%%llmos\nHello", "%%llmos --mode learner\nCount slowly",
    "print(_json.dumps(_sent)); _sent.clear()",
    "%%llmos --mode learner\nCount fast", "%%llmos --mode learner --budget 5\nMake many calls",
)  # fmt: skip
#: In the page: when a view appears after the keys, when each numbered word is seen, and how long it does nothing else.
WATCH = """() => {
  window.seen = {keys: 0, view: 0, mode: 0, answered: 0, words: {}, long: [], gaps: [], last: performance.now()};
  document.addEventListener('keydown', (e) => {
    if (e.key === 'Enter') { seen.keys = performance.now(); seen.view = seen.mode = seen.answered = 0; }
  }, true);
  new PerformanceObserver((list) => { for (const e of list.getEntries()) seen.long.push(e.duration); })
    .observe({type: 'longtask'});
  setInterval(() => { const now = performance.now(); seen.gaps.push(now - seen.last - 20); seen.last = now; }, 20);
  new MutationObserver(() => {
    const view = document.querySelector('.llmos-run');
    if (view && !seen.view) requestAnimationFrame(() => { if (!seen.view) seen.view = performance.now(); });
    if (view && !seen.mode && !/looking/.test(view.querySelector('.llmos-mode').textContent)) {
      requestAnimationFrame(() => { if (!seen.mode) seen.mode = performance.now(); });
    }
    if (!seen.answered && [...document.querySelectorAll('.jp-OutputArea-output')].some((one) => one.textContent === '2')) {
      requestAnimationFrame(() => { if (!seen.answered) seen.answered = performance.now(); });
    }
    if (view) {
      const found = (view.textContent.match(/w0\\d\\d\\d(?=[ <])/g) || []).length;
      if (found && !(found in seen.words)) seen.words[found] = Date.now();
    }
  }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


@contextlib.contextmanager
def jupyterlab(root: Path) -> Iterator[str]:
    """The address of a JupyterLab on loopback that serves ``root``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
         "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}",
         "--LabApp.expose_app_in_browser=True"],
        cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(240):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=1)
                break
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def run(page: Any, cell: int) -> None:
    """Run a cell as a person does, and wait until it is over."""
    page.evaluate(
        "n => { const c = window.jupyterapp.shell.currentWidget.content; c.activeCellIndex = n; c.mode = 'command';"
        " c.node.focus(); window.seen && (seen.words = {}, seen.long = [], seen.gaps = []) }", cell
    )  # fmt: skip
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "n => { const c = window.jupyterapp.shell.currentWidget.content.widgets[n].model;"
        " return c.executionCount !== null && c.executionState !== 'running' }", arg=cell, timeout=300_000
    )  # fmt: skip
    page.wait_for_timeout(300)


def tell_first(page: Any, times: int, which: str) -> None:
    """How soon after the keys a goal's view is on the page, and how soon it names the mode."""
    views, modes = [], []
    for _ in range(times):
        run(page, 2)
        views.append(page.evaluate("seen.view - seen.keys"))
        modes.append(page.evaluate("seen.mode - seen.keys"))
    row(f"from the keys to the run view on the page, {which}", f"{statistics.median(views):.0f} ms", "aim <= 100 ms")
    row("  until the mode stands there", f"{statistics.median(modes):.0f} ms")


def heap_mb(page: Any) -> float:
    """The page's JavaScript memory after the garbage was collected, in MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(metrics["JSHeapUsedSize"]) / 1e6


def resident_mb() -> float:
    """What the largest page process holds of the machine's memory, in MB."""
    largest = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                status = dict(
                    line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line
                )
                largest = max(largest, int(status["VmRSS"].split()[0]))
    return largest / 1e3


def tell_tasks(page: Any, what: str) -> None:
    long, gaps = page.evaluate("[seen.long, seen.gaps]")
    gaps = sorted(gaps) or [0.0]
    p95 = gaps[int(len(gaps) * 0.95)]
    row(
        f"{what}: longest task of the page; its clock is late by, 95 %",
        f"{max(long, default=0):.0f} ms; {p95:.0f} ms",
        "aim < 200",
    )


def outputs(page: Any, cell: int) -> str:
    found = page.evaluate("n => window.jupyterapp.shell.currentWidget.context.model.toJSON().cells[n].outputs", cell)
    return json.dumps(found)


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium on this machine: apt-get install chromium, or put one on the PATH")
    from playwright.sync_api import sync_playwright

    root = clean()
    with jupyterlab(root) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        put(lab, "bench.ipynb", CELLS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{lab}/lab/tree/bench.ipynb?reset")
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.context?.sessionContext.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )
        page.evaluate(WATCH)
        run(page, 0)
        page.wait_for_timeout(TYPING_MS)
        tell_first(page, 1, "the first goal of a kernel")
        tell_first(page, LATER, f"the next {LATER}, medians")
        plain = []
        for _ in range(LATER):
            page.evaluate("window.jupyterapp.shell.currentWidget.context.model.cells.get(1).outputs.clear()")
            run(page, 1)
            plain.append(page.evaluate("seen.answered - seen.keys"))
        row("  what 1 + 1 takes in the same page, median", f"{statistics.median(plain):.0f} ms")
        run(page, 3)
        seen = {int(n): at for n, at in page.evaluate("seen.words").items()}
        run(page, 4)
        sent: dict[int, float] = {}
        for at, words in json.loads(json.loads(outputs(page, 4))[0]["text"]):
            sent.setdefault(int(words), at)
        lags = sorted(seen[n] - sent[n] for n in seen if n in sent)
        row(f"from the endpoint to the page, {len(lags)} pieces, median and 95 %",
            f"{statistics.median(lags):.0f}, {lags[int(len(lags) * 0.95)]:.0f} ms", "aim <= 50 ms")  # fmt: skip
        row("  the first piece", f"{seen[min(seen)] - sent.get(min(seen), 0):.0f} ms", "aim <= 50 ms")
        started = time.monotonic()
        run(page, 5)
        row("200 pieces a second: the run took", f"{time.monotonic() - started:.1f} s")
        tell_tasks(page, "200 pieces a second")
        before, held = heap_mb(page), resident_mb()
        started = time.monotonic()
        page.evaluate(
            """() => {
              window.most = 0;
              setInterval(() => { window.most = Math.max(most, performance.memory.usedJSHeapSize) }, 200);
            }"""
        )
        run(page, 6)
        row(f"{CALLS} calls: the run took", f"{time.monotonic() - started:.1f} s")
        tell_tasks(page, f"{CALLS} calls")
        row("  JavaScript memory after it, more than before", f"{heap_mb(page) - before:.1f} MB", "aim < 100 MB")
        row("  at most meanwhile, garbage included", f"{page.evaluate('most') / 1e6 - before:.1f} MB")
        row("  memory of the page's process, more than before", f"{resident_mb() - held:.1f} MB", "aim < 100 MB")
        kept = outputs(page, 6)
        assert "All calls were made" in kept, kept[-2000:]
        row("  the cell's outputs in the saved notebook", f"{len(kept) / 1e6:.2f} MB", "aim < 1 MB")
        browser.close()


main()
