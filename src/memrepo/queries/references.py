"""Statements that find which rows of other tables refer to ours."""

from __future__ import annotations

from typing import Final

from pypika import Table

from memrepo.queries.builder import Query, param, statement
from memrepo.queries.statement import Statement

__all__ = ["FOREIGN_KEYS", "refers"]

#: The foreign keys to our tables that do not give way when a row is deleted: the table and column that
#: refer, and the table referred to.
FOREIGN_KEYS: Final = Statement(
    "references.foreign_keys",
    "SELECT `t`.`name`,`k`.`from`,lower(`k`.`table`) FROM `sqlite_master` AS `t` "
    "JOIN pragma_foreign_key_list(`t`.`name`) AS `k` "
    "WHERE `t`.`type`='table' AND lower(`k`.`table`) IN ('memory_entries','sessions','daily_logs') "
    "AND `k`.`on_delete` NOT IN ('CASCADE','SET NULL') ORDER BY `t`.`name`",
)


def refers(table: str, column: str, parent: str, *, one_session: bool) -> Statement:
    """
    Return a row if *column* of *table* refers to a row of *parent* in ``:scope``.

    With *one_session*, only to the session ``:id`` or one of its events. Events of the scope itself do not
    count.
    """
    referring, ours = Table(table), Table(parent).as_("ours")
    which = Query.from_(ours).select(ours.id).where(ours.scope == param("scope"))
    if one_session:
        its = ours.session_id if parent == "daily_logs" else ours.id
        which = which.where(its == param("id"))
    query = Query.from_(referring).select(1).where(referring[column].isin(which)).limit(1)
    if table == "daily_logs":
        query = query.where(referring.scope != param("scope"))
    return statement("references.refers", query)
