"""Products and locations in the admin, saved through catalog.py alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from inventory_levels import catalog
from inventory_levels.admin.files import Files
from inventory_levels.admin.filters import ProductStatusFilter, TypeFilter
from inventory_levels.admin.forms import QuantityField
from inventory_levels.admin.saving import SafeForm, SafeFormPage
from inventory_levels.admin.search import matching_locations, matching_products
from inventory_levels.admin.words import as_typed, value_in_words
from inventory_levels.catalog import CatalogRow
from inventory_levels.files.columns import LOCATIONS, PRODUCTS
from inventory_levels.models import InventoryLevel, Location, ProductMaster
from inventory_levels.refusals import Conflict, NotFound, PreconditionFailed, Refusal
from organizations.texts import whole_number


def stamp_of(record: Any) -> str:
    """Products and locations have no version: the time of the last change tells."""
    return str(record.updated_at.isoformat())


class RecordForm(SafeForm):
    """A product or a location."""

    def stamp(self, record: Any) -> str:
        return stamp_of(record)

    def row(self) -> CatalogRow:
        public_id = self.instance.public_id if self.instance.pk else None
        return CatalogRow(self.values(), public_id=public_id, must_exist=bool(public_id))

    def save_rows(self, rows: Sequence[CatalogRow], **options: Any) -> list[Any]:
        raise NotImplementedError

    def rehearse(self) -> Refusal | None:
        model: Any = self._meta.model
        if self.instance.pk:
            # Locked until the page's transaction has written, or has not.
            now = model.objects.select_for_update().filter(pk=self.instance.pk).first()
            if now is None or self.stamp(now) != self.cleaned_data["shown"]:
                return PreconditionFailed("")
        elif (taken := self.taken()) is not None:
            return taken
        (result,) = self.save_rows([self.row()], dry_run=True)
        return result.refusal

    def taken(self) -> Refusal | None:
        """Why a new record can't be made: the writer would change the one that is there."""
        raise NotImplementedError

    def moved_on(self, record: Any) -> str:
        said = [
            f"{self[name].label} was {value_in_words(shown)}, is {value_in_words(now)}"
            for name, field in self.fields.items()
            if field.show_hidden_initial
            and (now := getattr(record, name)) != (shown := self._shown_value(name))
        ]
        return f"{'; '.join(said)}." if said else ""

    def write(self) -> Any:
        (result,) = self.save_rows([self.row()])
        return result.or_raise().saved


class ProductForm(RecordForm):
    field_of: ClassVar[dict[str, str]] = {
        "globalSku": "global_sku",
        "productName": "product_name",
        "unitCost": "unit_cost",
    }

    def save_rows(self, rows: Sequence[CatalogRow], **options: Any) -> list[Any]:
        return catalog.save_products(rows, **options)

    def taken(self) -> Refusal | None:
        there = ProductMaster.objects.filter(global_sku=self.cleaned_data["global_sku"])
        message = "Another product has this SKU"
        return Conflict(message, {"globalSku": [message]}) if there.exists() else None


class LocationForm(RecordForm):
    field_of: ClassVar[dict[str, str]] = {"parentId": "parent"}

    def save_rows(self, rows: Sequence[CatalogRow], **options: Any) -> list[Any]:
        return catalog.save_locations(rows, **options)

    def taken(self) -> Refusal | None:
        place = {name: self.cleaned_data[name] for name in ("name", "parent")}
        message = "A location next to it has this name"
        there = Location.objects.filter(**place)
        return Conflict(message, {"name": [message]}) if there.exists() else None


