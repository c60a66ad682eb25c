"""create_api_key: prints a new key, once and alone on stdout."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from organizations.models import ApiKey
from tests.conftest import Api
from tests.factories import OrganizationFactory

KEY = r"ilk_[0-9a-z]{8}_[A-Za-z0-9_-]{43}"


def create(*scopes: str, **options: Any) -> None:
    options = {"name": "ERP", "scope": list(scopes) or ["inventory:write"]} | options
    call_command("create_api_key", **options)


def test_it_prints_a_key_that_works_and_keeps_only_its_digest(acme, capsys):
    create(organization=acme.organization.public_id)
    out, err = capsys.readouterr()
    text = out.removesuffix("\n")
    assert re.fullmatch(KEY, text)
    key = ApiKey.objects.get()
    assert (key.organization, key.name, key.scopes) == (
        acme.organization,
        "ERP",
        ["inventory:write"],
    )
    assert (key.expires_at, key.allowed_ips, key.revoked_at) == (None, [], None)
    assert key.digest == ApiKey.digest_of(text)
    assert (key.prefix, key.last_characters) == (text[:12], text[-4:])
    assert err == (
        "Created the key 'ERP' for Acme (inventory:write). "
        f"It is not shown again; revoke_api_key {key.public_id} ends it.\n"
    )
    answer = Api(text).post(
        "/inventory-levels", {"productMasterId": "prod_123", "locationId": "loc_123"}
    )
    assert answer.status_code == 201


def test_a_key_that_only_reads_does_not_write(acme, capsys):
    create("inventory.read")
    reader = Api(capsys.readouterr().out.strip())
    assert reader.get("/inventory-levels").status_code == 200
    answer = reader.post(
        "/inventory-levels", {"productMasterId": "prod_123", "locationId": "loc_123"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "INSUFFICIENT_SCOPE")


def test_scopes_repeat_and_a_dot_is_understood(db):
    OrganizationFactory()
    create("inventory.write", "inventory:read", "inventory:write")
    assert ApiKey.objects.get().scopes == ["inventory:read", "inventory:write"]


@pytest.mark.parametrize("scope", ["inventory:*", "inventory.*", "*"])
def test_the_wide_scopes_are_understood(db, scope):
    OrganizationFactory()
    create(scope)
    assert ApiKey.objects.get().scopes == [scope.replace(".", ":")]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2999-01-31T18:00:00Z", datetime(2999, 1, 31, 18, tzinfo=UTC)),
        ("2999-01-31t18:00:00z", datetime(2999, 1, 31, 18, tzinfo=UTC)),
        ("2999-01-31T18:00:00+02:00", datetime(2999, 1, 31, 16, tzinfo=UTC)),
        ("2999-01-31T18:00", datetime(2999, 1, 31, 18, tzinfo=UTC)),
        ("2999-01-31 18:00:00.250000", datetime(2999, 1, 31, 18, 0, 0, 250_000, tzinfo=UTC)),
        ("2999-01-31", datetime(2999, 1, 31, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_in_utc_unless_it_says_otherwise(db, text, time):
    OrganizationFactory()
    create(expires_at=text)
    assert ApiKey.objects.get().expires_at == time


@pytest.mark.parametrize("text", ["2020-01-01T00:00:00Z", "2020-01-01"])
def test_an_expiry_in_the_past_is_refused(db, text):
    OrganizationFactory()
    with pytest.raises(CommandError) as refused:
        create(expires_at=text)
    assert str(refused.value) == f"--expires-at must be in the future, and {text} is not."
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2999-13-01", "2999-01-01T25:00", "9999-12-31T23:59-10:00", "\udc80"]
)
def test_an_expiry_that_is_no_time_is_refused(db, text):
    OrganizationFactory()
    with pytest.raises(CommandError, match=r"^--expires-at must be a time such as 2030-01-31T18"):
        create(expires_at=text)
    assert not ApiKey.objects.exists()


def test_ip_ranges_are_kept_and_restrict_the_key(acme, capsys):
    create(allow_ip=["10.1.2.3/8", "2001:db8::/32"])
    assert ApiKey.objects.get().allowed_ips == ["10.0.0.0/8", "2001:db8::/32"]
    answer = Api(capsys.readouterr().out.strip()).get("/inventory-levels")  # from 127.0.0.1
    assert (answer.status_code, answer.json()["code"]) == (403, "IP_RESTRICTION")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"scope": ["inventory:write", "inventory:all"]},
            "Unknown scope 'inventory:all'; "
            "the scopes are inventory:read, inventory:write, inventory:*, *.",
        ),
        (
            {"scope": []},
            "--scope is needed, one of inventory:read, inventory:write, inventory:*, *.",
        ),
        ({"allow_ip": ["10.0.0.0/99"]}, "'10.0.0.0/99' is neither an IP address nor a range."),
        ({"name": ""}, "The name must not be empty."),
        ({"name": "x" * 256}, "The name must have at most 255 characters."),
        (
            {"name": "a\x00b"},
            "The name must not hold control characters or broken Unicode.",
        ),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_can_not_be_is_refused_in_a_dry_run_too(db, capsys, options, sentence, dry_run):
    OrganizationFactory()
    with pytest.raises(CommandError) as refused:
        create(**options, dry_run=dry_run)
    assert str(refused.value) == sentence
    assert capsys.readouterr() == ("", "")
    assert not ApiKey.objects.exists()


def test_a_dry_run_says_what_it_would_do_writes_nothing_and_prints_no_key(db, capsys):
    OrganizationFactory(name="Acme")
    create("inventory:read", expires_at="2999-01-31", allow_ip=["10.0.0.0/8"], dry_run=True)
    assert capsys.readouterr() == (
        "",
        "Dry run: would create the key 'ERP' for Acme "
        "(inventory:read, until 2999-01-31T00:00:00+00:00, from 10.0.0.0/8).\n",
    )
    assert not ApiKey.objects.exists()


def test_a_key_for_an_inactive_organization_comes_with_a_warning(db, capsys):
    OrganizationFactory(is_active=False)
    create()
    assert "The organization is inactive" in capsys.readouterr().err


def test_among_several_organizations_one_has_to_be_named(db):
    OrganizationFactory.create_batch(2)
    with pytest.raises(CommandError, match="There are several organizations"):
        create()
    assert not ApiKey.objects.exists()


def test_from_the_shell_a_script_can_capture_the_key(shell):
    acme = shell("create_organization", "--name", "Acme").stdout.strip()
    shell("create_organization", "--name", "Globex")
    ours = ("create_api_key", "--organization", acme, "--name", "ERP")
    made = shell(*ours, "--scope", "inventory.read", "--scope", "inventory:write")
    assert made.returncode == 0
    assert re.fullmatch(KEY + "\n", made.stdout)
    assert made.stderr.startswith(
        "Created the key 'ERP' for Acme (inventory:read, inventory:write)."
    )
    for arguments, sentence in [
        (ours, "--scope is needed, one of "),
        ((*ours, "--scope", "everything"), "Unknown scope 'everything'; "),
        ((*ours, "--scope", "*", "--expires-at", "2020-01-01"), "--expires-at must be in the "),
        ((*ours, "--scope", "*", "--allow-ip", "here"), "'here' is neither an IP address "),
        (("create_api_key", "--name", "ERP", "--scope", "*"), "There are several organizations"),
    ]:
        bad = shell(*arguments)
        assert (bad.returncode, bad.stdout) == (1, "")
        assert bad.stderr.startswith(f"CommandError: {sentence}")
        assert bad.stderr.count("\n") == 1
