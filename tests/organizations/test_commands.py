"""What every command shares: for which organization, dry runs, refusals in one sentence."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError

from inventory_levels.models import ProductMaster
from inventory_levels.refusals import NotFound
from organizations.commands import OrganizationCommand, checked_name, one_transaction
from organizations.models import Organization
from organizations.tenancy import NoOrganization, current_organization
from tests.factories import OrganizationFactory, ProductFactory


class Recorder(OrganizationCommand):
    """Notes what it was run with, then raises ``error`` if there is one."""

    writes = True
    refusals = (NotFound,)

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__()
        self.error = error
        self.got: dict[str, Any] = {}

    def run(self, **options: Any) -> None:
        self.got = {**options, "in scope": current_organization()}
        if self.error is not None:
            raise self.error


def refusal(*arguments: str, error: BaseException | None = None) -> str:
    with pytest.raises(CommandError) as refused:
        call_command(Recorder(error), *arguments)
    return str(refused.value)


def test_the_only_organization_is_taken(db):
    acme = OrganizationFactory()
    command = Recorder()
    call_command(command)
    assert command.got == {"organization": acme, "dry_run": False, "in scope": acme}


def test_an_organization_is_named_by_its_id(db):
    OrganizationFactory()
    globex = OrganizationFactory()
    command = Recorder()
    call_command(command, organization=globex.public_id, dry_run=True)
    assert command.got == {"organization": globex, "dry_run": True, "in scope": globex}


def test_only_rows_of_that_organization_are_in_scope(db):
    globex = OrganizationFactory()
    ProductFactory(organization=OrganizationFactory())
    ours = ProductFactory(organization=globex)
    seen = []

    class Reader(OrganizationCommand):
        def run(self, *, organization: Organization) -> None:
            seen.extend(ProductMaster.objects.all())

    call_command(Reader(), organization=globex.public_id)
    assert seen == [ours]


def test_the_scope_is_closed_again(db):
    OrganizationFactory()
    call_command(Recorder())
    with pytest.raises(NoOrganization):
        current_organization()


def test_without_any_organization_the_command_says_how_to_make_one(db):
    assert refusal() == "There is no organization yet; create_organization makes one."


def test_among_several_organizations_one_has_to_be_named(db):
    acme, globex = OrganizationFactory(name="Acme"), OrganizationFactory(name="Globex")
    assert refusal() == (
        "There are several organizations, so name one with --organization: "
        f"{acme.public_id} (Acme), {globex.public_id} (Globex)."
    )


def test_a_long_list_of_organizations_is_cut(db):
    made = OrganizationFactory.create_batch(6)
    sentence = refusal()
    assert f"{made[4].public_id} ({made[4].name}) and more." in sentence
    assert made[5].public_id not in sentence


@pytest.mark.parametrize("unknown", ["org_nobody", "", "org\x00", "org\udc80", "x" * 65])
def test_an_unknown_organization_is_refused_even_if_there_is_only_one(db, unknown):
    OrganizationFactory()
    assert refusal("--organization", unknown) == (
        f"There is no organization with the id {unknown!r}."
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValidationError("Unknown scope."), "Unknown scope."),
        (ValidationError({"name": ["Too long.", "Too odd."]}), "Too long. Too odd."),
        (OperationalError("no such table\nLINE 1"), "The database refused this: no such table"),
        (FileNotFoundError(2, "No such file", "levels.csv"), "No such file: levels.csv"),
        (NotFound("Product or location not found"), "Product or location not found"),
    ],
)
def test_what_is_refused_comes_as_one_sentence(db, error, sentence):
    OrganizationFactory()
    assert refusal(error=error) == sentence


def test_ctrl_c_is_one_sentence_that_promises_nothing(db):
    OrganizationFactory()
    sentence = "Interrupted before it could say what it had done."
    assert refusal(error=KeyboardInterrupt()) == sentence


def test_a_bug_is_not_taken_for_a_refusal(db):
    OrganizationFactory()
    with pytest.raises(ZeroDivisionError):
        call_command(Recorder(ZeroDivisionError()))


def test_a_transaction_is_kept_unless_it_is_a_dry_run(db):
    with one_transaction(dry_run=True):
        OrganizationFactory(name="Tried")
    with one_transaction(dry_run=False):
        OrganizationFactory(name="Kept")
    assert [organization.name for organization in Organization.objects.all()] == ["Kept"]


def test_a_dry_run_meets_the_database_as_well(db):
    OrganizationFactory(public_id="org_taken")
    with pytest.raises(DatabaseError), one_transaction(dry_run=True):
        OrganizationFactory(public_id="org_taken")


@pytest.mark.parametrize("name", ["Acme", " Müller & Söhne ", "東京", "x" * 255, "Zoë\u200d"])
def test_names_are_kept_as_they_are(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "The name must not be empty."),
        ("  ", "The name must not be empty."),
        ("x" * 256, "The name must have at most 255 characters."),
        ("a\x00b", "The name must not hold control characters or broken Unicode."),
        ("a\x1b[31m", "The name must not hold control characters or broken Unicode."),
        ("a\udc80", "The name must not hold control characters or broken Unicode."),
    ],
)
def test_names_that_are_no_text_are_refused(name, sentence):
    with pytest.raises(CommandError) as refused:
        checked_name(name)
    assert str(refused.value) == sentence


def test_from_the_shell_a_refusal_is_one_sentence_on_stderr_and_exit_code_1(shell):
    run = shell("set_organization", "--organization", "org_nobody", "--active", "no")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "CommandError: There is no organization with the id 'org_nobody'.\n"


def test_a_database_that_was_never_migrated_is_no_traceback(shell, tmp_path):
    empty = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    run = shell("set_organization", "--active", "no", DATABASE_URL=empty)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "CommandError: The database refused this: no such table: organizations_organization\n"
    )


def test_a_misspelt_option_is_refused_with_the_usage(shell):
    run = shell("set_organization", "--activ3", "no")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("usage: manage.py set_organization")
