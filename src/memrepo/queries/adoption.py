"""Statements that hash facts which other programs wrote."""

from __future__ import annotations

from typing import Final

from pypika import Criterion, Table
from pypika.functions import Cast
from pypika.terms import NullValue, Term

from memrepo.queries.builder import JsonEach, Query, Scalar, json_item, param, statement
from memrepo.queries.facts import FIRST_HANDED_ON, TAKE_OVER, visible
from memrepo.queries.remembering import HASH_VERSION
from memrepo.queries.statement import Statement

_m = Table("memory_entries")
_keeper = Table("memory_entries").as_("keeper")
_settings = Table("memrepo_settings")

#: Where facts go that another scope had, and nobody knows which: what `drizzle-kit push` leaves of them.
LOST_SCOPE: Final = "lost+found"
#: The setting that stands from a push that was accepted until these facts are in their scope.
_PUSHED: Final = "pushed_at"

_ids = JsonEach("batch")
# :batch is a JSON array of [id, content_hash].
_items = JsonEach("batch")
_item_id, _item_hash = json_item(_items, 0), json_item(_items, 1)


def _holder_of(content_hash: Term) -> Scalar:
    return Scalar(
        Query.from_(_keeper).select(_keeper.id).where(_keeper.content_hash == content_hash)
    )


def _lacks_hash() -> Criterion:
    return _m.content_hash.isnull() | (_m.content_hash != _item_hash)


