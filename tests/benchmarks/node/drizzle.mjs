// The original system's stack, timed in its own process: Drizzle ORM on @libsql/client and a file.
// Reads one JSON object from stdin (see drizzle.py), prints one JSON line: seconds per operation and settings.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createClient } from "@libsql/client";
import { and, desc, eq, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const facts = sqliteTable("memory_entries", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  scope: text("scope").notNull().default(""),
  content: text("content").notNull(),
  contentHash: text("content_hash").unique(),
  category: text("category").notNull(),
  source: text("source").notNull(),
  createdAt: text("created_at").notNull(),
  lastAccessed: text("last_accessed"),
  expiresAt: text("expires_at"),
  deletedAt: text("deleted_at"),
  supersededBy: integer("superseded_by"),
  metadata: text("metadata"),
});

const events = sqliteTable("daily_logs", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  scope: text("scope").notNull().default(""),
  sessionId: integer("session_id"),
  eventType: text("event_type").notNull(),
  eventData: text("event_data"),
  timestamp: text("timestamp").notNull(),
  idempotencyKey: text("idempotency_key"),
});

const now = () => new Date().toISOString();

const contentHash = (content) =>
  createHash("sha256")
    .update(content.normalize("NFC").trim().toLowerCase().replace(/\s+/g, " ").replace(/[.,;:!?]+$/, ""))
    .digest("hex");

const task = JSON.parse(readFileSync(0, "utf8"));

let db;
const open = async (path) => {
  // One connection: a pragma belongs to it, and the default pool of 20 would open others without.
  const client = createClient({ url: `file:${path}`, concurrency: 1 });
  await client.execute("PRAGMA journal_mode = WAL");
  await client.execute(`PRAGMA synchronous = ${task.durability}`);
  await client.execute("PRAGMA foreign_keys = ON");
  db = drizzle(client);
  return client;
};

const append = ([sessionId, eventType, data]) =>
  db
    .insert(events)
    .values({ sessionId, eventType, eventData: JSON.stringify(data), timestamp: now() })
    .returning({ id: events.id });

const remember = ([content, category]) => {
  const instant = now();
  return db
    .insert(facts)
    .values({
      content,
      category,
      contentHash: contentHash(content),
      source: "user_explicit",
      createdAt: instant,
    })
    .onConflictDoUpdate({ target: facts.contentHash, set: { lastAccessed: instant } })
    .returning({ id: facts.id, lastAccessed: facts.lastAccessed });
};

const get = (id) => db.select().from(facts).where(eq(facts.id, id));

const context = async ([category, sessionId]) => {
  const found = await db
    .select()
    .from(facts)
    .where(
      and(
        eq(facts.scope, ""),
        eq(facts.category, category),
        isNull(facts.deletedAt),
        isNull(facts.supersededBy),
      ),
    )
    .orderBy(desc(facts.createdAt), desc(facts.id))
    .limit(50);
  const latest = await db
    .select()
    .from(events)
    .where(eq(events.sessionId, sessionId))
    .orderBy(desc(events.timestamp), desc(events.id))
    .limit(100);
  if (found.length !== 50 || latest.length !== 100) throw new Error("a context is not whole");
};

const inTurn = async (run, items) => {
  for (const item of items) await run(item);
};
const atOnce = (run, items) => Promise.all(items.map(run));
const byTasks = (run, items, count) =>
  Promise.all(
    Array.from({ length: count }, (_, first) =>
      inTurn(run, items.filter((_, index) => index % count === first)),
    ),
  );

const run = { append, remember, get, context }[task.operation];
const { practice, warm, items } = task;

// Let V8 compile the code, on a file of its own: the timed file starts as everyone else's does.
const practiceClient = await open(task.practice_path);
await inTurn(run, practice);
practiceClient.close();

const client = await open(task.path);
await inTurn(run, warm);

const started = process.hrtime.bigint();
if (task.n_tasks === 1) await inTurn(run, items);
else if (task.n_tasks === items.length) await atOnce(run, items);
else await byTasks(run, items, task.n_tasks);
const seconds = Number(process.hrtime.bigint() - started) / 1e9;

const pragma = async (name) => (await client.execute(`PRAGMA ${name}`)).rows[0][0];
console.log(
  JSON.stringify({
    seconds: seconds / items.length,
    journal_mode: await pragma("journal_mode"),
    synchronous: await pragma("synchronous"),
  }),
);
client.close();
