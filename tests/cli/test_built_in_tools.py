"""Claude Code's own tools, by name in an agent's grant: guarded, recorded, and repeated by ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rig import Rig

from llmos_nb.kernel.events import ToolFinished
from llmos_nb.mind import Agent

SCRIPT = """---
goal: Read the note
---
## Turn 1

### Read

```yaml arguments
file_path: {folder}/note.txt
```

## Turn 2

### Bash

```bash
wc -l note.txt
```

## Turn 3

### Write

```yaml arguments
file_path: {folder}/copy.txt
content: read
```

## Answer

It begins with {{{{result 1|match: (\\w+)$}}}}.
"""
SECRET = """---
goal: Read a secret
---
## Turn 1

### Bash

```bash
cat ~/.ssh/id_rsa
```

## Answer

Done.
"""
READER = Agent("reader", tools=("Read", "Write", "Bash"), prompt="You read.")


async def test_built_in_tools_work_and_are_repeated_by_ours(make_rig: Callable[..., Rig], playground: Path) -> None:
    folder = playground.resolve() / "rig-0"  # the rig's own, where its tools work
    rig = make_rig(SCRIPT.format(folder=folder))
    (folder / "note.txt").write_text("alpha\nbeta\n")
    learned = await rig.run("Read the note", agent=READER, mode="auto")
    assert (learned.status, learned.mode) == ("success", "learner")
    assert [call.tool for call in rig.of(ToolFinished, learned.run_id)] == ["Read", "Bash", "Write"]
    assert (folder / "copy.txt").read_text() == "read"
    (folder / "copy.txt").unlink()

    replayed = await rig.run("Read the note", agent=READER, mode="auto")
    assert (replayed.status, replayed.mode) == ("success", "follower")
    assert [call.tool for call in rig.of(ToolFinished, replayed.run_id)] == ["read_file", "run_shell", "write_file"]
    assert (folder / "copy.txt").read_text() == "read"
    assert replayed.stale, "what a built-in tool did was never seen from inside, so its words are not vouched for"


async def test_built_in_tools_are_guarded_and_granted(make_rig: Callable[..., Rig], playground: Path) -> None:
    rig = make_rig(SECRET)
    refused = await rig.run("Read a secret", agent=READER)
    assert refused.status == "denied" and "credentials" in refused.reason
    only_read = await rig.run("Read a secret", agent=Agent("looker", tools=("Read",), prompt="You look."))
    assert (only_read.status, only_read.reason) == ("failed", "the script could not go on")
    assert "(granted: `Read`)" in only_read.text
