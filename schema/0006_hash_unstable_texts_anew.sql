-- What: has the facts hashed again whose hash may change with version 2 of the hash rule.
-- Why: the rule is now taken to its fixed point, so that `done.` and `done. .` are one fact, and J with a caron
--      is one letter in both cases. Other texts keep their hash. A fact that then states the same as another
--      becomes superseded by it; no row is removed.
-- While old code runs: yes. An older memrepo that has the database open goes on hashing such texts by the old
--      rule: `verify` names these facts, and `repair` hashes them. It cannot open the database again.

WITH `end` (`space`, `marks`) AS (
    SELECT
        char(9, 10, 11, 12, 13, 32, 160, 5760, 8192, 8193, 8194, 8195, 8196, 8197, 8198, 8199, 8200, 8201, 8202,
            8232, 8233, 8239, 8287, 12288, 65279),
        -- NFC makes a semicolon of the Greek question mark.
        '.,:;!?' || char(894)
)
UPDATE `memory_entries` SET `hash_version` = 0 FROM `end`
-- There is white space before the marks at the end.
WHERE rtrim(`content`, `end`.`space` || `end`.`marks`)
        <> rtrim(rtrim(`content`, `end`.`space`), `end`.`marks`)
    -- An accent is a character of its own.
    OR (length(`content`) <> length(CAST(`content` AS BLOB))
        AND `content` GLOB '*[' || char(768) || '-' || char(837) || ']*');
