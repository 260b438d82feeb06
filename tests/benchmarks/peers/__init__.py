"""The peers, one module each; a peer that is not installed is named in the table, never left out."""

from __future__ import annotations

from importlib import import_module
from typing import Final, NamedTuple

from tests.benchmarks.contender import Contender

#: Module, class, and the name in the table should it not be there.
_PEERS: Final = (
    ("aiosqlite_one_hop", "OneHop", "aiosqlite, one hop"),
    ("aiosqlite_careful", "Careful", "aiosqlite, careful"),
    ("langgraph_store", "LangGraph", "LangGraph AsyncSqliteStore"),
    ("openai_session", "OpenAISession", "OpenAI AsyncSQLiteSession"),
    ("sqlalchemy_async", "SQLAlchemy", "SQLAlchemy 2 async"),
    ("advanced_alchemy_repository", "AdvancedAlchemy", "advanced-alchemy"),
    ("agno_db", "Agno", "Agno AsyncSqliteDb"),
    ("adk_session", "ADKSession", "Google ADK SqliteSessionService"),
    ("drizzle", "Drizzle", "Drizzle + @libsql/client"),
)


class Missing(NamedTuple):
    """A peer that cannot take part, and why."""

    name: str
    reason: str


def load() -> tuple[list[type[Contender]], list[Missing]]:
    """Import the peers that are installed; say of each other one why it is not there."""
    found: list[type[Contender]] = []
    missing: list[Missing] = []
    for module, attribute, name in _PEERS:
        try:
            contender = getattr(import_module(f"tests.benchmarks.peers.{module}"), attribute)
            contender.versions()
        except Exception as error:  # noqa: BLE001 - whatever stops a peer must not stop the others
            missing.append(Missing(name, f"{type(error).__name__}: {error}".splitlines()[0]))
        else:
            found.append(contender)
    return found, missing
