"""What browsers may do with the pages."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests import factories
from tests.conftest import issue_key, signed_in

PASSWORD = "a-long-password-of-hers"


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


@pytest.mark.parametrize("path", ["/", "/api/products", "/healthz", "/nowhere"])
def test_every_answer_says_what_else_browsers_keep_from_it(acme, client, path):
    key = {"Authorization": f"Bearer {issue_key(acme.organization)}"}
    headers = client.get(path, headers=key).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_over_https_browsers_are_told_to_stay_there_and_cookies_go_nowhere_else(acme, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    member = factories.UserFactory(username="ada")
    member.set_password(PASSWORD)
    member.save()
    factories.MembershipFactory(user=member, organization=acme.organization)
    client = Client()
    assert client.get("/admin/login/").status_code == 301
    page = client.get("/admin/login/", secure=True)
    key = {"Authorization": f"Bearer {issue_key(acme.organization)}"}
    answers = [page, client.get("/api/products", secure=True, headers=key)]
    for answer in answers:
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    for plain in (client.get("/admin/login/"), client.get("/api/products", headers=key)):
        assert plain.status_code in (301, 400)
        assert "Strict-Transport-Security" not in plain.headers
    form = {"username": "ada", "password": PASSWORD}
    answer = client.post("/admin/login/", form, secure=True)
    assert answer.status_code == 302
    session, token = (answer.cookies[name] for name in ("sessionid", "csrftoken"))
    for cookie in (session, token):
        assert (cookie["secure"], cookie["samesite"]) == (True, "Lax")
    assert session["httponly"] is True


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ("k8_zQw!", "too short"),
        ("password1234", "too common"),
        ("84759236472", "entirely numeric"),
        ("ada.lovelace", "too similar to the username"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(acme, chosen, why):
    member = signed_in(acme.organization, "manager", username="ada.lovelace")
    user = member.client.get("/admin/").wsgi_request.user
    user.set_password(PASSWORD)
    user.save()
    member.client.force_login(user)
    form = {"old_password": PASSWORD, "new_password1": chosen, "new_password2": chosen}
    page = member.client.post("/admin/password_change/", form)
    assert (page.status_code, why in page.content.decode()) == (200, True)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
