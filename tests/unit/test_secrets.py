"""Secrets are known by form, name and place, and leave nothing else changed; nothing that is recorded or told has one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.errors import FactError
from llmos_nb.kernel.events import Event, Notice, ToolFinished, ToolStarted
from llmos_nb.kernel.secrets import is_secret_name, redacted, redacted_data, secret_values
from llmos_nb.learning.record import recorded_steps
from llmos_nb.memory.facts.fact import checked_text
from llmos_nb.memory.session import TEXT_LIMIT, SessionLog
from llmos_nb.projects.variables import keep_variables
from llmos_nb.tools.cell import describe
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.workbench import Call, Workbench

sys.path.insert(0, str(Path(__file__).parents[1]))
from sets.secret_kinds import KINDS, made

#: Made up, in the forms that providers use.
KEYS = {
    "Anthropic key": "sk-ant-api03-" + "aB3-x" * 12,
    "OpenAI key": "sk-proj-" + "aB3x" * 12,
    "AWS key": "AKIAQ3EGRSX7EXAMPLE1",
    "GitHub token": "ghp_" + "a1B2" * 9,
    "GitLab token": "glpat-" + "a1B2c3" * 4,
    "Google key": "AIza" + "Sy1-_" * 7,
    "Hugging Face token": "hf_" + "aBc" * 11,
    "Slack token": "xoxb-123456-abcdef",
    "Stripe key": "sk_live_" + "a1B2" * 6,
    "npm token": "npm_" + "a1B2" * 9,
    "PyPI token": "pypi-" + "AgEIc" * 15,
    "SendGrid key": f"SG.{'a' * 22}.{'b' * 43}",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
}
KEY = KEYS["OpenAI key"]


@pytest.mark.parametrize("what", KEYS)
def test_keys_are_known_by_their_form(what: str) -> None:
    assert redacted(KEYS[what]) == f"[redacted: {what}]"
    assert KEYS[what] not in redacted(f'client = make("{KEYS[what]}")\nprint(client)')


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("password = 'hunter2'", "password = '[redacted: password]'"),
        ('{"token": "abc123def456"}', '{"token": "[redacted: token]"}'),
        ('headers={"x-api-key": "9f8e7d6c5b4a"}', 'headers={"x-api-key": "[redacted: x-api-key]"}'),
        ("DB_PASSWORD=abc12345x\nHOST=a", "DB_PASSWORD=[redacted: DB_PASSWORD]\nHOST=a"),
        ("postgres://me:s3cr3t@host/db", "postgres://me:[redacted: password]@host/db"),
        ("-H 'Authorization: Bearer abcdefghij0123456789x'", "-H 'Authorization: Bearer [redacted: bearer token]'"),
        ("os.environ['API_KEY'] = 'qwe123rty456'", "os.environ['API_KEY'] = '[redacted: API_KEY]'"),
    ],
)  # fmt: skip
def test_values_are_known_by_the_name_beside_them(text: str, clean: str) -> None:
    assert redacted(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "token = 'the'", "tokens = 'a b c'", "max_tokens=1000", "key = 'species'", "df.sort_values(key='island')",
        "password = os.environ['PASSWORD']", "password = getpass()", "password = 'changeme'", "api_key='YOUR_API_KEY'",
        "primary_key = 'order_id_123'", "sort_key='col_2024_01'", "key = 'a1b2c3d4e5'", "eos_token = '</s>'",
        "secret = 'The secret of good plots'", "https://user@host/x", "http://localhost:8888/lab?x=1",
        "sk-learn-is-a-nice-library-for-machine-learning-2024", "postgresql://user:{password}@host/db", "SECRET = ''",
        "the token 1234abcd5678 was read", "monkey='a1b2c3d4e5f6'", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==",
        "aws s3 ls", "risk-adjusted-return-of-the-portfolio-2024-01-01", "task_id: 3f2a9c", "Keys: 'a', 'b'",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) is text


@given(st.binary(max_size=300))
def test_hashes_ids_and_pictures_stay(data: bytes) -> None:
    for text in (
        hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest(), str(uuid.uuid5(uuid.NAMESPACE_DNS, data.hex())),
        base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode(), data.hex(),
    ):  # fmt: skip
        assert redacted(text) == text


@given(st.text(max_size=200), st.sampled_from(sorted(KEYS)))
def test_a_key_never_comes_through_and_once_is_enough(text: str, what: str) -> None:
    clean = redacted(f"{text} {KEYS[what]} {text}")
    assert KEYS[what] not in clean and redacted(clean) == clean


def test_the_code_of_this_package_and_its_notebooks_holds_none() -> None:
    root = Path(__file__).parents[2]
    for path in [*root.glob("notebooks/*.ipynb"), *(root / "llmos_nb").rglob("*.py"), *root.glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        assert redacted(text) is text, path


@pytest.mark.parametrize(
    "name", ["API_KEY", "apiKey", "password", "dbPassword", "token", "HF_TOKEN", "aws_secret_access_key"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "tokenizer",
        "token_ids",
        "n_tokens",
        "primary_key",
        "key",
        "author",
        "eos_token",
        "keyboard",
        "password_length",
        "monkey",
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


def test_values_of_the_environment_and_of_variables_are_known_wherever_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert redacted("say zq83hdk2Xp0q") == "say zq83hdk2Xp0q"
    monkeypatch.setenv("WEATHER_API_KEY", "zq83hdk2Xp0q")
    assert redacted("say zq83hdk2Xp0q") == "say [redacted: value of $WEATHER_API_KEY]"
    monkeypatch.setenv("DB_PASSWORD", "postgres")
    assert redacted("postgres is a database") == "postgres is a database", "a word is none"
    monkeypatch.delenv("WEATHER_API_KEY")
    assert redacted("say zq83hdk2Xp0q") == "say zq83hdk2Xp0q"
    known = secret_values({"api_key": "Zebra-77-quilt", "n": 3, "password": b"x", "token": "the"})
    assert known == {"Zebra-77-quilt": "value of api_key"}
    assert redacted("<Zebra-77-quilt>", known) == "<[redacted: value of api_key]>"


def test_a_known_value_is_known_however_it_is_written() -> None:
    value = "Zebra-77/quilt+9"
    known = {value: "value of api_key"}
    for before in ("", "a", "ab", "user:"):
        for after in ("", "x", "@host"):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                coded = encode(f"{before}{value}{after}".encode()).decode()
                assert redacted(coded, known) != coded
    for spelled in (value.encode().hex(), quote(value, safe=""), value[::-1], repr(value), json.dumps([value]),
                    " ".join(value),
                    f"{value[:7]}' + '{value[7:]}"):  # fmt: skip
        assert "[redacted: value of api_key]" in redacted(f"x {spelled} y", known)


def test_kinds_of_secrets_are_found() -> None:
    missed = {kind for kind, value, text in made(2) if value in redacted(text)}
    assert missed <= {"discord"} and len(KINDS) > 40


def test_data_is_looked_through_and_pictures_are_left() -> None:
    data = {"a": [1, {"password": "bluehorse"}], "image/png": KEY, "text/plain": "x"}
    clean = redacted_data(data)
    assert clean == {"a": [1, {"password": "[redacted: by its name]"}], "image/png": KEY, "text/plain": "x"}
    same = {"a": [1, 2], "b": ("x", None)}
    assert redacted_data(same) is same


# -- at the borders


class Desk:
    def __init__(self, folder: Path) -> None:
        self.cwd, self.events, self.namespace = folder, list[Event](), PlainNamespace()

    def call(self, tool: str, **arguments: Any) -> Call:
        async def work() -> Call:
            bench = Workbench(
                "run-1", namespace=self.namespace, workspace=self.cwd / "workspace", cwd=self.cwd,
                grant=("run_cell", "inspect", "read_file", "write_file", "run_shell"), publish=self.events.append,
            )  # fmt: skip
            return await bench.call(tool, arguments)

        return asyncio.run(work())

    @property
    def told(self) -> str:
        return "\n".join(repr(event) for event in self.events)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


def test_a_result_that_shows_a_key_does_not(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.namespace.names["api_key"] = "Zebra-77-quilt"
    done = desk.call("run_cell", code=f"half = {KEY[:9]!r}\nprint(half + {KEY[9:]!r})\nprint(api_key)\napi_key")
    assert done.result is not None and done.result.withheld and not done.withheld
    shown = f"{done.result.text}{done.result.outputs}{desk.told}{capsys.readouterr().out}"
    assert KEY not in shown and "Zebra-77-quilt" not in shown and "[redacted: OpenAI key]" in shown
    assert desk.namespace.names["half"] + KEY[9:] == KEY, "the user's own values are what they are"


def test_an_error_that_quotes_a_key_does_not(desk: Desk) -> None:
    done = desk.call("run_cell", code=f"raise ValueError({KEY[:9]!r} + {KEY[9:]!r})")
    assert done.result is not None and done.result.error == "ValueError" and KEY not in done.result.text


def test_code_with_a_key_in_it_runs_and_is_not_recorded(desk: Desk) -> None:
    done = desk.call("run_cell", code=f"key_used = len('{KEY}')")
    assert done.status == "ok" and desk.namespace.names["key_used"] == len(KEY)
    assert done.withheld and done.arguments == {"code": "key_used = len('[redacted: OpenAI key]')"}
    steps = recorded_steps([done, desk.call("run_cell", code="x = 1")])
    assert KEY not in repr(steps) + desk.told and not any(step.expect.replay for step in steps)


def test_files_and_commands_are_told_without_keys(desk: Desk) -> None:
    Path(".secrets").write_text(f"OPENAI_API_KEY={KEY}\n")
    read = desk.call("read_file", path=".secrets")
    told = desk.call("run_shell", command="cat .secrets")
    wrote = desk.call("write_file", path="copy.txt", content=f"{KEY}\n")
    assert Path("copy.txt").read_text() == f"{KEY}\n" and wrote.withheld
    assert KEY not in desk.told + repr((read, told, wrote))
    steps = [type(event) for event in desk.events if isinstance(event, ToolStarted | ToolFinished)]
    assert steps == [ToolStarted, ToolFinished] * 3


def test_variables_that_are_secrets_are_described_as_such(desk: Desk) -> None:
    desk.namespace.names.update(api_key=7, n=8)
    told = desk.call("inspect").result
    assert told is not None and told.text == "api_key: int, withheld (its name is that of a secret)\nn: int = 8"
    assert describe("password", "x") == "password: str, withheld (its name is that of a secret)"


def test_logs_facts_and_projects_hold_none(tmp_path: Path) -> None:
    log = SessionLog(tmp_path, "s1")
    log(Notice(run_id="r", text=f"{'x' * (TEXT_LIMIT - 10)} {KEY} {'x' * 100}"))
    log(ToolStarted(run_id="r", step=1, tool="t", arguments={"a": {"b": [KEY]}}))
    written = log.path.read_text()
    assert KEY[:20] not in written and len(written.splitlines()) == 2
    with pytest.raises(FactError, match="looks like a key"):
        checked_text(f"the key is {KEY}")
    keep_variables(tmp_path / "v.json", {"a": [KEY], "b": 1}, ["a", "b"])
    kept = json.loads((tmp_path / "v.json").read_text())["variables"]
    assert kept["a"]["why_not"] == "it holds what looks like a secret" and kept["b"]["value"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "x = 'before DB_PASSWORD={}\\nafter'", "print('DB_PASSWORD={}')", '{{"line": "DB_PASSWORD={}\\\\nafter"}}',
        "DB_PASSWORD={}\n",
    ],
)  # fmt: skip
def test_a_value_beside_its_name_is_found_within_quotes_and_before_an_escaped_line_end(text: str) -> None:
    assert "dTEmxI6CmuxV5EbO" not in redacted(text.format("dTEmxI6CmuxV5EbO"))


@pytest.mark.parametrize("value", ["horse.Battery4-staple.wrong", "zHVEOlRwlFyr25Q5C.gkAZd2.GSx", "aBcxxx7dEf9GhI"])
def test_a_known_value_may_end_like_a_dotted_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_PASSWORD", value)
    assert value not in redacted(f"before {value} after")
    monkeypatch.setenv("SERVICE_PASSWORD", "settings.service.password")
    assert redacted("it is settings.service.password") == "it is settings.service.password"
