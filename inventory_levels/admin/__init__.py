"""The admin of levels, products, locations and their history.

Whatever is saved here goes through services.py and catalog.py, with the version that the
person saw.
"""

from inventory_levels.admin import catalog, changes, levels, planning_settings

__all__ = ["catalog", "changes", "levels", "planning_settings"]
