"""load_demo: the demo organization, loaded once, and how to use it, printed each time."""

import json
import os
import re
import shlex
import stat
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from inventory_levels import demo as data
from inventory_levels.models import (
    QUANTITY_ORDER,
    InventoryLevel,
    LevelChange,
    Location,
    ProductMaster,
)
from organizations.models import ApiKey, Organization
from organizations.tenancy import organization_scope
from tests.conftest import Api
from tests.factories import OrganizationFactory


@pytest.fixture
def key_file(tmp_path) -> Path:
    return tmp_path / "var" / "demo_api_key"


@pytest.fixture
def load(db, key_file, capsys):
    """Runs the command on a key file and returns what it prints."""

    def load(**options: Any) -> str:
        call_command("load_demo", **{"key_file": str(key_file), **options})
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return load


@pytest.fixture
def demo(load) -> Organization:
    """The demo organization, loaded and in scope."""
    load()
    organization = Organization.objects.get()
    with organization_scope(organization):
        yield organization


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def password_file(key_file: Path) -> Path:
    return key_file.with_name("demo_admin_password")


def test_it_loads_the_products_and_places_of_the_published_example(demo):
    assert (demo.public_id, demo.name) == ("org_demo", "Demo")
    product = ProductMaster.objects.get(public_id="prod_123")
    assert (product.global_sku, product.status) == ("SKU-123", "Active")
    main = Location.objects.get(public_id="loc_123")
    assert (main.type, main.parent) == ("WAREHOUSE", None)
    assert Location.objects.get(public_id="loc_456").type == "SUPPLIER"
    bin_ = Location.objects.get(public_id="bin_123")
    assert (bin_.type, bin_.parent) == ("BIN", main)
    assert bin_.is_below(main)


def test_the_published_level_has_its_id_and_can_be_patched(demo, key_file, example):
    api = Api(key_file.read_text().strip())
    level = api.get("/inventory-levels/level_123").json()
    assert {field: level[field] for field in example} == example
    answer = api.patch("/inventory-levels/level_123", {"reorderQuantity": 150})
    assert (answer.status_code, answer.json()["reorderQuantity"]) == (200, 150)


def test_its_history_follows_it_under_that_id(demo):
    change = LevelChange.objects.get(level_public_id="level_123")
    assert (change.action, change.version, change.source) == ("CREATE", 1, "command")
    assert (change.actor_type, change.actor_name) == ("command", "load_demo")
    assert change.changes["reorderQuantity"] == {"old": None, "new": 100}
    assert change.changes["preferredBinLocationId"] == {"old": None, "new": "bin_123"}


def test_every_level_has_a_history_and_no_other_id_is_made_up(demo):
    ids = set(InventoryLevel.objects.values_list("public_id", flat=True))
    assert ids == set(LevelChange.objects.values_list("level_public_id", flat=True))
    assert all(re.fullmatch(r"level_[0-9a-z]{26}", level) for level in ids - {"level_123"})


def test_there_is_enough_to_look_at(demo):
    assert ProductMaster.objects.count() == 119
    assert InventoryLevel.objects.count() == 317
    types = Counter(Location.objects.values_list("type", flat=True))
    assert types == {"WAREHOUSE": 2, "STORE": 3, "SUPPLIER": 2, "BIN": 6, "OTHER": 1}
    levels = InventoryLevel.objects.all()
    for field, variety in [("status", 6), ("abc_class", 4), ("expected_lead_time_days", 9)]:
        assert len(set(levels.values_list(field, flat=True))) == variety, field
    for field in ("min_quantity", "reorder_quantity", "max_quantity", "forecast_quantity"):
        missing = levels.filter(**{field: None}).count()
        assert 0 < missing < 40, field
    assert levels.filter(preferred_bin_location__isnull=False).count() > 40
    assert ProductMaster.objects.filter(unit_cost=None).count() == 4


def test_it_is_the_same_at_every_load(db):
    def loaded() -> list[tuple[Any, ...]]:
        with organization_scope(OrganizationFactory()):
            data.load()
            rows = InventoryLevel.objects.order_by("product__public_id", "location__public_id")
            settings = ("preferred_bin_location__public_id", *QUANTITY_ORDER, "forecast_quantity")
            return list(
                rows.values_list(
                    "product__public_id", "product__product_name", "location__public_id", *settings
                )
            )

    first = loaded()
    assert len(first) == 317
    assert loaded() == first


def test_loading_takes_few_statements_for_its_levels(db, django_assert_max_num_queries):
    # A handful for each of 133 products and locations; the 317 levels are one batch.
    with organization_scope(OrganizationFactory()), django_assert_max_num_queries(600):
        data.load()


