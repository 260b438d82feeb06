"""Lower layers never import higher ones, and each dependency is known in its own place only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

import memrepo

SOURCE = Path(memrepo.__file__).parent

#: The house, from the ground up: files, and folders with a slash. What stands in the same row may import
#: each other only inside one room.
LAYERS: Final = tuple(
    tuple(row.split())
    for row in (
        "errors.py version.py",
        "domain/",
        "queries/ ranking/",
        "connection/contract.py",
        "connection/",
        "connection/sqlite/ connection/hrana/",
        "connection/hrana/ws/",
        "index/",
        "repositories/ admin/",
        "transfer/",
        "store.py",
        "opening.py",
        "options.py",
        "connect.py",
        "pool/ diagnose.py serving.py",
        "cli/ contrib/ browse/ testing/",
        "__init__.py __main__.py",
    )
)

#: The engines, which know the shared contract and nothing of each other.
WINGS: Final = ("connection/sqlite/", "connection/hrana/")

#: Rooms that import nothing of asyncio and of databases: they can be tested with neither.
PURE: Final = ("domain/", "queries/", "ranking/")
IMPURE: Final = frozenset(
    {"asyncio", "aiosqlite", "sqlite3", "threading", "aiohttp", "libsql_client"}
)

#: Where a dependency may be imported: a file, or a folder with a slash.
ONLY_IN: Final[Mapping[str, tuple[str, ...]]] = {
    "pypika": ("queries/",),
    "aiosqlite": ("connection/sqlite/thread.py",),
    "agents": ("contrib/openai.py",),
    "opentelemetry": ("contrib/opentelemetry.py",),
    "click": ("cli/commands/",),
    "rich": ("cli/commands/terminal.py",),
    "google": ("contrib/adk.py",),
    "mcp": ("contrib/mcp/",),
    "mcp_types": ("contrib/mcp/",),
    "pydantic": ("contrib/mcp/", "contrib/pydantic_ai.py"),
    "pydantic_ai": ("contrib/pydantic_ai.py",),
    "jinja2": ("browse/",),
    "markupsafe": ("browse/",),
    "starlette": ("contrib/mcp/", "browse/"),
    "uvicorn": ("serving.py",),
    "aiohttp": (
        "connection/hrana/http.py",
        "connection/hrana/session.py",
        "connection/hrana/namespaces.py",
        "connection/hrana/ws/",
    ),
    "libsql_client": ("connection/hrana/ws/",),
    "snowballstemmer": ("ranking/languages.py",),
    "sqlite3": ("connection/sqlite/", "admin/migrations.py"),
    "threading": ("connection/sqlite/thread.py", "connection/sqlite/worker.py"),
}
#: Those that the core does without: whoever needs one imports it by name, when a URL asks for it.
EXTRAS: Final = frozenset(
    {
        "agents",
        "aiohttp",
        "click",
        "google",
        "jinja2",
        "libsql_client",
        "markupsafe",
        "mcp",
        "mcp_types",
        "opentelemetry",
        "pydantic",
        "rich",
        "pydantic_ai",
        "starlette",
        "uvicorn",
    }
)

Trees = Mapping[str, ast.Module]


@pytest.fixture(scope="module")
def modules() -> Trees:
    """Every module's tree, by its path in the package."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }


