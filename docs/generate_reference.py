"""
Write docs/reference.md from the docstrings and ``#:`` comments of everything that memrepo exports.

``python docs/generate_reference.py`` writes the page; `reference` returns its text. The source is
parsed, so that signatures read as they are written there. What is exported, and from which module,
is read from the imports of ``memrepo/__init__.py``; inside a module the order is that of its source.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import memrepo

_SOURCE: Final = Path(memrepo.__file__).parent
_PAGE: Final = Path(__file__).with_name("reference.md")
_HEAD: Final = """\
# Reference

Generated from the source by `make docs`; do not edit. Import everything from `memrepo`, unless its
section says otherwise. All instants are aware datetimes, in UTC where memrepo returns them, kept to
the millisecond. A method may also raise what any call may raise: `ClosedError`, `WrongLoopError`,
`TransactionError`, and `DatabaseError` and its subclasses.
"""
#: The modules that come first; the others follow in the order of the imports.
_FIRST: Final = (
    "store",
    "repositories.memories",
    "repositories.sessions",
    "repositories.daily_logs",
    "domain.memories",
    "domain.sessions",
    "domain.daily_logs",
    "domain.unset",
    "errors",
)
#: What is public, but not imported by memrepo: not every program needs it.
_EXTRAS: Final = {
    "memrepo.contrib.opentelemetry": {"statement_hook"},
    "memrepo.contrib.tools.toolbox": {"TOOLS", "MemoryTools"},
    "memrepo.contrib.tools.original": {"ORIGINAL_TOOLS"},
    "memrepo.contrib.tools.tool": {"Tool"},
    "memrepo.contrib.mcp.server": {"memory_server"},
    "memrepo.contrib.mcp.http": {"http_app"},
    "memrepo.contrib.openai": {"ITEM", "MemrepoSession"},
    "memrepo.contrib.pydantic_ai": {"MESSAGE", "RECORD", "MemrepoConversationStore"},
    "memrepo.contrib.adk": {"MemrepoMemoryService", "memory_of"},
    "memrepo.contrib.asgi.lifespan": {"Lifespan", "store_lifespan"},
    "memrepo.contrib.asgi.session_route": {"MemoryOf", "SessionRoute"},
}
#: What a public class has for memrepo itself only.
_INTERNAL: Final = {
    "queries.statement": {"merge", "returns_little", "known", "positional_sql", "values"}
}
_SECTIONS: Final = ("Args", "Returns", "Raises", "Source")
_section = re.compile(rf"({'|'.join(_SECTIONS)}):").fullmatch
_item = re.compile(r"(\w+): (.*)", re.DOTALL).fullmatch

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def _lines(module: str) -> list[str]:
    path = _SOURCE.joinpath(*module.split(".")[1:])
    return path.with_suffix(".py").read_text(encoding="utf-8").splitlines()


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse("\n".join(_lines(module)))


def reference() -> str:
    """Return the page."""
    package = ast.parse((_SOURCE / "__init__.py").read_text(encoding="utf-8"))
    exports = {
        node.module: {alias.name for alias in node.names} & set(memrepo.__all__)
        for node in package.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
    } | _EXTRAS
    modules = dict.fromkeys([*(f"memrepo.{name}" for name in _FIRST), *exports])
    return "\n".join([_HEAD, *(part for name in modules for part in _module(name, exports[name]))])


def _module(module: str, names: set[str]) -> Iterator[str]:
    if not names:
        return
    yield f"## {module.removeprefix('memrepo.')}\n"
    yield _markdown(ast.get_docstring(_tree(module)) or "")
    for node in _tree(module).body:
        if isinstance(node, ast.ClassDef) and node.name in names:
            yield from _class(module, node)
        elif isinstance(node, _Function) and node.name in names:
            yield from _function(module, node, f"### {node.name}", first_argument=0)
        elif (name := _assigned(node)) in names:
            yield f"### {name}\n"
            yield f"```\n{_assignment(module, node)}\n```\n"
            yield _markdown(_comment(module, node))


def _assignment(module: str, node: ast.stmt) -> str:
    """Print an assignment; of an alias, with all that it stands for."""
    if not isinstance(node, ast.AnnAssign) or node.value is None:
        return ast.unparse(node)
    kind = ast.unparse(node.annotation)
    value = _type(module, node.value) if kind == "TypeAlias" else ast.unparse(node.value)
    return f"{_assigned(node)}: {kind} = {value}"


# --- classes -----------------------------------------------------------------------------------


def _class(module: str, node: ast.ClassDef) -> Iterator[str]:
    bases = ", ".join(ast.unparse(base) for base in node.bases if not _hidden_base(module, base))
    yield f"### {node.name}\n"
    yield f"```\nclass {node.name}{f'({bases})' if bases else ''}\n```\n"
    yield _markdown(ast.get_docstring(node) or "")
    members = [*_inherited(module, node), *((module, member) for member in node.body)]
    fields = "\n".join(line for place, member in members for line in _fields(place, member))
    if fields:
        yield f"{fields}\n"
    for base in (name for name in map(ast.unparse, node.bases) if name in memrepo.__all__):
        own = {member.name for member in node.body if isinstance(member, _Function)}
        if names := [f"`{name}`" for name in dict.fromkeys(_public(base)) if name not in own]:
            yield f"From [{base}](#{base.lower()}): {', '.join(names)}.\n"
    for place, member in members:
        if isinstance(member, _Function) and _is_shown(member):
            yield from _function(place, member, f"#### {node.name}.{member.name}", first_argument=1)


def _public(name: str) -> Iterator[str]:
    """Yield the names that a class has which memrepo exports, those of its bases first."""
    module = getattr(memrepo, name).__module__
    (node,) = (n for n in _tree(module).body if isinstance(n, ast.ClassDef) and n.name == name)
    for base in (base for base in map(ast.unparse, node.bases) if base in memrepo.__all__):
        yield from _public(base)
    for member in node.body:
        yield from re.findall(r"^- `(\w+)", "\n".join(_fields(module, member)), re.MULTILINE)
        if isinstance(member, _Function) and _is_shown(member) and member.name != "__init__":
            yield member.name


def _hidden_base(module: str, base: ast.expr) -> str:
    """Return the module of a base that memrepo does not export, or an empty text."""
    name = ast.unparse(base)
    return "" if name in memrepo.__all__ else _imported_from(module, name)


def _inherited(module: str, node: ast.ClassDef) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the members of hidden bases, each with its module, unless *node* has its own."""
    own = {member.name for member in node.body if isinstance(member, _Function)}
    for base in node.bases:
        place = _hidden_base(module, base)
        for found in _tree(place).body if place else ():
            if isinstance(found, ast.ClassDef) and found.name == ast.unparse(base):
                members = (*_inherited(place, found), *((place, member) for member in found.body))
                yield from ((where, m) for where, m in members if getattr(m, "name", "") not in own)


