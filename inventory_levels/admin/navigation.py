"""The sidebar: what each role has business with, most used first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from organizations.workspace import workspace_of


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    workspace = workspace_of(request)
    groups: list[dict[str, Any]] = []
    if workspace:
        levels = _item("Levels", "inventory_levels_inventorylevel_changelist", "stacked_line_chart")
        groups.append(
            _group(
                "",
                _item("Overview", "index", "dashboard"),
                levels,
                _item("Changes", "inventory_levels_levelchange_changelist", "history"),
                _item("Products", "inventory_levels_productmaster_changelist", "category"),
                _item("Locations", "inventory_levels_location_changelist", "warehouse"),
            )
        )
        report = _item("Recommendations", "inventory_levels_inventorylevel_report", "insights")
        planning = [
            report,
            _item("ABC classes", "inventory_levels_inventorylevel_abc", "leaderboard"),
            _item("Planning settings", "inventory_levels_planningsettings_changelist", "tune"),
        ]
        if request.POST.get("came_from") == "report":
            levels["active"], report["active"] = False, True
        elif request.path in [item["link"] for item in planning]:
            levels["active"] = False  # though its address is the beginning of theirs
        groups.append(_group("Planning", *planning))
    if workspace and workspace.may_manage:
        groups.append(
            _group(
                "Organization",
                _item("Memberships", "organizations_membership_changelist", "group"),
                _item("Invitations", "organizations_invitation_changelist", "mail"),
                _item("API keys", "organizations_apikey_changelist", "key"),
            )
        )
    if getattr(request.user, "is_superuser", False):
        groups.append(
            _group(
                "All organizations",
                _item("Organizations", "organizations_organization_changelist", "domain"),
                _item("Users", "auth_user_changelist", "account_circle"),
            )
        )
    return groups


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "items": list(items)}


def _item(title: str, page: str, icon: str) -> dict[str, Any]:
    return {"title": title, "link": reverse(f"admin:{page}"), "icon": icon}
