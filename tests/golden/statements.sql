-- The SQL of every statement, as tests/queries/test_statements.py pins it. Each clause is on a line of its own.
-- Write it anew: .venv/bin/python -m tests.queries.test_statements

-- adoption.approve
UPDATE `memory_entries`
SET `deleted_at`=NULL,`proposed_at`=NULL,`slot`=NULL
FROM (SELECT DISTINCT json_extract(`item`.`value`,'$[1]') AS `hash`
FROM json_each(:batch) `item` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`id`=json_extract(`item`.`value`,'$[0]') AND `fact`.`deleted_at` IS NULL AND `fact`.`superseded_by` IS NULL) `stated`
WHERE `memory_entries`.`content_hash`=`stated`.`hash` AND `memory_entries`.`deleted_at`=`memory_entries`.`proposed_at`;

-- adoption.clear_push
DELETE
FROM `memrepo_settings`
WHERE `name`='pushed_at';

-- adoption.clear_wrong
UPDATE `memory_entries`
SET `content_hash`=null
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`content_hash`<>json_extract(`item`.`value`,'$[1]');

-- adoption.extend
UPDATE `memory_entries`
SET `expires_at`=nullif(`stated`.`until`,'never')
FROM (SELECT json_extract(`item`.`value`,'$[1]') AS `hash`,max(ifnull(`fact`.`expires_at`,'never')) AS `until`
FROM json_each(:batch) `item` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`id`=json_extract(`item`.`value`,'$[0]') AND `fact`.`deleted_at` IS NULL AND `fact`.`superseded_by` IS NULL GROUP BY `hash`) `stated`
WHERE `memory_entries`.`content_hash`=`stated`.`hash` AND `memory_entries`.`expires_at`<`stated`.`until` AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL;

-- adoption.hand_on
UPDATE `memory_entries`
SET `pinned_at`=ifnull(`memory_entries`.`pinned_at`,`spare`.`pinned_at`),`due_at`=CASE WHEN `spare`.`due_at` IS NOT NULL AND (`memory_entries`.`due_at` IS NULL OR `memory_entries`.`surfaced_at` IS NOT NULL AND `spare`.`surfaced_at` IS NULL) THEN `spare`.`due_at` ELSE `memory_entries`.`due_at` END,`surfaced_at`=CASE WHEN `spare`.`due_at` IS NOT NULL AND (`memory_entries`.`due_at` IS NULL OR `memory_entries`.`surfaced_at` IS NOT NULL AND `spare`.`surfaced_at` IS NULL) THEN `spare`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END
FROM (SELECT json_extract(`item`.`value`,'$[1]') AS `hash`,min(`fact`.`pinned_at`) AS `pinned_at`,ifnull(min(CASE WHEN `fact`.`surfaced_at` IS NULL THEN `fact`.`due_at` END),min(`fact`.`due_at`)) AS `due_at`,CASE WHEN count(CASE WHEN `fact`.`surfaced_at` IS NULL THEN `fact`.`due_at` END)=0 THEN max(`fact`.`surfaced_at`) END AS `surfaced_at`
FROM json_each(:batch) `item` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`id`=json_extract(`item`.`value`,'$[0]') AND `fact`.`content_hash` IS NOT `hash` AND `fact`.`deleted_at` IS NULL AND `fact`.`superseded_by` IS NULL GROUP BY `hash`) `spare`
WHERE `memory_entries`.`content_hash`=`spare`.`hash` AND (`spare`.`pinned_at` IS NOT NULL OR `spare`.`due_at` IS NOT NULL) AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL;

-- adoption.hand_over
UPDATE `memory_entries`
SET `content_hash`=NULL
FROM (WITH RECURSIVE `chain`(`id`,`hash`) AS (SELECT `head`.`id`,json_extract(`item`.`value`,'$[1]')
FROM json_each(:batch) `item` CROSS JOIN `memory_entries` `head`
WHERE `head`.`id`=json_extract(`item`.`value`,'$[0]') AND `head`.`content_hash` IS NULL AND `head`.`superseded_by` IS NULL UNION
SELECT `fact`.`id`,`chain`.`hash`
FROM `chain` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`superseded_by`=`chain`.`id`)
SELECT `id`,`hash`
FROM `chain`) `chain`
WHERE `memory_entries`.`id`=`chain`.`id` AND `memory_entries`.`content_hash`=`chain`.`hash`;

-- adoption.link_duplicates
UPDATE `memory_entries`
SET `superseded_by`=(SELECT `keeper`.`id`
FROM `memory_entries` `keeper`
WHERE `keeper`.`content_hash`=json_extract(`item`.`value`,'$[1]')),`proposed_at`=null
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND (`memory_entries`.`content_hash` IS NULL OR `memory_entries`.`content_hash`<>json_extract(`item`.`value`,'$[1]')) AND `memory_entries`.`superseded_by` IS NULL;

-- adoption.lose
UPDATE `memory_entries`
SET `scope`='lost+found'
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=`item`.`value`;

-- adoption.mark_checked
UPDATE `memory_entries`
SET `hash_version`=2
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]');

-- adoption.note_push
INSERT INTO `memrepo_settings` (`name`,`value`)
SELECT 'pushed_at',:now
WHERE EXISTS (SELECT 1
FROM `memory_entries`);

-- adoption.set_hash
UPDATE `memory_entries`
SET `content_hash`=json_extract(`item`.`value`,'$[1]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND (`memory_entries`.`content_hash` IS NULL OR `memory_entries`.`content_hash`<>json_extract(`item`.`value`,'$[1]')) AND (SELECT `keeper`.`id`
FROM `memory_entries` `keeper`
WHERE `keeper`.`content_hash`=json_extract(`item`.`value`,'$[1]')) IS NULL;

-- adoption.unchecked
SELECT `id`,`scope`,CAST(`content` AS BLOB),`content_hash`
FROM `memory_entries`
WHERE `hash_version`=0 AND `id`>:after
ORDER BY `id`
LIMIT :limit;

-- adoption.unchecked_visible
SELECT `id`,`scope`,CAST(`content` AS BLOB),`content_hash`
FROM `memory_entries`
WHERE `hash_version`=0 AND `id`>:after AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `id`
LIMIT :limit;

-- adoption.was_pushed
SELECT 1
FROM `memrepo_settings`
WHERE `name`='pushed_at';

-- amounts.categories
WITH RECURSIVE `found`(`name`) AS (
SELECT min(`category`)
FROM `memory_entries`
WHERE `scope`=:scope UNION ALL
SELECT (SELECT min(`category`)
FROM `memory_entries`
WHERE `scope`=:scope AND `category`>`name`)
FROM `found`
WHERE `name` IS NOT NULL
LIMIT :limit )
SELECT `name`
FROM `found`
WHERE `name` IS NOT NULL;

-- amounts.counts_by_session
SELECT `sessions`.`id`,(SELECT COUNT(*)
FROM (SELECT 1
FROM `daily_logs`
WHERE `daily_logs`.`session_id`=`sessions`.`id`
LIMIT :most) `part`),(SELECT COUNT(*)
FROM (SELECT 1
FROM `memory_entries`
WHERE `memory_entries`.`session_id`=`sessions`.`id`
LIMIT :most) `part`)
FROM json_each(:ids) `item` CROSS JOIN `sessions`
WHERE `sessions`.`id`=`item`.`value` AND `sessions`.`scope`=:scope;

-- amounts.of_category
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category;

-- amounts.scopes ()
WITH RECURSIVE `found`(`scope`) AS (
SELECT (SELECT min(`lowest`)
FROM (SELECT min(`scope`) AS `lowest`
FROM `memory_entries` UNION ALL
SELECT min(`scope`) AS `lowest`
FROM `sessions` UNION ALL
SELECT min(`scope`) AS `lowest`
FROM `daily_logs`) AS `part`) UNION ALL
SELECT (SELECT min(`lowest`)
FROM (SELECT min(`scope`) AS `lowest`
FROM `memory_entries`
WHERE `scope` > `found`.`scope` UNION ALL
SELECT min(`scope`) AS `lowest`
FROM `sessions`
WHERE `scope` > `found`.`scope` UNION ALL
SELECT min(`scope`) AS `lowest`
FROM `daily_logs`
WHERE `scope` > `found`.`scope`) AS `part`)
FROM `found`
WHERE `found`.`scope` IS NOT NULL
LIMIT :limit )
SELECT `scope`, (SELECT count(*)
FROM (SELECT 1
FROM `memory_entries`
WHERE `scope`=`found`.`scope`
LIMIT :most) AS `part`), (SELECT count(*)
FROM (SELECT 1
FROM `sessions`
WHERE `scope`=`found`.`scope`
LIMIT :most) AS `part`), (SELECT count(*)
FROM (SELECT 1
FROM `daily_logs`
WHERE `scope`=`found`.`scope`
LIMIT :most) AS `part`)
FROM `found`
WHERE `scope` IS NOT NULL;

-- amounts.scopes () after
WITH RECURSIVE `found`(`scope`) AS (
SELECT (SELECT min(`lowest`)
FROM (SELECT min(`scope`) AS `lowest`
FROM `memory_entries`
WHERE `scope` > :after UNION ALL
SELECT min(`scope`) AS `lowest`
FROM `sessions`
WHERE `scope` > :after UNION ALL
SELECT min(`scope`) AS `lowest`
FROM `daily_logs`
WHERE `scope` > :after) AS `part`) UNION ALL
SELECT (SELECT min(`lowest`)
FROM (SELECT min(`scope`) AS `lowest`
FROM `memory_entries`
WHERE `scope` > `found`.`scope` UNION ALL
SELECT min(`scope`) AS `lowest`
FROM `sessions`
WHERE `scope` > `found`.`scope` UNION ALL
SELECT min(`scope`) AS `lowest`
FROM `daily_logs`
WHERE `scope` > `found`.`scope`) AS `part`)
FROM `found`
WHERE `found`.`scope` IS NOT NULL
LIMIT :limit )
SELECT `scope`, (SELECT count(*)
FROM (SELECT 1
FROM `memory_entries`
WHERE `scope`=`found`.`scope`
LIMIT :most) AS `part`), (SELECT count(*)
FROM (SELECT 1
FROM `sessions`
WHERE `scope`=`found`.`scope`
LIMIT :most) AS `part`), (SELECT count(*)
FROM (SELECT 1
FROM `daily_logs`
WHERE `scope`=`found`.`scope`
LIMIT :most) AS `part`)
FROM `found`
WHERE `scope` IS NOT NULL;

-- amounts.sources
SELECT DISTINCT `source`
FROM (
SELECT `source`
FROM `memory_entries`
WHERE `scope`=:scope
ORDER BY `created_at` DESC, `id` DESC
LIMIT :window ) AS `newest`
ORDER BY `source`
LIMIT :limit;

-- browsing.edge () all
SELECT `created_at`,`id`
FROM `memory_entries`
WHERE `scope`=:scope
ORDER BY `created_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () all after
SELECT `created_at`,`id`
FROM `memory_entries`
WHERE `scope`=:scope AND (`created_at`,`id`)<(:after,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () current
SELECT `created_at`,`id`
FROM `memory_entries`
WHERE `scope`=:scope
ORDER BY `created_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () current after
SELECT `created_at`,`id`
FROM `memory_entries`
WHERE `scope`=:scope AND (`created_at`,`id`)<(:after,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () due
SELECT `due_at`,`id`
FROM `memory_entries`
WHERE `due_at` IS NOT NULL AND `due_at`>'' AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope
ORDER BY `due_at` ASC,`id` ASC
LIMIT 1 OFFSET :window;

-- browsing.edge () due after
SELECT `due_at`,`id`
FROM `memory_entries`
WHERE `due_at` IS NOT NULL AND `due_at`>'' AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`due_at`,`id`)>(:after,:after_id)
ORDER BY `due_at` ASC,`id` ASC
LIMIT 1 OFFSET :window;

-- browsing.edge () expired
SELECT `expires_at`,`id`
FROM `memory_entries`
WHERE `expires_at`<=:now AND `scope`=:scope
ORDER BY `expires_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () expired after
SELECT `expires_at`,`id`
FROM `memory_entries`
WHERE `expires_at`<=:now AND `scope`=:scope AND (`expires_at`,`id`)<(:after,:after_id)
ORDER BY `expires_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () expiring
SELECT `expires_at`,`id`
FROM `memory_entries`
WHERE `expires_at`>:now AND `scope`=:scope
ORDER BY `expires_at` ASC,`id` ASC
LIMIT 1 OFFSET :window;

-- browsing.edge () expiring after
SELECT `expires_at`,`id`
FROM `memory_entries`
WHERE `expires_at`>:now AND `scope`=:scope AND (`expires_at`,`id`)>(:after,:after_id)
ORDER BY `expires_at` ASC,`id` ASC
LIMIT 1 OFFSET :window;

-- browsing.edge () forgotten
SELECT `deleted_at`,`id`
FROM `memory_entries`
WHERE `deleted_at` IS NOT NULL AND `deleted_at`>'' AND `scope`=:scope
ORDER BY `deleted_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () forgotten after
SELECT `deleted_at`,`id`
FROM `memory_entries`
WHERE `deleted_at` IS NOT NULL AND `deleted_at`>'' AND `scope`=:scope AND (`deleted_at`,`id`)<(:after,:after_id)
ORDER BY `deleted_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () pinned
SELECT `pinned_at`,`id`
FROM `memory_entries`
WHERE `pinned_at` IS NOT NULL AND `pinned_at`>'' AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope
ORDER BY `pinned_at` ASC,`id` ASC
LIMIT 1 OFFSET :window;

-- browsing.edge () pinned after
SELECT `pinned_at`,`id`
FROM `memory_entries`
WHERE `pinned_at` IS NOT NULL AND `pinned_at`>'' AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`pinned_at`,`id`)>(:after,:after_id)
ORDER BY `pinned_at` ASC,`id` ASC
LIMIT 1 OFFSET :window;

-- browsing.edge () proposed
SELECT `proposed_at`,`id`
FROM `memory_entries`
WHERE `proposed_at` IS NOT NULL AND `proposed_at`>'' AND `scope`=:scope
ORDER BY `proposed_at` ASC,`id` ASC
LIMIT 1 OFFSET :window;

-- browsing.edge () proposed after
SELECT `proposed_at`,`id`
FROM `memory_entries`
WHERE `proposed_at` IS NOT NULL AND `proposed_at`>'' AND `scope`=:scope AND (`proposed_at`,`id`)>(:after,:after_id)
ORDER BY `proposed_at` ASC,`id` ASC
LIMIT 1 OFFSET :window;

-- browsing.edge () superseded
SELECT `superseded_by`,`id`
FROM `memory_entries`
WHERE `superseded_by` IS NOT NULL
ORDER BY `superseded_by` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge () superseded after
SELECT `superseded_by`,`id`
FROM `memory_entries`
WHERE `superseded_by` IS NOT NULL AND (`superseded_by`,`id`)<(:after,:after_id)
ORDER BY `superseded_by` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.edge (category, source) current after
SELECT `created_at`,`id`
FROM `memory_entries`
WHERE `scope`=:scope AND (`created_at`,`id`)<(:after,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT 1 OFFSET :window;

-- browsing.fact
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `id`=:id AND `scope`=:scope;

-- browsing.few ()
SELECT (SELECT COUNT(*)
FROM (SELECT 1
FROM `memory_entries`
WHERE `pinned_at` IS NOT NULL AND `pinned_at`>'' AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now)
LIMIT :most) `part`),(SELECT COUNT(*)
FROM (SELECT 1
FROM `memory_entries`
WHERE `proposed_at` IS NOT NULL AND `proposed_at`>'' AND `scope`=:scope AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND (`expires_at` IS NULL OR `expires_at`>:now)
LIMIT :most) `part`),(SELECT COUNT(*)
FROM (SELECT 1
FROM `memory_entries`
WHERE `due_at` IS NOT NULL AND `due_at`>'' AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now)
LIMIT :most) `part`),(SELECT COUNT(*)
FROM (SELECT 1
FROM `memory_entries`
WHERE `expires_at`>:now AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL
LIMIT :most) `part`),(SELECT COUNT(*)
FROM (SELECT 1
FROM `memory_entries`
WHERE `expires_at`<=:now AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL
LIMIT :most) `part`);

-- browsing.page () all
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () all after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`created_at`,`id`)<(:after,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () current
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () current after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`created_at`,`id`)<(:after,:after_id) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () due
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `due_at` IS NOT NULL AND `due_at`>'' AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `due_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page () due after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `due_at` IS NOT NULL AND `due_at`>'' AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`due_at`,`id`)>(:after,:after_id) AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `due_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page () expired
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `expires_at`<=:now AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `expires_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () expired after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `expires_at`<=:now AND `scope`=:scope AND (`expires_at`,`id`)<(:after,:after_id) AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `expires_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () expiring
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `expires_at`>:now AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `expires_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page () expiring after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `expires_at`>:now AND `scope`=:scope AND (`expires_at`,`id`)>(:after,:after_id) AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `expires_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page () forgotten
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `deleted_at` IS NOT NULL AND `deleted_at`>'' AND `scope`=:scope AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`)
ORDER BY `deleted_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () forgotten after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `deleted_at` IS NOT NULL AND `deleted_at`>'' AND `scope`=:scope AND (`deleted_at`,`id`)<(:after,:after_id) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`)
ORDER BY `deleted_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () pinned
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `pinned_at` IS NOT NULL AND `pinned_at`>'' AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `pinned_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page () pinned after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `pinned_at` IS NOT NULL AND `pinned_at`>'' AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`pinned_at`,`id`)>(:after,:after_id) AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `pinned_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page () proposed
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `proposed_at` IS NOT NULL AND `proposed_at`>'' AND `scope`=:scope AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `proposed_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page () proposed after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `proposed_at` IS NOT NULL AND `proposed_at`>'' AND `scope`=:scope AND (`proposed_at`,`id`)>(:after,:after_id) AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `proposed_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page () superseded
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `superseded_by` IS NOT NULL AND `deleted_at` IS NULL AND +`scope`=:scope
ORDER BY `superseded_by` DESC,`id` DESC
LIMIT :limit;

-- browsing.page () superseded after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `superseded_by` IS NOT NULL AND (`superseded_by`,`id`)<(:after,:after_id) AND `deleted_at` IS NULL AND +`scope`=:scope
ORDER BY `superseded_by` DESC,`id` DESC
LIMIT :limit;

-- browsing.page (category, source) all until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND (`created_at`,`id`)<(:after,:after_id) AND `category`=:category AND `source`=:source AND (`created_at`,`id`)>=(:until,:until_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page (category, source) current until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`created_at`,`id`)<(:after,:after_id) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND `category`=:category AND `source`=:source AND (`created_at`,`id`)>=(:until,:until_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page (category, source) due until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `due_at` IS NOT NULL AND `due_at`>'' AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`due_at`,`id`)>(:after,:after_id) AND (`expires_at` IS NULL OR `expires_at`>:now) AND `category`=:category AND `source`=:source AND (`due_at`,`id`)<=(:until,:until_id)
ORDER BY `due_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page (category, source) expired until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `expires_at`<=:now AND `scope`=:scope AND (`expires_at`,`id`)<(:after,:after_id) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `category`=:category AND `source`=:source AND (`expires_at`,`id`)>=(:until,:until_id)
ORDER BY `expires_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page (category, source) expiring until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `expires_at`>:now AND `scope`=:scope AND (`expires_at`,`id`)>(:after,:after_id) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `category`=:category AND `source`=:source AND (`expires_at`,`id`)<=(:until,:until_id)
ORDER BY `expires_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page (category, source) forgotten until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `deleted_at` IS NOT NULL AND `deleted_at`>'' AND `scope`=:scope AND (`deleted_at`,`id`)<(:after,:after_id) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND `category`=:category AND `source`=:source AND (`deleted_at`,`id`)>=(:until,:until_id)
ORDER BY `deleted_at` DESC,`id` DESC
LIMIT :limit;

-- browsing.page (category, source) pinned until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `pinned_at` IS NOT NULL AND `pinned_at`>'' AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `scope`=:scope AND (`pinned_at`,`id`)>(:after,:after_id) AND (`expires_at` IS NULL OR `expires_at`>:now) AND `category`=:category AND `source`=:source AND (`pinned_at`,`id`)<=(:until,:until_id)
ORDER BY `pinned_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page (category, source) proposed until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `proposed_at` IS NOT NULL AND `proposed_at`>'' AND `scope`=:scope AND (`proposed_at`,`id`)>(:after,:after_id) AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND (`expires_at` IS NULL OR `expires_at`>:now) AND `category`=:category AND `source`=:source AND (`proposed_at`,`id`)<=(:until,:until_id)
ORDER BY `proposed_at` ASC,`id` ASC
LIMIT :limit;

-- browsing.page (category, source) superseded until after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `superseded_by` IS NOT NULL AND (`superseded_by`,`id`)<(:after,:after_id) AND `deleted_at` IS NULL AND +`scope`=:scope AND `category`=:category AND `source`=:source AND (`superseded_by`,`id`)>=(:until,:until_id)
ORDER BY `superseded_by` DESC,`id` DESC
LIMIT :limit;

-- browsing.predecessors
WITH RECURSIVE `chain`(`id`, `step`) AS (
SELECT `known`.`id`, 1
FROM `memory_entries` AS `known`
WHERE `known`.`superseded_by`=:id AND `known`.`scope`=:scope UNION
SELECT `known`.`id`, `step`+1
FROM `chain` JOIN `memory_entries` AS `known` ON `known`.`superseded_by`=`chain`.`id`
WHERE `known`.`scope`=:scope AND `step`<:most
LIMIT :most )
SELECT `memory_entries`.`id`, `memory_entries`.`content`, `memory_entries`.`content_hash`, `memory_entries`.`category`, `memory_entries`.`source`, `memory_entries`.`created_at`, `memory_entries`.`last_accessed`, `memory_entries`.`scope`, `memory_entries`.`expires_at`, `memory_entries`.`deleted_at`, `memory_entries`.`superseded_by`, `memory_entries`.`metadata`, `memory_entries`.`session_id`, `memory_entries`.`slot`, `memory_entries`.`proposed_at`, `memory_entries`.`pinned_at`, `memory_entries`.`due_at`, `memory_entries`.`surfaced_at`
FROM (SELECT DISTINCT `id`
FROM `chain`) AS `found` CROSS JOIN `memory_entries` ON `memory_entries`.`id`=`found`.`id`
WHERE `memory_entries`.`id`<>:id AND `memory_entries`.`scope`=:scope
ORDER BY `created_at`, `memory_entries`.`id`;

-- browsing.successors
WITH RECURSIVE `chain`(`id`, `step`) AS (
SELECT `known`.`superseded_by`, 1
FROM `memory_entries` AS `known`
WHERE `known`.`id`=:id AND `known`.`scope`=:scope UNION
SELECT `known`.`superseded_by`, `step`+1
FROM `chain` JOIN `memory_entries` AS `known` ON `known`.`id`=`chain`.`id`
WHERE `known`.`scope`=:scope AND `step`<:most
LIMIT :most )
SELECT `memory_entries`.`id`, `memory_entries`.`content`, `memory_entries`.`content_hash`, `memory_entries`.`category`, `memory_entries`.`source`, `memory_entries`.`created_at`, `memory_entries`.`last_accessed`, `memory_entries`.`scope`, `memory_entries`.`expires_at`, `memory_entries`.`deleted_at`, `memory_entries`.`superseded_by`, `memory_entries`.`metadata`, `memory_entries`.`session_id`, `memory_entries`.`slot`, `memory_entries`.`proposed_at`, `memory_entries`.`pinned_at`, `memory_entries`.`due_at`, `memory_entries`.`surfaced_at`
FROM (SELECT DISTINCT `id`
FROM `chain`) AS `found` CROSS JOIN `memory_entries` ON `memory_entries`.`id`=`found`.`id`
WHERE `memory_entries`.`id`<>:id AND `memory_entries`.`scope`=:scope
ORDER BY `created_at`, `memory_entries`.`id`;

-- copying.add_number
INSERT INTO `sqlite_sequence` (`name`,`seq`)
SELECT :name,:seq
WHERE NOT EXISTS (SELECT 1
FROM `sqlite_sequence`
WHERE `name`=:name);

-- copying.any_import
SELECT 1
FROM `memrepo_settings`
WHERE `name` GLOB 'import.*'
LIMIT 1;

-- copying.bounds
SELECT (SELECT max(`id`)
FROM `sessions`), (SELECT count(*)
FROM `sessions`),(SELECT max(`id`)
FROM `memory_entries`), (SELECT count(*)
FROM `memory_entries`),(SELECT max(`id`)
FROM `daily_logs`), (SELECT count(*)
FROM `daily_logs`);

-- copying.count (daily_logs)
SELECT count(*)
FROM `daily_logs`
WHERE `id`>=:first AND `id`<=:last;

-- copying.count (memory_entries)
SELECT count(*)
FROM `memory_entries`
WHERE `id`>=:first AND `id`<=:last;

-- copying.count (sessions)
SELECT count(*)
FROM `sessions`
WHERE `id`>=:first AND `id`<=:last;

-- copying.counts_of_scope
SELECT (SELECT count(*)
FROM `sessions`
WHERE `scope`=:scope),(SELECT count(*)
FROM `memory_entries`
WHERE `scope`=:scope),(SELECT count(*)
FROM `daily_logs`
WHERE `scope`=:scope);

-- copying.encoding
SELECT `encoding`
FROM pragma_encoding;

-- copying.has_numbers
SELECT count(*)
FROM `sqlite_master`
WHERE `name`='sqlite_sequence';

-- copying.holder
SELECT `item`.`key`,`fact`.`id`
FROM json_each(:slots) `item` CROSS JOIN `memory_entries` `fact` ON `fact`.`scope`=json_extract(`item`.`value`,'$[0]') AND `fact`.`slot`=json_extract(`item`.`value`,'$[1]') AND `fact`.`slot` IS NOT NULL AND `fact`.`deleted_at` IS NULL AND `fact`.`superseded_by` IS NULL
WHERE (`fact`.`expires_at` IS NULL OR `fact`.`expires_at`>:now) AND NOT (`fact`.`id` BETWEEN :first AND :last)
ORDER BY `item`.`key`,`fact`.`id`
LIMIT 1;

-- copying.holders
SELECT `id`,hex(`scope`),hex(`slot`)
FROM `memory_entries`
WHERE `slot` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND `id`>=:first
ORDER BY `id`
LIMIT :limit;

-- copying.import
SELECT `value`
FROM `memrepo_settings`
WHERE `name`=:name;

-- copying.insert_many (daily_logs)
INSERT OR IGNORE INTO `daily_logs` (`id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`)
SELECT json_extract(`item`.`value`,'$[0]'),json_extract(`item`.`value`,'$[1]'),json_extract(`item`.`value`,'$[2]'),json_extract(`item`.`value`,'$[3]'),json_extract(`item`.`value`,'$[4]'),json_extract(`item`.`value`,'$[5]'),json_extract(`item`.`value`,'$[6]')
FROM json_each(:batch) `item`
RETURNING `id`;

-- copying.insert_many (memory_entries)
INSERT OR IGNORE INTO `memory_entries` (`id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`hash_version`,`n_restated`)
SELECT json_extract(`item`.`value`,'$[0]'),json_extract(`item`.`value`,'$[1]'),json_extract(`item`.`value`,'$[2]'),json_extract(`item`.`value`,'$[3]'),json_extract(`item`.`value`,'$[4]'),json_extract(`item`.`value`,'$[5]'),json_extract(`item`.`value`,'$[6]'),json_extract(`item`.`value`,'$[7]'),json_extract(`item`.`value`,'$[8]'),json_extract(`item`.`value`,'$[9]'),json_extract(`item`.`value`,'$[10]'),json_extract(`item`.`value`,'$[11]'),json_extract(`item`.`value`,'$[12]'),json_extract(`item`.`value`,'$[13]'),json_extract(`item`.`value`,'$[14]'),json_extract(`item`.`value`,'$[15]'),json_extract(`item`.`value`,'$[16]'),json_extract(`item`.`value`,'$[17]'),json_extract(`item`.`value`,'$[18]'),json_extract(`item`.`value`,'$[19]')
FROM json_each(:batch) `item`
RETURNING `id`;

-- copying.insert_many (sessions)
INSERT OR IGNORE INTO `sessions` (`id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,`is_exclusive`,`active_at`,`summarized_until`)
SELECT json_extract(`item`.`value`,'$[0]'),json_extract(`item`.`value`,'$[1]'),json_extract(`item`.`value`,'$[2]'),json_extract(`item`.`value`,'$[3]'),json_extract(`item`.`value`,'$[4]'),json_extract(`item`.`value`,'$[5]'),json_extract(`item`.`value`,'$[6]'),json_extract(`item`.`value`,'$[7]'),json_extract(`item`.`value`,'$[8]'),json_extract(`item`.`value`,'$[9]')
FROM json_each(:batch) `item`
RETURNING `id`;

