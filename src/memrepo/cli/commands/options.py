"""What most commands share: the database, the scope, the form of the output, and asking before harm is done."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, TypeAlias, Unpack

import click
from click.core import ParameterSource

from memrepo.cli.commands.output import Output
from memrepo.cli.commands.values import WHOLE
from memrepo.cli.naming import called
from memrepo.cli.opening import open_database, require_database
from memrepo.options import ConnectOptions

__all__ = [
    "BadInput",
    "Declined",
    "Interrupted",
    "Misuse",
    "asks",
    "confirm",
    "database",
    "exclude",
    "interruptible",
    "limit",
    "on_store",
    "runs",
    "scope",
    "typed",
]

#: What a command returns: its exit status, 0 if ``None``.
Status: TypeAlias = int | None
_Command: TypeAlias = Callable[..., Any]
_Body: TypeAlias = Callable[..., Coroutine[Any, Any, Status]]


class Misuse(click.UsageError):
    """A misuse whose message holds nothing that was given."""


class BadInput(click.ClickException):
    """What was read, from stdin or a file, is not accepted: a failure, and no misuse."""


class Interrupted(click.Abort):
    """Ctrl-C; its text says how to go on."""


class Declined(click.Abort):
    """A question that was answered with no."""


def runs(body: _Body, /, *, resumes: bool = False) -> _Command:
    """
    Give a command ``--json`` and ``--nl``, and run it in an event loop; it gets an `Output` first.

    Args:
        body: The command.
        resumes: Whether it goes on where it was interrupted.
    """

    @wraps(body)
    def run(*, as_json: bool, as_nl: bool, **given: Any) -> Status:
        if as_json and as_nl:
            raise Misuse("--json and --nl exclude each other")
        output = Output("json" if as_json else "nl" if as_nl else "text")
        try:
            with called(**_typed_names()):
                return asyncio.run(body(output, **given))
        except KeyboardInterrupt:
            raise Interrupted("; run the command again to resume" if resumes else "") from None

    nl = click.option("--nl", "as_nl", is_flag=True, help="Print a JSON object a line.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    return as_json(nl(run))


def _typed_names() -> dict[str, str]:
    """Return what the command line calls its arguments: ``--limit``, ``TEXT``."""
    return {
        its.name: (its.metavar or its.name).strip("[].")
        if isinstance(its, click.Argument)
        else max(its.opts, key=len)
        for its in click.get_current_context().command.params
    }


def on_store(
    *,
    creates: bool = False,
    scoped: bool = True,
    resumes: bool = False,
    **options: Unpack[ConnectOptions],
) -> Callable[[_Body], _Command]:
    """
    Open the database for a command, which gets an `Output` and the store, or the store's scope.

    Args:
        creates: Whether a file that is not there is made.
        scoped: Whether it has ``--scope``.
        resumes: Whether it goes on where it was interrupted.
        options: Those of `connect`.
    """

    def decorate(body: _Body) -> _Command:
        @wraps(body)
        async def run(output: Output, *, db: str | None, **given: Any) -> Status:
            if not creates:
                await asyncio.to_thread(require_database, db)
            async with open_database(db, creates=creates, **options) as store:
                on = store.scoped(given.pop("scope")) if scoped else store
                return await body(output, on, **given)

        command = runs(run, resumes=resumes)
        return database(scope(command) if scoped else command)

    return decorate


database = click.option(
    "--db", metavar="URL", help="The database: a file or a server; MEMREPO_URL by default."
)
scope = click.option("--scope", default="", help="Whose memory; by default, the default scope's.")


def limit(default: int, what: str) -> Callable[[_Command], _Command]:
    """Give a command ``--limit``."""
    return click.option(
        "--limit",
        "-n",
        type=WHOLE,
        default=default,
        show_default=True,
        help=f"Most {what} to show.",
    )


def typed(*names: str) -> list[str]:
    """Return which of the command's arguments with these names were typed, as ``--limit``, and not left at their defaults."""
    context = click.get_current_context()
    return [
        its_name
        for name, its_name in _typed_names().items()
        if name in names and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]


def exclude(option: str, *names: str) -> None:
    """
    Refuse the arguments with these names beside *option*, which has no use for them.

    Raises:
        Misuse: One of them was typed.
    """
    for other in typed(*names):
        raise Misuse(f"{option} and {other} exclude each other")


asks = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def confirm(question: str, *, yes: bool) -> None:
    """
    Ask on the terminal, unless *yes*.

    Raises:
        Misuse: There is no terminal to ask on.
        Declined: The answer was not yes.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Misuse("this asks first: without a terminal, say --yes")
    with interruptible():
        if not click.confirm(question, err=True):
            raise Declined


def _require_uninterrupted() -> None:
    """Hear of a Ctrl-C that came just before: the task would not, while it waits for a person."""
    with suppress(RuntimeError):  # there is no event loop
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Generator[None]:
    """Have Ctrl-C end what waits for a person at once: an event loop's handler waits for the next step of its task."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _require_uninterrupted()
        yield
    except KeyboardInterrupt:
        raise click.Abort from None
    finally:
        signal.signal(signal.SIGINT, before)
