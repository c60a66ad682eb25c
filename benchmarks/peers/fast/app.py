"""The endpoints: read, run one statement, answer."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from benchmarks.peers.fast import answers, bodies, bulk, database, pages, sql, writes
from benchmarks.peers.fast.refusals import (
    NO_LEVEL,
    Refused,
    disordered,
    malformed,
    refused_places,
)

MAX_BODY = 1024 * 1024
PATH = "/api/inventory-levels"

_SANE = re.compile(r"[A-Za-z0-9_.:/+=-]{1,128}\Z").match

logger = logging.getLogger("uvicorn.error")
pool = database.new_pool()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with pool:
        yield


app = FastAPI(openapi_url=None, redirect_slashes=False, lifespan=lifespan)


class Call:
    """A request, as far as it is known without the database."""

    __slots__ = ("address", "digest", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        scheme, *credentials = request.headers.get("authorization", "").split() or [""]
        if scheme.lower() != "bearer":
            sentence = "Send the header Authorization: Bearer <API key>."
            raise Refused(sentence, "MISSING_AUTHORIZATION", is_known=True)
        if len(credentials) != 1:
            raise Refused("The API key is not valid.", "INVALID_API_KEY", is_known=True)
        self.digest = sha256(credentials[0].encode()).hexdigest()
        self.address = request.client.host.removeprefix("::ffff:") if request.client else ""

    @property
    def writes(self) -> bool:
        return self.request.method not in ("GET", "HEAD")

    async def body(self, limit: int = MAX_BODY) -> Any:
        """The JSON body. Raises Refused for its type, size and syntax, in this order."""
        headers = self.request.headers
        if headers.get("content-encoding", "identity") != "identity":
            sentence = "Send the body without Content-Encoding."
            raise Refused(sentence, "UNSUPPORTED_MEDIA_TYPE")
        kind = headers.get("content-type", "")
        if kind != "application/json":
            _check_media_type(kind)
        size = int(headers.get("content-length", 0))
        body = await self.request.body() if size <= limit else b""
        if max(size, len(body)) > limit:
            raise Refused(f"The body is larger than {limit >> 20} MiB.", "PAYLOAD_TOO_LARGE")
        return bodies.load(body)

    def check_parameters(self, *known: str) -> None:
        """Refuse query parameters that are unknown or given twice, by name."""
        if not self.request.scope["query_string"]:
            return
        problems = {}
        parameters = self.request.query_params
        for name in parameters:
            if name not in known:
                problems[name[:100]] = ["unknown parameter"]
            elif len(parameters.getlist(name)) > 1:
                problems[name] = ["is given more than once"]
        if problems:
            raise malformed(problems)


def _check_media_type(kind: str) -> None:
    name, *parameters = (part.strip().lower() for part in kind.split(";"))
    charsets = [one.partition("=")[2].strip('"') for one in parameters if "charset=" in one]
    if name != "application/json" or set(charsets) - {"utf-8", "utf8"}:
        sentence = f'Unsupported media type "{kind}" in request.'
        raise Refused(
            sentence if kind else "Send Content-Type: application/json.", "UNSUPPORTED_MEDIA_TYPE"
        )


Method = Callable[[Call], Awaitable[Response]]


class Endpoint:
    """Answers by the method; errors in the one shape, the key's before all others."""

    def __init__(self, **methods: Method) -> None:
        self.methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self.respond(request)
        except Refused as refused:
            response = error(request, refused)
        except database.BUSY as busy:
            logger.warning("database unavailable: %s", busy)
            sentence = "The database is busy or out of reach; nothing was written. Try again."
            response = error(request, Refused(sentence, "UNAVAILABLE"))
        except ClientDisconnect:
            response = error(request, Refused("The body ended early.", "INVALID_JSON"))
        except Exception:
            logger.exception("unexpected error")
            sentence = "Something went wrong on our side; the log has it."
            response = error(request, Refused(sentence, "INTERNAL_ERROR"))
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        call = Call(request)
        name = request.method
        method = self.methods.get("GET" if name == "HEAD" else name)
        try:
            if method is None:
                raise Refused(f'Method "{name}" not allowed.', "METHOD_NOT_ALLOWED")
            return await method(call)
        except Refused as refused:
            if not refused.is_known:
                await authorize(call, any_scope=method is None)
            raise


async def authorize(call: Call, *, any_scope: bool = False) -> int:
    """The organization. Raises Refused with what is wrong with the key."""
    writes = call.writes and not any_scope
    async with pool.connection() as connection:
        found = await database.authorize(connection, call.digest, call.address, writes=writes)
    return found[0]


async def run(call: Call, statement: sql.Statement, values: dict[str, Any]) -> list[database.Row]:
    """The rows of a statement; where there is none, its key is asked after."""
    text, names = statement
    values["digest"], values["address"] = call.digest, call.address
    connection = await pool.getconn()
    try:
        cursor = await connection.execute(text, [values[name] for name in names])
        rows = await cursor.fetchall()
        if not rows:
            await database.authorize(connection, call.digest, call.address, writes=call.writes)
        elif rows[0][sql.DUE]:
            await database.touch(connection, call.digest)
    finally:
        await pool.putconn(connection)
    return rows


