"""set_organization: switches an organization on or off."""

import pytest
from django.core.management import CommandError, call_command

from organizations.models import Organization
from tests.factories import OrganizationFactory


def set_active(organization: Organization, active: str, **options: bool) -> None:
    call_command("set_organization", organization=organization.public_id, active=active, **options)


def is_active(organization: Organization) -> bool:
    return Organization.objects.get(pk=organization.pk).is_active


def test_it_switches_one_organization_off_and_on_again(db, capsys):
    acme, globex = OrganizationFactory(name="Acme"), OrganizationFactory(name="Globex")
    set_active(acme, "no")
    assert (is_active(acme), is_active(globex)) == (False, True)
    assert capsys.readouterr() == (f"Acme ({acme.public_id}) is inactive now.\n", "")
    set_active(acme, "YES")
    assert is_active(acme)
    assert capsys.readouterr().out == f"Acme ({acme.public_id}) is active now.\n"


def test_switching_twice_is_fine(db, capsys):
    acme = OrganizationFactory(name="Acme", is_active=False)
    set_active(acme, "no")
    assert not is_active(acme)
    assert capsys.readouterr().out == f"Acme ({acme.public_id}) is inactive already.\n"


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(db, capsys):
    acme = OrganizationFactory(name="Acme")
    set_active(acme, "no", dry_run=True)
    assert is_active(acme)
    assert capsys.readouterr().out == (f"Dry run: Acme ({acme.public_id}) would become inactive.\n")


def test_an_inactive_organizations_key_is_refused_by_the_api(api, acme):
    assert api.get("/inventory-levels").status_code == 200
    set_active(acme.organization, "no")
    answer = api.get("/inventory-levels")
    assert (answer.status_code, answer.json()["code"]) == (403, "INACTIVE_ORGANIZATION")


@pytest.mark.parametrize("active", ["maybe", "", "true", "0"])
def test_anything_but_yes_and_no_is_refused(db, active):
    acme = OrganizationFactory()
    with pytest.raises(CommandError) as refused:
        set_active(acme, active)
    assert str(refused.value) == f"--active must be yes or no, not {active!r}."
    assert is_active(acme)


def test_from_the_shell_the_only_organization_need_not_be_named(shell):
    made = shell("create_organization", "--name", "Acme").stdout.strip()
    off = shell("set_organization", "--active", "no")
    assert (off.returncode, off.stdout) == (0, f"Acme ({made}) is inactive now.\n")
    bad = shell("set_organization", "--active", "perhaps")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr == "CommandError: --active must be yes or no, not 'perhaps'.\n"
