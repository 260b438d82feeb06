"""What is public: exactly these names, all documented, all typed."""

from __future__ import annotations

import ast
import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import attrs
import pytest

import memrepo

PUBLIC = [
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

#: Where ``Any`` may stand: the drivers' contract gives rows as they are, before they are decoded.
MAY_HAVE_ANY = ("Connection.",)

CLASSES = [getattr(memrepo, name) for name in PUBLIC if isinstance(getattr(memrepo, name), type)]
SOURCE = Path(memrepo.__file__).parent


def functions() -> Iterator[tuple[str, Any]]:
    """Yield every public function, method and property, with its name."""
    for name in PUBLIC:
        thing = getattr(memrepo, name)
        if isinstance(thing, FunctionType):
            yield name, thing
    for kind in CLASSES:
        for name in dir(kind):
            member = inspect.getattr_static(kind, name)
            if name.startswith("_") or name in ("with_traceback", "add_note"):
                continue
            if isinstance(member, property):
                yield f"{kind.__name__}.{name}", member.fget
            elif isinstance(member, FunctionType) and member.__module__.startswith("memrepo"):
                yield f"{kind.__name__}.{name}", member


FUNCTIONS = dict(functions())


def returned(function: Any) -> object:
    return typing.get_type_hints(function).get("return")


def test_all_is_exact() -> None:
    """A name becomes public, or stops being so, only where this list is changed, too."""
    assert memrepo.__all__ == PUBLIC


def test_dir_is_exact() -> None:
    """What a prompt offers after ``memrepo.`` are the public names and the version, and nothing else."""
    assert dir(memrepo) == sorted([*PUBLIC, "__version__"])


def test_all_is_sorted() -> None:
    """The names stand in the order that ruff keeps: constants, classes, functions."""
    kinds = [0 if name.isupper() else 1 if name[0].isupper() else 2 for name in memrepo.__all__]
    assert kinds == sorted(kinds)
    for kind in (0, 1, 2):
        names = [name for name, its in zip(memrepo.__all__, kinds, strict=True) if its == kind]
        assert names == sorted(names)


def test_every_module_has_a_docstring_and_exports_what_is_there() -> None:
    """Each module says its job in one line, and its ``__all__`` is sorted and true."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                names = ast.literal_eval(node.value)
                assert len(names) == len(set(names)), path


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_is_documented(kind: type) -> None:
    """Every public class has a docstring of its own."""
    assert (kind.__doc__ or "").strip()
    assert not (kind.__doc__ or "").startswith("Method generated by attrs")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented(name: str) -> None:
    """Every public function, method and property begins with a sentence."""
    first = (inspect.getdoc(FUNCTIONS[name]) or "").splitlines()
    assert first, "no docstring"
    assert re.match(r"[A-Z`]", first[0])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_result_is_described(name: str) -> None:
    """Whoever gets something back reads what it is, in the first sentence or under "Returns"."""
    function = FUNCTIONS[name]
    owner, _, member = name.rpartition(".")
    is_property = owner and not isinstance(
        inspect.getattr_static(getattr(memrepo, owner), member), FunctionType
    )
    if is_property or returned(function) in (None, type(None)):
        return
    text = inspect.getdoc(function) or ""
    first_paragraph = text.split("\n\n")[0]
    sections = re.search(r"^(Returns|Yields):$", text, re.MULTILINE)
    assert sections or re.search(r"\b([Rr]eturn|[Yy]ield)s?\b", first_paragraph)


def _documented_attributes(kind: type) -> Iterator[tuple[str, bool]]:
    """Yield each attribute that the source of a class gives it, and whether ``#:`` stands above it."""
    lines, _ = inspect.getsourcelines(kind)
    tree = ast.parse(_dedent(lines))
    (definition,) = tree.body
    assert isinstance(definition, ast.ClassDef)
    text = _dedent(lines).splitlines()
    for node in ast.walk(definition):
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        name = None
        if isinstance(target, ast.Name) and node in definition.body:
            name = target.id
        elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
            name = target.attr
        if name is not None and not name.startswith("_"):
            yield name, text[node.lineno - 2].strip().startswith("#:")


def _dedent(lines: list[str]) -> str:
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "".join(line[indent:] or "\n" for line in lines)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_attribute_is_documented(kind: type) -> None:
    """Each field of a model and each attribute of a class has its ``#:`` sentence, once."""
    documented: dict[str, bool] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("memrepo") and base is not memrepo.Unset:
            for name, is_documented in _documented_attributes(base):
                documented[name] = documented.get(name, False) or is_documented
    assert [name for name, is_documented in documented.items() if not is_documented] == []
    if attrs.has(kind):
        fields = {field.name for field in attrs.fields(kind) if not field.name.startswith("_")}
        assert fields <= documented.keys()


@pytest.mark.parametrize(
    "name",
    [
        "ACTION_WORDS",
        "IDLE_AFTER",
        "UNSET",
        "AuthToken",
        "Clock",
        "CountTokens",
        "Durability",
        "JsonValue",
        "OnProgress",
    ],
)
def test_every_constant_and_alias_is_documented(name: str) -> None:
    """Constants and type aliases have a ``#:`` sentence above them."""
    pattern = re.compile(rf"^#: .+\n(#: .+\n)*{name}\b", re.MULTILINE)
    assert any(pattern.search(p.read_text(encoding="utf-8")) for p in SOURCE.rglob("*.py"))


def _mentions_any(hint: object) -> bool:
    return hint is Any or any(map(_mentions_any, typing.get_args(hint)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_signature_has_any(name: str) -> None:
    """Every parameter and result is typed, and none as ``Any``."""
    function = FUNCTIONS[name]
    hints = typing.get_type_hints(function)
    parameters = [p for p in inspect.signature(function).parameters if p != "self"]
    assert [p for p in (*parameters, "return") if p not in hints] == []
    loose = [p for p, hint in hints.items() if _mentions_any(hint)]
    assert loose == [] or name.startswith(MAY_HAVE_ANY)


#: A statement is no model: it is written with its name and its text, in this order.
MODELS = [kind for kind in CLASSES if attrs.has(kind) and kind is not memrepo.Statement]


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_models_are_frozen_slotted_and_keyword_only(kind: type) -> None:
    """A model cannot be changed, takes no unknown attribute, and is made by the names of its fields."""
    fields = attrs.fields(kind)
    assert all(field.kw_only for field in fields)
    assert "__dict__" not in dir(kind)
    given = (field.alias for field in fields if field.default is attrs.NOTHING)
    instance = kind(**dict.fromkeys(given))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(instance, fields[0].name, 1)
    with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
        instance.no_such_field = 1
    assert typing.get_type_hints(kind).keys() >= {field.name for field in fields}


def test_no_public_method_is_called_list() -> None:
    """A method called ``list`` would break ``list[...]`` in the rest of its class."""
    assert [name for name in FUNCTIONS if name.endswith(".list")] == []


def test_the_package_is_marked_as_typed() -> None:
    """Type checkers read our annotations."""
    assert (SOURCE / "py.typed").exists()