-- copying.insert_one (daily_logs)
INSERT OR IGNORE INTO `daily_logs` (`id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`)
VALUES (:id,:session_id,CASE WHEN :event_type_is_text THEN CAST(:event_type AS TEXT) ELSE :event_type END,CASE WHEN :event_data_is_text THEN CAST(:event_data AS TEXT) ELSE :event_data END,CASE WHEN :timestamp_is_text THEN CAST(:timestamp AS TEXT) ELSE :timestamp END,CASE WHEN :scope_is_text THEN CAST(:scope AS TEXT) ELSE :scope END,CASE WHEN :idempotency_key_is_text THEN CAST(:idempotency_key AS TEXT) ELSE :idempotency_key END)
RETURNING `id`;

-- copying.insert_one (memory_entries)
INSERT OR IGNORE INTO `memory_entries` (`id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`hash_version`,`n_restated`)
VALUES (:id,CASE WHEN :content_is_text THEN CAST(:content AS TEXT) ELSE :content END,CASE WHEN :content_hash_is_text THEN CAST(:content_hash AS TEXT) ELSE :content_hash END,CASE WHEN :category_is_text THEN CAST(:category AS TEXT) ELSE :category END,CASE WHEN :source_is_text THEN CAST(:source AS TEXT) ELSE :source END,CASE WHEN :created_at_is_text THEN CAST(:created_at AS TEXT) ELSE :created_at END,CASE WHEN :last_accessed_is_text THEN CAST(:last_accessed AS TEXT) ELSE :last_accessed END,CASE WHEN :scope_is_text THEN CAST(:scope AS TEXT) ELSE :scope END,CASE WHEN :expires_at_is_text THEN CAST(:expires_at AS TEXT) ELSE :expires_at END,CASE WHEN :deleted_at_is_text THEN CAST(:deleted_at AS TEXT) ELSE :deleted_at END,:superseded_by,CASE WHEN :metadata_is_text THEN CAST(:metadata AS TEXT) ELSE :metadata END,:session_id,CASE WHEN :slot_is_text THEN CAST(:slot AS TEXT) ELSE :slot END,CASE WHEN :proposed_at_is_text THEN CAST(:proposed_at AS TEXT) ELSE :proposed_at END,CASE WHEN :pinned_at_is_text THEN CAST(:pinned_at AS TEXT) ELSE :pinned_at END,CASE WHEN :due_at_is_text THEN CAST(:due_at AS TEXT) ELSE :due_at END,CASE WHEN :surfaced_at_is_text THEN CAST(:surfaced_at AS TEXT) ELSE :surfaced_at END,:hash_version,:n_restated)
RETURNING `id`;

-- copying.insert_one (sessions)
INSERT OR IGNORE INTO `sessions` (`id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,`is_exclusive`,`active_at`,`summarized_until`)
VALUES (:id,CASE WHEN :scope_is_text THEN CAST(:scope AS TEXT) ELSE :scope END,CASE WHEN :thread_is_text THEN CAST(:thread AS TEXT) ELSE :thread END,CASE WHEN :started_at_is_text THEN CAST(:started_at AS TEXT) ELSE :started_at END,CASE WHEN :ended_at_is_text THEN CAST(:ended_at AS TEXT) ELSE :ended_at END,CASE WHEN :end_trigger_is_text THEN CAST(:end_trigger AS TEXT) ELSE :end_trigger END,CASE WHEN :summary_is_text THEN CAST(:summary AS TEXT) ELSE :summary END,:is_exclusive,CASE WHEN :active_at_is_text THEN CAST(:active_at AS TEXT) ELSE :active_at END,CASE WHEN :summarized_until_is_text THEN CAST(:summarized_until AS TEXT) ELSE :summarized_until END)
RETURNING `id`;

-- copying.known
SELECT json_extract(`item`.`value`,'$[0]'),`fact`.`id`
FROM json_each(:facts) `item` CROSS JOIN `memory_entries` `fact` ON `fact`.`content_hash`=json_extract(`item`.`value`,'$[1]')
WHERE `fact`.`id`<>json_extract(`item`.`value`,'$[0]')
ORDER BY `item`.`key`;

-- copying.link_known
UPDATE `memory_entries`
SET `superseded_by`=json_extract(`item`.`value`,'$[1]')
FROM json_each(:links) `item`
WHERE `memory_entries`.`superseded_by`=json_extract(`item`.`value`,'$[0]') AND +`memory_entries`.`id` BETWEEN :first AND :last AND `memory_entries`.`id` NOT IN (WITH RECURSIVE `chain`(`id`) AS (SELECT json_extract(`item`.`value`,'$[1]') UNION
SELECT `fact`.`superseded_by`
FROM `chain` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`id`=`chain`.`id` AND `fact`.`superseded_by` IS NOT NULL)
SELECT `id`
FROM `chain`);

-- copying.note_import
INSERT OR IGNORE INTO `memrepo_settings` (`name`,`value`)
VALUES (:name,:value);

-- copying.numbers
SELECT `name`,`seq`
FROM `sqlite_sequence`;

-- copying.raise_number
UPDATE `sqlite_sequence`
SET `seq`=:seq
WHERE `name`=:name AND `seq`<:seq;

-- copying.read (daily_logs)
SELECT `id`,`session_id`,CAST(`event_type` AS BLOB),CAST(`event_data` AS BLOB),CAST(`timestamp` AS BLOB),CAST(`scope` AS BLOB),CAST(`idempotency_key` AS BLOB),(typeof(`event_type`)='blob')||(typeof(`event_data`)='blob')||(typeof(`timestamp`)='blob')||(typeof(`scope`)='blob')||(typeof(`idempotency_key`)='blob')
FROM `daily_logs`
WHERE `id`>=:first AND `id`<=(SELECT max(`page`.`id`)
FROM (SELECT `part`.`id`,sum(`part`.`size`) OVER (ORDER BY `part`.`id` ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS `before`
FROM (SELECT `id`, ifnull(length(CAST(`event_type` AS BLOB)),0)+ifnull(length(CAST(`event_data` AS BLOB)),0)+ifnull(length(CAST(`timestamp` AS BLOB)),0)+ifnull(length(CAST(`scope` AS BLOB)),0)+ifnull(length(CAST(`idempotency_key` AS BLOB)),0) AS `size`
FROM `daily_logs`
WHERE `id`>=:first AND `id`<=:last
ORDER BY `id`
LIMIT :limit) AS `part`) AS `page`
WHERE ifnull(`page`.`before`,0)<=:size)
ORDER BY `id`;

-- copying.read (memory_entries)
SELECT `id`,CAST(`content` AS BLOB),CAST(`content_hash` AS BLOB),CAST(`category` AS BLOB),CAST(`source` AS BLOB),CAST(`created_at` AS BLOB),CAST(`last_accessed` AS BLOB),CAST(`scope` AS BLOB),CAST(`expires_at` AS BLOB),CAST(`deleted_at` AS BLOB),`superseded_by`,CAST(`metadata` AS BLOB),`session_id`,CAST(`slot` AS BLOB),CAST(`proposed_at` AS BLOB),CAST(`pinned_at` AS BLOB),CAST(`due_at` AS BLOB),CAST(`surfaced_at` AS BLOB),`hash_version`,`n_restated`,(typeof(`content`)='blob')||(typeof(`content_hash`)='blob')||(typeof(`category`)='blob')||(typeof(`source`)='blob')||(typeof(`created_at`)='blob')||(typeof(`last_accessed`)='blob')||(typeof(`scope`)='blob')||(typeof(`expires_at`)='blob')||(typeof(`deleted_at`)='blob')||(typeof(`metadata`)='blob')||(typeof(`slot`)='blob')||(typeof(`proposed_at`)='blob')||(typeof(`pinned_at`)='blob')||(typeof(`due_at`)='blob')||(typeof(`surfaced_at`)='blob')
FROM `memory_entries`
WHERE `id`>=:first AND `id`<=(SELECT max(`page`.`id`)
FROM (SELECT `part`.`id`,sum(`part`.`size`) OVER (ORDER BY `part`.`id` ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS `before`
FROM (SELECT `id`, ifnull(length(CAST(`content` AS BLOB)),0)+ifnull(length(CAST(`content_hash` AS BLOB)),0)+ifnull(length(CAST(`category` AS BLOB)),0)+ifnull(length(CAST(`source` AS BLOB)),0)+ifnull(length(CAST(`created_at` AS BLOB)),0)+ifnull(length(CAST(`last_accessed` AS BLOB)),0)+ifnull(length(CAST(`scope` AS BLOB)),0)+ifnull(length(CAST(`expires_at` AS BLOB)),0)+ifnull(length(CAST(`deleted_at` AS BLOB)),0)+ifnull(length(CAST(`metadata` AS BLOB)),0)+ifnull(length(CAST(`slot` AS BLOB)),0)+ifnull(length(CAST(`proposed_at` AS BLOB)),0)+ifnull(length(CAST(`pinned_at` AS BLOB)),0)+ifnull(length(CAST(`due_at` AS BLOB)),0)+ifnull(length(CAST(`surfaced_at` AS BLOB)),0) AS `size`
FROM `memory_entries`
WHERE `id`>=:first AND `id`<=:last
ORDER BY `id`
LIMIT :limit) AS `part`) AS `page`
WHERE ifnull(`page`.`before`,0)<=:size)
ORDER BY `id`;

-- copying.read (sessions)
SELECT `id`,CAST(`scope` AS BLOB),CAST(`thread` AS BLOB),CAST(`started_at` AS BLOB),CAST(`ended_at` AS BLOB),CAST(`end_trigger` AS BLOB),CAST(`summary` AS BLOB),`is_exclusive`,CAST(`active_at` AS BLOB),CAST(`summarized_until` AS BLOB),(typeof(`scope`)='blob')||(typeof(`thread`)='blob')||(typeof(`started_at`)='blob')||(typeof(`ended_at`)='blob')||(typeof(`end_trigger`)='blob')||(typeof(`summary`)='blob')||(typeof(`active_at`)='blob')||(typeof(`summarized_until`)='blob')
FROM `sessions`
WHERE `id`>=:first AND `id`<=(SELECT max(`page`.`id`)
FROM (SELECT `part`.`id`,sum(`part`.`size`) OVER (ORDER BY `part`.`id` ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS `before`
FROM (SELECT `id`, ifnull(length(CAST(`scope` AS BLOB)),0)+ifnull(length(CAST(`thread` AS BLOB)),0)+ifnull(length(CAST(`started_at` AS BLOB)),0)+ifnull(length(CAST(`ended_at` AS BLOB)),0)+ifnull(length(CAST(`end_trigger` AS BLOB)),0)+ifnull(length(CAST(`summary` AS BLOB)),0)+ifnull(length(CAST(`active_at` AS BLOB)),0)+ifnull(length(CAST(`summarized_until` AS BLOB)),0) AS `size`
FROM `sessions`
WHERE `id`>=:first AND `id`<=:last
ORDER BY `id`
LIMIT :limit) AS `part`) AS `page`
WHERE ifnull(`page`.`before`,0)<=:size)
ORDER BY `id`;

-- daily_logs.append
INSERT INTO `daily_logs` (`scope`,`session_id`,`event_type`,`event_data`,`timestamp`,`idempotency_key`)
VALUES (:scope,CASE WHEN :session_id IS NULL THEN null ELSE COALESCE((SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope),-1) END,:event_type,:event_data,:now,:key)
RETURNING `id`;

-- daily_logs.append*2
INSERT INTO `daily_logs` (`scope`,`session_id`,`event_type`,`event_data`,`timestamp`,`idempotency_key`)
SELECT `item`.`column2`,CASE WHEN `item`.`column3` IS NULL THEN null ELSE COALESCE((SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`id`=`item`.`column3` AND `session`.`scope`=`item`.`column2`),-1) END,`item`.`column4`,`item`.`column5`,`item`.`column6`,`item`.`column7`
FROM (VALUES (0,:scope_0,:session_id_0,:event_type_0,:event_data_0,:now_0,:key_0),(1,:scope_1,:session_id_1,:event_type_1,:event_data_1,:now_1,:key_1)) `item`
RETURNING `id`;

-- daily_logs.append_many
INSERT OR IGNORE INTO `daily_logs` (`scope`,`session_id`,`event_type`,`event_data`,`timestamp`,`idempotency_key`)
SELECT :scope,CASE WHEN json_extract(`item`.`value`,'$[0]') IS NULL THEN null ELSE COALESCE((SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`id`=json_extract(`item`.`value`,'$[0]') AND `session`.`scope`=:scope),-1) END,json_extract(`item`.`value`,'$[1]'),json_extract(`item`.`value`,'$[2]'),COALESCE(json_extract(`item`.`value`,'$[4]'),:now),json_extract(`item`.`value`,'$[3]')
FROM json_each(:batch) `item`
WHERE json_extract(`item`.`value`,'$[3]') IS NULL OR NOT EXISTS (SELECT 1
FROM `daily_logs` `known`
WHERE `known`.`scope`=:scope AND `known`.`idempotency_key`=json_extract(`item`.`value`,'$[3]'))
ORDER BY `item`.`key`
RETURNING `id`,`idempotency_key`;

-- daily_logs.append_once
INSERT OR IGNORE INTO `daily_logs` (`scope`,`session_id`,`event_type`,`event_data`,`timestamp`,`idempotency_key`)
SELECT :scope,CASE WHEN :session_id IS NULL THEN null ELSE COALESCE((SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope),-1) END,:event_type,:event_data,:now,:key
WHERE NOT EXISTS (SELECT 1
FROM `daily_logs` `known`
WHERE `known`.`scope`=:scope AND `known`.`idempotency_key`=:key)
RETURNING `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`;

-- daily_logs.count ()
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope;

-- daily_logs.count (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from)
SELECT COUNT(*)
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before;

-- daily_logs.count_by_day
SELECT (SELECT COUNT(*)
FROM `daily_logs`
WHERE `daily_logs`.`scope`=:scope AND `daily_logs`.`timestamp`>=json_extract(`item`.`value`,'$[0]') AND `daily_logs`.`timestamp`<json_extract(`item`.`value`,'$[1]'))
FROM json_each(:days) `item`
ORDER BY `item`.`key`;

-- daily_logs.count_by_type ()
SELECT `event_type`,COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope GROUP BY `event_type`;

-- daily_logs.count_by_type (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from)
SELECT `event_type`,COUNT(*)
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before GROUP BY `event_type`;

-- daily_logs.count_deletable ()
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope;

-- daily_logs.count_deletable (data)
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null')));

-- daily_logs.count_deletable (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from)
SELECT COUNT(*)
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before AND `timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`timestamp`,'+0 days')=substr(`timestamp`,1,10) AND date(`timestamp`,'+0 days')>='0001';

-- daily_logs.count_deletable (event_type)
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type`=:event_type;

-- daily_logs.count_deletable (event_type, thread)
SELECT COUNT(*)
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type;

-- daily_logs.count_deletable (event_types)
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`);

-- daily_logs.count_deletable (session_id)
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope AND `session_id`=:session_id;

-- daily_logs.count_deletable (thread)
SELECT COUNT(*)
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread);

-- daily_logs.count_deletable (timestamp_before)
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`<:timestamp_before AND `timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`timestamp`,'+0 days')=substr(`timestamp`,1,10) AND date(`timestamp`,'+0 days')>='0001';

-- daily_logs.count_deletable (timestamp_from)
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:timestamp_from AND `timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`timestamp`,'+0 days')=substr(`timestamp`,1,10) AND date(`timestamp`,'+0 days')>='0001';

-- daily_logs.count_purgeable
SELECT COUNT(*)
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`<:before AND `timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`timestamp`,'+0 days')=substr(`timestamp`,1,10) AND date(`timestamp`,'+0 days')>='0001';

-- daily_logs.days
SELECT DISTINCT SUBSTRING(`timestamp`,1,10) `day`
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `day`;

-- daily_logs.delete
DELETE
FROM `daily_logs`
WHERE `id`=:id AND `scope`=:scope
RETURNING `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`;

-- daily_logs.delete_many ()
DELETE
FROM `daily_logs`
WHERE `scope`=:scope;

-- daily_logs.delete_many (data)
DELETE
FROM `daily_logs`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null')));

-- daily_logs.delete_many (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from)
DELETE
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before AND `timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`timestamp`,'+0 days')=substr(`timestamp`,1,10) AND date(`timestamp`,'+0 days')>='0001';

-- daily_logs.delete_many (event_type)
DELETE
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type`=:event_type;

-- daily_logs.delete_many (event_type, thread)
DELETE
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type;

-- daily_logs.delete_many (event_types)
DELETE
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`);

-- daily_logs.delete_many (session_id)
DELETE
FROM `daily_logs`
WHERE `scope`=:scope AND `session_id`=:session_id;

-- daily_logs.delete_many (thread)
DELETE
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread);

-- daily_logs.delete_many (timestamp_before)
DELETE
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`<:timestamp_before AND `timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`timestamp`,'+0 days')=substr(`timestamp`,1,10) AND date(`timestamp`,'+0 days')>='0001';

-- daily_logs.delete_many (timestamp_from)
DELETE
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:timestamp_from AND `timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`timestamp`,'+0 days')=substr(`timestamp`,1,10) AND date(`timestamp`,'+0 days')>='0001';

-- daily_logs.find_many ()
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many () after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many () after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many () newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (data)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null')))
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (data) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (data) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (data) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null')))
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (event_type)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type`=:event_type
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (event_type) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type`=:event_type AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (event_type) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type`=:event_type AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (event_type) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type`=:event_type
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (event_type, thread)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (event_type, thread) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (event_type, thread) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (event_type, thread) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (event_types)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (event_types) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (event_types) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (event_types) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (session_id)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `session_id`=:session_id
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (session_id) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `session_id`=:session_id AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (session_id) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `session_id`=:session_id AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (session_id) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `session_id`=:session_id
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (thread)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (thread) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (thread) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (thread) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (timestamp_before)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`<:timestamp_before
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (timestamp_before) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`<:timestamp_before AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (timestamp_before) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`<:timestamp_before AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (timestamp_before) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`<:timestamp_before
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (timestamp_from)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:timestamp_from
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (timestamp_from) after
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:timestamp_from AND (`timestamp`,`id`)>(:after_instant,:after_id)
ORDER BY `timestamp` ASC,`id` ASC
LIMIT :limit;

-- daily_logs.find_many (timestamp_from) after newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:timestamp_from AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.find_many (timestamp_from) newest_first
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:timestamp_from
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- daily_logs.get
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `id`=:id AND `scope`=:scope;

-- daily_logs.get_by_key
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `idempotency_key`=:key;

-- daily_logs.get_by_keys
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `scope`=:scope AND `idempotency_key` IN (SELECT json_extract(`item`.`value`,'$[0]')
FROM json_each(:keys) `item`);

-- daily_logs.get_many ()
SELECT `daily_logs`.`id`,`daily_logs`.`session_id`,`daily_logs`.`event_type`,`daily_logs`.`event_data`,`daily_logs`.`timestamp`,`daily_logs`.`scope`,`daily_logs`.`idempotency_key`
FROM json_each(:ids) `item` CROSS JOIN `daily_logs`
WHERE `daily_logs`.`id`=`item`.`value` AND `daily_logs`.`scope`=:scope;