def test_a_second_run_loads_nothing_twice_and_says_so(load, key_file):
    first = load()
    assert first.startswith("Loaded the demo: 14 locations, 119 products, 317 levels.\n")
    kept = key_file.read_text()
    second = load()
    assert second.startswith("The demo was loaded before; nothing was loaded twice.\n")
    # All the rest is printed again.
    assert second.partition("\n")[2] == first.partition("\n")[2]
    assert key_file.read_text() == kept
    assert (Organization.objects.count(), ApiKey.objects.count()) == (1, 1)
    assert get_user_model().objects.count() == 1
    with organization_scope(Organization.objects.get()):
        assert (InventoryLevel.objects.count(), LevelChange.objects.count()) == (317, 317)


def test_a_second_run_leaves_what_people_changed(demo, load):
    InventoryLevel.objects.filter(public_id="level_123").update(min_quantity=7)
    Organization.objects.update(name="Our tryout")
    InventoryLevel.objects.exclude(public_id="level_123").delete()
    load()
    assert InventoryLevel.objects.get().min_quantity == 7
    assert Organization.objects.get().name == "Our tryout"


def test_other_organizations_stay_as_they_are(acme, load):
    load()
    with organization_scope(acme.organization):
        assert [product.public_id for product in ProductMaster.objects.all()] == ["prod_123"]
        assert not InventoryLevel.objects.exists()


def test_it_prints_the_address_the_login_the_key_and_a_line_to_paste(load, key_file, monkeypatch):
    monkeypatch.setenv("PORT", "8123")
    lines = load().splitlines()
    key = key_file.read_text().removesuffix("\n")
    password = password_file(key_file).read_text().removesuffix("\n")
    assert "Address:  http://127.0.0.1:8123" in lines
    assert f"Admin:    http://127.0.0.1:8123/admin/  user admin, password {password}" in lines
    assert f"API key:  {key}" in lines
    (curl,) = (line for line in lines if line.startswith("curl"))
    assert shlex.split(curl)[:-1] == [
        *("curl", "-X", "POST", "http://127.0.0.1:8123/api/inventory-levels"),
        *("-H", f"Authorization: Bearer {key}"),
        *("-H", "Content-Type: application/json"),
        "-d",
    ]
    body = json.loads(shlex.split(curl)[-1])
    assert body == {
        "productMasterId": "prod_123",
        "locationId": "loc_123",
        "minQuantity": 50,
        "reorderQuantity": 100,
        "maxQuantity": 500,
    }
    answer = Api(key).post("/inventory-levels", body)
    assert (answer.status_code, answer.json()["id"]) == (200, "level_123")


def test_the_port_is_8000_unless_the_environment_says_otherwise(load, monkeypatch):
    monkeypatch.delenv("PORT", raising=False)
    assert "Address:  http://127.0.0.1:8000\n" in load()


def test_the_key_may_do_everything_with_the_demos_inventory(demo):
    key = ApiKey.objects.get()
    assert (key.organization, key.name, key.scopes) == (demo, "Demo key", ["inventory:*"])


def test_the_admin_signs_in_with_the_password_in_the_file(demo, key_file, client):
    password = password_file(key_file).read_text().strip()
    assert len(password) >= 16
    client.post("/admin/login/", {"username": "admin", "password": password})
    assert client.get("/admin/").status_code == 200
    assert get_user_model().objects.get().is_superuser


def test_passwords_differ_between_installations(load, tmp_path):
    load()
    get_user_model().objects.all().delete()
    load(key_file=str(tmp_path / "elsewhere" / "key"))
    here, there = (tmp_path / folder / "demo_admin_password" for folder in ("var", "elsewhere"))
    assert here.read_text() != there.read_text()


def test_both_files_are_created_for_their_owner_alone(load, key_file, monkeypatch):
    def forbidden(*args: Any, **options: Any) -> None:
        raise AssertionError("the mode comes with the file, not after it")

    for function in ("os.chmod", "os.fchmod", "pathlib.Path.chmod"):
        monkeypatch.setattr(function, forbidden)
    old = os.umask(0)
    try:
        load()
    finally:
        os.umask(old)
    assert mode(key_file) == mode(password_file(key_file)) == 0o600
    assert sorted(path.name for path in key_file.parent.iterdir()) == [
        "demo_admin_password",
        "demo_api_key",
    ]


def test_a_file_that_others_can_read_is_replaced_by_one_they_can_not(load, key_file):
    load()
    text = key_file.read_text()
    key_file.chmod(0o644)
    load()
    assert (mode(key_file), key_file.read_text()) == (0o600, text)


def issued_anew(load: Any, key_file: Path) -> bool:
    """Whether another run issues a new key, which then works and is the one that is kept."""
    before = ApiKey.objects.count()
    printed = load()
    text = key_file.read_text().removesuffix("\n")
    assert f"API key:  {text}\n" in printed
    assert mode(key_file) == 0o600
    assert Api(text).get("/inventory-levels/level_123").status_code == 200
    return ApiKey.objects.count() == before + 1


