"""Statements about what a database keeps for all programs that use it."""

from __future__ import annotations

from typing import Final

from pypika import Table

from memrepo.queries.builder import Query, statement
from memrepo.queries.statement import Statement

_settings = Table("memrepo_settings")
_facts = Table("memory_entries")

#: Notes the rule of a new database, which has no facts yet. One without the note has the original's rule.
CHOOSE_RULE: Final = Statement(
    "settings.choose_rule",
    "INSERT INTO `memrepo_settings` (`name`,`value`) SELECT 'same_fact',:same_fact "
    "WHERE NOT EXISTS (SELECT 1 FROM `memory_entries`)",
)
#: A row if there are facts.
HAS_FACTS: Final = statement("settings.has_facts", Query.from_(_facts).select(1).limit(1))
RULE: Final = statement(
    "settings.rule",
    Query.from_(_settings).select(_settings.value).where(_settings.name == "same_fact"),
)
