"""No key reaches the model, a trace, a log or a display: real runs whose goals, files and code hold one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from sets.planted import WAYS, Planting
from sets.secret_kinds import made

from llmos_nb import LLMOS
from llmos_nb.cortex.scripted import handler

pytestmark = pytest.mark.cli

#: Made up, in the form of real ones.
KEY = "sk-proj-" + "aB3x" * 12
READER = "---\nname: reader\ndescription: Reads.\ntools: [Read, Bash, Grep]\n---\nYou read.\n"
BUILT_IN = """---
goal: Read {file:path} with Claude's own tools
---
## Turn 1

### Read

```yaml arguments
file_path: {{here}}/{{file}}
```

## Turn 2

### Bash

```bash
cat {{file|shell}}
```

## Answer

Read: {{result 1}} Printed: {{result 2}}
"""
BROKEN = """---
goal: Print {file:path} and fail
---
## Turn 1

### Bash

```bash
cat {{file|shell}}; exit 3
```

## Answer

Told: {{result}}
"""
SHOW = """---
goal: Show the settings in {file:path}
---
## Turn 1

### read_file

```yaml arguments
path: "{{file}}"
```

## Answer

They are: {{result}}
"""
LITERAL = f"""---
goal: Ask the weather service
---
## Turn 1

### run_cell

```python
service_key = "{KEY}"
print(len(service_key))
```

## Answer

Its key has {{{{result}}}} characters.
"""
TOLD = """---
goal: What is in {words:text}?
---
## Answer

You said {{words}}
"""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LLMOS]:
    scripts, before = tmp_path / "workspace" / "scripts", Path.cwd()
    scripts.mkdir(parents=True)
    for name, text in (("show", SHOW), ("literal", LITERAL), ("told", TOLD)):
        (scripts / f"{name}.md").write_text(text)
    os.chdir(tmp_path)
    with LLMOS(workspace="workspace", endpoint="scripted") as made:
        yield made
    os.chdir(before)


def written(system: LLMOS) -> str:
    """Everything that the workspace holds but the scripts, as text."""
    system.bus.flush()
    files = [p for p in system.workspace.rglob("*") if p.is_file() and "scripts" not in p.parts]
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


def test_no_key_leaves_the_notebook(
    system: LLMOS, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked: list[bytes] = []
    parse = handler._parse
    monkeypatch.setattr(handler, "_parse", lambda body: (asked.append(body), parse(body))[1])
    Path("settings.env").write_text(f"HOST=example.org\nOPENAI_API_KEY={KEY}\n")
    monkeypatch.setenv("WEATHER_TOKEN", "Wq7-zulu-Lima-9")
    shown = system.run("Show the settings in settings.env")
    assert shown.ok and "HOST=example.org" in shown.text and "[redacted: OpenAI key]" in shown.text
    again = system.run("Show the settings in settings.env")
    assert again.mode == "follower" and again.ok, "what is redacted is redacted again, and so the same"

    told = system.run(f"What is in {KEY} and Wq7-zulu-Lima-9?")
    assert told.ok and "[redacted: OpenAI key] and [redacted: value of $WEATHER_TOKEN]" in told.text
    assert told.notices[0].startswith("what looks like a key") and KEY not in told.goal
    sent = b"".join(asked)
    assert b"HOST=example.org" in sent and b"taken out of this result" in sent, "what the model was told"
    assert KEY.encode() not in sent and b"Wq7-zulu" not in sent
    assert KEY not in written(system), "the client's own record of the conversations included"

    used = system.run("Ask the weather service")
    assert used.ok and "Its key has 56 characters" in used.text and "[redacted: OpenAI key]" in used.steps[0].text
    assert "os.environ" in used.notices[0] and used.trace_id is not None
    kept = system.traces.get(used.trace_id)
    assert kept.status == "success" and not kept.replayable and "cannot be replayed" in kept.reason
    assert system.run("Ask the weather service").mode != "follower"

    system.close()  # here it was the model itself that wrote a key: the client's record of that has it no more
    everything = "\n".join([written(system), *(f"{r}{r._html()}{r._markdown()}" for r in (shown, again, used, told))])
    assert KEY not in everything and "Wq7-zulu" not in everything
    assert KEY not in capfd.readouterr().out


def test_no_key_reaches_the_model_by_its_own_tools(system: LLMOS, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    parse = handler._parse
    monkeypatch.setattr(handler, "_parse", lambda body: (asked.append(body), parse(body))[1])
    agents = system.workspace / "agents"
    agents.mkdir(parents=True)
    (agents / "reader.md").write_text(READER)
    system.agents.trust("reader")
    for name, text in (("built-in", BUILT_IN.replace("{{here}}", str(Path.cwd()))), ("broken", BROKEN)):
        (system.workspace / "scripts" / f"{name}.md").write_text(text)
    Path("settings.env").write_text(f"HOST=example.org\nOPENAI_API_KEY={KEY}\n")
    read = system.run("Read settings.env with Claude's own tools", agent="reader")
    assert read.ok, (read.reason, read.text, read.steps)
    assert read.text.count("[redacted: OpenAI key]") == 2 and read.text.count("example.org") == 2
    failed = system.run("Print settings.env and fail", agent="reader")
    assert failed.status == "denied" and "which no model may see" in failed.reason and failed.remedy
    sent = b"".join(asked)
    assert b"HOST=example.org" in sent and KEY.encode() not in sent and b"taken out of this result" in sent
    system.close()
    assert KEY not in written(system)


@pytest.mark.filterwarnings("ignore")  # a cell warns of what is in a file
def test_no_kind_of_key_is_left_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, secrets = Planting(tmp_path / "notes"), list(made(1))
    with place.system() as system:
        for number, way in enumerate(
            WAYS
        ):  # each secret comes in one way: python -m tests.bench secrets_sinks does it all
            place.bring(system, way, secrets[number :: len(WAYS)])
        value = "horse.Battery4-staple.wrong"
        monkeypatch.setenv("SERVICE_PASSWORD", value)
        place.bring(system, "a print", [("value of a variable", value, f"before {value} after")])
        place.exported(system, tmp_path / "exported")
    place.look()
    assert sum(count for ended, count in place.ended.items() if "success" in ended) >= len(WAYS) - 1, place.ended
    assert {"prompts", "files: memory/traces", "files: memory/sessions", "tables: steps_df", "events"} <= set(
        place.looked
    )
    assert not any(place.table().values()), {sink: dict(kinds) for sink, kinds in place.leaks.items() if kinds}
