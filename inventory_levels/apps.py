"""Registers the app."""

from django.apps import AppConfig


class InventoryLevelsConfig(AppConfig):
    name = "inventory_levels"
    verbose_name = "Inventory levels"