def _imported_from(module: str, name: str) -> str:
    for node in _tree(module).body:
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            return node.module if node.module and node.module.startswith("memrepo.") else ""
    return ""


def _is_shown(member: _Function) -> bool:
    has_text = ast.get_docstring(member) is not None
    return has_text and (member.name == "__init__" or not member.name.startswith("_"))


def _fields(module: str, member: ast.stmt) -> Iterator[str]:
    """Yield a list item for each field that a ``#:`` comment documents."""
    is_init = isinstance(member, _Function) and member.name == "__init__"
    for node in member.body if isinstance(member, _Function) and is_init else [member]:
        name, text = _assigned(node), _comment(module, node)
        if name and text and name not in _INTERNAL.get(module.removeprefix("memrepo."), ()):
            kind = f": {_type(module, node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
            value = _field_default(getattr(node, "value", None))
            default = f" = {ast.unparse(value)}" if value is not None and not is_init else ""
            yield f"- `{name}{kind}{default}`: {_inline(text)}"


def _field_default(value: ast.expr | None) -> ast.expr | None:
    """Return the default of a field, also of one that is written as ``attrs.field(...)``."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "attrs.field":
        given = {each.arg: each.value for each in value.keywords}
        return given.get("default") or (ast.Dict([], []) if "factory" in given else None)
    return value


def _assigned(node: ast.stmt) -> str:
    """Return the public name that a statement assigns to, or an empty text."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    name = getattr(target, "id", getattr(target, "attr", "")) if target is not None else ""
    return "" if name.startswith("_") else name


def _comment(module: str, node: ast.stmt) -> str:
    """Return the ``#:`` comment that stands above a statement."""
    found: list[str] = []
    for line in reversed(_lines(module)[: node.lineno - 1]):
        if not line.lstrip().startswith("#:"):
            break
        found.insert(0, line.lstrip().removeprefix("#:").strip())
    return " ".join(found)


# --- functions ---------------------------------------------------------------------------------


def _function(module: str, node: _Function, heading: str, *, first_argument: int) -> Iterator[str]:
    yield f"{heading}\n"
    yield f"```\n{_signature(module, node, first_argument)}\n```\n"
    yield _markdown(ast.get_docstring(node) or "")


