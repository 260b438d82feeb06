-- What: the thread of a session, one active session per scope and thread; when a session was active without
--       an event; how far its summary goes.
-- Why: one owner has several conversations at once, as on a phone and on a laptop. A session that was resumed, or
--       whose events were purged, has been active later than its events say. The summary of one that was resumed
--       does not know what followed.
-- While old code runs: yes. The new columns are nullable or have a default, and the original's sessions are in the
--       thread ''. An older memrepo knows no threads: what it starts is in the thread '', what it takes for the
--       active session is the latest open one of any thread of its scope, and it ends idle ones of all threads.

-- The caller's own name for a conversation.
ALTER TABLE `sessions` ADD COLUMN `thread` TEXT NOT NULL DEFAULT '';
-- NULL unless the session was resumed, or lost its latest event while it was open.
ALTER TABLE `sessions` ADD COLUMN `active_at` TEXT;
-- When the session was first resumed after its summary was set; NULL if it was not.
ALTER TABLE `sessions` ADD COLUMN `summarized_until` TEXT;

DROP INDEX `ux_sessions__active`;
CREATE UNIQUE INDEX `ux_sessions__active` ON `sessions` (`scope`, `thread`)
    WHERE `ended_at` IS NULL AND `is_exclusive` = 1;

-- Pages of a thread; its open sessions, also those of the original; its latest resumed one.
CREATE INDEX `ix_sessions__scope_thread_started_at` ON `sessions` (`scope`, `thread`, `started_at`);
CREATE INDEX `ix_sessions__open_thread` ON `sessions` (`scope`, `thread`, `started_at`)
    WHERE `ended_at` IS NULL;
CREATE INDEX `ix_sessions__active_at` ON `sessions` (`scope`, `thread`, `active_at`)
    WHERE `active_at` IS NOT NULL;
-- Sessions that a summary is to be made of.
CREATE INDEX `ix_sessions__unsummarized` ON `sessions` (`scope`, `started_at`) WHERE `summary` IS NULL;