-- daily_logs.keep_before_delete
UPDATE `sessions`
SET `active_at`=COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
WHERE `scope`=:scope AND `id`=(SELECT `session_id`
FROM `daily_logs`
WHERE `id`=:id AND `scope`=:scope) AND `ended_at` IS NULL AND EXISTS (SELECT 1
FROM `daily_logs`
WHERE `daily_logs`.`session_id`=`sessions`.`id` AND `daily_logs`.`timestamp`>=COALESCE(NULLIF(max(CASE WHEN `sessions`.`started_at`<=:latest THEN `sessions`.`started_at` ELSE '' END,CASE WHEN `sessions`.`active_at`<=:latest THEN `sessions`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`sessions`.`started_at`) AND `daily_logs`.`id`=:id AND `daily_logs`.`scope`=:scope);

-- daily_logs.keep_before_delete_many ()
UPDATE `sessions`
SET `active_at`=COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
WHERE `scope`=:scope AND `ended_at` IS NULL AND EXISTS (SELECT 1
FROM `daily_logs`
WHERE `daily_logs`.`session_id`=`sessions`.`id` AND `daily_logs`.`timestamp`>=COALESCE(NULLIF(max(CASE WHEN `sessions`.`started_at`<=:latest THEN `sessions`.`started_at` ELSE '' END,CASE WHEN `sessions`.`active_at`<=:latest THEN `sessions`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`sessions`.`started_at`) AND `daily_logs`.`scope`=:scope);

-- daily_logs.keep_before_delete_many (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from)
UPDATE `sessions`
SET `active_at`=COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
WHERE `scope`=:scope AND `id`=:session_id AND `thread`=:thread AND `ended_at` IS NULL AND EXISTS (SELECT 1
FROM `daily_logs`
WHERE `daily_logs`.`session_id`=`sessions`.`id` AND `daily_logs`.`timestamp`>=COALESCE(NULLIF(max(CASE WHEN `sessions`.`started_at`<=:latest THEN `sessions`.`started_at` ELSE '' END,CASE WHEN `sessions`.`active_at`<=:latest THEN `sessions`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`sessions`.`started_at`) AND +`daily_logs`.`scope`=:scope AND `daily_logs`.`session_id`=:session_id AND `daily_logs`.`session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `daily_logs`.`event_type`=:event_type AND `daily_logs`.`event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `daily_logs`.`timestamp`>=:timestamp_from AND `daily_logs`.`timestamp`<:timestamp_before AND `daily_logs`.`timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`daily_logs`.`timestamp`,'+0 days')=substr(`daily_logs`.`timestamp`,1,10) AND date(`daily_logs`.`timestamp`,'+0 days')>='0001');

-- daily_logs.keep_before_delete_many (event_type, thread)
UPDATE `sessions`
SET `active_at`=COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND EXISTS (SELECT 1
FROM `daily_logs`
WHERE `daily_logs`.`session_id`=`sessions`.`id` AND `daily_logs`.`timestamp`>=COALESCE(NULLIF(max(CASE WHEN `sessions`.`started_at`<=:latest THEN `sessions`.`started_at` ELSE '' END,CASE WHEN `sessions`.`active_at`<=:latest THEN `sessions`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`sessions`.`started_at`) AND +`daily_logs`.`scope`=:scope AND `daily_logs`.`session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `daily_logs`.`event_type`=:event_type);

-- daily_logs.keep_before_pop ()
UPDATE `sessions`
SET `active_at`=COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
WHERE `scope`=:scope AND `id`=(SELECT `session_id`
FROM `daily_logs`
WHERE `id`=(SELECT `id`
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1)) AND `ended_at` IS NULL AND EXISTS (SELECT 1
FROM `daily_logs`
WHERE `daily_logs`.`session_id`=`sessions`.`id` AND `daily_logs`.`timestamp`>=COALESCE(NULLIF(max(CASE WHEN `sessions`.`started_at`<=:latest THEN `sessions`.`started_at` ELSE '' END,CASE WHEN `sessions`.`active_at`<=:latest THEN `sessions`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`sessions`.`started_at`) AND `daily_logs`.`id`=(SELECT `id`
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1));

-- daily_logs.keep_before_pop (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from)
UPDATE `sessions`
SET `active_at`=COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
WHERE `scope`=:scope AND `id`=(SELECT `session_id`
FROM `daily_logs`
WHERE `id`=(SELECT `id`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1)) AND `ended_at` IS NULL AND EXISTS (SELECT 1
FROM `daily_logs`
WHERE `daily_logs`.`session_id`=`sessions`.`id` AND `daily_logs`.`timestamp`>=COALESCE(NULLIF(max(CASE WHEN `sessions`.`started_at`<=:latest THEN `sessions`.`started_at` ELSE '' END,CASE WHEN `sessions`.`active_at`<=:latest THEN `sessions`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`sessions`.`started_at`) AND `daily_logs`.`id`=(SELECT `id`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1));

-- daily_logs.keep_before_purge
UPDATE `sessions`
SET `active_at`=COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
WHERE `scope`=:scope AND `ended_at` IS NULL AND EXISTS (SELECT 1
FROM `daily_logs`
WHERE `daily_logs`.`session_id`=`sessions`.`id` AND `daily_logs`.`timestamp`>=COALESCE(NULLIF(max(CASE WHEN `sessions`.`started_at`<=:latest THEN `sessions`.`started_at` ELSE '' END,CASE WHEN `sessions`.`active_at`<=:latest THEN `sessions`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`sessions`.`started_at`) AND `daily_logs`.`scope`=:scope AND `daily_logs`.`timestamp`<:before AND `daily_logs`.`timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`daily_logs`.`timestamp`,'+0 days')=substr(`daily_logs`.`timestamp`,1,10) AND date(`daily_logs`.`timestamp`,'+0 days')>='0001');

-- daily_logs.pop_last ()
DELETE
FROM `daily_logs`
WHERE `id`=(SELECT `id`
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1)
RETURNING `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`;

-- daily_logs.pop_last (data, event_type, event_types, session_id, thread, timestamp_before, timestamp_from)
DELETE
FROM `daily_logs`
WHERE `id`=(SELECT `id`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id`=:session_id AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND NOT EXISTS (SELECT 1
FROM json_each(:data) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`event_data`) THEN `event_data` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `timestamp`>=:timestamp_from AND `timestamp`<:timestamp_before
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1)
RETURNING `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`;

-- daily_logs.pop_last (event_type, thread)
DELETE
FROM `daily_logs`
WHERE `id`=(SELECT `id`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1)
RETURNING `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`;

-- daily_logs.purge
DELETE
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`<:before AND `timestamp` GLOB '????-??-??T??:??:??.???Z' AND date(`timestamp`,'+0 days')=substr(`timestamp`,1,10) AND date(`timestamp`,'+0 days')>='0001';

-- digests.day ()
SELECT *
FROM (SELECT 'n_events',COUNT(*),MIN(`timestamp`),MAX(`timestamp`),COALESCE(SUM(CASE WHEN NOT (`event_data` IS NULL OR json_valid(`event_data`)) THEN 1 ELSE 0 END),0),COALESCE(SUM(CASE WHEN `event_type`='topic_change' THEN 1 ELSE 0 END),0),COALESCE(SUM(CASE WHEN `event_type`='user_state' THEN 1 ELSE 0 END),0),COALESCE(SUM(CASE WHEN `event_type`='error' OR (`event_type`='tool_invocation' AND COALESCE(json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.success'),json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.ok'),CASE WHEN NOT json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.error') IS NULL THEN 0 ELSE 1 END)=0) THEN 1 ELSE 0 END),0),COUNT(DISTINCT `event_type`),COUNT(DISTINCT CASE WHEN `event_type`='tool_invocation' THEN COALESCE(CASE WHEN LENGTH(CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END)<:max_text THEN CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END END,'') END),null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:start AND `timestamp`<:end) `part` UNION ALL
SELECT *
FROM (SELECT 'n_sessions',COUNT(*),MIN(CASE WHEN `started_at`>=:start AND `started_at`<:end THEN `started_at` END),MAX(CASE WHEN `started_at`>=:start AND `started_at`<:end THEN `started_at` END),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `sessions`
WHERE (`id` IN (SELECT `own`.`id`
FROM `sessions` `own`
WHERE `own`.`scope`=:scope AND `own`.`started_at`>=:start AND `own`.`started_at`<:end) OR `id` IN (SELECT `its`.`session_id`
FROM `daily_logs` `its`
WHERE `its`.`scope`=:scope AND `its`.`timestamp`>=:start AND `its`.`timestamp`<:end)) AND +`scope`=:scope) `part` UNION ALL
SELECT *
FROM (SELECT 'n_facts',COALESCE(SUM(CASE WHEN `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) THEN 1 ELSE 0 END),0),MIN(`created_at`),MAX(`created_at`),COALESCE(SUM(CASE WHEN NOT `deleted_at` IS NULL OR NOT `superseded_by` IS NULL OR `expires_at`<=:now THEN 1 ELSE 0 END),0),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`>=:start AND `created_at`<:end AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`)) `part` UNION ALL
SELECT *
FROM (SELECT 'n_forgotten',COUNT(*),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at`>=:start AND `deleted_at`<:end AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `successor`
WHERE `successor`.`id`=`memory_entries`.`superseded_by` AND `successor`.`scope`=:scope AND `successor`.`deleted_at`=`memory_entries`.`deleted_at`)) `part` UNION ALL
SELECT *
FROM (SELECT 'type',SUBSTRING(`event_type`,1,:max_text),COUNT(*),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:start AND `timestamp`<:end GROUP BY `event_type`
ORDER BY COUNT(*) DESC,`event_type`
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'tool',CASE WHEN LENGTH(CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END)<:max_text THEN CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END END,COUNT(*),COALESCE(SUM(CASE WHEN `event_type`='error' OR (`event_type`='tool_invocation' AND COALESCE(json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.success'),json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.ok'),CASE WHEN NOT json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.error') IS NULL THEN 0 ELSE 1 END)=0) THEN 1 ELSE 0 END),0),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:start AND `timestamp`<:end AND `event_type`='tool_invocation' GROUP BY CASE WHEN LENGTH(CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END)<:max_text THEN CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END END
ORDER BY COUNT(*) DESC,CASE WHEN LENGTH(CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END)<:max_text THEN CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END END
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'session',`id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,SUBSTRING(`summary`,1,:max_text),COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),(SELECT COUNT(*)
FROM `daily_logs` `its`
WHERE `its`.`session_id`=`sessions`.`id` AND `its`.`scope`=:scope AND `its`.`timestamp`>=:start AND `its`.`timestamp`<:end),null,null,null,null,null,null,null,null,null,null
FROM `sessions`
WHERE (`id` IN (SELECT `own`.`id`
FROM `sessions` `own`
WHERE `own`.`scope`=:scope AND `own`.`started_at`>=:start AND `own`.`started_at`<:end) OR `id` IN (SELECT `its`.`session_id`
FROM `daily_logs` `its`
WHERE `its`.`scope`=:scope AND `its`.`timestamp`>=:start AND `its`.`timestamp`<:end)) AND +`scope`=:scope
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'fact',`id`,SUBSTRING(`content`,1,:max_text),`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,null,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,(SELECT SUBSTRING(`old`.`content`,1,:max_text)
FROM `memory_entries` `old`
WHERE `old`.`superseded_by`=`memory_entries`.`id` AND +`old`.`scope`=:scope AND `old`.`deleted_at` IS NULL AND (`old`.`expires_at` IS NULL OR `old`.`expires_at`>:now)
ORDER BY `old`.`id` DESC
LIMIT 1)
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`>=:start AND `created_at`<:end AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'topic',`id`,`session_id`,SUBSTRING(`event_type`,1,:max_text),CASE WHEN LENGTH(`event_data`)<:max_data THEN `event_data` END,`timestamp`,`scope`,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:start AND `timestamp`<:end AND `event_type`='topic_change'
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'user_state',`id`,`session_id`,SUBSTRING(`event_type`,1,:max_text),CASE WHEN LENGTH(`event_data`)<:max_data THEN `event_data` END,`timestamp`,`scope`,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:start AND `timestamp`<:end AND `event_type`='user_state'
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'failure',`id`,`session_id`,SUBSTRING(`event_type`,1,:max_text),CASE WHEN LENGTH(`event_data`)<:max_data THEN `event_data` END,`timestamp`,`scope`,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `scope`=:scope AND `timestamp`>=:start AND `timestamp`<:end AND (`event_type`='error' OR (`event_type`='tool_invocation' AND COALESCE(json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.success'),json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.ok'),CASE WHEN NOT json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.error') IS NULL THEN 0 ELSE 1 END)=0))
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit) `part`;

-- digests.session ()
SELECT *
FROM (SELECT 'n_events',COUNT(*),MIN(`timestamp`),MAX(`timestamp`),COALESCE(SUM(CASE WHEN NOT (`event_data` IS NULL OR json_valid(`event_data`)) THEN 1 ELSE 0 END),0),COALESCE(SUM(CASE WHEN `event_type`='topic_change' THEN 1 ELSE 0 END),0),COALESCE(SUM(CASE WHEN `event_type`='user_state' THEN 1 ELSE 0 END),0),COALESCE(SUM(CASE WHEN `event_type`='error' OR (`event_type`='tool_invocation' AND COALESCE(json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.success'),json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.ok'),CASE WHEN NOT json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.error') IS NULL THEN 0 ELSE 1 END)=0) THEN 1 ELSE 0 END),0),COUNT(DISTINCT `event_type`),COUNT(DISTINCT CASE WHEN `event_type`='tool_invocation' THEN COALESCE(CASE WHEN LENGTH(CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END)<:max_text THEN CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END END,'') END),null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `session_id`=:id AND +`scope`=:scope) `part` UNION ALL
SELECT *
FROM (SELECT 'n_sessions',COUNT(*),MIN(CASE WHEN `started_at`>=(SELECT `own`.`started_at`
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND `started_at`<=(SELECT COALESCE(`own`.`ended_at`,CASE WHEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`)<:active_from THEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`) ELSE :latest END)
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) THEN `started_at` END),MAX(CASE WHEN `started_at`>=(SELECT `own`.`started_at`
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND `started_at`<=(SELECT COALESCE(`own`.`ended_at`,CASE WHEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`)<:active_from THEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`) ELSE :latest END)
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) THEN `started_at` END),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `sessions`
WHERE `id`=:id AND `scope`=:scope) `part` UNION ALL
SELECT *
FROM (SELECT 'n_facts',COALESCE(SUM(CASE WHEN `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) THEN 1 ELSE 0 END),0),MIN(`created_at`),MAX(`created_at`),COALESCE(SUM(CASE WHEN NOT `deleted_at` IS NULL OR NOT `superseded_by` IS NULL OR `expires_at`<=:now THEN 1 ELSE 0 END),0),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`>=(SELECT `own`.`started_at`
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND `created_at`<=(SELECT COALESCE(`own`.`ended_at`,CASE WHEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`)<:active_from THEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`) ELSE :latest END)
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`)) `part` UNION ALL
SELECT *
FROM (SELECT 'n_forgotten',COUNT(*),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at`>=(SELECT `own`.`started_at`
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND `deleted_at`<=(SELECT COALESCE(`own`.`ended_at`,CASE WHEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`)<:active_from THEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`) ELSE :latest END)
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `successor`
WHERE `successor`.`id`=`memory_entries`.`superseded_by` AND `successor`.`scope`=:scope AND `successor`.`deleted_at`=`memory_entries`.`deleted_at`)) `part` UNION ALL
SELECT *
FROM (SELECT 'type',SUBSTRING(`event_type`,1,:max_text),COUNT(*),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `session_id`=:id AND +`scope`=:scope GROUP BY `event_type`
ORDER BY COUNT(*) DESC,`event_type`
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'tool',CASE WHEN LENGTH(CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END)<:max_text THEN CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END END,COUNT(*),COALESCE(SUM(CASE WHEN `event_type`='error' OR (`event_type`='tool_invocation' AND COALESCE(json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.success'),json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.ok'),CASE WHEN NOT json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.error') IS NULL THEN 0 ELSE 1 END)=0) THEN 1 ELSE 0 END),0),null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `session_id`=:id AND +`scope`=:scope AND `event_type`='tool_invocation' GROUP BY CASE WHEN LENGTH(CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END)<:max_text THEN CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END END
ORDER BY COUNT(*) DESC,CASE WHEN LENGTH(CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END)<:max_text THEN CASE WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.toolName','$.toolName') WHEN json_type(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')='text' AND json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool')<>'' THEN json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.tool','$.tool') END END
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'session',`id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,SUBSTRING(`summary`,1,:max_text),COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),(SELECT COUNT(*)
FROM `daily_logs` `its`
WHERE `its`.`session_id`=`sessions`.`id` AND `its`.`session_id`=:id AND +`its`.`scope`=:scope),null,null,null,null,null,null,null,null,null,null
FROM `sessions`
WHERE `id`=:id AND `scope`=:scope
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'fact',`id`,SUBSTRING(`content`,1,:max_text),`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,null,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,(SELECT SUBSTRING(`old`.`content`,1,:max_text)
FROM `memory_entries` `old`
WHERE `old`.`superseded_by`=`memory_entries`.`id` AND +`old`.`scope`=:scope AND `old`.`deleted_at` IS NULL AND (`old`.`expires_at` IS NULL OR `old`.`expires_at`>:now)
ORDER BY `old`.`id` DESC
LIMIT 1)
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`>=(SELECT `own`.`started_at`
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND `created_at`<=(SELECT COALESCE(`own`.`ended_at`,CASE WHEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`)<:active_from THEN COALESCE(NULLIF(max(CASE WHEN `own`.`started_at`<=:latest THEN `own`.`started_at` ELSE '' END,CASE WHEN `own`.`active_at`<=:latest THEN `own`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`own`.`id` AND `log`.`timestamp`<=:latest),'')),''),`own`.`started_at`) ELSE :latest END)
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'topic',`id`,`session_id`,SUBSTRING(`event_type`,1,:max_text),CASE WHEN LENGTH(`event_data`)<:max_data THEN `event_data` END,`timestamp`,`scope`,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `session_id`=:id AND +`scope`=:scope AND `event_type`='topic_change'
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'user_state',`id`,`session_id`,SUBSTRING(`event_type`,1,:max_text),CASE WHEN LENGTH(`event_data`)<:max_data THEN `event_data` END,`timestamp`,`scope`,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `session_id`=:id AND +`scope`=:scope AND `event_type`='user_state'
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit) `part` UNION ALL
SELECT *
FROM (SELECT 'failure',`id`,`session_id`,SUBSTRING(`event_type`,1,:max_text),CASE WHEN LENGTH(`event_data`)<:max_data THEN `event_data` END,`timestamp`,`scope`,null,null,null,null,null,null,null,null,null,null,null,null,null
FROM `daily_logs`
WHERE `session_id`=:id AND +`scope`=:scope AND (`event_type`='error' OR (`event_type`='tool_invocation' AND COALESCE(json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.success'),json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.ok'),CASE WHEN NOT json_extract(CASE WHEN json_valid(`event_data`) THEN `event_data` END,'$.error') IS NULL THEN 0 ELSE 1 END)=0))
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit) `part`;

-- drift.check_words (daily_logs)
INSERT INTO `_cf_memrepo_fts_daily_logs` (`_cf_memrepo_fts_daily_logs`,`rank`)
VALUES ('integrity-check',:rank);

-- drift.check_words (memory_entries)
INSERT INTO `_cf_memrepo_fts_memory_entries` (`_cf_memrepo_fts_memory_entries`,`rank`)
VALUES ('integrity-check',:rank);

-- drift.check_words (sessions)
INSERT INTO `_cf_memrepo_fts_sessions` (`_cf_memrepo_fts_sessions`,`rank`)
VALUES ('integrity-check',:rank);

-- drift.count
SELECT *
FROM (WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,CASE WHEN typeof(`m`.`content`)='text' THEN `m`.`content` END AS `text`
FROM `memory_entries` AS `m`
WHERE `m`.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=1) AND `m`.`deleted_at` IS NULL AND `m`.`superseded_by` IS NULL),`pair` AS (SELECT `f`.`rowid` AS `there`,`f`.`text` IS NOT `r`.`text` OR `f`.`scope_key` IS NOT `r`.`key` AS `differs`
FROM `row` AS `r` LEFT JOIN `_cf_memrepo_fts_memory_entries` AS `f` ON `f`.`rowid`=`r`.`id`
WHERE `r`.`text` IS NOT NULL AND NOT EXISTS (SELECT 1
FROM `_cf_memrepo_notes` AS `n`
WHERE `n`.`number`=1 AND `n`.`id`=`r`.`id`))
SELECT 'memory_entries',ifnull(sum(`there` IS NULL),0),ifnull(sum(`there` IS NOT NULL AND `differs`),0),(SELECT count(*)
FROM `_cf_memrepo_fts_memory_entries` AS `f`
WHERE NOT EXISTS (SELECT 1
FROM `_cf_memrepo_notes` AS `n`
WHERE `n`.`number`=1 AND `n`.`id`=`f`.`rowid`) AND `f`.`rowid` NOT IN (SELECT `id`
FROM `row`
WHERE `text` IS NOT NULL))
FROM `pair`) UNION ALL
SELECT *
FROM (WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,CASE WHEN typeof(`m`.`summary`)='text' THEN `m`.`summary` END AS `text`
FROM `sessions` AS `m`
WHERE `m`.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=2) AND 1),`pair` AS (SELECT `f`.`rowid` AS `there`,`f`.`text` IS NOT `r`.`text` OR `f`.`scope_key` IS NOT `r`.`key` AS `differs`
FROM `row` AS `r` LEFT JOIN `_cf_memrepo_fts_sessions` AS `f` ON `f`.`rowid`=`r`.`id`
WHERE `r`.`text` IS NOT NULL AND NOT EXISTS (SELECT 1
FROM `_cf_memrepo_notes` AS `n`
WHERE `n`.`number`=2 AND `n`.`id`=`r`.`id`))
SELECT 'sessions',ifnull(sum(`there` IS NULL),0),ifnull(sum(`there` IS NOT NULL AND `differs`),0),(SELECT count(*)
FROM `_cf_memrepo_fts_sessions` AS `f`
WHERE NOT EXISTS (SELECT 1
FROM `_cf_memrepo_notes` AS `n`
WHERE `n`.`number`=2 AND `n`.`id`=`f`.`rowid`) AND `f`.`rowid` NOT IN (SELECT `id`
FROM `row`
WHERE `text` IS NOT NULL))
FROM `pair`) UNION ALL
SELECT *
FROM (WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,(SELECT group_concat(`leaf`.`value`,char(10))
FROM json_tree(CASE WHEN typeof(`m`.`event_data`)='text' AND json_valid(`m`.`event_data`) THEN `m`.`event_data` END) AS `leaf`
WHERE `leaf`.`type`='text') AS `text`
FROM `daily_logs` AS `m`
WHERE `m`.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=3) AND 1),`pair` AS (SELECT `f`.`rowid` AS `there`,`f`.`text` IS NOT `r`.`text` OR `f`.`scope_key` IS NOT `r`.`key` AS `differs`
FROM `row` AS `r` LEFT JOIN `_cf_memrepo_fts_daily_logs` AS `f` ON `f`.`rowid`=`r`.`id`
WHERE `r`.`text` IS NOT NULL AND NOT EXISTS (SELECT 1
FROM `_cf_memrepo_notes` AS `n`
WHERE `n`.`number`=3 AND `n`.`id`=`r`.`id`))
SELECT 'daily_logs',ifnull(sum(`there` IS NULL),0),ifnull(sum(`there` IS NOT NULL AND `differs`),0),(SELECT count(*)
FROM `_cf_memrepo_fts_daily_logs` AS `f`
WHERE NOT EXISTS (SELECT 1
FROM `_cf_memrepo_notes` AS `n`
WHERE `n`.`number`=3 AND `n`.`id`=`f`.`rowid`) AND `f`.`rowid` NOT IN (SELECT `id`
FROM `row`
WHERE `text` IS NOT NULL))
FROM `pair`);

-- drift.drop_orphans (daily_logs)
DELETE
FROM `_cf_memrepo_fts_daily_logs`
WHERE `rowid` IN (SELECT `f`.`rowid`
FROM `_cf_memrepo_fts_daily_logs` AS `f`
WHERE NOT EXISTS (SELECT 1
FROM `daily_logs` AS `m`
WHERE `m`.`id`=`f`.`rowid`));

-- drift.drop_orphans (memory_entries)
DELETE
FROM `_cf_memrepo_fts_memory_entries`
WHERE `rowid` IN (SELECT `f`.`rowid`
FROM `_cf_memrepo_fts_memory_entries` AS `f`
WHERE NOT EXISTS (SELECT 1
FROM `memory_entries` AS `m`
WHERE `m`.`id`=`f`.`rowid`));

-- drift.drop_orphans (sessions)
DELETE
FROM `_cf_memrepo_fts_sessions`
WHERE `rowid` IN (SELECT `f`.`rowid`
FROM `_cf_memrepo_fts_sessions` AS `f`
WHERE NOT EXISTS (SELECT 1
FROM `sessions` AS `m`
WHERE `m`.`id`=`f`.`rowid`));

-- erasing.delete (daily_logs)
DELETE
FROM `daily_logs`
WHERE `id` IN (SELECT `item`.`value`
FROM json_each(:ids) `item`) AND +`scope`=:scope;

-- erasing.delete (memory_entries)
DELETE
FROM `memory_entries`
WHERE `id` IN (SELECT `item`.`value`
FROM json_each(:ids) `item`) AND +`scope`=:scope;

-- erasing.delete (sessions)
DELETE
FROM `sessions`
WHERE `id` IN (SELECT `item`.`value`
FROM json_each(:ids) `item`) AND +`scope`=:scope;

-- erasing.events_of_sessions
DELETE
FROM `daily_logs`
WHERE `session_id` IN (SELECT `item`.`value`
FROM json_each(:ids) `item`) AND +`scope`=:scope;

-- erasing.some (daily_logs)
SELECT `id`,COALESCE(LENGTH(`event_data`),0)
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `timestamp`,`id`
LIMIT :limit;

-- erasing.some (memory_entries)
SELECT `id`,COALESCE(LENGTH(`content`),0)+COALESCE(LENGTH(`metadata`),0)
FROM `memory_entries`
WHERE `scope`=:scope
ORDER BY `created_at`,`id`
LIMIT :limit;

-- erasing.some (sessions)
SELECT `id`,COALESCE(LENGTH(`summary`),0)
FROM `sessions`
WHERE `scope`=:scope
ORDER BY `started_at`,`id`
LIMIT :limit;

-- examining.idle_sessions
SELECT `s`.`scope`,count(*)
FROM `sessions` AS `s`
WHERE `s`.`ended_at` IS NULL AND `s`.`started_at`<:before AND (`s`.`active_at` IS NULL OR `s`.`active_at`<:before) AND NOT EXISTS (SELECT 1
FROM `daily_logs` AS `e`
WHERE `e`.`session_id`=`s`.`id` AND `e`.`timestamp`>=:before) GROUP BY `s`.`scope`
ORDER BY `s`.`scope`
LIMIT 100;

-- examining.latest
SELECT count(*),max(`at`)
FROM (SELECT `created_at` AS `at`
FROM `memory_entries`
WHERE `created_at`>:now UNION ALL
SELECT `started_at`
FROM `sessions`
WHERE `started_at`>:now UNION ALL
SELECT `timestamp`
FROM `daily_logs`
WHERE `timestamp`>:now)
WHERE `at` GLOB '????-??-??T??:??:??.???Z';

-- examining.not_adopted
SELECT count(*)
FROM `memory_entries`
WHERE `hash_version`=0;

-- examining.server_now
SELECT strftime('%Y-%m-%dT%H:%M:%fZ','now');

-- following.newest
SELECT MAX(`id`)
FROM `daily_logs`;

-- following.stored ()
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `id`>:above AND `id`<=:until AND +`scope`=:scope
ORDER BY `id`
LIMIT :limit;

-- following.stored (event_types, session_id, timestamp_before, timestamp_from)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`
FROM `daily_logs`
WHERE `id`>:above AND `id`<=:until AND +`scope`=:scope AND +`session_id`=:session_id AND `event_type` IN (SELECT `item`.`value`
FROM json_each(:event_types) `item`) AND `timestamp`<:timestamp_before AND `timestamp`>=:timestamp_from
ORDER BY `id`
LIMIT :limit;

-- index_tables.create (sessions, english)
CREATE VIRTUAL TABLE `_cf_memrepo_fts_sessions` USING fts5(scope_key,text,tokenize='porter unicode61');

-- index_tables.create (sessions, trigram)
CREATE VIRTUAL TABLE `_cf_memrepo_fts_sessions` USING fts5(scope_key,text,tokenize='trigram');

-- index_tables.create (sessions, unicode)
CREATE VIRTUAL TABLE `_cf_memrepo_fts_sessions` USING fts5(scope_key,text,tokenize='unicode61');

-- index_tables.create_notes
CREATE TABLE `_cf_memrepo_notes` (`number` INTEGER NOT NULL,`id` INTEGER NOT NULL,PRIMARY KEY (`number`,`id`)) WITHOUT ROWID;

-- index_tables.create_taken
CREATE TABLE `_cf_memrepo_taken` (`number` INTEGER PRIMARY KEY NOT NULL,`taken_to` INTEGER NOT NULL);

-- index_tables.create_terms (daily_logs)
CREATE VIRTUAL TABLE `_cf_memrepo_terms_daily_logs` USING fts5vocab('_cf_memrepo_fts_daily_logs','row');

-- index_tables.create_terms (memory_entries)
CREATE VIRTUAL TABLE `_cf_memrepo_terms_memory_entries` USING fts5vocab('_cf_memrepo_fts_memory_entries','row');

-- index_tables.create_terms (sessions)
CREATE VIRTUAL TABLE `_cf_memrepo_terms_sessions` USING fts5vocab('_cf_memrepo_fts_sessions','row');

-- index_tables.drop (daily_logs)
DROP TABLE IF EXISTS `_cf_memrepo_fts_daily_logs`;

-- index_tables.drop (memory_entries)
DROP TABLE IF EXISTS `_cf_memrepo_fts_memory_entries`;

-- index_tables.drop (sessions)
DROP TABLE IF EXISTS `_cf_memrepo_fts_sessions`;

-- index_tables.drop_notes
DROP TABLE IF EXISTS `_cf_memrepo_notes`;

-- index_tables.drop_taken
DROP TABLE IF EXISTS `_cf_memrepo_taken`;

-- index_tables.drop_terms (daily_logs)
DROP TABLE IF EXISTS `_cf_memrepo_terms_daily_logs`;

-- index_tables.drop_terms (memory_entries)
DROP TABLE IF EXISTS `_cf_memrepo_terms_memory_entries`;

-- index_tables.drop_terms (sessions)
DROP TABLE IF EXISTS `_cf_memrepo_terms_sessions`;

-- index_tables.has_fts5
SELECT count(*)
FROM pragma_module_list
WHERE `name`='fts5';

-- index_tables.record
INSERT INTO `memrepo_settings` (`name`,`value`)
VALUES ('search',:tokenizer),('search_format',:format) ON CONFLICT (`name`) DO UPDATE
SET `value`=`excluded`.`value`;

-- index_tables.set_up (daily_logs)
INSERT INTO `_cf_memrepo_fts_daily_logs` (`_cf_memrepo_fts_daily_logs`,`rank`)
VALUES ('automerge',0),('crisismerge',:never);

-- index_tables.set_up (memory_entries)
INSERT INTO `_cf_memrepo_fts_memory_entries` (`_cf_memrepo_fts_memory_entries`,`rank`)
VALUES ('automerge',0),('crisismerge',:never);

-- index_tables.set_up (sessions)
INSERT INTO `_cf_memrepo_fts_sessions` (`_cf_memrepo_fts_sessions`,`rank`)
VALUES ('automerge',0),('crisismerge',:never);

-- index_tables.start
INSERT INTO `_cf_memrepo_taken` (`number`,`taken_to`)
VALUES (1,:lowest),(2,:lowest),(3,:lowest);

-- index_tables.state
SELECT `t`.`value`,`f`.`value`,(SELECT count(*)
FROM `sqlite_master`
WHERE `type`='trigger' AND `name` GLOB 'tr_*__index_*' AND `tbl_name` IN ('memory_entries','sessions','daily_logs') OR `type`='table' AND `name` IN ('_cf_memrepo_fts_memory_entries','_cf_memrepo_terms_memory_entries','_cf_memrepo_fts_sessions','_cf_memrepo_terms_sessions','_cf_memrepo_fts_daily_logs','_cf_memrepo_terms_daily_logs'))
FROM `memrepo_settings` AS `t` JOIN `memrepo_settings` AS `f` ON `f`.`name`='search_format'
WHERE `t`.`name`='search';

-- index_tables.unwatch (daily_logs, delete)
DROP TRIGGER IF EXISTS `tr_daily_logs__index_delete`;

-- index_tables.unwatch (daily_logs, insert)
DROP TRIGGER IF EXISTS `tr_daily_logs__index_insert`;

-- index_tables.unwatch (daily_logs, update)
DROP TRIGGER IF EXISTS `tr_daily_logs__index_update`;

-- index_tables.unwatch (memory_entries, delete)
DROP TRIGGER IF EXISTS `tr_memory_entries__index_delete`;

-- index_tables.unwatch (memory_entries, insert)
DROP TRIGGER IF EXISTS `tr_memory_entries__index_insert`;

-- index_tables.unwatch (memory_entries, update)
DROP TRIGGER IF EXISTS `tr_memory_entries__index_update`;

-- index_tables.unwatch (sessions, delete)
DROP TRIGGER IF EXISTS `tr_sessions__index_delete`;

-- index_tables.unwatch (sessions, insert)
DROP TRIGGER IF EXISTS `tr_sessions__index_insert`;

-- index_tables.unwatch (sessions, update)
DROP TRIGGER IF EXISTS `tr_sessions__index_update`;

-- index_tables.watch (daily_logs, delete)
CREATE TRIGGER `tr_daily_logs__index_delete` AFTER DELETE ON `daily_logs` WHEN OLD.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=3) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (3,OLD.`id`) ON CONFLICT DO NOTHING; END;

-- index_tables.watch (daily_logs, insert)
CREATE TRIGGER `tr_daily_logs__index_insert` AFTER INSERT ON `daily_logs` WHEN NEW.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=3) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (3,NEW.`id`) ON CONFLICT DO NOTHING; END;

-- index_tables.watch (daily_logs, update)
CREATE TRIGGER `tr_daily_logs__index_update` AFTER UPDATE OF `id`,`scope`,`event_data` ON `daily_logs` WHEN min(OLD.`id`,NEW.`id`)<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=3) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (3,OLD.`id`) ON CONFLICT DO NOTHING; INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (3,NEW.`id`) ON CONFLICT DO NOTHING; END;

-- index_tables.watch (memory_entries, delete)
CREATE TRIGGER `tr_memory_entries__index_delete` AFTER DELETE ON `memory_entries` WHEN OLD.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=1) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (1,OLD.`id`) ON CONFLICT DO NOTHING; END;

-- index_tables.watch (memory_entries, insert)
CREATE TRIGGER `tr_memory_entries__index_insert` AFTER INSERT ON `memory_entries` WHEN NEW.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=1) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (1,NEW.`id`) ON CONFLICT DO NOTHING; END;

-- index_tables.watch (memory_entries, update)
CREATE TRIGGER `tr_memory_entries__index_update` AFTER UPDATE OF `id`,`scope`,`content`,`deleted_at`,`superseded_by` ON `memory_entries` WHEN min(OLD.`id`,NEW.`id`)<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=1) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (1,OLD.`id`) ON CONFLICT DO NOTHING; INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (1,NEW.`id`) ON CONFLICT DO NOTHING; END;

-- index_tables.watch (sessions, delete)
CREATE TRIGGER `tr_sessions__index_delete` AFTER DELETE ON `sessions` WHEN OLD.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=2) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (2,OLD.`id`) ON CONFLICT DO NOTHING; END;

-- index_tables.watch (sessions, insert)
CREATE TRIGGER `tr_sessions__index_insert` AFTER INSERT ON `sessions` WHEN NEW.`id`<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=2) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (2,NEW.`id`) ON CONFLICT DO NOTHING; END;

-- index_tables.watch (sessions, update)
CREATE TRIGGER `tr_sessions__index_update` AFTER UPDATE OF `id`,`scope`,`summary` ON `sessions` WHEN min(OLD.`id`,NEW.`id`)<=(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=2) BEGIN INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (2,OLD.`id`) ON CONFLICT DO NOTHING; INSERT INTO `_cf_memrepo_notes` (`number`,`id`)
VALUES (2,NEW.`id`) ON CONFLICT DO NOTHING; END;

-- indexing.advance
UPDATE `_cf_memrepo_taken`
SET `taken_to`=:last
WHERE `number`=:number AND `taken_to`<:last;

-- indexing.backlog
SELECT (SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `memory_entries`) THEN (SELECT max(`id`)
FROM `memory_entries`)-max(`taken_to`,(SELECT min(`id`)
FROM `memory_entries`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=1)
FROM `_cf_memrepo_taken`
WHERE `number`=1),(SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `sessions`) THEN (SELECT max(`id`)
FROM `sessions`)-max(`taken_to`,(SELECT min(`id`)
FROM `sessions`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=2)
FROM `_cf_memrepo_taken`
WHERE `number`=2),(SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `daily_logs`) THEN (SELECT max(`id`)
FROM `daily_logs`)-max(`taken_to`,(SELECT min(`id`)
FROM `daily_logs`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=3)
FROM `_cf_memrepo_taken`
WHERE `number`=3);

-- indexing.clear_notes
DELETE
FROM `_cf_memrepo_notes`
WHERE `number`=:number AND `id` IN (SELECT `value`
FROM json_each(:ids));

-- indexing.merge (daily_logs)
INSERT INTO `_cf_memrepo_fts_daily_logs` (`_cf_memrepo_fts_daily_logs`,`rank`)
VALUES ('merge',:pages);

-- indexing.merge (memory_entries)
INSERT INTO `_cf_memrepo_fts_memory_entries` (`_cf_memrepo_fts_memory_entries`,`rank`)
VALUES ('merge',:pages);

-- indexing.merge (sessions)
INSERT INTO `_cf_memrepo_fts_sessions` (`_cf_memrepo_fts_sessions`,`rank`)
VALUES ('merge',:pages);

-- indexing.next_notes (daily_logs)
SELECT `n`.`id`,ifnull(length(`m`.`event_data`),0)
FROM `_cf_memrepo_notes` AS `n` LEFT JOIN `daily_logs` AS `m` ON `m`.`id`=`n`.`id`
WHERE `n`.`number`=3
ORDER BY `n`.`id`
LIMIT :limit;

-- indexing.next_notes (memory_entries)
SELECT `n`.`id`,ifnull(length(`m`.`content`),0)
FROM `_cf_memrepo_notes` AS `n` LEFT JOIN `memory_entries` AS `m` ON `m`.`id`=`n`.`id`
WHERE `n`.`number`=1
ORDER BY `n`.`id`
LIMIT :limit;

-- indexing.next_notes (sessions)
SELECT `n`.`id`,ifnull(length(`m`.`summary`),0)
FROM `_cf_memrepo_notes` AS `n` LEFT JOIN `sessions` AS `m` ON `m`.`id`=`n`.`id`
WHERE `n`.`number`=2
ORDER BY `n`.`id`
LIMIT :limit;

-- indexing.next_rows (daily_logs)
SELECT `id`,ifnull(length(`event_data`),0)
FROM `daily_logs`
WHERE `id`>(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=3)
ORDER BY `id`
LIMIT :limit;

-- indexing.next_rows (memory_entries)
SELECT `id`,ifnull(length(`content`),0)
FROM `memory_entries`
WHERE `id`>(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=1)
ORDER BY `id`
LIMIT :limit;

-- indexing.next_rows (sessions)
SELECT `id`,ifnull(length(`summary`),0)
FROM `sessions`
WHERE `id`>(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=2)
ORDER BY `id`
LIMIT :limit;

-- indexing.optimize (daily_logs)
INSERT INTO `_cf_memrepo_fts_daily_logs` (`_cf_memrepo_fts_daily_logs`,`rank`)
VALUES ('optimize',:rank);

-- indexing.optimize (memory_entries)
INSERT INTO `_cf_memrepo_fts_memory_entries` (`_cf_memrepo_fts_memory_entries`,`rank`)
VALUES ('optimize',:rank);

-- indexing.optimize (sessions)
INSERT INTO `_cf_memrepo_fts_sessions` (`_cf_memrepo_fts_sessions`,`rank`)
VALUES ('optimize',:rank);

-- indexing.remove (daily_logs)
DELETE
FROM `_cf_memrepo_fts_daily_logs`
WHERE `rowid` IN (SELECT `value`
FROM json_each(:ids));

-- indexing.remove (memory_entries)
DELETE
FROM `_cf_memrepo_fts_memory_entries`
WHERE `rowid` IN (SELECT `value`
FROM json_each(:ids));

-- indexing.remove (sessions)
DELETE
FROM `_cf_memrepo_fts_sessions`
WHERE `rowid` IN (SELECT `value`
FROM json_each(:ids));

-- indexing.segments (daily_logs)
SELECT count(*) AS `n_pages`
FROM `_cf_memrepo_fts_daily_logs_idx` GROUP BY `segid`
ORDER BY `n_pages` DESC;

-- indexing.segments (memory_entries)
SELECT count(*) AS `n_pages`
FROM `_cf_memrepo_fts_memory_entries_idx` GROUP BY `segid`
ORDER BY `n_pages` DESC;

-- indexing.segments (sessions)
SELECT count(*) AS `n_pages`
FROM `_cf_memrepo_fts_sessions_idx` GROUP BY `segid`
ORDER BY `n_pages` DESC;

-- indexing.take_noted (daily_logs)
WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,(SELECT group_concat(`leaf`.`value`,char(10))
FROM json_tree(CASE WHEN typeof(`m`.`event_data`)='text' AND json_valid(`m`.`event_data`) THEN `m`.`event_data` END) AS `leaf`
WHERE `leaf`.`type`='text') AS `text`
FROM `daily_logs` AS `m`
WHERE `m`.`id` IN (SELECT `value`
FROM json_each(:ids)) AND 1) INSERT OR REPLACE INTO `_cf_memrepo_fts_daily_logs` (`rowid`,`scope_key`,`text`)
SELECT `id`,`key`,`text`
FROM `row`
WHERE `text` IS NOT NULL;

-- indexing.take_noted (memory_entries)
WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,CASE WHEN typeof(`m`.`content`)='text' THEN `m`.`content` END AS `text`
FROM `memory_entries` AS `m`
WHERE `m`.`id` IN (SELECT `value`
FROM json_each(:ids)) AND `m`.`deleted_at` IS NULL AND `m`.`superseded_by` IS NULL) INSERT OR REPLACE INTO `_cf_memrepo_fts_memory_entries` (`rowid`,`scope_key`,`text`)
SELECT `id`,`key`,`text`
FROM `row`
WHERE `text` IS NOT NULL;

-- indexing.take_noted (sessions)
WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,CASE WHEN typeof(`m`.`summary`)='text' THEN `m`.`summary` END AS `text`
FROM `sessions` AS `m`
WHERE `m`.`id` IN (SELECT `value`
FROM json_each(:ids)) AND 1) INSERT OR REPLACE INTO `_cf_memrepo_fts_sessions` (`rowid`,`scope_key`,`text`)
SELECT `id`,`key`,`text`
FROM `row`
WHERE `text` IS NOT NULL;

-- indexing.take_rows (daily_logs)
WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,(SELECT group_concat(`leaf`.`value`,char(10))
FROM json_tree(CASE WHEN typeof(`m`.`event_data`)='text' AND json_valid(`m`.`event_data`) THEN `m`.`event_data` END) AS `leaf`
WHERE `leaf`.`type`='text') AS `text`
FROM `daily_logs` AS `m`
WHERE `m`.`id`>(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=3) AND `m`.`id`<=:last AND 1) INSERT OR REPLACE INTO `_cf_memrepo_fts_daily_logs` (`rowid`,`scope_key`,`text`)
SELECT `id`,`key`,`text`
FROM `row`
WHERE `text` IS NOT NULL;

-- indexing.take_rows (memory_entries)
WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,CASE WHEN typeof(`m`.`content`)='text' THEN `m`.`content` END AS `text`
FROM `memory_entries` AS `m`
WHERE `m`.`id`>(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=1) AND `m`.`id`<=:last AND `m`.`deleted_at` IS NULL AND `m`.`superseded_by` IS NULL) INSERT OR REPLACE INTO `_cf_memrepo_fts_memory_entries` (`rowid`,`scope_key`,`text`)
SELECT `id`,`key`,`text`
FROM `row`
WHERE `text` IS NOT NULL;

-- indexing.take_rows (sessions)
WITH `row` AS MATERIALIZED (SELECT `m`.`id` AS `id`,'ss'||lower(hex(`m`.`scope`))||'q' AS `key`,CASE WHEN typeof(`m`.`summary`)='text' THEN `m`.`summary` END AS `text`
FROM `sessions` AS `m`
WHERE `m`.`id`>(SELECT `taken_to`
FROM `_cf_memrepo_taken`
WHERE `number`=2) AND `m`.`id`<=:last AND 1) INSERT OR REPLACE INTO `_cf_memrepo_fts_sessions` (`rowid`,`scope_key`,`text`)
SELECT `id`,`key`,`text`
FROM `row`
WHERE `text` IS NOT NULL;

-- maintenance.backup
VACUUM INTO :path;

-- maintenance.checkpoint
PRAGMA wal_checkpoint(TRUNCATE);

-- maintenance.foreign_keys
SELECT `rowid`,`parent`
FROM pragma_foreign_key_check(:table);

-- maintenance.hashes
SELECT `id`,`scope`,CAST(`content` AS BLOB),`content_hash`
FROM `memory_entries`
WHERE `id`>:after_id AND `hash_version`<>0 AND (NOT `content_hash` IS NULL OR (`superseded_by` IS NULL AND `deleted_at` IS NULL))
ORDER BY `id`
LIMIT :limit;

-- maintenance.integrity
PRAGMA integrity_check;

-- maintenance.integrity_of
SELECT `integrity_check`
FROM pragma_integrity_check(:table);

-- maintenance.tables
SELECT `name`
FROM `sqlite_master`
WHERE `type`='table' AND `name` NOT GLOB 'sqlite_*';

-- maintenance.vacuum
VACUUM;

-- memories.approve
UPDATE `memory_entries`
SET `deleted_at`=null,`superseded_by`=null,`last_accessed`=:now,`source`=COALESCE(:source,`source`),`proposed_at`=null
WHERE `id`=:id AND `scope`=:scope AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.approve_many
UPDATE `memory_entries`
SET `proposed_at`=null
WHERE `scope`=:scope AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND `content_hash` IN (SELECT json_extract(`item`.`value`,'$[1]')
FROM json_each(:batch) `item`
WHERE NOT json_extract(`item`.`value`,'$[6]') IS NULL)
RETURNING `memory_entries`.`id`;

-- memories.candidates
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `last_accessed` DESC,`id` DESC
LIMIT :limit;

-- memories.count ()
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope;

-- memories.count (accessed_before)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND +`last_accessed`<:accessed_before;

-- memories.count (accessed_before, accessed_from, category, contains, created_before, created_from, metadata, not_forgotten, not_superseded, now, session_id)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND `session_id`=:session_id AND `created_at`>=:created_from AND `created_at`<:created_before AND +`last_accessed`>=:accessed_from AND +`last_accessed`<:accessed_before AND NOT EXISTS (SELECT 1
FROM json_each(:metadata) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`metadata`) THEN `metadata` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `content` GLOB :contains AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- memories.count (accessed_from)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND +`last_accessed`>=:accessed_from;

-- memories.count (category)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category;

-- memories.count (category, not_forgotten, not_superseded, now)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- memories.count (contains)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `content` GLOB :contains;

-- memories.count (contains_2)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2);

-- memories.count (contains_3)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2 OR `content` GLOB :contains_3);

-- memories.count (contains_4)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2 OR `content` GLOB :contains_3 OR `content` GLOB :contains_4);

-- memories.count (created_before)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`<:created_before;

-- memories.count (created_from)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`>=:created_from;

-- memories.count (due_before)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `due_at`<:due_before;

-- memories.count (due_from)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `due_at`>=:due_from;

-- memories.count (metadata)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:metadata) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`metadata`) THEN `metadata` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null')));

-- memories.count (not_forgotten)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL;

-- memories.count (not_forgotten, not_superseded, now)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- memories.count (not_forgotten, not_superseded, now, session_id)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `session_id`=:session_id AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- memories.count (not_forgotten, not_superseded, now, slot)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `slot`=:slot AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL;

-- memories.count (not_proposed)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`);

-- memories.count (not_superseded)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `superseded_by` IS NULL;

-- memories.count (now)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now);

-- memories.count (session_id)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `session_id`=:session_id;

-- memories.count (slot)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `slot`=:slot;

-- memories.count (source)
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `source`=:source;

-- memories.count_by (accessed_before, accessed_from, category, contains, created_before, created_from, due_before, due_from, metadata, not_forgotten, not_proposed, not_superseded, now, session_id, slot, source) category
SELECT `category`,COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND `source`=:source AND `session_id`=:session_id AND `slot`=:slot AND `created_at`>=:created_from AND `created_at`<:created_before AND +`last_accessed`>=:accessed_from AND +`last_accessed`<:accessed_before AND `due_at`>=:due_from AND `due_at`<:due_before AND NOT EXISTS (SELECT 1
FROM json_each(:metadata) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`metadata`) THEN `metadata` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `content` GLOB :contains AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND `superseded_by` IS NULL GROUP BY `category`;

-- memories.count_by (accessed_before, accessed_from, category, contains, created_before, created_from, due_before, due_from, metadata, not_forgotten, not_proposed, not_superseded, now, session_id, slot, source) source
SELECT `source`,COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND `source`=:source AND `session_id`=:session_id AND `slot`=:slot AND `created_at`>=:created_from AND `created_at`<:created_before AND +`last_accessed`>=:accessed_from AND +`last_accessed`<:accessed_before AND `due_at`>=:due_from AND `due_at`<:due_before AND NOT EXISTS (SELECT 1
FROM json_each(:metadata) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`metadata`) THEN `metadata` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `content` GLOB :contains AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND `superseded_by` IS NULL GROUP BY `source`;

-- memories.count_by (not_forgotten, not_superseded, now) category
SELECT `category`,COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL GROUP BY `category`;

-- memories.count_by (not_forgotten, not_superseded, now) source
SELECT `source`,COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL GROUP BY `source`;

-- memories.count_faded
SELECT COUNT(*)
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND `pinned_at` IS NULL AND NOT (NOT `due_at` IS NULL AND `surfaced_at` IS NULL) AND `source` IN (SELECT `item`.`value`
FROM json_each(:sources) `item`) AND (`last_accessed`<=:before OR (`last_accessed` IS NULL AND `created_at`<=:before));

-- memories.count_observed
SELECT COUNT(*)
FROM `daily_logs` `seen`
WHERE `seen`.`scope`=:scope AND `seen`.`timestamp`>=:since AND `seen`.`event_type`='pattern_observed' AND CASE WHEN json_valid(`seen`.`event_data`) THEN json_extract(`seen`.`event_data`,'$.pattern') END=:pattern AND `seen`.`id`>COALESCE((SELECT MAX(`told`.`id`)
FROM `daily_logs` `told`
WHERE `told`.`scope`=:scope AND `told`.`timestamp`>=:since AND `told`.`event_type`='pattern_inferred' AND CASE WHEN json_valid(`told`.`event_data`) THEN json_extract(`told`.`event_data`,'$.pattern') END=:pattern),0);

-- memories.count_purgeable
SELECT COUNT(*)
FROM (WITH RECURSIVE `chain`(`id`) AS (SELECT `id`
FROM `memory_entries`
WHERE `scope`=:scope AND ((`deleted_at`<:before AND `deleted_at` GLOB '????-??-??T??:??:??.???Z' AND date(`deleted_at`,'+0 days')=substr(`deleted_at`,1,10) AND date(`deleted_at`,'+0 days')>='0001' AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`)) OR (`expires_at`<:before AND `expires_at` GLOB '????-??-??T??:??:??.???Z' AND date(`expires_at`,'+0 days')=substr(`expires_at`,1,10) AND date(`expires_at`,'+0 days')>='0001' AND `expires_at`<=:now)) UNION
SELECT `orphan`.`id`
FROM `memory_entries` `orphan`
WHERE `orphan`.`superseded_by`>0 AND typeof(`orphan`.`superseded_by`)='integer' AND NOT EXISTS (SELECT 1
FROM `memory_entries` `successor`
WHERE `successor`.`id`=`orphan`.`superseded_by`) AND +`orphan`.`scope`=:scope AND `orphan`.`created_at`<:before AND `orphan`.`created_at` GLOB '????-??-??T??:??:??.???Z' AND date(`orphan`.`created_at`,'+0 days')=substr(`orphan`.`created_at`,1,10) AND date(`orphan`.`created_at`,'+0 days')>='0001' UNION
SELECT `fact`.`id`
FROM `chain` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`superseded_by`=`chain`.`id` AND +`fact`.`scope`=:scope)
SELECT `id`
FROM `chain`) `chain`;

-- memories.due
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `due_at`<=:now AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `due_at`,`id`
LIMIT :limit;

-- memories.fill
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`slot`)
VALUES (:scope,CASE WHEN :session_id IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope) THEN :content END,:content_hash,:category,:source,:created_at,:created_at,:metadata,:expires_at,2,:session_id,:slot) ON CONFLICT (`content_hash`) DO UPDATE
SET `source`=CASE WHEN `memory_entries`.`source` IN ('inferred','jarvis_inferred') THEN `excluded`.`source` ELSE `memory_entries`.`source` END,`last_accessed`=`excluded`.`created_at`,`expires_at`=CASE WHEN `excluded`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`excluded`.`expires_at` THEN `excluded`.`expires_at` ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1,`slot`=COALESCE(`memory_entries`.`slot`,`excluded`.`slot`)
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`excluded`.`created_at`) AND `memory_entries`.`scope`=`excluded`.`scope` AND COALESCE(`memory_entries`.`slot`<>`excluded`.`slot`,0)=0
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.fill*2
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`slot`)
SELECT `item`.`column2`,CASE WHEN `item`.`column10` IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=`item`.`column10` AND `session`.`scope`=`item`.`column2`) THEN `item`.`column3` END,`item`.`column4`,`item`.`column5`,`item`.`column6`,`item`.`column7`,`item`.`column7`,`item`.`column8`,`item`.`column9`,2,`item`.`column10`,`item`.`column11`
FROM (VALUES (0,:scope_0,:content_0,:content_hash_0,:category_0,:source_0,:created_at_0,:metadata_0,:expires_at_0,:session_id_0,:slot_0),(1,:scope_1,:content_1,:content_hash_1,:category_1,:source_1,:created_at_1,:metadata_1,:expires_at_1,:session_id_1,:slot_1)) `item`
WHERE `item`.`column1`>=0 ON CONFLICT (`content_hash`) DO UPDATE
SET `source`=CASE WHEN `memory_entries`.`source` IN ('inferred','jarvis_inferred') THEN `excluded`.`source` ELSE `memory_entries`.`source` END,`last_accessed`=`excluded`.`created_at`,`expires_at`=CASE WHEN `excluded`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`excluded`.`expires_at` THEN `excluded`.`expires_at` ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1,`slot`=COALESCE(`memory_entries`.`slot`,`excluded`.`slot`)
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`excluded`.`created_at`) AND `memory_entries`.`scope`=`excluded`.`scope` AND COALESCE(`memory_entries`.`slot`<>`excluded`.`slot`,0)=0
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.fill_inferred
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`slot`)
SELECT :scope,CASE WHEN :session_id IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope) THEN :content END,:content_hash,:category,:source,:created_at,:created_at,:metadata,:expires_at,2,:session_id,:slot
WHERE NOT EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=:kept_slot AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:created_at) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND (`holder`.`content_hash` IS NULL OR `holder`.`content_hash`<>:content_hash)) ON CONFLICT (`content_hash`) DO UPDATE
SET `last_accessed`=`excluded`.`created_at`,`expires_at`=CASE WHEN `excluded`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`excluded`.`expires_at` THEN `excluded`.`expires_at` ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1,`slot`=COALESCE(`memory_entries`.`slot`,`excluded`.`slot`)
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`excluded`.`created_at`) AND `memory_entries`.`scope`=`excluded`.`scope` AND COALESCE(`memory_entries`.`slot`<>`excluded`.`slot`,0)=0
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.fill_inferred*2
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`slot`)
SELECT `item`.`column2`,CASE WHEN `item`.`column10` IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=`item`.`column10` AND `session`.`scope`=`item`.`column2`) THEN `item`.`column3` END,`item`.`column4`,`item`.`column5`,`item`.`column6`,`item`.`column7`,`item`.`column7`,`item`.`column8`,`item`.`column9`,2,`item`.`column10`,`item`.`column11`
FROM (VALUES (0,:scope_0,:content_0,:content_hash_0,:category_0,:source_0,:created_at_0,:metadata_0,:expires_at_0,:session_id_0,:slot_0,:kept_slot_0),(1,:scope_1,:content_1,:content_hash_1,:category_1,:source_1,:created_at_1,:metadata_1,:expires_at_1,:session_id_1,:slot_1,:kept_slot_1)) `item`
WHERE `item`.`column1`>=0 AND NOT EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=`item`.`column12` AND `holder`.`scope`=`item`.`column2` AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>`item`.`column7`) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND (`holder`.`content_hash` IS NULL OR `holder`.`content_hash`<>`item`.`column4`)) ON CONFLICT (`content_hash`) DO UPDATE
SET `last_accessed`=`excluded`.`created_at`,`expires_at`=CASE WHEN `excluded`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`excluded`.`expires_at` THEN `excluded`.`expires_at` ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1,`slot`=COALESCE(`memory_entries`.`slot`,`excluded`.`slot`)
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`excluded`.`created_at`) AND `memory_entries`.`scope`=`excluded`.`scope` AND COALESCE(`memory_entries`.`slot`<>`excluded`.`slot`,0)=0
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.find_many ()
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many () after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (accessed_before)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND +`last_accessed`<:accessed_before
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (accessed_before) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND +`last_accessed`<:accessed_before AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (accessed_before, accessed_from, category, contains, created_before, created_from, metadata, not_forgotten, not_superseded, now, session_id)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND `session_id`=:session_id AND `created_at`>=:created_from AND `created_at`<:created_before AND +`last_accessed`>=:accessed_from AND +`last_accessed`<:accessed_before AND NOT EXISTS (SELECT 1
FROM json_each(:metadata) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`metadata`) THEN `metadata` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `content` GLOB :contains AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (accessed_before, accessed_from, category, contains, created_before, created_from, metadata, not_forgotten, not_superseded, now, session_id) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND `session_id`=:session_id AND `created_at`>=:created_from AND `created_at`<:created_before AND +`last_accessed`>=:accessed_from AND +`last_accessed`<:accessed_before AND NOT EXISTS (SELECT 1
FROM json_each(:metadata) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`metadata`) THEN `metadata` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND `content` GLOB :contains AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (accessed_from)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND +`last_accessed`>=:accessed_from
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (accessed_from) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND +`last_accessed`>=:accessed_from AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (category)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (category) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (category, not_forgotten, not_superseded, now)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (category, not_forgotten, not_superseded, now) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `category`=:category AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (contains)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `content` GLOB :contains
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (contains) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `content` GLOB :contains AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (contains_2)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (contains_2) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2) AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (contains_3)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2 OR `content` GLOB :contains_3)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (contains_3) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2 OR `content` GLOB :contains_3) AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (contains_4)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2 OR `content` GLOB :contains_3 OR `content` GLOB :contains_4)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (contains_4) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`content` GLOB :contains OR `content` GLOB :contains_2 OR `content` GLOB :contains_3 OR `content` GLOB :contains_4) AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (created_before)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`<:created_before
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (created_before) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`<:created_before AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (created_from)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`>=:created_from
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (created_from) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `created_at`>=:created_from AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (due_before)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `due_at`<:due_before
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (due_before) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `due_at`<:due_before AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (due_from)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `due_at`>=:due_from
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (due_from) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `due_at`>=:due_from AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (metadata)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:metadata) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`metadata`) THEN `metadata` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null')))
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (metadata) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM json_each(:metadata) `wanted`
WHERE NOT EXISTS (SELECT 1
FROM json_each(CASE WHEN json_valid(`metadata`) THEN `metadata` END) `pair`
WHERE `pair`.`key`=`wanted`.`key` AND (`pair`.`type`=`wanted`.`type` OR (`pair`.`type` IN ('integer','real') AND `wanted`.`type` IN ('integer','real'))) AND (`pair`.`atom`=`wanted`.`atom` OR `wanted`.`type`='null'))) AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_forgotten)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_forgotten) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_forgotten, not_superseded, now)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_forgotten, not_superseded, now) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_forgotten, not_superseded, now, session_id)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `session_id`=:session_id AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_forgotten, not_superseded, now, session_id) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `session_id`=:session_id AND (`expires_at` IS NULL OR `expires_at`>:now) AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_proposed)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_proposed) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_superseded)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `superseded_by` IS NULL
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (not_superseded) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `superseded_by` IS NULL AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (now)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (now) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (session_id)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `session_id`=:session_id
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (session_id) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `session_id`=:session_id AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (slot)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `slot`=:slot
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (slot) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `slot`=:slot AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (source)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `source`=:source
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.find_many (source) after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `source`=:source AND (`created_at`,`id`)<(:after_instant,:after_id)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :limit;

