#!/usr/bin/env python3
"""Whether a peer answers as the product does: the same requests, answers, levels and history.

    DATABASE_URL=... .venv/bin/python benchmarks/peers/check.py URL_OF_PRODUCT URL_OF_PEER

Both serve that database. Each gets organizations of its own with the same catalog, which go again
at the end. Good answers must be equal letter by letter (headers of the contract included), refusals
as JSON; ids of levels, times and cursors are replaced by words first. Ends with 1 if any differ.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.peers.cases import BULK, REQUESTS, Request  # noqa: E402
from inventory_levels.models import (  # noqa: E402
    InventoryLevel,
    LevelChange,
    Location,
    ProductMaster,
)
from organizations.models import ApiKey, Organization  # noqa: E402
from organizations.tenancy import organization_scope  # noqa: E402

LEVELS = "/api/inventory-levels"
COMPARED_HEADERS = ("Content-Type", "ETag", "WWW-Authenticate", "Cache-Control")
WORDS = [
    (re.compile(r"level_[0-9a-z]{26}"), "LEVEL"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"), "TIME"),
    (re.compile(r'"nextCursor":"[^"]+"'), '"nextCursor":"CURSOR"'),
]


@dataclass
class Contender:
    """A server, its organization, and what it has answered so far."""

    name: str
    url: str
    organizations: list[Organization] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    remembered: dict[str, str] = field(default_factory=lambda: {"cursor": "none"})

    def prepare(self) -> None:
        for name in ("ours", "theirs", "inactive"):
            organization = Organization.objects.create(name=f"check {self.name} {name}")
            self.organizations.append(organization)
            self._issue(name, organization, ["*"])
            with organization_scope(organization):
                _catalog(organization, "" if name == "ours" else f"_{name}")
        ours, _, inactive = self.organizations
        Organization.objects.filter(pk=inactive.pk).update(is_active=False)
        self._issue("reads", ours, ["inventory:read"])
        self._issue("writes", ours, ["inventory:write"])
        self._issue("elsewhere", ours, ["*"], allowed_ips=["10.0.0.0/8"])
        self._issue("here", ours, ["*"], allowed_ips=["10.0.0.0/8", "127.0.0.0/8"])
        now = timezone.now()
        for name in ("revoked_at", "expires_at"):
            key = self._issue(name, ours, ["*"])
            ApiKey.objects.filter(pk=key.pk).update(**{name: now})

    def _issue(self, name: str, organization: Organization, scopes: list[str], **more: Any) -> Any:
        key, self.keys[name] = ApiKey.objects.issue(
            organization=organization, name=name, scopes=scopes, **more
        )
        return key

    def remove(self) -> None:
        for organization in self.organizations:
            with organization_scope(organization):
                LevelChange.objects.all().delete()
                InventoryLevel.objects.all().delete()
                Location.objects.filter(parent__parent__isnull=False).delete()
                Location.objects.filter(parent__isnull=False).delete()
                Location.objects.all().delete()
                ProductMaster.objects.all().delete()
            organization.delete()

    def send(self, request: Request) -> tuple[int, dict[str, str], str]:
        """Status, headers and body; remembers what later requests refer to."""
        server = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        path = LEVELS + request.path.format(**self.remembered)
        headers = {"Content-Type": "application/json", **request.headers}
        headers = {name: text.format(**self.remembered) for name, text in headers.items() if text}
        if request.key:
            headers["Authorization"] = f"Bearer {self.keys.get(request.key, request.key)}"
        body = request.body
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            server.request(request.method, path, body, headers)
            answer = server.getresponse()
            text = answer.read().decode()
        finally:
            server.close()
        if request.remember:
            found = json.loads(text)
            self.remembered[request.remember] = found.get("id", "none")
            self.remembered[f"{request.remember}_tag"] = answer.headers.get("ETag", "none")
        if cursor := re.search(r'"nextCursor":"([^"]+)"', text):
            self.remembered["cursor"] = cursor[1]
        return answer.status, dict(answer.headers), text

    def stored(self) -> list[Any]:
        """The levels of the organization, each with its history."""
        found = []
        with organization_scope(self.organizations[0]):
            for level in InventoryLevel.objects.with_references().order_by(
                "product__public_id", "location__public_id"
            ):
                changes = LevelChange.objects.filter(level_public_id=level.public_id)
                history = [
                    (c.action, c.version, c.changes, c.product_public_id, c.location_public_id,
                     c.actor_type, c.actor_name, c.source, c.reason)
                    for c in changes.order_by("version")
                ]  # fmt: skip
                times = [c.at for c in changes.order_by("version")]
                pair = (level.product.public_id, level.location.public_id)
                is_timely = times == sorted(times) and times[-1:] == [level.updated_at]
                found.append(
                    (
                        *pair,
                        level.version,
                        level.comments,
                        level.folded_comments,
                        is_timely,
                        history,
                    )
                )
        return found


def _catalog(organization: Organization, suffix: str) -> None:
    for number in range(1, 13):
        ProductMaster.objects.create(
            organization=organization,
            public_id=f"prod_{number}{suffix}",
            global_sku=f"SKU-{number}{suffix}",
            product_name=f'Product "{number}" ü≤\\',
        )

    def place(name: str, parent: Location | None = None, kind: str = "WAREHOUSE") -> Location:
        return Location.objects.create(
            organization=organization,
            public_id=f"{name}{suffix}",
            name=name,
            type=kind,
            parent=parent,
            path=parent.path_below if parent else "/",
        )

    for number in range(1, 5):
        zone = place(f"zone_{number}", place(f"loc_{number}"), "OTHER")
        place(f"bin_{number}", zone, "BIN")


def _normal(text: str) -> str:
    for pattern, word in WORDS:
        text = pattern.sub(word, text)
    return text


def _comparable(answer: tuple[int, dict[str, str], str]) -> tuple[Any, ...]:
    status, headers, text = answer
    headers = {name.lower(): value for name, value in headers.items()}
    told = {name: _normal(headers.get(name.lower(), "")) for name in COMPARED_HEADERS}
    if status == 304:
        told.pop("Content-Type")
    normal: Any = _normal(text)
    if status >= 400 and told.get("Content-Type") == "application/json" and text:
        normal = json.loads(normal)
    return status, told, bool(headers.get("x-request-id")), normal


def differences(product: str, peer: str) -> list[str]:
    """What differs between the servers at these URLs, a paragraph each."""
    with _contenders(product, peer) as contenders:
        found = []
        for request in REQUESTS + BULK:
            one, other = (_comparable(contender.send(request)) for contender in contenders)
            if one != other:
                found.append(f"{request}\n  product: {one}\n  peer:    {other}")
        levels, others = (contender.stored() for contender in contenders)
        assert levels, "the requests have left nothing to compare"
        if len(levels) != len(others):
            found.append(f"{len(levels)} levels stored by the product, {len(others)} by the peer")
        found += [
            f"stored\n  product: {level}\n  peer:    {theirs}"
            for level, theirs in zip(levels, others, strict=False)
            if level != theirs
        ]
        return found + [text for contender in contenders for text in races(contender)]


@contextmanager
def _contenders(product: str, peer: str) -> Iterator[list[Contender]]:
    contenders = [Contender("product", product), Contender("peer", peer)]
    try:
        for contender in contenders:
            contender.prepare()
        yield contenders
    finally:
        for contender in contenders:
            contender.remove()
        connection.close()


def races(contender: Contender, clients: int = 8, turns: int = 20) -> list[str]:
    """What goes wrong where several clients write the same level at once."""
    found = []
    pair = {"productMasterId": "prod_12", "locationId": "loc_4"}
    with ThreadPoolExecutor(clients) as pool:
        made = Request("POST", "", pair | {"minQuantity": 1})
        statuses = Counter(status for status, _, _ in pool.map(contender.send, [made] * clients))
        if statuses != {201: 1, 200: clients - 1}:
            found.append(f"{contender.name}: {clients} POSTs at once gave {statuses}")
        changes = [
            Request("POST", "", pair | {name: 100 + turn})
            for turn in range(turns)
            for name in ("reorderQuantity", "maxQuantity", "forecastQuantity", "comments")
        ]
        changes = [_as_text(change) for change in changes]
        statuses = Counter(status for status, _, _ in pool.map(contender.send, changes))
        if set(statuses) - {200, 400}:
            found.append(f"{contender.name}: writes at once gave {statuses}")
    with organization_scope(contender.organizations[0]):
        level = InventoryLevel.objects.get(
            product__public_id="prod_12", location__public_id="loc_4"
        )
        history = LevelChange.objects.filter(level_public_id=level.public_id).order_by("version")
        values: dict[str, Any] = {}
        for number, change in enumerate(history, 1):
            if change.version != number:
                found.append(f"{contender.name}: version {number} is missing in the history")
                break
            for name, pair_ in change.changes.items():
                if values.get(name) != pair_["old"]:
                    found.append(f"{contender.name}: {name} was {values.get(name)}, not {pair_}")
                values[name] = pair_["new"]
        if level.version != len(history):
            found.append(f"{contender.name}: version {level.version}, {len(history)} changes")
    return found


def _as_text(request: Request) -> Request:
    if "comments" in request.body:
        return Request("POST", "", request.body | {"comments": str(request.body["comments"])})
    return request


def main() -> int:
    found = differences(*sys.argv[1:3])
    for text in found:
        print(text)
    print(f"{len(REQUESTS) + len(BULK)} requests and 2 races, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
