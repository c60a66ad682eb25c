"""The product's tables, as models of their own."""

# ruff: noqa: DJ008  # nobody looks at them

from __future__ import annotations

from typing import Any

from django.db import models
from ulid import ULID


class Organization(models.Model):
    is_active = models.BooleanField()

    class Meta:
        app_label, managed, db_table = "peers", False, "organizations_organization"


class ApiKey(models.Model):
    public_id = models.CharField(max_length=64)
    organization = models.ForeignKey(Organization, models.CASCADE)
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        app_label, managed, db_table = "peers", False, "organizations_apikey"


class Product(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE)
    public_id = models.CharField(max_length=64)
    global_sku = models.CharField(max_length=64)
    product_name = models.CharField(max_length=255)

    class Meta:
        app_label, managed, db_table = "peers", False, "inventory_levels_productmaster"


class Location(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE)
    public_id = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    path = models.TextField()

    class Meta:
        app_label, managed, db_table = "peers", False, "inventory_levels_location"


def quantity() -> Any:
    return models.DecimalField(max_digits=15, decimal_places=4, null=True)


def new_id() -> str:
    return f"level_{str(ULID()).lower()}"


class Level(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE)
    public_id = models.CharField(max_length=64, default=new_id)
    product = models.ForeignKey(Product, models.PROTECT)
    location = models.ForeignKey(Location, models.PROTECT, related_name="+")
    min_quantity = quantity()
    reorder_quantity = quantity()
    max_quantity = quantity()
    status = models.CharField(max_length=32, default="Supported")
    abc_class = models.CharField(max_length=1, null=True)
    expected_lead_time_days = models.IntegerField(null=True)
    replenishment_period_days = models.IntegerField(null=True)
    forecast_period_days = models.IntegerField(null=True)
    forecast_quantity = quantity()
    preferred_bin_location = models.ForeignKey(
        Location, models.PROTECT, null=True, related_name="+"
    )
    replenishment_location = models.ForeignKey(
        Location, models.PROTECT, null=True, related_name="+"
    )
    comments = models.TextField(null=True)
    folded_comments = models.TextField(null=True)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label, managed, db_table = "peers", False, "inventory_levels_inventorylevel"


class Change(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE)
    level_public_id = models.CharField(max_length=64)
    product_public_id = models.CharField(max_length=64)
    location_public_id = models.CharField(max_length=64)
    action = models.CharField(max_length=8)
    version = models.IntegerField()
    changes = models.JSONField()
    actor_type = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=255)
    source = models.CharField(max_length=8)
    at = models.DateTimeField()

    class Meta:
        app_label, managed, db_table = "peers", False, "inventory_levels_levelchange"
