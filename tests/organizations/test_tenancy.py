"""The tenancy that can't be forgotten: manager, scope, joins, save(), system check, views."""

from __future__ import annotations

import re
import threading
from contextlib import suppress

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.checks.registry import registry
from django.db import DatabaseError, models, transaction
from django.http import HttpResponse
from django.test.utils import isolate_apps
from django.urls import path
from rest_framework import viewsets
from rest_framework.decorators import api_view
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from inventory_project import urls
from organizations import checks
from organizations.models import ApiKey, Membership, Organization
from organizations.tenancy import (
    NoOrganization,
    TenancyMiddleware,
    TenantForeignKey,
    TenantModel,
    all_organizations,
    current_organization,
    enter_organization,
    organization_scope,
)
from tests import factories
from tests.conftest import Api, issue_key, make_acme, signed_in
from tests.organizations.test_authentication import assert_refused

pytestmark = pytest.mark.django_db

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]


@pytest.fixture
def globex():
    return make_acme().organization


def test_the_tenant_models_are_the_four_of_the_domain():
    assert set(TENANT_MODELS) >= {InventoryLevel, LevelChange, Location, ProductMaster}


# The manager.

WAYS_TO_A_ROW = {
    "all": lambda rows: rows.all(),
    "filter": lambda rows: rows.filter(pk=1),
    "exclude": lambda rows: rows.exclude(pk=1),
    "order_by": lambda rows: rows.order_by("pk"),
    "get": lambda rows: rows.get(pk=1),
    "first": lambda rows: rows.first(),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "aggregate": lambda rows: rows.aggregate(models.Max("pk")),
    "values": lambda rows: rows.values("pk"),
    "values_list": lambda rows: rows.values_list("pk"),
    "in_bulk": lambda rows: rows.in_bulk([1]),
    "iterator": lambda rows: next(rows.iterator(), None),
    "select_for_update": lambda rows: rows.select_for_update(),
    "using": lambda rows: rows.using("default"),
    "raw": lambda rows: list(rows.raw("SELECT * FROM inventory_levels_location")),
    "create": lambda rows: rows.create(),
    "get_or_create": lambda rows: rows.get_or_create(pk=1),
    "update_or_create": lambda rows: rows.update_or_create(pk=1),
    "bulk_create": lambda rows: rows.bulk_create([]),
    "bulk_update": lambda rows: rows.bulk_update([], ["organization"]),
    "update": lambda rows: rows.update(pk=1),
}


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("way", WAYS_TO_A_ROW.values(), ids=WAYS_TO_A_ROW)
def test_without_a_scope_every_way_to_a_row_raises(acme, model, way, django_assert_num_queries):
    with django_assert_num_queries(0):
        for manager in (model.objects, model._default_manager):
            with pytest.raises(NoOrganization, match=model.__name__):
                way(manager)


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_no_rows_are_nobodys_and_need_no_scope(acme, model, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert list(model.objects.none()) == []


def test_without_a_scope_related_rows_are_out_of_reach_too(acme):
    for rows in (
        acme.product.levels,
        acme.location.levels,
        acme.location.children,
        acme.bin.preferred_by_levels,
        acme.supplier.replenished_levels,
    ):
        with pytest.raises(NoOrganization):
            rows.count()
        with pytest.raises(NoOrganization):
            rows.create()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_no_tenant_model_has_a_manager_of_its_own_that_forgets_the_scope(model):
    for manager in model._meta.managers:
        with pytest.raises(NoOrganization):
            manager.all()


def test_in_a_scope_there_is_nothing_but_its_own_rows(acme, globex):
    for organization in (acme.organization, globex):
        with organization_scope(organization):
            assert current_organization() == organization
            assert {row.organization for row in Location.objects.all()} == {organization}
            assert Location.objects.count() == 3
            assert ProductMaster.objects.get(public_id="prod_123").organization == organization


def test_another_organizations_row_is_not_there_by_primary_key_nor_to_update_or_delete(
    acme, globex
):
    with organization_scope(globex):
        foreign = ProductMaster.objects.filter(pk=acme.product.pk)
        assert not foreign.exists()
        assert foreign.update(product_name="Taken") == 0
        assert foreign.delete() == (0, {})
        with pytest.raises(ProductMaster.DoesNotExist):
            ProductMaster.objects.get(pk=acme.product.pk)
    acme.product.refresh_from_db()
    assert acme.product.product_name == "Widget"


def test_related_rows_of_a_foreign_row_are_not_there_either(acme, globex):
    with organization_scope(globex):
        assert acme.location.children.count() == 0
    with organization_scope(acme.organization):
        assert acme.location.children.get() == acme.bin


def test_a_query_keeps_the_scope_in_which_it_was_made(acme, globex):
    with organization_scope(acme.organization):
        rows = ProductMaster.objects.all()
    with organization_scope(globex):
        assert [row.organization for row in rows] == [acme.organization]


# The scope.


def test_without_a_scope_there_is_no_current_organization():
    with pytest.raises(NoOrganization):
        current_organization()


def test_scopes_nest_and_the_outer_one_comes_back(acme, globex):
    with organization_scope(acme.organization):
        with organization_scope(globex):
            assert current_organization() == globex
            with organization_scope(acme.organization):
                assert current_organization() == acme.organization
            assert current_organization() == globex
        assert current_organization() == acme.organization
    with pytest.raises(NoOrganization):
        current_organization()


@pytest.mark.parametrize("scope", [organization_scope, lambda _: all_organizations()])
def test_an_exception_takes_its_scope_along(acme, globex, scope):
    with organization_scope(acme.organization):
        with pytest.raises(ZeroDivisionError), scope(globex):
            _ = 1 / 0
        assert current_organization() == acme.organization
    with pytest.raises(ZeroDivisionError), scope(globex):
        _ = 1 / 0
    with pytest.raises(NoOrganization):
        ProductMaster.objects.count()


def test_all_organizations_is_every_row_and_no_current_organization(acme, globex):
    with all_organizations():
        assert {row.organization for row in ProductMaster.objects.all()} == {
            acme.organization,
            globex,
        }
        with pytest.raises(NoOrganization):
            current_organization()
        with organization_scope(globex):
            assert ProductMaster.objects.get().organization == globex
        assert ProductMaster.objects.count() == 2
    with pytest.raises(NoOrganization):
        ProductMaster.objects.count()


def test_another_thread_does_not_inherit_the_scope(acme):
    raised = []

    def look() -> None:
        try:
            ProductMaster.objects.all()
        except NoOrganization as error:
            raised.append(error)

    with organization_scope(acme.organization):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert len(raised) == 1


@pytest.mark.parametrize("fails", [False, True])
def test_a_request_starts_without_a_scope_and_leaves_none_behind(acme, globex, fails):
    def view(request):
        with pytest.raises(NoOrganization):
            current_organization()
        enter_organization(acme.organization)
        assert current_organization() == acme.organization
        if fails:
            raise ZeroDivisionError
        return HttpResponse()

    with organization_scope(globex):  # as if a reused thread had kept one
        try:
            TenancyMiddleware(view)(None)
        except ZeroDivisionError:
            assert fails
        assert current_organization() == globex


@pytest.mark.parametrize(
    "request_",
    [
        lambda api: api.get("/products"),
        lambda api: api.get("/products/prod_none"),
        lambda api: api.post("/products", b"{"),
        lambda api: api.get("/nowhere"),
    ],
    ids=["200", "404", "400", "unknown path"],
)
def test_after_a_request_the_scope_is_closed(acme, request_):
    request_(Api(issue_key(acme.organization)))
    with pytest.raises(NoOrganization):
        current_organization()
    request_(signed_in(acme.organization))
    with pytest.raises(NoOrganization):
        current_organization()


def test_requests_of_two_organizations_in_one_thread_do_not_mix(acme, globex):
    ours, theirs = Api(issue_key(acme.organization)), Api(issue_key(globex, "inventory:read"))
    ours.patch("/products/prod_123", {"productName": "Ours"})
    names = [api.get("/products/prod_123").json()["productName"] for api in (ours, theirs) * 3]
    assert names == ["Ours", "Widget"] * 3


# Joins. get_joining_fields() is semi-public in Django, so the SQL is pinned.


def joins(rows: models.QuerySet) -> list[str]:
    """The ON clauses of a query, without the app's prefix and quotes."""
    sql = str(rows.query).replace('"', "").replace("inventory_levels_", "")
    return re.findall(r"JOIN \w+(?: \w+)? ON \((.+?)\)", sql)


def test_forward_joins_carry_the_organization(acme):
    level = "inventorylevel"
    with all_organizations():  # no WHERE would hide what a join forgets
        assert joins(
            InventoryLevel.objects.select_related(
                "product", "location", "preferred_bin_location", "replenishment_location"
            )
        ) == [
            f"{level}.product_id = productmaster.id"
            f" AND {level}.organization_id = productmaster.organization_id",
            f"{level}.location_id = location.id"
            f" AND {level}.organization_id = location.organization_id",
            f"{level}.preferred_bin_location_id = T4.id"
            f" AND {level}.organization_id = T4.organization_id",
            f"{level}.replenishment_location_id = T5.id"
            f" AND {level}.organization_id = T5.organization_id",
        ]
        assert joins(InventoryLevel.objects.filter(product__global_sku="x")) == [
            f"{level}.product_id = productmaster.id"
            f" AND {level}.organization_id = productmaster.organization_id"
        ]
        assert joins(Location.objects.select_related("parent")) == [
            "location.parent_id = T2.id AND location.organization_id = T2.organization_id"
        ]


def test_reverse_joins_carry_the_organization(acme):
    with all_organizations():
        assert joins(ProductMaster.objects.filter(levels__status="Stock")) == [
            "productmaster.id = inventorylevel.product_id"
            " AND productmaster.organization_id = inventorylevel.organization_id"
        ]
        assert joins(Location.objects.filter(children__name="x")) == [
            "location.id = T2.parent_id AND location.organization_id = T2.organization_id"
        ]
        for name, column in (
            ("levels", "location_id"),
            ("preferred_by_levels", "preferred_bin_location_id"),
            ("replenished_levels", "replenishment_location_id"),
        ):
            assert joins(Location.objects.filter(**{f"{name}__status": "Stock"})) == [
                f"location.id = inventorylevel.{column}"
                " AND location.organization_id = inventorylevel.organization_id"
            ]


def test_every_reference_between_tenant_tables_joins_on_the_organization():
    references = [
        field
        for model in TENANT_MODELS
        for field in model._meta.concrete_fields
        if field.is_relation and issubclass(field.related_model, TenantModel)
    ]
    assert len(references) >= 5
    for field in references:
        assert isinstance(field, TenantForeignKey), field
        for reverse in (False, True):
            joined = [(a.name, b.name) for a, b in field.get_joining_fields(reverse)]
            assert ("organization", "organization") in joined, field


# save().


def test_save_changes_a_row_where_it_is(acme):
    acme.product.product_name = "Gadget"
    acme.product.save()
    acme.product.refresh_from_db()
    assert (acme.product.product_name, acme.product.organization) == ("Gadget", acme.organization)


@pytest.mark.parametrize("options", [{}, {"force_update": True}, {"update_fields": ["name"]}])
@pytest.mark.parametrize("through", ["organization", "organization_id"])
def test_save_can_not_move_a_row_to_another_organization(acme, globex, options, through):
    place = factories.LocationFactory(organization=acme.organization, name="Dock")
    setattr(place, through, globex if through == "organization" else globex.pk)
    place.name = "Taken"
    with pytest.raises(DatabaseError), transaction.atomic():
        place.save(**options)
    stored = Location._base_manager.get(pk=place.pk)
    assert (stored.organization, stored.name) == (acme.organization, "Dock")
    assert Location._base_manager.filter(organization=globex).count() == 3


def test_save_can_not_overwrite_another_organizations_row(acme, globex):
    forged = ProductMaster(
        pk=acme.product.pk, organization=globex, global_sku="FORGED", product_name="Forged"
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        forged.save()
    stored = ProductMaster._base_manager.get(pk=acme.product.pk)
    assert (stored.organization, stored.global_sku) == (acme.organization, "SKU-123")


def test_an_update_of_the_organization_alone_is_no_way_to_move_a_row(acme, globex):
    acme.product.organization = globex
    with suppress(DatabaseError), transaction.atomic():
        acme.product.save(update_fields=["organization"])
    stored = ProductMaster._base_manager.get(pk=acme.product.pk)
    assert stored.organization == acme.organization


# The system check.


def a_model(name: str, *bases: type, **attributes: object) -> type:
    """A model of the app organizations, for the length of an isolate_apps block."""
    meta = type("Meta", (), {"app_label": "organizations"})
    return type(name, bases or (models.Model,), {"__module__": __name__, "Meta": meta} | attributes)


def offenders(monkeypatch, define) -> list[tuple[str, str]]:
    """What the checks say when the models that define() makes are installed as well."""
    with isolate_apps("organizations") as isolated:
        define()
        monkeypatch.setattr(checks, "apps", isolated)
        return [(e.id, e.obj.__name__) for e in run_checks() if e.id == "organizations.E001"]


def test_a_model_with_an_organization_but_without_the_base_fails_the_check(monkeypatch):
    def define() -> None:
        a_model("Note", organization=models.ForeignKey(Organization, models.CASCADE))
        a_model("Budget", owner=models.OneToOneField(Organization, models.SET_NULL, null=True))

    assert offenders(monkeypatch, define) == [
        ("organizations.E001", "Note"),
        ("organizations.E001", "Budget"),
    ]


def test_a_tenant_model_and_one_without_organization_pass_the_check(monkeypatch):
    def define() -> None:
        a_model("Note", TenantModel)
        a_model("Weekday")

    assert offenders(monkeypatch, define) == []


def test_the_check_is_registered_and_passes_as_things_are():
    assert checks.models_with_an_organization_are_tenant_models in registry.get_checks()
    assert [error for error in run_checks() if error.id == "organizations.E001"] == []


def test_nothing_but_keys_and_memberships_is_read_before_there_is_a_scope():
    assert {ApiKey, Membership} == checks.READ_BEFORE_THERE_IS_A_SCOPE


# Views that forgot to say what they need, installed beside the real ones.


class ForgottenViewSet(viewsets.ViewSet):
    def list(self, request):
        return Response("open")

    create = list


class ForgottenView(APIView):
    def get(self, request):
        return Response("open")

    post = get


@api_view(["GET", "POST"])
def forgotten_function(request):
    return Response("open")


urlpatterns = [
    path("api/viewset", ForgottenViewSet.as_view({"get": "list", "post": "create"})),
    path("api/view", ForgottenView.as_view()),
    path("api/function", forgotten_function),
    *urls.urlpatterns,
]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("view", ["/viewset", "/view", "/function"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_view_that_names_no_scope_answers_nobody(acme, view, method):
    assert_refused(Api().request(method, view, {}), 401, "MISSING_AUTHORIZATION")
    for caller in (
        Api(issue_key(acme.organization, "*")),
        signed_in(acme.organization, "manager"),
        signed_in(is_superuser=True),
    ):
        response = caller.request(method, view, {})
        assert response.status_code == 403
        assert response.json().keys() == {"error", "code"}
