"""Tenants' databases: their names and places, and how to create and erase them."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from ssl import SSLContext
from typing import Final, Protocol

import attrs

from memrepo.admin.files import create_private, sync
from memrepo.connection.credentials import AuthToken, Credentials
from memrepo.connection.hrana.connect import Namespaces, open_namespaces
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.sqlite.reasons import system_error
from memrepo.connection.url import SIDE_SUFFIXES, Location, parse_url
from memrepo.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnsupportedURLError,
    UsageError,
)

__all__ = ["Tenants", "check_tenant", "parse_template"]

_PLACE: Final = "{tenant}"
_is_tenant = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}").fullmatch


class Tenants(Protocol):
    """The databases of a pool's tenants, by their names."""

    def url(self, tenant: str) -> str:
        """
        Return what `memrepo.connect` opens for a tenant.

        Raises:
            InvalidInputError: *tenant* is not a name that this pool accepts.
        """
        ...

    async def create(self, tenant: str) -> None:
        """Create an empty database; ConflictError if it already exists."""
        ...

    async def erase(self, tenant: str) -> None:
        """Delete a database that this pool does not have open; NotFoundError if it does not exist."""
        ...


def check_tenant(value: object) -> str:
    """Accept a name that cannot lead to another folder or host: letters, digits, ``-_.``."""
    if not isinstance(value, str):
        raise InvalidInputError("tenant", f"must be a str, not {type(value).__name__}")
    if not _is_tenant(value):
        raise InvalidInputError(
            "tenant", "must be 1 to 64 ASCII letters, digits, - _ and ., and not begin with a dot"
        )
    return value


def parse_template(
    template: str | os.PathLike[str],
    *,
    admin_url: str | None,
    admin_token: AuthToken | None,
    ssl: SSLContext | None,
    timeout_s: float,
    private: bool,
) -> Tenants:
    """
    Read a pool's template, with ``{tenant}`` in a file's path or as a server's namespace.

    Raises:
        InvalidInputError: It lacks ``{tenant}``, or is not a str or a path.
        UnsupportedURLError: It is not a URL that memrepo opens, or has ``{tenant}`` elsewhere.
    """
    if not isinstance(template, str | os.PathLike):
        raise InvalidInputError("url_template", "must be a str or a path")
    text = os.fspath(template)
    if not isinstance(text, str) or _PLACE not in text:
        raise InvalidInputError("url_template", "must have {tenant} in it")
    one, other = (parse_url(text.replace(_PLACE, name)) for name in ("a", "b"))
    if isinstance(one, ServerLocation) and isinstance(other, ServerLocation):
        admin = _parse_admin(admin_url, admin_token)
        return _ServerTenants(text, one, other, admin, ssl, timeout_s)
    if admin_url is not None or admin_token is not None:
        raise InvalidInputError("admin_url", "is for servers, and the template names files")
    location = parse_url(text)
    if not isinstance(location, Location) or location.path is None or one == other:
        raise UnsupportedURLError("a template must have {tenant} in the path of a file")
    return _FileTenants(location.path, location.mode, private)


def _parse_admin(
    url: str | None, token: AuthToken | None
) -> tuple[ServerLocation, Credentials] | None:
    if url is None:
        if token is not None:
            raise InvalidInputError("admin_token", "needs admin_url")
        return None
    location = parse_url(url)
    if not isinstance(location, ServerLocation) or location.is_websocket or location.namespace:
        raise UnsupportedURLError("admin_url must be http://host:port or https://host:port")
    return location, Credentials(token if token is not None else location.auth_token)


# --- files -------------------------------------------------------------------------------------


@attrs.frozen
class _FileTenants:
    """A file for each tenant."""

    #: The absolute path, with ``{tenant}`` in it.
    template: Path
    #: SQLite's ``mode``.
    mode: str
    #: Whether only the owner can read and write what `create` makes.
    private: bool

    def _path(self, tenant: str) -> Path:
        path = Path(str(self.template).replace(_PLACE, check_tenant(tenant)))
        if path.name.endswith(SIDE_SUFFIXES):
            raise InvalidInputError("tenant", "names a file that belongs to another tenant")
        return path

    def url(self, tenant: str) -> str:
        return f"{self._path(tenant).as_uri()}?mode={self.mode}"

    async def create(self, tenant: str) -> None:
        await asyncio.to_thread(_create_file, self._writable(tenant), private=self.private)

    async def erase(self, tenant: str) -> None:
        await asyncio.to_thread(_erase_file, self._writable(tenant))

    def _writable(self, tenant: str) -> Path:
        path = self._path(tenant)
        if self.mode == "ro":
            raise UsageError("the pool opens databases for reading only")
        return path


def _create_file(path: Path, *, private: bool) -> None:
    try:
        if private:
            create_private(path)
        else:
            path.touch(exist_ok=False)
        sync(path.parent)
    except FileExistsError:
        raise ConflictError("the tenant already exists") from None
    except OSError as error:
        raise system_error(path, "cannot be created", error) from error


def _erase_file(path: Path) -> None:
    try:
        if not os.path.lexists(path):
            raise NotFoundError("no such tenant")
        real = Path(os.path.realpath(path))  # where SQLite keeps its files beside a database, too
        # Before the database itself, and that before a link to it, so that an interrupted erase can be repeated.
        for suffix in SIDE_SUFFIXES:
            real.with_name(f"{real.name}{suffix}").unlink(missing_ok=True)
        real.unlink(missing_ok=True)
        if real.parent.exists():
            sync(real.parent)
        if path.is_symlink():
            path.unlink(missing_ok=True)
            sync(path.parent)
    except OSError as error:
        raise system_error(path, "cannot be erased", error) from error


# --- servers -----------------------------------------------------------------------------------


class _ServerTenants:
    """A namespace of one server for each tenant."""

    def __init__(
        self,
        template: str,
        one: ServerLocation,
        other: ServerLocation,
        admin: tuple[ServerLocation, Credentials] | None,
        ssl: SSLContext | None,
        timeout_s: float,
    ) -> None:
        # In place of a host, a tenant's name could send the token to anybody's server.
        is_place = (one.namespace, other.namespace) == ("a", "b")
        same = attrs.evolve(other, namespace="a")
        if not is_place or one != same or one.auth_token != other.auth_token:
            raise UnsupportedURLError(
                "a server's template must have {tenant} as its whole namespace"
            )
        self._template = template
        self._admin = admin
        self._ssl = ssl
        self._timeout_s = timeout_s

    def url(self, tenant: str) -> str:
        url = self._template.replace(_PLACE, check_tenant(tenant))
        try:
            parse_url(url)
        except UnsupportedURLError:
            raise InvalidInputError(
                "tenant", "must be 1 to 63 letters, digits, - and _ on a server"
            ) from None
        return url

    async def create(self, tenant: str) -> None:
        self.url(tenant)
        await (await self._namespaces()).create(tenant)

    async def erase(self, tenant: str) -> None:
        self.url(tenant)
        await (await self._namespaces()).delete(tenant)

    async def _namespaces(self) -> Namespaces:
        if self._admin is None:
            raise UsageError("creating or erasing a server's tenants needs admin_url")
        return await open_namespaces(*self._admin, self._ssl, self._timeout_s)
