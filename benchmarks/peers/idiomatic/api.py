"""Authentication, serializers and the viewset."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import exceptions, serializers, viewsets
from rest_framework.authentication import BaseAuthentication
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from benchmarks.peers.idiomatic.models import ApiKey, Change, Level, Location, Product


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Any) -> Any:
        text = request.headers.get("Authorization", "").removeprefix("Bearer ")
        digest = hashlib.sha256(text.encode()).hexdigest()
        now = timezone.now()
        try:
            key = ApiKey.objects.select_related("organization").get(digest=digest)
        except ApiKey.DoesNotExist as error:
            raise exceptions.AuthenticationFailed("The API key is not valid.") from error
        if key.revoked_at or (key.expires_at and key.expires_at <= now):
            raise exceptions.AuthenticationFailed("The API key is not valid.")
        if not key.organization.is_active:
            raise exceptions.PermissionDenied("This organization is inactive.")
        if key.last_used_at is None or (now - key.last_used_at).total_seconds() > 60:
            key.last_used_at = now
            key.save(update_fields=["last_used_at"])
        return None, key

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"


class HasScope(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        if request.method == "GET":
            return bool(request.auth)
        return bool({"inventory:write", "inventory:*", "*"} & set(request.auth.scopes))


class OwnField(serializers.SlugRelatedField):  # type: ignore[type-arg]
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="public_id", **kwargs)

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(organization=self.context["request"].auth.organization)


class ProductSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    id = serializers.CharField(source="public_id")
    sku = serializers.CharField(source="global_sku")
    name = serializers.CharField(source="product_name")

    class Meta:
        model, fields = Product, ["id", "sku", "name"]


class ProductMasterSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    id = serializers.CharField(source="public_id")
    globalSku = serializers.CharField(source="global_sku")
    productName = serializers.CharField(source="product_name")

    class Meta:
        model, fields = Product, ["id", "globalSku", "productName"]


class LocationSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    id = serializers.CharField(source="public_id")

    class Meta:
        model, fields = Location, ["id", "name"]


def number(source: str) -> Any:
    return serializers.DecimalField(15, 4, source=source, min_value=0, **OPTIONAL)


def days(source: str, least: int = 0) -> Any:
    return serializers.IntegerField(source=source, min_value=least, max_value=36500, **OPTIONAL)


OPTIONAL: Any = {"required": False, "allow_null": True}
STATUSES = [
    "Supported",
    "NotSupported",
    "SupportedNonInventory",
    "Stock",
    "Formulary",
    "Inactive",
]
QUANTITIES = ["min_quantity", "reorder_quantity", "max_quantity"]


class LevelSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    id = serializers.CharField(source="public_id", read_only=True)
    productMasterId = OwnField(source="product", queryset=Product.objects.all())
    locationId = OwnField(source="location", queryset=Location.objects.all())
    minQuantity = number("min_quantity")
    reorderQuantity = number("reorder_quantity")
    maxQuantity = number("max_quantity")
    status = serializers.ChoiceField(STATUSES, required=False)
    abcClass = serializers.ChoiceField("ABC", source="abc_class", **OPTIONAL)
    expectedLeadTimeDays = days("expected_lead_time_days")
    replenishmentPeriodDays = days("replenishment_period_days")
    forecastPeriodDays = days("forecast_period_days", 1)
    forecastQuantity = number("forecast_quantity")
    preferredBinLocationId = OwnField(
        source="preferred_bin_location", queryset=Location.objects.all(), **OPTIONAL
    )
    replenishmentLocationId = OwnField(
        source="replenishment_location", queryset=Location.objects.all(), **OPTIONAL
    )
    comments = serializers.CharField(max_length=4000, **OPTIONAL)
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
    updatedAt = serializers.DateTimeField(source="updated_at", read_only=True)
    product = ProductSerializer(read_only=True)
    productMaster = ProductMasterSerializer(source="product", read_only=True)
    location = LocationSerializer(read_only=True)

    class Meta:
        model = Level
        fields = [
            "id",
            "productMasterId",
            "locationId",
            "minQuantity",
            "reorderQuantity",
            "maxQuantity",
            "status",
            "abcClass",
            "expectedLeadTimeDays",
            "replenishmentPeriodDays",
            "forecastPeriodDays",
            "forecastQuantity",
            "preferredBinLocationId",
            "replenishmentLocationId",
            "comments",
            "version",
            "createdAt",
            "updatedAt",
            "product",
            "productMaster",
            "location",
        ]
        read_only_fields = ["version"]

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        pair = {name: values.get(name) for name in ("product", "location")}
        pair["organization"] = self.context["request"].auth.organization
        stored = self.instance or Level.objects.filter(**pair).first()
        location = values.get("location") or (stored and stored.location)
        bin_ = values.get("preferred_bin_location")
        if bin_ and f"/{location.pk}/" not in bin_.path:
            raise serializers.ValidationError({"preferredBinLocationId": "must be inside"})
        if values.get("replenishment_location") == location:
            raise serializers.ValidationError({"replenishmentLocationId": "must be elsewhere"})
        merged = [values.get(name, getattr(stored, name, None)) for name in QUANTITIES]
        quantities = [value for value in merged if value is not None]
        if quantities != sorted(quantities):
            raise serializers.ValidationError("Invalid quantities: min ≤ reorder ≤ max required")
        return values


class Pages(PageNumberPagination):
    page_size, page_size_query_param, max_page_size = 50, "limit", 500


class LevelViewSet(viewsets.ModelViewSet):  # type: ignore[type-arg]
    authentication_classes = [KeyAuthentication]
    permission_classes = [HasScope]
    serializer_class = LevelSerializer
    pagination_class = Pages
    lookup_field = "public_id"

    def get_queryset(self) -> Any:
        levels = Level.objects.filter(organization=self.request.auth.organization)
        names = {"productMasterId": "product__public_id", "locationId": "location__public_id"}
        for name, lookup in {**names, "status": "status"}.items():
            if value := self.request.query_params.get(name):
                levels = levels.filter(**{f"{lookup}__in": value.split(",")})
        return levels.select_related(
            "product", "location", "preferred_bin_location", "replenishment_location"
        ).order_by("product_id", "location_id")

    def create(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        pair = {name: values.pop(name) for name in ("product", "location")}
        pair["organization"] = request.auth.organization
        with transaction.atomic():
            before = Level.objects.select_for_update().filter(**pair).first()
            changes = self.changes(before, values)
            if before and not changes:
                return Response(self.get_serializer(before).data)
            if before:
                values["version"] = before.version + 1
            level, is_new = Level.objects.update_or_create(**pair, defaults=values)
            self.write_history(level, "CREATE" if is_new else "UPDATE", changes)
        return Response(self.get_serializer(level).data, status=201 if is_new else 200)

    def perform_update(self, serializer: Any) -> None:
        changes = self.changes(serializer.instance, serializer.validated_data)
        if changes:
            with transaction.atomic():
                level = serializer.save(version=serializer.instance.version + 1)
                self.write_history(level, "UPDATE", changes)

    def changes(self, before: Level | None, values: Any) -> dict[str, Any]:
        found = {}
        for name, field in LevelSerializer().fields.items():
            if field.source in values and name not in ("productMasterId", "locationId"):
                old, new = getattr(before, field.source, None), values[field.source]
                if old != new:
                    found[name] = {"old": plain(old), "new": plain(new)}
        return found

    def write_history(self, level: Level, action: str, changes: Any) -> None:
        key = self.request.auth
        Change.objects.create(
            organization=key.organization,
            level_public_id=level.public_id,
            product_public_id=level.product.public_id,
            location_public_id=level.location.public_id,
            action=action,
            version=level.version,
            changes=changes,
            actor_type="apiKey",
            actor_id=key.public_id,
            actor_name=key.name,
            source="api",
            at=level.updated_at,
        )


def plain(value: Any) -> Any:
    if isinstance(value, Location):
        return value.public_id
    return float(value) if hasattr(value, "quantize") else value