-- memories.forget
UPDATE `memory_entries`
SET `deleted_at`=`chain`.`deleted_at`,`proposed_at`=null
FROM (WITH RECURSIVE `chain`(`id`,`deleted_at`) AS (SELECT `id`,COALESCE(`deleted_at`,:now)
FROM `memory_entries`
WHERE `id`=:id AND `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) UNION
SELECT `fact`.`id`,`chain`.`deleted_at`
FROM `chain` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`superseded_by`=`chain`.`id` AND +`fact`.`scope`=:scope)
SELECT `id`,`deleted_at`
FROM `chain`) `chain`
WHERE `memory_entries`.`id`=`chain`.`id` AND `memory_entries`.`deleted_at` IS NULL;

-- memories.forget_all
UPDATE `memory_entries`
SET `deleted_at`=:now,`proposed_at`=null
WHERE `scope`=:scope AND (`deleted_at` IS NULL OR (`proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at`));

-- memories.forget_faded
UPDATE `memory_entries`
SET `deleted_at`=:now,`proposed_at`=null
FROM (WITH RECURSIVE `chain`(`id`) AS (SELECT `id`
FROM `memory_entries`
WHERE `id` IN (SELECT `item`.`value`
FROM json_each(:ids) `item`) AND +`scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND `pinned_at` IS NULL AND NOT (NOT `due_at` IS NULL AND `surfaced_at` IS NULL) AND COALESCE(`last_accessed`,`created_at`)<=:before AND `source` IN (SELECT `item`.`value`
FROM json_each(:sources) `item`) UNION
SELECT `fact`.`id`
FROM `chain` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`superseded_by`=`chain`.`id` AND +`fact`.`scope`=:scope)
SELECT `id`
FROM `chain`) `chain`
WHERE `memory_entries`.`id`=`chain`.`id` AND `memory_entries`.`deleted_at` IS NULL
RETURNING `memory_entries`.`superseded_by`;

-- memories.forgettable
SELECT COUNT(*),COALESCE(MAX(`id`),0),COALESCE(SUM((`id` & 1048575)),0)
FROM `memory_entries`
WHERE `scope`=:scope AND (`deleted_at` IS NULL OR (`proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at`));

-- memories.forgotten ()
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at`>=:deleted_from AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND (`expires_at` IS NULL OR `expires_at`>:now) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `successor`
WHERE `successor`.`id`=`memory_entries`.`superseded_by` AND `successor`.`scope`=:scope AND `successor`.`deleted_at`=`memory_entries`.`deleted_at` AND (`successor`.`expires_at` IS NULL OR `successor`.`expires_at`>:now))
ORDER BY `deleted_at` DESC,`id` DESC
LIMIT :limit;

-- memories.forgotten () after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at`>=:deleted_from AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND (`expires_at` IS NULL OR `expires_at`>:now) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `successor`
WHERE `successor`.`id`=`memory_entries`.`superseded_by` AND `successor`.`scope`=:scope AND `successor`.`deleted_at`=`memory_entries`.`deleted_at` AND (`successor`.`expires_at` IS NULL OR `successor`.`expires_at`>:now)) AND (`deleted_at`,`id`)<(:after_instant,:after_id)
ORDER BY `deleted_at` DESC,`id` DESC
LIMIT :limit;

-- memories.get
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now);

