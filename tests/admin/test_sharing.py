"""Drizzle and @libsql/client write at the same time as memrepo, on a file and on a server."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

import memrepo
from tests.admin.original import AGES, on_file, on_server
from tests.servers.sqld import Sqld

pytestmark = [pytest.mark.asyncio, pytest.mark.campaign]

_PACKAGE = {
    "private": True,
    "type": "module",
    "dependencies": {"@libsql/client": "0.18.0", "drizzle-orm": "0.45.4"},
}
#: Facts of each program's own, and facts that both state.
N_OWN, N_SHARED = 300, 100

_PROGRAM = """
    import { createHash } from "node:crypto";
    import { createClient } from "@libsql/client";
    import { eq } from "drizzle-orm";
    import { drizzle } from "drizzle-orm/libsql";
    import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

    const facts = sqliteTable("memory_entries", {
      id: integer("id").primaryKey({ autoIncrement: true }),
      content: text("content").notNull(),
      contentHash: text("content_hash").unique(),
      category: text("category").notNull(),
      source: text("source").notNull(),
      createdAt: text("created_at").notNull(),
      lastAccessed: text("last_accessed"),
      deletedAt: text("deleted_at"),
    });
    const sessions = sqliteTable("sessions", {
      id: integer("id").primaryKey({ autoIncrement: true }),
      startedAt: text("started_at").notNull(),
      endedAt: text("ended_at"),
      endTrigger: text("end_trigger"),
      summary: text("summary"),
    });
    const messages = sqliteTable("messages", {
      id: integer("id").primaryKey({ autoIncrement: true }),
      sessionId: integer("session_id").references(() => sessions.id),
      role: text("role").notNull(),
      content: text("content").notNull(),
      createdAt: text("created_at").notNull(),
    });

    const [url, contents] = process.argv.slice(2);
    const isFile = url.startsWith("file:");
    const client = createClient(isFile ? { url, concurrency: 1 } : { url });
    if (isFile) await client.execute("PRAGMA busy_timeout = 10000");
    const db = drizzle(client);
    const now = () => new Date().toISOString();
    const hash = (text) => createHash("sha256").update(text.toLowerCase()).digest("hex");
    console.log("ready");
    await new Promise((resolve) => process.stdin.once("data", resolve));
    let failed = 0;
    for (const content of JSON.parse(contents)) {
      try {
        await db.transaction(async (tx) => {
          await tx
            .insert(facts)
            .values({
              content, contentHash: hash(content), category: "fact", source: "user_explicit",
              createdAt: now(), lastAccessed: now(),
            })
            .onConflictDoUpdate({ target: facts.contentHash, set: { lastAccessed: now() } });
          const [session] = await tx.insert(sessions).values({ startedAt: now() }).returning();
          await tx.insert(messages).values({
            sessionId: session.id, role: "user", content, createdAt: now(),
          });
          await tx.update(sessions).set({ endedAt: now(), endTrigger: "explicit" })
            .where(eq(sessions.id, session.id));
        });
      } catch (error) {
        failed += 1;
        console.error(error);
      }
    }
    const count = async (table) => (await db.select().from(table)).length;
    console.log(JSON.stringify({
      failed, facts: await count(facts), sessions: await count(sessions),
      messages: await count(messages),
    }));
    client.close();
    process.exit(0);
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program and its packages."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text(json.dumps(_PACKAGE))
    (folder / "program.mjs").write_text(textwrap.dedent(_PROGRAM))
    command = [npm, "install", "--silent", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, timeout=300, capture_output=True)
    return folder


@pytest.fixture(params=["file", "http", "ws"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Today's database of the original: its URL here, and for @libsql/client."""
    if request.param == "file":
        path = tmp_path / "jarvis.db"
        original, urls = on_file(path), (str(path), f"file:{path}")
    else:
        # The client names no namespace: it gets the default one of a server of its own.
        new_sqld: Any = request.getfixturevalue("new_sqld")
        server: Sqld = new_sqld()
        original = on_server(server, "default")
        urls = (server.url("default", request.param), f"http://localhost:{server.port}")
    for statement in AGES["today, migrated"]:
        original.run(statement)
    return urls


async def test_at_the_same_time(place: tuple[str, str], folder: Path) -> None:
    """Of both programs nothing fails and nothing is lost, and what both state is stored once."""
    url, client_url = place
    shared = [f"shared {number}" for number in range(N_SHARED)]
    theirs = [f"theirs {number}" for number in range(N_OWN)]
    ours = [f"ours {number}" for number in range(N_OWN)]
    pipe = asyncio.subprocess.PIPE
    async with memrepo.connect(url) as store:
        process = await asyncio.create_subprocess_exec(
            "node",
            "program.mjs",
            client_url,
            json.dumps([text for pair in zip(theirs, shared * 3, strict=True) for text in pair]),
            cwd=folder,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )
        assert process.stdout is not None
        assert (await process.stdout.readline()) == b"ready\n"
        told = asyncio.create_task(process.communicate(b"go\n"))
        stated = [text for pair in zip(ours, shared * 3, strict=True) for text in pair]
        while not told.done() or stated:
            for text in [stated.pop() for _ in range(min(4, len(stated)))]:
                await store.memories.remember(text.upper())
                async with store.transaction() as tx:
                    session = await tx.sessions.start(end_active=True)
                    await tx.daily_logs.append(session.id, "user_state", {"said": text})
                    await tx.sessions.end(session.id)
            await asyncio.sleep(0.001)
        out, err = await told
        assert (process.returncode, err.decode()) == (0, "")
        answer = json.loads(out)
        facts = [fact.content.lower() async for fact in store.memories.iterate()]
        assert sorted(facts) == sorted([*shared, *theirs, *ours])
        assert answer["failed"] == 0
        n_events = len([event async for event in store.daily_logs.iterate()])
        n_sessions = len([session async for session in store.sessions.iterate()])
        assert (n_events, n_sessions) == (2 * N_OWN, 4 * N_OWN)
        assert answer["messages"] == 2 * N_OWN
        assert await store.verify() == []
