"""A trace as Markdown, and back: what :func:`dump` writes :func:`parse` reads, to the byte.

The front matter holds the facts, each step is a heading and fenced blocks (the main text in its own language, other
arguments, what to expect, what was shown), and the answer is the rest of the file. Files are meant to be read and
edited by people: prose between the blocks is ignored, anything unclear is refused with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, Final

from llmos_nb.errors import TraceFileError
from llmos_nb.kernel.fenced import fenced
from llmos_nb.memory.blocks import Block, is_plain, json_block, read_block, text_block, text_of
from llmos_nb.memory.fields import EXPECT, FRONT, as_written, from_written
from llmos_nb.memory.flow import FlowError, dump_mapping, load_mapping
from llmos_nb.memory.trace import STATUSES, Expectation, Step, Trace

__all__ = ["SCHEMA", "dump", "parse"]

#: Version of the format. A file with a higher one is refused, not guessed at.
SCHEMA: Final = 1

#: The argument that is a tool's main text, and the language it is shown in.
_MAIN: Final = {
    "run_cell": ("code", "python"),
    "run_shell": ("command", "bash"),
    "Bash": ("command", "bash"),
    "run_sql": ("query", "sql"),
    "write_file": ("content", ""),
    "Write": ("content", ""),
}
_LANGUAGES: Final = {
    ".py": "python", ".sh": "bash", ".sql": "sql", ".md": "markdown", ".json": "json", ".yaml": "yaml",
    ".yml": "yaml", ".toml": "toml", ".html": "html", ".css": "css", ".js": "javascript", ".ts": "typescript",
    ".csv": "csv", ".r": "r", ".xml": "xml", ".ini": "ini", ".tex": "latex",
}  # fmt: skip
_TOOL: Final = re.compile(r"[\w.:/@-]{1,128}")
_STEP: Final = re.compile(r"## Step (?P<number>[0-9]{1,6}): (?P<tool>\S+)\s*")
_ROLES: Final = ("arguments", "expect", "output")
_JSON_ANSWER: Final = re.compile(r"`{3,}json answer")
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def dump(trace: Trace) -> str:
    """The text of the trace's file.

    Raises:
        TraceFileError: the trace holds what a file cannot (a value that JSON has no form for, half a character in
            two pieces, an unknown status).
    """
    where = trace.id or "new trace"
    if trace.status not in STATUSES:
        raise _refused(where, f"status is {trace.status!r}", f"It must be one of {', '.join(STATUSES)}.")
    clash = sorted({"schema", "steps", "answer", "extra", *FRONT} & set(trace.extra))
    if clash:
        raise _refused(where, f"extra front matter uses the known name {clash[0]!r}", "Choose another name.")
    try:
        front = dump_mapping({"schema": SCHEMA, **as_written(trace, FRONT), **trace.extra})
        parts = [f"---\n{front}\n---\n# {_title(trace)}"]
        for number, step in enumerate(trace.steps, 1):
            parts += _dump_step(number, step)
        if trace.answer:
            parts.append(f"## Answer\n\n{_dump_answer(trace.answer)}")
    except FlowError as error:
        raise _refused(where, str(error), "Keep only what JSON can hold.") from error
    return "\n\n".join(parts) + "\n"


def _refused(where: str, what: str, remedy: str) -> TraceFileError:
    return TraceFileError(f"{where}: cannot be written: {what}.", remedy=remedy)


def _title(trace: Trace) -> str:
    return " ".join(_UNSEEN.sub(" ", trace.goal).split()) or "(no words)"


def _dump_step(number: int, step: Step) -> Iterator[str]:
    if not _TOOL.fullmatch(step.tool):
        raise FlowError(f"step {number}: a tool cannot be named {step.tool!r}")
    arguments = dict(step.arguments)
    yield f"## Step {number}: {step.tool}"
    try:
        name, language = _MAIN.get(step.tool, ("", ""))
        main = arguments.get(name)
        if name and isinstance(main, str) and is_plain(main):
            del arguments[name]
            yield fenced(language or _language(arguments), main)
        if arguments:
            yield fenced("yaml arguments", dump_mapping(arguments))
        written = {"status": step.expect.status, **as_written(step.expect, EXPECT)}
        if step.duration_s is not None:
            written["duration_s"] = step.duration_s
        if step.agent:
            written["agent"] = step.agent
        yield fenced("yaml expect", dump_mapping(written))
        if step.output:
            yield text_block("output", step.output)
    except FlowError as error:
        raise FlowError(f"step {number}: {error}") from error


def _language(arguments: Mapping[str, Any]) -> str:
    path = arguments.get("path", arguments.get("file_path"))
    return _LANGUAGES.get(PurePath(path).suffix.lower(), "text") if isinstance(path, str) else "text"


def _dump_answer(answer: str) -> str:
    plain = is_plain(answer) and not _JSON_ANSWER.match(answer)
    return answer if plain else json_block("answer", answer)


class _Reader:
    """One file being read; knows where it is, so that every complaint names its line."""

    def __init__(self, text: str, path: Path | str) -> None:
        self.path = path
        # A carriage return is never written as it is, so these are an editor's, or git's.
        self.lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")

    def refuse(self, line: int, what: str, remedy: str) -> TraceFileError:
        return TraceFileError(f"{self.path}:{line + 1}: {what}.", remedy=remedy)

    def mapping(self, text: str, first: int) -> dict[str, Any]:
        try:
            return load_mapping(text)
        except FlowError as error:
            raise self.refuse(first + error.line, str(error), "Correct the line, or restore the file.") from error

    def fields(self, values: Mapping[str, Any], fields: Mapping[str, Any], first: int) -> dict[str, Any]:
        try:
            return from_written(values, fields)
        except FlowError as error:
            raise self.refuse(first, str(error), "Correct it; texts that look like numbers need quotes.") from error

    def front(self) -> tuple[dict[str, Any], int]:
        """The front matter and the number of the first line after it."""
        if self.lines[0].rstrip() != "---":
            raise self.refuse(0, "a trace starts with a line '---'", "Put its front matter between two such lines.")
        for end in range(1, len(self.lines)):
            if self.lines[end].rstrip() == "---":
                return self.mapping("\n".join(self.lines[1:end]), 1), end + 1
        raise self.refuse(0, "the front matter never ends", "Close it with a line '---'.")

    def body(self, start: int) -> tuple[list[Step], str]:
        """The steps and the answer."""
        steps: list[Step] = []
        heading: tuple[int, str] | None = None
        blocks: list[Block] = []
        number = previous = 0
        at = start
        while at < len(self.lines):
            line = self.lines[at]
            if line.startswith("## "):
                if heading is not None:
                    steps.append(self.step(*heading, blocks))
                heading, blocks = None, []
                if line.rstrip() == "## Answer":
                    return steps, self.answer(at + 1)
                match = _STEP.fullmatch(line)
                if match is not None:
                    number = int(match["number"])
                    if number <= previous:
                        raise self.refuse(at, f"step {number} after step {previous}", "Number the steps in order.")
                    heading, previous = (at, match["tool"]), number
                elif line.startswith("## Step"):
                    raise self.refuse(at, f"not a step's heading: {line!r}", "Write it as '## Step 2: run_cell'.")
            elif line[:1] in (" ", "`", "~"):
                try:
                    block = read_block(self.lines, at)
                except FlowError as error:
                    raise self.refuse(error.line, str(error), "Close it with the same fence.") from error
                if block is not None:
                    blocks.append(block)
                    at = block.last
            at += 1
        if heading is not None:
            steps.append(self.step(*heading, blocks))
        return steps, ""

    def answer(self, start: int) -> str:
        """The rest of the file, less the empty line before and the line's end after it."""
        rest = self.lines[start:]
        if rest and not rest[0].strip():
            rest, start = rest[1:], start + 1
        if rest and _JSON_ANSWER.match(rest[0]):
            try:
                block = read_block(rest, 0)
                return text_of(block) if block is not None else ""
            except FlowError as error:
                raise self.refuse(start + error.line, str(error), "Write it as plain text.") from error
        return "\n".join(rest).removesuffix("\n")

    def step(self, heading: int, tool: str, blocks: list[Block]) -> Step:
        """The step that the blocks under one heading say."""
        found: dict[str, Block] = {}
        for block in blocks:
            role = block.info[1] if len(block.info) > 1 and block.info[1] in _ROLES else "main"
            if role in found:
                raise self.refuse(block.first, f"a second {role} block in this step", "Keep one of them.")
            found[role] = block
        arguments: dict[str, Any] = {}
        if "main" in found:
            name = _MAIN[tool][0] if tool in _MAIN else ""
            if not name:
                raise self.refuse(
                    found["main"].first,
                    f"{tool} has no main text",
                    "Write its arguments in a block that starts with ```yaml arguments.",
                )
            arguments[name] = found["main"].body
        if "arguments" in found:
            block = found["arguments"]
            for key, value in self.mapping(block.body, block.first + 1).items():
                if key in arguments:
                    raise self.refuse(block.first, f"{key} is there twice in this step", "Keep one of them.")
                arguments[key] = value
        duration_s, agent, expect = None, "", Expectation()
        if "expect" in found:
            block = found["expect"]
            values = self.mapping(block.body, block.first + 1)
            duration_s, agent = values.pop("duration_s", None), values.pop("agent", "")
            for name in sorted(values.keys() - EXPECT.keys()):
                raise self.refuse(
                    block.first, f"unknown key {name!r}", f"Known: duration_s, agent, {', '.join(EXPECT)}."
                )
            expect = Expectation(**self.fields(values, EXPECT, block.first))
            if duration_s is not None and (isinstance(duration_s, bool) or not isinstance(duration_s, int | float)):
                raise self.refuse(block.first, f"duration_s must be a number, got {duration_s!r}", "Correct it.")
            if not isinstance(agent, str):
                raise self.refuse(block.first, f"agent must be a name, got {agent!r}", "Correct it.")
        output = ""
        if "output" in found:
            try:
                output = text_of(found["output"])
            except FlowError as error:
                line = found["output"].first + error.line
                raise self.refuse(line, str(error), "Write the output in a ```text output block instead.") from error
        return Step(tool, arguments, expect, output, duration_s, agent)


def parse(text: str, path: Path | str = "trace.md") -> Trace:
    """The trace that a file's text says; ``path`` is for messages alone.

    Raises:
        TraceFileError: the text is not a trace; the message starts with ``path:line``.
    """
    reader = _Reader(text, path)
    front, start = reader.front()
    schema = front.pop("schema", SCHEMA)
    if isinstance(schema, bool) or not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise reader.refuse(
            0, f"its schema is {schema!r}, this version reads 1 to {SCHEMA}", "Update llmos-nb to read this file."
        )
    known = reader.fields({name: value for name, value in front.items() if name in FRONT}, FRONT, 0)
    extra = {name: value for name, value in front.items() if name not in FRONT}
    if "goal" not in known:
        raise reader.refuse(0, "no goal", "Add a line 'goal: ...' to the front matter.")
    for name in ("steps", "answer", "extra"):
        if name in extra:
            raise reader.refuse(0, f"{name!r} is not for the front matter", "Write it in the text below.")
    steps, answer = reader.body(start)
    return Trace(steps=steps, answer=answer, extra=extra, **known)
