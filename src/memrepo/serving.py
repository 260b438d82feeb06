"""Serving an ASGI app over HTTP, from a command. It needs uvicorn, which some extras bring."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress
from typing import Any, Final

import uvicorn

from memrepo.errors import InvalidInputError, UsageError

__all__ = ["LOOPBACK", "listen", "serve", "url_of"]

#: The names of this machine for itself.
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
#: Seconds that streams have for ending when the server is stopped.
_GRACE_S: Final = 5


def listen(host: str, port: int) -> socket.socket:
    """
    Return a socket that listens on an address; port 0 is any that is free.

    Raises:
        InvalidInputError: *host* is empty, which the system takes for all addresses.
        UsageError: The address cannot be used.
    """
    if not host:
        raise InvalidInputError("host", "must not be empty")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    # asyncio only turns Nagle's algorithm off where a socket says that it is of TCP: 40 ms for each answer.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, listener.detach())


async def serve(app: Any, listener: socket.socket) -> None:
    """Serve an app on a socket until the process is told to stop."""
    config = uvicorn.Config(
        app,
        log_config=None,  # its own would write to stdout
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    # uvicorn ends, and raises the signal once more: that must not end us before the store is closed.
    with suppress(NotImplementedError):  # on Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
    await uvicorn.Server(config).serve([listener])


def url_of(listener: socket.socket) -> str:
    """Return the URL of what is served on a socket, without a slash at its end."""
    address, port, *_ = listener.getsockname()
    shown = f"[{address}]" if ":" in address else address
    return f"http://{shown}:{port}"
