"""What the model wrote that is secret is overwritten in the client's own record, which stays a record."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.cortex.transcript import mask_transcript
from llmos_nb.kernel.secrets import redacted, redacted_parts

KEY = "sk-proj-" + "aB3x" * 12
PEM = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEF\n" * 3 + "-----END PRIVATE KEY-----"


def record(home: Path, *lines: object, name: str = "c1.jsonl") -> Path:
    path = home / "projects" / "-folder" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def test_secrets_are_overwritten_and_nothing_else(tmp_path: Path) -> None:
    said = {"text": f"key = '{KEY}'", "deep": [{"code": f'print("ü {KEY}")'}], "n": 3}
    path = record(tmp_path, said, {"text": "nothing here"}, {"again": json.dumps({"pem": PEM})})
    size, inode = path.stat().st_size, path.stat().st_ino
    assert mask_transcript(tmp_path, "c1") >= 3
    text = path.read_text(encoding="utf-8")
    assert KEY not in text and "MIIEvQIBADANBgkqhkiG9w0BAQEF" not in text and "nothing here" in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["text"] == f"key = '{'*' * len(KEY)}'" and lines[0]["n"] == 3
    assert (path.stat().st_size, path.stat().st_ino) == (size, inode), "who adds to it goes on adding to it"
    assert mask_transcript(tmp_path, "c1") == 0


def test_only_this_conversation_and_its_subagents_are_looked_at(tmp_path: Path) -> None:
    other = record(tmp_path, KEY, name="c2.jsonl")
    inner = record(tmp_path, KEY, name="c1/subagents/a.jsonl")
    record(tmp_path, {"x": "s3cret-of-mine"}, name="c1.jsonl")
    assert mask_transcript(tmp_path, "c1", {"s3cret-of-mine": "value of password"}) == 2
    assert KEY in other.read_text() and KEY not in inner.read_text()
    for odd in ("", "*", "../c2", "none"):
        assert mask_transcript(tmp_path, odd) == 0


def test_a_torn_line_is_looked_through_too(tmp_path: Path) -> None:
    path = record(tmp_path, "whole")
    path.write_text(f'{{"text": "half {KEY}')
    assert mask_transcript(tmp_path, "c1") == 1 and KEY not in path.read_text()


@given(st.lists(st.one_of(st.text(max_size=30), st.just(KEY), st.just("[redacted: OpenAI key]")), max_size=6))
def test_the_parts_are_what_is_taken_out(pieces: list[str]) -> None:
    text = " ".join(pieces)
    clean = redacted(text)
    for part in redacted_parts(text):
        assert part in text
    assert bool(redacted_parts(text)) == (clean != text)
    assert (KEY in text and KEY not in clean) == any(KEY in part for part in redacted_parts(text))