@cache
def imports(tree: ast.Module) -> tuple[str, ...]:
    """Return the dotted names a module imports; of ``from a import b`` both ``a`` and ``a.b``."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.append(node.module or "")
            names += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(names)


@cache
def named(tree: ast.Module) -> tuple[str, ...]:
    """Return what a module imports by name; of an f-string what stands before its first value; of anything else ``?``."""
    names: list[str] = []
    for call in ast.walk(tree):
        # Also as asyncio.to_thread calls it.
        words = [call.func, *call.args] if isinstance(call, ast.Call) else []
        for function, word in zip(words, [*words[1:], None], strict=False):
            if "import_module" in (getattr(function, "id", ""), getattr(function, "attr", "")):
                text = word.values[0] if isinstance(word, ast.JoinedStr) else word
                value = text.value if isinstance(text, ast.Constant) else None
                names.append(value if isinstance(value, str) else "?")
    return tuple(names)


def files_imported(tree: ast.Module, paths: Mapping[str, object]) -> Iterator[str]:
    """Yield the paths of the modules of memrepo that a module imports."""
    yield from files_of(imports(tree), paths)


def files_of(names: Iterable[str], paths: Mapping[str, object]) -> Iterator[str]:
    """Yield the paths of the modules of memrepo that have these dotted names."""
    for name in names:
        stem = name.removeprefix("memrepo").removeprefix(".").replace(".", "/")
        if name.partition(".")[0] == "memrepo":
            candidates = (f"{stem}.py", f"{stem}/__init__.py".removeprefix("/"))
            yield from (path for path in candidates if path in paths)


@cache
def place_of(path: str) -> tuple[int, str]:
    """Return the row of a module, and the room or file by which it stands there: the longest that fits."""
    fits = [
        (len(place), row, place)
        for row, places in enumerate(LAYERS)
        for place in places
        if path == place or (place.endswith("/") and path.startswith(place))
    ]
    assert fits, f"{path} has no place in LAYERS"
    _, row, place = max(fits)
    return row, place


def upward(modules: Trees) -> list[str]:
    """Return each import of a module from a higher row, or from a neighbour's room in the same row."""
    wrong: list[str] = []
    for path, tree in modules.items():
        row, room = place_of(path)
        for imported in files_imported(tree, modules):
            other_row, other_room = place_of(imported)
            is_upward = other_row > row or (other_row == row and other_room != room)
            if is_upward or {_wing_of(path), _wing_of(imported)} == set(WINGS):
                wrong.append(f"{path} imports {imported}")
    return wrong


def unfit_by_name(modules: Trees) -> list[str]:
    """Return each import by name of what needs no extra, stands higher, or is in a folder that the name does not tell."""
    users = tuple(place for extra in EXTRAS for place in ONLY_IN[extra])
    wrong: list[str] = []
    for path, tree in modules.items():
        for name in named(tree):
            folder = name.removeprefix("memrepo.").replace(".", "/")
            if name.partition(".")[0] != "memrepo":
                is_fit = path.startswith(ONLY_IN.get(name, ()))
            elif name.endswith("."):  # the rest is a value
                is_fit = path.startswith(folder)
            else:
                files = [*files_of([name], modules)]
                is_below = [place_of(its)[0] <= place_of(path)[0] for its in files]
                is_fit = bool(files) and all(is_below) and files[0].startswith(users)
            if not is_fit:
                wrong.append(f"{path} imports {name}")
    return wrong


def _wing_of(path: str) -> str | None:
    return next((wing for wing in WINGS if path.startswith(wing)), None)


def impure(modules: Trees) -> list[str]:
    """Return each import of asyncio or of a database in a room that is pure."""
    return [
        f"{path} imports {name}"
        for path, tree in modules.items()
        if path.startswith(PURE)
        for name in imports(tree)
        if name.partition(".")[0] in IMPURE
    ]


def test_lower_layers_never_import_higher_ones(modules: Trees) -> None:
    """Each file imports from its own room or from below, and the two engines know nothing of each other."""
    assert upward(modules) == []


def test_pure_rooms_know_no_database(modules: Trees) -> None:
    """Values, statements and ranking import no asyncio, no aiosqlite and no sqlite3."""
    assert impure(modules) == []


def _rooms() -> list[str]:
    return sorted({place for row in LAYERS for place in row} - {"testing/"})


@pytest.mark.parametrize("room", _rooms())
def test_planted_upward_import_is_found(modules: Trees, room: str) -> None:
    """An import of what stands above, planted into one file of any room, makes the test above fail."""
    row, _ = place_of(room)
    above = [path for path in modules if place_of(path)[0] > row]
    for path in (path for path in modules if place_of(path)[1] == room and above):
        planted = above[-1].removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        name = "memrepo" if planted == "__init__" else f"memrepo.{planted}"
        body = [*modules[path].body, *ast.parse(f"import {name}").body]
        broken = {**modules, path: ast.Module(body, [])}
        assert upward(broken) == [f"{path} imports {above[-1]}"]


@pytest.mark.parametrize(("here", "there"), [("sqlite", "hrana"), ("hrana", "sqlite")])
def test_planted_import_across_the_wings_is_found(modules: Trees, here: str, there: str) -> None:
    """An import of one engine's connection, planted into any file of the other's, is found."""
    target = f"connection/{there}/connection.py"
    for path in (path for path in modules if path.startswith(f"connection/{here}/")):
        text = f"from memrepo.connection.{there} import connection"
        body = [*modules[path].body, *ast.parse(text).body]
        assert f"{path} imports {target}" in upward({**modules, path: ast.Module(body, [])})


