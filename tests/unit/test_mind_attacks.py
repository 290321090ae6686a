"""Names and files that somebody means harm with: each refused or accepted as it should be, quickly, and alone."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.errors import AgentFileError, UnknownAgent
from llmos_nb.mind import AgentRegistry

#: Seconds that one refusal may take; the bench measures the 50 ms that it should, a busy machine is slower.
LIMIT_S = 2.0

NAMES: list[Any] = [
    "", " ", ".", "..", "../x", "..\\x", "a/b", "/etc/passwd", "C:\\x", "~root", "-rf", "--help", "a b", "a\tb",
    "a\nb", "a\0b", "\0", "\x1b[31mred", "\x7f", "\u200badmin", "ad\u200dmin", "\u202egod", "\u2066x",
    "\ufeffx", "\u00adx", "\u0430dmin", "adm\u0456n", "p\u03bfet", "\uff50oet", "po\u0435t", "\U0001d4ea",
    "e\u0301a", "stra\u00dfe", "\u0131d", "\u212aelvin", "Poet", "POET", "poet.", "poet.md", "poet ", " poet",
    "con", "nul", "aux", "com1", "lpt9", "prn", "CON", "nul.md", "no", "yes", "true", "null", "on", "off", "~",
    "1", "1e3", "0x10", "2026-11-22", ".hidden", "__init__", "a_b", "a" * 65, "a" * 100_000, "*", "a*", "a?",
    "[a]", "{a}", "{{7*7}}", "${HOME}", "$(id)", "`id`", "a;b", "a|b", "a&b", "a>b", "<b>x</b>", "%2e%2e",
    "a%00b", "!!python/name:os.system", "&a", "*a", "'", '"', "\\", "\ud800", "\udfff", None, 1, 1.5, True,
    b"poet", ["poet"], {"a": 1}, ("poet",),
]  # fmt: skip


def timed(work: Any) -> BaseException | None:
    started = time.perf_counter()
    try:
        work()
    except (AgentFileError, UnknownAgent) as error:
        assert str(error).isprintable()
        return error
    finally:
        assert time.perf_counter() - started < LIMIT_S
    return None


@pytest.fixture
def registry(tmp_path: Path) -> AgentRegistry:
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "good.md").write_text("---\nname: good\ntools: [recall]\n---\nFine.\n", encoding="utf-8")
    return AgentRegistry(folder)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:30])
def test_a_bad_name_is_refused_wherever_it_is_given(name: Any, registry: AgentRegistry) -> None:
    before = sorted(os.listdir(registry.folder.parent)), sorted(os.listdir(registry.folder))
    for work in (
        lambda: registry.create(name, "d", [], "p"),
        lambda: registry.write(name, "p"),
        lambda: registry.modify(name, "prompt", "p"),
        lambda: registry.restore(name, 1),
        lambda: registry.get(name),
        lambda: registry.reload(name),
        lambda: registry.history(name),
        lambda: registry.diff(name, 1),
    ):
        assert timed(work) is not None
    assert (sorted(os.listdir(registry.folder.parent)), sorted(os.listdir(registry.folder))) == before


def front(more: str, body: str = "x") -> bytes:
    return f"---\nname: evil\n{more}\n---\n{body}\n".encode("utf-8", "surrogatepass")


BOMB = "\n".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
FILES = {
    "alias bomb": front("a: &a [x, x]\n" + BOMB),
    "merge bomb": front("a: &a {x: 1}\nb: {<<: [*a, *a]}"),
    "merge key": front("<<: {tools: [Bash]}"),
    "deep flow": front("x: " + "[" * 30_000),
    "deep mapping": front("x: " + "{a: " * 15_000),
    "deep block": front("\n".join(" " * n + "a:" for n in range(300))),
    "deep dashes": front("x:\n" + "- " * 20_000 + "1"),
    "many keys": front("\n".join(f"k{n}: 1" for n in range(8_000))),
    "many colons": front("x: " + "a:" * 20_000),
    "big int": front("version: " + "9" * 60_000),
    "big hex": front("x: 0x" + "f" * 60_000),
    "sexagesimal": front("x: 1" + ":59" * 15_000),
    "big exponent": front("version: 1e999999999"),
    "nan version": front("version: .nan"),
    "two names": front("name: other"),
    "two tools": front("tools: []\ntools: [Bash]"),
    "python tag": front("x: !!python/object/apply:os.system [id]"),
    "binary tag": front("x: !!binary aGk="),
    "local tag": front("x: !foo bar"),
    "anchor": front("x: &a 1"),
    "directive": b"%YAML 1.1\n---\nname: evil\n---\nx\n",
    "nul": front("x: a\0b"),
    "nul in the body": front("", "a\0b"),
    "escaped nul": front('x: "a\\0b"'),
    "escape": front("x: \x1b[2J"),
    "bell": front("description: a\x07b"),
    "c1 control": front("description: a\x85b\u2028c"),
    "lone surrogate": front("", "\ud800"),
    "utf-16": "---\nname: evil\n---\nx".encode("utf-16"),
    "utf-32": "---\nname: evil\n---\nx".encode("utf-32"),
    "utf-7": b"---\nname: evil\n---\n\xff\xfe+ADw-",
    "overlong": b"---\nname: evil\n---\n\xc0\xaf\xe0\x80\xaf",
    "latin-1": "---\nname: evil\n---\ncaf\u00e9".encode("latin-1"),
    "two boms": "\ufeff\ufeff---\nname: evil\n---\n".encode(),
    "cr only": b"---\rname: evil\r---\rx",
    "huge": b"---\nname: evil\n---\n" + b"x" * 70_000,
    "empty": b"",
    "blank": b"\n\n\n",
    "one fence": b"---\nname: evil\n",
    "no front matter": b"Just a prompt.",
    "a list": b"---\n- name\n- evil\n---\n",
    "a scalar": b"---\nevil\n---\n",
    "tools star": front('tools: "*"'),
    "tools list star": front("tools: ['*']"),
    "tools mapping": front("tools: {Bash: true}"),
    "tools null": front("tools: null"),
    "tools nested": front("tools: [[Bash]]"),
    "tools pattern": front("tools: ['Bash(rm -rf /)']"),
    "tools mcp all": front("tools: ['mcp__*']"),
    "typed name": b"---\nname: yes\n---\n",
    "number name": b"---\nname: 12\n---\n",
    "other name": b"---\nname: good\n---\n",
    "model option": front("model: --dangerously-skip-permissions"),
    "model list": front("model: [a]"),
    "misspelt tools": front("tool: [Bash]"),
    **{
        f"privileged {key}": front(f"{key}: x")
        for key in (
            "permissionMode", "permission_mode", "permission-mode", "PERMISSIONMODE", "Permission Mode",
            "\uff50ermissionMode", "hooks", "Hooks", "HOOKS", "mcpServers", "mcp_servers", "mcp-servers",
        )
    },
    **{
        f"privileged option {key}": front(f"options: {{{key}: x}}")
        for key in (
            "permission_mode", "permissionMode", "allowed_tools", "allowedTools", "Allowed-Tools", "hooks", "env", "cwd",
            "cli_path", "settings", "add_dirs", "extra_args", "mcp_servers", "can_use_tool", "plugins", "user", "sandbox",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_bad_file_is_refused_alone(data: bytes, registry: AgentRegistry) -> None:
    (registry.folder / "evil.md").write_bytes(data)
    caught = timed(lambda: registry.get("evil"))
    assert isinstance(caught, AgentFileError)
    assert caught.message.startswith(f"{registry.folder / 'evil.md'}:")
    assert caught.remedy
    assert "good" in [agent.name for agent in registry.list()]
    assert [error.message for error in registry.errors] == [caught.message]
    assert timed(lambda: registry.modify("evil", "prompt", "x")) is not None  # nothing is written over
    assert (registry.folder / "evil.md").read_bytes() == data


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf---\nname: evil\n---\nx\n",
        b"---\r\nname: evil\r\ntools: [recall]\r\n---\r\nx\r\n",
        b"---\nname: evil\ncolour: green\nnested: {a: [1, 2]}\n---\nx\n",
        b"---\nname: evil\n---\n",
        b"---\nname: evil\n...\n--- \ntools: [Bash]\n---\nx\n",  # the second fence ends it: the rest is prompt
        "---\nname: evil\ndescription: Schön, 漢字, 🙂\n---\nx\n".encode(),
        b"---\nname: evil\n---\n---\nname: other\n---\n",
    ],
)
def test_what_is_only_unusual_is_accepted(data: bytes, registry: AgentRegistry) -> None:
    (registry.folder / "evil.md").write_bytes(data)
    assert registry.get("evil").name == "evil"
    assert registry.errors == []


def test_what_is_no_file_is_refused_alone_and_does_not_hang(registry: AgentRegistry, tmp_path: Path) -> None:
    folder = registry.folder
    (folder / "folder.md").mkdir()
    os.mkfifo(folder / "pipe.md")
    (folder / "link.md").symlink_to(folder / "good.md")
    (folder / "dangling.md").symlink_to(tmp_path / "nowhere")
    (folder / "loop.md").symlink_to(folder / "loop.md")
    (folder / "device.md").symlink_to("/dev/zero")
    os.link(folder / "good.md", folder / "hard.md")
    with (folder / "sparse.md").open("wb") as file:
        file.truncate(2**30)
    assert timed(registry.list) is None
    assert "good" in [agent.name for agent in registry.list()]
    names = [error.message.rpartition(":1: ")[0].rpartition("/")[2] for error in registry.errors]
    assert names == sorted(
        f"{n}.md" for n in ("folder", "pipe", "link", "dangling", "loop", "device", "hard", "sparse")
    )


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agents").symlink_to("/etc")
    registry = AgentRegistry(tmp_path / "agents")
    assert [agent.name for agent in registry.list()]  # the packaged ones
    assert "symbolic link" in registry.errors[0].message
    with pytest.raises(AgentFileError, match="symbolic link"):
        registry.create("poet", "", [], "x")


def test_files_that_vanish_or_turn_into_links_at_any_moment_harm_nobody(registry: AgentRegistry) -> None:
    path, ending = registry.folder / "evil.md", threading.Event()

    def torment() -> None:
        while not ending.is_set():
            path.write_text("---\nname: evil\n---\nmine\n", encoding="utf-8")
            path.unlink()
            path.symlink_to("/etc/passwd")
            path.unlink()

    thread = threading.Thread(target=torment)
    thread.start()
    try:
        for _ in range(300):
            assert "good" in {agent.name for agent in registry.list()}
            try:
                assert registry.get("evil").prompt == "mine"
            except (AgentFileError, UnknownAgent) as error:
                assert "root:" not in str(error)
    finally:
        ending.set()
        thread.join()
