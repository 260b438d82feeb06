"""
The command line: ``memrepo COMMAND``. Exit status: 0, 1 after a failure, 2 after misuse.

``browse``, ``copy`` and ``mcp`` need no click. The other commands are in ``commands/``, and need click.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NoReturn

from memrepo.cli import browse, copy, mcp
from memrepo.cli.naming import called
from memrepo.cli.streams import drop_output, flush_output, prepare, write_message
from memrepo.cli.telling import tell_error, wants_json
from memrepo.errors import MemrepoError, UsageError
from memrepo.version import __version__

__all__ = ["MORE_COMMANDS", "OWN_COMMANDS", "main"]

_DONE: Final = 0
_FAILED: Final = 1
_MISUSED: Final = 2

#: The commands that work without click, and what they do.
OWN_COMMANDS: Final = {
    "browse": "Serve web pages to look at a memory.",
    "copy": "Copy a database into another.",
    "mcp": "Serve a memory to MCP hosts.",
}
#: The commands that need it.
MORE_COMMANDS: Final = frozenset(
    {
        *("backup", "compact", "doctor", "erase", "export", "facts", "forget", "import", "init"),
        *("log", "purge", "recall", "remember", "restore", "restore-backup", "review", "search"),
        *("sessions", "stats", "status"),
    }
)
_HOW_TO_GET_THEM: Final = "pip install 'memrepo[cli]'"

_is_invalid_choice = re.compile(
    r"(argument \w+: invalid choice).*(\(choose from [^()]*\))"
).fullmatch
# What our types say has no value in it, and what argparse says of a value begins with "invalid".
_is_refusal = re.compile(r"argument (\S+): (must be .*|expected .*)").fullmatch
_is_ignored = re.compile(r"argument (\S+): ignored explicit argument .*", re.DOTALL).fullmatch
_is_option = re.compile(r"--?[a-z][a-z-]{0,20}(?==|$)").match


class _Parser(argparse.ArgumentParser):
    """A parser whose messages do not repeat the arguments, because they may contain tokens; options have one name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Print the usage, and what is wrong, and exit."""
        write_message(f"{self.format_usage()}{self.prog}: {_without_values(message)}\n")
        self.exit(_MISUSED)


def _without_values(message: str) -> str:
    """Say what argparse says, with the names of arguments and options, but not what was given for them."""
    if message.startswith("the following arguments are required: "):
        return message
    if found := _is_invalid_choice(message):
        return f"{found[1]} {found[2]}"
    if found := _is_refusal(message):
        return f"{found[1]}: {found[2]}"
    if found := _is_ignored(message):
        return f"{found[1]}: takes no value"
    what, _, given = message.partition("unrecognized arguments: ")
    if not what and given:
        words = given.split()
        options = [found[0] for word in words if (found := _is_option(word))]
        others = len(words) - len(options)
        named = [*options, *([f"{others} too many"] if others else [])]
        return f"unrecognized arguments: {', '.join(named)}"
    return "invalid arguments"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of ``sys.argv``, and return its exit status."""
    prepare()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except KeyboardInterrupt:  # while it imports what it needs
        tell_error("Interrupted", "interrupted", as_json=wants_json(given))
        return _FAILED


def _run(given: list[str]) -> int:
    if given[:1] and given[0] in OWN_COMMANDS:
        return _run_own(given)
    program = _import_commands()
    if program is not None:
        status: int = program.run(given)
        return status
    if given[:1] and given[0] in MORE_COMMANDS:
        reason = f"{given[0]} needs packages that are not installed: {_HOW_TO_GET_THEM}"
        tell_error("UsageError", reason, as_json=wants_json(given))
        return _MISUSED
    return _run_own(given or ["--help"])


def _import_commands() -> Any:
    try:
        return import_module("memrepo.cli.commands.program")
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        return None


def _run_own(arguments: Sequence[str]) -> int:
    given = argparse.Namespace(resume_hint="", typed={})
    try:
        status = _run_parsed(arguments, given)
        flush_output()
    except UsageError as error:
        return _fail(error, _MISUSED)
    except MemrepoError as error:
        return _fail(error, _FAILED)
    except OSError as error:
        drop_output()
        return _fail(f"cannot read or write: {error.strerror or type(error).__name__}", _FAILED)
    except KeyboardInterrupt:
        return _fail(f"interrupted{given.resume_hint}", _FAILED)
    return status


def _run_parsed(arguments: Sequence[str], given: argparse.Namespace) -> int:
    try:
        _parser().parse_args(arguments, given)
    except SystemExit as ending:  # argparse's way, after --help, too
        return int(ending.code or _DONE)
    with called(**given.typed):
        return _DONE if asyncio.run(given.run(given)) else _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="memrepo",
        description="The durable memory of an asyncio agent.",
        epilog=f"With {_HOW_TO_GET_THEM} there are also: {', '.join(sorted(MORE_COMMANDS))}.",
    )
    parser.add_argument("--version", action="version", version=f"memrepo {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for name, module in (("browse", browse), ("copy", copy), ("mcp", mcp)):
        module.configure(commands.add_parser(name, help=OWN_COMMANDS[name]))
    return parser


def _fail(reason: object, status: int) -> int:
    tell_error(type(reason).__name__, str(reason))
    return status
