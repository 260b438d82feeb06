"""Replicas: a task reads what it has written, reads go on without the primary, and writes end in time."""

from __future__ import annotations

import asyncio
import time

import pytest

import memrepo
from memrepo import ConnectionLostError, ConstraintError, DatabaseError, DeadlineError
from memrepo.queries.statement import BoundStatement, Statement
from tests.patience import PATIENCE_S
from tests.servers.fixtures import Cluster

pytestmark = pytest.mark.asyncio

both = pytest.mark.parametrize("scheme", ["http", "ws"])


def sql(text: str) -> BoundStatement:
    return Statement("test", text).bind()


@both
async def test_reads_its_own_writes(sqld_cluster: Cluster, scheme: str) -> None:
    """What a store wrote through a replica it reads there at once, every time."""
    namespace = sqld_cluster.primary.new_namespace()
    async with memrepo.connect(sqld_cluster.replicas[0].url(namespace, scheme)) as store:
        for n in range(100):
            fact = await store.memories.remember(f"{n}")
            assert await store.memories.find(fact.id) == fact.entry
        async with store.transaction() as tx:
            event = (await tx.daily_logs.append(None, "x")).event
        assert await store.daily_logs.find(event.id) == event


@both
async def test_other_replica_follows(sqld_cluster: Cluster, scheme: str) -> None:
    """What one replica's store wrote comes to the other replica's in a moment."""
    namespace = sqld_cluster.primary.new_namespace()
    first, second = (replica.url(namespace, scheme) for replica in sqld_cluster.replicas)
    async with memrepo.connect(first) as one, memrepo.connect(second) as other:
        fact = await one.memories.remember("Likes tea")
        async with asyncio.timeout(PATIENCE_S):
            while await other.memories.find(fact.id) is None:
                await asyncio.sleep(0.01)


@both
async def test_errors_of_the_primary(sqld_cluster: Cluster, scheme: str) -> None:
    """The constraints of the primary are told apart behind a replica."""
    namespace = sqld_cluster.primary.new_namespace()
    async with memrepo.connect(sqld_cluster.replicas[0].url(namespace, scheme)) as store:
        await store.connection.write(
            (sql("CREATE TABLE t (u UNIQUE, n NOT NULL DEFAULT 0, c CHECK (c > 0))"),)
        )
        for text, kind in (
            ("INSERT INTO t (u) VALUES (1), (1)", "unique"),
            ("INSERT INTO t (n) VALUES (NULL)", "not null"),
            ("INSERT INTO t (c) VALUES (0)", "check"),
        ):
            with pytest.raises(ConstraintError) as caught:
                await store.connection.write((sql(text),))
            assert caught.value.kind == kind
        with pytest.raises(memrepo.NotFoundError):
            await store.daily_logs.append(77, "x")


async def _has(store: memrepo.Store, content: str) -> bool:
    try:
        return await store.memories.find_by_content(content) is not None
    except DatabaseError:
        return False


@both
async def test_primary_down(cluster: Cluster, scheme: str) -> None:
    """Without its primary a replica reads on, writes end in time, and all is well when it is back."""
    namespace = cluster.primary.new_namespace()
    url = cluster.replicas[0].url(namespace, scheme)
    async with (
        memrepo.connect(url) as store,
        memrepo.connect(url, request_timeout_s=1.0, lock_timeout_s=1.0) as hasty,
    ):
        await store.memories.remember("before")
        assert await store.memories.count() == 1
        cluster.primary.kill()
        for _ in range(3):
            assert await store.memories.count() == 1
            began = time.monotonic()
            with pytest.raises((DatabaseError,)) as caught:
                await hasty.memories.remember("during")
            assert isinstance(caught.value, DeadlineError | ConnectionLostError)
            assert time.monotonic() - began < 30
        await asyncio.to_thread(cluster.primary.start)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await store.memories.remember("after")
                    break
                except DatabaseError as error:
                    assert error.retryable  # noqa: PT017 - the last one does not raise
        # A primary that was killed counts its log anew. A replica notices within a second, takes the
        # database over from the beginning, and may fail a read meanwhile.
        async with asyncio.timeout(PATIENCE_S):
            while not await _has(store, "after"):
                await asyncio.sleep(0.1)
        assert await store.memories.count() in (2, 3)