-- memories.get*2
SELECT `item`.`column1`,`memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`
FROM (VALUES (0,:id_0,:scope_0,:now_0),(1,:id_1,:scope_1,:now_1)) `item` CROSS JOIN `memory_entries`
WHERE `memory_entries`.`id`=`item`.`column2` AND `memory_entries`.`scope`=`item`.`column3` AND `memory_entries`.`deleted_at` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`item`.`column4`);

-- memories.get_by_hash
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `content_hash`=:content_hash AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now);

-- memories.get_many ()
SELECT `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`
FROM json_each(:ids) `item` CROSS JOIN `memory_entries`
WHERE `memory_entries`.`id`=`item`.`value` AND `memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now);

-- memories.get_unexpired
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `id`=:id AND `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`);

-- memories.held_back_many
SELECT `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`
FROM json_each(:batch) `item` CROSS JOIN `memory_entries`
WHERE `memory_entries`.`content_hash`=json_extract(`item`.`value`,'$[1]') AND +`memory_entries`.`scope`=:scope AND (NOT `memory_entries`.`deleted_at` IS NULL OR NOT `memory_entries`.`superseded_by` IS NULL);

-- memories.history
SELECT `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`
FROM (WITH RECURSIVE `chain`(`id`) AS (SELECT `id`
FROM `memory_entries`
WHERE `id`=:id AND `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) AND `deleted_at` IS NULL UNION
SELECT `fact`.`id`
FROM `chain` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`superseded_by`=`chain`.`id` AND +`fact`.`scope`=:scope)
SELECT `id`
FROM `chain`) `chain` CROSS JOIN `memory_entries`
WHERE `memory_entries`.`id`=`chain`.`id` AND `memory_entries`.`deleted_at` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now)
ORDER BY `memory_entries`.`created_at`,`memory_entries`.`id`;

-- memories.holder
SELECT `holder`.`id`
FROM `memory_entries` `holder`
WHERE `holder`.`content_hash`=:content_hash AND `holder`.`id`<>:id AND `holder`.`scope`=:scope;

-- memories.in_slot
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `slot`=:slot AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `id` DESC
LIMIT 1;

-- memories.infer_insert
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`deleted_at`,`proposed_at`)
SELECT :scope,:content,:content_hash,:category,:source,:now,:now,json_set(json_set(json_set(COALESCE(:metadata,'{}'),'$.pattern',:pattern),'$.evidence',json((SELECT json_group_array(`part`.`evidence`)
FROM (SELECT `seen`.`id`,json_extract(`seen`.`event_data`,'$.evidence') `evidence`
FROM `daily_logs` `seen`
WHERE `seen`.`scope`=:scope AND `seen`.`timestamp`>=:since AND `seen`.`event_type`='pattern_observed' AND CASE WHEN json_valid(`seen`.`event_data`) THEN json_extract(`seen`.`event_data`,'$.pattern') END=:pattern AND `seen`.`id`>COALESCE((SELECT MAX(`told`.`id`)
FROM `daily_logs` `told`
WHERE `told`.`scope`=:scope AND `told`.`timestamp`>=:since AND `told`.`event_type`='pattern_inferred' AND CASE WHEN json_valid(`told`.`event_data`) THEN json_extract(`told`.`event_data`,'$.pattern') END=:pattern),0)
ORDER BY `seen`.`id`) `part`
WHERE NOT `part`.`evidence` IS NULL))),'$.events',json((SELECT json_group_array(`part`.`id`)
FROM (SELECT `seen`.`id`,json_extract(`seen`.`event_data`,'$.evidence') `evidence`
FROM `daily_logs` `seen`
WHERE `seen`.`scope`=:scope AND `seen`.`timestamp`>=:since AND `seen`.`event_type`='pattern_observed' AND CASE WHEN json_valid(`seen`.`event_data`) THEN json_extract(`seen`.`event_data`,'$.pattern') END=:pattern AND `seen`.`id`>COALESCE((SELECT MAX(`told`.`id`)
FROM `daily_logs` `told`
WHERE `told`.`scope`=:scope AND `told`.`timestamp`>=:since AND `told`.`event_type`='pattern_inferred' AND CASE WHEN json_valid(`told`.`event_data`) THEN json_extract(`told`.`event_data`,'$.pattern') END=:pattern),0)
ORDER BY `seen`.`id`) `part`))),null,2,`this`.`session_id`,:proposed_at,:proposed_at
FROM `daily_logs` `this`
WHERE `this`.`id`=(SELECT MAX(`last`.`id`)
FROM `daily_logs` `last`) AND `this`.`scope`=:scope AND json_extract(`this`.`event_data`,'$.n')>=:times AND NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash)
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`;

-- memories.infer_propose_expired
UPDATE `memory_entries`
SET `deleted_at`=:now,`proposed_at`=:now,`last_accessed`=:now,`expires_at`=:expires_at,`n_restated`=`n_restated`+1,`slot`=COALESCE(null,`slot`)
WHERE `content_hash`=:content_hash AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `expires_at`<=:now AND EXISTS (SELECT 1
FROM `daily_logs` `this`
WHERE `this`.`id`=(SELECT MAX(`last`.`id`)
FROM `daily_logs` `last`) AND `this`.`scope`=:scope AND json_extract(`this`.`event_data`,'$.n')>=:times)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.infer_refresh
UPDATE `memory_entries`
SET `last_accessed`=:now,`source`=CASE WHEN NOT :said_source IS NULL AND `source` IN ('inferred','jarvis_inferred') THEN :said_source ELSE `source` END,`expires_at`=CASE WHEN null IS NULL THEN null WHEN `expires_at`<null THEN null ELSE `expires_at` END,`n_restated`=`n_restated`+1
WHERE `content_hash`=:content_hash AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND EXISTS (SELECT 1
FROM `daily_logs` `this`
WHERE `this`.`id`=(SELECT MAX(`last`.`id`)
FROM `daily_logs` `last`) AND `this`.`scope`=:scope AND json_extract(`this`.`event_data`,'$.n')>=:times)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.infer_renew
UPDATE `memory_entries`
SET `last_accessed`=:now,`expires_at`=null,`n_restated`=`n_restated`+1
WHERE `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND +`expires_at`<=:now AND `content_hash`=:content_hash AND `scope`=:scope AND EXISTS (SELECT 1
FROM `daily_logs` `this`
WHERE `this`.`id`=(SELECT MAX(`last`.`id`)
FROM `daily_logs` `last`) AND `this`.`scope`=:scope AND json_extract(`this`.`event_data`,'$.n')>=:times);

-- memories.infer_revive
UPDATE `memory_entries`
SET `deleted_at`=null,`superseded_by`=null,`proposed_at`=null,`expires_at`=null,`last_accessed`=:now,`source`=CASE WHEN NOT :said_source IS NULL AND `source` IN ('inferred','jarvis_inferred') THEN :said_source ELSE `source` END,`n_restated`=`n_restated`+1,`slot`=CASE WHEN :said_source IS NULL AND EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=`memory_entries`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND `holder`.`id`<>`memory_entries`.`id`) THEN null ELSE `slot` END
WHERE (NOT `deleted_at` IS NULL OR NOT `superseded_by` IS NULL OR `expires_at`<=:now) AND (NOT :said_source IS NULL OR (`deleted_at` IS NULL AND `superseded_by` IS NULL)) AND `content_hash`=:content_hash AND `scope`=:scope AND EXISTS (SELECT 1
FROM `daily_logs` `this`
WHERE `this`.`id`=(SELECT MAX(`last`.`id`)
FROM `daily_logs` `last`) AND `this`.`scope`=:scope AND json_extract(`this`.`event_data`,'$.n')>=:times)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.infer_tell
INSERT INTO `daily_logs` (`scope`,`session_id`,`event_type`,`event_data`,`timestamp`)
SELECT :scope,`this`.`session_id`,'pattern_inferred',json_set(:event_data,'$.memory_id',(SELECT `id`
FROM `memory_entries`
WHERE `content_hash`=:content_hash AND `scope`=:scope)),:now
FROM `daily_logs` `this`
WHERE `this`.`id`=(SELECT MAX(`last`.`id`)
FROM `daily_logs` `last`) AND `this`.`scope`=:scope AND json_extract(`this`.`event_data`,'$.n')>=:times
RETURNING `id`;

-- memories.insert_many
INSERT OR IGNORE INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`)
SELECT :scope,json_extract(`item`.`value`,'$[0]'),json_extract(`item`.`value`,'$[1]'),json_extract(`item`.`value`,'$[2]'),json_extract(`item`.`value`,'$[3]'),COALESCE(json_extract(`item`.`value`,'$[7]'),:now),COALESCE(json_extract(`item`.`value`,'$[7]'),:now),json_extract(`item`.`value`,'$[4]'),json_extract(`item`.`value`,'$[5]'),2,json_extract(`item`.`value`,'$[8]')
FROM json_each(:batch) `item`
WHERE NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=json_extract(`item`.`value`,'$[1]'))
ORDER BY `item`.`key`
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`;

-- memories.known
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `content_hash`=:content_hash AND `scope`=:scope;

-- memories.observations
SELECT `seen`.`event_type`,CASE WHEN json_valid(`seen`.`event_data`) THEN json_extract(`seen`.`event_data`,'$.pattern') END
FROM `daily_logs` `seen`
WHERE `seen`.`scope`=:scope AND `seen`.`timestamp`>=:since AND `seen`.`event_type` IN ('pattern_observed','pattern_inferred')
ORDER BY `seen`.`id`;

-- memories.observe
INSERT INTO `daily_logs` (`scope`,`session_id`,`event_type`,`event_data`,`timestamp`)
VALUES (:scope,CASE WHEN :session_id IS NULL THEN null ELSE COALESCE((SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope),-1) END,'pattern_observed',json_set(:event_data,'$.n',(SELECT COUNT(*)
FROM `daily_logs` `seen`
WHERE `seen`.`scope`=:scope AND `seen`.`timestamp`>=:since AND `seen`.`event_type`='pattern_observed' AND CASE WHEN json_valid(`seen`.`event_data`) THEN json_extract(`seen`.`event_data`,'$.pattern') END=:pattern AND `seen`.`id`>COALESCE((SELECT MAX(`told`.`id`)
FROM `daily_logs` `told`
WHERE `told`.`scope`=:scope AND `told`.`timestamp`>=:since AND `told`.`event_type`='pattern_inferred' AND CASE WHEN json_valid(`told`.`event_data`) THEN json_extract(`told`.`event_data`,'$.pattern') END=:pattern),0))+1),:now)
RETURNING `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`,json_extract(`event_data`,'$.n');

-- memories.pin
UPDATE `memory_entries`
SET `pinned_at`=COALESCE(`pinned_at`,:now)
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.pinned
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `pinned_at`>='' AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `pinned_at`,`id`
LIMIT :limit;

-- memories.propose
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`slot`,`deleted_at`,`proposed_at`)
VALUES (:scope,CASE WHEN :session_id IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope) THEN :content END,:content_hash,:category,:source,:created_at,:created_at,:metadata,:expires_at,2,:session_id,:slot,:now,:now) ON CONFLICT (`content_hash`) DO UPDATE
SET `last_accessed`=:now,`expires_at`=CASE WHEN :expires_at IS NULL THEN null WHEN `memory_entries`.`expires_at`<:expires_at THEN :expires_at ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1,`slot`=CASE WHEN `memory_entries`.`proposed_at` IS NOT NULL AND `memory_entries`.`deleted_at`=`memory_entries`.`proposed_at` THEN COALESCE(`memory_entries`.`slot`,:slot) ELSE `memory_entries`.`slot` END
WHERE `memory_entries`.`scope`=:scope AND ((`memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now)) OR (`memory_entries`.`proposed_at` IS NOT NULL AND `memory_entries`.`deleted_at`=`memory_entries`.`proposed_at`))
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`;

-- memories.propose_expired
UPDATE `memory_entries`
SET `deleted_at`=:now,`proposed_at`=:now,`last_accessed`=:now,`expires_at`=:expires_at,`n_restated`=`n_restated`+1,`slot`=COALESCE(:slot,`slot`)
WHERE `content_hash`=:content_hash AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `expires_at`<=:now
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.purge
DELETE
FROM `memory_entries`
WHERE `id` IN (SELECT `chain`.`id`
FROM (WITH RECURSIVE `chain`(`id`) AS (SELECT `id`
FROM `memory_entries`
WHERE `scope`=:scope AND ((`deleted_at`<:before AND `deleted_at` GLOB '????-??-??T??:??:??.???Z' AND date(`deleted_at`,'+0 days')=substr(`deleted_at`,1,10) AND date(`deleted_at`,'+0 days')>='0001' AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`)) OR (`expires_at`<:before AND `expires_at` GLOB '????-??-??T??:??:??.???Z' AND date(`expires_at`,'+0 days')=substr(`expires_at`,1,10) AND date(`expires_at`,'+0 days')>='0001' AND `expires_at`<=:now)) UNION
SELECT `orphan`.`id`
FROM `memory_entries` `orphan`
WHERE `orphan`.`superseded_by`>0 AND typeof(`orphan`.`superseded_by`)='integer' AND NOT EXISTS (SELECT 1
FROM `memory_entries` `successor`
WHERE `successor`.`id`=`orphan`.`superseded_by`) AND +`orphan`.`scope`=:scope AND `orphan`.`created_at`<:before AND `orphan`.`created_at` GLOB '????-??-??T??:??:??.???Z' AND date(`orphan`.`created_at`,'+0 days')=substr(`orphan`.`created_at`,1,10) AND date(`orphan`.`created_at`,'+0 days')>='0001' UNION
SELECT `fact`.`id`
FROM `chain` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`superseded_by`=`chain`.`id` AND +`fact`.`scope`=:scope)
SELECT `id`
FROM `chain`) `chain`);

-- memories.refresh_many
UPDATE `memory_entries`
SET `last_accessed`=:now,`source`=CASE WHEN NOT json_extract(`item`.`value`,'$[6]') IS NULL AND `memory_entries`.`source` IN ('inferred','jarvis_inferred') THEN json_extract(`item`.`value`,'$[6]') ELSE `memory_entries`.`source` END,`expires_at`=CASE WHEN json_extract(`item`.`value`,'$[5]') IS NULL THEN null WHEN `memory_entries`.`expires_at`<json_extract(`item`.`value`,'$[5]') THEN json_extract(`item`.`value`,'$[5]') ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1
FROM json_each(:batch) `item`
WHERE `memory_entries`.`content_hash`=json_extract(`item`.`value`,'$[1]') AND +`memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.reject
UPDATE `memory_entries`
SET `deleted_at`=:now,`proposed_at`=null
WHERE `id`=:id AND `scope`=:scope AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.remember
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`)
VALUES (:scope,CASE WHEN :session_id IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope) THEN :content END,:content_hash,:category,:source,:created_at,:created_at,:metadata,:expires_at,2,:session_id) ON CONFLICT (`content_hash`) DO UPDATE
SET `source`=CASE WHEN `memory_entries`.`source` IN ('inferred','jarvis_inferred') THEN `excluded`.`source` ELSE `memory_entries`.`source` END,`last_accessed`=`excluded`.`created_at`,`expires_at`=CASE WHEN `excluded`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`excluded`.`expires_at` THEN `excluded`.`expires_at` ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`excluded`.`created_at`) AND `memory_entries`.`scope`=`excluded`.`scope`
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.remember*2
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`)
SELECT `item`.`column2`,CASE WHEN `item`.`column10` IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=`item`.`column10` AND `session`.`scope`=`item`.`column2`) THEN `item`.`column3` END,`item`.`column4`,`item`.`column5`,`item`.`column6`,`item`.`column7`,`item`.`column7`,`item`.`column8`,`item`.`column9`,2,`item`.`column10`
FROM (VALUES (0,:scope_0,:content_0,:content_hash_0,:category_0,:source_0,:created_at_0,:metadata_0,:expires_at_0,:session_id_0),(1,:scope_1,:content_1,:content_hash_1,:category_1,:source_1,:created_at_1,:metadata_1,:expires_at_1,:session_id_1)) `item`
WHERE `item`.`column1`>=0 ON CONFLICT (`content_hash`) DO UPDATE
SET `source`=CASE WHEN `memory_entries`.`source` IN ('inferred','jarvis_inferred') THEN `excluded`.`source` ELSE `memory_entries`.`source` END,`last_accessed`=`excluded`.`created_at`,`expires_at`=CASE WHEN `excluded`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`excluded`.`expires_at` THEN `excluded`.`expires_at` ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`excluded`.`created_at`) AND `memory_entries`.`scope`=`excluded`.`scope`
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.remember_inferred
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`)
VALUES (:scope,CASE WHEN :session_id IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope) THEN :content END,:content_hash,:category,:source,:created_at,:created_at,:metadata,:expires_at,2,:session_id) ON CONFLICT (`content_hash`) DO UPDATE
SET `last_accessed`=`excluded`.`created_at`,`expires_at`=CASE WHEN `excluded`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`excluded`.`expires_at` THEN `excluded`.`expires_at` ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`excluded`.`created_at`) AND `memory_entries`.`scope`=`excluded`.`scope`
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.remember_inferred*2
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`)
SELECT `item`.`column2`,CASE WHEN `item`.`column10` IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=`item`.`column10` AND `session`.`scope`=`item`.`column2`) THEN `item`.`column3` END,`item`.`column4`,`item`.`column5`,`item`.`column6`,`item`.`column7`,`item`.`column7`,`item`.`column8`,`item`.`column9`,2,`item`.`column10`
FROM (VALUES (0,:scope_0,:content_0,:content_hash_0,:category_0,:source_0,:created_at_0,:metadata_0,:expires_at_0,:session_id_0),(1,:scope_1,:content_1,:content_hash_1,:category_1,:source_1,:created_at_1,:metadata_1,:expires_at_1,:session_id_1)) `item`
WHERE `item`.`column1`>=0 ON CONFLICT (`content_hash`) DO UPDATE
SET `last_accessed`=`excluded`.`created_at`,`expires_at`=CASE WHEN `excluded`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`excluded`.`expires_at` THEN `excluded`.`expires_at` ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>`excluded`.`created_at`) AND `memory_entries`.`scope`=`excluded`.`scope`
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.renew
UPDATE `memory_entries`
SET `last_accessed`=:now,`expires_at`=:expires_at,`n_restated`=`n_restated`+1
WHERE `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND +`expires_at`<=:now AND `content_hash`=:content_hash AND `scope`=:scope;

-- memories.renew_many
UPDATE `memory_entries`
SET `last_accessed`=:now,`expires_at`=(SELECT json_extract(`item`.`value`,'$[5]')
FROM json_each(:batch) `item`
WHERE json_extract(`item`.`value`,'$[1]')=`memory_entries`.`content_hash`
LIMIT 1),`n_restated`=`n_restated`+1
WHERE `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND +`expires_at`<=:now AND `scope`=:scope AND `content_hash` IN (SELECT json_extract(`item`.`value`,'$[1]')
FROM json_each(:batch) `item`);

-- memories.require_free
INSERT INTO `memory_entries` (`id`,`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`)
SELECT `known`.`id`,`known`.`scope`,`known`.`content`,`known`.`content_hash`,`known`.`category`,`known`.`source`,`known`.`created_at`,`known`.`last_accessed`,`known`.`metadata`,`known`.`expires_at`,`known`.`hash_version`,`known`.`session_id`
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash AND `known`.`scope`=:scope AND `known`.`deleted_at` IS NULL AND `known`.`superseded_by` IS NULL AND (`known`.`expires_at` IS NULL OR `known`.`expires_at`>:now) AND `known`.`slot`<>:slot AND NOT EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=:kept_slot AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND (`holder`.`content_hash` IS NULL OR `holder`.`content_hash`<>:content_hash));

-- memories.require_sessions
INSERT INTO `memory_entries` (`scope`,`content`)
SELECT :scope,null
FROM json_each(:sessions) `item`
WHERE NOT EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=`item`.`value` AND `session`.`scope`=:scope);

-- memories.restore
UPDATE `memory_entries`
SET `deleted_at`=null
FROM (WITH RECURSIVE `chain`(`id`,`deleted_at`) AS (SELECT `id`,`deleted_at`
FROM `memory_entries`
WHERE `id`=:id AND `scope`=:scope AND (`expires_at` IS NULL OR `expires_at`>:now) AND (`proposed_at` IS NULL OR `deleted_at` IS NULL OR `deleted_at`<>`proposed_at`) UNION
SELECT `fact`.`id`,`chain`.`deleted_at`
FROM `chain` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`superseded_by`=`chain`.`id` AND +`fact`.`scope`=:scope)
SELECT `id`,`deleted_at`
FROM `chain`) `chain`
WHERE `memory_entries`.`id`=`chain`.`id` AND `memory_entries`.`deleted_at`=`chain`.`deleted_at` AND (`memory_entries`.`proposed_at` IS NULL OR `memory_entries`.`deleted_at` IS NULL OR `memory_entries`.`deleted_at`<>`memory_entries`.`proposed_at`);

-- memories.revert
UPDATE `memory_entries`
SET `deleted_at`=CASE WHEN `memory_entries`.`id`=`pair`.`wrong` THEN :now END,`proposed_at`=null,`superseded_by`=null,`pinned_at`=COALESCE(`memory_entries`.`pinned_at`,`pair`.`pinned_at`),`due_at`=COALESCE(`memory_entries`.`due_at`,`pair`.`due_at`),`surfaced_at`=CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `pair`.`due_at` IS NULL) OR (`memory_entries`.`due_at`=`pair`.`due_at` AND `memory_entries`.`surfaced_at` IS NULL) THEN `pair`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END
FROM (SELECT `holder`.`id` `wrong`,`before`.`id` `right`,`holder`.`pinned_at`,`holder`.`due_at`,`holder`.`surfaced_at`
FROM `memory_entries` `holder` CROSS JOIN `memory_entries` `before`
WHERE `holder`.`id`=(SELECT `filler`.`id`
FROM `memory_entries` `filler`
WHERE `filler`.`scope`=:scope AND `filler`.`slot`=:slot AND `filler`.`deleted_at` IS NULL AND `filler`.`superseded_by` IS NULL AND (`filler`.`expires_at` IS NULL OR `filler`.`expires_at`>:now)
ORDER BY `filler`.`id` DESC
LIMIT 1) AND `before`.`superseded_by`=`holder`.`id` AND +`before`.`scope`=:scope AND `before`.`slot`=:slot AND `before`.`deleted_at` IS NULL AND (`before`.`expires_at` IS NULL OR `before`.`expires_at`>:now)
ORDER BY COALESCE(`before`.`last_accessed`,`before`.`created_at`) DESC,`before`.`id` DESC
LIMIT 1) `pair`
WHERE `memory_entries`.`id`=`pair`.`wrong` OR `memory_entries`.`id`=`pair`.`right`
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.revive
UPDATE `memory_entries`
SET `deleted_at`=null,`superseded_by`=null,`proposed_at`=null,`expires_at`=:expires_at,`last_accessed`=:now,`source`=CASE WHEN NOT :said_source IS NULL AND `source` IN ('inferred','jarvis_inferred') THEN :said_source ELSE `source` END,`n_restated`=`n_restated`+1,`slot`=COALESCE(:slot,CASE WHEN :said_source IS NULL AND EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=`memory_entries`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND `holder`.`id`<>`memory_entries`.`id`) THEN null ELSE `slot` END)
WHERE (NOT `deleted_at` IS NULL OR NOT `superseded_by` IS NULL OR `expires_at`<=:now) AND (NOT :said_source IS NULL OR (`deleted_at` IS NULL AND `superseded_by` IS NULL)) AND `content_hash`=:content_hash AND `scope`=:scope AND NOT EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=:kept_slot AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND (`holder`.`content_hash` IS NULL OR `holder`.`content_hash`<>:content_hash))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.revive_many
UPDATE `memory_entries`
SET `deleted_at`=null,`superseded_by`=null,`proposed_at`=null,`expires_at`=json_extract(`item`.`value`,'$[5]'),`last_accessed`=:now,`source`=CASE WHEN NOT json_extract(`item`.`value`,'$[6]') IS NULL AND `memory_entries`.`source` IN ('inferred','jarvis_inferred') THEN json_extract(`item`.`value`,'$[6]') ELSE `memory_entries`.`source` END,`n_restated`=`memory_entries`.`n_restated`+1,`slot`=CASE WHEN json_extract(`item`.`value`,'$[6]') IS NULL AND EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=`memory_entries`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND `holder`.`id`<>`memory_entries`.`id`) THEN null ELSE `memory_entries`.`slot` END
FROM json_each(:batch) `item`
WHERE (NOT `memory_entries`.`deleted_at` IS NULL OR NOT `memory_entries`.`superseded_by` IS NULL OR `memory_entries`.`expires_at`<=:now) AND (NOT json_extract(`item`.`value`,'$[6]') IS NULL OR (`memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL)) AND `memory_entries`.`content_hash`=json_extract(`item`.`value`,'$[1]') AND +`memory_entries`.`scope`=:scope
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.set_due
UPDATE `memory_entries`
SET `due_at`=:due_at,`surfaced_at`=CASE WHEN COALESCE(`due_at`,'')=COALESCE(:due_at,'') THEN `surfaced_at` END
WHERE `content_hash`=:content_hash AND `scope`=:scope AND ((`deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)) OR (:is_proposed=1 AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at`)) AND COALESCE(`slot`<>:slot,0)=0 AND NOT EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=:kept_slot AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND (`holder`.`content_hash` IS NULL OR `holder`.`content_hash`<>:content_hash))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.set_due_many
UPDATE `memory_entries`
SET `due_at`=json_extract(`item`.`value`,'$[1]'),`surfaced_at`=CASE WHEN COALESCE(`memory_entries`.`due_at`,'')=COALESCE(json_extract(`item`.`value`,'$[1]'),'') THEN `memory_entries`.`surfaced_at` END
FROM json_each(:batch) `item`
WHERE `memory_entries`.`content_hash`=json_extract(`item`.`value`,'$[0]') AND +`memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.state
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`slot`)
SELECT :scope,CASE WHEN :session_id IS NULL OR EXISTS (SELECT 1
FROM `sessions` `session`
WHERE `session`.`id`=:session_id AND `session`.`scope`=:scope) THEN :content END,:content_hash,:category,:source,:created_at,:created_at,:metadata,:expires_at,2,:session_id,:slot
WHERE NOT EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=:kept_slot AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND (`holder`.`content_hash` IS NULL OR `holder`.`content_hash`<>:content_hash)) ON CONFLICT (`content_hash`) DO UPDATE
SET `source`=CASE WHEN NOT :said_source IS NULL AND `memory_entries`.`source` IN ('inferred','jarvis_inferred') THEN :said_source ELSE `memory_entries`.`source` END,`last_accessed`=:now,`expires_at`=CASE WHEN :expires_at IS NULL THEN null WHEN `memory_entries`.`expires_at`<:expires_at THEN :expires_at ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1,`slot`=COALESCE(`memory_entries`.`slot`,:slot)
WHERE `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now) AND `memory_entries`.`scope`=:scope AND COALESCE(`memory_entries`.`slot`<>:slot,0)=0
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,`n_restated`;

-- memories.supersede_insert
INSERT OR IGNORE INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`slot`,`pinned_at`,`due_at`,`surfaced_at`)
SELECT :scope,:content,:content_hash,COALESCE(:category,`old`.`category`),:source,:now,:now,COALESCE(:metadata,`old`.`metadata`),:expires_at,2,:session_id,`old`.`slot`,`old`.`pinned_at`,`old`.`due_at`,CASE WHEN NOT `old`.`due_at` IS NULL THEN `old`.`surfaced_at` END
FROM `memory_entries` `old`
WHERE `old`.`id`=:id AND `old`.`scope`=:scope AND `old`.`deleted_at` IS NULL AND `old`.`superseded_by` IS NULL AND (`old`.`expires_at` IS NULL OR `old`.`expires_at`>:now) AND (`old`.`content_hash` IS NULL OR `old`.`content_hash`<>:content_hash) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash AND `known`.`scope`=:scope AND `known`.`deleted_at` IS NULL AND `known`.`superseded_by` IS NULL AND (`known`.`expires_at` IS NULL OR `known`.`expires_at`>:now) AND `known`.`slot`<>`old`.`slot`)
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`;

