"""Text that becomes code: whatever is in it, it is read as what it was."""

from __future__ import annotations

import ast
import shlex
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.crystals.facts import Facts, digest_of, facts_of, sealed, written
from llmos_nb.crystals.offered import call_code
from llmos_nb.learning.crystal_text import Blank, indented, spliced, text_expression

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


@given(PLAIN)
def test_data_reads_back(value: object) -> None:
    assert ast.literal_eval(written(value)) == value
    assert ast.literal_eval(written(value, before=200)) == value


@given(TEXT, st.dictionaries(TEXT, PLAIN, max_size=3), st.text("0123456789abcdef", max_size=8))
def test_facts_read_back_and_know_their_text(template: str, fixed: dict[str, object], shape: str) -> None:
    facts = Facts(name="f", template=template, fixed=fixed, shape=shape)
    text = sealed(f"x = 1\n{facts.as_source()}")
    found = facts_of(ast.parse(text), "f.py")
    assert (found.template, found.fixed, found.shape) == (template, fixed, shape)
    assert found.digest == digest_of(text) != digest_of(text + "#")


@given(TEXT, TEXT, TEXT)
def test_an_expression_in_a_text_gives_that_text(before: str, middle: str, after: str) -> None:
    text = f"{before}\ue000{after}"
    blank = Blank(0, "content", len(before), len(before) + 1, "token", "value")
    source = text_expression(text, [blank], frozenset({"value"}), "here")
    assert eval(f"({source})", {"value": middle}) == f"{before}{middle}{after}"


@given(TEXT)
def test_a_text_without_places_is_itself(text: str) -> None:
    assert eval(text_expression(text, [], frozenset(), "here")) == text


@given(TEXT, TEXT, st.sampled_from(["'", '"', '"""']))
def test_the_text_of_an_f_string_takes_a_value(before: str, value: str, quote: str) -> None:
    inner = "".join(f"\\{c}" if c in "\"'\\" else c if c.isprintable() else repr(c)[1:-1] for c in before)
    inner = inner.replace("{", "{{").replace("}", "}}")
    code = f"x = f{quote}{inner}{quote} + f{quote}OLD{{1 + 1}}{quote}"
    start = code.rindex("OLD")
    new = spliced(code, [Blank(0, "code", start, start + 3, "string", 'f"<{name}>"')], "here")
    names: dict[str, object] = {"name": value}
    exec(new, names)
    assert names["x"] == f"{before}<{value}>2"


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_indenting_changes_no_value(texts: list[str]) -> None:
    lines = []
    for number, text in enumerate(texts):
        safe = "".join(c if c == "\n" or (c.isprintable() and c not in "\\\"'{}") else "." for c in text)
        lines += [f'a{number} = """{safe}"""', f"if a{number}:", f"    b{number} = f'''{safe}{{1}}'''"]
    code = "\n".join(lines) + "\n"
    plain: dict[str, object] = {}
    moved: dict[str, object] = {}
    exec(code, plain)
    exec(f"if True:\n{indented(code)}", moved)
    plain.pop("__builtins__")
    moved.pop("__builtins__")
    assert plain == moved


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), TEXT | st.integers() | st.booleans() | st.lists(TEXT, max_size=3)
    )
)
def test_a_call_gives_its_arguments(arguments: dict[str, object]) -> None:
    found: dict[str, object] = {}

    class Fake:
        def into(self, names: object, **given: object) -> None:
            found.update(given)

    line = call_code("name", arguments).partition("\n")[2]
    exec(line, {"_name": Fake()})
    assert found == arguments


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=15))
def test_a_word_of_a_command_stays_one_word(word: str) -> None:
    blank = Blank(0, "command", 12, 15, "token", "shlex.quote(word)")
    source = text_expression("printf '%s' XXX | cat", [blank], frozenset(), "here")
    command = eval(source, {"shlex": shlex, "word": word})
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert done.stdout == word.encode()
