"""The memories that the story is told to: each as a program uses it, in one object that does what a step says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final, Protocol, TypeAlias
from uuid import uuid4

import memrepo
from tests.benchmarks.corrections.story import KEYS, Step, question, told
from tests.benchmarks.retrieval.vector_peers import installed_vectors, open_mem0
from tests.benchmarks.retrieval.vectors import DIMENSIONS, Vectors

__all__ = ["Memory", "contenders"]

#: Facts that a question is answered with, at most.
_N_ASKED: Final = 10
#: More than the story leaves.
_ALL: Final = 10_000
_FACTS: Final = ("user", "facts")


class Memory(Protocol):
    """What the story needs of a memory."""

    def tell(self, step: Step) -> None:
        """Do what a step says."""

    def everything(self) -> list[str]:
        """Return the texts of a list of all facts."""

    def search(self, question: str) -> list[str]:
        """Return the ten texts that answer best."""

    def recall(self, question: str) -> list[str] | None:
        """Return what a model is given with a question; ``None`` for a memory that has only its search."""


_Contender: TypeAlias = Callable[[], AbstractContextManager[Memory]]


def contenders() -> Iterator[tuple[str, _Contender]]:
    """Yield the name and the contender of memrepo, and of each peer that is installed."""
    yield "memrepo, a slot for each key", partial(_open_memrepo, has_slots=True)
    proposing = partial(_open_memrepo, has_slots=True, propose=("inferred",))
    yield '… and `propose=("inferred",)`', proposing
    yield "memrepo, without slots", partial(_open_memrepo, has_slots=False)
    if (vectors := installed_vectors()) is None:
        return
    vectors.add([step.text for step in told(rewords_forgotten=True)])
    vectors.add([question(key) for key in KEYS])
    if find_spec("langgraph"):
        name = f"LangGraph's InMemoryStore, langgraph-checkpoint {version('langgraph-checkpoint')}"
        yield f"{name}, put by key", partial(_open_langgraph, vectors, _put_by_key)
        yield (
            "… what is inferred only where nothing is",
            partial(_open_langgraph, vectors, _put_guess),
        )
        yield "… put by uuid", partial(_open_langgraph, vectors, _put_by_uuid)
    if find_spec("mem0"):
        yield f"mem0 {version('mem0ai')}, infer=False", partial(_open_mem0, vectors)


class _Memrepo:
    """The facts of a store, by its public methods."""

    def __init__(self, runner: asyncio.Runner, store: memrepo.Store, *, has_slots: bool) -> None:
        self._run = runner.run
        self._facts = store.memories
        self._has_slots = has_slots
        self._last: dict[str, int] = {}

    def tell(self, step: Step) -> None:
        """Remember with the source that it has; forget what was said last."""
        name = step.key.name
        if step.kind == "forget":
            self._run(self._facts.forget(self._last[name]))
            return
        source = "user_explicit" if step.kind == "say" else "inferred"
        slot = name if self._has_slots else None
        told = self._run(self._facts.remember(step.text, source=source, slot=slot))
        if step.kind == "say":
            self._last[name] = told.id

    def everything(self) -> list[str]:
        """List by `find_many`."""
        return [fact.content for fact in self._run(self._facts.find_many(limit=_ALL))]

    def search(self, question: str) -> list[str]:
        """Search the facts."""
        hits = self._run(self._facts.search(question, limit=_N_ASKED))
        return [hit.entry.content for hit in hits]

    def recall(self, question: str) -> list[str]:
        """Recall what answers a question."""
        context = self._run(self._facts.recall(question, max_entries=_N_ASKED))
        return [shown.entry.content for shown in context.entries]


@contextmanager
def _open_memrepo(*, has_slots: bool, propose: Collection[str] = ()) -> Iterator[Memory]:
    async def connect() -> memrepo.Store:
        return await memrepo.connect(":memory:", propose=propose)

    with asyncio.Runner() as runner:
        store = runner.run(connect())
        try:
            yield _Memrepo(runner, store, has_slots=has_slots)
        finally:
            runner.run(store.close())


#: Puts what a step says; returns the key that it is under.
_Put: TypeAlias = Callable[[Any, Step], str]


def _put_by_key(store: Any, step: Step) -> str:
    """Put a text in place of what was under its key. The store knows no sources."""
    store.put(_FACTS, step.key.name, {"text": step.text})
    return step.key.name


def _put_guess(store: Any, step: Step) -> str:
    """Do so, but look first whether something is there, if the text is inferred."""
    if step.kind == "say" or store.get(_FACTS, step.key.name) is None:
        _put_by_key(store, step)
    return step.key.name


def _put_by_uuid(store: Any, step: Step) -> str:
    """Put a text beside all others."""
    key = str(uuid4())
    store.put(_FACTS, key, {"text": step.text})
    return key


class _LangGraph:
    """A store with an index; which key a text has is the program's own."""

    def __init__(self, store: Any, put: _Put) -> None:
        self._store = store
        self._put = put
        self._last: dict[str, str] = {}

    def tell(self, step: Step) -> None:
        """Put a text; delete what was said last."""
        name = step.key.name
        if step.kind == "forget":
            self._store.delete(_FACTS, self._last[name])
            return
        key = self._put(self._store, step)
        if step.kind == "say":
            self._last[name] = key

    def everything(self) -> list[str]:
        """Search without a query."""
        return [item.value["text"] for item in self._store.search(_FACTS, limit=_ALL)]

    def search(self, question: str) -> list[str]:
        """Search with a query."""
        found = self._store.search(_FACTS, query=question, limit=_N_ASKED)
        return [item.value["text"] for item in found]

    def recall(self, question: str) -> None:
        """Have nothing else than the search."""


@contextmanager
def _open_langgraph(vectors: Vectors, put: _Put) -> Iterator[Memory]:
    module: Any = import_module("langgraph.store.memory")

    def embed(texts: list[str]) -> list[list[float]]:
        return [*map(vectors.of, texts)]

    store = module.InMemoryStore(index={"dims": DIMENSIONS, "embed": embed, "fields": ["text"]})
    yield _LangGraph(store, put)


class _Mem0:
    """mem0 without a model: it stores what it is given."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory
        self._last: dict[str, str] = {}

    def tell(self, step: Step) -> None:
        """Add a text, with its key as metadata; delete what was said last."""
        name = step.key.name
        if step.kind == "forget":
            self._memory.delete(self._last[name])
            return
        added = self._memory.add(step.text, user_id="user", metadata={"key": name}, infer=False)
        if step.kind == "say":
            self._last[name] = added["results"][0]["id"]

    def everything(self) -> list[str]:
        """List by `get_all`."""
        found = self._memory.get_all(filters={"user_id": "user"}, top_k=_ALL)
        return [each["memory"] for each in found["results"]]

    def search(self, question: str) -> list[str]:
        """Search with its default threshold."""
        found = self._memory.search(question, filters={"user_id": "user"}, top_k=_N_ASKED)
        return [each["memory"] for each in found["results"]]

    def recall(self, question: str) -> None:
        """Have nothing else than the search."""


@contextmanager
def _open_mem0(vectors: Vectors) -> Iterator[Memory]:
    with open_mem0(vectors) as memory:
        yield _Mem0(memory)
