"""What browsers may do with the pages."""

from __future__ import annotations

import re

import pytest

from tests.conftest import signed_in


def directives(response) -> dict[str, list[str]]:
    policy = response.headers["Content-Security-Policy"]
    return {name: sources for name, *sources in map(str.split, policy.split(";"))}


@pytest.mark.parametrize("path", ["/", "/api/docs", "/api/products", "/nowhere", "/healthz"])
def test_scripts_come_from_here_alone(client, db, path):
    policy = directives(client.get(path))
    assert policy["script-src"] == ["'self'"]
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]


def test_the_admins_theme_may_evaluate_its_own_expressions(acme):
    member = signed_in(acme.organization, "manager")
    for page in ("/admin/", "/admin/inventory_levels/inventorylevel/"):
        response = member.client.get(page)
        assert response.status_code == 200
        assert directives(response)["script-src"] == ["'self'", "'unsafe-eval'"]
        inline = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", response.content.decode())
        assert [tag for tag in inline if "application/json" not in tag] == []
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']", response.content.decode())
    assert "'unsafe-eval'" not in directives(member.client.get("/"))["script-src"]


def test_every_answer_says_what_else_browsers_keep_from_it(client):
    headers = client.get("/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
