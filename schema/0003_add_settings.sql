-- What: a table of settings; how often a fact was restated; when a fact that never was was last accessed.
-- Why: the database keeps what holds for all programs that use it. The original system lists facts by
--      `last_accessed`, and picks its candidates by it: a new fact has to have it, and so it no longer
--      tells which facts are new.
-- While old code runs: yes. The new column has a default, and an older memrepo reads `last_accessed` as before.

CREATE TABLE `memrepo_settings` (
    `name` TEXT PRIMARY KEY NOT NULL,
    `value` TEXT NOT NULL
);

-- 0 for a fact that was stated once. The original's upsert does not count.
ALTER TABLE `memory_entries` ADD COLUMN `n_restated` INTEGER NOT NULL DEFAULT 0;

UPDATE `memory_entries` SET `last_accessed` = `created_at` WHERE `last_accessed` IS NULL;
