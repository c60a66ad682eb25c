"""The table of a list page: a quarter of the theme's markup, which repeats itself in each cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from django import template
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_field, display_for_value, lookup_field
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.templatetags.unfold_list import result_headers

register = template.Library()


@dataclass(frozen=True, slots=True)
class Row:
    cells: list[SafeString]
    form: Any


@register.inclusion_tag("admin/rows.html")
def rows(cl: Any) -> dict[str, Any]:
    """The list's columns and rows; rows that are edited bring their forms along."""
    headers = list(result_headers(cl))
    return {"cl": cl, "headers": headers, "rows": list(_rows(cl, headers))}


def _rows(cl: Any, headers: list[dict[str, Any]]) -> Iterator[Row]:
    forms = cl.formset.forms if cl.formset else repeat(None)
    columns = [
        (name, header["text"]) for name, header in zip(cl.list_display, headers, strict=True)
    ]
    for record, form in zip(cl.result_list, forms, strict=False):
        yield Row([_cell(cl, record, form, name, text) for name, text in columns], form)


def _cell(cl: Any, record: Any, form: Any, name: str, label: str) -> SafeString:
    if name == "action_checkbox":
        return format_html(
            '<td class="choose"><input type="checkbox" name="{}" value="{}" '
            'class="action-select" aria-label="Choose {}"></td>',
            ACTION_CHECKBOX_NAME,
            record.pk,
            cl.model_admin.called(record),
        )
    tag, label = "td", str(label)
    label = label[:1].upper() + label[1:]
    if form and name in form.fields:
        field = form[name]
        return format_html(
            '<td class="field-{}{}" data-label="{}">{}{}</td>',
            name,
            " errors" if field.errors else "",
            label,
            field,
            field.errors,
        )
    content = _content(cl, record, name)
    if cl.list_display_links and name in cl.list_display_links:
        address = add_preserved_filters(
            {"preserved_filters": cl.preserved_filters, "opts": cl.opts}, cl.url_for_result(record)
        )
        tag, content = "th", format_html('<a href="{}">{}</a>', address, content)
    return format_html(
        '<{} class="field-{}" data-label="{}">{}</{}>', tag, name, label, content, tag
    )


def _content(cl: Any, record: Any, name: str) -> Any:
    field, attribute, value = lookup_field(name, record, cl.model_admin)
    empty = getattr(attribute, "empty_value_display", cl.model_admin.get_empty_value_display())
    if field is None:
        return display_for_value(value, empty, getattr(attribute, "boolean", False))
    return display_for_field(value, field, empty)