@pytest.mark.parametrize("name", sorted(IMPURE))
def test_planted_impurity_is_found(modules: Trees, name: str) -> None:
    """An import of asyncio or of a database, planted into any file of a pure room, is found."""
    for path in (path for path in modules if path.startswith(PURE)):
        body = [*modules[path].body, *ast.parse(f"import {name}").body]
        assert impure({**modules, path: ast.Module(body, [])}) == [f"{path} imports {name}"]


def test_nothing_imports_the_package_itself(modules: Trees) -> None:
    """``import memrepo`` inside would be a circle."""
    assert [p for p, tree in modules.items() if "memrepo" in imports(tree)] == []


def test_nothing_imports_the_plugin(modules: Trees) -> None:
    """The pytest plugin stands beside the package, which knows nothing of it."""
    names = {name for tree in modules.values() for name in imports(tree)}
    assert {name for name in names if name.startswith("pytest")} == set()


def test_every_place_is_taken(modules: Trees) -> None:
    """A row names only what is there, or what is still to be built."""
    taken = {place_of(path)[1] for path in modules}
    assert {place for row in LAYERS for place in row} - taken <= {"testing/"}


def test_dependencies_are_known_in_one_place(modules: Trees) -> None:
    """Only queries know pypika, and only the engines know threads, SQLite and HTTP."""
    wrong = [
        f"{path} imports {name}"
        for path, tree in modules.items()
        for name in imports(tree)
        if not path.startswith(ONLY_IN.get(name.partition(".")[0], ("",)))
    ]
    assert wrong == []


def test_only_declared_dependencies_are_imported(modules: Trees) -> None:
    """The core imports the standard library, aiosqlite, attrs and pypika; extras have their own."""
    allowed = {*sys.stdlib_module_names, "aiosqlite", "attrs", "pypika", "memrepo"}
    found = {name.partition(".")[0] for tree in modules.values() for name in imports(tree)}
    assert found - allowed - EXTRAS == set()


def test_extras_are_imported_by_name_only(modules: Trees) -> None:
    """Only they themselves import modules that need an extra, so that the core works without any."""
    users = tuple(place for extra in EXTRAS for place in ONLY_IN[extra])
    wrong = [
        f"{path} imports {imported}"
        for path, tree in modules.items()
        for imported in files_imported(tree, modules)
        if imported.startswith(users) and not path.startswith(users)
    ]
    assert wrong == []


def test_what_is_imported_by_name_needs_an_extra(modules: Trees) -> None:
    """Imports by name are those of what needs an extra, as the other rules see it; they lead downwards, too."""
    assert unfit_by_name(modules) == []
    assert {"cli/main.py", "cli/mcp.py"} <= {path for path, tree in modules.items() if named(tree)}


@pytest.mark.parametrize(
    "planted",
    [
        'import_module("memrepo.store")',
        'import_module("memrepo.cli.commands.program")',
        'import_module("memrepo.cli.commands.missing")',
        'asyncio.to_thread(importlib.import_module, "memrepo.serving")',
        'import_module(f"memrepo.contrib.{name}")',
        'import_module("numpy")',
        'import_module("aiosqlite")',
        "import_module(name)",
        "import_module(name=name)",
    ],
)
def test_planted_import_by_name_is_found(modules: Trees, planted: str) -> None:
    """An import by name of what stands above, needs no extra or cannot be known, planted into a low room, is found."""
    path = "repositories/memories.py"
    body = [*modules[path].body, *ast.parse(planted).body]
    (found,) = unfit_by_name({**modules, path: ast.Module(body, [])})
    assert found.startswith(f"{path} imports ")


def test_no_module_can_run_stored_data(modules: Trees) -> None:
    """Nothing unpickles, evaluates or executes what a database holds: JSON is all there is."""
    banned_modules = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "subprocess"}
    banned_calls = {"eval", "exec", "compile", "__import__"}
    for path, tree in modules.items():
        assert banned_modules.isdisjoint(imports(tree)), path
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert banned_calls.isdisjoint(called), path


def test_modules_are_short() -> None:
    """No module is a giant, but for the three repositories and the store, which are whole classes."""
    plugin = SOURCE.with_name("pytest_memrepo")
    lengths = {
        path.relative_to(SOURCE).as_posix(): len(path.read_bytes().splitlines())
        for path in SOURCE.rglob("*.py")
    } | {path.as_posix(): len(path.read_bytes().splitlines()) for path in plugin.rglob("*.py")}
    long = {path for path, n in lengths.items() if n > 300}
    assert long <= {
        "repositories/memories.py",
        "repositories/sessions.py",
        "repositories/daily_logs.py",
        "store.py",
    }