-- memories.supersede_link
UPDATE `memory_entries`
SET `superseded_by`=(SELECT `successor`.`id`
FROM `memory_entries` `successor`
WHERE `successor`.`content_hash`=:content_hash AND `successor`.`scope`=:scope AND `successor`.`deleted_at` IS NULL AND `successor`.`superseded_by` IS NULL)
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND (`content_hash` IS NULL OR `content_hash`<>:content_hash) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash AND `known`.`scope`=:scope AND `known`.`deleted_at` IS NULL AND `known`.`superseded_by` IS NULL AND (`known`.`expires_at` IS NULL OR `known`.`expires_at`>:now) AND `known`.`slot`<>`memory_entries`.`slot`) AND EXISTS (SELECT `successor`.`id`
FROM `memory_entries` `successor`
WHERE `successor`.`content_hash`=:content_hash AND `successor`.`scope`=:scope AND `successor`.`deleted_at` IS NULL AND `successor`.`superseded_by` IS NULL)
RETURNING `memory_entries`.`id`;

-- memories.supersede_propose
INSERT INTO `memory_entries` (`scope`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`metadata`,`expires_at`,`hash_version`,`session_id`,`slot`,`deleted_at`,`proposed_at`)
SELECT :scope,:content,:content_hash,COALESCE(:category,`old`.`category`),:source,:now,:now,COALESCE(:metadata,`old`.`metadata`),:expires_at,2,:session_id,`old`.`slot`,:now,:now
FROM `memory_entries` `old`
WHERE `old`.`id`=:id AND `old`.`scope`=:scope AND `old`.`deleted_at` IS NULL AND `old`.`superseded_by` IS NULL AND (`old`.`expires_at` IS NULL OR `old`.`expires_at`>:now) AND (`old`.`content_hash` IS NULL OR `old`.`content_hash`<>:content_hash) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash AND `known`.`scope`=:scope AND `known`.`deleted_at` IS NULL AND `known`.`superseded_by` IS NULL AND (`known`.`expires_at` IS NULL OR `known`.`expires_at`>:now) AND `known`.`slot`<>`old`.`slot`) ON CONFLICT (`content_hash`) DO UPDATE
SET `last_accessed`=:now,`expires_at`=CASE WHEN :expires_at IS NULL THEN null WHEN `memory_entries`.`expires_at`<:expires_at THEN :expires_at ELSE `memory_entries`.`expires_at` END,`n_restated`=`memory_entries`.`n_restated`+1,`slot`=CASE WHEN `memory_entries`.`proposed_at` IS NOT NULL AND `memory_entries`.`deleted_at`=`memory_entries`.`proposed_at` THEN COALESCE(`memory_entries`.`slot`,(SELECT `whose`.`slot`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope)) ELSE `memory_entries`.`slot` END
WHERE `memory_entries`.`scope`=:scope AND ((`memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now)) OR (`memory_entries`.`proposed_at` IS NOT NULL AND `memory_entries`.`deleted_at`=`memory_entries`.`proposed_at`))
RETURNING `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`;

-- memories.supersede_propose_expired
UPDATE `memory_entries`
SET `deleted_at`=:now,`proposed_at`=:now,`last_accessed`=:now,`expires_at`=:expires_at,`n_restated`=`n_restated`+1,`slot`=COALESCE((SELECT `whose`.`slot`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope),`slot`)
WHERE `content_hash`=:content_hash AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND `expires_at`<=:now AND EXISTS (SELECT 1
FROM `memory_entries` `old`
WHERE `old`.`id`=:id AND `old`.`scope`=:scope AND `old`.`deleted_at` IS NULL AND `old`.`superseded_by` IS NULL AND (`old`.`expires_at` IS NULL OR `old`.`expires_at`>:now) AND (`old`.`content_hash` IS NULL OR `old`.`content_hash`<>:content_hash) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash AND `known`.`scope`=:scope AND `known`.`deleted_at` IS NULL AND `known`.`superseded_by` IS NULL AND (`known`.`expires_at` IS NULL OR `known`.`expires_at`>:now) AND `known`.`slot`<>`old`.`slot`))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.supersede_refresh
UPDATE `memory_entries`
SET `last_accessed`=:now,`source`=CASE WHEN NOT :said_source IS NULL AND `source` IN ('inferred','jarvis_inferred') THEN :said_source ELSE `source` END,`expires_at`=CASE WHEN :expires_at IS NULL THEN null WHEN `expires_at`<:expires_at THEN :expires_at ELSE `expires_at` END,`n_restated`=`n_restated`+1,`pinned_at`=COALESCE(`pinned_at`,(SELECT `whose`.`pinned_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope)),`due_at`=COALESCE(`due_at`,(SELECT `whose`.`due_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope)),`surfaced_at`=CASE WHEN (`due_at` IS NULL AND NOT (SELECT `whose`.`due_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope) IS NULL) OR (`due_at`=(SELECT `whose`.`due_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope) AND `surfaced_at` IS NULL) THEN (SELECT `whose`.`surfaced_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope) ELSE `surfaced_at` END,`slot`=COALESCE(`slot`,(SELECT `whose`.`slot`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope))
WHERE `content_hash`=:content_hash AND `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND EXISTS (SELECT 1
FROM `memory_entries` `old`
WHERE `old`.`id`=:id AND `old`.`scope`=:scope AND `old`.`deleted_at` IS NULL AND `old`.`superseded_by` IS NULL AND (`old`.`expires_at` IS NULL OR `old`.`expires_at`>:now) AND (`old`.`content_hash` IS NULL OR `old`.`content_hash`<>:content_hash) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash AND `known`.`scope`=:scope AND `known`.`deleted_at` IS NULL AND `known`.`superseded_by` IS NULL AND (`known`.`expires_at` IS NULL OR `known`.`expires_at`>:now) AND `known`.`slot`<>`old`.`slot`))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.supersede_renew
UPDATE `memory_entries`
SET `last_accessed`=:now,`expires_at`=:expires_at,`n_restated`=`n_restated`+1
WHERE `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND +`expires_at`<=:now AND `content_hash`=:content_hash AND `scope`=:scope AND EXISTS (SELECT 1
FROM `memory_entries` `old`
WHERE `old`.`id`=:id AND `old`.`scope`=:scope AND `old`.`deleted_at` IS NULL AND `old`.`superseded_by` IS NULL AND (`old`.`expires_at` IS NULL OR `old`.`expires_at`>:now) AND (`old`.`content_hash` IS NULL OR `old`.`content_hash`<>:content_hash) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash AND `known`.`scope`=:scope AND `known`.`deleted_at` IS NULL AND `known`.`superseded_by` IS NULL AND (`known`.`expires_at` IS NULL OR `known`.`expires_at`>:now) AND `known`.`slot`<>`old`.`slot`));

-- memories.supersede_revive
UPDATE `memory_entries`
SET `deleted_at`=null,`superseded_by`=null,`proposed_at`=null,`expires_at`=:expires_at,`last_accessed`=:now,`source`=CASE WHEN NOT :said_source IS NULL AND `source` IN ('inferred','jarvis_inferred') THEN :said_source ELSE `source` END,`n_restated`=`n_restated`+1,`slot`=COALESCE((SELECT `whose`.`slot`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope),CASE WHEN :said_source IS NULL AND EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=`memory_entries`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`source` NOT IN ('inferred','jarvis_inferred') AND `holder`.`id`<>`memory_entries`.`id`) THEN null ELSE `slot` END),`pinned_at`=COALESCE(`pinned_at`,(SELECT `whose`.`pinned_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope)),`due_at`=COALESCE(`due_at`,(SELECT `whose`.`due_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope)),`surfaced_at`=CASE WHEN (`due_at` IS NULL AND NOT (SELECT `whose`.`due_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope) IS NULL) OR (`due_at`=(SELECT `whose`.`due_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope) AND `surfaced_at` IS NULL) THEN (SELECT `whose`.`surfaced_at`
FROM `memory_entries` `whose`
WHERE `whose`.`id`=:id AND `whose`.`scope`=:scope) ELSE `surfaced_at` END
WHERE (NOT `deleted_at` IS NULL OR NOT `superseded_by` IS NULL OR `expires_at`<=:now) AND (NOT :said_source IS NULL OR (`deleted_at` IS NULL AND `superseded_by` IS NULL)) AND `content_hash`=:content_hash AND `scope`=:scope AND EXISTS (SELECT 1
FROM `memory_entries` `old`
WHERE `old`.`id`=:id AND `old`.`scope`=:scope AND `old`.`deleted_at` IS NULL AND `old`.`superseded_by` IS NULL AND (`old`.`expires_at` IS NULL OR `old`.`expires_at`>:now) AND (`old`.`content_hash` IS NULL OR `old`.`content_hash`<>:content_hash) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `known`
WHERE `known`.`content_hash`=:content_hash AND `known`.`scope`=:scope AND `known`.`deleted_at` IS NULL AND `known`.`superseded_by` IS NULL AND (`known`.`expires_at` IS NULL OR `known`.`expires_at`>:now) AND `known`.`slot`<>`old`.`slot`))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.surfaced
UPDATE `memory_entries`
SET `surfaced_at`=:now
WHERE `id` IN (SELECT `item`.`value`
FROM json_each(:ids) `item`) AND +`scope`=:scope AND `surfaced_at` IS NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.take
UPDATE `memory_entries`
SET `superseded_by`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `pair`.`winner` END,`pinned_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`pinned_at` ELSE COALESCE(`memory_entries`.`pinned_at`,`pair`.`pinned_at`) END,`due_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`due_at` ELSE COALESCE(`memory_entries`.`due_at`,`pair`.`due_at`) END,`surfaced_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`surfaced_at` ELSE CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `pair`.`due_at` IS NULL) OR (`memory_entries`.`due_at`=`pair`.`due_at` AND `memory_entries`.`surfaced_at` IS NULL) THEN `pair`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END END
FROM (SELECT DISTINCT `filler`.`id` `winner`,`holder`.`id` `loser`,`holder`.`pinned_at`,`holder`.`due_at`,`holder`.`surfaced_at`
FROM `memory_entries` `filler` CROSS JOIN `memory_entries` `holder`
WHERE `filler`.`content_hash`=:content_hash AND `filler`.`scope`=:scope AND `filler`.`slot`=:slot AND `filler`.`deleted_at` IS NULL AND `filler`.`superseded_by` IS NULL AND (`filler`.`expires_at` IS NULL OR `filler`.`expires_at`>:now) AND `holder`.`slot`=`filler`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`id`<>`filler`.`id` AND (:keeps=0 OR `holder`.`source` IN ('inferred','jarvis_inferred'))) `pair`
WHERE `memory_entries`.`id`=`pair`.`loser` OR (`memory_entries`.`id`=`pair`.`winner` AND (NOT `pair`.`pinned_at` IS NULL OR NOT `pair`.`due_at` IS NULL))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.take*2
UPDATE `memory_entries`
SET `superseded_by`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `pair`.`winner` END,`pinned_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`pinned_at` ELSE COALESCE(`memory_entries`.`pinned_at`,`pair`.`pinned_at`) END,`due_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`due_at` ELSE COALESCE(`memory_entries`.`due_at`,`pair`.`due_at`) END,`surfaced_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`surfaced_at` ELSE CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `pair`.`due_at` IS NULL) OR (`memory_entries`.`due_at`=`pair`.`due_at` AND `memory_entries`.`surfaced_at` IS NULL) THEN `pair`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END END
FROM (SELECT DISTINCT `filler`.`id` `winner`,`holder`.`id` `loser`,`holder`.`pinned_at`,`holder`.`due_at`,`holder`.`surfaced_at`
FROM (VALUES (0,:scope_0,:content_hash_0,:now_0,:slot_0,:keeps_0),(1,:scope_1,:content_hash_1,:now_1,:slot_1,:keeps_1)) `item` CROSS JOIN `memory_entries` `filler` CROSS JOIN `memory_entries` `holder`
WHERE `filler`.`content_hash`=`item`.`column3` AND `filler`.`scope`=`item`.`column2` AND `filler`.`slot`=`item`.`column5` AND `filler`.`deleted_at` IS NULL AND `filler`.`superseded_by` IS NULL AND (`filler`.`expires_at` IS NULL OR `filler`.`expires_at`>`item`.`column4`) AND `holder`.`slot`=`filler`.`slot` AND `holder`.`scope`=`item`.`column2` AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>`item`.`column4`) AND `holder`.`id`<>`filler`.`id` AND (`item`.`column6`=0 OR `holder`.`source` IN ('inferred','jarvis_inferred'))) `pair`
WHERE `memory_entries`.`id`=`pair`.`loser` OR (`memory_entries`.`id`=`pair`.`winner` AND (NOT `pair`.`pinned_at` IS NULL OR NOT `pair`.`due_at` IS NULL))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.take_by_hash
UPDATE `memory_entries`
SET `superseded_by`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `pair`.`winner` END,`pinned_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`pinned_at` ELSE COALESCE(`memory_entries`.`pinned_at`,`pair`.`pinned_at`) END,`due_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`due_at` ELSE COALESCE(`memory_entries`.`due_at`,`pair`.`due_at`) END,`surfaced_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`surfaced_at` ELSE CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `pair`.`due_at` IS NULL) OR (`memory_entries`.`due_at`=`pair`.`due_at` AND `memory_entries`.`surfaced_at` IS NULL) THEN `pair`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END END
FROM (SELECT DISTINCT `filler`.`id` `winner`,`holder`.`id` `loser`,`holder`.`pinned_at`,`holder`.`due_at`,`holder`.`surfaced_at`
FROM `memory_entries` `filler` CROSS JOIN `memory_entries` `holder`
WHERE `filler`.`content_hash`=:content_hash AND `filler`.`scope`=:scope AND `filler`.`deleted_at` IS NULL AND `filler`.`superseded_by` IS NULL AND (`filler`.`expires_at` IS NULL OR `filler`.`expires_at`>:now) AND `holder`.`slot`=`filler`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`id`<>`filler`.`id` AND (:keeps=0 OR `holder`.`source` IN ('inferred','jarvis_inferred'))) `pair`
WHERE `memory_entries`.`id`=`pair`.`loser` OR (`memory_entries`.`id`=`pair`.`winner` AND (NOT `pair`.`pinned_at` IS NULL OR NOT `pair`.`due_at` IS NULL))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.take_by_id
UPDATE `memory_entries`
SET `superseded_by`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `pair`.`winner` END,`pinned_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`pinned_at` ELSE COALESCE(`memory_entries`.`pinned_at`,`pair`.`pinned_at`) END,`due_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`due_at` ELSE COALESCE(`memory_entries`.`due_at`,`pair`.`due_at`) END,`surfaced_at`=CASE WHEN `memory_entries`.`id`=`pair`.`loser` THEN `memory_entries`.`surfaced_at` ELSE CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `pair`.`due_at` IS NULL) OR (`memory_entries`.`due_at`=`pair`.`due_at` AND `memory_entries`.`surfaced_at` IS NULL) THEN `pair`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END END
FROM (SELECT DISTINCT `filler`.`id` `winner`,`holder`.`id` `loser`,`holder`.`pinned_at`,`holder`.`due_at`,`holder`.`surfaced_at`
FROM `memory_entries` `filler` CROSS JOIN `memory_entries` `holder`
WHERE `filler`.`id`=:id AND `filler`.`scope`=:scope AND `filler`.`deleted_at` IS NULL AND `filler`.`superseded_by` IS NULL AND (`filler`.`expires_at` IS NULL OR `filler`.`expires_at`>:now) AND `holder`.`slot`=`filler`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`id`<>`filler`.`id`) `pair`
WHERE `memory_entries`.`id`=`pair`.`loser` OR (`memory_entries`.`id`=`pair`.`winner` AND (NOT `pair`.`pinned_at` IS NULL OR NOT `pair`.`due_at` IS NULL))
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.take_many
UPDATE `memory_entries`
SET `superseded_by`=`taken`.`winner`
FROM (SELECT DISTINCT `holder`.`id` `loser`,`stated`.`id` `winner`,`holder`.`pinned_at`,`holder`.`due_at`,`holder`.`surfaced_at`
FROM (SELECT `filler`.`slot`,COALESCE(MAX(CASE WHEN `filler`.`source` NOT IN ('inferred','jarvis_inferred') THEN `filler`.`id` END),MAX(`filler`.`id`)) `id`,MAX(CASE WHEN `filler`.`source` NOT IN ('inferred','jarvis_inferred') THEN 1 ELSE 0 END) `is_users`
FROM (SELECT `holder`.`slot`
FROM `memory_entries` `holder`
WHERE `holder`.`scope`=:scope AND `holder`.`slot` IS NOT NULL AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL GROUP BY `holder`.`slot` HAVING COUNT(*)>1) `contested` CROSS JOIN `memory_entries` `filler`
WHERE `filler`.`slot`=`contested`.`slot` AND `filler`.`scope`=:scope AND `filler`.`deleted_at` IS NULL AND `filler`.`superseded_by` IS NULL AND (`filler`.`expires_at` IS NULL OR `filler`.`expires_at`>:now) AND `filler`.`content_hash` IN (SELECT json_extract(`item`.`value`,'$[1]')
FROM json_each(:batch) `item`) GROUP BY `filler`.`slot`) `stated` CROSS JOIN `memory_entries` `holder`
WHERE `holder`.`slot`=`stated`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`id`<>`stated`.`id` AND (`stated`.`is_users`=1 OR `holder`.`source` IN ('inferred','jarvis_inferred'))) `taken`
WHERE `memory_entries`.`id`=`taken`.`loser` AND +`memory_entries`.`scope`=:scope
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.take_over_many
UPDATE `memory_entries`
SET `pinned_at`=COALESCE(`memory_entries`.`pinned_at`,`newest`.`pinned_at`),`due_at`=COALESCE(`memory_entries`.`due_at`,`newest`.`due_at`),`surfaced_at`=CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `newest`.`due_at` IS NULL) OR (`memory_entries`.`due_at`=`newest`.`due_at` AND `memory_entries`.`surfaced_at` IS NULL) THEN `newest`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END
FROM (SELECT `taken`.`winner`,MAX(`taken`.`loser`),`taken`.`pinned_at`,`taken`.`due_at`,`taken`.`surfaced_at`
FROM (SELECT DISTINCT `holder`.`id` `loser`,`stated`.`id` `winner`,`holder`.`pinned_at`,`holder`.`due_at`,`holder`.`surfaced_at`
FROM (SELECT `filler`.`slot`,COALESCE(MAX(CASE WHEN `filler`.`source` NOT IN ('inferred','jarvis_inferred') THEN `filler`.`id` END),MAX(`filler`.`id`)) `id`,MAX(CASE WHEN `filler`.`source` NOT IN ('inferred','jarvis_inferred') THEN 1 ELSE 0 END) `is_users`
FROM (SELECT `holder`.`slot`
FROM `memory_entries` `holder`
WHERE `holder`.`scope`=:scope AND `holder`.`slot` IS NOT NULL AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL GROUP BY `holder`.`slot` HAVING COUNT(*)>1) `contested` CROSS JOIN `memory_entries` `filler`
WHERE `filler`.`slot`=`contested`.`slot` AND `filler`.`scope`=:scope AND `filler`.`deleted_at` IS NULL AND `filler`.`superseded_by` IS NULL AND (`filler`.`expires_at` IS NULL OR `filler`.`expires_at`>:now) AND `filler`.`content_hash` IN (SELECT json_extract(`item`.`value`,'$[1]')
FROM json_each(:batch) `item`) GROUP BY `filler`.`slot`) `stated` CROSS JOIN `memory_entries` `holder`
WHERE `holder`.`slot`=`stated`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`id`<>`stated`.`id` AND (`stated`.`is_users`=1 OR `holder`.`source` IN ('inferred','jarvis_inferred'))) `taken` GROUP BY `taken`.`winner`) `newest`
WHERE `memory_entries`.`id`=`newest`.`winner` AND +`memory_entries`.`scope`=:scope
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.touch
UPDATE `memory_entries`
SET `last_accessed`=:now
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.touch_many
UPDATE `memory_entries`
SET `last_accessed`=:now
WHERE `id` IN (SELECT `item`.`value`
FROM json_each(:ids) `item`) AND +`scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now);

-- memories.unpin
UPDATE `memory_entries`
SET `pinned_at`=null
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.update (category)
UPDATE `memory_entries`
SET `category`=:category
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.update (category, content, content_hash, due_at, expires_at, metadata)
UPDATE `memory_entries`
SET `category`=:category,`content`=:content,`content_hash`=:content_hash,`expires_at`=:expires_at,`metadata`=:metadata,`due_at`=:due_at,`surfaced_at`=CASE WHEN COALESCE(`due_at`,'')=COALESCE(:due_at,'') THEN `surfaced_at` END,`hash_version`=2
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND NOT EXISTS (SELECT `holder`.`id`
FROM `memory_entries` `holder`
WHERE `holder`.`content_hash`=:content_hash AND `holder`.`id`<>:id)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.update (category, due_at, expires_at, metadata)
UPDATE `memory_entries`
SET `category`=:category,`expires_at`=:expires_at,`metadata`=:metadata,`due_at`=:due_at,`surfaced_at`=CASE WHEN COALESCE(`due_at`,'')=COALESCE(:due_at,'') THEN `surfaced_at` END
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.update (content, content_hash)
UPDATE `memory_entries`
SET `content`=:content,`content_hash`=:content_hash,`hash_version`=2
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND NOT EXISTS (SELECT `holder`.`id`
FROM `memory_entries` `holder`
WHERE `holder`.`content_hash`=:content_hash AND `holder`.`id`<>:id)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.update (due_at)
UPDATE `memory_entries`
SET `due_at`=:due_at,`surfaced_at`=CASE WHEN COALESCE(`due_at`,'')=COALESCE(:due_at,'') THEN `surfaced_at` END
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.update (expires_at)
UPDATE `memory_entries`
SET `expires_at`=:expires_at
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- memories.update (metadata)
UPDATE `memory_entries`
SET `metadata`=:metadata
WHERE `id`=:id AND `scope`=:scope AND `deleted_at` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- merging.keep ()
UPDATE `memory_entries`
SET `slot`=COALESCE(`memory_entries`.`slot`,`dropped`.`slot`),`pinned_at`=COALESCE(`memory_entries`.`pinned_at`,`dropped`.`pinned_at`),`due_at`=CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `dropped`.`due_at` IS NULL) OR (NOT `memory_entries`.`surfaced_at` IS NULL AND NOT `dropped`.`due_at` IS NULL AND `dropped`.`surfaced_at` IS NULL) THEN `dropped`.`due_at` ELSE `memory_entries`.`due_at` END,`surfaced_at`=CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `dropped`.`due_at` IS NULL) OR (NOT `memory_entries`.`surfaced_at` IS NULL AND NOT `dropped`.`due_at` IS NULL AND `dropped`.`surfaced_at` IS NULL) THEN `dropped`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END,`source`=CASE WHEN `memory_entries`.`source` IN ('inferred','jarvis_inferred') AND `dropped`.`source` NOT IN ('inferred','jarvis_inferred') THEN `dropped`.`source` ELSE `memory_entries`.`source` END,`expires_at`=CASE WHEN `dropped`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`dropped`.`expires_at` THEN `dropped`.`expires_at` ELSE `memory_entries`.`expires_at` END,`last_accessed`=CASE WHEN `dropped`.`last_accessed`>`memory_entries`.`last_accessed` THEN `dropped`.`last_accessed` ELSE COALESCE(`memory_entries`.`last_accessed`,`dropped`.`last_accessed`) END
FROM `memory_entries` `dropped`
WHERE `memory_entries`.`id`=:keep AND `memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now) AND `dropped`.`id`=:drop AND `dropped`.`scope`=:scope AND `dropped`.`deleted_at` IS NULL AND `dropped`.`superseded_by` IS NULL AND (`dropped`.`expires_at` IS NULL OR `dropped`.`expires_at`>:now) AND (`memory_entries`.`slot` IS NULL OR `dropped`.`slot` IS NULL OR `memory_entries`.`slot`=`dropped`.`slot`)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- merging.keep () content
UPDATE `memory_entries`
SET `content`=:content,`content_hash`=:content_hash,`hash_version`=2,`slot`=COALESCE(`memory_entries`.`slot`,`dropped`.`slot`),`pinned_at`=COALESCE(`memory_entries`.`pinned_at`,`dropped`.`pinned_at`),`due_at`=CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `dropped`.`due_at` IS NULL) OR (NOT `memory_entries`.`surfaced_at` IS NULL AND NOT `dropped`.`due_at` IS NULL AND `dropped`.`surfaced_at` IS NULL) THEN `dropped`.`due_at` ELSE `memory_entries`.`due_at` END,`surfaced_at`=CASE WHEN (`memory_entries`.`due_at` IS NULL AND NOT `dropped`.`due_at` IS NULL) OR (NOT `memory_entries`.`surfaced_at` IS NULL AND NOT `dropped`.`due_at` IS NULL AND `dropped`.`surfaced_at` IS NULL) THEN `dropped`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END,`source`=CASE WHEN `memory_entries`.`source` IN ('inferred','jarvis_inferred') AND `dropped`.`source` NOT IN ('inferred','jarvis_inferred') THEN `dropped`.`source` ELSE `memory_entries`.`source` END,`expires_at`=CASE WHEN `dropped`.`expires_at` IS NULL THEN null WHEN `memory_entries`.`expires_at`<`dropped`.`expires_at` THEN `dropped`.`expires_at` ELSE `memory_entries`.`expires_at` END,`last_accessed`=CASE WHEN `dropped`.`last_accessed`>`memory_entries`.`last_accessed` THEN `dropped`.`last_accessed` ELSE COALESCE(`memory_entries`.`last_accessed`,`dropped`.`last_accessed`) END
FROM `memory_entries` `dropped`
WHERE NOT EXISTS (SELECT `holder`.`id`
FROM `memory_entries` `holder`
WHERE `holder`.`content_hash`=:content_hash AND `holder`.`id`<>:keep) AND `memory_entries`.`id`=:keep AND `memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now) AND `dropped`.`id`=:drop AND `dropped`.`scope`=:scope AND `dropped`.`deleted_at` IS NULL AND `dropped`.`superseded_by` IS NULL AND (`dropped`.`expires_at` IS NULL OR `dropped`.`expires_at`>:now) AND (`memory_entries`.`slot` IS NULL OR `dropped`.`slot` IS NULL OR `memory_entries`.`slot`=`dropped`.`slot`)
RETURNING `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`;

-- merging.link ()
UPDATE `memory_entries`
SET `superseded_by`=:keep
FROM `memory_entries` `kept`
WHERE `memory_entries`.`id`=:drop AND `memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now) AND `kept`.`id`=:keep AND `kept`.`scope`=:scope AND `kept`.`deleted_at` IS NULL AND `kept`.`superseded_by` IS NULL AND (`kept`.`expires_at` IS NULL OR `kept`.`expires_at`>:now) AND (`memory_entries`.`slot` IS NULL OR `kept`.`slot` IS NULL OR `memory_entries`.`slot`=`kept`.`slot`)
RETURNING `memory_entries`.`id`;

-- merging.link () content
UPDATE `memory_entries`
SET `superseded_by`=:keep
FROM `memory_entries` `kept`
WHERE `memory_entries`.`id`=:drop AND `memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now) AND `kept`.`id`=:keep AND `kept`.`scope`=:scope AND `kept`.`deleted_at` IS NULL AND `kept`.`superseded_by` IS NULL AND (`kept`.`expires_at` IS NULL OR `kept`.`expires_at`>:now) AND (`memory_entries`.`slot` IS NULL OR `kept`.`slot` IS NULL OR `memory_entries`.`slot`=`kept`.`slot`) AND `kept`.`content_hash`=:content_hash
RETURNING `memory_entries`.`id`;

