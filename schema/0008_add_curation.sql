-- What: what keeps facts in order: the slot that a fact fills, whether it is only proposed, pinned, due, and surfaced.
-- Why: a correction replaces what it corrects, what a model guessed waits for approval, and what matters now comes
--      first.
-- While old code runs: yes. The columns are nullable. A proposal has a `deleted_at`, so that the original and an
--       older memrepo take it for a forgotten fact, and show it as little as one; where they restore it, it is
--       approved. They may restore a fact whose slot is filled again: then two facts fill it, the newer counts,
--       and `verify` names the other.

-- The caller's name for what one current fact of a scope tells, as `home_city`.
ALTER TABLE `memory_entries` ADD COLUMN `slot` TEXT;
-- When it was proposed; NULL unless it waits for approval.
ALTER TABLE `memory_entries` ADD COLUMN `proposed_at` TEXT;
-- When it was pinned; NULL unless it is to come first in what an agent has in mind.
ALTER TABLE `memory_entries` ADD COLUMN `pinned_at` TEXT;
-- When it is to be brought up; NULL if never.
ALTER TABLE `memory_entries` ADD COLUMN `due_at` TEXT;
-- When it was brought up; NULL while it was not.
ALTER TABLE `memory_entries` ADD COLUMN `surfaced_at` TEXT;

CREATE INDEX `ix_memory_entries__scope_slot` ON `memory_entries` (`scope`, `slot`)
    WHERE `slot` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL;
CREATE INDEX `ix_memory_entries__scope_proposed_at` ON `memory_entries` (`scope`, `proposed_at`)
    WHERE `proposed_at` IS NOT NULL;
CREATE INDEX `ix_memory_entries__scope_pinned_at` ON `memory_entries` (`scope`, `pinned_at`)
    WHERE `pinned_at` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL;
CREATE INDEX `ix_memory_entries__scope_due_at` ON `memory_entries` (`scope`, `due_at`)
    WHERE `due_at` IS NOT NULL AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL;