def _signature(module: str, node: _Function, first_argument: int) -> str:
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    result = _type(module, node.returns) if node.returns is not None else "None"
    if "property" in decorators:
        return f"{node.name}: {result}"
    prefix = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    if "asynccontextmanager" in decorators:
        # The first type argument of AsyncIterator or AsyncGenerator is what the block gets.
        prefix, result = "async with ", re.split(r"[\[\],]", result)[1]
    arguments = list(_arguments(module, node.args))[first_argument:]
    line = f"{prefix}{node.name}({', '.join(arguments)}) -> {result}"
    if len(line) <= 90:  # noqa: PLR2004 - the width of a page
        return line
    return f"{prefix}{node.name}(\n    " + ",\n    ".join(arguments) + f",\n) -> {result}"


def _arguments(module: str, arguments: ast.arguments) -> Iterator[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    defaults: list[ast.expr | None] = [None] * required + list(arguments.defaults)
    for argument, default in zip(positional, defaults, strict=True):
        yield _argument(module, argument, default)
    if arguments.vararg is not None:
        yield f"*{_argument(module, arguments.vararg, None)}"
    elif arguments.kwonlyargs:
        yield "*"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _argument(module, argument, default)
    if arguments.kwarg is not None:
        yield f"**{arguments.kwarg.arg}"


def _argument(module: str, argument: ast.arg, default: ast.expr | None) -> str:
    kind = f": {_type(module, argument.annotation)}" if argument.annotation is not None else ""
    return argument.arg + kind + ("" if default is None else f" = {_value(module, default)}")


def _value(module: str, default: ast.expr) -> str:
    """Print a default; where it is a constant that memrepo does not export, the constant's value."""
    if not isinstance(default, ast.Name) or default.id in memrepo.__all__:
        return ast.unparse(default)
    _, node = _hidden(module, default.id)
    return ast.unparse((node and node.value) or default)


def _hidden(module: str, name: str) -> tuple[str, ast.AnnAssign | None]:
    """Return the module that annotates and assigns a name that memrepo does not export, and where it does."""
    place = _imported_from(module, name) or module
    for node in _tree(place).body:
        target = getattr(node, "target", None)
        if isinstance(node, ast.AnnAssign) and getattr(target, "id", "") == name:
            return place, node
    return place, None


def _type(module: str, kind: ast.expr) -> str:
    """Print a type; in place of an alias that memrepo does not export, what it stands for."""
    return ast.unparse(_Aliases(module).visit(copy.deepcopy(kind)))


class _Aliases(ast.NodeTransformer):
    """Replaces the aliases in a type that memrepo does not export."""

    def __init__(self, module: str) -> None:
        self._module = module

    def visit_Name(self, node: ast.Name) -> ast.expr:
        place, found = ("", None) if node.id in memrepo.__all__ else _hidden(self._module, node.id)
        if found is None or found.value is None or ast.unparse(found.annotation) != "TypeAlias":
            return node
        alias: ast.expr = _Aliases(place).visit(copy.deepcopy(found.value))
        return alias

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if ast.unparse(node.value) == "Literal" and isinstance(node.slice, ast.Tuple):
            node.slice.elts = [value for each in node.slice.elts for value in _values(each)]
        return node


def _values(literal: ast.expr) -> list[ast.expr]:
    """Return the values of a ``Literal`` that stands in another one, or what else stands there."""
    if not isinstance(literal, ast.Subscript):
        return [literal]
    return literal.slice.elts if isinstance(literal.slice, ast.Tuple) else [literal.slice]


# --- docstrings --------------------------------------------------------------------------------


def _markdown(text: str) -> str:
    """Turn a docstring with Google's sections into Markdown."""
    parts: list[str] = []
    for paragraph in _paragraphs(text):
        head, _, rest = paragraph.partition("\n")
        if (match := _section(head)) is not None:
            parts.append(f"**{match[1]}**\n\n{_section_text(textwrap.dedent(rest))}")
        elif paragraph.startswith("    "):
            parts.append(f"```\n{textwrap.dedent(paragraph)}\n```")
        elif paragraph.startswith("- "):
            parts.append("\n".join(map(_inline, re.split(r"\n(?=- )", paragraph))))
        elif paragraph != "::":
            parts.append(_inline(paragraph))
    return "\n\n".join(parts) + "\n"


def _paragraphs(text: str) -> Iterable[str]:
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def _section_text(text: str) -> str:
    """Turn ``name: text`` items, with indented continuations, into a list; leave other text alone."""
    items = [_inline(item) for item in re.split(r"\n(?! )", text)]
    matches = [_item(item) for item in items]
    if all(matches):
        return "\n".join(f"- `{match[1]}`: {match[2]}" for match in matches if match)
    return _inline(text)


def _inline(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text).replace("``", "`").strip()


if __name__ == "__main__":
    _PAGE.write_text(reference(), encoding="utf-8")