_unchecked = (
    Query.from_(_m)
    .select(_m.id, _m.scope, Cast(_m.content, "BLOB"), _m.content_hash)
    .where(_m.hash_version == 0)
    .where(_m.id > param("after"))
    .orderby(_m.id)
    .limit(param("limit"))
)
#: The facts whose hash has not been checked, by the partial index on hash_version.
UNCHECKED: Final = statement("adoption.unchecked", _unchecked)
#: Those of them that are neither forgotten nor superseded.
UNCHECKED_VISIBLE: Final = statement("adoption.unchecked_visible", _unchecked.where(visible(_m)))
#: Notes that a push was accepted, if there are facts; the note survives an interruption.
NOTE_PUSH: Final = Statement(
    "adoption.note_push",
    "INSERT INTO `memrepo_settings` (`name`,`value`) SELECT 'pushed_at',:now "
    "WHERE EXISTS (SELECT 1 FROM `memory_entries`)",
)
#: A row if there is such a note.
WAS_PUSHED: Final = statement(
    "adoption.was_pushed", Query.from_(_settings).select(1).where(_settings.name == _PUSHED)
)
CLEAR_PUSH: Final = statement(
    "adoption.clear_push", Query.from_(_settings).delete().where(_settings.name == _PUSHED)
)
#: Takes the facts with the ids in ``:batch``, a JSON array, out of the default scope.
LOSE: Final = statement(
    "adoption.lose",
    Query.update(_m).set(_m.scope, LOST_SCOPE).from_(_ids).where(_m.id == _ids.value),
)
#: Clears the hash of each fact in ``:batch`` that has another one than its own.
CLEAR_WRONG: Final = statement(
    "adoption.clear_wrong",
    Query.update(_m)
    .set(_m.content_hash, NullValue())
    .from_(_items)
    .where(_m.id == _item_id)
    .where(_m.content_hash != _item_hash),
)
#: Gives each fact in ``:batch`` its hash, unless another fact has it. No hash may be in it twice.
SET_HASH: Final = statement(
    "adoption.set_hash",
    Query.update(_m)
    .set(_m.content_hash, _item_hash)
    .from_(_items)
    .where(_m.id == _item_id)
    .where(_lacks_hash())
    .where(_holder_of(_item_hash).isnull()),
)
#: Has what a fact in ``:batch`` superseded, directly or not, give up the hash that the fact needs itself. A link
#: the other way would close the chain to a circle, without a current fact.
HAND_OVER: Final = Statement(
    "adoption.hand_over",
    "UPDATE `memory_entries` SET `content_hash`=NULL FROM ("
    "WITH RECURSIVE `chain`(`id`,`hash`) AS ("
    "SELECT `head`.`id`,json_extract(`item`.`value`,'$[1]') FROM json_each(:batch) `item` "
    "CROSS JOIN `memory_entries` `head` WHERE `head`.`id`=json_extract(`item`.`value`,'$[0]') "
    "AND `head`.`content_hash` IS NULL AND `head`.`superseded_by` IS NULL "
    "UNION SELECT `fact`.`id`,`chain`.`hash` FROM `chain` CROSS JOIN `memory_entries` `fact` "
    "WHERE `fact`.`superseded_by`=`chain`.`id`) SELECT `id`,`hash` FROM `chain`) `chain` "
    "WHERE `memory_entries`.`id`=`chain`.`id` AND `memory_entries`.`content_hash`=`chain`.`hash`",
)
#: Makes a fact of each proposal that facts in ``:batch`` state, which are no proposals: they would stay away with it. It
#: fills no slot, because the other program knows none.
APPROVE: Final = Statement(
    "adoption.approve",
    "UPDATE `memory_entries` SET `deleted_at`=NULL,`proposed_at`=NULL,`slot`=NULL FROM ("
    "SELECT DISTINCT json_extract(`item`.`value`,'$[1]') AS `hash` "
    "FROM json_each(:batch) `item` CROSS JOIN `memory_entries` `fact` "
    "WHERE `fact`.`id`=json_extract(`item`.`value`,'$[0]') AND `fact`.`deleted_at` IS NULL "
    "AND `fact`.`superseded_by` IS NULL) `stated` "
    "WHERE `memory_entries`.`content_hash`=`stated`.`hash` "
    "AND `memory_entries`.`deleted_at`=`memory_entries`.`proposed_at`",
)
#: Has each fact that facts in ``:batch`` state, too, expire as late as the latest of them.
EXTEND: Final = Statement(
    "adoption.extend",
    "UPDATE `memory_entries` SET `expires_at`=nullif(`stated`.`until`,'never') FROM ("
    "SELECT json_extract(`item`.`value`,'$[1]') AS `hash`,max(ifnull(`fact`.`expires_at`,'never')) AS `until` "
    "FROM json_each(:batch) `item` CROSS JOIN `memory_entries` `fact` "
    "WHERE `fact`.`id`=json_extract(`item`.`value`,'$[0]') AND `fact`.`deleted_at` IS NULL "
    "AND `fact`.`superseded_by` IS NULL GROUP BY `hash`) `stated` "
    "WHERE `memory_entries`.`content_hash`=`stated`.`hash` AND `memory_entries`.`expires_at`<`stated`.`until` "
    "AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL",
)
#: Has each take over the first pin and the first date of those that do not have its hash; to be run before `LINK_DUPLICATES`.
HAND_ON: Final = Statement(
    "adoption.hand_on",
    f"{TAKE_OVER} (SELECT json_extract(`item`.`value`,'$[1]') AS `hash`,{FIRST_HANDED_ON} "  # noqa: S608
    "FROM json_each(:batch) `item` CROSS JOIN `memory_entries` `fact` "
    "WHERE `fact`.`id`=json_extract(`item`.`value`,'$[0]') AND `fact`.`content_hash` IS NOT `hash` "
    "AND `fact`.`deleted_at` IS NULL AND `fact`.`superseded_by` IS NULL GROUP BY `hash`) `spare` "
    "WHERE `memory_entries`.`content_hash`=`spare`.`hash` "
    "AND (`spare`.`pinned_at` IS NOT NULL OR `spare`.`due_at` IS NOT NULL) "
    "AND `memory_entries`.`deleted_at` IS NULL AND `memory_entries`.`superseded_by` IS NULL",
)
#: Marks facts in ``:batch`` as superseded by the fact that has their hash: they are the same fact. Forgotten ones,
#: too, so that they do not stand beside it when they are restored. A proposal among them is answered by it.
LINK_DUPLICATES: Final = statement(
    "adoption.link_duplicates",
    Query.update(_m)
    .set(_m.superseded_by, _holder_of(_item_hash))
    .set(_m.proposed_at, NullValue())
    .from_(_items)
    .where(_m.id == _item_id)
    .where(_lacks_hash())
    .where(_m.superseded_by.isnull()),
)
#: Marks the facts in ``:batch`` as checked.
MARK_CHECKED: Final = statement(
    "adoption.mark_checked",
    Query.update(_m).set(_m.hash_version, HASH_VERSION).from_(_items).where(_m.id == _item_id),
)
