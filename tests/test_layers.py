"""Lower layers never import higher ones, and each dependency is known in its own place only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import memrepo

SOURCE = Path(memrepo.__file__).parent

#: The house, from the ground up. A module imports from rows above its own, or from its own row.
LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(row.split())
    for row in (
        "errors clock gently",
        "jsontext",
        "models",
        "validation codec hashing folding days",
        "queries",
        "inputs paging",
        "connection",
        "migrations adoption maintenance rawrows copying tenants",
        "repository",
        "remembering",
        "memories sessions daily_logs",
        "scopes",
        "store opentelemetry",
        "connecting",
        "leases",
        "pool",
        "cli",
        "__init__ __main__",
    )
)

#: Where a dependency may be imported: a module, or a folder with a slash.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "pypika": ("queries/",),
    "aiosqlite": ("connection/thread.py",),
    "opentelemetry": ("opentelemetry.py",),
    "aiohttp": (
        "connection/hrana_http.py",
        "connection/http_session.py",
        "connection/libsql_ws.py",
        "connection/namespaces.py",
        "connection/ws_socket.py",
    ),
    "libsql_client": ("connection/libsql_ws.py", "connection/ws_socket.py"),
    "sqlite3": ("connection/", "migrations.py"),
    "threading": ("connection/thread.py", "connection/worker.py"),
}


def modules() -> dict[str, ast.Module]:
    """Every module's tree, by its path in the package."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names a module imports; of ``from a import b`` both ``a`` and ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> int:
    """Return the row of a module, given as its path or its first name below ``memrepo``."""
    name = module.partition("/")[0].removesuffix(".py")
    rows = [row for row, names in enumerate(LAYERS) if name in names]
    assert len(rows) == 1, f"{name} stands in {len(rows)} rows of LAYERS"
    return rows[0]


def test_lower_layers_never_import_higher_ones() -> None:
    """Each module imports from its own row or from below, so that the core is testable from below."""
    wrong = [
        f"{path} imports {name}"
        for path, tree in modules().items()
        for name in imports(tree)
        if name.startswith("memrepo.") and layer_of(name.split(".")[1]) > layer_of(path)
    ]
    assert wrong == []


def test_nothing_imports_the_package_itself() -> None:
    """``import memrepo`` inside would be a circle."""
    assert [p for p, tree in modules().items() if "memrepo" in imports(tree)] == []


def test_every_module_has_a_place() -> None:
    """A new module must be given its row, and a row names only modules that are there."""
    names = {path.partition("/")[0].removesuffix(".py") for path in modules()}
    assert names == frozenset().union(*LAYERS)


def test_dependencies_are_known_in_one_place() -> None:
    """Only queries know pypika, and only the connection knows threads and SQLite."""
    wrong = [
        f"{path} imports {name}"
        for path, tree in modules().items()
        for name in imports(tree)
        if not path.startswith(ONLY_IN.get(name.partition(".")[0], ("",)))
    ]
    assert wrong == []


def test_only_declared_dependencies_are_imported() -> None:
    """The core imports the standard library, aiosqlite, attrs and pypika; extras have their own."""
    allowed = {*sys.stdlib_module_names, "aiosqlite", "attrs", "pypika", "memrepo"}
    extras = {"aiohttp", "libsql_client", "opentelemetry"}
    found = {name.partition(".")[0] for tree in modules().values() for name in imports(tree)}
    assert found - allowed - extras == set()


def test_transports_are_imported_by_name_only() -> None:
    """Nothing imports a transport, so that the core works where its package is not installed."""
    own = {name.removeprefix("connection/") for name in ONLY_IN["aiohttp"]}
    transports = {f"memrepo.connection.{name.removesuffix('.py')}" for name in own}
    users = {path for path, tree in modules().items() if transports & set(imports(tree))}
    assert users <= set(ONLY_IN["aiohttp"])


def test_no_module_can_run_stored_data() -> None:
    """Nothing unpickles, evaluates or executes what a database holds: JSON is all there is."""
    banned_modules = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "subprocess"}
    banned_calls = {"eval", "exec", "compile", "__import__"}
    for path, tree in modules().items():
        assert banned_modules.isdisjoint(imports(tree)), path
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert banned_calls.isdisjoint(called), path


def test_modules_are_short() -> None:
    """No module is a giant: a reader can hold each in the head."""
    longest = {path.name: len(path.read_bytes().splitlines()) for path in SOURCE.rglob("*.py")}
    assert {name: n for name, n in longest.items() if n > 500} == {}