-- near_duplicates.current
SELECT `memory_entries`.`id`,`memory_entries`.`content`,`memory_entries`.`content_hash`,`memory_entries`.`category`,`memory_entries`.`source`,`memory_entries`.`created_at`,`memory_entries`.`last_accessed`,`memory_entries`.`scope`,`memory_entries`.`expires_at`,`memory_entries`.`deleted_at`,`memory_entries`.`superseded_by`,`memory_entries`.`metadata`,`memory_entries`.`session_id`,`memory_entries`.`slot`,`memory_entries`.`proposed_at`,`memory_entries`.`pinned_at`,`memory_entries`.`due_at`,`memory_entries`.`surfaced_at`
FROM json_each(:ids) `item` CROSS JOIN `memory_entries`
WHERE `memory_entries`.`id`=`item`.`value` AND `memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now);

-- near_duplicates.earlier
SELECT (SELECT json_group_array(`found`.`id`)
FROM (SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_memory_entries`(CASE WHEN (SELECT min(`scope`)
FROM `memory_entries`)=:scope AND (SELECT max(`scope`)
FROM `memory_entries`)=:scope THEN '' ELSE :in_scope||' AND ' END||json_extract(`word`.`value`,'$[0]')) `match` CROSS JOIN `memory_entries`
WHERE `match`.`rowid`<json_extract(`word`.`value`,'$[1]') AND `memory_entries`.`id`=`match`.`rowid` AND +`memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now)
ORDER BY `match`.`rowid` DESC
LIMIT :most) `found`)
FROM json_each(:asked) `word`
ORDER BY `word`.`key`;

-- near_duplicates.page ()
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `created_at`,`id`
LIMIT :limit;

-- near_duplicates.page () after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND (`created_at`,`id`)>=(:created_at,:second)
ORDER BY `created_at`,`id`
LIMIT :limit;

-- proposals.page ()
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `proposed_at` ASC,`id` ASC
LIMIT :limit;

-- proposals.page () after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `proposed_at` IS NOT NULL AND `deleted_at`=`proposed_at` AND (`expires_at` IS NULL OR `expires_at`>:now) AND (`proposed_at`,`id`)>(:after_instant,:after_id)
ORDER BY `proposed_at` ASC,`id` ASC
LIMIT :limit;

-- recalling.faded ()
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND `pinned_at` IS NULL AND NOT (NOT `due_at` IS NULL AND `surfaced_at` IS NULL) AND `source` IN (SELECT `item`.`value`
FROM json_each(:sources) `item`) AND `last_accessed` IS NULL AND +`created_at`<=:before
ORDER BY +`created_at`,`id`
LIMIT :limit;

-- recalling.faded () after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND `pinned_at` IS NULL AND NOT (NOT `due_at` IS NULL AND `surfaced_at` IS NULL) AND `source` IN (SELECT `item`.`value`
FROM json_each(:sources) `item`) AND `last_accessed` IS NULL AND +`created_at`<=:before AND (+`created_at`,`id`)>(:after_instant,:after_id)
ORDER BY +`created_at`,`id`
LIMIT :limit;

-- recalling.faded () is_accessed
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND `pinned_at` IS NULL AND NOT (NOT `due_at` IS NULL AND `surfaced_at` IS NULL) AND `source` IN (SELECT `item`.`value`
FROM json_each(:sources) `item`) AND `last_accessed`<=:before
ORDER BY `last_accessed`,`id`
LIMIT :limit;

-- recalling.faded () is_accessed after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND `pinned_at` IS NULL AND NOT (NOT `due_at` IS NULL AND `surfaced_at` IS NULL) AND `source` IN (SELECT `item`.`value`
FROM json_each(:sources) `item`) AND `last_accessed`<=:before AND (`last_accessed`,`id`)>(:after_instant,:after_id)
ORDER BY `last_accessed`,`id`
LIMIT :limit;

-- references.foreign_keys
SELECT `t`.`name`,`k`.`from`,lower(`k`.`table`)
FROM `sqlite_master` AS `t` JOIN pragma_foreign_key_list(`t`.`name`) AS `k`
WHERE `t`.`type`='table' AND lower(`k`.`table`) IN ('memory_entries','sessions','daily_logs') AND `k`.`on_delete` NOT IN ('CASCADE','SET NULL')
ORDER BY `t`.`name`;

-- repair.hand_on_spare
UPDATE `memory_entries`
SET `pinned_at`=ifnull(`memory_entries`.`pinned_at`,`spare`.`pinned_at`),`due_at`=CASE WHEN `spare`.`due_at` IS NOT NULL AND (`memory_entries`.`due_at` IS NULL OR `memory_entries`.`surfaced_at` IS NOT NULL AND `spare`.`surfaced_at` IS NULL) THEN `spare`.`due_at` ELSE `memory_entries`.`due_at` END,`surfaced_at`=CASE WHEN `spare`.`due_at` IS NOT NULL AND (`memory_entries`.`due_at` IS NULL OR `memory_entries`.`surfaced_at` IS NOT NULL AND `spare`.`surfaced_at` IS NULL) THEN `spare`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END
FROM (SELECT `holder`,min(`fact`.`pinned_at`) AS `pinned_at`,ifnull(min(CASE WHEN `fact`.`surfaced_at` IS NULL THEN `fact`.`due_at` END),min(`fact`.`due_at`)) AS `due_at`,CASE WHEN count(CASE WHEN `fact`.`surfaced_at` IS NULL THEN `fact`.`due_at` END)=0 THEN max(`fact`.`surfaced_at`) END AS `surfaced_at`
FROM (SELECT `id`,`holder`
FROM (SELECT `id`,max(`id`) OVER (PARTITION BY `scope`,`slot`) AS `holder`
FROM `memory_entries`
WHERE `slot` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now))
WHERE `id`<`holder`) AS `its` CROSS JOIN `memory_entries` `fact`
WHERE `fact`.`id`=`its`.`id` GROUP BY `holder`) AS `spare`
WHERE `memory_entries`.`id`=`spare`.`holder` AND (`spare`.`pinned_at` IS NOT NULL OR `spare`.`due_at` IS NOT NULL);

-- repair.hash_anew
UPDATE `memory_entries`
SET `hash_version`=0
WHERE `id` IN (SELECT `item`.`value`
FROM json_each(:ids) `item`);

-- repair.outcomes
SELECT `memory_entries`.`id`,`memory_entries`.`content_hash`,`memory_entries`.`superseded_by`
FROM json_each(:ids) `item` CROSS JOIN `memory_entries`
WHERE `memory_entries`.`id`=`item`.`value`;

-- repair.reindex (daily_logs)
REINDEX `daily_logs`;

-- repair.reindex (memory_entries)
REINDEX `memory_entries`;

-- repair.reindex (sessions)
REINDEX `sessions`;

-- repair.release_facts
UPDATE `memory_entries`
SET `session_id`=null
WHERE NOT `session_id` IS NULL AND NOT EXISTS (SELECT 1
FROM `sessions`
WHERE `sessions`.`id`=`memory_entries`.`session_id`)
RETURNING `memory_entries`.`id`;

-- repair.spare_events
UPDATE `daily_logs`
SET `idempotency_key`=NULL
WHERE `id` IN (SELECT `id`
FROM (SELECT `id`,row_number() OVER (PARTITION BY `scope`,`idempotency_key`
ORDER BY `id`) AS `place`
FROM `daily_logs`
WHERE `idempotency_key` IS NOT NULL)
WHERE `place`>1)
RETURNING `id`;

-- repair.spare_facts
UPDATE `memory_entries`
SET `content_hash`=NULL,`hash_version`=0
WHERE `id` IN (SELECT `id`
FROM (SELECT `id`,row_number() OVER (PARTITION BY `content_hash`
ORDER BY `deleted_at` IS NOT NULL,`superseded_by` IS NOT NULL,`id`) AS `place`
FROM `memory_entries`
WHERE `content_hash` IS NOT NULL)
WHERE `place`>1)
RETURNING `id`;

-- repair.spare_holders
SELECT `id`,`holder`
FROM (SELECT `id`,max(`id`) OVER (PARTITION BY `scope`,`slot`) AS `holder`
FROM `memory_entries`
WHERE `slot` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now))
WHERE `id`<`holder`;

-- repair.spare_sessions
UPDATE `sessions`
SET `is_exclusive`=0
WHERE `id` IN (SELECT `id`
FROM (SELECT `id`,row_number() OVER (PARTITION BY `scope`,`thread`
ORDER BY `started_at` DESC,`id` DESC) AS `place`
FROM `sessions`
WHERE `ended_at` IS NULL AND `is_exclusive`=1)
WHERE `place`>1)
RETURNING `id`;

-- repair.supersede_spare
UPDATE `memory_entries`
SET `superseded_by`=`spare`.`holder`
FROM (SELECT `id`,`holder`
FROM (SELECT `id`,max(`id`) OVER (PARTITION BY `scope`,`slot`) AS `holder`
FROM `memory_entries`
WHERE `slot` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now))
WHERE `id`<`holder`) AS `spare`
WHERE `memory_entries`.`id`=`spare`.`id`
RETURNING `memory_entries`.`id`;

-- repair.unique_indexes
SELECT `i`.`name`,`s`.`sql`
FROM pragma_index_list(:table) AS `i` JOIN `sqlite_master` AS `s` ON `s`.`type`='index' AND `s`.`name`=`i`.`name`
WHERE `i`.`unique`=1 AND `s`.`sql` IS NOT NULL;

-- scopes.page ()
WITH RECURSIVE `found`(`scope`) AS (SELECT (SELECT min(`lowest`)
FROM (SELECT MIN(`scope`) `lowest`
FROM `memory_entries` UNION ALL
SELECT MIN(`scope`) `lowest`
FROM `sessions` UNION ALL
SELECT MIN(`scope`) `lowest`
FROM `daily_logs`)) UNION ALL
SELECT (SELECT min(`lowest`)
FROM (SELECT MIN(`memory_entries`.`scope`) `lowest`
FROM `memory_entries`
WHERE `memory_entries`.`scope`>`found`.`scope` UNION ALL
SELECT MIN(`sessions`.`scope`) `lowest`
FROM `sessions`
WHERE `sessions`.`scope`>`found`.`scope` UNION ALL
SELECT MIN(`daily_logs`.`scope`) `lowest`
FROM `daily_logs`
WHERE `daily_logs`.`scope`>`found`.`scope`))
FROM `found`
WHERE `found`.`scope` IS NOT NULL
LIMIT :limit)
SELECT `scope`,(SELECT COUNT(*)
FROM `memory_entries`
WHERE `memory_entries`.`scope`=`found`.`scope`)-(SELECT COUNT(*)
FROM `memory_entries`
WHERE `memory_entries`.`proposed_at` IS NOT NULL AND `memory_entries`.`deleted_at`=`memory_entries`.`proposed_at` AND `memory_entries`.`scope`=`found`.`scope`),(SELECT COUNT(*)
FROM `sessions`
WHERE `sessions`.`scope`=`found`.`scope`),(SELECT COUNT(*)
FROM `daily_logs`
WHERE `daily_logs`.`scope`=`found`.`scope`),(SELECT MAX(`memory_entries`.`created_at`)
FROM `memory_entries`
WHERE `memory_entries`.`scope`=`found`.`scope`),(SELECT MAX(`sessions`.`started_at`)
FROM `sessions`
WHERE `sessions`.`scope`=`found`.`scope`),(SELECT MAX(`daily_logs`.`timestamp`)
FROM `daily_logs`
WHERE `daily_logs`.`scope`=`found`.`scope`)
FROM `found`
WHERE NOT `scope` IS NULL;

-- scopes.page () after
WITH RECURSIVE `found`(`scope`) AS (SELECT (SELECT min(`lowest`)
FROM (SELECT MIN(`scope`) `lowest`
FROM `memory_entries`
WHERE `scope`>:after UNION ALL
SELECT MIN(`scope`) `lowest`
FROM `sessions`
WHERE `scope`>:after UNION ALL
SELECT MIN(`scope`) `lowest`
FROM `daily_logs`
WHERE `scope`>:after)) UNION ALL
SELECT (SELECT min(`lowest`)
FROM (SELECT MIN(`memory_entries`.`scope`) `lowest`
FROM `memory_entries`
WHERE `memory_entries`.`scope`>`found`.`scope` UNION ALL
SELECT MIN(`sessions`.`scope`) `lowest`
FROM `sessions`
WHERE `sessions`.`scope`>`found`.`scope` UNION ALL
SELECT MIN(`daily_logs`.`scope`) `lowest`
FROM `daily_logs`
WHERE `daily_logs`.`scope`>`found`.`scope`))
FROM `found`
WHERE `found`.`scope` IS NOT NULL
LIMIT :limit)
SELECT `scope`,(SELECT COUNT(*)
FROM `memory_entries`
WHERE `memory_entries`.`scope`=`found`.`scope`)-(SELECT COUNT(*)
FROM `memory_entries`
WHERE `memory_entries`.`proposed_at` IS NOT NULL AND `memory_entries`.`deleted_at`=`memory_entries`.`proposed_at` AND `memory_entries`.`scope`=`found`.`scope`),(SELECT COUNT(*)
FROM `sessions`
WHERE `sessions`.`scope`=`found`.`scope`),(SELECT COUNT(*)
FROM `daily_logs`
WHERE `daily_logs`.`scope`=`found`.`scope`),(SELECT MAX(`memory_entries`.`created_at`)
FROM `memory_entries`
WHERE `memory_entries`.`scope`=`found`.`scope`),(SELECT MAX(`sessions`.`started_at`)
FROM `sessions`
WHERE `sessions`.`scope`=`found`.`scope`),(SELECT MAX(`daily_logs`.`timestamp`)
FROM `daily_logs`
WHERE `daily_logs`.`scope`=`found`.`scope`)
FROM `found`
WHERE NOT `scope` IS NULL;

-- search.around (daily_logs)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`,CASE WHEN NOT `event_data` IS NULL AND `event_type`=:event_type THEN 1 ELSE 0 END
FROM `daily_logs`
WHERE `id` IN (SELECT `near`.`value`
FROM json_each(:ids) `item` CROSS JOIN `daily_logs` `centre` CROSS JOIN json_each((SELECT json_group_array(`id`)
FROM (SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `daily_logs` `other`
WHERE `other`.`scope`=:scope AND NOT `other`.`event_data` IS NULL AND (`other`.`timestamp`,`other`.`id`)<(`centre`.`timestamp`,`centre`.`id`)
ORDER BY `other`.`timestamp` DESC,`other`.`id` DESC
LIMIT :n_near) `side` UNION ALL
SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `daily_logs` `other`
WHERE `other`.`scope`=:scope AND NOT `other`.`event_data` IS NULL AND (`other`.`timestamp`,`other`.`id`)>(`centre`.`timestamp`,`centre`.`id`)
ORDER BY `other`.`timestamp` ASC,`other`.`id` ASC
LIMIT :n_near) `side` UNION ALL
SELECT `centre`.`id`) `found`)) `near`
WHERE `centre`.`id`=`item`.`value` AND +`centre`.`scope`=:scope AND NOT `centre`.`event_data` IS NULL UNION ALL
SELECT `near`.`value`
FROM json_each(:other_ids) `item` CROSS JOIN `daily_logs` `centre` CROSS JOIN json_each((SELECT json_group_array(`id`)
FROM (SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `daily_logs` `other`
WHERE `other`.`scope`=:scope AND NOT `other`.`event_data` IS NULL AND (`other`.`timestamp`,`other`.`id`)<(`centre`.`timestamp`,`centre`.`id`)
ORDER BY `other`.`timestamp` DESC,`other`.`id` DESC
LIMIT :n_near_others) `side` UNION ALL
SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `daily_logs` `other`
WHERE `other`.`scope`=:scope AND NOT `other`.`event_data` IS NULL AND (`other`.`timestamp`,`other`.`id`)>(`centre`.`timestamp`,`centre`.`id`)
ORDER BY `other`.`timestamp` ASC,`other`.`id` ASC
LIMIT :n_near_others) `side` UNION ALL
SELECT `centre`.`id`) `found`)) `near`
WHERE `centre`.`id`=`item`.`value` AND +`centre`.`scope`=:scope AND NOT `centre`.`event_data` IS NULL);

-- search.around (memory_entries)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,CASE WHEN `deleted_at` IS NULL AND `superseded_by` IS NULL AND `category`=:category AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) THEN 1 ELSE 0 END
FROM `memory_entries`
WHERE `id` IN (SELECT `near`.`value`
FROM json_each(:ids) `item` CROSS JOIN `memory_entries` `centre` CROSS JOIN json_each((SELECT json_group_array(`id`)
FROM (SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `memory_entries` `other`
WHERE `other`.`scope`=:scope AND `other`.`deleted_at` IS NULL AND `other`.`superseded_by` IS NULL AND (`other`.`expires_at` IS NULL OR `other`.`expires_at`>:now) AND (`other`.`created_at`,`other`.`id`)<(`centre`.`created_at`,`centre`.`id`)
ORDER BY `other`.`created_at` DESC,`other`.`id` DESC
LIMIT :n_near) `side` UNION ALL
SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `memory_entries` `other`
WHERE `other`.`scope`=:scope AND `other`.`deleted_at` IS NULL AND `other`.`superseded_by` IS NULL AND (`other`.`expires_at` IS NULL OR `other`.`expires_at`>:now) AND (`other`.`created_at`,`other`.`id`)>(`centre`.`created_at`,`centre`.`id`)
ORDER BY `other`.`created_at` ASC,`other`.`id` ASC
LIMIT :n_near) `side` UNION ALL
SELECT `centre`.`id`) `found`)) `near`
WHERE `centre`.`id`=`item`.`value` AND +`centre`.`scope`=:scope AND `centre`.`deleted_at` IS NULL AND `centre`.`superseded_by` IS NULL AND (`centre`.`expires_at` IS NULL OR `centre`.`expires_at`>:now) UNION ALL
SELECT `near`.`value`
FROM json_each(:other_ids) `item` CROSS JOIN `memory_entries` `centre` CROSS JOIN json_each((SELECT json_group_array(`id`)
FROM (SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `memory_entries` `other`
WHERE `other`.`scope`=:scope AND `other`.`deleted_at` IS NULL AND `other`.`superseded_by` IS NULL AND (`other`.`expires_at` IS NULL OR `other`.`expires_at`>:now) AND (`other`.`created_at`,`other`.`id`)<(`centre`.`created_at`,`centre`.`id`)
ORDER BY `other`.`created_at` DESC,`other`.`id` DESC
LIMIT :n_near_others) `side` UNION ALL
SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `memory_entries` `other`
WHERE `other`.`scope`=:scope AND `other`.`deleted_at` IS NULL AND `other`.`superseded_by` IS NULL AND (`other`.`expires_at` IS NULL OR `other`.`expires_at`>:now) AND (`other`.`created_at`,`other`.`id`)>(`centre`.`created_at`,`centre`.`id`)
ORDER BY `other`.`created_at` ASC,`other`.`id` ASC
LIMIT :n_near_others) `side` UNION ALL
SELECT `centre`.`id`) `found`)) `near`
WHERE `centre`.`id`=`item`.`value` AND +`centre`.`scope`=:scope AND `centre`.`deleted_at` IS NULL AND `centre`.`superseded_by` IS NULL AND (`centre`.`expires_at` IS NULL OR `centre`.`expires_at`>:now));

-- search.around (sessions)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),CASE WHEN NOT `summary` IS NULL AND `thread`=:thread THEN 1 ELSE 0 END
FROM `sessions`
WHERE `id` IN (SELECT `near`.`value`
FROM json_each(:ids) `item` CROSS JOIN `sessions` `centre` CROSS JOIN json_each((SELECT json_group_array(`id`)
FROM (SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND NOT `other`.`summary` IS NULL AND (`other`.`started_at`,`other`.`id`)<(`centre`.`started_at`,`centre`.`id`)
ORDER BY `other`.`started_at` DESC,`other`.`id` DESC
LIMIT :n_near) `side` UNION ALL
SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND NOT `other`.`summary` IS NULL AND (`other`.`started_at`,`other`.`id`)>(`centre`.`started_at`,`centre`.`id`)
ORDER BY `other`.`started_at` ASC,`other`.`id` ASC
LIMIT :n_near) `side` UNION ALL
SELECT `centre`.`id`) `found`)) `near`
WHERE `centre`.`id`=`item`.`value` AND +`centre`.`scope`=:scope AND NOT `centre`.`summary` IS NULL UNION ALL
SELECT `near`.`value`
FROM json_each(:other_ids) `item` CROSS JOIN `sessions` `centre` CROSS JOIN json_each((SELECT json_group_array(`id`)
FROM (SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND NOT `other`.`summary` IS NULL AND (`other`.`started_at`,`other`.`id`)<(`centre`.`started_at`,`centre`.`id`)
ORDER BY `other`.`started_at` DESC,`other`.`id` DESC
LIMIT :n_near_others) `side` UNION ALL
SELECT `side`.`id`
FROM (SELECT `other`.`id`
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND NOT `other`.`summary` IS NULL AND (`other`.`started_at`,`other`.`id`)>(`centre`.`started_at`,`centre`.`id`)
ORDER BY `other`.`started_at` ASC,`other`.`id` ASC
LIMIT :n_near_others) `side` UNION ALL
SELECT `centre`.`id`) `found`)) `near`
WHERE `centre`.`id`=`item`.`value` AND +`centre`.`scope`=:scope AND NOT `centre`.`summary` IS NULL);

-- search.latest (daily_logs)
SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_daily_logs`(CASE WHEN (SELECT min(`scope`)
FROM `daily_logs`)=:scope AND (SELECT max(`scope`)
FROM `daily_logs`)=:scope THEN '' ELSE :in_scope||' AND ' END||:query) `match` CROSS JOIN `daily_logs`
WHERE `daily_logs`.`id`=`match`.`rowid` AND +`daily_logs`.`scope`=:scope AND NOT `daily_logs`.`event_data` IS NULL AND `daily_logs`.`event_type`=:event_type
ORDER BY `match`.`rowid` DESC
LIMIT :most;

-- search.latest (memory_entries)
SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_memory_entries`(CASE WHEN (SELECT min(`scope`)
FROM `memory_entries`)=:scope AND (SELECT max(`scope`)
FROM `memory_entries`)=:scope THEN '' ELSE :in_scope||' AND ' END||:query) `match` CROSS JOIN `memory_entries`
WHERE `memory_entries`.`id`=`match`.`rowid` AND +`memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND `memory_entries`.`category`=:category AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now)
ORDER BY `match`.`rowid` DESC
LIMIT :most;

-- search.latest (sessions)
SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_sessions`(CASE WHEN (SELECT min(`scope`)
FROM `sessions`)=:scope AND (SELECT max(`scope`)
FROM `sessions`)=:scope THEN '' ELSE :in_scope||' AND ' END||:query) `match` CROSS JOIN `sessions`
WHERE `sessions`.`id`=`match`.`rowid` AND +`sessions`.`scope`=:scope AND NOT `sessions`.`summary` IS NULL AND `sessions`.`thread`=:thread
ORDER BY `match`.`rowid` DESC
LIMIT :most;

-- search.newest (daily_logs)
SELECT `id`,`session_id`,`event_type`,`event_data`,`timestamp`,`scope`,`idempotency_key`,CASE WHEN NOT `event_data` IS NULL AND `event_type`=:event_type THEN 1 ELSE 0 END
FROM `daily_logs`
WHERE `scope`=:scope AND NOT `event_data` IS NULL
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :most;

-- search.newest (memory_entries)
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`,CASE WHEN `deleted_at` IS NULL AND `superseded_by` IS NULL AND `category`=:category AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) THEN 1 ELSE 0 END
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)
ORDER BY `created_at` DESC,`id` DESC
LIMIT :most;

-- search.newest (sessions)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),CASE WHEN NOT `summary` IS NULL AND `thread`=:thread THEN 1 ELSE 0 END
FROM `sessions`
WHERE `scope`=:scope AND NOT `summary` IS NULL
ORDER BY `started_at` DESC,`id` DESC
LIMIT :most;

-- search.postings (daily_logs)
SELECT (SELECT json_group_array(`found`.`id`)
FROM (SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_daily_logs`(CASE WHEN (SELECT min(`scope`)
FROM `daily_logs`)=:scope AND (SELECT max(`scope`)
FROM `daily_logs`)=:scope THEN '' ELSE :in_scope||' AND ' END||`word`.`value`) `match`
LIMIT :most) `found`),CASE WHEN `word`.`key`=0 THEN (SELECT `id`
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1) END,CASE WHEN `word`.`key`=0 THEN (SELECT json_group_object(`counted`.`digits`,`counted`.`n_rows`)
FROM (SELECT hex(CASE WHEN instr(`beginning`.`head`,' ')>2 THEN SUBSTRING(`beginning`.`head`,1,instr(`beginning`.`head`,' ')-1) ELSE `beginning`.`head` END) `digits`,COUNT(*) `n_rows`
FROM (SELECT SUBSTRING(`text`.`text`,1,64) `head`
FROM (SELECT `id`
FROM `daily_logs`
WHERE `scope`=:scope AND NOT `event_data` IS NULL
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :n_beginnings) `newest` CROSS JOIN `_cf_memrepo_fts_daily_logs` `text`
WHERE `text`.`rowid`=`newest`.`id`) `beginning` GROUP BY `digits`) `counted`) END,CASE WHEN `word`.`key`=0 THEN (SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `daily_logs`) THEN (SELECT max(`id`)
FROM `daily_logs`)-max(`taken_to`,(SELECT min(`id`)
FROM `daily_logs`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=3)
FROM `_cf_memrepo_taken`
WHERE `number`=3) END
FROM json_each(:words) `word`
ORDER BY `word`.`key`;

-- search.postings (daily_logs) filtered
SELECT (SELECT json_group_array(`found`.`id`)
FROM (SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_daily_logs`(CASE WHEN (SELECT min(`scope`)
FROM `daily_logs`)=:scope AND (SELECT max(`scope`)
FROM `daily_logs`)=:scope THEN '' ELSE :in_scope||' AND ' END||`word`.`value`) `match` CROSS JOIN `daily_logs`
WHERE `daily_logs`.`id`=`match`.`rowid` AND +`daily_logs`.`scope`=:scope AND NOT `daily_logs`.`event_data` IS NULL AND `daily_logs`.`event_type`=:event_type
LIMIT :most) `found`),CASE WHEN `word`.`key`=0 THEN (SELECT `id`
FROM `daily_logs`
WHERE `scope`=:scope
ORDER BY `timestamp` DESC,`id` DESC
LIMIT 1) END,CASE WHEN `word`.`key`=0 THEN (SELECT json_group_object(`counted`.`digits`,`counted`.`n_rows`)
FROM (SELECT hex(CASE WHEN instr(`beginning`.`head`,' ')>2 THEN SUBSTRING(`beginning`.`head`,1,instr(`beginning`.`head`,' ')-1) ELSE `beginning`.`head` END) `digits`,COUNT(*) `n_rows`
FROM (SELECT SUBSTRING(`text`.`text`,1,64) `head`
FROM (SELECT `id`
FROM `daily_logs`
WHERE `scope`=:scope AND NOT `event_data` IS NULL
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :n_beginnings) `newest` CROSS JOIN `_cf_memrepo_fts_daily_logs` `text`
WHERE `text`.`rowid`=`newest`.`id`) `beginning` GROUP BY `digits`) `counted`) END,CASE WHEN `word`.`key`=0 THEN (SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `daily_logs`) THEN (SELECT max(`id`)
FROM `daily_logs`)-max(`taken_to`,(SELECT min(`id`)
FROM `daily_logs`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=3)
FROM `_cf_memrepo_taken`
WHERE `number`=3) END
FROM json_each(:words) `word`
ORDER BY `word`.`key`;

-- search.postings (memory_entries)
SELECT (SELECT json_group_array(`found`.`id`)
FROM (SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_memory_entries`(CASE WHEN (SELECT min(`scope`)
FROM `memory_entries`)=:scope AND (SELECT max(`scope`)
FROM `memory_entries`)=:scope THEN '' ELSE :in_scope||' AND ' END||`word`.`value`) `match`
LIMIT :most) `found`),CASE WHEN `word`.`key`=0 THEN (SELECT `id`
FROM `memory_entries`
WHERE `scope`=:scope
ORDER BY `created_at` DESC,`id` DESC
LIMIT 1) END,CASE WHEN `word`.`key`=0 THEN (SELECT json_group_object(`counted`.`digits`,`counted`.`n_rows`)
FROM (SELECT hex(CASE WHEN instr(`beginning`.`head`,' ')>2 THEN SUBSTRING(`beginning`.`head`,1,instr(`beginning`.`head`,' ')-1) ELSE `beginning`.`head` END) `digits`,COUNT(*) `n_rows`
FROM (SELECT SUBSTRING(`content`,1,64) `head`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND typeof(`content`)='text'
ORDER BY `created_at` DESC,`id` DESC
LIMIT :n_beginnings) `beginning` GROUP BY `digits`) `counted`) END,CASE WHEN `word`.`key`=0 THEN (SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `memory_entries`) THEN (SELECT max(`id`)
FROM `memory_entries`)-max(`taken_to`,(SELECT min(`id`)
FROM `memory_entries`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=1)
FROM `_cf_memrepo_taken`
WHERE `number`=1) END
FROM json_each(:words) `word`
ORDER BY `word`.`key`;

