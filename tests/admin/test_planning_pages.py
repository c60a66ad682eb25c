"""Recommendations, ABC classes and planning settings in the admin."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.cache import cache

from inventory_levels import comparison, pareto
from inventory_levels.admin import compared, reports
from inventory_levels.models import InventoryLevel, LevelChange, PlanningSettings
from organizations.models import Organization
from organizations.tenancy import organization_scope
from tests import factories
from tests.admin.browser import LEVELS, Browser, browser, errors_in, forms_of, text_of
from tests.conftest import make_acme
from tests.inventory_levels.planned import PLANNED, add_level, changes_of, quantities

REPORT, ABC = f"{LEVELS}recommended/", f"{LEVELS}abc/"
SETTINGS = "/admin/inventory_levels/planningsettings/"
FORM = "planning-form"
# What 200 in 30 days, a week to arrive and an order a fortnight come to at 95 %.
WANTED = (12, 58, 152)


def settings_of(organization: Organization) -> PlanningSettings:
    with organization_scope(organization):
        return PlanningSettings.objects.current()


# Planning settings


def test_the_settings_show_the_defaults_where_none_were_saved(manager, acme):
    form = manager.form(SETTINGS, FORM)
    assert form["service_level_a"] == "98"
    assert (form["a_percent"], form["b_percent"], form["decimals"]) == ("80", "95", "0")
    assert "Nobody has changed them yet" in manager.read(SETTINGS)
    assert not PlanningSettings._base_manager.exists()


def test_a_manager_changes_the_settings_and_the_page_tells_who(manager, acme):
    answer = manager.edit(SETTINGS, service_level_a="99.5", decimals="2")
    assert "The planning settings are saved." in text_of(answer)
    assert "service level of A 98 → 99.5; decimal places 0 → 2 by mona" in text_of(answer)
    saved = settings_of(acme.organization)
    assert (saved.service_level_a, saved.service_level_b, saved.decimals) == (
        Decimal("99.50"),
        95,
        2,
    )
    manager.edit(SETTINGS, b_percent="100")
    assert PlanningSettings._base_manager.count() == 1
    assert LogEntry.objects.count() == 2


def test_saving_the_settings_as_they_are_leaves_no_trace(manager):
    assert "The planning settings stay as they were." in text_of(manager.edit(SETTINGS))
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("a_percent", "97", "must not be below that of A (97)"),
        ("b_percent", "100.01", "must be at most 100"),
        ("service_level_c", "49.99", "must be at least 50"),
        ("service_level_other", "100", "must be at most 99.99"),
        ("service_level_a", "98.765", "must have at most 2 digits after the point"),
        ("service_level_b", "99,5", "Type a percentage such as 98 or 99.5."),
        ("a_percent", "1000", "must have at most 3 digits before the point"),
        ("decimals", "1.5", "Type a whole number"),
        ("decimals", "5", "must be at most 4"),
        ("decimals", "", "This field is required"),
    ],
)
def test_settings_that_cannot_be_are_refused_next_to_the_field(manager, field, typed, said):
    answer = manager.edit(SETTINGS, **{field: typed})
    assert said in errors_in(answer)
    assert forms_of(answer)[FORM][field] == typed
    assert not PlanningSettings._base_manager.exists()


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_others_read_the_settings_and_cannot_change_them(role, manager, acme):
    manager.edit(SETTINGS, service_level_a="99")
    fields = manager.form(SETTINGS, FORM)
    person = browser(acme.organization, role)
    page = person.read(SETTINGS)
    assert "Class A 99 %" in page
    assert "Decimal places 0 Of recommended quantities: 0 for whole units, up to 4." in page
    assert "service_level_a" not in person.form(SETTINGS, FORM)
    assert person.send(SETTINGS, fields, service_level_a="51").status_code == 403
    assert settings_of(acme.organization).service_level_a == 99


def test_the_second_of_two_managers_is_told_and_overwrites_nothing(manager, acme):
    other = browser(acme.organization, "manager", username="max")
    fields = manager.form(SETTINGS, FORM)
    other.edit(SETTINGS, service_level_a="99", service_level_b="96")
    answer = manager.send(SETTINGS, fields, service_level_a="97", _save="")
    assert "max changed service level of A 98 → 99" in text_of(answer)
    assert "is 99 now" in errors_in(answer)
    again = forms_of(answer)[FORM]
    assert (again["service_level_a"], again["service_level_b"]) == ("97", "96")
    manager.send(SETTINGS, again, _save="")
    saved = settings_of(acme.organization)
    assert (saved.service_level_a, saved.service_level_b) == (97, 96)


def test_settings_are_those_of_the_organization_one_works_in(manager, acme):
    manager.edit(SETTINGS, service_level_a="99")
    other = make_acme().organization
    stranger = browser(other, "manager")
    assert stranger.form(SETTINGS, FORM)["service_level_a"] == "98"
    stranger.edit(SETTINGS, service_level_a="90")
    assert settings_of(acme.organization).service_level_a == 99
    assert settings_of(other).service_level_a == 90


# The level's page


def page_of(level: Any) -> str:
    return f"{LEVELS}{level.pk}/change/"


def test_the_levels_page_has_the_recommendation_with_its_arithmetic(editor, viewer, widget):
    for person in (editor, viewer):
        said = person.read(page_of(widget))
        assert "Min 50 → 15 Reorder point 100 → 61 Max 500 → 155" in said
        assert (
            "Reorder point: 6.667 a day × 7 days lead time = 46.67, "
            "+ 14.03 safety stock (98 %) = 60.70, rounded up to 61." in said
        )
    assert "Use these" in editor.read(page_of(widget))
    assert "Use these" not in viewer.read(page_of(widget))


def test_the_page_says_the_same_as_the_api(editor, api, widget):
    path = f"/inventory-levels/{widget.public_id}"
    api.patch(path, {"forecastQuantity": 8, "forecastPeriodDays": None})
    answer = api.get(f"{path}/recommendation").json()
    said = editor.read(page_of(widget))
    assert answer["remarks"]
    for sentence in (*answer["explanation"], *answer["remarks"]):
        assert sentence in said


def test_what_is_typed_is_recommended_for_at_once(editor, viewer, acme):
    typed = {"forecast_quantity": "200", "expected_lead_time_days": "7", "abc_class": "A"}
    typed |= {"replenishment_period_days": "14", "min_quantity": "15", "status": "Inactive"}
    for person in (editor, viewer):
        said = person.read(f"{LEVELS}recommendation/", **typed)
        assert "Min 15 Reorder point not set → 61 Max not set → 155" in said
        assert "No forecast period is set" in said
        assert "status is Inactive: it is not reordered" in said
    all_three = {"min_quantity": "15", "reorder_quantity": "61", "max_quantity": "155"}
    assert "as recommended" in editor.read(f"{LEVELS}recommendation/", **(typed | all_three))
    manager = browser(acme.organization, "manager")
    manager.edit(SETTINGS, service_level_a="50", decimals="2")
    said = editor.read(f"{LEVELS}recommendation/", **typed)
    assert "Min 15 → 0 Reorder point not set → 46.67 Max not set → 140" in said


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "Enter a forecast, a lead time and a replenishment period to get a recommendation."),
        (
            {"forecast_quantity": "x", "expected_lead_time_days": "7"},
            "Enter a forecast and a replenishment period to get a recommendation.",
        ),
        (
            {
                "forecast_quantity": "9" * 11,
                "forecast_period_days": "1",
                "expected_lead_time_days": "7",
                "replenishment_period_days": "7",
            },
            "Nothing can be recommended: the quantities would have more than 11 digits.",
        ),
    ],
)
def test_where_nothing_can_be_recommended_the_page_says_why(editor, typed, said):
    assert said in editor.read(f"{LEVELS}recommendation/", **typed)


# The report


@pytest.fixture
def shelf(acme) -> dict[str, InventoryLevel]:
    """Levels of which 12, 58, 152 is recommended, by how far off they are."""

    def level(sku: str, *chosen: int | None, **settings: Any) -> InventoryLevel:
        product = factories.ProductFactory(organization=acme.organization, global_sku=sku)
        names = ("min_quantity", "reorder_quantity", "max_quantity")
        given = dict(zip(names, chosen, strict=True)) | PLANNED | settings
        return add_level(acme.organization, product, acme.location, **given)

    return {
        "right": level("RIGHT", 12, 58, 160),
        "twice": level("TWICE", 24, 60, 160),
        "third": level("THIRD", 12, 58, 58),
        "unset": level("UNSET", None, 58, 152),
        "bare": level("BARE", None, None, None),
        "off": level("OFF", 1, 1, 1, status="Inactive"),
        "unknown": level("UNKNOWN", 1, 1, 1, forecast_quantity=None),
    }


def listed(page: str) -> list[str]:
    return re.findall(r"\b(RIGHT|TWICE|THIRD|UNSET|BARE|OFF|UNKNOWN)\b Product", page)


def test_the_report_has_the_farthest_levels_first(viewer, shelf):
    page = viewer.read(REPORT)
    assert listed(page) == ["BARE", "UNSET", "THIRD", "TWICE"]
    assert "TWICE Product TWICE Main warehouse – 24 → 12 60 → 58 160 → 152 Min 2 × too high" in page
    assert "THIRD Product THIRD Main warehouse – 12 58 58 → 152 Max 2.6 × too low" in page
    assert "not set → 12 not set → 58 not set → 152 Not set" in page
    assert "5 levels compared Too low 1 Too high 1 Not set 2 About right 1" in page
    assert "1 more lack a forecast, a lead time or a replenishment period" in page


def test_what_is_not_set_comes_before_zeros_and_a_unit_is_no_matter(viewer, shelf):
    empty, slow = shelf["twice"], shelf["unset"]
    empty.min_quantity = empty.reorder_quantity = empty.max_quantity = Decimal(0)
    empty.save()
    assert listed(viewer.read(REPORT)) == ["BARE", "UNSET", "TWICE", "THIRD"]
    slow.min_quantity, slow.reorder_quantity, slow.max_quantity = map(Decimal, (2, 4, 8))
    slow.forecast_quantity, slow.forecast_period_days = Decimal(2), 7  # 3, 5, 9 is recommended
    slow.save()
    page = viewer.read(REPORT)
    assert listed(page) == ["BARE", "TWICE", "THIRD"]
    assert "Up to 1.2 ×, or a difference of 1 unit, is about right." in page


def test_every_level_that_is_reordered_is_in_one_of_the_reports_numbers(viewer, shelf, acme):
    most = {"forecast_quantity": Decimal(99_999_999_999), "forecast_period_days": 1}
    add_level(acme.organization, location=acme.location, **PLANNED | most)
    add_level(
        acme.organization,
        location=acme.location,
        **PLANNED | {"replenishment_period_days": None},
    )
    page = viewer.read(REPORT)
    assert "5 levels compared" in page
    assert "2 more lack a forecast, a lead time or a replenishment period" in page
    assert "1 more cannot be compared: what would be recommended has more than 11 digits." in page
    overview = viewer.read("/admin/")
    assert "No replenishment period 1 No forecast 1" in overview


def test_the_plot_says_in_words_what_it_shows(viewer, shelf):
    drawn = viewer.get(REPORT).content.decode()
    assert "Too low: 1. Too high: 1. Not set: 2. About right: 1." in drawn
    widths = dict(re.findall(r'class="bar (\w+)"[^>]* width="(250|125)', drawn))
    assert widths == {"unset": "250", "low": "125", "near": "125", "high": "125"}


def test_the_report_is_narrowed_by_side_class_and_location(viewer, shelf, acme):
    shelf["third"].abc_class = "A"
    shelf["third"].save()
    assert listed(viewer.read(REPORT, side="high")) == ["TWICE"]
    assert listed(viewer.read(REPORT, side="unset")) == ["BARE", "UNSET"]
    assert listed(viewer.read(REPORT, abc_class="A")) == ["THIRD"]
    assert listed(viewer.read(REPORT, abc_class="none", side="low")) == []
    assert listed(viewer.read(REPORT, location=acme.location.pk))[0] == "BARE"
    assert "No level is far from what is recommended among these." in viewer.read(
        REPORT, location=acme.supplier.pk
    )


def test_what_the_report_cannot_be_asked_leads_back_to_it(viewer, acme):
    theirs = make_acme().location
    for asked in ({"abc_class": "D"}, {"side": "x"}, {"location": theirs.pk}, {"location": "x"}):
        answer = viewer.get(REPORT, **asked)
        assert (answer.status_code, answer["Location"]) == (302, REPORT)
    assert viewer.get(REPORT, p="junk").status_code == 200


def test_the_report_knows_nothing_of_other_organizations(shelf):
    stranger = browser(make_acme().organization, "manager")
    page = stranger.read(REPORT)
    assert "0 levels compared" in page
    assert listed(page) == []


def test_the_report_has_pages(viewer, shelf, monkeypatch):
    monkeypatch.setattr(reports, "PER_PAGE", 3)
    assert "Page 1 of 2 Nearer" in viewer.read(REPORT)
    assert listed(viewer.read(REPORT, p=2)) == ["TWICE"]
    assert "?side=unset&amp;p=" not in viewer.get(REPORT, side="unset").content.decode()


def test_the_report_looks_at_so_many_levels_and_says_so(viewer, shelf, monkeypatch):
    assert "so many are compared at once" not in viewer.read(REPORT)
    monkeypatch.setattr(comparison, "MOST_COMPARED", 3)
    page = viewer.read(REPORT)
    assert "3 levels compared" in page
    assert "There are more levels; so many are compared at once." in page


def test_of_the_far_ones_the_farthest_are_kept(viewer, shelf, monkeypatch):
    for name in ("more", "most"):
        product = factories.ProductFactory(organization=shelf["bare"].organization, global_sku=name)
        add_level(
            shelf["bare"].organization,
            product,
            shelf["bare"].location,
            min_quantity=Decimal(12),
            reorder_quantity=Decimal(58),
            max_quantity=Decimal(600 if name == "more" else 900),
            **PLANNED,
        )
    monkeypatch.setattr(comparison, "KEPT", 2)
    assert "Max 5.9 × too high" in viewer.read(REPORT, side="high")
    assert "Min 2 × too high" not in viewer.read(REPORT, side="high")
    assert listed(viewer.read(REPORT)) == ["BARE", "UNSET"]


def test_many_are_compared_once_until_something_changes(viewer, api, acme, widget, monkeypatch):
    cache.clear()
    monkeypatch.setattr(compared, "MANY", 0)
    done: list[int] = []

    def counting(*args: Any) -> Any:
        done.append(1)
        return comparison.compare(*args)

    monkeypatch.setattr(compared, "compare", counting)
    for _ in range(2):
        assert "Min 3.3 × too high" in viewer.read(REPORT)
    viewer.read(REPORT, side="low")
    assert len(done) == 1
    viewer.read(REPORT, abc_class="A")
    assert len(done) == 2
    api.patch(f"/inventory-levels/{widget.public_id}", {"maxQuantity": 155, "minQuantity": 15})
    assert "Reorder point 1.6 × too high" in viewer.read(REPORT)
    browser(acme.organization, "manager").edit(SETTINGS, service_level_a="99.99")
    assert "Min 1.7 × too low" in viewer.read(REPORT)
    assert len(done) == 4
    cache.clear()


def test_the_report_takes_at_most_twelve_statements(editor, shelf, django_assert_max_num_queries):
    editor.get(REPORT)
    with django_assert_max_num_queries(12):
        editor.get(REPORT)


# Applying them


def choose(editor: Browser, *levels: InventoryLevel) -> Any:
    """Tick levels in the report and ask for a preview."""
    fields = forms_of(editor.get(REPORT, side="unset"))["report-form"]
    shown = [f"{level.public_id}@{level.version}" for level in levels]
    return editor.send(f"{LEVELS}bulk/recommend/", fields | {"shown": shown})


def test_chosen_levels_get_what_is_recommended_after_a_preview(editor, shelf):
    page = choose(editor, shelf["bare"], shelf["third"])
    said = text_of(page)
    assert "2 will change" in said
    assert "min not set → 12" in said
    assert "max 58 → 152" in said
    assert quantities(shelf["bare"]) == (None, None, None)

    answer = editor.send(f"{LEVELS}bulk/recommend/", forms_of(page)["bulk-form"], apply="1")
    assert "Apply recommendations: 2 levels are changed." in text_of(answer)
    assert answer.redirect_chain == [(f"{REPORT}?side=unset", 302)]
    assert quantities(shelf["bare"]) == WANTED
    (change,) = changes_of(shelf["third"])
    assert (change.source, change.actor_name) == ("admin", "edda")
    assert change.reason == "recommended: 95 % service level"
    assert change.changes == {"maxQuantity": {"old": 58, "new": 152}}


def test_the_history_names_each_levels_own_service_level(editor, shelf):
    shelf["third"].abc_class = "A"
    shelf["third"].save()
    page = choose(editor, shelf["bare"], shelf["third"])
    editor.send(f"{LEVELS}bulk/recommend/", forms_of(page)["bulk-form"], apply="1")
    assert [changes_of(shelf[name])[0].reason for name in ("bare", "third")] == [
        "recommended: 95 % service level",
        "recommended: 98 % service level",
    ]
    assert quantities(shelf["third"]) == (15, 61, 155)


def test_levels_that_lack_data_say_what_they_lack_and_stay(editor, shelf):
    said = text_of(choose(editor, shelf["bare"], shelf["unknown"], shelf["off"]))
    assert "2 will change, 1 can't be changed and stay as they are" in said
    assert "Enter a forecast to get a recommendation." in said
    assert "1 is not reordered, by its status." in said


def test_what_to_take_care_of_is_told_before_many_are_applied(editor, shelf):
    for name, forecast in (("bare", 1), ("unset", 400)):
        shelf[name].forecast_quantity, shelf[name].forecast_period_days = Decimal(forecast), 10
        shelf[name].save()
    page = editor.read(REPORT)
    assert "Not set Slow mover" in page
    assert "Not set Short if checked daily" in page
    said = text_of(choose(editor, shelf["bare"], shelf["unset"], shelf["third"]))
    assert "1 is a slow mover, of less than 5 units over the lead time" in said
    assert "2 miss the service level by more than 5 points if stock is checked once a day" in said


def test_the_menu_says_from_where_the_preview_was_reached(editor, shelf):
    def marked(page: Any) -> list[str]:
        links = re.findall(r'<a href="([^"]+)"([^>]*)>', page.content.decode())
        return [address for address, rest in links if re.search(r"(^|[\s\"])active\b", rest)]

    assert marked(choose(editor, shelf["bare"])) == [REPORT]
    fields = {"action": "recommend", "index": "0", "select_across": "0"}
    fields["_selected_action"] = [shelf["bare"].pk]
    assert marked(editor.send(LEVELS, fields)) == [LEVELS]


def test_the_list_of_levels_offers_it_too(editor, shelf):
    fields = {"action": "recommend", "index": "0", "select_across": "0"}
    fields["_selected_action"] = [shelf["bare"].pk]
    page = editor.send(f"{LEVELS}?q=bare", fields)
    assert "1 will change" in text_of(page)
    answer = editor.send(f"{LEVELS}bulk/recommend/", forms_of(page)["bulk-form"], apply="1")
    assert answer.redirect_chain == [(f"{LEVELS}?q=bare", 302)]
    assert quantities(shelf["bare"]) == WANTED


def test_a_level_that_moved_on_stops_them_all(editor, api, shelf):
    page = choose(editor, shelf["bare"], shelf["third"])
    api.patch(f"/inventory-levels/{shelf['third'].public_id}", {"maxQuantity": 70})
    answer = editor.send(f"{LEVELS}bulk/recommend/", forms_of(page)["bulk-form"], apply="1")
    assert "Nothing was saved." in text_of(answer)
    assert "ERP (API key) changed max 58 → 70" in text_of(answer)
    assert quantities(shelf["bare"]) == (None, None, None)


def test_settings_that_changed_since_the_preview_make_it_anew(editor, shelf, acme):
    page = choose(editor, shelf["bare"])
    browser(acme.organization, "manager").edit(SETTINGS, service_level_other="50")
    answer = editor.send(f"{LEVELS}bulk/recommend/", forms_of(page)["bulk-form"], apply="1")
    assert "min not set → 0" in text_of(answer)
    assert quantities(shelf["bare"]) == (None, None, None)
    editor.send(f"{LEVELS}bulk/recommend/", forms_of(answer)["bulk-form"], apply="1")
    assert quantities(shelf["bare"]) == (0, 47, 140)


def test_a_viewer_finds_nothing_to_choose_and_nothing_chosen_is_said(viewer, editor, shelf):
    assert "Apply recommendations" not in viewer.read(REPORT)
    assert 'type="checkbox"' not in viewer.get(REPORT).content.decode()
    shown = f"{shelf['bare'].public_id}@1"
    assert viewer.send(f"{LEVELS}bulk/recommend/", {"shown": shown}).status_code == 403
    answer = choose(editor)
    assert "Choose some levels first." in text_of(answer)
    assert answer.redirect_chain == [(f"{REPORT}?side=unset", 302)]


def test_another_organizations_level_is_as_if_it_were_not_there(shelf):
    stranger = browser(make_acme().organization, "editor")
    answers = [
        text_of(stranger.send(f"{LEVELS}bulk/recommend/", {"shown": f"{one}@1"}))
        for one in (shelf["bare"].public_id, "level_gone")
    ]
    assert answers[0] == answers[1]
    assert "BARE" not in answers[0]


# ABC classes


@pytest.fixture
def ranked(acme) -> list[InventoryLevel]:
    """Values of use 70, 20, 8, 2 and 0 a day; all but the first have the wrong class."""

    def level(cost: int | None, quantity: int, **settings: Any) -> InventoryLevel:
        return add_level(
            acme.organization,
            cost=cost,
            forecast_quantity=Decimal(quantity),
            forecast_period_days=1,
            **settings,
        )

    return [
        level(7, 10, abc_class="A"),
        level(20, 1, abc_class="C"),
        level(4, 2),
        level(1, 2, abc_class="A"),
        level(9, 0, abc_class="B"),
        level(None, 5, abc_class="B"),
    ]


def classes(levels: list[InventoryLevel]) -> list[str | None]:
    found = InventoryLevel._base_manager.in_bulk([level.pk for level in levels])
    return [found[level.pk].abc_class for level in levels]


def test_the_abc_page_has_counts_and_shares(viewer, ranked):
    page = viewer.read(ABC)
    assert "2 A by value: 40 % of the levels, 90 % of the value" in page
    assert "1 B by value: 20 % of the levels, 8 % of the value" in page
    assert "2 C by value: 40 % of the levels, 2 % of the value" in page
    assert "1 without a forecast or a unit cost" in page
    assert "share of the value of use, 100.00 a day" in page
    assert "A: 40.0 % of the levels, 90.0 % of the value." in page
    assert "4 levels of another class than by value" in page
    assert "A C 1 B C 1 C A 1 None B 1" in page
    assert "Give 4 levels" not in page


def test_the_curve_runs_through_the_shares(viewer, ranked):
    drawn = viewer.get(ABC).content.decode()
    (line,) = re.findall(r'<polyline class="stock" points="([^"]*)"', drawn)
    # 422 wide from 46, 232 high from 262.
    points = "46.0,262.0 130.4,99.6 214.8,53.2 299.2,34.6 383.6,30.0 468.0,30.0"
    assert line == points
    assert re.findall(r'class="zone abc-(\w)" x="([\d.]+)"[^>]*?width="([\d.]+)"', drawn) == [
        ("A", "46.0", "168.8"),
        ("B", "214.8", "84.4"),
        ("C", "299.2", "168.8"),
    ]
    assert re.findall(r'class="mark"[^>]*y1="([\d.]+)"', drawn) == ["76.4", "41.6"]


def test_the_curve_of_many_levels_has_few_points(viewer, ranked, monkeypatch):
    monkeypatch.setattr(pareto, "POINTS", 2)
    drawn = viewer.get(ABC).content.decode()
    (line,) = re.findall(r'<polyline class="stock" points="([^"]*)"', drawn)
    assert line == "46.0,262.0 130.4,99.6 299.2,34.6 383.6,30.0 468.0,30.0"


def test_levels_get_the_class_by_value_as_it_was_shown(editor, ranked):
    form = editor.form(ABC, "classify-form")
    assert "Give 4 levels the class by value" in editor.read(ABC)
    answer = editor.send(f"{ABC}classify/", form)
    assert "4 levels have a new class." in text_of(answer)
    assert "All ranked levels have the class that their value of use says." in text_of(answer)
    assert classes(ranked) == ["A", "A", "B", "C", "C", "B"]
    (change,) = changes_of(ranked[2])
    assert (change.source, change.actor_name) == ("admin", "edda")
    assert change.reason == "ABC by value of use: A to 80 %, B to 95 %"
    assert changes_of(ranked[0]) == []


def test_nothing_is_classified_that_was_not_shown(editor, api, ranked):
    form = editor.form(ABC, "classify-form")
    api.patch(f"/inventory-levels/{ranked[3].public_id}", {"forecastQuantity": 500})
    answer = editor.send(f"{ABC}classify/", form)
    assert "Nothing was changed: since you opened the page" in text_of(answer)
    assert classes(ranked) == ["A", "C", None, "A", "B", "B"]
    assert "Nothing was changed" in text_of(editor.send(f"{ABC}classify/", {}))


def test_too_many_for_a_page_are_left_to_the_command(editor, ranked, monkeypatch):
    form = editor.form(ABC, "classify-form")
    monkeypatch.setattr(reports, "MOST_CLASSIFIED", 3)
    assert "the command classify_abc changes them" in editor.read(ABC)
    assert "too many for a page" in text_of(editor.send(f"{ABC}classify/", form))
    assert not LevelChange._base_manager.exists()


def test_where_there_are_too_many_levels_to_rank_the_page_says_so(editor, ranked, monkeypatch):
    form = editor.form(ABC, "classify-form")
    monkeypatch.setattr(pareto, "MOST_RANKED", len(ranked))
    assert "A by value" in editor.read(ABC)
    monkeypatch.setattr(pareto, "MOST_RANKED", len(ranked) - 1)
    assert "too many to rank for a page. The command classify_abc" in editor.read(ABC)
    assert "Nothing was changed" in text_of(editor.send(f"{ABC}classify/", form))
    assert not LevelChange._base_manager.exists()


def test_the_cut_offs_are_those_of_the_planning_settings(viewer, manager, ranked):
    manager.edit(SETTINGS, a_percent="70", b_percent="70")
    page = viewer.read(ABC)
    assert "1 A by value" in page
    assert "0 B by value" in page
    assert "4 C by value" in page


def test_a_viewer_classifies_nothing_and_others_see_nothing(viewer, editor, ranked):
    form = editor.form(ABC, "classify-form")
    assert viewer.send(f"{ABC}classify/", form).status_code == 403
    assert editor.get(f"{ABC}classify/").status_code == 405
    stranger = browser(make_acme().organization, "editor")
    assert "No level has both a forecast" in stranger.read(ABC)
    assert "Nothing was saved" in text_of(stranger.send(f"{ABC}classify/", form))
    assert classes(ranked) == ["A", "C", None, "A", "B", "B"]


def test_the_abc_page_takes_at_most_nine_statements(viewer, ranked, django_assert_max_num_queries):
    viewer.get(ABC)
    with django_assert_max_num_queries(9):
        viewer.get(ABC)


def test_the_menu_leads_to_the_planning_pages(viewer):
    page = viewer.get("/admin/").content.decode()
    for address in (REPORT, ABC, SETTINGS):
        assert f'href="{address}"' in page
