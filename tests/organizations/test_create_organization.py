"""create_organization: prints the id of a new organization, alone on stdout."""

import re

import pytest
from django.core.management import CommandError, call_command

from organizations.models import Organization


def test_it_creates_an_active_organization_and_prints_its_id(db, capsys):
    call_command("create_organization", name="Acme")
    organization = Organization.objects.get()
    assert (organization.name, organization.is_active) == ("Acme", True)
    assert re.fullmatch(r"org_[0-9a-z]{26}", organization.public_id)
    out, err = capsys.readouterr()
    assert out == f"{organization.public_id}\n"
    assert "Created the organization 'Acme'." in err
    assert f"create_api_key --organization {organization.public_id} " in err


def test_two_organizations_may_have_the_same_name(db, capsys):
    call_command("create_organization", name="Acme")
    call_command("create_organization", name="Acme")
    ids = capsys.readouterr().out.split()
    assert len(set(ids)) == 2
    assert {one.public_id for one in Organization.objects.filter(name="Acme")} == set(ids)


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(db, capsys):
    call_command("create_organization", name="Acme", dry_run=True)
    assert capsys.readouterr() == ("", "Dry run: would create the organization 'Acme'.\n")
    assert not Organization.objects.exists()


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a\x00b", "a\udc80"])
def test_an_impossible_name_is_refused(db, capsys, name, dry_run):
    with pytest.raises(CommandError, match=r"^The name must "):
        call_command("create_organization", name=name, dry_run=dry_run)
    assert capsys.readouterr() == ("", "")
    assert not Organization.objects.exists()


def test_from_the_shell_a_script_can_capture_the_id(shell):
    made = shell("create_organization", "--name", "Zoë's shop")
    assert made.returncode == 0
    assert re.fullmatch(r"org_[0-9a-z]{26}\n", made.stdout)
    known = shell("set_organization", "--organization", made.stdout.strip(), "--active", "yes")
    assert known.stdout == f"Zoë's shop ({made.stdout.strip()}) is active already.\n"


def test_from_the_shell_an_impossible_name_is_one_sentence_and_exit_code_1(shell):
    run = shell("create_organization", "--name", "a\udcff")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "CommandError: The name must not hold control characters or broken Unicode.\n"
    )
