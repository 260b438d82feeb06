-- What: the three tables of the original TypeScript system, exactly as its Drizzle migration makes them.
-- Why: its databases open here, and both programs can share one. Where they exist, this is not run.
-- While old code runs: yes.

CREATE TABLE `memory_entries` (
    `id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    `content` TEXT NOT NULL,
    `content_hash` TEXT,
    `category` TEXT NOT NULL,
    `source` TEXT NOT NULL,
    `created_at` TEXT NOT NULL,
    `last_accessed` TEXT
);

CREATE UNIQUE INDEX `memory_entries_content_hash_unique` ON `memory_entries` (`content_hash`);

CREATE TABLE `sessions` (
    `id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    `started_at` TEXT NOT NULL,
    `ended_at` TEXT,
    `end_trigger` TEXT,
    `summary` TEXT
);

CREATE TABLE `daily_logs` (
    `id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    `session_id` INTEGER REFERENCES `sessions` (`id`),
    `event_type` TEXT NOT NULL,
    `event_data` TEXT,
    `timestamp` TEXT NOT NULL
);
