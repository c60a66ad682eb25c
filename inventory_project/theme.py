"""How the admin looks, and what of ours its theme calls."""

from typing import Any

from django.templatetags.static import static

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Inventory Levels",
    "SITE_HEADER": "Inventory Levels",
    "SITE_SUBHEADER": "Know when to reorder",
    "SITE_ICON": lambda request: static("icon.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("icon.svg")}
    ],
    "STYLES": [lambda request: static("inventory_levels/admin.css")],
    "SCRIPTS": [lambda request: static("inventory_levels/admin.js")],
    "SIDEBAR": {"navigation": "inventory_levels.admin.navigation.navigation"},
    "DASHBOARD_CALLBACK": "inventory_levels.admin.start.start_page",
    "BORDER_RADIUS": "8px",
    # The start page's teal.
    "COLORS": {
        "primary": {
            "50": "#effaf8",
            "100": "#d3f1ec",
            "200": "#a8e3da",
            "300": "#74cec3",
            "400": "#45b3a8",
            "500": "#37b0a4",
            "600": "#0b6e68",
            "700": "#0a5c57",
            "800": "#0b4a47",
            "900": "#0b3e3b",
            "950": "#042523",
        }
    },
}
