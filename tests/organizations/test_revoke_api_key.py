"""revoke_api_key: ends a key, named by its id or by what its text begins with."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from organizations.models import ApiKey, Organization
from tests.conftest import Api
from tests.factories import OrganizationFactory


@pytest.fixture
def organization(db) -> Organization:
    return OrganizationFactory(name="Acme")


@pytest.fixture
def text(organization) -> str:
    _, text = ApiKey.objects.issue(organization=organization, name="ERP", scopes=["*"])
    return text


@pytest.fixture
def key(text) -> ApiKey:
    return ApiKey.objects.get(prefix=text[:12])


@pytest.mark.parametrize("naming", ["public_id", "prefix"])
def test_it_revokes_the_key_with_this_id_or_beginning(key, capsys, naming):
    other, _ = ApiKey.objects.issue(organization=key.organization, name="CRM", scopes=["*"])
    before = timezone.now()
    call_command("revoke_api_key", getattr(key, naming))
    key.refresh_from_db()
    other.refresh_from_db()
    assert before <= key.revoked_at <= timezone.now()
    assert other.revoked_at is None
    assert capsys.readouterr() == (
        f"Revoked {key.public_id} (ERP, {key.prefix}..., of Acme).\n",
        "",
    )


def test_a_revoked_key_is_refused_by_the_api(key, text):
    assert Api(text).get("/inventory-levels").status_code == 200
    call_command("revoke_api_key", key.public_id)
    answer = Api(text).get("/inventory-levels")
    assert (answer.status_code, answer.json()["code"]) == (401, "REVOKED_API_KEY")


def test_revoking_again_says_so_and_keeps_the_first_time(key, capsys):
    key.revoke()
    call_command("revoke_api_key", key.prefix)
    assert capsys.readouterr().out == (
        f"{key.public_id} (ERP, {key.prefix}..., of Acme) was revoked already, "
        f"at {key.revoked_at.isoformat()}.\n"
    )
    assert ApiKey.objects.get().revoked_at == key.revoked_at


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(key, capsys):
    call_command("revoke_api_key", key.public_id, dry_run=True)
    assert capsys.readouterr().out == (
        f"Dry run: would revoke {key.public_id} (ERP, {key.prefix}..., of Acme).\n"
    )
    assert ApiKey.objects.get().revoked_at is None


def test_with_several_organizations_the_key_says_which(key):
    OrganizationFactory.create_batch(2)
    call_command("revoke_api_key", key.public_id)
    assert ApiKey.objects.get().revoked_at is not None


def test_a_key_of_another_organization_than_the_named_one_is_refused(key):
    globex = OrganizationFactory()
    with pytest.raises(CommandError, match=f"^There is no key '{key.public_id}';"):
        call_command("revoke_api_key", key.public_id, organization=globex.public_id)
    assert ApiKey.objects.get().revoked_at is None
    call_command("revoke_api_key", key.public_id, organization=key.organization.public_id)
    assert ApiKey.objects.get().revoked_at is not None


@pytest.mark.parametrize("unknown", ["key_nobody", "", "ilk_", "key_\x00", "key_\udc80", "x" * 99])
def test_an_unknown_key_is_refused(key, unknown):
    with pytest.raises(CommandError, match=r"^There is no key "):
        call_command("revoke_api_key", unknown)
    assert ApiKey.objects.get().revoked_at is None


def test_a_whole_key_is_not_repeated_in_the_answer(key, text):
    with pytest.raises(CommandError) as refused:
        call_command("revoke_api_key", text)
    assert str(refused.value) == (
        f"There is no key '{text[:12]}...'; give its id (key_...) or its first 12 characters."
    )


def test_from_the_shell_it_exits_0_when_revoked_and_1_when_unknown(shell):
    shell("create_organization", "--name", "Acme")
    text = shell("create_api_key", "--name", "ERP", "--scope", "*").stdout.strip()
    first = shell("revoke_api_key", text[:12])
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("Revoked key_")
    again = shell("revoke_api_key", text[:12])
    assert (again.returncode, again.stderr) == (0, "")
    assert "was revoked already, at 20" in again.stdout
    unknown = shell("revoke_api_key", "ilk_00000000")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("CommandError: There is no key 'ilk_00000000...';")
    assert unknown.stderr.count("\n") == 1
