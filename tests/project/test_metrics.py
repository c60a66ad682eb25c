"""/metrics: off until it has a token; what it counts, and for whom it answers."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from inventory_project.metrics import MetricsMiddleware


@pytest.fixture
def configured(settings):
    settings.METRICS_TOKEN = "scrape-me"
    return Client(raise_request_exception=False)


def figures(client: Client, token: str = "scrape-me") -> str:
    response = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return response.content.decode()


def count(text: str, **labels: str) -> float:
    named = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    found = re.search(rf"^http_requests_total{{{re.escape(named)}}} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0


def test_it_is_not_there_without_a_token(settings, client):
    settings.METRICS_TOKEN = ""
    for headers in ({}, {"Authorization": "Bearer "}):
        assert client.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", "Bearer scrape-me2", "x ü"])
def test_it_answers_nobody_else(configured, given):
    headers = {"Authorization": given} if given else {}
    response = configured.get("/metrics", headers=headers)
    assert (response.status_code, response.content) == (401, b"")


def test_it_answers_a_scraper_that_knows_an_address_only(configured, settings):
    settings.SECURE_SSL_REDIRECT = True
    headers = {"Authorization": "Bearer scrape-me", "Host": "10.0.0.7:8000"}
    assert configured.get("/metrics", headers=headers).status_code == 200


def test_requests_are_counted_by_view_and_status(configured, api, acme):
    api.client = configured  # its first request loads the middleware
    labels = {"method": "GET", "view": "product-detail"}
    before = figures(configured)
    for path, status in (("/products/prod_123", 200), ("/products/none", 404)):
        assert api.get(path).status_code == status
    after = figures(configured)
    for status in ("200", "404"):
        assert count(after, **labels, status=status) == count(before, **labels, status=status) + 1
    assert 'http_request_seconds_bucket{le="+Inf",method="GET",view="product-detail"}' in after
    assert "prod_123" not in after  # no path, no id


def test_a_client_cannot_make_up_labels(configured):
    configured.generic("BREW", "/api/coffee")
    configured.get("/nothing/here")
    text = figures(configured)
    assert "BREW" not in text
    assert "nothing" not in text
    assert count(text, method="other", view="none", status="404") >= 0


def test_nothing_is_counted_where_nobody_asks(settings):
    from django.core.exceptions import MiddlewareNotUsed

    settings.METRICS_TOKEN = ""
    with pytest.raises(MiddlewareNotUsed):
        MetricsMiddleware(lambda request: None)
