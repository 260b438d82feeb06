-- The schema of a new database, but for its version table.
-- Write it anew: .venv/bin/python -m tests.admin.test_migrations

-- table daily_logs
CREATE TABLE `daily_logs` (
    `id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    `session_id` INTEGER REFERENCES `sessions` (`id`),
    `event_type` TEXT NOT NULL,
    `event_data` TEXT,
    `timestamp` TEXT NOT NULL
, `scope` TEXT NOT NULL DEFAULT '', `idempotency_key` TEXT);

-- table memory_entries
CREATE TABLE `memory_entries` (
    `id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    `content` TEXT NOT NULL,
    `content_hash` TEXT,
    `category` TEXT NOT NULL,
    `source` TEXT NOT NULL,
    `created_at` TEXT NOT NULL,
    `last_accessed` TEXT
, `scope` TEXT NOT NULL DEFAULT '', `expires_at` TEXT, `deleted_at` TEXT, `superseded_by` INTEGER, `metadata` TEXT, `hash_version` INTEGER NOT NULL DEFAULT 0, `n_restated` INTEGER NOT NULL DEFAULT 0, `session_id` INTEGER REFERENCES `sessions` (`id`) ON DELETE SET NULL, `slot` TEXT, `proposed_at` TEXT, `pinned_at` TEXT, `due_at` TEXT, `surfaced_at` TEXT);

-- table memrepo_settings
CREATE TABLE `memrepo_settings` (
    `name` TEXT PRIMARY KEY NOT NULL,
    `value` TEXT NOT NULL
);

-- table sessions
CREATE TABLE `sessions` (
    `id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    `started_at` TEXT NOT NULL,
    `ended_at` TEXT,
    `end_trigger` TEXT,
    `summary` TEXT
, `scope` TEXT NOT NULL DEFAULT '', `is_exclusive` INTEGER NOT NULL DEFAULT 0, `thread` TEXT NOT NULL DEFAULT '', `active_at` TEXT, `summarized_until` TEXT);

-- index ix_daily_logs__other_spelling
CREATE INDEX `ix_daily_logs__other_spelling` ON `daily_logs` (`id`)
    WHERE `timestamp` NOT GLOB '????-??-??T??:??:??.???Z';

-- index ix_daily_logs__scope_timestamp
CREATE INDEX `ix_daily_logs__scope_timestamp` ON `daily_logs` (`scope`, `timestamp`);

-- index ix_daily_logs__session_id_timestamp
CREATE INDEX `ix_daily_logs__session_id_timestamp` ON `daily_logs` (`session_id`, `timestamp`);

-- index ix_memory_entries__deleted_at
CREATE INDEX `ix_memory_entries__deleted_at` ON `memory_entries` (`scope`, `deleted_at`)
    WHERE `deleted_at` IS NOT NULL;

-- index ix_memory_entries__expires_at
CREATE INDEX `ix_memory_entries__expires_at` ON `memory_entries` (`scope`, `expires_at`)
    WHERE `expires_at` IS NOT NULL;

-- index ix_memory_entries__hash_version
CREATE INDEX `ix_memory_entries__hash_version` ON `memory_entries` (`id`)
    WHERE `hash_version` = 0;

-- index ix_memory_entries__other_spelling
CREATE INDEX `ix_memory_entries__other_spelling` ON `memory_entries` (`id`)
    WHERE `created_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `last_accessed` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `expires_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `deleted_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `proposed_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `pinned_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `due_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `surfaced_at` NOT GLOB '????-??-??T??:??:??.???Z';

-- index ix_memory_entries__scope_category_created_at
CREATE INDEX `ix_memory_entries__scope_category_created_at`
    ON `memory_entries` (`scope`, `category`, `created_at`);

-- index ix_memory_entries__scope_created_at
CREATE INDEX `ix_memory_entries__scope_created_at` ON `memory_entries` (`scope`, `created_at`);

-- index ix_memory_entries__scope_due_at
CREATE INDEX `ix_memory_entries__scope_due_at` ON `memory_entries` (`scope`, `due_at`)
    WHERE `due_at` IS NOT NULL AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- index ix_memory_entries__scope_last_accessed
CREATE INDEX `ix_memory_entries__scope_last_accessed` ON `memory_entries` (`scope`, `last_accessed`)
    WHERE `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- index ix_memory_entries__scope_pinned_at
CREATE INDEX `ix_memory_entries__scope_pinned_at` ON `memory_entries` (`scope`, `pinned_at`)
    WHERE `pinned_at` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- index ix_memory_entries__scope_proposed_at
CREATE INDEX `ix_memory_entries__scope_proposed_at` ON `memory_entries` (`scope`, `proposed_at`)
    WHERE `proposed_at` IS NOT NULL;

-- index ix_memory_entries__scope_slot
CREATE INDEX `ix_memory_entries__scope_slot` ON `memory_entries` (`scope`, `slot`)
    WHERE `slot` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- index ix_memory_entries__session_id_created_at
CREATE INDEX `ix_memory_entries__session_id_created_at` ON `memory_entries` (`session_id`, `created_at`)
    WHERE `session_id` IS NOT NULL;

-- index ix_memory_entries__superseded_by
CREATE INDEX `ix_memory_entries__superseded_by` ON `memory_entries` (`superseded_by`)
    WHERE `superseded_by` IS NOT NULL;

-- index ix_sessions__active_at
CREATE INDEX `ix_sessions__active_at` ON `sessions` (`scope`, `thread`, `active_at`)
    WHERE `active_at` IS NOT NULL;

-- index ix_sessions__open
CREATE INDEX `ix_sessions__open` ON `sessions` (`scope`, `started_at`) WHERE `ended_at` IS NULL;

-- index ix_sessions__open_thread
CREATE INDEX `ix_sessions__open_thread` ON `sessions` (`scope`, `thread`, `started_at`)
    WHERE `ended_at` IS NULL;

-- index ix_sessions__other_spelling
CREATE INDEX `ix_sessions__other_spelling` ON `sessions` (`id`)
    WHERE `started_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `ended_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `active_at` NOT GLOB '????-??-??T??:??:??.???Z'
    OR `summarized_until` NOT GLOB '????-??-??T??:??:??.???Z';

-- index ix_sessions__scope_started_at
CREATE INDEX `ix_sessions__scope_started_at` ON `sessions` (`scope`, `started_at`);

-- index ix_sessions__scope_thread_started_at
CREATE INDEX `ix_sessions__scope_thread_started_at` ON `sessions` (`scope`, `thread`, `started_at`);

-- index ix_sessions__unsummarized
CREATE INDEX `ix_sessions__unsummarized` ON `sessions` (`scope`, `started_at`) WHERE `summary` IS NULL;

-- index memory_entries_content_hash_unique
CREATE UNIQUE INDEX `memory_entries_content_hash_unique` ON `memory_entries` (`content_hash`);

-- index ux_daily_logs__idempotency_key
CREATE UNIQUE INDEX `ux_daily_logs__idempotency_key` ON `daily_logs` (`scope`, `idempotency_key`)
    WHERE `idempotency_key` IS NOT NULL;

-- index ux_sessions__active
CREATE UNIQUE INDEX `ux_sessions__active` ON `sessions` (`scope`, `thread`)
    WHERE `ended_at` IS NULL AND `is_exclusive` = 1;
