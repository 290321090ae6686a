"""From a script file's text to a :class:`Script`, or to an error that says where and why not."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Final

from llmos_nb.cortex.scripted.check import check_script
from llmos_nb.cortex.scripted.header import load_mapping
from llmos_nb.cortex.scripted.passage import Passage
from llmos_nb.cortex.scripted.problem import ScriptProblem
from llmos_nb.cortex.scripted.script import MAIN_ARGUMENTS, Argument, Call, Script, Turn
from llmos_nb.cortex.scripted.template import Template
from llmos_nb.errors import ScriptFileError
from llmos_nb.tools.registry import KERNEL_TOOLS, TOOLS

__all__ = ["parse_script"]

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,63}")
_RESERVED_NAMES: Final = frozenset({"unknown-goal"})
_DELAYS: Final = ("delta_delay_s", "delay_s")
_KEYS: Final = frozenset({"goal", "description", "agent", "instructed", *_DELAYS})
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)")
_DELAY_LIMIT_S: Final = 5.0
_TURN: Final = re.compile(r"turn (\d{1,2})")
_GUIDED: Final = re.compile(r"guided(?: turn (\d{1,2}))?")
_ON_ERROR: Final = re.compile(r"on error(?: in (guided )?turn (\d{1,2}))?")
_TOOL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")

#: A line of the file and its number.
_Lines = list[tuple[int, str]]


def parse_script(text: str, path: str | Path) -> Script:
    """Read the script ``text``; ``path`` gives its name (the file's stem) and stands in error messages.

    Raises:
        ScriptFileError: the text is no script; the message starts with ``path:line``.
    """
    try:
        return _parse(text.replace("\r\n", "\n"), Path(path))
    except ScriptProblem as problem:
        raise ScriptFileError(
            f"{path}:{max(problem.line, 1)}: {problem.reason}.",
            remedy="Correct the script, or move it out of the folder.",
        ) from problem


def _parse(text: str, path: Path) -> Script:
    if not _NAME.fullmatch(path.stem) or path.stem in _RESERVED_NAMES:
        raise ScriptProblem(
            "the file's name must be a-z, 0-9 and '-', starting with a letter, and not unknown-goal", 1
        )
    lines = list(enumerate(text.split("\n"), start=1))
    if not lines or lines[0][1].rstrip() != "---":
        raise ScriptProblem("the first line must be --- and start the front matter", 1)
    end = next((number for number, line in lines[1:] if line.rstrip() == "---"), None)
    if end is None:
        raise ScriptProblem("the front matter has no closing ---", 1)
    header = load_mapping("\n".join(line for _, line in lines[1 : end - 1]), 2)
    fields = _header_fields(header, lines[1 : end - 1])
    sections = _sections(lines[end:])
    script = Script(name=path.stem, path=str(path), **fields, **_body(sections, len(lines)))
    check_script(script)
    return script


def _header_fields(header: dict[str, Any], lines: _Lines) -> dict[str, Any]:
    def line_of(text: str, lines: _Lines = lines) -> int:
        return next((number for number, line in lines if text in line), 2)

    for key in header:
        if key not in _KEYS:
            raise ScriptProblem(f"unknown key {key!r}; there are {', '.join(sorted(_KEYS))}", line_of(f"{key}:"))
    goals = header.get("goal")
    goals = [goals] if isinstance(goals, str) else goals
    if not isinstance(goals, list) or not goals or not all(isinstance(goal, str) and goal.strip() for goal in goals):
        raise ScriptProblem("goal must be a template or a list of templates", line_of("goal"))
    templates = []
    for goal in goals:
        try:
            templates.append(Template.parse(goal))
        except ScriptProblem as problem:
            raise ScriptProblem(problem.reason, line_of(goal)) from problem
        if templates[-1].key in [template.key for template in templates[:-1]]:
            raise ScriptProblem(f"goal {goal!r} is given twice", line_of(goal, lines[::-1]))
    description = header.get("description", "")
    if not isinstance(description, str):
        raise ScriptProblem(f"description must be text, got {description!r}", line_of("description"))
    for key in _DELAYS:
        delay = header.get(key)
        if delay is not None and not (
            isinstance(delay, int | float)
            and not isinstance(delay, bool)
            and math.isfinite(delay)
            and 0 <= delay <= _DELAY_LIMIT_S
        ):
            raise ScriptProblem(f"{key} must be 0 to {_DELAY_LIMIT_S:g} seconds, got {delay!r}", line_of(f"{key}:"))
    agent, instructed = header.get("agent", ""), header.get("instructed", "")
    if not isinstance(agent, str) or (agent and not _NAME.fullmatch(agent)):
        raise ScriptProblem(f"agent must be an agent's name, got {agent!r}", line_of("agent:"))
    if not isinstance(instructed, str) or ("instructed" in header and not instructed.strip()):
        raise ScriptProblem(f"instructed must be words, got {instructed!r}", line_of("instructed:"))
    delays = {key: header.get(key) for key in _DELAYS}
    return {
        "templates": tuple(templates),
        "description": description,
        "agent": agent,
        "instructed": instructed,
        **delays,
    }


def _sections(lines: _Lines) -> list[tuple[str, int, _Lines]]:
    """The ``##`` sections: heading in lower case, its line number, and the lines under it."""
    sections: list[tuple[str, int, _Lines]] = []
    fence = ""
    for number, line in lines:
        fence = _fence_after(line, fence)
        if not fence and (line.startswith("## ") or line.rstrip() == "##"):
            sections.append((" ".join(line[2:].split()).lower(), number, []))
        elif sections:
            sections[-1][2].append((number, line))
    if fence:
        raise ScriptProblem(f"a fenced block is not closed with {fence}", lines[-1][0])
    return sections


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after ``line``, when ``fence`` (or none) was open before it."""
    found = _FENCE.fullmatch(line.rstrip())
    if not fence:
        return found[1] if found else ""
    closes = found is not None and not found[2] and found[1][0] == fence[0] and len(found[1]) >= len(fence)
    return "" if closes else fence


def _body(sections: list[tuple[str, int, _Lines]], last_line: int) -> dict[str, Any]:
    turns: list[Turn] = []
    guided: list[Turn] = []
    recoveries: dict[int, Turn] = {}
    texts: dict[str, Passage] = {}
    for heading, line, lines in sections:
        if found := _TURN.fullmatch(heading):
            _append(turns, _turn(lines, line), int(found[1]), heading)
        elif found := _GUIDED.fullmatch(heading):
            _append(guided, _turn(lines, line), int(found[1] or 1), heading)
        elif found := _ON_ERROR.fullmatch(heading):
            key = int(found[2] or 0) * (-1 if found[1] else 1)
            if key in recoveries:
                raise ScriptProblem(f"'## {heading}' is given twice", line)
            recoveries[key] = _turn(lines, line)
        elif heading in ("answer", "guided answer", "answer after error"):
            if heading in texts:
                raise ScriptProblem(f"'## {heading}' is given twice", line)
            texts[heading] = _text(lines)
            if not texts[heading].parts:
                raise ScriptProblem(f"'## {heading}' is empty", line)
        else:
            raise ScriptProblem(f"unknown section '## {heading}'", line)
    if "answer" not in texts:
        raise ScriptProblem("there is no '## Answer'", last_line)
    return {
        "turns": tuple(turns),
        "guided": tuple(guided),
        "recoveries": recoveries,
        "answer": texts["answer"],
        "guided_answer": texts.get("guided answer"),
        "answer_after_error": texts.get("answer after error"),
    }


def _append(turns: list[Turn], turn: Turn, number: int, heading: str) -> None:
    if number != len(turns) + 1:
        raise ScriptProblem(f"'## {heading}' is out of order: number {len(turns) + 1} comes here", turn.line)
    if not turn.calls:
        raise ScriptProblem(f"'## {heading}' has no tool call; closing text belongs under '## Answer'", turn.line)
    turns.append(turn)


def _text(lines: _Lines) -> Passage:
    """The lines without blank ones around them."""
    while lines and not lines[0][1].strip():
        lines = lines[1:]
    while lines and not lines[-1][1].strip():
        lines = lines[:-1]
    return Passage.parse("\n".join(line for _, line in lines), lines[0][0]) if lines else Passage(())


def _turn(lines: _Lines, line: int) -> Turn:
    narration: _Lines = []
    calls: list[tuple[str, int, _Lines]] = []
    fence = ""
    for number, text in lines:
        fence = _fence_after(text, fence)
        if not fence and text.startswith("### "):
            calls.append((text[4:].strip().strip("`"), number, []))
        else:
            (calls[-1][2] if calls else narration).append((number, text))
    turn = Turn(_text(narration), tuple(_call(*call) for call in calls), line)
    if not turn.narration.parts and not turn.calls:
        raise ScriptProblem("the section is empty", line)
    return turn


def _call(tool: str, line: int, lines: _Lines) -> Call:
    if not _TOOL.fullmatch(tool):
        raise ScriptProblem(f"{tool!r} is no tool's name", line)
    arguments: dict[str, Argument] = {}
    block: _Lines | None = None
    fence = info = ""
    for number, text in lines:
        before, fence = fence, _fence_after(text, fence)
        if fence and not before:
            found = _FENCE.fullmatch(text.rstrip())
            info, block = (found[2].strip() if found else ""), []
        elif before and not fence:
            for name, value in _block(tool, info, block or [], number).items():
                if name in arguments:
                    raise ScriptProblem(f"argument {name!r} of {tool} is given twice", number)
                arguments[name] = value
            block = None
        elif block is not None:
            block.append((number, text))
        elif text.strip():
            raise ScriptProblem(
                f"only fenced blocks may stand under '### {tool}'; narration comes before the calls", number
            )
    return Call(tool, arguments, line)


def _block(tool: str, info: str, lines: _Lines, end: int) -> dict[str, Argument]:
    start = lines[0][0] if lines else end
    text = "\n".join(line for _, line in lines)
    words = info.split()
    if words == ["yaml", "arguments"]:
        return {name: _argument(value, start, lines) for name, value in load_mapping(text, start).items()}
    if len(words) > 2:
        raise ScriptProblem(
            f"a block is marked with a language and at most an argument's name, not {info!r}", start - 1
        )
    name = words[1] if len(words) == 2 else _main_argument(tool)
    if not name:
        raise ScriptProblem(
            f"{tool} has no main argument; say which after the language, or use ```yaml arguments", start - 1
        )
    return {name: Passage.parse(text, start)}


def _main_argument(tool: str) -> str:
    """The argument that a block without a name gives; a pack's tool says so itself."""
    return MAIN_ARGUMENTS.get(tool) or (TOOLS[tool].main if tool not in KERNEL_TOOLS and tool in TOOLS else "")


def _argument(value: Any, line: int, lines: _Lines) -> Argument:
    if isinstance(value, str):
        first = value.split("\n")[0]
        return Passage.parse(value, next((number for number, text in lines if first in text), line))
    if isinstance(value, list):
        return [_argument(item, line, lines) for item in value]
    if isinstance(value, dict):
        return {str(key): _argument(item, line, lines) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ScriptProblem(f"{value} is no number that JSON has", line)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ScriptProblem(f"{value!r} is nothing that JSON has", line)
