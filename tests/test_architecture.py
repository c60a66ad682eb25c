"""How the code is laid out: who imports whom, what is a tenant model, how long files are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from organizations.models import ApiKey, Membership, Organization
from organizations.tenancy import TenantForeignKey, TenantManager, TenantModel

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["inventory_levels", "inventory_project", "organizations"]
FILES = [
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]
MAX_LINES = 300


def modules_imported_by(path: Path) -> Iterator[str]:
    """Every module and every name that a file imports, wherever in the file, in full."""
    package = path.parent.parts
    for node in ast.walk(ast.parse((ROOT / path).read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, [start, node.module or ""]))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imports(path: Path, *modules: str) -> list[str]:
    """What a file imports of these modules or from inside them."""
    return [
        name
        for name in modules_imported_by(path)
        if any(name == module or name.startswith(f"{module}.") for module in modules)
    ]


def below(folder: str) -> list[Path]:
    return [path for path in FILES if path.is_relative_to(folder)]


def test_the_rules_below_look_at_real_files():
    assert len(FILES) > 20
    assert Path("inventory_levels/services.py") in FILES
    assert imports(Path("inventory_levels/storage.py"), "organizations.tenancy")
    assert imports(Path("inventory_levels/api/views.py"), "rest_framework")


API = "inventory_levels/api"
IN_THE_DOMAIN = [path for path in below("inventory_levels") if not path.is_relative_to(API)]
MAY_SEE_REST_FRAMEWORK = {
    Path("organizations/authentication.py"),
    Path("organizations/permissions.py"),
    Path("organizations/rate_limits.py"),
    Path("inventory_project/errors.py"),
    Path("inventory_project/rest.py"),
    Path("inventory_project/urls.py"),
}


@pytest.mark.parametrize("path", IN_THE_DOMAIN, ids=str)
def test_nothing_of_the_domain_outside_api_sees_a_request(path):
    assert imports(path, "rest_framework", "drf_spectacular", "inventory_levels.api") == []
    if "admin" not in path.parts:
        assert imports(path, "django.http", "django.views", "django.shortcuts") == []


@pytest.mark.parametrize("path", [*below("organizations"), *below("inventory_project")], ids=str)
def test_only_who_decides_on_callers_and_the_shell_see_rest_framework(path):
    if path not in MAY_SEE_REST_FRAMEWORK:
        assert imports(path, "rest_framework", "drf_spectacular") == []


@pytest.mark.parametrize("path", below("organizations"), ids=str)
def test_organizations_know_nothing_of_inventory(path):
    assert imports(path, "inventory_levels") == []


@pytest.mark.parametrize("path", [*below("organizations"), *below("inventory_levels")], ids=str)
def test_no_package_imports_the_shell_around_it(path):
    assert imports(path, "inventory_project") == []


LAYERS = [
    # Each may import those before it, and never one after it.
    [
        "quantities",
        "refusals",
        "planning",
        "rounding",
        "planning_in_words",
        "remarks",
        "classification",
        "picture",
        "distance",
        "plots",
    ],
    ["models"],
    ["results", "storage", "decisions", "findings"],
    ["level_batch", "catalog_batch", "staged_plan", "existing"],
    ["location_batch"],
    ["staging"],
    ["staged_writes", "explanations"],
    ["imports", "catalog"],
    ["services", "files", "previews"],
    ["replenishment", "abc_classes", "adjustments", "checkup", "conditions"],
    ["comparison", "pareto"],
    ["api", "admin", "management"],
]


@pytest.mark.parametrize("path", below("inventory_levels"), ids=str)
def test_inside_the_domain_imports_point_downwards(path):
    part = path.parts[1].removesuffix(".py")
    above: list[str] = []
    for number, layer in enumerate(LAYERS):
        if part in layer:
            above = [name for later in LAYERS[number + 1 :] for name in later]
    assert imports(path, *(f"inventory_levels.{name}" for name in above)) == []


def test_arithmetic_knows_no_django_but_its_validation_error():
    for name in LAYERS[0]:
        path = Path(f"inventory_levels/{name}.py")
        if path in FILES:
            seen = imports(path, "django")
            assert all(module.startswith("django.core.exceptions") for module in seen), path


@pytest.mark.parametrize("path", FILES, ids=str)
def test_no_file_is_longer_than_a_reader_takes_in(path):
    assert len((ROOT / path).read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_module_says_in_a_sentence_or_two_what_it_holds(path):
    text = (ROOT / path).read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text))


# Before there is a scope these say which organization a request is for.
LOOKED_UP_FIRST = {ApiKey, Membership}
OURS = [model for model in apps.get_models() if model._meta.app_label in PACKAGES]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_model_with_an_organization_is_a_tenant_model(model):
    names = {field.name for field in model._meta.get_fields(include_parents=True)}
    refers = any(
        field.is_relation and field.many_to_one and field.related_model is Organization
        for field in model._meta.get_fields()
    )
    if model not in LOOKED_UP_FIRST and (refers or "organization" in names):
        assert issubclass(model, TenantModel)
    if issubclass(model, TenantModel):
        assert isinstance(model._meta.default_manager, TenantManager)
        assert model._meta.get_field("organization").null is False


def test_every_model_of_the_domain_has_an_organization():
    for model in apps.get_app_config("inventory_levels").get_models():
        assert issubclass(model, TenantModel), model


@pytest.mark.parametrize(
    "model", [model for model in OURS if issubclass(model, TenantModel)], ids=lambda m: m.__name__
)
def test_tenant_tables_are_ready_to_be_distributed_by_organization(model):
    """organization_id is in every unique constraint and in every key between tenant tables."""
    for constraint in model._meta.constraints:
        if hasattr(constraint, "fields"):
            assert "organization" in constraint.fields, constraint.name
    held = {getattr(constraint, "field", None) for constraint in model._meta.constraints}
    for field in model._meta.concrete_fields:
        assert not field.unique or field.primary_key, field
        if field.is_relation and issubclass(field.related_model, TenantModel):
            assert isinstance(field, TenantForeignKey), field
            assert field.name in held, f"{field} lacks its composite foreign key"


def test_the_migrations_say_what_the_models_say(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_no_file_of_the_project_is_written_for_one_machine():
    for path in FILES:
        text = (ROOT / path).read_text()
        assert str(ROOT) not in text, path
        assert "/home/" not in text, path
