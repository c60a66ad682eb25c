"""What the pages have in common: rights by role, strict filters, lists without long counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from organizations.tenancy import TenantModel, current_organization
from organizations.texts import whole_number
from organizations.workspace import workspace_of

PER_PAGE = 100
# Rows that a list counts and pages through; beyond, it says "10,000+" and asks for a filter.
MAX_ROWS = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts no further than MAX_ROWS, so that a list of a million costs what its page costs."""

    @cached_property
    def found(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: MAX_ROWS + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self.found, MAX_ROWS)

    @property
    def is_capped(self) -> bool:
        return self.found > MAX_ROWS


class Rows(ChangeList):
    """A list in an order that an index has: ``orders`` of its ModelAdmin, by column.

    The keys of the page's rows are read first, then the rows: no join is made for a row that
    isn't shown.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        column, sign = self._asked()
        keys = self.model_admin.orders.get(column) or self.model_admin.usual_order(self.params)
        if sign:
            return [key[1:] if key.startswith("-") else f"-{key}" for key in keys]
        return list(keys)

    def _asked(self) -> tuple[str, str]:
        """The column whose head was clicked last, and "-" for descending."""
        asked = self.params.get(ORDER_VAR, "").partition(".")[0]
        number = whole_number(asked.removeprefix("-"))
        if number is None or number >= len(self.list_display):
            return "", ""
        return self.list_display[number], "-" if asked.startswith("-") else ""

    def get_ordering_field_columns(self) -> dict[int, str]:
        """The sorted column, for its head's arrow."""
        column, sign = self._asked()
        if column not in self.model_admin.orders:
            usual = self.model_admin.usual_order(self.params)
            sign = "-" if usual[0].startswith("-") else ""
            first, orders = usual[0].removeprefix("-"), self.model_admin.orders.items()
            column = next((name for name, keys in orders if keys[0] == first), "")
        if column not in self.list_display:
            return {}
        return {self.list_display.index(column): "desc" if sign else "asc"}

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = self.model_admin.rows_with(list(self._keys()), self.queryset)

    def _keys(self) -> QuerySet[Any]:
        start = (self.page_num - 1) * self.list_per_page if self.multi_page else 0
        return self.queryset.values_list("pk", flat=True)[start : start + self.list_per_page]


class Autocomplete(AutocompleteSelect):
    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """What can't be a key chooses nothing, where Django would fail to look it up."""
        keys = [one for one in value if whole_number(str(one)) is not None]
        return super().optgroups(name, keys, attr)


class ChoosesByKey:
    """The part of a page or an inline whose autocompletes bear any value."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        page: Any = self
        if db_field.name in page.get_autocomplete_fields(request):
            kwargs.setdefault("widget", Autocomplete(db_field, page.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class WorkspaceAdmin(ChoosesByKey, ModelAdmin):
    """Pages about what belongs to the workspace's organization.

    Every member reads; who may write is the role's affair, not that of Django's permissions.
    """

    orders: ClassVar[dict[str, Sequence[str]]] = {}
    paginator = CappedPaginator
    list_per_page = PER_PAGE
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions: ClassVar[Any] = None
    formfield_overrides: ClassVar[Any] = {}

    def may_see(self, request: HttpRequest) -> bool:
        return workspace_of(request) is not None

    def may_change(self, request: HttpRequest) -> bool:
        workspace = workspace_of(request)
        return workspace is not None and workspace.may_write

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may_see(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_see(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change(request)

    def called(self, record: Any) -> str:
        """What a person calls a record."""
        return str(record)

    def usual_order(self, params: Mapping[str, str]) -> Sequence[str]:
        """Where no column was chosen."""
        return self.ordering

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The organization's own rows; a model that isn't scoped by itself is scoped here."""
        if workspace_of(request) is None:  # a superuser before there is any organization
            return self.model._default_manager.none()
        rows = self.model._default_manager.all()
        if issubclass(self.model, TenantModel):
            return rows
        return rows.filter(organization=current_organization())

    def rows_with(self, keys: list[int], queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with these keys, in the list's order, with all that their columns show."""
        ours = self.model._default_manager.filter(pk__in=keys)
        return ours.order_by(*queryset.query.order_by)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Refused before it is looked for, as the other pages are."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the filters that the page shows; Django would take any field, any value."""
        filters = self.get_list_filter(request)
        return lookup in {getattr(one, "parameter_name", None) for one in filters}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Rows]:
        return Rows
