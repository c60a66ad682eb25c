"""Guessing passwords: five wrong ones shut a name out where they came from, for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client

from tests import factories

LOGIN, PASSWORD = "/admin/login/", "a-long-password-of-ada"
TOO_MANY = "Too many failed attempts. Try again in 15 minutes."
WRONG = "Please enter the correct username and password"


@pytest.fixture
def ada(acme):
    ada = factories.UserFactory(username="ada")
    ada.set_password(PASSWORD)
    ada.save()
    factories.MembershipFactory(user=ada, organization=acme.organization, role="editor")
    return ada


def sign_in(name: str, password: str, address: str = "192.0.2.1", **headers: str):
    return Client().post(
        LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address, headers=headers
    )


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_the_fifth_wrong_password_shuts_a_name_out_whether_it_exists_or_not(ada, name):
    for _ in range(4):
        response = sign_in(name, "wrong")
        assert (response.status_code, WRONG in response.content.decode()) == (200, True)
    for password in ("wrong", "wrong", PASSWORD):
        response = sign_in(name, password)
        assert (response.status_code, response.headers["Retry-After"]) == (429, "900")
        assert TOO_MANY in response.content.decode()
        assert "sessionid" not in response.cookies


def test_others_and_other_places_are_not_shut_out(ada):
    for _ in range(5):
        sign_in("ada", "wrong")
    assert sign_in("ada", PASSWORD, "192.0.2.2").status_code == 302
    assert WRONG in sign_in("grace", "wrong").content.decode()


def test_a_right_password_starts_the_count_again(ada):
    for _ in range(2):
        for _ in range(4):
            assert sign_in("ada", "wrong").status_code == 200
        assert sign_in("ada", PASSWORD).status_code == 302


def test_after_a_quarter_of_an_hour_it_is_over(ada):
    for _ in range(5):
        sign_in("ada", "wrong")
    attempt = AccessAttempt.objects.get()
    attempt.attempt_time -= timedelta(minutes=14)
    attempt.save()
    assert sign_in("ada", PASSWORD).status_code == 429
    attempt.attempt_time -= timedelta(minutes=2)
    attempt.save()
    assert sign_in("ada", PASSWORD).status_code == 302


def test_whoever_belongs_nowhere_is_counted_as_for_a_wrong_password(db):
    stranger = factories.UserFactory(username="eve")
    stranger.set_password(PASSWORD)
    stranger.save()
    assert [sign_in("eve", PASSWORD).status_code for _ in range(6)] == [*[200] * 4, 429, 429]


def test_the_place_is_seen_past_as_many_proxies_as_are_trusted(ada, settings):
    settings.TRUSTED_PROXIES = 1
    for number in range(5):  # the client makes up the first, the proxy appends the second
        sign_in("ada", "wrong", **{"X-Forwarded-For": f"10.0.0.{number}, 198.51.100.7"})
    response = sign_in("ada", PASSWORD, **{"X-Forwarded-For": "10.9.9.9, 198.51.100.7"})
    assert response.status_code == 429
    response = sign_in("ada", PASSWORD, **{"X-Forwarded-For": "198.51.100.7, 198.51.100.8"})
    assert response.status_code == 302


def test_what_was_typed_as_a_password_is_not_kept(ada):
    sign_in("ada", "nearly-right")
    attempt = AccessAttempt.objects.get()
    assert "nearly-right" not in str(attempt.__dict__)