def test_a_new_key_is_issued_where_the_file_is_missing(load, key_file):
    load()
    key_file.unlink()
    assert issued_anew(load, key_file)
    assert not issued_anew(load, key_file)


@pytest.mark.parametrize("text", ["", "\n", "ilk_00000000_" + "x" * 43, "no key", "\x00\udcff"])
def test_a_new_key_is_issued_where_the_file_has_none_of_this_database(load, key_file, text):
    load()
    key_file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert issued_anew(load, key_file)


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_a_new_key_is_issued_where_the_kept_one_ended(load, key_file, field):
    load()
    ApiKey.objects.update(**{field: "2020-01-01T00:00:00Z"})
    assert issued_anew(load, key_file)


def test_a_new_key_is_issued_where_the_kept_one_is_another_organizations(load, key_file):
    load()
    ApiKey.objects.update(organization=OrganizationFactory())
    assert issued_anew(load, key_file)


def test_a_file_that_holds_something_else_is_not_replaced(load, key_file):
    key_file.parent.mkdir()
    key_file.write_text("a letter\n" * 50)
    with pytest.raises(CommandError, match="holds something else than a key or password"):
        load()
    assert key_file.read_text() == "a letter\n" * 50
    assert not Organization.objects.exists()


def test_where_the_file_can_not_be_written_nothing_is_loaded(load, key_file):
    key_file.parent.write_text("not a folder")
    with pytest.raises(CommandError, match=re.escape(str(key_file.parent))):
        load()
    assert not Organization.objects.exists()
    assert not get_user_model().objects.exists()


def test_a_password_that_somebody_changed_is_neither_printed_nor_undone(load, key_file):
    load()
    file = password_file(key_file)
    old = file.read_text().strip()
    admin = get_user_model().objects.get()
    admin.set_password("their own")
    admin.save()
    printed = load()
    assert old not in printed
    assert "user admin, whose password is not kept here (manage.py changepassword admin" in printed
    assert get_user_model().objects.get().check_password("their own")


def test_an_admin_who_was_there_before_keeps_the_password(load, key_file):
    get_user_model().objects.create_superuser("admin", password="their own")
    assert "whose password is not kept here" in load()
    assert get_user_model().objects.get().check_password("their own")
    assert not password_file(key_file).exists()


def test_a_second_database_gets_the_same_password_so_that_both_know_it(load, key_file):
    load()
    kept = password_file(key_file).read_text()
    get_user_model().objects.all().delete()
    assert f"password {kept}" in load()
    assert password_file(key_file).read_text() == kept
    assert get_user_model().objects.get().check_password(kept.strip())


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(load, key_file):
    assert load(dry_run=True) == (
        "Dry run: would load 14 locations, 119 products, 317 levels, "
        f"and issue a key into {key_file}.\n"
    )
    for model in (Organization, ApiKey, get_user_model()):
        assert not model.objects.exists()
    assert not key_file.parent.exists()


def test_a_dry_run_on_a_loaded_demo_prints_no_secret_either(load):
    load()
    assert load(dry_run=True) == ("Dry run: would load nothing, as the demo was loaded before.\n")


def test_from_the_shell_it_takes_seconds_and_prints_the_same_the_second_time(shell, tmp_path):
    key_file = tmp_path / "key"
    began = time.monotonic()
    first = shell("load_demo", "--key-file", str(key_file), PORT="8123")
    assert time.monotonic() - began < 15  # about 1; the margin is for a busy machine
    assert (first.returncode, first.stderr) == (0, "")
    assert mode(key_file) == 0o600
    key = key_file.read_text().strip()
    assert "http://127.0.0.1:8123/api/inventory-levels -H" in first.stdout
    assert f"API key:  {key}\n" in first.stdout
    second = shell("load_demo", "--key-file", str(key_file), PORT="8123")
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout.splitlines()[0].endswith("nothing was loaded twice.")
    assert second.stdout.splitlines()[1:] == first.stdout.splitlines()[1:]


def test_from_the_shell_an_impossible_key_file_is_one_sentence_and_exit_code_1(shell, tmp_path):
    run = shell("load_demo", "--key-file", str(tmp_path))
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"CommandError: Is a directory: {tmp_path}\n"


def test_two_first_runs_at_once_load_it_once(shell, tmp_path):
    with ThreadPoolExecutor() as pool:
        arguments = ("load_demo", "--key-file", str(tmp_path / "key"))
        runs = [pool.submit(shell, *arguments) for _ in range(2)]
        printed = sorted((run.result().stdout for run in runs), reverse=True)
    assert [text.split(";")[0].split(":")[0] for text in printed] == [
        "The demo was loaded before",
        "Loaded the demo",
    ]
    assert printed[0].splitlines()[1:] == printed[1].splitlines()[1:]
