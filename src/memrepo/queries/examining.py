"""Statements that look for what needs attention, across all scopes."""

from __future__ import annotations

from typing import Final

from memrepo.queries.statement import Statement

__all__ = ["IDLE_SESSIONS", "LATEST", "NOT_ADOPTED", "SERVER_NOW"]

#: How many facts another program wrote that have no hash of ours yet, by the partial index of these.
NOT_ADOPTED: Final = Statement(
    "examining.not_adopted", "SELECT count(*) FROM `memory_entries` WHERE `hash_version`=0"
)
#: Of each scope, how many open sessions were not active since ``:before``.
IDLE_SESSIONS: Final = Statement(
    "examining.idle_sessions",
    "SELECT `s`.`scope`,count(*) FROM `sessions` AS `s` WHERE `s`.`ended_at` IS NULL "
    "AND `s`.`started_at`<:before AND (`s`.`active_at` IS NULL OR `s`.`active_at`<:before) "
    "AND NOT EXISTS (SELECT 1 FROM `daily_logs` AS `e` WHERE `e`.`session_id`=`s`.`id` "
    "AND `e`.`timestamp`>=:before) GROUP BY `s`.`scope` ORDER BY `s`.`scope` LIMIT 100",
    is_long=True,
)
#: How many rows are later than ``:now``, and the latest instant of them. What is no instant does not count.
LATEST: Final = Statement(
    "examining.latest",
    "SELECT count(*),max(`at`) FROM ("
    "SELECT `created_at` AS `at` FROM `memory_entries` WHERE `created_at`>:now "
    "UNION ALL SELECT `started_at` FROM `sessions` WHERE `started_at`>:now "
    "UNION ALL SELECT `timestamp` FROM `daily_logs` WHERE `timestamp`>:now) "
    "WHERE `at` GLOB '????-??-??T??:??:??.???Z'",
    is_long=True,
)
#: The server's clock.
SERVER_NOW: Final = Statement("examining.server_now", "SELECT strftime('%Y-%m-%dT%H:%M:%fZ','now')")
