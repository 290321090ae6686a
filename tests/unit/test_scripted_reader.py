"""Script files: what is read, and that anything else is refused with its path and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.cortex.scripted import knows, load_scripts, parse_script
from llmos_nb.cortex.scripted.match import find_script
from llmos_nb.errors import ScriptFileError

GOOD = """\
---
goal:
  - Count {file:path}
  - How long is {file:path}?
description: Counts.
delta_delay_s: 0.01
---
# Notes

## Turn 1

I count {{file}}.

### run_cell

```python
print(len(open({{file|quoted}}).read()))
```

```yaml arguments
title: "Counting {{file}}"
deep: {list: [1, true, null, "{{file}}"]}
```

### read_file

```yaml arguments
path: "{{file}}"
```

## Turn 2

### edit_file

````python new_text
```
## Not a section
### not a tool
```
````

## On error

Sorry: {{error|last line}}

## Answer

It is {{result 1}}.
"""


def test_reads_everything() -> None:
    script = parse_script(GOOD, "scripts/count.md")
    assert (script.name, script.description, script.delta_delay_s) == ("count", "Counts.", 0.01)
    assert [template.text for template in script.templates] == ["Count {file:path}", "How long is {file:path}?"]
    assert [[call.tool for call in turn.calls] for turn in script.turns] == [["run_cell", "read_file"], ["edit_file"]]
    assert sorted(script.turns[0].calls[0].arguments) == ["code", "deep", "title"]
    new_text = script.turns[1].calls[0].arguments["new_text"]
    assert new_text.parts == ("```\n## Not a section\n### not a tool\n```",)  # type: ignore[union-attr]
    assert script.recovery(1, guided=False) is script.recovery(2, guided=False) is not None


def test_windows_line_ends_read_the_same() -> None:
    assert parse_script(GOOD.replace("\n", "\r\n"), "count.md") == parse_script(GOOD, "count.md")


def broken(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "must be ---"),
        ("---\ngoal: x\n", 1, "no closing ---"),
        (broken("description", "describe"), 5, "unknown key 'describe'"),
        (broken("goal:\n  - Count", "gaol:\n  - Count"), 2, "unknown key 'gaol'"),
        (broken("  - Count {file:path}\n", "  - Count {file:file}\n"), 3, "is no type"),
        (broken("  - How long is", "  - Count {file:path}\n  - How"), 4, "given twice"),
        (broken("How long is {file:path}?", "How long is {path:path}?"), 12, "not bound by the goal"),
        (broken("description: Counts.", "description: [a]"), 5, "must be text"),
        (broken("delta_delay_s: 0.01", "delta_delay_s: .inf"), 6, "must be 0 to 5"),
        (broken("delta_delay_s: 0.01", "description: again"), 6, "given twice"),
        (broken("description: Counts.", "description: &a [*a]"), 5, "aliases"),
        (broken("description: Counts.", "description: " + "[" * 500), 5, "nests deeper"),
        (broken("description: Counts.", "description: 2026-01-01"), 5, "put it in quotes"),
        (broken("description: Counts.", "description: 'a"), 6, "bad YAML"),
        (broken("## Turn 1", "## Turn 2"), 10, "out of order"),
        (broken("## Turn 2", "## Trun 2"), 31, "unknown section"),
        (broken("## On error", "## Answer"), 46, "given twice"),
        (broken("## Answer", "## On error"), 46, "given twice"),
        (GOOD.replace("## Answer\n\nIt is {{result 1}}.\n", ""), 46, "no '## Answer'"),
        (broken("It is {{result 1}}.", ""), 46, "is empty"),
        (broken("{{result 1}}", "{{result 4}}"), 48, "only 3 results"),
        (broken("{{result 1}}", "{{error}}"), 48, "is for '## On error'"),
        (broken("I count {{file}}.", "I got {{result}}."), 12, "only 0 results"),
        (broken("{{file|quoted}}", "{{file}}"), 17, "could break out"),
        (broken("### read_file", "### read file"), 25, "no tool's name"),
        (broken("### read_file", "### read_file\n\nwords"), 27, "only fenced blocks"),
        (broken("```yaml arguments\npath", "```yaml\npath"), 27, "no main argument"),
        (broken("```yaml arguments\npath", "```yaml a b\npath"), 27, "not 'yaml a b'"),
        (broken('path: "{{file}}"', "path: {{file}}"), 28, "a key must be text"),
        (broken('path: "{{file}}"', 'path: "{{file|x}}"'), 28, "unknown filter"),
        (broken("title:", "code:"), 23, "given twice"),
        (broken("### edit_file", "### edit_file\n\n```yaml arguments\nnew_text: a\n```"), 44, "given twice"),
        (broken("## On error", "## On error in turn 3"), 42, "no such turn"),
        (broken("## On error", "## Guided answer"), 44, "without '## Guided'"),
        (broken("## On error\n\nSorry: {{error|last line}}", "## On error\n"), 42, "the section is empty"),
        (broken("## On error", "```\n## On error"), 50, "not closed with ```"),
        (broken("## On error", "## Turn 3"), 42, "no tool call"),
        (broken("## On error\n", "## Answer after error\n"), 44, "that calls a tool"),
    ],
)
def test_refuses_with_path_and_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(ScriptFileError) as caught:
        parse_script(text, "folder/count.md")
    assert str(caught.value).startswith(f"folder/count.md:{line}: "), caught.value
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["Count.md", "count_it.md", "unknown-goal.md", "c.md"])
def test_refuses_bad_names(name: str) -> None:
    with pytest.raises(ScriptFileError, match="file's name"):
        parse_script(GOOD, name)


def test_guided_section_is_the_first_guided_turn() -> None:
    one = parse_script(
        GOOD.replace("## On error", "## Guided\n\n### run_cell\n\n```python\n1\n```\n\n## On error"), "count.md"
    )
    two = parse_script(
        GOOD.replace("## On error", "## Guided turn 1\n\n### run_cell\n\n```python\n1\n```\n\n## On error"),
        "count.md",
    )
    assert len(one.played(guided=True)) == 1
    assert one == two
    assert one.played(guided=False) == one.turns


def write(folder: Path, name: str, goal: str, answer: str = "ok") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"---\ngoal: '{goal}'\n---\n## Answer\n\n{answer}\n", encoding="utf-8")


def test_load_scripts_adds_folders_and_later_ones_win(tmp_path: Path) -> None:
    write(tmp_path / "one", "hello.md", "Hello")
    write(tmp_path / "two", "greeting.md", "hello!", "two")
    (tmp_path / "two" / "README.md").write_text("for readers")
    scripts = load_scripts(tmp_path / "one", tmp_path / "two", tmp_path / "missing")
    assert len([script for script in scripts if script.name == "hello"]) == 1
    bound = find_script("Hello", scripts)
    assert bound is not None
    assert bound.script.name == "greeting"
    assert knows("Add 2 and 3", scripts)


def test_two_files_of_a_folder_cannot_claim_one_goal(tmp_path: Path) -> None:
    write(tmp_path / "one", "aa.md", "Do {x:word}")
    write(tmp_path / "one", "bb.md", "do {y:word}.")
    with pytest.raises(ScriptFileError, match=r"bb\.md:2: .*already claimed by aa\.md"):
        load_scripts(tmp_path / "one")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "aa.md").write_bytes(b"---\n\xff\n")
    with pytest.raises(ScriptFileError, match=r"aa\.md:2: not UTF-8"):
        load_scripts(tmp_path)


def test_the_more_literal_script_wins(tmp_path: Path) -> None:
    write(tmp_path, "aa.md", "Count the {what:text}")
    write(tmp_path, "bb.md", "Count the red {what:word}")
    write(tmp_path, "cc.md", "Count {what:text}")
    scripts = load_scripts(tmp_path)
    names = [
        find_script(goal, scripts) for goal in ("count the red apples", "count the green apples", "count apples")
    ]
    assert [bound.script.name for bound in names if bound] == ["bb", "aa", "cc"]
    assert not knows("count", scripts)