def answer(request: Request, body: bytes, status: int = 200, **more: str) -> Response:
    given = request.headers.get("x-request-id")
    headers = {
        "x-request-id": given if given and _SANE(given) else answers.ulid(),
        "cache-control": "private, no-cache",
        "content-type": "application/json",
        **more,
    }
    return Response(body, status, headers)


def error(request: Request, refused: Refused) -> Response:
    more = {"www-authenticate": "Bearer"} if refused.status == 401 else {}
    if refused.status == 503:
        more = {"retry-after": "1"}
    return answer(request, answers.dump(refused.body()), refused.status, **more)


async def unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    refused = Refused("There is nothing at this path.", "NOT_FOUND")
    response = error(Request(scope, receive), refused)
    del response.headers["cache-control"]
    await response(scope, receive, send)


async def create(call: Call) -> Response:
    values = bodies.read_level(await call.body())
    call.check_parameters()
    given = tuple([name for name in sql.FIELDS if name in values])
    values["id"] = f"level_{answers.ulid()}"
    row = await write(call, values, lambda conditions: writes.post(given, conditions))
    if row[sql.STATE] == "refused":
        product, location, bin_, source, is_below, is_elsewhere = row[sql.CHECKS :]
        raise refused_places((product, location, bin_, source), (), is_below, is_elsewhere)
    return written(call, row, 201 if row[sql.CREATED] else 200)


async def change(call: Call) -> Response:
    values = bodies.read_level(await call.body(), partial=True)
    call.check_parameters()
    given = tuple([name for name in sql.FIELDS if name in values])
    repeated = tuple([name for name in ("product", "location") if name in values])
    values["id"] = call.request.path_params["id"]
    row = await write(call, values, lambda conditions: writes.patch(given, conditions, repeated))
    if row[sql.STATE] == "refused":
        level, *found, same_product, same_location, is_below, is_elsewhere = row[sql.CHECKS :]
        if not level:
            raise Refused(NO_LEVEL, "NOT_FOUND", is_known=True)
        same = (same_product, same_location)
        raise refused_places(found, same, is_below, is_elsewhere)
    return written(call, row, 200)


async def write(
    call: Call, values: dict[str, Any], statement: Callable[[tuple[str, ...]], sql.Statement]
) -> database.Row:
    """The answer of the statement for the preconditions; again where a race was lost."""
    headers, conditions = call.request.headers, []
    for name, weakly in (("if-match", False), ("if-none-match", True)):
        if (header := headers.get(name)) is not None:
            conditions.append(name.replace("-", "_"))
            values[conditions[-1]] = answers.ids_and_versions(header, weakly=weakly)
    while True:
        (row,) = await run(call, statement(tuple(conditions)), values)
        if row[sql.STATE] != "again":
            return row


def written(call: Call, row: database.Row, status: int) -> Response:
    if row[sql.STATE] == "unmet":
        sentence = "The inventory level is not in the expected state."
        raise Refused(sentence, "PRECONDITION_FAILED", is_known=True)
    if row[sql.STATE] == "disordered":
        raise disordered(*map(answers.number, row[sql.ITEM + 3 : sql.ITEM + 6]))
    return answer(call.request, answers.dump(answers.level(row)), status, etag=answers.etag(row))


async def retrieve(call: Call) -> Response:
    call.check_parameters()
    (row,) = await run(call, sql.get(), {"id": call.request.path_params["id"]})
    if row[sql.ITEM] is None:
        raise Refused(NO_LEVEL, "NOT_FOUND", is_known=True)
    tag = answers.etag(row)
    if (header := call.request.headers.get("if-none-match")) is not None:
        tags = answers.tags(header)
        if tags == ["*"] or tag in [one.removeprefix("W/") for one in tags]:
            return answer(call.request, b"", 304, etag=tag)
    return answer(call.request, answers.dump(answers.level(row)), etag=tag)


async def many(call: Call) -> Response:
    call.check_parameters(*pages.PARAMETERS)
    page = pages.Page(dict(call.request.query_params))
    rows = await run(call, page.statement, page.values)
    if page.organization:  # the one that the cursor is from
        page.check(rows[0][-1] if rows else await authorize(call))
    return answer(call.request, answers.dump(page.answer(rows)))


async def save_all(call: Call) -> Response:
    body = await call.body(32 * MAX_BODY)
    batch = bulk.Batch(body)
    call.check_parameters()
    async with pool.connection() as connection:
        key = await database.authorize(connection, call.digest, call.address, writes=True)
        await batch.save(connection, *key)
    status, told = batch.answer()
    return answer(call.request, answers.dump(told), status)


# No middleware: the endpoints answer their errors themselves.
app.build_middleware_stack = lambda: app.router  # type: ignore[method-assign]
app.router.default = unknown_path
for path, endpoint in (
    (PATH, Endpoint(GET=many, POST=create)),
    (f"{PATH}/bulk", Endpoint(POST=save_all)),
    (f"{PATH}/{{id}}", Endpoint(GET=retrieve, PATCH=change)),
):
    app.router.routes += [Route(path, endpoint), Route(f"{path}/", endpoint)]
