"""The pool of connections, and who may do what by which key."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, errors
from psycopg.types.string import TextLoader
from psycopg_pool import AsyncConnectionPool

from benchmarks.peers.fast import sql
from benchmarks.peers.fast.refusals import Refused

# Connections a worker.
SIZE = int(os.environ.get("POOL_SIZE") or 4)


async def _configure(connection: AsyncConnection[Any]) -> None:
    connection.prepare_threshold, connection.prepared_max = 0, 1_000
    # Exact, and in C; answers.py knows the texts.
    for kind in ("numeric", "timestamptz"):
        connection.adapters.register_loader(kind, TextLoader)


def new_pool() -> AsyncConnectionPool[AsyncConnection[Any]]:
    options = " ".join(f"-c {name}={value}" for name, value in sql.OPTIONS.items())
    return AsyncConnectionPool(
        os.environ["DATABASE_URL"],
        min_size=SIZE,
        max_size=SIZE,
        open=False,
        configure=_configure,
        kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor, "options": options},
    )


_KEY = """
SELECT k.organization_id, k.public_id, k.name, k.revoked_at IS NOT NULL,
    coalesce(k.expires_at <= now(), false), o.is_active, k.allowed_ips, k.scopes
FROM organizations_apikey k JOIN organizations_organization o ON o.id = k.organization_id
WHERE k.digest = $1"""

# Never waits for whoever does the same.
_TOUCH = """
UPDATE organizations_apikey SET last_used_at = now() WHERE id = (
    SELECT id FROM organizations_apikey WHERE digest = $1
        AND coalesce(last_used_at <= now() - interval '60 seconds', true)
    FOR UPDATE SKIP LOCKED)"""


async def authorize(
    connection: AsyncConnection[Any], digest: str, address: str, *, writes: bool
) -> tuple[int, str, str]:
    """The key's organization, id and name. Raises Refused with what is wrong with it."""
    found = await (await connection.execute(_KEY, [digest])).fetchone()
    if found is None:
        raise Refused("The API key is not valid.", "INVALID_API_KEY")
    *key, is_revoked, is_expired, is_active, networks, scopes = found
    if is_revoked:
        raise Refused("The API key was revoked.", "REVOKED_API_KEY")
    if is_expired:
        raise Refused("The API key has expired.", "EXPIRED_API_KEY")
    if not is_active:
        raise Refused("This organization is inactive.", "INACTIVE_ORGANIZATION")
    if networks and not any(
        ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in networks
    ):
        sentence = "The API key may not be used from this IP address."
        raise Refused(sentence, "IP_RESTRICTION")
    await touch(connection, digest)
    allowed = {"inventory:write", "inventory:*", "*"} & set(scopes) if writes else scopes
    if not allowed:
        scope = f"inventory:{'write' if writes else 'read'}"
        raise Refused(f"The API key lacks the scope {scope}.", "INSUFFICIENT_SCOPE")
    return tuple(key)


async def touch(connection: AsyncConnection[Any], digest: str) -> None:
    """Note that the key is in use, at most once a minute."""
    await connection.execute(_TOUCH, [digest])


BUSY = (psycopg.OperationalError, errors.LockNotAvailable, errors.QueryCanceled)

Row = Sequence[Any]
