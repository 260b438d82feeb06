-- What: the session that a fact was learnt in; indexes of the current facts by their last access, and of the facts
--       of a session.
-- Why: what was learnt together is recalled together, and the facts that were accessed last are what an agent
--      should have in mind.
-- While old code runs: yes. The column is nullable, and the foreign key lets every session be deleted.

-- A foreign key and no trigger on `sessions`: that would keep another program from dropping the column.
ALTER TABLE `memory_entries` ADD COLUMN `session_id` INTEGER REFERENCES `sessions` (`id`) ON DELETE SET NULL;

CREATE INDEX `ix_memory_entries__session_id_created_at` ON `memory_entries` (`session_id`, `created_at`)
    WHERE `session_id` IS NOT NULL;
-- Without what is forgotten or superseded, so that however much there is of it need not be passed over.
CREATE INDEX `ix_memory_entries__scope_last_accessed` ON `memory_entries` (`scope`, `last_accessed`)
    WHERE `deleted_at` IS NULL AND `superseded_by` IS NULL;
