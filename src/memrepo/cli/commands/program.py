"""The program: all commands, and what becomes of their errors."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Final

import click

from memrepo.cli.commands import (
    admin,
    doctor,
    exporting,
    facts,
    listing,
    log,
    remembering,
    reviewing,
    sessions,
    stats,
)
from memrepo.cli.commands.options import BadInput, Declined, Misuse
from memrepo.cli.commands.values import Refused
from memrepo.cli.main import OWN_COMMANDS
from memrepo.cli.streams import drop_output, flush_output, write_message
from memrepo.cli.telling import tell_error, wants_json, warnings_told
from memrepo.errors import MemrepoError, UsageError
from memrepo.version import __version__

__all__ = ["program", "run"]

_DONE: Final = 0
_FAILED: Final = 1
_MISUSED: Final = 2

_EXAMPLES: Final = """\b
Examples:
  memrepo remember "Ada likes green tea" --db agent.db
  memrepo recall "What does Ada like?" --db agent.db
"""
_is_option: Final = re.compile(r"--?[a-z][a-z-]{0,20}").fullmatch


@contextmanager
def _ended_by_reader() -> Generator[None]:
    """Take a reader that has gone, as `head` does, for an end that is no failure, before click takes it for one."""
    try:
        yield
    except BrokenPipeError:
        drop_output()
        raise click.exceptions.Exit(_DONE) from None


class _Program(click.Group):
    """The group of all commands, which does not repeat what is none."""

    def make_context(self, *given: Any, **options: Any) -> click.Context:
        """Read what was given; print the help if it asks for it."""
        with _ended_by_reader():
            return super().make_context(*given, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _ended_by_reader():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command."""
        if self.get_command(ctx, args[0]) is None:
            names = self.list_commands(ctx)
            near = get_close_matches(args[0], [*names, "--help", "--version"], 1)
            there_are = f": did you mean {near[0]}? There are" if near else "; there are"
            raise Misuse(f"no such command{there_are} {', '.join(names)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Program,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND] [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EXAMPLES,
)
@click.version_option(__version__, message="memrepo %(version)s")
@click.pass_context
def program(ctx: click.Context) -> None:
    """
    The durable memory of an asyncio agent: see it, ask it, correct it, carry it away, erase it.

    A command works on the database of its --db, or of MEMREPO_URL: a file, or a server as
    http://localhost:8080?namespace=acme. A server's token comes from the URL (?authToken=), where other
    users of the machine may see it, or from TURSO_AUTH_TOKEN.

    Exit status: 0; 1 if it failed, or found a problem; 2 if it was misused, and nothing was done. What is
    printed to a terminal is for people; into a pipe, it is a row a line, with tabs. NO_COLOR turns colours
    off.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _own(name: str, help_text: str) -> click.Command:
    """Return a command that stands in the list only: `main` runs it before it comes here."""
    return click.Command(name, help=help_text, add_help_option=False)


for _module in (
    remembering,
    facts,
    listing,
    reviewing,
    sessions,
    log,
    stats,
    admin,
    exporting,
    doctor,
):
    for _command in _module.COMMANDS:
        program.add_command(_command)
for _name, _help in OWN_COMMANDS.items():
    program.add_command(_own(_name, _help))


def run(arguments: Sequence[str]) -> int:
    """Run a command, and return its exit status."""
    as_json = wants_json(arguments)
    try:
        with warnings_told(as_json=as_json):
            status: Any = program.main([*arguments], prog_name="memrepo", standalone_mode=False)
        flush_output()
    except (click.ClickException, click.Abort, MemrepoError, OSError, UnicodeError) as error:
        return _tell(error, as_json=as_json)
    return status if isinstance(status, int) else _DONE


def _tell(error: Exception, *, as_json: bool) -> int:
    """Say on stderr what is wrong, and return the exit status."""
    is_misuse = isinstance(error, click.UsageError | UsageError)
    kind = type(error).__name__
    match error:
        case click.UsageError():
            kind, message = "UsageError", _said(error)
        case Declined():
            kind, message = "Declined", "nothing was done"
        case click.Abort():
            kind, message = "Interrupted", f"interrupted{error}"
        case BadInput():
            kind, message = "InvalidInputError", error.message
        case click.ClickException():
            message = "the command failed"
        case UnicodeDecodeError():  # its own message shows a part of the text
            message = "stdin is not text in UTF-8"
        case UnicodeError():
            message = "a text has a character that cannot be written"
        case OSError():
            drop_output()
            message = f"cannot read or write: {error.strerror or kind}"
        case _:
            message = str(error)  # our errors never hold a token
    if not as_json and isinstance(error, click.UsageError) and error.ctx is not None:
        write_message(f"{error.ctx.get_usage()}\n")
    tell_error(kind, message, as_json=as_json)
    return _MISUSED if is_misuse else _FAILED


def _said(error: click.UsageError) -> str:
    """Say what click says, with the names of arguments and options, but not what was given for them."""
    match error:
        case Misuse() | Refused() | click.MissingParameter() | click.BadOptionUsage():
            return error.format_message()
        case click.NoSuchOption():
            name = error.option_name
            if _is_before_its_command(error):
                return f"{name} comes after the command"
            named = f": {name}" if _is_option(name) else ""
            # A text may begin with a dash, as in a list: click takes it for several options of a letter.
            hint = (
                "" if name.startswith("--") else "; what begins with - and is none comes after --"
            )
            return f"there is no such option{named}{hint}"
        case click.BadParameter() if error.param is not None:
            its = error.param
            choices = its.type.choices if isinstance(its.type, click.Choice) else ()
            among = f": must be {', '.join(map(str, choices))}" if choices else ""
            return f"Invalid value for {its.get_error_hint(error.ctx)}{among}"
        case _:
            return "too many arguments, or invalid ones"


def _is_before_its_command(error: click.NoSuchOption) -> bool:
    """Tell whether an option that stands before the command is one that commands have."""
    of_commands = {
        name for its in program.commands.values() for param in its.params for name in param.opts
    }
    return (
        error.ctx is not None and error.ctx.command is program and error.option_name in of_commands
    )
