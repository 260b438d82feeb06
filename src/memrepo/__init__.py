"""The durable memory of an asyncio agent, in plain SQL tables that its user owns."""

from memrepo.admin.repair import Repair
from memrepo.admin.restore import restore_backup
from memrepo.admin.verify import Problem, ProblemKind
from memrepo.connect import connect, from_env
from memrepo.connection.contract import Connection, ConnectionInfo, Durability, Result
from memrepo.connection.credentials import AuthToken
from memrepo.connection.instrumentation import OnStatement, StatementEvent
from memrepo.diagnose import diagnose
from memrepo.domain.carry_over import CarryOver, CountTokens
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.daily_logs import (
    Appended,
    AppendOutcome,
    DailyLog,
    DailyLogFilter,
    DailyLogNew,
)
from memrepo.domain.digest_items import DigestEvent, DigestFact, DigestSession, ToolUse
from memrepo.domain.digests import Digest
from memrepo.domain.findings import CheckKind, Finding, Severity
from memrepo.domain.guard import Draft, DraftKind, OnRemember
from memrepo.domain.hashing import SameFact, content_hash, normalize_content
from memrepo.domain.indexing import SearchIndexInfo, Tokenizer
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.memories import (
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    Remembered,
    RememberOutcome,
)
from memrepo.domain.near_duplicates import NearDuplicates
from memrepo.domain.paging import Page
from memrepo.domain.patterns import Observed, PendingInference
from memrepo.domain.recall import (
    LeftOut,
    LeftOutReason,
    MemoryContext,
    Ranking,
    RecalledFact,
    Score,
)
from memrepo.domain.rules import FactRules
from memrepo.domain.scopes import EraseReport, ScopeInfo
from memrepo.domain.search import Hit
from memrepo.domain.sessions import IDLE_AFTER, Session, SessionEnd, SessionFilter, SessionStatus
from memrepo.domain.surfacing import ACTION_WORDS, Surfacing
from memrepo.domain.threads import ThreadInfo
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
    RefusedError,
    StorageFullError,
    TransactionError,
    UnsupportedURLError,
    UsageError,
    WrongLoopError,
)
from memrepo.index.index import OnCaughtUp
from memrepo.opening import OpeningStore
from memrepo.pool.pool import StorePool
from memrepo.queries.statement import BoundStatement, Statement
from memrepo.ranking.language import Language
from memrepo.ranking.languages import language
from memrepo.repositories.daily_logs import DailyLogRepo
from memrepo.repositories.memories import MemoryRepo
from memrepo.repositories.repository import Repository
from memrepo.repositories.scopes import Repositories, ScopedStore, Transaction
from memrepo.repositories.sessions import SessionRepo
from memrepo.store import Store
from memrepo.transfer.copy import CopiedTable, CopyProgress, CopyReport, OnProgress
from memrepo.transfer.importing import ImportedTable, ImportReport
from memrepo.version import __version__ as __version__

__all__ = [
    "ACTION_WORDS",
    "IDLE_AFTER",
    "UNSET",
    "AppendOutcome",
    "Appended",
    "AuthToken",
    "AuthenticationError",
    "BoundStatement",
    "BusyError",
    "CarryOver",
    "CheckKind",
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
    "Digest",
    "DigestEvent",
    "DigestFact",
    "DigestSession",
    "Draft",
    "DraftKind",
    "Durability",
    "EraseReport",
    "FactRules",
    "Finding",
    "Hit",
    "ImportReport",
    "ImportedTable",
    "InvalidInputError",
    "JsonValue",
    "Language",
    "LeftOut",
    "LeftOutReason",
    "MemoryContext",
    "MemoryEntry",
    "MemoryFilter",
    "MemoryNew",
    "MemoryRepo",
    "MemrepoError",
    "MigrationError",
    "NearDuplicates",
    "NotFoundError",
    "Observed",
    "OnCaughtUp",
    "OnProgress",
    "OnRemember",
    "OnStatement",
    "OpeningStore",
    "Page",
    "PendingInference",
    "Problem",
    "ProblemKind",
    "Ranking",
    "ReadOnlyError",
    "RecalledFact",
    "RefusedError",
    "RememberOutcome",
    "Remembered",
    "Repair",
    "Repositories",
    "Repository",
    "Result",
    "SameFact",
    "ScopeInfo",
    "ScopedStore",
    "Score",
    "SearchIndexInfo",
    "Session",
    "SessionEnd",
    "SessionFilter",
    "SessionRepo",
    "SessionStatus",
    "Severity",
    "Statement",
    "StatementEvent",
    "StorageFullError",
    "Store",
    "StorePool",
    "Surfacing",
    "ThreadInfo",
    "Tokenizer",
    "ToolUse",
    "Transaction",
    "TransactionError",
    "Unset",
    "UnsupportedURLError",
    "UsageError",
    "WrongLoopError",
    "connect",
    "content_hash",
    "diagnose",
    "from_env",
    "language",
    "normalize_content",
    "restore_backup",
    "utc_now",
]


def __dir__() -> list[str]:
    """Return the public names; the modules that they come from are not."""
    return [*__all__, "__version__"]
