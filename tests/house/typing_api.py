"""Type-checked by mypy, never run: the public types are a promise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal, assert_type
from zoneinfo import ZoneInfo

import memrepo
from memrepo import JsonValue
from memrepo.contrib.opentelemetry import statement_hook


def opening(clock: memrepo.Clock) -> None:
    assert_type(memrepo.connect("agent.db"), memrepo.OpeningStore)
    _ = memrepo.connect("agent.db").memories  # type: ignore[attr-defined]
    assert_type(memrepo.connect(Path("agent.db")), memrepo.OpeningStore)
    assert_type(
        memrepo.connect(
            ":memory:",
            durability="normal",
            migrate=False,
            private=False,
            lock_timeout_s=1,
            idle_after=timedelta(minutes=5),
            clock=clock,
        ),
        memrepo.OpeningStore,
    )
    assert_type(memrepo.from_env(durability="full"), memrepo.OpeningStore)
    memrepo.connect("agent.db", on_statement=statement_hook(tracer_provider=None))
    memrepo.connect("agent.db", durability="fast")  # type: ignore[arg-type]
    memrepo.connect("agent.db", "full")  # type: ignore[call-arg]
    memrepo.connect("agent.db", durable="full")  # type: ignore[call-arg]
    memrepo.from_env(
        auth_token=lambda: "token",
        ssl_context=None,
        migrate=False,
        accept_push=True,
        lock_timeout_s=1,
        request_timeout_s=1.5,
        idle_after=timedelta(minutes=5),
        clock=clock,
        on_statement=None,
    )
    memrepo.from_env(durability="fast")  # type: ignore[arg-type]
    memrepo.from_env(durable="full")  # type: ignore[call-arg]
    memrepo.from_env(1.5)  # type: ignore[arg-type, call-arg]


def tell(progress: memrepo.CopyProgress) -> None:
    assert_type(progress.step, Literal["copy", "compare", "export", "import"])
    assert_type(progress.n_done, int)


async def lifecycle() -> None:
    async with memrepo.connect("agent.db") as store:
        assert_type(store, memrepo.Store)
        assert_type(store.schema_version, int)
        assert_type(await store.migrate(), int)
        assert_type(store.export_lines(scope="user:42"), AsyncIterator[bytes])
        assert_type(await store.import_lines(store.export_lines()), memrepo.ImportReport)
        assert_type(await store.examine(), list[memrepo.Finding])
        assert_type(await memrepo.diagnose("agent.db", request_timeout_s=1), list[memrepo.Finding])
        assert_type(store.scoped("user:42"), memrepo.ScopedStore)
        assert_type(store.at(memrepo.utc_now), memrepo.ScopedStore)
        async with store.transaction(timeout_s=1.5) as tx:
            assert_type(tx, memrepo.Transaction)
            assert_type(tx.memories, memrepo.MemoryRepo)
            assert_type(tx.scoped("a"), memrepo.Transaction)
            assert_type(tx.at(memrepo.utc_now), memrepo.Transaction)
        assert_type(await store.scopes(limit=5, after=None), memrepo.Page[memrepo.ScopeInfo])
        assert_type(store.iterate_scopes(), AsyncIterator[memrepo.ScopeInfo])
        assert_type(await store.scoped("a").erase(confirm=True), memrepo.EraseReport)
        await store.scoped("a").erase()  # type: ignore[call-arg]
        report = await store.copy_to(store, on_progress=tell)
        assert_type(report, memrepo.CopyReport)
        assert_type(report.tables, tuple[memrepo.CopiedTable, ...])
        assert_type(report.is_identical, bool)
        await store.copy_to("copy.db")  # type: ignore[arg-type]
        await store.backup(Path("copy.db"))
        await store.compact()
    opened = await memrepo.connect("agent.db")
    assert_type(opened, memrepo.Store)
    await opened.close()
    await memrepo.restore_backup("copy.db", Path("agent.db"))
    await memrepo.restore_backup(b"copy.db", "agent.db")  # type: ignore[arg-type]


def repositories(connection: memrepo.Connection) -> None:
    memrepo.MemoryRepo(connection)
    memrepo.DailyLogRepo(connection, scope="user:42", clock=memrepo.utc_now)
    memrepo.SessionRepo(connection, idle_after=memrepo.IDLE_AFTER)
    memrepo.MemoryRepo("agent.db")  # type: ignore[arg-type]


class Own(memrepo.Repository):
    async def add(self, name: str) -> None:
        assert_type(self.connection, memrepo.Connection)
        assert_type(self.scope, str)
        assert_type(self.now(), datetime)
        statement = memrepo.Statement("own.add", "INSERT INTO own VALUES (:name)")
        bound = statement.bind(name=name)
        assert_type(bound, memrepo.BoundStatement)
        (result,) = await self.connection.write((bound, bound))
        assert_type(result, memrepo.Result)
        assert_type(result.changes, int)
        await self.connection.read(statement)  # type: ignore[arg-type]
        statement.bind(name=datetime.now(UTC))  # type: ignore[arg-type]


async def own(store: memrepo.Store) -> None:
    assert_type(await store.apply_migrations(Path("sql"), version_table="own_migrations"), int)
    await store.apply_migrations("sql")  # type: ignore[call-arg]
    await Own(store.connection, scope="user:42", clock=memrepo.utc_now).add("a")
    async with store.transaction() as tx:
        assert_type(tx.connection, memrepo.Connection)
        await Own(tx.connection).add("a")


async def memories(repo: memrepo.MemoryRepo) -> None:
    metadata: dict[str, JsonValue] = {"tags": ["a"]}
    remembered = await repo.remember(
        "tea",
        category="fact",
        source="inferred",
        metadata=metadata,
        expires_at=datetime.now(UTC),
    )
    assert_type(remembered, memrepo.Remembered)
    assert_type(remembered.outcome, memrepo.RememberOutcome)
    assert_type(remembered.entry, memrepo.MemoryEntry)
    assert_type(remembered.id, int)
    assert_type(
        await repo.remember_many([memrepo.MemoryNew(content="a")]), list[memrepo.Remembered]
    )
    assert_type(await repo.get(1), memrepo.MemoryEntry)
    assert_type(await repo.find(1), memrepo.MemoryEntry | None)
    assert_type(await repo.get_many([1, 2]), list[memrepo.MemoryEntry | None])
    assert_type(await repo.find_by_content("tea"), memrepo.MemoryEntry | None)
    page = await repo.find_many(memrepo.MemoryFilter(contains="tea"), limit=10, after=None)
    assert_type(page, memrepo.Page[memrepo.MemoryEntry])
    assert_type(page.items, tuple[memrepo.MemoryEntry, ...])
    assert_type(page.next_cursor, str | None)
    assert_type(list(page), list[memrepo.MemoryEntry])
    assert_type(page[0], memrepo.MemoryEntry)
    assert_type(page[1:], tuple[memrepo.MemoryEntry, ...])
    assert_type(page.to_dict(), dict[str, JsonValue])
    assert_type(repo.iterate(), AsyncIterator[memrepo.MemoryEntry])
    assert_type(await repo.count(), int)
    assert_type(await repo.touch(1), memrepo.MemoryEntry)
    await repo.remember("tea", session_id=1)
    recalled = await repo.recall(max_tokens=10, count_tokens=len, now=datetime.now(UTC), touch=True)
    assert_type(recalled, memrepo.MemoryContext)
    assert_type(recalled.entries, tuple[memrepo.RecalledFact, ...])
    assert_type(recalled.left_out[0].reason, memrepo.LeftOutReason)
    assert_type(recalled.entries[0].score, memrepo.Score)
    assert_type(recalled.to_prompt(), str)
    await repo.recall(ranking=memrepo.Ranking(recency={0: 1}, categories={"rule": 40.5}))
    assert_type(await repo.fading(0.5, half_life=timedelta(1)), list[memrepo.MemoryEntry])
    assert_type(await repo.forget_faded(sources=["inferred"], dry_run=True), int)
    assert_type(
        await repo.update(1, category="a", metadata=None, expires_at=memrepo.UNSET),
        memrepo.MemoryEntry,
    )
    assert_type(await repo.supersede(1, "coffee"), memrepo.Remembered)
    assert_type(await repo.history(1), list[memrepo.MemoryEntry])
    assert_type(await repo.forget(1), memrepo.MemoryEntry)
    assert_type(await repo.restore(1), memrepo.MemoryEntry)
    assert_type(await repo.forgotten(within=None), memrepo.Page[memrepo.MemoryEntry])
    assert_type(await repo.forgotten(within=timedelta(days=1)), memrepo.Page[memrepo.MemoryEntry])
    assert_type(await repo.forget_all(confirm=True), int)
    assert_type(await repo.purge(datetime.now(UTC), dry_run=True), int)
    await repo.remember("tea", "fact")  # type: ignore[call-arg]
    await repo.remember(b"tea")  # type: ignore[arg-type]
    await repo.find_many({"contains": "tea"})  # type: ignore[arg-type]


async def attention(repo: memrepo.MemoryRepo) -> None:
    assert_type(await repo.pin(1), memrepo.MemoryEntry)
    assert_type(await repo.unpin(1), memrepo.MemoryEntry)
    await repo.remember("tea", due_at=datetime.now(UTC))
    surfacing = await repo.surface(action_words=[*memrepo.ACTION_WORDS, "todo"], least_score=40)
    assert_type(surfacing, memrepo.Surfacing)
    assert_type(surfacing.due, tuple[memrepo.RecalledFact, ...])
    assert_type(await repo.surfaced(*surfacing.ids), list[memrepo.MemoryEntry])
    await repo.surfaced(surfacing.ids)  # type: ignore[arg-type]
    observed = await repo.observe("short answers", "said so", times=2, within=timedelta(1))
    assert_type(observed, memrepo.Observed)
    assert_type(observed.inferred, memrepo.Remembered | None)
    assert_type(observed.event, memrepo.DailyLog)
    assert_type(await repo.would_infer("short answers"), bool)
    assert_type(await repo.pending_inferences(), list[memrepo.PendingInference])
    await repo.observe("short answers", {"said": "so"})  # type: ignore[arg-type]


async def curated(repo: memrepo.MemoryRepo) -> None:
    remembered = await repo.remember("tea", slot="drink", overrule=True, proposed=False)
    assert_type(remembered.replaced, memrepo.MemoryEntry | None)
    assert_type(await repo.in_slot("drink"), memrepo.MemoryEntry | None)
    assert_type(await repo.slots(), memrepo.Page[memrepo.MemoryEntry])
    assert_type(await repo.revert("drink"), memrepo.MemoryEntry)
    assert_type(await repo.proposals(), memrepo.Page[memrepo.MemoryEntry])
    assert_type(repo.iterate_proposals(), AsyncIterator[memrepo.MemoryEntry])
    assert_type(await repo.approve(1), memrepo.Remembered)
    assert_type(await repo.approve(1, source="user_explicit"), memrepo.Remembered)
    assert_type(await repo.reject(1), memrepo.MemoryEntry)
    await repo.update(1, slot=None)
    memrepo.connect("agent.db", propose=("inferred",))


def memory(entry: memrepo.MemoryEntry) -> None:
    assert_type(entry.metadata, Mapping[str, JsonValue] | None)
    assert_type(entry.created_at, datetime)
    assert_type(entry.last_accessed, datetime | None)
    assert_type(entry.superseded_by, int | None)
    assert_type(entry.to_dict(), dict[str, JsonValue])
    entry.content = "other"  # type: ignore[misc]


async def sessions(repo: memrepo.SessionRepo) -> None:
    session = await repo.start(end_active=True)
    assert_type(session, memrepo.Session)
    assert_type(session.status, memrepo.SessionStatus)
    ended = await repo.end(1, trigger="timeout", summary="short")
    assert_type(ended, memrepo.SessionEnd)
    assert_type(ended.ended_now, bool)
    assert_type(ended.session, memrepo.Session)
    assert_type(
        await repo.get_or_start(
            idle_after=timedelta(minutes=5), day_boundary=ZoneInfo("Europe/Berlin")
        ),
        memrepo.Session,
    )
    assert_type(await repo.get(1), memrepo.Session)
    assert_type(await repo.find(1), memrepo.Session | None)
    assert_type(await repo.get_many({1, 2}), list[memrepo.Session | None])
    assert_type(await repo.active(), memrepo.Session | None)
    assert_type(await repo.summarize(1, "short"), memrepo.Session)
    await repo.summarize(1, None)
    assert_type(await repo.delete(1, events="keep"), int)
    await repo.delete(1, events="forget")  # type: ignore[arg-type]
    opened: AbstractAsyncContextManager[memrepo.Session] = repo.session()
    async with opened as inside:
        assert_type(inside, memrepo.Session)
    assert_type(await repo.start("phone"), memrepo.Session)
    assert_type(await repo.active("phone"), memrepo.Session | None)
    assert_type(await repo.resume(1), memrepo.Session)
    assert_type(await repo.end_abandoned(idle_after=memrepo.IDLE_AFTER), int)
    carried = await repo.carry_over("phone", max_tokens=10, count_tokens=len)
    assert_type(carried, memrepo.CarryOver)
    assert_type(carried.events, tuple[memrepo.DailyLog, ...])
    assert_type(await repo.threads(limit=10), memrepo.Page[memrepo.ThreadInfo])
    assert_type(repo.iterate_threads(), AsyncIterator[memrepo.ThreadInfo])
    digest = await repo.digest(1, ZoneInfo("Europe/Berlin"), limit=10)
    assert_type(digest, memrepo.Digest)
    assert_type(digest.sessions, tuple[memrepo.DigestSession, ...])
    assert_type(digest.facts, tuple[memrepo.DigestFact, ...])
    assert_type(digest.topics, tuple[memrepo.DigestEvent, ...])
    assert_type(digest.tools, tuple[memrepo.ToolUse, ...])
    assert_type(digest.n_by_type, Mapping[str, int])
    assert_type(digest.to_markdown(max_tokens=None, count_tokens=len), str)
    assert_type(await repo.unsummarized(20), memrepo.Page[memrepo.Session])
    where = memrepo.SessionFilter(is_ended=True, thread="", status="active", has_summary=False)
    assert_type(await repo.count(where), int)
    assert_type(await repo.find_many(where), memrepo.Page[memrepo.Session])
    assert_type(repo.iterate(where), AsyncIterator[memrepo.Session])


async def daily_logs(repo: memrepo.DailyLogRepo) -> None:
    new = await repo.append(None, "tool_invocation", {"ok": True, "n": [1, 2.5, None]}, key="a")
    assert_type(new, memrepo.Appended)
    assert_type(new.outcome, Literal["created", "duplicate"])
    event = new.event
    assert_type(event, memrepo.DailyLog)
    assert_type(event.event_data, JsonValue)
    assert_type(event.is_broken, bool)
    topic = memrepo.DailyLogNew(
        event_type="topic_change", session_id=1, timestamp=memrepo.utc_now()
    )
    assert_type(await repo.append_many([topic]), list[memrepo.Appended])
    assert_type(await repo.find_by_key("a"), memrepo.DailyLog | None)
    assert_type(await repo.pop_last(), memrepo.DailyLog | None)
    assert_type(await repo.recent_tool_invocations(limit=5), list[memrepo.DailyLog])
    assert_type(await repo.count(), int)
    assert_type(await repo.count_by_type(), dict[str, int])
    assert_type(await repo.get(1), memrepo.DailyLog)
    assert_type(await repo.find(1), memrepo.DailyLog | None)
    assert_type(await repo.get_many(n for n in (1, 2)), list[memrepo.DailyLog | None])
    await repo.get_many(["1"])  # type: ignore[list-item]
    memrepo.DailyLogFilter(timestamp_from=datetime.now(UTC), timestamp_before=datetime.now(UTC))
    where = memrepo.DailyLogFilter(day=date(2026, 2, 2), tz=ZoneInfo("Europe/Berlin"))
    assert_type(await repo.find_many(where, newest_first=True), memrepo.Page[memrepo.DailyLog])
    assert_type(repo.iterate(where), AsyncIterator[memrepo.DailyLog])
    assert_type(await repo.for_day(date(2026, 2, 2)), list[memrepo.DailyLog])
    assert_type(await repo.count_by_day(ZoneInfo("Europe/Berlin")), dict[date, int])
    assert_type(await repo.purge(datetime.now(UTC)), int)
    assert_type(await repo.delete(1), memrepo.DailyLog)
    assert_type(await repo.delete_many(memrepo.DailyLogFilter(event_type="x"), dry_run=True), int)
    await repo.delete_many()  # type: ignore[call-arg]
    await repo.append(None, "a", {"at": datetime.now(UTC)})  # type: ignore[dict-item]
    await repo.append("1", "a")  # type: ignore[arg-type]


async def pools(clock: memrepo.Clock) -> None:
    async with memrepo.StorePool("tenants/{tenant}.db", max_open=8) as pool:
        assert_type(pool, memrepo.StorePool)
        async with pool.open("acme") as store:
            assert_type(store, memrepo.Store)
        await pool.create("acme")
        await pool.erase("acme", confirm=True)
        await pool.erase("acme")  # type: ignore[call-arg]
    memrepo.StorePool(Path("{tenant}.db"), durability="normal", lock_timeout_s=1, clock=clock)
    memrepo.StorePool("http://localhost?namespace={tenant}", max_open=8, auth_token="token")
    memrepo.StorePool("tenants/{tenant}.db", max_opened=8)  # type: ignore[call-arg]
    memrepo.StorePool("tenants/{tenant}.db", durability="fast")  # type: ignore[arg-type]
    memrepo.StorePool("tenants/{tenant}.db", lock_timeout_s="1")  # type: ignore[arg-type]


def rules() -> None:
    assert_type(memrepo.content_hash("tea", scope="user:42"), str)
    assert_type(memrepo.normalize_content("tea"), str)
    assert_type(memrepo.utc_now(), datetime)
    assert_type(memrepo.IDLE_AFTER, timedelta)


def errors(
    invalid: memrepo.InvalidInputError,
    constraint: memrepo.ConstraintError,
    failed: memrepo.DatabaseError,
) -> None:
    assert_type(invalid.field, str)
    assert_type(invalid.reason, str)
    assert_type(constraint.kind, str)
    assert_type(failed.retryable, bool)
    assert_type(failed.outcome_unknown, bool)