class RecordAdmin(Files, SafeFormPage):
    """What products and locations share."""

    formfield_overrides: ClassVar[Any] = {models.DecimalField: {"form_class": QuantityField}}
    readonly_fields = ("public_id", "updated_at")
    editable: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.editable, *self.readonly_fields) if obj else self.editable

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        """With the name that is stored: what was typed may be refused."""
        if kwargs.get("obj") and request.method == "POST":
            context["subtitle"] = self.model._default_manager.filter(pk=kwargs["obj"].pk).first()
        return super().render_change_form(request, context, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if form.has_changed():
            obj.pk = form.write().pk

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> str:
        return "Created." if add else str(form.told())

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Saving what is as it was is no change."""
        return super().log_change(request, obj, message) if message else None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        partial = "Changes by the API, imports and commands are not listed here."
        return super().history_view(request, object_id, {"partial": partial})

    def users_of(self, record: Any) -> list[str]:
        """What refers to the record and so keeps it from being deleted, counted."""
        raise NotImplementedError

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counted, not listed: a location may have a hundred thousand levels."""
        users = [user for record in objs for user in self.users_of(record)]
        return [str(record) for record in objs], {}, set(), users

    def render_delete_form(self, request: HttpRequest, context: Any) -> HttpResponse:
        context["shown"] = stamp_of(context["object"])
        answer: HttpResponse = super().render_delete_form(request, context)
        return answer

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Locked before it is compared, in the page's transaction."""
        now = self.model._default_manager.select_for_update().filter(pk=obj.pk).first()
        if now is not None and stamp_of(now) != request.POST.get("shown"):
            raise PreconditionFailed("")
        self.delete_record(obj.public_id)

    def delete_record(self, public_id: str) -> None:
        raise NotImplementedError

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().delete_view(request, object_id, *args)
        except Conflict as conflict:
            messages.error(request, f"Nothing was deleted. {conflict.sentence}.")
        except PreconditionFailed:
            messages.error(request, "Nothing was deleted, as it changed since you opened the page.")
        except NotFound:
            pass  # as for any page of a record that is not there
        else:
            return answer
        return redirect(request.get_full_path())


def _counted(number: int, one: str, many: str) -> list[str]:
    return [f"{number:,} {one if number == 1 else many}"] if number else []


@admin.register(ProductMaster)
class ProductAdmin(RecordAdmin):
    form = ProductForm
    table = PRODUCTS
    editable = ("global_sku", "product_name", "unit_cost", "status")
    list_display = ("global_sku", "product_name", "cost", "status", "levels")
    list_filter = (ProductStatusFilter,)
    search_fields = ("global_sku", "product_name")
    search_help_text = "SKU or name"
    ordering = ("global_sku",)
    orders: ClassVar[Any] = {"global_sku": ("global_sku",)}
    sortable_by = ("global_sku",)

    @admin.display(description="Unit cost", empty_value="–")
    def cost(self, product: ProductMaster) -> str | None:
        return as_typed(product.unit_cost) or None

    @admin.display(description="Levels")
    def levels(self, product: ProductMaster) -> str:
        return _levels_link(q=product.global_sku)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return matching_products(queryset, search_term).order_by("global_sku"), False

    def users_of(self, record: Any) -> list[str]:
        levels = InventoryLevel.objects.filter(product=record).count()
        return _counted(levels, "inventory level", "inventory levels")

    def delete_record(self, public_id: str) -> None:
        catalog.delete_product(public_id)


@admin.register(Location)
class LocationAdmin(RecordAdmin):
    form = LocationForm
    table = LOCATIONS
    editable = ("name", "type", "parent")
    autocomplete_fields = ("parent",)
    list_display = ("name", "type", "inside", "levels")
    list_filter = (TypeFilter,)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("name", "pk")
    orders: ClassVar[Any] = {"name": ("name", "pk")}
    sortable_by = ("name",)

    def rows_with(self, keys: list[int], queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().rows_with(keys, queryset).select_related("parent")

    @admin.display(description="Inside", empty_value="–")
    def inside(self, location: Location) -> str | None:
        return location.parent.name if location.parent else None

    @admin.display(description="Levels")
    def levels(self, location: Location) -> str:
        return _levels_link(location=location.pk)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        places = matching_locations(queryset, search_term).order_by("name", "pk")
        field, of = request.GET.get("field_name"), whole_number(request.GET.get("location", ""))
        if field == "preferred_bin_location":
            places = places.filter(path__contains=f"/{of}/") if of else places.none()
        elif field == "replenishment_location" and of:
            places = places.exclude(pk=of)
        return places, False

    def users_of(self, record: Any) -> list[str]:
        levels = InventoryLevel.objects.filter(
            Q(location=record) | Q(preferred_bin_location=record) | Q(replenishment_location=record)
        )
        inside = Location.objects.filter(parent=record)
        return [
            *_counted(levels.count(), "inventory level", "inventory levels"),
            *_counted(inside.count(), "location inside it", "locations inside it"),
        ]

    def delete_record(self, public_id: str) -> None:
        catalog.delete_location(public_id)


def _levels_link(**filters: Any) -> str:
    address = reverse("admin:inventory_levels_inventorylevel_changelist")
    return format_html('<a class="link" href="{}?{}">Show</a>', address, urlencode(filters))