-- search.postings (memory_entries) filtered
SELECT (SELECT json_group_array(`found`.`id`)
FROM (SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_memory_entries`(CASE WHEN (SELECT min(`scope`)
FROM `memory_entries`)=:scope AND (SELECT max(`scope`)
FROM `memory_entries`)=:scope THEN '' ELSE :in_scope||' AND ' END||`word`.`value`) `match` CROSS JOIN `memory_entries`
WHERE `memory_entries`.`id`=`match`.`rowid` AND +`memory_entries`.`scope`=:scope AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND `memory_entries`.`category`=:category AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL AND (`memory_entries`.`expires_at` IS NULL OR `memory_entries`.`expires_at`>:now)
LIMIT :most) `found`),CASE WHEN `word`.`key`=0 THEN (SELECT `id`
FROM `memory_entries`
WHERE `scope`=:scope
ORDER BY `created_at` DESC,`id` DESC
LIMIT 1) END,CASE WHEN `word`.`key`=0 THEN (SELECT json_group_object(`counted`.`digits`,`counted`.`n_rows`)
FROM (SELECT hex(CASE WHEN instr(`beginning`.`head`,' ')>2 THEN SUBSTRING(`beginning`.`head`,1,instr(`beginning`.`head`,' ')-1) ELSE `beginning`.`head` END) `digits`,COUNT(*) `n_rows`
FROM (SELECT SUBSTRING(`content`,1,64) `head`
FROM `memory_entries`
WHERE `scope`=:scope AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND typeof(`content`)='text'
ORDER BY `created_at` DESC,`id` DESC
LIMIT :n_beginnings) `beginning` GROUP BY `digits`) `counted`) END,CASE WHEN `word`.`key`=0 THEN (SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `memory_entries`) THEN (SELECT max(`id`)
FROM `memory_entries`)-max(`taken_to`,(SELECT min(`id`)
FROM `memory_entries`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=1)
FROM `_cf_memrepo_taken`
WHERE `number`=1) END
FROM json_each(:words) `word`
ORDER BY `word`.`key`;

-- search.postings (sessions)
SELECT (SELECT json_group_array(`found`.`id`)
FROM (SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_sessions`(CASE WHEN (SELECT min(`scope`)
FROM `sessions`)=:scope AND (SELECT max(`scope`)
FROM `sessions`)=:scope THEN '' ELSE :in_scope||' AND ' END||`word`.`value`) `match`
LIMIT :most) `found`),CASE WHEN `word`.`key`=0 THEN (SELECT `id`
FROM `sessions`
WHERE `scope`=:scope
ORDER BY `started_at` DESC,`id` DESC
LIMIT 1) END,CASE WHEN `word`.`key`=0 THEN (SELECT json_group_object(`counted`.`digits`,`counted`.`n_rows`)
FROM (SELECT hex(CASE WHEN instr(`beginning`.`head`,' ')>2 THEN SUBSTRING(`beginning`.`head`,1,instr(`beginning`.`head`,' ')-1) ELSE `beginning`.`head` END) `digits`,COUNT(*) `n_rows`
FROM (SELECT SUBSTRING(`summary`,1,64) `head`
FROM `sessions`
WHERE `scope`=:scope AND NOT `summary` IS NULL AND typeof(`summary`)='text'
ORDER BY `started_at` DESC,`id` DESC
LIMIT :n_beginnings) `beginning` GROUP BY `digits`) `counted`) END,CASE WHEN `word`.`key`=0 THEN (SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `sessions`) THEN (SELECT max(`id`)
FROM `sessions`)-max(`taken_to`,(SELECT min(`id`)
FROM `sessions`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=2)
FROM `_cf_memrepo_taken`
WHERE `number`=2) END
FROM json_each(:words) `word`
ORDER BY `word`.`key`;

-- search.postings (sessions) filtered
SELECT (SELECT json_group_array(`found`.`id`)
FROM (SELECT `match`.`rowid` `id`
FROM `_cf_memrepo_fts_sessions`(CASE WHEN (SELECT min(`scope`)
FROM `sessions`)=:scope AND (SELECT max(`scope`)
FROM `sessions`)=:scope THEN '' ELSE :in_scope||' AND ' END||`word`.`value`) `match` CROSS JOIN `sessions`
WHERE `sessions`.`id`=`match`.`rowid` AND +`sessions`.`scope`=:scope AND NOT `sessions`.`summary` IS NULL AND `sessions`.`thread`=:thread
LIMIT :most) `found`),CASE WHEN `word`.`key`=0 THEN (SELECT `id`
FROM `sessions`
WHERE `scope`=:scope
ORDER BY `started_at` DESC,`id` DESC
LIMIT 1) END,CASE WHEN `word`.`key`=0 THEN (SELECT json_group_object(`counted`.`digits`,`counted`.`n_rows`)
FROM (SELECT hex(CASE WHEN instr(`beginning`.`head`,' ')>2 THEN SUBSTRING(`beginning`.`head`,1,instr(`beginning`.`head`,' ')-1) ELSE `beginning`.`head` END) `digits`,COUNT(*) `n_rows`
FROM (SELECT SUBSTRING(`summary`,1,64) `head`
FROM `sessions`
WHERE `scope`=:scope AND NOT `summary` IS NULL AND typeof(`summary`)='text'
ORDER BY `started_at` DESC,`id` DESC
LIMIT :n_beginnings) `beginning` GROUP BY `digits`) `counted`) END,CASE WHEN `word`.`key`=0 THEN (SELECT CASE WHEN `taken_to`<(SELECT max(`id`)
FROM `sessions`) THEN (SELECT max(`id`)
FROM `sessions`)-max(`taken_to`,(SELECT min(`id`)
FROM `sessions`)-1) ELSE 0 END+(SELECT count(*)
FROM `_cf_memrepo_notes`
WHERE `number`=2)
FROM `_cf_memrepo_taken`
WHERE `number`=2) END
FROM json_each(:words) `word`
ORDER BY `word`.`key`;

-- sessions.active
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from
ORDER BY `started_at` DESC,`id` DESC
LIMIT 1;

-- sessions.count ()
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope;

-- sessions.count (abandoned)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from;

-- sessions.count (abandoned, not_ended, thread)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from;

-- sessions.count (active)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from;

-- sessions.count (active, end_trigger, min_events, not_ended, not_summarized, over, started_before, started_from, thread)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `started_at`>=:started_from AND `started_at`<:started_before AND `end_trigger`=:end_trigger AND `ended_at` IS NULL AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from AND `summary` IS NULL AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from) AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped);

-- sessions.count (active, not_ended, thread)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from;

-- sessions.count (end_trigger)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `end_trigger`=:end_trigger;

-- sessions.count (ended)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND NOT `ended_at` IS NULL;

-- sessions.count (min_events)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped);

-- sessions.count (min_events, not_summarized, over)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `summary` IS NULL AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from) AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped);

-- sessions.count (not_ended)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `ended_at` IS NULL;

-- sessions.count (not_summarized)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `summary` IS NULL;

-- sessions.count (over)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from);

-- sessions.count (started_before)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `started_at`<:started_before;

-- sessions.count (started_from)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `started_at`>=:started_from;

-- sessions.count (summarized)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND NOT `summary` IS NULL;

-- sessions.count (thread)
SELECT COUNT(*)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread;

-- sessions.delete
DELETE
FROM `sessions`
WHERE `id`=:id AND `scope`=:scope
RETURNING `id`;

-- sessions.delete_events
DELETE
FROM `daily_logs`
WHERE `session_id`=(SELECT `id`
FROM `sessions`
WHERE `id`=:id AND `scope`=:scope) AND +`scope`=:scope;

-- sessions.end
UPDATE `sessions`
SET `ended_at`=max(:now,`started_at`),`end_trigger`=:end_trigger,`summary`=COALESCE(:summary,`summary`),`summarized_until`=CASE WHEN :summary IS NULL THEN `summarized_until` END
WHERE `id`=:id AND `scope`=:scope AND `ended_at` IS NULL
RETURNING `sessions`.`id`;

-- sessions.end_abandoned
UPDATE `sessions`
SET `ended_at`=max(COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),`started_at`),`end_trigger`='timeout'
WHERE `id` IN (SELECT `idle`.`id`
FROM `sessions` `idle`
WHERE `idle`.`scope`=:scope AND `idle`.`ended_at` IS NULL AND COALESCE(NULLIF(max(CASE WHEN `idle`.`started_at`<=:latest THEN `idle`.`started_at` ELSE '' END,CASE WHEN `idle`.`active_at`<=:latest THEN `idle`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`idle`.`id` AND `log`.`timestamp`<=:latest),'')),''),`idle`.`started_at`)<:active_from
ORDER BY `idle`.`started_at`
LIMIT :limit);

-- sessions.end_at_last_activity
UPDATE `sessions`
SET `ended_at`=max(COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),`started_at`),`end_trigger`=:end_trigger,`summary`=COALESCE(:summary,`summary`),`summarized_until`=CASE WHEN :summary IS NULL THEN `summarized_until` END
WHERE `id`=:id AND `scope`=:scope AND `ended_at` IS NULL
RETURNING `sessions`.`id`;

-- sessions.end_open
UPDATE `sessions`
SET `ended_at`=max(:now,`started_at`),`end_trigger`='explicit'
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL;

-- sessions.find_many ()
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many () after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (abandoned)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (abandoned) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (abandoned, not_ended, thread)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (abandoned, not_ended, thread) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (active)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (active) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (active, end_trigger, min_events, not_ended, not_summarized, over, started_before, started_from, thread)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `started_at`>=:started_from AND `started_at`<:started_before AND `end_trigger`=:end_trigger AND `ended_at` IS NULL AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from AND `summary` IS NULL AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from) AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (active, end_trigger, min_events, not_ended, not_summarized, over, started_before, started_from, thread) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `started_at`>=:started_from AND `started_at`<:started_before AND `end_trigger`=:end_trigger AND `ended_at` IS NULL AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from AND `summary` IS NULL AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from) AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped) AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (active, not_ended, thread)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (active, not_ended, thread) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND NOT COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (end_trigger)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `end_trigger`=:end_trigger
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (end_trigger) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `end_trigger`=:end_trigger AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (ended)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND NOT `ended_at` IS NULL
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (ended) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND NOT `ended_at` IS NULL AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (min_events)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (min_events) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped) AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (min_events, not_summarized, over)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `summary` IS NULL AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from) AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (min_events, not_summarized, over) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `summary` IS NULL AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from) AND EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id`
LIMIT 1 OFFSET :n_skipped) AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (not_ended)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `ended_at` IS NULL
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (not_ended) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `ended_at` IS NULL AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (not_summarized)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `summary` IS NULL
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (not_summarized) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `summary` IS NULL AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (over)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (over) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND (NOT `ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from) AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (started_before)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `started_at`<:started_before
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (started_before) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `started_at`<:started_before AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (started_from)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `started_at`>=:started_from
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (started_from) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `started_at`>=:started_from AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (summarized)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND NOT `summary` IS NULL
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (summarized) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND NOT `summary` IS NULL AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (thread)
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.find_many (thread) after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- sessions.get
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `id`=:id AND `scope`=:scope;

-- sessions.get_many ()
SELECT `sessions`.`id`,`sessions`.`scope`,`sessions`.`thread`,`sessions`.`started_at`,`sessions`.`ended_at`,`sessions`.`end_trigger`,`sessions`.`summary`,COALESCE(NULLIF(max(CASE WHEN `sessions`.`started_at`<=:latest THEN `sessions`.`started_at` ELSE '' END,CASE WHEN `sessions`.`active_at`<=:latest THEN `sessions`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`sessions`.`started_at`)
FROM json_each(:ids) `item` CROSS JOIN `sessions`
WHERE `sessions`.`id`=`item`.`value` AND `sessions`.`scope`=:scope;

-- sessions.last
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),`summarized_until`
FROM `sessions`
WHERE `scope`=:scope AND `id` IN ((SELECT `last`.`id`
FROM `sessions` `last`
WHERE `last`.`scope`=:scope AND `last`.`thread`=:thread AND `last`.`started_at`>'' AND (NOT `last`.`ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `last`.`started_at`<=:latest THEN `last`.`started_at` ELSE '' END,CASE WHEN `last`.`active_at`<=:latest THEN `last`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`last`.`id` AND `log`.`timestamp`<=:latest),'')),''),`last`.`started_at`)<:active_from) AND (NOT `last`.`summary` IS NULL OR EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`last`.`id`))
ORDER BY `last`.`started_at` DESC,`last`.`id` DESC
LIMIT 1),(SELECT `last`.`id`
FROM `sessions` `last`
WHERE `last`.`scope`=:scope AND `last`.`thread`=:thread AND `last`.`active_at`>'' AND (NOT `last`.`ended_at` IS NULL OR COALESCE(NULLIF(max(CASE WHEN `last`.`started_at`<=:latest THEN `last`.`started_at` ELSE '' END,CASE WHEN `last`.`active_at`<=:latest THEN `last`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`last`.`id` AND `log`.`timestamp`<=:latest),'')),''),`last`.`started_at`)<:active_from) AND (NOT `last`.`summary` IS NULL OR EXISTS (SELECT 1
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`last`.`id`))
ORDER BY `last`.`active_at` DESC,`last`.`id` DESC
LIMIT 1))
ORDER BY max(`started_at`,COALESCE(`active_at`,'')) DESC,`id` DESC
LIMIT 1;

-- sessions.newest_open
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)
FROM `sessions`
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL
ORDER BY `started_at` DESC,`id` DESC
LIMIT 1;

-- sessions.open_beside
SELECT `id`
FROM `sessions`
WHERE `scope`=:scope AND `thread`=(SELECT `own`.`thread`
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND `id`<>:id AND `ended_at` IS NULL
ORDER BY `started_at` DESC,`id` DESC
LIMIT 1;

-- sessions.release_events
UPDATE `daily_logs`
SET `session_id`=null
WHERE `session_id`=(SELECT `id`
FROM `sessions`
WHERE `id`=:id AND `scope`=:scope) AND +`scope`=:scope;

-- sessions.resume
UPDATE `sessions`
SET `ended_at`=null,`end_trigger`=null,`is_exclusive`=1,`active_at`=:now,`summarized_until`=COALESCE(`summarized_until`,CASE WHEN NOT `summary` IS NULL THEN :now END)
WHERE `id`=:id AND `scope`=:scope AND NOT EXISTS (SELECT 1
FROM `sessions` `open`
WHERE `open`.`scope`=:scope AND `open`.`thread`=(SELECT `own`.`thread`
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND `open`.`id`<>:id AND `open`.`ended_at` IS NULL)
RETURNING `sessions`.`id`;

-- sessions.start
INSERT INTO `sessions` (`scope`,`thread`,`started_at`,`is_exclusive`)
SELECT :scope,:thread,:now,1
WHERE NOT EXISTS (SELECT 1
FROM `sessions` `open`
WHERE `open`.`scope`=:scope AND `open`.`thread`=:thread AND `open`.`ended_at` IS NULL)
RETURNING `id`;

-- sessions.summarize
UPDATE `sessions`
SET `summary`=:summary,`summarized_until`=null
WHERE `id`=:id AND `scope`=:scope;

-- sessions.time_out
UPDATE `sessions`
SET `ended_at`=max(COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),`started_at`),`end_trigger`='timeout'
WHERE `scope`=:scope AND `thread`=:thread AND `ended_at` IS NULL AND COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from;

-- sessions.time_out_beside
UPDATE `sessions`
SET `ended_at`=max(COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),`started_at`),`end_trigger`='timeout'
WHERE `scope`=:scope AND `thread`=(SELECT `own`.`thread`
FROM `sessions` `own`
WHERE `own`.`id`=:id AND `own`.`scope`=:scope) AND `id`<>:id AND `ended_at` IS NULL AND COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`)<:active_from;

-- settings.choose_rule
INSERT INTO `memrepo_settings` (`name`,`value`)
SELECT 'same_fact',:same_fact
WHERE NOT EXISTS (SELECT 1
FROM `memory_entries`);

-- settings.has_facts
SELECT 1
FROM `memory_entries`
LIMIT 1;

-- settings.rule
SELECT `value`
FROM `memrepo_settings`
WHERE `name`='same_fact';

-- slots.page ()
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `slot` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=`memory_entries`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`id`>`memory_entries`.`id`)
ORDER BY `slot`
LIMIT :limit;

-- slots.page () after
SELECT `id`,`content`,`content_hash`,`category`,`source`,`created_at`,`last_accessed`,`scope`,`expires_at`,`deleted_at`,`superseded_by`,`metadata`,`session_id`,`slot`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE `scope`=:scope AND `slot` IS NOT NULL AND `deleted_at` IS NULL AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now) AND NOT EXISTS (SELECT 1
FROM `memory_entries` `holder`
WHERE `holder`.`slot`=`memory_entries`.`slot` AND `holder`.`scope`=:scope AND `holder`.`deleted_at` IS NULL AND `holder`.`superseded_by` IS NULL AND (`holder`.`expires_at` IS NULL OR `holder`.`expires_at`>:now) AND `holder`.`id`>`memory_entries`.`id`) AND `slot`>:after
ORDER BY `slot`
LIMIT :limit;

-- spelling.has_other
SELECT EXISTS (SELECT 1
FROM `memory_entries`
WHERE (NOT `created_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `last_accessed` GLOB '????-??-??T??:??:??.???Z' OR NOT `expires_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `deleted_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `proposed_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `pinned_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `due_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `surfaced_at` GLOB '????-??-??T??:??:??.???Z') AND `id`>:after),EXISTS (SELECT 1
FROM `sessions`
WHERE (NOT `started_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `ended_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `active_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `summarized_until` GLOB '????-??-??T??:??:??.???Z') AND `id`>:after),EXISTS (SELECT 1
FROM `daily_logs`
WHERE NOT `timestamp` GLOB '????-??-??T??:??:??.???Z' AND `id`>:after);

-- spelling.other (daily_logs)
SELECT `id`,`timestamp`
FROM `daily_logs`
WHERE NOT `timestamp` GLOB '????-??-??T??:??:??.???Z' AND `id`>:after
ORDER BY `id`
LIMIT :limit;

-- spelling.other (memory_entries)
SELECT `id`,`created_at`,`last_accessed`,`expires_at`,`deleted_at`,`proposed_at`,`pinned_at`,`due_at`,`surfaced_at`
FROM `memory_entries`
WHERE (NOT `created_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `last_accessed` GLOB '????-??-??T??:??:??.???Z' OR NOT `expires_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `deleted_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `proposed_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `pinned_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `due_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `surfaced_at` GLOB '????-??-??T??:??:??.???Z') AND `id`>:after
ORDER BY `id`
LIMIT :limit;

-- spelling.other (sessions)
SELECT `id`,`started_at`,`ended_at`,`active_at`,`summarized_until`
FROM `sessions`
WHERE (NOT `started_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `ended_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `active_at` GLOB '????-??-??T??:??:??.???Z' OR NOT `summarized_until` GLOB '????-??-??T??:??:??.???Z') AND `id`>:after
ORDER BY `id`
LIMIT :limit;

-- spelling.respell (daily_logs.timestamp)
UPDATE `daily_logs`
SET `timestamp`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `daily_logs`.`id`=json_extract(`item`.`value`,'$[0]') AND `daily_logs`.`timestamp`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (memory_entries.created_at)
UPDATE `memory_entries`
SET `created_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`created_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (memory_entries.deleted_at)
UPDATE `memory_entries`
SET `deleted_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`deleted_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (memory_entries.due_at)
UPDATE `memory_entries`
SET `due_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`due_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (memory_entries.expires_at)
UPDATE `memory_entries`
SET `expires_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`expires_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (memory_entries.last_accessed)
UPDATE `memory_entries`
SET `last_accessed`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`last_accessed`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (memory_entries.pinned_at)
UPDATE `memory_entries`
SET `pinned_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`pinned_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (memory_entries.proposed_at)
UPDATE `memory_entries`
SET `proposed_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`proposed_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (memory_entries.surfaced_at)
UPDATE `memory_entries`
SET `surfaced_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `memory_entries`.`id`=json_extract(`item`.`value`,'$[0]') AND `memory_entries`.`surfaced_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (sessions.active_at)
UPDATE `sessions`
SET `active_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `sessions`.`id`=json_extract(`item`.`value`,'$[0]') AND `sessions`.`active_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (sessions.ended_at)
UPDATE `sessions`
SET `ended_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `sessions`.`id`=json_extract(`item`.`value`,'$[0]') AND `sessions`.`ended_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (sessions.started_at)
UPDATE `sessions`
SET `started_at`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `sessions`.`id`=json_extract(`item`.`value`,'$[0]') AND `sessions`.`started_at`=json_extract(`item`.`value`,'$[1]');

-- spelling.respell (sessions.summarized_until)
UPDATE `sessions`
SET `summarized_until`=json_extract(`item`.`value`,'$[2]')
FROM json_each(:batch) `item`
WHERE `sessions`.`id`=json_extract(`item`.`value`,'$[0]') AND `sessions`.`summarized_until`=json_extract(`item`.`value`,'$[1]');

-- terms.beginning_with (daily_logs)
SELECT `beginning`.`key`,(SELECT json_group_array(`found`.`term`)
FROM (SELECT `terms`.`term`
FROM `_cf_memrepo_terms_daily_logs` `terms`
WHERE `terms`.`term`>=`beginning`.`key` AND `terms`.`term`<`beginning`.`value`
LIMIT :most) `found`)
FROM json_each(:ranges) `beginning`;

-- terms.beginning_with (memory_entries)
SELECT `beginning`.`key`,(SELECT json_group_array(`found`.`term`)
FROM (SELECT `terms`.`term`
FROM `_cf_memrepo_terms_memory_entries` `terms`
WHERE `terms`.`term`>=`beginning`.`key` AND `terms`.`term`<`beginning`.`value`
LIMIT :most) `found`)
FROM json_each(:ranges) `beginning`;

-- terms.beginning_with (sessions)
SELECT `beginning`.`key`,(SELECT json_group_array(`found`.`term`)
FROM (SELECT `terms`.`term`
FROM `_cf_memrepo_terms_sessions` `terms`
WHERE `terms`.`term`>=`beginning`.`key` AND `terms`.`term`<`beginning`.`value`
LIMIT :most) `found`)
FROM json_each(:ranges) `beginning`;

-- thread_items.add
INSERT INTO `daily_logs` (`scope`,`session_id`,`event_type`,`event_data`,`timestamp`)
SELECT :scope,(SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread AND `session`.`ended_at` IS NULL
ORDER BY `session`.`started_at` DESC,`session`.`id` DESC
LIMIT 1),:event_type,`item`.`value`,:timestamp
FROM json_each(:batch) `item`
ORDER BY `item`.`key`;

-- thread_items.all
SELECT `event_data`,`timestamp`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND (SELECT `id`
FROM `daily_logs`
WHERE `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread)
LIMIT 1 OFFSET :most) IS NULL
ORDER BY `timestamp`,`id`;

-- thread_items.latest ()
SELECT `id`,`event_data`,`timestamp`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- thread_items.latest () after
SELECT `id`,`event_data`,`timestamp`
FROM `daily_logs`
WHERE +`scope`=:scope AND `session_id` IN (SELECT `session`.`id`
FROM `sessions` `session`
WHERE `session`.`scope`=:scope AND `session`.`thread`=:thread) AND `event_type`=:event_type AND (`timestamp`,`id`)<(:after_instant,:after_id)
ORDER BY `timestamp` DESC,`id` DESC
LIMIT :limit;

-- threads.page ()
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),(SELECT COUNT(*)
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND `other`.`thread`=`sessions`.`thread`),(SELECT max(COALESCE(NULLIF(max(CASE WHEN `other`.`started_at`<=:latest THEN `other`.`started_at` ELSE '' END,CASE WHEN `other`.`active_at`<=:latest THEN `other`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`other`.`id` AND `log`.`timestamp`<=:latest),'')),''),`other`.`started_at`))
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND `other`.`thread`=`sessions`.`thread`)
FROM `sessions`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND `other`.`thread`=`sessions`.`thread` AND (`other`.`started_at`,`other`.`id`)>(`sessions`.`started_at`,`sessions`.`id`))
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- threads.page () after
SELECT `id`,`scope`,`thread`,`started_at`,`ended_at`,`end_trigger`,`summary`,COALESCE(NULLIF(max(CASE WHEN `started_at`<=:latest THEN `started_at` ELSE '' END,CASE WHEN `active_at`<=:latest THEN `active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`sessions`.`id` AND `log`.`timestamp`<=:latest),'')),''),`started_at`),(SELECT COUNT(*)
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND `other`.`thread`=`sessions`.`thread`),(SELECT max(COALESCE(NULLIF(max(CASE WHEN `other`.`started_at`<=:latest THEN `other`.`started_at` ELSE '' END,CASE WHEN `other`.`active_at`<=:latest THEN `other`.`active_at` ELSE '' END,COALESCE((SELECT MAX(`log`.`timestamp`)
FROM `daily_logs` `log`
WHERE `log`.`session_id`=`other`.`id` AND `log`.`timestamp`<=:latest),'')),''),`other`.`started_at`))
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND `other`.`thread`=`sessions`.`thread`)
FROM `sessions`
WHERE `scope`=:scope AND NOT EXISTS (SELECT 1
FROM `sessions` `other`
WHERE `other`.`scope`=:scope AND `other`.`thread`=`sessions`.`thread` AND (`other`.`started_at`,`other`.`id`)>(`sessions`.`started_at`,`sessions`.`id`)) AND (`started_at`,`id`)<(:after_instant,:after_id)
ORDER BY `started_at` DESC,`id` DESC
LIMIT :limit;

-- versions.applied
SELECT `number`,`name`,`checksum`
FROM `memrepo_migrations`
ORDER BY `number`;

-- versions.confirm
INSERT INTO `memrepo_migrations` (`name`,`checksum`,`applied_at`)
SELECT null,null,null
WHERE NOT EXISTS (SELECT 1
FROM `memrepo_migrations`
WHERE `number`=:number);

-- versions.create
CREATE TABLE IF NOT EXISTS `memrepo_migrations` (`number` INTEGER PRIMARY KEY NOT NULL, `name` TEXT NOT NULL, `checksum` TEXT NOT NULL, `applied_at` TEXT NOT NULL);

-- versions.exists
SELECT COUNT(*)
FROM `sqlite_master`
WHERE `name`='memrepo_migrations';

-- versions.names
SELECT lower(`name`)
FROM `sqlite_master`
WHERE `name` NOT GLOB 'sqlite_*';

-- versions.ping
UPDATE `memrepo_migrations`
SET `applied_at`=`applied_at`
WHERE `number`=1;

-- versions.record
INSERT INTO `memrepo_migrations` (`number`,`name`,`checksum`,`applied_at`)
VALUES (:number,:name,:checksum,:now);

-- versions.set_mark
PRAGMA user_version=1835363698;

-- versions.shape
WITH `ours` AS (SELECT `type`,`name`,`tbl_name`
FROM `sqlite_master`
WHERE lower(`name`) IN (SELECT `value`
FROM json_each(:names)))
SELECT 'column',lower(`t`.`name`),lower(`c`.`name`),upper(`c`.`type`),`c`.`notnull`,`c`.`dflt_value`,`c`.`pk`,`c`.`hidden`
FROM `ours` AS `t` JOIN pragma_table_xinfo(`t`.`name`) AS `c`
WHERE `t`.`type`='table' UNION ALL
SELECT *
FROM (SELECT 'index',lower(`t`.`name`),lower(`i`.`name`),lower(`c`.`name`),`i`.`unique`,NULL,`i`.`partial`,`c`.`seqno`
FROM `ours` AS `t` JOIN pragma_index_list(`t`.`name`) AS `i` JOIN pragma_index_info(`i`.`name`) AS `c`
WHERE `t`.`type`='table'
ORDER BY `i`.`name`,`c`.`seqno`) UNION ALL
SELECT 'name',lower(`tbl_name`),lower(`name`),`type`,NULL,NULL,NULL,NULL
FROM `ours` UNION ALL
SELECT 'user_version',NULL,NULL,NULL,NULL,NULL,NULL,`user_version`
FROM pragma_user_version;
