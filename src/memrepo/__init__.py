"""The durable memory of an asyncio agent, in plain SQL tables that its user owns."""

from memrepo.admin.repair import Repair
from memrepo.admin.restore import restore_backup
from memrepo.admin.verify import Problem, ProblemKind
from memrepo.connect import OpeningStore, connect, from_env
from memrepo.connection.contract import Connection, ConnectionInfo, Durability, Result
from memrepo.connection.credentials import AuthToken
from memrepo.connection.instrumentation import OnStatement, StatementEvent
from memrepo.domain.carry_over import CarryOver, CountTokens
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.daily_logs import (
    Appended,
    AppendOutcome,
    DailyLog,
    DailyLogFilter,
    DailyLogNew,
)
from memrepo.domain.hashing import SameFact, content_hash, normalize_content
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.memories import (
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    Remembered,
    RememberOutcome,
)
from memrepo.domain.paging import Page
from memrepo.domain.rules import FactRules
from memrepo.domain.scopes import EraseReport, ScopeInfo
from memrepo.domain.sessions import IDLE_AFTER, Session, SessionEnd, SessionFilter, SessionStatus
from memrepo.domain.unset import UNSET, Unset
from memrepo.errors import (
    AuthenticationError,
    BusyError,
    ClosedError,
    ConflictError,
    ConnectionLostError,
    ConstraintError,
    CorruptDatabaseError,
    DatabaseError,
    DeadlineError,
    DecodeError,
    InvalidInputError,
    MemrepoError,
    MigrationError,
    NotFoundError,
    ReadOnlyError,
    StorageFullError,
    TransactionError,
    UnsupportedURLError,
    UsageError,
    WrongLoopError,
)
from memrepo.pool.pool import StorePool
from memrepo.queries.statement import BoundStatement, Statement
from memrepo.repositories.daily_logs import DailyLogRepo
from memrepo.repositories.memories import MemoryRepo
from memrepo.repositories.repository import Repository
from memrepo.repositories.scopes import Repositories, ScopedStore, Transaction
from memrepo.repositories.sessions import SessionRepo
from memrepo.store import Store
from memrepo.transfer.copy import CopiedTable, CopyProgress, CopyReport, OnProgress
from memrepo.version import __version__ as __version__

__all__ = [
    "IDLE_AFTER",
    "UNSET",
    "AppendOutcome",
    "Appended",
    "AuthToken",
    "AuthenticationError",
    "BoundStatement",
    "BusyError",
    "CarryOver",
    "Clock",
    "ClosedError",
    "ConflictError",
    "Connection",
    "ConnectionInfo",
    "ConnectionLostError",
    "ConstraintError",
    "CopiedTable",
    "CopyProgress",
    "CopyReport",
    "CorruptDatabaseError",
    "CountTokens",
    "DailyLog",
    "DailyLogFilter",
    "DailyLogNew",
    "DailyLogRepo",
    "DatabaseError",
    "DeadlineError",
    "DecodeError",
    "Durability",
    "EraseReport",
    "FactRules",
    "InvalidInputError",
    "JsonValue",
    "MemoryEntry",
    "MemoryFilter",
    "MemoryNew",
    "MemoryRepo",
    "MemrepoError",
    "MigrationError",
    "NotFoundError",
    "OnProgress",
    "OnStatement",
    "OpeningStore",
    "Page",
    "Problem",
    "ProblemKind",
    "ReadOnlyError",
    "RememberOutcome",
    "Remembered",
    "Repair",
    "Repositories",
    "Repository",
    "Result",
    "SameFact",
    "ScopeInfo",
    "ScopedStore",
    "Session",
    "SessionEnd",
    "SessionFilter",
    "SessionRepo",
    "SessionStatus",
    "Statement",
    "StatementEvent",
    "StorageFullError",
    "Store",
    "StorePool",
    "Transaction",
    "TransactionError",
    "Unset",
    "UnsupportedURLError",
    "UsageError",
    "WrongLoopError",
    "connect",
    "content_hash",
    "from_env",
    "normalize_content",
    "restore_backup",
    "utc_now",
]


def __dir__() -> list[str]:
    """Return the public names; the modules that they come from are not."""
    return [*__all__, "__version__"]
