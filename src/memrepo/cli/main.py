"""The command line: ``memrepo COMMAND``. Exit status: 0, 1 after a failure, 2 after misuse."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from memrepo.cli import copy
from memrepo.errors import MemrepoError, UsageError

__all__ = ["main"]

_DONE: Final = 0
_FAILED: Final = 1
_MISUSED: Final = 2


class _Parser(argparse.ArgumentParser):
    """A parser whose messages do not repeat the arguments, because they may contain tokens."""

    def error(self, message: str) -> NoReturn:  # noqa: ARG002 - what must not be shown
        """Print the usage and exit."""
        self.print_usage(sys.stderr)
        self.exit(_MISUSED, f"{self.prog}: invalid arguments\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of ``sys.argv``, and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        return _DONE if asyncio.run(given.run(given)) else _FAILED
    except UsageError as error:
        return _fail(error, _MISUSED)
    except MemrepoError as error:
        return _fail(error, _FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted; run the command again to resume", _FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="memrepo", description="The durable memory of an asyncio agent.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    copy.configure(commands.add_parser("copy", help="copy a database into another"))
    return parser


def _fail(reason: object, status: int) -> int:
    # Our errors never hold a token.
    sys.stderr.write(f"memrepo: {reason}\n")
    return status
