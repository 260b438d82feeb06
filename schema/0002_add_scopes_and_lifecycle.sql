-- What: whose memory a row is; forgetting, expiry, metadata and replacement of facts; idempotency keys
--       of events; one active session per scope.
-- Why: the contracts of MemoryRepo, SessionRepo and DailyLogRepo beyond the original system.
-- While old code runs: yes. Every new column is nullable or has a default, so that the original's
--       inserts and `select *` go on working; the unique indexes bind only rows that memrepo writes.

-- `scope` is '' for the default scope, which is the original program's.
ALTER TABLE `memory_entries` ADD COLUMN `scope` TEXT NOT NULL DEFAULT '';
ALTER TABLE `memory_entries` ADD COLUMN `expires_at` TEXT;
ALTER TABLE `memory_entries` ADD COLUMN `deleted_at` TEXT;
-- No foreign key: the successor may be purged, and its id still says that this fact is history.
ALTER TABLE `memory_entries` ADD COLUMN `superseded_by` INTEGER;
ALTER TABLE `memory_entries` ADD COLUMN `metadata` TEXT;
-- 0 until memrepo has checked `content_hash` against its rule: rows of another program, old or new.
ALTER TABLE `memory_entries` ADD COLUMN `hash_version` INTEGER NOT NULL DEFAULT 0;

ALTER TABLE `sessions` ADD COLUMN `scope` TEXT NOT NULL DEFAULT '';
-- 1 for sessions that memrepo started: the original starts one without asking whether another is open.
ALTER TABLE `sessions` ADD COLUMN `is_exclusive` INTEGER NOT NULL DEFAULT 0;

ALTER TABLE `daily_logs` ADD COLUMN `scope` TEXT NOT NULL DEFAULT '';
ALTER TABLE `daily_logs` ADD COLUMN `idempotency_key` TEXT;

-- Pages of facts, newest first, of all categories and of one.
CREATE INDEX `ix_memory_entries__scope_created_at` ON `memory_entries` (`scope`, `created_at`);
CREATE INDEX `ix_memory_entries__scope_category_created_at`
    ON `memory_entries` (`scope`, `category`, `created_at`);
-- The rest of the facts' indexes hold only the few rows they are about.
CREATE INDEX `ix_memory_entries__deleted_at` ON `memory_entries` (`scope`, `deleted_at`)
    WHERE `deleted_at` IS NOT NULL;
CREATE INDEX `ix_memory_entries__expires_at` ON `memory_entries` (`scope`, `expires_at`)
    WHERE `expires_at` IS NOT NULL;
CREATE INDEX `ix_memory_entries__superseded_by` ON `memory_entries` (`superseded_by`)
    WHERE `superseded_by` IS NOT NULL;
CREATE INDEX `ix_memory_entries__hash_version` ON `memory_entries` (`id`)
    WHERE `hash_version` = 0;

CREATE INDEX `ix_sessions__scope_started_at` ON `sessions` (`scope`, `started_at`);
CREATE INDEX `ix_sessions__open` ON `sessions` (`scope`, `started_at`) WHERE `ended_at` IS NULL;
CREATE UNIQUE INDEX `ux_sessions__active` ON `sessions` (`scope`)
    WHERE `ended_at` IS NULL AND `is_exclusive` = 1;

CREATE INDEX `ix_daily_logs__scope_timestamp` ON `daily_logs` (`scope`, `timestamp`);
CREATE INDEX `ix_daily_logs__session_id_timestamp` ON `daily_logs` (`session_id`, `timestamp`);
CREATE UNIQUE INDEX `ux_daily_logs__idempotency_key` ON `daily_logs` (`scope`, `idempotency_key`)
    WHERE `idempotency_key` IS NOT NULL;
