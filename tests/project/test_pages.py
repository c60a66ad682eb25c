"""Whose requests go past the middleware of pages, and whose don't."""

import pytest

from tests.conftest import issue_key, signed_in


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_needs_no_session_and_sets_no_cookie(acme, client, scheme):
    key = issue_key(acme.organization, "inventory:read")
    response = client.get("/api/inventory-levels", headers={"Authorization": f"{scheme} {key}"})
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(len(response.content))
    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.headers.get("Vary", "")


@pytest.mark.parametrize("scheme", ["Bearer ilk_nonsense", "Bearer", "Bearer\tilk_nonsense"])
def test_a_bad_key_is_not_made_good_by_a_session(acme, scheme):
    client = signed_in(acme.organization, "editor").client
    assert client.get("/api/inventory-levels").status_code == 200
    response = client.get("/api/inventory-levels", headers={"Authorization": scheme})
    assert response.status_code == 401
    assert response.json()["code"] == "INVALID_API_KEY"


def test_a_page_keeps_its_session_whatever_key_comes_along(acme):
    client = signed_in(acme.organization, "editor", is_staff=True).client
    key = issue_key(acme.organization, "*")
    page = client.get("/admin/", headers={"Authorization": f"Bearer {key}"}, follow=True)
    assert page.status_code == 200
    assert "Log out" in page.content.decode()
